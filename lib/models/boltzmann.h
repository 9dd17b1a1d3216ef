/* What every fully visible machine of pairwise coupled two-valued units has in common (boltzmann.c): the models boltzmann
 * and hopfield differ in how they are set up. Internal to the models. */
#ifndef EBM_MODELS_BOLTZMANN_H
#define EBM_MODELS_BOLTZMANN_H

#include "ebm/model.h"

/* Units of the couplings in DIR/W.npy. */
ebm_status ebm_boltzmann_units(const char *directory, size_t *units, ebm_error *error);
/* Sizes and views for the space that is set: W (V, V), then bias (V). */
ebm_status ebm_boltzmann_shape(ebm_model *model, ebm_error *error);
/* W.npy and bias.npy; couplings that are not symmetric, or of a unit with itself, are refused with the largest such. */
ebm_status ebm_boltzmann_load(ebm_model *model, const char *directory, ebm_error *error);

/* W (V, V): normal couplings of this standard deviation; row i, right of the diagonal, draws at chain i. */
void ebm_boltzmann_draw_couplings(size_t V, double scale, ebm_stream stream, ebm_real *W);

void ebm_boltzmann_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work);
void ebm_boltzmann_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work);
void ebm_boltzmann_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                     double *out, ebm_work *work);
void ebm_boltzmann_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                              ebm_real *grad, ebm_work *work);
void ebm_boltzmann_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work);
void ebm_boltzmann_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                        ebm_real *logit, ebm_work *work);
void ebm_boltzmann_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                                ebm_work *work);
bool ebm_boltzmann_sweep(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps, ebm_work *work);
double ebm_boltzmann_log_base_normaliser(const ebm_model *model, const ebm_base *base);
ebm_status ebm_boltzmann_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                        ebm_error *error);
ebm_status ebm_boltzmann_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                             ebm_work *work, ebm_error *error);
ebm_status ebm_boltzmann_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                      uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error);
void ebm_boltzmann_precondition(ebm_model *model, ebm_real *grad, ebm_work *work);

/* Of an ebm_model_type. */
#define EBM_BOLTZMANN_SLOTS                                                                                            \
    .field = ebm_boltzmann_field, .energy = ebm_boltzmann_energy,                                                      \
    .energy_difference = ebm_boltzmann_energy_difference, .grad_theta = ebm_boltzmann_grad_theta,                      \
    .grad_x = ebm_boltzmann_grad_x, .site = ebm_boltzmann_site, .site_changed = ebm_boltzmann_site_changed,            \
    .sweep = ebm_boltzmann_sweep, .log_base_normaliser = ebm_boltzmann_log_base_normaliser,                            \
    .log_normaliser = ebm_boltzmann_log_normaliser, .expected_grad_theta = ebm_boltzmann_expected_grad_theta,          \
    .sample_exact = ebm_boltzmann_sample_exact, .precondition = ebm_boltzmann_precondition

#endif
