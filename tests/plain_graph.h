/* A plain model of pairwise couplings on any small graph, small systems of it, and a cluster sampler on each.
 *
 *   E(x) = -sum J_ij a(x_i, x_j) - sum h_i(x_i)
 * in double from stored numbers, so that bounds hold in both builds. What its `graph` tells a sampler can be spoilt while
 * the energy stays as it is: a sampler that believes it makes the mistake that checks must see. */
#ifndef TESTS_PLAIN_GRAPH_H
#define TESTS_PLAIN_GRAPH_H

#include "rbm_fixture.h"
#include "statistics.h"

#include "ebm/enumerate.h"
#include "ebm/sampler.h"
#include "models/graph.h"

/* ---- The model ---- */

typedef enum spoil { SPOIL_NOTHING, SPOIL_HALF_COUPLINGS, SPOIL_FIELD_SIGN, SPOIL_NO_FIELDS } spoil;

typedef struct plain_options {
    size_t edges;
    const uint32_t *ends;
    spoil mistake;
} plain_options;

typedef struct plain_state {
    ebm_graph graph, told;
    ebm_real *numbers; /* of the graph that is told */
    spoil mistake;
} plain_state;

static size_t plain_values(const ebm_model *model) {
    return model->space.domain == EBM_SPIN ? 1 : model->space.categories;
}

static ebm_status plain_create(ebm_model *model, const void *options, ebm_error *error) {
    const plain_options *o = options;
    plain_state *state = calloc(1, sizeof *state);
    ck_assert_ptr_nonnull(state);
    model->state = state;
    model->n_theta = o->edges + model->space.size * plain_values(model);
    state->mistake = o->mistake;
    state->numbers = calloc(model->n_theta, sizeof *state->numbers);
    ck_assert_ptr_nonnull(state->numbers);
    return ebm_graph_from_edges(model->space.size, o->edges, o->ends, &state->graph, error);
}
static ebm_status plain_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                   ebm_error *error) {
    (void)model, (void)options, (void)data, (void)seed, (void)error;
    return EBM_OK;
}
static void plain_destroy(ebm_model *model) {
    plain_state *state = model->state;
    ebm_graph_free(&state->graph);
    free(state->numbers);
    free(state);
}
static void plain_refresh(ebm_model *model, ebm_work *work) {
    (void)work;
    plain_state *s = model->state;
    const size_t E = s->graph.edges;
    s->told = s->graph;
    for (size_t k = 0; k < model->n_theta; k++) {
        s->numbers[k] = model->theta[k];
        if (k < E && s->mistake == SPOIL_HALF_COUPLINGS)
            s->numbers[k] /= 2;
        else if (k >= E && s->mistake == SPOIL_FIELD_SIGN)
            s->numbers[k] = -s->numbers[k];
        else if (k >= E && s->mistake == SPOIL_NO_FIELDS)
            s->numbers[k] = 0;
    }
    s->told.coupling = s->numbers;
    s->told.field = s->numbers + E;
}
static const ebm_graph *plain_graph(const ebm_model *model) {
    return &((const plain_state *)model->state)->told;
}
static void plain_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    (void)work;
    const ebm_graph *g = &((const plain_state *)model->state)->graph;
    const size_t V = model->space.size, q = plain_values(model);
    const bool spins = model->space.domain == EBM_SPIN;
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        double energy = 0, base = 0;
        for (size_t e = 0; e < g->edges; e++) {
            const double a = (double)x[g->ends[2 * e]], c = (double)x[g->ends[2 * e + 1]];
            energy -= (double)model->theta[e] * (spins ? a * c : a == c);
        }
        for (size_t i = 0; i < V; i++) {
            const size_t at = spins ? i : i * q + (size_t)x[i];
            const double sign = spins ? (double)x[i] : 1;
            energy -= (double)model->theta[g->edges + at] * sign;
            base -= path.base ? (double)path.base->parameters[at] * sign : 0;
        }
        out[b] = path.beta * energy + (1 - path.beta) * base;
    }
}
static void plain_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                             ebm_real *grad, ebm_work *work) {
    (void)model, (void)batch, (void)weight, (void)scale, (void)grad, (void)work;
}

static const ebm_option plain_table[] = {EBM_OPTIONS_END};
static const ebm_model_type plain = {
    .info = {"plain-test", "pairwise couplings on a graph", "", plain_table, sizeof(plain_options)},
    .domains = 1u << EBM_SPIN | 1u << EBM_CATEGORICAL,
    .create = plain_create,
    .initialise = plain_initialise,
    .destroy = plain_destroy,
    .refresh = plain_refresh,
    .energy = plain_energy,
    .grad_theta = plain_grad_theta,
    .graph = plain_graph};

/* ---- Systems ---- */

typedef enum strengths { POSITIVE, SIGNED, FRUSTRATED, STRONG } strengths; /* frustrated: the first one negative */

typedef struct system_kind {
    const char *name;
    size_t units, categories; /* 0: spins */
    size_t edges;
    const uint32_t *ends; /* (edges, 2) */
    strengths strengths;
    bool fields;
} system_kind;

static const uint32_t pair_ends[] = {0, 1}, triangle_ends[] = {0, 1, 1, 2, 0, 2},
                      diagonal_ends[] = {0, 1, 1, 2, 2, 3, 0, 3, 0, 2}, /* a square with a diagonal */
    ladder_ends[] = {0, 1, 1, 2, 3, 4, 4, 5, 0, 3, 1, 4, 2, 5},         /* 2 x 3 */
    five_ends[] = {0, 1, 0, 2, 0, 3, 0, 4, 1, 2, 1, 3, 1, 4, 2, 3, 2, 4, 3, 4};

static const system_kind systems[] = {
    {"one spin", 1, 0, 0, NULL, POSITIVE, true},
    {"free spins", 3, 0, 0, NULL, POSITIVE, false},
    {"a pair of spins", 2, 0, 1, pair_ends, POSITIVE, false},
    {"a frustrated triangle", 3, 0, 3, triangle_ends, FRUSTRATED, false},
    {"a frustrated triangle in fields", 3, 0, 3, triangle_ends, FRUSTRATED, true},
    {"a square with a diagonal and a free unit", 5, 0, 5, diagonal_ends, SIGNED, true},
    {"a ferromagnetic ladder", 6, 0, 7, ladder_ends, POSITIVE, false},
    {"a ladder of strong signs", 6, 0, 7, ladder_ends, STRONG, true},
    {"five spins, all coupled", 5, 0, 10, five_ends, SIGNED, true},
    {"one category", 2, 1, 1, pair_ends, POSITIVE, true},
    {"two categories", 4, 2, 5, diagonal_ends, POSITIVE, true},
    {"a triangle of three categories", 3, 3, 3, triangle_ends, POSITIVE, false},
    {"a triangle of three categories in fields", 3, 3, 3, triangle_ends, POSITIVE, true},
    {"a square of four categories", 4, 4, 5, diagonal_ends, POSITIVE, true},
    {"a ladder of two strong categories", 6, 2, 7, ladder_ends, STRONG, true},
};
enum { SYSTEMS = sizeof systems / sizeof *systems };

static const struct {
    bool base;
    double beta;
} paths[] = {{false, 1}, {false, 0.3}, {false, 2.5}, {true, 0.4}, {false, 0}, {true, 0}, {true, 1.5}};
enum { PATHS = sizeof paths / sizeof *paths };

static const char *const sampler_names[] = {"swendsen-wang", "wolff"};
enum { SWENDSEN_WANG, WOLFF, SAMPLERS };

typedef struct fixture {
    ebm_model model;
    void *options; /* NULL for the plain model */
    ebm_work *work;
    ebm_base base;
    const ebm_sampler_type *type;
    ebm_sampler sampler;
} fixture;

static inline ebm_space system_space(size_t units, size_t categories) {
    ebm_space space = ebm_space_line(categories ? EBM_CATEGORICAL : EBM_SPIN, units);
    space.categories = categories ? categories : 2;
    return space;
}

static inline ebm_real draw_strength(test_random *r, strengths kind, size_t edge, bool categorical) {
    const double normal = test_random_normal(r), sign = test_random_uniform(r) < 0.5 && !categorical ? -1 : 1;
    switch (kind) {
    case POSITIVE:
        return (ebm_real)fabs(normal);
    case FRUSTRATED:
        return (ebm_real)(edge == 0 ? -fabs(normal) : fabs(normal));
    case STRONG:
        return (ebm_real)(15 * sign);
    default:
        return (ebm_real)(test_random_uniform(r) < 0.2 ? 0 : normal);
    }
}

/* A model of `units` on the given edges with theta zero, and a sampler on it. */
static inline void fixture_open(fixture *f, size_t units, size_t categories, size_t edges, const uint32_t *ends,
                                spoil mistake, int sampler) {
    memset(f, 0, sizeof *f);
    const plain_options options = {edges, ends, mistake};
    const ebm_space space = system_space(units, categories);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(&plain, &options, &space, NULL, 1, &f->model, error));
    CHECK_OK(ebm_base_fit(&space, NULL, 0, &f->base, error));
    f->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, sampler_names[sampler]);
    ck_assert_ptr_nonnull(f->type);
    CHECK_OK(ebm_sampler_create(f->type, NULL, &f->model, &f->sampler, error));
}

/* A registered model by its options, "name", "value" pairs up to NULL, and a sampler on it. */
static inline void fixture_open_named(fixture *f, const char *model, const char *const *pairs, int sampler) {
    memset(f, 0, sizeof *f);
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, model);
    ck_assert_ptr_nonnull(type);
    f->options = test_options(&type->info, pairs);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(type, f->options, NULL, NULL, 1, &f->model, error));
    CHECK_OK(ebm_base_fit(&f->model.space, NULL, 0, &f->base, error));
    f->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, sampler_names[sampler]);
    CHECK_OK(ebm_pairing_check(type, f->type, NULL, NULL, 0, false, error));
    CHECK_OK(ebm_sampler_create(f->type, NULL, &f->model, &f->sampler, error));
}

/* Couplings, fields and base drawn. */
static inline void system_draw(fixture *f, const system_kind *s, uint64_t seed) {
    test_random r = {77 + 1000 * seed + (uint64_t)(s - systems)};
    for (size_t k = 0; k < f->model.n_theta; k++)
        if (k < s->edges)
            f->model.theta[k] = draw_strength(&r, s->strengths, k, s->categories != 0);
        else
            f->model.theta[k] = s->fields ? (ebm_real)test_random_normal(&r) : 0;
    for (size_t k = 0; k < f->base.count; k++)
        f->base.parameters[k] = (ebm_real)test_random_normal(&r);
    ebm_model_refresh(&f->model, f->work);
}

static inline void system_open(fixture *f, const system_kind *s, spoil mistake, int sampler) {
    fixture_open(f, s->units, s->categories, s->edges, s->ends, mistake, sampler);
    system_draw(f, s, 0);
}

static inline void fixture_close(fixture *f) {
    ebm_sampler_free(&f->sampler);
    ebm_base_free(&f->base);
    if (f->options)
        test_options_free(&f->model.type->info, f->options);
    ebm_model_free(&f->model);
    ebm_work_free(f->work);
}

static inline ebm_path path_of(const fixture *f, int i) {
    return (ebm_path){paths[i].base ? &f->base : NULL, paths[i].beta};
}

static inline double *kernel_of(fixture *f, ebm_path path) {
    const size_t S = ebm_states_count(&f->model.space);
    double *T = oracle_memory(S * S);
    CHECK_OK(f->type->kernel(&f->sampler, &f->model, path, S, T, f->work, error));
    return T;
}

/* p_beta of every state, by plain sums of the model's energies. */
static inline double *law_of(fixture *f, ebm_path path) {
    const size_t S = ebm_states_count(&f->model.space);
    double *energy = oracle_memory(S);
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f->model, S, &batch, error));
    ebm_states_fill(&f->model.space, 0, S, batch.x);
    plain_energy(&f->model, path, &batch, energy, f->work);
    const double log_z = oracle_log_sum(energy, S, 1);
    for (size_t s = 0; s < S; s++)
        energy[s] = exp(-energy[s] - log_z);
    ebm_batch_free(&batch);
    return energy;
}

/* Transition counts of `sweeps` real sweeps from every state against T^sweeps: the statistic over its limit. */
static inline double transition_excess(fixture *f, ebm_path path, const double *T, size_t sweeps) {
    enum { CHAINS = 20000, ROUNDS = 4 };
    const size_t S = ebm_states_count(&f->model.space), V = f->model.space.size;
    double *law = oracle_memory(S), *counts = oracle_memory(S * S);
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(&f->model, CHAINS, ebm_stream_of(6, EBM_PURPOSE_ESTIMATE), &chains, error));
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t b = 0; b < CHAINS; b++)
            ebm_states_fill(&f->model.space, b % S, 1, chains.batch.x + b * V);
        CHECK_OK(f->type->step(&f->sampler, &f->model, path, &chains, sweeps, f->work, error));
        for (size_t b = 0; b < CHAINS; b++)
            counts[(b % S) * S + ebm_states_code(&f->model.space, chains.batch.x + b * V)]++;
    }
    chi_square chi = {0, 0};
    bool impossible = false;
    for (size_t s = 0; s < S; s++) {
        memset(law, 0, S * sizeof *law);
        law[s] = 1;
        oracle_advance(S, T, sweeps, law);
        for (size_t to = 0; to < S; to++) /* what cannot be is not seen, however rarely */
            impossible |= !(law[to] > 0) && counts[s * S + to] > 0;
        chi_square_row(&chi, S, law, counts + s * S);
    }
    ebm_chains_free(&chains);
    free(law);
    free(counts);
    return impossible ? INFINITY : chi.degrees > 0 ? chi.statistic / chi_square_limit(chi.degrees) : 0;
}

#endif
