/* Kolmogorov-Smirnov: published and closed values, all orders of small samples, laws that agree and laws that do not. */
#include "ebm/diagnostics.h"
#include "ebm/random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ebm_work *work;

static void open_work(void) {
    ck_assert_int_eq(ebm_work_create(1, &work, NULL), EBM_OK);
}

static void close_work(void) {
    ck_assert_uint_eq(ebm_work_mark(work), 0);
    ebm_work_free(work);
}

START_TEST(test_kolmogorov_tail_closed_forms) {
    /* n = 1: D = max(u, 1 - u). n = 2: area of the square of both where D < d. The sum over an interval loses a few
     * units in the last place of 1. */
    for (double d = 0.5; d <= 1; d += 0.01)
        ck_assert_double_eq_tol(ebm_kolmogorov_tail(d, 1), 2 * (1 - d), 1e-14);
    for (double d = 0.26; d < 0.5; d += 0.01)
        ck_assert_double_eq_tol(ebm_kolmogorov_tail(d, 2), 1 - 2 * (2 * d - 0.5) * (2 * d - 0.5), 1e-14);
    for (double d = 0.5; d < 1; d += 0.01)
        ck_assert_double_eq_tol(ebm_kolmogorov_tail(d, 2), 2 * (1 - d) * (1 - d), 1e-14);
    /* D_n is never below 1 / (2 n), and below d = 1 / (2 n) + t, t <= 1 / (2 n), with probability n! (2 t)^n */
    for (size_t n = 1; n <= 12; n++) {
        const double t = 0.3 / (double)n, p = exp(lgamma((double)n + 1) + (double)n * log(2 * t));
        ck_assert_double_eq_tol(ebm_kolmogorov_tail(0.5 / (double)n + t, n), 1 - p, 1e-13);
    }
    ck_assert(ebm_kolmogorov_tail(0, 7) == 1 && ebm_kolmogorov_tail(1, 7) == 0 && isnan(ebm_kolmogorov_tail(NAN, 7)));
}
END_TEST

START_TEST(test_kolmogorov_tail_published_values) {
    /* G. Marsaglia, W. Tsang, J. Wang, "Evaluating Kolmogorov's distribution", J. Stat. Software 8
     * (2003): the first between its two bounds, the others twice the one-sided tail, less e^(-6 n D^2) of it. */
    ck_assert_double_eq_tol(ebm_kolmogorov_tail(0.274, 10), 1 - 0.6284796154565043, 1e-14);
    ck_assert_double_eq_tol(ebm_kolmogorov_tail(0.04, 2000), 1 - 0.99676943191713676985, 1e-10);
    ck_assert_double_eq_tol(ebm_kolmogorov_tail(0.06, 2000), 1 - 0.99999893956930568, 1e-15);
    ck_assert_double_eq_tol(ebm_kolmogorov_tail(0.016, 16000), 1 - 0.99945234913828052, 1e-9);
    /* the customary 5 % and 1 % points of the limit */
    ck_assert_double_eq_tol(ebm_kolmogorov_limit(1.3580986393225505), 0.05, 1e-12);
    ck_assert_double_eq_tol(ebm_kolmogorov_limit(1.6276236115189503), 0.01, 1e-12);
    ck_assert_double_eq_tol(ebm_kolmogorov_limit(1 - 1e-12), ebm_kolmogorov_limit(1), 1e-11); /* both series */
}
END_TEST

START_TEST(test_kolmogorov_tail_is_continuous) {
    /* where one way of computing ends and the next begins: n D^2 = 3 to e^-18, n = 4000 to the corrected limit's error */
    for (size_t n = 13; n <= 3200; n *= 4) {
        const double d = sqrt(3.0 / (double)n);
        const double below = ebm_kolmogorov_tail(d * (1 - 1e-12), n), above = ebm_kolmogorov_tail(d, n);
        ck_assert_double_eq_tol(below, above, 1e-7 * above);
    }
    for (double lambda = 0.4; lambda < 1.75; lambda += 0.1) {
        const double exact = ebm_kolmogorov_tail(lambda / sqrt(4000), 4000);
        const double limit = ebm_kolmogorov_limit(lambda + 1 / (6 * sqrt(4000)) + (lambda - 1) / 16000);
        ck_assert_double_eq_tol(exact, limit, 1e-3 * exact);
    }
}
END_TEST

/* Fixed seeds: p values of uniform draws are uniform themselves, so at most a share a of them is below a. */
START_TEST(test_kolmogorov_p_values_are_uniform) {
    enum { SAMPLES = 4000, DRAWS = 57 };
    double p[SAMPLES], u[DRAWS];
    ebm_kolmogorov got;
    for (uint32_t s = 0; s < SAMPLES; s++) {
        for (uint32_t i = 0; i < DRAWS; i++)
            u[i] = ebm_random_uniform1(ebm_stream_of(5, EBM_PURPOSE_SAMPLE), s, 0, i);
        ck_assert_int_eq(ebm_kolmogorov_test(u, DRAWS, &got, work, NULL), EBM_OK);
        p[s] = got.p_value;
    }
    ck_assert_int_eq(ebm_kolmogorov_test(p, SAMPLES, &got, work, NULL), EBM_OK);
    ck_assert_msg(got.p_value > 1e-6, "p values are not uniform: D %g, p %g", got.distance, got.p_value);
}
END_TEST

START_TEST(test_kolmogorov_finds_a_wrong_law) {
    enum { DRAWS = 2000 };
    double u[DRAWS];
    ebm_kolmogorov got;
    for (uint32_t i = 0; i < DRAWS; i++)
        u[i] = pow(ebm_random_uniform1(ebm_stream_of(6, EBM_PURPOSE_SAMPLE), 0, 0, i), 1.2);
    ck_assert_int_eq(ebm_kolmogorov_test(u, DRAWS, &got, work, NULL), EBM_OK);
    ck_assert_double_lt(got.p_value, 1e-6);  /* D near max |u^(1/1.2) - u| = 0.067 */
    const double three[] = {0.9, 0.2, 0.35}; /* sorted .2 .35 .9: gaps .2, 1/3 - .2, .35 - 1/3, 2/3 - .35, ... */
    ck_assert_int_eq(ebm_kolmogorov_test(three, 3, &got, work, NULL), EBM_OK);
    ck_assert_double_eq_tol(got.distance, 2.0 / 3 - 0.35, 1e-15);
}
END_TEST

/* D of the order whose bit i says that place i holds an x, times n m. */
static long gap_of_order(unsigned order, int n, int m) {
    long i = 0, j = 0, largest = 0;
    for (int at = 0; at < n + m; at++) {
        if (order >> at & 1)
            i++;
        else
            j++;
        const long gap = labs(i * m - j * n);
        largest = gap > largest ? gap : largest;
    }
    return largest;
}

START_TEST(test_kolmogorov_two_sample_equals_enumeration) {
    static const int sizes[][2] = {{1, 1}, {1, 5}, {4, 4}, {3, 7}, {8, 6}, {7, 9}};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        const int n = sizes[k][0], m = sizes[k][1];
        for (unsigned order = 0; order < 1u << (n + m); order += 1 + order % 97) {
            if (__builtin_popcount(order) != n)
                continue;
            double x[16], y[16], orders = 0, as_far = 0;
            for (int at = 0, i = 0, j = 0; at < n + m; at++)
                order >> at & 1 ? (x[i++] = at) : (y[j++] = at);
            for (unsigned other = 0; other < 1u << (n + m); other++)
                if (__builtin_popcount(other) == n) {
                    orders++;
                    as_far += gap_of_order(other, n, m) >= gap_of_order(order, n, m);
                }
            ebm_kolmogorov got;
            ck_assert_int_eq(ebm_kolmogorov_two_sample(x, (size_t)n, y, (size_t)m, &got, work, NULL), EBM_OK);
            ck_assert_double_eq_tol(got.distance, (double)gap_of_order(order, n, m) / (n * m), 1e-15);
            ck_assert_double_eq_tol(got.p_value, as_far / orders, 1e-13);
            if (order > 4000)
                break;
        }
    }
}
END_TEST

START_TEST(test_kolmogorov_two_sample_large) {
    enum { X = 6000, Y = 5000 };
    static double x[X], y[Y];
    ebm_kolmogorov got;
    const ebm_stream stream = ebm_stream_of(7, EBM_PURPOSE_SAMPLE);
    for (uint32_t i = 0; i < X; i++)
        x[i] = ebm_random_uniform1(stream, 1, 0, i);
    for (uint32_t i = 0; i < Y; i++)
        y[i] = ebm_random_uniform1(stream, 2, 0, i);
    ck_assert_int_eq(ebm_kolmogorov_two_sample(x, X, y, Y, &got, work, NULL), EBM_OK);
    ck_assert_double_gt(got.p_value, 1e-6);
    const double limit = ebm_kolmogorov_limit(got.distance * sqrt((double)X * Y / (X + Y)));
    ck_assert_double_eq_tol(got.p_value, limit, 0.05 * limit); /* the limit is off by O(1 / sqrt n) */
    for (size_t i = 0; i < Y; i++)
        y[i] = 0.95 * y[i];
    ck_assert_int_eq(ebm_kolmogorov_two_sample(x, X, y, Y, &got, work, NULL), EBM_OK);
    ck_assert_double_lt(got.p_value, 1e-4);
    for (size_t i = 0; i < X; i++) /* ties are one step: equal samples are at distance 0 */
        x[i] = i < X / 2;
    for (size_t i = 0; i < Y; i++)
        y[i] = i >= Y / 2;
    ck_assert_int_eq(ebm_kolmogorov_two_sample(x, X, y, Y, &got, work, NULL), EBM_OK);
    ck_assert(got.distance == 0 && got.p_value == 1);
}
END_TEST

START_TEST(test_kolmogorov_refuses_nonsense) {
    ebm_error error;
    ebm_kolmogorov got;
    const double u[] = {0.5, 1.5}, x[] = {1, NAN};
    ck_assert_int_eq(ebm_kolmogorov_test(u, 0, &got, work, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_kolmogorov_test(u, 2, &got, work, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "draw 1 has the probability 1.5"));
    ck_assert_int_eq(ebm_kolmogorov_test(x, 2, &got, work, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_kolmogorov_two_sample(u, 2, x, 2, &got, work, &error), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(error.message, "draw 1 of sample 2"));
    ck_assert_int_eq(ebm_kolmogorov_two_sample(u, 2, x, 0, &got, work, &error), EBM_INVALID);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kolmogorov");
    TCase *cases = tcase_create("unit");
    tcase_add_checked_fixture(cases, open_work, close_work);
    tcase_add_test(cases, test_kolmogorov_tail_closed_forms);
    tcase_add_test(cases, test_kolmogorov_tail_published_values);
    tcase_add_test(cases, test_kolmogorov_tail_is_continuous);
    tcase_add_test(cases, test_kolmogorov_p_values_are_uniform);
    tcase_add_test(cases, test_kolmogorov_finds_a_wrong_law);
    tcase_add_test(cases, test_kolmogorov_two_sample_equals_enumeration);
    tcase_add_test(cases, test_kolmogorov_two_sample_large);
    tcase_add_test(cases, test_kolmogorov_refuses_nonsense);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
