/* The network of graded response (Hopfield 1984): tanh units beside the hard ones.
 *
 *   dv_i/dt = -v_i + tanh(g f_i),     f_i = sum_j w_ij v_j + b_i,     v in [-1, 1]^V
 *   E(v) = -1/2 v^T W v - b^T v + (1/g) sum_i A(v_i),
 *   A(v) = integral_0^v atanh(s) ds = ((1 + v) log(1 + v) + (1 - v) log(1 - v)) / 2
 *
 * dE/dv_i = -f_i + atanh(v_i) / g has the sign of v_i - tanh(g f_i), so dE/dt <= 0 and the rests of the flow are the
 * stationary points of E: those of the mean-field free energy at inverse temperature g. For g -> infinity they are the
 * hard network's at the corners.
 *
 * Steps v <- v + h (t - v), t = tanh(g f), keep v in [-1, 1] for h <= 1. With L >= 0 such that W + L is positive
 * semidefinite, and A'' >= 1,
 *   E(after) - E(before) <= -(h / 2g) |t - v|^2 (2 - h (1 + g L)),
 * because A(t) - A(v) <= g f (t - v) - |t - v|^2 / 2 and A(v + h (t - v)) <= (1 - h) A(v) + h A(t) - h (1 - h) |t - v|^2 / 2.
 * So no step of h <= 2 / (1 + g L) raises E. By Hebb's rule with a zero diagonal L is at most the load K / V, by the
 * pseudo-inverse at most 1.
 *
 * v starts at x; x is the sign of v, and keeps its own where v = 0. It has no kernel and leaves no law invariant. */
#include "components.h"

#include "ebm/matrix.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct graded_options {
    double gain, step, tolerance, duration;
} graded_options;

#define AT(member) EBM_OFFSET(graded_options, member)
static const ebm_option graded_table[] = {
    {"gain", EBM_OPTION_REAL, AT(gain), "10", 1e-6, 1e6, NULL, 0, "g: slope of the units at a field of 0"},
    {"step", EBM_OPTION_REAL, AT(step), "0.1", 1e-6, 1, NULL, 0, "h: length of a step in time"},
    {"tolerance", EBM_OPTION_REAL, AT(tolerance), "1e-4", 1e-6, 1, NULL, 0,
     "a chain stands still when no |dv/dt| is above this"},
    {"duration", EBM_OPTION_REAL, AT(duration), "1000", 1e-6, 1e9, NULL, 0,
     "most time that one step of the sampler goes on for where a chain does not stand still"},
    EBM_OPTIONS_END,
};

/* Of each chain in chains->auxiliary; v (B, V) follows behind all of them. */
typedef struct flow {
    double time, rise; /* since the counters were reset: time passed, largest rise of E in a step, beyond rounding */
    double energy;     /* at v before the last step; NAN: none yet */
    double at_rest;    /* 1 or 0 */
} flow;

/* What one call works with. */
typedef struct graded {
    const graded_options *o;
    size_t V, B;
    const ebm_real *W, *bias;
    double gain;
    flow *flows;
    ebm_real *v;          /* (B, V) */
    ebm_real *packed, *f; /* (B, V): v of the chains that move, and their fields */
    uint32_t *moving;     /* (B): which these are */
} graded;

static ebm_status graded_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const size_t V = model->space.size;
    (void)sampler;
    for (size_t k = 0; k < model->n_views; k++)
        if (strcmp(model->views[k].name, "W") == 0 && model->views[k].rows == V && model->views[k].columns == V &&
            model->n_hidden == 0 && ebm_model_view(model, "bias"))
            return EBM_OK;
    return ebm_fail(error, EBM_UNSUPPORTED,
                    "sampler graded-response needs couplings W (units x units) and a bias of each unit, as models "
                    "hopfield and boltzmann have them; model %s has none such",
                    model->type->info.name);
}

static size_t graded_auxiliary_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    size_t bytes;
    (void)sampler;
    if (__builtin_mul_overflow(model->space.size, sizeof(ebm_real), &bytes) ||
        __builtin_add_overflow(bytes, sizeof(flow), &bytes) || __builtin_mul_overflow(bytes, chains, &bytes))
        return SIZE_MAX;
    return bytes;
}

static void graded_auxiliary_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    flow *flows = chains->auxiliary;
    const size_t B = chains->batch.count;
    (void)sampler;
    for (size_t b = 0; b < B; b++)
        flows[b] = (flow){.energy = NAN};
    memcpy(flows + B, chains->batch.x, B * model->space.size * sizeof(ebm_real));
}

static double integral_of_atanh(double v) {
    const double up = 1 + v, down = 1 - v;
    return 0.5 * ((up > 0 ? up * log(up) : 0) + (down > 0 ? down * log(down) : 0));
}

/* E at v (V), whose fields are f (V); the size of its terms into *scale. */
static double energy_of(const graded *g, const ebm_real *v, const ebm_real *f, double *scale) {
    double linear = 0, entropy = 0;
    *scale = 0;
    for (size_t i = 0; i < g->V; i++) {
        const double term = 0.5 * (double)v[i] * ((double)f[i] + (double)g->bias[i]);
        linear -= term;
        *scale += fabs(term);
        entropy += integral_of_atanh((double)v[i]);
    }
    *scale += entropy / g->gain;
    return linear + entropy / g->gain;
}

/* One step of chain b, unless it stands still; its fields f become tanh(g f). Energies within what rounding of the fields
 * explains count as equal. */
static void move(const graded *g, size_t b, ebm_real *f) {
    const double rounding = 64 * (sizeof(ebm_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON);
    ebm_real *v = g->v + b * g->V;
    flow *w = &g->flows[b];
    double scale, fastest = 0;
    const double energy = energy_of(g, v, f, &scale), rise = energy - w->energy;
    if (rise > rounding * scale)
        w->rise = fmax(w->rise, rise);
    for (size_t i = 0; i < g->V; i++) {
        f[i] = (ebm_real)tanh(g->gain * (double)f[i]);
        fastest = fmax(fastest, fabs((double)f[i] - (double)v[i]));
    }
    w->energy = energy;
    w->at_rest = fastest <= g->o->tolerance;
    if (w->at_rest > 0)
        return;
    for (size_t i = 0; i < g->V; i++)
        v[i] = (ebm_real)((double)v[i] + g->o->step * ((double)f[i] - (double)v[i]));
    w->time += g->o->step;
}

/* Fields of the chains that move. Returns how many these are. */
static size_t fields(const graded *g, ebm_work *work) {
    size_t count = 0;
    for (size_t b = 0; b < g->B; b++) {
        if (g->flows[b].at_rest > 0)
            continue;
        memcpy(g->packed + count * g->V, g->v + b * g->V, g->V * sizeof *g->v);
        memcpy(g->f + count * g->V, g->bias, g->V * sizeof *g->f);
        g->moving[count++] = (uint32_t)b;
    }
    if (count > 0)
        ebm_gemm(false, false, count, g->V, g->V, 1.0, g->packed, g->V, g->W, g->V, 1.0, g->f, g->V, work);
    return count;
}

/* Until all chains stand still, or the time is over. Returns the units that were updated. */
static uint64_t flow_on(const graded *g, ebm_work *work) {
    enum { WORTH_A_THREAD = 4096 /* units */ };
    const double steps = ceil(g->o->duration / g->o->step);
    const int threads = ebm_work_threads(work);
    uint64_t updated = 0;
    (void)threads;
    for (size_t b = 0; b < g->B; b++)
        g->flows[b].at_rest = 0;
    for (double s = 0; s < steps; s++) {
        const size_t count = fields(g, work);
        if (count == 0)
            break;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1 && count * g->V > WORTH_A_THREAD)
        for (size_t k = 0; k < count; k++)
            move(g, g->moving[k], g->f + k * g->V);
        updated += (uint64_t)count * g->V;
    }
    return updated;
}

static ebm_status graded_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                              size_t steps, ebm_work *work, ebm_error *error) {
    const graded_options *o = sampler->options;
    const size_t V = model->space.size, B = chains->batch.count, mark = ebm_work_mark(work);
    flow *flows = chains->auxiliary;
    if (!flows || path.base)
        return path.base ? ebm_fail(error, EBM_UNSUPPORTED, "sampler graded-response knows no base but the uniform one")
                         : ebm_fail(error, EBM_INVALID, "sampler graded-response: attach the chains first");
    const graded g = {.o = o,
                      .V = V,
                      .B = B,
                      .W = ebm_model_view(model, "W"),
                      .bias = ebm_model_view(model, "bias"),
                      .gain = o->gain * path.beta,
                      .flows = flows,
                      .v = (ebm_real *)(void *)(flows + B),
                      .packed = ebm_work_take(work, B * V, sizeof(ebm_real)),
                      .f = ebm_work_take(work, B * V, sizeof(ebm_real)),
                      .moving = ebm_work_take(work, B, sizeof(uint32_t))};
    if (!g.packed || !g.f || !g.moving)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the fields of %zu chains of %zu units", B, V);
    for (size_t step = 0; step < steps; step++)
        chains->site_updates += flow_on(&g, work);
    for (size_t k = 0; k < B * V; k++)
        chains->batch.x[k] = g.v[k] > 0 ? 1 : g.v[k] < 0 ? -1 : chains->batch.x[k];
    chains->step += steps;
    chains->batch.field_ok = chains->batch.hidden_ok = false;
    ebm_work_release(work, mark);
    return EBM_OK;
}

static const ebm_metric graded_metrics[] = {
    {"graded_time", "", true, "mean time for which the chains have moved; s.e. is not given"},
    {"graded_at_rest", "", true, "share of the chains that stand still"},
    {"graded_energy_rise", "nats", false,
     "largest rise of E in a step of any chain, beyond rounding: 0 for small steps"},
    EBM_METRICS_END,
};

static ebm_status graded_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink,
                                ebm_error *error) {
    const flow *flows = chains->auxiliary;
    const size_t B = flows ? chains->batch.count : 0;
    double time = 0, rest = 0, rise = 0;
    (void)sampler;
    for (size_t b = 0; b < B; b++) {
        time += flows[b].time;
        rest += flows[b].at_rest;
        rise = fmax(rise, flows[b].rise);
    }
    EBM_TRY(sink->emit(sink, "graded_time", time / (double)(B ? B : 1), NAN, error));
    EBM_TRY(sink->emit(sink, "graded_at_rest", rest / (double)(B ? B : 1), NAN, error));
    return sink->emit(sink, "graded_energy_rise", rise, NAN, error);
}

static void graded_reset_counters(const ebm_sampler *sampler, ebm_chains *chains) {
    flow *flows = chains->auxiliary;
    (void)sampler;
    for (size_t b = 0; flows && b < chains->batch.count; b++)
        flows[b].time = flows[b].rise = 0;
}

const ebm_sampler_type ebm_graded_response = {
    .info = {"graded-response", "tanh units in continuous time until they stand still; a state is their signs",
             "Hopfield 1984", graded_table, sizeof(graded_options)},
    .domains = 1u << EBM_SPIN,
    .exact = false,
    .reversible = false,
    .metrics = graded_metrics,
    .create = graded_create,
    .auxiliary_bytes = graded_auxiliary_bytes,
    .auxiliary_start = graded_auxiliary_start,
    .step = graded_step,
    .report = graded_report,
    .reset_counters = graded_reset_counters,
};
