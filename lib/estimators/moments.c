/* Long-run means of all units and of all pairs of units against their exact values by enumeration,
 *
 *   E[x_i]  and  E[x_i x_j], i < j,     of p = exp(-E / T) / Z.
 *
 * B chains start from uniform states, warm up, and each gives one time average of every unit and pair. These are
 * independent of each other, so that over the chains
 *
 *   t = (mean - exact) / (sd / sqrt(B))
 *
 * is Student's with B - 1 degrees of freedom up to how far a time average is from normal; it is turned into a normal z
 * by Wallace (1959, "Bounds on normal approximations to Student's and the chi-square distributions"),
 * z^2 = ((8 n + 1) / (8 n + 3))^2 n log(1 + t^2 / n), n = B - 1. The n_tests = V (V + 1) / 2 of them depend on each other;
 * Bonferroni's p = n_tests P(|Z| > largest |z|) holds all the same. A moment that never varied has z = 0 where it is
 * right to rounding, else infinite.
 *
 * Spaces of more than `limit` states get no rows. With `listed` the moments themselves are rows, at step = 0 ... : units first, then pairs (0, 1), (0, 2) ... */
#include "estimators/estimators.h"

#include "ebm/enumerate.h"
#include "ebm/likelihood.h"

#include <math.h>
#include <string.h>

typedef struct moments_options {
    double temperature;
    int64_t chains, warmup, draws, limit, listed;
} moments_options;

#define AT(member) EBM_OFFSET(moments_options, member)
static const ebm_option moments_table[] = {
    {"temperature", EBM_OPTION_REAL, AT(temperature), "1", 1e-9, 1e9, NULL, 0, "T in p = exp(-E / T) / Z"},
    {"chains", EBM_OPTION_INT, AT(chains), "200", 10, 1e6, NULL, 0, "independent chains, from uniform states"},
    {"warmup", EBM_OPTION_INT, AT(warmup), "500", 0, 1e9, NULL, 0, "steps of the sampler before the first draw"},
    {"draws", EBM_OPTION_INT, AT(draws), "1000", 1, 1e9, NULL, 0, "states of a chain that are averaged"},
    {"limit", EBM_OPTION_INT, AT(limit), "65536", 1, EBM_MAX_STATES, NULL, 0,
     "most states that are listed; larger spaces get no rows"},
    {"listed", EBM_OPTION_INT, AT(listed), "0", 0, 1e6, NULL, 0, "rows of the first so many moments"},
    EBM_OPTIONS_END,
};

static const ebm_metric moments_metrics[] = {
    {"moment_z", "", true, "largest |z| of the means of all units and pairs against the exact ones"},
    {"moment_p", "", true, "its p by Bonferroni over all of them"},
    {"moment_error", "", true, "root mean square of their differences from the exact ones"},
    {"moment", "", true, "a mean, with `listed`; row step: units, then pairs; s.e. over chains"},
    {"moment_exact", "", false, "its exact value"},
    EBM_METRICS_END,
};

/* out (V (V + 1) / 2) += weight times units and pairs of x */
static void add_moments(size_t V, const ebm_real *x, double weight, double *out) {
    for (size_t i = 0; i < V; i++)
        out[i] += weight * (double)x[i];
    out += V;
    for (size_t i = 0; i < V; i++)
        for (size_t j = i + 1; j < V; j++)
            *out++ += weight * (double)x[i] * (double)x[j];
}

static ebm_status exact_moments(const ebm_estimate_inputs *in, ebm_path path, double *out, ebm_error *error) {
    const ebm_space *space = &in->model->space;
    const size_t V = space->size, S = ebm_states_count(space), rows = ebm_block_rows(in->model, S);
    const size_t mark = ebm_work_mark(in->work);
    double *log_p = ebm_work_take(in->work, S, sizeof *log_p);
    ebm_real *x = ebm_work_take(in->work, rows * V, sizeof *x);
    ebm_status status = log_p && x ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", S);
    if (status == EBM_OK)
        status = ebm_model_log_probabilities(in->model, path, log_p, NULL, in->work, error);
    for (size_t first = 0; first < S && status == EBM_OK; first += rows) {
        const size_t count = S - first < rows ? S - first : rows;
        ebm_states_fill(space, first, count, x);
        for (size_t b = 0; b < count; b++)
            add_moments(V, x + b * V, exp(log_p[first + b]), out);
    }
    ebm_work_release(in->work, mark);
    return status;
}

/* average (chains, moments) += */
static ebm_status time_averages(const moments_options *o, const ebm_estimate_inputs *in, ebm_path path, size_t moments,
                                double *average, ebm_error *error) {
    const size_t B = (size_t)o->chains, V = in->model->space.size;
    ebm_sampler *sampler = in->sampler;
    ebm_base uniform = {0};
    ebm_chains chains;
    EBM_TRY(ebm_chains_create(in->model, B, ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE), &chains, error));
    chains.step = ebm_estimate_step(in) + 16;
    ebm_status status = ebm_base_fit(&in->model->space, NULL, 0, &uniform, error);
    if (status == EBM_OK) {
        ebm_base_sample(&uniform, B, chains.stream, 0, chains.step++, chains.batch.x, in->work);
        chains.batch.field_ok = chains.batch.hidden_ok = false;
        status = ebm_sampler_attach(sampler, in->model, &chains, error);
    }
    if (status == EBM_OK && o->warmup > 0)
        status = sampler->type->step(sampler, in->model, path, &chains, (size_t)o->warmup, in->work, error);
    for (int64_t draw = 0; draw < o->draws && status == EBM_OK; draw++) {
        status = sampler->type->step(sampler, in->model, path, &chains, 1, in->work, error);
        for (size_t b = 0; b < B && status == EBM_OK; b++)
            add_moments(V, chains.batch.x + b * V, 1, average + b * moments);
    }
    for (size_t k = 0; k < B * moments; k++)
        average[k] /= (double)o->draws;
    ebm_base_free(&uniform);
    ebm_chains_free(&chains);
    return status;
}

/* |z| of Student's t; what is exact to rounding has none. */
static double normal_deviate(double difference, double se, double degrees) {
    if (fabs(difference) <= 1e-12)
        return 0;
    const double t = difference / se;
    return (8 * degrees + 1) / (8 * degrees + 3) * sqrt(degrees * log1p(t * t / degrees));
}

static ebm_status emit_all(const moments_options *o, size_t moments, const double *average, const double *exact,
                           double *column, ebm_sink *sink, ebm_error *error) {
    const size_t B = (size_t)o->chains;
    double largest = 0, squares = 0;
    for (size_t k = 0; k < moments; k++) {
        for (size_t b = 0; b < B; b++)
            column[b] = average[b * moments + k];
        const ebm_mean_value mean = ebm_mean_of(column, B);
        largest = fmax(largest, normal_deviate(mean.mean - exact[k], mean.se, (double)(B - 1)));
        squares += (mean.mean - exact[k]) * (mean.mean - exact[k]);
        if (k >= (size_t)o->listed)
            continue;
        sink->at(sink, k);
        EBM_TRY(sink->emit(sink, "moment", mean.mean, mean.se, error));
        EBM_TRY(sink->emit(sink, "moment_exact", exact[k], NAN, error));
    }
    sink->at(sink, moments);
    EBM_TRY(sink->emit(sink, "moment_z", largest, NAN, error));
    EBM_TRY(sink->emit(sink, "moment_p", fmin(1, (double)moments * erfc(largest / sqrt(2))), NAN, error));
    return sink->emit(sink, "moment_error", sqrt(squares / (double)moments), NAN, error);
}

static ebm_status moments_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                   ebm_error *error) {
    const moments_options *o = options;
    const ebm_space *space = &in->model->space;
    const size_t V = space->size, S = ebm_states_count(space), moments = V * (V + 1) / 2, B = (size_t)o->chains;
    const ebm_path path = {in->path.base, in->path.beta / o->temperature};
    if (!(1u << space->domain & (1u << EBM_BINARY | 1u << EBM_SPIN)))
        return ebm_fail(error, EBM_UNSUPPORTED, "moments are of two-valued units, model %s has %s ones",
                        in->model->type->info.name, ebm_domain_name(space->domain));
    if (S == 0 || S > (size_t)o->limit)
        return EBM_OK;
    const size_t mark = ebm_work_mark(in->work);
    double *exact = ebm_work_take(in->work, moments, sizeof *exact);
    double *average = ebm_work_take(in->work, B * moments, sizeof *average);
    double *column = ebm_work_take(in->work, B, sizeof *column);
    ebm_status status = exact && average && column
                            ? EBM_OK
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu moments of %zu chains", moments, B);
    if (status == EBM_OK) {
        memset(exact, 0, moments * sizeof *exact);
        memset(average, 0, B * moments * sizeof *average);
        status = exact_moments(in, path, exact, error);
    }
    if (status == EBM_OK)
        status = time_averages(o, in, path, moments, average, error);
    if (status == EBM_OK)
        status = emit_all(o, moments, average, exact, column, sink, error);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_moments = {
    .info = {"moments", "long-run means of units and pairs against exact ones", "Bonferroni over all of them",
             moments_table, sizeof(moments_options)},
    .needs_sampler = true,
    .metrics = moments_metrics,
    .estimate = moments_estimate,
};
