/* What a posterior given examples claims, held to its definition, prior density times likelihood term by term; exact values
 * to quadrature by another rule on another grid; exact draws by Kolmogorov-Smirnov. Each check returns the worst error over
 * what is allowed.
 *
 * Kolmogorov's statistic sqrt(n) D of n draws passes 2.9 with probability 2 exp(-2 2.9^2) = 1e-7. */
#ifndef TESTS_POSTERIOR_CHECKS_H
#define TESTS_POSTERIOR_CHECKS_H

#include "rbm_fixture.h"
#include "statistics.h"

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

static inline double option_of(const problem *p, const char *name, double otherwise) {
    for (size_t k = 0; k + 1 < 16 && p->options[k]; k += 2)
        if (strcmp(p->options[k], name) == 0)
            return strcmp(p->options[k + 1], "false") ? strtod(p->options[k + 1], NULL) : 0;
    return otherwise;
}

static inline void mixture_examples(fixture *f) {
    const ebm_stream stream = ebm_stream_of((uint32_t)option_of(f->p, "data_seed", 1), EBM_PURPOSE_DATA);
    for (uint32_t i = 0; i < f->p->n; i++) {
        const double second = ebm_random_uniform1(stream, i, 0, 0) < 0.5 ? option_of(f->p, "theta2", 1) : 0;
        const double noise = sqrt(f->p->variance) * ebm_random_normal1(stream, i, 0, 1);
        f->u[i] = (double)(ebm_real)(option_of(f->p, "theta1", 0) + second + noise);
    }
}

static inline void logistic_examples(fixture *f) {
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

static inline bool is_mixture(const problem *p) {
    return p->variance > 0;
}

static inline void fixture_open(fixture *f, const problem *p) {
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

static inline void fixture_close(fixture *f) {
    ebm_model_free(&f->model);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
}

static inline double log_normal(double x, double variance) {
    return -0.5 * log(2 * 3.14159265358979323846 * variance) - x * x / (2 * variance);
}

/* -log of prior times likelihood; `only` >= 0: of that example alone, and no prior. */
static inline double plain_energy(const fixture *f, const double *theta, int only) {
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
static inline ebm_batch points(fixture *f) {
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

static inline double check_energy(fixture *f) {
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

static inline double difference(const fixture *f, const ebm_real *x, size_t unit, int only) {
    double up[MOST_UNITS], down[MOST_UNITS];
    const double h = 1e-4;
    for (size_t j = 0; j < f->p->units; j++)
        up[j] = down[j] = (double)x[j];
    up[unit] += h, down[unit] -= h;
    return (plain_energy(f, up, only) - plain_energy(f, down, only)) / (2 * h);
}

/* Along a path from a Gaussian base, too: its energy and gradient are added here. */
static inline double check_grad_x(fixture *f) {
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
static inline double check_minibatch(fixture *f) {
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

static inline double simpson(int k) {
    return (k == 0 || k == SIDE - 1 ? 1.0 : k % 2 ? 4.0 : 2.0) / 3;
}

static inline grid *integrate(const fixture *f) {
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
static inline double check_exact(fixture *f) {
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

static inline int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Marginals by Kolmogorov-Smirnov against the independent grid's, and E[theta_1 theta_2] within 6 standard errors. */
static inline double check_draws(fixture *f) {
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

#endif
