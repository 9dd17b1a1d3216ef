/* Estimator anomaly against its definition on small machines, sums over states in double; and the option leave_out of data. */
#include "small_rbm.h"

#include "data/datasets.h"
#include "ebm/likelihood.h"

static ebm_work *work;
static void open_work(void) {
    CHECK_OK(ebm_work_create(1, &work, &failure));
}
static void close_work(void) {
    ebm_work_free(work);
}

enum { STEP = 7, SEED = 3 };

static ebm_status estimate(const ebm_model *model, const ebm_dataset *data, const char *against, memory_sink *out) {
    void *options = calloc(1, ebm_anomaly.info.options_size);
    CHECK_OK(ebm_options_default(ebm_anomaly.info.options, options, ebm_anomaly.info.options_size, &failure));
    if (against)
        CHECK_OK(ebm_options_set(ebm_anomaly.info.options, options, "against", against, NULL, &failure));
    CHECK_OK(ebm_options_set(ebm_anomaly.info.options, options, "against_examples", "150", NULL, &failure));
    const ebm_estimate_inputs in = {
        .model = model, .data = data, .path = ebm_path_end(), .seed = SEED, .step = STEP, .work = work};
    *out = (memory_sink){.sink = {memory_emit, memory_at}, .step = STEP};
    const ebm_status status = ebm_anomaly.estimate(options, &in, &out->sink, &failure);
    for (size_t k = 0; k < out->count; k++) {
        const ebm_metric *metric = ebm_anomaly.metrics;
        while (metric->name && strcmp(metric->name, out->rows[k].metric) != 0)
            metric++;
        ck_assert_msg(metric->name != NULL, "%s is not in the table", out->rows[k].metric);
    }
    ebm_options_clear(ebm_anomaly.info.options, options);
    free(options);
    return status;
}

enum { V = 6, H = 3, STATES = 1 << V };

/* Examples of every state with label = number of ones modulo 3; label 2 is missing in the training half. */
typedef struct labelled {
    ebm_dataset data;
    int32_t labels[2 * STATES];
} labelled;

static void label_all(labelled *l) {
    size_t train[STATES], test[STATES], n_train = 0;
    for (size_t s = 0; s < STATES; s++) {
        const int32_t label = __builtin_popcountl(s) % 3;
        test[s] = s;
        l->labels[STATES + s] = label;
        if (label != 2) {
            l->labels[n_train] = label;
            train[n_train++] = s % 5 ? s : s | 1; /* not symmetric under a change of all units */
        }
    }
    small_dataset(&l->data, V, n_train, train, STATES, test);
    l->data.classes = 3;
    l->data.train.labels = l->labels;
    l->data.test.labels = l->labels + STATES;
}
static void forget(labelled *l) {
    l->data.train.labels = l->data.test.labels = NULL;
    ebm_dataset_free(&l->data);
}

/* log odds of unit i in the training half with one pseudo-example */
static double log_odds(const ebm_dataset *data, size_t i) {
    double up = 0.5, n = (double)data->train.count;
    for (size_t e = 0; e < data->train.count; e++)
        up += data->train.bytes[e * V + i];
    return log(up / (n + 1 - up));
}
static double plain_score(const ebm_dataset *data, size_t s) {
    double sum = 0;
    for (size_t i = 0; i < V; i++)
        sum -= bit(s, i) * log_odds(data, i);
    return sum;
}

/* x of two lists of scores: the area over pairs. */
static double area(size_t m, const double *x, size_t n, const double *y) {
    double sum = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            sum += y[j] > x[i] ? 1 : y[j] == x[i] ? 0.5 : 0;
    return sum / ((double)m * (double)n);
}

/* Scores that rounding might put in another order would move an area; these weights leave all energies further apart than
 * that, but the scores of units alone, of which several are equal in exact arithmetic: their pairs count a half, or 0 or 1 by
 * rounding. So the base is compared only up to the share of such pairs. */
static double near_pairs(size_t m, const double *x, size_t n, const double *y, double bound) {
    double sum = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            sum += fabs(y[j] - x[i]) <= bound;
    return sum / ((double)m * (double)n);
}

START_TEST(test_anomaly_is_the_area_over_pairs) {
    labelled l;
    ebm_model model;
    memory_sink got;
    double in[STATES], out[STATES], plain_in[STATES], plain_out[STATES], even[STATES], odd[STATES];
    size_t m = 0, n = 0, evens = 0, odds = 0;
    label_all(&l);
    small_rbm_create(V, H, &model);
    small_rbm_fill(&model, 1.5, 0.3, 21);
    for (size_t s = 0; s < STATES; s++) {
        const double F = -log(brute_weight(&model, s));
        if (l.labels[STATES + s] != 2) {
            *(m % 2 ? &odd[odds++] : &even[evens++]) = F;
            in[m] = F;
            plain_in[m++] = plain_score(&l.data, s);
        } else {
            out[n] = F;
            plain_out[n++] = plain_score(&l.data, s);
        }
    }
    CHECK_OK(estimate(&model, &l.data, NULL, &got));
    const size_t held = sink_row_at(&got, "auc_held_out", STEP), base = sink_row_at(&got, "auc_base_held_out", STEP);
    const size_t halves = sink_row_at(&got, "auc_halves", STEP), gain = sink_row_at(&got, "auc_gain_held_out", STEP);
    ck_assert_double_eq(near_pairs(m, in, n, out, 2 * energy_rounding(&model)), 0);
    ck_assert_double_eq_tol(got.rows[held].value, area(m, in, n, out), 1e-13);
    ck_assert_double_eq_tol(got.rows[halves].value, area(evens, even, odds, odd), 1e-13);
    ck_assert_double_eq_tol(sink_value_at(&got, "halves_z", STEP) * got.rows[halves].se, got.rows[halves].value - 0.5,
                            1e-13);
    ck_assert_double_eq(sink_value_at(&got, "inliers", STEP), (double)m);
    const double unsure = near_pairs(m, plain_in, n, plain_out, 64 * V * ROUNDING);
    ck_assert_double_lt(unsure, 0.1);
    ck_assert_double_le(fabs(got.rows[base].value - area(m, plain_in, n, plain_out)), unsure / 2 + 1e-13);
    ck_assert_double_eq_tol(got.rows[gain].value, got.rows[held].value - got.rows[base].value, 1e-13);
    ck_assert(sink_find(&got, "auc_against", STEP) == SIZE_MAX); /* not asked for */
    /* The curve: at no false alarm the outliers above every inlier, at all of them every outlier. */
    double most = -INFINITY, above = 0;
    for (size_t i = 0; i < m; i++)
        most = fmax(most, in[i]);
    for (size_t j = 0; j < n; j++)
        above += out[j] > most;
    ck_assert_double_eq_tol(sink_value_at(&got, "found_held_out", 0), above / (double)n, 1e-15);
    ck_assert_double_eq(sink_value_at(&got, "found_held_out", 1000), 1);
    ebm_model_free(&model);
    forget(&l);
}
END_TEST

/* A machine that sees only how many units are up cannot tell an example from itself with its units in another order: the same
 * scores, an area of 1/2; one that sees where they are can. */
START_TEST(test_anomaly_shuffled_keeps_the_units) {
    labelled l;
    ebm_model model;
    memory_sink got;
    label_all(&l);
    small_rbm_create(V, H, &model);
    memset(model.theta, 0, model.n_theta * sizeof *model.theta);
    for (size_t i = 0; i < V; i++)
        ebm_model_view(&model, "visible_bias")[i] = (ebm_real)0.75;
    small_rbm_refresh(&model);
    CHECK_OK(estimate(&model, &l.data, NULL, &got));
    ck_assert_double_eq_tol(sink_value_at(&got, "auc_shuffled", STEP), 0.5, 1e-14);
    for (size_t i = 0; i < V; i++)
        ebm_model_view(&model, "visible_bias")[i] = (ebm_real)(0.25 * (double)(i + 1));
    small_rbm_refresh(&model);
    CHECK_OK(estimate(&model, &l.data, NULL, &got));
    ck_assert_double_gt(fabs(sink_value_at(&got, "auc_shuffled", STEP) - 0.5), 1e-6);
    ebm_model_free(&model);
    forget(&l);
}
END_TEST

/* Noise is of the training half's means: given the inliers, the area is a mean over independent draws whose law is known, here within
 * 5 standard errors (false alarm 6e-7 if the seed were free). By units at 1/2 it would not be. */
START_TEST(test_anomaly_noise_has_the_means) {
    labelled l;
    ebm_model model;
    memory_sink got;
    double in[STATES], mean[2] = {0}, square[2] = {0};
    size_t m = 0;
    label_all(&l);
    for (size_t e = 0; e < l.data.train.count; e++) /* means far from 1/2 */
        for (size_t i = 0; i < V; i++)
            l.data.train.bytes[e * V + i] = l.data.train.bytes[e * V + i] || e % 4;
    small_rbm_create(V, H, &model);
    small_rbm_fill(&model, 0.5, 0.8, 22);
    for (size_t s = 0; s < STATES; s++)
        if (l.labels[STATES + s] != 2)
            in[m++] = -log(brute_weight(&model, s));
    for (size_t s = 0; s < STATES; s++) {
        const double F = -log(brute_weight(&model, s));
        double place = 0, p = 1;
        for (size_t i = 0; i < m; i++)
            place += (F > in[i] + 1e-9 ? 1 : F > in[i] - 1e-9 ? 0.5 : 0) / (double)m;
        for (size_t i = 0; i < V; i++)
            p *= 1 / (1 + exp(bit(s, i) > 0 ? -log_odds(&l.data, i) : log_odds(&l.data, i)));
        for (size_t law = 0; law < 2; law++) {
            mean[law] += (law ? 1.0 / STATES : p) * place;
            square[law] += (law ? 1.0 / STATES : p) * place * place;
        }
    }
    CHECK_OK(estimate(&model, &l.data, NULL, &got));
    const double value = sink_value_at(&got, "auc_noise", STEP);
    const double se = sqrt((square[0] - mean[0] * mean[0]) / (double)m);
    ck_assert_double_le(fabs(value - mean[0]), 5 * se);
    ck_assert_double_gt(fabs(value - mean[1]), 5 * se);
    ebm_model_free(&model);
    forget(&l);
}
END_TEST

static void load_glyphs(const char *const *pairs, ebm_dataset *out) {
    _Alignas(16) char options[256];
    CHECK_OK(ebm_options_default(ebm_glyphs.info.options, options, ebm_glyphs.info.options_size, &failure));
    for (; *pairs; pairs += 2)
        CHECK_OK(ebm_options_set(ebm_glyphs.info.options, options, pairs[0], pairs[1], NULL, &failure));
    CHECK_OK(ebm_dataset_load(&ebm_glyphs, options, 1, out, &failure));
}

START_TEST(test_leave_out_takes_one_label) {
    static const char *const all[] = {"train", "200", "test", "100", "side", "8", NULL};
    static const char *const less[] = {"train", "200", "test", "100", "side", "8", "leave_out", "4", NULL};
    ebm_dataset whole, rest;
    size_t kept = 0;
    load_glyphs(all, &whole);
    load_glyphs(less, &rest);
    for (size_t e = 0; e < whole.train.count; e++)
        if (whole.train.labels[e] != 4) {
            ck_assert_int_eq(rest.train.labels[kept], whole.train.labels[e]);
            ck_assert_mem_eq(rest.train.bytes + 64 * kept, whole.train.bytes + 64 * e, 64);
            kept++;
        }
    ck_assert_uint_eq(rest.train.count, kept);
    ck_assert_uint_lt(kept, whole.train.count);
    ck_assert_uint_eq(rest.test.count, 100);
    ck_assert_mem_eq(rest.test.bytes, whole.test.bytes, 100 * 64);
    ck_assert_mem_eq(rest.test.labels, whole.test.labels, 100 * sizeof(int32_t));
    ck_assert_uint_ne(rest.hash, whole.hash);
    rest.train.count = 1;
    ck_assert_int_eq(ebm_examples_leave_out(&rest.train, 64, rest.train.labels[0], &failure), EBM_INVALID);
    ebm_dataset_free(&whole);
    ebm_dataset_free(&rest);
}
END_TEST

/* Another data set: its own examples, binarised as the data are and of their size, have the energies that are compared. */
START_TEST(test_anomaly_against_another_set) {
    static const char *const here[] = {"train", "100", "test", "80", "side", "8", "binarise", "threshold", NULL};
    static const char *const there[] = {"train",    "1",         "test",      "150", "side", "8",
                                        "binarise", "threshold", "data_seed", "2",   NULL};
    ebm_dataset data, other;
    ebm_model model;
    memory_sink got;
    double in[80], out[150];
    load_glyphs(here, &data);
    load_glyphs(there, &other);
    char hidden[] = "5";
    void *options = calloc(1, ebm_rbm.info.options_size);
    CHECK_OK(ebm_options_default(ebm_rbm.info.options, options, ebm_rbm.info.options_size, &failure));
    CHECK_OK(ebm_options_set(ebm_rbm.info.options, options, "hidden", hidden, NULL, &failure));
    CHECK_OK(ebm_options_set(ebm_rbm.info.options, options, "init_scale", "0.7", NULL, &failure));
    CHECK_OK(ebm_model_create(&ebm_rbm, options, &data.space, &data, 1, &model, &failure));
    ebm_options_clear(ebm_rbm.info.options, options);
    free(options);
    small_rbm_refresh(&model);
    CHECK_OK(ebm_examples_energy(&model, &data, &data.test, 0, 80, in, work, &failure));
    CHECK_OK(ebm_examples_energy(&model, &other, &other.test, 0, 150, out, work, &failure));
    CHECK_OK(estimate(&model, &data, "glyphs", &got));
    ck_assert_double_eq_tol(sink_value_at(&got, "auc_against", STEP), area(80, in, 150, out), 1e-4);
    ck_assert(sink_find(&got, "auc_held_out", STEP) == SIZE_MAX); /* no label is */
    ck_assert_int_eq(estimate(&model, &data, "glyph", &got), EBM_INVALID);
    ck_assert_int_eq(estimate(&model, &data, "shifter", &got), EBM_INVALID);
    ck_assert_msg(strstr(failure.message, "another space"), "%s", failure.message);
    ebm_model_free(&model);
    ebm_dataset_free(&data);
    ebm_dataset_free(&other);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("anomaly");
    TCase *tests = tcase_create("estimator");
    tcase_add_checked_fixture(tests, open_work, close_work);
    tcase_add_test(tests, test_anomaly_is_the_area_over_pairs);
    tcase_add_test(tests, test_anomaly_shuffled_keeps_the_units);
    tcase_add_test(tests, test_anomaly_noise_has_the_means);
    tcase_add_test(tests, test_leave_out_takes_one_label);
    tcase_add_test(tests, test_anomaly_against_another_set);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
