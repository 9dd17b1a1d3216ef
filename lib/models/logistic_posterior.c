/* The posterior of the coefficients of a logistic regression under a Gaussian prior.
 *
 *   theta ~ N(0, a I) in V dimensions,  P(y_i = 1 | x_i, theta) = sigmoid(theta . x_i),  y_i in {-1, +1},  i = 1 ... n
 *   with u_i = y_i x_i:  E = |theta|^2 / (2 a) + (V / 2) log(2 pi a) + sum_i log(1 + exp(-theta . u_i))
 *   dE/dtheta = theta / a - sum_i sigmoid(-theta . u_i) u_i
 *
 * All constants are kept: Z is the evidence p(y | x). E is convex, its curvature at most 1 / a + sum_i |u_i|^2 / 4.
 *
 * Products with many rows go through matrices in blocks of examples: Z (B, n) = theta U^T, gradient (B, V) = S U.
 *
 * Examples are drawn: theta* ~ N(0, truth_scale^2), inputs N(0, 1) with correlation rho^|j - k| between features j and k,
 * the first of them 1 where there is an intercept, labels from the model at theta*; or they are a user's own arrays. With
 * two features everything is known by quadrature. */
#include "components.h"
#include "core/row_kernels.h"
#include "ebm/matrix.h"
#include "ebm/npy.h"
#include "ebm/special.h"
#include "models/plane_law.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct logistic_posterior_options {
    int64_t examples, features, data_seed;
    double prior_variance, truth_scale, correlation;
    bool intercept;
    char *inputs, *labels;
} logistic_posterior_options;

#define AT(member) offsetof(logistic_posterior_options, member)
static const ebm_option logistic_posterior_table[] = {
    {"examples", EBM_OPTION_INT, AT(examples), "1000", 1, 1e7, NULL, 0, "n, the number of examples drawn"},
    {"features", EBM_OPTION_INT, AT(features), "10", 1, 1e5, NULL, 0,
     "V, the number of coefficients, the intercept's included"},
    {"intercept", EBM_OPTION_BOOL, AT(intercept), "true", 0, 0, NULL, 0, "the first input of every example drawn is 1"},
    {"correlation", EBM_OPTION_REAL, AT(correlation), "0", -0.999, 0.999, NULL, 0,
     "of neighbouring features of the examples drawn; rho^|j - k| of features j and k"},
    {"truth_scale", EBM_OPTION_REAL, AT(truth_scale), "1", 0, 1e3, NULL, 0,
     "standard deviation of the coefficients that the examples are drawn with"},
    {"prior_variance", EBM_OPTION_REAL, AT(prior_variance), "10", 1e-6, 1e6, NULL, 0,
     "a, the prior's variance of each coefficient"},
    {"data_seed", EBM_OPTION_INT, AT(data_seed), "1", 0, 4294967295, NULL, 0,
     "seed of the examples and of the coefficients that they are drawn with"},
    {"inputs", EBM_OPTION_STRING, AT(inputs), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "inputs of your own instead, an array (n, V); `labels` go with it, and no intercept is added"},
    {"labels", EBM_OPTION_STRING, AT(labels), NULL, 0, 0, NULL, EBM_OPTION_PATH, "their labels 0 or 1, an array (n)"},
    EBM_OPTIONS_END,
};

enum { BLOCK = 512 };                       /* examples that go through a product at once */
static const double MOST_EVALUATIONS = 6e7; /* of one example's likelihood, on the quadrature's grid: about a second */
static const char *const no_law = "quadrature is for two coefficients and no more than some 10^3 examples";
static const size_t MOST_BYTES = (size_t)4 << 30;

typedef struct posterior {
    ebm_plane_state plane;
    size_t n, units;
    double prior_variance, constant;
    ebm_real *u; /* (n, V): y_i x_i */
} posterior;
_Static_assert(offsetof(posterior, plane) == 0, "the slots of plane_law.h look there");

static ebm_status read_inputs(const logistic_posterior_options *o, ebm_npy *out, ebm_error *error) {
    if (!o->labels)
        return ebm_fail(error, EBM_INVALID,
                        "model logistic-posterior has `inputs` of your own but no `labels` to them");
    EBM_TRY(ebm_npy_read(o->inputs, MOST_BYTES, out, error));
    if (out->rank == 2 && out->shape[0] > 0 && out->shape[1] > 0 && out->shape[0] <= UINT32_MAX)
        return EBM_OK;
    const unsigned rank = out->rank;
    ebm_npy_free(out);
    return ebm_fail(error, EBM_FORMAT,
                    "%s: an array of %u dimensions, or an empty one: expected (examples, coefficients)", o->inputs,
                    rank);
}

static ebm_status logistic_posterior_space(const void *options, ebm_space *out, ebm_error *error) {
    const logistic_posterior_options *o = options;
    size_t units = (size_t)o->features;
    if (o->labels && !o->inputs)
        return ebm_fail(error, EBM_INVALID,
                        "model logistic-posterior has `labels` of your own but no `inputs` to them");
    if (o->inputs) {
        ebm_npy array;
        EBM_TRY(read_inputs(o, &array, error));
        units = array.shape[1];
        ebm_npy_free(&array);
    }
    *out = ebm_space_line(EBM_REAL_LINE, units);
    return EBM_OK;
}

/* Example i from chain i: step 0 its inputs, an autoregression over features, step 1 its label; theta* from chain 0, step 2. */
static ebm_status draw_examples(const logistic_posterior_options *o, posterior *p, ebm_error *error) {
    const size_t V = p->units;
    const ebm_stream stream = ebm_stream_of((uint32_t)o->data_seed, EBM_PURPOSE_DATA);
    const double rho = o->correlation, fresh = sqrt(1 - rho * rho);
    ebm_real *truth = malloc(V * sizeof *truth);
    if (!truth)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu coefficients", V);
    ebm_random_normal_plain(stream, 0, 2, V, truth);
    for (size_t i = 0; i < p->n; i++) {
        ebm_real *u = p->u + i * V;
        ebm_random_normal_plain(stream, (uint32_t)i, 0, V, u);
        for (size_t j = o->intercept ? 2 : 1; j < V; j++)
            u[j] = (ebm_real)(rho * (double)u[j - 1] + fresh * (double)u[j]);
        if (o->intercept)
            u[0] = 1;
        double logit = 0;
        for (size_t j = 0; j < V; j++)
            logit += o->truth_scale * (double)truth[j] * (double)u[j];
        const bool up = ebm_random_uniform1(stream, (uint32_t)i, 1, 0) < ebm_sigmoid(logit);
        for (size_t j = 0; j < V; j++)
            u[j] = up ? u[j] : -u[j];
    }
    free(truth);
    return EBM_OK;
}

static ebm_status take_examples(const logistic_posterior_options *o, const ebm_npy *inputs, posterior *p,
                                ebm_error *error) {
    const size_t V = p->units;
    ebm_npy labels;
    EBM_TRY(ebm_npy_read(o->labels, MOST_BYTES, &labels, error));
    ebm_status status = EBM_OK;
    if (labels.rank != 1 || labels.count != p->n)
        status = ebm_fail(error, EBM_FORMAT, "%s: %zu labels in %u dimensions: expected %zu in 1, one an example",
                          o->labels, labels.count, labels.rank, p->n);
    for (size_t i = 0; status == EBM_OK && i < p->n; i++) {
        const double label = ebm_npy_value(&labels, i);
        if (label != 0 && label != 1)
            status = ebm_fail(error, EBM_FORMAT, "%s: label %zu is %g: expected 0 or 1", o->labels, i, label);
        for (size_t j = 0; status == EBM_OK && j < V; j++) {
            const double x = ebm_npy_value(inputs, i * V + j);
            p->u[i * V + j] = (ebm_real)(label == 1 ? x : -x);
            if (!isfinite(x))
                status = ebm_fail(error, EBM_FORMAT, "%s: input %zu of example %zu is %g", o->inputs, j, i, x);
        }
    }
    ebm_npy_free(&labels);
    return status;
}

static void posterior_free(posterior *p) {
    if (!p)
        return;
    ebm_plane_law_free(p->plane.law);
    free(p->u);
    free(p);
}

static void logistic_posterior_destroy(ebm_model *model) {
    posterior_free(model->state);
    model->state = NULL;
}

/* Two coefficients, in double throughout: what exact values are made of. */
static double energy_at(const void *context, double x, double y) {
    const posterior *p = context;
    double energy = p->constant + (x * x + y * y) / (2 * p->prior_variance);
    for (size_t i = 0; i < p->n; i++)
        energy += ebm_log1pexp(-(x * (double)p->u[2 * i] + y * (double)p->u[2 * i + 1]));
    return energy;
}

/* The likelihood is at most 1: depth 40 at most where |theta|^2 / (2 a) <= 40 + n log 2. */
static ebm_status make_law(posterior *p, ebm_error *error) {
    double squares = 0;
    for (size_t k = 0; k < p->n * p->units; k++)
        squares += (double)p->u[k] * (double)p->u[k];
    const ebm_plane_problem problem = {
        .energy = energy_at,
        .context = p,
        .reach = sqrt(2 * p->prior_variance * (EBM_PLANE_DEPTH + (double)p->n * log(2))),
        .curvature = 1 / p->prior_variance + squares / 4,
        .evaluations = MOST_EVALUATIONS / (double)p->n,
    };
    return ebm_plane_law_create(&problem, &p->plane.law, error);
}

static ebm_status fill(const logistic_posterior_options *o, const ebm_npy *inputs, posterior *p, ebm_error *error) {
    p->plane.why = no_law;
    p->prior_variance = o->prior_variance;
    p->constant = 0.5 * (double)p->units * log(2 * M_PI * o->prior_variance);
    p->u = ebm_alloc(p->n * p->units, sizeof *p->u);
    if (!p->u)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu examples of %zu inputs", p->n, p->units);
    EBM_TRY(inputs ? take_examples(o, inputs, p, error) : draw_examples(o, p, error));
    return p->units == 2 ? make_law(p, error) : EBM_OK;
}

static ebm_status logistic_posterior_create(ebm_model *model, const void *options, ebm_error *error) {
    const logistic_posterior_options *o = options;
    ebm_npy inputs;
    if (o->inputs)
        EBM_TRY(read_inputs(o, &inputs, error));
    const size_t units = o->inputs ? inputs.shape[1] : (size_t)o->features;
    posterior *p = calloc(1, sizeof *p);
    ebm_status status = p ? ebm_real_units(model, units, error)
                          : ebm_fail(error, EBM_NO_MEMORY, "no memory for a model of %zu units", units);
    if (status == EBM_OK) {
        p->n = o->inputs ? inputs.shape[0] : (size_t)o->examples;
        p->units = units;
        status = fill(o, o->inputs ? &inputs : NULL, p, error);
    }
    if (o->inputs)
        ebm_npy_free(&inputs);
    if (status != EBM_OK) {
        posterior_free(p);
        return status;
    }
    model->examples = p->n;
    model->state = p;
    return EBM_OK;
}

/* What the prior gives: energies and gradients are set to it. */
static void set_prior(const posterior *p, const ebm_batch *batch, double *energy, ebm_real *grad) {
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *theta = batch->x + b * p->units;
        double squares = 0;
        for (size_t j = 0; j < p->units; j++) {
            squares += (double)theta[j] * (double)theta[j];
            if (grad)
                grad[b * p->units + j] = (ebm_real)((double)theta[j] / p->prior_variance);
        }
        if (energy)
            energy[b] = p->constant + squares / (2 * p->prior_variance);
    }
}

/* Energies and gradients at beta = 1 of all rows; either may be NULL. */
static void visit(const ebm_model *model, const ebm_batch *batch, double *energy, ebm_real *grad, ebm_work *work) {
    const posterior *p = model->state;
    const size_t B = batch->count, V = p->units, mark = ebm_work_mark(work);
    ebm_real *z = ebm_work_take(work, B * BLOCK, sizeof *z);
    double *part = ebm_work_take(work, B, sizeof *part);
    set_prior(p, batch, energy, grad);
    for (size_t first = 0; first < p->n; first += BLOCK) {
        const size_t n = p->n - first < BLOCK ? p->n - first : BLOCK;
        const ebm_real *u = p->u + first * V;
        ebm_gemm(false, true, B, n, V, 1, batch->x, V, u, V, 0, z, n, work);
        if (energy) {
            ebm_softplus_rows(B, n, z, -1, part, work);
            for (size_t b = 0; b < B; b++)
                energy[b] += part[b];
        }
        if (grad) {
            ebm_sigmoid_rows(B, n, z, -1, NULL, z, work);
            ebm_gemm(false, false, B, V, n, -1, z, n, u, V, 1, grad, V, work);
        }
    }
    ebm_work_release(work, mark);
}

static void logistic_posterior_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch,
                                             double *energy, ebm_real *grad, ebm_work *work) {
    visit(model, batch, energy, grad, work);
    ebm_real_add_base(model, path, batch, energy, grad, work);
}

/* -sum over the row's examples of sigmoid(-theta . u) u, into sums (V), in their order. */
static void add_examples(const posterior *p, const ebm_real *theta, const uint32_t *which, size_t drawn, ebm_real *z,
                         double *sums) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t V = p->units;
    for (size_t k = 0; k < drawn; k++)
        z[k] = (ebm_real)kernels->dot(V, theta, p->u + which[k] * V);
    kernels->sigmoid(drawn, z, -1, NULL, z);
    for (size_t j = 0; j < V; j++)
        sums[j] = 0;
    for (size_t k = 0; k < drawn; k++) {
        const ebm_real *u = p->u + which[k] * V;
        const double weight = (double)z[k];
        for (size_t j = 0; j < V; j++)
            sums[j] -= weight * (double)u[j];
    }
}

static void logistic_posterior_grad_x_minibatch(const ebm_model *model, const ebm_batch *batch,
                                                const uint32_t *examples, size_t drawn, ebm_real *out, ebm_work *work) {
    const posterior *p = model->state;
    const size_t V = p->units, mark = ebm_work_mark(work);
    const double scale = (double)p->n / (double)drawn;
    ebm_real *z = ebm_work_take(work, drawn, sizeof *z);
    double *sums = ebm_work_take(work, V, sizeof *sums);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *theta = batch->x + b * V;
        add_examples(p, theta, examples + b * drawn, drawn, z, sums);
        for (size_t j = 0; j < V; j++)
            out[b * V + j] = (ebm_real)((double)theta[j] / p->prior_variance + scale * sums[j]);
    }
    ebm_work_release(work, mark);
}

const ebm_model_type ebm_logistic_posterior = {
    .info = {"logistic-posterior", "posterior of a logistic regression's coefficients under a Gaussian prior",
             "Gelman et al. 2013, Bayesian Data Analysis, chapter 16", logistic_posterior_table,
             sizeof(logistic_posterior_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = logistic_posterior_space,
    .create = logistic_posterior_create,
    .initialise = ebm_real_initialise_nothing,
    .destroy = logistic_posterior_destroy,
    .energy = ebm_real_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = ebm_real_grad_x,
    .energy_grad_x = logistic_posterior_energy_grad_x,
    .grad_x_minibatch = logistic_posterior_grad_x_minibatch,
    .log_normaliser = ebm_plane_log_normaliser,
    .expected_grad_theta = ebm_real_no_expected_grad_theta,
    .sample_exact = ebm_plane_sample_exact,
    .exact_mean = ebm_plane_exact_mean,
    .marginal_cdf = ebm_plane_marginal_cdf,
};
