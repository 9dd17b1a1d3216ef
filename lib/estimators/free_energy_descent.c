/* Helmholtz's free energy of the law of a Markov chain that leaves p_T ~ exp(-E / T) invariant:
 *
 *   F(P) = <E>_P - T H(P) = T KL(P || p_T) - T log Z_T,    P_(t+1) = P_t K
 * KL(P K || p K) <= KL(P || p) for every stochastic K (data processing; Cover & Thomas 2006, section 4.4), so F never rises,
 * and it ends at -T log Z_T where the chain is ergodic. K is the sampler's matrix, from its slot `kernel`; everything is
 * summed over all states in double, F from its definition. */
#include "estimators/estimators.h"

#include "ebm/diagnostics.h"
#include "ebm/enumerate.h"
#include "ebm/special.h"

#include <math.h>
#include <string.h>

typedef struct descent_options {
    double temperature;
    int start;
    int64_t steps, limit;
    ebm_reals curve;
} descent_options;

enum { START_POINT, START_UNIFORM, START_MIXTURE };
static const char *const start_names[] = {"point", "uniform", "mixture", NULL};

#define AT(member) EBM_OFFSET(descent_options, member)
static const ebm_option descent_table[] = {
    {"temperature", EBM_OPTION_REAL, AT(temperature), "1", 1e-3, 1e3, NULL, 0, "T"},
    {"start", EBM_OPTION_CHOICE, AT(start), "uniform", 0, 0, start_names, 0,
     "P_0: all on the least probable state, uniform, or a random mixture of all states"},
    {"steps", EBM_OPTION_INT, AT(steps), "1000", 1, 1e7, NULL, 0, "steps of the sampler"},
    {"limit", EBM_OPTION_INT, AT(limit), "1024", 2, EBM_MAX_CHAIN_STATES, NULL, 0, "most states"},
    {"curve", EBM_OPTION_REALS, AT(curve), "[0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]", 0, 1e7, NULL, 0,
     "steps at which free energy, energy and entropy are given; the row's step is that step"},
    EBM_OPTIONS_END,
};

static const ebm_metric descent_metrics[] = {
    {"free_energy", "nats", false, "F of the law after so many steps (the row's step)"},
    {"mean_energy", "nats", false, "its mean energy"},
    {"entropy", "nats", false, "its entropy"},
    {"free_energy_limit", "nats", false, "-T log Z"},
    {"free_energy_above", "nats", false, "F after so many steps less -T log Z, as T KL(P || p), which nothing cancels"},
    {"free_energy_rise", "nats", false, "largest rise of F in one step, over all steps"},
    {"free_energy_end_error", "nats", false, "distance of the last F from -T log Z"},
    EBM_METRICS_END,
};

typedef struct descent {
    const ebm_estimate_inputs *in;
    double temperature, log_z;
    size_t states;
    double *kernel, *log_p, *law, *next, *terms; /* (S, S), then (S) each */
} descent;

/* *above: T KL(P || p) from terms P log(P / p) - P + p, none of which is negative. */
static void free_energy(const descent *d, double *energy, double *entropy, double *above) {
    const size_t S = d->states;
    for (size_t s = 0; s < S; s++)
        d->terms[s] = -d->law[s] * d->temperature * (d->log_p[s] + d->log_z);
    *energy = ebm_sum(d->terms, S);
    for (size_t s = 0; s < S; s++)
        d->terms[s] = d->law[s] > 0 ? -d->law[s] * log(d->law[s]) : 0;
    *entropy = ebm_sum(d->terms, S);
    for (size_t s = 0; s < S; s++) {
        const double P = d->law[s], p = exp(d->log_p[s]);
        d->terms[s] = P > 0 ? fmax(P * (log(P) - d->log_p[s]) - P + p, 0) : p;
    }
    *above = d->temperature * ebm_sum(d->terms, S);
}

static void step(descent *d) {
    const size_t S = d->states;
    memset(d->next, 0, S * sizeof *d->next);
    for (size_t i = 0; i < S; i++)
        for (size_t j = 0; j < S; j++)
            d->next[j] += d->law[i] * d->kernel[i * S + j];
    double *law = d->law;
    d->law = d->next;
    d->next = law;
}

static void set_start(const descent *d, int start) {
    const size_t S = d->states;
    size_t least = 0;
    double total = 0;
    for (size_t s = 0; s < S; s++) {
        least = d->log_p[s] < d->log_p[least] ? s : least;
        d->law[s] = start == START_MIXTURE ? -log(ebm_random_uniform1(ebm_stream_of(d->in->seed, EBM_PURPOSE_ESTIMATE),
                                                                      (uint32_t)s, ebm_estimate_step(d->in), 0))
                                           : 1;
        total += d->law[s];
    }
    for (size_t s = 0; s < S; s++)
        d->law[s] = start == START_POINT ? s == least : d->law[s] / total;
}

static ebm_status create(descent *d, size_t limit, ebm_error *error) {
    const ebm_estimate_inputs *in = d->in;
    const ebm_sampler *sampler = in->sampler;
    const size_t S = d->states = ebm_states_count(&in->model->space);
    const ebm_path path = {NULL, 1 / d->temperature};
    if (!sampler->type->kernel || (sampler->type->copies && sampler->type->copies(sampler) > 1))
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s does not know its transition matrix on single states",
                        sampler->type->info.name);
    if (S == 0 || S > limit)
        return ebm_fail(error, EBM_UNSUPPORTED, "%zu %s units have too many states for a matrix: the limit is %zu",
                        in->model->space.size, ebm_domain_name(in->model->space.domain), limit);
    d->kernel = ebm_work_take(in->work, S * S, sizeof *d->kernel);
    double *rest = ebm_work_take(in->work, 4 * S, sizeof *rest);
    if (!d->kernel || !rest)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a matrix of %zu states", S);
    d->log_p = rest;
    d->law = rest + S;
    d->next = rest + 2 * S;
    d->terms = rest + 3 * S;
    EBM_TRY(ebm_model_log_probabilities(in->model, path, d->log_p, &d->log_z, in->work, error));
    return sampler->type->kernel(sampler, in->model, path, S, d->kernel, in->work, error);
}

static ebm_status follow(descent *d, const descent_options *o, ebm_sink *sink, ebm_error *error) {
    double rise = -INFINITY, before = INFINITY, last = 0;
    size_t shown = 0;
    for (int64_t t = 0; t <= o->steps; t++) {
        double energy, entropy, above;
        if (t > 0)
            step(d);
        free_energy(d, &energy, &entropy, &above);
        last = energy - d->temperature * entropy;
        rise = fmax(rise, last - before);
        before = last;
        if (shown >= o->curve.count || (double)t != o->curve.values[shown])
            continue;
        shown++;
        sink->at(sink, (uint64_t)t);
        EBM_TRY(sink->emit(sink, "free_energy", last, NAN, error));
        EBM_TRY(sink->emit(sink, "mean_energy", energy, NAN, error));
        EBM_TRY(sink->emit(sink, "entropy", entropy, NAN, error));
        EBM_TRY(sink->emit(sink, "free_energy_above", above, NAN, error));
    }
    sink->at(sink, d->in->step);
    const double limit = -d->temperature * d->log_z;
    EBM_TRY(sink->emit(sink, "free_energy_limit", limit, NAN, error));
    EBM_TRY(sink->emit(sink, "free_energy_rise", rise, NAN, error));
    return sink->emit(sink, "free_energy_end_error", fabs(last - limit), NAN, error);
}

static ebm_status descent_estimate(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink,
                                   ebm_error *error) {
    const descent_options *o = options;
    const size_t mark = ebm_work_mark(inputs->work);
    descent d = {.in = inputs, .temperature = o->temperature};
    for (size_t k = 0; k < o->curve.count; k++)
        if (o->curve.values[k] != floor(o->curve.values[k]) || (k && o->curve.values[k] <= o->curve.values[k - 1]))
            return ebm_fail(error, EBM_INVALID, "curve: %g cannot be there: expected whole steps that ascend",
                            o->curve.values[k]);
    ebm_status status = create(&d, (size_t)o->limit, error);
    if (status == EBM_OK) {
        set_start(&d, o->start);
        status = follow(&d, o, sink, error);
    }
    ebm_work_release(inputs->work, mark);
    return status;
}

const ebm_estimator_type ebm_free_energy_descent = {
    .info = {"free-energy-descent", "free energy of a sampler's law, step by step, over all states",
             "Cover & Thomas 2006, section 4.4", descent_table, sizeof(descent_options)},
    .needs_sampler = true,
    .metrics = descent_metrics,
    .estimate = descent_estimate,
};
