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
    unsigned domains;   /* spaces that it is defined on: mask of 1u << ebm_domain */
    size_t least_units; /* of these, those of at least so many units */
    const char *about;
    /* out (count) = f(x_b). The field is valid. */
    void (*values)(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work);
} ebm_observable;

enum {
    EBM_ON_TWO_VALUED = 1u << EBM_BINARY | 1u << EBM_SPIN,
    EBM_ON_DISCRETE = EBM_ON_TWO_VALUED | 1u << EBM_CATEGORICAL,
    EBM_ON_REAL = 1u << EBM_REAL_LINE,
    EBM_ON_ALL = EBM_ON_DISCRETE | EBM_ON_REAL
};

/* All of them, ENTRY(name, domains, least_units, unit, about), in the order of ebm_observable_at: tables of metrics are
 * made of it. */
#define EBM_OBSERVABLES(ENTRY)                                                                                         \
    ENTRY(energy, EBM_ON_ALL, 1, "nats", "energy per unit, E / V at beta = 1")                                         \
    ENTRY(magnetisation, EBM_ON_TWO_VALUED, 1, "", "m, the mean of the units as spins")                                \
    ENTRY(abs_magnetisation, EBM_ON_TWO_VALUED, 1, "", "|m|")                                                          \
    ENTRY(m2, EBM_ON_DISCRETE, 1, "", "m^2; of categories (q sum_c rho_c^2 - 1) / (q - 1)")                            \
    ENTRY(first, EBM_ON_ALL, 1, "", "the first unit; of categories whether it is in category 0")                       \
    ENTRY(second, EBM_ON_REAL, 2, "", "the second unit")                                                               \
    ENTRY(first_square, EBM_ON_REAL, 1, "", "square of the first unit")                                                \
    ENTRY(second_square, EBM_ON_REAL, 2, "", "square of the second unit")                                              \
    ENTRY(square, EBM_ON_REAL, 1, "", "mean of the squares of all units")
#define EBM_OBSERVABLE_ONE(name, domains, least_units, unit, about) +1
enum { EBM_OBSERVABLE_COUNT = 0 EBM_OBSERVABLES(EBM_OBSERVABLE_ONE) };

/* The i-th in the order in which they are shown, NULL past the end; by name, NULL where there is none. */
const ebm_observable *ebm_observable_at(size_t i);
const ebm_observable *ebm_observable_find(const char *name);
/* Whether it is defined on the space. */
bool ebm_observable_applies(const ebm_observable *observable, const ebm_space *space);

/* out (ebm_states_count) = f of every state of a small discrete space, by code (enumerate.h). EBM_UNSUPPORTED with the
 * number for more than EBM_MAX_STATES states. */
EBM_NODISCARD ebm_status ebm_observable_list(const ebm_observable *observable, const ebm_model *model, double *out,
                                             ebm_work *work, ebm_error *error);

/* *out = E_p_beta[f], by the model's exact_mean where it knows it, else by enumeration of at most `limit` states (0:
 * never). EBM_UNSUPPORTED where neither can be. */
EBM_NODISCARD ebm_status ebm_observable_exact_mean(const ebm_observable *observable, const ebm_model *model,
                                                   ebm_path path, size_t limit, double *out, ebm_work *work,
                                                   ebm_error *error);

#endif
