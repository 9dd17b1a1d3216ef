/* Components by kind and name (the list itself: components.h), and which of them go together. */
#include "components.h"

#include <string.h>

#define INFO(name) &name.info,
static const ebm_component *const datasets[] = {EBM_DATASETS(INFO) NULL};
static const ebm_component *const models[] = {EBM_MODELS(INFO) NULL};
static const ebm_component *const samplers[] = {EBM_SAMPLERS(INFO) NULL};
static const ebm_component *const learners[] = {EBM_LEARNERS(INFO) NULL};
static const ebm_component *const estimators[] = {EBM_ESTIMATORS(INFO) NULL};

static const struct {
    const char *name;
    const ebm_component *const *list;
} kinds[EBM_KINDS] = {
    [EBM_KIND_DATASET] = {"dataset", datasets},       [EBM_KIND_MODEL] = {"model", models},
    [EBM_KIND_SAMPLER] = {"sampler", samplers},       [EBM_KIND_LEARNER] = {"learner", learners},
    [EBM_KIND_ESTIMATOR] = {"estimator", estimators},
};

const char *ebm_kind_name(ebm_kind kind) {
    return kinds[kind].name;
}

const ebm_component *ebm_component_at(ebm_kind kind, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (!kinds[kind].list[k])
            return NULL;
    return kinds[kind].list[i];
}

const ebm_component *ebm_component_find(ebm_kind kind, const char *name) {
    for (const ebm_component *const *c = kinds[kind].list; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

ebm_status ebm_pairing_check(const ebm_model_type *model, const ebm_sampler_type *sampler,
                             const ebm_learner_type *learner, const ebm_estimator_type *const *estimators_used,
                             size_t n_estimators, bool have_data, ebm_error *error) {
    char names[160];
    unsigned slots = model ? ebm_model_slots(model) : 0, missing;
    if (!model && (sampler || learner))
        return ebm_fail(error, EBM_UNSUPPORTED, "%s %s needs a model", sampler ? "sampler" : "learner",
                        sampler ? sampler->info.name : learner->info.name);
    if (model && sampler)
        EBM_TRY(ebm_sampler_check(sampler, NULL, model, error));
    if (model && learner && (missing = learner->needs & ~slots))
        return ebm_fail(error, EBM_UNSUPPORTED, "learner %s needs %s, model %s has none", learner->info.name,
                        ebm_slot_names(missing, names, sizeof names), model->info.name);
    if (model && learner && learner->domains && !(learner->domains & model->domains))
        return ebm_fail(error, EBM_UNSUPPORTED, "learner %s is not for the units of model %s", learner->info.name,
                        model->info.name);
    if (learner && learner->uses_sampler && !sampler)
        return ebm_fail(error, EBM_UNSUPPORTED, "learner %s needs a sampler", learner->info.name);
    if (learner && !have_data)
        return ebm_fail(error, EBM_UNSUPPORTED, "learner %s needs a dataset", learner->info.name);
    for (size_t i = 0; i < n_estimators; i++) {
        const ebm_estimator_type *e = estimators_used[i];
        if (!model && !e->without_model)
            return ebm_fail(error, EBM_UNSUPPORTED, "estimator %s needs a model", e->info.name);
        if (model && (missing = e->needs & ~slots))
            return ebm_fail(error, EBM_UNSUPPORTED, "estimator %s needs %s, model %s has none", e->info.name,
                            ebm_slot_names(missing, names, sizeof names), model->info.name);
        if (e->needs_data && !have_data)
            return ebm_fail(error, EBM_UNSUPPORTED, "estimator %s needs a dataset", e->info.name);
        if (e->needs_sampler && !sampler)
            return ebm_fail(error, EBM_UNSUPPORTED, "estimator %s needs a sampler", e->info.name);
    }
    return EBM_OK;
}
