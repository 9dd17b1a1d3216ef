/* Proposals on discrete spaces that are made from gradients, and the walk that they share. Internal to the samplers.
 *
 * The gradient of E_beta at x predicts by how much log p changes when unit i becomes c and the others stay:
 *   d_i(c) = -dE_beta/dx_i (c - x_i)        binary and spin: one other value, d_i
 *   d_i(c) = -(g_i(c) - g_i(x_i))           categorical, g the derivatives by one-hot coordinates
 * (exact where E is linear in each unit: pairwise couplings without self-couplings). A law q(x' | x) made of d proposes
 * x', which is accepted with probability min(1, p(x') q(x | x') / (p(x) q(x' | x))): whatever d is, p stays invariant.
 *
 * What is known of the present state, its energy and all that its gradient gave, is kept after a rejection and comes
 * from the proposed state after an acceptance: a proposal costs one gradient and one energy. */
#ifndef EBM_DISCRETE_PROPOSALS_H
#define EBM_DISCRETE_PROPOSALS_H

#include "samplers/state_table.h"

/* One chain's state and what a law has made of the gradient there. C = ebm_discrete_changes_count. */
typedef struct ebm_proposal_row {
    ebm_real *x;      /* (V) */
    ebm_real *logit;  /* (C): of each change; before `prepare` the gradient of E_beta */
    ebm_real *weight; /* (C): the law's own, kept with the state */
    double log_total; /* what `prepare` has returned */
} ebm_proposal_row;

typedef struct ebm_proposal_law ebm_proposal_law;
struct ebm_proposal_law {
    const ebm_space *space;
    const void *options;
    bool one_unit; /* x' differs from x in exactly one unit, which `draw` tells */
    /* Turn the gradient in row->logit into logits and weights; returns the logarithm of the law's normaliser. */
    double (*prepare)(const ebm_proposal_law *law, const ebm_proposal_row *row);
    /* to (V) ~ q(. | row->x), with the numbers of (stream, chain, step). `to` may be row->x itself; where one_unit holds
     * it starts as a copy of row->x. Returns log q(to | x) + log_total. */
    double (*draw)(const ebm_proposal_law *law, const ebm_proposal_row *row, ebm_stream stream, uint32_t chain,
                   uint64_t step, uint32_t *unit, ebm_real *to);
    /* log q(from->x | to->x) + to->log_total, just after `draw` has led from `from` to `to`. */
    double (*back)(const ebm_proposal_law *law, const ebm_proposal_row *from, const ebm_proposal_row *to,
                   uint32_t unit);
};

/* Changes that the gradient speaks of: V where a unit has one other value, V q where it is categorical. */
static inline size_t ebm_discrete_changes_count(const ebm_space *space) {
    return space->size * (space->domain == EBM_CATEGORICAL ? space->categories : 1);
}
/* The gradient at x (V) in place into scale d_i(c) - penalty; 0 for the category that a unit has. */
void ebm_discrete_changes(const ebm_space *space, const ebm_real *x, double scale, double penalty, ebm_real *gradient);

/* `proposals` proposals for every chain; adjust = false takes each of them. Proposal k draws at step + 2 k and accepts by
 * step + 2 k + 1. */
EBM_NODISCARD ebm_status ebm_discrete_walk(const ebm_proposal_law *law, bool adjust, const ebm_model *model,
                                           ebm_path path, ebm_chains *chains, size_t proposals, ebm_work *work,
                                           ebm_error *error);

/* For kernels: d (states, units, categories) in double, d_i(x_i) = 0, from the model's gradients at all states. Memory is
 * `work`'s. */
EBM_NODISCARD ebm_status ebm_discrete_change_table(const ebm_state_table *table, ebm_path path, double **out,
                                                   ebm_work *work, ebm_error *error);
/* T (states, states) holds log q(j | i); it becomes the Metropolis-Hastings kernel (adjust) or q itself. */
void ebm_discrete_kernel(const ebm_state_table *table, bool adjust, double *T);

#endif
