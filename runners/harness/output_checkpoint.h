/* Checkpoints: a case's rows so far, its step, and regions of memory, in one file with a checksum.
 *
 * Layout, in the machine's own byte order (a checkpoint goes on where it was made):
 *   magic[8]  version u64  key[66]  step u64  spent: 2 doubles, 1 int64
 *   rows u64, each: step i64, value f64, se f64, length u64, metric (no end byte)
 *   regions u64, each: bytes u64; then the regions themselves
 *   checksum 2 x u64 over all that stands before it */
#ifndef EBM_OUTPUT_CHECKPOINT_H
#define EBM_OUTPUT_CHECKPOINT_H

#include "harness/output.h"

typedef struct ebm_checkpoint {
    const char *key;
    uint64_t step;
    ebm_spent spent;
    ebm_table *table;
    const ebm_region *regions;
    size_t n_regions;
} ebm_checkpoint;

EBM_NODISCARD ebm_status ebm_checkpoint_write(const ebm_checkpoint *point, const char *path, ebm_error *error);
/* Fills step, spent, the rows of the (empty) table and the regions, or changes nothing: EBM_FORMAT says why it does not
 * fit, EBM_IO why it cannot be read. */
EBM_NODISCARD ebm_status ebm_checkpoint_read(ebm_checkpoint *point, const char *const *keys, const char *path,
                                             ebm_error *error);

#endif
