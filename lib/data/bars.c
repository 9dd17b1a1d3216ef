/* Bars and stripes: pictures of side x side in which whole rows are on, or whole columns are.
 *
 * Convention: each distinct picture once, all equally likely. The empty and the full picture are both bars and stripes,
 * so there are 2 * 2^side - 2 of them and each has log probability -log(2^(side + 1) - 2). (Drawing an orientation and
 * then its lines at random, as MacKay does, would give those two twice the weight.) */
#include "data/datasets.h"

enum { LARGEST_SIDE = 12 };

typedef struct bars_options {
    int64_t side, count, data_seed;
} bars_options;

static const ebm_option options_table[] = {
    {"side", EBM_OPTION_INT, EBM_OFFSET(bars_options, side), "4", 1, LARGEST_SIDE, NULL, 0,
     "rows and columns of a picture"},
    {"count", EBM_OPTION_INT, EBM_OFFSET(bars_options, count), "0", 0, 1e8, NULL, 0,
     "training examples drawn at random; 0: every picture once. The test half is always every picture once"},
    EBM_DATA_SEED_OPTION(bars_options),
    EBM_OPTIONS_END,
};

/* States 0 ... 2^side - 1: row r on where bit r is. The rest: columns, for the patterns 1 ... 2^side - 2. */
static int32_t write_picture(size_t state, const void *context, uint8_t *out) {
    size_t side = *(const size_t *)context, rows = (size_t)1 << side;
    bool by_row = state < rows;
    size_t lines = by_row ? state : state - rows + 1;
    for (size_t r = 0; r < side; r++)
        for (size_t c = 0; c < side; c++)
            out[r * side + c] = lines >> (by_row ? r : c) & 1;
    return 0;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const bars_options *chosen = options;
    size_t side = (size_t)chosen->side, count = ((size_t)2 << side) - 2;
    out->space = ebm_space_picture(EBM_BINARY, side, side);
    return ebm_data_uniform(write_picture, &side, count, (size_t)chosen->count, ebm_data_seed(chosen->data_seed, seed),
                            0, out, error);
}

const ebm_dataset_type ebm_bars_and_stripes = {
    .info = {.name = "bars-and-stripes",
             .about = "pictures of whole rows or whole columns; the distribution is known",
             .citation = "G. Hinton, T. Sejnowski, \"Learning and relearning in Boltzmann machines\", in Parallel "
                         "Distributed Processing (1986); D. MacKay, Information Theory, Inference, and Learning "
                         "Algorithms (2003), section 43",
             .options = options_table,
             .options_size = sizeof(bars_options)},
    .load = load,
};
