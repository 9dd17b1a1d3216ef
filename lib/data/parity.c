/* Even parity: all words of n bits in which an even number are 1, equally likely.
 *
 * Any n - 1 bits are independent and fair, so every moment of fewer than n units is that of the uniform distribution: a
 * machine without hidden units, which sees pairs alone, can do no better than probability 2^-n for each word, log 2 short
 * of the truth, 2^-(n - 1), as soon as n > 2. */
#include "data/datasets.h"

enum { FEWEST_BITS = 2, MOST_BITS = 20 };

typedef struct parity_options {
    int64_t bits, count, data_seed;
} parity_options;

static const ebm_option options_table[] = {
    {"bits", EBM_OPTION_INT, EBM_OFFSET(parity_options, bits), "6", FEWEST_BITS, MOST_BITS, NULL, 0,
     "bits of a word, the last of which makes the parity even"},
    {"count", EBM_OPTION_INT, EBM_OFFSET(parity_options, count), "0", 0, 1e8, NULL, 0,
     "training examples drawn at random; 0: every word once. The test half is always every word once"},
    EBM_DATA_SEED_OPTION(parity_options),
    EBM_OPTIONS_END,
};

static int32_t write_word(size_t state, const void *context, uint8_t *out) {
    const size_t bits = *(const size_t *)context;
    uint8_t parity = 0;
    for (size_t i = 0; i + 1 < bits; i++) {
        out[i] = state >> i & 1;
        parity ^= out[i];
    }
    out[bits - 1] = parity;
    return 0;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const parity_options *chosen = options;
    const size_t bits = (size_t)chosen->bits;
    out->space = ebm_space_line(EBM_BINARY, bits);
    return ebm_data_uniform(write_word, &bits, (size_t)1 << (bits - 1), (size_t)chosen->count,
                            ebm_data_seed(chosen->data_seed, seed), 0, out, error);
}

const ebm_dataset_type ebm_parity = {
    .info = {.name = "parity",
             .about = "words of n bits with an even number of ones; the distribution is known",
             .citation = "M. Minsky, S. Papert, Perceptrons (1969), section 3.1: no predicate of smaller order",
             .options = options_table,
             .options_size = sizeof(parity_options)},
    .load = load,
};
