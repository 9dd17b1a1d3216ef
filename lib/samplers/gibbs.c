/* Gibbs sampling: each unit in turn drawn from its conditional given all others, the heat bath of statistical physics
 * (Glauber 1963; Geman & Geman 1984). Exact; reversible where the scan is random.
 *
 * Discrete units by the model's `site`, real ones by its `sample_site`. The hidden units of a model are summed over. */
#include "components.h"

#include "samplers/single_site.h"

static ebm_status gibbs_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                             size_t sweeps, ebm_work *work, ebm_error *error) {
    return ebm_single_site_step(EBM_HEAT_BATH, sampler, model, path, chains, sweeps, work, error);
}

static ebm_status gibbs_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                               ebm_work *work, ebm_error *error) {
    return ebm_single_site_kernel(EBM_HEAT_BATH, sampler, model, path, S, T, work, error);
}

const ebm_sampler_type ebm_gibbs = {
    .info = {"gibbs", "one unit after another drawn given all others; reversible where the scan is random",
             "Glauber 1963; Geman & Geman 1984", ebm_single_site_table, sizeof(ebm_single_site_options)},
    .needs_any = EBM_SLOT_SITE | EBM_SLOT_SAMPLE_SITE,
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN | 1u << EBM_CATEGORICAL | 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = false,
    .check = ebm_single_site_check,
    .create = ebm_single_site_create,
    .step = gibbs_step,
    .kernel = gibbs_kernel,
};
