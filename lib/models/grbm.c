/* The Gaussian-Bernoulli restricted Boltzmann machine: real visible units, 0/1 hidden units (Hinton & Salakhutdinov 2006;
 * Cho, Ilin & Raiko 2011, whose parametrisation this is; Liao, Kornblith, Ren, Fleet & Hinton 2022).
 *
 *   E(v, h) = 1/2 sum_i (v_i - mu_i)^2 / sigma_i^2 - sum_ij (v_i / sigma_i^2) W_ij h_j - b^T h
 *   F(v)    = 1/2 sum_i (v_i - mu_i)^2 / sigma_i^2 - sum_j log(1 + exp(f_j)),   f = W^T (v / sigma^2) + b   (the field)
 *   v | h ~ N(mu + W h, diag(sigma^2)),   p(h_j = 1 | v) = sigmoid(f_j)
 *
 * theta: W (V, H), visible_bias = mu (V), hidden_bias = b (H), log_variance = log sigma^2 (V). With s = sigmoid(f):
 *   dF/dW_ij = -(v_i / sigma_i^2) s_j,   dF/dmu_i = -(v_i - mu_i) / sigma_i^2,   dF/db_j = -s_j
 *   dF/dlog sigma_i^2 = -(v_i - mu_i)^2 / (2 sigma_i^2) + (v_i / sigma_i^2) (W s)_i
 * and summed over a batch the last term is sum_j W_ij D_ij with D the sum of (v_i / sigma_i^2) s_j, which the gradient of
 * W has at hand. Z is finite for all finite W and sigma > 0.
 *
 * Along a path: E_beta(v, h) = (1 - beta) E_base(v) + beta E(v, h), so hidden units see beta f, and visible units are
 * Gaussian with precision (1 - beta) / s^2 + beta / sigma^2. */
#include "models/grbm.h"
#include "models/initial_weights.h"
#include "components.h"

#include "ebm/matrix.h"
#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct grbm_options {
    int64_t hidden, visible;
    double init_scale;
    int visible_bias, variance;
    bool learn_variance;
    char *load;
} grbm_options;

enum { BIAS_DATA, BIAS_ZERO };
enum { VARIANCE_ONE, VARIANCE_DATA };
static const char *const bias_names[] = {"data", "zero", NULL};
static const char *const variance_names[] = {"one", "data", NULL};

#define AT(member) offsetof(grbm_options, member)
static const ebm_option grbm_table[] = {
    {"hidden", EBM_OPTION_INT, AT(hidden), "0", 0, 1e6, NULL, 0, "number of hidden units, at least 1"},
    {"visible", EBM_OPTION_INT, AT(visible), "0", 0, 1e6, NULL, 0,
     "number of visible units; 0: as many as the data have"},
    {"init_scale", EBM_OPTION_REAL, AT(init_scale), "0", 0, 100, NULL, 0,
     "standard deviation of the initial weights; 0: 1 / sqrt(visible + hidden)"},
    {"visible_bias", EBM_OPTION_CHOICE, AT(visible_bias), "data", 0, 0, bias_names, 0,
     "start of mu: each unit's mean in the data, or 0"},
    {"variance", EBM_OPTION_CHOICE, AT(variance), "one", 0, 0, variance_names, 0,
     "start of sigma^2: 1, or each unit's variance in the data (with one pseudo-example of variance 1)"},
    {"learn_variance", EBM_OPTION_BOOL, AT(learn_variance), "true", 0, 0, NULL, 0,
     "follow the gradient of log sigma^2, too; false leaves it as it starts"},
    {"load", EBM_OPTION_STRING, AT(load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder with W.npy (visible x hidden), visible_bias.npy, hidden_bias.npy and log_variance.npy to start from"},
    EBM_OPTIONS_END,
};

static ebm_status grbm_space(const void *options, ebm_space *out, ebm_error *error) {
    const grbm_options *o = options;
    (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, (size_t)o->visible);
    return EBM_OK;
}

static ebm_status grbm_create(ebm_model *model, const void *options, ebm_error *error) {
    const grbm_options *o = options;
    const size_t V = model->space.size, H = (size_t)o->hidden;
    if (o->visible && (size_t)o->visible != V)
        return ebm_fail(error, EBM_INVALID, "visible is %zu, but the data have %zu units", (size_t)o->visible, V);
    if (H == 0)
        return ebm_fail(error, EBM_INVALID, "model grbm needs `hidden`, the number of hidden units (at least 1)");
    if (H > SIZE_MAX / sizeof(ebm_real) / 4 / V)
        return ebm_fail(error, EBM_NO_MEMORY, "%zu x %zu weights do not fit into memory", V, H);
    model->n_hidden = model->n_field = H;
    model->n_theta = V * H + 2 * V + H;
    model->n_views = 4;
    model->views[EBM_GRBM_W] = (ebm_view){"W", 0, V, H, true};
    model->views[EBM_GRBM_MEAN] = (ebm_view){"visible_bias", V * H, V, 0, false};
    model->views[EBM_GRBM_HIDDEN] = (ebm_view){"hidden_bias", V * H + V, H, 0, false};
    model->views[EBM_GRBM_LOG_VARIANCE] = (ebm_view){"log_variance", V * H + V + H, V, 0, false};
    ebm_grbm_state *state = model->state = calloc(1, sizeof *state);
    if (state) {
        state->scaled = ebm_alloc(V * H, sizeof(ebm_real));
        state->transposed = ebm_alloc(V * H, sizeof(ebm_real));
        state->precision = ebm_alloc(V, sizeof(ebm_real));
        state->fixed_variance = !o->learn_variance;
    }
    if (!state || !state->scaled || !state->transposed || !state->precision)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a machine of %zu x %zu units", V, H);
    return EBM_OK;
}

static void grbm_destroy(ebm_model *model) {
    ebm_grbm_state *state = model->state;
    if (!state)
        return;
    free(state->scaled);
    free(state->transposed);
    free(state->precision);
    free(state);
}

static ebm_status grbm_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                  ebm_error *error) {
    const grbm_options *o = options;
    const size_t V = model->space.size, H = model->n_hidden;
    const double scale = o->init_scale > 0 ? o->init_scale : 1 / sqrt((double)(V + H));
    ebm_real *mean = model->theta + model->views[EBM_GRBM_MEAN].offset;
    ebm_real *log_variance = model->theta + model->views[EBM_GRBM_LOG_VARIANCE].offset;
    if (data && (o->visible_bias == BIAS_DATA || o->variance == VARIANCE_DATA)) {
        ebm_base base;
        EBM_TRY(ebm_base_fit(&model->space, data, 1.0, &base, error));
        for (size_t i = 0; i < V; i++) {
            mean[i] = o->visible_bias == BIAS_DATA ? base.parameters[i] : 0;
            log_variance[i] = o->variance == VARIANCE_DATA ? base.parameters[V + i] : 0;
        }
        ebm_base_free(&base);
    }
    if (o->load)
        return ebm_model_load(model, o->load, error);
    ebm_initial_weights(V, H, scale, seed, model->theta);
    return EBM_OK;
}

static void grbm_refresh(ebm_model *model, ebm_work *work) {
    ebm_grbm_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden;
    const ebm_real *W = ebm_grbm_view(model, EBM_GRBM_W), *log_variance = ebm_grbm_view(model, EBM_GRBM_LOG_VARIANCE);
    ebm_transpose(V, H, W, state->transposed, work);
    for (size_t i = 0; i < V; i++) {
        const ebm_real precision = state->precision[i] = (ebm_real)exp(-(double)log_variance[i]);
        for (size_t j = 0; j < H; j++)
            state->scaled[i * H + j] = precision * W[i * H + j];
    }
}

static void grbm_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden, B = batch->count;
    const ebm_real *b = ebm_grbm_view(model, EBM_GRBM_HIDDEN);
    for (size_t r = 0; r < B; r++)
        for (size_t j = 0; j < H; j++)
            batch->field[r * H + j] = b[j];
    ebm_gemm(false, false, B, H, V, 1.0, batch->x, V, state->scaled, H, 1.0, batch->field, H, work);
}

/* out[b] = (1 - beta) E_base(v) + beta 1/2 sum_i (v_i - mu_i)^2 / sigma_i^2 */
static void visible_part(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size, B = batch->count;
    const ebm_real *mu = ebm_grbm_view(model, EBM_GRBM_MEAN);
    const bool based = path.base && path.beta != 1;
    if (based)
        ebm_base_energy(path.base, B, batch->x, out, work);
    for (size_t b = 0; b < B; b++) {
        double sum = 0;
        for (size_t i = 0; i < V; i++) {
            const double off = (double)batch->x[b * V + i] - (double)mu[i];
            sum += off * off * (double)state->precision[i];
        }
        out[b] = (based ? (1 - path.beta) * out[b] : 0) + path.beta * 0.5 * sum;
    }
}

static void grbm_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    const size_t B = batch->count, mark = ebm_work_mark(work);
    double *hidden = ebm_work_take(work, B, sizeof *hidden);
    visible_part(model, path, batch, out, work);
    ebm_softplus_rows(B, model->n_hidden, batch->field, path.beta, hidden, work);
    for (size_t b = 0; b < B; b++)
        out[b] -= hidden[b];
    ebm_work_release(work, mark);
}

/* Both paths share the base: E_to - E_from = (beta' - beta) (1/2 |v - mu|^2 / sigma^2 - E_base) - sum_j (softplus(beta'
 * f) - softplus(beta f)). */
static void grbm_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                   double *out, ebm_work *work) {
    const size_t B = batch->count, mark = ebm_work_mark(work);
    double *part = ebm_work_take(work, B, sizeof *part);
    visible_part(model, ebm_path_end(), batch, out, work);
    if (to.base) {
        ebm_base_energy(to.base, B, batch->x, part, work);
        for (size_t b = 0; b < B; b++)
            out[b] -= part[b];
    }
    ebm_softplus_difference_rows(B, model->n_hidden, batch->field, from.beta, to.beta, part, work);
    for (size_t b = 0; b < B; b++)
        out[b] = (to.beta - from.beta) * out[b] - part[b];
    ebm_work_release(work, mark);
}

static void grbm_joint_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                              ebm_work *work) {
    const size_t H = model->n_hidden;
    visible_part(model, path, batch, out, work);
    for (size_t b = 0; b < batch->count; b++) {
        double pair = 0;
        for (size_t j = 0; j < H; j++)
            pair += (double)batch->hidden[b * H + j] * (double)batch->field[b * H + j];
        out[b] -= path.beta * pair;
    }
}

enum { SMALL = 1 << 14 /* units of all rows: below this a parallel region costs more than it gains */, COLUMNS = 112 };

static int threads_for(size_t numbers, const ebm_work *work) {
    return numbers > SMALL ? ebm_work_threads(work) : 1;
}

/* Sums over the batch in double of weight (x - mu) and of weight (x - mu)^2, a run of columns at a time. */
static void column_moments(const ebm_batch *batch, size_t V, const ebm_real *mu, const ebm_real *weight, double *sum,
                           double *squares, int threads) {
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t first = 0; first < V; first += COLUMNS) {
        const size_t end = V - first < COLUMNS ? V : first + COLUMNS;
        for (size_t i = first; i < end; i++)
            sum[i] = squares[i] = 0;
        for (size_t b = 0; b < batch->count; b++) {
            const double w = weight ? (double)weight[b] : 1;
            const ebm_real *x = batch->x + b * V;
            for (size_t i = first; i < end; i++) {
                const double off = (double)x[i] - (double)mu[i];
                sum[i] += w * off;
                squares[i] += w * off * off;
            }
        }
    }
}

/* pair = sum_b weight_b x_b s_b^T, scaled row by row as it is added. */
static void grbm_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                            ebm_real *grad, ebm_work *work) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden, B = batch->count, mark = ebm_work_mark(work);
    const ebm_real *W = ebm_grbm_view(model, EBM_GRBM_W), *mu = ebm_grbm_view(model, EBM_GRBM_MEAN);
    ebm_real *mean = ebm_work_take(work, B * H, sizeof *mean), *pair = ebm_work_take(work, V * H, sizeof *pair);
    double *sum = ebm_work_take(work, V, sizeof *sum), *squares = ebm_work_take(work, V, sizeof *squares);
    ebm_sigmoid_rows(B, H, batch->field, 1.0, NULL, mean, work);
    for (size_t b = 0; weight && b < B; b++)
        for (size_t j = 0; j < H; j++)
            mean[b * H + j] *= weight[b];
    ebm_gemm(true, false, V, H, B, 1.0, batch->x, V, mean, H, 0.0, pair, H, work);
    ebm_column_sums(B, H, -scale, mean, NULL, grad + V * H + V, work);
    column_moments(batch, V, mu, weight, sum, squares, threads_for(B * V, work));
    const int threads = threads_for(V * H, work);
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < V; i++) {
        const double precision = (double)state->precision[i];
        const ebm_real factor = (ebm_real)(scale * precision);
        double coupled = 0;
        for (size_t j = 0; j < H; j++) {
            coupled += (double)W[i * H + j] * (double)pair[i * H + j];
            grad[i * H + j] -= factor * pair[i * H + j];
        }
        grad[V * H + i] -= (ebm_real)(scale * precision * sum[i]);
        if (!state->fixed_variance)
            grad[V * H + V + H + i] += (ebm_real)(scale * precision * (coupled - 0.5 * squares[i]));
    }
    ebm_work_release(work, mark);
}

/* dE_beta/dv = (1 - beta) dE_base/dv + beta ((v - mu) - W sigmoid(beta f)) / sigma^2 */
static void grbm_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden, B = batch->count, mark = ebm_work_mark(work);
    const ebm_real *mu = ebm_grbm_view(model, EBM_GRBM_MEAN);
    ebm_real *mean = ebm_work_take(work, B * H, sizeof *mean);
    ebm_sigmoid_rows(B, H, batch->field, path.beta, NULL, mean, work);
    ebm_gemm(false, false, B, V, H, 1.0, mean, H, state->transposed, V, 0.0, out, V, work);
    const ebm_real beta = (ebm_real)path.beta;
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < V; i++)
            out[b * V + i] = beta * state->precision[i] * (batch->x[b * V + i] - mu[i] - out[b * V + i]);
    for (size_t b = 0; path.base && path.beta != 1 && b < B; b++)
        for (size_t i = 0; i < V; i++)
            out[b * V + i] +=
                (ebm_real)((1 - path.beta) * ((double)batch->x[b * V + i] - (double)path.base->parameters[i]) *
                           exp(-(double)path.base->parameters[V + i]));
    ebm_work_release(work, mark);
}

ebm_status ebm_grbm_path_open(const ebm_model *model, ebm_path path, ebm_grbm_path *out, ebm_work *work,
                              ebm_error *error) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size;
    const ebm_real *mu = ebm_grbm_view(model, EBM_GRBM_MEAN);
    out->precision = ebm_work_take(work, V, sizeof(double));
    out->linear = ebm_work_take(work, V, sizeof(double));
    out->constant = 0;
    if (!out->precision || !out->linear)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu units", V);
    for (size_t i = 0; i < V; i++) {
        const double own = path.beta * (double)state->precision[i], centre = (double)mu[i];
        out->precision[i] = own;
        out->linear[i] = own * centre;
        out->constant += 0.5 * own * centre * centre;
        if (path.base && path.beta != 1) {
            const double from = (double)path.base->parameters[i];
            const double other = (1 - path.beta) * exp(-(double)path.base->parameters[V + i]);
            out->precision[i] += other;
            out->linear[i] += other * from;
            out->constant += 0.5 * other * from * from;
        }
    }
    return EBM_OK;
}

static void grbm_sample_hidden(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                               uint32_t first_chain, uint64_t step, ebm_work *work) {
    ebm_bernoulli_rows(batch->count, model->n_hidden, batch->field, path.beta, NULL, stream, first_chain, step, NULL,
                       batch->hidden, work);
    batch->hidden_ok = true;
}

/* x_b = offset + gain x_b + deviation z_b, rows apart from each other */
static void add_noise(size_t B, size_t V, const ebm_real *gain, const ebm_real *offset, const ebm_real *deviation,
                      ebm_stream stream, uint32_t first_chain, uint64_t step, ebm_real *x, ebm_work *work) {
    ebm_real *noise = ebm_work_take(work, B * V, sizeof *noise);
    const int threads = threads_for(B * V, work);
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t b = 0; b < B; b++) {
        ebm_real *restrict row = x + b * V, *restrict z = noise + b * V;
        ebm_random_normal(stream, first_chain + (uint32_t)b, step, V, z);
        for (size_t i = 0; i < V; i++)
            row[i] = offset[i] + gain[i] * row[i] + deviation[i] * z[i];
    }
}

/* x_i | h ~ N(offset_i + gain_i (W h)_i, variance_i). Scratch of `work`; EBM_DIVERGED where a variance is not finite. */
typedef struct visible_law {
    ebm_real *gain, *offset, *variance;
} visible_law;

static ebm_status open_visible(const ebm_model *model, ebm_path path, visible_law *out, ebm_work *work,
                               ebm_error *error) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size;
    ebm_grbm_path p;
    out->gain = ebm_work_take(work, 3 * V, sizeof(ebm_real));
    if (!out->gain)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu units", V);
    out->offset = out->gain + V;
    out->variance = out->offset + V;
    EBM_TRY(ebm_grbm_path_open(model, path, &p, work, error));
    for (size_t i = 0; i < V; i++) {
        out->gain[i] = (ebm_real)(path.beta * (double)state->precision[i] / p.precision[i]);
        out->offset[i] = (ebm_real)(p.linear[i] / p.precision[i]);
        out->variance[i] = (ebm_real)(1 / p.precision[i]);
    }
    return EBM_OK;
}

static void grbm_sample_visible(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                uint32_t first_chain, uint64_t step, ebm_work *work) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden, B = batch->count, mark = ebm_work_mark(work);
    visible_law law;
    ebm_error error;
    batch->field_ok = false;
    if (open_visible(model, path, &law, work, &error) == EBM_OK) {
        for (size_t i = 0; i < V; i++)
            law.variance[i] = (ebm_real)sqrt((double)law.variance[i]);
        ebm_binary_product(B, V, H, batch->hidden, H, state->transposed, V, NULL, batch->x, V, work);
        add_noise(B, V, law.gain, law.offset, law.variance, stream, first_chain, step, batch->x, work);
    }
    ebm_work_release(work, mark);
}

static ebm_status grbm_gaussian_visible(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *mean,
                                        ebm_real *variance, ebm_work *work, ebm_error *error) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden, B = batch->count, mark = ebm_work_mark(work);
    visible_law law;
    ebm_status status = open_visible(model, path, &law, work, error);
    if (status == EBM_OK) {
        const bool plain = !path.base && path.beta == 1; /* then the gain is 1 */
        memcpy(variance, law.variance, V * sizeof *variance);
        ebm_binary_product(B, V, H, batch->hidden, H, state->transposed, V, plain ? law.offset : NULL, mean, V, work);
        for (size_t b = 0; !plain && b < B; b++)
            for (size_t i = 0; i < V; i++)
                mean[b * V + i] = law.offset[i] + law.gain[i] * mean[b * V + i];
    }
    ebm_work_release(work, mark);
    return status;
}

static void grbm_hidden_means(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    ebm_sigmoid_rows(batch->count, model->n_hidden, batch->field, 1.0, NULL, out, work);
}

static void grbm_visible_means(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden;
    ebm_binary_product(batch->count, V, H, batch->hidden, H, state->transposed, V, ebm_grbm_view(model, EBM_GRBM_MEAN),
                       out, V, work);
}

static double grbm_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    return (base ? base->log_normaliser : (double)INFINITY) + (double)model->n_hidden * M_LN2;
}

const ebm_model_type ebm_grbm = {
    .info = {"grbm", "Gaussian-Bernoulli RBM: real visible units of learnt variance, 0/1 hidden units",
             "Cho, Ilin & Raiko 2011; Liao, Kornblith, Ren, Fleet & Hinton 2022", grbm_table, sizeof(grbm_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = grbm_space,
    .create = grbm_create,
    .initialise = grbm_initialise,
    .destroy = grbm_destroy,
    .refresh = grbm_refresh,
    .field = grbm_field,
    .energy = grbm_energy,
    .energy_difference = grbm_energy_difference,
    .grad_theta = grbm_grad_theta,
    .grad_x = grbm_grad_x,
    .sample_hidden = grbm_sample_hidden,
    .sample_visible = grbm_sample_visible,
    .gaussian_visible = grbm_gaussian_visible,
    .hidden_means = grbm_hidden_means,
    .visible_means = grbm_visible_means,
    .joint_energy = grbm_joint_energy,
    .log_base_normaliser = grbm_log_base_normaliser,
    .log_normaliser = ebm_grbm_log_normaliser,
    .expected_grad_theta = ebm_grbm_expected_grad_theta,
    .sample_exact = ebm_grbm_sample_exact,
    .exact_mean = ebm_grbm_exact_mean,
    .marginal_cdf = ebm_grbm_marginal_cdf,
};
