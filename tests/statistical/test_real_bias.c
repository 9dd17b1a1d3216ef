/* Samplers that are biased have the bias that is predicted, and no other.
 *
 *   ula    x' = x - eta P x + sqrt(2 eta) z on N(0, P^-1) is an autoregression; its law is normal of precision
 *          P - eta P^2 / 2: the variance of N(0, s^2) becomes s^2 / (1 - eta / (2 s^2))
 *
 * Rows are started from that law and have to stay in it; against the target's own law the same battery has to see them
 * leave. Fixed seeds, the battery's levels. */
#include "real_cases.h"

/* ---- ula ---- */

static double biased_L[3][3];
static double biased_deviation;

static void biased1_to(const double *x, double *z) {
    z[0] = (x[0] - 0.5) / biased_deviation;
}
static void biased1_from(const double *z, double *x) {
    x[0] = 0.5 + biased_deviation * z[0];
}
static void biased3_to(const double *x, double *z) {
    for (size_t i = 0; i < 3; i++) {
        z[i] = x[i];
        for (size_t j = 0; j < i; j++)
            z[i] -= biased_L[i][j] * z[j];
        z[i] /= biased_L[i][i];
    }
}
static void biased3_from(const double *z, double *x) {
    for (size_t i = 0; i < 3; i++) {
        x[i] = 0;
        for (size_t j = 0; j <= i; j++)
            x[i] += biased_L[i][j] * z[j];
    }
}

static const target biased1 = {
    .label = "normal, biased", .units = 1, .to_normal = biased1_to, .from_normal = biased1_from};
static const target biased3 = {
    .label = "correlated normal, biased", .units = 3, .to_normal = biased3_to, .from_normal = biased3_from};

/* out = the inverse of a symmetric positive definite 3 x 3 matrix, by cofactors. */
static void invert(double a[3][3], double out[3][3]) {
    double determinant = 0;
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            out[j][i] = a[(i + 1) % 3][(j + 1) % 3] * a[(i + 2) % 3][(j + 2) % 3] -
                        a[(i + 1) % 3][(j + 2) % 3] * a[(i + 2) % 3][(j + 1) % 3];
    for (size_t j = 0; j < 3; j++)
        determinant += a[0][j] * out[j][0];
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            out[i][j] /= determinant;
}

/* biased_L of (beta P - eta beta^2 P^2 / 2)^-1, with P^-1 = normal3_L normal3_L'. */
static void bias_three(double eta, double beta) {
    double S[3][3] = {{0}}, P[3][3], biased[3][3];
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            for (size_t k = 0; k < 3; k++)
                S[i][j] += normal3_L[i][k] * normal3_L[j][k];
    invert(S, P);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            biased[i][j] = beta * P[i][j];
            for (size_t k = 0; k < 3; k++)
                biased[i][j] -= eta / 2 * beta * beta * P[i][k] * P[k][j];
        }
    invert(biased, S);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = S[i][j];
            for (size_t k = 0; k < j; k++)
                sum -= biased_L[i][k] * biased_L[j][k];
            biased_L[i][j] = i == j ? sqrt(sum) : sum / biased_L[j][j];
        }
}

/* The battery's worst number about the law, of chains that move on `moved` and are compared with `law` (at beta = 1: what
 * depends on beta is in it). */
static double ula_excess(const target *moved, const target *law, double beta, const char *step) {
    const char *const options[] = {"step", step, NULL};
    real_bench b;
    ck_assert(real_bench_open(&b, moved, real_sampler("ula"), options));
    ck_assert(!b.sampler.exact && !b.sampler.reversible);
    real_case c = b.c;
    c.target = law;
    c.rows = 4000;
    c.steps = 25;
    c.path.beta = beta;
    c.law_beta = 1;
    const real_verdict v = real_examine(&c, 5);
    ck_assert_msg(!v.why[0], "%s", v.why);
    real_bench_close(&b);
    return fmax(fmax(v.units, v.pairs), v.distance);
}

START_TEST(test_real_bias_ula) {
    for (double beta = 1; beta > 0.4; beta /= 2) {
        const double eta1 = 0.3, variance = 0.64 / beta;
        biased_deviation = sqrt(variance / (1 - eta1 / (2 * variance)));
        ck_assert_double_le(ula_excess(target_by_label("normal"), &biased1, beta, "0.3"), 1);
        biased_deviation = sqrt(variance);
        ck_assert_double_gt(ula_excess(target_by_label("normal"), &biased1, beta, "0.3"), 1);
        bias_three(0.05, beta);
        ck_assert_double_le(ula_excess(target_by_label("correlated normal"), &biased3, beta, "0.05"), 1);
        bias_three(0, beta);
        ck_assert_double_gt(ula_excess(target_by_label("correlated normal"), &biased3, beta, "0.05"), 1);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("bias on real spaces");
    TCase *c = tcase_create("bias");
    tcase_add_test(c, test_real_bias_ula);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
