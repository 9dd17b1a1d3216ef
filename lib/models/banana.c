/* The banana: a Gaussian bent along a parabola, a ridge that turns, of which everything is known.
 *
 *   x1 ~ N(0, s1^2),  x2 | x1 ~ N(c (x1^2 - s1^2), s2^2)
 *   E(x) = x1^2 / (2 s1^2) + (x2 - c (x1^2 - s1^2))^2 / (2 s2^2),  summed over independent pairs (x1, x2)
 *   log Z = pairs log(2 pi s1 s2)
 * (Haario, Saksman & Tamminen 1999, "Adaptive proposal distribution for random walk Metropolis algorithm", whose twisted
 * normals have s1 = 10, s2 = 1 and c = -0.03 or -0.1.) beta E with a uniform base is the same with both deviations divided
 * by sqrt(beta), the parabola where it was. */
#include "components.h"
#include "models/real_path.h"

#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>

typedef struct banana_options {
    int64_t pairs;
    double length, width, bend;
} banana_options;

#define AT(member) offsetof(banana_options, member)
static const ebm_option banana_table[] = {
    {"pairs", EBM_OPTION_INT, AT(pairs), "1", 1, 1e6, NULL, 0,
     "independent pairs of units; the space has twice as many"},
    {"length", EBM_OPTION_REAL, AT(length), "10", 1e-3, 1e3, NULL, 0, "s1: deviation of the first unit of a pair"},
    {"width", EBM_OPTION_REAL, AT(width), "1", 1e-3, 1e3, NULL, 0,
     "s2: deviation of the second unit of a pair from the parabola"},
    {"bend", EBM_OPTION_REAL, AT(bend), "0.03", -1e3, 1e3, NULL, 0,
     "c: curvature of the parabola c (x1^2 - s1^2), per unit of x1; 0: a Gaussian"},
    EBM_OPTIONS_END,
};

static ebm_status banana_space(const void *options, ebm_space *out, ebm_error *error) {
    (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, 2 * (size_t)((const banana_options *)options)->pairs);
    return EBM_OK;
}

static ebm_status banana_create(ebm_model *model, const void *options, ebm_error *error) {
    EBM_TRY(ebm_real_units(model, 2 * (size_t)((const banana_options *)options)->pairs, error));
    banana_options *state = malloc(sizeof *state);
    if (!state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a model of four numbers");
    *state = *(const banana_options *)options;
    model->state = state;
    return EBM_OK;
}

static void banana_destroy(ebm_model *model) {
    free(model->state);
}

/* The middle of x2 given x1. */
static double parabola(const banana_options *o, double x1) {
    return o->bend * (x1 * x1 - o->length * o->length);
}

static void banana_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy,
                                 ebm_real *grad, ebm_work *work) {
    const banana_options *o = model->state;
    const size_t V = model->space.size;
    const double along = 1 / (o->length * o->length), across = 1 / (o->width * o->width);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        double sum = 0;
        for (size_t i = 0; i < V; i += 2) {
            const double x1 = (double)x[i], offset = (double)x[i + 1] - parabola(o, x1);
            sum += 0.5 * (along * x1 * x1 + across * offset * offset);
            if (grad) {
                grad[b * V + i] = (ebm_real)(along * x1 - 2 * o->bend * x1 * across * offset);
                grad[b * V + i + 1] = (ebm_real)(across * offset);
            }
        }
        if (energy)
            energy[b] = sum;
    }
    ebm_real_add_base(model, path, batch, energy, grad, work);
}

static ebm_status banana_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                        ebm_error *error) {
    const banana_options *o = model->state;
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "normaliser", error));
    *out = 0.5 * (double)model->space.size * log(2 * M_PI * o->length * o->width / path.beta);
    return EBM_OK;
}

static ebm_status banana_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                      uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const banana_options *o = model->state;
    const size_t V = model->space.size;
    const double length = o->length / sqrt(path.beta), width = o->width / sqrt(path.beta);
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "exact draws", error));
    for (size_t b = 0; b < batch->count; b++) {
        ebm_real *x = batch->x + b * V;
        ebm_random_normal(stream, first_chain + (uint32_t)b, step, V, x);
        for (size_t i = 0; i < V; i += 2) {
            const double x1 = length * (double)x[i];
            x[i] = (ebm_real)x1;
            x[i + 1] = (ebm_real)(parabola(o, x1) + width * (double)x[i + 1]);
        }
    }
    batch->field_ok = false;
    return EBM_OK;
}

/* E[x1^2] = s1^2 / beta and E[x1^4] = 3 (s1^2 / beta)^2; E is half a chi-square of V degrees over beta. */
static ebm_status banana_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                    ebm_work *work, ebm_error *error) {
    const banana_options *o = model->state;
    const double variance = o->length * o->length / path.beta, spread = o->bend * variance,
                 middle = o->bend * (variance - o->length * o->length);
    ebm_real_means means = {.first = 0, .second = middle, .first_square = variance, .energy = 0.5 / path.beta};
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "means", error));
    means.second_square = middle * middle + 2 * spread * spread + o->width * o->width / path.beta;
    means.square = 0.5 * (means.first_square + means.second_square);
    return ebm_real_mean_named(model, &means, observable, out, error);
}

/* P(x2 <= t) = int phi(z) Phi((t - c (z^2 s1^2 / beta - s1^2)) sqrt(beta) / s2) dz by the trapezoid rule, even in z: the
 * integrand is analytic and its steepest feature, at |z| = 9, is two steps wide or more, which leaves exp(-2 pi^2 4). */
static ebm_status bent_cdf(const ebm_model *model, double beta, const double *t, size_t count, double *out,
                           ebm_error *error) {
    const banana_options *o = model->state;
    const double end = 9, length = o->length / sqrt(beta), width = o->width / sqrt(beta);
    const double steepest = 2 * fabs(o->bend) * length * length * end / width;
    if (steepest > 1e4)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "the bend %g is too strong for the law of the second unit by quadrature: bend length^2 / width "
                        "is %g at inverse temperature %g, the limit is 555",
                        o->bend, steepest / (2 * end), beta);
    const size_t steps = (size_t)ceil(end * fmax(10, 2 * steepest));
    const double h = end / (double)steps;
    for (size_t k = 0; k < count; k++)
        out[k] = 0;
    for (size_t j = 0; j <= steps; j++) {
        const double z = h * (double)j, mass = (j == 0 ? 1 : 2) * h * exp(-0.5 * z * z) / sqrt(2 * M_PI);
        const double middle = parabola(o, length * z);
        for (size_t k = 0; k < count; k++)
            out[k] += mass * ebm_normal_cdf((t[k] - middle) / width);
    }
    for (size_t k = 0; k < count; k++) /* rounding */
        out[k] = fmin(out[k], 1);
    return EBM_OK;
}

static ebm_status banana_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                                      double *out, ebm_work *work, ebm_error *error) {
    const banana_options *o = model->state;
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "marginal law", error));
    if (unit % 2 == 1)
        return bent_cdf(model, path.beta, t, count, out, error);
    for (size_t k = 0; k < count; k++)
        out[k] = ebm_normal_cdf(t[k] * sqrt(path.beta) / o->length);
    return EBM_OK;
}

const ebm_model_type ebm_banana = {
    .info = {"banana", "Gaussian bent along a parabola", "Haario, Saksman & Tamminen 1999, Computational Statistics 14",
             banana_table, sizeof(banana_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = banana_space,
    .create = banana_create,
    .initialise = ebm_real_initialise_nothing,
    .destroy = banana_destroy,
    .energy = ebm_real_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = ebm_real_grad_x,
    .energy_grad_x = banana_energy_grad_x,
    .log_normaliser = banana_log_normaliser,
    .expected_grad_theta = ebm_real_no_expected_grad_theta,
    .sample_exact = banana_sample_exact,
    .exact_mean = banana_exact_mean,
    .marginal_cdf = banana_marginal_cdf,
};
