/* Replica exchange, also called parallel tempering (Swendsen & Wang 1986; Geyer 1991; Hukushima & Nemoto 1996).
 *
 * K copies of the space; copy r runs at beta_r = beta / T_r along the path, 1 = T_0 < ... < T_(K-1). A sweep is
 *   swap_every sweeps of each copy's inner sampler, then a swap of each pair of copies (0, 1), (2, 3) ..., then of each
 *   pair (1, 2), (3, 4) ...; the states of copies a and b = a + 1 are swapped with probability
 *   min(1, exp(E_a(x_a) + E_b(x_b) - E_a(x_b) - E_b(x_a))),   E_r the energy at beta_r along the path.
 * Every part leaves the product of the copies' distributions invariant, so the sweep does; it is one kernel for all
 * sweeps, and not reversible, for its parts come in a fixed order. Where no units are hidden E_beta is linear in beta
 * and the exponent is (beta_a - beta_b)(D(x_a) - D(x_b)), D = E - E_base: one evaluation for each copy. With hidden
 * units E_beta is a free energy, which is not: four for each pair.
 *
 * Copy 0 is the target, in chains->batch. Copy r draws what its inner sampler draws from the chains' stream with
 * purpose + 2^16 r, the swaps from purpose + 2^16 (2^16 - 1): random.h keeps those free.
 *
 * In warm-up the temperatures between the ends move (tempering_ladder.c). Costs are those of all copies; proposals
 * counted are copy 0's. */
#include "components.h"
#include "samplers/inner.h"
#include "samplers/tempering_exchange.h"
#include "samplers/tempering_kernel.h"
#include "samplers/tempering_ladder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COPIES = 1024 };

typedef struct tempering_options {
    char *inner;
    int64_t temperatures, swap_every;
    double hottest;
    ebm_reals ladder;
    bool adapt;
} tempering_options;

#define AT(member) offsetof(tempering_options, member)
static const ebm_option tempering_table[] = {
    {"inner", EBM_OPTION_STRING, AT(inner), "gibbs", 0, 0, NULL, 0,
     "the sampler that moves each copy, with its default options"},
    {"temperatures", EBM_OPTION_INT, AT(temperatures), "8", 1, MOST_COPIES, NULL, 0,
     "number of copies, at least 2, at temperatures from 1 to `hottest` in a geometric ladder"},
    {"hottest", EBM_OPTION_REAL, AT(hottest), "4", 1, 1e6, NULL, 0, "the highest temperature, above 1"},
    {"ladder", EBM_OPTION_REALS, AT(ladder), NULL, 1, 1e6, NULL, 0,
     "the temperatures themselves, ascending from 1, in place of `temperatures` and `hottest`"},
    {"swap_every", EBM_OPTION_INT, AT(swap_every), "1", 1, 1e6, NULL, 0,
     "sweeps of the inner sampler in each sweep, which ends with the swaps"},
    {"adapt", EBM_OPTION_BOOL, AT(adapt), "true", 0, 0, NULL, 0,
     "in warm-up move the temperatures between the ends until neighbours swap equally often"},
    EBM_OPTIONS_END,
};

typedef struct tempering_state {
    ebm_inner inner;
    size_t copies;
    double *temperature; /* (copies): the ladder as the options have it */
} tempering_state;

static size_t copies_of(const tempering_options *o) {
    return o->ladder.count ? o->ladder.count : (size_t)o->temperatures;
}

static ebm_status tempering_check(const void *options, const ebm_model_type *model, ebm_error *error) {
    const tempering_options *o = options;
    const size_t K = copies_of(o);
    const double *T = o->ladder.values;
    if (K < 2)
        return ebm_fail(error, EBM_INVALID,
                        "sampler tempering: a ladder of one temperature has nothing to swap: expected at least 2");
    if (K > MOST_COPIES)
        return ebm_fail(error, EBM_INVALID, "sampler tempering: a ladder of %zu temperatures: expected at most %d", K,
                        MOST_COPIES);
    if (!T && !(o->hottest > 1))
        return ebm_fail(error, EBM_INVALID, "sampler tempering: hottest is %g, expected a temperature above 1",
                        o->hottest);
    if (T && T[0] != 1)
        return ebm_fail(error, EBM_INVALID,
                        "sampler tempering: the ladder begins with %g, expected 1, the temperature of the target",
                        T[0]);
    for (size_t k = 1; T && k < K; k++)
        if (!(T[k] > T[k - 1]))
            return ebm_fail(error, EBM_INVALID,
                            "sampler tempering: the ladder goes from %g to %g, expected ascending temperatures",
                            T[k - 1], T[k]);
    return ebm_inner_check(&ebm_tempering.info, o->inner, model, error);
}

static ebm_status tempering_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const tempering_options *o = sampler->options;
    tempering_state *state = ebm_alloc(1, sizeof *state);
    sampler->state = state;
    if (!state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a sampler");
    const size_t K = state->copies = copies_of(o);
    state->temperature = ebm_alloc(K, sizeof *state->temperature);
    if (!state->temperature)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a ladder of %zu temperatures", K);
    for (size_t k = 0; k < K; k++)
        state->temperature[k] = o->ladder.count ? o->ladder.values[k] : pow(o->hottest, (double)k / (double)(K - 1));
    EBM_TRY(ebm_inner_create(&ebm_tempering.info, o->inner, model, &state->inner, error));
    sampler->exact = state->inner.sampler.exact; /* swaps leave invariant what its own steps do */
    return EBM_OK;
}

static void tempering_destroy(ebm_sampler *sampler) {
    tempering_state *state = sampler->state;
    if (!state)
        return;
    ebm_inner_free(&state->inner);
    free(state->temperature);
    free(state);
}

static ebm_ladder_sizes sizes_of(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    const tempering_state *state = sampler->state;
    return (ebm_ladder_sizes){state->copies, chains, model->space.size, ebm_inner_bytes(&state->inner, model, chains)};
}

static size_t tempering_auxiliary_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    return ebm_ladder_bytes(sizes_of(sampler, model, chains));
}

/* Copy r's chains as its inner sampler sees them. */
static ebm_chains inner_chains(const ebm_ladder *ladder, const ebm_chains *chains, size_t r, ebm_batch batch) {
    const size_t bytes = ladder->sizes->inner_bytes;
    ebm_chains inner = ebm_inner_chains(chains, batch, ladder->inner + r * bytes, bytes);
    inner.stream.purpose += (uint32_t)r << 16;
    return inner;
}

/* Every copy starts from the chain's own x. */
static void tempering_auxiliary_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    const tempering_state *state = sampler->state;
    const ebm_sampler *inner = &state->inner.sampler;
    const size_t B = chains->batch.count, V = model->space.size;
    ebm_ladder ladder = ebm_ladder_start(sizes_of(sampler, model, B), state->temperature, chains->auxiliary);
    for (size_t r = 0; r < state->copies; r++) {
        ebm_batch batch = {.count = B, .x = ebm_ladder_copy(&ladder, chains, r)};
        if (r > 0)
            memcpy(batch.x, chains->batch.x, B * V * sizeof *batch.x);
        ebm_chains copy = inner_chains(&ladder, chains, r, batch);
        if (inner->type->auxiliary_start)
            inner->type->auxiliary_start(inner, model, &copy);
    }
}

static ebm_status move_copies(tempering_state *state, ebm_exchange *w, size_t sweeps, ebm_error *error) {
    ebm_sampler *inner = &state->inner.sampler;
    uint64_t step = w->chains->step + 1; /* the swaps need one of their own */
    for (size_t r = 0; r < w->K; r++) {
        ebm_chains copy = inner_chains(&w->ladder, w->chains, r, w->copy[r]);
        copy.warmup_left *= sweeps; /* in steps of the inner sampler */
        EBM_TRY(inner->type->step(inner, w->model, ebm_exchange_path(w, r), &copy, sweeps, w->work, error));
        w->copy[r] = copy.batch;
        w->copy[r].hidden_ok = false;
        step = copy.step > step ? copy.step : step;
        ebm_inner_add_costs(w->chains, &copy);
        w->chains->accepted += r == 0 ? copy.accepted : 0;
        w->chains->proposed += r == 0 ? copy.proposed : 0;
    }
    w->chains->step = step;
    return EBM_OK;
}

static ebm_status tempering_sweep(ebm_sampler *sampler, ebm_exchange *w, ebm_error *error) {
    const tempering_options *o = sampler->options;
    EBM_TRY(move_copies(sampler->state, w, (size_t)o->swap_every, error));
    ebm_exchange_swap(w);
    ++*w->ladder.sweeps;
    ebm_ladder_turn(&w->ladder);
    if (w->chains->adapting && o->adapt)
        ebm_ladder_adapt(&w->ladder, w->rate);
    return EBM_OK;
}

static ebm_status not_attached(ebm_error *error) {
    return ebm_fail(error, EBM_INVALID, "sampler tempering: the chains have no hot copies: attach them first");
}

static ebm_status tempering_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                 size_t sweeps, ebm_work *work, ebm_error *error) {
    const tempering_state *state = sampler->state;
    const size_t mark = ebm_work_mark(work), B = chains->batch.count;
    if (!chains->auxiliary)
        return not_attached(error);
    ebm_exchange w = {.model = model, .chains = chains, .path = path, .K = state->copies, .B = B, .work = work};
    w.ladder = ebm_ladder_view(chains->auxiliary);
    if (w.ladder.sizes->copies != w.K || w.ladder.sizes->chains != B || w.ladder.sizes->units != model->space.size)
        return ebm_fail(error, EBM_INVALID,
                        "sampler tempering: %zu chains of %zu copies, but the hot copies kept are those of %zu and %zu",
                        B, w.K, (size_t)w.ladder.sizes->chains, (size_t)w.ladder.sizes->copies);
    ebm_status status = ebm_exchange_open(&w, error);
    for (size_t s = 0; s < sweeps && status == EBM_OK; s++) {
        status = tempering_sweep(sampler, &w, error);
        chains->warmup_left -= chains->warmup_left > 0;
    }
    if (status == EBM_OK && sweeps > 0) {
        chains->batch.field_ok = w.copy[0].field_ok;
        chains->batch.hidden_ok = false; /* drawn for the state that a swap may have taken away */
        if (chains->keep_hidden && model->type->sample_hidden)
            model->type->sample_hidden(model, path, &chains->batch, chains->stream, chains->first_chain, chains->step++,
                                       work);
    } else if (status != EBM_OK) {
        chains->batch.field_ok = chains->batch.hidden_ok = false;
    }
    ebm_work_release(work, mark);
    return status;
}

static size_t tempering_copies(const ebm_sampler *sampler) {
    return ((const tempering_state *)sampler->state)->copies;
}

static ebm_path tempering_copy_path(const ebm_sampler *sampler, const ebm_chains *chains, ebm_path path, size_t r) {
    const tempering_state *state = sampler->state;
    const double *T = chains->auxiliary ? ebm_ladder_view(chains->auxiliary).temperature : state->temperature;
    return (ebm_path){path.base, path.beta / T[r]};
}

static ebm_real *tempering_copy_states(const ebm_sampler *sampler, ebm_chains *chains, size_t r) {
    (void)sampler;
    const ebm_ladder ladder = ebm_ladder_view(chains->auxiliary);
    return ebm_ladder_copy(&ladder, chains, r);
}

static ebm_status tempering_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink,
                                   ebm_error *error) {
    (void)sampler;
    if (!chains->auxiliary)
        return not_attached(error);
    const ebm_ladder ladder = ebm_ladder_view(chains->auxiliary);
    return ebm_ladder_report(&ladder, sink, error);
}

static void tempering_reset_counters(const ebm_sampler *sampler, ebm_chains *chains) {
    const tempering_state *state = sampler->state;
    const ebm_sampler *inner = &state->inner.sampler;
    if (!chains->auxiliary)
        return;
    const ebm_ladder ladder = ebm_ladder_view(chains->auxiliary);
    ebm_ladder_reset_counters(&ladder);
    for (size_t r = 0; r < state->copies && inner->type->reset_counters; r++) {
        ebm_batch batch = {.count = chains->batch.count, .x = ebm_ladder_copy(&ladder, chains, r)};
        ebm_chains copy = inner_chains(&ladder, chains, r, batch);
        inner->type->reset_counters(inner, &copy);
    }
}

/* At the ladder of the options: what adaptation starts from. */
static ebm_status tempering_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S,
                                   double *T, ebm_work *work, ebm_error *error) {
    const tempering_state *state = sampler->state;
    const tempering_options *o = sampler->options;
    const size_t mark = ebm_work_mark(work);
    ebm_path *paths = ebm_work_take(work, state->copies, sizeof *paths);
    if (!paths)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu copies", state->copies);
    for (size_t r = 0; r < state->copies; r++)
        paths[r] = (ebm_path){path.base, path.beta / state->temperature[r]};
    ebm_status status = ebm_tempering_kernel(&state->inner.sampler, model, state->copies, paths, (size_t)o->swap_every,
                                             S, T, work, error);
    ebm_work_release(work, mark);
    return status;
}

const ebm_sampler_type ebm_tempering = {
    .info = {"tempering", "replica exchange: copies at rising temperatures that swap their states with neighbours",
             "Swendsen & Wang 1986; Geyer 1991; Hukushima & Nemoto 1996; ladder: Vousden, Farr & Mandel 2016",
             tempering_table, sizeof(tempering_options)},
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN | 1u << EBM_CATEGORICAL | 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = false,
    .metrics = ebm_ladder_metrics,
    .check = tempering_check,
    .create = tempering_create,
    .destroy = tempering_destroy,
    .auxiliary_bytes = tempering_auxiliary_bytes,
    .auxiliary_start = tempering_auxiliary_start,
    .step = tempering_step,
    .kernel = tempering_kernel,
    .copies = tempering_copies,
    .copy_path = tempering_copy_path,
    .copy_states = tempering_copy_states,
    .report = tempering_report,
    .reset_counters = tempering_reset_counters,
};
