/* Which samplers of the registry, with which options, the battery of real_battery.h is run on. */
#ifndef TESTS_REAL_CASES_H
#define TESTS_REAL_CASES_H

#include "real_bytes.h"
#include "real_rules.h"

#include "ebm/registry.h"

enum {
    MOST_COMPARISONS = 20000, /* checked in test_real_kernels.c */
    MOST_OPTIONS = 12
};

/* Options in place of the defaults. The defaults of a sampler that stands nowhere here are examined, too. */
typedef struct real_variant {
    const char *sampler;
    const char *options[MOST_OPTIONS];
    bool settles; /* exact once warm-up is over, whatever the sampler says of itself */
} real_variant;

static const real_variant real_variants[] = {
    {"random-walk", {"scale", "1"}, false},
    {"random-walk", {"covariance", "diagonal"}, false},
    {"random-walk", {"covariance", "dense", "scale", "0.7"}, false},
    {"independence", {"proposal", "normal", "mean", "0.3", "deviation", "2.5"}, false},
    {"mala", {"step", "0.3"}, false},
    {"mala", {"scales", "true"}, false},
    {"hmc", {"step", "0.45", "length", "3", "jitter", "0", "mass", "identity"}, false},
    {"hmc", {"length", "1", "target", "0.9"}, false},
    {"nuts", {"step", "0.4", "mass", "identity"}, false},
    {"nuts", {"step", "1", "max_depth", "2"}, false},
    {"tempering", {"temperatures", "2", "hottest", "1.5", "inner", "random-walk"}, false},
    {"tempering", {"temperatures", "2", "hottest", "1.5", "inner", "hmc"}, false},
    {"tempering", {"temperatures", "2", "hottest", "1.5", "inner", "nuts"}, false},
    {"annealed", {"max_temperature", "2", "rate", "0.5", "inner", "mala"}, true},
};
enum { REAL_VARIANTS = sizeof real_variants / sizeof *real_variants };

/* The n-th setting of a sampler: its defaults, but for those that drive another one, then its rows. NULL past the end. */
static inline const real_variant *real_setting(const ebm_component *sampler, size_t n) {
    static const real_variant defaults = {.sampler = "any"};
    bool drives = false;
    for (const ebm_option *o = sampler->options; o->name; o++)
        drives = drives || strcmp(o->name, "inner") == 0 || (o->flags & EBM_OPTION_REQUIRED);
    if (!drives && n-- == 0)
        return &defaults;
    for (size_t k = 0; k < REAL_VARIANTS; k++)
        if (strcmp(real_variants[k].sampler, sampler->name) == 0 && n-- == 0)
            return &real_variants[k];
    return NULL;
}

static inline const char *real_setting_text(const char *const *options, char *buffer, size_t size) {
    size_t used = 0;
    buffer[0] = '\0';
    for (; options[0] && used + 1 < size; options += 2)
        used += (size_t)snprintf(buffer + used, size - used, " %s=%s", options[0], options[1]);
    return buffer;
}

/* A sampler with options, open on a target. */
typedef struct real_bench {
    const ebm_sampler_type *type;
    void *options;
    ebm_model model;
    ebm_sampler sampler;
    ebm_work *work;
    real_case c;
} real_bench;

static inline real_case real_case_of(const target *t, const ebm_model *model, ebm_sampler *sampler, ebm_work *work) {
    return (real_case){.target = t,
                       .model = model,
                       .sampler = sampler,
                       .path = ebm_path_end(),
                       .rows = 800,
                       .warmup = 40,
                       .rounds = 15,
                       .steps = 5,
                       .alarm = 1e-6 / MOST_COMPARISONS,
                       .work = work};
}

static inline void real_bench_close(real_bench *b) {
    ebm_sampler_free(&b->sampler);
    if (b->options)
        test_options_free(&b->type->info, b->options);
    ebm_model_free(&b->model);
    ebm_work_free(b->work);
    memset(b, 0, sizeof *b);
}

/* False, and nothing is open, where the pairing is not supported. */
static inline bool real_bench_open(real_bench *b, const target *t, const ebm_sampler_type *type,
                                   const char *const *options) {
    ebm_error refusal = {0};
    memset(b, 0, sizeof *b);
    b->type = type;
    b->options = test_options(&type->info, options);
    CHECK_OK(ebm_work_create(1, &b->work, error));
    target_model_open(t, &b->model);
    const ebm_status status = ebm_sampler_create(type, b->options, &b->model, &b->sampler, &refusal);
    ck_assert_msg(status == EBM_OK || status == EBM_UNSUPPORTED, "%s on %s: %s", type->info.name, t->label,
                  refusal.message);
    b->c = real_case_of(t, &b->model, &b->sampler, b->work);
    if (status != EBM_OK)
        real_bench_close(b);
    return status == EBM_OK;
}

static inline const ebm_sampler_type *real_sampler(const char *name) {
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, name);
    ck_assert_msg(type != NULL, "no sampler %s", name);
    return type;
}

/* With one of the rules of real_rules.h. */
static inline void real_bench_open_rule(real_bench *b, const target *t, const rule *r) {
    memset(b, 0, sizeof *b);
    CHECK_OK(ebm_work_create(1, &b->work, error));
    target_model_open(t, &b->model);
    CHECK_OK(ebm_sampler_create(&rule_sampler, r, &b->model, &b->sampler, error));
    b->c = real_case_of(t, &b->model, &b->sampler, b->work);
}

#endif
