/* Training a net to classify pictures, and how well it does (see ebm/nn.h).
 *
 * Update t of epoch e takes the next `batch` of the e-th permutation of the training half, moves the picture in place i of the
 * minibatch by two whole numbers drawn at (chain i, step t), and lowers the mean cross-entropy by Adam, whose rate falls along
 * a half cosine over all updates (I. Loshchilov, F. Hutter, "SGDR", 2017). */
#include "ebm/nn.h"

#include "learners/optimiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ebm_classifier {
    ebm_net *net;            /* borrowed */
    const ebm_dataset *data; /* borrowed */
    ebm_classifier_settings settings;
    uint32_t seed;
    uint64_t done;
    size_t per_epoch;
    uint64_t epoch;       /* of the permutation held; UINT64_MAX: none */
    uint32_t *order;      /* (train.count) */
    ebm_real *x;          /* (batch, inputs) */
    ebm_real *moved;      /* (inputs) */
    double *losses;       /* (batch) */
    ebm_model parameters; /* the net's theta as the optimiser sees it: one view */
    ebm_optimiser_options options;
    ebm_optimiser optimiser;
};

static ebm_status check(const ebm_net *net, const ebm_dataset *data, ebm_error *error) {
    const ebm_picture in = net->shapes[0];
    const ebm_space *space = &data->space;
    if (space->rank != 2 || space->shape[0] != in.rows || space->shape[1] != in.columns || in.channels != 1)
        return ebm_fail(error, EBM_INVALID,
                        "the net looks at pictures of %zu x %zu x %zu, the data are %zu units in rank %u", in.rows,
                        in.columns, in.channels, space->size, space->rank);
    if (data->train.labels == NULL || data->classes < 2)
        return ebm_fail(error, EBM_UNSUPPORTED, "a classifier needs labels, and the data have none");
    if (data->classes != ebm_net_outputs(net))
        return ebm_fail(error, EBM_INVALID, "the net has %zu outputs, the data %zu classes", ebm_net_outputs(net),
                        data->classes);
    return EBM_OK;
}

static ebm_status make_room(ebm_classifier *c, ebm_error *error) {
    const size_t inputs = ebm_net_inputs(c->net);
    c->order = ebm_alloc(c->data->train.count, sizeof *c->order);
    c->x = ebm_alloc(c->settings.batch, inputs * sizeof *c->x);
    c->moved = ebm_alloc(inputs, sizeof *c->moved);
    c->losses = ebm_alloc(c->settings.batch, sizeof *c->losses);
    if (!c->order || !c->x || !c->moved || !c->losses)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for minibatches of %zu pictures", c->settings.batch);
    return ebm_optimiser_create(&c->options, &c->parameters, &c->optimiser, error);
}

ebm_status ebm_classifier_create(ebm_net *net, const ebm_dataset *data, ebm_classifier_settings settings, uint32_t seed,
                                 ebm_classifier **out, ebm_error *error) {
    *out = NULL;
    EBM_TRY(check(net, data, error));
    if (settings.batch < 1 || settings.epochs < 1)
        return ebm_fail(error, EBM_INVALID, "training needs a batch and epochs of at least 1");
    ebm_classifier *c = calloc(1, sizeof *c);
    if (c == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to train a net");
    *c = (ebm_classifier){.net = net, .data = data, .settings = settings, .seed = seed, .epoch = UINT64_MAX};
    if (c->settings.batch > data->train.count)
        c->settings.batch = data->train.count;
    c->per_epoch = (data->train.count + c->settings.batch - 1) / c->settings.batch;
    c->options = (ebm_optimiser_options){.kind = EBM_ADAM,
                                         .schedule = EBM_COSINE,
                                         .rate = settings.rate,
                                         .momentum = 0.9,
                                         .beta2 = 0.999,
                                         .epsilon = 1e-8,
                                         .limit = 1e4};
    c->parameters = (ebm_model){.n_theta = net->n_theta, .theta = net->theta, .n_views = 1};
    c->parameters.views[0] = (ebm_view){"theta", 0, net->n_theta, 0, false};
    const ebm_status status = make_room(c, error);
    if (status == EBM_OK)
        *out = c;
    else
        ebm_classifier_free(c);
    return status;
}

void ebm_classifier_free(ebm_classifier *c) {
    if (c == NULL)
        return;
    ebm_optimiser_free(&c->optimiser);
    free(c->order);
    free(c->x);
    free(c->moved);
    free(c->losses);
    free(c);
}

uint64_t ebm_classifier_updates(const ebm_classifier *c) {
    return (uint64_t)c->per_epoch * c->settings.epochs;
}

uint64_t ebm_classifier_per_epoch(const ebm_classifier *c) {
    return c->per_epoch;
}

uint64_t ebm_classifier_done(const ebm_classifier *c) {
    return c->done;
}

/* x moved down by `down` and right by `right`, with zeros where nothing moves in. */
static void move(ebm_picture p, long down, long right, ebm_real *x, ebm_real *kept) {
    const long rows = (long)p.rows, columns = (long)p.columns;
    if (down == 0 && right == 0)
        return;
    memcpy(kept, x, p.rows * p.columns * sizeof *x);
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) {
            const long from_r = r - down, from_c = c - right;
            const bool inside = from_r >= 0 && from_r < rows && from_c >= 0 && from_c < columns;
            x[r * columns + c] = inside ? kept[from_r * columns + from_c] : 0;
        }
}

/* Values of a data set that standardises its pictures, back as intensities. */
static void to_intensities(const ebm_dataset *data, size_t count, ebm_real *x) {
    for (size_t i = 0; data->deviation > 0 && i < count; i++)
        x[i] = (ebm_real)((double)x[i] * data->deviation + data->mean);
}

/* The minibatch of the next update; returns its number of examples. */
static size_t fill(ebm_classifier *c) {
    const ebm_examples *train = &c->data->train;
    const uint64_t epoch = c->done / c->per_epoch;
    const size_t first = (size_t)(c->done % c->per_epoch) * c->settings.batch, left = train->count - first;
    const size_t n = left < c->settings.batch ? left : c->settings.batch, inputs = ebm_net_inputs(c->net);
    const uint32_t reach = (uint32_t)c->settings.shift;
    const ebm_stream shifts = ebm_stream_of(c->seed, EBM_PURPOSE_AUGMENT);
    if (c->epoch != epoch)
        ebm_random_permutation(ebm_stream_of(c->seed, EBM_PURPOSE_SHUFFLE), epoch, train->count, c->order);
    c->epoch = epoch;
    ebm_examples_batch(c->data, train, c->order + first, 0, n, ebm_stream_of(c->seed, EBM_PURPOSE_BINARISE), c->done,
                       c->x);
    to_intensities(c->data, n * inputs, c->x);
    for (size_t i = 0; reach > 0 && i < n; i++) {
        const long down = (long)ebm_random_below(shifts, (uint32_t)i, c->done, 0, 2 * reach + 1) - (long)reach;
        const long right = (long)ebm_random_below(shifts, (uint32_t)i, c->done, 1, 2 * reach + 1) - (long)reach;
        move(c->net->shapes[0], down, right, c->x + i * inputs, c->moved);
    }
    return n;
}

typedef struct minibatch {
    ebm_classifier *classifier;
    const uint32_t *rows;
    size_t count;
} minibatch;

/* Ascent: the slope of minus the mean loss. */
static void slope_of(void *context, size_t first, size_t count, const ebm_real *outputs, ebm_real *slope) {
    const minibatch *m = context;
    const size_t K = m->classifier->data->classes;
    const int32_t *labels = m->classifier->data->train.labels;
    for (size_t i = 0; i < count; i++)
        m->classifier->losses[first + i] = ebm_cross_entropy(K, outputs + i * K, (size_t)labels[m->rows[first + i]],
                                                             -1 / (double)m->count, slope + i * K);
}

ebm_status ebm_classifier_update(ebm_classifier *c, double *loss, ebm_work *work, ebm_error *error) {
    const size_t n = fill(c);
    minibatch m = {c, c->order + (size_t)(c->done % c->per_epoch) * c->settings.batch, n};
    double sum = 0;
    EBM_TRY(ebm_net_backward(c->net, c->x, n, (ebm_net_head){slope_of, &m}, c->optimiser.gradient, NULL, work, error));
    for (size_t i = 0; i < n; i++)
        sum += c->losses[i];
    if (!isfinite(sum))
        return ebm_fail(error, EBM_DIVERGED, "diverged at update %llu: the loss is %g; lower `rate` (now %g)",
                        (unsigned long long)c->done, sum / (double)n, c->settings.rate);
    EBM_TRY(ebm_optimiser_step(&c->optimiser, &c->parameters, c->done, ebm_classifier_updates(c), work, error));
    c->done++;
    if (loss != NULL)
        *loss = sum / (double)n;
    return EBM_OK;
}

size_t ebm_classifier_regions(ebm_classifier *c, ebm_region *out) {
    const size_t bytes = c->net->n_theta * sizeof(ebm_real);
    out[0] = (ebm_region){c->net->theta, bytes};
    out[1] = (ebm_region){c->optimiser.first, bytes};
    out[2] = (ebm_region){c->optimiser.second, bytes};
    out[3] = (ebm_region){&c->done, sizeof c->done};
    return 4;
}

ebm_status ebm_classifier_score_half(const ebm_net *net, const ebm_dataset *data, const ebm_examples *half,
                                     ebm_classifier_score *out, ebm_work *work, ebm_error *error) {
    enum { AT_ONCE = 32 * EBM_NET_GROUP };
    const size_t inputs = ebm_net_inputs(net), K = ebm_net_outputs(net), mark = ebm_work_mark(work);
    double right = 0, sum = 0, squares = 0;
    EBM_TRY(check(net, data, error));
    if (half->count == 0 || half->labels == NULL)
        return ebm_fail(error, EBM_INVALID, "there are no labelled examples to score a classifier on");
    ebm_real *x = ebm_work_take(work, AT_ONCE, inputs * sizeof *x), *y = ebm_work_take(work, AT_ONCE, K * sizeof *y);
    ebm_status status = x && y ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %d pictures", AT_ONCE);
    for (size_t first = 0; status == EBM_OK && first < half->count; first += AT_ONCE) {
        const size_t n = half->count - first < AT_ONCE ? half->count - first : AT_ONCE;
        ebm_examples_fixed(data, half, first, n, x);
        to_intensities(data, n * inputs, x);
        status = ebm_net_forward(net, net->n_layers, x, n, y, work, error);
        for (size_t i = 0; status == EBM_OK && i < n; i++) {
            const size_t label = (size_t)half->labels[first + i];
            const double loss = ebm_cross_entropy(K, y + i * K, label, 1, NULL);
            size_t best = 0;
            for (size_t k = 1; k < K; k++)
                best = y[i * K + k] > y[i * K + best] ? k : best;
            right += best == label;
            sum += loss;
            squares += loss * loss;
        }
    }
    ebm_work_release(work, mark);
    EBM_TRY(status);
    if (!isfinite(sum))
        return ebm_fail(error, EBM_DIVERGED, "the classifier's outputs are not finite");
    const double n = (double)half->count, accuracy = right / n, mean = sum / n;
    *out = (ebm_classifier_score){accuracy, sqrt(accuracy * (1 - accuracy) / n), mean,
                                  n > 1 ? sqrt(fmax(squares / n - mean * mean, 0) / (n - 1)) : 0};
    return EBM_OK;
}

ebm_status ebm_digits_net_create(size_t rows, size_t columns, size_t classes, size_t c, size_t hidden, ebm_net **out,
                                 ebm_error *error) {
    const ebm_layer layers[] = {
        {&ebm_convolution, 5, c, false},     {&ebm_max_pool, 2, 0, false}, {&ebm_relu, 0, 0, false},
        {&ebm_convolution, 5, 2 * c, false}, {&ebm_max_pool, 2, 0, false}, {&ebm_relu, 0, 0, false},
        {&ebm_dense, 0, hidden, false},      {&ebm_relu, 0, 0, false},     {&ebm_dense, 0, classes, false}};
    return ebm_net_create((ebm_picture){rows, columns, 1}, layers, sizeof layers / sizeof *layers, out, error);
}
