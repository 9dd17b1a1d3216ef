/* Writing and reading checkpoints. Everything is checked before anything is changed. */
#include "harness/output_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = {'E', 'B', 'M', 'S', 'T', 'A', 'T', 'E'};
static const uint64_t version = 1;
enum { KEY_BYTES = 2 * EBM_HASH_TEXT };

typedef struct writer {
    FILE *stream;
    ebm_hash hash;
} writer;

static void put(writer *to, const void *bytes, size_t size) {
    if (size == 0)
        return;
    fwrite(bytes, 1, size, to->stream);
    ebm_hash_add(&to->hash, bytes, size);
}

static void put_u64(writer *to, uint64_t value) {
    put(to, &value, sizeof value);
}

static void put_rows(writer *to, const ebm_table *table) {
    put_u64(to, table->n_rows);
    for (size_t i = 0; i < table->n_rows; i++) {
        const ebm_row *row = &table->rows[i];
        size_t length = strlen(row->metric);
        put(to, &row->step, sizeof row->step);
        put(to, &row->value, sizeof row->value);
        put(to, &row->se, sizeof row->se);
        put_u64(to, length);
        put(to, row->metric, length);
    }
}

ebm_status ebm_checkpoint_write(const ebm_checkpoint *point, const char *path, ebm_error *error) {
    ebm_new_file file;
    char key[KEY_BYTES] = {0};
    int64_t peak = point->spent.peak_kib;
    EBM_TRY(ebm_new_file_open(&file, path, error));
    writer to = {file.stream, ebm_hash_begin()};
    snprintf(key, sizeof key, "%s", point->key);
    put(&to, magic, sizeof magic);
    put_u64(&to, version);
    put(&to, key, sizeof key);
    put_u64(&to, point->step);
    put(&to, &point->spent.seconds, sizeof(double));
    put(&to, &point->spent.cpu_seconds, sizeof(double));
    put(&to, &peak, sizeof peak);
    put_rows(&to, point->table);
    put_u64(&to, point->n_regions);
    for (size_t i = 0; i < point->n_regions; i++)
        put_u64(&to, point->regions[i].bytes);
    for (size_t i = 0; i < point->n_regions; i++)
        put(&to, point->regions[i].data, point->regions[i].bytes);
    ebm_hash sum = to.hash;
    fwrite(&sum, sizeof sum, 1, file.stream);
    return ebm_new_file_commit(&file, error);
}

typedef struct reader {
    const char *at;
    size_t left;
    bool short_of; /* something was missing */
} reader;

static void take(reader *from, void *out, size_t size) {
    if (size == 0)
        return;
    if (from->short_of || from->left < size) {
        from->short_of = true;
        memset(out, 0, size);
        return;
    }
    memcpy(out, from->at, size);
    from->at += size;
    from->left -= size;
}

static uint64_t take_u64(reader *from) {
    uint64_t value;
    take(from, &value, sizeof value);
    return value;
}

/* Reads the rows; adds them to the table when there is one. */
static ebm_status take_rows(reader *from, ebm_table *table, const char *const *keys, ebm_error *error) {
    uint64_t count = take_u64(from);
    for (uint64_t i = 0; i < count && !from->short_of; i++) {
        int64_t step;
        double value, se;
        char metric[256] = "";
        take(from, &step, sizeof step);
        take(from, &value, sizeof value);
        take(from, &se, sizeof se);
        uint64_t length = take_u64(from);
        from->short_of = from->short_of || length >= sizeof metric;
        if (!from->short_of)
            take(from, metric, (size_t)length);
        if (table != NULL && !from->short_of)
            EBM_TRY(ebm_table_add(table, keys, step, metric, value, se, "ok", error));
    }
    return EBM_OK;
}

static bool sum_agrees(const char *bytes, size_t size) {
    ebm_hash said, found = ebm_hash_begin();
    if (size < sizeof said)
        return false;
    memcpy(&said, bytes + size - sizeof said, sizeof said);
    ebm_hash_add(&found, bytes, size - sizeof said);
    return said.a == found.a && said.b == found.b;
}

/* Why the header does not fit, or NULL; leaves `from` at the rows. */
static const char *header_fault(reader *from, ebm_checkpoint *point) {
    char found_magic[sizeof magic], found_key[KEY_BYTES], key[KEY_BYTES] = {0};
    int64_t peak;
    take(from, found_magic, sizeof found_magic);
    uint64_t found_version = take_u64(from);
    take(from, found_key, sizeof found_key);
    snprintf(key, sizeof key, "%s", point->key);
    if (from->short_of || memcmp(found_magic, magic, sizeof magic) != 0 || found_version != version)
        return "it is of another kind";
    if (memcmp(found_key, key, sizeof key) != 0)
        return "it belongs to another case or build";
    point->step = take_u64(from);
    take(from, &point->spent.seconds, sizeof(double));
    take(from, &point->spent.cpu_seconds, sizeof(double));
    take(from, &peak, sizeof peak);
    point->spent.peak_kib = (long)peak;
    return NULL;
}

/* Why the regions do not fit, or NULL; leaves `from` at their contents. */
static const char *regions_fault(reader *from, const ebm_checkpoint *point) {
    size_t total = 0;
    if (take_u64(from) != point->n_regions)
        return "it has another number of regions";
    for (size_t i = 0; i < point->n_regions; i++) {
        if (take_u64(from) != point->regions[i].bytes)
            return "its regions have other sizes";
        total += point->regions[i].bytes;
    }
    return from->short_of || from->left != total ? "it is cut short" : NULL;
}

static ebm_status take_checkpoint(ebm_checkpoint *point, const char *const *keys, const char *bytes, size_t size,
                                  const char *path, ebm_error *error) {
    ebm_checkpoint found = *point;
    if (!sum_agrees(bytes, size))
        return ebm_fail(error, EBM_FORMAT, "%s: its checksum does not agree", path);
    reader from = {bytes, size - sizeof(ebm_hash), false};
    const char *fault = header_fault(&from, &found);
    reader rows = from;
    if (fault == NULL) {
        EBM_TRY(take_rows(&from, NULL, keys, error));
        fault = regions_fault(&from, &found);
    }
    if (fault != NULL)
        return ebm_fail(error, EBM_FORMAT, "%s: %s", path, fault);
    EBM_TRY(take_rows(&rows, point->table, keys, error));
    for (size_t i = 0; i < point->n_regions; i++)
        take(&from, point->regions[i].data, point->regions[i].bytes);
    *point = found;
    return EBM_OK;
}

ebm_status ebm_checkpoint_read(ebm_checkpoint *point, const char *const *keys, const char *path, ebm_error *error) {
    char *bytes;
    size_t size;
    EBM_TRY(ebm_file_read(path, SIZE_MAX / 2, &bytes, &size, error));
    ebm_status status = take_checkpoint(point, keys, bytes, size, path, error);
    free(bytes);
    return status;
}
