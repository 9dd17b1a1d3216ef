#include "models/initial_weights.h"

#include "ebm/random.h"

void ebm_initial_weights(size_t rows, size_t columns, double scale, uint32_t seed, ebm_real *W) {
    for (size_t i = 0; i < rows; i++) {
        ebm_real *row = W + i * columns;
        ebm_random_normal_plain(ebm_stream_of(seed, EBM_PURPOSE_INIT), (uint32_t)i, 0, columns, row);
        for (size_t j = 0; j < columns; j++)
            row[j] = (ebm_real)(scale * (double)row[j]);
    }
}
