/* Distances of samples as sets of features against formulas, plain sums over all pairs, and what must not change them. */
#include "rbm_fixture.h"

#include "ebm/sample_quality.h"

static ebm_work *work;

static void open_work(void) {
    CHECK_OK(ebm_work_create(2, &work, error));
}
static void close_work(void) {
    ebm_work_free(work);
}

static double *normals(size_t count, uint64_t seed) {
    double *x = oracle_memory(count);
    test_random r = {seed};
    for (size_t k = 0; k < count; k++)
        x[k] = test_random_normal(&r);
    return x;
}

static double distance_of(const double *x, size_t n, const double *y, size_t m, size_t size) {
    ebm_frechet f;
    CHECK_OK(ebm_frechet_distance(x, n, y, m, size, &f, work, error));
    ck_assert(f.deficient == (n <= size || m <= size));
    ck_assert_double_eq(f.distance, f.means + f.spread);
    return f.distance;
}

/* 2 size points whose mean is `mean` and whose covariance (divisor count - 1) is A A^T: mean +- A_k sqrt((2 size - 1) / 2),
 * A_k the k-th column of A (size, size). */
static double *points_of(size_t size, const double *A, const double *mean) {
    double *x = oracle_memory(2 * size * size);
    for (size_t k = 0; k < size; k++)
        for (size_t i = 0; i < size; i++) {
            const double off = A[i * size + k] * sqrt((2.0 * (double)size - 1) / 2);
            x[2 * k * size + i] = mean[i] + off;
            x[(2 * k + 1) * size + i] = mean[i] - off;
        }
    return x;
}

/* In two dimensions tr((C_x C_y)^(1/2)) = sqrt(tr(C_x C_y) + 2 sqrt(det C_x det C_y)), whether they commute or not. */
START_TEST(test_frechet_formula) {
    static const double A[] = {1.5, 0.2, -0.7, 0.9}, B[] = {0.3, -1.1, 2.0, 0.4}, m[] = {1, -2}, k[] = {0.5, 3};
    double C[4], D[4], product = 0;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            C[2 * i + j] = A[2 * i] * A[2 * j] + A[2 * i + 1] * A[2 * j + 1];
            D[2 * i + j] = B[2 * i] * B[2 * j] + B[2 * i + 1] * B[2 * j + 1];
        }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            product += C[2 * i + j] * D[2 * j + i];
    const double dets = (C[0] * C[3] - C[1] * C[2]) * (D[0] * D[3] - D[1] * D[2]);
    const double want = 0.25 + 25 + C[0] + C[3] + D[0] + D[3] - 2 * sqrt(product + 2 * sqrt(dets));
    double *x = points_of(2, A, m), *y = points_of(2, B, k);
    ck_assert_double_eq_tol(distance_of(x, 4, y, 4, 2), want, 1e-10);
    ck_assert_double_eq_tol(distance_of(y, 4, x, 4, 2), want, 1e-10);
    free(x);
    free(y);
}
END_TEST

/* Diagonal covariances: sum_i (s_i - t_i)^2 + (m_i - k_i)^2; turned in every plane of neighbours the distance stays. */
START_TEST(test_frechet_rotation) {
    enum { SIZE = 12, N = 2 * SIZE };
    double A[SIZE * SIZE] = {0}, B[SIZE * SIZE] = {0}, m[SIZE], k[SIZE], want = 0;
    for (size_t i = 0; i < SIZE; i++) {
        A[i * SIZE + i] = 0.1 + (double)i;
        B[i * SIZE + i] = 3 / (1.0 + (double)i);
        m[i] = 0.3 * (double)i;
        k[i] = -1;
        want += (A[i * SIZE + i] - B[i * SIZE + i]) * (A[i * SIZE + i] - B[i * SIZE + i]) + (m[i] + 1) * (m[i] + 1);
    }
    double *x = points_of(SIZE, A, m), *y = points_of(SIZE, B, k);
    ck_assert_double_eq_tol(distance_of(x, N, y, N, SIZE), want, 1e-10 * want);
    for (size_t i = 0; i < SIZE; i++) {
        const size_t j = (i + 1) % SIZE;
        const double c = cos(1.0 + (double)i), s = sin(1.0 + (double)i);
        for (size_t r = 0; r < 2 * N; r++) {
            double *row = (r < N ? x + r * SIZE : y + (r - N) * SIZE), a = row[i], b = row[j];
            row[i] = c * a - s * b;
            row[j] = s * a + c * b;
        }
    }
    ck_assert_double_eq_tol(distance_of(x, N, y, N, SIZE), want, 1e-10 * want);
    free(x);
    free(y);
}
END_TEST

/* Equal sets, of full rank, with a constant feature, and of fewer examples than features: 0 to rounding of the trace. */
START_TEST(test_frechet_of_equal_sets) {
    enum { N = 60, SIZE = 20 };
    double *x = normals(N * SIZE, 3);
    for (size_t r = 0; r < N; r++)
        x[r * SIZE + 5] = 2.5;
    ck_assert_double_eq_tol(distance_of(x, N, x, N, SIZE), 0, 1e-11);
    ck_assert_double_eq_tol(distance_of(x, 7, x, 7, SIZE), 0, 1e-11);
    ck_assert_double_eq_tol(distance_of(x, 2, x, 2, SIZE), 0, 1e-11);
    double *turned = oracle_memory(N * SIZE);
    for (size_t r = 0; r < N; r++)
        memcpy(turned + r * SIZE, x + (N - 1 - r) * SIZE, SIZE * sizeof *x);
    ck_assert_double_eq_tol(distance_of(x, N, turned, N, SIZE), 0, 1e-10);
    free(turned);
    free(x);
}
END_TEST

/* N(0, I) against N(0.2, I) in 16 dimensions: 0.64. The plain distance of 400 examples is too large by about 16 x 17 /
 * (4 x 400) x 2 = 0.34, far more than its error; the limit is right. */
START_TEST(test_frechet_limit) {
    enum { N = 400, SIZE = 16 };
    double *x = normals(N * SIZE, 11), *y = normals(N * SIZE, 12);
    ebm_frechet_limit limit;
    for (size_t k = 0; k < N * SIZE; k++)
        y[k] += 0.2;
    CHECK_OK(ebm_frechet_extrapolate(x, N, y, N, SIZE, &limit, work, error));
    ck_assert_double_eq(limit.distance, distance_of(x, N, y, N, SIZE));
    ck_assert(limit.se > 0 && limit.limit_se > 0 && limit.limit_se < 0.3);
    ck_assert_msg(fabs(limit.limit - 0.64) < 5 * limit.limit_se, "%g +- %g", limit.limit, limit.limit_se);
    ck_assert_msg(limit.distance - 0.64 > 0.15, "%g", limit.distance);
    free(x);
    free(y);
}
END_TEST

/* Unbiased where both laws are equal: the mean over 1000 pairs of samples of 10 is within 5 standard errors of 0. The
 * biased statistic, with the diagonal, is far from it. */
START_TEST(test_kernel_distance_unbiased) {
    enum { TIMES = 1000, N = 10, SIZE = 3 };
    double *x = normals((size_t)TIMES * N * SIZE, 21), *y = normals((size_t)TIMES * N * SIZE, 22);
    ebm_kernel_distance d;
    CHECK_OK(ebm_kernel_distance_of(x, TIMES * N, y, TIMES * N, SIZE, N, &d, work, error));
    ck_assert_uint_eq(d.subsets, TIMES);
    ck_assert_msg(fabs(d.squared) < 5 * d.se, "%g +- %g", d.squared, d.se);
    double diagonal = 0;
    for (size_t a = 0; a < N; a++) {
        double square = 0;
        for (size_t i = 0; i < SIZE; i++)
            square += x[a * SIZE + i] * x[a * SIZE + i];
        diagonal += pow(square / SIZE + 1, 3) / (N * N);
    }
    ck_assert_double_gt(diagonal, 20 * d.se);
    free(x);
    free(y);
}
END_TEST

static double kernel(const double *a, const double *b, size_t size) {
    double t = 0;
    for (size_t i = 0; i < size; i++)
        t += a[i] * b[i];
    return pow(t / (double)size + 1, 3);
}

static double apart(const double *a, const double *b, size_t size) {
    double t = 0;
    for (size_t i = 0; i < size; i++)
        t += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(t);
}

enum { N = 31, M = 45, SIZE = 4 };

START_TEST(test_kernel_and_energy_by_all_pairs) {
    double *x = normals(N * SIZE, 31), *y = normals(M * SIZE, 32), kid = 0, energy = 0;
    ebm_kernel_distance d;
    ebm_energy_distance e;
    for (size_t k = 0; k < M * SIZE; k++)
        y[k] = 1.5 * y[k] + 1;
    for (size_t a = 0; a < N; a++)
        for (size_t b = 0; b < N; b++) {
            kid += a == b ? 0 : kernel(x + a * SIZE, x + b * SIZE, SIZE) / (N * (N - 1));
            kid += a == b ? 0 : kernel(y + a * SIZE, y + b * SIZE, SIZE) / (N * (N - 1));
            kid -= 2 * kernel(x + a * SIZE, y + b * SIZE, SIZE) / (N * N);
            energy -= apart(x + a * SIZE, x + b * SIZE, SIZE) / (N * (N - 1));
        }
    for (size_t a = 0; a < M; a++)
        for (size_t b = 0; b < M; b++)
            energy -= apart(y + a * SIZE, y + b * SIZE, SIZE) / (M * (M - 1));
    for (size_t a = 0; a < N; a++)
        for (size_t b = 0; b < M; b++)
            energy += 2 * apart(x + a * SIZE, y + b * SIZE, SIZE) / (N * M);
    CHECK_OK(ebm_kernel_distance_of(x, N, y, M, SIZE, 0, &d, work, error));
    ck_assert_uint_eq(d.subsets, 1);
    ck_assert(isnan(d.se));
    ck_assert_double_eq_tol(d.squared, kid, 1e-11 * (1 + fabs(kid)));
    CHECK_OK(ebm_energy_distance_of(x, N, y, M, SIZE, &e, work, error));
    ck_assert_double_eq_tol(e.distance, energy, 1e-11);
    ck_assert_double_gt(e.distance, 3 * e.se);
    free(x);
    free(y);
}
END_TEST

/* The energy distance's error over 300 pairs of samples is the spread that they have, to a factor (the jackknife is never
 * too small in the mean; equal laws, where it is too large by about sqrt(2), are not these). */
START_TEST(test_energy_error) {
    enum { TIMES = 300, ROWS = 40 };
    double mean = 0, squares = 0, error_squared = 0;
    for (size_t t = 0; t < TIMES; t++) {
        double *x = normals(ROWS * 2, 1000 + 2 * t), *y = normals(ROWS * 2, 1001 + 2 * t);
        ebm_energy_distance e;
        for (size_t k = 0; k < ROWS * 2; k++)
            y[k] += 1;
        CHECK_OK(ebm_energy_distance_of(x, ROWS, y, ROWS, 2, &e, work, error));
        mean += e.distance / TIMES;
        squares += e.distance * e.distance / TIMES;
        error_squared += e.se * e.se / TIMES;
        free(x);
        free(y);
    }
    const double ratio = error_squared / (squares - mean * mean);
    ck_assert_msg(ratio > 0.75 && ratio < 1.45, "%g", ratio);
}
END_TEST

static int ascending(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The share of b's rows within the reach of a's, by sorting all distances. */
static double covered(const double *a, size_t n, const double *b, size_t m, size_t k) {
    double reach[M], sorted[M];
    size_t found = 0;
    for (size_t r = 0; r < n; r++) {
        for (size_t s = 0; s < n; s++)
            sorted[s] = apart(a + r * SIZE, a + s * SIZE, SIZE);
        qsort(sorted, n, sizeof *sorted, ascending);
        reach[r] = sorted[k]; /* the 0-th is the row itself */
    }
    for (size_t s = 0; s < m; s++) {
        bool in = false;
        for (size_t r = 0; r < n; r++)
            in |= apart(b + s * SIZE, a + r * SIZE, SIZE) <= reach[r];
        found += in;
    }
    return (double)found / (double)m;
}

START_TEST(test_precision_and_recall) {
    double *x = normals(N * SIZE, 41), *y = normals(M * SIZE, 42);
    ebm_precision_recall pr;
    for (size_t k = 0; k < M * SIZE; k++)
        y[k] = 0.6 * y[k] + 0.8;
    for (size_t k = 1; k <= 7; k++) {
        CHECK_OK(ebm_precision_and_recall(x, N, y, M, SIZE, k, &pr, work, error));
        ck_assert_double_eq(pr.precision, covered(x, N, y, M, k));
        ck_assert_double_eq(pr.recall, covered(y, M, x, N, k));
        ck_assert_double_eq_tol(pr.recall_se, sqrt(pr.recall * (1 - pr.recall) / N), 1e-12);
    }
    CHECK_OK(ebm_precision_and_recall(x, N, x, N, SIZE, 1, &pr, work, error));
    ck_assert(pr.precision == 1 && pr.recall == 1);
    free(x);
    free(y);
}
END_TEST

START_TEST(test_sample_quality_refusals) {
    double *x = normals(N * SIZE, 51);
    ebm_frechet f;
    ebm_frechet_limit limit;
    ebm_kernel_distance kid;
    ebm_precision_recall pr;
    ebm_energy_distance energy;
    ebm_error failure;
    ck_assert_int_eq(ebm_frechet_distance(x, 1, x, N, SIZE, &f, work, &failure), EBM_INVALID);
    ck_assert_int_eq(ebm_frechet_extrapolate(x, N, x, N, SIZE, &limit, work, &failure), EBM_INVALID);
    ck_assert_int_eq(ebm_kernel_distance_of(x, 1, x, N, SIZE, 0, &kid, work, &failure), EBM_INVALID);
    ck_assert_int_eq(ebm_precision_and_recall(x, N, x, N, SIZE, N, &pr, work, &failure), EBM_INVALID);
    ck_assert_int_eq(ebm_precision_and_recall(x, N, x, N, SIZE, 0, &pr, work, &failure), EBM_INVALID);
    ck_assert_int_eq(ebm_energy_distance_of(x, 2, x, N, SIZE, &energy, work, &failure), EBM_INVALID);
    x[3 * SIZE + 1] = NAN;
    ck_assert_int_eq(ebm_frechet_distance(x, N, x, N, SIZE, &f, work, &failure), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(failure.message, "example 3"));
    ck_assert_int_eq(ebm_kernel_distance_of(x, N, x, N, SIZE, 0, &kid, work, &failure), EBM_DIVERGED);
    ck_assert_int_eq(ebm_precision_and_recall(x, N, x, N, SIZE, 2, &pr, work, &failure), EBM_DIVERGED);
    ck_assert_int_eq(ebm_energy_distance_of(x, N, x, N, SIZE, &energy, work, &failure), EBM_DIVERGED);
    free(x);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sample quality");
    TCase *cases = tcase_create("unit");
    tcase_add_checked_fixture(cases, open_work, close_work);
    tcase_add_test(cases, test_frechet_formula);
    tcase_add_test(cases, test_frechet_rotation);
    tcase_add_test(cases, test_frechet_of_equal_sets);
    tcase_add_test(cases, test_frechet_limit);
    tcase_add_test(cases, test_kernel_distance_unbiased);
    tcase_add_test(cases, test_kernel_and_energy_by_all_pairs);
    tcase_add_test(cases, test_energy_error);
    tcase_add_test(cases, test_precision_and_recall);
    tcase_add_test(cases, test_sample_quality_refusals);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
