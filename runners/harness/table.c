/* Tables in memory and their writing. Reading is in table_read.c.
 *
 * A row owns one block of memory: its keys' pointers, then all its texts. */
#include "harness/table.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const fixed_names[EBM_FIXED_COLUMNS] = {"suite",   "case",    "model", "dataset",
                                                           "sampler", "learner", "seed"};

static ebm_status no_memory(ebm_error *error) {
    return ebm_fail(error, EBM_NO_MEMORY, "no memory for a table of results");
}

ebm_status ebm_table_create(size_t n_axes, const char *const *axes, ebm_table *out, ebm_error *error) {
    *out = (ebm_table){0};
    if (n_axes > EBM_TABLE_MAX_COLUMNS - EBM_FIXED_COLUMNS - EBM_TABLE_TAIL_COLUMNS)
        return ebm_fail(error, EBM_INVALID, "%zu axes: a table has at most %d columns", n_axes, EBM_TABLE_MAX_COLUMNS);
    out->key_names = calloc(EBM_FIXED_COLUMNS + n_axes, sizeof *out->key_names);
    if (!out->key_names)
        return no_memory(error);
    out->n_keys = EBM_FIXED_COLUMNS + n_axes;
    for (size_t i = 0; i < out->n_keys; i++) {
        out->key_names[i] = strdup(i < EBM_FIXED_COLUMNS ? fixed_names[i] : axes[i - EBM_FIXED_COLUMNS]);
        if (!out->key_names[i]) {
            ebm_table_free(out);
            return no_memory(error);
        }
    }
    return EBM_OK;
}

void ebm_table_free(ebm_table *table) {
    for (size_t i = 0; i < table->n_rows; i++)
        free(table->rows[i].keys);
    free(table->rows);
    for (size_t i = 0; i < table->n_keys; i++)
        free(table->key_names[i]);
    free(table->key_names);
    *table = (ebm_table){0};
}

static char *copy_text(char **cursor, const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*cursor, text, size);
    *cursor += size;
    return copy;
}

ebm_status ebm_table_add(ebm_table *table, const char *const *keys, int64_t step, const char *metric, double value,
                         double se, const char *status, ebm_error *error) {
    if (table->n_rows == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 64;
        ebm_row *rows = reallocarray(table->rows, capacity, sizeof *rows);
        if (!rows)
            return no_memory(error);
        table->rows = rows;
        table->capacity = capacity;
    }
    size_t size = table->n_keys * sizeof(char *) + strlen(metric) + 1 + strlen(status) + 1;
    for (size_t i = 0; i < table->n_keys; i++)
        size += strlen(keys[i]) + 1;
    char **block = malloc(size);
    if (!block)
        return no_memory(error);
    char *cursor = (char *)(block + table->n_keys);
    ebm_row *row = &table->rows[table->n_rows++];
    *row = (ebm_row){.keys = block, .step = step < 0 ? -1 : step, .value = value, .se = se};
    for (size_t i = 0; i < table->n_keys; i++)
        block[i] = copy_text(&cursor, keys[i]);
    row->metric = copy_text(&cursor, metric);
    row->status = copy_text(&cursor, status);
    return EBM_OK;
}

const char *ebm_table_number(double value, char *buffer, size_t size) {
    if (isnan(value)) {
        buffer[0] = '\0';
        return buffer;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buffer, size, "%.*g", digits, value);
        if (isinf(value) || strtod(buffer, NULL) == value)
            break;
    }
    return buffer;
}

static void write_field(FILE *out, const char *text) {
    size_t length = strlen(text);
    bool quote = strpbrk(text, ",\"\r\n") || (length && (text[0] == ' ' || text[length - 1] == ' '));
    if (!quote) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '"')
            fputc('"', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

static void write_row(FILE *out, const ebm_table *table, const ebm_row *row) {
    char number[32];
    for (size_t i = 0; i < table->n_keys; i++) {
        write_field(out, row->keys[i]);
        fputc(',', out);
    }
    if (row->step >= 0)
        fprintf(out, "%lld", (long long)row->step);
    fputc(',', out);
    write_field(out, row->metric);
    fprintf(out, ",%s", ebm_table_number(row->value, number, sizeof number));
    fprintf(out, ",%s,", ebm_table_number(row->se, number, sizeof number));
    write_field(out, row->status);
    fputc('\n', out);
}

void ebm_table_print(const ebm_table *table, FILE *out) {
    for (size_t i = 0; i < table->n_keys; i++) {
        write_field(out, table->key_names[i]);
        fputc(',', out);
    }
    fputs("step,metric,value,se,status\n", out);
    for (size_t i = 0; i < table->n_rows; i++)
        write_row(out, table, &table->rows[i]);
}

/* A rename is only as lasting as the folder's own entry. */
static bool sync_folder(const char *path) {
    char *copy = strdup(path);
    if (!copy)
        return false;
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (folder < 0)
        return false;
    /* Some file systems cannot sync a folder: EINVAL then, and nothing is lost that could have been kept. */
    bool ok = fsync(folder) == 0 || errno == EINVAL;
    close(folder);
    return ok;
}

static bool write_stream(const ebm_table *table, int descriptor) {
    FILE *out = fdopen(descriptor, "w");
    if (!out) {
        close(descriptor);
        return false;
    }
    ebm_table_print(table, out);
    bool ok = fflush(out) == 0 && !ferror(out) && fsync(descriptor) == 0;
    int reason = errno;
    ok = fclose(out) == 0 && ok;
    if (!ok && reason)
        errno = reason;
    return ok;
}

ebm_status ebm_table_write(const ebm_table *table, const char *path, ebm_error *error) {
    char *temporary;
    if (asprintf(&temporary, "%s.%ld.tmp", path, (long)getpid()) < 0)
        return no_memory(error);
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        int reason = errno;
        free(temporary);
        return ebm_fail(error, EBM_IO, "cannot write %s: %s", path, strerror(reason));
    }
    errno = 0;
    bool ok = write_stream(table, descriptor) && rename(temporary, path) == 0 && sync_folder(path);
    int reason = errno;
    if (!ok)
        unlink(temporary);
    free(temporary);
    return ok ? EBM_OK : ebm_fail(error, EBM_IO, "cannot write %s: %s", path, strerror(reason));
}
