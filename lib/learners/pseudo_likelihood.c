/* Maximum pseudo-likelihood (Besag 1975): the mean over examples of sum_i log P(x_i | rest) is raised. It is concave in a
 * pairwise machine's couplings, needs no sum over states and is consistent: at the truth its expected gradient is 0,
 * because each factor's is (Hyvarinen 2006). loss(m) = log(1 + e^-m) = -log P(x_i | rest). */
#include "components.h"
#include "learners/conditionals.h"

static const ebm_option table[] = {EBM_CONDITIONALS_TABLE, EBM_OPTIONS_END};

static void loss(double margin, double *value, double *slope) {
    const double u = exp(-fabs(margin));
    *value = log1p(u) + (margin < 0 ? -margin : 0);
    *slope = -(margin < 0 ? 1 : u) / (1 + u);
}

static ebm_status update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work, ebm_error *error) {
    return ebm_conditionals_update(learner, loss, x, count, work, error);
}

const ebm_learner_type ebm_pseudo_likelihood_learner = {
    .info = {"pseudo-likelihood", "maximum pseudo-likelihood: every unit predicted from all others (L-BFGS if asked)",
             "Besag 1975; Hyvarinen 2006", table, sizeof(ebm_conditionals_options)},
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN,
    .create = ebm_conditionals_create,
    .destroy = ebm_conditionals_destroy,
    .update = update,
    .regions = ebm_conditionals_regions,
};
