/* A user's own arrays: the first dimension counts examples, the others are an example's shape, which is kept. */
#include "data/user_data.h"
#include "ebm/npy.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LABEL = 1000000 };

typedef struct npy_options {
    ebm_user_options common;
    char *train_labels, *test_labels;
} npy_options;

static const ebm_option options_table[] = {
    EBM_USER_OPTIONS(npy_options, "none"),
    {"train_labels", EBM_OPTION_STRING, EBM_OFFSET(npy_options, train_labels), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "array of whole numbers from 0, one for each training example"},
    {"test_labels", EBM_OPTION_STRING, EBM_OFFSET(npy_options, test_labels), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "the same for the test examples"},
    EBM_OPTIONS_END,
};

static ebm_status read_labels(const char *path, ebm_examples *half, size_t *classes, ebm_error *error) {
    ebm_npy array;
    EBM_TRY(ebm_npy_read(path, EBM_DATA_LIMIT, &array, error));
    ebm_status status = EBM_OK;
    if (array.rank != 1 || array.count != half->count)
        status = ebm_fail(error, EBM_FORMAT, "%s: %zu labels in %u dimensions: expected %zu in 1, one an example", path,
                          array.count, array.rank, half->count);
    else if (!(half->labels = calloc(half->count, sizeof *half->labels)))
        status = ebm_fail(error, EBM_NO_MEMORY, "%s: no memory for %zu labels", path, array.count);
    for (size_t i = 0; status == EBM_OK && i < array.count; i++) {
        double value = ebm_npy_value(&array, i);
        if (!(value >= 0 && value <= MOST_LABEL) || value != (double)(int32_t)value) {
            status = ebm_fail(error, EBM_FORMAT, "%s: label %zu is %g: expected a whole number from 0 to %d", path, i,
                              value, MOST_LABEL);
            break;
        }
        half->labels[i] = (int32_t)value;
        *classes = *classes > (size_t)value + 1 ? *classes : (size_t)value + 1;
    }
    ebm_npy_free(&array);
    return status;
}

/* The array's elements as bytes or reals of a half; the array is used up. */
static ebm_status take_values(const char *path, ebm_npy *array, ebm_examples *half, ebm_error *error) {
    half->count = array->shape[0];
    if (array->type == EBM_NPY_UINT8) {
        half->bytes = array->data;
        array->data = NULL;
        return EBM_OK;
    }
    half->reals = malloc(array->count * sizeof *half->reals);
    if (!half->reals)
        return ebm_fail(error, EBM_NO_MEMORY, "%s: no memory for %zu values", path, array->count);
    for (size_t i = 0; i < array->count; i++)
        half->reals[i] = (ebm_real)ebm_npy_value(array, i);
    return EBM_OK;
}

static ebm_status read_half(const ebm_user_options *options, const char *path, unsigned *rank, size_t *shape,
                            ebm_examples *half, ebm_error *error) {
    ebm_npy array;
    EBM_TRY(ebm_npy_read(path, EBM_DATA_LIMIT, &array, error));
    ebm_status status;
    if (array.rank < 2 || array.count == 0)
        status = ebm_fail(error, EBM_FORMAT,
                          "%s: no examples: expected an array of 2 to 4 dimensions, the first counting examples", path);
    else
        status = take_values(path, &array, half, error);
    if (status == EBM_OK) {
        *rank = array.rank - 1;
        memcpy(shape, array.shape + 1, *rank * sizeof *shape);
        status = ebm_user_values_check(options, path, array.count / half->count, half, error);
    }
    ebm_npy_free(&array);
    return status;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const npy_options *chosen = options;
    const ebm_user_options *common = &chosen->common;
    unsigned rank = 0, test_rank = 0;
    size_t shape[EBM_MAX_RANK], test_shape[EBM_MAX_RANK];
    EBM_TRY(ebm_user_options_check(common, error));
    if (chosen->test_labels && !common->test)
        return ebm_fail(error, EBM_INVALID, "option 'test_labels' is given without 'test'");
    if (common->test && !chosen->train_labels != !chosen->test_labels)
        return ebm_fail(error, EBM_INVALID, "options 'train_labels' and 'test_labels' go together");
    EBM_TRY(read_half(common, common->train, &rank, shape, &out->train, error));
    if (common->test)
        EBM_TRY(read_half(common, common->test, &test_rank, test_shape, &out->test, error));
    EBM_TRY(ebm_user_space(common, rank, shape, test_rank, test_shape, out, error));
    if (chosen->train_labels)
        EBM_TRY(read_labels(chosen->train_labels, &out->train, &out->classes, error));
    if (chosen->test_labels)
        EBM_TRY(read_labels(chosen->test_labels, &out->test, &out->classes, error));
    return ebm_user_finish(common, seed, out, error);
}

const ebm_dataset_type ebm_npy_data = {
    .info = {.name = "npy",
             .about = "your own NumPy arrays: float32, float64 or uint8, examples first",
             .citation = "",
             .options = options_table,
             .options_size = sizeof(npy_options)},
    .load = load,
};
