/* Multinomial logistic regression from the units of an example to its label: what a classifier is to be compared with.
 *
 *   P(c | x) = exp(a_c + sum_i W_ic x_i) / sum_l exp(a_l + sum_i W_il x_i)
 *   W, a = arg min  -mean_b log P(c_b | x_b) + (lambda / 2) sum W^2,
 *
 * convex, by L-BFGS from 0, on the training half in its fixed binarisation. Where the model's last units are the label, as
 * for `classify`, they are left out of x. The model itself plays no part. Rows of mostly zeros cost what is not 0. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"
#include "ebm/special.h"

#include <lbfgs.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct logistic_options {
    int64_t label_units, iterations;
    double weight_decay;
    ebm_example_limits limits;
} logistic_options;

static const ebm_option logistic_table[] = {
    {"label_units", EBM_OPTION_INT, EBM_OFFSET(logistic_options, label_units), "-1", -1, 1000, NULL, 0,
     "so many of the last units are left out; -1: as many as there are classes"},
    {"iterations", EBM_OPTION_INT, EBM_OFFSET(logistic_options, iterations), "500", 1, 1e6, NULL, 0,
     "L-BFGS iterations at most"},
    {"weight_decay", EBM_OPTION_REAL, EBM_OFFSET(logistic_options, weight_decay), "0.001", 0, 1e6, NULL, 0, "lambda"},
    EBM_TRAIN_LIMIT(logistic_options, limits, "0"),
    EBM_TEST_LIMIT(logistic_options, limits, "0"),
    EBM_OPTIONS_END,
};

static const ebm_metric logistic_metrics[] = {
    {"logistic_accuracy", "", false, "share of test examples whose most probable label is theirs"},
    {"logistic_accuracy_train", "", false, "the same of training examples"},
    {"logistic_loglik", "nats", false, "mean log P(label | x) of test examples"},
    {"logistic_gradient", "", false, "largest |gradient| where L-BFGS stopped"},
    EBM_METRICS_END,
};

typedef struct regression {
    const ebm_dataset *data;
    size_t V, D, K, count; /* D = V - label units inputs; count training examples */
    double decay;
    double *logit; /* (K) */
    ebm_real *x;   /* (V) */
} regression;

/* log P(c | x) of all classes into r->logit; theta (D + 1, K), the last row a. */
static void classify_row(regression *r, const double *theta) {
    memcpy(r->logit, theta + r->D * r->K, r->K * sizeof *r->logit);
    for (size_t i = 0; i < r->D; i++)
        for (size_t k = 0; r->x[i] != 0 && k < r->K; k++)
            r->logit[k] += theta[i * r->K + k] * (double)r->x[i];
    const double total = ebm_log_sum_exp(r->logit, r->K);
    for (size_t k = 0; k < r->K; k++)
        r->logit[k] -= total;
}

static lbfgsfloatval_t evaluate(void *instance, const lbfgsfloatval_t *theta, lbfgsfloatval_t *gradient, const int n,
                                const lbfgsfloatval_t step) {
    regression *r = instance;
    const size_t D = r->D, K = r->K;
    const double each = 1.0 / (double)r->count;
    double value = 0;
    (void)step;
    for (int k = 0; k < n; k++)
        gradient[k] = 0;
    for (size_t b = 0; b < r->count; b++) {
        ebm_examples_fixed(r->data, &r->data->train, b, 1, r->x);
        classify_row(r, theta);
        const size_t label = (size_t)r->data->train.labels[b];
        value -= r->logit[label] * each;
        for (size_t k = 0; k < K; k++)
            r->logit[k] = (exp(r->logit[k]) - (k == label)) * each;
        for (size_t i = 0; i < D; i++)
            for (size_t k = 0; r->x[i] != 0 && k < K; k++)
                gradient[i * K + k] += r->logit[k] * (double)r->x[i];
        for (size_t k = 0; k < K; k++)
            gradient[D * K + k] += r->logit[k];
    }
    for (size_t k = 0; k < D * K; k++) {
        value += 0.5 * r->decay * theta[k] * theta[k];
        gradient[k] += r->decay * theta[k];
    }
    return value;
}

static double largest_gradient(regression *r, const lbfgsfloatval_t *theta, lbfgsfloatval_t *gradient) {
    const size_t n = (r->D + 1) * r->K;
    double largest = 0;
    evaluate(r, theta, gradient, (int)n, 0);
    for (size_t k = 0; k < n; k++)
        largest = fmax(largest, fabs(gradient[k]));
    return largest;
}

/* right, loglik (count): of each example of a half. */
static void judge(regression *r, const double *theta, const ebm_examples *half, size_t count, double *right,
                  double *loglik) {
    for (size_t b = 0; b < count; b++) {
        size_t best = 0;
        ebm_examples_fixed(r->data, half, b, 1, r->x);
        classify_row(r, theta);
        for (size_t k = 1; k < r->K; k++)
            best = r->logit[k] > r->logit[best] ? k : best;
        right[b] = best == (size_t)half->labels[b];
        loglik[b] = r->logit[half->labels[b]];
    }
}

static ebm_status report(regression *r, const double *theta, size_t test, double largest, double *right, double *loglik,
                         ebm_sink *sink, ebm_error *error) {
    if (!isfinite(largest))
        return ebm_fail(error, EBM_DIVERGED, "logistic regression did not converge: its gradient is not finite");
    judge(r, theta, &r->data->test, test, right, loglik);
    const ebm_mean_value accuracy = ebm_mean_of(right, test), likelihood = ebm_mean_of(loglik, test);
    EBM_TRY(sink->emit(sink, "logistic_accuracy", accuracy.mean, accuracy.se, error));
    EBM_TRY(sink->emit(sink, "logistic_loglik", likelihood.mean, likelihood.se, error));
    judge(r, theta, &r->data->train, r->count, right, loglik);
    EBM_TRY(sink->emit(sink, "logistic_accuracy_train", ebm_mean(right, r->count), NAN, error));
    return sink->emit(sink, "logistic_gradient", largest, NAN, error);
}

static ebm_status fit(regression *r, const logistic_options *o, size_t test, ebm_sink *sink, ebm_work *work,
                      ebm_error *error) {
    const size_t n = (r->D + 1) * r->K, most = r->count > test ? r->count : test;
    lbfgs_parameter_t parameters;
    lbfgs_parameter_init(&parameters);
    parameters.max_iterations = (int)o->iterations;
    parameters.epsilon = 1e-5;
    double *right = ebm_work_take(work, 2 * most, sizeof *right);
    lbfgsfloatval_t *theta = lbfgs_malloc((int)n), *gradient = lbfgs_malloc((int)n);
    ebm_status status = right && theta && gradient
                            ? EBM_OK
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for logistic regression on %zu weights", n);
    if (status == EBM_OK) {
        memset(theta, 0, n * sizeof *theta);
        lbfgs((int)n, theta, NULL, evaluate, NULL, r, &parameters);
        status = report(r, theta, test, largest_gradient(r, theta, gradient), right, right + most, sink, error);
    }
    if (theta)
        lbfgs_free(theta);
    if (gradient)
        lbfgs_free(gradient);
    return status;
}

static ebm_status logistic_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                    ebm_error *error) {
    const logistic_options *o = options;
    const ebm_dataset *data = in->data;
    const size_t V = data->space.size, K = data->classes;
    const size_t left_out = o->label_units < 0 ? K : (size_t)o->label_units, mark = ebm_work_mark(in->work);
    const size_t test = ebm_limited(data->test.count, o->limits.test_examples);
    if (data->space.domain == EBM_CATEGORICAL)
        return ebm_fail(error, EBM_UNSUPPORTED, "logistic regression is for units of two values or reals");
    if (K < 2 || test == 0 || data->train.count == 0)
        return EBM_OK;
    if (left_out >= V || (V - left_out + 1) * K > 1u << 28)
        return ebm_fail(error, EBM_INVALID, "%zu units less %zu labels: nothing to classify by, or too much", V,
                        left_out);
    regression r = {.data = data,
                    .V = V,
                    .D = V - left_out,
                    .K = K,
                    .count = ebm_limited(data->train.count, o->limits.train_examples),
                    .decay = o->weight_decay,
                    .logit = ebm_work_take(in->work, K, sizeof *r.logit),
                    .x = ebm_work_take(in->work, V, sizeof *r.x)};
    const ebm_status status = r.logit && r.x ? fit(&r, o, test, sink, in->work, error)
                                             : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu units", V);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_logistic_regression = {
    .info = {"logistic-regression", "labels by multinomial logistic regression on the training half, for comparison",
             "D. R. Cox, J. R. Stat. Soc. B 20 (1958) 215-242; L-BFGS: Liu & Nocedal 1989", logistic_table,
             sizeof(logistic_options)},
    .needs_data = true,
    .metrics = logistic_metrics,
    .estimate = logistic_estimate,
};
