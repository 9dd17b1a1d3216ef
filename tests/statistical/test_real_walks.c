/* Samplers that walk on real spaces by one proposal at a time, on independent normal units of different widths.
 *
 *   E(x) = sum_i x_i^2 / (2 sd_i^2),   sd_i = (i + 1) / 2
 *
 * Bounds: chains that start from the stationary law and are independent of each other keep it, so that after any number of
 * steps a mean over N chains has standard error sd / sqrt(N) and a variance sqrt(2 / N) of itself. One number leaves
 * 5.5 standard errors with probability 4e-8; no test looks at more than 20. */
#include "rbm_fixture.h"

#include "ebm/npy.h"
#include "ebm/sampler.h"

#include <unistd.h>

enum { V = 4 };

static double width(size_t i) {
    return 0.5 * (double)(i + 1);
}

/* What is wrong with the model that a test asks for. */
static enum { SOUND, NAN_GRADIENT, NAN_BEYOND, INFINITE } fault;

static ebm_status normals_create(ebm_model *model, const void *options, ebm_error *error) {
    (void)model, (void)options, (void)error;
    return EBM_OK;
}
static ebm_status normals_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                     ebm_error *error) {
    (void)model, (void)options, (void)data, (void)seed, (void)error;
    return EBM_OK;
}
static void normals_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    (void)model, (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        out[b] = fault == INFINITE ? INFINITY : 0;
        for (size_t i = 0; i < V; i++)
            out[b] += path.beta * (double)batch->x[b * V + i] * (double)batch->x[b * V + i] / (2 * width(i) * width(i));
    }
}
static void normals_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                           ebm_work *work) {
    (void)model, (void)work;
    for (size_t b = 0; b < batch->count; b++)
        for (size_t i = 0; i < V; i++) {
            const double x = (double)batch->x[b * V + i];
            const bool wrong = i == 2 && b == 5 && (fault == NAN_GRADIENT || (fault == NAN_BEYOND && x > 2));
            out[b * V + i] = (ebm_real)(wrong ? NAN : path.beta * x / (width(i) * width(i)));
        }
}
static void normals_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                               ebm_real *grad, ebm_work *work) {
    (void)model, (void)batch, (void)weight, (void)scale, (void)grad, (void)work;
}

static const ebm_option no_options[] = {{.name = NULL}};
static const ebm_model_type normals = {
    .info = {"normals-test", "independent normal units", "", no_options, 0},
    .domains = 1u << EBM_REAL_LINE,
    .create = normals_create,
    .initialise = normals_initialise,
    .energy = normals_energy,
    .grad_theta = normals_grad_theta,
    .grad_x = normals_grad_x,
};

typedef struct trial {
    ebm_model model;
    ebm_work *work;
    void *options;
    ebm_sampler sampler;
    ebm_chains chains;
} trial;

/* `count` chains from N(0, (stretch_i sd_i)^2); stretch NULL: 1. */
static void trial_open(trial *t, const char *name, const char *const *pairs, size_t count, int threads,
                       const double *stretch) {
    const ebm_space space = ebm_space_line(EBM_REAL_LINE, V);
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, name);
    memset(t, 0, sizeof *t);
    fault = SOUND;
    ck_assert_ptr_nonnull(type);
    t->options = test_options(&type->info, pairs);
    CHECK_OK(ebm_work_create(threads, &t->work, error));
    CHECK_OK(ebm_model_create(&normals, NULL, &space, NULL, 1, &t->model, error));
    CHECK_OK(ebm_sampler_create(type, t->options, &t->model, &t->sampler, error));
    CHECK_OK(ebm_chains_create(&t->model, count, ebm_stream_of(3, EBM_PURPOSE_ESTIMATE), &t->chains, error));
    for (size_t b = 0; b < count; b++) {
        ebm_real *x = t->chains.batch.x + b * V;
        ebm_random_normal(ebm_stream_of(3, EBM_PURPOSE_CHAIN_START), (uint32_t)b, 0, V, x);
        for (size_t i = 0; i < V; i++)
            x[i] *= (ebm_real)(width(i) * (stretch ? stretch[i] : 1));
    }
    CHECK_OK(ebm_sampler_attach(&t->sampler, &t->model, &t->chains, error));
}

static void trial_close(trial *t) {
    const ebm_sampler_type *type = t->sampler.type;
    ebm_chains_free(&t->chains);
    ebm_sampler_free(&t->sampler);
    test_options_free(&type->info, t->options);
    ebm_model_free(&t->model);
    ebm_work_free(t->work);
}

static ebm_status trial_try(trial *t, size_t steps, ebm_error *error) {
    return t->sampler.type->step(&t->sampler, &t->model, ebm_path_end(), &t->chains, steps, t->work, error);
}

static void trial_step(trial *t, size_t steps) {
    CHECK_OK(trial_try(t, steps, error));
}

static void trial_warm_up(trial *t, size_t steps) {
    t->chains.adapting = true;
    t->chains.warmup_left = steps;
    trial_step(t, steps);
    t->chains.adapting = false;
    t->chains.warmup_left = 0;
    ebm_chains_reset_counters(&t->sampler, &t->chains);
}

/* Means 0 and variances (stretch_i sd_i)^2 over the chains, within 5.5 standard errors. */
static void check_moments(const trial *t, const double *stretch, const char *what) {
    const size_t N = t->chains.batch.count;
    for (size_t i = 0; i < V; i++) {
        double sum = 0, squares = 0;
        const double variance = width(i) * width(i) * (stretch ? stretch[i] * stretch[i] : 1);
        for (size_t b = 0; b < N; b++) {
            const double x = (double)t->chains.batch.x[b * V + i];
            sum += x / (double)N;
            squares += x * x / (double)N;
        }
        const double z_mean = sum / sqrt(variance / (double)N);
        const double z_variance = (squares / variance - 1) / sqrt(2 / (double)N);
        ck_assert_msg(fabs(z_mean) < 5.5 && fabs(z_variance) < 5.5,
                      "%s: unit %zu has mean %g (%.1f s.e.) and variance %g, expected %g (%.1f s.e.)", what, i, sum,
                      z_mean, squares, variance, z_variance);
    }
}

/* Every adjusted sampler, at settings where a few proposals in ten are rejected. */
static const struct {
    const char *name, *pairs[9];
} kept[] = {
    {"mala", {"step", "0.15", NULL}},
    {"mala", {"step", "0.3", "scales", "true", NULL}},
    {"random-walk", {"scale", "0.8", NULL}},
    {"random-walk", {"scale", "0.9", "covariance", "diagonal", NULL}},
    {"random-walk", {"scale", "0.9", "covariance", "dense", NULL}},
    {"independence", {"mean", "0.5", "deviation", "1.5", NULL}},
    {"independence", {"mean", "0.5", "deviation", "[1, 1.5, 2, 2.5]", "proposal", "normal", NULL}},
    {"independence", {"width", "1.5", NULL}},
};

/* Started from p, the chains keep it. What the samplers have learnt before changes nothing. */
START_TEST(test_real_walks_invariant) {
    trial t;
    trial_open(&t, kept[_i].name, kept[_i].pairs, 40000, 1, NULL);
    trial_warm_up(&t, 20);
    trial_step(&t, 5);
    trial_step(&t, 6);
    const double acceptance = t.chains.accepted / t.chains.proposed;
    ck_assert_msg(acceptance > 0.2 && acceptance < 0.95, "%s: acceptance %g", kept[_i].name, acceptance);
    check_moments(&t, NULL, kept[_i].name);
    trial_close(&t);
}
END_TEST

/* From anywhere to p: 200 steps forget a start twice too wide. */
START_TEST(test_real_walks_converge) {
    const double stretch[V] = {2, 2, 2, 2};
    trial t;
    trial_open(&t, kept[_i].name, kept[_i].pairs, 10000, 1, stretch);
    trial_warm_up(&t, 100);
    trial_step(&t, 100);
    check_moments(&t, NULL, kept[_i].name);
    trial_close(&t);
}
END_TEST

/* ULA keeps the law that it is said to have, sigma^2 / (1 - eta / (2 sigma^2)), and goes there. */
START_TEST(test_ula_variance) {
    const char *pairs[] = {"step", "0.2", NULL};
    double stretch[V];
    trial t;
    for (size_t i = 0; i < V; i++)
        stretch[i] = sqrt(1 / (1 - 0.2 / (2 * width(i) * width(i))));
    trial_open(&t, "ula", pairs, 40000, 1, stretch);
    trial_step(&t, 7);
    check_moments(&t, stretch, "ula, started there");
    trial_close(&t);
    trial_open(&t, "ula", pairs, 40000, 1, NULL);
    trial_step(&t, 200);
    check_moments(&t, stretch, "ula, started from p"); /* 0.95^200 = 4e-5 of the start is left */
    ck_assert(!t.sampler.exact);
    ck_assert_uint_eq(t.chains.gradient_evaluations, 200 * 40000);
    ck_assert_uint_eq(t.chains.energy_evaluations, 0);
    ck_assert(t.chains.proposed == 0);
    trial_close(&t);
}
END_TEST

static const struct {
    const char *name, *pairs[9];
    double target;
} adapted[] = {
    {"mala", {NULL}, 0.574},
    {"mala", {"scales", "true", "acceptance", "0.7", NULL}, 0.7},
    {"random-walk", {NULL}, 0.234},
    {"random-walk", {"covariance", "diagonal", "acceptance", "0.4", NULL}, 0.4},
    {"random-walk", {"covariance", "dense", NULL}, 0.234},
};

/* After warm-up the acceptance is what was asked for. Dual averaging ends within a few hundredths of its target. */
START_TEST(test_real_walks_adapt) {
    trial t;
    trial_open(&t, adapted[_i].name, adapted[_i].pairs, 100, 1, NULL);
    trial_warm_up(&t, 1000);
    trial_step(&t, 1000);
    const double acceptance = t.chains.accepted / t.chains.proposed;
    ck_assert_msg(fabs(acceptance - adapted[_i].target) < 0.04, "%s: acceptance %g, aimed at %g", adapted[_i].name,
                  acceptance, adapted[_i].target);
    trial_close(&t);
}
END_TEST

static const struct {
    const char *name, *pairs[9];
} all[] = {
    {"mala", {NULL}},
    {"mala", {"scales", "true", NULL}},
    {"ula", {"step", "0.1", NULL}},
    {"random-walk", {NULL}},
    {"random-walk", {"covariance", "diagonal", NULL}},
    {"random-walk", {"covariance", "dense", NULL}},
    {"independence", {NULL}},
    {"independence", {"proposal", "normal", NULL}},
};

/* The same bytes however steps are cut into calls, whatever the number of threads, whichever rows stand together. */
START_TEST(test_real_walks_same_bytes) {
    enum { COUNT = 5000, PART = 1237 };
    trial whole, cut, part;
    trial_open(&whole, all[_i].name, all[_i].pairs, COUNT, 1, NULL);
    trial_open(&cut, all[_i].name, all[_i].pairs, COUNT, 3, NULL);
    trial_warm_up(&whole, 40);
    cut.chains.adapting = true;
    for (uint64_t left = 40; left > 0; left -= 10) {
        cut.chains.warmup_left = left;
        trial_step(&cut, 10);
    }
    cut.chains.adapting = false;
    trial_step(&whole, 9);
    for (size_t steps = 2; steps <= 4; steps++)
        trial_step(&cut, steps);
    ck_assert_uint_eq(whole.chains.step, cut.chains.step);
    ck_assert_int_eq(memcmp(whole.chains.batch.x, cut.chains.batch.x, COUNT * V * sizeof(ebm_real)), 0);

    trial_open(&part, all[_i].name, all[_i].pairs, COUNT - PART, 1, NULL);
    memcpy(part.chains.batch.x, whole.chains.batch.x + PART * V, (COUNT - PART) * V * sizeof(ebm_real));
    if (part.chains.auxiliary_bytes)
        memcpy(part.chains.auxiliary, whole.chains.auxiliary, part.chains.auxiliary_bytes);
    part.chains.first_chain = PART;
    part.chains.step = whole.chains.step;
    trial_step(&part, 6);
    trial_step(&whole, 6);
    ck_assert_int_eq(
        memcmp(whole.chains.batch.x + PART * V, part.chains.batch.x, (COUNT - PART) * V * sizeof(ebm_real)), 0);
    trial_close(&whole);
    trial_close(&cut);
    trial_close(&part);
}
END_TEST

/* One look at the start, one at each proposal. */
START_TEST(test_real_walks_counters) {
    trial t;
    trial_open(&t, "mala", NULL, 30, 1, NULL);
    trial_step(&t, 10);
    ck_assert_uint_eq(t.chains.energy_evaluations, 11 * 30);
    ck_assert_uint_eq(t.chains.gradient_evaluations, 11 * 30);
    ck_assert(t.chains.proposed == 300 && t.chains.accepted > 0 && t.chains.accepted <= 300);
    ck_assert_uint_eq(t.chains.step, 20);
    trial_close(&t);
}
END_TEST

typedef struct report_values {
    ebm_sink sink;
    size_t count;
    double value[8];
} report_values;

static ebm_status keep_value(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    report_values *values = (report_values *)sink;
    (void)metric, (void)se, (void)error;
    ck_assert_uint_lt(values->count, 8);
    values->value[values->count++] = value;
    return EBM_OK;
}

/* A covariance of correlated units, in a file. */
static void write_covariance(const char *path, double diagonal, double beside, double mirrored, size_t columns) {
    double C[V * V] = {0};
    const size_t shape[2] = {V * V / columns, columns};
    for (size_t i = 0; i < V; i++)
        C[i * V + i] = diagonal;
    C[1] = beside;
    C[V] = mirrored;
    CHECK_OK(ebm_npy_write(path, EBM_NPY_FLOAT64, 2, shape, C, error));
}

/* With the covariance of a file, x' - x ~ N(0, s^2 C), whatever is accepted: seen where all is, at a small scale. */
START_TEST(test_random_walk_covariance) {
    enum { COUNT = 40000 };
    const double scale = 1e-3;
    char path[64];
    snprintf(path, sizeof path, "/tmp/test_real_walks_%d.npy", (int)getpid());
    write_covariance(path, 2, 1.2, 1.2, V);
    const char *pairs[] = {"scale", "1e-3", "covariance", "file", "file", path, NULL};
    trial t;
    double products[3] = {0};
    trial_open(&t, "random-walk", pairs, COUNT, 1, NULL);
    memset(t.chains.batch.x, 0, COUNT * V * sizeof(ebm_real));
    trial_step(&t, 1);
    ck_assert(t.chains.accepted > 0.995 * COUNT);
    for (size_t b = 0; b < COUNT; b++) {
        const ebm_real *x = t.chains.batch.x + b * V;
        products[0] += (double)x[0] * (double)x[0] / (COUNT * scale * scale);
        products[1] += (double)x[0] * (double)x[1] / (COUNT * scale * scale);
        products[2] += (double)x[0] * (double)x[2] / (COUNT * scale * scale);
    }
    /* Standard errors sqrt((C_ii C_jj + C_ij^2) / N), and at most 0.5 % of all rejected. */
    ck_assert_double_eq_tol(products[0], 2, 5.5 * sqrt(8.0 / COUNT) + 0.01);
    ck_assert_double_eq_tol(products[1], 1.2, 5.5 * sqrt((4 + 1.44) / COUNT) + 0.006);
    ck_assert_double_eq_tol(products[2], 0, 5.5 * sqrt(4.0 / COUNT));
    trial_close(&t);
    unlink(path);
}
END_TEST

/* What is learnt of a known law: the deviations' ratio of 4 within a tenth (400 chains; window of 40 steps or more). */
START_TEST(test_random_walk_learns) {
    const char *pairs[] = {"covariance", "dense", NULL};
    trial t;
    trial_open(&t, "random-walk", pairs, 400, 1, NULL);
    trial_warm_up(&t, 500);
    report_values values = {.sink = {.emit = keep_value}};
    CHECK_OK(t.sampler.type->report(&t.sampler, &t.chains, &values.sink, error));
    ck_assert_uint_eq(values.count, 3);
    ck_assert_double_eq_tol(values.value[1], 0.5, 0.05);
    ck_assert_double_eq_tol(values.value[2], 2.0, 0.2);
    trial_close(&t);
}
END_TEST

static ebm_status create_sampler(const char *name, const char *const *pairs, ebm_error *failure) {
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, name);
    const ebm_space space = ebm_space_line(EBM_REAL_LINE, V);
    void *options = test_options(&type->info, pairs);
    ebm_model model;
    ebm_sampler sampler;
    CHECK_OK(ebm_model_create(&normals, NULL, &space, NULL, 1, &model, error));
    const ebm_status status = ebm_sampler_create(type, options, &model, &sampler, failure);
    ebm_sampler_free(&sampler);
    ebm_model_free(&model);
    test_options_free(&type->info, options);
    return status;
}

static void expect(ebm_status got, ebm_status want, const ebm_error *error, const char *part) {
    ck_assert_msg(got == want && strstr(error->message, part) != NULL, "%s \"%s\", expected %s with \"%s\"",
                  ebm_status_name(got), error->message, ebm_status_name(want), part);
}

/* Numbers that are none, and steps that are too large, end in words that say where and what to do. */
START_TEST(test_real_walks_failures) {
    const char *large[] = {"step", "50", NULL}, *hopeless[] = {"step", "1e6", NULL};
    ebm_error failure = {0};
    report_values values = {.sink = {.emit = keep_value}};
    trial t;
    trial_open(&t, "mala", NULL, 30, 1, NULL);
    fault = INFINITE;
    expect(trial_try(&t, 1, &failure), EBM_DIVERGED, &failure, "the energy of chain 0 is inf where it starts");
    fault = NAN_GRADIENT;
    expect(trial_try(&t, 1, &failure), EBM_DIVERGED, &failure, "the gradient of chain 5 by unit 2 is not a number");
    memset(t.chains.batch.x, 0, 30 * V * sizeof(ebm_real));
    fault = NAN_BEYOND;
    expect(trial_try(&t, 1000, &failure), EBM_DIVERGED, &failure, "the gradient of chain 5 by unit 2 is not a number");
    trial_close(&t);

    trial_open(&t, "ula", large, 30, 1, NULL);
    expect(trial_try(&t, 1000, &failure), EBM_DIVERGED, &failure, "its step is too large");
    trial_close(&t);

    trial_open(&t, "mala", hopeless, 30, 1, NULL);
    trial_step(&t, 20);
    ck_assert(t.chains.accepted == 0);
    expect(t.sampler.type->report(&t.sampler, &t.chains, &values.sink, &failure), EBM_DIVERGED, &failure,
           "accepted none of 600 proposals at step 1e+06");
    trial_close(&t);
}
END_TEST

/* Options that contradict each other are refused; proposals that miss the target fail the run. */
START_TEST(test_independence_options) {
    const char *alone[] = {"mean", "1", NULL}, *three[] = {"mean", "[1, 2, 3]", "deviation", "1", NULL};
    ebm_error failure = {0};
    expect(create_sampler("independence", alone, &failure), EBM_INVALID, &failure, "without `deviation`");
    expect(create_sampler("independence", three, &failure), EBM_INVALID, &failure, "has 3 numbers, expected 1 or 4");
    const char *far[] = {"mean", "1000", "deviation", "1", NULL};
    report_values values = {.sink = {.emit = keep_value}};
    trial t;
    trial_open(&t, "independence", far, 10, 1, NULL);
    trial_step(&t, 10);
    expect(t.sampler.type->report(&t.sampler, &t.chains, &values.sink, &failure), EBM_DIVERGED, &failure,
           "accepted none of 100 proposals");
    trial_close(&t);
}
END_TEST

/* A normal proposal fitted to a normal target is nearly the target: nearly all is accepted. With 400 chains and the last
 * window of 100 steps or more the fitted deviations are within 5 % or so, and E min(1, w'/w) > 0.85 by far. */
START_TEST(test_independence_fits) {
    const char *pairs[] = {"proposal", "normal", NULL};
    trial t;
    trial_open(&t, "independence", pairs, 400, 1, NULL);
    trial_warm_up(&t, 500);
    trial_step(&t, 50);
    ck_assert_double_gt(t.chains.accepted / t.chains.proposed, 0.85);
    trial_close(&t);
}
END_TEST

/* Covariances that cannot be are refused when the sampler is created. */
START_TEST(test_random_walk_refusals) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/test_real_walks_%d.npy", (int)getpid());
    const char *pairs[] = {"covariance", "file", "file", path, NULL};
    const char *no_file[] = {"covariance", "file", NULL}, *no_use[] = {"file", path, NULL};
    ebm_error failure = {0};
    expect(create_sampler("random-walk", pairs, &failure), EBM_IO, &failure, path);
    write_covariance(path, 1, 2, 2, V);
    expect(create_sampler("random-walk", pairs, &failure), EBM_INVALID, &failure, "not positive definite");
    write_covariance(path, 1, 0.5, 0.2, V);
    expect(create_sampler("random-walk", pairs, &failure), EBM_INVALID, &failure, "a covariance is symmetric");
    write_covariance(path, NAN, 0, 0, V);
    expect(create_sampler("random-walk", pairs, &failure), EBM_INVALID, &failure, path);
    write_covariance(path, 1, 0, 0, 2);
    expect(create_sampler("random-walk", pairs, &failure), EBM_INVALID, &failure, "shape (4, 4)");
    expect(create_sampler("random-walk", no_file, &failure), EBM_INVALID, &failure, "needs a `file`");
    expect(create_sampler("random-walk", no_use, &failure), EBM_INVALID, &failure, "`covariance: file` alone");
    unlink(path);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("real walks");
    TCase *tests = tcase_create("real walks");
    tcase_add_loop_test(tests, test_real_walks_invariant, 0, sizeof kept / sizeof *kept);
    tcase_add_loop_test(tests, test_real_walks_converge, 0, sizeof kept / sizeof *kept);
    tcase_add_test(tests, test_ula_variance);
    tcase_add_loop_test(tests, test_real_walks_adapt, 0, sizeof adapted / sizeof *adapted);
    tcase_add_loop_test(tests, test_real_walks_same_bytes, 0, sizeof all / sizeof *all);
    tcase_add_test(tests, test_real_walks_counters);
    tcase_add_test(tests, test_random_walk_covariance);
    tcase_add_test(tests, test_random_walk_learns);
    tcase_add_test(tests, test_real_walks_failures);
    tcase_add_test(tests, test_random_walk_refusals);
    tcase_add_test(tests, test_independence_options);
    tcase_add_test(tests, test_independence_fits);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
