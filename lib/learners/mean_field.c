/* The naive mean-field solution of the inverse problem, in one step from the moments of the data (Kappen & Rodriguez
 * 1998; Tanaka 1998).
 *
 * Spins with means m and covariance C. Mean-field equations m_i = tanh(h_i + sum_j J_ij m_j), differentiated by h
 * (linear response, C_ij = dm_i / dh_j), give (C^-1)_ij = delta_ij / (1 - m_i^2) - J_ij, so
 *   J_ij = -(C^-1)_ij (i != j),     h_i = artanh m_i - sum_j J_ij m_j.
 * Of a machine's exact moments this is right to first order in the couplings where the means are not 0. */
#include "components.h"
#include "learners/pairwise.h"

#include <math.h>

static const ebm_option mean_field_table[] = {EBM_OPTIONS_END};

static ebm_status mean_field_create(ebm_learner *learner, ebm_error *error) {
    ebm_pairwise machine;
    return ebm_pairwise_of(learner, &machine, error);
}

static void invert(size_t V, const double *m, double *J, double *h) {
    for (size_t i = 0; i < V; i++) {
        h[i] = atanh(m[i]);
        for (size_t j = 0; j < V; j++)
            h[i] -= i == j ? 0 : J[i * V + j] * m[j];
    }
}

static ebm_status mean_field_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                    ebm_error *error) {
    return ebm_pairwise_invert(learner, x, count, invert, work, error);
}

const ebm_learner_type ebm_mean_field = {
    .info = {"mean-field", "couplings in one step by naive mean-field theory: minus the inverse covariance",
             "Kappen & Rodriguez 1998; Tanaka 1998", mean_field_table, 0},
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN,
    .create = mean_field_create,
    .update = mean_field_update,
};
