/* What all learners share: creation, the update counter, checkpoints. */
#include "ebm/learner.h"

#include <string.h>

ebm_status ebm_learner_create(const ebm_learner_type *type, const void *options, ebm_model *model, ebm_sampler *sampler,
                              const ebm_dataset *data, uint32_t seed, size_t batch, uint64_t total_updates,
                              ebm_learner *out, ebm_error *error) {
    char names[160];
    unsigned missing = type->needs & ~ebm_model_slots(model->type);
    *out = (ebm_learner){.type = type,
                         .options = options,
                         .model = model,
                         .sampler = sampler,
                         .data = data,
                         .seed = seed,
                         .batch = batch,
                         .total_updates = total_updates};
    if (missing)
        return ebm_fail(error, EBM_UNSUPPORTED, "learner %s needs %s, model %s has none", type->info.name,
                        ebm_slot_names(missing, names, sizeof names), model->type->info.name);
    if (type->uses_sampler && !sampler)
        return ebm_fail(error, EBM_INVALID, "learner %s needs a sampler", type->info.name);
    if (batch == 0)
        return ebm_fail(error, EBM_INVALID, "a minibatch of 0 examples cannot be");
    ebm_status status = type->create(out, error);
    if (status != EBM_OK)
        ebm_learner_free(out);
    return status;
}

void ebm_learner_free(ebm_learner *learner) {
    if (learner->type && learner->type->destroy)
        learner->type->destroy(learner);
    memset(learner, 0, sizeof *learner);
}

ebm_status ebm_learner_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work, ebm_error *error) {
    if (count == 0 || count > learner->batch)
        return ebm_fail(error, EBM_INVALID, "a minibatch of %zu examples; this learner takes 1 to %zu", count,
                        learner->batch);
    EBM_TRY(learner->type->update(learner, x, count, work, error));
    learner->update++;
    return EBM_OK;
}

bool ebm_learner_sees_all(const ebm_learner *learner, size_t count) {
    const ebm_dataset *data = learner->data;
    return data && count == data->train.count && data->binarise != EBM_BINARISE_STOCHASTIC;
}

size_t ebm_learner_regions(ebm_learner *learner, ebm_region *out) {
    ebm_model *model = learner->model;
    size_t n = 0;
    out[n++] = (ebm_region){&learner->update, sizeof learner->update};
    out[n++] = (ebm_region){model->theta, model->n_theta * sizeof(ebm_real)};
    if (model->type->extra_state) {
        ebm_real *extra;
        size_t count = model->type->extra_state(model, &extra);
        out[n++] = (ebm_region){extra, count * sizeof(ebm_real)};
    }
    if (learner->type->regions)
        n += learner->type->regions(learner, out + n);
    return n;
}

void ebm_learner_restored(ebm_learner *learner, ebm_work *work) {
    ebm_model_refresh(learner->model, work);
    if (learner->type->restored)
        learner->type->restored(learner);
}
