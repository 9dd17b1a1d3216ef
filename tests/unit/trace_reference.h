/* R-hat and ESS by the plainest means: ranks by counting through a sorted copy, autocovariances by double loops,
 * Geyer's sequences in arrays. The published algorithm once more, with nothing shared with the library but the quantile
 * of the normal law. */
#ifndef TESTS_TRACE_REFERENCE_H
#define TESTS_TRACE_REFERENCE_H

#include "ebm/diagnostics.h"
#include "estimators/trace_ranks.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* y (2 chains, half): first and last halves. */
static void reference_split(const double *x, size_t chains, size_t draws, double *y) {
    const size_t half = draws / 2;
    for (size_t c = 0; c < chains; c++)
        for (size_t i = 0; i < half; i++) {
            y[2 * c * half + i] = x[c * draws + i];
            y[(2 * c + 1) * half + i] = x[c * draws + (draws + 1) / 2 + i];
        }
}

static bool reference_constant(const double *x, size_t count) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++)
        low = fmin(low, x[i]), high = fmax(high, x[i]);
    return high - low < DBL_EPSILON;
}

static void reference_scores(double *y, size_t count) {
    double *sorted = malloc(count * sizeof *sorted);
    memcpy(sorted, y, count * sizeof *y);
    qsort(sorted, count, sizeof *sorted, ascending);
    for (size_t i = 0; i < count; i++) {
        size_t low = 0, high = count; /* the first at or above y, the first above it */
        while (low < high) {
            const size_t middle = (low + high) / 2;
            if (sorted[middle] < y[i])
                low = middle + 1;
            else
                high = middle;
        }
        while (high < count && sorted[high] == y[i])
            high++;
        const double rank = ((double)(low + 1) + (double)high) / 2;
        y[i] = ebm_normal_quantile((rank - 0.375) / ((double)count + 0.25));
    }
    free(sorted);
}

static double reference_mean(const double *x, size_t count) {
    double mean = 0, rest = 0;
    for (size_t i = 0; i < count; i++)
        mean += x[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        rest += (x[i] - mean) / (double)count;
    return mean + rest;
}

static double reference_variance(const double *x, size_t count) {
    const double mean = reference_mean(x, count);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / (double)(count - 1);
}

static double reference_rhat(const double *y, size_t m, size_t n) {
    if (n < 2 || reference_constant(y, m * n))
        return NAN;
    double within = 0, *mean = malloc(m * sizeof *mean);
    for (size_t s = 0; s < m; s++) {
        mean[s] = reference_mean(y + s * n, n);
        within += reference_variance(y + s * n, n) / (double)m;
    }
    const double between = (double)n * reference_variance(mean, m);
    free(mean);
    return sqrt((between / within + (double)n - 1) / (double)n);
}

static double reference_ess(const double *y, size_t m, size_t n) {
    if (n < 3 || reference_constant(y, m * n))
        return NAN;
    double *mean = malloc(m * sizeof *mean), *rho = calloc(n + 2, sizeof *rho), *acov = calloc(n, sizeof *acov);
    for (size_t s = 0; s < m; s++) {
        mean[s] = reference_mean(y + s * n, n);
        for (size_t t = 0; t < n; t++)
            for (size_t i = 0; i + t < n; i++)
                acov[t] += (y[s * n + i] - mean[s]) * (y[s * n + i + t] - mean[s]) / (double)(n * m);
    }
    const double within = acov[0] * (double)n / (double)(n - 1);
    const double plus = acov[0] + reference_variance(mean, m);
    rho[0] = 1;
    rho[1] = 1 - (within - acov[1]) / plus;
    double even = rho[0], odd = rho[1], total = (double)(m * n), tau;
    long t = 0;
    while (t < (long)n - 5 && even + odd > 0) {
        t += 2;
        even = 1 - (within - acov[t]) / plus;
        odd = 1 - (within - acov[t + 1]) / plus;
        if (even + odd >= 0)
            rho[t] = even, rho[t + 1] = odd;
    }
    const long most = t;
    if (even > 0)
        rho[most] = even;
    for (t = 2; t <= most - 2; t += 2)
        if (rho[t] + rho[t + 1] > rho[t - 2] + rho[t - 1])
            rho[t] = rho[t + 1] = (rho[t - 2] + rho[t - 1]) / 2;
    if (most == 0) {
        tau = 2;
    } else {
        tau = -1 + rho[most];
        for (t = 0; t < most; t++)
            tau += 2 * rho[t];
    }
    free(mean), free(rho), free(acov);
    return total / fmax(tau, 1 / log10(total));
}

static double reference_quantile(const double *sorted, size_t count, double p) {
    const double place = 1 + (double)(count - 1) * p, low = floor(place);
    const size_t k = (size_t)low - 1;
    return place > low && sorted[k + 1] != sorted[k] ? (1 - (place - low)) * sorted[k] + (place - low) * sorted[k + 1]
                                                     : sorted[k];
}

static void reference_summary(const double *x, size_t chains, size_t draws, ebm_trace_summary *out) {
    const size_t total = chains * draws, m = 2 * chains, n = draws / 2, kept = m * n;
    double *sorted = malloc(total * sizeof *sorted), *y = malloc((kept + 1) * sizeof *y);
    double *folded = malloc(total * sizeof *folded), tail[2];
    memcpy(sorted, x, total * sizeof *x);
    qsort(sorted, total, sizeof *sorted, ascending);
    const double median = (sorted[(total - 1) / 2] + sorted[total / 2]) / 2;
    reference_split(x, chains, draws, y);
    out->mean = reference_mean(x, total);
    out->sd = sqrt(reference_variance(x, total));
    out->rhat_basic = reference_rhat(y, m, n);
    out->ess_basic = out->ess_mean = reference_ess(y, m, n);
    out->mcse_mean = out->sd / sqrt(out->ess_mean);
    reference_scores(y, kept);
    out->rhat_bulk = reference_rhat(y, m, n);
    out->ess_bulk = reference_ess(y, m, n);
    for (size_t i = 0; i < total; i++)
        folded[i] = fabs(x[i] - median);
    reference_split(folded, chains, draws, y);
    reference_scores(y, kept);
    out->rhat_folded = reference_rhat(y, m, n);
    out->rhat = isnan(out->rhat_bulk) || isnan(out->rhat_folded) ? NAN : fmax(out->rhat_bulk, out->rhat_folded);
    for (int side = 0; side < 2; side++) {
        const double q = reference_quantile(sorted, total, side == 0 ? 0.05 : 0.95);
        reference_split(x, chains, draws, y);
        for (size_t i = 0; i < kept; i++)
            y[i] = y[i] <= q;
        tail[side] = reference_constant(x, total) ? NAN : reference_ess(y, m, n);
    }
    out->ess_tail = isnan(tail[0]) || isnan(tail[1]) ? NAN : fmin(tail[0], tail[1]);
    free(sorted), free(y), free(folded);
}

#endif
