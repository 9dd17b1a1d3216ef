/* Choosing rows of a table. */
#include "harness/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t ebm_table_column(const ebm_table *table, const char *name) {
    size_t i = 0;
    while (i < table->n_keys && strcmp(table->key_names[i], name) != 0)
        i++;
    return i;
}

bool ebm_row_matches(const ebm_table *table, const ebm_row *row, size_t n_where, const ebm_match *where) {
    for (size_t i = 0; i < n_where; i++) {
        size_t column = ebm_table_column(table, where[i].column);
        if (column == table->n_keys || strcmp(row->keys[column], where[i].value) != 0)
            return false;
    }
    return true;
}

bool ebm_row_is_failure(const ebm_row *row) {
    return strcmp(row->metric, "failure") == 0;
}

/* A row with its place in the table, so that sorting can be undone. */
typedef struct placed {
    ebm_row row;
    size_t place;
    bool kept;
} placed;

static int compare_keys(const ebm_row *a, const ebm_row *b, size_t n_keys) {
    for (size_t i = 0; i < n_keys; i++) {
        int order = strcmp(a->keys[i], b->keys[i]);
        if (order)
            return order;
    }
    return 0;
}

int ebm_row_order(const ebm_row *a, const ebm_row *b, size_t n_keys) {
    int order = compare_keys(a, b, n_keys);
    return order ? order : (a->step > b->step) - (a->step < b->step);
}

static int by_row(const void *a, const void *b, void *n_keys) {
    const placed *left = a, *right = b;
    int order = ebm_row_order(&left->row, &right->row, *(const size_t *)n_keys);
    return order ? order : (left->place > right->place) - (left->place < right->place);
}

static int by_place(const void *a, const void *b) {
    const placed *left = a, *right = b;
    return (left->place > right->place) - (left->place < right->place);
}

/* From the end of each run of equal keys: what has the run's last step stays. */
static void keep_last(placed *rows, size_t count, size_t n_keys) {
    qsort_r(rows, count, sizeof *rows, by_row, &n_keys);
    int64_t last = 0;
    for (size_t i = count; i-- > 0;) {
        if (i + 1 == count || compare_keys(&rows[i].row, &rows[i + 1].row, n_keys) != 0)
            last = rows[i].row.step;
        rows[i].kept = rows[i].row.step == last;
    }
    qsort(rows, count, sizeof *rows, by_place);
}

static bool is_ok(const ebm_row *row) {
    return strcmp(row->status, "ok") == 0 && isfinite(row->value);
}

ebm_status ebm_select(const ebm_table *table, const char *metric, size_t n_where, const ebm_match *where, int64_t at,
                      bool only_ok, ebm_selection *out, ebm_error *error) {
    *out = (ebm_selection){0};
    size_t count = 0;
    placed *rows = calloc(table->n_rows + 1, sizeof *rows);
    out->rows = calloc(table->n_rows + 1, sizeof *out->rows);
    if (!rows || !out->rows) {
        free(rows);
        ebm_selection_free(out);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the rows");
    }
    for (size_t i = 0; i < table->n_rows; i++) {
        const ebm_row *row = &table->rows[i];
        if (strcmp(row->metric, metric) != 0 || !ebm_row_matches(table, row, n_where, where))
            continue;
        if (at >= 0 && row->step != at)
            continue;
        rows[count] = (placed){*row, count, true};
        count++;
    }
    if (at == EBM_AT_LAST)
        keep_last(rows, count, table->n_keys);
    for (size_t i = 0; i < count; i++)
        if (rows[i].kept && (!only_ok || is_ok(&rows[i].row)))
            out->rows[out->count++] = rows[i].row;
    free(rows);
    return EBM_OK;
}

void ebm_selection_free(ebm_selection *selection) {
    free(selection->rows);
    *selection = (ebm_selection){0};
}
