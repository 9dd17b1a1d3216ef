/* The No-U-Turn sampler against a recursive reference written from its definition, against exact draws, and what it does
 * with bad input. (nuts_reference.h). */
#include "nuts_reference.h"

#include "ebm/diagnostics.h"
#include "ebm/observable.h"
#include "samplers/adaptation.h"
#include "samplers/nuts_tree.h"

typedef struct bench {
    const ebm_sampler_type *type;
    void *options;
    void *model_options;
    ebm_model model;
    ebm_sampler sampler;
    ebm_chains chains;
    ebm_work *work;
} bench;

/* Chains at independent draws of the banana, of the tests' own numbers; elsewhere far out. */
static void start(const ebm_model *model, ebm_chains *chains, uint64_t seed) {
    test_random r = {seed};
    chains->batch.field_ok = false;
    for (size_t k = 0; k < chains->batch.count * model->space.size; k++)
        chains->batch.x[k] = (ebm_real)(10 * test_random_normal(&r));
    for (size_t b = 0; model->type == &plane && b < chains->batch.count; b++) {
        const double x0 = test_random_normal(&r);
        chains->batch.x[2 * b] = (ebm_real)x0;
        chains->batch.x[2 * b + 1] = (ebm_real)(BEND * (x0 * x0 - 1) + WIDTH * test_random_normal(&r));
    }
}

static void bench_open_on(bench *t, const ebm_model_type *model, const char *const *model_settings,
                          const char *const *settings, size_t count, uint32_t first_chain, int threads) {
    planted = SOUND;
    t->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "nuts");
    ck_assert_ptr_nonnull(t->type);
    t->options = test_options(&t->type->info, settings);
    CHECK_OK(ebm_work_create(threads, &t->work, error));
    t->model_options = test_options(&model->info, model_settings);
    CHECK_OK(ebm_model_create(model, t->model_options, NULL, NULL, 1, &t->model, error));
    CHECK_OK(ebm_sampler_create(t->type, t->options, &t->model, &t->sampler, error));
    CHECK_OK(ebm_chains_create(&t->model, count, ebm_stream_of(31, EBM_PURPOSE_SAMPLE), &t->chains, error));
    t->chains.first_chain = first_chain;
    start(&t->model, &t->chains, 77);
    CHECK_OK(ebm_sampler_attach(&t->sampler, &t->model, &t->chains, error));
}

static void bench_open(bench *t, const char *const *settings, size_t count, uint32_t first_chain, int threads) {
    bench_open_on(t, &plane, NULL, settings, count, first_chain, threads);
}

static void bench_close(bench *t) {
    ebm_chains_free(&t->chains);
    test_options_free(&t->model.type->info, t->model_options);
    ebm_sampler_free(&t->sampler);
    ebm_model_free(&t->model);
    ebm_work_free(t->work);
    test_options_free(&t->type->info, t->options);
}

static void walk_on(bench *t, size_t steps) {
    CHECK_OK(t->type->step(&t->sampler, &t->model, ebm_path_end(), &t->chains, steps, t->work, error));
}

/* ---- Beside the reference ---- */

typedef struct comparison {
    size_t compared, unclear, different;
    double deepest, divergent;
    double *uniform; /* where each chain's choice lies in its reference's law */
} comparison;

/* The state that was chosen, by its distance; r->count where it is none of them. */
static size_t find_state(const reference *r, const ebm_real *x) {
    /* rounding of x at the steps of a trajectory, which a bend stretches: 2^DEPTH steps of size 4, ten times over */
    const double near = 10 * LEAVES * 4 * UNIT_ROUNDOFF;
    size_t found = r->count;
    double least = near;
    for (size_t k = 0; k < r->count; k++) {
        const double d = hypot((double)x[0] - r->states[k].x[0], (double)x[1] - r->states[k].x[1]);
        if (d < least) {
            least = d;
            found = k;
        }
    }
    return found;
}

/* One transition of every chain beside the reference. A choice of state k of probability q_k lies at
 * u = q_0 + ... + q_(k-1) + V q_k with V uniform, and u is uniform where the law is right. */
static void compare(bench *t, double step, comparison *c) {
    const size_t B = t->chains.batch.count;
    test_random random = {5};
    reference *r = malloc(sizeof *r);
    ebm_real *from = malloc(B * 2 * sizeof *from);
    ebm_nuts_outcome *outcome = malloc(B * sizeof *outcome);
    ebm_real *gradient = malloc(B * 2 * sizeof *gradient), one[2] = {1, 1};
    double *energy = malloc(B * sizeof *energy);
    ck_assert(r && from && outcome && gradient && energy);
    const uint64_t at = t->chains.step;
    ebm_nuts_walk w = {.model = &t->model,
                       .path = ebm_path_end(),
                       .chains = &t->chains,
                       .here = {.batch = t->chains.batch, .gradient = gradient, .energy = energy},
                       .outcome = outcome,
                       .step = step,
                       .scale = one,
                       .max_depth = DEPTH};
    memcpy(from, t->chains.batch.x, B * 2 * sizeof *from);
    ebm_phase_look(&t->model, w.path, &w.here, &t->chains, t->work);
    CHECK_OK(ebm_nuts_transition(&w, t->work, error));
    for (size_t b = 0; b < B; b++) {
        const uint32_t chain = t->chains.first_chain + (uint32_t)b;
        ebm_real p[2];
        ebm_random_normal(t->chains.stream, chain, at, 2, p);
        const point here = {{(double)from[2 * b], (double)from[2 * b + 1]}, {(double)p[0], (double)p[1]}};
        refer(r, here, step, t->chains.stream, chain, at);
        /* criteria nearer to zero than rounding of momenta up to 5 summed over a trajectory may fall either way */
        if (r->margin < 10 * LEAVES * 5 * 5 * UNIT_ROUNDOFF) {
            c->unclear++;
            continue;
        }
        const size_t k = find_state(r, t->chains.batch.x + 2 * b);
        const double acceptance = r->acceptance / (double)r->leaves;
        if (k == r->count || outcome[b].leaves != r->leaves || outcome[b].depth != r->depth ||
            outcome[b].divergent != r->divergent || outcome[b].moved != (k > 0) ||
            fabs(outcome[b].acceptance - acceptance) > 1e4 * UNIT_ROUNDOFF ||
            fabs(energy[b] - banana_value((double)w.here.batch.x[2 * b], (double)w.here.batch.x[2 * b + 1])) > 1e-12) {
            c->different++;
            continue;
        }
        c->deepest = fmax(c->deepest, (double)r->depth);
        c->divergent += r->divergent;
        double below = 0;
        for (size_t i = 0; i < k; i++)
            below += r->probability[i];
        c->uniform[c->compared++] = fmin(1, below + test_random_uniform(&random) * r->probability[k]);
    }
    free(r), free(from), free(outcome), free(gradient), free(energy);
}

static const double reference_steps[] = {0.15, 0.6, 1.3, 8};
enum { REFERENCE_STEPS = sizeof reference_steps / sizeof *reference_steps };

/* Kolmogorov-Smirnov at 1e-7 a step size. */
START_TEST(test_nuts_equals_recursion) {
    enum { CHAINS = 20000 };
    bench t;
    comparison c = {.uniform = malloc(CHAINS * sizeof(double))};
    ck_assert_ptr_nonnull(c.uniform);
    bench_open(&t, NULL, CHAINS, 1000, 1);
    t.chains.step = 7;
    compare(&t, reference_steps[_i], &c);
    ck_assert_uint_eq(c.different, 0);
    ck_assert_uint_le(c.unclear, CHAINS / 20);
    ck_assert_double_ge(c.deepest, _i == 0 ? 5 : _i == 1 ? 3 : 1);
    ck_assert(_i < REFERENCE_STEPS - 1 || c.divergent > 100);
    ebm_kolmogorov test;
    CHECK_OK(ebm_kolmogorov_test(c.uniform, c.compared, &test, t.work, error));
    ck_assert_double_gt(test.p_value, 1e-7);
    ck_assert_uint_eq(t.chains.step, 7 + 3);
    bench_close(&t);
    free(c.uniform);
}
END_TEST

/* ---- The law ---- */

static double normal_cdf(double z) {
    return erfc(-z / sqrt(2)) / 2;
}

/* Exact draws stay exact draws: x_0 is N(0, 1), (x_1 - b (x_0^2 - 1)) / s too, and both are independent: their sum is
 * N(0, 2). Three tests at 1e-7 each. */
START_TEST(test_nuts_keeps_the_law) {
    enum { CHAINS = 40000, STEPS = 3 };
    static const char *const steps[] = {"0.25", "0.7", "1.1"};
    const char *settings[] = {"step", steps[_i], "mass", "identity", NULL};
    bench t;
    ebm_kolmogorov test;
    double *u = malloc(CHAINS * sizeof *u);
    ck_assert_ptr_nonnull(u);
    bench_open(&t, settings, CHAINS, 0, 2);
    walk_on(&t, STEPS);
    for (int k = 0; k < 3; k++) {
        for (size_t b = 0; b < CHAINS; b++) {
            const double x0 = (double)t.chains.batch.x[2 * b], x1 = (double)t.chains.batch.x[2 * b + 1];
            const double z = (x1 - BEND * (x0 * x0 - 1)) / WIDTH;
            u[b] = normal_cdf(k == 0 ? x0 : k == 1 ? z : (x0 + z) / sqrt(2));
        }
        CHECK_OK(ebm_kolmogorov_test(u, CHAINS, &test, t.work, error));
        ck_assert_msg(test.p_value > 1e-7, "variable %d at step %s: D = %g, p = %g", k, steps[_i], test.distance,
                      test.p_value);
    }
    ck_assert_double_eq(t.chains.proposed, (double)CHAINS * STEPS);
    ck_assert(t.chains.accepted > 0.05 * t.chains.proposed && t.chains.accepted < t.chains.proposed);
    ck_assert_uint_eq(t.chains.gradient_evaluations, t.chains.energy_evaluations);
    ck_assert_uint_ge(t.chains.gradient_evaluations, (uint64_t)CHAINS * (STEPS + 1));
    bench_close(&t);
    free(u);
}
END_TEST

/* Rows [first, first + count) of the same chains; a call of `steps` steps, or as many calls. */
static void run_rows(size_t first, size_t count, size_t total, bool one_by_one, int threads, ebm_real *out) {
    const char *settings[] = {"step", "0.3", "mass", "identity", NULL};
    bench t, all;
    enum { STEPS = 5 };
    bench_open(&all, settings, total, 0, 1);
    bench_open(&t, settings, count, (uint32_t)first, threads);
    memcpy(t.chains.batch.x, all.chains.batch.x + 2 * first, count * 2 * sizeof *out);
    for (size_t k = 0; k < (one_by_one ? STEPS : 1); k++)
        walk_on(&t, one_by_one ? 1 : STEPS);
    memcpy(out, t.chains.batch.x, count * 2 * sizeof *out);
    bench_close(&t);
    bench_close(&all);
}

/* A chain's walk depends on its number and step alone, not on which others still grow beside it. 3000 chains are enough
 * for parallel regions. */
START_TEST(test_nuts_chains_are_independent_of_batching) {
    enum { ROWS = 3000, CUT = 1111 };
    ebm_real *whole = malloc(ROWS * 2 * sizeof *whole), *parts = malloc(ROWS * 2 * sizeof *parts);
    const size_t bytes = ROWS * 2 * sizeof *whole;
    ck_assert(whole && parts);
    run_rows(0, ROWS, ROWS, false, 1, whole);
    run_rows(0, CUT, ROWS, false, 1, parts);
    run_rows(CUT, ROWS - CUT, ROWS, false, 1, parts + 2 * CUT);
    ck_assert_int_eq(memcmp(whole, parts, bytes), 0);
    run_rows(0, ROWS, ROWS, true, 3, parts);
    ck_assert_int_eq(memcmp(whole, parts, bytes), 0);
    free(whole), free(parts);
}
END_TEST

/* ---- Warm-up ---- */

typedef struct heard {
    ebm_sink sink;
    double step_size, scale_min, scale_max, divergences;
} heard;

static ebm_status hear(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    heard *h = (heard *)sink;
    (void)se, (void)error;
    if (strcmp(metric, "step_size") == 0)
        h->step_size = value;
    else if (strcmp(metric, "scale_min") == 0)
        h->scale_min = value;
    else if (strcmp(metric, "scale_max") == 0)
        h->scale_max = value;
    else if (strcmp(metric, "divergences") == 0)
        h->divergences = value;
    return EBM_OK;
}

static void warm_up(bench *t, size_t steps, size_t calls) {
    t->chains.adapting = true;
    for (size_t k = 0; k < calls; k++) {
        t->chains.warmup_left = steps - k * (steps / calls);
        walk_on(t, steps / calls);
    }
    t->chains.adapting = false;
    t->chains.warmup_left = 0;
    ebm_chains_reset_counters(&t->sampler, &t->chains);
}

static heard report_of(bench *t) {
    heard h = {.sink.emit = hear};
    CHECK_OK(t->type->report(&t->sampler, &t->chains, &h.sink, error));
    return h;
}

/* On a Gaussian whose variances span four orders of magnitude the scales are its standard deviations: the last window has
 * 200 steps of 64 chains, of which at least a third are effective draws, so 8 % is seven standard errors 1 / sqrt(2 n). The
 * acceptance is the target within what dual averaging's last 50 steps leave, and everything is frozen afterwards. However
 * warm-up is cut into calls, it is the same. */
START_TEST(test_nuts_warm_up) {
    const char *settings[] = {"target", "0.85", NULL};
    const char *law[] = {"units", "6", "covariance", "diagonal", "condition", "1e4", "scale", "50", NULL};
    const ebm_model_type *gaussian = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "gaussian");
    enum { CHAINS = 64 };
    bench t, cut;
    ck_assert_ptr_nonnull(gaussian);
    bench_open_on(&t, gaussian, law, settings, CHAINS, 0, 1);
    bench_open_on(&cut, gaussian, law, settings, CHAINS, 0, 1);
    warm_up(&t, 400, 1);
    warm_up(&cut, 400, 8);
    ck_assert_int_eq(memcmp(t.chains.batch.x, cut.chains.batch.x, CHAINS * 6 * sizeof(ebm_real)), 0);
    walk_on(&t, 300);
    const heard after = report_of(&t);
    ck_assert_double_le(fabs(after.scale_min / 0.5 - 1), 0.08);
    ck_assert_double_le(fabs(after.scale_max / 50 - 1), 0.08);
    ck_assert_double_le(fabs(t.chains.accepted / t.chains.proposed - 0.85), 0.04);
    ck_assert_double_eq(report_of(&cut).step_size, after.step_size);
    bench_close(&t);
    bench_close(&cut);
}
END_TEST

/* A chain far out in the banana's steep arm, where the step that suits the 63 others diverges at once, comes in. */
START_TEST(test_nuts_warm_up_frees_a_stuck_chain) {
    bench t;
    bench_open(&t, NULL, 64, 0, 1);
    t.chains.batch.x[0] = 400;
    t.chains.batch.x[1] = 0;
    warm_up(&t, 300, 1);
    ck_assert_double_lt(fabs((double)t.chains.batch.x[0]), 6);
    bench_close(&t);
}
END_TEST

/* ---- A hierarchy ---- */

/* z of the mean of an observable over traces (chains, draws), by Geyer's effective sample size. */
static double deviation(bench *t, const ebm_observable *o, const double *values, size_t chains, size_t draws) {
    const ebm_traces traces = {values, 1, chains, draws};
    ebm_trace_summary summary;
    double exact;
    CHECK_OK(ebm_traces_summarise(&traces, &summary, t->work, error));
    CHECK_OK(ebm_observable_exact_mean(o, &t->model, ebm_path_end(), 0, &exact, t->work, error));
    ck_assert_double_lt(summary.rhat, 1.01);
    return (summary.mean - exact) / summary.mcse_mean;
}

/* The posterior of eight schools, whose moments are known by quadrature, from starts far out: every mean within 5
 * standard errors, a false alarm of 6e-7 each. */
START_TEST(test_nuts_eight_schools) {
    enum { CHAINS = 64, DRAWS = 600 };
    static const char *const names[] = {"first", "first_square", "second", "second_square", "square", "energy"};
    enum { NAMES = sizeof names / sizeof *names };
    const char *law[] = {"parametrisation", "non-centred", NULL};
    const ebm_model_type *schools = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "eight-schools");
    bench t;
    double(*values)[CHAINS][DRAWS] = malloc(NAMES * sizeof *values), now[CHAINS];
    ck_assert(schools && values);
    bench_open_on(&t, schools, law, NULL, CHAINS, 0, 1);
    for (size_t k = 0; k < CHAINS * t.model.space.size; k++)
        t.chains.batch.x[k] *= (ebm_real)0.2;
    warm_up(&t, 500, 1);
    for (size_t d = 0; d < DRAWS; d++) {
        walk_on(&t, 1);
        for (size_t k = 0; k < NAMES; k++) {
            ebm_observable_find(names[k])->values(&t.model, &t.chains.batch, now, t.work);
            for (size_t b = 0; b < CHAINS; b++)
                values[k][b][d] = now[b];
        }
    }
    for (size_t k = 0; k < NAMES; k++) {
        const double z = deviation(&t, ebm_observable_find(names[k]), values[k][0], CHAINS, DRAWS);
        ck_assert_msg(fabs(z) < 5, "%s: z = %g", names[k], z);
    }
    bench_close(&t);
    free(values);
}
END_TEST

/* ---- Bad input ---- */

static ebm_status try_steps(bench *t, size_t steps, ebm_error *error) {
    return t->type->step(&t->sampler, &t->model, ebm_path_end(), &t->chains, steps, t->work, error);
}

START_TEST(test_nuts_refuses) {
    const char *coarse[] = {"step", "1e4", "mass", "identity", NULL}, *fine[] = {"step", "0.3", NULL};
    bench t;
    ebm_error error = {0};
    heard h = {.sink.emit = hear};
    bench_open(&t, fine, 500, 100, 1);
    planted = NAN_GRADIENT; /* where x_0 > 2: one chain in forty gets there soon */
    for (size_t b = 0; b < 500; b++)
        t.chains.batch.x[2 * b] = (ebm_real)fmin(1.9, (double)t.chains.batch.x[2 * b]);
    ck_assert_int_eq(try_steps(&t, 20, &error), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(error.message, "chain"));
    ck_assert_ptr_nonnull(strstr(error.message, "unit 1"));
    planted = INFINITE_START;
    ck_assert_int_eq(try_steps(&t, 1, &error), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(error.message, "chain 100"));
    bench_close(&t);

    bench_open(&t, coarse, 50, 0, 1);
    walk_on(&t, 10);
    ck_assert_int_eq(t.type->report(&t.sampler, &t.chains, &h.sink, &error), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(error.message, "step"));
    ck_assert_double_eq(t.chains.accepted, 0);
    free(t.chains.auxiliary);
    t.chains.auxiliary = NULL;
    t.chains.auxiliary_bytes = 0;
    ck_assert_int_eq(try_steps(&t, 1, &error), EBM_INVALID);
    bench_close(&t);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("nuts");
    TCase *law = tcase_create("law"), *rest = tcase_create("rest");
    tcase_add_loop_test(law, test_nuts_equals_recursion, 0, REFERENCE_STEPS);
    tcase_add_loop_test(law, test_nuts_keeps_the_law, 0, 3);
    tcase_add_test(law, test_nuts_chains_are_independent_of_batching);
    tcase_add_test(rest, test_nuts_warm_up);
    tcase_add_test(rest, test_nuts_warm_up_frees_a_stuck_chain);
    tcase_add_test(rest, test_nuts_eight_schools);
    tcase_add_test(rest, test_nuts_refuses);
    tcase_set_timeout(law, 300);
    tcase_set_timeout(rest, 300);
    suite_add_tcase(suite, law);
    suite_add_tcase(suite, rest);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
