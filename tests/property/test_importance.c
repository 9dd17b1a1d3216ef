/* Importance sampling against formulas on normal targets:
 *
 *   p = N(0, I_d), q = N(0, s^2 I):  E_q[(p/q)^2] = (s^2 / sqrt(2 s^2 - 1))^d  for s^2 > 1/2, infinite else;
 *   weights have tail k = 1 - s^2 for s < 1.
 *
 * Bounds are 5 to 6 standard errors at fixed seeds, 6e-7 to 2e-9 each for a normal estimate. */
#include "small_rbm.h"

#include "normal_target.h"

#include "ebm/diagnostics.h"
#include "estimators/pareto_tail.h"
#include "estimators/proposal.h"

static ebm_work *work;
static memory_sink memory;
static size_t round_now;

static void setup(void) {
    CHECK_OK(ebm_work_create(2, &work, &failure));
    target_set(0, 1);
}

static void teardown(void) {
    ebm_work_free(work);
}

/* Only the last round's rows are kept. */
static void next_round(ebm_sink *sink, uint64_t step) {
    ((memory_sink *)sink)->count = 0;
    round_now = (size_t)step;
}

static ebm_status try(size_t V, const char *const *settings, uint32_t seed) {
    ebm_model model;
    unsigned char options[256] = {0};
    ck_assert_uint_le(ebm_importance.info.options_size, sizeof options);
    target_open(V, &model);
    const ebm_estimate_inputs inputs = {.model = &model, .path = ebm_path_end(), .seed = seed, .work = work};
    memory = (memory_sink){.sink = {memory_emit, next_round}};
    CHECK_OK(ebm_options_default(ebm_importance.info.options, options, ebm_importance.info.options_size, &failure));
    for (; settings && *settings; settings += 2)
        CHECK_OK(ebm_options_set(ebm_importance.info.options, options, settings[0], settings[1], NULL, &failure));
    const ebm_status status = ebm_importance.estimate(options, &inputs, &memory.sink, &failure);
    ebm_options_clear(ebm_importance.info.options, options);
    ebm_model_free(&model);
    return status;
}

static void run(size_t V, const char *const *settings, uint32_t seed) {
    CHECK_OK(try(V, settings, seed));
}

static double value(const char *metric) {
    return sink_value(&memory, metric);
}
static double error_of(const char *metric) {
    return sink_se(&memory, metric);
}
static double z_of(const char *metric, double expected) {
    return (value(metric) - expected) / error_of(metric);
}

static double normal_fraction(double d, double s) {
    return pow(sqrt(2 * s * s - 1) / (s * s), d);
}

START_TEST(test_importance_normal_means_and_log_z) {
    static const char *const settings[][5] = {
        {"width", "1.3", NULL}, {"proposal", "student-t", NULL}, {"proposal", "student-t", "width", "0.6", NULL}};
    static const size_t units[] = {1, 3, 6};
    for (size_t k = 0; k < 3; k++)
        for (size_t u = 0; u < 3; u++) {
            target_set(0.4, 1.1);
            run(units[u], settings[k], (uint32_t)(1 + k));
            const double log_z = 0.5 * (double)units[u] * log(2 * M_PI * 1.21);
            ck_assert_double_eq_tol(value("importance_log_z_exact"), log_z, 1e-12);
            ck_assert_double_lt(fabs(z_of("importance_log_z", log_z)), 5);
            ck_assert_double_lt(fabs(z_of("importance_first", 0.4)), 5);
            ck_assert_double_lt(fabs(z_of("importance_square", 0.16 + 1.21)), 5);
            ck_assert_double_lt(fabs(z_of("importance_energy", 0.5)), 5);
            ck_assert_double_lt(error_of("importance_first"), 0.1); /* it says something */
        }
}
END_TEST

/* What is drawn, and what exact draws see. */
START_TEST(test_importance_ess_formula) {
    static const char *const widths[] = {"0.95", "1", "1.2", "2"};
    for (size_t k = 0; k < 4; k++)
        for (size_t V = 1; V <= 5; V += 4) {
            run(V, (const char *const[]){"width", widths[k], "draws", "20000", "exact_draws", "20000", NULL}, 5);
            const double fraction = normal_fraction((double)V, atof(widths[k]));
            if (k == 1) { /* every weight is 1, but for the rounding of states */
                ck_assert_double_eq_tol(value("importance_ess_fraction"), 1, 1e-4);
                ck_assert_double_eq_tol(value("importance_ess_fraction_exact"), 1, 1e-4);
                continue;
            }
            ck_assert_double_lt(fabs(z_of("importance_ess_fraction", fraction)), 5);
            ck_assert_double_lt(fabs(z_of("importance_ess_fraction_exact", fraction)), 5);
            ck_assert_double_eq_tol(value("importance_ess"), 20000 * value("importance_ess_fraction"), 1e-6);
        }
}
END_TEST

/* Errors are of the size that they claim: the mean of z^2 over SEEDS runs is chi^2 / SEEDS, within 6 sqrt(2 / SEEDS) of 1
 * (0.42); the delta method's bias, O(1 / draws), is far below that. */
START_TEST(test_importance_errors_calibrated) {
    enum { SEEDS = 400 };
    static const char *const metrics[] = {"importance_log_z", "importance_first", "importance_square",
                                          "importance_ess_fraction"};
    const double exact[] = {log(2 * M_PI), 0, 1, normal_fraction(2, 1.5)};
    double squares[4] = {0};
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        run(2, (const char *const[]){"width", "1.5", "draws", "2000", NULL}, seed);
        for (size_t k = 0; k < 4; k++)
            squares[k] += pow(z_of(metrics[k], exact[k]), 2) / SEEDS;
    }
    for (size_t k = 0; k < 4; k++)
        ck_assert_msg(fabs(squares[k] - 1) < 6 * sqrt(2.0 / SEEDS), "%s: mean of z^2 is %.3f", metrics[k], squares[k]);
}
END_TEST

/* A third of the width in 10 units: the mean square is far too low by its own error, and the ESS seen is many times what exact
 * draws see, while k says so. */
START_TEST(test_importance_light_tails_show) {
    run(10, (const char *const[]){"width", "0.3", "exact_draws", "10000", NULL}, 3);
    ck_assert_double_lt(z_of("importance_square", 1), -5);
    ck_assert_double_gt(value("importance_k"), 0.5);
    ck_assert_double_gt(value("importance_ess_fraction"), 10 * value("importance_ess_fraction_exact"));
}
END_TEST

/* From a proposal too wide and off centre to the target's own scales. What learnt scales leave is the error of V variances
 * from about N draws, each 2/N: ESS/N above 0.95. */
START_TEST(test_importance_rounds_learn) {
    static const char *const kinds[] = {"diagonal", "dense"};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < 4; i++) {
            target_mean[i] = 1 - 0.5 * (double)i;
            target_sd[i] = 0.3 + 0.4 * (double)i;
        }
        run(4, (const char *const[]){"width", "3", "rounds", "1", "learn", kinds[k], NULL}, 7);
        const double before = value("importance_ess_fraction");
        run(4, (const char *const[]){"width", "3", "rounds", "6", "learn", kinds[k], NULL}, 7);
        ck_assert_uint_eq(round_now, 6);
        ck_assert_double_lt(before, 0.05);
        ck_assert_double_gt(value("importance_ess_fraction"), 0.95);
        ck_assert_double_lt(fabs(z_of("importance_first", 1)), 5);
    }
}
END_TEST

/* Ten scales over a factor of 30, from a proposal that fits none: plain weights are worth a draw or two and teach
 * nothing, flattened ones lead to the target. */
START_TEST(test_importance_flattened_weights_learn) {
    for (size_t i = 0; i < 10; i++) {
        target_mean[i] = i % 2 ? 1 : -1;
        target_sd[i] = 0.1 * pow(30, (double)i / 9);
    }
    run(10, (const char *const[]){"width", "3", "rounds", "8", NULL}, 7);
    ck_assert_double_lt(value("importance_ess_fraction"), 0.05);
    run(10, (const char *const[]){"width", "3", "rounds", "8", "learn_ess", "200", NULL}, 7);
    ck_assert_double_gt(value("importance_ess_fraction"), 0.9);
    ck_assert_double_lt(fabs(z_of("importance_first", -1)), 5);
    run(10, (const char *const[]){"width", "3", "rounds", "3", "learn_ess", "10000", NULL}, 7); /* all, to rounding */
    ck_assert_double_lt(value("importance_ess_fraction"), 0.01);
}
END_TEST

/* A dense proposal learnt from the draws listed here; the same sums by plain loops. */
static void learn_dense(ebm_proposal *p, double degrees) {
    enum { ROWS = 5 };
    static const ebm_real x[ROWS][2] = {{1, 2}, {(ebm_real)-0.5, 1}, {2, 4}, {0, (ebm_real)0.5}, {(ebm_real)1.5, 1}};
    static const double weight[ROWS] = {0.1, 0.3, 0.2, 0.25, 0.15};
    double first[2] = {0}, second[4] = {0}, mean[2] = {0}, cov[3] = {0};
    ebm_proposal_sums sums = {first, second};
    CHECK_OK(ebm_proposal_create(2, degrees, 0.5, 2, p, work, &failure));
    CHECK_OK(ebm_proposal_add(p, ROWS, &x[0][0], weight, true, &sums, work, &failure));
    CHECK_OK(ebm_proposal_learn(p, &sums, 3, true, 1.25, &failure));
    for (size_t b = 0; b < ROWS; b++)
        for (size_t i = 0; i < 2; i++)
            mean[i] += weight[b] * (double)x[b][i];
    for (size_t b = 0; b < ROWS; b++) {
        const double u = (double)x[b][0] - mean[0], v = (double)x[b][1] - mean[1];
        cov[0] += weight[b] * u * u, cov[1] += weight[b] * u * v, cov[2] += weight[b] * v * v;
    }
    const double S[3] = {(3 * cov[0] + 4 * 4) / 7 * 1.5625, 3 * cov[1] / 7 * 1.5625, (3 * cov[2] + 4 * 4) / 7 * 1.5625};
    const double *L = p->factor;
    ck_assert_double_eq_tol(p->mean[0], mean[0], 1e-14);
    ck_assert_double_eq_tol(p->mean[1], mean[1], 1e-14);
    ck_assert_double_eq_tol(L[0] * L[0], S[0], 1e-13);
    ck_assert_double_eq_tol(L[0] * L[2], S[1], 1e-13);
    ck_assert_double_eq_tol(L[2] * L[2] + L[3] * L[3], S[2], 1e-13);
}

/* Rounding a state by u |x| moves log q by |dlog q / dx| u |x|: below 100 u for the draws met here, |u| < 6 and scales
 * near 1 to 2 (of the t the derivative is bounded, the states are not, but x dlog q/dx is below nu + V). */
static void check_densities(const ebm_proposal *p) {
    enum { ROWS = 200 };
    static ebm_real x[2 * ROWS];
    double drawn[ROWS], given[ROWS];
    CHECK_OK(ebm_proposal_draw(p, ebm_stream_of(9, 9), 0, 17, ROWS, x, drawn, work, &failure));
    CHECK_OK(ebm_proposal_log_density(p, ROWS, x, given, work, &failure));
    for (size_t b = 0; b < ROWS; b++)
        ck_assert_double_eq_tol(drawn[b], given[b], 100 * ROUNDING + 1e-13);
}

/* Trapezoids over [-R, R]^2 with step h; smooth and cut where the density is 1e-12 of its top for the normal; the t of
 * 3 degrees has mass (R / scale)^-3 ~ 2e-5 beyond R = 150. */
static double total_mass(const ebm_proposal *p, double R, double h) {
    const size_t side = (size_t)(2 * R / h) + 1;
    ebm_real *x = malloc(2 * side * sizeof *x);
    double *density = malloc(side * sizeof *density), sum = 0;
    for (size_t i = 0; i < side; i++) {
        for (size_t j = 0; j < side; j++) {
            x[2 * j] = (ebm_real)(-R + h * (double)i);
            x[2 * j + 1] = (ebm_real)(-R + h * (double)j);
        }
        CHECK_OK(ebm_proposal_log_density(p, side, x, density, work, &failure));
        for (size_t j = 0; j < side; j++)
            sum += h * h * exp(density[j]);
    }
    free(density);
    free(x);
    return sum;
}

START_TEST(test_proposal_densities) {
    static const double degrees[] = {INFINITY, 3};
    for (size_t k = 0; k < 2; k++) {
        const size_t mark = ebm_work_mark(work);
        ebm_proposal p;
        learn_dense(&p, degrees[k]);
        check_densities(&p);
        ck_assert_double_eq_tol(total_mass(&p, k == 0 ? 20 : 150, 0.25), 1, k == 0 ? 1e-6 : 2e-4);
        p.dense = false; /* the diagonal of the same factor */
        p.factor[2] = 0;
        check_densities(&p);
        ebm_work_release(work, mark);
    }
}
END_TEST

/* t of 3 degrees: F(t) = 1/2 + (a / (1 + a^2) + atan a) / pi, a = t / sqrt(3). Kolmogorov's p below 1e-7 once in 1e7. */
START_TEST(test_proposal_draws_student_t) {
    enum { ROWS = 20000 };
    static ebm_real x[2 * ROWS];
    static double density[ROWS], F[ROWS];
    for (size_t V = 1; V <= 2; V++) {
        const size_t mark = ebm_work_mark(work);
        ebm_proposal p;
        ebm_kolmogorov result;
        CHECK_OK(ebm_proposal_create(V, 3, 0.5, 2, &p, work, &failure));
        CHECK_OK(ebm_proposal_draw(&p, ebm_stream_of(4, 10), 0, 0, ROWS, x, density, work, &failure));
        for (size_t b = 0; b < ROWS; b++) {
            const double a = ((double)x[b * V + V - 1] - 0.5) / 2 / sqrt(3);
            F[b] = 0.5 + (a / (1 + a * a) + atan(a)) / M_PI;
        }
        CHECK_OK(ebm_kolmogorov_test(F, ROWS, &result, work, &failure));
        ck_assert_double_gt(result.p_value, 1e-7);
        ebm_work_release(work, mark);
    }
}
END_TEST

/* Weights u^-k are Pareto all the way: the n in the tail fit k with standard deviation (1 + k) / sqrt(n) about
 * (n k + 5) / (n + 10); n = 3 sqrt(40000) = 600. 6 of these and 0.01 for the estimator's own bias, O(1/n). */
START_TEST(test_pareto_tail) {
    enum { N = 40000, TAIL = 600 };
    static double log_weight[N];
    static const double shapes[] = {0.2, 0.5, 0.7, 1.5};
    for (size_t s = 0; s < 4; s++) {
        uint64_t state = 77 + s;
        for (size_t n = 0; n < N; n++)
            log_weight[n] = -shapes[s] * log(0.5 * (1 + small_uniform(&state)) + 0x1p-54);
        const double want = (TAIL * shapes[s] + 5) / (TAIL + 10), found = ebm_pareto_tail(log_weight, N, work);
        ck_assert_msg(fabs(found - want) < 6 * (1 + shapes[s]) / sqrt(TAIL) + 0.01, "k = %g: %g", shapes[s], found);
        for (size_t n = 0; n < N; n++) /* a common factor changes nothing */
            log_weight[n] += 5000;
        ck_assert_double_eq_tol(ebm_pareto_tail(log_weight, N, work), found, 1e-9);
    }
    log_weight[3] = -INFINITY;
    ck_assert(isfinite(ebm_pareto_tail(log_weight, N, work)));
    ck_assert(isnan(ebm_pareto_tail(log_weight, 20, work)));
    for (size_t n = 0; n < N; n++)
        log_weight[n] = 0;
    ck_assert(isnan(ebm_pareto_tail(log_weight, N, work)));
}
END_TEST

START_TEST(test_importance_refusals) {
    target_energy_everywhere = NAN;
    ck_assert_int_eq(try(2, NULL, 1), EBM_DIVERGED);
    target_energy_everywhere = INFINITY;
    ck_assert_int_eq(try(2, NULL, 1), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(failure.message, "none has a finite energy"));
    target_energy_everywhere = 0;
    ck_assert_int_eq(try(2, (const char *const[]){"observable", "squares", NULL}, 1), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(failure.message, "did you mean square"));
    ck_assert_int_eq(try(1, (const char *const[]){"observable", "second", NULL}, 1), EBM_INVALID);
    run(2, (const char *const[]){"observable", "square", NULL}, 1);
    ck_assert_uint_eq(sink_row(&memory, "importance_square_exact"), memory.count - 1);
    ck_assert_uint_eq(sink_row(&memory, "importance_square"), memory.count - 2);
    ck_assert_str_eq(memory.rows[memory.count - 3].metric, "importance_largest_weight");
    ebm_model machine;
    small_rbm_create(3, 2, &machine);
    const ebm_estimate_inputs inputs = {.model = &machine, .path = ebm_path_end(), .seed = 1, .work = work};
    ck_assert_int_eq(small_estimate(&ebm_importance, NULL, &inputs, &memory), EBM_UNSUPPORTED);
    ebm_model_free(&machine);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("importance");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_importance_normal_means_and_log_z);
    tcase_add_test(tests, test_importance_ess_formula);
    tcase_add_test(tests, test_importance_errors_calibrated);
    tcase_add_test(tests, test_importance_light_tails_show);
    tcase_add_test(tests, test_importance_rounds_learn);
    tcase_add_test(tests, test_importance_flattened_weights_learn);
    tcase_add_test(tests, test_proposal_densities);
    tcase_add_test(tests, test_proposal_draws_student_t);
    tcase_add_test(tests, test_pareto_tail);
    tcase_add_test(tests, test_importance_refusals);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
