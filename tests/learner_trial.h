/* One learner on a small RBM with a fixed minibatch, and the definition of its update by enumeration. */
#ifndef TESTS_LEARNER_TRIAL_H
#define TESTS_LEARNER_TRIAL_H

#include "rbm_fixture.h"

#include "ebm/learner.h"

enum { BATCH = 4 };

typedef struct trial {
    rbm_fixture f;
    const ebm_learner_type *type;
    const ebm_sampler_type *sampler_type;
    void *options, *sampler_options;
    ebm_sampler sampler;
    ebm_dataset data;
    size_t codes[BATCH];
    ebm_real x[BATCH * ORACLE_UNITS];
    double rate;
} trial;

/* A machine of 4 + 3 units with weights of order one, four examples (one of them twice), SGD at the given rate. */
static inline void trial_open(trial *t, const char *learner, double rate, const char *const *pairs) {
    memset(t, 0, sizeof *t);
    rbm_open(&t->f, 4, 3, RBM_NORMAL, 1.0, 61);
    static const size_t codes[BATCH] = {1, 6, 11, 6};
    memcpy(t->codes, codes, sizeof codes);
    for (size_t b = 0; b < BATCH; b++)
        rbm_write_state(codes[b], 4, t->x + b * 4);
    t->data.space = t->f.model.space;
    t->data.train.count = BATCH;
    t->data.train.reals = t->x;
    t->rate = rate;
    t->type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, learner);
    ck_assert_ptr_nonnull(t->type);
    t->options = test_options(&t->type->info, pairs);
    char text[32];
    snprintf(text, sizeof text, "%.17g", rate);
    CHECK_OK(ebm_options_set(t->type->info.options, t->options, "rate", text, NULL, error));
    t->sampler_type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "block-gibbs");
    ck_assert_ptr_nonnull(t->sampler_type);
    t->sampler_options = test_options(&t->sampler_type->info, NULL);
    CHECK_OK(
        ebm_pairing_check(t->f.type, t->type->uses_sampler ? t->sampler_type : NULL, t->type, NULL, 0, true, error));
    CHECK_OK(ebm_sampler_create(t->sampler_type, t->sampler_options, &t->f.model, &t->sampler, error));
}

static inline void trial_close(trial *t) {
    ebm_sampler_free(&t->sampler);
    test_options_free(&t->sampler_type->info, t->sampler_options);
    test_options_free(&t->type->info, t->options);
    rbm_close(&t->f);
}

static inline void trial_learner(trial *t, uint32_t seed, uint64_t total, ebm_learner *out) {
    CHECK_OK(ebm_learner_create(t->type, t->options, &t->f.model, t->type->uses_sampler ? &t->sampler : NULL, &t->data,
                                seed, BATCH, total, out, error));
}

/* One update on the first `count` examples; its (theta' - theta) / rate; theta put back. */
static inline void one_update(trial *t, ebm_learner *learner, size_t count, double *out) {
    double after[ORACLE_THETA];
    CHECK_OK(ebm_learner_update(learner, t->x, count, t->f.work, error));
    rbm_to_flat(&t->f, t->f.model.theta, after);
    for (size_t k = 0; k < t->f.model.n_theta; k++)
        out[k] = (after[k] - t->f.machine.theta[k]) / t->rate;
    rbm_set_theta(&t->f);
}

/* The definition: the mean gradient under the law of the negative phase minus that of the minibatch. */
static inline void definition(const oracle *o, const double *negative, const size_t *codes, size_t count,
                              double *want) {
    oracle_expected_grad(o, negative, want);
    for (size_t b = 0; b < count; b++)
        oracle_add_grad(o, codes[b], -1.0 / (double)count, want);
}

/* The law of a chain after `sweeps` of block Gibbs from the minibatch (codes) or from uniform states (NULL). */
static inline void chain_law(const oracle *o, const size_t *codes, size_t count, size_t sweeps, double *law) {
    double *T = oracle_memory(o->S * o->S);
    for (size_t v = 0; v < o->S; v++)
        law[v] = codes ? 0 : 1.0 / (double)o->S;
    for (size_t b = 0; codes && b < count; b++)
        law[codes[b]] += 1.0 / (double)count;
    oracle_kernel(o, T);
    oracle_advance(o->S, T, sweeps, law);
    free(T);
}

/* Rounding of theta' = theta + rate g, divided by the rate, and of g itself. */
static inline double rounding(const trial *t) {
    double largest = 1;
    for (size_t k = 0; k < t->f.model.n_theta; k++)
        largest = fmax(largest, fabs(t->f.machine.theta[k]));
    return 2 * UNIT_ROUNDOFF * largest / t->rate + rbm_energy_bound(&t->f.machine);
}

#endif
