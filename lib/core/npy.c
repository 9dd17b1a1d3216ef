/* NumPy's .npy files (NEP 1): "\x93NUMPY", two version bytes, the header's length (2 bytes in format 1.0, 4 in 2.0,
 * little-endian), the header, the data. The header is a Python dictionary literal with exactly the keys descr,
 * fortran_order and shape; a small strict parser reads that much of Python and nothing else. Every size is checked
 * against the file's before memory is asked for. */
#include "ebm/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are copied as little-endian");

enum { PREAMBLE = 12, LONGEST_HEADER = 65536, MAX_RANK = 4 };

static const struct {
    const char *descr;
    size_t size;
} types[] = {[EBM_NPY_FLOAT32] = {"<f4", 4}, [EBM_NPY_FLOAT64] = {"<f8", 8}, [EBM_NPY_UINT8] = {"|u1", 1}};

/* Text of the header not yet read, and where complaints go. */
typedef struct header {
    const char *at, *end;
    const char *name;
    ebm_error *error;
} header;

static ebm_status bad_header(const header *h, const char *what) {
    return ebm_fail(h->error, EBM_FORMAT, "%s: the .npy header %s", h->name, what);
}

static void skip_blanks(header *h) {
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\t' || *h->at == '\n'))
        h->at++;
}

static bool take(header *h, char expected) {
    skip_blanks(h);
    if (h->at == h->end || *h->at != expected)
        return false;
    h->at++;
    return true;
}

static bool take_word(header *h, const char *word) {
    size_t length = strlen(word);
    skip_blanks(h);
    if ((size_t)(h->end - h->at) < length || memcmp(h->at, word, length) != 0)
        return false;
    h->at += length;
    return true;
}

/* A quoted string of printable characters without escapes. */
static bool take_string(header *h, char *out, size_t size) {
    skip_blanks(h);
    if (h->at == h->end || (*h->at != '\'' && *h->at != '"'))
        return false;
    char quote = *h->at++;
    size_t length = 0;
    while (h->at < h->end && *h->at != quote) {
        if (*h->at < ' ' || *h->at > '~' || *h->at == '\\' || length + 1 >= size)
            return false;
        out[length++] = *h->at++;
    }
    out[length] = '\0';
    return take(h, quote);
}

static ebm_status take_descr(header *h, ebm_npy *out) {
    char descr[32];
    if (!take_string(h, descr, sizeof descr))
        return bad_header(h, "has no simple element type (structured arrays are not read)");
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        if (strcmp(descr, types[t].descr) == 0) {
            out->type = (ebm_npy_type)t;
            return EBM_OK;
        }
    return ebm_fail(h->error, EBM_FORMAT,
                    "%s: elements of type '%s' are not read, only little-endian float32 ('<f4'), float64 ('<f8') and "
                    "uint8 ('|u1'); convert with a.astype('<f4') before numpy.save",
                    h->name, descr);
}

static ebm_status take_order(header *h) {
    if (take_word(h, "False"))
        return EBM_OK;
    if (take_word(h, "True"))
        return ebm_fail(h->error, EBM_FORMAT,
                        "%s: the array is in Fortran order; save numpy.ascontiguousarray(a) instead", h->name);
    return bad_header(h, "has a fortran_order that is neither True nor False");
}

static ebm_status take_dimension(header *h, ebm_npy *out) {
    size_t value = 0;
    const char *first = h->at;
    for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++)
        if (__builtin_mul_overflow(value, (size_t)10, &value) ||
            __builtin_add_overflow(value, (size_t)(*h->at - '0'), &value))
            return bad_header(h, "has a dimension too large for this machine");
    if (h->at == first)
        return bad_header(h, "has a shape that is not a tuple of whole numbers");
    if (out->rank == MAX_RANK)
        return bad_header(h, "has more than 4 dimensions");
    out->shape[out->rank++] = value;
    return EBM_OK;
}

static ebm_status take_shape(header *h, ebm_npy *out) {
    if (!take(h, '('))
        return bad_header(h, "has a shape that is not a tuple of whole numbers");
    bool comma = true;
    while (!take(h, ')')) {
        if (!comma)
            return bad_header(h, "has a shape that is not a tuple of whole numbers");
        skip_blanks(h);
        EBM_TRY(take_dimension(h, out));
        comma = take(h, ',');
    }
    if (out->rank == 1 && !comma)
        return bad_header(h, "has a shape that is a number in brackets, not a tuple");
    return EBM_OK;
}

static ebm_status parse_dictionary(header *h, ebm_npy *out) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    bool seen[3] = {false, false, false}, comma = true;
    if (!take(h, '{'))
        return bad_header(h, "is not a dictionary");
    while (!take(h, '}')) {
        char key[32];
        size_t k = 0;
        if (!comma || !take_string(h, key, sizeof key) || !take(h, ':'))
            return bad_header(h, "is not a dictionary of descr, fortran_order and shape");
        while (k < 3 && strcmp(key, keys[k]) != 0)
            k++;
        if (k == 3)
            return ebm_fail(h->error, EBM_FORMAT, "%s: the .npy header has an unknown key '%s'", h->name, key);
        if (seen[k])
            return ebm_fail(h->error, EBM_FORMAT, "%s: the .npy header has the key '%s' twice", h->name, key);
        seen[k] = true;
        EBM_TRY(k == 0 ? take_descr(h, out) : k == 1 ? take_order(h) : take_shape(h, out));
        comma = take(h, ',');
    }
    skip_blanks(h);
    if (h->at != h->end)
        return bad_header(h, "has something after its dictionary");
    for (size_t k = 0; k < 3; k++)
        if (!seen[k])
            return ebm_fail(h->error, EBM_FORMAT, "%s: the .npy header lacks the key '%s'", h->name, keys[k]);
    return EBM_OK;
}

/* Elements of a shape and their bytes; false if either overflows. */
static bool shape_bytes(unsigned rank, const size_t *shape, size_t element, size_t *count, size_t *bytes) {
    bool empty = false, overflow = false;
    *count = 1;
    for (unsigned d = 0; d < rank; d++)
        empty = empty || shape[d] == 0;
    for (unsigned d = 0; d < rank && !empty; d++)
        overflow = overflow || __builtin_mul_overflow(*count, shape[d], count);
    if (empty)
        *count = 0;
    return !overflow && !__builtin_mul_overflow(*count, element, bytes);
}

/* Reads the preamble and header from the first `size` bytes of a file of `total`, and checks that the data that they
 * announce are exactly what follows. Sets the data's offset and length. */
static ebm_status parse_header(const char *name, const unsigned char *bytes, size_t size, size_t total,
                               size_t limit_bytes, ebm_npy *out, size_t *offset, size_t *length, ebm_error *error) {
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return ebm_fail(error, EBM_FORMAT, "%s: not a .npy file (it does not begin with \\x93NUMPY)", name);
    if ((bytes[6] != 1 && bytes[6] != 2) || bytes[7] != 0)
        return ebm_fail(error, EBM_FORMAT, "%s: .npy format %u.%u is not read, only 1.0 and 2.0", name, bytes[6],
                        bytes[7]);
    size_t preamble = bytes[6] == 1 ? 10 : 12;
    if (size < preamble)
        return ebm_fail(error, EBM_FORMAT, "%s: truncated within the .npy header", name);
    size_t header_length = bytes[8] | (size_t)bytes[9] << 8;
    if (preamble == 12)
        header_length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (header_length > LONGEST_HEADER)
        return ebm_fail(error, EBM_FORMAT, "%s: a .npy header of %zu bytes: at most %d are read", name, header_length,
                        LONGEST_HEADER);
    if (header_length > size - preamble)
        return ebm_fail(error, EBM_FORMAT, "%s: truncated: a .npy header of %zu bytes is announced, %zu are there",
                        name, header_length, size - preamble);
    const char *text = (const char *)bytes + preamble;
    header h = {text, text + header_length, name, error};
    EBM_TRY(parse_dictionary(&h, out));
    if (!shape_bytes(out->rank, out->shape, types[out->type].size, &out->count, length))
        return bad_header(&h, "has a shape too large for this machine");
    if (*length > limit_bytes)
        return ebm_fail(error, EBM_FORMAT, "%s: the .npy header announces %zu bytes of data: at most %zu are read here",
                        name, *length, limit_bytes);
    *offset = preamble + header_length;
    if (*length != total - *offset)
        return ebm_fail(error, EBM_FORMAT, "%s: the .npy header announces %zu bytes of data, but %zu follow it", name,
                        *length, total - *offset);
    return EBM_OK;
}

static ebm_status allocate(const char *name, size_t length, ebm_npy *out, ebm_error *error) {
    out->data = malloc(length ? length : 1);
    if (!out->data)
        return ebm_fail(error, EBM_NO_MEMORY, "%s: no memory for %zu bytes", name, length);
    return EBM_OK;
}

ebm_status ebm_npy_parse(const char *name, const unsigned char *bytes, size_t size, size_t limit_bytes, ebm_npy *out,
                         ebm_error *error) {
    if (!name || (!bytes && size > 0) || !out)
        return ebm_fail(error, EBM_INVALID, "reading an array needs a name, its bytes and a place for it");
    ebm_npy array = {0};
    size_t offset, length;
    *out = array;
    EBM_TRY(parse_header(name, bytes, size, size, limit_bytes, &array, &offset, &length, error));
    EBM_TRY(allocate(name, length, &array, error));
    memcpy(array.data, bytes + offset, length);
    *out = array;
    return EBM_OK;
}

/* Reads exactly `length` bytes at `offset`. */
static ebm_status read_at(int file, const char *path, void *buffer, size_t length, size_t offset, ebm_error *error) {
    for (size_t done = 0; done < length;) {
        ssize_t got = pread(file, (char *)buffer + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ebm_fail(error, EBM_IO, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            return ebm_fail(error, EBM_IO, "%s: became shorter while it was read", path);
        done += (size_t)got;
    }
    return EBM_OK;
}

static ebm_status read_open(int file, const char *path, size_t limit_bytes, ebm_npy *array, ebm_error *error) {
    struct stat info;
    if (fstat(file, &info) != 0)
        return ebm_fail(error, EBM_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return ebm_fail(error, EBM_IO, "%s: not a regular file", path);
    size_t total = (size_t)info.st_size, offset, length;
    size_t prefix = total < PREAMBLE + LONGEST_HEADER ? total : PREAMBLE + LONGEST_HEADER;
    unsigned char *head = malloc(prefix ? prefix : 1);
    if (!head)
        return ebm_fail(error, EBM_NO_MEMORY, "%s: no memory for its header", path);
    ebm_status status = read_at(file, path, head, prefix, 0, error);
    if (status == EBM_OK)
        status = parse_header(path, head, prefix, total, limit_bytes, array, &offset, &length, error);
    free(head);
    EBM_TRY(status);
    EBM_TRY(allocate(path, length, array, error));
    return read_at(file, path, array->data, length, offset, error);
}

ebm_status ebm_npy_read(const char *path, size_t limit_bytes, ebm_npy *out, ebm_error *error) {
    if (!path || !out)
        return ebm_fail(error, EBM_INVALID, "reading an array needs a path and a place for it");
    ebm_npy array = {0};
    *out = array;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return ebm_fail(error, EBM_IO, "%s: cannot be opened: %s", path, strerror(errno));
    ebm_status status = read_open(file, path, limit_bytes, &array, error);
    close(file);
    if (status != EBM_OK)
        ebm_npy_free(&array);
    *out = array;
    return status;
}

static bool write_all(int file, const void *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t put = write(file, (const char *)bytes + done, length - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        done += (size_t)put;
    }
    return true;
}

/* Preamble and header of format 1.0, padded so that the data begin at a multiple of 64 bytes. Returns the length. */
static size_t compose_header(ebm_npy_type type, unsigned rank, const size_t *shape, char bytes[256]) {
    char text[192];
    size_t used =
        (size_t)snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", types[type].descr);
    for (unsigned d = 0; d < rank; d++)
        used += (size_t)snprintf(text + used, sizeof text - used, d ? " %zu," : "%zu,", shape[d]);
    if (rank > 1)
        used--; /* only a tuple of one keeps its last comma */
    used += (size_t)snprintf(text + used, sizeof text - used, "), }");
    size_t total = (10 + used + 1 + 63) / 64 * 64, length = total - 10;
    memset(bytes, ' ', total);
    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = (char)(length & 255);
    bytes[9] = (char)(length >> 8);
    memcpy(bytes + 10, text, used);
    bytes[total - 1] = '\n';
    return total;
}

/* A new file beside `path`, so that a rename never crosses file systems. */
static int open_temporary(const char *path, char *temporary, size_t size) {
    for (int attempt = 0; attempt < 100; attempt++) {
        if ((size_t)snprintf(temporary, size, "%s.%ld-%d.tmp", path, (long)getpid(), attempt) >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0 || errno != EEXIST)
            return file;
    }
    return -1;
}

ebm_status ebm_npy_write(const char *path, ebm_npy_type type, unsigned rank, const size_t *shape, const void *data,
                         ebm_error *error) {
    size_t count, length;
    if (!path || rank > MAX_RANK || (rank > 0 && !shape) || (unsigned)type >= sizeof types / sizeof *types)
        return ebm_fail(error, EBM_INVALID, "writing an array needs a path, a type and at most 4 dimensions");
    if (!shape_bytes(rank, shape, types[type].size, &count, &length) || (count > 0 && !data))
        return ebm_fail(error, EBM_INVALID, "%s: no data, or a shape too large for this machine", path);
    char head[256], temporary[4096];
    size_t head_length = compose_header(type, rank, shape, head);
    int file = open_temporary(path, temporary, sizeof temporary);
    if (file < 0)
        return ebm_fail(error, EBM_IO, "%s: cannot be written: %s", path, strerror(errno));
    bool written = write_all(file, head, head_length) && write_all(file, data, length) && fsync(file) == 0;
    int reason = errno;
    if (close(file) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (written && rename(temporary, path) != 0) {
        written = false;
        reason = errno;
    }
    if (written)
        return EBM_OK;
    unlink(temporary);
    return ebm_fail(error, EBM_IO, "%s: cannot be written: %s (an earlier file of that name is untouched)", path,
                    strerror(reason));
}

void ebm_npy_free(ebm_npy *array) {
    if (!array)
        return;
    free(array->data);
    *array = (ebm_npy){0};
}

double ebm_npy_value(const ebm_npy *array, size_t i) {
    switch (array->type) {
    case EBM_NPY_FLOAT32:
        return ((const float *)array->data)[i];
    case EBM_NPY_FLOAT64:
        return ((const double *)array->data)[i];
    case EBM_NPY_UINT8:
        return ((const unsigned char *)array->data)[i];
    }
    return 0;
}
