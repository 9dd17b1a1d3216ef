/* The Kolmogorov-Smirnov distance of a sample from a law or from another sample, and its p value.
 *
 * One sample. With c = n D and N(s) the number of n uniforms below s / n, D_n < D says s - c <= N(s) <= s + c for all s in
 * [0, n]. N is a Poisson process of rate 1 given N(n) = n, so the law of N within its bounds is carried from one time at
 * which a bound moves (s + c or s - c whole) to the next: sums of positive terms, which lose no digits
 * (Khmaladze & Shinjikashvili, "Calculation of noncrossing probabilities for Poisson processes", 2001). For n D^2 >= 3
 * both bounds are hardly ever met in one sample, P(D_n >= D) = 2 P(D_n+ >= D) up to a fraction e^(-6 n D^2), with
 *   P(D_n+ >= D) = D sum_(j <= n (1 - D)) C(n, j) (D + j / n)^(j - 1) (1 - D - j / n)^(n - j)
 * (Birnbaum & Tingey, "One-sided confidence contours for probability distribution functions", 1951). For more draws the
 * limit law is taken at lambda + 1 / (6 sqrt n) + (lambda - 1) / (4 n), lambda = sqrt(n) D
 * (J. Vrbik, "Small-sample corrections to Kolmogorov-Smirnov test statistic", 2018).
 *
 * Two samples. Where the laws agree all orders of the pooled sample are alike likely. Of those whose first i + j hold i of
 * x and j of y a share i / (i + j) has an x last, so the chance q of having met the bound before obeys
 *   q(i, j) = (i q(i - 1, j) + j q(i, j - 1)) / (i + j),   q = 1 where |i / n - j / m| >= D
 * (J. Hodges, "The significance probability of the Smirnov two-sample test", 1958). */
#include "ebm/diagnostics.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EXACT = 4000, MOST_SUMMED = 100000, MOST_STATES = 256 };
#define ONE_SIDED 3.0  /* n D^2 from which both bounds are not met in one sample */
#define MOST_CELLS 2e8 /* of the two-sample recursion: about a second */

double ebm_kolmogorov_limit(double lambda) {
    if (!(lambda > 0))
        return isnan(lambda) ? NAN : 1;
    double sum = 0;
    if (lambda < 1) { /* the same theta function by Poisson's summation: 1 - sqrt(2 pi) / lambda sum_odd e^(...) */
        const double q = -M_PI * M_PI / (8 * lambda * lambda);
        for (int k = 9; k >= 1; k -= 2)
            sum += exp(q * k * k);
        return 1 - sqrt(2 * M_PI) / lambda * sum;
    }
    for (int k = 6; k >= 1; k--)
        sum += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * lambda * lambda);
    return sum;
}

/* law (states) after a time in which `rate` events are expected; what leaves the states is lost. */
static void advance(double *law, size_t states, double rate) {
    double weight[MOST_STATES] = {exp(-rate)};
    size_t most = 0; /* rate <= 1: beyond 30 events nothing counts */
    while (most + 1 < states && weight[most] > 1e-30) {
        weight[most + 1] = weight[most] * rate / (double)(most + 1);
        most++;
    }
    for (size_t j = states; j-- > 0;) {
        double sum = 0;
        for (size_t i = 0; i <= j && i <= most; i++)
            sum += weight[i] * law[j - i];
        law[j] = sum;
    }
}

/* P(D_n < c / n): law[k] belongs to N = low + k. */
static double within_bounds(double c, size_t count) {
    const double n = (double)count;
    double law[MOST_STATES] = {1}, time = 0, low = 0, high = floor(c);
    while (time < n) {
        const double opens = high + 1 - c, closes = low + c, next = fmin(fmin(opens, closes), n);
        advance(law, (size_t)(high - low) + 1, next - time);
        time = next;
        if (next == opens && next < n) {
            high++;
            law[(size_t)(high - low)] = 0;
        }
        if (next == closes && next < n) {
            memmove(law, law + 1, (size_t)(high - low) * sizeof *law);
            low++;
        }
    }
    const double given = exp(n * log(n) - n - lgamma(n + 1)); /* P(N(n) = n) */
    return law[(size_t)(n - low)] / given;
}

static double one_sided(double distance, size_t count) {
    const double n = (double)count;
    double sum = 0;
    for (double j = 0; j <= floor(n * (1 - distance)); j++) {
        const double rest = 1 - distance - j / n;
        if (rest <= 0 && j < n)
            continue;
        const double choices = lgamma(n + 1) - lgamma(j + 1) - lgamma(n - j + 1);
        sum += exp(choices + (j - 1) * log(distance + j / n) + (j < n ? (n - j) * log(rest) : 0));
    }
    return distance * sum;
}

double ebm_kolmogorov_tail(double distance, size_t count) {
    const double n = (double)count, root = sqrt(n), lambda = root * distance;
    if (isnan(distance) || count < 1)
        return NAN;
    if (2 * n * distance <= 1)
        return 1;
    if (distance >= 1)
        return 0;
    if (count <= MOST_SUMMED && (n * distance * distance >= ONE_SIDED || distance >= 0.5))
        return fmin(2 * one_sided(distance, count), 1);
    if (count <= MOST_EXACT)
        return fmin(fmax(1 - within_bounds(n * distance, count), 0), 1);
    return ebm_kolmogorov_limit(lambda + 1 / (6 * root) + (lambda - 1) / (4 * n));
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* An ascending copy, or NULL. */
static double *sorted_copy(const double *x, size_t count, ebm_work *work) {
    double *copy = ebm_work_take(work, count, sizeof *copy);
    if (copy != NULL) {
        memcpy(copy, x, count * sizeof *copy);
        qsort(copy, count, sizeof *copy, by_value);
    }
    return copy;
}

ebm_status ebm_kolmogorov_test(const double *probabilities, size_t count, ebm_kolmogorov *out, ebm_work *work,
                               ebm_error *error) {
    if (count < 1)
        return ebm_fail(error, EBM_INVALID, "no draws to test");
    for (size_t i = 0; i < count; i++)
        if (!(probabilities[i] >= 0 && probabilities[i] <= 1))
            return ebm_fail(error, EBM_INVALID, "draw %zu has the probability %g, outside [0, 1]", i, probabilities[i]);
    const size_t mark = ebm_work_mark(work);
    const double *u = sorted_copy(probabilities, count, work), n = (double)count;
    if (u == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to sort %zu draws", count);
    out->distance = 0;
    for (size_t i = 0; i < count; i++)
        out->distance = fmax(out->distance, fmax((double)(i + 1) / n - u[i], u[i] - (double)i / n));
    out->p_value = ebm_kolmogorov_tail(out->distance, count);
    ebm_work_release(work, mark);
    return EBM_OK;
}

/* sup |F_n - G_m| times n m, of ascending samples. */
static int64_t largest_gap(const double *x, size_t n, const double *y, size_t m) {
    int64_t largest = 0;
    for (size_t i = 0, j = 0; i < n && j < m;) {
        const double at = x[i] < y[j] ? x[i] : y[j];
        while (i < n && x[i] == at)
            i++;
        while (j < m && y[j] == at)
            j++;
        const int64_t gap = llabs((int64_t)i * (int64_t)m - (int64_t)j * (int64_t)n);
        largest = gap > largest ? gap : largest;
    }
    return largest;
}

/* q(n, m) of the recursion above with the bound |i m - j n| >= gap > 0; q (m + 1) is scratch. */
static double walk_meets(int64_t gap, int64_t n, int64_t m, double *q) {
    for (int64_t j = 0; j <= m; j++)
        q[j] = j * n < gap ? 0 : 1;
    for (int64_t i = 1; i <= n; i++) {
        const int64_t below = i * m - gap; /* j n > below, j n < i m + gap */
        const int64_t first = below < 0 ? 0 : below / n + 1;
        const int64_t beyond = (i * m + gap - 1) / n, last = beyond < m ? beyond : m;
        double left = 1;
        for (int64_t j = first; j <= last; j++) {
            left = ((double)i * q[j] + (double)j * left) / (double)(i + j);
            q[j] = left;
        }
    }
    return q[m];
}

ebm_status ebm_kolmogorov_two_sample(const double *x, size_t x_count, const double *y, size_t y_count,
                                     ebm_kolmogorov *out, ebm_work *work, ebm_error *error) {
    if (x_count < 1 || y_count < 1 || x_count > INT32_MAX || y_count > INT32_MAX)
        return ebm_fail(error, EBM_INVALID, "samples of %zu and %zu draws: 1 to 2^31 - 1 each", x_count, y_count);
    for (size_t i = 0; i < x_count + y_count; i++)
        if (!isfinite(i < x_count ? x[i] : y[i - x_count]))
            return ebm_fail(error, EBM_DIVERGED, "draw %zu of sample %d is not finite", i < x_count ? i : i - x_count,
                            i < x_count ? 1 : 2);
    const size_t mark = ebm_work_mark(work);
    const double *a = sorted_copy(x, x_count, work), *b = sorted_copy(y, y_count, work);
    double *q = ebm_work_take(work, y_count + 1, sizeof *q);
    if (a == NULL || b == NULL || q == NULL) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to sort %zu draws", x_count + y_count);
    }
    const double n = (double)x_count, m = (double)y_count;
    const int64_t gap = largest_gap(a, x_count, b, y_count);
    out->distance = (double)gap / (n * m);
    if (gap == 0)
        out->p_value = 1;
    else if (n * fmin(2 * out->distance * m + 1, m) <= MOST_CELLS)
        out->p_value = walk_meets(gap, (int64_t)x_count, (int64_t)y_count, q);
    else
        out->p_value = ebm_kolmogorov_limit(out->distance * sqrt(n * m / (n + m)));
    ebm_work_release(work, mark);
    return EBM_OK;
}
