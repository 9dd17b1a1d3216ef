/* Elliptical proposals (see proposal.h). Double throughout, but for the normals themselves and the states, which are
 * ebm_real: log q is that of the state before it is rounded. */
#include "estimators/proposal.h"

#include "core/matrix_blocks.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* OpenBLAS's LAPACK; Fortran passes the length of a character argument after the others. */
void dpotrf_(const char *triangle, const int *n, double *a, const int *lda, int *info, size_t);

/* L and its log determinant from scale^2 C. */
static ebm_status factorise(ebm_proposal *p, double scale, ebm_error *error) {
    const size_t V = p->V;
    p->log_scale = 0;
    memset(p->factor, 0, V * V * sizeof *p->factor);
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j <= i; j++)
            p->factor[i * V + j] = scale * scale * p->covariance[i * V + j];
    if (p->dense) { /* row-major lower is column-major upper */
        const int n = (int)V;
        int info;
        dpotrf_("U", &n, p->factor, &n, &info, 1);
        if (info != 0)
            return ebm_fail(error, EBM_DIVERGED,
                            "the covariance learnt for the proposal is not positive definite at unit %d: more draws a "
                            "round, or a wider first proposal",
                            info - 1);
    }
    for (size_t i = 0; i < V; i++) {
        double *diagonal = p->factor + i * V + i;
        *diagonal = p->dense ? *diagonal : sqrt(*diagonal);
        if (!(*diagonal > 0) || isinf(*diagonal))
            return ebm_fail(error, EBM_DIVERGED, "the proposal's scale of unit %zu is %g", i, *diagonal);
        p->log_scale += log(*diagonal);
    }
    return EBM_OK;
}

ebm_status ebm_proposal_create(size_t V, double degrees, double mean, double width, ebm_proposal *out, ebm_work *work,
                               ebm_error *error) {
    *out = (ebm_proposal){.V = V, .degrees = degrees};
    if (V > INT_MAX / 2)
        return ebm_fail(error, EBM_INVALID, "a proposal over %zu units is too large", V);
    out->mean = ebm_work_take(work, V, sizeof *out->mean);
    out->covariance = ebm_work_take(work, V, V * sizeof *out->covariance);
    out->factor = ebm_work_take(work, V, V * sizeof *out->factor);
    if (!out->mean || !out->covariance || !out->factor)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a proposal over %zu units", V);
    memset(out->covariance, 0, V * V * sizeof *out->covariance);
    for (size_t i = 0; i < V; i++) {
        out->mean[i] = mean;
        out->covariance[i * V + i] = width * width;
    }
    return factorise(out, 1, error);
}

/* log q where |u|^2 = square */
static double log_density_at(const ebm_proposal *p, double square) {
    const double V = (double)p->V, nu = p->degrees;
    int sign;
    if (isinf(nu))
        return -0.5 * V * log(2 * M_PI) - p->log_scale - 0.5 * square;
    return lgamma_r(0.5 * (nu + V), &sign) - lgamma_r(0.5 * nu, &sign) - 0.5 * V * log(nu * M_PI) - p->log_scale -
           0.5 * (nu + V) * log1p(square / nu);
}

/* u (count, V) and log q from the random numbers. */
static void draw_standard(const ebm_proposal *p, ebm_stream stream, uint64_t step, size_t first, size_t count,
                          ebm_real *normal, double *u, double *log_density) {
    const size_t V = p->V;
    for (size_t b = 0; b < count; b++) {
        const uint32_t chain = (uint32_t)(first + b);
        double stretch = 1, square = 0;
        ebm_random_normal(stream, chain, step, V, normal);
        if (isfinite(p->degrees))
            stretch = sqrt(0.5 * p->degrees / ebm_random_gamma1(stream, chain, step + 1, 0, 0.5 * p->degrees));
        for (size_t i = 0; i < V; i++) {
            u[b * V + i] = stretch * (double)normal[i];
            square += u[b * V + i] * u[b * V + i];
        }
        log_density[b] = log_density_at(p, square);
    }
}

ebm_status ebm_proposal_draw(const ebm_proposal *p, ebm_stream stream, uint64_t step, size_t first, size_t count,
                             ebm_real *x, double *log_density, ebm_work *work, ebm_error *error) {
    const size_t V = p->V, mark = ebm_work_mark(work);
    double *u = ebm_work_take(work, count, V * sizeof *u);
    if (!u)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu draws of %zu units", count, V);
    draw_standard(p, stream, step, first, count, x, u, log_density);
    ebm_blas_one_thread();
    if (p->dense)
        cblas_dtrmm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)count, (int)V, 1, p->factor,
                    (int)V, u, (int)V);
    for (size_t b = 0; b < count; b++)
        for (size_t i = 0; i < V; i++) {
            const double scaled = p->dense ? u[b * V + i] : p->factor[i * V + i] * u[b * V + i];
            x[b * V + i] = (ebm_real)(p->mean[i] + scaled);
        }
    ebm_work_release(work, mark);
    return EBM_OK;
}

/* y (count, V) = x - m, NULL where there is no memory. */
static double *centred(const ebm_proposal *p, size_t count, const ebm_real *x, ebm_work *work) {
    double *y = ebm_work_take(work, count, p->V * sizeof *y);
    for (size_t b = 0; y && b < count; b++)
        for (size_t i = 0; i < p->V; i++)
            y[b * p->V + i] = (double)x[b * p->V + i] - p->mean[i];
    return y;
}

ebm_status ebm_proposal_log_density(const ebm_proposal *p, size_t count, const ebm_real *x, double *log_density,
                                    ebm_work *work, ebm_error *error) {
    const size_t V = p->V, mark = ebm_work_mark(work);
    double *u = centred(p, count, x, work);
    if (!u)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states of %zu units", count, V);
    ebm_blas_one_thread();
    if (p->dense)
        cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)count, (int)V, 1, p->factor,
                    (int)V, u, (int)V);
    for (size_t b = 0; b < count; b++) {
        double square = 0;
        for (size_t i = 0; i < V; i++) {
            const double value = p->dense ? u[b * V + i] : u[b * V + i] / p->factor[i * V + i];
            square += value * value;
        }
        log_density[b] = log_density_at(p, square);
    }
    ebm_work_release(work, mark);
    return EBM_OK;
}

ebm_status ebm_proposal_add(const ebm_proposal *p, size_t count, const ebm_real *x, const double *weight, bool dense,
                            ebm_proposal_sums *sums, ebm_work *work, ebm_error *error) {
    const size_t V = p->V, mark = ebm_work_mark(work);
    double *y = centred(p, count, x, work);
    if (!y)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states of %zu units", count, V);
    for (size_t b = 0; b < count; b++) {
        double *row = y + b * V;
        if (weight[b] == 0) { /* a state out of reach may not be finite */
            memset(row, 0, V * sizeof *row);
            continue;
        }
        const double root = sqrt(weight[b]);
        for (size_t i = 0; i < V; i++) {
            sums->first[i] += weight[b] * row[i];
            row[i] *= root;
            if (!dense)
                sums->second[i * V + i] += row[i] * row[i];
        }
    }
    ebm_blas_one_thread();
    if (dense)
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)V, (int)count, 1, y, (int)V, 1, sums->second, (int)V);
    ebm_work_release(work, mark);
    return EBM_OK;
}

ebm_status ebm_proposal_learn(ebm_proposal *p, const ebm_proposal_sums *sums, double ess, bool dense, double widen,
                              ebm_error *error) {
    const size_t V = p->V;
    const double prior = (double)V + 2;
    p->dense = dense && V > 1;
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j <= i; j++) {
            const double second = dense || i == j ? sums->second[i * V + j] - sums->first[i] * sums->first[j] : 0;
            p->covariance[i * V + j] = (ess * second + prior * p->covariance[i * V + j]) / (ess + prior);
        }
    for (size_t i = 0; i < V; i++)
        p->mean[i] += sums->first[i];
    return factorise(p, widen, error);
}
