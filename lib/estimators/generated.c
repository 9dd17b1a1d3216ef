/* Chains that generate (see generated.h). */
#include "estimators/generated.h"

#include "estimators/estimators.h"

#include <stdlib.h>
#include <string.h>

static ebm_status no_memory(const ebm_generated *g, ebm_error *error) {
    return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu samples of %zu units", g->samples,
                    g->in->model->space.size);
}

static ebm_status start_block(ebm_generated *g, size_t b, const ebm_base *noise, const ebm_real *starts, size_t count,
                              ebm_error *error) {
    const size_t V = g->in->model->space.size, first = b * g->block, left = g->samples - first;
    const ebm_estimate_inputs *in = g->in;
    ebm_chains *c = &g->chains[b];
    EBM_TRY(ebm_chains_create(in->model, left < g->block ? left : g->block,
                              ebm_stream_of(in->seed, EBM_PURPOSE_GENERATION), c, error));
    c->first_chain = (uint32_t)first;
    c->keep_hidden = in->model->n_hidden > 0;
    c->step = ebm_estimate_step(in) + 1;
    if (!starts)
        ebm_base_sample(noise, c->batch.count, c->stream, c->first_chain, c->step - 1, c->batch.x, in->work);
    for (size_t r = 0; starts && r < c->batch.count; r++)
        memcpy(c->batch.x + r * V, starts + (first + r) % count * V, V * sizeof *starts);
    c->batch.field_ok = c->batch.hidden_ok = false;
    return ebm_sampler_attach(in->sampler, in->model, c, error);
}

ebm_status ebm_generated_start(const ebm_estimate_inputs *in, size_t samples, size_t block, bool means,
                               const ebm_real *starts, size_t count, ebm_generated *out, ebm_error *error) {
    const ebm_model *model = in->model;
    const size_t V = model->space.size;
    const bool have = means && model->n_hidden > 0 && model->type->visible_means && model->type->sample_hidden;
    ebm_base noise;
    *out = (ebm_generated){.in = in, .samples = samples, .block = block, .blocks = (samples + block - 1) / block};
    out->chains = ebm_alloc(out->blocks, sizeof *out->chains);
    out->v = ebm_work_take(in->work, samples * V, sizeof *out->v);
    out->mean = have ? ebm_work_take(in->work, samples * V, sizeof *out->mean) : NULL;
    if (!out->chains || !out->v || (have && !out->mean))
        return no_memory(out, error);
    EBM_TRY(ebm_base_fit(&model->space, NULL, 0, &noise, error));
    ebm_status status = EBM_OK;
    for (size_t b = 0; b < out->blocks && status == EBM_OK; b++)
        status = start_block(out, b, &noise, starts, count, error);
    ebm_base_free(&noise);
    return status;
}

/* E[v | h] of a block, at its hidden units or, where the sampler leaves none, at fresh ones; the chains are not touched. */
static ebm_status block_means(const ebm_generated *g, const ebm_chains *c, ebm_real *out, ebm_error *error) {
    const ebm_model *model = g->in->model;
    ebm_work *work = g->in->work;
    const size_t mark = ebm_work_mark(work), B = c->batch.count;
    ebm_batch look = c->batch;
    look.field = ebm_work_take(work, B * model->n_field, sizeof(ebm_real));
    look.hidden = ebm_work_take(work, B * model->n_hidden, sizeof(ebm_real));
    if (!look.field || !look.hidden)
        return no_memory(g, error);
    look.field_ok = false;
    if (c->batch.hidden_ok) {
        memcpy(look.hidden, c->batch.hidden, B * model->n_hidden * sizeof(ebm_real));
    } else {
        ebm_model_field(model, &look, work);
        model->type->sample_hidden(model, g->in->path, &look, ebm_stream_of(g->in->seed, EBM_PURPOSE_SAMPLE),
                                   c->first_chain, c->step, work);
    }
    model->type->visible_means(model, &look, out, work);
    ebm_work_release(work, mark);
    return EBM_OK;
}

ebm_status ebm_generated_walk(ebm_generated *g, size_t steps, ebm_error *error) {
    const ebm_estimate_inputs *in = g->in;
    const size_t V = in->model->space.size;
    for (size_t b = 0; b < g->blocks; b++) {
        ebm_chains *c = &g->chains[b];
        const size_t at = g->block * b * V;
        EBM_TRY(in->sampler->type->step(in->sampler, in->model, in->path, c, steps, in->work, error));
        memcpy(g->v + at, c->batch.x, c->batch.count * V * sizeof *g->v);
        if (g->mean)
            EBM_TRY(block_means(g, c, g->mean + at, error));
    }
    return EBM_OK;
}

void ebm_generated_free(ebm_generated *g) {
    for (size_t b = 0; g->chains && b < g->blocks; b++)
        ebm_chains_free(&g->chains[b]);
    free(g->chains);
    memset(g, 0, sizeof *g);
}
