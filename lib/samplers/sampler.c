/* What all samplers share: creation, and chains. */
#include "ebm/sampler.h"

#include <stdlib.h>
#include <string.h>

ebm_status ebm_sampler_check(const ebm_sampler_type *type, const void *options, const ebm_model_type *model,
                             ebm_error *error) {
    char names[160];
    const unsigned slots = ebm_model_slots(model), missing = type->needs & ~slots;
    if (missing)
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s needs %s, model %s has none", type->info.name,
                        ebm_slot_names(missing, names, sizeof names), model->info.name);
    if (type->needs_any && !(type->needs_any & slots))
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s needs one of %s, model %s has none of them",
                        type->info.name, ebm_slot_names(type->needs_any, names, sizeof names), model->info.name);
    if (!(model->domains & type->domains))
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s does not run on the states of model %s", type->info.name,
                        model->info.name);
    if (model->mixed_units && type->domains == 1u << EBM_REAL_LINE && !(type->needs & EBM_SLOT_BLOCK))
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "sampler %s proposes real numbers, of which not every one is a state of model %s",
                        type->info.name, model->info.name);
    return type->check && options ? type->check(options, model, error) : EBM_OK;
}

ebm_status ebm_sampler_create(const ebm_sampler_type *type, const void *options, const ebm_model *model,
                              ebm_sampler *out, ebm_error *error) {
    *out = (ebm_sampler){.type = type, .options = options, .exact = type->exact, .reversible = type->reversible};
    EBM_TRY(ebm_sampler_check(type, options, model->type, error));
    if (!(type->domains >> model->space.domain & 1u))
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s does not run on %s states", type->info.name,
                        ebm_domain_name(model->space.domain));
    return type->create ? type->create(out, model, error) : EBM_OK;
}

void ebm_sampler_free(ebm_sampler *sampler) {
    if (sampler->type && sampler->type->destroy)
        sampler->type->destroy(sampler);
    memset(sampler, 0, sizeof *sampler);
}

ebm_status ebm_chains_create(const ebm_model *model, size_t count, ebm_stream stream, ebm_chains *out,
                             ebm_error *error) {
    *out = (ebm_chains){.stream = stream};
    return ebm_batch_create(model, count, &out->batch, error);
}

void ebm_chains_free(ebm_chains *chains) {
    ebm_batch_free(&chains->batch);
    free(chains->auxiliary);
    memset(chains, 0, sizeof *chains);
}

ebm_status ebm_sampler_attach(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains,
                              ebm_error *error) {
    free(chains->auxiliary);
    chains->auxiliary = NULL;
    chains->auxiliary_bytes = 0;
    if (!sampler->type->auxiliary_bytes)
        return EBM_OK;
    size_t bytes = sampler->type->auxiliary_bytes(sampler, model, chains->batch.count);
    chains->auxiliary = ebm_alloc(bytes, 1);
    if (!chains->auxiliary)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for what sampler %s keeps of %zu chains",
                        sampler->type->info.name, chains->batch.count);
    chains->auxiliary_bytes = bytes;
    sampler->type->auxiliary_start(sampler, model, chains);
    return EBM_OK;
}

void ebm_chains_reset_counters(const ebm_sampler *sampler, ebm_chains *chains) {
    chains->accepted = chains->proposed = 0;
    chains->energy_evaluations = chains->gradient_evaluations = chains->site_updates = 0;
    if (sampler->type->reset_counters)
        sampler->type->reset_counters(sampler, chains);
}
