/* Simulated annealing towards the target (Kirkpatrick, Gelatt & Vecchi 1983; Cerny 1985).
 *
 * Sweep s = 0, 1, ... since the chains were attached is one of the inner sampler's at temperature
 *   T_s = max(1, T_max r^s)
 * times the path's: at inverse temperature beta / T_s. While it cools no distribution is left invariant, so the sampler
 * is not exact; from the first s with T_max r^s <= 1 on it is the inner sampler at the target, whose matrix `kernel`
 * gives. */
#include "components.h"
#include "samplers/inner.h"

#include <math.h>
#include <stdlib.h>

typedef struct annealed_options {
    char *inner;
    double max_temperature, rate;
} annealed_options;

#define AT(member) offsetof(annealed_options, member)
static const ebm_option annealed_table[] = {
    {"inner", EBM_OPTION_STRING, AT(inner), "gibbs", 0, 0, NULL, 0,
     "the sampler that is annealed, with its default options"},
    {"max_temperature", EBM_OPTION_REAL, AT(max_temperature), "10", 1, 1e6, NULL, 0,
     "temperature of the first sweep, in units of the target's"},
    {"rate", EBM_OPTION_REAL, AT(rate), "0.95", 0, 1, NULL, 0,
     "what the temperature is multiplied by after each sweep, until it is 1; between 0 and 1, excluding both"},
    EBM_OPTIONS_END,
};

/* Of chains->auxiliary; what the inner sampler keeps follows after EBM_INNER_ALIGNMENT bytes. */
typedef struct cooling {
    uint64_t sweeps; /* since the chains were attached */
    uint64_t inner_bytes;
} cooling;

static void *inner_memory(void *auxiliary) {
    return (unsigned char *)auxiliary + EBM_INNER_ALIGNMENT;
}

static ebm_status annealed_check(const void *options, const ebm_model_type *model, ebm_error *error) {
    const annealed_options *o = options;
    if (!(o->rate > 0 && o->rate < 1))
        return ebm_fail(error, EBM_INVALID,
                        "sampler annealed: rate is %g, expected a factor between 0 and 1 that cools", o->rate);
    return ebm_inner_check(&ebm_annealed.info, o->inner, model, error);
}

static ebm_status annealed_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const annealed_options *o = sampler->options;
    ebm_inner *inner = sampler->state = ebm_alloc(1, sizeof *inner);
    if (!inner)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a sampler");
    EBM_TRY(ebm_inner_create(&ebm_annealed.info, o->inner, model, inner, error));
    sampler->reversible = inner->sampler.reversible; /* of `kernel` */
    return EBM_OK;
}

static void annealed_destroy(ebm_sampler *sampler) {
    if (!sampler->state)
        return;
    ebm_inner_free(sampler->state);
    free(sampler->state);
}

static size_t annealed_auxiliary_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    const size_t bytes = ebm_inner_bytes(sampler->state, model, chains);
    return bytes > SIZE_MAX - EBM_INNER_ALIGNMENT ? SIZE_MAX : bytes + EBM_INNER_ALIGNMENT;
}

static void annealed_auxiliary_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    const ebm_inner *inner = sampler->state;
    const size_t bytes = ebm_inner_bytes(inner, model, chains->batch.count);
    *(cooling *)chains->auxiliary = (cooling){0, bytes};
    ebm_chains start = ebm_inner_chains(chains, chains->batch, inner_memory(chains->auxiliary), bytes);
    if (inner->sampler.type->auxiliary_start)
        inner->sampler.type->auxiliary_start(&inner->sampler, model, &start);
}

static double temperature_at(const annealed_options *o, uint64_t sweep) {
    return fmax(1, o->max_temperature * pow(o->rate, (double)sweep));
}

/* `sweeps` sweeps at one temperature. */
static ebm_status sweep_at(ebm_inner *inner, const ebm_model *model, ebm_path path, double temperature,
                           ebm_chains *chains, size_t sweeps, ebm_work *work, ebm_error *error) {
    cooling *at = chains->auxiliary;
    ebm_chains walk = ebm_inner_chains(chains, chains->batch, inner_memory(at), at->inner_bytes);
    path.beta /= temperature;
    /* Hidden units drawn at one temperature are no start at the next. */
    walk.batch.hidden_ok = walk.batch.hidden_ok && temperature == 1;
    walk.keep_hidden = chains->keep_hidden && temperature == 1;
    ebm_status status = inner->sampler.type->step(&inner->sampler, model, path, &walk, sweeps, work, error);
    chains->batch = walk.batch;
    chains->batch.hidden_ok = walk.batch.hidden_ok && temperature == 1;
    chains->step = walk.step;
    chains->accepted += walk.accepted;
    chains->proposed += walk.proposed;
    ebm_inner_add_costs(chains, &walk);
    at->sweeps += sweeps;
    return status;
}

static ebm_status annealed_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                size_t sweeps, ebm_work *work, ebm_error *error) {
    const annealed_options *o = sampler->options;
    const cooling *at = chains->auxiliary;
    if (!at)
        return ebm_fail(error, EBM_INVALID, "sampler annealed: the chains have no schedule: attach them first");
    while (sweeps > 0) {
        const double temperature = temperature_at(o, at->sweeps);
        const size_t now = temperature > 1 ? 1 : sweeps;
        EBM_TRY(sweep_at(sampler->state, model, path, temperature, chains, now, work, error));
        sweeps -= now;
    }
    return EBM_OK;
}

static ebm_status annealed_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S,
                                  double *T, ebm_work *work, ebm_error *error) {
    const ebm_sampler *inner = &((const ebm_inner *)sampler->state)->sampler;
    if (!inner->type->kernel)
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s has no transition matrix", inner->type->info.name);
    return inner->type->kernel(inner, model, path, S, T, work, error);
}

static const ebm_metric annealed_metrics[] = {
    {"temperature", "", false, "of the next sweep, in units of the target's"},
    EBM_METRICS_END,
};

static ebm_status annealed_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink,
                                  ebm_error *error) {
    const cooling *at = chains->auxiliary;
    return sink->emit(sink, "temperature", temperature_at(sampler->options, at ? at->sweeps : 0), NAN, error);
}

static void annealed_reset_counters(const ebm_sampler *sampler, ebm_chains *chains) {
    const ebm_inner *inner = sampler->state;
    const cooling *at = chains->auxiliary;
    if (!at || !inner->sampler.type->reset_counters)
        return;
    ebm_chains walk = ebm_inner_chains(chains, chains->batch, inner_memory(chains->auxiliary), at->inner_bytes);
    inner->sampler.type->reset_counters(&inner->sampler, &walk);
}

const ebm_sampler_type ebm_annealed = {
    .info = {"annealed", "another sampler, started hot and cooled to the target: not exact while it cools",
             "Kirkpatrick, Gelatt & Vecchi 1983; Cerny 1985", annealed_table, sizeof(annealed_options)},
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN | 1u << EBM_CATEGORICAL | 1u << EBM_REAL_LINE,
    .exact = false,
    .reversible = true,
    .metrics = annealed_metrics,
    .check = annealed_check,
    .create = annealed_create,
    .destroy = annealed_destroy,
    .auxiliary_bytes = annealed_auxiliary_bytes,
    .auxiliary_start = annealed_auxiliary_start,
    .step = annealed_step,
    .kernel = annealed_kernel,
    .report = annealed_report,
    .reset_counters = annealed_reset_counters,
};
