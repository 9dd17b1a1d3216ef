/* Eigenvalues of a transition matrix, and exact autocorrelation times by the fundamental matrix.
 *
 * For a chain reversible in pi, A = D^1/2 T D^-1/2 with D = diag(pi) is symmetric with T's eigenvalues. For any chain
 *   sum_(t>=0) T^t (f - pi f) = (I - T + 1 pi)^-1 (f - pi f) = g          (Kemeny & Snell 1960, chapter 4)
 * and cov_pi(f(X_0), f(X_t)) = <f - pi f, T^t (f - pi f)>_pi, so 1 + 2 sum_(t>=1) rho_t = 2 <f - pi f, g>_pi / var - 1.
 *
 * LAPACK is OpenBLAS's; Debian ships its C header apart, so that the few routines are declared here. Fortran passes the
 * length of each character argument after the others. */
#include "exact_chain.h"

#include "core/matrix_blocks.h"

#include <math.h>

void dsyevd_(const char *vectors, const char *triangle, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t, size_t);
void dgeev_(const char *left, const char *right, const int *n, double *a, const int *lda, double *re, double *im,
            double *vl, const int *ldvl, double *vr, const int *ldvr, double *work, const int *lwork, int *info, size_t,
            size_t);
void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivot, int *info);
void dgetrs_(const char *transpose, const int *n, const int *count, const double *a, const int *lda, const int *pivot,
             double *b, const int *ldb, int *info, size_t);
void dgecon_(const char *norm, const int *n, const double *a, const int *lda, const double *a_norm, double *inverse,
             double *work, int *iwork, int *info, size_t);

static ebm_status no_memory(size_t S, ebm_error *error) {
    return ebm_fail(error, EBM_NO_MEMORY, "no memory for a matrix of %zu x %zu states", S, S);
}

/* A = D^1/2 T D^-1/2, made symmetric; false where it is not. */
static bool symmetric_form(const ebm_exact_chain *chain, double *A, double *root) {
    const size_t S = chain->states;
    const double *T = chain->transition, tolerance = 1e-10;
    for (size_t i = 0; i < S; i++) {
        if (!(chain->stationary[i] > 0))
            return false;
        root[i] = sqrt(chain->stationary[i]);
    }
    for (size_t i = 0; i < S; i++)
        for (size_t j = 0; j <= i; j++) {
            const double lower = root[i] / root[j] * T[i * S + j], upper = root[j] / root[i] * T[j * S + i];
            if (!(fabs(lower - upper) <= tolerance))
                return false;
            A[i * S + j] = (lower + upper) / 2; /* row-major lower: column-major upper */
        }
    return true;
}

static ebm_status symmetric_spectrum(const ebm_exact_chain *chain, double *A, double *values, ebm_chain_spectrum *out,
                                     ebm_work *work, ebm_error *error) {
    const int n = (int)chain->states, ask = -1;
    int info, integers;
    double wanted;
    dsyevd_("N", "U", &n, A, &n, values, &wanted, &ask, &integers, &ask, &info, 1, 1);
    const int length = (int)wanted;
    double *room = ebm_work_take(work, (size_t)length, sizeof *room);
    int *whole = ebm_work_take(work, (size_t)integers, sizeof *whole);
    if (!room || !whole)
        return no_memory(chain->states, error);
    dsyevd_("N", "U", &n, A, &n, values, room, &length, whole, &integers, &info, 1, 1);
    if (info != 0)
        return ebm_fail(error, EBM_DIVERGED, "the eigenvalues of %d states did not converge (dsyevd %d)", n, info);
    out->second = n > 1 ? values[n - 2] : 0; /* ascending, the last is 1 */
    out->lowest = n > 1 ? values[0] : 0;
    out->gap = 1 - out->second;
    out->absolute_gap = 1 - fmax(fabs(out->second), fabs(out->lowest));
    return EBM_OK;
}

static ebm_status general_spectrum(const ebm_exact_chain *chain, double *A, double *re, double *im,
                                   ebm_chain_spectrum *out, ebm_work *work, ebm_error *error) {
    const size_t S = chain->states;
    const int n = (int)S, ask = -1, one = 1;
    for (size_t k = 0; k < S * S; k++)
        A[k] = chain->transition[k]; /* the transpose to Fortran: the same eigenvalues */
    int info;
    double wanted, none;
    dgeev_("N", "N", &n, A, &n, re, im, &none, &one, &none, &one, &wanted, &ask, &info, 1, 1);
    const int length = (int)wanted;
    double *room = ebm_work_take(work, (size_t)length, sizeof *room);
    if (room == NULL)
        return no_memory(S, error);
    dgeev_("N", "N", &n, A, &n, re, im, &none, &one, &none, &one, room, &length, &info, 1, 1);
    if (info != 0)
        return ebm_fail(error, EBM_DIVERGED, "the eigenvalues of %d states did not converge (dgeev %d)", n, info);
    size_t first = 0;
    for (size_t k = 1; k < S; k++)
        first = hypot(re[k] - 1, im[k]) < hypot(re[first] - 1, im[first]) ? k : first;
    double largest = 0;
    for (size_t k = 0; k < S; k++)
        largest = k != first ? fmax(largest, hypot(re[k], im[k])) : largest;
    out->second = out->lowest = out->gap = NAN;
    out->absolute_gap = 1 - largest;
    return EBM_OK;
}

ebm_status ebm_exact_chain_spectrum(const ebm_exact_chain *chain, ebm_chain_spectrum *out, ebm_work *work,
                                    ebm_error *error) {
    EBM_TRY(ebm_exact_chain_check_stationary(chain, work, error));
    const size_t S = chain->states, mark = ebm_work_mark(work);
    double *A = ebm_work_take(work, S * S, sizeof *A);
    double *values = ebm_work_take(work, S, sizeof *values), *more = ebm_work_take(work, S, sizeof *more);
    ebm_status status = A && values && more ? EBM_OK : no_memory(S, error);
    if (status == EBM_OK) {
        ebm_blas_one_thread();
        out->reversible = symmetric_form(chain, A, more);
        status = out->reversible ? symmetric_spectrum(chain, A, values, out, work, error)
                                 : general_spectrum(chain, A, values, more, out, work, error);
    }
    ebm_work_release(work, mark);
    return status;
}

/* LU factors of I - T + 1 pi, column-major. */
static ebm_status factor(const ebm_exact_chain *chain, double *A, int *pivot, ebm_work *work, ebm_error *error) {
    const size_t S = chain->states;
    const int n = (int)S;
    double norm = 0; /* the largest sum over a column */
    for (size_t j = 0; j < S; j++) {
        double sum = 0;
        for (size_t i = 0; i < S; i++) {
            const double entry = (i == j) - chain->transition[i * S + j] + chain->stationary[j];
            A[j * S + i] = entry;
            sum += fabs(entry);
        }
        norm = fmax(norm, sum);
    }
    int info;
    double inverse = 0, *room = ebm_work_take(work, 4 * S, sizeof *room);
    int *whole = ebm_work_take(work, S, sizeof *whole);
    if (!room || !whole)
        return no_memory(S, error);
    dgetrf_(&n, &n, A, &n, pivot, &info);
    if (info == 0)
        dgecon_("1", &n, A, &n, &norm, &inverse, room, whole, &info, 1);
    if (info != 0 || !(inverse > 1e-15)) /* 8 units of rounding: nothing is left of the solution */
        return ebm_fail(error, EBM_DIVERGED,
                        "the chain is reducible: the autocorrelation of a function need not die out");
    return EBM_OK;
}

ebm_status ebm_exact_chain_autocorrelation_time(const ebm_exact_chain *chain, const double *functions, size_t count,
                                                double *tau, ebm_work *work, ebm_error *error) {
    EBM_TRY(ebm_exact_chain_check_stationary(chain, work, error));
    const size_t S = chain->states, mark = ebm_work_mark(work);
    const int n = (int)S, one = 1;
    double *A = ebm_work_take(work, S * S, sizeof *A), *g = ebm_work_take(work, S, sizeof *g);
    int *pivot = ebm_work_take(work, S, sizeof *pivot);
    ebm_blas_one_thread();
    ebm_status status = A && g && pivot ? factor(chain, A, pivot, work, error) : no_memory(S, error);
    for (size_t k = 0; k < count && status == EBM_OK; k++) {
        const double *f = functions + k * S;
        double mean = 0, size = 0, variance = 0, product = 0;
        for (size_t i = 0; i < S; i++) {
            mean += chain->stationary[i] * f[i];
            size = fmax(size, fabs(f[i]));
        }
        for (size_t i = 0; i < S; i++) {
            g[i] = f[i] - mean;
            variance += chain->stationary[i] * g[i] * g[i];
        }
        int info;
        dgetrs_("N", &n, &one, A, &n, pivot, g, &n, &info, 1);
        for (size_t i = 0; i < S; i++)
            product += chain->stationary[i] * (f[i] - mean) * g[i];
        const double rounding = 1e-14 * size; /* of the mean of S terms */
        tau[k] = variance > rounding * rounding ? 2 * product / variance - 1 : NAN;
    }
    ebm_work_release(work, mark);
    return status;
}
