/* IDX: plain and gzip files, headers that lie, labels of another length. */
#include "data/idx.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

static const size_t limit = 1 << 20;
static char folder[] = "/tmp/ebm-idx-XXXXXX";
static char path[128], labels_path[128];

static void setup(void) {
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/images", folder);
    snprintf(labels_path, sizeof labels_path, "%s/labels", folder);
}

static void teardown(void) {
    unlink(path);
    unlink(labels_path);
    ck_assert_int_eq(rmdir(folder), 0);
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
}

/* Writes an IDX file of the given type, shape (NULL: the header ends before it) and data bytes 0, 1, 2, ...; gzip if
 * `packed`. */
static void write_idx(const char *to, int type, unsigned rank, const uint32_t *shape, size_t data_bytes, bool packed) {
    gzFile out = gzopen(to, packed ? "wb" : "wbT");
    unsigned char head[4] = {0, 0, (unsigned char)type, (unsigned char)rank};
    ck_assert_ptr_nonnull(out);
    gzwrite(out, head, 4);
    for (unsigned d = 0; shape && d < rank; d++) {
        unsigned char length[4] = {shape[d] >> 24 & 255, shape[d] >> 16 & 255, shape[d] >> 8 & 255, shape[d] & 255};
        gzwrite(out, length, 4);
    }
    for (size_t i = 0; i < data_bytes; i++)
        gzputc(out, (int)(i & 255));
    gzclose(out);
}

static void refused(ebm_status status, const char *part) {
    ebm_idx array;
    ebm_error error;
    ck_assert_int_eq(ebm_idx_read(path, limit, &array, &error), status);
    ck_assert_msg(strstr(error.message, part) != NULL, "'%s' lacks '%s'", error.message, part);
    ck_assert_msg(strstr(error.message, path) != NULL, "'%s' does not name the file", error.message);
    ck_assert_ptr_null(array.data);
}

START_TEST(test_idx_plain_and_gzip_read_alike) {
    for (int packed = 0; packed < 2; packed++) {
        ebm_idx array;
        ebm_error error;
        write_idx(path, 8, 3, (uint32_t[]){5, 2, 3}, 30, packed);
        ck_assert_msg(ebm_idx_read(path, limit, &array, &error) == EBM_OK, "%s", error.message);
        ck_assert_uint_eq(array.rank, 3);
        ck_assert_uint_eq(array.count, 30);
        ck_assert_uint_eq(array.shape[0], 5);
        ck_assert_uint_eq(array.shape[2], 3);
        for (unsigned i = 0; i < 30; i++)
            ck_assert_uint_eq(array.data[i], i);
        ebm_idx_free(&array);
    }
}
END_TEST

/* More data than one step of growth. */
START_TEST(test_idx_grows_with_the_data) {
    ebm_idx array;
    ebm_error error;
    const uint32_t shape[2] = {3, 3000000};
    write_idx(path, 8, 2, shape, 9000000, true);
    ck_assert_msg(ebm_idx_read(path, 9000000, &array, &error) == EBM_OK, "%s", error.message);
    ck_assert_uint_eq(array.data[8999999], 8999999 & 255);
    ebm_idx_free(&array);
    ck_assert_int_eq(ebm_idx_read(path, 8999999, &array, &error), EBM_FORMAT);
}
END_TEST

START_TEST(test_idx_headers_that_lie) {
    for (int packed = 0; packed < 2; packed++) {
        write_idx(path, 8, 2, (uint32_t[]){5, 3}, 14, packed);
        refused(EBM_FORMAT, "announces 15 bytes of data, 14 follow");
        write_idx(path, 8, 2, (uint32_t[]){5, 3}, 16, packed);
        refused(EBM_FORMAT, "more follow");
        write_idx(path, 8, 2, (uint32_t[]){100000, 100000}, 16, packed);
        refused(EBM_FORMAT, "at most 1048576");
        write_idx(path, 8, 4, (uint32_t[]){0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 16, packed);
        refused(EBM_FORMAT, "too large");
        write_idx(path, 0x0d, 2, (uint32_t[]){2, 2}, 16, packed);
        refused(EBM_FORMAT, "type 0x0d");
        write_idx(path, 8, 0, NULL, 1, packed);
        refused(EBM_FORMAT, "0 dimensions");
        write_idx(path, 8, 5, (uint32_t[]){1, 1, 1, 1, 1}, 1, packed);
        refused(EBM_FORMAT, "5 dimensions");
        write_idx(path, 8, 1, NULL, 0, packed);
        refused(EBM_FORMAT, "truncated");
    }
}
END_TEST

/* A header that announces 1 GiB before 10 bytes: under a limit of 256 MiB of memory the answer is that it lies, not
 * that memory is short. (Not under address sanitizers, which reserve terabytes.) */
START_TEST(test_idx_announcing_costs_nothing) {
#if !defined(__SANITIZE_ADDRESS__)
    ebm_idx array;
    ebm_error error;
    struct rlimit before, tight;
    write_idx(path, 8, 2, (uint32_t[]){1 << 15, 1 << 15}, 10, true);
    getrlimit(RLIMIT_AS, &before);
    tight = before;
    tight.rlim_cur = (rlim_t)512 << 20;
    setrlimit(RLIMIT_AS, &tight);
    ebm_status status = ebm_idx_read(path, (size_t)1 << 31, &array, &error);
    setrlimit(RLIMIT_AS, &before);
    ck_assert_int_eq(status, EBM_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "10 follow"));
#endif
}
END_TEST

/* Cut anywhere, a gzip file is refused. */
START_TEST(test_idx_truncated_gzip) {
    unsigned char bytes[4096];
    write_idx(path, 8, 2, (uint32_t[]){40, 50}, 2000, true);
    FILE *file = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    ck_assert(size > 100 && size < sizeof bytes);
    for (size_t cut = 0; cut < size; cut += cut + 20 < size ? 7 : 1) {
        ebm_idx array;
        ebm_error error;
        file = fopen(path, "wb");
        fwrite(bytes, 1, cut, file);
        fclose(file);
        ck_assert_msg(ebm_idx_read(path, limit, &array, &error) == EBM_FORMAT, "cut after %zu of %zu", cut, size);
    }
    /* A flipped bit in the checksum. */
    bytes[size - 6] ^= 1;
    file = fopen(path, "wb");
    fwrite(bytes, 1, size, file);
    fclose(file);
    refused(EBM_FORMAT, "damaged");
}
END_TEST

START_TEST(test_idx_files_that_cannot_be_read) {
    refused(EBM_IO, "cannot be opened");
    ebm_idx array;
    ebm_error error;
    ck_assert_int_eq(ebm_idx_read(folder, limit, &array, &error), EBM_IO);
    FILE *file = fopen(path, "wb");
    fputs("hello, this is text", file);
    fclose(file);
    refused(EBM_FORMAT, "not an IDX file");
}
END_TEST

static void half_refused(ebm_status status, size_t wanted, const char *part) {
    ebm_idx_half half;
    ebm_error error;
    ck_assert_int_eq(ebm_idx_half_read(path, labels_path, wanted, &half, &error), status);
    ck_assert_msg(strstr(error.message, part) != NULL, "'%s' lacks '%s'", error.message, part);
    ck_assert_ptr_null(half.bytes);
    ck_assert_ptr_null(half.labels);
}

START_TEST(test_idx_labels_must_match) {
    ebm_idx_half half;
    ebm_error error;
    write_idx(path, 8, 3, (uint32_t[]){6, 2, 2}, 24, true);
    write_idx(labels_path, 8, 1, (uint32_t[]){6}, 6, false);
    ck_assert_msg(ebm_idx_half_read(path, labels_path, 4, &half, &error) == EBM_OK, "%s", error.message);
    ck_assert_uint_eq(half.count, 4);
    ck_assert_uint_eq(half.total, 6);
    ck_assert_uint_eq(half.rank, 2);
    ck_assert_int_eq(half.largest_label, 3);
    ck_assert_uint_eq(half.bytes[15], 15);
    free(half.bytes);
    free(half.labels);
    half_refused(EBM_INVALID, 7, "7 examples are asked for, 6 are there");
    write_idx(labels_path, 8, 1, (uint32_t[]){5}, 5, false);
    half_refused(EBM_FORMAT, 0, "5 labels for the 6 examples");
    write_idx(labels_path, 8, 2, (uint32_t[]){6, 1}, 6, false);
    half_refused(EBM_FORMAT, 0, "labels of 2 dimensions");
    unlink(labels_path);
    half_refused(EBM_IO, 0, "cannot be opened");
    write_idx(path, 8, 1, (uint32_t[]){6}, 6, true);
    half_refused(EBM_FORMAT, 0, "no examples");
    write_idx(path, 8, 2, (uint32_t[]){0, 6}, 0, true);
    half_refused(EBM_FORMAT, 0, "no examples");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("idx");
    TCase *tests = tcase_create("idx");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_idx_plain_and_gzip_read_alike);
    tcase_add_test(tests, test_idx_grows_with_the_data);
    tcase_add_test(tests, test_idx_headers_that_lie);
    tcase_add_test(tests, test_idx_announcing_costs_nothing);
    tcase_add_test(tests, test_idx_truncated_gzip);
    tcase_add_test(tests, test_idx_files_that_cannot_be_read);
    tcase_add_test(tests, test_idx_labels_must_match);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
