/* Tables of densities against laws whose integrals are known in closed form. */
#include "rbm_fixture.h"

#include "models/density_table.h"

enum { PANELS = 40 };

static double normal(double x, const void *context) {
    const double *p = context; /* mean, deviation */
    return -0.5 * (x - p[0]) * (x - p[0]) / (p[1] * p[1]) + 3;
}

/* 40 panels over 18 deviations: 0.45 deviations a panel, on which the 16th derivative's term of an 8-node rule is below
 * 0.45^17 8!^4 / (17 16!^3) times 1e7, less than rounding. Sums of 320 positive terms round by less than 320 x 2^-53. */
START_TEST(test_density_table_normal) {
    const double law[] = {0.7, 1.3};
    double cumulative[PANELS + 1];
    ebm_density_table table;
    ebm_density_tabulate(&table, law[0] - 9 * law[1], law[0] + 9 * law[1], PANELS, normal, law, cumulative);
    ck_assert_double_eq_tol(table.log_total, 3 + 0.5 * log(2 * M_PI) + log(law[1]), 1e-13);
    ck_assert(cumulative[0] == 0 && cumulative[PANELS] == 1);
    for (int k = -70; k <= 70; k++) {
        const double z = 0.1 * k, x = law[0] + law[1] * z, F = 0.5 * erfc(-z / sqrt(2));
        ck_assert_double_eq_tol(ebm_density_cdf(&table, x), F, 1e-13);
        if (k > -60 && k < 50) /* beyond, 1 - F has few digits left, and F lacks what is cut off */
            ck_assert_double_eq_tol(ebm_density_quantile(&table, F), x, 1e-8);
        if (k > -50 && k < 20)
            ck_assert_double_eq_tol(ebm_density_quantile(&table, F), x, 1e-11);
    }
    ck_assert(ebm_density_cdf(&table, -1e300) == 0 && ebm_density_cdf(&table, 1e300) == 1);
    ck_assert(isnan(ebm_density_cdf(&table, NAN)));
}
END_TEST

static double flat(double x, const void *context) {
    (void)x, (void)context;
    return log(2);
}

static double power(double x, const void *context) {
    return pow(x, *(const double *)context);
}

/* Gauss-Legendre with 8 nodes is exact for x^0 ... x^15, and not for x^16. */
START_TEST(test_density_table_exact_for_polynomials) {
    double cumulative[2], x[EBM_DENSITY_NODES], mass[EBM_DENSITY_NODES];
    ebm_density_table table;
    ebm_density_tabulate(&table, -1, 3, 1, flat, NULL, cumulative);
    ck_assert_double_eq_tol(table.log_total, log(8), 1e-15);
    ebm_density_nodes(&table, x, mass);
    for (int n = 0; n <= 16; n++) {
        const double degree = n, want = (pow(3, n + 1) - pow(-1, n + 1)) / (n + 1) / 4;
        const double mean = ebm_density_mean(&table, power, &degree);
        double sum = 0;
        for (int k = 0; k < EBM_DENSITY_NODES; k++) {
            ck_assert(k == 0 || x[k] > x[k - 1]);
            sum += mass[k] * pow(x[k], n);
        }
        ck_assert_double_eq_tol(mean, sum, 1e-14 * want);
        if (n < 16)
            ck_assert_double_eq_tol(mean, want, 1e-14 * want);
        else
            ck_assert(fabs(mean - want) > 1e-9 * want);
    }
}
END_TEST

static double half_line(double x, const void *context) {
    (void)context;
    return x < 0 ? -INFINITY : -x;
}

/* Quantiles run over panels without mass and keep their order. */
START_TEST(test_density_table_quantiles_in_order) {
    double cumulative[PANELS + 1], last = -INFINITY;
    ebm_density_table table;
    ebm_density_tabulate(&table, -10, 30, PANELS, half_line, NULL, cumulative);
    for (int k = 1; k < 1000; k++) {
        const double u = k / 1000., x = ebm_density_quantile(&table, u);
        ck_assert(x >= 0 && x > last);
        ck_assert_double_eq_tol(x, -log1p(-u), 2e-13 / (1 - u)); /* e^-30 = 1e-13 is cut off */
        last = x;
    }
    ck_assert(ebm_density_quantile(&table, 0x1p-53) >= 0 && ebm_density_quantile(&table, 1 - 0x1p-53) <= 30);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("density_table");
    TCase *cases = tcase_create("unit");
    tcase_add_test(cases, test_density_table_normal);
    tcase_add_test(cases, test_density_table_exact_for_polynomials);
    tcase_add_test(cases, test_density_table_quantiles_in_order);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
