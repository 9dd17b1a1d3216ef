/* The chain of visible and hidden units of a Boltzmann machine against its law by enumeration: exact draws of h given x,
 * sweeps with none, some and all of the visible units held, chains that keep their hidden units, and what the learners make
 * of both phases.
 *
 * Counts are held to the chi-square limits of statistics.h (1e-6 each), mean updates to 5 standard errors for each
 * component; seeds are fixed. (The kernel of sampler joint-gibbs is test_kernels.c's.) */
#include "hidden_fixture.h"
#include "statistics.h"

#include "ebm/learner.h"

enum { V = 3, H = 3, N = V + H, STATES = 1 << N, DRAWS = 40000, ROWS = 8 };

/* law (STATES) after unit i has been drawn given all others. */
static void update_unit(const hidden_machine *m, int base, double beta, size_t i, double *law) {
    const size_t bit = (size_t)1 << i;
    for (size_t s = 0; s < STATES; s++)
        if (!(s & bit)) {
            const double both = law[s] + law[s | bit];
            const double up = ebm_sigmoid(hidden_joint(m, base, beta, s) - hidden_joint(m, base, beta, s | bit));
            law[s] = both * (1 - up);
            law[s | bit] = both * up;
        }
}

static void sweep_law(const hidden_machine *m, int base, double beta, const bool *fixed, size_t sweeps, double *law) {
    for (size_t k = 0; k < sweeps * N; k++)
        if (k % N >= V || !fixed || !fixed[k % N])
            update_unit(m, base, beta, k % N, law);
}

/* Rows at x = b % ROWS; counts of (x, h) by row class against laws (ROWS, STATES). */
static double compare(const hidden_machine *m, const ebm_batch *batch, const double *laws) {
    static double counts[ROWS][STATES];
    chi_square chi = {0, 0};
    memset(counts, 0, sizeof counts);
    for (size_t b = 0; b < batch->count; b++)
        counts[b % ROWS][hidden_code(m, batch, b, true)]++;
    for (size_t x = 0; x < ROWS; x++) {
        for (size_t s = 0; s < STATES; s++)
            if (laws[x * STATES + s] <= 0 && counts[x][s] > 0)
                return INFINITY;
        chi_square_row(&chi, STATES, laws + x * STATES, counts[x]);
    }
    return chi.statistic / chi_square_limit(chi.degrees);
}

static ebm_batch rows_at_all_x(const hidden_machine *m, size_t count) {
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&m->model, count, &batch, error));
    for (size_t b = 0; b < count; b++) {
        for (size_t i = 0; i < V; i++)
            batch.x[b * V + i] = (ebm_real)hidden_value(m, b % ROWS, i);
        for (size_t j = 0; j < H; j++)
            batch.hidden[b * H + j] = (ebm_real)hidden_value(m, 5, j);
    }
    ebm_model_field(&m->model, &batch, m->work);
    batch.hidden_ok = true;
    return batch;
}

/* p(h | x) as a law of (x, h). */
static void conditional(const hidden_machine *m, int base, double beta, size_t x, double *law) {
    const double free_energy = hidden_free(m, base, beta, x);
    memset(law, 0, STATES * sizeof *law);
    for (size_t h = 0; h < 1 << H; h++)
        law[x | h << V] = exp(free_energy - hidden_joint(m, base, beta, x | h << V));
}

START_TEST(test_joint_gibbs_exact_hidden_states) {
    hidden_machine m;
    double laws[ROWS * STATES];
    hidden_open(&m, V, H, _i, RBM_NORMAL, 1.0, 3);
    for (int base = 0; base < 2; base++) {
        ebm_batch batch = rows_at_all_x(&m, DRAWS);
        m.model.type->sample_hidden(&m.model, hidden_path(&m, base, 0.7), &batch, ebm_stream_of(3, 1), 9, 4, m.work);
        for (size_t x = 0; x < ROWS; x++)
            conditional(&m, base, 0.7, x, laws + x * STATES);
        ck_assert_double_le(compare(&m, &batch, laws), 1);
        for (size_t x = 0; x < ROWS; x++) /* the count sees another temperature */
            conditional(&m, base, 0.9, x, laws + x * STATES);
        ck_assert_double_gt(compare(&m, &batch, laws), 1);
        ebm_batch_free(&batch);
    }
    hidden_close(&m);
}
END_TEST

/* All free by the fused sweep and unit by unit, some held, all held; two sweeps from one hidden state. */
START_TEST(test_joint_gibbs_sweeps) {
    static const bool holds[][V] = {{0, 0, 0}, {0, 1, 0}, {1, 1, 1}};
    for (size_t k = 0; k < 4; k++) {
        const bool *fixed = k > 0 ? holds[k - 1] : NULL;
        hidden_machine m;
        double laws[ROWS * STATES] = {0};
        hidden_open(&m, V, H, _i, RBM_NORMAL, 1.0, 4);
        ebm_batch batch = rows_at_all_x(&m, DRAWS);
        const ebm_sweeps sweeps = {.count = 2, .stream = ebm_stream_of(8, 1), .first_chain = 7, .step = 3};
        CHECK_OK(m.model.type->joint_sweep(&m.model, hidden_path(&m, 1, 0.8), &batch, fixed, &sweeps, m.work, error));
        ck_assert(batch.hidden_ok && batch.field_ok == (k == 3));
        for (size_t b = 0; b < DRAWS; b++)
            for (size_t i = 0; fixed && i < V; i++)
                if (fixed[i] && batch.x[b * V + i] != (ebm_real)hidden_value(&m, b % ROWS, i))
                    ck_abort_msg("a unit that was held has moved");
        for (size_t x = 0; x < ROWS; x++) {
            laws[x * STATES + (x | 5 << V)] = 1;
            sweep_law(&m, 1, 0.8, fixed, 2, laws + x * STATES);
        }
        ck_assert_msg(compare(&m, &batch, laws) <= 1, "case %zu", k);
        for (size_t x = 0; x < ROWS; x++) /* the count sees one sweep more, where two are not yet equilibrium */
            sweep_law(&m, 1, 0.4, fixed, 1, laws + x * STATES);
        ck_assert_msg(compare(&m, &batch, laws) > 1, "case %zu passes with another law", k);
        ebm_batch_free(&batch);
        hidden_close(&m);
    }
}
END_TEST

/* The clamped phase ends at conditional enumeration: 60 sweeps of three units of order-one couplings are equilibrium to far
 * below what 40,000 draws can tell (each forgets the start with probability above 1/10). */
START_TEST(test_joint_gibbs_clamped_phase_is_conditional_enumeration) {
    static const bool all[V] = {true, true, true};
    hidden_machine m;
    double laws[ROWS * STATES];
    hidden_open(&m, V, H, _i, RBM_NORMAL, 0.7, 5);
    ebm_batch batch = rows_at_all_x(&m, DRAWS);
    const ebm_sweeps sweeps = {.count = 60, .stream = ebm_stream_of(2, 1)};
    CHECK_OK(m.model.type->joint_sweep(&m.model, ebm_path_end(), &batch, all, &sweeps, m.work, error));
    for (size_t x = 0; x < ROWS; x++)
        conditional(&m, 0, 1, x, laws + x * STATES);
    ck_assert_double_le(compare(&m, &batch, laws), 1);
    ebm_batch_free(&batch);
    hidden_close(&m);
}
END_TEST

/* Steps of chains that keep their hidden units are one walk on (x, h), whether taken in one call or in two; chains that do
 * not keep them say so. */
START_TEST(test_joint_gibbs_keeps_hidden_units) {
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "joint-gibbs");
    hidden_machine m;
    double laws[ROWS * STATES];
    hidden_open(&m, V, H, _i % 2, RBM_NORMAL, 1.5, 6);
    void *options = test_options(&type->info, NULL);
    ebm_sampler sampler;
    ebm_chains chains;
    CHECK_OK(ebm_sampler_create(type, options, &m.model, &sampler, error));
    CHECK_OK(ebm_chains_create(&m.model, DRAWS, ebm_stream_of(4, 1), &chains, error));
    for (size_t b = 0; b < DRAWS; b++)
        for (size_t i = 0; i < V; i++)
            chains.batch.x[b * V + i] = (ebm_real)hidden_value(&m, b % ROWS, i);
    chains.keep_hidden = true;
    CHECK_OK(ebm_sampler_attach(&sampler, &m.model, &chains, error));
    const size_t calls = 1 + (size_t)_i / 2;
    for (size_t k = 0; k < calls; k++)
        CHECK_OK(type->step(&sampler, &m.model, ebm_path_end(), &chains, 2 / calls, m.work, error));
    ck_assert(chains.batch.hidden_ok && !chains.batch.field_ok);
    ck_assert_uint_eq(chains.site_updates, 2 * DRAWS * N);
    for (size_t x = 0; x < ROWS; x++) {
        conditional(&m, 0, 1, x, laws + x * STATES);
        sweep_law(&m, 0, 1, NULL, 2, laws + x * STATES);
    }
    ck_assert_double_le(compare(&m, &chains.batch, laws), 1);
    chains.keep_hidden = false;
    CHECK_OK(type->step(&sampler, &m.model, ebm_path_end(), &chains, 1, m.work, error));
    ck_assert(!chains.batch.hidden_ok);
    ebm_chains_free(&chains);
    ebm_sampler_free(&sampler);
    test_options_free(&type->info, options);
    hidden_close(&m);
}
END_TEST

/* ---- Learning from both phases ---- */

enum { BATCH = 3, SEEDS = 3000 };
static const size_t examples[BATCH] = {1, 6, 3};

/* g += weight sum_s law(s) dE(s)/dtheta, each half of a coupling with all of its derivative, as learners step. */
static void add_moments(const hidden_machine *m, const double *law, double weight, double *g) {
    for (size_t s = 0; s < STATES; s++)
        for (size_t i = 0; i < N; i++) {
            for (size_t j = 0; j < N; j++)
                g[i * N + j] -= i == j ? 0 : weight * law[s] * hidden_value(m, s, i) * hidden_value(m, s, j);
            g[N * N + i] -= weight * law[s] * hidden_value(m, s, i);
        }
}

/* Clamped phase of 2 sweeps and 2 samples, free phase of 2 sweeps from uniform x and h given x; the definition. */
static void definition(const hidden_machine *m, double *g) {
    static const bool all[V] = {true, true, true};
    double law[STATES], one[STATES];
    memset(g, 0, (N * N + N) * sizeof *g);
    for (size_t e = 0; e < BATCH; e++) {
        memset(law, 0, sizeof law);
        for (size_t h = 0; h < 1 << H; h++)
            law[examples[e] | h << V] = 1.0 / (1 << H);
        sweep_law(m, 0, 1, all, 2, law);
        add_moments(m, law, -0.5 / BATCH, g);
        sweep_law(m, 0, 1, all, 1, law);
        add_moments(m, law, -0.5 / BATCH, g);
    }
    memset(law, 0, sizeof law);
    for (size_t x = 0; x < ROWS; x++) {
        conditional(m, 0, 1, x, one);
        for (size_t s = 0; s < STATES; s++)
            law[s] += one[s] / ROWS;
    }
    sweep_law(m, 0, 1, NULL, 2, law);
    add_moments(m, law, 1, g);
}

START_TEST(test_joint_gibbs_mean_update_of_both_phases) {
    const ebm_learner_type *type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, "cd");
    const ebm_sampler_type *sampler_type =
        (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "joint-gibbs");
    static const char *const pairs[] = {
        "start",         "noise", "positive",        "gibbs", "steps", "2", "chains", "4",
        "clamped_steps", "2",     "clamped_samples", "2",     "rate",  "1", NULL};
    enum { THETA = N * N + N };
    hidden_machine m;
    hidden_open(&m, V, H, _i, RBM_NORMAL, 0.8, 7);
    void *options = test_options(&type->info, pairs), *sampler_options = test_options(&sampler_type->info, NULL);
    ebm_real start[THETA], x[BATCH * V];
    double sum[THETA] = {0}, square[THETA] = {0}, want[THETA], worst = 0, exact = 0;
    ebm_sampler sampler;
    ebm_dataset data = {.space = m.model.space, .train = {.count = BATCH, .reals = x}};
    for (size_t k = 0; k < BATCH * V; k++)
        x[k] = (ebm_real)hidden_value(&m, examples[k / V], k % V);
    memcpy(start, m.model.theta, sizeof start);
    CHECK_OK(ebm_sampler_create(sampler_type, sampler_options, &m.model, &sampler, error));
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        ebm_learner learner;
        CHECK_OK(ebm_learner_create(type, options, &m.model, &sampler, &data, seed, BATCH, 1, &learner, error));
        CHECK_OK(ebm_learner_update(&learner, x, BATCH, m.work, error));
        ebm_learner_free(&learner);
        for (size_t k = 0; k < THETA; k++) {
            const double g = (double)m.model.theta[k] - (double)start[k];
            sum[k] += g;
            square[k] += g * g;
        }
        memcpy(m.model.theta, start, sizeof start);
        ebm_model_refresh(&m.model, m.work);
    }
    definition(&m, want);
    for (size_t k = 0; k < THETA; k++) {
        const double mean = sum[k] / SEEDS, se = sqrt(fmax(square[k] / SEEDS - mean * mean, 0) / (SEEDS - 1));
        worst = fmax(worst, fabs(mean - want[k]) / (5 * se + 32 * UNIT_ROUNDOFF));
    }
    ck_assert_msg(worst <= 1, "%g times 5 standard errors", worst);
    want[V * N + V + 1] += 0.2; /* the comparison sees such a difference */
    const size_t k = V * N + V + 1;
    const double mean = sum[k] / SEEDS, se = sqrt((square[k] / SEEDS - mean * mean) / (SEEDS - 1));
    exact = fabs(mean - want[k]) / (5 * se);
    ck_assert_double_gt(exact, 1);
    ebm_sampler_free(&sampler);
    test_options_free(&type->info, options);
    test_options_free(&sampler_type->info, sampler_options);
    hidden_close(&m);
}
END_TEST

/* A model whose hidden units cannot be swept is refused with the reason; one without any has nothing to sample. */
START_TEST(test_joint_gibbs_refusals) {
    const ebm_learner_type *type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, "pcd");
    const ebm_sampler_type *sampler_type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "gibbs");
    static const char *const pairs[] = {"positive", "gibbs", NULL};
    void *options = test_options(&type->info, pairs), *sampler_options = test_options(&sampler_type->info, NULL);
    hidden_machine m;
    rbm_fixture f;
    ebm_sampler sampler;
    ebm_learner learner;
    ebm_error said = {0};
    hidden_open(&m, V, 0, false, RBM_NORMAL, 1, 1);
    rbm_open(&f, V, H, RBM_NORMAL, 1, 1);
    CHECK_OK(ebm_sampler_create(sampler_type, sampler_options, &m.model, &sampler, error));
    ck_assert_int_eq(ebm_learner_create(type, options, &f.model, &sampler, NULL, 1, 1, 1, &learner, &said),
                     EBM_UNSUPPORTED);
    ck_assert_msg(strstr(said.message, "positive gibbs needs joint_sweep, model rbm"), "%s", said.message);
    const ebm_dataset data = {.space = m.model.space};
    CHECK_OK(ebm_learner_create(type, options, &m.model, &sampler, &data, 1, 1, 1, &learner, error));
    ebm_learner_free(&learner);
    ebm_sampler_free(&sampler);
    test_options_free(&type->info, options);
    test_options_free(&sampler_type->info, sampler_options);
    rbm_close(&f);
    hidden_close(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("joint-gibbs");
    TCase *chains = tcase_create("chains"), *learning = tcase_create("learning");
    tcase_add_loop_test(chains, test_joint_gibbs_exact_hidden_states, 0, 2);
    tcase_add_loop_test(chains, test_joint_gibbs_sweeps, 0, 2);
    tcase_add_loop_test(chains, test_joint_gibbs_clamped_phase_is_conditional_enumeration, 0, 2);
    tcase_add_loop_test(chains, test_joint_gibbs_keeps_hidden_units, 0, 4);
    tcase_add_loop_test(learning, test_joint_gibbs_mean_update_of_both_phases, 0, 2);
    tcase_add_test(learning, test_joint_gibbs_refusals);
    tcase_set_timeout(chains, 300);
    tcase_set_timeout(learning, 300);
    suite_add_tcase(suite, chains);
    suite_add_tcase(suite, learning);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
