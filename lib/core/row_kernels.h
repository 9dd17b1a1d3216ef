/* Wide-vector kernels, compiled once for each instruction set and chosen at run time.
 *
 * Each works on one row (or one block) on the calling thread and allocates nothing. Every variant gives the same random
 * words; other results may differ in the last bits from one instruction set to another. */
#ifndef EBM_CORE_ROW_KERNELS_H
#define EBM_CORE_ROW_KERNELS_H

#include "core/dense_kernels.h"
#include "core/phase_kernels.h"
#include "core/spin_kernels.h"
#include "core/sum_kernels.h"
#include "ebm/random.h"
#include "ebm/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ebm_row_kernels {
    const char *name;
    /* words 4 first_block ... 4 first_block + count - 1 of (chain, step) */
    void (*words)(ebm_stream stream, uint32_t chain, uint64_t step, size_t first_block, size_t count, uint32_t *out);
    /* the first `count` standard normals of (chain, step), count < 2^32 */
    void (*normals)(ebm_stream stream, uint32_t chain, uint64_t step, size_t count, ebm_real *out);
    /* z = scale f + offset (offset NULL: 0);  mean = sigmoid(z) */
    void (*sigmoid)(size_t N, const ebm_real *f, ebm_real scale, const ebm_real *offset, ebm_real *mean);
    /* the same, and state = [uniform < mean]; mean may be NULL */
    void (*bernoulli)(size_t N, const ebm_real *f, ebm_real scale, const ebm_real *offset, ebm_stream stream,
                      uint32_t chain, uint64_t step, ebm_real *mean, ebm_real *state);
    void (*bernoulli_means)(size_t N, const ebm_real *p, ebm_stream stream, uint32_t chain, uint64_t step,
                            ebm_real *state);
    double (*softplus)(size_t N, const ebm_real *f, ebm_real scale);
    /* sum softplus(to f) - softplus(from f); `change` = to - from, rounded once from double */
    double (*softplus_difference)(size_t N, const ebm_real *f, ebm_real from, ebm_real to, ebm_real change);
    double (*dot)(size_t N, const ebm_real *x, const ebm_real *w);
    /* sums[j] = sum_b weight_b x_bj in double (weight NULL: 1) */
    void (*column_sums)(size_t rows, size_t columns, const ebm_real *x, size_t ldx, const ebm_real *weight,
                        double *sums);
    void (*axpy)(size_t N, ebm_real alpha, const ebm_real *x, ebm_real *y);
    bool (*is_binary)(size_t N, const ebm_real *x);
    const ebm_sum_kernels *sums;
    const ebm_spin_kernels *spins;
    const ebm_dense_kernels *dense;
    const ebm_phase_kernels *phase;
} ebm_row_kernels;

/* The kernels of this process: the widest that the CPU has, or the narrower ones that the environment variable
 * EBM_KERNELS (baseline, avx2, avx512) asks for. Thread-safe; always the same answer. */
const ebm_row_kernels *ebm_row_kernels_get(void);
/* The kernels of one name, or NULL if this build or this CPU has none such. For tests. */
const ebm_row_kernels *ebm_row_kernels_named(const char *name);
/* Use these from now on (NULL: choose again). For tests, before any work starts. */
void ebm_row_kernels_use(const ebm_row_kernels *kernels);

#endif
