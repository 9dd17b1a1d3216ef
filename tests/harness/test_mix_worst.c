/* `worst` of the runner `mix`: one number for all observables; and what `bench-mixing` says of them. */
#include "mix_case.h"

#include "ebm/observable.h"

#define RBM "{name: rbm, visible: 6, hidden: 4, init_scale: 1.5, init: normal}"
#define NORMAL "{name: gaussian, units: 3, covariance: diagonal, condition: 4}"
#define MIX(model, sampler, run)                                                                                       \
    "suite: s\nrunner: mix\ngrid: {model: " model ", sampler: " sampler "}\nrun: {" run "}\n"

/* Row `o`_`what` of the observable. */
static double of(const mix_case *m, const char *o, const char *what) {
    char name[80];
    snprintf(name, sizeof name, "%s%s", o, what);
    return mix_value(m, name);
}

static void worst_is_of_the_rows(const char *text, size_t observables, bool settled) {
    double ess = INFINITY, rhat = 0, tau = 0, z = 0;
    size_t found = 0;
    mix_case m;
    mix_run_ok(text, 0, 1, &m);
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++) {
        const char *o = ebm_observable_at(i)->name;
        if (!mix_row(&m, o))
            continue;
        ess = fmin(ess, of(&m, o, "_ess_bulk"));
        rhat = fmax(rhat, of(&m, o, "_rhat"));
        tau = fmax(tau, of(&m, o, "_tau"));
        z = fmax(z, fabs(of(&m, o, "") - of(&m, o, "_exact")) / mix_row(&m, o)->se);
        found++;
    }
    ck_assert_uint_eq(found, observables);
    ck_assert_double_eq(mix_value(&m, "least_ess"), ess);
    ck_assert_double_eq(mix_value(&m, "largest_rhat"), rhat);
    ck_assert_double_eq(mix_value(&m, "longest_tau"), tau);
    ck_assert_double_le(fabs(mix_value(&m, "largest_z") / z - 1), 1e-12);
    ck_assert((mix_row(&m, "settled_z") != NULL) == settled);
    if (settled)
        ck_assert_double_eq(mix_value(&m, "settled_z"), mix_value(&m, "largest_z"));
    ck_assert_double_le(fabs(mix_value(&m, "least_ess_per_evaluation") * of(&m, "energy", "_ess_bulk") /
                                 (of(&m, "energy", "_ess_per_evaluation") * ess) -
                             1),
                        1e-12);
    mix_close(&m);
}

START_TEST(test_mix_worst_is_of_the_rows) {
    worst_is_of_the_rows(MIX(RBM, "block-gibbs", "chains: 8, warmup: 200, draws: 2000, worst: true"), 5, true);
    worst_is_of_the_rows(MIX(NORMAL, "hmc", "chains: 8, warmup: 200, draws: 2000, worst: true"), 6, true);
}
END_TEST

/* Not of samplers that are not exact, and not of chains that have not mixed. */
START_TEST(test_mix_worst_settles_where_it_may) {
    worst_is_of_the_rows(MIX(NORMAL, "{name: ula, step: 0.2}", "chains: 8, warmup: 200, draws: 2000, worst: true"), 6,
                         false);
    worst_is_of_the_rows(MIX(RBM, "block-gibbs", "chains: 8, warmup: 0, draws: 20, worst: true"), 5, false);
}
END_TEST

START_TEST(test_mix_worst_is_not_there_unasked) {
    mix_case m;
    mix_run_ok(MIX(RBM, "block-gibbs", "chains: 8, draws: 50"), 0, 1, &m);
    ck_assert_ptr_null(mix_row(&m, "least_ess"));
    ck_assert_ptr_null(mix_row(&m, "largest_z"));
    mix_close(&m);
}
END_TEST

/* Times are of no interest here; that they are there and positive is. */
START_TEST(test_bench_mixing_gives_rates) {
    static const char *const rates[] = {"peak_gflops", "seconds_per_step", "evaluation_rate", "ess_per_second",
                                        "ess_per_gflop"};
    mix_case m;
    mix_run_ok("suite: s\nrunner: bench-mixing\ngrid: {model: " NORMAL ", sampler: hmc}\n"
               "run: {chains: 4, warmup: 50, draws: 50, repeats: 1, peak_size: 64}\n",
               0, 1, &m);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        ck_assert_double_gt(mix_value(&m, rates[i]), 0);
    mix_close(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("mix, the worst observable");
    TCase *c = tcase_create("worst");
    tcase_add_checked_fixture(c, mix_setup, mix_teardown);
    tcase_add_test(c, test_mix_worst_is_of_the_rows);
    tcase_add_test(c, test_mix_worst_settles_where_it_may);
    tcase_add_test(c, test_mix_worst_is_not_there_unasked);
    tcase_add_test(c, test_bench_mixing_gives_rates);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
