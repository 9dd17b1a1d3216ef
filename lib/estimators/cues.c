/* Cues, and walks from them (see ebm/recall.h). */
#include "ebm/recall.h"

#include "samplers/settle.h"

#include <assert.h>
#include <string.h>

static ebm_real down_of(const ebm_space *space) {
    return space->domain == EBM_SPIN ? -1 : 0;
}

/* order = the known units, the first `count` of them drawn without replacement. Returns how many are known. */
static size_t draw_units(const ebm_cue *cue, uint32_t pattern, size_t V, size_t count, uint32_t *order) {
    size_t known = 0;
    for (size_t i = 0; i < V; i++)
        if (!cue->unknown || !cue->unknown[i])
            order[known++] = (uint32_t)i;
    assert(count <= known);
    for (size_t i = 0; i < count; i++) {
        const size_t j = i + ebm_random_below(cue->stream, pattern, cue->step, (uint32_t)i, (uint32_t)(known - i));
        const uint32_t moved = order[i];
        order[i] = order[j];
        order[j] = moved;
    }
    return known;
}

void ebm_cue_make(const ebm_cue *cue, const ebm_space *space, uint32_t pattern, ebm_real *x, uint32_t *order,
                  bool *unknown) {
    enum { WORDS = 4 }; /* a block of the generator */
    const size_t V = space->size;
    const uint64_t step = cue->step + (UINT64_C(1) << 63);
    const ebm_real down = down_of(space);
    uint32_t words[WORDS] = {0};
    draw_units(cue, pattern, V, cue->lost + cue->flips, order);
    for (size_t i = 0; i < V; i++)
        unknown[i] = cue->unknown && cue->unknown[i];
    for (size_t i = 0; i < cue->lost; i++)
        unknown[order[i]] = true;
    for (size_t i = cue->lost; i < cue->lost + cue->flips; i++)
        x[order[i]] = 1 + down - x[order[i]];
    for (size_t i = 0; i < V; i++) {
        if (cue->fill_random && i % WORDS == 0)
            ebm_philox(cue->stream,
                       (const uint32_t[]){(uint32_t)(i / WORDS), pattern, (uint32_t)step, (uint32_t)(step >> 32)},
                       words);
        if (unknown[i])
            x[i] = words[i % WORDS] >> 31 ? 1 : down;
    }
}

double ebm_overlap(const ebm_real *y, const ebm_real *x, size_t n) {
    size_t same = 0;
    for (size_t i = 0; i < n; i++)
        same += y[i] == x[i];
    return 2 * (double)same / (double)n - 1;
}

/* Chain b starts at the cue of pattern first + b. */
static ebm_status start(const ebm_recall_task *task, size_t first, const ebm_real *y, ebm_chains *chains,
                        const ebm_recall_ends *out, ebm_work *work, ebm_error *error) {
    const ebm_space *space = &task->model->space;
    const size_t V = space->size, mark = ebm_work_mark(work);
    uint32_t *order = ebm_work_take(work, V, sizeof *order);
    bool *unknown = ebm_work_take(work, V, sizeof *unknown);
    if (!order || !unknown) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for cues of %zu units", V);
    }
    memcpy(chains->batch.x, y, chains->batch.count * V * sizeof *y);
    for (size_t b = 0; b < chains->batch.count; b++) {
        ebm_real *x = chains->batch.x + b * V;
        ebm_cue_make(&task->cue, space, (uint32_t)(first + b), x, order, unknown);
        if (out->before)
            out->before[first + b] = ebm_overlap(y + b * V, x, task->scored);
        if (first + b >= out->shown)
            continue;
        memcpy(out->stored + (first + b) * V, y + b * V, V * sizeof *y);
        for (size_t i = 0; i < V; i++)
            out->cues[(first + b) * V + i] = unknown[i] ? (1 + down_of(space)) / 2 : x[i];
    }
    ebm_work_release(work, mark);
    chains->batch.field_ok = chains->batch.hidden_ok = false;
    chains->first_chain = (uint32_t)first;
    chains->step = task->cue.step;
    return ebm_sampler_attach(task->sampler, task->model, chains, error);
}

ebm_status ebm_recall_walk(const ebm_recall_task *task, size_t first, ebm_chains *chains, const ebm_recall_ends *out,
                           ebm_work *work, ebm_error *error) {
    const size_t V = task->model->space.size, count = chains->batch.count, mark = ebm_work_mark(work);
    ebm_real *y = ebm_work_take(work, count * V, sizeof *y);
    size_t *used = ebm_work_take(work, count, sizeof *used), steps = 0;
    ebm_status status = y && used ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu patterns", count);
    if (status == EBM_OK) {
        ebm_examples_fixed(task->data, &task->data->train, first, count, y);
        status = start(task, first, y, chains, out, work, error);
    }
    if (status == EBM_OK)
        status = ebm_settle(task->sampler, task->model, task->path, chains, task->limit, used, &steps, work, error);
    for (size_t b = 0; b < count && status == EBM_OK; b++) {
        const ebm_real *x = chains->batch.x + b * V;
        const double m = ebm_overlap(y + b * V, x, task->scored);
        out->overlap[first + b] = m;
        out->recalled[first + b] = m >= task->recalled;
        out->settled[first + b] = used[b] < steps;
        out->steps[first + b] = (double)used[b];
        if (first + b < out->shown)
            memcpy(out->answers + (first + b) * V, x, V * sizeof *x);
    }
    ebm_work_release(work, mark);
    return status;
}
