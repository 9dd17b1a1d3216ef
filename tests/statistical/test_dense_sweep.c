/* The fused sweep of a fully connected machine.
 *
 * Against the product of single-site matrices by transition counts from every state, with blocks that the units do not
 * fill, for 0/1 units and spins, both rules, with and without a base; against its definition update by update, in long
 * runs of larger machines, for every instruction set; its independence of batching and threads. All seeds are fixed; each
 * statistical bound has a false alarm below 1e-6. */
#include "boltzmann_fixture.h"
#include "statistics.h"

#include "core/row_kernels.h"
#include "models/dense_sweep.h"
#include "samplers/state_table.h"

static const struct {
    int base;
    double beta;
} paths[] = {{0, 1.0}, {0, 0.4}, {1, 0.6}};
enum { PATHS = sizeof paths / sizeof paths[0] };
static const size_t blocks[] = {1, 2, 4, 0}; /* 0: the widest */
enum { BLOCKS = sizeof blocks / sizeof blocks[0] };

/* What the model's slot gives to the sweep. */
typedef struct request {
    ebm_dense_machine machine;
    size_t block;
    ebm_real shift[256];
} request;

static void request_of(const ebm_model *model, ebm_path path, size_t block, request *out) {
    const size_t V = model->space.size;
    const double factor = model->space.domain == EBM_SPIN ? 2 : 1;
    ck_assert_uint_le(V, 256);
    for (size_t i = 0; i < V; i++)
        out->shift[i] =
            path.base ? (ebm_real)(factor * (1 - path.beta) * (double)path.base->parameters[i]) : (ebm_real)0;
    out->block = block ? block : ebm_dense_widest_block();
    out->machine = (ebm_dense_machine){.units = V,
                                       .spin = factor == 2,
                                       .W = ebm_model_view(model, "W"),
                                       .bias = ebm_model_view(model, "bias"),
                                       .gain = (ebm_real)(factor * path.beta),
                                       .shift = out->shift};
}

static ebm_sweeps sweeps_of(ebm_site_rule rule, size_t count) {
    return (ebm_sweeps){.rule = rule,
                        .scan = EBM_SCAN_SYSTEMATIC,
                        .count = count,
                        .stream = ebm_stream_of(17, EBM_PURPOSE_ESTIMATE),
                        .first_chain = 3,
                        .step = 29};
}

/* T (S, S) = the units' updates one after another, `sweeps` times. */
static double *sequential_kernel(boltzmann *m, ebm_path path, ebm_site_rule rule, size_t sweeps) {
    const size_t mark = ebm_work_mark(m->work);
    ebm_state_table table;
    double *T = oracle_memory(m->S * m->S);
    CHECK_OK(ebm_state_table_create(&m->model, path, m->S, &table, m->work, error));
    ebm_kernel_identity(m->S, T);
    for (size_t k = 0; k < sweeps * m->V; k++)
        ebm_kernel_update_unit(&table, rule, k % m->V, T, m->work);
    ebm_work_release(m->work, mark);
    return T;
}

/* Transition counts from every state against the kernel: the statistic over its limit (false alarm 1e-6). The proposals
 * accepted in one sweep are the units that changed. */
static double transition_excess(boltzmann *m, int base, double beta, ebm_site_rule rule, size_t block, size_t count) {
    enum { CHAINS = 64000 };
    const ebm_path path = boltzmann_path(m, base, beta);
    double *T = sequential_kernel(m, path, rule, count), *counts = oracle_memory(m->S * m->S), changed = 0;
    ebm_real *x = calloc(CHAINS * m->V, sizeof *x);
    request r;
    request_of(&m->model, path, block, &r);
    for (size_t b = 0; b < CHAINS; b++)
        boltzmann_write(m, b % m->S, x + b * m->V);
    ebm_sweeps sweeps = sweeps_of(rule, count);
    sweeps.accepted = 5;
    ck_assert(ebm_dense_sweep(&r.machine, r.block, CHAINS, x, &sweeps, m->work));
    for (size_t b = 0; b < CHAINS; b++) {
        const size_t to = boltzmann_read(m, x + b * m->V);
        counts[b % m->S * m->S + to]++;
        changed += __builtin_popcountll(to ^ b % m->S);
    }
    if (count == 1)
        ck_assert_double_eq(sweeps.accepted, 5 + (rule == EBM_METROPOLIS ? changed : 0));
    chi_square chi = {0, 0};
    for (size_t s = 0; s < m->S; s++)
        chi_square_row(&chi, m->S, T + s * m->S, counts + s * m->S);
    free(T);
    free(counts);
    free(x);
    return chi.statistic / chi_square_limit(chi.degrees);
}

START_TEST(test_dense_sweep_follows_the_sequential_kernel) {
    const bool spin = _i % 2;
    const ebm_site_rule rule = _i / 2 ? EBM_METROPOLIS : EBM_HEAT_BATH;
    for (size_t k = 0; k < PATHS * BLOCKS; k++) {
        boltzmann m;
        boltzmann_open(&m, 5, spin, RBM_NORMAL, spin ? 0.5 : 1.0, 31);
        for (size_t count = 1; count <= 2; count++) {
            const double excess =
                transition_excess(&m, paths[k / BLOCKS].base, paths[k / BLOCKS].beta, rule, blocks[k % BLOCKS], count);
            ck_assert_msg(excess <= 1, "path %zu, blocks of %zu, %zu sweeps: %g", k / BLOCKS, blocks[k % BLOCKS], count,
                          excess);
        }
        boltzmann_close(&m);
    }
}
END_TEST

/* Planted errors, between the sweep and its kernel. */
static const enum {
    NONE,
    WRONG_SIGN,
    STALE_FIELD,
    NO_BASE,
    PLANTED
} plants[] = {NONE, WRONG_SIGN, STALE_FIELD, NO_BASE};
static int planted;
static const ebm_dense_kernels *honest;
static ebm_real planted_W[25], planted_shift[5];

static uint64_t wrong_update(const ebm_dense_block *block) {
    ebm_dense_block wrong = *block;
    for (size_t k = 0; k < 25; k++) /* what the units of a block do to each other: its contrary, or nothing */
        planted_W[k] = planted == STALE_FIELD ? 0 : -block->W[k];
    wrong.W = planted == WRONG_SIGN || planted == STALE_FIELD ? planted_W : block->W;
    wrong.shift = planted == NO_BASE ? planted_shift : block->shift;
    return honest->update(&wrong);
}

START_TEST(test_dense_sweep_checks_see_planted_errors) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    ebm_row_kernels wrong = *kernels;
    ebm_dense_kernels wrong_dense = *kernels->dense;
    honest = kernels->dense;
    wrong_dense.update = wrong_update;
    wrong.dense = &wrong_dense;
    boltzmann m;
    boltzmann_open(&m, 5, _i % 2, RBM_NORMAL, _i % 2 ? 0.5 : 1.0, 31);
    const ebm_site_rule rule = _i / 2 ? EBM_METROPOLIS : EBM_HEAT_BATH;
    ebm_row_kernels_use(&wrong);
    for (size_t k = 0; k < PLANTED; k++)
        for (size_t block = 0; block <= 2; block += 2) {
            planted = plants[k];
            const double excess = transition_excess(&m, 1, 0.6, rule, block, 1);
            ck_assert_msg(k == NONE ? excess <= 1 : excess > 1, "plant %zu, block %zu: %g", k, block, excess);
        }
    ebm_row_kernels_use(NULL);
    boltzmann_close(&m);
}
END_TEST

/* A machine of V units with couplings of the given spread, and chains of it. */
typedef struct walk {
    const ebm_model_type *type;
    void *options;
    ebm_model model;
    ebm_work *work;
    ebm_base base;
    ebm_batch batch;
} walk;

static void walk_open(walk *w, size_t V, bool spin, double scale, size_t chains, int threads) {
    char units[24], spread[24];
    snprintf(units, sizeof units, "%zu", V);
    snprintf(spread, sizeof spread, "%g", scale);
    const char *pairs[] = {"units",      units, "states", spin ? "spin" : "binary", "init_scale", spread,
                           "bias_scale", "0.5", NULL};
    memset(w, 0, sizeof *w);
    w->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann");
    w->options = test_options(&w->type->info, pairs);
    CHECK_OK(ebm_work_create(threads, &w->work, error));
    CHECK_OK(ebm_model_create(w->type, w->options, NULL, NULL, 4, &w->model, error));
    CHECK_OK(ebm_base_fit(&w->model.space, NULL, 0, &w->base, error));
    CHECK_OK(ebm_batch_create(&w->model, chains, &w->batch, error));
    test_random r = {V};
    for (size_t i = 0; i < V; i++)
        w->base.parameters[i] = (ebm_real)test_random_normal(&r);
    for (size_t b = 0; b < chains; b++) { /* chain b starts alike whatever the number of chains */
        test_random of_chain = {1000 + b};
        for (size_t i = 0; i < V; i++)
            w->batch.x[b * V + i] = test_random_uniform(&of_chain) < 0.5 ? 1 : spin ? -1 : 0;
    }
}

static void walk_close(walk *w) {
    ebm_batch_free(&w->batch);
    ebm_base_free(&w->base);
    ebm_model_free(&w->model);
    ebm_work_free(w->work);
    test_options_free(&w->type->info, w->options);
}

/* One sweep of one chain, update by update, in double: x (V) before, then after. Returns false where an update is not
 * what its number and its field demand. A field is off by at most (V / 4 + block + 4) u sum |terms| (dense_sweep.c), the
 * logit by a few u more; probabilities by 8 u of their value; between the bounds that gives either answer is right, and
 * *undecided counts. */
static bool sweep_is_right(const walk *w, ebm_path path, ebm_site_rule rule, const ebm_real *before,
                           const ebm_real *after, const ebm_real *uniform, size_t *undecided) {
    const size_t V = w->model.space.size;
    const bool spin = w->model.space.domain == EBM_SPIN;
    const ebm_real *W = ebm_model_view(&w->model, "W"), *bias = ebm_model_view(&w->model, "bias");
    for (size_t i = 0; i < V; i++) {
        double f = (double)bias[i], size = fabs((double)bias[i]);
        for (size_t j = 0; j < V; j++) {
            const double term = (double)W[i * V + j] * (double)(j < i ? after[j] : before[j]);
            f += j == i ? 0 : term;
            size += fabs((double)W[i * V + j]);
        }
        const double shift = path.base ? (1 - path.beta) * (double)path.base->parameters[i] : 0, factor = spin ? 2 : 1;
        const double z = factor * (path.beta * f + shift);
        const double off = factor * UNIT_ROUNDOFF *
                           (path.beta * ((double)V / 4 + 24) * size + 4 * (fabs(path.beta * f) + fabs(shift)));
        const bool was_up = before[i] > 0, is_up = after[i] > 0;
        const double u = (double)uniform[i], sign = rule == EBM_METROPOLIS && was_up ? -1 : 1;
        double low = sign * z - off, high = sign * z + off;
        low = (rule == EBM_METROPOLIS ? exp(low) : ebm_sigmoid(low)) * (1 - 8 * UNIT_ROUNDOFF);
        high = (rule == EBM_METROPOLIS ? exp(high) : ebm_sigmoid(high)) * (1 + 8 * UNIT_ROUNDOFF);
        const bool below = rule == EBM_METROPOLIS ? was_up != is_up : is_up;
        if (below ? u >= high : u < low)
            return false;
        *undecided += u >= low && u < high;
    }
    return true;
}

/* `count` sweeps in calls of `each`, the last sweep of every call checked; returns the share of undecided updates. */
static double run_checked(walk *w, ebm_path path, ebm_site_rule rule, size_t block, size_t count, size_t each) {
    const size_t V = w->model.space.size, B = w->batch.count;
    ebm_real *before = calloc(B * V, sizeof *before), *uniform = calloc(V, sizeof *uniform);
    size_t undecided = 0, checked = 0;
    request r;
    request_of(&w->model, path, block, &r);
    ebm_sweeps sweeps = sweeps_of(rule, each - 1);
    for (size_t done = 0; done < count; done += each) {
        sweeps.count = each - 1;
        ck_assert(ebm_dense_sweep(&r.machine, r.block, B, w->batch.x, &sweeps, w->work));
        sweeps.step += each - 1;
        memcpy(before, w->batch.x, B * V * sizeof *before);
        sweeps.count = 1;
        ck_assert(ebm_dense_sweep(&r.machine, r.block, B, w->batch.x, &sweeps, w->work));
        for (size_t b = 0; b < B; b++) {
            ebm_random_uniform(sweeps.stream, sweeps.first_chain + (uint32_t)b, sweeps.step, V, uniform);
            if (!sweep_is_right(w, path, rule, before + b * V, w->batch.x + b * V, uniform, &undecided))
                return INFINITY;
            checked += V;
        }
        sweeps.step++;
    }
    free(before);
    free(uniform);
    return (double)undecided / (double)checked;
}

/* The last of every 250 sweeps, up to 10^4, is still decided by fields computed afresh: nothing drifts. The margin of a
 * logit is about 74 u times sums of |W| below 20, 1e-4 in float, which leaves less than that share of updates undecided.
 */
START_TEST(test_dense_sweep_does_not_drift) {
    walk w;
    walk_open(&w, 200, _i % 2, _i % 2 ? 0.05 : 0.1, 4, 1);
    const double undecided = run_checked(&w, ebm_path_end(), _i / 2 ? EBM_METROPOLIS : EBM_HEAT_BATH, 0, 10000, 250);
    ck_assert_msg(undecided < 1e-3, "undecided: %g", undecided);
    walk_close(&w);
}
END_TEST

/* Every update of every instruction set, with units that fill no block, no group and no vector of random numbers. */
START_TEST(test_dense_sweep_updates_are_right_on_every_instruction_set) {
    static const char *const names[] = {"baseline", "avx2", "avx512"};
    static const size_t sizes[] = {1, 3, 16, 67, 129};
    for (size_t k = 0; k < 3; k++) {
        const ebm_row_kernels *kernels = ebm_row_kernels_named(names[k]);
        if (!kernels)
            continue;
        ebm_row_kernels_use(kernels);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (size_t of = 0; of < 2 * BLOCKS; of++) {
                walk w;
                walk_open(&w, sizes[s], _i % 2, 0.3, 19, 1);
                const ebm_path path = {of % 2 ? &w.base : NULL, of % 2 ? 0.7 : 1.3};
                const double undecided =
                    run_checked(&w, path, _i / 2 ? EBM_METROPOLIS : EBM_HEAT_BATH, blocks[of / 2], 4, 1);
                ck_assert_msg(undecided < 1e-2, "%s, %zu units, blocks of %zu: undecided %g", names[k], sizes[s],
                              blocks[of / 2], undecided);
                walk_close(&w);
            }
    }
    ebm_row_kernels_use(NULL);
}
END_TEST

/* A walk is a function of its start, its number and the step: of no other chain, no thread and no cutting into calls. */
START_TEST(test_dense_sweep_chains_are_independent) {
    enum { V = 150, B = 300, SWEEPS = 5 };
    const ebm_site_rule rule = _i / 2 ? EBM_METROPOLIS : EBM_HEAT_BATH;
    walk whole;
    walk_open(&whole, V, _i % 2, 0.2, B, 1);
    ebm_sweeps sweeps = sweeps_of(rule, SWEEPS);
    ck_assert(whole.type->sweep(&whole.model, ebm_path_end(), &whole.batch, &sweeps, whole.work));
    ck_assert(!whole.batch.field_ok);
    for (int threads = 2; threads <= 3; threads++) {
        walk other;
        walk_open(&other, V, _i % 2, 0.2, B, threads);
        ebm_sweeps again = sweeps_of(rule, SWEEPS);
        ck_assert(other.type->sweep(&other.model, ebm_path_end(), &other.batch, &again, other.work));
        ck_assert_int_eq(memcmp(other.batch.x, whole.batch.x, B * V * sizeof(ebm_real)), 0);
        ck_assert_double_eq(again.accepted, sweeps.accepted);
        walk_close(&other);
    }
    walk parts; /* rows 0 ... 36 and the rest, sweep by sweep */
    walk_open(&parts, V, _i % 2, 0.2, B, 1);
    double accepted = 0;
    for (size_t first = 0; first < B; first = first ? B : 37)
        for (size_t s = 0; s < SWEEPS; s++) {
            ebm_batch rows = parts.batch;
            rows.x += first * V;
            rows.count = first ? B - first : 37;
            ebm_sweeps one = sweeps_of(rule, 1);
            one.first_chain += (uint32_t)first;
            one.step += s;
            ck_assert(parts.type->sweep(&parts.model, ebm_path_end(), &rows, &one, parts.work));
            accepted += one.accepted;
        }
    ck_assert_int_eq(memcmp(parts.batch.x, whole.batch.x, B * V * sizeof(ebm_real)), 0);
    ck_assert_double_eq(accepted, sweeps.accepted);
    ebm_sweeps next = sweeps_of(rule, 1); /* other numbers, another walk: the comparison can fail */
    next.step += SWEEPS;
    ck_assert(parts.type->sweep(&parts.model, ebm_path_end(), &parts.batch, &next, parts.work));
    ck_assert_int_ne(memcmp(parts.batch.x, whole.batch.x, B * V * sizeof(ebm_real)), 0);
    walk_close(&parts);
    walk_close(&whole);
}
END_TEST

/* Other scans are declined, and nothing has happened. */
START_TEST(test_dense_sweep_declines_other_scans) {
    enum { V = 20, B = 3 };
    walk w, untouched;
    walk_open(&w, V, true, 0.2, B, 1);
    walk_open(&untouched, V, true, 0.2, B, 1);
    ebm_model_field(&w.model, &w.batch, w.work);
    for (int scan = EBM_SCAN_RANDOM; scan <= EBM_SCAN_CHECKERBOARD; scan++) {
        ebm_sweeps sweeps = sweeps_of(EBM_METROPOLIS, 2);
        sweeps.scan = (ebm_scan)scan;
        ck_assert(!w.type->sweep(&w.model, ebm_path_end(), &w.batch, &sweeps, w.work));
        ck_assert(w.batch.field_ok && sweeps.accepted == 0);
        ck_assert_int_eq(memcmp(w.batch.x, untouched.batch.x, B * V * sizeof(ebm_real)), 0);
    }
    walk_close(&w);
    walk_close(&untouched);
}
END_TEST

/* Independent exact draws have the law of the machine (chi-square over all states, false alarm 1e-6); a shifted state
 * does not. */
START_TEST(test_boltzmann_sample_exact_has_the_law) {
    enum { DRAWS = 40000 };
    for (size_t k = 0; k < PATHS; k++) {
        boltzmann m;
        boltzmann_open(&m, 6, _i, RBM_NORMAL, 0.7, 5);
        double *p = oracle_memory(m.S), *counts = oracle_memory(m.S), *shifted = oracle_memory(m.S);
        ebm_batch batch;
        boltzmann_law(&m, paths[k].base, paths[k].beta, p);
        CHECK_OK(ebm_batch_create(&m.model, DRAWS, &batch, error));
        CHECK_OK(m.model.type->sample_exact(&m.model, boltzmann_path(&m, paths[k].base, paths[k].beta), &batch,
                                            ebm_stream_of(7, EBM_PURPOSE_ESTIMATE), 2, 5, m.work, error));
        for (size_t b = 0; b < DRAWS; b++) {
            const size_t code = boltzmann_read(&m, batch.x + b * m.V);
            counts[code]++;
            shifted[(code + 1) % m.S]++;
        }
        chi_square chi = {0, 0}, wrong = {0, 0};
        chi_square_row(&chi, m.S, p, counts);
        chi_square_row(&wrong, m.S, p, shifted);
        ck_assert_double_le(chi.statistic, chi_square_limit(chi.degrees));
        ck_assert_double_gt(wrong.statistic, chi_square_limit(wrong.degrees));
        ebm_batch_free(&batch);
        free(p);
        free(counts);
        free(shifted);
        boltzmann_close(&m);
    }
}
END_TEST

/* Across the blocks of the enumeration (2^12 states): each unit's mean and the couples 0, 13 and 11, 12 within 5.6
 * standard errors of the exact moments (false alarm 2e-8 each, 16 of them). */
START_TEST(test_boltzmann_sample_exact_crosses_blocks) {
    enum { DRAWS = 40000, UNITS = 14 };
    boltzmann m;
    boltzmann_open(&m, UNITS, _i, RBM_NORMAL, 0.4, 5);
    double *p = oracle_memory(m.S);
    ebm_batch batch;
    boltzmann_law(&m, 0, 1, p);
    CHECK_OK(ebm_batch_create(&m.model, DRAWS, &batch, error));
    CHECK_OK(m.model.type->sample_exact(&m.model, ebm_path_end(), &batch, ebm_stream_of(7, EBM_PURPOSE_ESTIMATE), 2, 5,
                                        m.work, error));
    for (size_t k = 0; k < UNITS + 2; k++) {
        const size_t i = k < UNITS ? k : k == UNITS ? 0 : 11, j = k < UNITS ? k : k == UNITS ? 13 : 12;
        double want = 0, got = 0;
        for (size_t s = 0; s < m.S; s++)
            want += (s >> i & s >> j & 1u) ? p[s] : 0;
        for (size_t b = 0; b < DRAWS; b++)
            got += (batch.x[b * UNITS + i] > 0 && batch.x[b * UNITS + j] > 0) ? 1.0 / DRAWS : 0;
        ck_assert_double_le(fabs(got - want), 5.6 * sqrt(want * (1 - want) / DRAWS));
    }
    ebm_batch_free(&batch);
    free(p);
    boltzmann_close(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dense_sweep");
    TCase *laws = tcase_create("laws"), *walks = tcase_create("walks");
    tcase_add_loop_test(laws, test_dense_sweep_follows_the_sequential_kernel, 0, 4);
    tcase_add_loop_test(laws, test_dense_sweep_checks_see_planted_errors, 0, 4);
    tcase_add_loop_test(laws, test_boltzmann_sample_exact_has_the_law, 0, 2);
    tcase_add_loop_test(laws, test_boltzmann_sample_exact_crosses_blocks, 0, 2);
    tcase_add_loop_test(walks, test_dense_sweep_does_not_drift, 0, 4);
    tcase_add_loop_test(walks, test_dense_sweep_updates_are_right_on_every_instruction_set, 0, 4);
    tcase_add_loop_test(walks, test_dense_sweep_chains_are_independent, 0, 4);
    tcase_add_test(walks, test_dense_sweep_declines_other_scans);
    tcase_set_timeout(laws, 300);
    suite_add_tcase(suite, laws);
    tcase_set_timeout(walks, 300);
    suite_add_tcase(suite, walks);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
