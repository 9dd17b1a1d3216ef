/* Optimisers: from a gradient to a step on theta. Ascent: theta moves along +gradient of the log-likelihood. */
#ifndef EBM_OPTIMISER_H
#define EBM_OPTIMISER_H

#include "ebm/learner.h"

typedef enum ebm_optimiser_kind { EBM_SGD, EBM_MOMENTUM, EBM_ADAM, EBM_LBFGS } ebm_optimiser_kind;
typedef enum ebm_rate_schedule { EBM_CONSTANT, EBM_LINEAR, EBM_COSINE, EBM_EXPONENTIAL, EBM_INVERSE } ebm_rate_schedule;

typedef struct ebm_optimiser_options {
    int kind, schedule;
    double rate, rate_end, decay_from;
    double momentum, beta2, epsilon;
    double weight_decay, clip, limit;
    int64_t iterations;
} ebm_optimiser_options;

extern const char *const ebm_optimiser_names[], *const ebm_optimiser_names_exact[], *const ebm_rate_schedule_names[];

/* Rows for a learner's option table whose struct `type` has a member `optimiser` of ebm_optimiser_options. */
#define EBM_OPTIMISER_AT(type, member) (offsetof(type, optimiser) + offsetof(ebm_optimiser_options, member))
#define EBM_OPTIMISER_TABLE(type, names)                                                                               \
    {"rate", EBM_OPTION_REAL, EBM_OPTIMISER_AT(type, rate), "0.05", 0, 1e12, NULL, 0, "learning rate at the start"},   \
        {"optimiser",                                                                                                  \
         EBM_OPTION_CHOICE,                                                                                            \
         EBM_OPTIMISER_AT(type, kind),                                                                                 \
         "sgd",                                                                                                        \
         0,                                                                                                            \
         0,                                                                                                            \
         names,                                                                                                        \
         0,                                                                                                            \
         "how a gradient becomes a step"},                                                                             \
        {"momentum",                                                                                                   \
         EBM_OPTION_REAL,                                                                                              \
         EBM_OPTIMISER_AT(type, momentum),                                                                             \
         "0.9",                                                                                                        \
         0,                                                                                                            \
         0.99999,                                                                                                      \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "momentum's decay; Adam's beta1"},                                                                            \
        {"beta2", EBM_OPTION_REAL, EBM_OPTIMISER_AT(type, beta2), "0.999", 0, 0.9999999, NULL, 0, "Adam's beta2"},     \
        {"epsilon", EBM_OPTION_REAL, EBM_OPTIMISER_AT(type, epsilon), "1e-8", 0, 1, NULL, 0, "Adam's epsilon"},        \
        {"schedule",                                                                                                   \
         EBM_OPTION_CHOICE,                                                                                            \
         EBM_OPTIMISER_AT(type, schedule),                                                                             \
         "constant",                                                                                                   \
         0,                                                                                                            \
         0,                                                                                                            \
         ebm_rate_schedule_names,                                                                                      \
         0,                                                                                                            \
         "how the rate goes from `rate` to `rate_end` over the run"},                                                  \
        {"rate_end",                                                                                                   \
         EBM_OPTION_REAL,                                                                                              \
         EBM_OPTIMISER_AT(type, rate_end),                                                                             \
         "0",                                                                                                          \
         0,                                                                                                            \
         1e12,                                                                                                         \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "rate at the last update, for every schedule but constant"},                                                  \
        {"decay_from",                                                                                                 \
         EBM_OPTION_REAL,                                                                                              \
         EBM_OPTIMISER_AT(type, decay_from),                                                                           \
         "0",                                                                                                          \
         0,                                                                                                            \
         1,                                                                                                            \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "fraction of the run after which the rate starts to change"},                                                 \
        {"weight_decay",                                                                                               \
         EBM_OPTION_REAL,                                                                                              \
         EBM_OPTIMISER_AT(type, weight_decay),                                                                         \
         "0",                                                                                                          \
         0,                                                                                                            \
         1e3,                                                                                                          \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "L2 penalty: lambda in -lambda W, on weights and not on biases"},                                             \
        {"clip",                                                                                                       \
         EBM_OPTION_REAL,                                                                                              \
         EBM_OPTIMISER_AT(type, clip),                                                                                 \
         "0",                                                                                                          \
         0,                                                                                                            \
         1e12,                                                                                                         \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "largest norm of the gradient; 0 = no clipping"},                                                             \
    {                                                                                                                  \
        "limit", EBM_OPTION_REAL, EBM_OPTIMISER_AT(type, limit), "1e4", 0, 1e30, NULL, 0,                              \
            "mean |parameter| beyond which the run counts as diverged"                                                 \
    }

typedef struct ebm_optimiser {
    const ebm_optimiser_options *options; /* borrowed */
    size_t count;
    ebm_real *gradient;       /* (count): accumulated by the learner, cleared by each step */
    ebm_real *first, *second; /* moments; NULL where unused */
} ebm_optimiser;

EBM_NODISCARD ebm_status ebm_optimiser_create(const ebm_optimiser_options *options, const ebm_model *model,
                                              ebm_optimiser *out, ebm_error *error);
void ebm_optimiser_free(ebm_optimiser *optimiser);
/* The rate at update t of total. */
double ebm_optimiser_rate(const ebm_optimiser_options *options, uint64_t t, uint64_t total);
/* theta += step; clears the gradient. EBM_DIVERGED when theta is no longer finite or beyond the limit. */
EBM_NODISCARD ebm_status ebm_optimiser_step(ebm_optimiser *optimiser, ebm_model *model, uint64_t t, uint64_t total,
                                            ebm_work *work, ebm_error *error);

/* What L-BFGS lowers: *value and gradient (n_theta) at the model's present theta, in double. */
typedef struct ebm_objective {
    ebm_status (*evaluate)(void *context, const ebm_model *model, double *value, double *gradient, ebm_work *work,
                           ebm_error *error);
    void *context;
    double tolerance; /* done where |gradient| <= tolerance max(1, |theta|) */
} ebm_objective;

/* `iterations` steps of L-BFGS (Liu & Nocedal 1989) from the present theta on the objective plus weight_decay / 2 |W|^2;
 * the curvature pairs are not kept between calls. *done: it ended because it could not get lower. Ends with the model
 * refreshed. */
EBM_NODISCARD ebm_status ebm_lbfgs_minimise(ebm_model *model, const ebm_optimiser_options *options,
                                            const ebm_objective *objective, bool *done, ebm_work *work,
                                            ebm_error *error);

#endif
