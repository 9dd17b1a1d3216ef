/* Arithmetic on values with standard errors: what the operations of `derive` compute. */
#include "harness/rows.h"

#include <math.h>

static ebm_estimate mean_and_error(size_t count, double mean, double sum_of_squares, double own_se) {
    ebm_estimate out = {mean, own_se};
    if (count > 1)
        out.se = sqrt(sum_of_squares / (double)(count - 1) / (double)count);
    return out;
}

ebm_estimate ebm_mean_estimate(size_t count, const ebm_estimate *items) {
    if (count == 0)
        return (ebm_estimate){NAN, NAN};
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        mean += items[i].value / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (items[i].value - mean) * (items[i].value - mean);
    return mean_and_error(count, mean, squares, items[0].se);
}

ebm_estimate ebm_paired_difference(size_t count, const ebm_estimate *a, const ebm_estimate *b) {
    if (count == 0)
        return (ebm_estimate){NAN, NAN};
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        mean += (a[i].value - b[i].value) / (double)count;
    for (size_t i = 0; i < count; i++) {
        double off = a[i].value - b[i].value - mean;
        squares += off * off;
    }
    return mean_and_error(count, mean, squares, hypot(a[0].se, b[0].se));
}

ebm_estimate ebm_paired_ratio(size_t count, const ebm_estimate *a, const ebm_estimate *b) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        if (b[i].value == 0)
            return (ebm_estimate){NAN, NAN};
        mean += a[i].value / b[i].value / (double)count;
    }
    if (count == 0)
        return (ebm_estimate){NAN, NAN};
    for (size_t i = 0; i < count; i++) {
        double off = a[i].value / b[i].value - mean;
        squares += off * off;
    }
    double own_se = hypot(a[0].se / b[0].value, a[0].value * b[0].se / (b[0].value * b[0].value));
    return mean_and_error(count, mean, squares, own_se);
}

ebm_estimate ebm_loglog_slope(size_t count, const double *x, const ebm_estimate *y) {
    const ebm_estimate none = {NAN, NAN};
    double mean_x = 0, mean_y = 0, sxx = 0, sxy = 0, residual = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(x[i] > 0) || !(y[i].value > 0))
            return none;
        mean_x += log(x[i]) / (double)count;
        mean_y += log(y[i].value) / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        double dx = log(x[i]) - mean_x;
        sxx += dx * dx;
        sxy += dx * (log(y[i].value) - mean_y);
    }
    /* All x the same: what is left of sxx is rounding of the mean. */
    double rounding = 1e-12 * (1 + mean_x * mean_x);
    if (count < 2 || !(sxx > rounding))
        return none;
    double slope = sxy / sxx;
    for (size_t i = 0; i < count; i++) {
        double off = log(y[i].value) - mean_y - slope * (log(x[i]) - mean_x);
        residual += off * off;
    }
    ebm_estimate out = {slope, count > 2 ? sqrt(residual / (double)(count - 2) / sxx) : NAN};
    return out;
}

ebm_estimate ebm_first_crossing(size_t count, const double *x, const ebm_estimate *y, double level) {
    for (size_t i = 0; i < count; i++) {
        if (y[i].value == level && (i + 1 == count || y[i + 1].value == level))
            return (ebm_estimate){x[i], NAN}; /* it touches, or stays: no slope to carry an error */
        if (i + 1 == count)
            break;
        double rise = y[i + 1].value - y[i].value, width = x[i + 1] - x[i];
        double part = (level - y[i].value) / rise;
        if (rise == 0 || part < 0 || part > 1)
            continue;
        double se = fabs(width / rise) * hypot((1 - part) * y[i].se, part * y[i + 1].se);
        return (ebm_estimate){x[i] + part * width, se};
    }
    return (ebm_estimate){NAN, NAN};
}

ebm_estimate ebm_geometric_mean(size_t count, const double *x) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(x[i] > 0))
            return (ebm_estimate){NAN, NAN};
        mean += log(x[i]) / (double)count;
    }
    for (size_t i = 0; i < count; i++)
        squares += (log(x[i]) - mean) * (log(x[i]) - mean);
    const ebm_estimate logarithm = mean_and_error(count, mean, squares, NAN);
    return count ? (ebm_estimate){exp(mean), exp(mean) * logarithm.se} : (ebm_estimate){NAN, NAN};
}

ebm_estimate ebm_difference(ebm_estimate a, ebm_estimate b) {
    const double se = isfinite(b.se) ? (isfinite(a.se) ? hypot(a.se, b.se) : b.se) : a.se;
    return (ebm_estimate){a.value - b.value, se};
}

ebm_estimate ebm_z_value(ebm_estimate a, ebm_estimate exact) {
    double se = isfinite(exact.se) ? hypot(a.se, exact.se) : a.se;
    if (a.value == exact.value)
        return (ebm_estimate){0, 1};
    if (!(se > 0) || !isfinite(se))
        return (ebm_estimate){NAN, NAN};
    return (ebm_estimate){(a.value - exact.value) / se, 1};
}
