/* Small helpers of the harness's tests: suites from texts, tables from texts. */
#ifndef EBM_TESTS_SUITE_TEXT_H
#define EBM_TESTS_SUITE_TEXT_H

#include "harness/suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void parse_suite(const char *text, ebm_size size, ebm_suite *out) {
    ebm_error error = {0};
    char buffer[1200];
    ebm_status status = ebm_suite_parse("suite.yaml", text, strlen(text), size, out, &error);
    ck_assert_msg(status == EBM_OK, "%s", ebm_error_text(&error, buffer, sizeof buffer));
}

static inline void parse_table(const char *text, ebm_table *out) {
    ebm_error error = {0};
    char buffer[1200];
    ebm_status status = ebm_table_parse("table.csv", text, strlen(text), out, &error);
    ck_assert_msg(status == EBM_OK, "%s", ebm_error_text(&error, buffer, sizeof buffer));
}

/* A row for a case of a suite. */
static inline void add_case_row(const ebm_suite *suite, ebm_table *table, size_t c, int64_t step, const char *metric,
                                double value, double se) {
    const char *keys[EBM_TABLE_MAX_COLUMNS];
    char seed[16];
    ebm_case_keys(suite, &suite->cases[c], keys, seed, sizeof seed);
    ck_assert_int_eq(ebm_table_add(table, keys, step, metric, value, se, "ok", NULL), EBM_OK);
}

static inline void create_table(const ebm_suite *suite, ebm_table *table) {
    ck_assert_int_eq(ebm_table_create(suite->n_axes, (const char *const *)suite->axes, table, NULL), EBM_OK);
}

/* The text of a row's column, by name. */
static inline const char *cell(const ebm_table *table, const ebm_row *row, const char *column) {
    for (size_t i = 0; i < table->n_keys; i++)
        if (strcmp(table->key_names[i], column) == 0)
            return row->keys[i];
    ck_abort_msg("no column %s", column);
    return NULL;
}

/* The n-th row with a metric, or NULL. */
static inline const ebm_row *nth_row(const ebm_table *table, const char *metric, size_t n) {
    for (size_t i = 0; i < table->n_rows; i++)
        if (strcmp(table->rows[i].metric, metric) == 0 && n-- == 0)
            return &table->rows[i];
    return NULL;
}

static inline char *table_text(const ebm_table *table) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    ebm_table_print(table, out);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static inline int run_tests(const char *name, TCase *tests) {
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

#endif
