/* The Metropolis-adjusted Langevin algorithm (Rossky, Doll & Friedman 1978; Roberts & Tweedie 1996). With g = dE/dx, step
 * eta, scales d_i (1 unless learnt) and xi standard normal, it proposes
 *
 *   x'_i = x_i - eta d_i^2 g_i(x) + sqrt(2 eta) d_i xi_i
 *
 * and accepts or rejects. The way back from x' to x is the same map with another noise, w - xi, where
 * w_i = sqrt(eta / 2) d_i (g_i(x) + g_i(x')), so that
 *   log q(x | x') - log q(x' | x) = (|xi|^2 - |w - xi|^2) / 2 = sum_i w_i (xi_i - w_i / 2),
 * which subtracts no large numbers. Optimal acceptance in many dimensions: 0.574 (Roberts & Rosenthal 1998). */
#include "components.h"
#include "samplers/adaptation.h"
#include "samplers/real_proposals.h"

#include <math.h>
#include <stdlib.h>

typedef struct mala_options {
    double step, acceptance;
    bool scales;
} mala_options;

static const ebm_option mala_table[] = {
    {"step", EBM_OPTION_REAL, offsetof(mala_options, step), "0", 0, 1e9, NULL, 0,
     "eta in x' = x - eta dE/dx + sqrt(2 eta) xi, in units of x squared (of the scales squared where they are learnt); "
     "0: adapted in warm-up"},
    {"acceptance", EBM_OPTION_REAL, offsetof(mala_options, acceptance), "0.574", 0.01, 0.99, NULL, 0,
     "the mean acceptance that an adapted step aims at"},
    {"scales", EBM_OPTION_BOOL, offsetof(mala_options, scales), "false", 0, 0, NULL, 0,
     "learn a scale for each unit from the spread of all chains in warm-up"},
    EBM_OPTIONS_END,
};

/* Optimal for many standard normal units: 2 eta = 1.65^2 V^(-1/3) (Roberts & Rosenthal 1998). */
static double first_step(const mala_options *o, size_t units) {
    return o->step > 0 ? o->step : 0.5 * 1.65 * 1.65 / cbrt((double)units);
}

static ebm_status mala_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    size_t *units = sampler->state = ebm_alloc(1, sizeof *units);
    if (!units)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a sampler");
    *units = model->space.size;
    return EBM_OK;
}

static void mala_destroy(ebm_sampler *sampler) {
    free(sampler->state);
}

static size_t mala_auxiliary_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    const size_t V = model->space.size;
    (void)sampler;
    return ebm_present_after(ebm_adaptation_bytes(V), chains, V, true);
}

static void mala_auxiliary_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    const size_t V = model->space.size;
    ebm_adaptation_start(chains->auxiliary, V, first_step(sampler->options, V));
    ebm_present_forget(ebm_present_of(chains, ebm_adaptation_bytes(V)));
}

static double step_of(const mala_options *o, const ebm_chains *chains, size_t units) {
    return o->step > 0 || !chains->auxiliary ? first_step(o, units)
                                             : ebm_adaptation_step(chains->auxiliary, chains->adapting);
}

/* (V), or NULL for 1 */
static const ebm_real *scales_of(const mala_options *o, const ebm_chains *chains) {
    return o->scales && chains->auxiliary ? ebm_adaptation_scale(chains->auxiliary) : NULL;
}

static void mala_propose(const ebm_real_walk *w) {
    const mala_options *o = w->law->own;
    const size_t V = w->units;
    const double eta = step_of(o, w->chains, V);
    const ebm_real *scale = scales_of(o, w->chains);
    const ebm_real drift = (ebm_real)eta, spread = (ebm_real)sqrt(2 * eta);
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) {
        const ebm_real *x = w->here.batch.x + b * V, *g = w->here.gradient + b * V, *xi = w->noise + b * V;
        ebm_real *to = w->there.batch.x + b * V;
        if (scale)
            for (size_t i = 0; i < V; i++)
                to[i] = x[i] + scale[i] * (spread * xi[i] - drift * scale[i] * g[i]);
        else
            for (size_t i = 0; i < V; i++)
                to[i] = x[i] + (spread * xi[i] - drift * g[i]);
    }
}

static void mala_ratio(const ebm_real_walk *w, double *log_ratio) {
    enum { LANES = 4 }; /* so many chains of additions, which need not wait for each other */
    const mala_options *o = w->law->own;
    const size_t V = w->units;
    const ebm_real *scale = scales_of(o, w->chains);
    const double half = sqrt(step_of(o, w->chains, V) / 2);
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) {
        const ebm_real *g = w->here.gradient + b * V, *h = w->there.gradient + b * V, *xi = w->noise + b * V;
        double sum[LANES] = {0}, total = 0;
        for (size_t i = 0; i < V; i++) {
            const double w_i = half * (scale ? (double)scale[i] : 1) * ((double)g[i] + (double)h[i]);
            sum[i % LANES] += w_i * ((double)xi[i] - w_i / 2);
        }
        for (size_t k = 0; k < LANES; k++)
            total += sum[k];
        log_ratio[b] = total;
    }
}

static ebm_status mala_adapt(const ebm_real_walk *w, double acceptance, uint64_t warmup_left, ebm_error *error) {
    const mala_options *o = w->law->own;
    (void)error;
    if (w->chains->auxiliary)
        ebm_adaptation_update(w->chains->auxiliary, acceptance, o->acceptance, w->count, w->here.batch.x, warmup_left,
                              o->scales);
    return EBM_OK;
}

static ebm_status mala_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                            size_t steps, ebm_work *work, ebm_error *error) {
    const ebm_real_law law = {.own = sampler->options,
                              .gradient = true,
                              .adjust = true,
                              .present = ebm_present_of(chains, ebm_adaptation_bytes(model->space.size)),
                              .propose = mala_propose,
                              .ratio = mala_ratio,
                              .adapt = mala_adapt};
    return ebm_real_proposals_walk(&law, model, path, chains, steps, work, error);
}

static const ebm_metric mala_metrics[] = {
    {"step_size", "", true, "eta, as adapted or as given"},
    {"scale_min", "", true, "the smallest scale learnt"},
    {"scale_max", "", true, "the largest scale learnt"},
    EBM_METRICS_END,
};

static ebm_status mala_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink, ebm_error *error) {
    const mala_options *o = sampler->options;
    const size_t V = *(const size_t *)sampler->state;
    const double step = step_of(o, chains, V);
    const ebm_real *scale = scales_of(o, chains);
    EBM_TRY(ebm_real_proposals_moved("mala", chains, step, error));
    EBM_TRY(sink->emit(sink, "step_size", step, NAN, error));
    if (!scale)
        return EBM_OK;
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < V; i++) {
        least = fmin(least, (double)scale[i]);
        most = fmax(most, (double)scale[i]);
    }
    EBM_TRY(sink->emit(sink, "scale_min", least, NAN, error));
    return sink->emit(sink, "scale_max", most, NAN, error);
}

const ebm_sampler_type ebm_mala = {
    .info = {"mala", "Langevin proposals, accepted or rejected by Metropolis-Hastings",
             "Rossky, Doll & Friedman 1978; Roberts & Tweedie 1996", mala_table, sizeof(mala_options)},
    .needs = EBM_SLOT_GRAD_X,
    .domains = 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = true,
    .metrics = mala_metrics,
    .create = mala_create,
    .destroy = mala_destroy,
    .auxiliary_bytes = mala_auxiliary_bytes,
    .auxiliary_start = mala_auxiliary_start,
    .step = mala_step,
    .report = mala_report,
};
