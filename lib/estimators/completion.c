/* Pattern completion: some units of each example are missing; what the model says of them given the others.
 *
 *   P(missing = m | rest) = exp(-F(m, rest)) / sum over all 2^M settings of the same
 *
 * exactly, and by Gibbs sampling with the rest clamped: chains start at random missing units, sweep over them and the
 * hidden units, and the share of chains that end at the example itself estimates P(its units | rest). The chains are
 * independent, so where they are long enough the shares differ from P by their binomial errors alone. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"
#include "ebm/special.h"

#include <math.h>
#include <string.h>

typedef struct completion_options {
    int64_t first, missing, chains, sweeps;
    ebm_example_limits limits;
} completion_options;

enum { MOST_MISSING = 16 };

#define AT(member) EBM_OFFSET(completion_options, member)
static const ebm_option completion_table[] = {
    {"first", EBM_OPTION_INT, AT(first), "0", 0, 1e6, NULL, 0, "the first unit that is missing"},
    {"missing", EBM_OPTION_INT, AT(missing), "1", 1, MOST_MISSING, NULL, 0, "how many units in a row are missing"},
    {"chains", EBM_OPTION_INT, AT(chains), "200", 2, 1e6, NULL, 0, "chains of clamped Gibbs sampling for each example"},
    {"sweeps", EBM_OPTION_INT, AT(sweeps), "100", 1, 1e6, NULL, 0, "sweeps of each chain"},
    EBM_TEST_LIMIT(completion_options, limits, "0"),
    EBM_OPTIONS_END,
};

static const ebm_metric completion_metrics[] = {
    {"completion_accuracy", "", false, "share of test examples whose most probable completion is theirs"},
    {"completion_loglik", "nats", false, "mean log P(missing units | rest), exact"},
    {"completion_probability", "", false, "mean P(missing units | rest), exact"},
    {"completion_gibbs", "", true, "the same by clamped Gibbs sampling; s.e. of the chains alone"},
    EBM_METRICS_END,
};

typedef struct completion {
    const completion_options *options;
    const ebm_estimate_inputs *in;
    size_t M, settings;
    ebm_batch all, chains; /* every completion of one example; its chains */
    double *energy;        /* (settings) */
    bool *fixed;           /* (V) */
} completion;

static void write_setting(const completion *c, size_t setting, ebm_real *row) {
    const ebm_real down = c->in->model->space.domain == EBM_SPIN ? -1 : 0;
    for (size_t k = 0; k < c->M; k++)
        row[(size_t)c->options->first + k] = setting >> k & 1u ? 1 : down;
}
static size_t read_setting(const completion *c, const ebm_real *row) {
    size_t setting = 0;
    for (size_t k = 0; k < c->M; k++)
        setting |= (size_t)(row[(size_t)c->options->first + k] > 0) << k;
    return setting;
}

static ebm_status exact_completion(completion *c, const ebm_real *x, double *log_p, bool *right, ebm_error *error) {
    const ebm_model *model = c->in->model;
    const size_t V = model->space.size, own = read_setting(c, x);
    size_t best = 0;
    for (size_t m = 0; m < c->settings; m++) {
        memcpy(c->all.x + m * V, x, V * sizeof *x);
        write_setting(c, m, c->all.x + m * V);
    }
    c->all.field_ok = c->all.hidden_ok = false;
    ebm_model_field(model, &c->all, c->in->work);
    model->type->energy(model, ebm_path_end(), &c->all, c->energy, c->in->work);
    for (size_t m = 0; m < c->settings; m++) {
        c->energy[m] = -c->energy[m];
        best = c->energy[m] > c->energy[best] ? m : best;
        if (!isfinite(c->energy[m]))
            return ebm_fail(error, EBM_DIVERGED, "the energy of a completion is not finite");
    }
    *log_p = c->energy[own] - ebm_log_sum_exp(c->energy, c->settings);
    *right = best == own;
    return EBM_OK;
}

/* *share = how many of the chains end at the example itself. Example e has the chains e C ... e C + C - 1. */
static ebm_status gibbs_completion(completion *c, const ebm_real *x, size_t e, double *share, ebm_error *error) {
    const ebm_model *model = c->in->model;
    const size_t V = model->space.size, C = c->chains.count;
    ebm_sweeps sweeps = {.rule = EBM_HEAT_BATH,
                         .scan = EBM_SCAN_SYSTEMATIC,
                         .count = (size_t)c->options->sweeps,
                         .stream = ebm_stream_of(c->in->seed, EBM_PURPOSE_COMPLETION),
                         .first_chain = (uint32_t)(e * C),
                         .step = ebm_estimate_step(c->in)};
    for (size_t b = 0; b < C; b++) {
        memcpy(c->chains.x + b * V, x, V * sizeof *x);
        write_setting(
            c, ebm_random_below(sweeps.stream, sweeps.first_chain + (uint32_t)b, sweeps.step, 0, (uint32_t)c->settings),
            c->chains.x + b * V);
    }
    c->chains.field_ok = c->chains.hidden_ok = false;
    ebm_model_field(model, &c->chains, c->in->work);
    model->type->sample_hidden(model, ebm_path_end(), &c->chains, sweeps.stream, sweeps.first_chain, sweeps.step + 1,
                               c->in->work);
    sweeps.step += 2;
    EBM_TRY(model->type->joint_sweep(model, ebm_path_end(), &c->chains, c->fixed, &sweeps, c->in->work, error));
    *share = 0;
    for (size_t b = 0; b < C; b++)
        *share += read_setting(c, c->chains.x + b * V) == read_setting(c, x);
    *share /= (double)C;
    return EBM_OK;
}

static ebm_status complete_all(completion *c, size_t count, ebm_sink *sink, ebm_error *error) {
    const ebm_dataset *data = c->in->data;
    const double C = (double)c->chains.count;
    double accuracy = 0, loglik = 0, probability = 0, shares = 0, variance = 0;
    ebm_real *x = ebm_work_take(c->in->work, data->space.size, sizeof *x);
    if (!x)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for an example");
    for (size_t e = 0; e < count; e++) {
        double log_p = 0, share = 0;
        bool right = false;
        ebm_examples_fixed(data, &data->test, e, 1, x);
        EBM_TRY(exact_completion(c, x, &log_p, &right, error));
        EBM_TRY(gibbs_completion(c, x, e, &share, error));
        const double p = exp(log_p);
        accuracy += right;
        loglik += log_p;
        probability += p;
        shares += share;
        variance +=
            fmax(p * (1 - p), 1 / C) / C; /* of a share that is right; one count where p is 0 or 1 to rounding */
    }
    const double n = (double)count;
    EBM_TRY(sink->emit(sink, "completion_accuracy", accuracy / n, NAN, error));
    EBM_TRY(sink->emit(sink, "completion_loglik", loglik / n, NAN, error));
    EBM_TRY(sink->emit(sink, "completion_probability", probability / n, NAN, error));
    return sink->emit(sink, "completion_gibbs", shares / n, sqrt(variance) / n, error);
}

static ebm_status completion_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                      ebm_error *error) {
    const completion_options *o = options;
    const size_t V = in->model->space.size, M = (size_t)o->missing, mark = ebm_work_mark(in->work);
    const size_t count = ebm_limited(in->data->test.count, o->limits.test_examples);
    completion c = {.options = o, .in = in, .M = M, .settings = (size_t)1 << M};
    if (!ebm_space_equal(&in->model->space, &in->data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    if ((size_t)o->first >= V || M > V - (size_t)o->first)
        return ebm_fail(error, EBM_INVALID, "units %zu to %zu cannot be missing of %zu", (size_t)o->first,
                        (size_t)o->first + M - 1, V);
    if (count == 0)
        return EBM_OK;
    c.energy = ebm_work_take(in->work, c.settings, sizeof *c.energy);
    c.fixed = ebm_work_take(in->work, V, sizeof *c.fixed);
    ebm_status status = c.energy && c.fixed
                            ? ebm_batch_create(in->model, c.settings, &c.all, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu completions", c.settings);
    if (status == EBM_OK)
        status = ebm_batch_create(in->model, (size_t)o->chains, &c.chains, error);
    for (size_t i = 0; status == EBM_OK && i < V; i++)
        c.fixed[i] = i < (size_t)o->first || i >= (size_t)o->first + M;
    if (status == EBM_OK)
        status = complete_all(&c, count, sink, error);
    ebm_batch_free(&c.all);
    ebm_batch_free(&c.chains);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_completion = {
    .info = {"completion", "missing units given the others: exactly, and by Gibbs sampling with the others clamped",
             "Ackley, Hinton & Sejnowski 1985", completion_table, sizeof(completion_options)},
    .needs = EBM_SLOT_JOINT_SWEEP,
    .needs_data = true,
    .metrics = completion_metrics,
    .estimate = completion_estimate,
};
