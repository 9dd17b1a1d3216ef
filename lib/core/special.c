/* Special functions and reductions in double.
 *
 * log(1 + e^x) follows M. Maechler, "Accurately computing log(1 - exp(-|a|))" (2012): the cheapest form that is exact
 * to rounding on each range. log sum exp subtracts the maximum, so that the largest term is 1 and nothing overflows.
 * Sums are Neumaier's (1974) variant of Kahan's: the error does not grow with the count. */
#include "ebm/special.h"

#include <math.h>

double ebm_sigmoid(double x) {
    if (x >= 0)
        return 1 / (1 + exp(-x));
    const double e = exp(x);
    return e / (1 + e);
}

double ebm_log1pexp(double x) {
    if (x <= -37)
        return exp(x);
    if (x <= 18)
        return log1p(exp(x));
    if (x <= 33.3)
        return x + exp(-x);
    return x;
}

double ebm_logit(double p) {
    /* Near 1/2 the ratio's logarithm loses digits: p / (1 - p) = 1 + (2p - 1) / (1 - p). */
    if (p > 0.25 && p < 0.75)
        return log1p((2 * p - 1) / (1 - p));
    return log(p) - log1p(-p);
}

double ebm_logaddexp(double a, double b) {
    if (a == b) /* also both infinite, whose difference is NaN */
        return a + M_LN2;
    const double high = a > b ? a : b, low = a > b ? b : a;
    if (isnan(a) || isnan(b))
        return a + b;
    return high + log1p(exp(low - high));
}

double ebm_log_sum_exp(const double *x, size_t count) {
    double high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (isnan(x[i]))
            return x[i];
        if (x[i] > high)
            high = x[i];
    }
    if (isinf(high))
        return high;
    double sum = 0, correction = 0;
    for (size_t i = 0; i < count; i++) { /* Neumaier, with positive terms */
        const double term = exp(x[i] - high), total = sum + term;
        correction += sum >= term ? (sum - total) + term : (term - total) + sum;
        sum = total;
    }
    return high + log(sum + correction);
}

double ebm_log_mean_exp(const double *x, size_t count) {
    return count == 0 ? -INFINITY : ebm_log_sum_exp(x, count) - log((double)count);
}

double ebm_sum(const double *x, size_t count) {
    double sum = 0, correction = 0;
    for (size_t i = 0; i < count; i++) {
        const double total = sum + x[i];
        correction += fabs(sum) >= fabs(x[i]) ? (sum - total) + x[i] : (x[i] - total) + sum;
        sum = total;
    }
    return isfinite(sum) ? sum + correction : sum;
}

double ebm_mean(const double *x, size_t count) {
    return count == 0 ? NAN : ebm_sum(x, count) / (double)count;
}

double ebm_variance(const double *x, size_t count) {
    if (count < 2)
        return 0;
    /* Two passes, with the correction of Chan, Golub and LeVeque (1983) for the rounding of the mean. */
    const double mean = ebm_mean(x, count);
    double squares = 0, rest = 0;
    for (size_t i = 0; i < count; i++) {
        const double d = x[i] - mean;
        squares += d * d;
        rest += d;
    }
    const double variance = (squares - rest * rest / (double)count) / (double)(count - 1);
    return variance > 0 || isnan(variance) ? variance : 0;
}
