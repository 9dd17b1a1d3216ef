/* log Z and log-likelihoods by annealed importance sampling, with the other side of the bracket by reverse annealing
 * (the mathematics and the citations are in annealing.c).
 *
 * Forward annealing is low on average, so a log-likelihood from it flatters the model; reverse annealing from exact
 * draws is high on average. Where the draws come from long chains instead, the reverse side is a bound only as far as
 * those chains have mixed.
 *
 * Standard errors: of log Z by the delta method over the weights; of a log-likelihood the root of the sum of squares of
 * that and of the s.e. of the mean energy over examples (none of the latter for training examples: they are the
 * objective itself). */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"

#include <math.h>

typedef struct ais_options {
    int64_t temperatures, chains, block;
    int schedule, base;
    double pseudo_count;
    bool reverse;
    int reverse_start, reverse_half;
    int64_t reverse_sweeps;
    ebm_example_limits limits;
} ais_options;

static const char *const schedules[] = {"linear", "piecewise", "sigmoid", NULL}; /* in the order of ebm_schedule */
static const char *const bases[] = {"data", "uniform", NULL};
static const char *const origins[] = {"auto", "exact", "data", "base", NULL}; /* in the order of ebm_ais_origin */
static const char *const halves[] = {"test", "train", NULL};

#define AT(member) EBM_OFFSET(ais_options, member)
static const ebm_option ais_table[] = {
    {"temperatures", EBM_OPTION_INT, AT(temperatures), "1000", 1, 1e9, NULL, 0,
     "steps of the inverse temperature from 0 to 1"},
    {"chains", EBM_OPTION_INT, AT(chains), "100", 1, 4294967295.0, NULL, 0, "independent walks, each way"},
    {"schedule", EBM_OPTION_CHOICE, AT(schedule), "linear", 0, 0, schedules, 0,
     "where the temperatures lie; piecewise: 500 : 4000 : 10,000 of 14,500 up to 0.5, 0.9 and 1"},
    {"base", EBM_OPTION_CHOICE, AT(base), "data", 0, 0, bases, 0,
     "start of the path: independent units with the training data's means, or uniform; uniform where there are no "
     "data"},
    {"pseudo_count", EBM_OPTION_REAL, AT(pseudo_count), "1", 1e-9, 1e12, NULL, 0,
     "uniform examples added to the training data when the base is fitted"},
    {"block", EBM_OPTION_INT, AT(block), "1000", 1, 1e6, NULL, 0, "chains annealed together: bounds the memory"},
    {"reverse", EBM_OPTION_BOOL, AT(reverse), "true", 0, 0, NULL, 0,
     "also anneal backwards, for the other side of the bracket; doubles the cost"},
    {"reverse_start", EBM_OPTION_CHOICE, AT(reverse_start), "auto", 0, 0, origins, 0,
     "draws of the model that reverse annealing starts from: exact (a layer of at most 20 units, or 2^16 visible "
     "states), or chains from data "
     "or from the base; auto: the first of these that can be"},
    {"reverse_half", EBM_OPTION_CHOICE, AT(reverse_half), "test", 0, 0, halves, 0,
     "the half of the data that chains start from; train where there are no test examples"},
    {"reverse_sweeps", EBM_OPTION_INT, AT(reverse_sweeps), "1000", 0, 1e9, NULL, 0,
     "sweeps of block Gibbs from the start's data or base to the draws used"},
    EBM_TRAIN_LIMIT(ais_options, limits, "10000"),
    EBM_TEST_LIMIT(ais_options, limits, "0"),
    EBM_OPTIONS_END,
};

static const ebm_metric ais_metrics[] = {
    {"log_z_base", "nats", false, "log normaliser of the path's start"},
    {"log_z_ais", "nats", true, "log normaliser by annealed importance sampling; s.e. by the delta method"},
    {"log_z_ais_low", "nats", true, "log of the mean weight less 3 s.e.; empty where that is not positive"},
    {"log_z_ais_high", "nats", true, "log of the mean weight plus 3 s.e."},
    {"ais_ess", "chains", true, "effective sample size of the weights: (sum w)^2 / sum w^2"},
    {"ais_log_weight_sd", "nats", true, "standard deviation of the log-weights"},
    {"log_z_reverse", "nats", true, "log normaliser by reverse annealing, high on average; s.e. by the delta method"},
    {"bracket_width", "nats", true, "log_z_reverse - log_z_ais; s.e. of both together"},
    {"loglik_train_ais", "nats", true, "mean log-likelihood of training examples; s.e. of log_z_ais"},
    {"loglik_test_ais", "nats", true, "mean log-likelihood of test examples; s.e. of log_z_ais and over examples"},
    {"loglik_test_reverse", "nats", true, "the same with log_z_reverse: low on average"},
    EBM_METRICS_END,
};

/* Both annealings of one estimate. */
typedef struct bracket {
    ebm_ais_summary forward, reverse;
    bool have_reverse;
} bracket;

static ebm_status run_forward(const ebm_estimate_inputs *in, const ebm_base *base, ebm_ais_settings settings,
                              double log_z_base, double *log_weight, ebm_ais_summary *out, ebm_error *error) {
    settings.stream = ebm_stream_of(in->seed, EBM_PURPOSE_AIS);
    EBM_TRY(ebm_ais_forward(in->model, base, &settings, log_weight, in->work, error));
    return ebm_ais_summarise(log_z_base, log_weight, settings.chains, false, out, in->work, error);
}

static ebm_status run_reverse(const ais_options *o, const ebm_estimate_inputs *in, const ebm_base *base,
                              ebm_ais_settings settings, double log_z_base, double *log_weight, ebm_ais_summary *out,
                              ebm_error *error) {
    ebm_ais_start start = {.origin = (ebm_ais_origin)o->reverse_start, .sweeps = (size_t)o->reverse_sweeps};
    if (in->data) {
        start.data = in->data;
        start.half = o->reverse_half == 0 && in->data->test.count > 0 ? &in->data->test : &in->data->train;
    }
    settings.stream = ebm_stream_of(in->seed, EBM_PURPOSE_REVERSE_AIS);
    EBM_TRY(ebm_ais_reverse(in->model, base, &settings, &start, log_weight, in->work, error));
    return ebm_ais_summarise(log_z_base, log_weight, settings.chains, true, out, in->work, error);
}

static ebm_status anneal_both(const ais_options *o, const ebm_estimate_inputs *in, const ebm_base *base,
                              double log_z_base, bracket *out, ebm_error *error) {
    const ebm_ais_settings settings = {
        .schedule = (ebm_schedule)o->schedule,
        .temperatures = (size_t)o->temperatures,
        .chains = (size_t)o->chains,
        .block = (size_t)o->block,
        .step = ebm_estimate_step(in),
    };
    const size_t mark = ebm_work_mark(in->work);
    double *log_weight = ebm_work_take(in->work, settings.chains, sizeof *log_weight);
    if (log_weight == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the log-weights of %zu chains", settings.chains);
    ebm_status status = run_forward(in, base, settings, log_z_base, log_weight, &out->forward, error);
    out->have_reverse = o->reverse;
    if (status == EBM_OK && o->reverse)
        status = run_reverse(o, in, base, settings, log_z_base, log_weight, &out->reverse, error);
    ebm_work_release(in->work, mark);
    return status;
}

static double finite_or_nan(double value) {
    return isfinite(value) ? value : NAN;
}

static ebm_status emit_normalisers(double log_z_base, const bracket *b, ebm_sink *sink, ebm_error *error) {
    const ebm_ais_summary *f = &b->forward, *r = &b->reverse;
    EBM_TRY(sink->emit(sink, "log_z_base", log_z_base, NAN, error));
    EBM_TRY(sink->emit(sink, "log_z_ais", f->log_z, f->se, error));
    EBM_TRY(sink->emit(sink, "log_z_ais_low", finite_or_nan(f->low), NAN, error));
    EBM_TRY(sink->emit(sink, "log_z_ais_high", finite_or_nan(f->high), NAN, error));
    EBM_TRY(sink->emit(sink, "ais_ess", f->ess, NAN, error));
    EBM_TRY(sink->emit(sink, "ais_log_weight_sd", f->log_weight_sd, NAN, error));
    if (!b->have_reverse)
        return EBM_OK;
    EBM_TRY(sink->emit(sink, "log_z_reverse", r->log_z, r->se, error));
    return sink->emit(sink, "bracket_width", r->log_z - f->log_z, hypot(r->se, f->se), error);
}

static ebm_status emit_likelihoods(const ais_options *o, const ebm_estimate_inputs *in, const bracket *b,
                                   ebm_sink *sink, ebm_error *error) {
    const ebm_dataset *data = in->data;
    const ebm_ais_summary *f = &b->forward, *r = &b->reverse;
    ebm_mean_value energy;
    if (data->train.count > 0) {
        EBM_TRY(ebm_examples_mean_energy(in->model, data, &data->train, (size_t)o->limits.train_examples, &energy,
                                         in->work, error));
        EBM_TRY(sink->emit(sink, "loglik_train_ais", -energy.mean - f->log_z, f->se, error));
    }
    if (data->test.count == 0)
        return EBM_OK;
    EBM_TRY(ebm_examples_mean_energy(in->model, data, &data->test, (size_t)o->limits.test_examples, &energy, in->work,
                                     error));
    EBM_TRY(sink->emit(sink, "loglik_test_ais", -energy.mean - f->log_z, hypot(energy.se, f->se), error));
    if (!b->have_reverse)
        return EBM_OK;
    return sink->emit(sink, "loglik_test_reverse", -energy.mean - r->log_z, hypot(energy.se, r->se), error);
}

static ebm_status ais_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    const ais_options *o = options;
    ebm_base base;
    bracket b;
    EBM_TRY(ebm_base_fit(&in->model->space, o->base == 0 ? in->data : NULL, o->pseudo_count, &base, error));
    const double log_z_base = in->model->type->log_base_normaliser(in->model, &base);
    ebm_status status = anneal_both(o, in, &base, log_z_base, &b, error);
    ebm_base_free(&base);
    if (status == EBM_OK)
        status = emit_normalisers(log_z_base, &b, sink, error);
    if (status == EBM_OK && in->data)
        status = emit_likelihoods(o, in, &b, sink, error);
    return status;
}

const ebm_estimator_type ebm_ais = {
    .info = {"ais", "log Z and log-likelihoods by annealed importance sampling, bracketed by reverse annealing",
             "Neal 2001; Salakhutdinov & Murray 2008, sections 3-5; Burda, Grosse & Salakhutdinov 2015; Grosse, "
             "Ghahramani & Adams 2015",
             ais_table, sizeof(ais_options)},
    .needs = EBM_SLOT_BLOCK | EBM_SLOT_BASE,
    .needs_data = false,
    .metrics = ais_metrics,
    .estimate = ais_estimate,
};
