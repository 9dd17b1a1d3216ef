/* A harmonium's units and its chains against what is known exactly.
 *
 * Units: at natural parameters eta = -6, -5, ... 6, log normaliser, mean and mean square of each kind as the library has them
 * against sums over states and quadrature (counts below 2048; Simpson's rule on [0, 1]; trapezoids of 1/20 standard
 * deviation). unit_error_KIND is the largest |closed - summed| / (1 + |summed|). Curves: the summed mean and that of
 * independent draws, at step 0, 1, ... 12 for eta = step - 6; of a categorical unit of three values, the first's share at
 * (eta, 0, 0).
 *
 * Chains: B of them walk side by side from independent exact draws, so that however slowly they mix every state has the
 * model's law. Means over a chain are independent between chains; chain_z is the largest |mean - exact| of a coordinate in
 * standard errors over chains, with E[x] by enumeration of the hidden states. */
#include "estimators/estimators.h"

#include "ebm/special.h"
#include "models/exponential_unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct laws_options {
    int64_t draws, chains, steps;
} laws_options;

#define AT(member) EBM_OFFSET(laws_options, member)
static const ebm_option laws_table[] = {
    {"draws", EBM_OPTION_INT, AT(draws), "2000", 2, 1e7, NULL, 0, "independent draws of a unit at each parameter"},
    {"chains", EBM_OPTION_INT, AT(chains), "200", 10, 1e5, NULL, 0, "B, chains of the case's sampler"},
    {"steps", EBM_OPTION_INT, AT(steps), "400", 1, 1e9, NULL, 0, "steps of the sampler that are averaged"},
    EBM_OPTIONS_END,
};

/* Metrics by kind, in the order of ebm_unit_kind_at. */
static const char *const kind_metrics[] = {"binary", "poisson", "categorical", "truncated_exponential", "gaussian"};
enum { KINDS = sizeof kind_metrics / sizeof *kind_metrics, CATEGORIES = 3, GRID = 13 };

#define KIND_METRICS(kind)                                                                                             \
    {"unit_error_" kind, "", false, kind ": largest relative error of normaliser, mean and mean square"},              \
        {"mean_exact_" kind, "", false, kind ": mean at eta = step - 6"}, {                                            \
        "mean_drawn_" kind, "", true, kind ": the same of independent draws"                                           \
    }
static const ebm_metric laws_metrics[] = {
    KIND_METRICS("binary"),
    KIND_METRICS("poisson"),
    KIND_METRICS("categorical"),
    KIND_METRICS("truncated_exponential"),
    KIND_METRICS("gaussian"),
    {"chain_z", "s.e.", true, "coordinate whose mean over the chains is furthest from the exact one"},
    EBM_METRICS_END,
};

enum { COUNTS = 2048, INTERVALS = 2000, TRAPEZOIDS = 1200 };

typedef struct node {
    double x, log_weight; /* of the first coordinate; log of nu e^(eta x) times the rule's weight */
} node;

/* State k of a unit, false past the last. */
static bool node_at(const ebm_unit_kind *kind, double eta, size_t k, node *out) {
    int sign;
    double log_nu = 0, weight = 1;
    size_t count = kind->sized ? CATEGORIES : 2;
    out->x = kind->sized ? k == 0 : (double)k;
    if (kind->dispersed) {
        const double h = 0.05;
        out->x = h * ((double)k - TRAPEZOIDS / 2);
        log_nu = -out->x * out->x / 2, weight = h, count = TRAPEZOIDS + 1;
    } else if (kind->continuous) {
        out->x = (double)k / INTERVALS;
        weight = (k == 0 || k == INTERVALS ? 1 : k % 2 ? 4 : 2) / (3.0 * INTERVALS), count = INTERVALS + 1;
    } else if (strcmp(kind->name, "poisson") == 0) {
        log_nu = -lgamma_r((double)k + 1, &sign), count = COUNTS;
    }
    out->log_weight = log_nu + eta * out->x + log(weight);
    return k < count;
}

/* sums: log normaliser, mean, mean square */
static void summed(const ebm_unit_kind *kind, double eta, double sums[3]) {
    double most = -INFINITY, total = 0;
    node n;
    sums[1] = sums[2] = 0;
    for (size_t k = 0; node_at(kind, eta, k, &n); k++)
        most = fmax(most, n.log_weight);
    for (size_t k = 0; node_at(kind, eta, k, &n); k++) {
        const double p = exp(n.log_weight - most);
        total += p;
        sums[1] += p * n.x;
        sums[2] += p * n.x * n.x;
    }
    sums[0] = most + log(total);
    sums[1] /= total;
    sums[2] /= total;
}

static ebm_status emit(ebm_sink *sink, const char *what, size_t kind, double value, double se, ebm_error *error) {
    char name[64];
    snprintf(name, sizeof name, "%s_%s", what, kind_metrics[kind]);
    return sink->emit(sink, name, value, se, error);
}

/* One kind at one parameter: *worst is raised to its error. */
static ebm_status compare(const laws_options *o, const ebm_estimate_inputs *in, size_t kind, size_t g, double *worst,
                          ebm_sink *sink, ebm_error *error) {
    const ebm_unit_kind *k = ebm_unit_kind_at(kind);
    const double eta[CATEGORIES] = {(double)g - 6};
    const ebm_unit_law law = {k->sized ? CATEGORIES : 1, eta, 1, 1};
    double sums[3], mean[CATEGORIES], square[CATEGORIES], sum = 0;
    ebm_real x[CATEGORIES];
    summed(k, eta[0], sums);
    k->moments(&law, mean, square);
    const double closed[3] = {k->log_normaliser(&law), mean[0], square[0]};
    for (int n = 0; n < 3; n++)
        *worst = fmax(*worst, fabs(closed[n] - sums[n]) / (1 + fabs(sums[n])));
    for (size_t d = 0; d < (size_t)o->draws; d++) {
        const ebm_unit_draw at = {ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE), (uint32_t)d, ebm_estimate_step(in),
                                  2 * (uint32_t)(g * KINDS + kind)};
        k->draw(&law, &at, x);
        sum += (double)x[0];
    }
    const double variance = sums[2] - sums[1] * sums[1], N = (double)o->draws;
    EBM_TRY(emit(sink, "mean_exact", kind, sums[1], NAN, error));
    return emit(sink, "mean_drawn", kind, sum / N, sqrt(variance / N), error);
}

static ebm_status compare_all(const laws_options *o, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    double worst[KINDS] = {0};
    for (size_t g = 0; g < GRID; g++) {
        sink->at(sink, g);
        for (size_t kind = 0; kind < KINDS; kind++)
            EBM_TRY(compare(o, in, kind, g, &worst[kind], sink, error));
    }
    sink->at(sink, in->step);
    for (size_t kind = 0; kind < KINDS; kind++)
        EBM_TRY(emit(sink, "unit_error", kind, worst[kind], NAN, error));
    return EBM_OK;
}

/* mean (V) = E[x]: less the expected gradient by the visible biases */
static ebm_status exact_means(const ebm_model *model, double *mean, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, at = (size_t)(ebm_model_view(model, "visible_bias") - model->theta);
    ebm_real *grad = ebm_work_take(work, model->n_theta, sizeof *grad);
    if (!grad)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu expectations", model->n_theta);
    memset(grad, 0, model->n_theta * sizeof *grad);
    EBM_TRY(model->type->expected_grad_theta(model, -1, grad, NULL, work, error));
    for (size_t i = 0; i < V; i++)
        mean[i] = (double)grad[at + i];
    return EBM_OK;
}

/* sum (B, V) += every chain's states */
static ebm_status walk(const laws_options *o, const ebm_estimate_inputs *in, ebm_chains *chains, double *sum,
                       ebm_error *error) {
    const size_t entries = chains->batch.count * in->model->space.size;
    for (size_t s = 0; s < (size_t)o->steps; s++) {
        EBM_TRY(in->sampler->type->step(in->sampler, in->model, ebm_path_end(), chains, 1, in->work, error));
        for (size_t k = 0; k < entries; k++)
            sum[k] += (double)chains->batch.x[k];
    }
    return EBM_OK;
}

static ebm_status emit_chains(const laws_options *o, const ebm_estimate_inputs *in, ebm_chains *chains, ebm_sink *sink,
                              ebm_error *error) {
    const size_t V = in->model->space.size, B = chains->batch.count;
    double *sum = ebm_work_take(in->work, B * V, sizeof *sum), *exact = ebm_work_take(in->work, V, sizeof *exact);
    double *one = ebm_work_take(in->work, B, sizeof *one), worst = 0;
    if (!sum || !exact || !one)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the means of %zu chains", B);
    memset(sum, 0, B * V * sizeof *sum);
    EBM_TRY(exact_means(in->model, exact, in->work, error));
    EBM_TRY(in->model->type->sample_exact(in->model, ebm_path_end(), &chains->batch,
                                          ebm_stream_of(in->seed, EBM_PURPOSE_CHAIN_START), 0, ebm_estimate_step(in),
                                          in->work, error));
    EBM_TRY(ebm_sampler_attach(in->sampler, in->model, chains, error));
    EBM_TRY(walk(o, in, chains, sum, error));
    for (size_t i = 0; i < V; i++) {
        for (size_t b = 0; b < B; b++)
            one[b] = sum[b * V + i] / (double)o->steps;
        const double se = sqrt(ebm_variance(one, B) / (double)B), off = fabs(ebm_mean(one, B) - exact[i]);
        if (!isfinite(off))
            return ebm_fail(error, EBM_DIVERGED, "the chains have left finite numbers in coordinate %zu", i);
        worst = fmax(worst, off > 0 ? off / se : 0);
    }
    return sink->emit(sink, "chain_z", worst, NAN, error);
}

static ebm_status laws_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    const laws_options *o = options;
    const size_t mark = ebm_work_mark(in->work);
    ebm_chains chains;
    if (in->model->type != &ebm_harmonium)
        return ebm_fail(error, EBM_UNSUPPORTED, "estimator harmonium-laws looks at harmoniums, not at model %s",
                        in->model->type->info.name);
    EBM_TRY(compare_all(o, in, sink, error));
    EBM_TRY(ebm_chains_create(in->model, (size_t)o->chains, ebm_stream_of(in->seed, EBM_PURPOSE_AUTOCORRELATION),
                              &chains, error));
    const ebm_status status = emit_chains(o, in, &chains, sink, error);
    ebm_chains_free(&chains);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_harmonium_laws = {
    .info = {"harmonium-laws", "a harmonium's units against sums and integrals, and its chains against exact means",
             "Welling, Rosen-Zvi & Hinton 2004", laws_table, sizeof(laws_options)},
    .needs = EBM_SLOT_BLOCK | EBM_SLOT_LOG_NORMALISER,
    .needs_sampler = true,
    .metrics = laws_metrics,
    .estimate = laws_estimate,
};
