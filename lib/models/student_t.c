/* Products of independent Student-t laws: heavy tails, where proposals by gradients stall.
 *
 *   E(x) = (nu + 1) / 2 sum_i log(1 + x_i^2 / (nu s^2)),   log Z = V log(s sqrt(nu pi) Gamma(nu / 2) / Gamma((nu + 1) / 2))
 *   dE/dx_i = (nu + 1) x_i / (nu s^2 + x_i^2)
 * (Johnson, Kotz & Balakrishnan 1995, "Continuous univariate distributions", volume 2, chapter 28.) beta E with a uniform
 * base is in the family: nu' = beta (nu + 1) - 1 degrees and the scale s' = s sqrt(nu / nu'), as long as nu' is positive. */
#include "components.h"
#include "models/real_path.h"

#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>

typedef struct student_options {
    int64_t size;
    double degrees, scale;
} student_options;

#define AT(member) offsetof(student_options, member)
static const ebm_option student_table[] = {
    {"size", EBM_OPTION_INT, AT(size), "2", 1, 1e6, NULL, 0, "units, independent of each other"},
    {"degrees", EBM_OPTION_REAL, AT(degrees), "5", 1e-2, 1e6, NULL, 0,
     "nu: degrees of freedom; 1 is a Cauchy law, moments of order nu and above do not exist"},
    {"scale", EBM_OPTION_REAL, AT(scale), "1", 1e-6, 1e6, NULL, 0, "s: scale of each unit"},
    EBM_OPTIONS_END,
};

static ebm_status student_space(const void *options, ebm_space *out, ebm_error *error) {
    (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, (size_t)((const student_options *)options)->size);
    return EBM_OK;
}

static ebm_status student_create(ebm_model *model, const void *options, ebm_error *error) {
    EBM_TRY(ebm_real_units(model, (size_t)((const student_options *)options)->size, error));
    student_options *state = malloc(sizeof *state);
    if (!state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a model of three numbers");
    *state = *(const student_options *)options;
    model->state = state;
    return EBM_OK;
}

static void student_destroy(ebm_model *model) {
    free(model->state);
}

static void student_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy,
                                  ebm_real *grad, ebm_work *work) {
    const student_options *o = model->state;
    const size_t V = model->space.size;
    const double square = o->degrees * o->scale * o->scale, power = o->degrees + 1;
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        double sum = 0;
        for (size_t i = 0; energy && i < V; i++)
            sum += log1p((double)x[i] * (double)x[i] / square);
        for (size_t i = 0; grad && i < V; i++)
            grad[b * V + i] = (ebm_real)(power * (double)x[i] / (square + (double)x[i] * (double)x[i]));
        if (energy)
            energy[b] = 0.5 * power * sum;
    }
    ebm_real_add_base(model, path, batch, energy, grad, work);
}

/* The law of one unit on the path. */
typedef struct law {
    double degrees, scale;
} law;

static ebm_status law_at(const ebm_model *model, ebm_path path, const char *what, law *out, ebm_error *error) {
    const student_options *o = model->state;
    EBM_TRY(ebm_real_uniform_base(model, path, what, error));
    out->degrees = path.beta * (o->degrees + 1) - 1;
    if (!(out->degrees > 0))
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "at inverse temperature %g the law cannot be normalised: it has %g degrees of freedom",
                        path.beta, out->degrees);
    out->scale = o->scale * sqrt(o->degrees / out->degrees);
    return EBM_OK;
}

static ebm_status student_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                         ebm_error *error) {
    law p;
    int sign;
    (void)work;
    EBM_TRY(law_at(model, path, "normaliser", &p, error));
    *out = (double)model->space.size * (log(p.scale) + 0.5 * log(p.degrees * M_PI) + lgamma_r(0.5 * p.degrees, &sign) -
                                        lgamma_r(0.5 * (p.degrees + 1), &sign));
    return EBM_OK;
}

/* The polar method of Bailey (1994, "Polar generation of random variates with the t-distribution"): like Box-Muller with
 * the radius sqrt(nu (U^(-2/nu) - 1)), exact and without rejection. Unit i takes the uniforms 2 i and 2 i + 1. */
static ebm_status student_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                       uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size;
    law p;
    (void)work;
    EBM_TRY(law_at(model, path, "exact draws", &p, error));
    for (size_t b = 0; b < batch->count; b++)
        for (size_t i = 0; i < V; i++) {
            const uint32_t chain = first_chain + (uint32_t)b, index = 2 * (uint32_t)i;
            const double u = ebm_random_uniform1(stream, chain, step, index),
                         v = ebm_random_uniform1(stream, chain, step, index + 1);
            const double radius = sqrt(p.degrees * expm1(-2 / p.degrees * log(u)));
            batch->x[b * V + i] = (ebm_real)(p.scale * radius * cos(2 * M_PI * v));
        }
    batch->field_ok = false;
    return EBM_OK;
}

/* E[x^2] = s'^2 nu' / (nu' - 2). 1 / (1 + x^2 / (nu s^2)) is a beta variate of nu' / 2 and 1/2, so that
 * E[log(1 + x^2 / (nu s^2))] = psi((nu' + 1) / 2) - psi(nu' / 2). */
static ebm_status student_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                     ebm_work *work, ebm_error *error) {
    const student_options *o = model->state;
    const bool two = model->space.size > 1;
    law p;
    (void)work;
    EBM_TRY(law_at(model, path, "means", &p, error));
    const double mean = p.degrees > 1 ? 0 : NAN,
                 square = p.degrees > 2 ? p.scale * p.scale * p.degrees / (p.degrees - 2) : NAN;
    const double energy = 0.5 * (o->degrees + 1) * (ebm_digamma(0.5 * (p.degrees + 1)) - ebm_digamma(0.5 * p.degrees));
    const ebm_real_means means = {mean, two ? mean : NAN, square, two ? square : NAN, square, energy};
    return ebm_real_mean_named(model, &means, observable, out, error);
}

static ebm_status student_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t,
                                       size_t count, double *out, ebm_work *work, ebm_error *error) {
    law p;
    (void)unit, (void)work;
    EBM_TRY(law_at(model, path, "marginal law", &p, error));
    for (size_t k = 0; k < count; k++)
        out[k] = ebm_student_cdf(t[k] / p.scale, p.degrees);
    return EBM_OK;
}

const ebm_model_type ebm_student_t = {
    .info = {"student-t", "product of independent Student-t laws",
             "Johnson, Kotz & Balakrishnan 1995, Continuous Univariate Distributions 2, chapter 28", student_table,
             sizeof(student_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = student_space,
    .create = student_create,
    .initialise = ebm_real_initialise_nothing,
    .destroy = student_destroy,
    .energy = ebm_real_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = ebm_real_grad_x,
    .energy_grad_x = student_energy_grad_x,
    .log_normaliser = student_log_normaliser,
    .expected_grad_theta = ebm_real_no_expected_grad_theta,
    .sample_exact = student_sample_exact,
    .exact_mean = student_exact_mean,
    .marginal_cdf = student_marginal_cdf,
};
