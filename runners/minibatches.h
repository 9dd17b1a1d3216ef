/* Minibatches: a fresh permutation of the training examples every epoch, a pure function of (seed, update). */
#ifndef EBM_MINIBATCHES_H
#define EBM_MINIBATCHES_H

#include "ebm/dataset.h"

typedef struct ebm_minibatches {
    const ebm_dataset *data; /* borrowed */
    uint32_t seed;
    size_t batch, per_epoch;
    uint64_t epoch;  /* of the permutation held; UINT64_MAX: none */
    uint32_t *order; /* (train.count) */
    ebm_real *x;     /* (batch, V) */
} ebm_minibatches;

/* `batch` is cut to the number of examples. */
EBM_NODISCARD ebm_status ebm_minibatches_create(const ebm_dataset *data, uint32_t seed, size_t batch,
                                                ebm_minibatches *out, ebm_error *error);
void ebm_minibatches_free(ebm_minibatches *m);
/* Fills m->x with the minibatch of `update`; returns its number of examples (the last of an epoch may be smaller). */
size_t ebm_minibatches_fill(ebm_minibatches *m, uint64_t update, int threads);

#endif
