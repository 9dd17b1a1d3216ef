/* Minibatches (see minibatches.h). */
#include "minibatches.h"

#include "ebm/work.h"

#include <stdlib.h>

enum { PIECE = 10 }; /* rows that one thread draws at a time */

ebm_status ebm_minibatches_create(const ebm_dataset *data, uint32_t seed, size_t batch, ebm_minibatches *out,
                                  ebm_error *error) {
    size_t n = data->train.count;
    if (n == 0 || n > UINT32_MAX)
        return ebm_fail(error, EBM_INVALID, "the training half holds %zu examples", n);
    batch = batch < n ? batch : n;
    *out = (ebm_minibatches){data,
                             seed,
                             batch,
                             (n + batch - 1) / batch,
                             UINT64_MAX,
                             ebm_alloc(n, sizeof(uint32_t)),
                             ebm_alloc(batch * data->space.size, sizeof(ebm_real))};
    return out->order && out->x ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for minibatches of %zu", batch);
}

void ebm_minibatches_free(ebm_minibatches *m) {
    free(m->order);
    free(m->x);
}

size_t ebm_minibatches_fill(ebm_minibatches *m, uint64_t update, int threads) {
    uint64_t epoch = update / m->per_epoch;
    size_t n = m->data->train.count, first = (size_t)(update % m->per_epoch) * m->batch;
    size_t count = n - first < m->batch ? n - first : m->batch;
    if (epoch != m->epoch) {
        ebm_random_permutation(ebm_stream_of(m->seed, EBM_PURPOSE_SHUFFLE), epoch, n, m->order);
        m->epoch = epoch;
    }
    ebm_stream stream = ebm_stream_of(m->seed, EBM_PURPOSE_BINARISE);
    size_t V = m->data->space.size;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1 && count > PIECE)
    for (size_t row = 0; row < count; row += PIECE) {
        size_t rows = count - row < PIECE ? count - row : PIECE;
        ebm_examples_batch(m->data, &m->data->train, m->order + first + row, 0, rows, stream, epoch, m->x + row * V);
    }
    return count;
}
