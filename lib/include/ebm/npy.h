/* NumPy's .npy files, formats 1.0 and 2.0: little-endian float32, float64 and uint8 in C order. Anything else is
 * refused with its reason. (NEP 1, "A simple file format for NumPy arrays".) */
#ifndef EBM_NPY_H
#define EBM_NPY_H

#include "ebm/status.h"

#include <stddef.h>

typedef enum ebm_npy_type { EBM_NPY_FLOAT32, EBM_NPY_FLOAT64, EBM_NPY_UINT8 } ebm_npy_type;

typedef struct ebm_npy {
    ebm_npy_type type;
    unsigned rank; /* 0 ... 4 */
    size_t shape[4];
    size_t count; /* product of the shape */
    void *data;   /* owned; ebm_npy_free */
} ebm_npy;

/* `limit_bytes` bounds the data that a header may announce; the file's size is checked before anything is allocated. */
EBM_NODISCARD ebm_status ebm_npy_read(const char *path, size_t limit_bytes, ebm_npy *out, ebm_error *error);
/* The same from memory, for tests and fuzzing; `name` is for messages. */
EBM_NODISCARD ebm_status ebm_npy_parse(const char *name, const unsigned char *bytes, size_t size, size_t limit_bytes,
                                       ebm_npy *out, ebm_error *error);
/* Format 1.0, by a temporary file and rename. */
EBM_NODISCARD ebm_status ebm_npy_write(const char *path, ebm_npy_type type, unsigned rank, const size_t *shape,
                                       const void *data, ebm_error *error);
void ebm_npy_free(ebm_npy *array);
/* Element i of any type as a double. */
double ebm_npy_value(const ebm_npy *array, size_t i);

#endif
