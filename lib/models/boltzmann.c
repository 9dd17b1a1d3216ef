/* The fully visible Boltzmann machine (Hinton & Sejnowski 1983; Ackley, Hinton & Sejnowski 1985).
 *
 *   E(x) = -sum_(i<j) w_ij x_i x_j - sum_i b_i x_i,     x in {0,1}^V or {-1,+1}^V
 *   f    = W x + b   (the field; W symmetric, zero diagonal),    E = -x . (f + b) / 2
 *   log P(x_i up | rest) - log P(x_i down | rest) = f_i for 0/1 units, 2 f_i for spins
 *
 * Along a path with base logits (spins: fields) a:  E_beta = -sum_i x_i ((1 - beta) a_i + beta (f_i + b_i) / 2), so
 * conditionals see beta f_i + (1 - beta) a_i.
 *
 * theta holds all of W, each coupling twice. As a function of all V (V - 1) of those numbers E = -x^T W x / 2 - b . x, and
 * that is what gradients are of: each half of a coupling carries dE/dW_ij = -x_i x_j / 2, the diagonal nothing. Along a
 * change of both halves, which keeps W symmetric, that adds up to dE/dw_ij = -x_i x_j. The two halves are equal to the
 * bit, so optimisers, which treat all parameters alike, keep W symmetric with a zero diagonal. For the learners'
 * gradient steps `precondition` doubles the part of W, which makes them steps in the couplings themselves: the learning
 * rule w_ij += rate (<x_i x_j>_data - <x_i x_j>_model) of 1985. L-BFGS, which needs a true gradient, does without. */
#include "models/boltzmann.h"
#include "models/dense_sweep.h"
#include "models/enumerate_pairs.h"
#include "components.h"

#include "core/row_kernels.h"
#include "ebm/matrix.h"
#include "ebm/npy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct boltzmann_options {
    int64_t units;
    int states, initialise, visible_bias;
    double init_scale, bias_scale;
    char *load;
} boltzmann_options;

enum { STATES_DATA, STATES_BINARY, STATES_SPIN };
enum { INIT_NORMAL, INIT_ZERO };
enum { BIAS_DATA, BIAS_ZERO };
static const char *const states_names[] = {"data", "binary", "spin", NULL};
static const char *const init_names[] = {"normal", "zero", NULL};
static const char *const bias_names[] = {"data", "zero", NULL};

#define AT(member) offsetof(boltzmann_options, member)
static const ebm_option boltzmann_table[] = {
    {"units", EBM_OPTION_INT, AT(units), "0", 0, 1e5, NULL, 0,
     "number of units; 0: as many as the data or the weights in `load` have"},
    {"states", EBM_OPTION_CHOICE, AT(states), "data", 0, 0, states_names, 0,
     "values of a unit, 0/1 or -1/+1; data: those of the data, binary where there are none"},
    {"init", EBM_OPTION_CHOICE, AT(initialise), "normal", 0, 0, init_names, 0, "how the couplings start"},
    {"init_scale", EBM_OPTION_REAL, AT(init_scale), "0.01", 0, 100, NULL, 0,
     "standard deviation of the initial couplings"},
    {"bias_scale", EBM_OPTION_REAL, AT(bias_scale), "0", 0, 100, NULL, 0,
     "standard deviation of what is added to the initial biases"},
    {"visible_bias", EBM_OPTION_CHOICE, AT(visible_bias), "data", 0, 0, bias_names, 0,
     "start of the biases: those of independent units with the data's means, or 0"},
    {"load", EBM_OPTION_STRING, AT(load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder with W.npy (units x units, symmetric, zero diagonal) and bias.npy to start from"},
    EBM_OPTIONS_END,
};

enum { VIEW_W, VIEW_B };
static const ebm_real *view(const ebm_model *model, int index) {
    return model->theta + model->views[index].offset;
}

static bool is_spin(const ebm_model *model) {
    return model->space.domain == EBM_SPIN;
}

ebm_status ebm_boltzmann_units(const char *directory, size_t *units, ebm_error *error) {
    char path[4096];
    ebm_npy W;
    if (snprintf(path, sizeof path, "%s/W.npy", directory) >= (int)sizeof path)
        return ebm_fail(error, EBM_INVALID, "the path %s is too long", directory);
    EBM_TRY(ebm_npy_read(path, (size_t)4 << 30, &W, error));
    const bool square = W.rank == 2 && W.shape[0] == W.shape[1];
    *units = square ? W.shape[0] : 0;
    ebm_npy_free(&W);
    return square ? EBM_OK : ebm_fail(error, EBM_FORMAT, "%s: the couplings must be a square array", path);
}

static ebm_status boltzmann_space(const void *options, ebm_space *out, ebm_error *error) {
    const boltzmann_options *o = options;
    size_t units = (size_t)o->units;
    if (units == 0 && o->load)
        EBM_TRY(ebm_boltzmann_units(o->load, &units, error));
    *out = ebm_space_line(o->states == STATES_SPIN ? EBM_SPIN : EBM_BINARY, units);
    return EBM_OK;
}

static ebm_status boltzmann_create(ebm_model *model, const void *options, ebm_error *error) {
    const boltzmann_options *o = options;
    const size_t V = model->space.size;
    if (o->units && (size_t)o->units != V)
        return ebm_fail(error, EBM_INVALID, "units is %zu, but the data have %zu", (size_t)o->units, V);
    if (o->states != STATES_DATA && (o->states == STATES_SPIN) != is_spin(model))
        return ebm_fail(error, EBM_INVALID, "states is %s, but the data are %s", states_names[o->states],
                        ebm_domain_name(model->space.domain));
    return ebm_boltzmann_shape(model, error);
}

ebm_status ebm_boltzmann_shape(ebm_model *model, ebm_error *error) {
    const size_t V = model->space.size;
    if (V > SIZE_MAX / sizeof(ebm_real) / 4 / V)
        return ebm_fail(error, EBM_NO_MEMORY, "%zu x %zu couplings do not fit into memory", V, V);
    model->n_field = V;
    model->n_theta = V * V + V;
    model->n_views = 2;
    model->views[VIEW_W] = (ebm_view){"W", 0, V, V, true};
    model->views[VIEW_B] = (ebm_view){"bias", V * V, V, 0, false};
    return EBM_OK;
}

/* Couplings that were read: symmetric up to what rounding explains, and then exactly so. */
static ebm_status check_couplings(const char *directory, size_t V, ebm_real *W, ebm_error *error) {
    size_t self = 0, row = 0, column = 0;
    double largest = 0, apart = 0;
    for (size_t i = 0; i < V; i++) {
        self = fabs((double)W[i * V + i]) > fabs((double)W[self * V + self]) ? i : self;
        for (size_t j = i + 1; j < V; j++) {
            const double w = (double)W[i * V + j], back = (double)W[j * V + i];
            largest = fmax(largest, fmax(fabs(w), fabs(back)));
            if (fabs(w - back) > apart) {
                apart = fabs(w - back);
                row = i;
                column = j;
            }
        }
    }
    if (W[self * V + self] != 0)
        return ebm_fail(
            error, EBM_FORMAT,
            "%s/W.npy couples unit %zu to itself (%g, the largest such): the diagonal must be 0, and what it "
            "did for 0/1 units belongs into the bias",
            directory, self, (double)W[self * V + self]);
    if (apart > 1e-6 * largest)
        return ebm_fail(error, EBM_FORMAT,
                        "%s/W.npy is not symmetric: W[%zu][%zu] is %g, but W[%zu][%zu] is %g (the largest difference)",
                        directory, row, column, (double)W[row * V + column], column, row, (double)W[column * V + row]);
    for (size_t i = 0; i < V; i++)
        for (size_t j = i + 1; j < V; j++)
            W[i * V + j] = W[j * V + i] = (ebm_real)(0.5 * ((double)W[i * V + j] + (double)W[j * V + i]));
    return EBM_OK;
}

ebm_status ebm_boltzmann_load(ebm_model *model, const char *directory, ebm_error *error) {
    EBM_TRY(ebm_model_load(model, directory, error));
    return check_couplings(directory, model->space.size, model->theta, error);
}

void ebm_boltzmann_draw_couplings(size_t V, double scale, ebm_stream stream, ebm_real *W) {
    for (size_t i = 0; i < V; i++) {
        ebm_random_normal_plain(stream, (uint32_t)i, 0, V, W + i * V);
        for (size_t j = 0; j < i; j++)
            W[i * V + j] = W[j * V + i];
        W[i * V + i] = 0;
        for (size_t j = i + 1; j < V; j++)
            W[i * V + j] = (ebm_real)(scale * (double)W[i * V + j]);
    }
}

/* The couplings draw at chains 0 ... V - 1, the biases at chain V. */
static ebm_status boltzmann_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                       ebm_error *error) {
    const boltzmann_options *o = options;
    const ebm_stream stream = ebm_stream_of(seed, EBM_PURPOSE_INIT);
    const size_t V = model->space.size;
    ebm_real *W = model->theta, *bias = W + V * V;
    if (o->load)
        return ebm_boltzmann_load(model, o->load, error);
    ebm_random_normal_plain(stream, (uint32_t)V, 0, V, bias);
    for (size_t i = 0; i < V; i++)
        bias[i] = (ebm_real)(o->bias_scale * (double)bias[i]);
    if (data && o->visible_bias == BIAS_DATA) {
        ebm_base base;
        EBM_TRY(ebm_base_fit(&model->space, data, 1.0, &base, error));
        for (size_t i = 0; i < V; i++)
            bias[i] += base.parameters[i];
        ebm_base_free(&base);
    }
    if (o->initialise == INIT_NORMAL)
        ebm_boltzmann_draw_couplings(V, o->init_scale, stream, W);
    return EBM_OK;
}

static ebm_dense_machine machine_of(const ebm_model *model) {
    return (ebm_dense_machine){
        .units = model->space.size, .spin = is_spin(model), .W = view(model, VIEW_W), .bias = view(model, VIEW_B)};
}

void ebm_boltzmann_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    const size_t V = model->space.size, B = batch->count;
    const ebm_dense_machine machine = machine_of(model);
    if (!is_spin(model)) /* this product takes notice of how many units are up */
        ebm_binary_product(B, V, V, batch->x, V, machine.W, V, machine.bias, batch->field, V, work);
    else if (!ebm_dense_field(&machine, B, batch->x, batch->field, work)) {
        for (size_t b = 0; b < B; b++)
            memcpy(batch->field + b * V, machine.bias, V * sizeof(ebm_real));
        ebm_gemm(false, false, B, V, V, 1.0, batch->x, V, machine.W, V, 1.0, batch->field, V, work);
    }
}

/* out[b] = sum_i x_bi (of_base a_i + of_machine (f_bi + b_i) / 2): every energy here is of this form. */
static void weighted_parts(const ebm_model *model, double of_base, const ebm_base *base, double of_machine,
                           const ebm_batch *batch, double *out, ebm_work *work) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    ebm_real *linear = ebm_work_take(work, V, sizeof *linear);
    for (size_t i = 0; i < V; i++)
        linear[i] = (ebm_real)((base ? of_base * (double)base->parameters[i] : 0) +
                               0.5 * of_machine * (double)view(model, VIEW_B)[i]);
    ebm_dot_rows(batch->count, V, batch->x, linear, out, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] += 0.5 * of_machine * kernels->dot(V, batch->x + b * V, batch->field + b * V);
    ebm_work_release(work, mark);
}

void ebm_boltzmann_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    weighted_parts(model, -(1 - path.beta), path.base, -path.beta, batch, out, work);
}

/* E_to - E_from = (beta' - beta) (E - E_base), formed at scale 1: nothing cancels where the two are close. */
void ebm_boltzmann_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                     double *out, ebm_work *work) {
    weighted_parts(model, 1, to.base, -1, batch, out, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] *= to.beta - from.beta;
}

enum { TILE = 32 };

/* One tile of grad += S above the diagonal, and its mirror image below, turned in a buffer so that both go by rows. */
static void add_tile(size_t V, const ebm_real *S, size_t top, size_t left, ebm_real *grad) {
    const size_t bottom = top + TILE < V ? top + TILE : V, right = left + TILE < V ? left + TILE : V;
    ebm_real turned[TILE][TILE] = {{0}};
    for (size_t i = top; i < bottom; i++)
        for (size_t j = left > i ? left : i + 1; j < right; j++) {
            grad[i * V + j] += S[i * V + j];
            turned[j - left][i - top] = S[i * V + j];
        }
    for (size_t j = left; j < right; j++)
        for (size_t i = top; i < bottom && i < j; i++)
            grad[j * V + i] += turned[j - left][i - top];
}

static void add_symmetric(size_t V, const ebm_real *S, ebm_real *grad, ebm_work *work) {
    const int threads = V * V > 1 << 16 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
    for (size_t top = 0; top < V; top += TILE)
        for (size_t left = top; left < V; left += TILE)
            add_tile(V, S, top, left, grad);
}

/* By bands of rows, each from its diagonal to the right: half of the product. */
void ebm_boltzmann_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                              ebm_real *grad, ebm_work *work) {
    enum { BAND = 128 };
    const size_t V = model->space.size, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *S = ebm_work_take(work, V * V, sizeof *S), *weighted = NULL;
    const ebm_real *Y = batch->x;
    if (weight) {
        Y = weighted = ebm_work_take(work, B * V, sizeof *weighted);
        for (size_t b = 0; b < B; b++)
            for (size_t i = 0; i < V; i++)
                weighted[b * V + i] = weight[b] * batch->x[b * V + i];
    }
    for (size_t first = 0; first < V; first += BAND) {
        const size_t rows = V - first < BAND ? V - first : BAND;
        ebm_real *band = S + first * V + first;
        if (is_spin(model)) {
            ebm_gemm(true, false, rows, V - first, B, -0.5 * scale, batch->x + first, V, Y + first, V, 0.0, band, V,
                     work);
            continue;
        }
        for (size_t i = 0; i < rows; i++)
            memset(band + i * V, 0, (V - first) * sizeof *band);
        ebm_binary_outer(B, V - first, rows, -0.5 * scale, batch->x + first, V, Y + first, V, band, V, work);
    }
    add_symmetric(V, S, grad, work);
    ebm_column_sums(B, V, -scale, batch->x, weight, grad + V * V, work);
    ebm_work_release(work, mark);
}

/* (1 - beta) a, times `factor`. */
static void base_part(const ebm_model *model, ebm_path path, double factor, ebm_real *out) {
    for (size_t i = 0; i < model->space.size; i++)
        out[i] = path.base ? (ebm_real)(factor * (1 - path.beta) * (double)path.base->parameters[i]) : 0;
}

void ebm_boltzmann_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                          ebm_work *work) {
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    const ebm_real beta = (ebm_real)path.beta;
    ebm_real *shift = ebm_work_take(work, V, sizeof *shift);
    base_part(model, path, 1, shift);
    for (size_t b = 0; b < batch->count; b++)
        for (size_t i = 0; i < V; i++)
            out[b * V + i] = -(beta * batch->field[b * V + i] + shift[i]);
    ebm_work_release(work, mark);
}

void ebm_boltzmann_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                        ebm_real *logit, ebm_work *work) {
    const size_t V = model->space.size;
    const double factor = is_spin(model) ? 2 : 1;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const double a = path.base ? (double)path.base->parameters[units[b]] : 0;
        logit[b] = (ebm_real)(factor * ((1 - path.beta) * a + path.beta * (double)batch->field[b * V + units[b]]));
    }
}

/* Each call rounds the field once more: who makes many should have it computed afresh now and then. */
void ebm_boltzmann_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                                ebm_work *work) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t V = model->space.size;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real change = batch->x[b * V + units[b]] - before[b];
        if (change != 0)
            kernels->axpy(V, change, view(model, VIEW_W) + units[b] * V, batch->field + b * V);
    }
}

bool ebm_boltzmann_sweep(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps, ebm_work *work) {
    const size_t V = model->space.size, B = batch->count, mark = ebm_work_mark(work);
    const double factor = is_spin(model) ? 2 : 1;
    const bool descent = sweeps->rule == EBM_DESCENT;
    const bool can = sweeps->scan == EBM_SCAN_SYSTEMATIC || (descent && sweeps->scan == EBM_SCAN_RANDOM);
    ebm_real *shift = can ? ebm_work_take(work, V, sizeof *shift) : NULL;
    bool done = false;
    if (shift) {
        base_part(model, path, factor, shift);
        ebm_dense_machine machine = machine_of(model);
        machine.gain = (ebm_real)(factor * path.beta);
        machine.shift = shift;
        if (descent)
            ebm_model_field(model, batch, work);
        done = descent ? ebm_dense_descent(&machine, B, batch->x, batch->field, sweeps, work)
                       : ebm_dense_sweep(&machine, ebm_dense_widest_block(), B, batch->x, sweeps, work);
    }
    if (done) /* descent ends: the roundings of its changes are few */
        batch->field_ok = descent;
    ebm_work_release(work, mark);
    return done;
}

double ebm_boltzmann_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    return base ? base->log_normaliser : (double)model->space.size * M_LN2;
}

/* The machine at the path in double; its arrays are scratch of `work`. */
static ebm_status enumeration(const ebm_model *model, ebm_path path, size_t limit, const char *what, ebm_pair_sum *out,
                              ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size;
    if (V > limit)
        return ebm_fail(error, EBM_UNSUPPORTED, "%s would enumerate 2^%zu states: at most 2^%zu are", what, V, limit);
    double *bias = ebm_work_take(work, V, sizeof *bias), *coupling = ebm_work_take(work, V * V, sizeof *coupling);
    if (!bias || !coupling)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to enumerate %zu units", V);
    for (size_t i = 0; i < V; i++)
        bias[i] = (path.base ? (1 - path.beta) * (double)path.base->parameters[i] : 0) +
                  path.beta * (double)view(model, VIEW_B)[i];
    for (size_t k = 0; k < V * V; k++)
        coupling[k] = path.beta * (double)view(model, VIEW_W)[k];
    *out = (ebm_pair_sum){V, is_spin(model), bias, coupling};
    return EBM_OK;
}

ebm_status ebm_boltzmann_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                        ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    ebm_pair_sum sum;
    ebm_status status = enumeration(model, path, EBM_PAIRS_MAX_UNITS, "an exact log Z", &sum, work, error);
    if (status == EBM_OK)
        status = ebm_pair_log_sum(&sum, out, work, error);
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_boltzmann_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                             ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    double total = 0, *mean = NULL, *pair = NULL;
    ebm_pair_sum sum;
    ebm_status status =
        enumeration(model, ebm_path_end(), EBM_PAIRS_MAX_UNITS, "the exact gradient", &sum, work, error);
    if (status == EBM_OK) {
        mean = ebm_work_take(work, V, sizeof *mean);
        pair = ebm_work_take(work, V * V, sizeof *pair);
        if (!mean || !pair)
            status = ebm_fail(error, EBM_NO_MEMORY, "no memory for the moments of %zu units", V);
    }
    if (status == EBM_OK)
        status = ebm_pair_log_sum(&sum, &total, work, error);
    if (status == EBM_OK)
        status = ebm_pair_moments(&sum, total, mean, pair, work, error);
    for (size_t i = 0; status == EBM_OK && i < V; i++) {
        for (size_t j = 0; j < V; j++)
            grad[i * V + j] -= i == j ? 0 : (ebm_real)(0.5 * scale * pair[i * V + j]);
        grad[V * V + i] -= (ebm_real)(scale * mean[i]);
    }
    if (log_z)
        *log_z = total;
    ebm_work_release(work, mark);
    return status;
}

enum { DRAW_UNITS = 20 };

ebm_status ebm_boltzmann_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                      uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, B = batch->count, mark = ebm_work_mark(work);
    const ebm_real down = is_spin(model) ? -1 : 0;
    uint32_t *states = ebm_work_take(work, B, sizeof *states);
    double log_z = 0;
    ebm_pair_sum sum;
    ebm_status status = states ? enumeration(model, path, DRAW_UNITS, "exact draws", &sum, work, error)
                               : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu draws", B);
    if (status == EBM_OK)
        status = ebm_pair_log_sum(&sum, &log_z, work, error);
    if (status == EBM_OK)
        status = ebm_pair_draws(&sum, log_z, stream, first_chain, step, B, states, work, error);
    for (size_t b = 0; status == EBM_OK && b < B; b++)
        for (size_t i = 0; i < V; i++)
            batch->x[b * V + i] = states[b] >> i & 1u ? 1 : down;
    batch->field_ok = false;
    ebm_work_release(work, mark);
    return status;
}

/* From the gradient by all of W to that by the couplings (see the head). */
void ebm_boltzmann_precondition(ebm_model *model, ebm_real *grad, ebm_work *work) {
    const size_t pairs = model->space.size * model->space.size;
    ebm_axpy(pairs, 1.0, grad, grad, work);
}

const ebm_model_type ebm_boltzmann = {
    .info = {"boltzmann", "fully visible Boltzmann machine: every pair of units is coupled",
             "Hinton & Sejnowski 1983; Ackley, Hinton & Sejnowski 1985", boltzmann_table, sizeof(boltzmann_options)},
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN,
    .linear = true,
    .space = boltzmann_space,
    .create = boltzmann_create,
    .initialise = boltzmann_initialise,
    EBM_BOLTZMANN_SLOTS,
};
