/* Cholesky's factor and what follows from it (Golub & Van Loan 2013, section 4.2.5, the outer product form). The inner
 * loops run along rows and carry no sum, so that the compiler may vectorise them without changing a bit. */
#include "core/cholesky.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* y -= a x */
static void subtract(size_t n, double a, const double *restrict x, double *restrict y) {
    for (size_t k = 0; k < n; k++)
        y[k] -= a * x[k];
}

/* The diagonal that pivot j came from: what is left of it plus what the rows above have taken away. */
static double diagonal_of(size_t n, const double *A, size_t j) {
    double sum = A[j * n + j];
    for (size_t i = 0; i < j; i++)
        sum += A[i * n + j] * A[i * n + j];
    return sum;
}

/* Works on the upper triangle, whose rows are contiguous, and turns it into the lower one at the end. */
ebm_status ebm_cholesky(size_t n, double *A, const char *what, ebm_error *error) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            A[j * n + i] = A[i * n + j];
    for (size_t j = 0; j < n; j++) {
        double *row = A + j * n;
        const double least = (double)n * DBL_EPSILON * diagonal_of(n, A, j);
        if (!(row[j] > least) || !(row[j] > 0) || !isfinite(row[j]))
            return ebm_fail(error, EBM_INVALID,
                            "%s is not positive definite: pivot %zu of its Cholesky factorisation is %g, not above %g",
                            what, j + 1, row[j], least > 0 ? least : 0.0);
        const double root = sqrt(row[j]);
        for (size_t k = j; k < n; k++)
            row[k] /= root;
        for (size_t i = j + 1; i < n; i++)
            subtract(n - i, row[i], row + i, A + i * n + i);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            A[i * n + j] = A[j * n + i];
            A[j * n + i] = 0;
        }
    return EBM_OK;
}

/* Row i of L^-1 is (e_i - sum_(k < i) L_ik row k) / L_ii; the inverse is the sum over k of row_k^T row_k. */
void ebm_cholesky_inverse(size_t n, double *L, double *inverse) {
    for (size_t i = 0; i < n; i++) {
        double *row = inverse + i * n; /* scratch until the rows are all there */
        memset(row, 0, n * sizeof *row);
        row[i] = 1;
        for (size_t k = 0; k < i; k++)
            subtract(k + 1, L[i * n + k], inverse + k * n, row);
        for (size_t k = 0; k <= i; k++)
            row[k] /= L[i * n + i];
    }
    memcpy(L, inverse, n * n * sizeof *L);
    memset(inverse, 0, n * n * sizeof *inverse);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i <= k; i++)
            subtract(i + 1, -L[k * n + i], L + k * n, inverse + i * n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            inverse[j * n + i] = inverse[i * n + j];
}

double ebm_cholesky_log_det(size_t n, const double *L) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log(L[i * n + i]);
    return 2 * sum;
}
