/* The negative phase that starts from noise: how far its expectation is from the exact one, and how far single estimates
 * scatter around it.
 *
 *   bias(t) = | E_(u K^t)[dE/dtheta] - E_p[dE/dtheta] |,   u uniform, K the sampler's matrix: no sampling error
 * in the couplings themselves where the model keeps them twice. Beside it the same thing by sampling: `repeats` estimates
 * of `chains` chains each, which after t steps must agree with the expectation under u K^t, and from exact draws with
 * E_p; what is given is the largest |z| over the components, with the standard error over repeats. */
#include "estimators/estimators.h"

#include "ebm/diagnostics.h"
#include "ebm/enumerate.h"

#include <math.h>
#include <string.h>

typedef struct bias_options {
    ebm_reals steps;
    int64_t chains, repeats, limit;
} bias_options;

#define AT(member) EBM_OFFSET(bias_options, member)
static const ebm_option bias_table[] = {
    {"steps", EBM_OPTION_REALS, AT(steps), "[1, 2, 3, 5, 10, 20, 30, 50, 100]", 1, 1e5, NULL, 0,
     "sampler steps from noise, ascending whole numbers; the row's step is that number"},
    {"chains", EBM_OPTION_INT, AT(chains), "100", 1, 1e6, NULL, 0, "chains of one estimate"},
    {"repeats", EBM_OPTION_INT, AT(repeats), "100", 0, 1e6, NULL, 0, "estimates; 0: the exact bias alone"},
    {"limit", EBM_OPTION_INT, AT(limit), "1024", 2, EBM_MAX_CHAIN_STATES, NULL, 0, "most states"},
    EBM_OPTIONS_END,
};

static const ebm_metric bias_metrics[] = {
    {"gradient_bias", "", false, "norm of the bias of the negative phase after so many steps from noise"},
    {"noise_start_tv", "", false, "total variation between the law after so many steps from noise and the model's"},
    {"gradient_spread", "", true,
     "root mean square distance of one estimate from the mean of all, after so many steps"},
    {"noise_start_z", "", true, "largest |z| of the mean estimate against its expectation after so many steps"},
    {"exact_draw_z", "", true, "the same of exact draws against the exact gradient"},
    EBM_METRICS_END,
};

typedef struct bias {
    const ebm_estimate_inputs *in;
    const bias_options *options;
    size_t states, terms;
    double *kernel, *law, *next, *p;
    ebm_batch all;           /* every state */
    ebm_real *weight, *part; /* (S), (n_theta) */
    double *expected;        /* (n_theta): the bias, of which the sampled means are told from E_p */
    double *mean, *square;   /* (n_theta) over repeats, of differences from E_p */
} bias;

static void natural(const bias *b, ebm_real *gradient) {
    ebm_model *model = (ebm_model *)(uintptr_t)b->in->model; /* theta stays as it is */
    if (model->type->linear && model->type->precondition)
        model->type->precondition(model, gradient, b->in->work);
}

/* expected = sum_s (law_s - p_s) dE(s)/dtheta: formed on the difference, so that it stays accurate as it vanishes. */
static double exact_bias(bias *b, double *tv) {
    const ebm_model *model = b->in->model;
    double norm = 0;
    *tv = 0;
    for (size_t s = 0; s < b->states; s++) {
        b->weight[s] = (ebm_real)(b->law[s] - b->p[s]);
        *tv += 0.5 * fabs(b->law[s] - b->p[s]);
    }
    memset(b->part, 0, model->n_theta * sizeof *b->part);
    model->type->grad_theta(model, &b->all, b->weight, 1.0, b->part, b->in->work);
    natural(b, b->part);
    for (size_t k = 0; k < b->terms; k++) {
        b->expected[k] = (double)b->part[k];
        norm += b->expected[k] * b->expected[k];
    }
    return sqrt(norm);
}

static void step(bias *b) {
    const size_t S = b->states;
    memset(b->next, 0, S * sizeof *b->next);
    for (size_t i = 0; i < S; i++)
        for (size_t j = 0; j < S; j++)
            b->next[j] += b->law[i] * b->kernel[i * S + j];
    double *law = b->law;
    b->law = b->next;
    b->next = law;
}

/* Estimates from the rows of `states`, `chains` at a time, against E_p + expected: largest |z|, and the spread. */
static void compare(bias *b, const double *exact, const ebm_batch *states, double *z, double *spread) {
    const ebm_model *model = b->in->model;
    const size_t M = (size_t)b->options->chains, R = (size_t)b->options->repeats, V = model->space.size;
    memset(b->mean, 0, b->terms * sizeof *b->mean);
    memset(b->square, 0, b->terms * sizeof *b->square);
    for (size_t r = 0; r < R; r++) {
        ebm_batch one = *states;
        one.count = M;
        one.x = states->x + r * M * V;
        one.field = model->n_field ? states->field + r * M * model->n_field : NULL;
        one.field_ok = false;
        ebm_model_field(model, &one, b->in->work);
        memset(b->part, 0, model->n_theta * sizeof *b->part);
        model->type->grad_theta(model, &one, NULL, 1 / (double)M, b->part, b->in->work);
        natural(b, b->part);
        for (size_t k = 0; k < b->terms; k++) {
            const double off = (double)b->part[k] - exact[k] - b->expected[k];
            b->mean[k] += off / (double)R;
            b->square[k] += off * off / (double)R;
        }
    }
    *z = *spread = 0;
    for (size_t k = 0; k < b->terms; k++) {
        const double variance = b->square[k] - b->mean[k] * b->mean[k];
        *spread += variance;
        if (variance > 1e-14) /* a component that never changes: the diagonal of W */
            *z = fmax(*z, fabs(b->mean[k]) / sqrt(variance / (double)(R - 1)));
    }
    *spread = sqrt(*spread);
}

static ebm_status check_steps(const ebm_reals *steps, ebm_error *error) {
    for (size_t k = 0; k < steps->count; k++)
        if (steps->values[k] != floor(steps->values[k]) || (k && steps->values[k] <= steps->values[k - 1]))
            return ebm_fail(error, EBM_INVALID, "`steps` of gradient-bias must be ascending whole numbers, not %g",
                            steps->values[k]);
    return EBM_OK;
}

static ebm_status create(bias *b, ebm_error *error) {
    const ebm_estimate_inputs *in = b->in;
    const ebm_sampler *sampler = in->sampler;
    const size_t S = b->states = ebm_states_count(&in->model->space), N = b->terms = in->model->n_theta;
    if (!sampler->type->kernel || (sampler->type->copies && sampler->type->copies(sampler) > 1))
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s does not know its transition matrix on single states",
                        sampler->type->info.name);
    if (S == 0 || S > (size_t)b->options->limit)
        return ebm_fail(error, EBM_UNSUPPORTED, "%zu %s units have too many states for a matrix: the limit is %lld",
                        in->model->space.size, ebm_domain_name(in->model->space.domain), (long long)b->options->limit);
    b->kernel = ebm_work_take(in->work, S * S, sizeof *b->kernel);
    double *laws = ebm_work_take(in->work, 3 * S, sizeof *laws);
    double *sums = ebm_work_take(in->work, 3 * N, sizeof *sums);
    b->weight = ebm_work_take(in->work, S, sizeof *b->weight);
    b->part = ebm_work_take(in->work, N, sizeof *b->part);
    if (!b->kernel || !laws || !sums || !b->weight || !b->part)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a matrix of %zu states", S);
    b->law = laws;
    b->next = laws + S;
    b->p = laws + 2 * S;
    b->expected = sums;
    b->mean = sums + N;
    b->square = sums + 2 * N;
    EBM_TRY(ebm_model_log_probabilities(in->model, ebm_path_end(), b->p, NULL, in->work, error));
    for (size_t s = 0; s < S; s++) {
        b->p[s] = exp(b->p[s]);
        b->law[s] = 1 / (double)S;
    }
    EBM_TRY(sampler->type->kernel(sampler, in->model, ebm_path_end(), S, b->kernel, in->work, error));
    EBM_TRY(ebm_batch_create(in->model, S, &b->all, error));
    ebm_states_fill(&in->model->space, 0, S, b->all.x);
    ebm_model_field(in->model, &b->all, in->work);
    return EBM_OK;
}

/* exact (n_theta) = E_p[dE/dtheta] */
static ebm_status exact_draws(bias *b, double *exact, ebm_chains *chains, ebm_sink *sink, ebm_error *error) {
    const ebm_model *model = b->in->model;
    double z, spread;
    memset(b->part, 0, b->terms * sizeof *b->part);
    EBM_TRY(model->type->expected_grad_theta(model, 1.0, b->part, NULL, b->in->work, error));
    natural(b, b->part);
    for (size_t k = 0; k < b->terms; k++) {
        exact[k] = (double)b->part[k];
        b->expected[k] = 0;
    }
    if (b->options->repeats < 2 || !model->type->sample_exact)
        return EBM_OK;
    EBM_TRY(model->type->sample_exact(model, ebm_path_end(), &chains->batch, chains->stream, 0,
                                      ebm_estimate_step(b->in), b->in->work, error));
    compare(b, exact, &chains->batch, &z, &spread);
    return sink->emit(sink, "exact_draw_z", z, NAN, error);
}

static ebm_status start_noise(const bias *b, ebm_chains *chains, ebm_error *error) {
    const ebm_estimate_inputs *in = b->in;
    ebm_base uniform;
    EBM_TRY(ebm_base_fit(&in->model->space, NULL, 0, &uniform, error));
    chains->step = ebm_estimate_step(in) + 2; /* exact draws have used two */
    ebm_base_sample(&uniform, chains->batch.count, chains->stream, 0, chains->step++, chains->batch.x, in->work);
    ebm_base_free(&uniform);
    chains->batch.field_ok = chains->batch.hidden_ok = false;
    return ebm_sampler_attach(in->sampler, in->model, chains, error);
}

static ebm_status follow(bias *b, const double *exact, ebm_chains *chains, ebm_sink *sink, ebm_error *error) {
    const ebm_estimate_inputs *in = b->in;
    const ebm_reals *steps = &b->options->steps;
    size_t done = 0;
    for (size_t k = 0; k < steps->count; k++) {
        const size_t t = (size_t)steps->values[k];
        double tv, z, spread;
        for (size_t s = done; s < t; s++)
            step(b);
        const double norm = exact_bias(b, &tv);
        sink->at(sink, t);
        EBM_TRY(sink->emit(sink, "gradient_bias", norm, NAN, error));
        EBM_TRY(sink->emit(sink, "noise_start_tv", tv, NAN, error));
        if (b->options->repeats >= 2) {
            EBM_TRY(in->sampler->type->step(in->sampler, in->model, ebm_path_end(), chains, t - done, in->work, error));
            compare(b, exact, &chains->batch, &z, &spread);
            EBM_TRY(sink->emit(sink, "gradient_spread", spread, NAN, error));
            EBM_TRY(sink->emit(sink, "noise_start_z", z, NAN, error));
        }
        done = t;
    }
    sink->at(sink, in->step);
    return EBM_OK;
}

static ebm_status bias_estimate(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink,
                                ebm_error *error) {
    const bias_options *o = options;
    const size_t mark = ebm_work_mark(inputs->work), R = o->repeats > 0 ? (size_t)o->repeats : 1;
    bias b = {.in = inputs, .options = o};
    ebm_chains chains = {0};
    EBM_TRY(check_steps(&o->steps, error));
    ebm_status status = create(&b, error);
    double *exact = ebm_work_take(inputs->work, inputs->model->n_theta, sizeof *exact);
    if (status == EBM_OK && !exact)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu parameters", inputs->model->n_theta);
    if (status == EBM_OK)
        status = ebm_chains_create(inputs->model, R * (size_t)o->chains,
                                   ebm_stream_of(inputs->seed, EBM_PURPOSE_ESTIMATE), &chains, error);
    if (status == EBM_OK)
        status = exact_draws(&b, exact, &chains, sink, error);
    if (status == EBM_OK)
        status = start_noise(&b, &chains, error);
    if (status == EBM_OK)
        status = follow(&b, exact, &chains, sink, error);
    ebm_chains_free(&chains);
    ebm_batch_free(&b.all);
    ebm_work_release(inputs->work, mark);
    return status;
}

const ebm_estimator_type ebm_gradient_bias = {
    .info = {"gradient-bias", "bias of the negative phase after t steps from noise, by enumeration and by sampling",
             "Ackley, Hinton & Sejnowski 1985", bias_table, sizeof(bias_options)},
    .needs = EBM_SLOT_LOG_NORMALISER,
    .needs_sampler = true,
    .metrics = bias_metrics,
    .estimate = bias_estimate,
};
