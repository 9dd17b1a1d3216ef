/* The positive and the negative phase (see phases.h). */
#include "learners/phases.h"

#include "ebm/likelihood.h"

#include <stdlib.h>
#include <string.h>

typedef struct phases {
    const ebm_phase_options *options;
    ebm_start start;
    ebm_optimiser optimiser;
    ebm_batch data; /* x borrowed from the caller of update, field ours */
    ebm_chains chains;
    ebm_base uniform; /* for starts from noise */
    double *means; /* (n_theta): mean dE/dtheta of all training examples, where they are all that the data give to every
                           update; NULL otherwise */
    bool means_known;
    bool *clamped;      /* (V), all true; NULL where hidden units are not sampled */
    uint8_t carried[8]; /* [0]: the persistent chains carry hidden units */
} phases;

const char *const ebm_positive_names[] = {"exact", "gibbs", NULL};
const char *const ebm_collect_names[] = {"last", "all", NULL};

/* Random numbers of one update are at steps update * STRIDE + 0, 1, ...: nothing to save, and learners that take
 * another number of steps still share the first ones. */
static const uint64_t STRIDE = (uint64_t)1 << 24;

static void start_from_noise(ebm_learner *learner, uint64_t step, ebm_work *work) {
    phases *p = learner->state;
    ebm_base_sample(&p->uniform, p->chains.batch.count, ebm_stream_of(learner->seed, EBM_PURPOSE_CHAIN_START), 0, step,
                    p->chains.batch.x, work);
    p->chains.batch.field_ok = p->chains.batch.hidden_ok = false;
}

/* Without hidden units there is nothing to sample: dE/dtheta at the data is exact. */
static ebm_status clamp_all(ebm_learner *learner, ebm_error *error) {
    phases *p = learner->state;
    const ebm_model *model = learner->model;
    if (model->n_hidden == 0)
        return EBM_OK;
    if (!(ebm_model_slots(model->type) & EBM_SLOT_JOINT_SWEEP))
        return ebm_fail(error, EBM_UNSUPPORTED, "positive gibbs needs joint_sweep, model %s has none",
                        model->type->info.name);
    p->clamped = ebm_alloc(model->space.size, sizeof *p->clamped);
    if (!p->clamped)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a learner");
    for (size_t i = 0; i < model->space.size; i++)
        p->clamped[i] = true;
    return EBM_OK;
}

ebm_status ebm_phases_create(ebm_learner *learner, ebm_start start, ebm_error *error) {
    const ebm_phase_options *options = learner->options;
    phases *p = calloc(1, sizeof *p);
    learner->state = p;
    if (!p)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a learner");
    p->options = options;
    p->start = start;
    EBM_TRY(ebm_optimiser_create(&options->optimiser, learner->model, &p->optimiser, error));
    EBM_TRY(ebm_batch_create(learner->model, learner->batch, &p->data, error));
    free(p->data.x); /* rows come from the caller */
    p->data.x = NULL;
    if (learner->model->type->linear && start != EBM_START_DATA && ebm_learner_sees_all(learner, learner->batch)) {
        p->means = ebm_alloc(learner->model->n_theta, sizeof *p->means);
        if (!p->means)
            return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu means", learner->model->n_theta);
    }
    if (start == EBM_START_EXACT)
        return EBM_OK;
    if (options->positive == EBM_POSITIVE_GIBBS)
        EBM_TRY(clamp_all(learner, error));
    size_t chains = start == EBM_START_DATA || options->chains == 0 ? learner->batch : (size_t)options->chains;
    EBM_TRY(ebm_chains_create(learner->model, chains, ebm_stream_of(learner->seed, EBM_PURPOSE_NEGATIVE), &p->chains,
                              error));
    p->chains.keep_hidden = (start == EBM_START_PERSISTENT || p->clamped) && learner->model->n_hidden > 0;
    if (start != EBM_START_DATA) {
        EBM_TRY(ebm_base_fit(&learner->model->space, NULL, 0, &p->uniform, error));
        start_from_noise(learner, 0, NULL);
    }
    return ebm_sampler_attach(learner->sampler, learner->model, &p->chains, error);
}

void ebm_phases_destroy(ebm_learner *learner) {
    phases *p = learner->state;
    if (!p)
        return;
    p->data.x = NULL;
    ebm_optimiser_free(&p->optimiser);
    ebm_batch_free(&p->data);
    ebm_chains_free(&p->chains);
    ebm_base_free(&p->uniform);
    free(p->means);
    free(p->clamped);
    free(p);
}

/* What the sampler keeps of the chains begins anew with them. */
static void start_auxiliary(ebm_learner *learner) {
    phases *p = learner->state;
    if (learner->sampler->type->auxiliary_start)
        learner->sampler->type->auxiliary_start(learner->sampler, learner->model, &p->chains);
}

/* Puts the chains at their start for this update. CD starts at the data, whose field is already known. */
static void start_chains(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work) {
    phases *p = learner->state;
    ebm_batch *batch = &p->chains.batch;
    p->chains.step = learner->update * STRIDE;
    if (p->start == EBM_START_NOISE) {
        start_from_noise(learner, learner->update + 1, work);
        start_auxiliary(learner);
        return;
    }
    if (p->start != EBM_START_DATA)
        return;
    batch->count = count;
    memcpy(batch->x, x, count * learner->model->space.size * sizeof *x);
    if (learner->model->n_field > 0)
        memcpy(batch->field, p->data.field, count * learner->model->n_field * sizeof *x);
    batch->field_ok = true;
    batch->hidden_ok = false;
    start_auxiliary(learner);
}

/* gradient -= the mean over examples and clamped samples of dE(x, h)/dtheta. Random numbers: step 0 of the update for the
 * start, then one step a sweep. */
static ebm_status clamped_phase(ebm_learner *learner, ebm_work *work, ebm_error *error) {
    phases *p = learner->state;
    const ebm_model *model = learner->model;
    const size_t H = model->n_hidden, B = p->data.count, samples = (size_t)p->options->clamped_samples;
    const ebm_real down = model->space.domain == EBM_SPIN ? -1 : 0;
    ebm_sweeps sweeps = {.rule = EBM_HEAT_BATH,
                         .scan = EBM_SCAN_SYSTEMATIC,
                         .count = (size_t)p->options->clamped_steps,
                         .stream = ebm_stream_of(learner->seed, EBM_PURPOSE_POSITIVE),
                         .step = learner->update * STRIDE};
    for (size_t b = 0; b < B; b++) {
        ebm_real *h = p->data.hidden + b * H;
        ebm_random_uniform(sweeps.stream, (uint32_t)b, sweeps.step, H, h);
        for (size_t j = 0; j < H; j++)
            h[j] = h[j] < (ebm_real)0.5 ? 1 : down;
    }
    ebm_model_field(model, &p->data, work); /* for chains that start at the data */
    p->data.hidden_ok = true;
    sweeps.step++;
    for (size_t k = 0; k < samples; k++) {
        EBM_TRY(model->type->joint_sweep(model, ebm_path_end(), &p->data, p->clamped, &sweeps, work, error));
        model->type->joint_grad_theta(model, &p->data, NULL, -1.0 / ((double)B * (double)samples),
                                      p->optimiser.gradient, work);
        sweeps.step += sweeps.count;
        sweeps.count = 1;
    }
    return EBM_OK;
}

/* gradient += scale times the sum over chains of dE/dtheta where they stand. */
static void add_negative(phases *p, const ebm_model *model, double scale, ebm_work *work) {
    ebm_batch *batch = &p->chains.batch;
    if (p->clamped && batch->hidden_ok) {
        model->type->joint_grad_theta(model, batch, NULL, scale, p->optimiser.gradient, work);
        return;
    }
    ebm_model_field(model, batch, work);
    model->type->grad_theta(model, batch, NULL, scale, p->optimiser.gradient, work);
}

static ebm_status negative_phase(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                 ebm_error *error) {
    phases *p = learner->state;
    const ebm_model *model = learner->model;
    if (p->start == EBM_START_EXACT)
        return model->type->expected_grad_theta(model, 1.0, p->optimiser.gradient, NULL, work, error);
    ebm_batch *batch = &p->chains.batch;
    start_chains(learner, x, count, work);
    const size_t steps = (size_t)p->options->steps, looks = p->options->collect == EBM_COLLECT_ALL ? steps : 1;
    for (size_t look = 0; look < looks; look++) {
        EBM_TRY(learner->sampler->type->step(learner->sampler, model, ebm_path_end(), &p->chains, steps / looks, work,
                                             error));
        add_negative(p, model, 1.0 / ((double)batch->count * (double)looks), work);
    }
    batch->field_ok = false; /* theta is about to change */
    p->carried[0] = batch->hidden_ok;
    return EBM_OK;
}

/* gradient -= E_data[dE/dtheta] */
static ebm_status positive_phase(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                 ebm_error *error) {
    phases *p = learner->state;
    const ebm_model *model = learner->model;
    ebm_real *gradient = p->optimiser.gradient;
    if (!p->means || count != learner->batch) {
        ebm_model_field(model, &p->data, work);
        model->type->grad_theta(model, &p->data, NULL, -1.0 / (double)count, gradient, work);
        return EBM_OK;
    }
    if (!p->means_known)
        EBM_TRY(ebm_add_grad_theta(model, x, count, p->means, work, error));
    p->means_known = true;
    for (size_t k = 0; k < model->n_theta; k++)
        gradient[k] -= (ebm_real)(p->means[k] / (double)count);
    return EBM_OK;
}

ebm_status ebm_phases_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work, ebm_error *error) {
    phases *p = learner->state;
    ebm_model *model = learner->model;
    bool done = false;
    p->data.x = (ebm_real *)x; /* read only */
    p->data.count = count;
    p->data.field_ok = false;
    if (p->options->optimiser.kind == EBM_LBFGS) {
        EBM_TRY(ebm_lbfgs_likelihood(model, &p->options->optimiser, &p->data, &done, work, error));
        learner->finished = done && ebm_learner_sees_all(learner, count);
        return EBM_OK;
    }
    EBM_TRY(p->clamped ? clamped_phase(learner, work, error) : positive_phase(learner, x, count, work, error));
    EBM_TRY(negative_phase(learner, x, count, work, error));
    if (model->type->precondition)
        model->type->precondition(model, p->optimiser.gradient, work);
    EBM_TRY(ebm_optimiser_step(&p->optimiser, model, learner->update, learner->total_updates, work, error));
    ebm_model_refresh(model, work);
    return EBM_OK;
}

size_t ebm_phases_regions(ebm_learner *learner, ebm_region *out) {
    phases *p = learner->state;
    const ebm_model *model = learner->model;
    size_t n = 0, bytes = model->n_theta * sizeof(ebm_real);
    if (p->optimiser.first)
        out[n++] = (ebm_region){p->optimiser.first, bytes};
    if (p->optimiser.second)
        out[n++] = (ebm_region){p->optimiser.second, bytes};
    if (p->start == EBM_START_PERSISTENT) {
        ebm_batch *batch = &p->chains.batch;
        out[n++] = (ebm_region){batch->x, batch->count * model->space.size * sizeof(ebm_real)};
        if (batch->hidden)
            out[n++] = (ebm_region){batch->hidden, batch->count * model->n_hidden * sizeof(ebm_real)};
        out[n++] = (ebm_region){p->carried, sizeof p->carried};
        if (p->chains.auxiliary)
            out[n++] = (ebm_region){p->chains.auxiliary, p->chains.auxiliary_bytes};
    }
    return n;
}

void ebm_phases_restored(ebm_learner *learner) {
    phases *p = learner->state;
    p->chains.batch.field_ok = false;
    p->chains.batch.hidden_ok = p->carried[0] != 0;
}
