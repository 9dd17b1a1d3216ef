/* Activations, each number by itself. Derivatives, with s = sigmoid(x):
 *   relu      [x > 0]
 *   softplus  s
 *   tanh      1 - y^2
 *   silu      s + x s (1 - s) = s + y (1 - s)   (D. Hendrycks, K. Gimpel, 2016; S. Elfwing, E. Uchibe, K. Doya, 2018) */
#include "nn/layers.h"

#include "core/row_kernels.h"

#include <math.h>

#ifdef EBM_DOUBLE
#define EXP exp
#define LOG1P log1p
#define TANH tanh
#define FABS fabs
#else
#define EXP expf
#define LOG1P log1pf
#define TANH tanhf
#define FABS fabsf
#endif

static ebm_status shape(const ebm_layer *layer, ebm_picture in, ebm_picture *out, ebm_error *error) {
    (void)layer;
    (void)error;
    *out = in;
    return EBM_OK;
}

static size_t numbers(const ebm_layer_place *place, size_t count) {
    return count * ebm_picture_size(place->in);
}

static void relu(const ebm_layer_place *place, size_t count, const ebm_real *restrict x, ebm_real *restrict y,
                 ebm_real *scratch) {
    (void)scratch;
    for (size_t i = 0; i < numbers(place, count); i++)
        y[i] = x[i] < 0 ? 0 : x[i]; /* NaN stays NaN */
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|) */
static void softplus(const ebm_layer_place *place, size_t count, const ebm_real *restrict x, ebm_real *restrict y,
                     ebm_real *scratch) {
    (void)scratch;
    for (size_t i = 0; i < numbers(place, count); i++)
        y[i] = (x[i] > 0 ? x[i] : 0) + LOG1P(EXP(-FABS(x[i])));
}

static void tanh_forward(const ebm_layer_place *place, size_t count, const ebm_real *restrict x, ebm_real *restrict y,
                         ebm_real *scratch) {
    (void)scratch;
    for (size_t i = 0; i < numbers(place, count); i++)
        y[i] = TANH(x[i]);
}

static void silu(const ebm_layer_place *place, size_t count, const ebm_real *restrict x, ebm_real *restrict y,
                 ebm_real *scratch) {
    const size_t n = numbers(place, count);
    (void)scratch;
    ebm_row_kernels_get()->sigmoid(n, x, 1, NULL, y);
    for (size_t i = 0; i < n; i++)
        y[i] *= x[i];
}

/* Head of a `backward`; y, dW, dbias and scratch are not used by all. */
#define BACKWARD(name)                                                                                                 \
    static void name(const ebm_layer_place *place, size_t count, const ebm_real *restrict x,                           \
                     const ebm_real *restrict y, const ebm_real *restrict dy, ebm_real *restrict dx, ebm_real *dW,     \
                     ebm_real *dbias, ebm_real *scratch)
#define UNUSED(...) (void)(sizeof((const void *[]){__VA_ARGS__}))

BACKWARD(relu_backward) {
    UNUSED(y, dW, dbias, scratch);
    for (size_t i = 0; dx != NULL && i < numbers(place, count); i++)
        dx[i] = x[i] > 0 ? dy[i] : 0;
}

BACKWARD(softplus_backward) {
    const size_t n = numbers(place, count);
    UNUSED(y, dW, dbias, scratch);
    if (dx == NULL)
        return;
    ebm_row_kernels_get()->sigmoid(n, x, 1, NULL, dx);
    for (size_t i = 0; i < n; i++)
        dx[i] *= dy[i];
}

BACKWARD(tanh_backward) {
    UNUSED(x, dW, dbias, scratch);
    for (size_t i = 0; dx != NULL && i < numbers(place, count); i++)
        dx[i] = dy[i] * (1 - y[i] * y[i]);
}

BACKWARD(silu_backward) {
    const size_t n = numbers(place, count);
    UNUSED(dW, dbias, scratch);
    if (dx == NULL)
        return;
    ebm_row_kernels_get()->sigmoid(n, x, 1, NULL, dx);
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * (dx[i] + y[i] * (1 - dx[i]));
}

#define ACTIVATION(object, text, forwards, backwards)                                                                  \
    const ebm_layer_type object = {.name = text, .shape = shape, .forward = forwards, .backward = backwards}
ACTIVATION(ebm_relu, "relu", relu, relu_backward);
ACTIVATION(ebm_softplus, "softplus", softplus, softplus_backward);
ACTIVATION(ebm_tanh, "tanh", tanh_forward, tanh_backward);
ACTIVATION(ebm_silu, "silu", silu, silu_backward);
