/* The tanh network: its rests, its energy and its hard limit, from their formulas in double. */
#include "memory_fixture.h"

#include "ebm/sampler.h"

typedef struct trial {
    ebm_sampler sampler;
    const ebm_sampler_type *type;
    void *options;
    ebm_chains chains;
} trial;

/* A chain from each pattern with its first `flips` units flipped. */
static void trial_open(memory *m, const char *const *pairs, size_t flips, trial *t) {
    t->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "graded-response");
    ck_assert_ptr_nonnull(t->type);
    t->options = test_options(&t->type->info, pairs);
    CHECK_OK(ebm_sampler_create(t->type, t->options, &m->model, &t->sampler, error));
    CHECK_OK(ebm_chains_create(&m->model, m->K, ebm_stream_of(1, EBM_PURPOSE_SAMPLE), &t->chains, error));
    memcpy(t->chains.batch.x, m->x, m->K * m->V * sizeof *m->x);
    for (size_t p = 0; p < m->K; p++)
        for (size_t i = 0; i < flips; i++)
            t->chains.batch.x[p * m->V + i] *= -1;
    CHECK_OK(ebm_sampler_attach(&t->sampler, &m->model, &t->chains, error));
}

static void trial_step(memory *m, trial *t) {
    CHECK_OK(t->type->step(&t->sampler, &m->model, ebm_path_end(), &t->chains, 1, m->work, error));
}

static void trial_close(trial *t) {
    ebm_chains_free(&t->chains);
    ebm_sampler_free(&t->sampler);
    test_options_free(&t->type->info, t->options);
}

/* v of all chains: the end of what the sampler keeps. */
static const ebm_real *graded_states(const memory *m, const trial *t) {
    const size_t bytes = m->K * m->V * sizeof(ebm_real);
    return (const ebm_real *)(const void *)((const char *)t->chains.auxiliary + t->chains.auxiliary_bytes - bytes);
}

static double rise, rest, time_passed;
static ebm_status note(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)sink;
    (void)se;
    (void)error;
    *(strcmp(metric, "graded_energy_rise") == 0 ? &rise
      : strcmp(metric, "graded_at_rest") == 0   ? &rest
                                                : &time_passed) = value;
    return EBM_OK;
}

static void report(const trial *t) {
    ebm_sink sink = {.emit = note};
    CHECK_OK(t->type->report(&t->sampler, &t->chains, &sink, error));
}

static void give_bias(memory *m, double size) {
    ebm_real *bias = ebm_model_view(&m->model, "bias");
    for (size_t i = 0; i < m->V; i++)
        bias[i] = (ebm_real)(size * (i % 3 - 1.0));
}

/* From its definition: A by Simpson's rule with 2000 pieces, whose error for |v| <= 0.999 is below 1e-7. */
static double energy(const memory *m, double gain, const double *v) {
    enum { PIECES = 2000 };
    const ebm_real *W = ebm_model_view(&m->model, "W"), *bias = ebm_model_view(&m->model, "bias");
    double E = 0;
    for (size_t i = 0; i < m->V; i++) {
        double f = 0, A = 0;
        for (size_t j = 0; j < m->V; j++)
            f += (double)W[i * m->V + j] * v[j];
        for (int k = 0; k <= PIECES; k++)
            A += (k == 0 || k == PIECES ? 1 : k % 2 ? 4 : 2) * atanh(v[i] * k / PIECES) * v[i] / (3 * PIECES);
        E += -0.5 * v[i] * f - (double)bias[i] * v[i] + A / gain;
    }
    return E;
}

/* |v - tanh(g f)| at the end is at most the tolerance and the rounding of g f: 40 terms below 1, times g. */
START_TEST(test_graded_response_ends_where_it_stands_still) {
    static const char *const pairs[] = {"gain", "3", "tolerance", "0.001", NULL};
    memory m;
    trial t;
    memory_open(&m, 40, 4, 11 + (uint64_t)_i);
    CHECK_OK(update(&m, _i % 2 ? "pseudo-inverse" : "hebbian", NULL, 1, error));
    give_bias(&m, 0.1);
    trial_open(&m, pairs, 8, &t);
    trial_step(&m, &t);
    report(&t);
    ck_assert_double_eq(rest, 1);
    ck_assert_double_eq(rise, 0);
    ck_assert_double_gt(time_passed, 1);
    const ebm_real *v = graded_states(&m, &t), *W = ebm_model_view(&m.model, "W"),
                   *bias = ebm_model_view(&m.model, "bias");
    for (size_t p = 0; p < m.K; p++)
        for (size_t i = 0; i < m.V; i++) {
            double f = (double)bias[i];
            for (size_t j = 0; j < m.V; j++)
                f += (double)W[i * m.V + j] * (double)v[p * m.V + j];
            ck_assert_double_le(fabs(tanh(3 * f) - (double)v[p * m.V + i]), 0.001 + 3 * 40 * 0x1p-23);
            ck_assert_double_lt(fabs((double)v[p * m.V + i]), 1);
            ck_assert_double_eq((double)t.chains.batch.x[p * m.V + i], v[p * m.V + i] > 0 ? 1 : -1);
        }
    trial_close(&t);
    memory_close(&m);
}
END_TEST

/* Time 0.1 after time 0.1, each one step: the energy of its definition falls at every one, until rounding. */
START_TEST(test_graded_response_lowers_its_energy) {
    enum { STEPS = 60 };
    static const char *const pairs[] = {"gain", "3", "step", "0.1", "duration", "0.1", "tolerance", "1e-6", NULL};
    memory m;
    trial t;
    memory_open(&m, 20, 3, 5);
    CHECK_OK(update(&m, "storkey", NULL, 1, error));
    give_bias(&m, 0.2);
    trial_open(&m, pairs, 6, &t);
    double before[3] = {INFINITY, INFINITY, INFINITY}, v[20], fallen = 0;
    for (size_t s = 0; s < STEPS; s++) {
        trial_step(&m, &t);
        for (size_t p = 0; p < m.K; p++) {
            for (size_t i = 0; i < m.V; i++)
                v[i] = (double)graded_states(&m, &t)[p * m.V + i];
            const double E = energy(&m, 3, v);
            /* rounding of v and of its fields, 2^-24 each, in 20 units with fields below 2 */
            ck_assert_double_lt(E, before[p] + 20 * 4 * 0x1p-24);
            fallen += s > 0 ? before[p] - E : 0;
            before[p] = E;
        }
    }
    ck_assert_double_gt(fallen, 1);
    trial_close(&t);
    memory_close(&m);
}
END_TEST

/* Two units with w = -1: L = 1, and at g = 2 no step of h <= 2/3 raises E. One of h = 1 goes from the same side of both to
 * the other and back, for ever, and every other step is one up, because a bias sets the two sides apart. */
START_TEST(test_graded_response_needs_small_steps) {
    static const char *const large[] = {"gain", "2", "step", "1", "duration", "30", NULL};
    static const char *const small[] = {"gain", "2", "step", "0.66", "duration", "300", NULL};
    for (int k = 0; k < 2; k++) {
        memory m;
        trial t;
        memory_open(&m, 2, 1, 1);
        memset(m.model.theta, 0, m.model.n_theta * sizeof(ebm_real));
        m.model.theta[1] = m.model.theta[2] = -1;
        ebm_model_view(&m.model, "bias")[0] = ebm_model_view(&m.model, "bias")[1] = (ebm_real)0.1;
        m.x[0] = m.x[1] = 1;
        trial_open(&m, k ? small : large, 0, &t);
        trial_step(&m, &t);
        report(&t);
        ck_assert_double_eq(rest, k);
        if (k)
            ck_assert_double_eq(rise, 0);
        else
            ck_assert_double_gt(rise, 0.01);
        trial_close(&t);
        memory_close(&m);
    }
}
END_TEST

/* Patterns of the pseudo-inverse have fields of at least 1 - P_ii in size: where g (1 - P_ii) is large they are rests but for
 * a trifle, and cues with few wrong units go back to them. A gain below 1 over the largest eigenvalue forgets everything. */
START_TEST(test_graded_response_recalls_at_high_gain) {
    static const char *const high[] = {"gain", "50", "step", "0.02", NULL}, *const low[] = {"gain", "0.8", NULL};
    memory m;
    trial t;
    memory_open(&m, 100, 5, 21);
    CHECK_OK(update(&m, "pseudo-inverse", NULL, 1, error));
    trial_open(&m, high, 15, &t);
    trial_step(&m, &t);
    report(&t);
    ck_assert(rest == 1 && rise == 0);
    ck_assert_int_eq(memcmp(t.chains.batch.x, m.x, m.K * m.V * sizeof *m.x), 0);
    trial_close(&t);
    trial_open(&m, low, 15, &t);
    trial_step(&m, &t);
    for (size_t k = 0; k < m.K * m.V; k++)
        ck_assert_double_lt(fabs((double)graded_states(&m, &t)[k]), 0.01);
    trial_close(&t);
    memory_close(&m);
}
END_TEST

/* A chain's flow is its own: the same to the bit on one thread and on two. */
START_TEST(test_graded_response_does_not_depend_on_threads) {
    memory m[2];
    trial t[2];
    for (int k = 0; k < 2; k++) {
        memory_open_on(&m[k], "hopfield", EBM_SPIN, 64, 9, 1 + k, 3);
        CHECK_OK(update(&m[k], "hebbian", NULL, 1, error));
        trial_open(&m[k], NULL, 20, &t[k]);
        trial_step(&m[k], &t[k]);
    }
    ck_assert_mem_eq(graded_states(&m[0], &t[0]), graded_states(&m[1], &t[1]), 9 * 64 * sizeof(ebm_real));
    for (int k = 0; k < 2; k++) {
        trial_close(&t[k]);
        memory_close(&m[k]);
    }
}
END_TEST

START_TEST(test_graded_response_refuses_other_models) {
    memory m;
    memory_open_on(&m, "ising", EBM_SPIN, 16, 1, 1, 1);
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "graded-response");
    void *options = test_options(&type->info, NULL);
    ebm_sampler sampler;
    ebm_error error = {0};
    ck_assert_int_eq(ebm_sampler_create(type, options, &m.model, &sampler, &error), EBM_UNSUPPORTED);
    ck_assert_msg(strstr(error.message, "model ising has none") != NULL, "%s", error.message);
    ebm_sampler_free(&sampler);
    test_options_free(&type->info, options);
    memory_close(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("graded_response");
    TCase *cases = tcase_create("flow");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, test_graded_response_ends_where_it_stands_still, 0, 4);
    tcase_add_test(cases, test_graded_response_lowers_its_energy);
    tcase_add_test(cases, test_graded_response_needs_small_steps);
    tcase_add_test(cases, test_graded_response_recalls_at_high_gain);
    tcase_add_test(cases, test_graded_response_does_not_depend_on_threads);
    tcase_add_test(cases, test_graded_response_refuses_other_models);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
