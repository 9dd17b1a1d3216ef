/* Sums over all states of pairwise coupled units.
 *
 * The units are split into the low L <= 12, whose 2^L states form one block, and the high ones, which number the blocks.
 * Couplings within the low units are the same in every block: a table. The high units act on the low ones as a bias c, and
 * the linear part c . x of all low states comes by doubling, one addition a state: state s | 2^k differs from s in unit k.
 * So a state costs two additions and an exponential, whatever the number of units. Block sums are kept in the log domain
 * and added in block order. */
#include "models/enumerate_pairs.h"

#include "ebm/special.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { LOW_UNITS = 12 };

typedef struct pair_block {
    const ebm_pair_sum *sum;
    size_t low, states, blocks; /* low units, 2^low, 2^(units - low) */
    double down, step;          /* the value of a unit that is down, and how far up is from it */
    double *pairs;              /* (states): couplings within the low units */
    double *log_weight;         /* (states): of the present block */
} pair_block;

static double value(const pair_block *b, size_t code, size_t unit) {
    return b->down + (code >> unit & 1u ? b->step : 0);
}

/* sum_(i<j) coupling_ij x_i x_j over units first ... end - 1, of which unit i is bit i - first of the code. */
static double couplings_within(const pair_block *b, size_t first, size_t end, size_t code) {
    const ebm_pair_sum *sum = b->sum;
    double total = 0;
    for (size_t i = first; i < end; i++)
        for (size_t j = i + 1; j < end; j++)
            total += sum->coupling[i * sum->units + j] * value(b, code, i - first) * value(b, code, j - first);
    return total;
}

static ebm_status open_block(const ebm_pair_sum *sum, pair_block *b, ebm_work *work, ebm_error *error) {
    const size_t V = sum->units;
    assert(V >= 1 && V <= EBM_PAIRS_MAX_UNITS);
    *b = (pair_block){.sum = sum, .low = V < LOW_UNITS ? V : LOW_UNITS, .down = sum->spin ? -1 : 0};
    b->step = 1 - b->down;
    b->states = (size_t)1 << b->low;
    b->blocks = (size_t)1 << (V - b->low);
    b->pairs = ebm_work_take(work, b->states, sizeof(double));
    b->log_weight = ebm_work_take(work, b->states, sizeof(double));
    if (!b->pairs || !b->log_weight)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to enumerate blocks of %zu states", b->states);
    for (size_t s = 0; s < b->states; s++)
        b->pairs[s] = couplings_within(b, 0, b->low, s);
    return EBM_OK;
}

/* log_weight of the block whose high units have this code. */
static void fill_block(pair_block *b, size_t high) {
    const ebm_pair_sum *sum = b->sum;
    const size_t V = sum->units;
    double *w = b->log_weight, bias[LOW_UNITS], start = couplings_within(b, b->low, V, high);
    for (size_t h = b->low; h < V; h++)
        start += sum->bias[h] * value(b, high, h - b->low);
    for (size_t k = 0; k < b->low; k++) {
        bias[k] = sum->bias[k];
        for (size_t h = b->low; h < V; h++)
            bias[k] += sum->coupling[k * V + h] * value(b, high, h - b->low);
        start += b->down * bias[k];
    }
    w[0] = start;
    for (size_t k = 0; k < b->low; k++) {
        const size_t half = (size_t)1 << k;
        const double up = b->step * bias[k];
        for (size_t s = 0; s < half; s++)
            w[half + s] = w[s] + up;
    }
    for (size_t s = 0; s < b->states; s++)
        w[s] += b->pairs[s];
}

ebm_status ebm_pair_log_sum(const ebm_pair_sum *sum, double *out, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    pair_block b;
    ebm_status status = open_block(sum, &b, work, error);
    if (status == EBM_OK) {
        double total = -INFINITY;
        for (size_t high = 0; high < b.blocks; high++) {
            fill_block(&b, high);
            total = ebm_logaddexp(total, ebm_log_sum_exp(b.log_weight, b.states));
        }
        *out = total;
        if (!isfinite(total))
            status = ebm_fail(error, EBM_DIVERGED, "log Z is %g: a parameter is not finite or far too large", total);
    }
    ebm_work_release(work, mark);
    return status;
}

/* up[i V + i] += P(u_i = 1) and, for i < j, up[i V + j] += P(u_i = u_j = 1) of the low units, from the probabilities p of
 * their states. */
static void add_low_moments(const pair_block *b, const double *p, double *up) {
    const size_t V = b->sum->units;
    for (size_t s = 0; s < b->states; s++)
        for (size_t i = 0; i < b->low; i++)
            for (size_t j = i; (s >> i & 1u) && j < b->low; j++)
                up[i * V + j] += s >> j & 1u ? p[s] : 0;
}

/* The same for pairs with high units, which in this block have one setting. `p` is overwritten: folding it in half after
 * half leaves the sums over the states with unit k up. */
static void add_high_moments(const pair_block *b, size_t high, double *p, double *up) {
    const size_t V = b->sum->units;
    double low_up[LOW_UNITS];
    for (size_t k = b->low; k-- > 0;) {
        const size_t half = (size_t)1 << k;
        low_up[k] = 0;
        for (size_t s = 0; s < half; s++) {
            low_up[k] += p[half + s];
            p[s] += p[half + s];
        }
    }
    for (size_t h = b->low; h < V; h++) {
        if (!(high >> (h - b->low) & 1u))
            continue;
        for (size_t k = 0; k < b->low; k++)
            up[k * V + h] += low_up[k];
        for (size_t l = h; l < V; l++)
            up[h * V + l] += high >> (l - b->low) & 1u ? p[0] : 0;
    }
}

ebm_status ebm_pair_moments(const ebm_pair_sum *sum, double log_z, double *mean, double *pair, ebm_work *work,
                            ebm_error *error) {
    const size_t V = sum->units, mark = ebm_work_mark(work);
    pair_block b;
    ebm_status status = open_block(sum, &b, work, error);
    double *low = status == EBM_OK ? ebm_work_take(work, b.states, sizeof *low) : NULL;
    if (status == EBM_OK && !low)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory to enumerate blocks of %zu states", b.states);
    if (status == EBM_OK) {
        for (size_t k = 0; k < V * V; k++)
            pair[k] = 0;
        for (size_t s = 0; s < b.states; s++)
            low[s] = 0;
        for (size_t high = 0; high < b.blocks; high++) {
            fill_block(&b, high);
            for (size_t s = 0; s < b.states; s++) {
                b.log_weight[s] = exp(b.log_weight[s] - log_z);
                low[s] += b.log_weight[s];
            }
            add_high_moments(&b, high, b.log_weight, pair);
        }
        add_low_moments(&b, low, pair);
        for (size_t i = 0; i < V; i++)
            mean[i] = pair[i * V + i];
        /* x = down + step u, with u = 0 or 1 */
        for (size_t i = 0; i < V; i++)
            for (size_t j = i; j < V; j++)
                pair[i * V + j] = pair[j * V + i] =
                    b.down * b.down + b.down * b.step * (mean[i] + mean[j]) + b.step * b.step * pair[i * V + j];
        for (size_t i = 0; i < V; i++)
            mean[i] = b.down + b.step * mean[i];
    }
    ebm_work_release(work, mark);
    return status;
}

typedef struct level_of_draw {
    double level;
    size_t draw;
} level_of_draw;

static int by_level(const void *left, const void *right) {
    const level_of_draw *a = left, *b = right;
    return (a->level > b->level) - (a->level < b->level);
}

ebm_status ebm_pair_draws(const ebm_pair_sum *sum, double log_z, ebm_stream stream, uint32_t first_chain, uint64_t step,
                          size_t count, uint32_t *states, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    pair_block b;
    ebm_status status = open_block(sum, &b, work, error);
    level_of_draw *draws = ebm_work_take(work, count, sizeof *draws);
    if (status == EBM_OK && !draws)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu draws", count);
    if (status == EBM_OK) {
        for (size_t d = 0; d < count; d++)
            draws[d] = (level_of_draw){ebm_random_uniform1(stream, first_chain + (uint32_t)d, step, 0), d};
        qsort(draws, count, sizeof *draws, by_level);
        size_t found = 0;
        double cumulative = 0;
        for (size_t high = 0; found < count && high < b.blocks; high++) {
            fill_block(&b, high);
            for (size_t s = 0; s < b.states; s++) {
                cumulative += exp(b.log_weight[s] - log_z);
                for (; found < count && draws[found].level < cumulative; found++)
                    states[draws[found].draw] = (uint32_t)(high << b.low | s);
            }
        }
        for (; found < count; found++) /* the sum stopped a rounding error short of 1 */
            states[draws[found].draw] = (uint32_t)(b.blocks * b.states - 1);
    }
    ebm_work_release(work, mark);
    return status;
}
