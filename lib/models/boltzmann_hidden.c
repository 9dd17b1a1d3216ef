/* The Boltzmann machine with hidden units (Hinton & Sejnowski 1983; Ackley, Hinton & Sejnowski 1985).
 *
 *   y = (x, h): V visible units, then H hidden ones, all of them 0/1 or all -1/+1, every pair coupled
 *   E(x, h) = -y^T W y / 2 - bias . y,      W symmetric, zero diagonal: exp(y^T W y / 2) is the one convention throughout
 *   f       = bias + W_(., visible) x       (the field of all V + H units by the visible ones)
 *   F(x)    = -x . (f_v + bias_v) / 2 - log sum_h exp(f_h . h + h^T R h / 2),      R the couplings among hidden units
 *   dF/dW_ij = -E[y_i y_j | x] / 2,   dF/dbias_i = -E[y_i | x]
 *   log P(x_i up | rest) - log P(x_i down | rest) = F(x_i down) - F(x_i up)
 *
 * The sums over h are enumerations (hidden_states.h), so H is at most 16; log Z and the model's expectations are those of
 * the fully visible machine of V + H units with the same theta (boltzmann.c), whose functions do them. Along a path with
 * base logits (spins: fields) a, E_beta(x, h) = -(1 - beta) a . x + beta E(x, h): hidden units are uniform in the base.
 *
 * As there, theta holds each coupling twice, each half with half of its derivative, and `precondition` makes of it the
 * learning rule w_ij += rate (<y_i y_j>_clamped - <y_i y_j>_free). */
#include "models/boltzmann.h"
#include "models/hidden_states.h"
#include "components.h"

#include "core/row_kernels.h"
#include "ebm/matrix.h"
#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct hidden_options {
    int64_t visible, hidden;
    int states, visible_bias;
    double init_scale, bias_scale;
    char *load;
} hidden_options;

enum { STATES_DATA, STATES_BINARY, STATES_SPIN };
enum { BIAS_DATA, BIAS_ZERO };
static const char *const states_names[] = {"data", "binary", "spin", NULL};
static const char *const bias_names[] = {"data", "zero", NULL};

#define AT(member) offsetof(hidden_options, member)
static const ebm_option hidden_table[] = {
    {"visible", EBM_OPTION_INT, AT(visible), "0", 0, 1e5, NULL, 0,
     "number of visible units; 0: as many as the data have, or the weights in `load` beside the hidden ones"},
    {"hidden", EBM_OPTION_INT, AT(hidden), "4", 0, EBM_HIDDEN_MAX_UNITS, NULL, 0,
     "number of hidden units, whose states are summed one by one"},
    {"states", EBM_OPTION_CHOICE, AT(states), "data", 0, 0, states_names, 0,
     "values of a unit, 0/1 or -1/+1; data: those of the data, binary where there are none"},
    {"init_scale", EBM_OPTION_REAL, AT(init_scale), "0.1", 0, 100, NULL, 0,
     "standard deviation of the initial couplings; 0 is a saddle point that gradients do not leave"},
    {"bias_scale", EBM_OPTION_REAL, AT(bias_scale), "0", 0, 100, NULL, 0,
     "standard deviation of what is added to the initial biases"},
    {"visible_bias", EBM_OPTION_CHOICE, AT(visible_bias), "data", 0, 0, bias_names, 0,
     "start of the visible units' biases: those of independent units with the data's means, or 0"},
    {"load", EBM_OPTION_STRING, AT(load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder with W.npy (all units x all units, visible first, symmetric, zero diagonal) and bias.npy to start from"},
    EBM_OPTIONS_END,
};

static bool is_spin(const ebm_model *model) {
    return model->space.domain == EBM_SPIN;
}
static size_t units_of(const ebm_model *model) {
    return model->space.size + model->n_hidden;
}
static const ebm_real *bias_of(const ebm_model *model) {
    return model->theta + units_of(model) * units_of(model);
}
static double base_of(ebm_path path, size_t i) {
    return path.base ? (1 - path.beta) * (double)path.base->parameters[i] : 0;
}

static ebm_status hidden_space(const void *options, ebm_space *out, ebm_error *error) {
    const hidden_options *o = options;
    size_t visible = (size_t)o->visible;
    if (visible == 0 && o->load) {
        size_t units;
        EBM_TRY(ebm_boltzmann_units(o->load, &units, error));
        if (units <= (size_t)o->hidden)
            return ebm_fail(error, EBM_INVALID,
                            "%s has couplings of %zu units: none would be visible beside %zu hidden", o->load, units,
                            (size_t)o->hidden);
        visible = units - (size_t)o->hidden;
    }
    *out = ebm_space_line(o->states == STATES_SPIN ? EBM_SPIN : EBM_BINARY, visible);
    return EBM_OK;
}

/* The fully visible machine of all units, on the same theta. */
static ebm_model joint_of(const ebm_model *model) {
    const size_t N = units_of(model);
    ebm_model joint = {.type = &ebm_boltzmann,
                       .space = ebm_space_line(model->space.domain, N),
                       .n_field = N,
                       .n_theta = model->n_theta,
                       .theta = model->theta,
                       .n_views = model->n_views};
    memcpy(joint.views, model->views, sizeof joint.views);
    return joint;
}

/* The path of that machine: hidden units have no part in the base. Parameters are scratch of `work`; out->parameters is
 * NULL without memory. */
static ebm_path joint_path(const ebm_model *model, ebm_path path, ebm_base *out, ebm_work *work) {
    const size_t V = model->space.size, N = units_of(model);
    *out = (ebm_base){.space = ebm_space_line(model->space.domain, N), .count = N};
    out->parameters = ebm_work_take(work, N, sizeof *out->parameters);
    for (size_t i = 0; out->parameters && i < N; i++)
        out->parameters[i] = path.base && i < V ? path.base->parameters[i] : 0;
    return (ebm_path){path.base ? out : NULL, path.beta};
}

static ebm_status hidden_create(ebm_model *model, const void *options, ebm_error *error) {
    const hidden_options *o = options;
    const size_t V = model->space.size, H = (size_t)o->hidden;
    if (o->visible && (size_t)o->visible != V)
        return ebm_fail(error, EBM_INVALID, "visible is %zu, but the data have %zu", (size_t)o->visible, V);
    if (o->states != STATES_DATA && (o->states == STATES_SPIN) != is_spin(model))
        return ebm_fail(error, EBM_INVALID, "states is %s, but the data are %s", states_names[o->states],
                        ebm_domain_name(model->space.domain));
    ebm_model joint = {.space = ebm_space_line(model->space.domain, V + H)};
    EBM_TRY(ebm_boltzmann_shape(&joint, error));
    model->n_hidden = H;
    model->n_field = joint.n_field;
    model->n_theta = joint.n_theta;
    model->n_views = joint.n_views;
    memcpy(model->views, joint.views, sizeof model->views);
    ebm_hidden_states *states = ebm_alloc(1, sizeof *states);
    model->state = states;
    if (states)
        *states = (ebm_hidden_states){H, (size_t)1 << H, is_spin(model), ebm_alloc((size_t)1 << H, sizeof(double))};
    return states && states->pairs ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu hidden units", H);
}

static void hidden_destroy(ebm_model *model) {
    ebm_hidden_states *states = model->state;
    if (states)
        free(states->pairs);
    free(states);
}

static void hidden_refresh(ebm_model *model, ebm_work *work) {
    const size_t V = model->space.size, N = units_of(model), mark = ebm_work_mark(work);
    ebm_hidden_states *states = model->state;
    double *scratch = ebm_work_take(work, states->states, sizeof *scratch);
    ebm_hidden_pairs(states, model->theta + V * N + V, N, scratch);
    ebm_work_release(work, mark);
}

/* As boltzmann's: couplings at chains 0 ... N - 1, the biases at chain N. */
static ebm_status hidden_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                    ebm_error *error) {
    const hidden_options *o = options;
    const ebm_stream stream = ebm_stream_of(seed, EBM_PURPOSE_INIT);
    const size_t N = units_of(model);
    ebm_real *bias = model->theta + N * N;
    if (o->load) {
        ebm_model joint = joint_of(model);
        return ebm_boltzmann_load(&joint, o->load, error);
    }
    ebm_random_normal_plain(stream, (uint32_t)N, 0, N, bias);
    for (size_t i = 0; i < N; i++)
        bias[i] = (ebm_real)(o->bias_scale * (double)bias[i]);
    if (data && o->visible_bias == BIAS_DATA) {
        ebm_base base;
        EBM_TRY(ebm_base_fit(&model->space, data, 1.0, &base, error));
        for (size_t i = 0; i < model->space.size; i++)
            bias[i] += base.parameters[i];
        ebm_base_free(&base);
    }
    ebm_boltzmann_draw_couplings(N, o->init_scale, stream, model->theta);
    return EBM_OK;
}

static void hidden_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    const size_t V = model->space.size, N = units_of(model), B = batch->count;
    if (!is_spin(model)) {
        ebm_binary_product(B, N, V, batch->x, V, model->theta, N, bias_of(model), batch->field, N, work);
        return;
    }
    for (size_t b = 0; b < B; b++)
        memcpy(batch->field + b * N, bias_of(model), N * sizeof(ebm_real));
    ebm_gemm(false, false, B, N, V, 1.0, batch->x, V, model->theta, N, 1.0, batch->field, N, work);
}

/* The biases that x gives to the hidden units. */
static void hidden_biases(const ebm_model *model, const ebm_batch *batch, size_t b, double *bias) {
    const ebm_real *field = batch->field + b * units_of(model) + model->space.size;
    for (size_t j = 0; j < model->n_hidden; j++)
        bias[j] = (double)field[j];
}

/* of_base a . x + of_machine x . (f_v + bias_v) / 2 */
static double visible_part(const ebm_model *model, double of_base, const ebm_base *base, double of_machine,
                           const ebm_batch *batch, size_t b) {
    const size_t V = model->space.size;
    const ebm_real *x = batch->x + b * V, *field = batch->field + b * units_of(model), *bias = bias_of(model);
    double sum = 0;
    for (size_t i = 0; i < V; i++)
        sum += (double)x[i] * ((base ? of_base * (double)base->parameters[i] : 0) +
                               0.5 * of_machine * ((double)field[i] + (double)bias[i]));
    return sum;
}

static void hidden_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    const ebm_hidden_states *states = model->state;
    const size_t mark = ebm_work_mark(work);
    double *w = ebm_work_take(work, states->states, sizeof *w), bias[EBM_HIDDEN_MAX_UNITS];
    for (size_t b = 0; b < batch->count; b++) {
        hidden_biases(model, batch, b, bias);
        out[b] = -visible_part(model, 1 - path.beta, path.base, path.beta, batch, b) -
                 ebm_hidden_log_sum(states, bias, path.beta, w);
    }
    ebm_work_release(work, mark);
}

/* log sum_h exp(to w) - log sum_h exp(from w) = log E_from[exp((to - from) w)]. Where no exponent passes 1 that is
 * log(1 + E_from[exp(..) - 1]), which does not cancel. */
static double log_sum_difference(const ebm_hidden_states *t, const double *bias, double from, double to, double *w,
                                 double *p) {
    double largest = 0, change = 0;
    ebm_hidden_weights(t, bias, 1, w);
    for (size_t s = 0; s < t->states; s++)
        largest = fmax(largest, fabs((to - from) * w[s]));
    const double at_from = ebm_hidden_law(t, bias, from, p);
    if (!(largest <= 1))
        return ebm_hidden_log_sum(t, bias, to, w) - at_from;
    for (size_t s = 0; s < t->states; s++)
        change += p[s] * expm1((to - from) * w[s]);
    return log1p(change);
}

static void hidden_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                     double *out, ebm_work *work) {
    const ebm_hidden_states *states = model->state;
    const size_t mark = ebm_work_mark(work);
    double *w = ebm_work_take(work, states->states, sizeof *w), *p = ebm_work_take(work, states->states, sizeof *p);
    double bias[EBM_HIDDEN_MAX_UNITS];
    for (size_t b = 0; b < batch->count; b++) {
        hidden_biases(model, batch, b, bias);
        out[b] = (to.beta - from.beta) * visible_part(model, 1, to.base, -1, batch, b) -
                 log_sum_difference(states, bias, from.beta, to.beta, w, p);
    }
    ebm_work_release(work, mark);
}

/* y (B, N) = (x, h), h from `hidden` (B, H). */
static void joint_states(const ebm_model *model, const ebm_batch *batch, const ebm_real *hidden, ebm_real *y) {
    const size_t V = model->space.size, H = model->n_hidden;
    for (size_t b = 0; b < batch->count; b++) {
        memcpy(y + b * (V + H), batch->x + b * V, V * sizeof *y);
        if (H > 0)
            memcpy(y + b * (V + H) + V, hidden + b * H, H * sizeof *y);
    }
}

/* mean (B, H) = E[h | x] at beta; where `law` (2^H) is not NULL, law += sum_b weight_b p(h | x_b). */
static void posterior(const ebm_model *model, double beta, const ebm_batch *batch, const ebm_real *weight,
                      ebm_real *mean, double *law, ebm_work *work) {
    const ebm_hidden_states *states = model->state;
    const size_t H = model->n_hidden, mark = ebm_work_mark(work);
    double *p = ebm_work_take(work, states->states, sizeof *p), bias[EBM_HIDDEN_MAX_UNITS],
           of_row[EBM_HIDDEN_MAX_UNITS];
    for (size_t b = 0; b < batch->count; b++) {
        hidden_biases(model, batch, b, bias);
        ebm_hidden_law(states, bias, beta, p);
        for (size_t s = 0; law && s < states->states; s++)
            law[s] += (weight ? (double)weight[b] : 1) * p[s];
        ebm_hidden_mean(states, p, of_row);
        for (size_t j = 0; j < H; j++)
            mean[b * H + j] = (ebm_real)of_row[j];
    }
    ebm_work_release(work, mark);
}

/* grad -= scale sum_b weight_b (y_i y_j / 2, y_i), of the moments y (B, N); `pair` (H, H), where it is not NULL, stands for
 * the sums of products of two hidden units. Both halves of W get the same number. */
static void add_moments(const ebm_model *model, size_t B, const ebm_real *y, const ebm_real *weight, const double *pair,
                        double scale, ebm_real *grad, ebm_work *work) {
    const size_t V = model->space.size, H = model->n_hidden, N = V + H, mark = ebm_work_mark(work);
    ebm_real *S = ebm_work_take(work, N * N, sizeof *S), *weighted = NULL;
    if (weight) {
        weighted = ebm_work_take(work, B * N, sizeof *weighted);
        for (size_t b = 0; b < B; b++)
            for (size_t i = 0; i < N; i++)
                weighted[b * N + i] = weight[b] * y[b * N + i];
    }
    ebm_gemm(true, false, N, N, B, -0.5 * scale, y, N, weight ? weighted : y, N, 0.0, S, N, work);
    for (size_t i = 0; pair && i < H; i++)
        for (size_t j = i + 1; j < H; j++)
            S[(V + i) * N + V + j] = (ebm_real)(-0.5 * scale * pair[i * H + j]);
    for (size_t i = 0; i < N; i++)
        for (size_t j = i + 1; j < N; j++) {
            grad[i * N + j] += S[i * N + j];
            grad[j * N + i] += S[i * N + j];
        }
    ebm_column_sums(B, N, -scale, y, weight, grad + N * N, work);
    ebm_work_release(work, mark);
}

static void hidden_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                              ebm_real *grad, ebm_work *work) {
    const ebm_hidden_states *states = model->state;
    const size_t H = model->n_hidden, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *mean = ebm_work_take(work, B * H + 1, sizeof *mean);
    ebm_real *y = ebm_work_take(work, B * units_of(model), sizeof *y);
    double *law = ebm_work_take(work, states->states, sizeof *law);
    double pair[EBM_HIDDEN_MAX_UNITS * EBM_HIDDEN_MAX_UNITS];
    for (size_t s = 0; s < states->states; s++)
        law[s] = 0;
    posterior(model, 1, batch, weight, mean, law, work);
    ebm_hidden_pair_moments(states, law, pair);
    joint_states(model, batch, mean, y);
    add_moments(model, B, y, weight, pair, scale, grad, work);
    ebm_work_release(work, mark);
}

static void hidden_joint_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight,
                                    double scale, ebm_real *grad, ebm_work *work) {
    const size_t mark = ebm_work_mark(work);
    ebm_real *y = ebm_work_take(work, batch->count * units_of(model), sizeof *y);
    joint_states(model, batch, batch->hidden, y);
    add_moments(model, batch->count, y, weight, NULL, scale, grad, work);
    ebm_work_release(work, mark);
}

/* dF_beta/dx_i = -((1 - beta) a_i + beta (f_i + sum_j W_ij E_beta[h_j | x])) */
static void hidden_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                          ebm_work *work) {
    const size_t V = model->space.size, H = model->n_hidden, N = V + H, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *mean = ebm_work_take(work, B * H + 1, sizeof *mean);
    posterior(model, path.beta, batch, NULL, mean, NULL, work);
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < V; i++) {
            double sum = (double)batch->field[b * N + i];
            for (size_t j = 0; j < H; j++)
                sum += (double)model->theta[i * N + V + j] * (double)mean[b * H + j];
            out[b * V + i] = (ebm_real)(-base_of(path, i) - path.beta * sum);
        }
    ebm_work_release(work, mark);
}

static void hidden_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                        ebm_real *logit, ebm_work *work) {
    const ebm_hidden_states *states = model->state;
    const size_t V = model->space.size, H = model->n_hidden, N = V + H, mark = ebm_work_mark(work);
    const double low = ebm_hidden_down(states);
    double *w = ebm_work_take(work, states->states, sizeof *w), up[EBM_HIDDEN_MAX_UNITS], down[EBM_HIDDEN_MAX_UNITS];
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *field = batch->field + b * N, *row = model->theta + units[b] * N + V;
        const double x = (double)batch->x[b * V + units[b]];
        for (size_t j = 0; j < H; j++) {
            up[j] = (double)field[V + j] + (1 - x) * (double)row[j];
            down[j] = (double)field[V + j] + (low - x) * (double)row[j];
        }
        logit[b] =
            (ebm_real)((1 - low) * (base_of(path, units[b]) + path.beta * (double)field[units[b]]) +
                       ebm_hidden_log_sum(states, up, path.beta, w) - ebm_hidden_log_sum(states, down, path.beta, w));
    }
    ebm_work_release(work, mark);
}

static void hidden_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                                ebm_work *work) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t V = model->space.size, N = units_of(model);
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real change = batch->x[b * V + units[b]] - before[b];
        if (change != 0)
            kernels->axpy(N, change, model->theta + units[b] * N, batch->field + b * N);
    }
}

/* A state of h by inverse distribution function; row b takes number 0 of (first_chain + b, step). */
static void hidden_sample_hidden(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                 uint32_t first_chain, uint64_t step, ebm_work *work) {
    const ebm_hidden_states *states = model->state;
    const size_t H = model->n_hidden, mark = ebm_work_mark(work);
    const ebm_real down = (ebm_real)ebm_hidden_down(states);
    double *p = ebm_work_take(work, states->states, sizeof *p), bias[EBM_HIDDEN_MAX_UNITS];
    for (size_t b = 0; b < batch->count; b++) {
        hidden_biases(model, batch, b, bias);
        ebm_hidden_law(states, bias, path.beta, p);
        double left = ebm_random_uniform1(stream, first_chain + (uint32_t)b, step, 0);
        size_t code = 0;
        while (code + 1 < states->states && (left -= p[code]) >= 0)
            code++;
        for (size_t j = 0; j < H; j++)
            batch->hidden[b * H + j] = code >> j & 1u ? 1 : down;
    }
    batch->hidden_ok = true;
    ebm_work_release(work, mark);
}

static void hidden_means(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    posterior(model, 1, batch, NULL, out, NULL, work);
}

/* -(1 - beta) a . x - beta (x . (f_v + bias_v) / 2 + h . f_h + h^T R h / 2) */
static void hidden_joint_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                                ebm_work *work) {
    const size_t V = model->space.size, H = model->n_hidden, N = V + H;
    const ebm_real *R = model->theta + V * N + V;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *h = batch->hidden + b * H, *field = batch->field + b * N + V;
        double sum = 0;
        for (size_t j = 0; j < H; j++) {
            double of_unit = (double)field[j];
            for (size_t k = 0; k < j; k++)
                of_unit += (double)R[j * N + k] * (double)h[k];
            sum += (double)h[j] * of_unit;
        }
        out[b] = -visible_part(model, 1 - path.beta, path.base, path.beta, batch, b) - path.beta * sum;
    }
}

/* Rows one after another, each unit's field summed afresh. */
static void sweep_free_units(const ebm_model *model, ebm_path path, size_t rows, const bool *fixed,
                             const ebm_sweeps *sweeps, ebm_real *y, ebm_real *uniforms) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t V = model->space.size, N = units_of(model);
    const double step = is_spin(model) ? 2 : 1;
    const ebm_real *bias = bias_of(model), down = is_spin(model) ? -1 : 0;
    for (size_t b = 0; b < rows; b++)
        for (size_t s = 0; s < sweeps->count; s++) {
            ebm_random_uniform(sweeps->stream, sweeps->first_chain + (uint32_t)b, sweeps->step + s, N, uniforms);
            for (size_t i = 0; i < N; i++) {
                if (i < V && fixed[i])
                    continue;
                const double field = (double)bias[i] + kernels->dot(N, y + b * N, model->theta + i * N);
                const double logit = step * ((i < V ? base_of(path, i) : 0) + path.beta * field);
                y[b * N + i] = (double)uniforms[i] < ebm_sigmoid(logit) ? 1 : down;
            }
        }
}

static ebm_status hidden_joint_sweep(const ebm_model *model, ebm_path path, ebm_batch *batch, const bool *fixed,
                                     const ebm_sweeps *sweeps, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, H = model->n_hidden, N = V + H, B = batch->count, mark = ebm_work_mark(work);
    ebm_base base;
    const ebm_model joint = joint_of(model);
    const ebm_path all = joint_path(model, path, &base, work);
    ebm_batch states = {.count = B, .x = ebm_work_take(work, B * N, sizeof(ebm_real))};
    ebm_real *uniforms = ebm_work_take(work, N, sizeof *uniforms);
    ebm_sweeps these = *sweeps;
    bool done = base.parameters && states.x && uniforms;
    if (done) {
        joint_states(model, batch, batch->hidden, states.x);
        if (fixed)
            sweep_free_units(model, path, B, fixed, sweeps, states.x, uniforms);
        else
            done = ebm_boltzmann_sweep(&joint, all, &states, &these, work);
    }
    bool moved = !fixed;
    for (size_t i = 0; fixed && i < V; i++)
        moved = moved || !fixed[i];
    for (size_t b = 0; done && b < B; b++) {
        if (moved)
            memcpy(batch->x + b * V, states.x + b * N, V * sizeof(ebm_real));
        if (H > 0)
            memcpy(batch->hidden + b * H, states.x + b * N + V, H * sizeof(ebm_real));
    }
    batch->field_ok = batch->field_ok && !moved;
    batch->hidden_ok = true;
    ebm_work_release(work, mark);
    return done ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory to sweep %zu chains of %zu units", B, N);
}

static double hidden_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    return (base ? base->log_normaliser : (double)model->space.size * M_LN2) + (double)model->n_hidden * M_LN2;
}

static ebm_status hidden_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                        ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    const ebm_model joint = joint_of(model);
    ebm_base base;
    const ebm_path all = joint_path(model, path, &base, work);
    const ebm_status status = base.parameters ? ebm_boltzmann_log_normaliser(&joint, all, out, work, error)
                                              : ebm_fail(error, EBM_NO_MEMORY, "no memory to enumerate");
    ebm_work_release(work, mark);
    return status;
}

static ebm_status hidden_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                             ebm_work *work, ebm_error *error) {
    const ebm_model joint = joint_of(model);
    return ebm_boltzmann_expected_grad_theta(&joint, scale, grad, log_z, work, error);
}

/* Draws of (x, h), of which x is kept. */
static ebm_status hidden_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                      uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, N = units_of(model), B = batch->count, mark = ebm_work_mark(work);
    const ebm_model joint = joint_of(model);
    ebm_base base;
    const ebm_path all = joint_path(model, path, &base, work);
    ebm_batch states = {.count = B, .x = ebm_work_take(work, B * N, sizeof(ebm_real))};
    ebm_status status = base.parameters && states.x
                            ? ebm_boltzmann_sample_exact(&joint, all, &states, stream, first_chain, step, work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu draws", B);
    for (size_t b = 0; status == EBM_OK && b < B; b++)
        memcpy(batch->x + b * V, states.x + b * N, V * sizeof(ebm_real));
    batch->field_ok = batch->hidden_ok = false;
    ebm_work_release(work, mark);
    return status;
}

static void hidden_precondition(ebm_model *model, ebm_real *grad, ebm_work *work) {
    ebm_model joint = joint_of(model);
    ebm_boltzmann_precondition(&joint, grad, work);
}

const ebm_model_type ebm_boltzmann_hidden = {
    .info = {"boltzmann-hidden", "Boltzmann machine with hidden units, summed over: every pair of units is coupled",
             "Hinton & Sejnowski 1983; Ackley, Hinton & Sejnowski 1985", hidden_table, sizeof(hidden_options)},
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN,
    .space = hidden_space,
    .create = hidden_create,
    .initialise = hidden_initialise,
    .destroy = hidden_destroy,
    .refresh = hidden_refresh,
    .field = hidden_field,
    .energy = hidden_energy,
    .energy_difference = hidden_energy_difference,
    .grad_theta = hidden_grad_theta,
    .grad_x = hidden_grad_x,
    .site = hidden_site,
    .site_changed = hidden_site_changed,
    .sample_hidden = hidden_sample_hidden,
    .hidden_means = hidden_means,
    .joint_energy = hidden_joint_energy,
    .joint_sweep = hidden_joint_sweep,
    .joint_grad_theta = hidden_joint_grad_theta,
    .log_base_normaliser = hidden_log_base_normaliser,
    .log_normaliser = hidden_log_normaliser,
    .expected_grad_theta = hidden_expected_grad_theta,
    .sample_exact = hidden_sample_exact,
    .precondition = hidden_precondition,
};
