/* The factorised base machine over binary units: fitted logits, normaliser, energy and samples.
 *
 *   p_i = (sum of unit i over n examples + m / 2) / (n + m), shrunk towards 1/2 by m pseudo-examples
 *   a_i = log(p_i / (1 - p_i)),  E_base(x) = -a'x,  log Z_base = sum_i log(1 + e^(a_i)) */
#include "rbm_fixture.h"
#include "statistics.h"

enum { UNITS = 5, EXAMPLES = 7 };

static ebm_real examples[EXAMPLES * UNITS];

static ebm_dataset data_of_known_means(void) {
    ebm_dataset data = {.space = ebm_space_line(EBM_BINARY, UNITS)};
    for (size_t b = 0; b < EXAMPLES; b++)
        for (size_t i = 0; i < UNITS; i++)
            examples[b * UNITS + i] = b < i + (i == 4) * 3 ? 1 : 0; /* 0, 1, 2, 3 and all 7 of 7 */
    data.train.count = EXAMPLES;
    data.train.reals = examples;
    return data;
}

/* A logit is rounded to ebm_real, and log(1 + e^a) is 1-Lipschitz in it; 8 roundings are allowed. */
START_TEST(test_base_fit) {
    static const double counts[UNITS] = {0, 1, 2, 3, 7}, pseudo_counts[] = {1, 0.5, 20};
    ebm_dataset data = data_of_known_means();
    for (size_t k = 0; k < 3; k++) {
        ebm_base base;
        CHECK_OK(ebm_base_fit(&data.space, &data, pseudo_counts[k], &base, error));
        ck_assert_uint_eq(base.count, UNITS);
        double log_z = 0, size = 0;
        for (size_t i = 0; i < UNITS; i++) {
            double p = (counts[i] + pseudo_counts[k] / 2) / (EXAMPLES + pseudo_counts[k]), a = log(p / (1 - p));
            ck_assert_double_le(fabs((double)base.parameters[i] - a), 8 * UNIT_ROUNDOFF * fmax(1, fabs(a)));
            log_z += log1p(exp(a));
            size += fmax(1, fabs(a));
        }
        ck_assert_double_le(fabs(base.log_normaliser - log_z), 8 * UNIT_ROUNDOFF * size);
        ebm_base_free(&base);
    }
}
END_TEST

START_TEST(test_base_uniform) {
    ebm_space space = ebm_space_line(EBM_BINARY, UNITS);
    ebm_base base;
    CHECK_OK(ebm_base_fit(&space, NULL, 1, &base, error));
    for (size_t i = 0; i < UNITS; i++)
        ck_assert(base.parameters[i] == 0);
    ck_assert_double_le(fabs(base.log_normaliser - UNITS * log(2)), 1e-14);
    ebm_base_free(&base);
}
END_TEST

/* Energies of all states: a sum of at most UNITS parameters, in double; they normalise to log_normaliser. */
START_TEST(test_base_energy) {
    ebm_dataset data = data_of_known_means();
    ebm_base base;
    ebm_work *work;
    enum { STATES = 1 << UNITS };
    ebm_real x[STATES * UNITS];
    double energy[STATES];
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_base_fit(&data.space, &data, 1, &base, error));
    for (size_t v = 0; v < STATES; v++)
        rbm_write_state(v, UNITS, x + v * UNITS);
    ebm_base_energy(&base, STATES, x, energy, work);
    double size = 0;
    for (size_t i = 0; i < UNITS; i++)
        size += 1 + fabs((double)base.parameters[i]);
    for (size_t v = 0; v < STATES; v++) {
        double want = 0;
        for (size_t i = 0; i < UNITS; i++)
            want -= oracle_bit(v, i) * (double)base.parameters[i];
        ck_assert_double_le(fabs(energy[v] - want), UNITS * 0x1p-52 * size);
    }
    ck_assert_double_le(fabs(oracle_log_sum(energy, STATES, 1) - base.log_normaliser), 8 * UNIT_ROUNDOFF * size);
    ebm_base_free(&base);
    ebm_work_free(work);
}
END_TEST

/* Draws against the product of Bernoullis by chi-square (false alarm 1e-6), which another base is seen by; and a row's
 * draw depends on its chain alone. */
START_TEST(test_base_sample) {
    enum { DRAWS = 40000, STATES = 1 << UNITS };
    ebm_dataset data = data_of_known_means();
    ebm_base base;
    ebm_work *work;
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_base_fit(&data.space, &data, 2, &base, error));
    ebm_real *x = calloc(DRAWS * UNITS, sizeof *x), part[10 * UNITS];
    ck_assert_ptr_nonnull(x);
    ebm_base_sample(&base, DRAWS, ebm_stream_of(4, EBM_PURPOSE_CHAIN_START), 0, 0, x, work);
    ebm_base_sample(&base, 10, ebm_stream_of(4, EBM_PURPOSE_CHAIN_START), 100, 0, part, work);
    ck_assert_int_eq(memcmp(part, x + 100 * UNITS, sizeof part), 0);
    for (int wrong = 0; wrong < 2; wrong++) {
        double p[STATES], counts[STATES] = {0};
        for (size_t v = 0; v < STATES; v++) {
            p[v] = 1;
            for (size_t i = 0; i < UNITS; i++) {
                double a = (double)base.parameters[wrong ? (i + 1) % UNITS : i], up = 1 / (1 + exp(-a));
                p[v] *= oracle_bit(v, i) == 1 ? up : 1 - up;
            }
        }
        for (size_t b = 0; b < DRAWS; b++)
            counts[rbm_read_state(UNITS, x + b * UNITS)]++;
        chi_square chi = {0, 0};
        chi_square_row(&chi, STATES, p, counts);
        ck_assert(wrong ? chi.statistic > chi_square_limit(chi.degrees)
                        : chi.statistic <= chi_square_limit(chi.degrees));
    }
    free(x);
    ebm_base_free(&base);
    ebm_work_free(work);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("base");
    TCase *cases = tcase_create("binary");
    tcase_add_test(cases, test_base_fit);
    tcase_add_test(cases, test_base_uniform);
    tcase_add_test(cases, test_base_energy);
    tcase_add_test(cases, test_base_sample);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
