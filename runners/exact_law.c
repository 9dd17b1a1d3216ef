/* Exact values beside those that a sampler gives (see exact_law.h). */
#include "exact_law.h"

#include "ebm/diagnostics.h"
#include "ebm/enumerate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ebm_status ebm_exact_law_create(const ebm_model *model, ebm_path path, size_t limit, ebm_exact_law *out, ebm_work *work,
                                ebm_error *error) {
    const size_t states = ebm_states_count(&model->space);
    *out = (ebm_exact_law){.model = model, .path = path};
    if (states == 0 || states > limit || states > EBM_MAX_STATES)
        return EBM_OK;
    out->log_p = ebm_alloc(states, sizeof *out->log_p);
    if (!out->log_p)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", states);
    out->states = states;
    ebm_status status = ebm_model_log_probabilities(model, path, out->log_p, NULL, work, error);
    if (status != EBM_OK)
        ebm_exact_law_free(out);
    return status;
}

void ebm_exact_law_free(ebm_exact_law *law) {
    free(law->log_p);
    *law = (ebm_exact_law){0};
}

/* Mean and variance over the list. */
static ebm_status listed_moments(const ebm_exact_law *law, const ebm_observable *observable, double *mean,
                                 double *variance, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    double *f = ebm_work_take(work, law->states, sizeof *f);
    if (!f)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", law->states);
    ebm_status status = ebm_observable_list(observable, law->model, f, work, error);
    *mean = *variance = 0;
    for (size_t s = 0; s < law->states && status == EBM_OK; s++)
        *mean += exp(law->log_p[s]) * f[s];
    for (size_t s = 0; s < law->states && status == EBM_OK; s++)
        *variance += exp(law->log_p[s]) * (f[s] - *mean) * (f[s] - *mean);
    ebm_work_release(work, mark);
    return status;
}

/* The model's formula; *known = false where it has none. */
static ebm_status formula(const ebm_exact_law *law, const char *name, double *out, bool *known, ebm_work *work,
                          ebm_error *error) {
    const ebm_model *model = law->model;
    ebm_status status =
        model->type->exact_mean ? model->type->exact_mean(model, law->path, name, out, work, error) : EBM_UNSUPPORTED;
    *known = status == EBM_OK;
    return status == EBM_UNSUPPORTED ? EBM_OK : status;
}

static ebm_status emit(ebm_sink *sink, const char *name, const char *what, double value, ebm_error *error) {
    char metric[80];
    snprintf(metric, sizeof metric, "%s%s", name, what);
    return sink->emit(sink, metric, value, NAN, error);
}

static ebm_status report_mean(const ebm_exact_law *law, const ebm_observable *observable, ebm_sink *sink,
                              ebm_work *work, ebm_error *error) {
    double mean = 0, variance;
    bool known;
    EBM_TRY(formula(law, observable->name, &mean, &known, work, error));
    if (!known && law->states == 0)
        return EBM_OK;
    if (!known)
        EBM_TRY(listed_moments(law, observable, &mean, &variance, work, error));
    return emit(sink, observable->name, "_exact", mean, error);
}

static ebm_status report_specific_heat(const ebm_exact_law *law, ebm_sink *sink, ebm_work *work, ebm_error *error) {
    const double units = (double)law->model->space.size, beta = law->path.beta;
    double per_unit = 0, mean, variance = 0;
    bool known;
    EBM_TRY(formula(law, "energy_variance", &per_unit, &known, work, error));
    if (!known && law->states == 0)
        return EBM_OK;
    if (!known) {
        EBM_TRY(listed_moments(law, ebm_observable_find("energy"), &mean, &variance, work, error));
        per_unit = units * variance;
    }
    return emit(sink, "specific_heat", "_exact", beta * beta * per_unit, error);
}

ebm_status ebm_exact_law_report(const ebm_exact_law *law, ebm_sink *sink, ebm_work *work, ebm_error *error) {
    static const char *const infinite[] = {"energy_infinite", "abs_magnetisation_infinite", "specific_heat_infinite"};
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++)
        if (ebm_observable_applies(ebm_observable_at(i), &law->model->space))
            EBM_TRY(report_mean(law, ebm_observable_at(i), sink, work, error));
    if (law->model->n_hidden == 0)
        EBM_TRY(report_specific_heat(law, sink, work, error));
    for (size_t i = 0; i < sizeof infinite / sizeof *infinite; i++) {
        double value = 0;
        bool known;
        EBM_TRY(formula(law, infinite[i], &value, &known, work, error));
        if (known)
            EBM_TRY(emit(sink, infinite[i], "", value, error));
    }
    return EBM_OK;
}

/* The first state whose cumulative probability exceeds u times the total. */
static size_t state_at(const double *cumulative, size_t states, double u) {
    size_t low = 0, high = states - 1;
    const double level = u * cumulative[high];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (cumulative[middle] > level)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static ebm_status draw_from_list(const ebm_exact_law *law, ebm_batch *batch, ebm_stream stream, uint64_t step,
                                 ebm_work *work, ebm_error *error) {
    const size_t V = law->model->space.size, mark = ebm_work_mark(work);
    double *cumulative = ebm_work_take(work, law->states, sizeof *cumulative), sum = 0;
    if (!cumulative)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", law->states);
    for (size_t s = 0; s < law->states; s++)
        cumulative[s] = sum += exp(law->log_p[s]);
    for (size_t b = 0; b < batch->count; b++) {
        const double u = ebm_random_uniform1(stream, (uint32_t)b, step, 0);
        ebm_states_fill(&law->model->space, state_at(cumulative, law->states, u), 1, batch->x + b * V);
    }
    batch->field_ok = batch->hidden_ok = false;
    ebm_work_release(work, mark);
    return EBM_OK;
}

ebm_status ebm_exact_law_draw(const ebm_exact_law *law, ebm_batch *batch, ebm_stream stream, uint64_t step,
                              ebm_work *work, ebm_error *error) {
    const ebm_model *model = law->model;
    if (law->states > 0)
        return draw_from_list(law, batch, stream, step, work, error);
    if (model->type->sample_exact) {
        ebm_status status = model->type->sample_exact(model, law->path, batch, stream, 0, step, work, error);
        if (status != EBM_UNSUPPORTED)
            return status;
    }
    return ebm_fail(error, EBM_UNSUPPORTED,
                    "exact draws of model %s on %zu %s units cannot be had: it has no way of its own, and there are "
                    "more states than `exact_states`",
                    model->type->info.name, model->space.size, ebm_domain_name(model->space.domain));
}

ebm_status ebm_exact_law_chi_square(const ebm_exact_law *law, const ebm_real *x, size_t count, ebm_sink *sink,
                                    ebm_work *work, ebm_error *error) {
    enum { LEAST = 5 };
    const size_t V = law->model->space.size, mark = ebm_work_mark(work);
    ebm_chi_square result;
    if (law->states < 2)
        return EBM_OK;
    double *counts = ebm_work_take(work, law->states, sizeof *counts), *p = ebm_work_take(work, law->states, sizeof *p);
    if (!counts || !p)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", law->states);
    for (size_t s = 0; s < law->states; s++) {
        counts[s] = 0;
        p[s] = exp(law->log_p[s]);
    }
    for (size_t b = 0; b < count; b++)
        counts[ebm_states_code(&law->model->space, x + b * V)]++;
    ebm_status status = ebm_chi_square_test(counts, p, law->states, LEAST, &result, error);
    ebm_work_release(work, mark);
    if (status != EBM_OK || result.cells < 2)
        return status;
    return sink->emit(sink, "chi_square_p", result.p_value, NAN, error);
}

/* The states as numbers; categories one-hot, so that any two are equally far apart. */
static double *as_numbers(const ebm_space *space, const ebm_real *x, size_t count, size_t width, ebm_work *work) {
    double *out = ebm_work_take(work, count * width, sizeof *out);
    if (!out)
        return NULL;
    for (size_t k = 0; k < count * space->size; k++)
        if (space->domain != EBM_CATEGORICAL)
            out[k] = (double)x[k];
        else
            for (size_t c = 0; c < space->categories; c++)
                out[k * space->categories + c] = (double)x[k] == (double)c;
    return out;
}

/* How far apart two discrete states are that differ in one unit. */
static double one_unit_apart(const ebm_space *space) {
    return space->domain == EBM_SPIN ? 2 : space->domain == EBM_CATEGORICAL ? sqrt(2) : 1;
}

static ebm_status mmd_against(const ebm_space *space, const ebm_real *x, const ebm_real *y, size_t count,
                              ebm_sink *sink, ebm_work *work, ebm_error *error) {
    const size_t width = space->domain == EBM_CATEGORICAL ? space->size * space->categories : space->size;
    const double *left = as_numbers(space, x, count, width, work), *right = as_numbers(space, y, count, width, work);
    ebm_mmd mmd = {NAN, NAN, NAN};
    if (!left || !right)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states of %zu numbers", count, width);
    ebm_status status = ebm_mmd_squared(left, count, right, count, width, 0, &mmd, work, error);
    const bool undefined = status == EBM_INVALID || status == EBM_DIVERGED;
    if (undefined && space->domain != EBM_REAL_LINE) /* most pairs of states are equal */
        status = ebm_mmd_squared(left, count, right, count, width, one_unit_apart(space), &mmd, work, error);
    else if (undefined) /* chains that never moved, or ran away */
        status = EBM_OK;
    if (status != EBM_OK)
        return status;
    return sink->emit(sink, "mmd", mmd.squared, mmd.se, error);
}

ebm_status ebm_exact_law_mmd(const ebm_exact_law *law, const ebm_real *x, size_t count, uint32_t seed, ebm_sink *sink,
                             ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    ebm_batch draws;
    if (count < 2)
        return EBM_OK;
    EBM_TRY(ebm_batch_create(law->model, count, &draws, error));
    ebm_status status = ebm_exact_law_draw(law, &draws, ebm_stream_of(seed, EBM_PURPOSE_ESTIMATE), 0, work, error);
    const bool none = status == EBM_UNSUPPORTED;
    if (status == EBM_OK)
        status = mmd_against(&law->model->space, x, draws.x, count, sink, work, error);
    ebm_work_release(work, mark);
    ebm_batch_free(&draws);
    return none ? EBM_OK : status;
}

ebm_status ebm_exact_law_kolmogorov(const ebm_exact_law *law, const ebm_real *x, size_t count, ebm_sink *sink,
                                    ebm_work *work, ebm_error *error) {
    const ebm_model *model = law->model;
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    ebm_kolmogorov result = {NAN, NAN};
    bool finite = true;
    if (model->space.domain != EBM_REAL_LINE || !model->type->marginal_cdf)
        return EBM_OK;
    double *first = ebm_work_take(work, count, sizeof *first), *F = ebm_work_take(work, count, sizeof *F);
    if (!first || !F)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the first units of %zu chains", count);
    for (size_t b = 0; b < count; b++) {
        first[b] = (double)x[b * V];
        finite = finite && isfinite(first[b]);
    }
    ebm_status status = EBM_OK;
    if (finite)
        status = model->type->marginal_cdf(model, law->path, 0, first, count, F, work, error);
    const bool unknown = status == EBM_UNSUPPORTED;
    if (status == EBM_OK && finite)
        status = ebm_kolmogorov_test(F, count, &result, work, error);
    if (status == EBM_OK)
        status = sink->emit(sink, "ks_distance", result.distance, NAN, error);
    if (status == EBM_OK)
        status = sink->emit(sink, "ks_p", result.p_value, NAN, error);
    ebm_work_release(work, mark);
    return unknown ? EBM_OK : status;
}
