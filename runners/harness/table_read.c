/* Reading result tables: CSV by libcsv in its strict mode, every field checked.
 *
 * libcsv counts no lines, so it is fed one line at a time. A row is refused with its line when it is ragged, empty, has
 * a quote that never closes or stands inside a plain field, or a number that is not one. */
#include "harness/table.h"

#include <csv.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const tail_names[EBM_TABLE_TAIL_COLUMNS] = {"step", "metric", "value", "se", "status"};
enum { TAIL_STEP, TAIL_METRIC, TAIL_VALUE, TAIL_SE, TAIL_STATUS };

typedef struct reader {
    ebm_table *table;
    ebm_error *error;
    ebm_status status;
    ebm_position at; /* the line being fed; column 0 */
    unsigned row_line;
    size_t n_columns; /* 0 until the header is read */
    size_t n_fields;
    char *fields[EBM_TABLE_MAX_COLUMNS];
    size_t pending; /* bytes fed since the last field ended */
} reader;

static bool failed(const reader *r) {
    return r->status != EBM_OK;
}

static void take_field(void *bytes, size_t length, void *context) {
    reader *r = context;
    r->pending = 0;
    if (failed(r))
        return;
    if (r->n_fields == 0)
        r->row_line = r->at.line;
    if (length > EBM_TABLE_MAX_FIELD) {
        r->status =
            ebm_fail_at(r->error, EBM_FORMAT, &r->at, "a field of %zu bytes: at most %d", length, EBM_TABLE_MAX_FIELD);
        return;
    }
    if (length && memchr(bytes, '\0', length)) {
        r->status = ebm_fail_at(r->error, EBM_FORMAT, &r->at, "a field contains a NUL byte");
        return;
    }
    size_t limit = r->n_columns ? r->n_columns : EBM_TABLE_MAX_COLUMNS;
    if (r->n_fields < limit) {
        char *copy = strndup(length ? bytes : "", length);
        if (!copy) {
            r->status = ebm_fail(r->error, EBM_NO_MEMORY, "no memory for a table of results");
            return;
        }
        r->fields[r->n_fields] = copy;
    }
    r->n_fields++;
}

static void release_fields(reader *r) {
    size_t limit = r->n_columns ? r->n_columns : EBM_TABLE_MAX_COLUMNS;
    for (size_t i = 0; i < r->n_fields && i < limit; i++)
        free(r->fields[i]);
    r->n_fields = 0;
}

/* suite ... seed, the axes, step ... status */
static ebm_status take_header(reader *r, const ebm_position *at) {
    if (r->n_fields > EBM_TABLE_MAX_COLUMNS)
        return ebm_fail_at(r->error, EBM_FORMAT, at, "%zu columns: at most %d", r->n_fields, EBM_TABLE_MAX_COLUMNS);
    if (r->n_fields < EBM_FIXED_COLUMNS + EBM_TABLE_TAIL_COLUMNS)
        return ebm_fail_at(r->error, EBM_FORMAT, at,
                           "%zu columns: expected suite,case,model,dataset,sampler,learner,seed,...,step,metric,"
                           "value,se,status",
                           r->n_fields);
    size_t n_keys = r->n_fields - EBM_TABLE_TAIL_COLUMNS;
    const char *const *axes = (const char *const *)r->fields + EBM_FIXED_COLUMNS;
    EBM_TRY(ebm_table_create(n_keys - EBM_FIXED_COLUMNS, axes, r->table, r->error));
    for (size_t i = 0; i < r->n_fields; i++) {
        const char *expected = i < EBM_FIXED_COLUMNS ? r->table->key_names[i]
                               : i < n_keys          ? NULL
                                                     : tail_names[i - n_keys];
        if (expected && strcmp(r->fields[i], expected) != 0)
            return ebm_fail_at(r->error, EBM_FORMAT, at, "column %zu is '%.60s': expected '%s'", i + 1, r->fields[i],
                               expected);
        for (size_t j = 0; j < i; j++)
            if (strcmp(r->fields[i], r->fields[j]) == 0)
                return ebm_fail_at(r->error, EBM_FORMAT, at, "columns %zu and %zu are both named '%.60s'", j + 1, i + 1,
                                   r->fields[i]);
    }
    return EBM_OK;
}

static ebm_status parse_number(const reader *r, const ebm_position *at, const char *column, const char *text,
                               double *out) {
    *out = NAN;
    if (!*text)
        return EBM_OK;
    if (strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0) {
        *out = text[0] == '-' ? -INFINITY : INFINITY;
        return EBM_OK;
    }
    char *end = NULL;
    bool plain = strspn(text, "0123456789+-.eE") == strlen(text) && text[0] != '+';
    double value = plain ? strtod(text, &end) : NAN;
    if (!plain || *end || !isfinite(value))
        return ebm_fail_at(r->error, EBM_FORMAT, at, "column %s: '%.60s' is not a finite number", column, text);
    *out = value;
    return EBM_OK;
}

static ebm_status parse_step(const reader *r, const ebm_position *at, const char *text, int64_t *out) {
    *out = -1;
    if (!*text)
        return EBM_OK;
    errno = 0;
    if (strspn(text, "0123456789") == strlen(text))
        *out = strtoll(text, NULL, 10);
    if (*out < 0 || errno)
        return ebm_fail_at(r->error, EBM_FORMAT, at, "column step: '%.60s' is not a whole number", text);
    return EBM_OK;
}

static ebm_status take_values(reader *r, const ebm_position *at) {
    if (r->n_fields != r->n_columns)
        return ebm_fail_at(r->error, EBM_FORMAT, at, "%zu fields where the header has %zu", r->n_fields, r->n_columns);
    char **tail = r->fields + r->table->n_keys;
    int64_t step;
    double value, se;
    EBM_TRY(parse_step(r, at, tail[TAIL_STEP], &step));
    EBM_TRY(parse_number(r, at, "value", tail[TAIL_VALUE], &value));
    EBM_TRY(parse_number(r, at, "se", tail[TAIL_SE], &se));
    return ebm_table_add(r->table, (const char *const *)r->fields, step, tail[TAIL_METRIC], value, se,
                         tail[TAIL_STATUS], r->error);
}

static void take_row(int terminator, void *context) {
    (void)terminator;
    reader *r = context;
    ebm_position at = {r->at.file, r->row_line, 0};
    if (!failed(r))
        r->status = r->n_columns ? take_values(r, &at) : take_header(r, &at);
    size_t n_columns = r->n_fields;
    release_fields(r);
    if (!failed(r) && !r->n_columns)
        r->n_columns = n_columns;
}

static int no_space(unsigned char c) {
    (void)c;
    return 0;
}

static bool at_row_start(const reader *r) {
    return r->n_fields == 0 && r->pending == 0;
}

static ebm_status feed_line(reader *r, struct csv_parser *parser, const char *line, size_t length) {
    enum { CHUNK = 1 << 16 };
    bool blank = length == 0 || line[0] == '\n' || line[0] == '\r';
    if (blank && at_row_start(r))
        return ebm_fail_at(r->error, EBM_FORMAT, &r->at, "an empty line: expected %s",
                           r->n_columns ? "a row" : "the columns");
    for (size_t fed = 0; fed < length && !failed(r);) {
        size_t chunk = length - fed < CHUNK ? length - fed : CHUNK;
        r->pending += chunk;
        if (csv_parse(parser, line + fed, chunk, take_field, take_row, r) != chunk && !failed(r)) {
            if (csv_error(parser) == CSV_ENOMEM)
                return ebm_fail(r->error, EBM_NO_MEMORY, "no memory for a table of results");
            return ebm_fail_at(r->error, EBM_FORMAT, &r->at,
                               "a quote inside a field: quote the whole field and write \"\" for a quote in it");
        }
        if (!failed(r) && r->pending > EBM_TABLE_MAX_FIELD + (size_t)CHUNK)
            return ebm_fail_at(r->error, EBM_FORMAT, &r->at,
                               "a field of more than %d bytes: has a quote been left open?", EBM_TABLE_MAX_FIELD);
        fed += chunk;
    }
    return r->status;
}

static ebm_status feed_all(reader *r, struct csv_parser *parser, const char *bytes, size_t size) {
    unsigned last_row_line = 0;
    while (size > 0) {
        const char *newline = memchr(bytes, '\n', size);
        size_t length = newline ? (size_t)(newline - bytes) + 1 : size;
        r->at.line++;
        if (at_row_start(r))
            last_row_line = r->at.line;
        EBM_TRY(feed_line(r, parser, bytes, length));
        bytes += length;
        size -= length;
    }
    if (csv_fini(parser, take_field, take_row, r) != 0 && !failed(r)) {
        ebm_position at = {r->at.file, last_row_line, 0};
        return ebm_fail_at(r->error, EBM_FORMAT, &at, "a quote that never closes");
    }
    EBM_TRY(r->status);
    if (!r->n_columns) {
        ebm_position at = {r->at.file, 1, 0};
        return ebm_fail_at(r->error, EBM_FORMAT, &at, "the file is empty: expected a header line");
    }
    return EBM_OK;
}

ebm_status ebm_table_parse(const char *name, const char *bytes, size_t size, ebm_table *out, ebm_error *error) {
    *out = (ebm_table){0};
    reader r = {.table = out, .error = error, .at = {name, 0, 0}};
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return ebm_fail(error, EBM_INVALID, "libcsv does not start");
    csv_set_space_func(&parser, no_space);
    csv_set_blk_size(&parser, 1 << 16); /* by which its buffer grows: 128 bytes would make a long field quadratic */
    ebm_status status = feed_all(&r, &parser, bytes, size);
    release_fields(&r);
    csv_free(&parser);
    if (status != EBM_OK)
        ebm_table_free(out);
    return status;
}

static ebm_status read_stream(FILE *in, const char *path, char **bytes, size_t *size, ebm_error *error) {
    struct stat info;
    if (fstat(fileno(in), &info) != 0)
        return ebm_fail(error, EBM_IO, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return ebm_fail(error, EBM_IO, "cannot read %s: not a file", path);
    if (info.st_size > EBM_TABLE_MAX_BYTES)
        return ebm_fail(error, EBM_FORMAT, "%s has %lld bytes: a table has at most %lld", path, (long long)info.st_size,
                        (long long)EBM_TABLE_MAX_BYTES);
    *size = (size_t)info.st_size;
    *bytes = malloc(*size + 1);
    if (!*bytes)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %s (%zu bytes)", path, *size);
    if (fread(*bytes, 1, *size, in) != *size)
        return ebm_fail(error, EBM_IO, "cannot read %s: %s", path, ferror(in) ? strerror(errno) : "it became shorter");
    return EBM_OK;
}

ebm_status ebm_table_read(const char *path, ebm_table *out, ebm_error *error) {
    *out = (ebm_table){0};
    FILE *in = fopen(path, "rb");
    if (!in)
        return ebm_fail(error, EBM_IO, "cannot read %s: %s", path, strerror(errno));
    char *bytes = NULL;
    size_t size = 0;
    ebm_status status = read_stream(in, path, &bytes, &size, error);
    fclose(in);
    if (status == EBM_OK)
        status = ebm_table_parse(path, bytes, size, out, error);
    free(bytes);
    return status;
}
