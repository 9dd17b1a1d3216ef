/* A machine of spins, patterns for it, and a learner's updates of the one from the other. */
#ifndef TESTS_MEMORY_FIXTURE_H
#define TESTS_MEMORY_FIXTURE_H

#include "rbm_fixture.h"

#include "ebm/learner.h"

#include <stdlib.h>
#include <string.h>

typedef struct memory {
    size_t V, K;
    ebm_model model;
    const ebm_model_type *type;
    void *options;
    ebm_work *work;
    ebm_real *x; /* (K, V) */
} memory;

static inline void memory_open_on(memory *m, const char *model, ebm_domain domain, size_t V, size_t K, int threads,
                                  uint64_t seed) {
    static const char *const pairs[] = {"init", "zero", "bias_scale", "0.5", NULL};
    memset(m, 0, sizeof *m);
    m->V = V;
    m->K = K;
    m->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, model);
    ck_assert_ptr_nonnull(m->type);
    m->options = test_options(&m->type->info, strcmp(model, "boltzmann") == 0 ? pairs : NULL);
    const ebm_space space =
        V == 16 ? ebm_space_picture(domain, 4, 4) : ebm_space_line(domain, V); /* tori are pictures */
    CHECK_OK(ebm_work_create(threads, &m->work, error));
    CHECK_OK(ebm_model_create(m->type, m->options, &space, NULL, 1, &m->model, error));
    m->x = malloc(K * V * sizeof *m->x);
    ck_assert_ptr_nonnull(m->x);
    test_random r = {seed};
    for (size_t k = 0; k < K * V; k++)
        m->x[k] = test_random_word(&r) >> 63 ? 1 : -1;
}

static inline void memory_open(memory *m, size_t V, size_t K, uint64_t seed) {
    memory_open_on(m, "boltzmann", EBM_SPIN, V, K, 2, seed);
}

static inline void memory_close(memory *m) {
    ebm_model_free(&m->model);
    test_options_free(&m->type->info, m->options);
    ebm_work_free(m->work);
    free(m->x);
}

/* `times` updates, each with all patterns. */
static inline ebm_status update_with(memory *m, const char *name, const char *const *pairs, ebm_sampler *sampler,
                                     size_t times, ebm_error *error) {
    const ebm_learner_type *type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, name);
    ck_assert_ptr_nonnull(type);
    void *options = test_options(&type->info, pairs);
    ebm_learner learner;
    const ebm_dataset data = {.space = m->model.space, .train = {.count = m->K, .reals = m->x}};
    ebm_status status = ebm_learner_create(type, options, &m->model, sampler, &data, 1, m->K, times, &learner, error);
    for (size_t t = 0; t < times && status == EBM_OK; t++)
        status = ebm_learner_update(&learner, m->x, m->K, m->work, error);
    ebm_learner_free(&learner);
    test_options_free(&type->info, options);
    return status;
}

static inline ebm_status update(memory *m, const char *name, const char *const *pairs, size_t times, ebm_error *error) {
    return update_with(m, name, pairs, NULL, times, error);
}

/* Symmetric to the bit, no diagonal, no bias. */
static inline void check_form(const memory *m) {
    const size_t V = m->V;
    const ebm_real *W = ebm_model_view(&m->model, "W"), *bias = ebm_model_view(&m->model, "bias");
    bool well = true;
    for (size_t i = 0; i < V; i++) {
        well = well && W[i * V + i] == 0 && bias[i] == 0;
        for (size_t j = 0; j < i; j++)
            well = well && W[i * V + j] == W[j * V + i];
    }
    ck_assert(well);
}

/* The largest |W - want|. */
static inline double distance(const memory *m, const double *want) {
    const ebm_real *W = ebm_model_view(&m->model, "W");
    double worst = 0;
    for (size_t k = 0; k < m->V * m->V; k++)
        worst = fmax(worst, fabs((double)W[k] - want[k]));
    return worst;
}

static inline double *plain_hebb(const memory *m) {
    double *W = calloc(m->V * m->V, sizeof *W);
    ck_assert_ptr_nonnull(W);
    for (size_t i = 0; i < m->V; i++)
        for (size_t j = 0; j < m->V; j++) {
            double sum = 0; /* a whole number */
            for (size_t p = 0; p < m->K && i != j; p++)
                sum += (double)(m->x[p * m->V + i] * m->x[p * m->V + j]);
            W[i * m->V + j] = sum / (double)m->V;
        }
    return W;
}

/* Fields of pattern p, in double. */
static inline double field(const memory *m, size_t p, size_t i) {
    const ebm_real *W = ebm_model_view(&m->model, "W");
    double h = 0;
    for (size_t j = 0; j < m->V; j++)
        h += (double)W[i * m->V + j] * (double)m->x[p * m->V + j];
    return h;
}

#endif
