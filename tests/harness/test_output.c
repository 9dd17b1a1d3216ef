/* A case's output: rows, checkpoints that are used whole or not at all, and files that appear complete. */
#include "harness/output.h"
#include "harness/output_checkpoint.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static const char *const keys[EBM_FIXED_COLUMNS] = {"s", "a/seed-1", "rbm", "bars", "gibbs", "cd-1", "1"};
static char suite_name[] = "s";
static ebm_suite suite;
static ebm_error error;

static void setup(void) {
    snprintf(folder, sizeof folder, "/tmp/ebm-output-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    suite = (ebm_suite){.name = suite_name};
    error = (ebm_error){0};
}

static void teardown(void) {
    ebm_folder_remove(folder);
    ck_assert_int_ne(access(folder, F_OK), 0);
}

static void open_output(ebm_case_output *out, const char *key) {
    ck_assert_int_eq(ebm_case_output_open(out, &suite, folder, key, keys, -1, &error), EBM_OK);
}

static const char *inside(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A checkpoint of two rows and two regions. */
static void write_checkpoint(const char *key, double *theta, unsigned char *flags) {
    ebm_case_output out;
    ebm_region regions[] = {{theta, 3 * sizeof *theta}, {NULL, 0}, {flags, 5}};
    open_output(&out, key);
    out.output.step = 7;
    ck_assert_int_eq(out.output.sink.emit(&out.output.sink, "kl", 0.1, NAN, &error), EBM_OK);
    ck_assert_int_eq(out.output.sink.emit(&out.output.sink, "log_z", -INFINITY, 0.25, &error), EBM_OK);
    out.output.step = 9;
    ck_assert_int_eq(out.output.checkpoint(&out.output, regions, 3, &error), EBM_OK);
    ebm_case_output_close(&out);
}

static bool restore(ebm_case_output *out, const char *key, double *theta, size_t n_theta, unsigned char *flags) {
    ebm_region regions[] = {{theta, n_theta * sizeof *theta}, {NULL, 0}, {flags, 5}};
    bool found = true;
    open_output(out, key);
    ck_assert_int_eq(out->output.restore(&out->output, regions, 3, &found, &error), EBM_OK);
    return found;
}

START_TEST(test_checkpoint_round_trip) {
    double theta[3] = {1.5, -0.0, NAN}, read[4] = {0};
    unsigned char flags[5] = {1, 2, 3, 4, 5}, read_flags[5] = {0};
    ebm_case_output out;
    write_checkpoint("k", theta, flags);
    ck_assert(restore(&out, "k", read, 3, read_flags));
    ck_assert_mem_eq(read, theta, sizeof theta);
    ck_assert_mem_eq(read_flags, flags, 5);
    ck_assert_uint_eq(out.output.step, 9);
    ck_assert_uint_eq(out.table.n_rows, 2);
    ck_assert_str_eq(out.table.rows[0].metric, "kl");
    ck_assert_int_eq(out.table.rows[1].step, 7);
    ck_assert(out.table.rows[0].value == 0.1 && isnan(out.table.rows[0].se));
    ck_assert(out.table.rows[1].value == -INFINITY && out.table.rows[1].se == 0.25);
    ebm_case_output_close(&out);
}
END_TEST

/* Nothing of a checkpoint that does not fit may reach the case. */
static void expect_ignored(const char *key, size_t n_theta) {
    double read[4] = {42, 42, 42, 42};
    unsigned char flags[5] = {9, 9, 9, 9, 9};
    ebm_case_output out;
    ck_assert(!restore(&out, key, read, n_theta, flags));
    for (size_t i = 0; i < 4; i++)
        ck_assert(read[i] == 42);
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_eq(flags[i], 9);
    ck_assert_uint_eq(out.table.n_rows, 0);
    ck_assert_uint_eq(out.output.step, 0);
    ebm_case_output_close(&out);
}

START_TEST(test_checkpoint_foreign_is_ignored) {
    double theta[3] = {1, 2, 3};
    unsigned char flags[5] = {0};
    expect_ignored("k", 3); /* none there */
    write_checkpoint("k", theta, flags);
    expect_ignored("l", 3);
    expect_ignored("k", 4);
    expect_ignored("k", 2);
}
END_TEST

START_TEST(test_checkpoint_corrupt_is_ignored) {
    double theta[3] = {1, 2, 3};
    unsigned char flags[5] = {0};
    char *bytes;
    size_t size;
    write_checkpoint("k", theta, flags);
    ck_assert_int_eq(ebm_file_read(inside("checkpoint"), 1 << 20, &bytes, &size, &error), EBM_OK);
    for (size_t i = 0; i <= size; i++) { /* byte i changed; for i = size nothing is */
        FILE *file = fopen(inside("checkpoint"), "wb");
        bytes[i] ^= 0x10;
        fwrite(bytes, 1, size, file);
        fclose(file);
        bytes[i] ^= 0x10;
        if (i < size)
            expect_ignored("k", 3);
    }
    ebm_case_output out;
    ck_assert(restore(&out, "k", theta, 3, flags));
    ebm_case_output_close(&out);
    for (size_t length = 0; length < size; length++) {
        ck_assert_int_eq(truncate(inside("checkpoint"), 0), 0);
        FILE *file = fopen(inside("checkpoint"), "wb");
        fwrite(bytes, 1, length, file);
        fclose(file);
        expect_ignored("k", 3);
    }
    free(bytes);
}
END_TEST

START_TEST(test_output_curves_stand_at_steps_of_their_own) {
    ebm_case_output out;
    open_output(&out, "k");
    ebm_sink *sink = &out.output.sink;
    out.output.step = 7;
    ck_assert_int_eq(sink->emit(sink, "x", 1, NAN, &error), EBM_OK);
    sink->at(sink, 3);
    ck_assert_int_eq(sink->emit(sink, "d", 2, NAN, &error), EBM_OK);
    ck_assert_int_eq(out.table.rows[0].step, 7);
    ck_assert_int_eq(out.table.rows[1].step, 3);
    ebm_case_output_close(&out);
}
END_TEST

/* A checkpoint whose checksum is right but whose header announces more than there is. */
START_TEST(test_checkpoint_hostile_counts_are_ignored) {
    double theta[3] = {1, 2, 3};
    unsigned char flags[5] = {0};
    char *bytes;
    size_t size;
    write_checkpoint("k", theta, flags);
    ck_assert_int_eq(ebm_file_read(inside("checkpoint"), 1 << 20, &bytes, &size, &error), EBM_OK);
    for (size_t at = 0; at + 24 <= size; at++) {
        char saved[8];
        memcpy(saved, bytes + at, 8);
        memset(bytes + at, 0xff, 8);
        ebm_hash sum = ebm_hash_begin();
        ebm_hash_add(&sum, bytes, size - sizeof sum);
        FILE *file = fopen(inside("checkpoint"), "wb");
        fwrite(bytes, 1, size - sizeof sum, file);
        fwrite(&sum, sizeof sum, 1, file);
        fclose(file);
        memcpy(bytes + at, saved, 8);
        ebm_case_output out; /* whether it fits or not, it must not be read past its end */
        bool found = restore(&out, "k", theta, 3, flags);
        ck_assert(found || out.table.n_rows == 0);
        ebm_case_output_close(&out);
    }
    free(bytes);
}
END_TEST

START_TEST(test_output_completes_by_rename) {
    ebm_case_output out;
    ebm_spent spent;
    double theta[3] = {0};
    unsigned char flags[5] = {0};
    char path[EBM_PATH_MAX];
    write_checkpoint("k", theta, flags);
    open_output(&out, "k");
    ck_assert_int_eq(out.output.sink.emit(&out.output.sink, "kl", 0.5, NAN, &error), EBM_OK);
    ck_assert_int_eq(out.output.artifact(&out.output, "filters.csv", path, sizeof path, &error), EBM_OK);
    ck_assert_int_eq(out.output.artifact(&out.output, "../x", path, sizeof path, &error), EBM_INVALID);
    ck_assert_int_eq(out.output.artifact(&out.output, ".x", path, sizeof path, &error), EBM_INVALID);
    ck_assert_int_ne(access(inside("rows.csv"), F_OK), 0);
    ck_assert_int_eq(ebm_case_output_complete(&out, &error), EBM_OK);
    ebm_case_output_close(&out);
    ck_assert_int_eq(access(inside("rows.csv"), F_OK), 0);
    ck_assert_int_ne(access(inside("checkpoint"), F_OK), 0);
    ck_assert(ebm_spent_read(folder, &spent) && spent.peak_kib > 0);
}
END_TEST

START_TEST(test_file_appears_whole_or_not) {
    ebm_new_file file;
    char *bytes, **names;
    size_t size;
    ck_assert_int_eq(ebm_new_file_open(&file, inside("f"), &error), EBM_OK);
    fputs("old", file.stream);
    ck_assert_int_ne(access(inside("f"), F_OK), 0);
    ck_assert_int_eq(ebm_new_file_commit(&file, &error), EBM_OK);
    ck_assert_int_eq(ebm_new_file_open(&file, inside("f"), &error), EBM_OK);
    fputs("new", file.stream);
    ebm_new_file_abandon(&file);
    ck_assert_int_eq(ebm_file_read(inside("f"), 100, &bytes, &size, &error), EBM_OK);
    ck_assert_str_eq(bytes, "old");
    free(bytes);
    ck_assert_int_eq(ebm_path_names(folder, NULL, &names, &error), EBM_OK);
    ck_assert_str_eq(names[0], "f");
    ck_assert_ptr_null(names[1]);
    ebm_names_free(names);
    ck_assert_int_eq(ebm_new_file_open(&file, inside("no/f"), &error), EBM_IO);
}
END_TEST

START_TEST(test_file_full_disk_is_an_error) {
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL)
        return; /* a system without it: the script test_run_disk.sh has a real full disk */
    ebm_new_file file = {.stream = full};
    snprintf(file.path, sizeof file.path, "%s", inside("f"));
    fputs("text", file.stream);
    ck_assert_int_eq(ebm_new_file_commit(&file, &error), EBM_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "No space left"));
}
END_TEST

START_TEST(test_folder_link_mirrors_files) {
    char to[256], **names;
    ck_assert_int_eq(ebm_folder_make(inside("from/deep"), &error), EBM_OK);
    fclose(fopen(inside("from/a"), "w"));
    snprintf(to, sizeof to, "%s", inside("to/one"));
    ck_assert_int_eq(ebm_folder_make(to, &error), EBM_OK);
    fclose(fopen(inside("to/one/stale"), "w"));
    char from[256];
    snprintf(from, sizeof from, "%s", inside("from"));
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(ebm_folder_link(from, to, &error), EBM_OK);
        ck_assert_int_eq(ebm_path_names(to, NULL, &names, &error), EBM_OK);
        ck_assert_str_eq(names[0], "a");
        ck_assert_ptr_null(names[1]);
        ebm_names_free(names);
    }
}
END_TEST

START_TEST(test_hash_depends_on_contents) {
    char text[EBM_HASH_TEXT];
    ebm_hash hash = ebm_hash_begin(), other;
    ebm_hash_add(&hash, "foobar", 6);
    ck_assert_uint_eq(hash.a, UINT64_C(0x85944171f73967e8)); /* FNV-1a 64 of "foobar", the authors' test vectors */
    ck_assert_uint_eq(strlen(ebm_hash_text(hash, text)), 32);
    ck_assert_int_eq(ebm_folder_make(inside("d"), &error), EBM_OK);
    ebm_hash seen[4];
    static const char *const contents[] = {"", "x", "y", "xx"};
    for (size_t i = 0; i < 4; i++) {
        FILE *file = fopen(inside("d/f"), "w");
        fputs(contents[i], file);
        fclose(file);
        seen[i] = ebm_hash_begin();
        ck_assert_int_eq(ebm_hash_add_path(&seen[i], inside("d"), &error), EBM_OK);
        for (size_t k = 0; k < i; k++)
            ck_assert(seen[i].a != seen[k].a && seen[i].b != seen[k].b);
    }
    char moved[256];
    snprintf(moved, sizeof moved, "%s", inside("d/g"));
    ck_assert_int_eq(rename(inside("d/f"), moved), 0);
    other = ebm_hash_begin();
    ck_assert_int_eq(ebm_hash_add_path(&other, inside("d"), &error), EBM_OK);
    ck_assert(other.a != seen[3].a);
    ck_assert_int_eq(ebm_hash_add_path(&other, inside("none"), &error), EBM_IO);
}
END_TEST

int main(void) {
    Suite *s = suite_create("output");
    TCase *t = tcase_create("output");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_checkpoint_round_trip);
    tcase_add_test(t, test_output_curves_stand_at_steps_of_their_own);
    tcase_add_test(t, test_checkpoint_foreign_is_ignored);
    tcase_add_test(t, test_checkpoint_corrupt_is_ignored);
    tcase_add_test(t, test_checkpoint_hostile_counts_are_ignored);
    tcase_add_test(t, test_output_completes_by_rename);
    tcase_add_test(t, test_file_appears_whole_or_not);
    tcase_add_test(t, test_file_full_disk_is_an_error);
    tcase_add_test(t, test_folder_link_mirrors_files);
    tcase_add_test(t, test_hash_depends_on_contents);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
