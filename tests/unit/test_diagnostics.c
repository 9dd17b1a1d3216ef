/* Diagnostics of traces and of samples: against plain double loops, closed forms and laws known exactly. */
#include "ebm/diagnostics.h"
#include "ebm/random.h"

#include "trace_reference.h"

#include <check.h>
#include <stdio.h>

static ebm_work *work;

static void open_work(void) {
    ck_assert_int_eq(ebm_work_create(1, &work, NULL), EBM_OK);
}

static void close_work(void) {
    ebm_work_free(work);
}

static double normal(uint32_t seed, uint32_t chain, uint64_t step) {
    const ebm_stream stream = ebm_stream_of(seed, EBM_PURPOSE_SAMPLE);
    const double u = ebm_random_uniform1(stream, chain, step, 0), v = ebm_random_uniform1(stream, chain, step, 1);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* x_t = phi x_(t-1) + sqrt(1 - phi^2) e_t, in equilibrium from the start. */
static void autoregression(uint32_t seed, double phi, size_t chains, size_t draws, double *x) {
    for (size_t c = 0; c < chains; c++)
        for (size_t t = 0; t < draws; t++) {
            const double e = normal(seed, (uint32_t)c, t);
            x[c * draws + t] = t == 0 ? e : phi * x[c * draws + t - 1] + sqrt(1 - phi * phi) * e;
        }
}

static bool close_enough(double got, double want, double relative) {
    return isnan(want) ? isnan(got) : got == want || fabs(got - want) <= relative * fabs(want);
}

/* Rounding: sums of up to 1e4 terms in another order, and autocorrelations that nearly cancel: 1e-9. */
static void check_summary(const ebm_trace_summary *got, const ebm_trace_summary *want, const char *what) {
    const double a[] = {got->sd,        got->rhat,     got->rhat_bulk, got->rhat_folded, got->rhat_basic,
                        got->ess_basic, got->ess_mean, got->ess_bulk,  got->ess_tail,    got->mcse_mean};
    const double b[] = {want->sd,        want->rhat,     want->rhat_bulk, want->rhat_folded, want->rhat_basic,
                        want->ess_basic, want->ess_mean, want->ess_bulk,  want->ess_tail,    want->mcse_mean};
    for (size_t k = 0; k < sizeof a / sizeof *a; k++)
        ck_assert_msg(close_enough(a[k], b[k], 1e-9), "%s: quantity %zu is %.17g, not %.17g", what, k, a[k], b[k]);
    ck_assert_msg(fabs(got->mean - want->mean) <= 1e-12 * (fabs(want->mean) + want->sd), "%s: mean", what);
}

/* The same normal traces, bent into shapes that take each branch: ties, an indicator, nothing but the lower half of
 * the sort's keys, heavy tails, halves that differ. */
enum { SHAPES = 7 };
static void bend(int shape, size_t chains, size_t draws, double *x) {
    for (size_t c = 0; c < chains; c++)
        for (size_t t = 0; t < draws; t++) {
            double *at = &x[c * draws + t];
            switch (shape) {
            case 1:
                *at = round(2 * *at) / 2 + 0.0;
                break;
            case 2:
                *at = *at > 0 ? 1 : -1;
                break;
            case 3:
                *at = 1024 + *at / 1024;
                break;
            case 4:
                *at = exp(4 * *at);
                break;
            case 5:
                *at += t < draws / 2 ? 1 : -1;
                break;
            case 6:
                *at = *at > 1.2 ? 0.0 : -0.0 - (*at < -1.5);
                break;
            default:
                break;
            }
        }
}

START_TEST(test_summary_equals_plain_loops) {
    static const size_t lengths[] = {4, 5, 6, 7, 8, 11, 12, 13, 64, 101, 360};
    static const double phis[] = {0, 0.9, -0.7};
    static double x[4 * 360];
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
        for (size_t chains = 1; chains <= 4; chains++)
            for (size_t f = 0; f < 3; f++)
                for (int shape = 0; shape < SHAPES; shape++) {
                    const size_t draws = lengths[l];
                    char what[96];
                    snprintf(what, sizeof what, "%zu chains of %zu, phi %g, shape %d", chains, draws, phis[f], shape);
                    autoregression(7, phis[f], chains, draws, x);
                    bend(shape, chains, draws, x);
                    ebm_trace_summary got, want;
                    ck_assert_int_eq(ebm_traces_summarise(&(ebm_traces){x, 1, chains, draws}, &got, work, NULL),
                                     EBM_OK);
                    reference_summary(x, chains, draws, &want);
                    check_summary(&got, &want, what);
                }
}
END_TEST

/* Memories so long that transforms of both sizes are needed, for values and for indicators. */
START_TEST(test_summary_of_long_memories) {
    enum { CHAINS = 3, DRAWS = 2500 };
    static double x[CHAINS * DRAWS];
    static const double phis[] = {0.93, 0.97, 0.995, 1};
    for (size_t f = 0; f < 4; f++)
        for (int shape = 0; shape < 3; shape += 2) {
            if (phis[f] < 1)
                autoregression(11, phis[f], CHAINS, DRAWS, x);
            else
                for (size_t i = 0; i < CHAINS * DRAWS; i++) /* half a turn a chain */
                    x[i] = cos(M_PI * (double)(i % DRAWS) / DRAWS) + 1e-3 * normal(3, 0, i);
            bend(shape, CHAINS, DRAWS, x);
            ebm_trace_summary got, want;
            ck_assert_int_eq(ebm_traces_summarise(&(ebm_traces){x, 1, CHAINS, DRAWS}, &got, work, NULL), EBM_OK);
            reference_summary(x, CHAINS, DRAWS, &want);
            char what[64];
            snprintf(what, sizeof what, "phi %g, shape %d", phis[f], shape);
            check_summary(&got, &want, what);
        }
}
END_TEST

START_TEST(test_summary_misses_what_is_not_defined) {
    enum { DRAWS = 40 };
    double x[2 * DRAWS];
    ebm_trace_summary s;
    const ebm_traces traces = {x, 1, 2, DRAWS};
    for (size_t i = 0; i < 2 * DRAWS; i++)
        x[i] = 3;
    ck_assert_int_eq(ebm_traces_summarise(&traces, &s, work, NULL), EBM_OK);
    ck_assert(s.mean == 3 && s.sd == 0 && isnan(s.rhat) && isnan(s.rhat_basic) && isnan(s.ess_bulk));
    ck_assert(isnan(s.ess_tail) && isnan(s.ess_mean) && isnan(s.mcse_mean));
    static const double broken[] = {NAN, INFINITY, -INFINITY};
    for (size_t k = 0; k < 3; k++) {
        autoregression(1, 0, 2, DRAWS, x);
        x[17] = broken[k];
        ck_assert_int_eq(ebm_traces_summarise(&traces, &s, work, NULL), EBM_OK);
        ck_assert(isnan(s.mean) && isnan(s.rhat) && isnan(s.rhat_bulk) && isnan(s.ess_bulk) && isnan(s.ess_tail));
    }
    for (size_t i = 0; i < 2 * DRAWS; i++) /* stuck chains that differ */
        x[i] = i < DRAWS;
    ck_assert_int_eq(ebm_traces_summarise(&traces, &s, work, NULL), EBM_OK);
    ck_assert(isinf(s.rhat_basic) && isinf(s.rhat_bulk));
    ebm_error error;
    static const size_t sizes[3][3] = {{0, 2, 4}, {1, 0, 4}, {1, 2, 0}};
    for (size_t k = 0; k < 3; k++) {
        const ebm_traces empty = {x, sizes[k][0], sizes[k][1], sizes[k][2]};
        ck_assert_int_eq(ebm_traces_summarise(&empty, &s, work, &error), EBM_INVALID);
        ck_assert_ptr_nonnull(strstr(error.message, "empty trace"));
    }
}
END_TEST

START_TEST(test_traces_do_not_depend_on_threads) {
    enum { VARIABLES = 7, CHAINS = 2, DRAWS = 700, LAGS = 20 };
    static double x[VARIABLES * CHAINS * DRAWS], rho[2][VARIABLES * (LAGS + 1)];
    for (size_t v = 0; v < VARIABLES; v++)
        autoregression((uint32_t)v, 0.16 * (double)v, CHAINS, DRAWS, x + v * CHAINS * DRAWS);
    const ebm_traces traces = {x, VARIABLES, CHAINS, DRAWS};
    static ebm_trace_summary summaries[2][VARIABLES];
    static ebm_autocorrelation_time times[2][VARIABLES];
    for (int run = 0; run < 2; run++) {
        ebm_work *own;
        ck_assert_int_eq(ebm_work_create(run == 0 ? 1 : 3, &own, NULL), EBM_OK);
        ck_assert_int_eq(ebm_traces_summarise(&traces, summaries[run], own, NULL), EBM_OK);
        ck_assert_int_eq(ebm_traces_autocorrelation_time(&traces, EBM_SOKAL_WINDOW, times[run], own, NULL), EBM_OK);
        ck_assert_int_eq(ebm_traces_autocorrelation(&traces, LAGS, rho[run], own, NULL), EBM_OK);
        ck_assert_uint_eq(ebm_work_mark(own), 0);
        ebm_work_free(own);
    }
    ck_assert(memcmp(summaries[0], summaries[1], sizeof summaries[0]) == 0);
    ck_assert(memcmp(times[0], times[1], sizeof times[0]) == 0);
    ck_assert(memcmp(rho[0], rho[1], sizeof rho[0]) == 0);
}
END_TEST

START_TEST(test_normal_quantile_inverts_erfc) {
    /* Phi loses |z| phi(z) / Phi(z) ~ z^2 units where z has one */
    for (double p = 1e-12; p < 1; p = p < 0.01 ? p * 1.7 : p + 0.0137) {
        const double z = ebm_normal_quantile(p);
        ck_assert(fabs(0.5 * erfc(-z * M_SQRT1_2) - p) <= 8 * DBL_EPSILON * p * (1 + z * z));
        ck_assert(fabs(ebm_normal_quantile(1 - p) + z) <= 1e-15 / p * (1 + fabs(z)));
    }
    ck_assert(fabs(ebm_normal_quantile(0.5)) <= DBL_EPSILON);
}
END_TEST

START_TEST(test_autocorrelation_equals_definition) {
    enum { CHAINS = 3, DRAWS = 300, LAGS = 200 };
    static double x[CHAINS * DRAWS], rho[LAGS + 1];
    autoregression(5, 0.8, CHAINS, DRAWS, x);
    const ebm_traces traces = {x, 1, CHAINS, DRAWS};
    ck_assert_int_eq(ebm_traces_autocorrelation(&traces, LAGS, rho, work, NULL), EBM_OK);
    const double mean = reference_mean(x, CHAINS * DRAWS);
    double gamma0 = 0, tau = 1;
    size_t window = 0;
    for (size_t t = 0; t <= LAGS; t++) {
        double gamma = 0;
        for (size_t c = 0; c < CHAINS; c++)
            for (size_t i = 0; i + t < DRAWS; i++)
                gamma += (x[c * DRAWS + i] - mean) * (x[c * DRAWS + i + t] - mean) / (double)(CHAINS * (DRAWS - t));
        gamma0 = t == 0 ? gamma : gamma0;
        ck_assert(fabs(rho[t] - gamma / gamma0) <= 1e-12); /* rounding of a transform, relative to rho_0 */
        if (window == 0 && t > 0) {
            tau += 2 * gamma / gamma0;
            window = (double)t >= 5 * tau ? t : 0;
        }
    }
    ebm_autocorrelation_time got;
    ck_assert_int_eq(ebm_traces_autocorrelation_time(&traces, 5, &got, work, NULL), EBM_OK);
    ck_assert_uint_eq(got.window, window);
    ck_assert(close_enough(got.tau, tau, 1e-10));
    ck_assert(close_enough(got.se, tau * sqrt((4 * (double)window + 2) / (CHAINS * DRAWS)), 1e-10));
    ck_assert(close_enough(got.mean_se, sqrt(gamma0 * tau / (CHAINS * DRAWS)), 1e-10));
    ck_assert(fabs(got.mean - mean) <= 1e-14);
}
END_TEST

/* tau = (1 + phi) / (1 - phi). Within 5.5 standard errors: false alarm 4e-8 each. Truncating at M = 5 tau leaves
 * phi^M / (1 - phi) ~ e^-10 tau out. ESS by Geyer's sequence uses a longer window: 8 standard errors. */
START_TEST(test_autocorrelation_time_of_autoregressions) {
    enum { CHAINS = 4, DRAWS = 40000 };
    static double x[CHAINS * DRAWS];
    static const double phis[] = {0, 0.5, 0.9, 0.97};
    for (size_t f = 0; f < 4; f++) {
        autoregression(21 + (uint32_t)f, phis[f], CHAINS, DRAWS, x);
        const ebm_traces traces = {x, 1, CHAINS, DRAWS};
        const double exact = (1 + phis[f]) / (1 - phis[f]);
        ebm_autocorrelation_time got;
        ebm_trace_summary s;
        ck_assert_int_eq(ebm_traces_autocorrelation_time(&traces, EBM_SOKAL_WINDOW, &got, work, NULL), EBM_OK);
        ck_assert_int_eq(ebm_traces_summarise(&traces, &s, work, NULL), EBM_OK);
        ck_assert_msg(fabs(got.tau - exact) <= 5.5 * got.se, "phi %g: tau %g, not %g, se %g", phis[f], got.tau, exact,
                      got.se);
        ck_assert(got.se < 0.12 * exact); /* so that the comparison says something */
        ck_assert(fabs(CHAINS * DRAWS / s.ess_mean - exact) <= 8 * got.se);
        ck_assert(fabs(got.mean) <= 5.5 * got.mean_se && close_enough(got.mean_se, s.mcse_mean, 0.3));
        ck_assert(s.rhat < 1.01);
    }
}
END_TEST

/* A two-state trace: 0 -> 1 with probability a, back with b; lambda = 1 - a - b, tau = (1 + lambda) / (1 - lambda). */
enum { RARE_CHAINS = 50, RARE_DRAWS = 2000 };

static double rare_events(uint32_t trace, double a, double b, double *x) {
    const ebm_stream stream = ebm_stream_of(4, EBM_PURPOSE_SAMPLE);
    for (size_t c = 0; c < RARE_CHAINS; c++) {
        int state = 0;
        for (size_t i = 0; i < RARE_DRAWS; i++) {
            const double u = ebm_random_uniform1(stream, trace * RARE_CHAINS + (uint32_t)c, i, 0);
            state = state ? u >= b : u < a;
            x[c * RARE_DRAWS + i] = state;
        }
    }
    return (2 - a - b) / (a + b);
}

/* Some 100 visits of random lengths a trace, which a Gaussian trace's error knows nothing of: over 100 traces the spread
 * between chains keeps 6 of its errors, the other does not keep 8. With some 7 visits there is nothing to be known. */
START_TEST(test_autocorrelation_time_error_of_rare_events) {
    static double x[RARE_CHAINS * RARE_DRAWS];
    const ebm_traces traces = {x, 1, RARE_CHAINS, RARE_DRAWS};
    ebm_autocorrelation_time got;
    double worst = 0, gaussian = 0;
    for (uint32_t k = 0; k < 100; k++) {
        const double exact = rare_events(k, 1e-3, 0.3, x);
        ck_assert_int_eq(ebm_traces_autocorrelation_time(&traces, 5, &got, work, NULL), EBM_OK);
        const double narrow = got.tau * sqrt((4 * (double)got.window + 2) / (RARE_CHAINS * RARE_DRAWS));
        ck_assert(isfinite(got.tau));
        worst = fmax(worst, fabs(got.tau - exact) / got.se);
        gaussian = fmax(gaussian, fabs(got.tau - exact) / narrow);
    }
    ck_assert_msg(worst < 6, "worst %g", worst);
    ck_assert_msg(gaussian > 8, "worst of a Gaussian trace's error %g", gaussian);
    for (uint32_t k = 0; k < 20; k++) {
        rare_events(k, 7e-5, 0.3, x);
        ck_assert_int_eq(ebm_traces_autocorrelation_time(&traces, 5, &got, work, NULL), EBM_OK);
        ck_assert(isnan(got.tau) && isnan(got.se) && got.window == 0);
    }
}
END_TEST

START_TEST(test_autocorrelation_time_misses_what_is_not_defined) {
    enum { DRAWS = 400 };
    double x[DRAWS];
    ebm_autocorrelation_time got;
    const ebm_traces traces = {x, 1, 1, DRAWS};
    for (size_t i = 0; i < DRAWS; i++)
        x[i] = 1; /* constant */
    ck_assert_int_eq(ebm_traces_autocorrelation_time(&traces, 5, &got, work, NULL), EBM_OK);
    ck_assert(isnan(got.tau) && isnan(got.se) && got.window == 0);
    for (size_t i = 0; i < DRAWS; i++)
        x[i] = i < DRAWS / 2; /* two chains that stay apart: rho = 1 for ever */
    const ebm_traces apart = {x, 1, 2, DRAWS / 2};
    ck_assert_int_eq(ebm_traces_autocorrelation_time(&apart, 5, &got, work, NULL), EBM_OK);
    ck_assert(isnan(got.tau) && got.window == 0);
    autoregression(2, -0.9, 1, DRAWS, x); /* closes below zero */
    ck_assert_int_eq(ebm_traces_autocorrelation_time(&traces, 5, &got, work, NULL), EBM_OK);
    ck_assert(isnan(got.tau) && got.window == 0);
    x[3] = NAN;
    ck_assert_int_eq(ebm_traces_autocorrelation_time(&traces, 5, &got, work, NULL), EBM_OK);
    ck_assert(isnan(got.tau) && isnan(got.mean));
    double rho[DRAWS];
    ck_assert_int_eq(ebm_traces_autocorrelation(&traces, 2, rho, work, NULL), EBM_OK);
    ck_assert(isnan(rho[0]) && isnan(rho[2]));
    ck_assert_int_eq(ebm_traces_autocorrelation(&traces, DRAWS, rho, work, NULL), EBM_INVALID);
    ck_assert_int_eq(ebm_traces_autocorrelation_time(&traces, 0, &got, work, NULL), EBM_INVALID);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("diagnostics");
    TCase *cases = tcase_create("unit");
    tcase_add_checked_fixture(cases, open_work, close_work);
    tcase_add_test(cases, test_summary_equals_plain_loops);
    tcase_add_test(cases, test_summary_of_long_memories);
    tcase_add_test(cases, test_summary_misses_what_is_not_defined);
    tcase_add_test(cases, test_traces_do_not_depend_on_threads);
    tcase_add_test(cases, test_normal_quantile_inverts_erfc);
    tcase_add_test(cases, test_autocorrelation_equals_definition);
    tcase_add_test(cases, test_autocorrelation_time_of_autoregressions);
    tcase_add_test(cases, test_autocorrelation_time_error_of_rare_events);
    tcase_add_test(cases, test_autocorrelation_time_misses_what_is_not_defined);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
