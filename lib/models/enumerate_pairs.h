/* Sums over all states of a few two-valued units with pairwise couplings, in double: what makes a small Boltzmann
 * machine's normaliser, moments and independent draws exact. Internal to the models.
 *
 * A state's code has unit i up where bit i is set. */
#ifndef EBM_ENUMERATE_PAIRS_H
#define EBM_ENUMERATE_PAIRS_H

#include "ebm/random.h"
#include "ebm/status.h"
#include "ebm/work.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EBM_PAIRS_MAX_UNITS = 24 };

/* Log-weight  bias . x + sum_(i<j) coupling_ij x_i x_j,  x in {0,1}, or {-1,+1} with `spin`. */
typedef struct ebm_pair_sum {
    size_t units; /* 1 ... EBM_PAIRS_MAX_UNITS */
    bool spin;
    const double *bias;     /* (units) */
    const double *coupling; /* (units, units), symmetric, zero diagonal */
} ebm_pair_sum;

/* out = log of the sum of all weights; EBM_DIVERGED where that is not finite. */
EBM_NODISCARD ebm_status ebm_pair_log_sum(const ebm_pair_sum *sum, double *out, ebm_work *work, ebm_error *error);
/* mean (units) = E[x], pair (units, units) = E[x x^T] under the normalised weights, with log_z from ebm_pair_log_sum. */
EBM_NODISCARD ebm_status ebm_pair_moments(const ebm_pair_sum *sum, double log_z, double *mean, double *pair,
                                          ebm_work *work, ebm_error *error);
/* states (count): independent draws by inverse distribution function; draw b takes number 0 of (first_chain + b, step).
 */
EBM_NODISCARD ebm_status ebm_pair_draws(const ebm_pair_sum *sum, double log_z, ebm_stream stream, uint32_t first_chain,
                                        uint64_t step, size_t count, uint32_t *states, ebm_work *work,
                                        ebm_error *error);

#endif
