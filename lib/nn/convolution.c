/* Convolution by products (K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for document
 * processing", 2006): the windows of a few pictures are laid out as the rows of a matrix P, so that with S = size
 *   y (pixels, C_out) = P (pixels, S S C_in) W + bias,   dW = P' dy,   dP = dy W',
 * and dx adds each entry of dP to the pixel that it was copied from. P is made anew in each pass, for as many pictures as
 * keep it in cache.
 *
 * With channels last, a row of a window is one run of S C_in numbers. Where those runs are short (few channels), P is laid
 * out transposed, (S S C_in, pixels): its rows are then made of runs as long as a picture's row. */
#include "nn/layers.h"

#include "core/matrix_blocks.h"

#include <string.h>

enum { CACHED = 1 << 17 /* reals in P */, FEW_CHANNELS = 1 };

static ebm_status shape(const ebm_layer *layer, ebm_picture in, ebm_picture *out, ebm_error *error) {
    const size_t S = layer->size;
    if (S < 1 || layer->channels < 1)
        return ebm_fail(error, EBM_INVALID, "a kernel of %zu x %zu to %zu channels", S, S, layer->channels);
    if (layer->same && S % 2 == 0)
        return ebm_fail(error, EBM_INVALID, "a kernel of even side %zu has no middle for `same`", S);
    if (!layer->same && (S > in.rows || S > in.columns))
        return ebm_fail(error, EBM_INVALID, "a kernel of %zu x %zu on a picture of %zu x %zu", S, S, in.rows,
                        in.columns);
    const size_t less = layer->same ? 0 : S - 1;
    *out = (ebm_picture){in.rows - less, in.columns - less, layer->channels};
    return EBM_OK;
}

static size_t weight_rows(const ebm_layer *layer, ebm_picture in) {
    return layer->size * layer->size * in.channels;
}

/* Pictures whose windows are laid out at once. */
static size_t pictures_at_once(const ebm_layer_place *place) {
    const size_t each = place->out.rows * place->out.columns * weight_rows(place->layer, place->in);
    const size_t fit = CACHED / each;
    return fit < 1 ? 1 : fit < EBM_NET_GROUP ? fit : EBM_NET_GROUP;
}

static size_t scratch(const ebm_layer_place *place) {
    return pictures_at_once(place) * place->out.rows * place->out.columns * weight_rows(place->layer, place->in);
}

/* Which of a window's S columns, at output column `column`, lie in the picture: from *first, *count of them, and the first of
 * them is column *at of the picture. */
static void inside(size_t S, size_t pad, size_t columns, size_t column, size_t *first, size_t *count, size_t *at) {
    *first = column < pad ? pad - column : 0;
    *at = column + *first - pad;
    const size_t left = columns - *at;
    *count = S - *first < left ? S - *first : left;
}

/* The layout of one picture: P (pixels, S S C) where `to_picture` is false; the way back, x += P, where it is true. */
static void windows(const ebm_layer_place *place, bool to_picture, ebm_real *x, ebm_real *P) {
    const size_t S = place->layer->size, C = place->in.channels, pad = place->layer->same ? S / 2 : 0;
    for (size_t r = 0; r < place->out.rows; r++)
        for (size_t c = 0; c < place->out.columns; c++) {
            size_t first, n, at;
            inside(S, pad, place->in.columns, c, &first, &n, &at);
            for (size_t i = 0; i < S; i++, P += S * C) {
                const bool missing = r + i < pad || r + i - pad >= place->in.rows;
                if (missing && !to_picture)
                    memset(P, 0, S * C * sizeof *P);
                if (missing)
                    continue;
                ebm_real *restrict run = x + ((r + i - pad) * place->in.columns + at) * C, *restrict to = P + first * C;
                if (to_picture) {
                    for (size_t k = 0; k < n * C; k++)
                        run[k] += to[k];
                    continue;
                }
                memcpy(to, run, n * C * sizeof *to);
                if (n < S) {
                    memset(P, 0, first * C * sizeof *P);
                    memset(to + n * C, 0, (S - first - n) * C * sizeof *P);
                }
            }
        }
}

/* The transposed layout of one picture: its pixels are columns `offset` ... of P, whose rows are `length` long. */
static void windows_across(const ebm_layer_place *place, bool to_picture, ebm_real *x, ebm_real *P, size_t offset,
                           size_t length) {
    const size_t S = place->layer->size, C = place->in.channels, pad = place->layer->same ? S / 2 : 0;
    const size_t columns = place->out.columns;
    for (size_t k = 0; k < S * S * C; k++) {
        const size_t i = k / C / S, j = k / C % S;
        const size_t from =
            j < pad ? pad - j : 0; /* output columns whose j-th window column is in the picture: from .. to */
        const size_t end = place->in.columns + pad > j ? place->in.columns + pad - j : 0,
                     to = end < columns ? end : columns;
        for (size_t r = 0; r < place->out.rows; r++) {
            ebm_real *restrict row = P + k * length + offset + r * columns;
            const bool missing = r + i < pad || r + i - pad >= place->in.rows;
            if (missing || from >= to) {
                if (!to_picture)
                    memset(row, 0, columns * sizeof *row);
                continue;
            }
            ebm_real *restrict at = x + ((r + i - pad) * place->in.columns + from + j - pad) * C + k % C;
            if (to_picture) {
                for (size_t c = from; c < to; c++)
                    at[(c - from) * C] += row[c];
                continue;
            }
            for (size_t c = 0; c < from; c++)
                row[c] = 0;
            for (size_t c = from; c < to; c++)
                row[c] = at[(c - from) * C];
            for (size_t c = to; c < columns; c++)
                row[c] = 0;
        }
    }
}

/* P of `n` pictures; `across`: transposed. */
static void lay_out(const ebm_layer_place *place, bool across, size_t n, const ebm_real *x, ebm_real *P) {
    const size_t pixels = place->out.rows * place->out.columns, K = weight_rows(place->layer, place->in);
    for (size_t b = 0; b < n; b++) {
        ebm_real *picture = (ebm_real *)x + b * ebm_picture_size(place->in); /* only read */
        if (across)
            windows_across(place, false, picture, P, b * pixels, n * pixels);
        else
            windows(place, false, picture, P + b * pixels * K);
    }
}

static void forward(const ebm_layer_place *place, size_t count, const ebm_real *x, ebm_real *y, ebm_real *P) {
    const size_t pixels = place->out.rows * place->out.columns, K = weight_rows(place->layer, place->in);
    const size_t N = place->out.channels, most = pictures_at_once(place);
    const bool across = place->in.channels <= FEW_CHANNELS;
    for (size_t b = 0; b < count; b += most) {
        const size_t n = count - b < most ? count - b : most, M = n * pixels;
        ebm_real *out = y + b * pixels * N;
        lay_out(place, across, n, x + b * ebm_picture_size(place->in), P);
        ebm_fill_rows(M, N, place->bias, out);
        ebm_gemm_block(across, false, M, N, K, 1, P, across ? M : K, place->W, N, 1, out, N);
    }
}

/* dx of `n` pictures from dy, by way of dP. */
static void to_input(const ebm_layer_place *place, bool across, size_t n, const ebm_real *dy, ebm_real *dx,
                     ebm_real *P) {
    const size_t pixels = place->out.rows * place->out.columns, K = weight_rows(place->layer, place->in);
    const size_t N = place->out.channels, M = n * pixels, size = ebm_picture_size(place->in);
    if (across)
        ebm_gemm_block(false, true, K, M, N, 1, place->W, N, dy, N, 0, P, M);
    else
        ebm_gemm_block(false, true, M, K, N, 1, dy, N, place->W, N, 0, P, K);
    memset(dx, 0, n * size * sizeof *dx);
    for (size_t b = 0; b < n; b++) {
        if (across)
            windows_across(place, true, dx + b * size, P, b * pixels, M);
        else
            windows(place, true, dx + b * size, P + b * pixels * K);
    }
}

static void backward(const ebm_layer_place *place, size_t count, const ebm_real *x, const ebm_real *y,
                     const ebm_real *dy, ebm_real *dx, ebm_real *dW, ebm_real *dbias, ebm_real *P) {
    const size_t pixels = place->out.rows * place->out.columns, K = weight_rows(place->layer, place->in);
    const size_t N = place->out.channels, most = pictures_at_once(place), size = ebm_picture_size(place->in);
    const bool across = place->in.channels <= FEW_CHANNELS;
    (void)y;
    for (size_t b = 0; b < count; b += most) {
        const size_t n = count - b < most ? count - b : most, M = n * pixels;
        const ebm_real *slope = dy + b * pixels * N;
        if (dW != NULL) {
            lay_out(place, across, n, x + b * size, P);
            ebm_gemm_block(!across, false, K, N, M, 1, P, across ? M : K, slope, N, 1, dW, N);
        }
        if (dx != NULL)
            to_input(place, across, n, slope, dx + b * size, P);
    }
    if (dbias != NULL)
        ebm_add_column_sums(count * pixels, N, dy, dbias);
}

const ebm_layer_type ebm_convolution = {.name = "convolution",
                                        .shape = shape,
                                        .weight_rows = weight_rows,
                                        .scratch = scratch,
                                        .forward = forward,
                                        .backward = backward};
