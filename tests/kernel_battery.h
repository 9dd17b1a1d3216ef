/* One sampler on one small model at one path: its kernel against the model's distribution, its real steps against its
 * kernel. What is looked at:
 *   kernel   rows sum to 1, nothing is negative, pi T = pi, pi_i T_ij = pi_j T_ji where the sampler says so
 *   steps    transitions counted from every state, after one step and after three, have the laws T and T^3
 *   law      where the kernel is too large to be enumerated, chains that start at pi are still there after three steps,
 *            by classes of states that agree in probability and in how many units are up
 *   field    where a batch says after a step that its field is valid, it is the field of its x
 * pi is by ebm_model_log_probabilities. A sampler with copies is a chain on tuples of states (sampler.h), whose pi is the
 * product over the copies. */
#ifndef TESTS_KERNEL_BATTERY_H
#define TESTS_KERNEL_BATTERY_H

#include "rbm_fixture.h"
#include "statistics.h"

#include "ebm/diagnostics.h"
#include "ebm/enumerate.h"
#include "ebm/sampler.h"

#include <cblas.h>

typedef struct battery_case {
    const ebm_model *model;   /* whose distribution it is */
    const ebm_model *stepped; /* what the steps run on: the same, but where a mistake is planted */
    ebm_sampler *sampler;
    ebm_path path;
    size_t settle;      /* steps before counting: of samplers whose kernel is that of later steps */
    size_t most_states; /* of a kernel */
    size_t most_listed; /* of a model whose kernel is larger */
    size_t draws;       /* transitions counted in a round */
    size_t least_draws; /* of them from each state */
    double alarm;       /* how likely each of the two counts may seem wrong by chance */
    ebm_work *work;
} battery_case;

/* Everything in units of what is allowed: above 1 is a fault. */
typedef struct battery_verdict {
    bool examined;
    size_t states; /* of the chain: tuples where there are copies */
    double rows, lowest, invariance, balance;
    double one_step, three_steps, law, field;
    char why[200]; /* the kernel is not examined */
} battery_verdict;

enum { BATTERY_ROUNDS = 4, BATTERY_MOST_COPIES = 8 };

/* The kernel is in double, on the energies that pi is made of: rounding alone. Of 4096 states' rows the sum is off by
 * 4096 2^-53 = 5e-13 at most. */
static const double battery_rounding = 1e-12;

static inline void *battery_memory(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static inline size_t battery_copies(const ebm_sampler *sampler) {
    return sampler->type->copies ? sampler->type->copies(sampler) : 1;
}

/* States of the chain: S^copies, 0 where that is more than `most`. */
static inline size_t battery_states(const battery_case *c) {
    const size_t S = ebm_states_count(&c->model->space), copies = battery_copies(c->sampler);
    size_t states = 1;
    ck_assert_uint_le(copies, BATTERY_MOST_COPIES);
    for (size_t r = 0; r < copies; r++)
        states = S > 0 && states <= c->most_states / S ? states * S : 0;
    return states;
}

/* pi (states). */
static inline void battery_stationary(const battery_case *c, const ebm_chains *chains, size_t states, double *pi) {
    const size_t S = ebm_states_count(&c->model->space), copies = battery_copies(c->sampler);
    double *log_p = battery_memory(S, sizeof *log_p);
    for (size_t t = 0; t < states; t++)
        pi[t] = 1;
    for (size_t r = 0, place = 1; r < copies; r++, place *= S) {
        const ebm_path path =
            c->sampler->type->copy_path ? c->sampler->type->copy_path(c->sampler, chains, c->path, r) : c->path;
        CHECK_OK(ebm_model_log_probabilities(c->model, path, log_p, NULL, c->work, error));
        for (size_t t = 0; t < states; t++)
            pi[t] *= exp(log_p[t / place % S]);
    }
    free(log_p);
}

static inline void battery_kernel(const battery_case *c, const double *T, const double *pi, battery_verdict *v) {
    const ebm_exact_chain chain = {T, pi, v->states};
    ebm_chain_residuals residuals;
    CHECK_OK(ebm_exact_chain_residuals(&chain, &residuals, c->work, error));
    v->rows = residuals.row_sum / battery_rounding;
    v->lowest = -residuals.lowest / battery_rounding;
    v->invariance = c->sampler->exact ? residuals.stationarity / battery_rounding : 0;
    v->balance = c->sampler->reversible ? residuals.detailed_balance / battery_rounding : 0;
}

/* A level that a chi-square variable of k degrees passes with probability at most `alarm` (Laurent & Massart 2000, lemma
 * 1). */
static inline double battery_limit(double degrees, double alarm) {
    const double x = -log(alarm);
    return degrees + 2 * sqrt(degrees * x) + 2 * x;
}

/* How far the fields are from those of x, in units of what rounding may do. A field is a sum of at most n_theta numbers
 * of theta, each times a number of x, kept up to date by at most one addition of two such sums for each site update (at
 * most 500 since it was last made), each off by u times the sum of their absolute values. A missed update is off by one
 * coupling: 1e-3 of that sum or more, hundreds of times what is allowed. */
static inline double battery_field(const battery_case *c, const ebm_batch *batch) {
    const ebm_model *model = c->model;
    const size_t B = batch->count, V = model->space.size, F = model->n_field;
    double total = 0, largest = 1, worst = 0;
    ebm_batch fresh;
    if (!batch->field_ok || F == 0)
        return 0;
    for (size_t k = 0; k < model->n_theta; k++)
        total += fabs((double)model->theta[k]);
    if (model->space.domain == EBM_CATEGORICAL)
        largest = (double)model->space.categories - 1;
    CHECK_OK(ebm_batch_create(model, B, &fresh, error));
    memcpy(fresh.x, batch->x, B * V * sizeof *fresh.x);
    ebm_model_field(model, &fresh, c->work);
    for (size_t k = 0; k < B * F; k++)
        worst = fmax(worst, fabs((double)fresh.field[k] - (double)batch->field[k]));
    ebm_batch_free(&fresh);
    return total > 0 ? worst / (500 * UNIT_ROUNDOFF * total * largest) : worst > 0 ? INFINITY : 0;
}

/* Copy r of row b at its digit of tuple start[b]. */
static inline void battery_write(const battery_case *c, ebm_chains *chains, const size_t *start) {
    const ebm_space *space = &c->model->space;
    const size_t S = ebm_states_count(space), V = space->size, copies = battery_copies(c->sampler);
    for (size_t r = 0, place = 1; r < copies; r++, place *= S) {
        ebm_real *x = r > 0 ? c->sampler->type->copy_states(c->sampler, chains, r) : chains->batch.x;
        for (size_t b = 0; b < chains->batch.count; b++)
            ebm_states_fill(space, start[b] / place % S, 1, x + b * V);
    }
    chains->batch.field_ok = chains->batch.hidden_ok = false;
}

static inline void battery_start(const battery_case *c, ebm_chains *chains, const size_t *start) {
    const ebm_space *space = &c->model->space;
    const size_t S = ebm_states_count(space), V = space->size;
    for (size_t b = 0; b < chains->batch.count; b++)
        ebm_states_fill(space, start[b] % S, 1, chains->batch.x + b * V);
    chains->batch.field_ok = chains->batch.hidden_ok = false;
    CHECK_OK(ebm_sampler_attach(c->sampler, c->stepped, chains, error));
    if (c->settle > 0)
        CHECK_OK(c->sampler->type->step(c->sampler, c->stepped, c->path, chains, c->settle, c->work, error));
    battery_write(c, chains, start);
}

/* The tuples that the rows are at; every number must be one of the space. */
static inline void battery_read(const battery_case *c, ebm_chains *chains, size_t *end) {
    const ebm_space *space = &c->model->space;
    const size_t S = ebm_states_count(space), V = space->size, copies = battery_copies(c->sampler);
    ebm_real *again = battery_memory(V, sizeof *again);
    for (size_t r = 0, place = 1; r < copies; r++, place *= S) {
        const ebm_real *x = r > 0 ? c->sampler->type->copy_states(c->sampler, chains, r) : chains->batch.x;
        for (size_t b = 0; b < chains->batch.count; b++) {
            const size_t code = ebm_states_code(space, x + b * V);
            if (code < S)
                ebm_states_fill(space, code, 1, again);
            if (code >= S || memcmp(again, x + b * V, V * sizeof *again) != 0)
                ck_abort_msg("row %zu of copy %zu is not a state of the space", b, r);
            end[b] = (r > 0 ? end[b] : 0) + code * place;
        }
    }
    free(again);
}

/* Rows of a chain that hardly moves leave nothing to compare: what they expect away from their likeliest outcome is
 * gathered over rows until it is enough for one term. */
typedef struct battery_gathered {
    double expected, variance, count;
} battery_gathered;

static inline void battery_gather(battery_gathered *g, chi_square *chi, size_t cells, const double *p,
                                  const double *counts) {
    size_t likeliest = 0;
    double total = 0;
    for (size_t k = 0; k < cells; k++) {
        total += counts[k];
        likeliest = p[k] > p[likeliest] ? k : likeliest;
    }
    double moves = 0;
    for (size_t k = 0; k < cells; k++)
        moves += k == likeliest ? 0 : p[k];
    g->expected += total * moves;
    g->variance += total * moves * (1 - moves);
    g->count += total - counts[likeliest];
    if (g->expected < 25)
        return;
    chi->statistic += (g->count - g->expected) * (g->count - g->expected) / g->variance;
    chi->degrees++;
    *g = (battery_gathered){0, 0, 0};
}

/* Counts of end states over all starts. Their covariance is that of a sum of multinomials, D - sum_i n_i T_i^T T_i with
 * D = diag(expected), so that in Pearson's statistic no direction weighs more than 1: the chi-square level is kept. */
static inline double battery_compare_ends(size_t S, const double *law, const double *counts, double alarm) {
    double *ends = battery_memory(S, sizeof *ends), *p = battery_memory(S, sizeof *p), total = 0;
    chi_square chi = {0, 0};
    for (size_t i = 0; i < S; i++) {
        double from = 0;
        for (size_t j = 0; j < S; j++) {
            from += counts[i * S + j];
            ends[j] += counts[i * S + j];
        }
        for (size_t j = 0; j < S; j++)
            p[j] += from * law[i * S + j];
        total += from;
    }
    for (size_t j = 0; j < S; j++)
        p[j] /= total;
    chi_square_row(&chi, S, p, ends);
    free(ends);
    free(p);
    return chi.statistic / battery_limit(chi.degrees, alarm);
}

/* Pearson's statistic of counts (S, S) against the rows of `law`, over its limit; where rows are many and have few counts
 * each the ends of all of them say more, and the worse of the two is returned. */
static inline double battery_compare(size_t S, const double *law, const double *counts, double alarm) {
    chi_square chi = {0, 0};
    battery_gathered gathered = {0, 0, 0};
    for (size_t i = 0; i < S; i++) {
        const double before = chi.degrees;
        chi_square_row(&chi, S, law + i * S, counts + i * S);
        if (chi.degrees == before)
            battery_gather(&gathered, &chi, S, law + i * S, counts + i * S);
        for (size_t j = 0; j < S; j++)
            if (law[i * S + j] <= 0 && counts[i * S + j] > 0)
                return INFINITY; /* it cannot happen */
    }
    return fmax(chi.statistic / battery_limit(chi.degrees, alarm / 2), battery_compare_ends(S, law, counts, alarm / 2));
}

/* Transitions of `sweeps` steps from every state against the rows of `law` (states, states). Rounds use new random numbers, because chains.step moves on; the odd ones take the steps one call at a time. */
static inline double battery_transitions(const battery_case *c, const double *law, size_t sweeps, uint32_t seed,
                                         battery_verdict *v) {
    const size_t S = v->states, each = c->draws / S > c->least_draws ? c->draws / S : c->least_draws, B = each * S;
    size_t *start = battery_memory(B, sizeof *start), *end = battery_memory(B, sizeof *end);
    double *counts = battery_memory(S * S, sizeof *counts);
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(c->stepped, B, ebm_stream_of(seed, EBM_PURPOSE_ESTIMATE), &chains, error));
    chains.first_chain = 5;
    for (size_t b = 0; b < B; b++)
        start[b] = b % S;
    for (size_t round = 0; round < BATTERY_ROUNDS; round++) {
        const size_t calls = round % 2 ? sweeps : 1;
        const uint64_t before = chains.step;
        battery_start(c, &chains, start);
        for (size_t k = 0; k < calls; k++)
            CHECK_OK(c->sampler->type->step(c->sampler, c->stepped, c->path, &chains, sweeps / calls, c->work, error));
        if (chains.step <= before)
            ck_abort_msg("the steps of random numbers did not move on");
        battery_read(c, &chains, end);
        for (size_t b = 0; b < B; b++)
            counts[start[b] * S + end[b]]++;
        v->field = fmax(v->field, battery_field(c, &chains.batch));
    }
    const double excess = battery_compare(S, law, counts, c->alarm);
    ebm_chains_free(&chains);
    free(start);
    free(end);
    free(counts);
    return excess;
}

enum { BATTERY_CLASSES = 4096 };

/* The class of each state: its log probability in bins of half a nat, and how many of its units are not at their lowest
 * value. law (BATTERY_CLASSES) is theirs. */
static inline void battery_classes(const ebm_space *space, const double *pi, size_t S, size_t *class, double *law) {
    const size_t V = space->size, bins = BATTERY_CLASSES / (V + 1);
    ebm_real *x = battery_memory(V, sizeof *x);
    for (size_t s = 0; s < S; s++) {
        size_t up = 0, bin = (size_t)(-2 * log(fmax(pi[s], 1e-300)));
        ebm_states_fill(space, s, 1, x);
        for (size_t i = 0; i < V; i++)
            up += x[i] > 0;
        class[s] = up * bins + (bin < bins ? bin : bins - 1);
        law[class[s]] += pi[s];
    }
    free(x);
}

/* The first state whose cumulative probability exceeds u. */
static inline size_t battery_draw(const double *cumulative, size_t S, double u) {
    size_t low = 0, high = S - 1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (cumulative[middle] > u)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Chains at states drawn from pi (S), after one step and after two more. */
static inline double battery_equilibrium(const battery_case *c, const double *pi, size_t S, uint32_t seed,
                                         battery_verdict *v) {
    const size_t B = 4 * c->draws;
    size_t *at = battery_memory(B, sizeof *at), *class = battery_memory(S, sizeof *class);
    double *cumulative = battery_memory(S, sizeof *cumulative), *law = battery_memory(BATTERY_CLASSES, sizeof *law);
    test_random r = {seed};
    double worst = 0, sum = 0;
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(c->stepped, B, ebm_stream_of(seed, EBM_PURPOSE_ESTIMATE), &chains, error));
    battery_classes(&c->model->space, pi, S, class, law);
    for (size_t s = 0; s < S; s++)
        cumulative[s] = sum += pi[s];
    for (size_t b = 0; b < B; b++)
        at[b] = battery_draw(cumulative, S, sum * test_random_uniform(&r));
    battery_start(c, &chains, at);
    for (size_t sweeps = 1; sweeps <= 2; sweeps++) {
        double *counts = battery_memory(BATTERY_CLASSES, sizeof *counts);
        chi_square chi = {0, 0};
        CHECK_OK(c->sampler->type->step(c->sampler, c->stepped, c->path, &chains, sweeps, c->work, error));
        battery_read(c, &chains, at);
        for (size_t b = 0; b < B; b++)
            counts[class[at[b]]]++;
        chi_square_row(&chi, BATTERY_CLASSES, law, counts);
        worst = fmax(worst, chi.statistic / battery_limit(chi.degrees, c->alarm / 2));
        v->field = fmax(v->field, battery_field(c, &chains.batch));
        free(counts);
    }
    ebm_chains_free(&chains);
    free(at), free(class), free(cumulative), free(law);
    return worst;
}

static inline void battery_steps(const battery_case *c, const double *T, uint32_t seed, battery_verdict *v) {
    const size_t S = v->states;
    const int n = (int)S;
    double *square = battery_memory(S * S, sizeof *square), *cube = battery_memory(S * S, sizeof *cube);
    v->one_step = battery_transitions(c, T, 1, seed, v);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0, T, n, T, n, 0.0, square, n);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0, square, n, T, n, 0.0, cube, n);
    v->three_steps = battery_transitions(c, cube, 3, ~seed, v);
    free(square);
    free(cube);
}

static inline void battery_examine_law(const battery_case *c, const double *pi, size_t S, uint32_t seed,
                                       battery_verdict *v) {
    ebm_error refusal = {0};
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(c->stepped, 1, ebm_stream_of(seed, EBM_PURPOSE_ESTIMATE), &chains, error));
    battery_start(c, &chains, (size_t[]){0});
    const ebm_status status = c->sampler->type->step(c->sampler, c->stepped, c->path, &chains, 1, c->work, &refusal);
    ebm_chains_free(&chains);
    ck_assert_msg(status == EBM_OK || status == EBM_UNSUPPORTED, "step: %s", refusal.message);
    if (status == EBM_OK)
        v->law = battery_equilibrium(c, pi, S, seed, v);
    else
        snprintf(v->why, sizeof v->why, "%.199s", refusal.message);
}

static inline void battery_examine_kernel(const battery_case *c, uint32_t seed, battery_verdict *v) {
    const size_t S = v->states;
    ebm_error refusal = {0};
    ck_assert_msg(c->sampler->type->kernel != NULL, "sampler %s has no kernel", c->sampler->type->info.name);
    double *T = battery_memory(S * S, sizeof *T), *pi = battery_memory(S, sizeof *pi);
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(c->stepped, 1, ebm_stream_of(seed, EBM_PURPOSE_ESTIMATE), &chains, error));
    battery_start(c, &chains, (size_t[]){0});
    battery_stationary(c, &chains, S, pi);
    ebm_chains_free(&chains);
    const ebm_status status = c->sampler->type->kernel(c->sampler, c->model, c->path, S, T, c->work, &refusal);
    ck_assert_msg(status == EBM_OK || status == EBM_UNSUPPORTED, "kernel: %s", refusal.message);
    v->examined = status == EBM_OK;
    if (v->examined) {
        battery_kernel(c, T, pi, v);
        battery_steps(c, T, seed, v);
    } else if (c->sampler->exact && battery_copies(c->sampler) == 1) {
        battery_examine_law(c, pi, S, seed, v);
    }
    free(T);
    free(pi);
}

/* Nothing is looked at where the sampler cannot do this path, or where there is too much to enumerate. */
static inline battery_verdict battery_examine(const battery_case *c, uint32_t seed) {
    const size_t S = ebm_states_count(&c->model->space);
    battery_verdict v = {.states = battery_states(c)};
    if (v.states > 0) {
        battery_examine_kernel(c, seed, &v);
    } else if (S <= c->most_listed && c->sampler->exact && battery_copies(c->sampler) == 1) {
        double *pi = battery_memory(S, sizeof *pi);
        CHECK_OK(ebm_model_log_probabilities(c->model, c->path, pi, NULL, c->work, error));
        for (size_t s = 0; s < S; s++)
            pi[s] = exp(pi[s]);
        battery_examine_law(c, pi, S, seed, &v);
        free(pi);
    } else {
        snprintf(v.why, sizeof v.why, "more than %zu states", c->most_states);
    }
    return v;
}

/* The first fault, NULL where there is none; *excess tells by what factor. (Not a number is a fault.) */
static inline const char *battery_fault(const battery_verdict *v, double *excess) {
    const struct {
        const char *name;
        double value;
    } parts[] = {{"a row of the kernel does not sum to 1", v->rows},
                 {"a negative probability in the kernel", v->lowest},
                 {"pi T = pi fails", v->invariance},
                 {"detailed balance fails", v->balance},
                 {"one step is not the kernel", v->one_step},
                 {"three steps are not the kernel's cube", v->three_steps},
                 {"chains leave the model's distribution", v->law},
                 {"the field is not that of the state", v->field}};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
        if (!(parts[k].value <= 1)) {
            *excess = parts[k].value;
            return parts[k].name;
        }
    return NULL;
}

#endif
