/* Walks on real spaces that propose a new state for every chain at once and, where they are adjusted, accept or reject
 * it by Metropolis-Hastings (Metropolis et al. 1953; Hastings 1970). Internal to the samplers.
 *
 * A walk looks at all rows together: one call for all energies and gradients, one for all proposals. Energies and
 * gradients of the present states are kept from step to step. Each step uses two step numbers of the stream: row b draws
 * V standard normals at (first_chain + b, step) and decides by uniform 0 of (first_chain + b, step + 1); what else a law
 * draws comes from step + 1, by ebm_random_uniform1 from index 2 on:
 * runs such as ebm_random_uniform begin at index 0 and would repeat the decision. */
#ifndef EBM_REAL_PROPOSALS_H
#define EBM_REAL_PROPOSALS_H

#include "samplers/present.h"

/* All chains at their present states, or at those proposed. */
typedef struct ebm_real_side {
    ebm_batch batch;
    double *energy;     /* (count): E_beta; adjusted walks alone */
    ebm_real *gradient; /* (count, V): dE_beta/dx; NULL where the law does without */
    double *kept;       /* (count): what the law knows of a state, which stays with it; NULL without `start` */
} ebm_real_side;

typedef struct ebm_real_law ebm_real_law;

/* What a law's functions see of a walk under way. */
typedef struct ebm_real_walk {
    const ebm_real_law *law;
    const ebm_model *model;
    ebm_path path;
    ebm_chains *chains;
    size_t count, units;
    ebm_real_side here, there; /* unadjusted walks: x is the same memory in both */
    ebm_real *noise; /* (count, V): the step's standard normals; `propose` may change them for `ratio` to see */
    uint64_t step;   /* the step's first number */
    int threads;     /* worth using in loops over rows */
    ebm_work *work;
} ebm_real_walk;

/* How a sampler proposes. */
struct ebm_real_law {
    const void *own;    /* the sampler's */
    bool gradient;      /* proposals look at dE/dx */
    bool adjust;        /* accept or reject; else every proposal is taken */
    void *present;      /* adjusted walks: what is known from the last call (present.h); NULL: nothing is kept */
    double temperature; /* tau: adjusted walks leave exp(-E_beta / tau) invariant; 0 stands for 1 */
    /* here.kept where a call begins. NULL: the law keeps nothing */
    void (*start)(const ebm_real_walk *walk);
    /* there.batch.x from `here` and noise */
    void (*propose)(const ebm_real_walk *walk);
    /* log_ratio[b] = log q(x | x') - log q(x' | x), and there.kept. NULL: q is symmetric */
    void (*ratio)(const ebm_real_walk *walk, double *log_ratio);
    /* A transition of warm-up has ended; `acceptance` is the mean of min(1, ratio) over all chains, warmup_left as in
     * ebm_chains; what is learnt goes through adaptation.h. NULL: nothing is adapted. */
    ebm_status (*adapt)(const ebm_real_walk *walk, double acceptance, uint64_t warmup_left, ebm_error *error);
};

/* `steps` steps of all chains. A state whose energy is not finite is never accepted. EBM_DIVERGED where a chain starts
 * at one, where a gradient is NaN at a state of finite energy, and where an unadjusted walk leaves the finite numbers. */
EBM_NODISCARD ebm_status ebm_real_proposals_walk(const ebm_real_law *law, const ebm_model *model, ebm_path path,
                                                 ebm_chains *chains, size_t steps, ebm_work *work, ebm_error *error);

/* For `report`: EBM_DIVERGED where there were proposals and none was accepted; `step` is what it tells of the size. */
EBM_NODISCARD ebm_status ebm_real_proposals_moved(const char *sampler, const ebm_chains *chains, double step,
                                                  ebm_error *error);

#endif
