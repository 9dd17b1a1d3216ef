/* Single-site sweeps of the Ising model on a torus by multi-spin coding: one bit a spin, 64 chains a word. Internal to
 * the models. */
#ifndef EBM_TORUS_BITS_H
#define EBM_TORUS_BITS_H

#include "ebm/model.h"

typedef struct ebm_torus {
    size_t rows, columns; /* both even */
    double coupling;      /* beta J, of either sign */
} ebm_torus;

/* Whether it pays: an even torus, a checkerboard scan, enough chains to fill a good part of a word, room for the random
 * numbers' index. */
bool ebm_torus_bits_fit(const ebm_torus *torus, const ebm_sweeps *sweeps, size_t chains);
/* sweeps->count checkerboard sweeps (colour of unit (r, c): (r + c) mod 2, colour 0 first) of x (chains, rows columns),
 * entries -1 and +1. Exact to 2^-64 in every probability. Chains go in groups of 64, whose numbers are those of the
 * group's first chain. False without memory, x untouched. */
bool ebm_torus_bits_sweep(const ebm_torus *torus, ebm_sweeps *sweeps, size_t chains, ebm_real *x, ebm_work *work);

#endif
