/* Kernelised Stein discrepancy: how far a sample is from a law of which only the score is known. Double in every build. */
#ifndef EBM_STEIN_H
#define EBM_STEIN_H

#include "ebm/model.h"

/* Kernelised Stein discrepancy of a sample to a law of which only the score is known, with the inverse multiquadric
 * kernel k(x, y) = (c^2 + |x - y|^2)^(-1/2) (Liu, Lee & Jordan 2016; Chwialkowski, Strathmann & Gretton 2016; Gorham &
 * Mackey 2017). Its mean square is 0 where the sample follows the law, and nowhere else. */
typedef struct ebm_stein {
    double discrepancy; /* root of the V-statistic: of the mean over all pairs, a draw with itself included */
    double squared, se; /* the U-statistic, over pairs of different draws, unbiased: it may be negative. The jackknife's
                           s.e., whose expectation is never below the truth: NAN for fewer than 3 rows */
    double p_value;     /* of independent draws that follow the law, by random signs; NAN without replicates */
    double bandwidth;   /* c */
} ebm_stein;

/* x (count, size), at least 2 rows; score (count, size) = grad log p there. bandwidth > 0, or 0 for the median distance between pairs, of which at most
 * 500 rows, evenly spaced, are looked at (EBM_INVALID where that is 0).
 * `replicates` random signs, drawn at chains 0 ... replicates - 1 and `step` of the stream. EBM_DIVERGED where a number
 * is not finite. Cost: count^2 (4 size + replicates). */
EBM_NODISCARD ebm_status ebm_stein_discrepancy(const double *x, const double *score, size_t count, size_t size,
                                               double bandwidth, size_t replicates, ebm_stream stream, uint64_t step,
                                               ebm_stein *out, ebm_work *work, ebm_error *error);

/* The same of real states and the score of a model at the path, -dE_beta/dx; the batch's field becomes valid. */
EBM_NODISCARD ebm_status ebm_stein_of_states(const ebm_model *model, ebm_path path, ebm_batch *batch, double bandwidth,
                                             size_t replicates, ebm_stream stream, uint64_t step, ebm_stein *out,
                                             ebm_work *work, ebm_error *error);

#endif
