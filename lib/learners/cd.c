/* Contrastive divergence: the negative phase is k sampler steps from the data (Hinton 2002), or from noise. */
#include "components.h"
#include "learners/phases.h"

#include <math.h>

static const char *const start_names[] = {"data", "noise", NULL};

#define AT(member) offsetof(ebm_phase_options, member)
static const ebm_option cd_table[] = {
    {"steps", EBM_OPTION_INT, AT(steps), "1", 1, 1e6, NULL, 0, "k: sampler sweeps of each negative phase"},
    {"start", EBM_OPTION_CHOICE, AT(start), "data", 0, 0, start_names, 0,
     "where each negative phase starts: at the minibatch, or at uniform noise"},
    {"chains", EBM_OPTION_INT, AT(chains), "0", 0, 1e6, NULL, 0,
     "chains of a start from noise; 0 = as many as the minibatch has examples"},
    EBM_COLLECT_TABLE,
    EBM_POSITIVE_TABLE,
    EBM_OPTIMISER_TABLE(ebm_phase_options, ebm_optimiser_names),
    EBM_OPTIONS_END,
};

static ebm_status cd_create(ebm_learner *learner, ebm_error *error) {
    const ebm_phase_options *options = learner->options;
    return ebm_phases_create(learner, options->start == 1 ? EBM_START_NOISE : EBM_START_DATA, error);
}

const ebm_learner_type ebm_cd = {
    .info = {"cd", "contrastive divergence: k sampler steps from the data (or from noise)", "Hinton 2002, equation 5",
             cd_table, sizeof(ebm_phase_options)},
    .uses_sampler = true,
    .create = cd_create,
    .destroy = ebm_phases_destroy,
    .update = ebm_phases_update,
    .regions = ebm_phases_regions,
    .restored = ebm_phases_restored,
};
