/* Symmetric couplings of spins, and storing patterns one by one in blocks (see associative.h). */
#include "learners/associative.h"

#include "core/matrix_blocks.h"
#include "core/row_kernels.h"
#include "ebm/matrix.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { TILE = 256, BLOCK = 64 /* patterns */ };

ebm_status ebm_couplings_of(const ebm_model *model, const char *who, ebm_couplings *out, ebm_error *error) {
    const size_t V = model->space.size;
    const ebm_view *W = NULL, *bias = NULL;
    for (size_t k = 0; k < model->n_views; k++) {
        const ebm_view *view = &model->views[k];
        if (strcmp(view->name, "W") == 0 && view->rows == V && view->columns == V)
            W = view;
        if (strcmp(view->name, "bias") == 0 && view->rows == V && view->columns == 0)
            bias = view;
    }
    if (!W || !bias || model->n_hidden > 0)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "%s needs couplings W (units x units) and a bias of each unit, as models hopfield and "
                        "boltzmann have them; model %s has none such",
                        who, model->type->info.name);
    if (model->space.domain != EBM_SPIN)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "%s needs units -1/+1, model %s has %s units here: use model hopfield, or `states: spin`", who,
                        model->type->info.name, ebm_domain_name(model->space.domain));
    if (V > INT_MAX)
        return ebm_fail(error, EBM_UNSUPPORTED, "%zu units are too many for %s", V, who);
    *out = (ebm_couplings){V, model->theta + W->offset, model->theta + bias->offset};
    return EBM_OK;
}

ebm_status ebm_one_shot_create(ebm_learner *learner, ebm_error *error) {
    ebm_couplings couplings;
    return ebm_couplings_of(learner->model, learner->type->info.name, &couplings, error);
}

#ifdef EBM_DOUBLE
#define GEMM cblas_dgemm
#define SYRK cblas_dsyrk
#else
#define GEMM cblas_sgemm
#define SYRK cblas_ssyrk
#endif

/* Below the diagonal of C, the mirror image of the rows first ... last - 1, columns left ... right - 1. */
static void mirror(size_t V, size_t first, size_t last, size_t left, size_t right, ebm_real *C) {
    enum { SIDE = 8 }; /* of a patch: read by columns, written by rows, both in the first cache */
    for (size_t top = first; top < last; top += SIDE)
        for (size_t side = left; side < right; side += SIDE)
            for (size_t j = side; j < right && j < side + SIDE; j++)
                for (size_t i = top; i < last && i < top + SIDE && i < j; i++)
                    C[j * V + i] = C[i * V + j];
}

typedef struct product {
    size_t V, K;
    double alpha, beta;
    const ebm_real *P, *Q;
    ebm_real *C;
} product;

/* The tile at (top, left), left >= top, on one thread, and its mirror image. */
static void compute_tile(const product *p, size_t top, size_t left) {
    const size_t V = p->V, rows = V - top < TILE ? V - top : TILE, columns = V - left < TILE ? V - left : TILE;
    const int ld = (int)V, K = (int)p->K;
    const ebm_real alpha = (ebm_real)p->alpha, beta = (ebm_real)p->beta;
    ebm_real *C = p->C + top * V + left;
    if (top == left && p->P == p->Q)
        SYRK(CblasRowMajor, CblasUpper, CblasTrans, (int)rows, K, alpha, p->P + top, ld, beta, C, ld);
    else
        GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, (int)rows, (int)columns, K, alpha, p->P + top, ld, p->Q + left,
             ld, beta, C, ld);
    mirror(V, top, top + rows, left, left + columns, p->C);
}

void ebm_symmetric_product(size_t V, size_t K, double alpha, const ebm_real *P, const ebm_real *Q, double beta,
                           ebm_real *C, ebm_work *work) {
    const product p = {V, K, alpha, beta, P, Q, C};
    const size_t side = (V + TILE - 1) / TILE, tiles = side * side;
    const int threads = side > 1 ? ebm_work_threads(work) : 1;
    (void)threads;
    ebm_blas_one_thread();
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
    for (size_t t = 0; t < tiles; t++)
        if (t % side >= t / side)
            compute_tile(&p, t / side * TILE, t % side * TILE);
}

void ebm_clear_diagonal(size_t V, ebm_real *W) {
    for (size_t i = 0; i < V; i++)
        W[i * V + i] = 0;
}

ebm_status ebm_couplings_finite(const ebm_couplings *couplings, ebm_error *error) {
    const size_t V = couplings->units;
    for (size_t i = 0; i < V; i++) {
        double sum = 0; /* infinities and NaN stay in it */
        for (size_t j = 0; j < V; j++)
            sum += fabs((double)couplings->W[i * V + j]);
        if (!isfinite(sum))
            return ebm_fail(error, EBM_DIVERGED, "a coupling of unit %zu is not finite", i);
    }
    return EBM_OK;
}

/* One block in flight: y (count, V) borrowed, and below the pairs [y; z] and [z; y] whose product is the change. */
typedef struct block {
    size_t V;
    ebm_real *left, *right; /* (2 BLOCK, V) */
    ebm_real *field;        /* (BLOCK, V) */
    ebm_real *diagonal;     /* (V), of W with the changes so far */
    size_t changes;
} block;

/* f += the changes so far on y, less what a unit tells itself. */
static void complete_field(const block *b, const ebm_real *y, ebm_real *f) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t V = b->V;
    for (size_t s = 0; s < b->changes; s++) {
        const ebm_real *ys = b->left + s * V, *zs = b->right + s * V;
        kernels->axpy(V, (ebm_real)kernels->dot(V, zs, y), ys, f);
        kernels->axpy(V, (ebm_real)kernels->dot(V, ys, y), zs, f);
    }
    for (size_t i = 0; i < V; i++)
        f[i] -= b->diagonal[i] * y[i];
}

static void store_block(block *b, size_t count, const ebm_real *x, ebm_real *W, ebm_pattern_rule *change, void *context,
                        ebm_work *work) {
    const size_t V = b->V, bytes = V * sizeof(ebm_real);
    ebm_gemm(false, false, count, V, V, 1.0, x, V, W, V, 0.0, b->field, V, work);
    for (size_t i = 0; i < V; i++)
        b->diagonal[i] = W[i * V + i];
    b->changes = 0;
    for (size_t t = 0; t < count; t++) {
        const ebm_real *y = x + t * V;
        ebm_real *f = b->field + t * V, *z = b->right + b->changes * V;
        complete_field(b, y, f);
        if (!change(context, V, y, f, z))
            continue;
        memcpy(b->left + b->changes * V, y, bytes);
        for (size_t i = 0; i < V; i++)
            b->diagonal[i] += 2 * y[i] * z[i];
        b->changes++;
    }
    if (b->changes == 0)
        return;
    memcpy(b->left + b->changes * V, b->right, b->changes * bytes);
    memcpy(b->right + b->changes * V, b->left, b->changes * bytes);
    ebm_symmetric_product(V, 2 * b->changes, 1.0, b->left, b->right, 1.0, W, work);
}

ebm_status ebm_store_one_by_one(size_t V, size_t K, const ebm_real *x, ebm_real *W, ebm_pattern_rule *change,
                                void *context, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    block b = {V,
               ebm_work_take(work, 2 * BLOCK * V, sizeof(ebm_real)),
               ebm_work_take(work, 2 * BLOCK * V, sizeof(ebm_real)),
               ebm_work_take(work, BLOCK * V, sizeof(ebm_real)),
               ebm_work_take(work, V, sizeof(ebm_real)),
               0};
    const bool room = b.left && b.right && b.field && b.diagonal;
    for (size_t first = 0; room && first < K; first += BLOCK)
        store_block(&b, K - first < BLOCK ? K - first : BLOCK, x + first * V, W, change, context, work);
    ebm_work_release(work, mark);
    return room ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory to store %zu patterns of %zu units", K, V);
}
