/* A random distribution over all 2^N states of N bits: what a universal approximator is asked to approximate.
 *
 *   q ~ Dirichlet(alpha, ..., alpha),   p(s) = n_s / M,   n_s = 1 + (M - 2^N) q_s in whole numbers (largest remainders)
 *
 * with M = each * 2^N. alpha = 1 is the uniform law over distributions. Examples carry no weights: state s stands n_s times
 * in the training half, so that its law is p exactly, and a learner that sees all examples in every update has the exact
 * gradient of KL(p || model). Every state has p >= 1 / M > 0: no divergence from it needs infinite parameters. */
#include "data/datasets.h"

#include <stdlib.h>

enum { MOST_UNITS = 12 };

typedef struct distribution_options {
    int64_t units, each, data_seed;
    double alpha;
} distribution_options;

static const ebm_option options_table[] = {
    {"units", EBM_OPTION_INT, EBM_OFFSET(distribution_options, units), "8", 1, MOST_UNITS, NULL, 0, "N: bits"},
    {"each", EBM_OPTION_INT, EBM_OFFSET(distribution_options, each), "8", 1, 1e5, NULL, 0,
     "examples a state on average: probabilities are multiples of 1 / (each 2^N), and at least that"},
    {"alpha", EBM_OPTION_REAL, EBM_OFFSET(distribution_options, alpha), "1", 0.01, 1e6, NULL, 0,
     "parameter of the symmetric Dirichlet law; 1: all distributions equally likely"},
    EBM_DATA_SEED_OPTION(distribution_options),
    EBM_OPTIONS_END,
};

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const distribution_options *o = options;
    const size_t N = (size_t)o->units, S = (size_t)1 << N;
    const ebm_stream stream = ebm_stream_of(ebm_data_seed(o->data_seed, seed), EBM_PURPOSE_TARGET);
    out->space = ebm_space_line(EBM_BINARY, N);
    double *weight = malloc(S * sizeof *weight);
    size_t *counts = malloc(S * sizeof *counts);
    ebm_status status =
        weight && counts ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "random-distribution: no memory for %zu states", S);
    for (size_t s = 0; s < S && status == EBM_OK; s++)
        weight[s] = ebm_random_gamma1(stream, (uint32_t)s, 0, 0, o->alpha);
    if (status == EBM_OK)
        status = ebm_data_counts(weight, S, (size_t)o->each * S, counts, error);
    if (status == EBM_OK)
        status = ebm_data_counted(counts, out, error);
    free(weight);
    free(counts);
    return status;
}

const ebm_dataset_type ebm_random_distribution = {
    .info = {.name = "random-distribution",
             .about = "all states of N bits with random probabilities, each state as often as it is likely; the "
                      "distribution is known",
             .citation = "N. Le Roux, Y. Bengio, Neural Computation 20 (2008) 1631-1649",
             .options = options_table,
             .options_size = sizeof(distribution_options)},
    .load = load,
};
