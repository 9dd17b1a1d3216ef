/* Squared distances between all rows of a pooled sample, a block of rows at a time. Internal to the estimators. */
#ifndef EBM_PAIRWISE_H
#define EBM_PAIRWISE_H

#include "ebm/status.h"
#include "ebm/work.h"

#include <stddef.h>

/* x and y one below the other, their common mean taken off, so that products do not cancel. */
typedef struct ebm_pooled {
    const double *z;           /* (count, size) */
    double *norm;              /* (count): |z_a|^2 */
    size_t first, count, size; /* rows of x; of both */
} ebm_pooled;

/* In memory of `work`. EBM_DIVERGED where a row is not finite, EBM_INVALID where either sample has fewer than `least` rows
 * or both are too many. */
EBM_NODISCARD ebm_status ebm_pooled_open(const double *x, size_t x_count, const double *y, size_t y_count, size_t size,
                                         size_t least, ebm_pooled *out, ebm_work *work, ebm_error *error);

/* What is done with row `row`: squares (count) holds |z_row - z_b|^2, 0 for row itself, and may be overwritten. Rows come
 * in no order, on any thread, each once. */
typedef void (*ebm_pair_visitor)(const ebm_pooled *pooled, size_t row, double *squares, void *context);

EBM_NODISCARD ebm_status ebm_pooled_visit(const ebm_pooled *pooled, ebm_pair_visitor visit, void *context,
                                          ebm_work *work, ebm_error *error);

/* (count - 1) / count times the squared deviations of the values left out one by one: the jackknife's variance. */
double ebm_jackknife(const double *value, size_t count);

#endif
