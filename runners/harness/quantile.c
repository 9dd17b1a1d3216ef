/* Student's t: P(|T| > t) = I_{v / (v + t^2)}(v / 2, 1 / 2), with I the regularised incomplete beta function by its
 * continued fraction (DLMF 8.17.22) and the modified Lentz algorithm; normal: erfc(t / sqrt 2). Quantiles by bisection
 * of the logarithm of t, which keeps full relative precision far out in the tails. */
#include "harness/quantile.h"

#include <assert.h>
#include <math.h>

/* The continued fraction of I_x(a, b), for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double x, double a, double b) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double fraction = d;
    for (int m = 1; m <= 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double terms[2] = {even, odd}, change = 1;
        for (int i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            c = 1 + terms[i] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            change = c * d;
            fraction *= change;
        }
        if (fabs(change - 1) < 1e-15)
            break;
    }
    return fraction;
}

/* I_x(a, b), with y = 1 - x given apart so that neither end loses digits. */
static double incomplete_beta(double x, double y, double a, double b) {
    if (x <= 0)
        return 0;
    if (y <= 0)
        return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(y, b, a) / b;
}

double ebm_student_tail(double t, double freedom) {
    assert(t >= 0 && freedom > 0);
    if (isinf(t))
        return 0;
    if (isinf(freedom))
        return erfc(t / sqrt(2));
    double x = freedom / (freedom + t * t), y = t * t / (freedom + t * t);
    return incomplete_beta(x, y, freedom / 2, 0.5);
}

double ebm_student_quantile(double probability, double freedom) {
    assert(probability > 0 && probability < 1);
    double low = -700, high = 700; /* of log t */
    for (int i = 0; i < 200; i++) {
        double middle = 0.5 * (low + high);
        if (ebm_student_tail(exp(middle), freedom) > probability)
            low = middle;
        else
            high = middle;
    }
    return exp(0.5 * (low + high));
}
