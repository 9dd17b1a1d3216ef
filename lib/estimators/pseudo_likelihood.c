/* Pseudo-likelihood (J. Besag, "Statistical analysis of non-lattice data", 1975):
 *
 *   log PL(x) = sum_i log p(x_i | x_1 ... x_{i-1}, x_{i+1} ... x_V)
 *
 * Over all sites where there are few; beyond that one site an example, uniformly random, times V: unbiased, and the
 * standard error over examples holds the choice of sites. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"
#include "ebm/special.h"

#include <math.h>

typedef struct pl_options {
    int64_t exact_sites;
    ebm_example_limits limits;
} pl_options;

static const ebm_option pl_table[] = {
    {"exact_sites", EBM_OPTION_INT, EBM_OFFSET(pl_options, exact_sites), "64", 0, 4294967295.0, NULL, 0,
     "models of up to so many units are summed over all sites, larger ones use one random site an example"},
    EBM_TRAIN_LIMIT(pl_options, limits, "10000"),
    EBM_TEST_LIMIT(pl_options, limits, "0"),
    EBM_OPTIONS_END,
};

static const ebm_metric pl_metrics[] = {
    {"pseudo_loglik_train", "nats", true, "mean log pseudo-likelihood of training examples; s.e. over examples"},
    {"pseudo_loglik_test", "nats", true, "mean log pseudo-likelihood of test examples; s.e. over examples"},
    EBM_METRICS_END,
};

/* log p(value | rest) from what the slot `site` gives for one row. */
static double log_conditional(const ebm_space *space, double value, const ebm_real *logit) {
    if (space->domain != EBM_CATEGORICAL)
        return value > 0 ? -ebm_log1pexp(-(double)logit[0]) : -ebm_log1pexp((double)logit[0]);
    double total = (double)logit[0];
    for (size_t k = 1; k < space->categories; k++)
        total = ebm_logaddexp(total, (double)logit[k]);
    return (double)logit[(size_t)value] - total;
}

/* The q numbers that `site` writes for each row. */
static size_t logits_per_row(const ebm_space *space) {
    return space->domain == EBM_CATEGORICAL ? space->categories : 1;
}

static void all_sites(const ebm_model *model, const ebm_batch *batch, uint32_t *units, ebm_real *logit, double *out,
                      ebm_work *work) {
    const size_t V = model->space.size, q = logits_per_row(&model->space);
    for (size_t b = 0; b < batch->count; b++)
        out[b] = 0;
    for (size_t i = 0; i < V; i++) {
        for (size_t b = 0; b < batch->count; b++)
            units[b] = (uint32_t)i;
        model->type->site(model, ebm_path_end(), batch, units, logit, work);
        for (size_t b = 0; b < batch->count; b++)
            out[b] += log_conditional(&model->space, (double)batch->x[b * V + i], logit + b * q);
    }
}

/* One site an example. */
static void random_sites(const ebm_model *model, const ebm_batch *batch, ebm_stream stream, uint32_t first,
                         uint64_t step, uint32_t *units, ebm_real *logit, double *out, ebm_work *work) {
    const size_t V = model->space.size, q = logits_per_row(&model->space);
    for (size_t b = 0; b < batch->count; b++)
        units[b] = ebm_random_below(stream, first + (uint32_t)b, step, 0, (uint32_t)V);
    model->type->site(model, ebm_path_end(), batch, units, logit, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] = (double)V * log_conditional(&model->space, (double)batch->x[b * V + units[b]], logit + b * q);
}

static ebm_status half_values(const pl_options *o, const ebm_estimate_inputs *in, const ebm_examples *half,
                              size_t count, uint64_t step, double *out, ebm_error *error) {
    const ebm_model *model = in->model;
    const size_t rows = ebm_block_rows(model, count), mark = ebm_work_mark(in->work);
    const ebm_stream stream = ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE);
    ebm_batch batch;
    EBM_TRY(ebm_batch_create(model, rows, &batch, error));
    ebm_real *logit = ebm_work_take(in->work, rows * logits_per_row(&model->space), sizeof *logit);
    uint32_t *units = ebm_work_take(in->work, rows, sizeof *units);
    ebm_status status =
        logit && units ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu conditionals", rows);
    for (size_t first = 0; first < count && status == EBM_OK; first += rows) {
        batch.count = count - first < rows ? count - first : rows;
        ebm_examples_fixed(in->data, half, first, batch.count, batch.x);
        batch.field_ok = batch.hidden_ok = false;
        ebm_model_field(model, &batch, in->work);
        if (model->space.size <= (size_t)o->exact_sites)
            all_sites(model, &batch, units, logit, out + first, in->work);
        else
            random_sites(model, &batch, stream, (uint32_t)first, step, units, logit, out + first, in->work);
        for (size_t e = first; e < first + batch.count && status == EBM_OK; e++)
            if (!isfinite(out[e]))
                status = ebm_fail(error, EBM_DIVERGED, "the pseudo-likelihood of example %zu is %g", e, out[e]);
    }
    ebm_work_release(in->work, mark);
    ebm_batch_free(&batch);
    return status;
}

static ebm_status emit_half(const pl_options *o, const ebm_estimate_inputs *in, const ebm_examples *half, int64_t limit,
                            uint64_t step, const char *metric, ebm_sink *sink, ebm_error *error) {
    const size_t count = ebm_limited(half->count, limit), mark = ebm_work_mark(in->work);
    if (count == 0)
        return EBM_OK;
    double *values = ebm_work_take(in->work, count, sizeof *values);
    if (values == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu pseudo-likelihoods", count);
    ebm_status status = half_values(o, in, half, count, step, values, error);
    const ebm_mean_value mean = ebm_mean_of(values, status == EBM_OK ? count : 0);
    ebm_work_release(in->work, mark);
    return status == EBM_OK ? sink->emit(sink, metric, mean.mean, mean.se, error) : status;
}

static ebm_status pl_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    const pl_options *o = options;
    if (in->model->space.domain == EBM_REAL_LINE)
        return ebm_fail(error, EBM_UNSUPPORTED, "pseudo-likelihood needs discrete units");
    if (!ebm_space_equal(&in->model->space, &in->data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    const uint64_t step = ebm_estimate_step(in);
    EBM_TRY(emit_half(o, in, &in->data->train, o->limits.train_examples, step, "pseudo_loglik_train", sink, error));
    return emit_half(o, in, &in->data->test, o->limits.test_examples, step + 1, "pseudo_loglik_test", sink, error);
}

const ebm_estimator_type ebm_pseudo_likelihood = {
    .info = {"pseudo-likelihood", "sum of the log conditionals of every unit given all others", "Besag 1975", pl_table,
             sizeof(pl_options)},
    .needs = EBM_SLOT_SITE,
    .needs_data = true,
    .metrics = pl_metrics,
    .estimate = pl_estimate,
};
