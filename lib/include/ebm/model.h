/* Models: p(x) proportional to exp(-E(x; theta)) on a space.
 *
 * E is the free energy where units are hidden. theta is one flat vector with named views, so that optimisers, saving,
 * loading and finite differences are written once. Optional slots are NULL where a model cannot; each unlocks samplers,
 * learners and estimators.
 *
 * Whatever anneals takes a path: E_beta = (1 - beta) E_base + beta E, with the base a factorised machine over x (hidden
 * units uniform), or NULL for the uniform one, where beta is an inverse temperature. beta = 1 is the model itself. */
#ifndef EBM_MODEL_H
#define EBM_MODEL_H

#include "ebm/component.h"
#include "ebm/dataset.h"
#include "ebm/graph.h"
#include "ebm/random.h"
#include "ebm/real.h"
#include "ebm/space.h"
#include "ebm/status.h"
#include "ebm/work.h"

#include <stdbool.h>

/* A factorised distribution over a space. Binary: parameters (size) = logits. Spin: fields. Categorical: logits
 * (size, categories). Real: means (size) then log variances (size). */
typedef struct ebm_base {
    ebm_space space;
    size_t count;
    ebm_real *parameters;
    double log_normaliser; /* log sum_x exp(-E_base(x)) over x alone, with E_base(x) = -parameters . x (binary) */
} ebm_base;

/* Fit to the training half's means, shrunk towards the uniform by `pseudo_count` examples; data = NULL: uniform. */
EBM_NODISCARD ebm_status ebm_base_fit(const ebm_space *space, const ebm_dataset *data, double pseudo_count,
                                      ebm_base *out, ebm_error *error);
void ebm_base_free(ebm_base *base);
/* x (count, size) independent draws; row b uses chain first_chain + b. */
void ebm_base_sample(const ebm_base *base, size_t count, ebm_stream stream, uint32_t first_chain, uint64_t step,
                     ebm_real *x, ebm_work *work);
/* out[b] = -log of the unnormalised base density */
void ebm_base_energy(const ebm_base *base, size_t count, const ebm_real *x, double *out, ebm_work *work);

typedef struct ebm_path {
    const ebm_base *base; /* NULL: uniform */
    double beta;          /* in [0, 1] for annealing; any positive inverse temperature with a uniform base */
} ebm_path;

static inline ebm_path ebm_path_end(void) {
    ebm_path path = {NULL, 1.0};
    return path;
}

typedef struct ebm_model ebm_model;

/* A batch of states, one a row, with what the model has already worked out about them. Functions that change x clear
 * field_ok; ebm_model_field makes the field true again. */
typedef struct ebm_batch {
    size_t count;
    ebm_real *x;      /* (count, V) */
    ebm_real *field;  /* (count, F): the model's linear statistic of x (RBM: W^T x + c); NULL when F = 0 */
    ebm_real *hidden; /* (count, H): states of the hidden units; NULL when H = 0 */
    bool field_ok, hidden_ok;
} ebm_batch;

EBM_NODISCARD ebm_status ebm_batch_create(const ebm_model *model, size_t count, ebm_batch *out, ebm_error *error);
void ebm_batch_free(ebm_batch *batch);

/* Which optional slots a model fills, as a mask: what samplers, learners and estimators say they need. */
enum {
    EBM_SLOT_GRAD_X = 1,
    EBM_SLOT_SITE = 2,
    EBM_SLOT_BLOCK = 4, /* sample_hidden and sample_visible */
    EBM_SLOT_JOINT_ENERGY = 8,
    EBM_SLOT_BASE = 16,           /* a base distribution whose normaliser is known: log_base_normaliser */
    EBM_SLOT_LOG_NORMALISER = 32, /* exact, by enumerating what has to be enumerated */
    EBM_SLOT_SCORE_TERMS = 64,
    EBM_SLOT_HIDDEN_MEANS = 128,
    EBM_SLOT_GRAPH = 256,
    EBM_SLOT_SAMPLE_SITE = 512,  /* real units: their full conditionals can be drawn from */
    EBM_SLOT_JOINT_SWEEP = 1024, /* joint_sweep, joint_grad_theta and sample_hidden: the chain of (x, h) */
    EBM_SLOT_MINIBATCH = 2048,   /* grad_x_minibatch: a posterior given examples, whose gradient a few can estimate */
    EBM_SLOT_GAUSSIAN_VISIBLE = 4096 /* gaussian_visible: p(x | h) is a product of Gaussians */
};

/* How a unit is updated given all others. */
typedef enum ebm_site_rule {
    EBM_HEAT_BATH,  /* drawn from its conditional: Gibbs sampling */
    EBM_METROPOLIS, /* another value, uniformly chosen (for two-valued units: the other one), accepted with
                       min(1, p(new | rest) / p(old | rest)) */
    EBM_DESCENT /* the most probable value; where that is not one alone and the present value is among them, it stays:
                       at a field of exactly 0 a spin keeps its sign */
} ebm_site_rule;

/* In which order a sweep visits the units. */
typedef enum ebm_scan {
    EBM_SCAN_SYSTEMATIC, /* 0, 1, ... V - 1 */
    EBM_SCAN_RANDOM,     /* V units drawn uniformly with replacement, each chain its own; EBM_DESCENT: all units in the
                              order of a fresh ebm_random_order a sweep, so that a sweep without a change is an end */
    EBM_SCAN_CHECKERBOARD, /* the units of colour 0 in order, then those of colour 1: graphs with two colours */
} ebm_scan;

/* Sweeps of single-site updates. Sweep s of row b draws from (stream, first_chain + b, step + s). */
typedef struct ebm_sweeps {
    ebm_site_rule rule;
    ebm_scan scan;
    size_t count;
    ebm_stream stream;
    uint32_t first_chain;
    uint64_t step;
    double
        accepted;   /* in and out: increased by the proposals accepted (EBM_METROPOLIS), by the changes (EBM_DESCENT) */
    uint32_t *left; /* EBM_DESCENT (rows), in and out: how many changes each row may still make; NULL: any number */
} ebm_sweeps;

typedef struct ebm_model_type {
    ebm_component info;
    unsigned domains; /* spaces it can live on: mask of 1u << ebm_domain */
    bool linear; /* E(x; theta) = sum_k theta_k f_k(x): an exponential family, whose likelihood sees of data only the
                         means of f = dE/dtheta */
    bool mixed_units; /* on the real line, but not every number is a state (counts, categories): only the model's own
                         conditionals move it */

    /* The space that the options alone describe; out->size = 0 where they leave it to the data. NULL: always the
     * data's. */
    ebm_status (*space)(const void *options, ebm_space *out, ebm_error *error);
    /* Set n_hidden, n_field, n_theta, views and state from `options` and model->space (already set: the data's, where
     * there are data; EBM_INVALID where the options say otherwise). theta is allocated, zeroed, by the caller
     * afterwards. */
    ebm_status (*create)(ebm_model *model, const void *options, ebm_error *error);
    /* Fill theta: initialisation or loading, as `options` ask. `data` may be NULL. */
    ebm_status (*initialise)(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                             ebm_error *error);
    void (*destroy)(ebm_model *model); /* frees model->state; may be NULL */
    /* theta has changed: renew whatever is derived from it (a transposed copy, say). May be NULL. */
    void (*refresh)(ebm_model *model, ebm_work *work);

    /* field (count, F) of x. NULL when F = 0. Call through ebm_model_field. */
    void (*field)(const ebm_model *model, const ebm_batch *batch, ebm_work *work);
    /* out[b] = E_beta(x_b) along the path. The field is valid (where F > 0). */
    void (*energy)(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work);
    /* out[b] = E_to(x_b) - E_from(x_b), accurate where the two are close: the increment of annealing. Both paths have
     * the same base. NULL: two calls of energy are subtracted. The field is valid. */
    void (*energy_difference)(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch, double *out,
                              ebm_work *work);
    /* grad (n_theta) += scale * sum_b weight_b dE(x_b)/dtheta at beta = 1; weight NULL: 1. The field is valid. */
    void (*grad_theta)(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                       ebm_real *grad, ebm_work *work);

    /* out (count, V) = dE_beta(x_b)/dx (binary and spin: of E extended to real x); categorical: out (count, V, q), the
     * derivatives by the one-hot coordinates of E's extension that is linear in each unit. The field is valid. */
    void (*grad_x)(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work);
    /* energy and grad_x at once, where that is cheaper than one after the other. NULL: call through
     * ebm_model_energy_grad_x, which then calls both. */
    void (*energy_grad_x)(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy, ebm_real *grad,
                          ebm_work *work);
    /* out (count, V) = an unbiased estimate of dE/dx at beta = 1 of a posterior given `model->examples` examples: what
     * depends on examples is taken from examples[b] (count, drawn) of each row b, repeats allowed, and scaled by
     * model->examples / drawn. With every example once it is grad_x. */
    void (*grad_x_minibatch)(const ebm_model *model, const ebm_batch *batch, const uint32_t *examples, size_t drawn,
                             ebm_real *out, ebm_work *work);
    /* logit (count, q) of unit units[b] of each row b: for binary and spin q = 1, log P(up | rest) - log P(down | rest);
     * categorical: the log conditionals up to a constant. The field is valid and may be used. */
    void (*site)(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units, ebm_real *logit,
                 ebm_work *work);
    /* Unit units[b] of each row b, once before[b] (count), has its present value: bring the field up to date. NULL when
     * F = 0. */
    void (*site_changed)(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                         ebm_work *work);
    /* Sweeps of single-site updates, fused: the same law as by `site`, not the same numbers. False where the model has
     * no fast way for this rule, scan and path; then nothing has happened. Which way is taken depends on shapes and
     * parameters alone, never on threads. On return field_ok tells whether the field is still right. May be NULL. */
    bool (*sweep)(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps, ebm_work *work);
    /* x[units[b]] of each row b drawn from its conditional given the rest, on real spaces; row b draws at chain
     * first_chain + b. The caller renews the field. */
    void (*sample_site)(const ebm_model *model, ebm_path path, ebm_batch *batch, const uint32_t *units,
                        ebm_stream stream, uint32_t first_chain, uint64_t step, ebm_work *work);
    /* The pairwise couplings that E is a sum of, for cluster sampling and for colourings. Owned by the model, true until
     * theta changes. */
    const ebm_graph *(*graph)(const ebm_model *model);
    /* hidden ~ p_beta(h | x) given a valid field; row b draws at chain first_chain + b. Sets hidden_ok. */
    void (*sample_hidden)(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                          uint32_t first_chain, uint64_t step, ebm_work *work);
    /* x ~ p_beta(x | h) given hidden states. Clears field_ok. */
    void (*sample_visible)(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                           uint32_t first_chain, uint64_t step, ebm_work *work);
    /* p_beta(x | h) = N(mean, diag(variance)): mean (count, V) given hidden states, variance (V), the same for all. */
    ebm_status (*gaussian_visible)(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *mean,
                                   ebm_real *variance, ebm_work *work, ebm_error *error);
    /* E[h | x] at beta = 1 (count, H) given a valid field; E[x | h] (count, V). */
    void (*hidden_means)(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work);
    void (*visible_means)(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work);
    /* out[b] = E_beta(x_b, h_b) */
    void (*joint_energy)(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work);
    /* Gibbs sampling of the joint p_beta(x, h), from the batch's x and hidden states: sweeps over the visible units in
     * turn but those with fixed[i] (NULL: none is), then the hidden ones. All of them fixed is the clamped phase. Rule
     * EBM_HEAT_BATH, scan EBM_SCAN_SYSTEMATIC. Sweep s of row b draws number i for unit i and V + j for hidden unit j of
     * ebm_random_uniform(stream, first_chain + b, step + s). Sets hidden_ok; where any
     * visible unit is free, clears field_ok, else leaves x alone. */
    ebm_status (*joint_sweep)(const ebm_model *model, ebm_path path, ebm_batch *batch, const bool *fixed,
                              const ebm_sweeps *sweeps, ebm_work *work, ebm_error *error);
    /* grad (n_theta) += scale * sum_b weight_b dE(x_b, h_b)/dtheta at beta = 1, at the batch's hidden states. */
    void (*joint_grad_theta)(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                             ebm_real *grad, ebm_work *work);
    /* log Z of the path at beta = 0: the base over x times the uniform hidden units. */
    double (*log_base_normaliser)(const ebm_model *model, const ebm_base *base);
    /* log Z_beta exactly, in blocks; EBM_UNSUPPORTED with the size when there is too much to enumerate. */
    ebm_status (*log_normaliser)(const ebm_model *model, ebm_path path, double *out, ebm_work *work, ebm_error *error);
    /* grad (n_theta) += scale * E_model[dE/dtheta], exactly (the same enumeration). log_z may be NULL. */
    ebm_status (*expected_grad_theta)(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                      ebm_work *work, ebm_error *error);
    /* x = independent draws of p_beta, by the same enumeration, up to a bound that is lower than log_normaliser's
     * (EBM_UNSUPPORTED beyond); row b draws at chain first_chain + b and steps step, step + 1. Clears field_ok. */
    ebm_status (*sample_exact)(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                               uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error);
    /* *out = E_p_beta[f] of the observable of that name (observable.h), by a formula that needs no enumeration;
     * EBM_UNSUPPORTED where there is none for it. May be NULL. */
    ebm_status (*exact_mean)(const ebm_model *model, ebm_path path, const char *observable, double *out, ebm_work *work,
                             ebm_error *error);
    /* out[k] = P_beta(x_unit <= t[k]), k < count, on real spaces: the marginal law of one unit, by formula or
     * quadrature. EBM_UNSUPPORTED where it is known neither way. May be NULL. */
    ebm_status (*marginal_cdf)(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                               double *out, ebm_work *work, ebm_error *error);
    /* Exact score matching: out[b] = sum_i (1/2 (dE/dx_i)^2 - d2E/dx_i2). */
    void (*score_terms)(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work);
    /* Turn a gradient with respect to theta into the direction that the parametrisation prefers (centring). May be
     * NULL. */
    void (*precondition)(ebm_model *model, ebm_real *grad, ebm_work *work);
    /* What must be kept beside theta to go on from a checkpoint (running means, say). May be NULL. */
    size_t (*extra_state)(ebm_model *model, ebm_real **out);
} ebm_model_type;

enum { EBM_MAX_VIEWS = 8 };

typedef struct ebm_view {
    const char *name;             /* "W": also the name of its .npy file */
    size_t offset, rows, columns; /* columns = 0 for a vector */
    bool decays;                  /* weight decay applies */
} ebm_view;

struct ebm_model {
    const ebm_model_type *type;
    ebm_space space;
    size_t examples; /* training examples of the data that it was created with; 0 without data. Set before `create`;
                        a posterior that makes its own examples sets it there */
    size_t n_hidden, n_field, n_theta;
    ebm_real *theta;
    size_t n_views;
    ebm_view views[EBM_MAX_VIEWS];
    void *state; /* the type's own */
};

/* Create on `space` (NULL: the one that the options describe), allocate theta, initialise and refresh. The caller frees
 * with ebm_model_free. */
EBM_NODISCARD ebm_status ebm_model_create(const ebm_model_type *type, const void *options, const ebm_space *space,
                                          const ebm_dataset *data, uint32_t seed, ebm_model *out, ebm_error *error);
void ebm_model_free(ebm_model *model);
unsigned ebm_model_slots(const ebm_model_type *type);
/* Names of the slots in `mask`, joined by ", ". Returns `buffer`. */
const char *ebm_slot_names(unsigned mask, char *buffer, size_t size);
/* Make the batch's field valid. */
void ebm_model_field(const ebm_model *model, ebm_batch *batch, ebm_work *work);
/* energy (count) = E_beta and grad (count, V) = dE_beta/dx of the batch, whose field becomes valid. */
void ebm_model_energy_grad_x(const ebm_model *model, ebm_path path, ebm_batch *batch, double *energy, ebm_real *grad,
                             ebm_work *work);
void ebm_model_refresh(ebm_model *model, ebm_work *work);
ebm_real *ebm_model_view(const ebm_model *model, const char *name);
/* Each view as DIR/<name>.npy. Load checks every shape, refreshes the model, and leaves it as it was on failure. */
EBM_NODISCARD ebm_status ebm_model_save(const ebm_model *model, const char *directory, ebm_error *error);
EBM_NODISCARD ebm_status ebm_model_load(ebm_model *model, const char *directory, ebm_error *error);

#endif
