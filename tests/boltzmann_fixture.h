/* A fully visible Boltzmann machine of the library beside the same machine for plain sums over all states, in double.
 *
 *   E(x)      = -sum_(i<j) w_ij x_i x_j - sum_i b_i x_i,        x in {0,1}^V or {-1,+1}^V
 *   E_beta(x) = (1 - beta) (-a . x) + beta E(x)                 a: a base machine's (none: 0)
 * A state is a code: unit i is up where bit i is set. */
#ifndef TESTS_BOLTZMANN_FIXTURE_H
#define TESTS_BOLTZMANN_FIXTURE_H

#include "rbm_fixture.h"

enum { BOLTZMANN_UNITS = 24 };

typedef struct boltzmann {
    size_t V, S; /* S = 2^V */
    bool spin;
    ebm_model model;
    void *options;
    ebm_work *work;
    ebm_base base;
    double w[BOLTZMANN_UNITS][BOLTZMANN_UNITS], b[BOLTZMANN_UNITS], a[BOLTZMANN_UNITS];
} boltzmann;

static inline double boltzmann_value(const boltzmann *m, size_t code, size_t i) {
    return (code >> i & 1u) ? 1.0 : m->spin ? -1.0 : 0.0;
}

/* Of real-valued x. */
static inline double boltzmann_energy_at(const boltzmann *m, int base, double beta, const double *x) {
    double energy = 0, base_energy = 0;
    for (size_t i = 0; i < m->V; i++) {
        for (size_t j = i + 1; j < m->V; j++)
            energy -= m->w[i][j] * x[i] * x[j];
        energy -= m->b[i] * x[i];
        base_energy -= m->a[i] * x[i];
    }
    return (base ? (1 - beta) * base_energy : 0.0) + beta * energy;
}

static inline double boltzmann_energy(const boltzmann *m, int base, double beta, size_t code) {
    double x[BOLTZMANN_UNITS];
    for (size_t i = 0; i < m->V; i++)
        x[i] = boltzmann_value(m, code, i);
    return boltzmann_energy_at(m, base, beta, x);
}

/* p (S) = the law at the path; returns log Z. */
static inline double boltzmann_law(const boltzmann *m, int base, double beta, double *p) {
    for (size_t s = 0; s < m->S; s++)
        p[s] = boltzmann_energy(m, base, beta, s);
    const double log_z = oracle_log_sum(p, m->S, 1);
    for (size_t s = 0; s < m->S; s++)
        p[s] = exp(-p[s] - log_z);
    return log_z;
}

/* Couplings, biases and base drawn (rbm_draw: zero, normal or extreme), rounded to ebm_real first. */
static inline void boltzmann_open(boltzmann *m, size_t V, bool spin, rbm_weights kind, double scale, uint64_t seed) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann");
    ck_assert_ptr_nonnull(type);
    memset(m, 0, sizeof *m);
    m->V = V;
    m->S = (size_t)1 << V;
    m->spin = spin;
    char units[24];
    snprintf(units, sizeof units, "%zu", V);
    const char *pairs[] = {"units", units, "states", spin ? "spin" : "binary", NULL};
    m->options = test_options(&type->info, pairs);
    CHECK_OK(ebm_work_create(1, &m->work, error));
    CHECK_OK(ebm_model_create(type, m->options, NULL, NULL, 1, &m->model, error));
    test_random r = {seed * 1000003u + V * 131u + spin};
    ebm_real *W = ebm_model_view(&m->model, "W"), *bias = ebm_model_view(&m->model, "bias");
    m->base = (ebm_base){.space = m->model.space, .count = V, .parameters = calloc(V, sizeof(ebm_real))};
    for (size_t i = 0; i < V; i++) {
        for (size_t j = i + 1; j < V; j++) {
            W[i * V + j] = W[j * V + i] = (ebm_real)rbm_draw(&r, kind, scale);
            m->w[i][j] = m->w[j][i] = (double)W[i * V + j];
        }
        W[i * V + i] = 0;
        bias[i] = (ebm_real)rbm_draw(&r, kind, scale);
        m->base.parameters[i] = (ebm_real)rbm_draw(&r, kind, 1.0);
        m->b[i] = (double)bias[i];
        m->a[i] = (double)m->base.parameters[i];
        m->base.log_normaliser += log(exp(m->a[i]) + (spin ? exp(-m->a[i]) : 1));
    }
    ebm_model_refresh(&m->model, m->work);
}

static inline void boltzmann_close(boltzmann *m) {
    test_options_free(&m->model.type->info, m->options);
    ebm_model_free(&m->model);
    ebm_work_free(m->work);
    free(m->base.parameters);
    memset(m, 0, sizeof *m);
}

static inline ebm_path boltzmann_path(const boltzmann *m, int base, double beta) {
    ebm_path path = {base ? &m->base : NULL, beta};
    return path;
}

static inline void boltzmann_write(const boltzmann *m, size_t code, ebm_real *x) {
    for (size_t i = 0; i < m->V; i++)
        x[i] = (ebm_real)boltzmann_value(m, code, i);
}

static inline size_t boltzmann_read(const boltzmann *m, const ebm_real *x) {
    size_t code = 0;
    for (size_t i = 0; i < m->V; i++) {
        if (x[i] != 1 && x[i] != (m->spin ? -1 : 0))
            ck_abort_msg("a unit is %g", (double)x[i]);
        code |= (size_t)(x[i] == 1) << i;
    }
    return code;
}

/* All states in the order of their codes, with their field. */
static inline ebm_batch boltzmann_all_states(const boltzmann *m) {
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&m->model, m->S, &batch, error));
    for (size_t s = 0; s < m->S; s++)
        boltzmann_write(m, s, batch.x + s * m->V);
    ebm_model_field(&m->model, &batch, m->work);
    return batch;
}

/* Bound on the rounding error of a field or an energy: with M the sum of all |w_ij|, |b_i|, |a_i| (each coupling twice)
 * a field is a sum of at most V + 1 terms of at most M in ebm_real, off by (V + 4) u M by the time it is scaled; an
 * energy sums its terms in double, and the coefficients that it sums are rounded twice. (V + 16) u M covers both. */
static inline double boltzmann_bound(const boltzmann *m) {
    double M = 0;
    for (size_t i = 0; i < m->V; i++) {
        for (size_t j = 0; j < m->V; j++)
            M += fabs(m->w[i][j]);
        M += fabs(m->b[i]) + fabs(m->a[i]);
    }
    return ((double)m->V + 16) * UNIT_ROUNDOFF * M;
}

#endif
