/* Kernels of the fused sweep of a fully connected machine (lib/models/dense_sweep.c), compiled once for each
 * instruction set.
 *
 * Four neighbouring units are a *group*. The *table* of a group has an *entry* of 64 bytes for each of its 16 settings:
 * what that setting adds to the fields of EBM_DENSE_COLUMNS neighbouring units. A chain's state stands as *codes*, for
 * each group the byte offset 64 v of the entry of its setting v (unit t of the group is bit t; 1 is up).
 *
 * What is computed for a chain depends on that chain alone, to the last bit: not on the chains beside it. */
#ifndef EBM_CORE_DENSE_KERNELS_H
#define EBM_CORE_DENSE_KERNELS_H

#include "ebm/random.h"
#include "ebm/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EBM_DENSE_GROUP = 4,
    EBM_DENSE_ENTRY_BYTES = 64,
    EBM_DENSE_COLUMNS = EBM_DENSE_ENTRY_BYTES / (int)sizeof(ebm_real),
    EBM_DENSE_TABLE = 16 * EBM_DENSE_COLUMNS, /* numbers of a group's table */
    EBM_DENSE_UNIFORMS = 64,                  /* units whose random numbers are made at a time */
    EBM_DENSE_CHAINS = 64                     /* chains are padded to a multiple of this */
};

/* A block of neighbouring units, updated one after another in every chain. */
typedef struct ebm_dense_block {
    size_t first, width; /* units first ... first + width - 1; width <= EBM_DENSE_COLUMNS */
    size_t chains, ld;   /* chains that count; the padded number of chains */
    const ebm_real *W;   /* (units, ldw), the whole matrix */
    size_t ldw;
    bool spin, metropolis;
    ebm_real gain;            /* log P(up | rest) - log P(down | rest) = gain field + shift[unit] */
    const ebm_real *shift;    /* (units) */
    const ebm_real *fields;   /* (ld, EBM_DENSE_COLUMNS): of the block's units as the block is entered */
    const ebm_real *uniforms; /* (width, ld) */
    uint16_t *codes;          /* (groups, ld): in and out */
} ebm_dense_block;

typedef struct ebm_dense_kernels {
    /* The tables of ceil(rows / 4) groups: rows 0 ... rows-1 of W for its columns 0 ... width-1, the rest of the last
     * group and of the columns 0. With `spin` down is -1, else 0. */
    void (*tables)(bool spin, size_t rows, const ebm_real *W, size_t ldw, size_t width, ebm_real *tables);
    /* fields (chains rounded up to 8, EBM_DENSE_COLUMNS) = start + (start NULL: +=) the chosen entries, group after
     * group. */
    void (*add_entries)(size_t groups, const ebm_real *tables, size_t chains, size_t ld, const uint16_t *codes,
                        const ebm_real *start, ebm_real *fields);
    /* out (EBM_DENSE_UNIFORMS, ld): numbers first ... first + units - 1 of ebm_random_uniform of each chain; `first` is a
     * multiple of EBM_DENSE_UNIFORMS. What follows them, up to whole vectors, may be overwritten. */
    void (*uniforms)(ebm_stream stream, uint32_t first_chain, uint64_t step, size_t first, size_t units, size_t chains,
                     size_t ld, ebm_real *out);
    /* Updates by heat bath or Metropolis's rule. Returns the number of proposals accepted (Metropolis only). Reads and
     * writes, but does not count, the chains of padding. */
    uint64_t (*update)(const ebm_dense_block *block);
    /* out (n) += sum_k factor[k] rows[k][0 ... n-1], in the order of k for each element. */
    void (*add_rows)(size_t count, const ebm_real *const *rows, const ebm_real *factor, size_t n, ebm_real *out);
} ebm_dense_kernels;

#endif
