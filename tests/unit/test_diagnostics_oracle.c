/* R-hat, ESS and MCSE against the R package posterior 1.4.0, on traces and answers kept outside the repository:
 * $EBM_REFERENCE/diagnostics. Skipped where that is not set.
 *
 * Tolerance: the answers have 16 digits, and no step loses more than a few hundred units of rounding: 1e-8 relative. */
#include "ebm/diagnostics.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 4, MOST_DRAWS = 1000, QUANTITIES = 9 };

static const char *const NAMES[QUANTITIES] = {"rhat",     "rhat_basic", "ess_bulk", "ess_tail", "ess_basic",
                                              "ess_mean", "mcse_mean",  "mean",     "sd"};

/* The next number of a comma-separated line; NA is NAN. */
static double next_number(char **line) {
    char *end;
    const double value = strtod(*line, &end);
    const double result = end == *line ? NAN : value;
    *line = end + strcspn(end, ",\n");
    *line += **line == ',';
    return result;
}

static size_t read_trace(const char *folder, const char *name, double *values) {
    static double rows[MOST_DRAWS][CHAINS];
    char path[4096], line[1024];
    snprintf(path, sizeof path, "%s/diagnostics/%s.csv", folder, name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    size_t draws = 0;
    while (fgets(line, sizeof line, file)) {
        ck_assert_uint_lt(draws, MOST_DRAWS);
        char *at = line;
        for (size_t c = 0; c < CHAINS; c++)
            rows[draws][c] = next_number(&at);
        draws++;
    }
    fclose(file);
    for (size_t c = 0; c < CHAINS; c++)
        for (size_t t = 0; t < draws; t++)
            values[c * draws + t] = rows[t][c];
    return draws;
}

START_TEST(test_diagnostics_agree_with_posterior) {
    const char *folder = getenv("EBM_REFERENCE");
    char path[4096], line[1024];
    snprintf(path, sizeof path, "%s/diagnostics/expected.csv", folder);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ebm_work *work;
    ck_assert_int_eq(ebm_work_create(1, &work, NULL), EBM_OK);
    static double values[MOST_DRAWS * CHAINS];
    size_t traces = 0, missing = 0;
    for (; fgets(line, sizeof line, file); traces++) {
        char *at = strchr(line, ',');
        ck_assert_ptr_nonnull(at);
        *at++ = '\0';
        const size_t draws = read_trace(folder, line, values);
        ebm_trace_summary s;
        ck_assert_int_eq(ebm_traces_summarise(&(ebm_traces){values, 1, CHAINS, draws}, &s, work, NULL), EBM_OK);
        const double got[QUANTITIES] = {s.rhat,     s.rhat_basic, s.ess_bulk, s.ess_tail, s.ess_basic,
                                        s.ess_mean, s.mcse_mean,  s.mean,     s.sd};
        for (size_t k = 0; k < QUANTITIES; k++) {
            const double want = next_number(&at);
            missing += isnan(want);
            ck_assert_msg(isnan(want) ? isnan(got[k]) : fabs(got[k] - want) <= 1e-8 * fabs(want),
                          "%s: %s is %.17g, posterior has %.17g", line, NAMES[k], got[k], want);
        }
    }
    fclose(file);
    ck_assert_uint_ge(traces, 10);
    ck_assert_uint_ge(missing, 1);
    ebm_work_free(work);
}
END_TEST

int main(void) {
    if (getenv("EBM_REFERENCE") == NULL) {
        printf("skipped: EBM_REFERENCE is not set, the folder with the traces and answers of R's posterior\n");
        return 77;
    }
    Suite *suite = suite_create("diagnostics oracle");
    TCase *cases = tcase_create("unit");
    tcase_add_test(cases, test_diagnostics_agree_with_posterior);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
