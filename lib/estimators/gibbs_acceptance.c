/* Gibbs sampling is Metropolis-Hastings that never rejects: a proposal x' differs from x in unit i alone, drawn from
 * q(x' | x) = p(x'_i | rest), and
 *
 *   alpha = p(x') q(x | x') / (p(x) q(x' | x)) = 1      for every state, unit and value.
 *
 * acceptance_error is the largest |alpha - 1| with conditionals summed from the list of all probabilities, in double;
 * conditional_error the largest distance between those conditionals and what the model's own slot `site` says, which is
 * in ebm_real. Models of real units get no rows. */
#include "estimators/estimators.h"

#include "ebm/enumerate.h"
#include "ebm/likelihood.h"
#include "ebm/special.h"

#include <float.h>
#include <math.h>

typedef struct acceptance_options {
    int64_t limit;
} acceptance_options;

static const ebm_option acceptance_table[] = {
    {"limit", EBM_OPTION_INT, EBM_OFFSET(acceptance_options, limit), "65536", 1, EBM_MAX_STATES, NULL, 0,
     "most states that are listed"},
    EBM_OPTIONS_END,
};

static const ebm_metric acceptance_metrics[] = {
    {"acceptance_error", "", false, "largest |alpha - 1| of Gibbs updates as proposals, over states, units and values"},
    {"conditional_error", "", true, "largest error of the model's conditional probabilities: rounding of ebm_real"},
    EBM_METRICS_END,
};

typedef struct listing {
    const ebm_estimate_inputs *in;
    size_t states, values; /* values of a unit */
    double *log_p;         /* (states) */
    ebm_batch batch;
    uint32_t *units;               /* (batch rows) */
    ebm_real *logit;               /* (batch rows, values) */
    double *weight, *given, *back; /* (values) each: see condition; back: of the state proposed */
    double acceptance, conditional;
} listing;

/* What is not a number is the largest error of all. */
static void raise_to(double *largest, double value) {
    *largest = value <= *largest || isnan(*largest) ? *largest : value;
}

/* Of the states that agree with `code` but for the digit of weight `step`: weight[v], their probabilities over the
 * largest of them, and given[v] = p(x_i = v | rest). */
static void condition(const listing *l, size_t code, size_t step, double *weight, double *given) {
    const size_t q = l->values, base = code - code / step % q * step;
    double highest = -INFINITY, total = 0;
    for (size_t v = 0; v < q; v++)
        highest = fmax(highest, l->log_p[base + v * step]);
    for (size_t v = 0; v < q; v++)
        total += weight[v] = exp(l->log_p[base + v * step] - highest);
    for (size_t v = 0; v < q; v++)
        given[v] = weight[v] / total;
}

/* alpha of each value proposed, conditioned both ways from where the move starts. What has a probability below the
 * normal numbers, 2e-308, is never seen. */
static void check_acceptance(listing *l, size_t code, size_t step) {
    const size_t q = l->values, from = code / step % q;
    condition(l, code, step, l->weight, l->given);
    for (size_t to = 0; to < q; to++) {
        if (l->given[to] < DBL_MIN || l->given[from] < DBL_MIN)
            continue;
        condition(l, code - from * step + to * step, step, l->weight, l->back);
        const double alpha = l->weight[to] / l->given[to] * (l->back[from] / l->weight[from]);
        raise_to(&l->acceptance, fabs(alpha - 1));
    }
}

/* p(x_i = v | rest) from the model's logits. */
static double model_conditional(const listing *l, const ebm_real *logit, size_t v) {
    if (l->in->model->space.domain != EBM_CATEGORICAL)
        return ebm_sigmoid(v == 1 ? (double)logit[0] : -(double)logit[0]);
    double highest = (double)logit[0], total = 0;
    for (size_t k = 1; k < l->values; k++)
        highest = fmax(highest, (double)logit[k]);
    for (size_t k = 0; k < l->values; k++)
        total += exp((double)logit[k] - highest);
    return exp((double)logit[v] - highest) / total;
}

static void check_block(listing *l, size_t first, size_t unit, size_t step) {
    const ebm_estimate_inputs *in = l->in;
    const size_t q = l->values, width = in->model->space.domain == EBM_CATEGORICAL ? q : 1;
    for (size_t b = 0; b < l->batch.count; b++)
        l->units[b] = (uint32_t)unit;
    in->model->type->site(in->model, in->path, &l->batch, l->units, l->logit, in->work);
    for (size_t b = 0; b < l->batch.count; b++) {
        check_acceptance(l, first + b, step);
        for (size_t v = 0; v < q; v++)
            raise_to(&l->conditional, fabs(model_conditional(l, l->logit + b * width, v) - l->given[v]));
    }
}

static ebm_status check_all(listing *l, ebm_error *error) {
    const ebm_model *model = l->in->model;
    ebm_work *work = l->in->work;
    const size_t q = l->values, rows = ebm_block_rows(model, l->states);
    l->log_p = ebm_work_take(work, l->states, sizeof *l->log_p);
    l->weight = ebm_work_take(work, q, sizeof *l->weight);
    l->given = ebm_work_take(work, q, sizeof *l->given);
    l->back = ebm_work_take(work, q, sizeof *l->back);
    l->units = ebm_work_take(work, rows, sizeof *l->units);
    l->logit = ebm_work_take(work, rows * q, sizeof *l->logit);
    if (!l->log_p || !l->weight || !l->given || !l->back || !l->units || !l->logit)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", l->states);
    EBM_TRY(ebm_model_log_probabilities(model, l->in->path, l->log_p, NULL, work, error));
    EBM_TRY(ebm_batch_create(model, rows, &l->batch, error));
    for (size_t first = 0; first < l->states; first += rows) {
        l->batch.count = l->states - first < rows ? l->states - first : rows;
        ebm_states_fill(&model->space, first, l->batch.count, l->batch.x);
        l->batch.field_ok = l->batch.hidden_ok = false;
        ebm_model_field(model, &l->batch, work);
        for (size_t unit = 0, step = 1; unit < model->space.size; unit++, step *= q)
            check_block(l, first, unit, step);
    }
    ebm_batch_free(&l->batch);
    return EBM_OK;
}

static ebm_status acceptance_estimate(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink,
                                      ebm_error *error) {
    const acceptance_options *o = options;
    const ebm_space *space = &inputs->model->space;
    const size_t mark = ebm_work_mark(inputs->work);
    listing l = {.in = inputs, .states = ebm_states_count(space), .values = space->categories};
    if (inputs->model->type->site == NULL && inputs->model->type->sample_site != NULL)
        return EBM_OK; /* real units: no states to list; what shows their conditionals right is moments */
    if (inputs->model->type->site == NULL)
        return ebm_fail(error, EBM_UNSUPPORTED, "model %s has no conditionals of single units",
                        inputs->model->type->info.name);
    if (l.states == 0 || l.states > (size_t)o->limit)
        return ebm_fail(error, EBM_UNSUPPORTED, "%zu %s units have too many states to list: the limit is %lld",
                        space->size, ebm_domain_name(space->domain), (long long)o->limit);
    ebm_status status = check_all(&l, error);
    ebm_work_release(inputs->work, mark);
    EBM_TRY(status);
    EBM_TRY(sink->emit(sink, "acceptance_error", l.acceptance, NAN, error));
    return sink->emit(sink, "conditional_error", l.conditional, NAN, error);
}

const ebm_estimator_type ebm_gibbs_acceptance = {
    .info = {"gibbs-acceptance", "Gibbs updates as Metropolis-Hastings proposals: that none would be rejected",
             "Geman & Geman 1984; Hastings 1970", acceptance_table, sizeof(acceptance_options)},
    .metrics = acceptance_metrics,
    .estimate = acceptance_estimate,
};
