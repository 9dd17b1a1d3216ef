/* The state of least energy: found by listing all states, and how often a sampler's walks end in it.
 *
 * Every state is listed once (V <= 22 two-valued units). What that gives: the least energy E_0, how many states have it (to
 * rounding), the gap to the next energy, and the scale of the energies, s = sqrt(2 Var(E) / V) over all states: without
 * biases the root mean square field of a unit, so that temperatures in units of s mean the same in every machine.
 *
 * Walks start from uniform states, the same for every sampler, and make at most `sweeps` steps at the path's temperature
 * times T s. A walk costs the sweeps up to its last change and one that shows that nothing changes any more. Where walks
 * find the ground state with probability p at a mean cost of c sweeps, starting anew until it has been found with
 * probability 99 % takes
 *
 *   c max(1, log 0.01 / log(1 - p))   sweeps
 *
 * (the time to solution of Ronnow et al. 2014), which sets few slow walks beside many fast ones at equal numbers of site
 * updates. It is missing where no walk found the ground state.
 */
#include "estimators/estimators.h"

#include "ebm/enumerate.h"
#include "ebm/likelihood.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct ground_options {
    int64_t starts, sweeps, limit;
    double temperature;
} ground_options;

#define AT(member) EBM_OFFSET(ground_options, member)
static const ebm_option ground_table[] = {
    {"starts", EBM_OPTION_INT, AT(starts), "500", 2, 1e6, NULL, 0, "walks, each from a uniform state of its own"},
    {"sweeps", EBM_OPTION_INT, AT(sweeps), "1000", 1, 1e6, NULL, 0, "most steps of the sampler in a walk"},
    {"temperature", EBM_OPTION_REAL, AT(temperature), "0.002", 1e-9, 1e9, NULL, 0,
     "T of the sampler's target, in units of s; an annealed sampler starts from max_temperature times this"},
    {"limit", EBM_OPTION_INT, AT(limit), "4194304", 2, EBM_MAX_STATES, NULL, 0, "most states that are listed"},
    EBM_OPTIONS_END,
};

static const ebm_metric ground_metrics[] = {
    {"ground_energy", "nats", false, "least energy E_0 per unit, by listing all states"},
    {"ground_states", "", false, "how many states have it"},
    {"ground_gap", "", false, "the next energy above E_0, less E_0, in units of s"},
    {"energy_scale", "nats", false, "s = sqrt(2 Var(E) / V) over all states"},
    {"ground_share", "", true, "share of walks that end in a ground state; s.e. over walks"},
    {"energy_above", "", true, "mean of (E - E_0) / |E_0| over the ends of all walks"},
    {"walk_sweeps", "sweeps", true, "mean sweeps of a walk until nothing changes any more, that one included"},
    {"sweeps_to_solution", "sweeps", true,
     "sweeps that find the ground state with probability 99 %, over repeated walks"},
    EBM_METRICS_END,
};

typedef struct landscape {
    double least, next, mean, scale, tolerance;
    size_t count; /* of ground states */
} landscape;

/* Energies are sums of V fields of V + 1 numbers in ebm_real: two states of one energy may differ in 2 V roundings. */
static void describe(size_t V, size_t S, const double *energy, landscape *out) {
    const double unit = sizeof(ebm_real) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
    double highest = -INFINITY, squares = 0;
    *out = (landscape){.least = INFINITY, .next = INFINITY};
    for (size_t s = 0; s < S; s++) {
        out->least = fmin(out->least, energy[s]);
        highest = fmax(highest, energy[s]);
        out->mean += energy[s] / (double)S;
    }
    out->tolerance = 2 * (double)V * unit * fmax(fabs(out->least), fabs(highest));
    for (size_t s = 0; s < S; s++) {
        squares += (energy[s] - out->mean) * (energy[s] - out->mean);
        if (energy[s] <= out->least + out->tolerance)
            out->count++;
        else
            out->next = fmin(out->next, energy[s]);
    }
    out->scale = sqrt(2 * squares / (double)S / (double)V);
}

static ebm_status list_energies(const ebm_estimate_inputs *in, size_t S, landscape *out, ebm_error *error) {
    const ebm_model *model = in->model;
    const size_t rows = ebm_block_rows(model, S), mark = ebm_work_mark(in->work);
    double *energy = ebm_work_take(in->work, S, sizeof *energy);
    ebm_batch batch;
    if (!energy)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the energies of %zu states", S);
    EBM_TRY(ebm_batch_create(model, rows, &batch, error));
    for (size_t first = 0; first < S; first += rows) {
        batch.count = S - first < rows ? S - first : rows;
        ebm_states_fill(&model->space, first, batch.count, batch.x);
        batch.field_ok = batch.hidden_ok = false;
        ebm_model_field(model, &batch, in->work);
        model->type->energy(model, ebm_path_end(), &batch, energy + first, in->work);
    }
    describe(model->space.size, S, energy, out);
    ebm_batch_free(&batch);
    ebm_work_release(in->work, mark);
    return isfinite(out->mean) ? EBM_OK : ebm_fail(error, EBM_DIVERGED, "an energy is not finite");
}

/* For each start: the energy that its walk ends at, and what it cost. */
typedef struct ends {
    double *energy, *sweeps;
} ends;

/* last[b] = the last of `sweeps` steps, counted from 1, that changed row b */
static ebm_status walk(const ebm_estimate_inputs *in, ebm_path path, size_t sweeps, ebm_chains *chains,
                       ebm_real *before, size_t *last, ebm_error *error) {
    const size_t V = in->model->space.size, B = chains->batch.count;
    memset(last, 0, B * sizeof *last);
    EBM_TRY(ebm_sampler_attach(in->sampler, in->model, chains, error));
    for (size_t t = 1; t <= sweeps; t++) {
        memcpy(before, chains->batch.x, B * V * sizeof *before);
        EBM_TRY(in->sampler->type->step(in->sampler, in->model, path, chains, 1, in->work, error));
        for (size_t b = 0; b < B; b++)
            if (memcmp(before + b * V, chains->batch.x + b * V, V * sizeof *before) != 0)
                last[b] = t;
    }
    return EBM_OK;
}

static ebm_status all_walks(const ground_options *o, const ebm_estimate_inputs *in, double scale, const ends *out,
                            ebm_error *error) {
    const ebm_model *model = in->model;
    const size_t starts = (size_t)o->starts, rows = ebm_block_rows(model, starts), sweeps = (size_t)o->sweeps;
    const uint64_t step = ebm_estimate_step(in) + 16;
    const ebm_path path = {in->path.base, in->path.beta / (o->temperature * (scale > 0 ? scale : 1))};
    ebm_real *before = ebm_work_take(in->work, rows * model->space.size, sizeof *before);
    size_t *last = ebm_work_take(in->work, rows, sizeof *last);
    ebm_base uniform = {0};
    ebm_chains chains = {0};
    ebm_status status = before && last ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu walks", rows);
    if (status == EBM_OK)
        status = ebm_chains_create(model, rows, ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE), &chains, error);
    if (status == EBM_OK)
        status = ebm_base_fit(&model->space, NULL, 0, &uniform, error);
    for (size_t first = 0; first < starts && status == EBM_OK; first += rows) {
        chains.batch.count = starts - first < rows ? starts - first : rows;
        chains.first_chain = (uint32_t)first;
        chains.step = step + 1;
        ebm_base_sample(&uniform, chains.batch.count, chains.stream, chains.first_chain, step, chains.batch.x,
                        in->work);
        chains.batch.field_ok = chains.batch.hidden_ok = false;
        status = walk(in, path, sweeps, &chains, before, last, error);
        chains.batch.field_ok = false;
        ebm_model_field(model, &chains.batch, in->work);
        model->type->energy(model, ebm_path_end(), &chains.batch, out->energy + first, in->work);
        for (size_t b = 0; b < chains.batch.count; b++)
            out->sweeps[first + b] = (double)(last[b] < sweeps ? last[b] + 1 : sweeps);
    }
    ebm_base_free(&uniform);
    ebm_chains_free(&chains);
    return status;
}

static ebm_status emit_walks(const ground_options *o, const landscape *l, const ends *e, ebm_sink *sink,
                             ebm_error *error) {
    const size_t starts = (size_t)o->starts;
    const ebm_mean_value cost = ebm_mean_of(e->sweeps, starts);
    double *value = e->sweeps; /* not needed any more */
    for (size_t b = 0; b < starts; b++)
        value[b] = e->energy[b] <= l->least + l->tolerance;
    const ebm_mean_value share = ebm_mean_of(value, starts);
    for (size_t b = 0; b < starts; b++)
        value[b] = value[b] > 0 ? 0 : (e->energy[b] - l->least) / fabs(l->least);
    const ebm_mean_value above = ebm_mean_of(value, starts);
    const double miss = log1p(-share.mean), walks = share.mean < 0.99 ? log(0.01) / miss : 1;
    const double by_share = walks > 1 ? walks / (miss * (1 - share.mean)) * share.se : 0;
    const double sweeps = share.mean > 0 ? cost.mean * walks : NAN;
    EBM_TRY(sink->emit(sink, "ground_share", share.mean, share.se, error));
    EBM_TRY(sink->emit(sink, "energy_above", above.mean, above.se, error));
    EBM_TRY(sink->emit(sink, "walk_sweeps", cost.mean, cost.se, error));
    return sink->emit(sink, "sweeps_to_solution", sweeps, hypot(cost.mean * by_share, walks * cost.se), error);
}

static ebm_status ground_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                  ebm_error *error) {
    const ground_options *o = options;
    const ebm_space *space = &in->model->space;
    const size_t S = ebm_states_count(space), starts = (size_t)o->starts, mark = ebm_work_mark(in->work);
    landscape l = {0};
    if (S == 0 || S > (size_t)o->limit)
        return ebm_fail(error, EBM_UNSUPPORTED, "%zu %s units have too many states to list: the limit is %lld",
                        space->size, ebm_domain_name(space->domain), (long long)o->limit);
    EBM_TRY(list_energies(in, S, &l, error));
    EBM_TRY(sink->emit(sink, "ground_energy", l.least / (double)space->size, NAN, error));
    EBM_TRY(sink->emit(sink, "ground_states", (double)l.count, NAN, error));
    EBM_TRY(sink->emit(sink, "ground_gap", (l.next - l.least) / l.scale, NAN, error));
    EBM_TRY(sink->emit(sink, "energy_scale", l.scale, NAN, error));
    const ends e = {ebm_work_take(in->work, starts, sizeof(double)), ebm_work_take(in->work, starts, sizeof(double))};
    ebm_status status =
        e.energy && e.sweeps ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu walks", starts);
    if (status == EBM_OK)
        status = all_walks(o, in, l.scale, &e, error);
    if (status == EBM_OK)
        status = emit_walks(o, &l, &e, sink, error);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_ground_state = {
    .info = {"ground-state", "the state of least energy by listing all, and how often walks end there",
             "Kirkpatrick, Gelatt & Vecchi 1983; Ronnow et al. 2014", ground_table, sizeof(ground_options)},
    .needs_sampler = true,
    .metrics = ground_metrics,
    .estimate = ground_estimate,
};
