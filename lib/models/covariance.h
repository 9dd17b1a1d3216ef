/* The means and covariances that the multivariate normal law can have, from its options. Internal to the model. */
#ifndef EBM_COVARIANCE_H
#define EBM_COVARIANCE_H

#include "ebm/space.h"
#include "ebm/status.h"

#include <stdint.h>

typedef enum ebm_covariance {
    EBM_COVARIANCE_IDENTITY,
    EBM_COVARIANCE_DIAGONAL,
    EBM_COVARIANCE_EQUICORRELATED,
    EBM_COVARIANCE_AUTOREGRESSIVE,
    EBM_COVARIANCE_RANDOM,
    EBM_COVARIANCE_FILE
} ebm_covariance;

typedef struct ebm_gaussian_options {
    int64_t units, covariance_seed;
    int covariance;
    double condition, correlation, scale, mean;
    char *file, *mean_file;
} ebm_gaussian_options;

enum { EBM_MOST_DENSE = 4096 /* units with a full covariance: 400 MiB of matrices while it is made */ };

/* Units of the law. */
EBM_NODISCARD ebm_status ebm_covariance_units(const ebm_gaussian_options *options, size_t *out, ebm_error *error);
/* Variance i of V where it is diagonal, and of `random` before it is turned. */
double ebm_covariance_variance(const ebm_gaussian_options *options, size_t V, size_t i);
/* The lower triangle of Sigma (V, V), which is zero at first, where it is not diagonal. Whether it is positive definite is
 * for its Cholesky factor to say. */
EBM_NODISCARD ebm_status ebm_covariance_fill(const ebm_gaussian_options *options, size_t V, double *sigma,
                                             ebm_error *error);
/* mean (V) */
EBM_NODISCARD ebm_status ebm_covariance_means(const ebm_gaussian_options *options, size_t V, double *mean,
                                              ebm_error *error);

#endif
