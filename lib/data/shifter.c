/* The shifter ensemble: `bits` random bits V1; V2, which is V1 moved by -1, 0 or +1 place around a ring; and three
 * units V3 of which the one that names the move is on. No unit of V3 is correlated with any single unit of V1 or
 * V2: only three units together tell the move, so that a machine without hidden units learns nothing of it.
 *
 * States are the 3 * 2^bits settings, distinct by V3 and equally likely. A unit j of V2 shows unit j - move of V1. The
 * labels 0, 1, 2 stand for the moves -1, 0, +1. */
#include "data/datasets.h"

enum { FEWEST_BITS = 3, MOST_BITS = 12, MOVES = 3 };

typedef struct shifter_options {
    int64_t bits, count, data_seed;
} shifter_options;

static const ebm_option options_table[] = {
    {"bits", EBM_OPTION_INT, EBM_OFFSET(shifter_options, bits), "8", FEWEST_BITS, MOST_BITS, NULL, 0,
     "bits of each of the two rings; an example has 2 bits + 3 units"},
    {"count", EBM_OPTION_INT, EBM_OFFSET(shifter_options, count), "0", 0, 1e8, NULL, 0,
     "training examples drawn at random; 0: every state once. The test half is always every state once"},
    EBM_DATA_SEED_OPTION(shifter_options),
    EBM_OPTIONS_END,
};

static int32_t write_state(size_t state, const void *context, uint8_t *out) {
    size_t bits = *(const size_t *)context, ring = state / MOVES, move = state % MOVES;
    for (size_t j = 0; j < bits; j++) {
        out[j] = ring >> j & 1;
        out[bits + j] = ring >> (j + bits + 1 - move) % bits & 1; /* unit j - (move - 1) of V1 */
    }
    for (size_t m = 0; m < MOVES; m++)
        out[2 * bits + m] = m == move;
    return (int32_t)move;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const shifter_options *chosen = options;
    size_t bits = (size_t)chosen->bits;
    out->space = ebm_space_line(EBM_BINARY, 2 * bits + MOVES);
    return ebm_data_uniform(write_state, &bits, (size_t)MOVES << bits, (size_t)chosen->count,
                            ebm_data_seed(chosen->data_seed, seed), MOVES, out, error);
}

const ebm_dataset_type ebm_shifter = {
    .info = {.name = "shifter",
             .about = "a ring of bits, the ring moved by -1, 0 or +1, and which; the distribution is known",
             .citation = "G. Hinton, T. Sejnowski, \"Learning and relearning in Boltzmann machines\", in Parallel "
                         "Distributed Processing (1986)",
             .options = options_table,
             .options_size = sizeof(shifter_options)},
    .load = load,
};
