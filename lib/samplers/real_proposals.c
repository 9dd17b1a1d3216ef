/* Metropolis-Hastings and unadjusted walks on real rows (see real_proposals.h). */
#include "samplers/real_proposals.h"

#include <math.h>
#include <string.h>

typedef struct walk {
    ebm_real_walk seen; /* what the law is shown */
    double *log_ratio;  /* (count) */
    double *acceptance; /* (count): min(1, ratio), NAN where the ratio is not a number at a finite energy */
    double *accepted;   /* (count): 1 or 0 */
    bool adapting;
} walk;

/* Energies (adjusted walks) and gradients of one side. */
static void look(ebm_real_walk *w, ebm_real_side *side) {
    ebm_chains *chains = w->chains;
    if (w->law->gradient && w->law->adjust) {
        ebm_model_energy_grad_x(w->model, w->path, &side->batch, side->energy, side->gradient, w->work);
    } else {
        ebm_model_field(w->model, &side->batch, w->work);
        if (w->law->gradient)
            w->model->type->grad_x(w->model, w->path, &side->batch, side->gradient, w->work);
        else
            w->model->type->energy(w->model, w->path, &side->batch, side->energy, w->work);
    }
    chains->gradient_evaluations += w->law->gradient ? w->count : 0;
    chains->energy_evaluations += w->law->adjust ? w->count : 0;
}

static void draw_noise(const ebm_real_walk *w) {
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++)
        ebm_random_normal(w->chains->stream, w->chains->first_chain + (uint32_t)b, w->step, w->units,
                          w->noise + b * w->units);
}

/* The first unit at which a gradient of row b is NaN; V where none is. */
static size_t unit_without_gradient(const ebm_real_walk *w, const ebm_real_side *side, size_t b) {
    size_t i = 0;
    while (side->gradient && i < w->units && !isnan(side->gradient[b * w->units + i]))
        i++;
    return side->gradient ? i : w->units;
}

static ebm_status gradient_is_a_number(const ebm_real_walk *w, const ebm_real_side *side, size_t b, ebm_error *error) {
    const size_t i = unit_without_gradient(w, side, b);
    if (i == w->units)
        return EBM_OK;
    return ebm_fail(error, EBM_DIVERGED,
                    "the gradient of chain %zu by unit %zu is not a number at x = %g, where the model's energy is %g: "
                    "its grad_x or a parameter is wrong",
                    b, i, (double)side->batch.x[b * w->units + i], side->energy ? side->energy[b] : NAN);
}

static ebm_status start_is_sound(const ebm_real_walk *w, ebm_error *error) {
    for (size_t b = 0; b < w->count; b++) {
        if (w->law->adjust && !isfinite(w->here.energy[b]))
            return ebm_fail(
                error, EBM_DIVERGED,
                "the energy of chain %zu is %g where it starts: a parameter is not finite or far too large, "
                "or the start is outside the model's support",
                b, w->here.energy[b]);
        EBM_TRY(gradient_is_a_number(w, &w->here, b, error));
    }
    return EBM_OK;
}

static void move_row(size_t b, size_t size, const ebm_real *from, ebm_real *to) {
    if (size > 0)
        memcpy(to + b * size, from + b * size, size * sizeof *to);
}

/* An accepted row moves here with all that is known of it. */
static void accept_row(ebm_real_walk *w, size_t b) {
    move_row(b, w->units, w->there.batch.x, w->here.batch.x);
    move_row(b, w->model->n_field, w->there.batch.field, w->here.batch.field);
    if (w->law->gradient)
        move_row(b, w->units, w->there.gradient, w->here.gradient);
    w->here.energy[b] = w->there.energy[b];
    if (w->law->start)
        w->here.kept[b] = w->there.kept[b];
}

/* log u < E(x) - E(x') + log q(x | x') - log q(x' | x). A ratio that is not a number is a rejection. */
static ebm_status accept_or_reject(walk *own, ebm_error *error) {
    ebm_real_walk *w = &own->seen;
    double accepted = 0;
    const double tau = w->law->temperature > 0 ? w->law->temperature : 1;
    if (w->law->ratio)
        w->law->ratio(w, own->log_ratio);
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) {
        const bool possible = isfinite(w->there.energy[b]);
        const double log_ratio =
            (w->here.energy[b] - w->there.energy[b]) / tau + (w->law->ratio ? own->log_ratio[b] : 0);
        const double u = ebm_random_uniform1(w->chains->stream, w->chains->first_chain + (uint32_t)b, w->step + 1, 0);
        const bool accept = possible && log(u) < log_ratio;
        own->accepted[b] = accept;
        own->acceptance[b] = !possible          ? 0
                             : isnan(log_ratio) ? log_ratio
                             : own->adapting    ? exp(fmin(0, log_ratio))
                                                : accept;
        if (accept)
            accept_row(w, b);
    }
    for (size_t b = 0; b < w->count; b++) {
        accepted += own->accepted[b];
        if (isnan(own->acceptance[b]))
            EBM_TRY(gradient_is_a_number(w, &w->there, b, error));
    }
    w->chains->accepted += accepted;
    w->chains->proposed += (double)w->count;
    return EBM_OK;
}

static ebm_status adapt(const walk *own, uint64_t warmup_left, ebm_error *error) {
    const ebm_real_walk *w = &own->seen;
    double sum = 0;
    for (size_t b = 0; b < w->count; b++)
        sum += isnan(own->acceptance[b]) ? 0 : own->acceptance[b];
    return w->law->adapt(w, sum / (double)w->count, warmup_left, error);
}

static bool row_is_finite(size_t count, const ebm_real *x) {
    int wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong |= !isfinite(x[i]);
    return !wrong;
}

/* The walk has just moved to here.batch.x by here.gradient. */
static ebm_status still_finite(const ebm_real_walk *w, ebm_error *error) {
    if (row_is_finite(w->count * w->units, w->here.batch.x))
        return EBM_OK;
    for (size_t b = 0; b < w->count; b++)
        if (!row_is_finite(w->units, w->here.batch.x + b * w->units))
            return ebm_fail(error, EBM_DIVERGED,
                            "the unadjusted walk of chain %zu has left the finite numbers: its step is too large for "
                            "this target (it must stay below twice the smallest variance), or a gradient is not a "
                            "number: take a smaller step, or an adjusted sampler (mala)",
                            b);
    return EBM_OK;
}

static ebm_status unadjusted_step(walk *own, ebm_error *error) {
    ebm_real_walk *w = &own->seen;
    look(w, &w->here);
    draw_noise(w);
    w->law->propose(w);
    w->here.batch.field_ok = false;
    return still_finite(w, error);
}

static ebm_status adjusted_step(walk *own, uint64_t warmup_left, ebm_error *error) {
    ebm_real_walk *w = &own->seen;
    draw_noise(w);
    w->law->propose(w);
    w->there.batch.field_ok = false;
    look(w, &w->there);
    EBM_TRY(accept_or_reject(own, error));
    return own->adapting ? adapt(own, warmup_left, error) : EBM_OK;
}

static bool take_side(ebm_real_side *side, const ebm_real_walk *w, bool whole) {
    const size_t B = w->count, V = w->units, F = w->model->n_field;
    side->energy = w->law->adjust ? ebm_work_take(w->work, B, sizeof *side->energy) : NULL;
    side->gradient = w->law->gradient ? ebm_work_take(w->work, B * V, sizeof *side->gradient) : NULL;
    side->kept = w->law->start ? ebm_work_take(w->work, B, sizeof *side->kept) : NULL;
    if (whole) {
        side->batch.count = B;
        side->batch.x = ebm_work_take(w->work, B * V, sizeof(ebm_real));
        side->batch.field = F ? ebm_work_take(w->work, B * F, sizeof(ebm_real)) : NULL;
    }
    return (side->energy || !w->law->adjust) && (side->gradient || !w->law->gradient) &&
           (side->kept || !w->law->start) && side->batch.x && (side->batch.field || F == 0);
}

static bool take_walk(walk *own) {
    ebm_real_walk *w = &own->seen;
    const size_t B = w->count;
    w->noise = ebm_work_take(w->work, B * w->units, sizeof *w->noise);
    own->log_ratio = ebm_work_take(w->work, B, sizeof *own->log_ratio);
    own->acceptance = ebm_work_take(w->work, B, sizeof *own->acceptance);
    own->accepted = ebm_work_take(w->work, B, sizeof *own->accepted);
    if (!w->noise || !own->log_ratio || !own->acceptance || !own->accepted || !take_side(&w->here, w, false))
        return false;
    w->there = w->here;
    return !w->law->adjust || take_side(&w->there, w, true);
}

static ebm_status walk_on(walk *own, size_t steps, ebm_error *error) {
    ebm_real_walk *w = &own->seen;
    const uint64_t left = w->chains->warmup_left;
    if (w->law->adjust) {
        if (!ebm_present_recall(w->law->present, &w->here.batch, w->units, w->path, w->here.energy, w->here.gradient))
            look(w, &w->here);
        EBM_TRY(start_is_sound(w, error));
        if (w->law->start)
            w->law->start(w);
    }
    for (size_t s = 0; s < steps; s++, w->step += 2)
        if (w->law->adjust)
            EBM_TRY(adjusted_step(own, left > s ? left - s : 0, error));
        else
            EBM_TRY(unadjusted_step(own, error));
    if (w->law->adjust)
        ebm_present_keep(w->law->present, &w->here.batch, w->units, w->path, w->here.energy, w->here.gradient);
    return EBM_OK;
}

ebm_status ebm_real_proposals_walk(const ebm_real_law *law, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                   size_t steps, ebm_work *work, ebm_error *error) {
    enum { SMALL = 1 << 14 /* reals: below this a parallel region costs more than it gains */ };
    const size_t mark = ebm_work_mark(work), B = chains->batch.count, V = model->space.size;
    walk own = {.seen = {.law = law, .model = model, .path = path, .chains = chains, .count = B, .units = V}};
    if (steps == 0 || B == 0)
        return EBM_OK;
    own.seen.here.batch = chains->batch;
    own.seen.step = chains->step;
    own.seen.threads = B * V > SMALL ? ebm_work_threads(work) : 1;
    own.seen.work = work;
    own.adapting = chains->adapting && law->adapt;
    ebm_status status = take_walk(&own)
                            ? walk_on(&own, steps, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory to walk with %zu chains of %zu units", B, V);
    chains->batch.field_ok = status == EBM_OK && own.seen.here.batch.field_ok;
    chains->batch.hidden_ok = false;
    chains->step += 2 * (uint64_t)steps;
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_real_proposals_moved(const char *sampler, const ebm_chains *chains, double step, ebm_error *error) {
    if (chains->adapting || !(chains->proposed > 0) || chains->accepted > 0)
        return EBM_OK;
    return ebm_fail(error, EBM_DIVERGED,
                    "sampler %s accepted none of %.0f proposals at step %g: the step is too large for this target, or "
                    "the warm-up too short to find one",
                    sampler, chains->proposed, step);
}
