/* Independent draws of p_beta: what every other sampler is compared with.
 *
 * By the model's own sample_exact where that can; else all states of a small discrete space are listed and one is drawn
 * by inverting the distribution function. The list stands until theta or the path changes. A step of chain b uses
 * (stream, chain, step) and, by sample_exact, step + 1.
 *
 * Nothing is counted: there are no updates, and what a list costs is paid for a setting of the parameters and not for a
 * draw. */
#include "components.h"

#include "samplers/state_table.h"

#include "ebm/enumerate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const ebm_option exact_table[] = {EBM_OPTIONS_END};

/* The list of a model without sample_exact, and the setting that it was made for. */
typedef struct exact_state {
    bool listing, valid;
    size_t states;
    double *cumulative; /* (states): p(0) + ... + p(s) */
    double beta;
    bool has_base;
    size_t base_count;
    ebm_real *theta, *base; /* (n_theta), (most parameters that a base over the space has) */
} exact_state;

static size_t most_base_parameters(const ebm_space *space) {
    return space->size * (space->categories > 2 ? space->categories : 2);
}

static void exact_destroy(ebm_sampler *sampler) {
    exact_state *state = sampler->state;
    if (!state)
        return;
    free(state->cumulative);
    free(state->theta);
    free(state->base);
    free(state);
    sampler->state = NULL;
}

/* One draw, thrown away: whether sample_exact can, at the model's size. */
static ebm_status try_sample_exact(const ebm_model *model, ebm_error *error) {
    ebm_batch batch;
    ebm_work *work = NULL;
    EBM_TRY(ebm_batch_create(model, 1, &batch, error));
    ebm_status status = ebm_work_create(1, &work, error);
    if (status == EBM_OK)
        status = model->type->sample_exact(model, ebm_path_end(), &batch, ebm_stream_of(0, EBM_PURPOSE_SAMPLE), 0, 0,
                                           work, error);
    ebm_work_free(work);
    ebm_batch_free(&batch);
    return status;
}

static ebm_status refuse(const ebm_model *model, const ebm_error *why, ebm_error *error) {
    const ebm_space *space = &model->space;
    char listing[160];
    if (space->domain == EBM_REAL_LINE)
        snprintf(listing, sizeof listing, "real units have no list of states");
    else
        snprintf(listing, sizeof listing, "its %zu^%zu states are more than the %d that can be listed",
                 space->categories, space->size, EBM_MAX_STATES);
    return ebm_fail(error, EBM_UNSUPPORTED, "sampler exact: model %s cannot be drawn from: %s, and %s",
                    model->type->info.name, listing, why ? why->message : "it has no sample_exact");
}

/* Room for the list, where the model's own way cannot. */
static ebm_status choose_way(exact_state *state, const ebm_model *model, ebm_error *error) {
    const size_t states = ebm_states_count(&model->space);
    ebm_error why = {0};
    if (model->type->sample_exact) {
        const ebm_status status = try_sample_exact(model, &why);
        if (status == EBM_OK)
            return EBM_OK;
        if (status != EBM_UNSUPPORTED)
            return ebm_fail(error, status, "%s", why.message);
    }
    if (states == 0 || states > EBM_MAX_STATES)
        return refuse(model, model->type->sample_exact ? &why : NULL, error);
    state->listing = true;
    state->states = states;
    state->cumulative = ebm_alloc(states, sizeof *state->cumulative);
    state->theta = ebm_alloc(model->n_theta, sizeof *state->theta);
    state->base = ebm_alloc(most_base_parameters(&model->space), sizeof *state->base);
    if (!state->cumulative || !state->theta || !state->base)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a list of %zu states", states);
    return EBM_OK;
}

static ebm_status exact_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    sampler->state = calloc(1, sizeof(exact_state));
    if (!sampler->state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for sampler exact");
    const ebm_status status = choose_way(sampler->state, model, error);
    if (status != EBM_OK)
        exact_destroy(sampler);
    return status;
}

static bool list_stands(const exact_state *state, const ebm_model *model, ebm_path path) {
    return state->valid && state->beta == path.beta && state->has_base == (path.base != NULL) &&
           memcmp(state->theta, model->theta, model->n_theta * sizeof *state->theta) == 0 &&
           (!path.base || (state->base_count == path.base->count &&
                           memcmp(state->base, path.base->parameters, path.base->count * sizeof *state->base) == 0));
}

static ebm_status make_list(exact_state *state, const ebm_model *model, ebm_path path, ebm_work *work,
                            ebm_error *error) {
    double sum = 0;
    state->valid = false;
    EBM_TRY(ebm_model_log_probabilities(model, path, state->cumulative, NULL, work, error));
    for (size_t s = 0; s < state->states; s++)
        state->cumulative[s] = sum += exp(state->cumulative[s]);
    memcpy(state->theta, model->theta, model->n_theta * sizeof *state->theta);
    state->base_count = path.base ? path.base->count : 0;
    if (path.base && state->base_count > most_base_parameters(&model->space))
        return ebm_fail(error, EBM_INVALID, "the base of %zu parameters is not one over the units of model %s",
                        state->base_count, model->type->info.name);
    if (path.base)
        memcpy(state->base, path.base->parameters, state->base_count * sizeof *state->base);
    state->has_base = path.base != NULL;
    state->beta = path.beta;
    state->valid = true;
    return EBM_OK;
}

/* The first state whose cumulative probability exceeds u of the total. */
static size_t draw_state(const exact_state *state, double u) {
    size_t low = 0, high = state->states - 1;
    const double level = u * state->cumulative[high];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (state->cumulative[middle] > level)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Of several steps only the last is seen. */
static ebm_status exact_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                             size_t sweeps, ebm_work *work, ebm_error *error) {
    exact_state *state = sampler->state;
    ebm_batch *batch = &chains->batch;
    const size_t V = model->space.size;
    if (sweeps == 0)
        return EBM_OK;
    const uint64_t each = state->listing ? 1 : 2, last = chains->step + each * (sweeps - 1);
    if (state->listing) {
        if (!list_stands(state, model, path))
            EBM_TRY(make_list(state, model, path, work, error));
        for (size_t b = 0; b < batch->count; b++) {
            const double u = ebm_random_uniform1(chains->stream, chains->first_chain + (uint32_t)b, last, 0);
            ebm_states_fill(&model->space, draw_state(state, u), 1, batch->x + b * V);
        }
    } else {
        EBM_TRY(model->type->sample_exact(model, path, batch, chains->stream, chains->first_chain, last, work, error));
    }
    chains->step = last + each;
    batch->field_ok = batch->hidden_ok = false;
    if (chains->keep_hidden && model->n_hidden > 0 && model->type->sample_hidden) {
        ebm_model_field(model, batch, work);
        model->type->sample_hidden(model, path, batch, chains->stream, chains->first_chain, chains->step++, work);
    }
    return EBM_OK;
}

/* Every row is p_beta. */
static ebm_status exact_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                               ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    ebm_state_table table;
    (void)sampler;
    const ebm_status status = ebm_state_table_create(model, path, S, &table, work, error);
    for (size_t i = 0; status == EBM_OK && i < S; i++)
        for (size_t j = 0; j < S; j++)
            T[i * S + j] = exp(table.log_p[j]);
    ebm_work_release(work, mark);
    return status;
}

const ebm_sampler_type ebm_exact_draws = {
    .info = {"exact", "independent draws, by the model's own way or by listing all states", "", exact_table, 0},
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN | 1u << EBM_CATEGORICAL | 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = true,
    .create = exact_create,
    .destroy = exact_destroy,
    .step = exact_step,
    .kernel = exact_kernel,
};
