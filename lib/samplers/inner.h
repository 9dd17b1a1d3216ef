/* A sampler that another one drives, chosen by name with its default options. Internal to the samplers. */
#ifndef EBM_INNER_H
#define EBM_INNER_H

#include "ebm/sampler.h"

typedef struct ebm_inner {
    ebm_sampler sampler;
    void *options;
} ebm_inner;

/* Whether sampler `outer` can drive `name` on models of this type: what ebm_sampler_type.check asks. EBM_INVALID for a
 * name that is none (with the nearest), for `outer` itself and for samplers that walk on several copies or have to be
 * told something; EBM_UNSUPPORTED, in the words of every pairing, where the model cannot. */
EBM_NODISCARD ebm_status ebm_inner_check(const ebm_component *outer, const char *name, const ebm_model_type *model,
                                         ebm_error *error);
/* The same check, then the sampler. After a failure ebm_inner_free is still safe. */
EBM_NODISCARD ebm_status ebm_inner_create(const ebm_component *outer, const char *name, const ebm_model *model,
                                          ebm_inner *out, ebm_error *error);
void ebm_inner_free(ebm_inner *inner);

/* Bytes of what the inner sampler keeps of so many chains, rounded up to EBM_INNER_ALIGNMENT; 0 where it keeps nothing.
 */
enum { EBM_INNER_ALIGNMENT = 64 };
size_t ebm_inner_bytes(const ebm_inner *inner, const ebm_model *model, size_t chains);
/* Chains as the inner sampler sees them: `outer` with another batch and what is kept of it at `auxiliary`
 * (ebm_inner_bytes), its counters at zero and no hidden units asked for. */
ebm_chains ebm_inner_chains(const ebm_chains *outer, ebm_batch batch, void *auxiliary, size_t bytes);
/* Put what the inner sampler's steps have cost on the bill of the outer chains. */
void ebm_inner_add_costs(ebm_chains *outer, const ebm_chains *inner);

#endif
