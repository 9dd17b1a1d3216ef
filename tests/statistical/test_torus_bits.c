/* Multi-spin coding against the definition of a single-site update.
 *
 * A unit of colour 0 is updated given the old state, one of colour 1 given the new units of colour 0; both are seen from
 * outside, so every update is a Bernoulli trial of known probability: trials are counted by (rule, colour, number of
 * neighbours up, old spin) and compared with it. A count of n trials lies within 6.5 standard deviations but for a
 * probability of 1e-10, and there are fewer than 1000 counts: false alarms are below 1e-6 for the whole file. */
#include "models/torus_bits.h"

#include "core/row_kernels.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 200 };
static const double LIMIT = 6.5;

typedef struct lattice {
    ebm_torus torus;
    size_t V;
    ebm_real *old, *x;
    ebm_work *work;
} lattice;

/* Old states with all densities of ups, so that every class has its share. */
static lattice lattice_open(size_t rows, size_t columns, double K, int threads) {
    lattice l = {.torus = {rows, columns, K}, .V = rows * columns};
    l.old = calloc(l.V * CHAINS, sizeof *l.old);
    l.x = calloc(l.V * CHAINS, sizeof *l.x);
    ck_assert_int_eq(ebm_work_create(threads, &l.work, NULL), EBM_OK);
    for (size_t b = 0; b < CHAINS; b++)
        for (size_t i = 0; i < l.V; i++) {
            double u = ebm_random_uniform1(ebm_stream_of(9, 9), (uint32_t)b, 0, (uint32_t)i);
            l.old[b * l.V + i] = u < (double)(b % 11) / 10 ? 1 : -1;
        }
    memcpy(l.x, l.old, l.V * CHAINS * sizeof *l.x);
    return l;
}

static void lattice_close(lattice *l) {
    free(l->old);
    free(l->x);
    ebm_work_free(l->work);
}

static ebm_sweeps sweeps_of(ebm_site_rule rule, size_t count, uint64_t step) {
    ebm_sweeps s = {rule, EBM_SCAN_CHECKERBOARD, count, ebm_stream_of(3, EBM_PURPOSE_SAMPLE), 128, step, 0, NULL};
    return s;
}

/* Neighbours of unit i that are up, in the state that it was updated in: all of the other colour. */
static int ups(const lattice *l, const ebm_real *state, size_t i) {
    size_t R = l->torus.rows, C = l->torus.columns, r = i / C, c = i % C;
    return (state[(r + 1) % R * C + c] > 0) + (state[(r + R - 1) % R * C + c] > 0) + (state[r * C + (c + 1) % C] > 0) +
           (state[r * C + (c + C - 1) % C] > 0);
}

/* P(new spin is up) by the definition, K = beta J and local field 2 n - 4. */
static double up_probability(ebm_site_rule rule, double K, int n, bool was_up) {
    double logit = 2 * K * (2 * n - 4);
    if (rule == EBM_HEAT_BATH)
        return 1 / (1 + exp(-logit));
    double flip = fmin(1, exp(was_up ? -logit : logit));
    return was_up ? 1 - flip : flip;
}

/* The worst deviation from the definition over all classes of one sweep, in standard deviations. */
static double worst_class(lattice *l, ebm_site_rule rule, double claimed_K, uint64_t rounds, double *accepted) {
    double trials[2][5][2] = {{{0}}}, found[2][5][2] = {{{0}}}, worst = 0, flips = 0, strange = 0;
    *accepted = 0;
    for (uint64_t round = 0; round < rounds; round++) {
        ebm_sweeps s = sweeps_of(rule, 1, round);
        memcpy(l->x, l->old, l->V * CHAINS * sizeof *l->x);
        ck_assert(ebm_torus_bits_sweep(&l->torus, &s, CHAINS, l->x, l->work));
        *accepted += s.accepted;
        for (size_t b = 0; b < CHAINS; b++)
            for (size_t i = 0; i < l->V; i++) {
                const ebm_real *old = l->old + b * l->V, *new = l->x + b * l->V;
                int colour = (int)((i / l->torus.columns + i % l->torus.columns) % 2);
                int n = ups(l, colour ? new : old, i), was = old[i] > 0;
                strange += new[i] != 1 && new[i] != -1;
                trials[colour][n][was]++;
                found[colour][n][was] += new[i] > 0;
                flips += new[i] != old[i];
            }
    }
    ck_assert_double_eq(strange, 0);
    if (rule == EBM_METROPOLIS)
        ck_assert_double_eq(flips, *accepted);
    for (int k = 0; k < 20; k++) {
        int colour = k / 10, n = k / 2 % 5, was = k % 2;
        double p = up_probability(rule, claimed_K, n, was), m = trials[colour][n][was];
        double sd = sqrt(m * p * (1 - p));
        /* a probability of 0 or 1, but for one below 1e-9 that these trials cannot tell from 0 */
        double away = fabs(found[colour][n][was] - m * p) / fmax(sd, 0.01);
        worst = m > 0 ? fmax(worst, away) : worst;
    }
    return worst;
}

START_TEST(test_torus_bits_follow_definition) {
    static const struct {
        size_t rows, columns;
        double K;
    } cases[] = {{4, 4, 0.3}, {8, 6, 0.44}, {6, 20, -0.25}, {16, 16, 0}, {32, 32, 0.05}, {10, 34, 1.2}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        for (int rule = 0; rule < 2; rule++) {
            lattice l = lattice_open(cases[c].rows, cases[c].columns, cases[c].K, 2);
            double accepted, worst = worst_class(&l, (ebm_site_rule)rule, cases[c].K, 1 + 4000 / l.V, &accepted);
            ck_assert_msg(worst < LIMIT, "%zu x %zu, K = %g, rule %d: %g standard deviations", cases[c].rows,
                          cases[c].columns, cases[c].K, rule, worst);
            lattice_close(&l);
        }
}
END_TEST

/* A coupling 2 % off is seen, in the weak and in the strong field. */
START_TEST(test_torus_bits_check_can_fail) {
    for (int rule = 0; rule < 2; rule++) {
        lattice l = lattice_open(32, 32, 0.3, 1);
        double accepted;
        ck_assert_double_gt(worst_class(&l, (ebm_site_rule)rule, 0.306, 10, &accepted), LIMIT);
        lattice_close(&l);
    }
}
END_TEST

/* Without coupling heat bath draws fair coins: neighbouring units, chains, and sweeps agree half of the time. */
START_TEST(test_torus_bits_numbers_are_independent) {
    lattice l = lattice_open(16, 34, 0, 1);
    const size_t V = l.V, distances[] = {1, 2, 4, 17, 34, 64};
    ebm_sweeps s = sweeps_of(EBM_HEAT_BATH, 1, 7);
    ck_assert(ebm_torus_bits_sweep(&l.torus, &s, CHAINS, l.x, l.work));
    for (size_t d = 0; d < sizeof distances / sizeof distances[0]; d++) {
        double units = 0, chains = 0, n_units = 0, n_chains = 0;
        for (size_t b = 0; b < CHAINS; b++)
            for (size_t i = 0; i < V; i++) {
                if (i + distances[d] < V)
                    units += l.x[b * V + i] * l.x[b * V + i + distances[d]], n_units++;
                if (b + distances[d] < CHAINS)
                    chains += l.x[b * V + i] * l.x[(b + distances[d]) * V + i], n_chains++;
            }
        ck_assert_double_lt(fabs(units), LIMIT * sqrt(n_units));
        ck_assert_double_lt(fabs(chains), LIMIT * sqrt(n_chains));
    }
    memcpy(l.old, l.x, V * CHAINS * sizeof *l.x);
    s.step = 8;
    ck_assert(ebm_torus_bits_sweep(&l.torus, &s, CHAINS, l.x, l.work));
    double sweeps = 0;
    for (size_t k = 0; k < V * CHAINS; k++)
        sweeps += l.x[k] * l.old[k];
    ck_assert_double_lt(fabs(sweeps), LIMIT * sqrt((double)(V * CHAINS)));
    lattice_close(&l);
}
END_TEST

static void run(lattice *l, ebm_site_rule rule, size_t count) {
    ebm_sweeps s = sweeps_of(rule, count, 1);
    memcpy(l->x, l->old, l->V * CHAINS * sizeof *l->x);
    ck_assert(ebm_torus_bits_sweep(&l->torus, &s, CHAINS, l->x, l->work));
}

/* The same states for every instruction set and number of threads, for sweeps in one call or in several, and for chains
 * cut at multiples of 64. */
START_TEST(test_torus_bits_same_states) {
    static const char *const names[] = {"avx512", "avx2", "baseline"};
    for (int rule = 0; rule < 2; rule++) {
        lattice l = lattice_open(8, 22, 0.4, 1), two = lattice_open(8, 22, 0.4, 2);
        const size_t bytes = l.V * CHAINS * sizeof *l.x;
        run(&l, (ebm_site_rule)rule, 5);
        for (int k = 0; k < 3; k++) {
            const ebm_row_kernels *kernels = ebm_row_kernels_named(names[k]);
            if (!kernels)
                continue;
            ebm_row_kernels_use(kernels);
            run(&two, (ebm_site_rule)rule, 5);
            ck_assert_mem_eq(l.x, two.x, bytes);
        }
        ebm_row_kernels_use(NULL);
        memcpy(two.x, l.old, bytes);
        for (size_t first = 0; first < CHAINS; first += 64)
            for (size_t k = 0; k < 5; k++) {
                ebm_sweeps s = sweeps_of((ebm_site_rule)rule, 1, 1 + k);
                s.first_chain += (uint32_t)first;
                size_t count = CHAINS - first < 64 ? CHAINS - first : 64;
                ck_assert(ebm_torus_bits_sweep(&two.torus, &s, count, two.x + first * l.V, two.work));
            }
        ck_assert_mem_eq(l.x, two.x, bytes);
        lattice_close(&l);
        lattice_close(&two);
    }
}
END_TEST

START_TEST(test_torus_bits_fit) {
    ebm_sweeps s = sweeps_of(EBM_HEAT_BATH, 1, 0);
    static const ebm_torus odd = {4, 5, 1}, thin = {2, 8, 1}, good = {4, 6, 1}, huge = {1 << 13, 1 << 13, 1};
    ck_assert(ebm_torus_bits_fit(&good, &s, 64));
    ck_assert(!ebm_torus_bits_fit(&good, &s, 1));
    ck_assert(!ebm_torus_bits_fit(&odd, &s, 64));
    ck_assert(!ebm_torus_bits_fit(&thin, &s, 64));
    ck_assert(!ebm_torus_bits_fit(&huge, &s, 64));
    s.scan = EBM_SCAN_SYSTEMATIC;
    ck_assert(!ebm_torus_bits_fit(&good, &s, 64));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("torus_bits");
    TCase *tests = tcase_create("torus_bits");
    tcase_add_test(tests, test_torus_bits_follow_definition);
    tcase_add_test(tests, test_torus_bits_check_can_fail);
    tcase_add_test(tests, test_torus_bits_numbers_are_independent);
    tcase_add_test(tests, test_torus_bits_same_states);
    tcase_add_test(tests, test_torus_bits_fit);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
