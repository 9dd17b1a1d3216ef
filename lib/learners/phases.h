/* The positive and the negative phase: one piece of code with four starts, for every model.
 *
 *   d loglik / d theta = E_model[dE/dtheta] - E_data[dE/dtheta]
 *
 * The negative phase estimates the first term: after k sampler steps from a start (the data: CD-k, Hinton 2002; chains
 * that persist: PCD-k, Younes 1999, Tieleman 2008; noise), or by enumeration (maximum likelihood).
 *
 * Where units are hidden, dE/dtheta in either term is its mean over them given x. With `positive: gibbs` it is taken at
 * states of theirs instead (Ackley, Hinton & Sejnowski 1985): in the free phase those that the chains end with, in the
 * clamped phase those of Gibbs sampling over h alone, from uniform states, with x held at the data. */
#ifndef EBM_PHASES_H
#define EBM_PHASES_H

#include "learners/optimiser.h"

typedef enum ebm_start { EBM_START_DATA, EBM_START_NOISE, EBM_START_PERSISTENT, EBM_START_EXACT } ebm_start;

/* How the hidden units of the data are averaged over. */
typedef enum ebm_positive { EBM_POSITIVE_EXACT, EBM_POSITIVE_GIBBS } ebm_positive;

/* Which states of a negative phase count. */
typedef enum ebm_collect { EBM_COLLECT_LAST, EBM_COLLECT_ALL } ebm_collect;

typedef struct ebm_phase_options {
    int64_t steps, chains, clamped_steps, clamped_samples;
    int start, positive, collect;
    ebm_optimiser_options optimiser;
} ebm_phase_options;

extern const char *const ebm_collect_names[];
#define EBM_COLLECT_TABLE                                                                                              \
    {                                                                                                                  \
        "collect", EBM_OPTION_CHOICE, offsetof(ebm_phase_options, collect), "last", 0, 0, ebm_collect_names, 0,        \
            "states of the negative phase that count: the last of its steps, or the mean over all of them"             \
    }

/* Rows of a learner's option table for both phases by Gibbs sampling of the hidden units too. */
extern const char *const ebm_positive_names[];
#define EBM_POSITIVE_TABLE                                                                                             \
    {"positive",                                                                                                       \
     EBM_OPTION_CHOICE,                                                                                                \
     offsetof(ebm_phase_options, positive),                                                                            \
     "exact",                                                                                                          \
     0,                                                                                                                \
     0,                                                                                                                \
     ebm_positive_names,                                                                                               \
     0,                                                                                                                \
     "hidden units: their conditional means in both phases, or their states, of the data by Gibbs sampling with the "  \
     "visible units clamped"},                                                                                         \
        {"clamped_steps",                                                                                              \
         EBM_OPTION_INT,                                                                                               \
         offsetof(ebm_phase_options, clamped_steps),                                                                   \
         "10",                                                                                                         \
         1,                                                                                                            \
         1e6,                                                                                                          \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "positive gibbs: sweeps over the hidden units from a random start up to the first state that counts"},        \
    {                                                                                                                  \
        "clamped_samples", EBM_OPTION_INT, offsetof(ebm_phase_options, clamped_samples), "1", 1, 1e6, NULL, 0,         \
            "positive gibbs: states of each example that count, one sweep apart"                                       \
    }

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
