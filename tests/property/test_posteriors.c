/* Posteriors given examples against their definition, prior density times likelihood term by term; their exact values
 * against quadrature by another rule on another grid; their exact draws by Kolmogorov-Smirnov; planted errors that the same
 * checks see.
 *
 * Kolmogorov's statistic sqrt(n) D of n draws passes 2.9 with probability 2 exp(-2 2.9^2) = 1e-7. */
#include "rbm_fixture.h"
#include "statistics.h"

#include "ebm/npy.h"

#include <unistd.h>

enum { MOST_EXAMPLES = 64, MOST_UNITS = 5, POINTS = 24, DRAWS = 20000 };

/* A posterior as it is posed: examples u (n, V) with labels +1 and -1 (logistic), or x in u (n, 1) (mixture). */
typedef struct problem {
    const char *model, *options[16];
    size_t n, units;
    double prior[2], variance; /* logistic: prior[0] for all; mixture: of theta_1 and theta_2 */
    double width;              /* where the independent grid looks: |theta| below this */
} problem;

static const problem problems[] = {
    {"mixture-posterior", {"count", "40", "data_seed", "3"}, 40, 2, {10, 1}, 2, 5},
    {"mixture-posterior",
     {"count", "1", "theta1", "-1", "theta2", "2.5", "variance", "0.5", "prior_variance1", "0.5", "prior_variance2",
      "2"},
     1,
     2,
     {0.5, 2},
     0.5,
     12},
    {"logistic-posterior", {"examples", "30", "features", "2", "prior_variance", "1.5"}, 30, 2, {1.5}, 0, 8},
    {"logistic-posterior",
     {"examples", "64", "features", "5", "intercept", "false", "correlation", "0.6", "data_seed", "9", "truth_scale",
      "2"},
     64,
     5,
     {10},
     0,
     0},
};
enum { PROBLEMS = sizeof problems / sizeof problems[0] };

typedef struct fixture {
    const ebm_model_type *type;
    ebm_model_type wrong; /* a copy with an error planted in it */
    void *options;
    ebm_model model;
    ebm_work *work;
    const problem *p;
    double u[MOST_EXAMPLES * MOST_UNITS]; /* the examples, drawn here as the models say that they draw them */
    double label[MOST_EXAMPLES];
} fixture;

static double option_of(const problem *p, const char *name, double otherwise) {
    for (size_t k = 0; k + 1 < 16 && p->options[k]; k += 2)
        if (strcmp(p->options[k], name) == 0)
            return strcmp(p->options[k + 1], "false") ? strtod(p->options[k + 1], NULL) : 0;
    return otherwise;
}

static void mixture_examples(fixture *f) {
    const ebm_stream stream = ebm_stream_of((uint32_t)option_of(f->p, "data_seed", 1), EBM_PURPOSE_DATA);
    for (uint32_t i = 0; i < f->p->n; i++) {
        const double second = ebm_random_uniform1(stream, i, 0, 0) < 0.5 ? option_of(f->p, "theta2", 1) : 0;
        const double noise = sqrt(f->p->variance) * ebm_random_normal1(stream, i, 0, 1);
        f->u[i] = (double)(ebm_real)(option_of(f->p, "theta1", 0) + second + noise);
    }
}

static void logistic_examples(fixture *f) {
    const ebm_stream stream = ebm_stream_of((uint32_t)option_of(f->p, "data_seed", 1), EBM_PURPOSE_DATA);
    const double rho = option_of(f->p, "correlation", 0);
    const bool intercept = option_of(f->p, "intercept", 1) != 0;
    const size_t V = f->p->units;
    ebm_real truth[MOST_UNITS], row[MOST_UNITS];
    ebm_random_normal_plain(stream, 0, 2, V, truth);
    for (uint32_t i = 0; i < f->p->n; i++) {
        double logit = 0;
        ebm_random_normal_plain(stream, i, 0, V, row);
        for (size_t j = 0; j < V; j++) {
            if (j > (intercept ? 1u : 0u))
                row[j] = (ebm_real)(rho * (double)row[j - 1] + sqrt(1 - rho * rho) * (double)row[j]);
            row[j] = intercept && j == 0 ? 1 : row[j];
            f->u[i * V + j] = (double)row[j];
            logit += option_of(f->p, "truth_scale", 1) * (double)truth[j] * (double)row[j];
        }
        f->label[i] = ebm_random_uniform1(stream, i, 1, 0) < 1 / (1 + exp(-logit)) ? 1 : -1;
    }
}

static bool is_mixture(const problem *p) {
    return p->variance > 0;
}

static void fixture_open(fixture *f, const problem *p) {
    memset(f, 0, sizeof *f);
    f->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, p->model);
    ck_assert_ptr_nonnull(f->type);
    f->wrong = *f->type;
    f->p = p;
    f->options = test_options(&f->type->info, p->options);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(f->type, f->options, NULL, NULL, 1, &f->model, error));
    ck_assert_uint_eq(f->model.space.size, p->units);
    ck_assert_int_eq(f->model.space.domain, EBM_REAL_LINE);
    ck_assert_uint_eq(f->model.n_theta, 0);
    ck_assert_uint_eq(f->model.examples, p->n);
    if (is_mixture(p))
        mixture_examples(f);
    else
        logistic_examples(f);
}

static void fixture_close(fixture *f) {
    ebm_model_free(&f->model);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
}

static double log_normal(double x, double variance) {
    return -0.5 * log(2 * 3.14159265358979323846 * variance) - x * x / (2 * variance);
}

/* -log of prior times likelihood; `only` >= 0: of that example alone, and no prior. */
static double plain_energy(const fixture *f, const double *theta, int only) {
    const problem *p = f->p;
    const size_t V = p->units;
    double log_p = 0;
    for (size_t j = 0; j < V && only < 0; j++)
        log_p += log_normal(theta[j], p->prior[is_mixture(p) ? j : 0]);
    for (size_t i = 0; i < p->n; i++) {
        if (only >= 0 && (size_t)only != i)
            continue;
        if (is_mixture(p)) {
            const double a = exp(log_normal(f->u[i] - theta[0], p->variance));
            const double b = exp(log_normal(f->u[i] - theta[0] - theta[1], p->variance));
            log_p += log(0.5 * a + 0.5 * b);
        } else {
            double logit = 0;
            for (size_t j = 0; j < V; j++)
                logit += theta[j] * f->u[i * V + j];
            log_p += -log(1 + exp(-f->label[i] * logit));
        }
    }
    return -log_p;
}

/* States within reach of the posterior, rounded to ebm_real. */
static ebm_batch points(fixture *f) {
    ebm_batch batch;
    test_random r = {91};
    CHECK_OK(ebm_batch_create(&f->model, POINTS, &batch, error));
    for (size_t k = 0; k < POINTS * f->p->units; k++)
        batch.x[k] = (ebm_real)(1.5 * test_random_normal(&r));
    batch.field_ok = true;
    return batch;
}

/* Energies below 1e3 of up to 64 examples. A logit is a sum of up to 5 products of size below 30, or a slope below 20
 * times x; rounded to ebm_real each step it errs by less than 8 u 100, and the energy has slope at most 1 in each: with
 * the sums 64 1000 u in all. */
static const double ENERGY_ERROR = 64 * 1000 * UNIT_ROUNDOFF;

static double check_energy(fixture *f) {
    ebm_batch batch = points(f);
    double energy[POINTS], both[POINTS], theta[MOST_UNITS], worst = 0;
    ebm_real grad[POINTS * MOST_UNITS];
    const size_t V = f->p->units;
    f->model.type->energy(&f->model, ebm_path_end(), &batch, energy, f->work);
    ebm_model_energy_grad_x(&f->model, ebm_path_end(), &batch, both, grad, f->work);
    for (size_t b = 0; b < POINTS; b++) {
        for (size_t j = 0; j < V; j++)
            theta[j] = (double)batch.x[b * V + j];
        worst = fmax(worst, fabs(energy[b] - plain_energy(f, theta, -1)) / ENERGY_ERROR);
        worst = fmax(worst, fabs(both[b] - energy[b]) / ENERGY_ERROR);
    }
    ebm_batch_free(&batch);
    return worst;
}

/* Central differences with h = 1e-4 of the plain energy, or of one example's: h^2 / 6 of a third derivative (below n |u|^3,
 * 64 30 here, or n (theta / s)^3) and 2^-53 1e3 / h, below 1e-5 together; and in float 64 terms of size below 30, each
 * with an error of 1000 u. */
static const double GRADIENT_ERROR = 1e-5 + 64 * 1000 * UNIT_ROUNDOFF;

static double difference(const fixture *f, const ebm_real *x, size_t unit, int only) {
    double up[MOST_UNITS], down[MOST_UNITS];
    const double h = 1e-4;
    for (size_t j = 0; j < f->p->units; j++)
        up[j] = down[j] = (double)x[j];
    up[unit] += h, down[unit] -= h;
    return (plain_energy(f, up, only) - plain_energy(f, down, only)) / (2 * h);
}

/* Along a path from a Gaussian base, too: its energy and gradient are added here. */
static double check_grad_x(fixture *f) {
    ebm_batch batch = points(f);
    const size_t V = f->p->units;
    ebm_real grad[POINTS * MOST_UNITS], both[POINTS * MOST_UNITS], parameters[2 * MOST_UNITS];
    double energy[POINTS], end[POINTS], worst = 0;
    for (size_t j = 0; j < V; j++)
        parameters[j] = (ebm_real)(0.5 - (double)j), parameters[V + j] = (ebm_real)(0.25 * (double)j);
    const ebm_base base = {f->model.space, 2 * V, parameters, 0};
    for (int based = 0; based < 2; based++) {
        const double beta = based ? 0.3 : 1;
        const ebm_path path = {based ? &base : NULL, beta};
        f->model.type->grad_x(&f->model, path, &batch, grad, f->work);
        ebm_model_energy_grad_x(&f->model, path, &batch, energy, both, f->work);
        f->model.type->energy(&f->model, ebm_path_end(), &batch, end, f->work);
        for (size_t b = 0; b < POINTS; b++) {
            double want_energy = beta * end[b];
            for (size_t j = 0; j < V; j++) {
                const double d = (double)batch.x[b * V + j] - (double)parameters[j];
                const double precision = (1 - beta) * exp(-(double)parameters[V + j]);
                const double want = beta * difference(f, batch.x + b * V, j, -1) + precision * d;
                worst = fmax(worst, fabs((double)grad[b * V + j] - want) / GRADIENT_ERROR);
                worst = fmax(worst, fabs((double)both[b * V + j] - want) / GRADIENT_ERROR);
                want_energy += precision * d * d / 2;
            }
            worst = fmax(worst, fabs(energy[b] - want_energy) / ENERGY_ERROR);
        }
    }
    ebm_batch_free(&batch);
    return worst;
}

/* Rows with examples of their own, one twice: n / 3 times three examples' gradients plus the prior's, which is what is
 * left of the whole gradient without all examples. */
static double check_minibatch(fixture *f) {
    enum { DRAWN = 3 };
    ebm_batch batch = points(f);
    const size_t V = f->p->units, n = f->p->n;
    ebm_real grad[POINTS * MOST_UNITS], all[POINTS * MOST_UNITS];
    uint32_t which[POINTS * DRAWN], every[POINTS * MOST_EXAMPLES];
    double worst = 0;
    for (size_t b = 0; b < POINTS; b++) {
        for (size_t k = 0; k < DRAWN; k++)
            which[b * DRAWN + k] = (uint32_t)((7 * b + 5 * (k / 2)) % n);
        for (size_t i = 0; i < n; i++)
            every[b * n + i] = (uint32_t)((i + b) % n);
    }
    f->model.type->grad_x_minibatch(&f->model, &batch, which, DRAWN, grad, f->work);
    f->model.type->grad_x_minibatch(&f->model, &batch, every, n, all, f->work);
    for (size_t b = 0; b < POINTS; b++)
        for (size_t j = 0; j < V; j++) {
            const ebm_real *x = batch.x + b * V;
            double want = (double)x[j] / f->p->prior[is_mixture(f->p) ? j : 0];
            for (size_t k = 0; k < DRAWN; k++)
                want += (double)n / DRAWN * difference(f, x, j, (int)which[b * DRAWN + k]);
            worst = fmax(worst, fabs((double)grad[b * V + j] - want) / GRADIENT_ERROR);
            worst = fmax(worst, fabs((double)all[b * V + j] - difference(f, x, j, -1)) / GRADIENT_ERROR);
        }
    ebm_batch_free(&batch);
    return worst;
}

/* The law on an even grid over |theta| <= width by Simpson's rule: (2 HALF + 1)^2 points. */
enum { HALF = 300, SIDE = 2 * HALF + 1 };
typedef struct grid {
    double step, log_z, first, second, first_square, second_square, energy, product;
    double marginal[2][SIDE]; /* densities */
} grid;

static double simpson(int k) {
    return (k == 0 || k == SIDE - 1 ? 1.0 : k % 2 ? 4.0 : 2.0) / 3;
}

static grid *integrate(const fixture *f) {
    grid *g = calloc(1, sizeof *g);
    double *energy = calloc(SIDE * SIDE, sizeof *energy), least = INFINITY, total = 0;
    ck_assert(g && energy);
    g->step = f->p->width / HALF;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            const double theta[2] = {(i - HALF) * g->step, (j - HALF) * g->step};
            energy[i * SIDE + j] = plain_energy(f, theta, -1);
            least = fmin(least, energy[i * SIDE + j]);
        }
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            const double e = energy[i * SIDE + j], x = (i - HALF) * g->step, y = (j - HALF) * g->step;
            const double density = exp(least - e), mass = density * simpson(i) * simpson(j) * g->step * g->step;
            total += mass, g->energy += mass * e, g->product += mass * x * y;
            g->first += mass * x, g->second += mass * y, g->first_square += mass * x * x,
                g->second_square += mass * y * y;
            g->marginal[0][i] += density * simpson(j) * g->step, g->marginal[1][j] += density * simpson(i) * g->step;
        }
    g->log_z = log(total) - least;
    g->first /= total, g->second /= total, g->first_square /= total, g->second_square /= total;
    g->energy /= total, g->product /= total;
    for (int k = 0; k < SIDE; k++)
        g->marginal[0][k] /= total, g->marginal[1][k] /= total;
    free(energy);
    return g;
}

/* Simpson's error is (step^4 / 180) times a fourth derivative: steps of at most 0.04 and scales of 0.2 and more leave
 * (0.04 / 0.2)^4 / 180 = 1e-5 at worst; distribution functions at even points of the grid have the same. */
static double check_exact(fixture *f) {
    const ebm_model_type *type = f->model.type;
    const double allowed = 2e-5;
    double got = 0, worst = 0;
    if (f->p->width == 0) {
        ck_assert_int_eq(type->log_normaliser(&f->model, ebm_path_end(), &got, f->work, NULL), EBM_UNSUPPORTED);
        ck_assert_int_eq(type->exact_mean(&f->model, ebm_path_end(), "first", &got, f->work, NULL), EBM_UNSUPPORTED);
        return 0;
    }
    grid *g = integrate(f);
    const struct {
        const char *name;
        double value;
    } means[] = {{"first", g->first},
                 {"second", g->second},
                 {"first_square", g->first_square},
                 {"second_square", g->second_square},
                 {"square", (g->first_square + g->second_square) / 2},
                 {"energy", g->energy / 2}};
    CHECK_OK(type->log_normaliser(&f->model, ebm_path_end(), &got, f->work, error));
    worst = fmax(worst, fabs(got - g->log_z) / allowed);
    for (size_t k = 0; k < sizeof means / sizeof *means; k++) {
        CHECK_OK(type->exact_mean(&f->model, ebm_path_end(), means[k].name, &got, f->work, error));
        worst = fmax(worst, fabs(got - means[k].value) / (allowed * fmax(1, fabs(got))));
    }
    for (size_t a = 0; a < 2; a++) {
        double sum = 0;
        for (int k = 2; k < SIDE; k += 2) {
            const double t = (k - HALF) * g->step;
            sum += g->step / 3 * (g->marginal[a][k - 2] + 4 * g->marginal[a][k - 1] + g->marginal[a][k]);
            CHECK_OK(type->marginal_cdf(&f->model, ebm_path_end(), a, &t, 1, &got, f->work, error));
            worst = fmax(worst, fabs(got - sum) / allowed);
        }
    }
    free(g);
    return worst;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Marginals by Kolmogorov-Smirnov against the independent grid's, and E[theta_1 theta_2] within 6 standard errors. */
static double check_draws(fixture *f) {
    if (f->p->width == 0)
        return 0;
    ebm_batch batch;
    moments product = {0};
    double *draw = calloc(DRAWS, sizeof *draw), worst = 0;
    grid *g = integrate(f);
    CHECK_OK(ebm_batch_create(&f->model, DRAWS, &batch, error));
    CHECK_OK(f->model.type->sample_exact(&f->model, ebm_path_end(), &batch, ebm_stream_of(5, EBM_PURPOSE_ESTIMATE), 3,
                                         2, f->work, error));
    for (size_t b = 0; b < DRAWS; b++)
        moments_add(&product, (double)batch.x[2 * b] * (double)batch.x[2 * b + 1]);
    worst = fabs(product.mean - g->product) / (6 * moments_standard_error(&product));
    for (size_t a = 0; a < 2; a++) {
        double cumulative[SIDE] = {0}, largest = 0;
        for (int k = 1; k < SIDE; k++) /* trapezoid: off by step^2 / 12 of a density's slope, 1e-3 at most */
            cumulative[k] = cumulative[k - 1] + g->step / 2 * (g->marginal[a][k - 1] + g->marginal[a][k]);
        for (size_t b = 0; b < DRAWS; b++)
            draw[b] = (double)batch.x[2 * b + a];
        qsort(draw, DRAWS, sizeof *draw, by_value);
        for (size_t b = 0; b < DRAWS; b++) {
            const double at = fmin(fmax(draw[b] / g->step + HALF, 0), SIDE - 1.001);
            const size_t k = (size_t)at;
            const double F = cumulative[k] + (at - (double)k) * (cumulative[k + 1] - cumulative[k]);
            largest = fmax(largest, fmax((double)(b + 1) / DRAWS - F, F - (double)b / DRAWS));
        }
        worst = fmax(worst, (largest - 1e-3) * sqrt(DRAWS) / 2.9);
    }
    ebm_batch_free(&batch);
    free(draw);
    free(g);
    return worst;
}

static const struct {
    const char *name;
    double (*worst)(fixture *f);
} checks[] = {{"energy", check_energy},
              {"grad_x", check_grad_x},
              {"minibatch", check_minibatch},
              {"exact values", check_exact},
              {"exact draws", check_draws}};
enum { CHECKS = sizeof checks / sizeof checks[0] };

START_TEST(test_posteriors_by_definition) {
    for (size_t k = 0; k < PROBLEMS; k++) {
        fixture f;
        fixture_open(&f, &problems[k]);
        const double worst = checks[_i].worst(&f);
        ck_assert_msg(worst <= 1, "%s, problem %zu: %g times the allowed error", checks[_i].name, k, worst);
        fixture_close(&f);
    }
}
END_TEST

/* Planted errors of kinds that are easily made. */
static const ebm_model_type *right;
static double planted_scale;
static void wrong_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    right->energy(model, path, batch, out, work);
    for (size_t b = 0; b < batch->count; b++) /* the prior's 1/2 forgotten in one coordinate */
        out[b] += path.beta * (double)batch->x[model->space.size * b] * (double)batch->x[model->space.size * b] / 20;
}
static void wrong_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    path.beta = 1;
    right->grad_x(model, path, batch, out, work);
}
/* The prior scaled up with the examples: 2 * drawn instead of drawn of them make it visible. */
static void wrong_minibatch(const ebm_model *model, const ebm_batch *batch, const uint32_t *examples, size_t drawn,
                            ebm_real *out, ebm_work *work) {
    right->grad_x_minibatch(model, batch, examples, drawn, out, work);
    for (size_t k = 0; k < batch->count * model->space.size; k++)
        out[k] *= (ebm_real)(1 + planted_scale);
}
static ebm_status wrong_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                   ebm_work *work, ebm_error *error) {
    const ebm_status status = right->exact_mean(model, path, observable, out, work, error);
    *out += strcmp(observable, "second") ? 0 : 1e-4;
    return status;
}
/* One half of a mode too many: draws with theta_2's sign turned in one of 20. */
static ebm_status wrong_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                     uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const ebm_status status = right->sample_exact(model, path, batch, stream, first_chain, step, work, error);
    for (size_t b = 0; b < batch->count; b += 20)
        batch->x[2 * b + 1] = -batch->x[2 * b + 1];
    return status;
}

START_TEST(test_posteriors_checks_can_fail) {
    fixture f;
    fixture_open(&f, &problems[2]);
    right = f.type;
    planted_scale = 0.01;
    f.wrong.energy = _i == 0 ? wrong_energy : right->energy;
    f.wrong.grad_x = _i == 1 ? wrong_grad_x : right->grad_x;
    f.wrong.grad_x_minibatch = _i == 2 ? wrong_minibatch : right->grad_x_minibatch;
    f.wrong.exact_mean = _i == 3 ? wrong_exact_mean : right->exact_mean;
    f.wrong.sample_exact = _i == 4 ? wrong_sample_exact : right->sample_exact;
    f.model.type = &f.wrong;
    ck_assert_msg(checks[_i].worst(&f) > 1, "%s passes with a planted error", checks[_i].name);
    f.model.type = right;
    fixture_close(&f);
}
END_TEST

/* Exact draws belong to (chain, step): the same however the rows are cut. */
START_TEST(test_posteriors_draws_by_chain) {
    fixture f;
    fixture_open(&f, &problems[0]);
    ebm_batch whole = points(&f), part = points(&f);
    const ebm_stream stream = ebm_stream_of(9, EBM_PURPOSE_SAMPLE);
    CHECK_OK(f.type->sample_exact(&f.model, ebm_path_end(), &whole, stream, 100, 3, f.work, error));
    ebm_batch tail = part;
    tail.count = POINTS - 11, tail.x = part.x + 2 * 11;
    CHECK_OK(f.type->sample_exact(&f.model, ebm_path_end(), &tail, stream, 111, 3, f.work, error));
    ck_assert_mem_eq(whole.x + 2 * 11, tail.x, tail.count * 2 * sizeof *tail.x);
    ebm_batch_free(&whole);
    ebm_batch_free(&part);
    fixture_close(&f);
}
END_TEST

/* More examples than one product takes, many rows, two threads: the same bytes as with one. */
START_TEST(test_posteriors_on_threads) {
    static const char *const models[] = {"logistic-posterior", "mixture-posterior"};
    static const char *const pairs[][3] = {{"examples", "1300", NULL}, {"count", "1300", NULL}};
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, models[_i]);
    void *options = test_options(&type->info, pairs[_i]);
    ebm_work *work[2];
    ebm_model model;
    ebm_batch batch;
    test_random r = {17};
    enum { B = 200 };
    CHECK_OK(ebm_work_create(1, &work[0], error));
    CHECK_OK(ebm_work_create(2, &work[1], error));
    CHECK_OK(ebm_model_create(type, options, NULL, NULL, 1, &model, error));
    CHECK_OK(ebm_batch_create(&model, B, &batch, error));
    const size_t V = model.space.size;
    for (size_t k = 0; k < B * V; k++)
        batch.x[k] = (ebm_real)test_random_normal(&r);
    double energy[2][B];
    ebm_real *grad = calloc(2 * B * V, sizeof *grad);
    for (size_t k = 0; k < 2; k++)
        type->energy_grad_x(&model, ebm_path_end(), &batch, energy[k], grad + k * B * V, work[k]);
    ck_assert_mem_eq(energy[0], energy[1], sizeof energy[0]);
    ck_assert_mem_eq(grad, grad + B * V, B * V * sizeof *grad);
    free(grad);
    ebm_batch_free(&batch);
    ebm_model_free(&model);
    for (size_t k = 0; k < 2; k++)
        ebm_work_free(work[k]);
    test_options_free(&type->info, options);
}
END_TEST

START_TEST(test_posteriors_refusals) {
    fixture f;
    fixture_open(&f, &problems[0]);
    ebm_error refusal;
    double out;
    const ebm_path hot = {NULL, 0.5};
    ck_assert_int_eq(f.type->log_normaliser(&f.model, hot, &out, f.work, &refusal), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(refusal.message, "temperature 1"));
    ck_assert_int_eq(f.type->exact_mean(&f.model, ebm_path_end(), "magnetisation", &out, f.work, &refusal),
                     EBM_UNSUPPORTED);
    const ebm_space other = ebm_space_line(EBM_REAL_LINE, 3);
    ebm_model none;
    ck_assert_int_eq(ebm_model_create(f.type, f.options, &other, NULL, 1, &none, &refusal), EBM_INVALID);
    fixture_close(&f);
    /* so many examples that a table would take minutes: a model all the same */
    static const char *const many[] = {"count", "100000", NULL};
    void *options = test_options(&f.type->info, many);
    CHECK_OK(ebm_model_create(f.type, options, NULL, NULL, 1, &none, error));
    ck_assert_int_eq(f.type->log_normaliser(&none, ebm_path_end(), &out, NULL, &refusal), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(refusal.message, "too large"));
    ebm_model_free(&none);
    test_options_free(&f.type->info, options);
}
END_TEST

/* ---- Examples of one's own ---- */

static char inputs_path[64], labels_path[64];

static void write_own(const double *inputs, size_t rows, size_t columns, const double *labels, size_t count) {
    const size_t shape[] = {rows, columns};
    snprintf(inputs_path, sizeof inputs_path, "/tmp/posterior-x-%ld.npy", (long)getpid());
    snprintf(labels_path, sizeof labels_path, "/tmp/posterior-y-%ld.npy", (long)getpid());
    CHECK_OK(ebm_npy_write(inputs_path, EBM_NPY_FLOAT64, 2, shape, inputs, error));
    CHECK_OK(ebm_npy_write(labels_path, EBM_NPY_FLOAT64, 1, &count, labels, error));
}

static ebm_status open_own(const char *inputs, const char *labels, ebm_model *model, void **options, ebm_error *error) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "logistic-posterior");
    const char *pairs[5] = {0};
    size_t n = 0;
    if (inputs)
        pairs[n++] = "inputs", pairs[n++] = inputs;
    if (labels)
        pairs[n++] = "labels", pairs[n++] = labels;
    *options = test_options(&type->info, pairs);
    return ebm_model_create(type, *options, NULL, NULL, 1, model, error);
}

START_TEST(test_logistic_posterior_of_own_examples) {
    const double inputs[] = {1, 2, 0.5, 1, -1, 0.25}, labels[] = {1, 0};
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "logistic-posterior");
    ebm_model model;
    ebm_batch batch;
    ebm_work *work;
    void *options;
    double energy;
    CHECK_OK(ebm_work_create(1, &work, error));
    write_own(inputs, 2, 3, labels, 2);
    CHECK_OK(open_own(inputs_path, labels_path, &model, &options, error));
    ck_assert_uint_eq(model.space.size, 3);
    ck_assert_uint_eq(model.examples, 2);
    CHECK_OK(ebm_batch_create(&model, 1, &batch, error));
    batch.x[0] = 1, batch.x[1] = (ebm_real)0.5, batch.x[2] = -2;
    type->energy(&model, ebm_path_end(), &batch, &energy, work);
    /* logits 1 and 0: -log sigmoid(1) - log sigmoid(-0), prior variance 10 */
    const double want = log(1 + exp(-1.0)) + log(2.0) + 5.25 / 20 + 1.5 * log(2 * 3.14159265358979323846 * 10);
    ck_assert_double_le(fabs(energy - want), 100 * UNIT_ROUNDOFF);
    ebm_batch_free(&batch);
    ebm_model_free(&model);
    test_options_free(&type->info, options);
    ebm_work_free(work);
    unlink(inputs_path);
    unlink(labels_path);
}
END_TEST

START_TEST(test_logistic_posterior_refuses_bad_examples) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "logistic-posterior");
    const double inputs[] = {1, 2, 0.5, 1, -1, NAN}, labels[] = {1, 0, 2};
    const struct {
        size_t rows, columns, labels, first_label;
        bool give_inputs, give_labels;
        ebm_status status;
        const char *says;
    } cases[] = {
        {2, 2, 3, 0, true, true, EBM_FORMAT, "3 labels in 1 dimensions: expected 2"},
        {2, 2, 2, 1, true, true, EBM_FORMAT, "label 1 is 2: expected 0 or 1"},
        {3, 2, 3, 0, true, true, EBM_FORMAT, "is nan"},
        {0, 2, 2, 0, true, true, EBM_FORMAT, "empty"},
        {2, 2, 2, 0, true, false, EBM_INVALID, "no `labels`"},
        {2, 2, 2, 0, false, true, EBM_INVALID, "no `inputs`"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        ebm_model model;
        ebm_error error = {0};
        void *options;
        double own[3] = {1, 0, 1};
        if (k != 2)
            memcpy(own, labels + cases[k].first_label, (3 - cases[k].first_label) * sizeof *own);
        write_own(inputs, cases[k].rows, cases[k].columns, own, cases[k].labels);
        const ebm_status status = open_own(cases[k].give_inputs ? inputs_path : NULL,
                                           cases[k].give_labels ? labels_path : NULL, &model, &options, &error);
        ck_assert_msg(status == cases[k].status && strstr(error.message, cases[k].says), "case %zu: %s", k,
                      error.message);
        test_options_free(&type->info, options);
        unlink(inputs_path);
        unlink(labels_path);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("posteriors");
    TCase *cases = tcase_create("property");
    tcase_add_loop_test(cases, test_posteriors_by_definition, 0, CHECKS);
    tcase_add_loop_test(cases, test_posteriors_checks_can_fail, 0, CHECKS);
    tcase_add_test(cases, test_posteriors_draws_by_chain);
    tcase_add_loop_test(cases, test_posteriors_on_threads, 0, 2);
    tcase_add_test(cases, test_posteriors_refusals);
    tcase_add_test(cases, test_logistic_posterior_of_own_examples);
    tcase_add_test(cases, test_logistic_posterior_refuses_bad_examples);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
