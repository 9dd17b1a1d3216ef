/* The unadjusted Langevin algorithm: Euler-Maruyama of the Langevin diffusion, every proposal taken (Parisi 1981;
 * Roberts & Tweedie 1996). With g = dE/dx, step eta and xi standard normal,
 *
 *   x'_i = x_i - eta g_i(x) + sqrt(2 eta) xi_i,
 *
 * so that its law is p only as eta falls to 0. On N(0, sigma^2) it is an autoregression with coefficient
 * 1 - eta / sigma^2 and the stationary variance sigma^2 / (1 - eta / (2 sigma^2)); from eta = 2 sigma^2 on it runs away. In
 * more dimensions the narrowest direction decides. */
#include "components.h"
#include "samplers/real_proposals.h"

#include <math.h>

typedef struct ula_options {
    double step;
} ula_options;

static const ebm_option ula_table[] = {
    {"step", EBM_OPTION_REAL, offsetof(ula_options, step), "0.01", 1e-12, 1e9, NULL, 0,
     "eta in x' = x - eta dE/dx + sqrt(2 eta) xi, in units of x squared; it must stay below twice the smallest "
     "variance"},
    EBM_OPTIONS_END,
};

/* In place: there.batch.x is here.batch.x. */
static void ula_propose(const ebm_real_walk *w) {
    const double eta = ((const ula_options *)w->law->own)->step;
    const ebm_real drift = (ebm_real)eta, spread = (ebm_real)sqrt(2 * eta);
    const size_t V = w->units;
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) {
        const ebm_real *g = w->here.gradient + b * V, *xi = w->noise + b * V;
        ebm_real *x = w->here.batch.x + b * V;
        for (size_t i = 0; i < V; i++)
            x[i] += spread * xi[i] - drift * g[i];
    }
}

static ebm_status ula_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                           size_t steps, ebm_work *work, ebm_error *error) {
    const ebm_real_law law = {.own = sampler->options, .gradient = true, .adjust = false, .propose = ula_propose};
    return ebm_real_proposals_walk(&law, model, path, chains, steps, work, error);
}

static const ebm_metric ula_metrics[] = {
    {"step_size", "", false, "eta, as given"},
    EBM_METRICS_END,
};

static ebm_status ula_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink, ebm_error *error) {
    (void)chains;
    return sink->emit(sink, "step_size", ((const ula_options *)sampler->options)->step, NAN, error);
}

const ebm_sampler_type ebm_ula = {
    .info = {"ula", "unadjusted Langevin: every proposal is taken, biased by the step",
             "Parisi 1981; Roberts & Tweedie 1996", ula_table, sizeof(ula_options)},
    .needs = EBM_SLOT_GRAD_X,
    .domains = 1u << EBM_REAL_LINE,
    .exact = false,
    .reversible = false,
    .metrics = ula_metrics,
    .step = ula_step,
    .report = ula_report,
};
