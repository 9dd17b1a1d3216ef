/* Missing pixels filled in on pictures of 3 x 4: clamped sampling against sums over all completions, descent against all single
 * changes, the choice of pixels, and the rows of the estimator against their definition. */
#include "small_rbm.h"

#include "ebm/imputation.h"

static ebm_work *work;
static ebm_model model;
static ebm_dataset data;

enum { V = 12, H = 4, COLUMNS = 4, EXAMPLES = 64, STEP = 5 };

static const size_t train[] = {0x0f3, 0x7a1, 0xfff, 0x123, 0xc3c, 0x0ff, 0x811, 0x0f0, 0x3f1};
static size_t test[EXAMPLES];

static void open_all(void) {
    ebm_space picture = ebm_space_picture(EBM_BINARY, V / COLUMNS, COLUMNS);
    CHECK_OK(ebm_work_create(1, &work, &failure));
    small_rbm_create(V, H, &model);
    small_rbm_fill(&model, 1.2, 0, 41);
    for (size_t e = 0; e < EXAMPLES; e++)
        test[e] = e * 2654435761u >> 7 & ((1u << V) - 1);
    small_dataset(&data, V, sizeof train / sizeof *train, train, EXAMPLES, test);
    model.space = data.space = picture;
}
static void close_all(void) {
    ebm_model_free(&model);
    ebm_dataset_free(&data);
    ebm_work_free(work);
}

/* Test example `e` in every place. */
static void repeat(size_t e) {
    for (size_t r = 0; r < EXAMPLES; r++)
        for (size_t i = 0; i < V; i++)
            data.test.bytes[r * V + i] = (uint8_t)(test[e] >> i & 1u);
}

typedef struct buffers {
    uint32_t missing[EXAMPLES * V];
    ebm_real truth[EXAMPLES * V], mean[EXAMPLES * V], gibbs[EXAMPLES * V], descent[EXAMPLES * V];
} buffers;

static ebm_imputed impute(const ebm_imputation_settings *s, double share, size_t first, size_t count, buffers *b) {
    const ebm_estimate_inputs in = {
        .model = &model, .data = &data, .path = ebm_path_end(), .seed = 9, .step = STEP, .work = work};
    ebm_imputed p = {.first = first,
                     .count = count,
                     .missing = b->missing,
                     .truth = b->truth,
                     .mean = b->mean,
                     .gibbs = b->gibbs,
                     .descent = b->descent};
    CHECK_OK(ebm_imputation_missing(&data.space, s->missing, share, &p.missing_each, &failure));
    CHECK_OK(ebm_impute(&in, s, &p, &failure));
    return p;
}

static bool is_missing(const ebm_imputed *p, size_t b, size_t unit) {
    for (size_t k = 0; k < p->missing_each; k++)
        if (p->missing[b * p->missing_each + k] == unit)
            return true;
    return false;
}

static size_t code_of(const ebm_real *row) {
    size_t code = 0;
    for (size_t i = 0; i < V; i++)
        code |= (size_t)(row[i] > 0) << i;
    return code;
}

/* Which pixels: whole rows or columns at their edge; random ones of the right number, others in other pictures. The seen ones are
 * those of the example in every answer; the mean's are the training half's. */
START_TEST(test_imputation_missing_pixels) {
    static buffers b;
    static const double shares[] = {1.0 / 3, 2.0 / 3, 0.25, 0.5, 0.5};
    static const size_t expected[] = {0xf00, 0x0ff, 0x888, 0x333, 0};
    const ebm_imputation_settings s = {
        .missing = _i, .burn_in = 1, .sweeps = 3, .descent_sweeps = 10, .test_examples = 0};
    const ebm_imputed p = impute(&s, shares[_i], 0, EXAMPLES, &b);
    size_t first = 0, differing = 0;
    for (size_t e = 0; e < EXAMPLES; e++) {
        size_t mask = 0;
        for (size_t i = 0; i < V; i++) {
            const size_t at = e * V + i;
            const double x = bit(test[e], i);
            double mean = 0;
            for (size_t t = 0; t < data.train.count; t++)
                mean += bit(train[t], i) / (double)data.train.count;
            ck_assert_double_eq((double)p.truth[at], x);
            if (is_missing(&p, e, i)) {
                mask |= (size_t)1 << i;
                ck_assert_double_eq_tol((double)p.mean[at], mean, 4 * ROUNDING);
                ck_assert(p.descent[at] == 0 || p.descent[at] == 1);
                ck_assert(p.gibbs[at] > 0 && p.gibbs[at] < 1);
            } else
                ck_assert((double)p.mean[at] == x && (double)p.gibbs[at] == x && (double)p.descent[at] == x);
        }
        ck_assert_uint_eq((size_t)__builtin_popcountl(mask), p.missing_each);
        if (_i == EBM_MISSING_RANDOM) {
            ck_assert_uint_eq(p.missing_each, 6);
            first = e ? first : mask;
            differing += mask != first;
        } else
            ck_assert_uint_eq(mask, expected[_i]);
    }
    ck_assert(_i != EBM_MISSING_RANDOM || differing > EXAMPLES / 2);
}
END_TEST

/* E[x_i | seen] over all completions. 64 chains of one picture, each a mean over 400 sweeps: the mean over chains is within 6 of
 * its standard errors from their spread (Student's t with 63 degrees: 1e-7 a pixel, 8 pictures of 8 pixels); the mean given nothing
 * is not. */
START_TEST(test_imputation_sampling_is_conditional) {
    static buffers b;
    const ebm_imputation_settings s = {
        .missing = EBM_MISSING_BOTTOM, .burn_in = 50, .sweeps = 400, .descent_sweeps = 1};
    double marginal[V] = {0}, all = 0, furthest = 0;
    for (size_t v = 0; v < (size_t)1 << V; v++) {
        const double weight = brute_weight(&model, v);
        all += weight;
        for (size_t i = 0; i < V; i++)
            marginal[i] += weight * bit(v, i);
    }
    for (size_t e = 0; e < 8; e++) {
        repeat(e);
        const ebm_imputed p = impute(&s, 2.0 / 3, 0, EXAMPLES, &b);
        double exact[V] = {0}, total = 0;
        ck_assert_uint_eq(p.missing_each, 8);
        for (size_t m = 0; m < 256; m++) {
            const size_t v = (test[e] & 15u) | m << 4;
            const double weight = brute_weight(&model, v);
            total += weight;
            for (size_t i = 4; i < V; i++)
                exact[i] += weight * bit(v, i);
        }
        for (size_t i = 4; i < V; i++) {
            double sum = 0, square = 0;
            for (size_t r = 0; r < EXAMPLES; r++)
                sum += (double)p.gibbs[r * V + i] / EXAMPLES;
            for (size_t r = 0; r < EXAMPLES; r++)
                square += ((double)p.gibbs[r * V + i] - sum) * ((double)p.gibbs[r * V + i] - sum);
            const double se = sqrt(square / (EXAMPLES - 1) / EXAMPLES);
            ck_assert_double_le(fabs(sum - exact[i] / total), 6 * se + 1e-6); /* and float's rounding */
            furthest = fmax(furthest, fabs(sum - marginal[i] / all) / se);
        }
    }
    ck_assert_double_gt(furthest, 30);
}
END_TEST

/* The end of descent: no single missing pixel lowers the free energy, and it is not above that of the start. */
START_TEST(test_imputation_descent_ends_in_a_minimum) {
    static buffers b;
    const ebm_imputation_settings s = {
        .missing = _i ? EBM_MISSING_RANDOM : EBM_MISSING_RIGHT, .burn_in = 0, .sweeps = 1, .descent_sweeps = 100};
    const ebm_imputed p = impute(&s, 0.5, 0, EXAMPLES, &b);
    const double bound = 2 * energy_rounding(&model);
    size_t moved = 0;
    for (size_t e = 0; e < EXAMPLES; e++) {
        const size_t end = code_of(p.descent + e * V);
        size_t start = end;
        for (size_t i = 0; i < V; i++)
            if (is_missing(&p, e, i))
                start = p.mean[e * V + i] > (ebm_real)0.5 ? start | (size_t)1 << i : start & ~((size_t)1 << i);
        const double F = -log(brute_weight(&model, end));
        ck_assert_double_le(F, -log(brute_weight(&model, start)) + bound);
        moved += start != end;
        for (size_t i = 0; i < V; i++)
            if (is_missing(&p, e, i))
                ck_assert_double_ge(-log(brute_weight(&model, end ^ (size_t)1 << i)), F - bound);
    }
    ck_assert_uint_gt(moved, EXAMPLES / 4);
}
END_TEST

static ebm_status estimate(const char *shares, memory_sink *out) {
    const ebm_component *info = &ebm_imputation.info;
    void *options = calloc(1, info->options_size);
    const char *const list[] = {"0.25", shares};
    CHECK_OK(ebm_options_default(info->options, options, info->options_size, &failure));
    CHECK_OK(ebm_options_set_list(info->options, options, "shares", 2, list, NULL, &failure));
    CHECK_OK(ebm_options_set(info->options, options, "missing", "right", NULL, &failure));
    CHECK_OK(ebm_options_set(info->options, options, "sweeps", "20", NULL, &failure));
    CHECK_OK(ebm_options_set(info->options, options, "burn_in", "10", NULL, &failure));
    CHECK_OK(ebm_options_set(info->options, options, "test_examples", "40", NULL, &failure));
    const ebm_estimate_inputs in = {
        .model = &model, .data = &data, .path = ebm_path_end(), .seed = 9, .step = STEP, .work = work};
    *out = (memory_sink){.sink = {memory_emit, memory_at}, .step = STEP};
    const ebm_status status = ebm_imputation.estimate(options, &in, &out->sink, &failure);
    ebm_options_clear(info->options, options);
    free(options);
    return status;
}

/* The rows from the pictures that the same settings give, by the definition; 1e-6 for the means' roundings in float. */
START_TEST(test_imputation_rows_are_errors_per_missing_pixel) {
    enum { COUNT = 40, M = 6 };
    static buffers b;
    const ebm_imputation_settings s = {
        .missing = EBM_MISSING_RIGHT, .burn_in = 10, .sweeps = 20, .descent_sweeps = 100};
    memory_sink got;
    double wrong[3] = {0}, square[2] = {0}, gain = 0, gain_square = 0, gap = 0;
    CHECK_OK(estimate("0.5", &got));
    ck_assert_uint_eq(got.count, 18);
    ck_assert_uint_eq(got.step, STEP);
    const ebm_imputed p = impute(&s, 0.5, 0, COUNT, &b);
    for (size_t e = 0; e < COUNT; e++) {
        double own[3] = {0};
        for (size_t i = 0; i < V; i++) {
            if (i % COLUMNS < 2)
                continue;
            const size_t at = e * V + i;
            const double x = bit(test[e], i), mean = (double)p.mean[at], gibbs = (double)p.gibbs[at];
            own[0] += (mean > 0.5) != (x > 0);
            own[1] += (gibbs > 0.5) != (x > 0);
            own[2] += (p.descent[at] > 0) != (x > 0);
            square[0] += (x - mean) * (x - mean) / (COUNT * M);
            square[1] += (x - gibbs) * (x - gibbs) / (COUNT * M);
        }
        for (size_t k = 0; k < 3; k++)
            wrong[k] += own[k] / (COUNT * M);
        gain += (own[0] - own[1]) / (COUNT * M);
        gain_square += (own[0] - own[1]) * (own[0] - own[1]) / (M * M);
        gap += log(brute_weight(&model, test[e]) / brute_weight(&model, code_of(p.descent + e * V))) / COUNT;
    }
    static const char *const names[] = {"imputed_wrong_mean", "imputed_wrong_gibbs", "imputed_wrong_descent"};
    for (size_t k = 0; k < 3; k++)
        ck_assert_double_eq_tol(sink_value_at(&got, names[k], M), wrong[k], 1e-12);
    ck_assert_double_eq_tol(sink_value_at(&got, "imputed_square_mean", M), square[0], 1e-6);
    ck_assert_double_eq_tol(sink_value_at(&got, "imputed_square_gibbs", M), square[1], 1e-6);
    ck_assert_double_eq_tol(sink_value_at(&got, "imputed_square_gain", M), square[0] - square[1], 1e-6);
    ck_assert_double_eq_tol(sink_value_at(&got, "imputed_gain_descent", M), wrong[0] - wrong[2], 1e-12);
    ck_assert_double_eq_tol(sink_value_at(&got, "imputed_energy_gap", M), gap, 2 * energy_rounding(&model));
    const size_t k = sink_row_at(&got, "imputed_gain_gibbs", M);
    ck_assert_double_eq_tol(got.rows[k].value, gain, 1e-12);
    ck_assert_double_eq_tol(got.rows[k].se, sqrt((gain_square / COUNT - gain * gain) / (COUNT - 1)), 1e-12);
    (void)sink_row_at(&got, "imputed_wrong_mean", 3);
}
END_TEST

START_TEST(test_imputation_refuses) {
    memory_sink got;
    size_t M;
    ck_assert_int_eq(estimate("0.9", &got), EBM_INVALID); /* all four columns */
    ck_assert_msg(strstr(failure.message, "4 columns"), "%s", failure.message);
    ck_assert_int_eq(ebm_imputation_missing(&data.space, EBM_MISSING_RANDOM, 0.01, &M, &failure), EBM_INVALID);
    model.theta[0] = (ebm_real)NAN;
    small_rbm_refresh(&model);
    ck_assert_int_eq(estimate("0.5", &got), EBM_DIVERGED);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("imputation");
    TCase *tests = tcase_create("estimator");
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_loop_test(tests, test_imputation_missing_pixels, 0, 5);
    tcase_add_test(tests, test_imputation_sampling_is_conditional);
    tcase_add_loop_test(tests, test_imputation_descent_ends_in_a_minimum, 0, 2);
    tcase_add_test(tests, test_imputation_rows_are_errors_per_missing_pixel);
    tcase_add_test(tests, test_imputation_refuses);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
