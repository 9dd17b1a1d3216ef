/* The multivariate normal law N(mu, Sigma): E(x) = (x - mu)^T P (x - mu) / 2 with the precision P = Sigma^-1.
 *
 *   dE/dx = P (x - mu),   log Z_beta = V/2 log(2 pi / beta) + 1/2 log det Sigma,   E_p_beta[E] = V / (2 beta)
 *   draws: x = mu + L z / sqrt(beta) with Sigma = L L^T (Cholesky), z ~ N(0, 1)
 *   x_i | rest ~ N(x_i - (P (x - mu))_i / P_ii, 1 / P_ii)
 *
 * beta E with a uniform base is N(mu, Sigma / beta). Sigma, its factor and P are worked out in double once; a gradient of
 * many states is one matrix product, and the energy is (x - mu) . dE/dx / 2 in double.
 *
 * Covariances, s the scale and V the number of units:
 *   identity         s^2 I
 *   diagonal         variances s^2 c^(-i / (V - 1)), i = 0 ... V - 1, c the condition number: the first unit is the widest
 *   equicorrelated   s^2 ((1 - rho) I + rho 1 1^T), positive definite for rho > -1 / (V - 1)
 *   autoregressive   s^2 rho^|i - j|
 *   random           Q D Q^T, D those of `diagonal`, Q uniform on the orthogonal group: Gram-Schmidt, twice, on normals
 *                    (Stewart 1980)
 *   file             as it is read */
#include "components.h"
#include "models/real_path.h"

#include "core/cholesky.h"
#include "core/row_kernels.h"
#include "ebm/matrix.h"
#include "ebm/npy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct gaussian_options {
    int64_t units, covariance_seed;
    int covariance;
    double condition, correlation, scale, mean;
    char *file, *mean_file;
} gaussian_options;

enum { IDENTITY, DIAGONAL, EQUICORRELATED, AUTOREGRESSIVE, RANDOM, FROM_FILE };
static const char *const covariance_names[] = {"identity", "diagonal", "equicorrelated", "autoregressive", "random",
                                               "file",     NULL};

#define AT(member) offsetof(gaussian_options, member)
static const ebm_option gaussian_table[] = {
    {"units", EBM_OPTION_INT, AT(units), "2", 1, 1e6, NULL, 0, "V, the dimension; with `file` as the file has it"},
    {"covariance", EBM_OPTION_CHOICE, AT(covariance), "identity", 0, 0, covariance_names, 0,
     "scale^2 times I; variances that fall from 1 to 1 / condition; all correlations equal; correlation^|i - j|; a "
     "random "
     "rotation of the falling variances; or read from `file`"},
    {"condition", EBM_OPTION_REAL, AT(condition), "10", 1, 1e8, NULL, 0,
     "diagonal and random: largest variance over smallest"},
    {"correlation", EBM_OPTION_REAL, AT(correlation), "0.5", -1, 1, NULL, 0,
     "equicorrelated and autoregressive: rho, of neighbours"},
    {"covariance_seed", EBM_OPTION_INT, AT(covariance_seed), "1", 0, 4294967295.0, NULL, 0,
     "random: which rotation is drawn"},
    {"scale", EBM_OPTION_REAL, AT(scale), "1", 1e-9, 1e9, NULL, 0, "s, a standard deviation; not used with `file`"},
    {"mean", EBM_OPTION_REAL, AT(mean), "0", -1e9, 1e9, NULL, 0, "mean of every unit"},
    {"file", EBM_OPTION_STRING, AT(file), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "covariance file: an .npy matrix V x V, symmetric and positive definite"},
    {"mean_file", EBM_OPTION_STRING, AT(mean_file), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "an .npy vector of V means, in place of `mean`"},
    EBM_OPTIONS_END,
};

enum { MOST_DENSE = 4096 /* units with a full covariance: 400 MiB of matrices while it is made */ };

typedef struct gaussian_state {
    double *mean, *variance;      /* (V): mu, the diagonal of Sigma */
    double *conditional;          /* (V): the diagonal of P */
    double log_det;               /* log det Sigma */
    bool centred, dense;          /* mu = 0; Sigma has other than diagonal elements */
    ebm_real *centre;             /* (V): mu */
    ebm_real *precision, *factor; /* (V, V): P, L; NULL where not dense */
    ebm_real *weight, *deviation; /* (V): the diagonals of P and of L where not dense */
} gaussian_state;

static ebm_status read_square(const char *path, ebm_npy *out, ebm_error *error) {
    if (!path)
        return ebm_fail(error, EBM_INVALID, "covariance: file needs `file`, an .npy matrix");
    EBM_TRY(ebm_npy_read(path, (size_t)MOST_DENSE * MOST_DENSE * sizeof(double), out, error));
    if (out->rank == 2 && out->shape[0] == out->shape[1] && out->shape[0] > 0)
        return EBM_OK;
    ebm_npy_free(out);
    return ebm_fail(error, EBM_FORMAT, "%s: a covariance is a square matrix", path);
}

static ebm_status gaussian_space(const void *options, ebm_space *out, ebm_error *error) {
    const gaussian_options *o = options;
    size_t V = (size_t)o->units;
    if (o->covariance == FROM_FILE) {
        ebm_npy array;
        EBM_TRY(read_square(o->file, &array, error));
        V = array.shape[0];
        ebm_npy_free(&array);
    }
    *out = ebm_space_line(EBM_REAL_LINE, V);
    return EBM_OK;
}

/* Variance i of `diagonal`. */
static double falling_variance(const gaussian_options *o, size_t V, size_t i) {
    const double share = V > 1 ? (double)i / (double)(V - 1) : 0;
    return o->scale * o->scale * (o->covariance == IDENTITY ? 1 : pow(o->condition, -share));
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

static ebm_status random_covariance(const gaussian_options *o, size_t V, double *sigma, ebm_error *error) {
    double *Q = ebm_alloc(V * V, sizeof *Q);
    if (!Q)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a rotation of %zu units", V);
    random_rotation(V, (uint32_t)o->covariance_seed, Q);
    for (size_t k = 0; k < V; k++) {
        const double variance = falling_variance(o, V, k);
        for (size_t i = 0; i < V; i++)
            for (size_t j = 0; j <= i; j++)
                sigma[i * V + j] += variance * Q[k * V + i] * Q[k * V + j];
    }
    free(Q);
    return EBM_OK;
}

static ebm_status file_covariance(const gaussian_options *o, size_t V, double *sigma, ebm_error *error) {
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

/* The lower triangle of Sigma (V, V), which is zero at first. */
static ebm_status covariance(const gaussian_options *o, size_t V, double *sigma, ebm_error *error) {
    const double variance = o->scale * o->scale;
    if (o->covariance == RANDOM)
        return random_covariance(o, V, sigma, error);
    if (o->covariance == FROM_FILE)
        return file_covariance(o, V, sigma, error);
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j <= i; j++) {
            const double power = o->covariance == AUTOREGRESSIVE ? (double)(i - j) : i > j ? 1 : 0;
            sigma[i * V + j] = variance * pow(o->correlation, power);
        }
    return EBM_OK;
}

static ebm_status prepare_dense(const gaussian_options *o, size_t V, gaussian_state *s, ebm_error *error) {
    if (V > MOST_DENSE)
        return ebm_fail(error, EBM_INVALID, "a full covariance of %zu units: at most %d are possible", V,
                        (int)MOST_DENSE);
    double *sigma = ebm_alloc(V * V, sizeof *sigma), *inverse = ebm_alloc(V * V, sizeof *inverse);
    s->precision = ebm_alloc(V * V, sizeof(ebm_real));
    s->factor = ebm_alloc(V * V, sizeof(ebm_real));
    ebm_status status = EBM_OK;
    if (!sigma || !inverse || !s->precision || !s->factor)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for a covariance of %zu units", V);
    if (status == EBM_OK)
        status = covariance(o, V, sigma, error);
    for (size_t i = 0; status == EBM_OK && i < V; i++)
        s->variance[i] = sigma[i * V + i];
    if (status == EBM_OK)
        status = ebm_cholesky(V, sigma, o->file && o->covariance == FROM_FILE ? o->file : "the covariance", error);
    if (status == EBM_OK) {
        s->log_det = ebm_cholesky_log_det(V, sigma);
        for (size_t k = 0; k < V * V; k++)
            s->factor[k] = (ebm_real)sigma[k];
        ebm_cholesky_inverse(V, sigma, inverse);
        for (size_t k = 0; k < V * V; k++)
            s->precision[k] = (ebm_real)inverse[k];
        for (size_t i = 0; i < V; i++)
            s->conditional[i] = inverse[i * V + i];
    }
    free(sigma);
    free(inverse);
    return status;
}

static ebm_status prepare_diagonal(const gaussian_options *o, size_t V, gaussian_state *s, ebm_error *error) {
    s->weight = ebm_alloc(V, sizeof(ebm_real));
    s->deviation = ebm_alloc(V, sizeof(ebm_real));
    if (!s->weight || !s->deviation)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a law of %zu units", V);
    for (size_t i = 0; i < V; i++) {
        s->variance[i] = falling_variance(o, V, i);
        s->conditional[i] = 1 / s->variance[i];
        s->log_det += log(s->variance[i]);
        s->weight[i] = (ebm_real)s->conditional[i];
        s->deviation[i] = (ebm_real)sqrt(s->variance[i]);
    }
    return EBM_OK;
}

static ebm_status read_means(const gaussian_options *o, size_t V, double *mean, ebm_error *error) {
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

static void gaussian_destroy(ebm_model *model) {
    gaussian_state *s = model->state;
    if (!s)
        return;
    free(s->mean);
    free(s->variance);
    free(s->conditional);
    free(s->centre);
    free(s->precision);
    free(s->factor);
    free(s->weight);
    free(s->deviation);
    free(s);
}

static ebm_status gaussian_create(ebm_model *model, const void *options, ebm_error *error) {
    const gaussian_options *o = options;
    const size_t V = model->space.size;
    if (o->covariance != FROM_FILE)
        EBM_TRY(ebm_real_units(model, (size_t)o->units, error));
    gaussian_state *s = model->state = calloc(1, sizeof *s);
    if (s) {
        s->mean = ebm_alloc(V, sizeof *s->mean);
        s->variance = ebm_alloc(V, sizeof *s->variance);
        s->conditional = ebm_alloc(V, sizeof *s->conditional);
        s->centre = ebm_alloc(V, sizeof *s->centre);
    }
    if (!s || !s->mean || !s->variance || !s->conditional || !s->centre)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a law of %zu units", V);
    EBM_TRY(read_means(o, V, s->mean, error));
    s->centred = true;
    for (size_t i = 0; i < V; i++) {
        s->centre[i] = (ebm_real)s->mean[i];
        s->centred = s->centred && s->mean[i] == 0;
    }
    s->dense = o->covariance != IDENTITY && o->covariance != DIAGONAL;
    return s->dense ? prepare_dense(o, V, s, error) : prepare_diagonal(o, V, s, error);
}

/* d (count, V) = x - mu; x itself where mu = 0. */
static const ebm_real *deviations(const gaussian_state *s, size_t V, const ebm_batch *batch, ebm_work *work) {
    if (s->centred)
        return batch->x;
    ebm_real *d = ebm_work_take(work, batch->count * V, sizeof *d);
    for (size_t b = 0; b < batch->count; b++)
        for (size_t i = 0; i < V; i++)
            d[b * V + i] = batch->x[b * V + i] - s->centre[i];
    return d;
}

/* Either of energy (count) and grad (count, V) may be NULL. */
static void gaussian_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy,
                                   ebm_real *grad, ebm_work *work) {
    const gaussian_state *s = model->state;
    const size_t V = model->space.size, B = batch->count, mark = ebm_work_mark(work);
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const ebm_real *d = deviations(s, V, batch, work);
    ebm_real *g = grad ? grad : ebm_work_take(work, B * V, sizeof *g);
    if (s->dense)
        ebm_gemm(false, false, B, V, V, 1, d, V, s->precision, V, 0, g, V, work);
    else
        for (size_t b = 0; b < B; b++)
            for (size_t i = 0; i < V; i++)
                g[b * V + i] = s->weight[i] * d[b * V + i];
    for (size_t b = 0; energy && b < B; b++)
        energy[b] = 0.5 * kernels->dot(V, d + b * V, g + b * V);
    ebm_real_add_base(model, path, batch, energy, grad, work);
    ebm_work_release(work, mark);
}

static void gaussian_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                            ebm_work *work) {
    gaussian_energy_grad_x(model, path, batch, out, NULL, work);
}

static void gaussian_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                            ebm_work *work) {
    gaussian_energy_grad_x(model, path, batch, NULL, out, work);
}

/* (P (x - mu))_i in double */
static double force(const gaussian_state *s, size_t V, size_t i, const ebm_real *x) {
    if (!s->dense)
        return s->conditional[i] * ((double)x[i] - s->mean[i]);
    double sum = 0;
    for (size_t j = 0; j < V; j++)
        sum += (double)s->precision[i * V + j] * ((double)x[j] - s->mean[j]);
    return sum;
}

/* E_beta is a parabola in x_i of curvature a and slope g: x_i ~ N(x_i - g / a, 1 / a). */
static void gaussian_sample_site(const ebm_model *model, ebm_path path, ebm_batch *batch, const uint32_t *units,
                                 ebm_stream stream, uint32_t first_chain, uint64_t step, ebm_work *work) {
    const gaussian_state *s = model->state;
    const size_t V = model->space.size;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const size_t i = units[b];
        ebm_real *x = batch->x + b * V;
        double curvature = path.beta * s->conditional[i], slope = path.beta * force(s, V, i, x);
        if (path.base && path.beta != 1) {
            const double weight = (1 - path.beta) * exp(-(double)path.base->parameters[V + i]);
            curvature += weight;
            slope += weight * ((double)x[i] - (double)path.base->parameters[i]);
        }
        const double z = ebm_random_normal1(stream, first_chain + (uint32_t)b, step, 0);
        x[i] = (ebm_real)((double)x[i] - slope / curvature + z / sqrt(curvature));
    }
}

static ebm_status gaussian_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                          ebm_error *error) {
    const gaussian_state *s = model->state;
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "normaliser", error));
    *out = 0.5 * (double)model->space.size * log(2 * M_PI / path.beta) + 0.5 * s->log_det;
    return EBM_OK;
}

static ebm_status gaussian_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                        uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const gaussian_state *s = model->state;
    const size_t V = model->space.size, B = batch->count, mark = ebm_work_mark(work);
    const double wider = 1 / sqrt(path.beta);
    EBM_TRY(ebm_real_uniform_base(model, path, "exact draws", error));
    ebm_real *z = ebm_work_take(work, B * V, sizeof *z);
    if (!z)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu draws", B);
    for (size_t b = 0; b < B; b++)
        ebm_random_normal(stream, first_chain + (uint32_t)b, step, V, z + b * V);
    if (s->dense)
        ebm_gemm(false, true, B, V, V, wider, z, V, s->factor, V, 0, batch->x, V, work);
    else
        for (size_t b = 0; b < B; b++)
            for (size_t i = 0; i < V; i++)
                batch->x[b * V + i] = (ebm_real)wider * s->deviation[i] * z[b * V + i];
    for (size_t b = 0; !s->centred && b < B; b++)
        for (size_t i = 0; i < V; i++)
            batch->x[b * V + i] += s->centre[i];
    batch->field_ok = batch->hidden_ok = false;
    ebm_work_release(work, mark);
    return EBM_OK;
}

static ebm_status gaussian_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                      ebm_work *work, ebm_error *error) {
    const gaussian_state *s = model->state;
    const size_t V = model->space.size;
    const double beta = path.beta;
    double square = 0;
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "means", error));
    for (size_t i = 0; i < V; i++)
        square += (s->mean[i] * s->mean[i] + s->variance[i] / beta) / (double)V;
    const size_t second = V > 1 ? 1 : 0; /* not asked for where there is but one unit */
    const ebm_real_means means = {.first = s->mean[0],
                                  .second = s->mean[second],
                                  .first_square = s->mean[0] * s->mean[0] + s->variance[0] / beta,
                                  .second_square = s->mean[second] * s->mean[second] + s->variance[second] / beta,
                                  .square = square,
                                  .energy = 0.5 / beta};
    return ebm_real_mean_named(model, &means, observable, out, error);
}

/* Phi((t - mu_i) / sd_i) */
static ebm_status gaussian_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t,
                                        size_t count, double *out, ebm_work *work, ebm_error *error) {
    const gaussian_state *s = model->state;
    const double deviation = sqrt(s->variance[unit] / path.beta);
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "marginal law", error));
    for (size_t k = 0; k < count; k++)
        out[k] = 0.5 * erfc((s->mean[unit] - t[k]) / (deviation * M_SQRT2));
    return EBM_OK;
}

const ebm_model_type ebm_gaussian = {
    .info = {"gaussian", "multivariate normal law of any mean and covariance: everything about it is known exactly",
             "Golub & Van Loan 2013, section 4.2 (Cholesky); Stewart 1980 (random rotations)", gaussian_table,
             sizeof(gaussian_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = gaussian_space,
    .create = gaussian_create,
    .initialise = ebm_real_initialise_nothing,
    .destroy = gaussian_destroy,
    .energy = gaussian_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = gaussian_grad_x,
    .energy_grad_x = gaussian_energy_grad_x,
    .sample_site = gaussian_sample_site,
    .log_normaliser = gaussian_log_normaliser,
    .expected_grad_theta = ebm_real_no_expected_grad_theta,
    .sample_exact = gaussian_sample_exact,
    .exact_mean = gaussian_exact_mean,
    .marginal_cdf = gaussian_marginal_cdf,
};
