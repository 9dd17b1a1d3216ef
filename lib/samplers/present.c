/* The present states of chains, kept from call to call (see present.h). They are known by their own bytes: whoever moves a
 * chain in between, a swap of replicas or a new start, is noticed. */
#include "samplers/present.h"

#include <string.h>

typedef struct header {
    uint64_t known, count, units, gradient; /* flags and sizes of what is kept */
    double beta;
} header;

enum { HEADER = 64 };

static double *energies(const void *memory) {
    return (double *)((char *)memory + HEADER);
}

static ebm_real *states(const void *memory, size_t count) {
    return (ebm_real *)(energies(memory) + count);
}

size_t ebm_present_after(size_t own, size_t chains, size_t units, bool gradient) {
    const size_t arrays = gradient ? 2 : 1;
    size_t row, all;
    if (__builtin_mul_overflow(units, arrays * sizeof(ebm_real), &row) ||
        __builtin_add_overflow(row, sizeof(double), &row) || __builtin_mul_overflow(row, chains, &all) ||
        __builtin_add_overflow(all, HEADER + 63, &all) || __builtin_add_overflow(all / 64 * 64, own, &all))
        return SIZE_MAX;
    return all;
}

void *ebm_present_of(const ebm_chains *chains, size_t own) {
    return chains->auxiliary ? (char *)chains->auxiliary + own : NULL;
}

void ebm_present_forget(void *memory) {
    *(header *)memory = (header){0};
}

bool ebm_present_recall(const void *memory, const ebm_batch *batch, size_t units, ebm_path path, double *energy,
                        ebm_real *gradient) {
    const header *h = memory;
    const size_t B = batch->count, numbers = B * units;
    if (!memory || !h->known || !batch->field_ok || path.base || h->beta != path.beta || h->count != B ||
        h->units != units || (gradient && !h->gradient) ||
        memcmp(states(memory, B), batch->x, numbers * sizeof(ebm_real)) != 0)
        return false;
    memcpy(energy, energies(memory), B * sizeof *energy);
    if (gradient)
        memcpy(gradient, states(memory, B) + numbers, numbers * sizeof *gradient);
    return true;
}

void ebm_present_keep(void *memory, const ebm_batch *batch, size_t units, ebm_path path, const double *energy,
                      const ebm_real *gradient) {
    const size_t B = batch->count, numbers = B * units;
    if (!memory)
        return;
    *(header *)memory = (header){!path.base, B, units, gradient != NULL, path.beta};
    memcpy(energies(memory), energy, B * sizeof *energy);
    memcpy(states(memory, B), batch->x, numbers * sizeof(ebm_real));
    if (gradient)
        memcpy(states(memory, B) + numbers, gradient, numbers * sizeof *gradient);
}
