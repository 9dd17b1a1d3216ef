/* L-BFGS on the exact log-likelihood, by liblbfgs (Okazaki & Nocedal; Liu & Nocedal 1989).
 *
 * Objective, to be lowered: mean_b E(x_b) + log Z + lambda / 2 |W|^2, with its exact gradient. One call makes
 * `iterations` iterations from the current theta; the curvature pairs are not kept between calls. */
#include "learners/phases.h"

#include "ebm/special.h"

#include <lbfgs.h>
#include <math.h>

typedef struct objective {
    ebm_model *model;
    const ebm_optimiser_options *options;
    ebm_batch data;
    ebm_real *gradient;
    double *energies;
    ebm_work *work;
    ebm_error *error;
    ebm_status status;
} objective;

static double penalty(const objective *o, lbfgsfloatval_t *g) {
    double sum = 0, lambda = o->options->weight_decay;
    for (size_t v = 0; lambda > 0 && v < o->model->n_views; v++) {
        const ebm_view *view = &o->model->views[v];
        size_t count = view->rows * (view->columns ? view->columns : 1);
        for (size_t i = view->offset; view->decays && i < view->offset + count; i++) {
            sum += 0.5 * lambda * (double)o->model->theta[i] * (double)o->model->theta[i];
            g[i] += lambda * (double)o->model->theta[i];
        }
    }
    return sum;
}

static lbfgsfloatval_t evaluate(void *instance, const lbfgsfloatval_t *x, lbfgsfloatval_t *g, const int n,
                                const lbfgsfloatval_t step) {
    objective *o = instance;
    const ebm_model_type *type = o->model->type;
    double log_z = 0, B = (double)o->data.count;
    (void)step;
    for (int i = 0; i < n; i++) {
        o->model->theta[i] = (ebm_real)x[i];
        o->gradient[i] = 0;
    }
    ebm_model_refresh(o->model, o->work);
    o->data.field_ok = false;
    ebm_model_field(o->model, &o->data, o->work);
    type->energy(o->model, ebm_path_end(), &o->data, o->energies, o->work);
    type->grad_theta(o->model, &o->data, NULL, 1.0 / B, o->gradient, o->work);
    if (o->status == EBM_OK)
        o->status = type->expected_grad_theta(o->model, -1.0, o->gradient, &log_z, o->work, o->error);
    for (int i = 0; i < n; i++)
        g[i] = (double)o->gradient[i];
    return o->status == EBM_OK ? ebm_mean(o->energies, o->data.count) + log_z + penalty(o, g) : NAN;
}

/* Gives up as soon as an evaluation has failed. */
static int progress(void *instance, const lbfgsfloatval_t *x, const lbfgsfloatval_t *g, const lbfgsfloatval_t fx,
                    const lbfgsfloatval_t xnorm, const lbfgsfloatval_t gnorm, const lbfgsfloatval_t step, int n, int k,
                    int ls) {
    const objective *o = instance;
    (void)x, (void)g, (void)fx, (void)xnorm, (void)gnorm, (void)step, (void)n, (void)k, (void)ls;
    return o->status == EBM_OK && isfinite(fx) ? 0 : 1;
}

ebm_status ebm_lbfgs_run(ebm_model *model, const ebm_optimiser_options *options, const ebm_batch *data,
                         ebm_real *gradient, ebm_work *work, ebm_error *error) {
    if (model->n_theta > 1u << 28)
        return ebm_fail(error, EBM_UNSUPPORTED, "L-BFGS on %zu parameters is out of reach", model->n_theta);
    size_t mark = ebm_work_mark(work);
    objective o = {model, options, *data, gradient, ebm_work_take(work, data->count, sizeof(double)),
                   work,  error,   EBM_OK};
    lbfgsfloatval_t *x = lbfgs_malloc((int)model->n_theta);
    if (!x || !o.energies) {
        lbfgs_free(x);
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for L-BFGS on %zu parameters", model->n_theta);
    }
    lbfgs_parameter_t parameters;
    lbfgs_parameter_init(&parameters);
    parameters.max_iterations = (int)options->iterations;
    parameters.epsilon = sizeof(ebm_real) == 8 ? 1e-9 : 1e-6;
    for (size_t i = 0; i < model->n_theta; i++)
        x[i] = (double)model->theta[i];
    lbfgs((int)model->n_theta, x, NULL, evaluate, progress, &o, &parameters);
    double magnitude = 0;
    for (size_t i = 0; i < model->n_theta; i++) {
        model->theta[i] = (ebm_real)x[i];
        magnitude += fabs(x[i]);
        gradient[i] = 0;
    }
    ebm_model_refresh(model, work);
    lbfgs_free(x);
    ebm_work_release(work, mark);
    if (o.status == EBM_OK && !(magnitude / (double)model->n_theta <= options->limit))
        return ebm_fail(error, EBM_DIVERGED, "L-BFGS diverged: mean |parameter| is %g (limit %g); set weight_decay",
                        magnitude / (double)model->n_theta, options->limit);
    return o.status;
}
