/* What a kind of layer is to a net. All work of one call is on the calling thread, on a group of examples. */
#ifndef EBM_NN_LAYERS_H
#define EBM_NN_LAYERS_H

#include "ebm/nn.h"

/* A layer in its place in a net. */
typedef struct ebm_layer_place {
    const ebm_layer *layer;
    ebm_picture in, out;
    const ebm_real *W, *bias; /* NULL where it has none */
} ebm_layer_place;

struct ebm_layer_type {
    const char *name;
    /* The shape of the output, or EBM_INVALID with what does not fit; the caller adds which layer. */
    ebm_status (*shape)(const ebm_layer *layer, ebm_picture in, ebm_picture *out, ebm_error *error);
    size_t (*weight_rows)(const ebm_layer *layer,
                          ebm_picture in);           /* W has so many rows, `channels` columns; NULL: no W */
    size_t (*scratch)(const ebm_layer_place *place); /* reals, for any count up to EBM_NET_GROUP; NULL: none */
    /* y = layer(x) */
    void (*forward)(const ebm_layer_place *place, size_t count, const ebm_real *x, ebm_real *y, ebm_real *scratch);
    /* dx (NULL: not wanted) = d loss / d x; dW, dbias (NULL: not wanted) += d loss / d W, d bias; from dy = d loss / d y */
    void (*backward)(const ebm_layer_place *place, size_t count, const ebm_real *x, const ebm_real *y,
                     const ebm_real *dy, ebm_real *dx, ebm_real *dW, ebm_real *dbias, ebm_real *scratch);
};

/* For the file of a net: append only, the index is a layer's code. */
extern const ebm_layer_type *const ebm_layer_types[];
enum { EBM_LAYER_TYPES = 8 };

/* y (rows, columns) = bias in every row */
void ebm_fill_rows(size_t rows, size_t columns, const ebm_real *bias, ebm_real *y);
/* sums (columns) += column sums of y, in double */
void ebm_add_column_sums(size_t rows, size_t columns, const ebm_real *y, ebm_real *sums);

#endif
