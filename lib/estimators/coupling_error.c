/* How well a machine's couplings are those of the one that its data were drawn from (data sets that know them):
 *
 *   coupling_error  gamma = sqrt(sum_(i<j) (J_ij - J*_ij)^2 / sum_(i<j) J*_ij^2)
 *   field_error     the same of the fields, where there are any
 *   projection      sum of all couplings and fields, each with a random sign that is the same for all machines of this size,
 *                   over the root of their number: machines with equal projections are equal
 * A 0/1 machine is taken as one of spins s = 2 x - 1: J_ij = w_ij / 4, h_i = b_i / 2 + sum_j w_ij / 4. */
#include "estimators/estimators.h"

#include <math.h>

typedef struct error_options {
    int64_t projections;
} error_options;

static const ebm_option error_table[] = {
    {"projections", EBM_OPTION_INT, EBM_OFFSET(error_options, projections), "0", 0, 1000, NULL, 0,
     "how many projections to give; the row's step is the number of the projection"},
    EBM_OPTIONS_END,
};

static const ebm_metric error_metrics[] = {
    {"coupling_error", "", true, "gamma: root of the squared error of the couplings over their own squares"},
    {"field_error", "", true, "the same of the fields; left out where the machine has none"},
    {"projection", "", true, "couplings and fields summed with random signs; row step: which"},
    EBM_METRICS_END,
};

enum { SIGNS = 1975 }; /* seed of the signs: the same for every case */

static double coupling_of(const ebm_model *model, const ebm_real *W, size_t i, size_t j) {
    return (double)W[i * model->space.size + j] * (model->space.domain == EBM_SPIN ? 1 : 0.25);
}

static double field_of(const ebm_model *model, const ebm_real *W, const ebm_real *bias, size_t i) {
    double h = (double)bias[i];
    if (model->space.domain == EBM_SPIN)
        return h;
    h *= 0.5;
    for (size_t j = 0; j < model->space.size; j++)
        h += j == i ? 0 : coupling_of(model, W, i, j);
    return h;
}

static ebm_status emit_projections(const ebm_estimate_inputs *in, const ebm_real *W, const ebm_real *bias, size_t count,
                                   ebm_sink *sink, ebm_error *error) {
    const size_t V = in->model->space.size, terms = V + V * (V - 1) / 2, mark = ebm_work_mark(in->work);
    uint32_t *words = ebm_work_take(in->work, terms, sizeof *words);
    if (!words)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu signs", terms);
    ebm_status status = EBM_OK;
    for (size_t p = 0; p < count && status == EBM_OK; p++) {
        ebm_random_words(ebm_stream_of(SIGNS, EBM_PURPOSE_ESTIMATE), (uint32_t)p, 0, terms, words);
        double total = 0;
        const uint32_t *word = words;
        for (size_t i = 0; i < V; i++)
            for (size_t j = i; j < V; j++) {
                const double term = i == j ? field_of(in->model, W, bias, i) : coupling_of(in->model, W, i, j);
                total += *word++ >> 31 ? term : -term;
            }
        sink->at(sink, p);
        status = sink->emit(sink, "projection", total / sqrt((double)terms), NAN, error);
    }
    sink->at(sink, in->step);
    ebm_work_release(in->work, mark);
    return status;
}

static ebm_status error_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    const error_options *o = options;
    const ebm_model *model = in->model;
    const size_t V = model->space.size;
    const ebm_real *W = ebm_model_view(model, "W"), *bias = ebm_model_view(model, "bias");
    if (!in->data->true_couplings || !in->data->true_fields)
        return ebm_fail(error, EBM_UNSUPPORTED, "data set %s does not know the couplings that it was drawn from",
                        in->data->type->info.name);
    if (!W || !bias || model->n_hidden > 0 || model->n_theta != V * V + V)
        return ebm_fail(error, EBM_UNSUPPORTED, "model %s has no couplings between all its units",
                        model->type->info.name);
    double apart = 0, size = 0, field_apart = 0, field_size = 0;
    for (size_t i = 0; i < V; i++) {
        const double h = in->data->true_fields[i];
        field_apart += pow(field_of(model, W, bias, i) - h, 2);
        field_size += h * h;
        for (size_t j = i + 1; j < V; j++) {
            const double J = in->data->true_couplings[i * V + j];
            apart += pow(coupling_of(model, W, i, j) - J, 2);
            size += J * J;
        }
    }
    if (size > 0)
        EBM_TRY(sink->emit(sink, "coupling_error", sqrt(apart / size), NAN, error));
    if (field_size > 0)
        EBM_TRY(sink->emit(sink, "field_error", sqrt(field_apart / field_size), NAN, error));
    return emit_projections(in, W, bias, (size_t)o->projections, sink, error);
}

const ebm_estimator_type ebm_coupling_error = {
    .info = {"coupling-error", "error of the couplings against those of the machine that the data are draws of",
             "Roudi, Tyrcha & Hertz 2009", error_table, sizeof(error_options)},
    .needs_data = true,
    .metrics = error_metrics,
    .estimate = error_estimate,
};
