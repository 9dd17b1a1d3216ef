/* Binary data whose law over all 2^N states is known: what generators of such data share (see datasets.h). State s has
 * unit i on where bit i of s is. */
#include "data/datasets.h"

#include <math.h>
#include <stdlib.h>

static void write_state(size_t state, size_t units, uint8_t *out) {
    for (size_t i = 0; i < units; i++)
        out[i] = state >> i & 1u;
}

/* By the inverse of the cumulative distribution: example i draws at chain i, step 0. */
static void draw(const double *cumulative, size_t states, ebm_stream stream, size_t units, ebm_examples *half) {
    for (size_t i = 0; i < half->count; i++) {
        const double u = ebm_random_uniform1(stream, (uint32_t)i, 0, 0) * cumulative[states - 1];
        size_t low = 0, high = states - 1; /* the first state whose cumulative probability exceeds u */
        while (low < high) {
            const size_t middle = low + (high - low) / 2;
            if (cumulative[middle] > u)
                high = middle;
            else
                low = middle + 1;
        }
        write_state(low, units, half->bytes + i * units);
    }
}

static ebm_status take_half(ebm_examples *half, size_t count, size_t units, const char *name, ebm_error *error) {
    if (count > EBM_DATA_LIMIT / units)
        return ebm_fail(error, EBM_INVALID, "%s: %zu examples of %zu units are more than memory is given", name, count,
                        units);
    half->count = count;
    half->bytes = count > 0 ? malloc(count * units) : NULL;
    return count == 0 || half->bytes ? EBM_OK
                                     : ebm_fail(error, EBM_NO_MEMORY, "%s: no memory for %zu examples", name, count);
}

static ebm_status take_support(ebm_dataset *out, const double *log_p, ebm_error *error) {
    const size_t N = out->space.size, S = (size_t)1 << N;
    out->support = malloc(S * N * sizeof *out->support);
    out->support_log_probability = malloc(S * sizeof *out->support_log_probability);
    if (!out->support || !out->support_log_probability)
        return ebm_fail(error, EBM_NO_MEMORY, "%s: no memory for %zu states", out->type->info.name, S);
    out->support_count = S;
    for (size_t s = 0; s < S; s++) {
        out->support_log_probability[s] = log_p[s];
        for (size_t i = 0; i < N; i++)
            out->support[s * N + i] = s >> i & 1u ? 1 : 0;
    }
    return EBM_OK;
}

ebm_status ebm_data_draws(const double *log_p, size_t train, size_t test, uint32_t seed, ebm_dataset *out,
                          ebm_error *error) {
    const size_t N = out->space.size, S = (size_t)1 << N;
    EBM_TRY(take_support(out, log_p, error));
    EBM_TRY(take_half(&out->train, train, N, out->type->info.name, error));
    EBM_TRY(take_half(&out->test, test, N, out->type->info.name, error));
    double *cumulative = malloc(S * sizeof *cumulative), total = 0;
    if (!cumulative)
        return ebm_fail(error, EBM_NO_MEMORY, "%s: no memory for %zu states", out->type->info.name, S);
    for (size_t s = 0; s < S; s++)
        cumulative[s] = total += exp(log_p[s]);
    draw(cumulative, S, ebm_stream_of(seed, EBM_PURPOSE_DATA), N, &out->train);
    draw(cumulative, S, ebm_stream_of(seed, EBM_PURPOSE_TEST_DATA), N, &out->test);
    free(cumulative);
    return EBM_OK;
}

typedef struct share_rest {
    double part;
    size_t state;
} share_rest;

/* Largest first; of equal ones the earlier state. */
static int compare(const void *a, const void *b) {
    const share_rest *l = a, *r = b;
    if (l->part != r->part)
        return l->part < r->part ? 1 : -1;
    return l->state < r->state ? -1 : l->state > r->state;
}

ebm_status ebm_data_counts(const double *weight, size_t states, size_t total, size_t *counts, ebm_error *error) {
    share_rest *rest = malloc(states * sizeof *rest);
    double sum = 0;
    size_t given = 0;
    if (!rest)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", states);
    for (size_t s = 0; s < states; s++)
        sum += weight[s];
    if (!(sum > 0)) {
        free(rest);
        return ebm_fail(error, EBM_INVALID, "the weights of %zu states are all 0 in double", states);
    }
    for (size_t s = 0; s < states; s++) {
        const double share = (double)(total - states) * weight[s] / sum;
        counts[s] = 1 + (size_t)floor(share);
        given += counts[s];
        rest[s] = (share_rest){share - floor(share), s};
    }
    qsort(rest, states, sizeof *rest, compare);
    for (size_t k = 0; k < states && given < total; k++, given++)
        counts[rest[k].state]++;
    free(rest);
    return EBM_OK;
}

/* Both halves hold every state as often as it counts, in the order of the states. */
ebm_status ebm_data_counted(const size_t *counts, ebm_dataset *out, ebm_error *error) {
    const size_t N = out->space.size, S = (size_t)1 << N;
    size_t total = 0, row = 0;
    for (size_t s = 0; s < S; s++)
        total += counts[s];
    double *log_p = malloc(S * sizeof *log_p);
    if (!log_p)
        return ebm_fail(error, EBM_NO_MEMORY, "%s: no memory for %zu states", out->type->info.name, S);
    for (size_t s = 0; s < S; s++)
        log_p[s] = log((double)counts[s] / (double)total);
    ebm_status status = take_support(out, log_p, error);
    free(log_p);
    EBM_TRY(status);
    EBM_TRY(take_half(&out->train, total, N, out->type->info.name, error));
    EBM_TRY(take_half(&out->test, total, N, out->type->info.name, error));
    for (size_t s = 0; s < S; s++)
        for (size_t k = 0; k < counts[s]; k++, row++) {
            write_state(s, N, out->train.bytes + row * N);
            write_state(s, N, out->test.bytes + row * N);
        }
    return EBM_OK;
}
