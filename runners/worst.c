/* The worst observable of a walk (see worst.h). */
#include "worst.h"

#include "ebm/diagnostics.h"

#include <math.h>

static const double SETTLED = 1.01;

typedef struct worst {
    double ess, rhat, tau, z;
    bool known; /* of some observable the exact mean */
} worst;

/* The larger one; NAN where one of them is. */
static double larger(double a, double b) {
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

static ebm_status look_at(const ebm_observable *observable, const ebm_trace_summary *s,
                          const ebm_autocorrelation_time *t, const ebm_model *model, ebm_path path, size_t states,
                          worst *w, ebm_work *work, ebm_error *error) {
    double exact;
    w->ess = -larger(-w->ess, -s->ess_bulk);
    w->rhat = larger(w->rhat, s->rhat);
    w->tau = larger(w->tau, t->tau);
    const ebm_status status = ebm_observable_exact_mean(observable, model, path, states, &exact, work, error);
    if (status == EBM_UNSUPPORTED)
        return EBM_OK;
    w->z = larger(w->z, fabs(s->mean - exact) / s->mcse_mean);
    w->known = true;
    return status;
}

ebm_status ebm_worst_report(const ebm_recording *recording, const ebm_model *model, ebm_path path, size_t states,
                            const ebm_walk_cost *cost, double window, bool exact, ebm_sink *sink, ebm_work *work,
                            ebm_error *error) {
    ebm_trace_summary summary[EBM_OBSERVABLE_COUNT];
    ebm_autocorrelation_time time[EBM_OBSERVABLE_COUNT];
    const ebm_traces traces = {recording->values, recording->observables, recording->chains, recording->draws};
    worst w = {.ess = INFINITY};
    EBM_TRY(ebm_traces_summarise(&traces, summary, work, error));
    EBM_TRY(ebm_traces_autocorrelation_time(&traces, window, time, work, error));
    for (size_t o = 0; o < recording->observables; o++)
        EBM_TRY(look_at(recording->observable[o], &summary[o], &time[o], model, path, states, &w, work, error));
    EBM_TRY(sink->emit(sink, "least_ess", w.ess, NAN, error));
    if (cost->evaluations > 0)
        EBM_TRY(sink->emit(sink, "least_ess_per_evaluation", w.ess / cost->evaluations, NAN, error));
    if (cost->gradients > 0)
        EBM_TRY(sink->emit(sink, "least_ess_per_gradient", w.ess / cost->gradients, NAN, error));
    EBM_TRY(sink->emit(sink, "largest_rhat", w.rhat, NAN, error));
    EBM_TRY(sink->emit(sink, "longest_tau", w.tau, NAN, error));
    if (w.known)
        EBM_TRY(sink->emit(sink, "largest_z", w.z, NAN, error));
    return w.known && exact && w.rhat <= SETTLED ? sink->emit(sink, "settled_z", w.z, NAN, error) : EBM_OK;
}
