/* Special functions, stable over the whole range of their arguments, and double-precision reductions in a fixed order.
 */
#ifndef EBM_SPECIAL_H
#define EBM_SPECIAL_H

#include <stddef.h>

double ebm_sigmoid(double x);  /* 1 / (1 + e^-x) */
double ebm_log1pexp(double x); /* log(1 + e^x), "softplus" (Maechler 2012) */
double ebm_logit(double p);    /* log(p / (1 - p)) */
double ebm_logaddexp(double a, double b);
/* log sum_i e^(x_i); -inf for count = 0 or all -inf; +inf if any is +inf; NaN if any is NaN. */
double ebm_log_sum_exp(const double *x, size_t count);
/* log of the mean of e^(x_i) */
double ebm_log_mean_exp(const double *x, size_t count);
/* Compensated (Neumaier) sum and mean; sample variance with divisor count - 1 (0 for count < 2). */
double ebm_sum(const double *x, size_t count);
double ebm_mean(const double *x, size_t count);
double ebm_variance(const double *x, size_t count);
/* Standard normal and Student-t (degrees > 0) distribution functions, to rounding in both tails' own scale below 1/2. */
double ebm_normal_cdf(double x);
double ebm_student_cdf(double t, double degrees);
/* d log Gamma(x) / dx, x > 0 */
double ebm_digamma(double x);

#endif
