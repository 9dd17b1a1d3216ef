/* Random-walk Metropolis on real spaces (Metropolis et al. 1953): with scale s and the Cholesky factor L of a covariance,
 *
 *   x' = x + s L xi,   xi standard normal,   accepted with probability min(1, p(x') / p(x)).
 *
 * On many units whose covariance is L L^T the best scale is near 2.38 / sqrt(V), where 0.234 of all proposals are accepted
 * (Roberts, Gelman & Gilks 1997); for one unit 0.44. A covariance learnt in warm-up comes from all chains over windows
 * that double (adaptation.h, chain_moments.h) and is frozen with the scale. */
#include "components.h"
#include "samplers/adaptation.h"
#include "samplers/chain_moments.h"
#include "samplers/real_proposals.h"

#include "core/cholesky.h"
#include "ebm/matrix.h"
#include "ebm/npy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum shape { SHAPE_IDENTITY, SHAPE_DIAGONAL, SHAPE_DENSE, SHAPE_FILE } shape;
static const char *const shape_names[] = {"identity", "diagonal", "dense", "file", NULL};

typedef struct random_walk_options {
    double scale, acceptance;
    int covariance;
    char *file;
} random_walk_options;

#define AT(member) offsetof(random_walk_options, member)
static const ebm_option random_walk_table[] = {
    {"scale", EBM_OPTION_REAL, AT(scale), "0", 0, 1e9, NULL, 0,
     "s in x' = x + s L xi, in units of x (of the covariance's deviations where there is one); 0: adapted in warm-up"},
    {"acceptance", EBM_OPTION_REAL, AT(acceptance), "0.234", 0.01, 0.99, NULL, 0,
     "the mean acceptance that an adapted scale aims at; 0.44 suits one unit, 0.234 many"},
    {"covariance", EBM_OPTION_CHOICE, AT(covariance), "identity", 0, 0, shape_names, 0,
     "of the proposals: identity; diagonal or dense, learnt from all chains in warm-up; file, as given"},
    {"file", EBM_OPTION_STRING, AT(file), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "covariance (V, V) as .npy, for `covariance: file`"},
    EBM_OPTIONS_END,
};

typedef struct random_walk_state {
    size_t units;
    ebm_real *factor; /* (V, V) of a covariance from a file, else NULL */
} random_walk_state;

static ebm_status random_walk_check(const void *options, const ebm_model_type *model, ebm_error *error) {
    const random_walk_options *o = options;
    (void)model;
    if (o->covariance == SHAPE_FILE && !o->file)
        return ebm_fail(error, EBM_INVALID, "sampler random-walk: `covariance: file` needs a `file`");
    if (o->covariance != SHAPE_FILE && o->file)
        return ebm_fail(error, EBM_INVALID, "sampler random-walk: a `file` is used with `covariance: file` alone");
    return EBM_OK;
}

/* L of the covariance in an array (V, V), which must be symmetric to 1e-6 of its diagonal. */
static ebm_status factorise(const char *path, const ebm_npy *array, size_t V, ebm_real *factor, ebm_error *error) {
    if (array->rank != 2 || array->shape[0] != V || array->shape[1] != V)
        return ebm_fail(error, EBM_INVALID, "%s: expected a covariance of shape (%zu, %zu)", path, V, V);
    double *A = ebm_alloc(V * V, sizeof *A);
    if (!A)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a covariance of %zu units", V);
    ebm_status status = EBM_OK;
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < V; j++) {
            const double a = A[i * V + j] = ebm_npy_value(array, i * V + j), mirrored = ebm_npy_value(array, j * V + i);
            const double size = sqrt(fabs(ebm_npy_value(array, i * V + i) * ebm_npy_value(array, j * V + j)));
            if (status == EBM_OK && !(fabs(a - mirrored) <= 1e-6 * size))
                status = ebm_fail(error, EBM_INVALID,
                                  "%s: a covariance is symmetric, but entry (%zu, %zu) is %g and (%zu, %zu) is %g",
                                  path, i, j, a, j, i, mirrored);
        }
    if (status == EBM_OK)
        status = ebm_cholesky(V, A, path, error);
    for (size_t k = 0; status == EBM_OK && k < V * V; k++)
        factor[k] = (ebm_real)A[k];
    free(A);
    return status;
}

static ebm_status random_walk_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const random_walk_options *o = sampler->options;
    const size_t V = model->space.size;
    random_walk_state *state = sampler->state = ebm_alloc(1, sizeof *state);
    if (!state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a sampler");
    state->units = V;
    EBM_TRY(random_walk_check(o, model->type, error));
    if (o->covariance != SHAPE_FILE)
        return EBM_OK;
    ebm_npy array;
    state->factor = ebm_alloc(V * V, sizeof *state->factor);
    if (!state->factor)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a covariance of %zu units", V);
    EBM_TRY(ebm_npy_read(o->file, (size_t)4 << 30, &array, error));
    ebm_status status = factorise(o->file, &array, V, state->factor, error);
    ebm_npy_free(&array);
    return status;
}

static void random_walk_destroy(ebm_sampler *sampler) {
    random_walk_state *state = sampler->state;
    if (state)
        free(state->factor);
    free(state);
}

static double first_scale(const random_walk_options *o, size_t units) {
    return o->scale > 0 ? o->scale : 2.38 / sqrt((double)units);
}

/* The adaptation, and the moments of a dense covariance. */
static size_t learnt_bytes(const ebm_sampler *sampler, const ebm_model *model) {
    const random_walk_options *o = sampler->options;
    const size_t V = model->space.size, first = ebm_adaptation_bytes(V);
    const size_t second = o->covariance == SHAPE_DENSE ? ebm_chain_moments_bytes(V) : 0;
    return second > SIZE_MAX - first ? SIZE_MAX : first + second;
}

static size_t random_walk_auxiliary_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    return ebm_present_after(learnt_bytes(sampler, model), chains, model->space.size, false);
}

static void *moments_of(const void *auxiliary, size_t units) {
    return (char *)auxiliary + ebm_adaptation_bytes(units);
}

static void random_walk_auxiliary_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    const random_walk_options *o = sampler->options;
    const size_t V = model->space.size;
    ebm_adaptation_start(chains->auxiliary, V, first_scale(o, V));
    ebm_present_forget(ebm_present_of(chains, learnt_bytes(sampler, model)));
    if (o->covariance == SHAPE_DENSE)
        ebm_chain_moments_start(moments_of(chains->auxiliary, V), V);
}

static double scale_of(const random_walk_options *o, const ebm_chains *chains, size_t units) {
    return o->scale > 0 || !chains->auxiliary ? first_scale(o, units)
                                              : ebm_adaptation_step(chains->auxiliary, chains->adapting);
}

/* (V, V), or NULL where it is the identity or a diagonal */
static const ebm_real *factor_of(const ebm_sampler *sampler, const ebm_chains *chains, size_t units) {
    const random_walk_options *o = sampler->options;
    if (o->covariance == SHAPE_FILE)
        return ((const random_walk_state *)sampler->state)->factor;
    return o->covariance == SHAPE_DENSE && chains->auxiliary
               ? ebm_chain_moments_factor(moments_of(chains->auxiliary, units))
               : NULL;
}

/* (V), or NULL for 1 */
static const ebm_real *deviations_of(const ebm_sampler *sampler, const ebm_chains *chains) {
    const random_walk_options *o = sampler->options;
    return o->covariance == SHAPE_DIAGONAL && chains->auxiliary ? ebm_adaptation_scale(chains->auxiliary) : NULL;
}

static void random_walk_propose(const ebm_real_walk *w) {
    const ebm_sampler *sampler = w->law->own;
    const size_t B = w->count, V = w->units;
    const double scale = scale_of(sampler->options, w->chains, V);
    const ebm_real *factor = factor_of(sampler, w->chains, V), *deviation = deviations_of(sampler, w->chains);
    const ebm_real s = (ebm_real)scale;
    if (factor) { /* X' = X + s Xi L^T */
        memcpy(w->there.batch.x, w->here.batch.x, B * V * sizeof(ebm_real));
        ebm_gemm(false, true, B, V, V, scale, w->noise, V, factor, V, 1, w->there.batch.x, V, w->work);
        return;
    }
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < B; b++) {
        const ebm_real *x = w->here.batch.x + b * V, *xi = w->noise + b * V;
        ebm_real *to = w->there.batch.x + b * V;
        if (deviation)
            for (size_t i = 0; i < V; i++)
                to[i] = x[i] + s * deviation[i] * xi[i];
        else
            for (size_t i = 0; i < V; i++)
                to[i] = x[i] + s * xi[i];
    }
}

static ebm_status random_walk_adapt(const ebm_real_walk *w, double acceptance, uint64_t warmup_left, ebm_error *error) {
    const ebm_sampler *sampler = w->law->own;
    const random_walk_options *o = sampler->options;
    const bool learns = o->covariance == SHAPE_DIAGONAL || o->covariance == SHAPE_DENSE;
    void *auxiliary = w->chains->auxiliary;
    if (!auxiliary)
        return EBM_OK;
    const ebm_window window =
        ebm_adaptation_update(auxiliary, acceptance, o->acceptance, w->count, w->here.batch.x, warmup_left, learns);
    if (o->covariance != SHAPE_DENSE || window == EBM_WINDOW_OUTSIDE)
        return EBM_OK;
    void *moments = moments_of(auxiliary, w->units);
    EBM_TRY(ebm_chain_moments_observe(moments, w->count, w->here.batch.x, w->work, error));
    return window == EBM_WINDOW_CLOSED ? ebm_chain_moments_take(moments, error) : EBM_OK;
}

static ebm_status random_walk_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                   size_t steps, ebm_work *work, ebm_error *error) {
    const ebm_real_law law = {.own = sampler,
                              .gradient = false,
                              .adjust = true,
                              .present = ebm_present_of(chains, learnt_bytes(sampler, model)),
                              .propose = random_walk_propose,
                              .adapt = random_walk_adapt};
    return ebm_real_proposals_walk(&law, model, path, chains, steps, work, error);
}

static const ebm_metric random_walk_metrics[] = {
    {"step_size", "", true, "the scale s, as adapted or as given"},
    {"scale_min", "", true, "the smallest of the units' deviations in the covariance"},
    {"scale_max", "", true, "the largest of the units' deviations in the covariance"},
    EBM_METRICS_END,
};

static ebm_status random_walk_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink,
                                     ebm_error *error) {
    const size_t V = ((const random_walk_state *)sampler->state)->units;
    const double scale = scale_of(sampler->options, chains, V);
    const ebm_real *factor = factor_of(sampler, chains, V), *deviation = deviations_of(sampler, chains);
    double least = INFINITY, most = 0;
    EBM_TRY(ebm_real_proposals_moved("random-walk", chains, scale, error));
    EBM_TRY(sink->emit(sink, "step_size", scale, NAN, error));
    if (!factor && !deviation)
        return EBM_OK;
    for (size_t i = 0; i < V; i++) {
        double variance = deviation ? (double)deviation[i] * (double)deviation[i] : 0;
        for (size_t j = 0; factor && j <= i; j++)
            variance += (double)factor[i * V + j] * (double)factor[i * V + j];
        least = fmin(least, sqrt(variance));
        most = fmax(most, sqrt(variance));
    }
    EBM_TRY(sink->emit(sink, "scale_min", least, NAN, error));
    return sink->emit(sink, "scale_max", most, NAN, error);
}

const ebm_sampler_type ebm_random_walk = {
    .info = {"random-walk", "Metropolis on real units: normal proposals around the present state",
             "Metropolis et al. 1953; Roberts, Gelman & Gilks 1997", random_walk_table, sizeof(random_walk_options)},
    .domains = 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = true,
    .metrics = random_walk_metrics,
    .check = random_walk_check,
    .create = random_walk_create,
    .destroy = random_walk_destroy,
    .auxiliary_bytes = random_walk_auxiliary_bytes,
    .auxiliary_start = random_walk_auxiliary_start,
    .step = random_walk_step,
    .report = random_walk_report,
};
