/* The samplers of this folder, for lib/registry.c. */
#ifndef EBM_SAMPLERS_H
#define EBM_SAMPLERS_H

#include "ebm/sampler.h"

extern const ebm_sampler_type ebm_block_gibbs;

#endif
