/* Metropolis sampling of discrete units (Metropolis, Rosenbluth, Rosenbluth, Teller & Teller 1953): each unit in turn is
 * offered another value, uniformly chosen, which it takes with probability min(1, p(new | rest) / p(old | rest)). Exact;
 * reversible where the scan is random.
 *
 * A ratio of exactly 1 is accepted, so that two-valued units without a field flip at every visit: a systematic sweep of
 * free units is periodic, and this rule then never converges. */
#include "components.h"

#include "samplers/single_site.h"

static ebm_status metropolis_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                  size_t sweeps, ebm_work *work, ebm_error *error) {
    return ebm_single_site_step(EBM_METROPOLIS, sampler, model, path, chains, sweeps, work, error);
}

static ebm_status metropolis_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S,
                                    double *T, ebm_work *work, ebm_error *error) {
    return ebm_single_site_kernel(EBM_METROPOLIS, sampler, model, path, S, T, work, error);
}

const ebm_sampler_type ebm_metropolis = {
    .info = {"metropolis",
             "one unit after another offered another value, taken by Metropolis's rule; reversible where the scan is "
             "random",
             "Metropolis, Rosenbluth, Rosenbluth, Teller & Teller 1953", ebm_single_site_table,
             sizeof(ebm_single_site_options)},
    .needs = EBM_SLOT_SITE,
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN | 1u << EBM_CATEGORICAL,
    .exact = true,
    .reversible = false,
    .check = ebm_single_site_check,
    .create = ebm_single_site_create,
    .step = metropolis_step,
    .kernel = metropolis_kernel,
};
