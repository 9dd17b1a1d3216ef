/* The runner `mix`: chains of a sampler on a model as it is, measured against what is known exactly.
 *
 * Every chain starts at a point of its own, warms up (a sampler may adapt then and not later), and is recorded. Row step:
 * draws of a chain; o_autocorrelation stands at its lag in draws, and curves of estimators at steps of their own. What
 * is not defined, such as R-hat of a constant trace, is an empty value: it keeps no check's bound, and `derive` leaves
 * it out. Temperature T: p proportional to exp(-E / T); energies are those at T = 1. */
#include "exact_law.h"
#include "measure.h"
#include "runners.h"
#include "shown.h"
#include "traces.h"
#include "worst.h"

#include "ebm/stein.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct mix_options {
    int64_t chains, warmup, draws, thin, states, lags, exact_states;
    double temperature, window, dispersion;
    int start;
    bool traces, mmd, stein, black_box, worst;
    char *observables;
} mix_options;

typedef enum mix_start { START_OVERDISPERSED, START_UNIFORM, START_EXACT } mix_start;
static const char *const start_names[] = {"overdispersed", "uniform", "exact", NULL};

#define AT(member) offsetof(mix_options, member)
static const ebm_option mix_table[] = {
    {"chains", EBM_OPTION_INT, AT(chains), "4", 1, 1e7, NULL, 0, "chains, each with its own random numbers"},
    {"warmup", EBM_OPTION_INT, AT(warmup), "1000", 0, 1e12, NULL, 0, "steps of the sampler before the first draw"},
    {"draws", EBM_OPTION_INT, AT(draws), "1000", 1, 1e9, NULL, 0, "draws of each chain"},
    {"thin", EBM_OPTION_INT, AT(thin), "1", 1, 1e9, NULL, 0,
     "steps of the sampler that make a draw; autocorrelation times are in draws"},
    {"temperature", EBM_OPTION_REAL, AT(temperature), "1", 1e-9, 1e9, NULL, 0, "T in p = exp(-E / T) / Z"},
    {"start", EBM_OPTION_CHOICE, AT(start), "overdispersed", 0, 0, start_names, 0,
     "overdispersed: even chains with every unit uniform, odd ones with all units at one value (real units: "
     "N(0, dispersion^2)); uniform (real units: N(0, 1)); exact: independent draws of the model"},
    {"dispersion", EBM_OPTION_REAL, AT(dispersion), "10", 0, 1e6, NULL, 0,
     "standard deviation of overdispersed starts of real units"},
    {"observables", EBM_OPTION_STRING, AT(observables), NULL, 0, 0, NULL, 0,
     "which observables get rows of their own, with commas between, or none; left out: all"},
    {"traces", EBM_OPTION_BOOL, AT(traces), "false", 0, 0, NULL, 0,
     "side file traces.npy: (observables, chains, draws), the observables in the order of the rows"},
    {"states", EBM_OPTION_INT, AT(states), "0", 0, 10000, NULL, 0,
     "side file states.csv: a sheet of the last states of so many chains, where they are pictures"},
    {"lags", EBM_OPTION_INT, AT(lags), "0", 0, 40, NULL, 0,
     "rows of each autocorrelation function, at lags 1, 2, 4 ... in draws"},
    {"window", EBM_OPTION_REAL, AT(window), "5", 1, 1e6, NULL, 0,
     "Sokal's constant c: autocorrelation times sum up to lag c tau; a slow mode of small weight, which a short window "
     "cuts off, needs 30 or more"},
    {"exact_states", EBM_OPTION_INT, AT(exact_states), "65536", 0, 4194304, NULL, 0,
     "list all states for exact values where there are at most so many; 0: never"},
    {"mmd", EBM_OPTION_BOOL, AT(mmd), "false", 0, 0, NULL, 0,
     "compare the last states with exact draws, where they can be had; costs chains^2"},
    {"stein", EBM_OPTION_BOOL, AT(stein), "false", 0, 0, NULL, 0,
     "compare the last states with the law's score, on real units; costs chains^2"},
    {"black_box", EBM_OPTION_BOOL, AT(black_box), "false", 0, 0, NULL, 0,
     "count the cost also for someone who can only ask for energies of whole states and for their gradients"},
    {"worst", EBM_OPTION_BOOL, AT(worst), "false", 0, 0, NULL, 0,
     "rows of the observable that comes off worst: least ESS, largest R-hat and error"},
    EBM_OPTIONS_END,
};

/* A case under way. */
typedef struct walk {
    const ebm_case *c;
    const mix_options *options;
    ebm_subject subject;
    ebm_exact_law law;
    ebm_chains chains;
    ebm_recording recording;
} walk;

/* All units of the row at one value drawn for the chain. */
static void start_aligned(const ebm_space *space, ebm_stream stream, uint32_t chain, uint64_t step, ebm_real *row) {
    ebm_real value;
    if (space->domain == EBM_REAL_LINE) {
        ebm_random_normal_plain(stream, chain, step, 1, &value);
    } else {
        const uint32_t digit = ebm_random_below(stream, chain, step, 0, (uint32_t)space->categories);
        value = (ebm_real)(space->domain == EBM_SPIN ? 2.0 * digit - 1 : (double)digit);
    }
    for (size_t i = 0; i < space->size; i++)
        row[i] = value;
}

enum { ATTEMPTS = 1000 }; /* at a start of finite energy */

/* Row b of the chains at its start number `attempt`, without the model having a say. */
static void start_row(walk *w, const ebm_base *uniform, size_t b, uint64_t attempt) {
    const ebm_space *space = &w->subject.model.space;
    const ebm_stream stream = ebm_stream_of(w->c->seed, EBM_PURPOSE_CHAIN_START);
    const bool dispersed = w->options->start == START_OVERDISPERSED;
    ebm_real *row = w->chains.batch.x + b * space->size;
    if (dispersed && b % 2 == 1)
        start_aligned(space, stream, (uint32_t)b, attempt, row);
    else
        ebm_base_sample(uniform, 1, stream, (uint32_t)b, attempt, row, w->subject.work);
    for (size_t i = 0; dispersed && space->domain == EBM_REAL_LINE && i < space->size; i++)
        row[i] *= (ebm_real)w->options->dispersion;
}

/* Rows into states that the model can be in (whole numbers for counts, say): h drawn given the rows, then x given h. */
static void start_by_blocks(walk *w) {
    const ebm_model *model = &w->subject.model;
    ebm_batch *batch = &w->chains.batch;
    const ebm_stream stream = ebm_stream_of(w->c->seed, EBM_PURPOSE_CHAIN_START);
    model->type->sample_hidden(model, w->subject.path, batch, stream, 0, ATTEMPTS, w->subject.work);
    model->type->sample_visible(model, w->subject.path, batch, stream, 0, ATTEMPTS + 1, w->subject.work);
    ebm_model_field(model, batch, w->subject.work);
}

static size_t starts_without_energy(walk *w, double *energy) {
    const ebm_batch *batch = &w->chains.batch;
    size_t wrong = 0;
    w->subject.model.type->energy(&w->subject.model, w->subject.path, batch, energy, w->subject.work);
    for (size_t b = 0; b < batch->count; b++)
        wrong += !isfinite(energy[b]);
    return wrong;
}

/* Where a start has no finite energy (a variance below 0, say), the chain is started anew; where the model draws in blocks, one
 * sweep of it comes first. */
static ebm_status start_blindly(walk *w, ebm_error *error) {
    const ebm_model *model = &w->subject.model;
    ebm_batch *batch = &w->chains.batch;
    ebm_base uniform;
    EBM_TRY(ebm_base_fit(&model->space, NULL, 0, &uniform, error));
    const size_t mark = ebm_work_mark(w->subject.work);
    double *energy = ebm_work_take(w->subject.work, batch->count, sizeof *energy);
    size_t wrong = batch->count;
    for (size_t b = 0; energy && b < batch->count; b++)
        energy[b] = INFINITY;
    for (uint64_t attempt = 0; energy && wrong > 0 && attempt < ATTEMPTS; attempt++) {
        for (size_t b = 0; b < batch->count; b++)
            if (!isfinite(energy[b]))
                start_row(w, &uniform, b, attempt);
        batch->field_ok = false;
        ebm_model_field(model, batch, w->subject.work);
        wrong = starts_without_energy(w, energy);
        if (wrong > 0 && attempt == 0 && ebm_model_slots(model->type) & EBM_SLOT_BLOCK) {
            start_by_blocks(w);
            wrong = starts_without_energy(w, energy);
        }
    }
    ebm_work_release(w->subject.work, mark);
    ebm_base_free(&uniform);
    if (!energy)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the energies of %zu chains", batch->count);
    if (wrong > 0)
        return ebm_fail(error, EBM_DIVERGED, "%zu of %zu chains found no start of finite energy in %d attempts", wrong,
                        batch->count, (int)ATTEMPTS);
    return EBM_OK;
}

static ebm_status start_chains(walk *w, ebm_error *error) {
    ebm_batch *batch = &w->chains.batch;
    if (w->options->start == START_EXACT)
        EBM_TRY(ebm_exact_law_draw(&w->law, batch, ebm_stream_of(w->c->seed, EBM_PURPOSE_CHAIN_START), 0,
                                   w->subject.work, error));
    else
        EBM_TRY(start_blindly(w, error));
    batch->field_ok = batch->hidden_ok = false;
    return ebm_sampler_attach(&w->subject.sampler, &w->subject.model, &w->chains, error);
}

/* What a checkpoint keeps of the chains beside their arrays. The field is kept with them: brought up to date flip by
 * flip it may differ in rounding from one worked out anew. */
typedef struct position {
    uint64_t warmed, drawn, step, energy_evaluations, gradient_evaluations, site_updates;
    double accepted, proposed;
    uint64_t field_ok, hidden_ok;
} position;

static void save_position(const ebm_chains *chains, position *at) {
    at->step = chains->step;
    at->energy_evaluations = chains->energy_evaluations;
    at->gradient_evaluations = chains->gradient_evaluations;
    at->site_updates = chains->site_updates;
    at->accepted = chains->accepted;
    at->proposed = chains->proposed;
    at->field_ok = chains->batch.field_ok;
    at->hidden_ok = chains->batch.hidden_ok;
}

static void restore_position(ebm_chains *chains, const position *at) {
    chains->step = at->step;
    chains->energy_evaluations = at->energy_evaluations;
    chains->gradient_evaluations = at->gradient_evaluations;
    chains->site_updates = at->site_updates;
    chains->accepted = at->accepted;
    chains->proposed = at->proposed;
    chains->batch.field_ok = at->field_ok != 0;
    chains->batch.hidden_ok = at->hidden_ok != 0;
}

static size_t regions_of(walk *w, position *at, ebm_region *out) {
    const ebm_model *model = &w->subject.model;
    ebm_chains *chains = &w->chains;
    const size_t B = chains->batch.count, values = w->recording.observables * B * w->recording.draws;
    size_t n = 0;
    out[n++] = (ebm_region){at, sizeof *at};
    out[n++] = (ebm_region){chains->batch.x, B * model->space.size * sizeof(ebm_real)};
    out[n++] = (ebm_region){chains->batch.field, B * model->n_field * sizeof(ebm_real)};
    out[n++] = (ebm_region){chains->batch.hidden, B * model->n_hidden * sizeof(ebm_real)};
    out[n++] = (ebm_region){chains->auxiliary, chains->auxiliary_bytes};
    out[n++] = (ebm_region){w->recording.values, values * sizeof(double)};
    return n;
}

static ebm_status step(walk *w, uint64_t sweeps, ebm_error *error) {
    ebm_subject *s = &w->subject;
    return s->sampler.type->step(&s->sampler, &s->model, s->path, &w->chains, (size_t)sweeps, s->work, error);
}

/* Checkpoint, stop and progress where they are due. */
static ebm_status look_up(walk *w, position *at, double fraction, ebm_output *output, ebm_error *error) {
    ebm_region regions[EBM_MAX_REGIONS];
    output->progress(output, fraction);
    if (!output->checkpoint_due(output))
        return EBM_OK;
    save_position(&w->chains, at);
    EBM_TRY(output->checkpoint(output, regions, regions_of(w, at, regions), error));
    if (!output->stop_requested(output))
        return EBM_OK;
    return ebm_fail(error, EBM_INTERRUPTED, "stopped after %llu steps of warm-up and %llu draws; a checkpoint is saved",
                    (unsigned long long)at->warmed, (unsigned long long)at->drawn);
}

/* Steps between two looks at the clock: about 2^20 site updates. A function of shapes alone, since an adapting sampler
 * may see how its steps are grouped. */
static uint64_t steps_at_once(const walk *w) {
    const uint64_t sites = (uint64_t)w->chains.batch.count * w->subject.model.space.size;
    return sites < (uint64_t)1 << 20 ? ((uint64_t)1 << 20) / sites : 1;
}

/* From the start, or from a checkpoint, to the last draw. */
static ebm_status walk_on(walk *w, ebm_output *output, ebm_error *error) {
    const mix_options *o = w->options;
    const uint64_t warmup = (uint64_t)o->warmup, draws = (uint64_t)o->draws, thin = (uint64_t)o->thin;
    const uint64_t at_once = steps_at_once(w), every = at_once > thin ? at_once / thin : 1;
    const double total = (double)warmup + (double)draws * (double)thin;
    ebm_region regions[EBM_MAX_REGIONS];
    position at = {0};
    bool found;
    EBM_TRY(output->restore(output, regions, regions_of(w, &at, regions), &found, error));
    if (found)
        restore_position(&w->chains, &at);
    w->chains.adapting = true;
    while (at.warmed < warmup) {
        const uint64_t sweeps = warmup - at.warmed < at_once ? warmup - at.warmed : at_once;
        w->chains.warmup_left = warmup - at.warmed;
        EBM_TRY(step(w, sweeps, error));
        at.warmed += sweeps;
        if (at.warmed == warmup)
            ebm_chains_reset_counters(&w->subject.sampler, &w->chains);
        EBM_TRY(look_up(w, &at, (double)at.warmed / total, output, error));
    }
    w->chains.adapting = false;
    w->chains.warmup_left = 0;
    while (at.drawn < draws) {
        EBM_TRY(step(w, thin, error));
        EBM_TRY(ebm_recording_add(&w->recording, &w->subject.model, &w->chains.batch, (size_t)at.drawn++,
                                  w->subject.work, error));
        if (at.drawn % every == 0 || at.drawn == draws)
            EBM_TRY(look_up(w, &at, ((double)warmup + (double)at.drawn * (double)thin) / total, output, error));
    }
    return EBM_OK;
}

static ebm_status report_cost(const walk *w, const ebm_walk_cost *cost, ebm_sink *sink, ebm_error *error) {
    const double draws = (double)w->recording.chains * (double)w->recording.draws;
    if (w->chains.proposed > 0)
        EBM_TRY(sink->emit(sink, "acceptance", w->chains.accepted / w->chains.proposed, NAN, error));
    EBM_TRY(sink->emit(sink, "evaluations_per_draw", cost->evaluations / draws, NAN, error));
    if (cost->black_box > 0)
        EBM_TRY(sink->emit(sink, "black_box_evaluations_per_draw", cost->black_box / draws, NAN, error));
    EBM_TRY(sink->emit(sink, "energy_evaluations", cost->energies / draws, NAN, error));
    EBM_TRY(sink->emit(sink, "gradient_evaluations", cost->gradients / draws, NAN, error));
    return sink->emit(sink, "site_updates", cost->site_updates / draws, NAN, error);
}

/* Emits stein and stein_p of the last states; empty where they are all equal or not finite. */
static ebm_status report_stein(walk *w, ebm_sink *sink, ebm_error *error) {
    enum { REPLICATES = 999 };
    const ebm_model *model = &w->subject.model;
    const ebm_stream stream = ebm_stream_of(w->c->seed, EBM_PURPOSE_ESTIMATE);
    ebm_stein stein = {.squared = NAN, .se = NAN, .p_value = NAN};
    if (model->space.domain != EBM_REAL_LINE || !model->type->grad_x || w->chains.batch.count < 2)
        return EBM_OK;
    const ebm_status status = ebm_stein_of_states(model, w->subject.path, &w->chains.batch, 0, REPLICATES, stream, 0,
                                                  &stein, w->subject.work, error);
    if (status != EBM_OK && status != EBM_INVALID && status != EBM_DIVERGED)
        return status;
    EBM_TRY(sink->emit(sink, "stein", stein.squared, stein.se, error));
    return sink->emit(sink, "stein_p", stein.p_value, NAN, error);
}

static ebm_status report(walk *w, ebm_output *output, ebm_error *error) {
    const mix_options *o = w->options;
    const ebm_subject *s = &w->subject;
    const size_t V = s->model.space.size, B = w->chains.batch.count;
    ebm_sink *sink = &output->sink;
    ebm_shown shown;
    EBM_TRY(ebm_shown_create(o->observables, sink, &shown, error));
    const ebm_walk_cost cost = ebm_walk_cost_of(&w->chains, &s->model.space, o->black_box);
    EBM_TRY(ebm_recording_report(&w->recording, &cost, V, o->window, &shown.sink, s->work, error));
    if (o->worst)
        EBM_TRY(ebm_worst_report(&w->recording, &s->model, s->path, (size_t)o->exact_states, &cost, o->window,
                                 s->sampler.exact, sink, s->work, error));
    if (s->model.n_hidden == 0)
        EBM_TRY(ebm_recording_specific_heat(&w->recording, s->path.beta, V, &shown.sink, s->work, error));
    EBM_TRY(ebm_exact_law_report(&w->law, &shown.sink, s->work, error));
    EBM_TRY(report_cost(w, &cost, sink, error));
    EBM_TRY(ebm_exact_law_chi_square(&w->law, w->chains.batch.x, B, sink, s->work, error));
    if (o->mmd)
        EBM_TRY(ebm_exact_law_mmd(&w->law, w->chains.batch.x, B, w->c->seed, sink, s->work, error));
    EBM_TRY(ebm_exact_law_kolmogorov(&w->law, w->chains.batch.x, B, sink, s->work, error));
    if (o->stein)
        EBM_TRY(report_stein(w, sink, error));
    EBM_TRY(ebm_recording_autocorrelations(&w->recording, (size_t)o->lags, &shown.sink, s->work, error));
    output->step = (uint64_t)o->draws;
    EBM_TRY(ebm_measure(w->c, s, 0, w->c->n_measures, output, error));
    if (s->sampler.type->report)
        EBM_TRY(s->sampler.type->report(&s->sampler, &w->chains, sink, error));
    output->step = (uint64_t)o->draws;
    return EBM_OK;
}

static ebm_status save_side_files(walk *w, ebm_output *output, ebm_error *error) {
    const mix_options *o = w->options;
    const size_t B = w->chains.batch.count, shown = (size_t)o->states < B ? (size_t)o->states : B;
    char path[4096];
    if (o->traces) {
        EBM_TRY(output->artifact(output, "traces.npy", path, sizeof path, error));
        EBM_TRY(ebm_recording_save(&w->recording, path, error));
    }
    if (shown > 0 && w->subject.model.space.rank >= 2) {
        EBM_TRY(output->artifact(output, "states.csv", path, sizeof path, error));
        EBM_TRY(ebm_states_sheet(&w->subject.model.space, w->chains.batch.x, shown, 0, path, w->subject.work, error));
    }
    return EBM_OK;
}

static ebm_status prepare(walk *w, int threads, ebm_error *error) {
    const mix_options *o = w->options;
    ebm_subject *s = &w->subject;
    ebm_shown shown;
    EBM_TRY(ebm_shown_create(o->observables, NULL, &shown, error));
    EBM_TRY(ebm_subject_create(w->c, threads, s, error));
    s->path = (ebm_path){NULL, 1 / o->temperature};
    s->thin = (size_t)o->thin;
    EBM_TRY(ebm_recording_create(&s->model.space, (size_t)o->chains, (size_t)o->draws, &w->recording, error));
    EBM_TRY(ebm_exact_law_create(&s->model, s->path, (size_t)o->exact_states, &w->law, s->work, error));
    EBM_TRY(ebm_chains_create(&s->model, (size_t)o->chains, ebm_stream_of(w->c->seed, EBM_PURPOSE_SAMPLE), &w->chains,
                              error));
    return start_chains(w, error);
}

static ebm_status mix_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    walk w = {.c = c, .options = c->run};
    ebm_status status = prepare(&w, threads, error);
    output->step = (uint64_t)w.options->draws;
    if (status == EBM_OK)
        status = walk_on(&w, output, error);
    if (status == EBM_OK)
        status = report(&w, output, error);
    if (status == EBM_OK)
        status = save_side_files(&w, output, error);
    ebm_chains_free(&w.chains);
    ebm_exact_law_free(&w.law);
    ebm_recording_free(&w.recording);
    ebm_subject_free(&w.subject);
    return status;
}

#define OBSERVABLE_METRICS(name, domains, least_units, unit, about)                                                    \
    {#name, unit, true, about "; mean over all draws, s.e. by Geyer's ESS"},                                           \
        {#name "_exact", unit, false, "its mean, by formula or enumeration"},                                          \
        {#name "_rhat", "", true, "rank-normalised split R-hat"},                                                      \
        {#name "_ess_bulk", "draws", true, "effective sample size of the bulk"},                                       \
        {#name "_ess_tail", "draws", true, "effective sample size of the 5 % and 95 % quantiles"},                     \
        {#name "_tau", "draws", true, "integrated autocorrelation time, 1 for independent draws"},                     \
        {#name "_tau_sweeps", "sweeps", true, "the same in V site updates of a chain"},                                \
        {#name "_ess_per_evaluation", "", true, "bulk ESS over energies + gradients + site updates / V"},              \
        {#name "_ess_per_black_box_evaluation", "", true, "bulk ESS over black-box evaluations, with `black_box`"},    \
        {#name "_ess_per_gradient", "", true, "bulk ESS over gradients"},                                              \
        {#name "_autocorrelation", "", true, "autocorrelation; the row's step is the lag in draws"},

static const ebm_metric mix_metrics[] = {
    EBM_OBSERVABLES(OBSERVABLE_METRICS) /* */
    {"specific_heat", "", true, "beta^2 V Var(E / V), without hidden units; s.e. by Geyer's ESS of (e - mean)^2"},
    {"specific_heat_exact", "", false, "its exact value, by formula or enumeration"},
    {"energy_infinite", "nats", false, "energy per unit of the infinite system"},
    {"abs_magnetisation_infinite", "", false, "|m| of the infinite system"},
    {"specific_heat_infinite", "", false, "specific heat of the infinite system"},
    {"acceptance", "", true, "share of the Metropolis-Hastings proposals accepted"},
    {"evaluations_per_draw", "", true, "energies + gradients + site updates / V, a draw of a chain"},
    {"black_box_evaluations_per_draw", "", true,
     "energies + gradients + one energy for each other value that a site update weighs: 1 of a Metropolis proposal, "
     "q - 1 of q values; a draw of a chain, with `black_box`"},
    {"energy_evaluations", "", true, "energies of whole states, a draw of a chain"},
    {"gradient_evaluations", "", true, "gradients, a draw of a chain"},
    {"site_updates", "", true, "updates of one unit given the rest, a draw of a chain"},
    {"least_ess", "draws", true, "the least bulk ESS of all observables, with `worst`"},
    {"least_ess_per_evaluation", "", true, "the same over energies + gradients + site updates / V"},
    {"least_ess_per_gradient", "", true, "the same over gradients"},
    {"largest_rhat", "", true, "the largest R-hat of all observables, with `worst`"},
    {"longest_tau", "draws", true, "the longest autocorrelation time of all observables, with `worst`"},
    {"largest_z", "", true, "the largest |mean - exact mean| in standard errors, with `worst`"},
    {"settled_z", "", true, "the same of exact samplers with no R-hat above 1.01"},
    {"chi_square_p", "", true, "p of Pearson's test of the last states against the exact law"},
    {"mmd", "", true, "squared kernel MMD of the last states to exact draws"},
    {"ks_distance", "", true,
     "largest distance of the first unit's distribution function over the last states from its own"},
    {"ks_p", "", true, "p of the Kolmogorov-Smirnov test of that"},
    {"stein", "", true, "squared kernelised Stein discrepancy of the last states, with `stein`"},
    {"stein_p", "", true, "its p where the states follow the law, by random signs"},
    EBM_METRICS_END,
};

const ebm_runner_type ebm_mix_runner = {
    .info = {"mix", "walk with a sampler and measure: means against exact ones, mixing, cost",
             "Vehtari et al. 2021; Sokal 1997", mix_table, sizeof(mix_options)},
    .required_kinds = 1u << EBM_KIND_MODEL | 1u << EBM_KIND_SAMPLER,
    .optional_kinds = 1u << EBM_KIND_DATASET | 1u << EBM_KIND_ESTIMATOR,
    .metrics = mix_metrics,
    .reports_sampler = true,
    .run = mix_run,
};
