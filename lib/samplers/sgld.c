/* Stochastic gradient Langevin dynamics: Langevin steps on gradients that a few examples estimate (Welling & Teh 2011).
 *
 *   theta_(t+1) = theta_t - (eps_t / 2) g_t + N(0, eps_t),   g_t an unbiased estimate of dE/dtheta
 *   eps_t = a (b + t)^-gamma, 1/2 < gamma <= 1: the steps' sum diverges, so that any place is reached; the sum of their
 *   squares converges, so that what the estimate's noise adds dies away. In the letters of unadjusted Langevin
 *   (ula.c) eta = eps / 2.
 *
 * No step is rejected: at any step size above 0 the law is not p. With a constant one, asked for by its name, the chain
 * settles in a law of its own: on E = A theta^2 / 2 with gradients of variance V it has the variance
 *
 *   (1 + eps V / 4) / (A (1 - eps A / 4)),
 *
 * stable for eps < 4 / A.
 *
 * The examples of each chain and step are drawn with replacement, index (w n) >> 32 of a word w: uniform to n 2^-32. t
 * counts the chain's steps, those of warm-up, too. A gradient from m of n examples costs m / n of one. */
#include "components.h"
#include "models/real_path.h"

#include <math.h>

typedef enum schedule { POLYNOMIAL, CONSTANT } schedule;
static const char *const schedule_names[] = {"polynomial", "constant", NULL};

typedef struct sgld_options {
    int schedule;
    double a, b, gamma, step;
    int64_t batch;
} sgld_options;

#define AT(member) offsetof(sgld_options, member)
static const ebm_option sgld_table[] = {
    {"batch", EBM_OPTION_INT, AT(batch), "10", 0, 1e7, NULL, 0,
     "examples that a gradient is estimated from; 0: all of them, each once"},
    {"schedule", EBM_OPTION_CHOICE, AT(schedule), "polynomial", 0, 0, schedule_names, 0,
     "polynomial: eps_t = a (b + t)^-gamma; constant: eps_t = step, which leaves a bias however long the walk"},
    {"a", EBM_OPTION_REAL, AT(a), "0.2", 1e-12, 1e6, NULL, 0,
     "scale of the steps eps, in squared units of the parameters; the defaults fall from 0.01 to 0.0001 in 10^6 steps"},
    {"b", EBM_OPTION_REAL, AT(b), "231", 1e-3, 1e12, NULL, 0, "how many steps the schedule has behind it at the start"},
    {"gamma", EBM_OPTION_REAL, AT(gamma), "0.55", -10, 10, NULL, 0, "how fast steps fall, above 1/2 and at most 1"},
    {"step", EBM_OPTION_REAL, AT(step), "0", 0, 1e6, NULL, 0, "eps of the constant schedule"},
    EBM_OPTIONS_END,
};

/* What is kept of the chains. */
typedef struct progress {
    uint64_t taken;    /* t: steps so far */
    uint64_t examples; /* seen and not yet counted as a gradient: below n */
} progress;

static ebm_status sgld_check(const void *options, const ebm_model_type *model, ebm_error *error) {
    const sgld_options *o = options;
    (void)model;
    if (o->schedule == CONSTANT && o->step == 0)
        return ebm_fail(error, EBM_INVALID, "sampler sgld: schedule constant needs its `step`, above 0");
    if (o->schedule == CONSTANT)
        return EBM_OK;
    if (o->step > 0)
        return ebm_fail(error, EBM_INVALID,
                        "sampler sgld: `step` %g is of schedule constant, but the schedule is polynomial: give a, b "
                        "and gamma, or `schedule: constant`",
                        o->step);
    if (!(o->gamma > 0))
        return ebm_fail(error, EBM_INVALID,
                        "sampler sgld: with gamma = %g the steps never decay: choose 1/2 < gamma <= 1, or ask for "
                        "`schedule: constant` and its bias",
                        o->gamma);
    if (!(o->gamma > 0.5 && o->gamma <= 1))
        return ebm_fail(error, EBM_INVALID,
                        "sampler sgld: gamma is %g: 1/2 < gamma <= 1 is needed, for the steps' sum to diverge and that "
                        "of their squares to converge",
                        o->gamma);
    return EBM_OK;
}

static size_t sgld_auxiliary_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    (void)sampler, (void)model, (void)chains;
    return sizeof(progress);
}

static void sgld_auxiliary_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    (void)sampler, (void)model;
    *(progress *)chains->auxiliary = (progress){0};
}

static double step_size(const sgld_options *o, uint64_t t) {
    return o->schedule == CONSTANT ? o->step : o->a * pow(o->b + (double)t, -o->gamma);
}

/* grad (B, V) = an estimate of dE_beta/dtheta of each row from examples of its own. */
static void estimate_gradient(const sgld_options *o, const ebm_model *model, ebm_path path, ebm_chains *chains,
                              uint32_t *examples, ebm_real *grad, ebm_work *work) {
    ebm_batch *batch = &chains->batch;
    const size_t B = batch->count, m = (size_t)o->batch;
    progress *p = chains->auxiliary;
    if (m == 0) {
        model->type->grad_x(model, path, batch, grad, work);
        chains->gradient_evaluations += B;
        return;
    }
    for (size_t b = 0; b < B; b++) {
        uint32_t *row = examples + b * m;
        ebm_random_words(chains->stream, chains->first_chain + (uint32_t)b, chains->step, m, row);
        for (size_t k = 0; k < m; k++)
            row[k] = (uint32_t)((uint64_t)row[k] * model->examples >> 32);
    }
    model->type->grad_x_minibatch(model, batch, examples, m, grad, work);
    ebm_real_add_base(model, path, batch, NULL, grad, work);
    p->examples += B * m;
    chains->gradient_evaluations += p->examples / model->examples;
    p->examples %= model->examples;
}

/* theta += - (eps / 2) grad + sqrt(eps) N(0, 1) */
static ebm_status move(ebm_chains *chains, size_t V, double eps, const ebm_real *grad, ebm_real *noise,
                       ebm_error *error) {
    const double drift = eps / 2, spread = sqrt(eps);
    const uint64_t t = ((const progress *)chains->auxiliary)->taken;
    for (size_t b = 0; b < chains->batch.count; b++) {
        ebm_real *theta = chains->batch.x + b * V;
        const uint32_t chain = chains->first_chain + (uint32_t)b;
        ebm_random_normal(chains->stream, chain, chains->step + 1, V, noise);
        bool finite = true;
        for (size_t j = 0; j < V; j++) {
            theta[j] = (ebm_real)((double)theta[j] - drift * (double)grad[b * V + j] + spread * (double)noise[j]);
            finite = finite && isfinite(theta[j]);
        }
        if (!finite)
            return ebm_fail(error, EBM_DIVERGED,
                            "sampler sgld: chain %u ran away at step %llu, of size %g: it is too large for this "
                            "posterior; lower `a` or `step`, or raise `b`",
                            chain, (unsigned long long)t, eps);
    }
    return EBM_OK;
}

static ebm_status sgld_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                            size_t steps, ebm_work *work, ebm_error *error) {
    const sgld_options *o = sampler->options;
    const size_t B = chains->batch.count, V = model->space.size, mark = ebm_work_mark(work);
    progress *p = chains->auxiliary;
    ebm_real *grad = ebm_work_take(work, B * V, sizeof *grad), *noise = ebm_work_take(work, V, sizeof *noise);
    uint32_t *examples = ebm_work_take(work, B * (size_t)o->batch + 1, sizeof *examples);
    ebm_status status = grad && noise && examples
                            ? EBM_OK
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for the gradients of %zu chains", B);
    for (size_t s = 0; s < steps && status == EBM_OK; s++) {
        ebm_model_field(model, &chains->batch, work);
        estimate_gradient(o, model, path, chains, examples, grad, work);
        status = move(chains, V, step_size(o, p->taken), grad, noise, error);
        chains->batch.field_ok = false;
        chains->step += 2;
        p->taken++;
    }
    chains->batch.hidden_ok = false;
    ebm_work_release(work, mark);
    return status;
}

static ebm_status sgld_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink, ebm_error *error) {
    const progress *p = chains->auxiliary;
    return sink->emit(sink, "step_size", step_size(sampler->options, p->taken > 0 ? p->taken - 1 : 0), NAN, error);
}

static void sgld_reset_counters(const ebm_sampler *sampler, ebm_chains *chains) {
    (void)sampler;
    ((progress *)chains->auxiliary)->examples = 0;
}

static const ebm_metric sgld_metrics[] = {
    {"step_size", "", false, "eps of the last step"},
    EBM_METRICS_END,
};

const ebm_sampler_type ebm_sgld = {
    .info = {"sgld", "stochastic gradient Langevin dynamics: gradients from minibatches, steps that decay",
             "Welling & Teh 2011, equation 4", sgld_table, sizeof(sgld_options)},
    .needs = EBM_SLOT_GRAD_X | EBM_SLOT_MINIBATCH,
    .domains = 1u << EBM_REAL_LINE,
    .exact = false,
    .reversible = false,
    .metrics = sgld_metrics,
    .check = sgld_check,
    .auxiliary_bytes = sgld_auxiliary_bytes,
    .auxiliary_start = sgld_auxiliary_start,
    .step = sgld_step,
    .report = sgld_report,
    .reset_counters = sgld_reset_counters,
};
