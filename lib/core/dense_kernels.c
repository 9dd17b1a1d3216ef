/* Kernels of the fused sweep (see dense_kernels.h): one source, compiled once for each instruction set.
 *
 * In float the updates go along vectors of chains. In double, which is for testing, the loops are plain. */
#include "core/dense_kernels.h"
#include "core/philox_vectors.h"
#include "core/vector_transpose.h"
#include "ebm/special.h"

#include <math.h>
#include <string.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define KERNELS JOIN(ebm_dense_kernels_, EBM_KERNEL_SUFFIX)

enum { COLUMNS = EBM_DENSE_COLUMNS, GROUP = EBM_DENSE_GROUP, PARTS = EBM_DENSE_ENTRY_BYTES / VECTOR_BYTES };

typedef struct entry {
    real_vector part[PARTS];
} entry;

static inline entry load_entry(const ebm_real *at) {
    entry e;
    for (int p = 0; p < PARTS; p++)
        e.part[p] = load_reals(at + p * LANES);
    return e;
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

static inline entry negative(entry a) {
    for (int p = 0; p < PARTS; p++)
        a.part[p] = -a.part[p];
    return a;
}

/* Columns 0 ... width-1 of a row, and zeros. Rows lie too far apart to be foreseen: fetch for two blocks later. */
static inline entry load_columns(const ebm_real *at, size_t width) {
    __builtin_prefetch(at + 2 * COLUMNS, 0, 2);
    if (width == COLUMNS)
        return load_entry(at);
    ebm_real padded[COLUMNS] = {0};
    memcpy(padded, at, width * sizeof *at);
    return load_entry(padded);
}

/* Entry v is the low part v % 4, of units 0 and 1, plus the high part v / 4, of units 2 and 3. */
static inline void group_table(bool spin, const entry row[GROUP], ebm_real *table) {
    entry low[4], high[4];
    for (int half = 0; half < 2; half++) {
        entry *part = half ? high : low;
        const entry a = row[2 * half], b = row[2 * half + 1];
        part[3] = add(a, b);
        part[1] = spin ? add(a, negative(b)) : a;
        part[2] = spin ? negative(part[1]) : b;
        part[0] = spin ? negative(part[3]) : (entry){{{0}}};
    }
    for (int v = 0; v < 16; v++)
        store_entry(table + v * COLUMNS, spin || (v % 4 && v / 4) ? add(low[v % 4], high[v / 4])
                                         : v % 4                  ? low[v % 4]
                                                                  : high[v / 4]);
}

static inline __attribute__((always_inline)) void tables_of(bool spin, size_t rows, const ebm_real *W, size_t ldw,
                                                            size_t width, ebm_real *tables) {
    size_t r = 0;
    entry row[GROUP];
    for (; r + GROUP <= rows; r += GROUP, tables += EBM_DENSE_TABLE) {
        for (size_t t = 0; t < GROUP; t++)
            row[t] = load_columns(W + (r + t) * ldw, width);
        group_table(spin, row, tables);
    }
    if (r < rows) {
        for (size_t t = 0; t < GROUP; t++)
            row[t] = r + t < rows ? load_columns(W + (r + t) * ldw, width) : (entry){{{0}}};
        group_table(spin, row, tables);
    }
}

static void make_tables(bool spin, size_t rows, const ebm_real *W, size_t ldw, size_t width, ebm_real *tables) {
    if (width < COLUMNS)
        tables_of(spin, rows, W, ldw, width, tables);
    else if (spin)
        tables_of(true, rows, W, ldw, COLUMNS, tables);
    else
        tables_of(false, rows, W, ldw, COLUMNS, tables);
}

/* Chains that are summed at once in registers: eight accumulators of this vector width. Their additions do not wait for
 * each other. */
enum { AT_ONCE = 8 / PARTS < 4 ? 4 : 8 / PARTS };

static inline __attribute__((always_inline)) void add_chains(size_t groups, const ebm_real *tables, size_t ld,
                                                             const uint16_t *codes, entry acc[AT_ONCE]) {
    const char *table = (const char *)tables;
    for (size_t g = 0; g < groups; g++, table += EBM_DENSE_TABLE * sizeof(ebm_real), codes += ld)
        for (int c = 0; c < AT_ONCE; c += 4) {
            uint64_t four; /* codes in one load: loads, not additions, are what is scarce */
            memcpy(&four, codes + c, sizeof four);
            for (int s = 0; s < 4; s++)
                acc[c + s] = add(acc[c + s], load_entry((const ebm_real *)(table + (four >> 16 * s & 0xffff))));
        }
}

static void add_entries(size_t groups, const ebm_real *tables, size_t chains, size_t ld, const uint16_t *codes,
                        const ebm_real *start, ebm_real *fields) {
    for (size_t b = 0; b < chains; b += AT_ONCE, codes += AT_ONCE, fields += AT_ONCE * COLUMNS) {
        entry acc[AT_ONCE];
        for (int c = 0; c < AT_ONCE; c++)
            acc[c] = load_entry(start != NULL ? start : fields + c * COLUMNS);
        add_chains(groups, tables, ld, codes, acc);
        for (int c = 0; c < AT_ONCE; c++)
            store_entry(fields + c * COLUMNS, acc[c]);
    }
}

/* Rows that are added in one pass over `out`. */
enum { PASS = 4 };

static inline __attribute__((always_inline)) void add_pass(int count, const ebm_real *const *rows,
                                                           const ebm_real *factor, size_t n, ebm_real *out) {
    enum { UNROLLED = 4 };
    size_t j = 0;
    for (; j + (size_t)(UNROLLED * LANES) <= n; j += (size_t)(UNROLLED * LANES))
        for (int u = 0; u < UNROLLED; u++) {
            const size_t at = j + (size_t)(u * LANES);
            real_vector sum = load_reals(out + at);
            for (int k = 0; k < count; k++)
                sum += factor[k] * load_reals(rows[k] + at);
            store_reals(out + at, sum);
        }
    for (; j < n; j++)
        for (int k = 0; k < count; k++)
            out[j] += factor[k] * rows[k][j];
}

static void add_rows(size_t count, const ebm_real *const *rows, const ebm_real *factor, size_t n, ebm_real *out) {
    for (; count >= PASS; count -= PASS, rows += PASS, factor += PASS)
        add_pass(PASS, rows, factor, n, out);
    if (count == 3)
        add_pass(3, rows, factor, n, out);
    else if (count == 2)
        add_pass(2, rows, factor, n, out);
    else if (count == 1)
        add_pass(1, rows, factor, n, out);
}

#ifndef EBM_DOUBLE

static void uniforms(ebm_stream stream, uint32_t first_chain, uint64_t step, size_t first, size_t units, size_t chains,
                     size_t ld, float *out) {
    for (size_t b = 0; b < chains; b += FLOATS)
        for (size_t i = 0; i < units; i += 2 * FLOATS) {
            floats low[FLOATS], high[FLOATS];
            for (int c = 0; c < FLOATS; c++) {
                blocks pair[2];
                philox_vectors(stream, first_chain + (uint32_t)(b + (size_t)c), step, (uint32_t)((first + i) / 4),
                               pair);
                low[c] = uniform_floats(pair[0]);
                high[c] = uniform_floats(pair[1]);
            }
            transpose_floats(low);
            transpose_floats(high);
            for (size_t k = 0; k < FLOATS; k++) {
                store_floats(out + (i + k) * ld + b, low[k]);
                store_floats(out + (i + FLOATS + k) * ld + b, high[k]);
            }
        }
}

/* Vectors of chains that go together, so that one chain's updates, which wait for each other, leave no gaps. */
enum { ABREAST = 4 };
typedef uint16_t code_vector __attribute__((vector_size(VECTOR_BYTES / 2), may_alias, aligned(2)));
typedef uint32_t wide_codes __attribute__((vector_size(VECTOR_BYTES)));

/* fields[i][a]: unit i in FLOATS chains, from the rows of those chains. */
static inline void turn_fields(const float *rows, floats fields[COLUMNS][ABREAST]) {
    for (int a = 0; a < ABREAST; a++)
        for (int part = 0; part < PARTS; part++) {
            floats square[FLOATS];
            for (int c = 0; c < FLOATS; c++)
                square[c] = load_floats(rows + (a * FLOATS + c) * COLUMNS + part * FLOATS);
            transpose_floats(square);
            for (int i = 0; i < FLOATS; i++)
                fields[part * FLOATS + i][a] = square[i];
        }
}

/* Chains b ... b + ABREAST * FLOATS - 1; returns how many updates of the chains that count changed their unit. */
static inline __attribute__((always_inline)) uint64_t update_chains(const ebm_dense_block *k, size_t b,
                                                                    bool metropolis) {
    floats fields[COLUMNS][ABREAST], change[COLUMNS][ABREAST];
    ints flipped[ABREAST] = {{0}};
    const float size = k->spin ? 2 : 1;
    turn_fields(k->fields + b * COLUMNS, fields);
    for (size_t i = 0; i < k->width; i++) {
        const size_t unit = k->first + i;
        const float *w = k->W + unit * k->ldw + k->first;
        uint16_t *codes = k->codes + unit / GROUP * k->ld + b;
        const uint32_t bit = (uint32_t)EBM_DENSE_ENTRY_BYTES << unit % GROUP;
        for (size_t j = 0; j < i; j++)
            for (int a = 0; a < ABREAST; a++)
                fields[i][a] = multiply_add(all(w[j]), change[j][a], fields[i][a]);
        for (int a = 0; a < ABREAST; a++) {
            const wide_codes code = __builtin_convertvector(*(code_vector *)(codes + a * FLOATS), wide_codes);
            const ints was_up = (ints)((code & bit) != 0);
            const floats logit = k->gain * fields[i][a] + k->shift[unit];
            const floats u = load_floats(k->uniforms + i * k->ld + b + (size_t)a * FLOATS);
            ints flips;
            if (metropolis)
                flips = u < exp_floats((floats)((ints)logit ^ (was_up & (ints)all(-0.0f))));
            else
                flips = was_up ^ (u < sigmoid_floats(logit));
            flipped[a] -= flips;
            change[i][a] = __builtin_convertvector(was_up - (was_up ^ flips), floats) * size;
            *(code_vector *)(codes + a * FLOATS) =
                __builtin_convertvector(code ^ ((wide_codes)flips & bit), code_vector);
        }
    }
    uint64_t count = 0;
    for (size_t c = 0; metropolis && c < ABREAST * FLOATS && b + c < k->chains; c++)
        count += (uint64_t)flipped[c / FLOATS][c % FLOATS];
    return count;
}

static uint64_t update(const ebm_dense_block *block) {
    uint64_t accepted = 0;
    for (size_t b = 0; b < block->chains; b += ABREAST * FLOATS)
        accepted += block->metropolis ? update_chains(block, b, true) : update_chains(block, b, false);
    return accepted;
}

#else

static void uniforms(ebm_stream stream, uint32_t first_chain, uint64_t step, size_t first, size_t units, size_t chains,
                     size_t ld, double *out) {
    for (size_t b = 0; b < chains; b++)
        for (size_t i = 0; i < units; i += 2 * BLOCKS) {
            blocks pair[2];
            uint32_t words[4 * BLOCKS];
            philox_vectors(stream, first_chain + (uint32_t)b, step, (uint32_t)((first + i) / 2), pair);
            memcpy(words, pair, sizeof words);
            for (size_t k = 0; k < 2 * BLOCKS; k++)
                out[(i + k) * ld + b] =
                    ((double)(((uint64_t)words[2 * k] << 32 | words[2 * k + 1]) >> 12) + 0.5) * 0x1p-52;
        }
}

static uint64_t update(const ebm_dense_block *k) {
    uint64_t accepted = 0;
    for (size_t b = 0; b < k->chains; b++) {
        double change[COLUMNS];
        for (size_t i = 0; i < k->width; i++) {
            const size_t unit = k->first + i;
            const double *w = k->W + unit * k->ldw + k->first, u = k->uniforms[i * k->ld + b];
            uint16_t *code = k->codes + unit / GROUP * k->ld + b;
            const uint16_t bit = (uint16_t)(EBM_DENSE_ENTRY_BYTES << unit % GROUP);
            double field = k->fields[b * COLUMNS + i];
            for (size_t j = 0; j < i; j++)
                field += w[j] * change[j];
            const double logit = k->gain * field + k->shift[unit];
            const bool was_up = *code & bit;
            const bool flips = k->metropolis ? u < exp(was_up ? -logit : logit) : was_up != (u < ebm_sigmoid(logit));
            accepted += k->metropolis && flips;
            change[i] = flips ? (was_up ? -1 : 1) * (k->spin ? 2 : 1) : 0;
            *code ^= flips ? bit : 0;
        }
    }
    return accepted;
}

#endif

extern const ebm_dense_kernels KERNELS;
const ebm_dense_kernels KERNELS = {
    .tables = make_tables,
    .add_entries = add_entries,
    .uniforms = uniforms,
    .update = update,
    .add_rows = add_rows,
};
