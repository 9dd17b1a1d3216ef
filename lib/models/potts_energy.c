/* Energies, conditionals and gradients of pairwise categorical machines, from their field. */
#include "models/potts_parts.h"

#include <math.h>

/* -E(x) of one state */
static double negative_energy(size_t V, size_t q, const ebm_real *h, const ebm_real *x, const ebm_real *field) {
    double sum = 0;
    for (size_t i = 0; i < V; i++) {
        const size_t at = i * q + (size_t)x[i];
        sum += (double)h[at] + (double)field[at];
    }
    return 0.5 * sum;
}

void ebm_potts_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    const size_t V = model->space.size, q = model->space.categories, B = batch->count;
    const ebm_real *h = ebm_potts_view(model, EBM_POTTS_FIELD);
    const bool based = path.base && path.beta != 1;
    if (based)
        ebm_base_energy(path.base, B, batch->x, out, work);
    const int threads = B * V > 1 << 14 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t b = 0; b < B; b++)
        out[b] = (based ? (1 - path.beta) * out[b] : 0) -
                 path.beta * negative_energy(V, q, h, batch->x + b * V, batch->field + b * V * q);
}

/* Both paths share the base: E_to - E_from = (beta_to - beta_from) (E - E_base), with E_base = 0 for the uniform. */
void ebm_potts_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                 double *out, ebm_work *work) {
    const size_t B = batch->count, mark = ebm_work_mark(work);
    double *base = to.base ? ebm_work_take(work, B, sizeof *base) : NULL;
    if (base)
        ebm_base_energy(to.base, B, batch->x, base, work);
    ebm_potts_energy(model, ebm_path_end(), batch, out, work);
    for (size_t b = 0; b < B; b++)
        out[b] = (to.beta - from.beta) * (out[b] - (base ? base[b] : 0));
    ebm_work_release(work, mark);
}

void ebm_potts_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    const size_t F = model->n_field, B = batch->count;
    const ebm_real *a = path.base ? path.base->parameters : NULL;
    const int threads = B * F > 1 << 14 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t b = 0; b < B; b++) {
        const ebm_real *field = batch->field + b * F;
        for (size_t k = 0; k < F; k++)
            out[b * F + k] = (ebm_real) - (path.beta * (double)field[k] + (a ? (1 - path.beta) * (double)a[k] : 0));
    }
}

void ebm_potts_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                    ebm_real *logit, ebm_work *work) {
    const size_t q = model->space.categories, F = model->n_field;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *field = batch->field + b * F + units[b] * q;
        const ebm_real *a = path.base ? path.base->parameters + units[b] * q : NULL;
        for (size_t c = 0; c < q; c++)
            logit[b * q + c] = (ebm_real)(path.beta * (double)field[c] + (a ? (1 - path.beta) * (double)a[c] : 0));
    }
}

double ebm_potts_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    return base ? base->log_normaliser : (double)model->space.size * log((double)model->space.categories);
}

void ebm_potts_grad_field(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                          ebm_real *grad, ebm_work *work) {
    const size_t V = model->space.size, q = model->space.categories, F = V * q, mark = ebm_work_mark(work);
    double *sum = ebm_work_take(work, F, sizeof *sum);
    for (size_t k = 0; k < F; k++)
        sum[k] = 0;
    for (size_t b = 0; b < batch->count; b++) {
        const double w = weight ? (double)weight[b] : 1;
        for (size_t i = 0; i < V; i++)
            sum[i * q + (size_t)batch->x[b * V + i]] += w;
    }
    for (size_t k = 0; k < F; k++)
        grad[k] = (ebm_real)((double)grad[k] - scale * sum[k]);
    ebm_work_release(work, mark);
}
