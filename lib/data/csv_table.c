/* CSV (RFC 4180) by libcsv in its strict mode, fed line by line so that every message can name the line. The first row
 * is held back until it is whole, because only then is it known to be a header or data. */
#include "data/csv_table.h"

#include "core/number.h"

#include <csv.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHUNK = 1 << 16, LONGEST_FIELD = 1 << 16, MOST_LABEL = 1000000 };
static const size_t none = SIZE_MAX;

typedef struct reading {
    ebm_csv_table *table;
    const ebm_csv_format *format;
    ebm_error *error;
    ebm_status status;
    ebm_position at;
    unsigned row_end;    /* line on which the last whole row ended */
    size_t fields;       /* in a row, once the first has been seen */
    size_t field;        /* of the current row */
    size_t label_column; /* or none */
    size_t capacity;     /* rows that the table's arrays can hold */
    bool first_done;
    char **first;
    size_t first_capacity;
} reading;

/* The first failure stands; what the parser still reports is ignored. */
#define FAIL(r, code, ...) ((r)->status = ebm_fail_at((r)->error, code, &(r)->at, __VA_ARGS__))

static void take_label(reading *r, const char *text) {
    int64_t value = -1;
    if (ebm_number_integer(text, &value) != EBM_NUMBER_OK || value < 0 || value > MOST_LABEL) {
        FAIL(r, EBM_FORMAT, "field %zu, the label, is '%.40s': expected a whole number from 0 to %d", r->field + 1,
             text, MOST_LABEL);
        return;
    }
    r->table->labels[r->table->rows] = (int32_t)value;
    if (value > r->table->largest_label)
        r->table->largest_label = (int32_t)value;
}

static void take_value(reading *r, const char *text) {
    double value = 0;
    if (ebm_number_real(text, &value) != EBM_NUMBER_OK || !isfinite((ebm_real)value)) {
        FAIL(r, EBM_FORMAT, "field %zu is '%.40s': expected a finite number", r->field + 1, text);
        return;
    }
    const char *expected = r->format->expected ? r->format->expected(r->format->context, value) : NULL;
    if (expected) {
        FAIL(r, EBM_FORMAT, "field %zu is '%.40s': expected %s", r->field + 1, text, expected);
        return;
    }
    size_t column = r->field - (r->label_column != none && r->field > r->label_column);
    r->table->values[r->table->rows * r->table->columns + column] = (ebm_real)value;
}

/* Room for one more row. What is asked for stays in proportion to what has been read. */
static bool grow(reading *r) {
    ebm_csv_table *table = r->table;
    if (table->rows < r->capacity)
        return true;
    size_t capacity = r->capacity ? 2 * r->capacity : 1, bytes;
    if (__builtin_mul_overflow(capacity * sizeof *table->values, table->columns, &bytes)) {
        FAIL(r, EBM_NO_MEMORY, "the table is too large");
        return false;
    }
    ebm_real *values = realloc(table->values, bytes);
    if (values)
        table->values = values;
    int32_t *labels = r->label_column != none ? realloc(table->labels, capacity * sizeof *labels) : NULL;
    if (labels)
        table->labels = labels;
    if (!values || (r->label_column != none && !labels)) {
        FAIL(r, EBM_NO_MEMORY, "no memory for %zu rows", capacity);
        return false;
    }
    r->capacity = capacity;
    return true;
}

static void take_field(reading *r, const char *text) {
    if (r->field == 0 && !grow(r))
        return;
    if (r->field == r->label_column)
        take_label(r, text);
    else
        take_value(r, text);
    r->field++;
}

static void hold_back(reading *r, const char *text) {
    if (r->field == r->first_capacity) {
        size_t capacity = r->first_capacity ? 2 * r->first_capacity : 64;
        char **first = realloc(r->first, capacity * sizeof *first);
        if (!first) {
            FAIL(r, EBM_NO_MEMORY, "no memory for a row of %zu fields", capacity);
            return;
        }
        r->first = first;
        r->first_capacity = capacity;
    }
    r->first[r->field] = strdup(text);
    if (!r->first[r->field])
        FAIL(r, EBM_NO_MEMORY, "no memory for a field");
    else
        r->field++;
}

static void on_field(void *bytes, size_t length, void *context) {
    reading *r = context;
    const char *text = bytes; /* ends with a zero: CSV_APPEND_NULL */
    if (r->status != EBM_OK)
        return;
    if (memchr(text, '\0', length))
        FAIL(r, EBM_FORMAT, "field %zu has a zero byte in it", r->field + 1);
    else if (!r->first_done)
        hold_back(r, text);
    else if (r->field == r->fields)
        FAIL(r, EBM_FORMAT, "more than %zu fields: expected as many as in the first row", r->fields);
    else
        take_field(r, text);
}

/* Which column the label option means; `header` tells whether the first row has names. */
static void find_label(reading *r, bool header) {
    const char *label = r->format->label;
    int64_t number = 0;
    if (!label)
        return;
    for (size_t f = 0; header && f < r->fields; f++)
        if (strcmp(r->first[f], label) == 0) {
            r->label_column = f;
            return;
        }
    if (ebm_number_integer(label, &number) == EBM_NUMBER_OK && number >= 1 && (uint64_t)number <= r->fields)
        r->label_column = (size_t)number - 1;
    else
        FAIL(r, EBM_FORMAT, "no column '%.60s' for the labels: expected %s a number from 1 to %zu", label,
             header ? "a name in the header or" : "(there is no header)", r->fields);
}

/* A field that only a header has: no number, and nothing that stands for a missing or infinite one. */
static bool is_name(const char *text) {
    static const char *const missing[] = {"", "nan", "na", "n/a", "null", "none", "inf", "infinity"};
    const char *unsigned_text = text + (*text == '-' || *text == '+');
    double ignored;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (strcasecmp(unsigned_text, missing[i]) == 0)
            return false;
    return ebm_number_real(text, &ignored) == EBM_NUMBER_SYNTAX;
}

static void first_row(reading *r) {
    bool header = r->format->header == EBM_CSV_HEADER_PRESENT;
    r->fields = r->field;
    r->first_done = true;
    for (size_t f = 0; f < r->fields && r->format->header == EBM_CSV_HEADER_AUTO; f++)
        header = header || is_name(r->first[f]);
    find_label(r, header);
    r->table->columns = r->fields - (r->label_column != none);
    if (r->status == EBM_OK && r->table->columns == 0)
        FAIL(r, EBM_FORMAT, "no column but the label's");
    r->field = 0;
    while (r->status == EBM_OK && !header && r->field < r->fields)
        take_field(r, r->first[r->field]);
    if (r->status == EBM_OK && !header)
        r->table->rows = 1;
}

static void on_row(int terminator, void *context) {
    reading *r = context;
    (void)terminator;
    if (r->status != EBM_OK)
        return;
    if (!r->first_done)
        first_row(r);
    else if (r->field != r->fields)
        FAIL(r, EBM_FORMAT, "%zu fields: expected %zu as in the first row", r->field, r->fields);
    else
        r->table->rows++;
    r->field = 0;
    r->row_end = r->at.line;
}

static void parser_failed(reading *r, struct csv_parser *parser) {
    if (csv_error(parser) == CSV_EPARSE)
        FAIL(r, EBM_FORMAT, "a quote within a field: expected quotes around the whole field, doubled inside it");
    else
        FAIL(r, EBM_NO_MEMORY, "no memory: %s", csv_strerror(csv_error(parser)));
}

static void never_closes(reading *r) {
    r->at.line = r->row_end + 1;
    FAIL(r, EBM_FORMAT, "a quote that opens in this row never closes");
}

/* One line or the part of it that is at hand, and the count of lines. */
static void feed(reading *r, struct csv_parser *parser, const char *bytes, size_t length) {
    if (csv_parse(parser, bytes, length, on_field, on_row, r) != length && r->status == EBM_OK)
        parser_failed(r, parser);
    else if (r->status == EBM_OK && csv_get_buffer_size(parser) > LONGEST_FIELD)
        r->at.line > r->row_end + 1 ? never_closes(r)
                                    : (void)FAIL(r, EBM_FORMAT, "a field of more than %d bytes", LONGEST_FIELD);
    if (length > 0 && bytes[length - 1] == '\n')
        r->at.line++;
}

static void feed_all(reading *r, struct csv_parser *parser, FILE *in) {
    char *chunk = malloc(CHUNK);
    bool start = true;
    if (!chunk) {
        FAIL(r, EBM_NO_MEMORY, "no memory to read it");
        return;
    }
    for (size_t got; r->status == EBM_OK && (got = fread(chunk, 1, CHUNK, in)) > 0; start = false) {
        const char *at = chunk, *end = chunk + got;
        if (start && got >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
            at += 3; /* the byte order mark that spreadsheets put before UTF-8 */
        while (r->status == EBM_OK && at < end) {
            const char *newline = memchr(at, '\n', (size_t)(end - at)), *next = newline ? newline + 1 : end;
            feed(r, parser, at, (size_t)(next - at));
            at = next;
        }
    }
    if (r->status == EBM_OK && ferror(in))
        FAIL(r, EBM_IO, "cannot be read: %s", strerror(errno));
    free(chunk);
}

ebm_status ebm_csv_table_read(const char *name, FILE *in, const ebm_csv_format *format, ebm_csv_table *out,
                              ebm_error *error) {
    struct csv_parser parser;
    memset(out, 0, sizeof *out);
    reading r = {.table = out, .format = format, .error = error, .at = {name, 1, 0}, .label_column = none};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
        return ebm_fail(error, EBM_NO_MEMORY, "%s: no memory to read it", name);
    feed_all(&r, &parser, in);
    if (r.status == EBM_OK && csv_fini(&parser, on_field, on_row, &r) != 0) {
        if (csv_error(&parser) == CSV_EPARSE)
            never_closes(&r);
        else
            parser_failed(&r, &parser);
    }
    csv_free(&parser);
    if (r.status == EBM_OK && out->rows == 0)
        FAIL(&r, EBM_FORMAT, "no rows of numbers");
    for (size_t f = 0; f < (r.first_done ? r.fields : r.field); f++)
        free(r.first[f]);
    free(r.first);
    if (r.status != EBM_OK)
        ebm_csv_table_free(out);
    return r.status;
}

void ebm_csv_table_free(ebm_csv_table *table) {
    if (!table)
        return;
    free(table->values);
    free(table->labels);
    memset(table, 0, sizeof *table);
}
