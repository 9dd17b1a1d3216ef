/* The area under the ROC curve by placements (roc.h): each score's place in the sorted other sample, O((m + n) log). */
#include "ebm/roc.h"

#include "ebm/special.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double *sorted(const double *values, size_t count, ebm_work *work) {
    double *copy = ebm_work_take(work, count, sizeof *copy);
    if (!copy)
        return NULL;
    memcpy(copy, values, count * sizeof *copy);
    qsort(copy, count, sizeof *copy, ascending);
    return copy;
}

/* How many of the sorted values are below `value`, or (equal_too) not above it. */
static size_t count_below(const double *values, size_t count, double value, bool equal_too) {
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (values[middle] < value || (equal_too && values[middle] == value))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Share of the sorted values below `value`, those equal to it by half. */
static double share_below(const double *values, size_t count, double value) {
    const size_t below = count_below(values, count, value, false), to = count_below(values, count, value, true);
    return ((double)below + (double)to) / 2 / (double)count;
}

static ebm_status check(const ebm_roc *roc, ebm_error *error) {
    if (roc->inliers == 0 || roc->outliers == 0)
        return ebm_fail(error, EBM_INVALID,
                        "a ROC curve needs scores of both kinds: there are %zu inliers and %zu outliers", roc->inliers,
                        roc->outliers);
    for (size_t k = 0; k < roc->inliers + roc->outliers; k++) {
        const bool first = k < roc->inliers;
        const size_t i = first ? k : k - roc->inliers;
        if (isnan(first ? roc->inlier[i] : roc->outlier[i]))
            return ebm_fail(error, EBM_DIVERGED, "the score of %s %zu is not a number", first ? "inlier" : "outlier",
                            i);
    }
    return EBM_OK;
}

static double placement_error(double of_inliers, size_t m, double of_outliers, size_t n) {
    return m < 2 || n < 2 ? NAN : sqrt(of_inliers / (double)m + of_outliers / (double)n);
}

ebm_status ebm_roc_area(const ebm_roc *roc, ebm_auc *out, ebm_work *work, ebm_error *error) {
    const size_t m = roc->inliers, n = roc->outliers, mark = ebm_work_mark(work);
    EBM_TRY(check(roc, error));
    double *x = sorted(roc->inlier, m, work), *y = sorted(roc->outlier, n, work);
    if (x && y) {
        for (size_t i = 0; i < m; i++)
            roc->of_inlier[i] = 1 - share_below(y, n, roc->inlier[i]);
        for (size_t j = 0; j < n; j++)
            roc->of_outlier[j] = share_below(x, m, roc->outlier[j]);
        out->value = ebm_mean(roc->of_outlier, n);
        out->se = placement_error(ebm_variance(roc->of_inlier, m), m, ebm_variance(roc->of_outlier, n), n);
    }
    ebm_work_release(work, mark);
    return x && y ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu scores", m + n);
}

/* The sample variance of a - b. */
static double variance_of_difference(const double *a, const double *b, size_t count) {
    double mean = 0, square = 0;
    for (size_t k = 0; k < count; k++)
        mean += (a[k] - b[k]) / (double)count;
    for (size_t k = 0; k < count; k++)
        square += (a[k] - b[k] - mean) * (a[k] - b[k] - mean);
    return square / ((double)count - 1);
}

ebm_auc ebm_roc_difference(const ebm_roc *a, const ebm_roc *b) {
    const size_t m = a->inliers, n = a->outliers;
    return (ebm_auc){ebm_mean(a->of_outlier, n) - ebm_mean(b->of_outlier, n),
                     placement_error(variance_of_difference(a->of_inlier, b->of_inlier, m), m,
                                     variance_of_difference(a->of_outlier, b->of_outlier, n), n)};
}

ebm_status ebm_roc_found(const ebm_roc *roc, size_t count, const double *rate, ebm_auc *out, ebm_work *work,
                         ebm_error *error) {
    const size_t m = roc->inliers, n = roc->outliers, mark = ebm_work_mark(work);
    EBM_TRY(check(roc, error));
    for (size_t k = 0; k < count; k++)
        if (!(rate[k] >= 0 && rate[k] <= 1))
            return ebm_fail(error, EBM_INVALID, "a rate of false alarms is %g, expected 0 to 1", rate[k]);
    double *x = sorted(roc->inlier, m, work), *y = sorted(roc->outlier, n, work);
    for (size_t k = 0; k < count && x && y; k++) {
        const size_t flagged = (size_t)floor(rate[k] * (double)m);
        const size_t missed = flagged >= m ? 0 : count_below(y, n, x[m - 1 - flagged], true);
        const double share = (double)(n - missed) / (double)n;
        out[k] = (ebm_auc){share, sqrt(share * (1 - share) / (double)n)};
    }
    ebm_work_release(work, mark);
    return x && y ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu scores", m + n);
}
