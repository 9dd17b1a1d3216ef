/* Potts machines of both types beside the same machine written out plainly: energies of all states from the definition,
 * in double. */
#ifndef TESTS_POTTS_FIXTURE_H
#define TESTS_POTTS_FIXTURE_H

#include "rbm_fixture.h"

#include "ebm/enumerate.h"

enum { POTTS_UNITS = 9, POTTS_VALUES = 30, POTTS_EDGES = 18 }; /* the most units, units x categories, edges */

typedef enum potts_kind { POTTS_TORUS, POTTS_GRID, POTTS_COMPLETE, POTTS_DENSE } potts_kind;

/* A machine's shape: rows x columns units of q categories. */
typedef struct potts_shape {
    potts_kind kind;
    size_t rows, columns, q;
} potts_shape;

typedef struct potts_fixture {
    potts_shape shape;
    size_t V, q, F, S; /* F = V q, S = q^V */
    const ebm_model_type *type;
    void *options;
    ebm_model model;
    ebm_work *work;
    ebm_base base;
    /* The plain machine: J_ij(c, d) for every ordered pair, h and the base's logits a. */
    double J[POTTS_VALUES][POTTS_VALUES], h[POTTS_VALUES], a[POTTS_VALUES];
    size_t edges, ends[POTTS_EDGES][2]; /* of a lattice, in the order in which its couplings stand */
    double *energy, *base_energy;       /* (S) */
    double bound;                       /* of rounding: potts_set_bound */
} potts_fixture;

static inline size_t potts_digit(const potts_fixture *f, size_t code, size_t i) {
    for (; i > 0; i--)
        code /= f->q;
    return code % f->q;
}
static inline size_t potts_with(const potts_fixture *f, size_t code, size_t i, size_t value) {
    size_t power = 1;
    for (size_t k = 0; k < i; k++)
        power *= f->q;
    return code + (value - potts_digit(f, code, i)) * power;
}
static inline size_t potts_read(const potts_fixture *f, const ebm_real *x) {
    size_t code = 0;
    for (size_t i = f->V; i-- > 0;) {
        const size_t value = (size_t)x[i];
        if ((ebm_real)value != x[i] || value >= f->q)
            ck_abort_msg("a unit of %zu categories is %g", f->q, (double)x[i]);
        code = code * f->q + value;
    }
    return code;
}
static inline void potts_write(const potts_fixture *f, size_t code, ebm_real *x) {
    for (size_t i = 0; i < f->V; i++)
        x[i] = (ebm_real)potts_digit(f, code, i);
}

/* E of one-hot coordinates z (F), any real numbers: linear in each unit, and E(x) at the one-hot z of x. */
static inline double potts_extension(const potts_fixture *f, const double *z) {
    double energy = 0;
    for (size_t k = 0; k < f->F; k++) {
        energy -= f->h[k] * z[k];
        for (size_t m = 0; m < k; m++)
            if (m / f->q != k / f->q)
                energy -= f->J[k][m] * z[k] * z[m];
    }
    return energy;
}
static inline void potts_one_hot(const potts_fixture *f, size_t code, double *z) {
    memset(z, 0, f->F * sizeof *z);
    for (size_t i = 0; i < f->V; i++)
        z[i * f->q + potts_digit(f, code, i)] = 1;
}

/* E_beta of a state along the path from the uniform base (0) or the fixture's (1). */
static inline double potts_path_energy(const potts_fixture *f, int base, double beta, size_t code) {
    return beta * f->energy[code] + (base ? (1 - beta) * f->base_energy[code] : 0);
}
/* p (S), normalised; returns log Z */
static inline double potts_law(const potts_fixture *f, int base, double beta, double *p) {
    double lowest = INFINITY, sum = 0;
    for (size_t s = 0; s < f->S; s++)
        lowest = fmin(lowest, potts_path_energy(f, base, beta, s));
    for (size_t s = 0; s < f->S; s++)
        sum += p[s] = exp(lowest - potts_path_energy(f, base, beta, s));
    for (size_t s = 0; s < f->S; s++)
        p[s] /= sum;
    return log(sum) - lowest;
}
static inline ebm_path potts_path(const potts_fixture *f, int base, double beta) {
    return (ebm_path){base ? &f->base : NULL, beta};
}

static inline void potts_edge(potts_fixture *f, size_t i, size_t j) {
    ck_assert_uint_lt(f->edges, POTTS_EDGES);
    f->ends[f->edges][0] = i;
    f->ends[f->edges++][1] = j;
}
/* The lattices as graph.h describes them. */
static inline void potts_edges(potts_fixture *f) {
    const size_t R = f->shape.rows, C = f->shape.columns;
    if (f->shape.kind == POTTS_COMPLETE)
        for (size_t i = 0; i < f->V; i++)
            for (size_t j = i + 1; j < f->V; j++)
                potts_edge(f, i, j);
    const size_t wrap = f->shape.kind == POTTS_TORUS;
    for (int down = 0; f->shape.kind <= POTTS_GRID && down < 2; down++)
        for (size_t r = 0; r < R; r++)
            for (size_t c = 0; c < C; c++)
                if (wrap || (down ? r + 1 < R : c + 1 < C))
                    potts_edge(f, r * C + c, down ? (r + 1) % R * C + c : r * C + (c + 1) % C);
}

/* Random numbers of the given scale, rounded to ebm_real, into the plain machine and the library's views. */
static inline void potts_set_theta(potts_fixture *f, double scale, uint64_t seed) {
    test_random r = {seed * 7919 + f->F};
    ebm_real *coupling = ebm_model_view(&f->model, "coupling"), *field = ebm_model_view(&f->model, "field");
    ck_assert(coupling && field);
    for (size_t e = 0; e < f->edges; e++) {
        coupling[e] = (ebm_real)(scale * test_random_normal(&r));
        for (size_t c = 0; c < f->q; c++) {
            const size_t k = f->ends[e][0] * f->q + c, m = f->ends[e][1] * f->q + c;
            f->J[k][m] = f->J[m][k] = (double)coupling[e];
        }
    }
    if (f->shape.kind == POTTS_DENSE)
        for (size_t k = 0; k < f->F; k++)
            for (size_t m = 0; m < k; m++) {
                const ebm_real J = k / f->q == m / f->q ? 0 : (ebm_real)(scale * test_random_normal(&r));
                coupling[k * f->F + m] = coupling[m * f->F + k] = J;
                f->J[k][m] = f->J[m][k] = (double)J;
            }
    for (size_t k = 0; k < f->F; k++) {
        field[k] = (ebm_real)(scale * test_random_normal(&r));
        f->h[k] = (double)field[k];
    }
    ebm_model_refresh(&f->model, f->work);
}

static inline void potts_set_base(potts_fixture *f, uint64_t seed) {
    test_random r = {seed * 104729 + f->F};
    f->base = (ebm_base){f->model.space, f->F, calloc(f->F, sizeof(ebm_real)), 0};
    for (size_t k = 0; k < f->F; k++) {
        f->base.parameters[k] = (ebm_real)test_random_normal(&r);
        f->a[k] = (double)f->base.parameters[k];
    }
    for (size_t i = 0; i < f->V; i++) {
        double sum = 0;
        for (size_t c = 0; c < f->q; c++)
            sum += exp(f->a[i * f->q + c]);
        f->base.log_normaliser += log(sum);
    }
}

/* Bound on the rounding of an energy, a field or a log conditional. A field is a sum of at most V + 1 stored numbers in
 * ebm_real: off by (V + 1) u of the sum of their magnitudes, and by 2 u more for each change of a unit (2 V allowed). An
 * energy is half a sum of V fields and V stored numbers, taken in double. With M the sum over units of the largest
 * magnitudes that enter, (3 V + 4) u M bounds them all, beta at most 1 and a base included. */
static inline void potts_set_bound(potts_fixture *f) {
    double M = 0;
    for (size_t k = 0; k < f->F; k++) {
        M += fabs(f->h[k]) + fabs(f->a[k]);
        for (size_t m = 0; m < f->F; m++)
            M += fabs(f->J[k][m]);
    }
    f->bound = (3 * (double)f->V + 4) * UNIT_ROUNDOFF * M;
}

static inline void potts_open(potts_fixture *f, potts_shape shape, double scale, uint64_t seed) {
    static const char *const lattices[] = {"torus", "grid", "complete"};
    const bool dense = shape.kind == POTTS_DENSE;
    char rows[24], columns[24], q[24], units[24];
    memset(f, 0, sizeof *f);
    f->shape = shape;
    f->V = shape.rows * shape.columns;
    f->q = shape.q;
    f->F = f->V * f->q;
    ck_assert(f->V <= POTTS_UNITS && f->F <= POTTS_VALUES);
    snprintf(rows, sizeof rows, "%zu", shape.rows);
    snprintf(columns, sizeof columns, "%zu", shape.columns);
    snprintf(q, sizeof q, "%zu", shape.q);
    snprintf(units, sizeof units, "%zu", f->V);
    const char *lattice[] = {
        "lattice", dense ? "" : lattices[shape.kind], "rows", rows, "columns", columns, "categories", q, NULL};
    const char *machine[] = {"units", units, "categories", q, NULL};
    f->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, dense ? "potts-dense" : "potts");
    ck_assert_ptr_nonnull(f->type);
    f->options = test_options(&f->type->info, dense ? machine : lattice);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(f->type, f->options, NULL, NULL, 1, &f->model, error));
    ck_assert_uint_eq(f->model.space.size, f->V);
    ck_assert_uint_eq(f->model.space.categories, f->q);
    ck_assert_uint_eq(f->model.n_field, f->F);
    potts_edges(f);
    potts_set_theta(f, scale, seed);
    potts_set_base(f, seed);
    potts_set_bound(f);
    f->S = 1;
    for (size_t i = 0; i < f->V; i++)
        f->S *= f->q;
    f->energy = oracle_memory(f->S);
    f->base_energy = oracle_memory(f->S);
    for (size_t s = 0; s < f->S; s++) {
        double z[POTTS_VALUES];
        potts_one_hot(f, s, z);
        f->energy[s] = potts_extension(f, z);
        for (size_t k = 0; k < f->F; k++)
            f->base_energy[s] -= f->a[k] * z[k];
    }
}

static inline void potts_close(potts_fixture *f) {
    ebm_model_free(&f->model);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
    free(f->base.parameters);
    free(f->energy);
    free(f->base_energy);
    memset(f, 0, sizeof *f);
}

/* All states in the order of their codes, with their field. */
static inline ebm_batch potts_states(potts_fixture *f) {
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f->model, f->S, &batch, error));
    for (size_t s = 0; s < f->S; s++)
        potts_write(f, s, batch.x + s * f->V);
    batch.field_ok = false;
    ebm_model_field(&f->model, &batch, f->work);
    return batch;
}

#endif
