/* The No-U-Turn sampler: Hamiltonian Monte Carlo whose trajectories double until they turn back, with states drawn along
 * them by their weights (Hoffman & Gelman 2014, "The No-U-Turn sampler"; Betancourt 2017, "A conceptual introduction to
 * Hamiltonian Monte Carlo").
 *
 *   H(x, r) = E(x) + |r|^2 / 2,   r ~ N(0, 1) drawn anew at each step,   leapfrog steps in units of the scales s
 *
 * What a trajectory is, how a state is drawn from it and why that keeps p: nuts_tree.c. In warm-up the step follows dual
 * averaging of the mean of min(1, exp(H(start) - H)) along trajectories, and s the spread of the chains (adaptation.h);
 * both are frozen afterwards. All chains share step and scales.
 *
 * A start in a far tail may be too steep for the step that suits all others, and would stay there. So in warm-up a chain
 * that has not moved halves its own step and doubles it back when it has; meanwhile it counts as rejecting all. */
#include "components.h"
#include "samplers/adaptation.h"
#include "samplers/nuts_tree.h"
#include "samplers/present.h"

#include <math.h>
#include <string.h>

typedef struct nuts_options {
    double step, target;
    int64_t max_depth;
    int mass;
} nuts_options;

enum { MASS_DIAGONAL, MASS_IDENTITY };
static const char *const mass_names[] = {"diagonal", "identity", NULL};

#define AT(member) offsetof(nuts_options, member)
static const ebm_option nuts_table[] = {
    {"step", EBM_OPTION_REAL, AT(step), "0", 0, 1e6, NULL, 0,
     "leapfrog step in units of the scales; 0: adapted in warm-up until acceptance is `target`"},
    {"target", EBM_OPTION_REAL, AT(target), "0.8", 0.05, 0.999, NULL, 0,
     "mean acceptance along trajectories that warm-up aims at"},
    {"mass", EBM_OPTION_CHOICE, AT(mass), "diagonal", 0, 0, mass_names, 0,
     "diagonal: scales are the units' standard deviations over all chains in warm-up; identity: scales are 1"},
    {"max_depth", EBM_OPTION_INT, AT(max_depth), "10", 1, EBM_NUTS_MAX_DEPTH, NULL, 0,
     "doublings of a trajectory at most: 2^max_depth - 1 leapfrog steps"},
    EBM_OPTIONS_END,
};

/* In chains->auxiliary: the counts, the adaptation, how often each chain has halved its step (B), and what is known of
 * the present states. */
typedef struct counts {
    uint64_t transitions, moved, divergent, saturated, depth, leaves;
    uint64_t units;
} counts;

enum { COUNT_BYTES = 64 };

static void *adaptation_of(const ebm_chains *chains) {
    return (char *)chains->auxiliary + COUNT_BYTES;
}

static size_t learnt_bytes(size_t units, size_t chains) {
    return COUNT_BYTES + ebm_adaptation_bytes(units) + (chains + 63) / 64 * 64;
}

static size_t nuts_auxiliary_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    const size_t V = model->space.size;
    (void)sampler;
    return ebm_present_after(learnt_bytes(V, chains), chains, V, true);
}

static uint8_t *halvings_of(const ebm_chains *chains) {
    return (uint8_t *)adaptation_of(chains) + ebm_adaptation_bytes(((const counts *)chains->auxiliary)->units);
}

/* The first step to try. Where each unit's scale is right, acceptance depends on step V^(1/4) (Beskos et al. 2013). */
static void nuts_auxiliary_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    const nuts_options *o = sampler->options;
    const size_t V = model->space.size;
    memset(chains->auxiliary, 0, learnt_bytes(V, chains->batch.count));
    ebm_present_forget(ebm_present_of(chains, learnt_bytes(V, chains->batch.count)));
    ((counts *)chains->auxiliary)->units = V;
    ebm_adaptation_start(adaptation_of(chains), V, o->step > 0 ? o->step : pow((double)V, -0.25));
}

static double step_of(const nuts_options *o, const ebm_chains *chains) {
    return o->step > 0 ? o->step : ebm_adaptation_step(adaptation_of(chains), chains->adapting);
}

/* What a transition of all chains was like. */
static void count(ebm_chains *chains, const ebm_nuts_outcome *outcome) {
    counts *total = chains->auxiliary;
    for (size_t b = 0; b < chains->batch.count; b++) {
        chains->accepted += outcome[b].acceptance;
        total->moved += outcome[b].moved;
        total->divergent += outcome[b].divergent;
        total->saturated += outcome[b].saturated;
        total->depth += outcome[b].depth;
        total->leaves += outcome[b].leaves;
    }
    total->transitions += chains->batch.count;
    chains->proposed += (double)chains->batch.count;
}

/* The mean acceptance at the common step, where a chain that needs a smaller one counts as 0; and the steps that they go
 * at next. */
static double free_the_stuck(const ebm_nuts_outcome *outcome, size_t B, uint8_t *halvings) {
    enum { MOST = 60 };
    double sum = 0;
    for (size_t b = 0; b < B; b++) {
        const bool own = halvings[b] > 0;
        sum += own ? 0 : outcome[b].acceptance;
        halvings[b] = (uint8_t)(outcome[b].moved ? halvings[b] - own : halvings[b] + (halvings[b] < MOST));
    }
    return sum / (double)B;
}

static ebm_status look(const ebm_nuts_walk *w, ebm_phase *here, ebm_work *work, ebm_error *error) {
    const ebm_chains *c = w->chains;
    const size_t V = w->model->space.size;
    const void *present = ebm_present_of(c, learnt_bytes(V, here->batch.count));
    if (!ebm_present_recall(present, &here->batch, V, w->path, here->energy, here->gradient))
        ebm_phase_look(w->model, w->path, here, w->chains, work);
    for (size_t b = 0; b < here->batch.count; b++)
        if (!isfinite(here->energy[b]))
            return ebm_fail(error, EBM_DIVERGED,
                            "the energy of chain %zu is %g: it has no finite energy to start from, or a parameter is "
                            "not finite",
                            (size_t)c->first_chain + b, here->energy[b]);
    return ebm_phase_check_gradient(w->model, here, c->first_chain, error);
}

static ebm_status walk_on(const nuts_options *o, ebm_nuts_walk *w, size_t steps, ebm_work *work, ebm_error *error) {
    ebm_chains *chains = w->chains;
    void *adaptation = adaptation_of(chains);
    const size_t B = w->here.batch.count;
    w->halvings = chains->adapting ? halvings_of(chains) : NULL;
    EBM_TRY(look(w, &w->here, work, error));
    for (size_t s = 0; s < steps; s++) {
        w->step = step_of(o, chains);
        w->scale = ebm_adaptation_scale(adaptation);
        EBM_TRY(ebm_nuts_transition(w, work, error));
        count(chains, w->outcome);
        if (!chains->adapting)
            continue;
        const double acceptance = free_the_stuck(w->outcome, B, halvings_of(chains));
        ebm_adaptation_update(adaptation, acceptance, o->target, B, w->here.batch.x,
                              chains->warmup_left > s ? chains->warmup_left - s : 0, o->mass == MASS_DIAGONAL);
    }
    const size_t V = w->model->space.size;
    ebm_present_keep(ebm_present_of(chains, learnt_bytes(V, B)), &w->here.batch, V, w->path, w->here.energy,
                     w->here.gradient);
    return EBM_OK;
}

static ebm_status nuts_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                            size_t steps, ebm_work *work, ebm_error *error) {
    const nuts_options *o = sampler->options;
    const size_t B = chains->batch.count, V = model->space.size, mark = ebm_work_mark(work);
    if (chains->auxiliary_bytes < nuts_auxiliary_bytes(sampler, model, B))
        return ebm_fail(error, EBM_INVALID, "sampler nuts: the chains have no step size and scales: attach them first");
    if (steps == 0)
        return EBM_OK;
    ebm_nuts_walk w = {
        .model = model,
        .path = path,
        .chains = chains,
        .here = {.batch = chains->batch,
                 .gradient = ebm_work_take(work, B, V * sizeof(ebm_real)),
                 .energy = ebm_work_take(work, B, sizeof(double))},
        .outcome = ebm_work_take(work, B, sizeof(ebm_nuts_outcome)),
        .max_depth = (size_t)o->max_depth,
    };
    ebm_status status = w.here.gradient && w.here.energy && w.outcome
                            ? walk_on(o, &w, steps, work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for the gradients of %zu chains", B);
    chains->batch.field_ok = status == EBM_OK && model->n_field == 0;
    chains->batch.hidden_ok = false;
    ebm_work_release(work, mark);
    return status;
}

static const ebm_metric nuts_metrics[] = {
    EBM_ADAPTATION_METRICS,
    {"divergences", "", true, "transitions whose energy grew by more than 1000"},
    {"tree_depth", "", true, "doublings of a trajectory, mean"},
    {"leapfrog_steps", "", true, "leapfrog steps of a trajectory, mean"},
    {"depth_saturated", "", true, "share of trajectories that max_depth cut short"},
    EBM_METRICS_END,
};

static ebm_status nuts_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink, ebm_error *error) {
    const counts *total = chains->auxiliary;
    if (!total)
        return ebm_fail(error, EBM_INVALID, "sampler nuts: the chains have no step size and scales: attach them first");
    const double n = (double)total->transitions, step = step_of(sampler->options, chains);
    if (n > 0 && total->moved == 0)
        return ebm_fail(
            error, EBM_DIVERGED,
            "sampler nuts: no chain has moved in %.0f trajectories at step %g, %.0f of them divergent: give "
            "a smaller `step`, or `step: 0` and a warm-up to find one",
            n, step, (double)total->divergent);
    EBM_TRY(ebm_adaptation_report(adaptation_of(chains), step, sink, error));
    EBM_TRY(sink->emit(sink, "divergences", (double)total->divergent, NAN, error));
    if (!(n > 0))
        return EBM_OK;
    EBM_TRY(sink->emit(sink, "tree_depth", (double)total->depth / n, NAN, error));
    EBM_TRY(sink->emit(sink, "leapfrog_steps", (double)total->leaves / n, NAN, error));
    return sink->emit(sink, "depth_saturated", (double)total->saturated / n, NAN, error);
}

static void nuts_reset_counters(const ebm_sampler *sampler, ebm_chains *chains) {
    (void)sampler;
    if (chains->auxiliary)
        memset(chains->auxiliary, 0, offsetof(counts, units));
}

const ebm_sampler_type ebm_nuts = {
    .info = {"nuts", "Hamiltonian Monte Carlo along trajectories that end where they turn back (No-U-Turn)",
             "Hoffman & Gelman 2014; Betancourt 2017", nuts_table, sizeof(nuts_options)},
    .needs = EBM_SLOT_GRAD_X,
    .domains = 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = true,
    .metrics = nuts_metrics,
    .auxiliary_bytes = nuts_auxiliary_bytes,
    .auxiliary_start = nuts_auxiliary_start,
    .step = nuts_step,
    .report = nuts_report,
    .reset_counters = nuts_reset_counters,
};
