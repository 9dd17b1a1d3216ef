/* One number for all observables of a walk: that of the one which comes off worst. */
#ifndef EBM_RUNNERS_WORST_H
#define EBM_RUNNERS_WORST_H

#include "traces.h"

/* Emits least_ess, least_ess_per_evaluation, least_ess_per_gradient, largest_rhat, longest_tau, and largest_z, the largest
 * |mean - exact mean| in standard errors over the observables whose exact mean is known, by formula or by listing at most
 * `states` states; settled_z is the same where the sampler is exact and no R-hat is above 1.01 (the bound of Vehtari et
 * al. 2021). What is not defined of one observable (of a constant trace, say) is not defined here. */
EBM_NODISCARD ebm_status ebm_worst_report(const ebm_recording *recording, const ebm_model *model, ebm_path path,
                                          size_t states, const ebm_walk_cost *cost, double window, bool exact,
                                          ebm_sink *sink, ebm_work *work, ebm_error *error);

#endif
