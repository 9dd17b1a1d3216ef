/* Data sets: binarisation, means, hashes, paths, the generators, and MNIST where it is at hand. */
#include "loaded_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A data set of one example of `size` units with the given intensities, in place of a loaded one. */
static void of_bytes(uint8_t *bytes, size_t count, size_t size) {
    data = (ebm_dataset){.space = ebm_space_line(EBM_BINARY, size),
                         .binarise = EBM_BINARISE_STOCHASTIC,
                         .train = {.count = count, .bytes = bytes}};
}

/* 256 intensities, each in 4,000 units. The number of ones is binomial; a bound of 5.5 standard deviations has a false
 * alarm of 4e-8 an intensity, below 1e-5 in all if the seed were free; it is fixed. 0 and 255 are never wrong. */
START_TEST(test_dataset_stochastic_frequencies) {
    enum { EACH = 4000, SIZE = 256 };
    static uint8_t bytes[SIZE];
    static ebm_real states[SIZE];
    size_t ones[SIZE] = {0};
    for (size_t j = 0; j < SIZE; j++)
        bytes[j] = (uint8_t)j;
    of_bytes(bytes, 1, SIZE);
    for (uint64_t step = 0; step < EACH; step++) {
        ebm_examples_batch(&data, &data.train, NULL, 0, 1, ebm_stream_of(7, EBM_PURPOSE_BINARISE), step, states);
        for (size_t j = 0; j < SIZE; j++) {
            ck_assert(states[j] == 0 || states[j] == 1);
            ones[j] += states[j] == 1;
        }
    }
    ck_assert_uint_eq(ones[0], 0);
    ck_assert_uint_eq(ones[255], EACH);
    for (size_t j = 1; j < 255; j++) {
        double p = (double)j / 255, deviation = ((double)ones[j] - EACH * p) / sqrt(EACH * p * (1 - p));
        ck_assert_msg(fabs(deviation) < 5.5, "intensity %zu: %zu of %d", j, ones[j], EACH);
    }
}
END_TEST

/* Reals and bytes of the same intensity give the same states: u < b / 255 in integers and in doubles. (A float rounds
 * b / 255; a draw falls between with probability below 2^-24 a unit.) */
START_TEST(test_dataset_bytes_and_reals_agree) {
    enum { SIZE = 3000 };
    static uint8_t bytes[SIZE];
    static ebm_real reals[SIZE], from_bytes[SIZE], from_reals[SIZE];
    for (size_t j = 0; j < SIZE; j++) {
        bytes[j] = (uint8_t)(j * 7);
        reals[j] = (ebm_real)(bytes[j] / 255.0);
    }
    of_bytes(bytes, 1, SIZE);
    ebm_examples_fixed(&data, &data.train, 0, 1, from_bytes);
    data.train = (ebm_examples){.count = 1, .reals = reals};
    ebm_examples_fixed(&data, &data.train, 0, 1, from_reals);
    ck_assert_mem_eq(from_bytes, from_reals, sizeof from_bytes);
}
END_TEST

/* Any way of cutting a batch gives the same states; a larger size than one piece of words among them. */
START_TEST(test_dataset_batches_do_not_depend_on_their_cut) {
    enum { COUNT = 6, SIZE = 2500 };
    static uint8_t bytes[COUNT * SIZE];
    static ebm_real whole[COUNT * SIZE], parts[COUNT * SIZE];
    static const uint32_t rows[COUNT] = {3, 1, 0, 5, 4, 2};
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    of_bytes(bytes, COUNT, SIZE);
    ebm_stream stream = ebm_stream_of(3, EBM_PURPOSE_BINARISE);
    ebm_examples_batch(&data, &data.train, NULL, 0, COUNT, stream, 9, whole);
    for (size_t i = 0; i < COUNT; i++)
        ebm_examples_batch(&data, &data.train, &rows[i], 0, 1, stream, 9, parts + rows[i] * SIZE);
    ck_assert_mem_eq(whole, parts, sizeof whole);
    ebm_examples_batch(&data, &data.train, NULL, 0, COUNT, stream, 10, parts);
    ck_assert(memcmp(whole, parts, sizeof whole) != 0);
}
END_TEST

/* The fixed binarisation of the first generated digit, for ever: published log-likelihoods rest on it. The hash is of
 * the states as bytes, computed by this test when the data set was defined. */
START_TEST(test_dataset_fixed_binarisation_is_stable) {
    static ebm_real first[784], second[784];
    LOAD(&ebm_glyphs, 1, "train", "3", "test", "3");
    ebm_examples_fixed(&data, &data.test, 1, 1, first);
    ebm_examples_fixed(&data, &data.test, 1, 1, second);
    ck_assert_mem_eq(first, second, sizeof first);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t j = 0; j < 784; j++)
        hash = (hash ^ (uint64_t)first[j]) * UINT64_C(0x100000001b3);
    ck_assert_msg(hash == UINT64_C(0x9ba33accb840cf4a), "%016llx", (unsigned long long)hash);
    ck_assert_msg(data.hash == UINT64_C(0x8f9547925caa62d7), "%016llx", (unsigned long long)data.hash);
    ebm_dataset_free(&data);
}
END_TEST

START_TEST(test_dataset_threshold_and_means) {
    static uint8_t bytes[8] = {0, 127, 128, 255, 255, 127, 0, 0};
    static const double intensities[4] = {0.5, 127.0 / 255, 64.0 / 255, 0.5}, states[4] = {0.5, 0, 0.5, 0.5};
    ebm_real out[4];
    double means[4];
    of_bytes(bytes, 2, 4);
    ebm_dataset_means(&data, means);
    for (size_t j = 0; j < 4; j++)
        ck_assert_double_eq_tol(means[j], intensities[j], 1e-15); /* rounding of a sum of two */
    data.binarise = EBM_BINARISE_THRESHOLD;
    ebm_examples_batch(&data, &data.train, NULL, 0, 1, ebm_stream_of(1, 1), 0, out);
    ck_assert(out[0] == 0 && out[1] == 0 && out[2] == 1 && out[3] == 1);
    ebm_dataset_means(&data, means);
    for (size_t j = 0; j < 4; j++)
        ck_assert_double_eq(means[j], states[j]);
}
END_TEST

/* The support: probabilities sum to 1 (rounding: count * 2^-53), states differ, every training example is one of them.
 */
static void check_support(size_t expected) {
    size_t size = data.space.size;
    double total = 0;
    ck_assert_uint_eq(data.support_count, expected);
    for (size_t i = 0; i < expected; i++) {
        total += exp(data.support_log_probability[i]);
        for (size_t k = 0; k < i && expected < 600; k++)
            ck_assert(memcmp(data.support + i * size, data.support + k * size, size * sizeof *data.support) != 0);
    }
    ck_assert_double_eq_tol(total, 1, 1e-12);
    for (size_t i = 0; i < data.train.count && i < 50; i++) {
        bool found = false;
        for (size_t k = 0; k < expected && !found; k++) {
            found = true;
            for (size_t j = 0; j < size && found; j++)
                found = data.support[k * size + j] == data.train.bytes[i * size + j];
        }
        ck_assert(found);
    }
}

START_TEST(test_bars_and_stripes_support) {
    for (int side = 1; side <= 8; side++) {
        char text[8];
        snprintf(text, sizeof text, "%d", side);
        LOAD(&ebm_bars_and_stripes, 1, "side", text);
        check_support(((size_t)2 << side) - 2);
        ck_assert_uint_eq(data.train.count, data.support_count);
        for (size_t i = 0; i < data.support_count; i++) { /* constant along rows, or along columns */
            const ebm_real *x = data.support + i * data.space.size;
            bool rows = true, columns = true;
            for (int r = 0; r < side; r++)
                for (int c = 0; c < side; c++) {
                    rows = rows && x[r * side + c] == x[r * side];
                    columns = columns && x[r * side + c] == x[c];
                }
            ck_assert(rows || columns);
        }
        ebm_dataset_free(&data);
    }
}
END_TEST

START_TEST(test_shifter_support) {
    LOAD(&ebm_shifter, 1, "bits", "6");
    check_support(3 * 64);
    ck_assert_uint_eq(data.space.size, 15);
    size_t labels[3] = {0};
    for (size_t i = 0; i < data.train.count; i++) {
        const uint8_t *x = data.train.bytes + i * 15;
        int move = data.train.labels[i] - 1;
        labels[move + 1]++;
        for (int j = 0; j < 6; j++)
            ck_assert_uint_eq(x[6 + (j + move + 6) % 6], x[j]);
        for (int m = 0; m < 3; m++)
            ck_assert_uint_eq(x[12 + m], m == move + 1);
    }
    ck_assert(labels[0] == 64 && labels[1] == 64 && labels[2] == 64);
    ebm_dataset_free(&data);
}
END_TEST

/* Every word of even parity once, and the moments of fewer than n units those of fair coins. */
START_TEST(test_parity_support) {
    enum { BITS = 5 };
    LOAD(&ebm_parity, 1, "bits", "5");
    check_support(16);
    ck_assert_uint_eq(data.space.size, BITS);
    for (unsigned set = 1; set < 1u << BITS; set++) {
        size_t all = 0, even = 0;
        for (size_t k = 0; k < data.train.count; k++) {
            size_t up = 0, ones = 0;
            for (size_t i = 0; i < BITS; i++) {
                ones += data.train.bytes[k * BITS + i];
                up += (set >> i & 1u) && data.train.bytes[k * BITS + i];
            }
            even += ones % 2 == 0;
            all += up == (size_t)__builtin_popcount(set);
        }
        const int units = __builtin_popcount(set);
        ck_assert_uint_eq(even, 16);
        ck_assert_uint_eq(all, units < BITS ? (size_t)16 >> units : 0); /* all five at once: an odd number */
    }
    ebm_dataset_free(&data);
}
END_TEST

/* Draws are uniform: chi-squared over the 14 pictures of side 3, 13 degrees of freedom; 60 is a tail of 6e-8. */
START_TEST(test_bars_and_stripes_draws) {
    size_t counts[14] = {0}, draws = 14000;
    double chi2 = 0;
    LOAD(&ebm_bars_and_stripes, 1, "side", "3", "count", "14000");
    ck_assert_uint_eq(data.train.count, draws);
    ck_assert_uint_eq(data.test.count, 14);
    for (size_t i = 0; i < draws; i++)
        for (size_t k = 0; k < 14; k++)
            counts[k] += memcmp(data.train.bytes + 9 * i, data.test.bytes + 9 * k, 9) == 0;
    for (size_t k = 0; k < 14; k++)
        chi2 += ((double)counts[k] - 1000) * ((double)counts[k] - 1000) / 1000;
    ck_assert_msg(chi2 < 60, "chi-squared %g", chi2);
    ebm_dataset_free(&data);
}
END_TEST

/* 20,000 patterns: each unit's mean within 5.5 standard errors (false alarm 4e-8 a unit). */
START_TEST(test_random_patterns_means) {
    static const double wanted[4] = {0, 0.1, 0.5, 1};
    double means[4];
    LOAD(&ebm_random_patterns, 1, "count", "20000", "size", "4", "mean", "[0, 0.1, 0.5, 1]", "test", "5");
    ck_assert_uint_eq(data.test.count, 5);
    ebm_dataset_means(&data, means);
    for (size_t j = 0; j < 4; j++)
        ck_assert_double_le(fabs(means[j] - wanted[j]), 5.5 * sqrt(wanted[j] * (1 - wanted[j]) / 20000));
    ck_assert(memcmp(data.train.bytes, data.test.bytes, 20) != 0);
    ebm_dataset_free(&data);
    LOAD(&ebm_random_patterns, 1, "count", "10", "size", "20", "domain", "spin");
    ck_assert_int_eq(data.space.domain, EBM_SPIN);
    for (size_t i = 0; i < 200; i++)
        ck_assert(data.train.reals[i] == 1 || data.train.reals[i] == -1);
    ebm_dataset_free(&data);
    ck_assert_int_eq(load_with(&ebm_random_patterns, 1, "size", "3", "mean", "[0.5, 0.5]", (char *)NULL), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "'mean' has 2 numbers"));
}
END_TEST

/* Example i depends on seed, half and i alone; the case's seed matters only where data_seed is 0. */
START_TEST(test_glyphs_depend_on_seed_and_index_alone) {
    static uint8_t kept[40 * 784];
    LOAD(&ebm_glyphs, 1, "train", "40", "test", "10");
    memcpy(kept, data.train.bytes, sizeof kept);
    uint64_t hash = data.hash;
    ck_assert(memcmp(kept, data.test.bytes, 10 * 784) != 0);
    ebm_dataset_free(&data);
    LOAD(&ebm_glyphs, 99, "train", "15", "test", "0");
    ck_assert_mem_eq(data.train.bytes, kept, 15 * 784);
    ebm_dataset_free(&data);
    LOAD(&ebm_glyphs, 5, "train", "40", "test", "10", "data_seed", "0");
    ck_assert(data.hash != hash);
    ebm_dataset_free(&data);
    LOAD(&ebm_glyphs, 5, "train", "40", "test", "10", "data_seed", "1");
    ck_assert(data.hash == hash);
    ebm_dataset_free(&data);
}
END_TEST

/* 5,000 digits: labels uniform (chi-squared with 9 degrees of freedom, 50 is a tail of 1e-7), every picture has ink of
 * full intensity and keeps clear of the border's outermost pixels on average. */
START_TEST(test_glyphs_are_inked_and_balanced) {
    size_t counts[10] = {0}, border = 0, ink = 0;
    double chi2 = 0;
    LOAD(&ebm_glyphs, 1, "train", "5000", "test", "0");
    for (size_t i = 0; i < 5000; i++) {
        const uint8_t *x = data.train.bytes + i * 784;
        uint8_t brightest = 0;
        counts[data.train.labels[i]]++;
        for (size_t j = 0; j < 784; j++) {
            brightest = x[j] > brightest ? x[j] : brightest;
            ink += x[j];
            border += j / 28 == 0 || j / 28 == 27 || j % 28 == 0 || j % 28 == 27 ? x[j] : 0;
        }
        ck_assert_uint_ge(brightest, 200);
    }
    for (size_t k = 0; k < 10; k++)
        chi2 += ((double)counts[k] - 500) * ((double)counts[k] - 500) / 500;
    ck_assert_msg(chi2 < 50, "chi-squared %g", chi2);
    double mean = (double)ink / 255 / 5000 / 784; /* MNIST's is 0.1307 */
    ck_assert_msg(mean > 0.10 && mean < 0.17, "mean intensity %g", mean);
    ck_assert_uint_lt(border * 1000, ink);
    ebm_dataset_free(&data);
}
END_TEST

/* A digit is nearer to the mean of its own kind than to the others' far more often than the 1 in 10 of chance. */
START_TEST(test_glyphs_have_classes) {
    static double means[10][784];
    size_t counts[10] = {0}, right = 0;
    LOAD(&ebm_glyphs, 1, "train", "3000", "test", "500");
    for (size_t i = 0; i < 3000; i++, counts[data.train.labels[i - 1]]++)
        for (size_t j = 0; j < 784; j++)
            means[data.train.labels[i]][j] += data.train.bytes[i * 784 + j];
    for (size_t i = 0; i < 500; i++) {
        double best = INFINITY;
        int nearest = -1;
        for (int k = 0; k < 10; k++) {
            double distance = 0;
            for (size_t j = 0; j < 784; j++) {
                double d = data.test.bytes[i * 784 + j] - means[k][j] / (double)counts[k];
                distance += d * d;
            }
            if (distance < best) {
                best = distance;
                nearest = k;
            }
        }
        right += nearest == data.test.labels[i];
    }
    /* Nearest means get 82 % of MNIST right; 60 % of 500 is 37 standard deviations above chance. */
    ck_assert_msg(right > 300, "%zu of 500", right);
    ck_assert_msg(right < 495, "%zu of 500: the digits do not vary", right);
    ebm_dataset_free(&data);
}
END_TEST

START_TEST(test_glyphs_at_other_sizes) {
    static const char *const sides[] = {"8", "14", "64"};
    for (size_t s = 0; s < 3; s++) {
        LOAD(&ebm_glyphs, 1, "train", "200", "test", "0", "side", sides[s]);
        double ink = 0;
        for (size_t j = 0; j < 200 * data.space.size; j++)
            ink += data.train.bytes[j];
        ink /= 255.0 * 200 * (double)data.space.size;
        ck_assert_msg(ink > 0.08 && ink < 0.2, "side %s: mean intensity %g", sides[s], ink);
        ebm_dataset_free(&data);
    }
}
END_TEST

START_TEST(test_dataset_path_names_what_to_set) {
    char path[512];
    char *before = getenv("EBM_DATASETS") ? strdup(getenv("EBM_DATASETS")) : NULL;
    setenv("EBM_DATASETS", "/nonexistent-folder", 1);
    ck_assert_int_eq(ebm_dataset_path("mnist", "x", path, sizeof path, &error), EBM_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "EBM_DATASETS is '/nonexistent-folder'"));
    setenv("EBM_DATASETS", "/tmp", 1);
    ck_assert_int_eq(ebm_dataset_path("ebm-no-such-set", "x", path, sizeof path, &error), EBM_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "set EBM_DATASETS"));
    ck_assert_ptr_nonnull(strstr(error.message, "Makefile.experiments data"));
    char folder[] = "/tmp/ebm-path-XXXXXX", file[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/x.gz", folder);
    fclose(fopen(file, "wb"));
    ck_assert_int_eq(ebm_dataset_path(folder + 5, "x", path, sizeof path, &error), EBM_OK);
    ck_assert_str_eq(path, file);
    ck_assert_int_eq(ebm_dataset_path(folder + 5, "x", path, 10, &error), EBM_INVALID);
    unlink(file);
    rmdir(folder);
    if (before)
        setenv("EBM_DATASETS", before, 1);
    else
        unsetenv("EBM_DATASETS");
    free(before);
}
END_TEST

/* Facts of the published files: counts, the mean intensity 0.1306604762738429, how often each digit occurs. */
START_TEST(test_mnist_counts_and_means) {
    static const size_t expected[10] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
    size_t counts[10] = {0};
    uint64_t sum = 0;
    LOAD(&ebm_mnist, 1, "binarise", "stochastic");
    ck_assert_uint_eq(data.train.count, 60000);
    ck_assert_uint_eq(data.test.count, 10000);
    ck_assert_uint_eq(data.space.size, 784);
    for (size_t i = 0; i < 60000; i++)
        counts[data.train.labels[i]]++;
    for (size_t k = 0; k < 10; k++)
        ck_assert_uint_eq(counts[k], expected[k]);
    for (size_t i = 0; i < (size_t)60000 * 784; i++)
        sum += data.train.bytes[i];
    ck_assert_double_eq_tol((double)sum / 255 / 784 / 60000, 0.1306604762738429, 1e-15); /* exact sum, one division */
    ck_assert_int_eq(data.train.labels[0], 5);
    ck_assert_int_eq(data.test.labels[0], 7);
    ebm_dataset_free(&data);
    LOAD(&ebm_mnist, 1, "train", "100", "test", "10", "binarise", "none");
    ck_assert_uint_eq(data.train.count, 100);
    ck_assert_int_eq(data.space.domain, EBM_REAL_LINE);
    ebm_dataset_free(&data);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset");
    TCase *tests = tcase_create("dataset");
    tcase_add_test(tests, test_dataset_stochastic_frequencies);
    tcase_add_test(tests, test_dataset_bytes_and_reals_agree);
    tcase_add_test(tests, test_dataset_batches_do_not_depend_on_their_cut);
    tcase_add_test(tests, test_dataset_fixed_binarisation_is_stable);
    tcase_add_test(tests, test_dataset_threshold_and_means);
    tcase_add_test(tests, test_bars_and_stripes_support);
    tcase_add_test(tests, test_shifter_support);
    tcase_add_test(tests, test_parity_support);
    tcase_add_test(tests, test_bars_and_stripes_draws);
    tcase_add_test(tests, test_random_patterns_means);
    tcase_add_test(tests, test_glyphs_depend_on_seed_and_index_alone);
    tcase_add_test(tests, test_glyphs_are_inked_and_balanced);
    tcase_add_test(tests, test_glyphs_have_classes);
    tcase_add_test(tests, test_glyphs_at_other_sizes);
    tcase_add_test(tests, test_dataset_path_names_what_to_set);
    const char *root = getenv("EBM_DATASETS");
    if (root && *root)
        tcase_add_test(tests, test_mnist_counts_and_means);
    else
        puts("skipped: test_mnist_counts_and_means: EBM_DATASETS names no folder with mnist/");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
