/* Sums of products at a distance, over several series of one length, computed as far as they are asked for. */
#ifndef EBM_ESTIMATORS_AUTOCOVARIANCE_H
#define EBM_ESTIMATORS_AUTOCOVARIANCE_H

#include <stddef.h>
#include <stdint.h>

/* Transforms up to a power of two of at least twice the length. The twiddle factors may be shared between threads. */
typedef struct ebm_transform {
    size_t size;
    double *cosine, *sine; /* (size) each: exp(2 pi i j / n) at n / 2 + j, j < n / 2, n = 2, 4 ... size */
} ebm_transform;

size_t ebm_transform_size(size_t length);
void ebm_transform_fill(ebm_transform *transform);

/* sum[t] = sum over series and i < length - t of y_i y_(i+t), for t < known. A series is either given, centred, in
 * `dense`, or is an indicator minus its mean in its series, given by the places of its ones; those of series s are
 * position[begin[s]] ... position[begin[s + 1] - 1], ascending. */
typedef struct ebm_autocovariance {
    const ebm_transform *transform;
    size_t series, length, known;
    double *sum;    /* (length) */
    double *buffer; /* ebm_autocovariance_buffer doubles, aligned to 64 bytes */
    double *dense;  /* (series, length); for an indicator filled when a transform needs it */
    const uint32_t *position;
    const size_t *begin; /* (series + 1); NULL for dense series */
} ebm_autocovariance;

/* The number of doubles of `buffer`. */
size_t ebm_autocovariance_buffer(size_t length);
/* Make sum[lag] known; lag < length. */
void ebm_autocovariance_extend(ebm_autocovariance *a, size_t lag);

static inline double ebm_autocovariance_sum(ebm_autocovariance *a, size_t lag) {
    if (lag >= a->known)
        ebm_autocovariance_extend(a, lag);
    return a->sum[lag];
}

#endif
