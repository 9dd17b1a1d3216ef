/* Estimators of associative memories (stability, recall, valleys) against plain loops and enumeration. */
#include "memory_fixture.h"

#include "ebm/estimator.h"

typedef struct seen {
    ebm_sink sink;
    uint64_t step;
    size_t count;
    struct {
        const char *metric;
        uint64_t step;
        double value, se;
    } rows[64];
} seen;

static ebm_status seen_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    seen *s = (seen *)sink;
    (void)error;
    ck_assert_uint_lt(s->count, 64);
    s->rows[s->count].metric = metric;
    s->rows[s->count].step = s->step;
    s->rows[s->count].se = se;
    s->rows[s->count++].value = value;
    return EBM_OK;
}
static void seen_at(ebm_sink *sink, uint64_t step) {
    ((seen *)sink)->step = step;
}

static double value_of(const seen *s, const char *metric, uint64_t step) {
    for (size_t k = 0; k < s->count; k++)
        if (strcmp(s->rows[k].metric, metric) == 0 && s->rows[k].step == step)
            return s->rows[k].value;
    ck_abort_msg("no %s at step %llu", metric, (unsigned long long)step);
    return NAN;
}

/* The estimator on the memory's model and patterns, by descent in energy, at training step 5. */
static ebm_status estimate(memory *m, const char *name, const char *noise, const char *const *pairs, seen *out,
                           ebm_error *why) {
    const ebm_estimator_type *type = (const ebm_estimator_type *)ebm_component_find(EBM_KIND_ESTIMATOR, name);
    const ebm_sampler_type *walker = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "descent");
    void *options = test_options(&type->info, pairs), *walk = test_options(&walker->info, NULL);
    char text[128];
    const char *list[16];
    size_t count = 0;
    snprintf(text, sizeof text, "%s", noise ? noise : "");
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        list[count++] = word;
    if (noise)
        CHECK_OK(ebm_options_set_list(type->info.options, options, "noise", count, list, NULL, error));
    ebm_dataset data = {.space = m->model.space, .train = {.count = m->K, .reals = m->x}};
    ebm_sampler sampler;
    CHECK_OK(ebm_sampler_create(walker, walk, &m->model, &sampler, error));
    const ebm_estimate_inputs inputs = {.model = &m->model,
                                        .data = &data,
                                        .sampler = &sampler,
                                        .path = ebm_path_end(),
                                        .seed = 3,
                                        .step = 5,
                                        .work = m->work};
    memset(out, 0, sizeof *out);
    out->sink = (ebm_sink){seen_emit, seen_at};
    out->step = 5;
    const ebm_status status = type->estimate(options, &inputs, &out->sink, why);
    ebm_sampler_free(&sampler);
    test_options_free(&type->info, options);
    test_options_free(&walker->info, walk);
    return status;
}

/* Fields and norms are sums of V numbers: V u with a factor of 4. */
START_TEST(test_stability_is_the_margins_of_all_units) {
    memory m;
    memory_open(&m, 90, 30, 7);
    CHECK_OK(update(&m, "hebbian", NULL, 1, error));
    ebm_model_view(&m.model, "bias")[4] = (ebm_real)0.25;
    const ebm_real *W = ebm_model_view(&m.model, "W");
    double fixed = 0, stable = 0, least = INFINITY, sum = 0;
    for (size_t p = 0; p < m.K; p++) {
        size_t well = 0;
        for (size_t i = 0; i < m.V; i++) {
            double square = 0, h = field(&m, p, i) + (i == 4 ? 0.25 : 0);
            for (size_t j = 0; j < m.V; j++)
                square += (double)W[i * m.V + j] * (double)W[i * m.V + j];
            const double aligned = (double)m.x[p * m.V + i] * h;
            well += aligned > 1e-6; /* multiples of 1/90 but for rounding */
            least = fmin(least, aligned / sqrt(square));
            sum += aligned / sqrt(square);
        }
        fixed += well == m.V;
        stable += (double)well;
    }
    seen s;
    CHECK_OK(estimate(&m, "stability", NULL, NULL, &s, error));
    const double bound = 4 * UNIT_ROUNDOFF * 90;
    ck_assert_double_gt(fixed, 0);
    ck_assert_double_lt(fixed, 30);
    ck_assert_double_eq_tol(value_of(&s, "patterns_fixed", 5), fixed / 30, 1e-12);
    ck_assert_double_eq_tol(value_of(&s, "units_stable", 5), stable / 2700, 1e-12);
    ck_assert_double_eq_tol(value_of(&s, "margin_min", 5), least, bound);
    ck_assert_double_eq_tol(value_of(&s, "margin_mean", 5), sum / 2700, bound);
    memory_close(&m);
}
END_TEST

/* Without couplings nothing moves: what is recalled is the cue. */
START_TEST(test_recall_damages_as_many_units_as_asked) {
    memory m;
    memory_open(&m, 100, 10, 9);
    memset(m.model.theta, 0, m.model.n_theta * sizeof(ebm_real));
    seen s;
    CHECK_OK(estimate(&m, "recall", "0 0.01 0.07 0.5 1", NULL, &s, error));
    static const uint64_t units[] = {0, 1, 7, 50, 100};
    for (size_t k = 0; k < 5; k++) {
        ck_assert_double_eq_tol(value_of(&s, "recall_overlap", units[k]), 1 - 0.02 * (double)units[k], 1e-12);
        ck_assert_double_eq(value_of(&s, "recall_share", units[k]), units[k] <= 1);
        ck_assert_double_eq(value_of(&s, "recall_settled", units[k]), 1);
        ck_assert_double_eq(value_of(&s, "recall_steps", units[k]), 0);
    }
    /* All at 1 unit, none at 7: 9 in 10 at a tenth of the way. */
    ck_assert_double_eq_tol(value_of(&s, "basin_radius", 5), 0.01 + 0.1 * 0.06, 1e-12);
    static const char *const blank[] = {"cue", "blank", NULL}, *const mask[] = {"cue", "mask", NULL};
    CHECK_OK(estimate(&m, "recall", "0.3", blank, &s, error));
    double up = 0;
    for (size_t p = 0; p < 10; p++)
        for (size_t i = 70; i < 100; i++)
            up += m.x[p * 100 + i] > 0;
    ck_assert_double_eq_tol(value_of(&s, "recall_overlap", 30), 1 - 2 * up / 1000, 1e-12);
    CHECK_OK(estimate(&m, "recall", "0.3", mask, &s, error));
    /* 300 units at random: half of them wrong, s.d. sqrt(300) / 2; 5 of those, false alarm 6e-7 (and the seed is fixed). */
    ck_assert_double_eq_tol(value_of(&s, "recall_overlap", 30), 0.7, 5 * 2 * sqrt(300.0) / 2 / 1000);
    memory_close(&m);
}
END_TEST

/* One pattern by Hebb: V w = y y^T. A cue with fewer than half its units wrong is put right in one sweep, one with more
 * ends at the mirror image; every random start ends at one of the two, and nothing else is there. */
START_TEST(test_recall_and_valleys_of_one_pattern) {
    memory m;
    memory_open(&m, 51, 1, 13);
    CHECK_OK(update(&m, "hebbian", NULL, 1, error));
    seen s;
    CHECK_OK(estimate(&m, "recall", "0.2 0.4 0.6", NULL, &s, error));
    ck_assert_double_eq(value_of(&s, "recall_overlap", 10), 1);
    ck_assert_double_eq(value_of(&s, "recall_overlap", 20), 1);
    ck_assert_double_eq(value_of(&s, "recall_overlap", 31), -1);
    ck_assert_double_eq(value_of(&s, "recall_steps", 20), 1);
    ck_assert_double_eq(value_of(&s, "recall_share", 31), 0);
    CHECK_OK(estimate(&m, "valleys", NULL, NULL, &s, error));
    const double stored = value_of(&s, "valleys_stored", 5);
    ck_assert_double_eq_tol(stored + value_of(&s, "valleys_mirrored", 5), 1, 1e-12);
    ck_assert_double_eq_tol(stored, 0.5, 5 * 0.5 / sqrt(1000.0)); /* 5 standard errors of 1,000 starts */
    ck_assert_double_eq(value_of(&s, "minima_spurious", 5), 0);
    memory_close(&m);
}
END_TEST

/* Every state that no unit wants to leave is its own end, and one of 2^9 states: 20,000 starts miss one of them with
 * probability e^-39. Couplings are whole multiples of 1/9: a field within 1e-6 of 0 is 0. */
START_TEST(test_valleys_finds_all_minima) {
    static const char *const pairs[] = {"starts", "20000", NULL};
    memory m;
    memory_open(&m, 9, 4, 15);
    CHECK_OK(update(&m, "hebbian", NULL, 1, error));
    ebm_real *W = ebm_model_view(&m.model, "W");
    for (size_t k = 0; k < 81; k++) /* exact: a field of 0 is 0 then */
        W[k] = (ebm_real)nearbyint(9 * (double)W[k]);
    size_t spurious = 0, stored = 0;
    for (size_t code = 0; code < 256; code++) { /* unit 8 up: one of each pair of mirror images */
        double y[9];
        bool rest = true, pattern = false;
        for (size_t i = 0; i < 9; i++)
            y[i] = i == 8 || (code >> i & 1) ? 1 : -1;
        for (size_t i = 0; i < 9 && rest; i++) {
            double h = 0;
            for (size_t j = 0; j < 9; j++)
                h += (double)W[i * 9 + j] * y[j];
            rest = y[i] * h >= 0;
        }
        for (size_t p = 0; p < m.K && !pattern; p++) {
            double overlap = 0;
            for (size_t i = 0; i < 9; i++)
                overlap += y[i] * (double)m.x[p * 9 + i];
            pattern = fabs(overlap) > 8;
        }
        spurious += rest && !pattern;
        stored += rest && pattern;
    }
    seen s;
    CHECK_OK(estimate(&m, "valleys", NULL, pairs, &s, error));
    ck_assert_uint_gt(spurious, 0);
    ck_assert_uint_gt(stored, 0);
    ck_assert_double_eq(value_of(&s, "minima_spurious", 5), (double)spurious);
    ck_assert_double_eq_tol(value_of(&s, "valleys_stored", 5) + value_of(&s, "valleys_mirrored", 5) +
                                value_of(&s, "valleys_spurious", 5),
                            1, 1e-12);
    memory_close(&m);
}
END_TEST

START_TEST(test_recall_refuses_falling_noise) {
    memory m;
    seen s;
    ebm_error error = {0};
    memory_open(&m, 10, 1, 17);
    ck_assert_int_eq(estimate(&m, "recall", "0.2 0.1", NULL, &s, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "0.2 stands before 0.1"));
    memory_close(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("recall");
    TCase *tests = tcase_create("estimators");
    tcase_add_test(tests, test_stability_is_the_margins_of_all_units);
    tcase_add_test(tests, test_recall_damages_as_many_units_as_asked);
    tcase_add_test(tests, test_recall_and_valleys_of_one_pattern);
    tcase_add_test(tests, test_valleys_finds_all_minima);
    tcase_add_test(tests, test_recall_refuses_falling_noise);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
