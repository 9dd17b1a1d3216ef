/* Annealed importance sampling, forwards and backwards.
 *
 * f_k(x) = exp(-E_{beta_k}(x)), 0 = beta_0 < ... < beta_K = 1, Z_k its sum; T_k leaves p_k = f_k / Z_k invariant.
 *
 * Forwards (R. Neal, "Annealed importance sampling", 2001; for restricted Boltzmann machines R. Salakhutdinov and
 * I. Murray, "On the quantitative analysis of deep belief networks", 2008): x_0 ~ p_0, x_k ~ T_k(x_{k-1} -> .),
 *   log w = sum_{k=0}^{K-1} log f_{k+1}(x_k) - log f_k(x_k),        E[w] = Z_K / Z_0,
 * so that E[log of the mean of w] <= log Z_K / Z_0 (Jensen).
 *
 * Backwards (Y. Burda, R. Grosse, R. Salakhutdinov, "Accurate and conservative estimates of MRF log-likelihood using
 * reverse annealing", 2015; R. Grosse, Z. Ghahramani, R. Adams, "Sandwiching the marginal likelihood using
 * bidirectional Monte Carlo", 2015): x_{K-1} ~ p_K, x_{k-1} ~ T~_k(x_k -> .) with the reversal of T_k. The forward walk
 * has density p_0(x_0) prod_k T_k(x_{k-1} -> x_k); with p_k(x) T_k(x -> x') = p_k(x') T~_k(x' -> x) the backward one is
 *   p_K(x_{K-1}) prod_k T~_k(x_k -> x_{k-1}) = (Z_0 / Z_K) w  times the forward density,
 * hence E_backward[1 / w] = Z_0 / Z_K, and the estimate of log Z_K is high on average. A sweep of block Gibbs
 * x -> h -> x' draws both halves from one joint distribution, so it is reversible on x: T~_k = T_k, and the same code
 * runs through the temperatures in either order.
 *
 * Each state's field serves the increment and the draw of the hidden units: two products a temperature. */
#include "ebm/enumerate.h"
#include "ebm/likelihood.h"
#include "ebm/special.h"

#include <math.h>
#include <string.h>
#include <stdlib.h>

enum { DEFAULT_BLOCK = 1000, EXACT_STATES = 1 << 16 };

double ebm_schedule_beta(ebm_schedule schedule, size_t temperatures, size_t k) {
    if (k == 0 || k >= temperatures)
        return k == 0 ? 0 : 1;
    const double t = (double)k / (double)temperatures;
    switch (schedule) {
    case EBM_SCHEDULE_PIECEWISE:
        if (29 * t <= 1)
            return 0.5 * 29 * t;
        if (29 * t <= 9)
            return 0.5 + 0.4 * (29 * t - 1) / 8;
        return 0.9 + 0.1 * (29 * t - 9) / 20;
    case EBM_SCHEDULE_SIGMOID: {
        const double low = ebm_sigmoid(-4), high = ebm_sigmoid(4);
        return (ebm_sigmoid(8 * t - 4) - low) / (high - low);
    }
    default:
        return t;
    }
}

/* One block of chains on its way. */
typedef struct walk {
    const ebm_model *model;
    const ebm_base *base;
    const ebm_ais_settings *settings;
    ebm_batch batch;
    uint32_t first_chain;
    uint64_t step;              /* next step of the stream */
    double *difference, *other; /* (rows) */
    ebm_work *work;
} walk;

static void transition(walk *w, ebm_path path) {
    const ebm_model_type *type = w->model->type;
    ebm_model_field(w->model, &w->batch, w->work);
    type->sample_hidden(w->model, path, &w->batch, w->settings->stream, w->first_chain, w->step++, w->work);
    type->sample_visible(w->model, path, &w->batch, w->settings->stream, w->first_chain, w->step++, w->work);
    w->batch.hidden_ok = false;
}

/* log_weight[b] += log f_to(x_b) - log f_from(x_b) */
static ebm_status increment(walk *w, ebm_path from, ebm_path to, double *log_weight, ebm_error *error) {
    const ebm_model_type *type = w->model->type;
    ebm_model_field(w->model, &w->batch, w->work);
    if (type->energy_difference) {
        type->energy_difference(w->model, from, to, &w->batch, w->difference, w->work);
    } else {
        type->energy(w->model, to, &w->batch, w->difference, w->work);
        type->energy(w->model, from, &w->batch, w->other, w->work);
        for (size_t b = 0; b < w->batch.count; b++)
            w->difference[b] -= w->other[b];
    }
    for (size_t b = 0; b < w->batch.count; b++) {
        if (!isfinite(w->difference[b]))
            return ebm_fail(error, EBM_DIVERGED,
                            "the log-weight of chain %zu is %g between inverse temperatures %.6g and %.6g: a parameter "
                            "is not finite or far too large",
                            (size_t)w->first_chain + b, -w->difference[b], from.beta, to.beta);
        log_weight[b] -= w->difference[b];
    }
    return EBM_OK;
}

/* From x ~ p_0 up to K, or from x ~ p_K down to 0: K increments with a transition between any two. */
static ebm_status anneal(walk *w, bool reverse, double *log_weight, ebm_error *error) {
    const ebm_ais_settings *s = w->settings;
    for (size_t b = 0; b < w->batch.count; b++)
        log_weight[b] = 0;
    for (size_t i = 0; i < s->temperatures; i++) {
        const size_t k = reverse ? s->temperatures - 1 - i : i;
        const ebm_path from = {w->base, ebm_schedule_beta(s->schedule, s->temperatures, k)};
        const ebm_path to = {w->base, ebm_schedule_beta(s->schedule, s->temperatures, k + 1)};
        EBM_TRY(increment(w, from, to, log_weight, error));
        if (i + 1 < s->temperatures)
            transition(w, reverse ? from : to);
    }
    return EBM_OK;
}

/* The start of backward walks. Exact draws are taken from the model's own slot, for all chains at once, or by the
 * distribution function over all states. */
typedef struct reverse_start {
    ebm_ais_start is;
    ebm_batch draws; /* (chains); x NULL where there are none */
    size_t states;
    double *cumulative; /* (states) */
} reverse_start;

enum { MOST_DRAWS = 1 << 16 };

/* Fills out->draws; leaves them empty where the model cannot. */
static ebm_status draw_exactly(const ebm_model *model, const ebm_ais_settings *settings, reverse_start *out,
                               ebm_work *work, ebm_error *error) {
    if (model->type->sample_exact == NULL || settings->chains > MOST_DRAWS)
        return EBM_OK;
    EBM_TRY(ebm_batch_create(model, settings->chains, &out->draws, error));
    const ebm_stream stream = settings->stream;
    const uint64_t step = settings->step + 4 * (uint64_t)settings->temperatures + 4; /* beyond the walk's own */
    ebm_status status = model->type->sample_exact(model, ebm_path_end(), &out->draws, stream, 0, step, work, NULL);
    if (status == EBM_OK)
        return EBM_OK;
    ebm_batch_free(&out->draws);
    return status == EBM_UNSUPPORTED ? EBM_OK : ebm_fail(error, status, "exact draws of the model failed");
}

static bool can_enumerate(const ebm_model *model) {
    const size_t states = ebm_states_count(&model->space);
    return states > 0 && states <= EXACT_STATES;
}

static ebm_status prepare_start(const ebm_model *model, const ebm_ais_settings *settings, const ebm_ais_start *asked,
                                reverse_start *out, ebm_work *work, ebm_error *error) {
    const bool have_data = asked->data && asked->half && asked->half->count > 0;
    *out = (reverse_start){.is = *asked};
    if (asked->origin == EBM_AIS_ORIGIN_AUTO || asked->origin == EBM_AIS_ORIGIN_EXACT)
        EBM_TRY(draw_exactly(model, settings, out, work, error));
    if (out->draws.x != NULL) {
        out->is.origin = EBM_AIS_ORIGIN_EXACT;
        return EBM_OK;
    }
    if (asked->origin == EBM_AIS_ORIGIN_AUTO)
        out->is.origin = can_enumerate(model) ? EBM_AIS_ORIGIN_EXACT
                         : have_data          ? EBM_AIS_ORIGIN_DATA
                                              : EBM_AIS_ORIGIN_BASE;
    if (out->is.origin == EBM_AIS_ORIGIN_DATA && !have_data)
        return ebm_fail(error, EBM_UNSUPPORTED, "reverse annealing from data needs examples to start from");
    if (out->is.origin == EBM_AIS_ORIGIN_DATA && !ebm_space_equal(&model->space, &asked->data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data that chains start from are on different spaces");
    if (out->is.origin != EBM_AIS_ORIGIN_EXACT)
        return EBM_OK;
    if (!can_enumerate(model))
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "exact draws need at most %d visible states: %zu %s units have more; start from data",
                        EXACT_STATES, model->space.size, ebm_domain_name(model->space.domain));
    out->states = ebm_states_count(&model->space);
    out->cumulative = ebm_work_take(work, out->states, sizeof *out->cumulative);
    if (out->cumulative == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the probabilities of %zu states", out->states);
    EBM_TRY(ebm_model_log_probabilities(model, ebm_path_end(), out->cumulative, NULL, work, error));
    double sum = 0;
    for (size_t s = 0; s < out->states; s++)
        out->cumulative[s] = sum += exp(out->cumulative[s]);
    return EBM_OK;
}

/* The first state whose cumulative probability exceeds u times the total. */
static size_t draw_state(const reverse_start *start, double u) {
    size_t low = 0, high = start->states - 1;
    const double level = u * start->cumulative[high];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (start->cumulative[middle] > level)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Fill the batch with draws of the model, or with what stands for them after many sweeps. */
static void start_reverse(walk *w, const reverse_start *start) {
    const ebm_stream stream = w->settings->stream;
    const size_t V = w->model->space.size;
    const uint64_t step = w->step++;
    if (start->is.origin == EBM_AIS_ORIGIN_BASE)
        ebm_base_sample(w->base, w->batch.count, stream, w->first_chain, step, w->batch.x, w->work);
    for (size_t b = 0; b < w->batch.count; b++) {
        const uint32_t chain = w->first_chain + (uint32_t)b;
        if (start->draws.x != NULL) {
            memcpy(w->batch.x + b * V, start->draws.x + chain * V, V * sizeof *w->batch.x);
        } else if (start->is.origin == EBM_AIS_ORIGIN_EXACT) {
            const size_t state = draw_state(start, ebm_random_uniform1(stream, chain, step, 0));
            ebm_states_fill(&w->model->space, state, 1, w->batch.x + b * V);
        } else if (start->is.origin == EBM_AIS_ORIGIN_DATA) {
            const size_t count = start->is.half->count < UINT32_MAX ? start->is.half->count : UINT32_MAX;
            const uint32_t example = ebm_random_below(stream, chain, step, 0, (uint32_t)count);
            ebm_examples_fixed(start->is.data, start->is.half, example, 1, w->batch.x + b * V);
        }
    }
    w->batch.field_ok = w->batch.hidden_ok = false;
    if (start->is.origin != EBM_AIS_ORIGIN_EXACT)
        for (size_t sweep = 0; sweep < start->is.sweeps; sweep++)
            transition(w, ebm_path_end());
}

static ebm_status check_settings(const ebm_model *model, const ebm_base *base, const ebm_ais_settings *settings,
                                 ebm_error *error) {
    char names[160];
    const unsigned missing = (EBM_SLOT_BLOCK | EBM_SLOT_BASE) & ~ebm_model_slots(model->type);
    if (missing)
        return ebm_fail(error, EBM_UNSUPPORTED, "annealed importance sampling needs %s, model %s has none",
                        ebm_slot_names(missing, names, sizeof names), model->type->info.name);
    if (!ebm_space_equal(&model->space, &base->space))
        return ebm_fail(error, EBM_INVALID, "the model and the base distribution are on different spaces");
    if (settings->temperatures == 0 || settings->temperatures > 1000000000)
        return ebm_fail(error, EBM_INVALID, "%zu temperatures, expected 1 to 1e9", settings->temperatures);
    if (settings->chains == 0 || settings->chains > UINT32_MAX)
        return ebm_fail(error, EBM_INVALID, "%zu chains, expected 1 to 2^32 - 1", settings->chains);
    return EBM_OK;
}

/* All blocks of chains, one after another; `start` NULL: forwards. */
static ebm_status walk_blocks(walk *w, const reverse_start *start, double *log_weight, ebm_error *error) {
    const ebm_ais_settings *s = w->settings;
    size_t rows = s->block > 0 ? s->block : DEFAULT_BLOCK;
    rows = rows < s->chains ? rows : s->chains;
    w->difference = ebm_work_take(w->work, rows, sizeof *w->difference);
    w->other = ebm_work_take(w->work, rows, sizeof *w->other);
    if (w->difference == NULL || w->other == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the log-weights of %zu chains", rows);
    EBM_TRY(ebm_batch_create(w->model, rows, &w->batch, error));
    ebm_status status = EBM_OK;
    for (size_t first = 0; first < s->chains && status == EBM_OK; first += rows) {
        w->batch.count = s->chains - first < rows ? s->chains - first : rows;
        w->batch.field_ok = w->batch.hidden_ok = false;
        w->first_chain = (uint32_t)first;
        w->step = s->step;
        if (start != NULL)
            start_reverse(w, start);
        else
            ebm_base_sample(w->base, w->batch.count, s->stream, w->first_chain, w->step++, w->batch.x, w->work);
        status = anneal(w, start != NULL, log_weight + first, error);
    }
    ebm_batch_free(&w->batch);
    return status;
}

ebm_status ebm_ais_forward(const ebm_model *model, const ebm_base *base, const ebm_ais_settings *settings,
                           double *log_weight, ebm_work *work, ebm_error *error) {
    EBM_TRY(check_settings(model, base, settings, error));
    const size_t mark = ebm_work_mark(work);
    walk w = {.model = model, .base = base, .settings = settings, .work = work};
    const ebm_status status = walk_blocks(&w, NULL, log_weight, error);
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_ais_reverse(const ebm_model *model, const ebm_base *base, const ebm_ais_settings *settings,
                           const ebm_ais_start *start, double *log_weight, ebm_work *work, ebm_error *error) {
    EBM_TRY(check_settings(model, base, settings, error));
    const size_t mark = ebm_work_mark(work);
    walk w = {.model = model, .base = base, .settings = settings, .work = work};
    reverse_start prepared;
    ebm_status status = prepare_start(model, settings, start, &prepared, work, error);
    if (status == EBM_OK)
        status = walk_blocks(&w, &prepared, log_weight, error);
    if (prepared.draws.x != NULL)
        ebm_batch_free(&prepared.draws);
    ebm_work_release(work, mark);
    return status;
}

/* The mean of weights known by their logarithms, and how well it is known. */
typedef struct weight_mean {
    double log_mean, relative_se, ess;
} weight_mean;

static weight_mean mean_of_weights(const double *log_weight, size_t count) {
    double largest = log_weight[0], sum = 0, squares = 0;
    for (size_t c = 1; c < count; c++)
        largest = fmax(largest, log_weight[c]);
    for (size_t c = 0; c < count; c++) {
        const double w = exp(log_weight[c] - largest);
        sum += w;
        squares += w * w;
    }
    const double n = (double)count, mean = sum / n;
    double spread = 0;
    for (size_t c = 0; c < count; c++) {
        const double d = exp(log_weight[c] - largest) / mean - 1;
        spread += d * d;
    }
    return (weight_mean){
        .log_mean = largest + log(mean),
        .relative_se = count > 1 ? sqrt(spread / (n - 1) / n) : NAN,
        .ess = sum * sum / squares,
    };
}

ebm_status ebm_ais_summarise(double log_z_base, const double *log_weight, size_t chains, bool reverse,
                             ebm_ais_summary *out, ebm_work *work, ebm_error *error) {
    if (chains == 0)
        return ebm_fail(error, EBM_INVALID, "log Z needs at least one log-weight");
    const size_t mark = ebm_work_mark(work);
    double *signed_weight = ebm_work_take(work, chains, sizeof *signed_weight);
    if (signed_weight == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu log-weights", chains);
    const double sign = reverse ? -1 : 1;
    for (size_t c = 0; c < chains; c++) {
        if (!isfinite(log_weight[c])) {
            ebm_work_release(work, mark);
            return ebm_fail(error, EBM_DIVERGED, "the log-weight of chain %zu is %g", c, log_weight[c]);
        }
        signed_weight[c] = sign * log_weight[c];
    }
    const weight_mean mean = mean_of_weights(signed_weight, chains);
    const double r = mean.relative_se, up = log1p(3 * r), down = 3 * r < 1 ? log1p(-3 * r) : -INFINITY;
    *out = (ebm_ais_summary){
        .log_z = log_z_base + sign * mean.log_mean,
        .se = r,
        .ess = mean.ess,
        .log_weight_sd = sqrt(ebm_variance(log_weight, chains)),
    };
    out->low = isnan(r) ? -INFINITY : log_z_base + sign * (mean.log_mean + (reverse ? up : down));
    out->high = isnan(r) ? INFINITY : log_z_base + sign * (mean.log_mean + (reverse ? down : up));
    ebm_work_release(work, mark);
    return EBM_OK;
}
