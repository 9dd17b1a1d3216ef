/* The kernelised Stein discrepancy against its definition by differences of the kernel, and what its statistics promise
 * on normal samples.
 *
 * Bounds are rounding, or 5 to 6 standard errors at fixed seeds. */
#include "small_rbm.h"

#include "ebm/stein.h"
#include "normal_target.h"

static ebm_work *work;

static void setup(void) {
    CHECK_OK(ebm_work_create(2, &work, &failure));
    target_set(0, 1);
}

static void teardown(void) {
    ebm_work_free(work);
}

enum { ROWS = 300, UNITS = 3 };

static double kernel(const double *x, const double *y, double c) {
    double square = c * c;
    for (size_t i = 0; i < UNITS; i++)
        square += (x[i] - y[i]) * (x[i] - y[i]);
    return 1 / sqrt(square);
}

/* k_0 by central differences of k with step h = 1e-3: errors h^2 / 6 times fourth derivatives, of order 1 to 100 for
 * c >= 1, and 2^-53 / h^2 = 1e-10 of rounding. */
static double stein_kernel(const double *x, const double *sx, const double *y, const double *sy, double c) {
    const double h = 1e-3;
    double sum = 0;
    for (size_t i = 0; i < UNITS; i++) {
        double xp[UNITS], xm[UNITS], yp[UNITS], ym[UNITS];
        memcpy(xp, x, sizeof xp), memcpy(xm, x, sizeof xm), memcpy(yp, y, sizeof yp), memcpy(ym, y, sizeof ym);
        xp[i] += h, xm[i] -= h, yp[i] += h, ym[i] -= h;
        sum += sx[i] * sy[i] * kernel(x, y, c);
        sum += sx[i] * (kernel(x, yp, c) - kernel(x, ym, c)) / (2 * h);
        sum += sy[i] * (kernel(xp, y, c) - kernel(xm, y, c)) / (2 * h);
        sum += (kernel(xp, yp, c) - kernel(xp, ym, c) - kernel(xm, yp, c) + kernel(xm, ym, c)) / (4 * h * h);
    }
    return sum;
}

static void fill(size_t count, double *x, double *score, uint64_t seed) {
    for (size_t k = 0; k < count * UNITS; k++) {
        x[k] = 5 + 2 * small_uniform(&seed);
        score[k] = small_uniform(&seed);
    }
}

START_TEST(test_stein_equals_its_definition) {
    enum { N = 30 };
    double x[N * UNITS], score[N * UNITS], between = 0, own = 0, without[N] = {0}, mean = 0, squares = 0;
    ebm_stein got;
    fill(N, x, score, 5);
    for (size_t c = 1; c <= 2; c++) {
        between = own = mean = squares = 0;
        for (size_t a = 0; a < N; a++)
            for (size_t b = 0; b < N; b++) {
                const double k = stein_kernel(x + UNITS * a, score + UNITS * a, x + UNITS * b, score + UNITS * b, c);
                *(a == b ? &own : &between) += k;
            }
        for (size_t out = 0; out < N; out++) {
            without[out] = 0;
            for (size_t a = 0; a < N; a++)
                for (size_t b = 0; b < N; b++)
                    if (a != b && a != out && b != out)
                        without[out] +=
                            stein_kernel(x + UNITS * a, score + UNITS * a, x + UNITS * b, score + UNITS * b, c) /
                            ((N - 1) * (N - 2));
            mean += without[out] / N;
        }
        for (size_t out = 0; out < N; out++)
            squares += pow(without[out] - mean, 2) * (N - 1) / N;
        CHECK_OK(ebm_stein_discrepancy(x, score, N, UNITS, c, 0, ebm_stream_of(1, 1), 0, &got, work, &failure));
        ck_assert_double_eq_tol(got.squared, between / (N * (N - 1)), 1e-4);
        ck_assert_double_eq_tol(got.discrepancy, sqrt((between + own) / (N * N)), 1e-4);
        ck_assert_double_eq_tol(got.se, sqrt(squares), 1e-4);
        ck_assert(isnan(got.p_value));
    }
}
END_TEST

/* Blocks of rows, and signs: the same sums by one loop over all pairs. Rounding of sums of 1e5 terms of order 1. */
START_TEST(test_stein_signs) {
    enum { REPLICATES = 200 };
    static double x[ROWS * UNITS], score[ROWS * UNITS], k[ROWS][ROWS];
    uint32_t words[ROWS];
    double total = 0;
    size_t above = 0, ties = 0;
    ebm_stein got, again;
    fill(ROWS, x, score, 8);
    for (size_t a = 0; a < ROWS; a++)
        for (size_t b = 0; b < ROWS; b++) {
            k[a][b] =
                a == b ? 0 : stein_kernel(x + UNITS * a, score + UNITS * a, x + UNITS * b, score + UNITS * b, 1.5);
            total += k[a][b];
        }
    for (uint32_t r = 0; r < REPLICATES; r++) {
        double sum = 0;
        ebm_random_words(ebm_stream_of(6, 2), r, 9, ROWS, words);
        for (size_t a = 0; a < ROWS; a++)
            for (size_t b = 0; b < ROWS; b++)
                sum += (words[a] >> 31 ? 1 : -1) * (words[b] >> 31 ? 1 : -1) * k[a][b];
        above += sum >= total;
        ties += fabs(sum - total) < 1; /* 1e-5 of each of 9e4 terms */
    }
    CHECK_OK(
        ebm_stein_discrepancy(x, score, ROWS, UNITS, 1.5, REPLICATES, ebm_stream_of(6, 2), 9, &got, work, &failure));
    ck_assert_double_le(fabs(got.p_value * (REPLICATES + 1) - 1 - (double)above), (double)ties + 1e-9);
    for (size_t i = 0; i < ROWS * UNITS; i++) /* where the origin is does not matter */
        x[i] += 1000;
    CHECK_OK(ebm_stein_discrepancy(x, score, ROWS, UNITS, 1.5, 0, ebm_stream_of(6, 2), 9, &again, work, &failure));
    ck_assert_double_eq_tol(again.squared, got.squared, 1e-9 * fmax(1, fabs(got.squared)));
}
END_TEST

/* A sample of the target with `shift` added, at one seed. */
static ebm_stein of_normals(size_t count, size_t V, double shift, double width, uint32_t seed) {
    ebm_model model;
    ebm_batch batch;
    ebm_stein out;
    target_open(V, &model);
    CHECK_OK(ebm_batch_create(&model, count, &batch, &failure));
    CHECK_OK(target_sample_exact(&model, ebm_path_end(), &batch, ebm_stream_of(seed, 2), 0, 0, work, &failure));
    for (size_t k = 0; k < count * V; k++)
        batch.x[k] = (ebm_real)(width * (double)batch.x[k] + shift);
    CHECK_OK(
        ebm_stein_of_states(&model, ebm_path_end(), &batch, 0, 199, ebm_stream_of(seed, 3), 0, &out, work, &failure));
    ebm_batch_free(&batch);
    ebm_model_free(&model);
    return out;
}

/* On the law itself p is uniform on the multiples of 1/200, up to O(1/n) of the signs' law: of SEEDS samples the number
 * with p <= 0.1 is binomial(300, 0.1), 30 +- 5.2, and with p <= 0.5 150 +- 8.7; six of these. The U-statistic's mean is
 * 0, its jackknife error not below the truth in the mean. */
START_TEST(test_stein_of_the_law_itself) {
    enum { SEEDS = 300 };
    size_t tenth = 0, half = 0;
    double mean = 0, squares = 0, claimed = 0;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        const ebm_stein stein = of_normals(100, 2, 0, 1, seed);
        tenth += stein.p_value <= 0.1;
        half += stein.p_value <= 0.5;
        mean += stein.squared / SEEDS;
        squares += stein.squared * stein.squared / SEEDS;
        claimed += stein.se * stein.se / SEEDS;
    }
    ck_assert_msg(fabs((double)tenth - 30) < 6 * 5.2, "%zu of 300 with p <= 0.1", tenth);
    ck_assert_msg(fabs((double)half - 150) < 6 * 8.7, "%zu of 300 with p <= 0.5", half);
    ck_assert_double_lt(fabs(mean), 6 * sqrt(squares / SEEDS));
    ck_assert_double_gt(claimed, 0.8 * squares);
}
END_TEST

/* Shifts and widths that 300 states show: p is the least that 199 signs can give. */
START_TEST(test_stein_sees_what_is_wrong) {
    ck_assert_double_eq_tol(of_normals(300, 2, 0.5, 1, 1).p_value, 1.0 / 200, 1e-12);
    ck_assert_double_eq_tol(of_normals(300, 2, 0, 1.5, 1).p_value, 1.0 / 200, 1e-12);
    ck_assert_double_eq_tol(of_normals(300, 2, 0, 0.6, 1).p_value, 1.0 / 200, 1e-12);
    const ebm_stein shifted = of_normals(300, 2, 0.5, 1, 1);
    ck_assert_double_gt(shifted.squared, 5 * shifted.se);
}
END_TEST

/* For N(m, s^2 I) the score of the shifted sample is off by a constant: with y = x + a, the discrepancy's mean square is
 * E[k(y, y')] |a|^2 (the terms of the right score have mean 0), here by an independent sum over pairs. */
START_TEST(test_stein_of_a_shift) {
    enum { N = 2000 };
    const double a = 0.3, c = 1;
    ebm_model model;
    ebm_batch batch;
    ebm_stein got;
    double sum = 0;
    target_open(UNITS, &model);
    CHECK_OK(ebm_batch_create(&model, N, &batch, &failure));
    CHECK_OK(target_sample_exact(&model, ebm_path_end(), &batch, ebm_stream_of(3, 2), 0, 0, work, &failure));
    for (size_t k = 0; k < N * UNITS; k++)
        batch.x[k] += (ebm_real)a;
    CHECK_OK(ebm_stein_of_states(&model, ebm_path_end(), &batch, c, 0, ebm_stream_of(3, 3), 0, &got, work, &failure));
    for (size_t p = 0; p < N; p += 2) {
        double u[UNITS], v[UNITS];
        for (size_t i = 0; i < UNITS; i++)
            u[i] = (double)batch.x[p * UNITS + i], v[i] = (double)batch.x[(p + 1) * UNITS + i];
        sum += kernel(u, v, c) * UNITS * a * a / (N / 2);
    }
    ck_assert_double_lt(fabs(got.squared - sum), 6 * got.se);
    ck_assert_double_gt(got.squared, 5 * got.se);
    ebm_batch_free(&batch);
    ebm_model_free(&model);
}
END_TEST

/* The sampler `exact` on the target, and one that stays where it is. */
static ebm_status stay(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains, size_t steps,
                       ebm_work *lent, ebm_error *error) {
    (void)sampler, (void)model, (void)path, (void)lent, (void)error;
    chains->step += steps;
    return EBM_OK;
}
static const ebm_option stay_table[] = {EBM_OPTIONS_END};
static const ebm_sampler_type stays = {
    .info = {"stay", "", "", stay_table, 0}, .domains = 1u << EBM_REAL_LINE, .step = stay};

static memory_sink memory;
static uint64_t last_step;
static void at(ebm_sink *sink, uint64_t step) {
    (void)sink;
    last_step = step;
}

static ebm_status estimate(const ebm_sampler_type *type, const char *steps, uint32_t seed) {
    static const char *const list[] = {"0", "5", "20"};
    unsigned char options[256] = {0};
    ebm_model model;
    ebm_sampler sampler;
    target_open(2, &model);
    CHECK_OK(ebm_sampler_create(type, NULL, &model, &sampler, &failure));
    CHECK_OK(ebm_options_default(ebm_stein_estimator.info.options, options, sizeof options, &failure));
    CHECK_OK(ebm_options_set(ebm_stein_estimator.info.options, options, "samples", "300", NULL, &failure));
    CHECK_OK(ebm_options_set(ebm_stein_estimator.info.options, options, "dispersion", "2", NULL, &failure));
    if (steps)
        CHECK_OK(ebm_options_set_list(ebm_stein_estimator.info.options, options, "steps", 1, &steps, NULL, &failure));
    else
        CHECK_OK(ebm_options_set_list(ebm_stein_estimator.info.options, options, "steps", 3, list, NULL, &failure));
    const ebm_estimate_inputs inputs = {
        .model = &model, .sampler = &sampler, .path = ebm_path_end(), .seed = seed, .work = work};
    memory = (memory_sink){.sink = {memory_emit, at}};
    const ebm_status status = ebm_stein_estimator.estimate(options, &inputs, &memory.sink, &failure);
    ebm_options_clear(ebm_stein_estimator.info.options, options);
    ebm_sampler_free(&sampler);
    ebm_model_free(&model);
    return status;
}

START_TEST(test_stein_estimator) {
    CHECK_OK(estimate(&ebm_exact_draws, NULL, 1));
    ck_assert_uint_eq(memory.count, 9);
    ck_assert_uint_eq(last_step, 20);
    for (size_t k = 0; k < 3; k++) /* three fresh samples: each within the jackknife's 6 errors, none at the least p */
        ck_assert_double_lt(fabs(memory.rows[3 * k + 1].value), 6 * memory.rows[3 * k + 1].se);
    ck_assert_double_gt(sink_value(&memory, "stein_discrepancy_p"), 1e-3);
    CHECK_OK(estimate(&stays, "7", 1)); /* N(0, 2^2) for N(0, 1) */
    ck_assert_double_gt(sink_value(&memory, "stein_squared"), 5 * sink_se(&memory, "stein_squared"));
    ck_assert_double_eq_tol(sink_value(&memory, "stein_discrepancy_p"), 1e-3, 1e-12);
    ck_assert_int_eq(estimate(&stays, "1.5", 1), EBM_INVALID);
}
END_TEST

START_TEST(test_stein_refusals) {
    double x[] = {0, 0, 0, 0, 0, 0}, score[] = {0, 0, 0, 0, 0, NAN};
    const ebm_stream stream = ebm_stream_of(1, 1);
    ebm_stein out;
    ck_assert_int_eq(ebm_stein_discrepancy(x, score, 1, 3, 1, 0, stream, 0, &out, work, &failure), EBM_INVALID);
    ck_assert_int_eq(ebm_stein_discrepancy(x, score, 2, 3, -1, 0, stream, 0, &out, work, &failure), EBM_INVALID);
    ck_assert_int_eq(ebm_stein_discrepancy(x, score, 2, 3, 1, 0, stream, 0, &out, work, &failure), EBM_DIVERGED);
    score[5] = 0;
    ck_assert_int_eq(ebm_stein_discrepancy(x, score, 2, 3, 0, 0, stream, 0, &out, work, &failure), EBM_INVALID);
    CHECK_OK(ebm_stein_discrepancy(x, score, 2, 3, 2, 0, stream, 0, &out, work, &failure));
    ck_assert(isnan(out.se));
    ck_assert_double_eq_tol(out.squared, 3.0 / 8, 1e-14); /* d / c^3 */
}
END_TEST

int main(void) {
    Suite *suite = suite_create("stein");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_stein_equals_its_definition);
    tcase_add_test(tests, test_stein_signs);
    tcase_add_test(tests, test_stein_of_the_law_itself);
    tcase_add_test(tests, test_stein_sees_what_is_wrong);
    tcase_add_test(tests, test_stein_of_a_shift);
    tcase_add_test(tests, test_stein_estimator);
    tcase_add_test(tests, test_stein_refusals);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
