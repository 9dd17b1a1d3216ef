/* A small Gaussian-Bernoulli RBM with random parameters, a sampler on it known by name, and Kolmogorov's test of its
 * first or second unit. */
#ifndef TESTS_GRBM_FIXTURE_H
#define TESTS_GRBM_FIXTURE_H

#include "components.h"
#include "rbm_fixture.h"

#include "ebm/sampler.h"

typedef struct grbm_fixture {
    const ebm_model_type *type;
    ebm_model_type wrong; /* a copy to plant errors in */
    void *options;
    ebm_model model;
    ebm_work *work;
} grbm_fixture;

/* Weights and biases of size `scale`, log variances of half of it. */
static inline void grbm_open(grbm_fixture *f, size_t V, size_t H, double scale, uint64_t seed) {
    char visible[32], hidden[32];
    snprintf(visible, sizeof visible, "%zu", V);
    snprintf(hidden, sizeof hidden, "%zu", H);
    const char *const pairs[] = {"visible", visible, "hidden", hidden, NULL};
    test_random r = {seed};
    memset(f, 0, sizeof *f);
    f->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "grbm");
    ck_assert_ptr_nonnull(f->type);
    f->options = test_options(&f->type->info, pairs);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(f->type, f->options, NULL, NULL, 1, &f->model, error));
    for (size_t k = 0; k < f->model.n_theta; k++)
        f->model.theta[k] = (ebm_real)((k < f->model.n_theta - V ? scale : scale / 2) * test_random_normal(&r));
    ebm_model_refresh(&f->model, f->work);
    f->wrong = *f->type;
}

static inline void grbm_close(grbm_fixture *f) {
    ebm_model_free(&f->model);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
}

typedef struct grbm_walk {
    const ebm_sampler_type *type;
    void *options;
    ebm_sampler sampler;
    ebm_chains chains;
} grbm_walk;

static inline void grbm_walk_open(grbm_walk *w, grbm_fixture *f, const char *sampler, const char *const *pairs,
                                  size_t count) {
    memset(w, 0, sizeof *w);
    w->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, sampler);
    ck_assert_ptr_nonnull(w->type);
    w->options = test_options(&w->type->info, pairs);
    CHECK_OK(ebm_sampler_create(w->type, w->options, &f->model, &w->sampler, error));
    CHECK_OK(ebm_chains_create(&f->model, count, ebm_stream_of(3, EBM_PURPOSE_SAMPLE), &w->chains, error));
}

static inline void grbm_walk_close(grbm_walk *w) {
    ebm_chains_free(&w->chains);
    ebm_sampler_free(&w->sampler);
    test_options_free(&w->type->info, w->options);
}

static inline void grbm_walk_step(grbm_walk *w, grbm_fixture *f, size_t steps) {
    CHECK_OK(w->type->step(&w->sampler, &f->model, ebm_path_end(), &w->chains, steps, f->work, error));
}

/* Chains from independent draws at the path, attached. */
static inline void grbm_walk_start(grbm_walk *w, grbm_fixture *f, ebm_path path) {
    CHECK_OK(f->type->sample_exact(&f->model, path, &w->chains.batch, ebm_stream_of(8, EBM_PURPOSE_CHAIN_START), 0, 0,
                                   f->work, error));
    w->chains.batch.field_ok = w->chains.batch.hidden_ok = false;
    CHECK_OK(ebm_sampler_attach(&w->sampler, &f->model, &w->chains, error));
}

static inline int grbm_ascending(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* sqrt(n) D of unit `unit` of the chains against the exact law at the path, over 2.9: passed with probability 1e-7. */
static inline double grbm_kolmogorov(grbm_walk *w, grbm_fixture *f, ebm_path path, size_t unit) {
    const size_t n = w->chains.batch.count, V = f->model.space.size;
    double *x = oracle_memory(n), *p = oracle_memory(n), worst = 0;
    for (size_t b = 0; b < n; b++)
        x[b] = (double)w->chains.batch.x[b * V + unit];
    qsort(x, n, sizeof *x, grbm_ascending);
    CHECK_OK(f->type->marginal_cdf(&f->model, path, unit, x, n, p, f->work, error));
    for (size_t b = 0; b < n; b++)
        worst = fmax(worst, fmax(fabs(p[b] - (double)b / (double)n), fabs(p[b] - ((double)b + 1) / (double)n)));
    free(x);
    free(p);
    return worst * sqrt((double)n) / 2.9;
}

/* The worse of the first two units, of adjusted chains that have accepted at least this share of proposals, and not all. */
static inline double grbm_worst_adjusted(grbm_walk *w, grbm_fixture *f, ebm_path path, double least_accepted) {
    ck_assert_double_gt(w->chains.accepted, least_accepted * w->chains.proposed);
    ck_assert_double_lt(w->chains.accepted, w->chains.proposed);
    return fmax(grbm_kolmogorov(w, f, path, 0), grbm_kolmogorov(w, f, path, 1));
}

/* A mistake to plant: the slot energy of a machine a fifth too small. */
static inline void grbm_energy_off(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                                   ebm_work *work) {
    ebm_grbm.energy(model, path, batch, out, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] *= 0.8;
}

#endif
