/* E_beta = beta E + (1 - beta) E_base with E_base = sum_i (x_i - m_i)^2 / (2 s_i^2), and what a law without parameters
 * answers. */
#include "models/real_path.h"

#include <math.h>
#include <string.h>

static void mix_energy(ebm_path path, const ebm_batch *batch, double *energy, ebm_work *work) {
    const size_t mark = ebm_work_mark(work);
    double *base = path.base ? ebm_work_take(work, batch->count, sizeof *base) : NULL;
    if (base)
        ebm_base_energy(path.base, batch->count, batch->x, base, work);
    for (size_t b = 0; b < batch->count; b++)
        if (isfinite(energy[b]))
            energy[b] = path.beta * energy[b] + (base ? (1 - path.beta) * base[b] : 0);
    ebm_work_release(work, mark);
}

static void mix_gradient(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *grad,
                         ebm_work *work) {
    const size_t mark = ebm_work_mark(work), V = model->space.size;
    const ebm_real *mean = path.base->parameters, *log_variance = mean + V;
    double *precision = ebm_work_take(work, V, sizeof *precision); /* (1 - beta) / s^2 */
    for (size_t i = 0; i < V; i++)
        precision[i] = (1 - path.beta) * exp(-(double)log_variance[i]);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        ebm_real *to = grad + b * V;
        for (size_t i = 0; i < V; i++)
            to[i] = (ebm_real)(path.beta * (double)to[i] + precision[i] * ((double)x[i] - (double)mean[i]));
    }
    ebm_work_release(work, mark);
}

void ebm_real_add_base(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy, ebm_real *grad,
                       ebm_work *work) {
    if (path.beta == 1)
        return;
    if (energy)
        mix_energy(path, batch, energy, work);
    if (grad && path.base)
        mix_gradient(model, path, batch, grad, work);
    else if (grad)
        for (size_t i = 0; i < batch->count * model->space.size; i++)
            grad[i] = (ebm_real)(path.beta * (double)grad[i]);
}

void ebm_real_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    model->type->energy_grad_x(model, path, batch, out, NULL, work);
}

void ebm_real_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    model->type->energy_grad_x(model, path, batch, NULL, out, work);
}

ebm_status ebm_real_uniform_base(const ebm_model *model, ebm_path path, const char *what, ebm_error *error) {
    if (path.base && path.beta != 1)
        return ebm_fail(error, EBM_UNSUPPORTED, "model %s knows no %s along a path from a base distribution",
                        model->type->info.name, what);
    if (!(path.beta > 0))
        return ebm_fail(error, EBM_UNSUPPORTED, "model %s has no %s at inverse temperature %g: it must be positive",
                        model->type->info.name, what, path.beta);
    return EBM_OK;
}

ebm_status ebm_real_units(const ebm_model *model, size_t units, ebm_error *error) {
    if (model->space.size != units)
        return ebm_fail(error, EBM_INVALID,
                        "model %s has %zu units, as its options say, but the data have %zu: it is a law of its own and "
                        "needs no data",
                        model->type->info.name, units, model->space.size);
    return EBM_OK;
}

ebm_status ebm_real_mean_named(const ebm_model *model, const ebm_real_means *means, const char *observable, double *out,
                               ebm_error *error) {
    const struct {
        const char *name;
        double value;
    } known[] = {{"first", means->first},
                 {"second", means->second},
                 {"first_square", means->first_square},
                 {"second_square", means->second_square},
                 {"square", means->square},
                 {"energy", means->energy}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (strcmp(known[k].name, observable) == 0 && !isnan(known[k].value)) {
            *out = known[k].value;
            return EBM_OK;
        }
    return ebm_fail(error, EBM_UNSUPPORTED, "model %s with these options has no known mean of %s",
                    model->type->info.name, observable);
}

ebm_status ebm_real_initialise_nothing(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                       ebm_error *error) {
    (void)model, (void)options, (void)data, (void)seed, (void)error;
    return EBM_OK;
}

void ebm_real_no_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                            ebm_real *grad, ebm_work *work) {
    (void)model, (void)batch, (void)weight, (void)scale, (void)grad, (void)work;
}

ebm_status ebm_real_no_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                           ebm_work *work, ebm_error *error) {
    double value;
    (void)scale, (void)grad;
    return model->type->log_normaliser(model, ebm_path_end(), log_z ? log_z : &value, work, error);
}
