/* How far a model is from the stationary point of its likelihood: the largest component of
 *
 *   E_data[dE/dtheta] - E_model[dE/dtheta]
 * over the training examples, both sides exact; in the couplings themselves where the model keeps them twice. Of a
 * machine of visible pairs it is the largest difference of a mean or a mean product between data and model.
 *
 * There a maximum exists if the data's moments are an inner point of the convex hull of (x_i, x_i x_j) over all states
 * (Barndorff-Nielsen 1978, chapter 9); else it lies at infinity. A sufficient condition that can be proved: the vectors
 * (1, x_i, x_i x_j) of the examples span the whole space; then no hyperplane that supports the hull holds all of them.
 * Their rank is found modulo the prime 2^31 - 1, in integers: it is never above the true rank, so a full one is a proof. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"

#include <math.h>
#include <string.h>

typedef struct gap_options {
    int64_t certify;
} gap_options;

static const ebm_option gap_table[] = {
    {"certify", EBM_OPTION_INT, EBM_OFFSET(gap_options, certify), "24", 0, 64, NULL, 0,
     "most units of a pairwise machine for which it is proved that a maximum exists; 0: never"},
    EBM_OPTIONS_END,
};

static const ebm_metric gap_metrics[] = {
    {"moment_gap", "", false, "largest component of the exact gradient of the log-likelihood of the training examples"},
    {"moments_interior", "", false, "1 where the data's moments are proved to be interior: a maximum exists"},
    {"moment_gap_interior", "", false, "moment_gap where that is so; left out elsewhere"},
    EBM_METRICS_END,
};

enum { BLOCK = 1 << 12 };

static ebm_status data_moments(const ebm_estimate_inputs *in, double *mean, ebm_error *error) {
    const ebm_examples *half = &in->data->train;
    const size_t V = in->model->space.size, mark = ebm_work_mark(in->work);
    const size_t rows = half->count < BLOCK ? half->count : BLOCK;
    ebm_real *x = ebm_work_take(in->work, rows * V, sizeof *x);
    ebm_status status = x ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu examples", rows);
    memset(mean, 0, in->model->n_theta * sizeof *mean);
    for (size_t first = 0; first < half->count && status == EBM_OK; first += rows) {
        const size_t count = half->count - first < rows ? half->count - first : rows;
        ebm_examples_fixed(in->data, half, first, count, x);
        status = ebm_add_grad_theta(in->model, x, count, mean, in->work, error);
    }
    for (size_t k = 0; k < in->model->n_theta; k++)
        mean[k] /= (double)half->count;
    ebm_work_release(in->work, mark);
    return status;
}

static const uint64_t PRIME = 2147483647u;

static uint64_t inverse_of(uint64_t a) { /* a^(p - 2) */
    uint64_t result = 1;
    for (uint64_t power = PRIME - 2; power > 0; power >>= 1, a = a * a % PRIME)
        result = power & 1 ? result * a % PRIME : result;
    return result;
}

/* row (D) = (1, x_i, x_i x_j) with x the spins or 0/1 units. */
static void features(size_t V, const ebm_real *x, uint64_t *row) {
    size_t k = 0;
    row[k++] = 1;
    for (size_t i = 0; i < V; i++)
        row[k++] = x[i] > 0 ? 1 : x[i] < 0 ? PRIME - 1 : 0;
    for (size_t i = 0; i < V; i++)
        for (size_t j = i + 1; j < V; j++)
            row[k++] = row[1 + i] * row[1 + j] % PRIME;
}

/* Reduce row by the echelon rows that there are; keep it if something is left. basis[k] has its first nonzero, 1, at k. */
static bool insert(size_t D, uint64_t *basis, unsigned char *have, uint64_t *row) {
    for (size_t k = 0; k < D; k++) {
        if (row[k] == 0)
            continue;
        if (!have[k]) {
            const uint64_t scale = inverse_of(row[k]);
            for (size_t j = k; j < D; j++)
                basis[k * D + j] = row[j] * scale % PRIME;
            have[k] = 1;
            return true;
        }
        const uint64_t factor = PRIME - row[k];
        for (size_t j = k; j < D; j++)
            row[j] = (row[j] + factor * basis[k * D + j]) % PRIME;
    }
    return false;
}

/* Whether the examples' vectors span the space. */
static ebm_status spans(const ebm_estimate_inputs *in, bool *full, ebm_error *error) {
    const ebm_examples *half = &in->data->train;
    const size_t V = in->model->space.size, D = 1 + V + V * (V - 1) / 2, mark = ebm_work_mark(in->work);
    uint64_t *basis = ebm_work_take(in->work, (D + 1) * D, sizeof *basis), *row = basis + D * D;
    unsigned char *have = ebm_work_take(in->work, D, 1);
    ebm_real *x = ebm_work_take(in->work, V, sizeof *x);
    size_t rank = 0;
    if (basis && have && x) {
        memset(have, 0, D);
        for (size_t b = 0; b < half->count && rank < D; b++) {
            ebm_examples_fixed(in->data, half, b, 1, x);
            features(V, x, row);
            rank += insert(D, basis, have, row);
        }
    }
    *full = rank == D;
    const bool memory = basis && have && x;
    ebm_work_release(in->work, mark);
    return memory ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu moments", D);
}

static bool is_pairwise(const ebm_model *model) {
    const size_t V = model->space.size;
    const bool two_valued = model->space.domain == EBM_SPIN || model->space.domain == EBM_BINARY;
    return two_valued && model->n_hidden == 0 && model->n_theta == V * V + V && ebm_model_view(model, "W");
}

static ebm_status largest_gap(const ebm_estimate_inputs *in, double *largest, ebm_error *error) {
    ebm_model *model = (ebm_model *)(uintptr_t)in->model; /* precondition asks for one that may change; theta stays */
    const size_t N = model->n_theta, mark = ebm_work_mark(in->work);
    ebm_real *expected = ebm_work_take(in->work, N, sizeof *expected);
    double *mean = ebm_work_take(in->work, N, sizeof *mean);
    ebm_status status = expected && mean ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu parameters", N);
    if (status == EBM_OK) {
        memset(expected, 0, N * sizeof *expected);
        status = model->type->expected_grad_theta(model, 1.0, expected, NULL, in->work, error);
    }
    if (status == EBM_OK)
        status = data_moments(in, mean, error);
    for (size_t k = 0; k < N && status == EBM_OK; k++)
        expected[k] = (ebm_real)((double)expected[k] - mean[k]);
    if (status == EBM_OK && model->type->precondition && model->type->linear)
        model->type->precondition(model, expected, in->work);
    *largest = 0;
    for (size_t k = 0; k < N && status == EBM_OK; k++)
        *largest = fmax(*largest, fabs((double)expected[k]));
    ebm_work_release(in->work, mark);
    return status;
}

static ebm_status gap_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    const gap_options *o = options;
    double gap;
    bool interior;
    if (in->data->train.count == 0)
        return ebm_fail(error, EBM_INVALID, "moment-gap needs training examples: data set %s has none",
                        in->data->type->info.name);
    EBM_TRY(largest_gap(in, &gap, error));
    EBM_TRY(sink->emit(sink, "moment_gap", gap, NAN, error));
    if (!is_pairwise(in->model) || in->model->space.size > (size_t)o->certify)
        return EBM_OK;
    EBM_TRY(spans(in, &interior, error));
    EBM_TRY(sink->emit(sink, "moments_interior", interior, NAN, error));
    return interior ? sink->emit(sink, "moment_gap_interior", gap, NAN, error) : EBM_OK;
}

const ebm_estimator_type ebm_moment_gap = {
    .info = {"moment-gap", "largest difference between the moments of data and model, and whether a maximum exists",
             "Barndorff-Nielsen 1978, chapter 9", gap_table, sizeof(gap_options)},
    .needs = EBM_SLOT_LOG_NORMALISER,
    .needs_data = true,
    .metrics = gap_metrics,
    .estimate = gap_estimate,
};
