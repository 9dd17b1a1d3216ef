/* Chains that walk until they stand still (see settle.h). */
#include "samplers/settle.h"

#include <string.h>

ebm_status ebm_settle(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains, size_t limit,
                      size_t *used, size_t *steps, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, B = chains->batch.count, bytes = V * sizeof(ebm_real);
    const size_t mark = ebm_work_mark(work);
    ebm_real *before = ebm_work_take(work, B * V, sizeof *before);
    ebm_status status = before ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for the states of %zu chains", B);
    bool moving = true;
    memset(used, 0, B * sizeof *used);
    size_t step = 0;
    while (step < limit && moving && status == EBM_OK) {
        memcpy(before, chains->batch.x, B * bytes);
        status = sampler->type->step(sampler, model, path, chains, 1, work, error);
        step++;
        moving = false;
        for (size_t b = 0; b < B; b++)
            if (memcmp(before + b * V, chains->batch.x + b * V, bytes) != 0) {
                used[b] = step;
                moving = true;
            }
    }
    *steps = step;
    ebm_work_release(work, mark);
    return status;
}
