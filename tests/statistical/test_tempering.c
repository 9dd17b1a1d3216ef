/* Replica exchange: its matrix over tuples of states against the definition, its real steps against the matrix, the
 * adaptation of its ladder, its memory. All seeds are fixed; every statistical bound has a false alarm below 1e-6. */
#include "potts_fixture.h"
#include "sampler_laws.h"

#include "ebm/diagnostics.h"

static const struct {
    int base;
    double beta;
} paths[] = {{0, 1.0}, {0, 0.4}, {1, 0.8}};
enum { PATHS = sizeof paths / sizeof paths[0] };

typedef struct replicas {
    rbm_fixture f;
    sampled s;
} replicas;

/* "option", "value", ... NULL beside inner: block-gibbs. */
static void replicas_open(replicas *r, size_t V, size_t H, double scale, const char *const *pairs) {
    const char *all[16] = {"inner", "block-gibbs"};
    for (size_t k = 0; pairs[k]; k++)
        all[k + 2] = pairs[k];
    rbm_open(&r->f, V, H, RBM_NORMAL, scale, 81);
    sampled_open(&r->s, &r->f.model, r->f.work, "tempering", all);
}
static void replicas_close(replicas *r) {
    sampled_close(&r->s);
    rbm_close(&r->f);
}

/* ---- The matrix ---- */

static const struct {
    size_t V;
    const char *pairs[7];
    size_t K;
    double temperature[4];
    size_t sweeps;
} ladders[] = {
    {3, {"temperatures", "2", "hottest", "3"}, 2, {1, 3}, 1},
    {2, {"ladder", "[1, 1.5, 4]"}, 3, {1, 1.5, 4}, 1},
    {2, {"temperatures", "4", "hottest", "8"}, 4, {1, 2, 4, 8}, 1},
    {1, {"ladder", "[1, 2, 5]", "swap_every", "3"}, 3, {1, 2, 5}, 3},
};
enum { LADDERS = sizeof ladders / sizeof ladders[0] };

/* p T = p: sums of at most 256 products in double, and the kernel's own: 1e-12 as elsewhere. */
START_TEST(test_tempering_kernel_invariant) {
    for (size_t k = 0; k < PATHS; k++) {
        replicas r;
        replicas_open(&r, ladders[_i].V, 3, 1.5, ladders[_i].pairs);
        const ebm_path path = rbm_path(&r.f, paths[k].base, paths[k].beta);
        double *T = sampled_kernel(&r.s, path), *p = sampled_joint_law(&r.s, path);
        const ebm_exact_chain chain = {T, p, r.s.tuples};
        ebm_chain_residuals residuals;
        CHECK_OK(ebm_exact_chain_residuals(&chain, &residuals, r.f.work, error));
        ck_assert_double_le(residuals.row_sum, 1e-12);
        ck_assert_double_ge(residuals.lowest, 0);
        ck_assert_double_le(residuals.stationarity, 1e-12);
        ck_assert(r.s.sampler.exact && !r.s.sampler.reversible);
        if (r.s.copies > 2) /* it says that it is not reversible, and is not: the parts have an order */
            ck_assert_double_gt(residuals.detailed_balance, 1e-9);
        free(T);
        free(p);
        replicas_close(&r);
    }
}
END_TEST

/* The definition once more, as dense matrices: the inner kernels of all copies tuple by tuple, then each swap by the
 * ratio of the joint law p at the two tuples. */
static double *defined_kernel(replicas *r, size_t ladder, ebm_path path) {
    const size_t S = r->s.tuples, s = r->s.states, K = r->s.copies;
    double *L = oracle_memory(S * S), *p = sampled_joint_law(&r->s, path), *T = oracle_memory(S * S);
    sampled inner;
    sampled_open(&inner, &r->f.model, r->f.work, "block-gibbs", NULL);
    for (size_t t = 0; t < S * S; t++)
        L[t] = 1;
    for (size_t k = 0, low = 1; k < K; k++, low *= s) {
        double *one = sampled_kernel(&inner, (ebm_path){path.base, path.beta / ladders[ladder].temperature[k]});
        double *power = oracle_memory(s * s);
        for (size_t i = 0; i < s; i++)
            power[i * s + i] = 1;
        for (size_t n = 0; n < ladders[ladder].sweeps; n++)
            sampled_multiply(s, power, one);
        for (size_t t = 0; t < S; t++)
            for (size_t u = 0; u < S; u++)
                L[t * S + u] *= power[t / low % s * s + u / low % s];
        free(one);
        free(power);
    }
    static const size_t order[] = {0, 2, 1};
    for (size_t n = 0; n < 3; n++) {
        size_t low = 1;
        for (size_t k = 0; k < order[n]; k++)
            low *= s;
        if (order[n] + 1 >= K)
            continue;
        memset(T, 0, S * S * sizeof *T);
        for (size_t t = 0; t < S; t++) {
            const size_t a = t / low % s, b = t / (low * s) % s, u = t - a * low - b * low * s + b * low + a * low * s;
            T[t * S + u] += fmin(1, p[u] / p[t]);
            T[t * S + t] += 1 - fmin(1, p[u] / p[t]);
        }
        sampled_multiply(S, L, T);
    }
    sampled_close(&inner);
    free(p);
    free(T);
    return L;
}

START_TEST(test_tempering_kernel_definition) {
    for (size_t k = 0; k < PATHS; k++) {
        replicas r;
        replicas_open(&r, ladders[_i].V, 3, 1.5, ladders[_i].pairs);
        ck_assert_uint_eq(r.s.copies, ladders[_i].K);
        const ebm_path path = rbm_path(&r.f, paths[k].base, paths[k].beta);
        double *T = sampled_kernel(&r.s, path), *want = defined_kernel(&r, (size_t)_i, path), worst = 0;
        for (size_t t = 0; t < r.s.tuples * r.s.tuples; t++)
            worst = fmax(worst, fabs(T[t] - want[t]));
        ck_assert_double_le(worst, 1e-12);
        free(T);
        free(want);
        replicas_close(&r);
    }
}
END_TEST

/* ---- Real steps ---- */

enum { CHAINS = 20000, ROUNDS = 4 };

/* The law of `sweeps` sweeps from every tuple. */
static double *power_of(sampled *s, ebm_path path, size_t sweeps) {
    double *L = sampled_kernel(s, path), *T = oracle_memory(s->tuples * s->tuples);
    memcpy(T, L, s->tuples * s->tuples * sizeof *T);
    for (size_t k = 1; k < sweeps; k++)
        sampled_multiply(s->tuples, L, T);
    free(T);
    return L;
}

static double steps_excess(sampled *s, ebm_path path, walk_plan plan, size_t rounds) {
    double *L = power_of(s, path, plan.calls * plan.sweeps);
    const double excess = sampled_excess(s, path, plan, CHAINS, rounds, L);
    free(L);
    return excess;
}

static const char *const three[] = {"ladder", "[1, 1.8, 4]", NULL};

static const char *const four[] = {"ladder", "[1, 1.5, 2.5, 5]", NULL};
static const char *const two[] = {"ladder", "[1, 4]", NULL};

/* 16 tuples and 64: single sweeps, several in a call, several calls, hidden units kept. */
START_TEST(test_tempering_steps_follow_kernel) {
    static const walk_plan plans[] = {{1, 1, false}, {1, 2, false}, {2, 2, false}, {3, 1, true}, {1, 3, true}};
    for (size_t k = 0; k < sizeof plans / sizeof plans[0]; k++)
        for (size_t V = 1; V <= 2; V++) {
            replicas r;
            replicas_open(&r, V, 3, 3, V == 1 ? four : three);
            const ebm_path path = rbm_path(&r.f, paths[_i].base, paths[_i].beta);
            const double excess = steps_excess(&r.s, path, plans[k], ROUNDS);
            ck_assert_msg(excess <= 1, "V = %zu, %zu calls of %zu: %g", V, plans[k].calls, plans[k].sweeps, excess);
            replicas_close(&r);
        }
}
END_TEST

/* Four tuples and ten times the walks: numbers used twice would show. The unit follows its hidden unit, which follows
 * it, so that what one does next depends on the numbers behind the other. */
START_TEST(test_tempering_numbers_are_used_once) {
    static const double follower[] = {5, -2, -2.5}; /* W, b, c */
    replicas r;
    replicas_open(&r, 1, 1, 1, two);
    memcpy(r.f.machine.theta, follower, sizeof follower);
    rbm_set_theta(&r.f);
    const ebm_path path = rbm_path(&r.f, paths[_i].base, paths[_i].beta);
    ck_assert_double_le(steps_excess(&r.s, path, (walk_plan){1, 2, false}, 10 * ROUNDS), 1);
    replicas_close(&r);
}
END_TEST

/* Without hidden units the exponent is linear in the inverse temperature: from uniform and other bases, in all inner
 * sweeps that keep fields. */
START_TEST(test_tempering_without_hidden_units) {
    static const walk_plan plans[] = {{1, 1, false}, {1, 3, false}};
    static const char *const pairs[] = {"ladder", "[1, 1.8, 4]", "swap_every", "1", NULL};
    potts_fixture f;
    sampled s;
    potts_open(&f, (potts_shape){POTTS_DENSE, 1, 2, 2}, 1.5, 83);
    sampled_open(&s, &f.model, f.work, "tempering", pairs);
    const ebm_path path = potts_path(&f, paths[_i].base, paths[_i].beta);
    for (size_t k = 0; k < 2; k++)
        ck_assert_double_le(steps_excess(&s, path, plans[k], ROUNDS), 1);
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(&f.model, 10, ebm_stream_of(5, EBM_PURPOSE_ESTIMATE), &chains, error));
    CHECK_OK(ebm_sampler_attach(&s.sampler, &f.model, &chains, error));
    sampled_step(&s, path, &chains, 4); /* one energy for each copy, and one of the base */
    ck_assert_uint_eq(chains.energy_evaluations, 4u * 10 * 3 * (paths[_i].base ? 2 : 1));
    ebm_chains_free(&chains);
    sampled_close(&s);
    potts_close(&f);
}
END_TEST

/* Every exact sampler that the machine can have moves the copies: p T = p, and steps follow T. */
START_TEST(test_tempering_of_any_sampler) {
    size_t tried = 0;
    potts_fixture f;
    potts_open(&f, (potts_shape){POTTS_GRID, 1, 2, 3}, 1, 84);
    ebm_real *coupling = ebm_model_view(&f.model, "coupling");
    *coupling = (ebm_real)fabs((double)*coupling); /* clusters need it */
    ebm_model_refresh(&f.model, f.work);
    const ebm_component *c;
    for (size_t i = 0; (c = ebm_component_at(EBM_KIND_SAMPLER, i)) != NULL; i++) {
        const char *pairs[] = {"inner", c->name, "temperatures", "2", NULL};
        const ebm_sampler_type *type = (const ebm_sampler_type *)c;
        if (type->copies || !type->exact || ebm_sampler_check(type, NULL, f.type, NULL) != EBM_OK)
            continue;
        sampled s;
        sampled_open(&s, &f.model, f.work, "tempering", pairs);
        ck_assert(s.sampler.exact);
        const ebm_path path = potts_path(&f, 0, 0.8);
        double *T = sampled_kernel(&s, path), *p = sampled_joint_law(&s, path);
        const ebm_exact_chain chain = {T, p, s.tuples};
        ebm_chain_residuals residuals;
        CHECK_OK(ebm_exact_chain_residuals(&chain, &residuals, f.work, error));
        ck_assert_double_le(residuals.stationarity, 1e-12);
        free(T);
        free(p);
        const double excess = steps_excess(&s, path, (walk_plan){1, 2, false}, ROUNDS);
        ck_assert_msg(excess <= 1, "tempering of %s: %g", c->name, excess);
        sampled_close(&s);
        tried++;
    }
    ck_assert_uint_ge(tried, 6);
    potts_close(&f);
}
END_TEST

/* The rule of the swaps with the wrong sign. */
static const ebm_model_type *real;

static void negated_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch, double *out,
                               ebm_work *work) {
    real->energy_difference(model, to, from, batch, out, work);
}

START_TEST(test_tempering_checks_see_mistakes) {
    replicas r;
    replicas_open(&r, 2, 3, 1.5, three);
    const ebm_path path = rbm_path(&r.f, paths[_i].base, paths[_i].beta);
    ebm_model_type wrong = *r.f.type;
    real = r.f.type;
    double *L = power_of(&r.s, path, 1);
    r.f.model.type = &wrong;
    wrong.energy_difference = negated_difference;
    ck_assert_double_gt(sampled_excess(&r.s, path, (walk_plan){1, 1, false}, CHAINS, ROUNDS, L), 1);
    wrong.energy_difference = NULL; /* then two energies are subtracted: the same law */
    ck_assert_double_le(sampled_excess(&r.s, path, (walk_plan){1, 1, false}, CHAINS, ROUNDS, L), 1);
    r.f.model.type = real;
    free(L);
    replicas_close(&r);
}
END_TEST

static size_t draw(const double *p, size_t S, test_random *r) {
    double u = test_random_uniform(r);
    size_t v = 0;
    while (v + 1 < S && u >= p[v])
        u -= p[v++];
    return v;
}

/* Chains in equilibrium: every copy drawn from its own law. */
static void start_in_equilibrium(sampled *s, ebm_path path, ebm_chains *chains, uint64_t seed) {
    test_random random = {seed};
    CHECK_OK(ebm_sampler_attach(&s->sampler, s->model, chains, error));
    for (size_t r = 0; r < s->copies; r++) {
        double *p = sampled_law(s, s->type->copy_path(&s->sampler, chains, path, r));
        for (size_t b = 0; b < chains->batch.count; b++)
            ebm_states_fill(&s->model->space, draw(p, s->states, &random), 1,
                            sampled_copy(s, chains, r) + b * s->model->space.size);
        free(p);
    }
    chains->batch.field_ok = chains->batch.hidden_ok = false;
}

/* Copy r's total variation from its law in units of its floor, the expected one of CHAINS exact draws. */
static double copy_drift(sampled *s, ebm_path path, ebm_chains *chains, size_t r) {
    const size_t S = s->states, V = s->model->space.size;
    double *p = sampled_law(s, s->type->copy_path(&s->sampler, chains, path, r)), *q = oracle_memory(S);
    for (size_t b = 0; b < CHAINS; b++)
        q[ebm_states_code(&s->model->space, sampled_copy(s, chains, r) + b * V)] += 1.0 / CHAINS;
    const double floor_tv = expected_total_variation(S, p, CHAINS), drift = total_variation(S, p, q) / floor_tv;
    /* 4 floors are three above the expectation; 5 copies at 4 times */
    ck_assert_double_lt(20 * total_variation_false_alarm(CHAINS, 3 * floor_tv), 1e-6);
    free(p);
    free(q);
    return drift;
}

START_TEST(test_tempering_stays_at_equilibrium) {
    static const size_t sweeps[] = {0, 1, 3, 12};
    static const char *const five[] = {"temperatures", "5", "hottest", "6", NULL};
    replicas r;
    replicas_open(&r, 4, 3, 1.5, five);
    const ebm_path path = rbm_path(&r.f, paths[_i].base, paths[_i].beta);
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(&r.f.model, CHAINS, ebm_stream_of(5, EBM_PURPOSE_ESTIMATE), &chains, error));
    start_in_equilibrium(&r.s, path, &chains, 99);
    for (size_t k = 0; k < 4; k++) {
        sampled_step(&r.s, path, &chains, sweeps[k]);
        for (size_t copy = 0; copy < r.s.copies; copy++) {
            const double drift = copy_drift(&r.s, path, &chains, copy);
            ck_assert_msg(drift <= 4, "copy %zu after %zu more sweeps: %g floors", copy, sweeps[k], drift);
        }
    }
    ebm_chains_free(&chains);
    replicas_close(&r);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("tempering");
    TCase *kernel = tcase_create("kernel"), *steps = tcase_create("steps");
    tcase_add_loop_test(kernel, test_tempering_kernel_invariant, 0, LADDERS);
    tcase_add_loop_test(kernel, test_tempering_kernel_definition, 0, LADDERS);
    tcase_add_loop_test(steps, test_tempering_steps_follow_kernel, 0, PATHS);
    tcase_add_loop_test(steps, test_tempering_numbers_are_used_once, 0, PATHS);
    tcase_add_loop_test(steps, test_tempering_without_hidden_units, 0, PATHS);
    tcase_add_test(steps, test_tempering_of_any_sampler);
    tcase_add_loop_test(steps, test_tempering_checks_see_mistakes, 0, PATHS);
    tcase_add_loop_test(steps, test_tempering_stays_at_equilibrium, 0, PATHS);
    tcase_set_timeout(kernel, 300);
    tcase_set_timeout(steps, 300);
    suite_add_tcase(suite, kernel);
    suite_add_tcase(suite, steps);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
