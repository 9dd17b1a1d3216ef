/* L-BFGS by liblbfgs (Okazaki & Nocedal; Liu & Nocedal 1989), on whatever objective a learner has.
 *
 * theta is kept in ebm_real and the walk in double: the objective is evaluated at the rounded point, which near a minimum
 * changes its value to second order only. */
#include "learners/optimiser.h"

#include <lbfgs.h>
#include <math.h>

typedef struct walk {
    ebm_model *model;
    const ebm_optimiser_options *options;
    const ebm_objective *objective;
    ebm_work *work;
    ebm_error *error;
    ebm_status status;
} walk;

static double penalty(const walk *w, lbfgsfloatval_t *g) {
    double sum = 0, lambda = w->options->weight_decay;
    for (size_t v = 0; lambda > 0 && v < w->model->n_views; v++) {
        const ebm_view *view = &w->model->views[v];
        size_t count = view->rows * (view->columns ? view->columns : 1);
        for (size_t i = view->offset; view->decays && i < view->offset + count; i++) {
            sum += 0.5 * lambda * (double)w->model->theta[i] * (double)w->model->theta[i];
            g[i] += lambda * (double)w->model->theta[i];
        }
    }
    return sum;
}

static lbfgsfloatval_t evaluate(void *instance, const lbfgsfloatval_t *x, lbfgsfloatval_t *g, const int n,
                                const lbfgsfloatval_t step) {
    walk *w = instance;
    double value = NAN;
    (void)step;
    for (int i = 0; i < n; i++) {
        w->model->theta[i] = (ebm_real)x[i];
        g[i] = 0;
    }
    ebm_model_refresh(w->model, w->work);
    if (w->status == EBM_OK)
        w->status = w->objective->evaluate(w->objective->context, w->model, &value, g, w->work, w->error);
    return w->status == EBM_OK ? value + penalty(w, g) : NAN;
}

/* Gives up as soon as an evaluation has failed. */
static int progress(void *instance, const lbfgsfloatval_t *x, const lbfgsfloatval_t *g, const lbfgsfloatval_t fx,
                    const lbfgsfloatval_t xnorm, const lbfgsfloatval_t gnorm, const lbfgsfloatval_t step, int n, int k,
                    int ls) {
    const walk *w = instance;
    (void)x, (void)g, (void)fx, (void)xnorm, (void)gnorm, (void)step, (void)n, (void)k, (void)ls;
    return w->status == EBM_OK && isfinite(fx) ? 0 : 1;
}

ebm_status ebm_lbfgs_minimise(ebm_model *model, const ebm_optimiser_options *options, const ebm_objective *objective,
                              bool *done, ebm_work *work, ebm_error *error) {
    if (model->n_theta > 1u << 28)
        return ebm_fail(error, EBM_UNSUPPORTED, "L-BFGS on %zu parameters is out of reach", model->n_theta);
    walk w = {model, options, objective, work, error, EBM_OK};
    lbfgsfloatval_t *x = lbfgs_malloc((int)model->n_theta);
    if (!x)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for L-BFGS on %zu parameters", model->n_theta);
    lbfgs_parameter_t parameters;
    lbfgs_parameter_init(&parameters);
    parameters.max_iterations = (int)options->iterations;
    parameters.epsilon = objective->tolerance;
    for (size_t i = 0; i < model->n_theta; i++)
        x[i] = (double)model->theta[i];
    const int outcome = lbfgs((int)model->n_theta, x, NULL, evaluate, progress, &w, &parameters);
    double magnitude = 0;
    for (size_t i = 0; i < model->n_theta; i++) {
        model->theta[i] = (ebm_real)x[i];
        magnitude += fabs(x[i]);
    }
    ebm_model_refresh(model, work);
    lbfgs_free(x);
    *done = outcome != LBFGSERR_MAXIMUMITERATION;
    if (w.status == EBM_OK && !(magnitude / (double)model->n_theta <= options->limit))
        return ebm_fail(error, EBM_DIVERGED, "L-BFGS diverged: mean |parameter| is %g (limit %g); set weight_decay",
                        magnitude / (double)model->n_theta, options->limit);
    return w.status;
}
