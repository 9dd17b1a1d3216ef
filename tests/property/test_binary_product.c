/* Products with a 0/1 factor: every path and every set of kernels against plain loops in double.
 *
 * Tolerance: a sum of n terms in any order, in arithmetic of unit roundoff u, is off by at most n u / (1 - n u) times
 * the sum of the terms' magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2). */
#include "core/row_kernels.h"
#include "ebm/matrix.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef EBM_DOUBLE
static const double roundoff = DBL_EPSILON / 2;
#else
static const double roundoff = FLT_EPSILON / 2;
#endif

static const char *const kernel_names[] = {"baseline", "avx2", "avx512"};
enum { KERNELS = 3, PATHS = 4 };
static const double densities[] = {0, 0.02, 0.13, 0.5, 0.9, 1};
enum { DENSITIES = 6 };

/* Rows and columns of an operand lie in a buffer with some room after each row, to catch writes outside. */
typedef struct operand {
    size_t rows, columns, ld;
    ebm_real *x;
} operand;

static uint64_t draws;

static operand operand_new(size_t rows, size_t columns, size_t slack) {
    operand m = {rows, columns, columns + slack, NULL};
    m.x = malloc((rows * m.ld + 1) * sizeof *m.x);
    ck_assert_ptr_nonnull(m.x);
    ebm_random_normal(ebm_stream_of(7, 1), 0, draws++, rows * m.ld, m.x);
    return m;
}

/* 0/1 in runs of `run` neighbours, so that pairs and groups of four are sometimes worth a table. */
static operand states_new(size_t rows, size_t columns, size_t slack, double density, size_t run) {
    operand m = operand_new(rows, columns, slack);
    ebm_real *u = malloc((columns / run + 1) * sizeof *u);
    for (size_t i = 0; i < rows; i++) {
        ebm_random_uniform(ebm_stream_of(8, 1), (uint32_t)i, draws, columns / run + 1, u);
        for (size_t j = 0; j < columns; j++)
            m.x[i * m.ld + j] = u[j / run] < density ? 1 : 0;
    }
    free(u);
    draws++;
    return m;
}

static void check_sum(double got, double expected, double magnitude, size_t terms) {
    const double n = (double)terms + 3;
    const double bound = n * roundoff / (1 - n * roundoff) * magnitude;
    if (!(fabs(got - expected) <= bound)) /* Check notes every assertion in a file: too slow for each element */
        ck_abort_msg("got %.9g, expected %.9g within %.3g", got, expected, bound);
}

static void check_product(size_t B, size_t N, size_t K, double density, size_t run, int with_bias, ebm_work *work) {
    operand X = states_new(B, K, draws % 3, density, run), W = operand_new(K, N, draws % 5);
    operand C = operand_new(B, N, 1 + draws % 4), bias = operand_new(1, N, 0);
    operand before = operand_new(B, N, C.ld - N);
    memcpy(before.x, C.x, B * C.ld * sizeof *C.x);
    ebm_binary_product(B, N, K, X.x, X.ld, W.x, W.ld, with_bias ? bias.x : NULL, C.x, C.ld, work);
    for (size_t i = 0; i < B; i++) {
        for (size_t j = 0; j < N; j++) {
            double sum = with_bias ? bias.x[j] : 0, magnitude = fabs(sum);
            for (size_t k = 0; k < K; k++)
                if (X.x[i * X.ld + k] != 0) {
                    sum += W.x[k * W.ld + j];
                    magnitude += fabs(W.x[k * W.ld + j]);
                }
            check_sum(C.x[i * C.ld + j], sum, magnitude, K);
        }
        if (memcmp(C.x + i * C.ld + N, before.x + i * C.ld + N, (C.ld - N) * sizeof *C.x) != 0)
            ck_abort_msg("written beyond row %zu", i);
    }
    free(X.x), free(W.x), free(C.x), free(bias.x), free(before.x);
}

static void check_outer(size_t B, size_t N, size_t K, double density, size_t run, double alpha, ebm_work *work) {
    operand X = states_new(B, K, draws % 3, density, run), Y = operand_new(B, N, draws % 5);
    operand G = operand_new(K, N, 1 + draws % 4), before = operand_new(K, N, G.ld - N);
    memcpy(before.x, G.x, K * G.ld * sizeof *G.x);
    ebm_binary_outer(B, N, K, alpha, X.x, X.ld, Y.x, Y.ld, G.x, G.ld, work);
    for (size_t k = 0; k < K; k++) {
        for (size_t j = 0; j < N; j++) {
            double sum = before.x[k * G.ld + j], magnitude = fabs(sum);
            for (size_t b = 0; b < B; b++)
                if (X.x[b * X.ld + k] != 0) {
                    sum += alpha * Y.x[b * Y.ld + j];
                    magnitude += fabs(alpha * Y.x[b * Y.ld + j]);
                }
            check_sum(G.x[k * G.ld + j], sum, magnitude, B);
        }
        if (memcmp(G.x + k * G.ld + N, before.x + k * G.ld + N, (G.ld - N) * sizeof *G.x) != 0)
            ck_abort_msg("written beyond row %zu", k);
    }
    free(X.x), free(Y.x), free(G.x), free(before.x);
}

typedef void check_function(size_t B, size_t N, size_t K, double density, size_t run, ebm_work *work);

static void both_products(size_t B, size_t N, size_t K, double density, size_t run, ebm_work *work) {
    check_product(B, N, K, density, run, draws % 2 == 0, work);
    check_outer(B, N, K, density, run, draws % 2 == 0 ? 1 : -0.37, work);
}

static void with_kernels(int kernels, int path, check_function *check, const size_t shapes[][3], size_t count,
                         int density_step, size_t run_step) {
    const ebm_row_kernels *set = ebm_row_kernels_named(kernel_names[kernels]);
    if (set == NULL)
        return;
    ebm_row_kernels_use(set);
    ebm_product_path_set((ebm_product_path)path);
    ebm_work *work;
    ck_assert_int_eq(ebm_work_create(1, &work, NULL), EBM_OK);
    for (size_t s = 0; s < count; s++)
        for (int d = 0; d < DENSITIES; d += density_step)
            for (size_t run = 1; run <= 4; run += run_step)
                check(shapes[s][0], shapes[s][1], shapes[s][2], densities[d], run, work);
    ck_assert_uint_eq(ebm_work_mark(work), 0);
    ebm_work_free(work);
    ebm_product_path_set(EBM_PRODUCT_AUTO);
    ebm_row_kernels_use(NULL);
}

START_TEST(test_binary_product_small_shapes) {
    static const size_t shapes[][3] = {{1, 1, 1},  {1, 1, 0},   {0, 3, 4},   {2, 0, 3},   {1, 17, 5},  {3, 16, 3},
                                       {7, 5, 17}, {8, 33, 31}, {9, 15, 32}, {16, 1, 33}, {5, 31, 64}, {13, 47, 66}};
    with_kernels(_i / PATHS, _i % PATHS, both_products, shapes, sizeof shapes / sizeof shapes[0], 1, 3);
}
END_TEST

START_TEST(test_binary_product_large_shapes) {
    static const size_t shapes[][3] = {{100, 21, 787}, {131, 37, 130}, {1, 200, 257}, {257, 18, 65}};
    with_kernels(_i / PATHS, _i % PATHS, both_products, shapes, sizeof shapes / sizeof shapes[0], 2, 2);
}
END_TEST

/* More rows or units than one plan takes. */
START_TEST(test_binary_product_many_chunks) {
    static const size_t shapes[][3] = {{260, 3, 1100}};
    with_kernels(_i / PATHS, _i % PATHS, both_products, shapes, 1, 3, 4);
}
END_TEST

START_TEST(test_binary_product_same_bytes_for_any_threads) {
    enum { B = 100, N = 333, K = 402, MOST = 3 };
    ebm_product_path_set((ebm_product_path)_i);
    ebm_real *first = NULL, *first_outer = NULL;
    for (int threads = 1; threads <= MOST; threads++) {
        draws = 0;
        operand X = states_new(B, K, 0, 0.3, 2), W = operand_new(K, N, 0), C = operand_new(B, N, 0);
        operand Y = operand_new(B, N, 0), G = operand_new(K, N, 0);
        ebm_work *work;
        ck_assert_int_eq(ebm_work_create(threads, &work, NULL), EBM_OK);
        ebm_binary_product(B, N, K, X.x, K, W.x, N, Y.x, C.x, N, work);
        ebm_binary_outer(B, N, K, 0.7, X.x, K, Y.x, N, G.x, N, work);
        ebm_work_free(work);
        if (threads == 1) {
            first = C.x;
            first_outer = G.x;
        } else {
            ck_assert_mem_eq(C.x, first, B * N * sizeof *first);
            ck_assert_mem_eq(G.x, first_outer, K * N * sizeof *first);
            free(C.x), free(G.x);
        }
        free(X.x), free(W.x), free(Y.x);
    }
    free(first), free(first_outer);
    ebm_product_path_set(EBM_PRODUCT_AUTO);
}
END_TEST

START_TEST(test_binary_product_is_binary) {
    enum { ROWS = 3, COLUMNS = 37, LD = 40 };
    ebm_real x[ROWS * LD];
    for (int i = 0; i < ROWS * LD; i++)
        x[i] = 0.5;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            x[i * LD + j] = (i + j) % 3 == 0;
    ck_assert(ebm_is_binary(ROWS, COLUMNS, x, LD));
    ck_assert(!ebm_is_binary(ROWS, COLUMNS + 1, x, LD));
    static const ebm_real wrong[] = {2, -1, (ebm_real)0.999999, (ebm_real)1e-30, (ebm_real)INFINITY, (ebm_real)NAN};
    for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++)
        for (int j = 0; j < COLUMNS; j++) {
            const ebm_real kept = x[LD + j];
            x[LD + j] = wrong[w];
            ck_assert(!ebm_is_binary(ROWS, COLUMNS, x, LD));
            x[LD + j] = kept;
        }
    ck_assert(ebm_is_binary(0, 5, x, LD));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("binary_product");
    TCase *cases = tcase_create("properties");
    tcase_add_loop_test(cases, test_binary_product_small_shapes, 0, KERNELS * PATHS);
    tcase_add_loop_test(cases, test_binary_product_large_shapes, 0, KERNELS * PATHS);
    tcase_add_loop_test(cases, test_binary_product_many_chunks, 0, KERNELS * PATHS);
    tcase_add_loop_test(cases, test_binary_product_same_bytes_for_any_threads, 0, PATHS);
    tcase_add_test(cases, test_binary_product_is_binary);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
