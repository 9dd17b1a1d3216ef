/* Fused sweeps of the Potts machines: transition counts against products of single-site kernels (state_table.h), and
 * what must not change the numbers: threads, calls, rows. Seeds are fixed; each chi-square has a false alarm of 1e-6. */
#include "potts_fixture.h"
#include "statistics.h"

#include "samplers/state_table.h"

static const potts_shape shapes[] = {
    {POTTS_GRID, 2, 3, 2},  {POTTS_GRID, 1, 3, 4},  {POTTS_COMPLETE, 2, 2, 3},
    {POTTS_DENSE, 1, 4, 3}, {POTTS_DENSE, 1, 2, 7}, {POTTS_DENSE, 1, 1, 5},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0], CHAINS = 20003, ROUNDS = 4 };

static const struct {
    ebm_site_rule rule;
    ebm_scan scan;
    int base;
    double beta;
} settings[] = {
    {EBM_HEAT_BATH, EBM_SCAN_SYSTEMATIC, 0, 1},     {EBM_HEAT_BATH, EBM_SCAN_SYSTEMATIC, 1, 0.4},
    {EBM_HEAT_BATH, EBM_SCAN_CHECKERBOARD, 0, 0.7}, {EBM_METROPOLIS, EBM_SCAN_SYSTEMATIC, 0, 1},
    {EBM_METROPOLIS, EBM_SCAN_SYSTEMATIC, 1, 0.4},  {EBM_METROPOLIS, EBM_SCAN_CHECKERBOARD, 1, 0.7},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

static const uint8_t *colours(const potts_fixture *f) {
    return f->type->graph ? f->type->graph(&f->model)->colour : NULL;
}

/* T (S, S) of one sweep: the units' kernels in the order of the scan. */
static void sweep_kernel(potts_fixture *f, size_t k, double *T) {
    const uint8_t *colour = settings[k].scan == EBM_SCAN_CHECKERBOARD ? colours(f) : NULL;
    const size_t mark = ebm_work_mark(f->work);
    ebm_state_table table;
    const ebm_path path = potts_path(f, settings[k].base, settings[k].beta);
    CHECK_OK(ebm_state_table_create(&f->model, path, f->S, &table, f->work, error));
    ebm_kernel_identity(f->S, T);
    for (unsigned turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < f->V; i++)
            if (colour ? colour[i] == turn : turn == 0)
                ebm_kernel_update_unit(&table, settings[k].rule, i, T, f->work);
    ebm_work_release(f->work, mark);
}

/* Counts of `sweeps` fused sweeps from every state against T^sweeps: the statistic over its limit. -1 where there is no
 * fused way. */
static double excess(potts_fixture *f, size_t k, size_t sweeps) {
    double *T = oracle_memory(f->S * f->S), *law = oracle_memory(f->S), *counts = oracle_memory(f->S * f->S);
    ebm_batch batch;
    chi_square chi = {0, 0};
    bool done = true;
    CHECK_OK(ebm_batch_create(&f->model, CHAINS, &batch, error));
    sweep_kernel(f, k, T);
    for (size_t round = 0; round < ROUNDS && done; round++) {
        ebm_sweeps s = {settings[k].rule,
                        settings[k].scan,
                        sweeps,
                        ebm_stream_of(31, EBM_PURPOSE_ESTIMATE),
                        11,
                        10 * round,
                        0,
                        NULL};
        for (size_t b = 0; b < CHAINS; b++)
            potts_write(f, b % f->S, batch.x + b * f->V);
        batch.field_ok = false;
        const ebm_path path = potts_path(f, settings[k].base, settings[k].beta);
        done = f->model.type->sweep(&f->model, path, &batch, &s, f->work);
        for (size_t b = 0; b < CHAINS; b++)
            counts[b % f->S * f->S + potts_read(f, batch.x + b * f->V)]++;
    }
    for (size_t from = 0; from < f->S; from++) {
        memset(law, 0, f->S * sizeof *law);
        law[from] = 1;
        oracle_advance(f->S, T, sweeps, law);
        chi_square_row(&chi, f->S, law, counts + from * f->S);
    }
    ebm_batch_free(&batch);
    free(T);
    free(law);
    free(counts);
    return done ? chi.statistic / chi_square_limit(chi.degrees) : -1;
}

START_TEST(test_potts_sweeps_follow_the_kernel) {
    for (size_t k = 0; k < SETTINGS; k++)
        for (size_t sweeps = 1; sweeps <= 3; sweeps += 2) {
            potts_fixture f;
            potts_open(&f, shapes[_i], 0.8, 17);
            const double got = excess(&f, k, sweeps);
            const bool can = settings[k].scan == EBM_SCAN_SYSTEMATIC || colours(&f);
            ck_assert_msg(can ? got >= 0 && got <= 1 : got == -1, "setting %zu, %zu sweeps: %g", k, sweeps, got);
            potts_close(&f);
        }
}
END_TEST

/* Planted errors: the base forgotten, a temperature 20 % off, the other rule, the other scan. */
static const ebm_model_type *right;
static int planted;
static bool wrong_sweep(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps, ebm_work *work) {
    path.base = planted == 0 ? NULL : path.base;
    path.beta *= planted == 1 ? 1.2 : 1;
    sweeps->rule = planted == 2 ? EBM_HEAT_BATH : sweeps->rule;
    sweeps->scan = planted == 3 ? EBM_SCAN_SYSTEMATIC : sweeps->scan;
    return right->sweep(model, path, batch, sweeps, work);
}

START_TEST(test_potts_sweep_checks_can_fail) {
    potts_fixture f;
    potts_open(&f, shapes[0], 0.8, 17);
    right = f.type;
    planted = _i;
    ebm_model_type wrong = *right;
    wrong.sweep = wrong_sweep;
    f.model.type = &wrong;
    ck_assert_double_gt(excess(&f, 5, 1), 1);
    f.model.type = right;
    potts_close(&f);
}
END_TEST

/* The same bytes for any number of threads, in one call or many, and for rows cut in any place. */
START_TEST(test_potts_sweeps_depend_on_nothing_else) {
    enum { ROWS = 83, SWEEPS = 6 };
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (int rule = EBM_HEAT_BATH; rule <= EBM_METROPOLIS; rule++) {
            potts_fixture f;
            potts_open(&f, shapes[shape], 1, 5);
            ebm_work *wide;
            CHECK_OK(ebm_work_create(3, &wide, error));
            ebm_batch whole, calls, cut;
            CHECK_OK(ebm_batch_create(&f.model, ROWS, &whole, error));
            CHECK_OK(ebm_batch_create(&f.model, ROWS, &calls, error));
            CHECK_OK(ebm_batch_create(&f.model, ROWS, &cut, error));
            for (size_t b = 0; b < ROWS; b++)
                potts_write(&f, b % f.S, whole.x + b * f.V);
            memcpy(calls.x, whole.x, ROWS * f.V * sizeof *calls.x);
            memcpy(cut.x, whole.x, ROWS * f.V * sizeof *cut.x);
            ebm_sweeps all = {
                (ebm_site_rule)rule, EBM_SCAN_SYSTEMATIC, SWEEPS, ebm_stream_of(2, EBM_PURPOSE_SAMPLE), 70, 8, 0, NULL};
            ebm_sweeps some = all, part = all;
            whole.field_ok = true;
            ck_assert(f.type->sweep(&f.model, potts_path(&f, 1, 0.6), &whole, &all, wide));
            ck_assert(!whole.field_ok);
            for (some.count = 1; some.step < 8 + SWEEPS; some.step++)
                ck_assert(f.type->sweep(&f.model, potts_path(&f, 1, 0.6), &calls, &some, f.work));
            for (size_t first = 0; first < ROWS; first += part.first_chain == 70 ? 37 : ROWS) {
                ebm_batch rows = cut;
                rows.x += first * f.V;
                rows.count = first ? ROWS - first : 37;
                part.first_chain = 70 + (uint32_t)first;
                ck_assert(f.type->sweep(&f.model, potts_path(&f, 1, 0.6), &rows, &part, f.work));
            }
            ck_assert_mem_eq(whole.x, calls.x, ROWS * f.V * sizeof *calls.x);
            ck_assert_mem_eq(whole.x, cut.x, ROWS * f.V * sizeof *cut.x);
            ck_assert_double_eq(all.accepted, some.accepted);
            ck_assert_double_eq(all.accepted, part.accepted);
            ck_assert(rule == EBM_METROPOLIS ? all.accepted > 0 : all.accepted == 0);
            ebm_batch_free(&whole);
            ebm_batch_free(&calls);
            ebm_batch_free(&cut);
            ebm_work_free(wide);
            potts_close(&f);
        }
}
END_TEST

/* One unit, one sweep: accepted proposals are the rows that changed. No fused way: nothing has happened. */
START_TEST(test_potts_sweeps_count_and_refuse) {
    potts_fixture f;
    potts_open(&f, (potts_shape){POTTS_DENSE, 1, 1, 5}, 1, 5);
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f.model, 100, &batch, error));
    ebm_sweeps s = {EBM_METROPOLIS, EBM_SCAN_SYSTEMATIC, 1, ebm_stream_of(2, EBM_PURPOSE_SAMPLE), 0, 0, 7, NULL};
    size_t changed = 0;
    ck_assert(f.type->sweep(&f.model, ebm_path_end(), &batch, &s, f.work));
    for (size_t b = 0; b < 100; b++)
        changed += batch.x[b] != 0;
    ck_assert_double_eq(s.accepted, 7.0 + (double)changed);
    ck_assert_uint_gt(changed, 10);
    potts_close(&f);
    ebm_batch_free(&batch);
    for (int k = 0; k < 3; k++) { /* an odd cycle, no lattice, a scan with its own order in each chain */
        static const potts_shape none[] = {{POTTS_TORUS, 3, 3, 2}, {POTTS_DENSE, 1, 4, 3}, {POTTS_GRID, 2, 2, 3}};
        potts_open(&f, none[k], 1, 5);
        batch = potts_states(&f);
        s.scan = k < 2 ? EBM_SCAN_CHECKERBOARD : EBM_SCAN_RANDOM;
        s.accepted = 0;
        ck_assert(!f.type->sweep(&f.model, ebm_path_end(), &batch, &s, f.work));
        ck_assert(batch.field_ok && s.accepted == 0);
        for (size_t b = 0; b < f.S; b++)
            ck_assert_uint_eq(potts_read(&f, batch.x + b * f.V), b);
        ebm_batch_free(&batch);
        potts_close(&f);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("potts-sweeps");
    TCase *cases = tcase_create("statistical");
    tcase_add_loop_test(cases, test_potts_sweeps_follow_the_kernel, 0, SHAPES);
    tcase_add_loop_test(cases, test_potts_sweep_checks_can_fail, 0, 4);
    tcase_add_test(cases, test_potts_sweeps_depend_on_nothing_else);
    tcase_add_test(cases, test_potts_sweeps_count_and_refuse);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
