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
#ifdef _OPENMP
#include <omp.h>
#endif
#include <string.h>

enum {
    COLUMNS = EBM_SUM_COLUMNS,
    WORD = EBM_PLAN_WORD,
    ROW_CHUNK = 128,   /* rows of a product whose running sums stay in first-level cache */
    OUTER_UNITS = 128, /* batch rows of an outer product taken together: about one table */
};
static const double worth_threads = 2e6; /* multiply-adds: below this starting threads costs more than they gain */

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

/* out (rows, N): product of the 0/1 matrix (rows, units) with W (units, N). The 0/1 matrix is X (rows, units), or for
 * an outer product the transpose of X (units, rows). */
typedef struct sum_task {
    ebm_product_path path;
    bool outer; /* out += alpha times the product; else out = bias + the product */
    size_t rows, units, N;
    const ebm_real *X, *W, *bias;
    ebm_real *out;
    size_t ldx, ldw, ldo;
    ebm_real alpha;
    ebm_binary_plan plan;
    uint32_t *packed;     /* (units, words of rows), outer only: X in bits before it is transposed */
    ebm_real *tables;     /* for each thread a table, then running sums */
    size_t thread_length; /* numbers for each thread */
    bool dense;           /* what the plan decided */
} sum_task;

enum { TABLE_LENGTH = EBM_PLAN_MOST_ENTRIES * COLUMNS };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Length of the equal chunks that `length` is cut into, each at most `most`. */
static size_t chunk_of(size_t length, size_t most) {
    const size_t chunks = (length + most - 1) / most;
    return (length + chunks - 1) / chunks;
}

static size_t words_of(size_t bits) {
    return (bits + WORD - 1) / WORD;
}

static bool take_task(sum_task *task, ebm_work *work) {
    if (task->outer) {
        task->packed = ebm_work_take(work, task->units * words_of(task->rows), sizeof *task->packed);
        if (task->packed == NULL)
            return false;
    }
    if (!ebm_plan_take(&task->plan, task->rows, task->units, work))
        return false;
    task->thread_length = TABLE_LENGTH + (task->outer ? 0 : (task->rows + 1) * COLUMNS);
    task->tables = ebm_work_take(work, task->thread_length * (size_t)ebm_work_threads(work), sizeof *task->tables);
    return task->tables != NULL;
}

/* Rows 32 i ... 32 i + 31 of the plan's bits from task->packed. */
static void transpose_bits(sum_task *task, size_t i) {
    const ebm_sum_kernels *kernels = ebm_row_kernels_get()->sums;
    const size_t words = words_of(task->rows), first = i * WORD, rows = smaller(WORD, task->rows - first);
    for (size_t w = 0; w < task->plan.words; w++) {
        const size_t units = smaller(WORD, task->units - w * WORD);
        uint32_t square[WORD] = {0}, transposed[WORD];
        for (size_t b = 0; b < units; b++)
            square[b] = task->packed[(w * WORD + b) * words + i];
        kernels->transpose_bits(square, transposed);
        for (size_t k = 0; k < rows; k++)
            task->plan.bits[(first + k) * task->plan.words + w] = transposed[k];
    }
}

static void sum_columns(const sum_task *task, size_t first, ebm_real *table) {
    const ebm_sum_kernels *kernels = ebm_row_kernels_get()->sums;
    const size_t width = smaller(COLUMNS, task->N - first);
    ebm_real *sums = table + TABLE_LENGTH;
    if (!task->outer && task->plan.table_count == 0)
        memset(sums, 0, task->rows * COLUMNS * sizeof *sums);
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
        kernels->finish(task->rows, sums, task->bias != NULL ? task->bias + first : NULL, task->out + first, task->ldo,
                        width);
}

/* Every thread of a team calls this. */
static void run_with_team(sum_task *task, ebm_real *table) {
    const ebm_sum_kernels *kernels = ebm_row_kernels_get()->sums;
    ebm_binary_plan *plan = &task->plan;
    const size_t rows = task->rows, N = task->N;
    if (task->outer) {
#pragma omp for schedule(static)
        for (size_t b = 0; b < task->units; b++)
            kernels->pack(rows, task->X + b * task->ldx, task->packed + b * words_of(rows));
#pragma omp for schedule(static)
        for (size_t i = 0; i < words_of(rows); i++)
            transpose_bits(task, i);
    } else {
#pragma omp for schedule(static)
        for (size_t b = 0; b < rows; b++)
            kernels->pack(task->units, task->X + b * task->ldx, plan->bits + b * plan->words);
    }
#pragma omp for schedule(static)
    for (size_t w = 0; w < plan->words; w++)
        kernels->choose_digits(plan, w, task->path);
#pragma omp single
    {
        ebm_plan_cut(plan);
        task->dense = task->path == EBM_PRODUCT_AUTO && !ebm_plan_worthwhile(plan, N, task->outer);
    }
    if (task->dense)
        return;
#pragma omp for schedule(dynamic)
    for (size_t t = 0; t < plan->table_count; t++)
        kernels->write_lists(plan, t);
#pragma omp for schedule(static) /* neighbours stay together: they share cache lines of W and of the output */
    for (size_t first = 0; first < N; first += COLUMNS)
        sum_columns(task, first, table);
}

static size_t thread_number(void) {
#ifdef _OPENMP
    return (size_t)omp_get_thread_num();
#else
    return 0;
#endif
}

/* False where the dense product is to be taken instead. */
static bool run_task(sum_task *task, ebm_work *work) {
    const size_t mark = ebm_work_mark(work);
    const bool taken = take_task(task, work);
    if (taken) {
        const double cost = (double)task->rows * (double)task->units * (double)task->N;
        const int threads = cost > worth_threads ? ebm_work_threads(work) : 1;
        (void)threads;
#pragma omp parallel num_threads(threads) if (threads > 1)
        run_with_team(task, task->tables + task->thread_length * thread_number());
    }
    ebm_work_release(work, mark);
    return taken && !task->dense;
}

/* Whether to take the dense product without looking at the 0/1 factor. */
static bool is_dense(ebm_product_path path, size_t rows, size_t units, size_t N, bool outer) {
    return path == EBM_PRODUCT_DENSE || units == 0 ||
           (path == EBM_PRODUCT_AUTO && !ebm_plan_thinkable(rows, units, N, outer));
}

static void dense_product(const sum_task *task, ebm_work *work) {
    const size_t bytes = task->N * sizeof(ebm_real);
    for (size_t b = 0; b < task->rows; b++) {
        if (task->bias != NULL)
            memcpy(task->out + b * task->ldo, task->bias, bytes);
        else
            memset(task->out + b * task->ldo, 0, bytes);
    }
    if (task->units > 0)
        ebm_gemm(false, false, task->rows, task->N, task->units, 1, task->X, task->ldx, task->W, task->ldw, 1,
                 task->out, task->ldo, work);
}

void ebm_binary_product(size_t B, size_t N, size_t K, const ebm_real *X, size_t ldx, const ebm_real *W, size_t ldw,
                        const ebm_real *bias, ebm_real *C, size_t ldc, ebm_work *work) {
    assert(ldx >= K && ldw >= N && ldc >= N);
    CHECK_BINARY(B, K, X, ldx);
    if (B == 0 || N == 0)
        return;
    sum_task task = {.path = ebm_product_path_get(), .units = K, .N = N, .W = W, .bias = bias};
    task.ldx = ldx, task.ldw = ldw, task.ldo = ldc;
    const bool dense = is_dense(task.path, smaller(B, ROW_CHUNK), K, N, false);
    const size_t rows = dense ? B : chunk_of(B, ROW_CHUNK);
    for (size_t b = 0; b < B; b += rows) {
        task.rows = smaller(rows, B - b);
        task.X = X + b * ldx;
        task.out = C + b * ldc;
        if (dense || !run_task(&task, work))
            dense_product(&task, work);
    }
}

void ebm_binary_outer(size_t B, size_t N, size_t K, double alpha, const ebm_real *X, size_t ldx, const ebm_real *Y,
                      size_t ldy, ebm_real *G, size_t ldg, ebm_work *work) {
    assert(ldx >= K && ldy >= N && ldg >= N);
    CHECK_BINARY(B, K, X, ldx);
    if (B == 0 || N == 0 || K == 0)
        return;
    sum_task task = {.path = ebm_product_path_get(), .outer = true, .N = N, .alpha = (ebm_real)alpha};
    task.ldx = ldx, task.ldw = ldy, task.ldo = ldg;
    const bool dense = is_dense(task.path, smaller(K, EBM_PLAN_MOST_ROWS), smaller(B, OUTER_UNITS), N, true);
    const size_t units = dense ? B : chunk_of(B, OUTER_UNITS), rows = dense ? K : chunk_of(K, EBM_PLAN_MOST_ROWS);
    for (size_t b = 0; b < B; b += units)
        for (size_t k = 0; k < K; k += rows) {
            task.units = smaller(units, B - b);
            task.rows = smaller(rows, K - k);
            task.X = X + b * ldx + k;
            task.W = Y + b * ldy;
            task.out = G + k * ldg;
            if (dense || !run_task(&task, work))
                ebm_gemm(true, false, task.rows, N, task.units, alpha, task.X, ldx, task.W, ldy, 1, task.out, ldg,
                         work);
        }
}
