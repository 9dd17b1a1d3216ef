/* Matrices over BLAS, and the fused row kernels of binary units.
 *
 * All matrices are row-major and dense, with an explicit leading dimension counted in elements. Shapes are given as
 * (rows, columns). Each function cuts its output into blocks that depend on the shape alone, runs each block on one
 * thread (BLAS itself on one), and so gives the same bytes for any number of threads.
 *
 * Where one factor holds only 0 and 1 (states of binary units), a product is a sum of selected rows; ebm_binary_*
 * exploit that (lib/core/binary_product.c) and agree with the dense path to rounding. */
#ifndef EBM_MATRIX_H
#define EBM_MATRIX_H

#include "ebm/random.h"
#include "ebm/real.h"
#include "ebm/work.h"

#include <stdbool.h>
#include <stddef.h>

/* C (M, N) = alpha op(A) (M, K) op(B) (K, N) + beta C. */
void ebm_gemm(bool transpose_a, bool transpose_b, size_t M, size_t N, size_t K, double alpha, const ebm_real *A,
              size_t lda, const ebm_real *B, size_t ldb, double beta, ebm_real *C, size_t ldc, ebm_work *work);

/* Which path ebm_binary_product and ebm_binary_outer take. AUTO chooses by density and shape; the others are for tests,
 * for bench, and to see what each is worth. */
typedef enum ebm_product_path {
    EBM_PRODUCT_AUTO,
    EBM_PRODUCT_DENSE,
    EBM_PRODUCT_GATHER,
    EBM_PRODUCT_TABLES
} ebm_product_path;
/* Process-wide choice, for bench and tests only (set before any work starts). */
void ebm_product_path_set(ebm_product_path path);
ebm_product_path ebm_product_path_get(void);

/* C (B, N) = bias (N) broadcast over rows + X (B, K) W (K, N). Every entry of X must be 0 or 1. `bias` may be NULL (0).
 * Leading dimensions: X ldx, W ldw, C ldc. */
void ebm_binary_product(size_t B, size_t N, size_t K, const ebm_real *X, size_t ldx, const ebm_real *W, size_t ldw,
                        const ebm_real *bias, ebm_real *C, size_t ldc, ebm_work *work);
/* G (K, N) += alpha X^T (K, B) Y (B, N). Every entry of X (B, K) must be 0 or 1. */
void ebm_binary_outer(size_t B, size_t N, size_t K, double alpha, const ebm_real *X, size_t ldx, const ebm_real *Y,
                      size_t ldy, ebm_real *G, size_t ldg, ebm_work *work);
/* True if every entry is exactly 0 or 1. */
bool ebm_is_binary(size_t rows, size_t columns, const ebm_real *X, size_t ldx);
/* out (columns, rows) = in (rows, columns)^T, both contiguous. */
void ebm_transpose(size_t rows, size_t columns, const ebm_real *in, ebm_real *out, ebm_work *work);

/* Row kernels over a field f (B, N), contiguous. With `offset` (N) or NULL for 0:  z = scale * f + offset. */
/* mean = sigmoid(z) */
void ebm_sigmoid_rows(size_t B, size_t N, const ebm_real *field, double scale, const ebm_real *offset, ebm_real *mean,
                      ebm_work *work);
/* state = 1 where a uniform is below sigmoid(z), else 0; row b uses chain first_chain + b. `mean` (B, N) may be NULL.
 */
void ebm_bernoulli_rows(size_t B, size_t N, const ebm_real *field, double scale, const ebm_real *offset,
                        ebm_stream stream, uint32_t first_chain, uint64_t step, ebm_real *mean, ebm_real *state,
                        ebm_work *work);
/* state = 1 where a uniform is below p (B, N), else 0 */
void ebm_bernoulli_means(size_t B, size_t N, const ebm_real *p, ebm_stream stream, uint32_t first_chain, uint64_t step,
                         ebm_real *state, ebm_work *work);
/* out[b] = sum_j log(1 + exp(scale * f_bj)), in double across vector lanes */
void ebm_softplus_rows(size_t B, size_t N, const ebm_real *field, double scale, double *out, ebm_work *work);
/* out[b] = sum_j log(1 + exp(scale_to * f_bj)) - log(1 + exp(scale_from * f_bj)), accurate when the scales are close */
void ebm_softplus_difference_rows(size_t B, size_t N, const ebm_real *field, double scale_from, double scale_to,
                                  double *out, ebm_work *work);
/* out[b] = sum_j x_bj w_j in double */
void ebm_dot_rows(size_t B, size_t N, const ebm_real *x, const ebm_real *w, double *out, ebm_work *work);
/* out[j] += alpha sum_b weight_b x_bj in double order of b (weight may be NULL: 1) */
void ebm_column_sums(size_t B, size_t N, double alpha, const ebm_real *x, const ebm_real *weight, ebm_real *out,
                     ebm_work *work);
/* y += alpha x */
void ebm_axpy(size_t count, double alpha, const ebm_real *x, ebm_real *y, ebm_work *work);

/* "avx512 (x86-64-v4)", "avx2 (x86-64-v3)", "baseline": which wide-vector kernels this process uses. */
const char *ebm_kernels_name(void);
/* OpenBLAS's own description of its kernel, for example "SkylakeX". */
const char *ebm_blas_name(void);

#endif
