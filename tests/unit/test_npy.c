/* .npy: round trips, files as NumPy writes them, and headers that lie. */
#include "ebm/npy.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>
#include <dirent.h>

static const size_t limit = 1 << 20;
static char folder[] = "/tmp/ebm-npy-XXXXXX";
static char path[128];

static void make_folder(void) {
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.npy", folder);
}

static size_t files_in_folder(void) {
    size_t count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void remove_folder(void) {
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left behind */
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
}

/* A file of format `major`.0 with the given header text and `data_bytes` zero bytes after it. */
static unsigned char *compose(unsigned major, const char *text, size_t announced, size_t data_bytes, size_t *size) {
    size_t length = strlen(text), preamble = major == 1 ? 10 : 12;
    *size = preamble + length + data_bytes;
    unsigned char *bytes = calloc(*size, 1);
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (unsigned char)major;
    for (size_t i = 0; i < preamble - 8; i++)
        bytes[8 + i] = (unsigned char)(announced >> 8 * i);
    memcpy(bytes + preamble, text, length);
    return bytes;
}

static void parses(unsigned major, const char *text, size_t data_bytes, size_t count, unsigned rank) {
    size_t size;
    ebm_npy array;
    ebm_error error;
    unsigned char *bytes = compose(major, text, strlen(text), data_bytes, &size);
    ck_assert_msg(ebm_npy_parse("a.npy", bytes, size, limit, &array, &error) == EBM_OK, "%s", error.message);
    ck_assert_uint_eq(array.count, count);
    ck_assert_uint_eq(array.rank, rank);
    ebm_npy_free(&array);
    free(bytes);
}

static void refused(unsigned major, const char *text, size_t announced, size_t data_bytes, const char *part) {
    size_t size;
    ebm_npy array;
    ebm_error error;
    unsigned char *bytes = compose(major, text, announced ? announced : strlen(text), data_bytes, &size);
    ck_assert_int_eq(ebm_npy_parse("a.npy", bytes, size, limit, &array, &error), EBM_FORMAT);
    ck_assert_msg(strstr(error.message, part) != NULL, "'%s' lacks '%s'", error.message, part);
    ck_assert_msg(strncmp(error.message, "a.npy: ", 7) == 0, "%s", error.message);
    ck_assert_ptr_null(array.data);
    free(bytes);
}

START_TEST(test_npy_round_trip) {
    static const float floats[6] = {0, -1.5f, 3.25f, 1e-30f, 7, 8};
    static const double doubles[3] = {0.1, -2, 1e300};
    static const unsigned char bytes[8] = {0, 1, 127, 128, 254, 255, 3, 4};
    static const struct {
        ebm_npy_type type;
        unsigned rank;
        size_t shape[4], count, element;
        const void *data;
    } cases[] = {{EBM_NPY_FLOAT32, 2, {2, 3}, 6, 4, floats},
                 {EBM_NPY_FLOAT64, 1, {3}, 3, 8, doubles},
                 {EBM_NPY_UINT8, 4, {2, 1, 2, 2}, 8, 1, bytes},
                 {EBM_NPY_FLOAT64, 0, {0}, 1, 8, doubles},
                 {EBM_NPY_FLOAT32, 3, {4, 0, 2}, 0, 4, NULL}};
    ebm_npy array;
    ebm_error error;
    make_folder();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(ebm_npy_write(path, cases[i].type, cases[i].rank, cases[i].shape, cases[i].data, &error) ==
                          EBM_OK,
                      "%s", error.message);
        ck_assert_msg(ebm_npy_read(path, limit, &array, &error) == EBM_OK, "%s", error.message);
        ck_assert_int_eq(array.type, cases[i].type);
        ck_assert_uint_eq(array.rank, cases[i].rank);
        ck_assert_mem_eq(array.shape, cases[i].shape, cases[i].rank * sizeof(size_t));
        ck_assert_uint_eq(array.count, cases[i].count);
        if (array.count)
            ck_assert_mem_eq(array.data, cases[i].data, array.count * cases[i].element);
        ebm_npy_free(&array);
    }
    remove_folder();
}
END_TEST

/* The dictionary, its alignment and the data as numpy.save(numpy.arange(3, dtype='<f4')) writes them. */
START_TEST(test_npy_writes_as_numpy_does) {
    static const float data[3] = {0, 1, 2};
    static const size_t shape[1] = {3};
    char expected[140], found[200];
    memset(expected, ' ', sizeof expected);
    memcpy(expected, "\x93NUMPY\x01\x00\x76\x00", 10);
    static const char text[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
    memcpy(expected + 10, text, sizeof text - 1);
    expected[127] = '\n';
    memcpy(expected + 128, data, sizeof data);
    make_folder();
    ck_assert_int_eq(ebm_npy_write(path, EBM_NPY_FLOAT32, 1, shape, data, NULL), EBM_OK);
    FILE *file = fopen(path, "rb");
    size_t size = fread(found, 1, sizeof found, file);
    fclose(file);
    /* NumPy pads for growth to 128 bytes, here to the next 64: both are legal, so compare around the padding. */
    size_t start = size - sizeof data;
    ck_assert_uint_eq(start % 64, 0);
    ck_assert_mem_eq(found, expected, 8);
    ck_assert_uint_eq((unsigned char)found[8] + 256u * (unsigned char)found[9], start - 10);
    ck_assert_mem_eq(found + 10, expected + 10, sizeof text - 1);
    ck_assert_int_eq(found[start - 1], '\n');
    ck_assert_mem_eq(found + start, expected + 128, sizeof data);
    remove_folder();
}
END_TEST

START_TEST(test_npy_values) {
    float single = 0.5f;
    double twice[2] = {1, -0.25};
    unsigned char byte = 200;
    ck_assert_double_eq(ebm_npy_value(&(ebm_npy){EBM_NPY_FLOAT32, 0, {0}, 1, &single}, 0), 0.5);
    ck_assert_double_eq(ebm_npy_value(&(ebm_npy){EBM_NPY_FLOAT64, 1, {2}, 2, twice}, 1), -0.25);
    ck_assert_double_eq(ebm_npy_value(&(ebm_npy){EBM_NPY_UINT8, 0, {0}, 1, &byte}, 0), 200);
}
END_TEST

START_TEST(test_npy_headers_that_are_fine) {
    parses(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", 24, 6, 2);
    parses(2, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }   \n", 16, 2, 1);
    parses(1, "{\"shape\":(2,2,),\"descr\":\"|u1\",\"fortran_order\":False}", 4, 4, 2);
    parses(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4, 1, 0);
    parses(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807), }", 0, 0, 2);
}
END_TEST

START_TEST(test_npy_headers_that_lie) {
    const char *good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
    refused(1, good, 0, 23, "announces 24 bytes of data, but 23 follow");
    refused(1, good, 0, 25, "announces 24 bytes of data, but 25 follow");
    refused(1, good, 65000, 24, "truncated");
    refused(2, good, 0xffffffff, 24, "at most 65536");
    refused(1, good, 20, 24, "header"); /* cut within the dictionary */
    refused(3, good, 0, 24, "format 3.0");
    refused(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0, 0, "too large");
    refused(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693952,), }", 0, 0, "too large");
    refused(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 0, 0, "too large");
    refused(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (100000000,), }", 0, 4, "at most 1048576");
}
END_TEST

START_TEST(test_npy_headers_that_are_something_else) {
    refused(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 0, 8, "'>f4'");
    refused(1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", 0, 16, "astype");
    refused(1, "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 0, 16, "'|O'");
    refused(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", 0, 8, "structured");
    refused(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", 0, 24, "ascontiguousarray");
    refused(1, "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", 0, 8, "neither True nor False");
    refused(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1), }", 0, 4, "more than 4");
    refused(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", 0, 8, "whole numbers");
    refused(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2), }", 0, 8, "not a tuple");
    refused(1, "{'descr': '<f4', 'fortran_order': False, 'shape': 2, }", 0, 8, "tuple");
    refused(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }", 0, 24, "tuple");
    refused(1, "{'descr': '<f4', 'fortran_order': False, }", 0, 8, "lacks the key 'shape'");
    refused(1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 0, 8, "twice");
    refused(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", 0, 8, "unknown key 'x'");
    refused(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } import os", 0, 8, "after its dictionary");
    refused(1, "", 0, 8, "header"); /* no header at all */
    ebm_npy array;
    ebm_error error;
    ck_assert_int_eq(ebm_npy_parse("a.npy", (const unsigned char *)"\x93NUMPY", 6, limit, &array, &error), EBM_FORMAT);
    ck_assert_int_eq(ebm_npy_parse("a.npy", NULL, 0, limit, &array, &error), EBM_FORMAT);
}
END_TEST

START_TEST(test_npy_files_that_cannot_be_read) {
    ebm_npy array;
    ebm_error error;
    make_folder();
    ck_assert_int_eq(ebm_npy_read(path, limit, &array, &error), EBM_IO);
    ck_assert_ptr_nonnull(strstr(error.message, path));
    ck_assert_int_eq(ebm_npy_read(folder, limit, &array, &error), EBM_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "not a regular file"));
    FILE *file = fopen(path, "wb");
    fclose(file);
    ck_assert_int_eq(ebm_npy_read(path, limit, &array, &error), EBM_FORMAT);
    remove_folder();
}
END_TEST

/* When the disk is full (here: the largest file the process may write), the earlier file stands and no other is left.
 */
START_TEST(test_npy_write_is_all_or_nothing) {
    static const float small[2] = {1, 2};
    static const float large[4096];
    ebm_npy array;
    ebm_error error;
    make_folder();
    ck_assert_int_eq(ebm_npy_write(path, EBM_NPY_FLOAT32, 1, (size_t[]){2}, small, &error), EBM_OK);
    struct rlimit before, tight;
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    tight.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &tight);
    ebm_status status = ebm_npy_write(path, EBM_NPY_FLOAT32, 1, (size_t[]){4096}, large, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_int_eq(status, EBM_IO);
    ck_assert_uint_eq(files_in_folder(), 1);
    ck_assert_int_eq(ebm_npy_read(path, limit, &array, &error), EBM_OK);
    ck_assert_uint_eq(array.count, 2);
    ck_assert_mem_eq(array.data, small, sizeof small);
    ebm_npy_free(&array);
    ck_assert_int_eq(ebm_npy_write("/nonexistent/a.npy", EBM_NPY_FLOAT32, 1, (size_t[]){2}, small, &error), EBM_IO);
    ck_assert_int_eq(ebm_npy_write(path, EBM_NPY_FLOAT32, 5, (size_t[]){2, 1, 1, 1, 1}, small, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_npy_write(path, EBM_NPY_FLOAT32, 2, (size_t[]){SIZE_MAX, 4}, small, &error), EBM_INVALID);
    remove_folder();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("npy");
    TCase *tests = tcase_create("npy");
    tcase_add_test(tests, test_npy_round_trip);
    tcase_add_test(tests, test_npy_writes_as_numpy_does);
    tcase_add_test(tests, test_npy_values);
    tcase_add_test(tests, test_npy_headers_that_are_fine);
    tcase_add_test(tests, test_npy_headers_that_lie);
    tcase_add_test(tests, test_npy_headers_that_are_something_else);
    tcase_add_test(tests, test_npy_files_that_cannot_be_read);
    tcase_add_test(tests, test_npy_write_is_all_or_nothing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
