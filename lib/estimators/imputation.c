/* Missing pixels filled in (imputation.h).
 *
 * Sampling: h ~ p(h | x), then x ~ p(x | h) with the seen pixels put back. Given h the pixels are independent, so this leaves
 * p(missing | seen) invariant; the mean of E[x_i | h] over the sweeps after burn-in estimates E[x_i | seen] with less noise than
 * that of the states (Gelfand & Smith, "Sampling-based approaches to calculating marginal densities", JASA 85, 1990). One chain a picture, started at independent pixels with the training half's means.
 *
 * Optimisation: from the most probable value of each missing pixel alone, each is set in turn to the value of lower free energy
 * given all others, until a sweep changes nothing: a state of which no single change lowers F, and no step raises it.
 *
 * The error of a probability m for a pixel x is (x - m)^2, which E[x | seen] makes least, and whether m is on the wrong side
 * of 1/2; optimisation answers by states, for which both are the same. */
#include "ebm/imputation.h"
#include "estimators/estimators.h"

#include "ebm/likelihood.h"

#include <math.h>
#include <string.h>

static const char *const missing_names[] = {"bottom", "top", "right", "left", "random", NULL};

#define AT(member) EBM_OFFSET(ebm_imputation_settings, member)
static const ebm_option imputation_table[] = {
    {"missing", EBM_OPTION_CHOICE, AT(missing), "bottom", 0, 0, missing_names, 0,
     "the pixels that are missing: rows from the bottom or top, columns from the right or left, or random pixels"},
    {"shares", EBM_OPTION_REALS, AT(shares), "[0.5]", 0, 1, NULL, 0,
     "shares of the picture that are missing; the row's step is the number of missing pixels"},
    {"burn_in", EBM_OPTION_INT, AT(burn_in), "100", 0, 1e6, NULL, 0, "sweeps before the first that counts"},
    {"sweeps", EBM_OPTION_INT, AT(sweeps), "400", 1, 1e6, NULL, 0, "sweeps of clamped Gibbs sampling that count"},
    {"descent_sweeps", EBM_OPTION_INT, AT(descent_sweeps), "100", 1, 1e6, NULL, 0,
     "most sweeps of the optimisation over the missing pixels"},
    {"test_examples", EBM_OPTION_INT, AT(test_examples), "200", 0, 4294967295.0, NULL, 0,
     "only the first so many test examples; 0: all"},
    EBM_OPTIONS_END,
};

static const ebm_metric imputation_metrics[] = {
    {"imputed_wrong_mean", "", false, "share of missing pixels wrong where each has its commoner value"},
    {"imputed_wrong_gibbs", "", true, "the same by the sign of E[x | seen] - 1/2, by clamped sampling"},
    {"imputed_wrong_descent", "", true, "the same by descent of the free energy over the missing pixels"},
    {"imputed_square_mean", "", false, "mean squared error of a missing pixel by its mean over the training half"},
    {"imputed_square_gibbs", "", true, "the same by E[x | seen]"},
    {"imputed_gain_gibbs", "", true, "imputed_wrong_mean less imputed_wrong_gibbs, picture by picture"},
    {"imputed_gain_descent", "", true, "imputed_wrong_mean less imputed_wrong_descent, picture by picture"},
    {"imputed_square_gain", "", true, "imputed_square_mean less imputed_square_gibbs, picture by picture"},
    {"imputed_energy_gap", "nats", true, "free energy of the picture by descent less that of the true picture"},
    EBM_METRICS_END,
};

static void picture_shape(const ebm_space *space, size_t *rows, size_t *columns) {
    *columns = space->shape[space->rank - 1];
    *rows = space->size / *columns;
}

ebm_status ebm_imputation_missing(const ebm_space *space, int missing, double share, size_t *out, ebm_error *error) {
    size_t rows, columns;
    picture_shape(space, &rows, &columns);
    const bool by_row = missing == EBM_MISSING_BOTTOM || missing == EBM_MISSING_TOP;
    const size_t parts = missing == EBM_MISSING_RANDOM ? space->size : by_row ? rows : columns;
    const size_t each = space->size / parts, count = (size_t)floor(share * (double)parts + 0.5);
    if (count == 0 || count >= parts)
        return ebm_fail(error, EBM_INVALID, "a share of %g of %zu %s cannot be missing: some must be, and some not",
                        share, parts,
                        missing == EBM_MISSING_RANDOM ? "pixels"
                        : by_row                      ? "rows"
                                                      : "columns");
    *out = count * each;
    return EBM_OK;
}

/* The units that are missing of one picture, ascending. */
static void choose(const ebm_space *space, int missing, size_t M, ebm_stream stream, uint32_t chain, uint64_t step,
                   uint32_t *order, uint32_t *out) {
    const size_t V = space->size;
    size_t rows, columns, k = 0;
    picture_shape(space, &rows, &columns);
    if (missing == EBM_MISSING_RANDOM)
        ebm_random_order(stream, chain, step, V, order);
    for (size_t i = 0; i < V; i++) { /* the rank of unit i among those that go missing */
        const size_t row = i / columns, column = i % columns;
        const size_t rank = missing == EBM_MISSING_BOTTOM  ? (rows - 1 - row) * columns
                            : missing == EBM_MISSING_TOP   ? row * columns
                            : missing == EBM_MISSING_RIGHT ? (columns - 1 - column) * rows
                            : missing == EBM_MISSING_LEFT  ? column * rows
                                                           : order[i];
        if (rank < M)
            out[k++] = (uint32_t)i;
    }
}

/* x (count, V) with the units that are missing written from `from` (V), or from rows of it (count, V). */
static void put(const ebm_imputed *p, size_t V, const ebm_real *from, bool rows, ebm_real *x) {
    for (size_t b = 0; b < p->count; b++)
        for (size_t k = 0; k < p->missing_each; k++) {
            const size_t i = p->missing[b * p->missing_each + k];
            x[b * V + i] = from[rows ? b * V + i : i];
        }
}

/* p->gibbs = means of E[x | h]. `batch` has room for all rows; `drawn` (count, V) and `sum` (count, M) are scratch. */
static void by_sampling(const ebm_estimate_inputs *in, const ebm_imputation_settings *s, const ebm_real *mean,
                        ebm_imputed *p, ebm_batch *batch, ebm_real *drawn, double *sum) {
    const ebm_model *model = in->model;
    const size_t V = model->space.size, M = p->missing_each;
    const ebm_stream stream = ebm_stream_of(in->seed, EBM_PURPOSE_IMPUTATION);
    uint64_t step = ebm_estimate_step(in) + 1; /* the choice of missing pixels has the first */
    memcpy(drawn, p->truth, p->count * V * sizeof *drawn);
    for (size_t b = 0; b < p->count; b++) {
        ebm_real *row = drawn + b * V;
        ebm_random_uniform(stream, (uint32_t)(p->first + b), step, V, row);
        for (size_t i = 0; i < V; i++)
            row[i] = row[i] < mean[i] ? 1 : 0;
    }
    memcpy(batch->x, p->truth, p->count * V * sizeof *drawn);
    put(p, V, drawn, true, batch->x);
    memset(sum, 0, p->count * M * sizeof *sum);
    for (int64_t sweep = 0; sweep < s->burn_in + s->sweeps; sweep++, step += 2) {
        batch->field_ok = batch->hidden_ok = false;
        ebm_model_field(model, batch, in->work);
        model->type->sample_hidden(model, ebm_path_end(), batch, stream, (uint32_t)p->first, step + 1, in->work);
        if (sweep >= s->burn_in) {
            model->type->visible_means(model, batch, drawn, in->work);
            for (size_t b = 0; b < p->count; b++)
                for (size_t k = 0; k < M; k++)
                    sum[b * M + k] += (double)drawn[b * V + p->missing[b * M + k]];
        }
        model->type->sample_visible(model, ebm_path_end(), batch, stream, (uint32_t)p->first, step + 2, in->work);
        memcpy(drawn, batch->x, p->count * V * sizeof *drawn);
        memcpy(batch->x, p->truth, p->count * V * sizeof *drawn);
        put(p, V, drawn, true, batch->x);
    }
    memcpy(p->gibbs, p->truth, p->count * V * sizeof *p->gibbs);
    for (size_t b = 0; b < p->count; b++)
        for (size_t k = 0; k < M; k++)
            p->gibbs[b * V + p->missing[b * M + k]] = (ebm_real)(sum[b * M + k] / (double)s->sweeps);
}

/* One visit of the k-th missing unit of every row that is still moving; changed[b] where it has changed. A logit of exactly 0 keeps
 * the value. */
static void visit(const ebm_model *model, ebm_batch *batch, const ebm_imputed *p, const uint32_t *row_of, size_t k,
                  uint32_t *units, ebm_real *logit, ebm_real *before, bool *changed, ebm_work *work) {
    const size_t V = model->space.size;
    for (size_t b = 0; b < batch->count; b++) {
        units[b] = p->missing[row_of[b] * p->missing_each + k];
        before[b] = batch->x[b * V + units[b]];
    }
    model->type->site(model, ebm_path_end(), batch, units, logit, work);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real value = logit[b] > 0 ? 1 : logit[b] < 0 ? 0 : before[b];
        batch->x[b * V + units[b]] = value;
        changed[b] = changed[b] || value != before[b];
    }
    if (model->type->site_changed)
        model->type->site_changed(model, batch, units, before, work);
}

typedef struct descent_scratch {
    uint32_t *row_of, *units; /* (count) each; row_of: which picture a row of the batch is of */
    ebm_real *logit, *before;
    bool *changed;
} descent_scratch;

/* p->descent, from p->descent as it stands. Rows that have come to an end leave the batch. */
static void by_descent(const ebm_estimate_inputs *in, const ebm_imputation_settings *s, ebm_imputed *p,
                       ebm_batch *batch, const descent_scratch *t) {
    const ebm_model *model = in->model;
    const size_t V = model->space.size;
    batch->count = p->count;
    memcpy(batch->x, p->descent, p->count * V * sizeof *p->descent);
    for (size_t b = 0; b < p->count; b++)
        t->row_of[b] = (uint32_t)b;
    for (int64_t sweep = 0; sweep < s->descent_sweeps && batch->count > 0; sweep++) {
        memset(t->changed, 0, batch->count * sizeof *t->changed);
        batch->field_ok = batch->hidden_ok = false; /* anew, against rounding, and because rows have moved */
        ebm_model_field(model, batch, in->work);
        for (size_t k = 0; k < p->missing_each; k++)
            visit(model, batch, p, t->row_of, k, t->units, t->logit, t->before, t->changed, in->work);
        size_t moving = 0;
        for (size_t b = 0; b < batch->count; b++) {
            memcpy(p->descent + t->row_of[b] * V, batch->x + b * V, V * sizeof *batch->x);
            if (!t->changed[b])
                continue;
            memmove(batch->x + moving * V, batch->x + b * V, V * sizeof *batch->x);
            t->row_of[moving++] = t->row_of[b];
        }
        batch->count = moving;
    }
    batch->count = p->count;
}

static ebm_status fill(const ebm_estimate_inputs *in, const ebm_imputation_settings *s, ebm_imputed *p,
                       ebm_batch *batch, ebm_error *error) {
    const ebm_dataset *data = in->data;
    const size_t V = data->space.size, B = p->count, M = p->missing_each;
    ebm_work *work = in->work;
    double *means = ebm_work_take(work, V, sizeof *means), *sum = ebm_work_take(work, B * M, sizeof *sum);
    ebm_real *mean = ebm_work_take(work, V, sizeof *mean), *drawn = ebm_work_take(work, B * V, sizeof *drawn);
    uint32_t *order = ebm_work_take(work, V, sizeof *order);
    const descent_scratch t = {ebm_work_take(work, B, sizeof *t.row_of), ebm_work_take(work, B, sizeof *t.units),
                               ebm_work_take(work, B, sizeof *t.logit), ebm_work_take(work, B, sizeof *t.before),
                               ebm_work_take(work, B, sizeof *t.changed)};
    if (!means || !sum || !mean || !drawn || !order || !t.row_of || !t.units || !t.logit || !t.before || !t.changed)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to fill in %zu pictures", B);
    ebm_dataset_means(data, means);
    for (size_t i = 0; i < V; i++)
        mean[i] = (ebm_real)means[i];
    for (size_t b = 0; b < B; b++)
        choose(&data->space, s->missing, M, ebm_stream_of(in->seed, EBM_PURPOSE_IMPUTATION), (uint32_t)(p->first + b),
               ebm_estimate_step(in), order, p->missing + b * M);
    ebm_examples_fixed(data, &data->test, p->first, B, p->truth);
    memcpy(p->mean, p->truth, B * V * sizeof *p->mean);
    put(p, V, mean, false, p->mean);
    by_sampling(in, s, mean, p, batch, drawn, sum);
    for (size_t i = 0; i < V; i++)
        mean[i] = mean[i] > (ebm_real)0.5 ? 1 : 0;
    memcpy(p->descent, p->truth, B * V * sizeof *p->descent);
    put(p, V, mean, false, p->descent);
    by_descent(in, s, p, batch, &t);
    return EBM_OK;
}

ebm_status ebm_impute(const ebm_estimate_inputs *in, const ebm_imputation_settings *settings, ebm_imputed *out,
                      ebm_error *error) {
    const ebm_model *model = in->model;
    const size_t mark = ebm_work_mark(in->work);
    ebm_batch batch;
    if (!ebm_space_equal(&model->space, &in->data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    if (model->space.domain != EBM_BINARY || !model->type->visible_means)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "imputation is for 0/1 units and models that know E[x | h]; model %s is not of these",
                        model->type->info.name);
    if (out->first + out->count > in->data->test.count || out->count == 0)
        return ebm_fail(error, EBM_INVALID, "%zu pictures from number %zu on are asked for, the test half has %zu",
                        out->count, out->first, in->data->test.count);
    EBM_TRY(ebm_batch_create(model, out->count, &batch, error));
    const ebm_status status = fill(in, settings, out, &batch, error);
    ebm_batch_free(&batch);
    ebm_work_release(in->work, mark);
    return status;
}

/* What is kept of each picture. */
enum {
    WRONG_MEAN,
    WRONG_GIBBS,
    WRONG_DESCENT,
    SQUARE_MEAN,
    SQUARE_GIBBS,
    GAIN_GIBBS,
    GAIN_DESCENT,
    SQUARE_GAIN,
    GAP,
    SCORES
};

static void errors_of(const ebm_imputed *p, size_t V, size_t b, const ebm_real *answer, double *wrong, double *square) {
    *wrong = *square = 0;
    for (size_t k = 0; k < p->missing_each; k++) {
        const size_t at = b * V + p->missing[b * p->missing_each + k];
        const double x = (double)p->truth[at], m = (double)answer[at];
        *wrong += (m > 0.5) != (x > 0.5);
        *square += (x - m) * (x - m);
    }
    *wrong /= (double)p->missing_each;
    *square /= (double)p->missing_each;
}

/* scores (SCORES, count) of pictures p->first ...; energy (2, rows) is scratch. */
static void keep_scores(const ebm_estimate_inputs *in, const ebm_imputed *p, ebm_batch *batch, double *energy,
                        double *scores, size_t count) {
    const size_t V = in->model->space.size;
    const ebm_real *const pictures[2] = {p->truth, p->descent};
    batch->count = p->count;
    for (size_t side = 0; side < 2; side++) {
        memcpy(batch->x, pictures[side], p->count * V * sizeof *batch->x);
        batch->field_ok = batch->hidden_ok = false;
        ebm_model_field(in->model, batch, in->work);
        in->model->type->energy(in->model, ebm_path_end(), batch, energy + side * p->count, in->work);
    }
    for (size_t b = 0; b < p->count; b++) {
        double wrong[3], square[3];
        const ebm_real *const answers[3] = {p->mean, p->gibbs, p->descent};
        for (size_t a = 0; a < 3; a++)
            errors_of(p, V, b, answers[a], &wrong[a], &square[a]);
        const double values[SCORES] = {wrong[0],
                                       wrong[1],
                                       wrong[2],
                                       square[0],
                                       square[1],
                                       wrong[0] - wrong[1],
                                       wrong[0] - wrong[2],
                                       square[0] - square[1],
                                       energy[p->count + b] - energy[b]};
        for (size_t k = 0; k < SCORES; k++)
            scores[k * count + p->first + b] = values[k];
    }
}

static ebm_status take(ebm_work *work, size_t rows, size_t V, size_t M, ebm_imputed *p, double **energy,
                       ebm_error *error) {
    p->missing_each = M;
    p->missing = ebm_work_take(work, rows * M, sizeof *p->missing);
    p->truth = ebm_work_take(work, rows * V, sizeof *p->truth);
    p->mean = ebm_work_take(work, rows * V, sizeof *p->mean);
    p->gibbs = ebm_work_take(work, rows * V, sizeof *p->gibbs);
    p->descent = ebm_work_take(work, rows * V, sizeof *p->descent);
    *energy = ebm_work_take(work, 2 * rows, sizeof **energy);
    return p->missing && p->truth && p->mean && p->gibbs && p->descent && *energy
               ? EBM_OK
               : ebm_fail(error, EBM_NO_MEMORY, "no memory to fill in %zu pictures", rows);
}

static ebm_status impute_share(const ebm_estimate_inputs *in, const ebm_imputation_settings *s, double share,
                               size_t count, ebm_sink *sink, ebm_error *error) {
    const size_t V = in->model->space.size, rows = ebm_block_rows(in->model, count);
    double *scores = ebm_work_take(in->work, SCORES * count, sizeof *scores), *energy;
    ebm_imputed p = {0};
    ebm_batch batch;
    size_t M;
    if (!scores)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the scores of %zu pictures", count);
    EBM_TRY(ebm_imputation_missing(&in->data->space, s->missing, share, &M, error));
    EBM_TRY(take(in->work, rows, V, M, &p, &energy, error));
    EBM_TRY(ebm_batch_create(in->model, rows, &batch, error));
    ebm_status status = EBM_OK;
    for (p.first = 0; p.first < count && status == EBM_OK; p.first += p.count) {
        p.count = count - p.first < rows ? count - p.first : rows;
        status = ebm_impute(in, s, &p, error);
        if (status == EBM_OK)
            keep_scores(in, &p, &batch, energy, scores, count);
    }
    ebm_batch_free(&batch);
    if (status == EBM_OK)
        sink->at(sink, M);
    for (size_t k = 0; k < SCORES && status == EBM_OK; k++) {
        const ebm_mean_value mean = ebm_mean_of(scores + k * count, count);
        status = isfinite(mean.mean) ? sink->emit(sink, imputation_metrics[k].name, mean.mean, mean.se, error)
                                     : ebm_fail(error, EBM_DIVERGED, "%s is not finite", imputation_metrics[k].name);
    }
    sink->at(sink, in->step);
    return status;
}

static ebm_status imputation_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                      ebm_error *error) {
    const ebm_imputation_settings *s = options;
    const size_t count = ebm_limited(in->data->test.count, s->test_examples), mark = ebm_work_mark(in->work);
    ebm_status status = EBM_OK;
    for (size_t k = 0; k < s->shares.count && count > 0 && status == EBM_OK; k++) {
        status = impute_share(in, s, s->shares.values[k], count, sink, error);
        ebm_work_release(in->work, mark);
    }
    return status;
}

const ebm_estimator_type ebm_imputation = {
    .info = {"imputation", "missing pixels filled in by clamped sampling and by descent, against the pixel's mean",
             "Gelfand & Smith 1990; Besag 1986", imputation_table, sizeof(ebm_imputation_settings)},
    .needs = EBM_SLOT_BLOCK | EBM_SLOT_HIDDEN_MEANS | EBM_SLOT_SITE,
    .needs_data = true,
    .metrics = imputation_metrics,
    .estimate = imputation_estimate,
};
