/* Descent in energy: each unit takes the value that is most probable given all others, and keeps its own where no other is
 * more probable: at a field of exactly 0 a spin stays.
 *
 * On a Hopfield network that is its dynamics (Hopfield 1982), on a Markov random field the iterated conditional modes of
 * Besag (1986): single-site sampling at zero temperature. Units one after another: no change raises E_beta, so that the
 * walk ends where a sweep changes nothing, `accepted`, which counts the changes, stands still, and the state is a local
 * minimum. All units at once from the same state: no such promise; with symmetric couplings the walk ends in a fixed
 * point or in a cycle of length 2 (Goles, Fogelman & Pellegrin 1985).
 *
 * A tie is a logit of exactly 0. Where fields that tie on paper are sums of rounded couplings (multiples of 1 / V, V no
 * power of 2), rounding decides them: a change then may raise E by some units of rounding, and a state that ties may be
 * left.
 *
 * It has no kernel and leaves no law invariant. */
#include "components.h"

#include "samplers/single_site.h"

#include <string.h>

typedef struct descent_options {
    int order;
    int64_t sweeps, flips;
} descent_options;

enum { ORDER_FIXED, ORDER_RANDOM, ORDER_SYNCHRONOUS };
static const char *const order_names[] = {"fixed", "random", "synchronous", NULL};

#define AT(member) EBM_OFFSET(descent_options, member)
static const ebm_option descent_table[] = {
    {"order", EBM_OPTION_CHOICE, AT(order), "fixed", 0, 0, order_names, 0,
     "units in turn, in a fresh random permutation each sweep and chain, or all at once from the same state"},
    {"sweeps", EBM_OPTION_INT, AT(sweeps), "1", 1, 1e6, NULL, 0, "sweeps that make one step"},
    {"flips", EBM_OPTION_INT, AT(flips), "0", 0, 1e9, NULL, 0,
     "a chain stops within a step after so many changes of a unit; 0: it does not"},
    EBM_OPTIONS_END,
};

static ebm_status descent_check(const void *options, const ebm_model_type *model, ebm_error *error) {
    const descent_options *o = options;
    (void)model;
    if (o->flips > 0 && o->order == ORDER_SYNCHRONOUS)
        return ebm_fail(error, EBM_INVALID,
                        "flips counts units that change one after another: order synchronous has none");
    return EBM_OK;
}

/* Rows first ... first + rows - 1: next (rows, V) = the values that all units take given the batch. */
static void next_values(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *next, uint32_t *units,
                        ebm_real *logit, ebm_work *work) {
    const size_t V = model->space.size, q = ebm_site_logits(&model->space);
    for (size_t i = 0; i < V; i++) {
        for (size_t b = 0; b < batch->count; b++)
            units[b] = (uint32_t)i;
        model->type->site(model, path, batch, units, logit, work);
        for (size_t b = 0; b < batch->count; b++)
            next[b * V + i] = ebm_most_probable(&model->space, logit + b * q, batch->x[b * V + i]);
    }
}

static ebm_status synchronous_sweeps(size_t count, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                     ebm_work *work, ebm_error *error) {
    ebm_batch *batch = &chains->batch;
    const size_t V = model->space.size, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *next = ebm_work_take(work, B * V, sizeof *next);
    ebm_real *logit = ebm_work_take(work, B * ebm_site_logits(&model->space), sizeof *logit);
    uint32_t *units = ebm_work_take(work, B, sizeof *units);
    if (!next || !logit || !units) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to update %zu chains of %zu units", B, V);
    }
    for (size_t s = 0; s < count; s++) {
        uint64_t changed = 0;
        ebm_model_field(model, batch, work);
        next_values(model, path, batch, next, units, logit, work);
        for (size_t k = 0; k < B * V; k++)
            changed += next[k] != batch->x[k];
        memcpy(batch->x, next, B * V * sizeof *next);
        batch->field_ok = batch->field_ok && changed == 0;
        chains->accepted += (double)changed;
    }
    ebm_work_release(work, mark);
    chains->step += count;
    chains->site_updates += (uint64_t)count * B * V;
    chains->proposed += (double)count * (double)B * (double)V;
    return ebm_single_site_end(model, path, chains, work);
}

static ebm_status descent_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                               size_t steps, ebm_work *work, ebm_error *error) {
    const descent_options *o = sampler->options;
    const ebm_scan scan = o->order == ORDER_RANDOM ? EBM_SCAN_RANDOM : EBM_SCAN_SYSTEMATIC;
    const size_t B = chains->batch.count, sweeps = (size_t)o->sweeps, mark = ebm_work_mark(work);
    if (o->order == ORDER_SYNCHRONOUS)
        return synchronous_sweeps(steps * sweeps, model, path, chains, work, error);
    if (o->flips == 0)
        return ebm_single_site_sweeps(EBM_DESCENT, scan, steps * sweeps, NULL, model, path, chains, work, error);
    uint32_t *left = ebm_work_take(work, B, sizeof *left);
    ebm_status status =
        left ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory to count the changes of %zu chains", B);
    for (size_t step = 0; step < steps && status == EBM_OK; step++) {
        for (size_t b = 0; b < B; b++)
            left[b] = (uint32_t)o->flips;
        status = ebm_single_site_sweeps(EBM_DESCENT, scan, sweeps, left, model, path, chains, work, error);
    }
    ebm_work_release(work, mark);
    return status;
}

const ebm_sampler_type ebm_descent = {
    .info = {"descent", "each unit takes its most probable value given all others: zero temperature",
             "Hopfield 1982; Besag 1986", descent_table, sizeof(descent_options)},
    .needs = EBM_SLOT_SITE,
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN | 1u << EBM_CATEGORICAL,
    .exact = false,
    .reversible = false,
    .check = descent_check,
    .step = descent_step,
};
