/* Self-normalised importance sampling on real spaces. x_1 ... x_N ~ q, p = exp(-E) / Z known but for Z:
 *
 *   w_n = exp(-E(x_n)) / q(x_n),   W_n = w_n / sum_m w_m
 *   E_p[f] ~ mu = sum_n W_n f(x_n),        s.e.^2 = N/(N-1) sum_n W_n^2 (f(x_n) - mu)^2
 *   Z ~ (1/N) sum_n w_n,                   s.e.(log Z)^2 = N/(N-1) (sum_n W_n^2 - 1/N)
 *   ESS = 1 / sum_n W_n^2,                 ESS/N -> 1 / E_q[(p/q)^2] = 1 / E_p[p/q]
 * (Kong 1992; Owen 2013, "Monte Carlo theory, methods and examples", chapter 9). All of these trust the draws: where q
 * has lighter tails than p, the weights that matter were never drawn, and mu, its error and the ESS are wrong together.
 * Two numbers tell: k, the tail of the weights (pareto_tail.h), and the ESS that exact draws of the model see, by the
 * last of the formulas above.
 *
 * Rounds learn: the first draws from N(mean, width^2 I), or the t of that scale, and each of the next from a proposal
 * whose mean and covariance are those of the draws of the round before, weighted (population Monte Carlo: Cappe,
 * Guillin, Marin & Robert 2004). Where one weight outshines all others nothing can be learnt from them; from w^gamma it
 * can, and gamma rises to 1 as the proposals come near (Koblents & Miguez 2015, who clip). A round's estimates use its
 * own draws alone, with the weights as they are; given its proposal the draws are independent.
 *
 * Random numbers: draw n of round r uses chain n at the steps 4 r and 4 r + 1, exact draws 4 r + 2 and 4 r + 3. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"
#include "ebm/observable.h"
#include "ebm/special.h"

#include "estimators/pareto_tail.h"
#include "estimators/proposal.h"

#include <math.h>
#include <string.h>

typedef struct importance_options {
    int64_t draws, exact_draws, rounds;
    int proposal, learn;
    double mean, width, degrees, widen, learn_ess;
    char *observable;
} importance_options;

enum { NORMAL, STUDENT_T };
static const char *const proposals[] = {"normal", "student-t", NULL};
enum { DIAGONAL, DENSE };
static const char *const covariances[] = {"diagonal", "dense", NULL};

#define AT(member) EBM_OFFSET(importance_options, member)
static const ebm_option importance_table[] = {
    {"draws", EBM_OPTION_INT, AT(draws), "10000", 10, 1e7, NULL, 0, "draws from the proposal, a round"},
    {"proposal", EBM_OPTION_CHOICE, AT(proposal), "normal", 0, 0, proposals, 0,
     "what is drawn from: a normal law, or the multivariate t of the same scale, whose tails are heavier"},
    {"width", EBM_OPTION_REAL, AT(width), "1", 1e-6, 1e6, NULL, 0,
     "scale of the first round's proposal in every unit; of the normal law its standard deviation"},
    {"mean", EBM_OPTION_REAL, AT(mean), "0", -1e6, 1e6, NULL, 0, "centre of the first round's proposal in every unit"},
    {"degrees", EBM_OPTION_REAL, AT(degrees), "3", 0.5, 1e6, NULL, 0, "degrees of freedom of student-t"},
    {"rounds", EBM_OPTION_INT, AT(rounds), "1", 1, 1000, NULL, 0,
     "rounds of draws, each from a proposal learnt from the round before"},
    {"learn", EBM_OPTION_CHOICE, AT(learn), "diagonal", 0, 0, covariances, 0,
     "of the covariance, what is learnt beside the mean"},
    {"learn_ess", EBM_OPTION_REAL, AT(learn_ess), "0", 0, 1e7, NULL, 0,
     "learn from the weights to a power gamma <= 1, the largest with which they are worth so many draws; 0: as they "
     "are"},
    {"widen", EBM_OPTION_REAL, AT(widen), "1", 0.1, 100, NULL, 0,
     "how much wider than the weighted draws a learnt proposal is"},
    {"observable", EBM_OPTION_STRING, AT(observable), NULL, 0, 0, NULL, 0,
     "the one whose mean is found, such as square; absent: those of all that there are on the model's units"},
    {"exact_draws", EBM_OPTION_INT, AT(exact_draws), "0", 0, 1e7, NULL, 0,
     "exact draws of the model, where it can draw, by which importance_ess_fraction_exact is found; 0: it is not"},
    EBM_OPTIONS_END,
};

#define OBSERVABLE_METRICS(name, domains, least_units, unit, about)                                                    \
    {"importance_" #name, unit, true, about "; self-normalised mean, s.e. by the delta method"},                       \
        {"importance_" #name "_exact", unit, false, "its mean by formula, where there is one"},
static const ebm_metric importance_metrics[] = {
    {"importance_log_z", "nats", true, "log of the mean weight; s.e. by the delta method; row step: the round, from 1"},
    {"importance_log_z_exact", "nats", false, "the model's log normaliser, where it is known"},
    {"importance_ess", "draws", true, "effective sample size as the draws see it: (sum w)^2 / sum w^2"},
    {"importance_ess_fraction", "", true, "the same as a share of the draws; s.e. by the delta method"},
    {"importance_ess_fraction_exact", "", true,
     "1 / E_p[p/q], what that share tends to, by exact draws of the model; s.e. by the delta method"},
    {"importance_k", "", true, "tail of the weights: above 0.5 their variance is infinite, above 0.7 nothing is sure"},
    {"importance_largest_weight", "", true, "share of the largest weight in the sum of all"},
    EBM_OBSERVABLES(OBSERVABLE_METRICS) /* */
    EBM_METRICS_END,
};

enum { BLOCK_ROWS = 1024 };

/* One estimate under way. */
typedef struct sampling {
    const importance_options *options;
    const ebm_estimate_inputs *in;
    ebm_stream stream;
    uint64_t step; /* of this round */
    ebm_proposal proposal;
    size_t draws, observables;
    const ebm_observable *observable[EBM_OBSERVABLE_COUNT];
    ebm_batch batch;        /* BLOCK_ROWS */
    double *log_weight;     /* (draws) */
    double *weight;         /* (draws): normalised */
    double *values;         /* (observables, draws) */
    double *log_q, *energy; /* (BLOCK_ROWS) */
    ebm_proposal_sums sums; /* for the next round */
} sampling;

/* Those asked for, of those that there are on these units. */
static ebm_status choose_observables(sampling *s, ebm_error *error) {
    const ebm_space *space = &s->in->model->space;
    const char *only = s->options->observable, *names[EBM_OBSERVABLE_COUNT + 1] = {NULL};
    for (size_t i = 0, n = 0; i < EBM_OBSERVABLE_COUNT; i++) {
        const ebm_observable *observable = ebm_observable_at(i);
        if (!ebm_observable_applies(observable, space))
            continue;
        names[n++] = observable->name;
        if (!only || strcmp(only, observable->name) == 0)
            s->observable[s->observables++] = observable;
    }
    if (s->observables > 0)
        return EBM_OK;
    const char *nearest = ebm_nearest_name(only, names);
    return ebm_fail(error, EBM_INVALID, "%zu real units have no observable '%s'%s%s", space->size, only,
                    nearest ? ": did you mean " : "", nearest ? nearest : "");
}

static ebm_status create(sampling *s, ebm_error *error) {
    const importance_options *o = s->options;
    const ebm_model *model = s->in->model;
    const size_t V = model->space.size, N = (size_t)o->draws;
    ebm_work *work = s->in->work;
    EBM_TRY(choose_observables(s, error));
    s->draws = N;
    s->stream = ebm_stream_of(s->in->seed, EBM_PURPOSE_ESTIMATE);
    s->log_weight = ebm_work_take(work, N, sizeof *s->log_weight);
    s->weight = ebm_work_take(work, N, sizeof *s->weight);
    s->values = ebm_work_take(work, N, s->observables * sizeof *s->values);
    s->log_q = ebm_work_take(work, BLOCK_ROWS, sizeof *s->log_q);
    s->energy = ebm_work_take(work, BLOCK_ROWS, sizeof *s->energy);
    s->sums.first = ebm_work_take(work, V, sizeof *s->sums.first);
    s->sums.second = ebm_work_take(work, V, V * sizeof *s->sums.second);
    if (!s->log_weight || !s->weight || !s->values || !s->log_q || !s->energy || !s->sums.first || !s->sums.second)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the weights of %zu draws", N);
    EBM_TRY(ebm_proposal_create(V, o->proposal == STUDENT_T ? o->degrees : INFINITY, o->mean, o->width, &s->proposal,
                                work, error));
    return ebm_batch_create(model, BLOCK_ROWS, &s->batch, error);
}

static size_t rows_from(size_t first, size_t count) {
    return count - first < BLOCK_ROWS ? count - first : BLOCK_ROWS;
}

/* The batch becomes the draws from `first` on, and log_q their log densities. */
static ebm_status draw(sampling *s, size_t first, ebm_error *error) {
    s->batch.count = rows_from(first, s->draws);
    s->batch.field_ok = s->batch.hidden_ok = false;
    return ebm_proposal_draw(&s->proposal, s->stream, s->step, first, s->batch.count, s->batch.x, s->log_q, s->in->work,
                             error);
}

/* energy (rows) of the batch. */
static ebm_status find_energies(sampling *s, ebm_error *error) {
    const ebm_model *model = s->in->model;
    ebm_model_field(model, &s->batch, s->in->work);
    model->type->energy(model, s->in->path, &s->batch, s->energy, s->in->work);
    for (size_t b = 0; b < s->batch.count; b++)
        if (isnan(s->energy[b]) || s->energy[b] == -INFINITY)
            return ebm_fail(error, EBM_DIVERGED, "the energy of model %s is %g at a draw of the proposal",
                            model->type->info.name, s->energy[b]);
    return EBM_OK;
}

static ebm_status weigh(sampling *s, ebm_error *error) {
    const ebm_model *model = s->in->model;
    for (size_t first = 0; first < s->draws; first += BLOCK_ROWS) {
        EBM_TRY(draw(s, first, error));
        EBM_TRY(find_energies(s, error));
        for (size_t b = 0; b < s->batch.count; b++)
            s->log_weight[first + b] = -s->energy[b] - s->log_q[b];
        for (size_t k = 0; k < s->observables; k++)
            s->observable[k]->values(model, &s->batch, s->values + k * s->draws + first, s->in->work);
    }
    const double total = ebm_log_sum_exp(s->log_weight, s->draws);
    if (!isfinite(total))
        return ebm_fail(error, EBM_DIVERGED,
                        "of %zu draws of the proposal none has a finite energy: another mean or width", s->draws);
    for (size_t n = 0; n < s->draws; n++)
        s->weight[n] = exp(s->log_weight[n] - total);
    return EBM_OK;
}

static double sum_of_squares(const sampling *s) {
    double sum = 0;
    for (size_t n = 0; n < s->draws; n++)
        sum += s->weight[n] * s->weight[n];
    return sum;
}

static ebm_status emit_weights(const sampling *s, ebm_sink *sink, ebm_error *error) {
    const double N = (double)s->draws, squares = sum_of_squares(s), m2 = N * squares;
    double largest = 0, spread = 0, log_z;
    for (size_t n = 0; n < s->draws; n++) {
        /* What a draw does to (mean w)^2 / mean w^2, weights about 1: (2 w - w^2 / m2) / m2, of mean 1 / m2 */
        const double w = N * s->weight[n], deviation = (2 * w - w * w / m2 - 1) / m2;
        spread += deviation * deviation;
        largest = fmax(largest, s->weight[n]);
    }
    EBM_TRY(sink->emit(sink, "importance_log_z", ebm_log_mean_exp(s->log_weight, s->draws),
                       sqrt(fmax(0, squares - 1 / N) * N / (N - 1)), error));
    if (s->in->model->type->log_normaliser) {
        const ebm_status status =
            s->in->model->type->log_normaliser(s->in->model, s->in->path, &log_z, s->in->work, error);
        if (status == EBM_OK)
            EBM_TRY(sink->emit(sink, "importance_log_z_exact", log_z, NAN, error));
        else if (status != EBM_UNSUPPORTED)
            return status;
    }
    EBM_TRY(sink->emit(sink, "importance_ess", 1 / squares, NAN, error));
    EBM_TRY(sink->emit(sink, "importance_ess_fraction", 1 / m2, sqrt(spread / (N - 1) / N), error));
    EBM_TRY(sink->emit(sink, "importance_k", ebm_pareto_tail(s->log_weight, s->draws, s->in->work), NAN, error));
    return sink->emit(sink, "importance_largest_weight", largest, NAN, error);
}

static ebm_status emit_mean(const sampling *s, size_t k, ebm_sink *sink, ebm_error *error) {
    const double *f = s->values + k * s->draws, N = (double)s->draws;
    const ebm_observable *observable = s->observable[k];
    double mean = 0, squares = 0, exact;
    char metric[80];
    for (size_t n = 0; n < s->draws; n++)
        mean += s->weight[n] > 0 ? s->weight[n] * f[n] : 0;
    for (size_t n = 0; n < s->draws; n++) {
        const double part = s->weight[n] > 0 ? s->weight[n] * (f[n] - mean) : 0;
        squares += part * part;
    }
    snprintf(metric, sizeof metric, "importance_%s", observable->name);
    EBM_TRY(sink->emit(sink, metric, mean, sqrt(squares * N / (N - 1)), error));
    const ebm_status status =
        ebm_observable_exact_mean(observable, s->in->model, s->in->path, 0, &exact, s->in->work, error);
    if (status != EBM_OK)
        return status == EBM_UNSUPPORTED ? EBM_OK : status;
    snprintf(metric, sizeof metric, "importance_%s_exact", observable->name);
    return sink->emit(sink, metric, exact, NAN, error);
}

/* ratio (count) = p/q at exact draws of the model. */
static ebm_status find_ratios(sampling *s, size_t count, double log_z, double *ratio, ebm_error *error) {
    const ebm_model *model = s->in->model;
    for (size_t first = 0; first < count; first += BLOCK_ROWS) {
        s->batch.count = rows_from(first, count);
        EBM_TRY(model->type->sample_exact(model, s->in->path, &s->batch, s->stream, (uint32_t)first, s->step + 2,
                                          s->in->work, error));
        s->batch.field_ok = s->batch.hidden_ok = false;
        EBM_TRY(find_energies(s, error));
        EBM_TRY(ebm_proposal_log_density(&s->proposal, s->batch.count, s->batch.x, s->log_q, s->in->work, error));
        for (size_t b = 0; b < s->batch.count; b++)
            ratio[first + b] = exp(-s->energy[b] - log_z - s->log_q[b]);
    }
    return EBM_OK;
}

/* 1 / mean of p/q; its error |d(1/m)| = dm / m^2. */
static ebm_status emit_exact_fraction(sampling *s, ebm_sink *sink, ebm_error *error) {
    const size_t count = (size_t)s->options->exact_draws, mark = ebm_work_mark(s->in->work);
    const ebm_model_type *type = s->in->model->type;
    double log_z;
    if (count == 0 || !type->sample_exact || !type->log_normaliser)
        return EBM_OK;
    double *ratio = ebm_work_take(s->in->work, count, sizeof *ratio);
    if (!ratio)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu exact draws", count);
    ebm_status status = type->log_normaliser(s->in->model, s->in->path, &log_z, s->in->work, error);
    if (status == EBM_OK)
        status = find_ratios(s, count, log_z, ratio, error);
    if (status == EBM_OK) {
        const ebm_mean_value mean = ebm_mean_of(ratio, count);
        status =
            sink->emit(sink, "importance_ess_fraction_exact", 1 / mean.mean, mean.se / (mean.mean * mean.mean), error);
    }
    ebm_work_release(s->in->work, mark);
    return status == EBM_UNSUPPORTED ? EBM_OK : status;
}

/* weight (draws) becomes w^gamma, normalised; returns their ESS. */
static double flatten(sampling *s, double gamma) {
    double squares = 0;
    for (size_t n = 0; n < s->draws; n++)
        s->weight[n] = s->log_weight[n] == -INFINITY ? -INFINITY : gamma * s->log_weight[n];
    const double total = ebm_log_sum_exp(s->weight, s->draws);
    for (size_t n = 0; n < s->draws; n++) {
        s->weight[n] = exp(s->weight[n] - total);
        squares += s->weight[n] * s->weight[n];
    }
    return 1 / squares;
}

/* The ESS falls as gamma grows: d log sum w^gamma / d gamma does not fall. At gamma = 0 it is the number of draws of
 * finite energy, which may be less than what is asked for. */
static double learning_weights(sampling *s) {
    const double enough = s->options->learn_ess;
    double low = 0, high = 1;
    const double ess = flatten(s, 1);
    if (ess >= enough)
        return ess;
    for (size_t k = 0; k < 40; k++) {
        const double middle = 0.5 * (low + high);
        *(flatten(s, middle) >= enough ? &low : &high) = middle;
    }
    return flatten(s, low);
}

/* The draws are made anew: they are a function of their numbers, and are not kept. */
static ebm_status learn(sampling *s, ebm_error *error) {
    const importance_options *o = s->options;
    const size_t V = s->proposal.V;
    const double ess = learning_weights(s);
    memset(s->sums.first, 0, V * sizeof *s->sums.first);
    memset(s->sums.second, 0, V * V * sizeof *s->sums.second);
    for (size_t first = 0; first < s->draws; first += BLOCK_ROWS) {
        EBM_TRY(draw(s, first, error));
        EBM_TRY(ebm_proposal_add(&s->proposal, s->batch.count, s->batch.x, s->weight + first, o->learn == DENSE,
                                 &s->sums, s->in->work, error));
    }
    return ebm_proposal_learn(&s->proposal, &s->sums, ess, o->learn == DENSE, o->widen, error);
}

static ebm_status round_of(sampling *s, size_t r, ebm_sink *sink, ebm_error *error) {
    s->step = ebm_estimate_step(s->in) + 4 * r;
    sink->at(sink, r + 1);
    EBM_TRY(weigh(s, error));
    EBM_TRY(emit_weights(s, sink, error));
    for (size_t k = 0; k < s->observables; k++)
        EBM_TRY(emit_mean(s, k, sink, error));
    EBM_TRY(emit_exact_fraction(s, sink, error));
    return r + 1 < (size_t)s->options->rounds ? learn(s, error) : EBM_OK;
}

static ebm_status importance_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                      ebm_error *error) {
    sampling s = {.options = options, .in = in};
    const size_t mark = ebm_work_mark(in->work);
    if (in->model->space.domain != EBM_REAL_LINE)
        return ebm_fail(error, EBM_UNSUPPORTED, "importance draws real units, model %s has %s ones",
                        in->model->type->info.name, ebm_domain_name(in->model->space.domain));
    ebm_status status = create(&s, error);
    for (size_t r = 0; r < (size_t)s.options->rounds && status == EBM_OK; r++)
        status = round_of(&s, r, sink, error);
    if (s.batch.x)
        ebm_batch_free(&s.batch);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_importance = {
    .info = {"importance", "means and log Z by self-normalised importance sampling, and how far to trust them",
             "Owen 2013, chapter 9; Cappe et al. 2004; Vehtari et al. 2024", importance_table,
             sizeof(importance_options)},
    .metrics = importance_metrics,
    .estimate = importance_estimate,
};
