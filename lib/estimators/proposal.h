/* Elliptical proposals on real spaces, for importance sampling:
 *
 *   normal      x = m + L z,    log q = -V/2 log 2 pi - sum_i log L_ii - |z|^2 / 2
 *   Student-t   x = m + L u,  u = z sqrt(nu / (2 g)),  g ~ Gamma(nu / 2):  the multivariate t of nu degrees,
 *               log q = lgamma((nu + V)/2) - lgamma(nu/2) - V/2 log(nu pi) - sum_i log L_ii
 *                       - (nu + V)/2 log(1 + |u|^2 / nu)
 *
 * with z standard normal and S = L L^T the scale matrix, L lower triangular. Internal to the estimators. */
#ifndef EBM_PROPOSAL_H
#define EBM_PROPOSAL_H

#include "ebm/random.h"
#include "ebm/real.h"
#include "ebm/status.h"
#include "ebm/work.h"

#include <stdbool.h>

typedef struct ebm_proposal {
    size_t V;
    double degrees;     /* nu; INFINITY: normal */
    bool dense;         /* whether `covariance` has anything beside its diagonal */
    double *mean;       /* (V): m */
    double *covariance; /* (V, V): what the scale was made of */
    double *factor;     /* (V, V): L */
    double log_scale;   /* sum_i log L_ii */
} ebm_proposal;

/* Mean `mean` in every unit, covariance width^2 I. The arrays are taken from `work`. */
EBM_NODISCARD ebm_status ebm_proposal_create(size_t V, double degrees, double mean, double width, ebm_proposal *out,
                                             ebm_work *work, ebm_error *error);
/* x (count, V) = draws first ... first + count - 1, and log_density (count) there; a pure function of the arguments.
 * Draw b uses chain b and the steps step, step + 1. */
EBM_NODISCARD ebm_status ebm_proposal_draw(const ebm_proposal *proposal, ebm_stream stream, uint64_t step, size_t first,
                                           size_t count, ebm_real *x, double *log_density, ebm_work *work,
                                           ebm_error *error);
/* log_density (count) at given x (count, V). */
EBM_NODISCARD ebm_status ebm_proposal_log_density(const ebm_proposal *proposal, size_t count, const ebm_real *x,
                                                  double *log_density, ebm_work *work, ebm_error *error);
/* Sums over weighted draws that a new proposal is made of: of w y and, at the lower triangle, of w y y^T, where
 * y = x - m of the proposal that drew them. */
typedef struct ebm_proposal_sums {
    double *first, *second; /* (V), (V, V) */
} ebm_proposal_sums;
EBM_NODISCARD ebm_status ebm_proposal_add(const ebm_proposal *proposal, size_t count, const ebm_real *x,
                                          const double *weight, bool dense, ebm_proposal_sums *sums, ebm_work *work,
                                          ebm_error *error);
/* Move to the weighted draws, whose weights sum to 1 and are worth `ess` independent ones:
 *   m <- m + E[y],   C <- (ess Cov[y] + (V + 2) C) / (ess + V + 2),   S = widen^2 C.
 * The present C counts as V + 2 draws, so that few draws cannot make C singular. */
EBM_NODISCARD ebm_status ebm_proposal_learn(ebm_proposal *proposal, const ebm_proposal_sums *sums, double ess,
                                            bool dense, double widen, ebm_error *error);

#endif
