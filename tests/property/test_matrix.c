/* Dense products, transposes and sums against plain loops, for many odd shapes.
 *
 * Tolerance: n products summed in any order, in arithmetic of unit roundoff u, are off by at most (n + 2) u / (1 - n u)
 * times the sum of magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). */
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

static ebm_work *new_work(int threads) {
    ebm_work *work;
    ck_assert_int_eq(ebm_work_create(threads, &work, NULL), EBM_OK);
    return work;
}

static ebm_real *normals(size_t count) {
    static uint64_t draws;
    ebm_real *x = malloc((count + 1) * sizeof *x);
    ebm_random_normal(ebm_stream_of(7, 1), 0, draws++, count, x);
    return x;
}

static void check_gemm(bool ta, bool tb, size_t M, size_t N, size_t K, double alpha, double beta, ebm_work *work) {
    const size_t lda = (ta ? M : K) + 2, ldb = (tb ? K : N) + 1, ldc = N + 3;
    ebm_real *A = normals((ta ? K : M) * lda), *B = normals((tb ? N : K) * ldb), *C = normals(M * ldc);
    ebm_real *before = malloc((M * ldc + 1) * sizeof *before);
    memcpy(before, C, M * ldc * sizeof *C);
    if (beta == 0) /* beta = 0 overwrites, whatever was there */
        for (size_t i = 0; i < M; i++)
            for (size_t j = 0; j < N; j++)
                C[i * ldc + j] = (ebm_real)NAN;
    ebm_gemm(ta, tb, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc, work);
    for (size_t i = 0; i < M; i++) {
        for (size_t j = 0; j < N; j++) {
            double sum = beta == 0 ? 0 : beta * before[i * ldc + j], size = fabs(sum);
            for (size_t k = 0; k < K; k++) {
                const double a = ta ? A[k * lda + i] : A[i * lda + k], b = tb ? B[j * ldb + k] : B[k * ldb + j];
                sum += alpha * a * b;
                size += fabs(alpha * a * b);
            }
            const double n = (double)K + 4, bound = n * roundoff / (1 - n * roundoff) * size;
            if (!(fabs(C[i * ldc + j] - sum) <= bound))
                ck_abort_msg("(%zu, %zu, %zu) at (%zu, %zu): %.9g, not %.9g", M, N, K, i, j, C[i * ldc + j], sum);
        }
        if (memcmp(C + i * ldc + N, before + i * ldc + N, 3 * sizeof *C) != 0)
            ck_abort_msg("written beyond row %zu", i);
    }
    free(A), free(B), free(C), free(before);
}

START_TEST(test_matrix_gemm_against_loops) {
    static const size_t shapes[][3] = {{1, 1, 1},    {0, 3, 2},      {3, 0, 2},      {2, 3, 0},
                                       {1, 5, 17},   {17, 1, 5},     {31, 33, 32},   {5, 130, 9},
                                       {131, 7, 67}, {130, 150, 61}, {300, 20, 201}, {20, 600, 101}};
    ebm_work *work = new_work(2);
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (int t = 0; t < 4; t++) {
            const size_t *n = shapes[s];
            check_gemm(t & 1, t >> 1, n[0], n[1], n[2], 1, 0, work);
            check_gemm(t & 1, t >> 1, n[0], n[1], n[2], -0.3, 1, work);
            check_gemm(t & 1, t >> 1, n[0], n[1], n[2], 0.7, 0.5, work);
        }
    ebm_work_free(work);
}
END_TEST

START_TEST(test_matrix_gemm_same_bytes_for_any_threads) {
    enum { M = 170, N = 530, K = 91 };
    ebm_real *A = normals(M * K), *B = normals(K * N), *C[3];
    for (int t = 0; t < 3; t++) {
        ebm_work *work = new_work(t + 1);
        C[t] = malloc(sizeof *A * M * N);
        ebm_gemm(false, false, M, N, K, 1, A, K, B, N, 0, C[t], N, work);
        ebm_work_free(work);
        ck_assert_mem_eq(C[t], C[0], sizeof *A * M * N);
    }
    for (int t = 0; t < 3; t++)
        free(C[t]);
    free(A), free(B);
}
END_TEST

START_TEST(test_matrix_transpose) {
    static const size_t shapes[][2] = {{1, 1}, {0, 4}, {5, 0}, {1, 70}, {70, 1}, {16, 16}, {17, 33}, {101, 63}};
    ebm_work *work = new_work(2);
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        const size_t rows = shapes[s][0], columns = shapes[s][1];
        ebm_real *in = normals(rows * columns), *out = normals(rows * columns);
        ebm_transpose(rows, columns, in, out, work);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                if (out[j * rows + i] != in[i * columns + j])
                    ck_abort_msg("(%zu, %zu) at (%zu, %zu)", rows, columns, i, j);
        free(in), free(out);
    }
    ebm_work_free(work);
}
END_TEST

/* Summed in double and rounded once, with the two roundings of alpha times the sum and the addition. */
START_TEST(test_matrix_column_sums) {
    static const size_t shapes[][2] = {{0, 3}, {1, 1}, {3, 0}, {7, 65}, {50, 129}, {301, 40}};
    ebm_work *work = new_work(2);
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (int weighted = 0; weighted < 2; weighted++) {
            const size_t B = shapes[s][0], N = shapes[s][1];
            ebm_real *x = normals(B * N), *weight = normals(B), *out = normals(N), *before = normals(N);
            memcpy(before, out, N * sizeof *out);
            ebm_column_sums(B, N, -0.6, x, weighted ? weight : NULL, out, work);
            for (size_t j = 0; j < N; j++) {
                long double sum = 0, size = 0;
                for (size_t b = 0; b < B; b++) {
                    const long double term = (weighted ? weight[b] : 1.0L) * x[b * N + j];
                    sum += term;
                    size += fabsl(term);
                }
                const long double exact = before[j] - 0.6L * sum;
                const long double bound = 2 * roundoff * fabsl(exact) + (long double)(B + 3) * DBL_EPSILON * size;
                if (!(fabsl(out[j] - exact) <= bound))
                    ck_abort_msg("column %zu: %.17g, not %.17Lg", j, (double)out[j], exact);
            }
            free(x), free(weight), free(out), free(before);
        }
    ebm_work_free(work);
}
END_TEST

START_TEST(test_matrix_axpy) {
    static const size_t counts[] = {0, 1, 15, 17, 8192, 8193, 50001};
    ebm_work *work = new_work(2);
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        const size_t count = counts[c];
        ebm_real *x = normals(count), *y = normals(count), *before = normals(count);
        memcpy(before, y, count * sizeof *y);
        ebm_axpy(count, 0.3, x, y, work);
        for (size_t i = 0; i < count; i++) {
            const ebm_real product = (ebm_real)0.3 * x[i], expected = before[i] + product;
            if (y[i] != expected)
                ck_abort_msg("%zu of %zu", i, count);
        }
        free(x), free(y), free(before);
    }
    ebm_work_free(work);
}
END_TEST

/* The stack of scratch: aligned, never moved, reused after release, and no overflow of count * size. */
START_TEST(test_matrix_work_stack) {
    ebm_work *work = new_work(3);
    ck_assert_int_eq(ebm_work_threads(work), 3);
    enum { LEVELS = 200 };
    unsigned char *block[LEVELS];
    size_t mark[LEVELS];
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < LEVELS; i++) {
            mark[i] = ebm_work_mark(work);
            block[i] = ebm_work_take(work, (size_t)i * 997 % 4096 + (i % 20 == 19 ? 3000000 : 0), 1 + (size_t)i % 3);
            ck_assert_ptr_nonnull(block[i]);
            ck_assert_uint_eq((uintptr_t)block[i] % 64, 0);
            memset(block[i], i, (size_t)i * 997 % 4096);
        }
        for (int i = LEVELS - 1; i >= 0; i--) {
            for (size_t j = 0; j < (size_t)i * 997 % 4096; j++)
                if (block[i][j] != (unsigned char)i)
                    ck_abort_msg("block %d was overwritten", i);
            ebm_work_release(work, mark[i]);
            ck_assert_uint_eq(ebm_work_mark(work), mark[i]);
            if (i % 7 == 0) /* released memory is given again */
                ck_assert_ptr_nonnull(ebm_work_take(work, 10, 10));
            ebm_work_release(work, mark[i]);
        }
        ck_assert_uint_eq(ebm_work_mark(work), 0);
    }
    ck_assert_ptr_null(ebm_work_take(work, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(ebm_work_take(work, SIZE_MAX - 8, 1));
    ck_assert_ptr_null(ebm_alloc(SIZE_MAX / 4, 8));
    ck_assert_uint_eq(ebm_work_mark(work), 0);
    ebm_work_free(work);
    ebm_error error;
    ck_assert_int_eq(ebm_work_create(0, &work, &error), EBM_INVALID);
    ck_assert_ptr_null(work);
    unsigned char *zeros = ebm_alloc(1000, 3);
    for (int i = 0; i < 3000; i++)
        if (zeros[i] != 0)
            ck_abort_msg("byte %d is not zero", i);
    free(zeros);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("matrix");
    TCase *cases = tcase_create("properties");
    tcase_add_test(cases, test_matrix_gemm_against_loops);
    tcase_add_test(cases, test_matrix_gemm_same_bytes_for_any_threads);
    tcase_add_test(cases, test_matrix_transpose);
    tcase_add_test(cases, test_matrix_column_sums);
    tcase_add_test(cases, test_matrix_axpy);
    tcase_add_test(cases, test_matrix_work_stack);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
