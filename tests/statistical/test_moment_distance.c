/* The estimator moment-distance on normal laws: of exact draws it is noise, of unadjusted Langevin what the formula of its
 * bias says, of chains off the law what they are off; with the law's moments known and with them from a long walk. */
#include "rbm_fixture.h"

#include "ebm/estimator.h"

enum { MOST_ROWS = 64 };

typedef struct rows {
    ebm_sink sink;
    size_t count;
    uint64_t step;
    struct {
        char metric[32];
        uint64_t step;
        double value, se;
    } row[MOST_ROWS];
} rows;

static ebm_status keep(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    rows *r = (rows *)sink;
    (void)error;
    ck_assert_uint_lt(r->count, MOST_ROWS);
    snprintf(r->row[r->count].metric, sizeof r->row[0].metric, "%s", metric);
    r->row[r->count].step = r->step;
    r->row[r->count].value = value;
    r->row[r->count++].se = se;
    return EBM_OK;
}
static void keep_at(ebm_sink *sink, uint64_t step) {
    ((rows *)sink)->step = step;
}

/* The value at the step; its error through `se` where not NULL. NAN where there is no such row. */
static double value_of(const rows *r, const char *metric, uint64_t step, double *se) {
    for (size_t k = 0; k < r->count; k++)
        if (r->row[k].step == step && strcmp(r->row[k].metric, metric) == 0) {
            if (se)
                *se = r->row[k].se;
            return r->row[k].value;
        }
    return NAN;
}

static void measure(const char *const *model_options, const char *sampler, const char *const *sampler_options,
                    const char *const *options, int threads, rows *out, ebm_status expected, ebm_error *refusal) {
    const ebm_model_type *model_type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "gaussian");
    const ebm_sampler_type *sampler_type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, sampler);
    const ebm_estimator_type *type =
        (const ebm_estimator_type *)ebm_component_find(EBM_KIND_ESTIMATOR, "moment-distance");
    ck_assert(model_type && sampler_type && type);
    void *m = test_options(&model_type->info, model_options), *s = test_options(&sampler_type->info, sampler_options);
    void *o = test_options(&type->info, options);
    ebm_model model;
    ebm_sampler walker;
    ebm_work *work;
    ebm_error own = {0};
    CHECK_OK(ebm_work_create(threads, &work, error));
    CHECK_OK(ebm_model_create(model_type, m, NULL, NULL, 1, &model, error));
    CHECK_OK(ebm_sampler_create(sampler_type, s, &model, &walker, error));
    const ebm_estimate_inputs in = {
        .model = &model, .sampler = &walker, .path = ebm_path_end(), .thin = 1, .seed = 7, .work = work};
    memset(out, 0, sizeof *out);
    out->sink = (ebm_sink){keep, keep_at};
    const ebm_status status = type->estimate(o, &in, &out->sink, refusal ? refusal : &own);
    ck_assert_msg(status == expected, "%s", (refusal ? refusal : &own)->message);
    ebm_sampler_free(&walker);
    ebm_model_free(&model);
    ebm_work_free(work);
    test_options_free(&model_type->info, m);
    test_options_free(&sampler_type->info, s);
    test_options_free(&type->info, o);
}

static const char *const two[] = {"units", "2", "covariance", "autoregressive", "correlation", "0.6", "mean", "3",
                                  "scale", "2", NULL};
static const char *const five[] = {"units", "5", "scale", "0.5", "mean", "-1", NULL};
static const char *const short_walk[] = {"steps",  "800",  "first",           "100",  "chains",           "400",
                                         "verify", "true", "reference_steps", "1500", "reference_warmup", "300",
                                         NULL};

/* Independent draws: distances are within 6 times what noise gives (V terms, each normal: below 1e-8), noise is
 * 1 / sqrt(n) of a mean and 1 / sqrt(2 n) of a deviation for n draws (jackknifed over 400 chains: to 6 sqrt(1 / 800), less
 * than other windows would change),
 * rows stand at 100, 200, 400, 800 and look at the last half. */
START_TEST(test_moment_distance_of_exact_draws) {
    rows r;
    measure(_i ? five : two, "exact", NULL, short_walk, 1, &r, EBM_OK, NULL);
    for (uint64_t t = 100; t <= 800; t *= 2) {
        double se = NAN;
        const double draws = 400 * (double)(t == 100 ? t : t / 2), within = 6 * sqrt(1.0 / 800);
        const double mean_noise = value_of(&r, "mean_noise", t, NULL), sd_noise = value_of(&r, "sd_noise", t, NULL);
        ck_assert_double_le(value_of(&r, "mean_distance", t, NULL), 6 * mean_noise);
        ck_assert_double_le(value_of(&r, "sd_distance", t, NULL), 6 * sd_noise);
        if (_i == 0) { /* no reference's noise in it */
            ck_assert_double_le(fabs(mean_noise * sqrt(draws) - 1), within);
            ck_assert_double_le(fabs(sd_noise * sqrt(2 * draws) - 1), within);
        }
        const double ratio = value_of(&r, "sd_ratio", t, &se);
        ck_assert_double_le(fabs(ratio - 1), 6 * hypot(se, sd_noise));
        ck_assert(isnan(value_of(&r, "walk_step_size", t, NULL)));
    }
    ck_assert(isnan(value_of(&r, "mean_distance", 50, NULL)) && isnan(value_of(&r, "mean_distance", 101, NULL)));
    /* the reference beside what is known: four z-values, of 64 chains each */
    const double z = value_of(&r, "reference_z", 0, NULL);
    ck_assert(_i ? isnan(z) : z <= 6.5);
}
END_TEST

/* Unadjusted Langevin on N(mu, s^2) has the standard deviation s / sqrt(1 - eta / (2 s^2)) and no bias of the mean: with
 * eta = s^2 / 2 it is wider by 1.1547. Against quadrature's and a walk's moments. */
START_TEST(test_moment_distance_sees_bias) {
    static const char *const models[][7] = {{"units", "2", "scale", "0.5", "mean", "-1", NULL},
                                            {"units", "5", "scale", "0.5", "mean", "-1", NULL}};
    static const char *const step[] = {"step", "0.125", NULL};
    const double ratio = 1 / sqrt(0.75);
    rows r;
    double se = NAN;
    measure(models[_i], "ula", step, short_walk, 1, &r, EBM_OK, NULL);
    const double got = value_of(&r, "sd_ratio", 800, &se), noise = value_of(&r, "sd_noise", 800, NULL);
    ck_assert_msg(fabs(got - ratio) <= 6 * hypot(se, noise), "ratio %g, not %g", got, ratio);
    ck_assert_double_le(fabs(value_of(&r, "sd_distance", 800, NULL) - (ratio - 1)), 6 * noise);
    ck_assert_double_le(value_of(&r, "mean_distance", 800, NULL), 6 * value_of(&r, "mean_noise", 800, NULL));
    ck_assert_double_le(hypot(se, noise), 0.02); /* or the bias would not be seen */
    ck_assert_double_eq(value_of(&r, "walk_step_size", 800, NULL), 0.125);
}
END_TEST

/* Steps so small that chains stay at their starts N(0, 4): the mean is 3 / 2 deviations off, the spread 2 / 2. */
START_TEST(test_moment_distance_sees_where_chains_are) {
    static const char *const step[] = {"step", "1e-9", NULL};
    static const char *const options[] = {"steps", "4", "first", "2", "chains", "4000", "dispersion", "2", NULL};
    rows r;
    measure(two, "ula", step, options, 1, &r, EBM_OK, NULL);
    ck_assert_double_le(fabs(value_of(&r, "mean_distance", 4, NULL) - 1.5), 6 / sqrt(4000.0));
    ck_assert_double_le(fabs(value_of(&r, "sd_ratio", 4, NULL) - 1), 6 / sqrt(4000.0));
}
END_TEST

START_TEST(test_moment_distance_same_bytes) {
    rows one, two_threads;
    static const char *const step[] = {"step", "0.1", NULL};
    measure(five, "ula", step, short_walk, 1, &one, EBM_OK, NULL);
    measure(five, "ula", step, short_walk, 2, &two_threads, EBM_OK, NULL);
    ck_assert_uint_eq(one.count, two_threads.count);
    for (size_t k = 0; k < one.count; k++)
        ck_assert(one.row[k].value == two_threads.row[k].value);
}
END_TEST

START_TEST(test_moment_distance_refuses) {
    static const char *const unknown[] = {"reference", "hcm", NULL}, *const biased[] = {"reference", "ula", NULL};
    rows r;
    ebm_error error = {0};
    measure(five, "exact", NULL, unknown, 1, &r, EBM_INVALID, &error);
    ck_assert_ptr_nonnull(strstr(error.message, "no reference sampler 'hcm'"));
    measure(five, "exact", NULL, biased, 1, &r, EBM_INVALID, &error);
    ck_assert_ptr_nonnull(strstr(error.message, "biased"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("moment-distance");
    TCase *cases = tcase_create("statistical");
    tcase_add_loop_test(cases, test_moment_distance_of_exact_draws, 0, 2);
    tcase_add_loop_test(cases, test_moment_distance_sees_bias, 0, 2);
    tcase_add_test(cases, test_moment_distance_sees_where_chains_are);
    tcase_add_test(cases, test_moment_distance_same_bytes);
    tcase_add_test(cases, test_moment_distance_refuses);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
