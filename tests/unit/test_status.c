/* Error values: what they say and where. */
#include "ebm/status.h"

#include <check.h>
#include <string.h>

START_TEST(test_status_message_and_place) {
    ebm_error error;
    char text[1024];
    ck_assert_int_eq(ebm_fail(&error, EBM_INVALID, "rate is %d, expected at least %d", -1, 0), EBM_INVALID);
    ck_assert_int_eq(error.status, EBM_INVALID);
    ck_assert_str_eq(ebm_error_text(&error, text, sizeof text), "rate is -1, expected at least 0");
    ebm_position position = {"suite.yaml", 12, 5};
    ck_assert_int_eq(ebm_fail_at(&error, EBM_FORMAT, &position, "unknown key"), EBM_FORMAT);
    ck_assert_str_eq(ebm_error_text(&error, text, sizeof text), "suite.yaml:12:5: unknown key");
    position.column = 0;
    ebm_fail_at(&error, EBM_FORMAT, &position, "unknown key");
    ck_assert_str_eq(ebm_error_text(&error, text, sizeof text), "suite.yaml:12: unknown key");
    position.line = 0;
    ebm_fail_at(&error, EBM_FORMAT, &position, "unknown key");
    ck_assert_str_eq(ebm_error_text(&error, text, sizeof text), "suite.yaml: unknown key");
    ebm_fail_at(&error, EBM_FORMAT, NULL, "unknown key");
    ck_assert_str_eq(ebm_error_text(&error, text, sizeof text), "unknown key");
    ck_assert_str_eq(ebm_error_text(&error, text, 8), "unknown");
}
END_TEST

START_TEST(test_status_wraps_its_own_message) {
    ebm_error error;
    ebm_fail(&error, EBM_IO, "cannot open");
    const ebm_position position = {"data.csv", 3, 1};
    ebm_fail_at(&error, EBM_IO, &position, "row 3: %s", error.message);
    ck_assert_str_eq(error.message, "row 3: cannot open");
    ebm_position again = {error.file, 9, 9};
    ebm_fail_at(&error, EBM_IO, &again, "again");
    ck_assert_str_eq(error.file, "data.csv");
    ck_assert_uint_eq(error.line, 9);
}
END_TEST

START_TEST(test_status_long_messages_are_cut) {
    ebm_error error;
    char wide[2000], file[1000];
    memset(wide, 'x', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    memset(file, 'f', sizeof file - 1);
    file[sizeof file - 1] = '\0';
    const ebm_position position = {file, 1, 1};
    ebm_fail_at(&error, EBM_IO, &position, "%s", wide);
    ck_assert_uint_eq(strlen(error.message), sizeof error.message - 1);
    ck_assert_uint_eq(strlen(error.file), sizeof error.file - 1);
    ck_assert_int_eq(ebm_fail(NULL, EBM_NO_MEMORY, "nobody listens"), EBM_NO_MEMORY);
}
END_TEST

static ebm_status fails(ebm_status status) {
    EBM_TRY(status);
    return EBM_INTERRUPTED;
}

START_TEST(test_status_names_and_try) {
    for (int i = EBM_OK; i <= EBM_INTERRUPTED; i++) {
        for (int j = EBM_OK; j < i; j++)
            ck_assert_str_ne(ebm_status_name((ebm_status)i), ebm_status_name((ebm_status)j));
        ck_assert_int_eq(fails((ebm_status)i), i == EBM_OK ? EBM_INTERRUPTED : i);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("status");
    TCase *cases = tcase_create("unit");
    tcase_add_test(cases, test_status_message_and_place);
    tcase_add_test(cases, test_status_wraps_its_own_message);
    tcase_add_test(cases, test_status_long_messages_are_cut);
    tcase_add_test(cases, test_status_names_and_try);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
