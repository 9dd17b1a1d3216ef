/* The multivariate normal law against its definition: Sigma written down anew, solved by elimination with pivoting. */
#include "rbm_fixture.h"

#include "core/cholesky.h"
#include "ebm/diagnostics.h"
#include "ebm/npy.h"
#include "ebm/observable.h"

#include <unistd.h>

enum { MOST = 8, DRAWS = 20000 };

typedef struct law {
    const char *options[15];
    size_t units;
    double mean;
} law;

/* The last one reads the file of write_sigma. */
static const law laws[] = {
    {{"units", "1", "scale", "2"}, 1, 0},
    {{"units", "5", "mean", "0.7"}, 5, 0.7},
    {{"units", "4", "covariance", "diagonal", "condition", "50", "scale", "3", "mean", "-2"}, 4, -2},
    {{"units", "6", "covariance", "equicorrelated", "correlation", "-0.15", "mean", "1"}, 6, 1},
    {{"units", "7", "covariance", "autoregressive", "correlation", "0.9", "scale", "0.5"}, 7, 0},
    {{"units", "8", "covariance", "random", "condition", "100", "covariance_seed", "5", "mean", "0.25"}, 8, 0.25},
    {{"covariance", "file", "file", "gaussian-test-sigma.npy"}, 3, 0},
};
enum { LAWS = sizeof laws / sizeof *laws, RANDOM = 5, FROM_FILE = LAWS - 1 };

static const double file_sigma[9] = {2, -0.5, 0.3, -0.5, 1, 0.4, 0.3, 0.4, 1.5};

static void write_matrix(const char *path, size_t rows, size_t columns, const double *values) {
    const size_t shape[2] = {rows, columns};
    CHECK_OK(ebm_npy_write(path, EBM_NPY_FLOAT64, 2, shape, values, error));
}

typedef struct fixture {
    const law *law;
    const ebm_model_type *type;
    void *options;
    ebm_model model;
    ebm_work *work;
    double sigma[MOST * MOST], precision[MOST * MOST], log_det;
} fixture;

/* inverse = A^-1 and log |det A| by Gauss-Jordan elimination with pivoting. */
static double invert(size_t n, const double *A, double *inverse) {
    double M[MOST * MOST], log_det = 0;
    memcpy(M, A, n * n * sizeof *M);
    for (size_t k = 0; k < n * n; k++)
        inverse[k] = k / n == k % n;
    for (size_t k = 0; k < n; k++) {
        size_t pivot = k;
        for (size_t i = k + 1; i < n; i++)
            pivot = fabs(M[i * n + k]) > fabs(M[pivot * n + k]) ? i : pivot;
        for (size_t j = 0; j < n && pivot != k; j++) {
            const double a = M[k * n + j], b = inverse[k * n + j];
            M[k * n + j] = M[pivot * n + j], M[pivot * n + j] = a;
            inverse[k * n + j] = inverse[pivot * n + j], inverse[pivot * n + j] = b;
        }
        const double p = M[k * n + k];
        log_det += log(fabs(p));
        for (size_t j = 0; j < n; j++)
            M[k * n + j] /= p, inverse[k * n + j] /= p;
        for (size_t i = 0; i < n; i++) {
            const double f = M[i * n + k];
            for (size_t j = 0; i != k && j < n; j++)
                M[i * n + j] -= f * M[k * n + j], inverse[i * n + j] -= f * inverse[k * n + j];
        }
    }
    return log_det;
}

/* P of the random law, which no formula gives: row i is the gradient at mu + e_i. */
static void precision_by_gradients(fixture *f) {
    const size_t V = f->law->units;
    ebm_batch batch;
    ebm_real gradient[MOST * MOST];
    CHECK_OK(ebm_batch_create(&f->model, V, &batch, error));
    for (size_t k = 0; k < V * V; k++)
        batch.x[k] = (ebm_real)(f->law->mean + (k / V == k % V));
    f->type->grad_x(&f->model, ebm_path_end(), &batch, gradient, f->work);
    for (size_t k = 0; k < V * V; k++)
        f->precision[k] = ((double)gradient[k] + (double)gradient[k % V * V + k / V]) / 2;
    f->log_det = -invert(V, f->precision, f->sigma);
    ebm_batch_free(&batch);
}

static void gaussian_open(fixture *f, size_t which) {
    memset(f, 0, sizeof *f);
    f->law = &laws[which];
    f->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "gaussian");
    if (which == FROM_FILE)
        write_matrix("gaussian-test-sigma.npy", 3, 3, file_sigma);
    f->options = test_options(&f->type->info, f->law->options);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(f->type, f->options, NULL, NULL, 1, &f->model, error));
    const size_t V = f->law->units;
    ck_assert_uint_eq(f->model.space.size, V);
    if (which == RANDOM) {
        precision_by_gradients(f);
        return;
    }
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < V; j++) {
            const double apart = fabs((double)i - (double)j), same = i == j;
            const double sigma[LAWS] = {4 * same,
                                        same,
                                        9 * same * pow(50, -(double)i / 3),
                                        i == j ? 1 : -0.15,
                                        0.25 * pow(0.9, apart),
                                        0,
                                        which == FROM_FILE ? file_sigma[i * V + j] : 0};
            f->sigma[i * V + j] = sigma[which];
        }
    f->log_det = invert(V, f->sigma, f->precision);
}

static void gaussian_close(fixture *f) {
    ebm_model_free(&f->model);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
    if (f->law == &laws[FROM_FILE])
        unlink("gaussian-test-sigma.npy");
}

/* Along the path: E and dE/dx of a row in double, and the sum of the magnitudes of the terms of each. */
static double plain_energy(const fixture *f, ebm_path path, const ebm_real *x, double *gradient, double *size) {
    const size_t V = f->law->units;
    double energy = 0;
    *size = 0;
    for (size_t i = 0; i < V; i++) {
        gradient[i] = 0;
        for (size_t j = 0; j < V; j++) {
            const double d = (double)x[j] - f->law->mean, term = path.beta * f->precision[i * V + j] * d;
            gradient[i] += term;
            energy += 0.5 * ((double)x[i] - f->law->mean) * term;
            *size += fabs(term) * (1 + fabs((double)x[i] - f->law->mean));
        }
        if (path.base) {
            const double m = (double)path.base->parameters[i], w = exp(-(double)path.base->parameters[V + i]);
            gradient[i] += (1 - path.beta) * w * ((double)x[i] - m);
            energy += (1 - path.beta) * w * ((double)x[i] - m) * ((double)x[i] - m) / 2;
            *size += (1 - path.beta) * w * fabs((double)x[i] - m) * (1 + fabs((double)x[i] - m));
        }
    }
    return energy;
}

/* Each is a sum of V + 1 products of rounded numbers, P to one rounding in float and in double to its condition (below
 * 100, some 1000 roundings): (V + 4 + 1000) roundings of the sum of magnitudes in double, V + 8 in float, where the random
 * law's own P is only known to V + 8 more. */
START_TEST(test_gaussian_energy_and_gradient) {
    enum { ROWS = 50 };
    fixture f;
    gaussian_open(&f, (size_t)_i);
    const size_t V = f.law->units;
    ebm_real parameters[2 * MOST];
    for (size_t i = 0; i < V; i++) {
        parameters[i] = (ebm_real)(0.3 - 0.1 * (double)i);
        parameters[V + i] = (ebm_real)(i % 2 ? -0.5 : 0.25);
    }
    const ebm_base base = {f.model.space, 2 * V, parameters, 0};
    const ebm_path paths[] = {{NULL, 1}, {NULL, 0.4}, {&base, 0.3}, {&base, 1}};
    const double allowed = (sizeof(ebm_real) == 8 ? (double)V + 1004 : 2 * (double)V + 16) * UNIT_ROUNDOFF;
    ebm_batch batch;
    ebm_real gradient[ROWS * MOST], alone[ROWS * MOST];
    double energy[ROWS], energy_alone[ROWS];
    test_random r = {4};
    CHECK_OK(ebm_batch_create(&f.model, ROWS, &batch, error));
    for (size_t k = 0; k < ROWS * V; k++)
        batch.x[k] = (ebm_real)(2 * test_random_normal(&r));
    for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
        ebm_model_energy_grad_x(&f.model, paths[p], &batch, energy, gradient, f.work);
        f.type->energy(&f.model, paths[p], &batch, energy_alone, f.work);
        f.type->grad_x(&f.model, paths[p], &batch, alone, f.work);
        ck_assert_mem_eq(energy, energy_alone, sizeof energy);
        ck_assert_mem_eq(gradient, alone, ROWS * V * sizeof *alone);
        for (size_t b = 0; b < ROWS; b++) {
            double want[MOST], size;
            const double e = plain_energy(&f, paths[p], batch.x + b * V, want, &size);
            ck_assert_double_le(fabs(energy[b] - e), allowed * size);
            for (size_t i = 0; i < V; i++)
                ck_assert_double_le(fabs((double)gradient[b * V + i] - want[i]), allowed * size);
        }
    }
    ebm_batch_free(&batch);
    gaussian_close(&f);
}
END_TEST

/* log Z = 1/2 log det (2 pi Sigma / beta), and the means of observables. The random law's Sigma is inverted from
 * gradients, so it carries their rounding times the condition, 100; the others are known to double's rounding. */
START_TEST(test_gaussian_exact_values) {
    fixture f;
    gaussian_open(&f, (size_t)_i);
    const size_t V = f.law->units;
    const double allowed = _i == RANDOM ? 1000 * (double)V * UNIT_ROUNDOFF : 1e-12;
    const double betas[] = {1, 0.25};
    for (int k = 0; k < 2; k++) {
        const ebm_path path = {NULL, betas[k]};
        double log_z, trace = 0, value;
        CHECK_OK(f.type->log_normaliser(&f.model, path, &log_z, f.work, error));
        const double want = 0.5 * ((double)V * log(2 * M_PI / betas[k]) + f.log_det);
        ck_assert_double_le(fabs(log_z - want), allowed * (double)V);
        for (size_t i = 0; i < V; i++)
            trace += f.sigma[i * V + i] / betas[k];
        const double m = f.law->mean, variance = f.sigma[0] / betas[k], second = f.sigma[V > 1 ? V + 1 : 0] / betas[k];
        const struct {
            const char *name;
            double value;
        } means[] = {{"first", m},
                     {"second", m},
                     {"first_square", m * m + variance},
                     {"second_square", m * m + second},
                     {"square", m * m + trace / (double)V},
                     {"energy", 0.5 / betas[k]}};
        for (size_t j = 0; j < sizeof means / sizeof *means; j++) {
            CHECK_OK(f.type->exact_mean(&f.model, path, means[j].name, &value, f.work, error));
            ck_assert_double_le(fabs(value - means[j].value), allowed * (1 + fabs(means[j].value)));
        }
    }
    gaussian_close(&f);
}
END_TEST

/* `random`: eigenvalues 1, ..., 1 / 100, falling geometrically, seen in the traces of Sigma and of its square and in its
 * determinant; and it is not diagonal. */
START_TEST(test_gaussian_random_spectrum) {
    fixture f;
    gaussian_open(&f, RANDOM);
    const size_t V = f.law->units;
    double trace = 0, squares = 0, log_det = 0, want = 0, want_squares = 0, off = 0;
    for (size_t i = 0; i < V; i++) {
        const double lambda = pow(100, -(double)i / (double)(V - 1));
        want += lambda;
        want_squares += lambda * lambda;
        log_det += log(lambda);
        trace += f.sigma[i * V + i];
        for (size_t j = 0; j < V; j++) {
            squares += f.sigma[i * V + j] * f.sigma[i * V + j];
            off = fmax(off, i == j ? 0 : fabs(f.sigma[i * V + j]));
        }
    }
    const double allowed = 1000 * (double)V * UNIT_ROUNDOFF;
    ck_assert_double_le(fabs(trace - want), allowed);
    ck_assert_double_le(fabs(squares - want_squares), allowed);
    ck_assert_double_le(fabs(f.log_det - log_det), allowed * (double)V);
    ck_assert_double_gt(off, 0.02);
    gaussian_close(&f);
}
END_TEST

/* Exact draws at beta = 0.5: every mean and covariance within 6 standard errors (sd / sqrt(n), and for the covariance
 * sqrt((S_ii S_jj + S_ij^2) / n)): fewer than 300 of them, a false alarm below 300 x 2e-9; every marginal by
 * Kolmogorov-Smirnov at p > 1e-8, the rows of one law and of the next sharing their normals. */
START_TEST(test_gaussian_draws) {
    const ebm_path path = {NULL, 0.5};
    fixture f;
    ebm_batch batch;
    gaussian_open(&f, (size_t)_i);
    const size_t V = f.law->units;
    double *u = calloc(DRAWS, sizeof *u), *t = calloc(DRAWS, sizeof *t);
    ck_assert(u && t);
    CHECK_OK(ebm_batch_create(&f.model, DRAWS, &batch, error));
    CHECK_OK(f.type->sample_exact(&f.model, path, &batch, ebm_stream_of(17, EBM_PURPOSE_SAMPLE), 5, 3, f.work, error));
    for (size_t i = 0; i < V; i++) {
        double mean = 0;
        for (size_t b = 0; b < DRAWS; b++)
            mean += ((double)batch.x[b * V + i] - f.law->mean) / DRAWS;
        ck_assert_double_le(fabs(mean), 6 * sqrt(2 * f.sigma[i * V + i] / DRAWS));
        for (size_t j = 0; j <= i; j++) {
            const double want = 2 * f.sigma[i * V + j], a = 2 * f.sigma[i * V + i], c = 2 * f.sigma[j * V + j];
            double sum = 0;
            for (size_t b = 0; b < DRAWS; b++)
                sum += ((double)batch.x[b * V + i] - f.law->mean) * ((double)batch.x[b * V + j] - f.law->mean) / DRAWS;
            ck_assert_double_le(fabs(sum - want), 6 * sqrt((a * c + want * want) / DRAWS));
        }
        ebm_kolmogorov ks;
        for (size_t b = 0; b < DRAWS; b++)
            t[b] = (double)batch.x[b * V + i];
        CHECK_OK(f.type->marginal_cdf(&f.model, path, i, t, DRAWS, u, f.work, error));
        CHECK_OK(ebm_kolmogorov_test(u, DRAWS, &ks, f.work, error));
        ck_assert_double_gt(ks.p_value, 1e-8);
    }
    free(u);
    free(t);
    ebm_batch_free(&batch);
    gaussian_close(&f);
}
END_TEST

/* The conditional of the last unit given the rest by the regression that Sigma says, not P: mean m + S_ir S_rr^-1 (x_r -
 * m), variance S_ii - S_ir S_rr^-1 S_ri; both over beta. 6 standard errors of mean and variance: false alarm 4e-9 a law. */
START_TEST(test_gaussian_conditional) {
    const ebm_path path = {NULL, 0.5};
    fixture f;
    ebm_batch batch;
    gaussian_open(&f, (size_t)_i);
    const size_t V = f.law->units, R = V - 1, i = V - 1;
    uint32_t *units = calloc(DRAWS, sizeof *units);
    double rest[MOST * MOST], inverse[MOST * MOST], mean = f.law->mean, variance = f.sigma[i * V + i], sum = 0,
                                                    squares = 0;
    ck_assert_ptr_nonnull(units);
    for (size_t k = 0; k < R * R; k++)
        rest[k] = f.sigma[k / R * V + k % R];
    (void)invert(R, rest, inverse);
    CHECK_OK(ebm_batch_create(&f.model, DRAWS, &batch, error));
    for (size_t b = 0; b < DRAWS; b++) {
        units[b] = (uint32_t)i;
        for (size_t k = 0; k < V; k++)
            batch.x[b * V + k] = (ebm_real)(0.3 * (double)k - 0.4);
    }
    for (size_t a = 0; a < R; a++)
        for (size_t c = 0; c < R; c++) {
            const double weight = f.sigma[i * V + a] * inverse[a * R + c];
            mean += weight * ((double)batch.x[c] - f.law->mean);
            variance -= weight * f.sigma[c * V + i];
        }
    variance /= path.beta;
    f.type->sample_site(&f.model, path, &batch, units, ebm_stream_of(3, EBM_PURPOSE_SAMPLE), 0, 0, f.work);
    for (size_t b = 0; b < DRAWS; b++) {
        const double d = (double)batch.x[b * V + i] - mean;
        sum += d / DRAWS;
        squares += d * d / DRAWS;
    }
    ck_assert_double_le(fabs(sum), 6 * sqrt(variance / DRAWS));
    ck_assert_double_le(fabs(squares - variance), 6 * sqrt(2.0 / DRAWS) * variance);
    free(units);
    ebm_batch_free(&batch);
    gaussian_close(&f);
}
END_TEST

static ebm_status refused(const char *const *pairs, const char *says) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "gaussian");
    void *options = test_options(&type->info, pairs);
    ebm_model model;
    ebm_error error = {0};
    const ebm_status status = ebm_model_create(type, options, NULL, NULL, 1, &model, &error);
    ck_assert_msg(strstr(error.message, says) != NULL, "'%s' is not in: %s", says, error.message);
    test_options_free(&type->info, options);
    return status;
}

START_TEST(test_gaussian_refuses) {
    static const char path[] = "gaussian-test-bad.npy";
    const double flat[6] = {1, 0, 0, 1, 0, 0}, skew[4] = {1, 0.5, 0.4, 1}, indefinite[4] = {1, 2, 2, 1};
    const double not_a_number[4] = {1, NAN, NAN, 1}, one[1] = {1}, two[2] = {1, INFINITY};
    const char *const file[] = {"covariance", "file", "file", path, NULL};
    const char *const no_file[] = {"covariance", "file", NULL};
    const char *const too_negative[] = {"units", "4", "covariance", "equicorrelated", "correlation", "-0.34", NULL};
    const char *const singular[] = {"units", "3", "covariance", "autoregressive", "correlation", "1", NULL};
    const char *const means[] = {"units", "2", "mean_file", path, NULL};
    ck_assert_int_eq(refused(too_negative, "not positive definite: pivot 4"), EBM_INVALID);
    ck_assert_int_eq(refused(singular, "not positive definite: pivot 2"), EBM_INVALID);
    ck_assert_int_eq(refused(no_file, "needs `file`"), EBM_INVALID);
    write_matrix(path, 2, 3, flat);
    ck_assert_int_eq(refused(file, "square matrix"), EBM_FORMAT);
    write_matrix(path, 2, 2, skew);
    ck_assert_int_eq(refused(file, "symmetric"), EBM_INVALID);
    write_matrix(path, 2, 2, indefinite);
    ck_assert_int_eq(refused(file, "not positive definite: pivot 2"), EBM_INVALID);
    write_matrix(path, 2, 2, not_a_number);
    ck_assert_int_eq(refused(file, "not finite"), EBM_FORMAT);
    write_matrix(path, 1, 1, one);
    ck_assert_int_eq(refused(means, "needs 2 means"), EBM_FORMAT);
    write_matrix(path, 1, 2, two);
    ck_assert_int_eq(refused(means, "not a usable mean"), EBM_FORMAT);
    unlink(path);
}
END_TEST

/* A = L L^T, A^-1 and log det of a Hilbert-like matrix against elimination, to rounding times the condition, 1e3. */
START_TEST(test_cholesky) {
    double A[36], L[36], inverse[36], want[36];
    ebm_error error = {0};
    for (size_t k = 0; k < 36; k++)
        A[k] = 1 / (1.0 + (double)(k / 6) + (double)(k % 6)) + (k / 6 == k % 6 ? 0.01 : 0);
    memcpy(L, A, sizeof L);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = i + 1; j < 6; j++)
            L[i * 6 + j] = NAN; /* only the lower triangle is read */
    ck_assert_int_eq(ebm_cholesky(6, L, "it", &error), EBM_OK);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++) {
            double sum = 0;
            for (size_t k = 0; k < 6; k++)
                sum += L[i * 6 + k] * L[j * 6 + k];
            ck_assert_double_le(fabs(sum - A[i * 6 + j]), 1e-15);
            ck_assert(j <= i || L[i * 6 + j] == 0);
        }
    ck_assert_double_le(fabs(ebm_cholesky_log_det(6, L) - invert(6, A, want)), 1e-11);
    ebm_cholesky_inverse(6, L, inverse);
    for (size_t k = 0; k < 36; k++)
        ck_assert_double_le(fabs(inverse[k] - want[k]), 1e-9);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("gaussian");
    TCase *tcase = tcase_create("gaussian");
    tcase_add_loop_test(tcase, test_gaussian_energy_and_gradient, 0, LAWS);
    tcase_add_loop_test(tcase, test_gaussian_exact_values, 0, LAWS);
    tcase_add_test(tcase, test_gaussian_random_spectrum);
    tcase_add_loop_test(tcase, test_gaussian_draws, 0, LAWS);
    tcase_add_loop_test(tcase, test_gaussian_conditional, 0, LAWS);
    tcase_add_test(tcase, test_gaussian_refuses);
    tcase_add_test(tcase, test_cholesky);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
