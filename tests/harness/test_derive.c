/* Derived rows against numbers worked out by hand. Tolerance 1e-12: a few roundings of numbers of order 1. */
#include "suite_text.h"

#define BODY                                                                                                           \
    "suite: s\nrunner: learn\ngrid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: [2, 4, 8]}\n"           \
    "  sampler: block-gibbs\n  learner: [{name: cd, steps: [1, 2], rate: [0.1, 0.2]}, exact]\n  seed: [1, 2, 3]\n"     \
    "measure: [kl, ais, exact-loglik]\n"

static const double close = 1e-12;

static ebm_suite suite;
static ebm_table table;

static void start(const char *derive) {
    char text[2000];
    snprintf(text, sizeof text, BODY "derive:\n%s", derive);
    parse_suite(text, EBM_SIZE_FULL, &suite);
    create_table(&suite, &table);
}

static void stop(void) {
    ebm_suite_free(&suite);
    ebm_table_free(&table);
}

/* The case of a model, a learner and a seed, by their texts. */
static size_t find_case(const char *model, const char *learner, unsigned seed) {
    for (size_t i = 0; i < suite.n_cases; i++) {
        const ebm_case *c = &suite.cases[i];
        if (strcmp(c->parts[0], model) == 0 && strcmp(c->parts[3], learner) == 0 && c->seed == seed)
            return i;
    }
    ck_abort_msg("no case %s %s %u", model, learner, seed);
    return 0;
}

static void add(const char *model, const char *learner, unsigned seed, int64_t step, const char *metric, double value,
                double se) {
    add_case_row(&suite, &table, find_case(model, learner, seed), step, metric, value, se);
}

static void derive(void) {
    ebm_error error = {0};
    ck_assert_msg(ebm_derive_rows(&suite, &table, &error) == EBM_OK, "%s", error.message);
}

static const ebm_row *only(const char *metric) {
    const ebm_row *row = nth_row(&table, metric, 0);
    ck_assert_msg(row != NULL, "no row %s", metric);
    ck_assert_msg(nth_row(&table, metric, 1) == NULL, "several rows %s", metric);
    return row;
}

static void check_number(double found, double expected) {
    ck_assert_msg(isnan(expected) ? isnan(found) : fabs(found - expected) <= close, "%.17g, expected %.17g", found,
                  expected);
}

static void check_row(const ebm_row *row, double value, double se) {
    check_number(row->value, value);
    check_number(row->se, se);
    ck_assert_str_eq(row->status, "ok");
}

START_TEST(test_derive_mean_over_seeds) {
    start(" - {as: m, of: kl, op: mean, over: seed}\n");
    static const double values[] = {1, 2, 4};
    for (unsigned seed = 1; seed <= 3; seed++) {
        add("rbm-2", "exact", seed, 0, "kl", 100, NAN);
        add("rbm-2", "exact", seed, 10, "kl", values[seed - 1], NAN);
        add("rbm-4", "exact", seed, 10, "kl", 5, NAN);
        add("rbm-4", "exact", seed, 10, "log_z", 77, NAN);
    }
    derive();
    /* squares about 7/3: (16 + 1 + 25)/9; variance 7/3; s.e. sqrt(7/9) */
    check_row(nth_row(&table, "m", 0), 7.0 / 3, sqrt(7.0 / 9));
    check_row(nth_row(&table, "m", 1), 5, 0);
    ck_assert_ptr_null(nth_row(&table, "m", 2));
    const ebm_row *row = nth_row(&table, "m", 0);
    ck_assert_int_eq(row->step, 10);
    ck_assert_str_eq(cell(&table, row, "suite"), "s");
    ck_assert_str_eq(cell(&table, row, "case"), "");
    ck_assert_str_eq(cell(&table, row, "seed"), "");
    ck_assert_str_eq(cell(&table, row, "model"), "rbm-2");
    ck_assert_str_eq(cell(&table, row, "model.hidden"), "2");
    ck_assert_str_eq(cell(&table, row, "learner"), "exact");
    stop();
}
END_TEST

START_TEST(test_derive_of_one_value_keeps_its_error) {
    start(" - {as: m, of: log_z_ais, op: mean, over: seed}\n");
    add("rbm-2", "exact", 1, 3, "log_z_ais", 1.5, 0.25);
    derive();
    check_row(only("m"), 1.5, 0.25);
    stop();
}
END_TEST

START_TEST(test_derive_at_chooses_steps) {
    start(" - {as: each, of: kl, op: mean, over: seed, at: each}\n - {as: five, of: kl, op: mean, over: seed, at: 5}\n"
          " - {as: last, of: kl, op: mean, over: seed, at: last}\n - {as: most, of: kl, op: maximum, over: step}\n");
    for (unsigned seed = 1; seed <= 2; seed++) {
        add("rbm-2", "exact", seed, 5, "kl", 10 * seed, NAN);
        add("rbm-2", "exact", seed, seed == 1 ? 9 : 12, "kl", seed, NAN); /* runs of different lengths */
    }
    derive();
    check_row(nth_row(&table, "each", 0), 15, 5);
    ck_assert_int_eq(nth_row(&table, "each", 0)->step, 5);
    check_row(nth_row(&table, "each", 1), 1, NAN);
    check_row(nth_row(&table, "each", 2), 2, NAN);
    check_row(only("five"), 15, 5);
    check_row(only("last"), 1.5, 0.5);
    ck_assert_int_eq(only("last")->step, -1);
    check_row(nth_row(&table, "most", 0), 10, NAN);
    check_row(nth_row(&table, "most", 1), 20, NAN);
    ck_assert_str_eq(cell(&table, nth_row(&table, "most", 1), "seed"), "2");
    ck_assert_str_eq(cell(&table, nth_row(&table, "most", 1), "case"),
                     suite.cases[find_case("rbm-2", "exact", 2)].name);
    stop();
}
END_TEST

START_TEST(test_derive_differences_of_two_metrics) {
    start(" - {as: d, of: log_z_ais, against: log_z, op: difference}\n"
          " - {as: a, of: log_z_ais, against: log_z, op: absolute-difference}\n");
    for (unsigned seed = 1; seed <= 3; seed++) {
        add("rbm-2", "exact", seed, 4, "log_z_ais", seed, 0.5);
        if (seed < 3)
            add("rbm-2", "exact", seed, 4, "log_z", 3, seed == 2 ? 1.2 : NAN);
        add("rbm-2", "exact", seed, 5, "log_z", 100, NAN); /* another step */
    }
    derive();
    check_row(nth_row(&table, "d", 0), -2, 0.5);
    check_row(nth_row(&table, "d", 1), -1, 1.3);
    check_row(nth_row(&table, "a", 0), 2, 0.5);
    check_row(nth_row(&table, "a", 1), 1, 1.3);
    ck_assert_ptr_null(nth_row(&table, "d", 2));
    ck_assert_int_eq(nth_row(&table, "a", 1)->step, 4);
    stop();
}
END_TEST

START_TEST(test_derive_minimum_and_its_place) {
    start(" - {as: low, of: kl, op: minimum, over: step}\n"
          " - {as: place, of: kl, op: minimum-at, against: step, over: seed}\n");
    static const int steps[] = {1, 10, 100};
    static const double curves[2][3] = {{3, 1, 2}, {3, 2, 1}};
    for (unsigned seed = 1; seed <= 2; seed++)
        for (int k = 0; k < 3; k++) {
            add("rbm-2", "exact", seed, steps[k], "kl", curves[seed - 1][k], NAN);
            add("rbm-4", "exact", seed, k, "kl", k, NAN); /* lowest at step 0: no geometric mean */
        }
    derive();
    check_row(nth_row(&table, "low", 0), 1, NAN);
    /* 10 and 100: geometric mean 10^1.5; s.e. of the logarithm ln(10) / 2 */
    check_row(nth_row(&table, "place", 0), pow(10, 1.5), pow(10, 1.5) * log(10) / 2);
    ck_assert_str_eq(nth_row(&table, "place", 1)->status, "failed");
    stop();
}
END_TEST

START_TEST(test_derive_rise_and_from) {
    start(" - {as: rise, of: kl, op: largest-rise, against: step}\n"
          " - {as: late, of: kl, op: largest-rise, against: step, from: 10}\n"
          " - {as: slope, of: log_z, op: slope, against: step, from: 10}\n");
    static const int steps[] = {1, 9, 10, 100, 1000};
    static const double curve[] = {5, 8, 4, 3, 3.5}, falling[] = {5, 4, 3, 2, 1};
    for (int k = 0; k < 5; k++) {
        add("rbm-2", "exact", 1, steps[k], "kl", curve[k], NAN);
        add("rbm-2", "exact", 1, steps[k], "log_z", k < 2 ? 77 : pow(steps[k], -0.5), NAN);
        add("rbm-4", "exact", 1, steps[k], "kl", falling[k], NAN);
    }
    add("rbm-8", "exact", 1, 1, "kl", 1, NAN); /* one point: no row */
    derive();
    check_row(nth_row(&table, "rise", 0), 3, NAN);
    check_row(nth_row(&table, "rise", 1), -1, NAN);
    ck_assert_ptr_null(nth_row(&table, "rise", 2));
    check_row(nth_row(&table, "late", 0), 0.5, NAN);
    ck_assert_double_eq_tol(nth_row(&table, "slope", 0)->value, -0.5, 1e-12);
    stop();
}
END_TEST

START_TEST(test_derive_paired_difference_and_ratio) {
    start(" - {as: d, of: kl, op: paired-difference, over: seed, between: {learner: [exact, cd-1-0.1]}}\n"
          " - {as: r, of: kl, op: ratio, over: seed, between: {learner: [exact, cd-1-0.1]}}\n");
    static const double a[] = {1, 2, 6}, b[] = {2, 4, 3};
    for (unsigned seed = 1; seed <= 3; seed++) {
        add("rbm-2", "exact", seed, 1, "kl", a[seed - 1], NAN);
        add("rbm-2", "cd-1-0.1", seed, 1, "kl", b[seed - 1], NAN);
        add("rbm-2", "cd-2-0.1", seed, 1, "kl", 1000, NAN);
    }
    add("rbm-4", "exact", 1, 1, "kl", 3, 0.3); /* one pair: from its own errors */
    add("rbm-4", "cd-1-0.1", 1, 1, "kl", 2, 0.4);
    add("rbm-4", "exact", 2, 1, "kl", 7, 0.3); /* no partner */
    add("rbm-8", "exact", 2, 1, "kl", 7, 0.3);
    derive();
    /* differences -1, -2, 3: mean 0, squares 14, s.e. sqrt(14/2/3); ratios 0.5, 0.5, 2: mean 1, squares 1.5 */
    check_row(nth_row(&table, "d", 0), 0, sqrt(14.0 / 6));
    check_row(nth_row(&table, "r", 0), 1, sqrt(1.5 / 6));
    check_row(nth_row(&table, "d", 1), 1, 0.5);
    check_row(nth_row(&table, "r", 1), 1.5, hypot(0.3 / 2, 3 * 0.4 / 4));
    ck_assert_ptr_null(nth_row(&table, "d", 2));
    ck_assert_ptr_null(nth_row(&table, "r", 2));
    const ebm_row *row = nth_row(&table, "d", 0);
    ck_assert_str_eq(cell(&table, row, "learner"), "");
    ck_assert_str_eq(cell(&table, row, "learner.steps"), "");
    ck_assert_str_eq(cell(&table, row, "model"), "rbm-2");
    stop();
}
END_TEST

START_TEST(test_derive_slope_of_powers) {
    start(" - {as: s, of: kl, op: slope, against: model.hidden, learner: exact}\n"
          " - {as: t, of: log_z, op: slope, against: step, over: seed, at: each}\n");
    for (unsigned seed = 1; seed <= 2; seed++) { /* the two seeds are two sets of points */
        add("rbm-2", "exact", seed, 1, "kl", 3 / sqrt(2), NAN);
        add("rbm-4", "exact", seed, 1, "kl", 3 / sqrt(4), NAN);
        add("rbm-8", "exact", seed, 1, "kl", 3 / sqrt(8), NAN);
        add("rbm-2", "cd-1-0.1", seed, 1, "kl", 1, NAN);
    }
    /* log2 x = 0, 1, 2 and log2 y = 0, 2, 1: slope 1/2, residuals -1/2, 1, -1/2, s.e. sqrt(1.5 / 1 / 2) */
    add("rbm-2", "exact", 1, 1, "log_z", 1, NAN);
    add("rbm-2", "exact", 2, 2, "log_z", 4, NAN);
    add("rbm-2", "exact", 3, 4, "log_z", 2, NAN);
    derive();
    check_row(nth_row(&table, "s", 0), -0.5, 0);
    check_row(nth_row(&table, "s", 1), -0.5, 0);
    ck_assert_ptr_null(nth_row(&table, "s", 2));
    ck_assert_str_eq(cell(&table, nth_row(&table, "s", 1), "seed"), "2");
    ck_assert_str_eq(cell(&table, nth_row(&table, "s", 0), "model"), "rbm");
    ck_assert_str_eq(cell(&table, nth_row(&table, "s", 0), "model.hidden"), "");
    check_row(only("t"), 0.5, sqrt(0.75));
    stop();
}
END_TEST

START_TEST(test_derive_crossing_of_a_level) {
    start(" - {as: c, of: kl, op: crossing, against: model.hidden, level: 2.5}\n"
          " - {as: o, of: kl, op: crossing, against: model.hidden, level: 2.5, over: seed}\n"
          " - {as: n, of: kl, op: crossing, against: model.hidden, level: 50}\n");
    add("rbm-8", "exact", 1, 1, "kl", 0, 0.3); /* not in the order of x */
    add("rbm-2", "exact", 1, 1, "kl", 1, 0.1);
    add("rbm-4", "exact", 1, 1, "kl", 3, 0.2);
    add("rbm-2", "exact", 2, 1, "kl", 3, 0.1); /* means over seeds: 2, 4 with s.e. 1, 1 */
    add("rbm-4", "exact", 2, 1, "kl", 5, 0.2);
    derive();
    /* three quarters of the way from 2 to 4; d x / d y = -1 at either end, in these parts */
    check_row(nth_row(&table, "c", 0), 3.5, hypot(0.25 * 0.1, 0.75 * 0.2));
    const ebm_row *never = nth_row(&table, "c", 1); /* seed 2 stays above */
    ck_assert(isnan(never->value));
    ck_assert_str_eq(never->status, "failed");
    check_row(nth_row(&table, "o", 0), 2.5, hypot(0.75 * 1, 0.25 * 1));
    ck_assert_str_eq(nth_row(&table, "n", 0)->status, "failed");
    stop();
}
END_TEST

START_TEST(test_derive_z_of_each_row) {
    start(" - {as: z, of: log_z_ais, op: z, against: log_z}\n - {as: worst, of: z, op: maximum, over: seed}\n");
    static const double estimates[] = {10.5, 9, 10};
    for (unsigned seed = 3; seed >= 1; seed--)
        for (int64_t step = 0; step <= 1; step++) {
            add("rbm-2", "exact", seed, step, "log_z_ais", estimates[seed - 1] + 5 * (double)step, 0.5);
            add("rbm-2", "exact", seed, step, "log_z", 10 + 5 * (double)step, NAN);
        }
    add("rbm-4", "exact", 1, 0, "log_z_ais", 1, 0.5); /* nothing to compare with */
    derive();
    static const double expected[] = {0, -2, 1}; /* seeds 3, 2, 1, as they stand */
    for (size_t i = 0; i < 6; i++) {
        check_row(nth_row(&table, "z", i), expected[i / 2], 1);
        ck_assert_int_eq(nth_row(&table, "z", i)->step, (int64_t)(i % 2));
    }
    ck_assert_ptr_null(nth_row(&table, "z", 6));
    ck_assert_str_eq(cell(&table, nth_row(&table, "z", 5), "seed"), "1");
    check_row(only("worst"), 1, 1);
    stop();
}
END_TEST

START_TEST(test_derive_over_an_axis_takes_it_out_of_the_name) {
    start(
        " - {as: m, of: kl, op: maximum, over: learner.steps}\n - {as: mm, of: m, op: maximum, over: learner.rate}\n");
    add("rbm-2", "cd-1-0.1", 1, 1, "kl", 1, NAN);
    add("rbm-2", "cd-2-0.1", 1, 1, "kl", 2, 0.5);
    add("rbm-2", "cd-1-0.2", 1, 1, "kl", 4, NAN);
    add("rbm-2", "cd-2-0.2", 1, 1, "kl", 3, NAN);
    add("rbm-2", "exact", 1, 1, "kl", 9, NAN);
    derive();
    check_row(nth_row(&table, "m", 0), 2, 0.5);
    check_row(nth_row(&table, "m", 1), 4, NAN);
    check_row(nth_row(&table, "m", 2), 9, NAN);
    ck_assert_str_eq(cell(&table, nth_row(&table, "m", 0), "learner"), "cd-0.1");
    ck_assert_str_eq(cell(&table, nth_row(&table, "m", 0), "learner.steps"), "");
    ck_assert_str_eq(cell(&table, nth_row(&table, "m", 0), "learner.rate"), "0.1");
    ck_assert_str_eq(cell(&table, nth_row(&table, "m", 0), "seed"), "1");
    check_row(nth_row(&table, "mm", 0), 4, NAN);
    ck_assert_str_eq(cell(&table, nth_row(&table, "mm", 0), "learner"), "cd");
    check_row(nth_row(&table, "mm", 1), 9, NAN);
    ck_assert_ptr_null(nth_row(&table, "mm", 2));
    stop();
}
END_TEST

START_TEST(test_derive_leaves_out_what_is_not_ok) {
    start(" - {as: m, of: kl, op: mean, over: seed}\n"
          " - {as: r, of: log_z, op: ratio, over: seed, between: {learner: [exact, cd-1-0.1]}}\n");
    add("rbm-2", "exact", 1, 1, "kl", 1, NAN);
    add("rbm-2", "exact", 2, 1, "kl", NAN, NAN);
    const char *keys[EBM_TABLE_MAX_COLUMNS];
    char seed[16];
    ebm_case_keys(&suite, &suite.cases[find_case("rbm-2", "exact", 3)], keys, seed, sizeof seed);
    ck_assert_int_eq(ebm_table_add(&table, keys, 1, "kl", 5, NAN, "failed", NULL), EBM_OK);
    /* A division by zero is a failed row, not an infinite one. */
    add("rbm-2", "exact", 1, 1, "log_z", 1, NAN);
    add("rbm-2", "cd-1-0.1", 1, 1, "log_z", 0, NAN);
    derive();
    check_row(only("m"), 1, NAN);
    ck_assert_str_eq(only("r")->status, "failed");
    ck_assert(isnan(only("r")->value));
    stop();
}
END_TEST

START_TEST(test_derive_of_nothing_is_nothing) {
    start(" - {as: m, of: kl, op: mean, over: seed}\n - {as: n, of: m, op: maximum, over: learner}\n");
    derive();
    ck_assert_uint_eq(table.n_rows, 0);
    stop();
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("derive");
    tcase_add_test(tests, test_derive_mean_over_seeds);
    tcase_add_test(tests, test_derive_of_one_value_keeps_its_error);
    tcase_add_test(tests, test_derive_at_chooses_steps);
    tcase_add_test(tests, test_derive_differences_of_two_metrics);
    tcase_add_test(tests, test_derive_minimum_and_its_place);
    tcase_add_test(tests, test_derive_rise_and_from);
    tcase_add_test(tests, test_derive_paired_difference_and_ratio);
    tcase_add_test(tests, test_derive_slope_of_powers);
    tcase_add_test(tests, test_derive_crossing_of_a_level);
    tcase_add_test(tests, test_derive_z_of_each_row);
    tcase_add_test(tests, test_derive_over_an_axis_takes_it_out_of_the_name);
    tcase_add_test(tests, test_derive_leaves_out_what_is_not_ok);
    tcase_add_test(tests, test_derive_of_nothing_is_nothing);
    return run_tests("derive", tests);
}
