/* Records from hidden classes: every record is a state of its units, the frequencies of discrete ones and the averages of
 * continuous ones are those of the density that comes with them, and a harmonium takes them and refuses others. */
#include "rbm_fixture.h"
#include "statistics.h"

#include "ebm/estimator.h"
#include "models/exponential_unit.h"

enum { RECORDS = 20000, TOP = 40 };

typedef struct records {
    const ebm_dataset_type *type;
    void *options;
    ebm_dataset data;
} records;

static void records_open(records *r, const char *units, const char *contrast, const char *seed) {
    const char *const pairs[] = {"units", units,       "classes", "3",        "count",  "50", "test",
                                 "20000", "data_seed", seed,      "contrast", contrast, NULL};
    memset(r, 0, sizeof *r);
    r->type = (const ebm_dataset_type *)ebm_component_find(EBM_KIND_DATASET, "mixed-classes");
    ck_assert_ptr_nonnull(r->type);
    r->options = test_options(&r->type->info, pairs);
    CHECK_OK(ebm_dataset_load(r->type, r->options, 7, &r->data, error));
    ck_assert_uint_eq(r->data.test.count, RECORDS);
    ck_assert(r->data.log_density != NULL);
}

/* log p of test record b */
static double log_density(const records *r, size_t b) {
    const size_t V = r->data.space.size;
    double x[16];
    ck_assert_uint_le(V, 16);
    for (size_t i = 0; i < V; i++)
        x[i] = (double)r->data.test.reals[b * V + i];
    return r->data.log_density(&r->data, x);
}

static void records_close(records *r) {
    ebm_dataset_free(&r->data);
    test_options_free(&r->type->info, r->options);
}

START_TEST(test_mixed_classes_states) {
    static const char *const units = "2 poisson + categorical(4) + binary + truncated-exponential + 2 gaussian";
    records r;
    ebm_unit_list list;
    records_open(&r, units, "1", "3");
    CHECK_OK(ebm_unit_list_parse(units, &list, error));
    ck_assert_uint_eq(r.data.space.size, list.size);
    double most = -INFINITY, classes[3] = {0};
    for (size_t b = 0; b < RECORDS; b++) {
        for (size_t k = 0; k < list.count; k++) {
            const ebm_unit *u = &list.units[k];
            ck_assert(u->kind->log_measure(u->width, 1, r.data.test.reals + b * list.size + u->at) > -INFINITY);
        }
        most = fmax(most, log_density(&r, b));
        classes[r.data.test.labels[b]]++;
    }
    ck_assert(isfinite(most));
    const double even[3] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    chi_square chi = {0, 0};
    chi_square_row(&chi, 3, even, classes);
    ck_assert_double_le(chi.statistic, chi_square_limit(chi.degrees));
    ck_assert_int_ne(memcmp(r.data.train.reals, r.data.test.reals, 50 * list.size * sizeof(ebm_real)), 0);
    ebm_unit_list_free(&list);
    records_close(&r);
}
END_TEST

/* Frequencies of (bit, count) against the density that stands beside each record. */
START_TEST(test_mixed_classes_discrete_law) {
    records r;
    double p[2 * TOP + 1] = {0}, counts[2 * TOP + 1] = {0}, rest = 1;
    records_open(&r, "binary + poisson", "1", "5");
    for (size_t b = 0; b < RECORDS; b++) {
        const ebm_real *x = r.data.test.reals + 2 * b;
        const size_t cell = x[1] < TOP ? (size_t)x[1] * 2 + (size_t)x[0] : 2 * TOP;
        counts[cell]++;
        p[cell] = cell < 2 * TOP ? exp(log_density(&r, b)) : 0;
    }
    for (size_t k = 0; k < 2 * TOP; k++)
        rest -= p[k];
    p[2 * TOP] = fmax(rest, 1e-12); /* what was not seen, counts from TOP on included */
    chi_square chi = {0, 0};
    chi_square_row(&chi, 2 * TOP + 1, p, counts);
    ck_assert_msg(chi.statistic < chi_square_limit(chi.degrees), "chi^2 %g of %g degrees", chi.statistic, chi.degrees);
    ck_assert_double_gt(chi.degrees, 10);
    ck_assert_double_le(fabs(rest), 0.01);
    records_close(&r);
}
END_TEST

/* E[q / p] = 1 for any density q: here uniform times N(0, 0.2), which p, a mixture of wider Gaussians close to 0, bounds. */
START_TEST(test_mixed_classes_continuous_law) {
    records r;
    double sum = 0, squares = 0;
    records_open(&r, "truncated-exponential + gaussian", "0.3", "5");
    for (size_t b = 0; b < RECORDS; b++) {
        const double t = (double)r.data.test.reals[2 * b + 1];
        const double w = exp(-t * t / 0.4 - log_density(&r, b)) / sqrt(2 * 3.14159265358979 * 0.2);
        sum += w;
        squares += w * w;
    }
    const double mean = sum / RECORDS, se = sqrt((squares / RECORDS - mean * mean) / RECORDS);
    ck_assert_msg(fabs(mean - 1) < 6 * se && se < 0.05, "%g +- %g", mean, se);
    records_close(&r);
}
END_TEST

static double said_kl;
static ebm_status keep_kl(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)sink, (void)se, (void)error;
    if (strcmp(metric, "kl_test") == 0)
        said_kl = value;
    return EBM_OK;
}

/* A harmonium of the same units starts from the data's means: of one class it is the law itself, but for the means' sampling
 * error over 50 records and the pseudo-example. Of other units, or of records that are no states, it wants none. */
START_TEST(test_mixed_classes_in_a_harmonium) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "harmonium");
    const ebm_estimator_type *exact =
        (const ebm_estimator_type *)ebm_component_find(EBM_KIND_ESTIMATOR, "exact-loglik");
    static const char *const right[] = {"units", "poisson + truncated-exponential + gaussian", "hidden", "2", NULL};
    static const char *const swapped[] = {"units", "poisson + gaussian + truncated-exponential", "hidden", "2", NULL};
    static const char *const longer[] = {"units", "poisson + gaussian", "hidden", "2", NULL};
    records r;
    ebm_model model;
    ebm_error failure = {0};
    ebm_sink sink = {keep_kl, NULL};
    records_open(&r, "poisson + truncated-exponential + gaussian", "0", "9");
    void *options = test_options(&type->info, right), *limits = test_options(&exact->info, NULL);
    ebm_estimate_inputs in = {.model = &model, .data = &r.data, .path = ebm_path_end()};
    CHECK_OK(ebm_work_create(1, &in.work, error));
    CHECK_OK(ebm_model_create(type, options, &r.data.space, &r.data, 1, &model, error));
    said_kl = NAN;
    CHECK_OK(exact->estimate(limits, &in, &sink, error));
    /* four parameters over 50 records: 4 / (2 50) nats on average, and the pseudo-example's pull */
    ck_assert_msg(said_kl > -0.02 && said_kl < 0.25, "kl_test %g", said_kl);
    ebm_model_free(&model);
    test_options_free(&type->info, options);
    options = test_options(&type->info, swapped);
    ck_assert_int_eq(ebm_model_create(type, options, &r.data.space, &r.data, 1, &model, &failure), EBM_INVALID);
    ck_assert_msg(strstr(failure.message, "is no state of unit 2, truncated-exponential") != NULL, "%s",
                  failure.message);
    test_options_free(&type->info, options);
    options = test_options(&type->info, longer);
    ck_assert_int_eq(ebm_model_create(type, options, &r.data.space, &r.data, 1, &model, &failure), EBM_INVALID);
    ck_assert_msg(strstr(failure.message, "2 coordinates, but the data have 3") != NULL, "%s", failure.message);
    test_options_free(&type->info, options);
    test_options_free(&exact->info, limits);
    ebm_work_free(in.work);
    records_close(&r);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("mixed classes");
    TCase *core = tcase_create("core");
    tcase_add_test(core, test_mixed_classes_states);
    tcase_add_test(core, test_mixed_classes_discrete_law);
    tcase_add_test(core, test_mixed_classes_continuous_law);
    tcase_add_test(core, test_mixed_classes_in_a_harmonium);
    suite_add_tcase(suite, core);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
