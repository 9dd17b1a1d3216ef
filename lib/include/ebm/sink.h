/* Where named values go: from estimators, samplers and runners into rows. */
#ifndef EBM_SINK_H
#define EBM_SINK_H

#include "ebm/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Receives each value. `se` is NAN where the value is not an estimate. */
typedef struct ebm_sink ebm_sink;
struct ebm_sink {
    ebm_status (*emit)(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error);
    /* The rows from here on stand at this step, for what is a curve in itself (total variation against sweeps); the
     * caller of an estimator sets the step back afterwards. */
    void (*at)(ebm_sink *sink, uint64_t step);
};

typedef struct ebm_metric {
    const char *name; /* "log_z_ais" */
    const char *unit; /* "nats" */
    bool stochastic;  /* compared by z-score, not by relative tolerance */
    const char *about;
} ebm_metric;

#define EBM_METRICS_END                                                                                                \
    { NULL, NULL, false, NULL }

#endif
