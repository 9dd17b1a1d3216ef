/* Rows computed from rows. The rows of a metric are cut into groups that agree in every column except those that the
 * rule runs over; each group gives one row, in the order in which the groups first stand in the table.
 *
 * A rule that runs over a part ("learner") also runs over that part's axes ("learner.steps"); one that runs over an
 * axis takes the axis out of the part's text ("cd-1" becomes "cd"). A case's name says everything, so it is empty in a
 * row that stands for several. */
#include "harness/rows.h"
#include "harness/suite_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A row with the keys of its group and its places along the rule's columns. */
typedef struct item {
    ebm_row row;
    char **keys;      /* what the group shares; texts are borrowed from the row or owned below */
    char *owned[4];   /* reduced texts: at most one for each column that is run over */
    int64_t step;     /* the group's step, or -1 where it runs over steps */
    const char *over; /* the row's value in the rule's `over` column, "" without */
    char step_text[24];
    double x; /* its place in the rule's `against` column */
    int side; /* of `between` */
    size_t place;
} item;

typedef struct deriver {
    const ebm_suite *suite;
    ebm_table *table;
    const ebm_derive *rule;
    ebm_error *error;
    size_t n_keys;
    size_t over, against, between;                /* columns; n_keys: none, or the step */
    bool over_step, against_step, against_column; /* against_column: `against` is no metric */
    size_t count;
    item *items;
    ebm_estimate *a, *b; /* scratch: count each */
    double *x;
} deriver;

static ebm_status no_memory(const deriver *d) {
    return ebm_fail(d->error, EBM_NO_MEMORY, "no memory for derived rows");
}

/* Take column `over` out of an item's keys. */
static bool reduce(const deriver *d, item *it, size_t over, size_t slot) {
    if (over == d->n_keys)
        return true;
    const char *name = d->table->key_names[over];
    const char *dot = strchr(name, '.');
    it->keys[EBM_COLUMN_CASE] = (char *)(uintptr_t) "";
    for (size_t i = 0; i < d->n_keys; i++) {
        const char *other = d->table->key_names[i];
        if (dot && strncmp(other, name, (size_t)(dot - name)) == 0 && strlen(other) == (size_t)(dot - name)) {
            it->owned[slot] = ebm_reduced_text(d->suite, (const char *const *)it->keys, i, over);
            if (!it->owned[slot])
                return false;
            it->keys[i] = it->owned[slot];
        } else if (!dot && strncmp(other, name, strlen(name)) == 0 && other[strlen(name)] == '.') {
            it->keys[i] = (char *)(uintptr_t) "";
        }
    }
    it->keys[over] = (char *)(uintptr_t) "";
    return true;
}

static double number_of(const char *text) {
    char *end;
    double value = strtod(text, &end);
    return *text && !*end ? value : NAN;
}

/* False where the row has no place in the rule: another value of `between`, no number in `against`. */
static bool place_item(const deriver *d, item *it, const ebm_row *row) {
    const ebm_derive *rule = d->rule;
    it->row = *row;
    it->over = "";
    if (d->over_step)
        it->over = it->step_text;
    else if (d->over < d->n_keys)
        it->over = row->keys[d->over];
    if (d->against_step)
        it->x = (double)row->step;
    else if (d->against < d->n_keys)
        it->x = number_of(row->keys[d->against]);
    if (rule->between_column) {
        const char *value = row->keys[d->between];
        it->side = strcmp(value, rule->between_a) == 0 ? 0 : 1;
        return it->side == 0 || strcmp(value, rule->between_b) == 0;
    }
    return isfinite(it->x) && !(d->against_column && it->x < rule->from);
}

static ebm_status fill_item(deriver *d, const ebm_row *row) {
    item *it = &d->items[d->count];
    *it = (item){.place = d->count};
    if (!place_item(d, it, row))
        return EBM_OK;
    d->count++;
    snprintf(it->step_text, sizeof it->step_text, "%lld", (long long)row->step);
    it->step = d->rule->at == EBM_AT_EACH && !d->over_step && !d->against_step ? row->step : -1;
    it->keys = calloc(d->n_keys, sizeof *it->keys);
    if (!it->keys)
        return no_memory(d);
    memcpy(it->keys, row->keys, d->n_keys * sizeof *it->keys);
    bool ok = reduce(d, it, d->over, 0) && reduce(d, it, d->against, 1) && reduce(d, it, d->between, 2);
    return ok ? EBM_OK : no_memory(d);
}

static int by_group(const void *a, const void *b, void *context) {
    const item *left = a, *right = b;
    const deriver *d = context;
    for (size_t i = 0; i < d->n_keys; i++) {
        int order = strcmp(left->keys[i], right->keys[i]);
        if (order)
            return order;
    }
    return (left->step > right->step) - (left->step < right->step);
}

/* Within a group: along `against`, then `over`, then side, then as they stood. */
static int by_group_and_place(const void *a, const void *b, void *context) {
    const item *left = a, *right = b;
    int order = by_group(a, b, context);
    if (order == 0)
        order = (left->x > right->x) - (left->x < right->x);
    if (order == 0)
        order = strcmp(left->over, right->over);
    if (order == 0)
        order = left->side - right->side;
    return order ? order : (left->place > right->place) - (left->place < right->place);
}

static ebm_estimate estimate_of(const item *it) {
    return (ebm_estimate){it->row.value, it->row.se};
}

/* Pairs of the two sides of `between` at one value of `over`. */
static size_t pair_sides(const deriver *d, const item *items, size_t count) {
    size_t pairs = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        if (items[i].side != 0 || items[i + 1].side != 1 || strcmp(items[i].over, items[i + 1].over) != 0)
            continue;
        d->a[pairs] = estimate_of(&items[i]);
        d->b[pairs++] = estimate_of(&items[i + 1]);
    }
    return pairs;
}

/* Means over `over` at each x, for a curve. */
static size_t average_curve(const deriver *d, const item *items, size_t count) {
    size_t points = 0;
    for (size_t i = 0; i < count;) {
        size_t n = 0;
        for (; i + n < count && items[i + n].x == items[i].x; n++)
            d->b[n] = estimate_of(&items[i + n]);
        d->x[points] = items[i].x;
        d->a[points++] = ebm_mean_estimate(n, d->b);
        i += n;
    }
    return points;
}

/* The largest value (sign = 1) or the smallest (-1); the first of equal ones. */
static size_t extreme(const item *items, size_t count, double sign) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (sign * items[i].row.value > sign * items[best].row.value)
            best = i;
    return best;
}

/* Of a curve's points: the largest difference from one to the next; NAN for fewer than two. */
static ebm_estimate largest_rise(size_t points, const ebm_estimate *y) {
    ebm_estimate out = {NAN, NAN};
    for (size_t i = 0; i + 1 < points; i++)
        if (!(y[i + 1].value - y[i].value <= out.value))
            out = ebm_difference(y[i + 1], y[i]);
    return out;
}

/* For each value of `over`, the x of the smallest of its items. */
static size_t lowest_places(const deriver *d, const item *items, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        size_t best = i;
        for (size_t j = 0; j < count; j++) {
            if (strcmp(items[j].over, items[i].over) != 0)
                continue;
            if (j < i) { /* seen with an earlier item */
                best = count;
                break;
            }
            if (items[j].row.value < items[best].row.value)
                best = j;
        }
        if (best < count)
            d->x[n++] = items[best].x;
    }
    return n;
}

/* One group's value; false where it has no rows to work on. */
static bool operate(const deriver *d, const item *items, size_t count, ebm_estimate *out) {
    size_t n;
    switch (d->rule->op) {
    case EBM_DERIVE_PAIRED_DIFFERENCE:
        n = pair_sides(d, items, count);
        *out = ebm_paired_difference(n, d->a, d->b);
        return n > 0;
    case EBM_DERIVE_RATIO:
        n = pair_sides(d, items, count);
        *out = ebm_paired_ratio(n, d->a, d->b);
        return n > 0;
    case EBM_DERIVE_CROSSING:
        n = average_curve(d, items, count);
        *out = ebm_first_crossing(n, d->x, d->a, d->rule->level);
        return true;
    case EBM_DERIVE_LARGEST_RISE:
        *out = largest_rise(average_curve(d, items, count), d->a);
        return isfinite(out->value);
    case EBM_DERIVE_MAXIMUM:
        *out = estimate_of(&items[extreme(items, count, 1)]);
        return true;
    case EBM_DERIVE_MINIMUM:
        *out = estimate_of(&items[extreme(items, count, -1)]);
        return true;
    case EBM_DERIVE_MINIMUM_AT:
        *out = ebm_geometric_mean(lowest_places(d, items, count), d->x);
        return true;
    default:
        break;
    }
    for (size_t i = 0; i < count; i++) {
        d->a[i] = estimate_of(&items[i]);
        d->x[i] = items[i].x;
    }
    *out = d->rule->op == EBM_DERIVE_MEAN ? ebm_mean_estimate(count, d->a) : ebm_loglog_slope(count, d->x, d->a);
    return true;
}

static ebm_status add_row(const deriver *d, char *const *keys, int64_t step, ebm_estimate e) {
    return ebm_table_add(d->table, (const char *const *)keys, step, d->rule->as, e.value, e.se,
                         isfinite(e.value) ? "ok" : "failed", d->error);
}

typedef struct group {
    size_t first, count, place;
} group;

static int by_first_place(const void *a, const void *b) {
    const group *left = a, *right = b;
    return (left->place > right->place) - (left->place < right->place);
}

static ebm_status add_group(const deriver *d, const group *g) {
    const item *items = d->items + g->first;
    ebm_estimate e;
    if (!operate(d, items, g->count, &e))
        return EBM_OK;
    int64_t step = d->over_step || d->against_step ? -1 : items[0].row.step;
    for (size_t i = 0; i < g->count; i++)
        if (items[i].row.step != step)
            step = -1;
    return add_row(d, items[0].keys, step, e);
}

static ebm_status add_groups(deriver *d) {
    qsort_r(d->items, d->count, sizeof *d->items, by_group_and_place, d);
    group *groups = calloc(d->count + 1, sizeof *groups);
    if (!groups)
        return no_memory(d);
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (i == 0 || by_group(&d->items[i - 1], &d->items[i], d) != 0)
            groups[n++] = (group){i, 0, d->items[i].place};
        groups[n - 1].count++;
        if (d->items[i].place < groups[n - 1].place)
            groups[n - 1].place = d->items[i].place;
    }
    qsort(groups, n, sizeof *groups, by_first_place);
    ebm_status status = EBM_OK;
    for (size_t i = 0; i < n && status == EBM_OK; i++)
        status = add_group(d, &groups[i]);
    free(groups);
    return status;
}

static int by_row(const void *a, const void *b, void *n_keys) {
    return ebm_row_order(a, b, *(const size_t *)n_keys);
}

static const ebm_row *find_row(const ebm_selection *sorted, const ebm_row *wanted, size_t n_keys) {
    size_t low = 0, high = sorted->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ebm_row_order(&sorted->rows[middle], wanted, n_keys) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < sorted->count && ebm_row_order(&sorted->rows[low], wanted, n_keys) == 0;
    return found ? &sorted->rows[low] : NULL;
}

static ebm_estimate against_other(ebm_derive_op op, ebm_estimate a, ebm_estimate b) {
    ebm_estimate out = op == EBM_DERIVE_Z ? ebm_z_value(a, b) : ebm_difference(a, b);
    out.value = op == EBM_DERIVE_ABSOLUTE_DIFFERENCE ? fabs(out.value) : out.value;
    return out;
}

/* z and differences: every row against another metric of the same case and step. */
static ebm_status add_against(deriver *d, const ebm_selection *rows) {
    ebm_selection exact;
    EBM_TRY(
        ebm_select(d->table, d->rule->against, d->rule->n_where, d->rule->where, EBM_AT_EACH, true, &exact, d->error));
    qsort_r(exact.rows, exact.count, sizeof *exact.rows, by_row, &d->n_keys);
    ebm_status status = EBM_OK;
    for (size_t i = 0; i < rows->count && status == EBM_OK; i++) {
        const ebm_row *row = &rows->rows[i], *other = find_row(&exact, row, d->n_keys);
        if (!other)
            continue;
        ebm_estimate a = {row->value, row->se}, b = {other->value, other->se};
        status = add_row(d, row->keys, row->step, against_other(d->rule->op, a, b));
    }
    ebm_selection_free(&exact);
    return status;
}

static void free_items(deriver *d) {
    for (size_t i = 0; i < d->count; i++) {
        for (size_t k = 0; k < sizeof d->items[i].owned / sizeof d->items[i].owned[0]; k++)
            free(d->items[i].owned[k]);
        free(d->items[i].keys);
    }
    free(d->items);
    free(d->a);
    free(d->b);
    free(d->x);
}

static ebm_status derive_from(deriver *d, const ebm_selection *rows) {
    if (d->rule->against && !d->against_column)
        return add_against(d, rows);
    d->items = calloc(rows->count + 1, sizeof *d->items);
    d->a = calloc(rows->count + 1, sizeof *d->a);
    d->b = calloc(rows->count + 1, sizeof *d->b);
    d->x = calloc(rows->count + 1, sizeof *d->x);
    if (!d->items || !d->a || !d->b || !d->x)
        return no_memory(d);
    for (size_t i = 0; i < rows->count; i++)
        EBM_TRY(fill_item(d, &rows->rows[i]));
    return add_groups(d);
}

static size_t column_of(const ebm_table *table, const char *name) {
    return name ? ebm_table_column(table, name) : table->n_keys;
}

static ebm_status derive_rule(const ebm_suite *suite, const ebm_derive *rule, ebm_table *table, ebm_error *error) {
    bool curve = rule->op == EBM_DERIVE_SLOPE || rule->op == EBM_DERIVE_CROSSING || rule->op == EBM_DERIVE_MINIMUM_AT ||
                 rule->op == EBM_DERIVE_LARGEST_RISE;
    deriver d = {.suite = suite, .table = table, .rule = rule, .error = error, .n_keys = table->n_keys};
    d.over = column_of(table, rule->over);
    d.against = curve ? column_of(table, rule->against) : table->n_keys;
    d.between = column_of(table, rule->between_column);
    d.against_column = curve;
    d.over_step = rule->over && strcmp(rule->over, "step") == 0;
    d.against_step = curve && strcmp(rule->against, "step") == 0;
    ebm_selection rows;
    EBM_TRY(ebm_select(table, rule->of, rule->n_where, rule->where, rule->at, true, &rows, error));
    ebm_status status = derive_from(&d, &rows);
    free_items(&d);
    ebm_selection_free(&rows);
    return status;
}

ebm_status ebm_derive_rows(const ebm_suite *suite, ebm_table *table, ebm_error *error) {
    for (size_t i = 0; i < suite->n_derives; i++)
        if (!suite->derives[i].absent)
            EBM_TRY(derive_rule(suite, &suite->derives[i], table, error));
    return EBM_OK;
}
