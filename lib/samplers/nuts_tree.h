/* Trajectories of the No-U-Turn sampler, for many chains in lockstep. Momenta are in the units of leapfrog.h: kinetic
 * energy |r|^2 / 2. Internal to the samplers. */
#ifndef EBM_NUTS_TREE_H
#define EBM_NUTS_TREE_H

#include "samplers/leapfrog.h"

enum { EBM_NUTS_MAX_DEPTH = 20 };
/* An error of the total energy from where Hamiltonian dynamics counts as divergent. */
#define EBM_NUTS_DIVERGENCE 1000.0

/* What a transition of one chain did. */
typedef struct ebm_nuts_outcome {
    double acceptance; /* mean of min(1, exp(H(start) - H(leaf))) over the leapfrog steps */
    uint32_t leaves;   /* leapfrog steps */
    uint32_t depth;    /* doublings whose new half was whole */
    bool divergent, saturated, moved;
} ebm_nuts_outcome;

/* Chains on their way, and how a transition of them goes. */
typedef struct ebm_nuts_walk {
    const ebm_model *model;
    ebm_path path;
    ebm_chains *chains;        /* whose stream is drawn from, and where evaluations are counted */
    ebm_phase here;            /* (B) present states: x, gradient and energy, no momentum */
    ebm_nuts_outcome *outcome; /* (B) */
    double step;
    const uint8_t *halvings; /* (B) chain b goes at step 2^-halvings_b; NULL: 0 */
    const ebm_real *scale;   /* (V) */
    size_t max_depth;        /* 1 ... EBM_NUTS_MAX_DEPTH */
} ebm_nuts_walk;

/* One transition of every chain: `here` becomes the new states, `outcome` is filled, chains->step moves on.
 * EBM_DIVERGED, naming chain and unit, for a gradient that is not a number where the energy is finite. */
EBM_NODISCARD ebm_status ebm_nuts_transition(ebm_nuts_walk *walk, ebm_work *work, ebm_error *error);

#endif
