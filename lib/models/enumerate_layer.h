/* Sums over all states of one binary layer, in blocks: what makes a two-layer machine's normaliser exact. */
#ifndef EBM_ENUMERATE_LAYER_H
#define EBM_ENUMERATE_LAYER_H

#include "ebm/real.h"
#include "ebm/status.h"
#include "ebm/work.h"

#include <stdint.h>

enum { EBM_ENUMERATE_MAX_UNITS = 25 };

/* s in {0,1}^K with log-weight  linear . s + sum_n softplus(bias_n + (s M)_n),  M (K, N). */
typedef struct ebm_layer_sum {
    size_t K, N;
    const ebm_real *linear, *coupling, *bias;
} ebm_layer_sum;

/* out = log sum_s exp(log-weight). K <= 25. */
EBM_NODISCARD ebm_status ebm_layer_log_sum(const ebm_layer_sum *sum, double *out, ebm_work *work, ebm_error *error);
/* Expectations under the normalised weights: small (K) += scale E[s], large (N) += scale E[sigmoid(z)],
 * pair (K, N) += scale E[s sigmoid(z)^T], with log_z from ebm_layer_log_sum. */
EBM_NODISCARD ebm_status ebm_layer_expectations(const ebm_layer_sum *sum, double log_z, double scale, ebm_real *small,
                                                ebm_real *large, ebm_real *pair, ebm_work *work, ebm_error *error);
/* states[d] = the state, as a code with unit 0 least significant, at which the cumulative weight first exceeds level[d];
 * `level` (count) in [0, 1), ascending; with log_z from ebm_layer_log_sum. */
EBM_NODISCARD ebm_status ebm_layer_quantiles(const ebm_layer_sum *sum, double log_z, size_t count, const double *level,
                                             uint32_t *states, ebm_work *work, ebm_error *error);

#endif
