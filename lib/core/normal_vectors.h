/* Standard normals in float from the blocks of the generator, for sources compiled once for each instruction set.
 *
 * Box & Muller (1958): radius sqrt(-2 log u) and angle are those of two independent normals. Of the words w of a block the
 * first two give radii R0, R1, the other two angles a0, a1, and the block's four normals are
 *   R0 cos a0,  R1 cos a1,  R0 sin a0,  R1 sin a1,
 * so that words need not change lanes. All 32 bits of a word count: with t = (w mod 2^31 + 1/2) 2^-32,
 *   u = t or 1 - t by the highest bit, at least 2^-33, whose radius is 6.76 (beyond it lies 1 normal in 7e10);
 *   the highest bit is also that of the cosine's sign, the next says whether sine and cosine change places, and the rest is the
 *   angle in (-pi / 4, pi / 4), both signs alike.
 * log u keeps its relative error near u = 1 because there it comes from t and not from u. Polynomials interpolate at
 * Chebyshev nodes (relative errors 1.4e-8, 1.3e-8, 1e-9); what is left is rounding, a few units in the last place. */
#ifndef EBM_CORE_NORMAL_VECTORS_H
#define EBM_CORE_NORMAL_VECTORS_H

#include "core/philox_vectors.h"

#include <math.h>

static inline floats square_root(floats x) {
#if defined(__AVX512F__)
    return (floats)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
    return (floats)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
    return (floats)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
    return (floats)vsqrtq_f32((float32x4_t)x);
#else
    for (int i = 0; i < FLOATS; i++)
        x[i] = sqrtf(x[i]);
    return x;
#endif
}

/* a where the mask has ones, b where it has zeros */
static inline floats choose(ints mask, floats a, floats b) {
    return (floats)((mask & (ints)a) | (~mask & (ints)b));
}

/* sqrt(-2 log u) of the words. log u = e log 2 + log(1 + y), -0.293 <= y <= 0.415. */
static inline floats radius_of_words(ints w) {
    const floats t = (__builtin_convertvector(w & 0x7fffffff, floats) + 0.5f) * 0x1p-32f;
    const ints upper = w < 0;
    const floats u = choose(upper, 1 - t, t);
    /* the exponent for which u 2^-e lies in [sqrt(1/2), sqrt(2)) */
    const ints e = ((ints)u - 0x3f3504f3) >> 23;
    const floats mantissa = (floats)((ints)u - (e << 23));
    const floats y = choose(upper & (e == 0), -t, mantissa - 1);
    floats p = multiply_add(all(-0.0767364129f), y, all(0.127226725f));
    p = multiply_add(p, y, all(-0.13127555f));
    p = multiply_add(p, y, all(0.142048553f));
    p = multiply_add(p, y, all(-0.166266456f));
    p = multiply_add(p, y, all(0.200012341f));
    p = multiply_add(p, y, all(-0.250007808f));
    p = multiply_add(p, y, all(0.333333313f));
    p = multiply_add(p, y, all(-0.49999997f));
    const floats exponent = __builtin_convertvector(e, floats);
    const floats rest = multiply_add(exponent, all(-0x1.05c61p-29f), p * y * y);
    const floats log_u = multiply_add(exponent, all(0x1.62e43p-1f), rest + y);
    return square_root(-2 * log_u);
}

/* cosine and sine of the words' angles */
static inline void turn_of_words(ints w, floats *cosine, floats *sine) {
    typedef uint32_t unsigned_ints __attribute__((vector_size(VECTOR_BYTES)));
    const ints centred = (ints)((unsigned_ints)w << 2 | 2); /* between -2^31 and 2^31, an odd number of halves */
    const floats a = __builtin_convertvector(centred, floats) * 0x1.921fb6p-32f, z = a * a;
    floats s = multiply_add(all(-0.000195878907f), z, all(0.00833274797f));
    s = multiply_add(s, z, all(-0.166666642f));
    s = multiply_add(s * z, a, a);
    floats c = multiply_add(all(2.45479423e-05f), z, all(-0.00138883025f));
    c = multiply_add(c, z, all(0.0416666642f));
    c = multiply_add(c, z, all(-0.5f));
    c = multiply_add(c, z, all(1));
    c = (floats)((ints)c ^ (w & INT32_MIN));
    const ints swap = (ints)((unsigned_ints)w << 1) < 0;
    *cosine = choose(swap, s, c);
    *sine = choose(swap, c, s);
}

/* The 4 BLOCKS normals of a run of blocks, as philox_runs leaves it, in their order. */
static inline void normals_of_run(const blocks run[2], float *out) {
    const floats radius = radius_of_words((ints)run[0]);
    floats cosine, sine;
    turn_of_words((ints)run[1], &cosine, &sine);
    blocks low, high;
    interleave((blocks)(radius * cosine), (blocks)(radius * sine), &low, &high);
    store_floats(out, (floats)low);
    store_floats(out + FLOATS, (floats)high);
}

#endif
