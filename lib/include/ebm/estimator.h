/* Estimators: from a model (and data) to named values with standard errors. */
#ifndef EBM_ESTIMATOR_H
#define EBM_ESTIMATOR_H

#include "ebm/sampler.h"

typedef struct ebm_estimate_inputs {
    const ebm_model *model;  /* may be NULL where the estimator needs none */
    const ebm_dataset *data; /* may be NULL where the estimator needs none */
    ebm_sampler *sampler;    /* the same */
    ebm_path path;           /* where the sampler is asked to be: ebm_path_end(), or an inverse temperature */
    size_t thin;             /* steps of the sampler that a draw stands for; 0 counts as 1 */
    uint32_t seed;
    uint64_t step; /* of training: stochastic estimators draw at this step */
    ebm_work *work;
} ebm_estimate_inputs;

typedef struct ebm_estimator_type {
    ebm_component info;
    unsigned needs; /* slots of the model */
    bool needs_data, needs_sampler;
    bool without_model;        /* looks at no model: a case need not have one */
    const ebm_metric *metrics; /* ends with a NULL name */
    /* Refuses, before a long run whose end it is to measure, what `estimate` would refuse then; NULL: nothing to look at. */
    ebm_status (*check)(const void *options, const ebm_estimate_inputs *inputs, ebm_error *error);
    ebm_status (*estimate)(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink, ebm_error *error);
} ebm_estimator_type;

#endif
