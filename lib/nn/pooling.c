/* Pooling over windows of S x S that do not overlap: the largest value, or the mean, of each channel. */
#include "nn/layers.h"

#include <string.h>

static ebm_status shape(const ebm_layer *layer, ebm_picture in, ebm_picture *out, ebm_error *error) {
    const size_t S = layer->size;
    if (S < 1 || S > in.rows || S > in.columns)
        return ebm_fail(error, EBM_INVALID, "windows of %zu x %zu on a picture of %zu x %zu", S, S, in.rows,
                        in.columns);
    *out = (ebm_picture){in.rows / S, in.columns / S, in.channels};
    return EBM_OK;
}

/* Pixel (i, j) of the window of output pixel `pixel` of picture `b`, as an offset into x. */
static size_t offset_of(const ebm_layer_place *place, size_t b, size_t pixel, size_t i, size_t j) {
    const size_t S = place->layer->size, r = pixel / place->out.columns, c = pixel % place->out.columns;
    return ((b * place->in.rows + r * S + i) * place->in.columns + c * S + j) * place->in.channels;
}

/* Calls body for each window's pixels in order, with `at`, its offset into x; `to`, the window's into y; `first`: the first. */
#define FOR_WINDOWS(body)                                                                                              \
    const size_t S = place->layer->size, C = place->in.channels, pixels = place->out.rows * place->out.columns;        \
    for (size_t b = 0; b < count; b++)                                                                                 \
        for (size_t pixel = 0; pixel < pixels; pixel++) {                                                              \
            const size_t to = (b * pixels + pixel) * C;                                                                \
            for (size_t i = 0; i < S; i++)                                                                             \
                for (size_t j = 0; j < S; j++) {                                                                       \
                    const size_t at = offset_of(place, b, pixel, i, j);                                                \
                    const bool first = i == 0 && j == 0;                                                               \
                    body;                                                                                              \
                }                                                                                                      \
        }

static void max_forward(const ebm_layer_place *place, size_t count, const ebm_real *restrict x, ebm_real *restrict y,
                        ebm_real *scratch) {
    (void)scratch;
    FOR_WINDOWS({
        if (first)
            memcpy(y + to, x + at, C * sizeof *y);
        else
            for (size_t c = 0; c < C; c++)
                y[to + c] = x[at + c] > y[to + c] ? x[at + c] : y[to + c];
    })
}

static size_t max_scratch(const ebm_layer_place *place) {
    return place->in.channels;
}

/* `left` is dy until the first of the window's largest values has taken it, then 0. */
static void max_backward(const ebm_layer_place *place, size_t count, const ebm_real *restrict x,
                         const ebm_real *restrict y, const ebm_real *restrict dy, ebm_real *restrict dx, ebm_real *dW,
                         ebm_real *dbias, ebm_real *restrict left) {
    (void)dW;
    (void)dbias;
    if (dx == NULL)
        return;
    memset(dx, 0, count * ebm_picture_size(place->in) * sizeof *dx);
    FOR_WINDOWS({
        if (first)
            memcpy(left, dy + to, C * sizeof *left);
        for (size_t c = 0; c < C; c++) {
            const ebm_real taken = x[at + c] == y[to + c] ? left[c] : 0;
            dx[at + c] = taken;
            left[c] = x[at + c] == y[to + c] ? 0 : left[c];
        }
    })
}

static void average_forward(const ebm_layer_place *place, size_t count, const ebm_real *restrict x,
                            ebm_real *restrict y, ebm_real *scratch) {
    const ebm_real share = (ebm_real)(1.0 / (double)(place->layer->size * place->layer->size));
    (void)scratch;
    memset(y, 0, count * ebm_picture_size(place->out) * sizeof *y);
    FOR_WINDOWS({
        (void)first;
        for (size_t c = 0; c < C; c++)
            y[to + c] += share * x[at + c];
    })
}

static void average_backward(const ebm_layer_place *place, size_t count, const ebm_real *x, const ebm_real *y,
                             const ebm_real *restrict dy, ebm_real *restrict dx, ebm_real *dW, ebm_real *dbias,
                             ebm_real *scratch) {
    const ebm_real share = (ebm_real)(1.0 / (double)(place->layer->size * place->layer->size));
    (void)x;
    (void)y;
    (void)dW;
    (void)dbias;
    (void)scratch;
    if (dx == NULL)
        return;
    memset(dx, 0, count * ebm_picture_size(place->in) * sizeof *dx);
    FOR_WINDOWS({
        (void)first;
        for (size_t c = 0; c < C; c++)
            dx[at + c] = share * dy[to + c];
    })
}

const ebm_layer_type ebm_max_pool = {
    .name = "max-pool", .shape = shape, .scratch = max_scratch, .forward = max_forward, .backward = max_backward};
const ebm_layer_type ebm_average_pool = {
    .name = "average-pool", .shape = shape, .forward = average_forward, .backward = average_backward};
