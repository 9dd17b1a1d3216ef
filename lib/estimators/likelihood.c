/* Energies of data in blocks, their means, and divergences from a known distribution.
 *
 *   log p(x) = -E(x) - log Z
 *   KL(d || p) = sum_x d(x) (log d(x) + E(x)) + log Z             over the support of d
 *   TV(d, p) = 1/2 sum_x |d(x) - p(x)| = sum_x max(d(x) - p(x), 0)
 * The last form needs the support of d alone: where d is 0 no term is positive, and the positive and the negative parts
 * are equal because both distributions sum to 1. */
#include "ebm/likelihood.h"

#include "ebm/special.h"

#include <math.h>
#include <string.h>

size_t ebm_block_rows(const ebm_model *model, size_t count) {
    const size_t budget = (size_t)1 << 24;
    size_t row = (model->space.size + model->n_field + model->n_hidden) * sizeof(ebm_real);
    size_t rows = row > 0 ? budget / row : budget;
    rows = rows > 1000 ? rows / 1000 * 1000 : rows; /* a whole number of the library's own row blocks, near enough */
    rows = rows > 0 ? rows : 1;
    return rows < count ? rows : count;
}

/* Energies at beta = 1 of the states in a batch whose x is set. */
static ebm_status batch_energy(const ebm_model *model, ebm_batch *batch, const char *what, size_t first, double *out,
                               ebm_work *work, ebm_error *error) {
    batch->field_ok = batch->hidden_ok = false;
    ebm_model_field(model, batch, work);
    model->type->energy(model, ebm_path_end(), batch, out, work);
    for (size_t b = 0; b < batch->count; b++)
        if (!isfinite(out[b]))
            return ebm_fail(error, EBM_DIVERGED,
                            "the energy of %s %zu is %g: a parameter is not finite or far too large", what, first + b,
                            out[b]);
    return EBM_OK;
}

static ebm_status same_space(const ebm_model *model, const ebm_dataset *data, ebm_error *error) {
    if (ebm_space_equal(&model->space, &data->space))
        return EBM_OK;
    return ebm_fail(error, EBM_INVALID, "the model has %zu %s units, the data %zu %s values", model->space.size,
                    ebm_domain_name(model->space.domain), data->space.size, ebm_domain_name(data->space.domain));
}

ebm_status ebm_examples_energy(const ebm_model *model, const ebm_dataset *data, const ebm_examples *half, size_t first,
                               size_t count, double *out, ebm_work *work, ebm_error *error) {
    EBM_TRY(same_space(model, data, error));
    if (first > half->count || count > half->count - first)
        return ebm_fail(error, EBM_INVALID, "examples %zu to %zu of %zu", first, first + count, half->count);
    if (count == 0)
        return EBM_OK;
    const size_t rows = ebm_block_rows(model, count);
    ebm_batch batch;
    EBM_TRY(ebm_batch_create(model, rows, &batch, error));
    ebm_status status = EBM_OK;
    for (size_t done = 0; done < count && status == EBM_OK; done += batch.count) {
        batch.count = count - done < rows ? count - done : rows;
        ebm_examples_fixed(data, half, first + done, batch.count, batch.x);
        status = batch_energy(model, &batch, "example", first + done, out + done, work, error);
    }
    ebm_batch_free(&batch);
    return status;
}

/* Rows of a block: of their counts, halves included, 2^23 are exact in float. */
enum { GRADIENT_ROWS = 1 << 12 };

ebm_status ebm_add_grad_theta(const ebm_model *model, const ebm_real *x, size_t count, double *sum, ebm_work *work,
                              ebm_error *error) {
    const size_t V = model->space.size, N = model->n_theta, mark = ebm_work_mark(work);
    const size_t rows = count < GRADIENT_ROWS ? count : GRADIENT_ROWS;
    ebm_real *part = ebm_work_take(work, N, sizeof *part);
    ebm_real *field = model->n_field ? ebm_work_take(work, rows * model->n_field, sizeof *field) : NULL;
    if (!part || (model->n_field && !field)) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the gradient of %zu parameters", N);
    }
    for (size_t first = 0; first < count; first += rows) {
        ebm_batch batch = {.count = count - first < rows ? count - first : rows, .field = field};
        batch.x = (ebm_real *)(uintptr_t)(x + first * V); /* read only */
        memset(part, 0, N * sizeof *part);
        ebm_model_field(model, &batch, work);
        model->type->grad_theta(model, &batch, NULL, 1.0, part, work);
        for (size_t k = 0; k < N; k++)
            sum[k] += (double)part[k];
    }
    ebm_work_release(work, mark);
    return EBM_OK;
}

ebm_mean_value ebm_mean_of(const double *values, size_t count) {
    ebm_mean_value out = {count, NAN, NAN};
    if (count > 0)
        out.mean = ebm_mean(values, count);
    if (count > 1)
        out.se = sqrt(ebm_variance(values, count) / (double)count);
    return out;
}

ebm_status ebm_examples_mean_energy(const ebm_model *model, const ebm_dataset *data, const ebm_examples *half,
                                    size_t limit, ebm_mean_value *out, ebm_work *work, ebm_error *error) {
    const size_t count = limit > 0 && limit < half->count ? limit : half->count, mark = ebm_work_mark(work);
    double *energy = ebm_work_take(work, count, sizeof *energy);
    if (energy == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the energies of %zu examples", count);
    ebm_status status = ebm_examples_energy(model, data, half, 0, count, energy, work, error);
    if (status == EBM_OK)
        *out = ebm_mean_of(energy, count);
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_support_divergence(const ebm_model *model, const ebm_dataset *data, double log_z, double *kl,
                                  double *total_variation, ebm_work *work, ebm_error *error) {
    EBM_TRY(same_space(model, data, error));
    if (data->support_count == 0)
        return ebm_fail(error, EBM_UNSUPPORTED, "KL needs a data set whose distribution is known; data set %s has none",
                        data->type ? data->type->info.name : "of the user's own");
    const size_t rows = ebm_block_rows(model, data->support_count), V = model->space.size, mark = ebm_work_mark(work);
    ebm_batch batch;
    EBM_TRY(ebm_batch_create(model, rows, &batch, error));
    double *energy = ebm_work_take(work, rows, sizeof *energy);
    ebm_status status = energy ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu energies", rows);
    double divergence = 0, variation = 0;
    for (size_t first = 0; first < data->support_count && status == EBM_OK; first += rows) {
        batch.count = data->support_count - first < rows ? data->support_count - first : rows;
        memcpy(batch.x, data->support + first * V, batch.count * V * sizeof *batch.x);
        status = batch_energy(model, &batch, "state", first, energy, work, error);
        for (size_t b = 0; b < batch.count && status == EBM_OK; b++) {
            const double log_d = data->support_log_probability[first + b], log_p = -energy[b] - log_z;
            if (log_d == -INFINITY)
                continue;
            divergence += exp(log_d) * (log_d - log_p);
            variation += fmax(exp(log_d) - exp(log_p), 0);
        }
    }
    ebm_batch_free(&batch);
    ebm_work_release(work, mark);
    *kl = divergence;
    *total_variation = variation;
    return status;
}
