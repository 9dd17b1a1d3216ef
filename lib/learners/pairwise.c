/* Dense pairwise machines: their moments and the inverse of their covariance (see pairwise.h). */
#include "learners/pairwise.h"

#include "ebm/matrix.h"

#include <math.h>
#include <string.h>

static const ebm_view *view_of(const ebm_model *model, const char *name) {
    for (size_t v = 0; v < model->n_views; v++)
        if (strcmp(model->views[v].name, name) == 0)
            return &model->views[v];
    return NULL;
}

ebm_status ebm_pairwise_of(const ebm_learner *learner, ebm_pairwise *out, ebm_error *error) {
    const ebm_model *model = learner->model;
    const size_t V = model->space.size;
    const ebm_domain domain = model->space.domain;
    const ebm_view *W = view_of(model, "W"), *bias = view_of(model, "bias");
    if ((domain != EBM_BINARY && domain != EBM_SPIN) || model->n_hidden > 0 || model->n_field != V || !W || !bias ||
        W->rows != V || W->columns != V || bias->rows != V)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "learner %s needs a machine of visible two-valued units with all couplings W (%zu x %zu) and "
                        "bias: model %s is not one",
                        learner->type->info.name, V, V, model->type->info.name);
    *out = (ebm_pairwise){V, domain == EBM_SPIN, model->theta + W->offset, model->theta + bias->offset};
    return EBM_OK;
}

/* A (V, V), symmetric and positive semidefinite, becomes -A^-1 by the sweep operator (Goodnight 1979), the largest
 * pivot first; returns the rank. Entries are covariances of spins, so at most 1: what is left of a pivot that is zero
 * but for rounding is of the order of V 2^-53. */
static size_t sweep_all(size_t V, double *A, unsigned char *swept) {
    memset(swept, 0, V);
    for (size_t rank = 0; rank < V; rank++) {
        size_t k = V;
        for (size_t i = 0; i < V; i++)
            if (!swept[i] && (k == V || A[i * V + i] > A[k * V + k]))
                k = i;
        const double pivot = A[k * V + k];
        if (!(pivot > 1e-15 * (double)V))
            return rank;
        for (size_t i = 0; i < V; i++) {
            const double factor = A[i * V + k] / pivot;
            for (size_t j = 0; i != k && j < V; j++)
                A[i * V + j] -= j == k ? 0 : factor * A[k * V + j];
        }
        for (size_t i = 0; i < V; i++) {
            A[i * V + k] = i == k ? -1 / pivot : A[i * V + k] / pivot;
            A[k * V + i] = A[i * V + k];
        }
        swept[k] = 1;
    }
    return V;
}

enum { ROWS = 1 << 12 }; /* counts of so many rows are exact in float */

/* sums (V, V + 1) of s_i s_j and, in the last column, of s_i. */
static void sum_moments(const ebm_pairwise *machine, const ebm_real *x, size_t count, ebm_real *spins, ebm_real *part,
                        double *sums, ebm_work *work) {
    const size_t V = machine->units, W = V + 1;
    for (size_t first = 0; first < count; first += ROWS) {
        const size_t rows = count - first < ROWS ? count - first : ROWS;
        for (size_t b = 0; b < rows; b++) {
            const ebm_real *row = x + (first + b) * V;
            for (size_t i = 0; i < V; i++)
                spins[b * W + i] = machine->spin ? row[i] : 2 * row[i] - 1;
            spins[b * W + V] = 1;
        }
        ebm_gemm(true, false, V, W, rows, 1.0, spins, W, spins, W, 0.0, part, W, work);
        for (size_t k = 0; k < V * W; k++)
            sums[k] += (double)part[k];
    }
}

/* mean (V) of the rows of x as spins, response (V, V) = -C^-1 with C their covariance (divisor count). */
static ebm_status response_of(const ebm_pairwise *machine, const ebm_real *x, size_t count, double *mean,
                              double *response, ebm_work *work, ebm_error *error) {
    const size_t V = machine->units, W = V + 1, mark = ebm_work_mark(work), rows = count < ROWS ? count : ROWS;
    ebm_real *spins = ebm_work_take(work, rows * W, sizeof *spins), *part = ebm_work_take(work, V * W, sizeof *part);
    double *sums = ebm_work_take(work, V * W, sizeof *sums);
    unsigned char *swept = ebm_work_take(work, V, 1);
    size_t rank = 0, constant = 0;
    if (spins && part && sums && swept) {
        memset(sums, 0, V * W * sizeof *sums);
        sum_moments(machine, x, count, spins, part, sums, work);
        for (size_t i = 0; i < V; i++) {
            mean[i] = sums[i * W + V] / (double)count;
            constant += fabs(mean[i]) == 1;
        }
        for (size_t i = 0; i < V; i++)
            for (size_t j = 0; j < V; j++)
                response[i * V + j] = sums[i * W + j] / (double)count - mean[i] * mean[j];
        rank = sweep_all(V, response, swept);
    }
    const bool memory = spins && part && sums && swept;
    ebm_work_release(work, mark);
    if (!memory)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the covariance of %zu units", V);
    if (rank < V)
        return ebm_fail(error, EBM_INVALID,
                        "the covariance of %zu examples is singular: its rank is %zu of %zu (%zu units never change); "
                        "more examples are needed",
                        count, rank, V, constant);
    return EBM_OK;
}

/* theta = the machine of spins with couplings J and fields h. */
static void store(const ebm_pairwise *machine, const double *J, const double *h) {
    const size_t V = machine->units;
    for (size_t i = 0; i < V; i++) {
        double around = 0;
        for (size_t j = 0; j < V; j++) {
            const double w = i == j ? 0 : 0.5 * (J[i * V + j] + J[j * V + i]);
            around += w;
            machine->W[i * V + j] = (ebm_real)(machine->spin ? w : 4 * w);
        }
        machine->bias[i] = (ebm_real)(machine->spin ? h[i] : 2 * (h[i] - around));
    }
}

ebm_status ebm_pairwise_invert(ebm_learner *learner, const ebm_real *x, size_t count, ebm_pairwise_solve *solve,
                               ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    ebm_pairwise machine;
    EBM_TRY(ebm_pairwise_of(learner, &machine, error));
    const size_t V = machine.units;
    double *m = ebm_work_take(work, V, sizeof *m), *h = ebm_work_take(work, V, sizeof *h);
    double *J = ebm_work_take(work, V * V, sizeof *J);
    ebm_status status = m && h && J ? response_of(&machine, x, count, m, J, work, error)
                                    : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu x %zu couplings", V, V);
    if (status == EBM_OK) {
        solve(V, m, J, h);
        store(&machine, J, h);
        ebm_model_refresh(learner->model, work);
        learner->finished = ebm_learner_sees_all(learner, count);
    }
    ebm_work_release(work, mark);
    return status;
}
