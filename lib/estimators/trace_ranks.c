/* Ranks of traces: a radix sort, normal scores, folding.
 *
 * A double's bits, all flipped where it is negative and the sign bit alone where not, ascend as unsigned integers as
 * the number does (-0 next before 0, which is as good as equal: ties are found by value). The sort goes by the upper 32
 * of them (sign, exponent, 20 bits of the fraction) with the index in the lower half of the key; the few neighbours
 * that agree so far are then put in order by insertion, long runs of them by the lower 32 bits in the same way. */
#include "trace_ranks.h"

#include <math.h>
#include <string.h>

double ebm_normal_quantile(double p) {
    const double lower = p < 0.5 ? p : 1 - p;
    /* z e^(z^2/2) ~ 1/p far out; the rational start (Hastings 1955) is good to 3e-3, Halley's method cubes the error */
    const double t = sqrt(-2 * log(lower));
    double z = (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t) - t;
    for (int step = 0; step < 2; step++) {
        const double excess = 0.5 * erfc(-z * M_SQRT1_2) - lower;
        const double newton = excess * sqrt(2 * M_PI) * exp(0.5 * z * z);
        z -= newton / (1 + 0.5 * z * newton);
    }
    return p < 0.5 ? z : -z;
}

/* Rank 1 ... count, or halfway between two. */
static double normal_score(double rank, size_t count) {
    return ebm_normal_quantile((rank - 0.375) / ((double)count + 0.25));
}

void ebm_normal_scores(size_t count, double *score) {
    for (size_t r = 0; r < count / 2; r++) {
        score[r] = normal_score((double)(r + 1), count);
        score[count - 1 - r] = -score[r];
    }
    if (count % 2 == 1)
        score[count / 2] = 0;
}

static uint64_t ordered_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/* Stable, by the upper 32 bits in passes of `bits`; the result is in `keys`. */
static inline void radix_passes(uint64_t *keys, uint64_t *spare, size_t count, int passes, int bits, uint32_t *places) {
    const uint32_t mask = ((uint32_t)1 << bits) - 1;
    memset(places, 0, ((size_t)passes << bits) * sizeof *places);
    for (size_t k = 0; k < count; k++)
        for (int digit = 0; digit < passes; digit++)
            places[((uint32_t)digit << bits) + ((uint32_t)(keys[k] >> 32) >> (bits * digit) & mask)]++;
    uint64_t *from = keys, *to = spare;
    for (int digit = 0; digit < passes; digit++) {
        uint32_t *place = places + ((size_t)digit << bits), sum = 0;
        const int shift = bits * digit;
        if (place[(uint32_t)(from[0] >> 32) >> shift & mask] == count) /* one digit everywhere */
            continue;
        for (uint32_t value = 0; value <= mask; value++) {
            const uint32_t here = place[value];
            place[value] = sum;
            sum += here;
        }
        for (size_t k = 0; k < count; k++)
            to[place[(uint32_t)(from[k] >> 32) >> shift & mask]++] = from[k];
        uint64_t *swap = from;
        from = to, to = swap;
    }
    if (from != keys)
        memcpy(keys, from, count * sizeof *keys);
}

/* Wide digits take fewer passes, narrow ones less to set up. */
static void radix_sort(uint64_t *keys, uint64_t *spare, size_t count) {
    enum { LONG = 4096 };
    uint32_t places[3 << 11];
    if (count >= LONG)
        radix_passes(keys, spare, count, 3, 11, places);
    else
        radix_passes(keys, spare, count, 4, 8, places);
}

/* Order a run whose upper halves agree. */
static void sort_run(const double *values, uint64_t *keys, uint64_t *spare, size_t count) {
    enum { INSERTION = 32 };
    if (count > INSERTION) {
        for (size_t k = 0; k < count; k++) {
            const uint32_t index = (uint32_t)keys[k];
            keys[k] = ordered_bits(values[index]) << 32 | index;
        }
        radix_sort(keys, spare, count);
        return;
    }
    for (size_t k = 1; k < count; k++) {
        const uint64_t key = keys[k];
        const double value = values[(uint32_t)key];
        size_t hole = k;
        for (; hole > 0 && values[(uint32_t)keys[hole - 1]] > value; hole--)
            keys[hole] = keys[hole - 1];
        keys[hole] = key;
    }
}

void ebm_sort_order(const double *values, size_t count, uint32_t *order, uint64_t *keys, uint64_t *spare) {
    if (count == 0)
        return;
    for (size_t k = 0; k < count; k++)
        keys[k] = (ordered_bits(values[k]) & ~(uint64_t)UINT32_MAX) | k;
    radix_sort(keys, spare, count);
    for (size_t k = 0; k < count;) {
        const uint64_t upper = keys[k] >> 32;
        size_t end = k + 1;
        while (end < count && keys[end] >> 32 == upper)
            end++;
        if (end - k > 1)
            sort_run(values, keys + k, spare, end - k);
        for (; k < end; k++)
            order[k] = (uint32_t)keys[k];
    }
}

bool ebm_rank_normalise(const double *sorted, const uint32_t *order, size_t count, const double *score, double *z) {
    size_t first = 0, end = 0;
    for (; first < count; first = end) {
        end = first + 1;
        if (end == count || sorted[end] != sorted[first]) {
            z[order[first]] = score[first];
            continue;
        }
        while (end < count && sorted[end] == sorted[first])
            end++;
        const double shared = normal_score(0.5 * (double)(first + 1 + end), count);
        for (size_t k = first; k < end; k++)
            z[order[k]] = shared;
    }
    return count == 0 || sorted[0] == sorted[count - 1];
}

void ebm_fold(double *sorted, const uint32_t *order, size_t count, double median, double *distance,
              uint32_t *distance_order) {
    size_t above = 0; /* the first value at or above the median, by bisection */
    for (size_t end = count; above < end;) {
        const size_t middle = above + (end - above) / 2;
        if (sorted[middle] < median)
            above = middle + 1;
        else
            end = middle;
    }
    /* Two ascending lists, x - median upwards and median - x downwards, the first to go before the second where they
     * tie. The merge has no branches and starts from both ends, so that neither half waits for the other. Inside out:
     * both lists end in infinity. Outside in: a list that is used up goes on into the other, with negative distances,
     * or with zeros, against which the bound on `down` stands. */
    sorted[-1] = -INFINITY;
    sorted[count] = INFINITY;
    size_t up = above, down = above;     /* next: sorted[up], sorted[down - 1] */
    size_t far_up = count, far_down = 0; /* next: sorted[far_up - 1], sorted[far_down] */
    const size_t inner = count / 2;
    for (size_t k = 0; k < inner; k++) {
        const double over = sorted[up] - median, under = median - sorted[(ptrdiff_t)down - 1];
        const size_t low = under < over;
        const size_t near = up + ((down - 1 - up) & (0 - low));
        distance[k] = fabs(sorted[near] - median);
        distance_order[k] = order[near];
        up += 1 - low;
        down -= low;

        const double far_over = sorted[(ptrdiff_t)far_up - 1] - median, far_under = median - sorted[far_down];
        const size_t far_low = (size_t)(far_under >= far_over) & (size_t)(far_down < above);
        const size_t far = far_up - 1 + ((far_down + 1 - far_up) & (0 - far_low));
        distance[count - 1 - k] = fabs(sorted[far] - median);
        distance_order[count - 1 - k] = order[far];
        far_up -= 1 - far_low;
        far_down += far_low;
    }
    if (count % 2 == 1) { /* the one left between */
        const size_t last = down > far_down ? down - 1 : up;
        distance[inner] = fabs(sorted[last] - median);
        distance_order[inner] = order[last];
    }
}
