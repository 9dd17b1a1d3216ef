/* Choosing rows of a table, and arithmetic on estimates; shared by derived rows and checks. Internal to the harness. */
#ifndef EBM_ROWS_H
#define EBM_ROWS_H

#include "harness/suite.h"

/* Rows with a metric whose columns have the wanted values, at a step. Shallow copies: they stay valid while the table
 * grows, but not after it is freed. */
typedef struct ebm_selection {
    size_t count;
    ebm_row *rows;
} ebm_selection;

/* `at` = EBM_AT_LAST: of rows that agree in all keys, the one with the largest step. `only_ok`: then leave out
 * rows of another status or without a finite value. The caller frees with ebm_selection_free. */
EBM_NODISCARD ebm_status ebm_select(const ebm_table *table, const char *metric, size_t n_where, const ebm_match *where,
                                    int64_t at, bool only_ok, ebm_selection *out, ebm_error *error);
void ebm_selection_free(ebm_selection *selection);
/* The index of a column by name, or n_keys. */
size_t ebm_table_column(const ebm_table *table, const char *name);
bool ebm_row_matches(const ebm_table *table, const ebm_row *row, size_t n_where, const ebm_match *where);
/* The one row of a case that failed or ran out of time. */
bool ebm_row_is_failure(const ebm_row *row);
/* Order by all keys, then by step. */
int ebm_row_order(const ebm_row *a, const ebm_row *b, size_t n_keys);

/* A value and its standard error (NAN: unknown). */
typedef struct ebm_estimate {
    double value, se;
} ebm_estimate;

/* Mean, with the standard error from the spread, or a single value's own. value NAN for count = 0. */
ebm_estimate ebm_mean_estimate(size_t count, const ebm_estimate *items);
/* Means of a - b and of a / b over pairs, with the standard error from the spread of the pairs; for a single pair from
 * their own errors (for the ratio to first order). */
ebm_estimate ebm_paired_difference(size_t count, const ebm_estimate *a, const ebm_estimate *b);
ebm_estimate ebm_paired_ratio(size_t count, const ebm_estimate *a, const ebm_estimate *b);
/* Slope of log y against log x by least squares, with its standard error from the residuals (NAN for two points); NAN
 * where a logarithm does not exist or all x are the same. */
ebm_estimate ebm_loglog_slope(size_t count, const double *x, const ebm_estimate *y);
/* The first x at which y, linear between neighbours, crosses `level`; the error from those of the two neighbours. x
 * ascending. NAN where it never does. */
ebm_estimate ebm_first_crossing(size_t count, const double *x, const ebm_estimate *y, double level);
/* Geometric mean of x > 0 with its standard error from the spread of the logarithms (NAN for one); NAN where an x is not
 * positive. */
ebm_estimate ebm_geometric_mean(size_t count, const double *x);
/* a - b with the errors of both, as far as they are known. */
ebm_estimate ebm_difference(ebm_estimate a, ebm_estimate b);
/* (a - exact) / s.e.; the standard error of such a value is 1. Exactly 0 where a = exact. */
ebm_estimate ebm_z_value(ebm_estimate a, ebm_estimate exact);

#endif
