/* Special functions against long double and exact identities.
 *
 * The C library's functions are good to 1 unit in the last place, so a few operations stay within 4; where an input's
 * rounding is magnified the bound says so. */
#include "ebm/special.h"

#include <check.h>
#include <float.h>
#include <math.h>

static void check_relative(double got, long double exact, double units) {
    ck_assert_msg(fabsl(got - exact) <= units * DBL_EPSILON * fabsl(exact), "got %.17g, not %.17Lg", got, exact);
}

START_TEST(test_special_sigmoid) {
    for (int i = -2000; i <= 2000; i++) {
        const double x = i * 0.35;
        check_relative(ebm_sigmoid(x), 1 / (1 + expl(-(long double)x)), 4);
    }
    ck_assert(ebm_sigmoid(0) == 0.5);
    ck_assert(ebm_sigmoid(1e4) == 1 && ebm_sigmoid(-1e4) == 0);
    ck_assert(ebm_sigmoid(INFINITY) == 1 && ebm_sigmoid(-INFINITY) == 0);
    ck_assert(isnan(ebm_sigmoid(NAN)));
}
END_TEST

START_TEST(test_special_log1pexp) {
    for (int i = -7000; i <= 7000; i++) {
        const double x = i * 0.1;
        check_relative(ebm_log1pexp(x), (x > 0 ? x : 0) + log1pl(expl(-fabsl(x))), 4);
    }
    ck_assert(ebm_log1pexp(1e4) == 1e4 && ebm_log1pexp(-1e4) == 0);
    ck_assert(ebm_log1pexp(INFINITY) == INFINITY && ebm_log1pexp(-INFINITY) == 0);
    ck_assert(isnan(ebm_log1pexp(NAN)));
}
END_TEST

START_TEST(test_special_logit_inverts_sigmoid) {
    for (int i = 1; i < 1000; i++) {
        const double p = i / 1000.0;
        /* near 1/2 the result vanishes like 2p - 1, which is exact there */
        check_relative(ebm_logit(p), logl((long double)p) - log1pl(-(long double)p), 6);
        ck_assert(fabs(ebm_sigmoid(ebm_logit(p)) - p) <= 8 * DBL_EPSILON);
    }
    check_relative(ebm_logit(1e-300), logl(1e-300L), 4);
    ck_assert(ebm_logit(0.5) == 0);
    ck_assert(ebm_logit(0) == -INFINITY && ebm_logit(1) == INFINITY);
}
END_TEST

START_TEST(test_special_logaddexp) {
    for (int i = -50; i <= 50; i++)
        for (int j = -50; j <= 50; j++) {
            const double a = i * 1.7, b = j * 0.9;
            const long double exact = logl(expl(a) + expl(b));
            ck_assert(fabsl(ebm_logaddexp(a, b) - exact) <= 4 * DBL_EPSILON * (1 + fmax(fabs(a), fabs(b))));
            ck_assert(ebm_logaddexp(a, b) == ebm_logaddexp(b, a));
        }
    check_relative(ebm_logaddexp(1e4, 1e4), 1e4L + logl(2), 2);
    ck_assert(ebm_logaddexp(-INFINITY, -INFINITY) == -INFINITY);
    ck_assert(ebm_logaddexp(INFINITY, INFINITY) == INFINITY);
    ck_assert(ebm_logaddexp(-INFINITY, 3) == 3);
    ck_assert(isnan(ebm_logaddexp(NAN, 1)) && isnan(ebm_logaddexp(1, NAN)));
}
END_TEST

START_TEST(test_special_log_sum_exp) {
    enum { COUNT = 100000 };
    static double x[COUNT];
    ck_assert(ebm_log_sum_exp(x, 0) == -INFINITY);
    ck_assert(ebm_log_mean_exp(x, 0) == -INFINITY);
    for (int shift = -1; shift <= 1; shift++) {
        long double sum = 0;
        for (int i = 0; i < COUNT; i++) {
            x[i] = 1e5 * shift + sin(i * 0.7) * 20;
            sum += expl((long double)x[i] - 1e5L * shift);
        }
        check_relative(ebm_log_sum_exp(x, COUNT), 1e5L * shift + logl(sum), 4);
        const long double mean = 1e5L * shift + logl(sum / COUNT);
        ck_assert(fabsl(ebm_log_mean_exp(x, COUNT) - mean) <= 8 * DBL_EPSILON * (fabsl(mean) + 20));
    }
    double special[3] = {-INFINITY, -INFINITY, -INFINITY};
    ck_assert(ebm_log_sum_exp(special, 3) == -INFINITY);
    special[1] = 2;
    ck_assert(ebm_log_sum_exp(special, 3) == 2);
    special[2] = INFINITY;
    ck_assert(ebm_log_sum_exp(special, 3) == INFINITY);
    special[0] = NAN;
    ck_assert(isnan(ebm_log_sum_exp(special, 3)));
    special[0] = 1, special[1] = INFINITY, special[2] = NAN;
    ck_assert(isnan(ebm_log_sum_exp(special, 3)));
}
END_TEST

START_TEST(test_special_sum_is_compensated) {
    static const double cancelling[] = {1, 1e100, 1, -1e100};
    ck_assert(ebm_sum(cancelling, 4) == 2);
    enum { COUNT = 1000000 };
    static double x[COUNT];
    for (int i = 0; i < COUNT; i++)
        x[i] = 0.1;
    check_relative(ebm_sum(x, COUNT), COUNT * (long double)0.1, 1);
    check_relative(ebm_mean(x, COUNT), (long double)0.1, 1);
    ck_assert(ebm_sum(x, 0) == 0);
    ck_assert(isnan(ebm_mean(x, 0)));
    static const double infinite[] = {1, INFINITY, 2};
    ck_assert(ebm_sum(infinite, 3) == INFINITY);
    static const double undefined[] = {1, INFINITY, -INFINITY};
    ck_assert(isnan(ebm_sum(undefined, 3)));
}
END_TEST

START_TEST(test_special_variance) {
    /* 1 ... n has variance n (n + 1) / 12; a shift by 1e9 costs no digits */
    enum { COUNT = 1000 };
    double x[COUNT];
    for (int i = 0; i < COUNT; i++)
        x[i] = 1e9 + i;
    check_relative(ebm_variance(x, COUNT), COUNT * (COUNT + 1.0L) / 12, 8);
    for (int i = 0; i < COUNT; i++)
        x[i] = 0.1;
    ck_assert(ebm_variance(x, COUNT) <= 1e-32);
    ck_assert(ebm_variance(x, 1) == 0 && ebm_variance(x, 0) == 0);
    x[5] = NAN;
    ck_assert(isnan(ebm_variance(x, COUNT)));
}
END_TEST

/* Student-t laws of 1, 2 and 3 degrees in closed form, the last by theta = atan(t / sqrt(3)); many degrees are nearly
 * normal: |F_nu - Phi| < 1 / nu. lgamma and the powers round by some 2^-50 of the tail. */
START_TEST(test_special_student_cdf) {
    for (int k = -60; k <= 60; k++) {
        const double t = k / 4., theta = atan(t / sqrt(3)), tolerance = 1e-13;
        const double cauchy = 0.5 + atan(t) / M_PI, two = 0.5 + t / (2 * sqrt(2 + t * t));
        ck_assert_double_eq_tol(ebm_student_cdf(t, 1), cauchy, tolerance);
        ck_assert_double_eq_tol(ebm_student_cdf(t, 2), two, tolerance);
        ck_assert_double_eq_tol(ebm_student_cdf(t, 3), 0.5 + (theta + sin(theta) * cos(theta)) / M_PI, tolerance);
        ck_assert_double_eq_tol(ebm_student_cdf(t, 1e6), ebm_normal_cdf(t), 1e-6);
        ck_assert_double_eq_tol(ebm_student_cdf(t, 0.3) + ebm_student_cdf(-t, 0.3), 1, tolerance);
    }
    /* far tails keep their digits: 1 / (pi |t|) for one degree, 1 / (2 t^2) for two */
    ck_assert_double_eq_tol(ebm_student_cdf(-1e9, 1) * 1e9 * M_PI, 1, 1e-12);
    ck_assert_double_eq_tol(ebm_student_cdf(-1e7, 2) * 2e14, 1, 1e-12);
    ck_assert(ebm_student_cdf(-INFINITY, 4) == 0 && ebm_student_cdf(INFINITY, 4) == 1 && ebm_student_cdf(0, 4) == 0.5);
    ck_assert(isnan(ebm_student_cdf(NAN, 4)));
}
END_TEST

START_TEST(test_special_normal_cdf) {
    ck_assert(ebm_normal_cdf(0) == 0.5 && ebm_normal_cdf(-INFINITY) == 0 && ebm_normal_cdf(INFINITY) == 1);
    ck_assert_double_eq_tol(ebm_normal_cdf(1.959963984540054), 0.975, 1e-15);
    ck_assert_double_eq_tol(ebm_normal_cdf(-10) / 7.619853024160526e-24, 1, 1e-13);
}
END_TEST

/* psi(1) = -gamma, psi(1/2) = -gamma - 2 log 2, psi(1/4) = -gamma - pi / 2 - 3 log 2 (Gauss); psi(x + 1) = psi(x) + 1 / x;
 * the slope of lgamma. */
START_TEST(test_special_digamma) {
    const double gamma = 0.57721566490153286;
    ck_assert_double_eq_tol(ebm_digamma(1), -gamma, 1e-14);
    ck_assert_double_eq_tol(ebm_digamma(0.5), -gamma - 2 * M_LN2, 1e-14);
    ck_assert_double_eq_tol(ebm_digamma(0.25), -gamma - M_PI / 2 - 3 * M_LN2, 1e-14);
    for (double x = 1e-3; x < 1e6; x *= 1.3) {
        ck_assert_double_eq_tol(ebm_digamma(x + 1), ebm_digamma(x) + 1 / x, 1e-14 * (20 + 1 / x));
        const double h = 1e-4 * x, slope = (lgamma(x + h) - lgamma(x - h)) / (2 * h);
        ck_assert_double_eq_tol(ebm_digamma(x), slope, 1e-7 * fmax(1, fabs(slope)));
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("special");
    TCase *cases = tcase_create("unit");
    tcase_add_test(cases, test_special_sigmoid);
    tcase_add_test(cases, test_special_log1pexp);
    tcase_add_test(cases, test_special_logit_inverts_sigmoid);
    tcase_add_test(cases, test_special_logaddexp);
    tcase_add_test(cases, test_special_log_sum_exp);
    tcase_add_test(cases, test_special_sum_is_compensated);
    tcase_add_test(cases, test_special_variance);
    tcase_add_test(cases, test_special_student_cdf);
    tcase_add_test(cases, test_special_normal_cdf);
    tcase_add_test(cases, test_special_digamma);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
