/* Estimators: from a model (and data) to named values with standard errors. */
#ifndef EBM_ESTIMATOR_H
#define EBM_ESTIMATOR_H

#include "ebm/model.h"

/* Receives each value. `se` is NAN where the value is not an estimate. */
typedef struct ebm_sink ebm_sink;
struct ebm_sink {
    ebm_status (*emit)(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error);
};

typedef struct ebm_metric {
    const char *name; /* "log_z_ais" */
    const char *unit; /* "nats" */
    bool stochastic;  /* compared by z-score, not by relative tolerance */
    const char *about;
} ebm_metric;

typedef struct ebm_estimate_inputs {
    const ebm_model *model;
    const ebm_dataset *data; /* may be NULL where the estimator needs none */
    uint32_t seed;
    uint64_t step; /* of training: stochastic estimators draw at this step */
    ebm_work *work;
} ebm_estimate_inputs;

typedef struct ebm_estimator_type {
    ebm_component info;
    unsigned needs; /* slots of the model */
    bool needs_data;
    const ebm_metric *metrics; /* ends with a NULL name */
    ebm_status (*estimate)(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink, ebm_error *error);
} ebm_estimator_type;

#endif
