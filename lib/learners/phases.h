/* The positive and the negative phase: one piece of code with four starts, for every model.
 *
 *   d loglik / d theta = E_model[dE/dtheta] - E_data[dE/dtheta]
 *
 * The negative phase estimates the first term: after k sampler steps from a start (the data: CD-k, Hinton 2002; chains
 * that persist: PCD-k, Younes 1999, Tieleman 2008; noise), or by enumeration (maximum likelihood). */
#ifndef EBM_PHASES_H
#define EBM_PHASES_H

#include "learners/optimiser.h"

typedef enum ebm_start { EBM_START_DATA, EBM_START_NOISE, EBM_START_PERSISTENT, EBM_START_EXACT } ebm_start;

typedef struct ebm_phase_options {
    int64_t steps, chains;
    int start;
    ebm_optimiser_options optimiser;
} ebm_phase_options;

EBM_NODISCARD ebm_status ebm_phases_create(ebm_learner *learner, ebm_start start, ebm_error *error);
void ebm_phases_destroy(ebm_learner *learner);
EBM_NODISCARD ebm_status ebm_phases_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                           ebm_error *error);
size_t ebm_phases_regions(ebm_learner *learner, ebm_region *out);
void ebm_phases_restored(ebm_learner *learner);

/* lib/learners/likelihood_objective.c: L-BFGS on the exact log-likelihood of the rows of `data`. */
EBM_NODISCARD ebm_status ebm_lbfgs_likelihood(ebm_model *model, const ebm_optimiser_options *options,
                                              const ebm_batch *data, bool *done, ebm_work *work, ebm_error *error);

#endif
