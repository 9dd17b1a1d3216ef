/* A table of numbers from CSV, with an optional column of labels. Internal. */
#ifndef EBM_DATA_CSV_TABLE_H
#define EBM_DATA_CSV_TABLE_H

#include "ebm/real.h"
#include "ebm/status.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum ebm_csv_header { EBM_CSV_HEADER_AUTO, EBM_CSV_HEADER_PRESENT, EBM_CSV_HEADER_ABSENT } ebm_csv_header;

typedef struct ebm_csv_format {
    ebm_csv_header header; /* AUTO: the first row is one if any of its fields is a name (nan and blanks are none) */
    const char *label;     /* name of the label column, or its number from 1; NULL: none */
    /* NULL if the value can stand in the table, else what was expected; NULL itself: any finite number can. */
    const char *(*expected)(const void *context, double value);
    const void *context;
} ebm_csv_format;

typedef struct ebm_csv_table {
    size_t rows, columns; /* columns without the label's */
    ebm_real *values;     /* (rows, columns) */
    int32_t *labels;      /* rows, or NULL */
    int32_t largest_label;
} ebm_csv_table;

/* `name` is for messages, which carry the line. */
EBM_NODISCARD ebm_status ebm_csv_table_read(const char *name, FILE *in, const ebm_csv_format *format,
                                            ebm_csv_table *out, ebm_error *error);
void ebm_csv_table_free(ebm_csv_table *table);

#endif
