/* Nets of layers on batches of pictures: values, and gradients by theta and by the input.
 *
 * A picture is rows x columns x channels, row-major with channels last; a line of n numbers is 1 x 1 x n. A net is a chain of
 * layers, its parameters one flat theta with named views ("convolution_1_W", "convolution_1_bias", ...).
 *
 * A batch is cut into groups of EBM_NET_GROUP examples, which threads share; every group goes through all layers while it is in
 * cache, its gradient by theta is kept apart, and gradients are added in the order of the groups, in double. So results do not
 * depend on threads. They can depend on `count` in the last bits, because BLAS rounds by shape. */
#ifndef EBM_NN_H
#define EBM_NN_H

#include "ebm/dataset.h"
#include "ebm/learner.h"

enum { EBM_NET_GROUP = 16, EBM_NET_LAYERS = 24, EBM_NET_VIEWS = 2 * EBM_NET_LAYERS };

typedef struct ebm_picture {
    size_t rows, columns, channels;
} ebm_picture;

static inline size_t ebm_picture_size(ebm_picture p) {
    return p.rows * p.columns * p.channels;
}

typedef struct ebm_layer_type ebm_layer_type;
/* convolution: `channels` outputs of a kernel of `size` x `size`, stride 1; W (size size channels_in, channels), bias
 * max-pool, average-pool: over windows of `size` x `size` that do not overlap; rows and columns left over are dropped. Of
 *   equal maxima the first has the gradient.
 * dense: `channels` outputs of all inputs; W (inputs, channels), bias
 * relu max(0, x), with derivative 0 at 0; softplus log(1 + e^x); tanh; silu x sigmoid(x) */
extern const ebm_layer_type ebm_convolution, ebm_max_pool, ebm_average_pool, ebm_dense, ebm_relu, ebm_softplus,
    ebm_tanh, ebm_silu;

typedef struct ebm_layer {
    const ebm_layer_type *type;
    size_t size, channels; /* 0 where the type has none */
    bool same; /* convolution: the input has a border of zeros, so that the output is as large (size is odd) */
} ebm_layer;

typedef struct ebm_net {
    size_t n_layers;
    ebm_layer layers[EBM_NET_LAYERS];
    ebm_picture shapes[EBM_NET_LAYERS + 1]; /* the input, then the output of each layer */
    size_t n_theta;
    ebm_real *theta;
    size_t n_views;
    ebm_view views[EBM_NET_VIEWS];
    char names[EBM_NET_VIEWS][32];
    size_t view_of[EBM_NET_LAYERS]; /* of a layer's W, which its bias follows; EBM_NET_VIEWS: the layer has none */
    size_t feature_layers;          /* the features are the outputs of so many layers; see ebm_net_features */
} ebm_net;

/* theta is 0. `feature_layers` is set to that of the last layer but one, the last hidden one. EBM_INVALID names the layer that cannot be. The caller frees. */
EBM_NODISCARD ebm_status ebm_net_create(ebm_picture input, const ebm_layer *layers, size_t count, ebm_net **out,
                                        ebm_error *error);
void ebm_net_free(ebm_net *net);
/* W ~ N(0, 2 / inputs) (He, Zhang, Ren & Sun 2015), biases 0; EBM_PURPOSE_INIT, chain = view. */
void ebm_net_initialise(ebm_net *net, uint32_t seed);
size_t ebm_net_inputs(const ebm_net *net);
size_t ebm_net_outputs(const ebm_net *net);

/* out (count, size of shapes[depth]): what the first `depth` layers make of x (count, inputs), 1 <= depth <= n_layers. */
EBM_NODISCARD ebm_status ebm_net_forward(const ebm_net *net, size_t depth, const ebm_real *x, size_t count,
                                         ebm_real *out, ebm_work *work, ebm_error *error);

/* What stands on top of a net: from the outputs (count, outputs) of examples first ... first + count - 1 of the batch it fills
 * `slope` (count, outputs) with the derivative of a loss, a sum over examples, by them. Called for several groups at once. */
typedef struct ebm_net_head {
    void (*slope)(void *context, size_t first, size_t count, const ebm_real *outputs, ebm_real *slope);
    void *context;
} ebm_net_head;

/* gradient (n_theta) += d loss / d theta; x_gradient (count, inputs) = d loss / d x; each may be NULL. */
EBM_NODISCARD ebm_status ebm_net_backward(const ebm_net *net, const ebm_real *x, size_t count, ebm_net_head head,
                                          ebm_real *gradient, ebm_real *x_gradient, ebm_work *work, ebm_error *error);

/* Softmax cross-entropy of one example: returns -log softmax(logits)[label] and, where `slope` is not NULL, writes
 * scale (softmax(logits) - one hot of label) into it. */
double ebm_cross_entropy(size_t classes, const ebm_real *logits, size_t label, double scale, ebm_real *slope);

/* Features of x (count, inputs): outputs of the first feature_layers layers, out (count, ebm_net_feature_count). The nets that
 * ebm_classifier trains take intensities from 0 to 1 (not standardised). */
size_t ebm_net_feature_count(const ebm_net *net);
EBM_NODISCARD ebm_status ebm_net_features(const ebm_net *net, const ebm_real *x, size_t count, ebm_real *out,
                                          ebm_work *work, ebm_error *error);

/* FNV-1a 64 of the layers and of theta's bytes, as ebm_net_save writes them: features of two nets of different hash are not
 * to be set side by side. */
uint64_t ebm_net_hash(const ebm_net *net);
/* Into an existing folder: layers.npy (the input's shape and the number of feature layers, then a row for each layer: its code,
 * size, channels, same), each view as its .npy, and hash.npy (8 bytes, the highest first). */
EBM_NODISCARD ebm_status ebm_net_save(const ebm_net *net, const char *directory, ebm_error *error);
/* EBM_FORMAT where a file is not what layers.npy makes one expect, or where the hash is not that of the files. */
EBM_NODISCARD ebm_status ebm_net_load(const char *directory, ebm_net **out, ebm_error *error);

/* Training a net to classify the labelled pictures of a data set by Adam on the mean cross-entropy of minibatches, a fresh
 * permutation of the training half each epoch, every picture moved by up to `shift` pixels each way at random (what moves in is
 * 0), with a rate that falls to 0 along a half cosine. Pictures that the data set standardises are taken back to intensities. */
typedef struct ebm_classifier_settings {
    size_t batch, epochs, shift;
    double rate;
} ebm_classifier_settings;

typedef struct ebm_classifier ebm_classifier;
/* The net's inputs are the data's pictures, its outputs the data's classes; both stay the caller's. The caller frees. */
EBM_NODISCARD ebm_status ebm_classifier_create(ebm_net *net, const ebm_dataset *data, ebm_classifier_settings settings,
                                               uint32_t seed, ebm_classifier **out, ebm_error *error);
void ebm_classifier_free(ebm_classifier *classifier);
uint64_t ebm_classifier_updates(const ebm_classifier *classifier);   /* of all epochs */
uint64_t ebm_classifier_per_epoch(const ebm_classifier *classifier); /* of one */
uint64_t ebm_classifier_done(const ebm_classifier *classifier);
/* One update; *loss is the minibatch's mean cross-entropy before it (may be NULL). EBM_DIVERGED where it is not finite. */
EBM_NODISCARD ebm_status ebm_classifier_update(ebm_classifier *classifier, double *loss, ebm_work *work,
                                               ebm_error *error);
/* Memory that a checkpoint must keep; at most EBM_MAX_REGIONS. */
size_t ebm_classifier_regions(ebm_classifier *classifier, ebm_region *out);

typedef struct ebm_classifier_score {
    double accuracy, accuracy_se; /* share whose largest output is that of the label; binomial s.e. */
    double loss, loss_se;         /* mean cross-entropy in nats; s.e. over examples */
} ebm_classifier_score;
/* Of all examples of a half (&data->train or &data->test), in its fixed binarisation where there is one. */
EBM_NODISCARD ebm_status ebm_classifier_score_half(const ebm_net *net, const ebm_dataset *data,
                                                   const ebm_examples *half, ebm_classifier_score *out, ebm_work *work,
                                                   ebm_error *error);

/* The net whose last hidden layer's `hidden` outputs are the features `digits-net`, for rows x columns pictures of one channel:
 * convolution 5 x 5 to c channels, max-pool 2, relu, convolution 5 x 5 to 2 c, max-pool 2, relu, dense to `hidden`, relu, dense
 * to `classes`. */
EBM_NODISCARD ebm_status ebm_digits_net_create(size_t rows, size_t columns, size_t classes, size_t c, size_t hidden,
                                               ebm_net **out, ebm_error *error);

#endif
