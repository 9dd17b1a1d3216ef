/* How matrix products are cut: shared by the dense and the 0/1 products. */
#ifndef EBM_CORE_MATRIX_BLOCKS_H
#define EBM_CORE_MATRIX_BLOCKS_H

#include "ebm/real.h"

#include <stdbool.h>
#include <stddef.h>

/* Width of the blocks that `length` rows or columns of an output are cut into, for a product of `work` multiply-adds.
 * A function of the shape alone. */
size_t ebm_block_width(size_t length, double work);
/* Keep BLAS to the calling thread, from now on and in the whole process. */
void ebm_blas_one_thread(void);
/* C (M, N) = alpha op(A) (M, K) op(B) (K, N) + beta C on the calling thread, uncut: for callers that share out work
 * themselves, after ebm_blas_one_thread. */
void ebm_gemm_block(bool transpose_a, bool transpose_b, size_t M, size_t N, size_t K, double alpha, const ebm_real *A,
                    size_t lda, const ebm_real *B, size_t ldb, double beta, ebm_real *C, size_t ldc);

#endif
