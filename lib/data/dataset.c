/* What all data sets share: loading with its checks, drawing batches, binarisation, means, the hash, finding files.
 *
 * Stochastic binarisation of unit j of example i sets it to 1 where u < p, with u = ((w >> 8) + 1/2) 2^-24 and w word j
 * of the example's stream. For a byte, p = b / 255 and u < p exactly if w >> 8 < 65793 b + (b >= 128), because
 * 2^24 = 255 * 65793 + 1: the same states in the float and the double library. */
#include "data/datasets.h"

#include "core/row_kernels.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1024 }; /* units binarised at a time; a multiple of 4, a block of the generator */
enum { FIXED_SEED = 2008 };

const char *const ebm_binarise_names[] = {"none", "stochastic", "threshold", NULL};

static ebm_status check_half(const ebm_dataset *dataset, const ebm_examples *half, const char *name, ebm_error *error) {
    const char *type = dataset->type->info.name;
    if (half->count > 0 && !half->bytes == !half->reals)
        return ebm_fail(error, EBM_INVALID, "data set %s: the %s half must hold bytes or reals", type, name);
    if (half->count > UINT32_MAX)
        return ebm_fail(error, EBM_INVALID, "data set %s: more than 2^32 - 1 %s examples", type, name);
    if (!half->labels)
        return EBM_OK;
    for (size_t i = 0; i < half->count; i++)
        if (half->labels[i] < 0 || (size_t)half->labels[i] >= dataset->classes)
            return ebm_fail(error, EBM_FORMAT, "data set %s: the label of %s example %zu is %ld: expected 0 to %zu",
                            type, name, i, (long)half->labels[i], dataset->classes - 1);
    return EBM_OK;
}

static ebm_status check(const ebm_dataset *dataset, ebm_error *error) {
    const ebm_space *space = &dataset->space;
    const char *type = dataset->type->info.name;
    size_t product = 1, bytes;
    for (unsigned d = 0; d < space->rank && space->rank <= EBM_MAX_RANK; d++)
        if (__builtin_mul_overflow(product, space->shape[d], &product))
            return ebm_fail(error, EBM_INVALID, "data set %s: the shape of its examples is too large", type);
    if (space->size == 0 || space->rank > EBM_MAX_RANK || product != space->size)
        return ebm_fail(error, EBM_INVALID, "data set %s: its examples have no units", type);
    if (__builtin_mul_overflow(space->size, sizeof(ebm_real), &bytes))
        return ebm_fail(error, EBM_INVALID, "data set %s: its examples are too large", type);
    if (dataset->binarise != EBM_BINARISE_NONE && space->domain != EBM_BINARY)
        return ebm_fail(error, EBM_INVALID, "data set %s: binarise needs a binary domain, this one is %s", type,
                        ebm_domain_name(space->domain));
    if (dataset->train.count == 0 && dataset->test.count == 0)
        return ebm_fail(error, EBM_INVALID, "data set %s: no examples", type);
    EBM_TRY(check_half(dataset, &dataset->train, "training", error));
    return check_half(dataset, &dataset->test, "test", error);
}

static uint64_t fnv1a(uint64_t hash, const void *data, size_t size) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_half(uint64_t hash, const ebm_examples *half, size_t size) {
    hash = fnv1a(hash, &half->count, sizeof half->count);
    if (half->bytes)
        hash = fnv1a(hash, half->bytes, half->count * size);
    if (half->reals)
        hash = fnv1a(hash, half->reals, half->count * size * sizeof(ebm_real));
    return half->labels ? fnv1a(hash, half->labels, half->count * sizeof *half->labels) : hash;
}

static uint64_t hash_of(const ebm_dataset *dataset) {
    const ebm_space *space = &dataset->space;
    const uint64_t kind[] = {space->domain, space->size, space->categories, dataset->binarise, dataset->classes};
    uint64_t hash = fnv1a(UINT64_C(0xcbf29ce484222325), kind, sizeof kind);
    hash = fnv1a(hash, space->shape, space->rank * sizeof *space->shape);
    hash = hash_half(hash, &dataset->train, space->size);
    if (dataset->deviation > 0) {
        hash = fnv1a(hash, &dataset->mean, sizeof dataset->mean);
        hash = fnv1a(hash, &dataset->deviation, sizeof dataset->deviation);
    }
    if (dataset->true_couplings && dataset->true_fields) {
        hash = fnv1a(hash, dataset->true_couplings, space->size * space->size * sizeof(double));
        hash = fnv1a(hash, dataset->true_fields, space->size * sizeof(double));
    }
    return hash_half(hash, &dataset->test, space->size);
}

ebm_status ebm_dataset_load(const ebm_dataset_type *type, const void *options, uint32_t seed, ebm_dataset *out,
                            ebm_error *error) {
    if (!type || !options || !out)
        return ebm_fail(error, EBM_INVALID, "loading data needs a type, its options and a place for the data");
    memset(out, 0, sizeof *out);
    out->type = type;
    ebm_status status = type->load(options, seed, out, error);
    if (status == EBM_OK)
        status = check(out, error);
    if (status != EBM_OK) {
        ebm_dataset_free(out);
        return status;
    }
    out->hash = hash_of(out);
    return EBM_OK;
}

static void free_half(ebm_examples *half) {
    free(half->bytes);
    free(half->reals);
    free(half->labels);
}

void ebm_dataset_free(ebm_dataset *dataset) {
    if (!dataset)
        return;
    free_half(&dataset->train);
    free_half(&dataset->test);
    free(dataset->support);
    free(dataset->support_log_probability);
    free(dataset->true_couplings);
    free(dataset->true_fields);
    free(dataset->law);
    memset(dataset, 0, sizeof *dataset);
}

static void stochastic_states(const ebm_examples *half, size_t at, size_t size, ebm_stream stream, uint32_t chain,
                              uint64_t step, ebm_real *out) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    uint32_t words[PIECE];
    for (size_t first = 0; first < size; first += PIECE) {
        size_t n = size - first < PIECE ? size - first : PIECE;
        kernels->words(stream, chain, step, first / 4, n, words);
        if (half->bytes) {
            const uint8_t *bytes = half->bytes + at + first;
            for (size_t j = 0; j < n; j++)
                out[first + j] = words[j] >> 8 < 65793u * bytes[j] + (bytes[j] >> 7);
        } else {
            const ebm_real *reals = half->reals + at + first;
            for (size_t j = 0; j < n; j++)
                out[first + j] = ((double)(words[j] >> 8) + 0.5) * 0x1p-24 < (double)reals[j];
        }
    }
}

static void threshold_states(const ebm_examples *half, size_t at, size_t size, ebm_real *out) {
    for (size_t j = 0; j < size; j++)
        out[j] = half->bytes ? half->bytes[at + j] >= 128 : half->reals[at + j] >= (ebm_real)0.5;
}

/* The value of a byte of real-valued data: its intensity, standardised where that is asked for. */
static double intensity(const ebm_dataset *dataset, double byte) {
    return dataset->deviation > 0 ? (byte / 255.0 - dataset->mean) / dataset->deviation : byte / 255.0;
}

/* Bytes of real-valued data are intensities; bytes of discrete data are states. */
static void plain_states(const ebm_dataset *dataset, const ebm_examples *half, size_t at, size_t size, ebm_real *out) {
    const bool real = dataset->space.domain == EBM_REAL_LINE;
    if (half->reals) {
        memcpy(out, half->reals + at, size * sizeof *out);
        return;
    }
    for (size_t j = 0; j < size; j++)
        out[j] = real ? (ebm_real)intensity(dataset, half->bytes[at + j]) : (ebm_real)half->bytes[at + j];
}

/* Whether values are of 0/1 units and states of spins. */
static bool is_turned(const ebm_dataset *dataset, const ebm_examples *half) {
    return dataset->space.domain == EBM_SPIN && (half->bytes || dataset->binarise != EBM_BINARISE_NONE);
}

static void turn(size_t count, ebm_real *x) {
    for (size_t k = 0; x && k < count; k++)
        x[k] = 2 * x[k] - 1;
}

void ebm_dataset_to_spins(ebm_dataset *dataset) {
    if (dataset->space.domain != EBM_BINARY)
        return;
    dataset->space.domain = EBM_SPIN;
    turn(dataset->support_count * dataset->space.size, dataset->support);
    if (dataset->binarise == EBM_BINARISE_NONE) { /* else intensities, which batches are drawn from */
        turn(dataset->train.count * dataset->space.size, dataset->train.reals);
        turn(dataset->test.count * dataset->space.size, dataset->test.reals);
    }
}

void ebm_examples_batch(const ebm_dataset *dataset, const ebm_examples *half, const uint32_t *rows, size_t first,
                        size_t count, ebm_stream stream, uint64_t step, ebm_real *out) {
    const size_t size = dataset->space.size;
    const bool turned = is_turned(dataset, half);
    for (size_t b = 0; b < count; b++, out += size) {
        size_t row = rows ? rows[b] : first + b;
        assert(row < half->count);
        switch (dataset->binarise) {
        case EBM_BINARISE_STOCHASTIC:
            stochastic_states(half, row * size, size, stream, (uint32_t)row, step, out);
            break;
        case EBM_BINARISE_THRESHOLD:
            threshold_states(half, row * size, size, out);
            break;
        case EBM_BINARISE_NONE:
            plain_states(dataset, half, row * size, size, out);
            break;
        }
        for (size_t j = 0; turned && j < size; j++)
            out[j] = 2 * out[j] - 1;
    }
}

void ebm_examples_fixed(const ebm_dataset *dataset, const ebm_examples *half, size_t first, size_t count,
                        ebm_real *out) {
    /* Steps that no run of training reaches; the halves do not share their noise. */
    uint64_t step = UINT64_C(1) << 63 | (half == &dataset->test);
    ebm_examples_batch(dataset, half, NULL, first, count, ebm_stream_of(FIXED_SEED, EBM_PURPOSE_BINARISE), step, out);
}

/* Value of one unit as its mean counts it: the probability of 1 where binarisation is stochastic, else the state. */
static double mean_value(const ebm_dataset *dataset, size_t at) {
    const ebm_examples *half = &dataset->train;
    double value = half->bytes ? half->bytes[at] : (double)half->reals[at];
    if (half->bytes && dataset->space.domain == EBM_REAL_LINE)
        value = intensity(dataset, value);
    else if (half->bytes && dataset->binarise != EBM_BINARISE_NONE)
        value /= 255;
    value = dataset->binarise == EBM_BINARISE_THRESHOLD ? value >= 0.5 : value;
    return is_turned(dataset, half) ? 2 * value - 1 : value;
}

void ebm_dataset_means(const ebm_dataset *dataset, double *out) {
    size_t size = dataset->space.size, count = dataset->train.count;
    for (size_t j = 0; j < size; j++)
        out[j] = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < size; j++)
            out[j] += mean_value(dataset, i * size + j);
    for (size_t j = 0; j < size && count > 0; j++)
        out[j] /= (double)count;
}

ebm_status ebm_data_uniform(ebm_write_state *write, const void *context, size_t count, size_t draws, uint32_t seed,
                            size_t classes, ebm_dataset *out, ebm_error *error) {
    size_t size = out->space.size, train = draws ? draws : count, cells, train_cells;
    if (__builtin_mul_overflow(count, size, &cells) || __builtin_mul_overflow(train, size, &train_cells))
        return ebm_fail(error, EBM_NO_MEMORY, "data set %s: its size overflows", out->type->info.name);
    out->support = calloc(cells, sizeof *out->support);
    out->support_log_probability = calloc(count, sizeof *out->support_log_probability);
    out->test.bytes = malloc(cells);
    out->train.bytes = malloc(train_cells);
    if (classes > 0) {
        out->classes = classes;
        out->train.labels = calloc(train, sizeof *out->train.labels);
        out->test.labels = calloc(count, sizeof *out->test.labels);
    }
    if (!out->support || !out->support_log_probability || !out->test.bytes || !out->train.bytes ||
        (classes > 0 && (!out->train.labels || !out->test.labels)))
        return ebm_fail(error, EBM_NO_MEMORY, "data set %s: no memory for %zu states", out->type->info.name, count);
    out->support_count = out->test.count = count;
    out->train.count = train;
    for (size_t i = 0; i < count; i++) {
        int32_t label = write(i, context, out->test.bytes + i * size);
        if (classes > 0)
            out->test.labels[i] = label;
        out->support_log_probability[i] = -log((double)count);
    }
    for (size_t i = 0; i < cells; i++)
        out->support[i] = out->test.bytes[i];
    ebm_stream stream = ebm_stream_of(seed, EBM_PURPOSE_DATA);
    for (size_t i = 0; i < train; i++) {
        size_t state = draws ? ebm_random_below(stream, (uint32_t)i, 0, 0, (uint32_t)count) : i;
        memcpy(out->train.bytes + i * size, out->test.bytes + state * size, size);
        if (classes > 0)
            out->train.labels[i] = out->test.labels[state];
    }
    return EBM_OK;
}

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

ebm_status ebm_dataset_path(const char *folder, const char *file, char *buffer, size_t size, ebm_error *error) {
    const char *root = getenv("EBM_DATASETS");
    bool given = root && *root;
    if (!folder || !file || !buffer)
        return ebm_fail(error, EBM_INVALID, "finding a file of data needs its folder and name");
    if (given && !is_folder(root))
        return ebm_fail(error, EBM_IO, "EBM_DATASETS is '%s': that is not an existing folder", root);
    if (!given)
        root = "datasets";
    static const char *const endings[] = {"", ".gz"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int length = snprintf(buffer, size, "%s/%s/%s%s", root, folder, file, endings[i]);
        if (length < 0 || (size_t)length >= size)
            return ebm_fail(error, EBM_INVALID, "the path of %s/%s is longer than %zu characters", folder, file, size);
        if (access(buffer, F_OK) == 0)
            return EBM_OK;
    }
    return ebm_fail(error, EBM_IO,
                    "%s/%s not found in %s (nor with .gz): set EBM_DATASETS to the folder that holds %s/, or fetch it "
                    "with `make -f Makefile.experiments data`",
                    folder, file, root, folder);
}
