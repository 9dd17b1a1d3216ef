/* Exponential-family units (exponential_unit.h): normalisers, moments, draws. */
#include "models/exponential_unit.h"

#include "ebm/special.h"

#include <math.h>

static double uniform(const ebm_unit_draw *at) {
    return ebm_random_uniform1(at->stream, at->chain, at->step, at->index);
}

static double log_factorial(double k) {
    int sign;
    return lgamma_r(k + 1, &sign); /* lgamma would write a global */
}

/* binary */

static double binary_measure(size_t width, double variance, const ebm_real *x) {
    (void)width, (void)variance;
    return *x == 0 || *x == 1 ? 0 : -INFINITY;
}

static double binary_normaliser(const ebm_unit_law *law) {
    return ebm_log1pexp(law->beta * *law->eta);
}

static void binary_moments(const ebm_unit_law *law, double *mean, double *square) {
    *mean = *square = ebm_sigmoid(law->beta * *law->eta);
}

static void binary_draw(const ebm_unit_law *law, const ebm_unit_draw *at, ebm_real *x) {
    *x = uniform(at) < ebm_sigmoid(law->beta * *law->eta) ? 1 : 0;
}

static void binary_natural(size_t width, const double *mean, double variance, double *eta) {
    (void)width, (void)variance;
    *eta = ebm_logit(*mean);
}

/* poisson: at beta = 1 in closed form, else by summing w_k = (e^(eta k) / k!)^beta outwards from its largest term, at
 * k = floor(e^eta), in units of that term. */

static const double MOST_RATE = 0x1p24; /* counts above are not exact in a float */
static const double NEGLIGIBLE = 1e-22; /* of the largest term: the tails fall faster than geometrically */

typedef struct count_walk {
    double rate, beta, mode, up, down; /* the terms mode + k and mode - k, after k steps */
    double k;
} count_walk;

static count_walk walk_from_mode(const ebm_unit_law *law) {
    const double rate = exp(*law->eta);
    return (count_walk){rate, law->beta, floor(rate), 1, 1, 0};
}

static double tempered(const count_walk *w, double ratio) {
    return w->beta == 1 ? ratio : pow(ratio, w->beta);
}

/* False when what is left cannot be seen. */
static bool walk_on(count_walk *w) {
    w->k++;
    w->up *= tempered(w, w->rate / (w->mode + w->k));
    w->down = w->k <= w->mode ? w->down * tempered(w, (w->mode - w->k + 1) / w->rate) : 0;
    return w->k < MOST_RATE && (w->up > NEGLIGIBLE || w->down > NEGLIGIBLE);
}

/* sums = sum_k (k - mode)^n w_k, n = 0, 1, 2; NaN where there are too many terms. */
static void sum_counts(const ebm_unit_law *law, double *mode, double sums[3]) {
    count_walk w = walk_from_mode(law);
    *mode = w.mode;
    sums[0] = 1, sums[1] = sums[2] = 0;
    if (!(w.rate <= MOST_RATE))
        sums[0] = NAN;
    while (sums[0] == sums[0] && walk_on(&w)) {
        sums[0] += w.up + w.down;
        sums[1] += w.k * (w.up - w.down);
        sums[2] += w.k * w.k * (w.up + w.down);
    }
    if (!(w.k < MOST_RATE))
        sums[0] = NAN;
}

/* log(e^(eta k) / k!) */
static double log_term(double eta, double k) {
    return (k > 0 ? eta * k : 0) - log_factorial(k);
}

static double poisson_measure(size_t width, double variance, const ebm_real *x) {
    const double count = (double)*x;
    (void)width, (void)variance;
    return count >= 0 && count == floor(count) && isfinite(count) ? -log_factorial(count) : -INFINITY;
}

static double poisson_normaliser(const ebm_unit_law *law) {
    double mode, sums[3];
    if (law->beta == 1)
        return exp(*law->eta);
    sum_counts(law, &mode, sums);
    return log(sums[0]) + law->beta * log_term(*law->eta, mode);
}

static void poisson_moments(const ebm_unit_law *law, double *mean, double *square) {
    double mode, sums[3];
    if (law->beta == 1) {
        *mean = exp(*law->eta);
        *square = *mean + *mean * *mean;
        return;
    }
    sum_counts(law, &mode, sums);
    const double shift = sums[1] / sums[0];
    *mean = mode + shift;
    *square = sums[2] / sums[0] + mode * (mode + 2 * shift);
}

/* Inversion, the largest terms first: about as many steps as 1.6 standard deviations. */
static void poisson_draw(const ebm_unit_law *law, const ebm_unit_draw *at, ebm_real *x) {
    count_walk w = walk_from_mode(law);
    double sums[3], count = w.mode;
    if (!(w.rate <= MOST_RATE)) {
        *x = (ebm_real)NAN;
        return;
    }
    if (law->beta == 1)
        sums[0] = exp(w.rate - log_term(*law->eta, w.mode));
    else
        sum_counts(law, &count, sums);
    double left = uniform(at) * sums[0] - 1;
    while (left >= 0 && walk_on(&w)) {
        count = w.mode + w.k;
        left -= w.up;
        if (left >= 0) {
            count = w.mode - w.k;
            left -= w.down;
        }
    }
    *x = left != left ? (ebm_real)NAN : (ebm_real)(left >= 0 ? w.mode : count);
}

static void poisson_natural(size_t width, const double *mean, double variance, double *eta) {
    (void)width, (void)variance;
    *eta = log(*mean);
}

/* categorical */

static double categorical_measure(size_t width, double variance, const ebm_real *x) {
    size_t ones = 0, zeros = 0;
    (void)variance;
    for (size_t k = 0; k < width; k++) {
        ones += x[k] == 1;
        zeros += x[k] == 0;
    }
    return ones == 1 && zeros == width - 1 ? 0 : -INFINITY;
}

static double largest(const ebm_unit_law *law) {
    double most = law->eta[0];
    for (size_t k = 1; k < law->width; k++)
        most = fmax(most, law->eta[k]);
    return most;
}

static double categorical_normaliser(const ebm_unit_law *law) {
    const double most = largest(law);
    double sum = 0;
    for (size_t k = 0; k < law->width; k++)
        sum += exp(law->beta * (law->eta[k] - most));
    return law->beta * most + log(sum);
}

static void categorical_moments(const ebm_unit_law *law, double *mean, double *square) {
    const double total = categorical_normaliser(law);
    for (size_t k = 0; k < law->width; k++)
        mean[k] = square[k] = exp(law->beta * law->eta[k] - total);
}

static void categorical_draw(const ebm_unit_law *law, const ebm_unit_draw *at, ebm_real *x) {
    const double total = categorical_normaliser(law);
    double left = uniform(at);
    size_t chosen = 0;
    while (chosen + 1 < law->width && (left -= exp(law->beta * law->eta[chosen] - total)) >= 0)
        chosen++;
    for (size_t k = 0; k < law->width; k++)
        x[k] = total != total ? (ebm_real)NAN : k == chosen;
}

static void categorical_natural(size_t width, const double *mean, double variance, double *eta) {
    (void)variance;
    for (size_t k = 0; k < width; k++)
        eta[k] = log(mean[k]);
}

/* truncated-exponential. E[x] - 1/2 = coth(eta / 2) / 2 - 1 / eta is odd in eta, Var[x] its derivative, even; both by
 * Bernoulli's series sum_n B_2n eta^(2n-1) / (2n)! near 0, where their terms cancel: five terms leave 1e-15 at 1/4. */

static const double SERIES_UP_TO = 0.25;

static double truncated_measure(size_t width, double variance, const ebm_real *x) {
    (void)width, (void)variance;
    return *x >= 0 && *x <= 1 ? 0 : -INFINITY;
}

/* log((e^a - 1) / a) = max(a, 0) + log((1 - e^-|a|) / |a|) */
static double truncated_normaliser(const ebm_unit_law *law) {
    const double a = law->beta * *law->eta, size = fabs(a);
    return size < 1e-5 ? a / 2 + a * a / 24 : fmax(a, 0) + log(-expm1(-size) / size);
}

static double truncated_mean(double a) {
    const double s = a * a;
    if (fabs(a) < SERIES_UP_TO)
        return 0.5 + a * (1.0 / 12 - s * (1.0 / 720 - s * (1.0 / 30240 - s * (1.0 / 1209600 - s / 47900160))));
    return -1 / expm1(-a) - 1 / a;
}

static double truncated_variance(double a) {
    const double s = a * a;
    if (fabs(a) < SERIES_UP_TO)
        return 1.0 / 12 - s * (1.0 / 240 - s * (1.0 / 6048 - s * (1.0 / 172800 - s / 5322240)));
    const double decay = exp(-fabs(a)); /* 1 / (4 sinh^2(a / 2)) = e^-|a| / (1 - e^-|a|)^2 */
    return 1 / s - decay / ((1 - decay) * (1 - decay));
}

static void truncated_moments(const ebm_unit_law *law, double *mean, double *square) {
    const double a = law->beta * *law->eta;
    *mean = truncated_mean(a);
    *square = truncated_variance(a) + *mean * *mean;
}

/* By inversion: log(1 + u (e^a - 1)) / a for a < 0; 1 - x has the law of -a. */
static void truncated_draw(const ebm_unit_law *law, const ebm_unit_draw *at, ebm_real *x) {
    const double a = law->beta * *law->eta, size = fabs(a), u = uniform(at);
    const double fall = size > 0 ? -log1p(u * expm1(-size)) / size : u;
    *x = (ebm_real)(a > 0 ? 1 - fall : fall);
}

static double truncated_cdf(const ebm_unit_law *law, double t) {
    const double a = law->beta * *law->eta;
    if (t <= 0 || t >= 1)
        return t >= 1;
    if (fabs(a) < 1e-12)
        return t;
    return a < 0 ? expm1(a * t) / expm1(a) : exp(a * (t - 1)) * expm1(-a * t) / expm1(-a);
}

/* Newton's steps on a mean that rises with a, kept inside a bracket; |a| stays below 1e6. */
static void truncated_natural(size_t width, const double *mean, double variance, double *eta) {
    double low = -1e6, high = 1e6, a = 0;
    (void)width, (void)variance;
    for (int step = 0; step < 200; step++) {
        const double off = truncated_mean(a) - *mean;
        *(off > 0 ? &high : &low) = a;
        const double next = a - off / truncated_variance(a), kept = next > low && next < high ? next : (low + high) / 2;
        if (fabs(kept - a) <= 1e-14 * (1 + fabs(a)))
            break;
        a = kept;
    }
    *eta = a;
}

/* gaussian: variance sigma^2 / beta about sigma^2 eta */

static double gaussian_measure(size_t width, double variance, const ebm_real *x) {
    (void)width;
    return isfinite(*x) ? -(double)*x * (double)*x / (2 * variance) : -INFINITY;
}

static double gaussian_normaliser(const ebm_unit_law *law) {
    const double eta = *law->eta;
    return 0.5 * (law->beta * law->variance * eta * eta + log(2 * M_PI * law->variance / law->beta));
}

static void gaussian_moments(const ebm_unit_law *law, double *mean, double *square) {
    *mean = law->variance * *law->eta;
    *square = law->variance / law->beta + *mean * *mean;
}

static void gaussian_draw(const ebm_unit_law *law, const ebm_unit_draw *at, ebm_real *x) {
    *x = (ebm_real)(law->variance * *law->eta +
                    sqrt(law->variance / law->beta) * ebm_random_normal1(at->stream, at->chain, at->step, at->index));
}

static double gaussian_cdf(const ebm_unit_law *law, double t) {
    return ebm_normal_cdf((t - law->variance * *law->eta) / sqrt(law->variance / law->beta));
}

static void gaussian_natural(size_t width, const double *mean, double variance, double *eta) {
    (void)width;
    *eta = *mean / variance;
}

static const ebm_unit_kind kinds[] = {
    {"binary", false, false, false, binary_measure, binary_normaliser, binary_moments, binary_draw, NULL,
     binary_natural, 0.5},
    {"poisson", false, false, false, poisson_measure, poisson_normaliser, poisson_moments, poisson_draw, NULL,
     poisson_natural, 1},
    {"categorical", true, false, false, categorical_measure, categorical_normaliser, categorical_moments,
     categorical_draw, NULL, categorical_natural, 0},
    {"truncated-exponential", false, true, false, truncated_measure, truncated_normaliser, truncated_moments,
     truncated_draw, truncated_cdf, truncated_natural, 0.5},
    {"gaussian", false, true, true, gaussian_measure, gaussian_normaliser, gaussian_moments, gaussian_draw,
     gaussian_cdf, gaussian_natural, 0},
};

const ebm_unit_kind *ebm_unit_kind_at(size_t i) {
    return i < sizeof kinds / sizeof *kinds ? &kinds[i] : NULL;
}
