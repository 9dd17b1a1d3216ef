/* What samplers on real spaces learn in warm-up: one step for all chains by dual averaging of their mean acceptance
 * (Hoffman & Gelman 2014, section 3.2; Nesterov 2009), and a scale for each unit from the spread of all chains over
 * windows that double (the schedule of Stan Development Team 2024, Reference Manual, "HMC algorithm parameters").
 *
 * It lives in plain memory without addresses in it, part of what a sampler keeps of its chains
 * (ebm_chains.auxiliary), so that it is saved, restored and frozen with them. Internal to the samplers. */
#ifndef EBM_ADAPTATION_H
#define EBM_ADAPTATION_H

#include "ebm/sampler.h"

/* Bytes for a model of so many units, a multiple of 64. */
size_t ebm_adaptation_bytes(size_t units);
/* Every scale 1, the step as given (> 0). */
void ebm_adaptation_start(void *memory, size_t units, double step);
/* The step to use: while adapting the one to try next, afterwards the average of those tried since the scales last
 * changed. The start's own where there was no warm-up. */
double ebm_adaptation_step(const void *memory, bool adapting);
/* (units) estimated standard deviations, above 0. */
const ebm_real *ebm_adaptation_scale(const void *memory);
/* A transition of warm-up has ended: `acceptance` its mean acceptance probability over all chains (NAN: 0), x (count,
 * units) where the chains are, warmup_left as in ebm_chains with this transition counted. The step moves towards
 * `target`; with `scales` the scales are estimated, too. Returns where the transition stands in the windows from which
 * scales are estimated, for samplers that estimate more from the same states; outside where not `scales`. */
typedef enum ebm_window { EBM_WINDOW_OUTSIDE, EBM_WINDOW_INSIDE, EBM_WINDOW_CLOSED } ebm_window;
ebm_window ebm_adaptation_update(void *memory, double acceptance, double target, size_t count, const ebm_real *x,
                                 uint64_t warmup_left, bool scales);
/* What a sampler reports of it, `step` as it is used after warm-up; the metrics are EBM_ADAPTATION_METRICS. */
EBM_NODISCARD ebm_status ebm_adaptation_report(const void *memory, double step, ebm_sink *sink, ebm_error *error);
#define EBM_ADAPTATION_METRICS                                                                                         \
    {"step_size", "", true, "the sampler's step after warm-up, in units of the scales"},                               \
        {"scale_min", "", true, "least of the units' scales"}, {                                                       \
        "scale_max", "", true, "largest of the units' scales"                                                          \
    }

#endif
