/* The ladder of replica exchange: its adaptation in warm-up, what it reports and costs, its memory, its options. All
 * seeds are fixed; every statistical bound has a false alarm below 1e-6. */
#include "sampler_laws.h"

enum { V = 6, H = 4, K = 5, WALKERS = 256 };

typedef struct replicas {
    rbm_fixture f;
    sampled s;
    ebm_chains chains;
} replicas;

/* Attached chains, each at its own state, and all its copies with it. */
static void replicas_open(replicas *r, size_t walkers, const char *const *pairs) {
    const char *all[16] = {"inner", "block-gibbs"};
    for (size_t k = 0; pairs[k]; k++)
        all[k + 2] = pairs[k];
    rbm_open(&r->f, V, H, RBM_NORMAL, 2, 82);
    sampled_open(&r->s, &r->f.model, r->f.work, "tempering", all);
    CHECK_OK(ebm_chains_create(&r->f.model, walkers, ebm_stream_of(7, EBM_PURPOSE_SAMPLE), &r->chains, error));
    for (size_t b = 0; b < walkers; b++)
        rbm_write_state(b % r->s.states, V, r->chains.batch.x + b * V);
    CHECK_OK(ebm_sampler_attach(&r->s.sampler, &r->f.model, &r->chains, error));
}
static void replicas_close(replicas *r) {
    ebm_chains_free(&r->chains);
    sampled_close(&r->s);
    rbm_close(&r->f);
}
static void run(replicas *r, size_t sweeps) {
    sampled_step(&r->s, ebm_path_end(), &r->chains, sweeps);
}

static double temperature(const replicas *r, size_t k) {
    return 1 / r->s.type->copy_path(&r->s.sampler, &r->chains, ebm_path_end(), k).beta;
}

/* rate (copies - 1): the exact swap rates in equilibrium at the present ladder,
 *   sum_xy p_a(x) p_b(y) min(1, p_a(y) p_b(x) / (p_a(x) p_b(y))). */
static void exact_rates(const replicas *r, double *rate) {
    const size_t S = r->s.states;
    for (size_t k = 0; k + 1 < r->s.copies; k++) {
        double *p = sampled_law(&r->s, (ebm_path){NULL, 1 / temperature(r, k)});
        double *q = sampled_law(&r->s, (ebm_path){NULL, 1 / temperature(r, k + 1)});
        rate[k] = 0;
        for (size_t x = 0; x < S; x++)
            for (size_t y = 0; y < S; y++)
                rate[k] += fmin(p[x] * q[y], p[y] * q[x]);
        free(p);
        free(q);
    }
}

static double spread(const replicas *r) {
    double rate[K - 1], low = 1, high = 0;
    exact_rates(r, rate);
    for (size_t k = 0; k + 1 < K; k++) {
        low = fmin(low, rate[k]);
        high = fmax(high, rate[k]);
    }
    return high - low;
}

/* ---- Adaptation ---- */

static const char *const bad_ladders[][5] = {
    {"ladder", "[1, 1.02, 1.04, 1.06, 30]"},
    {"ladder", "[1, 20, 22, 25, 30]"},
    {"temperatures", "5", "hottest", "30"},
};

/* 2000 sweeps of 256 chains end within 0.02 of equal exact rates, from rates that differ by 0.4 and more. The noise of
 * a Robbins-Monro recursion with gain g / t: var(log d) = g^2 s^2 tau / ((2 g c - 1) t) for acceptances of variance s^2
 * <= 1/4 over 256 chains, correlated over tau sweeps, and a slope c = -dA / d(log d). Here g = 10, t = 2000, c about
 * 0.3 (the rates are near 0.65) and tau, after a swap of two states in three, a few sweeps, 5 at most: sd(log d) below
 * 0.007, sd(A) below c times that, 0.002; the spread of four of them is below 0.02 by ten of those. */
START_TEST(test_tempering_adapts_to_equal_rates) {
    double frozen[K], other[K];
    replicas r;
    replicas_open(&r, WALKERS, bad_ladders[_i]);
    const double hottest = temperature(&r, K - 1);
    ck_assert_double_gt(spread(&r), 0.4);
    run(&r, 100); /* not in warm-up: nothing moves */
    ck_assert_double_gt(spread(&r), 0.4);
    r.chains.adapting = true;
    run(&r, 1000);
    run(&r, 1000);
    ck_assert_double_le(spread(&r), 0.02);
    r.chains.adapting = false;
    for (size_t k = 0; k < K; k++)
        frozen[k] = temperature(&r, k);
    run(&r, 100);
    for (size_t k = 0; k < K; k++)
        other[k] = temperature(&r, k);
    ck_assert_mem_eq(frozen, other, sizeof frozen);
    ck_assert(frozen[0] == 1 && frozen[K - 1] == hottest);
    for (size_t k = 1; k < K; k++)
        ck_assert_double_gt(frozen[k], frozen[k - 1]);
    replicas_close(&r);
}
END_TEST

START_TEST(test_tempering_adapts_only_if_asked) {
    static const char *const pairs[] = {"temperatures", "5", "hottest", "30", "adapt", "false", NULL};
    replicas r;
    replicas_open(&r, 4, pairs);
    r.chains.adapting = true;
    run(&r, 50);
    for (size_t k = 0; k < K; k++) /* 30^(k / 4), to the rounding of 1 / (1 / T) */
        ck_assert_double_eq_tol(temperature(&r, k) / pow(30, (double)k / 4), 1, 1e-15);
    replicas_close(&r);
}
END_TEST

/* ---- Measurements and costs ---- */

typedef struct values {
    ebm_sink sink;
    size_t count;
    const char *name[8];
    double value[8], se[8];
} values;

static ebm_status keep_value(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    values *v = (values *)sink;
    (void)error;
    ck_assert_uint_lt(v->count, 8);
    v->name[v->count] = metric;
    v->value[v->count] = value;
    v->se[v->count++] = se;
    return EBM_OK;
}

static values report(const replicas *r) {
    values v = {.sink = {.emit = keep_value}};
    CHECK_OK(r->s.type->report(&r->s.sampler, &r->chains, &v.sink, error));
    for (size_t k = 0; k < v.count; k++)
        ck_assert_str_eq(v.name[k], r->s.type->metrics[k].name);
    ck_assert(v.count == 4 && !r->s.type->metrics[4].name);
    return v;
}

/* Measured swap rates are the exact ones to 5 of their standard errors (5.7e-7; chains are independent, 256 of them). */
START_TEST(test_tempering_reports) {
    static const char *const pairs[] = {"ladder", "[1, 1.2, 2, 4, 6]", NULL};
    replicas r;
    double rate[K - 1], mean = 0, lowest = 1;
    replicas_open(&r, WALKERS, pairs);
    values v = report(&r);
    ck_assert(isnan(v.value[0]) && isnan(v.value[2]));
    run(&r, 500);
    ebm_chains_reset_counters(&r.s.sampler, &r.chains);
    ck_assert(isnan(report(&r).value[0]));
    run(&r, 2000);
    exact_rates(&r, rate);
    for (size_t k = 0; k + 1 < K; k++) {
        mean += rate[k] / (K - 1);
        lowest = fmin(lowest, rate[k]);
    }
    v = report(&r);
    ck_assert_double_le(fabs(v.value[0] - mean), 5 * v.se[0]);
    ck_assert_double_le(fabs(v.value[1] - lowest), 5 * v.se[1]);
    ck_assert_double_lt(v.se[0], 0.01);
    ck_assert_double_lt(v.se[1], 0.01);
    ck_assert_double_gt(fabs(mean - lowest), 0.05); /* the two can be told apart */
    ck_assert_double_gt(v.value[2], 20 * v.se[2]);  /* round trips are made, in all chains alike */
    ck_assert_double_eq(v.value[3], 6);
    replicas_close(&r);
}
END_TEST

/* Two copies that always swap (beta = 0 makes all states alike) walk up and down in turn: with one swap a sweep, each
 * of the two states makes a round trip every second sweep, the first one at sweep 2. */
START_TEST(test_tempering_round_trips) {
    static const char *const pairs[] = {"temperatures", "2", NULL};
    replicas r;
    replicas_open(&r, 3, pairs);
    const ebm_path flat = {NULL, 0};
    for (size_t sweep = 1; sweep <= 6; sweep++) {
        sampled_step(&r.s, flat, &r.chains, 1);
        values v = report(&r);
        ck_assert_double_eq(v.value[0], 1);
        ck_assert_double_eq_tol(v.value[2] * (double)sweep / 1000, (double)(sweep - 1), 1e-12);
        ck_assert_double_eq(v.se[2], 0);
    }
    replicas_close(&r);
}
END_TEST

/* Hidden units: four energies for each pair and sweep. Site updates are those of all copies. */
START_TEST(test_tempering_costs) {
    static const char *const pairs[] = {"temperatures", "5", "swap_every", "2", NULL};
    replicas r;
    replicas_open(&r, 7, pairs);
    run(&r, 3);
    ck_assert_uint_eq(r.chains.energy_evaluations, 3u * 7 * 4 * (K - 1));
    ck_assert_uint_eq(r.chains.site_updates, 3u * 7 * 2 * K * (V + H));
    ck_assert_uint_eq(r.chains.gradient_evaluations, 0);
    replicas_close(&r);
}
END_TEST

/* ---- Memory ---- */

static const char *const five[] = {"temperatures", "5", "hottest", "5", NULL};

/* Everything that goes on is in x, the auxiliary memory and the counters: also in the midst of warm-up. */
START_TEST(test_tempering_resumes) {
    replicas r, other;
    replicas_open(&r, 40, five);
    replicas_open(&other, 40, five);
    r.chains.adapting = true;
    run(&r, 20);
    ck_assert_uint_eq(other.chains.auxiliary_bytes, r.chains.auxiliary_bytes);
    ebm_chains saved = r.chains;
    saved.batch = other.chains.batch;
    saved.auxiliary = other.chains.auxiliary;
    other.chains = saved;
    memcpy(other.chains.auxiliary, r.chains.auxiliary, r.chains.auxiliary_bytes);
    memcpy(other.chains.batch.x, r.chains.batch.x, 40 * V * sizeof(ebm_real));
    other.chains.batch.field_ok = false;
    for (int k = 0; k < 2; k++) {
        run(&r, 10);
        run(&other, 10);
        ck_assert_mem_eq(other.chains.batch.x, r.chains.batch.x, 40 * V * sizeof(ebm_real));
        ck_assert_mem_eq(other.chains.auxiliary, r.chains.auxiliary, r.chains.auxiliary_bytes);
        ck_assert_uint_eq(other.chains.step, r.chains.step);
        r.chains.adapting = other.chains.adapting = false;
    }
    replicas_close(&r);
    replicas_close(&other);
}
END_TEST

/* auxiliary_start begins anew in memory that has been used, also for fewer chains: learners do so at every update. */
START_TEST(test_tempering_begins_anew) {
    replicas r, other;
    replicas_open(&r, 40, five);
    r.chains.adapting = true;
    run(&r, 20);
    r.chains.adapting = false;
    r.chains.step = 0;
    r.chains.batch.count = 25;
    for (size_t b = 0; b < 25; b++)
        rbm_write_state(b, V, r.chains.batch.x + b * V);
    r.chains.batch.field_ok = false;
    r.s.type->auxiliary_start(&r.s.sampler, &r.f.model, &r.chains);
    replicas_open(&other, 25, five);
    run(&r, 5);
    run(&other, 5);
    ck_assert_mem_eq(other.chains.batch.x, r.chains.batch.x, 25 * V * sizeof(ebm_real));
    ck_assert_mem_eq(other.chains.auxiliary, r.chains.auxiliary, other.chains.auxiliary_bytes);
    replicas_close(&r);
    replicas_close(&other);
}
END_TEST

/* What the inner sampler keeps is kept for each copy: annealing within the copies cools them all, and resumes. */
START_TEST(test_tempering_keeps_what_inner_keeps) {
    enum { COUNT = 9, HALF = 15 };
    static const char *const pairs[] = {"inner", "annealed", "temperatures", "3", NULL};
    rbm_fixture f;
    sampled s;
    ebm_chains chains, other;
    rbm_open(&f, V, H, RBM_NORMAL, 1, 85);
    sampled_open(&s, &f.model, f.work, "tempering", pairs);
    ck_assert(!s.sampler.exact);
    CHECK_OK(ebm_chains_create(&f.model, COUNT, ebm_stream_of(7, EBM_PURPOSE_SAMPLE), &chains, error));
    CHECK_OK(ebm_sampler_attach(&s.sampler, &f.model, &chains, error));
    sampled_step(&s, ebm_path_end(), &chains, HALF);
    CHECK_OK(ebm_chains_create(&f.model, COUNT, ebm_stream_of(7, EBM_PURPOSE_SAMPLE), &other, error));
    CHECK_OK(ebm_sampler_attach(&s.sampler, &f.model, &other, error));
    memcpy(other.auxiliary, chains.auxiliary, chains.auxiliary_bytes);
    memcpy(other.batch.x, chains.batch.x, COUNT * V * sizeof(ebm_real));
    other.step = chains.step;
    ebm_chains_reset_counters(&s.sampler, &chains);
    ebm_chains_reset_counters(&s.sampler, &other);
    sampled_step(&s, ebm_path_end(), &chains, HALF);
    sampled_step(&s, ebm_path_end(), &other, HALF);
    ck_assert_mem_eq(other.batch.x, chains.batch.x, COUNT * V * sizeof(ebm_real));
    ck_assert_mem_eq(other.auxiliary, chains.auxiliary, chains.auxiliary_bytes);
    ebm_chains_free(&chains);
    ebm_chains_free(&other);
    sampled_close(&s);
    rbm_close(&f);
}
END_TEST

/* A chain's walk depends on its number and step alone once the ladder stands: not on the rows beside it, nor on how
 * sweeps are grouped. (Block Gibbs may round a field differently in another block: nothing by chance once the seed is
 * fixed.) */
START_TEST(test_tempering_chains_are_independent_of_batching) {
    enum { ROWS = 40, FIRST = 15 };
    replicas whole, part, single;
    replicas_open(&whole, ROWS, five);
    replicas_open(&single, ROWS, five);
    replicas_open(&part, ROWS - FIRST, five);
    part.chains.first_chain = FIRST;
    for (size_t b = FIRST; b < ROWS; b++)
        rbm_write_state(b % whole.s.states, V, part.chains.batch.x + (b - FIRST) * V);
    CHECK_OK(ebm_sampler_attach(&part.s.sampler, &part.f.model, &part.chains, error));
    run(&whole, 12);
    run(&part, 12);
    for (int k = 0; k < 12; k++)
        run(&single, 1);
    for (size_t copy = 0; copy < K; copy++) {
        const ebm_real *all = sampled_copy(&whole.s, &whole.chains, copy);
        ck_assert_mem_eq(all + FIRST * V, sampled_copy(&part.s, &part.chains, copy),
                         (ROWS - FIRST) * V * sizeof(ebm_real));
        ck_assert_mem_eq(all, sampled_copy(&single.s, &single.chains, copy), ROWS * V * sizeof(ebm_real));
    }
    replicas_close(&whole);
    replicas_close(&single);
    replicas_close(&part);
}
END_TEST

/* Copies draw numbers of their own: at one temperature (beta = 0: no state is preferred) and from one state, two copies
 * would else walk together. States of 6 units are equal by chance in one of 64 cases: 16 of 4 x 256, sd 4, 10 sd. */
START_TEST(test_tempering_copies_draw_their_own_numbers) {
    replicas r;
    size_t equal = 0;
    replicas_open(&r, WALKERS, five);
    sampled_step(&r.s, (ebm_path){NULL, 0}, &r.chains, 1);
    const ebm_real *x = r.chains.batch.x;
    for (size_t copy = 1; copy < K; copy++) {
        const ebm_real *y = sampled_copy(&r.s, &r.chains, copy);
        for (size_t b = 0; b < WALKERS; b++)
            equal += memcmp(x + b * V, y + b * V, V * sizeof *x) == 0;
    }
    ck_assert_uint_le(equal, 56);
    replicas_close(&r);
}
END_TEST

/* ---- What cannot be ---- */

static const struct {
    const char *pairs[7];
    const char *says;
} refused[] = {
    {{"temperatures", "1"}, "a ladder of one temperature"},
    {{"ladder", "1"}, "a ladder of one temperature"},
    {{"hottest", "1"}, "hottest is 1"},
    {{"ladder", "[1.5, 2]"}, "begins with 1.5"},
    {{"ladder", "[1, 3, 2]"}, "from 3 to 2"},
    {{"ladder", "[1, 2, 2]"}, "from 2 to 2"},
    {{"inner", "block-gibs"}, "did you mean 'block-gibbs'"},
    {{"inner", "xyz"}, "expected one of "},
    {{"inner", "tempering"}, "its own"},
};

START_TEST(test_tempering_refuses) {
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "tempering");
    const char *all[8] = {"inner", "block-gibbs"};
    rbm_fixture f;
    ebm_sampler sampler;
    ebm_error failure = {0};
    for (size_t k = 0; refused[_i].pairs[k]; k++)
        all[k + 2] = refused[_i].pairs[k];
    rbm_open(&f, 3, 3, RBM_NORMAL, 1, 1);
    void *options = test_options(&type->info, all);
    ck_assert_int_eq(ebm_sampler_check(type, options, f.type, &failure), EBM_INVALID);
    ck_assert_msg(strstr(failure.message, refused[_i].says) != NULL, "%s", failure.message);
    ck_assert_int_eq(ebm_sampler_create(type, options, &f.model, &sampler, &failure), EBM_INVALID);
    ebm_sampler_free(&sampler);
    test_options_free(&type->info, options);
    rbm_close(&f);
}
END_TEST

START_TEST(test_tempering_needs) {
    ebm_error failure = {0};
    replicas r;
    replicas_open(&r, 4, five);
    ebm_model_type poor = *r.f.type;
    poor.sample_visible = NULL;
    ck_assert_int_eq(ebm_sampler_check(r.s.type, r.s.options, &poor, &failure), EBM_UNSUPPORTED);
    ck_assert_str_eq(failure.message, "sampler block-gibbs needs block conditionals, model rbm has none");
    r.chains.batch.count = 3; /* not the chains that were attached */
    ck_assert_int_eq(r.s.type->step(&r.s.sampler, &r.f.model, ebm_path_end(), &r.chains, 1, r.f.work, &failure),
                     EBM_INVALID);
    free(r.chains.auxiliary);
    r.chains.auxiliary = NULL;
    ck_assert_int_eq(r.s.type->step(&r.s.sampler, &r.f.model, ebm_path_end(), &r.chains, 1, r.f.work, &failure),
                     EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(failure.message, "attach"));
    double T;
    ck_assert_int_eq(r.s.type->kernel(&r.s.sampler, &r.f.model, ebm_path_end(), 1, &T, r.f.work, &failure),
                     EBM_UNSUPPORTED); /* 64^5 tuples */
    replicas_close(&r);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("tempering_ladder");
    TCase *cases = tcase_create("ladder");
    tcase_add_loop_test(cases, test_tempering_adapts_to_equal_rates, 0, 3);
    tcase_add_test(cases, test_tempering_adapts_only_if_asked);
    tcase_add_test(cases, test_tempering_reports);
    tcase_add_test(cases, test_tempering_round_trips);
    tcase_add_test(cases, test_tempering_costs);
    tcase_add_test(cases, test_tempering_resumes);
    tcase_add_test(cases, test_tempering_begins_anew);
    tcase_add_test(cases, test_tempering_keeps_what_inner_keeps);
    tcase_add_test(cases, test_tempering_chains_are_independent_of_batching);
    tcase_add_test(cases, test_tempering_copies_draw_their_own_numbers);
    tcase_add_loop_test(cases, test_tempering_refuses, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(cases, test_tempering_needs);
    tcase_set_timeout(cases, 300);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
