/* The wide-vector kernels: one source, compiled once for each instruction set. */
#include "core/row_kernels.h"
#include "ebm/special.h"

#include <math.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define STRING2(a) #a
#define STRING(a) STRING2(a)
#define KERNELS JOIN(ebm_row_kernels_, EBM_KERNEL_SUFFIX)

static void philox(ebm_stream stream, const uint32_t counter[4], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = stream.seed, k1 = stream.purpose;
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)c0 * 0xD2511F53u, p1 = (uint64_t)c2 * 0xCD9E8D57u;
        const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

static void words(ebm_stream stream, uint32_t chain, uint64_t step, size_t first_block, size_t count, uint32_t *out) {
    for (size_t i = 0; i < count; i += 4) {
        const uint32_t counter[4] = {(uint32_t)(first_block + i / 4), chain, (uint32_t)step, (uint32_t)(step >> 32)};
        uint32_t block[4];
        philox(stream, counter, block);
        for (size_t j = 0; j < 4 && i + j < count; j++)
            out[i + j] = block[j];
    }
}

static ebm_real uniform_at(ebm_stream stream, uint32_t chain, uint64_t step, size_t j, uint32_t block[4]) {
    const size_t each = sizeof(ebm_real) / sizeof(uint32_t);
    const size_t at = j * each % 4;
    if (at == 0)
        words(stream, chain, step, j * each / 4, 4, block);
#ifdef EBM_DOUBLE
    return ((double)(((uint64_t)block[at] << 32 | block[at + 1]) >> 12) + 0.5) * 0x1p-52;
#else
    return ((float)(block[at] >> 9) + 0.5f) * 0x1p-23f;
#endif
}

static void sigmoid(size_t N, const ebm_real *f, ebm_real scale, const ebm_real *offset, ebm_real *mean) {
    for (size_t j = 0; j < N; j++)
        mean[j] = (ebm_real)ebm_sigmoid(scale * f[j] + (offset != NULL ? offset[j] : 0));
}

static void bernoulli(size_t N, const ebm_real *f, ebm_real scale, const ebm_real *offset, ebm_stream stream,
                      uint32_t chain, uint64_t step, ebm_real *mean, ebm_real *state) {
    uint32_t block[4];
    for (size_t j = 0; j < N; j++) {
        const ebm_real p = (ebm_real)ebm_sigmoid(scale * f[j] + (offset != NULL ? offset[j] : 0));
        if (mean != NULL)
            mean[j] = p;
        state[j] = uniform_at(stream, chain, step, j, block) < p ? 1 : 0;
    }
}

static void bernoulli_means(size_t N, const ebm_real *p, ebm_stream stream, uint32_t chain, uint64_t step,
                            ebm_real *state) {
    uint32_t block[4];
    for (size_t j = 0; j < N; j++)
        state[j] = uniform_at(stream, chain, step, j, block) < p[j] ? 1 : 0;
}

static double softplus(size_t N, const ebm_real *f, ebm_real scale) {
    double sum = 0;
    for (size_t j = 0; j < N; j++)
        sum += ebm_log1pexp((double)scale * f[j]);
    return sum;
}

static double softplus_difference(size_t N, const ebm_real *f, ebm_real from, ebm_real to, ebm_real change) {
    double sum = 0;
    for (size_t j = 0; j < N; j++) {
        const double s = (double)from * f[j], t = (double)to * f[j], d = (double)change * f[j];
        sum += fabs(d) < 1 ? log1p(ebm_sigmoid(s) * expm1(d)) : ebm_log1pexp(t) - ebm_log1pexp(s);
    }
    return sum;
}

static double dot(size_t N, const ebm_real *x, const ebm_real *w) {
    double sum = 0;
    for (size_t j = 0; j < N; j++)
        sum += (double)x[j] * w[j];
    return sum;
}

static void axpy(size_t N, ebm_real alpha, const ebm_real *x, ebm_real *y) {
    for (size_t j = 0; j < N; j++)
        y[j] += alpha * x[j];
}

static bool is_binary(size_t N, const ebm_real *x) {
    for (size_t j = 0; j < N; j++)
        if (x[j] != 0 && x[j] != 1)
            return false;
    return true;
}

extern const ebm_row_kernels KERNELS;
extern const ebm_sum_kernels JOIN(ebm_sum_kernels_, EBM_KERNEL_SUFFIX);
const ebm_row_kernels KERNELS = {
    .name = STRING(EBM_KERNEL_SUFFIX),
    .words = words,
    .sigmoid = sigmoid,
    .bernoulli = bernoulli,
    .bernoulli_means = bernoulli_means,
    .softplus = softplus,
    .softplus_difference = softplus_difference,
    .dot = dot,
    .axpy = axpy,
    .is_binary = is_binary,
    .sums = &JOIN(ebm_sum_kernels_, EBM_KERNEL_SUFFIX),
};
