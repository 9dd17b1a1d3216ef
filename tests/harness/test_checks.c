/* Laws and claims: what holds, what falls short, and what they say of missing rows. */
#include "suite_text.h"

#define BODY                                                                                                           \
    "suite: s\nrunner: learn\ngrid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: 4}\n"                   \
    "  sampler: block-gibbs\n  learner: [exact, {name: cd, steps: [1]}]\n  seed: [1, 2]\nmeasure: [kl, ais]\n"
/* cases: exact seed 1, exact seed 2, cd-1 seed 1, cd-1 seed 2 */

static ebm_suite suite;
static ebm_table table;
static ebm_check_result results[8];

static void start(const char *checks, ebm_size size) {
    char text[2000];
    snprintf(text, sizeof text, BODY "derive: [{as: m, of: kl, op: mean, over: seed}]\nchecks:\n%s", checks);
    parse_suite(text, size, &suite);
    create_table(&suite, &table);
}

static void judge(void) {
    ebm_error error = {0};
    ck_assert_int_eq(ebm_derive_rows(&suite, &table, &error), EBM_OK);
    ck_assert_int_eq(ebm_check_rows(&suite, &table, results, &error), EBM_OK);
}

static void stop(void) {
    ebm_suite_free(&suite);
    ebm_table_free(&table);
}

START_TEST(test_checks_bounds_are_inclusive_and_take_the_worst_row) {
    start(" - {law: kl, below: 2}\n - {law: kl, below: 1.9}\n - {claim: kl, above: 1.1}\n - {law: kl, above: 1, below: "
          "2}\n - {claim: kl, above: 1.5, learner: cd-1}\n",
          EBM_SIZE_FULL);
    for (size_t c = 0; c < 4; c++) {
        add_case_row(&suite, &table, c, 0, "kl", 50, NAN); /* not the last step */
        add_case_row(&suite, &table, c, 9, "kl", c < 2 ? 1 : 2, NAN);
    }
    judge();
    ck_assert_int_eq(results[0].verdict, EBM_HELD);
    ck_assert_uint_eq(results[0].examined, 4);
    ck_assert(results[0].value == 2);
    ck_assert_int_eq(results[1].verdict, EBM_FELL_SHORT);
    ck_assert_str_eq(results[1].worst_case, suite.cases[2].name);
    ck_assert_int_eq(results[2].verdict, EBM_DID_NOT_REPRODUCE);
    ck_assert(results[2].value == 1);
    ck_assert_int_eq(results[3].verdict, EBM_HELD);
    ck_assert_int_eq(results[4].verdict, EBM_HELD);
    ck_assert_uint_eq(results[4].examined, 2);
    stop();
}
END_TEST

START_TEST(test_checks_are_widened_by_standard_errors) {
    start(" - {law: log_z_ais, below: 10, errors: 5}\n - {law: log_z_ais, below: 10, errors: 3}\n"
          " - {law: log_z_ais, below: 10}\n - {law: kl, below: 10, errors: 5}\n - {law: log_z_ais, above: 12, errors: "
          "5}\n",
          EBM_SIZE_FULL);
    add_case_row(&suite, &table, 0, 1, "log_z_ais", 10.4, 0.1);
    add_case_row(&suite, &table, 0, 1, "kl", 10.4, NAN); /* no error: no widening */
    judge();
    ck_assert_int_eq(results[0].verdict, EBM_HELD);
    ck_assert_int_eq(results[1].verdict, EBM_FELL_SHORT);
    ck_assert_int_eq(results[2].verdict, EBM_FELL_SHORT);
    ck_assert_int_eq(results[3].verdict, EBM_FELL_SHORT);
    ck_assert_int_eq(results[4].verdict, EBM_FELL_SHORT);
    stop();
}
END_TEST

START_TEST(test_checks_apply_at_their_size) {
    static const char checks[] = " - {law: kl, below: 0, size: full}\n - {law: kl, below: 0, size: quick}\n"
                                 " - {law: kl, below: 0}\n";
    for (int size = 0; size < 2; size++) {
        start(checks, (ebm_size)size);
        add_case_row(&suite, &table, 0, 1, "kl", 1, NAN);
        judge();
        ck_assert_int_eq(results[0].verdict, size == EBM_SIZE_FULL ? EBM_FELL_SHORT : EBM_NOT_CHECKED);
        ck_assert_int_eq(results[1].verdict, size == EBM_SIZE_QUICK ? EBM_FELL_SHORT : EBM_NOT_CHECKED);
        ck_assert_int_eq(results[2].verdict, EBM_FELL_SHORT);
        stop();
    }
}
END_TEST

START_TEST(test_checks_without_rows) {
    start(" - {law: kl, below: 1}\n - {claim: kl, below: 1}\n - {law: m, below: 1, learner: cd-1}\n", EBM_SIZE_FULL);
    judge();
    ck_assert_int_eq(results[0].verdict, EBM_FELL_SHORT);
    ck_assert_uint_eq(results[0].examined, 0);
    ck_assert(isnan(results[0].value));
    ck_assert_int_eq(results[1].verdict, EBM_NOT_CHECKED);
    ck_assert_int_eq(results[2].verdict, EBM_FELL_SHORT);
    stop();
}
END_TEST

static void add_failure(size_t c) {
    const char *keys[EBM_TABLE_MAX_COLUMNS];
    char seed[16];
    ebm_case_keys(&suite, &suite.cases[c], keys, seed, sizeof seed);
    ck_assert_int_eq(ebm_table_add(&table, keys, -1, "failure", NAN, NAN, "failed", NULL), EBM_OK);
}

START_TEST(test_checks_do_not_hold_over_failed_cases_or_missing_numbers) {
    start(" - {law: kl, below: 1, learner: exact}\n - {law: kl, below: 1, learner: cd-1}\n - {claim: kl, below: 1}\n"
          " - {law: log_z_ais, below: 1}\n",
          EBM_SIZE_FULL);
    for (size_t c = 0; c < 3; c++)
        add_case_row(&suite, &table, c, 1, "kl", 0.5, NAN);
    add_failure(3);
    add_case_row(&suite, &table, 0, 1, "log_z_ais", NAN, NAN);
    judge();
    ck_assert_int_eq(results[0].verdict, EBM_HELD);
    ck_assert_int_eq(results[1].verdict, EBM_FELL_SHORT);
    ck_assert_int_eq(results[2].verdict, EBM_DID_NOT_REPRODUCE);
    ck_assert_int_eq(results[3].verdict, EBM_FELL_SHORT);
    stop();
}
END_TEST

START_TEST(test_checks_at_each_step_and_at_one) {
    start(" - {law: kl, below: 1, at: each}\n - {law: kl, below: 1, at: 7}\n - {law: kl, below: 1}\n", EBM_SIZE_FULL);
    add_case_row(&suite, &table, 0, 3, "kl", 2, NAN);
    add_case_row(&suite, &table, 0, 7, "kl", 1.5, NAN);
    add_case_row(&suite, &table, 0, 9, "kl", 1, NAN);
    judge();
    ck_assert_int_eq(results[0].verdict, EBM_FELL_SHORT);
    ck_assert(results[0].value == 2);
    ck_assert_int_eq(results[1].verdict, EBM_FELL_SHORT);
    ck_assert(results[1].value == 1.5);
    ck_assert_int_eq(results[2].verdict, EBM_HELD);
    stop();
}
END_TEST

START_TEST(test_checks_become_rows) {
    start(" - {law: m, below: 1, learner: exact}\n - {claim: kl, above: 3, at: each}\n - {law: kl, below: 1, size: "
          "quick}\n",
          EBM_SIZE_FULL);
    for (size_t c = 0; c < 4; c++)
        add_case_row(&suite, &table, c, 1, "kl", c < 2 ? 0.5 : 2, NAN);
    judge();
    const ebm_row *law = nth_row(&table, "check: m below 1", 0),
                  *claim = nth_row(&table, "check: kl above 3 at each step", 0);
    ck_assert_ptr_nonnull(law);
    ck_assert_ptr_nonnull(claim);
    ck_assert_str_eq(law->status, "held");
    ck_assert_str_eq(cell(&table, law, "learner"), "exact");
    ck_assert_str_eq(cell(&table, law, "seed"), "");
    ck_assert(law->value == 0.5);
    ck_assert_str_eq(claim->status, "did-not-reproduce");
    ck_assert_str_eq(nth_row(&table, "check: kl below 1", 0)->status, "not-checked");
    ck_assert_str_eq(results[0].worst_case, "rbm/bars-and-stripes/block-gibbs/exact");
    stop();
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("checks");
    tcase_add_test(tests, test_checks_bounds_are_inclusive_and_take_the_worst_row);
    tcase_add_test(tests, test_checks_are_widened_by_standard_errors);
    tcase_add_test(tests, test_checks_apply_at_their_size);
    tcase_add_test(tests, test_checks_without_rows);
    tcase_add_test(tests, test_checks_do_not_hold_over_failed_cases_or_missing_numbers);
    tcase_add_test(tests, test_checks_at_each_step_and_at_one);
    tcase_add_test(tests, test_checks_become_rows);
    return run_tests("checks", tests);
}
