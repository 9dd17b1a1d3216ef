/* The runner `restore`: its rows and sheets against a plain enumeration of the posterior. */
#include "mix_case.h"

#include "ebm/random.h"

enum { SIDE = 3, PIXELS = SIDE * SIDE, STATES = 1 << PIXELS, PICTURES = 16 };

#define RESTORE(sampler, run)                                                                                          \
    "suite: s\nrunner: restore\ngrid:\n"                                                                               \
    "  dataset: {name: random-patterns, size: 9, rows: 3, mean: 0.7, domain: spin, test: 16}\n"                        \
    "  model: {name: ising, lattice: grid, coupling: 0.4, field: 0.1}\n"                                               \
    "  sampler: " sampler "\n  seed: 5\n"                                                                              \
    "run: {pictures: 16, shown: 16, " run "}\n"

/* Pictures (PICTURES, PIXELS) of a sheet: 4 x 4 tiles with an empty cell between. */
static void read_sheet(const mix_case *m, const char *name, int *out) {
    char path[EBM_PATH_MAX + 32], *text;
    size_t size;
    enum { WIDE = 4 * (SIDE + 1) - 1 };
    snprintf(path, sizeof path, "%s/artifacts/%s", m->out.folder, name);
    ck_assert_int_eq(ebm_file_read(path, 1 << 20, &text, &size, NULL), EBM_OK);
    char *at = text;
    for (size_t y = 0; y < WIDE; y++)
        for (size_t x = 0; x < WIDE; x++) {
            const double value = strtod(at, &at);
            const size_t tile = y / (SIDE + 1) * 4 + x / (SIDE + 1), r = y % (SIDE + 1), c = x % (SIDE + 1);
            at++;
            if (r < SIDE && c < SIDE)
                out[tile * PIXELS + r * SIDE + c] = value > 0.5 ? 1 : -1;
        }
    free(text);
}

/* E given x, with J = 0.4, b = 0.1 and weight = log((1 - p) / p). */
static double energy_of(const int *y, const int *x, double weight) {
    double energy = 0;
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++) {
            const int i = r * SIDE + c;
            energy -= 0.1 * y[i] + weight / 2 * x[i] * y[i];
            energy -= c + 1 < SIDE ? 0.4 * y[i] * y[i + 1] : 0;
            energy -= r + 1 < SIDE ? 0.4 * y[i] * y[i + SIDE] : 0;
        }
    return energy;
}

typedef struct exact {
    double least, mean[PIXELS], energy, variance; /* least energy; E[y], E[E] and Var(E) of the posterior */
} exact;

static exact enumerate(const int *x, double weight) {
    exact e = {.least = INFINITY};
    double Z = 0, square = 0;
    for (int k = 0; k < STATES; k++) {
        int y[PIXELS];
        for (int i = 0; i < PIXELS; i++)
            y[i] = k >> i & 1 ? 1 : -1;
        const double energy = energy_of(y, x, weight), p = exp(-energy);
        Z += p;
        e.least = fmin(e.least, energy);
        e.energy += p * energy;
        square += p * energy * energy;
        for (int i = 0; i < PIXELS; i++)
            e.mean[i] += p * y[i];
    }
    for (int i = 0; i < PIXELS; i++)
        e.mean[i] /= Z;
    e.energy /= Z;
    e.variance = square / Z - e.energy * e.energy;
    return e;
}

typedef struct sheets {
    int truth[PICTURES * PIXELS], corrupted[PICTURES * PIXELS], mode[PICTURES * PIXELS], answer[PICTURES * PIXELS];
} sheets;

static void read_sheets(const mix_case *m, sheets *s) {
    read_sheet(m, "true.csv", s->truth);
    read_sheet(m, "corrupted.csv", s->corrupted);
    read_sheet(m, "cut.csv", s->mode);
    read_sheet(m, "restored.csv", s->answer);
}

static double share_wrong(const int *pictures, const int *truth) {
    double wrong = 0;
    for (int i = 0; i < PICTURES * PIXELS; i++)
        wrong += pictures[i] != truth[i];
    return wrong / (PICTURES * PIXELS);
}

/* What every sampler's case must say. Numbers of the model are rounded to float: 21 terms below 2, 2^-24 of each. */
static void check_rows(const mix_case *m, const sheets *s, double flip) {
    const double weight = log((1 - flip) / flip), tolerance = 21 * 2 * 0x1p-24;
    double energy = 0, least = 0, truth = 0, corrupted = 0, smallest = INFINITY, rarer = 0;
    for (size_t p = 0; p < PICTURES; p++) {
        const int *x = s->corrupted + p * PIXELS;
        const exact e = enumerate(x, weight);
        const double answer = energy_of(s->answer + p * PIXELS, x, weight);
        uint32_t words[PIXELS];
        ebm_random_words(ebm_stream_of(5, EBM_PURPOSE_CORRUPTION), (uint32_t)p, 0, PIXELS, words);
        for (size_t i = 0; i < PIXELS; i++)
            ck_assert_int_eq(x[i] != s->truth[p * PIXELS + i], words[i] * 0x1p-32 < flip);
        ck_assert_double_lt(fabs(energy_of(s->mode + p * PIXELS, x, weight) - e.least), tolerance);
        energy += answer / (PICTURES * PIXELS);
        least += e.least / (PICTURES * PIXELS);
        truth += energy_of(s->truth + p * PIXELS, x, weight) / (PICTURES * PIXELS);
        corrupted += energy_of(x, x, weight) / (PICTURES * PIXELS);
        smallest = fmin(smallest, answer - e.least);
        double up = 0;
        for (size_t i = 0; i < PIXELS; i++)
            up += s->truth[p * PIXELS + i] > 0;
        rarer += fmin(up, PIXELS - up) / (PICTURES * PIXELS);
    }
    ck_assert_double_eq_tol(mix_value(m, "error"), share_wrong(s->answer, s->truth), 1e-12);
    ck_assert_double_eq_tol(mix_value(m, "corrupted_error"), share_wrong(s->corrupted, s->truth), 1e-12);
    ck_assert_double_eq_tol(mix_value(m, "cut_error"), share_wrong(s->mode, s->truth), 1e-12);
    ck_assert_double_eq_tol(mix_value(m, "blank_error"), rarer, 1e-12);
    ck_assert_double_eq_tol(mix_value(m, "excess_error"), mix_value(m, "error") - mix_value(m, "cut_error"), 1e-12);
    ck_assert_double_eq_tol(mix_value(m, "removed_error"),
                            mix_value(m, "corrupted_error") - mix_value(m, "error"), 1e-12);
    ck_assert_double_eq_tol(mix_value(m, "energy"), energy, tolerance);
    ck_assert_double_eq_tol(mix_value(m, "cut_energy"), least, tolerance);
    ck_assert_double_eq_tol(mix_value(m, "true_energy"), truth, tolerance);
    ck_assert_double_eq_tol(mix_value(m, "corrupted_energy"), corrupted, tolerance);
    ck_assert_double_eq_tol(mix_value(m, "energy_gap"), (energy - least) * PIXELS, PIXELS * tolerance);
    ck_assert_double_eq_tol(mix_value(m, "energy_gap_least"), smallest, tolerance);
    ck_assert(mix_value(m, "true_gap_least") >= 0 && mix_value(m, "corrupted_gap_least") >= 0);
    ck_assert(mix_value(m, "cut_certificate") == 0 && mix_value(m, "enumeration_gap") == 0);
    ck_assert(mix_row(m, "error")->se > 0 && mix_row(m, "energy_gap_least")->se != mix_row(m, "error")->se);
}

/* Means over N = 4 x 6000 draws: with a time of 10 draws between independent ones, which is ample for nine weakly coupled
 * spins, the error of E[y] is below sqrt(10 / N) = 0.02; a pixel whose mean is 0.12 or more has the right sign. So is the
 * mean energy within 6 sqrt(10 Var(E) / N) of its exact value. */
START_TEST(test_restore_marginals) {
    mix_case m;
    sheets s;
    const double flip = 0.3, weight = log(0.7 / 0.3);
    mix_run_ok(RESTORE("gibbs", "flip: 0.3, sweeps: 6000, chains: 4"), 0, 1, &m);
    read_sheets(&m, &s);
    check_rows(&m, &s, flip);
    double energy = 0, variance = 0;
    size_t clear = 0, unlike = 0;
    for (size_t p = 0; p < PICTURES; p++) {
        const exact e = enumerate(s.corrupted + p * PIXELS, weight);
        energy += e.energy / (PICTURES * PIXELS);
        variance += e.variance / (PICTURES * PICTURES * PIXELS * PIXELS);
        for (size_t i = 0; i < PIXELS; i++) {
            const size_t at = p * PIXELS + i;
            clear += fabs(e.mean[i]) > 0.12;
            unlike += s.answer[at] != s.mode[at];
            ck_assert(fabs(e.mean[i]) <= 0.12 || (e.mean[i] > 0) == (s.answer[at] > 0));
        }
    }
    ck_assert_uint_gt(clear, PICTURES * PIXELS * 3 / 4);
    ck_assert_uint_gt(unlike, 0); /* the mode is another answer */
    ck_assert_double_lt(fabs(mix_value(&m, "posterior_energy") - energy), 6 * sqrt(10 * variance / 24000));
    mix_close(&m);
}
END_TEST

START_TEST(test_restore_ends) {
    mix_case m;
    sheets s;
    mix_run_ok(RESTORE("{name: annealed, max_temperature: 30, rate: 0.9}", "flip: 0.2, sweeps: 60, burn_in: 0"), 0, 1,
               &m);
    read_sheets(&m, &s);
    check_rows(&m, &s, 0.2);
    ck_assert_ptr_null(mix_row(&m, "posterior_energy"));
    const double one = mix_value(&m, "energy_gap");
    mix_close(&m);
    mix_run_ok(RESTORE("{name: annealed, max_temperature: 30, rate: 0.9}", "flip: 0.2, sweeps: 60, chains: 40"), 0, 1,
               &m);
    ck_assert(mix_value(&m, "mode_found") == 1); /* the best of forty */
    ck_assert(mix_value(&m, "energy_gap") == 0 && one >= 0);
    mix_close(&m);
    mix_run_ok(RESTORE("gibbs", "flip: 0.2, sweeps: 60, answer: end, end_temperature: 1e3"), 0, 1, &m);
    read_sheets(&m, &s);
    check_rows(&m, &s, 0.2);
    ck_assert_double_gt(mix_value(&m, "energy_gap"), 3); /* hot: any state */
    mix_close(&m);
}
END_TEST

START_TEST(test_restore_goes_on_from_a_checkpoint) {
    static const char text[] = RESTORE("gibbs", "flip: 0.2, sweeps: 50");
    mix_case m;
    mix_run(text, 0, "whole", 2, 0, &m);
    char *whole = table_text(&m.out.table);
    mix_close(&m);
    mix_run(text, 0, "cut", 1, 5, &m);
    ck_assert_int_eq(m.status, EBM_INTERRUPTED);
    mix_close(&m);
    mix_run(text, 0, "cut", 1, 0, &m);
    ck_assert_int_eq(m.status, EBM_OK);
    char *cut = table_text(&m.out.table);
    ck_assert_msg(strcmp(cut, whole) == 0, "stopped and gone on: other rows");
    free(cut);
    free(whole);
    mix_close(&m);
}
END_TEST

#define OTHER(dataset, model, run)                                                                                     \
    "suite: s\nrunner: restore\ngrid: {dataset: " dataset ", model: " model ", sampler: gibbs}\nrun: {" run "}\n"
#define SPINS "{name: random-patterns, size: 9, rows: 3, domain: spin, test: 4}"

START_TEST(test_restore_refuses_what_cannot_be) {
    static const struct {
        const char *text;
        ebm_status status;
        const char *says;
    } bad[] = {
        {OTHER(SPINS, "{name: ising, lattice: grid, rows: 4, columns: 4}", "pictures: 2"), EBM_INVALID,
         "the options say a picture of 4 x 4 units, the data have 9 units"},
        {OTHER(SPINS, "{name: ising, lattice: grid, coupling: -0.5}", "pictures: 2"), EBM_UNSUPPORTED,
         "edge 0, of units 0 and 1, has coupling -0.5"},
        {OTHER(SPINS, "{name: ising, lattice: grid}", "pictures: 5"), EBM_INVALID,
         "5 pictures are asked for, the test half of the data has 4"},
        {OTHER("{name: random-patterns, size: 9, domain: spin}", "{name: ising, lattice: grid}", "pictures: 5"),
         EBM_INVALID, "a grid needs a picture of units, the data are none"},
        {OTHER("{name: bars-and-stripes, side: 3}", "{name: rbm, hidden: 2}", "pictures: 5"), EBM_UNSUPPORTED,
         "runner restore needs spins with couplings on a graph and a field for each"},
        {OTHER("{name: random-patterns, size: 9, rows: 2}", "{name: ising, lattice: grid}", "pictures: 5"), EBM_INVALID,
         "9 units do not fill 2 rows"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mix_case m;
        mix_run(bad[i].text, 0, "bad", 1, 0, &m);
        ck_assert_int_eq(m.status, bad[i].status);
        ck_assert_msg(strstr(m.error.message, bad[i].says) != NULL, "%s", m.error.message);
        mix_close(&m);
    }
    static const char *const suites[] = {
        RESTORE("gibbs", "flip: 0"),
        RESTORE("gibbs", "flip: 0.5"),
        RESTORE("gibbs", "flip: [0.1, 0.7]"),
    };
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        ebm_suite suite;
        ebm_error error = {0};
        ck_assert_int_eq(ebm_suite_parse("s.yaml", suites[i], strlen(suites[i]), EBM_SIZE_FULL, &suite, &error),
                         EBM_INVALID);
        ck_assert_msg(strstr(error.message, "flip") != NULL && error.line > 0, "%s", error.message);
    }
}
END_TEST

int main(void) {
    TCase *t = tcase_create("restore");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, mix_setup, mix_teardown);
    tcase_add_test(t, test_restore_marginals);
    tcase_add_test(t, test_restore_ends);
    tcase_add_test(t, test_restore_goes_on_from_a_checkpoint);
    tcase_add_test(t, test_restore_refuses_what_cannot_be);
    return run_tests("restore", t);
}
