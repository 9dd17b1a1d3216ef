/* Learners of associative memories against their formulas, in plain triple loops in double.
 *
 * u is the rounding unit of ebm_real. Bounds are of sums of n numbers of size 1: n u times their largest value, with a
 * small factor said beside each. */
#include "rbm_fixture.h"

#include "ebm/learner.h"

#include <stdlib.h>
#include <string.h>

typedef struct memory {
    size_t V, K;
    ebm_model model;
    const ebm_model_type *type;
    void *options;
    ebm_work *work;
    ebm_real *x; /* (K, V) */
} memory;

static void memory_open_on(memory *m, const char *model, ebm_domain domain, size_t V, size_t K, int threads,
                           uint64_t seed) {
    static const char *const pairs[] = {"init", "zero", "bias_scale", "0.5", NULL};
    memset(m, 0, sizeof *m);
    m->V = V;
    m->K = K;
    m->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, model);
    ck_assert_ptr_nonnull(m->type);
    m->options = test_options(&m->type->info, strcmp(model, "boltzmann") == 0 ? pairs : NULL);
    const ebm_space space =
        V == 16 ? ebm_space_picture(domain, 4, 4) : ebm_space_line(domain, V); /* tori are pictures */
    CHECK_OK(ebm_work_create(threads, &m->work, error));
    CHECK_OK(ebm_model_create(m->type, m->options, &space, NULL, 1, &m->model, error));
    m->x = malloc(K * V * sizeof *m->x);
    ck_assert_ptr_nonnull(m->x);
    test_random r = {seed};
    for (size_t k = 0; k < K * V; k++)
        m->x[k] = test_random_word(&r) >> 63 ? 1 : -1;
}

static void memory_open(memory *m, size_t V, size_t K, uint64_t seed) {
    memory_open_on(m, "boltzmann", EBM_SPIN, V, K, 2, seed);
}

static void memory_close(memory *m) {
    ebm_model_free(&m->model);
    test_options_free(&m->type->info, m->options);
    ebm_work_free(m->work);
    free(m->x);
}

static ebm_status update(memory *m, const char *name, const char *const *pairs, size_t times, ebm_error *error) {
    const ebm_learner_type *type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, name);
    ck_assert_ptr_nonnull(type);
    void *options = test_options(&type->info, pairs);
    ebm_learner learner;
    ebm_status status = ebm_learner_create(type, options, &m->model, NULL, NULL, 1, m->K, times, &learner, error);
    for (size_t t = 0; t < times && status == EBM_OK; t++)
        status = ebm_learner_update(&learner, m->x, m->K, m->work, error);
    ebm_learner_free(&learner);
    test_options_free(&type->info, options);
    return status;
}

/* Symmetric to the bit, no diagonal, no bias. */
static void check_form(const memory *m) {
    const size_t V = m->V;
    const ebm_real *W = ebm_model_view(&m->model, "W"), *bias = ebm_model_view(&m->model, "bias");
    bool well = true;
    for (size_t i = 0; i < V; i++) {
        well = well && W[i * V + i] == 0 && bias[i] == 0;
        for (size_t j = 0; j < i; j++)
            well = well && W[i * V + j] == W[j * V + i];
    }
    ck_assert(well);
}

/* The largest |W - want|. */
static double distance(const memory *m, const double *want) {
    const ebm_real *W = ebm_model_view(&m->model, "W");
    double worst = 0;
    for (size_t k = 0; k < m->V * m->V; k++)
        worst = fmax(worst, fabs((double)W[k] - want[k]));
    return worst;
}

static double *plain_hebb(const memory *m) {
    double *W = calloc(m->V * m->V, sizeof *W);
    ck_assert_ptr_nonnull(W);
    for (size_t i = 0; i < m->V; i++)
        for (size_t j = 0; j < m->V; j++)
            for (size_t p = 0; p < m->K && i != j; p++)
                W[i * m->V + j] += (double)(m->x[p * m->V + i] * m->x[p * m->V + j]) / (double)m->V;
    return W;
}

static const size_t shapes[][2] = {{1, 1}, {2, 1}, {7, 3}, {64, 64}, {100, 65}, {257, 30}, {300, 130}, {530, 2}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* Sums of K units are whole numbers and exact; one rounding by 1/V. */
START_TEST(test_hebbian_is_the_sum_of_outer_products) {
    memory m;
    memory_open(&m, shapes[_i][0], shapes[_i][1], 11 + (uint64_t)_i);
    double *want = plain_hebb(&m);
    CHECK_OK(update(&m, "hebbian", NULL, 2, error));
    check_form(&m);
    ck_assert_double_le(distance(&m, want), 4 * UNIT_ROUNDOFF * (double)m.K / (double)m.V);
    free(want);
    memory_close(&m);
}
END_TEST

/* W_ij += (y_i y_j - y_i h_ji - h_ij y_j) / V with h_ij as a sum over k other than i and j. */
static double *plain_storkey(const memory *m) {
    const size_t V = m->V;
    double *W = calloc(V * V, sizeof *W), *next = calloc(V * V, sizeof *next);
    ck_assert(W && next);
    for (size_t p = 0; p < m->K; p++) {
        const ebm_real *y = m->x + p * V;
        for (size_t i = 0; i < V; i++)
            for (size_t j = 0; j < V; j++) {
                double h_ij = 0, h_ji = 0;
                for (size_t k = 0; k < V; k++)
                    if (k != i && k != j) {
                        h_ij += W[i * V + k] * (double)y[k];
                        h_ji += W[j * V + k] * (double)y[k];
                    }
                next[i * V + j] =
                    i == j ? 0
                           : W[i * V + j] +
                                 ((double)(y[i] * y[j]) - (double)y[i] * h_ji - h_ij * (double)y[j]) / (double)V;
            }
        memcpy(W, next, V * V * sizeof *W);
    }
    free(next);
    return W;
}

/* Couplings and fields stay below about 1 at these loads; K rank-two changes of size 1/V each from fields that are sums
 * of V products: (V + K) u with a factor of 8 for what is carried along. */
START_TEST(test_storkey_is_the_plain_triple_loop) {
    static const size_t small[][2] = {{2, 1}, {5, 3}, {40, 20}, {70, 65}, {90, 40}, {65, 130}};
    memory m;
    memory_open(&m, small[_i][0], small[_i][1], 21 + (uint64_t)_i);
    double *want = plain_storkey(&m);
    CHECK_OK(update(&m, "storkey", NULL, 2, error));
    check_form(&m);
    ck_assert_double_le(distance(&m, want), 8 * UNIT_ROUNDOFF * (double)(m.V + m.K));
    free(want);
    memory_close(&m);
}
END_TEST

/* Fields of pattern p, in double. */
static double field(const memory *m, size_t p, size_t i) {
    const ebm_real *W = ebm_model_view(&m->model, "W");
    double h = 0;
    for (size_t j = 0; j < m->V; j++)
        h += (double)W[i * m->V + j] * (double)m->x[p * m->V + j];
    return h;
}

/* P y = y, with P = W + its diagonal: y_i h_i = 1 - P_ii, the same for every pattern. P is Y^T Y with rows orthonormal to
 * a few u: a field is a sum of V products of sums of K, each below 1. Returns sum_i P_ii, the rank. */
static double check_projection(const memory *m) {
    const double bound = 8 * UNIT_ROUNDOFF * (double)(m->V + m->K);
    double trace = 0, worst = 0, least = 1;
    for (size_t i = 0; i < m->V; i++) {
        const double first = (double)m->x[i] * field(m, 0, i);
        trace += 1 - first;
        least = fmin(least, first);
        for (size_t p = 1; p < m->K; p++)
            worst = fmax(worst, fabs((double)m->x[p * m->V + i] * field(m, p, i) - first));
    }
    ck_assert_double_le(worst, bound);
    ck_assert_double_gt(least, 0);
    return trace;
}

START_TEST(test_pseudo_inverse_projects_onto_the_patterns) {
    static const size_t loads[][2] = {{10, 1}, {60, 30}, {100, 90}, {300, 270}, {513, 129}};
    memory m;
    memory_open(&m, loads[_i][0], loads[_i][1], 31 + (uint64_t)_i);
    CHECK_OK(update(&m, "pseudo-inverse", NULL, 2, error));
    check_form(&m);
    const double bound = 8 * UNIT_ROUNDOFF * (double)(m.V + m.K) * (double)m.V; /* V of those sums */
    ck_assert_double_eq_tol(check_projection(&m), (double)m.K, bound);
    memory_close(&m);
}
END_TEST

/* A pattern twice, one mirrored, two that differ in one unit: the span counts, not the list. */
START_TEST(test_pseudo_inverse_takes_dependent_patterns) {
    memory m;
    memory_open(&m, 200, 40, 41);
    const size_t V = m.V, bytes = V * sizeof *m.x;
    memcpy(m.x + 5 * V, m.x + 17 * V, bytes);
    for (size_t i = 0; i < V; i++)
        m.x[30 * V + i] = -m.x[2 * V + i];
    memcpy(m.x + 39 * V, m.x, bytes);
    m.x[39 * V + 7] = -m.x[39 * V + 7];
    CHECK_OK(update(&m, "pseudo-inverse", NULL, 1, error));
    check_form(&m);
    /* The pair apart by one unit makes the condition number 200 or so; the unit itself has P_ii = 1 there. */
    const double trace = 8 * UNIT_ROUNDOFF * 240 * 200;
    double sum = 0, worst = 0;
    for (size_t i = 0; i < V; i++) {
        sum += 1 - (double)m.x[i] * field(&m, 0, i);
        for (size_t p = 0; p < m.K; p++)
            worst = fmax(worst, fabs((double)m.x[p * V + i] * field(&m, p, i) - (double)m.x[i] * field(&m, 0, i)));
    }
    ck_assert_double_eq_tol(sum, 38, trace);
    ck_assert_double_le(worst, 8 * UNIT_ROUNDOFF * 240);
    memory_close(&m);
}
END_TEST

START_TEST(test_pseudo_inverse_refuses_patterns_that_span_the_space) {
    memory m;
    ebm_error error = {0};
    memory_open(&m, 20, 60, 43);
    ck_assert_int_eq(update(&m, "pseudo-inverse", NULL, 1, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "span all 20 dimensions"));
    memory_close(&m);
}
END_TEST

static const char *const one_shot[] = {"hebbian", "storkey", "pseudo-inverse"};

START_TEST(test_one_shot_learners_refuse_other_models) {
    static const struct {
        const char *model;
        ebm_domain domain;
        const char *says;
    } others[] = {{"boltzmann", EBM_BINARY, "states: spin"}, {"ising", EBM_SPIN, "has none such"}};
    const ebm_learner_type *type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, one_shot[_i]);
    for (size_t k = 0; k < 2; k++) {
        memory m;
        ebm_error error = {0};
        memory_open_on(&m, others[k].model, others[k].domain, 16, 2, 1, 1);
        ck_assert_int_eq(update(&m, one_shot[_i], NULL, 1, &error), EBM_UNSUPPORTED);
        ck_assert_msg(strstr(error.message, others[k].says) != NULL, "%s", error.message);
        memory_close(&m);
    }
    ebm_error error = {0};
    const ebm_model_type *rbm = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "rbm");
    ck_assert_int_eq(ebm_pairing_check(rbm, NULL, type, NULL, 0, true, &error), EBM_UNSUPPORTED);
}
END_TEST

START_TEST(test_one_shot_learners_give_the_same_bytes_for_any_threads) {
    memory one, two;
    memory_open_on(&one, "boltzmann", EBM_SPIN, 700, 100, 1, 51);
    memory_open_on(&two, "boltzmann", EBM_SPIN, 700, 100, 2, 51);
    CHECK_OK(update(&one, one_shot[_i], NULL, 1, error));
    CHECK_OK(update(&two, one_shot[_i], NULL, 1, error));
    ck_assert_int_eq(memcmp(one.model.theta, two.model.theta, one.model.n_theta * sizeof(ebm_real)), 0);
    memory_close(&one);
    memory_close(&two);
}
END_TEST

static Suite *hopfield_learners_suite(void) {
    Suite *suite = suite_create("hopfield learners");
    TCase *formulas = tcase_create("formulas");
    tcase_add_loop_test(formulas, test_hebbian_is_the_sum_of_outer_products, 0, SHAPES);
    tcase_add_loop_test(formulas, test_storkey_is_the_plain_triple_loop, 0, 6);
    tcase_add_loop_test(formulas, test_pseudo_inverse_projects_onto_the_patterns, 0, 5);
    tcase_add_test(formulas, test_pseudo_inverse_takes_dependent_patterns);
    tcase_add_test(formulas, test_pseudo_inverse_refuses_patterns_that_span_the_space);
    suite_add_tcase(suite, formulas);
    TCase *contract = tcase_create("contract");
    tcase_add_loop_test(contract, test_one_shot_learners_refuse_other_models, 0, 3);
    tcase_add_loop_test(contract, test_one_shot_learners_give_the_same_bytes_for_any_threads, 0, 3);
    suite_add_tcase(suite, contract);
    return suite;
}

int main(void) {
    SRunner *runner = srunner_create(hopfield_learners_suite());
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
