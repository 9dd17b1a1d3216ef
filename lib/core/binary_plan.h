/* The plan of a 0/1 product: which table entries every row adds up. Depends on the 0/1 factor alone, is made once per
 * product and then serves every block of columns. */
#ifndef EBM_CORE_BINARY_PLAN_H
#define EBM_CORE_BINARY_PLAN_H

#include "core/sum_kernels.h"
#include "ebm/matrix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EBM_PLAN_WORD = 32,
    EBM_PLAN_MOST_ENTRIES = 400, /* of one table, with the zero entry: 25 KB of a 32 KB cache */
    EBM_PLAN_MOST_ROWS = 1024
};

/* A digit's place: the offset of its entry for setting 0 (which need not exist), and the mask of its units' bits. */
typedef struct ebm_digit_code {
    uint16_t base, mask;
} ebm_digit_code;

typedef struct ebm_table_plan {
    size_t first_word, end_word;
    size_t entries;
    ebm_digits digits;
    ebm_lists lists;
} ebm_table_plan;

struct ebm_binary_plan {
    size_t rows, units, words;     /* words of 32 units a row */
    uint32_t *bits;                /* (rows, words) */
    uint32_t *ones, *twos, *fours; /* (words): first units of the digits of each width */
    ebm_digit_code *codes;         /* (32 words) */
    uint32_t *digit_units;         /* (32 words) */
    uint16_t *list_rows, *list_lengths, *list_offsets;
    ebm_table_plan *tables;
    size_t table_count;
    double *word_costs; /* (words) */
    double cost;        /* estimated cycles for one block of columns: tables and sums */
};

/* Making a plan: fill plan->bits; choose_digits (of the kernels) for every word; ebm_plan_cut; write_lists for every
 * table. Words are independent, and so are tables. */

/* Room for a plan of at most `rows` x `units`; false when there is no memory. */
bool ebm_plan_take(ebm_binary_plan *plan, size_t rows, size_t units, ebm_work *work);
/* Cut the digits into tables. */
void ebm_plan_cut(ebm_binary_plan *plan);
/* Whether a product of this shape is big enough to plan for; and whether, with its plan made, it beats the dense
 * product (rows, units) x (units, N), from costs measured in cycles. `outer`: added to an output that is read and
 * written. */
bool ebm_plan_thinkable(size_t rows, size_t units, size_t N, bool outer);
bool ebm_plan_worthwhile(const ebm_binary_plan *plan, size_t N, bool outer);

#endif
