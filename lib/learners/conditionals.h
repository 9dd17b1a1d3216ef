/* Learning from the conditionals of single units given all others, for dense pairwise machines. Internal.
 *
 *   objective (to be lowered) = mean over examples of sum_i loss(m_i),   m_i = log P(x_i | rest) - log P(other value | rest)
 * m_i = g s_i f_i with f = W x + b the field, s_i = +-1 for up and down, g = 2 for spins and 1 for 0/1 units. Nothing has
 * to be summed over states or sampled. With d_i = loss'(m_i) g s_i
 *   d/db_i = mean d_i,    d/dw_ij = mean (d_i x_j + d_j x_i),
 * of which each half of a coupling carries one half (boltzmann.c). */
#ifndef EBM_CONDITIONALS_H
#define EBM_CONDITIONALS_H

#include "learners/optimiser.h"
#include "learners/pairwise.h"

#include <math.h>

typedef struct ebm_conditionals_options {
    ebm_optimiser_options optimiser;
} ebm_conditionals_options;

/* Rows of the option table of such a learner. */
#define EBM_CONDITIONALS_TABLE                                                                                         \
    EBM_OPTIMISER_TABLE(ebm_conditionals_options, ebm_optimiser_names_exact), {                                        \
        "iterations", EBM_OPTION_INT, offsetof(ebm_conditionals_options, optimiser.iterations), "100", 1, 1e6, NULL,   \
            0, "L-BFGS iterations that make one update"                                                                \
    }

/* loss(m) and its derivative */
typedef void ebm_margin_loss(double margin, double *loss, double *slope);

EBM_NODISCARD ebm_status ebm_conditionals_create(ebm_learner *learner, ebm_error *error);
void ebm_conditionals_destroy(ebm_learner *learner);
EBM_NODISCARD ebm_status ebm_conditionals_update(ebm_learner *learner, ebm_margin_loss *loss, const ebm_real *x,
                                                 size_t count, ebm_work *work, ebm_error *error);
size_t ebm_conditionals_regions(ebm_learner *learner, ebm_region *out);

/* *value and gradient (n_theta) of the objective at the model's present theta, in double over blocks of rows. */
EBM_NODISCARD ebm_status ebm_conditionals_objective(const ebm_model *model, const ebm_pairwise *machine,
                                                    ebm_margin_loss *loss, const ebm_real *x, size_t count,
                                                    double *value, double *gradient, ebm_work *work, ebm_error *error);

#endif
