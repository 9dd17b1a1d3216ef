/* Dense associative memories: a Hopfield network whose energy is steeper than a square in the overlaps with its patterns.
 *
 *   z_mu = sum_i xi_mu_i x_i   (the field),    x in {-1,+1}^V,    theta = the patterns xi (K, V)
 *
 *   polynomial   E = -(V / n) sum_mu F(z_mu / V),   F(m) = m^n, rectified: 0 for m < 0
 *                                                               (Krotov & Hopfield 2016; capacity of order V^(n-1))
 *   exponential  E = -log sum_mu exp(z_mu)              (Demircigil et al. 2017; capacity exponential in V)
 *
 * n = 2 is Hebb's network: E = E_Hebb - K/2, so it has the same law at every temperature and the same dynamics. Demircigil
 * et al. have E = -sum_mu exp(z_mu). The logarithm is increasing, so both energies order all states alike: minima,
 * basins and every descent are the same. The laws exp(-E / T) are not. The logarithm's numbers stay of the order of V; it is
 * the form of Ramsauer et al. (2021), and at T = 1 it is a mixture of K product distributions:
 *   p(x) proportional to sum_mu prod_i exp(xi_mu_i x_i),    Z = sum_mu prod_i 2 cosh(xi_mu_i).
 *
 * A unit given the rest, with z as it is now and a = z - xi_i x_i:
 *   E(x_i = -1) - E(x_i = +1) = (V / n) sum_mu (F((a + xi_i) / V) - F((a - xi_i) / V))
 *                          or = log sum_mu exp(a + xi_i) - log sum_mu exp(a - xi_i),
 * in double, log-sum-exp with the largest taken out. Overlaps with patterns of +-1 are whole numbers, which single flips
 * change without rounding. As functions of real x and of real patterns:
 *   dE/dx_i = -sum_mu g_mu xi_mu_i,   dE/dxi_mu_i = -g_mu x_i,   g = (z / V)^(n-1) or softmax(z). */
#include "models/initial_weights.h"
#include "components.h"

#include "core/row_kernels.h"
#include "ebm/matrix.h"
#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct modern_options {
    int64_t units, patterns, power;
    int form;
    bool rectified;
    double init_scale;
    char *load;
} modern_options;

enum { FORM_POLYNOMIAL, FORM_EXPONENTIAL };
static const char *const form_names[] = {"polynomial", "exponential", NULL};

#define AT(member) EBM_OFFSET(modern_options, member)
static const ebm_option modern_table[] = {
    {"energy", EBM_OPTION_CHOICE, AT(form), "polynomial", 0, 0, form_names, 0, "what the overlaps go through"},
    {"power", EBM_OPTION_INT, AT(power), "3", 2, 100, NULL, 0, "n of the polynomial; 2 is Hebb's network"},
    {"rectified", EBM_OPTION_BOOL, AT(rectified), "false", 0, 0, NULL, 0,
     "polynomial: patterns with a negative overlap do not count; even powers then tell a pattern from its negative"},
    {"patterns", EBM_OPTION_INT, AT(patterns), "0", 0, 1e7, NULL, 0,
     "K, how many it holds; 0: as many as there are training examples"},
    {"units", EBM_OPTION_INT, AT(units), "0", 0, 1e5, NULL, 0, "number of units; 0: as many as the data have"},
    {"init_scale", EBM_OPTION_REAL, AT(init_scale), "0", 0, 100, NULL, 0,
     "standard deviation of the patterns to start with; 0: all are 0"},
    {"load", EBM_OPTION_STRING, AT(load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder with patterns.npy (patterns x units) to start from"},
    EBM_OPTIONS_END,
};

typedef struct modern_state {
    int form;
    int power;
    bool rectified;
    size_t K;
    ebm_real *columns; /* (V, K): the patterns, transposed */
} modern_state;

static const modern_state *state_of(const ebm_model *model) {
    return model->state;
}

static ebm_status modern_space(const void *options, ebm_space *out, ebm_error *error) {
    const modern_options *o = options;
    (void)error;
    *out = ebm_space_line(EBM_SPIN, (size_t)o->units);
    return EBM_OK;
}

static ebm_status modern_create(ebm_model *model, const void *options, ebm_error *error) {
    const modern_options *o = options;
    const size_t V = model->space.size, K = o->patterns ? (size_t)o->patterns : model->examples;
    modern_state *state = calloc(1, sizeof *state);
    model->state = state;
    if (!state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a dense associative memory");
    if (o->units && (size_t)o->units != V)
        return ebm_fail(error, EBM_INVALID, "units is %zu, but the data have %zu", (size_t)o->units, V);
    if (K == 0)
        return ebm_fail(error, EBM_INVALID, "`patterns` says nothing and there are no training examples to count");
    if (K > SIZE_MAX / sizeof(ebm_real) / 2 / V)
        return ebm_fail(error, EBM_NO_MEMORY, "%zu patterns of %zu units do not fit into memory", K, V);
    *state = (modern_state){o->form, (int)o->power, o->rectified, K, ebm_alloc(K * V, sizeof(ebm_real))};
    if (!state->columns)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu patterns of %zu units", K, V);
    model->n_field = K;
    model->n_theta = K * V;
    model->n_views = 1;
    model->views[0] = (ebm_view){"patterns", 0, K, V, true};
    return EBM_OK;
}

static void modern_destroy(ebm_model *model) {
    modern_state *state = model->state;
    if (state)
        free(state->columns);
    free(state);
}

/* Pattern k draws at chain k. */
static ebm_status modern_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                    ebm_error *error) {
    const modern_options *o = options;
    const size_t V = model->space.size;
    (void)data;
    if (o->load)
        return ebm_model_load(model, o->load, error);
    if (o->init_scale > 0)
        ebm_initial_weights(state_of(model)->K, V, o->init_scale, seed, model->theta);
    return EBM_OK;
}

static void modern_refresh(ebm_model *model, ebm_work *work) {
    modern_state *state = model->state;
    ebm_transpose(state->K, model->space.size, model->theta, state->columns, work);
}

static void modern_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    const size_t V = model->space.size, K = state_of(model)->K;
    ebm_gemm(false, true, batch->count, K, V, 1.0, batch->x, V, model->theta, V, 0.0, batch->field, K, work);
}

/* m^n, and 0 where m < 0 is cut off */
static double power_of(const modern_state *s, double m, int n) {
    double product = 1;
    if (s->rectified && m < 0)
        return 0;
    for (int k = 0; k < n; k++)
        product *= m;
    return product;
}

/* log sum_mu exp(z_mu + shift column_mu); column NULL: of z alone. */
static double log_sum(size_t K, const ebm_real *z, double shift, const ebm_real *column) {
    double highest = -INFINITY, sum = 0;
    for (size_t k = 0; k < K; k++)
        highest = fmax(highest, (double)z[k] + (column ? shift * (double)column[k] : 0));
    for (size_t k = 0; k < K; k++)
        sum += exp((double)z[k] + (column ? shift * (double)column[k] : 0) - highest);
    return highest + log(sum);
}

/* E of one row from its overlaps. */
static double energy_of(const ebm_model *model, const ebm_real *z) {
    const modern_state *s = state_of(model);
    const double V = (double)model->space.size;
    double sum = 0;
    if (s->form == FORM_EXPONENTIAL)
        return -log_sum(s->K, z, 0, NULL);
    for (size_t k = 0; k < s->K; k++)
        sum += power_of(s, (double)z[k] / V, s->power);
    return -V / s->power * sum;
}

/* out[b] = of_base E_base + of_model E */
static void weighted_energy(const ebm_model *model, double of_base, const ebm_base *base, double of_model,
                            const ebm_batch *batch, double *out, ebm_work *work) {
    if (base)
        ebm_dot_rows(batch->count, model->space.size, batch->x, base->parameters, out, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] = (base ? -of_base * out[b] : 0) + of_model * energy_of(model, batch->field + b * model->n_field);
}

static void modern_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    weighted_energy(model, 1 - path.beta, path.base, path.beta, batch, out, work);
}

static void modern_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                     double *out, ebm_work *work) {
    const double change = to.beta - from.beta;
    weighted_energy(model, -change, to.base, change, batch, out, work);
}

/* g of one row */
static void slopes(const ebm_model *model, const ebm_real *z, double scale, ebm_real *g) {
    const modern_state *s = state_of(model);
    const double V = (double)model->space.size;
    const double log_total = s->form == FORM_EXPONENTIAL ? log_sum(s->K, z, 0, NULL) : 0;
    for (size_t k = 0; k < s->K; k++)
        g[k] = (ebm_real)(scale * (s->form == FORM_EXPONENTIAL ? exp((double)z[k] - log_total)
                                                               : power_of(s, (double)z[k] / V, s->power - 1)));
}

static void modern_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                              ebm_real *grad, ebm_work *work) {
    const size_t V = model->space.size, K = model->n_field, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *g = ebm_work_take(work, B * K, sizeof *g);
    for (size_t b = 0; b < B; b++)
        slopes(model, batch->field + b * K, weight ? (double)weight[b] : 1, g + b * K);
    ebm_gemm(true, false, K, V, B, -scale, g, K, batch->x, V, 1.0, grad, V, work);
    ebm_work_release(work, mark);
}

static void modern_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                          ebm_work *work) {
    const size_t V = model->space.size, K = model->n_field, B = batch->count, mark = ebm_work_mark(work);
    ebm_real *g = ebm_work_take(work, B * K, sizeof *g);
    for (size_t b = 0; b < B; b++)
        slopes(model, batch->field + b * K, 1, g + b * K);
    ebm_gemm(false, false, B, V, K, -path.beta, g, K, model->theta, V, 0.0, out, V, work);
    for (size_t k = 0; path.base && k < B * V; k++)
        out[k] -= (ebm_real)((1 - path.beta) * (double)path.base->parameters[k % V]);
    ebm_work_release(work, mark);
}

/* E(x_i = -1) - E(x_i = +1) of one row; column: what unit i has in each pattern. */
static double difference(const ebm_model *model, const ebm_real *z, double x, const ebm_real *column) {
    const modern_state *s = state_of(model);
    const double V = (double)model->space.size;
    double sum = 0;
    if (s->form == FORM_EXPONENTIAL)
        return x * (log_sum(s->K, z, 0, NULL) - log_sum(s->K, z, -2 * x, column));
    for (size_t k = 0; k < s->K; k++) {
        const double xi = (double)column[k], rest = (double)z[k] - xi * x;
        sum += s->power == 2 && !s->rectified
                   ? 4 * rest * xi / (V * V)
                   : power_of(s, (rest + xi) / V, s->power) - power_of(s, (rest - xi) / V, s->power);
    }
    return V / s->power * sum;
}

static void modern_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                        ebm_real *logit, ebm_work *work) {
    const modern_state *s = state_of(model);
    const size_t V = model->space.size, K = s->K;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const size_t i = units[b];
        const double a = path.base ? (double)path.base->parameters[i] : 0;
        const double of_model =
            difference(model, batch->field + b * K, (double)batch->x[b * V + i], s->columns + i * K);
        logit[b] = (ebm_real)(2 * (1 - path.beta) * a + path.beta * of_model);
    }
}

static void modern_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                                ebm_work *work) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const modern_state *s = state_of(model);
    const size_t V = model->space.size, K = s->K;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real change = batch->x[b * V + units[b]] - before[b];
        if (change != 0)
            kernels->axpy(K, change, s->columns + units[b] * K, batch->field + b * K);
    }
}

static double modern_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    return base ? base->log_normaliser : (double)model->space.size * M_LN2;
}

/* Exponential, beta = 1: log sum_mu prod_i 2 cosh(xi_mu_i). */
static ebm_status mixture_log_normaliser(const ebm_model *model, double *out, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, K = state_of(model)->K, mark = ebm_work_mark(work);
    double *of = ebm_work_take(work, K, sizeof *of);
    if (!of)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu patterns", K);
    for (size_t k = 0; k < K; k++) {
        of[k] = 0;
        for (size_t i = 0; i < V; i++) {
            const double xi = fabs((double)model->theta[k * V + i]);
            of[k] += xi + log1p(exp(-2 * xi));
        }
    }
    *out = ebm_log_sum_exp(of, K);
    ebm_work_release(work, mark);
    return EBM_OK;
}

/* -E_beta of every state, by code: unit i is up where bit i is set. */
enum { MOST_UNITS = 22, BLOCK = 1 << 10 };

static ebm_status list_states(const ebm_model *model, ebm_path path, double *log_weight, ebm_work *work,
                              ebm_error *error) {
    const size_t V = model->space.size, S = (size_t)1 << V, rows = S < BLOCK ? S : BLOCK;
    ebm_batch batch;
    EBM_TRY(ebm_batch_create(model, rows, &batch, error));
    for (size_t first = 0; first < S; first += rows) {
        for (size_t b = 0; b < rows; b++)
            for (size_t i = 0; i < V; i++)
                batch.x[b * V + i] = (first + b) >> i & 1u ? 1 : -1;
        batch.field_ok = false;
        ebm_model_field(model, &batch, work);
        modern_energy(model, path, &batch, log_weight + first, work);
        for (size_t b = 0; b < rows; b++)
            log_weight[first + b] = -log_weight[first + b];
    }
    ebm_batch_free(&batch);
    return EBM_OK;
}

static ebm_status modern_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                        ebm_error *error) {
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    if (state_of(model)->form == FORM_EXPONENTIAL && path.beta == 1)
        return mixture_log_normaliser(model, out, work, error);
    if (V > MOST_UNITS)
        return ebm_fail(error, EBM_UNSUPPORTED, "an exact log Z would enumerate 2^%zu states: at most 2^%d are", V,
                        (int)MOST_UNITS);
    double *log_weight = ebm_work_take(work, (size_t)1 << V, sizeof *log_weight);
    ebm_status status = log_weight ? list_states(model, path, log_weight, work, error)
                                   : ebm_fail(error, EBM_NO_MEMORY, "no memory to list 2^%zu states", V);
    if (status == EBM_OK)
        *out = ebm_log_sum_exp(log_weight, (size_t)1 << V);
    ebm_work_release(work, mark);
    return status;
}

const ebm_model_type ebm_hopfield_modern = {
    .info = {"hopfield-modern", "dense associative memory: polynomial or exponential in the overlaps with its patterns",
             "Krotov & Hopfield 2016; Demircigil et al. 2017", modern_table, sizeof(modern_options)},
    .domains = 1u << EBM_SPIN,
    .space = modern_space,
    .create = modern_create,
    .initialise = modern_initialise,
    .destroy = modern_destroy,
    .refresh = modern_refresh,
    .field = modern_field,
    .energy = modern_energy,
    .energy_difference = modern_energy_difference,
    .grad_theta = modern_grad_theta,
    .grad_x = modern_grad_x,
    .site = modern_site,
    .site_changed = modern_site_changed,
    .log_base_normaliser = modern_log_base_normaliser,
    .log_normaliser = modern_log_normaliser,
};
