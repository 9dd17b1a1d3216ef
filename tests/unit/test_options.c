/* Option tables: strict parsing, messages, canonical text, the manual, nearest names. */
#include "ebm/options.h"

#include "core/number.h"

#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct sample_options {
    bool centred;
    int64_t hidden;
    double rate;
    char *load;
    int start;
    ebm_reals betas;
} sample_options;

static const char *const starts[] = {"data", "persistent", "noise", NULL};

static const ebm_option table[] = {
    {"centred", EBM_OPTION_BOOL, EBM_OFFSET(sample_options, centred), "true", 0, 0, NULL, 0, "centre the units"},
    {"hidden", EBM_OPTION_INT, EBM_OFFSET(sample_options, hidden), "500", 1, 1e6, NULL, 0, "number of hidden units"},
    {"rate", EBM_OPTION_REAL, EBM_OFFSET(sample_options, rate), "0.1", 0, INFINITY, NULL, 0,
     "learning rate, a step's length along the gradient of the mean log-likelihood"},
    {"load", EBM_OPTION_STRING, EBM_OFFSET(sample_options, load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder of weights"},
    {"start", EBM_OPTION_CHOICE, EBM_OFFSET(sample_options, start), "persistent", 0, 0, starts, 0,
     "where chains start"},
    {"betas", EBM_OPTION_REALS, EBM_OFFSET(sample_options, betas), "[0, 0.5, 1]", 0, 1, NULL, 0,
     "inverse temperatures"},
    {NULL, 0, 0, NULL, 0, 0, NULL, 0, NULL},
};

static const ebm_option empty[] = {{NULL, 0, 0, NULL, 0, 0, NULL, 0, NULL}};

static sample_options options;
static ebm_error error;

static void setup(void) {
    ck_assert_int_eq(ebm_options_default(table, &options, sizeof options, &error), EBM_OK);
}

static void teardown(void) {
    ebm_options_clear(table, &options);
}

static void refused(const char *name, const char *text, const char *part) {
    char before[200], after[200];
    const ebm_option *option = ebm_options_find(table, name);
    if (option)
        ebm_options_text(option, &options, before, sizeof before);
    ck_assert_int_eq(ebm_options_set(table, &options, name, text, NULL, &error), EBM_INVALID);
    ck_assert_msg(strstr(error.message, part) != NULL, "'%s' lacks '%s'", error.message, part);
    if (option) {
        ebm_options_text(option, &options, after, sizeof after);
        ck_assert_str_eq(before, after); /* a refused value leaves the old one */
    }
}

static void accepted(const char *name, const char *text, const char *canonical) {
    char buffer[200];
    ck_assert_msg(ebm_options_set(table, &options, name, text, NULL, &error) == EBM_OK, "%s", error.message);
    size_t length = ebm_options_text(ebm_options_find(table, name), &options, buffer, sizeof buffer);
    ck_assert_str_eq(buffer, canonical);
    ck_assert_uint_eq(length, strlen(canonical));
}

START_TEST(test_options_defaults) {
    ck_assert(options.centred);
    ck_assert_int_eq(options.hidden, 500);
    ck_assert_double_eq(options.rate, 0.1);
    ck_assert_ptr_null(options.load);
    ck_assert_int_eq(options.start, 1);
    ck_assert_uint_eq(options.betas.count, 3);
    ck_assert_double_eq(options.betas.values[1], 0.5);
}
END_TEST

START_TEST(test_options_integers_are_plain_decimal) {
    accepted("hidden", "1", "1");
    accepted("hidden", "1000000", "1000000");
    accepted("hidden", "+7", "7");
    static const char *const wrong[] = {"1e6", "0x10", "1.0", "", " 7", "7 ", "010", "1_000", "-", "seven", "7h"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused("hidden", wrong[i], "plain decimal digits");
    refused("hidden", "0", "from 1 to 1000000");
    refused("hidden", "1000001", "from 1 to 1000000");
    refused("hidden", "99999999999999999999", "from 1 to 1000000");
}
END_TEST

START_TEST(test_options_reals_are_finite_and_whole) {
    accepted("rate", "1e-3", "0.001");
    accepted("rate", ".5", "0.5");
    accepted("rate", "5.", "5");
    accepted("rate", "1e+300", "1e+300");
    accepted("rate", "0.1000000000000000055511151231257827", "0.1");
    static const char *const wrong[] = {"nan", "inf", ".inf", "0x1p3", "1e", "e5", ".", "", "1 ", "1,5", "--1", "1f"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused("rate", wrong[i], "finite number");
    refused("rate", "-0.1", "of at least 0");
    refused("rate", "1e999", "double precision");
    refused("rate", "1e-999", "double precision");
}
END_TEST

START_TEST(test_options_truth_values_are_two_words) {
    accepted("centred", "false", "false");
    accepted("centred", "true", "true");
    static const char *const wrong[] = {"yes", "no", "True", "1", "on", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused("centred", wrong[i], "expected true or false");
}
END_TEST

START_TEST(test_options_choices_suggest_the_nearest) {
    accepted("start", "noise", "noise");
    refused("start", "persistant", "did you mean 'persistent'?");
    refused("start", "qqq", "expected one of data, persistent, noise");
}
END_TEST

START_TEST(test_options_lists) {
    static const char *const good[] = {"0", "0.25", "1"}, *const bad[] = {"0", "1.5"};
    char buffer[64];
    ck_assert_int_eq(ebm_options_set_list(table, &options, "betas", 3, good, NULL, &error), EBM_OK);
    ebm_options_text(ebm_options_find(table, "betas"), &options, buffer, sizeof buffer);
    ck_assert_str_eq(buffer, "[0, 0.25, 1]");
    accepted("betas", buffer, "[0, 0.25, 1]");
    accepted("betas", "0.75", "[0.75]");
    refused("betas", "[]", "empty list");
    refused("betas", "[1,,0]", "finite number");
    ck_assert_int_eq(ebm_options_set_list(table, &options, "betas", 2, bad, NULL, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "from 0 to 1"));
    ck_assert_int_eq(ebm_options_set_list(table, &options, "hidden", 3, good, NULL, &error), EBM_INVALID);
    ck_assert_uint_eq(options.betas.count, 1); /* refused lists leave the old one */
    /* A short buffer receives what fits; the length is that of the whole. */
    accepted("betas", "[0, 0.25, 1]", "[0, 0.25, 1]");
    ck_assert_uint_eq(ebm_options_text(ebm_options_find(table, "betas"), &options, buffer, 6), 12);
    ck_assert_str_eq(buffer, "[0, 0");
}
END_TEST

START_TEST(test_options_unknown_name_has_place_and_suggestion) {
    ebm_position position = {"suite.yaml", 7, 12};
    char text[1024];
    ck_assert_int_eq(ebm_options_set(table, &options, "hiden", "5", &position, &error), EBM_INVALID);
    ebm_error_text(&error, text, sizeof text);
    ck_assert_str_eq(text, "suite.yaml:7:12: unknown option 'hiden': did you mean 'hidden'?");
    refused("momentum", "1", "expected one of centred, hidden, rate, load, start, betas");
    ck_assert_int_eq(ebm_options_set(empty, &options, "x", "1", NULL, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "no options"));
}
END_TEST

START_TEST(test_options_strings_are_owned) {
    char text[] = "weights";
    ck_assert_int_eq(ebm_options_set(table, &options, "load", text, NULL, &error), EBM_OK);
    text[0] = 'x';
    ck_assert_str_eq(options.load, "weights");
    accepted("load", "other", "other");
    ebm_options_clear(table, &options);
    ck_assert_ptr_null(options.load);
}
END_TEST

/* Whatever the program's locale, a point is a point. */
START_TEST(test_options_ignore_the_locale) {
    char text[40];
    double value = 0;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        setlocale(LC_ALL, "");
    ck_assert_int_eq(ebm_number_real("0.25", &value), EBM_NUMBER_OK);
    ck_assert_double_eq(value, 0.25);
    ebm_number_text(0.25, text, sizeof text);
    ck_assert_str_eq(text, "0.25");
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(test_options_numbers_round_trip) {
    static const double values[] = {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 123456789012345680.0, 2.0 / 3};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[40];
        double back = 1;
        ebm_number_text(values[i], text, sizeof text);
        ck_assert_int_eq(ebm_number_real(text, &back), EBM_NUMBER_OK);
        ck_assert_mem_eq(&back, &values[i], sizeof back);
    }
}
END_TEST

START_TEST(test_options_nearest_name) {
    static const char *const names[] = {"cd", "pcd", "exact", "block-gibbs", "bars-and-stripes", NULL};
    ck_assert_str_eq(ebm_nearest_name("exatc", names), "exact");
    ck_assert_str_eq(ebm_nearest_name("block_gibbs", names), "block-gibbs");
    ck_assert_str_eq(ebm_nearest_name("Block-Gibs", names), "block-gibbs");
    ck_assert_str_eq(ebm_nearest_name("PCD", names), "pcd");
    ck_assert_str_eq(ebm_nearest_name("bars-and-strips", names), "bars-and-stripes");
    ck_assert_str_eq(ebm_nearest_name("abrs-and-stripes", names), "bars-and-stripes");
    ck_assert_ptr_null(ebm_nearest_name("hmc", names));
    ck_assert_ptr_null(ebm_nearest_name("", names));
    char endless[500];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    ck_assert_ptr_null(ebm_nearest_name(endless, names));
}
END_TEST

static char *manual(const ebm_option *of, int width) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ebm_options_manual(of, out, width);
    fclose(out);
    return text;
}

START_TEST(test_options_manual_fits_its_width) {
    static const int widths[] = {60, 80, 100, 200};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        char *text = manual(table, widths[w]);
        for (const char *name = text; *name; name += strcspn(name, "\n") + 1)
            ck_assert_msg(strcspn(name, "\n") <= (size_t)widths[w], "too wide for %d:\n%s", widths[w], text);
        for (const ebm_option *option = table; option->name; option++)
            ck_assert_ptr_nonnull(strstr(text, option->name));
        ck_assert_ptr_nonnull(strstr(text, "1 to 1000000"));
        ck_assert_ptr_nonnull(strstr(text, "at least 0"));
        ck_assert_ptr_nonnull(strstr(text, "log-likelihood"));
        free(text);
    }
    char *none = manual(empty, 80);
    ck_assert_str_eq(none, "  (no options)\n");
    free(none);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("options");
    TCase *tests = tcase_create("options");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_options_defaults);
    tcase_add_test(tests, test_options_integers_are_plain_decimal);
    tcase_add_test(tests, test_options_reals_are_finite_and_whole);
    tcase_add_test(tests, test_options_truth_values_are_two_words);
    tcase_add_test(tests, test_options_choices_suggest_the_nearest);
    tcase_add_test(tests, test_options_lists);
    tcase_add_test(tests, test_options_unknown_name_has_place_and_suggestion);
    tcase_add_test(tests, test_options_strings_are_owned);
    tcase_add_test(tests, test_options_ignore_the_locale);
    tcase_add_test(tests, test_options_numbers_round_trip);
    tcase_add_test(tests, test_options_nearest_name);
    tcase_add_test(tests, test_options_manual_fits_its_width);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
