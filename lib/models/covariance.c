/* Covariances, s the scale and V the number of units:
 *   identity         s^2 I
 *   diagonal         variances s^2 c^(-i / (V - 1)), i = 0 ... V - 1, c the condition number: the first unit is the widest
 *   equicorrelated   s^2 ((1 - rho) I + rho 1 1^T), positive definite for rho > -1 / (V - 1)
 *   autoregressive   s^2 rho^|i - j|
 *   random           Q D Q^T, D those of `diagonal`, Q uniform on the orthogonal group: Gram-Schmidt, twice, on normals
 *                    (Stewart 1980)
 *   file             as it is read */
#include "models/covariance.h"

#include "ebm/npy.h"
#include "ebm/random.h"
#include "ebm/work.h"

#include <math.h>
#include <stdlib.h>

static ebm_status read_square(const char *path, ebm_npy *out, ebm_error *error) {
    if (!path)
        return ebm_fail(error, EBM_INVALID, "covariance: file needs `file`, an .npy matrix");
    EBM_TRY(ebm_npy_read(path, (size_t)EBM_MOST_DENSE * EBM_MOST_DENSE * sizeof(double), out, error));
    if (out->rank == 2 && out->shape[0] == out->shape[1] && out->shape[0] > 0)
        return EBM_OK;
    ebm_npy_free(out);
    return ebm_fail(error, EBM_FORMAT, "%s: a covariance is a square matrix", path);
}

ebm_status ebm_covariance_units(const ebm_gaussian_options *o, size_t *out, ebm_error *error) {
    ebm_npy array;
    *out = (size_t)o->units;
    if (o->covariance != EBM_COVARIANCE_FILE)
        return EBM_OK;
    EBM_TRY(read_square(o->file, &array, error));
    *out = array.shape[0];
    ebm_npy_free(&array);
    return EBM_OK;
}

double ebm_covariance_variance(const ebm_gaussian_options *o, size_t V, size_t i) {
    const double share = V > 1 ? (double)i / (double)(V - 1) : 0;
    return o->scale * o->scale * (o->covariance == EBM_COVARIANCE_IDENTITY ? 1 : pow(o->condition, -share));
}

/* Rows of Q (V, V): normals made orthonormal, each row against those above it, twice: once leaves errors of the order of
 * the matrix's condition. */
static void random_rotation(size_t V, uint32_t seed, double *Q) {
    const ebm_stream stream = ebm_stream_of(seed, EBM_PURPOSE_TARGET);
    for (size_t k = 0; k < V; k++) {
        double *row = Q + k * V;
        for (size_t i = 0; i < V; i++)
            row[i] = ebm_random_normal1(stream, (uint32_t)k, 0, (uint32_t)(2 * i));
        for (int pass = 0; pass < 2; pass++) {
            for (size_t j = 0; j < k; j++) {
                double dot = 0;
                for (size_t i = 0; i < V; i++)
                    dot += row[i] * Q[j * V + i];
                for (size_t i = 0; i < V; i++)
                    row[i] -= dot * Q[j * V + i];
            }
            double squares = 0;
            for (size_t i = 0; i < V; i++)
                squares += row[i] * row[i];
            for (size_t i = 0; i < V; i++)
                row[i] /= sqrt(squares);
        }
    }
}

static ebm_status random_covariance(const ebm_gaussian_options *o, size_t V, double *sigma, ebm_error *error) {
    double *Q = ebm_alloc(V * V, sizeof *Q);
    if (!Q)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a rotation of %zu units", V);
    random_rotation(V, (uint32_t)o->covariance_seed, Q);
    for (size_t k = 0; k < V; k++) {
        const double variance = ebm_covariance_variance(o, V, k);
        for (size_t i = 0; i < V; i++)
            for (size_t j = 0; j <= i; j++)
                sigma[i * V + j] += variance * Q[k * V + i] * Q[k * V + j];
    }
    free(Q);
    return EBM_OK;
}

static ebm_status file_covariance(const ebm_gaussian_options *o, size_t V, double *sigma, ebm_error *error) {
    ebm_npy array;
    ebm_status status = EBM_OK;
    EBM_TRY(read_square(o->file, &array, error));
    if (array.shape[0] != V)
        status =
            ebm_fail(error, EBM_FORMAT, "%s: the covariance has %zu units, the model %zu", o->file, array.shape[0], V);
    for (size_t k = 0; status == EBM_OK && k < V * V; k++)
        sigma[k] = ebm_npy_value(&array, k);
    for (size_t i = 0; status == EBM_OK && i < V; i++)
        for (size_t j = 0; status == EBM_OK && j <= i; j++) {
            const double a = sigma[i * V + j], b = sigma[j * V + i],
                         size = fabs(sigma[i * V + i]) + fabs(sigma[j * V + j]);
            if (!isfinite(a) || !isfinite(b))
                status = ebm_fail(error, EBM_FORMAT, "%s: element (%zu, %zu) is not finite", o->file, i, j);
            else if (fabs(a - b) > 1e-6 * size)
                status = ebm_fail(error, EBM_INVALID,
                                  "%s: a covariance is symmetric, but element (%zu, %zu) is %g and (%zu, %zu) is %g",
                                  o->file, i, j, a, j, i, b);
            else
                sigma[i * V + j] = (a + b) / 2;
        }
    ebm_npy_free(&array);
    return status;
}

ebm_status ebm_covariance_fill(const ebm_gaussian_options *o, size_t V, double *sigma, ebm_error *error) {
    const double variance = o->scale * o->scale;
    if (o->covariance == EBM_COVARIANCE_RANDOM)
        return random_covariance(o, V, sigma, error);
    if (o->covariance == EBM_COVARIANCE_FILE)
        return file_covariance(o, V, sigma, error);
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j <= i; j++) {
            const double power = o->covariance == EBM_COVARIANCE_AUTOREGRESSIVE ? (double)(i - j) : i > j ? 1 : 0;
            sigma[i * V + j] = variance * pow(o->correlation, power);
        }
    return EBM_OK;
}

ebm_status ebm_covariance_means(const ebm_gaussian_options *o, size_t V, double *mean, ebm_error *error) {
    ebm_npy array;
    ebm_status status = EBM_OK;
    for (size_t i = 0; i < V; i++)
        mean[i] = o->mean;
    if (!o->mean_file)
        return EBM_OK;
    EBM_TRY(ebm_npy_read(o->mean_file, (size_t)1 << 30, &array, error));
    if (array.count != V)
        status = ebm_fail(error, EBM_FORMAT, "%s: the model needs %zu means, the file holds %zu numbers", o->mean_file,
                          V, array.count);
    for (size_t i = 0; status == EBM_OK && i < V; i++) {
        mean[i] = ebm_npy_value(&array, i);
        if (!isfinite(mean[i]))
            status = ebm_fail(error, EBM_FORMAT, "%s: element %zu is %g, not a usable mean", o->mean_file, i, mean[i]);
    }
    ebm_npy_free(&array);
    return status;
}
