/* A small model of pairs for tests of samplers, on binary, spin and categorical spaces, without a field:
 *
 *   E(x) = -sum_i h_i x_i - sum_(i<j) J_ij x_i x_j                       binary, spin
 *   E(x) = -sum_i h_i(x_i) - sum_(i<j) J_ij(x_i, x_j)                    categorical
 *
 * theta = [h (V, q) | J (V, V, q, q)], of which i < j counts; q = 1 for two-valued units. Linear in each unit, so that the
 * gradient predicts the change of one unit exactly. Plain loops in double. */
#ifndef TESTS_PAIRS_MODEL_H
#define TESTS_PAIRS_MODEL_H

#include "ebm/model.h"

static inline size_t pairs_values(const ebm_space *space) {
    return space->domain == EBM_CATEGORICAL ? space->categories : 1;
}
static inline ebm_real *pairs_h(const ebm_model *m, size_t i) {
    return m->theta + i * pairs_values(&m->space);
}
static inline ebm_real *pairs_J(const ebm_model *m, size_t i, size_t j) {
    const size_t V = m->space.size, q = pairs_values(&m->space);
    return m->theta + V * q + (i * V + j) * q * q;
}
/* What the units i at value x_i (one-hot: at code) and j give together. */
static inline double pairs_coupling(const ebm_model *m, size_t i, double x_i, size_t j, double x_j) {
    const size_t q = pairs_values(&m->space);
    if (i > j)
        return pairs_coupling(m, j, x_j, i, x_i);
    return q == 1 ? (double)*pairs_J(m, i, j) * x_i * x_j : (double)pairs_J(m, i, j)[(size_t)x_i * q + (size_t)x_j];
}
static inline double pairs_bias(const ebm_model *m, size_t i, double x_i) {
    return m->space.domain == EBM_CATEGORICAL ? (double)pairs_h(m, i)[(size_t)x_i] : (double)pairs_h(m, i)[0] * x_i;
}

static ebm_status pairs_create(ebm_model *model, const void *options, ebm_error *error) {
    const size_t V = model->space.size, q = pairs_values(&model->space);
    (void)options;
    (void)error;
    model->n_theta = V * q + V * V * q * q;
    model->n_views = 1;
    model->views[0] = (ebm_view){"theta", 0, model->n_theta, 0, true};
    return EBM_OK;
}

static ebm_status pairs_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                   ebm_error *error) {
    (void)model;
    (void)options;
    (void)data;
    (void)seed;
    (void)error;
    return EBM_OK;
}

static void pairs_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    const size_t V = model->space.size;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        double sum = 0;
        for (size_t i = 0; i < V; i++) {
            sum += pairs_bias(model, i, (double)x[i]);
            for (size_t j = i + 1; j < V; j++)
                sum += pairs_coupling(model, i, (double)x[i], j, (double)x[j]);
        }
        out[b] = -path.beta * sum;
    }
}

static void pairs_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    const size_t V = model->space.size, q = pairs_values(&model->space);
    (void)work;
    for (size_t b = 0; b < batch->count; b++)
        for (size_t i = 0; i < V; i++)
            for (size_t c = 0; c < q; c++) {
                const double value = q == 1 ? 1 : (double)c; /* two-valued: the coefficient of x_i */
                double sum = pairs_bias(model, i, value);
                for (size_t j = 0; j < V; j++)
                    sum += j == i ? 0 : pairs_coupling(model, i, value, j, (double)batch->x[b * V + j]);
                out[(b * V + i) * q + c] = (ebm_real)(-path.beta * sum);
            }
}

static const ebm_option pairs_table[] = {EBM_OPTIONS_END};

static const ebm_model_type pairs_type = {
    .info = {"pairs", "all pairs of a few units", "", pairs_table, 0},
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN | 1u << EBM_CATEGORICAL,
    .create = pairs_create,
    .initialise = pairs_initialise,
    .energy = pairs_energy,
    .grad_x = pairs_grad_x,
};

#endif
