/* Samplers: leave a model's p (at beta, along any path) invariant, advancing B chains at once, each with its own random
 * numbers. Calls are batched: one indirect call per sweep over all chains. */
#ifndef EBM_SAMPLER_H
#define EBM_SAMPLER_H

#include "ebm/model.h"
#include "ebm/sink.h"

/* B chains: a batch, where its random numbers come from, and what the walk has cost. Row b draws from chain
 * first_chain + b at increasing steps; `step` counts the steps already used. */
typedef struct ebm_chains {
    ebm_batch batch;
    ebm_stream stream;
    uint32_t first_chain;
    uint64_t step;
    bool keep_hidden;          /* samplers that can end each call with hidden units drawn, for the next to start from */
    bool adapting;             /* warm-up: a sampler may tune itself; what it has learnt is frozen afterwards */
    uint64_t warmup_left;      /* while adapting: steps of warm-up to come, the next one included; 0: not known. Set by
                                  the caller before each call */
    double accepted, proposed; /* Metropolis-Hastings proposals over all chains; Gibbs updates are not proposals */
    /* Over all chains. A site update is one unit given the rest; a cluster move counts the units of its clusters. A
     * change of energy by `site` is a site update; energies of whole states are energy evaluations. */
    uint64_t energy_evaluations, gradient_evaluations, site_updates;
    /* What a sampler keeps of the chains beside x (replicas, adapted settings): plain memory without addresses in it, so
     * that it can be saved and restored. From ebm_sampler_attach; NULL, 0 where it keeps nothing. */
    void *auxiliary;
    size_t auxiliary_bytes;
} ebm_chains;

typedef struct ebm_sampler ebm_sampler;

typedef struct ebm_sampler_type {
    ebm_component info;
    unsigned needs;     /* mask of EBM_SLOT_* */
    unsigned needs_any; /* at least one of these; 0 asks for none */
    unsigned domains;   /* mask of 1u << ebm_domain */
    bool exact;         /* leaves p invariant; false for unadjusted Langevin and the like */
    bool reversible;    /* its kernel claims detailed balance */

    const ebm_metric *metrics; /* what `report` emits; NULL or ends with a NULL name */

    /* Whether a sampler with these options can be had on models of this type, as far as `needs` and `domains` leave it
     * open; asked when a suite is read and before create. EBM_UNSUPPORTED where the model cannot, EBM_INVALID where
     * the options contradict themselves. May be NULL. */
    ebm_status (*check)(const void *options, const ebm_model_type *model, ebm_error *error);
    /* Sets sampler->state, and exact and reversible where the options decide them. `options` stay valid for the
     * sampler's life. May be NULL. */
    ebm_status (*create)(ebm_sampler *sampler, const ebm_model *model, ebm_error *error);
    void (*destroy)(ebm_sampler *sampler); /* may be NULL */
    /* Bytes of chains->auxiliary, and its first contents, from chains->batch.x as it stands. Both NULL or neither. */
    size_t (*auxiliary_bytes)(const ebm_sampler *sampler, const ebm_model *model, size_t chains);
    void (*auxiliary_start)(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains);
    /* `steps` steps at the path. On return batch.x is the new state; field_ok and hidden_ok tell what
     * of the batch still belongs to it. */
    ebm_status (*step)(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains, size_t steps,
                       ebm_work *work, ebm_error *error);
    /* T (S, S), T[i][j] = P(i -> j) of one step on an enumerable space of S states (enumerate.h says what a state's
     * code is). NULL on continuous spaces, and where no law is claimed. Written from the definition, in double, not from `step`, on the energies of
     * ebm_model_log_probabilities. */
    ebm_status (*kernel)(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                         ebm_work *work, ebm_error *error);
    /* Samplers that walk on several copies of the space at once (tempering). NULL: one copy, chains->batch, at the path.
     * Else `kernel` is over tuples of states, copy 0 the least significant digit in base ebm_states_count; copy r
     * leaves p of copy_path(path, r) invariant, independently of the others; copy 0 is chains->batch. */
    size_t (*copies)(const ebm_sampler *sampler);
    ebm_path (*copy_path)(const ebm_sampler *sampler, const ebm_chains *chains, ebm_path path, size_t r);
    ebm_real *(*copy_states)(const ebm_sampler *sampler, ebm_chains *chains, size_t r); /* (B, V), may be written */
    /* Own measurements since ebm_chains_reset_counters. May be NULL. */
    ebm_status (*report)(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink, ebm_error *error);
    void (*reset_counters)(const ebm_sampler *sampler, ebm_chains *chains); /* of auxiliary; may be NULL */
} ebm_sampler_type;

struct ebm_sampler {
    const ebm_sampler_type *type;
    const void *options;    /* borrowed */
    bool exact, reversible; /* with these options: as the type says, unless create says otherwise */
    void *state;
};

/* Whether the two go together: "sampler hmc needs grad_x, model rbm has none". `options` NULL: with any options. */
EBM_NODISCARD ebm_status ebm_sampler_check(const ebm_sampler_type *type, const void *options,
                                           const ebm_model_type *model, ebm_error *error);
EBM_NODISCARD ebm_status ebm_sampler_create(const ebm_sampler_type *type, const void *options, const ebm_model *model,
                                            ebm_sampler *out, ebm_error *error);
void ebm_sampler_free(ebm_sampler *sampler);

EBM_NODISCARD ebm_status ebm_chains_create(const ebm_model *model, size_t count, ebm_stream stream, ebm_chains *out,
                                           ebm_error *error);
void ebm_chains_free(ebm_chains *chains);
/* Give chains whose x is set what this sampler keeps of them. Must precede the first step; what was attached before is
 * released. */
EBM_NODISCARD ebm_status ebm_sampler_attach(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains,
                                            ebm_error *error);
/* Start counting anew: after warm-up. */
void ebm_chains_reset_counters(const ebm_sampler *sampler, ebm_chains *chains);

#endif
