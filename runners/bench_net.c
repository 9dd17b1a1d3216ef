/* The runner `bench-net`: what the layers of a convolutional classifier reach of this machine's BLAS peak in training.
 *
 *   convolution_1   28 x 28 x 1 -> 24 x 24 x channels: values, gradient by theta: two products
 *   convolution_2   12 x 12 x channels -> 8 x 8 x 2 channels: the gradient by its input too: three products
 *   convolutions    both: their products over the time of both
 *   net             the whole net, with pooling, dense layers and the loss
 *
 * Each is a net by itself, timed with everything that a net does around its products; FLOP are those of the products. The
 * peak is one thread's gemm, measured in between. Best of the repeats. Row step: threads. */
#include "runners.h"
#include "timing.h"

#include "ebm/nn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench_net_options {
    int64_t channels, hidden, batch, updates, repeats, peak_size;
    ebm_reals threads;
} bench_net_options;

#define AT(member) offsetof(bench_net_options, member)
static const ebm_option bench_net_table[] = {
    {"channels", EBM_OPTION_INT, AT(channels), "32", 1, 1024, NULL, 0, "channels of the first convolution"},
    {"hidden", EBM_OPTION_INT, AT(hidden), "128", 1, 65536, NULL, 0, "units of the last hidden layer"},
    {"batch", EBM_OPTION_INT, AT(batch), "128", 1, 1e6, NULL, 0, "examples in a minibatch"},
    {"updates", EBM_OPTION_INT, AT(updates), "10", 1, 1e6, NULL, 0, "minibatches in a repeat"},
    {"repeats", EBM_OPTION_INT, AT(repeats), "5", 1, 1000, NULL, 0, "times that each is run; the best counts"},
    {"peak_size", EBM_OPTION_INT, AT(peak_size), "1024", 64, 8192, NULL, 0,
     "side of the square product behind the peak"},
    {"threads", EBM_OPTION_REALS, AT(threads), "[1, 2]", 1, 256, NULL, 0, "thread counts to run with"},
    EBM_OPTIONS_END,
};

enum { CONVOLUTION_1, CONVOLUTION_2, NET, NETS, MAX_THREADS = 8, CLASSES = 10 };
static const char *const net_names[NETS] = {"convolution_1", "convolution_2", "net"};

typedef struct bench_net {
    const bench_net_options *o;
    ebm_net *nets[NETS];
    double flops[NETS]; /* of the products of one minibatch */
    ebm_real *x, *gradient, *x_gradient;
    ebm_work *single, *works[MAX_THREADS];
    double peak, best[MAX_THREADS][NETS];
} bench_net;

/* Multiply-adds of the products of one example's values. */
static double products(const ebm_net *net) {
    double sum = 0;
    for (size_t i = 0; i < net->n_layers; i++) {
        if (net->view_of[i] >= EBM_NET_VIEWS)
            continue;
        const ebm_view *W = &net->views[net->view_of[i]];
        const ebm_picture out = net->shapes[i + 1];
        sum += (double)(out.rows * out.columns) * (double)W->rows * (double)W->columns;
    }
    return sum;
}

static ebm_status prepare(bench_net *b, uint32_t seed, ebm_error *error) {
    const size_t c = (size_t)b->o->channels, batch = (size_t)b->o->batch, n_threads = b->o->threads.count;
    const ebm_layer first = {&ebm_convolution, 5, c, false}, second = {&ebm_convolution, 5, 2 * c, false};
    size_t inputs = 0, parameters = 0;
    if (n_threads == 0 || n_threads > MAX_THREADS)
        return ebm_fail(error, EBM_INVALID, "`threads` lists %zu counts; give 1 to %d", n_threads, MAX_THREADS);
    EBM_TRY(ebm_net_create((ebm_picture){28, 28, 1}, &first, 1, &b->nets[CONVOLUTION_1], error));
    EBM_TRY(ebm_net_create((ebm_picture){12, 12, c}, &second, 1, &b->nets[CONVOLUTION_2], error));
    EBM_TRY(ebm_digits_net_create(28, 28, CLASSES, c, (size_t)b->o->hidden, &b->nets[NET], error));
    for (size_t k = 0; k < NETS; k++) {
        const ebm_net *net = b->nets[k];
        ebm_net_initialise(b->nets[k], seed);
        inputs = ebm_net_inputs(net) > inputs ? ebm_net_inputs(net) : inputs;
        parameters = net->n_theta > parameters ? net->n_theta : parameters;
        b->flops[k] = 2 * (double)batch * products(net) * (k == CONVOLUTION_1 ? 2 : 3);
    }
    b->flops[NET] -= 2 * (double)batch * products(b->nets[CONVOLUTION_1]); /* nobody asks for the pictures' gradient */
    b->x = ebm_alloc(batch, inputs * sizeof *b->x);
    b->x_gradient = ebm_alloc(batch, inputs * sizeof *b->x_gradient);
    b->gradient = ebm_alloc(parameters, sizeof *b->gradient);
    if (!b->x || !b->x_gradient || !b->gradient)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu pictures", batch);
    for (size_t i = 0; i < batch; i++)
        ebm_random_uniform(ebm_stream_of(seed, EBM_PURPOSE_DATA), (uint32_t)i, 0, inputs, b->x + i * inputs);
    for (size_t t = 0; t < n_threads; t++)
        EBM_TRY(ebm_work_create((int)b->o->threads.values[t], &b->works[t], error));
    return ebm_work_create(1, &b->single, error);
}

static void finish(bench_net *b) {
    for (size_t k = 0; k < NETS; k++)
        ebm_net_free(b->nets[k]);
    for (size_t t = 0; t < MAX_THREADS; t++)
        ebm_work_free(b->works[t]);
    ebm_work_free(b->single);
    free(b->x);
    free(b->x_gradient);
    free(b->gradient);
}

/* The convolutions: the slope is the outputs themselves. The net: cross-entropy of labels in turn. */
static void outputs_slope(void *context, size_t first, size_t count, const ebm_real *outputs, ebm_real *slope) {
    const ebm_net *net = context;
    (void)first;
    memcpy(slope, outputs, count * ebm_net_outputs(net) * sizeof *slope);
}

static void class_slope(void *context, size_t first, size_t count, const ebm_real *outputs, ebm_real *slope) {
    (void)context;
    for (size_t i = 0; i < count; i++)
        (void)ebm_cross_entropy(CLASSES, outputs + i * CLASSES, (first + i) % CLASSES, 1, slope + i * CLASSES);
}

/* Seconds of one minibatch. */
static ebm_status run_net(bench_net *b, size_t k, ebm_work *work, double *seconds, ebm_error *error) {
    const ebm_net_head head = {k == NET ? class_slope : outputs_slope, b->nets[k]};
    ebm_real *x_gradient = k == CONVOLUTION_2 ? b->x_gradient : NULL;
    double start = 0;
    for (int64_t update = 0; update <= b->o->updates; update++) {
        if (update == 1) /* the first warms up */
            start = ebm_seconds_now();
        EBM_TRY(ebm_net_backward(b->nets[k], b->x, (size_t)b->o->batch, head, b->gradient, x_gradient, work, error));
    }
    *seconds = (ebm_seconds_now() - start) / (double)b->o->updates;
    return EBM_OK;
}

static ebm_status run_all(bench_net *b, ebm_output *output, ebm_error *error) {
    for (int64_t repeat = 0; repeat < b->o->repeats; repeat++) {
        for (size_t t = 0; t < b->o->threads.count; t++)
            for (size_t k = 0; k < NETS; k++) {
                double seconds;
                EBM_TRY(ebm_measure_peak((size_t)b->o->peak_size, b->single, &b->peak, error));
                EBM_TRY(run_net(b, k, b->works[t], &seconds, error));
                b->best[t][k] = fmin(b->best[t][k], seconds);
            }
        output->progress(output, (double)(repeat + 1) / (double)b->o->repeats);
    }
    return EBM_OK;
}

static ebm_status emit(ebm_output *output, const char *name, const char *what, double value, ebm_error *error) {
    char metric[64];
    snprintf(metric, sizeof metric, "%s_%s", name, what);
    return output->sink.emit(&output->sink, metric, value, NAN, error);
}

static ebm_status report(const bench_net *b, ebm_output *output, ebm_error *error) {
    const double flops = b->flops[CONVOLUTION_1] + b->flops[CONVOLUTION_2];
    for (size_t t = 0; t < b->o->threads.count; t++) {
        const double *best = b->best[t], seconds = best[CONVOLUTION_1] + best[CONVOLUTION_2];
        output->step = (uint64_t)b->o->threads.values[t];
        EBM_TRY(output->sink.emit(&output->sink, "peak_gflops", b->peak / 1e9, NAN, error));
        for (size_t k = 0; k < NETS; k++) {
            EBM_TRY(emit(output, net_names[k], "ms", 1e3 * best[k], error));
            EBM_TRY(emit(output, net_names[k], "percent_of_peak", 100 * b->flops[k] / best[k] / b->peak, error));
            EBM_TRY(emit(output, net_names[k], "speedup", b->best[0][k] / best[k], error));
        }
        EBM_TRY(emit(output, "convolutions", "percent_of_peak", 100 * flops / seconds / b->peak, error));
    }
    return EBM_OK;
}

static ebm_status bench_net_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    bench_net b = {.o = c->run};
    (void)threads;
    for (size_t t = 0; t < MAX_THREADS; t++)
        for (size_t k = 0; k < NETS; k++)
            b.best[t][k] = INFINITY;
    ebm_status status = prepare(&b, c->seed, error);
    if (status == EBM_OK)
        status = run_all(&b, output, error);
    if (status == EBM_OK)
        status = report(&b, output, error);
    finish(&b);
    return status;
}

#define NET_METRICS(name)                                                                                              \
    {name "_ms", "ms", true, "best time of a minibatch, values and gradients"},                                        \
        {name "_percent_of_peak", "%", true, "its products' rate against one thread's gemm"}, {                        \
        name "_speedup", "ratio", true, "time at the first thread count against this one's"                            \
    }
static const ebm_metric bench_net_metrics[] = {
    {"peak_gflops", "GFLOP/s", true, "best gemm rate of one thread in this process"},
    NET_METRICS("convolution_1"),
    NET_METRICS("convolution_2"),
    NET_METRICS("net"),
    {"convolutions_percent_of_peak", "%", true, "the products of both convolutions against one thread's gemm"},
    EBM_METRICS_END,
};

const ebm_runner_type ebm_bench_net_runner = {
    .info = {"bench-net", "time the layers of a convolutional classifier against this machine's BLAS peak", "",
             bench_net_table, sizeof(bench_net_options)},
    .metrics = bench_net_metrics,
    .run = bench_net_run,
};
