/* The normal posterior against its definition (likelihood of observations times prior density), quadrature, and
 * Kolmogorov-Smirnov tests of its conditionals; planted errors that the same checks see.
 *
 * Kolmogorov's statistic sqrt(n) D of n draws passes 2.9 with probability 2 exp(-2 2.9^2) = 1e-7. */
#include "rbm_fixture.h"

enum { OBSERVATIONS = 7, DRAWS = 20000 };

/* A problem as it is posed: observations and the prior's four numbers. */
typedef struct problem {
    size_t n;
    double y[OBSERVATIONS], mu0, kappa0, alpha0, beta0;
} problem;

static const problem problems[] = {
    {OBSERVATIONS, {0.3, -1.2, 2.5, 0.9, 1.7, -0.4, 0.6}, 0.5, 2.0, 1.5, 0.75},
    {1, {4}, -1.0, 0.5, 2.5, 3.0},
    {0, {0}, 0.25, 3.0, 4.0, 2.0},
};
enum { PROBLEMS = sizeof problems / sizeof problems[0] };
static const double betas[] = {1, 0.8};

/* -log of likelihood times prior, each term from its definition. */
static double plain_energy(const problem *p, double mu, double s) {
    const double pi = 3.14159265358979323846;
    double log_p = p->alpha0 * log(p->beta0) - lgamma(p->alpha0) - (p->alpha0 + 1) * log(s) - p->beta0 / s;
    log_p += -0.5 * log(2 * pi * s / p->kappa0) - 0.5 * p->kappa0 * (mu - p->mu0) * (mu - p->mu0) / s;
    for (size_t i = 0; i < p->n; i++)
        log_p += -0.5 * log(2 * pi * s) - 0.5 * (p->y[i] - mu) * (p->y[i] - mu) / s;
    return -log_p;
}

/* The centre of mu's conditionals: between the observations' mean and the prior's. */
static double centre(const problem *p) {
    double sum = p->kappa0 * p->mu0;
    for (size_t i = 0; i < p->n; i++)
        sum += p->y[i];
    return sum / (p->kappa0 + (double)p->n);
}

typedef struct fixture {
    const ebm_model_type *type;
    ebm_model_type wrong; /* a copy with an error planted in it */
    void *options;
    ebm_model model;
    ebm_work *work;
    const problem *p;
} fixture;

static void fixture_open(fixture *f, const problem *p) {
    double mean = 0, variance = 0;
    char text[7][32];
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < p->n; i++)
        mean += p->y[i] / (double)p->n;
    for (size_t i = 0; i < p->n; i++)
        variance += (p->y[i] - mean) * (p->y[i] - mean) / (double)p->n;
    const double numbers[] = {(double)p->n, mean, variance, p->mu0, p->kappa0, p->alpha0, p->beta0};
    for (size_t k = 0; k < 7; k++)
        snprintf(text[k], sizeof text[k], "%.17g", numbers[k]);
    const char *pairs[] = {"count",       text[0],      "mean",        text[1],       "variance",
                           text[2],       "prior_mean", text[3],       "prior_count", text[4],
                           "prior_shape", text[5],      "prior_scale", text[6],       NULL};
    f->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "normal-posterior");
    ck_assert_ptr_nonnull(f->type);
    f->wrong = *f->type;
    f->p = p;
    f->options = test_options(&f->type->info, pairs);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(f->type, f->options, NULL, NULL, 1, &f->model, error));
    ck_assert_uint_eq(f->model.space.size, 2);
    ck_assert_int_eq(f->model.space.domain, EBM_REAL_LINE);
    ck_assert_uint_eq(f->model.n_theta, 0);
}

static void fixture_close(fixture *f) {
    ebm_model_free(&f->model);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
}

/* States within reach of the posterior, rounded to ebm_real. */
enum { POINTS = 40 };
static ebm_batch points(fixture *f) {
    ebm_batch batch;
    test_random r = {91};
    CHECK_OK(ebm_batch_create(&f->model, POINTS, &batch, error));
    for (size_t b = 0; b < POINTS; b++) {
        batch.x[2 * b] = (ebm_real)(centre(f->p) + test_random_normal(&r));
        batch.x[2 * b + 1] = (ebm_real)exp(test_random_normal(&r));
    }
    batch.field_ok = true;
    return batch;
}

/* beta E up to one constant: differences from the first point. Both sides are sums in double of at most 20 terms of size
 * at most 1e3 on the same stored x: rounding below 20 x 1e3 x 2^-53 < 1e-11. */
static double check_energy(fixture *f) {
    ebm_batch batch = points(f);
    double energy[POINTS], worst = 0;
    for (size_t k = 0; k < 2; k++) {
        f->model.type->energy(&f->model, (ebm_path){NULL, betas[k]}, &batch, energy, f->work);
        for (size_t b = 1; b < POINTS; b++) {
            const double want = betas[k] * (plain_energy(f->p, (double)batch.x[2 * b], (double)batch.x[2 * b + 1]) -
                                            plain_energy(f->p, (double)batch.x[0], (double)batch.x[1]));
            worst = fmax(worst, fabs(energy[b] - energy[0] - want) / 1e-11);
        }
    }
    ebm_batch_free(&batch);
    return worst;
}

/* Along a path from a Gaussian base, by adding the two energies here. */
static double check_base_path(fixture *f) {
    ebm_batch batch = points(f);
    ebm_real parameters[] = {(ebm_real)0.5, (ebm_real)1.5, (ebm_real)0.25, (ebm_real)-0.5}; /* means, log variances */
    const ebm_base base = {f->model.space, 4, parameters, 0};
    double energy[POINTS], end[POINTS], worst = 0;
    f->model.type->energy(&f->model, (ebm_path){&base, 0.3}, &batch, energy, f->work);
    f->model.type->energy(&f->model, ebm_path_end(), &batch, end, f->work);
    for (size_t b = 0; b < POINTS; b++) {
        double want = 0.3 * end[b];
        for (size_t i = 0; i < 2; i++) {
            const double d = (double)batch.x[2 * b + i] - (double)parameters[i];
            want += 0.7 * d * d / (2 * exp((double)parameters[2 + i]));
        }
        worst = fmax(worst, fabs(energy[b] - want) / 1e-11);
    }
    ebm_batch_free(&batch);
    return worst;
}

/* Central differences of the plain energy with relative step h = 1e-5: the difference's error is h^2 / 6 of a third
 * derivative (up to 10 alpha |E| / s^3 here, below 1e5) plus 2^-53 |E| / h, below 1e-4 max(1, |gradient|) together with
 * the one rounding to float. */
static double check_grad_x(fixture *f) {
    ebm_batch batch = points(f);
    ebm_real grad[2 * POINTS];
    ebm_real parameters[] = {(ebm_real)0.5, (ebm_real)1.5, (ebm_real)0.25, (ebm_real)-0.5};
    const ebm_base base = {f->model.space, 4, parameters, 0};
    double worst = 0;
    for (int based = 0; based < 2; based++) {
        const double beta = based ? 0.3 : 0.8;
        f->model.type->grad_x(&f->model, (ebm_path){based ? &base : NULL, beta}, &batch, grad, f->work);
        for (size_t b = 0; b < POINTS; b++)
            for (size_t i = 0; i < 2; i++) {
                double up[2] = {(double)batch.x[2 * b], (double)batch.x[2 * b + 1]}, down[2] = {up[0], up[1]};
                const double h = 1e-5 * up[1], x = up[i];
                up[i] += h, down[i] -= h;
                double want =
                    beta * (plain_energy(f->p, up[0], up[1]) - plain_energy(f->p, down[0], down[1])) / (2 * h);
                if (based)
                    want += (1 - beta) * (x - (double)parameters[i]) / exp((double)parameters[2 + i]);
                worst = fmax(worst, fabs((double)grad[2 * b + i] - want) / (1e-4 * fmax(1, fabs(want))));
            }
    }
    ebm_batch_free(&batch);
    return worst;
}

/* Integrals of exp(-beta E) times 1, mu, s, mu^2, s^2 by the trapezoid rule in log s and t, mu = centre + t sqrt(s):
 * exp(-beta E) is then a normal density in t, and decays in log s like exp(-shape |log s|) or faster. Steps of 0.02 in
 * log s and a sixteenth of t's deviation leave errors far below 1e-10; so does cutting at |log s| = 40 for the shapes
 * above 2.7 that the moments asked for need. */
static void integrals(const problem *p, double beta, double out[5]) {
    const double width = 1 / sqrt(beta * (p->kappa0 + (double)p->n)), middle = centre(p);
    const double reference = plain_energy(p, middle, 1);
    memset(out, 0, 5 * sizeof *out);
    for (int k = -2000; k <= 2000; k++)
        for (int m = -160; m <= 160; m++) {
            const double s = exp(0.02 * k), t = m * width / 16, mu = middle + t * sqrt(s);
            const double volume = 0.02 * s * sqrt(s) * width / 16;
            const double mass = volume * exp(-beta * (plain_energy(p, mu, s) - reference));
            out[0] += mass, out[1] += mass * mu, out[2] += mass * s;
            out[3] += mass * mu * mu, out[4] += mass * s * s;
        }
}

static const char *const moments_known[] = {"first", "second", "first_square", "second_square"};

static double check_exact_mean(fixture *f) {
    double sums[5], got, worst = 0;
    for (size_t k = 0; k < 2; k++) {
        const double beta = betas[k], shape = beta * (f->p->alpha0 + 0.5 * (double)f->p->n + 1.5) - 1.5;
        integrals(f->p, beta, sums);
        for (size_t m = 0; m < 4; m++) {
            const bool exists = shape > (m == 0 ? 0.5 : m == 3 ? 2 : 1);
            const ebm_status status =
                f->model.type->exact_mean(&f->model, (ebm_path){NULL, beta}, moments_known[m], &got, f->work, NULL);
            ck_assert_int_eq(status, exists ? EBM_OK : EBM_UNSUPPORTED);
            const double want = sums[m + 1] / sums[0], order = m == 3 ? 2 : m == 0 ? 0.5 : 1;
            if (exists && shape > order + 0.7) /* nearer to it the integral is not cut where it has vanished */
                worst = fmax(worst, fabs(got - want) / (1e-9 * fmax(1, fabs(want))));
        }
    }
    return worst;
}

static double check_log_normaliser(fixture *f) {
    double sums[5], log_z, worst = 0;
    for (size_t k = 0; k < 2; k++) {
        const ebm_path path = {NULL, betas[k]};
        integrals(f->p, betas[k], sums);
        CHECK_OK(f->model.type->log_normaliser(&f->model, path, &log_z, f->work, error));
        /* the library's E differs from the plain one by a constant: read it off at one point */
        ebm_batch one = points(f);
        double energy[POINTS];
        one.x[0] = (ebm_real)0.5, one.x[1] = 2;
        f->model.type->energy(&f->model, path, &one, energy, f->work);
        const double reference = plain_energy(f->p, centre(f->p), 1);
        const double constant = betas[k] * (plain_energy(f->p, 0.5, 2) - reference) - energy[0];
        worst = fmax(worst, fabs(log_z - constant - log(sums[0])) / 1e-9);
        ebm_batch_free(&one);
    }
    return worst;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* sqrt(n) D of draws against the distribution function of exp(-beta E) along one coordinate, integrated on a grid in
 * `at` = mu or log s by the trapezoid rule (error of the order of the step squared, 1e-6). */
static double kolmogorov(const fixture *f, double beta, int unit, double other, double *draw, size_t n) {
    enum { GRID = 8001 };
    double *cumulative = calloc(GRID, sizeof *cumulative), largest = 0, previous = 0;
    const double low = unit ? -8 : centre(f->p) - 12, step = (unit ? 20.0 : 24.0) / (GRID - 1);
    const double reference = unit ? plain_energy(f->p, other, 1) : plain_energy(f->p, centre(f->p), other);
    for (size_t k = 0; k < GRID; k++) {
        const double at = low + (double)k * step, s = unit ? exp(at) : other, mu = unit ? other : at;
        const double density = exp(-beta * (plain_energy(f->p, mu, s) - reference)) * (unit ? s : 1);
        cumulative[k] = k ? cumulative[k - 1] + 0.5 * step * (previous + density) : 0;
        previous = density;
    }
    for (size_t i = 0; i < n; i++)
        draw[i] = unit ? log(draw[i]) : draw[i];
    qsort(draw, n, sizeof *draw, by_value);
    for (size_t i = 0; i < n; i++) {
        const double place = fmin(fmax((draw[i] - low) / step, 0), GRID - 1.001);
        const size_t k = (size_t)place;
        const double between = cumulative[k] + (place - (double)k) * (cumulative[k + 1] - cumulative[k]);
        const double F = between / cumulative[GRID - 1];
        largest = fmax(largest, fmax((double)(i + 1) / (double)n - F, F - (double)i / (double)n));
    }
    free(cumulative);
    return sqrt((double)n) * largest;
}

/* One draw of a coordinate in each of many rows that agree in the other; rows update different coordinates by turns. */
static double check_sample_site(fixture *f) {
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f->model, 2 * DRAWS, &batch, error));
    uint32_t *units = calloc(2 * DRAWS, sizeof *units);
    double *draw = calloc(DRAWS, sizeof *draw), worst = 0;
    const ebm_real mu = (ebm_real)(centre(f->p) + 0.75), s = (ebm_real)1.25;
    for (size_t k = 0; k < 2; k++) {
        for (size_t b = 0; b < 2 * DRAWS; b++) {
            batch.x[2 * b] = mu, batch.x[2 * b + 1] = s;
            units[b] = (uint32_t)(b % 2);
        }
        f->model.type->sample_site(&f->model, (ebm_path){NULL, betas[k]}, &batch, units,
                                   ebm_stream_of(3, EBM_PURPOSE_ESTIMATE), 5, 7 + k, f->work);
        for (int unit = 0; unit < 2; unit++) {
            for (size_t b = 0; b < DRAWS; b++) {
                const ebm_real *x = batch.x + 2 * (2 * b + (size_t)unit);
                draw[b] = (double)x[unit];
                ck_assert(x[1 - unit] == (unit ? mu : s)); /* the other coordinate is left alone */
            }
            worst = fmax(worst, kolmogorov(f, betas[k], unit, (double)(unit ? mu : s), draw, DRAWS) / 2.9);
        }
    }
    free(draw);
    free(units);
    ebm_batch_free(&batch);
    return worst;
}

static const struct {
    const char *name;
    double (*worst)(fixture *f);
} checks[] = {{"energy", check_energy},           {"base path", check_base_path},
              {"grad_x", check_grad_x},           {"exact_mean", check_exact_mean},
              {"sample_site", check_sample_site}, {"log_normaliser", check_log_normaliser}};
enum { CHECKS = sizeof checks / sizeof checks[0] };

START_TEST(test_normal_posterior_by_definition) {
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
static void wrong_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    right->energy(model, path, batch, out, work);
    for (size_t b = 0; b < batch->count; b++) /* the 1/2 of mu's conditional forgotten */
        out[b] -= 0.5 * path.beta * log((double)batch->x[2 * b + 1]);
}
static void wrong_base(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    path.base = NULL;
    right->energy(model, path, batch, out, work);
}
static void wrong_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    path.beta = 1;
    right->grad_x(model, path, batch, out, work);
}
static ebm_status wrong_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                   ebm_work *work, ebm_error *error) {
    const ebm_status status = right->exact_mean(model, path, observable, out, work, error);
    *out *= strcmp(observable, "second") ? 1 : 1.01;
    return status;
}
static ebm_status wrong_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                       ebm_error *error) {
    path.beta = 1;
    return right->log_normaliser(model, path, out, work, error);
}
/* The mean drawn as if the prior were worth nothing: kappa_n = 7 and not 9. */
static void wrong_sample_site(const ebm_model *model, ebm_path path, ebm_batch *batch, const uint32_t *units,
                              ebm_stream stream, uint32_t first_chain, uint64_t step, ebm_work *work) {
    right->sample_site(model, path, batch, units, stream, first_chain, step, work);
    for (size_t b = 0; b < batch->count; b++)
        if (units[b] == 0)
            batch->x[2 * b] =
                (ebm_real)(centre(&problems[0]) + sqrt(9.0 / 7) * ((double)batch->x[2 * b] - centre(&problems[0])));
}

START_TEST(test_normal_posterior_checks_can_fail) {
    fixture f;
    fixture_open(&f, &problems[0]);
    right = f.type;
    f.wrong.energy = _i == 0 ? wrong_energy : _i == 1 ? wrong_base : right->energy;
    f.wrong.grad_x = _i == 2 ? wrong_grad_x : right->grad_x;
    f.wrong.exact_mean = _i == 3 ? wrong_exact_mean : right->exact_mean;
    f.wrong.sample_site = _i == 4 ? wrong_sample_site : right->sample_site;
    f.wrong.log_normaliser = _i == 5 ? wrong_log_normaliser : right->log_normaliser;
    f.model.type = &f.wrong;
    ck_assert_msg(checks[_i].worst(&f) > 1, "%s passes with a planted error", checks[_i].name);
    f.model.type = right;
    fixture_close(&f);
}
END_TEST

/* No mass at variances of zero or less: infinite energy at any temperature and along any path, no gradient. */
START_TEST(test_normal_posterior_outside_its_support) {
    fixture f;
    fixture_open(&f, &problems[0]);
    ebm_batch batch = points(&f);
    double energy[POINTS];
    ebm_real grad[2 * POINTS];
    batch.x[1] = 0, batch.x[3] = -1;
    for (int k = 0; k < 3; k++) {
        f.type->energy(&f.model, (ebm_path){NULL, k / 2.0}, &batch, energy, f.work);
        f.type->grad_x(&f.model, (ebm_path){NULL, k / 2.0}, &batch, grad, f.work);
        ck_assert(energy[0] == INFINITY && energy[1] == INFINITY && isfinite(energy[2]));
        for (size_t i = 0; i < 4; i++)
            ck_assert(grad[i] == 0);
    }
    ebm_batch_free(&batch);
    fixture_close(&f);
}
END_TEST

/* So hot that there is no law: refused by name, and the walk stands still. */
START_TEST(test_normal_posterior_refusals) {
    fixture f;
    fixture_open(&f, &problems[1]);
    ebm_error error;
    double out;
    const ebm_path hot = {NULL, 0.2};
    ck_assert_int_eq(f.type->log_normaliser(&f.model, hot, &out, f.work, &error), EBM_UNSUPPORTED);
    ck_assert_int_eq(f.type->exact_mean(&f.model, hot, "first", &out, f.work, &error), EBM_UNSUPPORTED);
    ck_assert_int_eq(f.type->exact_mean(&f.model, ebm_path_end(), "energy", &out, f.work, &error), EBM_UNSUPPORTED);
    ebm_batch batch = points(&f);
    uint32_t units[POINTS];
    for (size_t b = 0; b < POINTS; b++)
        units[b] = 1;
    const ebm_real before = batch.x[1];
    f.type->sample_site(&f.model, (ebm_path){NULL, 0.1}, &batch, units, ebm_stream_of(1, 1), 0, 0, f.work);
    ck_assert(batch.x[1] == before);
    ebm_batch_free(&batch);
    const ebm_space other = ebm_space_line(EBM_REAL_LINE, 3);
    ebm_model none;
    ck_assert_int_eq(ebm_model_create(f.type, f.options, &other, NULL, 1, &none, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "2 units"));
    fixture_close(&f);
}
END_TEST

/* Draws belong to (chain, step): the same however the rows are cut. */
START_TEST(test_normal_posterior_draws_by_chain) {
    fixture f;
    fixture_open(&f, &problems[0]);
    ebm_batch whole = points(&f), part = points(&f);
    uint32_t units[POINTS];
    for (size_t b = 0; b < POINTS; b++)
        units[b] = b % 3 == 0;
    const ebm_stream stream = ebm_stream_of(9, EBM_PURPOSE_SAMPLE);
    f.type->sample_site(&f.model, ebm_path_end(), &whole, units, stream, 100, 3, f.work);
    ebm_batch tail = part;
    tail.count = POINTS - 11, tail.x = part.x + 2 * 11;
    f.type->sample_site(&f.model, ebm_path_end(), &tail, units + 11, stream, 111, 3, f.work);
    ck_assert_mem_eq(whole.x + 2 * 11, tail.x, tail.count * 2 * sizeof *tail.x);
    ebm_batch_free(&whole);
    ebm_batch_free(&part);
    fixture_close(&f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("normal-posterior");
    TCase *cases = tcase_create("property");
    tcase_add_loop_test(cases, test_normal_posterior_by_definition, 0, CHECKS);
    tcase_add_loop_test(cases, test_normal_posterior_checks_can_fail, 0, CHECKS);
    tcase_add_test(cases, test_normal_posterior_outside_its_support);
    tcase_add_test(cases, test_normal_posterior_refusals);
    tcase_add_test(cases, test_normal_posterior_draws_by_chain);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
