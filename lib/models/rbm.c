/* The restricted Boltzmann machine with 0/1 units (Smolensky 1986, "harmonium"; Hinton 2002).
 *
 *   E(v, h) = -v^T W h - b^T v - c^T h,       W (V, H), b (V), c (H)
 *   F(v)    = -b^T v - sum_j log(1 + exp(f_j)),   f = W^T v + c   (the field)
 *   p(h_j = 1 | v) = sigmoid(f_j),   p(v_i = 1 | h) = sigmoid((W h + b)_i)
 *
 * Along a path with base logits a:  E_beta(v, h) = -((1 - beta) a + beta b)^T v - beta (f . h), so hidden units see
 * beta f and visible units beta (W h + b) + (1 - beta) a: the base-rate machine of Salakhutdinov & Murray (2008).
 *
 * Centring (Montavon & Mueller 2012; Melchior, Fischer & Wiskott 2016): the gradient is taken for
 * E = -(v - mu)^T W (h - lambda) - ... and mapped back; mu = the data's means, lambda = sigmoid(c + W^T mu). */
#include "models/enumerate_layer.h"
#include "models/initial_weights.h"
#include "components.h"

#include "ebm/matrix.h"
#include "ebm/npy.h"
#include "ebm/special.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct rbm_options {
    int64_t hidden, visible;
    int initialise;
    double init_scale;
    int visible_bias;
    bool centred;
    char *load;
} rbm_options;

enum { INIT_NORMAL, INIT_ZERO };
enum { BIAS_DATA, BIAS_ZERO };
static const char *const init_names[] = {"normal", "zero", NULL};
static const char *const bias_names[] = {"data", "zero", NULL};

#define AT(member) offsetof(rbm_options, member)
static const ebm_option rbm_table[] = {
    {"hidden", EBM_OPTION_INT, AT(hidden), "0", 0, 1e6, NULL, 0,
     "number of hidden units; may be left out with `load`, which then tells it"},
    {"visible", EBM_OPTION_INT, AT(visible), "0", 0, 1e6, NULL, 0,
     "number of visible units; 0: as many as the data have"},
    {"init", EBM_OPTION_CHOICE, AT(initialise), "normal", 0, 0, init_names, 0, "how the weights start"},
    {"init_scale", EBM_OPTION_REAL, AT(init_scale), "0.01", 0, 100, NULL, 0,
     "standard deviation of the initial weights"},
    {"visible_bias", EBM_OPTION_CHOICE, AT(visible_bias), "data", 0, 0, bias_names, 0,
     "start of the visible biases: log odds of each unit's mean in the data, or 0"},
    {"centred", EBM_OPTION_BOOL, AT(centred), "false", 0, 0, NULL, 0,
     "follow the centred gradient (offsets: the data's means with one pseudo-example, hidden activity at them)"},
    {"load", EBM_OPTION_STRING, AT(load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder with W.npy (visible x hidden), visible_bias.npy and hidden_bias.npy to start from"},
    EBM_OPTIONS_END,
};

typedef struct rbm_state {
    ebm_real *transposed; /* (H, V) = W^T */
    ebm_real *mu;         /* (V) data means, where centred */
    ebm_real *lambda;     /* (H), where centred */
    bool centred;
} rbm_state;

enum { VIEW_W, VIEW_B, VIEW_C };
static const ebm_real *view(const ebm_model *model, int index) {
    return model->theta + model->views[index].offset;
}

static ebm_status hidden_from_file(const char *directory, size_t V, size_t *hidden, ebm_error *error) {
    char path[4096];
    ebm_npy W;
    if (snprintf(path, sizeof path, "%s/W.npy", directory) >= (int)sizeof path)
        return ebm_fail(error, EBM_INVALID, "the path %s is too long", directory);
    EBM_TRY(ebm_npy_read(path, (size_t)4 << 30, &W, error));
    bool fits = W.rank == 2 && W.shape[0] == V && W.shape[1] > 0;
    *hidden = fits ? W.shape[1] : 0;
    size_t rows = W.shape[0], columns = W.rank > 1 ? W.shape[1] : 0;
    ebm_npy_free(&W);
    if (fits)
        return EBM_OK;
    if (columns == V)
        return ebm_fail(error, EBM_FORMAT,
                        "%s has shape (%zu, %zu) for %zu visible units: it looks transposed; rows are "
                        "visible units",
                        path, rows, columns, V);
    return ebm_fail(error, EBM_FORMAT, "%s has shape (%zu, %zu): its rows must be the data's %zu visible units", path,
                    rows, columns, V);
}

static ebm_status rbm_space(const void *options, ebm_space *out, ebm_error *error) {
    const rbm_options *o = options;
    (void)error;
    *out = ebm_space_line(EBM_BINARY, (size_t)o->visible);
    return EBM_OK;
}

static ebm_status rbm_create(ebm_model *model, const void *options, ebm_error *error) {
    const rbm_options *o = options;
    size_t V = model->space.size, H = (size_t)o->hidden;
    if (o->visible && (size_t)o->visible != V)
        return ebm_fail(error, EBM_INVALID, "visible is %zu, but the data have %zu units", (size_t)o->visible, V);
    if (o->load) {
        size_t found;
        EBM_TRY(hidden_from_file(o->load, V, &found, error));
        if (H && H != found)
            return ebm_fail(error, EBM_INVALID, "hidden is %zu, but the weights in %s have %zu hidden units", H,
                            o->load, found);
        H = found;
    }
    if (H == 0)
        return ebm_fail(error, EBM_INVALID,
                        "model rbm needs `hidden`, the number of hidden units (at least 1), or `load`");
    if (H > SIZE_MAX / sizeof(ebm_real) / 4 / V)
        return ebm_fail(error, EBM_NO_MEMORY, "%zu x %zu weights do not fit into memory", V, H);
    model->n_hidden = model->n_field = H;
    model->n_theta = V * H + V + H;
    model->n_views = 3;
    model->views[VIEW_W] = (ebm_view){"W", 0, V, H, true};
    model->views[VIEW_B] = (ebm_view){"visible_bias", V * H, V, 0, false};
    model->views[VIEW_C] = (ebm_view){"hidden_bias", V * H + V, H, 0, false};
    rbm_state *state = calloc(1, sizeof *state);
    model->state = state;
    if (state) {
        state->transposed = ebm_alloc(V * H, sizeof(ebm_real));
        state->centred = o->centred;
        state->mu = ebm_alloc(V, sizeof(ebm_real));
        state->lambda = ebm_alloc(H, sizeof(ebm_real));
    }
    if (!state || !state->transposed || !state->mu || !state->lambda)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a machine of %zu x %zu units", V, H);
    return EBM_OK;
}

static void rbm_destroy(ebm_model *model) {
    rbm_state *state = model->state;
    if (!state)
        return;
    free(state->transposed);
    free(state->mu);
    free(state->lambda);
    free(state);
}

static ebm_status rbm_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                 ebm_error *error) {
    const rbm_options *o = options;
    rbm_state *state = model->state;
    size_t V = model->space.size, H = model->n_hidden;
    if (data && (o->visible_bias == BIAS_DATA || o->centred)) {
        ebm_base base;
        EBM_TRY(ebm_base_fit(&model->space, data, 1.0, &base, error));
        for (size_t i = 0; i < V; i++) {
            if (o->visible_bias == BIAS_DATA)
                model->theta[V * H + i] = base.parameters[i];
            state->mu[i] = (ebm_real)ebm_sigmoid((double)base.parameters[i]);
        }
        ebm_base_free(&base);
    }
    if (o->load)
        return ebm_model_load(model, o->load, error);
    if (o->initialise == INIT_NORMAL)
        ebm_initial_weights(V, H, o->init_scale, seed, model->theta);
    return EBM_OK;
}

static void rbm_refresh(ebm_model *model, ebm_work *work) {
    rbm_state *state = model->state;
    size_t V = model->space.size, H = model->n_hidden;
    ebm_transpose(V, H, view(model, VIEW_W), state->transposed, work);
    if (state->centred) {
        ebm_gemm(false, false, 1, H, V, 1.0, state->mu, V, view(model, VIEW_W), H, 0.0, state->lambda, H, work);
        for (size_t j = 0; j < H; j++)
            state->lambda[j] = (ebm_real)ebm_sigmoid((double)state->lambda[j] + (double)view(model, VIEW_C)[j]);
    }
}

static void rbm_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    size_t V = model->space.size, H = model->n_hidden;
    ebm_binary_product(batch->count, H, V, batch->x, V, view(model, VIEW_W), H, view(model, VIEW_C), batch->field, H,
                       work);
}

/* out = (1 - beta) a + beta b: what multiplies v along the path. */
static void path_visible_bias(const ebm_model *model, ebm_path path, ebm_real *out) {
    const ebm_real *b = view(model, VIEW_B);
    for (size_t i = 0; i < model->space.size; i++) {
        double a = path.base ? (double)path.base->parameters[i] : 0;
        out[i] = (ebm_real)((1 - path.beta) * a + path.beta * (double)b[i]);
    }
}

static void rbm_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    size_t V = model->space.size, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *bias = ebm_work_take(work, V, sizeof *bias);
    double *linear = ebm_work_take(work, B, sizeof *linear);
    path_visible_bias(model, path, bias);
    ebm_dot_rows(B, V, batch->x, bias, linear, work);
    ebm_softplus_rows(B, model->n_hidden, batch->field, path.beta, out, work);
    for (size_t b = 0; b < B; b++)
        out[b] = -linear[b] - out[b];
    ebm_work_release(work, mark);
}

/* Both paths share the base: E_to - E_from = -(beta' - beta) (b - a) . v - sum_j (softplus(beta' f) - softplus(beta
 * f)). */
static void rbm_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                  double *out, ebm_work *work) {
    size_t V = model->space.size, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *bias = ebm_work_take(work, V, sizeof *bias);
    double *linear = ebm_work_take(work, B, sizeof *linear);
    for (size_t i = 0; i < V; i++)
        bias[i] = (ebm_real)((double)view(model, VIEW_B)[i] - (to.base ? (double)to.base->parameters[i] : 0));
    ebm_dot_rows(B, V, batch->x, bias, linear, work);
    ebm_softplus_difference_rows(B, model->n_hidden, batch->field, from.beta, to.beta, out, work);
    for (size_t b = 0; b < B; b++)
        out[b] = -(to.beta - from.beta) * linear[b] - out[b];
    ebm_work_release(work, mark);
}

static void rbm_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                           ebm_real *grad, ebm_work *work) {
    size_t V = model->space.size, H = model->n_hidden, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *mean = ebm_work_take(work, B * H, sizeof *mean);
    ebm_sigmoid_rows(B, H, batch->field, 1.0, NULL, mean, work);
    if (weight)
        for (size_t b = 0; b < B; b++)
            for (size_t j = 0; j < H; j++)
                mean[b * H + j] *= weight[b];
    ebm_binary_outer(B, H, V, -scale, batch->x, V, mean, H, grad, H, work);
    ebm_column_sums(B, V, -scale, batch->x, weight, grad + V * H, work);
    ebm_column_sums(B, H, -scale, mean, NULL, grad + V * H + V, work);
    ebm_work_release(work, mark);
}

/* dE_beta/dv = -((1 - beta) a + beta b) - beta W sigmoid(beta f) */
static void rbm_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    size_t V = model->space.size, H = model->n_hidden, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *mean = ebm_work_take(work, B * H, sizeof *mean);
    ebm_real *bias = ebm_work_take(work, V, sizeof *bias);
    ebm_sigmoid_rows(B, H, batch->field, path.beta, NULL, mean, work);
    path_visible_bias(model, path, bias);
    const rbm_state *state = model->state;
    ebm_gemm(false, false, B, V, H, -path.beta, mean, H, state->transposed, V, 0.0, out, V, work);
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < V; i++)
            out[b * V + i] -= bias[i];
    ebm_work_release(work, mark);
}

/* log P(v_i = 1 | rest) / P(v_i = 0 | rest) = F(v_i = 0) - F(v_i = 1) */
static void rbm_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                     ebm_real *logit, ebm_work *work) {
    size_t V = model->space.size, H = model->n_hidden;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        size_t i = units[b];
        const ebm_real *row = view(model, VIEW_W) + i * H;
        double a = path.base ? (double)path.base->parameters[i] : 0, x = (double)batch->x[b * V + i];
        double sum = (1 - path.beta) * a + path.beta * (double)view(model, VIEW_B)[i];
        for (size_t j = 0; j < H; j++) {
            double without = (double)batch->field[b * H + j] - x * (double)row[j];
            sum += ebm_log1pexp(path.beta * (without + (double)row[j])) - ebm_log1pexp(path.beta * without);
        }
        logit[b] = (ebm_real)sum;
    }
}

static void rbm_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                             ebm_work *work) {
    size_t V = model->space.size, H = model->n_hidden;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *row = view(model, VIEW_W) + units[b] * H;
        ebm_real delta = batch->x[b * V + units[b]] - before[b];
        if (delta != 0)
            for (size_t j = 0; j < H; j++)
                batch->field[b * H + j] += delta * row[j];
    }
}

static void rbm_sample_hidden(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                              uint32_t first_chain, uint64_t step, ebm_work *work) {
    ebm_bernoulli_rows(batch->count, model->n_hidden, batch->field, path.beta, NULL, stream, first_chain, step, NULL,
                       batch->hidden, work);
    batch->hidden_ok = true;
}

/* z (B, V) = W h + b */
static void visible_field(const ebm_model *model, const ebm_batch *batch, ebm_real *z, ebm_work *work) {
    const rbm_state *state = model->state;
    size_t V = model->space.size, H = model->n_hidden;
    ebm_binary_product(batch->count, V, H, batch->hidden, H, state->transposed, V, view(model, VIEW_B), z, V, work);
}

static void rbm_sample_visible(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                               uint32_t first_chain, uint64_t step, ebm_work *work) {
    size_t V = model->space.size, mark = ebm_work_mark(work);
    ebm_real *z = ebm_work_take(work, batch->count * V, sizeof *z);
    ebm_real *offset = NULL;
    if (path.base && path.beta != 1) {
        offset = ebm_work_take(work, V, sizeof *offset);
        for (size_t i = 0; i < V; i++)
            offset[i] = (ebm_real)((1 - path.beta) * (double)path.base->parameters[i]);
    }
    visible_field(model, batch, z, work);
    ebm_bernoulli_rows(batch->count, V, z, path.beta, offset, stream, first_chain, step, NULL, batch->x, work);
    batch->field_ok = false;
    ebm_work_release(work, mark);
}

static void rbm_hidden_means(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    ebm_sigmoid_rows(batch->count, model->n_hidden, batch->field, 1.0, NULL, out, work);
}

static void rbm_visible_means(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    visible_field(model, batch, out, work);
    ebm_sigmoid_rows(batch->count, model->space.size, out, 1.0, NULL, out, work);
}

static void rbm_joint_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                             ebm_work *work) {
    size_t V = model->space.size, H = model->n_hidden, mark = ebm_work_mark(work);
    ebm_real *bias = ebm_work_take(work, V, sizeof *bias);
    path_visible_bias(model, path, bias);
    ebm_dot_rows(batch->count, V, batch->x, bias, out, work);
    for (size_t b = 0; b < batch->count; b++) {
        double pair = 0;
        for (size_t j = 0; j < H; j++)
            pair += (double)batch->hidden[b * H + j] * (double)batch->field[b * H + j];
        out[b] = -out[b] - path.beta * pair;
    }
    ebm_work_release(work, mark);
}

static double rbm_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    double visible = base ? base->log_normaliser : (double)model->space.size * M_LN2;
    return visible + (double)model->n_hidden * M_LN2;
}

/* The sum over the smaller layer at the path; its arrays are scratch of `work`. */
static ebm_status layer_sum(const ebm_model *model, ebm_path path, bool over_hidden, ebm_layer_sum *sum, ebm_work *work,
                            ebm_error *error) {
    const rbm_state *state = model->state;
    size_t V = model->space.size, H = model->n_hidden;
    ebm_real *bias = ebm_work_take(work, V, sizeof *bias), *hidden = ebm_work_take(work, H, sizeof *hidden);
    ebm_real *coupling =
        (over_hidden ? H : V) <= EBM_ENUMERATE_MAX_UNITS ? ebm_work_take(work, V * H, sizeof *coupling) : hidden;
    if (!bias || !hidden || !coupling)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to enumerate a machine of %zu x %zu units", V, H);
    path_visible_bias(model, path, bias);
    for (size_t j = 0; j < H; j++)
        hidden[j] = (ebm_real)(path.beta * (double)view(model, VIEW_C)[j]);
    const ebm_real *W = over_hidden ? state->transposed : view(model, VIEW_W);
    for (size_t k = 0; coupling != hidden && k < V * H; k++)
        coupling[k] = (ebm_real)(path.beta * (double)W[k]);
    *sum = over_hidden ? (ebm_layer_sum){H, V, hidden, coupling, bias} : (ebm_layer_sum){V, H, bias, coupling, hidden};
    return EBM_OK;
}

static ebm_status rbm_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                     ebm_error *error) {
    size_t mark = ebm_work_mark(work);
    ebm_layer_sum sum;
    ebm_status status = layer_sum(model, path, model->n_hidden <= model->space.size, &sum, work, error);
    if (status == EBM_OK)
        status = ebm_layer_log_sum(&sum, out, work, error);
    ebm_work_release(work, mark);
    return status;
}

static ebm_status rbm_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                          ebm_work *work, ebm_error *error) {
    size_t V = model->space.size, H = model->n_hidden, mark = ebm_work_mark(work);
    bool over_hidden = H <= V;
    ebm_real *visible = grad + V * H, *hidden = grad + V * H + V, *pair = grad;
    ebm_layer_sum sum;
    double total = 0;
    ebm_status status = layer_sum(model, ebm_path_end(), over_hidden, &sum, work, error);
    if (status == EBM_OK)
        status = ebm_layer_log_sum(&sum, &total, work, error);
    if (status == EBM_OK && over_hidden) {
        pair = ebm_work_take(work, V * H, sizeof *pair);
        if (!pair)
            status = ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu x %zu pair sums", H, V);
        for (size_t k = 0; pair && k < V * H; k++)
            pair[k] = 0;
    }
    if (status == EBM_OK)
        status = ebm_layer_expectations(&sum, total, -scale, over_hidden ? hidden : visible,
                                        over_hidden ? visible : hidden, pair, work, error);
    if (status == EBM_OK && over_hidden)
        for (size_t i = 0; i < V; i++)
            for (size_t j = 0; j < H; j++)
                grad[i * H + j] += pair[j * V + i];
    if (log_z)
        *log_z = total;
    ebm_work_release(work, mark);
    return status;
}

enum { EXACT_DRAW_UNITS = 20 };

typedef struct level_of_row {
    double level;
    size_t row;
} level_of_row;

static int by_level(const void *left, const void *right) {
    const level_of_row *a = left, *b = right;
    return (a->level > b->level) - (a->level < b->level);
}

/* A state of the smaller layer by inverse CDF; then, where that is the hidden one, v | h. */
static ebm_status rbm_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                   uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    size_t V = model->space.size, H = model->n_hidden, B = batch->count, mark = ebm_work_mark(work);
    bool over_hidden = H <= V;
    size_t units = over_hidden ? H : V;
    if (units > EXACT_DRAW_UNITS)
        return ebm_fail(error, EBM_UNSUPPORTED, "exact draws enumerate a layer of at most %d units, not %zu",
                        EXACT_DRAW_UNITS, units);
    level_of_row *rows = ebm_work_take(work, B, sizeof *rows);
    double *level = ebm_work_take(work, B, sizeof *level), log_z = 0;
    uint32_t *states = ebm_work_take(work, B, sizeof *states);
    ebm_layer_sum sum;
    ebm_status status = rows && level && states ? layer_sum(model, path, over_hidden, &sum, work, error)
                                                : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu draws", B);
    if (status == EBM_OK)
        status = ebm_layer_log_sum(&sum, &log_z, work, error);
    for (size_t b = 0; status == EBM_OK && b < B; b++)
        rows[b] = (level_of_row){ebm_random_uniform1(stream, first_chain + (uint32_t)b, step, 0), b};
    if (status == EBM_OK) {
        qsort(rows, B, sizeof *rows, by_level);
        for (size_t b = 0; b < B; b++)
            level[b] = rows[b].level;
        status = ebm_layer_quantiles(&sum, log_z, B, level, states, work, error);
    }
    ebm_real *layer = over_hidden ? batch->hidden : batch->x;
    for (size_t b = 0; status == EBM_OK && b < B; b++)
        for (size_t k = 0; k < units; k++)
            layer[rows[b].row * units + k] = (ebm_real)(states[b] >> k & 1u);
    batch->field_ok = false;
    if (status == EBM_OK && over_hidden)
        rbm_sample_visible(model, path, batch, stream, first_chain, step + 1, work);
    batch->hidden_ok = false;
    ebm_work_release(work, mark);
    return status;
}

/* grad_W -= mu grad_c^T + grad_b lambda^T;  grad_b -= grad_W lambda;  grad_c -= grad_W^T mu (Melchior et al. 2016, 2.2)
 */
static void rbm_precondition(ebm_model *model, ebm_real *grad, ebm_work *work) {
    const rbm_state *state = model->state;
    if (!state->centred)
        return;
    size_t V = model->space.size, H = model->n_hidden, mark = ebm_work_mark(work);
    ebm_real *restrict visible = grad + V * H, *restrict hidden = grad + V * H + V;
    const ebm_real *restrict lambda = state->lambda;
    double *row = ebm_work_take(work, V, sizeof *row);
    int threads = V * H > 1 << 14 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < V; i++) {
        ebm_real *restrict g = grad + i * H, mu = state->mu[i], change = visible[i];
        for (size_t j = 0; j < H; j++)
            g[j] -= mu * hidden[j] + change * lambda[j];
    }
    ebm_dot_rows(V, H, grad, lambda, row, work);
    for (size_t i = 0; i < V; i++)
        visible[i] -= (ebm_real)row[i];
    ebm_column_sums(V, H, -1.0, grad, state->mu, hidden, work);
    ebm_work_release(work, mark);
}

const ebm_model_type ebm_rbm = {
    .info = {"rbm", "restricted Boltzmann machine: 0/1 visible and hidden units, no connections within a layer",
             "Smolensky 1986; Hinton 2002; annealing path: Salakhutdinov & Murray 2008, section 4", rbm_table,
             sizeof(rbm_options)},
    .domains = 1u << EBM_BINARY,
    .space = rbm_space,
    .create = rbm_create,
    .initialise = rbm_initialise,
    .destroy = rbm_destroy,
    .refresh = rbm_refresh,
    .field = rbm_field,
    .energy = rbm_energy,
    .energy_difference = rbm_energy_difference,
    .grad_theta = rbm_grad_theta,
    .grad_x = rbm_grad_x,
    .site = rbm_site,
    .site_changed = rbm_site_changed,
    .sample_hidden = rbm_sample_hidden,
    .sample_visible = rbm_sample_visible,
    .hidden_means = rbm_hidden_means,
    .visible_means = rbm_visible_means,
    .joint_energy = rbm_joint_energy,
    .log_base_normaliser = rbm_log_base_normaliser,
    .log_normaliser = rbm_log_normaliser,
    .expected_grad_theta = rbm_expected_grad_theta,
    .sample_exact = rbm_sample_exact,
    .precondition = rbm_precondition,
};
