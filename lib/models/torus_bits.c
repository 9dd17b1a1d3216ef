/* Multi-spin coding of the Ising torus.
 *
 * A group of 64 chains is two planes, one for each colour. Unit (r, c) stands in plane (r + c) mod 2 at place
 * r C / 2 + c / 2, a word of 64 bits, bit b for chain b. Its neighbours all stand in the other plane: above and below at
 * the same place of the row above and below, in its own row at the same place and at the one before (c even) or after
 * (c odd). Rows above the first and below the last are copied to the plane's ends; the last kind of neighbour is a copy
 * of the other plane with each row turned by one place. */
#include "models/torus_bits.h"

#include "core/row_kernels.h"
#include "ebm/special.h"

#include <math.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

enum { GROUP = 64, WORDS = GROUP / 32, LEAST_CHAINS = 8 };

/* Random words that a colour may use, in units of its padded words. */
enum { DRAWS = EBM_SPIN_DIGITS + 64 };

static size_t plane_words(const ebm_torus *torus) {
    return torus->rows * torus->columns / 2 * WORDS;
}

static size_t padded(size_t words) {
    return (words + EBM_SPIN_PADDING - 1) / EBM_SPIN_PADDING * EBM_SPIN_PADDING;
}

bool ebm_torus_bits_fit(const ebm_torus *torus, const ebm_sweeps *sweeps, size_t chains) {
    if (torus->rows < 4 || torus->columns < 4 || torus->rows % 2 || torus->columns % 2)
        return false;
    return sweeps->scan == EBM_SCAN_CHECKERBOARD && chains >= LEAST_CHAINS &&
           torus->rows * torus->columns < UINT32_MAX / (2 * DRAWS * WORDS);
}

/* p 2^64 rounded down, below 2^64 */
static uint64_t digits_of(double p) {
    const double scaled = ldexp(p, 64);
    return scaled >= 0x1p64 ? UINT64_MAX : (uint64_t)scaled;
}

/* A field of 2 m J (m = 1 weak, 2 strong) changes the energy by 4 m beta |J| when a spin leaves it. */
static ebm_spin_rule rule_of(const ebm_torus *torus, ebm_site_rule rule) {
    const double K = torus->coupling;
    ebm_spin_rule out = {.metropolis = rule == EBM_METROPOLIS, .antiferromagnetic = K < 0};
    out.weak = digits_of(out.metropolis ? exp(-4 * fabs(K)) : ebm_sigmoid(-4 * K));
    out.strong = digits_of(out.metropolis ? exp(-8 * fabs(K)) : ebm_sigmoid(-8 * K));
    return out;
}

/* The memory of one group. A plane has a copied row at each end and padding, so that vectors may read beyond. */
typedef struct group {
    uint32_t *plane[2]; /* the first row itself */
    uint32_t *side;     /* (padded words) */
    uint32_t *bits;     /* (64, words of a lattice) */
    size_t row;         /* words of a row of a plane */
} group;

static size_t lattice_words(const ebm_torus *torus) {
    return (torus->rows * torus->columns + 31) / 32;
}

static size_t group_words(const ebm_torus *torus) {
    const size_t row = torus->columns / 2 * WORDS, plane = padded(plane_words(torus)) + 2 * row + EBM_SPIN_PADDING;
    return 2 * plane + padded(plane_words(torus)) + GROUP * lattice_words(torus);
}

static group group_at(const ebm_torus *torus, uint32_t *memory) {
    const size_t row = torus->columns / 2 * WORDS, plane = padded(plane_words(torus)) + 2 * row + EBM_SPIN_PADDING;
    group g = {.row = row};
    g.plane[0] = memory + row;
    g.plane[1] = memory + plane + row;
    g.side = memory + 2 * plane;
    g.bits = g.side + padded(plane_words(torus));
    return g;
}

/* Bits of 32 chains at 32 neighbouring units, to and from the planes. */
static void transpose_units(const ebm_torus *torus, const group *g, size_t part, size_t word, bool to_planes) {
    const ebm_sum_kernels *kernels = ebm_row_kernels_get()->sums;
    const size_t V = torus->rows * torus->columns, stride = lattice_words(torus);
    uint32_t chains[32], units[32] = {0};
    for (size_t b = 0; to_planes && b < 32; b++)
        chains[b] = g->bits[(part * 32 + b) * stride + word];
    if (to_planes)
        kernels->transpose_bits(chains, units);
    for (size_t k = 0; k < 32 && word * 32 + k < V; k++) {
        const size_t r = (word * 32 + k) / torus->columns, c = (word * 32 + k) % torus->columns;
        uint32_t *place = g->plane[(r + c) % 2] + r * g->row + c / 2 * WORDS + part;
        if (to_planes)
            *place = units[k];
        else
            units[k] = *place;
    }
    if (!to_planes)
        kernels->transpose_bits(units, chains);
    for (size_t b = 0; !to_planes && b < 32; b++)
        g->bits[(part * 32 + b) * stride + word] = chains[b];
}

static void load_group(const ebm_torus *torus, const group *g, size_t chains, const ebm_real *x) {
    const size_t V = torus->rows * torus->columns, stride = lattice_words(torus);
    for (size_t b = 0; b < GROUP; b++) /* chains that are not there start as copies of the last */
        ebm_row_kernels_get()->spins->pack(V, x + (b < chains ? b : chains - 1) * V, g->bits + b * stride);
    for (size_t part = 0; part < WORDS; part++)
        for (size_t word = 0; word < stride; word++)
            transpose_units(torus, g, part, word, true);
}

static void store_group(const ebm_torus *torus, const group *g, size_t chains, ebm_real *x) {
    const size_t V = torus->rows * torus->columns, stride = lattice_words(torus);
    for (size_t part = 0; part < WORDS; part++)
        for (size_t word = 0; word < stride; word++)
            transpose_units(torus, g, part, word, false);
    for (size_t b = 0; b < chains; b++)
        ebm_row_kernels_get()->spins->unpack(V, g->bits + b * stride, x + b * V);
}

/* The end rows of a plane, and the other plane's rows turned by one place for the units of `colour`. */
static void arrange_neighbours(const ebm_torus *torus, const group *g, unsigned colour) {
    uint32_t *other = g->plane[1 - colour];
    const size_t row = g->row, bytes = row * sizeof *other;
    memcpy(other - row, other + (torus->rows - 1) * row, bytes);
    memcpy(other + torus->rows * row, other, bytes);
    for (size_t r = 0; r < torus->rows; r++) {
        const uint32_t *from = other + r * row;
        uint32_t *to = g->side + r * row;
        if ((r + colour) % 2 == 0) { /* even columns: the place before */
            memcpy(to, from + row - WORDS, WORDS * sizeof *to);
            memcpy(to + WORDS, from, bytes - WORDS * sizeof *to);
        } else {
            memcpy(to, from + WORDS, bytes - WORDS * sizeof *to);
            memcpy(to + row - WORDS, from, WORDS * sizeof *to);
        }
    }
}

/* Which of the calling region's threads this is. */
static size_t thread_number(void) {
#ifdef _OPENMP
    return (size_t)omp_get_thread_num();
#else
    return 0;
#endif
}

static uint64_t sweep_group(const ebm_torus *torus, const ebm_sweeps *sweeps, ebm_spin_rule rule, const group *g,
                            size_t chains, uint32_t first_chain) {
    const size_t words = plane_words(torus);
    uint64_t changed = 0;
    for (size_t s = 0; s < sweeps->count; s++)
        for (unsigned colour = 0; colour < 2; colour++) {
            const uint32_t *other = g->plane[1 - colour];
            arrange_neighbours(torus, g, colour);
            const ebm_spin_update update = {
                .words = words,
                .padded = padded(words),
                .centre = g->plane[colour],
                .neighbours = {other - g->row, other + g->row, other, g->side},
                .rule = rule,
                .stream = sweeps->stream,
                .counted = chains < GROUP ? ((uint64_t)1 << chains) - 1 : UINT64_MAX,
                .chain = first_chain,
                .step = sweeps->step + s,
                .first_index = (uint32_t)(colour * DRAWS * padded(words)),
            };
            changed += ebm_row_kernels_get()->spins->update(&update);
        }
    return changed;
}

bool ebm_torus_bits_sweep(const ebm_torus *torus, ebm_sweeps *sweeps, size_t chains, ebm_real *x, ebm_work *work) {
    const size_t V = torus->rows * torus->columns, groups = (chains + GROUP - 1) / GROUP, mark = ebm_work_mark(work);
    const int threads = (size_t)ebm_work_threads(work) < groups ? ebm_work_threads(work) : (int)groups;
    const size_t each = (group_words(torus) + 15) / 16 * 16;
    const ebm_spin_rule rule = rule_of(torus, sweeps->rule);
    uint32_t *memory = ebm_work_take(work, each * (size_t)threads, sizeof *memory);
    uint64_t *changed = ebm_work_take(work, groups, sizeof *changed);
    if (!memory || !changed) {
        ebm_work_release(work, mark);
        return false;
    }
    memset(memory, 0, each * (size_t)threads * sizeof *memory);
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t n = 0; n < groups; n++) {
        const group g = group_at(torus, memory + each * thread_number());
        const size_t first = n * GROUP, count = chains - first < GROUP ? chains - first : GROUP;
        load_group(torus, &g, count, x + first * V);
        changed[n] = sweep_group(torus, sweeps, rule, &g, count, sweeps->first_chain + (uint32_t)first);
        store_group(torus, &g, count, x + first * V);
    }
    for (size_t n = 0; n < groups; n++)
        sweeps->accepted += (double)changed[n];
    ebm_work_release(work, mark);
    return true;
}
