/* Dense layer: y = x W + bias, W (inputs, outputs). */
#include "nn/layers.h"

#include "core/matrix_blocks.h"

static ebm_status shape(const ebm_layer *layer, ebm_picture in, ebm_picture *out, ebm_error *error) {
    (void)in;
    if (layer->channels < 1)
        return ebm_fail(error, EBM_INVALID, "no outputs");
    *out = (ebm_picture){1, 1, layer->channels};
    return EBM_OK;
}

static size_t weight_rows(const ebm_layer *layer, ebm_picture in) {
    (void)layer;
    return ebm_picture_size(in);
}

static void forward(const ebm_layer_place *place, size_t count, const ebm_real *x, ebm_real *y, ebm_real *scratch) {
    const size_t K = ebm_picture_size(place->in), N = place->out.channels;
    (void)scratch;
    ebm_fill_rows(count, N, place->bias, y);
    ebm_gemm_block(false, false, count, N, K, 1, x, K, place->W, N, 1, y, N);
}

static void backward(const ebm_layer_place *place, size_t count, const ebm_real *x, const ebm_real *y,
                     const ebm_real *dy, ebm_real *dx, ebm_real *dW, ebm_real *dbias, ebm_real *scratch) {
    const size_t K = ebm_picture_size(place->in), N = place->out.channels;
    (void)y;
    (void)scratch;
    if (dW != NULL)
        ebm_gemm_block(true, false, K, N, count, 1, x, K, dy, N, 1, dW, N);
    if (dbias != NULL)
        ebm_add_column_sums(count, N, dy, dbias);
    if (dx != NULL)
        ebm_gemm_block(false, true, count, K, N, 1, dy, N, place->W, N, 0, dx, K);
}

const ebm_layer_type ebm_dense = {
    .name = "dense", .shape = shape, .weight_rows = weight_rows, .forward = forward, .backward = backward};
