/* Squares of FLOATS x FLOATS floats transposed in registers, for sources compiled once for each instruction set.
 *
 * Of ever smaller squares those off the diagonal change places (Eklundh 1972, "A fast computer method for matrix
 * transposing"). */
#ifndef EBM_CORE_VECTOR_TRANSPOSE_H
#define EBM_CORE_VECTOR_TRANSPOSE_H

#include "core/vector_math.h"

/* Element e of the two results of exchanging squares of side h. */
#define TRANSPOSE_FIRST(h, e) ((e) & (h) ? FLOATS + (e) - (h) : (e))
#define TRANSPOSE_SECOND(h, e) ((e) & (h) ? FLOATS + (e) : (e) + (h))
#define TRANSPOSE_4(M, h, e) M(h, e), M(h, e + 1), M(h, e + 2), M(h, e + 3)
#if VECTOR_BYTES == 64
#define TRANSPOSE_ALL(M, h) TRANSPOSE_4(M, h, 0), TRANSPOSE_4(M, h, 4), TRANSPOSE_4(M, h, 8), TRANSPOSE_4(M, h, 12)
#elif VECTOR_BYTES == 32
#define TRANSPOSE_ALL(M, h) TRANSPOSE_4(M, h, 0), TRANSPOSE_4(M, h, 4)
#else
#define TRANSPOSE_ALL(M, h) TRANSPOSE_4(M, h, 0)
#endif

#define TRANSPOSE_STAGE(v, h)                                                                                          \
    for (int i = 0; i < FLOATS; i++)                                                                                   \
        if (!(i & (h))) {                                                                                              \
            const floats a = (v)[i], b = (v)[i + (h)];                                                                 \
            (v)[i] = __builtin_shufflevector(a, b, TRANSPOSE_ALL(TRANSPOSE_FIRST, h));                                 \
            (v)[i + (h)] = __builtin_shufflevector(a, b, TRANSPOSE_ALL(TRANSPOSE_SECOND, h));                          \
        }

static inline void transpose_floats(floats v[FLOATS]) {
#if VECTOR_BYTES == 64
    TRANSPOSE_STAGE(v, 8)
#endif
#if VECTOR_BYTES >= 32
    TRANSPOSE_STAGE(v, 4)
#endif
    TRANSPOSE_STAGE(v, 2)
    TRANSPOSE_STAGE(v, 1)
}

#endif
