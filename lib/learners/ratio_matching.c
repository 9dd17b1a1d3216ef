/* Ratio matching (Hyvarinen 2007, section 4): score matching for two-valued units. With x^i the state in which unit i has
 * the other value and g(u) = 1 / (1 + u), the mean squared distance between g(p(x) / p(x^i)) of data and model is, up to
 * what does not depend on the model,
 *   mean over examples of sum_i g(p(x) / p(x^i))^2 = sum_i P(other value of i | rest)^2.
 * Consistent like the pseudo-likelihood, but not convex. loss(m) = sigma(-m)^2. */
#include "components.h"
#include "learners/conditionals.h"

static const ebm_option table[] = {EBM_CONDITIONALS_TABLE, EBM_OPTIONS_END};

static void loss(double margin, double *value, double *slope) {
    const double u = exp(-fabs(margin)), small = u / (1 + u), large = 1 / (1 + u);
    const double other = margin < 0 ? large : small;
    *value = other * other;
    *slope = -2 * other * other * (margin < 0 ? small : large);
}

static ebm_status update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work, ebm_error *error) {
    return ebm_conditionals_update(learner, loss, x, count, work, error);
}

const ebm_learner_type ebm_ratio_matching = {
    .info = {"ratio-matching", "ratio matching: score matching for two-valued units (L-BFGS if asked)",
             "Hyvarinen 2007, section 4", table, sizeof(ebm_conditionals_options)},
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN,
    .create = ebm_conditionals_create,
    .destroy = ebm_conditionals_destroy,
    .update = update,
    .regions = ebm_conditionals_regions,
};
