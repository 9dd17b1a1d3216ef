/* The small models, the samplers' options and the paths that the battery of kernel_battery.h is run on. */
#ifndef TESTS_KERNEL_CASES_H
#define TESTS_KERNEL_CASES_H

#include "kernel_battery.h"

#include "ebm/registry.h"

enum {
    MOST_CASES = 4000, /* checked below */
    MOST_STATES = 1024,
    MOST_LISTED = 1 << 18,
    LARGE = 256, /* models of more states take the first path alone */
    DRAWS = 8000,
    LEAST_DRAWS = 20,
    MOST_OPTIONS = 12
};

typedef struct small_model {
    const char *label, *name;
    const char *options[MOST_OPTIONS];
    bool fields;  /* fill the views of fields and biases with normal numbers */
    bool unfused; /* without its fused sweeps: what is done by `site` alone */
} small_model;

static const small_model small_models[] = {
    {"rbm 4 x 3", "rbm", {"visible", "4", "hidden", "3", "init_scale", "1"}, true, false},
    {"rbm 3 x 5, strong", "rbm", {"visible", "3", "hidden", "5", "init_scale", "3"}, true, false},
    {"boltzmann 4, binary", "boltzmann", {"units", "4", "states", "binary", "init_scale", "0.8"}, true, false},
    {"boltzmann 5, spin", "boltzmann", {"units", "5", "states", "spin", "init_scale", "0.5"}, true, false},
    {"boltzmann 4, binary, by units", "boltzmann", {"units", "4", "states", "binary", "init_scale", "0.8"}, true, true},
    {"dense memory 5, cubic",
     "hopfield-modern",
     {"units", "5", "patterns", "4", "power", "3", "init_scale", "1.2"},
     false,
     false},
    {"dense memory 4, exponential",
     "hopfield-modern",
     {"units", "4", "patterns", "3", "energy", "exponential", "init_scale", "0.8"},
     false,
     false},
    {"ising torus 3 x 3", "ising", {"side", "3", "coupling", "0.3"}, false, false},
    {"ising grid 2 x 3, disorder and fields",
     "ising",
     {"rows", "2", "columns", "3", "lattice", "grid", "coupling", "0.7", "disorder", "gaussian"},
     true,
     false},
    {"ising grid 2 x 3, by units",
     "ising",
     {"rows", "2", "columns", "3", "lattice", "grid", "coupling", "0.7", "disorder", "gaussian"},
     true,
     true},
    {"ising grid 2 x 2, no field", "ising", {"side", "2", "lattice", "grid", "coupling", "0.5"}, false, false},
    {"potts grid 2 x 3, q = 3",
     "potts",
     {"rows", "2", "columns", "3", "lattice", "grid", "categories", "3", "coupling", "0.7"},
     false,
     false},
    {"potts grid 2 x 2, q = 3, fields",
     "potts",
     {"side", "2", "lattice", "grid", "categories", "3", "coupling", "0.9"},
     true,
     false},
    {"potts grid 2 x 2, q = 3, by units",
     "potts",
     {"side", "2", "lattice", "grid", "categories", "3", "coupling", "0.9"},
     true,
     true},
    {"potts chain of 3, q = 3",
     "potts",
     {"rows", "1", "columns", "3", "lattice", "grid", "categories", "3", "coupling", "0.8"},
     true,
     false},
    {"potts dense 3, q = 3", "potts-dense", {"units", "3", "categories", "3", "init_scale", "0.7"}, true, false},
    {"boltzmann-hidden 4 + 3, binary",
     "boltzmann-hidden",
     {"visible", "4", "hidden", "3", "states", "binary", "init_scale", "0.9"},
     true,
     false},
    {"boltzmann-hidden 3 + 2, spin",
     "boltzmann-hidden",
     {"visible", "3", "hidden", "2", "states", "spin", "init_scale", "0.6"},
     true,
     false},
    /* Larger, for what fused sweeps do beyond a block, a word or a vector. */
    {"ising torus 4 x 4", "ising", {"side", "4", "coupling", "0.4"}, false, false},
    {"ising torus 4 x 4, disorder and fields",
     "ising",
     {"side", "4", "coupling", "0.5", "disorder", "gaussian"},
     true,
     false},
    {"boltzmann 18, binary", "boltzmann", {"units", "18", "states", "binary", "init_scale", "0.4"}, true, false},
    {"potts torus 3 x 3, q = 3", "potts", {"side", "3", "categories", "3", "coupling", "0.8"}, false, false},
    {"potts dense 9, q = 4", "potts-dense", {"units", "9", "categories", "4", "init_scale", "0.3"}, true, false},
    {"rbm 11 x 5", "rbm", {"visible", "11", "hidden", "5", "init_scale", "0.7"}, true, false},
};
enum { SMALL_MODELS = sizeof small_models / sizeof *small_models };

/* Options besides the defaults; in place of them where `instead` is set. */
typedef struct variant {
    const char *sampler;
    const char *options[MOST_OPTIONS];
    size_t settle; /* see battery_case */
    bool instead;
} variant;

static const variant variants[] = {
    {"gibbs", {"scan", "random"}, 0, false},
    {"gibbs", {"scan", "checkerboard"}, 0, false},
    {"gibbs", {"sweeps", "2"}, 0, false},
    {"joint-gibbs", {"sweeps", "3"}, 0, false},
    {"metropolis", {"scan", "random"}, 0, false},
    {"metropolis", {"scan", "checkerboard"}, 0, false},
    {"metropolis", {"scan", "random", "sweeps", "2"}, 0, false},
    {"gibbs-with-gradients", {"balance", "barker", "proposals", "3"}, 0, false},
    {"dmala", {"step", "1"}, 0, false},
    {"dmala", {"adjust", "false"}, 0, false},
    {"tempering", {"temperatures", "2"}, 0, false},
    {"tempering", {"temperatures", "3", "hottest", "5", "inner", "metropolis"}, 0, false},
    {"tempering", {"temperatures", "2", "hottest", "3", "swap_every", "2", "inner", "swendsen-wang"}, 0, false},
    {"annealed", {"max_temperature", "2", "rate", "0.5"}, 1, true},
    {"annealed", {"max_temperature", "1", "inner", "wolff"}, 0, true},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static inline const small_model *small_by_label(const char *label) {
    for (size_t m = 0; m < SMALL_MODELS; m++)
        if (strcmp(small_models[m].label, label) == 0)
            return &small_models[m];
    ck_abort_msg("no model %s", label);
}

/* ---- Opening a case ---- */

typedef struct bench {
    const small_model *small;
    const ebm_model_type *type;
    ebm_model_type unfused;
    void *options;
    ebm_model model;
    ebm_base base;
    ebm_work *work;
} bench;

static inline void draw_fields(bench *b, test_random *r) {
    static const char *const names[] = {"field", "bias", "visible_bias", "hidden_bias"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (size_t i = 0; i < b->model.n_views; i++) {
            const ebm_view *view = &b->model.views[i];
            const size_t count = view->rows * (view->columns ? view->columns : 1);
            for (size_t n = 0; strcmp(view->name, names[k]) == 0 && n < count; n++)
                b->model.theta[view->offset + n] = (ebm_real)(0.5 * test_random_normal(r));
        }
    ebm_model_refresh(&b->model, b->work);
}

/* A base that is not uniform, with its normaliser by enumeration. */
static inline void draw_base(bench *b, test_random *r) {
    const size_t S = ebm_states_count(&b->model.space);
    double *energy = battery_memory(S, sizeof *energy);
    ebm_real *x = battery_memory(S * b->model.space.size, sizeof *x);
    CHECK_OK(ebm_base_fit(&b->model.space, NULL, 1, &b->base, error));
    for (size_t k = 0; k < b->base.count; k++)
        b->base.parameters[k] = (ebm_real)(0.7 * test_random_normal(r));
    ebm_states_fill(&b->model.space, 0, S, x);
    ebm_base_energy(&b->base, S, x, energy, b->work);
    for (size_t s = 0; s < S; s++)
        energy[s] = -energy[s];
    b->base.log_normaliser = ebm_log_sum_exp(energy, S);
    free(energy);
    free(x);
}

static inline void bench_open(bench *b, const small_model *small) {
    memset(b, 0, sizeof *b);
    b->small = small;
    b->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, small->name);
    ck_assert_msg(b->type != NULL, "no model %s", small->name);
    if (small->unfused) {
        b->unfused = *b->type;
        b->unfused.sweep = NULL;
        b->type = &b->unfused;
    }
    b->options = test_options(&b->type->info, small->options);
    CHECK_OK(ebm_work_create(1, &b->work, error));
    CHECK_OK(ebm_model_create(b->type, b->options, NULL, NULL, 3, &b->model, error));
    test_random r = {(uint64_t)(small - small_models) + 77};
    if (small->fields)
        draw_fields(b, &r);
    if (ebm_model_slots(b->type) & EBM_SLOT_BASE)
        draw_base(b, &r);
}

static inline void bench_close(bench *b) {
    if (b->base.parameters)
        ebm_base_free(&b->base);
    ebm_model_free(&b->model);
    test_options_free(&b->type->info, b->options);
    ebm_work_free(b->work);
}

/* ---- All samplers and their options ---- */

static inline bool has_required_option(const ebm_component *component) {
    for (const ebm_option *o = component->options; o->name; o++)
        if (o->flags & EBM_OPTION_REQUIRED)
            return true;
    return false;
}

/* The n-th setting of a sampler: its defaults, then its rows of `variants`. NULL past the end. */
static inline const variant *setting_at(const ebm_component *sampler, size_t n) {
    static const variant defaults = {.sampler = "any"};
    bool instead = has_required_option(sampler);
    for (size_t k = 0; k < VARIANTS; k++)
        instead = instead || (variants[k].instead && strcmp(variants[k].sampler, sampler->name) == 0);
    if (!instead && n-- == 0)
        return &defaults;
    for (size_t k = 0; k < VARIANTS; k++)
        if (strcmp(variants[k].sampler, sampler->name) == 0 && n-- == 0)
            return &variants[k];
    return NULL;
}

static inline const char *setting_text(const char *const *options, char *buffer, size_t size) {
    size_t used = 0;
    buffer[0] = '\0';
    for (; options[0] && used + 1 < size; options += 2)
        used += (size_t)snprintf(buffer + used, size - used, " %s=%s", options[0], options[1]);
    return buffer;
}

/* Whether the sampler with these options can be had on the model; then it is open. */
static inline bool sampler_open(const ebm_sampler_type *type, const void *options, const bench *b, ebm_sampler *out) {
    ebm_error refusal = {0};
    if (!type->kernel && !type->exact)
        return false; /* promises no law: descent */
    if (b->small->unfused && !((type->needs | type->needs_any) & EBM_SLOT_SITE))
        return false; /* does not sweep */
    const ebm_status status = ebm_sampler_create(type, options, &b->model, out, &refusal);
    ck_assert_msg(status == EBM_OK || status == EBM_UNSUPPORTED, "%s on %s: %s", type->info.name, b->small->label,
                  refusal.message);
    if (status != EBM_OK)
        ebm_sampler_free(out);
    return status == EBM_OK;
}

static const struct {
    bool base;
    double beta;
} paths[] = {{false, 1.0}, {false, 0.5}, {true, 0.6}};
enum { PATHS = sizeof paths / sizeof *paths };

static inline bool path_at(const bench *b, size_t k, ebm_path *out) {
    *out = (ebm_path){paths[k].base ? &b->base : NULL, paths[k].beta};
    if (k > 0 && ebm_states_count(&b->model.space) > LARGE)
        return false;
    return !paths[k].base || b->base.parameters;
}

static inline battery_case case_of(const bench *b, ebm_sampler *sampler, ebm_path path) {
    return (battery_case){.model = &b->model,
                          .stepped = &b->model,
                          .sampler = sampler,
                          .path = path,
                          .most_states = MOST_STATES,
                          .most_listed = MOST_LISTED,
                          .draws = DRAWS,
                          .least_draws = LEAST_DRAWS,
                          .alarm = 1e-6 / (2.0 * MOST_CASES),
                          .work = b->work};
}

#endif
