/* Machines of one or two real units, exactly: sums over a grid in place of integrals. */
#ifndef EBM_QUADRATURE_H
#define EBM_QUADRATURE_H

#include "ebm/model.h"

typedef struct ebm_quadrature {
    size_t points;
    double log_z;
    double kl;   /* KL(data || model) in nats; NAN where the data's density is not known */
    double mass; /* sum of the data's density over the grid: 1, or the grid is no good; NAN where it is not known */
} ebm_quadrature;

/* The model has the slot gaussian_visible with means that are affine in 0/1 hidden units. `data` may be NULL; where its
 * density is known, the grid covers its training examples too, with as much again about them, and is as fine as `spacing`. At
 * most `most` points: EBM_UNSUPPORTED beyond. EBM_DIVERGED where the model's parameters are no law, or its energies not finite. */
EBM_NODISCARD ebm_status ebm_quadrature_of(const ebm_model *model, const ebm_dataset *data, double spacing, size_t most,
                                           ebm_quadrature *out, ebm_work *work, ebm_error *error);

#endif
