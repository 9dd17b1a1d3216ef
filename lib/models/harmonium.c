/* The exponential-family harmonium: an RBM whose visible units are counts, categories, intervals and real numbers side by
 * side, with 0/1 hidden units (Welling, Rosen-Zvi & Hinton 2004).
 *
 *   E(x, h) = -sum_i log nu_i(x_i) - a^T x - x^T W h - c^T h
 *   F(x)    = -sum_i log nu_i(x_i) - a^T x - sum_j log(1 + exp(f_j)),   f = W^T x + c   (the field)
 *   p(x_i | h) = nu_i(x_i) exp(eta_i . x_i - A_i(eta_i)),   eta = a + W h;   p(h_j = 1 | x) = sigmoid(f_j)
 *   log Z = log sum_h exp(c^T h + sum_i A_i(a_i + (W h)_i))
 * with nu_i and A_i of unit i's kind (exponential_unit.h): a Poisson unit has the rate e^eta, a category the probability in
 * proportion to e^eta_k, a Gaussian one the mean sigma^2 eta. The sum over h is finite, and every A_i is: so is Z.
 *
 * A state is V real numbers (the space is a real line of V): the units in the order of the option `units`, one coordinate
 * each, a categorical unit of q values as q coordinates of which one is 1 and the others 0. What is no state (a negative
 * count, two categories at once, a number outside of [0, 1]) has energy +infinity. Densities are with respect to counting
 * for binary, Poisson and categorical units and to length for the others. The natural parameters of a categorical unit may
 * all be shifted alike: of that, p knows nothing.
 *
 * theta: W (V, H), visible_bias = a (V), hidden_bias = c (H), log_variance = log sigma^2 (one for each Gaussian unit). With s =
 * sigmoid(f): dF/dW = -x s^T, dF/da = -x, dF/dc = -s, dF/dlog sigma^2 = -x^2 / (2 sigma^2).
 *
 * Along a path beta is an inverse temperature: there is no base over units of mixed kinds. */
#include "models/harmonium.h"
#include "models/initial_weights.h"
#include "components.h"

#include "ebm/matrix.h"
#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct harmonium_options {
    char *units;
    int64_t hidden;
    double init_scale;
    int visible_bias, variance;
    bool learn_variance;
    char *load;
} harmonium_options;

enum { BIAS_DATA, BIAS_ZERO };
enum { VARIANCE_ONE, VARIANCE_DATA };
static const char *const bias_names[] = {"data", "zero", NULL};
static const char *const variance_names[] = {"one", "data", NULL};

#define AT(member) offsetof(harmonium_options, member)
static const ebm_option harmonium_table[] = {
    {"units", EBM_OPTION_STRING, AT(units), NULL, 0, 0, NULL, EBM_OPTION_REQUIRED,
     "kinds of the visible units in order, joined by +, with how many of each: 2 poisson + categorical(3) + gaussian; "
     "kinds: "
     "binary, poisson, categorical(q), truncated-exponential, gaussian"},
    {"hidden", EBM_OPTION_INT, AT(hidden), NULL, 1, 1e6, NULL, EBM_OPTION_REQUIRED, "number of 0/1 hidden units"},
    {"init_scale", EBM_OPTION_REAL, AT(init_scale), "0.01", 0, 100, NULL, 0,
     "standard deviation of the initial weights"},
    {"visible_bias", EBM_OPTION_CHOICE, AT(visible_bias), "data", 0, 0, bias_names, 0,
     "start of the visible biases: where without weights every unit has its mean in the data (one pseudo-example "
     "counted "
     "in), or 0"},
    {"variance", EBM_OPTION_CHOICE, AT(variance), "data", 0, 0, variance_names, 0,
     "start of sigma^2 of Gaussian units: their variance in the data (with one pseudo-example of variance 1), or 1"},
    {"learn_variance", EBM_OPTION_BOOL, AT(learn_variance), "true", 0, 0, NULL, 0,
     "follow the gradient of log sigma^2, too; false leaves it as it starts"},
    {"load", EBM_OPTION_STRING, AT(load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder with W.npy (coordinates x hidden), visible_bias.npy, hidden_bias.npy and, with Gaussian units, "
     "log_variance.npy to start from"},
    EBM_OPTIONS_END,
};

static ebm_status harmonium_space(const void *options, ebm_space *out, ebm_error *error) {
    const harmonium_options *o = options;
    ebm_unit_list list;
    EBM_TRY(ebm_unit_list_parse(o->units, &list, error));
    *out = ebm_space_line(EBM_REAL_LINE, list.size);
    ebm_unit_list_free(&list);
    return EBM_OK;
}

static ebm_status harmonium_create(ebm_model *model, const void *options, ebm_error *error) {
    const harmonium_options *o = options;
    const size_t V = model->space.size, H = (size_t)o->hidden;
    ebm_harmonium_state *state = model->state = calloc(1, sizeof *state);
    if (!state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a machine of %zu x %zu units", V, H);
    EBM_TRY(ebm_unit_list_parse(o->units, &state->units, error));
    if (state->units.size != V)
        return ebm_fail(error, EBM_INVALID,
                        "`units` describes %zu coordinates, but the data have %zu (a categorical(q) "
                        "unit is q of them)",
                        state->units.size, V);
    if (H == 0)
        return ebm_fail(error, EBM_INVALID, "model harmonium needs `hidden`, the number of hidden units (at least 1)");
    if (H > SIZE_MAX / sizeof(ebm_real) / 4 / V)
        return ebm_fail(error, EBM_NO_MEMORY, "%zu x %zu weights do not fit into memory", V, H);
    const size_t gaussians = state->units.variances;
    model->n_hidden = model->n_field = H;
    model->n_theta = V * H + V + H + gaussians;
    model->n_views = gaussians ? 4 : 3;
    model->views[EBM_HARMONIUM_W] = (ebm_view){"W", 0, V, H, true};
    model->views[EBM_HARMONIUM_VISIBLE] = (ebm_view){"visible_bias", V * H, V, 0, false};
    model->views[EBM_HARMONIUM_HIDDEN] = (ebm_view){"hidden_bias", V * H + V, H, 0, false};
    model->views[EBM_HARMONIUM_LOG_VARIANCE] = (ebm_view){"log_variance", V * H + V + H, gaussians, 0, false};
    state->fixed_variance = !o->learn_variance;
    state->transposed = ebm_alloc(V * H, sizeof(ebm_real));
    state->variance = ebm_alloc(gaussians ? gaussians : 1, sizeof(double));
    if (!state->transposed || !state->variance)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a machine of %zu x %zu units", V, H);
    return EBM_OK;
}

static void harmonium_destroy(ebm_model *model) {
    ebm_harmonium_state *state = model->state;
    if (!state)
        return;
    ebm_unit_list_free(&state->units);
    free(state->transposed);
    free(state->variance);
    free(state);
}

/* Every training example has to be a state of these units. */
static ebm_status check_examples(const ebm_model *model, const ebm_dataset *data, const ebm_examples *half,
                                 const char *which, ebm_error *error) {
    const ebm_harmonium_state *state = model->state;
    ebm_real *x = ebm_alloc(model->space.size, sizeof *x);
    ebm_status status = x ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for an example");
    for (size_t b = 0; status == EBM_OK && b < half->count; b++) {
        ebm_examples_fixed(data, half, b, 1, x);
        for (size_t k = 0; status == EBM_OK && k < state->units.count; k++) {
            const ebm_unit *u = &state->units.units[k];
            if (u->kind->log_measure(u->width, 1, x + u->at) == -INFINITY)
                status =
                    ebm_fail(error, EBM_INVALID, "%s example %zu is no state of unit %zu, %s: coordinate %zu is %g",
                             which, b, k, u->kind->name, u->at, (double)x[u->at]);
        }
    }
    free(x);
    return status;
}

/* Without weights every unit then has its mean in the data, one example at the kind's own mean counted in. */
static void fit_biases(ebm_model *model, const harmonium_options *o, const ebm_dataset *data, const ebm_base *base) {
    const ebm_harmonium_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden;
    const double n = (double)data->train.count;
    ebm_real *bias = model->theta + V * H, *log_variance = model->theta + V * H + V + H;
    for (size_t k = 0; k < state->units.count; k++) {
        const ebm_unit *u = &state->units.units[k];
        for (size_t c = 0; o->visible_bias == BIAS_DATA && c < u->width; c++) {
            const double prior = u->kind->sized ? 1 / (double)u->width : u->kind->prior_mean;
            const double mean = (n * (double)base->parameters[u->at + c] + prior) / (n + 1);
            const double variance = o->variance == VARIANCE_DATA ? exp((double)base->parameters[V + u->at]) : 1;
            double eta;
            u->kind->natural(1, &mean, variance, &eta);
            bias[u->at + c] = (ebm_real)eta;
        }
        if (u->kind->dispersed && o->variance == VARIANCE_DATA)
            log_variance[u->variance] = base->parameters[V + u->at];
    }
}

static ebm_status harmonium_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                       ebm_error *error) {
    const harmonium_options *o = options;
    const size_t V = model->space.size, H = model->n_hidden;
    if (data) {
        EBM_TRY(check_examples(model, data, &data->train, "training", error));
        EBM_TRY(check_examples(model, data, &data->test, "test", error));
    }
    if (data && data->train.count > 0) {
        ebm_base base;
        EBM_TRY(ebm_base_fit(&model->space, data, 1.0, &base, error));
        fit_biases(model, o, data, &base);
        ebm_base_free(&base);
    }
    if (o->load)
        return ebm_model_load(model, o->load, error);
    ebm_initial_weights(V, H, o->init_scale, seed, model->theta);
    return EBM_OK;
}

static void harmonium_refresh(ebm_model *model, ebm_work *work) {
    ebm_harmonium_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden;
    ebm_transpose(V, H, ebm_harmonium_view(model, EBM_HARMONIUM_W), state->transposed, work);
    for (size_t g = 0; g < state->units.variances; g++)
        state->variance[g] = exp((double)ebm_harmonium_view(model, EBM_HARMONIUM_LOG_VARIANCE)[g]);
}

static void harmonium_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    const size_t V = model->space.size, H = model->n_hidden, B = batch->count;
    const ebm_real *c = ebm_harmonium_view(model, EBM_HARMONIUM_HIDDEN);
    for (size_t b = 0; b < B; b++)
        memcpy(batch->field + b * H, c, H * sizeof *c);
    ebm_gemm(false, false, B, H, V, 1.0, batch->x, V, ebm_harmonium_view(model, EBM_HARMONIUM_W), H, 1.0, batch->field,
             H, work);
}

/* out[b] = -sum_i log nu_i(x_i) - a^T x */
static void visible_part(const ebm_model *model, const ebm_batch *batch, double *out) {
    const ebm_harmonium_state *state = model->state;
    const size_t V = model->space.size;
    const ebm_real *a = ebm_harmonium_view(model, EBM_HARMONIUM_VISIBLE);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        double sum = 0, measure = 0;
        for (size_t k = 0; k < state->units.count; k++) {
            const ebm_unit *u = &state->units.units[k];
            measure += u->kind->log_measure(u->width, u->kind->dispersed ? state->variance[u->variance] : 1, x + u->at);
        }
        for (size_t i = 0; i < V; i++)
            sum += (double)a[i] * (double)x[i];
        out[b] = measure == -INFINITY ? INFINITY : -measure - sum;
    }
}

static void harmonium_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                             ebm_work *work) {
    const size_t B = batch->count, mark = ebm_work_mark(work);
    double *hidden = ebm_work_take(work, B, sizeof *hidden);
    visible_part(model, batch, out);
    ebm_softplus_rows(B, model->n_hidden, batch->field, path.beta, hidden, work);
    for (size_t b = 0; b < B; b++)
        out[b] = isfinite(out[b]) ? path.beta * out[b] - hidden[b] : INFINITY;
    ebm_work_release(work, mark);
}

static void harmonium_joint_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                                   ebm_work *work) {
    const size_t H = model->n_hidden;
    (void)work;
    visible_part(model, batch, out);
    for (size_t b = 0; b < batch->count; b++) {
        double pair = 0;
        for (size_t j = 0; j < H; j++)
            pair += (double)batch->hidden[b * H + j] * (double)batch->field[b * H + j];
        out[b] = isfinite(out[b]) ? path.beta * (out[b] - pair) : INFINITY;
    }
}

static void harmonium_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                                 ebm_real *grad, ebm_work *work) {
    const ebm_harmonium_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *mean = ebm_work_take(work, B * H, sizeof *mean);
    ebm_sigmoid_rows(B, H, batch->field, 1.0, NULL, mean, work);
    for (size_t b = 0; weight && b < B; b++)
        for (size_t j = 0; j < H; j++)
            mean[b * H + j] *= weight[b];
    ebm_gemm(true, false, V, H, B, -scale, batch->x, V, mean, H, 1.0, grad, H, work);
    ebm_column_sums(B, V, -scale, batch->x, weight, grad + V * H, work);
    ebm_column_sums(B, H, -scale, mean, NULL, grad + V * H + V, work);
    for (size_t k = 0; !state->fixed_variance && k < state->units.count; k++) {
        const ebm_unit *u = &state->units.units[k];
        double squares = 0;
        if (!u->kind->dispersed)
            continue;
        for (size_t b = 0; b < B; b++)
            squares +=
                (weight ? (double)weight[b] : 1) * (double)batch->x[b * V + u->at] * (double)batch->x[b * V + u->at];
        grad[V * H + V + H + u->variance] -= (ebm_real)(scale * squares / (2 * state->variance[u->variance]));
    }
    ebm_work_release(work, mark);
}

static void harmonium_sample_hidden(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                    uint32_t first_chain, uint64_t step, ebm_work *work) {
    ebm_bernoulli_rows(batch->count, model->n_hidden, batch->field, path.beta, NULL, stream, first_chain, step, NULL,
                       batch->hidden, work);
    batch->hidden_ok = true;
}

/* eta (B, V) = a + W h of the batch's hidden states */
static void natural_parameters(const ebm_model *model, const ebm_batch *batch, ebm_real *eta, ebm_work *work) {
    const ebm_harmonium_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden;
    ebm_binary_product(batch->count, V, H, batch->hidden, H, state->transposed, V,
                       ebm_harmonium_view(model, EBM_HARMONIUM_VISIBLE), eta, V, work);
}

/* Unit k of a row draws the numbers 2k and 2k + 1. Parameters are read from where the state goes, widened first. */
static void harmonium_sample_visible(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                     uint32_t first_chain, uint64_t step, ebm_work *work) {
    const ebm_harmonium_state *state = model->state;
    const size_t V = model->space.size, B = batch->count, mark = ebm_work_mark(work);
    const int threads = B * V > 1 << 9 ? ebm_work_threads(work) : 1;
    double *eta = ebm_work_take(work, B * V, sizeof *eta);
    (void)threads;
    natural_parameters(model, batch, batch->x, work);
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t b = 0; b < B; b++) {
        double *row = eta + b * V;
        for (size_t i = 0; i < V; i++)
            row[i] = (double)batch->x[b * V + i];
        for (size_t k = 0; k < state->units.count; k++) {
            const ebm_unit_law law = ebm_harmonium_law(state, k, row, path.beta);
            const ebm_unit_draw at = {stream, first_chain + (uint32_t)b, step, 2 * (uint32_t)k};
            state->units.units[k].kind->draw(&law, &at, batch->x + b * V + state->units.units[k].at);
        }
    }
    batch->field_ok = false;
    ebm_work_release(work, mark);
}

static void harmonium_hidden_means(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    ebm_sigmoid_rows(batch->count, model->n_hidden, batch->field, 1.0, NULL, out, work);
}

static void harmonium_visible_means(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    const ebm_harmonium_state *state = model->state;
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    double *eta = ebm_work_take(work, 3 * V, sizeof *eta), *mean = eta + V, *square = mean + V;
    natural_parameters(model, batch, out, work);
    for (size_t b = 0; b < batch->count; b++) {
        for (size_t i = 0; i < V; i++)
            eta[i] = (double)out[b * V + i];
        for (size_t k = 0; k < state->units.count; k++) {
            const ebm_unit *u = &state->units.units[k];
            const ebm_unit_law law = ebm_harmonium_law(state, k, eta, 1);
            u->kind->moments(&law, mean + u->at, square + u->at);
        }
        for (size_t i = 0; i < V; i++)
            out[b * V + i] = (ebm_real)mean[i];
    }
    ebm_work_release(work, mark);
}

const ebm_model_type ebm_harmonium = {
    .info = {"harmonium", "RBM of counts, categories, intervals and real numbers side by side, 0/1 hidden units",
             "Welling, Rosen-Zvi & Hinton 2004", harmonium_table, sizeof(harmonium_options)},
    .domains = 1u << EBM_REAL_LINE,
    .mixed_units = true,
    .space = harmonium_space,
    .create = harmonium_create,
    .initialise = harmonium_initialise,
    .destroy = harmonium_destroy,
    .refresh = harmonium_refresh,
    .field = harmonium_field,
    .energy = harmonium_energy,
    .grad_theta = harmonium_grad_theta,
    .sample_hidden = harmonium_sample_hidden,
    .sample_visible = harmonium_sample_visible,
    .hidden_means = harmonium_hidden_means,
    .visible_means = harmonium_visible_means,
    .joint_energy = harmonium_joint_energy,
    .log_normaliser = ebm_harmonium_log_normaliser,
    .expected_grad_theta = ebm_harmonium_expected_grad_theta,
    .sample_exact = ebm_harmonium_sample_exact,
    .exact_mean = ebm_harmonium_exact_mean,
    .marginal_cdf = ebm_harmonium_marginal_cdf,
};
