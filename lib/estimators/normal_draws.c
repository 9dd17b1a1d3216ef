/* Standard normals by textbook methods and as the library draws them, tested at many seeds.
 *
 *   central-limit   (u_1 + ... + u_N - N / 2) / sqrt(N / 12): the law F_N of Irwin and Hall, not the normal law. Its excess
 *                   kurtosis -6 / (5 N) leads Edgeworth's expansion (Cramer 1946, section 17.6),
 *                     F_N(z) - Phi(z) = (z^3 - 3 z) phi(z) / (20 N) + O(1 / N^2),
 *                   whose largest value is 0.0275 / N
 *   box-muller      one pair of uniforms at a time by the C library (ebm_random_normal_plain)
 *   library         what samplers use: Box-Muller on wide vectors (ebm_random_normal)
 *
 * Every method is tested against the law that it has: Kolmogorov-Smirnov, and chi^2 on cells of equal probability. `distance` is
 * the largest |F - Phi| on a grid of 4801 points, F from all seeds' draws together; its standard error is that of F there. */
#include "estimators/estimators.h"
#include "estimators/goodness.h"

#include "ebm/diagnostics.h"
#include "ebm/draws.h"

#include <math.h>
#include <string.h>

typedef struct normal_options {
    int method;
    int64_t uniforms;
    ebm_goodness_size size;
} normal_options;

enum { CENTRAL_LIMIT, BOX_MULLER, LIBRARY };
static const char *const method_names[] = {"central-limit", "box-muller", "library", NULL};

static const ebm_option normal_table[] = {
    {"method", EBM_OPTION_CHOICE, EBM_OFFSET(normal_options, method), "library", 0, 0, method_names, 0,
     "sums of uniforms; Box-Muller one pair at a time; or as the library's samplers draw"},
    {"uniforms", EBM_OPTION_INT, EBM_OFFSET(normal_options, uniforms), "12", 1, 48, NULL, 0,
     "central-limit: N, uniforms added for a draw"},
    EBM_GOODNESS_OPTIONS(normal_options, size, "100000"),
    EBM_OPTIONS_END,
};

static const ebm_metric normal_metrics[] = {
    {"distance", "", true, "largest |F - Phi|, F of all draws"},
    {"distance_exact", "", false, "the same of the method's own law"},
    {"excess_kurtosis", "", true, "mean of z^4, less 3"},
    {"excess_kurtosis_exact", "", false, "-6 / (5 N) for sums of N uniforms, 0 for normals"},
    EBM_GOODNESS_METRICS("ks", "Kolmogorov-Smirnov, against the method's own law"),
    EBM_GOODNESS_METRICS("chi_square", "chi^2 on 100 cells, against the method's own law"),
    EBM_GOODNESS_METRICS("normal", "Kolmogorov-Smirnov, against the normal law"),
    {"p_value", "", true, "Kolmogorov-Smirnov p values against the normal law, ascending; step: their rank"},
    EBM_METRICS_END,
};

enum { CELLS = 100, GRID = 4800, EDGE = 6 }; /* cells of the chi^2; intervals from -EDGE to EDGE */

typedef struct normal_trial {
    const normal_options *o;
    const ebm_estimate_inputs *in;
    size_t draws, seeds;
    ebm_real *x;                  /* (draws) */
    double *own, *normal;         /* (draws): probabilities under the method's law, under the normal law */
    double *ks, *chi, *normal_ks; /* (seeds): p values */
    double below[GRID + 2];       /* draws in (-inf, -EDGE), the intervals, [EDGE, inf) */
    double *kurtosis;             /* (seeds) */
} normal_trial;

static double normal_cdf(double z) {
    return erfc(-z / M_SQRT2) / 2;
}

static void draw(const normal_trial *t, ebm_stream stream, uint64_t step) {
    if (t->o->method == CENTRAL_LIMIT)
        ebm_random_uniform_sum(stream, 0, step, (size_t)t->o->uniforms, t->draws, t->x);
    else if (t->o->method == BOX_MULLER)
        ebm_random_normal_plain(stream, 0, step, t->draws, t->x);
    else
        ebm_random_normal(stream, 0, step, t->draws, t->x);
}

static ebm_status try_seed(normal_trial *t, size_t seed, ebm_error *error) {
    double counts[CELLS] = {0}, even[CELLS], fourth = 0;
    ebm_kolmogorov ks;
    ebm_chi_square chi;
    draw(t, ebm_stream_of(t->in->seed + (uint32_t)seed, EBM_PURPOSE_ESTIMATE), ebm_estimate_step(t->in));
    for (size_t i = 0; i < t->draws; i++) {
        const double z = (double)t->x[i];
        t->normal[i] = normal_cdf(z);
        t->own[i] = t->o->method == CENTRAL_LIMIT ? fmin(fmax(ebm_uniform_sum_cdf(z, (size_t)t->o->uniforms), 0), 1)
                                                  : t->normal[i];
        counts[(size_t)fmin(t->own[i] * CELLS, CELLS - 1)]++;
        t->below[(size_t)fmin(fmax((z + EDGE) * (GRID / (2 * EDGE)) + 1, 0), GRID + 1)]++;
        fourth += z * z * z * z;
    }
    for (int k = 0; k < CELLS; k++)
        even[k] = 1.0 / CELLS;
    t->kurtosis[seed] = fourth / (double)t->draws - 3;
    EBM_TRY(ebm_kolmogorov_test(t->own, t->draws, &ks, t->in->work, error));
    t->ks[seed] = ks.p_value;
    if (t->o->method == CENTRAL_LIMIT)
        EBM_TRY(ebm_kolmogorov_test(t->normal, t->draws, &ks, t->in->work, error));
    t->normal_ks[seed] = ks.p_value;
    EBM_TRY(ebm_chi_square_test(counts, even, CELLS, 5, &chi, error));
    t->chi[seed] = chi.p_value;
    return EBM_OK;
}

static ebm_status emit_distances(const normal_trial *t, ebm_sink *sink, ebm_error *error) {
    const double all = (double)t->draws * (double)t->seeds;
    double sum = 0, distance = 0, at = 0.5, exact = 0;
    for (int k = 0; k <= GRID; k++) {
        const double z = (double)k * 2 * EDGE / GRID - EDGE;
        sum += t->below[k];
        if (fabs(sum / all - normal_cdf(z)) > distance) {
            distance = fabs(sum / all - normal_cdf(z));
            at = sum / all;
        }
        if (t->o->method == CENTRAL_LIMIT)
            exact = fmax(exact, fabs(ebm_uniform_sum_cdf(z, (size_t)t->o->uniforms) - normal_cdf(z)));
    }
    EBM_TRY(sink->emit(sink, "distance", distance, sqrt(at * (1 - at) / all), error));
    return sink->emit(sink, "distance_exact", exact, NAN, error);
}

static ebm_status emit_all(normal_trial *t, ebm_sink *sink, ebm_error *error) {
    double mean = 0, squares = 0;
    const double S = (double)t->seeds;
    for (size_t k = 0; k < t->seeds; k++)
        mean += t->kurtosis[k] / S;
    for (size_t k = 0; k < t->seeds; k++)
        squares += (t->kurtosis[k] - mean) * (t->kurtosis[k] - mean);
    EBM_TRY(emit_distances(t, sink, error));
    EBM_TRY(sink->emit(sink, "excess_kurtosis", mean, sqrt(squares / (S * (S - 1))), error));
    const double exact = t->o->method == CENTRAL_LIMIT ? -6 / (5 * (double)t->o->uniforms) : 0;
    EBM_TRY(sink->emit(sink, "excess_kurtosis_exact", exact, NAN, error));
    EBM_TRY(ebm_goodness_emit("ks", t->ks, t->seeds, sink, t->in->work, error));
    EBM_TRY(ebm_goodness_emit("chi_square", t->chi, t->seeds, sink, t->in->work, error));
    EBM_TRY(ebm_goodness_emit("normal", t->normal_ks, t->seeds, sink, t->in->work, error));
    return ebm_goodness_curve("p_value", t->normal_ks, t->seeds, sink, error);
}

static ebm_status normal_estimate(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink,
                                  ebm_error *error) {
    const normal_options *o = options;
    ebm_work *work = inputs->work;
    const size_t mark = ebm_work_mark(work), draws = (size_t)o->size.draws, seeds = (size_t)o->size.seeds;
    normal_trial *t = ebm_work_take(work, 1, sizeof *t);
    double *per_draw = ebm_work_take(work, draws, 2 * sizeof *per_draw);
    double *per_seed = ebm_work_take(work, seeds, 4 * sizeof *per_seed);
    ebm_real *x = ebm_work_take(work, draws, sizeof *x);
    if (!t || !per_draw || !per_seed || !x)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu draws", draws);
    *t = (normal_trial){.o = o, .in = inputs, .draws = draws, .seeds = seeds, .x = x};
    t->own = per_draw, t->normal = per_draw + draws;
    t->ks = per_seed, t->chi = per_seed + seeds, t->normal_ks = per_seed + 2 * seeds;
    t->kurtosis = per_seed + 3 * seeds;
    ebm_status status = EBM_OK;
    for (size_t k = 0; k < seeds && status == EBM_OK; k++)
        status = try_seed(t, k, error);
    if (status == EBM_OK)
        status = emit_all(t, sink, error);
    ebm_work_release(work, mark);
    return status;
}

const ebm_estimator_type ebm_normal_draws = {
    .info = {"normal-draws",
             "standard normals by sums of uniforms, by Box-Muller and as the library draws, at many seeds",
             "Box & Muller 1958; Kolmogorov 1933; Marsaglia, Tsang & Wang 2003", normal_table, sizeof(normal_options)},
    .without_model = true,
    .metrics = normal_metrics,
    .estimate = normal_estimate,
};
