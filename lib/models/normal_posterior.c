/* The posterior of a normal law's mean and variance under its conjugate prior: a target whose conditionals, moments and
 * normaliser are all known.
 *
 *   data y_1 ... y_n ~ N(mu, s),  mu | s ~ N(mu_0, s / kappa_0),  s ~ InvGamma(alpha_0, beta_0);  x = (mu, s)
 *   kappa_n = kappa_0 + n,  mu_n = (kappa_0 mu_0 + n mean(y)) / kappa_n,  alpha_n = alpha_0 + n / 2,
 *   beta_n = beta_0 + n var(y) / 2 + kappa_0 n (mean(y) - mu_0)^2 / (2 kappa_n),  var with divisor n
 *   E(mu, s) = (alpha_n + 3/2) log s + (beta_n + kappa_n (mu - mu_n)^2 / 2) / s,  infinite for s <= 0
 *   mu | s ~ N(mu_n, s / kappa_n),   s | mu ~ InvGamma(alpha_n + 1/2, beta_n + kappa_n (mu - mu_n)^2 / 2)
 * (Gelman, Carlin, Stern, Dunson, Vehtari & Rubin 2013, "Bayesian Data Analysis", section 3.3, where nu = 2 alpha and
 * nu sigma^2 = 2 beta.)
 *
 * beta E with a uniform base is in the same family: kappa and beta_n times beta, and alpha such that alpha + 3/2 is
 * times beta. It can be normalised only where that alpha stays positive. */
#include "components.h"
#include "models/real_path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct normal_posterior_options {
    int64_t count;
    double mean, variance;
    double prior_mean, prior_count, prior_shape, prior_scale;
} normal_posterior_options;

#define AT(member) offsetof(normal_posterior_options, member)
static const ebm_option normal_posterior_table[] = {
    {"count", EBM_OPTION_INT, AT(count), "20", 0, 1e9, NULL, 0, "number of observations; 0: the prior itself"},
    {"mean", EBM_OPTION_REAL, AT(mean), "1", -1e6, 1e6, NULL, 0, "mean of the observations"},
    {"variance", EBM_OPTION_REAL, AT(variance), "2", 0, 1e6, NULL, 0,
     "variance of the observations about their mean (divisor: their number)"},
    {"prior_mean", EBM_OPTION_REAL, AT(prior_mean), "0", -1e6, 1e6, NULL, 0, "mu_0: the prior's mean of the mean"},
    {"prior_count", EBM_OPTION_REAL, AT(prior_count), "1", 1e-6, 1e9, NULL, 0,
     "kappa_0: how many observations the prior's mean is worth"},
    {"prior_shape", EBM_OPTION_REAL, AT(prior_shape), "2", 1e-3, 1e9, NULL, 0,
     "alpha_0: shape of the variance's inverse gamma prior"},
    {"prior_scale", EBM_OPTION_REAL, AT(prior_scale), "1", 1e-9, 1e9, NULL, 0,
     "beta_0: scale of the variance's inverse gamma prior"},
    EBM_OPTIONS_END,
};

/* A normal-inverse-gamma law: the four letters above, with or without the n. */
typedef struct law {
    double mean, count, shape, scale;
} law;

enum { MEAN, VARIANCE, UNITS }; /* the units */

static ebm_status normal_posterior_space(const void *options, ebm_space *out, ebm_error *error) {
    (void)options;
    (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, UNITS);
    return EBM_OK;
}

static ebm_status normal_posterior_create(ebm_model *model, const void *options, ebm_error *error) {
    const normal_posterior_options *o = options;
    if (model->space.size != UNITS)
        return ebm_fail(error, EBM_INVALID,
                        "model normal-posterior has 2 units, the mean and the variance, but the data have %zu: its "
                        "observations are given by `count`, `mean` and `variance`",
                        model->space.size);
    law *posterior = malloc(sizeof *posterior);
    if (!posterior)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a model of two units");
    const double n = (double)o->count, kappa = o->prior_count + n, offset = o->mean - o->prior_mean;
    posterior->count = kappa;
    posterior->mean = o->prior_mean + n / kappa * offset;
    posterior->shape = o->prior_shape + n / 2;
    posterior->scale = o->prior_scale + n * o->variance / 2 + o->prior_count * n / kappa * offset * offset / 2;
    model->state = posterior;
    return EBM_OK;
}

static void normal_posterior_destroy(ebm_model *model) {
    free(model->state);
}

/* beta E as a law of the same family. */
static law tempered(const ebm_model *model, double beta) {
    const law *p = model->state;
    return (law){p->mean, beta * p->count, beta * (p->shape + 1.5) - 1.5, beta * p->scale};
}

/* beta_n + kappa_n (mu - mu_n)^2 / 2: what 1 / s is multiplied with. */
static double scale_given_mean(const law *p, double mu) {
    return p->scale + 0.5 * p->count * (mu - p->mean) * (mu - p->mean);
}

/* Variances of zero or less have none. */
static void normal_posterior_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                                    ebm_work *work) {
    const law *p = model->state;
    for (size_t b = 0; b < batch->count; b++) {
        const double mu = (double)batch->x[b * UNITS + MEAN], s = (double)batch->x[b * UNITS + VARIANCE];
        out[b] = s > 0 ? (p->shape + 1.5) * log(s) + scale_given_mean(p, mu) / s : (double)INFINITY;
    }
    ebm_real_add_base(model, path, batch, out, NULL, work);
}

/* dE/dmu = kappa_n (mu - mu_n) / s,  dE/ds = (alpha_n + 3/2 - (beta_n + kappa_n (mu - mu_n)^2 / 2) / s) / s; 0 where E
 * is infinite. */
static void normal_posterior_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                                    ebm_work *work) {
    const law *p = model->state;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * UNITS;
        const double mu = (double)x[MEAN], s = (double)x[VARIANCE];
        double grad[UNITS] = {0};
        if (s > 0) {
            grad[MEAN] = path.beta * p->count * (mu - p->mean) / s;
            grad[VARIANCE] = path.beta * (p->shape + 1.5 - scale_given_mean(p, mu) / s) / s;
            for (size_t i = 0; path.base && i < UNITS; i++)
                grad[i] += (1 - path.beta) * ((double)x[i] - (double)path.base->parameters[i]) *
                           exp(-(double)path.base->parameters[UNITS + i]);
        }
        for (size_t i = 0; i < UNITS; i++)
            out[b * UNITS + i] = (ebm_real)grad[i];
    }
}

/* Both conditionals, tempered by beta. A conditional without a normaliser (beta (alpha_n + 3/2) <= 1, far below where
 * the whole has one) and those along a path from another base, which are not of the family, leave the unit as it is:
 * that keeps any law. */
static void normal_posterior_sample_site(const ebm_model *model, ebm_path path, ebm_batch *batch, const uint32_t *units,
                                         ebm_stream stream, uint32_t first_chain, uint64_t step, ebm_work *work) {
    const law p = tempered(model, path.beta);
    (void)work;
    if (path.base && path.beta != 1)
        return;
    for (size_t b = 0; b < batch->count; b++) {
        ebm_real *x = batch->x + b * UNITS;
        const uint32_t chain = first_chain + (uint32_t)b;
        if (units[b] == MEAN && x[VARIANCE] > 0 && p.count > 0)
            x[MEAN] =
                (ebm_real)(p.mean + sqrt((double)x[VARIANCE] / p.count) * ebm_random_normal1(stream, chain, step, 0));
        else if (units[b] == VARIANCE && p.shape + 0.5 > 0)
            x[VARIANCE] = (ebm_real)(scale_given_mean(&p, (double)x[MEAN]) /
                                     ebm_random_gamma1(stream, chain, step, 0, p.shape + 0.5));
    }
}

/* log Z = lgamma(alpha) - alpha log beta + 1/2 log(2 pi / kappa) */
static ebm_status normal_posterior_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                                  ebm_error *error) {
    const law p = tempered(model, path.beta);
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "normaliser", error));
    if (!(p.shape > 0))
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "at inverse temperature %g the law cannot be normalised: its shape is %g, not positive",
                        path.beta, p.shape);
    int sign;
    *out = lgamma_r(p.shape, &sign) - p.shape * log(p.scale) + 0.5 * log(2 * M_PI / p.count);
    return EBM_OK;
}

/* E[s] = beta / (alpha - 1),  E[s^2] = beta^2 / ((alpha - 1) (alpha - 2)),  E[mu] = mu_n for alpha > 1/2 (a t law of
 * 2 alpha degrees),  E[mu^2] = mu_n^2 + E[s] / kappa. */
static ebm_status normal_posterior_exact_mean(const ebm_model *model, ebm_path path, const char *observable,
                                              double *out, ebm_work *work, ebm_error *error) {
    const law p = tempered(model, path.beta);
    const double mean_variance = p.scale / (p.shape - 1);
    const struct {
        const char *name;
        double above, value; /* it exists where the shape is above */
    } known[] = {{"first", 0.5, p.mean},
                 {"second", 1, mean_variance},
                 {"first_square", 1, p.mean * p.mean + mean_variance / p.count},
                 {"second_square", 2, mean_variance * p.scale / (p.shape - 2)}};
    (void)work;
    EBM_TRY(ebm_real_uniform_base(model, path, "means", error));
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (strcmp(known[k].name, observable) == 0) {
            if (!(p.shape > known[k].above))
                return ebm_fail(error, EBM_UNSUPPORTED, "the mean of %s does not exist: the shape is %g, not above %g",
                                observable, p.shape, known[k].above);
            *out = known[k].value;
            return EBM_OK;
        }
    return ebm_fail(error, EBM_UNSUPPORTED, "model normal-posterior knows no formula for the mean of %s", observable);
}

const ebm_model_type ebm_normal_posterior = {
    .info = {"normal-posterior", "posterior of a normal law's mean and variance under the conjugate prior",
             "Gelman et al. 2013, Bayesian Data Analysis, section 3.3", normal_posterior_table,
             sizeof(normal_posterior_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = normal_posterior_space,
    .create = normal_posterior_create,
    .initialise = ebm_real_initialise_nothing,
    .destroy = normal_posterior_destroy,
    .energy = normal_posterior_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = normal_posterior_grad_x,
    .sample_site = normal_posterior_sample_site,
    .log_normaliser = normal_posterior_log_normaliser,
    .expected_grad_theta = ebm_real_no_expected_grad_theta,
    .exact_mean = normal_posterior_exact_mean,
};
