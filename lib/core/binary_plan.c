/* The plan of a 0/1 product: room, and cutting digits into tables that fit the first-level cache. What the digits are
 * and the lists that follow from them is decided in plan_kernels.c. */
#include "core/binary_plan.h"

#include <string.h>

enum { WORD = EBM_PLAN_WORD, ROWS = EBM_SUM_ROWS };

bool ebm_plan_thinkable(size_t rows, size_t units, size_t N, bool outer) {
    const double additions = 1e5; /* a few microseconds, which is what a plan takes at the least */
    return N > 2 * EBM_SUM_COLUMNS && (double)rows * (double)units * (double)N > additions && !(outer && units < 8);
}

bool ebm_plan_worthwhile(const ebm_binary_plan *plan, size_t N, bool outer) {
    /* Cycles: sgemm adds one 64-byte vector in a little more than one, and updates an output that streams from memory
     * in 4 for each; tables update it in rows out of order and in narrow strips. Making the plan: for each 0 or 1. */
    const double dense_addition = 1.05, dense_update = 4, table_update = 14, planning = 1.2;
    const double rows = (double)plan->rows, cells = rows * (double)plan->units;
    const double strips = (double)((N + EBM_SUM_COLUMNS - 1) / EBM_SUM_COLUMNS);
    double dense = cells * dense_addition, tables = plan->cost + cells * planning / strips;
    if (outer) {
        dense += rows * dense_update;
        tables += rows * table_update * (double)plan->table_count;
    }
    return tables < dense;
}

bool ebm_plan_take(ebm_binary_plan *plan, size_t rows, size_t units, ebm_work *work) {
    memset(plan, 0, sizeof *plan);
    plan->rows = rows;
    plan->units = units;
    plan->words = (units + WORD - 1) / WORD;
    const size_t padded_rows = (rows + ROWS - 1) / ROWS * ROWS, bits = plan->words * WORD;
    plan->bits = ebm_work_take(work, rows * plan->words, sizeof *plan->bits);
    plan->ones = ebm_work_take(work, plan->words * 3, sizeof *plan->ones);
    plan->word_costs = ebm_work_take(work, plan->words, sizeof *plan->word_costs);
    plan->codes = ebm_work_take(work, bits, sizeof *plan->codes);
    plan->digit_units = ebm_work_take(work, bits, sizeof *plan->digit_units);
    plan->list_rows = ebm_work_take(work, padded_rows * plan->words, sizeof *plan->list_rows);
    plan->list_lengths = ebm_work_take(work, padded_rows / ROWS * plan->words, sizeof *plan->list_lengths);
    plan->list_offsets = ebm_work_take(work, padded_rows * bits, sizeof *plan->list_offsets);
    plan->tables = ebm_work_take(work, plan->words, sizeof *plan->tables);
    if (plan->bits == NULL || plan->ones == NULL || plan->word_costs == NULL || plan->codes == NULL ||
        plan->digit_units == NULL || plan->list_rows == NULL || plan->list_lengths == NULL ||
        plan->list_offsets == NULL || plan->tables == NULL)
        return false;
    plan->twos = plan->ones + plan->words;
    plan->fours = plan->twos + plan->words;
    return true;
}

static size_t entries_of_word(const ebm_binary_plan *plan, size_t w) {
    return 15 * (size_t)__builtin_popcount(plan->fours[w]) + 3 * (size_t)__builtin_popcount(plan->twos[w]) +
           (size_t)__builtin_popcount(plan->ones[w]);
}

/* Number the entries of the digits of one width in a table and note where each digit's begin. */
static size_t number_digits(ebm_binary_plan *plan, ebm_table_plan *table, const uint32_t *starts, unsigned width,
                            uint32_t **next_unit) {
    const uint16_t mask = (uint16_t)((1u << width) - 1);
    size_t count = 0;
    for (size_t w = table->first_word; w < table->end_word; w++)
        for (uint32_t left = starts[w]; left != 0; left &= left - 1, count++) {
            const size_t unit = w * WORD + (size_t)__builtin_ctz(left);
            plan->codes[unit].base = (uint16_t)((table->entries - 1) * EBM_ENTRY_BYTES);
            plan->codes[unit].mask = mask;
            table->entries += mask;
            *(*next_unit)++ = (uint32_t)unit;
        }
    return count;
}

void ebm_plan_cut(ebm_binary_plan *plan) {
    plan->cost = 0;
    for (size_t w = 0; w < plan->words; w++)
        plan->cost += plan->word_costs[w];
    plan->table_count = 0;
    for (size_t w = 0; w < plan->words;) {
        ebm_table_plan *table = &plan->tables[plan->table_count];
        size_t entries = 1, end = w;
        while (end < plan->words && (end == w || entries + entries_of_word(plan, end) <= EBM_PLAN_MOST_ENTRIES))
            entries += entries_of_word(plan, end++);
        table->first_word = w;
        table->end_word = end;
        table->entries = 1;
        uint32_t *unit = plan->digit_units + w * WORD;
        table->digits.units = unit;
        table->digits.fours = number_digits(plan, table, plan->fours, 4, &unit);
        table->digits.twos = number_digits(plan, table, plan->twos, 2, &unit);
        table->digits.ones = number_digits(plan, table, plan->ones, 1, &unit);
        w = end;
        if (table->entries > 1)
            plan->table_count++;
    }
}
