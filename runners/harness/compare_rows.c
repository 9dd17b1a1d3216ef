/* Columns of two tables, and classes of rows. */
#include "harness/compare_rows.h"

#include "harness/rows.h"

#include <stdlib.h>
#include <string.h>

static size_t find_name(const ebm_columns *columns, const char *name) {
    size_t i = 0;
    while (i < columns->count && strcmp(columns->names[i], name) != 0)
        i++;
    return i;
}

ebm_status ebm_columns_align(const ebm_table *const tables[2], ebm_columns *out, ebm_error *error) {
    size_t most = tables[0]->n_keys + tables[1]->n_keys;
    *out = (ebm_columns){
        0, calloc(most + 1, sizeof(char *)), {calloc(most + 1, sizeof(size_t)), calloc(most + 1, sizeof(size_t))}};
    if (!out->names || !out->in_table[0] || !out->in_table[1]) {
        ebm_columns_free(out);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to compare results");
    }
    for (size_t i = 0; i < most; i++)
        out->in_table[0][i] = out->in_table[1][i] = SIZE_MAX;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < tables[side]->n_keys; i++) {
            size_t at = find_name(out, tables[side]->key_names[i]);
            if (at == out->count)
                out->names[out->count++] = tables[side]->key_names[i];
            out->in_table[side][at] = i;
        }
    return EBM_OK;
}

void ebm_columns_free(ebm_columns *columns) {
    free(columns->names);
    free(columns->in_table[0]);
    free(columns->in_table[1]);
    *columns = (ebm_columns){0};
}

const char *ebm_columns_text(const ebm_columns *columns, const ebm_row *row, int side, size_t column) {
    size_t i = columns->in_table[side][column];
    return i == SIZE_MAX ? "" : row->keys[i];
}

static const ebm_metric *find_metric(const ebm_metric *metrics, const char *name) {
    for (; metrics && metrics->name; metrics++)
        if (strcmp(metrics->name, name) == 0)
            return metrics;
    return NULL;
}

static const ebm_metric *metric_named(const char *name) {
    const ebm_metric *found = NULL;
    for (size_t i = 0; ebm_runner_types[i] && !found; i++)
        found = find_metric(ebm_runner_types[i]->metrics, name);
    const ebm_component *component;
    for (size_t i = 0; !found && (component = ebm_component_at(EBM_KIND_ESTIMATOR, i)) != NULL; i++)
        found = find_metric(((const ebm_estimator_type *)component)->metrics, name);
    for (size_t i = 0; !found && (component = ebm_component_at(EBM_KIND_SAMPLER, i)) != NULL; i++)
        found = find_metric(((const ebm_sampler_type *)component)->metrics, name);
    return found;
}

/* "cd" for "cd-1": the longest learner's name that the text begins with. */
static const ebm_learner_type *learner_named(const char *text) {
    const ebm_component *component, *best = NULL;
    for (size_t i = 0; (component = ebm_component_at(EBM_KIND_LEARNER, i)) != NULL; i++) {
        size_t length = strlen(component->name);
        if (strncmp(text, component->name, length) == 0 && (text[length] == '\0' || text[length] == '-') &&
            (!best || length > strlen(best->name)))
            best = component;
    }
    return (const ebm_learner_type *)best;
}

bool ebm_row_learnt_by_sampling(const ebm_row *row) {
    const ebm_learner_type *learner = learner_named(row->keys[EBM_COLUMN_LEARNER]);
    return learner && learner->uses_sampler;
}

ebm_row_class ebm_row_classify(const ebm_row *row) {
    if (strncmp(row->metric, "check: ", 7) == 0 || strcmp(row->metric, "not-applicable") == 0 ||
        ebm_row_is_failure(row))
        return EBM_ROW_STATUS;
    const ebm_metric *metric = metric_named(row->metric);
    if (!metric)
        return EBM_ROW_DERIVED;
    return metric->stochastic || ebm_row_learnt_by_sampling(row) ? EBM_ROW_RANDOM : EBM_ROW_EXACT;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

ebm_status ebm_count_seeds(const ebm_table *table, size_t *count, ebm_error *error) {
    const char **seeds = calloc(table->n_rows + 1, sizeof *seeds);
    if (!seeds)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to compare results");
    size_t n = 0;
    for (size_t i = 0; i < table->n_rows; i++)
        if (*table->rows[i].keys[EBM_COLUMN_SEED])
            seeds[n++] = table->rows[i].keys[EBM_COLUMN_SEED];
    qsort(seeds, n, sizeof *seeds, by_text);
    *count = n > 0;
    for (size_t i = 1; i < n; i++)
        *count += strcmp(seeds[i - 1], seeds[i]) != 0;
    free(seeds);
    return EBM_OK;
}
