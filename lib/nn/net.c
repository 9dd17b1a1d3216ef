/* A chain of layers: its shapes and parameters, and batches through it by groups (see ebm/nn.h). */
#include "ebm/nn.h"

#include "core/matrix_blocks.h"
#include "core/row_kernels.h"
#include "nn/layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

const ebm_layer_type *const ebm_layer_types[EBM_LAYER_TYPES] = {
    &ebm_convolution, &ebm_max_pool, &ebm_average_pool, &ebm_dense, &ebm_relu, &ebm_softplus, &ebm_tanh, &ebm_silu};

/* Groups whose gradients by theta are held at once, and then added to those before. */
enum { GROUPS_AT_ONCE = 16 };

void ebm_fill_rows(size_t rows, size_t columns, const ebm_real *bias, ebm_real *y) {
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * columns, bias, columns * sizeof *y);
}

void ebm_add_column_sums(size_t rows, size_t columns, const ebm_real *y, ebm_real *sums) {
    enum { WIDTH = 64 };
    double part[WIDTH];
    for (size_t first = 0; first < columns; first += WIDTH) {
        const size_t n = columns - first < WIDTH ? columns - first : WIDTH;
        ebm_row_kernels_get()->column_sums(rows, n, y + first, columns, NULL, part);
        for (size_t j = 0; j < n; j++)
            sums[first + j] = (ebm_real)(sums[first + j] + part[j]);
    }
}

/* A view of theta for layer `of`, the `number`-th of its type. */
static void add_view(ebm_net *net, const char *type, size_t number, const char *what, size_t rows, size_t columns) {
    ebm_view *view = &net->views[net->n_views];
    snprintf(net->names[net->n_views], sizeof net->names[0], "%s_%zu_%s", type, number, what);
    *view = (ebm_view){net->names[net->n_views], net->n_theta, rows, columns, columns > 0};
    net->n_views++;
    net->n_theta += rows * (columns ? columns : 1);
}

/* Bounds every product of sizes below, in memory and in BLAS's ints. */
static bool too_large(ebm_picture p) {
    const double limit = 1 << 24;
    return (double)p.rows * (double)p.columns * (double)p.channels > limit;
}

static ebm_status add_layer(ebm_net *net, size_t i, ebm_error *error) {
    const ebm_layer *layer = &net->layers[i];
    const ebm_picture in = net->shapes[i];
    ebm_error why = {0};
    size_t number = 1;
    ebm_status status = layer->type->shape(layer, in, &net->shapes[i + 1], &why);
    if (status != EBM_OK)
        return ebm_fail(error, status, "layer %zu of a net, %s: %s", i + 1, layer->type->name, why.message);
    net->view_of[i] = EBM_NET_VIEWS;
    for (size_t k = 0; k < i; k++)
        number += net->layers[k].type == layer->type;
    if (too_large(net->shapes[i + 1]))
        return ebm_fail(error, EBM_INVALID, "layer %zu of a net, %s: its output is too large", i + 1,
                        layer->type->name);
    if (layer->type->weight_rows == NULL)
        return EBM_OK;
    const size_t rows = layer->type->weight_rows(layer, in);
    if (too_large((ebm_picture){rows, layer->channels, 4}))
        return ebm_fail(error, EBM_INVALID, "layer %zu of a net, %s: %zu x %zu weights are too many", i + 1,
                        layer->type->name, rows, layer->channels);
    net->view_of[i] = net->n_views;
    add_view(net, layer->type->name, number, "W", rows, layer->channels);
    add_view(net, layer->type->name, number, "bias", layer->channels, 0);
    return EBM_OK;
}

static ebm_status build(ebm_net *net, ebm_error *error) {
    if (net->n_layers < 1)
        return ebm_fail(error, EBM_INVALID, "a net needs layers");
    if (ebm_picture_size(net->shapes[0]) == 0 || too_large(net->shapes[0]))
        return ebm_fail(error, EBM_INVALID, "a net cannot look at pictures of %zu x %zu x %zu", net->shapes[0].rows,
                        net->shapes[0].columns, net->shapes[0].channels);
    for (size_t i = 0; i < net->n_layers; i++)
        EBM_TRY(add_layer(net, i, error));
    net->feature_layers = net->n_layers > 1 ? net->n_layers - 1 : 1;
    net->theta = ebm_alloc(net->n_theta, sizeof *net->theta);
    if (net->theta == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the %zu parameters of a net", net->n_theta);
    return EBM_OK;
}

ebm_status ebm_net_create(ebm_picture input, const ebm_layer *layers, size_t count, ebm_net **out, ebm_error *error) {
    *out = NULL;
    if (count > EBM_NET_LAYERS)
        return ebm_fail(error, EBM_INVALID, "a net of %zu layers: at most %d", count, EBM_NET_LAYERS);
    ebm_net *net = calloc(1, sizeof *net);
    if (net == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a net");
    net->shapes[0] = input;
    net->n_layers = count;
    if (count > 0)
        memcpy(net->layers, layers, count * sizeof *layers);
    const ebm_status status = build(net, error);
    if (status == EBM_OK)
        *out = net;
    else
        ebm_net_free(net);
    return status;
}

void ebm_net_free(ebm_net *net) {
    if (net != NULL)
        free(net->theta);
    free(net);
}

void ebm_net_initialise(ebm_net *net, uint32_t seed) {
    memset(net->theta, 0, net->n_theta * sizeof *net->theta);
    for (size_t v = 0; v < net->n_views; v++) {
        const ebm_view *view = &net->views[v];
        ebm_real *W = net->theta + view->offset;
        if (view->columns == 0)
            continue;
        ebm_random_normal_plain(ebm_stream_of(seed, EBM_PURPOSE_INIT), (uint32_t)v, 0, view->rows * view->columns, W);
        for (size_t k = 0; k < view->rows * view->columns; k++)
            W[k] *= (ebm_real)sqrt(2.0 / (double)view->rows);
    }
}

size_t ebm_net_inputs(const ebm_net *net) {
    return ebm_picture_size(net->shapes[0]);
}

size_t ebm_net_outputs(const ebm_net *net) {
    return ebm_picture_size(net->shapes[net->n_layers]);
}

size_t ebm_net_feature_count(const ebm_net *net) {
    return ebm_picture_size(net->shapes[net->feature_layers]);
}

static ebm_layer_place place_of(const ebm_net *net, size_t i) {
    ebm_layer_place place = {&net->layers[i], net->shapes[i], net->shapes[i + 1], NULL, NULL};
    if (net->view_of[i] < EBM_NET_VIEWS) {
        place.W = net->theta + net->views[net->view_of[i]].offset;
        place.bias = net->theta + net->views[net->view_of[i] + 1].offset;
    }
    return place;
}

/* Memory of one thread: each layer's output for a group, two slopes as large as the largest of them, what layers ask for. */
typedef struct desk {
    ebm_real *values[EBM_NET_LAYERS + 1]; /* values[i]: outputs of i layers; values[0] is the caller's */
    ebm_real *slopes[2], *scratch;
} desk;

static size_t thread_index(void) {
#ifdef _OPENMP
    return (size_t)omp_get_thread_num();
#else
    return 0;
#endif
}

static size_t padded(size_t reals) {
    return (reals + 15) / 16 * 16;
}

/* Lays out a desk in `memory`, or counts its reals where that is NULL. */
static size_t lay_desk(const ebm_net *net, size_t depth, bool slopes, ebm_real *memory, desk *d) {
    size_t at = 0, largest = 0, scratch = 0;
    for (size_t i = 0; i < depth; i++) {
        const ebm_layer_place place = place_of(net, i);
        const size_t in = ebm_picture_size(net->shapes[i]), out = ebm_picture_size(net->shapes[i + 1]);
        const size_t asked = net->layers[i].type->scratch ? net->layers[i].type->scratch(&place) : 0;
        if (memory != NULL)
            d->values[i + 1] = memory + at;
        at += padded(EBM_NET_GROUP * out);
        largest = in > largest ? in : largest;
        largest = out > largest ? out : largest;
        scratch = asked > scratch ? asked : scratch;
    }
    for (int k = 0; slopes && k < 2; k++) {
        if (memory != NULL)
            d->slopes[k] = memory + at;
        at += padded(EBM_NET_GROUP * largest);
    }
    if (memory != NULL)
        d->scratch = memory + at;
    return at + padded(scratch);
}

static void group_forward(const ebm_net *net, size_t depth, size_t count, desk *d) {
    for (size_t i = 0; i < depth; i++) {
        const ebm_layer_place place = place_of(net, i);
        net->layers[i].type->forward(&place, count, d->values[i], d->values[i + 1], d->scratch);
    }
}

/* From d->slopes[0], the slope by the outputs. */
static void group_backward(const ebm_net *net, size_t count, desk *d, ebm_real *gradient, ebm_real *x_gradient) {
    size_t last = 0; /* the first layer whose input's slope nobody wants */
    ebm_real *slope = d->slopes[0], *next = d->slopes[1];
    while (x_gradient == NULL && last < net->n_layers && net->view_of[last] == EBM_NET_VIEWS)
        last++;
    for (size_t i = net->n_layers; i-- > last;) {
        const ebm_layer_place place = place_of(net, i);
        const bool has_weights = gradient != NULL && place.W != NULL;
        ebm_real *dW = has_weights ? gradient + net->views[net->view_of[i]].offset : NULL;
        ebm_real *dbias = has_weights ? gradient + net->views[net->view_of[i] + 1].offset : NULL;
        ebm_real *dx = i == 0 ? x_gradient : i == last ? NULL : next;
        net->layers[i].type->backward(&place, count, d->values[i], d->values[i + 1], slope, dx, dW, dbias, d->scratch);
        next = slope;
        slope = dx;
    }
}

/* A desk for each thread that there can be work for. */
static ebm_status take_desks(const ebm_net *net, size_t depth, bool slopes, size_t groups, desk **out, int *threads,
                             ebm_work *work, ebm_error *error) {
    const size_t each = lay_desk(net, depth, slopes, NULL, NULL);
    *threads = ebm_work_threads(work);
    *threads = (size_t)*threads > groups ? (int)groups : *threads;
    *out = ebm_work_take(work, (size_t)*threads, sizeof **out);
    ebm_real *memory = ebm_work_take(work, (size_t)*threads, each * sizeof *memory);
    if (*out == NULL || memory == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %d threads to take a net's %zu numbers each", *threads,
                        each);
    for (int t = 0; t < *threads; t++)
        lay_desk(net, depth, slopes, memory + (size_t)t * each, *out + t);
    return EBM_OK;
}

ebm_status ebm_net_forward(const ebm_net *net, size_t depth, const ebm_real *x, size_t count, ebm_real *out,
                           ebm_work *work, ebm_error *error) {
    const size_t inputs = ebm_net_inputs(net), groups = (count + EBM_NET_GROUP - 1) / EBM_NET_GROUP;
    const size_t mark = ebm_work_mark(work);
    desk *desks;
    int threads;
    if (depth < 1 || depth > net->n_layers)
        return ebm_fail(error, EBM_INVALID, "outputs of %zu layers of a net that has %zu", depth, net->n_layers);
    if (count == 0)
        return EBM_OK;
    const size_t outputs = ebm_picture_size(net->shapes[depth]);
    ebm_status status = take_desks(net, depth, false, groups, &desks, &threads, work, error);
    ebm_blas_one_thread();
    if (status == EBM_OK) {
#pragma omp parallel num_threads(threads) if (threads > 1)
        {
            desk d = desks[thread_index()];
#pragma omp for schedule(dynamic)
            for (size_t g = 0; g < groups; g++) {
                const size_t first = g * EBM_NET_GROUP,
                             n = count - first < EBM_NET_GROUP ? count - first : EBM_NET_GROUP;
                d.values[0] = (ebm_real *)x + first * inputs; /* only read */
                d.values[depth] = out + first * outputs;
                group_forward(net, depth, n, &d);
            }
        }
    }
    ebm_work_release(work, mark);
    return status;
}

/* A batch on its way back. */
typedef struct pass {
    const ebm_net *net;
    const ebm_real *x;
    size_t count;
    ebm_net_head head;
    ebm_real *gradients; /* (GROUPS_AT_ONCE, padded(n_theta)) or NULL */
    ebm_real *x_gradient;
} pass;

static void pass_group(const pass *p, size_t group, size_t slot, desk *d) {
    const ebm_net *net = p->net;
    const size_t first = group * EBM_NET_GROUP, inputs = ebm_net_inputs(net);
    const size_t n = p->count - first < EBM_NET_GROUP ? p->count - first : EBM_NET_GROUP;
    ebm_real *gradient = p->gradients ? p->gradients + slot * padded(net->n_theta) : NULL;
    d->values[0] = (ebm_real *)p->x + first * inputs; /* only read */
    group_forward(net, net->n_layers, n, d);
    p->head.slope(p->head.context, first, n, d->values[net->n_layers], d->slopes[0]);
    if (gradient != NULL)
        memset(gradient, 0, net->n_theta * sizeof *gradient);
    group_backward(net, n, d, gradient, p->x_gradient ? p->x_gradient + first * inputs : NULL);
}

/* gradient += those of the first `slots` slots, in their order. */
static void add_slots(const pass *p, size_t slots, ebm_real *gradient, int threads) {
    enum { PIECE = 4096 };
    const size_t n = p->net->n_theta, stride = padded(n), pieces = (n + PIECE - 1) / PIECE;
    (void)threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1 && pieces > 4)
    for (size_t piece = 0; piece < pieces; piece++) {
        const size_t first = piece * PIECE, length = n - first < PIECE ? n - first : PIECE;
        double sum[PIECE];
        for (size_t k = 0; k < length; k++)
            sum[k] = (double)gradient[first + k];
        for (size_t slot = 0; slot < slots; slot++) {
            const ebm_real *from = p->gradients + slot * stride + first;
            for (size_t k = 0; k < length; k++)
                sum[k] += (double)from[k];
        }
        for (size_t k = 0; k < length; k++)
            gradient[first + k] = (ebm_real)sum[k];
    }
}

static void run_pass(const pass *p, desk *desks, ebm_real *gradient, int threads) {
    const size_t groups = (p->count + EBM_NET_GROUP - 1) / EBM_NET_GROUP;
    for (size_t from = 0; from < groups; from += GROUPS_AT_ONCE) {
        const size_t slots = groups - from < GROUPS_AT_ONCE ? groups - from : GROUPS_AT_ONCE;
#pragma omp parallel for num_threads(threads) schedule(dynamic) if (threads > 1)
        for (size_t slot = 0; slot < slots; slot++)
            pass_group(p, from + slot, slot, &desks[thread_index()]);
        if (gradient != NULL)
            add_slots(p, slots, gradient, threads);
    }
}

ebm_status ebm_net_backward(const ebm_net *net, const ebm_real *x, size_t count, ebm_net_head head, ebm_real *gradient,
                            ebm_real *x_gradient, ebm_work *work, ebm_error *error) {
    const size_t groups = (count + EBM_NET_GROUP - 1) / EBM_NET_GROUP, mark = ebm_work_mark(work);
    const size_t slots = groups < GROUPS_AT_ONCE ? groups : GROUPS_AT_ONCE;
    pass p = {net, x, count, head, NULL, x_gradient};
    desk *desks;
    int threads;
    if (count == 0)
        return EBM_OK;
    ebm_status status = take_desks(net, net->n_layers, true, groups, &desks, &threads, work, error);
    if (status == EBM_OK && gradient != NULL) {
        p.gradients = ebm_work_take(work, slots, padded(net->n_theta) * sizeof *p.gradients);
        if (p.gradients == NULL)
            status = ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu gradients of %zu numbers", slots, net->n_theta);
    }
    ebm_blas_one_thread();
    if (status == EBM_OK)
        run_pass(&p, desks, gradient, threads);
    ebm_work_release(work, mark);
    return status;
}

double ebm_cross_entropy(size_t classes, const ebm_real *logits, size_t label, double scale, ebm_real *slope) {
    double largest = (double)logits[0], sum = 0;
    for (size_t k = 1; k < classes; k++)
        largest = (double)logits[k] > largest ? (double)logits[k] : largest;
    for (size_t k = 0; k < classes; k++)
        sum += exp((double)logits[k] - largest);
    for (size_t k = 0; slope != NULL && k < classes; k++)
        slope[k] = (ebm_real)(scale * (exp((double)logits[k] - largest) / sum - (k == label)));
    return log(sum) + largest - (double)logits[label];
}

ebm_status ebm_net_features(const ebm_net *net, const ebm_real *x, size_t count, ebm_real *out, ebm_work *work,
                            ebm_error *error) {
    return ebm_net_forward(net, net->feature_layers, x, count, out, work, error);
}
