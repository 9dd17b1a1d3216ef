/* Exponential-family units against sums and quadrature that are written here, their draws against exact laws, and lists of
 * them as they are written.
 *
 * Deterministic comparisons are in double in every build: to 1e-9, ten times closer than the 1e-8 that is claimed. Draws:
 * Kolmogorov's sqrt(N) D below 2.9 (1e-7), chi^2 by the bound of statistics.h (1e-6). */
#include "exponential_nodes.h"

static const double MATCH = 1e-9;

static const struct {
    const char *name;
    size_t width;
    double from, to; /* natural parameters */
} laws[] = {{"binary", 1, -20, 20},
            {"poisson", 1, -12, 7.6},
            {"categorical", 4, -8, 8},
            {"truncated-exponential", 1, -30, 30},
            {"gaussian", 1, -6, 6}};
enum { LAWS = sizeof laws / sizeof *laws, GRID = 61 };

/* eta (width) at point g of the grid; g = 30 of a symmetric range is 0. */
static void grid_eta(size_t law, size_t g, double *eta) {
    const double at = laws[law].from + (laws[law].to - laws[law].from) * (double)g / (GRID - 1);
    for (size_t c = 0; c < laws[law].width; c++)
        eta[c] = at * cos(1.3 * (double)c);
}

START_TEST(test_units_laws) {
    static const double betas[] = {1, 0.35, 2.5};
    const ebm_unit_kind *kind = kind_named(laws[_i].name);
    const double variance = 0.7;
    nodes *n = nodes_of(laws[_i].name, laws[_i].width, variance, 20001, 4001);
    double eta[MOST_WIDTH], mean[MOST_WIDTH], square[MOST_WIDTH], want[MOST_WIDTH], squares[MOST_WIDTH], worst = 0;
    for (size_t t = 0; t < 3; t++)
        for (size_t g = 0; g < GRID; g++) {
            grid_eta((size_t)_i, g, eta);
            const ebm_unit_law law = {laws[_i].width, eta, betas[t], variance};
            const double a = summed(n, eta, betas[t], want, squares);
            worst = fmax(worst, apart(kind->log_normaliser(&law), a, MATCH));
            kind->moments(&law, mean, square);
            for (size_t c = 0; c < laws[_i].width; c++) {
                worst = fmax(worst, apart(mean[c], want[c], MATCH));
                worst = fmax(worst, apart(square[c], squares[c], MATCH));
            }
            ck_assert_msg(worst < 1,
                          "%s at eta %g, beta %g: %g of the bound; A %.17g, %.17g; mean %.17g, %.17g; square %.17g, "
                          "%.17g",
                          laws[_i].name, eta[0], betas[t], worst, kind->log_normaliser(&law), a, mean[0], want[0],
                          square[0], squares[0]);
        }
    free(n);
}
END_TEST

/* Natural parameters close to 0, where the truncated exponential's terms cancel: A' and A'' by the mean's own series. */
START_TEST(test_units_interval_near_zero) {
    const ebm_unit_kind *kind = kind_named("truncated-exponential");
    for (double eta = 1e-12; eta < 0.6; eta *= 1.37)
        for (int sign = -1; sign <= 1; sign += 2) {
            const double at = sign * eta, below = at - 1e-3, above = at + 1e-3;
            double mean, square, first, second, ignored;
            const ebm_unit_law law = {1, &at, 1, 1}, left = {1, &below, 1, 1}, right = {1, &above, 1, 1};
            kind->moments(&law, &mean, &square);
            kind->moments(&left, &first, &ignored);
            kind->moments(&right, &second, &ignored);
            const double slope = (kind->log_normaliser(&right) - kind->log_normaliser(&left)) / 2e-3;
            /* third derivatives are below 1/120: 1e-6 / 720 each */
            ck_assert_double_le(fabs(slope - mean), 3e-9);
            ck_assert_double_le(fabs((second - first) / 2e-3 - (square - mean * mean)), 3e-9);
        }
}
END_TEST

START_TEST(test_units_natural_parameters) {
    static const double means[] = {0.003, 0.2, 0.5, 0.77, 0.9995};
    for (size_t i = 0; i < LAWS; i++)
        for (size_t m = 0; m < sizeof means / sizeof *means; m++) {
            const ebm_unit_kind *kind = kind_named(laws[i].name);
            const double want[2] = {means[m], 1 - means[m]}, variance = 1.7;
            const size_t width = kind->sized ? 2 : 1;
            double eta[2], mean[2], square[2];
            kind->natural(width, want, variance, eta);
            const ebm_unit_law law = {width, eta, 1, variance};
            kind->moments(&law, mean, square);
            ck_assert_msg(fabs(mean[0] - want[0]) < 1e-12, "%s: mean %.17g for %g", laws[i].name, mean[0], want[0]);
        }
}
END_TEST

/* Draws of one unit: continuous ones by Kolmogorov's test, discrete ones by chi^2 on their states. */
static double check_draws(size_t i, const double *eta, double beta) {
    enum { DRAWS = 20000, CELLS = 4000 };
    static double p[DRAWS], counts[CELLS], exact[CELLS];
    const double variance = 0.7;
    const ebm_unit_kind *kind = kind_named(laws[i].name);
    const ebm_unit_law law = {laws[i].width, eta, beta, variance};
    nodes *n = nodes_of(laws[i].name, laws[i].width, variance, CELLS, CELLS);
    const double total = summed(n, eta, beta, NULL, NULL);
    memset(counts, 0, sizeof counts);
    for (size_t d = 0; d < DRAWS; d++) {
        const ebm_unit_draw at = {ebm_stream_of(11, EBM_PURPOSE_SAMPLE), (uint32_t)d, 3, 2};
        ebm_real x[MOST_WIDTH];
        size_t cell = 0;
        kind->draw(&law, &at, x);
        ck_assert(kind->log_measure(law.width, variance, x) > -INFINITY);
        if (kind->continuous) {
            p[d] = kind->cdf(&law, (double)x[0]);
            continue;
        }
        if (kind->sized)
            while (x[cell] != 1)
                cell++;
        else
            cell = (size_t)x[0];
        ck_assert_uint_lt(cell, n->count);
        counts[cell]++;
    }
    double worst = 0;
    if (kind->continuous) {
        worst = kolmogorov(p, DRAWS);
    } else {
        chi_square chi = {0, 0};
        for (size_t k = 0; k < n->count; k++)
            exact[k] = exp(beta * (n->log_nu[k] + dot(n, k, eta)) - total);
        chi_square_row(&chi, n->count, exact, counts);
        worst = chi.statistic / chi_square_limit(chi.degrees);
    }
    free(n);
    return worst;
}

START_TEST(test_units_draws) {
    static const double betas[] = {1, 0.4};
    double eta[MOST_WIDTH];
    for (size_t t = 0; t < 2; t++)
        for (size_t g = 0; g < GRID; g += 10) {
            grid_eta((size_t)_i, g, eta);
            const double worst = check_draws((size_t)_i, eta, betas[t]);
            ck_assert_msg(worst < 1, "%s at eta %g, beta %g: %g of the bound", laws[_i].name, eta[0], betas[t], worst);
        }
}
END_TEST

/* The distribution function by Simpson's rule on [-reach, t]: the integrand's fourth derivative leaves 1e-10. */
START_TEST(test_units_cdf) {
    for (size_t i = 0; i < LAWS; i++) {
        const ebm_unit_kind *kind = kind_named(laws[i].name);
        ck_assert_int_eq(kind->cdf != NULL, kind->continuous);
        for (size_t g = 0; kind->cdf && g < GRID; g += 6)
            for (double t = 0.05; t < 1; t += 0.19) {
                enum { SIDE = 8001 };
                double eta, sum = 0;
                grid_eta(i, g, &eta);
                const ebm_unit_law law = {1, &eta, 1, 0.7};
                const bool gaussian = kind->dispersed;
                const double at = gaussian ? 0.7 * eta + 4 * (t - 0.5) : t, from = gaussian ? 0.7 * eta - 12 : 0;
                for (size_t k = 0; k < SIDE; k++) {
                    const double x = from + (at - from) * (double)k / (SIDE - 1);
                    sum += (k == 0 || k + 1 == SIDE ? 1
                            : k % 2                 ? 4
                                                    : 2) *
                           exp(eta * x - (gaussian ? x * x / 1.4 : 0) - kind->log_normaliser(&law));
                }
                ck_assert_double_le(fabs(kind->cdf(&law, at) - sum * (at - from) / (SIDE - 1) / 3), MATCH);
            }
    }
}
END_TEST

static void refused(const char *text, const char *why) {
    ebm_unit_list list;
    ebm_error failure = {0};
    ck_assert_int_eq(ebm_unit_list_parse(text, &list, &failure), EBM_INVALID);
    ck_assert_msg(strstr(failure.message, why) != NULL, "\"%s\" does not say \"%s\"", failure.message, why);
    ck_assert_ptr_null(list.units);
}

START_TEST(test_units_lists) {
    ebm_unit_list list;
    CHECK_OK(ebm_unit_list_parse(" 2 poisson+categorical( 3 ) + gaussian + 12binary + 2 gaussian", &list, error));
    ck_assert_uint_eq(list.count, 18);
    ck_assert_uint_eq(list.size, 20);
    ck_assert_uint_eq(list.variances, 3);
    ck_assert_uint_eq(list.units[2].width, 3);
    ck_assert_uint_eq(list.units[3].at, 5);
    ck_assert_uint_eq(list.units[17].at, 19);
    ck_assert_uint_eq(list.units[17].variance, 2);
    ebm_unit_list_free(&list);
    refused(NULL, "what the units are");
    refused("  ", "what the units are");
    refused("poison", "poisson");
    refused("2 wibble", "no kind of unit");
    refused("categorical", "categorical(3)");
    refused("categorical(1)", "from 2");
    refused("categorical(3", "from 2");
    refused("gaussian(2)", "no number");
    refused("0 binary", "1 to");
    refused("99999999999999999999 binary", "1 to");
    refused("1000 categorical(1000000)", "more than");
    refused("binary + ", "no kind");
    refused("binary gaussian", "expected");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("exponential units");
    TCase *units = tcase_create("units");
    tcase_add_loop_test(units, test_units_laws, 0, LAWS);
    tcase_add_test(units, test_units_interval_near_zero);
    tcase_add_test(units, test_units_natural_parameters);
    tcase_add_loop_test(units, test_units_draws, 0, LAWS);
    tcase_add_test(units, test_units_cdf);
    tcase_add_test(units, test_units_lists);
    suite_add_tcase(suite, units);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
