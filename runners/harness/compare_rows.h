/* Two tables side by side: the columns of both, and how each row is to be compared. Internal to the harness. */
#ifndef EBM_COMPARE_ROWS_H
#define EBM_COMPARE_ROWS_H

#include "harness/suite.h"

/* Columns of the fresh table, then those that only the reference has. */
typedef struct ebm_columns {
    size_t count;
    const char **names;
    size_t *in_table[2]; /* index in each table's keys, or SIZE_MAX */
} ebm_columns;

EBM_NODISCARD ebm_status ebm_columns_align(const ebm_table *const tables[2], ebm_columns *out, ebm_error *error);
void ebm_columns_free(ebm_columns *columns);
/* A row's text in a column; "" where its table has no such column. */
const char *ebm_columns_text(const ebm_columns *columns, const ebm_row *row, int side, size_t column);

/* What a row's value is. */
typedef enum ebm_row_class {
    EBM_ROW_STATUS, /* the verdict of a check, a failure: the status says all */
    EBM_ROW_EXACT,  /* the same on every machine but for rounding */
    EBM_ROW_RANDOM, /* an estimate by random numbers, or a property of parameters learnt by them */
    EBM_ROW_DERIVED /* computed from rows: random where it has a standard error or was learnt by sampling */
} ebm_row_class;

bool ebm_row_learnt_by_sampling(const ebm_row *row);
/* By the metric tables of runners, estimators and samplers, and by the learner: what is learnt by sampling differs between
 * machines, since rounding decides some of the draws, even where the metric itself is exact. */
ebm_row_class ebm_row_classify(const ebm_row *row);

/* Distinct seeds of a table. */
EBM_NODISCARD ebm_status ebm_count_seeds(const ebm_table *table, size_t *count, ebm_error *error);

#endif
