/* Exact likelihoods and divergences, where the model's normaliser can be summed.
 *
 *   log-likelihood of an example: -E(x) - log Z
 *   KL(data || model) = sum_x d(x) log d(x) / p(x), with the data's distribution d known
 *
 * Where the density d of the examples is known (dataset.h), kl_test is the mean of log d(x) / p(x) over the test half.
 *
 * Over a test set the mean log-likelihood is an estimate for new examples: its standard error is that over examples.
 * Over the training set it is the objective itself and carries none. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"

#include <math.h>

typedef struct exact_options {
    ebm_example_limits limits;
} exact_options;

static const ebm_option exact_table[] = {
    EBM_TRAIN_LIMIT(exact_options, limits, "0"),
    EBM_TEST_LIMIT(exact_options, limits, "0"),
    EBM_OPTIONS_END,
};

static const ebm_metric exact_metrics[] = {
    {"log_z", "nats", false, "log normaliser, exact"},
    {"loglik_train", "nats", false, "mean log-likelihood of training examples"},
    {"loglik_test", "nats", false, "mean log-likelihood of test examples; s.e. over examples"},
    {"kl_test", "nats", false,
     "mean over test examples of the log of their known density over the model's: KL(law || model), s.e. over "
     "examples"},
    EBM_METRICS_END,
};

/* excess (count) = log d(x) - log p(x) of the first test examples, from their energies. */
static void to_excess(const ebm_dataset *data, size_t count, double log_z, ebm_real *row, double *wide,
                      double *excess) {
    for (size_t b = 0; b < count; b++) {
        ebm_examples_fixed(data, &data->test, b, 1, row);
        for (size_t i = 0; i < data->space.size; i++)
            wide[i] = (double)row[i];
        excess[b] += data->log_density(data, wide) + log_z;
    }
}

static ebm_status emit_divergence(const ebm_estimate_inputs *in, size_t count, double log_z, ebm_sink *sink,
                                  ebm_error *error) {
    const size_t mark = ebm_work_mark(in->work), V = in->data->space.size;
    double *excess = ebm_work_take(in->work, count, sizeof *excess), *wide = ebm_work_take(in->work, V, sizeof *wide);
    ebm_real *row = ebm_work_take(in->work, V, sizeof *row);
    ebm_status status = excess && wide && row ? ebm_examples_energy(in->model, in->data, &in->data->test, 0, count,
                                                                    excess, in->work, error)
                                              : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu likelihoods", count);
    if (status == EBM_OK) {
        to_excess(in->data, count, log_z, row, wide, excess);
        const ebm_mean_value divergence = ebm_mean_of(excess, count);
        status = sink->emit(sink, "kl_test", divergence.mean, divergence.se, error);
    }
    ebm_work_release(in->work, mark);
    return status;
}

static ebm_status exact_estimate(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink,
                                 ebm_error *error) {
    const exact_options *o = options;
    const ebm_model *model = inputs->model;
    const ebm_dataset *data = inputs->data;
    double log_z;
    EBM_TRY(model->type->log_normaliser(model, ebm_path_end(), &log_z, inputs->work, error));
    EBM_TRY(sink->emit(sink, "log_z", log_z, NAN, error));
    if (data && data->train.count > 0) {
        ebm_mean_value energy;
        EBM_TRY(ebm_examples_mean_energy(model, data, &data->train, (size_t)o->limits.train_examples, &energy,
                                         inputs->work, error));
        EBM_TRY(sink->emit(sink, "loglik_train", -energy.mean - log_z, NAN, error));
    }
    if (data && data->test.count > 0) {
        ebm_mean_value energy;
        EBM_TRY(ebm_examples_mean_energy(model, data, &data->test, (size_t)o->limits.test_examples, &energy,
                                         inputs->work, error));
        EBM_TRY(sink->emit(sink, "loglik_test", -energy.mean - log_z, energy.se, error));
        if (data->log_density)
            EBM_TRY(emit_divergence(inputs, energy.count, log_z, sink, error));
    }
    return EBM_OK;
}

const ebm_estimator_type ebm_exact_loglik = {
    .info = {"exact-loglik", "log Z by enumeration, and the mean log-likelihood of both halves of the data",
             "Salakhutdinov & Murray 2008, section 5.1", exact_table, sizeof(exact_options)},
    .needs = EBM_SLOT_LOG_NORMALISER,
    .needs_data = false,
    .metrics = exact_metrics,
    .estimate = exact_estimate,
};

static const ebm_option kl_table[] = {EBM_OPTIONS_END};

static const ebm_metric kl_metrics[] = {
    {"kl", "nats", false, "KL(data || model), exact"},
    {"total_variation", "", false, "half the sum of |d(x) - p(x)| over all states, exact"},
    EBM_METRICS_END,
};

static ebm_status kl_estimate(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink,
                              ebm_error *error) {
    double log_z, kl, total_variation;
    (void)options;
    EBM_TRY(inputs->model->type->log_normaliser(inputs->model, ebm_path_end(), &log_z, inputs->work, error));
    EBM_TRY(ebm_support_divergence(inputs->model, inputs->data, log_z, &kl, &total_variation, inputs->work, error));
    EBM_TRY(sink->emit(sink, "kl", kl, NAN, error));
    return sink->emit(sink, "total_variation", total_variation, NAN, error);
}

const ebm_estimator_type ebm_kl = {
    .info = {"kl", "divergence of the model from a data set whose distribution is known", "Kullback & Leibler 1951",
             kl_table, 0},
    .needs = EBM_SLOT_LOG_NORMALISER,
    .needs_data = true,
    .metrics = kl_metrics,
    .estimate = kl_estimate,
};
