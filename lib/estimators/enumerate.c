/* States of a small discrete space by their codes, and a model's exact distribution over them. */
#include "ebm/enumerate.h"

#include "ebm/likelihood.h"
#include "ebm/special.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

size_t ebm_states_count(const ebm_space *space) {
    const size_t limit = (size_t)1 << 62;
    if (space->domain == EBM_REAL_LINE || space->categories == 0)
        return 0;
    size_t count = 1;
    for (size_t i = 0; i < space->size; i++) {
        if (count > limit / space->categories)
            return 0;
        count *= space->categories;
    }
    return count;
}

/* The number that stands for digit d: 0, 1, ... q - 1, or -1 and +1. */
static ebm_real value_of_digit(const ebm_space *space, size_t digit) {
    return space->domain == EBM_SPIN ? (ebm_real)(digit ? 1 : -1) : (ebm_real)digit;
}

void ebm_states_fill(const ebm_space *space, size_t first, size_t count, ebm_real *x) {
    const size_t V = space->size, q = space->categories;
    assert(q > 0);
    for (size_t b = 0; b < count; b++) {
        size_t code = first + b;
        for (size_t i = 0; i < V; i++) {
            x[b * V + i] = value_of_digit(space, code % q);
            code /= q;
        }
    }
}

size_t ebm_states_code(const ebm_space *space, const ebm_real *x) {
    size_t code = 0;
    for (size_t i = space->size; i-- > 0;) {
        const size_t digit = space->domain == EBM_SPIN ? x[i] > 0 : (size_t)x[i];
        code = code * space->categories + digit;
    }
    return code;
}

/* log_p[s] = -E_beta(s), block by block. */
static ebm_status negative_energies(const ebm_model *model, ebm_path path, size_t states, double *log_p, ebm_work *work,
                                    ebm_error *error) {
    const size_t rows = ebm_block_rows(model, states);
    ebm_batch batch;
    EBM_TRY(ebm_batch_create(model, rows, &batch, error));
    ebm_status status = EBM_OK;
    for (size_t first = 0; first < states && status == EBM_OK; first += rows) {
        batch.count = states - first < rows ? states - first : rows;
        ebm_states_fill(&model->space, first, batch.count, batch.x);
        batch.field_ok = batch.hidden_ok = false;
        ebm_model_field(model, &batch, work);
        model->type->energy(model, path, &batch, log_p + first, work);
        for (size_t s = first; s < first + batch.count && status == EBM_OK; s++) {
            log_p[s] = -log_p[s];
            if (!isfinite(log_p[s]))
                status =
                    ebm_fail(error, EBM_DIVERGED,
                             "the energy of state %zu is %g: a parameter is not finite or far too large", s, -log_p[s]);
        }
    }
    ebm_batch_free(&batch);
    return status;
}

/* Hidden states of at most so many units are summed one by one. */
enum { MAX_HIDDEN_UNITS = 16 };

/* log_p[s] = log sum_h exp(-E_beta(s, h)): the same sum as the free energy's, but in double. */
static ebm_status sums_over_hidden(const ebm_model *model, ebm_path path, size_t states, double *log_p, ebm_work *work,
                                   ebm_error *error) {
    const size_t M = (size_t)1 << model->n_hidden, mark = ebm_work_mark(work);
    double *joint = ebm_work_take(work, M, sizeof *joint);
    ebm_batch batch;
    if (!joint)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu hidden states", M);
    EBM_TRY(ebm_batch_create(model, M, &batch, error));
    ebm_status status = EBM_OK;
    for (size_t s = 0; s < states && status == EBM_OK; s++) {
        status = ebm_model_joint_energies(model, path, s, &batch, joint, work, error);
        for (size_t m = 0; m < M; m++)
            joint[m] = -joint[m];
        log_p[s] = ebm_log_sum_exp(joint, M);
    }
    ebm_batch_free(&batch);
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_model_joint_energies(const ebm_model *model, ebm_path path, size_t state, ebm_batch *batch, double *out,
                                    ebm_work *work, ebm_error *error) {
    const size_t H = model->n_hidden, V = model->space.size, M = batch->count;
    const ebm_real down = model->space.domain == EBM_SPIN ? -1 : 0;
    for (size_t m = 0; m < M; m++) {
        ebm_states_fill(&model->space, state, 1, batch->x + m * V);
        for (size_t j = 0; j < H; j++)
            batch->hidden[m * H + j] = m >> j & 1u ? 1 : down;
    }
    batch->field_ok = false;
    batch->hidden_ok = true;
    ebm_model_field(model, batch, work);
    model->type->joint_energy(model, path, batch, out, work);
    for (size_t m = 0; m < M; m++)
        if (!isfinite(out[m]))
            return ebm_fail(error, EBM_DIVERGED,
                            "the energy of state %zu is %g: a parameter is not finite or far too large", state, out[m]);
    return EBM_OK;
}

ebm_status ebm_model_log_probabilities(const ebm_model *model, ebm_path path, double *log_p, double *log_z,
                                       ebm_work *work, ebm_error *error) {
    const size_t states = ebm_states_count(&model->space), H = model->n_hidden;
    if (states == 0 || states > EBM_MAX_STATES)
        return ebm_fail(error, EBM_UNSUPPORTED, "%zu %s units have too many states to list: the limit is %d",
                        model->space.size, ebm_domain_name(model->space.domain), EBM_MAX_STATES);
    if (H > 0 && H <= MAX_HIDDEN_UNITS && model->type->joint_energy && states <= (size_t)EBM_MAX_STATES >> H)
        EBM_TRY(sums_over_hidden(model, path, states, log_p, work, error));
    else
        EBM_TRY(negative_energies(model, path, states, log_p, work, error));
    const double total = ebm_log_sum_exp(log_p, states);
    for (size_t s = 0; s < states; s++)
        log_p[s] -= total;
    if (log_z)
        *log_z = total;
    return EBM_OK;
}
