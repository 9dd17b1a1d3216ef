/* A library RBM beside the same machine for the oracle, and the rounding bound that they are compared with. */
#ifndef TESTS_RBM_FIXTURE_H
#define TESTS_RBM_FIXTURE_H

#include "oracle.h"

#include "ebm/model.h"
#include "ebm/registry.h"
#include "ebm/special.h"
#include "ebm/work.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>

/* Unit roundoff of ebm_real. */
#ifdef EBM_DOUBLE
#define UNIT_ROUNDOFF 0x1p-53
#else
#define UNIT_ROUNDOFF 0x1p-24
#endif

/* (A successful ck_assert tells the test runner where it is: too slow for inner loops.) */
#define CHECK_OK(call)                                                                                                 \
    do {                                                                                                               \
        ebm_error check_error_ = {0};                                                                                  \
        ebm_error *error = &check_error_;                                                                              \
        ebm_status check_status_ = (call);                                                                             \
        if (check_status_ != EBM_OK)                                                                                   \
            ck_abort_msg("%s: %s: %s", #call, ebm_status_name(check_status_), error->message);                         \
    } while (0)

/* SplitMix64 (Steele, Lea, Flood 2014): the tests' own source of numbers. */
typedef struct test_random {
    uint64_t state;
} test_random;

static inline uint64_t test_random_word(test_random *r) {
    uint64_t z = r->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
static inline double test_random_uniform(test_random *r) {
    return ((double)(test_random_word(r) >> 11) + 0.5) * 0x1p-53;
}
static inline double test_random_normal(test_random *r) {
    double radius = sqrt(-2 * log(test_random_uniform(r)));
    return radius * cos(6.283185307179586 * test_random_uniform(r));
}

/* A component's default options in fresh memory, then "name", "value" pairs up to NULL. */
static inline void *test_options(const ebm_component *component, const char *const *pairs) {
    void *options = calloc(1, component->options_size ? component->options_size : 1);
    ck_assert_ptr_nonnull(options);
    CHECK_OK(ebm_options_default(component->options, options, component->options_size, error));
    for (; pairs && pairs[0]; pairs += 2)
        CHECK_OK(ebm_options_set(component->options, options, pairs[0], pairs[1], NULL, error));
    return options;
}
static inline void test_options_free(const ebm_component *component, void *options) {
    if (options)
        ebm_options_clear(component->options, options);
    free(options);
}

typedef enum rbm_weights { RBM_ZERO, RBM_NORMAL, RBM_EXTREME } rbm_weights;

typedef struct rbm_fixture {
    const ebm_model_type *type;
    void *options;
    ebm_model model;
    ebm_work *work;
    oracle_rbm machine;
    ebm_base base;
} rbm_fixture;

static inline double rbm_draw(test_random *r, rbm_weights kind, double scale) {
    if (kind == RBM_ZERO)
        return 0;
    if (kind == RBM_NORMAL)
        return scale * test_random_normal(r);
    return 30.0 * ((double)(test_random_word(r) % 3) - 1.0); /* -30, 0 or 30 */
}

/* Theta in the oracle's layout to and from the library's, through the named views. */
static inline void rbm_to_flat(const rbm_fixture *f, const ebm_real *theta, double *flat) {
    size_t V = f->machine.V, H = f->machine.H;
    const ebm_real *origin = f->model.theta;
    const ebm_real *W = theta + (ebm_model_view(&f->model, "W") - origin);
    const ebm_real *b = theta + (ebm_model_view(&f->model, "visible_bias") - origin);
    const ebm_real *c = theta + (ebm_model_view(&f->model, "hidden_bias") - origin);
    for (size_t k = 0; k < V * H; k++)
        flat[k] = W[k];
    for (size_t i = 0; i < V; i++)
        flat[V * H + i] = b[i];
    for (size_t j = 0; j < H; j++)
        flat[V * H + V + j] = c[j];
}
static inline void rbm_set_theta(rbm_fixture *f) {
    size_t V = f->machine.V, H = f->machine.H;
    const double *flat = f->machine.theta;
    ebm_real *W = ebm_model_view(&f->model, "W");
    ebm_real *b = ebm_model_view(&f->model, "visible_bias");
    ebm_real *c = ebm_model_view(&f->model, "hidden_bias");
    ck_assert(W && b && c);
    for (size_t k = 0; k < V * H; k++)
        W[k] = (ebm_real)flat[k];
    for (size_t i = 0; i < V; i++)
        b[i] = (ebm_real)flat[V * H + i];
    for (size_t j = 0; j < H; j++)
        c[j] = (ebm_real)flat[V * H + V + j];
    ebm_model_refresh(&f->model, f->work);
}

/* W, b, c and the base's logits are drawn and rounded to ebm_real first, so that both machines hold the same numbers.
 */
static inline void rbm_open(rbm_fixture *f, size_t V, size_t H, rbm_weights kind, double scale, uint64_t seed) {
    memset(f, 0, sizeof *f);
    f->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "rbm");
    ck_assert_ptr_nonnull(f->type);
    char hidden[24];
    snprintf(hidden, sizeof hidden, "%zu", H);
    const char *pairs[] = {"hidden", hidden, NULL};
    f->options = test_options(&f->type->info, pairs);
    ebm_space space = ebm_space_line(EBM_BINARY, V);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(f->type, f->options, &space, NULL, 1, &f->model, error));
    ck_assert_uint_eq(f->model.n_theta, V * H + V + H);
    ck_assert_uint_eq(f->model.n_hidden, H);

    test_random r = {seed * 1000003u + V * 131u + H};
    f->machine.V = V;
    f->machine.H = H;
    for (size_t k = 0; k < oracle_n_theta(&f->machine); k++)
        f->machine.theta[k] = (ebm_real)rbm_draw(&r, kind, scale);
    f->base.space = space;
    f->base.count = V;
    f->base.parameters = calloc(V, sizeof *f->base.parameters);
    ck_assert_ptr_nonnull(f->base.parameters);
    for (size_t i = 0; i < V; i++) {
        f->base.parameters[i] = (ebm_real)rbm_draw(&r, kind, 1.0);
        f->machine.a[i] = f->base.parameters[i];
        f->base.log_normaliser += log1p(exp(f->machine.a[i]));
    }
    rbm_set_theta(f);
}

static inline void rbm_close(rbm_fixture *f) {
    ebm_model_free(&f->model);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
    free(f->base.parameters);
    memset(f, 0, sizeof *f);
}

static inline ebm_path rbm_path(const rbm_fixture *f, int base, double beta) {
    ebm_path path = {base ? &f->base : NULL, beta};
    return path;
}

static inline void rbm_write_state(size_t code, size_t units, ebm_real *x) {
    for (size_t i = 0; i < units; i++)
        x[i] = (ebm_real)oracle_bit(code, i);
}
static inline size_t rbm_read_state(size_t units, const ebm_real *x) {
    size_t code = 0;
    for (size_t i = 0; i < units; i++) {
        if (x[i] != 0 && x[i] != 1)
            ck_abort_msg("a binary unit is %g", (double)x[i]);
        code |= (size_t)(x[i] == 1) << i;
    }
    return code;
}

/* All 2^V visible states in the order of their codes, with their field. */
static inline ebm_batch rbm_all_states(rbm_fixture *f) {
    ebm_batch batch;
    size_t V = f->machine.V, S = (size_t)1 << V;
    CHECK_OK(ebm_batch_create(&f->model, S, &batch, error));
    for (size_t v = 0; v < S; v++)
        rbm_write_state(v, V, batch.x + v * V);
    batch.field_ok = batch.hidden_ok = false;
    ebm_model_field(&f->model, &batch, f->work);
    ck_assert(batch.field_ok);
    return batch;
}

/* Bound on the rounding error of an energy or a log-sum of energies.
 *
 * Let M = sum |W| + sum |b| + sum |c| + sum |a| + (H + 1) log 2. A field is a sum of V + 1 stored numbers in ebm_real,
 * off by at most (V + 1) u (|c_j| + sum_i |W_ij|) with unit roundoff u; log(1 + e^z) is 1-Lipschitz and costs a few u
 * of its value and of its argument beta x_j (8 u allowed); a sum of V + H + 1 such terms adds at most (V + H + 1) u of
 * its absolute sum if it is taken in ebm_real; one final rounding. In all below (V + H + 1 + V + 1 + 9) u M, and as
 * no term passes through both sums with all of M, (2 V + H + 16) u M. A logarithm of a sum of exponentials inherits the
 * largest error of its terms. */
static inline double rbm_energy_bound(const oracle_rbm *m) {
    double M = (double)(m->H + 1) * 0.6931471805599453;
    for (size_t k = 0; k < oracle_n_theta(m); k++)
        M += fabs(m->theta[k]);
    for (size_t i = 0; i < m->V; i++)
        M += fabs(m->a[i]);
    return ((double)(2 * m->V + m->H) + 16) * UNIT_ROUNDOFF * M;
}

/* How far `got` is from `want` in units of what is allowed: 1e-10 relative (absolute below 1) in the double build, the
 * derived bound plus the rounding of the result in float. Not a number counts as infinitely far. */
static inline double rbm_distance(double got, double want, double bound) {
    if (got == want)
        return 0;
#ifdef EBM_DOUBLE
    (void)bound;
    double allowed = 1e-10 * fmax(1.0, fabs(want));
#else
    double allowed = bound + UNIT_ROUNDOFF * fabs(want);
#endif
    double distance = fabs(got - want) / allowed;
    return isnan(distance) ? INFINITY : distance;
}

#endif
