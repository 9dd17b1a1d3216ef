/* Metropolis-Hastings on discrete spaces with proposals from gradients: what gibbs-with-gradients and dmala share. */
#include "samplers/discrete_proposals.h"

#include "ebm/enumerate.h"

#include <math.h>
#include <string.h>

void ebm_discrete_changes(const ebm_space *space, const ebm_real *x, double scale, double penalty, ebm_real *gradient) {
    const size_t V = space->size, q = space->categories;
    const ebm_real s = (ebm_real)scale, less = (ebm_real)penalty;
    switch (space->domain) {
    case EBM_BINARY: /* -(1 - 2 x) g */
        for (size_t i = 0; i < V; i++)
            gradient[i] = s * (2 * x[i] - 1) * gradient[i] - less;
        break;
    case EBM_SPIN: /* -(-2 x) g */
        for (size_t i = 0; i < V; i++)
            gradient[i] = 2 * s * x[i] * gradient[i] - less;
        break;
    default:
        for (size_t i = 0; i < V; i++) {
            ebm_real *g = gradient + i * q;
            const size_t own = (size_t)x[i];
            const ebm_real here = g[own];
            for (size_t c = 0; c < q; c++)
                g[c] = s * (here - g[c]) - less;
            g[own] = 0;
        }
    }
}

/* Chains [first, first + count) of a walk, at their present states and at the proposed ones. */
typedef struct side {
    ebm_batch batch;
    double *energy;    /* (count) */
    double *log_total; /* (count) */
    ebm_real *logit, *weight;
} side;

typedef struct block {
    const ebm_proposal_law *law;
    const ebm_model *model;
    ebm_path path;
    ebm_chains *chains;
    uint32_t first_chain;
    size_t count, changes; /* rows, C */
    side here, there;
    double *forth;    /* (count): log q(x' | x) + log_total */
    double *accepted; /* (count): 1 or 0 */
    uint32_t *unit;   /* (count): the unit that changes */
    ebm_real *before; /* (count): its value at x */
    int threads;
    ebm_work *work;
} block;

static ebm_proposal_row row_of(const block *w, const side *s, size_t b) {
    const size_t V = w->model->space.size, C = w->changes;
    return (ebm_proposal_row){s->batch.x + b * V, s->logit + b * C, s->weight + b * C, s->log_total[b]};
}

/* Gradient, energy (where it is asked for) and logits of one side, whose field is brought up to date. */
static void look(block *w, side *s, bool energy) {
    const ebm_proposal_law *law = w->law;
    ebm_model_field(w->model, &s->batch, w->work);
    if (energy)
        w->model->type->energy(w->model, w->path, &s->batch, s->energy, w->work);
    w->model->type->grad_x(w->model, w->path, &s->batch, s->logit, w->work);
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) {
        const ebm_proposal_row row = row_of(w, s, b);
        s->log_total[b] = law->prepare(law, &row);
    }
    w->chains->gradient_evaluations += w->count;
    w->chains->energy_evaluations += energy ? w->count : 0;
}

static void draw(block *w, side *to, uint64_t step) {
    const ebm_proposal_law *law = w->law;
    const size_t V = w->model->space.size;
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) {
        const ebm_proposal_row row = row_of(w, &w->here, b);
        w->forth[b] = law->draw(law, &row, w->chains->stream, w->first_chain + (uint32_t)b, step, &w->unit[b],
                                to->batch.x + b * V);
    }
    to->batch.field_ok = false;
}

/* Where one unit has changed, its field follows from that of x. Now and then it is computed anew instead, for all rows,
 * so that rounding does not pile up over accepted changes. */
static void follow_field(block *w, uint64_t step) {
    enum { ANEW = 64 };
    const ebm_model *model = w->model;
    const size_t V = model->space.size;
    if (!w->law->one_unit || !model->type->site_changed || step / 2 % ANEW == 0)
        return;
    for (size_t b = 0; b < w->count; b++)
        w->before[b] = w->here.batch.x[b * V + w->unit[b]];
    model->type->site_changed(model, &w->there.batch, w->unit, w->before, w->work);
    w->there.batch.field_ok = true;
}

static void copy_row(size_t b, size_t size, const ebm_real *from, ebm_real *to) {
    if (size > 0)
        memcpy(to + b * size, from + b * size, size * sizeof *to);
}

/* An accepted row moves here, with all that is known of it. A rejected one is put back where the next proposal starts
 * from a copy of the present state. */
static void settle_row(block *w, size_t b, bool accept) {
    const size_t V = w->model->space.size, F = w->model->n_field, C = w->changes;
    side *here = &w->here, *there = &w->there;
    if (accept) {
        copy_row(b, V, there->batch.x, here->batch.x);
        copy_row(b, F, there->batch.field, here->batch.field);
        copy_row(b, C, there->logit, here->logit);
        copy_row(b, C, there->weight, here->weight);
        here->energy[b] = there->energy[b];
        here->log_total[b] = there->log_total[b];
    } else if (w->law->one_unit) {
        copy_row(b, V, here->batch.x, there->batch.x);
        copy_row(b, F, here->batch.field, there->batch.field);
    }
}

/* log u < log p(x') + log q(x | x') - log p(x) - log q(x' | x); a ratio that is not a number is a rejection. */
static void accept_or_reject(block *w, uint64_t step) {
    const ebm_proposal_law *law = w->law;
    const side *here = &w->here, *there = &w->there;
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) {
        const ebm_proposal_row from = row_of(w, here, b), to = row_of(w, there, b);
        const double back = law->back(law, &from, &to, w->unit[b]) - to.log_total;
        const double ratio = here->energy[b] - there->energy[b] + back - (w->forth[b] - from.log_total);
        const double u = ebm_random_uniform1(w->chains->stream, w->first_chain + (uint32_t)b, step, 0);
        const bool accept = log(u) < ratio;
        w->accepted[b] = accept;
        settle_row(w, b, accept);
    }
    for (size_t b = 0; b < w->count; b++)
        w->chains->accepted += w->accepted[b];
    w->chains->proposed += (double)w->count;
}

static ebm_status energies_are_finite(const block *w, size_t first, ebm_error *error) {
    for (size_t b = 0; b < w->count; b++)
        if (!isfinite(w->here.energy[b]))
            return ebm_fail(error, EBM_DIVERGED,
                            "the energy of chain %zu is %g: a parameter is not finite or far too large", first + b,
                            w->here.energy[b]);
    return EBM_OK;
}

static ebm_status walk_block(block *w, bool adjust, size_t first, size_t proposals, ebm_error *error) {
    const size_t V = w->model->space.size, F = w->model->n_field;
    uint64_t step = w->chains->step;
    if (!adjust) {
        for (size_t k = 0; k < proposals; k++, step += 2) {
            look(w, &w->here, false);
            draw(w, &w->here, step);
        }
        return EBM_OK;
    }
    look(w, &w->here, true);
    EBM_TRY(energies_are_finite(w, first, error));
    memcpy(w->there.batch.x, w->here.batch.x, w->count * V * sizeof(ebm_real));
    if (F > 0)
        memcpy(w->there.batch.field, w->here.batch.field, w->count * F * sizeof(ebm_real));
    for (size_t k = 0; k < proposals; k++, step += 2) {
        draw(w, &w->there, step);
        follow_field(w, step);
        look(w, &w->there, true);
        accept_or_reject(w, step + 1);
    }
    return EBM_OK;
}

/* Rows walked together, so that the memory of a block stays near 4 MiB, in a cache: a function of the shape alone. */
static size_t block_rows(const ebm_model *model, size_t changes, size_t count) {
    const size_t reals = 4 * changes + model->space.size + model->n_field + 16;
    const size_t rows = ((size_t)4 << 20) / (reals * sizeof(ebm_real)) + 1;
    return rows < count ? rows : count;
}

static bool take_side(side *s, size_t rows, const ebm_model *model, size_t changes, bool whole, ebm_work *work) {
    s->energy = ebm_work_take(work, rows, sizeof(double));
    s->log_total = ebm_work_take(work, rows, sizeof(double));
    s->logit = ebm_work_take(work, rows * changes, sizeof(ebm_real));
    s->weight = ebm_work_take(work, rows * changes, sizeof(ebm_real));
    if (whole) {
        s->batch.x = ebm_work_take(work, rows * model->space.size, sizeof(ebm_real));
        s->batch.field = model->n_field ? ebm_work_take(work, rows * model->n_field, sizeof(ebm_real)) : NULL;
    }
    return s->energy && s->log_total && s->logit && s->weight &&
           (!whole || (s->batch.x && (s->batch.field || !model->n_field)));
}

static bool take_block(block *w, size_t rows, bool adjust) {
    w->forth = ebm_work_take(w->work, rows, sizeof *w->forth);
    w->accepted = ebm_work_take(w->work, rows, sizeof *w->accepted);
    w->unit = ebm_work_take(w->work, rows, sizeof *w->unit);
    w->before = ebm_work_take(w->work, rows, sizeof *w->before);
    return w->forth && w->accepted && w->unit && w->before &&
           take_side(&w->here, rows, w->model, w->changes, false, w->work) &&
           (!adjust || take_side(&w->there, rows, w->model, w->changes, true, w->work));
}

ebm_status ebm_discrete_walk(const ebm_proposal_law *law, bool adjust, const ebm_model *model, ebm_path path,
                             ebm_chains *chains, size_t proposals, ebm_work *work, ebm_error *error) {
    enum { SMALL = 1 << 14 /* changes: below this a parallel region costs more than it gains */ };
    const size_t V = model->space.size, F = model->n_field, B = chains->batch.count, mark = ebm_work_mark(work);
    ebm_batch *batch = &chains->batch;
    block w = {.law = law, .model = model, .path = path, .chains = chains, .work = work};
    w.changes = ebm_discrete_changes_count(&model->space);
    const size_t rows = block_rows(model, w.changes, B);
    w.threads = rows * w.changes > SMALL ? ebm_work_threads(work) : 1;
    ebm_status status = EBM_OK;
    if (proposals == 0)
        return EBM_OK;
    if (!take_block(&w, rows, adjust))
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory to propose from gradients for %zu chains at once", rows);
    bool field_ok = true;
    for (size_t first = 0; first < B && status == EBM_OK; first += rows) {
        w.count = B - first < rows ? B - first : rows;
        w.first_chain = chains->first_chain + (uint32_t)first;
        w.here.batch = (ebm_batch){.count = w.count,
                                   .x = batch->x + first * V,
                                   .field = F ? batch->field + first * F : NULL,
                                   .field_ok = batch->field_ok};
        w.there.batch.count = w.count;
        status = walk_block(&w, adjust, first, proposals, error);
        field_ok = field_ok && w.here.batch.field_ok;
    }
    batch->field_ok = status == EBM_OK && field_ok;
    batch->hidden_ok = false;
    chains->step += 2 * (uint64_t)proposals;
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_discrete_change_table(const ebm_state_table *table, ebm_path path, double **out, ebm_work *work,
                                     ebm_error *error) {
    const ebm_model *model = table->model;
    const size_t S = table->states, V = table->units, q = table->categories;
    const size_t C = ebm_discrete_changes_count(&model->space), own = C / V;
    double *d = *out = ebm_work_take(work, S * V * q, sizeof *d);
    const size_t mark = ebm_work_mark(work);
    ebm_real *gradient = ebm_work_take(work, S * C, sizeof *gradient);
    ebm_batch batch;
    if (!d || !gradient)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the gradients at %zu states", S);
    EBM_TRY(ebm_batch_create(model, S, &batch, error));
    ebm_states_fill(&model->space, 0, S, batch.x);
    ebm_model_field(model, &batch, work);
    model->type->grad_x(model, path, &batch, gradient, work);
    for (size_t s = 0; s < S; s++)
        for (size_t i = 0; i < V; i++) {
            const ebm_real *g = gradient + s * C + i * own;
            const size_t here = ebm_state_digit(table, s, i);
            for (size_t c = 0; c < q; c++)
                d[(s * V + i) * q + c] =
                    own > 1 ? (double)g[here] - (double)g[c]
                            : -(double)g[0] * (ebm_state_value(table, c) - ebm_state_value(table, here));
        }
    ebm_batch_free(&batch);
    ebm_work_release(work, mark);
    return EBM_OK;
}

/* T_ij = min(q(j | i), p_j q(i | j) / p_i): the flow p_i T_ij is symmetric by its form. */
void ebm_discrete_kernel(const ebm_state_table *table, bool adjust, double *T) {
    const size_t S = table->states;
    const double *log_p = table->log_p;
    if (!adjust) {
        for (size_t k = 0; k < S * S; k++)
            T[k] = exp(T[k]);
        return;
    }
    for (size_t i = 0; i < S; i++)
        for (size_t j = 0; j < i; j++) {
            const double forth = log_p[i] + T[i * S + j], back = log_p[j] + T[j * S + i];
            const double flow = fmin(forth, back);
            T[i * S + j] = exp(flow - log_p[i]);
            T[j * S + i] = exp(flow - log_p[j]);
        }
    for (size_t i = 0; i < S; i++) {
        double leave = 0;
        for (size_t j = 0; j < S; j++)
            leave += j == i ? 0 : T[i * S + j];
        T[i * S + i] = fmax(0, 1 - leave);
    }
}
