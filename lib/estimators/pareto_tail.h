/* The tail of importance weights. Internal to the estimators. */
#ifndef EBM_PARETO_TAIL_H
#define EBM_PARETO_TAIL_H

#include "ebm/work.h"

#include <stddef.h>

/* k of the generalised Pareto law, P(X > t) = (1 + k t / sigma)^(-1/k), that fits the largest weights exp(log_weight)
 * (count) beyond the others: moments of the weights below order 1/k exist, so that above 1/2 their variance is
 * infinite, and above 0.7 importance sampling is not to be trusted (Vehtari, Simpson, Gelman, Yao & Gabry 2024). The
 * tail has min(count / 5, 3 sqrt(count)) weights; NAN where these are fewer than 5, are all equal, or there is no
 * memory. -infinity in log_weight is the weight 0. */
double ebm_pareto_tail(const double *log_weight, size_t count, ebm_work *work);

#endif
