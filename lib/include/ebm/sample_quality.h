/* How far two samples are apart, as sets of features: what is said of generated pictures. Double in every build.
 *
 * x (x_count, size), y (y_count, size): row-major, one example a row. Which features they are is the caller's business,
 * and part of every number's name. Every function takes its memory from `work` and leaves nothing there; rows that are not
 * finite are EBM_DIVERGED, with the row. */
#ifndef EBM_SAMPLE_QUALITY_H
#define EBM_SAMPLE_QUALITY_H

#include "ebm/status.h"
#include "ebm/work.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- Frechet distance of the Gaussian fits ---- */

/* |m_x - m_y|^2 + tr(C_x) + tr(C_y) - 2 tr((C_x C_y)^(1/2)), m and C the means and covariances (divisor count - 1):
 * the squared 2-Wasserstein distance of N(m_x, C_x) and N(m_y, C_y) (Dowson & Landau 1982), "FID" where the features are
 * Inception's (Heusel et al. 2017). Biased upwards by about c / count. */
typedef struct ebm_frechet {
    double distance;      /* the sum of the next two */
    double means, spread; /* |m_x - m_y|^2, and what the covariances add */
    bool deficient;       /* fewer examples than features in one of them, or as many: a covariance without full rank */
} ebm_frechet;

/* At least 2 rows each. */
EBM_NODISCARD ebm_status ebm_frechet_distance(const double *x, size_t x_count, const double *y, size_t y_count,
                                              size_t size, ebm_frechet *out, ebm_work *work, ebm_error *error);

/* The distance beside its extrapolation to endless samples (Chong & Forsyth 2020, linear in 1 / count): the mean over the
 * parts of both samples cut into 1, 2 and 4 is fitted by d_infinity + c parts. Standard errors by the jackknife over
 * GROUPS groups of both samples. */
typedef struct ebm_frechet_limit {
    double distance, se;
    double limit, limit_se;
} ebm_frechet_limit;

enum { EBM_FRECHET_GROUPS = 10 };

/* At least 8 EBM_FRECHET_GROUPS rows each. Cost: about 30 distances. */
EBM_NODISCARD ebm_status ebm_frechet_extrapolate(const double *x, size_t x_count, const double *y, size_t y_count,
                                                 size_t size, ebm_frechet_limit *out, ebm_work *work, ebm_error *error);

/* ---- Kernel distance ---- */

/* Squared maximum mean discrepancy with k(a, b) = (a . b / size + 1)^3, unbiased (Binkowski et al. 2018, "KID"): the mean
 * over disjoint subsets of `subset` rows of each sample (0: 1000, or all where there are fewer), with the standard error
 * of that mean, missing with one subset. */
typedef struct ebm_kernel_distance {
    double squared, se; /* squared may be negative */
    size_t subsets;
} ebm_kernel_distance;

EBM_NODISCARD ebm_status ebm_kernel_distance_of(const double *x, size_t x_count, const double *y, size_t y_count,
                                                size_t size, size_t subset, ebm_kernel_distance *out, ebm_work *work,
                                                ebm_error *error);

/* ---- Neighbours ---- */

/* Precision: the share of y within the reach of x; recall: the share of x within the reach of y; a sample reaches from each
 * of its rows as far as that row's k-th nearest neighbour in it (Kynkaanniemi et al. 2019). x is the truth, y what is
 * judged. */
typedef struct ebm_precision_recall {
    double precision, precision_se, recall, recall_se; /* binomial errors */
} ebm_precision_recall;

/* 1 <= k < both counts. Cost: (x_count + y_count)^2 distances. */
EBM_NODISCARD ebm_status ebm_precision_and_recall(const double *x, size_t x_count, const double *y, size_t y_count,
                                                  size_t size, size_t k, ebm_precision_recall *out, ebm_work *work,
                                                  ebm_error *error);

/* 2 E|x - y| - E|x - x'| - E|y - y'|, unbiased (Szekely & Rizzo 2013), at least 3 rows each; its standard error by the
 * two-sample jackknife. */
typedef struct ebm_energy_distance {
    double distance, se; /* distance may be negative */
} ebm_energy_distance;

EBM_NODISCARD ebm_status ebm_energy_distance_of(const double *x, size_t x_count, const double *y, size_t y_count,
                                                size_t size, ebm_energy_distance *out, ebm_work *work,
                                                ebm_error *error);

#endif
