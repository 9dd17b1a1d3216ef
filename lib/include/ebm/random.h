/* Counter-based random numbers: Philox4x32-10 of Random123 (Salmon, Moraes, Dror, Shaw 2011).
 *
 * A number is a pure function of (seed, purpose, chain, step, index): there is no state to save, to share or to skip.
 *   key     = (seed, purpose)
 *   counter = (index / 4, chain, low word of step, high word of step), the word index % 4 of the block.
 * So learners compared at one seed share their noise, results do not depend on how rows are cut into blocks or threads,
 * and a new purpose moves nobody's numbers. */
#ifndef EBM_RANDOM_H
#define EBM_RANDOM_H

#include "ebm/real.h"

#include <stddef.h>
#include <stdint.h>

/* What numbers are drawn for. Append only: the value is part of every published result. Values stay below 2^16: the
 * upper half tells the copies of the space apart where a sampler walks on several (tempering). */
typedef enum ebm_purpose {
    EBM_PURPOSE_INIT = 1,      /* initial parameters */
    EBM_PURPOSE_DATA = 2,      /* generated data, the training half */
    EBM_PURPOSE_TEST_DATA = 3, /* generated data, the test half */
    EBM_PURPOSE_BINARISE = 4,  /* stochastic binarisation of minibatches */
    EBM_PURPOSE_SHUFFLE = 5,   /* order of training examples */
    EBM_PURPOSE_CHAIN_START = 6,
    EBM_PURPOSE_NEGATIVE = 7, /* a learner's negative phase */
    EBM_PURPOSE_AIS = 8,
    EBM_PURPOSE_REVERSE_AIS = 9,
    EBM_PURPOSE_ESTIMATE = 10,        /* other estimators */
    EBM_PURPOSE_SAMPLE = 11,          /* pictures, user-requested samples */
    EBM_PURPOSE_POSITIVE = 12,        /* hidden units driven by data */
    EBM_PURPOSE_TARGET = 13,          /* a random target distribution */
    EBM_PURPOSE_GENERATION = 14,      /* states from noise that are set beside examples */
    EBM_PURPOSE_AUTOCORRELATION = 15, /* chains watched while a model is trained */
    EBM_PURPOSE_CORRUPTION = 16,      /* noise on pictures that are to be restored */
    EBM_PURPOSE_RECALL = 17,          /* damage to stored patterns, random states to walk from */
    EBM_PURPOSE_EXTRA_UNITS = 18,     /* what fills units that are appended to patterns */
    EBM_PURPOSE_COMPLETION = 19,      /* missing units, drawn given the others */
    EBM_PURPOSE_AUGMENT = 20,         /* how training pictures are moved about */
    EBM_PURPOSE_IMPUTATION = 21,      /* which pixels are missing, and what they are filled with */
    EBM_PURPOSE_OUTLIERS = 22         /* examples that are to be told from the data */
} ebm_purpose;

/* A family of numbers, passed by value. */
typedef struct ebm_stream {
    uint32_t seed;
    uint32_t purpose;
} ebm_stream;

static inline ebm_stream ebm_stream_of(uint32_t seed, uint32_t purpose) {
    ebm_stream stream = {seed, purpose};
    return stream;
}

/* One block of four words. Equals Random123's philox4x32 with 10 rounds. */
void ebm_philox(ebm_stream stream, const uint32_t counter[4], uint32_t out[4]);
/* `count` words of (chain, step), index 0 first. Vectorised; the same words on every path. */
void ebm_random_words(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, uint32_t *out);
/* Uniform on (0, 1), exact: (w >> 9 + 1/2) 2^-23 in float; (top 52 bits of the word pair 2i, 2i+1, plus 1/2) 2^-52 in
 * double. Never 0 or 1. */
void ebm_random_uniform(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, ebm_real *out);
/* Standard normals by Box-Muller: in float four from the four words of a block, whose 32 bits all count, vectorised (equal
 * to rounding on every path); in double two, by the C library. The first n of a longer run are the run of n, n < 2^32. They use
 * up the words of the uniforms 0 ... n of ebm_random_uniform1, no more. */
void ebm_random_normal(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, ebm_real *out);
/* The same law by the C library's functions from pairs of ebm_random_uniform's numbers, one pair at a time: the numbers that
 * initial parameters and generated data are made of, which published results rest on. */
void ebm_random_normal_plain(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, ebm_real *out);
/* One uniform in double from words (2 index, 2 index + 1); one integer in [0, bound) without modulo bias (bound >= 1)
 * from all four words of block `index`, which are also those of the uniforms 2 index and 2 index + 1: where both are
 * drawn at one chain and step, their indices must not meet. */
double ebm_random_uniform1(ebm_stream stream, uint32_t chain, uint64_t step, uint32_t index);
uint32_t ebm_random_below(ebm_stream stream, uint32_t chain, uint64_t step, uint32_t index, uint32_t bound);
/* One standard normal in double from the uniforms index and index + 1, by Box-Muller. */
double ebm_random_normal1(ebm_stream stream, uint32_t chain, uint64_t step, uint32_t index);
/* One gamma variate in double, density x^(shape - 1) e^-x / Gamma(shape), shape > 0, by rejection: it reads the uniforms
 * index, index + 1, ... for as long as it has to (4 of them in 95 of 100 cases or more), so nothing else of this (chain,
 * step) may stand behind index. Draws below 2^-1074 are 0: shapes below about 0.05 can give them. */
double ebm_random_gamma1(ebm_stream stream, uint32_t chain, uint64_t step, uint32_t index, double shape);
/* A uniformly random permutation of 0 ... count-1 (Fisher-Yates; count < 2^32). */
void ebm_random_permutation(ebm_stream stream, uint64_t step, size_t count, uint32_t *out);
/* A permutation of 0 ... count-1 for one chain from `count` words, (word_i (i + 1)) >> 32 the partner of i: fast, and
 * uniform to count^2 2^-33 in total variation. */
void ebm_random_order(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, uint32_t *out);

#endif
