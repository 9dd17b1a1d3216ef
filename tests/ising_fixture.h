/* A library Ising model beside the same couplings as a dense matrix, whose every sum is a plain loop in double. */
#ifndef TESTS_ISING_FIXTURE_H
#define TESTS_ISING_FIXTURE_H

#include "rbm_fixture.h"

enum { ISING_UNITS = 16 };

typedef struct ising_fixture {
    const ebm_model_type *type;
    void *options;
    ebm_model model;
    ebm_work *work;
    ebm_base base;
    size_t V, S; /* S = 2^V */
    double J[ISING_UNITS][ISING_UNITS], h[ISING_UNITS], a[ISING_UNITS];
} ising_fixture;

/* What theta is: as the options say; normal couplings and fields, a base of normal fields in every case. */
typedef enum ising_theta { ISING_AS_OPTIONS, ISING_NORMAL } ising_theta;

static inline size_t ising_edges(const ising_fixture *f) {
    return f->type->graph(&f->model)->edges;
}

/* The dense matrix from theta: edge e of the graph joins its two ends. */
static inline void ising_read_theta(ising_fixture *f) {
    const ebm_graph *g = f->type->graph(&f->model);
    const ebm_real *J = ebm_model_view(&f->model, "coupling"), *h = ebm_model_view(&f->model, "field");
    ck_assert(J && h);
    memset(f->J, 0, sizeof f->J);
    for (size_t e = 0; e < g->edges && f->V <= ISING_UNITS; e++)
        f->J[g->ends[2 * e]][g->ends[2 * e + 1]] = f->J[g->ends[2 * e + 1]][g->ends[2 * e]] = (double)J[e];
    for (size_t i = 0; i < f->V && f->V <= ISING_UNITS; i++)
        f->h[i] = (double)h[i];
}

static inline void ising_open(ising_fixture *f, const char *const *pairs, ising_theta theta, uint64_t seed) {
    memset(f, 0, sizeof *f);
    f->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "ising");
    ck_assert_ptr_nonnull(f->type);
    f->options = test_options(&f->type->info, pairs);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(f->type, f->options, NULL, NULL, (uint32_t)seed, &f->model, error));
    const size_t V = f->V = f->model.space.size;
    f->S = V <= ISING_UNITS ? (size_t)1 << V : 0;
    ck_assert_uint_eq(f->model.n_theta, ising_edges(f) + V);
    ck_assert(f->model.n_field == V && f->model.n_hidden == 0 && f->model.space.domain == EBM_SPIN);
    test_random r = {seed * 7919 + V};
    for (size_t t = 0; theta == ISING_NORMAL && t < f->model.n_theta; t++)
        f->model.theta[t] = (ebm_real)test_random_normal(&r);
    ebm_model_refresh(&f->model, f->work);
    ising_read_theta(f);
    f->base.space = f->model.space;
    f->base.count = V;
    f->base.parameters = calloc(V, sizeof *f->base.parameters);
    ck_assert_ptr_nonnull(f->base.parameters);
    for (size_t i = 0; i < V && V <= ISING_UNITS; i++) {
        f->base.parameters[i] = (ebm_real)test_random_normal(&r);
        f->a[i] = (double)f->base.parameters[i];
        f->base.log_normaliser += log(2 * cosh(f->a[i]));
    }
}

static inline void ising_close(ising_fixture *f) {
    ebm_model_free(&f->model);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
    free(f->base.parameters);
}

static inline ebm_path ising_path(const ising_fixture *f, int base, double beta) {
    ebm_path path = {base ? &f->base : NULL, beta};
    return path;
}

static inline double ising_spin(size_t code, size_t i) {
    return (code >> i & 1) ? 1.0 : -1.0;
}

static inline void ising_write(const ising_fixture *f, size_t code, ebm_real *x) {
    for (size_t i = 0; i < f->V; i++)
        x[i] = (ebm_real)ising_spin(code, i);
}
static inline size_t ising_read(const ising_fixture *f, const ebm_real *x) {
    size_t code = 0;
    for (size_t i = 0; i < f->V; i++) {
        if (x[i] != 1 && x[i] != -1)
            ck_abort_msg("a spin is %g", (double)x[i]);
        code |= (size_t)(x[i] > 0) << i;
    }
    return code;
}

/* E of real x (V), and E_beta with or without the base. */
static inline double ising_plain_energy(const ising_fixture *f, const double *x) {
    double E = 0;
    for (size_t i = 0; i < f->V; i++) {
        E -= f->h[i] * x[i];
        for (size_t j = i + 1; j < f->V; j++)
            E -= f->J[i][j] * x[i] * x[j];
    }
    return E;
}
static inline double ising_path_energy(const ising_fixture *f, int base, double beta, const double *x) {
    double E_base = 0;
    for (size_t i = 0; base && i < f->V; i++)
        E_base -= f->a[i] * x[i];
    return beta * ising_plain_energy(f, x) + (1 - beta) * E_base;
}
static inline double ising_code_energy(const ising_fixture *f, int base, double beta, size_t code) {
    double x[ISING_UNITS];
    for (size_t i = 0; i < f->V; i++)
        x[i] = ising_spin(code, i);
    return ising_path_energy(f, base, beta, x);
}

/* p (S), to be freed, and log Z. */
static inline double *ising_probabilities(const ising_fixture *f, int base, double beta, double *log_z) {
    double *E = oracle_memory(f->S);
    for (size_t s = 0; s < f->S; s++)
        E[s] = ising_code_energy(f, base, beta, s);
    const double total = oracle_log_sum(E, f->S, 1);
    for (size_t s = 0; s < f->S; s++)
        E[s] = exp(-E[s] - total);
    if (log_z)
        *log_z = total;
    return E;
}

/* Bound on the rounding error of E, of a field and of a log-sum of energies at |beta| <= 2, with unit roundoff u and
 * M = sum |J| + sum |h| + sum |a|: a field of d neighbours is off by at most (d + 2) u of its absolute sum; E sums V of
 * these with weight 1/2 and the fields again, in double; scaling by beta <= 2 and one final rounding. Each coupling is in
 * two fields: (V + 8) u 4 M covers all. */
static inline double ising_bound(const ising_fixture *f) {
    double M = 1;
    for (size_t i = 0; i < f->V; i++) {
        M += fabs(f->h[i]) + fabs(f->a[i]);
        for (size_t j = i + 1; j < f->V; j++)
            M += fabs(f->J[i][j]);
    }
    return 4 * ((double)f->V + 8) * UNIT_ROUNDOFF * M;
}

/* All S states in the order of their codes, with their field. */
static inline ebm_batch ising_all_states(ising_fixture *f) {
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f->model, f->S, &batch, error));
    for (size_t s = 0; s < f->S; s++)
        ising_write(f, s, batch.x + s * f->V);
    batch.field_ok = false;
    ebm_model_field(&f->model, &batch, f->work);
    return batch;
}

#endif
