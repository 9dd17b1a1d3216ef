/* Block Gibbs sampling of two-layer machines: all hidden units given the visible ones, then all visible units given the
 * hidden ones (Geman & Geman 1984; Smolensky 1986). Exact; reversible on x, since x -> h -> x' and back have the same
 * law.
 *
 * A sweep is h | x, x | h. Where a batch already carries hidden units drawn for its x (hidden_ok), the first half is
 * done. */
#include "components.h"

#include "ebm/enumerate.h"
#include "ebm/special.h"

#include <math.h>

static const ebm_option block_gibbs_table[] = {EBM_OPTIONS_END};

static ebm_status block_gibbs_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                   size_t sweeps, ebm_work *work, ebm_error *error) {
    const ebm_model_type *type = model->type;
    ebm_batch *batch = &chains->batch;
    (void)sampler;
    (void)error;
    for (size_t sweep = 0; sweep < sweeps; sweep++) {
        if (!batch->hidden_ok) {
            ebm_model_field(model, batch, work);
            type->sample_hidden(model, path, batch, chains->stream, chains->first_chain, chains->step, work);
        }
        type->sample_visible(model, path, batch, chains->stream, chains->first_chain, chains->step + 1, work);
        batch->hidden_ok = false;
        chains->step += 2;
    }
    if (chains->keep_hidden) {
        ebm_model_field(model, batch, work);
        type->sample_hidden(model, path, batch, chains->stream, chains->first_chain, chains->step, work);
    }
    chains->site_updates += (uint64_t)sweeps * batch->count * (model->space.size + model->n_hidden);
    return EBM_OK;
}

/* log_joint (S, M) = -E_beta(x, h) over all pairs, by the model's own joint energy. */
static ebm_status joint_table(const ebm_model *model, ebm_path path, size_t S, size_t M, double *log_joint,
                              ebm_work *work, ebm_error *error) {
    ebm_batch batch;
    ebm_status status = EBM_OK;
    EBM_TRY(ebm_batch_create(model, M, &batch, error));
    for (size_t i = 0; i < S && status == EBM_OK; i++)
        status = ebm_model_joint_energies(model, path, i, &batch, log_joint + i * M, work, error);
    for (size_t k = 0; k < S * M; k++)
        log_joint[k] = -log_joint[k];
    ebm_batch_free(&batch);
    return status;
}

/* T[i][j] = sum_h p(h | x_i) p(x_j | h), both conditionals normalised from one table of joint energies. */
static ebm_status block_gibbs_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S,
                                     double *T, ebm_work *work, ebm_error *error) {
    (void)sampler;
    if (!model->type->joint_energy || model->space.domain != EBM_BINARY)
        return ebm_fail(error, EBM_UNSUPPORTED, "the kernel of block-gibbs needs joint_energy over 0/1 units");
    if (model->n_hidden > 16 || model->space.size > 12 || S != (size_t)1 << model->space.size)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "the kernel of block-gibbs is enumerated up to 12 visible and 16 hidden "
                        "units, not %zu and %zu",
                        model->space.size, model->n_hidden);
    size_t M = (size_t)1 << model->n_hidden, mark = ebm_work_mark(work);
    double *joint = ebm_work_take(work, S * M, sizeof *joint);
    double *row = ebm_work_take(work, S, sizeof *row), *column = ebm_work_take(work, S, sizeof *column);
    ebm_status status = joint && row && column
                            ? joint_table(model, path, S, M, joint, work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for a kernel of %zu states", S);
    if (status == EBM_OK) {
        for (size_t i = 0; i < S; i++)
            row[i] = ebm_log_sum_exp(joint + i * M, M);
        for (size_t k = 0; k < S * S; k++)
            T[k] = 0;
        for (size_t m = 0; m < M; m++) {
            for (size_t j = 0; j < S; j++)
                column[j] = joint[j * M + m];
            double total = ebm_log_sum_exp(column, S);
            for (size_t j = 0; j < S; j++)
                column[j] = exp(column[j] - total);
            for (size_t i = 0; i < S; i++) {
                double p = exp(joint[i * M + m] - row[i]);
                for (size_t j = 0; j < S; j++)
                    T[i * S + j] += p * column[j];
            }
        }
    }
    ebm_work_release(work, mark);
    return status;
}

const ebm_sampler_type ebm_block_gibbs = {
    .info = {"block-gibbs", "all hidden units given the visible ones, then all visible units given the hidden ones",
             "Geman & Geman 1984; Smolensky 1986", block_gibbs_table, 0},
    .needs = EBM_SLOT_BLOCK,
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN | 1u << EBM_CATEGORICAL | 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = true,
    .step = block_gibbs_step,
    .kernel = block_gibbs_kernel,
};
