/* What the learners of associative memories share (hebbian, storkey, pseudo-inverse, perceptron, hopfield-descent):
 * symmetric couplings W without a diagonal, for spins. Internal to the learners. */
#ifndef EBM_ASSOCIATIVE_H
#define EBM_ASSOCIATIVE_H

#include "ebm/learner.h"

#include <stdint.h>

/* The couplings of a machine of spins: a model with the views "W" (V, V) and "bias" (V). */
typedef struct ebm_couplings {
    size_t units;
    ebm_real *W, *bias;
} ebm_couplings;

EBM_NODISCARD ebm_status ebm_couplings_of(const ebm_model *model, const char *who, ebm_couplings *out,
                                          ebm_error *error);
/* `create` of a learner that keeps nothing between updates: refuses models without such couplings. */
EBM_NODISCARD ebm_status ebm_one_shot_create(ebm_learner *learner, ebm_error *error);

/* C (V, V) = alpha P^T Q + beta C, P and Q (K, V), where the product is known to be symmetric: only tiles on and above
 * the diagonal are computed, and mirrored. P = Q is half of that again on the diagonal. beta = 0 does not read C. */
void ebm_symmetric_product(size_t V, size_t K, double alpha, const ebm_real *P, const ebm_real *Q, double beta,
                           ebm_real *C, ebm_work *work);
void ebm_clear_diagonal(size_t V, ebm_real *W);
/* EBM_DIVERGED where a coupling is not finite. */
EBM_NODISCARD ebm_status ebm_couplings_finite(const ebm_couplings *couplings, ebm_error *error);

/* Rules that go through the patterns one by one, each with a change of rank two:
 *
 *   f_i = sum_(k != i) W_ik y_k,    W += y z^T + z y^T  with z made from f,    the diagonal ignored
 *
 * The fields of a block of patterns are one product with W as it was before the block, and each earlier change of the
 * block is put right by two inner products; the changes are applied at the end of the block as one product. So a
 * pattern costs O(V^2) at the speed of matrix products. `change` writes z (V) from f; returning false says that z = 0. */
typedef bool ebm_pattern_rule(void *context, size_t V, const ebm_real *y, const ebm_real *f, ebm_real *z);
EBM_NODISCARD ebm_status ebm_store_one_by_one(size_t V, size_t K, const ebm_real *x, ebm_real *W,
                                              ebm_pattern_rule *change, void *context, ebm_work *work,
                                              ebm_error *error);

#endif
