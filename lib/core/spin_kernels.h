/* Kernels of multi-spin coding: one bit a spin, 64 chains a word.
 *
 * Random decisions are exact: a uniform number is drawn bit by bit, from its first binary digit on, and compared with
 * the digits of a probability in all bits of a vector at once, until every bit is decided. */
#ifndef EBM_CORE_SPIN_KERNELS_H
#define EBM_CORE_SPIN_KERNELS_H

#include "ebm/random.h"
#include "ebm/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Binary digits of the probabilities of going against the local field, by its size. */
typedef struct ebm_spin_rule {
    uint64_t weak, strong;  /* probability times 2^64, rounded down: one or all four neighbours in excess */
    bool metropolis;        /* flip where the energy does not rise, else with probability weak or strong;
                              false: the new spin goes against the field with probability weak or strong */
    bool antiferromagnetic; /* Metropolis: the energy falls with the field reversed */
} ebm_spin_rule;

/* Updates of one colour of a lattice whose neighbours all have the other colour. */
typedef struct ebm_spin_update {
    size_t words;                  /* 32-bit words; arrays are readable and centre is writable up to `padded` */
    size_t padded;                 /* words rounded up to a multiple of EBM_SPIN_PADDING */
    uint32_t *centre;              /* (words): spins of this colour, 1 = up */
    const uint32_t *neighbours[4]; /* (words) each */
    ebm_spin_rule rule;
    uint64_t counted; /* chains that are there: the others draw nothing and are not counted */
    ebm_stream stream;
    uint32_t chain;
    uint64_t step;
    uint32_t first_index; /* of the random words used: at most (EBM_SPIN_DIGITS + 64) padded of them, a multiple of 4 */
} ebm_spin_update;

enum { EBM_SPIN_PADDING = 32, EBM_SPIN_DIGITS = 9 /* drawn for all bits */ };

typedef struct ebm_spin_kernels {
    /* Returns the number of flips (Metropolis; 0 for heat bath). Words beyond `words` get no meaning. */
    uint64_t (*update)(const ebm_spin_update *update);
    /* bits[i / 32] has bit i % 32 set where x[i] > 0; the rest of the last word is 0 */
    void (*pack)(size_t count, const ebm_real *x, uint32_t *bits);
    /* x[i] = +1 where the bit is set, else -1 */
    void (*unpack)(size_t count, const uint32_t *bits, ebm_real *x);
} ebm_spin_kernels;

#endif
