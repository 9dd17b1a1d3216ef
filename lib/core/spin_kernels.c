/* Multi-spin coding (Creutz, Jacobs & Rebbi 1979; Zorn, Herrmann & Rebbi 1981), compiled once for each instruction set.
 *
 * With a, b, c, d the neighbours' bits, the number of ups n = 0 ... 4 decides: n odd is a weak field (2 in units of J),
 * n = 0 or 4 a strong one (4), n = 2 none. Every bit compares u < p with its own p: digit by digit from the first, with
 * T the digit of p and r that of u, a bit that is still equal becomes `below` where T = 1, r = 0 and stays equal where
 * T = r. A digit decides half of what is left: after the first nine, one bit in 512 is undecided, and what is left
 * goes one by one, each against 64 more digits. */
#include "core/spin_kernels.h"
#include "core/philox_vectors.h"

#include <string.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define KERNELS JOIN(ebm_spin_kernels_, EBM_KERNEL_SUFFIX)

/* Work goes in chunks of 32 words whatever the width of vectors, so that every instruction set gives the same bits: a
 * vector of the first half of a chunk and one of the second take the two halves of one call of the generator. */
enum {
    CHUNK = EBM_SPIN_PADDING,
    HALF = CHUNK / 2,
    VECTOR_WORDS = VECTOR_BYTES / 4,
    PAIRS = HALF / VECTOR_WORDS,
    AT_ONCE = 3
};

static inline blocks load_words(const uint32_t *p) {
    return *(const blocks_unaligned *)p;
}

static inline void store_words(uint32_t *p, blocks w) {
    *(blocks_unaligned *)p = w;
}

/* What one vector of spins sees. */
typedef struct local_field {
    blocks weak, strong, up; /* up: of weak and strong, where the field points up */
} local_field;

static inline local_field field_of(blocks a, blocks b, blocks c, blocks d) {
    const blocks ab = a ^ b, cd = c ^ d, both_ab = a & b, both_cd = c & d;
    local_field f;
    f.weak = ab ^ cd;
    f.up = (both_ab & (c | d)) | (both_cd & (a | b));
    f.strong = (both_ab & both_cd) | ~(a | b | c | d);
    return f;
}

/* What is known of a chunk's comparisons u < p. */
typedef struct comparison {
    _Alignas(64) uint64_t undecided[CHUNK / 2];
    _Alignas(64) uint64_t below[CHUNK / 2];
    _Alignas(64) uint64_t weak[CHUNK / 2];
} comparison; /* 64 bits at once: any order of the words does, the same in all three */

/* Random words for what the first digits leave undecided, in the order in which they are asked for. */
typedef struct tail {
    const ebm_spin_update *u;
    uint32_t next_index, left;
    uint64_t numbers[CHUNK / 2];
} tail;

static uint64_t next_number(tail *t) {
    if (t->left == 0) {
        for (uint32_t k = 0; k < CHUNK; k += 2 * VECTOR_WORDS) {
            blocks out[2];
            philox_vectors(t->u->stream, t->u->chain, t->u->step, (t->next_index + k) / 4, out);
            memcpy((uint32_t *)t->numbers + k, out, sizeof out);
        }
        t->next_index += CHUNK;
        t->left = CHUNK / 2;
    }
    return t->numbers[CHUNK / 2 - t->left--];
}

/* The rest of each comparison: the digits from EBM_SPIN_DIGITS on. */
static inline void finish_comparison(const ebm_spin_rule *rule, comparison *c, tail *t) {
    const uint64_t weak = rule->weak << EBM_SPIN_DIGITS, strong = rule->strong << EBM_SPIN_DIGITS;
    for (size_t w = 0; w < CHUNK / 2; w++)
        for (uint64_t left = c->undecided[w]; left; left &= left - 1) {
            const uint64_t bit = left & (0 - left);
            if (next_number(t) < (c->weak[w] & bit ? weak : strong))
                c->below[w] |= bit;
        }
}

/* The first digits of every comparison among `asked`, AT_ONCE at a time. Spins without a field go up where the first
 * digit is 0. */
_Static_assert(EBM_SPIN_DIGITS % AT_ONCE == 0, "digits are drawn in whole runs");
static inline void first_digits(const ebm_spin_update *u, size_t position, const local_field f[2], blocks asked[2],
                                blocks below[2], blocks free_up[2]) {
    free_up[0] = free_up[1] = (blocks){0};
    for (unsigned first = 0; first < EBM_SPIN_DIGITS; first += AT_ONCE) {
        uint32_t index[AT_ONCE];
        blocks r[AT_ONCE][2];
        for (unsigned k = 0; k < AT_ONCE; k++)
            index[k] = (u->first_index + (first + k) * (uint32_t)u->padded + (uint32_t)position) / 4;
        philox_runs(u->stream, u->chain, u->step, AT_ONCE, index, r);
        for (unsigned k = 0; k < AT_ONCE; k++) {
            const blocks weak = (blocks){0} - (u->rule.weak >> (63 - first - k) & 1u);
            const blocks strong = (blocks){0} - (u->rule.strong >> (63 - first - k) & 1u);
            for (int i = 0; i < 2; i++) {
                const blocks T = (f[i].weak & weak) | (f[i].strong & strong);
                if (first + k == 0)
                    free_up[i] = ~r[k][i];
                below[i] |= asked[i] & T & ~r[k][i];
                asked[i] &= ~(T ^ r[k][i]);
            }
        }
    }
}

/* The new spins of one chunk, from what was drawn. */
static inline blocks new_spins(const ebm_spin_rule *rule, blocks s, const local_field *f, blocks asked, blocks below,
                               blocks free_up) {
    const blocks pulled = f->weak | f->strong;
    if (rule->metropolis)
        return s ^ (~asked | below);
    return (pulled & (f->up ^ below)) | (~pulled & free_up);
}

static inline void update_chunk(const ebm_spin_update *u, size_t chunk, tail *t) {
    const blocks turn = (blocks){0} - (uint64_t)u->rule.antiferromagnetic;
    local_field f[PAIRS][2];
    blocks s[PAIRS][2], asked[PAIRS][2], free_up[PAIRS][2];
    comparison c;
    for (int pair = 0; pair < PAIRS; pair++) {
        blocks undecided[2], below[2] = {{0}, {0}};
        for (int i = 0; i < 2; i++) {
            const size_t at = chunk + (size_t)(i * HALF + pair * VECTOR_WORDS);
            f[pair][i] = field_of(load_words(u->neighbours[0] + at), load_words(u->neighbours[1] + at),
                                  load_words(u->neighbours[2] + at), load_words(u->neighbours[3] + at));
            s[pair][i] = load_words(u->centre + at);
            asked[pair][i] = (f[pair][i].weak | f[pair][i].strong) & u->counted;
            if (u->rule.metropolis) /* only what would raise the energy has to draw */
                asked[pair][i] &= ~(s[pair][i] ^ f[pair][i].up ^ turn);
            undecided[i] = asked[pair][i];
        }
        first_digits(u, chunk + (size_t)(pair * 2 * VECTOR_WORDS), f[pair], undecided, below, free_up[pair]);
        for (int i = 0; i < 2; i++) {
            const int at = i * HALF + pair * VECTOR_WORDS;
            store_words((uint32_t *)c.undecided + at, undecided[i]);
            store_words((uint32_t *)c.below + at, below[i]);
            store_words((uint32_t *)c.weak + at, f[pair][i].weak);
        }
    }
    finish_comparison(&u->rule, &c, t);
    for (int pair = 0; pair < PAIRS; pair++)
        for (int i = 0; i < 2; i++) {
            const int at = i * HALF + pair * VECTOR_WORDS;
            const blocks below = load_words((const uint32_t *)c.below + at);
            store_words(u->centre + chunk + at,
                        new_spins(&u->rule, s[pair][i], &f[pair][i], asked[pair][i], below, free_up[pair][i]));
        }
}

/* Bits that differ among the first `words` words. */
static inline uint64_t count_flips(const uint32_t *before, const uint32_t *after, size_t words, uint64_t counted) {
    uint64_t count = 0;
    for (size_t w = 0; w < words; w += 2) {
        uint64_t old, new;
        memcpy(&old, before + w, sizeof old);
        memcpy(&new, after + w, sizeof new);
        count += (uint64_t)__builtin_popcountll((old ^ new) & counted);
    }
    return count;
}

static uint64_t update(const ebm_spin_update *u) {
    tail t = {.u = u, .next_index = u->first_index + EBM_SPIN_DIGITS * (uint32_t)u->padded};
    uint64_t flips = 0;
    for (size_t chunk = 0; chunk < u->words; chunk += CHUNK) {
        uint32_t before[CHUNK];
        if (u->rule.metropolis)
            memcpy(before, u->centre + chunk, sizeof before);
        update_chunk(u, chunk, &t);
        if (u->rule.metropolis)
            flips +=
                count_flips(before, u->centre + chunk, u->words - chunk < CHUNK ? u->words - chunk : CHUNK, u->counted);
    }
    return flips;
}

static void pack(size_t count, const ebm_real *x, uint32_t *bits) {
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        uint32_t word = 0;
        for (unsigned k = 0; k < 32; k++)
            word |= (uint32_t)(x[i + k] > 0) << k;
        bits[i / 32] = word;
    }
    if (i < count) {
        uint32_t word = 0;
        for (unsigned k = 0; i + k < count; k++)
            word |= (uint32_t)(x[i + k] > 0) << k;
        bits[i / 32] = word;
    }
}

static void unpack(size_t count, const uint32_t *bits, ebm_real *x) {
    size_t i = 0;
    for (; i + 32 <= count; i += 32)
        for (unsigned k = 0; k < 32; k++)
            x[i + k] = (ebm_real)((int32_t)(bits[i / 32] >> k & 1u) * 2 - 1);
    for (; i < count; i++)
        x[i] = (ebm_real)((int32_t)(bits[i / 32] >> i % 32 & 1u) * 2 - 1);
}

extern const ebm_spin_kernels KERNELS;
const ebm_spin_kernels KERNELS = {.update = update, .pack = pack, .unpack = unpack};
