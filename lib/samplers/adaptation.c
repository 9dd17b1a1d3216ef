/* Warm-up of samplers on real spaces (see adaptation.h).
 *
 * Dual averaging. With H_m = the running mean of target - acceptance, step number m since the last restart tries
 *   log eps_(m+1) = mu - sqrt(m) / gamma H_m,   mu = log(10 eps_1),
 * and the average is log avg_m = m^-kappa log eps_(m+1) + (1 - m^-kappa) log avg_(m-1). Past the last window only the step
 * is adapted, so that the average belongs to the scales that stay.
 *
 * Scales. The variance over all chains and the steps of a window, its logarithm drawn towards the units' mean
 * logarithm as by PRIOR observations: what the units' common scale is does not matter, and neither do variances that
 * differ by orders of magnitude, which arithmetic means would spoil. */
#include "samplers/adaptation.h"

#include <math.h>
#include <string.h>

enum { FIRST = 75, WINDOW = 25, LAST = 50, SHORTEST = 20, PRIOR = 5 };

typedef struct header {
    uint64_t units;
    uint64_t done, total;     /* transitions of warm-up so far, in all (0: not known) */
    uint64_t window, closing; /* length of the present window, the transition that ends it */
    double step, log_average, anchor, shortfall;
    uint64_t tried; /* steps since the last restart */
    double seen;    /* states in the window */
} header;

/* Behind the header: mean (units), squares (units) of the window in double, scale (units). */
static size_t header_bytes(void) {
    return (sizeof(header) + 63) / 64 * 64;
}

static double *window_mean(const void *memory) {
    return (double *)((char *)memory + header_bytes());
}

static double *window_squares(const void *memory) {
    return window_mean(memory) + ((const header *)memory)->units;
}

static ebm_real *scales_of(const void *memory) {
    return (ebm_real *)(window_squares(memory) + ((const header *)memory)->units);
}

size_t ebm_adaptation_bytes(size_t units) {
    return (header_bytes() + units * (2 * sizeof(double) + sizeof(ebm_real)) + 63) / 64 * 64;
}

static void open_window(void *memory) {
    header *h = memory;
    h->seen = 0;
    memset(window_mean(memory), 0, 2 * (size_t)h->units * sizeof(double));
}

static void restart_step(header *h, double step) {
    h->step = step;
    h->log_average = log(step);
    h->anchor = log(10 * step);
    h->shortfall = 0;
    h->tried = 0;
}

void ebm_adaptation_start(void *memory, size_t units, double step) {
    header *h = memory;
    memset(h, 0, sizeof *h);
    h->units = units;
    h->window = WINDOW;
    restart_step(h, step);
    open_window(memory);
    for (size_t i = 0; i < units; i++)
        scales_of(memory)[i] = 1;
}

double ebm_adaptation_step(const void *memory, bool adapting) {
    const header *h = memory;
    return adapting ? h->step : exp(h->log_average);
}

const ebm_real *ebm_adaptation_scale(const void *memory) {
    return scales_of(memory);
}

static void average_step(header *h, double acceptance, double target) {
    const double gamma = 0.05, delay = 10, kappa = 0.75, widest = 1e9;
    const double m = (double)++h->tried, share = 1 / (m + delay), weight = pow(m, -kappa);
    h->shortfall = (1 - share) * h->shortfall + share * (target - acceptance);
    const double log_step = h->anchor - sqrt(m) / gamma * h->shortfall;
    h->step = fmin(fmax(exp(log_step), 1 / widest), widest);
    h->log_average = weight * log(h->step) + (1 - weight) * h->log_average;
}

/* Adds (count, units) states to the window's means and sums of squared deviations (Chan, Golub & LeVeque 1979). States
 * that are not finite leave the window as it is. */
static void observe(void *memory, size_t count, const ebm_real *x) {
    header *h = memory;
    const size_t V = (size_t)h->units;
    const double n = (double)count, total = h->seen + n;
    for (size_t k = 0; k < count * V; k++)
        if (!isfinite(x[k]))
            return;
    for (size_t i = 0; i < V; i++) {
        double sum = 0, squares = 0;
        for (size_t b = 0; b < count; b++)
            sum += (double)x[b * V + i];
        const double mean = sum / n, shift = mean - window_mean(memory)[i];
        for (size_t b = 0; b < count; b++)
            squares += ((double)x[b * V + i] - mean) * ((double)x[b * V + i] - mean);
        window_mean(memory)[i] += shift * n / total;
        window_squares(memory)[i] += squares + shift * shift * h->seen * n / total;
    }
    h->seen = total;
}

/* The window's standard deviations become the scales; a unit without spread has the others' mean. False, and nothing
 * changes, where no unit has any. */
static bool take_scales(void *memory) {
    const header *h = memory;
    const size_t V = (size_t)h->units;
    const double *squares = window_squares(memory), freedom = h->seen - 1;
    double sum = 0, spread = 0;
    for (size_t i = 0; i < V; i++)
        if (squares[i] > 0) {
            sum += log(squares[i] / freedom);
            spread++;
        }
    if (!(freedom > 0) || !(spread > 0) || !isfinite(sum))
        return false;
    for (size_t i = 0; i < V; i++) {
        const double own = squares[i] > 0 ? log(squares[i] / freedom) : sum / spread;
        scales_of(memory)[i] = (ebm_real)exp(0.5 * (h->seen * own + PRIOR * (sum / spread)) / (h->seen + PRIOR));
    }
    return true;
}

/* The first transition of the windows, and the first behind them. */
static uint64_t windows_open(const header *h) {
    const bool tight = h->total > 0 && h->total < FIRST + WINDOW + LAST;
    return tight ? h->total * 15 / 100 : FIRST;
}

static uint64_t windows_end(const header *h) {
    if (h->total == 0)
        return UINT64_MAX;
    const bool tight = h->total < FIRST + WINDOW + LAST;
    return h->total - (tight ? h->total / 10 : LAST);
}

/* The window that opens at `from` ends so; one that would leave no room for a next, twice as long, reaches to the end. */
static uint64_t window_closing(const header *h, uint64_t from) {
    const uint64_t end = windows_end(h), closing = from + h->window;
    return end != UINT64_MAX && closing + 2 * h->window > end ? end : closing;
}

ebm_window ebm_adaptation_update(void *memory, double acceptance, double target, size_t count, const ebm_real *x,
                                 uint64_t warmup_left, bool scales) {
    header *h = memory;
    if (h->done == 0)
        h->total = warmup_left;
    average_step(h, isfinite(acceptance) ? acceptance : 0, target);
    const uint64_t at = h->done++;
    if (!scales || (h->total > 0 && h->total < SHORTEST) || at < windows_open(h) || at >= windows_end(h))
        return EBM_WINDOW_OUTSIDE;
    if (at == windows_open(h))
        h->closing = window_closing(h, at);
    observe(memory, count, x);
    if (at + 1 < h->closing)
        return EBM_WINDOW_INSIDE;
    if (take_scales(memory))
        restart_step(h, ebm_adaptation_step(memory, false));
    open_window(memory);
    h->window *= 2;
    h->closing = window_closing(h, at + 1);
    return EBM_WINDOW_CLOSED;
}

ebm_status ebm_adaptation_report(const void *memory, double step, ebm_sink *sink, ebm_error *error) {
    const ebm_real *scale = scales_of(memory);
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < ((const header *)memory)->units; i++) {
        least = fmin(least, (double)scale[i]);
        most = fmax(most, (double)scale[i]);
    }
    EBM_TRY(sink->emit(sink, "step_size", step, NAN, error));
    EBM_TRY(sink->emit(sink, "scale_min", least, NAN, error));
    return sink->emit(sink, "scale_max", most, NAN, error);
}
