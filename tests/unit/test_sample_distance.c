/* Chi-square of counts and kernel MMD: closed forms, plain double loops, laws that differ and laws that do not. */
#include "ebm/diagnostics.h"
#include "ebm/random.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <string.h>

static ebm_work *work;

static void open_work(void) {
    ck_assert_int_eq(ebm_work_create(2, &work, NULL), EBM_OK);
}

static void close_work(void) {
    ebm_work_free(work);
}

static double normal(uint32_t seed, uint32_t chain, uint64_t step) {
    const ebm_stream stream = ebm_stream_of(seed, EBM_PURPOSE_SAMPLE);
    const double u = ebm_random_uniform1(stream, chain, step, 0), v = ebm_random_uniform1(stream, chain, step, 1);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

START_TEST(test_chi_square_tail_closed_forms) {
    /* degrees 1: erfc sqrt(s/2); 2 k: e^(-s/2) sum_(j<k) (s/2)^j / j!. Where the series gives 1 - P the error is one of
     * 1, hence the absolute part; the exponent of e^(-s/2) s^a magnifies rounding by its size. */
    for (double s = 1e-6; s < 1200; s *= 1.23) {
        const double tolerance = 1e-14, h = s / 2;
        ck_assert(fabs(ebm_chi_square_tail(s, 1) - erfc(sqrt(h))) <= tolerance * (1 + h) * erfc(sqrt(h)) + 1e-15);
        double term = exp(-h), sum = 0;
        for (int k = 1; k <= 40; k++) {
            sum += term;
            term *= h / k;
            const double got = ebm_chi_square_tail(s, 2 * k);
            ck_assert_msg(fabs(got - sum) <= 10 * tolerance * (1 + h) * sum + 1e-14, "s %g, degrees %d: %g, not %g", s,
                          2 * k, got, sum);
        }
    }
    ck_assert(ebm_chi_square_tail(0, 3) == 1 && ebm_chi_square_tail(INFINITY, 3) == 0);
    ck_assert(isnan(ebm_chi_square_tail(NAN, 3)) && isnan(ebm_chi_square_tail(1, 0)));
}
END_TEST

START_TEST(test_chi_square_pools_small_cells) {
    ebm_chi_square got;
    /* expected 50, 40, 4, 6: the third alone is below 5 and joins the smallest kept, the fourth */
    const double p[] = {0.5, 0.4, 0.04, 0.06}, counts[] = {45, 43, 7, 5};
    ck_assert_int_eq(ebm_chi_square_test(counts, p, 4, 5, &got, NULL), EBM_OK);
    ck_assert_uint_eq(got.cells, 3);
    ck_assert_uint_eq(got.degrees, 2);
    const double statistic = 25.0 / 50 + 9.0 / 40 + 4.0 / 10;
    ck_assert(fabs(got.statistic - statistic) <= 1e-13 && fabs(got.p_value - exp(-statistic / 2)) <= 1e-13);
    /* expected 3 and 4 pool to 7, a cell of its own */
    const double q[] = {0.03, 0.5, 0.04, 0.43}, seen[] = {1, 52, 2, 45};
    ck_assert_int_eq(ebm_chi_square_test(seen, q, 4, 5, &got, NULL), EBM_OK);
    ck_assert_uint_eq(got.cells, 3);
    ck_assert(fabs(got.statistic - (16.0 / 7 + 4.0 / 50 + 4.0 / 43)) <= 1e-13);
    ck_assert_int_eq(ebm_chi_square_test(seen, q, 4, 0, &got, NULL), EBM_OK);
    ck_assert_uint_eq(got.cells, 4);
    /* one cell left: nothing to test; a draw of what cannot be: certain */
    ck_assert_int_eq(ebm_chi_square_test(seen, q, 4, 1000, &got, NULL), EBM_OK);
    ck_assert(isnan(got.statistic) && isnan(got.p_value) && got.degrees == 0);
    const double never[] = {0.5, 0.5, 0}, once[] = {50, 49, 1}, none[] = {50, 50, 0};
    ck_assert_int_eq(ebm_chi_square_test(once, never, 3, 5, &got, NULL), EBM_OK);
    ck_assert(isinf(got.statistic) && got.p_value == 0);
    ck_assert_int_eq(ebm_chi_square_test(none, never, 3, 5, &got, NULL), EBM_OK);
    ck_assert(got.statistic == 0 && got.p_value == 1 && got.cells == 2);
}
END_TEST

/* 20,000 draws of 64 cells: those of the law itself pass at 1e-6; of a law 10 % of whose cells are off by a fifth fail.
 */
START_TEST(test_chi_square_finds_a_wrong_law) {
    enum { CELLS = 64, DRAWS = 20000 };
    double p[CELLS], q[CELLS], counts[CELLS] = {0}, sum = 0, wrong = 0;
    for (size_t k = 0; k < CELLS; k++)
        sum += p[k] = exp(-0.08 * (double)k);
    for (size_t k = 0; k < CELLS; k++) {
        p[k] /= sum;
        wrong += q[k] = p[k] * (k % 10 == 0 ? 1.2 : 1);
    }
    for (size_t k = 0; k < CELLS; k++)
        q[k] /= wrong;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double u = ebm_random_uniform1(ebm_stream_of(31, EBM_PURPOSE_SAMPLE), 0, i, 0);
        size_t k = 0;
        for (; k + 1 < CELLS && u >= p[k]; k++)
            u -= p[k];
        counts[k]++;
    }
    ebm_chi_square right, off;
    ck_assert_int_eq(ebm_chi_square_test(counts, p, CELLS, 5, &right, NULL), EBM_OK);
    ck_assert_int_eq(ebm_chi_square_test(counts, q, CELLS, 5, &off, NULL), EBM_OK);
    ck_assert_msg(right.p_value > 1e-6, "p-value of the law itself: %g", right.p_value);
    ck_assert_msg(off.p_value < 1e-6, "p-value of a wrong law: %g", off.p_value);
}
END_TEST

START_TEST(test_chi_square_refuses_nonsense) {
    ebm_chi_square got;
    ebm_error error;
    const double p[] = {0.5, 0.5}, half[] = {0.5, 0.4}, negative[] = {1.5, -0.5}, counts[] = {1, 2}, zero[] = {0, 0};
    const double broken[] = {1, NAN};
    ck_assert_int_eq(ebm_chi_square_test(counts, half, 2, 5, &got, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_chi_square_test(counts, negative, 2, 5, &got, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_chi_square_test(zero, p, 2, 5, &got, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_chi_square_test(broken, p, 2, 5, &got, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_chi_square_test(counts, p, 0, 5, &got, &error), EBM_INVALID);
}
END_TEST

/* The definition, leaving out row `skip` of the pooled sample (none: n + m). */
static double plain_mmd(const double *x, size_t n, const double *y, size_t m, size_t size, double h, size_t skip) {
    double sums[3] = {0}, counts[3] = {0};
    for (size_t a = 0; a < n + m; a++)
        for (size_t b = 0; b < n + m; b++) {
            if (a == b || a == skip || b == skip)
                continue;
            const double *u = a < n ? x + a * size : y + (a - n) * size, *v = b < n ? x + b * size : y + (b - n) * size;
            double square = 0;
            for (size_t k = 0; k < size; k++)
                square += (u[k] - v[k]) * (u[k] - v[k]);
            const size_t kind = (size_t)(a >= n) + (size_t)(b >= n);
            sums[kind] += exp(-square / (2 * h * h));
            counts[kind]++;
        }
    return sums[0] / counts[0] + sums[2] / counts[2] - 2 * sums[1] / counts[1];
}

START_TEST(test_mmd_equals_definition) {
    enum { N = 150, M = 37, SIZE = 3 };
    static double x[N * SIZE], y[M * SIZE], left_out[N + M];
    for (size_t i = 0; i < N * SIZE; i++)
        x[i] = 100 + normal(1, 0, i); /* far from 0: the products must not cancel */
    for (size_t i = 0; i < M * SIZE; i++)
        y[i] = 100.3 + normal(1, 1, i);
    ebm_mmd got;
    ck_assert_int_eq(ebm_mmd_squared(x, N, y, M, SIZE, 1.3, &got, work, NULL), EBM_OK);
    ck_assert(got.bandwidth == 1.3);
    /* rounding of distances near 1 with norms near 10: some 1e-14 of kernel values of at most 1 */
    ck_assert(fabs(got.squared - plain_mmd(x, N, y, M, SIZE, 1.3, N + M)) <= 1e-12);
    double variance = 0;
    for (size_t a = 0; a < N + M; a++)
        left_out[a] = plain_mmd(x, N, y, M, SIZE, 1.3, a);
    for (int sample = 0; sample < 2; sample++) {
        const double *values = sample == 0 ? left_out : left_out + N, count = sample == 0 ? N : M;
        double mean = 0;
        for (size_t a = 0; a < (size_t)count; a++)
            mean += values[a] / count;
        for (size_t a = 0; a < (size_t)count; a++)
            variance += (values[a] - mean) * (values[a] - mean) * (count - 1) / count;
    }
    ck_assert(fabs(got.se - sqrt(variance)) <= 1e-9 * got.se);
    /* the median of the 3 distances 1, 2, 3 between the distinct rows 0, 1, 3, and of theirs with one more at 3: the
     * fourth of 0, 1, 2, 2, 3, 3 */
    const double line[] = {0, 1}, more[] = {3, 3};
    ck_assert_int_eq(ebm_mmd_squared(line, 2, more, 2, 1, 0, &got, work, NULL), EBM_OK);
    ck_assert(fabs(got.bandwidth - 2) <= 1e-14 && isnan(got.se));
}
END_TEST

/* Replicates of equal laws: mean 0 within 5.5 standard errors; the jackknife overstates the spread by about sqrt(2) and
 * never understates it (bounds: the relative error of a standard deviation of 300 is 1/sqrt(600) = 4 %, five of them).
 * Laws 0.5 apart are told apart. */
START_TEST(test_mmd_of_equal_and_shifted_laws) {
    enum { RUNS = 300, N = 40, M = 60 };
    double x[N], y[M], sum = 0, squares = 0, errors = 0;
    ebm_mmd got;
    for (uint32_t run = 0; run < RUNS; run++) {
        for (size_t i = 0; i < N; i++)
            x[i] = normal(41, 2 * run, i);
        for (size_t i = 0; i < M; i++)
            y[i] = normal(41, 2 * run + 1, i);
        ck_assert_int_eq(ebm_mmd_squared(x, N, y, M, 1, 1, &got, work, NULL), EBM_OK);
        sum += got.squared / RUNS;
        squares += got.squared * got.squared / RUNS;
        errors += got.se * got.se / RUNS;
    }
    ck_assert_msg(fabs(sum) <= 5.5 * sqrt(squares / RUNS), "mean %g, sd %g", sum, sqrt(squares));
    const double ratio = sqrt(errors / squares);
    ck_assert_msg(ratio > sqrt(2) * 0.8 && ratio < sqrt(2) * 1.25, "jackknife over spread: %g", ratio);
    static double far[1000], near[1000];
    for (size_t i = 0; i < 1000; i++)
        near[i] = normal(43, 0, i), far[i] = 0.5 + normal(43, 1, i);
    ck_assert_int_eq(ebm_mmd_squared(near, 1000, far, 1000, 1, 0, &got, work, NULL), EBM_OK);
    ck_assert(got.squared > 5.5 * got.se);
    /* two normal laws of distance d in one dimension, kernel width h: 2 h / sqrt(h^2 + 2) (1 - exp(-d^2 / (2 h^2 + 4)))
     */
    const double h = got.bandwidth, exact = 2 * h / sqrt(h * h + 2) * (1 - exp(-0.25 / (2 * h * h + 4)));
    ck_assert(fabs(got.squared - exact) <= 5.5 * got.se);
}
END_TEST

START_TEST(test_mmd_refuses_nonsense) {
    ebm_mmd got;
    ebm_error error;
    double x[] = {1, 1, 1}, y[] = {1, 1, 2};
    ck_assert_int_eq(ebm_mmd_squared(x, 1, y, 3, 1, 1, &got, work, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_mmd_squared(x, 3, y, 3, 1, -1, &got, work, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_mmd_squared(x, 3, y, 3, 1, 0, &got, work, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "median distance is 0"));
    x[1] = INFINITY;
    ck_assert_int_eq(ebm_mmd_squared(x, 3, y, 3, 1, 1, &got, work, &error), EBM_DIVERGED);
    ck_assert_uint_eq(ebm_work_mark(work), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sample distance");
    TCase *cases = tcase_create("unit");
    tcase_add_checked_fixture(cases, open_work, close_work);
    tcase_add_test(cases, test_chi_square_tail_closed_forms);
    tcase_add_test(cases, test_chi_square_pools_small_cells);
    tcase_add_test(cases, test_chi_square_finds_a_wrong_law);
    tcase_add_test(cases, test_chi_square_refuses_nonsense);
    tcase_add_test(cases, test_mmd_equals_definition);
    tcase_add_test(cases, test_mmd_of_equal_and_shifted_laws);
    tcase_add_test(cases, test_mmd_refuses_nonsense);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
