/* How the weights of a model start. Internal to the models. */
#ifndef EBM_INITIAL_WEIGHTS_H
#define EBM_INITIAL_WEIGHTS_H

#include "ebm/real.h"

#include <stddef.h>
#include <stdint.h>

/* W (rows, columns) ~ N(0, scale^2); EBM_PURPOSE_INIT, row i at chain i, step 0. */
void ebm_initial_weights(size_t rows, size_t columns, double scale, uint32_t seed, ebm_real *W);

#endif
