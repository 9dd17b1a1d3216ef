#include "models/density_table.h"

#include <math.h>

enum { NODES = 4 }; /* a side */
static const double node[NODES] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363};
static const double weight[NODES] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763};

/* Integral over [from, to] of f(x) exp(log_density(x) - shift); f NULL: 1. */
static double integral(const ebm_density_table *table, double from, double to, double shift,
                       double (*f)(double x, const void *context), const void *context) {
    const double middle = 0.5 * (from + to), half = 0.5 * (to - from);
    double sum = 0;
    for (int k = 0; k < NODES; k++)
        for (int side = -1; side <= 1; side += 2) {
            const double x = middle + side * half * node[k], log_density = table->log_density(x, table->context);
            if (log_density > -INFINITY)
                sum += weight[k] * exp(log_density - shift) * (f ? f(x, context) : 1);
        }
    return half * sum;
}

static double boundary(const ebm_density_table *table, size_t k) {
    return table->from + (double)k * table->width;
}

void ebm_density_tabulate(ebm_density_table *table, double from, double to, size_t panels, ebm_log_density *log_density,
                          const void *context, double *cumulative) {
    double highest = -INFINITY, sum = 0;
    *table = (ebm_density_table){log_density, context, from, (to - from) / (double)panels, panels, cumulative, 0};
    for (size_t k = 0; k <= panels; k++)
        highest = fmax(highest, log_density(boundary(table, k), context));
    cumulative[0] = 0;
    for (size_t k = 0; k < panels; k++) {
        sum += integral(table, boundary(table, k), boundary(table, k + 1), highest, NULL, NULL);
        cumulative[k + 1] = sum;
    }
    for (size_t k = 1; k <= panels; k++)
        cumulative[k] /= sum;
    table->log_total = highest + log(sum);
}

double ebm_density_mean(const ebm_density_table *table, double (*f)(double x, const void *context),
                        const void *context) {
    double sum = 0;
    for (size_t k = 0; k < table->panels; k++)
        sum += integral(table, boundary(table, k), boundary(table, k + 1), table->log_total, f, context);
    return sum;
}

void ebm_density_nodes(const ebm_density_table *table, double *x, double *mass) {
    const double half = 0.5 * table->width;
    for (size_t k = 0; k < table->panels; k++)
        for (int j = 0; j < EBM_DENSITY_NODES; j++, x++, mass++) {
            const int at = j < NODES ? NODES - 1 - j : j - NODES;
            *x = boundary(table, k) + half * (1 + (j < NODES ? -node[at] : node[at]));
            *mass = half * weight[at] * exp(table->log_density(*x, table->context) - table->log_total);
        }
}

double ebm_density_cdf(const ebm_density_table *table, double t) {
    const double at = (t - table->from) / table->width;
    if (!(at > 0))
        return isnan(t) ? t : 0;
    if (at >= (double)table->panels)
        return 1;
    const size_t k = (size_t)at;
    const double left = table->cumulative[k] + integral(table, boundary(table, k), t, table->log_total, NULL, NULL);
    return fmin(left, 1);
}

double ebm_density_quantile(const ebm_density_table *table, double u) {
    size_t low = 0, high = table->panels; /* cumulative[low] <= u < cumulative[high], but at the ends */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (table->cumulative[middle] <= u)
            low = middle;
        else
            high = middle;
    }
    double from = boundary(table, low), to = boundary(table, high), x = 0.5 * (from + to);
    const double start = from;
    for (int step = 0; step < 100 && to > from; step++) {
        const double excess = table->cumulative[low] + integral(table, start, x, table->log_total, NULL, NULL) - u;
        if (excess > 0)
            to = x;
        else
            from = x;
        const double slope = exp(table->log_density(x, table->context) - table->log_total);
        const double move = excess / slope;
        if (fabs(move) <= 1e-8 * table->width) /* what is left is of the order of its square */
            return x - move;
        double next = x - move;
        if (!(next > from && next < to)) /* also where the slope is 0 */
            next = 0.5 * (from + to);
        x = next;
    }
    return x;
}
