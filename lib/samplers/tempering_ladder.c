/* The ladder of replica exchange: its memory, its adaptation, its measurements (see tempering_ladder.h).
 *
 * Adaptation, a Robbins-Monro recursion in the manner of Vousden, Farr & Mandel (2016, section 2.3), here on the
 * logarithms of the gaps d_k = log T_(k+1) - log T_k with both ends fixed:
 *   log d_k <- log d_k + g_t (A_k - mean A),   d <- d log T_(K-1) / sum d,   g_t = 10 / (20 + t)
 * A_k is the mean acceptance probability of pair k in round t. A_k falls as d_k grows, so that equal rates are the
 * stable fixed point; sum g_t diverges and sum g_t^2 does not. */
#include "samplers/tempering_ladder.h"

#include <math.h>
#include <string.h>

/* Sections are laid out one after another, each on a cache line. */
enum { LINE = 64 };

static size_t section(size_t *end, uint64_t count, uint64_t size) {
    const size_t start = *end;
    size_t bytes;
    if (start == SIZE_MAX || __builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 4 ||
        start > SIZE_MAX / 4) {
        *end = SIZE_MAX;
        return 0;
    }
    *end = start + (bytes + LINE - 1) / LINE * LINE;
    return start;
}

typedef struct header {
    ebm_ladder_sizes sizes;
    uint64_t rounds, sweeps;
} header;

typedef struct layout {
    size_t temperature, accepted, round_trips, heading, inner, states, end;
} layout;

static layout layout_of(ebm_ladder_sizes s) {
    layout l = {.end = 0};
    uint64_t rows;
    if (__builtin_mul_overflow(s.copies, s.chains, &rows)) {
        l.end = SIZE_MAX;
        return l;
    }
    section(&l.end, 1, sizeof(header));
    l.temperature = section(&l.end, s.copies, sizeof(double));
    l.accepted = section(&l.end, rows - s.chains, sizeof(uint64_t));
    l.round_trips = section(&l.end, s.chains, sizeof(uint64_t));
    l.heading = section(&l.end, rows, 1);
    l.inner = section(&l.end, s.copies, s.inner_bytes);
    const bool wide = s.units > SIZE_MAX / sizeof(ebm_real);
    l.states = section(&l.end, rows - s.chains, wide ? SIZE_MAX : s.units * sizeof(ebm_real));
    return l;
}

size_t ebm_ladder_bytes(ebm_ladder_sizes sizes) {
    return layout_of(sizes).end;
}

ebm_ladder ebm_ladder_view(void *memory) {
    header *h = memory;
    unsigned char *bytes = memory;
    const layout l = layout_of(h->sizes);
    return (ebm_ladder){
        .sizes = &h->sizes,
        .rounds = &h->rounds,
        .sweeps = &h->sweeps,
        .temperature = (double *)(bytes + l.temperature),
        .accepted = (uint64_t *)(bytes + l.accepted),
        .round_trips = (uint64_t *)(bytes + l.round_trips),
        .heading = bytes + l.heading,
        .inner = bytes + l.inner,
        .states = (ebm_real *)(bytes + l.states),
    };
}

ebm_ladder ebm_ladder_start(ebm_ladder_sizes sizes, const double *temperature, void *memory) {
    memset(memory, 0, layout_of(sizes).end);
    ((header *)memory)->sizes = sizes;
    ebm_ladder ladder = ebm_ladder_view(memory);
    memcpy(ladder.temperature, temperature, sizes.copies * sizeof *temperature);
    ebm_ladder_turn(&ladder);
    return ladder;
}

void ebm_ladder_adapt(const ebm_ladder *ladder, const double *rate) {
    const size_t K = ladder->sizes->copies;
    double *T = ladder->temperature;
    const double whole = log(T[K - 1]), gain = 10 / (20 + (double)(*ladder->rounds)++);
    double mean = 0, total = 0, sum = 0, below = 0;
    for (size_t k = 0; k + 1 < K; k++)
        mean += rate[k] / (double)(K - 1);
    for (size_t k = 0; k + 1 < K; k++) {
        const double above = log(T[k + 1]), gap = (above - below) * exp(gain * (rate[k] - mean));
        below = above;
        total += gap;
        if (k + 2 < K) /* kept where T_(k+1) was; the end stays */
            T[k + 1] = gap;
    }
    for (size_t k = 1; k + 1 < K; k++) {
        sum += T[k];
        T[k] = exp(whole * (sum / total));
    }
}

void ebm_ladder_turn(const ebm_ladder *ladder) {
    const size_t K = ladder->sizes->copies, B = ladder->sizes->chains;
    for (size_t b = 0; b < B; b++) {
        uint8_t *cold = ladder->heading + b * K, *hot = cold + K - 1;
        ladder->round_trips[b] += *cold == EBM_HEADING_DOWN;
        *cold = EBM_HEADING_UP;
        if (*hot == EBM_HEADING_UP)
            *hot = EBM_HEADING_DOWN;
    }
}

void ebm_ladder_reset_counters(const ebm_ladder *ladder) {
    const size_t K = ladder->sizes->copies, B = ladder->sizes->chains;
    *ladder->sweeps = 0;
    memset(ladder->accepted, 0, B * (K - 1) * sizeof *ladder->accepted);
    memset(ladder->round_trips, 0, B * sizeof *ladder->round_trips);
}

const ebm_metric ebm_ladder_metrics[] = {
    {"swap_rate", "", true, "share of swaps accepted, mean over neighbouring pairs; s.e. over chains"},
    {"swap_rate_lowest", "", true, "share of swaps accepted by the pair with the fewest; s.e. over chains"},
    {"round_trips", "per 1000 sweeps", true,
     "walks of a state from the coldest copy to the hottest and back, a chain, over all its copies; s.e. over chains"},
    {"hottest_temperature", "", false, "the top of the ladder"},
    EBM_METRICS_END,
};

/* The mean over chains of scale * the sum of `width` counts in a row of `stride`, with its standard error over chains
 * (missing for one chain). */
static double mean_over_chains(const uint64_t *count, size_t B, size_t stride, size_t width, double scale, double *se) {
    double mean = 0, squares = 0;
    for (size_t b = 0; b < B; b++) { /* Welford 1962 */
        double value = 0;
        for (size_t k = 0; k < width; k++)
            value += (double)count[b * stride + k];
        const double before = scale * value - mean;
        mean += before / (double)(b + 1);
        squares += before * (scale * value - mean);
    }
    *se = B > 1 ? sqrt(squares / (double)(B - 1) / (double)B) : NAN;
    return mean;
}

ebm_status ebm_ladder_report(const ebm_ladder *ladder, ebm_sink *sink, ebm_error *error) {
    const size_t pairs = ladder->sizes->copies - 1, B = ladder->sizes->chains;
    const double each = *ladder->sweeps ? 1 / (double)*ladder->sweeps : NAN;
    double se, lowest = INFINITY, lowest_se = NAN;
    double rate = mean_over_chains(ladder->accepted, B, pairs, pairs, each / (double)pairs, &se);
    EBM_TRY(sink->emit(sink, "swap_rate", rate, se, error));
    for (size_t k = 0; k < pairs; k++) {
        rate = mean_over_chains(ladder->accepted + k, B, pairs, 1, each, &se);
        if (!(rate >= lowest)) {
            lowest = rate;
            lowest_se = se;
        }
    }
    EBM_TRY(sink->emit(sink, "swap_rate_lowest", lowest, lowest_se, error));
    const double trips = mean_over_chains(ladder->round_trips, B, 1, 1, 1000 * each, &se);
    EBM_TRY(sink->emit(sink, "round_trips", trips, se, error));
    return sink->emit(sink, "hottest_temperature", ladder->temperature[pairs], NAN, error);
}
