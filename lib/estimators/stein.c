/* Kernelised Stein discrepancy. With the score s = grad log p, r = x - y and u = c^2 + |r|^2, the Stein kernel of
 * k(x, y) = u^(-1/2) is
 *
 *   k_0(x, y) = s_x.s_y k + s_x.grad_y k + s_y.grad_x k + div_x grad_y k
 *             = s_x.s_y u^(-1/2) - (s_y - s_x).r u^(-3/2) + d u^(-3/2) - 3 |r|^2 u^(-5/2),
 *   k_0(x, x) = |s_x|^2 / c + d / c^3,
 *
 * whose mean over y ~ p is 0 for each x. Under p the U-statistic is degenerate: its law is that of a sum of weighted
 * chi^2 - 1, which sum_(i != j) e_i e_j k_0(x_i, x_j) with random signs e shares (Arcones & Gine 1992; for this
 * discrepancy Chwialkowski et al. 2016, section 3). p = (1 + number of sign sums >= the statistic) / (1 + replicates).
 *
 * Products of rows come from gemm, about the sample's mean, on which nothing depends. */
#include "ebm/stein.h"

#include "core/matrix_blocks.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = 128, MEDIAN_ROWS = 500 };

typedef struct stein_sums {
    size_t n, d, replicates;
    double bandwidth;
    double *x;            /* (n, d) about the mean */
    const double *score;  /* (n, d) */
    double *norm, *along; /* (n): |x|^2, s_x.x */
    double *row, *own;    /* (n): sum_(j != i) k_0(x_i, x_j), k_0(x_i, x_i) */
    double *signs, *sum;  /* (replicates, n), (replicates) */
    double *product[4];   /* (BLOCK_ROWS, n) */
    double *signed_rows;  /* (BLOCK_ROWS, replicates) */
} stein_sums;

static double *take(ebm_work *work, size_t rows, size_t columns) {
    size_t numbers;
    return __builtin_mul_overflow(rows, columns, &numbers) ? NULL : ebm_work_take(work, numbers, sizeof(double));
}

static bool take_all(stein_sums *s, ebm_work *work) {
    s->x = take(work, s->n, s->d);
    s->norm = take(work, s->n, 4);
    s->signs = take(work, s->replicates, s->n);
    s->sum = take(work, s->replicates, 1);
    s->signed_rows = take(work, BLOCK_ROWS, s->replicates);
    bool all = s->x && s->norm && s->signs && s->sum && s->signed_rows;
    for (size_t k = 0; k < 4; k++)
        all = (s->product[k] = take(work, BLOCK_ROWS, s->n)) && all;
    if (all) {
        s->along = s->norm + s->n;
        s->row = s->norm + 2 * s->n;
        s->own = s->norm + 3 * s->n;
    }
    return all;
}

static ebm_status centre(stein_sums *s, const double *x, ebm_error *error) {
    const size_t n = s->n, d = s->d;
    for (size_t i = 0; i < d; i++) {
        double mean = 0;
        for (size_t a = 0; a < n; a++)
            mean += x[a * d + i] / (double)n;
        for (size_t a = 0; a < n; a++)
            s->x[a * d + i] = x[a * d + i] - mean;
    }
    for (size_t a = 0; a < n; a++) {
        const double *row = s->x + a * d, *score = s->score + a * d;
        s->norm[a] = cblas_ddot((int)d, row, 1, row, 1);
        s->along[a] = cblas_ddot((int)d, row, 1, score, 1);
        s->own[a] = cblas_ddot((int)d, score, 1, score, 1);
        if (!isfinite(s->norm[a]) || !isfinite(s->own[a]))
            return ebm_fail(error, EBM_DIVERGED, "row %zu of the sample, or its score, is not finite", a);
    }
    return EBM_OK;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median distance between pairs of at most MEDIAN_ROWS rows, evenly spaced. */
static ebm_status choose_bandwidth(stein_sums *s, ebm_work *work, ebm_error *error) {
    const size_t rows = s->n < MEDIAN_ROWS ? s->n : MEDIAN_ROWS, pairs = rows * (rows - 1) / 2;
    double *squares = take(work, pairs, 1);
    size_t k = 0;
    if (!squares)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the distances between %zu rows", rows);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < i; j++, k++) {
            const double *a = s->x + i * s->n / rows * s->d, *b = s->x + j * s->n / rows * s->d;
            squares[k] = 0;
            for (size_t c = 0; c < s->d; c++)
                squares[k] += (a[c] - b[c]) * (a[c] - b[c]);
        }
    qsort(squares, pairs, sizeof *squares, ascending);
    s->bandwidth = sqrt(squares[pairs / 2]);
    if (!(s->bandwidth > 0))
        return ebm_fail(error, EBM_INVALID, "the median distance is 0: most rows are equal; give a bandwidth");
    return EBM_OK;
}

static void draw_signs(stein_sums *s, ebm_stream stream, uint64_t step, uint32_t *words) {
    for (size_t r = 0; r < s->replicates; r++) {
        ebm_random_words(stream, (uint32_t)r, step, s->n, words);
        for (size_t a = 0; a < s->n; a++)
            s->signs[r * s->n + a] = words[a] >> 31 ? 1 : -1;
        s->sum[r] = 0;
    }
}

/* out (rows, n) = A[first ...] B^T */
static void row_products(const stein_sums *s, size_t first, size_t rows, const double *A, const double *B,
                         double *out) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)s->n, (int)s->d, 1, A + first * s->d,
                (int)s->d, B, (int)s->d, 0, out, (int)s->n);
}

/* product[0] becomes k_0 of `rows` rows with all, 0 of a row with itself. */
static void kernel_block(stein_sums *s, size_t first, size_t rows) {
    double *xx = s->product[0], *ss = s->product[1], *sx = s->product[2], *xs = s->product[3];
    const double square = s->bandwidth * s->bandwidth, d = (double)s->d;
    row_products(s, first, rows, s->x, s->x, xx);
    row_products(s, first, rows, s->score, s->score, ss);
    row_products(s, first, rows, s->score, s->x, sx);
    row_products(s, first, rows, s->x, s->score, xs);
    for (size_t r = 0; r < rows; r++) {
        const size_t a = first + r;
        double sum = 0;
        for (size_t b = 0; b < s->n; b++) {
            const size_t at = r * s->n + b;
            const double distance = fmax(s->norm[a] + s->norm[b] - 2 * xx[at], 0), u = square + distance;
            const double along = sx[at] + xs[at] - s->along[a] - s->along[b]; /* (s_b - s_a).(x_a - x_b) */
            const double value = (ss[at] + (d - along - 3 * distance / u) / u) / sqrt(u);
            xx[at] = b == a ? 0 : value;
            sum += xx[at];
        }
        s->row[a] = sum;
        s->own[a] = s->own[a] / s->bandwidth + d / (square * s->bandwidth);
    }
}

/* sum[r] += sum over the block's rows i and all j of e_i e_j k_0 */
static void sign_block(stein_sums *s, size_t first, size_t rows) {
    const size_t R = s->replicates;
    if (R == 0)
        return;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)R, (int)s->n, 1, s->product[0], (int)s->n,
                s->signs, (int)s->n, 0, s->signed_rows, (int)R);
    for (size_t i = 0; i < rows; i++)
        for (size_t r = 0; r < R; r++)
            s->sum[r] += s->signs[r * s->n + first + i] * s->signed_rows[i * R + r];
}

/* The statistic without draw a is (total - 2 row_a) / ((n - 1) (n - 2)). */
static void summarise(const stein_sums *s, ebm_stein *out) {
    const double n = (double)s->n;
    double total = 0, own = 0, squares = 0;
    size_t above = 0;
    for (size_t a = 0; a < s->n; a++)
        total += s->row[a], own += s->own[a];
    for (size_t a = 0; a < s->n; a++)
        squares += pow(2 * (s->row[a] - total / n) / ((n - 1) * (n - 2)), 2);
    for (size_t r = 0; r < s->replicates; r++)
        above += s->sum[r] >= total;
    out->squared = total / (n * (n - 1));
    out->se = s->n > 2 ? sqrt((n - 1) / n * squares) : NAN;
    out->discrepancy = sqrt(fmax(total + own, 0)) / n;
    out->p_value = s->replicates > 0 ? (1 + (double)above) / (1 + (double)s->replicates) : NAN;
    out->bandwidth = s->bandwidth;
}

static ebm_status prepare(stein_sums *s, const double *x, ebm_stream stream, uint64_t step, ebm_work *work,
                          ebm_error *error) {
    uint32_t *words = ebm_work_take(work, s->n, sizeof *words);
    if (!words || !take_all(s, work))
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu rows of %zu numbers and %zu replicates", s->n, s->d,
                        s->replicates);
    EBM_TRY(centre(s, x, error));
    if (s->bandwidth == 0)
        EBM_TRY(choose_bandwidth(s, work, error));
    draw_signs(s, stream, step, words);
    return EBM_OK;
}

ebm_status ebm_stein_discrepancy(const double *x, const double *score, size_t count, size_t size, double bandwidth,
                                 size_t replicates, ebm_stream stream, uint64_t step, ebm_stein *out, ebm_work *work,
                                 ebm_error *error) {
    if (count < 2 || size < 1)
        return ebm_fail(error, EBM_INVALID, "a sample of %zu rows of %zu numbers: at least 2 rows", count, size);
    if (count > INT_MAX || size > INT_MAX || replicates > INT_MAX)
        return ebm_fail(error, EBM_INVALID, "%zu rows of %zu numbers and %zu replicates are too many", count, size,
                        replicates);
    if (!(bandwidth >= 0) || isinf(bandwidth))
        return ebm_fail(error, EBM_INVALID, "the bandwidth is %g, expected a positive number, or 0", bandwidth);
    const size_t mark = ebm_work_mark(work);
    stein_sums s = {.n = count, .d = size, .replicates = replicates, .bandwidth = bandwidth, .score = score};
    ebm_blas_one_thread();
    const ebm_status status = prepare(&s, x, stream, step, work, error);
    if (status == EBM_OK) {
        for (size_t first = 0; first < count; first += BLOCK_ROWS) {
            const size_t rows = count - first < BLOCK_ROWS ? count - first : BLOCK_ROWS;
            kernel_block(&s, first, rows);
            sign_block(&s, first, rows);
        }
        summarise(&s, out);
    }
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_stein_of_states(const ebm_model *model, ebm_path path, ebm_batch *batch, double bandwidth,
                               size_t replicates, ebm_stream stream, uint64_t step, ebm_stein *out, ebm_work *work,
                               ebm_error *error) {
    const size_t n = batch->count, d = model->space.size, mark = ebm_work_mark(work);
    double *x = take(work, n, d), *score = take(work, n, d);
    ebm_real *grad = ebm_work_take(work, n, d * sizeof *grad);
    if (!x || !score || !grad)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states of %zu units", n, d);
    ebm_model_field(model, batch, work);
    model->type->grad_x(model, path, batch, grad, work);
    for (size_t k = 0; k < n * d; k++) {
        x[k] = (double)batch->x[k];
        score[k] = -(double)grad[k];
    }
    const ebm_status status =
        ebm_stein_discrepancy(x, score, n, d, bandwidth, replicates, stream, step, out, work, error);
    ebm_work_release(work, mark);
    return status;
}
