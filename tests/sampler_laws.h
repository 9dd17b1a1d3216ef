/* A sampler, known by name, on a small discrete model: its matrix, and its real steps against a law over the joint
 * states of all its copies (one, but for samplers that walk on several). */
#ifndef TESTS_SAMPLER_LAWS_H
#define TESTS_SAMPLER_LAWS_H

#include "rbm_fixture.h"
#include "statistics.h"

#include "ebm/enumerate.h"
#include "ebm/sampler.h"

typedef struct sampled {
    const ebm_model *model;
    ebm_work *work;
    const ebm_sampler_type *type;
    void *options;
    ebm_sampler sampler;
    size_t copies, states, tuples; /* K, states of one copy, states^K */
} sampled;

static inline void sampled_open(sampled *s, const ebm_model *model, ebm_work *work, const char *name,
                                const char *const *pairs) {
    memset(s, 0, sizeof *s);
    s->model = model;
    s->work = work;
    s->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, name);
    ck_assert_ptr_nonnull(s->type);
    s->options = test_options(&s->type->info, pairs);
    CHECK_OK(ebm_sampler_create(s->type, s->options, model, &s->sampler, error));
    s->copies = s->type->copies ? s->type->copies(&s->sampler) : 1;
    s->states = ebm_states_count(&model->space);
    s->tuples = 1;
    for (size_t r = 0; r < s->copies && s->tuples < 1u << 20; r++)
        s->tuples *= s->states;
}

static inline void sampled_close(sampled *s) {
    ebm_sampler_free(&s->sampler);
    test_options_free(&s->type->info, s->options);
    memset(s, 0, sizeof *s);
}

/* T (tuples, tuples) of one sweep, in fresh memory. */
static inline double *sampled_kernel(sampled *s, ebm_path path) {
    double *T = oracle_memory(s->tuples * s->tuples);
    CHECK_OK(s->type->kernel(&s->sampler, s->model, path, s->tuples, T, s->work, error));
    return T;
}

/* p (states) at the path; of tuples (the product of the copies' laws), where `chains` may be NULL before adaptation. */
static inline double *sampled_law(const sampled *s, ebm_path path) {
    double *p = oracle_memory(s->states);
    CHECK_OK(ebm_model_log_probabilities(s->model, path, p, NULL, s->work, error));
    for (size_t i = 0; i < s->states; i++)
        p[i] = exp(p[i]);
    return p;
}
static inline double *sampled_joint_law(const sampled *s, ebm_path path) {
    static const ebm_chains none;
    double *p = oracle_memory(s->tuples);
    size_t low = 1;
    for (size_t t = 0; t < s->tuples; t++)
        p[t] = 1;
    for (size_t r = 0; r < s->copies; r++, low *= s->states) {
        double *one = sampled_law(s, s->type->copies ? s->type->copy_path(&s->sampler, &none, path, r) : path);
        for (size_t t = 0; t < s->tuples; t++)
            p[t] *= one[t / low % s->states];
        free(one);
    }
    return p;
}

static inline ebm_real *sampled_copy(const sampled *s, ebm_chains *chains, size_t r) {
    return r == 0 ? chains->batch.x : s->type->copy_states(&s->sampler, chains, r);
}

static inline void sampled_write(const sampled *s, ebm_chains *chains, size_t b, size_t tuple) {
    for (size_t r = 0; r < s->copies; r++, tuple /= s->states)
        ebm_states_fill(&s->model->space, tuple % s->states, 1, sampled_copy(s, chains, r) + b * s->model->space.size);
}
static inline size_t sampled_read(const sampled *s, ebm_chains *chains, size_t b) {
    size_t tuple = 0;
    for (size_t r = s->copies; r-- > 0;)
        tuple = tuple * s->states +
                ebm_states_code(&s->model->space, sampled_copy(s, chains, r) + b * s->model->space.size);
    return tuple;
}

static inline void sampled_step(sampled *s, ebm_path path, ebm_chains *chains, size_t sweeps) {
    CHECK_OK(s->type->step(&s->sampler, s->model, path, chains, sweeps, s->work, error));
}

/* Rows of L (tuples, tuples) := L T */
static inline void sampled_multiply(size_t S, double *L, const double *T) {
    for (size_t v = 0; v < S; v++)
        oracle_advance(S, T, 1, L + v * S);
}

/* How a walk is cut into calls. */
typedef struct walk_plan {
    size_t calls, sweeps; /* so many calls of so many sweeps */
    bool keep_hidden;
} walk_plan;

/* Real walks from every tuple, attached anew, against the law L (tuples, tuples) of where they end: Pearson's statistic
 * over its limit, passed with probability below 1e-6 where L is right. chains.step moves on: rounds use new numbers. */
static inline double sampled_excess(sampled *s, ebm_path path, walk_plan plan, size_t count, size_t rounds,
                                    const double *L) {
    const size_t S = s->tuples;
    double *counts = oracle_memory(S * S);
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(s->model, count, ebm_stream_of(6, EBM_PURPOSE_ESTIMATE), &chains, error));
    chains.keep_hidden = plan.keep_hidden;
    for (size_t round = 0; round < rounds; round++) {
        CHECK_OK(ebm_sampler_attach(&s->sampler, s->model, &chains, error));
        for (size_t b = 0; b < count; b++)
            sampled_write(s, &chains, b, b % S);
        chains.batch.field_ok = chains.batch.hidden_ok = false;
        const uint64_t before = chains.step;
        for (size_t k = 0; k < plan.calls; k++)
            sampled_step(s, path, &chains, plan.sweeps);
        ck_assert_uint_gt(chains.step, before);
        for (size_t b = 0; b < count; b++)
            counts[(b % S) * S + sampled_read(s, &chains, b)]++;
    }
    chi_square chi = {0, 0};
    for (size_t v = 0; v < S; v++)
        chi_square_row(&chi, S, L + v * S, counts + v * S);
    ebm_chains_free(&chains);
    free(counts);
    return chi.statistic / chi_square_limit(chi.degrees);
}

#endif
