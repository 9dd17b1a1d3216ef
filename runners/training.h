/* Training a case's model: what the runners learn and recall share. */
#ifndef EBM_RUNNERS_TRAINING_H
#define EBM_RUNNERS_TRAINING_H

#include "measure.h"

typedef struct ebm_training {
    int64_t updates, batch, log_every;
    double epochs;
} ebm_training;

/* Rows of an option table for a struct `type` that has an ebm_training as its member `member`. */
#define EBM_TRAINING_OPTIONS(type, member)                                                                             \
    {"updates", EBM_OPTION_INT, offsetof(type, member.updates), "0", 0, 1e12, NULL, 0, "updates of theta in all"},     \
        {"epochs",                                                                                                     \
         EBM_OPTION_REAL,                                                                                              \
         offsetof(type, member.epochs),                                                                                \
         "0",                                                                                                          \
         0,                                                                                                            \
         1e9,                                                                                                          \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "instead of `updates`: passes over the training examples"},                                                   \
        {"batch",                                                                                                      \
         EBM_OPTION_INT,                                                                                               \
         offsetof(type, member.batch),                                                                                 \
         "100",                                                                                                        \
         1,                                                                                                            \
         1e7,                                                                                                          \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "examples in a minibatch; with fewer in the data, all of them"},                                              \
    {                                                                                                                  \
        "log_every", EBM_OPTION_INT, offsetof(type, member.log_every), "0", 0, 1e12, NULL, 0,                          \
            "updates between measurements; 0 = measure at the end only"                                                \
    }

/* All updates, with the suite's `measure` list at every log point and at the end, at step = updates, and checkpoints. */
EBM_NODISCARD ebm_status ebm_train(const ebm_case *c, ebm_subject *subject, const ebm_training *training,
                                   ebm_output *output, ebm_error *error);

#endif
