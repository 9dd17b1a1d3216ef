/* Products with a factor that holds only 0 and 1: sums of selected rows, by lists of table entries.
 *
 * For each block of EBM_SUM_COLUMNS columns: write a table of partial sums of the rows of W (every non-zero setting of
 * a digit: one, two or four neighbouring units), small enough for the first-level cache; then for every row of the
 * output add up the entries that its list names. With digits of four that is a quarter of the dense product's
 * additions; with digits of one it is the gathering of selected rows. The plan (binary_plan.c) chooses for each group
 * of units, and its cost decides between this and the dense product. The idea of tables for small groups is that of V.
 * Arlazarov, E. Dinic, M. Kronrod, I. Faradzev (1970), "On economical construction of the transitive closure of an
 * oriented graph".
 *
 * The order of each element's additions depends on the 0/1 factor and the shape, not on threads, which share columns.
 */
#include "core/binary_plan.h"
#include "core/matrix_blocks.h"
#include "core/row_kernels.h"
#include "ebm/matrix.h"

#include <assert.h>
#include <omp.h>
#include <string.h>

enum {
    COLUMNS = EBM_SUM_COLUMNS,
    ROW_CHUNK = 128,      /* rows of a product whose running sums stay in first-level cache */
    UNIT_CHUNK = 4096,    /* bounds the scratch */
    OUTER_UNITS = 128,    /* batch rows of an outer product taken together: about one table */
    WORTH_THREADS = 50000 /* cycles: below this starting threads costs more than they gain */
};

/* Reading the whole factor once more is for builds without optimisation only. */
#ifdef __OPTIMIZE__
#define CHECK_BINARY(rows, columns, X, ldx) ((void)0)
#else
#define CHECK_BINARY(rows, columns, X, ldx) assert(ebm_is_binary(rows, columns, X, ldx))
#endif

static int product_path = EBM_PRODUCT_AUTO;

void ebm_product_path_set(ebm_product_path path) {
    __atomic_store_n(&product_path, (int)path, __ATOMIC_RELEASE);
}

ebm_product_path ebm_product_path_get(void) {
    return (ebm_product_path)__atomic_load_n(&product_path, __ATOMIC_ACQUIRE);
}

/* Length of the equal chunks that `length` is cut into, each at most `most`. */
static size_t chunk_of(size_t length, size_t most) {
    const size_t chunks = (length + most - 1) / most;
    return (length + chunks - 1) / chunks;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* A product in progress: rows of `out` += or = sums of rows of W chosen by the plan. */
typedef struct sum_task {
    ebm_binary_plan plan;
    size_t N, ldw, ldo;
    const ebm_real *W, *bias;
    ebm_real *out;
    ebm_real alpha;
    bool outer;                     /* out += alpha sums, straight from each table */
    bool add;                       /* out += sums */
    ebm_real *tables;               /* for each thread: a table, then running sums */
    size_t table_size, thread_size; /* numbers */
} sum_task;

static bool take_task(sum_task *task, size_t rows, size_t units, ebm_work *work) {
    if (!ebm_plan_take(&task->plan, rows, units, work))
        return false;
    task->table_size = (size_t)EBM_PLAN_MOST_ENTRIES * COLUMNS;
    task->thread_size = task->table_size + (task->outer ? 0 : (rows + 1) * COLUMNS);
    task->tables = ebm_work_take(work, task->thread_size * (size_t)ebm_work_threads(work), sizeof *task->tables);
    return task->tables != NULL;
}

static void sum_columns(const sum_task *task, size_t first, ebm_real *table) {
    const ebm_sum_kernels *kernels = ebm_row_kernels_get()->sums;
    const size_t width = smaller(COLUMNS, task->N - first);
    ebm_real *sums = table + task->table_size;
    if (!task->outer && task->plan.table_count == 0)
        memset(sums, 0, task->plan.rows * COLUMNS * sizeof *sums);
    for (size_t t = 0; t < task->plan.table_count; t++) {
        const ebm_table_plan *plan = &task->plan.tables[t];
        kernels->build(&plan->digits, task->W + first, task->ldw, width, table);
        if (task->outer)
            kernels->sum_into(&plan->lists, table, task->alpha, task->out + first, task->ldo, width);
        else if (t == 0)
            kernels->sum_first(&plan->lists, table, sums);
        else
            kernels->sum_more(&plan->lists, table, sums);
    }
    if (!task->outer)
        kernels->finish(task->plan.rows, sums, task->bias != NULL ? task->bias + first : NULL, task->add,
                        task->out + first, task->ldo, width);
}

static void run_task(sum_task *task, ebm_work *work) {
    ebm_binary_plan *plan = &task->plan;
    const size_t blocks = (task->N + COLUMNS - 1) / COLUMNS;
#pragma omp parallel num_threads(ebm_work_threads(work)) if (plan->cost * (double)blocks > WORTH_THREADS)
    {
        ebm_real *table = task->tables + task->thread_size * (size_t)omp_get_thread_num();
#pragma omp for schedule(dynamic)
        for (size_t t = 0; t < plan->table_count; t++)
            ebm_plan_lists(plan, t);
#pragma omp for schedule(dynamic)
        for (size_t block = 0; block < blocks; block++)
            sum_columns(task, block * COLUMNS, table);
    }
}

static void dense_product(size_t B, size_t N, size_t K, const ebm_real *X, size_t ldx, const ebm_real *W, size_t ldw,
                          const ebm_real *bias, ebm_real *C, size_t ldc, ebm_work *work) {
    for (size_t b = 0; b < B; b++) {
        if (bias != NULL)
            memcpy(C + b * ldc, bias, N * sizeof *C);
        else
            memset(C + b * ldc, 0, N * sizeof *C);
    }
    if (K > 0)
        ebm_gemm(false, false, B, N, K, 1, X, ldx, W, ldw, 1, C, ldc, work);
}

void ebm_binary_product(size_t B, size_t N, size_t K, const ebm_real *X, size_t ldx, const ebm_real *W, size_t ldw,
                        const ebm_real *bias, ebm_real *C, size_t ldc, ebm_work *work) {
    CHECK_BINARY(B, K, X, ldx);
    const ebm_product_path path = ebm_product_path_get();
    if (B == 0 || N == 0)
        return;
    if (path == EBM_PRODUCT_DENSE || K == 0) {
        dense_product(B, N, K, X, ldx, W, ldw, bias, C, ldc, work);
        return;
    }
    const size_t mark = ebm_work_mark(work), rows = chunk_of(B, ROW_CHUNK);
    const ebm_sum_kernels *kernels = ebm_row_kernels_get()->sums;
    for (size_t row = 0; row < B; row += rows) {
        sum_task task = {.N = N, .W = W, .ldw = ldw, .bias = bias, .out = C + row * ldc, .ldo = ldc};
        const size_t M = smaller(rows, B - row);
        if (!take_task(&task, M, K, work)) {
            ebm_work_release(work, mark);
            dense_product(B - row, N, K, X + row * ldx, ldx, W, ldw, bias, C + row * ldc, ldc, work);
            return;
        }
        for (size_t b = 0; b < M; b++)
            kernels->pack(K, X + (row + b) * ldx, task.plan.bits + b * task.plan.words);
        ebm_plan_digits(&task.plan, path);
        if (path == EBM_PRODUCT_AUTO && task.plan.cost > 0.9 * (double)(M * K))
            dense_product(M, N, K, X + row * ldx, ldx, W, ldw, bias, C + row * ldc, ldc, work);
        else
            run_task(&task, work);
        ebm_work_release(work, mark);
    }
}

/* (32, 32) bits: bit j of word i to bit i of word j. */
static void transpose_bits(uint32_t word[32]) {
    uint32_t mask = 0x0000FFFFu;
    for (int shift = 16; shift != 0; shift >>= 1, mask ^= mask << shift)
        for (int i = 0; i < 32; i = (i + shift + 1) & ~shift) {
            const uint32_t moved = (word[i] >> shift ^ word[i + shift]) & mask;
            word[i + shift] ^= moved;
            word[i] ^= moved << shift;
        }
}

void ebm_binary_outer(size_t B, size_t N, size_t K, double alpha, const ebm_real *X, size_t ldx, const ebm_real *Y,
                      size_t ldy, ebm_real *G, size_t ldg, ebm_work *work) {
    CHECK_BINARY(B, K, X, ldx);
    const ebm_product_path path = ebm_product_path_get();
    if (B == 0 || N == 0 || K == 0)
        return;
    if (path == EBM_PRODUCT_DENSE) {
        ebm_gemm(true, false, K, N, B, alpha, X, ldx, Y, ldy, 1, G, ldg, work);
        return;
    }
    const size_t mark = ebm_work_mark(work), units = chunk_of(B, OUTER_UNITS), rows = chunk_of(K, EBM_PLAN_MOST_ROWS);
    const ebm_sum_kernels *kernels = ebm_row_kernels_get()->sums;
    for (size_t unit = 0; unit < B; unit += units) {
        for (size_t row = 0; row < K; row += rows) {
            sum_task task = {.N = N, .W = Y + unit * ldy, .ldw = ldy, .out = G + row * ldg, .ldo = ldg};
            task.alpha = (ebm_real)alpha;
            task.outer = true;
            const size_t M = smaller(rows, K - row), U = smaller(units, B - unit);
            const ebm_real *x = X + unit * ldx + row;
            const size_t words = (M + 31) / 32;
            uint32_t *packed = ebm_work_take(work, words * U, sizeof *packed);
            if (packed == NULL || !take_task(&task, M, U, work)) {
                ebm_gemm(true, false, M, N, U, alpha, x, ldx, task.W, ldy, 1, task.out, ldg, work);
                ebm_work_release(work, mark);
                continue;
            }
            for (size_t b = 0; b < U; b++)
                kernels->pack(M, x + b * ldx, packed + b * words);
            for (size_t i = 0; i < words; i++)
                for (size_t w = 0; w < task.plan.words; w++) {
                    uint32_t square[32] = {0};
                    for (size_t b = 0; b < 32 && w * 32 + b < U; b++)
                        square[b] = packed[(w * 32 + b) * words + i];
                    transpose_bits(square);
                    for (size_t k = 0; k < 32 && i * 32 + k < M; k++)
                        task.plan.bits[(i * 32 + k) * task.plan.words + w] = square[k];
                }
            ebm_plan_digits(&task.plan, path);
            if (path == EBM_PRODUCT_AUTO && task.plan.cost > 0.9 * (double)(M * U))
                ebm_gemm(true, false, M, N, U, alpha, x, ldx, task.W, ldy, 1, task.out, ldg, work);
            else
                run_task(&task, work);
            ebm_work_release(work, mark);
        }
    }
}
