/* Sums of table entries chosen by lists: one source, compiled once for each instruction set.
 *
 * The inner loop is one load of an offset and one addition from first-level cache for each EBM_SUM_COLUMNS outputs.
 * Eight rows go together so that additions of one row, which depend on each other, leave no gaps. */
#include "core/sum_kernels.h"
#include "core/vectors.h"

#include <string.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define KERNELS JOIN(ebm_sum_kernels_, EBM_KERNEL_SUFFIX)

enum { COLUMNS = EBM_SUM_COLUMNS, ROWS = EBM_SUM_ROWS, PARTS = EBM_ENTRY_BYTES / VECTOR_BYTES };

static void pack(size_t count, const ebm_real *x, uint32_t *bits) {
    size_t i = 0;
#if defined(__AVX512F__) && !defined(EBM_DOUBLE)
    for (; i + 32 <= count; i += 32) {
        const __mmask16 low = _mm512_cmp_ps_mask(_mm512_loadu_ps(x + i), _mm512_setzero_ps(), _CMP_NEQ_UQ);
        const __mmask16 high = _mm512_cmp_ps_mask(_mm512_loadu_ps(x + i + 16), _mm512_setzero_ps(), _CMP_NEQ_UQ);
        bits[i / 32] = (uint32_t)low | (uint32_t)high << 16;
    }
#elif defined(__AVX2__) && !defined(EBM_DOUBLE)
    for (; i + 32 <= count; i += 32) {
        uint32_t word = 0;
        for (int part = 0; part < 4; part++) {
            const __m256 v = _mm256_loadu_ps(x + i + 8 * part);
            const __m256 set = _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NEQ_UQ);
            word |= (uint32_t)_mm256_movemask_ps(set) << 8 * part;
        }
        bits[i / 32] = word;
    }
#endif
    for (; i < count; i += 32) {
        const size_t n = count - i < 32 ? count - i : 32;
        uint32_t word = 0;
        for (size_t j = 0; j < n; j++)
            word |= (uint32_t)(x[i + j] != 0) << j;
        bits[i / 32] = word;
    }
}

/* (32, 32) bits: bit j of in[i] becomes bit i of out[j]. */
static void transpose_bits(const uint32_t in[32], uint32_t out[32]) {
#if defined(__AVX512F__)
    const __m512i low = _mm512_loadu_si512(in), high = _mm512_loadu_si512(in + 16);
    for (int j = 0; j < 32; j++) {
        const __m512i bit = _mm512_set1_epi32((int)(1u << j));
        out[j] = (uint32_t)_mm512_test_epi32_mask(low, bit) | (uint32_t)_mm512_test_epi32_mask(high, bit) << 16;
    }
#else
    /* swap ever smaller squares across the diagonal */
    uint32_t mask = 0x0000FFFFu;
    memcpy(out, in, 32 * sizeof *out);
    for (int shift = 16; shift != 0; shift >>= 1, mask ^= mask << shift)
        for (int top = 0; top < 32; top += 2 * shift)
            for (int i = top; i < top + shift; i++) {
                const uint32_t moved = (out[i] >> shift ^ out[i + shift]) & mask;
                out[i + shift] ^= moved;
                out[i] ^= moved << shift;
            }
#endif
}

typedef struct entry {
    real_vector part[PARTS];
} entry;

static inline entry load_entry(const ebm_real *at) {
    entry e;
    for (int p = 0; p < PARTS; p++)
        e.part[p] = load_reals(at + p * LANES);
    return e;
}

/* Columns 0 ... width-1 and zeros. */
static inline entry load_columns(const ebm_real *at, size_t width) {
    __builtin_prefetch(at + 2 * COLUMNS, 0,
                       2); /* for the next block of columns: rows lie too far apart to be foreseen */
    if (width == COLUMNS)
        return load_entry(at);
    ebm_real padded[COLUMNS] = {0};
    memcpy(padded, at, width * sizeof *at);
    return load_entry(padded);
}

static inline void store_entry(ebm_real *at, entry e) {
    for (int p = 0; p < PARTS; p++)
        *(real_vector *)(at + p * LANES) = e.part[p];
}

static inline entry add(entry a, entry b) {
    for (int p = 0; p < PARTS; p++)
        a.part[p] += b.part[p];
    return a;
}

static inline __attribute__((always_inline)) void build_columns(const ebm_digits *digits, const ebm_real *W, size_t ldw,
                                                                size_t width, ebm_real *table) {
    memset(table, 0, EBM_ENTRY_BYTES);
    table += COLUMNS;
    const uint32_t *unit = digits->units;
    for (size_t d = 0; d < digits->fours; d++, table += 15 * COLUMNS) {
        const ebm_real *at = W + *unit++ * ldw;
        ebm_real *t = table - COLUMNS; /* t + v * COLUMNS: the entry of setting v */
        const entry a = load_columns(at, width), b = load_columns(at + ldw, width);
        const entry c = load_columns(at + 2 * ldw, width), d4 = load_columns(at + 3 * ldw, width);
        const entry ab = add(a, b), cd = add(c, d4);
        store_entry(t + 1 * COLUMNS, a);
        store_entry(t + 2 * COLUMNS, b);
        store_entry(t + 3 * COLUMNS, ab);
        store_entry(t + 4 * COLUMNS, c);
        store_entry(t + 5 * COLUMNS, add(a, c));
        store_entry(t + 6 * COLUMNS, add(b, c));
        store_entry(t + 7 * COLUMNS, add(ab, c));
        store_entry(t + 8 * COLUMNS, d4);
        store_entry(t + 9 * COLUMNS, add(a, d4));
        store_entry(t + 10 * COLUMNS, add(b, d4));
        store_entry(t + 11 * COLUMNS, add(ab, d4));
        store_entry(t + 12 * COLUMNS, cd);
        store_entry(t + 13 * COLUMNS, add(a, cd));
        store_entry(t + 14 * COLUMNS, add(b, cd));
        store_entry(t + 15 * COLUMNS, add(ab, cd));
    }
    for (size_t d = 0; d < digits->twos; d++, table += 3 * COLUMNS) {
        const ebm_real *at = W + *unit++ * ldw;
        const entry a = load_columns(at, width), b = load_columns(at + ldw, width);
        store_entry(table, a);
        store_entry(table + COLUMNS, b);
        store_entry(table + 2 * COLUMNS, add(a, b));
    }
    for (size_t d = 0; d < digits->ones; d++, table += COLUMNS)
        store_entry(table, load_columns(W + *unit++ * ldw, width));
}

static void build(const ebm_digits *digits, const ebm_real *W, size_t ldw, size_t width, ebm_real *table) {
    if (width == COLUMNS)
        build_columns(digits, W, ldw, COLUMNS, table);
    else
        build_columns(digits, W, ldw, width, table);
}

/* Rows summed at once in registers: eight accumulators of this vector width. */
enum { AT_ONCE = ROWS / PARTS < 1 ? 1 : ROWS / PARTS };
typedef uint64_t offsets_together;
enum { TOGETHER = AT_ONCE < 4 ? AT_ONCE : 4 };

/* acc[r] += the entries of list r, for AT_ONCE lists of one length lying one after another. */
static inline __attribute__((always_inline)) void add_lists(const uint16_t *offsets, size_t length,
                                                            const ebm_real *table, entry acc[AT_ONCE]) {
    const char *base = (const char *)table;
    for (size_t i = 0; i < length; i++)
        for (int r = 0; r < AT_ONCE; r += TOGETHER) {
            offsets_together some = 0;
            memcpy(&some, offsets + i * ROWS + r, TOGETHER * sizeof *offsets);
            for (int s = 0; s < TOGETHER; s++)
                acc[r + s] = add(acc[r + s], load_entry((const ebm_real *)(base + (some >> 16 * s & 0xffff))));
        }
}

static inline __attribute__((always_inline)) void sum_rows(const ebm_lists *lists, const ebm_real *table,
                                                           ebm_real *sums, int first) {
    const uint16_t *offsets = lists->offsets, *rows = lists->rows;
    for (size_t g = 0; g < lists->groups; g++) {
        const size_t length = lists->lengths[g];
        for (int part = 0; part < ROWS; part += AT_ONCE) {
            entry acc[AT_ONCE];
            for (int r = 0; r < AT_ONCE; r++)
                acc[r] = first ? (entry){0} : load_entry(sums + rows[r] * (size_t)COLUMNS);
            add_lists(offsets + part, length, table, acc);
            for (int r = 0; r < AT_ONCE; r++)
                store_entry(sums + rows[r] * (size_t)COLUMNS, acc[r]);
            rows += AT_ONCE;
        }
        offsets += ROWS * length;
    }
}

static void sum_first(const ebm_lists *lists, const ebm_real *table, ebm_real *sums) {
    sum_rows(lists, table, sums, 1);
}

static void sum_more(const ebm_lists *lists, const ebm_real *table, ebm_real *sums) {
    sum_rows(lists, table, sums, 0);
}

static inline void add_scaled(ebm_real *out, ebm_real alpha, entry e, size_t width) {
    if (width == COLUMNS) {
        for (int p = 0; p < PARTS; p++)
            store_reals(out + p * LANES, load_reals(out + p * LANES) + alpha * e.part[p]);
        return;
    }
    ebm_real values[COLUMNS];
    memcpy(values, &e, sizeof values);
    for (size_t j = 0; j < width; j++)
        out[j] += alpha * values[j];
}

static void sum_into(const ebm_lists *lists, const ebm_real *table, ebm_real alpha, ebm_real *out, size_t ldo,
                     size_t width) {
    const uint16_t *offsets = lists->offsets, *rows = lists->rows;
    for (size_t g = 0; g < lists->groups; g++) {
        const size_t length = lists->lengths[g];
        if (length == 0) /* lengths never grow: the rest is empty too */
            return;
        for (int part = 0; part < ROWS; part += AT_ONCE) {
            entry acc[AT_ONCE] = {{{{0}}}};
            add_lists(offsets + part, length, table, acc);
            for (int r = 0; r < AT_ONCE; r++)
                if (rows[r] < lists->row_count)
                    add_scaled(out + rows[r] * ldo, alpha, acc[r], width);
            rows += AT_ONCE;
        }
        offsets += ROWS * length;
    }
}

static void finish(size_t row_count, const ebm_real *sums, const ebm_real *bias, ebm_real *out, size_t ldo,
                   size_t width) {
    ebm_real start[COLUMNS] = {0};
    if (bias != NULL)
        memcpy(start, bias, width * sizeof *bias);
    const entry offset = load_entry(start);
    for (size_t row = 0; row < row_count; row++, out += ldo, sums += COLUMNS) {
        if (width == COLUMNS) {
            const entry e = add(load_entry(sums), offset);
            for (int p = 0; p < PARTS; p++)
                store_reals(out + p * LANES, e.part[p]);
        } else {
            for (size_t j = 0; j < width; j++)
                out[j] = sums[j] + start[j];
        }
    }
}

/* from plan_kernels.c */
void JOIN(ebm_choose_digits_, EBM_KERNEL_SUFFIX)(ebm_binary_plan *plan, size_t w, ebm_product_path path);
void JOIN(ebm_write_lists_, EBM_KERNEL_SUFFIX)(ebm_binary_plan *plan, size_t index);

extern const ebm_sum_kernels KERNELS;
const ebm_sum_kernels KERNELS = {
    .choose_digits = JOIN(ebm_choose_digits_, EBM_KERNEL_SUFFIX),
    .write_lists = JOIN(ebm_write_lists_, EBM_KERNEL_SUFFIX),
    .pack = pack,
    .transpose_bits = transpose_bits,
    .build = build,
    .sum_first = sum_first,
    .sum_more = sum_more,
    .sum_into = sum_into,
    .finish = finish,
};
