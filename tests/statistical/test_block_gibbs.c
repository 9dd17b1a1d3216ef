/* Block Gibbs: its exact kernel against enumeration, and its real steps against the kernel.
 *
 * One sweep draws h ~ p_beta(h | v), then v ~ p_beta(v | h): T[v][w] = sum_h p(h | v) p(w | h), which leaves p_beta(v)
 * invariant and is reversible on v. All seeds are fixed; every statistical bound has a false alarm below 1e-6. */
#include "rbm_fixture.h"
#include "statistics.h"

#include "ebm/sampler.h"

enum { CHAINS = 20000 };

static const struct {
    int base;
    double beta;
} paths[] = {{0, 1.0}, {0, 0.4}, {1, 0.6}};
enum { PATHS = sizeof paths / sizeof paths[0] };

typedef struct gibbs {
    rbm_fixture f;
    const ebm_sampler_type *type;
    void *options;
    ebm_sampler sampler;
} gibbs;

static void gibbs_open(gibbs *g, size_t V, size_t H, rbm_weights kind, double scale, uint64_t seed) {
    rbm_open(&g->f, V, H, kind, scale, seed);
    g->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "block-gibbs");
    ck_assert_ptr_nonnull(g->type);
    g->options = test_options(&g->type->info, NULL);
    CHECK_OK(ebm_pairing_check(g->f.type, g->type, NULL, NULL, 0, false, error));
    CHECK_OK(ebm_sampler_create(g->type, g->options, &g->f.model, &g->sampler, error));
}

static void gibbs_close(gibbs *g) {
    ebm_sampler_free(&g->sampler);
    test_options_free(&g->type->info, g->options);
    rbm_close(&g->f);
}

/* What is allowed of an entry of T: 1e-12 in the double build. In float the model's energies are off by epsilon
 * (rbm_energy_bound), so each conditional, a ratio of sums of exp(-E), is off by a factor within exp(+-2 epsilon), T, a
 * sum of products of two of them, by exp(+-4 epsilon), and p itself by exp(+-2 epsilon): exp(6 epsilon) - 1 in all. */
static double kernel_bound(const gibbs *g) {
#ifdef EBM_DOUBLE
    (void)g;
    return 1e-12;
#else
    return expm1(6 * rbm_energy_bound(&g->f.machine));
#endif
}

/* The largest error in units of what is allowed, over: rows sum to 1 (to 1e-12 in both builds: the kernel is in
 * double); p T = p; detailed balance, if claimed; T as enumerated. */
static double kernel_error(gibbs *g, int base, double beta) {
    oracle o = oracle_open(&g->f.machine, base, beta);
    size_t S = o.S;
    double *T = oracle_memory(S * S), *want = oracle_memory(S * S), worst = 0, rows = 0;
    CHECK_OK(g->type->kernel(&g->sampler, &g->f.model, rbm_path(&g->f, base, beta), S, T, g->f.work, error));
    oracle_kernel(&o, want);
    for (size_t v = 0; v < S; v++) {
        double row = 0, flow = 0;
        for (size_t w = 0; w < S; w++) {
            row += T[v * S + w];
            flow += o.p[w] * T[w * S + v];
            worst = fmax(worst, fabs(T[v * S + w] - want[v * S + w]));
            worst = T[v * S + w] >= 0 ? worst : INFINITY;
            if (g->sampler.reversible)
                worst = fmax(worst, fabs(o.p[v] * T[v * S + w] - o.p[w] * T[w * S + v]));
        }
        worst = fmax(worst, fabs(flow - o.p[v]));
        rows = fmax(rows, fabs(row - 1));
    }
    free(T);
    free(want);
    oracle_close(&o);
    return fmax(worst / kernel_bound(g), rows / 1e-12);
}

START_TEST(test_block_gibbs_kernel_invariant) {
    static const size_t shapes[][2] = {{1, 1}, {1, 4}, {3, 4}, {4, 3}, {5, 2}, {6, 4}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (size_t k = 0; k < PATHS; k++)
            for (int kind = RBM_ZERO; kind <= RBM_EXTREME; kind++) {
                gibbs g;
                gibbs_open(&g, shapes[s][0], shapes[s][1], (rbm_weights)kind, 1.0, 21 + s);
                double worst = kernel_error(&g, paths[k].base, paths[k].beta);
                ck_assert_msg(worst <= 1, "V = %zu, H = %zu, beta = %g: %g times the allowed error", shapes[s][0],
                              shapes[s][1], paths[k].beta, worst);
                gibbs_close(&g);
            }
}
END_TEST

/* The kernel of another machine (one bias moved by 1e-2) is seen by the same check. */
START_TEST(test_block_gibbs_kernel_check_can_fail) {
    gibbs g;
    gibbs_open(&g, 4, 3, RBM_NORMAL, 1.0, 22);
    g.f.machine.theta[g.f.model.n_theta - 1] += 1e-2;
    ck_assert_double_gt(kernel_error(&g, 0, 1), 1);
    gibbs_close(&g);
}
END_TEST

static size_t draw(const double *p, size_t S, test_random *r) {
    double u = test_random_uniform(r);
    size_t v = 0;
    while (v + 1 < S && u >= p[v])
        u -= p[v++];
    return v;
}

static void histogram(const ebm_batch *batch, size_t V, size_t S, double *q) {
    memset(q, 0, S * sizeof *q);
    for (size_t b = 0; b < batch->count; b++)
        q[rbm_read_state(V, batch->x + b * V)] += 1.0 / (double)batch->count;
}

/* 20,000 chains from exact draws: the worst total variation from p_beta after 1, 4 and 16 sweeps, in units of the
 * floor, the expected total variation of 20,000 exact draws. */
static double drift(gibbs *g, int base, double beta) {
    oracle o = oracle_open(&g->f.machine, base, beta);
    size_t V = g->f.machine.V;
    double floor_tv = expected_total_variation(o.S, o.p, CHAINS), *q = oracle_memory(o.S), worst = 0;
    /* a correct sampler exceeds 4 floors, three above the expectation, with probability below 1e-6 */
    ck_assert_double_lt(3 * total_variation_false_alarm(CHAINS, 3 * floor_tv), 1e-6);
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(&g->f.model, CHAINS, ebm_stream_of(5, EBM_PURPOSE_ESTIMATE), &chains, error));
    test_random r = {1234};
    for (size_t b = 0; b < CHAINS; b++)
        rbm_write_state(draw(o.p, o.S, &r), V, chains.batch.x + b * V);
    histogram(&chains.batch, V, o.S, q);
    ck_assert_double_lt(total_variation(o.S, q, o.p), 4 * floor_tv); /* the starts themselves */
    chains.batch.field_ok = chains.batch.hidden_ok = false;
    static const size_t sweeps[] = {1, 3, 12};
    for (size_t k = 0; k < 3; k++) {
        CHECK_OK(
            g->type->step(&g->sampler, &g->f.model, rbm_path(&g->f, base, beta), &chains, sweeps[k], g->f.work, error));
        histogram(&chains.batch, V, o.S, q);
        worst = fmax(worst, total_variation(o.S, q, o.p) / floor_tv);
    }
    ebm_chains_free(&chains);
    free(q);
    oracle_close(&o);
    return worst;
}

/* Transition counts of `sweeps` real sweeps from every state against T^sweeps: the statistic over its limit. The rounds
 * use new random numbers because chains.step has moved on. */
static double transition_excess(gibbs *g, int base, double beta, size_t sweeps) {
    enum { ROUNDS = 4 };
    size_t V = g->f.machine.V;
    oracle o = oracle_open(&g->f.machine, base, beta);
    size_t S = o.S;
    double *T = oracle_memory(S * S), *law = oracle_memory(S), *counts = oracle_memory(S * S);
    CHECK_OK(g->type->kernel(&g->sampler, &g->f.model, rbm_path(&g->f, base, beta), S, T, g->f.work, error));
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(&g->f.model, CHAINS, ebm_stream_of(6, EBM_PURPOSE_ESTIMATE), &chains, error));
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t b = 0; b < CHAINS; b++)
            rbm_write_state(b % S, V, chains.batch.x + b * V);
        chains.batch.field_ok = chains.batch.hidden_ok = false;
        uint64_t before = chains.step;
        CHECK_OK(
            g->type->step(&g->sampler, &g->f.model, rbm_path(&g->f, base, beta), &chains, sweeps, g->f.work, error));
        ck_assert_uint_gt(chains.step, before);
        for (size_t b = 0; b < CHAINS; b++)
            counts[(b % S) * S + rbm_read_state(V, chains.batch.x + b * V)]++;
    }
    chi_square chi = {0, 0};
    for (size_t v = 0; v < S; v++) {
        memset(law, 0, S * sizeof *law);
        law[v] = 1;
        oracle_advance(S, T, sweeps, law);
        chi_square_row(&chi, S, law, counts + v * S);
    }
    ebm_chains_free(&chains);
    free(T);
    free(law);
    free(counts);
    oracle_close(&o);
    return chi.statistic / chi_square_limit(chi.degrees);
}

START_TEST(test_block_gibbs_stays_at_equilibrium) {
    gibbs g;
    gibbs_open(&g, 4, 3, RBM_NORMAL, 1.5, 33);
    double worst = drift(&g, paths[_i].base, paths[_i].beta);
    ck_assert_msg(worst <= 4, "total variation is %g times its floor", worst);
    gibbs_close(&g);
}
END_TEST

START_TEST(test_block_gibbs_steps_follow_kernel) {
    static const size_t shapes[][2] = {{4, 3}, {3, 5}, {2, 1}};
    for (size_t s = 0; s < 3; s++)
        for (size_t sweeps = 1; sweeps <= 3; sweeps += 2) {
            gibbs g;
            gibbs_open(&g, shapes[s][0], shapes[s][1], RBM_NORMAL, 1.0, 32 + s);
            double excess = transition_excess(&g, paths[_i].base, paths[_i].beta, sweeps);
            ck_assert_msg(excess <= 1, "V = %zu, H = %zu, %zu sweeps: %g", shapes[s][0], shapes[s][1], sweeps, excess);
            gibbs_close(&g);
        }
}
END_TEST

/* The planted off-by-one: visible units are drawn given hidden states shifted by one unit. */
static const ebm_model_type *real;

static void shifted_sample_visible(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                   uint32_t first_chain, uint64_t step, ebm_work *work) {
    size_t H = model->n_hidden;
    for (size_t b = 0; b < batch->count; b++) {
        ebm_real *hidden = batch->hidden + b * H, last = hidden[H - 1];
        memmove(hidden + 1, hidden, (H - 1) * sizeof *hidden);
        hidden[0] = last;
    }
    real->sample_visible(model, path, batch, stream, first_chain, step, work);
}

START_TEST(test_block_gibbs_checks_see_an_off_by_one) {
    gibbs g;
    gibbs_open(&g, 4, 3, RBM_NORMAL, 1.5, 33);
    real = g.f.type;
    ebm_model_type wrong = *real;
    wrong.sample_visible = shifted_sample_visible;
    g.f.model.type = &wrong;
    for (size_t k = 0; k < PATHS; k++) {
        ck_assert_double_gt(drift(&g, paths[k].base, paths[k].beta), 4);
        ck_assert_double_gt(transition_excess(&g, paths[k].base, paths[k].beta, 1), 1);
    }
    g.f.model.type = real;
    gibbs_close(&g);
}
END_TEST

/* Each half step against its conditional, from every state of the other layer. */
static double half_step_excess(gibbs *g, int base, double beta, bool visible) {
    rbm_fixture *f = &g->f;
    oracle o = oracle_open(&f->machine, base, beta);
    size_t V = f->machine.V, H = f->machine.H, from = visible ? o.R : o.S, to = visible ? o.S : o.R;
    double *counts = oracle_memory(from * to), *p = oracle_memory(to);
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f->model, CHAINS, &batch, error));
    for (size_t b = 0; b < CHAINS; b++) {
        rbm_write_state(visible ? 0 : b % from, V, batch.x + b * V);
        rbm_write_state(visible ? b % from : 0, H, batch.hidden + b * H);
    }
    batch.field_ok = false;
    ebm_model_field(&f->model, &batch, f->work);
    batch.hidden_ok = visible;
    (visible ? f->model.type->sample_visible : f->model.type->sample_hidden)(
        &f->model, rbm_path(f, base, beta), &batch, ebm_stream_of(8, EBM_PURPOSE_ESTIMATE), 3, 17, f->work);
    ck_assert(visible ? !batch.field_ok : batch.hidden_ok);
    for (size_t b = 0; b < CHAINS; b++)
        counts[(b % from) * to + rbm_read_state(visible ? V : H, visible ? batch.x + b * V : batch.hidden + b * H)]++;
    chi_square chi = {0, 0};
    for (size_t row = 0; row < from; row++) {
        for (size_t k = 0; k < to; k++)
            p[k] = visible ? oracle_visible_given_hidden(&o, k, row) : oracle_hidden_given_visible(&o, k, row);
        chi_square_row(&chi, to, p, counts + row * to);
    }
    ebm_batch_free(&batch);
    free(counts);
    free(p);
    oracle_close(&o);
    return chi.statistic / chi_square_limit(chi.degrees);
}

START_TEST(test_block_gibbs_half_steps) {
    gibbs g;
    gibbs_open(&g, 3, 4, RBM_NORMAL, 1.0, 41);
    for (size_t k = 0; k < PATHS; k++) {
        ck_assert_double_le(half_step_excess(&g, paths[k].base, paths[k].beta, false), 1);
        ck_assert_double_le(half_step_excess(&g, paths[k].base, paths[k].beta, true), 1);
    }
    real = g.f.type;
    ebm_model_type wrong = *real;
    wrong.sample_visible = shifted_sample_visible;
    g.f.model.type = &wrong;
    ck_assert_double_gt(half_step_excess(&g, 0, 1, true), 1);
    g.f.model.type = real;
    gibbs_close(&g);
}
END_TEST

/* Advance rows [first, first + count) of a common start by `sweeps` and store the states. */
static void run_rows(gibbs *g, size_t first, size_t count, size_t sweeps, bool one_by_one, ebm_real *out) {
    size_t V = g->f.machine.V;
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(&g->f.model, count, ebm_stream_of(9, EBM_PURPOSE_ESTIMATE), &chains, error));
    chains.first_chain = (uint32_t)first;
    for (size_t b = 0; b < count; b++)
        rbm_write_state((first + b) % ((size_t)1 << V), V, chains.batch.x + b * V);
    chains.batch.field_ok = chains.batch.hidden_ok = false;
    for (size_t k = 0; k < (one_by_one ? sweeps : 1); k++)
        CHECK_OK(g->type->step(&g->sampler, &g->f.model, ebm_path_end(), &chains, one_by_one ? 1 : sweeps, g->f.work,
                               error));
    memcpy(out, chains.batch.x, count * V * sizeof *out);
    if (chains.batch.field_ok) { /* then the field is that of the new x */
        const oracle_rbm *m = &g->f.machine;
        for (size_t b = 0; b < count; b++)
            for (size_t j = 0; j < m->H; j++) {
                double want = oracle_c(m, j);
                for (size_t i = 0; i < V; i++)
                    want += chains.batch.x[b * V + i] * oracle_W(m, i, j);
                ck_assert_double_le(rbm_distance(chains.batch.field[b * m->H + j], want, rbm_energy_bound(m)), 1);
            }
    }
    ebm_chains_free(&chains);
}

/* A chain's walk depends on its number and step alone: not on the rows beside it, nor on how sweeps are grouped. (A
 * different blocking may round a field differently, which changes a draw with probability about 2^-24 each: 64 x 7 x 6
 * draws, 2e-4 at the worst for an unlucky pair of kernels, and nothing by chance once the seed is fixed.) */
START_TEST(test_block_gibbs_chains_are_independent_of_batching) {
    enum { ROWS = 64, SWEEPS = 6 };
    gibbs g;
    gibbs_open(&g, 4, 3, RBM_NORMAL, 1.0, 51);
    ebm_real whole[ROWS * 4], parts[ROWS * 4], single[ROWS * 4];
    run_rows(&g, 0, ROWS, SWEEPS, false, whole);
    run_rows(&g, 0, ROWS, SWEEPS, true, single);
    run_rows(&g, 0, 20, SWEEPS, false, parts);
    run_rows(&g, 20, ROWS - 20, SWEEPS, false, parts + 20 * 4);
    ck_assert_int_eq(memcmp(whole, parts, sizeof whole), 0);
    ck_assert_int_eq(memcmp(whole, single, sizeof whole), 0);
    run_rows(&g, 1, ROWS, SWEEPS, false, parts); /* other chains, other states: the comparison can fail */
    ck_assert_int_ne(memcmp(whole, parts, sizeof whole), 0);
    gibbs_close(&g);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("block_gibbs");
    TCase *kernel = tcase_create("kernel"), *steps = tcase_create("steps");
    tcase_add_test(kernel, test_block_gibbs_kernel_invariant);
    tcase_add_test(kernel, test_block_gibbs_kernel_check_can_fail);
    tcase_add_loop_test(steps, test_block_gibbs_stays_at_equilibrium, 0, PATHS);
    tcase_add_loop_test(steps, test_block_gibbs_steps_follow_kernel, 0, PATHS);
    tcase_add_test(steps, test_block_gibbs_checks_see_an_off_by_one);
    tcase_add_test(steps, test_block_gibbs_half_steps);
    tcase_add_test(steps, test_block_gibbs_chains_are_independent_of_batching);
    tcase_set_timeout(kernel, 300);
    suite_add_tcase(suite, kernel);
    tcase_set_timeout(steps, 300);
    suite_add_tcase(suite, steps);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
