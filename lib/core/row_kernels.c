/* Kernels along a row: random states, normals, logistic and softplus. One source, compiled once for each instruction set.
 *
 * In float a row goes in vectors, its end padded with zeros through a buffer, so that every element is computed alike.
 * In double, which is for testing, the loops are plain and call the C library. */
#include "core/row_kernels.h"
#include "core/normal_vectors.h"
#include "core/philox_vectors.h"
#include "core/vector_math.h"
#include "ebm/special.h"

#include <math.h>
#include <string.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define STRING2(a) #a
#define STRING(a) STRING2(a)
#define KERNELS JOIN(ebm_row_kernels_, EBM_KERNEL_SUFFIX)

static void words(ebm_stream stream, uint32_t chain, uint64_t step, size_t first_block, size_t count, uint32_t *out) {
    blocks pair[2];
    size_t i = 0;
    for (; i + WORDS_AT_ONCE <= count; i += WORDS_AT_ONCE) {
        philox_vectors(stream, chain, step, (uint32_t)(first_block + i / 4), pair);
        *(blocks_unaligned *)(out + i) = pair[0];
        *(blocks_unaligned *)(out + i + WORDS_AT_ONCE / 2) = pair[1];
    }
    if (i < count) {
        philox_vectors(stream, chain, step, (uint32_t)(first_block + i / 4), pair);
        memcpy(out + i, pair, (count - i) * sizeof *out);
    }
}

#ifndef EBM_DOUBLE

static inline floats affine(floats f, float scale, floats offset) {
    return scale * f + offset;
}

static inline floats ones_where(ints mask) {
    return (floats)(mask & (ints)all(1));
}

static void sigmoid(size_t N, const float *f, float scale, const float *offset, float *mean) {
    size_t j = 0;
    for (; j + FLOATS <= N; j += FLOATS)
        store_floats(mean + j, sigmoid_floats(affine(load_floats(f + j), scale,
                                                     offset != NULL ? load_floats(offset + j) : (floats){0})));
    if (j < N) {
        float field[FLOATS] = {0}, shift[FLOATS] = {0}, means[FLOATS];
        memcpy(field, f + j, (N - j) * sizeof *f);
        if (offset != NULL)
            memcpy(shift, offset + j, (N - j) * sizeof *f);
        store_floats(means, sigmoid_floats(affine(load_floats(field), scale, load_floats(shift))));
        memcpy(mean + j, means, (N - j) * sizeof *f);
    }
}

/* Two vectors, which is what one call of the generator serves. */
static inline void bernoulli_pair(const float *f, float scale, const float *offset, ebm_stream stream, uint32_t chain,
                                  uint64_t step, size_t j, float *mean, float *state) {
    blocks pair[2];
    philox_vectors(stream, chain, step, (uint32_t)(j / 4), pair);
    for (int i = 0; i < 2; i++) {
        const floats shift = offset != NULL ? load_floats(offset + i * FLOATS) : (floats){0};
        const floats p = sigmoid_floats(affine(load_floats(f + i * FLOATS), scale, shift));
        if (mean != NULL)
            store_floats(mean + i * FLOATS, p);
        store_floats(state + i * FLOATS, ones_where(uniform_floats(pair[i]) < p));
    }
}

static void bernoulli(size_t N, const float *f, float scale, const float *offset, ebm_stream stream, uint32_t chain,
                      uint64_t step, float *mean, float *state) {
    size_t j = 0;
    for (; j + 2 * FLOATS <= N; j += 2 * FLOATS)
        bernoulli_pair(f + j, scale, offset != NULL ? offset + j : NULL, stream, chain, step, j,
                       mean != NULL ? mean + j : NULL, state + j);
    if (j < N) {
        const size_t bytes = (N - j) * sizeof *f;
        float field[2 * FLOATS] = {0}, shift[2 * FLOATS] = {0}, means[2 * FLOATS], states[2 * FLOATS];
        memcpy(field, f + j, bytes);
        if (offset != NULL)
            memcpy(shift, offset + j, bytes);
        bernoulli_pair(field, scale, shift, stream, chain, step, j, means, states);
        if (mean != NULL)
            memcpy(mean + j, means, bytes);
        memcpy(state + j, states, bytes);
    }
}

static void bernoulli_means(size_t N, const float *p, ebm_stream stream, uint32_t chain, uint64_t step, float *state) {
    for (size_t j = 0; j < N; j += 2 * FLOATS) {
        const size_t n = N - j < 2 * FLOATS ? N - j : 2 * FLOATS;
        float means[2 * FLOATS] = {0}, states[2 * FLOATS];
        memcpy(means, p + j, n * sizeof *p);
        blocks pair[2];
        philox_vectors(stream, chain, step, (uint32_t)(j / 4), pair);
        for (int i = 0; i < 2; i++)
            store_floats(states + i * FLOATS, ones_where(uniform_floats(pair[i]) < load_floats(means + i * FLOATS)));
        memcpy(state + j, states, n * sizeof *p);
    }
}

static void normals(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, float *out) {
    enum { RUNS = 2, AT_ONCE = RUNS * WORDS_AT_ONCE };
    for (size_t i = 0; i < count; i += AT_ONCE) {
        const uint32_t block = (uint32_t)(i / 4), first[RUNS] = {block, block + BLOCKS};
        const bool whole = i + AT_ONCE <= count;
        float buffer[AT_ONCE], *to = whole ? out + i : buffer;
        blocks run[RUNS][2];
        philox_runs(stream, chain, step, RUNS, first, run);
        for (int k = 0; k < RUNS; k++)
            normals_of_run(run[k], to + k * WORDS_AT_ONCE);
        if (!whole)
            memcpy(out + i, buffer, (count - i) * sizeof *out);
    }
}

static double softplus(size_t N, const float *f, float scale) {
    doubles sum = {0};
    size_t j = 0;
    for (; j + FLOATS <= N; j += FLOATS)
        sum = add_in_double(sum, log1pexp_floats(scale * load_floats(f + j)));
    double rest = 0;
    if (j < N) {
        float field[FLOATS] = {0}, value[FLOATS];
        memcpy(field, f + j, (N - j) * sizeof *f);
        store_floats(value, log1pexp_floats(scale * load_floats(field)));
        for (size_t i = 0; i < N - j; i++)
            rest += value[i];
    }
    return total(sum) + rest;
}

/* A field of 0 has a difference of exactly 0, so padding needs no care. */
static double softplus_difference(size_t N, const float *f, float from, float to, float change) {
    doubles sum = {0};
    for (size_t j = 0; j < N; j += FLOATS) {
        floats field;
        if (j + FLOATS <= N) {
            field = load_floats(f + j);
        } else {
            float padded[FLOATS] = {0};
            memcpy(padded, f + j, (N - j) * sizeof *f);
            field = load_floats(padded);
        }
        sum = add_in_double(sum, log1pexp_difference(from * field, to * field, change * field));
    }
    return total(sum);
}

#else

static double uniform_at(ebm_stream stream, uint32_t chain, uint64_t step, size_t j, uint32_t block[4]) {
    const size_t at = 2 * j % 4;
    if (at == 0)
        words(stream, chain, step, 2 * j / 4, 4, block);
    return ((double)(((uint64_t)block[at] << 32 | block[at + 1]) >> 12) + 0.5) * 0x1p-52;
}

static void normals(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, double *out) {
    uint32_t block[4];
    for (size_t i = 0; i < count; i += 2) {
        const double radius = sqrt(-2 * log(uniform_at(stream, chain, step, i, block)));
        const double angle = 2 * M_PI * uniform_at(stream, chain, step, i + 1, block);
        out[i] = radius * cos(angle);
        if (i + 1 < count)
            out[i + 1] = radius * sin(angle);
    }
}

static void sigmoid(size_t N, const double *f, double scale, const double *offset, double *mean) {
    for (size_t j = 0; j < N; j++)
        mean[j] = ebm_sigmoid(scale * f[j] + (offset != NULL ? offset[j] : 0));
}

static void bernoulli(size_t N, const double *f, double scale, const double *offset, ebm_stream stream, uint32_t chain,
                      uint64_t step, double *mean, double *state) {
    uint32_t block[4];
    for (size_t j = 0; j < N; j++) {
        const double p = ebm_sigmoid(scale * f[j] + (offset != NULL ? offset[j] : 0));
        if (mean != NULL)
            mean[j] = p;
        state[j] = uniform_at(stream, chain, step, j, block) < p ? 1 : 0;
    }
}

static void bernoulli_means(size_t N, const double *p, ebm_stream stream, uint32_t chain, uint64_t step,
                            double *state) {
    uint32_t block[4];
    for (size_t j = 0; j < N; j++)
        state[j] = uniform_at(stream, chain, step, j, block) < p[j] ? 1 : 0;
}

static double softplus(size_t N, const double *f, double scale) {
    double sum = 0;
    for (size_t j = 0; j < N; j++)
        sum += ebm_log1pexp(scale * f[j]);
    return sum;
}

static double softplus_difference(size_t N, const double *f, double from, double to, double change) {
    double sum = 0;
    for (size_t j = 0; j < N; j++) {
        const double s = from * f[j], t = to * f[j], d = change * f[j];
        if (fabs(d) < 1)
            sum += log1p(ebm_sigmoid(s) * expm1(d));
        else
            sum += ebm_log1pexp(t) - ebm_log1pexp(s);
    }
    return sum;
}

#endif

/* Eight partial sums, in an order that the count alone fixes. */
static double dot(size_t N, const ebm_real *x, const ebm_real *w) {
    enum { PARTS = 8 };
    double part[PARTS] = {0}, sum = 0;
    size_t j = 0;
    for (; j + PARTS <= N; j += PARTS)
        for (int i = 0; i < PARTS; i++)
            part[i] += (double)x[j + i] * (double)w[j + i];
    for (; j < N; j++)
        sum += (double)x[j] * (double)w[j];
    for (int i = 0; i < PARTS; i++)
        sum += part[i];
    return sum;
}

static void column_sums(size_t rows, size_t columns, const ebm_real *x, size_t ldx, const ebm_real *weight,
                        double *sums) {
    for (size_t j = 0; j < columns; j++)
        sums[j] = 0;
    for (size_t b = 0; b < rows; b++) {
        const ebm_real *row = x + b * ldx;
        const double w = weight != NULL ? weight[b] : 1;
        for (size_t j = 0; j < columns; j++)
            sums[j] += w * row[j];
    }
}

static void axpy(size_t N, ebm_real alpha, const ebm_real *x, ebm_real *y) {
    for (size_t j = 0; j < N; j++)
        y[j] += alpha * x[j];
}

static bool is_binary(size_t N, const ebm_real *x) {
    enum { PIECE = 256 };
    for (size_t first = 0; first < N; first += PIECE) {
        const size_t n = N - first < PIECE ? N - first : PIECE;
        int wrong = 0;
        for (size_t j = first; j < first + n; j++)
            wrong |= !(x[j] == 0) & !(x[j] == 1);
        if (wrong)
            return false;
    }
    return true;
}

extern const ebm_row_kernels KERNELS;
extern const ebm_sum_kernels JOIN(ebm_sum_kernels_, EBM_KERNEL_SUFFIX);
extern const ebm_spin_kernels JOIN(ebm_spin_kernels_, EBM_KERNEL_SUFFIX);
extern const ebm_dense_kernels JOIN(ebm_dense_kernels_, EBM_KERNEL_SUFFIX);
extern const ebm_phase_kernels JOIN(ebm_phase_kernels_, EBM_KERNEL_SUFFIX);
const ebm_row_kernels KERNELS = {
    .name = STRING(EBM_KERNEL_SUFFIX),
    .words = words,
    .normals = normals,
    .sigmoid = sigmoid,
    .bernoulli = bernoulli,
    .bernoulli_means = bernoulli_means,
    .softplus = softplus,
    .softplus_difference = softplus_difference,
    .dot = dot,
    .column_sums = column_sums,
    .axpy = axpy,
    .is_binary = is_binary,
    .sums = &JOIN(ebm_sum_kernels_, EBM_KERNEL_SUFFIX),
    .spins = &JOIN(ebm_spin_kernels_, EBM_KERNEL_SUFFIX),
    .dense = &JOIN(ebm_dense_kernels_, EBM_KERNEL_SUFFIX),
    .phase = &JOIN(ebm_phase_kernels_, EBM_KERNEL_SUFFIX),
};
