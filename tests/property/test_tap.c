/* The TAP and mean-field free energies against enumeration and against their own formulas, written here from the
 * definition: with x = (m, n), u = m - m^2, w = n - n^2,
 *   G(x) = b m + c n + m W n + 1/2 u W^2 w + entropies,   log Z = G + 2/3 sum W^3 u (1/2 - m) w (1/2 - n) + O(W^4)
 * (third cumulants 2 u (1/2 - m) of a 0/1 unit; triangles do not close between two layers). */
#include "small_rbm.h"

#include "estimators/estimators.h"

enum { V = 5, H = 4, UNITS = V + H };

static ebm_model model;
static ebm_dataset data;
static ebm_work *work;
static ebm_estimate_inputs inputs;
static memory_sink memory;

static void setup(void) {
    static const size_t codes[] = {0};
    small_rbm_create(V, H, &model);
    small_dataset(&data, V, 1, codes, 0, codes);
    CHECK_OK(ebm_work_create(1, &work, &failure));
    inputs = (ebm_estimate_inputs){.model = &model, .data = &data, .seed = 3, .work = work};
}

static void teardown(void) {
    ebm_dataset_free(&data);
    ebm_model_free(&model);
    ebm_work_free(work);
}

static void run(void) {
    static const char *const settings[] = {"iterations", "20000", "tolerance", "1e-13", NULL};
    CHECK_OK(small_estimate(&ebm_tap, settings, &inputs, &memory));
}

static bool has(const char *metric) {
    for (size_t i = 0; i < memory.count; i++)
        if (strcmp(memory.rows[i].metric, metric) == 0)
            return true;
    return false;
}

static double weight(size_t i, size_t j) {
    return (double)ebm_model_view(&model, "W")[i * H + j];
}

static double bias(size_t k) {
    return (double)(k < V ? ebm_model_view(&model, "visible_bias")[k] : ebm_model_view(&model, "hidden_bias")[k - V]);
}

/* G without the entropies; second: 1 with, 0 without the term in W^2. x = (m, n). */
static double brute_interaction(const double *x, double second) {
    double sum = 0;
    for (size_t k = 0; k < UNITS; k++)
        sum += bias(k) * x[k];
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < H; j++) {
            const double m = x[i], n = x[V + j], W = weight(i, j);
            sum += W * m * n + second * W * W * m * (1 - m) * n * (1 - n) / 2;
        }
    return sum;
}

static double brute_value(const double *x, double second) {
    double sum = brute_interaction(x, second);
    for (size_t k = 0; k < UNITS; k++)
        sum -= x[k] * log(x[k]) + (1 - x[k]) * log(1 - x[k]);
    return sum;
}

/* The stationary point near m = sigmoid(bias): logit(x_k) = d(interaction)/dx_k, the derivative by a central difference,
 * which is exact for a polynomial of second degree in x_k. */
static double brute_stationary_value(double second) {
    double x[UNITS];
    for (size_t k = 0; k < UNITS; k++)
        x[k] = 1 / (1 + exp(-bias(k)));
    for (int round = 0; round < 300; round++)
        for (size_t k = 0; k < UNITS; k++) {
            const double before = x[k], h = 0.25;
            x[k] = before + h;
            const double above = brute_interaction(x, second);
            x[k] = before - h;
            const double slope = (above - brute_interaction(x, second)) / (2 * h);
            x[k] = 1 / (1 + exp(-slope));
        }
    return brute_value(x, second);
}

/* Weights s times a fixed pattern, biases fixed. */
static void set_strength(double s) {
    uint64_t state = 5;
    ebm_real *W = ebm_model_view(&model, "W"), *b = ebm_model_view(&model, "visible_bias");
    ebm_real *c = ebm_model_view(&model, "hidden_bias");
    for (size_t k = 0; k < (size_t)V * H; k++)
        W[k] = (ebm_real)(s * (0.4 + small_uniform(&state)));
    for (size_t i = 0; i < V; i++)
        b[i] = (ebm_real)(-1.2 + 0.5 * small_uniform(&state));
    for (size_t j = 0; j < H; j++)
        c[j] = (ebm_real)(-1.2 + 0.5 * small_uniform(&state));
    small_rbm_refresh(&model);
}

/* sum W^p f(m_i) f(n_j) at m = sigmoid(b), n = sigmoid(c), f(m) = u for p = 2, u (1/2 - m) for p = 3. */
static double brute_term(int p) {
    double sum = 0;
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < H; j++) {
            const double m = 1 / (1 + exp(-bias(i))), n = 1 / (1 + exp(-bias(V + j)));
            const double skew = p == 3 ? (0.5 - m) * (0.5 - n) : 1;
            sum += pow(weight(i, j), p) * (m - m * m) * (n - n * n) * skew;
        }
    return sum;
}

START_TEST(test_tap_without_weights_is_exact) {
    set_strength(0);
    run();
    ck_assert_double_eq_tol(sink_value(&memory, "log_z_tap"), brute_log_z(&model), 1e-12);
    ck_assert_double_eq_tol(sink_value(&memory, "log_z_mean_field"), brute_log_z(&model), 1e-12);
    ck_assert_double_eq(sink_value(&memory, "tap_fixed_points"), 1);
    ck_assert_double_eq(sink_value(&memory, "tap_converged"), 1);
}
END_TEST

/* The estimator finds the stationary point of the formula. An error e of the magnetisations costs G of the order of e^2,
 * so that weights are large enough for a wrong reaction term to move G by far more than 1e-9. */
START_TEST(test_tap_is_the_formula_at_its_stationary_point) {
    static const double strengths[] = {0.3, 0.6, 1.0};
    set_strength(strengths[_i]);
    run();
    ck_assert_double_eq_tol(sink_value(&memory, "log_z_tap"), brute_stationary_value(1), 1e-9);
    ck_assert_double_eq_tol(sink_value(&memory, "log_z_mean_field"), brute_stationary_value(0), 1e-9);
}
END_TEST

/* log Z - TAP = 2/3 sum W^3 ... + O(W^4), log Z - mean field = 1/2 sum W^2 ... + O(W^3): halving the weights divides what
 * is left after the leading term by 16 and by 8, up to a factor 1 + O(s), here within 30 %. */
START_TEST(test_tap_and_mean_field_err_by_the_orders_of_the_expansion) {
    double tap[2], field[2], left_tap[2], left_field[2];
    for (int k = 0; k < 2; k++) {
        set_strength(k ? 0.01 : 0.02);
        run();
        tap[k] = brute_log_z(&model) - sink_value(&memory, "log_z_tap");
        field[k] = brute_log_z(&model) - sink_value(&memory, "log_z_mean_field");
        left_tap[k] = tap[k] - 2.0 / 3 * brute_term(3);
        left_field[k] = field[k] - brute_term(2) / 2;
    }
    ck_assert_msg(tap[0] / tap[1] > 6 && tap[0] / tap[1] < 11, "third order: %g, %g", tap[0], tap[1]);
    ck_assert_msg(field[0] / field[1] > 3 && field[0] / field[1] < 5, "second order: %g, %g", field[0], field[1]);
    ck_assert_msg(fabs(left_tap[0] / left_tap[1] / 16 - 1) < 0.3, "fourth order: %g, %g", left_tap[0], left_tap[1]);
    ck_assert_msg(fabs(left_field[0] / left_field[1] / 8 - 1) < 0.3, "third order: %g, %g", left_field[0],
                  left_field[1]);
}
END_TEST

/* E_q[-E] + entropy(q) <= log Z for every product law q (Jensen), whatever the weights. */
START_TEST(test_mean_field_is_a_lower_bound) {
    size_t found = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        small_rbm_fill(&model, 0.02 * (double)seed, -0.3, seed);
        run();
        if (!has("log_z_mean_field"))
            continue;
        found++;
        ck_assert_double_le(sink_value(&memory, "log_z_mean_field"), brute_log_z(&model) + 1e-10);
    }
    ck_assert_uint_ge(found, 190);
}
END_TEST

/* Every weight w and biases that make (v, h) -> (1 - v, 1 - h) a symmetry. */
static void set_mirror(double w) {
    ebm_real *W = ebm_model_view(&model, "W"), *b = ebm_model_view(&model, "visible_bias");
    ebm_real *c = ebm_model_view(&model, "hidden_bias");
    for (size_t k = 0; k < (size_t)V * H; k++)
        W[k] = (ebm_real)w;
    for (size_t i = 0; i < V; i++)
        b[i] = (ebm_real)(-w * H / 2);
    for (size_t j = 0; j < H; j++)
        c[j] = (ebm_real)(-w * V / 2);
    small_rbm_refresh(&model);
}

static void start_from(size_t count, const size_t *codes) {
    ebm_dataset_free(&data);
    small_dataset(&data, V, count, codes, 0, codes);
    run();
}

/* Two modes with the same free energy are two fixed points, from whichever side and however often they are found: each
 * holds half of Z. w = 5 leaves magnetisations of exp(-10) and a remainder of that order, weighed by W^3. */
START_TEST(test_tap_counts_mirror_images) {
    static const size_t low[] = {0}, both[] = {0, 31, 1, 30, 0, 16};
    set_mirror(5);
    start_from(1, low);
    const double one = sink_value(&memory, "log_z_tap"), one_field = sink_value(&memory, "log_z_mean_field");
    ck_assert_double_eq(sink_value(&memory, "tap_fixed_points"), 1);
    start_from(6, both);
    ck_assert_double_eq(sink_value(&memory, "tap_converged"), 1);
    ck_assert_double_eq(sink_value(&memory, "tap_fixed_points"), 2);
    ck_assert_double_eq_tol(sink_value(&memory, "log_z_tap"), one + log(2), 1e-9);
    ck_assert_double_eq_tol(sink_value(&memory, "log_z_mean_field"), one_field + log(2), 1e-9);
    ck_assert_double_eq_tol(sink_value(&memory, "log_z_tap"), brute_log_z(&model), 0.01);
}
END_TEST

/* Weak coupling: one fixed point, m = n = 1/2 by symmetry, whatever the starts. */
START_TEST(test_tap_of_a_weak_mirror_has_one_fixed_point) {
    static const size_t both[] = {0, 31, 5, 30};
    set_mirror(0.3);
    start_from(4, both);
    ck_assert_double_eq(sink_value(&memory, "tap_fixed_points"), 1);
    double half[UNITS];
    for (size_t k = 0; k < UNITS; k++)
        half[k] = 0.5;
    ck_assert_double_eq_tol(sink_value(&memory, "log_z_tap"), brute_value(half, 1), 1e-10);
}
END_TEST

START_TEST(test_tap_of_too_few_rounds_gives_no_value) {
    set_strength(1);
    CHECK_OK(small_estimate(&ebm_tap, (const char *const[]){"iterations", "1", NULL}, &inputs, &memory));
    ck_assert(!has("log_z_tap") && !has("log_z_mean_field"));
    ck_assert_double_eq(sink_value(&memory, "tap_converged"), 0);
    data.train.count = 0;
    ck_assert_int_eq(small_estimate(&ebm_tap, NULL, &inputs, &memory), EBM_INVALID);
    data.train.count = 1;
}
END_TEST

int main(void) {
    Suite *suite = suite_create("tap");
    TCase *tests = tcase_create("tap");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_tap_without_weights_is_exact);
    tcase_add_loop_test(tests, test_tap_is_the_formula_at_its_stationary_point, 0, 3);
    tcase_add_test(tests, test_tap_and_mean_field_err_by_the_orders_of_the_expansion);
    tcase_add_test(tests, test_mean_field_is_a_lower_bound);
    tcase_add_test(tests, test_tap_counts_mirror_images);
    tcase_add_test(tests, test_tap_of_a_weak_mirror_has_one_fixed_point);
    tcase_add_test(tests, test_tap_of_too_few_rounds_gives_no_value);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
