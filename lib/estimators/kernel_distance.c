/* The kernel distance with the cubic kernel of Binkowski, Sutherland, Arbel & Gretton (2018), "Demystifying MMD GANs",
 * section 4 (see sample_quality.h): unbiased on every subset, so their mean is, too. */
#include "ebm/sample_quality.h"

#include "core/matrix_blocks.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>

enum { SUBSET = 1000 };

/* sum over a, b (a != b where both are one sample) of (x_a . y_b / size + 1)^3 */
static double kernel_sum(const double *x, size_t n, const double *y, size_t m, size_t size, double *products) {
    double sum = 0;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)m, (int)size, 1 / (double)size, x, (int)size, y,
                (int)size, 0, products, (int)m);
    for (size_t a = 0; a < n; a++) {
        double row = 0;
        for (size_t b = 0; b < m; b++) {
            const double t = products[a * m + b] + 1;
            row += x == y && a == b ? 0 : t * t * t;
        }
        sum += row;
    }
    return sum;
}

ebm_status ebm_kernel_distance_of(const double *x, size_t x_count, const double *y, size_t y_count, size_t size,
                                  size_t subset, ebm_kernel_distance *out, ebm_work *work, ebm_error *error) {
    const size_t least = x_count < y_count ? x_count : y_count, asked = subset == 0 ? SUBSET : subset;
    const size_t n = asked < least ? asked : least, mark = ebm_work_mark(work);
    if (n < 2 || size < 1 || size > INT_MAX || n > 1 << 15)
        return ebm_fail(error, EBM_INVALID,
                        "subsets of %zu rows of samples of %zu and %zu rows of %zu numbers: expected 2 to %d rows", n,
                        x_count, y_count, size, 1 << 15);
    for (size_t k = 0; k < x_count * size; k++)
        if (!isfinite(x[k]))
            return ebm_fail(error, EBM_DIVERGED, "row %zu of the first sample is not finite", k / size);
    for (size_t k = 0; k < y_count * size; k++)
        if (!isfinite(y[k]))
            return ebm_fail(error, EBM_DIVERGED, "row %zu of the second sample is not finite", k / size);
    double *products = ebm_work_take(work, n * n, sizeof *products), mean = 0, squares = 0;
    if (!products)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for kernels of %zu x %zu rows", n, n);
    ebm_blas_one_thread();
    *out = (ebm_kernel_distance){.subsets = least / n};
    for (size_t s = 0; s < out->subsets; s++) {
        const double *a = x + s * n * size, *b = y + s * n * size;
        const double pairs = (double)n * (double)(n - 1);
        const double value = (kernel_sum(a, n, a, n, size, products) + kernel_sum(b, n, b, n, size, products)) / pairs -
                             2 * kernel_sum(a, n, b, n, size, products) / ((double)n * (double)n);
        const double from = value - mean;
        mean += from / (double)(s + 1);
        squares += from * (value - mean);
    }
    const double count = (double)out->subsets;
    out->squared = mean;
    out->se = out->subsets > 1 ? sqrt(squares / (count - 1) / count) : (double)NAN;
    ebm_work_release(work, mark);
    return EBM_OK;
}
