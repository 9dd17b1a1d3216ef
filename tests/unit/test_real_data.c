/* Data on the real line: standardised pictures, and the mixture in the plane whose density is known. */
#include "loaded_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Mean and variance of all values of a half, as batches give them. */
static void moments_of(const ebm_examples *half, double *mean, double *variance) {
    const size_t V = data.space.size;
    ebm_real *x = malloc(V * sizeof *x);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < half->count; i++) {
        ebm_examples_fixed(&data, half, i, 1, x);
        for (size_t j = 0; j < V; j++) {
            sum += (double)x[j];
            squares += (double)x[j] * (double)x[j];
        }
    }
    free(x);
    *mean = sum / (double)(half->count * V);
    *variance = squares / (double)(half->count * V) - *mean * *mean;
}

/* Bound: values up to 4 rounded to 2^-24 of themselves in float, and their squares. */
START_TEST(test_standardise_train_gives_mean_0_variance_1) {
    double mean, variance, means[784], total = 0;
    LOAD(&ebm_glyphs, 1, "train", "200", "test", "100", "binarise", "none", "standardise", "train");
    moments_of(&data.train, &mean, &variance);
    ck_assert_double_eq_tol(mean, 0, 1e-6);
    ck_assert_double_eq_tol(variance, 1, 1e-5);
    ebm_dataset_means(&data, means);
    for (size_t j = 0; j < 784; j++)
        total += means[j];
    ck_assert_double_eq_tol(total, 0, 1e-9); /* doubles: the sums of 200 examples */
    moments_of(&data.test, &mean, &variance);
    ck_assert(mean != 0 && fabs(mean) < 0.1 && fabs(variance - 1) < 0.1); /* the training half's numbers, not its own */
    ebm_dataset_free(&data);
}
END_TEST

START_TEST(test_standardise_given_is_the_formula) {
    ebm_real plain[784], turned[784];
    LOAD(&ebm_glyphs, 1, "train", "3", "binarise", "none");
    const uint64_t hash = data.hash;
    ebm_examples_fixed(&data, &data.train, 2, 1, plain);
    ebm_dataset_free(&data);
    LOAD(&ebm_glyphs, 1, "train", "3", "binarise", "none", "standardise", "given", "mean", "0.25", "deviation", "0.5");
    ebm_examples_fixed(&data, &data.train, 2, 1, turned);
    for (size_t j = 0; j < 784; j++)
        ck_assert_double_eq_tol((double)turned[j], 2 * ((double)plain[j] - 0.25), 4e-7); /* one rounding each, < 2 */
    ck_assert(hash != data.hash);
    ebm_dataset_free(&data);
}
END_TEST

START_TEST(test_standardise_refuses_what_has_no_deviation) {
    ck_assert_int_eq(load_with(&ebm_glyphs, 1, "train", "3", "standardise", "train", (char *)NULL), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "binarise: none"));
    uint8_t bytes[4] = {7, 7, 7, 7};
    const ebm_standardise_options options = {.standardise = 1};
    data = (ebm_dataset){
        .type = &ebm_glyphs, .space = ebm_space_line(EBM_REAL_LINE, 2), .train = {.count = 2, .bytes = bytes}};
    ck_assert_int_eq(ebm_data_standardise(&options, &data, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "equal"));
}
END_TEST

/* Facts of the published files: their pixels have mean 0.1307 and deviation 0.3081, to four places. */
START_TEST(test_standardise_mnist) {
    LOAD(&ebm_mnist, 1, "test", "10", "binarise", "none", "standardise", "train");
    ck_assert_double_eq_tol(data.mean, 0.1307, 5e-5);
    ck_assert_double_eq_tol(data.deviation, 0.3081, 5e-5);
    ebm_dataset_free(&data);
}
END_TEST

/* Means and variances of the draws of each component within 5.5 standard errors (12 of each for two shapes: false alarm
 * 2e-6 if the seed were free), and counts of labels likewise. */
static void check_plane(const char *shape, double across, double along) {
    static const double means[3][2] = {{-5, -5}, {5, -5}, {0, 5}}, weights[3] = {0.33, 0.33, 0.34};
    double sum[3][2] = {{0}}, squares[3][2] = {{0}}, count[3] = {0};
    LOAD(&ebm_gaussian_mixture_2d, 1, "shape", shape, "train", "30000", "test", "10");
    for (size_t e = 0; e < 30000; e++) {
        const size_t k = (size_t)data.train.labels[e];
        count[k]++;
        for (size_t i = 0; i < 2; i++) {
            const double z = (double)data.train.reals[2 * e + i] - means[k][i];
            sum[k][i] += z;
            squares[k][i] += z * z;
        }
    }
    for (size_t k = 0; k < 3; k++) {
        const double n = 30000, p = weights[k];
        ck_assert(fabs(count[k] - n * p) < 5.5 * sqrt(n * p * (1 - p)));
        for (size_t i = 0; i < 2; i++) {
            const double s = (k == 2) == (i == 1) ? across : along;
            ck_assert_msg(fabs(sum[k][i] / count[k]) < 5.5 * s / sqrt(count[k]), "%s: mean %zu of %zu", shape, i, k);
            ck_assert_msg(fabs(squares[k][i] / count[k] / (s * s) - 1) < 5.5 * sqrt(2 / count[k]),
                          "%s: variance %zu of %zu", shape, i, k);
        }
    }
    ck_assert(data.train.reals[0] != data.test.reals[0]);
}

/* The density sums to 1 on a grid (trapezoids of spacing 0.25 of Gaussians of deviation 0.5 or more: exp(-2 pi^2 4) is
 * nothing), and its mean of x_1^2 is the mixture's: 0.66 * 25 + variance. */
static void check_density(double second) {
    double total = 0, square = 0;
    for (int a = -80; a <= 80; a++)
        for (int b = -80; b <= 80; b++) {
            const double x[2] = {a * 0.25, b * 0.25}, p = exp(data.log_density(&data, x)) / 16;
            total += p;
            square += p * x[0] * x[0];
        }
    ck_assert_double_eq_tol(total, 1, 1e-12);
    ck_assert_double_eq_tol(square, second, 1e-10);
    ebm_dataset_free(&data);
}

START_TEST(test_plane_mixture_draws_and_density) {
    check_plane("isotropic", 1, 1);
    check_density(0.66 * 25 + 1);
    check_plane("anisotropic", 1.25, 0.5);
    check_density(0.66 * (25 + 1.25 * 1.25) + 0.34 * 0.25);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("real_data");
    TCase *tests = tcase_create("real_data");
    tcase_add_test(tests, test_standardise_train_gives_mean_0_variance_1);
    tcase_add_test(tests, test_standardise_given_is_the_formula);
    tcase_add_test(tests, test_standardise_refuses_what_has_no_deviation);
    tcase_add_test(tests, test_plane_mixture_draws_and_density);
    const char *root = getenv("EBM_DATASETS");
    if (root && *root)
        tcase_add_test(tests, test_standardise_mnist);
    else
        puts("skipped: test_standardise_mnist: EBM_DATASETS names no folder with mnist/");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
