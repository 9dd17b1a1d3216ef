/* The Gaussian-Bernoulli restricted Boltzmann machine: what its files share. Internal to the models. */
#ifndef EBM_GRBM_H
#define EBM_GRBM_H

#include "ebm/model.h"

enum { EBM_GRBM_W, EBM_GRBM_MEAN, EBM_GRBM_HIDDEN, EBM_GRBM_LOG_VARIANCE }; /* views, in this order in theta */

typedef struct ebm_grbm_state {
    ebm_real *scaled;     /* (V, H) = W / sigma^2, row by row */
    ebm_real *transposed; /* (H, V) = W^T */
    ebm_real *precision;  /* (V) = 1 / sigma^2 */
    bool fixed_variance;
} ebm_grbm_state;

static inline const ebm_real *ebm_grbm_view(const ebm_model *model, int index) {
    return model->theta + model->views[index].offset;
}

/* E_beta(v, h) = sum_i (precision_i v_i^2 / 2 - linear_i v_i) + constant - beta (f . h), f without its part in v:
 * along the path the machine is one of its own kind, with v_i | h ~ N((linear_i + beta (W h)_i / sigma_i^2) / precision_i,
 * 1 / precision_i). Arrays of V. */
typedef struct ebm_grbm_path {
    double *precision, *linear;
    double constant;
} ebm_grbm_path;

EBM_NODISCARD ebm_status ebm_grbm_path_open(const ebm_model *model, ebm_path path, ebm_grbm_path *out, ebm_work *work,
                                            ebm_error *error);

/* By enumerating the hidden layer: slots of the model. */
ebm_status ebm_grbm_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                   ebm_error *error);
ebm_status ebm_grbm_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                        ebm_work *work, ebm_error *error);
ebm_status ebm_grbm_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                 uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error);
ebm_status ebm_grbm_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                               ebm_work *work, ebm_error *error);
ebm_status ebm_grbm_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                                 double *out, ebm_work *work, ebm_error *error);

#endif
