/* Autocorrelation times measured on a restricted Boltzmann machine against their exact values: the kernel of block Gibbs
 * summed over all hidden states, and the fundamental matrix of the chain (diagnostics.h). */
#include "small_chain.h"

#include "ebm/diagnostics.h"
#include "estimators/estimators.h"

enum { V = 5, H = 3, S = 1 << V, WATCHED = 3, CHAINS = 50, DRAWS = 10000 };

static const char *const metrics[WATCHED] = {"autocorrelation_time_energy", "autocorrelation_time_magnetisation",
                                             "autocorrelation_time_m2"};
static const char *const settings[] = {"chains", "50", "draws", "10000", "exact_states", "0", NULL};

static ebm_model model;
static ebm_dataset data;
static ebm_sampler sampler;
static ebm_work *work;
static ebm_estimate_inputs inputs;
static memory_sink memory;

static void setup(void) {
    static const size_t codes[] = {3, 8, 21};
    small_rbm_create(V, H, &model);
    small_dataset(&data, V, 3, codes, 0, codes);
    small_block_gibbs(&model, &sampler);
    CHECK_OK(ebm_work_create(1, &work, &failure));
    inputs = (ebm_estimate_inputs){.model = &model,
                                   .data = &data,
                                   .sampler = &sampler,
                                   .path = ebm_path_end(),
                                   .seed = 3,
                                   .step = 7,
                                   .work = work};
}

static void teardown(void) {
    ebm_sampler_free(&sampler);
    ebm_dataset_free(&data);
    ebm_model_free(&model);
    ebm_work_free(work);
}

/* f (WATCHED, S): energy per unit, m = mean of 2 v - 1, m^2, from their definitions. */
static void brute_observables(double *f) {
    for (size_t v = 0; v < S; v++) {
        double m = 0;
        for (size_t i = 0; i < V; i++)
            m += (2 * bit(v, i) - 1) / V;
        f[v] = -log(brute_weight(&model, v)) / V;
        f[S + v] = m;
        f[2 * S + v] = m * m;
    }
}

/* tau (WATCHED), and the chain's second eigenvalue. */
static double exact_times(double *tau) {
    static double T[S * S], f[WATCHED * S];
    double p[S];
    ebm_chain_spectrum spectrum;
    brute_kernel(&model, T);
    brute_law(&model, p);
    brute_observables(f);
    const ebm_exact_chain chain = {T, p, S};
    CHECK_OK(ebm_exact_chain_autocorrelation_time(&chain, f, WATCHED, tau, work, &failure));
    CHECK_OK(ebm_exact_chain_spectrum(&chain, &spectrum, work, &failure));
    return spectrum.second;
}

/* Within 5 standard errors (6e-7 for a normal estimate, at fixed seeds) and what the window leaves out: block Gibbs has
 * no negative eigenvalues, so rho_t <= lambda_2^t, and a window of M >= 5 tau loses at most 2 sum_(t > M) lambda_2^t.
 * The common mean costs another (2 M + 1) / (chains draws) of tau, M <= 5 tau + 1. */
static void check_times(void) {
    double tau[WATCHED];
    const double second = exact_times(tau);
    CHECK_OK(small_estimate(&ebm_autocorrelation_time_estimator, settings, &inputs, &memory));
    ck_assert_uint_eq(memory.count, WATCHED);
    for (size_t k = 0; k < WATCHED; k++) {
        const double found = sink_value(&memory, metrics[k]), se = sink_se(&memory, metrics[k]);
        const double window = floor(EBM_SOKAL_WINDOW * (tau[k] - 5 * se));
        const double left_out = 2 * pow(second, window + 1) / (1 - second);
        const double mean_cost = tau[k] * (10 * tau[k] + 3) / ((double)CHAINS * DRAWS);
        ck_assert_double_lt(se, 0.1 * tau[k]); /* sharp enough to mean something */
        ck_assert_msg(fabs(found - tau[k]) <= 5 * se + left_out + mean_cost, "%s: %g +- %g, exactly %g (- %g)",
                      metrics[k], found, se, tau[k], left_out);
    }
    CHECK_OK(small_estimate(&ebm_autocorrelation_time_estimator, NULL, &inputs, &memory)); /* by default: no walk */
    ck_assert_uint_eq(memory.count, WATCHED);
    for (size_t k = 0; k < WATCHED; k++) {
        ck_assert_double_eq_tol(sink_value(&memory, metrics[k]), tau[k], 1e-5 * tau[k]); /* theta is in ebm_real */
        ck_assert(isnan(sink_se(&memory, metrics[k])));
    }
}

START_TEST(test_autocorrelation_time_of_independent_draws) {
    memset(model.theta, 0, model.n_theta * sizeof *model.theta);
    ebm_model_view(&model, "visible_bias")[0] = 1;
    ebm_model_view(&model, "visible_bias")[2] = (ebm_real)-0.5;
    small_rbm_refresh(&model);
    double tau[WATCHED];
    exact_times(tau);
    for (size_t k = 0; k < WATCHED; k++)
        ck_assert_double_eq_tol(tau[k], 1, 1e-9);
    check_times();
}
END_TEST

START_TEST(test_autocorrelation_time_is_that_of_the_fundamental_matrix) {
    static const double scales[] = {1, 2, 3};
    small_rbm_fill(&model, scales[_i], -0.2, 41 + (uint64_t)_i);
    check_times();
}
END_TEST

/* Two modes, all units on and all off, with equal weight: m remembers which, its square does not. */
START_TEST(test_autocorrelation_time_of_two_modes) {
    const double w = 1.5;
    ebm_real *W = ebm_model_view(&model, "W"), *b = ebm_model_view(&model, "visible_bias");
    ebm_real *c = ebm_model_view(&model, "hidden_bias");
    for (size_t k = 0; k < (size_t)V * H; k++)
        W[k] = (ebm_real)w;
    for (size_t i = 0; i < V; i++)
        b[i] = (ebm_real)(-w * H / 2);
    for (size_t j = 0; j < H; j++)
        c[j] = (ebm_real)(-w * V / 2);
    small_rbm_refresh(&model);
    double tau[WATCHED];
    exact_times(tau);
    ck_assert_double_gt(tau[1], 4 * tau[2]);
    check_times();
}
END_TEST

START_TEST(test_autocorrelation_time_of_a_frozen_machine_gives_no_row) {
    memset(model.theta, 0, model.n_theta * sizeof *model.theta);
    for (size_t i = 0; i < V; i++)
        ebm_model_view(&model, "visible_bias")[i] = 200;
    small_rbm_refresh(&model);
    CHECK_OK(small_estimate(&ebm_autocorrelation_time_estimator,
                            (const char *const[]){"draws", "50", "exact_states", "0", NULL}, &inputs, &memory));
    ck_assert_uint_eq(memory.count, 0);
}
END_TEST

START_TEST(test_autocorrelation_time_repeats_and_refuses_another_space) {
    static const char *const few[] = {"draws", "200", "exact_states", "0", NULL};
    small_rbm_fill(&model, 1, 0, 41);
    CHECK_OK(small_estimate(&ebm_autocorrelation_time_estimator, few, &inputs, &memory));
    const double first = sink_value(&memory, metrics[0]);
    CHECK_OK(small_estimate(&ebm_autocorrelation_time_estimator, few, &inputs, &memory));
    ck_assert_double_eq(sink_value(&memory, metrics[0]), first);
    inputs.step++;
    CHECK_OK(small_estimate(&ebm_autocorrelation_time_estimator, few, &inputs, &memory));
    ck_assert_double_ne(sink_value(&memory, metrics[0]), first);
    data.space = ebm_space_line(EBM_BINARY, V - 1);
    ck_assert_int_eq(small_estimate(&ebm_autocorrelation_time_estimator, few, &inputs, &memory), EBM_INVALID);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("autocorrelation estimator");
    TCase *tests = tcase_create("autocorrelation estimator");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_autocorrelation_time_of_independent_draws);
    tcase_add_loop_test(tests, test_autocorrelation_time_is_that_of_the_fundamental_matrix, 0, 3);
    tcase_add_test(tests, test_autocorrelation_time_of_two_modes);
    tcase_add_test(tests, test_autocorrelation_time_of_a_frozen_machine_gives_no_row);
    tcase_add_test(tests, test_autocorrelation_time_repeats_and_refuses_another_space);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
