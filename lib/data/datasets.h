/* What the loaders and generators of this folder share. Internal. */
#ifndef EBM_DATA_DATASETS_H
#define EBM_DATA_DATASETS_H

#include "components.h"

/* Most bytes that one file of data may unfold to. */
#define EBM_DATA_LIMIT ((size_t)1 << 32)

/* "none", "stochastic", "threshold", in the order of ebm_binarise. */
extern const char *const ebm_binarise_names[];

/* The option data_seed of every generated or split data set: 0 stands for the case's own seed. */
#define EBM_DATA_SEED_OPTION(type)                                                                                     \
    {                                                                                                                  \
        "data_seed", EBM_OPTION_INT, EBM_OFFSET(type, data_seed), "1", 0, 4294967295.0, NULL, 0,                       \
            "seed of the data, the same for all cases; 0: each case's own seed"                                        \
    }

/* How real intensities of pictures are standardised: by one mean and one deviation for all units. */
typedef struct ebm_standardise_options {
    int standardise;
    double mean, deviation;
} ebm_standardise_options;

extern const char *const ebm_standardise_names[];
#define EBM_STANDARDISE_OPTIONS(type, member)                                                                          \
    {"standardise",                                                                                                    \
     EBM_OPTION_CHOICE,                                                                                                \
     EBM_OFFSET(type, member.standardise),                                                                             \
     "none",                                                                                                           \
     0,                                                                                                                \
     0,                                                                                                                \
     ebm_standardise_names,                                                                                            \
     0,                                                                                                                \
     "binarise none: intensities as they are; less one mean and over one deviation of all training pixels; or given: " \
     "those of `mean` and `deviation`"},                                                                               \
        {"mean",                                                                                                       \
         EBM_OPTION_REAL,                                                                                              \
         EBM_OFFSET(type, member.mean),                                                                                \
         "0.1307",                                                                                                     \
         0,                                                                                                            \
         1,                                                                                                            \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "standardise given: subtracted from intensities (that of MNIST's training pixels is 0.1307)"},                \
    {                                                                                                                  \
        "deviation", EBM_OPTION_REAL, EBM_OFFSET(type, member.deviation), "0.3081", 1e-3, 1e3, NULL, 0,                \
            "standardise given: divides them then (that of MNIST's training pixels is 0.3081)"                         \
    }
/* out->train holds bytes. Sets out->mean and out->deviation as `options` ask; EBM_INVALID where values are binarised, or
 * all training pixels are equal. */
EBM_NODISCARD ebm_status ebm_data_standardise(const ebm_standardise_options *options, ebm_dataset *out,
                                              ebm_error *error);

static inline uint32_t ebm_data_seed(int64_t data_seed, uint32_t case_seed) {
    return data_seed == 0 ? case_seed : (uint32_t)data_seed;
}

/* The option leave_out of labelled data: a digit to hold out of the training half. */
#define EBM_LEAVE_OUT_OPTION(type)                                                                                     \
    {                                                                                                                  \
        "leave_out", EBM_OPTION_INT, EBM_OFFSET(type, leave_out), "-1", -1, 9, NULL, 0,                                \
            "digit taken out of the training half, after `train` has counted, and left in the test half; -1: none"     \
    }
/* Takes the examples of one label out of a half of `size` units an example; label < 0: nothing. EBM_INVALID where none would
 * be left. */
EBM_NODISCARD ebm_status ebm_examples_leave_out(ebm_examples *half, size_t size, int64_t label, ebm_error *error);

/* Binary data that are uniform over `count` states which can be written down: the support is all of them; the training
 * half is all of them too (draws = 0) or `draws` of them at random; the test half is the support. `write` puts state
 * number `state` into size bytes and returns its label. `classes` = 0: no labels are kept. */
typedef int32_t ebm_write_state(size_t state, const void *context, uint8_t *out);
EBM_NODISCARD ebm_status ebm_data_uniform(ebm_write_state *write, const void *context, size_t count, size_t draws,
                                          uint32_t seed, size_t classes, ebm_dataset *out, ebm_error *error);

/* Binary data on the line of N = out->space.size units whose log probabilities log_p (2^N), normalised, are known: the
 * support is all states, state s with unit i on where bit i of s is; `train` and `test` independent draws. */
EBM_NODISCARD ebm_status ebm_data_draws(const double *log_p, size_t train, size_t test, uint32_t seed, ebm_dataset *out,
                                        ebm_error *error);
/* The same with every state standing counts[s] > 0 times in either half, whose law is the support's exactly. */
EBM_NODISCARD ebm_status ebm_data_counted(const size_t *counts, ebm_dataset *out, ebm_error *error);
/* counts (states) with sum `total` >= states: one each, and the rest in proportion to weight >= 0, in whole numbers by
 * largest remainders. */
EBM_NODISCARD ebm_status ebm_data_counts(const double *weight, size_t states, size_t total, size_t *counts,
                                         ebm_error *error);

#endif
