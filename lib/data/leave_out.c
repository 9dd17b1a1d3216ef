/* Labelled examples without those of one label: a class that a model never sees, for telling outliers. */
#include "data/datasets.h"

#include <string.h>

ebm_status ebm_examples_leave_out(ebm_examples *half, size_t size, int64_t label, ebm_error *error) {
    const size_t each = half->reals ? sizeof(ebm_real) : 1;
    unsigned char *values = half->reals ? (unsigned char *)half->reals : half->bytes;
    size_t kept = 0;
    if (label < 0 || half->count == 0)
        return EBM_OK;
    for (size_t i = 0; i < half->count; i++) {
        if (half->labels[i] == label)
            continue;
        memmove(values + kept * size * each, values + i * size * each, size * each);
        half->labels[kept++] = half->labels[i];
    }
    if (kept == 0)
        return ebm_fail(error, EBM_INVALID, "leave_out is %lld, and all %zu training examples have this label",
                        (long long)label, half->count);
    half->count = kept;
    return EBM_OK;
}
