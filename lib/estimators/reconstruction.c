/* Reconstruction error: how far an example is from its mean after one pass through the hidden units,
 *
 *   h ~ p(h | x),  m = E[x | h]:   1/V sum_i (x_i - m_i)^2   and, for 0/1 and -1/+1 units, -sum_i log P(x_i | h).
 *
 * Cheap to watch and a poor judge: it falls with better models and with worse mixing alike (G. Hinton, "A practical
 * guide to training restricted Boltzmann machines", 2010, section 5). */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"

#include <float.h>
#include <math.h>

typedef struct reconstruction_options {
    ebm_example_limits limits;
} reconstruction_options;

static const ebm_option reconstruction_table[] = {
    EBM_TRAIN_LIMIT(reconstruction_options, limits, "10000"),
    EBM_TEST_LIMIT(reconstruction_options, limits, "0"),
    EBM_OPTIONS_END,
};

static const ebm_metric reconstruction_metrics[] = {
    {"reconstruction_mse_train", "", true, "mean over units and training examples of (x - E[x | h])^2"},
    {"reconstruction_nats_train", "nats", true, "mean over training examples of -log P(x | h)"},
    {"reconstruction_mse_test", "", true, "mean over units and test examples of (x - E[x | h])^2"},
    {"reconstruction_nats_test", "nats", true, "mean over test examples of -log P(x | h)"},
    EBM_METRICS_END,
};

/* -log P(x) of a unit whose mean is m. A mean that has rounded to 0 or 1 is moved to the nearest number that has not:
 * the loss of a unit is at most about -log of the rounding unit. */
static double unit_loss(ebm_domain domain, double x, double m) {
    const double unit = sizeof(ebm_real) == sizeof(float) ? FLT_EPSILON / 2 : DBL_EPSILON / 2;
    const double up = domain == EBM_SPIN ? (1 + m) / 2 : m;
    return -log(fmax(x > 0 ? up : 1 - up, unit));
}

typedef struct half_errors {
    double *square, *loss; /* one for each example */
} half_errors;

static ebm_status half_values(const ebm_estimate_inputs *in, const ebm_examples *half, size_t count, uint64_t step,
                              half_errors out, ebm_error *error) {
    const ebm_model *model = in->model;
    const size_t V = model->space.size, rows = ebm_block_rows(model, count), mark = ebm_work_mark(in->work);
    const ebm_stream stream = ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE);
    ebm_batch batch;
    EBM_TRY(ebm_batch_create(model, rows, &batch, error));
    ebm_real *mean = ebm_work_take(in->work, rows * V, sizeof *mean);
    ebm_status status = mean ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu reconstructions", rows);
    for (size_t first = 0; first < count && status == EBM_OK; first += rows) {
        batch.count = count - first < rows ? count - first : rows;
        ebm_examples_fixed(in->data, half, first, batch.count, batch.x);
        batch.field_ok = batch.hidden_ok = false;
        ebm_model_field(model, &batch, in->work);
        model->type->sample_hidden(model, ebm_path_end(), &batch, stream, (uint32_t)first, step, in->work);
        model->type->visible_means(model, &batch, mean, in->work);
        for (size_t b = 0; b < batch.count && status == EBM_OK; b++) {
            double square = 0, loss = 0;
            for (size_t i = b * V; i < (b + 1) * V; i++) {
                const double x = (double)batch.x[i], m = (double)mean[i];
                square += (x - m) * (x - m);
                loss += model->space.domain == EBM_REAL_LINE ? 0 : unit_loss(model->space.domain, x, m);
            }
            out.square[first + b] = square / (double)V;
            out.loss[first + b] = loss;
            if (!isfinite(square))
                status = ebm_fail(error, EBM_DIVERGED, "the reconstruction of example %zu is not finite", first + b);
        }
    }
    ebm_work_release(in->work, mark);
    ebm_batch_free(&batch);
    return status;
}

static ebm_status emit_half(const ebm_estimate_inputs *in, const ebm_examples *half, int64_t limit, uint64_t step,
                            const char *mse, const char *nats, ebm_sink *sink, ebm_error *error) {
    const size_t count = ebm_limited(half->count, limit), mark = ebm_work_mark(in->work);
    if (count == 0)
        return EBM_OK;
    const half_errors errors = {ebm_work_take(in->work, count, sizeof(double)),
                                ebm_work_take(in->work, count, sizeof(double))};
    if (errors.square == NULL || errors.loss == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu reconstruction errors", count);
    ebm_status status = half_values(in, half, count, step, errors, error);
    const size_t known = status == EBM_OK ? count : 0;
    const ebm_mean_value square = ebm_mean_of(errors.square, known), loss = ebm_mean_of(errors.loss, known);
    ebm_work_release(in->work, mark);
    EBM_TRY(status);
    EBM_TRY(sink->emit(sink, mse, square.mean, square.se, error));
    return in->model->space.domain == EBM_REAL_LINE ? EBM_OK : sink->emit(sink, nats, loss.mean, loss.se, error);
}

static ebm_status reconstruction_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                          ebm_error *error) {
    const reconstruction_options *o = options;
    const ebm_dataset *data = in->data;
    if (in->model->type->visible_means == NULL || in->model->space.domain == EBM_CATEGORICAL)
        return ebm_fail(error, EBM_UNSUPPORTED, "reconstruction error needs the mean of x given h, model %s has none",
                        in->model->type->info.name);
    if (!ebm_space_equal(&in->model->space, &data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    const uint64_t step = ebm_estimate_step(in) + 2; /* pseudo-likelihood has the first two */
    EBM_TRY(emit_half(in, &data->train, o->limits.train_examples, step, "reconstruction_mse_train",
                      "reconstruction_nats_train", sink, error));
    return emit_half(in, &data->test, o->limits.test_examples, step + 1, "reconstruction_mse_test",
                     "reconstruction_nats_test", sink, error);
}

const ebm_estimator_type ebm_reconstruction_error = {
    .info = {"reconstruction-error", "distance of examples from their mean after one pass through the hidden units",
             "Hinton 2010, section 5", reconstruction_table, sizeof(reconstruction_options)},
    .needs = EBM_SLOT_BLOCK | EBM_SLOT_HIDDEN_MEANS,
    .needs_data = true,
    .metrics = reconstruction_metrics,
    .estimate = reconstruction_estimate,
};
