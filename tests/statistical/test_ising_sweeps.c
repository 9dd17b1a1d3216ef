/* Fused sweeps of the Ising model: update by update against their definition, their law against the matrices of
 * single-site updates, and long runs against the exact energies of the torus. Seeds are fixed; every statistical bound
 * has a false alarm below 1e-6. */
#include "ising_fixture.h"
#include "statistics.h"

#include "samplers/state_table.h"

static const ebm_site_rule rules[] = {EBM_HEAT_BATH, EBM_METROPOLIS};
static const ebm_scan scans[] = {EBM_SCAN_SYSTEMATIC, EBM_SCAN_CHECKERBOARD};

/* ---- By the definition ---- */

/* Sweep by sweep: visit n of sweep s takes word n of (stream, chain, step + s) and sets the spin up where
 * (w + 1/2) 2^-32 < P(+1 | s, z). Returns the number of changes. */
static double replay(ising_fixture *f, ebm_path path, const ebm_sweeps *sweeps, size_t row, ebm_real *x) {
    const ebm_graph *g = f->type->graph(&f->model);
    uint32_t *words = calloc(f->V, sizeof *words);
    double changes = 0;
    for (size_t s = 0; s < sweeps->count; s++) {
        ebm_random_words(sweeps->stream, sweeps->first_chain + (uint32_t)row, sweeps->step + s, f->V, words);
        for (size_t pass = 0, n = 0; n < f->V; pass++)
            for (size_t i = 0; i < f->V; i++) {
                if (sweeps->scan == EBM_SCAN_CHECKERBOARD && g->colour[i] != pass)
                    continue;
                double z = (double)g->field[i];
                for (size_t e = g->first[i]; e < g->first[i + 1]; e++)
                    z += (double)g->coupling[g->neighbour_edge[e]] * (double)x[g->neighbour[e]];
                z = path.beta * z + (path.base ? (1 - path.beta) * (double)path.base->parameters[i] : 0);
                const double accept = fmin(1, exp(-2 * (double)x[i] * z));
                const double p = sweeps->rule == EBM_HEAT_BATH ? 1 / (1 + exp(-2 * z)) : x[i] > 0 ? 1 - accept : accept;
                const ebm_real now = ((double)words[n++] + 0.5) * 0x1p-32 < p ? 1 : -1;
                changes += now != x[i];
                x[i] = now;
            }
    }
    free(words);
    return changes;
}

static const struct {
    const char *pairs[9];
    ising_theta theta;
} walks[] = {
    {{"rows", "30", "columns", "44", NULL}, ISING_AS_OPTIONS}, /* a table of the torus */
    {{"rows", "33", "columns", "7", "coupling", "-0.8", "field", "0.3", NULL}, ISING_AS_OPTIONS},
    {{"rows", "4", "columns", "2100", "field", "-0.1", NULL}, ISING_AS_OPTIONS}, /* rows longer than a piece of words */
    {{"rows", "20", "columns", "22", "disorder", "plus-minus", NULL}, ISING_AS_OPTIONS}, /* levels */
    {{"rows", "21", "columns", "9", "lattice", "grid", "field", "0.2", NULL}, ISING_AS_OPTIONS},
    {{"rows", "1", "columns", "14", "lattice", "complete", "coupling", "0.2", NULL}, ISING_AS_OPTIONS},
    {{"rows", "1", "columns", "1", "lattice", "grid", "field", "0.2", NULL}, ISING_AS_OPTIONS},
    {{"rows", "40", "columns", "40", "disorder", "gaussian", NULL},
     ISING_AS_OPTIONS}, /* fields, summed at each visit */
    {{"rows", "17", "columns", "9", "lattice", "grid", NULL}, ISING_NORMAL},
    {{"rows", "1", "columns", "60", "lattice", "complete", "disorder", "gaussian", NULL}, ISING_AS_OPTIONS}, /* kept */
};
enum { WALKS = sizeof walks / sizeof walks[0], ROWS = 5 };

/* Exactly the states of the definition. (A random number within 2^-32 of its probability may be judged otherwise: of
 * 3e6 updates, in one run out of a thousand seeds; this seed has none.) The last field, where it is said to be right,
 * is. */
static void check_walk(ising_fixture *f, ebm_path path, ebm_site_rule rule, ebm_scan scan) {
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f->model, ROWS, &batch, error));
    ebm_real *want = calloc(ROWS * f->V, sizeof *want);
    test_random r = {41};
    for (size_t i = 0; i < ROWS * f->V; i++)
        want[i] = batch.x[i] = test_random_word(&r) >> 63 ? 1 : -1;
    ebm_sweeps sweeps = {rule, scan, 3, ebm_stream_of(5, EBM_PURPOSE_ESTIMATE), 7, ((uint64_t)1 << 32) - 2, 10, NULL};
    double changes = 0;
    for (size_t b = 0; b < ROWS; b++)
        changes += replay(f, path, &sweeps, b, want + b * f->V);
    ck_assert(f->type->sweep(&f->model, path, &batch, &sweeps, f->work));
    ck_assert_int_eq(memcmp(batch.x, want, ROWS * f->V * sizeof *want), 0);
    ck_assert_double_eq(sweeps.accepted, 10 + (rule == EBM_METROPOLIS ? changes : 0));
    if (batch.field_ok) {
        /* kept fields have seen up to 3 V changes of at most 2 |J| < 10 each, in double, and are rounded once */
        const double allowed = UNIT_ROUNDOFF * 100 + 0x1p-53 * 30 * (double)f->V * 100;
        ebm_real *field = calloc(ROWS * f->V, sizeof *field);
        double worst = 0;
        memcpy(field, batch.field, ROWS * f->V * sizeof *field);
        batch.field_ok = false;
        ebm_model_field(&f->model, &batch, f->work);
        for (size_t i = 0; i < ROWS * f->V; i++)
            worst = fmax(worst, fabs((double)field[i] - (double)batch.field[i]));
        ck_assert_double_le(worst, allowed);
        free(field);
    }
    ebm_batch_free(&batch);
    free(want);
}

START_TEST(test_ising_sweep_replays) {
    ising_fixture f;
    ising_open(&f, walks[_i].pairs, walks[_i].theta, 60 + (uint64_t)_i);
    test_random r = {43};
    for (size_t i = 0; i < f.V; i++)
        f.base.parameters[i] = (ebm_real)test_random_normal(&r);
    static const double betas[] = {0, 0.2, 0.45, 1, 3};
    const bool coloured = f.type->graph(&f.model)->colour != NULL;
    for (size_t rule = 0; rule < 2; rule++)
        for (size_t scan = 0; scan < (coloured ? 2 : 1); scan++) {
            for (size_t k = 0; k < 5; k++)
                check_walk(&f, ising_path(&f, 0, betas[k]), rules[rule], scans[scan]);
            check_walk(&f, ising_path(&f, 1, 0.4), rules[rule], scans[scan]);
            check_walk(&f, ising_path(&f, 1, 1), rules[rule], scans[scan]);
        }
    ising_close(&f);
}
END_TEST

START_TEST(test_ising_sweep_declines) {
    ising_fixture f;
    const char *pairs[] = {"side", "3", NULL};
    ising_open(&f, pairs, ISING_AS_OPTIONS, 1);
    ebm_batch batch = ising_all_states(&f);
    ebm_sweeps sweeps = {EBM_HEAT_BATH, EBM_SCAN_RANDOM, 1, ebm_stream_of(1, EBM_PURPOSE_ESTIMATE), 0, 0, 0, NULL};
    ck_assert(!f.type->sweep(&f.model, ebm_path_end(), &batch, &sweeps, f.work));
    sweeps.scan = EBM_SCAN_CHECKERBOARD; /* an odd torus has no two colours */
    ck_assert(!f.type->sweep(&f.model, ebm_path_end(), &batch, &sweeps, f.work));
    ck_assert(batch.field_ok);
    for (size_t s = 0; s < f.S; s++)
        ck_assert_uint_eq(ising_read(&f, batch.x + s * f.V), s);
    ebm_batch_free(&batch);
    ising_close(&f);
}
END_TEST

/* A chain's walk depends on its number and its steps alone: not on threads, rows beside it, or how sweeps are called. */
START_TEST(test_ising_sweep_is_independent_of_batching) {
    enum { CHAINS = 40, SWEEPS = 4 };
    for (size_t k = 0; k < WALKS; k++) {
        ising_fixture f;
        ebm_work *work;
        ising_open(&f, walks[k].pairs, walks[k].theta, 3);
        CHECK_OK(ebm_work_create(3, &work, error));
        ebm_batch whole, part;
        CHECK_OK(ebm_batch_create(&f.model, CHAINS, &whole, error));
        CHECK_OK(ebm_batch_create(&f.model, 1, &part, error));
        for (size_t i = 0; i < CHAINS * f.V; i++)
            whole.x[i] = i % 3 ? 1 : -1;
        ebm_sweeps sweeps = {
            EBM_METROPOLIS, EBM_SCAN_SYSTEMATIC, SWEEPS, ebm_stream_of(9, EBM_PURPOSE_ESTIMATE), 2, 5, 0, NULL};
        ck_assert(f.type->sweep(&f.model, ising_path(&f, 0, 0.4), &whole, &sweeps, work));
        double accepted = 0;
        for (size_t b = 0; b < CHAINS; b++) {
            for (size_t i = 0; i < f.V; i++)
                part.x[i] = (b * f.V + i) % 3 ? 1 : -1;
            ebm_sweeps one = {EBM_METROPOLIS, EBM_SCAN_SYSTEMATIC, 1, sweeps.stream, 2 + (uint32_t)b, 5, 0, NULL};
            for (size_t s = 0; s < SWEEPS; s++, one.step++)
                ck_assert(f.type->sweep(&f.model, ising_path(&f, 0, 0.4), &part, &one, f.work));
            ck_assert_int_eq(memcmp(part.x, whole.x + b * f.V, f.V * sizeof *part.x), 0);
            accepted += one.accepted;
        }
        ck_assert_double_eq(accepted, sweeps.accepted);
        ebm_batch_free(&whole);
        ebm_batch_free(&part);
        ebm_work_free(work);
        ising_close(&f);
    }
}
END_TEST

/* ---- By law ---- */

static const struct {
    const char *pairs[9];
    ising_theta theta;
    int base;
    double beta;
} laws[] = {
    {{"side", "3", NULL}, ISING_AS_OPTIONS, 0, 0.3},
    {{"side", "3", "coupling", "-0.5", "field", "0.4", NULL}, ISING_AS_OPTIONS, 0, 0.8},
    {{"rows", "2", "columns", "4", "lattice", "grid", "disorder", "plus-minus", NULL}, ISING_AS_OPTIONS, 0, 0.6},
    {{"rows", "2", "columns", "4", "lattice", "grid", NULL}, ISING_NORMAL, 0, 0.7},
    {{"rows", "1", "columns", "6", "lattice", "complete", NULL}, ISING_NORMAL, 1, 0.5},
};
enum { LAWS = sizeof laws / sizeof laws[0] };

/* T (S, S) of one sweep: the product of the matrices of its updates; `backwards` for a wrong one. */
static double *sweep_matrix(ising_fixture *f, ebm_path path, ebm_site_rule rule, ebm_scan scan, bool backwards) {
    const ebm_graph *g = f->type->graph(&f->model);
    ebm_state_table table;
    const size_t mark = ebm_work_mark(f->work);
    double *T = oracle_memory(f->S * f->S);
    CHECK_OK(ebm_state_table_create(&f->model, path, f->S, &table, f->work, error));
    ebm_kernel_identity(f->S, T);
    for (unsigned pass = 0; pass < (scan == EBM_SCAN_CHECKERBOARD ? 2 : 1); pass++)
        for (size_t i = 0; i < f->V; i++)
            if (scan != EBM_SCAN_CHECKERBOARD || g->colour[i] == pass)
                ebm_kernel_update_unit(&table, rule, backwards ? f->V - 1 - i : i, T, f->work);
    ebm_work_release(f->work, mark);
    return T;
}

/* Transition counts (S, S) of one sweep from every state, 1024 times each. */
static double *transition_counts(ising_fixture *f, ebm_path path, ebm_site_rule rule, ebm_scan scan) {
    enum { EACH = 64, ROUNDS = 16 };
    double *counts = oracle_memory(f->S * f->S);
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f->model, EACH * f->S, &batch, error));
    ebm_sweeps sweeps = {rule, scan, 1, ebm_stream_of(77, EBM_PURPOSE_ESTIMATE), 0, 0, 0, NULL};
    for (; sweeps.step < ROUNDS; sweeps.step++) {
        for (size_t b = 0; b < batch.count; b++)
            ising_write(f, b % f->S, batch.x + b * f->V);
        ck_assert(f->type->sweep(&f->model, path, &batch, &sweeps, f->work));
        for (size_t b = 0; b < batch.count; b++)
            counts[b % f->S * f->S + ising_read(f, batch.x + b * f->V)]++;
    }
    ebm_batch_free(&batch);
    return counts;
}

/* Pearson's statistic over its limit. Transitions that cannot happen must not. */
static double excess(const ising_fixture *f, const double *T, const double *counts) {
    chi_square chi = {0, 0};
    for (size_t s = 0; s < f->S; s++) {
        chi_square_row(&chi, f->S, T + s * f->S, counts + s * f->S);
        for (size_t t = 0; t < f->S; t++)
            if (T[s * f->S + t] == 0 && counts[s * f->S + t] > 0)
                return INFINITY;
    }
    return chi.statistic / chi_square_limit(chi.degrees);
}

START_TEST(test_ising_sweep_follows_kernel) {
    ising_fixture f;
    ising_open(&f, laws[_i].pairs, laws[_i].theta, 20 + (uint64_t)_i);
    const ebm_path path = ising_path(&f, laws[_i].base, laws[_i].beta);
    const bool coloured = f.type->graph(&f.model)->colour != NULL;
    for (size_t rule = 0; rule < 2; rule++)
        for (size_t scan = 0; scan < (coloured ? 2 : 1); scan++) {
            double *counts = transition_counts(&f, path, rules[rule], scans[scan]);
            double *right = sweep_matrix(&f, path, rules[rule], scans[scan], false);
            double *other_rule = sweep_matrix(&f, path, rules[1 - rule], scans[scan], false);
            double *backwards = sweep_matrix(&f, path, rules[rule], EBM_SCAN_SYSTEMATIC, true);
            ck_assert_double_le(excess(&f, right, counts), 1);
            ck_assert_double_gt(excess(&f, other_rule, counts), 1); /* the check can fail */
            ck_assert_double_gt(excess(&f, backwards, counts), 1);
            free(counts);
            free(right);
            free(other_rule);
            free(backwards);
        }
    ising_close(&f);
}
END_TEST

/* ---- By long runs ---- */

/* 16 x 16 at T = 3 (relaxation within 10 sweeps), 200 chains, 100 sweeps from random starts to equilibrium (e^-10 of a
 * random start's energy is below a tenth of a standard error), then 200: the chains' means against Kaufman's energy,
 * with the error of independent chains. 6 standard errors: false alarm of Student's law at 199 degrees below 1e-8. */
START_TEST(test_ising_sweep_energy_of_the_torus) {
    enum { CHAINS = 200, WARM = 100, SWEEPS = 200, APART = 5 };
    ising_fixture f;
    const char *pairs[] = {"side", "16", NULL};
    ising_open(&f, pairs, ISING_AS_OPTIONS, 1);
    const ebm_path path = {NULL, 1 / 3.0};
    double exact = 0, variance = 0, E[CHAINS];
    CHECK_OK(f.type->exact_mean(&f.model, path, "energy", &exact, f.work, error));
    CHECK_OK(f.type->exact_mean(&f.model, path, "energy_variance", &variance, f.work, error));
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f.model, CHAINS, &batch, error));
    test_random r = {(uint64_t)_i};
    for (size_t i = 0; i < CHAINS * f.V; i++)
        batch.x[i] = test_random_word(&r) >> 63 ? 1 : -1;
    ebm_sweeps sweeps = {rules[_i % 2], scans[_i / 2], WARM, ebm_stream_of(3, EBM_PURPOSE_ESTIMATE), 0, 0, 0, NULL};
    ck_assert(f.type->sweep(&f.model, path, &batch, &sweeps, f.work));
    moments chain[CHAINS] = {{0}}, of_means = {0}, of_squares = {0};
    double square[CHAINS] = {0};
    sweeps.step += WARM;
    sweeps.count = APART;
    for (size_t s = 0; s < SWEEPS; s += APART, sweeps.step += APART) {
        ck_assert(f.type->sweep(&f.model, path, &batch, &sweeps, f.work));
        ebm_model_field(&f.model, &batch, f.work);
        f.type->energy(&f.model, ebm_path_end(), &batch, E, f.work);
        for (size_t b = 0; b < CHAINS; b++) {
            const double deviation = E[b] / 256 - exact;
            moments_add(&chain[b], E[b] / 256);
            square[b] += deviation * deviation * 256 * APART / SWEEPS;
        }
    }
    for (size_t b = 0; b < CHAINS; b++) {
        moments_add(&of_means, chain[b].mean);
        moments_add(&of_squares, square[b]);
    }
    ck_assert_double_le(fabs(of_means.mean - exact), 6 * moments_standard_error(&of_means));
    ck_assert_double_le(fabs(of_squares.mean - variance), 6 * moments_standard_error(&of_squares));
    ck_assert_double_le(moments_standard_error(&of_means), 2e-3); /* the check is sharp: E / V = -0.8 */
    ebm_batch_free(&batch);
    ising_close(&f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ising_sweeps");
    TCase *definition = tcase_create("definition"), *law = tcase_create("law"), *runs = tcase_create("runs");
    tcase_add_loop_test(definition, test_ising_sweep_replays, 0, WALKS);
    tcase_add_test(definition, test_ising_sweep_declines);
    tcase_add_test(definition, test_ising_sweep_is_independent_of_batching);
    tcase_add_loop_test(law, test_ising_sweep_follows_kernel, 0, LAWS);
    tcase_add_loop_test(runs, test_ising_sweep_energy_of_the_torus, 0, 4);
    suite_add_tcase(suite, definition);
    suite_add_tcase(suite, law);
    suite_add_tcase(suite, runs);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
