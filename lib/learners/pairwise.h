/* Dense machines of two-valued units coupled in pairs, as the learners that know their form see them. Internal.
 *
 *   p(x) ~ exp(sum_(i<j) w_ij x_i x_j + sum_i b_i x_i),   x in {-1,+1}^V or {0,1}^V
 * theta holds W (V x V, symmetric, zero diagonal; each coupling twice) and bias (V). With s = 2 x - 1 a 0/1 machine is
 * one of spins with J_ij = w_ij / 4 and h_i = b_i / 2 + sum_j w_ij / 4. */
#ifndef EBM_PAIRWISE_H
#define EBM_PAIRWISE_H

#include "ebm/learner.h"

typedef struct ebm_pairwise {
    size_t units;
    bool spin;
    ebm_real *W, *bias; /* within the model's theta */
} ebm_pairwise;

/* EBM_UNSUPPORTED where the learner's model is not such a machine. */
EBM_NODISCARD ebm_status ebm_pairwise_of(const ebm_learner *learner, ebm_pairwise *out, ebm_error *error);

/* Couplings and fields of spins from their means m (V): J (V, V) is on entry -C^-1, with C the covariance, on return the
 * couplings (the diagonal is not looked at); h (V) the fields. */
typedef void ebm_pairwise_solve(size_t V, const double *m, double *J, double *h);

/* theta = what `solve` makes of the moments of the rows of x: an update of the learners that need no more than one.
 * EBM_INVALID with the rank where the covariance is singular. */
EBM_NODISCARD ebm_status ebm_pairwise_invert(ebm_learner *learner, const ebm_real *x, size_t count,
                                             ebm_pairwise_solve *solve, ebm_work *work, ebm_error *error);

#endif
