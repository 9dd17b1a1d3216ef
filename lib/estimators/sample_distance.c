/* Distances of samples from a law or from each other: Pearson's chi-square, the kernel MMD.
 *
 *   chi^2 = sum_k (O_k - N p_k)^2 / (N p_k),   P(chi^2_d >= s) = Q(d / 2, s / 2)
 *   MMD^2 = 1/(n (n-1)) sum_(i != j) k(x_i, x_j) + 1/(m (m-1)) sum_(i != j) k(y_i, y_j) - 2/(n m) sum_ij k(x_i, y_j)
 * (Gretton et al. 2012). The row sums of k over each sample give the estimate and all leave-one-out values, hence the
 * jackknife's variance (n-1)/n sum_a (theta_-a - mean)^2 + the same for y (Arvesen 1969). Distances come from products
 * |a|^2 + |b|^2 - 2 a.b about the common mean, which takes away what would cancel. */
#include "ebm/diagnostics.h"

#include "estimators/pairwise.h"

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

enum { MEDIAN_ROWS = 1000 };

typedef struct kernel_sums {
    double scale;            /* k = exp(scale |a - b|^2) */
    double *over_x, *over_y; /* (n + m): sums of k over the rows of x, of y, without the row itself */
} kernel_sums;

static void sum_kernel(const ebm_pooled *p, size_t row, double *squares, void *context) {
    const kernel_sums *s = context;
    double sums[2] = {0, 0};
    for (size_t b = 0; b < p->count; b++)
        sums[b >= p->first] += b == row ? 0 : exp(s->scale * squares[b]);
    s->over_x[row] = sums[0];
    s->over_y[row] = sums[1];
}

/* value (n + m) is scratch. */
static void estimate(const kernel_sums *s, size_t x_count, size_t y_count, double *value, ebm_mmd *out) {
    const double n = (double)x_count, m = (double)y_count;
    double xx = 0, yy = 0, xy = 0;
    for (size_t a = 0; a < x_count; a++)
        xx += s->over_x[a], xy += s->over_y[a];
    for (size_t a = x_count; a < x_count + y_count; a++)
        yy += s->over_y[a];
    out->squared = xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m);
    out->se = NAN;
    if (x_count < 3 || y_count < 3)
        return;
    for (size_t a = 0; a < x_count; a++)
        value[a] = (xx - 2 * s->over_x[a]) / ((n - 1) * (n - 2)) - 2 * (xy - s->over_y[a]) / ((n - 1) * m);
    for (size_t a = x_count; a < x_count + y_count; a++)
        value[a] = (yy - 2 * s->over_y[a]) / ((m - 1) * (m - 2)) - 2 * (xy - s->over_x[a]) / (n * (m - 1));
    out->se = sqrt(ebm_jackknife(value, x_count) + ebm_jackknife(value + x_count, y_count));
}

static ebm_status median_bandwidth(const ebm_pooled *pooled, double *out, ebm_work *work, ebm_error *error) {
    const size_t rows = pooled->count < MEDIAN_ROWS ? pooled->count : MEDIAN_ROWS;
    double *squares = ebm_work_take(work, rows * (rows - 1) / 2, sizeof *squares);
    if (squares == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the distances between %zu rows", rows);
    *out = median_distance(pooled->z, pooled->count, pooled->size, squares, rows);
    if (!(*out > 0))
        return ebm_fail(error, EBM_INVALID, "the median distance is 0: most rows are equal; give a bandwidth");
    return EBM_OK;
}

static ebm_status mmd_of(const ebm_pooled *pooled, double bandwidth, ebm_mmd *out, ebm_work *work, ebm_error *error) {
    kernel_sums s = {0, NULL, NULL};
    out->bandwidth = bandwidth;
    if (bandwidth == 0)
        EBM_TRY(median_bandwidth(pooled, &out->bandwidth, work, error));
    s.scale = -1 / (2 * out->bandwidth * out->bandwidth);
    s.over_x = ebm_work_take(work, pooled->count, sizeof(double));
    s.over_y = ebm_work_take(work, pooled->count, sizeof(double));
    if (!s.over_x || !s.over_y)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu rows", pooled->count);
    EBM_TRY(ebm_pooled_visit(pooled, sum_kernel, &s, work, error));
    estimate(&s, pooled->first, pooled->count - pooled->first, pooled->norm, out);
    return EBM_OK;
}

ebm_status ebm_mmd_squared(const double *x, size_t x_count, const double *y, size_t y_count, size_t size,
                           double bandwidth, ebm_mmd *out, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    ebm_pooled pooled;
    if (!(bandwidth >= 0) || isinf(bandwidth))
        return ebm_fail(error, EBM_INVALID, "the bandwidth is %g, expected a positive number, or 0", bandwidth);
    ebm_status status = ebm_pooled_open(x, x_count, y, y_count, size, 2, &pooled, work, error);
    if (status == EBM_OK)
        status = mmd_of(&pooled, bandwidth, out, work, error);
    ebm_work_release(work, mark);
    return status;
}
