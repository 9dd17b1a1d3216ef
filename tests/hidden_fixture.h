/* A Boltzmann machine with hidden units of the library beside the same machine for plain sums over all states, in double.
 *
 *   E(x, h)      = -sum_(i<j) w_ij y_i y_j - sum_i b_i y_i,   y = (x, h) in {0,1}^(V + H) or {-1,+1}^(V + H)
 *   E_beta(x, h) = (1 - beta) (-a . x) + beta E(x, h),        a: a base machine's (none: 0)
 * A state is a code: unit i of y is up where bit i is set; x is the low V bits. */
#ifndef TESTS_HIDDEN_FIXTURE_H
#define TESTS_HIDDEN_FIXTURE_H

#include "rbm_fixture.h"

enum { HIDDEN_UNITS = 24 };

typedef struct hidden_machine {
    size_t V, H, N, S, R; /* N = V + H, S = 2^V, R = 2^H */
    bool spin;
    ebm_model model;
    void *options;
    ebm_work *work;
    ebm_base base;
    double w[HIDDEN_UNITS][HIDDEN_UNITS], b[HIDDEN_UNITS], a[HIDDEN_UNITS];
} hidden_machine;

static inline double hidden_value(const hidden_machine *m, size_t code, size_t i) {
    return (code >> i & 1u) ? 1.0 : m->spin ? -1.0 : 0.0;
}

/* Of real-valued y. */
static inline double hidden_energy_at(const hidden_machine *m, int base, double beta, const double *y) {
    double energy = 0, base_energy = 0;
    for (size_t i = 0; i < m->N; i++) {
        for (size_t j = i + 1; j < m->N; j++)
            energy -= m->w[i][j] * y[i] * y[j];
        energy -= m->b[i] * y[i];
        base_energy -= i < m->V ? m->a[i] * y[i] : 0;
    }
    return (base ? (1 - beta) * base_energy : 0.0) + beta * energy;
}

static inline double hidden_joint(const hidden_machine *m, int base, double beta, size_t code) {
    double y[HIDDEN_UNITS];
    for (size_t i = 0; i < m->N; i++)
        y[i] = hidden_value(m, code, i);
    return hidden_energy_at(m, base, beta, y);
}

/* F(x) of real-valued x (V). */
static inline double hidden_free_at(const hidden_machine *m, int base, double beta, const double *x) {
    double *energy = oracle_memory(m->R), y[HIDDEN_UNITS];
    memcpy(y, x, m->V * sizeof *y);
    for (size_t h = 0; h < m->R; h++) {
        for (size_t j = 0; j < m->H; j++)
            y[m->V + j] = hidden_value(m, h, j);
        energy[h] = hidden_energy_at(m, base, beta, y);
    }
    const double total = oracle_log_sum(energy, m->R, 1);
    free(energy);
    return -total;
}

static inline double hidden_free(const hidden_machine *m, int base, double beta, size_t code) {
    double x[HIDDEN_UNITS];
    for (size_t i = 0; i < m->V; i++)
        x[i] = hidden_value(m, code, i);
    return hidden_free_at(m, base, beta, x);
}

/* p (S R) = the law of (x, h), by codes; returns log Z. */
static inline double hidden_law(const hidden_machine *m, int base, double beta, double *p) {
    for (size_t s = 0; s < m->S * m->R; s++)
        p[s] = hidden_joint(m, base, beta, s);
    const double log_z = oracle_log_sum(p, m->S * m->R, 1);
    for (size_t s = 0; s < m->S * m->R; s++)
        p[s] = exp(-p[s] - log_z);
    return log_z;
}

/* The library's theta into w and b. */
static inline void hidden_read_theta(hidden_machine *m) {
    const ebm_real *W = ebm_model_view(&m->model, "W"), *bias = ebm_model_view(&m->model, "bias");
    for (size_t i = 0; i < m->N; i++) {
        for (size_t j = 0; j < m->N; j++)
            m->w[i][j] = (double)W[i * m->N + j];
        m->b[i] = (double)bias[i];
    }
}

static inline void hidden_open(hidden_machine *m, size_t V, size_t H, bool spin, rbm_weights kind, double scale,
                               uint64_t seed) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann-hidden");
    ck_assert_ptr_nonnull(type);
    memset(m, 0, sizeof *m);
    *m = (hidden_machine){.V = V, .H = H, .N = V + H, .S = (size_t)1 << V, .R = (size_t)1 << H, .spin = spin};
    char visible[24], hidden[24];
    snprintf(visible, sizeof visible, "%zu", V);
    snprintf(hidden, sizeof hidden, "%zu", H);
    const char *pairs[] = {"visible", visible, "hidden", hidden, "states", spin ? "spin" : "binary", NULL};
    m->options = test_options(&type->info, pairs);
    CHECK_OK(ebm_work_create(1, &m->work, error));
    CHECK_OK(ebm_model_create(type, m->options, NULL, NULL, 1, &m->model, error));
    ck_assert_uint_eq(m->model.space.size, V);
    ck_assert_uint_eq(m->model.n_hidden, H);
    test_random r = {seed * 1000003u + V * 131u + H * 17u + spin};
    ebm_real *W = ebm_model_view(&m->model, "W"), *bias = ebm_model_view(&m->model, "bias");
    m->base = (ebm_base){.space = m->model.space, .count = V, .parameters = calloc(V, sizeof(ebm_real))};
    ck_assert_ptr_nonnull(m->base.parameters);
    for (size_t i = 0; i < m->N; i++) {
        for (size_t j = i + 1; j < m->N; j++)
            W[i * m->N + j] = W[j * m->N + i] = (ebm_real)rbm_draw(&r, kind, scale);
        W[i * m->N + i] = 0;
        bias[i] = (ebm_real)rbm_draw(&r, kind, scale);
    }
    for (size_t i = 0; i < V; i++) {
        m->base.parameters[i] = (ebm_real)rbm_draw(&r, kind, 1.0);
        m->a[i] = (double)m->base.parameters[i];
        m->base.log_normaliser += log(exp(m->a[i]) + (spin ? exp(-m->a[i]) : 1));
    }
    hidden_read_theta(m);
    ebm_model_refresh(&m->model, m->work);
}

static inline void hidden_close(hidden_machine *m) {
    test_options_free(&m->model.type->info, m->options);
    ebm_model_free(&m->model);
    ebm_work_free(m->work);
    free(m->base.parameters);
    memset(m, 0, sizeof *m);
}

static inline ebm_path hidden_path(const hidden_machine *m, int base, double beta) {
    return (ebm_path){base ? &m->base : NULL, beta};
}

/* All (x, h) in the order of their codes, with their field; or all x (`joint` false). */
static inline ebm_batch hidden_states(const hidden_machine *m, bool joint) {
    const size_t count = joint ? m->S * m->R : m->S;
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&m->model, count, &batch, error));
    for (size_t s = 0; s < count; s++) {
        for (size_t i = 0; i < m->V; i++)
            batch.x[s * m->V + i] = (ebm_real)hidden_value(m, s, i);
        for (size_t j = 0; joint && j < m->H; j++)
            batch.hidden[s * m->H + j] = (ebm_real)hidden_value(m, s, m->V + j);
    }
    batch.hidden_ok = joint;
    ebm_model_field(&m->model, &batch, m->work);
    return batch;
}

/* The code of row b, (x, h) or x alone; every number must be one of the space. */
static inline size_t hidden_code(const hidden_machine *m, const ebm_batch *batch, size_t b, bool joint) {
    size_t code = 0;
    for (size_t i = 0; i < (joint ? m->N : m->V); i++) {
        const ebm_real y = i < m->V ? batch->x[b * m->V + i] : batch->hidden[b * m->H + i - m->V];
        if (y != 1 && y != (m->spin ? -1 : 0))
            ck_abort_msg("a unit is %g", (double)y);
        code |= (size_t)(y == 1) << i;
    }
    return code;
}

/* As boltzmann_bound of boltzmann_fixture.h over all units: a field is a sum of at most N + 1 terms of at most M in
 * ebm_real, the rest is double; a logarithm of a sum of exponentials inherits the largest error of its terms. */
static inline double hidden_bound(const hidden_machine *m) {
    double M = 0.6931471805599453 * (double)(m->H + 1);
    for (size_t i = 0; i < m->N; i++) {
        for (size_t j = 0; j < m->N; j++)
            M += fabs(m->w[i][j]);
        M += fabs(m->b[i]) + fabs(m->a[i]);
    }
    return ((double)m->N + 16) * UNIT_ROUNDOFF * M;
}

#endif
