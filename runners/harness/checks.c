/* Laws and claims. A row keeps a check's bound when above - k s.e. <= value <= below + k s.e., with k the check's
 * `errors`; a value that is not a number keeps none. The bounds belong to what is allowed, so that `below: 0` can say
 * that a count is zero. */
#include "harness/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How far inside the bound a row lies; below 0: outside; -INFINITY for no number. */
static double margin(const ebm_check *check, const ebm_row *row) {
    if (isnan(row->value) || strcmp(row->status, "ok") != 0)
        return -INFINITY;
    double slack = check->errors > 0 && isfinite(row->se) ? check->errors * row->se : 0;
    double from_above = row->value - (check->above - slack), from_below = check->below + slack - row->value;
    double inside = from_above < from_below ? from_above : from_below;
    return isnan(inside) ? 0 : inside; /* an infinite value at an infinite bound */
}

static void describe(const ebm_table *table, const ebm_row *row, char *out, size_t size) {
    static const int order[] = {EBM_COLUMN_MODEL, EBM_COLUMN_DATASET, EBM_COLUMN_SAMPLER, EBM_COLUMN_LEARNER};
    out[0] = '\0';
    if (*row->keys[EBM_COLUMN_CASE]) {
        snprintf(out, size, "%s", row->keys[EBM_COLUMN_CASE]);
        return;
    }
    for (size_t i = 0; i < 4 + table->n_keys - EBM_FIXED_COLUMNS; i++) {
        size_t column = i < 4 ? (size_t)order[i] : EBM_FIXED_COLUMNS + i - 4;
        size_t used = strlen(out);
        if (*row->keys[column] && used < size)
            snprintf(out + used, size - used, "%s%s%s%s", used ? "/" : "", i < 4 ? "" : table->key_names[column],
                     i < 4 ? "" : "=", row->keys[column]);
    }
}

/* Cases that the check is about and that failed before they gave the metric. Derived rows are about no one case. */
static size_t count_failed(const ebm_suite *suite, const ebm_table *table, const ebm_check *check) {
    for (size_t i = 0; i < suite->n_derives; i++)
        if (strcmp(suite->derives[i].as, check->metric) == 0)
            return 0;
    size_t count = 0;
    for (size_t i = 0; i < table->n_rows; i++)
        count += ebm_row_is_failure(&table->rows[i]) &&
                 ebm_row_matches(table, &table->rows[i], check->n_where, check->where);
    return count;
}

static ebm_status judge(const ebm_suite *suite, const ebm_table *table, ebm_check_result *result, ebm_error *error) {
    const ebm_check *check = result->check;
    if (!(check->at_sizes & (1 << suite->size)))
        return EBM_OK;
    ebm_selection rows;
    EBM_TRY(ebm_select(table, check->metric, check->n_where, check->where, check->at, false, &rows, error));
    double worst = INFINITY;
    for (size_t i = 0; i < rows.count; i++) {
        if (strcmp(rows.rows[i].status, "not-applicable") == 0)
            continue;
        double inside = margin(check, &rows.rows[i]);
        if (result->examined++ == 0 || inside < worst) {
            worst = inside;
            result->value = rows.rows[i].value;
            result->se = rows.rows[i].se;
            describe(table, &rows.rows[i], result->worst_case, sizeof result->worst_case);
        }
    }
    ebm_selection_free(&rows);
    bool missing = result->examined == 0, kept = !missing && worst >= 0 && count_failed(suite, table, check) == 0;
    if (kept)
        result->verdict = EBM_HELD;
    else if (check->law)
        result->verdict = EBM_FELL_SHORT;
    else if (!missing)
        result->verdict = EBM_DID_NOT_REPRODUCE;
    return EBM_OK;
}

static const char *verdict_name(ebm_verdict verdict) {
    switch (verdict) {
    case EBM_HELD:
        return "held";
    case EBM_FELL_SHORT:
        return "fell-short";
    case EBM_DID_NOT_REPRODUCE:
        return "did-not-reproduce";
    case EBM_NOT_CHECKED:
        break;
    }
    return "not-checked";
}

/* "check: kl_mean below 0.1" with the columns that were matched. */
static ebm_status add_result(const ebm_suite *suite, ebm_table *table, const ebm_check_result *result,
                             ebm_error *error) {
    const ebm_check *check = result->check;
    char metric[400], number[32];
    int used = snprintf(metric, sizeof metric, "check: %.200s", check->metric);
    if (isfinite(check->above))
        used += snprintf(metric + used, sizeof metric - (size_t)used, " above %s",
                         ebm_table_number(check->above, number, sizeof number));
    if (isfinite(check->below))
        used += snprintf(metric + used, sizeof metric - (size_t)used, " below %s",
                         ebm_table_number(check->below, number, sizeof number));
    if (check->errors > 0)
        used += snprintf(metric + used, sizeof metric - (size_t)used, " within %s s.e.",
                         ebm_table_number(check->errors, number, sizeof number));
    if (check->at == EBM_AT_EACH)
        snprintf(metric + used, sizeof metric - (size_t)used, " at each step");
    const char **keys = calloc(table->n_keys, sizeof *keys);
    if (!keys)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the checks");
    for (size_t i = 0; i < table->n_keys; i++)
        keys[i] = i == EBM_COLUMN_SUITE ? suite->name : "";
    for (size_t i = 0; i < check->n_where; i++) {
        size_t column = ebm_table_column(table, check->where[i].column);
        if (column < table->n_keys)
            keys[column] = check->where[i].value;
    }
    ebm_status status = ebm_table_add(table, keys, check->at >= 0 ? check->at : -1, metric, result->value, result->se,
                                      verdict_name(result->verdict), error);
    free(keys);
    return status;
}

ebm_status ebm_check_rows(const ebm_suite *suite, ebm_table *table, ebm_check_result *results, ebm_error *error) {
    for (size_t i = 0; i < suite->n_checks; i++) {
        results[i] =
            (ebm_check_result){.check = &suite->checks[i], .verdict = EBM_NOT_CHECKED, .value = NAN, .se = NAN};
        EBM_TRY(judge(suite, table, &results[i], error));
    }
    for (size_t i = 0; i < suite->n_checks; i++)
        EBM_TRY(add_result(suite, table, &results[i], error));
    return EBM_OK;
}
