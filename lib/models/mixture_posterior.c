/* The posterior of two means of a mixture, where stochastic gradient Langevin dynamics was first shown (Welling & Teh
 * 2011, section 5.1).
 *
 *   theta_1 ~ N(0, a_1),  theta_2 ~ N(0, a_2),  x_i ~ 1/2 N(theta_1, s) + 1/2 N(theta_1 + theta_2, s),  i = 1 ... n
 *   r_i = sigmoid(theta_2 (x_i - theta_1 - theta_2 / 2) / s), the probability that x_i is of the second component
 *   E = -log p(theta) - sum_i log p(x_i | theta), all constants kept: Z is the evidence p(x_1 ... x_n)
 *   dE/dtheta_1 = theta_1 / a_1 - sum_i (x_i - theta_1 - r_i theta_2) / s
 *   dE/dtheta_2 = theta_2 / a_2 - sum_i r_i (x_i - theta_1 - theta_2) / s
 *
 * (theta_1 + theta_2, -theta_2) has the likelihood of (theta_1, theta_2): two modes, which the prior alone tells apart.
 * Examples drawn at (0, 1) as in the paper lie near (1, -1), too.
 *
 * A mixture's log density bends upwards no more than its components', so that no second derivative of E is above
 * max(1 / a) + 2 n / s; and p(x_i | theta) <= (2 pi s)^-1/2 bounds where the posterior lives (plane_law.h). */
#include "components.h"
#include "core/row_kernels.h"
#include "ebm/special.h"
#include "models/plane_law.h"

#include <math.h>
#include <stdlib.h>
#ifdef _OPENMP
#include <omp.h>
#endif

typedef struct mixture_posterior_options {
    int64_t count, data_seed;
    double theta1, theta2, variance, prior_variance1, prior_variance2;
} mixture_posterior_options;

#define AT(member) offsetof(mixture_posterior_options, member)
static const ebm_option mixture_posterior_table[] = {
    {"count", EBM_OPTION_INT, AT(count), "100", 1, 1e7, NULL, 0, "n, the number of examples"},
    {"theta1", EBM_OPTION_REAL, AT(theta1), "0", -1e3, 1e3, NULL, 0, "theta_1 that the examples are drawn at"},
    {"theta2", EBM_OPTION_REAL, AT(theta2), "1", -1e3, 1e3, NULL, 0, "theta_2 that the examples are drawn at"},
    {"variance", EBM_OPTION_REAL, AT(variance), "2", 1e-6, 1e6, NULL, 0, "s, each component's variance"},
    {"prior_variance1", EBM_OPTION_REAL, AT(prior_variance1), "10", 1e-6, 1e6, NULL, 0, "a_1"},
    {"prior_variance2", EBM_OPTION_REAL, AT(prior_variance2), "1", 1e-6, 1e6, NULL, 0, "a_2"},
    {"data_seed", EBM_OPTION_INT, AT(data_seed), "1", 0, 4294967295, NULL, 0, "seed of the examples"},
    EBM_OPTIONS_END,
};

enum { UNITS = 2 };
static const double MOST_EVALUATIONS = 6e7; /* of one example's density, on the quadrature's grid: about a second */
static const char *const too_many = "its grid would be too large for so many examples";

typedef struct posterior {
    ebm_plane_state plane;
    size_t n;
    double variance, prior_variance[UNITS];
    ebm_real *x;     /* (n) the examples */
    double sum;      /* of the examples */
    double squares;  /* of the examples */
    double constant; /* of E */
} posterior;
_Static_assert(offsetof(posterior, plane) == 0, "the slots of plane_law.h look there");

static ebm_status mixture_posterior_space(const void *options, ebm_space *out, ebm_error *error) {
    (void)options;
    (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, UNITS);
    return EBM_OK;
}

/* sum_i (x_i - theta_1)^2 / (2 s) with all that does not depend on how x_i is shared among the components:
 * E = this - sum_i log(1 + exp(logit r_i)). */
static double plain_part(const posterior *p, double theta1, double theta2) {
    const double n = (double)p->n, spread = p->squares - 2 * theta1 * p->sum + n * theta1 * theta1;
    return p->constant + theta1 * theta1 / (2 * p->prior_variance[0]) + theta2 * theta2 / (2 * p->prior_variance[1]) +
           spread / (2 * p->variance);
}

/* In double throughout: what exact values are made of. */
static double energy_at(const void *context, double theta1, double theta2) {
    const posterior *p = context;
    const double slope = theta2 / p->variance, middle = theta1 + theta2 / 2;
    double shared = 0;
    for (size_t i = 0; i < p->n; i++)
        shared += ebm_log1pexp(slope * ((double)p->x[i] - middle));
    return plain_part(p, theta1, theta2) - shared;
}

static void draw_examples(const mixture_posterior_options *o, posterior *p) {
    const ebm_stream stream = ebm_stream_of((uint32_t)o->data_seed, EBM_PURPOSE_DATA);
    for (size_t i = 0; i < p->n; i++) {
        const bool second = ebm_random_uniform1(stream, (uint32_t)i, 0, 0) < 0.5;
        const double noise = sqrt(o->variance) * ebm_random_normal1(stream, (uint32_t)i, 0, 1);
        p->x[i] = (ebm_real)(o->theta1 + (second ? o->theta2 : 0) + noise);
        p->sum += (double)p->x[i];
        p->squares += (double)p->x[i] * (double)p->x[i];
    }
}

static void mixture_posterior_destroy(ebm_model *model) {
    posterior *p = model->state;
    if (!p)
        return;
    ebm_plane_law_free(p->plane.law);
    free(p->x);
    free(p);
    model->state = NULL;
}

/* Depth 40 at most: theta^2 / (2 a) <= 40 + E(0) - n log(2 pi s) / 2 - log(2 pi sqrt(a_1 a_2)). */
static ebm_status make_law(posterior *p, ebm_error *error) {
    const double n = (double)p->n, widest = fmax(p->prior_variance[0], p->prior_variance[1]);
    const double least =
        0.5 * n * log(2 * M_PI * p->variance) + log(2 * M_PI * sqrt(p->prior_variance[0] * p->prior_variance[1]));
    const ebm_plane_problem problem = {
        .energy = energy_at,
        .context = p,
        .reach = sqrt(2 * widest * (EBM_PLANE_DEPTH + energy_at(p, 0, 0) - least)),
        .curvature = 1 / fmin(p->prior_variance[0], p->prior_variance[1]) + 2 * n / p->variance,
        .evaluations = MOST_EVALUATIONS / n,
    };
    return ebm_plane_law_create(&problem, &p->plane.law, error);
}

static ebm_status mixture_posterior_create(ebm_model *model, const void *options, ebm_error *error) {
    const mixture_posterior_options *o = options;
    EBM_TRY(ebm_real_units(model, UNITS, error));
    posterior *p = calloc(1, sizeof *p);
    model->state = p;
    if (p)
        p->x = malloc((size_t)o->count * sizeof *p->x);
    if (!p || !p->x) {
        mixture_posterior_destroy(model);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %lld examples", (long long)o->count);
    }
    p->plane.why = too_many;
    p->n = model->examples = (size_t)o->count;
    p->variance = o->variance;
    p->prior_variance[0] = o->prior_variance1;
    p->prior_variance[1] = o->prior_variance2;
    p->constant = log(2 * M_PI * sqrt(o->prior_variance1 * o->prior_variance2)) +
                  (double)p->n * (0.5 * log(2 * M_PI * o->variance) + log(2));
    draw_examples(o, p);
    const ebm_status status = make_law(p, error);
    if (status != EBM_OK)
        mixture_posterior_destroy(model);
    return status;
}

/* z_i = logit r_i of n examples; `which` NULL: the first n. */
static void logits(const posterior *p, const ebm_real *theta, size_t n, const uint32_t *which, ebm_real *z) {
    const double slope = (double)theta[1] / p->variance, middle = (double)theta[0] + (double)theta[1] / 2;
    const ebm_real a = (ebm_real)slope, c = (ebm_real)(-slope * middle);
    for (size_t i = 0; i < n; i++)
        z[i] = a * p->x[which ? which[i] : i] + c;
}

static double total(size_t n, const ebm_real *r) {
    double sums[8] = {0};
    for (size_t i = 0; i < n; i++)
        sums[i % 8] += (double)r[i];
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

/* The gradient from n examples that stand for all: sum = sum x_i, shares = sum r_i, shared = sum r_i x_i. */
static void gradient(const posterior *p, const ebm_real *theta, double n, double sum, double shares, double shared,
                     ebm_real *out) {
    const double theta1 = (double)theta[0], theta2 = (double)theta[1], scale = (double)p->n / (n * p->variance);
    out[0] = (ebm_real)(theta1 / p->prior_variance[0] - scale * (sum - n * theta1 - theta2 * shares));
    out[1] = (ebm_real)(theta2 / p->prior_variance[1] - scale * (shared - (theta1 + theta2) * shares));
}

static size_t thread_number(void) {
#ifdef _OPENMP
    return (size_t)omp_get_thread_num();
#else
    return 0;
#endif
}

/* Energies and gradients at beta = 1 of all rows; either may be NULL. Each thread has its own z and r. */
static void visit_rows(const ebm_model *model, const ebm_batch *batch, double *energy, ebm_real *grad, ebm_work *work) {
    const posterior *p = model->state;
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t n = p->n, B = batch->count, mark = ebm_work_mark(work);
    const int threads = B * n > 1 << 16 ? ebm_work_threads(work) : 1;
    ebm_real *scratch = ebm_work_take(work, 2 * n * (size_t)threads, sizeof *scratch);
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t b = 0; b < B; b++) {
        const ebm_real *theta = batch->x + b * UNITS;
        ebm_real *z = scratch + 2 * n * thread_number(), *r = z + n;
        logits(p, theta, n, NULL, z);
        if (energy)
            energy[b] = plain_part(p, (double)theta[0], (double)theta[1]) - kernels->softplus(n, z, 1);
        if (grad) {
            kernels->sigmoid(n, z, 1, NULL, r);
            gradient(p, theta, (double)n, p->sum, total(n, r), kernels->dot(n, p->x, r), grad + b * UNITS);
        }
    }
    ebm_work_release(work, mark);
}

static void mixture_posterior_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch,
                                            double *energy, ebm_real *grad, ebm_work *work) {
    visit_rows(model, batch, energy, grad, work);
    ebm_real_add_base(model, path, batch, energy, grad, work);
}

static void mixture_posterior_grad_x_minibatch(const ebm_model *model, const ebm_batch *batch, const uint32_t *examples,
                                               size_t drawn, ebm_real *out, ebm_work *work) {
    const posterior *p = model->state;
    const size_t mark = ebm_work_mark(work);
    ebm_real *z = ebm_work_take(work, drawn, sizeof *z), *r = ebm_work_take(work, drawn, sizeof *r);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *theta = batch->x + b * UNITS;
        const uint32_t *which = examples + b * drawn;
        double sum = 0, shares = 0, shared = 0;
        logits(p, theta, drawn, which, z);
        ebm_row_kernels_get()->sigmoid(drawn, z, 1, NULL, r);
        for (size_t i = 0; i < drawn; i++) {
            const double x = (double)p->x[which[i]], share = (double)r[i];
            sum += x;
            shares += share;
            shared += share * x;
        }
        gradient(p, theta, (double)drawn, sum, shares, shared, out + b * UNITS);
    }
    ebm_work_release(work, mark);
}

const ebm_model_type ebm_mixture_posterior = {
    .info = {"mixture-posterior", "posterior of the two means of a Gaussian mixture given its draws: two modes",
             "Welling & Teh 2011, section 5.1", mixture_posterior_table, sizeof(mixture_posterior_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = mixture_posterior_space,
    .create = mixture_posterior_create,
    .initialise = ebm_real_initialise_nothing,
    .destroy = mixture_posterior_destroy,
    .energy = ebm_real_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = ebm_real_grad_x,
    .energy_grad_x = mixture_posterior_energy_grad_x,
    .grad_x_minibatch = mixture_posterior_grad_x_minibatch,
    .log_normaliser = ebm_plane_log_normaliser,
    .expected_grad_theta = ebm_real_no_expected_grad_theta,
    .sample_exact = ebm_plane_sample_exact,
    .exact_mean = ebm_plane_exact_mean,
    .marginal_cdf = ebm_plane_marginal_cdf,
};
