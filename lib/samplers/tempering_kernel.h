/* The transition matrix of replica exchange over tuples of states. Internal to the samplers. */
#ifndef EBM_TEMPERING_KERNEL_H
#define EBM_TEMPERING_KERNEL_H

#include "ebm/sampler.h"

/* T (S, S), S = states^K, copy 0 the least significant digit: `sweeps` sweeps of `inner` on each copy r at path[r] (K),
 * then the swaps of the pairs (0, 1), (2, 3) ..., then of (1, 2), (3, 4) ... */
EBM_NODISCARD ebm_status ebm_tempering_kernel(const ebm_sampler *inner, const ebm_model *model, size_t K,
                                              const ebm_path *path, size_t sweeps, size_t S, double *T, ebm_work *work,
                                              ebm_error *error);

#endif
