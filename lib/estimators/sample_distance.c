/* Distances of samples from a law or from each other: Pearson's chi-square, the kernel MMD.
 *
 *   chi^2 = sum_k (O_k - N p_k)^2 / (N p_k),   P(chi^2_d >= s) = Q(d / 2, s / 2)
 *   MMD^2 = 1/(n (n-1)) sum_(i != j) k(x_i, x_j) + 1/(m (m-1)) sum_(i != j) k(y_i, y_j) - 2/(n m) sum_ij k(x_i, y_j)
 * (Gretton et al. 2012). The row sums of k over each sample give the estimate and all leave-one-out values, hence the
 * jackknife's variance (n-1)/n sum_a (theta_-a - mean)^2 + the same for y (Arvesen 1969). Distances come from products
 * |a|^2 + |b|^2 - 2 a.b about the common mean, which takes away what would cancel. */
#include "ebm/diagnostics.h"

#include "core/matrix_blocks.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* Upper incomplete gamma Q(a, x): 1 - the series below a + 1, Lentz's continued fraction above. */
static double gamma_tail(double a, double x) {
    const double factor = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (double k = a + 1; term > sum * 1e-17; k++)
            sum += term *= x / k;
        return 1 - factor * sum;
    }
    double b = x + 1 - a, c = 1e300, d = 1 / b, fraction = d;
    for (double k = 1; k < 1e6; k++) {
        const double numerator = -k * (k - a);
        b += 2;
        d = 1 / (numerator * d + b);
        c = b + numerator / c;
        fraction *= c * d;
        if (fabs(c * d - 1) < 1e-16)
            break;
    }
    return factor * fraction;
}

double ebm_chi_square_tail(double statistic, double degrees) {
    if (isnan(statistic) || !(degrees > 0))
        return NAN;
    if (statistic <= 0)
        return 1;
    return isinf(statistic) ? 0 : gamma_tail(degrees / 2, statistic / 2);
}

static ebm_status check_cells(const double *counts, const double *p, size_t cells, double *total, ebm_error *error) {
    double sum = 0;
    *total = 0;
    for (size_t k = 0; k < cells; k++) {
        if (!(counts[k] >= 0) || isinf(counts[k]))
            return ebm_fail(error, EBM_INVALID, "cell %zu has the count %g", k, counts[k]);
        if (!(p[k] >= 0))
            return ebm_fail(error, EBM_INVALID, "cell %zu has the probability %g", k, p[k]);
        *total += counts[k];
        sum += p[k];
    }
    if (!(fabs(sum - 1) <= 1e-9))
        return ebm_fail(error, EBM_INVALID, "the probabilities of %zu cells sum to %.12g, not to 1", cells, sum);
    if (!(*total > 0))
        return ebm_fail(error, EBM_INVALID, "no draws to test: all counts are 0");
    return EBM_OK;
}

static double pearson(double count, double expected) {
    if (expected > 0)
        return (count - expected) * (count - expected) / expected;
    return count > 0 ? INFINITY : 0;
}

ebm_status ebm_chi_square_test(const double *counts, const double *probabilities, size_t cells, double least,
                               ebm_chi_square *out, ebm_error *error) {
    double total;
    EBM_TRY(check_cells(counts, probabilities, cells, &total, error));
    if (!(least >= 0))
        return ebm_fail(error, EBM_INVALID, "the least expected count is %g", least);
    double pool_count = 0, pool_expected = 0, impossible = 0;
    size_t kept = 0, smallest = cells;
    *out = (ebm_chi_square){.statistic = 0};
    for (size_t k = 0; k < cells; k++) {
        const double expected = total * probabilities[k];
        if (expected == 0) {
            impossible += counts[k];
        } else if (expected < least) {
            pool_count += counts[k];
            pool_expected += expected;
        } else {
            out->statistic += pearson(counts[k], expected);
            smallest = kept++ == 0 || probabilities[k] < probabilities[smallest] ? k : smallest;
        }
    }
    out->cells = kept;
    if (pool_expected >= least && pool_expected > 0) {
        out->statistic += pearson(pool_count, pool_expected);
        out->cells++;
    } else if (pool_expected > 0 && kept > 0) {
        const double count = counts[smallest], expected = total * probabilities[smallest];
        out->statistic += pearson(count + pool_count, expected + pool_expected) - pearson(count, expected);
    }
    out->degrees = out->cells > 0 ? out->cells - 1 : 0;
    if (impossible > 0)
        out->statistic = INFINITY, out->p_value = 0;
    else if (out->degrees == 0)
        out->statistic = out->p_value = NAN;
    else
        out->p_value = ebm_chi_square_tail(out->statistic, (double)out->degrees);
    return EBM_OK;
}

/* The element of rank `rank` (from 0), by Hoare's selection; reorders x. */
static double select_rank(double *x, size_t count, size_t rank) {
    size_t low = 0, high = count - 1;
    while (low < high) {
        const double pivot = x[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;; i++, j--) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i >= j)
                break;
            const double swap = x[i];
            x[i] = x[j], x[j] = swap;
        }
        if (rank <= j)
            high = j;
        else
            low = j + 1;
    }
    return x[rank];
}

/* The median distance between pairs of at most MOST rows of z (count, size), evenly spaced. */
static double median_distance(const double *z, size_t count, size_t size, double *squares, size_t most) {
    const size_t rows = count < most ? count : most;
    size_t pairs = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < i; j++) {
            const double *a = z + i * count / rows * size, *b = z + j * count / rows * size;
            double sum = 0;
            for (size_t k = 0; k < size; k++)
                sum += (a[k] - b[k]) * (a[k] - b[k]);
            squares[pairs++] = sum;
        }
    return sqrt(select_rank(squares, pairs, pairs / 2));
}

/* The pooled sample about its mean. */
static void pool(const double *x, size_t n, const double *y, size_t m, size_t size, double *z, double *mean) {
    memcpy(z, x, n * size * sizeof *z);
    memcpy(z + n * size, y, m * size * sizeof *z);
    memset(mean, 0, size * sizeof *mean);
    for (size_t i = 0; i < n + m; i++)
        for (size_t k = 0; k < size; k++)
            mean[k] += z[i * size + k] / (double)(n + m);
    for (size_t i = 0; i < n + m; i++)
        for (size_t k = 0; k < size; k++)
            z[i * size + k] -= mean[k];
}

enum { BLOCK_ROWS = 128, MEDIAN_ROWS = 1000 };

typedef struct kernel_sums {
    const double *z; /* (n + m, size) */
    size_t n, m, size;
    double bandwidth;
    double *norm;            /* (n + m) */
    double *over_x, *over_y; /* (n + m): sums of k over the rows of x, of y, without the row itself */
} kernel_sums;

static void sum_block(const kernel_sums *s, size_t first, size_t rows, double *products) {
    const size_t all = s->n + s->m;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)all, (int)s->size, 1, s->z + first * s->size,
                (int)s->size, s->z, (int)s->size, 0, products, (int)all);
    const double scale = -1 / (2 * s->bandwidth * s->bandwidth);
    for (size_t r = 0; r < rows; r++) {
        const size_t a = first + r;
        double sums[2] = {0, 0};
        for (size_t b = 0; b < all; b++) {
            const double square = s->norm[a] + s->norm[b] - 2 * products[r * all + b];
            sums[b >= s->n] += b == a ? 0 : exp(scale * fmax(square, 0));
        }
        s->over_x[a] = sums[0];
        s->over_y[a] = sums[1];
    }
}

/* (count - 1) / count times the squared deviations of the values left out one by one. */
static double jackknife(const double *value, size_t count) {
    double mean = 0, squares = 0;
    for (size_t a = 0; a < count; a++)
        mean += value[a] / (double)count;
    for (size_t a = 0; a < count; a++)
        squares += (value[a] - mean) * (value[a] - mean);
    return squares * (double)(count - 1) / (double)count;
}

/* value (n + m) is scratch. */
static void estimate(const kernel_sums *s, double *value, ebm_mmd *out) {
    const double n = (double)s->n, m = (double)s->m;
    double xx = 0, yy = 0, xy = 0;
    for (size_t a = 0; a < s->n; a++)
        xx += s->over_x[a], xy += s->over_y[a];
    for (size_t a = s->n; a < s->n + s->m; a++)
        yy += s->over_y[a];
    out->squared = xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m);
    out->bandwidth = s->bandwidth;
    out->se = NAN;
    if (s->n < 3 || s->m < 3)
        return;
    for (size_t a = 0; a < s->n; a++)
        value[a] = (xx - 2 * s->over_x[a]) / ((n - 1) * (n - 2)) - 2 * (xy - s->over_y[a]) / ((n - 1) * m);
    for (size_t a = s->n; a < s->n + s->m; a++)
        value[a] = (yy - 2 * s->over_y[a]) / ((m - 1) * (m - 2)) - 2 * (xy - s->over_x[a]) / (n * (m - 1));
    out->se = sqrt(jackknife(value, s->n) + jackknife(value + s->n, s->m));
}

static ebm_status prepare(kernel_sums *s, const double *x, const double *y, double *z, double *mean, ebm_work *work,
                          ebm_error *error) {
    const size_t all = s->n + s->m, rows = all < MEDIAN_ROWS ? all : MEDIAN_ROWS;
    pool(x, s->n, y, s->m, s->size, z, mean);
    for (size_t i = 0; i < all; i++) {
        s->norm[i] = cblas_ddot((int)s->size, z + i * s->size, 1, z + i * s->size, 1);
        if (!isfinite(s->norm[i]))
            return ebm_fail(error, EBM_DIVERGED, "row %zu of the pooled sample is not finite", i);
    }
    if (s->bandwidth > 0)
        return EBM_OK;
    double *squares = ebm_work_take(work, rows * (rows - 1) / 2, sizeof *squares);
    if (squares == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the distances between %zu rows", rows);
    s->bandwidth = median_distance(z, all, s->size, squares, rows);
    if (!(s->bandwidth > 0))
        return ebm_fail(error, EBM_INVALID, "the median distance is 0: most rows are equal; give a bandwidth");
    return EBM_OK;
}

ebm_status ebm_mmd_squared(const double *x, size_t x_count, const double *y, size_t y_count, size_t size,
                           double bandwidth, ebm_mmd *out, ebm_work *work, ebm_error *error) {
    size_t numbers;
    if (x_count < 2 || y_count < 2 || size < 1)
        return ebm_fail(error, EBM_INVALID, "samples of %zu and %zu rows of %zu numbers: at least 2 rows each", x_count,
                        y_count, size);
    if (x_count > INT_MAX / 2 || y_count > INT_MAX / 2 || size > INT_MAX ||
        __builtin_mul_overflow(x_count + y_count, size, &numbers))
        return ebm_fail(error, EBM_INVALID, "samples of %zu and %zu rows are too many", x_count, y_count);
    if (!(bandwidth >= 0) || isinf(bandwidth))
        return ebm_fail(error, EBM_INVALID, "the bandwidth is %g, expected a positive number, or 0", bandwidth);
    const size_t all = x_count + y_count, mark = ebm_work_mark(work), blocks = (all + BLOCK_ROWS - 1) / BLOCK_ROWS;
    const int threads = ebm_work_threads(work);
    double *z = ebm_work_take(work, numbers, sizeof *z), *mean = ebm_work_take(work, size, sizeof *mean);
    kernel_sums s = {.z = z, .n = x_count, .m = y_count, .size = size, .bandwidth = bandwidth};
    s.norm = ebm_work_take(work, all, sizeof *s.norm);
    s.over_x = ebm_work_take(work, all, sizeof *s.over_x);
    s.over_y = ebm_work_take(work, all, sizeof *s.over_y);
    double *products = ebm_work_take(work, all, (size_t)threads * BLOCK_ROWS * sizeof *products);
    ebm_blas_one_thread();
    ebm_status status = z && mean && s.norm && s.over_x && s.over_y && products
                            ? prepare(&s, x, y, z, mean, work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu rows of %zu numbers", all, size);
    if (status == EBM_OK) {
#pragma omp parallel for schedule(static, 1) num_threads(threads) if (threads > 1)
        for (int thread = 0; thread < threads; thread++)
            for (size_t block = (size_t)thread; block < blocks; block += (size_t)threads) {
                const size_t first = block * BLOCK_ROWS, left = all - first;
                sum_block(&s, first, left < BLOCK_ROWS ? left : BLOCK_ROWS,
                          products + (size_t)thread * BLOCK_ROWS * all);
            }
        estimate(&s, s.norm, out);
    }
    ebm_work_release(work, mark);
    return status;
}
