/* Philox4x32-10 on several counters at once, for sources compiled once for each instruction set.
 *
 * Every 32-bit number of the state stands in the low half of a 64-bit lane; the high half is left over from products
 * and never read. A lane is one block, so a vector of L lanes gives 4 L words, stored in the order of the plain
 * definition. */
#ifndef EBM_CORE_PHILOX_VECTORS_H
#define EBM_CORE_PHILOX_VECTORS_H

#include "core/vector_math.h"
#include "ebm/random.h"

typedef uint64_t blocks __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef uint64_t blocks_unaligned __attribute__((vector_size(VECTOR_BYTES), may_alias, aligned(4)));

enum { BLOCKS = VECTOR_BYTES / 8, WORDS_AT_ONCE = 4 * BLOCKS };

/* The 64-bit products of the low halves. */
static inline blocks multiply_low_halves(blocks a, blocks b) {
#if defined(__AVX512F__)
    return (blocks)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (blocks)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (blocks)_mm_mul_epu32((__m128i)a, (__m128i)b);
#elif defined(__ARM_NEON)
    return (blocks)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
#else
    return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

static inline blocks xor3(blocks a, blocks b, blocks c) {
#if defined(__AVX512F__)
    return (blocks)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
#else
    return a ^ b ^ c;
#endif
}

/* (a0, b0, a1, b1, ...): both in the order of their lanes */
static inline void interleave(blocks a, blocks b, blocks *low, blocks *high) {
#if VECTOR_BYTES == 64
    *low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    *high = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif VECTOR_BYTES == 32
    *low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    *high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#else
    *low = __builtin_shufflevector(a, b, 0, 2);
    *high = __builtin_shufflevector(a, b, 1, 3);
#endif
}

/* `runs` runs of blocks (runs * BLOCKS in all), run k from first_block[k]; of each run words 0 and 1 of its blocks, then
 * words 2 and 3. Several runs at once keep the multipliers busy: the rounds of one follow each other. */
static inline void philox_runs(ebm_stream stream, uint32_t chain, uint64_t step, int runs, const uint32_t *first_block,
                               blocks out[][2]) {
    enum { MOST = 4 };
    blocks lane = {0};
    for (int i = 0; i < BLOCKS; i++)
        lane[i] = (uint32_t)i;
    blocks c0[MOST], c1[MOST], c2[MOST], c3[MOST];
    for (int k = 0; k < runs; k++) {
        c0[k] = lane + first_block[k]; /* a carry goes into the half that is never read */
        c1[k] = (blocks){0} + chain;
        c2[k] = (blocks){0} + (uint32_t)step;
        c3[k] = (blocks){0} + (step >> 32);
    }
    const blocks multiplier0 = (blocks){0} + 0xD2511F53u, multiplier1 = (blocks){0} + 0xCD9E8D57u;
    uint32_t k0 = stream.seed, k1 = stream.purpose;
    for (int round = 0; round < 10; round++) {
        for (int k = 0; k < runs; k++) {
            const blocks p0 = multiply_low_halves(c0[k], multiplier0), p1 = multiply_low_halves(c2[k], multiplier1);
            c0[k] = xor3(p1 >> 32, c1[k], (blocks){0} + k0);
            c2[k] = xor3(p0 >> 32, c3[k], (blocks){0} + k1);
            c1[k] = p1;
            c3[k] = p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int k = 0; k < runs; k++) {
        out[k][0] = (c0[k] & 0xffffffffu) | c1[k] << 32;
        out[k][1] = (c2[k] & 0xffffffffu) | c3[k] << 32;
    }
}

/* Two vectors of 2 BLOCKS words each: the words of blocks first_block ... first_block + BLOCKS - 1 in their order. */
static inline void philox_vectors(ebm_stream stream, uint32_t chain, uint64_t step, uint32_t first_block,
                                  blocks out[2]) {
    blocks halves[1][2];
    philox_runs(stream, chain, step, 1, &first_block, halves);
    interleave(halves[0][0], halves[0][1], &out[0], &out[1]);
}

/* (w >> 9 + 1/2) 2^-23: a float in [1, 2) with these bits, less 1 - 2^-24; both steps are exact. */
static inline floats uniform_floats(blocks w) {
    typedef uint32_t unsigned_ints __attribute__((vector_size(VECTOR_BYTES)));
    return (floats)((unsigned_ints)w >> 9 | 0x3f800000u) - (1 - 0x1p-24f);
}

#endif
