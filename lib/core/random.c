/* Counter-based random numbers. The generator is Random123's Philox4x32-10 (J. Salmon, M. Moraes, R. Dror, D. Shaw,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011); long runs of words come from the wide-vector kernels, which
 * compute the same function on many counters at once.
 *
 * Normals: G. Box, M. Muller, "A note on the generation of random normal deviates" (1958),
 *   n(2i) = sqrt(-2 log u(2i)) cos(2 pi u(2i+1)),  n(2i+1) = sqrt(-2 log u(2i)) sin(2 pi u(2i+1)),
 * which is the plain run; long runs in float pair the words of a block otherwise (normal_vectors.h).
 *
 * Gammas: G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables" (2000). With d = shape - 1/3 and
 * c = 1 / sqrt(9 d), the variable d v, v = (1 + c z)^3 with z normal, is kept where log u < z^2 / 2 + d (1 - v + log v);
 * shapes below 1 by Gamma(a) = Gamma(a + 1) U^(1/a), their section 6. */
#include "ebm/random.h"
#include "core/row_kernels.h"

#include <Random123/philox.h>
#include <math.h>

enum { PIECE = 256 }; /* words made at a time; a multiple of 4, so that pieces start on a block */

void ebm_philox(ebm_stream stream, const uint32_t counter[4], uint32_t out[4]) {
    const philox4x32_key_t key = {{stream.seed, stream.purpose}};
    const philox4x32_ctr_t at = {{counter[0], counter[1], counter[2], counter[3]}};
    const philox4x32_ctr_t words = philox4x32_R(10, at, key);
    for (int i = 0; i < 4; i++)
        out[i] = words.v[i];
}

/* The block that holds words 4 block ... 4 block + 3 of (chain, step). */
static void block_of(ebm_stream stream, uint32_t chain, uint64_t step, uint32_t block, uint32_t out[4]) {
    const uint32_t counter[4] = {block, chain, (uint32_t)step, (uint32_t)(step >> 32)};
    ebm_philox(stream, counter, out);
}

void ebm_random_words(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, uint32_t *out) {
    ebm_row_kernels_get()->words(stream, chain, step, 0, count, out);
}

/* An odd multiple of 2^-53 in (0, 1), exact in double. */
static double uniform_of_pair(uint32_t high, uint32_t low) {
    const uint64_t bits = ((uint64_t)high << 32 | low) >> 12;
    return ((double)bits + 0.5) * 0x1p-52;
}

void ebm_random_uniform(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, ebm_real *out) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t words_each = sizeof(ebm_real) / sizeof(uint32_t), piece = PIECE / words_each;
    uint32_t words[PIECE];
    for (size_t first = 0; first < count; first += piece) {
        const size_t n = count - first < piece ? count - first : piece;
        kernels->words(stream, chain, step, first * words_each / 4, n * words_each, words);
        for (size_t i = 0; i < n; i++) {
#ifdef EBM_DOUBLE
            out[first + i] = uniform_of_pair(words[2 * i], words[2 * i + 1]);
#else
            out[first + i] = ((float)(words[i] >> 9) + 0.5f) * 0x1p-23f;
#endif
        }
    }
}

void ebm_random_normal_plain(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, ebm_real *out) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t words_each = sizeof(ebm_real) / sizeof(uint32_t), piece = PIECE / words_each;
    uint32_t words[PIECE];
    for (size_t first = 0; first < count; first += piece) {
        const size_t n = count - first < piece ? count - first : piece, pairs = (n + 1) / 2;
        kernels->words(stream, chain, step, first * words_each / 4, 2 * pairs * words_each, words);
        for (size_t i = 0; i < pairs; i++) {
#ifdef EBM_DOUBLE
            const double u = uniform_of_pair(words[4 * i], words[4 * i + 1]);
            const double v = uniform_of_pair(words[4 * i + 2], words[4 * i + 3]);
            const double radius = sqrt(-2 * log(u)), angle = 2 * M_PI * v;
            const double cosine = cos(angle), sine = sin(angle);
#else
            const float u = ((float)(words[2 * i] >> 9) + 0.5f) * 0x1p-23f;
            const float v = ((float)(words[2 * i + 1] >> 9) + 0.5f) * 0x1p-23f;
            const float radius = sqrtf(-2 * logf(u)), angle = (float)(2 * M_PI) * v;
            const float cosine = cosf(angle), sine = sinf(angle);
#endif
            out[first + 2 * i] = radius * cosine;
            if (2 * i + 1 < n)
                out[first + 2 * i + 1] = radius * sine;
        }
    }
}

void ebm_random_normal(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, ebm_real *out) {
    ebm_row_kernels_get()->normals(stream, chain, step, count, out);
}

double ebm_random_uniform1(ebm_stream stream, uint32_t chain, uint64_t step, uint32_t index) {
    uint32_t words[4];
    block_of(stream, chain, step, index / 2, words);
    const int at = (index % 2) * 2;
    return uniform_of_pair(words[at], words[at + 1]);
}

double ebm_random_normal1(ebm_stream stream, uint32_t chain, uint64_t step, uint32_t index) {
    const double u = ebm_random_uniform1(stream, chain, step, index);
    const double v = ebm_random_uniform1(stream, chain, step, index + 1);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

double ebm_random_gamma1(ebm_stream stream, uint32_t chain, uint64_t step, uint32_t index, double shape) {
    const double raised = shape < 1 ? shape + 1 : shape, d = raised - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (uint32_t at = index + 1;; at += 3) {
        const double z = ebm_random_normal1(stream, chain, step, at), root = 1 + c * z, v = root * root * root;
        if (root <= 0 || log(ebm_random_uniform1(stream, chain, step, at + 2)) >= 0.5 * z * z + d * (1 - v + log(v)))
            continue;
        return shape < 1 ? d * v * exp(log(ebm_random_uniform1(stream, chain, step, index)) / shape) : d * v;
    }
}

uint32_t ebm_random_below(ebm_stream stream, uint32_t chain, uint64_t step, uint32_t index, uint32_t bound) {
    /* floor(r bound / 2^128) with the 128 bits r of block `index`: each value's probability is 1 / bound to 2^-96. */
    uint32_t words[4];
    block_of(stream, chain, step, index, words);
    uint64_t carry = 0;
    for (int i = 3; i >= 0; i--) /* words[0] is the most significant */
        carry = ((uint64_t)words[i] * bound + carry) >> 32;
    return (uint32_t)carry;
}

void ebm_random_permutation(ebm_stream stream, uint64_t step, size_t count, uint32_t *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        const uint32_t j = ebm_random_below(stream, 0, step, (uint32_t)(i - 1), (uint32_t)i);
        const uint32_t moved = out[i - 1];
        out[i - 1] = out[j];
        out[j] = moved;
    }
}

void ebm_random_order(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, uint32_t *out) {
    enum { WORDS = 256 };
    uint32_t words[WORDS];
    for (size_t first = 0; first < count; first += WORDS) {
        const size_t n = count - first < WORDS ? count - first : WORDS;
        ebm_row_kernels_get()->words(stream, chain, step, (uint32_t)(first / 4), n, words);
        for (size_t i = first; i < first + n; i++) { /* the shuffle from the inside out */
            const size_t j = (size_t)((uint64_t)words[i - first] * (i + 1) >> 32);
            out[i] = (uint32_t)i;
            out[i] = out[j];
            out[j] = (uint32_t)i;
        }
    }
}
