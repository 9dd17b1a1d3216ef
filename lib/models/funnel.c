/* Neal's funnel: a scale that is itself a unit, so that no one step suits both its mouth and its neck.
 *
 *   v ~ N(0, s^2),  x_i | v ~ N(0, e^v),  i = 1 ... d,  the state is (v, x_1, ... x_d)
 *   E(v, x) = v^2 / (2 s^2) + d v / 2 + e^-v sum_i x_i^2 / 2
 *   log Z = 1/2 log(2 pi s^2) + d / 2 log(2 pi)
 * (Neal 2003, "Slice sampling", section 8, where s = 3 and d = 9.) beta E with a uniform base: x_i | v ~ N(0, e^v / beta),
 * which leaves (1 - beta) d v / 2 in v: v ~ N(m, s^2 / beta) with m = (1 - beta) d s^2 / (2 beta). */
#include "components.h"
#include "models/real_path.h"

#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>

typedef struct funnel_options {
    int64_t size;
    double deviation;
} funnel_options;

#define AT(member) offsetof(funnel_options, member)
static const ebm_option funnel_table[] = {
    {"size", EBM_OPTION_INT, AT(size), "10", 2, 1e6, NULL, 0, "units in all: the log variance v and size - 1 others"},
    {"deviation", EBM_OPTION_REAL, AT(deviation), "3", 1e-3, 10, NULL, 0, "s: deviation of the log variance v"},
    EBM_OPTIONS_END,
};

static ebm_status funnel_space(const void *options, ebm_space *out, ebm_error *error) {
    (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, (size_t)((const funnel_options *)options)->size);
    return EBM_OK;
}

static ebm_status funnel_create(ebm_model *model, const void *options, ebm_error *error) {
    EBM_TRY(ebm_real_units(model, (size_t)((const funnel_options *)options)->size, error));
    funnel_options *state = malloc(sizeof *state);
    if (!state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a model of two numbers");
    *state = *(const funnel_options *)options;
    model->state = state;
    return EBM_OK;
}

static void funnel_destroy(ebm_model *model) {
    free(model->state);
}

/* Where e^-v sum_i x_i^2 overflows E is infinite and the gradient 0. */
static void funnel_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy,
                                 ebm_real *grad, ebm_work *work) {
    const funnel_options *o = model->state;
    const size_t V = model->space.size;
    const double precision = 1 / (o->deviation * o->deviation), half = 0.5 * (double)(V - 1);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        const double v = (double)x[0], shrink = exp(-v);
        double square = 0;
        for (size_t i = 1; i < V; i++)
            square += (double)x[i] * (double)x[i];
        const double others = square == 0 ? 0 : 0.5 * shrink * square; /* of NaN is NaN */
        if (energy)
            energy[b] = 0.5 * precision * v * v + half * v + others;
        if (!grad)
            continue;
        const double slope = isinf(others) ? 0 : shrink;
        grad[b * V] = (ebm_real)(isinf(others) ? 0 : precision * v + half - others);
        for (size_t i = 1; i < V; i++)
            grad[b * V + i] = x[i] == 0 ? 0 : (ebm_real)(slope * (double)x[i]);
    }
    ebm_real_add_base(model, path, batch, energy, grad, work);
}

/* The law of v on the path. */
typedef struct mouth {
    double mean, deviation;
} mouth;

static mouth mouth_at(const ebm_model *model, double beta) {
    const funnel_options *o = model->state;
    const double variance = o->deviation * o->deviation / beta;
    return (mouth){0.5 * (1 - beta) * (double)(model->space.size - 1) * variance, sqrt(variance)};
}

static ebm_status funnel_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                        ebm_error *error) {
    const mouth v = mouth_at(model, path.beta);
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "normaliser", error));
    *out = 0.5 * (double)(model->space.size - 1) * log(2 * M_PI / path.beta) + 0.5 * log(2 * M_PI) + log(v.deviation) +
           0.5 * v.mean * v.mean / (v.deviation * v.deviation);
    return EBM_OK;
}

static ebm_status funnel_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                      uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size;
    const mouth law = mouth_at(model, path.beta);
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "exact draws", error));
    for (size_t b = 0; b < batch->count; b++) {
        ebm_real *x = batch->x + b * V;
        ebm_random_normal(stream, first_chain + (uint32_t)b, step, V, x);
        const double v = law.mean + law.deviation * (double)x[0], scale = exp(0.5 * v) / sqrt(path.beta);
        x[0] = (ebm_real)v;
        for (size_t i = 1; i < V; i++)
            x[i] = (ebm_real)(scale * (double)x[i]);
    }
    batch->field_ok = false;
    return EBM_OK;
}

/* E[x_i^2] = E[e^v] / beta, a log-normal mean; E[e^-v sum_i x_i^2] = d / beta. */
static ebm_status funnel_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                    ebm_work *work, ebm_error *error) {
    const funnel_options *o = model->state;
    const mouth v = mouth_at(model, path.beta);
    const double V = (double)model->space.size, d = V - 1, variance = v.deviation * v.deviation;
    ebm_real_means means = {.first = v.mean, .second = 0, .first_square = v.mean * v.mean + variance};
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "means", error));
    means.second_square = exp(v.mean + 0.5 * variance) / path.beta;
    means.square = (means.first_square + d * means.second_square) / V;
    means.energy =
        (0.5 * means.first_square / (o->deviation * o->deviation) + 0.5 * d * v.mean + 0.5 * d / path.beta) / V;
    return ebm_real_mean_named(model, &means, observable, out, error);
}

/* P(x_i <= t) = int phi(z) Phi(t sqrt(beta) e^(-v / 2)) dz, v = m + s z, by the trapezoid rule: the integrand is analytic
 * for |Im v| < pi / 2, so steps of 0.1 in v leave an error of exp(-2 pi (pi / 2) / 0.1). */
static ebm_status funnel_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                                      double *out, ebm_work *work, ebm_error *error) {
    const mouth law = mouth_at(model, path.beta);
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "marginal law", error));
    for (size_t k = 0; k < count; k++)
        out[k] = unit == 0 ? ebm_normal_cdf((t[k] - law.mean) / law.deviation) : 0;
    if (unit == 0)
        return EBM_OK;
    const double end = 9, h = fmin(0.1, 0.1 / law.deviation);
    const int steps = (int)ceil(end / h);
    for (int j = -steps; j <= steps; j++) {
        const double z = h * j, mass = h * exp(-0.5 * z * z) / sqrt(2 * M_PI);
        const double slope = sqrt(path.beta) * exp(-0.5 * (law.mean + law.deviation * z));
        for (size_t k = 0; k < count; k++)
            out[k] += mass * ebm_normal_cdf(t[k] * slope);
    }
    for (size_t k = 0; k < count; k++) /* rounding */
        out[k] = fmin(out[k], 1);
    return EBM_OK;
}

const ebm_model_type ebm_funnel = {
    .info = {"funnel", "Neal's funnel: a log variance and units of that variance", "Neal 2003, Annals of Statistics 31",
             funnel_table, sizeof(funnel_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = funnel_space,
    .create = funnel_create,
    .initialise = ebm_real_initialise_nothing,
    .destroy = funnel_destroy,
    .energy = ebm_real_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = ebm_real_grad_x,
    .energy_grad_x = funnel_energy_grad_x,
    .log_normaliser = funnel_log_normaliser,
    .expected_grad_theta = ebm_real_no_expected_grad_theta,
    .sample_exact = funnel_sample_exact,
    .exact_mean = funnel_exact_mean,
    .marginal_cdf = funnel_marginal_cdf,
};
