/* exp, log(1 + exp) and their kin on vectors of float, for sources compiled once for each instruction set.
 *
 * Polynomials interpolate at Chebyshev nodes (relative error below 2e-8, a third of a unit in the last place of float);
 * what is left is rounding. Arguments beyond the range of float's exponent are clamped where the result no longer
 * changes, so finite arguments never give an infinity or a NaN, and NaN gives NaN. */
#ifndef EBM_CORE_VECTOR_MATH_H
#define EBM_CORE_VECTOR_MATH_H

#include "core/vectors.h"

#include <string.h>

typedef float floats __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef float floats_unaligned __attribute__((vector_size(VECTOR_BYTES), may_alias, aligned(4)));
typedef int32_t ints __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef double doubles __attribute__((vector_size(VECTOR_BYTES), may_alias));

enum { FLOATS = VECTOR_BYTES / 4 };

static inline floats load_floats(const float *x) {
    return *(const floats_unaligned *)x;
}

static inline void store_floats(float *x, floats v) {
    *(floats_unaligned *)x = v;
}

static inline floats all(float x) {
    return x - (floats){0};
}

/* a b + c, fused where the instruction set has it */
static inline floats multiply_add(floats a, floats b, floats c) {
#if defined(__AVX512F__)
    return (floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
    return (floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
    return (floats)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}

/* The larger (smaller) of the two; NaN in x stays. */
static inline floats at_least(floats x, float bound) {
#if defined(__AVX512F__)
    return (floats)_mm512_max_ps((__m512)all(bound), (__m512)x);
#elif defined(__AVX2__)
    return (floats)_mm256_max_ps((__m256)all(bound), (__m256)x);
#else
    const ints below = x < all(bound);
    return (floats)((below & (ints)all(bound)) | (~below & (ints)x));
#endif
}

static inline floats at_most(floats x, float bound) {
#if defined(__AVX512F__)
    return (floats)_mm512_min_ps((__m512)all(bound), (__m512)x);
#elif defined(__AVX2__)
    return (floats)_mm256_min_ps((__m256)all(bound), (__m256)x);
#else
    const ints above = x > all(bound);
    return (floats)((above & (ints)all(bound)) | (~above & (ints)x));
#endif
}

static inline floats magnitude(floats x) {
    return (floats)((ints)x & 0x7fffffff);
}

static inline int any(ints mask) {
#if defined(__AVX512F__)
    return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif defined(__AVX2__)
    return _mm256_movemask_ps((__m256)mask) != 0;
#else
    int found = 0;
    for (int i = 0; i < FLOATS; i++)
        found |= mask[i];
    return found != 0;
#endif
}

/* e^x for x clamped to [-87, 88]: e^x = 2^n e^r with n the nearest integer to x / log 2 and |r| <= log(2) / 2. */
static inline floats exp_floats(floats x) {
    const float to_integer = 0x1.8p23f; /* adding it rounds to an integer, which then stands in the low bits */
    x = at_most(at_least(x, -87), 88);
    const floats shifted = multiply_add(x, all(0x1.715476p0f), all(to_integer));
    const floats n = shifted - to_integer;
    floats r = multiply_add(n, all(-0x1.62e4p-1f), x); /* n times these 16 bits is exact */
    r = multiply_add(n, all(-0x1.7f7d1cp-20f), r);
    floats p = multiply_add(all(0.0013926184f), r, all(0.00836317893f));
    p = multiply_add(p, r, all(0.0416665561f));
    p = multiply_add(p, r, all(0.166665763f));
    p = multiply_add(p, r, all(0.5f));
    p = multiply_add(p * r, r, r) + 1;
    return (floats)((ints)p + ((ints)shifted << 23));
}

/* e^x - 1 for |x| <= 1 */
static inline floats expm1_floats(floats x) {
    floats p = multiply_add(all(2.80628024e-06f), x, all(2.53585131e-05f));
    p = multiply_add(p, x, all(0.000198381022f));
    p = multiply_add(p, x, all(0.00138853968f));
    p = multiply_add(p, x, all(0.00833333936f));
    p = multiply_add(p, x, all(0.041666735f));
    p = multiply_add(p, x, all(0.166666672f));
    p = multiply_add(p, x, all(0.5f));
    return multiply_add(p * x, x, x);
}

/* 2 atanh(s) = log((1 + s) / (1 - s)) for s^2 <= 0.214 */
static inline floats two_atanh(floats s) {
    const floats y = s * s;
    floats p = multiply_add(all(0.140749484f), y, all(0.073647514f));
    p = multiply_add(p, y, all(0.113133244f));
    p = multiply_add(p, y, all(0.142752796f));
    p = multiply_add(p, y, all(0.20000194f));
    p = multiply_add(p, y, all(0.333333313f));
    const floats twice = s + s;
    return multiply_add(p * y, twice, twice);
}

static inline floats sigmoid_floats(floats x) {
    return 1 / (1 + exp_floats(-x));
}

/* log(1 + e^-|x|) = 2 atanh(e / (2 + e)) with e = e^-|x| */
static inline floats log1pexp_rest(floats x) {
    const floats e = exp_floats(-magnitude(x));
    return two_atanh(e / (2 + e));
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|) */
static inline floats log1pexp_floats(floats x) {
    return at_least(x, 0) + log1pexp_rest(x);
}

/* log(1 + e^t) - log(1 + e^s), given also d = t - s without its cancellation.
 * Near: log(1 + sigmoid(s) (e^d - 1)) = 2 atanh(m / (2 + 2 e^-s + m)), m = e^d - 1.
 * Far, |d| > 1: the difference of both, the linear parts first, which cancel. */
static inline floats log1pexp_difference(floats s, floats t, floats d) {
    const ints far = magnitude(d) > 1;
    const floats m = expm1_floats(at_most(at_least(d, -1), 1)), e = exp_floats(-s);
    floats result = two_atanh(m / (2 + (e + e) + m));
    if (any(far)) {
        const ints both_positive = (s > 0) & (t > 0);
        const floats linear = at_least(t, 0) - at_least(s, 0);
        const floats change = (floats)((both_positive & (ints)d) | (~both_positive & (ints)linear));
        const floats direct = change + (log1pexp_rest(t) - log1pexp_rest(s));
        result = (floats)((far & (ints)direct) | (~far & (ints)result));
    }
    return result;
}

/* sum + both halves of x in double */
static inline doubles add_in_double(doubles sum, floats x) {
#if defined(__AVX512F__)
    const __m512 v = (__m512)x;
    const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(v));
    const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
    return sum + (doubles)low + (doubles)high;
#else
    typedef float half_floats __attribute__((vector_size(VECTOR_BYTES / 2), may_alias));
    half_floats half[2];
    memcpy(half, &x, sizeof half);
    return sum + __builtin_convertvector(half[0], doubles) + __builtin_convertvector(half[1], doubles);
#endif
}

static inline double total(doubles sum) {
    double x = 0;
    for (int i = 0; i < VECTOR_BYTES / 8; i++)
        x += sum[i];
    return x;
}

#endif
