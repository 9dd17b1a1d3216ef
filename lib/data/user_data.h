/* What the loaders of a user's own files (npy, csv, idx) share: options, checks of values, the split. Internal. */
#ifndef EBM_DATA_USER_DATA_H
#define EBM_DATA_USER_DATA_H

#include "data/datasets.h"

typedef struct ebm_user_options {
    char *train, *test;
    int domain, binarise;
    double split;
    int64_t data_seed;
} ebm_user_options;

/* "binary", "spin", "real" */
extern const char *const ebm_user_domain_names[];

#define EBM_USER_OPTION(type, member) EBM_OFFSET(type, common.member)
/* Entries of an option table whose struct `type` begins with `ebm_user_options common`. */
#define EBM_USER_OPTIONS(type, default_binarise)                                                                       \
    {"train",                                                                                                          \
     EBM_OPTION_STRING,                                                                                                \
     EBM_USER_OPTION(type, train),                                                                                     \
     NULL,                                                                                                             \
     0,                                                                                                                \
     0,                                                                                                                \
     NULL,                                                                                                             \
     EBM_OPTION_REQUIRED | EBM_OPTION_PATH,                                                                            \
     "file of the training examples"},                                                                                 \
        {"test", EBM_OPTION_STRING, EBM_USER_OPTION(type, test), NULL, 0, 0,                                           \
         NULL,   EBM_OPTION_PATH,   "file of the test examples"},                                                      \
        {"split",                                                                                                      \
         EBM_OPTION_REAL,                                                                                              \
         EBM_USER_OPTION(type, split),                                                                                 \
         "0",                                                                                                          \
         0,                                                                                                            \
         0.9,                                                                                                          \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "without a test file: this share of the training file, drawn at random, becomes the test half"},              \
        {"domain",                                                                                                     \
         EBM_OPTION_CHOICE,                                                                                            \
         EBM_USER_OPTION(type, domain),                                                                                \
         "binary",                                                                                                     \
         0,                                                                                                            \
         0,                                                                                                            \
         ebm_user_domain_names,                                                                                        \
         0,                                                                                                            \
         "binary: 0 and 1; spin: -1 and +1; real: any finite number (bytes: intensity / 255)"},                        \
        {"binarise",                                                                                                   \
         EBM_OPTION_CHOICE,                                                                                            \
         EBM_USER_OPTION(type, binarise),                                                                              \
         default_binarise,                                                                                             \
         0,                                                                                                            \
         0,                                                                                                            \
         ebm_binarise_names,                                                                                           \
         0,                                                                                                            \
         "none: values are states; stochastic: 1 with probability intensity, afresh in every minibatch, once and for " \
         "all in the test half; threshold: 1 from intensity 1/2"},                                                     \
        EBM_DATA_SEED_OPTION(ebm_user_options)

/* Options that contradict each other, a missing train file. */
EBM_NODISCARD ebm_status ebm_user_options_check(const ebm_user_options *options, ebm_error *error);
/* NULL if `value` can stand in such data, else what was expected. */
const char *ebm_user_value_expected(const ebm_user_options *options, double value);
/* Checks all values of a half (name: its file, for messages) against the options. */
EBM_NODISCARD ebm_status ebm_user_values_check(const ebm_user_options *options, const char *name, size_t size,
                                               const ebm_examples *half, ebm_error *error);
/* Sets the space from one example's shape. The test half's shape (rank 0: no test half) must be the same. */
EBM_NODISCARD ebm_status ebm_user_space(const ebm_user_options *options, unsigned rank, const size_t *shape,
                                        unsigned test_rank, const size_t *test_shape, ebm_dataset *out,
                                        ebm_error *error);
/* The last step: binarisation, and the split where there is one. */
EBM_NODISCARD ebm_status ebm_user_finish(const ebm_user_options *options, uint32_t case_seed, ebm_dataset *out,
                                         ebm_error *error);

#endif
