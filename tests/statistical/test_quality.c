/* The estimator quality and its features: a machine whose law is known in every step, sets that are equal, cuts into blocks,
 * and what is refused. */
#include "estimators/estimators.h"
#include "estimators/features.h"
#include "grbm_fixture.h"

#include <inttypes.h>
#include <unistd.h>

enum { V = 3, SAMPLES = 2000, EXAMPLES = 2000, MOST = 64 };
static const double mu[V] = {1, -0.5, 2}, sigma[V] = {0.5, 1, 1.5}; /* of the machine; the data are standard normal */

typedef struct record {
    ebm_sink sink;
    uint64_t step;
    size_t count;
    struct {
        char name[48];
        uint64_t step;
        double value, se;
    } rows[MOST];
} record;

static ebm_status record_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    record *r = (record *)(void *)sink;
    (void)error;
    ck_assert_uint_lt(r->count, MOST);
    snprintf(r->rows[r->count].name, sizeof r->rows[0].name, "%s", metric);
    r->rows[r->count].step = r->step;
    r->rows[r->count].value = value;
    r->rows[r->count++].se = se;
    return EBM_OK;
}

static void record_at(ebm_sink *sink, uint64_t step) {
    ((record *)(void *)sink)->step = step;
}

static double value_of(const record *r, const char *name, uint64_t step, double *se) {
    for (size_t k = 0; k < r->count; k++)
        if (strcmp(r->rows[k].name, name) == 0 && r->rows[k].step == step) {
            if (se)
                *se = r->rows[k].se;
            return r->rows[k].value;
        }
    ck_abort_msg("no row %s at step %" PRIu64, name, step);
}

static grbm_fixture machine;
static grbm_walk walker;
static ebm_dataset data;
static ebm_error failure;

static void fill(ebm_examples *half, uint64_t seed) {
    test_random r = {seed};
    half->count = EXAMPLES;
    half->reals = malloc(EXAMPLES * V * sizeof *half->reals);
    for (size_t k = 0; k < (size_t)EXAMPLES * V; k++)
        half->reals[k] = (ebm_real)test_random_normal(&r);
}

/* W = 0: hidden units change nothing, and block Gibbs draws N(mu, sigma^2) independently in each step. */
static void setup(void) {
    grbm_open(&machine, V, 4, 0.0, 1);
    for (size_t i = 0; i < V; i++) {
        machine.model.theta[machine.model.views[1].offset + i] = (ebm_real)mu[i];
        machine.model.theta[machine.model.views[3].offset + i] = (ebm_real)log(sigma[i] * sigma[i]);
    }
    ebm_model_refresh(&machine.model, machine.work);
    static const char *const none[] = {NULL};
    grbm_walk_open(&walker, &machine, "block-gibbs", none, 1);
    data = (ebm_dataset){.space = ebm_space_line(EBM_REAL_LINE, V)};
    fill(&data.train, 11);
    fill(&data.test, 12);
}

static void teardown(void) {
    grbm_walk_close(&walker);
    grbm_close(&machine);
    free(data.train.reals);
    free(data.test.reals);
}

static ebm_status judge_by(const ebm_estimator_type *type, const char *const *pairs, record *out) {
    void *options = test_options(&type->info, pairs);
    const ebm_estimate_inputs inputs = {.model = &machine.model,
                                        .data = &data,
                                        .sampler = &walker.sampler,
                                        .path = ebm_path_end(),
                                        .seed = 5,
                                        .work = machine.work};
    *out = (record){.sink = {record_emit, record_at}};
    const ebm_status status = type->estimate(options, &inputs, &out->sink, &failure);
    test_options_free(&type->info, options);
    return status;
}

static ebm_status judge(const char *const *pairs, record *out) {
    return judge_by(&ebm_quality, pairs, out);
}

/* |m|^2 and tr C of the training examples less `centre`. */
static void fit_of(const ebm_examples *half, double *squared_mean, double *spread) {
    *squared_mean = *spread = 0;
    for (size_t i = 0; i < V; i++) {
        double sum = 0, squares = 0;
        for (size_t e = 0; e < EXAMPLES; e++)
            sum += (double)half->reals[e * V + i];
        for (size_t e = 0; e < EXAMPLES; e++)
            squares += pow((double)half->reals[e * V + i] - sum / EXAMPLES, 2);
        *squared_mean += pow(sum / EXAMPLES - mu[i], 2);
        *spread += squares / (EXAMPLES - 1);
    }
}

/* Frechet's distance of N(mu, sigma^2) and N(0, I) is |mu|^2 + sum (sigma - 1)^2, plus a bias of order 6 / 2000, which 5
 * standard errors of about 0.1 hold; E[v | h] = mu is one point, whose distance is |mu - m|^2 + tr C to rounding of floats. */
START_TEST(test_quality_of_a_known_law) {
    static const char *const pairs[] = {"samples", "2000", "steps", "[1, 3]", "pairs", "500", NULL};
    record r;
    double se, squared, spread, expected = 0;
    ck_assert_msg(judge(pairs, &r) == EBM_OK, "%s", failure.message);
    for (size_t i = 0; i < V; i++)
        expected += mu[i] * mu[i] + (sigma[i] - 1) * (sigma[i] - 1);
    fit_of(&data.train, &squared, &spread);
    for (uint64_t step = 1; step <= 3; step += 2) {
        const double found = value_of(&r, "frechet_pixels", step, &se);
        ck_assert_msg(fabs(found - expected) < 5 * se && se < 0.3, "%g for %g +- %g", found, expected, se);
        ck_assert_double_eq_tol(value_of(&r, "frechet_pixels_mean", step, NULL), squared + spread, 1e-5);
    }
    ck_assert(fabs(value_of(&r, "frechet_limit_pixels_floor", 3, &se)) < 0.02); /* two samples of one law */
    ck_assert(fabs(value_of(&r, "mmd_pixels_floor", 3, &se)) < 5.5 * se);
    ck_assert(value_of(&r, "mmd_pixels", 3, &se) > 5.5 * se);
    ck_assert_double_eq(value_of(&r, "recall_pixels_mean", 3, NULL), 0); /* a point reaches nothing */
    ck_assert_double_eq(value_of(&r, "generation_temperature", 3, NULL), 1);
}
END_TEST

/* Equal halves of data are at no distance, to rounding; started at the examples and not moved, so are the samples. */
START_TEST(test_quality_of_equal_sets) {
    static const char *const pairs[] = {"samples", "2000", "pairs", "0", "means", "false", NULL};
    record r;
    memcpy(data.test.reals, data.train.reals, sizeof(ebm_real) * EXAMPLES * V);
    ck_assert_msg(judge(pairs, &r) == EBM_OK, "%s", failure.message);
    ck_assert_double_eq_tol(value_of(&r, "frechet_pixels_floor", 100, NULL), 0, 1e-9);
    ck_assert(value_of(&r, "frechet_pixels_half", 100, NULL) > 1e-4);
}
END_TEST

/* The estimator frechet sees what quality sees after the last step, and leaves the step of its rows to the runner. */
START_TEST(test_frechet_in_the_course_of_training) {
    static const char *const curve[] = {"samples", "500", "steps", "[4]", NULL};
    static const char *const whole[] = {"samples", "500", "steps", "[1, 4]", "pairs", "0", NULL};
    static const char *const suffixes[] = {"", "_mean"};
    record a, b;
    ck_assert_int_eq(judge_by(&ebm_frechet_curve, curve, &a), EBM_OK);
    ck_assert_int_eq(judge(whole, &b), EBM_OK);
    ck_assert_uint_eq(a.count, 4);
    for (size_t k = 0; k < 2; k++) {
        char here[48], there[48];
        double se[2];
        snprintf(here, sizeof here, "training_frechet_pixels%s", suffixes[k]);
        snprintf(there, sizeof there, "frechet_pixels%s", suffixes[k]);
        ck_assert_double_eq(value_of(&a, here, 0, &se[0]), value_of(&b, there, 4, &se[1]));
        ck_assert_double_eq(se[0], se[1]);
    }
}
END_TEST

/* Each chain has its own numbers, however chains are put into blocks. */
START_TEST(test_quality_does_not_depend_on_blocks) {
    static const char *const one[] = {"samples", "500", "block", "500", "steps", "[2]", NULL};
    static const char *const many[] = {"samples", "500", "block", "37", "steps", "[2]", NULL};
    record a, b;
    ck_assert_int_eq(judge(one, &a), EBM_OK);
    ck_assert_int_eq(judge(many, &b), EBM_OK);
    ck_assert_uint_eq(a.count, b.count);
    for (size_t k = 0; k < a.count; k++) /* products may round by their shape */
        ck_assert_double_eq_tol(a.rows[k].value, b.rows[k].value, 1e-4 * (1 + fabs(a.rows[k].value)));
}
END_TEST

START_TEST(test_quality_refuses_fewer_samples_than_features) {
    static const char *const few[] = {"samples", "8", "examples", "6", NULL};
    static const char *const none[] = {"pixels", "false", NULL};
    static const char *const order[] = {"steps", "[5, 2]", NULL};
    static const char *const pca[] = {"pca_64", "true", NULL};
    record r;
    ck_assert_int_eq(judge(few, &r), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(failure.message, "not more than the 3 features"));
    ck_assert_int_eq(judge(none, &r), EBM_INVALID);
    ck_assert_int_eq(judge(order, &r), EBM_INVALID);
    ck_assert_int_eq(judge(pca, &r), EBM_INVALID);
    data.train.reals[7] = NAN;
    static const char *const plain[] = {"samples", "100", NULL};
    ck_assert_int_eq(judge(plain, &r), EBM_DIVERGED);
}
END_TEST

/* Examples of 100 units that vary in 40 directions alone: all of it is in 64 components, so that distances between examples
 * are what they were, to the rounding of floats times 100 units. */
START_TEST(test_features_pca_keep_distances) {
    enum { UNITS = 100, RANK = 40, N = 300 };
    ebm_real *x = malloc(N * UNITS * sizeof *x);
    double *out = malloc(N * EBM_PCA_FEATURES * sizeof *out), plane[RANK][UNITS];
    test_random r = {3};
    ebm_features f;
    for (size_t k = 0; k < RANK; k++)
        for (size_t i = 0; i < UNITS; i++)
            plane[k][i] = test_random_normal(&r);
    for (size_t e = 0; e < N; e++) {
        double row[UNITS];
        for (size_t i = 0; i < UNITS; i++)
            row[i] = 7;
        for (size_t k = 0; k < RANK; k++) {
            const double a = test_random_normal(&r);
            for (size_t i = 0; i < UNITS; i++)
                row[i] += a * plane[k][i];
        }
        for (size_t i = 0; i < UNITS; i++)
            x[e * UNITS + i] = (ebm_real)row[i];
    }
    CHECK_OK(ebm_features_pca(x, N, UNITS, &f, machine.work, error));
    CHECK_OK(ebm_features_of(&f, x, N, out, machine.work, error));
    for (size_t e = 1; e < N; e++) {
        double before = 0, after = 0;
        for (size_t i = 0; i < UNITS; i++)
            before += pow((double)x[e * UNITS + i] - (double)x[i], 2);
        for (size_t k = 0; k < EBM_PCA_FEATURES; k++)
            after += pow(out[e * EBM_PCA_FEATURES + k] - out[k], 2);
        ck_assert_double_eq_tol(after / before, 1, 1e-5);
    }
    ebm_features_free(&f);
    free(x);
    free(out);
}
END_TEST

/* The net sees intensities: standardised pictures, turned back, have the features of those that were not; a net of another
 * hash is refused. */
START_TEST(test_features_of_a_net) {
    char folder[] = "/tmp/ebm-net-XXXXXX", hash[17];
    ebm_net *net;
    ebm_features f;
    ebm_real x[256], turned[256];
    double a[5], b[5];
    test_random r = {4};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    CHECK_OK(ebm_digits_net_create(16, 16, 3, 2, 5, &net, error));
    ebm_net_initialise(net, 1);
    CHECK_OK(ebm_net_save(net, folder, error));
    snprintf(hash, sizeof hash, "%016" PRIx64, ebm_net_hash(net));
    ebm_dataset pictures = {.space = ebm_space_picture(EBM_REAL_LINE, 16, 16)};
    for (size_t i = 0; i < 256; i++) {
        x[i] = (ebm_real)fabs(test_random_normal(&r) / 3);
        turned[i] = (ebm_real)(((double)x[i] - 0.25) / 0.5);
    }
    CHECK_OK(ebm_features_net(folder, hash, &pictures, &f, error));
    ck_assert_uint_eq(f.size, 5);
    CHECK_OK(ebm_features_of(&f, x, 1, a, machine.work, error));
    ebm_features_free(&f);
    pictures.mean = 0.25;
    pictures.deviation = 0.5;
    CHECK_OK(ebm_features_net(folder, NULL, &pictures, &f, error));
    CHECK_OK(ebm_features_of(&f, turned, 1, b, machine.work, error));
    ebm_features_free(&f);
    for (size_t k = 0; k < 5; k++)
        ck_assert_double_eq_tol(a[k], b[k], 1e-5); /* sums of some hundred floats of size below 1 */
    ck_assert_int_eq(ebm_features_net(folder, "0000000000000000", &pictures, &f, &failure), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(failure.message, hash));
    ebm_features_free(&f);
    ebm_net_free(net);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("quality");
    TCase *tests = tcase_create("quality");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_quality_of_a_known_law);
    tcase_add_test(tests, test_quality_of_equal_sets);
    tcase_add_test(tests, test_frechet_in_the_course_of_training);
    tcase_add_test(tests, test_quality_does_not_depend_on_blocks);
    tcase_add_test(tests, test_quality_refuses_fewer_samples_than_features);
    tcase_add_test(tests, test_features_pca_keep_distances);
    tcase_add_test(tests, test_features_of_a_net);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
