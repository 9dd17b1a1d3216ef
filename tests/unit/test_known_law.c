/* Data whose law over all states is known: counts in proportion, draws. */
#include "rbm_fixture.h"

#include "data/datasets.h"
#include "ebm/registry.h"

#include <string.h>

enum { N = 5, S = 32, EACH = 6 };

static size_t state_of(const uint8_t *x) {
    size_t s = 0;
    for (size_t i = 0; i < N; i++)
        s |= (size_t)x[i] << i;
    return s;
}

static ebm_dataset random_distribution(const char *units, const char *each, const char *alpha, uint32_t seed) {
    const ebm_component *info = &ebm_random_distribution.info;
    _Alignas(16) char options[256];
    ebm_dataset data;
    ck_assert_uint_le(info->options_size, sizeof options);
    CHECK_OK(ebm_options_default(info->options, options, info->options_size, error));
    CHECK_OK(ebm_options_set(info->options, options, "units", units, NULL, error));
    CHECK_OK(ebm_options_set(info->options, options, "each", each, NULL, error));
    CHECK_OK(ebm_options_set(info->options, options, "alpha", alpha, NULL, error));
    CHECK_OK(ebm_options_set(info->options, options, "data_seed", "0", NULL, error));
    CHECK_OK(ebm_dataset_load(&ebm_random_distribution, options, seed, &data, error));
    return data;
}

/* One each and the rest within one of its share; of equal remainders the earlier state goes first. */
START_TEST(test_counts_are_in_proportion) {
    const double weight[] = {0, 1, 2, 3, 4, 0.5, 0.25, 1e-9};
    enum { TOTAL = 1000, STATES = 8 };
    size_t counts[STATES], sum = 0;
    CHECK_OK(ebm_data_counts(weight, STATES, TOTAL, counts, error));
    for (size_t s = 0; s < STATES; s++) {
        const double share = 1 + (TOTAL - STATES) * weight[s] / (10.75 + 1e-9);
        ck_assert_msg(fabs((double)counts[s] - share) < 1, "state %zu: %zu for a share of %g", s, counts[s], share);
        sum += counts[s];
    }
    ck_assert_uint_eq(sum, TOTAL);
    const double equal[] = {1, 1, 1, 1};
    CHECK_OK(ebm_data_counts(equal, 4, 6, counts, error));
    for (size_t s = 0; s < 4; s++)
        ck_assert_uint_eq(counts[s], s < 2 ? 2 : 1);
    ebm_error why = {0};
    ck_assert_int_eq(ebm_data_counts((double[]){0, 0}, 2, 9, counts, &why), EBM_INVALID);
}
END_TEST

/* The training half's frequencies are the support's probabilities, whose sum is 1 to the rounding of 32 terms. */
START_TEST(test_random_distribution_examples_have_its_law) {
    ebm_dataset data = random_distribution("5", "6", "1", 3);
    double seen[S] = {0}, sum = 0;
    ck_assert_uint_eq(data.support_count, S);
    ck_assert_uint_eq(data.train.count, S * EACH);
    for (size_t e = 0; e < data.train.count; e++)
        seen[state_of(data.train.bytes + e * N)] += 1.0 / (S * EACH);
    for (size_t s = 0; s < S; s++) {
        const double p = exp(data.support_log_probability[s]);
        uint8_t x[N];
        for (size_t i = 0; i < N; i++)
            x[i] = (uint8_t)data.support[s * N + i];
        ck_assert_uint_eq(state_of(x), s);
        ck_assert_msg(fabs(seen[s] - p) < 1e-14, "state %zu: %g of the examples, probability %g", s, seen[s], p);
        ck_assert(p > 0.999 / (S * EACH));
        sum += p;
    }
    ck_assert(fabs(sum - 1) < 1e-14);
    ebm_dataset other = random_distribution("5", "6", "1", 4);
    ck_assert(memcmp(other.support_log_probability, data.support_log_probability, S * sizeof(double)) != 0);
    ebm_dataset_free(&other);
    ebm_dataset_free(&data);
}
END_TEST

/* Of Dirichlet(alpha, ..., alpha) over K states, E sum_s q_s^2 = (alpha + 1) / (K alpha + 1). K = 4096 and M = 100 K make
 * one distribution enough: for alpha = 1 the sum of q^2 varies by a share of sqrt(20 / K) / 2 = 0.035 at most (fourth
 * moments of exponential variates), 6 of which are 0.21; for alpha = 100 by less. One count in a hundred, which every state has,
 * moves it by 0.02. */
START_TEST(test_random_distribution_is_dirichlet) {
    const double alpha = _i ? 100 : 1;
    ebm_dataset data = random_distribution("12", "100", _i ? "100" : "1", 11);
    double squares = 0;
    for (size_t s = 0; s < data.support_count; s++)
        squares += exp(2 * data.support_log_probability[s]);
    const double ratio = squares * (4096 * alpha + 1) / (alpha + 1);
    ck_assert_msg(fabs(ratio - 1) < 0.21, "alpha %g: %g of the expected sum of squares", alpha, ratio);
    ebm_dataset_free(&data);
}
END_TEST

/* Counts of draws are binomial: 5.5 standard deviations, 4e-8 a state, below 3e-6 over both halves if the seed were free;
 * it is fixed. The halves differ. */
START_TEST(test_draws_follow_the_law) {
    enum { DRAWS = 40000 };
    double log_p[S], total = 0;
    ebm_dataset data = {.type = &ebm_random_distribution, .space = ebm_space_line(EBM_BINARY, N)};
    for (size_t s = 0; s < S; s++)
        total += s % 7 + 0.1;
    for (size_t s = 0; s < S; s++)
        log_p[s] = log((s % 7 + 0.1) / total);
    CHECK_OK(ebm_data_draws(log_p, DRAWS, DRAWS, 5, &data, error));
    const ebm_examples *halves[] = {&data.train, &data.test};
    for (size_t h = 0; h < 2; h++) {
        double seen[S] = {0};
        for (size_t e = 0; e < DRAWS; e++)
            seen[state_of(halves[h]->bytes + e * N)]++;
        for (size_t s = 0; s < S; s++) {
            const double p = exp(data.support_log_probability[s]);
            const double deviation = (seen[s] - DRAWS * p) / sqrt(DRAWS * p * (1 - p));
            ck_assert_msg(fabs(deviation) < 5.5, "half %zu, state %zu: %g standard deviations", h, s, deviation);
        }
    }
    ck_assert(memcmp(data.train.bytes, data.test.bytes, DRAWS * N) != 0);
    ebm_dataset_free(&data);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("known law");
    tcase_add_test(tests, test_counts_are_in_proportion);
    tcase_add_test(tests, test_random_distribution_examples_have_its_law);
    tcase_add_loop_test(tests, test_random_distribution_is_dirichlet, 0, 2);
    tcase_add_test(tests, test_draws_follow_the_law);
    Suite *suite = suite_create("known law");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
