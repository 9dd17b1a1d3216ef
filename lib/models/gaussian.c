/* The multivariate normal law N(mu, Sigma): E(x) = (x - mu)^T P (x - mu) / 2 with the precision P = Sigma^-1.
 *
 *   dE/dx = P (x - mu),   log Z_beta = V/2 log(2 pi / beta) + 1/2 log det Sigma,   E_p_beta[E] = V / (2 beta)
 *   draws: x = mu + L z / sqrt(beta) with Sigma = L L^T (Cholesky), z ~ N(0, 1)
 *   x_i | rest ~ N(x_i - (P (x - mu))_i / P_ii, 1 / P_ii)
 *
 * beta E with a uniform base is N(mu, Sigma / beta). Sigma, its factor and P are worked out in double once; a gradient of
 * many states is one matrix product, and the energy is (x - mu) . dE/dx / 2 in double.
 *
 * Which covariances: models/covariance.c. */
#include "components.h"
#include "models/covariance.h"
#include "models/real_path.h"

#include "core/cholesky.h"
#include "core/row_kernels.h"
#include "ebm/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const covariance_names[] = {"identity", "diagonal", "equicorrelated", "autoregressive", "random",
                                               "file",     NULL};

#define AT(member) offsetof(ebm_gaussian_options, member)
static const ebm_option gaussian_table[] = {
    {"units", EBM_OPTION_INT, AT(units), "2", 1, 1e6, NULL, 0, "V, the dimension; with `file` as the file has it"},
    {"covariance", EBM_OPTION_CHOICE, AT(covariance), "identity", 0, 0, covariance_names, 0,
     "scale^2 times I; variances that fall from 1 to 1 / condition; all correlations equal; correlation^|i - j|; a random "
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

typedef struct gaussian_state {
    double *mean, *variance;      /* (V): mu, the diagonal of Sigma */
    double *conditional;          /* (V): the diagonal of P */
    double log_det;               /* log det Sigma */
    bool centred, dense;          /* mu = 0; Sigma has other than diagonal elements */
    ebm_real *centre;             /* (V): mu */
    ebm_real *precision, *factor; /* (V, V): P, L; NULL where not dense */
    ebm_real *weight, *deviation; /* (V): the diagonals of P and of L where not dense */
} gaussian_state;

static ebm_status gaussian_space(const void *options, ebm_space *out, ebm_error *error) {
    size_t V;
    EBM_TRY(ebm_covariance_units(options, &V, error));
    *out = ebm_space_line(EBM_REAL_LINE, V);
    return EBM_OK;
}

static ebm_status prepare_dense(const ebm_gaussian_options *o, size_t V, gaussian_state *s, ebm_error *error) {
    if (V > EBM_MOST_DENSE)
        return ebm_fail(error, EBM_INVALID, "a full covariance of %zu units: at most %d are possible", V,
                        (int)EBM_MOST_DENSE);
    double *sigma = ebm_alloc(V * V, sizeof *sigma), *inverse = ebm_alloc(V * V, sizeof *inverse);
    s->precision = ebm_alloc(V * V, sizeof(ebm_real));
    s->factor = ebm_alloc(V * V, sizeof(ebm_real));
    ebm_status status = EBM_OK;
    if (!sigma || !inverse || !s->precision || !s->factor)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for a covariance of %zu units", V);
    if (status == EBM_OK)
        status = ebm_covariance_fill(o, V, sigma, error);
    for (size_t i = 0; status == EBM_OK && i < V; i++)
        s->variance[i] = sigma[i * V + i];
    if (status == EBM_OK)
        status =
            ebm_cholesky(V, sigma, o->file && o->covariance == EBM_COVARIANCE_FILE ? o->file : "the covariance", error);
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

static ebm_status prepare_diagonal(const ebm_gaussian_options *o, size_t V, gaussian_state *s, ebm_error *error) {
    s->weight = ebm_alloc(V, sizeof(ebm_real));
    s->deviation = ebm_alloc(V, sizeof(ebm_real));
    if (!s->weight || !s->deviation)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a law of %zu units", V);
    for (size_t i = 0; i < V; i++) {
        s->variance[i] = ebm_covariance_variance(o, V, i);
        s->conditional[i] = 1 / s->variance[i];
        s->log_det += log(s->variance[i]);
        s->weight[i] = (ebm_real)s->conditional[i];
        s->deviation[i] = (ebm_real)sqrt(s->variance[i]);
    }
    return EBM_OK;
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
    const ebm_gaussian_options *o = options;
    const size_t V = model->space.size;
    if (o->covariance != EBM_COVARIANCE_FILE)
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
    EBM_TRY(ebm_covariance_means(o, V, s->mean, error));
    s->centred = true;
    for (size_t i = 0; i < V; i++) {
        s->centre[i] = (ebm_real)s->mean[i];
        s->centred = s->centred && s->mean[i] == 0;
    }
    s->dense = o->covariance != EBM_COVARIANCE_IDENTITY && o->covariance != EBM_COVARIANCE_DIAGONAL;
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
             sizeof(ebm_gaussian_options)},
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
