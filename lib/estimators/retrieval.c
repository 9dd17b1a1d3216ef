/* Retrieval of stored patterns by a stochastic network: a cue is a pattern with a share of its units flipped, the
 * sampler walks from it for L steps at temperature T, and what is retrieved is the sign of the mean of the last M states,
 *
 *   y_i = sign( (1/M) sum_(t=L-M+1)^L x_i(t) ),    overlap m = (1/V) sum_i y_i pattern_i      (0/1 units: as spins),
 *
 * where a mean of exactly 0 takes the last state's value. M = 1 is that state itself, whose overlap in a Hebbian network of
 * few patterns is the m of m = tanh(m / T) (Amit, Gutfreund & Sompolinsky 1985); a mean over many states takes the
 * thermal noise away, and finds the pattern as long as m is positive and the walk stays with it.
 *
 * Cue c is made of example c mod (number of patterns), and is chain c: its flipped units are the first of a random order.
 * The rows stand at step M. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"

#include <math.h>
#include <string.h>

typedef struct retrieval_options {
    double noise, temperature, overlap;
    ebm_reals samples;
    int64_t sweeps, cues, patterns;
} retrieval_options;

#define AT(member) EBM_OFFSET(retrieval_options, member)
static const ebm_option retrieval_table[] = {
    {"noise", EBM_OPTION_REAL, AT(noise), "0.1", 0, 1, NULL, 0, "share of a pattern's units that are flipped in a cue"},
    {"temperature", EBM_OPTION_REAL, AT(temperature), "1", 1e-9, 1e9, NULL, 0, "T in p = exp(-E / T) / Z"},
    {"sweeps", EBM_OPTION_INT, AT(sweeps), "200", 1, 1e9, NULL, 0, "L: steps of the sampler from a cue"},
    {"samples", EBM_OPTION_REALS, AT(samples), "[1, 10, 100]", 1, 1e9, NULL, 0,
     "M: how many of the last states are averaged; ascending whole numbers up to `sweeps`"},
    {"cues", EBM_OPTION_INT, AT(cues), "100", 2, 1e6, NULL, 0, "walks, each from a cue of its own"},
    EBM_LIMIT_OPTION("patterns", AT(patterns), "0", "only the first so many training examples; 0: all"),
    {"overlap", EBM_OPTION_REAL, AT(overlap), "0.97", -1, 1, NULL, 0,
     "overlap from which a pattern counts as retrieved"},
    EBM_OPTIONS_END,
};

static const ebm_metric retrieval_metrics[] = {
    {"retrieval_overlap", "", true,
     "mean overlap of the sign of the mean of the last M states with the pattern; row step: M; s.e. over cues"},
    {"retrieval_share", "", true, "share of cues whose pattern is retrieved; row step: M; s.e. over cues"},
    EBM_METRICS_END,
};

static ebm_status check_options(const retrieval_options *o, const ebm_estimate_inputs *in, ebm_error *error) {
    const ebm_reals *samples = &o->samples;
    if (!(1u << in->model->space.domain & (1u << EBM_BINARY | 1u << EBM_SPIN)))
        return ebm_fail(error, EBM_UNSUPPORTED, "retrieval is of two-valued units, model %s has %s ones",
                        in->model->type->info.name, ebm_domain_name(in->model->space.domain));
    if (!ebm_space_equal(&in->model->space, &in->data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    if (samples->count == 0 || in->data->train.count == 0)
        return ebm_fail(error, EBM_INVALID, "retrieval needs patterns, and a number in `samples`");
    for (size_t k = 0; k < samples->count; k++)
        if (samples->values[k] != floor(samples->values[k]) || samples->values[k] > (double)o->sweeps ||
            (k && samples->values[k] <= samples->values[k - 1]))
            return ebm_fail(error, EBM_INVALID,
                            "`samples` of retrieval must be ascending whole numbers up to %lld, the number of sweeps, "
                            "not %g",
                            (long long)o->sweeps, samples->values[k]);
    return EBM_OK;
}

/* A block of cues, and what is kept of their walks. */
typedef struct walks {
    ebm_chains chains;
    ebm_real *pattern; /* (rows, V) */
    ebm_real *sum;     /* (samples, rows, V): of the last states as spins, whole numbers */
    uint32_t *order;   /* (V) */
} walks;

static ebm_real as_spin(const ebm_space *space, ebm_real x) {
    return space->domain == EBM_SPIN ? x : 2 * x - 1;
}

/* x and pattern of chains first_chain ... */
static void make_cues(const retrieval_options *o, const ebm_estimate_inputs *in, uint64_t step, walks *w) {
    const ebm_space *space = &in->model->space;
    const size_t V = space->size, flips = (size_t)llround(o->noise * (double)V);
    const size_t patterns = ebm_limited(in->data->train.count, o->patterns);
    for (size_t b = 0; b < w->chains.batch.count; b++) {
        const size_t cue = w->chains.first_chain + b;
        ebm_real *pattern = w->pattern + b * V, *x = w->chains.batch.x + b * V;
        ebm_examples_fixed(in->data, &in->data->train, cue % patterns, 1, pattern);
        memcpy(x, pattern, V * sizeof *x);
        ebm_random_order(w->chains.stream, (uint32_t)cue, step, V, w->order);
        for (size_t k = 0; k < flips; k++) {
            ebm_real *unit = x + w->order[k];
            *unit = space->domain == EBM_SPIN ? -*unit : 1 - *unit;
        }
    }
    w->chains.batch.field_ok = w->chains.batch.hidden_ok = false;
}

/* L steps; the sums gather the last states. */
static ebm_status walk(const retrieval_options *o, const ebm_estimate_inputs *in, walks *w, ebm_error *error) {
    const ebm_space *space = &in->model->space;
    const size_t values = w->chains.batch.count * space->size, sweeps = (size_t)o->sweeps;
    const size_t most = (size_t)o->samples.values[o->samples.count - 1];
    const ebm_path path = {in->path.base, in->path.beta / o->temperature};
    ebm_sampler *sampler = in->sampler;
    memset(w->sum, 0, o->samples.count * values * sizeof *w->sum);
    EBM_TRY(ebm_sampler_attach(sampler, in->model, &w->chains, error));
    if (sweeps > most)
        EBM_TRY(sampler->type->step(sampler, in->model, path, &w->chains, sweeps - most, in->work, error));
    for (size_t left = most; left-- > 0;) {
        EBM_TRY(sampler->type->step(sampler, in->model, path, &w->chains, 1, in->work, error));
        for (size_t k = 0; k < o->samples.count; k++)
            for (size_t i = 0; left < (size_t)o->samples.values[k] && i < values; i++)
                w->sum[k * values + i] += as_spin(space, w->chains.batch.x[i]);
    }
    return EBM_OK;
}

/* overlap[cue] of one M. */
static void find_overlaps(const ebm_space *space, const walks *w, const ebm_real *sum, double *overlap) {
    const size_t V = space->size;
    for (size_t b = 0; b < w->chains.batch.count; b++) {
        long agree = 0;
        for (size_t i = b * V; i < (b + 1) * V; i++) {
            const ebm_real mean = sum[i] != 0 ? sum[i] : as_spin(space, w->chains.batch.x[i]);
            agree += (mean > 0) == (w->pattern[i] > 0) ? 1 : -1;
        }
        overlap[w->chains.first_chain + b] = (double)agree / (double)V;
    }
}

/* overlap (samples, cues) */
static ebm_status all_walks(const retrieval_options *o, const ebm_estimate_inputs *in, double *overlap,
                            ebm_error *error) {
    const ebm_space *space = &in->model->space;
    const size_t V = space->size, cues = (size_t)o->cues, rows = ebm_block_rows(in->model, cues);
    const uint64_t step = ebm_estimate_step(in) + 16; /* pseudo-likelihood and its like have the first ones */
    walks w = {.pattern = ebm_work_take(in->work, rows * V, sizeof(ebm_real)),
               .sum = ebm_work_take(in->work, o->samples.count * rows * V, sizeof(ebm_real)),
               .order = ebm_work_take(in->work, V, sizeof(uint32_t))};
    if (!w.pattern || !w.sum || !w.order)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu cues of %zu units", rows, V);
    ebm_status status =
        ebm_chains_create(in->model, rows, ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE), &w.chains, error);
    for (size_t first = 0; first < cues && status == EBM_OK; first += rows) {
        w.chains.batch.count = cues - first < rows ? cues - first : rows;
        w.chains.first_chain = (uint32_t)first;
        w.chains.step = step + 1;
        make_cues(o, in, step, &w);
        status = walk(o, in, &w, error);
        for (size_t k = 0; k < o->samples.count && status == EBM_OK; k++)
            find_overlaps(space, &w, w.sum + k * w.chains.batch.count * V, overlap + k * cues);
    }
    ebm_chains_free(&w.chains);
    return status;
}

static ebm_status emit_rows(const retrieval_options *o, double *overlap, ebm_sink *sink, ebm_error *error) {
    const size_t cues = (size_t)o->cues;
    for (size_t k = 0; k < o->samples.count; k++, overlap += cues) {
        const ebm_mean_value mean = ebm_mean_of(overlap, cues);
        for (size_t c = 0; c < cues; c++)
            overlap[c] = overlap[c] >= o->overlap;
        const ebm_mean_value share = ebm_mean_of(overlap, cues);
        sink->at(sink, (uint64_t)o->samples.values[k]);
        EBM_TRY(sink->emit(sink, "retrieval_overlap", mean.mean, mean.se, error));
        EBM_TRY(sink->emit(sink, "retrieval_share", share.mean, share.se, error));
    }
    return EBM_OK;
}

static ebm_status retrieval_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                     ebm_error *error) {
    const retrieval_options *o = options;
    EBM_TRY(check_options(o, in, error));
    const size_t mark = ebm_work_mark(in->work);
    double *overlap = ebm_work_take(in->work, o->samples.count * (size_t)o->cues, sizeof *overlap);
    ebm_status status =
        overlap ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %lld cues", (long long)o->cues);
    if (status == EBM_OK)
        status = all_walks(o, in, overlap, error);
    if (status == EBM_OK)
        status = emit_rows(o, overlap, sink, error);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_retrieval = {
    .info = {"retrieval", "patterns from noisy cues, by the mean of the last states of a walk at some temperature",
             "Hopfield 1982; Amit, Gutfreund & Sompolinsky 1985", retrieval_table, sizeof(retrieval_options)},
    .needs_data = true,
    .needs_sampler = true,
    .metrics = retrieval_metrics,
    .estimate = retrieval_estimate,
};
