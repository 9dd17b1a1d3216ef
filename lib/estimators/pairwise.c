/* Distances between all rows of a pooled sample (see pairwise.h): |a - b|^2 = |a|^2 + |b|^2 - 2 a . b, the products of a
 * block of rows with all rows by one call of gemm. */
#include "estimators/pairwise.h"

#include "core/matrix_blocks.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { BLOCK_ROWS = 128 };

ebm_status ebm_pooled_open(const double *x, size_t x_count, const double *y, size_t y_count, size_t size, size_t least,
                           ebm_pooled *out, ebm_work *work, ebm_error *error) {
    size_t numbers;
    if (x_count < least || y_count < least || size < 1)
        return ebm_fail(error, EBM_INVALID, "samples of %zu and %zu rows of %zu numbers: at least %zu rows each",
                        x_count, y_count, size, least);
    if (x_count > INT_MAX / 2 || y_count > INT_MAX / 2 || size > INT_MAX ||
        __builtin_mul_overflow(x_count + y_count, size, &numbers))
        return ebm_fail(error, EBM_INVALID, "samples of %zu and %zu rows are too many", x_count, y_count);
    const size_t all = x_count + y_count;
    double *z = ebm_work_take(work, numbers, sizeof *z), *mean = ebm_work_take(work, size, sizeof *mean);
    double *norm = ebm_work_take(work, all, sizeof *norm);
    if (!z || !mean || !norm)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu rows of %zu numbers", all, size);
    memcpy(z, x, x_count * size * sizeof *z);
    memcpy(z + x_count * size, y, y_count * size * sizeof *z);
    memset(mean, 0, size * sizeof *mean);
    for (size_t a = 0; a < all; a++)
        for (size_t i = 0; i < size; i++)
            mean[i] += z[a * size + i] / (double)all;
    for (size_t a = 0; a < all; a++) {
        for (size_t i = 0; i < size; i++)
            z[a * size + i] -= mean[i];
        norm[a] = cblas_ddot((int)size, z + a * size, 1, z + a * size, 1);
        if (!isfinite(norm[a]))
            return ebm_fail(error, EBM_DIVERGED, "row %zu of the pooled sample is not finite", a);
    }
    *out = (ebm_pooled){z, norm, x_count, all, size};
    return EBM_OK;
}

static void visit_block(const ebm_pooled *p, size_t first, size_t rows, double *products, ebm_pair_visitor visit,
                        void *context) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)p->count, (int)p->size, 1,
                p->z + first * p->size, (int)p->size, p->z, (int)p->size, 0, products, (int)p->count);
    for (size_t r = 0; r < rows; r++) {
        double *square = products + r * p->count;
        for (size_t b = 0; b < p->count; b++)
            square[b] = fmax(p->norm[first + r] + p->norm[b] - 2 * square[b], 0);
        square[first + r] = 0;
        visit(p, first + r, square, context);
    }
}

ebm_status ebm_pooled_visit(const ebm_pooled *pooled, ebm_pair_visitor visit, void *context, ebm_work *work,
                            ebm_error *error) {
    const size_t mark = ebm_work_mark(work), all = pooled->count, blocks = (all + BLOCK_ROWS - 1) / BLOCK_ROWS;
    const int threads = ebm_work_threads(work);
    double *products = ebm_work_take(work, all, (size_t)threads * BLOCK_ROWS * sizeof *products);
    if (!products)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for distances between %zu rows", all);
    ebm_blas_one_thread();
#pragma omp parallel for schedule(static, 1) num_threads(threads) if (threads > 1)
    for (int thread = 0; thread < threads; thread++)
        for (size_t block = (size_t)thread; block < blocks; block += (size_t)threads) {
            const size_t first = block * BLOCK_ROWS, left = all - first;
            visit_block(pooled, first, left < BLOCK_ROWS ? left : BLOCK_ROWS,
                        products + (size_t)thread * BLOCK_ROWS * all, visit, context);
        }
    ebm_work_release(work, mark);
    return EBM_OK;
}

double ebm_jackknife(const double *value, size_t count) {
    double mean = 0, squares = 0;
    for (size_t a = 0; a < count; a++)
        mean += value[a] / (double)count;
    for (size_t a = 0; a < count; a++)
        squares += (value[a] - mean) * (value[a] - mean);
    return squares * (double)(count - 1) / (double)count;
}
