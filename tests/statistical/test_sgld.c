/* Stochastic gradient Langevin dynamics against what its recursion says: the schedule's sum of steps on a flat law, the
 * variance that it settles in with gradients whose noise is known, the examples that it asks for, its costs, and the same
 * bytes however the rows and calls are cut.
 *
 * Means of n draws pass 6 standard errors with probability 2e-9; a variance s of m independent draws has the
 * standard error s sqrt(2 / m) (draws here are sums of many terms, close to normal). */
#include "rbm_fixture.h"
#include "statistics.h"

#include "ebm/sampler.h"
#include "models/real_path.h"

enum { UNITS = 3, EXAMPLES = 7, MOST_CHAINS = 20000 };

/* ---- A posterior made for this: E = sum_i |theta - y_i|^2 precision / 2, gradients of examples precision (theta - y_i) ----
 */
static double precision = 0.5;            /* 0: flat */
static double asked[EXAMPLES];            /* how often each example was asked for */
static double pairs[EXAMPLES * EXAMPLES]; /* the first two examples of a row */

static double example(size_t i, size_t j) {
    static const double y[EXAMPLES][UNITS] = {{0.8, -0.3, 1},   {-0.8, -0.1, 0.4}, {0.7, 0.5, -0.9}, {-0.5, 0.7, -0.2},
                                              {0.4, -0.9, 0.9}, {-0.3, 1, 0.1},    {0.2, -1, -0.6}};
    return y[i][j];
}

static ebm_status plain_space(const void *options, ebm_space *out, ebm_error *error) {
    (void)options, (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, UNITS);
    return EBM_OK;
}
static ebm_status plain_create(ebm_model *model, const void *options, ebm_error *error) {
    (void)options, (void)error;
    model->examples = EXAMPLES;
    return EBM_OK;
}
static void plain_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    for (size_t b = 0; b < batch->count; b++) {
        out[b] = 0;
        for (size_t k = 0; k < EXAMPLES * UNITS; k++)
            out[b] += precision / 2 * pow((double)batch->x[b * UNITS + k % UNITS] - example(k / UNITS, k % UNITS), 2);
    }
    ebm_real_add_base(model, path, batch, out, NULL, work);
}
static void minibatch(const ebm_model *model, const ebm_batch *batch, const uint32_t *examples, size_t drawn,
                      ebm_real *out, ebm_work *work) {
    (void)model, (void)work;
    for (size_t b = 0; b < batch->count; b++)
        for (size_t j = 0; j < UNITS; j++) {
            double sum = 0;
            for (size_t k = 0; k < drawn; k++) {
                const size_t i = examples ? examples[b * drawn + k] : k;
                sum += precision * ((double)batch->x[b * UNITS + j] - example(i, j));
                if (examples && j == 0)
                    asked[i]++;
            }
            if (examples && j == 0 && drawn > 1)
                pairs[examples[b * drawn] * EXAMPLES + examples[b * drawn + 1]]++;
            out[b * UNITS + j] = (ebm_real)(EXAMPLES * sum / (double)drawn);
        }
}
static void plain_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    minibatch(model, batch, NULL, EXAMPLES, out, work);
    ebm_real_add_base(model, path, batch, NULL, out, work);
}

static const ebm_option no_options[] = {EBM_OPTIONS_END};
static const ebm_model_type plain_type = {
    .info = {"plain-posterior", "for tests", "", no_options, 0},
    .domains = 1u << EBM_REAL_LINE,
    .space = plain_space,
    .create = plain_create,
    .initialise = ebm_real_initialise_nothing,
    .energy = plain_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = plain_grad_x,
    .grad_x_minibatch = minibatch,
};

/* ---- A walk ---- */

typedef struct walk {
    ebm_model model;
    const ebm_sampler_type *type;
    void *model_options, *options;
    ebm_sampler sampler;
    ebm_chains chains;
    ebm_work *work;
} walk;

static void walk_open(walk *w, const ebm_model_type *model, const char *const *options, size_t chains, int threads) {
    memset(w, 0, sizeof *w);
    w->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "sgld");
    ck_assert_ptr_nonnull(w->type);
    ck_assert(!w->type->exact && !w->type->reversible);
    w->model_options = test_options(&model->info, NULL);
    w->options = test_options(&w->type->info, options);
    CHECK_OK(ebm_work_create(threads, &w->work, error));
    CHECK_OK(ebm_model_create(model, w->model_options, NULL, NULL, 1, &w->model, error));
    CHECK_OK(ebm_sampler_create(w->type, w->options, &w->model, &w->sampler, error));
    CHECK_OK(ebm_chains_create(&w->model, chains, ebm_stream_of(11, EBM_PURPOSE_SAMPLE), &w->chains, error));
    CHECK_OK(ebm_sampler_attach(&w->sampler, &w->model, &w->chains, error));
}

static void walk_close(walk *w) {
    ebm_chains_free(&w->chains);
    ebm_sampler_free(&w->sampler);
    test_options_free(&w->type->info, w->options);
    test_options_free(&w->model.type->info, w->model_options);
    ebm_model_free(&w->model);
    ebm_work_free(w->work);
}

static void advance(walk *w, ebm_path path, size_t steps) {
    CHECK_OK(w->type->step(&w->sampler, &w->model, path, &w->chains, steps, w->work, error));
}

/* Mean and variance of unit j over the chains. */
static moments over_chains(const walk *w, size_t j) {
    moments m = {0};
    for (size_t b = 0; b < w->chains.batch.count; b++)
        moments_add(&m, (double)w->chains.batch.x[b * UNITS + j]);
    return m;
}

static double emitted;
static ebm_status take_step_size(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)sink, (void)se, (void)error;
    ck_assert_str_eq(metric, "step_size");
    emitted = value;
    return EBM_OK;
}

/* A flat law: after T steps the variance is the sum of a (b + t)^-gamma, t = 0 ... T - 1; also in calls of any length. */
START_TEST(test_sgld_follows_its_schedule) {
    static const char *const options[][9] = {
        {"a", "0.3", "b", "2", "gamma", "0.7", "batch", "2", NULL},
        {"a", "2", "b", "10", "gamma", "1", "batch", "0", NULL},
        {"schedule", "constant", "step", "0.25", "batch", "1", NULL},
    };
    static const double a[] = {0.3, 2, 0.25}, start[] = {2, 10, 1}, gamma_[] = {0.7, 1, 0};
    enum { T = 40 };
    walk w;
    precision = 0;
    walk_open(&w, &plain_type, options[_i], MOST_CHAINS, 1);
    advance(&w, ebm_path_end(), 1);
    advance(&w, ebm_path_end(), 7);
    ebm_chains_reset_counters(&w.sampler, &w.chains); /* the end of warm-up does not start the schedule anew */
    advance(&w, ebm_path_end(), T - 8);
    double sum = 0;
    for (int t = 0; t < T; t++)
        sum += a[_i] * pow(start[_i] + t, -gamma_[_i]);
    for (size_t j = 0; j < UNITS; j++) {
        const moments m = over_chains(&w, j);
        ck_assert_double_le(fabs(m.mean), 6 * sqrt(sum / MOST_CHAINS));
        ck_assert_double_le(fabs(moments_variance(&m) / sum - 1), 6 * sqrt(2.0 / MOST_CHAINS));
    }
    ebm_sink sink = {take_step_size, NULL};
    CHECK_OK(w.type->report(&w.sampler, &w.chains, &sink, error));
    const double last = a[_i] * pow(start[_i] + T - 1, -gamma_[_i]);
    ck_assert_double_le(fabs(emitted / last - 1), 1e-14);
    walk_close(&w);
    precision = 0.5;
}
END_TEST

/* From one point one step: mean x - eps / 2 dE/dx and variance eps + eps^2 / 4 V, where V = n^2 / m times the variance of
 * the examples' gradients. And in equilibrium, after 60 steps that shrink an offset to 0.4 of it or less: (1 + eps V / 4) / (A (1 - eps A / 4)) with
 * A = beta n precision, around the examples' mean. */
START_TEST(test_sgld_step_and_equilibrium) {
    static const char *const batches[] = {"0", "1", "3"};
    static const double betas[] = {1, 1, 0.5}, m[] = {INFINITY, 1, 3};
    enum { B = MOST_CHAINS };
    const double beta = betas[_i], A = beta * EXAMPLES * precision, eps = 1.2 / A;
    char text[32];
    snprintf(text, sizeof text, "%.17g", eps);
    const char *const options[] = {"schedule", "constant", "step", text, "batch", batches[_i], NULL};
    const ebm_path path = {NULL, beta};
    walk w;
    walk_open(&w, &plain_type, options, B, 1);
    const ebm_real from = (ebm_real)1.75;
    for (size_t k = 0; k < B * UNITS; k++)
        w.chains.batch.x[k] = from;
    for (size_t phase = 0; phase < 2; phase++) {
        advance(&w, path, phase == 0 ? 1 : 60);
        for (size_t j = 0; j < UNITS; j++) {
            double mean = 0, spread = 0;
            for (size_t i = 0; i < EXAMPLES; i++)
                mean += example(i, j) / EXAMPLES;
            for (size_t i = 0; i < EXAMPLES; i++)
                spread += pow(example(i, j) - mean, 2) / EXAMPLES;
            const double V = A * A * spread / m[_i],
                         offset = phase == 0 ? (1 - eps / 2 * A) * ((double)from - mean) : 0;
            const double variance = phase == 0 ? eps + eps * eps / 4 * V : (1 + eps * V / 4) / (A * (1 - eps * A / 4));
            const moments seen = over_chains(&w, j);
            ck_assert_msg(fabs(seen.mean - mean - offset) <= 6 * sqrt(variance / B),
                          "phase %zu, unit %zu: mean %g not %g", phase, j, seen.mean, mean + offset);
            ck_assert_msg(fabs(moments_variance(&seen) / variance - 1) <= 6 * sqrt(2.0 / B),
                          "phase %zu, unit %zu: variance %g not %g", phase, j, moments_variance(&seen), variance);
        }
    }
    walk_close(&w);
}
END_TEST

/* Examples are asked for evenly, two of a minibatch independently: Pearson's statistic at level 1e-6. Gradients are
 * counted by the examples that they saw. */
START_TEST(test_sgld_draws_examples_evenly) {
    static const char *const options[] = {"schedule", "constant", "step", "0.01", "batch", "3", NULL};
    enum { B = 501, STEPS = 41 };
    double even[EXAMPLES * EXAMPLES];
    walk w;
    memset(asked, 0, sizeof asked);
    memset(pairs, 0, sizeof pairs);
    walk_open(&w, &plain_type, options, B, 1);
    advance(&w, ebm_path_end(), 1);
    advance(&w, ebm_path_end(), STEPS - 1);
    ck_assert_uint_eq(w.chains.gradient_evaluations, 3ull * B * STEPS / EXAMPLES);
    ck_assert_uint_eq(w.chains.energy_evaluations, 0);
    ck_assert(w.chains.proposed == 0);
    for (size_t k = 0; k < EXAMPLES * EXAMPLES; k++)
        even[k] = 1.0 / (EXAMPLES * EXAMPLES);
    chi_square chi = {0, 0};
    chi_square_row(&chi, EXAMPLES * EXAMPLES, even, pairs);
    ck_assert_double_le(chi.statistic, chi_square_limit(chi.degrees));
    for (size_t k = 0; k < EXAMPLES; k++)
        even[k] = 1.0 / EXAMPLES;
    chi = (chi_square){0, 0};
    chi_square_row(&chi, EXAMPLES, even, asked);
    ck_assert_double_le(chi.statistic, chi_square_limit(chi.degrees));
    ebm_chains_reset_counters(&w.sampler, &w.chains);
    advance(&w, ebm_path_end(), 1);
    ck_assert_uint_eq(w.chains.gradient_evaluations, 3ull * B / EXAMPLES);
    walk_close(&w);
}
END_TEST

/* Rows, calls and threads cut in any way: the same bytes, on a posterior of the library's. */
START_TEST(test_sgld_same_bytes) {
    static const char *const options[] = {"a", "0.01", "batch", "5", NULL};
    const ebm_model_type *model = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "mixture-posterior");
    enum { B = 23, TAIL = 9, STEPS = 12 };
    walk whole, part;
    walk_open(&whole, model, options, B, 1);
    walk_open(&part, model, options, TAIL, 2);
    part.chains.first_chain = B - TAIL;
    for (size_t k = 0; k < B * 2; k++)
        whole.chains.batch.x[k] = (ebm_real)(0.1 * (double)(k % 7));
    memcpy(part.chains.batch.x, whole.chains.batch.x + (size_t)(B - TAIL) * 2, TAIL * 2 * sizeof(ebm_real));
    advance(&whole, ebm_path_end(), STEPS);
    advance(&part, ebm_path_end(), 5);
    advance(&part, ebm_path_end(), STEPS - 5);
    ck_assert_mem_eq(part.chains.batch.x, whole.chains.batch.x + (size_t)(B - TAIL) * 2, TAIL * 2 * sizeof(ebm_real));
    ck_assert_uint_eq(whole.chains.step, part.chains.step);
    walk_close(&whole);
    walk_close(&part);
}
END_TEST

/* A step that is too large says so, with the chain. */
START_TEST(test_sgld_divergence) {
    static const char *const options[] = {"schedule", "constant", "step", "100", "batch", "2", NULL};
    walk w;
    ebm_error error = {0};
    walk_open(&w, &plain_type, options, 4, 1);
    const ebm_status status = w.type->step(&w.sampler, &w.model, ebm_path_end(), &w.chains, 5000, w.work, &error);
    ck_assert_int_eq(status, EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(error.message, "ran away"));
    ck_assert_ptr_nonnull(strstr(error.message, "too large"));
    walk_close(&w);
}
END_TEST

/* Schedules that are none are refused before anything runs, and so are models without examples. */
START_TEST(test_sgld_refusals) {
    static const struct {
        const char *options[5], *says;
    } cases[] = {
        {{"gamma", "0"}, "never decay"},
        {{"gamma", "-1"}, "never decay"},
        {{"gamma", "0.5"}, "1/2 < gamma <= 1"},
        {{"gamma", "1.1"}, "1/2 < gamma <= 1"},
        {{"schedule", "constant"}, "needs its `step`"},
        {{"step", "0.1"}, "schedule: constant"},
    };
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "sgld");
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        ebm_error error = {0};
        void *options = test_options(&type->info, cases[k].options);
        ck_assert_int_eq(ebm_sampler_check(type, options, &plain_type, &error), EBM_INVALID);
        ck_assert_msg(strstr(error.message, cases[k].says) != NULL, "%s", error.message);
        test_options_free(&type->info, options);
    }
    ebm_error error = {0};
    const ebm_model_type *none = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "normal-posterior");
    ck_assert_int_eq(ebm_sampler_check(type, NULL, none, &error), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error.message, "grad_x_minibatch"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sgld");
    TCase *cases = tcase_create("statistical");
    tcase_add_loop_test(cases, test_sgld_follows_its_schedule, 0, 3);
    tcase_add_loop_test(cases, test_sgld_step_and_equilibrium, 0, 3);
    tcase_add_test(cases, test_sgld_draws_examples_evenly);
    tcase_add_test(cases, test_sgld_same_bytes);
    tcase_add_test(cases, test_sgld_divergence);
    tcase_add_test(cases, test_sgld_refusals);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
