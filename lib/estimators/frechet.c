/* The Frechet distance of Gaussian fits (see sample_quality.h).
 *
 * With the centred sample X = Q_x R_x (thin QR), C_x = R_x^T R_x / (n - 1), and the eigenvalues of C_x C_y are the squared
 * singular values of R_x R_y^T / sqrt((n - 1)(m - 1)); so the trace of the root is their sum, the nuclear norm. No root of a
 * singular matrix is taken and nothing is added to a diagonal: samples of any rank will do, and equal ones give 0 to
 * rounding, for the nuclear norm of R R^T is its trace. */
#include "ebm/sample_quality.h"

#include "core/matrix_blocks.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* OpenBLAS's LAPACK; Fortran passes the length of a character argument after the others. */
void dgelqf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work, const int *lwork,
             int *info);
void dgesdd_(const char *job, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
             const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork, int *info,
             size_t job_length);

/* A sample's fit: its mean (size), and L (size, rank) in columns, C = L L^T. */
typedef struct fit {
    size_t count, size, rank;
    double *mean, *factor;
} fit;

static ebm_status not_finite(const double *x, size_t count, size_t size, ebm_error *error) {
    for (size_t k = 0; k < count * size; k++)
        if (!isfinite(x[k]))
            return ebm_fail(error, EBM_DIVERGED, "example %zu has a feature that is not finite: number %zu is %g",
                            k / size, k % size, x[k]);
    return EBM_OK;
}

/* The rows of a centred sample are the columns of a (size, count) matrix as LAPACK sees it: its LQ factorisation. */
static ebm_status fit_sample(const double *x, size_t count, size_t size, fit *out, ebm_work *work, ebm_error *error) {
    const int p = (int)size, n = (int)count, ask = -1;
    int info = 0, length;
    double wanted;
    EBM_TRY(not_finite(x, count, size, error));
    *out = (fit){count, size, size < count ? size : count, ebm_work_take(work, size, sizeof(double)), NULL};
    double *a = ebm_work_take(work, count * size, sizeof *a), *tau = ebm_work_take(work, size, sizeof *tau);
    if (!a || !tau || !out->mean)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu examples of %zu features", count, size);
    memset(out->mean, 0, size * sizeof(double));
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < size; i++)
            out->mean[i] += x[r * size + i];
    for (size_t i = 0; i < size; i++)
        out->mean[i] /= (double)count;
    const double scale = 1 / sqrt((double)count - 1);
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < size; i++)
            a[r * size + i] = (x[r * size + i] - out->mean[i]) * scale;
    dgelqf_(&p, &n, a, &p, tau, &wanted, &ask, &info);
    length = (int)wanted;
    double *room = ebm_work_take(work, (size_t)length, sizeof *room);
    if (!room)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu examples of %zu features", count, size);
    dgelqf_(&p, &n, a, &p, tau, room, &length, &info);
    for (size_t k = 0; k < out->rank; k++) /* above the diagonal stand the reflectors */
        for (size_t i = 0; i < k; i++)
            a[k * size + i] = 0;
    out->factor = a;
    return EBM_OK;
}

/* tr((C_x C_y)^(1/2)) */
static ebm_status root_trace(const fit *x, const fit *y, double *out, ebm_work *work, ebm_error *error) {
    const int m = (int)x->rank, n = (int)y->rank, least = m < n ? m : n, ask = -1, one = 1;
    int info = 0, length;
    double wanted;
    double *M = ebm_work_take(work, x->rank * y->rank, sizeof *M), *s = ebm_work_take(work, (size_t)least, sizeof *s);
    int *whole = ebm_work_take(work, 8 * (size_t)least, sizeof *whole);
    if (!M || !s || !whole)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for products of %zu features", x->size);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, m, n, (int)x->size, 1, x->factor, (int)x->size, y->factor,
                (int)y->size, 0, M, m);
    dgesdd_("N", &m, &n, M, &m, s, NULL, &one, NULL, &one, &wanted, &ask, whole, &info, 1);
    length = (int)wanted;
    double *room = ebm_work_take(work, (size_t)length, sizeof *room);
    if (!room)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for singular values of %zu features", x->size);
    dgesdd_("N", &m, &n, M, &m, s, NULL, &one, NULL, &one, room, &length, whole, &info, 1);
    if (info != 0)
        return ebm_fail(error, EBM_DIVERGED, "the singular values of %zu features did not converge (dgesdd %d)",
                        x->size, info);
    *out = 0;
    for (int k = 0; k < least; k++)
        *out += s[k];
    return EBM_OK;
}

static double trace(const fit *f) {
    return cblas_ddot((int)(f->size * f->rank), f->factor, 1, f->factor, 1);
}

static ebm_status check_shapes(size_t x_count, size_t y_count, size_t size, size_t least, ebm_error *error) {
    size_t numbers;
    if (x_count < least || y_count < least || size < 1)
        return ebm_fail(error, EBM_INVALID, "samples of %zu and %zu examples of %zu features: at least %zu of each",
                        x_count, y_count, size, least);
    if (size > 1 << 14 || __builtin_mul_overflow(x_count > y_count ? x_count : y_count, size, &numbers) ||
        numbers > INT_MAX)
        return ebm_fail(error, EBM_INVALID, "samples of %zu and %zu examples of %zu features are too large", x_count,
                        y_count, size);
    return EBM_OK;
}

ebm_status ebm_frechet_distance(const double *x, size_t x_count, const double *y, size_t y_count, size_t size,
                                ebm_frechet *out, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    fit a, b;
    double root = 0;
    EBM_TRY(check_shapes(x_count, y_count, size, 2, error));
    ebm_blas_one_thread();
    ebm_status status = fit_sample(x, x_count, size, &a, work, error);
    if (status == EBM_OK)
        status = fit_sample(y, y_count, size, &b, work, error);
    if (status == EBM_OK)
        status = root_trace(&a, &b, &root, work, error);
    if (status == EBM_OK) {
        *out =
            (ebm_frechet){.spread = trace(&a) + trace(&b) - 2 * root, .deficient = x_count <= size || y_count <= size};
        for (size_t i = 0; i < size; i++)
            out->means += (a.mean[i] - b.mean[i]) * (a.mean[i] - b.mean[i]);
        out->distance = out->means + out->spread;
    }
    ebm_work_release(work, mark);
    return status;
}

/* d by parts 1, 2, 4: their mean is 7/3, the sum of squared deviations 14/3. */
static const size_t cuts[] = {1, 2, 4};
enum { CUTS = sizeof cuts / sizeof *cuts };

static ebm_status distance_and_limit(const double *x, size_t x_count, const double *y, size_t y_count, size_t size,
                                     double *distance, double *limit, ebm_work *work, ebm_error *error) {
    double mean[CUTS], centre = 0, height = 0, covariance = 0, squares = 0;
    for (size_t c = 0; c < CUTS; c++) {
        const size_t parts = cuts[c], n = x_count / parts, m = y_count / parts;
        mean[c] = 0;
        for (size_t part = 0; part < parts; part++) {
            ebm_frechet one;
            EBM_TRY(ebm_frechet_distance(x + part * n * size, n, y + part * m * size, m, size, &one, work, error));
            mean[c] += one.distance / (double)parts;
        }
        centre += (double)parts / CUTS;
        height += mean[c] / CUTS;
    }
    for (size_t c = 0; c < CUTS; c++) {
        covariance += ((double)cuts[c] - centre) * (mean[c] - height);
        squares += ((double)cuts[c] - centre) * ((double)cuts[c] - centre);
    }
    *distance = mean[0];
    *limit = height - covariance / squares * centre;
    return EBM_OK;
}

/* out = x without the rows of group g of GROUPS: row r is in group r % GROUPS. Returns the rows left. */
static size_t leave_out(const double *x, size_t count, size_t size, size_t g, double *out) {
    size_t left = 0;
    for (size_t r = 0; r < count; r++)
        if (r % EBM_FRECHET_GROUPS != g)
            memcpy(out + left++ * size, x + r * size, size * sizeof *out);
    return left;
}

static double jackknife_error(const double *value) {
    const double groups = EBM_FRECHET_GROUPS;
    double mean = 0, squares = 0;
    for (size_t g = 0; g < EBM_FRECHET_GROUPS; g++)
        mean += value[g] / groups;
    for (size_t g = 0; g < EBM_FRECHET_GROUPS; g++)
        squares += (value[g] - mean) * (value[g] - mean);
    return sqrt(squares * (groups - 1) / groups);
}

ebm_status ebm_frechet_extrapolate(const double *x, size_t x_count, const double *y, size_t y_count, size_t size,
                                   ebm_frechet_limit *out, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    double distance[EBM_FRECHET_GROUPS], limit[EBM_FRECHET_GROUPS];
    EBM_TRY(check_shapes(x_count, y_count, size, 8 * EBM_FRECHET_GROUPS, error));
    double *a = ebm_work_take(work, x_count * size, sizeof *a), *b = ebm_work_take(work, y_count * size, sizeof *b);
    ebm_status status =
        a && b ? distance_and_limit(x, x_count, y, y_count, size, &out->distance, &out->limit, work, error)
               : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu examples of %zu features", x_count + y_count, size);
    for (size_t g = 0; g < EBM_FRECHET_GROUPS && status == EBM_OK; g++) {
        const size_t n = leave_out(x, x_count, size, g, a), m = leave_out(y, y_count, size, g, b);
        status = distance_and_limit(a, n, b, m, size, &distance[g], &limit[g], work, error);
    }
    if (status == EBM_OK) {
        out->se = jackknife_error(distance);
        out->limit_se = jackknife_error(limit);
    }
    ebm_work_release(work, mark);
    return status;
}
