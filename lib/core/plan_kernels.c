/* Which digits a 0/1 product uses, and the lists of table entries that follow. One source, compiled once for each
 * instruction set: counting bits is an instruction on some.
 *
 * Units are taken four at a time. What a group of four costs, in additions of one 64-byte entry, can be counted before
 * anything is computed: as one digit of four it needs 15 entries and an addition for each row that has any of the four
 * set; as two digits of two, 3 entries each and an addition for each row with any of the pair set; as digits of one, an
 * entry for each unit and an addition for each unit set. The cheapest is chosen. Units that no row sets cost nothing.
 *
 * Rows are ordered by the length of their lists, so that the eight rows summed together, and their neighbours, have the
 * same number of turns; shorter lists are filled up with the offset of the zero entry. */
#include "core/binary_plan.h"

#include <string.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
void JOIN(ebm_choose_digits_, EBM_KERNEL_SUFFIX)(ebm_binary_plan *plan, size_t w, ebm_product_path path);
void JOIN(ebm_write_lists_, EBM_KERNEL_SUFFIX)(ebm_binary_plan *plan, size_t index);

enum { WORD = EBM_PLAN_WORD, ROWS = EBM_SUM_ROWS, GROUPS = WORD / 4 };

/* Cycles, measured: storing an entry of a digit of four and of a single unit (fetching its row of W has most of the
 * cost), an entry's share of a table's running sums for each row, adding an entry. */
static const double entry_cost = 2.1, single_cost = 3.7, row_cost = 3.5, addition_cost = 1.15;

enum { ANY_OF_FOUR, ANY_OF_LOW, ANY_OF_HIGH, SET_IN_LOW, SET_IN_HIGH, COUNTS };

/* counts[(8 w + g) * COUNTS + ...] over all rows, for group g of word w. */
static void count_groups(const ebm_binary_plan *plan, size_t w, uint32_t *counts) {
    enum { AT_A_TIME = 7, IN_BYTES = 126 }; /* rows, each up to 2, that a field of 4 and of 8 bits can sum */
    const uint32_t first = 0x11111111u, low = 0x0f0f0f0fu;
    memset(counts, 0, GROUPS * COUNTS * sizeof *counts);
    for (size_t top = 0; top < plan->rows; top += IN_BYTES) {
        const size_t bottom = top + IN_BYTES < plan->rows ? top + IN_BYTES : plan->rows;
        uint32_t even[COUNTS] = {0}, odd[COUNTS] = {0};
        for (size_t row = top; row < bottom; row += AT_A_TIME) {
            const size_t end = row + AT_A_TIME < bottom ? row + AT_A_TIME : bottom;
            uint32_t sums[COUNTS] = {0};
            for (size_t r = row; r < end; r++) {
                const uint32_t x = plan->bits[r * plan->words + w], pairs = x | x >> 1;
                sums[ANY_OF_FOUR] += (pairs | pairs >> 2) & first;
                sums[ANY_OF_LOW] += pairs & first;
                sums[ANY_OF_HIGH] += pairs >> 2 & first;
                sums[SET_IN_LOW] += (x & first) + (x >> 1 & first);
                sums[SET_IN_HIGH] += (x >> 2 & first) + (x >> 3 & first);
            }
            for (int i = 0; i < COUNTS; i++) {
                even[i] += sums[i] & low;
                odd[i] += sums[i] >> 4 & low;
            }
        }
        for (int g = 0; g < GROUPS; g++)
            for (int i = 0; i < COUNTS; i++)
                counts[g * COUNTS + i] += (g % 2 ? odd[i] : even[i]) >> 8 * (g / 2) & 255;
    }
}

static uint32_t units_used(const ebm_binary_plan *plan, size_t w) {
    uint32_t used = 0;
    for (size_t row = 0; row < plan->rows; row++)
        used |= plan->bits[row * plan->words + w];
    return used;
}

/* Digits for one pair of units starting at `bit`; returns its cost. */
static double choose_pair(uint32_t used, int bit, bool whole, uint32_t any, uint32_t set, double per_entry,
                          ebm_product_path path, uint32_t *ones, uint32_t *twos) {
    const uint32_t pair = used >> bit & 3;
    const double each = per_entry + (single_cost - entry_cost);
    const double as_two = 2 * each + per_entry + addition_cost * any;
    const double as_ones = __builtin_popcount(pair) * each + addition_cost * set;
    if (pair == 3 && whole && path != EBM_PRODUCT_GATHER && as_two < as_ones) {
        *twos |= 1u << bit;
        return as_two;
    }
    *ones |= pair << bit;
    return as_ones;
}

void JOIN(ebm_choose_digits_, EBM_KERNEL_SUFFIX)(ebm_binary_plan *plan, size_t w, ebm_product_path path) {
    const double per_entry = entry_cost + row_cost * (double)plan->rows / EBM_PLAN_MOST_ENTRIES;
    const uint32_t used = units_used(plan, w);
    uint32_t counts[GROUPS * COUNTS];
    double cost = 0;
    plan->ones[w] = plan->twos[w] = plan->fours[w] = 0;
    plan->word_costs[w] = 0;
    if (used == 0)
        return;
    count_groups(plan, w, counts);
    for (int g = 0; g < GROUPS; g++) {
        const uint32_t *count = counts + g * COUNTS;
        if ((used >> 4 * g & 15) == 0)
            continue;
        const size_t unit = w * WORD + 4 * (size_t)g;
        uint32_t ones = 0, twos = 0;
        double smaller = choose_pair(used, 4 * g, unit + 2 <= plan->units, count[ANY_OF_LOW], count[SET_IN_LOW],
                                     per_entry, path, &ones, &twos);
        smaller += choose_pair(used, 4 * g + 2, unit + 4 <= plan->units, count[ANY_OF_HIGH], count[SET_IN_HIGH],
                               per_entry, path, &ones, &twos);
        const double as_four = 15 * per_entry + addition_cost * count[ANY_OF_FOUR];
        const bool table = path == EBM_PRODUCT_TABLES || (path != EBM_PRODUCT_GATHER && as_four < smaller);
        if (table && unit + 4 <= plan->units) {
            plan->fours[w] |= 1u << 4 * g;
            cost += as_four;
        } else {
            plan->ones[w] |= ones;
            plan->twos[w] |= twos;
            cost += smaller;
        }
    }
    plan->word_costs[w] = cost;
}

/* The first bits of the digits of word w that are not 0 in x. */
static inline uint32_t leading_bits(const ebm_binary_plan *plan, size_t w, uint32_t x) {
    const uint32_t pairs = x | x >> 1;
    return (x & plan->ones[w]) | (pairs & plan->twos[w]) | ((pairs | pairs >> 2) & plan->fours[w]);
}

static size_t list_length(const ebm_binary_plan *plan, const ebm_table_plan *table, size_t row) {
    const uint32_t *bits = plan->bits + row * plan->words;
    size_t length = 0;
    for (size_t w = table->first_word; w < table->end_word; w++)
        length += (size_t)__builtin_popcount(leading_bits(plan, w, bits[w]));
    return length;
}

/* Rows by falling list length (counting sort, stable), padding last. Returns the lengths by place. */
static void sort_rows(const ebm_binary_plan *plan, const ebm_table_plan *table, uint16_t *rows, uint16_t *by_row) {
    enum { MOST = EBM_PLAN_MOST_ENTRIES };
    uint32_t start[MOST + 2] = {0};
    for (size_t row = 0; row < plan->rows; row++) {
        by_row[row] = (uint16_t)list_length(plan, table, row);
        start[MOST - by_row[row] + 1]++;
    }
    for (size_t i = 1; i <= MOST; i++)
        start[i] += start[i - 1];
    for (size_t row = 0; row < plan->rows; row++)
        rows[start[MOST - by_row[row]]++] = (uint16_t)row;
    for (size_t place = plan->rows; place % ROWS != 0; place++)
        rows[place] = (uint16_t)plan->rows;
}

/* Every ROWS-th place from `next` on; returns the place after the last. */
static uint16_t *write_list(const ebm_binary_plan *plan, const ebm_table_plan *table, size_t row, uint16_t *next) {
    const uint32_t *bits = plan->bits + row * plan->words;
    for (size_t w = table->first_word; w < table->end_word; w += 2) { /* two words: fewer ends of the inner loop */
        const ebm_digit_code *codes = plan->codes + w * WORD;
        uint64_t x = bits[w], left = leading_bits(plan, w, bits[w]);
        if (w + 1 < table->end_word) {
            x |= (uint64_t)bits[w + 1] << WORD;
            left |= (uint64_t)leading_bits(plan, w + 1, bits[w + 1]) << WORD;
        }
        for (; left != 0; left &= left - 1, next += ROWS) {
            const int bit = __builtin_ctzll(left);
            *next = (uint16_t)(codes[bit].base + (x >> bit & codes[bit].mask) * EBM_ENTRY_BYTES);
        }
    }
    return next;
}

void JOIN(ebm_write_lists_, EBM_KERNEL_SUFFIX)(ebm_binary_plan *plan, size_t index) {
    ebm_table_plan *table = &plan->tables[index];
    const size_t groups = (plan->rows + ROWS - 1) / ROWS;
    uint16_t *rows = plan->list_rows + table->first_word * groups * ROWS;
    uint16_t *lengths = plan->list_lengths + table->first_word * groups;
    uint16_t *offsets = plan->list_offsets + table->first_word * WORD * groups * ROWS;
    table->lists = (ebm_lists){groups, plan->rows, lengths, rows, offsets};
    uint16_t length_of[EBM_PLAN_MOST_ROWS];
    sort_rows(plan, table, rows, length_of);
    uint16_t *next = offsets;
    for (size_t g = 0; g < groups; g++, rows += ROWS) {
        const size_t length = length_of[rows[0]];
        lengths[g] = (uint16_t)length;
        for (int r = 0; r < ROWS; r++) {
            uint16_t *at = next + r, *end = at + length * ROWS;
            if (rows[r] < plan->rows)
                at = write_list(plan, table, rows[r], at);
            for (; at < end; at += ROWS)
                *at = 0;
        }
        next += length * ROWS;
    }
}
