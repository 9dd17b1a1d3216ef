/* Categories by inverse and by alias, sums of uniforms: tables against their definitions, draws against their laws. Seeds
 * are fixed; a false alarm of a statistical test has probability 1e-6. */
#include "ebm/diagnostics.h"
#include "ebm/draws.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAWS = 7, MOST = 2000 };

/* Weights of law i: alone, equal, halves, with zeros at both ends and within, steep, random, one heavy beside many light. */
static size_t weights_of(int law, double *w) {
    static const double zeros[] = {0, 0, 3, 0, 1, 0.5, 0, 2, 0, 0};
    const size_t counts[LAWS] = {1, 7, 40, 10, 300, MOST, 1001}, K = counts[law];
    for (size_t k = 0; k < K; k++)
        w[k] = law == 2   ? ldexp(1, -(int)k)
               : law == 3 ? zeros[k]
               : law == 4 ? pow((double)k + 1, -2)
               : law == 5 ? ebm_random_uniform1(ebm_stream_of(3, EBM_PURPOSE_TARGET), 0, 0, (uint32_t)k)
               : law == 6 ? (k == 500 ? 1e6 : 1)
                          : 2.5;
    return K;
}

/* The probability that the alias table gives each category, from its columns. */
START_TEST(test_draws_tables_hold_the_law) {
    double w[MOST], p[MOST] = {0}, total = 0;
    const size_t K = weights_of(_i, w);
    ebm_categorical law;
    ck_assert_int_eq(ebm_categorical_create(w, K, &law, NULL), EBM_OK);
    for (size_t k = 0; k < K; k++) {
        ck_assert(law.keep[k] >= 0 && law.keep[k] <= 1 && law.alias[k] < K);
        p[k] += law.keep[k] / (double)K;
        p[law.alias[k]] += (1 - law.keep[k]) / (double)K;
        total += w[k];
    }
    /* each of K steps of Vose's loop rounds a number of at most K columns: K u in columns, u in probability, each */
    for (size_t k = 0; k < K; k++) {
        const double below = k > 0 ? law.cumulative[k - 1] : 0;
        ck_assert_double_eq_tol(p[k], w[k] / total, 0x1p-52 * (double)K);
        ck_assert_double_eq_tol(law.cumulative[k] - below, w[k] / total, 0x1p-52 * (double)K);
        ck_assert(w[k] > 0 || (p[k] == 0 && law.cumulative[k] == below));
    }
    ck_assert(law.cumulative[K - 1] == 1);
    ebm_categorical_free(&law);
}
END_TEST

START_TEST(test_draws_inverse_is_the_first_above) {
    double w[MOST];
    const size_t K = weights_of(_i, w);
    ebm_categorical law;
    ck_assert_int_eq(ebm_categorical_create(w, K, &law, NULL), EBM_OK);
    for (size_t k = 0; k < K; k++) {
        const double below = k > 0 ? law.cumulative[k - 1] : 0, above = law.cumulative[k];
        if (!(above > below))
            continue;
        ck_assert_uint_eq(ebm_categorical_inverse(&law, below), k); /* closed on the left, open on the right */
        ck_assert_uint_eq(ebm_categorical_inverse(&law, nextafter(above, 0)), k);
    }
    const double ends[] = {0x1p-53, 1 - 0x1p-53};
    for (int e = 0; e < 2; e++) {
        ck_assert(w[ebm_categorical_inverse(&law, ends[e])] > 0);
        ck_assert(w[ebm_categorical_alias(&law, ends[e])] > 0);
    }
    ebm_categorical_free(&law);
}
END_TEST

START_TEST(test_draws_categories_by_chi_square) {
    enum { DRAWS = 200000 };
    double w[MOST], counts[MOST] = {0}, total = 0;
    const ebm_categorical_method method = _i % 2 ? EBM_CATEGORICAL_ALIAS : EBM_CATEGORICAL_INVERSE;
    const size_t K = weights_of(_i / 2, w);
    uint32_t *x = malloc((DRAWS + 1) * sizeof *x);
    ebm_categorical law;
    ebm_chi_square got;
    ck_assert_int_eq(ebm_categorical_create(w, K, &law, NULL), EBM_OK);
    x[DRAWS] = 99;
    ebm_random_categorical(&law, method, ebm_stream_of(8, EBM_PURPOSE_SAMPLE), 1, 2, DRAWS, x);
    ck_assert_uint_eq(x[DRAWS], 99);
    size_t wrong = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        const double u = ebm_random_uniform1(ebm_stream_of(8, EBM_PURPOSE_SAMPLE), 1, 2, (uint32_t)i);
        wrong += x[i] != (_i % 2 ? ebm_categorical_alias(&law, u) : ebm_categorical_inverse(&law, u));
        counts[x[i]]++;
    }
    ck_assert_uint_eq(wrong, 0);
    for (size_t k = 0; k < K; k++)
        total += w[k];
    for (size_t k = 0; k < K; k++)
        w[k] /= total;
    ck_assert_int_eq(ebm_chi_square_test(counts, w, K, 5, &got, NULL), EBM_OK);
    ck_assert_msg(K == 1 || got.p_value > 1e-6, "chi^2 %g of %zu cells", got.statistic, got.cells);
    ebm_categorical_free(&law);
    free(x);
}
END_TEST

START_TEST(test_draws_categorical_refuses_nonsense) {
    ebm_error error;
    ebm_categorical law;
    const double negative[] = {1, -1}, nothing[] = {0, 0}, wrong[] = {1, NAN}, huge[] = {1e308, 1e308};
    ck_assert_int_eq(ebm_categorical_create(negative, 2, &law, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "category 1 has the weight -1"));
    ck_assert_int_eq(ebm_categorical_create(nothing, 2, &law, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_categorical_create(wrong, 2, &law, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_categorical_create(huge, 2, &law, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_categorical_create(negative, 0, &law, &error), EBM_INVALID);
}
END_TEST

/* Draw i is the standardised sum of its own words, whatever the pieces; 4 units of rounding of ebm_real. */
START_TEST(test_draws_uniform_sums_equal_definition) {
    static const size_t counts[] = {1, 2, 3, 7, 12, 48};
    enum { DRAWS = 400 };
    const double unit = sizeof(ebm_real) == sizeof(float) ? 0x1p-24 : 0x1p-50;
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        const size_t N = counts[c];
        uint32_t *words = malloc(N * DRAWS * sizeof *words);
        ebm_real x[DRAWS + 1], fewer[DRAWS];
        const ebm_stream stream = ebm_stream_of(9, EBM_PURPOSE_SAMPLE);
        ebm_random_words(stream, 4, 5, N * DRAWS, words);
        x[DRAWS] = 77;
        ebm_random_uniform_sum(stream, 4, 5, N, DRAWS, x);
        ebm_random_uniform_sum(stream, 4, 5, N, 123, fewer);
        ck_assert(x[DRAWS] == 77);
        ck_assert_mem_eq(x, fewer, 123 * sizeof *x);
        for (size_t i = 0; i < DRAWS; i++) {
            double sum = 0;
            for (size_t k = 0; k < N; k++)
                sum += ((double)words[N * i + k] + 0.5) * 0x1p-32 - 0.5;
            ck_assert_double_eq_tol((double)x[i], sum * sqrt(12 / (double)N), 4 * unit * sqrt(3 * (double)N));
        }
        free(words);
    }
}
END_TEST

START_TEST(test_draws_uniform_sum_cdf) {
    /* N = 1, 2, 3 by hand; each N is the convolution of N - 1 with a uniform: F_N(x) = int_(x-1)^x F_(N-1), by Simpson's rule
     * on 512 intervals, exact to 1e-12 where F is smooth enough (N > 5). */
    for (double z = -2; z <= 2; z += 0.05) {
        const double x1 = 0.5 + z / sqrt(12), x2 = 1 + z / sqrt(6), y2 = x2 < 1 ? x2 : 2 - x2;
        ck_assert_double_eq_tol(ebm_uniform_sum_cdf(z, 1), fmin(fmax(x1, 0), 1), 1e-15);
        ck_assert_double_eq_tol(ebm_uniform_sum_cdf(z, 2), x2 < 1 ? fmax(y2, 0) * y2 / 2 : 1 - y2 * y2 / 2, 1e-15);
    }
    for (size_t N = 6; N <= 48; N += 7)
        for (double z = -3; z <= 3; z += 0.25) {
            enum { INTERVALS = 512 };
            const double x = (double)N / 2 + z * sqrt((double)N / 12), less = (double)(N - 1);
            double sum = 0;
            for (int k = 0; k <= INTERVALS; k++) {
                const double at = x - 1 + k / (double)INTERVALS, weight = k % INTERVALS == 0 ? 1 : k % 2 ? 4 : 2;
                sum += weight * ebm_uniform_sum_cdf((at - less / 2) / sqrt(less / 12), N - 1) / (3 * INTERVALS);
            }
            ck_assert_double_eq_tol(ebm_uniform_sum_cdf(z, N), sum, N <= 24 ? 1e-11 : 1e-8);
        }
    ck_assert(ebm_uniform_sum_cdf(-40, 12) == 0 && ebm_uniform_sum_cdf(40, 12) == 1);
    ck_assert_double_eq_tol(ebm_uniform_sum_cdf(0, 48), 0.5, 1e-8);
}
END_TEST

START_TEST(test_draws_uniform_sums_have_their_law) {
    enum { DRAWS = 100000 };
    static const size_t counts[] = {1, 2, 12};
    const size_t N = counts[_i];
    ebm_work *work;
    ebm_kolmogorov own, normal;
    ebm_real *x = malloc(DRAWS * sizeof *x);
    double *u = malloc(DRAWS * sizeof *u);
    ck_assert_int_eq(ebm_work_create(1, &work, NULL), EBM_OK);
    ebm_random_uniform_sum(ebm_stream_of(10, EBM_PURPOSE_SAMPLE), 0, 0, N, DRAWS, x);
    for (size_t i = 0; i < DRAWS; i++)
        u[i] = ebm_uniform_sum_cdf((double)x[i], N);
    ck_assert_int_eq(ebm_kolmogorov_test(u, DRAWS, &own, work, NULL), EBM_OK);
    ck_assert_msg(own.p_value > 1e-6, "N = %zu: D %g, p %g", N, own.distance, own.p_value);
    for (size_t i = 0; i < DRAWS; i++)
        u[i] = erfc(-(double)x[i] / M_SQRT2) / 2;
    ck_assert_int_eq(ebm_kolmogorov_test(u, DRAWS, &normal, work, NULL), EBM_OK);
    ck_assert(N > 2 || normal.p_value < 1e-6); /* 2 uniforms are 0.016 from a normal law, 12 are 0.0023 */
    ebm_work_free(work);
    free(x);
    free(u);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("draws");
    TCase *cases = tcase_create("statistical");
    tcase_add_loop_test(cases, test_draws_tables_hold_the_law, 0, LAWS);
    tcase_add_loop_test(cases, test_draws_inverse_is_the_first_above, 0, LAWS);
    tcase_add_loop_test(cases, test_draws_categories_by_chi_square, 0, 2 * LAWS);
    tcase_add_test(cases, test_draws_categorical_refuses_nonsense);
    tcase_add_test(cases, test_draws_uniform_sums_equal_definition);
    tcase_add_test(cases, test_draws_uniform_sum_cdf);
    tcase_add_loop_test(cases, test_draws_uniform_sums_have_their_law, 0, 3);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
