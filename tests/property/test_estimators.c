/* Estimators against sums over all states written from their definitions in this file: exact likelihoods, KL, total
 * variation, pseudo-likelihood, free-energy gap, reconstruction error; states and their codes. */
#include "small_rbm.h"

#include "ebm/enumerate.h"
#include "ebm/likelihood.h"
#include "estimators/estimators.h"

enum { V = 6, H = 4, STATES = 1 << V };

static const size_t train_codes[] = {0, 5, 63, 17, 17, 42, 9, 33, 60};
static const size_t test_codes[] = {1, 5, 12, 62, 33};
enum { TRAIN = sizeof train_codes / sizeof *train_codes, TEST = sizeof test_codes / sizeof *test_codes };

static ebm_model model;
static ebm_dataset data;
static ebm_work *work;
static ebm_estimate_inputs inputs;
static memory_sink memory;

static void setup(void) {
    small_rbm_create(V, H, &model);
    small_rbm_fill(&model, 1.5, -0.3, 11);
    small_dataset(&data, V, TRAIN, train_codes, TEST, test_codes);
    CHECK_OK(ebm_work_create(2, &work, &failure));
    inputs = (ebm_estimate_inputs){.model = &model, .data = &data, .seed = 3, .step = 7, .work = work};
}

static void teardown(void) {
    ebm_dataset_free(&data);
    ebm_model_free(&model);
    ebm_work_free(work);
}

static void run(const ebm_estimator_type *type, const char *const *settings) {
    CHECK_OK(small_estimate(type, settings, &inputs, &memory));
}

/* 1e-10 relative in the double build; in float what energy_rounding derives, once for E and once for log Z. */
static void near(const char *metric, double expected) {
    const double relative = 1e-10 * fmax(1, fabs(expected)), found = sink_value(&memory, metric);
    const double tolerance = sizeof(ebm_real) == sizeof(float) ? 2 * energy_rounding(&model) : relative;
    ck_assert_msg(fabs(found - expected) <= tolerance, "%s: %.17g, expected %.17g +- %.3g", metric, found, expected,
                  tolerance);
}

static void near_se(const char *metric, double expected) {
    const double tolerance = sizeof(ebm_real) == sizeof(float) ? 2 * energy_rounding(&model) : 1e-10;
    ck_assert_double_eq_tol(sink_se(&memory, metric), expected, tolerance);
}

/* Mean of f over codes, and its standard error, by the schoolbook formulas. */
static double mean_over(const size_t *codes, size_t count, double (*f)(size_t), double *se) {
    double sum = 0, squares = 0;
    for (size_t e = 0; e < count; e++)
        sum += f(codes[e]);
    for (size_t e = 0; e < count; e++)
        squares += pow(f(codes[e]) - sum / (double)count, 2);
    if (se)
        *se = sqrt(squares / (double)(count - 1) / (double)count);
    return sum / (double)count;
}

static double brute_loglik(size_t v) {
    return log(brute_weight(&model, v)) - brute_log_z(&model);
}

static double brute_free_energy(size_t v) {
    return -log(brute_weight(&model, v));
}

static double brute_pseudo(size_t v) {
    double sum = 0;
    for (size_t i = 0; i < V; i++)
        sum += log(brute_weight(&model, v) / (brute_weight(&model, v) + brute_weight(&model, v ^ (size_t)1 << i)));
    return sum;
}

START_TEST(test_exact_loglik_equals_enumeration) {
    double se;
    run(&ebm_exact_loglik, NULL);
    near("log_z", brute_log_z(&model));
    near("loglik_train", mean_over(train_codes, TRAIN, brute_loglik, NULL));
    near("loglik_test", mean_over(test_codes, TEST, brute_loglik, &se));
    near_se("loglik_test", se);
    ck_assert(isnan(sink_se(&memory, "log_z")));

    run(&ebm_exact_loglik, (const char *const[]){"train_examples", "4", "test_examples", "2", NULL});
    near("loglik_train", mean_over(train_codes, 4, brute_loglik, NULL));
    near("loglik_test", mean_over(test_codes, 2, brute_loglik, NULL));
}
END_TEST

START_TEST(test_exact_loglik_without_test_examples) {
    data.test.count = 0;
    run(&ebm_exact_loglik, NULL);
    ck_assert_uint_eq(memory.count, 2);
    inputs.data = NULL;
    run(&ebm_exact_loglik, NULL);
    ck_assert_uint_eq(memory.count, 1);
}
END_TEST

/* A support of some states with uneven probabilities, one of them 0. */
static void set_support(void) {
    static const size_t codes[] = {3, 8, 21, 40, 63};
    static const double p[] = {0.1, 0.25, 0.4, 0.25, 0};
    data.support_count = 5;
    data.support = malloc(5 * V * sizeof *data.support);
    data.support_log_probability = malloc(5 * sizeof(double));
    for (size_t s = 0; s < 5; s++) {
        for (size_t i = 0; i < V; i++)
            data.support[s * V + i] = (ebm_real)bit(codes[s], i);
        data.support_log_probability[s] = log(p[s]);
    }
}

START_TEST(test_kl_equals_enumeration) {
    set_support();
    double kl = 0, variation = 0, d[STATES] = {0};
    for (size_t s = 0; s < data.support_count; s++)
        d[ebm_states_code(&model.space, data.support + s * V)] = exp(data.support_log_probability[s]);
    for (size_t v = 0; v < STATES; v++) {
        const double p = exp(brute_loglik(v));
        kl += d[v] > 0 ? d[v] * log(d[v] / p) : 0;
        variation += 0.5 * fabs(d[v] - p); /* over all states, not over the support as the library does */
    }
    run(&ebm_kl, NULL);
    near("kl", kl);
    near("total_variation", variation);
}
END_TEST

START_TEST(test_kl_of_the_model_itself_is_zero) {
    data.support_count = STATES;
    data.support = malloc(STATES * V * sizeof *data.support);
    data.support_log_probability = malloc(STATES * sizeof(double));
    ebm_states_fill(&model.space, 0, STATES, data.support);
    for (size_t v = 0; v < STATES; v++)
        data.support_log_probability[v] = brute_loglik(v);
    run(&ebm_kl, NULL);
    near("kl", 0);
    near("total_variation", 0);
}
END_TEST

START_TEST(test_kl_needs_a_known_distribution) {
    ck_assert_int_eq(small_estimate(&ebm_kl, NULL, &inputs, &memory), EBM_UNSUPPORTED);
    ck_assert_uint_eq(memory.count, 0);
}
END_TEST

START_TEST(test_pseudo_likelihood_equals_enumeration) {
    double se;
    run(&ebm_pseudo_likelihood, NULL);
    /* V conditionals, each from a logit that is the difference of two energies */
    const double expected = mean_over(train_codes, TRAIN, brute_pseudo, &se);
    const double tolerance =
        sizeof(ebm_real) == sizeof(float) ? 2 * V * energy_rounding(&model) : 1e-10 * fabs(expected);
    ck_assert_double_eq_tol(sink_value(&memory, "pseudo_loglik_train"), expected, tolerance);
    ck_assert_double_eq_tol(sink_se(&memory, "pseudo_loglik_train"), se, tolerance);
    ck_assert_double_eq_tol(sink_value(&memory, "pseudo_loglik_test"), mean_over(test_codes, TEST, brute_pseudo, NULL),
                            tolerance);
}
END_TEST

/* Each seed's estimate is unbiased, so the mean over seeds lies within 5 standard errors of the exact value; a false
 * alarm has probability 6e-7 for a normal mean, and the seeds are fixed. */
START_TEST(test_pseudo_likelihood_random_sites_unbiased) {
    enum { SEEDS = 400 };
    double found[SEEDS], sum = 0, squares = 0;
    for (uint32_t s = 0; s < SEEDS; s++) {
        inputs.seed = s;
        run(&ebm_pseudo_likelihood, (const char *const[]){"exact_sites", "0", NULL});
        sum += found[s] = sink_value(&memory, "pseudo_loglik_train");
    }
    for (size_t s = 0; s < SEEDS; s++)
        squares += pow(found[s] - sum / SEEDS, 2);
    const double se = sqrt(squares / (SEEDS - 1) / SEEDS);
    ck_assert_double_gt(se, 0);
    ck_assert_double_le(fabs(sum / SEEDS - mean_over(train_codes, TRAIN, brute_pseudo, NULL)), 5 * se);
}
END_TEST

START_TEST(test_free_energy_gap_equals_enumeration) {
    double train_se, test_se;
    run(&ebm_free_energy_gap, NULL);
    const double train = mean_over(train_codes, TRAIN, brute_free_energy, &train_se);
    const double test = mean_over(test_codes, TEST, brute_free_energy, &test_se);
    near("free_energy_train", train);
    near("free_energy_test", test);
    near("free_energy_gap", train - test);
    near_se("free_energy_gap", sqrt(train_se * train_se + test_se * test_se));
}
END_TEST

/* Expected loss of unit i of state v over h ~ p(h | v), from the definition. */
static void brute_reconstruction(size_t v, double *mse, double *nats) {
    const ebm_real *W = ebm_model_view(&model, "W"), *b = ebm_model_view(&model, "visible_bias");
    const ebm_real *c = ebm_model_view(&model, "hidden_bias");
    *mse = *nats = 0;
    for (size_t h = 0; h < (size_t)1 << H; h++) {
        double p = 1;
        for (size_t j = 0; j < H; j++) {
            double field = (double)c[j];
            for (size_t i = 0; i < V; i++)
                field += bit(v, i) * (double)W[i * H + j];
            p *= 1 / (1 + exp(bit(h, j) > 0 ? -field : field));
        }
        for (size_t i = 0; i < V; i++) {
            double z = (double)b[i];
            for (size_t j = 0; j < H; j++)
                z += (double)W[i * H + j] * bit(h, j);
            const double m = 1 / (1 + exp(-z));
            *mse += p * pow(bit(v, i) - m, 2) / V;
            *nats -= p * log(bit(v, i) > 0 ? m : 1 - m);
        }
    }
}

/* The same bound as for random sites: 5 standard errors over seeds of the estimate's exact expectation. */
START_TEST(test_reconstruction_error_expectation) {
    enum { SEEDS = 400 };
    double found[2][SEEDS], exact[2] = {0, 0};
    for (size_t e = 0; e < TRAIN; e++) {
        double mse, nats;
        brute_reconstruction(train_codes[e], &mse, &nats);
        exact[0] += mse / TRAIN;
        exact[1] += nats / TRAIN;
    }
    for (uint32_t s = 0; s < SEEDS; s++) {
        inputs.seed = s;
        run(&ebm_reconstruction_error, NULL);
        found[0][s] = sink_value(&memory, "reconstruction_mse_train");
        found[1][s] = sink_value(&memory, "reconstruction_nats_train");
    }
    for (int k = 0; k < 2; k++) {
        double sum = 0, squares = 0;
        for (size_t s = 0; s < SEEDS; s++)
            sum += found[k][s];
        for (size_t s = 0; s < SEEDS; s++)
            squares += pow(found[k][s] - sum / SEEDS, 2);
        const double se = sqrt(squares / (SEEDS - 1) / SEEDS);
        ck_assert_double_gt(se, 0);
        ck_assert_double_le(fabs(sum / SEEDS - exact[k]), 5 * se);
    }
}
END_TEST

START_TEST(test_estimators_repeat_and_move_with_the_step) {
    run(&ebm_reconstruction_error, NULL);
    const double first = sink_value(&memory, "reconstruction_nats_train");
    run(&ebm_reconstruction_error, NULL);
    ck_assert_double_eq(sink_value(&memory, "reconstruction_nats_train"), first);
    inputs.step++;
    run(&ebm_reconstruction_error, NULL);
    ck_assert_double_ne(sink_value(&memory, "reconstruction_nats_train"), first);
}
END_TEST

START_TEST(test_estimators_refuse_what_is_not_finite) {
    static const ebm_estimator_type *const types[] = {&ebm_exact_loglik, &ebm_kl, &ebm_pseudo_likelihood,
                                                      &ebm_free_energy_gap, &ebm_reconstruction_error};
    set_support();
    for (size_t i = 0; i < model.n_theta; i++)
        model.theta[i] = NAN;
    small_rbm_refresh(&model);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        ck_assert_int_eq(small_estimate(types[t], NULL, &inputs, &memory), EBM_DIVERGED);
        ck_assert_uint_gt(strlen(failure.message), 0);
    }
}
END_TEST

START_TEST(test_estimators_refuse_data_of_another_space) {
    static const ebm_estimator_type *const types[] = {
        &ebm_exact_loglik, &ebm_kl, &ebm_ais, &ebm_pseudo_likelihood, &ebm_free_energy_gap, &ebm_reconstruction_error};
    data.space = ebm_space_line(EBM_BINARY, V - 1);
    data.support_count = 1;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        ck_assert_int_eq(small_estimate(types[t], NULL, &inputs, &memory), EBM_INVALID);
    data.support_count = 0;
}
END_TEST

/* More examples than a block of rows holds: the same mean as from the counts of states. */
START_TEST(test_examples_energy_across_blocks) {
    enum { WIDE = 2000, COUNT = 5000 };
    ebm_model wide;
    ebm_dataset many = {.space = ebm_space_line(EBM_BINARY, WIDE)};
    small_rbm_create(WIDE, 3, &wide);
    small_rbm_fill(&wide, 0.1, 0, 5);
    ck_assert_uint_lt(ebm_block_rows(&wide, COUNT), COUNT);
    many.train.count = COUNT;
    many.train.bytes = calloc(COUNT, WIDE); /* example e has unit e % WIDE on, and no other */
    double *energy = malloc(COUNT * sizeof *energy);
    for (size_t e = 0; e < COUNT; e++)
        many.train.bytes[e * WIDE + e % WIDE] = 1;
    CHECK_OK(ebm_examples_energy(&wide, &many, &many.train, 1, COUNT - 1, energy, work, &failure));
    const ebm_real *W = ebm_model_view(&wide, "W"), *b = ebm_model_view(&wide, "visible_bias");
    const ebm_real *c = ebm_model_view(&wide, "hidden_bias");
    for (size_t e = 1; e < COUNT; e++) {
        double expected = -(double)b[e % WIDE];
        for (size_t j = 0; j < 3; j++)
            expected -= log1p(exp((double)W[e % WIDE * 3 + j] + (double)c[j]));
        /* four sums of two terms below 1, softplus of each, and the linear term: fewer than 32 roundings of values < 1
         */
        ck_assert_double_eq_tol(energy[e - 1], expected, 32 * ROUNDING);
    }
    ck_assert_int_eq(ebm_examples_energy(&wide, &many, &many.train, 1, COUNT, energy, work, &failure), EBM_INVALID);
    free(energy);
    ebm_dataset_free(&many);
    ebm_model_free(&wide);
}
END_TEST

START_TEST(test_states_codes_round_trip) {
    const struct {
        ebm_space space;
        size_t count;
    } cases[] = {{ebm_space_line(EBM_BINARY, 5), 32},
                 {ebm_space_line(EBM_SPIN, 4), 16},
                 {{.domain = EBM_CATEGORICAL, .size = 3, .categories = 5, .rank = 1, .shape = {3}}, 125}};
    for (size_t k = 0; k < 3; k++) {
        ebm_real x[8];
        ck_assert_uint_eq(ebm_states_count(&cases[k].space), cases[k].count);
        for (size_t s = 0; s < cases[k].count; s++) {
            ebm_states_fill(&cases[k].space, s, 1, x);
            ck_assert_uint_eq(ebm_states_code(&cases[k].space, x), s);
        }
    }
    ebm_real x[8];
    ebm_states_fill(&cases[1].space, 1, 1, x); /* unit 0 is the least significant digit */
    ck_assert(x[0] == 1 && x[1] == -1 && x[2] == -1 && x[3] == -1);
    ebm_states_fill(&cases[2].space, 7, 1, x);
    ck_assert(x[0] == 2 && x[1] == 1 && x[2] == 0);
    const ebm_space real = ebm_space_line(EBM_REAL_LINE, 2), large = ebm_space_line(EBM_BINARY, 63);
    ck_assert_uint_eq(ebm_states_count(&real), 0);
    ck_assert_uint_eq(ebm_states_count(&large), 0);
}
END_TEST

START_TEST(test_states_log_probabilities_equal_enumeration) {
    double log_p[STATES], log_z;
    CHECK_OK(ebm_model_log_probabilities(&model, ebm_path_end(), log_p, &log_z, work, &failure));
    const double tolerance = sizeof(ebm_real) == sizeof(float) ? 2 * energy_rounding(&model) : 1e-10;
    ck_assert_double_eq_tol(log_z, brute_log_z(&model), tolerance);
    for (size_t v = 0; v < STATES; v++)
        ck_assert_double_eq_tol(log_p[v], brute_loglik(v), tolerance);
    ebm_model large;
    small_rbm_create(23, 2, &large);
    ck_assert_int_eq(ebm_model_log_probabilities(&large, ebm_path_end(), log_p, NULL, work, &failure), EBM_UNSUPPORTED);
    ebm_model_free(&large);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("estimators");
    TCase *tests = tcase_create("estimators");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_exact_loglik_equals_enumeration);
    tcase_add_test(tests, test_exact_loglik_without_test_examples);
    tcase_add_test(tests, test_kl_equals_enumeration);
    tcase_add_test(tests, test_kl_of_the_model_itself_is_zero);
    tcase_add_test(tests, test_kl_needs_a_known_distribution);
    tcase_add_test(tests, test_pseudo_likelihood_equals_enumeration);
    tcase_add_test(tests, test_pseudo_likelihood_random_sites_unbiased);
    tcase_add_test(tests, test_free_energy_gap_equals_enumeration);
    tcase_add_test(tests, test_reconstruction_error_expectation);
    tcase_add_test(tests, test_estimators_repeat_and_move_with_the_step);
    tcase_add_test(tests, test_estimators_refuse_what_is_not_finite);
    tcase_add_test(tests, test_estimators_refuse_data_of_another_space);
    tcase_add_test(tests, test_examples_energy_across_blocks);
    tcase_add_test(tests, test_states_codes_round_trip);
    tcase_add_test(tests, test_states_log_probabilities_equal_enumeration);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
