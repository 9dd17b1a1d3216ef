/* Learners of associative memories against their formulas, in plain triple loops in double.
 *
 * u is the rounding unit of ebm_real. Bounds are of sums of n numbers of size 1: n u times their largest value, with a
 * small factor said beside each. */
#include "memory_fixture.h"

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

/* b_i = h times the mean of y_i: K + 1 roundings, in double within, and none where a later update asks for none. */
START_TEST(test_hebbian_field_is_along_the_mean) {
    static const char *const pairs[] = {"bias", "-0.7", NULL};
    memory m;
    memory_open(&m, shapes[_i][0], shapes[_i][1], 12 + (uint64_t)_i);
    CHECK_OK(update(&m, "hebbian", pairs, 2, error));
    const ebm_real *bias = ebm_model_view(&m.model, "bias");
    double worst = 0;
    for (size_t i = 0; i < m.V; i++) {
        double sum = 0;
        for (size_t p = 0; p < m.K; p++)
            sum += (double)m.x[p * m.V + i];
        worst = fmax(worst, fabs((double)bias[i] + 0.7 * sum / (double)m.K));
    }
    ck_assert_double_le(worst, 2 * UNIT_ROUNDOFF);
    CHECK_OK(update(&m, "hebbian", NULL, 1, error));
    check_form(&m);
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
    ebm_error why = {0};
    memory_open(&m, 20, 60, 43);
    ck_assert_int_eq(update(&m, "pseudo-inverse", NULL, 1, &why), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(why.message, "span all 20 dimensions"));
    static const char *const pairs[] = {"spanning", "nothing", NULL};
    CHECK_OK(update(&m, "pseudo-inverse", pairs, 1, error));
    for (size_t k = 0; k < 400; k++)
        ck_assert_double_eq((double)m.model.theta[k], 0);
    memory_close(&m);
}
END_TEST

/* Couplings are whole multiples of 1/64 and small: every sum is exact, and so is every decision. */
START_TEST(test_perceptron_is_the_plain_loop) {
    static const char *const pairs[] = {"start", "hebbian", "kappa", "0.25", NULL};
    memory m;
    memory_open(&m, 64, 100, 61);
    const size_t V = m.V;
    double *W = _i ? plain_hebb(&m) : calloc(V * V, sizeof *W), *h = calloc(V, sizeof *h);
    ck_assert(W && h);
    for (size_t t = 0; t < 3 * m.K; t++) {
        const ebm_real *y = m.x + t % m.K * V;
        for (size_t i = 0; i < V; i++) {
            h[i] = 0;
            for (size_t j = 0; j < V; j++)
                h[i] += W[i * V + j] * (double)y[j];
        }
        for (size_t i = 0; i < V; i++)
            for (size_t j = 0; (double)y[i] * h[i] <= (_i ? 0.25 : 0) && j < V; j++)
                if (j != i) {
                    W[i * V + j] += (double)(y[i] * y[j]) / 64;
                    W[j * V + i] += (double)(y[i] * y[j]) / 64;
                }
    }
    CHECK_OK(update(&m, "perceptron", _i ? pairs : NULL, 3, error));
    check_form(&m);
    ck_assert_double_eq(distance(&m, W), 0);
    free(W);
    free(h);
    memory_close(&m);
}
END_TEST

static size_t patterns_fixed(const memory *m) {
    size_t fixed = 0;
    for (size_t p = 0; p < m->K; p++) {
        bool all = true;
        for (size_t i = 0; i < m->V && all; i++)
            all = (double)m->x[p * m->V + i] * field(m, p, i) > 0;
        fixed += all;
    }
    return fixed;
}

/* Load 0.9 is below the capacity of symmetric couplings: some 20 passes, and 400 are given. */
START_TEST(test_perceptron_ends_on_separable_patterns) {
    static const char *const start[] = {"start", "model", NULL};
    memory m;
    memory_open(&m, 100, 90, 67);
    CHECK_OK(update(&m, "perceptron", NULL, 400, error));
    check_form(&m);
    ck_assert_uint_eq(patterns_fixed(&m), 90);
    ebm_real *before = malloc(m.model.n_theta * sizeof *before);
    ck_assert_ptr_nonnull(before);
    memcpy(before, m.model.theta, m.model.n_theta * sizeof *before);
    CHECK_OK(update(&m, "perceptron", start, 3, error));
    ck_assert_int_eq(memcmp(before, m.model.theta, m.model.n_theta * sizeof *before), 0);
    free(before);
    memory_close(&m);
}
END_TEST

/* Two patterns that differ in unit 0 alone give it the same field: no couplings hold both, after any number of passes. */
START_TEST(test_perceptron_cannot_hold_what_no_couplings_hold) {
    memory m;
    memory_open(&m, 30, 2, 71);
    memcpy(m.x + 30, m.x, 30 * sizeof *m.x);
    m.x[30] = -m.x[30];
    CHECK_OK(update(&m, "perceptron", NULL, 200, error));
    check_form(&m);
    ck_assert_uint_lt(patterns_fixed(&m), 2);
    memory_close(&m);
}
END_TEST

/* A sampler that walks to given states: chain b to row (calls + b) of a list; `calls` counts the chains moved. */
typedef struct given {
    const ebm_real *states;
    size_t rows, calls;
} given;

static ebm_status given_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                             size_t sweeps, ebm_work *work, ebm_error *error) {
    given *g = sampler->state;
    const size_t V = model->space.size;
    (void)path;
    (void)sweeps;
    (void)work;
    (void)error;
    for (size_t b = 0; b < chains->batch.count; b++)
        memcpy(chains->batch.x + b * V, g->states + (g->calls + b) % g->rows * V, V * sizeof(ebm_real));
    g->calls += chains->batch.count;
    chains->batch.field_ok = false;
    return EBM_OK;
}

static const ebm_sampler_type given_type = {.info = {.name = "given"}, .step = given_step};

/* The negatives of a trial: random states (random-valleys), else the patterns with three units changed, but for every
 * third pattern, which has not moved. */
static ebm_real *negatives_of(const memory *m, size_t count, bool random) {
    ebm_real *out = malloc(count * m->V * sizeof *out);
    test_random r = {83};
    ck_assert_ptr_nonnull(out);
    for (size_t b = 0; b < count; b++)
        for (size_t i = 0; i < m->V; i++)
            out[b * m->V + i] = random ? (test_random_word(&r) >> 63 ? 1 : -1) : m->x[b * m->V + i];
    for (size_t b = 0; b < count && !random; b++)
        for (size_t k = 0; k < 3 && b % 3; k++)
            out[b * m->V + (7 * b + k) % m->V] *= -1;
    return out;
}

static const struct {
    const char *negative;
    size_t negatives;
} phases[] = {
    {"random-valleys", 21}, {"random-valleys", 0}, {"pattern-valleys", 0}, {"few-steps", 0}, {"few-steps-sgd", 0}};

/* Errata 2: W += rate (<y y^T> - <y' y'^T>), from Hebb's weights. Two roundings of couplings below 1 and sums of K
 * products: 8 K u. */
START_TEST(test_hopfield_descent_is_its_formula) {
    memory m;
    memory_open(&m, 70, 13, 73);
    char count[8];
    snprintf(count, sizeof count, "%zu", phases[_i].negatives);
    const char *const pairs[] = {"negative", phases[_i].negative, "negatives", count, "rate", "0.3", NULL};
    const size_t V = m.V, M = phases[_i].negatives ? phases[_i].negatives : m.K;
    ebm_real *y = negatives_of(&m, M, _i < 2);
    double *want = plain_hebb(&m);
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < V; j++) {
            double change = 0;
            for (size_t p = 0; p < m.K; p++)
                change += (double)(m.x[p * V + i] * m.x[p * V + j]) / (double)m.K;
            for (size_t b = 0; b < M; b++)
                change -= (double)(y[b * V + i] * y[b * V + j]) / (double)M;
            want[i * V + j] += i == j ? 0 : 0.3 * change;
        }
    given g = {y, M, 0};
    ebm_sampler sampler = {.type = &given_type, .state = &g};
    CHECK_OK(update_with(&m, "hopfield-descent", pairs, &sampler, 1, error));
    check_form(&m);
    ck_assert_double_le(distance(&m, want), 8 * UNIT_ROUNDOFF * (double)m.K);
    free(want);
    free(y);
    memory_close(&m);
}
END_TEST

/* At load 0.5 Hebb holds hardly any pattern; rules that start at the patterns end with all of them fixed, and then change
 * nothing more. */
START_TEST(test_hopfield_descent_from_patterns_fixes_them_all) {
    static const char *const rules[] = {"pattern-valleys", "few-steps", "few-steps-sgd"};
    const char *const first[] = {"negative", rules[_i], "rate", "0.5", NULL};
    const char *const later[] = {"negative", rules[_i], "rate", "0.5", "start", "model", NULL};
    const char *const flips[] = {"flips", "3", "order", "random", NULL};
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "descent");
    memory m;
    memory_open(&m, 60, 30, 79);
    void *options = test_options(&type->info, _i ? flips : NULL);
    ebm_sampler sampler;
    CHECK_OK(ebm_sampler_create(type, options, &m.model, &sampler, error));
    CHECK_OK(update(&m, "hebbian", NULL, 1, error));
    ck_assert_uint_lt(patterns_fixed(&m), 30);
    CHECK_OK(update_with(&m, "hopfield-descent", first, &sampler, 2000, error));
    check_form(&m);
    ck_assert_uint_eq(patterns_fixed(&m), 30);
    ebm_real before[60 * 60];
    memcpy(before, ebm_model_view(&m.model, "W"), sizeof before);
    CHECK_OK(update_with(&m, "hopfield-descent", later, &sampler, 2, error));
    ck_assert_int_eq(memcmp(before, ebm_model_view(&m.model, "W"), sizeof before), 0);
    ebm_sampler_free(&sampler);
    test_options_free(&type->info, options);
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
    tcase_add_loop_test(formulas, test_hebbian_field_is_along_the_mean, 0, SHAPES);
    tcase_add_loop_test(formulas, test_storkey_is_the_plain_triple_loop, 0, 6);
    tcase_add_loop_test(formulas, test_pseudo_inverse_projects_onto_the_patterns, 0, 5);
    tcase_add_test(formulas, test_pseudo_inverse_takes_dependent_patterns);
    tcase_add_test(formulas, test_pseudo_inverse_refuses_patterns_that_span_the_space);
    tcase_add_loop_test(formulas, test_perceptron_is_the_plain_loop, 0, 2);
    tcase_add_loop_test(formulas, test_hopfield_descent_is_its_formula, 0, 5);
    suite_add_tcase(suite, formulas);
    TCase *ends = tcase_create("ends");
    tcase_add_test(ends, test_perceptron_ends_on_separable_patterns);
    tcase_add_test(ends, test_perceptron_cannot_hold_what_no_couplings_hold);
    tcase_add_loop_test(ends, test_hopfield_descent_from_patterns_fixes_them_all, 0, 3);
    suite_add_tcase(suite, ends);
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
