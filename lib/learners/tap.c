/* The Thouless-Anderson-Palmer solution of the inverse problem, in one step from the moments of the data (Kappen &
 * Rodriguez 1998; Tanaka 1998; Roudi, Tyrcha & Hertz 2009).
 *
 * Spins with means m and covariance C. The TAP equations
 *   artanh m_i = h_i + sum_j J_ij m_j - m_i sum_j J_ij^2 (1 - m_j^2),
 * differentiated by m_j, give (C^-1)_ij = -J_ij - 2 J_ij^2 m_i m_j for i != j. With A = -(C^-1)_ij the root that tends to A
 * where the means vanish is
 *   J_ij = 2 A / (1 + sqrt(1 + 8 A m_i m_j)).
 * Where the discriminant is negative, which no machine's weak couplings make it, there is no root: J_ij is then that of
 * discriminant 0, where the two roots meet, -1 / (4 m_i m_j). Of a machine's exact moments this is right to second order
 * in the couplings, one order beyond naive mean field. */
#include "components.h"
#include "learners/pairwise.h"

#include <math.h>

static const ebm_option tap_table[] = {EBM_OPTIONS_END};

static ebm_status tap_create(ebm_learner *learner, ebm_error *error) {
    ebm_pairwise machine;
    return ebm_pairwise_of(learner, &machine, error);
}

/* J: on entry A, off the diagonal. */
static void invert(size_t V, const double *m, double *J, double *h) {
    for (size_t i = 0; i < V; i++) {
        h[i] = atanh(m[i]);
        for (size_t j = 0; j < V; j++) {
            if (i == j)
                continue;
            const double A = J[i * V + j], discriminant = 1 + 8 * A * m[i] * m[j];
            const double root = discriminant > 0 ? 2 * A / (1 + sqrt(discriminant)) : -0.25 / (m[i] * m[j]);
            J[i * V + j] = root;
            h[i] += -root * m[j] + m[i] * root * root * (1 - m[j] * m[j]);
        }
    }
}

static ebm_status tap_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work, ebm_error *error) {
    return ebm_pairwise_invert(learner, x, count, invert, work, error);
}

const ebm_learner_type ebm_tap_inversion = {
    .info = {"tap", "couplings in one step by the Thouless-Anderson-Palmer equations",
             "Kappen & Rodriguez 1998; Tanaka 1998; Roudi, Tyrcha & Hertz 2009", tap_table, 0},
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN,
    .create = tap_create,
    .update = tap_update,
};
