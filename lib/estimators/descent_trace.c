/* What walks downhill in energy do: the case's sampler from uniformly random states until nothing moves any more, or moves
 * to and fro, with the energy at every step.
 *
 * Where a step changes one unit of a chain at most (sampler descent with `flips: 1`) the energy is also carried along: a
 * change of unit i adds E(new) - E(old) = -+ log P(x_i up | rest) / P(x_i down | rest), from the field as it is kept, to a
 * sum in double. At the end that sum is compared with E computed afresh.
 *
 * A chain has come to its end at step t where x(t) = x(t - 2): at a fixed point where also x(t) = x(t - 1), else in a
 * cycle of length 2, the only other end of synchronous updates with symmetric couplings (Goles, Fogelman & Pellegrin
 * 1985). */
#include "estimators/estimators.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DENSE = 20 }; /* steps at the start that all have their row */

typedef struct trace_options {
    int64_t chains, limit, every;
} trace_options;

static const ebm_option trace_table[] = {
    {"chains", EBM_OPTION_INT, EBM_OFFSET(trace_options, chains), "100", 1, 1e6, NULL, 0, "random states to start at"},
    {"limit", EBM_OPTION_INT, EBM_OFFSET(trace_options, limit), "10000", 2, 1e6, NULL, 0, "most steps of the sampler"},
    {"every", EBM_OPTION_INT, EBM_OFFSET(trace_options, every), "1", 1, 1e6, NULL, 0,
     "steps between the rows of the energy, after the first 20"},
    EBM_OPTIONS_END,
};

static const ebm_metric trace_metrics[] = {
    {"fixed_share", "", true, "share of chains that ended at a fixed point"},
    {"cycle_share", "", true, "share of chains that ended in a cycle of length 2"},
    {"changes_per_unit", "", true, "changes of a chain until all had ended, over its units"},
    {"energy_end", "nats", true, "mean energy per unit at the end"},
    {"energy_rises", "", false, "steps of chains that raised their energy by more than 1e-6 of it"},
    {"energy_drift", "nats", false, "largest difference per unit of the energy carried along and computed afresh"},
    {"not_fixed", "", false, "units of chains at a fixed point that would change, by fields computed afresh"},
    {"trace_energy", "nats", true, "at step = steps of the sampler so far: mean energy per unit"},
    EBM_METRICS_END,
};

typedef struct walk {
    const ebm_estimate_inputs *in;
    size_t V, B;
    ebm_chains chains;
    ebm_batch before;    /* x and field of the last step */
    ebm_real *last_two;  /* (B, V): x two steps ago */
    uint32_t *units;     /* (B): the unit that changed */
    ebm_real *logit;     /* (B) */
    double *energy;      /* (B) */
    double *carried;     /* (B) */
    bool in_turn;        /* no step has changed two units of a chain */
    size_t steps, rises; /* so far */
    double *mean, *se;   /* (limit + 1): energy per unit */
} walk;

static void mean_and_error(size_t count, const double *values, double *mean, double *se) {
    double sum = 0, squares = 0;
    for (size_t b = 0; b < count; b++)
        sum += values[b];
    *mean = sum / (double)count;
    for (size_t b = 0; b < count; b++)
        squares += (values[b] - *mean) * (values[b] - *mean);
    *se = count > 1 ? sqrt(squares / (double)(count - 1) / (double)count) : NAN;
}

/* Energies at this step, and whether they have risen. */
static void look(walk *w, double *next) {
    const ebm_model *model = w->in->model;
    ebm_model_field(model, &w->chains.batch, w->in->work);
    model->type->energy(model, ebm_path_end(), &w->chains.batch, next, w->in->work);
    for (size_t b = 0; w->steps > 0 && b < w->B; b++)
        w->rises += next[b] > w->energy[b] + 1e-6 * (fabs(w->energy[b]) + 1);
    memcpy(w->energy, next, w->B * sizeof *next);
    mean_and_error(w->B, next, &w->mean[w->steps], &w->se[w->steps]);
    w->mean[w->steps] /= (double)w->V;
    w->se[w->steps] /= (double)w->V;
}

/* Carry the energy over the changes of one step; returns how many there were. */
static size_t carry(walk *w) {
    const ebm_model *model = w->in->model;
    const ebm_real *x = w->chains.batch.x;
    size_t changes = 0;
    for (size_t b = 0; b < w->B; b++) {
        size_t here = 0;
        w->units[b] = 0;
        for (size_t i = 0; i < w->V; i++)
            if (x[b * w->V + i] != w->before.x[b * w->V + i]) {
                w->units[b] = (uint32_t)i;
                here++;
            }
        w->in_turn = w->in_turn && here <= 1;
        changes += here;
    }
    model->type->site(model, ebm_path_end(), &w->before, w->units, w->logit, w->in->work);
    for (size_t b = 0; b < w->B; b++) {
        const size_t at = b * w->V + w->units[b];
        if (x[at] != w->before.x[at])
            w->carried[b] += x[at] > w->before.x[at] ? -(double)w->logit[b] : (double)w->logit[b];
    }
    return changes;
}

static bool all_ended(const walk *w) {
    return w->steps >= 2 && memcmp(w->last_two, w->chains.batch.x, w->B * w->V * sizeof *w->last_two) == 0;
}

static ebm_status run(walk *w, size_t limit, double *changes, ebm_error *error) {
    const ebm_estimate_inputs *in = w->in;
    ebm_batch *batch = &w->chains.batch;
    double *next = ebm_work_take(in->work, w->B, sizeof *next);
    if (!next)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu energies", w->B);
    look(w, next);
    memcpy(w->carried, next, w->B * sizeof *next);
    memcpy(w->before.x, batch->x, w->B * w->V * sizeof *batch->x);
    for (*changes = 0; w->steps < limit && !all_ended(w);) {
        memcpy(w->last_two, w->before.x, w->B * w->V * sizeof *batch->x);
        memcpy(w->before.x, batch->x, w->B * w->V * sizeof *batch->x);
        if (batch->field)
            memcpy(w->before.field, batch->field, w->B * in->model->n_field * sizeof *batch->field);
        w->before.field_ok = true;
        EBM_TRY(in->sampler->type->step(in->sampler, in->model, in->path, &w->chains, 1, in->work, error));
        w->steps++;
        *changes += (double)carry(w);
        look(w, next);
    }
    return EBM_OK;
}

static bool same_row(const walk *w, const ebm_real *a, const ebm_real *b, size_t row) {
    return memcmp(a + row * w->V, b + row * w->V, w->V * sizeof *a) == 0;
}

/* Units of chains that stand still that would change, by the model's conditionals from a fresh field. */
static size_t count_not_fixed(walk *w) {
    const ebm_model *model = w->in->model;
    ebm_batch *batch = &w->chains.batch;
    size_t count = 0;
    batch->field_ok = false;
    ebm_model_field(model, batch, w->in->work);
    for (size_t i = 0; i < w->V; i++) {
        for (size_t b = 0; b < w->B; b++)
            w->units[b] = (uint32_t)i;
        model->type->site(model, ebm_path_end(), batch, w->units, w->logit, w->in->work);
        for (size_t b = 0; b < w->B; b++)
            count += same_row(w, batch->x, w->before.x, b) &&
                     (batch->x[b * w->V + i] > 0 ? w->logit[b] < 0 : w->logit[b] > 0);
    }
    return count;
}

static ebm_status report(const trace_options *o, walk *w, double changes, ebm_sink *sink, ebm_error *error) {
    const double B = (double)w->B, V = (double)w->V;
    double fixed = 0, ended = 0, drift = 0;
    for (size_t b = 0; b < w->B; b++) {
        const bool still = same_row(w, w->chains.batch.x, w->before.x, b);
        fixed += still;
        ended += !still && same_row(w, w->chains.batch.x, w->last_two, b);
    }
    const double not_fixed = (double)count_not_fixed(w);
    w->in->model->type->energy(w->in->model, ebm_path_end(), &w->chains.batch, w->energy, w->in->work);
    for (size_t b = 0; b < w->B; b++)
        drift = fmax(drift, fabs(w->carried[b] - w->energy[b]) / V);
    EBM_TRY(sink->emit(sink, "fixed_share", fixed / B, sqrt(fixed * (B - fixed) / B) / B, error));
    EBM_TRY(sink->emit(sink, "cycle_share", ended / B, sqrt(ended * (B - ended) / B) / B, error));
    EBM_TRY(sink->emit(sink, "changes_per_unit", changes / B / V, NAN, error));
    EBM_TRY(sink->emit(sink, "energy_end", w->mean[w->steps], w->se[w->steps], error));
    EBM_TRY(sink->emit(sink, "energy_rises", (double)w->rises, NAN, error));
    if (w->in_turn)
        EBM_TRY(sink->emit(sink, "energy_drift", drift, NAN, error));
    EBM_TRY(sink->emit(sink, "not_fixed", not_fixed, NAN, error));
    for (size_t t = 0; t <= w->steps; t++)
        if (t < DENSE || t % (size_t)o->every == 0 || t == w->steps) {
            sink->at(sink, t);
            EBM_TRY(sink->emit(sink, "trace_energy", w->mean[t], w->se[t], error));
        }
    return EBM_OK;
}

static ebm_status start(walk *w, size_t limit, ebm_error *error) {
    const ebm_estimate_inputs *in = w->in;
    ebm_base uniform = {0};
    EBM_TRY(ebm_chains_create(in->model, w->B, ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE), &w->chains, error));
    EBM_TRY(ebm_batch_create(in->model, w->B, &w->before, error));
    w->chains.step = ebm_estimate_step(in);
    w->in_turn = true;
    w->last_two = ebm_work_take(in->work, w->B * w->V, sizeof *w->last_two);
    w->units = ebm_work_take(in->work, w->B, sizeof *w->units);
    w->logit = ebm_work_take(in->work, w->B, sizeof *w->logit);
    w->energy = ebm_work_take(in->work, w->B, sizeof *w->energy);
    w->carried = ebm_work_take(in->work, w->B, sizeof *w->carried);
    w->mean = ebm_work_take(in->work, limit + 1, sizeof *w->mean);
    w->se = ebm_work_take(in->work, limit + 1, sizeof *w->se);
    if (!w->last_two || !w->units || !w->logit || !w->energy || !w->carried || !w->mean || !w->se)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to follow %zu chains of %zu units", w->B, w->V);
    EBM_TRY(ebm_base_fit(&in->model->space, NULL, 0, &uniform, error));
    ebm_base_sample(&uniform, w->B, ebm_stream_of(in->seed, EBM_PURPOSE_CHAIN_START), 0, ebm_estimate_step(in),
                    w->chains.batch.x, in->work);
    ebm_base_free(&uniform);
    return ebm_sampler_attach(in->sampler, in->model, &w->chains, error);
}

static ebm_status trace_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    const trace_options *o = options;
    const ebm_space *space = &in->model->space;
    const size_t mark = ebm_work_mark(in->work), limit = (size_t)o->limit;
    walk w = {.in = in, .V = space->size, .B = (size_t)o->chains};
    double changes = 0;
    if (space->domain != EBM_BINARY && space->domain != EBM_SPIN)
        return ebm_fail(error, EBM_UNSUPPORTED, "descents are traced on two-valued units, not on %s ones",
                        ebm_domain_name(space->domain));
    ebm_status status = start(&w, limit, error);
    if (status == EBM_OK)
        status = run(&w, limit, &changes, error);
    if (status == EBM_OK)
        status = report(o, &w, changes, sink, error);
    ebm_batch_free(&w.before);
    ebm_chains_free(&w.chains);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_descent_trace = {
    .info = {"descent-trace", "walks of the sampler from random states to their ends, with their energies",
             "Hopfield 1982; Goles, Fogelman & Pellegrin 1985", trace_table, sizeof(trace_options)},
    .needs = EBM_SLOT_SITE,
    .needs_sampler = true,
    .metrics = trace_metrics,
    .estimate = trace_estimate,
};
