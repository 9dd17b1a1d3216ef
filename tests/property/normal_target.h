/* A target that is known whole, for tests on real spaces: independent normal units,
 *
 *   E(x) = sum_i (x_i - m_i)^2 / (2 s_i^2),   log Z = V/2 log 2 pi + sum_i log s_i,
 *
 * in plain loops. What of it misbehaves is set by the test. Include after small_rbm.h. */
#ifndef TESTS_NORMAL_TARGET_H
#define TESTS_NORMAL_TARGET_H

#include "ebm/estimator.h"

#include <math.h>
#include <string.h>

enum { TARGET_UNITS = 10 };

static double target_mean[TARGET_UNITS], target_sd[TARGET_UNITS];
static double target_energy_everywhere; /* 0, or what E is instead: NAN, INFINITY */

static void target_set(double mean, double sd) {
    target_energy_everywhere = 0;
    for (size_t i = 0; i < TARGET_UNITS; i++) {
        target_mean[i] = mean;
        target_sd[i] = sd;
    }
}

static void target_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    const size_t V = model->space.size;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        out[b] = target_energy_everywhere;
        for (size_t i = 0; i < V; i++) {
            const double z = ((double)batch->x[b * V + i] - target_mean[i]) / target_sd[i];
            out[b] += 0.5 * path.beta * z * z;
        }
    }
}

static void target_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                          ebm_work *work) {
    const size_t V = model->space.size;
    (void)work;
    for (size_t b = 0; b < batch->count; b++)
        for (size_t i = 0; i < V; i++)
            out[b * V + i] =
                (ebm_real)(path.beta * ((double)batch->x[b * V + i] - target_mean[i]) / (target_sd[i] * target_sd[i]));
}

static ebm_status target_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                        ebm_error *error) {
    (void)work, (void)error;
    *out = 0.5 * (double)model->space.size * log(2 * M_PI / path.beta);
    for (size_t i = 0; i < model->space.size; i++)
        *out += log(target_sd[i]);
    return EBM_OK;
}

static ebm_status target_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                      uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size;
    (void)work, (void)error;
    for (size_t b = 0; b < batch->count; b++) {
        ebm_real *row = batch->x + b * V;
        ebm_random_normal(stream, first_chain + (uint32_t)b, step, V, row);
        for (size_t i = 0; i < V; i++)
            row[i] = (ebm_real)(target_mean[i] + target_sd[i] / sqrt(path.beta) * (double)row[i]);
    }
    batch->field_ok = batch->hidden_ok = false;
    return EBM_OK;
}

static ebm_status target_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                    ebm_work *work, ebm_error *error) {
    double square = 0;
    (void)work, (void)error;
    for (size_t i = 0; i < model->space.size; i++)
        square +=
            (target_mean[i] * target_mean[i] + target_sd[i] * target_sd[i] / path.beta) / (double)model->space.size;
    if (strcmp(observable, "first") == 0)
        *out = target_mean[0];
    else if (strcmp(observable, "square") == 0)
        *out = square;
    else if (strcmp(observable, "energy") == 0)
        *out = 0.5 / path.beta;
    else
        return EBM_UNSUPPORTED;
    return EBM_OK;
}

static ebm_status target_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                                      double *out, ebm_work *work, ebm_error *error) {
    (void)model, (void)work, (void)error;
    for (size_t k = 0; k < count; k++)
        out[k] = 0.5 * erfc(-(t[k] - target_mean[unit]) * sqrt(path.beta) / (target_sd[unit] * sqrt(2)));
    return EBM_OK;
}

static ebm_status target_create(ebm_model *model, const void *options, ebm_error *error) {
    (void)model, (void)options, (void)error;
    return EBM_OK;
}

static ebm_status target_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                    ebm_error *error) {
    (void)model, (void)options, (void)data, (void)seed, (void)error;
    return EBM_OK;
}

static const ebm_option target_table[] = {EBM_OPTIONS_END};
static const ebm_model_type target_type = {
    .info = {"normal-target", "independent normal units", "", target_table, 0},
    .domains = 1u << EBM_REAL_LINE,
    .create = target_create,
    .initialise = target_initialise,
    .energy = target_energy,
    .grad_x = target_grad_x,
    .log_normaliser = target_log_normaliser,
    .sample_exact = target_sample_exact,
    .exact_mean = target_exact_mean,
    .marginal_cdf = target_marginal_cdf,
};

/* V <= TARGET_UNITS */
static void target_open(size_t V, ebm_model *out) {
    const ebm_space space = ebm_space_line(EBM_REAL_LINE, V);
    CHECK_OK(ebm_model_create(&target_type, NULL, &space, NULL, 1, out, &failure));
}

#endif
