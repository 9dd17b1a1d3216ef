/* Examples with random units appended: the expanded network's patterns. */
#include "ebm/dataset.h"

#include <stdlib.h>
#include <string.h>

/* Values are bytes or reals; `up` and `down` as they are stored. */
static ebm_status expand_half(ebm_examples *half, size_t V, size_t extra, double down, double up, ebm_stream stream,
                              uint64_t step, ebm_error *error) {
    const size_t wide = V + extra, each = half->reals ? sizeof(ebm_real) : 1;
    size_t cells, bytes;
    if (half->count == 0)
        return EBM_OK;
    if (__builtin_mul_overflow(half->count, wide, &cells) || __builtin_mul_overflow(cells, each, &bytes))
        return ebm_fail(error, EBM_NO_MEMORY, "%zu examples of %zu units do not fit into memory", half->count, wide);
    uint32_t *words = malloc(extra * sizeof *words);
    unsigned char *values = malloc(bytes);
    if (!words || !values) {
        free(words);
        free(values);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu examples of %zu units", half->count, wide);
    }
    const unsigned char *from = half->reals ? (const unsigned char *)half->reals : half->bytes;
    for (size_t i = 0; i < half->count; i++) {
        unsigned char *to = values + i * wide * each;
        memcpy(to, from + i * V * each, V * each);
        ebm_random_words(stream, (uint32_t)i, step, extra, words);
        for (size_t j = 0; j < extra; j++) {
            const double value = words[j] >> 31 ? up : down;
            if (half->reals)
                ((ebm_real *)(void *)to)[V + j] = (ebm_real)value;
            else
                to[V + j] = (unsigned char)value;
        }
    }
    free(words);
    if (half->reals) {
        free(half->reals);
        half->reals = (ebm_real *)(void *)values;
    } else {
        free(half->bytes);
        half->bytes = values;
    }
    return EBM_OK;
}

ebm_status ebm_dataset_expand(ebm_dataset *dataset, size_t extra, uint32_t seed, ebm_error *error) {
    const ebm_space *space = &dataset->space;
    const size_t V = space->size;
    ebm_examples *const halves[] = {&dataset->train, &dataset->test};
    size_t wide;
    if (extra == 0)
        return EBM_OK;
    if (space->domain != EBM_BINARY && space->domain != EBM_SPIN)
        return ebm_fail(error, EBM_UNSUPPORTED, "random units are appended to units with two values; the data have %s",
                        ebm_domain_name(space->domain));
    if (__builtin_add_overflow(V, extra, &wide) || wide > UINT32_MAX)
        return ebm_fail(error, EBM_INVALID, "%zu units and %zu more are too many", V, extra);
    for (size_t k = 0; k < 2; k++) {
        const bool states = dataset->binarise == EBM_BINARISE_NONE; /* else intensities */
        const bool spins = states && halves[k]->reals && space->domain == EBM_SPIN;
        EBM_TRY(expand_half(halves[k], V, extra, spins ? -1 : 0, states || halves[k]->reals ? 1 : 255,
                            ebm_stream_of(seed, EBM_PURPOSE_EXTRA_UNITS), k, error));
    }
    free(dataset->support);
    free(dataset->support_log_probability);
    dataset->support = NULL;
    dataset->support_log_probability = NULL;
    dataset->support_count = 0;
    dataset->space = ebm_space_line(space->domain, wide);
    return EBM_OK;
}
