/* Annealed importance sampling, forwards and backwards, against log Z by sums over all states: exact cases, unbiased
 * weights, the bracket, the effect of more temperatures; and that planted mistakes are found by the same checks. */
#include "small_rbm.h"

#include "ebm/enumerate.h"
#include "ebm/likelihood.h"
#include "estimators/estimators.h"

enum { V = 7, H = 5 };

static ebm_model model;
static ebm_dataset data;
static ebm_base base;
static ebm_work *work;
static double exact, log_z_base;

/* The base is fitted to lopsided data, so that it is neither uniform nor near the model. */
static void setup(void) {
    static const size_t codes[] = {0x7f, 0x0f, 0x07, 0x03, 0x23, 0x01, 0x15, 0x01};
    small_rbm_create(V, H, &model);
    small_rbm_fill(&model, 1.6, 0.2, 5);
    small_dataset(&data, V, 8, codes, 4, codes);
    CHECK_OK(ebm_work_create(1, &work, &failure));
    CHECK_OK(ebm_base_fit(&model.space, &data, 1, &base, &failure));
    exact = brute_log_z(&model);
    log_z_base = model.type->log_base_normaliser(&model, &base);
}

static void teardown(void) {
    ebm_dataset_free(&data);
    ebm_model_free(&model);
    ebm_base_free(&base);
    ebm_work_free(work);
}

static ebm_ais_settings settings_of(size_t temperatures, size_t chains, uint32_t seed, bool reverse) {
    return (ebm_ais_settings){.temperatures = temperatures,
                              .chains = chains,
                              .stream = ebm_stream_of(seed, reverse ? EBM_PURPOSE_REVERSE_AIS : EBM_PURPOSE_AIS)};
}

static void log_weights(const ebm_model *of, const ebm_ais_settings *settings, bool reverse, double *log_weight) {
    const ebm_ais_start start = {.origin = EBM_AIS_ORIGIN_EXACT};
    if (reverse)
        CHECK_OK(ebm_ais_reverse(of, &base, settings, &start, log_weight, work, &failure));
    else
        CHECK_OK(ebm_ais_forward(of, &base, settings, log_weight, work, &failure));
}

static ebm_ais_summary estimate(const ebm_model *of, size_t temperatures, size_t chains, uint32_t seed, bool reverse) {
    double log_weight[200];
    ebm_ais_summary summary;
    const ebm_ais_settings settings = settings_of(temperatures, chains, seed, reverse);
    ck_assert_uint_le(chains, 200);
    log_weights(of, &settings, reverse, log_weight);
    CHECK_OK(ebm_ais_summarise(log_z_base, log_weight, chains, reverse, &summary, work, &failure));
    return summary;
}

START_TEST(test_ais_base_normaliser_equals_enumeration) {
    ebm_model flat;
    small_rbm_create(V, H, &flat);
    memset(flat.theta, 0, flat.n_theta * sizeof *flat.theta);
    memcpy(ebm_model_view(&flat, "visible_bias"), base.parameters, V * sizeof(ebm_real));
    small_rbm_refresh(&flat);
    /* V softplus terms and H log 2, all in double */
    ck_assert_double_eq_tol(log_z_base, brute_log_z(&flat), 1e-12);
    ebm_model_free(&flat);
}
END_TEST

/* All energies along the path are 0 for every x: no weight may differ from 1 by even a rounding. */
START_TEST(test_ais_zero_machine_is_exact) {
    const ebm_estimate_inputs inputs = {.model = &model, .work = work};
    memory_sink memory;
    memset(model.theta, 0, model.n_theta * sizeof *model.theta);
    small_rbm_refresh(&model);
    CHECK_OK(
        small_estimate(&ebm_ais, (const char *const[]){"temperatures", "50", "chains", "20", NULL}, &inputs, &memory));
    ck_assert_double_eq_tol(sink_value(&memory, "log_z_ais"), (V + H) * M_LN2, 1e-14 * (V + H));
    ck_assert_double_eq_tol(sink_value(&memory, "log_z_reverse"), (V + H) * M_LN2, 1e-14 * (V + H));
    ck_assert_double_eq(sink_value(&memory, "bracket_width"), 0);
    ck_assert_double_eq(sink_se(&memory, "log_z_ais"), 0);
    ck_assert_double_eq(sink_value(&memory, "ais_log_weight_sd"), 0);
    ck_assert_double_eq_tol(sink_value(&memory, "ais_ess"), 20, 1e-12);
}
END_TEST

/* (mean over seeds of Z_estimate / Z - 1) / s.e. for the forward walk, of its reciprocal for the backward one: within 5
 * with false alarm 6e-7 for a normal mean. 12,000 weights whose logarithms spread by 0.5 resolve a bias of 1 %. */
static double bias_in_errors(const ebm_model *of, bool reverse) {
    enum { SEEDS = 200 };
    double ratio[SEEDS], sum = 0, squares = 0;
    for (uint32_t s = 0; s < SEEDS; s++) {
        const ebm_ais_summary summary = estimate(of, 30, 60, s, reverse);
        sum += ratio[s] = exp((reverse ? -1 : 1) * (summary.log_z - exact));
    }
    for (size_t s = 0; s < SEEDS; s++)
        squares += pow(ratio[s] - sum / SEEDS, 2);
    return (sum / SEEDS - 1) / sqrt(squares / (SEEDS - 1) / SEEDS);
}

START_TEST(test_ais_weights_are_unbiased) {
    const double z = bias_in_errors(&model, _i);
    ck_assert_msg(fabs(z) <= 5, "%s: off by %.2f standard errors", _i ? "reverse" : "forward", z);
}
END_TEST

/* The exact value lies in [AIS - 3 s.e., reverse + 3 s.e.]. Either end fails with probability at most 1.35e-3 a seed
 * for normal errors (and less, as each estimate is biased outwards): 4 or more misses in 20 seeds have probability
 * below C(20, 4) (2.7e-3)^4 = 2.6e-7. */
static size_t bracket_misses(const ebm_model *of) {
    size_t misses = 0;
    for (uint32_t s = 0; s < 20; s++) {
        const ebm_ais_summary low = estimate(of, 30, 100, 1000 + s, false);
        const ebm_ais_summary high = estimate(of, 30, 100, 1000 + s, true);
        misses += !(low.log_z - 3 * low.se <= exact && exact <= high.log_z + 3 * high.se);
    }
    return misses;
}

START_TEST(test_ais_bracket_holds_the_exact_value) {
    ck_assert_uint_le(bracket_misses(&model), 3);
}
END_TEST

static double rms_error(size_t temperatures, bool reverse) {
    double squares = 0;
    for (uint32_t s = 0; s < 100; s++)
        squares += pow(estimate(&model, temperatures, 20, 5000 + s, reverse).log_z - exact, 2);
    return sqrt(squares / 100);
}

/* The variance of a log-weight falls as 1 / temperatures once neighbouring distributions are close, so ten times as
 * many divide the error by 3.2. Over 100 seeds the logarithm of the ratio of two such errors has standard deviation
 * sqrt(2 / 200) = 0.1: a ratio above 0.55, 0.55 away in the logarithm, is 5.5 standard deviations off. */
START_TEST(test_ais_error_falls_with_temperatures) {
    const double few = rms_error(10, _i), many = rms_error(100, _i);
    ck_assert_msg(many < 0.55 * few, "%g at 10 temperatures, %g at 100", few, many);
}
END_TEST

/* Planted mistakes: the same machine with one slot wrong. */
static void wrong_sign(const ebm_model *of, ebm_path from, ebm_path to, const ebm_batch *batch, double *out,
                       ebm_work *w) {
    ebm_rbm.energy_difference(of, from, to, batch, out, w);
    for (size_t b = 0; b < batch->count; b++)
        out[b] = -out[b];
}

static void wrong_temperature(const ebm_model *of, ebm_path path, ebm_batch *batch, ebm_stream stream, uint32_t first,
                              uint64_t step, ebm_work *w) {
    path.beta *= 0.7;
    ebm_rbm.sample_hidden(of, path, batch, stream, first, step, w);
}

START_TEST(test_ais_planted_wrong_sign_is_found) {
    ebm_model_type type = ebm_rbm;
    ebm_model wrong = model;
    type.energy_difference = wrong_sign;
    wrong.type = &type;
    ck_assert_double_gt(fabs(bias_in_errors(&wrong, false)), 5);
    ck_assert_double_gt(fabs(bias_in_errors(&wrong, true)), 5);
    ck_assert_uint_gt(bracket_misses(&wrong), 3);
}
END_TEST

START_TEST(test_ais_planted_wrong_temperature_is_found) {
    ebm_model_type type = ebm_rbm;
    ebm_model wrong = model;
    type.sample_hidden = wrong_temperature;
    wrong.type = &type;
    ck_assert_double_gt(fabs(bias_in_errors(&wrong, false)), 5);
    ck_assert_double_gt(fabs(bias_in_errors(&wrong, true)), 5);
}
END_TEST

/* The walks are the same; each increment is then a difference of two energies, each off by its rounding. */
START_TEST(test_ais_without_energy_difference_agrees) {
    enum { CHAINS = 50, TEMPERATURES = 40 };
    double with[CHAINS], without[CHAINS];
    ebm_model_type type = ebm_rbm;
    ebm_model plain = model;
    type.energy_difference = NULL;
    plain.type = &type;
    for (int reverse = 0; reverse < 2; reverse++) {
        const ebm_ais_settings settings = settings_of(TEMPERATURES, CHAINS, 1, reverse);
        log_weights(&model, &settings, reverse, with);
        log_weights(&plain, &settings, reverse, without);
        for (size_t c = 0; c < CHAINS; c++)
            ck_assert_double_eq_tol(with[c], without[c], 2 * TEMPERATURES * 2 * energy_rounding(&model));
    }
}
END_TEST

/* With one temperature there is no transition: a log-weight is one increment of the chain's own starting state. */
START_TEST(test_ais_blocks_keep_the_chains) {
    enum { CHAINS = 50 };
    double whole[CHAINS], cut[CHAINS];
    for (int reverse = 0; reverse < 2; reverse++) {
        ebm_ais_settings settings = settings_of(1, CHAINS, 1, reverse);
        log_weights(&model, &settings, reverse, whole);
        settings.block = 7;
        log_weights(&model, &settings, reverse, cut);
        for (size_t c = 0; c < CHAINS; c++)
            ck_assert_double_eq_tol(whole[c], cut[c], 2 * energy_rounding(&model));
    }
}
END_TEST

START_TEST(test_ais_same_bytes_for_any_threads) {
    enum { CHAINS = 150 };
    double one[CHAINS], many[CHAINS];
    ebm_model large;
    ebm_dataset even = {.space = ebm_space_line(EBM_BINARY, 70)};
    ebm_base uniform;
    small_rbm_create(70, 45, &large);
    small_rbm_fill(&large, 0.3, 0, 9);
    CHECK_OK(ebm_base_fit(&even.space, NULL, 0, &uniform, &failure));
    for (int reverse = 0; reverse < 2; reverse++)
        for (int threads = 1; threads <= 3; threads++) {
            const ebm_ais_settings settings = settings_of(30, CHAINS, 4, reverse);
            const ebm_ais_start start = {.origin = EBM_AIS_ORIGIN_AUTO, .sweeps = 5};
            double *out = threads == 1 ? one : many;
            ebm_work *own;
            CHECK_OK(ebm_work_create(threads, &own, &failure));
            if (reverse)
                CHECK_OK(ebm_ais_reverse(&large, &uniform, &settings, &start, out, own, &failure));
            else
                CHECK_OK(ebm_ais_forward(&large, &uniform, &settings, out, own, &failure));
            ebm_work_free(own);
            ck_assert(threads == 1 || memcmp(one, many, sizeof one) == 0);
        }
    ebm_base_free(&uniform);
    ebm_model_free(&large);
}
END_TEST

/* Chains from data, long enough for this machine: the same law as exact draws, so the estimates of many chains agree
 * within 5 of their joint standard errors. */
START_TEST(test_ais_reverse_from_chains_agrees_with_exact_draws) {
    enum { CHAINS = 4000 };
    double *log_weight = malloc(CHAINS * sizeof *log_weight);
    const ebm_ais_settings settings = settings_of(20, CHAINS, 8, true);
    const ebm_ais_origin origins[] = {EBM_AIS_ORIGIN_EXACT, EBM_AIS_ORIGIN_DATA, EBM_AIS_ORIGIN_BASE};
    for (size_t k = 0; k < 3; k++) {
        const ebm_ais_start start = {origins[k], 100, &data, &data.test};
        ebm_ais_summary summary;
        CHECK_OK(ebm_ais_reverse(&model, &base, &settings, &start, log_weight, work, &failure));
        CHECK_OK(ebm_ais_summarise(log_z_base, log_weight, CHAINS, true, &summary, work, &failure));
        ck_assert_double_le(fabs(summary.log_z - exact), 5 * summary.se);
    }
    const ebm_ais_start nowhere = {.origin = EBM_AIS_ORIGIN_DATA};
    ck_assert_int_eq(ebm_ais_reverse(&model, &base, &settings, &nowhere, log_weight, work, &failure), EBM_UNSUPPORTED);
    free(log_weight);
}
END_TEST

START_TEST(test_ais_summary_of_known_weights) {
    const double log_weight[] = {log(1) + 1000, log(2) + 1000, log(3) + 1000}; /* mean 2, s.e. 1 / sqrt 3 */
    const double r = 1 / sqrt(3) / 2;
    ebm_ais_summary s;
    CHECK_OK(ebm_ais_summarise(5, log_weight, 3, false, &s, work, &failure));
    ck_assert_double_eq_tol(s.log_z, 1005 + log(2), 1e-12); /* numbers near 1000 in double */
    ck_assert_double_eq_tol(s.se, r, 1e-12);
    ck_assert_double_eq_tol(s.low, 1005 + log(2) + log(1 - 3 * r), 1e-12);
    ck_assert_double_eq_tol(s.high, 1005 + log(2) + log(1 + 3 * r), 1e-12);
    ck_assert_double_eq_tol(s.ess, 36.0 / 14, 1e-12);
    ck_assert_double_eq_tol(s.log_weight_sd,
                            sqrt((pow(log(6) / 3, 2) + pow(log(2) - log(6) / 3, 2) + pow(log(3) - log(6) / 3, 2)) / 2),
                            1e-12);
    /* reverse: the mean of 1, 1/2, 1/3 */
    const double mean = 11.0 / 18, sd = sqrt((pow(1 - mean, 2) + pow(0.5 - mean, 2) + pow(1.0 / 3 - mean, 2)) / 2);
    const double q = sd / sqrt(3) / mean;
    CHECK_OK(ebm_ais_summarise(5, log_weight, 3, true, &s, work, &failure));
    ck_assert_double_eq_tol(s.log_z, 1005 - log(mean), 1e-12);
    ck_assert_double_eq_tol(s.se, q, 1e-12);
    ck_assert_double_eq_tol(s.low, 1005 - log(mean) - log(1 + 3 * q), 1e-12);
    ck_assert_double_eq_tol(s.high, 1005 - log(mean) - log(1 - 3 * q), 1e-12);
    /* one weight outweighs the rest: three s.e. reach below 0 */
    const double uneven[] = {0, 0, 50};
    CHECK_OK(ebm_ais_summarise(0, uneven, 3, false, &s, work, &failure));
    ck_assert(s.low == -INFINITY && isfinite(s.high));
    CHECK_OK(ebm_ais_summarise(0, uneven, 1, false, &s, work, &failure));
    ck_assert(isnan(s.se) && s.low == -INFINITY && s.high == INFINITY && s.log_z == 0);
    const double broken[] = {0, NAN};
    ck_assert_int_eq(ebm_ais_summarise(0, broken, 2, false, &s, work, &failure), EBM_DIVERGED);
    ck_assert_int_eq(ebm_ais_summarise(0, broken, 0, false, &s, work, &failure), EBM_INVALID);
}
END_TEST

START_TEST(test_ais_schedules_rise_from_0_to_1) {
    for (int schedule = EBM_SCHEDULE_LINEAR; schedule <= EBM_SCHEDULE_SIGMOID; schedule++)
        for (size_t K = 1; K <= 100; K++) {
            ck_assert_double_eq(ebm_schedule_beta(schedule, K, 0), 0);
            ck_assert_double_eq(ebm_schedule_beta(schedule, K, K), 1);
            for (size_t k = 0; k < K; k++)
                ck_assert_double_lt(ebm_schedule_beta(schedule, K, k), ebm_schedule_beta(schedule, K, k + 1));
        }
    /* 500, 4000 and 10,000 even steps; a few roundings of numbers below 1 */
    for (size_t k = 0; k <= 14500; k++) {
        const double expected = k <= 500    ? 0.5 * (double)k / 500
                                : k <= 4500 ? 0.5 + 0.4 * (double)(k - 500) / 4000
                                            : 0.9 + 0.1 * (double)(k - 4500) / 10000;
        ck_assert_double_eq_tol(ebm_schedule_beta(EBM_SCHEDULE_PIECEWISE, 14500, k), expected, 1e-14);
    }
}
END_TEST

START_TEST(test_ais_likelihoods_combine_errors) {
    const ebm_estimate_inputs inputs = {.model = &model, .data = &data, .seed = 2, .step = 3, .work = work};
    memory_sink memory;
    ebm_mean_value test, train;
    CHECK_OK(small_estimate(&ebm_ais, (const char *const[]){"temperatures", "20", NULL}, &inputs, &memory));
    CHECK_OK(ebm_examples_mean_energy(&model, &data, &data.test, 0, &test, work, &failure));
    CHECK_OK(ebm_examples_mean_energy(&model, &data, &data.train, 0, &train, work, &failure));
    const double log_z = sink_value(&memory, "log_z_ais"), se = sink_se(&memory, "log_z_ais");
    ck_assert_double_gt(se, 0);
    ck_assert_double_eq(sink_value(&memory, "loglik_test_ais"), -test.mean - log_z);
    ck_assert_double_eq_tol(sink_se(&memory, "loglik_test_ais"), sqrt(test.se * test.se + se * se), 1e-15);
    ck_assert_double_eq(sink_value(&memory, "loglik_train_ais"), -train.mean - log_z);
    ck_assert_double_eq(sink_se(&memory, "loglik_train_ais"), se);
    ck_assert_double_eq(sink_value(&memory, "loglik_test_reverse"), -test.mean - sink_value(&memory, "log_z_reverse"));
    ck_assert_double_eq(sink_value(&memory, "log_z_base"), log_z_base);
    ck_assert_double_le(sink_value(&memory, "log_z_ais_low"), log_z);
    ck_assert_double_ge(sink_value(&memory, "log_z_ais_high"), log_z);
    const size_t with_reverse = memory.count;
    CHECK_OK(small_estimate(&ebm_ais, (const char *const[]){"temperatures", "20", "reverse", "false", NULL}, &inputs,
                            &memory));
    ck_assert_uint_eq(memory.count, with_reverse - 3);
    ck_assert_double_eq(sink_value(&memory, "log_z_ais"), log_z); /* the forward walk has numbers of its own */
}
END_TEST

START_TEST(test_ais_refuses_what_cannot_be) {
    double log_weight[4];
    ebm_ais_settings settings = settings_of(5, 4, 1, false);
    const ebm_ais_start start = {.origin = EBM_AIS_ORIGIN_EXACT};
    model.theta[0] = NAN;
    model.theta[model.n_theta - 1] = NAN;
    small_rbm_refresh(&model);
    ck_assert_int_eq(ebm_ais_forward(&model, &base, &settings, log_weight, work, &failure), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(failure.message, "inverse temperatures 0 and 0.2"));
    ck_assert_int_eq(ebm_ais_reverse(&model, &base, &settings, &start, log_weight, work, &failure), EBM_DIVERGED);

    ebm_model_type type = ebm_rbm;
    ebm_model without = model;
    type.sample_visible = NULL;
    without.type = &type;
    ck_assert_int_eq(ebm_ais_forward(&without, &base, &settings, log_weight, work, &failure), EBM_UNSUPPORTED);
    settings.temperatures = 0;
    ck_assert_int_eq(ebm_ais_forward(&model, &base, &settings, log_weight, work, &failure), EBM_INVALID);
    settings = settings_of(5, 0, 1, false);
    ck_assert_int_eq(ebm_ais_forward(&model, &base, &settings, log_weight, work, &failure), EBM_INVALID);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ais");
    TCase *tests = tcase_create("ais");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_ais_base_normaliser_equals_enumeration);
    tcase_add_test(tests, test_ais_zero_machine_is_exact);
    tcase_add_loop_test(tests, test_ais_weights_are_unbiased, 0, 2); /* forwards, backwards */
    tcase_add_test(tests, test_ais_bracket_holds_the_exact_value);
    tcase_add_loop_test(tests, test_ais_error_falls_with_temperatures, 0, 2);
    tcase_add_test(tests, test_ais_planted_wrong_sign_is_found);
    tcase_add_test(tests, test_ais_planted_wrong_temperature_is_found);
    tcase_add_test(tests, test_ais_without_energy_difference_agrees);
    tcase_add_test(tests, test_ais_blocks_keep_the_chains);
    tcase_add_test(tests, test_ais_same_bytes_for_any_threads);
    tcase_add_test(tests, test_ais_reverse_from_chains_agrees_with_exact_draws);
    tcase_add_test(tests, test_ais_summary_of_known_weights);
    tcase_add_test(tests, test_ais_schedules_rise_from_0_to_1);
    tcase_add_test(tests, test_ais_likelihoods_combine_errors);
    tcase_add_test(tests, test_ais_refuses_what_cannot_be);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
