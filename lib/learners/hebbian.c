/* Hebb's rule: all patterns stored at once.
 *
 *   w_ij = (1/V) sum_p y_pi y_pj  (i != j),   w_ii = 0,   b = 0
 *
 * for V spins and K patterns (Hopfield 1982, equation 2, in spins). Random patterns are all exactly stable for
 * K < V / (4 ln V) (McEliece et al. 1987); retrieval with few errors is lost near K = 0.138 V (Amit, Gutfreund &
 * Sompolinsky 1985). Each update starts from nothing and stores the examples that it is given. */
#include "components.h"
#include "learners/associative.h"

#include <string.h>

static const ebm_option hebbian_table[] = {EBM_OPTIONS_END};

static ebm_status hebbian_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                 ebm_error *error) {
    ebm_couplings c;
    EBM_TRY(ebm_couplings_of(learner->model, learner->type->info.name, &c, error));
    ebm_symmetric_product(c.units, count, 1.0 / (double)c.units, x, x, 0.0, c.W, work);
    ebm_clear_diagonal(c.units, c.W);
    memset(c.bias, 0, c.units * sizeof *c.bias);
    ebm_model_refresh(learner->model, work);
    return EBM_OK;
}

const ebm_learner_type ebm_hebbian = {
    .info = {"hebbian", "Hebb's rule: an update stores its examples afresh, all at once",
             "Hebb 1949; Hopfield 1982, equation 2", hebbian_table, 0},
    .domains = 1u << EBM_SPIN,
    .create = ebm_one_shot_create,
    .update = hebbian_update,
};
