/* Result tables: what is written reads back the same, and what is not a table is refused with its line. */
#include "suite_text.h"

#include <dirent.h>
#include <float.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER "suite,case,model,dataset,sampler,learner,seed,learner.steps,step,metric,value,se,status\n"

START_TEST(test_table_round_trip_is_exact) {
    static const double values[] = {0.0,     -0.0,     0.1,       1.0 / 3,           1e300,  -2.5e-300, DBL_MIN / 3,
                                    DBL_MAX, INFINITY, -INFINITY, 123456789012345.0, 5e-324, NAN};
    static const char *const texts[] = {"plain", "with, comma", "with \"quotes\"", "two\nlines", " spaces ",
                                        "",      "\xc3\xa9"};
    const char *axes[] = {"learner.steps", "model.a,b"};
    ebm_table table, again;
    ck_assert_int_eq(ebm_table_create(2, axes, &table, NULL), EBM_OK);
    size_t n = sizeof values / sizeof values[0], m = sizeof texts / sizeof texts[0];
    for (size_t i = 0; i < n; i++) {
        const char *keys[9];
        for (size_t k = 0; k < 9; k++)
            keys[k] = texts[(i + k) % m];
        ck_assert_int_eq(
            ebm_table_add(&table, keys, (int64_t)i - 1, texts[i % m], values[i], values[n - 1 - i], "ok", NULL),
            EBM_OK);
    }
    char *text = table_text(&table);
    parse_table(text, &again);
    ck_assert_uint_eq(again.n_keys, 9);
    ck_assert_uint_eq(again.n_rows, n);
    ck_assert_str_eq(again.key_names[8], "model.a,b");
    for (size_t i = 0; i < n; i++) {
        const ebm_row *a = &table.rows[i], *b = &again.rows[i];
        for (size_t k = 0; k < 9; k++)
            ck_assert_str_eq(a->keys[k], b->keys[k]);
        ck_assert_int_eq(a->step, b->step);
        ck_assert_str_eq(a->metric, b->metric);
        ck_assert(isnan(a->value) ? isnan(b->value) : memcmp(&a->value, &b->value, sizeof a->value) == 0);
        ck_assert(isnan(a->se) ? isnan(b->se) : memcmp(&a->se, &b->se, sizeof a->se) == 0);
    }
    char *second = table_text(&again);
    ck_assert_str_eq(text, second);
    free(text);
    free(second);
    ebm_table_free(&table);
    ebm_table_free(&again);
}
END_TEST

START_TEST(test_table_number_is_the_shortest_that_reads_back) {
    char text[32];
    ck_assert_str_eq(ebm_table_number(0.1, text, sizeof text), "0.1");
    ck_assert_str_eq(ebm_table_number(0.1 + 0.2, text, sizeof text), "0.30000000000000004");
    ck_assert_str_eq(ebm_table_number(1.0 / 3, text, sizeof text), "0.3333333333333333");
    ck_assert_str_eq(ebm_table_number(NAN, text, sizeof text), "");
}
END_TEST

START_TEST(test_table_quotes_only_where_needed) {
    ebm_table table;
    const char *keys[] = {"s", "a b", "x\"y", "p,q", "", "cd-1", "1"};
    ck_assert_int_eq(ebm_table_create(0, NULL, &table, NULL), EBM_OK);
    ck_assert_int_eq(ebm_table_add(&table, keys, -1, "m", 1, NAN, "ok", NULL), EBM_OK);
    char *text = table_text(&table);
    ck_assert_str_eq(text, "suite,case,model,dataset,sampler,learner,seed,step,metric,value,se,status\n"
                           "s,a b,\"x\"\"y\",\"p,q\",,cd-1,1,,m,1,,ok\n");
    free(text);
    ebm_table_free(&table);
}
END_TEST

static const struct {
    const char *text;
    unsigned line;
    const char *words[2];
} bad[] = {
    {"", 1, {"empty", "header"}},
    {"a,b,c\n", 1, {"3 columns", "suite,case"}},
    {"suite,case,model,dataset,sampler,learner,sed,step,metric,value,se,status\n", 1, {"column 7 is 'sed'", "'seed'"}},
    {"suite,case,model,dataset,sampler,learner,seed,step,metric,value,se,state\n", 1, {"'state'", "'status'"}},
    {"suite,case,model,dataset,sampler,learner,seed,a,a,step,metric,value,se,status\n", 1, {"columns 8 and 9", "'a'"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl,0.5,,ok\ns,c,m,d,g,l,1,1,0,kl,0.5,ok\n", 3, {"12 fields", "13"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl,0.5,,ok,more\n", 2, {"14 fields", "13"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl,NaN,,ok\n", 2, {"value", "'NaN'"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl,nan,,ok\n", 2, {"value", "'nan'"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl,0.5,0x1p3,ok\n", 2, {"se", "'0x1p3'"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl,1e999,,ok\n", 2, {"value", "'1e999'"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl,1.5x,,ok\n", 2, {"value", "'1.5x'"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl, 1,,ok\n", 2, {"value", "' 1'"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl,-,,ok\n", 2, {"value", "'-'"}},
    {HEADER "s,c,m,d,g,l,1,1,-5,kl,1,,ok\n", 2, {"step", "'-5'"}},
    {HEADER "s,c,m,d,g,l,1,1,1.5,kl,1,,ok\n", 2, {"step", "'1.5'"}},
    {HEADER "s,c,m,d,g,l,1,1,99999999999999999999,kl,1,,ok\n", 2, {"step", "whole number"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl,1,,ok\n\"s,c,m\nd\ne\n", 3, {"quote", "never closes"}},
    {HEADER "s,c\"x,m,d,g,l,1,1,0,kl,1,,ok\n", 2, {"quote inside a field", "whole field"}},
    {HEADER "s,\"c\"x,m,d,g,l,1,1,0,kl,1,,ok\n", 2, {"quote inside a field", "whole field"}},
    {HEADER "\ns,c,m,d,g,l,1,1,0,kl,1,,ok\n", 2, {"empty line", "row"}},
    {HEADER "s,c,m,d,g,l,1,1,0,kl,1,,ok\n\n", 3, {"empty line", "row"}},
};

START_TEST(test_table_refuses_what_is_no_table) {
    ebm_table table;
    ebm_error error = {0};
    char text[1200];
    ebm_status status = ebm_table_parse("t.csv", bad[_i].text, strlen(bad[_i].text), &table, &error);
    ebm_error_text(&error, text, sizeof text);
    ck_assert_msg(status == EBM_FORMAT, "accepted:\n%s", bad[_i].text);
    ck_assert_str_eq(error.file, "t.csv");
    ck_assert_msg(error.line == bad[_i].line, "%s (expected line %u)", text, bad[_i].line);
    for (size_t w = 0; w < 2; w++)
        ck_assert_msg(strstr(text, bad[_i].words[w]), "%s (expected '%s')", text, bad[_i].words[w]);
    ck_assert_ptr_null(strchr(text, '\n'));
    ck_assert_uint_eq(table.n_rows, 0);
    ck_assert_ptr_null(table.rows);
}
END_TEST

START_TEST(test_table_refuses_nul_and_long_fields) {
    static const char nul[] = HEADER "s,c\0x,m,d,g,l,1,1,0,kl,1,,ok\n";
    ebm_table table;
    ebm_error error = {0};
    ck_assert_int_eq(ebm_table_parse("t.csv", nul, sizeof nul - 1, &table, &error), EBM_FORMAT);
    ck_assert_uint_eq(error.line, 2);
    size_t size = sizeof HEADER - 1 + (3u << 20);
    char *text = malloc(size);
    memset(text, 'x', size);
    memcpy(text, HEADER, sizeof HEADER - 1);
    ck_assert_int_eq(ebm_table_parse("t.csv", text, size, &table, &error), EBM_FORMAT);
    ck_assert_uint_eq(error.line, 2);
    /* An open quote swallows the rest of a file: it is refused at the bound, not at the end. */
    for (size_t i = sizeof HEADER - 1; i < size; i += 50)
        text[i] = '\n';
    text[sizeof HEADER - 1] = '"';
    ck_assert_int_eq(ebm_table_parse("t.csv", text, size, &table, &error), EBM_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "quote"));
    free(text);
}
END_TEST

START_TEST(test_table_reads_carriage_returns_and_a_missing_last_newline) {
    ebm_table table;
    parse_table("suite,case,model,dataset,sampler,learner,seed,step,metric,value,se,status\r\n"
                "s,\"c\n1\",m,d,g,l,1,7,kl,2,0.5,ok\r\ns,c,m,d,g,l,2,,kl,,,failed",
                &table);
    ck_assert_uint_eq(table.n_rows, 2);
    ck_assert_str_eq(table.rows[0].keys[EBM_COLUMN_CASE], "c\n1");
    ck_assert_int_eq(table.rows[0].step, 7);
    ck_assert(table.rows[0].se == 0.5);
    ck_assert_int_eq(table.rows[1].step, -1);
    ck_assert(isnan(table.rows[1].value));
    ck_assert_str_eq(table.rows[1].status, "failed");
    ebm_table_free(&table);
}
END_TEST

static size_t count_files(const char *folder) {
    DIR *entries = opendir(folder);
    ck_assert_ptr_nonnull(entries);
    size_t count = 0;
    for (const struct dirent *entry; (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

START_TEST(test_table_write_is_whole_or_not_at_all) {
    char folder[] = "/tmp/ebm-table-XXXXXX", path[64], missing[64], taken[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.csv", folder);
    snprintf(missing, sizeof missing, "%s/none/t.csv", folder);
    snprintf(taken, sizeof taken, "%s/taken", folder);
    ebm_table table, again;
    ebm_error error = {0};
    const char *keys[] = {"s", "c", "m", "d", "g", "l", "1"};
    ck_assert_int_eq(ebm_table_create(0, NULL, &table, NULL), EBM_OK);
    ck_assert_int_eq(ebm_table_add(&table, keys, 3, "kl", 0.25, NAN, "ok", NULL), EBM_OK);
    ck_assert_int_eq(ebm_table_write(&table, path, &error), EBM_OK);
    ck_assert_int_eq(ebm_table_read(path, &again, &error), EBM_OK);
    ck_assert_uint_eq(again.n_rows, 1);
    ebm_table_free(&again);

    ck_assert_int_eq(ebm_table_write(&table, missing, &error), EBM_IO);
    ck_assert_ptr_nonnull(strstr(error.message, missing));
    ck_assert_int_eq(mkdir(taken, 0777), 0); /* a rename onto a folder fails after the writing */
    ck_assert_int_eq(ebm_table_write(&table, taken, &error), EBM_IO);
    ck_assert_uint_eq(count_files(folder), 2);
    ck_assert_int_eq(ebm_table_read(taken, &again, &error), EBM_IO);
    ck_assert_int_eq(ebm_table_read(missing, &again, &error), EBM_IO);
    ebm_table_free(&table);
    unlink(path);
    rmdir(taken);
    rmdir(folder);
}
END_TEST

START_TEST(test_table_write_reports_a_full_disk) {
    /* /dev/full refuses every write; a table cannot be renamed over it, so print to it as the writer does. */
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        return;
    ebm_table table;
    ck_assert_int_eq(ebm_table_create(0, NULL, &table, NULL), EBM_OK);
    ebm_table_print(&table, full);
    ck_assert_int_ne(fflush(full), 0);
    ck_assert_int_ne(ferror(full), 0);
    fclose(full);
    ebm_table_free(&table);
}
END_TEST

START_TEST(test_table_bounds_its_columns) {
    const char *axes[60];
    for (size_t i = 0; i < 60; i++)
        axes[i] = "axis";
    ebm_table table;
    ebm_error error = {0};
    ck_assert_int_eq(ebm_table_create(60, axes, &table, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "64"));
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("table");
    tcase_add_test(tests, test_table_round_trip_is_exact);
    tcase_add_test(tests, test_table_number_is_the_shortest_that_reads_back);
    tcase_add_test(tests, test_table_quotes_only_where_needed);
    tcase_add_loop_test(tests, test_table_refuses_what_is_no_table, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(tests, test_table_refuses_nul_and_long_fields);
    tcase_add_test(tests, test_table_reads_carriage_returns_and_a_missing_last_newline);
    tcase_add_test(tests, test_table_write_is_whole_or_not_at_all);
    tcase_add_test(tests, test_table_write_reports_a_full_disk);
    tcase_add_test(tests, test_table_bounds_its_columns);
    return run_tests("table", tests);
}
