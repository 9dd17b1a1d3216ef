/* The runner `mix`, and what `estimate` and `mix` share: cases without data. */
#include "mix_case.h"

#include "ebm/real.h"

START_TEST(test_estimate_needs_no_dataset) {
    mix_case m;
    mix_run_ok("suite: s\nrunner: estimate\ngrid: {model: {name: rbm, visible: 4, hidden: 3, init_scale: 1}}\n"
               "measure: exact-loglik\n",
               0, 1, &m);
    ck_assert_str_eq(m.suite.cases[0].name, "rbm/seed-1");
    ck_assert_str_eq(m.keys[EBM_COLUMN_DATASET], "");
    ck_assert_uint_eq(m.out.table.n_rows, 1);
    ck_assert(mix_value(&m, "log_z") > 0);
    mix_close(&m);
}
END_TEST

/* Without data a model whose options do not say what its units are cannot be made: a failure that says so. */
START_TEST(test_estimate_without_dataset_says_what_is_missing) {
    mix_case m;
    mix_run("suite: s\nrunner: estimate\ngrid: {model: {name: rbm, hidden: 3}}\nmeasure: exact-loglik\n", 0, "case", 1,
            0, &m);
    ck_assert_int_eq(m.status, EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(m.error.message, "model rbm needs a dataset"));
    mix_close(&m);
}
END_TEST

START_TEST(test_estimate_without_dataset_refuses_what_needs_one) {
    ebm_suite suite;
    parse_suite("suite: s\nrunner: estimate\ngrid: {model: {name: rbm, visible: 4, hidden: 3}}\nmeasure: kl\n",
                EBM_SIZE_FULL, &suite);
    ck_assert_str_eq(suite.cases[0].not_applicable, "estimator kl needs a dataset");
    ebm_suite_free(&suite);
}
END_TEST

int main(void) {
    TCase *t = tcase_create("mix");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, mix_setup, mix_teardown);
    tcase_add_test(t, test_estimate_needs_no_dataset);
    tcase_add_test(t, test_estimate_without_dataset_says_what_is_missing);
    tcase_add_test(t, test_estimate_without_dataset_refuses_what_needs_one);
    return run_tests("mix", t);
}
