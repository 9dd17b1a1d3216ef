/* Examples with their labels appended as units, one of K of them up: for models of pictures and labels together. */
#include "ebm/dataset.h"

#include <stdlib.h>
#include <string.h>

/* Values are bytes or reals; `up` and `down` as they are stored. */
static ebm_status label_half(ebm_examples *half, size_t V, size_t K, double down, double up, ebm_error *error) {
    const size_t wide = V + K, each = half->reals ? sizeof(ebm_real) : 1;
    size_t cells, bytes;
    if (half->count == 0)
        return EBM_OK;
    if (__builtin_mul_overflow(half->count, wide, &cells) || __builtin_mul_overflow(cells, each, &bytes))
        return ebm_fail(error, EBM_NO_MEMORY, "%zu examples of %zu units do not fit into memory", half->count, wide);
    unsigned char *values = malloc(bytes);
    if (!values)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu examples of %zu units", half->count, wide);
    const unsigned char *from = half->reals ? (const unsigned char *)half->reals : half->bytes;
    for (size_t i = 0; i < half->count; i++) {
        unsigned char *to = values + i * wide * each;
        memcpy(to, from + i * V * each, V * each);
        for (size_t k = 0; k < K; k++) {
            const double value = (size_t)half->labels[i] == k ? up : down;
            if (half->reals)
                ((ebm_real *)(void *)to)[V + k] = (ebm_real)value;
            else
                to[V + k] = (unsigned char)value;
        }
    }
    if (half->reals) {
        free(half->reals);
        half->reals = (ebm_real *)(void *)values;
    } else {
        free(half->bytes);
        half->bytes = values;
    }
    return EBM_OK;
}

ebm_status ebm_dataset_append_labels(ebm_dataset *dataset, ebm_error *error) {
    const ebm_space *space = &dataset->space;
    const size_t V = space->size, K = dataset->classes;
    ebm_examples *const halves[] = {&dataset->train, &dataset->test};
    size_t wide;
    if (space->domain != EBM_BINARY && space->domain != EBM_SPIN)
        return ebm_fail(error, EBM_UNSUPPORTED, "labels are appended to units with two values; the data have %s",
                        ebm_domain_name(space->domain));
    for (size_t h = 0; h < 2; h++)
        if (K == 0 || (halves[h]->count > 0 && !halves[h]->labels))
            return ebm_fail(error, EBM_UNSUPPORTED, "the examples have no labels to append");
    if (__builtin_add_overflow(V, K, &wide) || wide > UINT32_MAX)
        return ebm_fail(error, EBM_INVALID, "%zu units and %zu labels are too many", V, K);
    for (size_t h = 0; h < 2; h++) {
        const bool states = dataset->binarise == EBM_BINARISE_NONE; /* else intensities */
        const bool spins = states && halves[h]->reals && space->domain == EBM_SPIN;
        EBM_TRY(label_half(halves[h], V, K, spins ? -1 : 0, states || halves[h]->reals ? 1 : 255, error));
    }
    free(dataset->support);
    free(dataset->support_log_probability);
    dataset->support = NULL;
    dataset->support_log_probability = NULL;
    dataset->support_count = 0;
    dataset->space = ebm_space_line(space->domain, wide);
    return EBM_OK;
}
