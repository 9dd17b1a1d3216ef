/* All states of a few coupled hidden units, whose log-weights differ from one visible state to the next by their biases
 * alone: posteriors of machines whose hidden units are not independent. Internal to the models.
 *
 *   w(h) = bias . h + sum_(i<j) R_ij h_i h_j,     h in {0,1}^H or {-1,+1}^H,     p_beta(h) proportional to exp(beta w(h))
 *
 * A state's code has unit j up where bit j is set. The sum over pairs is a table; bias . h comes by doubling, one
 * addition a state: code s | 2^k differs from s in unit k. So a state costs two additions and an exponential. */
#ifndef EBM_HIDDEN_STATES_H
#define EBM_HIDDEN_STATES_H

#include "ebm/real.h"

#include <stdbool.h>
#include <stddef.h>

enum { EBM_HIDDEN_MAX_UNITS = 16 };

typedef struct ebm_hidden_states {
    size_t units, states; /* H <= EBM_HIDDEN_MAX_UNITS, 2^H */
    bool spin;
    double *pairs; /* (states) */
} ebm_hidden_states;

static inline double ebm_hidden_down(const ebm_hidden_states *t) {
    return t->spin ? -1 : 0;
}

/* pairs of `couplings` R, symmetric, rows `ld` apart. `scratch` (states). */
void ebm_hidden_pairs(ebm_hidden_states *t, const ebm_real *couplings, size_t ld, double *scratch);
/* w (states) = beta w(h), at these biases (H). */
void ebm_hidden_weights(const ebm_hidden_states *t, const double *bias, double beta, double *w);
/* log sum_h exp(beta w(h)); w (states) holds the terms' logarithms afterwards. */
double ebm_hidden_log_sum(const ebm_hidden_states *t, const double *bias, double beta, double *w);
/* p (states) = the law of h; returns the log of the sum. */
double ebm_hidden_law(const ebm_hidden_states *t, const double *bias, double beta, double *p);
/* mean (H) of weights p (states), which need not sum to 1; p is overwritten. */
void ebm_hidden_mean(const ebm_hidden_states *t, double *p, double *mean);
/* pair (H, H): the sum over states of p h_i h_j for i < j; the rest is not written. */
void ebm_hidden_pair_moments(const ebm_hidden_states *t, const double *p, double *pair);

#endif
