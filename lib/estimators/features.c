/* Features of examples (see features.h).
 *
 * Principal components: the eigenvectors of the training examples' covariance with the largest eigenvalues; a feature is
 * the coordinate of x - mean along one. Distances between sets of them do not depend on the eigenvectors' signs. */
#include "estimators/features.h"

#include "core/matrix_blocks.h"

#include <cblas.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenBLAS's LAPACK; Fortran passes the length of a character argument after the others. */
void dsyevd_(const char *vectors, const char *triangle, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t vectors_length,
             size_t triangle_length);

enum { ROWS = 512 }; /* examples of a block */

void ebm_features_free(ebm_features *features) {
    free(features->mean);
    free(features->basis);
    if (features->net)
        ebm_net_free(features->net);
    memset(features, 0, sizeof *features);
}

void ebm_features_pixels(const ebm_dataset *data, ebm_features *out) {
    *out = (ebm_features){.kind = EBM_FEATURES_PIXELS, .inputs = data->space.size, .size = data->space.size};
}

/* C (V, V) += the sum of (x - mean)(x - mean)^T, upper triangle column-major. block (ROWS, V) is scratch. */
static void add_products(const ebm_real *x, size_t count, size_t V, const double *mean, double *block, double *C) {
    ebm_blas_one_thread();
    for (size_t first = 0; first < count; first += ROWS) {
        const size_t rows = count - first < ROWS ? count - first : ROWS;
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < V; i++)
                block[r * V + i] = (double)x[(first + r) * V + i] - mean[i];
        cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, (int)V, (int)rows, 1, block, (int)V, 1, C, (int)V);
    }
}

/* C becomes its eigenvectors, by ascending eigenvalues. */
static ebm_status eigenvectors(double *C, size_t V, ebm_work *work, ebm_error *error) {
    const int n = (int)V, ask = -1;
    int info, integers;
    double wanted, *values = ebm_work_take(work, V, sizeof *values);
    dsyevd_("V", "U", &n, C, &n, values, &wanted, &ask, &integers, &ask, &info, 1, 1);
    const int length = (int)wanted;
    double *room = ebm_work_take(work, (size_t)length, sizeof *room);
    int *whole = ebm_work_take(work, (size_t)integers, sizeof *whole);
    if (!values || !room || !whole)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the eigenvectors of %zu units", V);
    dsyevd_("V", "U", &n, C, &n, values, room, &length, whole, &integers, &info, 1, 1);
    if (info != 0)
        return ebm_fail(error, EBM_DIVERGED, "the eigenvectors of %zu units did not converge (dsyevd %d)", V, info);
    return EBM_OK;
}

ebm_status ebm_features_pca(const ebm_real *x, size_t count, size_t V, ebm_features *out, ebm_work *work,
                            ebm_error *error) {
    const size_t mark = ebm_work_mark(work), k = EBM_PCA_FEATURES;
    *out = (ebm_features){.kind = EBM_FEATURES_PCA_64, .inputs = V, .size = k};
    if (V <= k || count <= k)
        return ebm_fail(error, EBM_INVALID,
                        "features pca-64 need more than 64 units and examples to fit: there are %zu "
                        "and %zu",
                        V, count);
    double *C = ebm_work_take(work, V * V, sizeof *C), *block = ebm_work_take(work, ROWS * V, sizeof *block);
    out->mean = ebm_alloc(V, sizeof *out->mean);
    out->basis = ebm_alloc(V * k, sizeof *out->basis);
    ebm_status status = C && block && out->mean && out->basis
                            ? EBM_OK
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for a covariance of %zu units", V);
    if (status == EBM_OK) {
        for (size_t r = 0; r < count; r++)
            for (size_t i = 0; i < V; i++)
                out->mean[i] += (double)x[r * V + i];
        for (size_t i = 0; i < V; i++)
            out->mean[i] /= (double)count;
        memset(C, 0, V * V * sizeof *C);
        add_products(x, count, V, out->mean, block, C);
        status = eigenvectors(C, V, work, error);
    }
    if (status == EBM_OK)
        memcpy(out->basis, C + (V - k) * V, V * k * sizeof *C);
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_features_net(const char *folder, const char *hash, const ebm_dataset *data, ebm_features *out,
                            ebm_error *error) {
    const double deviation = data->deviation > 0 ? data->deviation : 1;
    char found[17];
    *out = (ebm_features){.kind = EBM_FEATURES_DIGITS_NET, .inputs = data->space.size};
    out->scale = deviation;
    out->shift = data->deviation > 0 ? data->mean : 0;
    ebm_error why;
    const ebm_status status = ebm_net_load(folder, &out->net, &why);
    if (status != EBM_OK)
        return ebm_fail(
            error, status,
            "no net in %s (%s): a suite of the runner classifier leaves one among its results; run that first", folder,
            why.message);
    out->size = ebm_net_feature_count(out->net);
    snprintf(found, sizeof found, "%016" PRIx64, ebm_net_hash(out->net));
    if (hash && strcmp(hash, found) != 0)
        return ebm_fail(
            error, EBM_INVALID,
            "the net in %s has the hash %s, not %s: its features are not to be set beside those of the other", folder,
            found, hash);
    if (ebm_net_inputs(out->net) != data->space.size)
        return ebm_fail(error, EBM_INVALID, "the net in %s looks at %zu pixels, the data have %zu units", folder,
                        ebm_net_inputs(out->net), data->space.size);
    return EBM_OK;
}

static ebm_status net_features(const ebm_features *f, const ebm_real *x, size_t rows, double *out, ebm_work *work,
                               ebm_error *error) {
    ebm_real *intensity = ebm_work_take(work, rows * f->inputs, sizeof *intensity);
    ebm_real *values = ebm_work_take(work, rows * f->size, sizeof *values);
    if (!intensity || !values)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the features of %zu pictures", rows);
    for (size_t k = 0; k < rows * f->inputs; k++)
        intensity[k] = (ebm_real)(f->scale * (double)x[k] + f->shift);
    EBM_TRY(ebm_net_features(f->net, intensity, rows, values, work, error));
    for (size_t k = 0; k < rows * f->size; k++)
        out[k] = (double)values[k];
    return EBM_OK;
}

static ebm_status pca_features(const ebm_features *f, const ebm_real *x, size_t rows, double *out, ebm_work *work,
                               ebm_error *error) {
    const size_t V = f->inputs;
    double *centred = ebm_work_take(work, rows * V, sizeof *centred);
    if (!centred)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu examples", rows);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < V; i++)
            centred[r * V + i] = (double)x[r * V + i] - f->mean[i];
    ebm_blas_one_thread();
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int)f->size, (int)rows, (int)V, 1, f->basis, (int)V, centred,
                (int)V, 0, out, (int)f->size);
    return EBM_OK;
}

ebm_status ebm_features_of(const ebm_features *f, const ebm_real *x, size_t count, double *out, ebm_work *work,
                           ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    ebm_status status = EBM_OK;
    if (f->kind == EBM_FEATURES_PIXELS) {
        for (size_t k = 0; k < count * f->size; k++)
            out[k] = (double)x[k];
        return EBM_OK;
    }
    for (size_t first = 0; first < count && status == EBM_OK; first += ROWS) {
        const size_t rows = count - first < ROWS ? count - first : ROWS;
        status = (f->kind == EBM_FEATURES_PCA_64 ? pca_features : net_features)(f, x + first * f->inputs, rows,
                                                                                out + first * f->size, work, error);
        ebm_work_release(work, mark);
    }
    return status;
}
