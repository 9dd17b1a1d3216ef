/* IDX files (LeCun's MNIST format) of unsigned bytes, plain or gzip. Internal. */
#ifndef EBM_DATA_IDX_H
#define EBM_DATA_IDX_H

#include "ebm/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct ebm_idx {
    unsigned rank; /* 1 ... 4 */
    size_t shape[4];
    size_t count; /* product of the shape */
    uint8_t *data;
} ebm_idx;

/* `limit_bytes` bounds what a header may announce. Memory grows with what the file really holds. */
EBM_NODISCARD ebm_status ebm_idx_read(const char *path, size_t limit_bytes, ebm_idx *out, ebm_error *error);
/* The same from an open file, which is closed; `name` is for messages. */
EBM_NODISCARD ebm_status ebm_idx_read_open(const char *name, int file, size_t limit_bytes, ebm_idx *out,
                                           ebm_error *error);
void ebm_idx_free(ebm_idx *array);

/* Examples of an IDX file of rank 2 to 4 and, where `labels_path` is not NULL, its labels from a file of rank 1 that
 * must have as many. Only the first `wanted` are kept (0: all). Takes nothing over on failure. */
typedef struct ebm_idx_half {
    unsigned rank; /* of one example */
    size_t shape[4];
    size_t count, total; /* kept; in the file */
    uint8_t *bytes;
    int32_t *labels;
    int32_t largest_label;
} ebm_idx_half;
EBM_NODISCARD ebm_status ebm_idx_half_read(const char *path, const char *labels_path, size_t wanted, ebm_idx_half *out,
                                           ebm_error *error);

#endif
