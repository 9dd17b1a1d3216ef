/* What machines of categorical units with pairwise energies share. Internal to the models.
 *
 *   E(x) = -sum_(i<j) J_ij(x_i, x_j) - sum_i h_i(x_i),   x_i in 0 ... q - 1
 *   f_i(c) = h_i(c) + sum_(j != i) J_ij(c, x_j)          the field, (V, q) for each row
 *   E(x) = -1/2 sum_i (h_i(x_i) + f_i(x_i))
 *   log p_beta(x_i = c | rest) = beta f_i(c) + (1 - beta) a_i(c) + constant,   a the base's logits
 * E is linear in each unit's one-hot coordinates: dE_beta/dx_i(c) = -(beta f_i(c) + (1 - beta) a_i(c)).
 *
 * A model of this kind has n_field = V q and h as its view number EBM_POTTS_FIELD, shape (V, q). */
#ifndef EBM_MODELS_POTTS_PARTS_H
#define EBM_MODELS_POTTS_PARTS_H

#include "ebm/model.h"

#ifdef _OPENMP
#include <omp.h>
#endif

enum { EBM_POTTS_COUPLING, EBM_POTTS_FIELD }; /* the views */
enum { EBM_POTTS_MAX_CATEGORIES = 65535 };    /* codes are kept in 16 bits */

static inline const ebm_real *ebm_potts_view(const ebm_model *model, int index) {
    return model->theta + model->views[index].offset;
}

/* Of the calling thread in its team: which part of per-thread scratch is its own. */
static inline size_t ebm_potts_thread(void) {
#ifdef _OPENMP
    return (size_t)omp_get_thread_num();
#else
    return 0;
#endif
}

/* ---- Slots that follow from the field (potts_energy.c) ---- */

void ebm_potts_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work);
void ebm_potts_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                 double *out, ebm_work *work);
void ebm_potts_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work);
void ebm_potts_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                    ebm_real *logit, ebm_work *work);
double ebm_potts_log_base_normaliser(const ebm_model *model, const ebm_base *base);
/* grad (V, q) += scale sum_b weight_b dE(x_b)/dh, dE/dh_i(c) = -[x_i = c]. */
void ebm_potts_grad_field(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                          ebm_real *grad, ebm_work *work);

/* ---- Enumeration of at most 2^20 states (potts_enumerate.c) ---- */

/* Numbers that belong to pairs of categories, for j < i: J_ij(c, d), or p(x_i = c, x_j = d). */
static inline size_t ebm_potts_pair(size_t q, size_t i, size_t j, size_t c, size_t d) {
    return ((i * (i - 1) / 2 + j) * q + c) * q + d;
}
/* Write J_ij(c, d) of all pairs j < i; `pair` is zeroed. */
typedef void ebm_potts_couplings(const ebm_model *model, double *pair);
/* What to do with the marginals p(x_i = c) (V, q) and those of pairs: called once. */
typedef void ebm_potts_marginals(const ebm_model *model, const double *unit, const double *pair, double scale,
                                 ebm_real *grad);

/* The slots of the same names. Expected gradients: `add` turns the marginals into grad += scale E[dE/dtheta]. */
EBM_NODISCARD ebm_status ebm_potts_log_normaliser(const ebm_model *model, ebm_path path, ebm_potts_couplings *couplings,
                                                  double *out, ebm_work *work, ebm_error *error);
EBM_NODISCARD ebm_status ebm_potts_expected_grad(const ebm_model *model, ebm_potts_couplings *couplings,
                                                 ebm_potts_marginals *add, double scale, ebm_real *grad, double *log_z,
                                                 ebm_work *work, ebm_error *error);
EBM_NODISCARD ebm_status ebm_potts_sample_exact(const ebm_model *model, ebm_path path, ebm_potts_couplings *couplings,
                                                ebm_batch *batch, ebm_stream stream, uint32_t first_chain,
                                                uint64_t step, ebm_work *work, ebm_error *error);

/* ---- Sweeps (potts_sweep.c) ---- */

/* field (rows, q) = f_unit(.) of `rows` states, given as codes (V, rows): unit j of state r is codes[j rows + r]. */
typedef void ebm_potts_local(const ebm_model *model, size_t unit, size_t rows, const uint16_t *codes, ebm_real *field);

/* The slot `sweep`: systematic, and checkerboard where there is a colouring (V) of two colours; NULL: none. Chains go
 * through the units `together` at a time: more where a unit reads much, so that it is read from memory less often. */
bool ebm_potts_sweep(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps, const uint8_t *colour,
                     size_t together, ebm_potts_local *local, ebm_work *work);

#endif
