/* Sums over a grid in place of log Z and KL: against the sum over hidden states, and against a law that is the data's. */
#include "data/datasets.h"
#include "ebm/quadrature.h"
#include "grbm_fixture.h"

/* log Z by 2^8 Gaussians in closed form, in double. F is of floats: |F| up to about 100 rounded at 2^-24, and the worst of
 * a sum of those errors is the error of log Z. */
START_TEST(test_quadrature_log_z_is_the_sum_over_hidden_states) {
    for (size_t V = 1; V <= 2; V++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            grbm_fixture f;
            ebm_error refused = {0};
            ebm_quadrature q;
            double log_z;
            grbm_open(&f, V, 8, 1.0, seed);
            CHECK_OK(f.type->log_normaliser(&f.model, ebm_path_end(), &log_z, f.work, error));
            CHECK_OK(ebm_quadrature_of(&f.model, NULL, 0.25, 1 << 22, &q, f.work, error));
            ck_assert_double_eq_tol(q.log_z, log_z, sizeof(ebm_real) == 4 ? 2e-5 : 1e-11);
            ck_assert(isnan(q.kl));
            ck_assert_int_eq(ebm_quadrature_of(&f.model, NULL, 0.25, 10, &q, f.work, &refused), EBM_UNSUPPORTED);
            grbm_close(&f);
        }
}
END_TEST

/* With W = 0 the model is N(mu, sigma^2), and KL(mixture of three || model) = E[-log p] - H, where the mixture's entropy is
 * that of its weights and log(2 pi e), up to the overlap of components 10 apart, exp(-25 / 2). */
START_TEST(test_quadrature_kl_of_one_gaussian) {
    grbm_fixture f;
    ebm_quadrature q;
    ebm_dataset data;
    char options[256] __attribute__((aligned(16)));
    CHECK_OK(ebm_options_default(ebm_gaussian_mixture_2d.info.options, options, sizeof options, error));
    CHECK_OK(ebm_dataset_load(&ebm_gaussian_mixture_2d, options, 1, &data, error));
    grbm_open(&f, 2, 3, 0.0, 1);
    static const double mu[2] = {0, -1.6}, variance = 20;
    for (size_t i = 0; i < 2; i++) {
        ebm_view mean = f.model.views[1], spread = f.model.views[3];
        f.model.theta[mean.offset + i] = (ebm_real)mu[i];
        f.model.theta[spread.offset + i] = (ebm_real)log(variance);
    }
    ebm_model_refresh(&f.model, f.work);
    CHECK_OK(ebm_quadrature_of(&f.model, &data, 0.25, 1 << 22, &q, f.work, error));
    /* squared distances of the components' means from mu, and their own variances 1 + 1 */
    const double squares = 0.33 * (25 + 3.4 * 3.4) * 2 + 0.34 * 6.6 * 6.6 + 2;
    const double cross = log(2 * M_PI * variance) + squares / (2 * variance);
    const double entropy = -(0.66 * log(0.33) + 0.34 * log(0.34)) + log(2 * M_PI) + 1;
    ck_assert_double_eq_tol(q.mass, 1, 1e-9);
    ck_assert_double_eq_tol(q.kl, cross - entropy, 1e-4); /* the components' overlap, 1e-6, and floats of F */
    ck_assert_double_eq_tol(q.log_z, log(2 * M_PI * variance) + 3 * log(2), 1e-5);
    ebm_dataset_free(&data);
    grbm_close(&f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("quadrature");
    TCase *tests = tcase_create("quadrature");
    tcase_add_test(tests, test_quadrature_log_z_is_the_sum_over_hidden_states);
    tcase_add_test(tests, test_quadrature_kl_of_one_gaussian);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
