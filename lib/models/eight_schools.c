/* Eight schools: a hierarchy of normal means whose between-group scale makes a funnel of it.
 *
 *   y_j ~ N(theta_j, sigma_j^2),  theta_j ~ N(mu, tau^2),  mu ~ N(0, m^2),  tau ~ half-Cauchy(s),  j = 1 ... J
 * on the real line with l = log tau; the state is (l, mu, theta) centred, (l, mu, eta) with theta = mu + tau eta otherwise:
 *   E = sum_j (y_j - theta_j)^2 / (2 sigma_j^2) + mu^2 / (2 m^2) + log(1 + tau^2 / s^2) - l
 *       + sum_j (theta_j - mu)^2 / (2 tau^2) + J l   (centred)   or   + sum_j eta_j^2 / 2   (non-centred)
 * (Rubin 1981, "Estimation in parallel randomized experiments"; Gelman et al. 2013, "Bayesian Data Analysis", section 5.5;
 * both parametrisations: Betancourt & Girolami 2015, "Hamiltonian Monte Carlo for hierarchical models".)
 *
 * Given l all else is Gaussian, at every beta. With s_j^2 = sigma_j^2 + tau^2, P = 1 / m^2 + sum_j 1 / s_j^2 and
 * c = sum_j (y_j / s_j^2) / P:  mu | l ~ N(c, 1 / (beta P)), eta and theta given mu likewise, and integrated over them
 *   log p_beta(l) = -beta E_min(l) + sum_j log(sigma_j / s_j) - 1/2 log P + (J + 1) / 2 log(2 pi / beta) [+ J l centred]
 *   E_min(l) = 1/2 sum_j (y_j - c)^2 / s_j^2 + c^2 / (2 m^2) + log(1 + tau^2 / s^2) - l [+ J l centred]
 * so that one integral over l, by Gauss-Legendre quadrature, gives everything. */
#include "components.h"
#include "models/density_table.h"
#include "models/real_path.h"

#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct schools_options {
    int parametrisation;
    ebm_reals effects, errors;
    double mean_deviation, scale;
} schools_options;

enum { CENTRED, NON_CENTRED };
static const char *const parametrisations[] = {"centred", "non-centred", NULL};

#define AT(member) offsetof(schools_options, member)
static const ebm_option schools_table[] = {
    {"parametrisation", EBM_OPTION_CHOICE, AT(parametrisation), "centred", 0, 0, parametrisations, 0,
     "centred: units log tau, mu, theta_j; non-centred: log tau, mu, eta_j with theta_j = mu + tau eta_j"},
    {"effects", EBM_OPTION_REALS, AT(effects), NULL, -1e3, 1e3, NULL, 0,
     "y_j: measured effect of each group (absent: the eight schools')"},
    {"errors", EBM_OPTION_REALS, AT(errors), NULL, 1e-2, 1e3, NULL, 0,
     "sigma_j: standard error of each effect (absent: the eight schools')"},
    {"mean_deviation", EBM_OPTION_REAL, AT(mean_deviation), "5", 1e-2, 1e3, NULL, 0,
     "m: prior deviation of mu, in units of the effects"},
    {"scale", EBM_OPTION_REAL, AT(scale), "5", 1e-2, 1e3, NULL, 0,
     "s: scale of tau's half-Cauchy prior, in units of the effects"},
    EBM_OPTIONS_END,
};

/* Rubin 1981, table 1: effects of coaching on test scores, and their standard errors. */
enum { SCHOOLS = 8, MOST = 1 << 16 };
static const double rubin_effects[SCHOOLS] = {28, 8, -3, 7, -1, 1, 18, 12};
static const double rubin_errors[SCHOOLS] = {15, 10, 16, 11, 9, 11, 10, 18};

enum { LOG_TAU, MU, THETA }; /* units */

typedef struct schools {
    size_t groups;
    bool centred;
    double *effect, *variance; /* (J) y, sigma^2 */
    double mean_precision, log_scale;
    double still;            /* below this l nothing but p(l) changes any more, to rounding */
    double beta;             /* of the table */
    ebm_density_table table; /* of l */
} schools;

static size_t groups_of(const schools_options *o) {
    return o->effects.count ? o->effects.count : SCHOOLS;
}

static ebm_status schools_space(const void *options, ebm_space *out, ebm_error *error) {
    (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, THETA + groups_of(options));
    return EBM_OK;
}

/* Everything but l given l. */
typedef struct given {
    double precision, mean; /* P and c */
    double lowest;          /* E_min */
    double log_mass;
} given;

static given given_scale(const schools *p, double l) {
    const double square = exp(2 * l), J = (double)p->groups;
    given g = {.precision = p->mean_precision};
    double logs = 0, sum = 0;
    for (size_t j = 0; j < p->groups; j++) {
        const double precision = 1 / (p->variance[j] + square);
        g.precision += precision;
        sum += precision * p->effect[j];
        logs += log(p->variance[j] * precision);
    }
    g.mean = sum / g.precision;
    g.lowest = 0.5 * p->mean_precision * g.mean * g.mean + ebm_log1pexp(2 * (l - p->log_scale)) - l;
    for (size_t j = 0; j < p->groups; j++)
        g.lowest += 0.5 * (p->effect[j] - g.mean) * (p->effect[j] - g.mean) / (p->variance[j] + square);
    g.lowest += p->centred ? J * l : 0;
    g.log_mass = -p->beta * g.lowest + 0.5 * logs - 0.5 * log(g.precision) + 0.5 * (J + 1) * log(2 * M_PI / p->beta) +
                 (p->centred ? J * l : 0);
    return g;
}

static double log_density(double l, const void *context) {
    return given_scale(context, l).log_mass;
}

/* p_beta(l) falls as e^(left l) below all scales and as e^(-right l) above them: e^-40 of it is left out. */
static ebm_status range(const schools *p, double *from, double *to, ebm_error *error) {
    const double J = (double)p->groups, beta = p->beta, shift = p->centred ? J * (1 - beta) : 0;
    const double left = beta + shift, right = beta + J - shift;
    double low = p->log_scale, high = p->log_scale;
    if (!(left > 1e-3))
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "at inverse temperature %g the law of log tau cannot be normalised: it grows as tau falls",
                        beta);
    for (size_t j = 0; j < p->groups; j++) {
        low = fmin(low, 0.5 * log(p->variance[j]));
        high = fmax(high, 0.5 * log(p->variance[j] + p->effect[j] * p->effect[j]));
    }
    *from = low - 40 / left;
    *to = high + 40 / right;
    return EBM_OK;
}

static size_t panels_of(double from, double to) {
    return (size_t)ceil((to - from) / 0.25);
}

static void schools_destroy(ebm_model *model) {
    schools *p = model->state;
    if (!p)
        return;
    free(p->effect);
    free(p->variance);
    free(p->table.cumulative);
    free(p);
}

static ebm_status fill(schools *p, const schools_options *o, ebm_error *error) {
    const bool given_data = o->effects.count > 0;
    double from, to;
    p->effect = ebm_alloc(p->groups, sizeof(double));
    p->variance = ebm_alloc(p->groups, sizeof(double));
    if (!p->effect || !p->variance)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu groups", p->groups);
    for (size_t j = 0; j < p->groups; j++) {
        const double sigma = given_data ? o->errors.values[j] : rubin_errors[j];
        p->effect[j] = given_data ? o->effects.values[j] : rubin_effects[j];
        p->variance[j] = sigma * sigma;
    }
    EBM_TRY(range(p, &from, &to, error));
    p->still = from + 40 - 18;
    const size_t panels = panels_of(from, to);
    double *cumulative = ebm_alloc(panels + 1, sizeof *cumulative);
    if (!cumulative)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a table of %zu panels", panels);
    ebm_density_tabulate(&p->table, from, to, panels, log_density, p, cumulative);
    return EBM_OK;
}

static ebm_status schools_create(ebm_model *model, const void *options, ebm_error *error) {
    const schools_options *o = options;
    EBM_TRY(ebm_real_units(model, THETA + groups_of(o), error));
    if (o->effects.count != o->errors.count)
        return ebm_fail(error, EBM_INVALID,
                        "`effects` has %zu numbers and `errors` %zu: each group needs one of both, or both are absent",
                        o->effects.count, o->errors.count);
    if (o->effects.count > MOST)
        return ebm_fail(error, EBM_INVALID, "`effects` has %zu numbers: the limit is %d", o->effects.count, MOST);
    schools *p = calloc(1, sizeof *p);
    model->state = p;
    if (!p)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a hierarchy");
    p->groups = groups_of(o);
    p->centred = o->parametrisation == CENTRED;
    p->mean_precision = 1 / (o->mean_deviation * o->mean_deviation);
    p->log_scale = log(o->scale);
    p->beta = 1;
    return fill(p, o, error);
}

/* Terms that both parametrisations share but the data's, and their derivatives by l and mu. */
static double prior(const schools *p, double l, double mu, double *by_l, double *by_mu) {
    *by_l = 2 * ebm_sigmoid(2 * (l - p->log_scale)) - 1;
    *by_mu = p->mean_precision * mu;
    return 0.5 * p->mean_precision * mu * mu + ebm_log1pexp(2 * (l - p->log_scale)) - l;
}

/* grad (2 + J) and the return value in double. */
static double centred_row(const schools *p, const ebm_real *x, double *grad) {
    const double l = (double)x[LOG_TAU], mu = (double)x[MU], precision = exp(-2 * l);
    double energy = prior(p, l, mu, &grad[LOG_TAU], &grad[MU]), squares = 0, offsets = 0;
    for (size_t j = 0; j < p->groups; j++) {
        const double theta = (double)x[THETA + j], residual = (theta - p->effect[j]) / p->variance[j],
                     offset = theta - mu;
        energy += 0.5 * residual * (theta - p->effect[j]);
        squares += offset * offset;
        offsets += offset;
        grad[THETA + j] = residual + precision * offset;
    }
    grad[LOG_TAU] += (double)p->groups - precision * squares;
    grad[MU] -= precision * offsets;
    return energy + 0.5 * precision * squares + (double)p->groups * l;
}

static double non_centred_row(const schools *p, const ebm_real *x, double *grad) {
    const double l = (double)x[LOG_TAU], mu = (double)x[MU], tau = exp(l);
    double energy = prior(p, l, mu, &grad[LOG_TAU], &grad[MU]);
    for (size_t j = 0; j < p->groups; j++) {
        const double eta = (double)x[THETA + j], difference = mu + tau * eta - p->effect[j],
                     residual = difference / p->variance[j];
        energy += 0.5 * residual * difference + 0.5 * eta * eta;
        grad[MU] += residual;
        grad[LOG_TAU] += residual * tau * eta;
        grad[THETA + j] = residual * tau + eta;
    }
    return energy;
}

/* Where E overflows it is infinite and the gradient 0. */
static void schools_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy,
                                  ebm_real *grad, ebm_work *work) {
    const schools *p = model->state;
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    double *row = ebm_work_take(work, V, sizeof *row);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        const double value = p->centred ? centred_row(p, x, row) : non_centred_row(p, x, row);
        if (energy)
            energy[b] = isfinite(value) ? value : (double)INFINITY;
        for (size_t i = 0; grad && i < V; i++)
            grad[b * V + i] = isfinite(value) ? (ebm_real)row[i] : 0;
    }
    ebm_work_release(work, mark);
    ebm_real_add_base(model, path, batch, energy, grad, work);
}

/* The model's own table where beta = 1, else one made in `work`. */
static ebm_status schools_at(const ebm_model *model, ebm_path path, const char *what, schools *out, ebm_work *work,
                             ebm_error *error) {
    double from, to;
    EBM_TRY(ebm_real_uniform_base(model, path, what, error));
    *out = *(const schools *)model->state;
    out->table.context = out;
    if (path.beta == 1)
        return EBM_OK;
    out->beta = path.beta;
    EBM_TRY(range(out, &from, &to, error));
    const size_t panels = panels_of(from, to);
    double *cumulative = ebm_work_take(work, panels + 1, sizeof *cumulative);
    if (!cumulative)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a table of %zu panels", panels);
    ebm_density_tabulate(&out->table, from, to, panels, log_density, out, cumulative);
    return EBM_OK;
}

static ebm_status schools_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                         ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    schools p;
    EBM_TRY(schools_at(model, path, "normaliser", &p, work, error));
    *out = p.table.log_total;
    ebm_work_release(work, mark);
    return EBM_OK;
}

/* eta_j | l, mu ~ N(tau (y_j - mu) / s_j^2, sigma_j^2 / (beta s_j^2)) and theta_j = mu + tau eta_j. Normals at `step`, l by
 * the inverse of its distribution function at step + 1. */
static ebm_status schools_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                       uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    schools p;
    EBM_TRY(schools_at(model, path, "exact draws", &p, work, error));
    for (size_t b = 0; b < batch->count; b++) {
        const uint32_t chain = first_chain + (uint32_t)b;
        const double u = ebm_random_uniform1(stream, chain, step + 1, 0), l = ebm_density_quantile(&p.table, u),
                     tau = exp(l);
        const given g = given_scale(&p, l);
        ebm_real *x = batch->x + b * V;
        ebm_random_normal(stream, chain, step, V, x);
        const double mu = g.mean + (double)x[MU] / sqrt(p.beta * g.precision);
        x[LOG_TAU] = (ebm_real)l;
        x[MU] = (ebm_real)mu;
        for (size_t j = 0; j < p.groups; j++) {
            const double total = p.variance[j] + tau * tau;
            const double eta =
                tau * (p.effect[j] - mu) / total + (double)x[THETA + j] * sqrt(p.variance[j] / (p.beta * total));
            x[THETA + j] = (ebm_real)(p.centred ? mu + tau * eta : eta);
        }
    }
    ebm_work_release(work, mark);
    batch->field_ok = false;
    return EBM_OK;
}

/* Mean and variance of a unit but l given l. Of theta_j = (sigma_j^2 mu + tau^2 y_j) / s_j^2 + noise of variance
 * sigma_j^2 tau^2 / (beta s_j^2); of eta_j = tau (y_j - mu) / s_j^2 + noise of variance sigma_j^2 / (beta s_j^2). */
static void unit_given_scale(const schools *p, double l, size_t unit, double *mean, double *variance) {
    const given g = given_scale(p, l);
    *mean = g.mean;
    *variance = 1 / (p->beta * g.precision);
    if (unit < THETA)
        return;
    const double tau = exp(l), sigma2 = p->variance[unit - THETA], y = p->effect[unit - THETA];
    const double total = sigma2 + tau * tau, by_mu = p->centred ? sigma2 / total : -tau / total;
    const double noise = sigma2 / (p->beta * total) * (p->centred ? tau * tau : 1);
    *mean = by_mu * g.mean + (p->centred ? tau * tau : tau) * y / total;
    *variance = by_mu * by_mu * *variance + noise;
}

static ebm_status schools_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                     ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work), V = model->space.size;
    ebm_real_means means = {0};
    schools p;
    EBM_TRY(schools_at(model, path, "means", &p, work, error));
    const size_t nodes = EBM_DENSITY_NODES * p.table.panels;
    double *l = ebm_work_take(work, nodes, sizeof *l), *mass = ebm_work_take(work, nodes, sizeof *mass);
    ebm_density_nodes(&p.table, l, mass);
    for (size_t k = 0; k < nodes; k++) {
        double squares = l[k] * l[k];
        for (size_t i = MU; i < V; i++) {
            double mean, variance;
            unit_given_scale(&p, l[k], i, &mean, &variance);
            squares += mean * mean + variance;
            if (i == MU) {
                means.second += mass[k] * mean;
                means.second_square += mass[k] * (mean * mean + variance);
            }
        }
        means.first += mass[k] * l[k];
        means.first_square += mass[k] * l[k] * l[k];
        means.square += mass[k] * squares / (double)V;
        means.energy += mass[k] * (given_scale(&p, l[k]).lowest + 0.5 * (double)(p.groups + 1) / p.beta) / (double)V;
    }
    ebm_work_release(work, mark);
    return ebm_real_mean_named(model, &means, observable, out, error);
}

static ebm_status schools_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t,
                                       size_t count, double *out, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    schools p;
    EBM_TRY(schools_at(model, path, "marginal law", &p, work, error));
    const size_t nodes = EBM_DENSITY_NODES * p.table.panels;
    double *l = ebm_work_take(work, nodes, sizeof *l), *mass = ebm_work_take(work, nodes, sizeof *mass);
    for (size_t k = 0; k < count; k++)
        out[k] = unit == LOG_TAU ? ebm_density_cdf(&p.table, t[k]) : 0;
    if (unit != LOG_TAU)
        ebm_density_nodes(&p.table, l, mass);
    for (size_t n = 0; unit != LOG_TAU && n < nodes; n++) {
        double mean, variance, weight = mass[n];
        for (; n + 1 < nodes && l[n + 1] < p.still; n++)
            weight += mass[n + 1];
        unit_given_scale(&p, l[n], unit, &mean, &variance);
        const double scale = 1 / sqrt(variance);
        for (size_t k = 0; k < count; k++)
            out[k] += weight * ebm_normal_cdf((t[k] - mean) * scale);
    }
    for (size_t k = 0; k < count; k++) /* rounding */
        out[k] = fmin(out[k], 1);
    ebm_work_release(work, mark);
    return EBM_OK;
}

const ebm_model_type ebm_eight_schools = {
    .info = {"eight-schools", "hierarchy of normal means, centred or not: the posterior of eight schools",
             "Rubin 1981, Journal of Educational Statistics 6", schools_table, sizeof(schools_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = schools_space,
    .create = schools_create,
    .initialise = ebm_real_initialise_nothing,
    .destroy = schools_destroy,
    .energy = ebm_real_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = ebm_real_grad_x,
    .energy_grad_x = schools_energy_grad_x,
    .log_normaliser = schools_log_normaliser,
    .expected_grad_theta = ebm_real_no_expected_grad_theta,
    .sample_exact = schools_sample_exact,
    .exact_mean = schools_exact_mean,
    .marginal_cdf = schools_marginal_cdf,
};
