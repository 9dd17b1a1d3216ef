/* Matrix products over BLAS in fixed blocks, and the public entry points of the row kernels.
 *
 * Every output element is computed by one thread in an order that the shape alone fixes, so the bytes do not depend on
 * how many threads share the blocks. OpenBLAS's own threads are switched off: it cuts products differently from run to
 * run, and blocks of ours gain more. */
#include "ebm/matrix.h"
#include "core/matrix_blocks.h"
#include "core/row_kernels.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>

enum { SMALL_ROWS = 1 << 14 /* elements: below this a parallel region costs more than it gains */ };

void ebm_blas_one_thread(void) {
    static int done;
    if (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        openblas_set_num_threads(1);
        __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    }
}

size_t ebm_block_width(size_t length, double work) {
    enum { MINIMUM = 64, PREFERRED = 256, ROUND = 16 };
    const double worth_splitting = 1e6; /* multiply-adds, about 20 microseconds */
    if (length < 2 * MINIMUM || work < worth_splitting)
        return length;
    const size_t pairs = (length + 2 * PREFERRED - 1) / (2 * PREFERRED);
    const size_t width = (length + 2 * pairs - 1) / (2 * pairs);
    return (width + ROUND - 1) / ROUND * ROUND;
}

void ebm_gemm_block(bool transpose_a, bool transpose_b, size_t M, size_t N, size_t K, double alpha, const ebm_real *A,
                    size_t lda, const ebm_real *B, size_t ldb, double beta, ebm_real *C, size_t ldc) {
    const CBLAS_TRANSPOSE ta = transpose_a ? CblasTrans : CblasNoTrans, tb = transpose_b ? CblasTrans : CblasNoTrans;
#ifdef EBM_DOUBLE
    cblas_dgemm(CblasRowMajor, ta, tb, (int)M, (int)N, (int)K, alpha, A, (int)lda, B, (int)ldb, beta, C, (int)ldc);
#else
    cblas_sgemm(CblasRowMajor, ta, tb, (int)M, (int)N, (int)K, (float)alpha, A, (int)lda, B, (int)ldb, (float)beta, C,
                (int)ldc);
#endif
}

void ebm_gemm(bool transpose_a, bool transpose_b, size_t M, size_t N, size_t K, double alpha, const ebm_real *A,
              size_t lda, const ebm_real *B, size_t ldb, double beta, ebm_real *C, size_t ldc, ebm_work *work) {
    assert(M <= INT_MAX && N <= INT_MAX && K <= INT_MAX && lda <= INT_MAX && ldb <= INT_MAX && ldc <= INT_MAX);
    assert(lda >= (transpose_a ? M : K) && ldb >= (transpose_b ? K : N) && ldc >= N);
    if (M == 0 || N == 0)
        return;
    ebm_blas_one_thread();
    const bool by_rows = M > N;
    const size_t length = by_rows ? M : N;
    const size_t width = ebm_block_width(length, (double)M * (double)N * (double)K);
    const size_t blocks = (length + width - 1) / width;
#pragma omp parallel for num_threads(ebm_work_threads(work)) schedule(dynamic) if (ebm_work_threads(work) > 1 && blocks > 1)
    for (size_t block = 0; block < blocks; block++) {
        const size_t first = block * width, n = length - first < width ? length - first : width;
        if (by_rows)
            ebm_gemm_block(transpose_a, transpose_b, n, N, K, alpha, A + (transpose_a ? first : first * lda), lda, B,
                           ldb, beta, C + first * ldc, ldc);
        else
            ebm_gemm_block(transpose_a, transpose_b, M, n, K, alpha, A, lda, B + (transpose_b ? first * ldb : first),
                           ldb, beta, C + first, ldc);
    }
}

bool ebm_is_binary(size_t rows, size_t columns, const ebm_real *X, size_t ldx) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    if (ldx == columns)
        return kernels->is_binary(rows * columns, X);
    for (size_t row = 0; row < rows; row++)
        if (!kernels->is_binary(columns, X + row * ldx))
            return false;
    return true;
}

void ebm_transpose(size_t rows, size_t columns, const ebm_real *in, ebm_real *out, ebm_work *work) {
    enum { TILE = 16 };
    const size_t bands = (columns + TILE - 1) / TILE;
#pragma omp parallel for num_threads(ebm_work_threads(work)) schedule(static) if (ebm_work_threads(work) > 1 && rows * columns > SMALL_ROWS)
    for (size_t band = 0; band < bands; band++) {
        const size_t first = band * TILE, last = first + TILE < columns ? first + TILE : columns;
        for (size_t top = 0; top < rows; top += TILE) {
            const size_t bottom = top + TILE < rows ? top + TILE : rows;
            for (size_t j = first; j < last; j++)
                for (size_t i = top; i < bottom; i++)
                    out[j * rows + i] = in[i * columns + j];
        }
    }
}

void ebm_sigmoid_rows(size_t B, size_t N, const ebm_real *field, double scale, const ebm_real *offset, ebm_real *mean,
                      ebm_work *work) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
#pragma omp parallel for num_threads(ebm_work_threads(work)) schedule(static) if (ebm_work_threads(work) > 1 && B * N > SMALL_ROWS)
    for (size_t b = 0; b < B; b++)
        kernels->sigmoid(N, field + b * N, (ebm_real)scale, offset, mean + b * N);
}

void ebm_bernoulli_rows(size_t B, size_t N, const ebm_real *field, double scale, const ebm_real *offset,
                        ebm_stream stream, uint32_t first_chain, uint64_t step, ebm_real *mean, ebm_real *state,
                        ebm_work *work) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
#pragma omp parallel for num_threads(ebm_work_threads(work)) schedule(static) if (ebm_work_threads(work) > 1 && B * N > SMALL_ROWS)
    for (size_t b = 0; b < B; b++)
        kernels->bernoulli(N, field + b * N, (ebm_real)scale, offset, stream, first_chain + (uint32_t)b, step,
                           mean != NULL ? mean + b * N : NULL, state + b * N);
}

void ebm_bernoulli_means(size_t B, size_t N, const ebm_real *p, ebm_stream stream, uint32_t first_chain, uint64_t step,
                         ebm_real *state, ebm_work *work) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
#pragma omp parallel for num_threads(ebm_work_threads(work)) schedule(static) if (ebm_work_threads(work) > 1 && B * N > SMALL_ROWS)
    for (size_t b = 0; b < B; b++)
        kernels->bernoulli_means(N, p + b * N, stream, first_chain + (uint32_t)b, step, state + b * N);
}

void ebm_softplus_rows(size_t B, size_t N, const ebm_real *field, double scale, double *out, ebm_work *work) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
#pragma omp parallel for num_threads(ebm_work_threads(work)) schedule(static) if (ebm_work_threads(work) > 1 && B * N > SMALL_ROWS)
    for (size_t b = 0; b < B; b++)
        out[b] = kernels->softplus(N, field + b * N, (ebm_real)scale);
}

void ebm_softplus_difference_rows(size_t B, size_t N, const ebm_real *field, double scale_from, double scale_to,
                                  double *out, ebm_work *work) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const ebm_real from = (ebm_real)scale_from, to = (ebm_real)scale_to, change = (ebm_real)(scale_to - scale_from);
#pragma omp parallel for num_threads(ebm_work_threads(work)) schedule(static) if (ebm_work_threads(work) > 1 && B * N > SMALL_ROWS)
    for (size_t b = 0; b < B; b++)
        out[b] = kernels->softplus_difference(N, field + b * N, from, to, change);
}

void ebm_dot_rows(size_t B, size_t N, const ebm_real *x, const ebm_real *w, double *out, ebm_work *work) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
#pragma omp parallel for num_threads(ebm_work_threads(work)) schedule(static) if (ebm_work_threads(work) > 1 && B * N > SMALL_ROWS)
    for (size_t b = 0; b < B; b++)
        out[b] = kernels->dot(N, x + b * N, w);
}

void ebm_column_sums(size_t B, size_t N, double alpha, const ebm_real *x, const ebm_real *weight, ebm_real *out,
                     ebm_work *work) {
    enum { WIDTH = 64 };
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t blocks = (N + WIDTH - 1) / WIDTH;
#pragma omp parallel for num_threads(ebm_work_threads(work)) schedule(static) if (ebm_work_threads(work) > 1 && B * N > SMALL_ROWS)
    for (size_t block = 0; block < blocks; block++) {
        const size_t first = block * WIDTH, n = N - first < WIDTH ? N - first : WIDTH;
        double sums[WIDTH];
        kernels->column_sums(B, n, x + first, N, weight, sums);
        for (size_t j = 0; j < n; j++)
            out[first + j] = (ebm_real)(out[first + j] + alpha * sums[j]);
    }
}

void ebm_axpy(size_t count, double alpha, const ebm_real *x, ebm_real *y, ebm_work *work) {
    enum { PIECE = 8192 };
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t pieces = (count + PIECE - 1) / PIECE;
#pragma omp parallel for num_threads(ebm_work_threads(work)) schedule(static) if (ebm_work_threads(work) > 1 && pieces > 4)
    for (size_t piece = 0; piece < pieces; piece++) {
        const size_t first = piece * PIECE, n = count - first < PIECE ? count - first : PIECE;
        kernels->axpy(n, (ebm_real)alpha, x + first, y + first);
    }
}

const char *ebm_kernels_name(void) {
    const char *name = ebm_row_kernels_get()->name;
    if (name[0] == 'b')
        return "baseline";
    return name[3] == '5' ? "avx512 (x86-64-v4)" : "avx2 (x86-64-v3)";
}

const char *ebm_blas_name(void) {
    return openblas_get_corename();
}
