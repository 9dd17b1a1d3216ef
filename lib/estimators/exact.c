/* Exact likelihoods and divergences, where the model's normaliser can be summed.
 *
 *   log-likelihood of an example: -E(x) - log Z
 *   KL(data || model) = sum_x d(x) log d(x) / p(x), with the data's distribution d known
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
    EBM_METRICS_END,
};

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
