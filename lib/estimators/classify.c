/* Classification by a model of (v, c) whose last K units are the label, one of K of them up:
 *
 *   P(c = k | v) = exp(-F(v, e_k)) / sum_l exp(-F(v, e_l)),       e_k the label of class k, F the (free) energy
 *
 * exactly, since log Z cancels. The model may also put mass on label units of which none or several are up; how much it
 * leaves to the K proper labels, sum_k P(e_k | v) over all 2^K settings, is emitted beside, where 2^K is small. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"
#include "ebm/special.h"

#include <math.h>
#include <string.h>

typedef struct classify_options {
    int64_t classes;
    bool mass;
    ebm_example_limits limits;
} classify_options;

static const ebm_option classify_table[] = {
    {"classes", EBM_OPTION_INT, EBM_OFFSET(classify_options, classes), "0", 0, 1000, NULL, 0,
     "K: the last so many units are the label; 0: as many as the data have classes, and nothing where they have none"},
    {"mass", EBM_OPTION_BOOL, EBM_OFFSET(classify_options, mass), "true", 0, 0, NULL, 0,
     "sum over all settings of the label units too, for label_mass (2^K energies an example)"},
    EBM_TEST_LIMIT(classify_options, limits, "0"),
    EBM_OPTIONS_END,
};

static const ebm_metric classify_metrics[] = {
    {"accuracy", "", false, "share of test examples whose most probable label given the rest is theirs"},
    {"chance", "", false, "share of the most frequent label: what can be had without looking"},
    {"margin", "", false, "accuracy less chance"},
    {"label_loglik", "nats", false, "mean log P(label | rest) among proper labels"},
    {"label_sum_error", "", false, "largest |sum over labels of P(label | rest) - 1|"},
    {"label_mass", "", false, "mean probability, given the rest, that just one label unit is up"},
    EBM_METRICS_END,
};

enum { MOST_LABEL_UNITS = 10 }; /* whose 2^K settings are all summed */

typedef struct classification {
    const ebm_model *model;
    size_t K, settings; /* settings: 2^K, or 0 where there are too many */
    ebm_batch batch;    /* (K + settings): one example with every label */
    double *energy;     /* (K + settings) */
} classification;

static ebm_real down_of(const ebm_model *model) {
    return model->space.domain == EBM_SPIN ? -1 : 0;
}

static ebm_status take(const ebm_model *model, size_t K, bool mass, classification *c, ebm_work *work,
                       ebm_error *error) {
    *c = (classification){.model = model, .K = K, .settings = mass && K <= MOST_LABEL_UNITS ? (size_t)1 << K : 0};
    c->energy = ebm_work_take(work, c->K + c->settings, sizeof *c->energy);
    if (!c->energy)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu labels", K);
    return ebm_batch_create(model, c->K + c->settings, &c->batch, error);
}

/* Energies of one example x (V) with each label, then with each setting of the label units. */
static ebm_status label_energies(classification *c, const ebm_real *x, size_t example, ebm_work *work,
                                 ebm_error *error) {
    const size_t V = c->model->space.size, rest = V - c->K;
    const ebm_real down = down_of(c->model);
    for (size_t r = 0; r < c->batch.count; r++) {
        ebm_real *row = c->batch.x + r * V;
        const size_t setting = r < c->K ? 0 : r - c->K;
        memcpy(row, x, rest * sizeof *row);
        for (size_t k = 0; k < c->K; k++)
            row[rest + k] = (r < c->K ? k == r : setting >> k & 1u) ? 1 : down;
    }
    c->batch.field_ok = c->batch.hidden_ok = false;
    ebm_model_field(c->model, &c->batch, work);
    c->model->type->energy(c->model, ebm_path_end(), &c->batch, c->energy, work);
    for (size_t r = 0; r < c->batch.count; r++) {
        c->energy[r] = -c->energy[r];
        if (!isfinite(c->energy[r]))
            return ebm_fail(error, EBM_DIVERGED, "the energy of example %zu with a label is not finite", example);
    }
    return EBM_OK;
}

/* The class that the label units of x name; K where they are no proper label. */
static size_t label_of(const classification *c, const ebm_real *x) {
    const ebm_real *units = x + c->model->space.size - c->K;
    size_t label = c->K, up = 0;
    for (size_t k = 0; k < c->K; k++)
        if (units[k] > 0) {
            label = k;
            up++;
        }
    return up == 1 ? label : c->K;
}

typedef struct classify_sums {
    double *right, *loglik, *mass; /* (examples) */
    double sum_error;
    double *frequency; /* (K) */
} classify_sums;

static ebm_status classify_example(classification *c, const ebm_real *x, size_t e, classify_sums *s, ebm_work *work,
                                   ebm_error *error) {
    const size_t label = label_of(c, x);
    size_t best = 0;
    double sum = 0;
    if (label == c->K)
        return ebm_fail(error, EBM_INVALID, "the last %zu units of example %zu are no label: just one must be up", c->K,
                        e);
    EBM_TRY(label_energies(c, x, e, work, error));
    const double total = ebm_log_sum_exp(c->energy, c->K);
    for (size_t k = 0; k < c->K; k++) {
        best = c->energy[k] > c->energy[best] ? k : best;
        sum += exp(c->energy[k] - total);
    }
    s->frequency[label]++;
    s->right[e] = best == label;
    s->loglik[e] = c->energy[label] - total;
    s->mass[e] = c->settings ? exp(total - ebm_log_sum_exp(c->energy + c->K, c->settings)) : NAN;
    s->sum_error = fmax(s->sum_error, fabs(sum - 1));
    return EBM_OK;
}

static ebm_status emit(const classification *c, const classify_sums *s, size_t count, ebm_sink *sink,
                       ebm_error *error) {
    const ebm_mean_value right = ebm_mean_of(s->right, count), loglik = ebm_mean_of(s->loglik, count);
    double chance = 0;
    for (size_t k = 0; k < c->K; k++)
        chance = fmax(chance, s->frequency[k] / (double)count);
    EBM_TRY(sink->emit(sink, "accuracy", right.mean, right.se, error));
    EBM_TRY(sink->emit(sink, "chance", chance, NAN, error));
    EBM_TRY(sink->emit(sink, "margin", right.mean - chance, right.se, error));
    EBM_TRY(sink->emit(sink, "label_loglik", loglik.mean, loglik.se, error));
    EBM_TRY(sink->emit(sink, "label_sum_error", s->sum_error, NAN, error));
    return c->settings ? sink->emit(sink, "label_mass", ebm_mean(s->mass, count), NAN, error) : EBM_OK;
}

static ebm_status classify_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                    ebm_error *error) {
    const classify_options *o = options;
    const ebm_dataset *data = in->data;
    const size_t K = o->classes ? (size_t)o->classes : data->classes, V = in->model->space.size;
    const size_t count = ebm_limited(data->test.count, o->limits.test_examples), mark = ebm_work_mark(in->work);
    if (!ebm_space_equal(&in->model->space, &data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    if (in->model->space.domain != EBM_BINARY && in->model->space.domain != EBM_SPIN)
        return ebm_fail(error, EBM_UNSUPPORTED, "classify is for two-valued units");
    if (K == 0 || count == 0)
        return EBM_OK;
    if (K == 1 || K >= V)
        return ebm_fail(error, EBM_INVALID, "%zu of %zu units cannot be the label", K, V);
    classification c;
    classify_sums s = {.right = ebm_work_take(in->work, 3 * count, sizeof(double)),
                       .frequency = ebm_work_take(in->work, K, sizeof(double))};
    ebm_real *x = ebm_work_take(in->work, V, sizeof *x);
    ebm_status status = s.right && s.frequency && x
                            ? take(in->model, K, o->mass, &c, in->work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory to classify %zu examples", count);
    if (status == EBM_OK) {
        s.loglik = s.right + count;
        s.mass = s.loglik + count;
        memset(s.frequency, 0, K * sizeof *s.frequency);
        for (size_t e = 0; e < count && status == EBM_OK; e++) {
            ebm_examples_fixed(data, &data->test, e, 1, x);
            status = classify_example(&c, x, e, &s, in->work, error);
        }
        ebm_batch_free(&c.batch);
    }
    if (status == EBM_OK)
        status = emit(&c, &s, count, sink, error);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_classify = {
    .info = {"classify", "exact P(label | rest) of a model whose last units are the label: accuracy and its margin",
             "Larochelle & Bengio 2008, section 2", classify_table, sizeof(classify_options)},
    .needs_data = true,
    .metrics = classify_metrics,
    .estimate = classify_estimate,
};
