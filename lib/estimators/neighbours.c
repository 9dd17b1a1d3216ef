/* Precision and recall by nearest neighbours, and the energy distance (see sample_quality.h): both from the distances
 * between all rows of the two samples put together. */
#include "ebm/sample_quality.h"

#include "estimators/pairwise.h"

#include <math.h>

/* ---- Precision and recall ---- */

typedef struct reach {
    size_t k;
    double *square; /* (count): squared distance of a row's k-th nearest neighbour in its own sample */
    bool *covered;  /* (count): within reach of some row of the other sample */
} reach;

/* `value` sinks from `at` in a heap of k, the largest first. */
static void sink(double *heap, size_t k, size_t at, double value) {
    for (size_t child = 2 * at + 1; child < k; child = 2 * at + 1) {
        child += child + 1 < k && heap[child + 1] > heap[child];
        if (!(heap[child] > value))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

/* The k-th smallest of the distances of row `row` to the others of first ... end - 1, which are overwritten: a heap of
 * the k smallest so far. */
static double kth_smallest(double *squares, size_t first, size_t end, size_t row, size_t k) {
    double *heap = squares + first;
    size_t n = 0;
    for (size_t b = first; b < end; b++)
        if (b != row)
            heap[n++] = squares[b];
    for (size_t i = k / 2 + 1; i-- > 0;)
        sink(heap, k, i, heap[i]);
    for (size_t b = k; b < n; b++)
        if (heap[b] < heap[0])
            sink(heap, k, 0, heap[b]);
    return heap[0];
}

static void measure_reach(const ebm_pooled *p, size_t row, double *squares, void *context) {
    reach *r = context;
    const bool in_x = row < p->first;
    r->square[row] = kth_smallest(squares, in_x ? 0 : p->first, in_x ? p->first : p->count, row, r->k);
}

static void look_for_cover(const ebm_pooled *p, size_t row, double *squares, void *context) {
    reach *r = context;
    const bool in_x = row < p->first;
    r->covered[row] = false;
    for (size_t b = in_x ? p->first : 0; b < (in_x ? p->count : p->first) && !r->covered[row]; b++)
        r->covered[row] = squares[b] <= r->square[b];
}

static void share(const bool *covered, size_t count, double *mean, double *se) {
    size_t n = 0;
    for (size_t a = 0; a < count; a++)
        n += covered[a];
    *mean = (double)n / (double)count;
    *se = sqrt(*mean * (1 - *mean) / (double)count);
}

ebm_status ebm_precision_and_recall(const double *x, size_t x_count, const double *y, size_t y_count, size_t size,
                                    size_t k, ebm_precision_recall *out, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    ebm_pooled pooled;
    if (k < 1 || k >= x_count || k >= y_count)
        return ebm_fail(error, EBM_INVALID, "the %zu-th neighbour in samples of %zu and %zu rows: expected 1 to %zu", k,
                        x_count, y_count, (x_count < y_count ? x_count : y_count) - 1);
    ebm_status status = ebm_pooled_open(x, x_count, y, y_count, size, 2, &pooled, work, error);
    reach r = {k, NULL, NULL};
    if (status == EBM_OK) {
        r.square = ebm_work_take(work, pooled.count, sizeof *r.square);
        r.covered = ebm_work_take(work, pooled.count, sizeof *r.covered);
        if (!r.square || !r.covered)
            status = ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu rows", pooled.count);
    }
    if (status == EBM_OK)
        status = ebm_pooled_visit(&pooled, measure_reach, &r, work, error);
    if (status == EBM_OK)
        status = ebm_pooled_visit(&pooled, look_for_cover, &r, work, error);
    if (status == EBM_OK) {
        share(r.covered, x_count, &out->recall, &out->recall_se);
        share(r.covered + x_count, y_count, &out->precision, &out->precision_se);
    }
    ebm_work_release(work, mark);
    return status;
}

/* ---- Energy distance ---- */

typedef struct distance_sums {
    double *to_x, *to_y; /* (count): a row's summed distances to the rows of x, of y */
} distance_sums;

static void sum_distances(const ebm_pooled *p, size_t row, double *squares, void *context) {
    distance_sums *s = context;
    double sums[2] = {0, 0};
    for (size_t b = 0; b < p->count; b++)
        sums[b >= p->first] += sqrt(squares[b]);
    s->to_x[row] = sums[0];
    s->to_y[row] = sums[1];
}

/* 2 XY / (n m) - XX / (n (n - 1)) - YY / (m (m - 1)), and the same without each row in turn into value (count). */
static void energy_of(const distance_sums *s, size_t x_count, size_t y_count, double *value, ebm_energy_distance *out) {
    const double n = (double)x_count, m = (double)y_count;
    double xx = 0, yy = 0, xy = 0;
    for (size_t a = 0; a < x_count; a++)
        xx += s->to_x[a], xy += s->to_y[a];
    for (size_t a = x_count; a < x_count + y_count; a++)
        yy += s->to_y[a];
    out->distance = 2 * xy / (n * m) - xx / (n * (n - 1)) - yy / (m * (m - 1));
    for (size_t a = 0; a < x_count; a++)
        value[a] = 2 * (xy - s->to_y[a]) / ((n - 1) * m) - (xx - 2 * s->to_x[a]) / ((n - 1) * (n - 2));
    for (size_t a = x_count; a < x_count + y_count; a++)
        value[a] = 2 * (xy - s->to_x[a]) / (n * (m - 1)) - (yy - 2 * s->to_y[a]) / ((m - 1) * (m - 2));
    out->se = sqrt(ebm_jackknife(value, x_count) + ebm_jackknife(value + x_count, y_count));
}

ebm_status ebm_energy_distance_of(const double *x, size_t x_count, const double *y, size_t y_count, size_t size,
                                  ebm_energy_distance *out, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    ebm_pooled pooled;
    distance_sums sums = {NULL, NULL};
    ebm_status status = ebm_pooled_open(x, x_count, y, y_count, size, 3, &pooled, work, error);
    if (status == EBM_OK) {
        sums.to_x = ebm_work_take(work, pooled.count, sizeof(double));
        sums.to_y = ebm_work_take(work, pooled.count, sizeof(double));
        if (!sums.to_x || !sums.to_y)
            status = ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu rows", pooled.count);
    }
    if (status == EBM_OK)
        status = ebm_pooled_visit(&pooled, sum_distances, &sums, work, error);
    if (status == EBM_OK)
        energy_of(&sums, x_count, y_count, pooled.norm, out);
    ebm_work_release(work, mark);
    return status;
}
