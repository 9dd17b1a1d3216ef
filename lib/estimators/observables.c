/* What is watched while a sampler walks (the list with its meanings: observable.h).
 *
 * Sums over 0/1 and +-1 units are sums of small integers, which ebm_real holds exactly up to 2^24: they go over LANES
 * partial sums at once, block by block, and are exact in both builds. Squares of real units are summed in double, over
 * lanes in the order of the units. */
#include "ebm/observable.h"

#include "ebm/enumerate.h"
#include "ebm/likelihood.h"

#include <math.h>
#include <string.h>

enum { LANES = 16, BLOCK = 1 << 20, TALLIES = 4 };

/* The sum of integers, exactly. */
static double sum_of(const ebm_real *x, size_t count) {
    double total = 0;
    for (size_t first = 0; first < count; first += BLOCK) {
        const ebm_real *from = x + first;
        const size_t n = count - first < BLOCK ? count - first : BLOCK, whole = n / LANES * LANES;
        ebm_real lanes[LANES] = {0};
        for (size_t i = 0; i < whole; i += LANES)
            for (size_t lane = 0; lane < LANES; lane++)
                lanes[lane] += from[i + lane];
        for (size_t i = whole; i < n; i++)
            lanes[i - whole] += from[i];
        for (size_t lane = 0; lane < LANES; lane++)
            total += (double)lanes[lane];
    }
    return total;
}

static double sum_of_squares(const ebm_real *x, size_t count) {
    const size_t whole = count / LANES * LANES;
    double lanes[LANES] = {0}, total = 0;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += (double)x[i + lane] * (double)x[i + lane];
    for (size_t i = whole; i < count; i++)
        lanes[i - whole] += (double)x[i] * (double)x[i];
    for (size_t lane = 0; lane < LANES; lane++)
        total += lanes[lane];
    return total;
}

static void energy(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work) {
    model->type->energy(model, ebm_path_end(), batch, out, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] /= (double)model->space.size;
}

static void magnetisation(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work) {
    const size_t V = model->space.size;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const double sum = sum_of(batch->x + b * V, V);
        out[b] = (model->space.domain == EBM_SPIN ? sum : 2 * sum - (double)V) / (double)V;
    }
}

static void abs_magnetisation(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work) {
    magnetisation(model, batch, out, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] = fabs(out[b]);
}

/* (q sum_c rho_c^2 - 1) / (q - 1): 1 where all units agree, 0 where the categories have equal shares. Neighbours go to
 * different tallies, so that equal ones need not wait for each other. */
static void category_order(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work) {
    const size_t V = model->space.size, q = model->space.categories, mark = ebm_work_mark(work);
    uint32_t *tallies = ebm_work_take(work, TALLIES * q, sizeof *tallies);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        double squares = 0;
        memset(tallies, 0, TALLIES * q * sizeof *tallies);
        for (size_t i = 0; i < V; i++)
            tallies[i % TALLIES * q + (size_t)x[i]]++;
        for (size_t c = 0; c < q; c++) {
            double share = 0;
            for (size_t t = 0; t < TALLIES; t++)
                share += (double)tallies[t * q + c] / (double)V;
            squares += share * share;
        }
        out[b] = q > 1 ? ((double)q * squares - 1) / (double)(q - 1) : 1;
    }
    ebm_work_release(work, mark);
}

static void m2(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work) {
    if (model->space.domain == EBM_CATEGORICAL) {
        category_order(model, batch, out, work);
        return;
    }
    magnetisation(model, batch, out, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] *= out[b];
}

static double unit(const ebm_model *model, const ebm_batch *batch, size_t b, size_t i) {
    return (double)batch->x[b * model->space.size + i];
}

static void first(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work) {
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const double x = unit(model, batch, b, 0);
        out[b] = model->space.domain == EBM_CATEGORICAL ? x == 0 : x;
    }
}

static void second(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work) {
    (void)work;
    for (size_t b = 0; b < batch->count; b++)
        out[b] = unit(model, batch, b, 1);
}

static void first_square(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work) {
    (void)work;
    for (size_t b = 0; b < batch->count; b++)
        out[b] = unit(model, batch, b, 0) * unit(model, batch, b, 0);
}

static void second_square(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work) {
    (void)work;
    for (size_t b = 0; b < batch->count; b++)
        out[b] = unit(model, batch, b, 1) * unit(model, batch, b, 1);
}

static void square(const ebm_model *model, const ebm_batch *batch, double *out, ebm_work *work) {
    const size_t V = model->space.size;
    (void)work;
    for (size_t b = 0; b < batch->count; b++)
        out[b] = sum_of_squares(batch->x + b * V, V) / (double)V;
}

#define OBSERVABLE(name, domains, least_units, unit, about) {#name, unit, domains, least_units, about, name},
static const ebm_observable observables[EBM_OBSERVABLE_COUNT] = {EBM_OBSERVABLES(OBSERVABLE)};

const ebm_observable *ebm_observable_at(size_t i) {
    return i < EBM_OBSERVABLE_COUNT ? &observables[i] : NULL;
}

const ebm_observable *ebm_observable_find(const char *name) {
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++)
        if (strcmp(observables[i].name, name) == 0)
            return &observables[i];
    return NULL;
}

bool ebm_observable_applies(const ebm_observable *observable, const ebm_space *space) {
    return (observable->domains >> space->domain & 1u) && space->size >= observable->least_units;
}

ebm_status ebm_observable_list(const ebm_observable *observable, const ebm_model *model, double *out, ebm_work *work,
                               ebm_error *error) {
    const size_t states = ebm_states_count(&model->space);
    if (states == 0 || states > EBM_MAX_STATES)
        return ebm_fail(error, EBM_UNSUPPORTED, "%zu %s units have too many states to list: the limit is %d",
                        model->space.size, ebm_domain_name(model->space.domain), EBM_MAX_STATES);
    const size_t rows = ebm_block_rows(model, states);
    ebm_batch batch;
    EBM_TRY(ebm_batch_create(model, rows, &batch, error));
    for (size_t from = 0; from < states; from += rows) {
        batch.count = states - from < rows ? states - from : rows;
        ebm_states_fill(&model->space, from, batch.count, batch.x);
        batch.field_ok = batch.hidden_ok = false;
        ebm_model_field(model, &batch, work);
        observable->values(model, &batch, out + from, work);
    }
    ebm_batch_free(&batch);
    return EBM_OK;
}

static ebm_status enumerated_mean(const ebm_observable *observable, const ebm_model *model, ebm_path path,
                                  size_t states, double *out, ebm_work *work, ebm_error *error) {
    double *log_p = ebm_work_take(work, states, sizeof *log_p), *f = ebm_work_take(work, states, sizeof *f), sum = 0;
    if (!log_p || !f)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", states);
    EBM_TRY(ebm_model_log_probabilities(model, path, log_p, NULL, work, error));
    EBM_TRY(ebm_observable_list(observable, model, f, work, error));
    for (size_t s = 0; s < states; s++)
        sum += exp(log_p[s]) * f[s];
    *out = sum;
    return EBM_OK;
}

ebm_status ebm_observable_exact_mean(const ebm_observable *observable, const ebm_model *model, ebm_path path,
                                     size_t limit, double *out, ebm_work *work, ebm_error *error) {
    if (!ebm_observable_applies(observable, &model->space))
        return ebm_fail(error, EBM_UNSUPPORTED, "%s is not defined on %zu %s units", observable->name,
                        model->space.size, ebm_domain_name(model->space.domain));
    if (model->type->exact_mean) {
        const ebm_status status = model->type->exact_mean(model, path, observable->name, out, work, error);
        if (status != EBM_UNSUPPORTED)
            return status;
    }
    const size_t states = ebm_states_count(&model->space), mark = ebm_work_mark(work);
    if (states == 0 || states > limit)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "the mean of %s is known neither by a formula nor by enumerating at most %zu states",
                        observable->name, limit);
    const ebm_status status = enumerated_mean(observable, model, path, states, out, work, error);
    ebm_work_release(work, mark);
    return status;
}
