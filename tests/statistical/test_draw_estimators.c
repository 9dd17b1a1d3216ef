/* The estimators that test random draws: p values judged together, and what they say of right and of wrong draws. Fixed
 * seeds; where draws are right a bound on a p value is a false alarm of 1e-6. */
#include "ebm/draws.h"
#include "estimators/estimators.h"
#include "estimators/goodness.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct found {
    ebm_sink sink;      /* first: handed out as the sink */
    size_t step, curve; /* values at steps above 0 */
    double previous;    /* of the curve, which rises */
    size_t count;
    struct {
        char metric[48];
        double value, se;
    } rows[32];
} found;

static void set_step(ebm_sink *sink, uint64_t step) {
    ((found *)(void *)sink)->step = (size_t)step;
}

static ebm_status keep(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    found *f = (found *)(void *)sink;
    (void)error;
    if (f->step > 0) {
        ck_assert_uint_eq(f->step, ++f->curve);
        ck_assert(value >= f->previous && value <= 1 && se > 0);
        f->previous = value;
        return EBM_OK;
    }
    ck_assert_uint_lt(f->count, sizeof f->rows / sizeof f->rows[0]);
    snprintf(f->rows[f->count].metric, sizeof f->rows[0].metric, "%s", metric);
    f->rows[f->count].value = value;
    f->rows[f->count++].se = se;
    return EBM_OK;
}

static double value_of(const found *f, const char *metric, double *se) {
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->rows[i].metric, metric) == 0) {
            if (se)
                *se = f->rows[i].se;
            return f->rows[i].value;
        }
    ck_abort_msg("no row %s", metric);
}

static ebm_status estimate(const ebm_estimator_type *type, const char *const *settings, int threads, found *out,
                           ebm_error *error) {
    void *options = calloc(1, type->info.options_size);
    ebm_work *work;
    *out = (found){.sink = {keep, set_step}};
    ck_assert(type->without_model);
    ck_assert_int_eq(ebm_work_create(threads, &work, NULL), EBM_OK);
    ck_assert_int_eq(ebm_options_default(type->info.options, options, type->info.options_size, NULL), EBM_OK);
    for (; *settings; settings += 2)
        ck_assert_int_eq(ebm_options_set(type->info.options, options, settings[0], settings[1], NULL, NULL), EBM_OK);
    const ebm_estimate_inputs inputs = {.seed = 5, .work = work};
    const ebm_status status = type->estimate(options, &inputs, &out->sink, error);
    if (status == EBM_OK)
        ck_assert_uint_eq(ebm_work_mark(work), 0);
    ebm_options_clear(type->info.options, options);
    free(options);
    ebm_work_free(work);
    return status;
}

START_TEST(test_draws_p_values_judged_together) {
    double p[] = {0.8, 0.02, 0.3, 0.5};
    found f = {.sink = {keep, set_step}};
    ebm_work *work;
    ck_assert_int_eq(ebm_work_create(1, &work, NULL), EBM_OK);
    ck_assert_int_eq(ebm_goodness_emit("ks", p, 4, &f.sink, work, NULL), EBM_OK);
    ck_assert_double_eq_tol(value_of(&f, "ks_p", NULL), 0.08, 1e-15);
    ck_assert_double_gt(value_of(&f, "ks_uniform_p", NULL), 0.5);
    ck_assert_int_eq(ebm_goodness_curve("p_value", p, 4, &f.sink, NULL), EBM_OK);
    ck_assert(f.curve == 4 && p[0] == 0.02 && p[3] == 0.8);
    /* a hundred p values near 1/2: none is small, together they are too good */
    double good[100];
    for (int k = 0; k < 100; k++)
        good[k] = 0.45 + 0.001 * k;
    f = (found){.sink = {keep, set_step}};
    ck_assert_int_eq(ebm_goodness_emit("ks", good, 100, &f.sink, work, NULL), EBM_OK);
    ck_assert(value_of(&f, "ks_p", NULL) == 1);
    ck_assert_double_lt(value_of(&f, "ks_uniform_p", NULL), 1e-10);
    ebm_work_free(work);
}
END_TEST

START_TEST(test_draws_normals_fit) {
    static const char *const methods[] = {"box-muller", "library"};
    const char *settings[] = {"method", methods[_i], "draws", "10000", "seeds", "30", NULL};
    double se;
    found f, again;
    ck_assert_int_eq(estimate(&ebm_normal_draws, settings, 1, &f, NULL), EBM_OK);
    ck_assert_int_eq(estimate(&ebm_normal_draws, settings, 2, &again, NULL), EBM_OK);
    ck_assert_mem_eq(f.rows, again.rows, sizeof f.rows);
    ck_assert_uint_eq(f.curve, 30);
    ck_assert_double_gt(value_of(&f, "ks_p", NULL), 1e-6);
    ck_assert_double_gt(value_of(&f, "ks_uniform_p", NULL), 1e-6);
    ck_assert_double_gt(value_of(&f, "chi_square_p", NULL), 1e-6);
    ck_assert_double_gt(value_of(&f, "chi_square_uniform_p", NULL), 1e-6);
    ck_assert(value_of(&f, "normal_p", NULL) == value_of(&f, "ks_p", NULL));
    ck_assert_double_lt(value_of(&f, "distance", NULL), 2.9 / sqrt(3e5)); /* sqrt(n) D > 2.9: 1e-7 */
    ck_assert(value_of(&f, "distance_exact", NULL) == 0);
    ck_assert_double_lt(fabs(value_of(&f, "excess_kurtosis", &se)), 7 * se); /* Student, 29 degrees of freedom */
}
END_TEST

/* The largest distance of the law itself: N = 1 by hand, then the leading term 0.02753 / N of Edgeworth's expansion. */
START_TEST(test_draws_sums_are_not_normal) {
    const char *settings[] = {"method", "central-limit", "uniforms", NULL, "draws", "20000", "seeds", "10", NULL};
    static const char *const uniforms[] = {"1", "2", "16"};
    static const double distances[] = {0.05722, 0.01645, 0.02753 / 16}, slack[] = {2e-4, 2e-4, 1e-4};
    double se;
    found f;
    settings[3] = uniforms[_i];
    ck_assert_int_eq(estimate(&ebm_normal_draws, settings, 1, &f, NULL), EBM_OK);
    ck_assert_double_gt(value_of(&f, "ks_p", NULL), 1e-6); /* its own law */
    ck_assert_double_gt(value_of(&f, "chi_square_p", NULL), 1e-6);
    ck_assert_double_eq_tol(value_of(&f, "distance_exact", NULL), distances[_i], slack[_i]);
    ck_assert_double_lt(fabs(value_of(&f, "distance", NULL) - value_of(&f, "distance_exact", NULL)), 2.9 / sqrt(2e5));
    const double exact = value_of(&f, "excess_kurtosis_exact", NULL);
    ck_assert_double_eq_tol(exact, -6 / (5 * atof(uniforms[_i])), 1e-15);
    ck_assert_double_lt(fabs(value_of(&f, "excess_kurtosis", &se) - exact), 12 * se); /* Student, 9 degrees */
    if (_i < 2)
        ck_assert_double_lt(value_of(&f, "normal_p", NULL), 1e-6);
}
END_TEST

START_TEST(test_draws_categories_fit) {
    static const char *const methods[] = {"inverse", "alias"};
    const char *settings[] = {"method", methods[_i], "categories", "1000", "draws", "10000", "seeds", "30", NULL};
    const char *even[] = {"method", methods[_i], "categories", "8", "exponent", "0", "draws", "1000", NULL};
    const char *steep[] = {"method", methods[_i], "categories", "3", "exponent", "20", "draws", "1000", NULL};
    ebm_error error;
    found f;
    ck_assert_int_eq(estimate(&ebm_categorical_draws, settings, 1, &f, NULL), EBM_OK);
    ck_assert_double_gt(value_of(&f, "chi_square_p", NULL), 1e-6);
    ck_assert_double_gt(value_of(&f, "chi_square_uniform_p", NULL), 1e-6);
    const double reads = value_of(&f, "reads", NULL);
    ck_assert(_i == 0 ? reads >= 9 && reads <= 10 : reads > 1 && reads < 2);
    ck_assert_int_eq(estimate(&ebm_categorical_draws, even, 1, &f, NULL), EBM_OK);
    ck_assert_double_eq_tol(value_of(&f, "reads", NULL), _i == 0 ? 3 : 1, 1e-15);
    ck_assert_int_eq(estimate(&ebm_categorical_draws, steep, 1, &f, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "give more draws or a smaller exponent"));
}
END_TEST

START_TEST(test_draws_gaussians_fit) {
    static const char *const covariances[] = {"identity", "random", "autoregressive"};
    const char *settings[] = {"units", "7",  "covariance", covariances[_i], "correlation", "0.9", "draws", "10000",
                              "seeds", "30", NULL};
    found f;
    ck_assert_int_eq(estimate(&ebm_gaussian_draws, settings, 1, &f, NULL), EBM_OK);
    ck_assert_double_gt(value_of(&f, "quadratic_p", NULL), 1e-6);
    ck_assert_double_gt(value_of(&f, "quadratic_uniform_p", NULL), 1e-6);
    ck_assert_double_gt(value_of(&f, "marginal_p", NULL), 1e-6);
    ck_assert_double_gt(value_of(&f, "marginal_uniform_p", NULL), 1e-6);
}
END_TEST

START_TEST(test_draws_need_no_model_others_do) {
    ebm_error error;
    const ebm_estimator_type *draws = &ebm_normal_draws, *ais = &ebm_ais;
    ck_assert_int_eq(ebm_pairing_check(NULL, NULL, NULL, &draws, 1, false, &error), EBM_OK);
    ck_assert_int_eq(ebm_pairing_check(NULL, NULL, NULL, &ais, 1, false, &error), EBM_UNSUPPORTED);
    ck_assert_str_eq(error.message, "estimator ais needs a model");
    ck_assert_int_eq(ebm_pairing_check(NULL, &ebm_gibbs, NULL, &draws, 1, false, &error), EBM_UNSUPPORTED);
    ck_assert_str_eq(error.message, "sampler gibbs needs a model");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("draw estimators");
    TCase *cases = tcase_create("statistical");
    tcase_add_test(cases, test_draws_p_values_judged_together);
    tcase_add_loop_test(cases, test_draws_normals_fit, 0, 2);
    tcase_add_loop_test(cases, test_draws_sums_are_not_normal, 0, 3);
    tcase_add_loop_test(cases, test_draws_categories_fit, 0, 2);
    tcase_add_loop_test(cases, test_draws_gaussians_fit, 0, 3);
    tcase_add_test(cases, test_draws_need_no_model_others_do);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
