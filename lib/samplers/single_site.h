/* What the single-site samplers (gibbs, metropolis) share: sweeps in some order, each of V updates of one unit given all
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
ebm_status ebm_single_site_kernel(ebm_site_rule rule, const ebm_sampler *sampler, const ebm_model *model, ebm_path path,
                                  size_t S, double *T, ebm_work *work, ebm_error *error);

#endif
