/* Storkey's rule: the patterns one after another, each less what the net already says of it.
 *
 *   w_ij += (1/V) (y_i y_j - y_i h_ji - h_ij y_j),    h_ij = sum_(k != i, j) w_ik y_k,    w_ii = 0,   b = 0
 *
 * (A. Storkey, "Increasing the capacity of a Hopfield network without sacrificing functionality", 1997, equation 3): local
 * and incremental, capacity V / sqrt(2 ln V). With f_i = sum_(k != i) w_ik y_k, h_ij = f_i - w_ij y_j, so
 *
 *   w_ij <- (1 + 2/V) w_ij + y_i z_j + z_i y_j,    z = (y/2 - f) / V,
 *
 * a rank-two change and a growth by a constant factor. The factor is kept apart, W = s U, and put in at the end. */
#include "components.h"
#include "learners/associative.h"

#include <math.h>
#include <string.h>

static const ebm_option storkey_table[] = {EBM_OPTIONS_END};

typedef struct growth {
    double scale; /* s: grows to e^(2 K / V) */
} growth;

static bool storkey_change(void *context, size_t V, const ebm_real *y, const ebm_real *f, ebm_real *z) {
    growth *g = context;
    const double grown = g->scale * (1 + 2 / (double)V);
    const ebm_real of_y = (ebm_real)(0.5 / ((double)V * grown)), of_f = (ebm_real)(g->scale / ((double)V * grown));
    for (size_t i = 0; i < V; i++)
        z[i] = of_y * y[i] - of_f * f[i];
    g->scale = grown;
    return true;
}

static ebm_status storkey_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                 ebm_error *error) {
    ebm_couplings c;
    EBM_TRY(ebm_couplings_of(learner->model, learner->type->info.name, &c, error));
    const size_t V = c.units;
    growth g = {1};
    memset(c.W, 0, V * V * sizeof *c.W);
    memset(c.bias, 0, V * sizeof *c.bias);
    EBM_TRY(ebm_store_one_by_one(V, count, x, c.W, storkey_change, &g, work, error));
    const ebm_real scale = (ebm_real)g.scale;
    for (size_t k = 0; k < V * V; k++)
        c.W[k] *= scale;
    ebm_clear_diagonal(V, c.W);
    ebm_model_refresh(learner->model, work);
    return ebm_couplings_finite(&c, error);
}

const ebm_learner_type ebm_storkey = {
    .info = {"storkey", "Storkey's incremental rule: an update stores its examples afresh, one after another",
             "Storkey 1997, equation 3", storkey_table, 0},
    .domains = 1u << EBM_SPIN,
    .create = ebm_one_shot_create,
    .update = storkey_update,
};
