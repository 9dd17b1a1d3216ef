/* Vectors of the width that the compiler may use in this file, for sources compiled once for each instruction set.
 *
 * `real_vector` holds LANES numbers; GCC's and clang's vector arithmetic applies to it. `real_vector_unaligned` is the
 * same for loads and stores at any element. */
#ifndef EBM_CORE_VECTORS_H
#define EBM_CORE_VECTORS_H

#include "ebm/real.h"

#include <stdint.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#include <immintrin.h>
#define VECTOR_BYTES 32
#elif defined(__SSE2__)
#include <immintrin.h>
#define VECTOR_BYTES 16
#else
#define VECTOR_BYTES 16
#if defined(__ARM_NEON)
#include <arm_neon.h>
#endif
#endif

#define LANES (VECTOR_BYTES / (int)sizeof(ebm_real))

typedef ebm_real real_vector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef ebm_real real_vector_unaligned
    __attribute__((vector_size(VECTOR_BYTES), may_alias, aligned(__alignof__(ebm_real))));

static inline real_vector load_reals(const ebm_real *x) {
    return *(const real_vector_unaligned *)x;
}

static inline void store_reals(ebm_real *x, real_vector v) {
    *(real_vector_unaligned *)x = v;
}

#endif
