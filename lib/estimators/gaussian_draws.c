/* Draws of N(0, Sigma) by Cholesky's factor, x = L z with Sigma = L L^T, as the model `gaussian` makes them, at many seeds.
 *
 *   quadratic   x^T Sigma^-1 x follows the law chi^2 of V degrees of freedom: this looks at all of Sigma at once
 *   marginal    x_i ~ N(0, Sigma_ii), of unit (seed mod V): every unit has its turn
 * Both by Kolmogorov-Smirnov against the exact laws. */
#include "estimators/estimators.h"
#include "estimators/goodness.h"

#include "ebm/diagnostics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct gaussian_options {
    int64_t units;
    int covariance;
    double condition, correlation;
    ebm_goodness_size size;
} gaussian_options;

static const char *const covariance_names[] = {"identity",       "diagonal", "equicorrelated",
                                               "autoregressive", "random",   NULL};

static const ebm_option gaussian_table[] = {
    {"units", EBM_OPTION_INT, EBM_OFFSET(gaussian_options, units), "10", 1, 1000, NULL, 0, "V, the dimension"},
    {"covariance", EBM_OPTION_CHOICE, EBM_OFFSET(gaussian_options, covariance), "random", 0, 0, covariance_names, 0,
     "Sigma, as of the model `gaussian`"},
    {"condition", EBM_OPTION_REAL, EBM_OFFSET(gaussian_options, condition), "10", 1, 1e8, NULL, 0,
     "diagonal and random: largest variance over smallest"},
    {"correlation", EBM_OPTION_REAL, EBM_OFFSET(gaussian_options, correlation), "0.5", -1, 1, NULL, 0,
     "equicorrelated and autoregressive: rho, of neighbours"},
    EBM_GOODNESS_OPTIONS(gaussian_options, size, "20000"),
    EBM_OPTIONS_END,
};

static const ebm_metric gaussian_metrics[] = {
    EBM_GOODNESS_METRICS("quadratic", "Kolmogorov-Smirnov of x^T Sigma^-1 x against chi^2 of V degrees"),
    EBM_GOODNESS_METRICS("marginal", "Kolmogorov-Smirnov of single units"),
    {"p_value", "", true, "p values of the quadratic form, ascending; step: their rank"},
    EBM_METRICS_END,
};

static ebm_status set(const ebm_model_type *type, void *options, const char *name, double value, ebm_error *error) {
    char text[32];
    snprintf(text, sizeof text, "%.17g", value);
    return ebm_options_set(type->info.options, options, name, text, NULL, error);
}

static ebm_status make_model(const gaussian_options *o, uint32_t seed, ebm_model *model, ebm_error *error) {
    const ebm_model_type *type = &ebm_gaussian;
    void *options = calloc(1, type->info.options_size);
    if (options == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for options");
    ebm_status status = ebm_options_default(type->info.options, options, type->info.options_size, error);
    if (status == EBM_OK)
        status =
            ebm_options_set(type->info.options, options, "covariance", covariance_names[o->covariance], NULL, error);
    if (status == EBM_OK)
        status = set(type, options, "units", (double)o->units, error);
    if (status == EBM_OK)
        status = set(type, options, "condition", o->condition, error);
    if (status == EBM_OK)
        status = set(type, options, "correlation", o->correlation, error);
    if (status == EBM_OK)
        status = ebm_model_create(type, options, NULL, NULL, seed, model, error);
    ebm_options_clear(type->info.options, options);
    free(options);
    return status;
}

typedef struct gaussian_trial {
    const ebm_estimate_inputs *in;
    const ebm_model *model;
    size_t draws;
    ebm_batch batch;              /* (draws, V) */
    double *energy, *value, *cdf; /* (draws) each */
    double *quadratic, *marginal; /* (seeds): p values */
} gaussian_trial;

static ebm_status try_seed(gaussian_trial *t, size_t seed, ebm_error *error) {
    const ebm_model_type *type = t->model->type;
    const size_t V = t->model->space.size, unit = seed % V;
    const ebm_path path = ebm_path_end();
    ebm_work *work = t->in->work;
    ebm_kolmogorov ks;
    EBM_TRY(type->sample_exact(t->model, path, &t->batch,
                               ebm_stream_of(t->in->seed + (uint32_t)seed, EBM_PURPOSE_ESTIMATE), 0,
                               ebm_estimate_step(t->in), work, error));
    type->energy(t->model, path, &t->batch, t->energy, work);
    for (size_t b = 0; b < t->draws; b++) {
        t->cdf[b] = fmin(fmax(1 - ebm_chi_square_tail(2 * t->energy[b], (double)V), 0), 1);
        t->value[b] = (double)t->batch.x[b * V + unit];
    }
    EBM_TRY(ebm_kolmogorov_test(t->cdf, t->draws, &ks, work, error));
    t->quadratic[seed] = ks.p_value;
    EBM_TRY(type->marginal_cdf(t->model, path, unit, t->value, t->draws, t->cdf, work, error));
    EBM_TRY(ebm_kolmogorov_test(t->cdf, t->draws, &ks, work, error));
    t->marginal[seed] = ks.p_value;
    return EBM_OK;
}

static ebm_status try_all(gaussian_trial *t, size_t seeds, ebm_sink *sink, ebm_error *error) {
    ebm_work *work = t->in->work;
    t->energy = ebm_work_take(work, t->draws, sizeof *t->energy);
    t->value = ebm_work_take(work, t->draws, sizeof *t->value);
    t->cdf = ebm_work_take(work, t->draws, sizeof *t->cdf);
    t->quadratic = ebm_work_take(work, seeds, sizeof *t->quadratic);
    t->marginal = ebm_work_take(work, seeds, sizeof *t->marginal);
    if (!t->energy || !t->value || !t->cdf || !t->quadratic || !t->marginal)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu draws", t->draws);
    for (size_t k = 0; k < seeds; k++)
        EBM_TRY(try_seed(t, k, error));
    EBM_TRY(ebm_goodness_emit("quadratic", t->quadratic, seeds, sink, work, error));
    EBM_TRY(ebm_goodness_emit("marginal", t->marginal, seeds, sink, work, error));
    return ebm_goodness_curve("p_value", t->quadratic, seeds, sink, error);
}

static ebm_status gaussian_estimate(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink,
                                    ebm_error *error) {
    const gaussian_options *o = options;
    const size_t mark = ebm_work_mark(inputs->work);
    ebm_model model = {.type = NULL};
    EBM_TRY(make_model(o, inputs->seed, &model, error));
    gaussian_trial t = {.in = inputs, .model = &model, .draws = (size_t)o->size.draws};
    ebm_status status = ebm_batch_create(&model, t.draws, &t.batch, error);
    if (status == EBM_OK) {
        status = try_all(&t, (size_t)o->size.seeds, sink, error);
        ebm_batch_free(&t.batch);
    }
    ebm_model_free(&model);
    ebm_work_release(inputs->work, mark);
    return status;
}

const ebm_estimator_type ebm_gaussian_draws = {
    .info = {"gaussian-draws", "draws of a multivariate normal law by Cholesky's factor, at many seeds",
             "Kolmogorov 1933; Marsaglia, Tsang & Wang 2003", gaussian_table, sizeof(gaussian_options)},
    .without_model = true,
    .metrics = gaussian_metrics,
    .estimate = gaussian_estimate,
};
