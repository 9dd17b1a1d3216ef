/* A user's own IDX files (the format of MNIST and its relatives), plain or gzip: the first dimension counts examples.
 */
#include "data/idx.h"
#include "data/user_data.h"

typedef struct idx_options {
    ebm_user_options common;
    char *train_labels, *test_labels;
} idx_options;

static const ebm_option options_table[] = {
    EBM_USER_OPTIONS(idx_options, "stochastic"),
    {"train_labels", EBM_OPTION_STRING, EBM_OFFSET(idx_options, train_labels), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "IDX file of one label for each training example"},
    {"test_labels", EBM_OPTION_STRING, EBM_OFFSET(idx_options, test_labels), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "the same for the test examples"},
    EBM_OPTIONS_END,
};

static ebm_status read_half(const ebm_user_options *options, const char *path, const char *labels, ebm_idx_half *half,
                            ebm_examples *out, size_t *classes, ebm_error *error) {
    EBM_TRY(ebm_idx_half_read(path, labels, 0, half, error));
    *out = (ebm_examples){.count = half->count, .bytes = half->bytes, .labels = half->labels};
    if (labels && *classes < (size_t)half->largest_label + 1)
        *classes = (size_t)half->largest_label + 1;
    size_t size = 1; /* cannot overflow: the whole array is in memory */
    for (unsigned d = 0; d < half->rank; d++)
        size *= half->shape[d];
    return ebm_user_values_check(options, path, size, out, error);
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const idx_options *chosen = options;
    const ebm_user_options *common = &chosen->common;
    ebm_idx_half train, test = {0};
    EBM_TRY(ebm_user_options_check(common, error));
    if (chosen->test_labels && !common->test)
        return ebm_fail(error, EBM_INVALID, "option 'test_labels' is given without 'test'");
    if (common->test && !chosen->train_labels != !chosen->test_labels)
        return ebm_fail(error, EBM_INVALID, "options 'train_labels' and 'test_labels' go together");
    EBM_TRY(read_half(common, common->train, chosen->train_labels, &train, &out->train, &out->classes, error));
    if (common->test)
        EBM_TRY(read_half(common, common->test, chosen->test_labels, &test, &out->test, &out->classes, error));
    EBM_TRY(ebm_user_space(common, train.rank, train.shape, test.rank, test.shape, out, error));
    return ebm_user_finish(common, seed, out, error);
}

const ebm_dataset_type ebm_idx_data = {
    .info = {.name = "idx",
             .about = "your own IDX files of bytes, plain or gzip",
             .citation = "",
             .options = options_table,
             .options_size = sizeof(idx_options)},
    .load = load,
};
