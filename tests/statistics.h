/* Bounds for statistical tests, each with a false alarm that is derived and not tuned. */
#ifndef TESTS_STATISTICS_H
#define TESTS_STATISTICS_H

#include <math.h>
#include <stddef.h>

/* Expected total variation between p (S states) and the histogram of N exact independent draws.
 *
 * A count is binomial(N, p), whose mean absolute deviation is exactly 2 m C(N, m) p^m (1 - p)^(N - m + 1) with
 * m = floor(N p) + 1 (de Moivre 1730), and the total variation is half the sum of deviations over N. */
static inline double expected_total_variation(size_t S, const double *p, double N) {
    double sum = 0;
    for (size_t v = 0; v < S; v++) {
        double m = floor(N * p[v]) + 1;
        if (p[v] <= 0 || p[v] >= 1 || m > N)
            continue;
        double log_choose = lgamma(N + 1) - lgamma(m + 1) - lgamma(N - m + 1);
        sum += 2 * m * exp(log_choose + m * log(p[v]) + (N - m + 1) * log1p(-p[v])) / N;
    }
    return sum / 2;
}

static inline double total_variation(size_t S, const double *p, const double *q) {
    double sum = 0;
    for (size_t v = 0; v < S; v++)
        sum += fabs(p[v] - q[v]);
    return sum / 2;
}

/* P(TV > t + E TV) <= exp(-2 N t^2): one draw moves the total variation by at most 1/N (McDiarmid 1989). */
static inline double total_variation_false_alarm(double N, double above_expectation) {
    return exp(-2 * N * above_expectation * above_expectation);
}

/* Pearson's statistic, summed over independent rows of counts. Cells that expect fewer than 25 are pooled, so that each
 * term is close to its chi-square limit in the tail too. */
typedef struct chi_square {
    double statistic, degrees;
} chi_square;

static inline void chi_square_row(chi_square *chi, size_t cells, const double *p, const double *counts) {
    const double enough = 25;
    double total = 0, pooled_p = 0, pooled_count = 0, kept = 0;
    size_t largest = 0;
    for (size_t k = 0; k < cells; k++) {
        total += counts[k];
        largest = p[k] > p[largest] ? k : largest;
    }
    if (total < enough)
        return;
    for (size_t k = 0; k < cells; k++)
        if (k != largest && total * p[k] < enough) {
            pooled_p += p[k];
            pooled_count += counts[k];
        }
    double largest_p = p[largest], largest_count = counts[largest];
    if (total * pooled_p < enough) { /* the pool itself is small: it joins the largest cell */
        largest_p += pooled_p;
        largest_count += pooled_count;
    } else {
        chi->statistic += (pooled_count - total * pooled_p) * (pooled_count - total * pooled_p) / (total * pooled_p);
        kept++;
    }
    for (size_t k = 0; k < cells; k++)
        if (k != largest && total * p[k] >= enough) {
            chi->statistic += (counts[k] - total * p[k]) * (counts[k] - total * p[k]) / (total * p[k]);
            kept++;
        }
    double expected = total * largest_p;
    chi->statistic += (largest_count - expected) * (largest_count - expected) / expected;
    chi->degrees += kept;
}

/* A level that a chi-square variable of k degrees passes with probability at most 1e-6: k + 2 sqrt(k x) + 2 x with
 * x = log 1e6 (Laurent and Massart 2000, lemma 1). */
static inline double chi_square_limit(double degrees) {
    const double x = 13.815510557964274;
    return degrees + 2 * sqrt(degrees * x) + 2 * x;
}

/* Running mean and variance of many numbers (Welford 1962). */
typedef struct moments {
    double count, mean, squares;
} moments;

static inline void moments_add(moments *m, double x) {
    m->count++;
    double before = x - m->mean;
    m->mean += before / m->count;
    m->squares += before * (x - m->mean);
}
static inline double moments_variance(const moments *m) {
    return m->count > 1 ? m->squares / (m->count - 1) : 0;
}
static inline double moments_standard_error(const moments *m) {
    return sqrt(moments_variance(m) / m->count);
}

#endif
