/* Likelihoods of machines with one or two Gaussian visible units and any number of hidden ones, by sums over a grid.
 *
 *   log Z = log sum_k exp(-F(v_k)) |cell|,   KL(data || model) = sum_k d(v_k) (log d(v_k) + F(v_k)) |cell| + log Z
 *
 * The law of v is a mixture of N(mu + W h, sigma^2) over all h. Each of its components lies within 9 sigma of the box
 *   mu_i + sum_j min(W_ij, 0) ... mu_i + sum_j max(W_ij, 0),
 * which is the grid's, and a sum of spacing g over a Gaussian differs from the integral by less than 2.1 exp(-2 pi^2 sigma^2 /
 * g^2) of it in each unit (Trefethen & Weideman 2014, "The exponentially convergent trapezoidal rule"): with g = sigma / 1.5
 * by 1e-19, the same for the mixture, whatever it is. What is left is the rounding of F. */
#include "ebm/quadrature.h"

#include "estimators/estimators.h"

#include "ebm/likelihood.h"
#include "ebm/special.h"

#include <math.h>

enum { MOST_UNITS = 2, BLOCK = 4096 };
static const double DEVIATIONS = 9, POINTS_A_DEVIATION = 1.5;

typedef struct axis {
    double low, spacing;
    size_t points;
} axis;

typedef struct box {
    double low[MOST_UNITS], high[MOST_UNITS], spacing[MOST_UNITS];
} box;

/* Means at the hidden states 0 and e_j, j < H, whose differences are the rows of W^T. */
static ebm_status model_box(const ebm_model *model, box *out, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, H = model->n_hidden;
    ebm_batch states;
    ebm_real variance[MOST_UNITS];
    EBM_TRY(ebm_batch_create(model, H + 1, &states, error));
    for (size_t j = 0; j < H; j++)
        states.hidden[(j + 1) * H + j] = 1;
    states.hidden_ok = true;
    ebm_status status = model->type->gaussian_visible(model, ebm_path_end(), &states, states.x, variance, work, error);
    for (size_t i = 0; i < V && status == EBM_OK; i++) {
        const double sigma = sqrt((double)variance[i]), mean = (double)states.x[i];
        out->low[i] = mean - DEVIATIONS * sigma;
        out->high[i] = mean + DEVIATIONS * sigma;
        for (size_t j = 0; j < H; j++) {
            const double weight = (double)states.x[(j + 1) * V + i] - mean;
            out->low[i] += fmin(weight, 0);
            out->high[i] += fmax(weight, 0);
        }
        out->spacing[i] = sigma / POINTS_A_DEVIATION;
        if (!(sigma > 0) || !isfinite(out->low[i]) || !isfinite(out->high[i]))
            status = ebm_fail(error, EBM_DIVERGED, "unit %zu has the deviation %g: the parameters are no law any more",
                              i, sigma);
    }
    ebm_batch_free(&states);
    return status;
}

/* Where the data's density is known: the examples, and half of their extent on each side. */
static void cover_data(const ebm_dataset *data, double spacing, box *out) {
    const size_t V = data->space.size;
    ebm_real x[MOST_UNITS];
    double low[MOST_UNITS] = {INFINITY, INFINITY}, high[MOST_UNITS] = {-INFINITY, -INFINITY};
    for (size_t e = 0; e < data->train.count; e++) {
        ebm_examples_fixed(data, &data->train, e, 1, x);
        for (size_t i = 0; i < V; i++) {
            low[i] = fmin(low[i], (double)x[i]);
            high[i] = fmax(high[i], (double)x[i]);
        }
    }
    for (size_t i = 0; i < V && data->train.count > 0; i++) {
        const double margin = (high[i] - low[i]) / 2;
        out->low[i] = fmin(out->low[i], low[i] - margin);
        out->high[i] = fmax(out->high[i], high[i] + margin);
        out->spacing[i] = fmin(out->spacing[i], spacing);
    }
}

static ebm_status make_axes(const box *b, size_t V, size_t most, axis *out, ebm_error *error) {
    double points = 1;
    for (size_t i = 0; i < MOST_UNITS; i++) {
        const double steps = i < V ? ceil((b->high[i] - b->low[i]) / b->spacing[i]) : 0;
        points *= steps + 1;
        if (!(points <= (double)most))
            return ebm_fail(error, EBM_UNSUPPORTED,
                            "the machine spreads over %.3g points of a grid as fine as its deviations: at most %zu are "
                            "summed",
                            points, most);
        out[i] = (axis){i < V ? b->low[i] : 0, i < V ? b->spacing[i] : 1, (size_t)steps + 1};
    }
    return EBM_OK;
}

/* What the sums have come to. */
typedef struct sums {
    double log_z, mass, cross; /* log sum exp(-F), sum d, sum d (log d + F) */
} sums;

/* Points first ... first + batch->count - 1 of the grid, unit 0 the fastest. */
static void fill_points(const axis *axes, size_t V, size_t first, ebm_batch *batch) {
    for (size_t b = 0; b < batch->count; b++) {
        size_t code = first + b;
        for (size_t i = 0; i < V; i++) {
            batch->x[b * V + i] = (ebm_real)(axes[i].low + axes[i].spacing * (double)(code % axes[i].points));
            code /= axes[i].points;
        }
    }
    batch->field_ok = batch->hidden_ok = false;
}

static ebm_status add_block(const ebm_model *model, const ebm_dataset *truth, ebm_batch *batch, double *energy, sums *s,
                            ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size;
    double x[MOST_UNITS];
    ebm_model_field(model, batch, work);
    model->type->energy(model, ebm_path_end(), batch, energy, work);
    for (size_t b = 0; b < batch->count; b++) {
        if (!isfinite(energy[b]))
            return ebm_fail(error, EBM_DIVERGED, "an energy on the grid is %g: the parameters are far too large",
                            energy[b]);
        if (truth) {
            for (size_t i = 0; i < V; i++)
                x[i] = (double)batch->x[b * V + i];
            const double log_d = truth->log_density(truth, x), d = exp(log_d);
            s->mass += d;
            s->cross += d > 0 ? d * (log_d + energy[b]) : 0;
        }
        energy[b] = -energy[b];
    }
    const double both[2] = {s->log_z, ebm_log_sum_exp(energy, batch->count)};
    s->log_z = ebm_log_sum_exp(both, 2);
    return EBM_OK;
}

ebm_status ebm_quadrature_of(const ebm_model *model, const ebm_dataset *data, double spacing, size_t most,
                             ebm_quadrature *out, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size;
    const ebm_dataset *truth = data && data->log_density && data->space.size == V ? data : NULL;
    box bounds;
    axis axes[MOST_UNITS];
    sums s = {-INFINITY, 0, 0};
    ebm_batch batch;
    if (V > MOST_UNITS)
        return ebm_fail(error, EBM_UNSUPPORTED, "sums over a grid are for one or two units, the model has %zu", V);
    EBM_TRY(model_box(model, &bounds, work, error));
    if (truth)
        cover_data(truth, spacing, &bounds);
    EBM_TRY(make_axes(&bounds, V, most, axes, error));
    out->points = axes[0].points * axes[1].points;
    EBM_TRY(ebm_batch_create(model, BLOCK, &batch, error));
    const size_t mark = ebm_work_mark(work);
    double *energy = ebm_work_take(work, BLOCK, sizeof *energy);
    ebm_status status = energy ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %d energies", BLOCK);
    for (size_t first = 0; first < out->points && status == EBM_OK; first += BLOCK) {
        batch.count = out->points - first < BLOCK ? out->points - first : BLOCK;
        fill_points(axes, V, first, &batch);
        status = add_block(model, truth, &batch, energy, &s, work, error);
    }
    const double cell = axes[0].spacing * axes[1].spacing;
    out->log_z = s.log_z + log(cell);
    out->mass = truth ? s.mass * cell : NAN;
    out->kl = truth ? s.cross * cell + out->log_z : NAN;
    ebm_work_release(work, mark);
    ebm_batch_free(&batch);
    return status;
}

typedef struct quadrature_options {
    double spacing;
    int64_t points;
} quadrature_options;

#define AT(member) offsetof(quadrature_options, member)
static const ebm_option quadrature_table[] = {
    {"spacing", EBM_OPTION_REAL, AT(spacing), "0.25", 1e-6, 1e6, NULL, 0,
     "of the grid where the data's density is summed; at most half of the least deviation in it"},
    {"points", EBM_OPTION_INT, AT(points), "16777216", 1, 1e10, NULL, 0, "at most so many points are summed"},
    EBM_OPTIONS_END,
};

static const ebm_metric quadrature_metrics[] = {
    {"log_z", "nats", false, "log normaliser, by a sum over a grid"},
    {"loglik_train", "nats", false, "mean log-likelihood of training examples"},
    {"loglik_test", "nats", false, "mean log-likelihood of test examples; s.e. over examples"},
    {"loglik_gap", "nats", false,
     "mean over test examples of the data's own log density less the model's; s.e. over examples"},
    {"kl", "nats", false, "KL(data || model), by a sum over a grid"},
    {"grid_points", "", false, "points that were summed"},
    EBM_METRICS_END,
};

/* gap (count): log d - log p of the test examples, for which energies are in it. */
static ebm_status emit_gap(const ebm_dataset *data, double log_z, double *gap, ebm_sink *sink, ebm_error *error) {
    const size_t V = data->space.size, count = data->test.count;
    ebm_real row[MOST_UNITS];
    double x[MOST_UNITS];
    for (size_t e = 0; e < count; e++) {
        ebm_examples_fixed(data, &data->test, e, 1, row);
        for (size_t i = 0; i < V; i++)
            x[i] = (double)row[i];
        gap[e] += log_z + data->log_density(data, x);
    }
    const ebm_mean_value mean = ebm_mean_of(gap, count);
    return sink->emit(sink, "loglik_gap", mean.mean, mean.se, error);
}

static ebm_status emit_test(const ebm_estimate_inputs *in, const ebm_quadrature *q, ebm_sink *sink, ebm_error *error) {
    const ebm_dataset *data = in->data;
    const size_t count = data->test.count, mark = ebm_work_mark(in->work);
    double *energy = ebm_work_take(in->work, count, sizeof *energy);
    if (!energy)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu energies", count);
    ebm_status status = ebm_examples_energy(in->model, data, &data->test, 0, count, energy, in->work, error);
    if (status == EBM_OK) {
        const ebm_mean_value mean = ebm_mean_of(energy, count);
        status = sink->emit(sink, "loglik_test", -mean.mean - q->log_z, mean.se, error);
    }
    if (status == EBM_OK && data->log_density)
        status = emit_gap(data, q->log_z, energy, sink, error);
    ebm_work_release(in->work, mark);
    return status;
}

static ebm_status quadrature_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                      ebm_error *error) {
    const quadrature_options *o = options;
    const ebm_dataset *data = in->data;
    ebm_quadrature q;
    EBM_TRY(ebm_quadrature_of(in->model, data, o->spacing, (size_t)o->points, &q, in->work, error));
    if (q.mass < 1 - 1e-6 || q.mass > 1 + 1e-6)
        return ebm_fail(error, EBM_INVALID, "the data's density sums to %.9g on a grid of spacing %g: make it finer",
                        q.mass, o->spacing);
    EBM_TRY(sink->emit(sink, "log_z", q.log_z, NAN, error));
    EBM_TRY(sink->emit(sink, "grid_points", (double)q.points, NAN, error));
    if (data && data->train.count > 0) {
        ebm_mean_value energy;
        EBM_TRY(ebm_examples_mean_energy(in->model, data, &data->train, 0, &energy, in->work, error));
        EBM_TRY(sink->emit(sink, "loglik_train", -energy.mean - q.log_z, NAN, error));
    }
    if (data && data->test.count > 0)
        EBM_TRY(emit_test(in, &q, sink, error));
    return isnan(q.kl) ? EBM_OK : sink->emit(sink, "kl", q.kl, NAN, error);
}

const ebm_estimator_type ebm_quadrature_estimator = {
    .info = {"quadrature", "log Z, likelihoods and KL(data || model) of one or two Gaussian units, by sums over a grid",
             "L. N. Trefethen, J. A. C. Weideman, SIAM Review 56 (2014) 385-458", quadrature_table,
             sizeof(quadrature_options)},
    .needs = EBM_SLOT_GAUSSIAN_VISIBLE,
    .metrics = quadrature_metrics,
    .estimate = quadrature_estimate,
};
