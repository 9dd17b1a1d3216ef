/* Missing pixels of a picture, filled in by a model of 0/1 units given the pixels that are seen:
 *   the pixel's mean over the training half, which looks at no other pixel;
 *   E[x_i | seen] by Gibbs sampling with the seen pixels clamped;
 *   a state of low free energy by optimisation, the seen pixels clamped (iterated conditional modes, Besag 1986). */
#ifndef EBM_IMPUTATION_H
#define EBM_IMPUTATION_H

#include "ebm/estimator.h"

/* Which pixels are missing: rows from below or above, columns from the right or left, or random ones, others in each picture. */
typedef enum ebm_missing {
    EBM_MISSING_BOTTOM,
    EBM_MISSING_TOP,
    EBM_MISSING_RIGHT,
    EBM_MISSING_LEFT,
    EBM_MISSING_RANDOM
} ebm_missing;

typedef struct ebm_imputation_settings {
    int missing;      /* ebm_missing */
    ebm_reals shares; /* of the rows, columns or pixels that are missing: a row of results each */
    int64_t burn_in, sweeps, descent_sweeps, test_examples;
} ebm_imputation_settings;

/* Test examples first ... first + count - 1. The caller lends all arrays, (count, V) but for missing. */
typedef struct ebm_imputed {
    size_t first, count, missing_each; /* missing_each: M, the same for every picture; from ebm_imputation_missing */
    uint32_t *missing;                 /* (count, M): units, ascending */
    ebm_real *truth, *mean, *gibbs, *descent; /* the seen pixels as they are in all of them */
} ebm_imputed;

/* M at this share: whole rows, columns or pixels, at least one and not all. EBM_INVALID where the space has no rows. */
EBM_NODISCARD ebm_status ebm_imputation_missing(const ebm_space *space, int missing, double share, size_t *out,
                                                ebm_error *error);
/* Fills all arrays. The model has the slots EBM_SLOT_BLOCK, EBM_SLOT_HIDDEN_MEANS and EBM_SLOT_SITE, and 0/1 units
 * (EBM_UNSUPPORTED where not). Row b draws at chain first + b. */
EBM_NODISCARD ebm_status ebm_impute(const ebm_estimate_inputs *in, const ebm_imputation_settings *settings,
                                    ebm_imputed *out, ebm_error *error);

#endif
