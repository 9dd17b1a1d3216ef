/* How well a score tells two samples apart: the receiver operating characteristic and the area under it. Double in every
 * build.
 *
 *   AUC = 1/(m n) sum_ij psi(x_i, y_j),   psi = 1 where y > x, 1/2 where y = x, 0 else:
 * the Mann-Whitney statistic of the scores x (m) of inliers and y (n) of outliers, an unbiased estimate of
 * P(y > x) + P(y = x) / 2. */
#ifndef EBM_ROC_H
#define EBM_ROC_H

#include "ebm/status.h"
#include "ebm/work.h"

#include <stddef.h>

typedef struct ebm_auc {
    double value;
    double se; /* NAN where either sample has fewer than two scores */
} ebm_auc;

/* The scores of two samples and where each lies in the other: of_inlier[i] = mean_j psi(x_i, y_j), of_outlier[j] = mean_i
 * psi(x_i, y_j). The caller lends all four. */
typedef struct ebm_roc {
    size_t inliers, outliers; /* m, n >= 1 */
    const double *inlier, *outlier;
    double *of_inlier, *of_outlier;
} ebm_roc;

/* Fills of_inlier and of_outlier; *out: the area with its standard error by
 *   se^2 = S^2(of_inlier) / m + S^2(of_outlier) / n,   S^2 the sample variance
 * (DeLong, DeLong & Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating characteristic
 * curves", Biometrics 44, 1988, 837-845). With psi = theta + a(x) + b(y) + c(x, y), the parts of mean 0 given either
 * argument, Var AUC = A/m + B/n + C/(m n) and E[se^2] = A/m + B/n + 2 C/(m n): never too small on average.
 * EBM_INVALID for an empty sample, EBM_DIVERGED for a score that is not a number; infinite scores have their rank. */
EBM_NODISCARD ebm_status ebm_roc_area(const ebm_roc *roc, ebm_auc *out, ebm_work *work, ebm_error *error);
/* The area of `a` less that of `b`, two scores of the same inliers and outliers, after ebm_roc_area of both: the standard
 * error is that of the differences of their placements (the same paper). */
ebm_auc ebm_roc_difference(const ebm_roc *a, const ebm_roc *b);
/* The share of outliers above the (k + 1)-th largest inlier score, k = floor(rate * m): what is found where at most this
 * share of the inliers is flagged. 1 at rate 1. `se` is binomial, of the outliers alone. rate in [0, 1]. */
EBM_NODISCARD ebm_status ebm_roc_found(const ebm_roc *roc, size_t count, const double *rate, ebm_auc *out,
                                       ebm_work *work, ebm_error *error);

#endif
