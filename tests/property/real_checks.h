/* What a law on a real space claims of itself, held to its definition: E and its gradient to a plain one and to its
 * differences, exact values to sums over a grid, exact draws to the law itself. Each check returns the worst error over what
 * is allowed.
 *
 * Kolmogorov's statistic sqrt(n) D of n draws passes 3.2 with probability 2 exp(-2 3.2^2) = 3e-9, and a mean of n = 20000
 * draws is 6 standard errors off with probability 2e-9: some 150 of them in a test give a false alarm below 1e-6. */
#ifndef TESTS_REAL_CHECKS_H
#define TESTS_REAL_CHECKS_H

#include "rbm_fixture.h"
#include "statistics.h"

enum { REAL_MOST_UNITS = 16, REAL_GRID_UNITS = 4, REAL_POINTS = 40, REAL_DRAWS = 20000, REAL_LEVELS = 2 };

/* A law as it is posed. */
typedef struct real_problem {
    const char *model, *options[14];
    size_t units;
    double (*energy)(const double *x, size_t units); /* its definition, term by term */
    double beta;                                     /* another beta at which exact values are known; 0: none */
    double spread;                                   /* points to look at: N(0, spread^2) */
    /* The grid: x and log |dx/du| of u, and u's range and steps; NULL: x = u. No steps: no grid. */
    double (*map)(const double *u, double *x);
    double low[REAL_GRID_UNITS], high[REAL_GRID_UNITS];
    int steps[REAL_GRID_UNITS];
    double smooth[REAL_GRID_UNITS]; /* deviations that distribution functions are smoothed with */
} real_problem;

typedef struct real_fixture {
    const real_problem *p;
    const ebm_model_type *type;
    ebm_model_type wrong; /* a copy with an error planted in it */
    void *options;
    ebm_model model;
    ebm_work *work;
} real_fixture;

/* Options as test_options takes them; lists are written with commas. */
static inline void real_set(const ebm_component *info, void *options, const char *name, const char *text) {
    char copy[256], *at = copy;
    const char *items[32];
    size_t count = 0;
    if (ebm_options_find(info->options, name)->type != EBM_OPTION_REALS) {
        CHECK_OK(ebm_options_set(info->options, options, name, text, NULL, error));
        return;
    }
    snprintf(copy, sizeof copy, "%s", text);
    for (char *comma; (comma = strchr(at, ',')); at = comma + 1) {
        *comma = 0;
        items[count++] = at;
    }
    items[count++] = at;
    CHECK_OK(ebm_options_set_list(info->options, options, name, count, items, NULL, error));
}

static inline void real_open(real_fixture *f, const real_problem *p) {
    memset(f, 0, sizeof *f);
    f->p = p;
    f->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, p->model);
    ck_assert_ptr_nonnull(f->type);
    f->wrong = *f->type;
    f->options = test_options(&f->type->info, NULL);
    for (size_t k = 0; p->options[k]; k += 2)
        real_set(&f->type->info, f->options, p->options[k], p->options[k + 1]);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(f->type, f->options, NULL, NULL, 1, &f->model, error));
    ck_assert_uint_eq(f->model.space.size, p->units);
    ck_assert_int_eq(f->model.space.domain, EBM_REAL_LINE);
    ck_assert_uint_eq(f->model.n_theta, 0);
}

static inline void real_close(real_fixture *f) {
    f->model.type = f->type;
    ebm_model_free(&f->model);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
}

static inline ebm_batch real_points(const real_fixture *f) {
    ebm_batch batch;
    test_random r = {91};
    CHECK_OK(ebm_batch_create(&f->model, REAL_POINTS, &batch, error));
    for (size_t k = 0; k < REAL_POINTS * f->p->units; k++)
        batch.x[k] = (ebm_real)(f->p->spread * test_random_normal(&r));
    batch.field_ok = true;
    return batch;
}

/* A Gaussian base: means 0.5, 0.4, 0.3 ..., log variances 0.25, -0.25, 0.25 ... */
typedef struct real_base {
    ebm_real parameters[2 * REAL_MOST_UNITS];
    ebm_base base;
} real_base;

static inline void real_base_fill(const real_fixture *f, real_base *out) {
    const size_t V = f->p->units;
    for (size_t i = 0; i < V; i++) {
        out->parameters[i] = (ebm_real)(0.5 - 0.1 * (double)i);
        out->parameters[V + i] = (ebm_real)(i % 2 ? -0.25 : 0.25);
    }
    out->base = (ebm_base){f->model.space, 2 * V, out->parameters, 0};
}

/* E_beta at x by the definition; base NULL: the uniform one. */
static inline double real_plain(const real_fixture *f, const real_base *base, double beta, const double *x) {
    const size_t V = f->p->units;
    double sum = beta * f->p->energy(x, V);
    for (size_t i = 0; base && i < V; i++) {
        const double d = x[i] - (double)base->parameters[i];
        sum += (1 - beta) * d * d / (2 * exp((double)base->parameters[V + i]));
    }
    return sum;
}

/* Where on paths energies and gradients are looked at: the end, a temperature, a mixture with the base. */
static const double real_betas[] = {1, 0.7, 0.3};
enum { REAL_PATHS = 3 };

static inline ebm_path real_path(const real_base *base, size_t k) {
    return (ebm_path){k == 2 ? &base->base : NULL, real_betas[k]};
}

/* Sums in double of at most 100 terms each below 1e3 |E|: rounding below 1e-11 of the larger of |E| and 1. */
static inline double real_check_energy(real_fixture *f) {
    ebm_batch batch = real_points(f);
    double energy[REAL_POINTS], worst = 0, x[REAL_MOST_UNITS];
    real_base base;
    real_base_fill(f, &base);
    for (size_t k = 0; k < REAL_PATHS; k++) {
        f->model.type->energy(&f->model, real_path(&base, k), &batch, energy, f->work);
        for (size_t b = 0; b < REAL_POINTS; b++) {
            for (size_t i = 0; i < f->p->units; i++)
                x[i] = (double)batch.x[b * f->p->units + i];
            const double want = real_plain(f, k == 2 ? &base : NULL, real_betas[k], x);
            worst = fmax(worst, fabs(energy[b] - want) / (1e-11 * fmax(1, fabs(want))));
        }
    }
    ebm_batch_free(&batch);
    return worst;
}

/* Differences of fourth order with step 1e-3: h^4 / 30 of a fifth derivative of at most 1e4 (1 + |E|), and rounding of
 * 2^-52 |E| / h, stay below 1e-7 (1 + |E|); the gradient itself is rounded once or, along the path, twice to ebm_real. */
static inline double real_check_gradient(real_fixture *f) {
    const size_t V = f->p->units;
    const double h = 1e-3;
    ebm_batch batch = real_points(f);
    ebm_real *grad = calloc(REAL_POINTS * V, sizeof *grad);
    double worst = 0, x[REAL_MOST_UNITS];
    real_base base;
    real_base_fill(f, &base);
    for (size_t k = 0; k < REAL_PATHS; k++) {
        const real_base *from = k == 2 ? &base : NULL;
        f->model.type->grad_x(&f->model, real_path(&base, k), &batch, grad, f->work);
        for (size_t n = 0; n < REAL_POINTS * V; n++) {
            const size_t i = n % V;
            double value[5];
            for (size_t j = 0; j < V; j++)
                x[j] = (double)batch.x[n - i + j];
            const double at = x[i], size = fabs(real_plain(f, from, real_betas[k], x));
            for (int s = -2; s <= 2; s++) {
                x[i] = at + s * h;
                value[s + 2] = real_plain(f, from, real_betas[k], x);
            }
            const double want = (8 * (value[3] - value[1]) - (value[4] - value[0])) / (12 * h);
            worst = fmax(worst, fabs((double)grad[n] - want) / (1e-7 * (1 + size) + 4 * UNIT_ROUNDOFF * fabs(want)));
        }
    }
    free(grad);
    ebm_batch_free(&batch);
    return worst;
}

/* energy_grad_x gives the very numbers of energy and grad_x, and a row does not depend on its neighbours. */
static inline double real_check_together(real_fixture *f) {
    const size_t V = f->p->units;
    ebm_batch batch = real_points(f), row = batch;
    double energy[REAL_POINTS], again[REAL_POINTS];
    ebm_real *grad = calloc(2 * REAL_POINTS * V, sizeof *grad), *twice = grad + REAL_POINTS * V;
    bool same = true;
    real_base base;
    real_base_fill(f, &base);
    for (size_t k = 0; k < REAL_PATHS; k++) {
        const ebm_path path = real_path(&base, k);
        f->model.type->energy(&f->model, path, &batch, energy, f->work);
        f->model.type->grad_x(&f->model, path, &batch, grad, f->work);
        ebm_model_energy_grad_x(&f->model, path, &batch, again, twice, f->work);
        same = same && memcmp(energy, again, sizeof energy) == 0;
        same = same && memcmp(grad, twice, REAL_POINTS * V * sizeof *grad) == 0;
        row.count = 1;
        for (size_t b = 0; b < REAL_POINTS; b++) {
            row.x = batch.x + b * V;
            ebm_model_energy_grad_x(&f->model, path, &row, again, twice, f->work);
            same = same && again[0] == energy[b] && memcmp(twice, grad + b * V, V * sizeof *grad) == 0;
        }
    }
    free(grad);
    ebm_batch_free(&batch);
    return same ? 0 : 2;
}

/* ---- The grid ---- */

static const char *const real_observables[] = {"first", "second", "first_square", "second_square", "square", "energy"};
enum { REAL_OBSERVABLES = 6 };

/* Integrals under exp(-beta E): log Z, the observables' means, and E[Phi((t - x_i) / s_i)]. */
typedef struct real_sums {
    double log_z, mean[REAL_OBSERVABLES], smoothed[REAL_GRID_UNITS][REAL_LEVELS];
} real_sums;

static inline double real_level(const real_problem *p, size_t unit, size_t k) {
    return (k ? 1.5 : -0.5) * p->smooth[unit];
}

/* The point number n of the grid, and log of what the volume it stands for weighs. */
static inline double real_grid_point(const real_problem *p, size_t n, double beta, double *x, double *energy) {
    double u[REAL_GRID_UNITS], log_volume = 0;
    for (size_t i = 0; i < p->units; i++) {
        const size_t side = (size_t)p->steps[i] + 1;
        const double step = (p->high[i] - p->low[i]) / p->steps[i];
        u[i] = p->low[i] + step * (double)(n % side);
        n /= side;
        log_volume += log(step);
    }
    if (p->map)
        log_volume += p->map(u, x);
    else
        memcpy(x, u, p->units * sizeof *x);
    *energy = p->energy(x, p->units);
    return log_volume - beta * *energy;
}

static inline void real_grid_add(const real_problem *p, const double *x, double energy, double mass, real_sums *out) {
    const size_t V = p->units;
    double square = 0;
    for (size_t i = 0; i < V; i++) {
        square += x[i] * x[i] / (double)V;
        for (size_t k = 0; k < REAL_LEVELS; k++)
            out->smoothed[i][k] += mass * 0.5 * erfc((x[i] - real_level(p, i, k)) / (p->smooth[i] * sqrt(2)));
    }
    const double second = V > 1 ? x[1] : 0;
    const double f[REAL_OBSERVABLES] = {x[0], second, x[0] * x[0], second * second, square, energy / (double)V};
    for (size_t k = 0; k < REAL_OBSERVABLES; k++)
        out->mean[k] += mass * f[k];
}

/* The trapezoid rule; points of less than e^-45 of about the highest are left out. */
static inline void real_integrate(const real_problem *p, double beta, real_sums *out) {
    size_t points = 1;
    double x[REAL_GRID_UNITS], energy, highest = -INFINITY, total = 0;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < p->units; i++)
        points *= (size_t)p->steps[i] + 1;
    for (size_t n = 0; n < points; n += 37)
        highest = fmax(highest, real_grid_point(p, n, beta, x, &energy));
    for (size_t n = 0; n < points; n++) {
        const double mass = exp(real_grid_point(p, n, beta, x, &energy) - highest);
        if (!(mass > 2.9e-20))
            continue;
        total += mass;
        real_grid_add(p, x, energy, mass, out);
    }
    out->log_z = highest + log(total);
    for (size_t k = 0; k < REAL_OBSERVABLES; k++)
        out->mean[k] /= total;
    for (size_t i = 0; i < p->units; i++)
        for (size_t k = 0; k < REAL_LEVELS; k++)
            out->smoothed[i][k] /= total;
}

/* int F(t - s z) phi(z) dz of the model's distribution function: what E[Phi((t - x) / s)] is. Steps of 1 / 128, as a
 * hierarchy's density has a narrow peak. */
static inline double real_smoothed_cdf(real_fixture *f, ebm_path path, size_t unit, double t) {
    enum { HALF = 1024, SIDE = 2 * HALF + 1 };
    const double step = 1. / 128;
    double at[SIDE], value[SIDE], sum = 0;
    for (int k = 0; k < SIDE; k++)
        at[k] = t - f->p->smooth[unit] * step * (k - HALF);
    CHECK_OK(f->model.type->marginal_cdf(&f->model, path, unit, at, SIDE, value, f->work, error));
    for (int k = 0; k < SIDE; k++)
        sum += step * exp(-0.5 * step * step * (k - HALF) * (k - HALF)) / sqrt(2 * 3.14159265358979323846) * value[k];
    return sum;
}

/* Grids are laid so that the trapezoid rule's error, exponential in 1 / step for these analytic integrands, and what is cut
 * off stay below 1e-8: allowed are 1e-7 of the larger of the value and 1. */
static inline double real_check_exact(real_fixture *f) {
    const double allowed = 1e-7, betas[] = {1, f->p->beta};
    double worst = 0, got;
    for (size_t k = 0; k < 2 && f->p->steps[0]; k++) {
        const ebm_path path = {NULL, betas[k]};
        real_sums want;
        if (betas[k] == 0)
            continue;
        real_integrate(f->p, betas[k], &want);
        CHECK_OK(f->model.type->log_normaliser(&f->model, path, &got, f->work, error));
        worst = fmax(worst, fabs(got - want.log_z) / allowed);
        for (size_t m = 0; m < REAL_OBSERVABLES; m++) {
            if (f->p->units == 1 && strncmp(real_observables[m], "second", 6) == 0)
                continue;
            CHECK_OK(f->model.type->exact_mean(&f->model, path, real_observables[m], &got, f->work, error));
            worst = fmax(worst, fabs(got - want.mean[m]) / (allowed * fmax(1, fabs(want.mean[m]))));
        }
        for (size_t i = 0; i < f->p->units; i++)
            for (size_t m = 0; m < REAL_LEVELS; m++) {
                got = real_smoothed_cdf(f, path, i, real_level(f->p, i, m));
                worst = fmax(worst, fabs(got - want.smoothed[i][m]) / allowed);
            }
    }
    return worst;
}

/* ---- Draws ---- */

static inline int real_by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* sqrt(n) D of one unit's draws against the model's own distribution function, looked at in every 40th of them: D may be
 * 0.002 sqrt(n) = 0.28 larger than what is seen. Values that are NAN or beyond 0 ... 1 fail. */
static inline double real_kolmogorov(real_fixture *f, ebm_path path, const ebm_batch *batch, size_t unit) {
    enum { EVERY = 40, SEEN = REAL_DRAWS / EVERY };
    double *x = calloc(REAL_DRAWS, sizeof *x), at[SEEN], F[SEEN], largest = 0;
    for (size_t b = 0; b < REAL_DRAWS; b++)
        x[b] = (double)batch->x[b * f->p->units + unit];
    qsort(x, REAL_DRAWS, sizeof *x, real_by_value);
    for (size_t k = 0; k < SEEN; k++)
        at[k] = x[EVERY * k];
    CHECK_OK(f->model.type->marginal_cdf(&f->model, path, unit, at, SEEN, F, f->work, error));
    for (size_t k = 0; k < SEEN; k++) {
        const double below = (double)(EVERY * k) / REAL_DRAWS, above = (double)(EVERY * k + 1) / REAL_DRAWS;
        largest = fmax(largest, F[k] >= 0 && F[k] <= 1 ? fmax(above - F[k], F[k] - below) : 1);
    }
    free(x);
    return sqrt(REAL_DRAWS) * largest;
}

/* Each unit's marginal law, and the mean energy, which sees how units hang together, at both betas. */
static inline double real_check_draws(real_fixture *f) {
    const double betas[] = {1, f->p->beta};
    double worst = 0, want, *energy = calloc(REAL_DRAWS, sizeof *energy);
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f->model, REAL_DRAWS, &batch, error));
    for (size_t k = 0; k < 2; k++) {
        const ebm_path path = {NULL, betas[k]};
        moments m = {0};
        if (betas[k] == 0)
            continue;
        CHECK_OK(f->model.type->sample_exact(&f->model, path, &batch, ebm_stream_of(5, EBM_PURPOSE_ESTIMATE), 3, 2,
                                             f->work, error));
        for (size_t i = 0; i < f->p->units; i++)
            worst = fmax(worst, real_kolmogorov(f, path, &batch, i) / 3.2);
        if (f->model.type->exact_mean(&f->model, path, "energy", &want, f->work, NULL) != EBM_OK)
            continue;
        f->model.type->energy(&f->model, ebm_path_end(), &batch, energy, f->work);
        for (size_t b = 0; b < REAL_DRAWS; b++)
            moments_add(&m, energy[b] / (double)f->p->units);
        worst = fmax(worst, fabs(m.mean - want) / (6 * moments_standard_error(&m)));
    }
    ebm_batch_free(&batch);
    free(energy);
    return worst;
}

/* Draws belong to (chain, step), however rows are cut, and other steps give others. */
static inline double real_check_streams(real_fixture *f) {
    const size_t V = f->p->units, cut = 11;
    const ebm_stream stream = ebm_stream_of(9, EBM_PURPOSE_SAMPLE);
    ebm_batch whole = real_points(f), part = real_points(f), tail = part;
    tail.count = REAL_POINTS - cut, tail.x = part.x + cut * V;
    CHECK_OK(f->model.type->sample_exact(&f->model, ebm_path_end(), &whole, stream, 100, 3, f->work, error));
    CHECK_OK(
        f->model.type->sample_exact(&f->model, ebm_path_end(), &tail, stream, 100 + (uint32_t)cut, 3, f->work, error));
    const size_t bytes = (REAL_POINTS - cut) * V * sizeof *tail.x;
    const bool same = memcmp(tail.x, whole.x + cut * V, bytes) == 0 && !whole.field_ok;
    CHECK_OK(
        f->model.type->sample_exact(&f->model, ebm_path_end(), &tail, stream, 100 + (uint32_t)cut, 5, f->work, error));
    const bool others = memcmp(tail.x, whole.x + cut * V, bytes) != 0;
    ebm_batch_free(&whole);
    ebm_batch_free(&part);
    return same && others ? 0 : 2;
}

static const struct {
    const char *name;
    double (*worst)(real_fixture *f);
} real_checks[] = {{"energy", real_check_energy},     {"gradient", real_check_gradient},
                   {"both", real_check_together},     {"exact values", real_check_exact},
                   {"exact draws", real_check_draws}, {"streams", real_check_streams}};
enum { REAL_CHECKS = sizeof real_checks / sizeof real_checks[0] };

#endif
