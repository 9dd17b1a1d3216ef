/* R-hat and effective sample size of traces, as ebm/diagnostics.h states them (Vehtari et al. 2021; Geyer 1992).
 *
 * One sort of a variable serves all: its quantiles and median, the ranks of its values and, by a merge about the
 * median, the ranks of its distances from it. Normal scores depend on the number of draws alone and are computed once.
 * Work per variable is independent, so variables are shared between threads, each with its own scratch. */
#include "ebm/diagnostics.h"

#include "autocovariance.h"
#include "trace_ranks.h"
#include "traces.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* What all variables share. */
typedef struct plan {
    const ebm_traces *traces;
    size_t total;        /* chains * draws */
    size_t halves, half; /* m, n */
    size_t kept;         /* m n */
    const double *score; /* (kept) normal scores of whole ranks */
    ebm_transform transform;
} plan;

/* One thread's scratch. */
typedef struct scratch {
    uint64_t *keys, *spare;         /* (total) */
    uint32_t *order, *folded_order; /* (total) */
    uint32_t *position;             /* (kept) */
    size_t *begin;                  /* (halves + 1) */
    double *sorted, *distance;      /* (total) with one more on either side of sorted */
    double *series;                 /* (kept) halves of the trace, of its scores, of an indicator */
    double *mean, *variance;        /* (halves) */
    ebm_autocovariance autocovariance;
} scratch;

static bool take_scratch(const plan *p, scratch *out, ebm_work *work) {
    const size_t total = p->total;
    out->keys = ebm_work_take(work, total, sizeof *out->keys);
    out->spare = ebm_work_take(work, total, sizeof *out->spare);
    out->order = ebm_work_take(work, total, sizeof *out->order);
    out->folded_order = ebm_work_take(work, total, sizeof *out->folded_order);
    out->position = ebm_work_take(work, total, sizeof *out->position);
    out->begin = ebm_work_take(work, p->halves + 1, sizeof *out->begin);
    double *padded = ebm_work_take(work, total + 2, sizeof *padded);
    out->distance = ebm_work_take(work, total, sizeof *out->distance);
    out->series = ebm_work_take(work, total, sizeof *out->series);
    out->mean = ebm_work_take(work, p->halves, sizeof *out->mean);
    out->variance = ebm_work_take(work, p->halves, sizeof *out->variance);
    ebm_autocovariance *a = &out->autocovariance;
    *a = (ebm_autocovariance){.transform = &p->transform, .series = p->halves, .length = p->half};
    a->sum = ebm_work_take(work, p->half, sizeof *a->sum);
    a->buffer = ebm_work_take(work, ebm_autocovariance_buffer(p->half), sizeof *a->buffer);
    if (!out->keys || !out->spare || !out->order || !out->folded_order || !out->position || !out->begin || !padded ||
        !out->distance || !out->series || !out->mean || !out->variance || !a->sum || !a->buffer)
        return false;
    out->sorted = padded + 1;
    return true;
}

enum { WIDTH = 8 };

static double total_of(const double lanes[WIDTH]) {
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/* Sample variance of `count` numbers with divisor count - 1, and their mean, by two passes of interleaved sums that do
 * not wait for each other. The second pass corrects the mean of the first: a large offset costs no digits. */
static double variance_of(const double *x, size_t count, double *mean) {
    double sums[WIDTH] = {0}, squares[WIDTH] = {0};
    const size_t whole = count / WIDTH * WIDTH;
    for (size_t i = 0; i < whole; i += WIDTH)
        for (size_t lane = 0; lane < WIDTH; lane++)
            sums[lane] += x[i + lane];
    for (size_t i = whole; i < count; i++)
        sums[i - whole] += x[i];
    const double first = total_of(sums) / (double)count;
    memset(sums, 0, sizeof sums);
    for (size_t i = 0; i < whole; i += WIDTH)
        for (size_t lane = 0; lane < WIDTH; lane++) {
            const double d = x[i + lane] - first;
            sums[lane] += d;
            squares[lane] += d * d;
        }
    for (size_t i = whole; i < count; i++) {
        sums[i - whole] += x[i] - first;
        squares[i - whole] += (x[i] - first) * (x[i] - first);
    }
    const double rest = total_of(sums);
    *mean = first + rest / (double)count;
    const double deviations = total_of(squares) - rest * rest / (double)count;
    return (deviations < 0 ? 0 : deviations) / (double)(count - 1);
}

/* Means and variances of the halves into scratch; their R-hat. */
static double rhat_of_halves(const plan *p, const double *series, scratch *s) {
    double within = 0, grand;
    for (size_t h = 0; h < p->halves; h++) {
        s->variance[h] = variance_of(series + h * p->half, p->half, &s->mean[h]);
        within += s->variance[h] / (double)p->halves;
    }
    const double n = (double)p->half, between = n * variance_of(s->mean, p->halves, &grand);
    return sqrt((between / within + n - 1) / n);
}

/* ESS from autocovariances whose series have the given variance of means. */
static double ess_of(ebm_autocovariance *a, double variance_of_means) {
    const size_t n = a->length;
    if (n < 3)
        return NAN;
    const double total = (double)a->series * (double)n, scale = 1 / total;
    const double within = ebm_autocovariance_sum(a, 0) * scale * (double)n / (double)(n - 1);
    const double plus = within * (double)(n - 1) / (double)n + variance_of_means;
    double even = 1, odd = 1 - (within - ebm_autocovariance_sum(a, 1) * scale) / plus;
    double pairs = 0, previous = INFINITY;
    size_t t = 0;
    while (t + 5 < n && even + odd > 0) { /* Geyer's initial sequence, each pair at most the one before */
        previous = fmin(even + odd, previous);
        pairs += previous;
        t += 2;
        even = 1 - (within - ebm_autocovariance_sum(a, t) * scale) / plus;
        odd = 1 - (within - ebm_autocovariance_sum(a, t + 1) * scale) / plus;
    }
    if (t == 0)
        return total / 2;
    const double next = even > 0 || even + odd >= 0 ? even : 0;
    const double tau = fmax(-1 + 2 * pairs + next, 1 / log10(total));
    return total / tau;
}

/* ESS of the series in scratch, whose means are there too; the series is centred. */
static double ess_of_series(const plan *p, scratch *s) {
    double grand;
    for (size_t h = 0; h < p->halves; h++)
        for (size_t i = 0; i < p->half; i++)
            s->series[h * p->half + i] -= s->mean[h];
    ebm_autocovariance *a = &s->autocovariance;
    a->known = 0;
    a->dense = s->series;
    a->begin = NULL;
    return ess_of(a, variance_of(s->mean, p->halves, &grand));
}

/* The halves of each chain side by side, without the middle draw of an odd number. */
static void split(const plan *p, const double *x, double *out) {
    const size_t draws = p->traces->draws;
    for (size_t c = 0; c < p->traces->chains; c++) {
        memcpy(out + 2 * c * p->half, x + c * draws, p->half * sizeof *out);
        memcpy(out + (2 * c + 1) * p->half, x + (c + 1) * draws - p->half, p->half * sizeof *out);
    }
}

/* Type 7: linear between the order statistics about 1 + (count - 1) p. */
static double quantile_of(const double *sorted, size_t count, double p) {
    const double place = 1 + (double)(count - 1) * p;
    const size_t low = (size_t)place, high = (size_t)ceil(place);
    const double h = place - (double)low, value = sorted[low - 1];
    return h > 0 && sorted[high - 1] != value ? (1 - h) * value + h * sorted[high - 1] : value;
}

/* Lists, half by half and in ascending order, the draws that come first ... end - 1 in the order; their number. */
static size_t list_places(const plan *p, size_t first, size_t end, scratch *s) {
    const size_t draws = p->traces->draws, words = (p->total + 63) / 64;
    uint64_t *bits = s->spare;
    memset(bits, 0, words * sizeof *bits);
    for (size_t k = first; k < end; k++)
        bits[s->order[k] / 64] |= (uint64_t)1 << s->order[k] % 64;
    size_t ones = 0, half = 0, from = 0; /* the draw that the half begins with */
    s->begin[0] = 0;
    for (size_t word = 0; word < words; word++)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
            const size_t place = 64 * word + (size_t)__builtin_ctzll(left);
            while (place >= from + (half % 2 == 0 ? draws - p->half : p->half)) { /* a first half's middle draw too */
                from += half % 2 == 0 ? draws - p->half : p->half;
                s->begin[++half] = ones;
            }
            s->position[ones] = (uint32_t)(place - from);
            ones += place - from < p->half;
        }
    while (half < p->halves)
        s->begin[++half] = ones;
    return ones;
}

/* ESS of I(x <= q). The rarer of the indicator and its complement is listed: their autocovariances are equal. */
static double ess_of_indicator(const plan *p, double q, scratch *s) {
    size_t below = 0;
    for (size_t end = p->total; below < end;) {
        const size_t middle = below + (end - below) / 2;
        if (s->sorted[middle] <= q)
            below = middle + 1;
        else
            end = middle;
    }
    const bool few = below <= p->total / 2;
    const size_t ones = list_places(p, few ? 0 : below, few ? below : p->total, s);
    if (ones == 0 || ones == p->kept)
        return NAN;
    for (size_t h = 0; h < p->halves; h++)
        s->mean[h] = (double)(s->begin[h + 1] - s->begin[h]) / (double)p->half;
    ebm_autocovariance *a = &s->autocovariance;
    a->known = 0;
    a->dense = s->series;
    a->position = s->position;
    a->begin = s->begin;
    double grand;
    return ess_of(a, variance_of(s->mean, p->halves, &grand));
}

/* Sorted values and order of the draws that the halves keep, the order in terms of the halves. */
static void drop_middle(const plan *p, scratch *s) {
    const size_t draws = p->traces->draws;
    size_t kept = 0;
    for (size_t k = 0; k < p->total; k++) {
        const size_t chain = s->order[k] / draws, t = s->order[k] % draws;
        s->sorted[kept] = s->sorted[k];
        s->order[kept] = (uint32_t)(s->order[k] - chain - (t > p->half));
        kept += t != p->half;
    }
    assert(kept == p->kept);
}

static void summarise_ranks(const plan *p, double median, scratch *s, ebm_trace_summary *out) {
    ebm_fold(s->sorted, s->order, p->kept, median, s->distance, s->folded_order);
    if (!ebm_rank_normalise(s->distance, s->folded_order, p->kept, p->score, s->series))
        out->rhat_folded = rhat_of_halves(p, s->series, s);
    if (!ebm_rank_normalise(s->sorted, s->order, p->kept, p->score, s->series)) {
        out->rhat_bulk = rhat_of_halves(p, s->series, s);
        out->ess_bulk = ess_of_series(p, s);
    }
    if (!isnan(out->rhat_bulk) && !isnan(out->rhat_folded))
        out->rhat = fmax(out->rhat_bulk, out->rhat_folded);
}

static void summarise(const plan *p, const double *x, scratch *s, ebm_trace_summary *out) {
    *out = (ebm_trace_summary){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    for (size_t i = 0; i < p->total; i++)
        if (!isfinite(x[i]))
            return;
    const double variance = variance_of(x, p->total, &out->mean);
    out->sd = p->total > 1 ? sqrt(variance) : NAN; /* divided by zero otherwise */
    if (p->half < 2)
        return;
    ebm_sort_order(x, p->total, s->order, s->keys, s->spare);
    for (size_t k = 0; k < p->total; k++)
        s->sorted[k] = x[s->order[k]];
    const double range = s->sorted[p->total - 1] - s->sorted[0];
    const double median = (s->sorted[(p->total - 1) / 2] + s->sorted[p->total / 2]) / 2;
    if (range >= DBL_EPSILON) {
        const double low = ess_of_indicator(p, quantile_of(s->sorted, p->total, 0.05), s);
        const double high = ess_of_indicator(p, quantile_of(s->sorted, p->total, 0.95), s);
        if (!isnan(low) && !isnan(high))
            out->ess_tail = fmin(low, high);
    }
    if (p->kept < p->total)
        drop_middle(p, s);
    if (s->sorted[p->kept - 1] - s->sorted[0] >= DBL_EPSILON) {
        split(p, x, s->series);
        out->rhat_basic = rhat_of_halves(p, s->series, s);
        out->ess_basic = out->ess_mean = ess_of_series(p, s);
        out->mcse_mean = out->sd / sqrt(out->ess_mean);
    }
    summarise_ranks(p, median, s, out);
}

ebm_status ebm_traces_check(const ebm_traces *traces, size_t *total, ebm_error *error) {
    if (traces->variables == 0 || traces->chains == 0 || traces->draws == 0)
        return ebm_fail(error, EBM_INVALID, "an empty trace: %zu variables, %zu chains, %zu draws", traces->variables,
                        traces->chains, traces->draws);
    size_t count, all;
    if (__builtin_mul_overflow(traces->chains, traces->draws, &count) ||
        __builtin_mul_overflow(count, traces->variables, &all) || count > INT32_MAX)
        return ebm_fail(error, EBM_INVALID, "a trace of %zu chains with %zu draws: at most 2^31 - 1 draws in all",
                        traces->chains, traces->draws);
    *total = count;
    return EBM_OK;
}

bool ebm_transform_take(ebm_transform *transform, size_t length, ebm_work *work) {
    transform->size = ebm_transform_size(length);
    transform->cosine = ebm_work_take(work, transform->size, sizeof *transform->cosine);
    transform->sine = ebm_work_take(work, transform->size, sizeof *transform->sine);
    if (!transform->cosine || !transform->sine)
        return false;
    ebm_transform_fill(transform);
    return true;
}

ebm_status ebm_traces_summarise(const ebm_traces *traces, ebm_trace_summary *out, ebm_work *work, ebm_error *error) {
    plan p = {.traces = traces};
    EBM_TRY(ebm_traces_check(traces, &p.total, error));
    p.halves = 2 * traces->chains;
    p.half = traces->draws / 2;
    p.kept = p.halves * p.half;
    const size_t mark = ebm_work_mark(work);
    size_t threads = (size_t)ebm_work_threads(work);
    threads = threads < traces->variables ? threads : traces->variables;
    scratch *each = ebm_work_take(work, threads, sizeof *each);
    double *score = ebm_work_take(work, p.total, sizeof *score);
    bool enough = each && score && ebm_transform_take(&p.transform, p.half, work);
    for (size_t thread = 0; thread < threads && enough; thread++)
        enough = take_scratch(&p, &each[thread], work);
    if (!enough) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to sort %zu draws in %zu threads", p.total, threads);
    }
    ebm_normal_scores(p.kept, score);
    p.score = score;
#pragma omp parallel for schedule(static, 1) num_threads((int)threads) if (threads > 1)
    for (size_t thread = 0; thread < threads; thread++)
        for (size_t v = thread; v < traces->variables; v += threads)
            summarise(&p, traces->values + v * p.total, &each[thread], &out[v]);
    ebm_work_release(work, mark);
    return EBM_OK;
}
