/* Kernels of the 0/1 products: sums of table entries chosen by lists (see binary_product.c).
 *
 * A *table* is a run of entries, each 64 bytes: EBM_SUM_COLUMNS neighbouring columns. Entry 0 holds zeros. A *digit* is
 * one, two or four neighbouring units and owns an entry for each non-zero setting of them. A *list* holds the byte
 * offsets of the entries that one row adds up. */
#ifndef EBM_CORE_SUM_KERNELS_H
#define EBM_CORE_SUM_KERNELS_H

#include "ebm/matrix.h"

#include <stddef.h>
#include <stdint.h>

enum {
    EBM_ENTRY_BYTES = 64,
    EBM_SUM_COLUMNS = EBM_ENTRY_BYTES / (int)sizeof(ebm_real),
    EBM_SUM_ROWS = 8 /* rows summed together; their lists have one length */
};

/* Digits by width: units[0 ... fours-1] start digits of four units, then `twos` of two, then `ones` of one. */
typedef struct ebm_digits {
    const uint32_t *units;
    size_t fours, twos, ones;
} ebm_digits;

/* The lists of one table: `groups` runs of EBM_SUM_ROWS rows; group g has lists of lengths[g] offsets for
 * rows[EBM_SUM_ROWS g ...], the first offset of each row, then the second of each, and so on. A row number equal to
 * `row_count` is padding. */
typedef struct ebm_lists {
    size_t groups, row_count;
    const uint16_t *lengths;
    const uint16_t *rows;
    const uint16_t *offsets;
} ebm_lists;

typedef struct ebm_binary_plan ebm_binary_plan;

typedef struct ebm_sum_kernels {
    /* Parts of a plan (binary_plan.h): the digits of word w, from counts over all rows; the lists of one table. */
    void (*choose_digits)(ebm_binary_plan *plan, size_t w, ebm_product_path path);
    void (*write_lists)(ebm_binary_plan *plan, size_t table);
    /* bits[i / 32] has bit i % 32 set where x[i] != 0; the rest of the last word is 0 */
    void (*pack)(size_t count, const ebm_real *x, uint32_t *bits);
    /* (32, 32) bits: bit j of in[i] becomes bit i of out[j] */
    void (*transpose_bits)(const uint32_t in[32], uint32_t out[32]);
    /* Entries for columns 0 ... width-1 of W (units, ldw), width <= EBM_SUM_COLUMNS. */
    void (*build)(const ebm_digits *digits, const ebm_real *W, size_t ldw, size_t width, ebm_real *table);
    /* sums (row_count + 1, EBM_SUM_COLUMNS) = or += the chosen entries */
    void (*sum_first)(const ebm_lists *lists, const ebm_real *table, ebm_real *sums);
    void (*sum_more)(const ebm_lists *lists, const ebm_real *table, ebm_real *sums);
    /* out (row_count, ldo) += alpha times the chosen entries, for columns 0 ... width-1 */
    void (*sum_into)(const ebm_lists *lists, const ebm_real *table, ebm_real alpha, ebm_real *out, size_t ldo,
                     size_t width);
    /* out = bias + sums (bias NULL: 0) */
    void (*finish)(size_t row_count, const ebm_real *sums, const ebm_real *bias, ebm_real *out, size_t ldo,
                   size_t width);
} ebm_sum_kernels;

#endif
