/* Generation against sampler steps, from its definition: the law after t steps is u T^t, u uniform, T the kernel of block
 * Gibbs summed over all hidden states; total variation, expected kernel discrepancy and expected energy gap follow from
 * it without the library. */
#include "small_chain.h"

#include "estimators/estimators.h"

enum { V = 5, H = 3, S = 1 << V, TIMES = 4 };

static const size_t times[TIMES] = {1, 2, 5, 30};
static const char *const times_text = "[1, 2, 5, 30]";

static ebm_model model;
static ebm_dataset data;
static ebm_sampler sampler;
static ebm_work *work;
static ebm_estimate_inputs inputs;

/* What has been emitted at each step of the curve; `elsewhere`: rows at other steps. */
typedef struct curve {
    ebm_sink sink;
    uint64_t step;
    double tv[TIMES], mmd[TIMES], gap[TIMES], equilibrium;
    size_t tvs, mmds, gaps, elsewhere;
} curve;

static void curve_at(ebm_sink *sink, uint64_t step) {
    ((curve *)sink)->step = step;
}

static ebm_status curve_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    curve *c = (curve *)sink;
    size_t k = 0;
    (void)se, (void)error;
    if (strcmp(metric, "equilibrium_tv") == 0) {
        c->equilibrium = value;
        return EBM_OK;
    }
    while (k < TIMES && times[k] != c->step)
        k++;
    if (k == TIMES)
        c->elsewhere++;
    else if (strcmp(metric, "generation_tv") == 0)
        c->tv[k] = value, c->tvs++;
    else if (strcmp(metric, "generation_mmd") == 0)
        c->mmd[k] = value, c->mmds++;
    else if (strcmp(metric, "generation_energy_gap") == 0)
        c->gap[k] = value, c->gaps++;
    return EBM_OK;
}

static ebm_status generate(const char *steps, const char *samples, curve *out) {
    void *options = calloc(1, ebm_generation.info.options_size);
    const ebm_option *table = ebm_generation.info.options;
    *out = (curve){.sink = {curve_emit, curve_at}, .equilibrium = NAN};
    CHECK_OK(ebm_options_default(table, options, ebm_generation.info.options_size, &failure));
    CHECK_OK(ebm_options_set(table, options, "steps", steps, NULL, &failure));
    CHECK_OK(ebm_options_set(table, options, "samples", samples, NULL, &failure));
    const ebm_status status = ebm_generation.estimate(options, &inputs, &out->sink, &failure);
    ebm_options_clear(table, options);
    free(options);
    return status;
}

/* The data's distribution: independent units, on with probability 0.73 and 0.27 in turn. The squared distance of two
 * draws is binomial(5, 0.394): 0.35 up to 1, 0.69 up to 2, so the median over pairs of a hundred draws is always
 * sqrt(2), the bandwidth. */
static const double bandwidth_squared = 2;

static double data_probability(size_t v) {
    double p = 1;
    for (size_t i = 0; i < V; i++)
        p *= (bit(v, i) > 0) == (i % 2 == 0) ? 0.73 : 0.27;
    return p;
}

/* Two modes, all units on and all off, the first the likelier: a chain from noise falls into either at once and passes
 * to the likelier one over tens of steps, so that a step too many shows. */
static void fill_model(void) {
    uint64_t state = 23;
    ebm_real *W = ebm_model_view(&model, "W"), *b = ebm_model_view(&model, "visible_bias");
    ebm_real *c = ebm_model_view(&model, "hidden_bias");
    for (size_t k = 0; k < (size_t)V * H; k++)
        W[k] = (ebm_real)(1.5 + 0.3 * small_uniform(&state));
    for (size_t i = 0; i < V; i++)
        b[i] = (ebm_real)(-0.5 * 1.5 * H + 0.3 + 0.3 * small_uniform(&state));
    for (size_t j = 0; j < H; j++)
        c[j] = (ebm_real)(-0.5 * 1.5 * V + 0.3 * small_uniform(&state));
    small_rbm_refresh(&model);
}

static void setup(void) {
    static const size_t codes[] = {3, 8, 21, 30, 31, 0, 21};
    small_rbm_create(V, H, &model);
    fill_model();
    small_dataset(&data, V, 1, codes, 7, codes);
    data.support_count = S;
    data.support = malloc(S * V * sizeof *data.support);
    data.support_log_probability = malloc(S * sizeof(double));
    for (size_t s = 0; s < S; s++) { /* in an order of its own */
        const size_t v = (7 * s + 3) % S;
        for (size_t i = 0; i < V; i++)
            data.support[s * V + i] = (ebm_real)bit(v, i);
        data.support_log_probability[s] = log(data_probability(v));
    }
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

/* law (TIMES, S) */
static void brute_laws(double *law) {
    static double T[S * S];
    double p[S], next[S];
    brute_kernel(&model, T);
    for (size_t v = 0; v < S; v++)
        p[v] = 1.0 / S;
    for (size_t t = 1, k = 0; k < TIMES; t++) {
        for (size_t w = 0; w < S; w++) {
            next[w] = 0;
            for (size_t v = 0; v < S; v++)
                next[w] += p[v] * T[v * S + w];
        }
        memcpy(p, next, sizeof p);
        if (t == times[k])
            memcpy(law + k++ * S, p, sizeof p);
    }
}

static double brute_variation(const double *p) {
    double sum = 0;
    for (size_t v = 0; v < S; v++)
        sum += fabs(p[v] - data_probability(v)) / 2;
    return sum;
}

/* E[MMD^2] = sum_vw (p_v - q_v)(p_w - q_w) exp(-|v - w|^2 / (2 h^2)), q the data's. */
static double brute_mmd(const double *p) {
    double sum = 0;
    for (size_t v = 0; v < S; v++)
        for (size_t w = 0; w < S; w++)
            sum += (p[v] - data_probability(v)) * (p[w] - data_probability(w)) *
                   exp(-(double)__builtin_popcountll(v ^ w) / (2 * bandwidth_squared));
    return sum;
}

static double energy_per_unit(size_t v) {
    return -log(brute_weight(&model, v)) / V;
}

/* In double 1e-10. In float energies are off by at most epsilon (energy_rounding), so a conditional by a factor within
 * exp(+-2 epsilon) and an entry of T within exp(+-4 epsilon); t steps multiply t such factors, and half the sum of
 * |p - q| moves by half of what p moves. */
static double variation_tolerance(size_t t) {
    return sizeof(ebm_real) == sizeof(double) ? 1e-10 : expm1(4 * (double)t * energy_rounding(&model)) / 2;
}

START_TEST(test_generation_total_variation_is_that_of_the_law_after_t_steps) {
    double law[TIMES * S], p[S];
    curve c;
    CHECK_OK(generate(times_text, "10", &c));
    brute_laws(law);
    for (size_t k = 0; k < TIMES; k++)
        ck_assert_double_eq_tol(c.tv[k], brute_variation(law + k * S), variation_tolerance(times[k]));
    brute_law(&model, p);
    ck_assert_double_eq_tol(c.equilibrium, brute_variation(p), variation_tolerance(1));
    ck_assert(c.tvs == TIMES && c.mmds == TIMES && c.gaps == TIMES && c.elsewhere == 0);
    ck_assert_double_gt(fabs(c.tv[0] - c.tv[1]), 0.01); /* the steps can be told apart */
}
END_TEST

/* Mean over seeds within 5 standard errors of the expectation: 6e-7 for a normal mean, at fixed seeds. */
static void near_over_seeds(const double *found, size_t seeds, size_t stride, double expected, const char *what,
                            size_t t) {
    double sum = 0, squares = 0;
    for (size_t s = 0; s < seeds; s++)
        sum += found[s * stride];
    const double mean = sum / (double)seeds;
    for (size_t s = 0; s < seeds; s++)
        squares += pow(found[s * stride] - mean, 2);
    const double se = sqrt(squares / (double)(seeds - 1) / (double)seeds);
    ck_assert_double_gt(se, 0);
    ck_assert_msg(fabs(mean - expected) <= 5 * se, "%s at %zu steps: %g +- %g, expected %g", what, t, mean, se,
                  expected);
}

enum { SEEDS = 300 };
static double mmds[SEEDS * TIMES], gaps[SEEDS * TIMES];

static void many_seeds(void) {
    curve c;
    for (uint32_t s = 0; s < SEEDS; s++) {
        inputs.seed = s;
        CHECK_OK(generate(times_text, "100", &c));
        memcpy(mmds + s * TIMES, c.mmd, sizeof c.mmd);
        memcpy(gaps + s * TIMES, c.gap, sizeof c.gap);
    }
}

START_TEST(test_generation_discrepancy_and_energy_gap_have_the_law_s_expectation) {
    double law[TIMES * S], data_energy = 0;
    brute_laws(law);
    many_seeds();
    for (size_t v = 0; v < S; v++)
        data_energy += data_probability(v) * energy_per_unit(v);
    for (size_t k = 0; k < TIMES; k++) {
        double gap = -data_energy;
        for (size_t v = 0; v < S; v++)
            gap += law[k * S + v] * energy_per_unit(v);
        near_over_seeds(mmds + k, SEEDS, TIMES, brute_mmd(law + k * S), "mmd", times[k]);
        near_over_seeds(gaps + k, SEEDS, TIMES, gap, "energy gap", times[k]);
    }
    ck_assert_double_gt(brute_mmd(law), 1e-3);
}
END_TEST

/* Without weights one step forgets the start: every state is a draw of the data's distribution. */
START_TEST(test_generation_of_the_data_s_own_distribution) {
    ebm_real *b = ebm_model_view(&model, "visible_bias");
    memset(model.theta, 0, model.n_theta * sizeof *model.theta);
    for (size_t i = 0; i < V; i++)
        b[i] = (ebm_real)(i % 2 == 0 ? log(0.73 / 0.27) : log(0.27 / 0.73));
    small_rbm_refresh(&model);
    many_seeds();
    for (size_t k = 0; k < TIMES; k++) {
        near_over_seeds(mmds + k, SEEDS, TIMES, 0, "mmd", times[k]);
        near_over_seeds(gaps + k, SEEDS, TIMES, 0, "energy gap", times[k]);
    }
    curve c;
    CHECK_OK(generate(times_text, "10", &c));
    for (size_t k = 0; k < TIMES; k++)
        ck_assert_double_le(c.tv[k], variation_tolerance(times[k]));
}
END_TEST

/* Where the data's distribution is not known: the first examples of the test half, and no total variation. */
START_TEST(test_generation_against_the_test_half) {
    static const size_t codes[] = {3, 8, 21, 30, 31, 0, 21};
    double law[TIMES * S], test_energy = 0;
    data.support_count = 0;
    brute_laws(law);
    many_seeds();
    for (size_t e = 0; e < 7; e++)
        test_energy += energy_per_unit(codes[e]) / 7;
    for (size_t k = 0; k < TIMES; k++) {
        double gap = -test_energy;
        for (size_t v = 0; v < S; v++)
            gap += law[k * S + v] * energy_per_unit(v);
        near_over_seeds(gaps + k, SEEDS, TIMES, gap, "energy gap", times[k]);
    }
    curve c;
    CHECK_OK(generate(times_text, "10", &c));
    ck_assert(c.tvs == 0 && isnan(c.equilibrium) && c.mmds == TIMES);
}
END_TEST

START_TEST(test_generation_repeats_and_moves_with_seed_and_step) {
    curve first, other;
    CHECK_OK(generate(times_text, "50", &first));
    CHECK_OK(generate(times_text, "50", &other));
    ck_assert_mem_eq(first.gap, other.gap, sizeof first.gap);
    inputs.step++;
    CHECK_OK(generate(times_text, "50", &other));
    ck_assert_double_ne(first.gap[0], other.gap[0]);
    inputs.step--;
    inputs.seed++;
    CHECK_OK(generate(times_text, "50", &other));
    ck_assert_double_ne(first.gap[0], other.gap[0]);
}
END_TEST

/* A distribution of one state: every distance between examples is 0, and there is still a bandwidth. */
START_TEST(test_generation_against_one_state) {
    curve c;
    data.support_count = 1;
    data.support_log_probability[0] = 0;
    CHECK_OK(generate(times_text, "20", &c));
    for (size_t k = 0; k < TIMES; k++)
        ck_assert(isfinite(c.mmd[k]) && c.mmd[k] > 0);
}
END_TEST

START_TEST(test_generation_refuses_steps_out_of_order) {
    static const char *const wrong[] = {"[2, 1]", "[1, 1]", "[1.5]"};
    curve c;
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        ck_assert_int_eq(generate(wrong[k], "10", &c), EBM_INVALID);
        ck_assert_uint_gt(strlen(failure.message), 0);
    }
    data.space = ebm_space_line(EBM_BINARY, V - 1);
    ck_assert_int_eq(generate(times_text, "10", &c), EBM_INVALID);
    data.space = ebm_space_line(EBM_BINARY, V);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("generation");
    TCase *tests = tcase_create("generation");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_generation_total_variation_is_that_of_the_law_after_t_steps);
    tcase_add_test(tests, test_generation_discrepancy_and_energy_gap_have_the_law_s_expectation);
    tcase_add_test(tests, test_generation_of_the_data_s_own_distribution);
    tcase_add_test(tests, test_generation_against_the_test_half);
    tcase_add_test(tests, test_generation_repeats_and_moves_with_seed_and_step);
    tcase_add_test(tests, test_generation_against_one_state);
    tcase_add_test(tests, test_generation_refuses_steps_out_of_order);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
