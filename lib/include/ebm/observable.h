/* Observables: functions of a state whose traces, means and autocorrelation times are compared between samplers.
 *
 * m = (1 / V) sum_i s_i with s = x for spins and s = 2 x - 1 for binary units; rho_c = the share of units in category
 * c. What each is on which space: lib/estimators/observables.c. */
#ifndef EBM_OBSERVABLE_H
#define EBM_OBSERVABLE_H

#include "ebm/model.h"

typedef struct ebm_observable {
    const char *name; /* "energy", "magnetisation", "m2", "first" ... */
    const char *unit;
    unsigned domains; /* spaces that it is defined on: mask of 1u << ebm_domain */
    const char *about;
    /* out (count) = f(x_b). The field is valid. */
    void (*values)(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work);
} ebm_observable;

/* The i-th in the order in which they are shown, NULL past the end; by name, NULL where there is none. */
const ebm_observable *ebm_observable_at(size_t i);
const ebm_observable *ebm_observable_find(const char *name);

/* *out = E_p_beta[f], by the model's exact_mean where it knows it, else by enumeration of at most `limit` states.
 * EBM_UNSUPPORTED where neither can be. */
EBM_NODISCARD ebm_status ebm_observable_exact_mean(const ebm_observable *observable, const ebm_model *model,
                                                   ebm_path path, size_t limit, double *out, ebm_work *work,
                                                   ebm_error *error);

#endif
