/* Mixtures of Gaussians with diagonal covariances: modes with known weights.
 *
 *   E(x) = -log sum_k (w_k / prod_i s_ki) exp(-1/2 sum_i ((x_i - m_ki) / s_ki)^2),   log Z = V / 2 log(2 pi)
 *   dE/dx_i = sum_k r_k (x_i - m_ki) / s_ki^2,  r_k the posterior probability of component k given x
 * (McLachlan & Peel 2000, "Finite mixture models", chapter 1.) The two layouts in the plane are those on which Liao,
 * Kornblith, Ren, Fleet & Hinton 2022, "Gaussian-Bernoulli RBMs without tears", draw their densities.
 *
 * beta E is a mixture no more, so exact values are known at beta = 1. Units in which all components agree separate off:
 * where at most two are left, the mean energy is an integral over those, made once. */
#include "components.h"
#include "models/real_path.h"

#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct mixture_options {
    int layout;
    int64_t size;
    double separation, weight;
    ebm_reals weights, means, deviations;
} mixture_options;

enum { PAIR, TRIANGLE, ANISOTROPIC, LIST };
static const char *const layouts[] = {"pair", "triangle", "anisotropic", "list", NULL};

#define AT(member) offsetof(mixture_options, member)
static const ebm_option mixture_table[] = {
    {"layout", EBM_OPTION_CHOICE, AT(layout), "pair", 0, 0, layouts, 0,
     "pair: two unit Gaussians on the first axis; triangle: three in the plane; anisotropic: the same, stretched; "
     "list: as "
     "`weights`, `means` and `deviations` say"},
    {"size", EBM_OPTION_INT, AT(size), "2", 1, 1e6, NULL, 0, "units (pair and list; the other layouts have two)"},
    {"separation", EBM_OPTION_REAL, AT(separation), "6", 0, 1e3, NULL, 0,
     "distance between the two means (pair), in their deviations"},
    {"weight", EBM_OPTION_REAL, AT(weight), "0.5", 1e-6, 1 - 1e-6, NULL, 0,
     "probability of the component on the left (pair)"},
    {"weights", EBM_OPTION_REALS, AT(weights), NULL, 0, 1e9, NULL, 0,
     "list: one a component, up to a factor (absent: equal)"},
    {"means", EBM_OPTION_REALS, AT(means), NULL, -1e6, 1e6, NULL, 0,
     "list: `size` numbers a component, one after another"},
    {"deviations", EBM_OPTION_REALS, AT(deviations), NULL, 1e-6, 1e6, NULL, 0,
     "list: one for all, one a component, or one for each of the means (absent: 1)"},
    EBM_OPTIONS_END,
};

typedef struct mixture {
    size_t components;
    double *weight;           /* (K), sum 1 */
    double *log_height;       /* (K) log(w_k / prod_i s_ki) */
    double *mean, *precision; /* (K, V); 1 / s^2 */
    double energy;            /* E[E], NAN where it is not known */
} mixture;

static size_t units_of(const mixture_options *o) {
    return o->layout == TRIANGLE || o->layout == ANISOTROPIC ? 2 : (size_t)o->size;
}

static ebm_status mixture_space(const void *options, ebm_space *out, ebm_error *error) {
    (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, units_of(options));
    return EBM_OK;
}

static void mixture_destroy(ebm_model *model) {
    mixture *m = model->state;
    if (!m)
        return;
    free(m->weight);
    free(m->log_height);
    free(m->mean);
    free(m->precision);
    free(m);
}

static ebm_status check_list(const mixture_options *o, ebm_error *error) {
    const size_t V = (size_t)o->size, K = o->means.count / V, given = o->deviations.count;
    double total = o->weights.count ? 0 : 1;
    if (K == 0 || o->means.count != K * V)
        return ebm_fail(error, EBM_INVALID,
                        "`means` has %zu numbers: layout `list` needs `size` = %zu of them for each component",
                        o->means.count, V);
    if (o->weights.count && o->weights.count != K)
        return ebm_fail(error, EBM_INVALID, "`weights` has %zu numbers, but `means` has %zu components of %zu units",
                        o->weights.count, K, V);
    if (given && given != 1 && given != K && given != K * V)
        return ebm_fail(error, EBM_INVALID, "`deviations` has %zu numbers: 1, %zu or %zu are expected", given, K,
                        K * V);
    for (size_t k = 0; k < o->weights.count; k++)
        total += o->weights.values[k];
    if (!(total > 0))
        return ebm_fail(error, EBM_INVALID, "`weights` are all 0: no component is left");
    return EBM_OK;
}

/* Weight, mean and deviation of component k in unit i. */
static double weight_of(const mixture_options *o, size_t k) {
    static const double three[] = {0.33, 0.33, 0.34};
    if (o->layout == PAIR)
        return k == 0 ? o->weight : 1 - o->weight;
    if (o->layout != LIST)
        return three[k];
    return o->weights.count ? o->weights.values[k] : 1;
}

static double mean_of(const mixture_options *o, size_t k, size_t i) {
    static const double three[][2] = {{-5, -5}, {5, -5}, {0, 5}};
    if (o->layout == PAIR)
        return i > 0 ? 0 : (k == 0 ? -0.5 : 0.5) * o->separation;
    return o->layout == LIST ? o->means.values[k * (size_t)o->size + i] : three[k][i];
}

static double deviation_of(const mixture_options *o, size_t components, size_t k, size_t i) {
    static const double three[][2] = {{1.25, 0.5}, {1.25, 0.5}, {0.5, 1.25}};
    if (o->layout == ANISOTROPIC)
        return three[k][i];
    if (o->layout != LIST || o->deviations.count == 0)
        return 1;
    const size_t given = o->deviations.count;
    return o->deviations.values[given == 1 ? 0 : given == components ? k : k * (size_t)o->size + i];
}

static void fill(mixture *m, const mixture_options *o, size_t V) {
    const size_t K = m->components;
    double total = 0;
    for (size_t k = 0; k < K; k++)
        total += weight_of(o, k);
    for (size_t k = 0; k < K; k++) {
        m->weight[k] = weight_of(o, k) / total;
        m->log_height[k] = log(m->weight[k]);
        for (size_t i = 0; i < V; i++) {
            const double s = deviation_of(o, K, k, i);
            m->mean[k * V + i] = mean_of(o, k, i);
            m->precision[k * V + i] = 1 / (s * s);
            m->log_height[k] -= log(s);
        }
    }
}

static bool components_differ(const mixture *m, size_t V, size_t i) {
    for (size_t k = 1; k < m->components; k++)
        if (m->mean[k * V + i] != m->mean[i] || m->precision[k * V + i] != m->precision[i])
            return true;
    return false;
}

/* -log of the sum over components in the units active[0 ... count), count <= 2, at x. */
static double energy_of_few(const mixture *m, size_t V, const size_t *active, size_t count, const double *x) {
    double sum = -INFINITY;
    for (size_t k = 0; k < m->components; k++) {
        double log_term = log(m->weight[k]);
        for (size_t j = 0; j < count; j++) {
            const size_t at = k * V + active[j];
            const double d = x[j] - m->mean[at];
            log_term += 0.5 * log(m->precision[at]) - 0.5 * m->precision[at] * d * d;
        }
        sum = ebm_logaddexp(sum, log_term);
    }
    return -sum;
}

/* E[E]: a unit in which all agree adds log s + 1/2; the others by the trapezoid rule over |z| <= 8.4 about each component
 * in its own deviations, steps of 0.08. */
static double mean_energy(const mixture *m, size_t V) {
    enum { STEPS = 105 };
    size_t active[2] = {0}, count = 0;
    double rest = 0, sum = 0;
    for (size_t i = 0; i < V; i++)
        if (!components_differ(m, V, i))
            rest += 0.5 - 0.5 * log(m->precision[i]);
        else if (count == 2 || m->components > 16)
            return NAN;
        else
            active[count++] = i;
    for (size_t k = 0; k < m->components; k++)
        for (int a = -STEPS; a <= STEPS; a++)
            for (int b = count > 1 ? -STEPS : 0; b <= (count > 1 ? STEPS : 0); b++) {
                const double h = 0.08, z[2] = {h * a, h * b};
                double x[2] = {0}, mass = m->weight[k];
                for (size_t j = 0; j < count; j++) {
                    const size_t at = k * V + active[j];
                    x[j] = m->mean[at] + z[j] / sqrt(m->precision[at]);
                    mass *= h * exp(-0.5 * z[j] * z[j]) / sqrt(2 * M_PI);
                }
                sum += count == 0 && a != 0 ? 0 : mass * energy_of_few(m, V, active, count, x);
            }
    return sum + rest;
}

static ebm_status mixture_create(ebm_model *model, const void *options, ebm_error *error) {
    const mixture_options *o = options;
    const size_t V = units_of(o);
    EBM_TRY(ebm_real_units(model, V, error));
    if (o->layout == LIST)
        EBM_TRY(check_list(o, error));
    mixture *m = calloc(1, sizeof *m);
    model->state = m;
    if (!m)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a mixture");
    m->components = o->layout == PAIR ? 2 : o->layout == LIST ? o->means.count / V : 3;
    m->weight = ebm_alloc(m->components, sizeof(double));
    m->log_height = ebm_alloc(m->components, sizeof(double));
    m->mean = ebm_alloc(m->components * V, sizeof(double));
    m->precision = ebm_alloc(m->components * V, sizeof(double));
    if (!m->weight || !m->log_height || !m->mean || !m->precision)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu components of %zu units", m->components, V);
    fill(m, o, V);
    m->energy = mean_energy(m, V);
    return EBM_OK;
}

/* E and, in r (K), the posterior probabilities of the components. */
static double energy_of_row(const mixture *m, size_t V, const ebm_real *x, double *r) {
    for (size_t k = 0; k < m->components; k++) {
        const double *mean = m->mean + k * V, *precision = m->precision + k * V;
        double square = 0;
        for (size_t i = 0; i < V; i++)
            square += precision[i] * ((double)x[i] - mean[i]) * ((double)x[i] - mean[i]);
        r[k] = m->log_height[k] - 0.5 * square;
    }
    const double sum = ebm_log_sum_exp(r, m->components);
    for (size_t k = 0; k < m->components; k++)
        r[k] = exp(r[k] - sum);
    return -sum;
}

static void mixture_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy,
                                  ebm_real *grad, ebm_work *work) {
    const mixture *m = model->state;
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    double *r = ebm_work_take(work, m->components, sizeof *r), *sum = ebm_work_take(work, V, sizeof *sum);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        const double value = energy_of_row(m, V, x, r);
        if (energy)
            energy[b] = value;
        if (!grad)
            continue;
        memset(sum, 0, V * sizeof *sum);
        for (size_t k = 0; k < m->components; k++)
            for (size_t i = 0; i < V; i++)
                sum[i] += r[k] * m->precision[k * V + i] * ((double)x[i] - m->mean[k * V + i]);
        for (size_t i = 0; i < V; i++)
            grad[b * V + i] = (ebm_real)sum[i];
    }
    ebm_work_release(work, mark);
    ebm_real_add_base(model, path, batch, energy, grad, work);
}

/* Exact values are those of the mixture itself. */
static ebm_status at_the_end(ebm_path path, const char *what, ebm_error *error) {
    if (path.beta != 1)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "model gaussian-mixture knows no %s at beta = %g: only beta = 1 is a mixture of Gaussians",
                        what, path.beta);
    return EBM_OK;
}

static ebm_status mixture_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                         ebm_error *error) {
    (void)work;
    EBM_TRY(at_the_end(path, "normaliser", error));
    *out = 0.5 * (double)model->space.size * log(2 * M_PI);
    return EBM_OK;
}

/* Normals at `step`, the component at step + 1. */
static ebm_status mixture_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                       uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const mixture *m = model->state;
    const size_t V = model->space.size;
    (void)work;
    EBM_TRY(at_the_end(path, "exact draws", error));
    for (size_t b = 0; b < batch->count; b++) {
        const uint32_t chain = first_chain + (uint32_t)b;
        const double u = ebm_random_uniform1(stream, chain, step + 1, 0);
        ebm_real *x = batch->x + b * V;
        size_t k = 0;
        for (double sum = m->weight[0]; u > sum && k + 1 < m->components; sum += m->weight[k])
            k++;
        ebm_random_normal(stream, chain, step, V, x);
        for (size_t i = 0; i < V; i++)
            x[i] = (ebm_real)(m->mean[k * V + i] + (double)x[i] / sqrt(m->precision[k * V + i]));
    }
    batch->field_ok = false;
    return EBM_OK;
}

static ebm_status mixture_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                     ebm_work *work, ebm_error *error) {
    const mixture *m = model->state;
    const size_t V = model->space.size;
    double mean[2] = {0, V > 1 ? 0 : NAN}, square[2] = {0, V > 1 ? 0 : NAN}, total = 0;
    (void)work;
    EBM_TRY(at_the_end(path, "means", error));
    for (size_t k = 0; k < m->components; k++)
        for (size_t i = 0; i < V; i++) {
            const double first = m->mean[k * V + i], second = first * first + 1 / m->precision[k * V + i];
            total += m->weight[k] * second;
            if (i < 2)
                mean[i] += m->weight[k] * first, square[i] += m->weight[k] * second;
        }
    const ebm_real_means means = {mean[0], mean[1], square[0], square[1], total / (double)V, m->energy / (double)V};
    return ebm_real_mean_named(model, &means, observable, out, error);
}

static ebm_status mixture_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t,
                                       size_t count, double *out, ebm_work *work, ebm_error *error) {
    const mixture *m = model->state;
    (void)work;
    EBM_TRY(at_the_end(path, "marginal law", error));
    for (size_t j = 0; j < count; j++) {
        out[j] = 0;
        for (size_t k = 0; k < m->components; k++) {
            const size_t at = k * model->space.size + unit;
            out[j] += m->weight[k] * ebm_normal_cdf((t[j] - m->mean[at]) * sqrt(m->precision[at]));
        }
        out[j] = fmin(out[j], 1); /* rounding */
    }
    return EBM_OK;
}

const ebm_model_type ebm_gaussian_mixture = {
    .info = {"gaussian-mixture", "mixture of Gaussians with diagonal covariances",
             "McLachlan & Peel 2000, Finite Mixture Models, chapter 1", mixture_table, sizeof(mixture_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = mixture_space,
    .create = mixture_create,
    .initialise = ebm_real_initialise_nothing,
    .destroy = mixture_destroy,
    .energy = ebm_real_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = ebm_real_grad_x,
    .energy_grad_x = mixture_energy_grad_x,
    .log_normaliser = mixture_log_normaliser,
    .expected_grad_theta = ebm_real_no_expected_grad_theta,
    .sample_exact = mixture_sample_exact,
    .exact_mean = mixture_exact_mean,
    .marginal_cdf = mixture_marginal_cdf,
};
