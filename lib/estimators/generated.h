/* Chains that generate: many at once, in blocks that walk together, and their E[v | h]. Internal to the estimators. */
#ifndef EBM_GENERATED_H
#define EBM_GENERATED_H

#include "ebm/estimator.h"

typedef struct ebm_generated {
    const ebm_estimate_inputs *in;
    size_t samples, block, blocks;
    ebm_chains *chains; /* (blocks) */
    ebm_real *v, *mean; /* (samples, V): states after the last walk, and E[v | h] or NULL; memory of in->work */
} ebm_generated;

/* `samples` chains at the starts (count, V), over and over, or at noise where they are NULL, attached to the sampler. Sample
 * s draws at chain s of EBM_PURPOSE_GENERATION, whatever `block` is. E[v | h] is kept where `means` asks for it and the
 * model has it. Freed with ebm_generated_free, after failures too. */
EBM_NODISCARD ebm_status ebm_generated_start(const ebm_estimate_inputs *in, size_t samples, size_t block, bool means,
                                             const ebm_real *starts, size_t count, ebm_generated *out,
                                             ebm_error *error);
EBM_NODISCARD ebm_status ebm_generated_walk(ebm_generated *g, size_t steps, ebm_error *error);
void ebm_generated_free(ebm_generated *g);

#endif
