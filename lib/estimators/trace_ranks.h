/* Sorted traces and rank-normalised values. */
#ifndef EBM_ESTIMATORS_TRACE_RANKS_H
#define EBM_ESTIMATORS_TRACE_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Phi^-1(p), 0 < p < 1, by two steps of Halley's method on erfc: relative accuracy near rounding. */
double ebm_normal_quantile(double p);
/* score (count) of ranks 1 ... count, Phi^-1((rank - 3/8) / (count + 1/4)). */
void ebm_normal_scores(size_t count, double *score);

/* order (count) so that values[order[k]] ascends, equal values in any fixed order. The values are finite; keys and
 * spare (count) are scratch. count < 2^32. */
void ebm_sort_order(const double *values, size_t count, uint32_t *order, uint64_t *keys, uint64_t *spare);

/* z[order[k]] = the score of sorted[k]'s rank among the `count` ascending values, ties sharing their mean rank.
 * Returns whether all values are equal. */
bool ebm_rank_normalise(const double *sorted, const uint32_t *order, size_t count, const double *score, double *z);

/* Distances |x - median| of ascending values, themselves ascending, with the order that goes with them. sorted[-1] and
 * sorted[count] are there to be overwritten. */
void ebm_fold(double *sorted, const uint32_t *order, size_t count, double median, double *distance,
              uint32_t *distance_order);

#endif
