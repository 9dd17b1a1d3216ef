/* Leapfrog steps of many rows (see leapfrog.h). Between two gradients the half kicks that meet are one whole kick. A
 * trajectory is run for a block of rows from beginning to end, so that what it reads and writes stays in a cache. */
#include "samplers/leapfrog.h"

#include "core/row_kernels.h"

#include <math.h>
#include <string.h>

enum { SMALL = 1 << 14 /* units of all rows: below this a parallel region costs more than it gains */ };

bool ebm_phase_take(const ebm_model *model, size_t rows, ebm_phase *out, ebm_work *work) {
    const size_t V = model->space.size, F = model->n_field;
    *out = (ebm_phase){.batch.count = rows};
    out->batch.x = ebm_work_take(work, rows * V, sizeof(ebm_real));
    out->batch.field = F ? ebm_work_take(work, rows * F, sizeof(ebm_real)) : NULL;
    out->momentum = ebm_work_take(work, rows * V, sizeof(ebm_real));
    out->gradient = ebm_work_take(work, rows * V, sizeof(ebm_real));
    out->energy = ebm_work_take(work, rows, sizeof(double));
    return out->batch.x && out->momentum && out->gradient && out->energy && (!F || out->batch.field);
}

void ebm_phase_copy(const ebm_model *model, const ebm_phase *from, size_t source, ebm_phase *to, size_t target) {
    const size_t V = model->space.size, bytes = V * sizeof(ebm_real);
    memcpy(to->batch.x + target * V, from->batch.x + source * V, bytes);
    memcpy(to->momentum + target * V, from->momentum + source * V, bytes);
    memcpy(to->gradient + target * V, from->gradient + source * V, bytes);
    to->energy[target] = from->energy[source];
    to->batch.field_ok = false;
}

/* Rows whose points fill half a mebibyte: a function of the shape alone. */
static size_t block_rows(const ebm_model *model, size_t count) {
    const size_t row = (3 * model->space.size + model->n_field) * sizeof(ebm_real);
    const size_t rows = ((size_t)1 << 19) / row / 16 * 16 + 16;
    return rows < count ? rows : count;
}

/* Rows [first, first + rows) of a phase, or as many as there are. */
static ebm_phase block_of(const ebm_model *model, const ebm_phase *phase, size_t first, size_t rows) {
    const size_t V = model->space.size, F = model->n_field, left = phase->batch.count - first;
    return (ebm_phase){.batch = {.count = left < rows ? left : rows,
                                 .x = phase->batch.x + first * V,
                                 .field = F ? phase->batch.field + first * F : NULL,
                                 .field_ok = phase->batch.field_ok},
                       .momentum = phase->momentum ? phase->momentum + first * V : NULL,
                       .gradient = phase->gradient + first * V,
                       .energy = phase->energy + first};
}

/* By the blocks of a trajectory: a matrix product rounds a row as the product's shape has it, and the end of one
 * trajectory must be, byte for byte, what is seen where the next call starts. So a field that someone else has left is made
 * anew, too. */
void ebm_phase_look(const ebm_model *model, ebm_path path, ebm_phase *phase, ebm_chains *chains, ebm_work *work) {
    const size_t B = phase->batch.count, rows = block_rows(model, B);
    for (size_t first = 0; first < B; first += rows) {
        ebm_phase block = block_of(model, phase, first, rows);
        block.batch.field_ok = false;
        ebm_model_energy_grad_x(model, path, &block.batch, block.energy, block.gradient, work);
    }
    phase->batch.field_ok = true;
    chains->energy_evaluations += B;
    chains->gradient_evaluations += B;
}

static int threads_for(const ebm_model *model, size_t rows, const ebm_work *work) {
    return rows * model->space.size > SMALL ? ebm_work_threads(work) : 1;
}

void ebm_phase_draw_momentum(const ebm_model *model, ebm_stream stream, uint32_t first_chain, uint64_t step,
                             ebm_phase *phase, ebm_work *work) {
    const size_t V = model->space.size, B = phase->batch.count;
    const int threads = threads_for(model, B, work);
    (void)threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (size_t b = 0; b < B; b++)
        ebm_random_normal(stream, first_chain + (uint32_t)b, step, V, phase->momentum + b * V);
}

void ebm_phase_kinetic(const ebm_model *model, const ebm_phase *phase, double *out, ebm_work *work) {
    const size_t V = model->space.size, B = phase->batch.count;
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const int threads = threads_for(model, B, work);
    (void)threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (size_t b = 0; b < B; b++)
        out[b] = 0.5 * kernels->dot(V, phase->momentum + b * V, phase->momentum + b * V);
}

/* A trajectory of one block of rows. */
typedef struct trajectory {
    const ebm_model *model;
    ebm_path path;
    const ebm_real *scale, *step;
    ebm_phase phase;
    ebm_work *work;
} trajectory;

/* A share of a kick, and with `drift` the drift after it, by runs of rows that the shape alone fixes. */
static void move(trajectory *t, ebm_real share, bool drift) {
    const ebm_phase_kernels *kernels = ebm_row_kernels_get()->phase;
    const size_t V = t->model->space.size, B = t->phase.batch.count, run = SMALL / 4 / V + 1;
    const int threads = threads_for(t->model, B, t->work);
    (void)threads;
    const ebm_phase *p = &t->phase;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (size_t first = 0; first < B; first += run) {
        const size_t n = B - first < run ? B - first : run, at = first * V;
        if (drift)
            kernels->kick_drift(n, V, t->scale, t->step + first, share, p->gradient + at, p->momentum + at,
                                p->batch.x + at);
        else
            kernels->kick(n, V, t->scale, t->step + first, share, p->gradient + at, p->momentum + at);
    }
    if (drift)
        t->phase.batch.field_ok = false;
}

static void run_trajectory(trajectory *t, size_t steps) {
    ebm_phase *p = &t->phase;
    move(t, (ebm_real)0.5, true);
    for (size_t k = 1; k < steps; k++) {
        ebm_model_field(t->model, &p->batch, t->work);
        t->model->type->grad_x(t->model, t->path, &p->batch, p->gradient, t->work);
        move(t, 1, true);
    }
    ebm_model_energy_grad_x(t->model, t->path, &p->batch, p->energy, p->gradient, t->work);
    move(t, (ebm_real)0.5, false);
}

void ebm_leapfrog(const ebm_model *model, ebm_path path, const ebm_real *scale, const ebm_real *step, size_t steps,
                  ebm_phase *phase, ebm_chains *chains, ebm_work *work) {
    const size_t B = phase->batch.count, rows = block_rows(model, B);
    for (size_t first = 0; first < B; first += rows) {
        trajectory t = {.model = model, .path = path, .scale = scale, .step = step + first, .work = work};
        t.phase = block_of(model, phase, first, rows);
        run_trajectory(&t, steps);
    }
    phase->batch.field_ok = true;
    chains->gradient_evaluations += (uint64_t)B * steps;
    chains->energy_evaluations += B;
}

ebm_status ebm_phase_check_gradient(const ebm_model *model, const ebm_phase *phase, uint32_t first_chain,
                                    ebm_error *error) {
    const size_t V = model->space.size;
    for (size_t b = 0; b < phase->batch.count; b++)
        for (size_t i = 0; isfinite(phase->energy[b]) && i < V; i++)
            if (isnan(phase->gradient[b * V + i]))
                return ebm_fail(error, EBM_DIVERGED,
                                "the gradient of chain %zu is not a number at unit %zu, where the energy is %g: a "
                                "parameter is not finite, or the model's gradient is wrong there",
                                (size_t)first_chain + b, i, phase->energy[b]);
    return EBM_OK;
}
