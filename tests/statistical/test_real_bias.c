/* Samplers that are biased have the bias that is predicted, and no other.
 *
 *   ula    x' = x - eta P x + sqrt(2 eta) z on N(0, P^-1) is an autoregression; its law is normal of precision
 *          P - eta P^2 / 2: the variance of N(0, s^2) becomes s^2 / (1 - eta / (2 s^2))
 *
 *   sgld   x' = x - (eps / 2) g + sqrt(eps) z with E[g] = A (x - m) and Var(g) = V: mean m and variance
 *          (1 + eps V / 4) / (A (1 - eps A / 4)) with a constant step; with eps_t = a (b + t)^-gamma one step from x at t
 *          has mean x - (eps_t / 2) A (x - m) and variance eps_t + eps_t^2 V / 4
 *
 * Rows are started from that law and have to stay in it; against the target's own law the same battery has to see them
 * leave. Fixed seeds, the battery's levels; means and variances at 5.5 standard errors (4e-8 each). */
#include "real_cases.h"

/* ---- ula ---- */

static double biased_L[3][3];
static double biased_deviation;

static void biased1_to(const double *x, double *z) {
    z[0] = (x[0] - 0.5) / biased_deviation;
}
static void biased1_from(const double *z, double *x) {
    x[0] = 0.5 + biased_deviation * z[0];
}
static void biased3_to(const double *x, double *z) {
    for (size_t i = 0; i < 3; i++) {
        z[i] = x[i];
        for (size_t j = 0; j < i; j++)
            z[i] -= biased_L[i][j] * z[j];
        z[i] /= biased_L[i][i];
    }
}
static void biased3_from(const double *z, double *x) {
    for (size_t i = 0; i < 3; i++) {
        x[i] = 0;
        for (size_t j = 0; j <= i; j++)
            x[i] += biased_L[i][j] * z[j];
    }
}

static const target biased1 = {
    .label = "normal, biased", .units = 1, .to_normal = biased1_to, .from_normal = biased1_from};
static const target biased3 = {
    .label = "correlated normal, biased", .units = 3, .to_normal = biased3_to, .from_normal = biased3_from};

/* out = the inverse of a symmetric positive definite 3 x 3 matrix, by cofactors. */
static void invert(double a[3][3], double out[3][3]) {
    double determinant = 0;
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            out[j][i] = a[(i + 1) % 3][(j + 1) % 3] * a[(i + 2) % 3][(j + 2) % 3] -
                        a[(i + 1) % 3][(j + 2) % 3] * a[(i + 2) % 3][(j + 1) % 3];
    for (size_t j = 0; j < 3; j++)
        determinant += a[0][j] * out[j][0];
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            out[i][j] /= determinant;
}

/* biased_L of (beta P - eta beta^2 P^2 / 2)^-1, with P^-1 = normal3_L normal3_L'. */
static void bias_three(double eta, double beta) {
    double S[3][3] = {{0}}, P[3][3], biased[3][3];
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            for (size_t k = 0; k < 3; k++)
                S[i][j] += normal3_L[i][k] * normal3_L[j][k];
    invert(S, P);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            biased[i][j] = beta * P[i][j];
            for (size_t k = 0; k < 3; k++)
                biased[i][j] -= eta / 2 * beta * beta * P[i][k] * P[k][j];
        }
    invert(biased, S);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = S[i][j];
            for (size_t k = 0; k < j; k++)
                sum -= biased_L[i][k] * biased_L[j][k];
            biased_L[i][j] = i == j ? sqrt(sum) : sum / biased_L[j][j];
        }
}

/* The battery's worst number about the law, of chains that move on `moved` and are compared with `law` (at beta = 1: what
 * depends on beta is in it). */
static double ula_excess(const target *moved, const target *law, double beta, const char *step) {
    const char *const options[] = {"step", step, NULL};
    real_bench b;
    ck_assert(real_bench_open(&b, moved, real_sampler("ula"), options));
    ck_assert(!b.sampler.exact && !b.sampler.reversible);
    real_case c = b.c;
    c.target = law;
    c.rows = 4000;
    c.steps = 25;
    c.path.beta = beta;
    c.law_beta = 1;
    const real_verdict v = real_examine(&c, 5);
    ck_assert_msg(!v.why[0], "%s", v.why);
    real_bench_close(&b);
    return fmax(fmax(v.units, v.pairs), v.distance);
}

START_TEST(test_real_bias_ula) {
    for (double beta = 1; beta > 0.4; beta /= 2) {
        const double eta1 = 0.3, variance = 0.64 / beta;
        biased_deviation = sqrt(variance / (1 - eta1 / (2 * variance)));
        ck_assert_double_le(ula_excess(target_by_label("normal"), &biased1, beta, "0.3"), 1);
        biased_deviation = sqrt(variance);
        ck_assert_double_gt(ula_excess(target_by_label("normal"), &biased1, beta, "0.3"), 1);
        bias_three(0.05, beta);
        ck_assert_double_le(ula_excess(target_by_label("correlated normal"), &biased3, beta, "0.05"), 1);
        bias_three(0, beta);
        ck_assert_double_gt(ula_excess(target_by_label("correlated normal"), &biased3, beta, "0.05"), 1);
    }
}
END_TEST

/* ---- sgld ---- */

/* E(x) = x^2 / (2 P) + sum_i (x - y_i)^2 / (2 S): A = 1 / P + n / S; an example drawn with replacement and scaled by n
 * gives a gradient of variance n^2 Var(y) / S^2 (divisor n), m of them one m-th of it. */
enum { EXAMPLES = 20 };
static const double prior = 4, spread = 5;

static double example(size_t i) {
    return i % 3 == 0 ? 2.5 : 0.1 * (double)i - 1.5;
}

static void posterior_gradient(const ebm_model *model, const ebm_batch *batch, const uint32_t *examples, size_t drawn,
                               ebm_real *out, ebm_work *work) {
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const double x = (double)batch->x[b];
        double sum = 0;
        for (size_t k = 0; k < drawn; k++)
            sum += (x - example(examples[b * drawn + k])) / spread;
        out[b] = (ebm_real)(x / prior + sum * (double)model->examples / (double)drawn);
    }
}
static void posterior_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                             ebm_work *work) {
    (void)model, (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        double sum = (double)batch->x[b] / prior;
        for (size_t i = 0; i < EXAMPLES; i++)
            sum += ((double)batch->x[b] - example(i)) / spread;
        out[b] = (ebm_real)(path.beta * sum);
    }
}
static void posterior_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                             ebm_work *work) {
    (void)model, (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const double x = (double)batch->x[b];
        out[b] = x * x / (2 * prior);
        for (size_t i = 0; i < EXAMPLES; i++)
            out[b] += (x - example(i)) * (x - example(i)) / (2 * spread);
        out[b] *= path.beta;
    }
}
static ebm_status posterior_create(ebm_model *model, const void *options, ebm_error *error) {
    (void)options, (void)error;
    model->examples = EXAMPLES;
    return EBM_OK;
}

static const ebm_model_type posterior_type = {
    .info = {"examples", "the mean of a few examples", "", target_options, 0},
    .domains = 1u << EBM_REAL_LINE,
    .create = posterior_create,
    .initialise = target_model_initialise,
    .energy = posterior_energy,
    .grad_x = posterior_grad_x,
    .grad_x_minibatch = posterior_gradient,
};

/* A, m and the variance of one example's gradient. */
typedef struct curvature {
    double A, m, V;
} curvature;

static curvature posterior(void) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < EXAMPLES; i++)
        mean += example(i) / EXAMPLES;
    for (size_t i = 0; i < EXAMPLES; i++)
        variance += (example(i) - mean) * (example(i) - mean) / EXAMPLES;
    const double A = 1 / prior + EXAMPLES / spread;
    return (curvature){A, EXAMPLES / spread * mean / A, EXAMPLES * EXAMPLES * variance / (spread * spread)};
}

/* How far mean and variance of x (rows) are from the predicted ones, in units of 5.5 standard errors. */
static double moments_excess(const ebm_chains *chains, double mean, double variance) {
    moments first = {0}, second = {0};
    for (size_t b = 0; b < chains->batch.count; b++)
        moments_add(&first, (double)chains->batch.x[b]);
    for (size_t b = 0; b < chains->batch.count; b++)
        moments_add(&second, ((double)chains->batch.x[b] - mean) * ((double)chains->batch.x[b] - mean));
    return fmax(fabs(first.mean - mean) / moments_standard_error(&first),
                fabs(second.mean - variance) / moments_standard_error(&second)) /
           5.5;
}

typedef struct sgld_bench {
    ebm_model model;
    const ebm_sampler_type *type;
    void *options;
    ebm_sampler sampler;
    ebm_chains chains;
    ebm_work *work;
} sgld_bench;

static void sgld_open(sgld_bench *b, const char *const *options) {
    const ebm_space space = ebm_space_line(EBM_REAL_LINE, 1);
    b->type = real_sampler("sgld");
    b->options = test_options(&b->type->info, options);
    CHECK_OK(ebm_work_create(1, &b->work, error));
    CHECK_OK(ebm_model_create(&posterior_type, NULL, &space, NULL, 1, &b->model, error));
    CHECK_OK(ebm_sampler_create(b->type, b->options, &b->model, &b->sampler, error));
    CHECK_OK(ebm_chains_create(&b->model, 40000, ebm_stream_of(8, EBM_PURPOSE_ESTIMATE), &b->chains, error));
    ck_assert(!b->sampler.exact);
}

static void sgld_start(sgld_bench *b, double mean, double deviation) {
    test_random r = {99};
    for (size_t i = 0; i < b->chains.batch.count; i++)
        b->chains.batch.x[i] = (ebm_real)(mean + deviation * test_random_normal(&r));
    b->chains.batch.field_ok = false;
}

static void sgld_close(sgld_bench *b) {
    ebm_chains_free(&b->chains);
    ebm_sampler_free(&b->sampler);
    test_options_free(&b->type->info, b->options);
    ebm_model_free(&b->model);
    ebm_work_free(b->work);
}

static void sgld_walk(sgld_bench *b, size_t steps) {
    CHECK_OK(b->type->step(&b->sampler, &b->model, ebm_path_end(), &b->chains, steps, b->work, error));
}

START_TEST(test_real_bias_sgld_constant_step) {
    static const char *const batches[] = {"1", "4", "0"};
    const curvature p = posterior();
    const double eps = 0.2;
    for (size_t k = 0; k < 3; k++) {
        const char *const options[] = {"schedule", "constant", "step", "0.2", "batch", batches[k], NULL};
        const double V = atof(batches[k]) > 0 ? p.V / atof(batches[k]) : 0;
        const double variance = (1 + eps * V / 4) / (p.A * (1 - eps * p.A / 4));
        sgld_bench b;
        sgld_open(&b, options);
        sgld_start(&b, p.m, sqrt(variance));
        CHECK_OK(ebm_sampler_attach(&b.sampler, &b.model, &b.chains, error));
        sgld_walk(&b, 20);
        ck_assert_double_le(moments_excess(&b.chains, p.m, variance), 1);
        ck_assert_double_gt(moments_excess(&b.chains, p.m, 1 / p.A), 1); /* the posterior's own */
        sgld_close(&b);
    }
}
END_TEST

START_TEST(test_real_bias_sgld_schedule) {
    const char *const options[] = {"a", "0.5", "b", "3", "gamma", "0.7", "batch", "4", NULL};
    const curvature p = posterior();
    sgld_bench b;
    sgld_open(&b, options);
    sgld_start(&b, p.m, 1);
    CHECK_OK(ebm_sampler_attach(&b.sampler, &b.model, &b.chains, error));
    for (size_t t = 0; t < 30; t += 10) { /* t steps are behind the chains */
        const double eps = 0.5 * pow(3 + (double)t, -0.7), from = p.m + 1.5;
        const double mean = from - eps / 2 * p.A * (from - p.m), variance = eps + eps * eps * p.V / 16;
        sgld_start(&b, from, 0);
        sgld_walk(&b, 1);
        ck_assert_double_le(moments_excess(&b.chains, mean, variance), 1);
        sgld_walk(&b, 9);
    }
    sgld_close(&b);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("bias on real spaces");
    TCase *c = tcase_create("bias");
    tcase_add_test(c, test_real_bias_ula);
    tcase_add_test(c, test_real_bias_sgld_constant_step);
    tcase_add_test(c, test_real_bias_sgld_schedule);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
