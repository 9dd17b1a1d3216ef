/* The exponential-family harmonium: what its files share. Internal to the models. */
#ifndef EBM_HARMONIUM_H
#define EBM_HARMONIUM_H

#include "ebm/model.h"
#include "models/exponential_unit.h"

/* Views, in this order in theta; the last only where there are Gaussian units. */
enum { EBM_HARMONIUM_W, EBM_HARMONIUM_VISIBLE, EBM_HARMONIUM_HIDDEN, EBM_HARMONIUM_LOG_VARIANCE };

typedef struct ebm_harmonium_state {
    ebm_unit_list units;
    ebm_real *transposed; /* (H, V) = W^T */
    double *variance;     /* (units.variances), sigma^2 */
    bool fixed_variance;
} ebm_harmonium_state;

static inline const ebm_real *ebm_harmonium_view(const ebm_model *model, int index) {
    return model->theta + model->views[index].offset;
}

/* The law of unit k given the natural parameters eta (V) of the whole layer. */
static inline ebm_unit_law ebm_harmonium_law(const ebm_harmonium_state *state, size_t k, const double *eta,
                                             double beta) {
    const ebm_unit *u = &state->units.units[k];
    return (ebm_unit_law){u->width, eta + u->at, beta, u->kind->dispersed ? state->variance[u->variance] : 1};
}

/* By enumerating the hidden layer: slots of the model. */
ebm_status ebm_harmonium_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                        ebm_error *error);
ebm_status ebm_harmonium_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                             ebm_work *work, ebm_error *error);
ebm_status ebm_harmonium_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                      uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error);
ebm_status ebm_harmonium_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                    ebm_work *work, ebm_error *error);
ebm_status ebm_harmonium_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                                      double *out, ebm_work *work, ebm_error *error);

#endif
