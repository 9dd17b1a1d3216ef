/* Random draws by the methods that textbooks begin with: a category by inverting the distribution function or by an alias
 * table, a normal by adding uniforms. What the library itself draws normals by is ebm_random_normal (random.h). */
#ifndef EBM_DRAWS_H
#define EBM_DRAWS_H

#include "ebm/random.h"
#include "ebm/status.h"

#include <stddef.h>
#include <stdint.h>

/* A law on 0 ... count - 1, with the tables of both methods. */
typedef struct ebm_categorical {
    size_t count;
    double *cumulative; /* (count): P(k' <= k); exactly 1 from the last possible category on */
    double *keep;       /* (count): column k of the alias table stays k with this probability ... */
    uint32_t *alias;    /* (count): ... and is this otherwise */
} ebm_categorical;

/* weights (count), in proportion to the probabilities: EBM_INVALID where one is negative or not finite, where their sum is
 * not positive and finite, and for counts of 0 or of 2^32 and more. O(count). Freed with ebm_categorical_free. */
EBM_NODISCARD ebm_status ebm_categorical_create(const double *weights, size_t count, ebm_categorical *out,
                                                ebm_error *error);
void ebm_categorical_free(ebm_categorical *law);

/* The category of u in (0, 1). Inverse: the first k with cumulative[k] > u, by bisection, ceil(log2 count) reads. Alias: column
 * floor(u count), kept or exchanged by the fraction that is left, 2 reads. What has the weight 0 is never drawn. Draws of
 * 52-bit uniforms have their probabilities to 2^-52 each by the inverse, to count 2^-52 by the alias table. */
size_t ebm_categorical_inverse(const ebm_categorical *law, double u);
size_t ebm_categorical_alias(const ebm_categorical *law, double u);

typedef enum ebm_categorical_method { EBM_CATEGORICAL_INVERSE, EBM_CATEGORICAL_ALIAS } ebm_categorical_method;

/* out (count): draw i from the uniform ebm_random_uniform1(stream, chain, step, i). */
void ebm_random_categorical(const ebm_categorical *law, ebm_categorical_method method, ebm_stream stream,
                            uint32_t chain, uint64_t step, size_t count, uint32_t *out);

/* out (count): nearly normal by the central limit theorem, (u_1 + ... + u_N - N / 2) / sqrt(N / 12) of `uniforms` = N >= 1
 * uniforms (w + 1/2) 2^-32, draw i from the words N i ... N i + N - 1 of (chain, step); N count < 2^32. Mean 0, variance 1,
 * excess kurtosis -6 / (5 N), nothing beyond +-sqrt(3 N). */
void ebm_random_uniform_sum(ebm_stream stream, uint32_t chain, uint64_t step, size_t uniforms, size_t count,
                            ebm_real *out);
/* The distribution function of those draws at z (Irwin 1927, Hall 1927), for 1 <= N <= 48: to 1e-8, to 1e-13 for N <= 24. */
double ebm_uniform_sum_cdf(double z, size_t uniforms);

#endif
