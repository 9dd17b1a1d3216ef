/* A fresh table against a reference, with the false-alarm rate of the whole file held.
 *
 * Rows that agree in all columns, step and metric are a pair. Pairs that differ in the seed alone are a group. Exact
 * rows: each pair within a relative tolerance. Random rows: if all pairs of a group are within the tolerance they are
 * the same numbers; otherwise, with n >= 2 pairs, Student's two-sample test with pooled variance,
 *     t = |mean a - mean b| / (s sqrt(2 / n)),  s^2 = (s_a^2 + s_b^2) / 2,  2 n - 2 degrees of freedom,
 * and with one pair, or where the seeds have the same value (a floor that no seed enters), z = |a - b| / sqrt(se_a^2 + se_b^2). Runs that share their seeds are correlated, which only makes
 * the test more careful. A derived row's error stems from few seeds, so it is held against Student's t with as many
 * degrees of freedom as the file's seeds leave, and no more than 2 where there is one seed (a fit's error). Threshold:
 * Bonferroni, alpha over the number of tests in the file. Where there is no error at all the tolerance decides. */
#include "harness/compare_rows.h"
#include "harness/quantile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINES = 200 };
/* What may differ around zero, where a relative tolerance means nothing: rounding of sums of order 1. */
static const double absolute_tolerance = 1e-12;

typedef struct side_row {
    const ebm_row *row;
    int side;     /* 0 fresh, 1 reference */
    size_t place; /* in its table */
} side_row;

typedef struct comparison {
    ebm_columns columns;
    const ebm_compare_options *options;
    FILE *report;
    size_t count;
    side_row *rows; /* of both tables, groups together, pairs side by side */
    size_t n_seeds; /* distinct ones, of the table with fewer */
    size_t n_tests;
    size_t by_tolerance, by_seeds, by_error, without_error, by_status; /* pairs, by how they were compared */
    size_t differences, lines;
    const ebm_row **pairs[2]; /* scratch: the pairs of a group */
} comparison;

static bool is_seed_column(const comparison *c, size_t column) {
    return strcmp(c->columns.names[column], "seed") == 0 || strcmp(c->columns.names[column], "case") == 0;
}

static int compare_columns(const comparison *c, const side_row *a, const side_row *b, bool seeds) {
    for (size_t i = 0; i < c->columns.count; i++) {
        if (is_seed_column(c, i) != seeds)
            continue;
        int order = strcmp(ebm_columns_text(&c->columns, a->row, a->side, i),
                           ebm_columns_text(&c->columns, b->row, b->side, i));
        if (order)
            return order;
    }
    return 0;
}

static int by_group(const comparison *c, const side_row *a, const side_row *b) {
    int order = compare_columns(c, a, b, false);
    if (order == 0)
        order = (a->row->step > b->row->step) - (a->row->step < b->row->step);
    return order ? order : strcmp(a->row->metric, b->row->metric);
}

/* Rows of one key: side by side as they stood, or the k-th of one side beside the k-th of the other. */
static int by_key(const comparison *c, const side_row *a, const side_row *b) {
    int order = by_group(c, a, b);
    return order ? order : compare_columns(c, a, b, true);
}

static int by_key_and_side(const void *left, const void *right, void *context) {
    const side_row *a = left, *b = right;
    int order = by_key(context, a, b);
    if (order == 0)
        order = a->side - b->side;
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static int by_key_and_place(const void *left, const void *right, void *context) {
    const side_row *a = left, *b = right;
    int order = by_key(context, a, b);
    if (order == 0)
        order = (a->place > b->place) - (a->place < b->place);
    return order ? order : a->side - b->side;
}

/* Where a difference is: the case, or the columns of a group over seeds and of a row that is of no one case. */
static void report_place(const comparison *c, const side_row *at, bool group) {
    const char *name = at->row->keys[EBM_COLUMN_CASE];
    fprintf(c->report, "  %s", at->row->metric);
    if (at->row->step >= 0)
        fprintf(c->report, " step %lld", (long long)at->row->step);
    if (*name && !group) {
        fprintf(c->report, " %s", name);
        return;
    }
    bool first = true;
    for (size_t i = 0; i < c->columns.count; i++) {
        const char *text = ebm_columns_text(&c->columns, at->row, at->side, i);
        if (i == EBM_COLUMN_SUITE || !*text || (group && is_seed_column(c, i)))
            continue;
        fprintf(c->report, "%s%s=%s", first ? " " : "/", c->columns.names[i], text);
        first = false;
    }
}

static void report_difference(comparison *c, const side_row *at, bool group, const char *fresh, const char *reference,
                              const char *why) {
    c->differences++;
    if (!c->report || c->lines++ >= MAX_LINES)
        return;
    report_place(c, at, group);
    fprintf(c->report, ": fresh %s, reference %s: %s\n", fresh, reference, why);
}

static void report_missing(comparison *c, const side_row *row) {
    char number[32];
    ebm_table_number(row->row->value, number, sizeof number);
    const char *text = *number ? number : row->row->status;
    report_difference(c, row, false, row->side == 0 ? text : "(no row)", row->side == 1 ? text : "(no row)",
                      row->side == 0 ? "additional row" : "missing row");
}

static bool within_tolerance(const comparison *c, double a, double b) {
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    if (a == b)
        return true;
    double larger = fmax(fabs(a), fabs(b));
    return isfinite(larger) && fabs(a - b) <= c->options->relative_tolerance * larger + absolute_tolerance;
}

static void report_values(comparison *c, const side_row *at, bool group, double a, double b, const char *why) {
    char left[32], right[32];
    ebm_table_number(a, left, sizeof left);
    ebm_table_number(b, right, sizeof right);
    report_difference(c, at, group, *left ? left : "(empty)", *right ? right : "(empty)", why);
}

static void compare_by_tolerance(comparison *c, const ebm_row *a, const ebm_row *b, const char *remark) {
    if (within_tolerance(c, a->value, b->value))
        return;
    side_row at = {a, 0, 0};
    char why[160];
    double larger = fmax(fabs(a->value), fabs(b->value));
    if (isfinite(a->value) && isfinite(b->value))
        snprintf(why, sizeof why, "relative error %.3g, allowed %.3g%s", fabs(a->value - b->value) / larger,
                 c->options->relative_tolerance, remark);
    else
        snprintf(why, sizeof why, "not both numbers");
    report_values(c, &at, false, a->value, b->value, why);
}

static void moments(const ebm_row *const *rows, size_t n, double *mean, double *variance) {
    *mean = *variance = 0;
    for (size_t i = 0; i < n; i++)
        *mean += rows[i]->value / (double)n;
    for (size_t i = 0; i < n; i++)
        *variance += (rows[i]->value - *mean) * (rows[i]->value - *mean) / (double)(n - 1);
}

/* How a group of random pairs is tested: the distance in standard errors and its degrees of freedom. False where there
 * is no error to measure it by. */
static bool distance(const comparison *c, size_t n, ebm_row_class class, double values[2], double *z, double *freedom) {
    double error = 0;
    if (n >= 2) {
        double variance[2];
        for (int side = 0; side < 2; side++)
            moments(c->pairs[side], n, &values[side], &variance[side]);
        error = sqrt((variance[0] + variance[1]) / (double)n);
    }
    if (error > 0) {
        *freedom = 2.0 * (double)n - 2;
    } else {
        const ebm_row *a = c->pairs[0][0], *b = c->pairs[1][0];
        values[0] = a->value;
        values[1] = b->value;
        error = hypot(a->se, b->se);
        *freedom = INFINITY;
        if (class == EBM_ROW_DERIVED)
            *freedom = c->n_seeds >= 2 ? 2.0 * (double)(c->n_seeds - 1) : 2;
    }
    *z = fabs(values[0] - values[1]) / error;
    return error > 0 && isfinite(error);
}

static void test_group(comparison *c, const side_row *at, size_t n, ebm_row_class class) {
    bool same = true, finite = true;
    for (size_t i = 0; i < n; i++) {
        same = same && within_tolerance(c, c->pairs[0][i]->value, c->pairs[1][i]->value);
        finite = finite && isfinite(c->pairs[0][i]->value) && isfinite(c->pairs[1][i]->value);
    }
    if (same)
        return;
    double values[2], z, freedom;
    if (!finite || !distance(c, n, class, values, &z, &freedom)) {
        for (size_t i = 0; i < n; i++)
            compare_by_tolerance(c, c->pairs[0][i], c->pairs[1][i], ", for want of a standard error");
        return;
    }
    double threshold = ebm_student_quantile(c->options->alpha / (double)c->n_tests, freedom);
    if (!(z > threshold))
        return;
    char why[200], degrees[64] = "normal";
    if (isfinite(freedom))
        snprintf(degrees, sizeof degrees, "Student's t with %g degrees of freedom", freedom);
    snprintf(why, sizeof why, "%s%.3g standard errors, allowed %.3g (%s)", n >= 2 ? "means over seeds differ by " : "",
             z, threshold, degrees);
    report_values(c, at, n >= 2, values[0], values[1], why);
}

/* Whether a group is a test whose false alarms count. */
static bool has_error(const comparison *c, size_t n, ebm_row_class class) {
    double values[2], z, freedom;
    if (n == 0 || class == EBM_ROW_EXACT || class == EBM_ROW_STATUS)
        return false;
    bool own_error = isfinite(c->pairs[0][0]->se) || isfinite(c->pairs[1][0]->se);
    if (class == EBM_ROW_DERIVED && !own_error && !ebm_row_learnt_by_sampling(c->pairs[0][0]))
        return false;
    return distance(c, n, class, values, &z, &freedom);
}

/* Pairs up a group's rows; with `tell` reports those that have no partner or another status. Pairs whose statuses are
 * both ok are left in c->pairs, their number is the answer. */
static size_t pair_group(comparison *c, const side_row *rows, size_t count, bool tell) {
    size_t n = 0;
    for (size_t i = 0; i < count;) {
        bool paired =
            i + 1 < count && rows[i].side != rows[i + 1].side && compare_columns(c, &rows[i], &rows[i + 1], true) == 0;
        if (!paired) {
            if (tell)
                report_missing(c, &rows[i]);
            i++;
            continue;
        }
        const side_row *fresh = rows[i].side == 0 ? &rows[i] : &rows[i + 1];
        const side_row *reference = rows[i].side == 0 ? &rows[i + 1] : &rows[i];
        bool same = strcmp(fresh->row->status, reference->row->status) == 0;
        if (!same && tell)
            report_difference(c, fresh, false, fresh->row->status, reference->row->status, "another status");
        if (same && strcmp(fresh->row->status, "ok") == 0) {
            c->pairs[0][n] = fresh->row;
            c->pairs[1][n++] = reference->row;
        } else if (same && tell) {
            c->by_status++;
        }
        i += 2;
    }
    return n;
}

/* A random value may be empty by chance (the logarithm of a bound that is not positive): pairs with an empty value are
 * set aside, and are a difference only where one side is empty throughout and the other nowhere. */
static size_t set_empty_aside(comparison *c, const side_row *at, size_t n, bool tell) {
    size_t kept = 0, empty[2] = {0, 0};
    for (size_t i = 0; i < n; i++) {
        bool none[2] = {isnan(c->pairs[0][i]->value), isnan(c->pairs[1][i]->value)};
        empty[0] += none[0];
        empty[1] += none[1];
        for (int side = 0; side < 2 && !none[0] && !none[1]; side++)
            c->pairs[side][kept] = c->pairs[side][i];
        kept += !none[0] && !none[1];
    }
    if (tell)
        c->without_error += n - kept;
    if (tell && n > 0 && ((empty[0] == n && empty[1] == 0) || (empty[1] == n && empty[0] == 0)))
        report_difference(c, at, n >= 2, empty[0] ? "(empty)" : "a number", empty[1] ? "(empty)" : "a number",
                          "empty throughout on one side");
    return kept;
}

/* The pairs of a group that are compared by value. */
static size_t prepare_group(comparison *c, const side_row *rows, size_t count, ebm_row_class class, bool tell) {
    size_t n = pair_group(c, rows, count, tell);
    bool random = class == EBM_ROW_RANDOM || class == EBM_ROW_DERIVED;
    return random ? set_empty_aside(c, &rows[0], n, tell) : n;
}

static void compare_group(comparison *c, const side_row *rows, size_t count) {
    ebm_row_class class = ebm_row_classify(rows[0].row);
    size_t n = prepare_group(c, rows, count, class, true);
    if (has_error(c, n, class)) {
        *(n >= 2 ? &c->by_seeds : &c->by_error) += n;
        test_group(c, &rows[0], n, class);
        return;
    }
    bool wanting = class == EBM_ROW_RANDOM || class == EBM_ROW_DERIVED;
    *(class == EBM_ROW_STATUS ? &c->by_status : wanting ? &c->without_error : &c->by_tolerance) += n;
    for (size_t i = 0; i < n && class != EBM_ROW_STATUS; i++) {
        compare_by_tolerance(c, c->pairs[0][i], c->pairs[1][i], wanting ? ", for want of a standard error" : "");
    }
}

static void count_tests(comparison *c, const side_row *rows, size_t count) {
    ebm_row_class class = ebm_row_classify(rows[0].row);
    size_t n = prepare_group(c, rows, count, class, false);
    c->n_tests += has_error(c, n, class);
}

static void for_each_group(comparison *c, void (*visit)(comparison *, const side_row *, size_t)) {
    for (size_t i = 0; i < c->count;) {
        size_t n = 1;
        while (i + n < c->count && by_group(c, &c->rows[i], &c->rows[i + n]) == 0)
            n++;
        visit(c, &c->rows[i], n);
        i += n;
    }
}

/* Rows of one side with the same key are numbered, so that the k-th meets the k-th. */
static void number_repeats(comparison *c) {
    qsort_r(c->rows, c->count, sizeof *c->rows, by_key_and_side, c);
    for (size_t i = 0; i < c->count; i++) {
        bool repeats = i > 0 && c->rows[i - 1].side == c->rows[i].side && by_key(c, &c->rows[i - 1], &c->rows[i]) == 0;
        c->rows[i].place = repeats ? c->rows[i - 1].place + 1 : 0;
    }
    qsort_r(c->rows, c->count, sizeof *c->rows, by_key_and_place, c);
}

static ebm_status gather(comparison *c, const ebm_table *const tables[2], ebm_error *error) {
    size_t total = tables[0]->n_rows + tables[1]->n_rows, seeds[2];
    c->rows = calloc(total + 1, sizeof *c->rows);
    c->pairs[0] = calloc(total + 1, sizeof *c->pairs[0]);
    c->pairs[1] = calloc(total + 1, sizeof *c->pairs[1]);
    if (!c->rows || !c->pairs[0] || !c->pairs[1])
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to compare results");
    for (int side = 0; side < 2; side++) {
        EBM_TRY(ebm_count_seeds(tables[side], &seeds[side], error));
        for (size_t i = 0; i < tables[side]->n_rows; i++)
            c->rows[c->count++] = (side_row){&tables[side]->rows[i], side, i};
    }
    c->n_seeds = seeds[0] < seeds[1] ? seeds[0] : seeds[1];
    number_repeats(c);
    return EBM_OK;
}

static void compare_headers(comparison *c) {
    for (size_t i = 0; i < c->columns.count; i++)
        for (int side = 0; side < 2; side++) {
            if (c->columns.in_table[side][i] != SIZE_MAX)
                continue;
            c->differences++;
            if (c->report)
                fprintf(c->report, "  column %s: only in the %s\n", c->columns.names[i],
                        side == 0 ? "reference" : "fresh table");
        }
}

static void summarise(const comparison *c) {
    if (!c->report)
        return;
    if (c->lines > MAX_LINES)
        fprintf(c->report, "  ... and %zu more\n", c->lines - MAX_LINES);
    size_t pairs = c->by_tolerance + c->by_seeds + c->by_error + c->without_error + c->by_status;
    fprintf(c->report,
            "%zu difference%s in %zu pairs of rows: %zu exact (relative tolerance %g), %zu over seeds and %zu by their "
            "own error (%zu tests, false alarms %g in all), %zu without an error (relative tolerance), %zu by status\n",
            c->differences, c->differences == 1 ? "" : "s", pairs, c->by_tolerance, c->options->relative_tolerance,
            c->by_seeds, c->by_error, c->n_tests, c->options->alpha, c->without_error, c->by_status);
}

ebm_status ebm_compare(const ebm_table *fresh, const ebm_table *reference, const ebm_compare_options *options,
                       FILE *report, size_t *differences, ebm_error *error) {
    static const ebm_compare_options defaults = {1e-6, 1e-3};
    const ebm_table *const tables[2] = {fresh, reference};
    comparison c = {.options = options ? options : &defaults, .report = report};
    *differences = 0;
    if (!(c.options->relative_tolerance >= 0) || !(c.options->alpha > 0) || !(c.options->alpha < 1))
        return ebm_fail(error, EBM_INVALID, "comparing needs a tolerance of at least 0 and 0 < alpha < 1");
    EBM_TRY(ebm_columns_align(tables, &c.columns, error));
    ebm_status status = gather(&c, tables, error);
    if (status == EBM_OK) {
        compare_headers(&c);
        for_each_group(&c, count_tests);
        for_each_group(&c, compare_group);
        summarise(&c);
        *differences = c.differences;
    }
    free(c.rows);
    free(c.pairs[0]);
    free(c.pairs[1]);
    ebm_columns_free(&c.columns);
    return status;
}
