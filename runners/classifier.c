/* The runner `classifier`: a small convolutional net is trained to tell the data's classes apart, and saved.
 *
 * Row steps count updates; there is a row for each epoch. The side files are the net (ebm/nn.h): layers.npy, an array for each
 * view of its parameters, hash.npy. Estimators that ask for the features `digits-net` read that folder. */
#include "runners.h"

#include "ebm/nn.h"

#include <math.h>
#include <string.h>

typedef struct classifier_options {
    int64_t channels, hidden, epochs, batch, shift;
    double rate;
} classifier_options;

#define AT(member) offsetof(classifier_options, member)
static const ebm_option classifier_table[] = {
    {"channels", EBM_OPTION_INT, AT(channels), "16", 1, 1024, NULL, 0,
     "channels of the first convolution; the second has twice as many"},
    {"hidden", EBM_OPTION_INT, AT(hidden), "128", 1, 65536, NULL, 0,
     "units of the last hidden layer: the number of features"},
    {"epochs", EBM_OPTION_INT, AT(epochs), "10", 1, 1e6, NULL, 0, "passes over the training examples"},
    {"batch", EBM_OPTION_INT, AT(batch), "128", 1, 1e6, NULL, 0, "examples in a minibatch"},
    {"shift", EBM_OPTION_INT, AT(shift), "2", 0, 256, NULL, 0,
     "training pictures are moved by up to so many pixels each way"},
    {"rate", EBM_OPTION_REAL, AT(rate), "0.002", 1e-12, 1e3, NULL, 0,
     "Adam's rate at the start; it falls to 0 along a half cosine"},
    EBM_OPTIONS_END,
};

static const ebm_metric classifier_metrics[] = {
    {"accuracy", "", true, "share of the test examples whose largest output is their label's; binomial s.e."},
    {"loss", "nats", true, "mean cross-entropy over the test examples; s.e. over examples"},
    {"train_loss", "nats", true,
     "mean cross-entropy of the epoch's minibatches as they were met; s.e. over minibatches"},
    {"parameters", "", false, "numbers in the net"},
    EBM_METRICS_END,
};

typedef struct training {
    ebm_dataset data;
    ebm_work *work;
    ebm_net *net;
    ebm_classifier *classifier;
    double sum, squares; /* of this epoch's minibatch losses */
} training;

static ebm_status prepare(training *t, const ebm_case *c, int threads, ebm_error *error) {
    const classifier_options *o = c->run;
    const ebm_classifier_settings settings = {(size_t)o->batch, (size_t)o->epochs, (size_t)o->shift, o->rate};
    EBM_TRY(ebm_work_create(threads, &t->work, error));
    EBM_TRY(
        ebm_dataset_load((const ebm_dataset_type *)c->dataset.component, c->dataset.options, c->seed, &t->data, error));
    if (t->data.space.rank != 2)
        return ebm_fail(error, EBM_UNSUPPORTED, "runner classifier is for pictures, the data are %zu units in a line",
                        t->data.space.size);
    if (t->data.classes < 2)
        return ebm_fail(error, EBM_UNSUPPORTED, "runner classifier needs examples with labels, the data have none");
    EBM_TRY(ebm_digits_net_create(t->data.space.shape[0], t->data.space.shape[1], t->data.classes, (size_t)o->channels,
                                  (size_t)o->hidden, &t->net, error));
    ebm_net_initialise(t->net, c->seed);
    return ebm_classifier_create(t->net, &t->data, settings, c->seed, &t->classifier, error);
}

static ebm_status log_epoch(training *t, ebm_output *output, ebm_error *error) {
    const double n = (double)ebm_classifier_per_epoch(t->classifier), mean = t->sum / n;
    ebm_classifier_score score;
    EBM_TRY(ebm_classifier_score_half(t->net, &t->data, &t->data.test, &score, t->work, error));
    output->step = ebm_classifier_done(t->classifier);
    EBM_TRY(output->sink.emit(&output->sink, "accuracy", score.accuracy, score.accuracy_se, error));
    EBM_TRY(output->sink.emit(&output->sink, "loss", score.loss, score.loss_se, error));
    if (output->step > 0)
        EBM_TRY(output->sink.emit(&output->sink, "train_loss", mean,
                                  n > 1 ? sqrt(fmax(t->squares / n - mean * mean, 0) / (n - 1)) : NAN, error));
    t->sum = t->squares = 0;
    return EBM_OK;
}

static size_t regions_of(training *t, ebm_region *out) {
    const size_t count = ebm_classifier_regions(t->classifier, out);
    out[count] = (ebm_region){&t->sum, sizeof t->sum};
    out[count + 1] = (ebm_region){&t->squares, sizeof t->squares};
    return count + 2;
}

static ebm_status train(training *t, ebm_output *output, ebm_error *error) {
    const uint64_t total = ebm_classifier_updates(t->classifier), each = ebm_classifier_per_epoch(t->classifier);
    ebm_region regions[EBM_MAX_REGIONS];
    const size_t n_regions = regions_of(t, regions);
    bool found;
    EBM_TRY(output->restore(output, regions, n_regions, &found, error));
    if (!found)
        EBM_TRY(log_epoch(t, output, error));
    while (ebm_classifier_done(t->classifier) < total) {
        double loss;
        EBM_TRY(ebm_classifier_update(t->classifier, &loss, t->work, error));
        t->sum += loss;
        t->squares += loss * loss;
        const uint64_t done = ebm_classifier_done(t->classifier);
        if (done % each == 0)
            EBM_TRY(log_epoch(t, output, error));
        output->progress(output, (double)done / (double)total);
        if (done < total && output->checkpoint_due(output)) {
            EBM_TRY(output->checkpoint(output, regions, n_regions, error));
            if (output->stop_requested(output))
                return ebm_fail(error, EBM_INTERRUPTED, "stopped at update %llu; a checkpoint is saved",
                                (unsigned long long)done);
        }
    }
    return EBM_OK;
}

/* Into the folder of side files. */
static ebm_status save(const training *t, ebm_output *output, ebm_error *error) {
    char path[4096];
    EBM_TRY(output->artifact(output, "layers.npy", path, sizeof path, error));
    *strrchr(path, '/') = '\0';
    return ebm_net_save(t->net, path, error);
}

static ebm_status classifier_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    training t = {0};
    ebm_status status = prepare(&t, c, threads, error);
    if (status == EBM_OK)
        status = train(&t, output, error);
    if (status == EBM_OK)
        status = output->sink.emit(&output->sink, "parameters", (double)t.net->n_theta, NAN, error);
    if (status == EBM_OK)
        status = save(&t, output, error);
    ebm_classifier_free(t.classifier);
    ebm_net_free(t.net);
    ebm_dataset_free(&t.data);
    ebm_work_free(t.work);
    return status;
}

const ebm_runner_type ebm_classifier_runner = {
    .info = {"classifier", "train a small convolutional net to tell the data's classes apart, and save it",
             "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, \"Gradient-based learning applied to document recognition\", "
             "Proc. IEEE 86 (1998) 2278-2324; Adam: D. Kingma, J. Ba, ICLR 2015",
             classifier_table, sizeof(classifier_options)},
    .required_kinds = 1u << EBM_KIND_DATASET,
    .optional_kinds = 0,
    .metrics = classifier_metrics,
    .run = classifier_run,
};
