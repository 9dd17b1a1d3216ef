/* What the single-site samplers (gibbs, metropolis, descent) share: sweeps in some order, each of V updates of one unit given all
 * others. Internal to the samplers. */
#ifndef EBM_SINGLE_SITE_H
#define EBM_SINGLE_SITE_H

#include "ebm/sampler.h"

typedef struct ebm_single_site_options {
    int scan; /* ebm_scan */
    int64_t sweeps;
} ebm_single_site_options;

extern const ebm_option ebm_single_site_table[];

ebm_status ebm_single_site_check(const void *options, const ebm_model_type *model, ebm_error *error);
/* Sets sampler->reversible: in one order a sweep is not, at random it is. */
ebm_status ebm_single_site_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error);
/* A step is `sweeps` of the options. Discrete spaces: sweep s uses (stream, chain, step + s); real ones, by sample_site:
 * V + 1 steps each. One more step where hidden units are kept. */
ebm_status ebm_single_site_step(ebm_site_rule rule, const ebm_sampler *sampler, const ebm_model *model, ebm_path path,
                                ebm_chains *chains, size_t steps, ebm_work *work, ebm_error *error);
/* `count` sweeps of any rule and scan; left (rows) as in ebm_sweeps. */
ebm_status ebm_single_site_sweeps(ebm_site_rule rule, ebm_scan scan, size_t count, uint32_t *left,
                                  const ebm_model *model, ebm_path path, ebm_chains *chains, ebm_work *work,
                                  ebm_error *error);
/* What a step ends with: hidden units drawn where they are kept. */
ebm_status ebm_single_site_end(const ebm_model *model, ebm_path path, ebm_chains *chains, ebm_work *work);
ebm_status ebm_single_site_kernel(ebm_site_rule rule, const ebm_sampler *sampler, const ebm_model *model, ebm_path path,
                                  size_t S, double *T, ebm_work *work, ebm_error *error);

/* Numbers that the model's `site` gives for one unit. */
static inline size_t ebm_site_logits(const ebm_space *space) {
    return space->domain == EBM_CATEGORICAL ? space->categories : 1;
}

/* The value to which these logits give the most probability; `value` where no other has more. */
static inline ebm_real ebm_most_probable(const ebm_space *space, const ebm_real *logit, ebm_real value) {
    if (space->domain != EBM_CATEGORICAL)
        return *logit > 0 ? 1 : *logit < 0 ? (space->domain == EBM_SPIN ? -1 : 0) : value;
    size_t best = (size_t)value;
    for (size_t c = 0; c < space->categories; c++)
        best = logit[c] > logit[best] ? c : best;
    return (ebm_real)best;
}

#endif
