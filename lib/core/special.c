/* Special functions and reductions in double.
 *
 * log(1 + e^x) follows M. Maechler, "Accurately computing log(1 - exp(-|a|))" (2012): the cheapest form that is exact
 * to rounding on each range. log sum exp subtracts the maximum, so that the largest term is 1 and nothing overflows.
 * The incomplete beta function is its continued fraction (DLMF 8.17.22) by the modified Lentz method (Thompson & Barnett
 * 1986); the digamma function goes up by psi(x) = psi(x + 1) - 1 / x to its asymptotic series (DLMF 5.11.2).
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

double ebm_normal_cdf(double x) {
    return 0.5 * erfc(-x * M_SQRT1_2);
}

/* I_x(a, b) by its continued fraction, which converges fast for x < (a + 1) / (a + b + 2). */
static double incomplete_beta_fraction(double a, double b, double x, double complement) {
    const double tiny = 1e-300;
    int sign;
    const double front =
        exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) + a * log(x) + b * log(complement)) / a;
    double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), fraction = d;
    for (int k = 1; k < 100000; k++) {
        const double even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k));
        const double odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
        d = 1 / fmax(1 + even * d, tiny), c = fmax(1 + even / c, tiny), fraction *= c * d;
        d = 1 / fmax(1 + odd * d, tiny), c = fmax(1 + odd / c, tiny), fraction *= c * d;
        if (fabs(c * d - 1) < 1e-16)
            break;
    }
    return front * fraction;
}

/* P(T > |t|) = I_v(degrees / 2, 1 / 2) / 2 with v = degrees / (degrees + t^2) */
double ebm_student_cdf(double t, double degrees) {
    if (isnan(t) || isinf(t))
        return isnan(t) ? t : t > 0;
    const double a = 0.5 * degrees, square = t * t, v = degrees / (degrees + square), u = square / (degrees + square);
    double tail = 0;
    if (v < (a + 1) / (a + 2.5) && v > 0)
        tail = 0.5 * incomplete_beta_fraction(a, 0.5, v, u);
    else if (v > 0)
        tail = u > 0 ? 0.5 * (1 - incomplete_beta_fraction(0.5, a, u, v)) : 0.5;
    return t > 0 ? 1 - tail : tail;
}

double ebm_digamma(double x) {
    double rest = 0;
    for (; x < 10; x++)
        rest -= 1 / x;
    const double y = 1 / (x * x);
    return rest + log(x) - 0.5 / x -
           y * (1. / 12 - y * (1. / 120 - y * (1. / 252 - y * (1. / 240 - y * (1. / 132 - y * (691. / 32760))))));
}
