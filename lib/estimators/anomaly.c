/* Anomalies by free energy: F(x) = -log p(x) - log Z, so a model ranks examples by their probability although its Z is not
 * known. Inliers are the test examples whose label the training half has; each kind of outlier is set against them by the
 * area under the ROC curve (roc.h), and beside it stands the same of the machine without couplings that has the data's means,
 *
 *   score_0(x) = -sum_i a_i x_i,   a_i the log odds of unit i in the training half:
 * what the gain over it says is that the model sees more than single units. A high probability is not a proof of belonging:
 * simple pictures may lie above all training examples (Nalisnick et al., "Do deep generative models know what they don't know?",
 * ICLR 2019), and the area is then below 1/2. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"
#include "ebm/roc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct anomaly_options {
    char *against;
    int64_t against_examples, against_seed;
    ebm_reals curve;
    ebm_example_limits limits;
} anomaly_options;

#define AT(member) EBM_OFFSET(anomaly_options, member)
static const ebm_option anomaly_table[] = {
    {"against", EBM_OPTION_STRING, AT(against), NULL, 0, 0, NULL, 0,
     "a data set by name, of the same space by its defaults, whose test half are outliers (auc_against)"},
    {"against_examples", EBM_OPTION_INT, AT(against_examples), "1000", 2, 1e6, NULL, 0, "how many of them"},
    {"against_seed", EBM_OPTION_INT, AT(against_seed), "2", 1, 4294967295.0, NULL, 0,
     "data_seed of that data set, where it is generated"},
    {"curve", EBM_OPTION_REALS, AT(curve), "[0, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]",
     0, 1000, NULL, 0, "points of the ROC curve: false alarms in a thousand inliers; the row's step is that number"},
    EBM_TEST_LIMIT(anomaly_options, limits, "0"),
    EBM_OPTIONS_END,
};

/* Kinds of outliers: ENTRY(name, what they are). */
#define KINDS(ENTRY)                                                                                                   \
    ENTRY(held_out, "test examples of labels that no training example has")                                            \
    ENTRY(against, "examples of another data set")                                                                     \
    ENTRY(shuffled, "inliers with their units in random order, another for each")                                      \
    ENTRY(noise, "independent units with the training half's means")                                                   \
    ENTRY(halves, "every second inlier, set against the others: nothing is to be told, so the area is 1/2")

#define KIND_INDEX(name, about) KIND_##name,
enum { KINDS(KIND_INDEX) KIND_COUNT };
#define KIND_NAME(name, about) #name,
static const char *const kind_names[] = {KINDS(KIND_NAME)};

#define KIND_METRICS(name, about)                                                                                      \
    {"auc_" #name, "", true, "area under the ROC curve of the free energy; outliers: " about},                         \
        {"auc_base_" #name, "", true, "the same by units alone, without couplings"},                                   \
        {"auc_gain_" #name, "", true, "the first less the second, on the same examples"},                              \
        {"found_" #name, "", true,                                                                                     \
         "share of the outliers found at so many false alarms in a thousand (the row's step)"},
static const ebm_metric anomaly_metrics[] = {{"inliers", "", false, "test examples whose label the training half has"},
                                             {"halves_z", "", true, "auc_halves less 1/2, in its standard errors"},
                                             KINDS(KIND_METRICS) EBM_METRICS_END};

typedef struct anomaly {
    const anomaly_options *options;
    const ebm_estimate_inputs *in;
    ebm_base base;
    ebm_dataset other;          /* for kind `against`; count 0 where it was not asked for */
    size_t inliers, held_out;   /* of the test half */
    uint32_t *rows, *held_rows; /* which */
    double *score, *plain;      /* (inliers): by the free energy, by units alone */
} anomaly;

/* Outliers first ... first + count - 1 of a kind into x (count, V). */
static void write_outliers(const anomaly *a, int kind, size_t first, size_t count, ebm_real *x) {
    const ebm_dataset *data = a->in->data;
    const size_t V = data->space.size, mark = ebm_work_mark(a->in->work);
    const ebm_stream stream = ebm_stream_of(a->in->seed, EBM_PURPOSE_OUTLIERS);
    const uint64_t step = ebm_estimate_step(a->in) + (kind == KIND_noise);
    if (kind == KIND_against)
        ebm_examples_fixed(&a->other, &a->other.test, first, count, x);
    else if (kind == KIND_noise)
        ebm_base_sample(&a->base, count, stream, (uint32_t)first, step, x, a->in->work);
    else
        for (size_t b = 0; b < count; b++)
            ebm_examples_fixed(data, &data->test, kind == KIND_held_out ? a->held_rows[first + b] : a->rows[first + b],
                               1, x + b * V);
    if (kind == KIND_shuffled) {
        uint32_t *order = ebm_work_take(a->in->work, V, sizeof *order);
        ebm_real *row = ebm_work_take(a->in->work, V, sizeof *row);
        for (size_t b = 0; b < count; b++) {
            ebm_random_order(stream, (uint32_t)(first + b), step, V, order);
            memcpy(row, x + b * V, V * sizeof *row);
            for (size_t i = 0; i < V; i++)
                x[b * V + i] = row[order[i]];
        }
    }
    ebm_work_release(a->in->work, mark);
}

/* Kind KIND_COUNT: the inliers themselves. */
static ebm_status score(const anomaly *a, int kind, size_t count, double *free_energy, double *plain,
                        ebm_error *error) {
    const ebm_model *model = a->in->model;
    const size_t rows = ebm_block_rows(model, count);
    ebm_status status = EBM_OK;
    ebm_batch batch;
    EBM_TRY(ebm_batch_create(model, rows, &batch, error));
    for (size_t first = 0; first < count && status == EBM_OK; first += rows) {
        batch.count = count - first < rows ? count - first : rows;
        write_outliers(a, kind, first, batch.count, batch.x);
        batch.field_ok = batch.hidden_ok = false;
        ebm_model_field(model, &batch, a->in->work);
        model->type->energy(model, ebm_path_end(), &batch, free_energy + first, a->in->work);
        ebm_base_energy(&a->base, batch.count, batch.x, plain + first, a->in->work);
        for (size_t b = first; b < first + batch.count && status == EBM_OK; b++)
            if (!isfinite(free_energy[b]))
                status = ebm_fail(error, EBM_DIVERGED, "the energy of %s %zu is not finite",
                                  kind == KIND_COUNT ? "inlier" : "outlier", b);
    }
    ebm_batch_free(&batch);
    return status;
}

/* No pair of the n1 x n2 was in the wrong order (or all were): DeLong's error is then 0, which is too sure. One outlier or inlier
 * more on the wrong side of all others would move the area by one part in the smaller sample. */
static double standard_error(const ebm_roc *roc, double se) {
    const size_t smaller = roc->inliers < roc->outliers ? roc->inliers : roc->outliers;
    return se == 0 ? 1 / (double)smaller : se;
}

static ebm_status emit(ebm_sink *sink, const char *prefix, int kind, double value, double se, ebm_error *error) {
    char metric[64];
    snprintf(metric, sizeof metric, "%s_%s", prefix, kind_names[kind]);
    return sink->emit(sink, metric, value, se, error);
}

static ebm_status emit_curve(const anomaly *a, const ebm_roc *roc, int kind, ebm_sink *sink, ebm_error *error) {
    const ebm_reals *curve = &a->options->curve;
    double *rate = ebm_work_take(a->in->work, curve->count, sizeof *rate);
    ebm_auc *found = ebm_work_take(a->in->work, curve->count, sizeof *found);
    if (!rate || !found)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu points of a curve", curve->count);
    for (size_t k = 0; k < curve->count; k++)
        rate[k] = curve->values[k] / 1000;
    EBM_TRY(ebm_roc_found(roc, curve->count, rate, found, a->in->work, error));
    for (size_t k = 0; k < curve->count; k++) {
        sink->at(sink, (uint64_t)curve->values[k]);
        EBM_TRY(emit(sink, "found", kind, found[k].value, found[k].se, error));
    }
    sink->at(sink, a->in->step);
    return EBM_OK;
}

static ebm_status compare(const anomaly *a, int kind, size_t m, const double *score_in, const double *plain_in,
                          size_t n, const double *score_out, const double *plain_out, ebm_sink *sink,
                          ebm_error *error) {
    ebm_work *work = a->in->work;
    double *places = ebm_work_take(work, 2 * (m + n), sizeof *places);
    ebm_auc area, plain;
    if (!places)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the scores of %zu examples", m + n);
    const ebm_roc by_model = {m, n, score_in, score_out, places, places + m};
    const ebm_roc by_units = {m, n, plain_in, plain_out, places + m + n, places + 2 * m + n};
    EBM_TRY(ebm_roc_area(&by_model, &area, work, error));
    EBM_TRY(ebm_roc_area(&by_units, &plain, work, error));
    const ebm_auc gain = ebm_roc_difference(&by_model, &by_units);
    EBM_TRY(emit(sink, "auc", kind, area.value, standard_error(&by_model, area.se), error));
    if (kind == KIND_halves)
        EBM_TRY(sink->emit(sink, "halves_z", (area.value - 0.5) / standard_error(&by_model, area.se), 1, error));
    EBM_TRY(emit(sink, "auc_base", kind, plain.value, standard_error(&by_units, plain.se), error));
    EBM_TRY(emit(sink, "auc_gain", kind, gain.value, standard_error(&by_model, gain.se), error));
    return emit_curve(a, &by_model, kind, sink, error);
}

/* Every second inlier against the others: the test half may be in an order. */
static ebm_status compare_halves(const anomaly *a, ebm_sink *sink, ebm_error *error) {
    const size_t m = (a->inliers + 1) / 2, n = a->inliers / 2;
    double *split = ebm_work_take(a->in->work, 2 * a->inliers, sizeof *split);
    if (!split)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the scores of %zu examples", a->inliers);
    for (size_t e = 0; e < a->inliers; e++) {
        const size_t to = e % 2 ? m + e / 2 : e / 2;
        split[to] = a->score[e];
        split[a->inliers + to] = a->plain[e];
    }
    return compare(a, KIND_halves, m, split, split + m + n, n, split + m, split + 2 * m + n, sink, error);
}

static ebm_status compare_kind(const anomaly *a, int kind, size_t count, ebm_sink *sink, ebm_error *error) {
    const size_t mark = ebm_work_mark(a->in->work);
    ebm_status status;
    if (kind == KIND_halves)
        status = a->inliers < 4 ? EBM_OK : compare_halves(a, sink, error);
    else {
        double *scores = ebm_work_take(a->in->work, 2 * count + 1, sizeof *scores);
        status = !scores     ? ebm_fail(error, EBM_NO_MEMORY, "no memory for the scores of %zu outliers", count)
                 : count > 1 ? score(a, kind, count, scores, scores + count, error)
                             : EBM_OK;
        if (status == EBM_OK && count > 1)
            status = compare(a, kind, a->inliers, a->score, a->plain, count, scores, scores + count, sink, error);
    }
    ebm_work_release(a->in->work, mark);
    return status;
}

static ebm_status split_test_half(anomaly *a, ebm_error *error) {
    const ebm_dataset *data = a->in->data;
    const ebm_examples *train = &data->train, *test = &data->test;
    const size_t count = ebm_limited(test->count, a->options->limits.test_examples), K = data->classes;
    const bool labelled = K > 0 && train->labels && test->labels;
    a->rows = ebm_work_take(a->in->work, count + 1, sizeof *a->rows);
    a->held_rows = ebm_work_take(a->in->work, count + 1, sizeof *a->held_rows);
    a->score = ebm_work_take(a->in->work, 2 * count + 1, sizeof *a->score);
    bool *seen = ebm_work_take(a->in->work, K + 1, sizeof *seen);
    if (!a->rows || !a->held_rows || !a->score || !seen)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the scores of %zu examples", count);
    memset(seen, 0, (K + 1) * sizeof *seen);
    for (size_t e = 0; labelled && e < train->count; e++)
        seen[train->labels[e]] = true;
    for (size_t e = 0; e < count; e++)
        if (!labelled || seen[test->labels[e]])
            a->rows[a->inliers++] = (uint32_t)e;
        else
            a->held_rows[a->held_out++] = (uint32_t)e;
    a->plain = a->score + a->inliers;
    return a->inliers > 1
               ? EBM_OK
               : ebm_fail(error, EBM_INVALID, "%zu test examples are inliers: anomaly needs two", a->inliers);
}

static ebm_status set_if_there(const ebm_option *table, void *options, const char *name, const char *text,
                               ebm_error *error) {
    return ebm_options_find(table, name) ? ebm_options_set(table, options, name, text, NULL, error) : EBM_OK;
}

/* The other data set: its test half, as large as asked for, binarised as the data are. */
static ebm_status load_other(anomaly *a, ebm_error *error) {
    const anomaly_options *o = a->options;
    const ebm_dataset *data = a->in->data;
    const ebm_component *type = ebm_component_find(EBM_KIND_DATASET, o->against);
    static const char *const binarisations[] = {"none", "stochastic", "threshold"};
    char count[32], seed[32], side[32];
    _Alignas(16) unsigned char options[512];
    if (data->space.domain == EBM_REAL_LINE)
        return ebm_fail(error, EBM_UNSUPPORTED, "against is for discrete data: real ones may be on another scale");
    if (!type || type->options_size > sizeof options)
        return ebm_fail(error, EBM_INVALID, "against is '%s', which is no data set", o->against);
    snprintf(count, sizeof count, "%lld", (long long)o->against_examples);
    snprintf(seed, sizeof seed, "%lld", (long long)o->against_seed);
    snprintf(side, sizeof side, "%zu", data->space.shape[data->space.rank - 1]);
    ebm_status status = ebm_options_default(type->options, options, type->options_size, error);
    const char *const settings[][2] = {{"train", "1"},
                                       {"test", count},
                                       {"data_seed", seed},
                                       {"side", side},
                                       {"binarise", binarisations[data->binarise]}};
    for (size_t k = 0; k < sizeof settings / sizeof *settings && status == EBM_OK; k++)
        if (data->space.rank > 1 || strcmp(settings[k][0], "side") != 0)
            status = set_if_there(type->options, options, settings[k][0], settings[k][1], error);
    if (status == EBM_OK)
        status = ebm_dataset_load((const ebm_dataset_type *)type, options, a->in->seed, &a->other, error);
    ebm_options_clear(type->options, options);
    if (status == EBM_OK && data->space.domain == EBM_SPIN)
        ebm_dataset_to_spins(&a->other);
    if (status == EBM_OK && !ebm_space_equal(&a->other.space, &data->space))
        status = ebm_fail(error, EBM_INVALID, "the data set %s, by its defaults, is on another space than the data",
                          o->against);
    return status;
}

static ebm_status anomaly_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                   ebm_error *error) {
    anomaly a = {.options = options, .in = in};
    const size_t mark = ebm_work_mark(in->work);
    const ebm_reals *curve = &a.options->curve;
    if (!ebm_space_equal(&in->model->space, &in->data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    for (size_t k = 0; k < curve->count; k++)
        if (curve->values[k] != floor(curve->values[k]))
            return ebm_fail(error, EBM_INVALID, "curve: %g false alarms in a thousand: expected whole numbers",
                            curve->values[k]);
    if (in->data->test.count == 0)
        return EBM_OK;
    ebm_status status = ebm_base_fit(&in->data->space, in->data, 1, &a.base, error);
    if (status == EBM_OK)
        status = split_test_half(&a, error);
    if (status == EBM_OK && a.options->against)
        status = load_other(&a, error);
    if (status == EBM_OK)
        status = score(&a, KIND_COUNT, a.inliers, a.score, a.plain, error);
    if (status == EBM_OK)
        status = sink->emit(sink, "inliers", (double)a.inliers, NAN, error);
    const size_t counts[KIND_COUNT] = {[KIND_held_out] = a.held_out,
                                       [KIND_against] = a.other.test.count,
                                       [KIND_shuffled] = a.inliers,
                                       [KIND_noise] = a.inliers};
    for (int kind = 0; kind < KIND_COUNT && status == EBM_OK; kind++)
        status = compare_kind(&a, kind, counts[kind], sink, error);
    ebm_dataset_free(&a.other);
    ebm_base_free(&a.base);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_anomaly = {
    .info = {"anomaly",
             "outliers told from test examples by their free energy: area under the ROC curve, and the curve",
             "DeLong, DeLong & Clarke-Pearson 1988", anomaly_table, sizeof(anomaly_options)},
    .needs_data = true,
    .metrics = anomaly_metrics,
    .estimate = anomaly_estimate,
};
