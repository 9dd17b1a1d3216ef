/* Labels appended as units, and logistic regression: the units, the gradient at its end by its definition, refusals. */
#include "rbm_fixture.h"

#include "components.h"

static struct {
    ebm_sink sink;
    double accuracy, train, loglik, gradient;
} sunk;

static ebm_status sink_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)sink, (void)se, (void)error;
    if (strcmp(metric, "logistic_accuracy") == 0)
        sunk.accuracy = value;
    if (strcmp(metric, "logistic_accuracy_train") == 0)
        sunk.train = value;
    if (strcmp(metric, "logistic_loglik") == 0)
        sunk.loglik = value;
    if (strcmp(metric, "logistic_gradient") == 0)
        sunk.gradient = value;
    return EBM_OK;
}

static ebm_dataset glyphs(const char *binarise) {
    const char *pairs[] = {"side", "8", "train", "300", "test", "100", "binarise", binarise, NULL};
    void *options = test_options(&ebm_glyphs.info, pairs);
    ebm_dataset data;
    CHECK_OK(ebm_dataset_load(&ebm_glyphs, options, 1, &data, error));
    test_options_free(&ebm_glyphs.info, options);
    return data;
}

static void regress(const ebm_dataset *data, const char *label_units, const char *decay) {
    const char *pairs[] = {"label_units", label_units, "weight_decay", decay, "iterations", "2000", NULL};
    void *options = test_options(&ebm_logistic_regression.info, pairs);
    ebm_work *work;
    CHECK_OK(ebm_work_create(1, &work, error));
    const ebm_estimate_inputs in = {.data = data, .path = ebm_path_end(), .work = work};
    memset(&sunk, 0, sizeof sunk);
    sunk.sink = (ebm_sink){.emit = sink_emit};
    CHECK_OK(ebm_logistic_regression.estimate(options, &in, &sunk.sink, error));
    ebm_work_free(work);
    test_options_free(&ebm_logistic_regression.info, options);
}

/* Pixels stay, in whatever binarisation; of the label units just the label's is up, for 0/1 units and for spins. */
START_TEST(test_labels_become_units) {
    static const char *const binarise[] = {"stochastic", "threshold"};
    for (int spins = 0; spins < 2; spins++) {
        ebm_dataset plain = glyphs(binarise[_i]), data = glyphs(binarise[_i]);
        CHECK_OK(ebm_dataset_append_labels(&data, error));
        if (spins) {
            ebm_dataset_to_spins(&plain);
            ebm_dataset_to_spins(&data);
        }
        ck_assert_uint_eq(data.space.size, 74);
        const ebm_examples *halves[] = {&data.train, &data.test}, *before[] = {&plain.train, &plain.test};
        for (size_t h = 0; h < 2; h++)
            for (size_t e = 0; e < halves[h]->count; e++) {
                ebm_real x[74], y[64];
                ebm_examples_fixed(&data, halves[h], e, 1, x);
                ebm_examples_fixed(&plain, before[h], e, 1, y);
                if (memcmp(x, y, sizeof y) != 0)
                    ck_abort_msg("half %zu, example %zu: pixels changed", h, e);
                for (int32_t k = 0; k < 10; k++)
                    if (x[64 + k] != (k == before[h]->labels[e] ? 1 : spins ? -1 : 0))
                        ck_abort_msg("half %zu, example %zu: label unit %d is %g", h, e, (int)k, (double)x[64 + k]);
            }
        ebm_dataset_free(&plain);
        ebm_dataset_free(&data);
    }
}
END_TEST

/* The objective is convex: its minimum is where the gradient is 0 (1e-5 of |theta|, below 100 here). The label units tell the
 * label when they are let in. Where they are left out, data with and without them give the same fit. Under a penalty of 1e6
 * weights are below 1e-6 and P(c) is the share of c in the training half: logits to 64e-6, and to the gradient's 1e-5 over the
 * least curvature, a share. */
START_TEST(test_logistic_regression_is_at_its_minimum) {
    ebm_dataset plain = glyphs("threshold"), data = glyphs("threshold");
    CHECK_OK(ebm_dataset_append_labels(&data, error));
    regress(&plain, "0", "0.01");
    ck_assert_double_le(sunk.gradient, 1e-3);
    ck_assert_double_gt(sunk.train, 0.6);
    const double accuracy = sunk.accuracy, loglik = sunk.loglik;
    regress(&data, "-1", "0.01");
    ck_assert_double_eq(sunk.accuracy, accuracy);
    ck_assert_double_eq(sunk.loglik, loglik);
    regress(&data, "0", "0.0001");
    ck_assert_double_eq(sunk.accuracy, 1);
    regress(&plain, "0", "1e6");
    double share[10] = {0}, expected = 0;
    for (size_t e = 0; e < plain.train.count; e++)
        share[plain.train.labels[e]] += 1.0 / (double)plain.train.count;
    for (size_t e = 0; e < plain.test.count; e++)
        expected += log(share[plain.test.labels[e]]) / (double)plain.test.count;
    ck_assert_double_le(fabs(sunk.loglik - expected), 1e-3);
    ck_assert_double_ge(fabs(expected - log(0.1)), 5e-3); /* which equal biases would give */
    ebm_dataset_free(&plain);
    ebm_dataset_free(&data);
}
END_TEST

START_TEST(test_labels_are_refused_where_there_are_none) {
    ebm_dataset data = glyphs("threshold");
    ebm_error why = {0};
    data.classes = 0;
    ck_assert_int_eq(ebm_dataset_append_labels(&data, &why), EBM_UNSUPPORTED);
    data.classes = 10;
    data.space.domain = EBM_REAL_LINE;
    ck_assert_int_eq(ebm_dataset_append_labels(&data, &why), EBM_UNSUPPORTED);
    ck_assert_uint_eq(data.space.size, 64);
    ebm_dataset_free(&data);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("logistic regression");
    TCase *cases = tcase_create("logistic regression");
    tcase_add_loop_test(cases, test_labels_become_units, 0, 2);
    tcase_add_test(cases, test_logistic_regression_is_at_its_minimum);
    tcase_add_test(cases, test_labels_are_refused_where_there_are_none);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
