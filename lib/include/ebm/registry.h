/* Every component by kind and name. lib/registry.c is the only file that lists them. */
#ifndef EBM_REGISTRY_H
#define EBM_REGISTRY_H

#include "ebm/dataset.h"
#include "ebm/estimator.h"
#include "ebm/learner.h"
#include "ebm/model.h"
#include "ebm/sampler.h"

/* NULL-terminated tables, in the order in which they are shown. */
extern const ebm_dataset_type *const ebm_dataset_types[];
extern const ebm_model_type *const ebm_model_types[];
extern const ebm_sampler_type *const ebm_sampler_types[];
extern const ebm_learner_type *const ebm_learner_types[];
extern const ebm_estimator_type *const ebm_estimator_types[];

#endif
