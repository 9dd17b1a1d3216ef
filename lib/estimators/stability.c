/* How firmly an associative memory holds its patterns: the margins of all units in all of them,
 *
 *   kappa_pi = y_pi h_pi / |w_i|,    h_i = sum_j w_ij y_j + b_i,    |w_i| = (sum_j w_ij^2)^1/2
 *
 * (E. Gardner, "The space of interactions in neural network models", 1988). A unit is stable where y h > 0; a pattern is
 * a fixed point of the dynamics where all its units are. Units without couplings have margin 0. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"
#include "learners/associative.h"

#include <math.h>

typedef struct stability_options {
    int64_t patterns;
} stability_options;

static const ebm_option stability_table[] = {
    EBM_LIMIT_OPTION("patterns", EBM_OFFSET(stability_options, patterns), "0",
                     "only the first so many training examples; 0: all"),
    EBM_OPTIONS_END,
};

static const ebm_metric stability_metrics[] = {
    {"patterns_fixed", "", false, "share of patterns all of whose units are stable"},
    {"units_stable", "", false, "share of units, over all patterns, whose field has their sign"},
    {"margin_min", "", false, "smallest margin y h / |w| of a unit in a pattern"},
    {"margin_mean", "", false, "mean margin over units and patterns"},
    EBM_METRICS_END,
};

typedef struct tally {
    size_t fixed, stable;
    double least, sum;
} tally;

/* One pattern with its field. */
static void add_pattern(size_t V, const ebm_real *y, const ebm_real *h, const double *norm, tally *t) {
    size_t stable = 0;
    for (size_t i = 0; i < V; i++) {
        const double aligned = (double)y[i] * (double)h[i], margin = norm[i] > 0 ? aligned / norm[i] : 0;
        stable += aligned > 0;
        t->sum += margin;
        t->least = fmin(t->least, margin);
    }
    t->stable += stable;
    t->fixed += stable == V;
}

static ebm_status add_patterns(const ebm_estimate_inputs *in, const ebm_couplings *c, size_t count, const double *norm,
                               tally *t, ebm_error *error) {
    const size_t V = c->units, rows = ebm_block_rows(in->model, count);
    ebm_batch batch;
    EBM_TRY(ebm_batch_create(in->model, rows, &batch, error));
    for (size_t first = 0; first < count; first += rows) {
        batch.count = count - first < rows ? count - first : rows;
        ebm_examples_fixed(in->data, &in->data->train, first, batch.count, batch.x);
        batch.field_ok = false;
        ebm_model_field(in->model, &batch, in->work);
        for (size_t b = 0; b < batch.count; b++)
            add_pattern(V, batch.x + b * V, batch.field + b * V, norm, t);
    }
    ebm_batch_free(&batch);
    return isfinite(t->sum) ? EBM_OK : ebm_fail(error, EBM_DIVERGED, "a margin is not finite");
}

static ebm_status stability_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                     ebm_error *error) {
    const stability_options *o = options;
    const size_t count = ebm_limited(in->data->train.count, o->patterns), V = in->model->space.size;
    ebm_couplings c;
    EBM_TRY(ebm_couplings_of(in->model, "estimator stability", &c, error));
    if (!ebm_space_equal(&in->model->space, &in->data->space) || in->model->n_field != V)
        return ebm_fail(error, EBM_INVALID, "the model and the patterns are on different spaces");
    if (count == 0)
        return EBM_OK;
    const size_t mark = ebm_work_mark(in->work);
    double *norm = ebm_work_take(in->work, V, sizeof *norm);
    if (!norm)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the norms of %zu units", V);
    for (size_t i = 0; i < V; i++) {
        double square = 0;
        for (size_t j = 0; j < V; j++)
            square += (double)c.W[i * V + j] * (double)c.W[i * V + j];
        norm[i] = sqrt(square);
    }
    tally t = {0, 0, INFINITY, 0};
    const ebm_status status = add_patterns(in, &c, count, norm, &t, error);
    ebm_work_release(in->work, mark);
    EBM_TRY(status);
    const double units = (double)count * (double)V;
    EBM_TRY(sink->emit(sink, "patterns_fixed", (double)t.fixed / (double)count, NAN, error));
    EBM_TRY(sink->emit(sink, "units_stable", (double)t.stable / units, NAN, error));
    EBM_TRY(sink->emit(sink, "margin_min", t.least, NAN, error));
    return sink->emit(sink, "margin_mean", t.sum / units, NAN, error);
}

const ebm_estimator_type ebm_stability = {
    .info = {"stability", "margins of stored patterns: which are fixed points, and how firmly", "Gardner 1988",
             stability_table, sizeof(stability_options)},
    .needs = EBM_SLOT_SITE,
    .needs_data = true,
    .metrics = stability_metrics,
    .estimate = stability_estimate,
};
