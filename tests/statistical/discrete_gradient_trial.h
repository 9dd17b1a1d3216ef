/* gibbs-with-gradients or dmala on a small model with random parameters, and the law of their proposals by its definition.
 *
 * All seeds are fixed; every statistical bound has a false alarm below 1e-6. */
#ifndef TESTS_DISCRETE_GRADIENT_TRIAL_H
#define TESTS_DISCRETE_GRADIENT_TRIAL_H

#include "pairs_model.h"
#include "rbm_fixture.h"

#include "ebm/enumerate.h"
#include "ebm/sampler.h"

enum { CHAINS = 20000, MOST_UNITS = 8, MOST_CATEGORIES = 4 };

/* A model with random parameters (theta normal of standard deviation `scale`) and a base machine. */
typedef struct target {
    const char *model;
    ebm_domain domain;
    size_t units, categories;
    const char *options[8];
} target;

static const target targets[] = {
    {"rbm", EBM_BINARY, 4, 2, {"hidden", "3"}},
    {"pairs", EBM_BINARY, 4, 2, {NULL}},
    {"pairs", EBM_SPIN, 4, 2, {NULL}},
    {"pairs", EBM_CATEGORICAL, 3, 3, {NULL}},
    {"ising", EBM_SPIN, 4, 2, {"rows", "2", "columns", "2", "lattice", "grid"}},
    {"potts", EBM_CATEGORICAL, 4, 3, {"rows", "2", "columns", "2", "lattice", "grid"}},
};
enum { TARGETS = sizeof targets / sizeof targets[0] };

typedef struct trial {
    const target *target;
    void *model_options, *options;
    ebm_model model;
    ebm_work *work;
    const ebm_sampler_type *type;
    ebm_sampler sampler;
} trial;

static inline ebm_space space_of(const target *t) {
    ebm_space space = ebm_space_line(t->domain, t->units);
    space.categories = t->categories;
    return space;
}

static inline void trial_open(trial *t, const target *of, double scale, const char *sampler,
                              const char *const *options) {
    memset(t, 0, sizeof *t);
    t->target = of;
    const ebm_model_type *type = strcmp(of->model, "pairs") == 0
                                     ? &pairs_type
                                     : (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, of->model);
    const ebm_space space = space_of(of);
    ck_assert_ptr_nonnull(type);
    t->model_options = test_options(&type->info, of->options);
    CHECK_OK(ebm_work_create(1, &t->work, error));
    CHECK_OK(ebm_model_create(type, t->model_options, &space, NULL, 1, &t->model, error));
    test_random r = {17 * of->units + of->categories};
    for (size_t k = 0; k < t->model.n_theta; k++)
        t->model.theta[k] = (ebm_real)(scale * test_random_normal(&r));
    ebm_model_refresh(&t->model, t->work);
    t->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, sampler);
    ck_assert_ptr_nonnull(t->type);
    t->options = test_options(&t->type->info, options);
    CHECK_OK(ebm_sampler_create(t->type, t->options, &t->model, &t->sampler, error));
}

static inline void trial_close(trial *t) {
    ebm_sampler_free(&t->sampler);
    test_options_free(&t->type->info, t->options);
    const ebm_component *info = &t->model.type->info;
    ebm_model_free(&t->model);
    test_options_free(info, t->model_options);
    ebm_work_free(t->work);
}

static inline size_t states_of(const trial *t) {
    return ebm_states_count(&t->model.space);
}

static inline double *trial_kernel(trial *t, ebm_path path) {
    double *T = oracle_memory(states_of(t) * states_of(t));
    CHECK_OK(t->type->kernel(&t->sampler, &t->model, path, states_of(t), T, t->work, error));
    return T;
}

static inline double *trial_law(trial *t, ebm_path path) {
    double *p = oracle_memory(states_of(t));
    CHECK_OK(ebm_model_log_probabilities(&t->model, path, p, NULL, t->work, error));
    for (size_t s = 0; s < states_of(t); s++)
        p[s] = exp(p[s]);
    return p;
}

/* A machine of independent units as the base. */
static inline ebm_base base_of(const trial *t, ebm_real *parameters) {
    const ebm_space *space = &t->model.space;
    const size_t count = space->size * (space->domain == EBM_CATEGORICAL ? space->categories : 1);
    test_random r = {77};
    for (size_t k = 0; k < count; k++)
        parameters[k] = (ebm_real)test_random_normal(&r);
    return (ebm_base){.space = *space, .count = count, .parameters = parameters};
}

typedef struct setting {
    const char *sampler;
    const char *options[6];
    size_t proposals; /* of one step */
    bool unadjusted;
} setting;

static const struct {
    setting set;
    bool all_units;
    int balance;
    double step;
} definitions[] = {
    {{"gibbs-with-gradients", {NULL}, 1, false}, false, 0, 0},
    {{"gibbs-with-gradients", {"balance", "barker"}, 1, false}, false, 1, 0},
    {{"dmala", {"step", "0.5"}, 1, false}, true, 0, 0.5},
    {{"dmala", {"step", "4"}, 1, false}, true, 0, 4},
    {{"dmala", {"step", "0.5", "adjust", "false"}, 1, true}, true, 0, 0.5},
};
enum { DEFINITIONS = sizeof definitions / sizeof definitions[0] };

/* dlog p / dx_i at a 0/1 state of the RBM, from its formula. */
static inline double rbm_slope(const trial *t, double beta, size_t state, size_t i) {
    const size_t V = t->model.space.size, H = t->model.n_hidden;
    const ebm_real *W = ebm_model_view(&t->model, "W"), *b = ebm_model_view(&t->model, "visible_bias"),
                   *c = ebm_model_view(&t->model, "hidden_bias");
    double slope = beta * (double)b[i];
    for (size_t j = 0; j < H; j++) {
        double field = (double)c[j];
        for (size_t k = 0; k < V; k++)
            field += oracle_bit(state, k) * (double)W[k * H + j];
        slope += beta * (double)W[i * H + j] / (1 + exp(-beta * field));
    }
    return slope;
}

/* What the gradient predicts for log p when digit i of state s becomes c: exactly the change where units are linear. */
static inline double predicted(const trial *t, const double *p, double beta, size_t s, size_t i, size_t c) {
    size_t q = t->target->categories, weight = 1;
    for (size_t k = 0; k < i; k++)
        weight *= q;
    const size_t digit = s / weight % q;
    if (strcmp(t->target->model, "rbm") == 0)
        return rbm_slope(t, beta, s, i) * ((double)c - (double)digit);
    return log(p[s - digit * weight + c * weight]) - log(p[s]);
}

/* q(to | from) by its definition: `balance` 0 sqrt, 1 Barker; or the step of dmala. */
static inline double proposal(const trial *t, const double *p, double beta, bool all_units, int balance, double step,
                              size_t from, size_t to) {
    const size_t V = t->target->units, q = t->target->categories;
    const double squared = t->target->domain == EBM_BINARY ? 1 : t->target->domain == EBM_SPIN ? 4 : 2;
    double total = 0, chosen = 0, product = 1;
    size_t changed = 0, a = from, b = to;
    for (size_t i = 0; i < V; i++, a /= q, b /= q) {
        double unit_total = 0, unit_chosen = 0;
        for (size_t c = 0; c < q; c++) {
            const double d = predicted(t, p, beta, from, i, c);
            double g = balance ? exp(d) / (1 + exp(d)) : exp(d / 2);
            if (all_units)
                g = exp(d / 2 - (c != a % q) * squared / (2 * step));
            else if (c == a % q)
                continue;
            unit_total += g;
            unit_chosen += c == b % q ? g : 0;
        }
        total += unit_total;
        product *= unit_chosen / unit_total;
        if (a % q != b % q) {
            changed++;
            chosen = unit_chosen;
        }
    }
    return all_units ? product : changed == 1 ? chosen / total : 0;
}

#endif
