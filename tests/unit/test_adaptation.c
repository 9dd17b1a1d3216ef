/* Warm-up of samplers on real spaces: the step comes to the target, scales are the spread of the windows that they should
 * be of, and nothing else moves them. */
#include "rbm_fixture.h"

#include "samplers/adaptation.h"

enum { UNITS = 3, ROWS = 4, MOST_STEPS = 1000 };

typedef struct trial {
    void *memory;
    ebm_real x[MOST_STEPS][ROWS * UNITS]; /* the states of each transition */
} trial;

/* States N(i, sd_i^2) with sds 1e-3, 1 and 1e3. */
static trial *trial_open(double step) {
    static const double sd[UNITS] = {1e-3, 1, 1e3};
    trial *t = calloc(1, sizeof *t);
    test_random r = {12};
    ck_assert_ptr_nonnull(t);
    t->memory = aligned_alloc(64, ebm_adaptation_bytes(UNITS));
    ck_assert_ptr_nonnull(t->memory);
    memset(t->memory, 0, ebm_adaptation_bytes(UNITS));
    ck_assert_uint_eq(ebm_adaptation_bytes(UNITS) % 64, 0);
    ebm_adaptation_start(t->memory, UNITS, step);
    for (size_t s = 0; s < MOST_STEPS; s++)
        for (size_t k = 0; k < ROWS * UNITS; k++)
            t->x[s][k] = (ebm_real)((double)(k % UNITS) + sd[k % UNITS] * test_random_normal(&r));
    return t;
}

static void trial_close(trial *t) {
    free(t->memory);
    free(t);
}

static ebm_window update(trial *t, uint64_t s, uint64_t total, double acceptance, bool scales) {
    return ebm_adaptation_update(t->memory, acceptance, 0.7, ROWS, t->x[s], total ? total - s : 0, scales);
}

/* An acceptance that falls as those of Langevin and Hamiltonian proposals do, erfc((e / width)^p): with p = 2 or 3 it is
 * theirs for many units. Dual averaging of an acceptance without noise comes to the target: its average of 300 tries is
 * near enough for 0.05 of acceptance, from steps a thousand times too small or too large. */
START_TEST(test_adaptation_step_finds_target) {
    static const double starts[] = {1e-3, 0.2, 1e3}, targets[] = {0.234, 0.574, 0.651, 0.8};
    trial *t = trial_open(1);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 4; j++)
            for (double power = 2; power <= 3; power++) {
                const double width = 0.3;
                ebm_adaptation_start(t->memory, UNITS, starts[i]);
                ck_assert_double_eq(ebm_adaptation_step(t->memory, true), starts[i]);
                ck_assert_double_eq_tol(ebm_adaptation_step(t->memory, false), starts[i], 1e-12 * starts[i]);
                for (uint64_t s = 0; s < 300; s++) {
                    const double step = ebm_adaptation_step(t->memory, true);
                    ebm_adaptation_update(t->memory, erfc(pow(step / width, power)), targets[j], ROWS, t->x[s], 300 - s,
                                          false);
                }
                const double last = erfc(pow(ebm_adaptation_step(t->memory, false) / width, power));
                ck_assert_msg(fabs(last - targets[j]) < 0.05, "from %g, target %g: %g", starts[i], targets[j], last);
            }
    for (size_t i = 0; i < UNITS; i++) /* not asked for, not touched */
        ck_assert_double_eq((double)ebm_adaptation_scale(t->memory)[i], 1);
    trial_close(t);
}
END_TEST

/* The published schedule: 75 transitions, windows of 25, 50, 100 ... of which the last is stretched, 50 transitions; of
 * short warm-ups 15 % and 10 %; below 20 none. */
START_TEST(test_adaptation_windows) {
    static const struct {
        uint64_t total, closings[6];
    } cases[] = {{1000, {100, 150, 250, 450, 950}},
                 {500, {100, 150, 250, 450}},
                 {150, {100}},
                 {149, {47, 135}},
                 {100, {40, 90}},
                 {19, {0}}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        trial *t = trial_open(1);
        size_t seen = 0;
        for (uint64_t s = 0; s < cases[k].total; s++) {
            const ebm_real before = ebm_adaptation_scale(t->memory)[0];
            const ebm_window window = update(t, s, cases[k].total, 0.7, true);
            if (window == EBM_WINDOW_CLOSED)
                ck_assert_uint_eq(s + 1, cases[k].closings[seen++]);
            ck_assert((ebm_adaptation_scale(t->memory)[0] != before) == (window == EBM_WINDOW_CLOSED));
        }
        ck_assert_uint_eq(cases[k].closings[seen], 0);
        trial_close(t);
    }
}
END_TEST

/* Scales of transitions [from, to) by two passes: the logarithm of each variance, with that of 5 observations of their
 * mean logarithm mixed in. */
static void scales_of_window(const trial *t, size_t from, size_t to, double *out) {
    const double n = (double)((to - from) * ROWS);
    double log_variance[UNITS], mean_log = 0;
    for (size_t i = 0; i < UNITS; i++) {
        double mean = 0, squares = 0;
        for (size_t s = from; s < to; s++)
            for (size_t b = 0; b < ROWS; b++)
                mean += (double)t->x[s][b * UNITS + i] / n;
        for (size_t s = from; s < to; s++)
            for (size_t b = 0; b < ROWS; b++)
                squares += pow((double)t->x[s][b * UNITS + i] - mean, 2);
        log_variance[i] = log(squares / (n - 1));
        mean_log += log_variance[i] / UNITS;
    }
    for (size_t i = 0; i < UNITS; i++)
        out[i] = exp(0.5 * (n * log_variance[i] + 5 * mean_log) / (n + 5));
}

/* To rounding of ebm_real: sums are in double. A state that is not finite is no state of the window. */
START_TEST(test_adaptation_scales) {
    trial *t = trial_open(1);
    double want[UNITS];
    for (uint64_t s = 0; s < 500; s++)
        (void)update(t, s, 500, 0.7, true);
    scales_of_window(t, 250, 450, want);
    for (size_t i = 0; i < UNITS; i++)
        ck_assert_double_le(fabs((double)ebm_adaptation_scale(t->memory)[i] / want[i] - 1), 4 * UNIT_ROUNDOFF + 1e-9);
    ebm_adaptation_start(t->memory, UNITS, 1);
    t->x[300][4] = (ebm_real)NAN;
    for (uint64_t s = 0; s < 500; s++)
        (void)update(t, s, 500, 0.7, true);
    memmove(t->x[300], t->x[301], (MOST_STEPS - 301) * sizeof t->x[0]);
    scales_of_window(t, 250, 449, want);
    for (size_t i = 0; i < UNITS; i++)
        ck_assert_double_le(fabs((double)ebm_adaptation_scale(t->memory)[i] / want[i] - 1), 4 * UNIT_ROUNDOFF + 1e-9);
    trial_close(t);
}
END_TEST

/* A unit that does not move has the others' scale; where none does, scales and step stay. */
START_TEST(test_adaptation_without_spread) {
    trial *t = trial_open(1);
    double step;
    for (size_t s = 0; s < MOST_STEPS; s++)
        for (size_t b = 0; b < ROWS; b++)
            t->x[s][b * UNITS] = t->x[s][b * UNITS + 1] = 3;
    for (uint64_t s = 0; s < 500; s++)
        (void)update(t, s, 500, 0.7, true);
    const ebm_real *scale = ebm_adaptation_scale(t->memory);
    ck_assert_double_gt((double)scale[2], 900);
    ck_assert_double_eq_tol((double)scale[0] / (double)scale[2], 1, 1e-6);
    ck_assert_double_eq_tol((double)scale[1] / (double)scale[2], 1, 1e-6);
    ebm_adaptation_start(t->memory, UNITS, 1);
    memset(t->x, 0, sizeof t->x);
    for (uint64_t s = 0; s < 500; s++) {
        (void)update(t, s, 500, 0.7, true);
        step = ebm_adaptation_step(t->memory, true);
        ck_assert_double_gt(step, 1); /* acceptance at the target: drawn to the anchor, and no restart */
        ck_assert_double_le(step, 10 * (1 + 1e-12));
    }
    for (size_t i = 0; i < UNITS; i++)
        ck_assert_double_eq((double)scale[i], 1);
    trial_close(t);
}
END_TEST

/* No acceptance at all, or none that is a number, makes steps small, never 0; all makes them large, never infinite. */
START_TEST(test_adaptation_extremes) {
    trial *t = trial_open(1), *u = trial_open(1);
    for (uint64_t s = 0; s < 900; s++) {
        (void)update(t, s, 0, 0, true);
        (void)update(u, s, 0, NAN, true);
        ck_assert_mem_eq(t->memory, u->memory, ebm_adaptation_bytes(UNITS));
    }
    ck_assert_double_gt(ebm_adaptation_step(t->memory, true), 0);
    ck_assert_double_lt(ebm_adaptation_step(t->memory, false), 1e-3);
    ebm_adaptation_start(t->memory, UNITS, 1);
    for (uint64_t s = 0; s < 900; s++)
        (void)update(t, s, 900, 1, false);
    ck_assert(isfinite(ebm_adaptation_step(t->memory, true)));
    ck_assert_double_gt(ebm_adaptation_step(t->memory, false), 1e3);
    trial_close(t);
    trial_close(u);
}
END_TEST

/* Saved in the middle and put elsewhere it goes on as before. */
START_TEST(test_adaptation_is_plain_memory) {
    const size_t bytes = ebm_adaptation_bytes(UNITS);
    trial *t = trial_open(0.5);
    for (uint64_t s = 0; s < 130; s++)
        (void)update(t, s, 500, s % 2 ? 0.9 : 0.4, true);
    void *elsewhere = aligned_alloc(64, bytes), *home = t->memory;
    ck_assert_ptr_nonnull(elsewhere);
    memcpy(elsewhere, home, bytes);
    for (int place = 0; place < 2; place++) {
        t->memory = place ? elsewhere : home;
        for (uint64_t s = 130; s < 500; s++)
            (void)update(t, s, 500, s % 2 ? 0.9 : 0.4, true);
    }
    ck_assert_mem_eq(elsewhere, home, bytes);
    free(home);
    trial_close(t);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("adaptation");
    TCase *tcase = tcase_create("adaptation");
    tcase_add_test(tcase, test_adaptation_step_finds_target);
    tcase_add_test(tcase, test_adaptation_windows);
    tcase_add_test(tcase, test_adaptation_scales);
    tcase_add_test(tcase, test_adaptation_without_spread);
    tcase_add_test(tcase, test_adaptation_extremes);
    tcase_add_test(tcase, test_adaptation_is_plain_memory);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
