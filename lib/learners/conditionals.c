/* Learning from the conditionals of single units (see conditionals.h). */
#include "learners/conditionals.h"

#include "ebm/matrix.h"
#include "ebm/special.h"

#include <stdlib.h>
#include <string.h>

ebm_status ebm_conditionals_create(ebm_learner *learner, ebm_error *error) {
    const ebm_conditionals_options *options = learner->options;
    ebm_pairwise machine;
    EBM_TRY(ebm_pairwise_of(learner, &machine, error));
    ebm_optimiser *optimiser = calloc(1, sizeof *optimiser);
    learner->state = optimiser;
    if (!optimiser)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a learner");
    return ebm_optimiser_create(&options->optimiser, learner->model, optimiser, error);
}

void ebm_conditionals_destroy(ebm_learner *learner) {
    if (learner->state)
        ebm_optimiser_free(learner->state);
    free(learner->state);
}

size_t ebm_conditionals_regions(ebm_learner *learner, ebm_region *out) {
    const ebm_optimiser *optimiser = learner->state;
    const size_t bytes = learner->model->n_theta * sizeof(ebm_real);
    size_t n = 0;
    if (optimiser->first)
        out[n++] = (ebm_region){optimiser->first, bytes};
    if (optimiser->second)
        out[n++] = (ebm_region){optimiser->second, bytes};
    return n;
}

enum { ROWS = 1 << 10 };

/* One block: losses[b] = the row's sum; f becomes d. */
static void block_slopes(const ebm_pairwise *machine, ebm_margin_loss *loss, size_t rows, const ebm_real *x,
                         ebm_real *f, double *losses, ebm_work *work) {
    const size_t V = machine->units;
    const double g = machine->spin ? 2 : 1;
    const int threads = rows * V > 1 << 12 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t b = 0; b < rows; b++) {
        losses[b] = 0;
        for (size_t k = b * V; k < (b + 1) * V; k++) {
            const double s = x[k] > 0 ? g : -g;
            double value, slope;
            loss(s * (double)f[k], &value, &slope);
            losses[b] += value;
            f[k] = (ebm_real)(s * slope);
        }
    }
}

/* gradient += the block's sums, S (V, V) = sum_b d_i x_j not yet symmetric. */
static void add_block(const ebm_pairwise *machine, size_t rows, const ebm_real *x, const ebm_real *d, ebm_real *S,
                      double *gradient, ebm_work *work) {
    const size_t V = machine->units;
    ebm_gemm(true, false, V, V, rows, 1.0, d, V, x, V, 0.0, S, V, work);
    for (size_t k = 0; k < V * V; k++)
        gradient[k] += (double)S[k];
    for (size_t b = 0; b < rows; b++)
        for (size_t i = 0; i < V; i++)
            gradient[V * V + i] += (double)d[b * V + i];
}

/* From sums of d_i x_j to the gradient of the mean by symmetric W with zero diagonal. */
static void finish(size_t V, double scale, double *gradient) {
    for (size_t i = 0; i < V; i++) {
        gradient[i * V + i] = 0;
        for (size_t j = i + 1; j < V; j++)
            gradient[i * V + j] = gradient[j * V + i] = 0.5 * scale * (gradient[i * V + j] + gradient[j * V + i]);
        gradient[V * V + i] *= scale;
    }
}

ebm_status ebm_conditionals_objective(const ebm_model *model, const ebm_pairwise *machine, ebm_margin_loss *loss,
                                      const ebm_real *x, size_t count, double *value, double *gradient, ebm_work *work,
                                      ebm_error *error) {
    const size_t V = machine->units, mark = ebm_work_mark(work), rows = count < ROWS ? count : ROWS;
    ebm_real *f = ebm_work_take(work, rows * V, sizeof *f), *S = ebm_work_take(work, V * V, sizeof *S);
    double *losses = ebm_work_take(work, rows, sizeof *losses), total = 0;
    const bool memory = f && S && losses;
    memset(gradient, 0, (V * V + V) * sizeof *gradient);
    for (size_t first = 0; first < count && memory; first += rows) {
        ebm_batch batch = {.count = count - first < rows ? count - first : rows, .field = f};
        batch.x = (ebm_real *)(uintptr_t)(x + first * V); /* read only */
        ebm_model_field(model, &batch, work);
        block_slopes(machine, loss, batch.count, batch.x, f, losses, work);
        total += ebm_sum(losses, batch.count);
        add_block(machine, batch.count, batch.x, f, S, gradient, work);
    }
    ebm_work_release(work, mark);
    if (!memory)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the fields of %zu examples", rows);
    finish(V, 1 / (double)count, gradient);
    *value = total / (double)count;
    return EBM_OK;
}

typedef struct rows_of {
    const ebm_pairwise *machine;
    ebm_margin_loss *loss;
    const ebm_real *x;
    size_t count;
} rows_of;

static ebm_status evaluate(void *context, const ebm_model *model, double *value, double *gradient, ebm_work *work,
                           ebm_error *error) {
    const rows_of *r = context;
    return ebm_conditionals_objective(model, r->machine, r->loss, r->x, r->count, value, gradient, work, error);
}

static ebm_status descend(ebm_learner *learner, rows_of *rows, ebm_work *work, ebm_error *error) {
    const ebm_conditionals_options *options = learner->options;
    const ebm_objective objective = {evaluate, rows, sizeof(ebm_real) == 8 ? 1e-9 : 1e-6};
    bool done = false;
    EBM_TRY(ebm_lbfgs_minimise(learner->model, &options->optimiser, &objective, &done, work, error));
    learner->finished = done && ebm_learner_sees_all(learner, rows->count);
    return EBM_OK;
}

static ebm_status step(ebm_learner *learner, rows_of *rows, ebm_work *work, ebm_error *error) {
    ebm_optimiser *optimiser = learner->state;
    ebm_model *model = learner->model;
    const size_t N = model->n_theta, mark = ebm_work_mark(work);
    double *gradient = ebm_work_take(work, N, sizeof *gradient), value;
    ebm_status status = gradient ? evaluate(rows, model, &value, gradient, work, error)
                                 : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu parameters", N);
    for (size_t k = 0; k < N && status == EBM_OK; k++)
        optimiser->gradient[k] = (ebm_real)-gradient[k];
    ebm_work_release(work, mark);
    if (status == EBM_OK && model->type->precondition)
        model->type->precondition(model, optimiser->gradient, work);
    if (status == EBM_OK)
        status = ebm_optimiser_step(optimiser, model, learner->update, learner->total_updates, work, error);
    if (status == EBM_OK)
        ebm_model_refresh(model, work);
    return status;
}

ebm_status ebm_conditionals_update(ebm_learner *learner, ebm_margin_loss *loss, const ebm_real *x, size_t count,
                                   ebm_work *work, ebm_error *error) {
    const ebm_conditionals_options *options = learner->options;
    ebm_pairwise machine;
    EBM_TRY(ebm_pairwise_of(learner, &machine, error));
    rows_of rows = {&machine, loss, x, count};
    return options->optimiser.kind == EBM_LBFGS ? descend(learner, &rows, work, error)
                                                : step(learner, &rows, work, error);
}
