/* Sweeps of single-site updates in a fully connected machine of two-valued units, many chains at once. Internal to the
 * models. */
#ifndef EBM_DENSE_SWEEP_H
#define EBM_DENSE_SWEEP_H

#include "ebm/model.h"

/* log P(up | rest) - log P(down | rest) = gain (bias_i + sum_j W_ij x_j) + shift_i, with x in {0,1} or {-1,+1}. */
typedef struct ebm_dense_machine {
    size_t units;
    bool spin;
    const ebm_real *W;    /* (units, units), symmetric, zero diagonal */
    const ebm_real *bias; /* (units) */
    ebm_real gain;
    const ebm_real *shift; /* (units) */
} ebm_dense_machine;

/* The widest block. */
size_t ebm_dense_widest_block(void);

/* sweeps->count systematic scans, units 0 ... units - 1, of x (chains, units) in place; unit i of sweep s and row b
 * draws number i of ebm_random_uniform(stream, first_chain + b, step + s). Units go in blocks of `block`, a power of two
 * up to ebm_dense_widest_block(): the law does not depend on it, only rounding does. A chain's walk is a function of its
 * own start and number, to the last bit: of no other chain, and of no thread. False, and x as it was, without memory. */
bool ebm_dense_sweep(const ebm_dense_machine *machine, size_t block, size_t chains, ebm_real *x, ebm_sweeps *sweeps,
                     ebm_work *work);

/* sweeps->count sweeps of descent (EBM_DESCENT, and the limits in sweeps->left), units 0 ... units - 1 or, with
 * EBM_SCAN_RANDOM, in the order of ebm_random_order(stream, first_chain + b, step + s), of x (chains, units) and its field
 * (chains, units), both in place. A chain's walk is a function of its own start and number alone, as above. False, and
 * nothing has happened, without memory. */
bool ebm_dense_descent(const ebm_dense_machine *machine, size_t chains, ebm_real *x, ebm_real *field,
                       ebm_sweeps *sweeps, ebm_work *work);

/* field (chains, units) = bias + W x, by the sums of the sweep; gain and shift are not looked at. False without memory.
 */
bool ebm_dense_field(const ebm_dense_machine *machine, size_t chains, const ebm_real *x, ebm_real *field,
                     ebm_work *work);

#endif
