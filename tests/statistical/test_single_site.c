/* What the battery of kernels does not see of gibbs, metropolis and exact: scans, thinning, what is counted, hidden
 * units, real units, and which random numbers a chain uses. Seeds are fixed; every bound has a false alarm below 1e-6. */
#include "kernel_cases.h"

enum { CHAINS = 20000, V = 4, S = 16 };

typedef struct site_test {
    rbm_fixture f;
    const ebm_sampler_type *type;
    void *options;
    ebm_sampler sampler;
} site_test;

static void site_open(site_test *t, const char *sampler, const char *const *options, rbm_weights kind) {
    rbm_open(&t->f, V, 3, kind, 1.0, 5);
    t->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, sampler);
    ck_assert_ptr_nonnull(t->type);
    t->options = test_options(&t->type->info, options);
    CHECK_OK(ebm_sampler_create(t->type, t->options, &t->f.model, &t->sampler, error));
}

static void site_close(site_test *t) {
    ebm_sampler_free(&t->sampler);
    test_options_free(&t->type->info, t->options);
    rbm_close(&t->f);
}

static ebm_chains start_chains(const ebm_model *model, size_t count, uint32_t first_chain) {
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(model, count, ebm_stream_of(4, EBM_PURPOSE_SAMPLE), &chains, error));
    chains.first_chain = first_chain;
    for (size_t b = 0; b < count && model->space.domain != EBM_REAL_LINE; b++)
        ebm_states_fill(&model->space, (first_chain + b) % ebm_states_count(&model->space), 1,
                        chains.batch.x + b * model->space.size);
    return chains;
}

static void step(site_test *t, ebm_chains *chains, size_t sweeps) {
    CHECK_OK(t->type->step(&t->sampler, &t->f.model, ebm_path_end(), chains, sweeps, t->f.work, error));
}

static const char *const samplers[] = {"gibbs", "metropolis"};
static const char *const scans[] = {"systematic", "random"};

/* A chain's walk depends on its number and step alone: not on the rows beside it, nor on how sweeps are grouped into
 * steps and calls. `sweeps` is so many sweeps a step. */
START_TEST(test_single_site_walks_are_their_own) {
    enum { ROWS = 40, PART = 13 };
    for (size_t k = 0; k < 4; k++) {
        const char *const one[] = {"scan", scans[k % 2], NULL};
        const char *const three[] = {"scan", scans[k % 2], "sweeps", "3", NULL};
        site_test t, thinned;
        site_open(&t, samplers[k / 2], one, RBM_NORMAL);
        site_open(&thinned, samplers[k / 2], three, RBM_NORMAL);
        ebm_chains whole = start_chains(&t.f.model, ROWS, 0), single = start_chains(&t.f.model, ROWS, 0);
        ebm_chains steps = start_chains(&t.f.model, ROWS, 0),
                   parts[2] = {start_chains(&t.f.model, PART, 0), start_chains(&t.f.model, ROWS - PART, PART)};
        step(&t, &whole, 6);
        step(&thinned, &steps, 2);
        for (size_t n = 0; n < 6; n++)
            step(&t, &single, 1);
        for (size_t p = 0; p < 2; p++)
            step(&t, &parts[p], 6);
        const size_t bytes = ROWS * V * sizeof *whole.batch.x, half = PART * V;
        ck_assert_int_eq(memcmp(whole.batch.x, single.batch.x, bytes), 0);
        ck_assert_int_eq(memcmp(whole.batch.x, steps.batch.x, bytes), 0);
        ck_assert_int_eq(memcmp(whole.batch.x, parts[0].batch.x, half * sizeof *whole.batch.x), 0);
        ck_assert_int_eq(memcmp(whole.batch.x + half, parts[1].batch.x, bytes - half * sizeof *whole.batch.x), 0);
        ck_assert(whole.step == 6 && steps.step == 6 && single.step == 6 && !whole.batch.hidden_ok);
        ck_assert_uint_eq(steps.site_updates, (uint64_t)6 * ROWS * V);
        ck_assert(steps.proposed == (k / 2 ? 6.0 * ROWS * V : 0) && steps.accepted <= steps.proposed);
        step(&t, &single, 1); /* the comparison can fail */
        ck_assert_int_ne(memcmp(whole.batch.x, single.batch.x, bytes), 0);
        ebm_chains_free(&whole), ebm_chains_free(&single), ebm_chains_free(&steps);
        ebm_chains_free(&parts[0]), ebm_chains_free(&parts[1]);
        site_close(&t);
        site_close(&thinned);
    }
}
END_TEST

/* Rows beyond what goes through the sweeps together (2^20 uniforms) are like the first ones. */
START_TEST(test_single_site_many_rows) {
    enum { MANY = (1 << 18) + 3, FIRST = 1 << 18 };
    site_test t;
    site_open(&t, "gibbs", NULL, RBM_NORMAL);
    ebm_chains all = start_chains(&t.f.model, MANY, 0), rest = start_chains(&t.f.model, MANY - FIRST, FIRST);
    step(&t, &all, 2);
    step(&t, &rest, 2);
    ck_assert_int_eq(memcmp(all.batch.x + FIRST * V, rest.batch.x, (MANY - FIRST) * V * sizeof *rest.batch.x), 0);
    ebm_chains_free(&all);
    ebm_chains_free(&rest);
    site_close(&t);
}
END_TEST

/* A field of exactly 0 is a ratio of 1: Metropolis always flips, the heat bath half of the time. 80,000 fair coins: 5.1
 * standard errors. */
START_TEST(test_single_site_without_a_field) {
    site_test metropolis, gibbs;
    site_open(&metropolis, "metropolis", NULL, RBM_ZERO);
    site_open(&gibbs, "gibbs", NULL, RBM_ZERO);
    ebm_chains flips = start_chains(&metropolis.f.model, CHAINS, 0), coins = start_chains(&gibbs.f.model, CHAINS, 0);
    step(&metropolis, &flips, 1);
    step(&gibbs, &coins, 1);
    double up = 0;
    for (size_t b = 0; b < CHAINS; b++) {
        if (rbm_read_state(V, flips.batch.x + b * V) != (~b & (S - 1)))
            ck_abort_msg("row %zu has not flipped", b);
        for (size_t i = 0; i < V; i++)
            up += (double)coins.batch.x[b * V + i];
    }
    ck_assert(flips.accepted == flips.proposed && coins.proposed == 0);
    ck_assert_double_lt(fabs(up - CHAINS * V / 2.0), 5.1 * sqrt(CHAINS * V / 4.0));
    ebm_chains_free(&flips);
    ebm_chains_free(&coins);
    site_close(&metropolis);
    site_close(&gibbs);
}
END_TEST

/* Hidden units are drawn given the new x where they are asked for: each state's conditional means over its rows. */
START_TEST(test_single_site_keeps_hidden_units) {
    static const char *const names[] = {"gibbs", "metropolis", "exact"};
    for (size_t k = 0; k < 3; k++) {
        enum { H = 3 };
        site_test t;
        site_open(&t, names[k], NULL, RBM_NORMAL);
        ebm_chains chains = start_chains(&t.f.model, CHAINS, 0);
        double counts[S * H][2] = {{0}}, law[S * H][2];
        ebm_real *means = battery_memory(CHAINS * H, sizeof *means);
        chains.keep_hidden = true;
        step(&t, &chains, 3);
        ck_assert(chains.batch.hidden_ok && chains.step > 3);
        ebm_model_field(&t.f.model, &chains.batch, t.f.work);
        t.f.model.type->hidden_means(&t.f.model, &chains.batch, means, t.f.work);
        chi_square chi = {0, 0};
        for (size_t b = 0; b < CHAINS; b++)
            for (size_t j = 0; j < H; j++) {
                const size_t cell = rbm_read_state(V, chains.batch.x + b * V) * H + j;
                counts[cell][chains.batch.hidden[b * H + j] > 0]++;
                law[cell][1] = (double)means[b * H + j];
                law[cell][0] = 1 - law[cell][1];
            }
        for (size_t cell = 0; cell < S * H; cell++)
            if (counts[cell][0] + counts[cell][1] > 0)
                chi_square_row(&chi, 2, law[cell], counts[cell]);
        ck_assert_double_gt(chi.degrees, 10);
        ck_assert_double_le(chi.statistic, chi_square_limit(chi.degrees));
        chains.keep_hidden = false;
        step(&t, &chains, 1);
        ck_assert(!chains.batch.hidden_ok);
        ebm_chains_free(&chains);
        free(means);
        site_close(&t);
    }
}
END_TEST

/* Real units by sample_site: after 30 sweeps from far away, the four moments that are known by formula, each within 5.5
 * standard errors (false alarm 4e-8, of which there are 16). The posterior of 20 observations has enough moments for
 * that. */
START_TEST(test_single_site_real_units) {
    static const char *const moments_known[] = {"first", "second", "first_square", "second_square"};
    static const double betas[] = {1, 0.8};
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "normal-posterior");
    const ebm_sampler_type *gibbs = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "gibbs");
    ck_assert(type && gibbs);
    for (size_t k = 0; k < 4; k++) {
        const char *const pairs[] = {"scan", scans[k % 2], NULL};
        const ebm_path path = {NULL, betas[k / 2]};
        void *options = test_options(&type->info, NULL), *scan = test_options(&gibbs->info, pairs);
        ebm_model model;
        ebm_sampler sampler;
        ebm_work *work;
        CHECK_OK(ebm_work_create(1, &work, error));
        CHECK_OK(ebm_model_create(type, options, NULL, NULL, 1, &model, error));
        CHECK_OK(ebm_sampler_create(gibbs, scan, &model, &sampler, error));
        ebm_chains chains = start_chains(&model, CHAINS, 0);
        for (size_t b = 0; b < CHAINS; b++)
            chains.batch.x[2 * b] = -5, chains.batch.x[2 * b + 1] = 30;
        CHECK_OK(gibbs->step(&sampler, &model, path, &chains, 30, work, error));
        ck_assert_uint_eq(chains.step, 30 * 3);
        ck_assert_uint_eq(chains.site_updates, (uint64_t)30 * 2 * CHAINS);
        for (size_t m = 0; m < 4; m++) {
            moments sample = {0, 0, 0};
            double exact;
            for (size_t b = 0; b < CHAINS; b++) {
                const double x = (double)chains.batch.x[2 * b + m % 2];
                moments_add(&sample, m < 2 ? x : x * x);
            }
            CHECK_OK(type->exact_mean(&model, path, moments_known[m], &exact, work, error));
            ck_assert_msg(fabs(sample.mean - exact) < 5.5 * moments_standard_error(&sample), "%s, %s: %g, not %g",
                          scans[k % 2], moments_known[m], sample.mean, exact);
        }
        ebm_chains_free(&chains);
        ebm_sampler_free(&sampler);
        ebm_model_free(&model);
        ebm_work_free(work);
        test_options_free(&type->info, options);
        test_options_free(&gibbs->info, scan);
    }
}
END_TEST

static const ebm_model_type *true_type;
static struct {
    size_t count;
    uint64_t steps[64];
    uint32_t chains[64], units[64];
} drawn;

static void record_draw(const ebm_model *model, ebm_path path, ebm_batch *batch, const uint32_t *units,
                        ebm_stream stream, uint32_t first_chain, uint64_t at, ebm_work *work) {
    ck_assert_uint_lt(drawn.count, 64);
    drawn.steps[drawn.count] = at;
    drawn.chains[drawn.count] = first_chain;
    drawn.units[drawn.count++] = units[0];
    true_type->sample_site(model, path, batch, units, stream, first_chain, at, work);
}

/* Each draw of a real unit has a step to itself, before the step where the chains then stand; units come in turn. */
START_TEST(test_single_site_real_units_use_fresh_numbers) {
    const ebm_model_type *posterior = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "normal-posterior");
    const ebm_sampler_type *gibbs = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "gibbs");
    ck_assert(posterior && gibbs);
    for (size_t k = 0; k < 2; k++) {
        const char *const pairs[] = {"scan", scans[k], NULL};
        void *options = test_options(&posterior->info, NULL), *scan = test_options(&gibbs->info, pairs);
        ebm_model_type type = *(true_type = posterior);
        ebm_model model;
        ebm_sampler sampler;
        ebm_work *work;
        type.sample_site = record_draw;
        drawn.count = 0;
        CHECK_OK(ebm_work_create(1, &work, error));
        CHECK_OK(ebm_model_create(&type, options, NULL, NULL, 1, &model, error));
        CHECK_OK(ebm_sampler_create(gibbs, scan, &model, &sampler, error));
        ebm_chains chains = start_chains(&model, 3, 7);
        CHECK_OK(gibbs->step(&sampler, &model, ebm_path_end(), &chains, 4, work, error));
        CHECK_OK(gibbs->step(&sampler, &model, ebm_path_end(), &chains, 1, work, error));
        ck_assert_uint_eq(drawn.count, 5 * 2);
        for (size_t n = 0; n < drawn.count; n++) {
            ck_assert_uint_eq(drawn.chains[n], 7);
            ck_assert_uint_lt(drawn.steps[n], n + 1 < drawn.count ? drawn.steps[n + 1] : chains.step);
            ck_assert(k == 1 || drawn.units[n] == n % 2);
        }
        ebm_chains_free(&chains);
        ebm_sampler_free(&sampler);
        ebm_model_free(&model);
        ebm_work_free(work);
        test_options_free(&type.info, options);
        test_options_free(&gibbs->info, scan);
    }
}
END_TEST

static void refused(const char *sampler, const char *const *pairs, const ebm_model *model, const char *part) {
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, sampler);
    void *options = test_options(&type->info, pairs);
    ebm_error failure = {0};
    ebm_sampler out;
    ck_assert_int_eq(ebm_sampler_create(type, options, model, &out, &failure), EBM_UNSUPPORTED);
    ck_assert_msg(strstr(failure.message, part) != NULL, "\"%s\" does not say %s", failure.message, part);
    test_options_free(&type->info, options);
}

/* What cannot be is refused when it is created, with the reason. */
START_TEST(test_single_site_refusals) {
    static const char *const checkerboard[] = {"scan", "checkerboard", NULL};
    const ebm_model_type *real = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "normal-posterior");
    ck_assert_ptr_nonnull(real);
    void *options = test_options(&real->info, NULL);
    ebm_model posterior;
    rbm_fixture f, large;
    bench b;
    CHECK_OK(ebm_model_create(real, options, NULL, NULL, 1, &posterior, error));
    rbm_open(&f, 4, 3, RBM_NORMAL, 1, 1);
    refused("gibbs", checkerboard, &f.model, "needs graph, model rbm has none");
    refused("metropolis", checkerboard, &f.model, "needs graph, model rbm has none");
    refused("gibbs", checkerboard, &posterior, "checkerboard");
    refused("metropolis", NULL, &posterior, "needs site");
    refused("exact", NULL, &posterior, "real units have no list of states");
    ebm_model_type type = *f.type;
    type.site = NULL;
    f.model.type = &type;
    refused("gibbs", NULL, &f.model, "needs one of site, sample_site");
    type.sample_site = real->sample_site; /* the wrong one of the two */
    refused("gibbs", NULL, &f.model, "needs site on binary units");
    f.model.type = f.type;
    bench_open(&b, small_by_label("ising torus 3 x 3"));
    refused("gibbs", checkerboard, &b.model, "two colours");
    bench_close(&b);
    memset(&large, 0, sizeof large);
    const char *const sizes[] = {"visible", "40", "hidden", "30", NULL};
    large.options = test_options(&f.type->info, sizes);
    CHECK_OK(ebm_model_create(f.type, large.options, NULL, NULL, 1, &large.model, error));
    refused("exact", NULL, &large.model, "2^40 states");
    refused("exact", NULL, &large.model, "not 30");
    ebm_model_free(&large.model);
    test_options_free(&f.type->info, large.options);
    rbm_close(&f);
    ebm_model_free(&posterior);
    test_options_free(&real->info, options);
}
END_TEST

/* Draws of a model without a way of its own come from a list of states, which is made anew when theta, the base or beta
 * changes. The law that is right for each setting is wrong for the next. */
START_TEST(test_exact_list_follows_the_parameters) {
    site_test t;
    site_open(&t, "exact", NULL, RBM_NORMAL);
    ebm_sampler_free(&t.sampler);
    ebm_model_type type = *t.f.type;
    type.sample_exact = NULL;
    t.f.model.type = &type;
    CHECK_OK(ebm_sampler_create(t.type, t.options, &t.f.model, &t.sampler, error));
    ebm_chains chains = start_chains(&t.f.model, CHAINS, 0);
    double law[S], before[S];
    for (size_t k = 0; k < 6; k++) {
        double counts[S] = {0};
        if (k == 1)
            ebm_model_view(&t.f.model, "visible_bias")[2] += 1;
        if (k == 4)
            t.f.base.parameters[1] += 1;
        const ebm_path path = {k == 3 || k == 4 ? &t.f.base : NULL, k >= 2 ? 0.5 : 1};
        memcpy(before, law, sizeof law);
        CHECK_OK(ebm_model_log_probabilities(&t.f.model, path, law, NULL, t.f.work, error));
        const uint64_t first = chains.step;
        CHECK_OK(t.type->step(&t.sampler, &t.f.model, path, &chains, 2, t.f.work, error));
        ck_assert(chains.step == first + 2 && !chains.batch.field_ok && chains.site_updates == 0);
        chi_square chi = {0, 0}, stale = {0, 0};
        for (size_t b = 0; b < CHAINS; b++)
            counts[rbm_read_state(V, chains.batch.x + b * V)]++;
        for (size_t s = 0; s < S; s++)
            law[s] = exp(law[s]);
        chi_square_row(&chi, S, law, counts);
        ck_assert_double_le(chi.statistic, chi_square_limit(chi.degrees));
        if (k > 0) {
            chi_square_row(&stale, S, before, counts);
            ck_assert_double_gt(stale.statistic, chi_square_limit(stale.degrees));
        }
    }
    ebm_chains_free(&chains);
    site_close(&t);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("single_site");
    TCase *cases = tcase_create("single-site samplers");
    tcase_add_test(cases, test_single_site_walks_are_their_own);
    tcase_add_test(cases, test_single_site_many_rows);
    tcase_add_test(cases, test_single_site_without_a_field);
    tcase_add_test(cases, test_single_site_keeps_hidden_units);
    tcase_add_test(cases, test_single_site_real_units);
    tcase_add_test(cases, test_single_site_real_units_use_fresh_numbers);
    tcase_add_test(cases, test_single_site_refusals);
    tcase_add_test(cases, test_exact_list_follows_the_parameters);
    tcase_set_timeout(cases, 300);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
