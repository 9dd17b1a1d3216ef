/* Traces in memory, and their statistics (see traces.h). */
#include "traces.h"

#include "ebm/diagnostics.h"
#include "ebm/npy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double MOST_BYTES = 1 << 30;

ebm_status ebm_recording_create(const ebm_space *space, size_t chains, size_t draws, ebm_recording *out,
                                ebm_error *error) {
    *out = (ebm_recording){.chains = chains, .draws = draws};
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++)
        if (ebm_observable_applies(ebm_observable_at(i), space))
            out->observable[out->observables++] = ebm_observable_at(i);
    const double draws_in_all = (double)chains * (double)draws;
    const double bytes = draws_in_all * (double)out->observables * sizeof(double);
    if (bytes > MOST_BYTES || draws_in_all > INT32_MAX)
        return ebm_fail(error, EBM_INVALID,
                        "the traces of %zu observables, %zu chains and %zu draws need %.3g GiB: at most 1 GiB is "
                        "kept; lower `draws`, or raise `thin`",
                        out->observables, chains, draws, bytes / MOST_BYTES);
    out->values = ebm_alloc(out->observables * chains * draws, sizeof *out->values);
    return out->values ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for traces of %.3g bytes", bytes);
}

void ebm_recording_free(ebm_recording *recording) {
    free(recording->values);
    *recording = (ebm_recording){0};
}

ebm_status ebm_recording_add(ebm_recording *recording, const ebm_model *model, ebm_batch *batch, size_t draw,
                             ebm_work *work, ebm_error *error) {
    const size_t B = recording->chains, mark = ebm_work_mark(work);
    double *now = ebm_work_take(work, B, sizeof *now);
    if (!now)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the observables of %zu chains", B);
    ebm_model_field(model, batch, work);
    for (size_t o = 0; o < recording->observables; o++) {
        double *trace = recording->values + o * B * recording->draws + draw;
        recording->observable[o]->values(model, batch, now, work);
        for (size_t b = 0; b < B; b++)
            trace[b * recording->draws] = now[b];
    }
    ebm_work_release(work, mark);
    return EBM_OK;
}

double *ebm_recording_trace(const ebm_recording *recording, const char *observable) {
    for (size_t o = 0; o < recording->observables; o++)
        if (strcmp(recording->observable[o]->name, observable) == 0)
            return recording->values + o * recording->chains * recording->draws;
    return NULL;
}

ebm_status ebm_recording_save(const ebm_recording *recording, const char *path, ebm_error *error) {
    const size_t shape[] = {recording->observables, recording->chains, recording->draws};
    return ebm_npy_write(path, EBM_NPY_FLOAT64, 3, shape, recording->values, error);
}

/* Site updates are all proposals or all draws given the rest: proposals of whole states come without site updates. */
static double values_weighed(const ebm_chains *chains, const ebm_space *space) {
    const double updates = (double)chains->site_updates;
    const double proposed = fmin(chains->proposed, updates);
    if (space->domain == EBM_REAL_LINE)
        return updates > 0 ? NAN : 0;
    return proposed + (updates - proposed) * (double)(space->categories - 1);
}

ebm_walk_cost ebm_walk_cost_of(const ebm_chains *chains, const ebm_space *space, bool black_box) {
    ebm_walk_cost cost = {(double)chains->energy_evaluations, (double)chains->gradient_evaluations,
                          (double)chains->site_updates, 0, 0};
    cost.evaluations = cost.energies + cost.gradients + cost.site_updates / (double)space->size;
    cost.black_box = black_box ? cost.energies + cost.gradients + values_weighed(chains, space) : NAN;
    return cost;
}

static ebm_traces traces_of(const ebm_recording *recording) {
    return (ebm_traces){recording->values, recording->observables, recording->chains, recording->draws};
}

static ebm_status emit(ebm_sink *sink, const char *observable, const char *what, double value, double se,
                       ebm_error *error) {
    char name[80];
    snprintf(name, sizeof name, "%s%s", observable, what);
    /* Where a value is not defined, neither is its error. */
    return sink->emit(sink, name, value, isfinite(value) && isfinite(se) ? se : NAN, error);
}

static ebm_status report_one(const char *o, const ebm_trace_summary *s, const ebm_autocorrelation_time *t,
                             const ebm_walk_cost *cost, double sweeps_per_draw, ebm_sink *sink, ebm_error *error) {
    EBM_TRY(emit(sink, o, "", s->mean, s->mcse_mean, error));
    EBM_TRY(emit(sink, o, "_rhat", s->rhat, NAN, error));
    EBM_TRY(emit(sink, o, "_ess_bulk", s->ess_bulk, NAN, error));
    EBM_TRY(emit(sink, o, "_ess_tail", s->ess_tail, NAN, error));
    EBM_TRY(emit(sink, o, "_tau", t->tau, t->se, error));
    if (cost->site_updates > 0)
        EBM_TRY(emit(sink, o, "_tau_sweeps", t->tau * sweeps_per_draw, t->se * sweeps_per_draw, error));
    if (cost->evaluations > 0)
        EBM_TRY(emit(sink, o, "_ess_per_evaluation", s->ess_bulk / cost->evaluations, NAN, error));
    if (cost->black_box > 0)
        EBM_TRY(emit(sink, o, "_ess_per_black_box_evaluation", s->ess_bulk / cost->black_box, NAN, error));
    if (cost->gradients > 0)
        EBM_TRY(emit(sink, o, "_ess_per_gradient", s->ess_bulk / cost->gradients, NAN, error));
    return EBM_OK;
}

ebm_status ebm_recording_report(const ebm_recording *recording, const ebm_walk_cost *cost, size_t units, double window,
                                ebm_sink *sink, ebm_work *work, ebm_error *error) {
    ebm_trace_summary summary[EBM_OBSERVABLE_COUNT];
    ebm_autocorrelation_time time[EBM_OBSERVABLE_COUNT];
    const ebm_traces traces = traces_of(recording);
    const double draws = (double)recording->chains * (double)recording->draws;
    EBM_TRY(ebm_traces_summarise(&traces, summary, work, error));
    EBM_TRY(ebm_traces_autocorrelation_time(&traces, window, time, work, error));
    for (size_t o = 0; o < recording->observables; o++)
        EBM_TRY(report_one(recording->observable[o]->name, &summary[o], &time[o], cost,
                           cost->site_updates / (draws * (double)units), sink, error));
    return EBM_OK;
}

ebm_status ebm_recording_specific_heat(const ebm_recording *recording, double beta, size_t units, ebm_sink *sink,
                                       ebm_work *work, ebm_error *error) {
    const size_t draws = recording->chains * recording->draws, mark = ebm_work_mark(work);
    const double *energy = ebm_recording_trace(recording, "energy"), scale = beta * beta * (double)units;
    double *square = ebm_work_take(work, draws, sizeof *square), mean = 0;
    if (!square)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a trace of %zu draws", draws);
    for (size_t i = 0; i < draws; i++)
        mean += energy[i] / (double)draws;
    for (size_t i = 0; i < draws; i++)
        square[i] = scale * (energy[i] - mean) * (energy[i] - mean);
    ebm_trace_summary summary;
    const ebm_traces traces = {square, 1, recording->chains, recording->draws};
    ebm_status status = ebm_traces_summarise(&traces, &summary, work, error);
    ebm_work_release(work, mark);
    return status == EBM_OK ? emit(sink, "specific_heat", "", summary.mean, summary.mcse_mean, error) : status;
}

ebm_status ebm_recording_autocorrelations(const ebm_recording *recording, size_t lags, ebm_sink *sink, ebm_work *work,
                                          ebm_error *error) {
    size_t count = 0;
    while (count < lags && count < 63 && (size_t)1 << count < recording->draws)
        count++;
    if (count == 0)
        return EBM_OK;
    const size_t largest = (size_t)1 << (count - 1), mark = ebm_work_mark(work);
    double *rho = ebm_work_take(work, recording->observables * (largest + 1), sizeof *rho);
    const ebm_traces traces = traces_of(recording);
    ebm_status status = rho ? ebm_traces_autocorrelation(&traces, largest, rho, work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu lags", largest);
    for (size_t o = 0; o < recording->observables && status == EBM_OK; o++)
        for (size_t k = 0; k < count && status == EBM_OK; k++) {
            sink->at(sink, (uint64_t)1 << k);
            status = emit(sink, recording->observable[o]->name, "_autocorrelation",
                          rho[o * (largest + 1) + ((size_t)1 << k)], NAN, error);
        }
    ebm_work_release(work, mark);
    return status;
}
