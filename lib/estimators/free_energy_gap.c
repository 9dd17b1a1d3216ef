/* Free-energy gap: the mean free energy of training examples less that of test examples.
 *
 * log Z cancels, so the gap is the difference of mean log-likelihoods, test minus train, without knowing either: it
 * falls below 0 as a model overfits (G. Hinton, "A practical guide to training restricted Boltzmann machines", 2010,
 * section 6). The standard error treats both halves as samples of examples. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"

#include <math.h>

typedef struct gap_options {
    ebm_example_limits limits;
} gap_options;

static const ebm_option gap_table[] = {
    EBM_TRAIN_LIMIT(gap_options, limits, "10000"),
    EBM_TEST_LIMIT(gap_options, limits, "0"),
    EBM_OPTIONS_END,
};

static const ebm_metric gap_metrics[] = {
    {"free_energy_train", "nats", false, "mean free energy of training examples"},
    {"free_energy_test", "nats", false, "mean free energy of test examples; s.e. over examples"},
    {"free_energy_gap", "nats", false, "train less test: below 0 as the model overfits; s.e. over examples of both"},
    EBM_METRICS_END,
};

static ebm_status gap_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    const gap_options *o = options;
    const ebm_dataset *data = in->data;
    ebm_mean_value train, test;
    EBM_TRY(ebm_examples_mean_energy(in->model, data, &data->train, (size_t)o->limits.train_examples, &train, in->work,
                                     error));
    EBM_TRY(sink->emit(sink, "free_energy_train", train.mean, train.se, error));
    if (data->test.count == 0)
        return EBM_OK;
    EBM_TRY(ebm_examples_mean_energy(in->model, data, &data->test, (size_t)o->limits.test_examples, &test, in->work,
                                     error));
    EBM_TRY(sink->emit(sink, "free_energy_test", test.mean, test.se, error));
    return sink->emit(sink, "free_energy_gap", train.mean - test.mean, hypot(train.se, test.se), error);
}

const ebm_estimator_type ebm_free_energy_gap = {
    .info = {"free-energy-gap", "mean free energy of training examples less that of test examples",
             "Hinton 2010, section 6", gap_table, sizeof(gap_options)},
    .needs = 0,
    .needs_data = true,
    .metrics = gap_metrics,
    .estimate = gap_estimate,
};
