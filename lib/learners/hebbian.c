/* Hebb's rule: all patterns stored at once.
 *
 *   w_ij = (1/V) sum_p y_pi y_pj  (i != j),   w_ii = 0,   b_i = (h/K) sum_p y_pi
 *
 * for V spins and K patterns (Hopfield 1982, equation 2, in spins). Random patterns are all exactly stable for
 * K < V / (4 ln V) (McEliece et al. 1987); retrieval with few errors is lost near K = 0.138 V (Amit, Gutfreund &
 * Sompolinsky 1985). h, mostly 0, is the strength of a field along what the patterns have in common; h = K/V is the rule itself for
 * a further unit that is always +1. Each update starts from nothing and stores the examples that it is given.
 *
 * A model that keeps the patterns themselves (view "patterns", one a row: hopfield-modern, which with n = 2 is this
 * network) is given them as they are. */
#include "components.h"
#include "learners/associative.h"

#include "ebm/matrix.h"

#include <string.h>

typedef struct hebbian_options {
    double bias;
} hebbian_options;

static const ebm_option hebbian_table[] = {
    {"bias", EBM_OPTION_REAL, EBM_OFFSET(hebbian_options, bias), "0", -1e6, 1e6, NULL, 0,
     "h: strength of a field along the mean of the patterns; 0: none"},
    EBM_OPTIONS_END,
};

/* The view in which a model keeps patterns one by one, or NULL. */
static const ebm_view *patterns_of(const ebm_model *model) {
    for (size_t k = 0; k < model->n_views; k++)
        if (strcmp(model->views[k].name, "patterns") == 0 && model->views[k].columns == model->space.size)
            return &model->views[k];
    return NULL;
}

static ebm_status hebbian_create(ebm_learner *learner, ebm_error *error) {
    const hebbian_options *o = learner->options;
    if (!patterns_of(learner->model))
        return ebm_one_shot_create(learner, error);
    if (o->bias != 0)
        return ebm_fail(error, EBM_UNSUPPORTED, "model %s has no bias for hebbian to set",
                        learner->model->type->info.name);
    return EBM_OK;
}

static ebm_status store_patterns(ebm_model *model, const ebm_view *view, const ebm_real *x, size_t count,
                                 ebm_work *work, ebm_error *error) {
    if (count != view->rows)
        return ebm_fail(error, EBM_INVALID, "hebbian got %zu examples for the %zu patterns of model %s", count,
                        view->rows, model->type->info.name);
    memcpy(model->theta + view->offset, x, view->rows * view->columns * sizeof *x);
    ebm_model_refresh(model, work);
    return EBM_OK;
}

static ebm_status hebbian_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                 ebm_error *error) {
    const hebbian_options *o = learner->options;
    const ebm_view *patterns = patterns_of(learner->model);
    ebm_couplings c;
    if (patterns)
        return store_patterns(learner->model, patterns, x, count, work, error);
    EBM_TRY(ebm_couplings_of(learner->model, learner->type->info.name, &c, error));
    ebm_symmetric_product(c.units, count, 1.0 / (double)c.units, x, x, 0.0, c.W, work);
    ebm_clear_diagonal(c.units, c.W);
    memset(c.bias, 0, c.units * sizeof *c.bias);
    if (o->bias != 0)
        ebm_column_sums(count, c.units, o->bias / (double)count, x, NULL, c.bias, work);
    ebm_model_refresh(learner->model, work);
    return EBM_OK;
}

const ebm_learner_type ebm_hebbian = {
    .info = {"hebbian", "Hebb's rule: an update stores its examples afresh, all at once",
             "Hebb 1949; Hopfield 1982, equation 2", hebbian_table, sizeof(hebbian_options)},
    .domains = 1u << EBM_SPIN,
    .create = hebbian_create,
    .update = hebbian_update,
};
