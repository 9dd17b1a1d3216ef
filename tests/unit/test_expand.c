/* Examples with random units or with their labels appended, for every way in which values are stored. */
#include "rbm_fixture.h"

#include "ebm/dataset.h"
#include "ebm/registry.h"

#include <string.h>

enum { N = 10, EXTRA = 70, COUNT = 20, SEED = 9 };

static const struct {
    const char *label;
    ebm_domain domain;
    ebm_binarise binarise;
    bool reals;
} kinds[] = {{"states in bytes", EBM_BINARY, EBM_BINARISE_NONE, false},
             {"intensities in bytes, drawn", EBM_BINARY, EBM_BINARISE_STOCHASTIC, false},
             {"intensities in bytes, by a threshold", EBM_BINARY, EBM_BINARISE_THRESHOLD, false},
             {"intensities in reals, drawn", EBM_BINARY, EBM_BINARISE_STOCHASTIC, true},
             {"spins in reals", EBM_SPIN, EBM_BINARISE_NONE, true},
             {"spins in bytes", EBM_SPIN, EBM_BINARISE_NONE, false}};

/* Both halves have 0 and the largest value by turns. */
static ebm_dataset data_of(int k) {
    ebm_dataset data = {.space = ebm_space_picture(kinds[k].domain, 2, N / 2), .binarise = kinds[k].binarise};
    ebm_examples *halves[] = {&data.train, &data.test};
    for (size_t h = 0; h < 2; h++) {
        halves[h]->count = COUNT;
        if (kinds[k].reals)
            halves[h]->reals = malloc(COUNT * N * sizeof(ebm_real));
        else
            halves[h]->bytes = malloc(COUNT * N);
        for (size_t i = 0; i < COUNT * N; i++)
            if (kinds[k].reals)
                halves[h]->reals[i] = i % 2 ? 1 : kinds[k].domain == EBM_SPIN ? -1 : 0;
            else
                halves[h]->bytes[i] = (uint8_t)(i % 2 * (kinds[k].binarise == EBM_BINARISE_NONE ? 1 : 255));
    }
    return data;
}

START_TEST(test_expand_appends_random_units) {
    ebm_dataset data = data_of(_i);
    const ebm_real down = kinds[_i].domain == EBM_SPIN ? -1 : 0;
    CHECK_OK(ebm_dataset_expand(&data, EXTRA, SEED, error));
    ck_assert_uint_eq(data.space.size, N + EXTRA);
    ck_assert_uint_eq(data.space.rank, 1);
    ck_assert_int_eq(data.space.domain, kinds[_i].domain);
    const ebm_examples *halves[] = {&data.train, &data.test};
    for (uint64_t h = 0; h < 2; h++)
        for (uint32_t e = 0; e < COUNT; e++) {
            ebm_real x[N + EXTRA];
            uint32_t words[EXTRA];
            ebm_examples_fixed(&data, halves[h], e, 1, x);
            ebm_random_words(ebm_stream_of(SEED, EBM_PURPOSE_EXTRA_UNITS), e, h, EXTRA, words);
            for (size_t i = 0; i < N + EXTRA; i++)
                ck_assert_msg(x[i] == ((i < N ? (e * N + i) % 2 : words[i - N] >> 31) ? 1 : down), "%s: unit %zu of %u",
                              kinds[_i].label, i, e);
        }
    ebm_dataset_free(&data);
}
END_TEST

START_TEST(test_expand_refuses_what_has_no_two_values) {
    ebm_dataset data = data_of(0);
    ebm_error why = {0};
    data.space.domain = EBM_REAL_LINE;
    ck_assert_int_eq(ebm_dataset_expand(&data, 3, SEED, &why), EBM_UNSUPPORTED);
    ck_assert_uint_eq(data.space.size, N);
    data.space.domain = EBM_BINARY;
    ck_assert_int_eq(ebm_dataset_expand(&data, SIZE_MAX, SEED, &why), EBM_INVALID);
    CHECK_OK(ebm_dataset_expand(&data, 0, SEED, error));
    ck_assert_uint_eq(data.space.rank, 2);
    ebm_dataset_free(&data);
}
END_TEST

/* Labels as one of K units, in every way in which values are stored; the pixels stay as they are. */
START_TEST(test_labels_become_units) {
    enum { CLASSES = 3 };
    ebm_dataset data = data_of(_i);
    const ebm_real down = kinds[_i].domain == EBM_SPIN ? -1 : 0;
    ebm_examples *halves[] = {&data.train, &data.test};
    ebm_error refusal = {0};
    ck_assert_int_eq(ebm_dataset_append_labels(&data, &refusal), EBM_UNSUPPORTED); /* there are none */
    data.classes = CLASSES;
    for (size_t h = 0; h < 2; h++) {
        halves[h]->labels = malloc(COUNT * sizeof *halves[h]->labels);
        for (size_t e = 0; e < COUNT; e++)
            halves[h]->labels[e] = (uint8_t)((e + h) % CLASSES);
    }
    CHECK_OK(ebm_dataset_append_labels(&data, error));
    ck_assert_uint_eq(data.space.size, N + CLASSES);
    ck_assert_uint_eq(data.space.rank, 1);
    ck_assert_int_eq(data.space.domain, kinds[_i].domain);
    for (size_t h = 0; h < 2; h++)
        for (size_t e = 0; e < COUNT; e++) {
            ebm_real x[N + CLASSES];
            ebm_examples_fixed(&data, halves[h], e, 1, x);
            for (size_t i = 0; i < N + CLASSES; i++) {
                const bool up = i < N ? (e * N + i) % 2 : i - N == (e + h) % CLASSES;
                ck_assert_msg(x[i] == (up ? 1 : down), "%s: unit %zu of example %zu", kinds[_i].label, i, e);
            }
        }
    ebm_dataset_free(&data);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("expand");
    TCase *cases = tcase_create("expand");
    tcase_add_loop_test(cases, test_expand_appends_random_units, 0, sizeof kinds / sizeof *kinds);
    tcase_add_loop_test(cases, test_labels_become_units, 0, sizeof kinds / sizeof *kinds);
    tcase_add_test(cases, test_expand_refuses_what_has_no_two_values);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
