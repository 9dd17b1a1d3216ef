/* Learners: turn a minibatch into a step on theta.
 *
 * The gradient of the log-likelihood is E_model[dE/dtheta] - E_data[dE/dtheta]. The second term is the positive phase;
 * the first is the negative phase: k sampler steps from a start (data: CD-k; persistent: PCD-k; noise), or enumeration
 * (exact). The step goes through an optimiser (SGD, momentum, Adam, L-BFGS where the objective is exact). */
#ifndef EBM_LEARNER_H
#define EBM_LEARNER_H

#include "ebm/sampler.h"

typedef struct ebm_learner ebm_learner;

/* Memory to be kept for a checkpoint, in order. */
typedef struct ebm_region {
    void *data;
    size_t bytes;
} ebm_region;
enum { EBM_MAX_REGIONS = 16 };

typedef struct ebm_learner_type {
    ebm_component info;
    unsigned needs;    /* slots of the model */
    unsigned domains;  /* of the model: mask of 1u << ebm_domain; 0: any */
    bool uses_sampler; /* needs a sampler in the case */
    ebm_status (*create)(ebm_learner *learner, ebm_error *error);
    void (*destroy)(ebm_learner *learner);
    /* One update from the states x (count, V); learner->update counts from 0 and is advanced by the caller
     * (ebm_learner_update). Ends with the model refreshed. EBM_DIVERGED when a parameter stops being finite or its norm
     * passes the learner's limit. */
    ebm_status (*update)(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work, ebm_error *error);
    size_t (*regions)(ebm_learner *learner, ebm_region *out);
    void (*restored)(ebm_learner *learner); /* the regions have been filled from a checkpoint; may be NULL */
} ebm_learner_type;

struct ebm_learner {
    const ebm_learner_type *type;
    const void *options;     /* borrowed */
    ebm_model *model;        /* borrowed */
    ebm_sampler *sampler;    /* borrowed; NULL where the learner uses none */
    const ebm_dataset *data; /* borrowed */
    uint32_t seed;
    size_t batch;           /* largest minibatch */
    uint64_t update;        /* updates done */
    uint64_t total_updates; /* for schedules */
    bool finished;          /* set by an update on all training examples after which more of the same change nothing */
    void *state;
};

EBM_NODISCARD ebm_status ebm_learner_create(const ebm_learner_type *type, const void *options, ebm_model *model,
                                            ebm_sampler *sampler, const ebm_dataset *data, uint32_t seed, size_t batch,
                                            uint64_t total_updates, ebm_learner *out, ebm_error *error);
void ebm_learner_free(ebm_learner *learner);
EBM_NODISCARD ebm_status ebm_learner_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                            ebm_error *error);
/* Whether a minibatch of `count` is all of the training half, the same in every update. */
bool ebm_learner_sees_all(const ebm_learner *learner, size_t count);
/* All that must survive: theta, the model's extra state, the optimiser, the chains, the counters. */
size_t ebm_learner_regions(ebm_learner *learner, ebm_region *out);
/* After regions were filled from a checkpoint: renew what is derived from them. */
void ebm_learner_restored(ebm_learner *learner, ebm_work *work);

#endif
