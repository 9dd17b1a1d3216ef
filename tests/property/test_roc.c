/* The area under the ROC curve and its standard error: over pairs by the definition, over all samples of a small law, and over
 * many samples of a law whose area is known. */
#include "ebm/random.h"
#include "ebm/roc.h"
#include "ebm/special.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ebm_error failure;
static ebm_work *work;
#define CHECK_OK(call) ck_assert_msg((call) == EBM_OK, "%s", failure.message)

static void open_work(void) {
    CHECK_OK(ebm_work_create(1, &work, &failure));
}
static void close_work(void) {
    ebm_work_free(work);
}

static double psi(double x, double y) {
    return y > x ? 1 : y == x ? 0.5 : 0;
}

static double sample_variance(const double *v, size_t n) {
    double mean = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        mean += v[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        sum += (v[i] - mean) * (v[i] - mean);
    return sum / (double)(n - 1);
}

enum { M = 9, N = 6 };

/* Scores with ties, and infinite ones. */
static void some_scores(uint32_t trial, double *x, double *y) {
    const ebm_stream stream = ebm_stream_of(31, EBM_PURPOSE_ESTIMATE);
    for (uint32_t i = 0; i < M; i++)
        x[i] = ebm_random_below(stream, i, trial, 0, 7);
    for (uint32_t j = 0; j < N; j++)
        y[j] = 1 + ebm_random_below(stream, M + j, trial, 0, 7);
    if (trial % 3 == 0)
        x[2] = y[1] = INFINITY;
    if (trial % 3 == 1)
        x[0] = -INFINITY;
}

static void by_pairs(const double *x, const double *y, double *of_x, double *of_y, double *area) {
    memset(of_x, 0, M * sizeof *of_x);
    memset(of_y, 0, N * sizeof *of_y);
    *area = 0;
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++) {
            of_x[i] += psi(x[i], y[j]) / N;
            of_y[j] += psi(x[i], y[j]) / M;
            *area += psi(x[i], y[j]) / (M * N);
        }
}

/* Sums of at most 54 terms of order 1: 1e-13 is 50 times their rounding. */
START_TEST(test_area_is_the_mean_over_pairs) {
    for (uint32_t trial = 0; trial < 60; trial++) {
        double x[2][M], y[2][N], placed[2][M + N], of_x[2][M], of_y[2][N], area[2];
        ebm_roc roc[2];
        ebm_auc got[2];
        for (uint32_t s = 0; s < 2; s++) {
            some_scores(2 * trial + s, x[s], y[s]);
            by_pairs(x[s], y[s], of_x[s], of_y[s], &area[s]);
            roc[s] = (ebm_roc){M, N, x[s], y[s], placed[s], placed[s] + M};
            CHECK_OK(ebm_roc_area(&roc[s], &got[s], work, &failure));
            ck_assert_double_eq_tol(got[s].value, area[s], 1e-13);
            const double se = sqrt(sample_variance(of_x[s], M) / M + sample_variance(of_y[s], N) / N);
            ck_assert_double_eq_tol(got[s].se, se, 1e-13);
            for (size_t i = 0; i < M; i++)
                ck_assert_double_eq_tol(roc[s].of_inlier[i], of_x[s][i], 1e-13);
            for (size_t j = 0; j < N; j++)
                ck_assert_double_eq_tol(roc[s].of_outlier[j], of_y[s][j], 1e-13);
        }
        double dx[M], dy[N];
        for (size_t i = 0; i < M; i++)
            dx[i] = of_x[0][i] - of_x[1][i];
        for (size_t j = 0; j < N; j++)
            dy[j] = of_y[0][j] - of_y[1][j];
        const ebm_auc gap = ebm_roc_difference(&roc[0], &roc[1]), none = ebm_roc_difference(&roc[0], &roc[0]);
        ck_assert_double_eq_tol(gap.value, area[0] - area[1], 1e-13);
        ck_assert_double_eq_tol(gap.se, sqrt(sample_variance(dx, M) / M + sample_variance(dy, N) / N), 1e-13);
        ck_assert(none.value == 0 && none.se == 0);
    }
}
END_TEST

/* All samples of sizes 3 and 2 of two laws on {0, 1, 2}: the mean and the variance of the area, and the mean of se^2, are what the
 * header says. 1e-13: sums of 243 terms that sum to order 1. */
START_TEST(test_area_over_all_samples) {
    enum { S = 3, NX = 3, NY = 2, ALL = 243 };
    static const double p[S] = {0.5, 0.3, 0.2}, q[S] = {0.1, 0.3, 0.6};
    double theta = 0, a[S] = {0}, b[S] = {0}, A = 0, B = 0, C = 0;
    for (size_t i = 0; i < S; i++)
        for (size_t j = 0; j < S; j++) {
            theta += p[i] * q[j] * psi((double)i, (double)j);
            a[i] += q[j] * psi((double)i, (double)j);
            b[j] += p[i] * psi((double)i, (double)j);
        }
    for (size_t i = 0; i < S; i++) {
        A += p[i] * (a[i] - theta) * (a[i] - theta);
        B += q[i] * (b[i] - theta) * (b[i] - theta);
        for (size_t j = 0; j < S; j++) {
            const double c = psi((double)i, (double)j) - a[i] - b[j] + theta;
            C += p[i] * q[j] * c * c;
        }
    }
    double mean = 0, square = 0, claimed = 0;
    for (size_t code = 0; code < ALL; code++) {
        double v[NX + NY], places[NX + NY], weight = 1;
        size_t rest = code;
        for (size_t k = 0; k < NX + NY; k++, rest /= S) {
            v[k] = (double)(rest % S);
            weight *= k < NX ? p[rest % S] : q[rest % S];
        }
        ebm_auc got;
        CHECK_OK(ebm_roc_area(&(ebm_roc){NX, NY, v, v + NX, places, places + NX}, &got, work, &failure));
        mean += weight * got.value;
        square += weight * (got.value - theta) * (got.value - theta);
        claimed += weight * got.se * got.se;
    }
    ck_assert_double_eq_tol(mean, theta, 1e-13);
    ck_assert_double_eq_tol(square, A / NX + B / NY + C / (NX * NY), 1e-13);
    ck_assert_double_eq_tol(claimed, A / NX + B / NY + 2 * C / (NX * NY), 1e-13);
}
END_TEST

/* Normal scores d apart have the area Phi(d / sqrt 2). Two scores that share part of their noise: the area of each and their
 * difference keep to 5 standard errors of 3,000 trials, and the mean of se^2 to the variance between trials: that is known to
 * a part sqrt(2 / 3000) = 0.026, of which 5, and the part C/(m n) by which se^2 is too large is below 0.03 of it here. */
START_TEST(test_area_of_normal_scores) {
    enum { TRIALS = 3000, NX = 50, NY = 40 };
    static const double d[2] = {1.0, 1.5};
    const ebm_stream stream = ebm_stream_of(32, EBM_PURPOSE_ESTIMATE);
    double theta[3], sum[3] = {0}, square[3] = {0}, claimed[3] = {0};
    for (size_t s = 0; s < 2; s++)
        theta[s] = ebm_normal_cdf(d[s] / M_SQRT2);
    theta[2] = theta[1] - theta[0];
    for (uint32_t t = 0; t < TRIALS; t++) {
        double v[2][NX + NY], places[2][NX + NY];
        ebm_roc roc[2];
        ebm_auc got[3];
        for (uint32_t k = 0; k < NX + NY; k++) {
            const double shared = ebm_random_normal1(stream, k, t, 0);
            for (uint32_t s = 0; s < 2; s++)
                v[s][k] = 0.8 * shared + 0.6 * ebm_random_normal1(stream, k, t, 2 + 2 * s) + (k < NX ? 0 : d[s]);
        }
        for (size_t s = 0; s < 2; s++) {
            roc[s] = (ebm_roc){NX, NY, v[s], v[s] + NX, places[s], places[s] + NX};
            CHECK_OK(ebm_roc_area(&roc[s], &got[s], work, &failure));
        }
        got[2] = ebm_roc_difference(&roc[1], &roc[0]);
        for (size_t s = 0; s < 3; s++) {
            sum[s] += got[s].value - theta[s];
            square[s] += (got[s].value - theta[s]) * (got[s].value - theta[s]);
            claimed[s] += got[s].se * got[s].se;
        }
    }
    for (size_t s = 0; s < 3; s++) {
        ck_assert_double_le(fabs(sum[s] / TRIALS), 5 * sqrt(square[s]) / TRIALS);
        ck_assert_double_le(fabs(claimed[s] / square[s] - 1), 5 * sqrt(2.0 / TRIALS) + 0.03);
    }
}
END_TEST

START_TEST(test_found_is_the_curve) {
    const double x[M] = {5, 1, 2, 2, 3, 8, 4, 0, 6}, y[N] = {8, 9, 5.5, 2, 6, -1};
    /* thresholds: 8; k = floor(0.2 * 9) = 1: 6; k = floor(0.34 * 9) = 3: 4; k = 8: 0; all */
    const double rate[] = {0, 0.2, 0.34, 0.9, 1}, share[] = {1, 2, 4, 5, 6};
    double places[M + N];
    ebm_auc got[5];
    const ebm_roc roc = {M, N, x, y, places, places + M};
    CHECK_OK(ebm_roc_found(&roc, 5, rate, got, work, &failure));
    for (size_t k = 0; k < 5; k++) {
        ck_assert_double_eq_tol(got[k].value, share[k] / N, 1e-15);
        ck_assert_double_eq_tol(got[k].se, sqrt(got[k].value * (1 - got[k].value) / N), 1e-15);
    }
}
END_TEST

START_TEST(test_roc_refuses) {
    double x[M] = {0}, y[N] = {0}, places[M + N];
    ebm_auc got;
    const ebm_roc none = {M, 0, x, y, places, places + M}, one = {M, 1, x, y, places, places + M};
    const ebm_roc roc = {M, N, x, y, places, places + M};
    ck_assert_int_eq(ebm_roc_area(&none, &got, work, &failure), EBM_INVALID);
    CHECK_OK(ebm_roc_area(&one, &got, work, &failure));
    ck_assert(got.value == 0.5 && isnan(got.se));
    const double beyond = 1.5;
    ck_assert_int_eq(ebm_roc_found(&roc, 1, &beyond, &got, work, &failure), EBM_INVALID);
    y[3] = NAN;
    ck_assert_int_eq(ebm_roc_area(&roc, &got, work, &failure), EBM_DIVERGED);
    ck_assert_msg(strstr(failure.message, "outlier 3"), "%s", failure.message);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("roc");
    TCase *tests = tcase_create("area");
    tcase_add_checked_fixture(tests, open_work, close_work);
    tcase_add_test(tests, test_area_is_the_mean_over_pairs);
    tcase_add_test(tests, test_area_over_all_samples);
    tcase_add_test(tests, test_area_of_normal_scores);
    tcase_add_test(tests, test_found_is_the_curve);
    tcase_add_test(tests, test_roc_refuses);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
