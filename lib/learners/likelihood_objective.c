/* The exact log-likelihood as an objective for L-BFGS: mean_b E(x_b) + log Z, with its exact gradient.
 *
 * Where E is linear in theta the data enter by the means of dE/dtheta alone: they are taken once, and mean_b E(x_b) =
 * theta . mean_b dE(x_b)/dtheta in double. The objective is then exact to rounding of double even where energies are
 * float, and the line search can follow it down to moments that agree to about 1e-7. */
#include "learners/phases.h"

#include "ebm/likelihood.h"
#include "ebm/special.h"

#include <string.h>

typedef struct likelihood {
    ebm_batch data;
    ebm_real *scratch; /* (n_theta) */
    double *energies;  /* (count); NULL where E is linear in theta */
    double *means;     /* (n_theta): mean_b dE/dtheta; NULL where it is not */
} likelihood;

static ebm_status evaluate(void *context, const ebm_model *model, double *value, double *gradient, ebm_work *work,
                           ebm_error *error) {
    likelihood *l = context;
    const size_t N = model->n_theta;
    double log_z = 0, energy = 0;
    memset(l->scratch, 0, N * sizeof *l->scratch);
    if (!l->means) {
        l->data.field_ok = false;
        ebm_model_field(model, &l->data, work);
        model->type->energy(model, ebm_path_end(), &l->data, l->energies, work);
        model->type->grad_theta(model, &l->data, NULL, 1.0 / (double)l->data.count, l->scratch, work);
        energy = ebm_mean(l->energies, l->data.count);
    }
    EBM_TRY(model->type->expected_grad_theta(model, -1.0, l->scratch, &log_z, work, error));
    for (size_t k = 0; k < N; k++) {
        energy += l->means ? (double)model->theta[k] * l->means[k] : 0;
        gradient[k] = (double)l->scratch[k] + (l->means ? l->means[k] : 0);
    }
    *value = energy + log_z;
    return EBM_OK;
}

static ebm_status take(const ebm_model *model, likelihood *l, ebm_work *work, ebm_error *error) {
    const size_t N = model->n_theta, B = l->data.count;
    l->scratch = ebm_work_take(work, N, sizeof *l->scratch);
    if (model->type->linear)
        l->means = ebm_work_take(work, N, sizeof *l->means);
    else
        l->energies = ebm_work_take(work, B, sizeof *l->energies);
    if (!l->scratch || (!l->means && !l->energies))
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the likelihood of %zu examples", B);
    if (!l->means)
        return EBM_OK;
    memset(l->means, 0, N * sizeof *l->means);
    EBM_TRY(ebm_add_grad_theta(model, l->data.x, B, l->means, work, error));
    for (size_t k = 0; k < N; k++)
        l->means[k] /= (double)B;
    return EBM_OK;
}

ebm_status ebm_lbfgs_likelihood(ebm_model *model, const ebm_optimiser_options *options, const ebm_batch *data,
                                bool *done, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    const bool precise = sizeof(ebm_real) == 8;
    likelihood l = {.data = *data};
    ebm_status status = take(model, &l, work, error);
    const double tolerance = l.means ? (precise ? 1e-11 : 1e-8) : precise ? 1e-9 : 1e-6;
    const ebm_objective objective = {evaluate, &l, tolerance};
    if (status == EBM_OK)
        status = ebm_lbfgs_minimise(model, options, &objective, done, work, error);
    ebm_work_release(work, mark);
    return status;
}
