/* Samplers: leave a model's p (at beta, along any path) invariant, advancing B chains at once, each with its own random
 * numbers. Calls are batched: one indirect call per sweep over all chains. */
#ifndef EBM_SAMPLER_H
#define EBM_SAMPLER_H

#include "ebm/model.h"

/* B chains: a batch, where its random numbers come from, and what the walk has cost. Row b draws from chain
 * first_chain + b at increasing steps; `step` counts the steps already used. */
typedef struct ebm_chains {
    ebm_batch batch;
    ebm_stream stream;
    uint32_t first_chain;
    uint64_t step;
    bool keep_hidden; /* end each call with hidden units drawn, so that the next may start from them */
    double accepted, proposed; /* Metropolis-Hastings proposals over all chains; Gibbs updates are not proposals */
    uint64_t energy_evaluations, gradient_evaluations, site_updates; /* over all chains */
} ebm_chains;

typedef struct ebm_sampler ebm_sampler;

typedef struct ebm_sampler_type {
    ebm_component info;
    unsigned needs;   /* mask of EBM_SLOT_* */
    unsigned domains; /* mask of 1u << ebm_domain */
    bool exact;       /* leaves p invariant; false for unadjusted Langevin and the like */
    bool reversible;  /* its kernel claims detailed balance */

    /* Sets sampler->state. `options` stay valid for the sampler's life. */
    ebm_status (*create)(ebm_sampler *sampler, const ebm_model *model, ebm_error *error);
    void (*destroy)(ebm_sampler *sampler); /* may be NULL */
    /* `sweeps` steps at the path. On return batch.x is the new state; field_ok and hidden_ok tell what
     * of the batch still belongs to it. */
    ebm_status (*step)(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains, size_t sweeps,
                       ebm_work *work, ebm_error *error);
    /* T (S, S), T[i][j] = P(i -> j) of one sweep on an enumerable space of S states (state codes: unit 0 is the least
     * significant digit). NULL on continuous spaces. Written from the definition, in double, not from `step`. */
    ebm_status (*kernel)(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                         ebm_work *work, ebm_error *error);
} ebm_sampler_type;

struct ebm_sampler {
    const ebm_sampler_type *type;
    const void *options; /* borrowed */
    void *state;
};

EBM_NODISCARD ebm_status ebm_sampler_create(const ebm_sampler_type *type, const void *options, const ebm_model *model,
                                            ebm_sampler *out, ebm_error *error);
void ebm_sampler_free(ebm_sampler *sampler);

EBM_NODISCARD ebm_status ebm_chains_create(const ebm_model *model, size_t count, ebm_stream stream, ebm_chains *out,
                                           ebm_error *error);
void ebm_chains_free(ebm_chains *chains);

#endif
