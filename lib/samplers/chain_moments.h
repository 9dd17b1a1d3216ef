/* Mean and covariance of all chains over a window of warm-up, for proposals of any shape. Plain memory without addresses
 * in it, part of ebm_chains.auxiliary. Internal to the samplers. */
#ifndef EBM_CHAIN_MOMENTS_H
#define EBM_CHAIN_MOMENTS_H

#include "ebm/real.h"
#include "ebm/status.h"
#include "ebm/work.h"

/* A multiple of 64; SIZE_MAX where it overflows. Cost of memory: 3 V^2 numbers. */
size_t ebm_chain_moments_bytes(size_t units);
/* Mean 0, covariance 1, an empty window. */
void ebm_chain_moments_start(void *memory, size_t units);
/* Add x (count, units) to the window. O(count V^2), one product. */
EBM_NODISCARD ebm_status ebm_chain_moments_observe(void *memory, size_t count, const ebm_real *x, ebm_work *work,
                                                   ebm_error *error);
/* The window's mean and covariance become those to use, and an empty window opens. A covariance from n states has 5
 * states of independent units, all of the mean variance, mixed in, so that it has a Cholesky factor. Where the window
 * has seen no spread nothing changes. */
EBM_NODISCARD ebm_status ebm_chain_moments_take(void *memory, ebm_error *error);
const double *ebm_chain_moments_mean(const void *memory);     /* (units) */
const ebm_real *ebm_chain_moments_factor(const void *memory); /* L (units, units), covariance = L L^T */

#endif
