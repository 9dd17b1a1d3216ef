/* The grid of a suite: counted before it is expanded, so that a product of a thousand million cases costs nothing but
 * its error; then one case for every combination, the seed fastest. */
#include "harness/suite_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const ebm_part_labels[EBM_PARTS] = {"dataset", "model", "sampler", "learner", "run", "estimator"};

static const char *const grid_keys[] = {"dataset", "model", "sampler", "learner", "estimator", "seed", NULL};

static ebm_kind kind_of(ebm_part part) {
    static const ebm_kind kinds[EBM_PARTS] = {EBM_KIND_DATASET, EBM_KIND_MODEL, EBM_KIND_SAMPLER,
                                              EBM_KIND_LEARNER, EBM_KINDS,      EBM_KIND_ESTIMATOR};
    return kinds[part];
}

static ebm_status read_seed(const ebm_reader *reader, const ebm_yaml_node *node, uint32_t *seed) {
    const char *text;
    EBM_TRY(ebm_node_scalar(reader, node, &text));
    char *end;
    bool digits = strspn(text, "0123456789") == strlen(text) && strlen(text) <= 10;
    unsigned long long value = digits ? strtoull(text, &end, 10) : 0;
    if (!digits || value > UINT32_MAX)
        return ebm_node_fail(reader, node, "seed is '%.60s': expected a whole number from 0 to 4294967295", text);
    *seed = (uint32_t)value;
    return EBM_OK;
}

static int by_seed(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static ebm_status read_seeds(const ebm_reader *reader, const ebm_yaml_node *node, ebm_plan *plan) {
    bool list = node && node->kind == EBM_YAML_LIST;
    if (list && node->count == 0)
        return ebm_node_fail(reader, node, "seed is an empty list: expected at least one number");
    plan->n_seeds = list ? node->count : 1;
    plan->seeds = calloc(plan->n_seeds, sizeof *plan->seeds);
    uint32_t *sorted = calloc(plan->n_seeds, sizeof *sorted);
    ebm_status status = plan->seeds && sorted ? EBM_OK : ebm_reader_no_memory(reader);
    if (status == EBM_OK && !node)
        plan->seeds[0] = 1;
    const ebm_yaml_node *item = list ? node->first : node;
    for (size_t i = 0; item && status == EBM_OK; i++, item = list ? item->next : NULL)
        status = read_seed(reader, item, &plan->seeds[i]);
    if (status == EBM_OK) {
        memcpy(sorted, plan->seeds, plan->n_seeds * sizeof *sorted);
        qsort(sorted, plan->n_seeds, sizeof *sorted, by_seed);
        for (size_t i = 1; i < plan->n_seeds && status == EBM_OK; i++)
            if (sorted[i] == sorted[i - 1])
                status = ebm_node_fail(reader, node, "seed %u stands twice", (unsigned)sorted[i]);
    }
    free(sorted);
    return status;
}

static ebm_status read_parts(const ebm_reader *reader, const ebm_yaml_node *grid, ebm_plan *plan) {
    const ebm_runner_type *runner = plan->runner;
    for (int part = 0; part < EBM_PARTS; part++) {
        plan->parts[part].label = ebm_part_labels[part];
        if (part == EBM_PART_RUN)
            continue;
        const ebm_yaml_node *node = ebm_yaml_get(grid, ebm_part_labels[part]);
        unsigned bit = 1u << kind_of((ebm_part)part);
        if (!node && (runner->required_kinds & bit))
            return ebm_node_fail(reader, grid, "the grid has no '%s': runner %s needs one", ebm_part_labels[part],
                                 runner->info.name);
        if (!node)
            continue;
        if (!((runner->required_kinds | runner->optional_kinds) & bit))
            return ebm_key_fail(reader, node, "runner %s takes no '%s' in its grid", runner->info.name, node->key);
        EBM_TRY(ebm_entries_read(reader, kind_of((ebm_part)part), ebm_part_labels[part], node, &plan->parts[part]));
    }
    return EBM_OK;
}

static ebm_status read_measures(const ebm_reader *reader, ebm_plan *plan) {
    const ebm_yaml_node *node = ebm_yaml_get(plan->root, "measure");
    plan->measures.label = "estimator";
    if (!node || (node->kind == EBM_YAML_LIST && node->count == 0))
        return EBM_OK;
    EBM_TRY(ebm_entries_read(reader, EBM_KIND_ESTIMATOR, "estimator", node, &plan->measures));
    bool axis = plan->parts[EBM_PART_ESTIMATOR].n_entries > 0;
    if (plan->measures.n_entries + axis > EBM_MAX_MEASURES)
        return ebm_node_fail(reader, node, "%zu estimators: at most %d to a case", plan->measures.n_entries + axis,
                             EBM_MAX_MEASURES);
    for (size_t i = 0; i < plan->measures.n_entries; i++) {
        const ebm_entry *entry = &plan->measures.entries[i];
        const char *name = entry->component->name;
        if (entry->count != 1)
            return ebm_node_fail(reader, entry->node,
                                 "%s: an option is a list: under measure expected one value (an axis stands in "
                                 "grid: estimator:)",
                                 name);
        for (size_t j = 0; j < i; j++)
            if (plan->measures.entries[j].component == entry->component)
                return ebm_node_fail(reader, entry->node, "estimator '%s' stands twice under measure", name);
        for (size_t j = 0; j < plan->parts[EBM_PART_ESTIMATOR].n_entries; j++)
            if (plan->parts[EBM_PART_ESTIMATOR].entries[j].component == entry->component)
                return ebm_node_fail(reader, entry->node, "estimator '%s' stands under measure and in the grid", name);
    }
    return ebm_entries_expand(reader, &plan->measures);
}

static ebm_status count_cases(const ebm_reader *reader, const ebm_yaml_node *grid, ebm_plan *plan) {
    char factors[200] = "";
    size_t total = 1;
    for (int part = 0; part <= EBM_PARTS; part++) {
        size_t count = part == EBM_PARTS ? plan->n_seeds : plan->parts[part].total;
        if (part < EBM_PARTS && plan->parts[part].n_entries == 0)
            continue;
        size_t used = strlen(factors);
        snprintf(factors + used, sizeof factors - used, "%s%s %zu", used ? ", " : "",
                 part == EBM_PARTS ? "seed" : ebm_part_labels[part], count);
        if (__builtin_mul_overflow(total, count, &total))
            total = SIZE_MAX;
    }
    if (total == SIZE_MAX)
        return ebm_node_fail(reader, grid, "the grid has more cases than can be counted (%s): expected at most %d",
                             factors, EBM_MAX_CASES);
    if (total > EBM_MAX_CASES)
        return ebm_node_fail(reader, grid, "the grid has %zu cases (%s): expected at most %d", total, factors,
                             EBM_MAX_CASES);
    plan->n_cases = total;
    return EBM_OK;
}

static ebm_status add_axis(const ebm_reader *reader, ebm_plan *plan, const char *label, const char *option) {
    char path[200];
    snprintf(path, sizeof path, "%s%s%s", label, option ? "." : "", option ? option : "");
    for (size_t i = 0; i < plan->n_axes; i++)
        if (strcmp(plan->axes[i], path) == 0)
            return EBM_OK;
    if (plan->n_axes == EBM_TABLE_MAX_COLUMNS - EBM_FIXED_COLUMNS - EBM_TABLE_TAIL_COLUMNS)
        return ebm_node_fail(reader, plan->root, "more than %zu options vary: too many columns", plan->n_axes);
    char **axes = reallocarray(plan->axes, plan->n_axes + 1, sizeof *axes);
    if (!axes)
        return ebm_reader_no_memory(reader);
    plan->axes = axes;
    axes[plan->n_axes] = strdup(path);
    return axes[plan->n_axes++] ? EBM_OK : ebm_reader_no_memory(reader);
}

static ebm_status find_axes(const ebm_reader *reader, ebm_plan *plan) {
    for (int part = 0; part < EBM_PARTS; part++) {
        const ebm_entries *entries = &plan->parts[part];
        if (part == EBM_PART_ESTIMATOR && entries->n_entries > 0)
            EBM_TRY(add_axis(reader, plan, "estimator", NULL));
        for (size_t f = 0; f < entries->n_families; f++)
            for (size_t i = 0; i < entries->families[f].n_options; i++)
                if (entries->families[f].varying[i])
                    EBM_TRY(
                        add_axis(reader, plan, ebm_part_labels[part], entries->families[f].component->options[i].name));
    }
    return EBM_OK;
}

ebm_status ebm_plan_read(const ebm_reader *reader, ebm_plan *plan) {
    const ebm_yaml_node *grid = ebm_yaml_get(plan->root, "grid");
    if (!grid)
        return ebm_node_fail(reader, plan->root, "the required key 'grid' is missing");
    if (grid->kind != EBM_YAML_MAPPING || grid->count == 0)
        return ebm_node_fail(reader, grid, "grid is %s: expected a mapping of dataset, model, sampler, learner, seed",
                             grid->kind == EBM_YAML_MAPPING ? "empty" : ebm_node_kind(grid));
    for (const ebm_yaml_node *child = grid->first; child; child = child->next) {
        size_t i = 0;
        while (grid_keys[i] && strcmp(grid_keys[i], child->key) != 0)
            i++;
        if (!grid_keys[i])
            return ebm_unknown_key(reader, child, "grid", grid_keys);
    }
    EBM_TRY(read_parts(reader, grid, plan));
    const ebm_yaml_node *run = ebm_yaml_get(plan->root, "run");
    EBM_TRY(ebm_entries_read_run(reader, &plan->runner->info, run, &plan->parts[EBM_PART_RUN]));
    EBM_TRY(read_seeds(reader, ebm_yaml_get(grid, "seed"), plan));
    EBM_TRY(count_cases(reader, grid, plan));
    for (int part = 0; part < EBM_PARTS; part++)
        if (plan->parts[part].n_entries > 0)
            EBM_TRY(ebm_entries_expand(reader, &plan->parts[part]));
    EBM_TRY(read_measures(reader, plan));
    return find_axes(reader, plan);
}

void ebm_plan_free(ebm_plan *plan) {
    for (int part = 0; part < EBM_PARTS; part++)
        ebm_entries_free(&plan->parts[part]);
    ebm_entries_free(&plan->measures);
    for (size_t i = 0; i < plan->n_axes; i++)
        free(plan->axes[i]);
    free(plan->axes);
    free(plan->seeds);
    *plan = (ebm_plan){0};
}
