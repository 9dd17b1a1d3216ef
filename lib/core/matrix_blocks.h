/* How matrix products are cut: shared by the dense and the 0/1 products. */
#ifndef EBM_CORE_MATRIX_BLOCKS_H
#define EBM_CORE_MATRIX_BLOCKS_H

#include <stddef.h>

/* Width of the blocks that `length` rows or columns of an output are cut into, for a product of `work` multiply-adds.
 * A function of the shape alone. */
size_t ebm_block_width(size_t length, double work);
/* Keep BLAS to the calling thread, from now on and in the whole process. */
void ebm_blas_one_thread(void);

#endif
