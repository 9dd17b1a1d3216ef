/* Generation against sampler steps: chains start from uniform noise, and after t steps their states are set beside
 * examples. A machine that was trained with chains of k steps from noise generates best near k steps; one that was
 * trained in equilibrium keeps what it has reached (Nijkamp et al. 2019; Decelle, Furtlehner & Seoane 2021).
 *
 * The examples are independent draws of the data's distribution where that is known (a short list of its states, taken
 * as a sample, would lack the pairs of equal states and so shift the discrepancy), else the first of the test half.
 *
 *   mmd          squared maximum mean discrepancy to the examples, Gaussian kernel, one bandwidth for all t: the median
 *                distance between the examples themselves, or sqrt(units) where that is 0
 *   energy gap   mean energy per unit of the states less that of the examples
 *   tv           where everything can be enumerated: total variation between the law after t steps, u T^t with u
 *                uniform, and the data's own distribution; no sampling error
 *
 * The rows stand at step t. */
#include "estimators/estimators.h"

#include "ebm/diagnostics.h"
#include "ebm/enumerate.h"
#include "ebm/likelihood.h"

#include <math.h>
#include <string.h>

typedef struct generation_options {
    ebm_reals steps;
    int64_t samples, exact_states;
} generation_options;

#define AT(member) offsetof(generation_options, member)
static const ebm_option generation_table[] = {
    {"steps", EBM_OPTION_REALS, AT(steps), "[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]", 1, 1e9, NULL, 0,
     "sampler steps from noise at which the states are looked at, ascending whole numbers"},
    {"samples", EBM_OPTION_INT, AT(samples), "500", 2, 100000, NULL, 0,
     "chains, and examples that they are compared with: drawn from the data's distribution where it is known, else of "
     "the test half, where there is one"},
    {"exact_states", EBM_OPTION_INT, AT(exact_states), "1024", 0, EBM_MAX_CHAIN_STATES, NULL, 0,
     "the law itself is followed on spaces of at most so many states, where the data's distribution is known; 0: "
     "never"},
    EBM_OPTIONS_END,
};

static const ebm_metric generation_metrics[] = {
    {"generation_mmd", "", true,
     "squared kernel discrepancy of states from noise to examples; row step: sampler steps"},
    {"generation_energy_gap", "nats", true, "mean energy per unit of these states less that of the examples"},
    {"generation_tv", "", false, "exact total variation between the law after so many steps from noise and the data's"},
    {"equilibrium_tv", "", false, "exact total variation between the model's distribution and the data's"},
    EBM_METRICS_END,
};

static ebm_status check_steps(const ebm_reals *steps, ebm_error *error) {
    if (steps->count == 0)
        return ebm_fail(error, EBM_INVALID, "generation needs at least one number in `steps`");
    for (size_t k = 0; k < steps->count; k++)
        if (steps->values[k] != floor(steps->values[k]) || (k && steps->values[k] <= steps->values[k - 1]))
            return ebm_fail(error, EBM_INVALID, "`steps` of generation must be ascending whole numbers, not %g",
                            steps->values[k]);
    return EBM_OK;
}

/* The examples as doubles, and their energies per unit. */
typedef struct examples {
    size_t count, size;
    double *x;
    double bandwidth;
    ebm_mean_value energy;
} examples;

static void to_doubles(size_t count, const ebm_real *x, double *out) {
    for (size_t k = 0; k < count; k++)
        out[k] = (double)x[k];
}

static ebm_mean_value energy_per_unit(const ebm_model *model, ebm_batch *batch, double *scratch, ebm_work *work) {
    ebm_model_field(model, batch, work);
    model->type->energy(model, ebm_path_end(), batch, scratch, work);
    for (size_t b = 0; b < batch->count; b++)
        scratch[b] /= (double)model->space.size;
    return ebm_mean_of(scratch, batch->count);
}

/* x (count, V): independent draws of the support, by inversion. The chains of the curve are 0 ... count - 1; these are
 * the next ones, at the step of their starts. */
static void draw_support(const ebm_estimate_inputs *in, size_t count, ebm_real *x) {
    const ebm_dataset *data = in->data;
    const size_t V = data->space.size;
    const ebm_stream stream = ebm_stream_of(in->seed, EBM_PURPOSE_GENERATION);
    for (size_t b = 0; b < count; b++) {
        double left = ebm_random_uniform1(stream, (uint32_t)(count + b), ebm_estimate_step(in), 0);
        size_t k = 0;
        while (k + 1 < data->support_count && (left -= exp(data->support_log_probability[k])) >= 0)
            k++;
        memcpy(x + b * V, data->support + k * V, V * sizeof *x);
    }
}

/* The median distance between examples. */
static ebm_status find_bandwidth(const ebm_estimate_inputs *in, examples *e, ebm_error *error) {
    ebm_mmd self;
    const size_t first = e->count / 2;
    e->bandwidth = sqrt((double)e->size);
    if (e->count < 4)
        return EBM_OK;
    const ebm_status status =
        ebm_mmd_squared(e->x, first, e->x + first * e->size, e->count - first, e->size, 0, &self, in->work, error);
    if (status == EBM_OK)
        e->bandwidth = self.bandwidth;
    return status == EBM_INVALID ? EBM_OK : status; /* most examples are equal */
}

/* `batch` has room for the examples; `scratch` (count). */
static ebm_status look_at_examples(const ebm_estimate_inputs *in, ebm_batch *batch, double *scratch, examples *out,
                                   ebm_error *error) {
    const ebm_examples *half = in->data->test.count > 1 ? &in->data->test : &in->data->train;
    const size_t chains = batch->count;
    const bool known = in->data->support_count > 0;
    out->size = in->model->space.size;
    out->count = known || half->count >= chains ? chains : half->count;
    if (out->count < 2)
        return ebm_fail(error, EBM_INVALID, "generation needs at least two examples to compare with");
    out->x = ebm_work_take(in->work, out->count * out->size, sizeof *out->x);
    if (!out->x)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu examples", out->count);
    if (known)
        draw_support(in, out->count, batch->x);
    else
        ebm_examples_fixed(in->data, half, 0, out->count, batch->x);
    batch->count = out->count;
    batch->field_ok = batch->hidden_ok = false;
    out->energy = energy_per_unit(in->model, batch, scratch, in->work);
    to_doubles(out->count * out->size, batch->x, out->x);
    batch->count = chains;
    batch->field_ok = false;
    return find_bandwidth(in, out, error);
}

static ebm_status emit_states(const ebm_estimate_inputs *in, const examples *e, ebm_chains *chains, double *scratch,
                              double *states, ebm_sink *sink, ebm_error *error) {
    const size_t B = chains->batch.count;
    ebm_mmd mmd;
    to_doubles(B * e->size, chains->batch.x, states);
    EBM_TRY(ebm_mmd_squared(states, B, e->x, e->count, e->size, e->bandwidth, &mmd, in->work, error));
    EBM_TRY(sink->emit(sink, "generation_mmd", mmd.squared, mmd.se, error));
    const ebm_mean_value energy = energy_per_unit(in->model, &chains->batch, scratch, in->work);
    return sink->emit(sink, "generation_energy_gap", energy.mean - e->energy.mean, hypot(energy.se, e->energy.se),
                      error);
}

static ebm_status sampled_curve(const generation_options *o, const ebm_estimate_inputs *in, ebm_sink *sink,
                                ebm_error *error) {
    const size_t B = (size_t)o->samples, V = in->model->space.size, mark = ebm_work_mark(in->work);
    ebm_chains chains = {0};
    ebm_base noise = {0};
    examples e = {0};
    double *scratch = ebm_work_take(in->work, B, sizeof *scratch);
    double *states = ebm_work_take(in->work, B * V, sizeof *states);
    ebm_status status = scratch && states ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", B);
    if (status == EBM_OK)
        status = ebm_chains_create(in->model, B, ebm_stream_of(in->seed, EBM_PURPOSE_GENERATION), &chains, error);
    if (status == EBM_OK)
        status = look_at_examples(in, &chains.batch, scratch, &e, error);
    if (status == EBM_OK)
        status = ebm_base_fit(&in->model->space, NULL, 0, &noise, error);
    if (status == EBM_OK) {
        chains.step = ebm_estimate_step(in) + 1;
        ebm_base_sample(&noise, B, chains.stream, 0, chains.step - 1, chains.batch.x, in->work);
        chains.batch.field_ok = chains.batch.hidden_ok = false;
        status = ebm_sampler_attach(in->sampler, in->model, &chains, error);
    }
    size_t done = 0;
    for (size_t k = 0; k < o->steps.count && status == EBM_OK; k++) {
        const size_t t = (size_t)o->steps.values[k];
        status = in->sampler->type->step(in->sampler, in->model, in->path, &chains, t - done, in->work, error);
        done = t;
        sink->at(sink, t);
        if (status == EBM_OK)
            status = emit_states(in, &e, &chains, scratch, states, sink, error);
    }
    ebm_base_free(&noise);
    ebm_chains_free(&chains);
    ebm_work_release(in->work, mark);
    return status;
}

/* The data's distribution over all states. */
static void data_law(const ebm_dataset *data, size_t S, double *law) {
    memset(law, 0, S * sizeof *law);
    for (size_t k = 0; k < data->support_count; k++)
        law[ebm_states_code(&data->space, data->support + k * data->space.size)] +=
            exp(data->support_log_probability[k]);
}

static double total_variation(size_t S, const double *a, const double *b) {
    double sum = 0;
    for (size_t s = 0; s < S; s++)
        sum += fabs(a[s] - b[s]);
    return 0.5 * sum;
}

/* law <- law T */
static void advance(size_t S, const double *T, double *law, double *next) {
    memset(next, 0, S * sizeof *next);
    for (size_t i = 0; i < S; i++)
        for (size_t j = 0; j < S; j++)
            next[j] += law[i] * T[i * S + j];
    memcpy(law, next, S * sizeof *law);
}

static ebm_status exact_curve(const generation_options *o, const ebm_estimate_inputs *in, size_t S, ebm_sink *sink,
                              ebm_error *error) {
    const size_t mark = ebm_work_mark(in->work);
    double *T = ebm_work_take(in->work, S * S, sizeof *T), *law = ebm_work_take(in->work, S, sizeof *law);
    double *next = ebm_work_take(in->work, S, sizeof *next), *data = ebm_work_take(in->work, S, sizeof *data);
    ebm_status status =
        T && law && next && data ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", S);
    if (status == EBM_OK)
        status = in->sampler->type->kernel(in->sampler, in->model, in->path, S, T, in->work, error);
    if (status == EBM_UNSUPPORTED) { /* too many hidden units to enumerate */
        ebm_work_release(in->work, mark);
        return EBM_OK;
    }
    if (status == EBM_OK)
        status = ebm_model_log_probabilities(in->model, ebm_path_end(), law, NULL, in->work, error);
    if (status == EBM_OK) {
        data_law(in->data, S, data);
        for (size_t s = 0; s < S; s++)
            law[s] = exp(law[s]);
        status = sink->emit(sink, "equilibrium_tv", total_variation(S, law, data), NAN, error);
    }
    for (size_t s = 0; s < S && status == EBM_OK; s++)
        law[s] = 1.0 / (double)S;
    size_t done = 0;
    for (size_t k = 0; k < o->steps.count && status == EBM_OK; k++) {
        for (; done < (size_t)o->steps.values[k]; done++)
            advance(S, T, law, next);
        sink->at(sink, done);
        status = sink->emit(sink, "generation_tv", total_variation(S, law, data), NAN, error);
    }
    ebm_work_release(in->work, mark);
    return status;
}

static ebm_status generation_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                      ebm_error *error) {
    const generation_options *o = options;
    EBM_TRY(check_steps(&o->steps, error));
    if (!ebm_space_equal(&in->model->space, &in->data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    const size_t S = ebm_states_count(&in->model->space);
    if (S > 0 && S <= (size_t)o->exact_states && in->data->support_count > 0 && in->sampler->type->kernel &&
        !in->sampler->type->copies)
        EBM_TRY(exact_curve(o, in, S, sink, error));
    return sampled_curve(o, in, sink, error);
}

const ebm_estimator_type ebm_generation = {
    .info = {"generation", "states after so many sampler steps from noise, against examples",
             "Nijkamp et al. 2019; Decelle, Furtlehner & Seoane 2021", generation_table, sizeof(generation_options)},
    .needs_data = true,
    .needs_sampler = true,
    .metrics = generation_metrics,
    .estimate = generation_estimate,
};
