/* Results as a table: reading, writing and finding rows of the CSV files.
 *
 * Columns: suite,case,model,dataset,sampler,learner,seed,<one per further axis>,step,metric,value,se,status. RFC 4180
 * quoting where a field needs it, LF line ends, UTF-8; numbers as the shortest text that reads back the same (at most
 * %.17g), infinities as inf and -inf; a missing number is empty. */
#ifndef EBM_TABLE_H
#define EBM_TABLE_H

#include "ebm/status.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    EBM_COLUMN_SUITE,
    EBM_COLUMN_CASE,
    EBM_COLUMN_MODEL,
    EBM_COLUMN_DATASET,
    EBM_COLUMN_SAMPLER,
    EBM_COLUMN_LEARNER,
    EBM_COLUMN_SEED,
    EBM_FIXED_COLUMNS
};

enum {
    EBM_TABLE_TAIL_COLUMNS = 5, /* step, metric, value, se, status */
    EBM_TABLE_MAX_COLUMNS = 64,
    EBM_TABLE_MAX_FIELD = 1 << 20,
    EBM_TABLE_MAX_BYTES = 1 << 30
};

typedef struct ebm_row {
    char **keys;  /* n_keys texts: the fixed columns, then the axes */
    int64_t step; /* -1: empty */
    char *metric;
    double value; /* NAN: empty */
    double se;    /* NAN: empty */
    char *status; /* ok, failed, timeout, not-applicable; checks: held, fell-short, did-not-reproduce, not-checked */
} ebm_row;

typedef struct ebm_table {
    size_t n_keys;
    char **key_names;
    size_t n_rows, capacity;
    ebm_row *rows;
} ebm_table;

EBM_NODISCARD ebm_status ebm_table_create(size_t n_axes, const char *const *axes, ebm_table *out, ebm_error *error);
void ebm_table_free(ebm_table *table);
/* Copies everything. `keys`: n_keys texts. */
EBM_NODISCARD ebm_status ebm_table_add(ebm_table *table, const char *const *keys, int64_t step, const char *metric,
                                       double value, double se, const char *status, ebm_error *error);
/* Bounded: at most 1 GiB, 64 columns, 1 MiB a field. */
EBM_NODISCARD ebm_status ebm_table_read(const char *path, ebm_table *out, ebm_error *error);
EBM_NODISCARD ebm_status ebm_table_parse(const char *name, const char *bytes, size_t size, ebm_table *out,
                                         ebm_error *error);
/* The CSV text, header first. Errors of the stream are the caller's to look at (ferror). */
void ebm_table_print(const ebm_table *table, FILE *out);
/* By temporary file in the same folder, fsync and rename. */
EBM_NODISCARD ebm_status ebm_table_write(const ebm_table *table, const char *path, ebm_error *error);
/* Shortest %.{15,16,17}g that reads back the same; "" for NAN. Returns buffer (>= 32 bytes). */
const char *ebm_table_number(double value, char *buffer, size_t size);

#endif
