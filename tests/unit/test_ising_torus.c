/* The exact torus and the infinite lattice: published numbers, series, and each derivative against the one below. Against
 * enumeration: test_ising.c. */
#include "models/ising_torus.h"
#include "rbm_fixture.h"

/* Enumerated numbers of states at E = -32, -24, -20 ... -4 of the 4 x 4 torus; at +E as many. */
static const struct {
    double E, count;
} levels[] = {{-32, 2}, {-24, 32}, {-20, 64}, {-16, 424}, {-12, 1728}, {-8, 6688}, {-4, 13568}, {0, 20524}};

START_TEST(test_torus_four_by_four_levels) {
    for (double K = 0; K < 2.05; K += 0.05) {
        double total = 0, mean = 0, square = 0;
        for (size_t k = 0; k < 8; k++)
            for (int sign = -1; sign <= (levels[k].E == 0 ? -1 : 1); sign += 2) {
                const double S = sign * levels[k].E, weight = levels[k].count * exp(K * (S - 32));
                total += weight;
                mean += weight * S;
                square += weight * S * S;
            }
        mean /= total;
        const ebm_ising_torus got = ebm_ising_torus_exact(4, 4, K);
        ck_assert_double_eq_tol(got.log_z, log(total) + 32 * K, 1e-12);
        ck_assert_double_eq_tol(got.mean, mean, 1e-11);
        ck_assert_double_eq_tol(got.variance, square / total - mean * mean, 1e-10);
    }
}
END_TEST

/* ln Z and the energy per unit at beta_c, to the digits given. */
START_TEST(test_torus_published_values) {
    static const struct {
        size_t side;
        double log_z, energy, log_z_digits, energy_digits;
    } known[] = {{4, 15.521915458755, -1.565623787638, 1e-12, 1e-12},
                 {8, 60.141781, -1.491589, 5e-7, 5e-7},
                 {16, 238.642257, -1.453065, 5e-7, 5e-7},
                 {32, 952.648080, -1.433658, 5e-7, 5e-7}};
    for (size_t k = 0; k < 4; k++) {
        const double V = (double)(known[k].side * known[k].side);
        const ebm_ising_torus got = ebm_ising_torus_exact(known[k].side, known[k].side, EBM_ISING_CRITICAL);
        ck_assert_double_eq_tol(got.log_z, known[k].log_z, known[k].log_z_digits);
        ck_assert_double_eq_tol(-got.mean / V, known[k].energy, known[k].energy_digits);
    }
    ck_assert_double_eq_tol(EBM_ISING_CRITICAL, log(1 + sqrt(2)) / 2, 1e-16);
    ck_assert_double_eq_tol(ebm_ising_infinite_energy(EBM_ISING_CRITICAL), -sqrt(2), 1e-13);
    ck_assert_double_eq_tol(ebm_ising_infinite_magnetisation(1 / 2.0), 0.911319377877496, 1e-14);
    ck_assert_double_eq_tol(ebm_ising_infinite_magnetisation(1 / 2.2), 0.784755131383921, 1e-14);
    ck_assert(ebm_ising_infinite_magnetisation(0.44) == 0);
}
END_TEST

static const size_t shapes[][2] = {{3, 3}, {4, 7}, {16, 16}, {64, 20}, {3, 500}, {256, 256}};
static const double couplings[] = {0.05, 0.1, 0.3, 0.43, 0.44, EBM_ISING_CRITICAL, 0.4410, 0.46, 0.6, 1, 1.5, 2};

/* By fourth-order differences (8 (f(+e) - f(-e)) - (f(+2e) - f(-2e))) / 12e at e = 1e-3 / L: features are 1 / L wide near
 * K_c, so that truncation, e^4 / 30 times the fifth derivative, stays below 1e-10 (of the mean 1e-12) per unit; rounding
 * of log Z per unit, a few 2^-53 of at most 4, is divided by e, and that of the mean, a sum of 2 L numbers of size 2 / L
 * or less a unit, at most 2 L 2^-53 2 = 1e-13. */
START_TEST(test_torus_derivatives) {
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t k = 0; k < sizeof couplings / sizeof *couplings; k++) {
            const size_t R = shapes[s][0], C = shapes[s][1];
            const double K = couplings[k], V = (double)(R * C), e = 1e-3 / (double)(R > C ? R : C);
            ebm_ising_torus at[5];
            for (int n = -2; n <= 2; n++)
                at[n + 2] = ebm_ising_torus_exact(R, C, K + n * e);
            const double mean = (8 * (at[3].log_z - at[1].log_z) - (at[4].log_z - at[0].log_z)) / (12 * e);
            const double variance = (8 * (at[3].mean - at[1].mean) - (at[4].mean - at[0].mean)) / (12 * e);
            const double rounding = 1e-14 / e;
            ck_assert_msg(fabs(mean - at[2].mean) / V <= rounding + 1e-12, "%zu x %zu, K = %g: %g, not %g", R, C, K,
                          at[2].mean / V, mean / V);
            ck_assert_msg(fabs(variance - at[2].variance) / V <= 1e-13 / e + 1e-10, "%zu x %zu, K = %g: %g, not %g", R,
                          C, K, at[2].variance / V, variance / V);
            ck_assert(at[2].variance > 0);
        }
}
END_TEST

/* Rows and columns mean the same: the formula treats them quite differently. */
START_TEST(test_torus_transposed) {
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t k = 0; k < sizeof couplings / sizeof *couplings; k++) {
            const size_t R = shapes[s][0], C = shapes[s][1];
            const double V = (double)(R * C);
            const ebm_ising_torus a = ebm_ising_torus_exact(R, C, couplings[k]);
            const ebm_ising_torus b = ebm_ising_torus_exact(C, R, couplings[k]);
            ck_assert_double_eq_tol(a.log_z / V, b.log_z / V, 1e-13);
            ck_assert_double_eq_tol(a.mean / V, b.mean / V, 1e-12);
            ck_assert_double_eq_tol(a.variance / V, b.variance / V, 1e-10);
        }
}
END_TEST

/* Hot: log Z / V = log 2 + 2 log cosh K + v^4 + 2 v^6 + 9/2 v^8 + ... (v = tanh K), on a torus whose windings, v^L, are
 * nothing; the next term is 12 v^10. Cold: 2K + log 2 / V + e^(-8K) + 2 e^(-12K) + ..., from the lowest excitations. */
START_TEST(test_torus_series) {
    for (double K = 0; K < 0.06; K += 0.01) {
        const double v = tanh(K), got = ebm_ising_torus_exact(40, 50, K).log_z / 2000;
        const double want = log(2) + 2 * log(cosh(K)) + pow(v, 4) + 2 * pow(v, 6) + 4.5 * pow(v, 8);
        ck_assert_double_eq_tol(got, want, 20 * pow(v, 10) + 1e-15);
    }
    for (double K = 1; K < 6; K += 0.5) {
        const double got = ebm_ising_torus_exact(40, 50, K).log_z / 2000;
        ck_assert_double_eq_tol(got - 2 * K - log(2) / 2000, exp(-8 * K) + 2 * exp(-12 * K),
                                10 * exp(-16 * K) + 4e-15 * K);
    }
    const ebm_ising_torus zero = ebm_ising_torus_exact(5, 6, 0), frozen = ebm_ising_torus_exact(5, 6, 1e6);
    ck_assert_double_eq_tol(zero.log_z, 30 * log(2), 1e-13);
    ck_assert_double_eq_tol(zero.mean, 0, 1e-13);
    ck_assert_double_eq_tol(zero.variance, 60, 1e-12);
    ck_assert(frozen.log_z == 60 * 1e6 + log(2) && frozen.mean == 60 && frozen.variance == 0);
    ck_assert_double_eq_tol(ebm_ising_torus_exact(5, 6, 19.999999).mean, 60, 1e-12);
}
END_TEST

/* Away from K_c a large torus is the infinite lattice: corrections are e^(-L / xi) with 1 / xi = |log(v e^(2K))| above
 * and twice that below T_c; at 256 and |K - K_c| >= 0.1 below 1e-15. Across `hot`, the series joins the closed form. */
START_TEST(test_infinite_lattice) {
    static const double away[] = {0.001, 0.00199, 0.00201, 0.01, 0.1, 0.2, 0.3, 0.34, 0.55, 0.7, 1, 2};
    for (size_t k = 0; k < sizeof away / sizeof *away; k++) {
        const double K = away[k];
        const ebm_ising_torus torus = ebm_ising_torus_exact(256, 256, K);
        ck_assert_double_eq_tol(ebm_ising_infinite_energy(K), -torus.mean / 65536, 1e-12);
        ck_assert_double_eq_tol(ebm_ising_infinite_specific_heat(K), K * K * torus.variance / 65536, 1e-12);
    }
    ck_assert(ebm_ising_infinite_energy(0) == 0 && ebm_ising_infinite_specific_heat(0) == 0);
    ck_assert_double_eq_tol(ebm_ising_infinite_energy(500), -2, 1e-14);
    ck_assert(isfinite(ebm_ising_infinite_specific_heat(500)) && ebm_ising_infinite_magnetisation(500) == 1);
    /* C ~ -(8 K_c^2 / pi) log|1 - T / T_c|: halving the distance adds (8 K_c^2 / pi) log 2. */
    const double step = 8 * EBM_ISING_CRITICAL * EBM_ISING_CRITICAL / 3.141592653589793 * log(2);
    for (int side = -1; side <= 1; side += 2) {
        const double near = ebm_ising_infinite_specific_heat(EBM_ISING_CRITICAL * (1 + side * 1e-6));
        const double nearer = ebm_ising_infinite_specific_heat(EBM_ISING_CRITICAL * (1 + side * 5e-7));
        ck_assert_double_eq_tol(nearer - near, step, 1e-4);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ising_torus");
    TCase *torus = tcase_create("torus"), *infinite = tcase_create("infinite");
    tcase_add_test(torus, test_torus_four_by_four_levels);
    tcase_add_test(torus, test_torus_published_values);
    tcase_add_test(torus, test_torus_derivatives);
    tcase_add_test(torus, test_torus_transposed);
    tcase_add_test(torus, test_torus_series);
    tcase_add_test(infinite, test_infinite_lattice);
    suite_add_tcase(suite, torus);
    suite_add_tcase(suite, infinite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
