/* The generalised Pareto law fitted to the tail of importance weights.
 *
 * For excesses x_1 <= ... <= x_n and theta = -k / sigma the likelihood has k(theta) = mean of log(1 - theta x_i) at its
 * best, and the profile  l(theta) = n (log(-theta / k) - k - 1).  Zhang & Stephens (2009, "A new and efficient
 * estimation method for the generalized Pareto distribution", Technometrics 51) average theta over the profile
 * likelihood times a prior, at m = 30 + floor(sqrt(n)) points
 *   theta_j = 1 / x_n + (1 - sqrt(m / (j - 1/2))) / (3 q),   q the lower quartile.
 * Vehtari et al. (2024, "Pareto smoothed importance sampling", JMLR 25) apply it to weights, and shrink k towards
 * 1/2 as ten more observations there would: k <- (n k + 10/2) / (n + 10). */
#include "estimators/pareto_tail.h"

#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* mean of log(1 - theta x) */
static double shape_at(double theta, const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log1p(-theta * x[i]);
    return sum / (double)n;
}

/* x (n) ascending, the largest above 0; theta, likelihood (m) are scratch. */
static double fit(const double *x, size_t n, size_t m, double *theta, double *likelihood) {
    const double quartile = x[(n + 2) / 4 - 1];
    double best = 0;
    for (size_t j = 0; j < m; j++) {
        theta[j] = 1 / x[n - 1] + (1 - sqrt((double)m / ((double)j + 0.5))) / (3 * quartile);
        const double k = shape_at(theta[j], x, n);
        likelihood[j] = (double)n * (log(-theta[j] / k) - k - 1);
    }
    const double total = ebm_log_sum_exp(likelihood, m);
    for (size_t j = 0; j < m; j++)
        best += theta[j] * exp(likelihood[j] - total);
    return ((double)n * shape_at(best, x, n) + 5) / ((double)n + 10);
}

double ebm_pareto_tail(const double *log_weight, size_t count, ebm_work *work) {
    const double most = fmin((double)count / 5, 3 * sqrt((double)count));
    const size_t n = (size_t)most, m = 30 + (size_t)sqrt(most), mark = ebm_work_mark(work);
    double *sorted = ebm_work_take(work, count, sizeof *sorted), *scratch = ebm_work_take(work, 2 * m, sizeof *scratch);
    double k = NAN;
    if (!sorted || !scratch || n < 5)
        goto done;
    for (size_t i = 0; i < count; i++)
        sorted[i] = log_weight[i];
    qsort(sorted, count, sizeof *sorted, ascending);
    double *tail = sorted + count - n;
    const double largest = sorted[count - 1], threshold = exp(tail[-1] - largest);
    for (size_t i = 0; i < n; i++)
        tail[i] = exp(tail[i] - largest) - threshold;
    if (tail[(n + 2) / 4 - 1] > 0)
        k = fit(tail, n, m, scratch, scratch + m);
done:
    ebm_work_release(work, mark);
    return k;
}
