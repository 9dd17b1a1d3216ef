/* Draws by inversion, by alias tables and by the central limit theorem.
 *
 * Alias table (A. Walker 1977; M. Vose, "A linear algorithm for generating random numbers with a given distribution", 1991):
 * the law is cut into K columns of the height 1 / K of at most two categories each. While a category needs less than a
 * column, its column is filled up by one that has more than a column left.
 *
 * The sum of N uniforms has P(S <= x) = 1 / N! sum_(k <= x) (-1)^k C(N, k) (x - k)^N; the terms alternate, so it is summed
 * from the end that x is nearer to. */
#include "ebm/draws.h"

#include "core/row_kernels.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static ebm_status check_weights(const double *weights, size_t count, double *total, ebm_error *error) {
    *total = 0;
    if (count < 1 || count > UINT32_MAX)
        return ebm_fail(error, EBM_INVALID, "a law on %zu categories: expected 1 to 2^32 - 1", count);
    for (size_t k = 0; k < count; k++) {
        if (!(weights[k] >= 0) || isinf(weights[k]))
            return ebm_fail(error, EBM_INVALID, "category %zu has the weight %g", k, weights[k]);
        *total += weights[k];
    }
    if (!(*total > 0) || isinf(*total))
        return ebm_fail(error, EBM_INVALID, "the weights of %zu categories sum to %g", count, *total);
    return EBM_OK;
}

static void accumulate(const double *weights, double total, ebm_categorical *law) {
    double sum = 0;
    size_t last = 0;
    for (size_t k = 0; k < law->count; k++) {
        sum += weights[k];
        law->cumulative[k] = fmin(sum / total, 1);
        last = weights[k] > 0 ? k : last;
    }
    for (size_t k = last; k < law->count; k++)
        law->cumulative[k] = 1;
}

/* `stack` (count) holds categories that need less than a column from its bottom up, the others from its top down. */
static void fill_columns(const double *weights, double total, ebm_categorical *law, uint32_t *stack) {
    const size_t K = law->count;
    size_t small = 0, large = K, heaviest = 0;
    for (size_t k = 0; k < K; k++) {
        law->keep[k] = weights[k] / total * (double)K; /* what is left of k, in columns */
        law->alias[k] = (uint32_t)k;
        stack[law->keep[k] < 1 ? small++ : --large] = (uint32_t)k;
        heaviest = weights[k] > weights[heaviest] ? k : heaviest;
    }
    while (small > 0 && large < K) {
        const uint32_t less = stack[--small], more = stack[large++];
        law->alias[less] = more;
        law->keep[more] = (law->keep[more] + law->keep[less]) - 1;
        stack[law->keep[more] < 1 ? small++ : --large] = more;
    }
    while (large < K)
        law->keep[stack[large++]] = 1;
    while (small > 0) { /* rounding alone brings these here: full columns, or nothing */
        const uint32_t k = stack[--small];
        law->keep[k] = weights[k] > 0 ? 1 : 0;
        law->alias[k] = (uint32_t)heaviest;
    }
}

ebm_status ebm_categorical_create(const double *weights, size_t count, ebm_categorical *out, ebm_error *error) {
    double total;
    EBM_TRY(check_weights(weights, count, &total, error));
    *out = (ebm_categorical){.count = count};
    out->cumulative = calloc(count, sizeof *out->cumulative);
    out->keep = calloc(count, sizeof *out->keep);
    out->alias = calloc(count, sizeof *out->alias);
    uint32_t *stack = calloc(count, sizeof *stack);
    const bool ok = out->cumulative && out->keep && out->alias && stack;
    if (ok) {
        accumulate(weights, total, out);
        fill_columns(weights, total, out, stack);
    } else {
        ebm_categorical_free(out);
    }
    free(stack);
    return ok ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for a law on %zu categories", count);
}

void ebm_categorical_free(ebm_categorical *law) {
    free(law->cumulative);
    free(law->keep);
    free(law->alias);
    *law = (ebm_categorical){.count = 0};
}

size_t ebm_categorical_inverse(const ebm_categorical *law, double u) {
    size_t low = 0; /* the answer is in low ... low + left - 1; no branch depends on u */
    for (size_t left = law->count; left > 1;) {
        const size_t half = left / 2;
        low += law->cumulative[low + half - 1] <= u ? half : 0;
        left -= half;
    }
    return low;
}

size_t ebm_categorical_alias(const ebm_categorical *law, double u) {
    const double place = u * (double)law->count;
    const size_t below = (size_t)place, column = below < law->count ? below : law->count - 1;
    return place - (double)column < law->keep[column] ? column : law->alias[column];
}

void ebm_random_categorical(const ebm_categorical *law, ebm_categorical_method method, ebm_stream stream,
                            uint32_t chain, uint64_t step, size_t count, uint32_t *out) {
    enum { PIECE = 512 };
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    uint32_t words[2 * PIECE];
    for (size_t first = 0; first < count; first += PIECE) {
        const size_t n = count - first < PIECE ? count - first : PIECE;
        kernels->words(stream, chain, step, first / 2, 2 * n, words);
        for (size_t i = 0; i < n; i++) { /* the uniform of ebm_random_uniform1 */
            const uint64_t bits = ((uint64_t)words[2 * i] << 32 | words[2 * i + 1]) >> 12;
            const double u = ((double)bits + 0.5) * 0x1p-52;
            out[first + i] = (uint32_t)(method == EBM_CATEGORICAL_ALIAS ? ebm_categorical_alias(law, u)
                                                                        : ebm_categorical_inverse(law, u));
        }
    }
}

void ebm_random_uniform_sum(ebm_stream stream, uint32_t chain, uint64_t step, size_t uniforms, size_t count,
                            ebm_real *out) {
    enum { PIECE = 1024 };
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const double scale = sqrt(12 / (double)uniforms), half = (double)uniforms / 2;
    const size_t all = uniforms * count;
    uint32_t words[PIECE];
    uint64_t sum = 0; /* of words: exact */
    for (size_t first = 0, added = 0, i = 0; first < all; first += PIECE) {
        const size_t n = all - first < PIECE ? all - first : PIECE;
        kernels->words(stream, chain, step, first / 4, n, words);
        for (size_t k = 0; k < n; k++) {
            sum += words[k];
            if (++added == uniforms) {
                out[i++] = (ebm_real)((((double)sum + half) * 0x1p-32 - half) * scale);
                sum = added = 0;
            }
        }
    }
}

double ebm_uniform_sum_cdf(double z, size_t uniforms) {
    const double N = (double)uniforms, half = N / 2, x = half - fabs(z) * sqrt(N / 12);
    double sum = 0, ways = 1; /* (-1)^k C(N, k) / N! */
    for (size_t k = 2; k <= uniforms; k++)
        ways /= (double)k;
    for (double k = 0; k < x; k++) {
        sum += ways * pow(x - k, N);
        ways *= -(N - k) / (k + 1);
    }
    return z < 0 ? sum : 1 - sum;
}
