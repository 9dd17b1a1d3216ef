/* What derived rows and checks may refer to: columns, their values, and metrics. */
#include "harness/suite_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char **ebm_plan_columns(const ebm_plan *plan) {
    const char **columns = calloc(EBM_PARTS + plan->n_axes + 3, sizeof *columns);
    if (!columns)
        return NULL;
    size_t count = 0;
    for (int part = 0; part < EBM_PARTS; part++)
        if (part != EBM_PART_RUN && part != EBM_PART_ESTIMATOR && plan->parts[part].n_variants > 0)
            columns[count++] = ebm_part_labels[part];
    columns[count++] = "seed";
    for (size_t i = 0; i < plan->n_axes; i++)
        columns[count++] = plan->axes[i];
    return columns;
}

/* Look for a value while listing the ones seen, without repeating the one before. */
typedef struct search {
    const char *wanted;
    bool found;
    char *values, *last;
    size_t size, used;
} search;

static void see(search *s, const char *value) {
    if (strcmp(value, s->wanted) == 0)
        s->found = true;
    if (!*value || s->used + 1 >= s->size)
        return;
    if (s->last && strcmp(s->last, value) == 0)
        return;
    free(s->last);
    s->last = strdup(value);
    s->used += (size_t)snprintf(s->values + s->used, s->size - s->used, "%s%s", s->used ? ", " : "", value);
}

static ebm_status see_option(const ebm_reader *reader, const ebm_entries *entries, const char *name, search *s) {
    for (size_t v = 0; v < entries->n_variants; v++) {
        const ebm_option *table = entries->variants[v].entry->component->options;
        const ebm_option *option = ebm_options_find(table, name);
        if (!option)
            continue;
        char *text = ebm_variant_option_text(&entries->variants[v], (size_t)(option - table));
        if (!text)
            return ebm_reader_no_memory(reader);
        see(s, text);
        free(text);
    }
    return EBM_OK;
}

/* Derived rows that were reduced over one of a part's axes, or over all, carry what is left of its text. */
static ebm_status see_reduced(const ebm_reader *reader, const ebm_variant *variant, const char *wanted, bool *found) {
    if (strcmp(wanted, variant->family->component->name) == 0)
        *found = true;
    for (size_t i = 0; i < variant->family->n_options && !*found; i++) {
        if (!variant->family->varying[i])
            continue;
        char *text = ebm_variant_text(variant, false, variant->family->component->options[i].name);
        if (!text)
            return ebm_reader_no_memory(reader);
        *found = strcmp(text, wanted) == 0;
        free(text);
    }
    return EBM_OK;
}

ebm_status ebm_plan_value(const ebm_reader *reader, const ebm_plan *plan, const char *column, const char *value,
                          bool reduced, bool *found, char *values, size_t size) {
    search s = {.wanted = value, .values = values, .size = size};
    values[0] = '\0';
    ebm_status status = EBM_OK;
    if (strcmp(column, "seed") == 0) {
        for (size_t i = 0; i < plan->n_seeds; i++) {
            char text[16];
            snprintf(text, sizeof text, "%u", (unsigned)plan->seeds[i]);
            see(&s, text);
        }
    }
    for (int part = 0; part < EBM_PARTS && status == EBM_OK; part++) {
        const ebm_entries *entries = &plan->parts[part];
        size_t length = strlen(ebm_part_labels[part]);
        if (strncmp(column, ebm_part_labels[part], length) != 0)
            continue;
        if (column[length] == '.')
            status = see_option(reader, entries, column + length + 1, &s);
        for (size_t v = 0; v < entries->n_variants && column[length] == '\0' && status == EBM_OK; v++) {
            see(&s, entries->variants[v].text);
            if (reduced)
                status = see_reduced(reader, &entries->variants[v], value, &s.found);
        }
    }
    *found = s.found;
    free(s.last);
    return status;
}

static bool table_has(const ebm_metric *metrics, const char *name) {
    for (; metrics && metrics->name; metrics++)
        if (strcmp(metrics->name, name) == 0)
            return true;
    return false;
}

/* The i-th table of metrics that a plan's cases may give (NULL: an empty one); false past the last. */
static bool plan_table(const ebm_plan *plan, size_t i, const ebm_metric **out) {
    const ebm_entries *lists[] = {&plan->measures, &plan->parts[EBM_PART_ESTIMATOR], &plan->parts[EBM_PART_SAMPLER]};
    *out = plan->runner->metrics;
    if (i-- == 0)
        return true;
    for (size_t l = 0; l < 2; i -= lists[l]->n_entries, l++)
        if (i < lists[l]->n_entries) {
            *out = ((const ebm_estimator_type *)lists[l]->entries[i].component)->metrics;
            return true;
        }
    if (!plan->runner->reports_sampler || i >= lists[2]->n_entries)
        return false;
    *out = ((const ebm_sampler_type *)lists[2]->entries[i].component)->metrics;
    return true;
}

bool ebm_plan_emits(const ebm_plan *plan, const char *metric) {
    const ebm_metric *metrics;
    for (size_t i = 0; plan_table(plan, i, &metrics); i++)
        if (table_has(metrics, metric))
            return true;
    return false;
}

typedef struct names {
    const char **items;
    size_t count, capacity;
} names;

static bool add_name(names *list, const char *name) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], name) == 0)
            return true;
    if (list->count + 1 >= list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 32;
        const char **items = reallocarray(list->items, capacity, sizeof *items);
        if (!items)
            return false;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = name;
    list->items[list->count] = NULL;
    return true;
}

static bool add_metrics(names *list, const ebm_metric *metrics) {
    bool ok = true;
    for (; metrics && metrics->name && ok; metrics++)
        ok = add_name(list, metrics->name);
    return ok;
}

const char **ebm_plan_metrics(const ebm_plan *const *plans, size_t n_plans, const ebm_suite *suite) {
    names list = {calloc(1, sizeof *list.items), 0, 1};
    bool ok = list.items != NULL;
    const ebm_metric *metrics;
    for (size_t p = 0; p < n_plans; p++)
        for (size_t i = 0; ok && plan_table(plans[p], i, &metrics); i++)
            ok = add_metrics(&list, metrics);
    for (size_t i = 0; i < suite->n_derives && ok; i++)
        ok = add_name(&list, suite->derives[i].as);
    if (ok)
        return list.items;
    free(list.items);
    return NULL;
}
