/* How far a sampler's states are from the law that it is meant to draw, by the law's score alone: no exact draws, no
 * normaliser (the formulas and citations are in stein.c). Chains start from noise, warm up, and after so many more steps
 * their states, one a chain and so independent, are looked at. Rows stand at that number of steps.
 *
 * The score is that of the path the sampler walks on, -dE_beta/dx. The test has little power where modes lie far apart: a
 * sample of one of them has nearly the right score everywhere (Gorham & Mackey 2017, section 4.1). */
#include "estimators/estimators.h"

#include "ebm/stein.h"

#include <math.h>

typedef struct stein_options {
    int64_t samples, warmup, replicates;
    double dispersion, bandwidth;
    ebm_reals steps;
} stein_options;

#define AT(member) EBM_OFFSET(stein_options, member)
static const ebm_option stein_table[] = {
    {"samples", EBM_OPTION_INT, AT(samples), "500", 2, 20000, NULL, 0, "independent chains; costs their square"},
    {"warmup", EBM_OPTION_INT, AT(warmup), "500", 0, 1e9, NULL, 0,
     "steps of the sampler before the first of `steps`; it may adapt in them"},
    {"steps", EBM_OPTION_REALS, AT(steps), "[500]", 0, 1e9, NULL, 0,
     "steps after the warm-up at which the states are looked at, ascending whole numbers"},
    {"dispersion", EBM_OPTION_REAL, AT(dispersion), "1", 0, 1e6, NULL, 0,
     "standard deviation of every unit where the chains start"},
    {"bandwidth", EBM_OPTION_REAL, AT(bandwidth), "0", 0, 1e6, NULL, 0,
     "c of the kernel (c^2 + |x - y|^2)^(-1/2); 0: the median distance between the states"},
    {"replicates", EBM_OPTION_INT, AT(replicates), "999", 0, 100000, NULL, 0,
     "random signs behind stein_discrepancy_p; 0: it is not found"},
    EBM_OPTIONS_END,
};

static const ebm_metric stein_metrics[] = {
    {"stein_discrepancy", "", true, "root of the V-statistic; row step: steps of the sampler after the warm-up"},
    {"stein_squared", "", true, "the U-statistic: unbiased, 0 where the law is right; s.e. by the jackknife"},
    {"stein_discrepancy_p", "", true, "its p where independent states follow the law, by random signs"},
    EBM_METRICS_END,
};

static ebm_status check(const stein_options *o, const ebm_model *model, ebm_error *error) {
    if (model->space.domain != EBM_REAL_LINE)
        return ebm_fail(error, EBM_UNSUPPORTED, "stein-discrepancy is of real units, model %s has %s ones",
                        model->type->info.name, ebm_domain_name(model->space.domain));
    for (size_t k = 0; k < o->steps.count; k++)
        if (o->steps.values[k] != floor(o->steps.values[k]) || (k && o->steps.values[k] <= o->steps.values[k - 1]))
            return ebm_fail(error, EBM_INVALID, "`steps` of stein-discrepancy must be ascending whole numbers, not %g",
                            o->steps.values[k]);
    return EBM_OK;
}

/* Chains at N(0, dispersion^2) after their warm-up. */
static ebm_status start(const stein_options *o, const ebm_estimate_inputs *in, ebm_chains *chains, ebm_error *error) {
    ebm_batch *batch = &chains->batch;
    const size_t V = in->model->space.size;
    chains->step = ebm_estimate_step(in);
    for (size_t b = 0; b < batch->count; b++)
        ebm_random_normal_plain(chains->stream, (uint32_t)b, chains->step, V, batch->x + b * V);
    for (size_t k = 0; k < batch->count * V; k++)
        batch->x[k] *= (ebm_real)o->dispersion;
    chains->step++;
    batch->field_ok = batch->hidden_ok = false;
    EBM_TRY(ebm_sampler_attach(in->sampler, in->model, chains, error));
    chains->adapting = true;
    chains->warmup_left = (uint64_t)o->warmup;
    if (o->warmup > 0)
        EBM_TRY(in->sampler->type->step(in->sampler, in->model, in->path, chains, (size_t)o->warmup, in->work, error));
    chains->adapting = false;
    chains->warmup_left = 0;
    return EBM_OK;
}

static ebm_status look(const stein_options *o, const ebm_estimate_inputs *in, ebm_batch *batch, size_t k,
                       ebm_sink *sink, ebm_error *error) {
    const ebm_stream stream = ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE);
    ebm_stein stein;
    EBM_TRY(ebm_stein_of_states(in->model, in->path, batch, o->bandwidth, (size_t)o->replicates, stream,
                                ebm_estimate_step(in) + k, &stein, in->work, error));
    EBM_TRY(sink->emit(sink, "stein_discrepancy", stein.discrepancy, NAN, error));
    EBM_TRY(sink->emit(sink, "stein_squared", stein.squared, stein.se, error));
    return o->replicates > 0 ? sink->emit(sink, "stein_discrepancy_p", stein.p_value, NAN, error) : EBM_OK;
}

static ebm_status stein_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    const stein_options *o = options;
    ebm_chains chains;
    EBM_TRY(check(o, in->model, error));
    EBM_TRY(ebm_chains_create(in->model, (size_t)o->samples, ebm_stream_of(in->seed, EBM_PURPOSE_GENERATION), &chains,
                              error));
    ebm_status status = start(o, in, &chains, error);
    uint64_t done = 0;
    for (size_t k = 0; k < o->steps.count && status == EBM_OK; k++) {
        const uint64_t t = (uint64_t)o->steps.values[k];
        if (t > done)
            status =
                in->sampler->type->step(in->sampler, in->model, in->path, &chains, (size_t)(t - done), in->work, error);
        done = t;
        sink->at(sink, t);
        if (status == EBM_OK)
            status = look(o, in, &chains.batch, k, sink, error);
    }
    ebm_chains_free(&chains);
    return status;
}

const ebm_estimator_type ebm_stein_estimator = {
    .info = {"stein-discrepancy", "distance of a sampler's states from the law by the law's score alone",
             "Liu, Lee & Jordan 2016; Gorham & Mackey 2017", stein_table, sizeof(stein_options)},
    .needs = EBM_SLOT_GRAD_X,
    .needs_sampler = true,
    .metrics = stein_metrics,
    .estimate = stein_estimate,
};
