/* How fast a sampler moves on a model as it stands: integrated autocorrelation times (diagnostics.h: Sokal's window) of
 * observables along chains that start from exact draws where these can be had, else from examples, and are warmed up.
 * For watching mixing while a model is trained; the runner `mix` is for comparing samplers.
 *
 * A time that cannot be had (a constant trace, chains too short for the window to close) gives no row.
 *
 * Where the states can be listed and the sampler knows its transition matrix, nothing walks: the times are those of the
 * fundamental matrix, without sampling error, and chains that never leave a mode cannot hide it. */
#include "estimators/estimators.h"

#include "ebm/diagnostics.h"
#include "ebm/enumerate.h"
#include "ebm/likelihood.h"
#include "ebm/observable.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct time_options {
    int64_t chains, warmup, draws, exact_states;
} time_options;

#define AT(member) offsetof(time_options, member)
static const ebm_option time_table[] = {
    {"chains", EBM_OPTION_INT, AT(chains), "20", 1, 100000, NULL, 0, "chains that walk side by side"},
    {"warmup", EBM_OPTION_INT, AT(warmup), "100", 0, 1e9, NULL, 0, "sampler steps before the first draw"},
    {"draws", EBM_OPTION_INT, AT(draws), "1000", 2, 1e8, NULL, 0, "sampler steps that are looked at"},
    {"exact_states", EBM_OPTION_INT, AT(exact_states), "1024", 0, EBM_MAX_CHAIN_STATES, NULL, 0,
     "exact times instead of walks on spaces of at most so many states; 0: never"},
    EBM_OPTIONS_END,
};

static const char *const watched[] = {"energy", "magnetisation", "m2"};
enum { WATCHED = sizeof watched / sizeof *watched };

static const ebm_metric time_metrics[] = {
    {"autocorrelation_time_energy", "steps", true, "integrated autocorrelation time of the energy per unit"},
    {"autocorrelation_time_magnetisation", "steps", true, "of the mean of the units"},
    {"autocorrelation_time_m2", "steps", true, "of the squared mean, or of the order parameter of categories"},
    EBM_METRICS_END,
};

static ebm_status start_chains(const ebm_estimate_inputs *in, ebm_chains *chains, ebm_error *error) {
    const ebm_model *model = in->model;
    ebm_batch *batch = &chains->batch;
    chains->step = ebm_estimate_step(in) + 2;
    bool exact = model->type->sample_exact && model->type->sample_exact(model, in->path, batch, chains->stream, 0,
                                                                        chains->step - 2, in->work, NULL) == EBM_OK;
    if (!exact) {
        const ebm_examples *half = in->data->test.count ? &in->data->test : &in->data->train;
        if (half->count == 0)
            return ebm_fail(error, EBM_INVALID, "autocorrelation-time needs an example to start from");
        for (size_t b = 0; b < batch->count; b++)
            ebm_examples_fixed(in->data, half, b % half->count, 1, batch->x + b * model->space.size);
    }
    batch->field_ok = batch->hidden_ok = false;
    return ebm_sampler_attach(in->sampler, model, chains, error);
}

/* traces (WATCHED, chains, draws) */
static ebm_status walk(const time_options *o, const ebm_estimate_inputs *in, ebm_chains *chains, double *traces,
                       ebm_error *error) {
    const size_t B = chains->batch.count, draws = (size_t)o->draws, mark = ebm_work_mark(in->work);
    double *values = ebm_work_take(in->work, B, sizeof *values);
    if (!values)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu values", B);
    EBM_TRY(in->sampler->type->step(in->sampler, in->model, in->path, chains, (size_t)o->warmup, in->work, error));
    for (size_t t = 0; t < draws; t++) {
        EBM_TRY(in->sampler->type->step(in->sampler, in->model, in->path, chains, 1, in->work, error));
        ebm_model_field(in->model, &chains->batch, in->work);
        for (size_t k = 0; k < WATCHED; k++) {
            const ebm_observable *f = ebm_observable_find(watched[k]);
            if (!(f->domains >> in->model->space.domain & 1u))
                continue;
            f->values(in->model, &chains->batch, values, in->work);
            for (size_t b = 0; b < B; b++)
                traces[(k * B + b) * draws + t] = values[b];
        }
    }
    ebm_work_release(in->work, mark);
    return EBM_OK;
}

static ebm_status emit_times(const ebm_estimate_inputs *in, const double *values, size_t chains, size_t draws,
                             ebm_sink *sink, ebm_error *error) {
    for (size_t k = 0; k < WATCHED; k++) {
        const ebm_traces traces = {values + k * chains * draws, 1, chains, draws};
        ebm_autocorrelation_time time;
        char name[64];
        EBM_TRY(ebm_traces_autocorrelation_time(&traces, EBM_SOKAL_WINDOW, &time, in->work, error));
        snprintf(name, sizeof name, "autocorrelation_time_%s", watched[k]);
        if (isfinite(time.tau))
            EBM_TRY(sink->emit(sink, name, time.tau, time.se, error));
    }
    return EBM_OK;
}

static ebm_status emit_exact(const ebm_estimate_inputs *in, size_t S, bool *done, ebm_sink *sink, ebm_error *error) {
    double *T = ebm_work_take(in->work, S * S, sizeof *T), *pi = ebm_work_take(in->work, S, sizeof *pi);
    double *f = ebm_work_take(in->work, WATCHED * S, sizeof *f), tau[WATCHED];
    *done = false;
    if (!T || !pi || !f)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a matrix of %zu states", S);
    ebm_status status = in->sampler->type->kernel(in->sampler, in->model, in->path, S, T, in->work, error);
    if (status == EBM_UNSUPPORTED) /* the sampler's own limit: walk */
        return EBM_OK;
    EBM_TRY(status);
    EBM_TRY(ebm_model_log_probabilities(in->model, in->path, pi, NULL, in->work, error));
    for (size_t s = 0; s < S; s++)
        pi[s] = exp(pi[s]);
    size_t count = 0;
    const char *names[WATCHED];
    for (size_t k = 0; k < WATCHED; k++) {
        const ebm_observable *observable = ebm_observable_find(watched[k]);
        if (!ebm_observable_applies(observable, &in->model->space))
            continue;
        EBM_TRY(ebm_observable_list(observable, in->model, f + count * S, in->work, error));
        names[count++] = watched[k];
    }
    status = ebm_exact_chain_autocorrelation_time(&(ebm_exact_chain){T, pi, S}, f, count, tau, in->work, error);
    if (status == EBM_DIVERGED) /* reducible as far as double can tell: there is no time */
        count = 0;
    else
        EBM_TRY(status);
    for (size_t k = 0; k < count; k++) {
        char name[64];
        snprintf(name, sizeof name, "autocorrelation_time_%s", names[k]);
        if (isfinite(tau[k]))
            EBM_TRY(sink->emit(sink, name, tau[k], NAN, error));
    }
    *done = true;
    return EBM_OK;
}

static ebm_status time_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    const time_options *o = options;
    const size_t B = (size_t)o->chains, draws = (size_t)o->draws, mark = ebm_work_mark(in->work);
    if (!ebm_space_equal(&in->model->space, &in->data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    const size_t S = ebm_states_count(&in->model->space);
    if (S > 0 && S <= (size_t)o->exact_states && in->sampler->type->kernel && !in->sampler->type->copies) {
        bool done;
        const ebm_status exact = emit_exact(in, S, &done, sink, error);
        ebm_work_release(in->work, mark);
        if (exact != EBM_OK || done)
            return exact;
    }
    double *traces =
        draws <= SIZE_MAX / WATCHED / B ? ebm_work_take(in->work, WATCHED * B * draws, sizeof *traces) : NULL;
    if (!traces)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for traces of %zu chains and %zu draws", B, draws);
    memset(traces, 0, WATCHED * B * draws * sizeof *traces);
    ebm_chains chains = {0};
    ebm_status status =
        ebm_chains_create(in->model, B, ebm_stream_of(in->seed, EBM_PURPOSE_AUTOCORRELATION), &chains, error);
    if (status == EBM_OK)
        status = start_chains(in, &chains, error);
    if (status == EBM_OK)
        status = walk(o, in, &chains, traces, error);
    if (status == EBM_OK)
        status = emit_times(in, traces, B, draws, sink, error);
    ebm_chains_free(&chains);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_autocorrelation_time_estimator = {
    .info = {"autocorrelation-time", "how many sampler steps observables remember, on the model as it stands",
             "Sokal 1997; Madras & Sokal 1988", time_table, sizeof(time_options)},
    .needs_data = true,
    .needs_sampler = true,
    .metrics = time_metrics,
    .estimate = time_estimate,
};
