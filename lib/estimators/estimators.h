/* What the estimators of this folder share. Internal. */
#ifndef EBM_ESTIMATORS_H
#define EBM_ESTIMATORS_H

#include "components.h"

/* How many examples an estimator looks at. 0: all. */
typedef struct ebm_example_limits {
    int64_t train_examples, test_examples;
} ebm_example_limits;

/* Rows of an option table for the two limits, in a struct `type` whose member `member` holds them. */
#define EBM_LIMIT_OPTION(name, offset, text, help)                                                                     \
    { name, EBM_OPTION_INT, offset, text, 0, 4294967295.0, NULL, 0, help }
#define EBM_TRAIN_LIMIT(type, member, text)                                                                            \
    EBM_LIMIT_OPTION("train_examples", EBM_OFFSET(type, member.train_examples), text,                                  \
                     "only the first so many training examples; 0: all")
#define EBM_TEST_LIMIT(type, member, text)                                                                             \
    EBM_LIMIT_OPTION("test_examples", EBM_OFFSET(type, member.test_examples), text,                                    \
                     "only the first so many test examples; 0: all")

static inline size_t ebm_limited(size_t count, int64_t limit) {
    return limit > 0 && (size_t)limit < count ? (size_t)limit : count;
}

/* Random steps of one estimate: the training step in the high word leaves 2^32 for the estimator's own use. */
static inline uint64_t ebm_estimate_step(const ebm_estimate_inputs *inputs) {
    return inputs->step << 32;
}

#endif
