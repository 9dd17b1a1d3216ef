/* IDX: two zero bytes, the element type (8 = unsigned byte), the rank, one big-endian 32-bit length a dimension, the
 * data in C order. zlib reads plain and gzip files alike.
 *
 * A header is a claim: memory is asked for in steps, as data arrive, so that a few bytes announcing terabytes cost no
 * more than a few bytes; and a file that goes on after its data is refused, so that a small header before a large file
 * is noticed too. */
#include "data/idx.h"

#include "data/datasets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { UNSIGNED_BYTE = 8, MAX_RANK = 4 };
static const size_t first_step = (size_t)4 << 20;

typedef struct reader {
    gzFile file;
    const char *name;
    ebm_error *error;
} reader;

/* Reads up to `wanted` bytes; fewer only at the end of the file. */
static ebm_status read_some(const reader *from, uint8_t *out, size_t wanted, size_t *got) {
    *got = 0;
    while (*got < wanted) {
        size_t left = wanted - *got;
        int n = gzread(from->file, out + *got, left < 1u << 30 ? (unsigned)left : 1u << 30);
        int code = Z_OK;
        const char *reason = gzerror(from->file, &code);
        if (n < 0 || (code != Z_OK && code != Z_STREAM_END))
            return code == Z_ERRNO
                       ? ebm_fail(from->error, EBM_IO, "%s: cannot be read: %s", from->name, strerror(errno))
                       : ebm_fail(from->error, EBM_FORMAT, "%s: damaged or truncated gzip data (%s)", from->name,
                                  code == Z_BUF_ERROR ? "unexpected end of file" : reason);
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return EBM_OK;
}

static ebm_status read_header(const reader *from, size_t limit_bytes, ebm_idx *out) {
    uint8_t bytes[4 + 4 * MAX_RANK];
    size_t got;
    EBM_TRY(read_some(from, bytes, 4, &got));
    if (got < 4 || bytes[0] != 0 || bytes[1] != 0)
        return ebm_fail(from->error, EBM_FORMAT, "%s: not an IDX file (it does not begin with two zero bytes)",
                        from->name);
    if (bytes[2] != UNSIGNED_BYTE)
        return ebm_fail(from->error, EBM_FORMAT,
                        "%s: IDX elements of type 0x%02x are not read, only unsigned bytes "
                        "(0x08)",
                        from->name, bytes[2]);
    if (bytes[3] < 1 || bytes[3] > MAX_RANK)
        return ebm_fail(from->error, EBM_FORMAT, "%s: an IDX file of %u dimensions: expected 1 to %d", from->name,
                        bytes[3], MAX_RANK);
    out->rank = bytes[3];
    EBM_TRY(read_some(from, bytes, 4 * (size_t)out->rank, &got));
    if (got < 4 * (size_t)out->rank)
        return ebm_fail(from->error, EBM_FORMAT, "%s: truncated within the IDX header", from->name);
    out->count = 1;
    for (unsigned d = 0; d < out->rank; d++) {
        const uint8_t *b = bytes + 4 * d;
        out->shape[d] = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
        if (__builtin_mul_overflow(out->count, out->shape[d], &out->count))
            return ebm_fail(from->error, EBM_FORMAT, "%s: the shape in the IDX header is too large", from->name);
    }
    if (out->count > limit_bytes)
        return ebm_fail(from->error, EBM_FORMAT, "%s: the IDX header announces %zu bytes: at most %zu are read here",
                        from->name, out->count, limit_bytes);
    return EBM_OK;
}

static ebm_status read_data(const reader *from, ebm_idx *out) {
    size_t capacity = 0, held = 0;
    do {
        size_t grown = capacity == 0 ? first_step : 2 * capacity, got;
        capacity = grown < out->count ? grown : out->count;
        uint8_t *data = realloc(out->data, capacity ? capacity : 1);
        if (!data)
            return ebm_fail(from->error, EBM_NO_MEMORY, "%s: no memory for %zu bytes", from->name, capacity);
        out->data = data;
        EBM_TRY(read_some(from, data + held, capacity - held, &got));
        held += got;
        if (held < capacity)
            return ebm_fail(from->error, EBM_FORMAT,
                            "%s: truncated: the IDX header announces %zu bytes of data, %zu follow it", from->name,
                            out->count, held);
    } while (held < out->count);
    uint8_t beyond;
    size_t got;
    EBM_TRY(read_some(from, &beyond, 1, &got));
    if (got > 0)
        return ebm_fail(from->error, EBM_FORMAT, "%s: the IDX header announces %zu bytes of data, but more follow it",
                        from->name, out->count);
    return EBM_OK;
}

ebm_status ebm_idx_read_open(const char *name, int file, size_t limit_bytes, ebm_idx *out, ebm_error *error) {
    memset(out, 0, sizeof *out);
    reader from = {gzdopen(file, "rb"), name, error};
    if (!from.file) {
        close(file);
        return ebm_fail(error, EBM_NO_MEMORY, "%s: no memory to unpack it", name);
    }
    gzbuffer(from.file, 1 << 17);
    ebm_status status = read_header(&from, limit_bytes, out);
    if (status == EBM_OK)
        status = read_data(&from, out);
    gzclose(from.file);
    if (status != EBM_OK)
        ebm_idx_free(out);
    return status;
}

ebm_status ebm_idx_read(const char *path, size_t limit_bytes, ebm_idx *out, ebm_error *error) {
    struct stat info;
    if (!path || !out)
        return ebm_fail(error, EBM_INVALID, "reading an IDX file needs a path and a place for its data");
    memset(out, 0, sizeof *out);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return ebm_fail(error, EBM_IO, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(file);
        return ebm_fail(error, EBM_IO, "%s: not a regular file", path);
    }
    return ebm_idx_read_open(path, file, limit_bytes, out, error);
}

void ebm_idx_free(ebm_idx *array) {
    if (!array)
        return;
    free(array->data);
    memset(array, 0, sizeof *array);
}

static ebm_status read_labels(const char *path, const char *examples, size_t count, ebm_idx_half *out,
                              ebm_error *error) {
    ebm_idx labels;
    EBM_TRY(ebm_idx_read(path, EBM_DATA_LIMIT, &labels, error));
    ebm_status status = EBM_OK;
    if (labels.rank != 1)
        status = ebm_fail(error, EBM_FORMAT, "%s: labels of %u dimensions: expected 1", path, labels.rank);
    else if (labels.count != count)
        status = ebm_fail(error, EBM_FORMAT, "%s: %zu labels for the %zu examples of %s", path, labels.count, count,
                          examples);
    else if (!(out->labels = calloc(out->count, sizeof *out->labels)))
        status = ebm_fail(error, EBM_NO_MEMORY, "%s: no memory for %zu labels", path, out->count);
    for (size_t i = 0; status == EBM_OK && i < out->count; i++) {
        out->labels[i] = labels.data[i];
        if (out->labels[i] > out->largest_label)
            out->largest_label = out->labels[i];
    }
    ebm_idx_free(&labels);
    return status;
}

ebm_status ebm_idx_half_read(const char *path, const char *labels_path, size_t wanted, ebm_idx_half *out,
                             ebm_error *error) {
    ebm_idx array;
    memset(out, 0, sizeof *out);
    EBM_TRY(ebm_idx_read(path, EBM_DATA_LIMIT, &array, error));
    ebm_status status = EBM_OK;
    size_t count = array.shape[0];
    if (array.rank < 2 || array.count == 0)
        status = ebm_fail(error, EBM_FORMAT,
                          "%s: no examples: expected an array of at least 2 dimensions, the first "
                          "of them counting examples",
                          path);
    else if (wanted > count)
        status = ebm_fail(error, EBM_INVALID, "%s: %zu examples are asked for, %zu are there", path, wanted, count);
    out->count = wanted ? wanted : count;
    out->total = count;
    if (status == EBM_OK && labels_path)
        status = read_labels(labels_path, path, count, out, error);
    if (status != EBM_OK) {
        ebm_idx_free(&array);
        memset(out, 0, sizeof *out);
        return status;
    }
    out->rank = array.rank - 1;
    memcpy(out->shape, array.shape + 1, out->rank * sizeof *out->shape);
    uint8_t *fitted = realloc(array.data, array.count / count * out->count);
    out->bytes = fitted ? fitted : array.data;
    return EBM_OK;
}
