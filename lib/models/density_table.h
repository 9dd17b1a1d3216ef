/* One real variable with a density known up to a constant: its normaliser, means, distribution function and quantiles.
 *
 * The line is cut into equal panels, on each of which the density is integrated by Gauss-Legendre quadrature with 8
 * nodes, exact for polynomials of degree 15: panels that are short beside the density's features leave rounding alone.
 * Internal to the models. */
#ifndef EBM_DENSITY_TABLE_H
#define EBM_DENSITY_TABLE_H

#include <stddef.h>

typedef double ebm_log_density(double x, const void *context);

typedef struct ebm_density_table {
    ebm_log_density *log_density;
    const void *context; /* borrowed */
    double from, width;  /* panel k is from + width [k, k + 1] */
    size_t panels;
    double *cumulative; /* (panels + 1) probabilities left of each boundary: 0 ... 1. Borrowed */
    double log_total;   /* log of the integral of exp(log_density) */
} ebm_density_table;

/* Integrate over [from, to], outside of which nothing is; `cumulative` (panels + 1) is the caller's memory, in use for
 * as long as the table. log_total is not finite where the integral is not. */
void ebm_density_tabulate(ebm_density_table *table, double from, double to, size_t panels, ebm_log_density *log_density,
                          const void *context, double *cumulative);
/* E[f(x)], f with a context of its own. */
double ebm_density_mean(const ebm_density_table *table, double (*f)(double x, const void *context),
                        const void *context);
/* The quadrature itself: E[f(x)] = sum_k mass_k f(x_k) over EBM_DENSITY_NODES nodes a panel, in ascending order. */
enum { EBM_DENSITY_NODES = 8 };
void ebm_density_nodes(const ebm_density_table *table, double *x, double *mass);
/* P(x <= t). */
double ebm_density_cdf(const ebm_density_table *table, double t);
/* The x with P(x <= .) = u, 0 < u < 1: bisection guarded Newton steps within one panel, to rounding. */
double ebm_density_quantile(const ebm_density_table *table, double u);

#endif
