/* Exact analyses of Markov chains: chains worked out by hand, closed forms on the hypercube, plain matrix powers, and
 * mistakes planted into a sampler's kernel, each of which must be seen.
 *
 * Tolerances: matrices of at most 512 states with entries of order one; products and solutions lose some S units of
 * rounding, divided by the gap where a resolvent is taken: 1e-10 unless said otherwise. */
#include "ebm/diagnostics.h"
#include "ebm/random.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ebm_work *work;
static ebm_error error;

static void open_work(void) {
    ck_assert_int_eq(ebm_work_create(1, &work, NULL), EBM_OK);
}

static void close_work(void) {
    ck_assert_uint_eq(ebm_work_mark(work), 0);
    ebm_work_free(work);
}

static void check_near(double got, double want, double tolerance, const char *what) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: %.17g, not %.17g", what, got, want);
}

/* 0 -> 1 with probability a, back with b: lambda = 1 - a - b, d(t) = max(pi) |lambda|^t, f = any: rho_t = lambda^t. */
START_TEST(test_chain_of_two_states) {
    static const double rates[][2] = {{0.3, 0.1}, {0.02, 0.005}, {0.9, 0.7}, {0.5, 0.5}};
    for (size_t k = 0; k < 4; k++) {
        const double a = rates[k][0], b = rates[k][1], lambda = 1 - a - b;
        const double T[] = {1 - a, a, b, 1 - b}, pi[] = {b / (a + b), a / (a + b)}, f[] = {3, -1};
        const ebm_exact_chain chain = {T, pi, 2};
        ebm_chain_residuals residuals;
        ck_assert_int_eq(ebm_exact_chain_residuals(&chain, &residuals, work, NULL), EBM_OK);
        ck_assert(residuals.row_sum <= 2e-16 && residuals.lowest == fmin(fmin(1 - a, a), fmin(b, 1 - b)));
        ck_assert(residuals.stationarity <= 3e-16 && residuals.detailed_balance <= 3e-16);
        static const size_t steps[] = {0, 1, 1, 2, 5, 17, 60};
        double worst[7], from[7];
        const double start[] = {0.25, 0.75};
        ck_assert_int_eq(ebm_exact_chain_total_variation(&chain, NULL, steps, 7, worst, work, NULL), EBM_OK);
        ck_assert_int_eq(ebm_exact_chain_total_variation(&chain, start, steps, 7, from, work, NULL), EBM_OK);
        for (size_t i = 0; i < 7; i++) {
            const double power = pow(fabs(lambda), (double)steps[i]);
            check_near(worst[i], fmax(pi[0], pi[1]) * power, 1e-14, "worst start");
            check_near(from[i], fabs(0.25 - pi[0]) * power, 1e-14, "given start");
        }
        size_t mixing, expected = 0;
        while (fmax(pi[0], pi[1]) * pow(fabs(lambda), (double)expected) > 0.25)
            expected++;
        ck_assert_int_eq(ebm_exact_chain_mixing_time(&chain, 0.25, 1000, &mixing, work, NULL), EBM_OK);
        ck_assert_uint_eq(mixing, expected);
        ebm_chain_spectrum spectrum;
        ck_assert_int_eq(ebm_exact_chain_spectrum(&chain, &spectrum, work, NULL), EBM_OK);
        ck_assert(spectrum.reversible);
        check_near(spectrum.second, lambda, 1e-14, "second eigenvalue");
        check_near(spectrum.absolute_gap, 1 - fabs(lambda), 1e-14, "absolute gap");
        double tau;
        ck_assert_int_eq(ebm_exact_chain_autocorrelation_time(&chain, f, 1, &tau, work, NULL), EBM_OK);
        check_near(tau, (1 + lambda) / (1 - lambda), 1e-11 / (1 - lambda), "tau");
    }
}
END_TEST

/* A lazy walk on a path of three: pi = (1, 2, 1) / 4, eigenvalues 1, 1/2, 0 with functions 1, (1, 0, -1), (1, -1, 1);
 * from an end T^t = pi + 2^-t (1, 0, -1) / 2, so that d(t) = 2^-t / 2 for t >= 1. */
START_TEST(test_chain_of_three_states) {
    const double T[] = {0.5, 0.5, 0, 0.25, 0.5, 0.25, 0, 0.5, 0.5}, pi[] = {0.25, 0.5, 0.25};
    const ebm_exact_chain chain = {T, pi, 3};
    static const size_t steps[] = {0, 1, 2, 3, 10};
    double d[5];
    ck_assert_int_eq(ebm_exact_chain_total_variation(&chain, NULL, steps, 5, d, work, NULL), EBM_OK);
    check_near(d[0], 0.75, 0, "d(0)");
    for (size_t k = 1; k < 5; k++)
        check_near(d[k], ldexp(0.5, -(int)steps[k]), 1e-16, "d(t)");
    static const double levels[] = {0.75, 0.3, 0.25, 0.2, 0.01};
    static const size_t times[] = {0, 1, 1, 2, 6};
    for (size_t k = 0; k < 5; k++) {
        size_t mixing;
        ck_assert_int_eq(ebm_exact_chain_mixing_time(&chain, levels[k], 64, &mixing, work, NULL), EBM_OK);
        ck_assert_uint_eq(mixing, times[k]);
    }
    ebm_chain_spectrum spectrum;
    ck_assert_int_eq(ebm_exact_chain_spectrum(&chain, &spectrum, work, NULL), EBM_OK);
    check_near(spectrum.second, 0.5, 1e-15, "second");
    check_near(spectrum.lowest, 0, 1e-15, "lowest");
    check_near(spectrum.gap, 0.5, 1e-15, "gap");
    const double hop[] = {0, 1, 0, 0.5, 0, 0.5, 0, 1, 0}; /* not lazy: eigenvalues 1, 0, -1 */
    ck_assert_int_eq(ebm_exact_chain_spectrum(&(ebm_exact_chain){hop, pi, 3}, &spectrum, work, NULL), EBM_OK);
    check_near(spectrum.gap, 1, 1e-15, "gap of a periodic chain");
    check_near(spectrum.absolute_gap, 0, 1e-15, "absolute gap of a periodic chain");
    /* eigenfunctions with 1/2 and 0; one of each, f = (2, -1, 0): variances 1/2 and 1, tau = (3 / 2 + 1) / (3 / 2) */
    const double f[] = {1, 0, -1, 1, -1, 1, 2, -1, 0, 7, 7, 7};
    double tau[4];
    ck_assert_int_eq(ebm_exact_chain_autocorrelation_time(&chain, f, 4, tau, work, NULL), EBM_OK);
    check_near(tau[0], 3, 1e-14, "tau of the slow function");
    check_near(tau[1], 1, 1e-14, "tau of the fast function");
    check_near(tau[2], 5.0 / 3, 1e-14, "tau of a mixture");
    ck_assert(isnan(tau[3]));
}
END_TEST

/* A lazy turn on three states is not reversible: eigenvalues (1 + w) / 2 with w^3 = 1, of modulus 1/2; the real part of
 * sum lambda^t is 0 for lambda = (1 + sqrt(3) i) / 4, so that tau = 1 for every function. */
START_TEST(test_chain_that_turns) {
    const double T[] = {0.5, 0.5, 0, 0, 0.5, 0.5, 0.5, 0, 0.5}, pi[] = {1.0 / 3, 1.0 / 3, 1.0 / 3}, f[] = {1, 0, 0};
    const ebm_exact_chain chain = {T, pi, 3};
    ebm_chain_residuals residuals;
    ck_assert_int_eq(ebm_exact_chain_residuals(&chain, &residuals, work, NULL), EBM_OK);
    ck_assert(residuals.stationarity <= 1e-16);
    check_near(residuals.detailed_balance, 1.0 / 6, 1e-16, "detailed balance");
    ebm_chain_spectrum spectrum;
    ck_assert_int_eq(ebm_exact_chain_spectrum(&chain, &spectrum, work, NULL), EBM_OK);
    ck_assert(!spectrum.reversible && isnan(spectrum.gap) && isnan(spectrum.second));
    check_near(spectrum.absolute_gap, 0.5, 1e-14, "absolute gap");
    double tau;
    ck_assert_int_eq(ebm_exact_chain_autocorrelation_time(&chain, f, 1, &tau, work, NULL), EBM_OK);
    check_near(tau, 1, 1e-14, "tau");
}
END_TEST

/* A birth-death chain with a drift, reversible in pi_i ~ prod p_k / q_(k+1). */
enum { LINE = 24 };
static void birth_death(double *T, double *pi) {
    double sum = 0;
    memset(T, 0, LINE * LINE * sizeof *T);
    for (size_t i = 0; i < LINE; i++) {
        const double up = i + 1 < LINE ? 0.3 : 0, down = i > 0 ? 0.25 + 0.008 * (double)i : 0;
        if (up > 0)
            T[i * LINE + i + 1] = up;
        if (down > 0)
            T[i * LINE + i - 1] = down;
        T[i * LINE + i] = 1 - up - down;
        pi[i] = i == 0 ? 1 : pi[i - 1] * T[(i - 1) * LINE + i] / down;
        sum += pi[i];
    }
    for (size_t i = 0; i < LINE; i++)
        pi[i] /= sum;
}

/* power T, plain */
static void plain_step(size_t S, double *power, const double *T) {
    double *next = calloc(S * S, sizeof *next);
    for (size_t i = 0; i < S; i++)
        for (size_t k = 0; k < S; k++)
            for (size_t j = 0; j < S; j++)
                next[i * S + j] += power[i * S + k] * T[k * S + j];
    memcpy(power, next, S * S * sizeof *power);
    free(next);
}

static double plain_variation(size_t S, const double *power, const double *pi, size_t from) {
    double sum = 0;
    for (size_t j = 0; j < S; j++)
        sum += fabs(power[from * S + j] - pi[j]) / 2;
    return sum;
}

START_TEST(test_chain_birth_death_equals_plain_powers) {
    enum { STEPS = 1500 };
    double T[LINE * LINE], pi[LINE], power[LINE * LINE] = {0}, start[LINE] = {0}, f[LINE], worst[STEPS], first[STEPS];
    static size_t steps[STEPS];
    birth_death(T, pi);
    start[LINE - 1] = 1;
    double mean = 0, variance = 0, tau_plain = -1;
    for (size_t i = 0; i < LINE; i++) {
        power[i * LINE + i] = 1;
        f[i] = sqrt((double)i) + (i % 3 == 0);
        mean += pi[i] * f[i];
    }
    for (size_t i = 0; i < LINE; i++)
        variance += pi[i] * (f[i] - mean) * (f[i] - mean);
    const ebm_exact_chain chain = {T, pi, LINE};
    for (size_t t = 0; t < STEPS; t++)
        steps[t] = t;
    ck_assert_int_eq(ebm_exact_chain_total_variation(&chain, NULL, steps, STEPS, worst, work, NULL), EBM_OK);
    ck_assert_int_eq(ebm_exact_chain_total_variation(&chain, start, steps, STEPS, first, work, NULL), EBM_OK);
    size_t crossed = 0, crossed_low = 0;
    for (size_t t = 0; t < STEPS; t++) {
        double most = 0, covariance = 0;
        for (size_t i = 0; i < LINE; i++) {
            most = fmax(most, plain_variation(LINE, power, pi, i));
            for (size_t j = 0; j < LINE; j++)
                covariance += pi[i] * (f[i] - mean) * power[i * LINE + j] * (f[j] - mean);
        }
        tau_plain += 2 * covariance / variance;
        check_near(worst[t], most, 1e-13, "d(t)");
        check_near(first[t], plain_variation(LINE, power, pi, LINE - 1), 1e-13, "from the last state");
        crossed = crossed == 0 && most <= 0.25 ? t : crossed;
        crossed_low = crossed_low == 0 && most <= 1e-3 ? t : crossed_low;
        plain_step(LINE, power, T);
    }
    ck_assert_uint_gt(crossed, 10);
    ck_assert_uint_gt(crossed_low, crossed);
    size_t mixing;
    ck_assert_int_eq(ebm_exact_chain_mixing_time(&chain, 0.25, 1 << 20, &mixing, work, NULL), EBM_OK);
    ck_assert_uint_eq(mixing, crossed);
    ck_assert_int_eq(ebm_exact_chain_mixing_time(&chain, 1e-3, crossed_low, &mixing, work, NULL), EBM_OK);
    ck_assert_uint_eq(mixing, crossed_low);
    ck_assert_int_eq(ebm_exact_chain_mixing_time(&chain, 1e-3, crossed_low - 1, &mixing, work, &error), EBM_DIVERGED);
    double tau;
    ck_assert_int_eq(ebm_exact_chain_autocorrelation_time(&chain, f, 1, &tau, work, NULL), EBM_OK);
    ebm_chain_spectrum spectrum;
    ck_assert_int_eq(ebm_exact_chain_spectrum(&chain, &spectrum, work, NULL), EBM_OK);
    ck_assert(spectrum.reversible);
    /* what the plain sum leaves out is lambda_2^STEPS of it, what the curve decays by is lambda_2 */
    const double rest = pow(spectrum.second, STEPS) / spectrum.gap;
    check_near(tau, tau_plain, 1e-10 + 4 * rest, "tau");
    check_near(worst[1000] / worst[999], spectrum.second, 1e-6, "decay");
}
END_TEST

/* The lazy walk on the n-cube: choose a site, make it 0 or 1. Eigenvalues 1 - k/n with multiplicity C(n, k); the sum of
 * the sites has 1 - 1/n, so tau = 2n - 1; a parity of k sites has 1 - k/n, tau = (2n - k)/k. d(t) is that of the number
 * of ones from 0 (the law depends on it alone given the start), a chain on n + 1 states. */
enum { CUBE = 9, CUBE_STATES = 1 << CUBE };
static void hypercube(double *T, double *pi) {
    memset(T, 0, (size_t)CUBE_STATES * CUBE_STATES * sizeof *T);
    for (size_t i = 0; i < CUBE_STATES; i++) {
        pi[i] = 1.0 / CUBE_STATES;
        T[i * CUBE_STATES + i] = 0.5;
        for (size_t k = 0; k < CUBE; k++)
            T[i * CUBE_STATES + (i ^ ((size_t)1 << k))] = 0.5 / CUBE;
    }
}

START_TEST(test_chain_on_the_hypercube) {
    double *T = malloc((size_t)CUBE_STATES * CUBE_STATES * sizeof *T), pi[CUBE_STATES];
    static double f[3 * CUBE_STATES];
    hypercube(T, pi);
    const ebm_exact_chain chain = {T, pi, CUBE_STATES};
    ebm_chain_spectrum spectrum;
    ck_assert_int_eq(ebm_exact_chain_spectrum(&chain, &spectrum, work, NULL), EBM_OK);
    ck_assert(spectrum.reversible);
    check_near(spectrum.gap, 1.0 / CUBE, 1e-13, "gap");
    check_near(spectrum.lowest, 0, 1e-13, "lowest");
    for (size_t i = 0; i < CUBE_STATES; i++) {
        f[i] = __builtin_popcountll(i);
        f[CUBE_STATES + i] = __builtin_parityll(i & 7);
        f[2 * CUBE_STATES + i] = __builtin_parityll(i);
    }
    double tau[3];
    ck_assert_int_eq(ebm_exact_chain_autocorrelation_time(&chain, f, 3, tau, work, NULL), EBM_OK);
    check_near(tau[0], 2 * CUBE - 1, 1e-10, "tau of the sum");
    check_near(tau[1], (2.0 * CUBE - 3) / 3, 1e-10, "tau of a parity of three");
    check_near(tau[2], 1, 1e-10, "tau of the parity of all");
    double ones[CUBE + 1] = {1}, binomial[CUBE + 1], distance = 1;
    size_t expected = 0;
    for (size_t k = 0; k <= CUBE; k++)
        binomial[k] = k == 0 ? 1.0 / CUBE_STATES : binomial[k - 1] * (double)(CUBE + 1 - k) / (double)k;
    for (; distance > 0.25; expected++) {
        double next[CUBE + 1];
        distance = 0;
        for (size_t k = 0; k <= CUBE; k++) {
            next[k] = ones[k] / 2 + (k > 0 ? ones[k - 1] * (double)(CUBE - k + 1) / (2.0 * CUBE) : 0) +
                      (k < CUBE ? ones[k + 1] * (double)(k + 1) / (2.0 * CUBE) : 0);
            distance += fabs(next[k] - binomial[k]) / 2;
        }
        memcpy(ones, next, sizeof ones);
    }
    size_t mixing[2];
    ck_assert_int_eq(ebm_exact_chain_mixing_time(&chain, 0.25, 1000, &mixing[0], work, NULL), EBM_OK);
    ck_assert_uint_eq(mixing[0], expected);
    double d[2][2];
    const size_t steps[] = {expected - 1, expected};
    for (int threads = 1; threads <= 2; threads++) { /* several blocks of rows: the same bytes */
        ebm_work *own;
        ck_assert_int_eq(ebm_work_create(threads, &own, NULL), EBM_OK);
        ck_assert_int_eq(ebm_exact_chain_total_variation(&chain, NULL, steps, 2, d[threads - 1], own, NULL), EBM_OK);
        ebm_work_free(own);
    }
    ck_assert(memcmp(d[0], d[1], sizeof d[0]) == 0);
    check_near(d[0][1], distance, 1e-13, "d(t_mix)");
    ck_assert(d[0][0] > 0.25);
    free(T);
}
END_TEST

/* Three +-1 spins with fields and couplings of order one, and kernels of samplers for them, right and wrong. */
enum { SPINS = 3, STATES = 1 << SPINS };
typedef enum mistake {
    RIGHT,
    NO_RATIO,    /* Metropolis that prefers flips upwards and does not divide by the proposal's probability */
    STALE_FIELD, /* a second site that sees the first as it was before the update */
    WRONG_SIGN,  /* heat bath that climbs */
    HALF_FIELD   /* the field without the factor 2 of +-1 units */
} mistake;

static double spin(size_t state, size_t k) {
    return state >> k & 1 ? 1 : -1;
}

static const double COUPLING[SPINS][SPINS] = {{0, 0.7, -0.4}, {0.7, 0, 0.5}, {-0.4, 0.5, 0}};
static const double BIAS[SPINS] = {0.3, -0.2, 0.1};

static double local_field(size_t state, size_t k) {
    double field = BIAS[k];
    for (size_t j = 0; j < SPINS; j++)
        field += COUPLING[k][j] * spin(state, j);
    return field;
}

static void boltzmann(double *pi) {
    double sum = 0;
    for (size_t i = 0; i < STATES; i++) {
        double energy = 0;
        for (size_t k = 0; k < SPINS; k++) {
            energy -= BIAS[k] * spin(i, k);
            for (size_t j = 0; j < k; j++)
                energy -= COUPLING[k][j] * spin(i, k) * spin(i, j);
        }
        sum += pi[i] = exp(-energy);
    }
    for (size_t i = 0; i < STATES; i++)
        pi[i] /= sum;
}

/* Heat bath of site k, the field taken at `seen` with the rest of the sites: P(i -> i with s_k = +1). */
static double heat_bath(size_t seen, size_t k, mistake kind) {
    const double factor = kind == WRONG_SIGN ? -2 : kind == HALF_FIELD ? 1 : 2;
    return 1 / (1 + exp(-factor * local_field(seen, k)));
}

/* Systematic scan over the sites. */
static void scan_kernel(double *T, mistake kind) {
    memset(T, 0, STATES * STATES * sizeof *T);
    for (size_t i = 0; i < STATES; i++)
        for (size_t j = 0; j < STATES; j++) {
            double p = 1;
            size_t state = i;
            for (size_t k = 0; k < SPINS; k++) {
                const double up = heat_bath(kind == STALE_FIELD ? i : state, k, kind);
                p *= j >> k & 1 ? up : 1 - up;
                state = (state & ~((size_t)1 << k)) | (j & (size_t)1 << k);
            }
            T[i * STATES + j] = p;
        }
}

/* Metropolis: propose to flip a site, down sites twice as often as up sites. */
static void metropolis_kernel(double *T, const double *pi, mistake kind) {
    memset(T, 0, STATES * STATES * sizeof *T);
    for (size_t i = 0; i < STATES; i++) {
        T[i * STATES + i] = 1;
        for (size_t k = 0; k < SPINS; k++) {
            const size_t j = i ^ (size_t)1 << k;
            double weight_i = 0, weight_j = 0;
            for (size_t l = 0; l < SPINS; l++)
                weight_i += spin(i, l) < 0 ? 2 : 1, weight_j += spin(j, l) < 0 ? 2 : 1;
            const double forth = (spin(i, k) < 0 ? 2 : 1) / weight_i, back = (spin(j, k) < 0 ? 2 : 1) / weight_j;
            const double flow = forth * fmin(1, pi[j] / pi[i] * (kind == NO_RATIO ? 1 : back / forth));
            T[i * STATES + j] += flow;
            T[i * STATES + i] -= flow;
        }
    }
}

START_TEST(test_chain_residuals_find_planted_mistakes) {
    double T[STATES * STATES], pi[STATES];
    boltzmann(pi);
    const ebm_exact_chain chain = {T, pi, STATES};
    ebm_chain_residuals residuals;
    metropolis_kernel(T, pi, RIGHT);
    ck_assert_int_eq(ebm_exact_chain_residuals(&chain, &residuals, work, NULL), EBM_OK);
    ck_assert(residuals.stationarity <= 1e-15 && residuals.detailed_balance <= 1e-16);
    metropolis_kernel(T, pi, NO_RATIO);
    ck_assert_int_eq(ebm_exact_chain_residuals(&chain, &residuals, work, NULL), EBM_OK);
    ck_assert(residuals.stationarity > 1e-3 && residuals.detailed_balance > 1e-3);
    scan_kernel(T, RIGHT); /* a product of reversible kernels is stationary and not reversible */
    ck_assert_int_eq(ebm_exact_chain_residuals(&chain, &residuals, work, NULL), EBM_OK);
    ck_assert(residuals.stationarity <= 1e-15 && residuals.detailed_balance > 1e-3 && residuals.row_sum <= 1e-15);
    static const mistake mistakes[] = {STALE_FIELD, WRONG_SIGN, HALF_FIELD};
    for (size_t k = 0; k < 3; k++) {
        scan_kernel(T, mistakes[k]);
        ck_assert_int_eq(ebm_exact_chain_residuals(&chain, &residuals, work, NULL), EBM_OK);
        ck_assert_msg(residuals.stationarity > 1e-3, "mistake %zu: %g", k, residuals.stationarity);
        ebm_chain_spectrum spectrum;
        double tau;
        ck_assert_int_eq(ebm_exact_chain_spectrum(&chain, &spectrum, work, &error), EBM_INVALID);
        ck_assert_ptr_nonnull(strstr(error.message, "not stationary"));
        ck_assert_int_eq(ebm_exact_chain_autocorrelation_time(&chain, pi, 1, &tau, work, &error), EBM_INVALID);
        size_t mixing; /* total variation from a wrong pi never vanishes */
        ck_assert_int_eq(ebm_exact_chain_mixing_time(&chain, 1e-3, 100000, &mixing, work, &error), EBM_DIVERGED);
    }
}
END_TEST

/* A walk round a ring, forward 0.6, back 0.1: eigenvalues 0.3 + 0.6 w^k + 0.1 w^-k, w = e^(2 pi i / n); the indicator
 * of a state has an equal part in each of the n - 1 others than 1, so that tau = mean of Re (1 + lambda) / (1 -
 * lambda). */
START_TEST(test_chain_round_a_ring) {
    enum { RING = 41 };
    double T[RING * RING] = {0}, pi[RING], f[RING] = {1}, largest = 0, expected = 0, tau;
    for (size_t i = 0; i < RING; i++) {
        pi[i] = 1.0 / RING;
        T[i * RING + i] = 0.3;
        T[i * RING + (i + 1) % RING] = 0.6;
        T[i * RING + (i + RING - 1) % RING] = 0.1;
        const double re = 0.3 + 0.7 * cos(2 * M_PI * (double)i / RING), im = 0.5 * sin(2 * M_PI * (double)i / RING);
        if (i == 0)
            continue;
        largest = fmax(largest, hypot(re, im));
        expected += (1 - re * re - im * im) / ((1 - re) * (1 - re) + im * im) / (RING - 1);
    }
    const ebm_exact_chain chain = {T, pi, RING};
    ebm_chain_spectrum spectrum;
    ck_assert_int_eq(ebm_exact_chain_spectrum(&chain, &spectrum, work, NULL), EBM_OK);
    ck_assert(!spectrum.reversible);
    check_near(spectrum.absolute_gap, 1 - largest, 1e-13, "absolute gap");
    ck_assert_int_eq(ebm_exact_chain_autocorrelation_time(&chain, f, 1, &tau, work, NULL), EBM_OK);
    check_near(tau, expected, 1e-11, "tau");
}
END_TEST

START_TEST(test_chain_refuses_what_is_none) {
    double T[] = {0.5, 0.5, 0.2, 0.8}, pi[] = {2.0 / 7, 5.0 / 7}, tau;
    ebm_chain_spectrum spectrum;
    size_t mixing;
    ebm_exact_chain chain = {T, pi, 2};
    ck_assert_int_eq(ebm_exact_chain_spectrum(&chain, &spectrum, work, &error), EBM_OK);
    static const double broken[] = {0.51, -0.1, NAN, INFINITY};
    for (size_t k = 0; k < 4; k++) {
        T[0] = broken[k];
        T[1] = broken[k] < 0 ? 1.1 : 0.5;
        ck_assert_int_eq(ebm_exact_chain_spectrum(&chain, &spectrum, work, &error), EBM_INVALID);
        ck_assert_int_eq(ebm_exact_chain_mixing_time(&chain, 0.25, 10, &mixing, work, &error), EBM_INVALID);
        ck_assert_int_eq(ebm_exact_chain_total_variation(&chain, NULL, NULL, 0, NULL, work, &error), EBM_INVALID);
    }
    T[0] = T[1] = 0.5;
    ck_assert_int_eq(ebm_exact_chain_mixing_time(&chain, 0, 10, &mixing, work, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_exact_chain_mixing_time(&chain, 0.25, 0, &mixing, work, &error), EBM_INVALID);
    const size_t back[] = {3, 2};
    double d[2], start[] = {0.5, 0.4};
    ck_assert_int_eq(ebm_exact_chain_total_variation(&chain, NULL, back, 2, d, work, &error), EBM_INVALID);
    ck_assert_int_eq(ebm_exact_chain_total_variation(&chain, start, back, 1, d, work, &error), EBM_INVALID);
    chain.states = EBM_MAX_CHAIN_STATES + 1;
    ck_assert_int_eq(ebm_exact_chain_spectrum(&chain, &spectrum, work, &error), EBM_UNSUPPORTED);
    chain.states = 2;
    const double swap[] = {0, 1, 1, 0}, stay[] = {1, 0, 0, 1}, even[] = {0.5, 0.5}, f[] = {0, 1};
    const ebm_exact_chain periodic = {swap, even, 2}, reducible = {stay, even, 2};
    ck_assert_int_eq(ebm_exact_chain_mixing_time(&periodic, 0.25, 1 << 20, &mixing, work, &error), EBM_DIVERGED);
    ck_assert_int_eq(ebm_exact_chain_spectrum(&periodic, &spectrum, work, &error), EBM_OK);
    check_near(spectrum.absolute_gap, 0, 1e-15, "periodic");
    check_near(spectrum.gap, 2, 1e-15, "periodic");
    ck_assert_int_eq(ebm_exact_chain_mixing_time(&reducible, 0.25, 1 << 20, &mixing, work, &error), EBM_DIVERGED);
    ck_assert_int_eq(ebm_exact_chain_autocorrelation_time(&reducible, f, 1, &tau, work, &error), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(error.message, "reducible"));
    const double one[] = {1};
    const ebm_exact_chain single = {one, one, 1};
    ck_assert_int_eq(ebm_exact_chain_mixing_time(&single, 0.25, 1, &mixing, work, &error), EBM_OK);
    ck_assert_uint_eq(mixing, 0);
    ck_assert_int_eq(ebm_exact_chain_spectrum(&single, &spectrum, work, &error), EBM_OK);
    ck_assert(spectrum.gap == 1 && spectrum.absolute_gap == 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("markov chain");
    TCase *cases = tcase_create("property");
    tcase_add_checked_fixture(cases, open_work, close_work);
    tcase_add_test(cases, test_chain_of_two_states);
    tcase_add_test(cases, test_chain_of_three_states);
    tcase_add_test(cases, test_chain_that_turns);
    tcase_add_test(cases, test_chain_birth_death_equals_plain_powers);
    tcase_add_test(cases, test_chain_on_the_hypercube);
    tcase_add_test(cases, test_chain_residuals_find_planted_mistakes);
    tcase_add_test(cases, test_chain_round_a_ring);
    tcase_add_test(cases, test_chain_refuses_what_is_none);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
