/* Comparison of results: identical files have no difference, a real one is found, and noise is held to its rate. */
#include "suite_text.h"

#include "harness/quantile.h"

#include "ebm/random.h"

static const char header[] = "suite,case,model,dataset,sampler,learner,seed,step,metric,value,se,status\n";

/* A file being written: rows of one case for each learner and seed. */
typedef struct file {
    char *text;
    size_t size;
    FILE *out;
} file;

static void begin(file *f) {
    f->out = open_memstream(&f->text, &f->size); /* keeps both addresses */
    ck_assert_ptr_nonnull(f->out);
    fputs(header, f->out);
}

static void row(file *f, const char *learner, unsigned seed, int step, const char *metric, double value, double se) {
    char number[32], error[32];
    fprintf(f->out, "s,rbm/%s/seed-%u,rbm,d,block-gibbs,%s,%u,%d,%s,%s,%s,ok\n", learner, seed, learner, seed, step,
            metric, ebm_table_number(value, number, sizeof number), ebm_table_number(se, error, sizeof error));
}

static void end(file *f, ebm_table *table) {
    ck_assert_int_eq(fclose(f->out), 0);
    parse_table(f->text, table);
    free(f->text);
}

/* Differences between two tables, with the report's text (to be freed) where it is wanted. */
static size_t differences_of(ebm_table *fresh, ebm_table *reference, double alpha, char **report) {
    ebm_compare_options options = {1e-6, alpha};
    ebm_error error = {0};
    size_t differences = 12345, size;
    FILE *out = report ? open_memstream(report, &size) : NULL;
    ck_assert_msg(ebm_compare(fresh, reference, &options, out, &differences, &error) == EBM_OK, "%s", error.message);
    if (out)
        fclose(out);
    return differences;
}

/* Compares two texts and frees nothing but its tables; words must stand in the report. */
static void check_texts(const char *fresh, const char *reference, size_t expected, const char *words) {
    ebm_table a, b;
    char *report, *left, *right;
    ck_assert_int_ge(asprintf(&left, "%s%s", header, fresh), 0);
    ck_assert_int_ge(asprintf(&right, "%s%s", header, reference), 0);
    parse_table(left, &a);
    parse_table(right, &b);
    size_t found = differences_of(&a, &b, 1e-3, &report);
    ck_assert_msg(found == expected, "%zu differences, expected %zu:\n%s", found, expected, report);
    ck_assert_msg(strstr(report, words), "expected '%s' in:\n%s", words, report);
    free(report);
    free(left);
    free(right);
    ebm_table_free(&a);
    ebm_table_free(&b);
}

START_TEST(test_compare_identical_files_do_not_differ) {
    static const char rows[] = "s,c1,rbm,d,g,cd-1,1,0,kl,0.5,,ok\n"
                               "s,c2,rbm,d,g,cd-1,2,0,kl,0.7,,ok\n"
                               "s,c1,rbm,d,g,cd-1,1,0,log_z_ais,10,0.5,ok\n"
                               "s,c2,rbm,d,g,cd-1,2,0,log_z_ais,,,ok\n"
                               "s,c3,rbm,d,g,exact,1,0,kl,-inf,,ok\n"
                               "s,c4,rbm,d,g,exact,2,,failure,,,failed\n"
                               "s,,rbm,d,g,cd-1,,0,mean,0.6,0.1,ok\n"
                               "s,,,,,,,,check: mean below 1,0.6,0.1,held\n"
                               "s,,,,,,,,check: mean below 1,0.6,0.1,held\n";
    check_texts(rows, rows, 0, "0 differences in 9 pairs");
}
END_TEST

START_TEST(test_compare_exact_metrics_by_relative_tolerance) {
    static const char reference[] = "s,c1,rbm,d,g,exact,1,0,kl,0.5,,ok\ns,c1,rbm,d,g,exact,1,1,kl,1e-20,,ok\n";
    check_texts("s,c1,rbm,d,g,exact,1,0,kl,0.5000004,,ok\ns,c1,rbm,d,g,exact,1,1,kl,2e-20,,ok\n", reference, 0,
                "2 exact");
    check_texts("s,c1,rbm,d,g,exact,1,0,kl,0.500001,,ok\ns,c1,rbm,d,g,exact,1,1,kl,1e-20,,ok\n", reference, 1,
                "kl step 0 c1: fresh 0.500001, reference 0.5: relative error 2e-06, allowed 1e-06");
    check_texts("s,c1,rbm,d,g,exact,1,0,kl,,,ok\ns,c1,rbm,d,g,exact,1,1,kl,1e-20,,ok\n", reference, 1, "fresh (empty)");
    check_texts("s,c1,rbm,d,g,exact,1,0,kl,inf,,ok\ns,c1,rbm,d,g,exact,1,1,kl,1e-20,,ok\n", reference, 1, "fresh inf");
}
END_TEST

START_TEST(test_compare_missing_and_additional_rows_and_columns_differ) {
    static const char one[] = "s,c1,rbm,d,g,exact,1,0,kl,0.5,,ok\n";
    static const char two[] = "s,c1,rbm,d,g,exact,1,0,kl,0.5,,ok\ns,c2,rbm,d,g,exact,2,0,kl,0.5,,ok\n";
    check_texts(one, two, 1, "c2: fresh (no row), reference 0.5: missing row");
    check_texts(two, one, 1, "c2: fresh 0.5, reference (no row): additional row");
    check_texts("s,c1,rbm,d,g,exact,1,0,kl,0.5,,ok\ns,c1,rbm,d,g,exact,1,0,kl,0.5,,ok\n", one, 1, "additional");
    check_texts("", one, 1, "missing");
    ebm_table a, b;
    char *report;
    parse_table("suite,case,model,dataset,sampler,learner,seed,x,step,metric,value,se,status\n", &a);
    parse_table("suite,case,model,dataset,sampler,learner,seed,step,metric,value,se,status\n", &b);
    ck_assert_uint_eq(differences_of(&a, &b, 1e-3, &report), 1);
    ck_assert_ptr_nonnull(strstr(report, "column x: only in the fresh table"));
    free(report);
    ebm_table_free(&a);
    ebm_table_free(&b);
}
END_TEST

START_TEST(test_compare_statuses) {
    check_texts("s,c1,rbm,d,g,exact,1,0,kl,,,failed\n", "s,c1,rbm,d,g,exact,1,0,kl,0.5,,ok\n", 1,
                "fresh failed, reference ok: another status");
    check_texts("s,c1,rbm,d,g,exact,1,,failure,,,failed\n", "s,c1,rbm,d,g,exact,1,0,kl,0.5,,ok\n", 2, "additional row");
    check_texts("s,c1,rbm,d,g,exact,1,,failure,,,timeout\n", "s,c1,rbm,d,g,exact,1,,failure,,,failed\n", 1, "timeout");
    /* A verdict is what counts of a check; its value is compared where it comes from. */
    check_texts("s,,,,,,,,check: kl below 1,0.5,,held\n", "s,,,,,,,,check: kl below 1,0.7,,held\n", 0, "by status");
    check_texts("s,,,,,,,,check: kl below 1,2,,fell-short\n", "s,,,,,,,,check: kl below 1,0.7,,held\n", 1,
                "fell-short");
}
END_TEST

START_TEST(test_compare_one_seed_by_its_own_error) {
    /* One test at 1e-3: the normal quantile is 3.29. */
    static const char reference[] = "s,c1,rbm,d,g,exact,1,0,log_z_ais,10,0.3,ok\n";
    check_texts("s,c1,rbm,d,g,exact,1,0,log_z_ais,11.6,0.4,ok\n", reference, 0, "1 by their own error");
    check_texts("s,c1,rbm,d,g,exact,1,0,log_z_ais,11.7,0.4,ok\n", reference, 1,
                "3.4 standard errors, allowed 3.29 (normal)");
    /* Without an error the tolerance decides, and the report says so. */
    check_texts("s,c1,rbm,d,g,exact,1,0,log_z_ais,11.6,,ok\n", "s,c1,rbm,d,g,exact,1,0,log_z_ais,10,,ok\n", 1,
                "for want of a standard error");
    check_texts("s,c1,rbm,d,g,exact,1,0,log_z_ais,10.000001,,ok\n", "s,c1,rbm,d,g,exact,1,0,log_z_ais,10,,ok\n", 0,
                "1 without an error");
}
END_TEST

START_TEST(test_compare_equal_seeds_by_their_own_error) {
    /* A value that no seed enters has no spread over seeds: the error beside it counts, hypot(0.3, 0.4) = 0.5. */
    const struct {
        double fresh, se;
        size_t differences;
    } trials[] = {{11.6, 0.4, 0}, {11.7, 0.4, 1}, {10.5, NAN, 2}};
    for (size_t k = 0; k < sizeof trials / sizeof *trials; k++) {
        ebm_table a, b;
        file fresh, reference;
        begin(&fresh);
        begin(&reference);
        for (unsigned seed = 1; seed <= 2; seed++) {
            row(&fresh, "exact", seed, 0, "log_z_ais", trials[k].fresh, trials[k].se);
            row(&reference, "exact", seed, 0, "log_z_ais", 10, isnan(trials[k].se) ? NAN : 0.3);
        }
        end(&fresh, &a);
        end(&reference, &b);
        ck_assert_uint_eq(differences_of(&a, &b, 1e-3, NULL), trials[k].differences);
        ebm_table_free(&a);
        ebm_table_free(&b);
    }
}
END_TEST

START_TEST(test_compare_what_is_learnt_by_sampling_is_random) {
    /* kl is exact for a given machine; but machines learnt by CD differ once rounding has changed a draw. */
    ebm_table a, b;
    for (int sampled = 0; sampled < 2; sampled++) {
        file fresh, reference;
        begin(&fresh);
        begin(&reference);
        for (unsigned seed = 1; seed <= 4; seed++) {
            row(&fresh, sampled ? "cd-1" : "exact", seed, 5, "kl", 1 + 0.1 * seed, NAN);
            row(&reference, sampled ? "cd-1" : "exact", seed, 5, "kl", 1.02 + 0.1 * (5 - seed), NAN);
        }
        end(&fresh, &a);
        end(&reference, &b);
        ck_assert_uint_eq(differences_of(&a, &b, 1e-3, NULL), sampled ? 0 : 4);
        ebm_table_free(&a);
        ebm_table_free(&b);
    }
}
END_TEST

START_TEST(test_compare_finds_a_shifted_mean) {
    /* Spread 0.1 over five seeds, shift 1: t = 1 / (s sqrt(2/5)) = 15.8 with s = 0.1; one test at 1e-3 with 8 degrees
     * of freedom allows 5.04. Means: a 1, b 2; variance of (-2, -1, 0, 1, 2) * k is 2.5 k^2 = 0.01. */
    double k = sqrt(0.01 / 2.5);
    ebm_table a, b;
    char *report;
    file fresh, reference;
    begin(&fresh);
    begin(&reference);
    for (unsigned seed = 1; seed <= 5; seed++) {
        row(&fresh, "cd-1", seed, 5, "kl", 1 + k * ((double)seed - 3), NAN);
        row(&reference, "cd-1", seed, 5, "kl", 2 - k * ((double)seed - 3), NAN);
    }
    end(&fresh, &a);
    end(&reference, &b);
    ck_assert_uint_eq(differences_of(&a, &b, 1e-3, &report), 1);
    ck_assert_msg(strstr(report, "kl step 5 model=rbm/dataset=d/sampler=block-gibbs/learner=cd-1: fresh ") &&
                      strstr(report, "means over seeds differ by 15.8 standard errors, allowed 5.04 (Student's t with "
                                     "8 degrees of freedom)"),
                  "%s", report);
    free(report);
    ebm_table_free(&a);
    ebm_table_free(&b);
}
END_TEST

START_TEST(test_compare_derived_rows_have_the_freedom_of_their_seeds) {
    /* Two seeds in the file, two files: 2 degrees of freedom, where 1e-3 allows 31.6 standard errors. */
    static const char seeds[] = "s,c1,rbm,d,g,exact,1,0,kl,0.5,,ok\ns,c2,rbm,d,g,exact,2,0,kl,0.5,,ok\n";
    char fresh[400], reference[400];
    snprintf(fresh, sizeof fresh, "%ss,,rbm,d,g,exact,,0,kl_mean,31,0.6,ok\n", seeds);
    snprintf(reference, sizeof reference, "%ss,,rbm,d,g,exact,,0,kl_mean,0,0.8,ok\n", seeds);
    check_texts(fresh, reference, 0, "1 by their own error");
    snprintf(fresh, sizeof fresh, "%ss,,rbm,d,g,exact,,0,kl_mean,32,0.6,ok\n", seeds);
    check_texts(fresh, reference, 1, "allowed 31.6");
    snprintf(fresh, sizeof fresh, "%ss,,rbm,d,g,exact,,0,kl_mean,1,,ok\n", seeds);
    snprintf(reference, sizeof reference, "%ss,,rbm,d,g,exact,,0,kl_mean,2,,ok\n", seeds);
    check_texts(fresh, reference, 1, "for want of a standard error");
}
END_TEST

START_TEST(test_compare_random_values_may_be_empty_by_chance) {
    static const char both[] =
        "s,c1,rbm,d,g,exact,1,0,log_z_ais,10,0.3,ok\ns,c2,rbm,d,g,exact,2,0,log_z_ais,11,0.3,ok\n";
    static const char one[] = "s,c1,rbm,d,g,exact,1,0,log_z_ais,,,ok\ns,c2,rbm,d,g,exact,2,0,log_z_ais,11,0.3,ok\n";
    static const char none[] = "s,c1,rbm,d,g,exact,1,0,log_z_ais,,,ok\ns,c2,rbm,d,g,exact,2,0,log_z_ais,,,ok\n";
    check_texts(one, both, 0, "1 by their own error (1 tests");
    check_texts(none, one, 0, "2 without an error");
    check_texts(none, both, 1, "fresh (empty), reference a number: empty throughout on one side");
    check_texts(both, none, 1, "fresh a number, reference (empty)");
}
END_TEST

/* A normal number by Box and Muller from the library's uniform ones. */
static double normal(uint32_t which, uint64_t step) {
    ebm_stream stream = {7, EBM_PURPOSE_ESTIMATE};
    double u = ebm_random_uniform1(stream, which, step, 0), v = ebm_random_uniform1(stream, which, step, 1);
    return sqrt(-2 * log(u > 0 ? u : 0x1p-60)) * cos(6.283185307179586 * v);
}

/* 20 groups of 5 seeds and 10 single rows with an error: 30 independent tests a file. */
static void simulate(uint32_t which, ebm_table *table) {
    file f;
    begin(&f);
    uint64_t step = 0;
    for (int group = 0; group < 20; group++)
        for (unsigned seed = 1; seed <= 5; seed++)
            row(&f, "exact", seed, group, "log_z_ais", 100 + group + 3 * normal(which, step++), 0.01);
    for (int single = 0; single < 10; single++)
        row(&f, "pcd", 1, single, "log_z_ais", 50 + 2 * normal(which, step++), 2);
    end(&f, table);
}

START_TEST(test_compare_holds_the_false_alarms_of_a_file) {
    /* 30 independent tests at 0.1 / 30: a file alarms with probability 1 - (1 - 0.1/30)^30 = 0.0953. Of 200 files none
     * does with probability 2e-9, and 43 or more do with probability below 1e-6 (binomial). */
    int alarms = 0;
    for (uint32_t i = 0; i < 200; i++) {
        ebm_table a, b;
        simulate(2 * i, &a);
        simulate(2 * i + 1, &b);
        alarms += differences_of(&a, &b, 0.1, NULL) > 0;
        ebm_table_free(&a);
        ebm_table_free(&b);
    }
    ck_assert_msg(alarms >= 1 && alarms < 43, "%d alarms in 200 files", alarms);
}
END_TEST

START_TEST(test_compare_quantiles) {
    /* Closed forms: one degree of freedom 1/tan(pi p / 2); two: t = (1 - p) sqrt(2 / (p (2 - p))); four: checked by
     * P(|T| > t) = 1 - x (3 - x^2) / 2 with x = t / sqrt(4 + t^2). 1e-9 relative, bisection is to 1e-14. */
    static const double probabilities[] = {0.5, 0.05, 1e-3, 1e-6, 1e-9};
    for (size_t i = 0; i < 5; i++) {
        double p = probabilities[i];
        double one = 1 / tan(1.5707963267948966 * p), two = (1 - p) * sqrt(2 / (p * (2 - p)));
        ck_assert_double_eq_tol(ebm_student_quantile(p, 1) / one, 1, 1e-9);
        ck_assert_double_eq_tol(ebm_student_quantile(p, 2) / two, 1, 1e-9);
        double t = ebm_student_quantile(p, 4), y = 4 / (4 + t * t), x = sqrt(1 - y);
        /* 1 - x (3 - x^2) / 2 = (1 - x)^2 (2 + x) / 2, with 1 - x = y / (1 + x) against cancellation */
        ck_assert_double_eq_tol(pow(y / (1 + x), 2) * (2 + x) / 2 / p, 1, 1e-9);
    }
    ck_assert_double_eq_tol(ebm_student_quantile(0.05, INFINITY), 1.959963984540054, 1e-12);
    /* Many degrees of freedom: z + (z^3 + z)/(4 v), the next term is 3e-10. */
    ck_assert_double_eq_tol(ebm_student_quantile(0.05, 1e5), 1.959963984540054 + 9.489084921 / 4e5, 1e-8);
    ck_assert_double_eq_tol(ebm_student_tail(0, 3), 1, 1e-15);
    ck_assert(ebm_student_tail(INFINITY, 3) == 0);
}
END_TEST

START_TEST(test_compare_refuses_impossible_options) {
    ebm_table a, b;
    parse_table(header, &a);
    parse_table(header, &b);
    ebm_error error = {0};
    size_t differences;
    ebm_compare_options options[] = {{-1, 1e-3}, {1e-6, 0}, {1e-6, 1}, {NAN, 0.5}};
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(ebm_compare(&a, &b, &options[i], NULL, &differences, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_compare(&a, &b, NULL, NULL, &differences, &error), EBM_OK);
    ck_assert_uint_eq(differences, 0);
    ebm_table_free(&a);
    ebm_table_free(&b);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("compare");
    tcase_add_test(tests, test_compare_identical_files_do_not_differ);
    tcase_add_test(tests, test_compare_exact_metrics_by_relative_tolerance);
    tcase_add_test(tests, test_compare_missing_and_additional_rows_and_columns_differ);
    tcase_add_test(tests, test_compare_statuses);
    tcase_add_test(tests, test_compare_one_seed_by_its_own_error);
    tcase_add_test(tests, test_compare_equal_seeds_by_their_own_error);
    tcase_add_test(tests, test_compare_what_is_learnt_by_sampling_is_random);
    tcase_add_test(tests, test_compare_finds_a_shifted_mean);
    tcase_add_test(tests, test_compare_derived_rows_have_the_freedom_of_their_seeds);
    tcase_add_test(tests, test_compare_random_values_may_be_empty_by_chance);
    tcase_add_test(tests, test_compare_holds_the_false_alarms_of_a_file);
    tcase_add_test(tests, test_compare_quantiles);
    tcase_add_test(tests, test_compare_refuses_impossible_options);
    return run_tests("compare", tests);
}
