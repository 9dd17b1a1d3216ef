/* Exact maximum likelihood: the negative phase by enumeration, for machines whose log Z can be enumerated. */
#include "components.h"
#include "learners/phases.h"

#include <math.h>

#define AT(member) offsetof(ebm_phase_options, member)
static const ebm_option exact_table[] = {
    EBM_OPTIMISER_TABLE(ebm_phase_options, ebm_optimiser_names_exact),
    {"iterations", EBM_OPTION_INT, offsetof(ebm_phase_options, optimiser.iterations), "20", 1, 1e6, NULL, 0,
     "L-BFGS iterations that make one update"},
    EBM_OPTIONS_END,
};

static ebm_status exact_create(ebm_learner *learner, ebm_error *error) {
    return ebm_phases_create(learner, EBM_START_EXACT, error);
}

const ebm_learner_type ebm_exact = {
    .info = {"exact", "maximum likelihood with the exact gradient, by enumeration (with L-BFGS if asked)",
             "Ackley, Hinton & Sejnowski 1985; L-BFGS: Liu & Nocedal 1989", exact_table, sizeof(ebm_phase_options)},
    .needs = EBM_SLOT_LOG_NORMALISER,
    .create = exact_create,
    .destroy = ebm_phases_destroy,
    .update = ebm_phases_update,
    .regions = ebm_phases_regions,
    .restored = ebm_phases_restored,
};
