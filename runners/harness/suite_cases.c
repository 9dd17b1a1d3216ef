/* Cases: one for each combination of a plan's variants and seeds. Their texts are in suite_texts.c. */
#include "harness/suite_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A copy of an options struct with strings and lists of its own. */
static void *copy_options(const ebm_component *component, const void *options) {
    size_t size = component->options_size;
    char *copy = malloc(size ? size : 1);
    if (!copy)
        return NULL;
    memcpy(copy, options, size);
    bool ok = true;
    for (const ebm_option *option = component->options; option->name; option++) {
        if (option->type == EBM_OPTION_STRING) {
            char **text = (char **)(void *)(copy + option->offset);
            if (*text)
                ok = (*text = strdup(*text)) && ok;
        } else if (option->type == EBM_OPTION_REALS) {
            ebm_reals *list = (ebm_reals *)(void *)(copy + option->offset);
            double *values = list->count ? malloc(list->count * sizeof *values) : NULL;
            ok = (values || !list->count) && ok;
            if (values)
                memcpy(values, list->values, list->count * sizeof *values);
            *list = (ebm_reals){values ? list->count : 0, values};
        }
    }
    if (!ok) {
        ebm_options_clear(component->options, copy);
        free(copy);
        return NULL;
    }
    return copy;
}

static bool set_setting(ebm_setting *setting, const ebm_variant *variant) {
    if (!variant)
        return true;
    setting->component = variant->entry->component;
    setting->options = copy_options(setting->component, variant->options);
    return setting->options != NULL;
}

static void free_setting(ebm_setting *setting) {
    if (setting->options)
        ebm_options_clear(setting->component->options, setting->options);
    free(setting->options);
}

static void free_case(const ebm_suite *suite, ebm_case *c) {
    free_setting(&c->dataset);
    free_setting(&c->model);
    free_setting(&c->sampler);
    free_setting(&c->learner);
    for (size_t i = 0; i < c->n_measures; i++)
        free_setting(&c->measures[i]);
    ebm_setting run = {&suite->runner->info, c->run};
    free_setting(&run);
    for (size_t i = 0; i < sizeof c->parts / sizeof c->parts[0]; i++)
        free(c->parts[i]);
    free(c->name);
    free(c->axis_values);
    free(c->not_applicable);
}

void ebm_cases_free(ebm_suite *suite) {
    for (size_t i = 0; i < suite->n_cases; i++)
        free_case(suite, &suite->cases[i]);
    free(suite->cases);
    suite->cases = NULL;
    suite->n_cases = 0;
}

/* The value of an axis column for the chosen variants; NULL where there is no memory. */
static char *axis_text(const char *axis, const ebm_variant *const chosen[EBM_PARTS]) {
    for (int part = 0; part < EBM_PARTS; part++) {
        size_t length = strlen(ebm_part_labels[part]);
        if (!chosen[part] || strncmp(axis, ebm_part_labels[part], length) != 0)
            continue;
        if (axis[length] == '\0')
            return strdup(chosen[part]->text);
        const ebm_option *table = chosen[part]->entry->component->options;
        const ebm_option *option = axis[length] == '.' ? ebm_options_find(table, axis + length + 1) : NULL;
        if (option)
            return ebm_variant_option_text(chosen[part], (size_t)(option - table));
    }
    return strdup("");
}

/* One block: the pointers, then the texts. */
static char **axis_values(const ebm_plan *plan, const ebm_variant *const chosen[EBM_PARTS]) {
    size_t used = (plan->n_axes + 1) * sizeof(char *);
    char *block = malloc(used);
    for (size_t i = 0; i < plan->n_axes && block; i++) {
        char *text = axis_text(plan->axes[i], chosen);
        size_t size = text ? strlen(text) + 1 : 0;
        char *grown = text ? realloc(block, used + size) : NULL;
        if (!grown)
            free(block);
        else
            memcpy(grown + used, text, size);
        block = grown;
        used += size;
        free(text);
    }
    if (!block)
        return NULL;
    char **values = (char **)(void *)block;
    char *cursor = block + (plan->n_axes + 1) * sizeof(char *);
    for (size_t i = 0; i < plan->n_axes; i++) {
        values[i] = cursor;
        cursor += strlen(cursor) + 1;
    }
    return values;
}

static ebm_status name_case(const ebm_reader *reader, const ebm_plan *plan, const ebm_variant *const chosen[EBM_PARTS],
                            ebm_case *c) {
    static const ebm_part order[EBM_PARTS] = {EBM_PART_MODEL,   EBM_PART_DATASET, EBM_PART_SAMPLER,
                                              EBM_PART_LEARNER, EBM_PART_RUN,     EBM_PART_ESTIMATOR};
    char name[EBM_MAX_CASE_NAME + 2] = "";
    size_t used = 0;
    for (int i = 0; i < EBM_PARTS && used < sizeof name; i++)
        if (chosen[order[i]] && *chosen[order[i]]->text)
            used += (size_t)snprintf(name + used, sizeof name - used, "%s/", chosen[order[i]]->text);
    if (used < sizeof name)
        used += (size_t)snprintf(name + used, sizeof name - used, "seed-%u", (unsigned)c->seed);
    if (used > EBM_MAX_CASE_NAME)
        return ebm_node_fail(reader, ebm_yaml_get(plan->root, "grid"),
                             "the case name %.100s... is longer than %d characters: vary fewer options in one suite",
                             name, EBM_MAX_CASE_NAME);
    c->name = strdup(name);
    bool ok = c->name != NULL;
    for (size_t i = 0; i < sizeof c->parts / sizeof c->parts[0]; i++)
        ok = (c->parts[i] = strdup(chosen[order[i]] ? chosen[order[i]]->text : "")) && ok;
    return ok ? EBM_OK : ebm_reader_no_memory(reader);
}

static ebm_status check_pairing(const ebm_reader *reader, const ebm_plan *plan, ebm_case *c) {
    const ebm_estimator_type *estimators[EBM_MAX_MEASURES];
    for (size_t i = 0; i < c->n_measures; i++)
        estimators[i] = (const ebm_estimator_type *)c->measures[i].component;
    ebm_error why = {0};
    ebm_status status = ebm_pairing_check(
        (const ebm_model_type *)c->model.component, (const ebm_sampler_type *)c->sampler.component,
        (const ebm_learner_type *)c->learner.component, estimators, c->n_measures, c->dataset.component != NULL, &why);
    if (status == EBM_OK && c->sampler.component && c->model.component)
        status = ebm_sampler_check((const ebm_sampler_type *)c->sampler.component, c->sampler.options,
                                   (const ebm_model_type *)c->model.component, &why);
    if (status == EBM_OK)
        return EBM_OK;
    if (status != EBM_UNSUPPORTED)
        return ebm_node_fail(reader, ebm_yaml_get(plan->root, "grid"), "%s: %s", c->name, why.message);
    c->not_applicable = strdup(why.message);
    return c->not_applicable ? EBM_OK : ebm_reader_no_memory(reader);
}

static ebm_status build_case(const ebm_reader *reader, const ebm_plan *plan, const ebm_variant *const chosen[EBM_PARTS],
                             ebm_case *c) {
    bool ok = set_setting(&c->dataset, chosen[EBM_PART_DATASET]) && set_setting(&c->model, chosen[EBM_PART_MODEL]) &&
              set_setting(&c->sampler, chosen[EBM_PART_SAMPLER]) && set_setting(&c->learner, chosen[EBM_PART_LEARNER]);
    for (size_t i = 0; i < plan->measures.n_variants && ok; i++)
        ok = set_setting(&c->measures[c->n_measures++], &plan->measures.variants[i]);
    c->n_logged = c->n_measures;
    if (ok && chosen[EBM_PART_ESTIMATOR])
        ok = set_setting(&c->measures[c->n_measures++], chosen[EBM_PART_ESTIMATOR]);
    c->run = ok ? copy_options(&plan->runner->info, chosen[EBM_PART_RUN]->options) : NULL;
    c->axis_values = ok && c->run ? axis_values(plan, chosen) : NULL;
    if (!c->axis_values)
        return ebm_reader_no_memory(reader);
    EBM_TRY(name_case(reader, plan, chosen, c));
    return check_pairing(reader, plan, c);
}

ebm_status ebm_plan_cases(const ebm_reader *reader, const ebm_plan *plan, ebm_suite *suite) {
    suite->cases = calloc(plan->n_cases, sizeof *suite->cases);
    if (!suite->cases)
        return ebm_reader_no_memory(reader);
    for (size_t n = 0; n < plan->n_cases; n++) {
        ebm_case *c = &suite->cases[n];
        suite->n_cases = n + 1;
        c->seed = plan->seeds[n % plan->n_seeds];
        size_t rest = n / plan->n_seeds;
        const ebm_variant *chosen[EBM_PARTS] = {NULL};
        for (int part = EBM_PARTS - 1; part >= 0; part--) {
            const ebm_entries *entries = &plan->parts[part];
            if (entries->n_variants == 0)
                continue;
            chosen[part] = &entries->variants[rest % entries->n_variants];
            rest /= entries->n_variants;
        }
        EBM_TRY(build_case(reader, plan, chosen, c));
    }
    return EBM_OK;
}
