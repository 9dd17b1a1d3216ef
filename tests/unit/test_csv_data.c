/* The data sets of a user's own: CSV tables, .npy and IDX files; what is refused, and with which words. */
#include "loaded_data.h"

#include "data/csv_table.h"
#include "ebm/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/ebm-csv-XXXXXX";
static char train[128], test[128], labels[128];
static char text[1100];

static void setup(void) {
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(train, sizeof train, "%s/train", folder);
    snprintf(test, sizeof test, "%s/test", folder);
    snprintf(labels, sizeof labels, "%s/labels", folder);
}

static void teardown(void) {
    unlink(train);
    unlink(test);
    unlink(labels);
    ck_assert_int_eq(rmdir(folder), 0);
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
}

static void put(const char *path, const char *content) {
    FILE *file = fopen(path, "wb");
    fputs(content, file);
    fclose(file);
}

#define REFUSED(status, part, type, ...)                                                                               \
    do {                                                                                                               \
        ck_assert_int_eq(load_with(type, 1, __VA_ARGS__, (char *)NULL), status);                                       \
        ebm_error_text(&error, text, sizeof text);                                                                     \
        ck_assert_msg(strstr(text, part) != NULL, "'%s' lacks '%s'", text, part);                                      \
    } while (0)

static void csv_refused(const char *content, unsigned line, const char *part) {
    char place[200];
    put(train, content);
    REFUSED(EBM_FORMAT, part, &ebm_csv_data, "train", train, "domain", "real");
    snprintf(place, sizeof place, "%s:%u: ", train, line);
    ck_assert_msg(strncmp(text, place, strlen(place)) == 0, "'%s' does not begin with '%s'", text, place);
}

START_TEST(test_csv_data_values_labels_and_header) {
    put(train, "\xef\xbb\xbf"
               "a,kind,b\r\n0.5, 2 ,\"-1.25\"\r\n\r\n1e3,0,7");
    LOAD(&ebm_csv_data, 1, "train", train, "domain", "real", "label", "kind");
    ck_assert_uint_eq(data.train.count, 2);
    ck_assert_uint_eq(data.test.count, 0);
    ck_assert_uint_eq(data.space.size, 2);
    ck_assert_uint_eq(data.classes, 3);
    static const ebm_real expected[4] = {0.5, -1.25, 1000, 7};
    ck_assert_mem_eq(data.train.reals, expected, sizeof expected);
    ck_assert_int_eq(data.train.labels[0], 2);
    ck_assert_int_eq(data.train.labels[1], 0);
    ebm_dataset_free(&data);
}
END_TEST

START_TEST(test_csv_data_label_by_number_and_shape) {
    put(train, "0,1,1,0,4\n1,0,0,1,1\n");
    put(test, "1,1,1,1,2\n");
    LOAD(&ebm_csv_data, 1, "train", train, "test", test, "label", "5", "rows", "2");
    ck_assert_uint_eq(data.space.rank, 2);
    ck_assert_uint_eq(data.space.shape[1], 2);
    ck_assert_uint_eq(data.test.count, 1);
    ck_assert_uint_eq(data.classes, 5);
    ebm_dataset_free(&data);
    REFUSED(EBM_INVALID, "option 'rows' is 3", &ebm_csv_data, "train", train, "label", "5", "rows", "3");
    REFUSED(EBM_FORMAT, "no column '6'", &ebm_csv_data, "train", train, "label", "6");
    REFUSED(EBM_FORMAT, "no column 'digit'", &ebm_csv_data, "train", train, "label", "digit");
}
END_TEST

START_TEST(test_csv_data_says_where) {
    csv_refused("1,2\n3,4,5\n", 2, "more than 2 fields");
    csv_refused("1,2\n\n3\n", 3, "1 fields: expected 2");
    csv_refused("1,2\n3,nan\n", 2, "field 2 is 'nan': expected a finite number");
    csv_refused("1,nan\n3,4\n", 1, "field 2 is 'nan'");
    csv_refused("x,y\n1,2\n3,\n", 3, "field 2 is ''");
    csv_refused("1,2\n3,inf\n", 2, "'inf'");
    csv_refused("1,2\n3,1e999\n", 2, "'1e999'");
    csv_refused("1,2\n3,0x10\n", 2, "'0x10'");
    csv_refused("1,2\n3,4\n5,\"6\n7,8\n9,10\n", 3, "never closes");
    csv_refused("1,2\n3,4\"5\"\n", 2, "a quote within a field");
    csv_refused("\"a\nb\",y\n1,2\n3,x\n", 4, "field 2 is 'x'"); /* a header of two lines */
    csv_refused("", 1, "no rows");
    csv_refused("x,y\n", 2, "no rows");
}
END_TEST

START_TEST(test_csv_data_zero_bytes_and_endless_quotes) {
    FILE *file = fopen(train, "wb");
    fwrite("1,2\n3,\0004\n", 1, 9, file);
    fclose(file);
    REFUSED(EBM_FORMAT, ":2: field 2 has a zero byte", &ebm_csv_data, "train", train, "domain", "real");
    file = fopen(train, "wb");
    fputs("1,2\n3,\"", file);
    for (int i = 0; i < 100000; i++)
        fputs("4\n", file);
    fclose(file);
    REFUSED(EBM_FORMAT, ":2: a quote that opens in this row never closes", &ebm_csv_data, "train", train, "domain",
            "real");
}
END_TEST

START_TEST(test_csv_data_domains) {
    put(train, "0,1\n1,0.5\n");
    REFUSED(EBM_FORMAT, ":2: field 2 is '0.5': expected 0 or 1", &ebm_csv_data, "train", train);
    LOAD(&ebm_csv_data, 1, "train", train, "binarise", "threshold");
    ebm_dataset_free(&data);
    REFUSED(EBM_INVALID, "expected binary", &ebm_csv_data, "train", train, "binarise", "threshold", "domain", "real");
    put(train, "1,-1\n-1,0\n");
    REFUSED(EBM_FORMAT, ":2: field 2 is '0': expected -1 or 1", &ebm_csv_data, "train", train, "domain", "spin");
    REFUSED(EBM_INVALID, "'train' is missing", &ebm_csv_data, "domain", "spin");
    REFUSED(EBM_IO, "cannot be opened", &ebm_csv_data, "train", test);
    put(train, "0,1\n1,0\n");
    put(test, "0,1,1\n");
    REFUSED(EBM_FORMAT, "examples of 3: expected 2", &ebm_csv_data, "train", train, "test", test);
}
END_TEST

/* A split moves every row to exactly one half, with its label, and is the same each time. */
START_TEST(test_csv_data_split_keeps_every_row) {
    FILE *file = fopen(train, "wb");
    for (int i = 0; i < 50; i++)
        fprintf(file, "%d,%d\n", i, 50 - i);
    fclose(file);
    LOAD(&ebm_csv_data, 1, "train", train, "domain", "real", "split", "0.3", "label", "2");
    ck_assert_uint_eq(data.train.count, 35);
    ck_assert_uint_eq(data.test.count, 15);
    bool seen[50] = {false}, consecutive = true;
    for (size_t i = 0; i < 50; i++) {
        const ebm_examples *half = i < 35 ? &data.train : &data.test;
        size_t at = i < 35 ? i : i - 35, value = (size_t)half->reals[at];
        ck_assert(value < 50 && !seen[value]);
        ck_assert_int_eq(half->labels[at], 50 - (int)value);
        seen[value] = true;
        consecutive = consecutive && (i >= 35 || value == i);
    }
    ck_assert(!consecutive); /* drawn at random, not cut off */
    uint64_t hash = data.hash;
    ebm_dataset_free(&data);
    LOAD(&ebm_csv_data, 1, "train", train, "domain", "real", "split", "0.3", "label", "2");
    ck_assert(data.hash == hash);
    ebm_dataset_free(&data);
    LOAD(&ebm_csv_data, 1, "train", train, "domain", "real", "split", "0.3", "label", "2", "data_seed", "2");
    ck_assert(data.hash != hash);
    ebm_dataset_free(&data);
    REFUSED(EBM_INVALID, "exclude each other", &ebm_csv_data, "train", train, "test", train, "split", "0.3");
}
END_TEST

START_TEST(test_npy_data_shapes_types_and_labels) {
    static const unsigned char bytes[12] = {0, 255, 128, 127, 0, 0, 1, 2, 3, 4, 5, 6};
    static const double numbers[8] = {0, 1, 1, 1, 0, 0, 0.25, 1}, classes[3] = {0, 4, 2};
    ck_assert_int_eq(ebm_npy_write(train, EBM_NPY_UINT8, 3, (size_t[]){3, 2, 2}, bytes, NULL), EBM_OK);
    ck_assert_int_eq(ebm_npy_write(test, EBM_NPY_FLOAT64, 3, (size_t[]){2, 2, 2}, numbers, NULL), EBM_OK);
    ck_assert_int_eq(ebm_npy_write(labels, EBM_NPY_FLOAT64, 1, (size_t[]){3}, classes, NULL), EBM_OK);
    LOAD(&ebm_npy_data, 1, "train", train, "train_labels", labels, "binarise", "threshold");
    ck_assert_uint_eq(data.space.rank, 2);
    ck_assert_uint_eq(data.space.size, 4);
    ck_assert_uint_eq(data.classes, 5);
    ebm_real states[4];
    ebm_examples_fixed(&data, &data.train, 0, 1, states);
    static const ebm_real expected[4] = {0, 1, 1, 0};
    ck_assert_mem_eq(states, expected, sizeof states);
    ebm_dataset_free(&data);
    LOAD(&ebm_npy_data, 1, "train", train, "test", test, "domain", "real");
    ebm_examples_fixed(&data, &data.train, 0, 1, states);
    ck_assert_double_eq(states[2], (ebm_real)(128 / 255.0));
    ebm_dataset_free(&data);
    REFUSED(EBM_FORMAT, "example 0, value 1 (both from 0) is 255: expected 0 or 1", &ebm_npy_data, "train", train);
    REFUSED(EBM_FORMAT, "example 1, value 2 (both from 0) is 0.25: expected 0 or 1", &ebm_npy_data, "train", test,
            "binarise", "none");
    REFUSED(EBM_FORMAT, "3 labels in 1 dimensions: expected 2", &ebm_npy_data, "train", test, "train_labels", labels,
            "domain", "real");
    REFUSED(EBM_INVALID, "go together", &ebm_npy_data, "train", train, "test", test, "train_labels", labels);
    REFUSED(EBM_INVALID, "without 'test'", &ebm_npy_data, "train", train, "test_labels", labels);
    REFUSED(EBM_FORMAT, "2 to 4 dimensions", &ebm_npy_data, "train", labels);
    ck_assert_int_eq(ebm_npy_write(test, EBM_NPY_FLOAT64, 2, (size_t[]){2, 4}, numbers, NULL), EBM_OK);
    REFUSED(EBM_FORMAT, "examples of 4: expected 2 x 2", &ebm_npy_data, "train", train, "test", test, "binarise",
            "stochastic");
}
END_TEST

START_TEST(test_npy_data_values_out_of_range) {
    static const double hot[4] = {0, 1, 0.5, 1.5}, broken[4] = {0, 1, 0.0 / 0.0, 0}, half_label[2] = {0, 0.5};
    ck_assert_int_eq(ebm_npy_write(train, EBM_NPY_FLOAT64, 2, (size_t[]){2, 2}, hot, NULL), EBM_OK);
    REFUSED(EBM_FORMAT, "example 1, value 1 (both from 0) is 1.5: expected an intensity from 0 to 1", &ebm_npy_data,
            "train", train, "binarise", "stochastic");
    LOAD(&ebm_npy_data, 1, "train", train, "domain", "real");
    ebm_dataset_free(&data);
    ck_assert_int_eq(ebm_npy_write(labels, EBM_NPY_FLOAT64, 1, (size_t[]){2}, half_label, NULL), EBM_OK);
    REFUSED(EBM_FORMAT, "label 1 is 0.5", &ebm_npy_data, "train", train, "domain", "real", "train_labels", labels);
    ck_assert_int_eq(ebm_npy_write(train, EBM_NPY_FLOAT64, 2, (size_t[]){2, 2}, broken, NULL), EBM_OK);
    REFUSED(EBM_FORMAT, "expected a finite number", &ebm_npy_data, "train", train, "domain", "real");
}
END_TEST

START_TEST(test_idx_data_loads) {
    static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 255, 255, 255, 0, 0};
    static const unsigned char classes[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 3};
    FILE *file = fopen(train, "wb");
    fwrite(images, 1, sizeof images, file);
    fclose(file);
    file = fopen(labels, "wb");
    fwrite(classes, 1, sizeof classes, file);
    fclose(file);
    LOAD(&ebm_idx_data, 1, "train", train, "train_labels", labels, "test", train, "test_labels", labels);
    ck_assert_uint_eq(data.classes, 8);
    ck_assert_uint_eq(data.space.shape[1], 3);
    ebm_real states[6];
    static const ebm_real expected[6] = {0, 1, 1, 1, 0, 0};
    ebm_examples_fixed(&data, &data.test, 0, 2, states);
    ck_assert_mem_eq(states, expected, sizeof states);
    ebm_dataset_free(&data);
    REFUSED(EBM_FORMAT, "is 255: expected 0 or 1", &ebm_idx_data, "train", train, "binarise", "none");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("csv-data");
    TCase *tests = tcase_create("csv-data");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_csv_data_values_labels_and_header);
    tcase_add_test(tests, test_csv_data_label_by_number_and_shape);
    tcase_add_test(tests, test_csv_data_says_where);
    tcase_add_test(tests, test_csv_data_zero_bytes_and_endless_quotes);
    tcase_add_test(tests, test_csv_data_domains);
    tcase_add_test(tests, test_csv_data_split_keeps_every_row);
    tcase_add_test(tests, test_npy_data_shapes_types_and_labels);
    tcase_add_test(tests, test_npy_data_values_out_of_range);
    tcase_add_test(tests, test_idx_data_loads);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
