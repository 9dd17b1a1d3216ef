/* Autocorrelations of chains in equilibrium and their integral, with Sokal's self-consistent window.
 *
 *   tau(M) = 1 + 2 sum_(t=1)^M rho_t,   M the smallest with M >= c tau(M)        (Sokal 1997, section 3)
 *   var(tau) ~ 2 (2 M + 1) / N tau^2                                             (Madras & Sokal 1988, appendix C)
 * or what the spread between the chains says, where it says more.
 * The sums are over all chains about one mean: chains that have not met show as a long memory, which is what they are.
 * The divisor draws - t (not draws) keeps rho_t unbiased but for the mean's own error. */
#include "traces.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* One thread's scratch. */
typedef struct scratch {
    double *series;
    ebm_autocovariance autocovariance;
} scratch;

static bool take_scratch(const ebm_traces *traces, const ebm_transform *transform, scratch *out, ebm_work *work) {
    ebm_autocovariance *a = &out->autocovariance;
    *a = (ebm_autocovariance){.transform = transform, .series = traces->chains, .length = traces->draws};
    out->series = ebm_work_take(work, traces->chains * traces->draws, sizeof *out->series);
    a->sum = ebm_work_take(work, traces->draws, sizeof *a->sum);
    a->buffer = ebm_work_take(work, ebm_autocovariance_buffer(traces->draws), sizeof *a->buffer);
    return out->series && a->sum && a->buffer;
}

/* The centred trace; its mean, or false where it is not finite or constant. */
static bool centre(const double *x, size_t total, scratch *s, double *mean) {
    double sum = 0, low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < total; i++) {
        if (!isfinite(x[i]))
            return false;
        sum += x[i];
        low = fmin(low, x[i]);
        high = fmax(high, x[i]);
    }
    *mean = sum / (double)total;
    if (high - low < DBL_EPSILON)
        return false;
    double correction = 0;
    for (size_t i = 0; i < total; i++)
        correction += x[i] - *mean;
    *mean += correction / (double)total;
    for (size_t i = 0; i < total; i++)
        s->series[i] = x[i] - *mean;
    s->autocovariance.known = 0;
    s->autocovariance.dense = s->series;
    return true;
}

/* gamma_t */
static double autocovariance_of(ebm_autocovariance *a, size_t t) {
    return ebm_autocovariance_sum(a, t) / ((double)a->series * (double)(a->length - t));
}

/* From ten chains on their spread has a say (diagnostics.h). */
enum { CHAINS_TO_SPREAD = 10 };

/* A_b and V_b of one centred chain. */
static void window_sums(const double *x, size_t length, size_t window, double *inside, double *square) {
    double around = 0;
    *inside = *square = 0;
    for (size_t i = 0; i < window && i < length; i++)
        around += x[i];
    for (size_t i = 0; i < length; i++) {
        if (i + window < length)
            around += x[i + window];
        if (i > window)
            around -= x[i - window - 1];
        *inside += x[i] * around;
        *square += x[i] * x[i];
    }
}

/* False where too few chains carry the variance for the spread to be known. */
static bool spread_between_chains(const double *x, size_t chains, size_t length, size_t window, double *se) {
    double inside, square, insides = 0, squares = 0, fourths = 0, sum = 0;
    for (size_t b = 0; b < chains; b++) {
        window_sums(x + b * length, length, window, &inside, &square);
        insides += inside;
        squares += square;
        fourths += square * square;
    }
    for (size_t b = 0; b < chains; b++) {
        window_sums(x + b * length, length, window, &inside, &square);
        const double residual = inside - insides / squares * square;
        sum += residual * residual;
    }
    *se = sqrt((double)chains / (double)(chains - 1) * sum) / squares;
    return 3 * squares * squares >= (double)chains * fourths;
}

static void integrate(const double *x, size_t total, double c, scratch *s, ebm_autocorrelation_time *out) {
    *out = (ebm_autocorrelation_time){NAN, NAN, 0, NAN, NAN};
    double mean;
    if (!centre(x, total, s, &mean))
        return;
    out->mean = mean;
    ebm_autocovariance *a = &s->autocovariance;
    const double variance = autocovariance_of(a, 0);
    double tau = 1;
    size_t M = 0;
    while ((double)M < c * tau) {
        if (++M >= a->length)
            return;
        tau += 2 * autocovariance_of(a, M) / variance;
    }
    double spread = 0;
    if (!(tau > 0) ||
        (a->series >= CHAINS_TO_SPREAD && !spread_between_chains(s->series, a->series, a->length, M, &spread)))
        return;
    out->tau = tau;
    out->window = M;
    out->se = fmax(spread, tau * sqrt(2 * (2 * (double)M + 1) / (double)total));
    out->mean_se = sqrt(variance * tau / (double)total);
}

static void correlate(const double *x, size_t total, size_t lags, scratch *s, double *out) {
    double mean;
    const bool defined = centre(x, total, s, &mean);
    const double variance = defined ? autocovariance_of(&s->autocovariance, 0) : NAN;
    for (size_t t = 0; t <= lags; t++)
        out[t] = defined ? autocovariance_of(&s->autocovariance, t) / variance : NAN;
}

/* Either times or correlations (lags + 1 a variable), over all variables; the other is NULL. */
static ebm_status over_variables(const ebm_traces *traces, double c, size_t lags, ebm_autocorrelation_time *times,
                                 double *correlations, ebm_work *work, ebm_error *error) {
    size_t total, threads = (size_t)ebm_work_threads(work);
    EBM_TRY(ebm_traces_check(traces, &total, error));
    const size_t mark = ebm_work_mark(work);
    threads = threads < traces->variables ? threads : traces->variables;
    ebm_transform transform;
    scratch *each = ebm_work_take(work, threads, sizeof *each);
    bool enough = each && ebm_transform_take(&transform, traces->draws, work);
    for (size_t thread = 0; thread < threads && enough; thread++)
        enough = take_scratch(traces, &transform, &each[thread], work);
    if (!enough) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the autocovariances of %zu draws in %zu threads", total,
                        threads);
    }
#pragma omp parallel for schedule(static, 1) num_threads((int)threads) if (threads > 1)
    for (size_t thread = 0; thread < threads; thread++)
        for (size_t v = thread; v < traces->variables; v += threads) {
            const double *x = traces->values + v * total;
            if (times)
                integrate(x, total, c, &each[thread], &times[v]);
            else
                correlate(x, total, lags, &each[thread], correlations + v * (lags + 1));
        }
    ebm_work_release(work, mark);
    return EBM_OK;
}

ebm_status ebm_traces_autocorrelation_time(const ebm_traces *traces, double window_constant,
                                           ebm_autocorrelation_time *out, ebm_work *work, ebm_error *error) {
    if (!(window_constant > 0) || !isfinite(window_constant))
        return ebm_fail(error, EBM_INVALID, "the window's constant is %g, expected a positive number", window_constant);
    return over_variables(traces, window_constant, 0, out, NULL, work, error);
}

ebm_status ebm_traces_autocorrelation(const ebm_traces *traces, size_t lags, double *out, ebm_work *work,
                                      ebm_error *error) {
    if (traces->draws > 0 && lags >= traces->draws)
        return ebm_fail(error, EBM_INVALID, "autocorrelations up to lag %zu of %zu draws", lags, traces->draws);
    return over_variables(traces, 1, lags, NULL, out, work, error);
}
