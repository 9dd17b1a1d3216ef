/* The pseudo-inverse rule: the projection onto the span of the patterns, without its diagonal.
 *
 *   P = X^T (X X^T)^+ X,   w_ij = P_ij (i != j),   w_ii = 0,   b = 0          X (K, V): a pattern a row
 *
 * (Personnaz, Guyon & Dreyfus 1985; Kanter & Sompolinsky 1987). P y = y for every pattern, and for every sum of patterns.
 * Without the diagonal the field of unit i is h_i = (1 - P_ii) y_i: still of y's sign, so that every pattern is stable
 * while P_ii < 1, with wider basins than with it (Kanter & Sompolinsky). The mean of P_ii is rank / V.
 *
 * X X^T = L L^T (Cholesky) gives Y = L^-1 X with orthonormal rows and P = Y^T Y. Gram matrix, factor and Y are made in
 * double: what they lose is the condition number times the rounding unit, and Y is orthonormal to float where that is
 * below 1e-7. Where patterns are linearly dependent (or nearly so), Cholesky with pivots finds a basis among them: the
 * projection onto their span is the same. Patterns that span the whole space are refused unless `spanning` says otherwise:
 * P is the identity then, and W = 0. */
#include "components.h"
#include "learners/associative.h"

#include "core/matrix_blocks.h"
#include "ebm/matrix.h"

#include <cblas.h>
#include <limits.h>
#include <string.h>

typedef struct projection_options {
    int spanning;
} projection_options;

enum { REFUSE, NOTHING };
static const char *const spanning_names[] = {"refuse", "nothing", NULL};

static const ebm_option pseudo_inverse_table[] = {
    {"spanning", EBM_OPTION_CHOICE, EBM_OFFSET(projection_options, spanning), "refuse", 0, 0, spanning_names, 0,
     "patterns that span the whole space, whose projection is the identity: an error, or W = 0"},
    EBM_OPTIONS_END,
};

/* OpenBLAS's LAPACK; Fortran passes the length of a character argument after the others. */
void dpotrf_(const char *triangle, const int *n, double *a, const int *lda, int *info, size_t);
void dpstrf_(const char *triangle, const int *n, double *a, const int *lda, int *pivot, int *rank,
             const double *tolerance, double *work, int *info, size_t);

typedef struct factor {
    size_t K, rank;
    double *A;      /* (K, K): Gram matrix / V, then its Cholesky factor L in the row-major lower triangle */
    int32_t *basis; /* (K): the patterns behind the factor's rows */
} factor;

/* A pivot below this, of a Gram matrix with unit diagonal, counts as a dependent pattern: far above rounding (1e-14 or so
 * for thousands of patterns), far below independent patterns (4 / V for two that differ in one unit). */
static const double PIVOT = 1e-10;

/* The lower triangle of X X^T / V, whose entries are integers over V. */
static void gram(size_t V, const double *X, factor *f, ebm_work *work) {
    enum { BAND = 256 };
    const size_t K = f->K, bands = (K + BAND - 1) / BAND;
    const int threads = bands > 1 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
    for (size_t band = 0; band < bands; band++) {
        const size_t top = (bands - 1 - band) * BAND, rows = K - top < BAND ? K - top : BAND; /* the longest first */
        if (top > 0)
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)top, (int)V, 1.0 / (double)V,
                        X + top * V, (int)V, X, (int)V, 0.0, f->A + top * K, (int)K);
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)rows, (int)V, 1.0 / (double)V, X + top * V, (int)V,
                    0.0, f->A + top * K + top, (int)K);
    }
}

/* Row-major lower is column-major upper: A = U^T U with U = L^T, in place. */
static ebm_status factorise(size_t V, const double *X, factor *f, ebm_work *work, ebm_error *error) {
    const int K = (int)f->K;
    int info = 0, rank = K;
    gram(V, X, f, work);
    for (size_t p = 0; p < f->K; p++)
        f->basis[p] = (int32_t)p;
    dpotrf_("U", &K, f->A, &K, &info, 1);
    bool independent = info == 0;
    for (size_t p = 0; p < f->K && independent; p++)
        independent = f->A[p * f->K + p] * f->A[p * f->K + p] > PIVOT;
    f->rank = f->K;
    if (independent)
        return EBM_OK;
    const size_t mark = ebm_work_mark(work);
    double *room = ebm_work_take(work, 2 * f->K, sizeof *room);
    int *pivot = ebm_work_take(work, f->K, sizeof *pivot);
    if (room && pivot) {
        gram(V, X, f, work);
        dpstrf_("U", &K, f->A, &K, pivot, &rank, &PIVOT, room, &info, 1);
        f->rank = (size_t)rank;
        for (size_t p = 0; p < f->rank; p++)
            f->basis[p] = pivot[p] - 1;
    }
    ebm_work_release(work, mark);
    return room && pivot ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory to factorise %zu patterns", f->K);
}

/* Y (rank, V) = L^-1 X_basis / sqrt(V), by bands of columns. */
static void orthonormal_rows(size_t V, const factor *f, double *Z, ebm_real *Y, ebm_work *work) {
    const size_t R = f->rank, width = ebm_block_width(V, (double)R * (double)R * (double)V / 2);
    const size_t blocks = (V + width - 1) / width;
    const double root = 1 / __builtin_sqrt((double)V);
    const int threads = blocks > 1 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
    for (size_t block = 0; block < blocks; block++) {
        const size_t first = block * width, n = V - first < width ? V - first : width;
        cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)R, (int)n, root, f->A,
                    (int)f->K, Z + first, (int)V);
        for (size_t p = 0; p < R; p++)
            for (size_t i = first; i < first + n; i++)
                Y[p * V + i] = (ebm_real)Z[p * V + i];
    }
}

static ebm_status project(const ebm_couplings *c, size_t K, const ebm_real *x, int spanning, ebm_work *work,
                          ebm_error *error) {
    const size_t V = c->units;
    if (K > INT_MAX || V > SIZE_MAX / sizeof(double) / (K + 1) || K > SIZE_MAX / sizeof(double) / K)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu patterns of %zu units", K, V);
    factor f = {K, 0, ebm_work_take(work, K * K, sizeof(double)), ebm_work_take(work, K, sizeof(int32_t))};
    double *X = ebm_work_take(work, K * V, sizeof *X);
    if (!f.A || !f.basis || !X)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu patterns of %zu units", K, V);
    for (size_t k = 0; k < K * V; k++)
        X[k] = (double)x[k];
    ebm_blas_one_thread();
    EBM_TRY(factorise(V, X, &f, work, error));
    if (f.rank >= V && spanning == NOTHING) {
        memset(c->W, 0, V * V * sizeof *c->W);
        return EBM_OK;
    }
    if (f.rank >= V)
        return ebm_fail(error, EBM_INVALID,
                        "%zu patterns span all %zu dimensions: their projection is the identity, which without its "
                        "diagonal is nothing; store fewer patterns",
                        K, V);
    for (size_t p = 0; p < f.rank && f.rank < K; p++)
        for (size_t i = 0; i < V; i++)
            X[p * V + i] = (double)x[(size_t)f.basis[p] * V + i];
    ebm_real *Y = ebm_work_take(work, f.rank * V, sizeof *Y);
    if (!Y)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu patterns of %zu units", K, V);
    orthonormal_rows(V, &f, X, Y, work);
    ebm_symmetric_product(V, f.rank, 1.0, Y, Y, 0.0, c->W, work);
    return EBM_OK;
}

static ebm_status pseudo_inverse_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                        ebm_error *error) {
    const projection_options *o = learner->options;
    ebm_couplings c;
    EBM_TRY(ebm_couplings_of(learner->model, learner->type->info.name, &c, error));
    const size_t mark = ebm_work_mark(work);
    const ebm_status status = project(&c, count, x, o->spanning, work, error);
    ebm_work_release(work, mark);
    EBM_TRY(status);
    ebm_clear_diagonal(c.units, c.W);
    memset(c.bias, 0, c.units * sizeof *c.bias);
    ebm_model_refresh(learner->model, work);
    return EBM_OK;
}

const ebm_learner_type ebm_pseudo_inverse = {
    .info = {"pseudo-inverse", "the projection onto the patterns: an update stores its examples afresh, all at once",
             "Personnaz, Guyon & Dreyfus 1985; Kanter & Sompolinsky 1987", pseudo_inverse_table,
             sizeof(projection_options)},
    .domains = 1u << EBM_SPIN,
    .create = ebm_one_shot_create,
    .update = pseudo_inverse_update,
};
