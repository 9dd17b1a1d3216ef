/* Tail probabilities and quantiles of Student's t and the normal distribution, for tests with an error bar. Internal to
 * the harness. */
#ifndef EBM_QUANTILE_H
#define EBM_QUANTILE_H

/* P(|T| > t) for Student's t with `freedom` > 0 degrees of freedom (INFINITY: normal), t >= 0. Relative
 * error below 1e-8 up to a million degrees of freedom. */
double ebm_student_tail(double t, double freedom);
/* The t with P(|T| > t) = `probability`, 0 < probability < 1. */
double ebm_student_quantile(double probability, double freedom);

#endif
