/* Learning the energy landscape of a Hopfield network: gradient descent that lowers the energy of the patterns and raises
 * that of what the network finds instead,
 *
 *   W += rate ( <y y^T>_patterns - <y' y'^T>_negatives ),   w_ii = 0,   b = 0
 *
 * from E = -1/2 y^T W y. The negatives y' are
 *   random-valleys     where descents from random states end,
 *   pattern-valleys    where descents from the patterns end,
 *   few-steps          where one step of the sampler from the patterns ends (descent with `flips`: a few flips),
 *   few-steps-sgd      the same, each pattern with the couplings that the ones before it have left: an update is a pass
 *                      over its examples, each of which moves W by rate / (number of examples).
 * Those that start at patterns take no notice of a pattern that has not moved: its two terms cancel. Once no pattern moves
 * nothing changes any more. The rule is unlearning (Hopfield, Feinstein & Palmer 1983) with a positive phase; and
 * contrastive divergence at temperature zero. */
#include "components.h"
#include "learners/associative.h"
#include "samplers/settle.h"

#include "ebm/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct descent_options {
    int negative, start;
    int64_t negatives, limit;
    double rate;
} descent_options;

enum { RANDOM_VALLEYS, PATTERN_VALLEYS, FEW_STEPS, FEW_STEPS_SGD };
static const char *const negative_names[] = {"random-valleys", "pattern-valleys", "few-steps", "few-steps-sgd", NULL};
enum { START_HEBBIAN, START_MODEL };
static const char *const start_names[] = {"hebbian", "model", NULL};

#define AT(member) EBM_OFFSET(descent_options, member)
static const ebm_option descent_table[] = {
    {"negative", EBM_OPTION_CHOICE, AT(negative), "pattern-valleys", 0, 0, negative_names, 0,
     "whose energy is raised: valleys below random states or below the patterns, or what lies a step of the sampler "
     "below the patterns"},
    {"negatives", EBM_OPTION_INT, AT(negatives), "0", 0, 1e6, NULL, 0,
     "random-valleys: descents of an update; 0: as many as the minibatch has examples"},
    {"rate", EBM_OPTION_REAL, AT(rate), "0.1", 0, 1e12, NULL, 0, "learning rate"},
    {"limit", EBM_OPTION_INT, AT(limit), "1000", 1, 1e9, NULL, 0, "most steps of the sampler on the way to a valley"},
    {"start", EBM_OPTION_CHOICE, AT(start), "hebbian", 0, 0, start_names, 0,
     "couplings before the first update: Hebb's of all training examples, or the model's"},
    EBM_OPTIONS_END,
};

typedef struct descent {
    ebm_chains chains;
    size_t *used; /* (chains) */
} descent;

/* Random numbers of one update are at steps update * STRIDE + 0, 1, ... */
static const uint64_t STRIDE = (uint64_t)1 << 32;

/* So that what is measured before the first update is Hebb's rule. Checkpoints are read later and have their own W. */
static ebm_status start_from_hebb(const ebm_learner *learner, const ebm_couplings *c, ebm_error *error) {
    const ebm_dataset *data = learner->data;
    const size_t V = c->units, K = data ? data->train.count : 0;
    ebm_work *work = NULL;
    if (K == 0)
        return ebm_fail(error, EBM_INVALID,
                        "hopfield-descent starts from Hebb's couplings of the training examples: "
                        "there are none; or set `start: model`");
    EBM_TRY(ebm_work_create(1, &work, error));
    ebm_real *x = ebm_work_take(work, K * V, sizeof *x);
    if (x && ebm_space_equal(&data->space, &learner->model->space)) {
        ebm_examples_fixed(data, &data->train, 0, K, x);
        ebm_symmetric_product(V, K, 1.0 / (double)V, x, x, 0.0, c->W, work);
        ebm_model_refresh(learner->model, work);
    }
    ebm_work_free(work);
    return x ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu patterns of %zu units", K, V);
}

static ebm_status descent_create(ebm_learner *learner, ebm_error *error) {
    const descent_options *o = learner->options;
    ebm_couplings c;
    EBM_TRY(ebm_couplings_of(learner->model, learner->type->info.name, &c, error));
    if (o->start == START_HEBBIAN)
        EBM_TRY(start_from_hebb(learner, &c, error));
    ebm_clear_diagonal(c.units, c.W);
    memset(c.bias, 0, c.units * sizeof *c.bias);
    descent *d = calloc(1, sizeof *d);
    learner->state = d;
    const size_t few = o->negative == FEW_STEPS_SGD ? 1 : learner->batch;
    const size_t count = o->negative == RANDOM_VALLEYS && o->negatives > 0 ? (size_t)o->negatives : few;
    if (!d || !(d->used = calloc(count, sizeof *d->used)))
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu negatives", count);
    EBM_TRY(ebm_chains_create(learner->model, count, ebm_stream_of(learner->seed, EBM_PURPOSE_NEGATIVE), &d->chains,
                              error));
    for (size_t k = 0; k < count * c.units; k++)
        d->chains.batch.x[k] = 1; /* a state, for the sampler to look at */
    return ebm_sampler_attach(learner->sampler, learner->model, &d->chains, error);
}

static void descent_destroy(ebm_learner *learner) {
    descent *d = learner->state;
    if (!d)
        return;
    ebm_chains_free(&d->chains);
    free(d->used);
    free(d);
}

/* The chains at `count` states; x NULL: random ones. */
static void start_chains(ebm_learner *learner, size_t count, const ebm_real *x) {
    descent *d = learner->state;
    ebm_batch *batch = &d->chains.batch;
    const size_t V = learner->model->space.size;
    const ebm_stream stream = ebm_stream_of(learner->seed, EBM_PURPOSE_CHAIN_START);
    batch->count = count;
    if (x)
        memcpy(batch->x, x, count * V * sizeof *x);
    for (size_t b = 0; !x && b < count; b++) {
        ebm_random_uniform(stream, (uint32_t)b, learner->update, V, batch->x + b * V);
        for (size_t i = 0; i < V; i++)
            batch->x[b * V + i] = batch->x[b * V + i] < (ebm_real)0.5 ? -1 : 1;
    }
    batch->field_ok = batch->hidden_ok = false;
    if (learner->sampler->type->auxiliary_start)
        learner->sampler->type->auxiliary_start(learner->sampler, learner->model, &d->chains);
}

static ebm_status walk(ebm_learner *learner, ebm_work *work, ebm_error *error) {
    const descent_options *o = learner->options;
    descent *d = learner->state;
    size_t steps;
    if (o->negative != FEW_STEPS && o->negative != FEW_STEPS_SGD)
        return ebm_settle(learner->sampler, learner->model, ebm_path_end(), &d->chains, (size_t)o->limit, d->used,
                          &steps, work, error);
    return learner->sampler->type->step(learner->sampler, learner->model, ebm_path_end(), &d->chains, 1, work, error);
}

/* W += rate (<y y^T> - <y' y'^T>), patterns without those that have not moved where negatives start at them. */
static ebm_status descend(ebm_learner *learner, const ebm_real *x, size_t count, ebm_real *W, ebm_work *work,
                          ebm_error *error) {
    const descent_options *o = learner->options;
    const descent *d = learner->state;
    const bool paired = o->negative != RANDOM_VALLEYS;
    const size_t V = learner->model->space.size, M = d->chains.batch.count, mark = ebm_work_mark(work);
    ebm_real *P = ebm_work_take(work, (count + M) * V, sizeof *P), *Q = ebm_work_take(work, (count + M) * V, sizeof *Q);
    if (!P || !Q) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu patterns and %zu negatives", count, M);
    }
    const ebm_real weight = (ebm_real)((double)count / (double)M);
    size_t rows = 0;
    for (size_t b = 0; b < count + M; b++) {
        const size_t p = b < count ? b : b - count;
        const ebm_real *from = (b < count ? x : d->chains.batch.x) + p * V;
        if (paired && memcmp(x + p * V, d->chains.batch.x + p * V, V * sizeof *x) == 0)
            continue;
        for (size_t i = 0; i < V; i++) {
            P[rows * V + i] = from[i];
            Q[rows * V + i] = b < count ? from[i] : -weight * from[i];
        }
        rows++;
    }
    if (rows > 0)
        ebm_symmetric_product(V, rows, o->rate / (double)count, P, Q, 1.0, W, work);
    ebm_work_release(work, mark);
    return EBM_OK;
}

/* y y^T - y' y'^T is 2 y_i y_j where exactly one of the two units has changed, else 0. */
static void move_for_one(size_t V, double step, const ebm_real *y, const ebm_real *moved, ebm_real *W) {
    const ebm_real twice = (ebm_real)(2 * step);
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; y[i] != moved[i] && j < V; j++)
            if (y[j] == moved[j])
                W[j * V + i] = W[i * V + j] += twice * y[i] * y[j];
}

static ebm_status one_by_one(ebm_learner *learner, const ebm_real *x, size_t count, ebm_real *W, ebm_work *work,
                             ebm_error *error) {
    const descent_options *o = learner->options;
    descent *d = learner->state;
    const size_t V = learner->model->space.size;
    for (size_t p = 0; p < count; p++) {
        start_chains(learner, 1, x + p * V);
        EBM_TRY(walk(learner, work, error));
        move_for_one(V, o->rate / (double)count, x + p * V, d->chains.batch.x, W);
        ebm_model_refresh(learner->model, work);
    }
    return EBM_OK;
}

static ebm_status descent_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                 ebm_error *error) {
    const descent_options *o = learner->options;
    descent *d = learner->state;
    ebm_couplings c;
    EBM_TRY(ebm_couplings_of(learner->model, learner->type->info.name, &c, error));
    const size_t V = c.units;
    d->chains.step = learner->update * STRIDE;
    if (o->negative == FEW_STEPS_SGD) {
        EBM_TRY(one_by_one(learner, x, count, c.W, work, error));
    } else {
        const bool random = o->negative == RANDOM_VALLEYS;
        start_chains(learner, random && o->negatives > 0 ? (size_t)o->negatives : count, random ? NULL : x);
        EBM_TRY(walk(learner, work, error));
        EBM_TRY(descend(learner, x, count, c.W, work, error));
        ebm_clear_diagonal(V, c.W);
        ebm_model_refresh(learner->model, work);
    }
    return ebm_couplings_finite(&c, error);
}

const ebm_learner_type ebm_hopfield_descent = {
    .info = {"hopfield-descent", "lowers the energy of the patterns and raises that of the valleys found instead",
             "Hopfield, Feinstein & Palmer 1983 (unlearning)", descent_table, sizeof(descent_options)},
    .domains = 1u << EBM_SPIN,
    .uses_sampler = true,
    .create = descent_create,
    .destroy = descent_destroy,
    .update = descent_update,
};
