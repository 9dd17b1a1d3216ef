/* The runner `recall`: every walk against a plain one, from cues that are made anew from their definition. */
#include "mix_case.h"

#include "ebm/npy.h"
#include "ebm/random.h"

enum { SIDE = 8, UNITS = 64, PATTERNS = 4, SEED = 5 };

/* Hebb's couplings of 64 units are whole numbers over 64, and so are fields: exact in float, ties included. */
#define RECALL(data, learner, run)                                                                                     \
    "suite: s\nrunner: recall\ngrid:\n"                                                                                \
    "  dataset: {name: random-patterns, count: 4, data_seed: 0, " data "}\n"                                           \
    "  model: hopfield\n  sampler: {name: descent, order: fixed}\n  learner: " learner "\n  seed: 5\n"                 \
    "run: {updates: 1, batch: 4, shown: 4, " run "}\n"

/* Values (PATTERNS, rows * SIDE) of a sheet whose pictures stand in one row. */
static void read_sheet(const mix_case *m, const char *name, size_t rows, double *out) {
    char path[EBM_PATH_MAX + 32], *text;
    size_t size;
    snprintf(path, sizeof path, "%s/artifacts/%s", m->out.folder, name);
    ck_assert_int_eq(ebm_file_read(path, 1 << 20, &text, &size, NULL), EBM_OK);
    char *at = text;
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < PATTERNS * (SIDE + 1) - 1; x++) {
            const double value = strtod(at, &at);
            at++;
            if (x % (SIDE + 1) < SIDE)
                out[x / (SIDE + 1) * rows * SIDE + y * SIDE + x % (SIDE + 1)] = value;
        }
    ck_assert_int_eq(*at, '\0');
    free(text);
}

/* What a case is to do, in the test's own words. */
typedef struct want {
    size_t visible, flips, lost;
    bool unknown[UNITS]; /* of all patterns */
    bool background;
} want;

/* The stored patterns: those of the data, and the appended units. */
static void patterns_of(const want *w, int y[PATTERNS][UNITS]) {
    for (uint32_t p = 0; p < PATTERNS; p++) {
        uint32_t words[UNITS], extra[UNITS];
        ebm_random_words(ebm_stream_of(SEED, EBM_PURPOSE_DATA), p, 0, w->visible, words);
        ebm_random_words(ebm_stream_of(SEED, EBM_PURPOSE_EXTRA_UNITS), p, 0, UNITS, extra);
        for (size_t i = 0; i < UNITS; i++)
            y[p][i] =
                i < w->visible ? ((words[i] + 0.5) * 0x1p-32 < 0.5 ? 1 : -1) : (extra[i - w->visible] >> 31 ? 1 : -1);
    }
}

/* Cue of pattern p; unknown (UNITS): its unknown units. */
static void cue_of(const want *w, uint32_t p, const int *y, int *x, bool *unknown) {
    const ebm_stream stream = ebm_stream_of(SEED, EBM_PURPOSE_RECALL);
    uint32_t order[UNITS], known = 0, words[UNITS];
    ebm_random_words(stream, p, UINT64_C(1) << 63, UNITS, words);
    for (uint32_t i = 0; i < UNITS; i++) {
        x[i] = y[i];
        unknown[i] = w->unknown[i];
        if (!unknown[i])
            order[known++] = i;
    }
    for (uint32_t k = 0; k < w->lost + w->flips; k++) {
        const uint32_t j = k + ebm_random_below(stream, p, 0, k, known - k), unit = order[j];
        order[j] = order[k];
        order[k] = unit;
        if (k < w->lost)
            unknown[unit] = true;
        else
            x[unit] = -x[unit];
    }
    for (size_t i = 0; i < UNITS; i++)
        if (unknown[i])
            x[i] = !w->background && words[i] >> 31 ? 1 : -1;
}

/* Fields from the patterns themselves: 64 h_i = sum_p y_pi (y_p . x - y_pi x_i). Returns the sweeps that changed x. */
static int descend(int y[PATTERNS][UNITS], int *x) {
    for (int sweep = 0;; sweep++) {
        bool changed = false;
        for (size_t i = 0; i < UNITS; i++) {
            int h = 0;
            for (size_t p = 0; p < PATTERNS; p++) {
                int m = 0;
                for (size_t j = 0; j < UNITS; j++)
                    m += j == i ? 0 : y[p][j] * x[j];
                h += y[p][i] * m;
            }
            if (h * x[i] < 0) {
                x[i] = -x[i];
                changed = true;
            }
        }
        if (!changed)
            return sweep;
    }
}

static double value_at(const mix_case *m, const char *metric, int64_t step) {
    const ebm_row *row;
    for (size_t n = 0; (row = nth_row(&m->out.table, metric, n)) != NULL; n++)
        if (row->step == step)
            return row->value;
    ck_abort_msg("no %s at %ld", metric, (long)step);
    return NAN;
}

/* One entry of `noise`: rows to rounding of a mean, pictures exactly. */
static void check_point(const mix_case *m, const want *w, const char *noise) {
    int y[PATTERNS][UNITS];
    const double down[3] = {0, 0.5, 1};
    double before = 0, after = 0, recalled = 0, sweeps = 0, stored[PATTERNS * UNITS], cues[PATTERNS * UNITS],
           ends[PATTERNS * UNITS];
    const size_t rows = w->visible / SIDE;
    char name[64];
    read_sheet(m, "stored.csv", rows, stored);
    snprintf(name, sizeof name, "cue-%s.csv", noise);
    read_sheet(m, name, rows, cues);
    snprintf(name, sizeof name, "recalled-%s.csv", noise);
    read_sheet(m, name, rows, ends);
    patterns_of(w, y);
    for (uint32_t p = 0; p < PATTERNS; p++) {
        int x[UNITS];
        bool unknown[UNITS];
        double cue = 0, end = 0;
        cue_of(w, p, y[p], x, unknown);
        for (size_t i = 0; i < w->visible; i++) {
            ck_assert_double_eq(stored[p * w->visible + i], down[1 + y[p][i]]);
            ck_assert_double_eq(cues[p * w->visible + i], down[unknown[i] ? 1 : 1 + x[i]]);
            cue += y[p][i] * x[i] / (double)w->visible;
        }
        sweeps += descend(y, x) / (double)PATTERNS;
        for (size_t i = 0; i < w->visible; i++) {
            ck_assert_double_eq(ends[p * w->visible + i], down[1 + x[i]]);
            end += y[p][i] * x[i] / (double)w->visible;
        }
        before += cue / PATTERNS;
        after += end / PATTERNS;
        recalled += (end >= 0.97 - 1e-12) / (double)PATTERNS;
    }
    const int64_t step = (int64_t)w->flips;
    size_t known = UNITS - w->lost;
    for (size_t i = 0; i < UNITS; i++)
        known -= w->unknown[i];
    ck_assert_double_eq_tol(value_at(m, "flipped", step), (double)w->flips / (double)known, 1e-12);
    ck_assert_double_eq_tol(value_at(m, "cue_overlap", step), before, 1e-12);
    ck_assert_double_eq_tol(value_at(m, "overlap", step), after, 1e-12);
    ck_assert_double_eq_tol(value_at(m, "recalled", step), recalled, 1e-12);
    ck_assert_double_eq_tol(value_at(m, "sweeps", step), sweeps, 1e-12);
    ck_assert_double_eq(value_at(m, "converged", step), 1);
}

START_TEST(test_recall_from_flipped_units) {
    mix_case m;
    mix_run_ok(RECALL("size: 64, rows: 8", "hebbian", "noise: [0, 0.25, 0.45]"), 0, 1, &m);
    check_point(&m, &(want){.visible = 64}, "0");
    check_point(&m, &(want){.visible = 64, .flips = 16}, "0.25");
    check_point(&m, &(want){.visible = 64, .flips = 29}, "0.45");
    mix_close(&m);
}
END_TEST

START_TEST(test_recall_from_half_a_picture) {
    static const char *const suites[] = {
        RECALL("size: 64, rows: 8", "hebbian", "noise: [0, 0.25], mask: left"),
        RECALL("size: 64, rows: 8", "hebbian", "noise: [0, 0.25], mask: right, fill: background"),
        RECALL("size: 64, rows: 8", "hebbian", "noise: [0, 0.25], mask: top"),
        RECALL("size: 64, rows: 8", "hebbian", "noise: [0, 0.25], mask: bottom, fill: background"),
    };
    mix_case m;
    want w = {.visible = 64, .background = _i % 2};
    for (size_t i = 0; i < UNITS; i++)
        w.unknown[i] = _i == 0 ? i % 8 < 4 : _i == 1 ? i % 8 >= 4 : _i == 2 ? i < 32 : i >= 32;
    mix_run_ok(suites[_i], 0, 1, &m);
    check_point(&m, &w, "0");
    w.flips = 8;
    check_point(&m, &w, "0.25");
    mix_close(&m);
}
END_TEST

START_TEST(test_recall_from_a_random_share) {
    mix_case m;
    mix_run_ok(RECALL("size: 64, rows: 8", "hebbian", "noise: [0, 0.1], mask: random, masked: 0.375"), 0, 2, &m);
    check_point(&m, &(want){.visible = 64, .lost = 24}, "0");
    check_point(&m, &(want){.visible = 64, .lost = 24, .flips = 4}, "0.1");
    mix_close(&m);
}
END_TEST

/* 48 units and 16 more: unknown, or known and flipped like all others; scored in no case. */
START_TEST(test_recall_in_the_expanded_network) {
    mix_case m;
    want w = {.visible = 48};
    mix_run_ok(RECALL("size: 48, rows: 6", "hebbian", "extra: 16, unknown: 0, noise: [0.25]"), 0, 1, &m);
    w.flips = 16;
    check_point(&m, &w, "0.25");
    mix_close(&m);
    mix_run_ok(RECALL("size: 48, rows: 6", "hebbian", "extra: 16, noise: [0.25]"), 0, 1, &m);
    w.flips = 12;
    for (size_t i = 48; i < UNITS; i++)
        w.unknown[i] = true;
    check_point(&m, &w, "0.25");
    mix_close(&m);
}
END_TEST

/* Without units to be scored there is nothing: units 40 ... 63 are unknown, overlaps are of 0 ... 39. */
START_TEST(test_recall_does_not_score_unknown_units) {
    mix_case m;
    mix_run_ok(RECALL("size: 64", "hebbian", "unknown: 24, noise: [0]"), 0, 1, &m);
    ck_assert_double_eq(mix_value(&m, "cue_overlap"), 1);
    mix_close(&m);
}
END_TEST

START_TEST(test_recall_reports_the_sampler) {
    mix_case m;
    mix_run_ok("suite: s\nrunner: recall\ngrid:\n  dataset: {name: random-patterns, count: 3, size: 64, rows: 8}\n"
               "  model: hopfield\n  sampler: graded-response\n  learner: pseudo-inverse\n  seed: 5\n"
               "run: {updates: 1, noise: [0, 0.2]}\n",
               0, 1, &m);
    ck_assert_double_eq(value_at(&m, "graded_at_rest", 13), 1);
    ck_assert_double_eq(value_at(&m, "graded_energy_rise", 13), 0);
    ck_assert_double_eq(value_at(&m, "overlap", 13), 1);
    mix_close(&m);
}
END_TEST

START_TEST(test_recall_with_a_mask_of_the_users_own) {
    char path[128], text[1024];
    double values[UNITS] = {0};
    want w = {.visible = 64};
    for (size_t i = 0; i < UNITS; i += 3) {
        values[i] = 1;
        w.unknown[i] = true;
    }
    snprintf(path, sizeof path, "%s/mask.npy", mix_folder);
    ck_assert_int_eq(ebm_npy_write(path, EBM_NPY_FLOAT64, 2, (size_t[]){8, 8}, values, NULL), EBM_OK);
    snprintf(text, sizeof text, RECALL("size: 64, rows: 8", "hebbian", "noise: [0], mask: file, mask_file: %s"), path);
    mix_case m;
    mix_run_ok(text, 0, 1, &m);
    check_point(&m, &w, "0");
    mix_close(&m);
    ck_assert_int_eq(ebm_npy_write(path, EBM_NPY_FLOAT64, 2, (size_t[]){4, 16}, values, NULL), EBM_OK);
    mix_run(text, 0, "other", 1, 0, &m);
    ck_assert_int_eq(m.status, EBM_INVALID);
    ck_assert_msg(strstr(m.error.message, "is a mask of 4 x 16, but the pictures are 8 x 8"), "%s", m.error.message);
    mix_close(&m);
}
END_TEST

static const struct {
    const char *suite, *says;
} refusals[] = {
    {RECALL("size: 64", "hebbian", "mask: left"),
     "mask left hides half of a picture, but the patterns are 64 units in a line"},
    {RECALL("size: 64", "hebbian", "unknown: 64"), "unknown is 64, but the patterns have 64 units"},
    {RECALL("size: 64", "hebbian", "noise: [0.2, 0.1]"),
     "the shares in `noise` must rise by a unit or more: 0.2 stands before 0.1"},
    {RECALL("size: 64", "hebbian", "noise: [0.1, 0.101]"), "and 64 units are known"},
    {RECALL("size: 64, rows: 8", "hebbian", "mask: file"), "mask file needs its path in mask_file"},
};

START_TEST(test_recall_refuses) {
    mix_case m;
    mix_run(refusals[_i].suite, 0, "case", 1, 0, &m);
    ck_assert_int_eq(m.status, EBM_INVALID);
    ck_assert_msg(strstr(m.error.message, refusals[_i].says), "%s", m.error.message);
    mix_close(&m);
}
END_TEST

/* Spins from a file of the user's that are none. */
START_TEST(test_recall_refuses_values_between) {
    char path[128], text[1024];
    double values[2 * UNITS];
    for (size_t i = 0; i < 2 * UNITS; i++)
        values[i] = i == UNITS + 7 ? 0.5 : 1;
    snprintf(path, sizeof path, "%s/x.npy", mix_folder);
    ck_assert_int_eq(ebm_npy_write(path, EBM_NPY_FLOAT64, 2, (size_t[]){2, UNITS}, values, NULL), EBM_OK);
    snprintf(text, sizeof text,
             "suite: s\nrunner: recall\ngrid:\n  dataset: {name: npy, train: %s, domain: spin}\n  model: hopfield\n"
             "  sampler: descent\n  learner: hebbian\n  seed: 5\nrun: {updates: 1}\n",
             path);
    mix_case m;
    mix_run(text, 0, "case", 1, 0, &m);
    ck_assert_int_ne(m.status, EBM_OK);
    ck_assert_msg(strstr(m.error.message, "0.5"), "%s", m.error.message);
    mix_close(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("recall_runner");
    TCase *cases = tcase_create("recall");
    tcase_add_checked_fixture(cases, mix_setup, mix_teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, test_recall_from_flipped_units);
    tcase_add_loop_test(cases, test_recall_from_half_a_picture, 0, 4);
    tcase_add_test(cases, test_recall_from_a_random_share);
    tcase_add_test(cases, test_recall_in_the_expanded_network);
    tcase_add_test(cases, test_recall_does_not_score_unknown_units);
    tcase_add_test(cases, test_recall_reports_the_sampler);
    tcase_add_test(cases, test_recall_with_a_mask_of_the_users_own);
    tcase_add_loop_test(cases, test_recall_refuses, 0, sizeof refusals / sizeof *refusals);
    tcase_add_test(cases, test_recall_refuses_values_between);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
