/* Traces of observables while chains walk, and what they say of the sampler. */
#ifndef EBM_RUNNERS_TRACES_H
#define EBM_RUNNERS_TRACES_H

#include "ebm/observable.h"
#include "ebm/sampler.h"

/* The observables of a space, and their values at every draw of every chain. */
typedef struct ebm_recording {
    size_t observables;
    const ebm_observable *observable[EBM_OBSERVABLE_COUNT];
    size_t chains, draws;
    double *values; /* (observables, chains, draws) */
} ebm_recording;

/* EBM_INVALID where they would need more than 1 GiB, or where there are more draws than the diagnostics take. */
EBM_NODISCARD ebm_status ebm_recording_create(const ebm_space *space, size_t chains, size_t draws, ebm_recording *out,
                                              ebm_error *error);
void ebm_recording_free(ebm_recording *recording);
/* The batch as it stands is draw number `draw`. Its field becomes valid. */
EBM_NODISCARD ebm_status ebm_recording_add(ebm_recording *recording, const ebm_model *model, ebm_batch *batch,
                                           size_t draw, ebm_work *work, ebm_error *error);
/* The trace of an observable (chains, draws), or NULL. */
double *ebm_recording_trace(const ebm_recording *recording, const char *observable);
/* Side file: the array as it is, float64. */
EBM_NODISCARD ebm_status ebm_recording_save(const ebm_recording *recording, const char *path, ebm_error *error);

/* What the draws have cost, over all chains, in two currencies.
 *   evaluations   energies + gradients + site updates / V: an energy of V units takes for each of them the sum over its
 *                 neighbours, and so does a gradient; a site update takes that of one
 *   black_box     of someone who has no access to these sums and only asks for energies of whole states and their
 *                 gradients: energies + gradients + one energy for each other value that a site update weighs, which is
 *                 1 of a Metropolis proposal and q - 1 of q values given the rest. NAN where
 *                 it is not asked for, and for site updates of real units. */
typedef struct ebm_walk_cost {
    double energies, gradients, site_updates, evaluations, black_box;
} ebm_walk_cost;

ebm_walk_cost ebm_walk_cost_of(const ebm_chains *chains, const ebm_space *space, bool black_box);

/* Emits, for each observable o: o, o_rhat, o_ess_bulk, o_ess_tail, o_tau and what the cost makes of them. What is not
 * defined (of a constant trace, or one that is not finite) is NAN. window: Sokal's constant. */
EBM_NODISCARD ebm_status ebm_recording_report(const ebm_recording *recording, const ebm_walk_cost *cost, size_t units,
                                              double window, ebm_sink *sink, ebm_work *work, ebm_error *error);
/* beta^2 V Var(e) of the energy per unit, with the Monte Carlo error of the mean of (e - mean)^2. */
EBM_NODISCARD ebm_status ebm_recording_specific_heat(const ebm_recording *recording, double beta, size_t units,
                                                     ebm_sink *sink, ebm_work *work, ebm_error *error);
/* o_autocorrelation at steps 1, 2, 4 ...: at most `lags` rows each, of lags below the number of draws. */
EBM_NODISCARD ebm_status ebm_recording_autocorrelations(const ebm_recording *recording, size_t lags, ebm_sink *sink,
                                                        ebm_work *work, ebm_error *error);

#endif
