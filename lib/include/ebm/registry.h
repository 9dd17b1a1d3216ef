/* Every component by kind and name. lib/components.h is the only file that lists them. */
#ifndef EBM_REGISTRY_H
#define EBM_REGISTRY_H

#include "ebm/dataset.h"
#include "ebm/estimator.h"
#include "ebm/learner.h"
#include "ebm/model.h"
#include "ebm/sampler.h"

typedef enum ebm_kind {
    EBM_KIND_DATASET,
    EBM_KIND_MODEL,
    EBM_KIND_SAMPLER,
    EBM_KIND_LEARNER,
    EBM_KIND_ESTIMATOR,
    EBM_KINDS
} ebm_kind;

/* "dataset", "model", "sampler", "learner", "estimator" */
const char *ebm_kind_name(ebm_kind kind);
/* The i-th component of a kind in the order in which they are shown; NULL past the end. The pointer is to the type's
 * first member: cast it to the kind's type struct. */
const ebm_component *ebm_component_at(ebm_kind kind, size_t i);
const ebm_component *ebm_component_find(ebm_kind kind, const char *name);
/* Whether a pairing can be; each argument may be NULL (absent). EBM_UNSUPPORTED with one line that says why, for
 * example "sampler hmc needs grad_x, model rbm has none". */
EBM_NODISCARD ebm_status ebm_pairing_check(const ebm_model_type *model, const ebm_sampler_type *sampler,
                                           const ebm_learner_type *learner, const ebm_estimator_type *const *estimators,
                                           size_t n_estimators, bool have_data, ebm_error *error);

#endif
