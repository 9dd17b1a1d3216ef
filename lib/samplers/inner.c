/* Choosing and driving an inner sampler (see inner.h). */
#include "samplers/inner.h"

#include "components.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SAMPLERS = 128 };

static bool can_be_inner(const ebm_component *outer, const ebm_sampler_type *type) {
    return &type->info != outer && !type->copies;
}

/* EBM_INVALID with the nearest name, or all of them. */
static ebm_status unknown_name(const ebm_component *outer, const char *name, ebm_error *error) {
    const char *names[MOST_SAMPLERS + 1];
    char all[400] = "";
    size_t count = 0, used = 0;
    const ebm_component *c;
    for (size_t i = 0; (c = ebm_component_at(EBM_KIND_SAMPLER, i)) != NULL && count < MOST_SAMPLERS; i++)
        if (can_be_inner(outer, (const ebm_sampler_type *)c))
            names[count++] = c->name;
    names[count] = NULL;
    const char *nearest = ebm_nearest_name(name, names);
    if (nearest)
        return ebm_fail(error, EBM_INVALID, "sampler %s: there is no inner sampler '%.80s': did you mean '%s'?",
                        outer->name, name, nearest);
    for (size_t i = 0; i < count && used < sizeof all; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    return ebm_fail(error, EBM_INVALID, "sampler %s: there is no inner sampler '%.80s': expected one of %s",
                    outer->name, name, all);
}

/* The type of that name, if `outer` can drive it. */
static ebm_status find_type(const ebm_component *outer, const char *name, const ebm_sampler_type **out,
                            ebm_error *error) {
    if (!name)
        return ebm_fail(error, EBM_INVALID, "sampler %s needs an inner sampler", outer->name);
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, name);
    if (!type)
        return unknown_name(outer, name, error);
    if (&type->info == outer)
        return ebm_fail(error, EBM_INVALID, "sampler %s cannot be its own inner sampler", outer->name);
    if (type->copies)
        return ebm_fail(error, EBM_INVALID,
                        "sampler %s cannot drive %s, which itself walks on several copies of the space", outer->name,
                        name);
    for (const ebm_option *o = type->info.options; o->name; o++)
        if (o->flags & EBM_OPTION_REQUIRED)
            return ebm_fail(error, EBM_INVALID,
                            "sampler %s cannot drive %s: an inner sampler has its default options, and '%s' has none",
                            outer->name, name, o->name);
    *out = type;
    return EBM_OK;
}

/* Sampler type and default options; no sampler yet. */
static ebm_status choose(const ebm_component *outer, const char *name, ebm_inner *out, ebm_error *error) {
    const ebm_sampler_type *type = NULL;
    memset(out, 0, sizeof *out);
    EBM_TRY(find_type(outer, name, &type, error));
    const size_t bytes = type->info.options_size ? type->info.options_size : 1;
    out->options = ebm_alloc(bytes, 1);
    if (!out->options)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the options of sampler %s", name);
    out->sampler = (ebm_sampler){.type = type, .options = out->options};
    return ebm_options_default(type->info.options, out->options, bytes, error);
}

static void forget(ebm_inner *inner) {
    if (inner->options)
        ebm_options_clear(inner->sampler.type->info.options, inner->options);
    free(inner->options);
    memset(inner, 0, sizeof *inner);
}

ebm_status ebm_inner_check(const ebm_component *outer, const char *name, const ebm_model_type *model,
                           ebm_error *error) {
    ebm_inner inner;
    ebm_status status = choose(outer, name, &inner, error);
    if (status == EBM_OK)
        status = ebm_sampler_check(inner.sampler.type, inner.options, model, error);
    forget(&inner);
    return status;
}

ebm_status ebm_inner_create(const ebm_component *outer, const char *name, const ebm_model *model, ebm_inner *out,
                            ebm_error *error) {
    EBM_TRY(choose(outer, name, out, error));
    return ebm_sampler_create(out->sampler.type, out->options, model, &out->sampler, error);
}

void ebm_inner_free(ebm_inner *inner) {
    const ebm_sampler_type *type = inner->sampler.type;
    ebm_sampler_free(&inner->sampler);
    inner->sampler.type = type;
    forget(inner);
}

size_t ebm_inner_bytes(const ebm_inner *inner, const ebm_model *model, size_t chains) {
    const ebm_sampler_type *type = inner->sampler.type;
    size_t bytes = type->auxiliary_bytes ? type->auxiliary_bytes(&inner->sampler, model, chains) : 0;
    const size_t unit = EBM_INNER_ALIGNMENT;
    return bytes > SIZE_MAX - unit ? SIZE_MAX : (bytes + unit - 1) / unit * unit;
}

ebm_chains ebm_inner_chains(const ebm_chains *outer, ebm_batch batch, void *auxiliary, size_t bytes) {
    return (ebm_chains){
        .batch = batch,
        .stream = outer->stream,
        .first_chain = outer->first_chain,
        .step = outer->step,
        .adapting = outer->adapting,
        .warmup_left = outer->warmup_left,
        .auxiliary = bytes ? auxiliary : NULL,
        .auxiliary_bytes = bytes,
    };
}

void ebm_inner_add_costs(ebm_chains *outer, const ebm_chains *inner) {
    outer->energy_evaluations += inner->energy_evaluations;
    outer->gradient_evaluations += inner->gradient_evaluations;
    outer->site_updates += inner->site_updates;
}
