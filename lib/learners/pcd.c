/* Persistent contrastive divergence, or stochastic maximum likelihood: the chains go on from one update to the next
 * (Younes 1999; Tieleman 2008). A chain is the pair (v, h): each update draws v | h first. */
#include "components.h"
#include "learners/phases.h"

#include <math.h>

#define AT(member) offsetof(ebm_phase_options, member)
static const ebm_option pcd_table[] = {
    {"steps", EBM_OPTION_INT, AT(steps), "1", 1, 1e6, NULL, 0, "k: sampler sweeps of each negative phase"},
    {"chains", EBM_OPTION_INT, AT(chains), "0", 0, 1e6, NULL, 0,
     "persistent chains; 0 = as many as the minibatch has examples"},
    EBM_COLLECT_TABLE,
    EBM_POSITIVE_TABLE,
    EBM_OPTIMISER_TABLE(ebm_phase_options, ebm_optimiser_names),
    EBM_OPTIONS_END,
};

static ebm_status pcd_create(ebm_learner *learner, ebm_error *error) {
    return ebm_phases_create(learner, EBM_START_PERSISTENT, error);
}

const ebm_learner_type ebm_pcd = {
    .info = {"pcd", "persistent contrastive divergence: chains that go on from update to update",
             "Younes 1999; Tieleman 2008", pcd_table, sizeof(ebm_phase_options)},
    .uses_sampler = true,
    .create = pcd_create,
    .destroy = ebm_phases_destroy,
    .update = ebm_phases_update,
    .regions = ebm_phases_regions,
    .restored = ebm_phases_restored,
};
