/* A sampler's Markov chain as a matrix: whether it is what it claims to be, and how fast it mixes.
 *
 * T[i][j] = P(i -> j) of one step of the sampler over all states of a small space, from the sampler's own definition
 * (its slot `kernel`); pi = p_beta. For a sampler that walks on several copies of the space, states are tuples, copy 0
 * the least significant digit, and pi is the product of the copies' laws; observables are those of copy 0.
 *
 *   stationarity      max_j |(pi T)_j - pi_j|
 *   detailed balance  max_ij |pi_i T_ij - pi_j T_ji|, of samplers that claim it
 *   ergodic           every state leads to every other, and the lengths of the ways back have no common factor
 *   mixing time       the least t with max_i TV(T^t_i, pi) <= 1/4; gap = 1 - the second largest |eigenvalue|
 *   tau_exact         integrated autocorrelation time in equilibrium, by the fundamental matrix, of every `thin`-th step
 * (Levin, Peres & Wilmer 2009, chapters 1, 4, 12; Kemeny & Snell 1960). What compares with pi is left out where pi is
 * not stationary: a sampler that is biased shows by how much in the residuals and in the total variation. */
#include "estimators/estimators.h"
#include "samplers/state_table.h"

#include "ebm/diagnostics.h"
#include "ebm/enumerate.h"
#include "ebm/observable.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct matrix_options {
    int64_t limit, start_state;
    ebm_reals curve;
} matrix_options;

#define AT(member) EBM_OFFSET(matrix_options, member)
static const ebm_option matrix_table[] = {
    {"limit", EBM_OPTION_INT, AT(limit), "1024", 1, EBM_MAX_CHAIN_STATES, NULL, 0,
     "most states that the matrix may have; time grows with the cube"},
    {"curve", EBM_OPTION_REALS, AT(curve), NULL, 0, 1e6, NULL, 0,
     "steps, ascending, at which the total variation is given; the row's step is that step"},
    {"start_state", EBM_OPTION_INT, AT(start_state), "0", 0, EBM_MAX_CHAIN_STATES, NULL, 0,
     "code of the state that total_variation_start begins with: unit 0 is the lowest digit, 0: all units lowest"},
    EBM_OPTIONS_END,
};

#define TAU_METRIC(name, domains, least_units, unit, about)                                                            \
    {#name "_tau_exact", "draws", false, "exact autocorrelation time of " #name},

static const ebm_metric matrix_metrics[] = {
    {"row_sum_error", "", false, "largest distance of a row's sum from 1"},
    {"lowest_entry", "", false, "least entry of the matrix"},
    {"stationarity", "", false, "largest change of a probability in one step from the model's law"},
    {"detailed_balance", "", false, "largest net flow between two states, of samplers that claim there is none"},
    {"ergodic", "", false, "1 where every state leads to every other and there is no period, else 0"},
    {"spectral_gap", "", false, "1 - second largest modulus of an eigenvalue"},
    {"mixing_time", "steps", false,
     "steps after which no start is farther than 1/4 from the law; left out beyond 2^40"},
    EBM_OBSERVABLES(TAU_METRIC) /* */
    {"total_variation", "", false, "distance from the law after so many steps (the row's step) from the worst start"},
    {"total_variation_start", "", false, "the same from start_state"},
    EBM_METRICS_END,
};

typedef struct kernel {
    const ebm_estimate_inputs *in;
    size_t copies, states, tuples; /* tuples = states^copies */
    double *transition, *stationary;
    ebm_exact_chain chain;
} kernel;

static ebm_status count_tuples(kernel *k, size_t limit, ebm_error *error) {
    const ebm_sampler *sampler = k->in->sampler;
    const ebm_space *space = &k->in->model->space;
    k->copies = sampler->type->copies ? sampler->type->copies(sampler) : 1;
    k->states = ebm_states_count(space);
    k->tuples = 1;
    for (size_t r = 0; r < k->copies && k->tuples <= limit; r++)
        k->tuples = k->states == 0 || k->states > limit ? limit + 1 : k->tuples * k->states;
    if (k->tuples > limit)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "%zu %s units in %zu cop%s of the space have too many states for a transition matrix: the "
                        "limit is %zu",
                        space->size, ebm_domain_name(space->domain), k->copies, k->copies == 1 ? "y" : "ies", limit);
    return EBM_OK;
}

/* pi <- pi times the law of copy r, whose digit is the next one. */
static ebm_status multiply_law(kernel *k, ebm_path path, size_t below, ebm_error *error) {
    const size_t mark = ebm_work_mark(k->in->work), S = k->states;
    double *log_p = ebm_work_take(k->in->work, S, sizeof *log_p);
    if (!log_p)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", S);
    ebm_status status = ebm_model_log_probabilities(k->in->model, path, log_p, NULL, k->in->work, error);
    for (size_t code = 0; code < k->tuples && status == EBM_OK; code++)
        k->stationary[code] *= exp(log_p[code / below % S]);
    ebm_work_release(k->in->work, mark);
    return status;
}

/* Where the copies are, a sampler says of chains that have been attached to it. */
static ebm_status fill_stationary(kernel *k, ebm_error *error) {
    const ebm_estimate_inputs *in = k->in;
    const ebm_sampler_type *type = in->sampler->type;
    ebm_chains chains;
    EBM_TRY(ebm_chains_create(in->model, 1, ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE), &chains, error));
    ebm_states_fill(&in->model->space, 0, 1, chains.batch.x);
    ebm_status status = ebm_sampler_attach(in->sampler, in->model, &chains, error);
    for (size_t code = 0; code < k->tuples; code++)
        k->stationary[code] = 1;
    for (size_t r = 0, below = 1; r < k->copies && status == EBM_OK; r++, below *= k->states)
        status = multiply_law(k, type->copy_path ? type->copy_path(in->sampler, &chains, in->path, r) : in->path, below,
                              error);
    ebm_chains_free(&chains);
    return status;
}

static ebm_status create(kernel *k, size_t limit, ebm_error *error) {
    const ebm_estimate_inputs *in = k->in;
    const ebm_sampler *sampler = in->sampler;
    if (!sampler->type->kernel)
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s does not know its transition matrix",
                        sampler->type->info.name);
    EBM_TRY(count_tuples(k, limit, error));
    k->transition = ebm_work_take(in->work, k->tuples * k->tuples, sizeof *k->transition);
    k->stationary = ebm_work_take(in->work, k->tuples, sizeof *k->stationary);
    if (!k->transition || !k->stationary)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a matrix of %zu states", k->tuples);
    k->chain = (ebm_exact_chain){k->transition, k->stationary, k->tuples};
    EBM_TRY(fill_stationary(k, error));
    return sampler->type->kernel(sampler, in->model, in->path, k->tuples, k->transition, in->work, error);
}

/* Whether i leads to j. A diagonal entry is 1 less the others: what rounding leaves there does not count. */
static bool leads(const kernel *k, size_t i, size_t j) {
    return k->transition[i * k->tuples + j] > (i == j ? 1e-15 : 0);
}

/* level[j] = steps of the shortest way from state 0 to j (against the arrows: from j to 0), SIZE_MAX where there is
 * none; the number of states that are reached. */
static size_t reach(const kernel *k, bool against, size_t *level, size_t *queue) {
    const size_t S = k->tuples;
    size_t head = 0, tail = 0;
    for (size_t j = 0; j < S; j++)
        level[j] = SIZE_MAX;
    level[0] = 0;
    queue[tail++] = 0;
    while (head < tail) {
        const size_t i = queue[head++];
        for (size_t j = 0; j < S; j++)
            if (level[j] == SIZE_MAX && (against ? leads(k, j, i) : leads(k, i, j))) {
                level[j] = level[i] + 1;
                queue[tail++] = j;
            }
    }
    return tail;
}

static size_t common_factor(size_t a, size_t b) {
    while (b != 0) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Irreducible: all are reached from state 0 and lead to it. The period is the common factor of level_i + 1 - level_j over
 * all arrows i -> j (Denardo 1977). */
static ebm_status classify(const kernel *k, bool *irreducible, bool *ergodic, ebm_error *error) {
    const size_t S = k->tuples, mark = ebm_work_mark(k->in->work);
    size_t *level = ebm_work_take(k->in->work, S, sizeof *level), period = 0;
    size_t *queue = ebm_work_take(k->in->work, S, sizeof *queue);
    if (!level || !queue)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", S);
    *irreducible = reach(k, true, level, queue) == S && reach(k, false, level, queue) == S;
    for (size_t i = 0; i < S && *irreducible && period != 1; i++)
        for (size_t j = 0; j < S; j++)
            if (leads(k, i, j)) {
                const size_t there = level[i] + 1, here = level[j];
                period = common_factor(period, there > here ? there - here : here - there);
            }
    *ergodic = *irreducible && period == 1;
    ebm_work_release(k->in->work, mark);
    return EBM_OK;
}

static ebm_status emit(ebm_sink *sink, const char *name, const char *what, double value, ebm_error *error) {
    char metric[80];
    snprintf(metric, sizeof metric, "%s%s", name, what);
    return sink->emit(sink, metric, value, NAN, error);
}

/* *sound: the matrix is stochastic; *invariant: and pi is stationary, to what the exact analyses ask for. */
static ebm_status emit_residuals(const kernel *k, bool *sound, bool *invariant, ebm_sink *sink, ebm_error *error) {
    ebm_chain_residuals r;
    EBM_TRY(ebm_exact_chain_residuals(&k->chain, &r, k->in->work, error));
    *sound = r.row_sum <= 1e-9 && r.lowest >= -1e-12;
    *invariant = *sound && r.stationarity <= 1e-9;
    EBM_TRY(emit(sink, "row_sum_error", "", r.row_sum, error));
    EBM_TRY(emit(sink, "lowest_entry", "", r.lowest, error));
    EBM_TRY(emit(sink, "stationarity", "", r.stationarity, error));
    return k->in->sampler->reversible ? emit(sink, "detailed_balance", "", r.detailed_balance, error) : EBM_OK;
}

static ebm_status emit_speed(const kernel *k, bool ergodic, ebm_sink *sink, ebm_error *error) {
    const size_t most = (size_t)1 << 40;
    ebm_chain_spectrum spectrum;
    size_t mixing;
    EBM_TRY(ebm_exact_chain_spectrum(&k->chain, &spectrum, k->in->work, error));
    EBM_TRY(emit(sink, "spectral_gap", "", spectrum.absolute_gap, error));
    if (!ergodic)
        return EBM_OK;
    const ebm_status status = ebm_exact_chain_mixing_time(&k->chain, 0.25, most, &mixing, k->in->work, error);
    if (status == EBM_OK)
        return emit(sink, "mixing_time", "", (double)mixing, error);
    return status == EBM_DIVERGED ? EBM_OK : status;
}

/* f (tuples) = the observable of copy 0. */
static ebm_status list_observable(const kernel *k, const ebm_observable *observable, double *f, ebm_error *error) {
    EBM_TRY(ebm_observable_list(observable, k->in->model, f, k->in->work, error));
    for (size_t code = k->states; code < k->tuples; code++)
        f[code] = f[code % k->states];
    return EBM_OK;
}

/* Of T^thin, which takes the place of T: the last thing asked of the matrix. */
static ebm_status emit_times(kernel *k, ebm_sink *sink, ebm_error *error) {
    const ebm_observable *listed[EBM_OBSERVABLE_COUNT];
    double tau[EBM_OBSERVABLE_COUNT], *f;
    const ebm_estimate_inputs *in = k->in;
    size_t count = 0;
    f = ebm_work_take(in->work, EBM_OBSERVABLE_COUNT * k->tuples, sizeof *f);
    if (!f || (in->thin > 1 && !ebm_kernel_power(k->tuples, in->thin, k->transition, in->work)))
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a matrix of %zu states", k->tuples);
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++)
        if (ebm_observable_applies(ebm_observable_at(i), &in->model->space)) {
            listed[count] = ebm_observable_at(i);
            EBM_TRY(list_observable(k, listed[count], f + count * k->tuples, error));
            count++;
        }
    const ebm_status status = ebm_exact_chain_autocorrelation_time(&k->chain, f, count, tau, in->work, error);
    if (status == EBM_DIVERGED) /* every thin-th step of a periodic chain may be reducible */
        return EBM_OK;
    EBM_TRY(status);
    for (size_t i = 0; i < count; i++)
        EBM_TRY(emit(sink, listed[i]->name, "_tau_exact", tau[i], error));
    return EBM_OK;
}

static ebm_status emit_curve(const kernel *k, const matrix_options *o, ebm_sink *sink, ebm_error *error) {
    const size_t count = o->curve.count, S = k->tuples;
    if (count == 0)
        return EBM_OK;
    size_t *steps = ebm_work_take(k->in->work, count, sizeof *steps);
    double *start = ebm_work_take(k->in->work, S, sizeof *start);
    double *worst = ebm_work_take(k->in->work, count, sizeof *worst);
    double *from = ebm_work_take(k->in->work, count, sizeof *from);
    if (!steps || !start || !worst || !from)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a curve of %zu steps", count);
    for (size_t i = 0; i < count; i++) {
        steps[i] = (size_t)o->curve.values[i];
        if ((double)steps[i] != o->curve.values[i] || (i > 0 && steps[i] <= steps[i - 1]))
            return ebm_fail(error, EBM_INVALID, "curve: %g cannot be there: expected whole steps that ascend",
                            o->curve.values[i]);
    }
    if ((size_t)o->start_state >= S)
        return ebm_fail(error, EBM_INVALID, "start_state is %lld, but there are %zu states", (long long)o->start_state,
                        S);
    for (size_t j = 0; j < S; j++)
        start[j] = j == (size_t)o->start_state;
    EBM_TRY(ebm_exact_chain_total_variation(&k->chain, NULL, steps, count, worst, k->in->work, error));
    EBM_TRY(ebm_exact_chain_total_variation(&k->chain, start, steps, count, from, k->in->work, error));
    for (size_t i = 0; i < count; i++) {
        sink->at(sink, steps[i]);
        EBM_TRY(emit(sink, "total_variation", "", worst[i], error));
        EBM_TRY(emit(sink, "total_variation_start", "", from[i], error));
    }
    sink->at(sink, k->in->step);
    return EBM_OK;
}

static ebm_status analyse(kernel *k, const matrix_options *o, ebm_sink *sink, ebm_error *error) {
    bool sound = false, invariant = false, irreducible = false, ergodic = false;
    EBM_TRY(emit_residuals(k, &sound, &invariant, sink, error));
    EBM_TRY(classify(k, &irreducible, &ergodic, error));
    EBM_TRY(emit(sink, "ergodic", "", ergodic, error));
    if (invariant)
        EBM_TRY(emit_speed(k, ergodic, sink, error));
    if (sound)
        EBM_TRY(emit_curve(k, o, sink, error));
    return invariant && irreducible ? emit_times(k, sink, error) : EBM_OK;
}

static ebm_status matrix_estimate(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink,
                                  ebm_error *error) {
    const matrix_options *o = options;
    const size_t mark = ebm_work_mark(inputs->work);
    kernel k = {.in = inputs};
    ebm_status status = create(&k, (size_t)o->limit, error);
    if (status == EBM_OK)
        status = analyse(&k, o, sink, error);
    ebm_work_release(inputs->work, mark);
    return status;
}

const ebm_estimator_type ebm_transition_matrix = {
    .info = {"transition-matrix",
             "the sampler's exact transition matrix: invariance, gap, mixing and autocorrelation times",
             "Levin, Peres & Wilmer 2009, chapters 1, 4, 12; Kemeny & Snell 1960", matrix_table,
             sizeof(matrix_options)},
    .needs_sampler = true,
    .metrics = matrix_metrics,
    .estimate = matrix_estimate,
};
