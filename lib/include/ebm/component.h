/* What every component (data set, model, sampler, learner, estimator, runner) says of itself. Each type struct begins
 * with one, so that the registry and the manual treat all kinds alike. */
#ifndef EBM_COMPONENT_H
#define EBM_COMPONENT_H

#include "ebm/options.h"

typedef struct ebm_component {
    const char *name;          /* as written in a suite: "block-gibbs" */
    const char *about;         /* one line */
    const char *citation;      /* paper and equation, or "" */
    const ebm_option *options; /* ends with a NULL name; never NULL */
    size_t options_size;
} ebm_component;

#endif
