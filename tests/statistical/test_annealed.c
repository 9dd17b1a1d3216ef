/* Simulated annealing: the law of its first sweeps is the product of its inner sampler's matrices at the temperatures
 * of the schedule; once cooled it is the inner sampler. All seeds are fixed; false alarms are below 1e-6. */
#include "sampler_laws.h"

enum { CHAINS = 16000, ROUNDS = 5 };

static const struct {
    int base;
    double beta;
} paths[] = {{0, 1.0}, {1, 0.6}};
enum { PATHS = sizeof paths / sizeof paths[0] };

typedef struct cooling {
    rbm_fixture f;
    sampled annealed, inner;
} cooling;

/* T = 4, 2, 1, 1, ... on a machine cold enough for the temperatures to differ visibly. */
static void cooling_open(cooling *c, const char *hottest) {
    const char *pairs[] = {"inner", "block-gibbs", "max_temperature", hottest, "rate", "0.5", NULL};
    rbm_open(&c->f, 3, 3, RBM_NORMAL, 1.5, 71);
    sampled_open(&c->annealed, &c->f.model, c->f.work, "annealed", pairs);
    sampled_open(&c->inner, &c->f.model, c->f.work, "block-gibbs", NULL);
}
static void cooling_close(cooling *c) {
    sampled_close(&c->annealed);
    sampled_close(&c->inner);
    rbm_close(&c->f);
}

/* L (S, S) = the product of the inner kernels at these temperatures, in this order. */
static double *product(cooling *c, ebm_path path, size_t count, const double *temperature) {
    const size_t S = c->inner.states;
    double *L = oracle_memory(S * S);
    for (size_t i = 0; i < S; i++)
        L[i * S + i] = 1;
    for (size_t k = 0; k < count; k++) {
        ebm_path at = {path.base, path.beta / temperature[k]};
        double *T = sampled_kernel(&c->inner, at);
        sampled_multiply(S, L, T);
        free(T);
    }
    return L;
}

static double schedule_excess(cooling *c, ebm_path path, walk_plan plan, const double *temperature) {
    double *L = product(c, path, plan.calls * plan.sweeps, temperature);
    const double excess = sampled_excess(&c->annealed, path, plan, CHAINS, ROUNDS, L);
    free(L);
    return excess;
}

START_TEST(test_annealed_follows_schedule) {
    static const double temperature[] = {4, 2, 1, 1, 1, 1}, wrong[] = {2, 1, 1, 1}, late[] = {4, 4, 2, 1};
    static const walk_plan plans[] = {{1, 1, false}, {1, 2, false}, {1, 3, false}, {3, 1, false},
                                      {2, 3, false}, {3, 1, true},  {5, 1, true}};
    cooling c;
    cooling_open(&c, "4");
    const ebm_path path = rbm_path(&c.f, paths[_i].base, paths[_i].beta);
    for (size_t k = 0; k < sizeof plans / sizeof plans[0]; k++) {
        const double excess = schedule_excess(&c, path, plans[k], temperature);
        ck_assert_msg(excess <= 1, "%zu calls of %zu sweeps: %g", plans[k].calls, plans[k].sweeps, excess);
    }
    /* a schedule one sweep early or late is seen */
    ck_assert_double_gt(schedule_excess(&c, path, plans[0], wrong), 1);
    ck_assert_double_gt(schedule_excess(&c, path, plans[1], late), 1);
    ck_assert_double_gt(schedule_excess(&c, path, plans[2], wrong), 1);
    cooling_close(&c);
}
END_TEST

/* Its matrix is the inner one, bit for bit. */
START_TEST(test_annealed_kernel_is_inner) {
    cooling c;
    cooling_open(&c, "4");
    const ebm_path path = rbm_path(&c.f, paths[_i].base, paths[_i].beta);
    double *T = sampled_kernel(&c.annealed, path), *want = sampled_kernel(&c.inner, path);
    ck_assert_mem_eq(T, want, c.inner.states * c.inner.states * sizeof *T);
    ck_assert(!c.annealed.sampler.exact && c.annealed.sampler.reversible == c.inner.sampler.reversible);
    free(T);
    free(want);
    cooling_close(&c);
}
END_TEST

enum { WALKERS = 50 };

static void start(const sampled *s, ebm_chains *chains, bool keep_hidden) {
    CHECK_OK(ebm_chains_create(s->model, WALKERS, ebm_stream_of(7, EBM_PURPOSE_SAMPLE), chains, error));
    for (size_t b = 0; b < WALKERS; b++)
        ebm_states_fill(&s->model->space, b % s->states, 1, chains->batch.x + b * s->model->space.size);
    chains->keep_hidden = keep_hidden;
    CHECK_OK(ebm_sampler_attach(&s->sampler, s->model, chains, error));
}

/* max_temperature = 1 is the inner sampler: the same numbers, costs and hidden units. */
START_TEST(test_annealed_at_one_is_inner) {
    cooling c;
    cooling_open(&c, "1");
    for (int keep = 0; keep < 2; keep++) {
        ebm_chains annealed, plain;
        start(&c.annealed, &annealed, keep);
        start(&c.inner, &plain, keep);
        for (size_t k = 1; k < 5; k++) {
            sampled_step(&c.annealed, ebm_path_end(), &annealed, k);
            sampled_step(&c.inner, ebm_path_end(), &plain, k);
            ck_assert_mem_eq(annealed.batch.x, plain.batch.x, WALKERS * 3 * sizeof(ebm_real));
            ck_assert_uint_eq(annealed.step, plain.step);
            ck_assert_uint_eq(annealed.site_updates, plain.site_updates);
            ck_assert_int_eq(annealed.batch.hidden_ok, keep);
        }
        ebm_chains_free(&annealed);
        ebm_chains_free(&plain);
    }
    cooling_close(&c);
}
END_TEST

typedef struct one_value {
    ebm_sink sink;
    double value;
} one_value;

static ebm_status keep_value(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)error;
    ck_assert_str_eq(metric, "temperature");
    ck_assert(isnan(se));
    ((one_value *)sink)->value = value;
    return EBM_OK;
}

static double reported(const sampled *s, const ebm_chains *chains) {
    one_value out = {.sink = {.emit = keep_value}};
    CHECK_OK(s->type->report(&s->sampler, chains, &out.sink, error));
    return out.value;
}

/* The schedule is counted in the chains: it goes on from a copy of their memory, and starts anew when attached anew. */
START_TEST(test_annealed_resumes) {
    cooling c;
    cooling_open(&c, "4");
    ebm_chains chains, copy;
    start(&c.annealed, &chains, false);
    ck_assert_double_eq(reported(&c.annealed, &chains), 4);
    sampled_step(&c.annealed, ebm_path_end(), &chains, 1);
    ck_assert_double_eq(reported(&c.annealed, &chains), 2);
    start(&c.annealed, &copy, false);
    ck_assert_uint_eq(copy.auxiliary_bytes, chains.auxiliary_bytes);
    memcpy(copy.auxiliary, chains.auxiliary, chains.auxiliary_bytes);
    memcpy(copy.batch.x, chains.batch.x, WALKERS * 3 * sizeof(ebm_real));
    copy.step = chains.step;
    sampled_step(&c.annealed, ebm_path_end(), &chains, 2);
    sampled_step(&c.annealed, ebm_path_end(), &copy, 2);
    ck_assert_mem_eq(copy.batch.x, chains.batch.x, WALKERS * 3 * sizeof(ebm_real));
    ck_assert_mem_eq(copy.auxiliary, chains.auxiliary, chains.auxiliary_bytes);
    ck_assert_double_eq(reported(&c.annealed, &chains), 1);
    ebm_chains_reset_counters(&c.annealed.sampler, &chains); /* counters, not the schedule */
    ck_assert_double_eq(reported(&c.annealed, &chains), 1);
    CHECK_OK(ebm_sampler_attach(&c.annealed.sampler, &c.f.model, &chains, error));
    ck_assert_double_eq(reported(&c.annealed, &chains), 4);
    ebm_chains_free(&chains);
    ebm_chains_free(&copy);
    cooling_close(&c);
}
END_TEST

static const struct {
    const char *pairs[5];
    ebm_status status;
    const char *says;
} refused[] = {
    {{"inner", "block-gibs"}, EBM_INVALID, "did you mean 'block-gibbs'"},
    {{"inner", "annealed"}, EBM_INVALID, "its own"},
    {{"inner", "tempering"}, EBM_INVALID, "copies"},
    {{"inner", "block-gibbs", "rate", "0"}, EBM_INVALID, "rate is 0"},
    {{"inner", "block-gibbs", "rate", "1"}, EBM_INVALID, "rate is 1"},
};

START_TEST(test_annealed_refuses) {
    rbm_fixture f;
    ebm_sampler sampler;
    ebm_error failure = {0};
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "annealed");
    rbm_open(&f, 3, 3, RBM_NORMAL, 1, 1);
    void *options = test_options(&type->info, refused[_i].pairs);
    ck_assert_int_eq(ebm_sampler_check(type, options, f.type, &failure), refused[_i].status);
    ck_assert_msg(strstr(failure.message, refused[_i].says) != NULL, "%s", failure.message);
    ck_assert_int_eq(ebm_sampler_create(type, options, &f.model, &sampler, &failure), refused[_i].status);
    ebm_sampler_free(&sampler);
    test_options_free(&type->info, options);
    rbm_close(&f);
}
END_TEST

/* What the inner sampler needs, the model must have; chains without a schedule do not run. */
START_TEST(test_annealed_needs) {
    const char *pairs[] = {"inner", "block-gibbs", NULL};
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "annealed");
    ebm_error failure = {0};
    cooling c;
    cooling_open(&c, "4");
    ebm_model_type poor = *c.f.type;
    poor.sample_hidden = NULL;
    void *options = test_options(&type->info, pairs);
    CHECK_OK(ebm_sampler_check(type, options, c.f.type, error));
    ck_assert_int_eq(ebm_sampler_check(type, options, &poor, &failure), EBM_UNSUPPORTED);
    ck_assert_str_eq(failure.message, "sampler block-gibbs needs block conditionals, model rbm has none");
    test_options_free(&type->info, options);
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(&c.f.model, 3, ebm_stream_of(1, 1), &chains, error));
    ck_assert_int_eq(type->step(&c.annealed.sampler, &c.f.model, ebm_path_end(), &chains, 1, c.f.work, &failure),
                     EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(failure.message, "attach"));
    ebm_chains_free(&chains);
    cooling_close(&c);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("annealed");
    TCase *cases = tcase_create("annealed");
    tcase_add_loop_test(cases, test_annealed_follows_schedule, 0, PATHS);
    tcase_add_loop_test(cases, test_annealed_kernel_is_inner, 0, PATHS);
    tcase_add_test(cases, test_annealed_at_one_is_inner);
    tcase_add_test(cases, test_annealed_resumes);
    tcase_add_loop_test(cases, test_annealed_refuses, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(cases, test_annealed_needs);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
