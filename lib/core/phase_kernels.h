/* Kernels of Hamiltonian dynamics: kicks and drifts of many rows, each with a step of its own.
 *
 * Rows are contiguous: x, momentum and gradient (rows, V), scale (V), step (rows). */
#ifndef EBM_CORE_PHASE_KERNELS_H
#define EBM_CORE_PHASE_KERNELS_H

#include "ebm/real.h"

#include <stddef.h>

typedef struct ebm_phase_kernels {
    /* r_bi -= share step_b s_i g_bi */
    void (*kick)(size_t rows, size_t V, const ebm_real *scale, const ebm_real *step, ebm_real share,
                 const ebm_real *gradient, ebm_real *momentum);
    /* the same, and then x_bi += step_b s_i r_bi */
    void (*kick_drift)(size_t rows, size_t V, const ebm_real *scale, const ebm_real *step, ebm_real share,
                       const ebm_real *gradient, ebm_real *momentum, ebm_real *x);
} ebm_phase_kernels;

#endif
