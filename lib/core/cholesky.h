/* Cholesky factors of symmetric positive definite matrices, in double. All matrices are (n, n), row-major, contiguous. */
#ifndef EBM_CORE_CHOLESKY_H
#define EBM_CORE_CHOLESKY_H

#include "ebm/status.h"

#include <stddef.h>

/* A = L L^T from A's lower triangle: A becomes L, zeros above its diagonal. EBM_INVALID, naming `what`, the row and the
 * pivot, where A is not positive definite: a pivot is not above n times double's rounding of the diagonal it came from. */
EBM_NODISCARD ebm_status ebm_cholesky(size_t n, double *A, const char *what, ebm_error *error);
/* inverse = (L L^T)^-1, exactly symmetric. L is lower triangular and becomes L^-1. */
void ebm_cholesky_inverse(size_t n, double *L, double *inverse);
/* log det (L L^T) */
double ebm_cholesky_log_det(size_t n, const double *L);

#endif
