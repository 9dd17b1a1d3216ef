/* Hamiltonian (hybrid) Monte Carlo (Duane, Kennedy, Pendleton & Roweth 1987; Neal 2011, "MCMC using Hamiltonian
 * dynamics").
 *
 *   r ~ N(0, 1);  (x', r') = n leapfrog steps of size e from (x, r);  x' is accepted with probability
 *   min(1, exp(H(x, r) - H(x', r'))),   H(x, r) = E_beta(x) + |r|^2 / 2
 *
 * (leapfrog.h: scales and notation). Leapfrog steps keep volume and are their own inverse once r is turned round, so no
 * more is in the ratio, and the chain of x is reversible for any number n that does not look at x. n is drawn anew for
 * each transition, one for all chains, so that no trajectory's length can stay in step with a period of the target
 * (Mackenzie 1989); given those numbers the chains are independent.
 *
 * In warm-up the size e moves towards the acceptance `target`, by default 0.651, which is best for many independent units
 * at a fixed time of integration (Beskos, Pillai, Roberts, Sanz-Serna & Stuart 2013), and scales follow the spread of
 * all chains (adaptation.h). A transition whose energy grows by more than 1000, or to what is not a number, has diverged:
 * it is counted and rejected. */
#include "components.h"
#include "samplers/adaptation.h"
#include "samplers/leapfrog.h"
#include "samplers/present.h"

#include <math.h>
#include <string.h>

typedef struct hmc_options {
    double step, jitter, target;
    int64_t length;
    int mass;
} hmc_options;

enum { MASS_DIAGONAL, MASS_IDENTITY };
static const char *const mass_names[] = {"diagonal", "identity", NULL};

#define AT(member) offsetof(hmc_options, member)
static const ebm_option hmc_table[] = {
    {"step", EBM_OPTION_REAL, AT(step), "0", 0, 1e9, NULL, 0,
     "e: size of a leapfrog step, in units of the scales; 0: learnt in warm-up"},
    {"length", EBM_OPTION_INT, AT(length), "10", 1, 100000, NULL, 0, "leapfrog steps of a trajectory, on average"},
    {"jitter", EBM_OPTION_REAL, AT(jitter), "0.2", 0, 1, NULL, 0,
     "the number of steps is uniform between length (1 - jitter) and length (1 + jitter), at least 1"},
    {"target", EBM_OPTION_REAL, AT(target), "0.651", 0.01, 0.99, NULL, 0,
     "acceptance that warm-up steers the step to; without a fixed `step`"},
    {"mass", EBM_OPTION_CHOICE, AT(mass), "diagonal", 0, 0, mass_names, 0,
     "diagonal: each unit's mass is one over its variance, learnt in warm-up; identity: all masses are 1"},
    EBM_OPTIONS_END,
};

static const double FIRST_STEP = 0.1, DIVERGED = 1000;

/* Behind it in the auxiliary memory: the adaptation, then what is known of the present states. */
typedef struct hmc_memory {
    uint64_t divergences;
    double transitions, squares,
        fourths; /* of those that have not diverged: how many; sums of the energy error's powers */
} hmc_memory;

static size_t memory_bytes(void) {
    return (sizeof(hmc_memory) + 63) / 64 * 64;
}

static void *adaptation_of(const ebm_chains *chains) {
    return (char *)chains->auxiliary + memory_bytes();
}

static size_t learnt_bytes(size_t units) {
    return memory_bytes() + ebm_adaptation_bytes(units);
}

static size_t hmc_auxiliary_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    (void)sampler;
    return ebm_present_after(learnt_bytes(model->space.size), chains, model->space.size, true);
}

static void hmc_auxiliary_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    const hmc_options *o = sampler->options;
    memset(chains->auxiliary, 0, sizeof(hmc_memory));
    ebm_adaptation_start(adaptation_of(chains), model->space.size, o->step > 0 ? o->step : FIRST_STEP);
    ebm_present_forget(ebm_present_of(chains, learnt_bytes(model->space.size)));
}

static void hmc_reset_counters(const ebm_sampler *sampler, ebm_chains *chains) {
    (void)sampler;
    if (chains->auxiliary)
        memset(chains->auxiliary, 0, sizeof(hmc_memory));
}

static double step_of(const hmc_options *o, const ebm_chains *chains, bool adapting) {
    return o->step > 0 ? o->step : ebm_adaptation_step(adaptation_of(chains), adapting);
}

/* A walk of all chains. */
typedef struct walk {
    const hmc_options *options;
    const ebm_model *model;
    ebm_path path;
    ebm_chains *chains;
    ebm_phase here, there; /* here: the chains' own x; its momentum is not used */
    ebm_real *step;        /* (B) */
    void *present;
    double *before, *error; /* (B): kinetic energy at the start; H at the end less H at the start */
    ebm_work *work;
} walk;

static bool take_walk(walk *w) {
    const size_t V = w->model->space.size, B = w->chains->batch.count;
    w->here.batch = w->chains->batch;
    w->here.gradient = ebm_work_take(w->work, B * V, sizeof(ebm_real));
    w->here.energy = ebm_work_take(w->work, B, sizeof(double));
    w->step = ebm_work_take(w->work, B, sizeof *w->step);
    w->before = ebm_work_take(w->work, B, sizeof *w->before);
    w->error = ebm_work_take(w->work, B, sizeof *w->error);
    return w->here.gradient && w->here.energy && w->step && w->before && w->error &&
           ebm_phase_take(w->model, B, &w->there, w->work);
}

static ebm_status look_around(walk *w, ebm_error *error) {
    if (!ebm_present_recall(w->present, &w->here.batch, w->model->space.size, w->path, w->here.energy,
                            w->here.gradient))
        ebm_phase_look(w->model, w->path, &w->here, w->chains, w->work);
    for (size_t b = 0; b < w->here.batch.count; b++)
        if (!isfinite(w->here.energy[b]))
            return ebm_fail(error, EBM_DIVERGED,
                            "the energy of chain %zu is %g: it has no finite energy to start from, or a parameter is "
                            "not finite",
                            (size_t)w->chains->first_chain + b, w->here.energy[b]);
    return ebm_phase_check_gradient(w->model, &w->here, w->chains->first_chain, error);
}

/* The same number for every chain, whatever rows are walked together. */
static size_t trajectory_length(const hmc_options *o, ebm_stream stream, uint64_t step) {
    const double length = (double)o->length;
    const double least = fmax(1, ceil(length * (1 - o->jitter) - 1e-9)), most = floor(length * (1 + o->jitter) + 1e-9);
    return (size_t)least + ebm_random_below(stream, UINT32_MAX, step, 1, (uint32_t)(most - least) + 1);
}

/* From here along a trajectory: there is its end, and error what it has done to H. */
static ebm_status run_trajectories(walk *w, ebm_error *error) {
    const size_t V = w->model->space.size, B = w->here.batch.count;
    const ebm_chains *chains = w->chains;
    const ebm_real step = (ebm_real)step_of(w->options, chains, chains->adapting);
    bool numbers = true;
    for (size_t b = 0; b < B; b++)
        w->step[b] = step;
    memcpy(w->there.batch.x, w->here.batch.x, B * V * sizeof(ebm_real));
    memcpy(w->there.gradient, w->here.gradient, B * V * sizeof(ebm_real));
    w->there.batch.field_ok = false;
    ebm_phase_draw_momentum(w->model, chains->stream, chains->first_chain, chains->step, &w->there, w->work);
    ebm_phase_kinetic(w->model, &w->there, w->before, w->work);
    ebm_leapfrog(w->model, w->path, ebm_adaptation_scale(adaptation_of(chains)), w->step,
                 trajectory_length(w->options, chains->stream, chains->step + 1), &w->there, w->chains, w->work);
    ebm_phase_kinetic(w->model, &w->there, w->error, w->work);
    for (size_t b = 0; b < B; b++) {
        numbers = numbers && !isnan(w->error[b]);
        w->error[b] = (w->there.energy[b] + w->error[b]) - (w->here.energy[b] + w->before[b]);
    }
    /* a gradient that is not a number makes the momentum so */
    return numbers ? EBM_OK : ebm_phase_check_gradient(w->model, &w->there, chains->first_chain, error);
}

/* Accepts or rejects; the mean over chains of the probability to accept. */
static double settle(walk *w) {
    ebm_chains *chains = w->chains;
    hmc_memory *memory = chains->auxiliary;
    const size_t V = w->model->space.size, B = w->here.batch.count;
    double sum = 0;
    for (size_t b = 0; b < B; b++) {
        const double change = w->error[b];
        if (!isfinite(change) || change > DIVERGED) {
            memory->divergences++;
            continue;
        }
        memory->transitions++;
        memory->squares += change * change;
        memory->fourths += change * change * change * change;
        const double chance = change < 0 ? 1 : exp(-change);
        sum += chance;
        if (ebm_random_uniform1(chains->stream, chains->first_chain + (uint32_t)b, chains->step + 1, 0) >= chance)
            continue;
        chains->accepted++;
        memcpy(w->here.batch.x + b * V, w->there.batch.x + b * V, V * sizeof(ebm_real));
        memcpy(w->here.gradient + b * V, w->there.gradient + b * V, V * sizeof(ebm_real));
        w->here.energy[b] = w->there.energy[b];
        w->here.batch.field_ok = false;
    }
    chains->proposed += (double)B;
    return sum / (double)B;
}

static ebm_status walk_on(walk *w, size_t steps, ebm_error *error) {
    ebm_chains *chains = w->chains;
    const hmc_options *o = w->options;
    EBM_TRY(look_around(w, error));
    for (size_t s = 0; s < steps; s++) {
        EBM_TRY(run_trajectories(w, error));
        const double acceptance = settle(w);
        const uint64_t left = chains->warmup_left > s ? chains->warmup_left - s : 0;
        if (chains->adapting)
            ebm_adaptation_update(adaptation_of(chains), acceptance, o->target, chains->batch.count, chains->batch.x,
                                  left, o->mass == MASS_DIAGONAL);
        chains->step += 2;
    }
    ebm_present_keep(w->present, &w->here.batch, w->model->space.size, w->path, w->here.energy, w->here.gradient);
    return EBM_OK;
}

static ebm_status hmc_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                           size_t steps, ebm_work *work, ebm_error *error) {
    walk w = {.options = sampler->options,
              .model = model,
              .path = path,
              .chains = chains,
              .present = ebm_present_of(chains, learnt_bytes(model->space.size)),
              .work = work};
    const size_t mark = ebm_work_mark(work);
    if (chains->auxiliary_bytes != hmc_auxiliary_bytes(sampler, model, chains->batch.count))
        return ebm_fail(error, EBM_INVALID, "sampler hmc: the chains have no step size and scales: attach them first");
    if (steps == 0)
        return EBM_OK;
    ebm_status status = take_walk(&w)
                            ? walk_on(&w, steps, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu trajectories", chains->batch.count);
    chains->batch.field_ok = status == EBM_OK && (w.here.batch.field_ok || model->n_field == 0);
    chains->batch.hidden_ok = false;
    ebm_work_release(work, mark);
    return status;
}

static const ebm_metric hmc_metrics[] = {
    EBM_ADAPTATION_METRICS,
    {"divergences", "", true, "transitions whose energy grew by more than 1000"},
    {"energy_error_rms", "nats", true, "root mean square of H at the end of a trajectory less H at its start"},
    EBM_METRICS_END,
};

/* s.e. of a root mean square by that of the mean square, taking transitions as independent. */
static ebm_status report_energy_error(const hmc_memory *memory, ebm_sink *sink, ebm_error *error) {
    const double n = memory->transitions, mean = memory->squares / n;
    const double variance = fmax(0, memory->fourths / n - mean * mean);
    if (!(n > 0) || !(mean > 0))
        return EBM_OK;
    return sink->emit(sink, "energy_error_rms", sqrt(mean), sqrt(variance / n) / (2 * sqrt(mean)), error);
}

static ebm_status hmc_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink, ebm_error *error) {
    const hmc_memory *memory = chains->auxiliary;
    if (!memory)
        return ebm_fail(error, EBM_INVALID, "sampler hmc: the chains have no step size and scales: attach them first");
    const double step = step_of(sampler->options, chains, false);
    if (chains->proposed > 0 && chains->accepted == 0)
        return ebm_fail(error, EBM_DIVERGED,
                        "sampler hmc: none of %g trajectories was accepted: the step %g is too large, or a longer "
                        "warm-up is needed to find one",
                        chains->proposed, step);
    EBM_TRY(ebm_adaptation_report(adaptation_of(chains), step, sink, error));
    EBM_TRY(sink->emit(sink, "divergences", (double)memory->divergences, NAN, error));
    return report_energy_error(memory, sink, error);
}

const ebm_sampler_type ebm_hmc = {
    .info = {"hmc", "Hamiltonian Monte Carlo: leapfrog trajectories of jittered length, step and masses from warm-up",
             "Duane et al. 1987; Neal 2011, section 3.2", hmc_table, sizeof(hmc_options)},
    .needs = EBM_SLOT_GRAD_X,
    .domains = 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = true,
    .metrics = hmc_metrics,
    .auxiliary_bytes = hmc_auxiliary_bytes,
    .auxiliary_start = hmc_auxiliary_start,
    .step = hmc_step,
    .report = hmc_report,
    .reset_counters = hmc_reset_counters,
};
