/* Nets as .npy files, and the hash that tells two nets apart. */
#include "ebm/nn.h"

#include "ebm/npy.h"
#include "nn/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 4, LONGEST_PATH = 4096, HASH_BYTES = 8 };

static uint64_t fnv1a(uint64_t hash, const void *data, size_t size) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* The table of layers.npy; returns its rows. */
static size_t layer_table(const ebm_net *net, double table[EBM_NET_LAYERS + 1][COLUMNS]) {
    const ebm_picture in = net->shapes[0];
    const double head[COLUMNS] = {(double)in.rows, (double)in.columns, (double)in.channels,
                                  (double)net->feature_layers};
    memcpy(table[0], head, sizeof head);
    for (size_t i = 0; i < net->n_layers; i++) {
        const ebm_layer *layer = &net->layers[i];
        size_t code = 0;
        while (ebm_layer_types[code] != layer->type)
            code++;
        const double row[COLUMNS] = {(double)code, (double)layer->size, (double)layer->channels, layer->same};
        memcpy(table[i + 1], row, sizeof row);
    }
    return net->n_layers + 1;
}

uint64_t ebm_net_hash(const ebm_net *net) {
    double table[EBM_NET_LAYERS + 1][COLUMNS];
    const size_t rows = layer_table(net, table);
    const uint64_t hash = fnv1a(UINT64_C(0xcbf29ce484222325), table, rows * sizeof table[0]);
    return fnv1a(hash, net->theta, net->n_theta * sizeof *net->theta);
}

static ebm_status path_of(const char *directory, const char *name, char path[LONGEST_PATH], ebm_error *error) {
    const int length = snprintf(path, LONGEST_PATH, "%s/%s.npy", directory, name);
    if (length < 0 || length >= LONGEST_PATH)
        return ebm_fail(error, EBM_INVALID, "the path of %s.npy is too long", name);
    return EBM_OK;
}

ebm_status ebm_net_save(const ebm_net *net, const char *directory, ebm_error *error) {
    double table[EBM_NET_LAYERS + 1][COLUMNS];
    const size_t shape[2] = {layer_table(net, table), COLUMNS}, hash_shape[1] = {HASH_BYTES};
    const uint64_t hash = ebm_net_hash(net);
    unsigned char bytes[HASH_BYTES];
    char path[LONGEST_PATH];
    for (int i = 0; i < HASH_BYTES; i++)
        bytes[i] = (unsigned char)(hash >> (56 - 8 * i));
    EBM_TRY(path_of(directory, "layers", path, error));
    EBM_TRY(ebm_npy_write(path, EBM_NPY_FLOAT64, 2, shape, table, error));
    for (size_t v = 0; v < net->n_views; v++) {
        const ebm_view *view = &net->views[v];
        const size_t view_shape[2] = {view->rows, view->columns};
        EBM_TRY(path_of(directory, view->name, path, error));
        EBM_TRY(ebm_npy_write(path, sizeof(ebm_real) == 8 ? EBM_NPY_FLOAT64 : EBM_NPY_FLOAT32, view->columns ? 2 : 1,
                              view_shape, net->theta + view->offset, error));
    }
    EBM_TRY(path_of(directory, "hash", path, error));
    return ebm_npy_write(path, EBM_NPY_UINT8, 1, hash_shape, bytes, error);
}

/* Element (i, j) of layers.npy as a whole number up to 2^24. */
static ebm_status whole(const ebm_npy *table, const char *path, size_t i, size_t j, size_t *out, ebm_error *error) {
    const double value = ebm_npy_value(table, i * COLUMNS + j);
    if (!(value >= 0 && value <= 1 << 24) || value != (double)(size_t)value)
        return ebm_fail(error, EBM_FORMAT, "%s: row %zu, column %zu is %g, expected a whole number", path, i, j, value);
    *out = (size_t)value;
    return EBM_OK;
}

static ebm_status net_of_table(const ebm_npy *table, const char *path, ebm_net **out, ebm_error *error) {
    ebm_layer layers[EBM_NET_LAYERS];
    size_t head[COLUMNS];
    if (table->rank != 2 || table->shape[1] != COLUMNS || table->shape[0] < 2 || table->shape[0] > EBM_NET_LAYERS + 1)
        return ebm_fail(error, EBM_FORMAT, "%s: expected 2 to %d rows of %d numbers", path, EBM_NET_LAYERS + 1,
                        COLUMNS);
    const size_t count = table->shape[0] - 1;
    for (size_t j = 0; j < COLUMNS; j++)
        EBM_TRY(whole(table, path, 0, j, &head[j], error));
    for (size_t i = 0; i < count; i++) {
        size_t row[COLUMNS];
        for (size_t j = 0; j < COLUMNS; j++)
            EBM_TRY(whole(table, path, i + 1, j, &row[j], error));
        if (row[0] >= EBM_LAYER_TYPES)
            return ebm_fail(error, EBM_FORMAT, "%s: row %zu is of layer type %zu: this program knows %d", path, i + 1,
                            row[0], EBM_LAYER_TYPES);
        layers[i] = (ebm_layer){ebm_layer_types[row[0]], row[1], row[2], row[3] != 0};
    }
    if (head[3] < 1 || head[3] > count)
        return ebm_fail(error, EBM_FORMAT, "%s: features of %zu layers of %zu", path, head[3], count);
    EBM_TRY(ebm_net_create((ebm_picture){head[0], head[1], head[2]}, layers, count, out, error));
    (*out)->feature_layers = head[3];
    return EBM_OK;
}

static ebm_status load_view(ebm_net *net, const ebm_view *view, const char *directory, ebm_error *error) {
    const size_t count = view->rows * (view->columns ? view->columns : 1);
    char path[LONGEST_PATH];
    ebm_npy array;
    EBM_TRY(path_of(directory, view->name, path, error));
    EBM_TRY(ebm_npy_read(path, count * sizeof(double), &array, error));
    ebm_status status = EBM_OK;
    if (array.count != count || array.rank != (view->columns ? 2 : 1) || array.shape[0] != view->rows)
        status = ebm_fail(error, EBM_FORMAT, "%s: the net needs an array of shape (%zu, %zu)", path, view->rows,
                          view->columns);
    for (size_t k = 0; status == EBM_OK && k < count; k++) {
        const double value = ebm_npy_value(&array, k);
        net->theta[view->offset + k] = (ebm_real)value;
        if (!(value > -1e30 && value < 1e30))
            status = ebm_fail(error, EBM_FORMAT, "%s: element %zu is %g, not a usable weight", path, k, value);
    }
    ebm_npy_free(&array);
    return status;
}

static ebm_status check_hash(const ebm_net *net, const char *directory, ebm_error *error) {
    char path[LONGEST_PATH];
    ebm_npy array;
    uint64_t hash = 0;
    EBM_TRY(path_of(directory, "hash", path, error));
    EBM_TRY(ebm_npy_read(path, HASH_BYTES, &array, error));
    for (size_t i = 0; i < array.count; i++)
        hash = hash << 8 | (uint64_t)(unsigned char)ebm_npy_value(&array, i);
    const bool same = array.type == EBM_NPY_UINT8 && array.count == HASH_BYTES && hash == ebm_net_hash(net);
    ebm_npy_free(&array);
    return same ? EBM_OK
                : ebm_fail(
                      error, EBM_FORMAT,
                      "%s: not the hash of the net beside it (%016llx): a file was changed, or is of another net or "
                      "of a build of another precision",
                      path, (unsigned long long)ebm_net_hash(net));
}

ebm_status ebm_net_load(const char *directory, ebm_net **out, ebm_error *error) {
    char path[LONGEST_PATH];
    ebm_npy table;
    ebm_net *net = NULL;
    *out = NULL;
    EBM_TRY(path_of(directory, "layers", path, error));
    EBM_TRY(ebm_npy_read(path, (EBM_NET_LAYERS + 1) * COLUMNS * sizeof(double), &table, error));
    ebm_status status = net_of_table(&table, path, &net, error);
    ebm_npy_free(&table);
    for (size_t v = 0; status == EBM_OK && v < net->n_views; v++)
        status = load_view(net, &net->views[v], directory, error);
    if (status == EBM_OK)
        status = check_hash(net, directory, error);
    if (status == EBM_OK)
        *out = net;
    else
        ebm_net_free(net);
    return status;
}
