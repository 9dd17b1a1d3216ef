/* Sweeps of single-site updates through a model's conditionals, and their kernel.
 *
 * P_i updates unit i given all others (ebm_site_rule). With V units a sweep is
 *   systematic     P_0 P_1 ... P_(V-1)
 *   random         ((P_0 + ... + P_(V-1)) / V)^V
 *   checkerboard   the P_i of colour 0, then those of colour 1; within a colour they commute
 * Each P_i satisfies detailed balance, so that the random scan does too; a product in a fixed order only leaves p
 * invariant (Geman & Geman 1984; Liu 2001, section 6.1).
 *
 * Descent (EBM_DESCENT) is each of these at zero temperature, with a permutation as its random scan; it has no law to leave
 * invariant.
 *
 * A model's own fused sweep goes first; where it has none, all rows take one update at a time through `site`. The field
 * is made anew at the start of each sweep: `site_changed` adds a rounding at every change, and over millions of sweeps
 * these would pile up. */
#include "samplers/single_site.h"

#include "samplers/state_table.h"

#include "ebm/special.h"

#include <math.h>
#include <string.h>

static const char *const scan_names[] = {"systematic", "random", "checkerboard", NULL};

#define AT(member) EBM_OFFSET(ebm_single_site_options, member)
const ebm_option ebm_single_site_table[] = {
    {"scan", EBM_OPTION_CHOICE, AT(scan), "systematic", 0, 0, scan_names, 0,
     "order of a sweep: all units in turn, as many drawn at random, or one colour of a two-coloured graph after the "
     "other"},
    {"sweeps", EBM_OPTION_INT, AT(sweeps), "1", 1, 1e6, NULL, 0, "sweeps that make one step"},
    EBM_OPTIONS_END,
};

ebm_status ebm_single_site_check(const void *options, const ebm_model_type *model, ebm_error *error) {
    const ebm_single_site_options *o = options;
    if (o->scan == EBM_SCAN_CHECKERBOARD && !model->graph)
        return ebm_fail(error, EBM_UNSUPPORTED, "a checkerboard scan needs graph, model %s has none", model->info.name);
    return EBM_OK;
}

ebm_status ebm_single_site_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const ebm_single_site_options *o = sampler->options;
    const ebm_model_type *type = model->type;
    const bool real = model->space.domain == EBM_REAL_LINE;
    if (real ? !type->sample_site : !type->site)
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s needs %s on %s units, model %s has none",
                        sampler->type->info.name, real ? "sample_site" : "site", ebm_domain_name(model->space.domain),
                        type->info.name);
    if (o->scan == EBM_SCAN_CHECKERBOARD && real)
        return ebm_fail(error, EBM_UNSUPPORTED, "a checkerboard scan is for discrete units: take systematic or random");
    if (o->scan == EBM_SCAN_CHECKERBOARD && !type->graph(model)->colour)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "a checkerboard scan needs a graph with two colours: this graph of model %s has an odd cycle "
                        "(on a torus: an odd number of rows or columns)",
                        type->info.name);
    sampler->reversible = o->scan == EBM_SCAN_RANDOM;
    return EBM_OK;
}

/* order (V): the unit at each position of a sweep, where all rows visit the same. */
static void scan_order(const ebm_model *model, ebm_scan scan, uint32_t *order) {
    const size_t V = model->space.size;
    const uint8_t *colour = scan == EBM_SCAN_CHECKERBOARD ? model->type->graph(model)->colour : NULL;
    size_t position = 0;
    for (int c = 0; c < 2; c++)
        for (size_t i = 0; i < V; i++)
            if ((colour ? colour[i] : 0) == c)
                order[position++] = (uint32_t)i;
}

/* Rows that go through the sweeps together, and scratch for them. */
typedef struct site_walk {
    const ebm_model *model;
    ebm_path path;
    ebm_sweeps *sweeps;
    size_t numbers;     /* uniforms of a row and sweep */
    size_t logits;      /* of a row */
    uint32_t *order;    /* (V); (rows, V) where each row has its own */
    bool own_orders;    /* descent in random order */
    uint32_t *units;    /* (rows) */
    ebm_real *before;   /* (rows) */
    ebm_real *logit;    /* (rows, logits) */
    ebm_real *uniforms; /* (rows, numbers): [V that choose a unit,] V that decide [, V that propose] */
} site_walk;

/* Uniforms of a block of rows: 4 MB in float. */
enum { MOST_NUMBERS = 1 << 20 };

static size_t rows_together(const site_walk *w, size_t rows) {
    const size_t numbers = w->own_orders ? w->model->space.size : w->numbers ? w->numbers : 1;
    const size_t most = numbers < MOST_NUMBERS ? MOST_NUMBERS / numbers : 1;
    return rows < most ? rows : most;
}

static ebm_status take_walk(site_walk *w, size_t rows, ebm_work *work, ebm_error *error) {
    const size_t V = w->model->space.size;
    w->order = ebm_work_take(work, w->own_orders ? rows * V : V, sizeof *w->order);
    w->units = ebm_work_take(work, rows, sizeof *w->units);
    w->before = ebm_work_take(work, rows, sizeof *w->before);
    w->logit = ebm_work_take(work, rows * w->logits, sizeof *w->logit);
    w->uniforms = ebm_work_take(work, rows * w->numbers + 1, sizeof *w->uniforms);
    if (!w->order || !w->units || !w->before || !w->logit || !w->uniforms)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to update %zu chains of %zu units", rows, V);
    scan_order(w->model, w->sweeps->scan, w->order);
    return EBM_OK;
}

/* Rows first ... first + rows - 1 as a batch of their own, on the same memory. */
static ebm_batch part_of(const ebm_model *model, const ebm_batch *batch, size_t first, size_t rows) {
    ebm_batch part = {.count = rows, .x = batch->x + first * model->space.size};
    part.field = batch->field ? batch->field + first * model->n_field : NULL;
    part.hidden = batch->hidden ? batch->hidden + first * model->n_hidden : NULL;
    return part;
}

static void choose_units(const site_walk *w, size_t position, size_t rows) {
    const double V = (double)w->model->space.size;
    for (size_t b = 0; b < rows; b++)
        w->units[b] = w->own_orders ? w->order[b * w->model->space.size + position]
                      : w->sweeps->scan == EBM_SCAN_RANDOM
                          ? (uint32_t)((double)w->uniforms[b * w->numbers + position] * V)
                          : w->order[position];
}

/* Units of the rows have changed from `before`. */
static void renew_field(const site_walk *w, ebm_batch *batch, ebm_work *work) {
    if (w->model->type->site_changed) {
        w->model->type->site_changed(w->model, batch, w->units, w->before, work);
        return;
    }
    batch->field_ok = false;
    ebm_model_field(w->model, batch, work);
}

/* Inverse of the distribution function of weights exp(log_weight) at u in (0, 1). */
static size_t draw_category(const ebm_real *log_weight, size_t q, double u) {
    size_t likeliest = 0;
    double total = 0, sum = 0;
    for (size_t c = 1; c < q; c++)
        likeliest = log_weight[c] > log_weight[likeliest] ? c : likeliest;
    const double highest = (double)log_weight[likeliest];
    for (size_t c = 0; c < q; c++)
        total += exp((double)log_weight[c] - highest);
    for (size_t c = 0; c < q; c++) {
        sum += exp((double)log_weight[c] - highest);
        if (u * total < sum)
            return c;
    }
    return likeliest; /* never: the two sums are the same */
}

static bool accepts(double log_ratio, double u) {
    return log_ratio >= 0 || u < exp(log_ratio);
}

/* One row's new value; *accepted is raised where a proposal is. */
static ebm_real new_value(const site_walk *w, const ebm_real *logit, ebm_real value, const ebm_real *decide,
                          double *accepted) {
    const size_t V = w->model->space.size, q = w->logits;
    const double u = (double)*decide;
    if (w->sweeps->rule == EBM_HEAT_BATH) {
        if (q > 1)
            return (ebm_real)draw_category(logit, q, u);
        const bool up = u < ebm_sigmoid((double)*logit);
        return up ? 1 : w->model->space.domain == EBM_SPIN ? -1 : 0;
    }
    ebm_real other;
    double log_ratio;
    if (q > 1) {
        const size_t here = (size_t)value, k = (size_t)((double)decide[V] * (double)(q - 1)), to = k + (k >= here);
        other = (ebm_real)to;
        log_ratio = (double)logit[to] - (double)logit[here];
    } else {
        const bool up = value > 0;
        other = !up ? 1 : w->model->space.domain == EBM_SPIN ? -1 : 0;
        log_ratio = up ? -(double)*logit : (double)*logit;
    }
    if (!accepts(log_ratio, u))
        return value;
    ++*accepted;
    return other;
}

/* One row's unit x by descent, as long as changes are left to it. */
static void descend_row(const site_walk *w, const ebm_real *logit, uint32_t *left, ebm_real *x) {
    const ebm_real to = ebm_most_probable(&w->model->space, logit, *x);
    if (to == *x || (left && *left == 0))
        return;
    *x = to;
    w->sweeps->accepted++;
    if (left)
        --*left;
}

static void sweep_rows(const site_walk *w, ebm_batch *batch, uint32_t first_chain, ebm_work *work) {
    const size_t V = w->model->space.size, rows = batch->count;
    const size_t decide = w->sweeps->scan == EBM_SCAN_RANDOM ? V : 0;
    const bool descent = w->sweeps->rule == EBM_DESCENT;
    uint32_t *left = w->sweeps->left ? w->sweeps->left + (first_chain - w->sweeps->first_chain) : NULL;
    for (size_t s = 0; s < w->sweeps->count; s++) {
        batch->field_ok = false;
        ebm_model_field(w->model, batch, work);
        for (size_t b = 0; b < rows; b++)
            if (w->own_orders)
                ebm_random_order(w->sweeps->stream, first_chain + (uint32_t)b, w->sweeps->step + s, V,
                                 w->order + b * V);
            else if (!descent)
                ebm_random_uniform(w->sweeps->stream, first_chain + (uint32_t)b, w->sweeps->step + s, w->numbers,
                                   w->uniforms + b * w->numbers);
        for (size_t position = 0; position < V; position++) {
            choose_units(w, position, rows);
            w->model->type->site(w->model, w->path, batch, w->units, w->logit, work);
            for (size_t b = 0; b < rows; b++) {
                ebm_real *x = batch->x + b * V + w->units[b];
                w->before[b] = *x;
                if (descent) {
                    descend_row(w, w->logit + b * w->logits, left ? left + b : NULL, x);
                    continue;
                }
                *x = new_value(w, w->logit + b * w->logits, *x, w->uniforms + b * w->numbers + decide + position,
                               &w->sweeps->accepted);
            }
            renew_field(w, batch, work);
        }
    }
}

/* The same on real spaces: a sweep of V + 1 steps, of which the first chooses the units. */
static void sample_rows(const site_walk *w, ebm_batch *batch, uint32_t first_chain, ebm_work *work) {
    const size_t V = w->model->space.size, rows = batch->count;
    for (size_t s = 0; s < w->sweeps->count; s++) {
        const uint64_t step = w->sweeps->step + s * (V + 1);
        batch->field_ok = false;
        ebm_model_field(w->model, batch, work);
        for (size_t b = 0; w->sweeps->scan == EBM_SCAN_RANDOM && b < rows; b++)
            ebm_random_uniform(w->sweeps->stream, first_chain + (uint32_t)b, step, V, w->uniforms + b * V);
        for (size_t position = 0; position < V; position++) {
            choose_units(w, position, rows);
            for (size_t b = 0; b < rows; b++)
                w->before[b] = batch->x[b * V + w->units[b]];
            w->model->type->sample_site(w->model, w->path, batch, w->units, w->sweeps->stream, first_chain,
                                        step + 1 + position, work);
            renew_field(w, batch, work);
        }
    }
}

static ebm_status sweep_by_units(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps,
                                 ebm_work *work, ebm_error *error) {
    const bool real = model->space.domain == EBM_REAL_LINE, choices = model->space.domain == EBM_CATEGORICAL;
    const size_t mark = ebm_work_mark(work), random = sweeps->scan == EBM_SCAN_RANDOM;
    const size_t proposals = choices && sweeps->rule == EBM_METROPOLIS;
    site_walk w = {.model = model, .path = path, .sweeps = sweeps};
    w.own_orders = sweeps->rule == EBM_DESCENT && random;
    w.numbers = sweeps->rule == EBM_DESCENT ? 0 : model->space.size * (real ? 1 : 1 + random + proposals);
    w.logits = ebm_site_logits(&model->space);
    const size_t together = rows_together(&w, batch->count);
    ebm_status status = take_walk(&w, together, work, error);
    for (size_t first = 0; status == EBM_OK && first < batch->count; first += together) {
        const size_t left = batch->count - first;
        ebm_batch part = part_of(model, batch, first, left < together ? left : together);
        (real ? sample_rows : sweep_rows)(&w, &part, sweeps->first_chain + (uint32_t)first, work);
    }
    batch->field_ok = status == EBM_OK;
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_single_site_end(const ebm_model *model, ebm_path path, ebm_chains *chains, ebm_work *work) {
    ebm_batch *batch = &chains->batch;
    batch->hidden_ok = false;
    if (chains->keep_hidden && model->n_hidden > 0 && model->type->sample_hidden) {
        ebm_model_field(model, batch, work);
        model->type->sample_hidden(model, path, batch, chains->stream, chains->first_chain, chains->step++, work);
    }
    return EBM_OK;
}

ebm_status ebm_single_site_step(ebm_site_rule rule, const ebm_sampler *sampler, const ebm_model *model, ebm_path path,
                                ebm_chains *chains, size_t steps, ebm_work *work, ebm_error *error) {
    const ebm_single_site_options *o = sampler->options;
    return ebm_single_site_sweeps(rule, (ebm_scan)o->scan, steps * (size_t)o->sweeps, NULL, model, path, chains, work,
                                  error);
}

ebm_status ebm_single_site_sweeps(ebm_site_rule rule, ebm_scan scan, size_t count, uint32_t *left,
                                  const ebm_model *model, ebm_path path, ebm_chains *chains, ebm_work *work,
                                  ebm_error *error) {
    const ebm_model_type *type = model->type;
    const size_t V = model->space.size;
    ebm_batch *batch = &chains->batch;
    ebm_sweeps sweeps = {.rule = rule,
                         .scan = scan,
                         .count = count,
                         .stream = chains->stream,
                         .first_chain = chains->first_chain,
                         .step = chains->step,
                         .left = left};
    uint64_t used = sweeps.count;
    if (!type->sweep || !type->sweep(model, path, batch, &sweeps, work)) {
        EBM_TRY(sweep_by_units(model, path, batch, &sweeps, work, error));
        used *= model->space.domain == EBM_REAL_LINE ? V + 1 : 1;
    }
    chains->step += used;
    const uint64_t updates = (uint64_t)sweeps.count * batch->count * V;
    chains->site_updates += updates;
    if (rule != EBM_HEAT_BATH) {
        chains->proposed += (double)updates;
        chains->accepted += sweeps.accepted;
    }
    return ebm_single_site_end(model, path, chains, work);
}

/* T <- T (P_0 + ... + P_(V-1)) / V */
static ebm_status update_any_unit(const ebm_state_table *t, ebm_site_rule rule, double *T, ebm_work *work,
                                  ebm_error *error) {
    const size_t S = t->states, mark = ebm_work_mark(work);
    double *sum = ebm_work_take(work, S * S, sizeof *sum), *next = ebm_work_take(work, S * S, sizeof *next);
    if (!sum || !next) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a kernel of %zu states", S);
    }
    memset(sum, 0, S * S * sizeof *sum);
    for (size_t i = 0; i < t->units; i++) {
        memcpy(next, T, S * S * sizeof *next);
        ebm_kernel_update_unit(t, rule, i, next, work);
        for (size_t k = 0; k < S * S; k++)
            sum[k] += next[k];
    }
    for (size_t k = 0; k < S * S; k++)
        T[k] = sum[k] / (double)t->units;
    ebm_work_release(work, mark);
    return EBM_OK;
}

ebm_status ebm_single_site_kernel(ebm_site_rule rule, const ebm_sampler *sampler, const ebm_model *model, ebm_path path,
                                  size_t S, double *T, ebm_work *work, ebm_error *error) {
    const ebm_single_site_options *o = sampler->options;
    const size_t V = model->space.size, mark = ebm_work_mark(work), updates = (size_t)o->sweeps * V;
    ebm_state_table table;
    ebm_status status = ebm_state_table_create(model, path, S, &table, work, error);
    uint32_t *order = status == EBM_OK ? ebm_work_take(work, V, sizeof *order) : NULL;
    if (status == EBM_OK && !order)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for the order of %zu units", V);
    if (status == EBM_OK) {
        scan_order(model, (ebm_scan)o->scan, order);
        ebm_kernel_identity(S, T);
    }
    for (size_t k = 0; status == EBM_OK && k < updates; k++)
        if (o->scan == EBM_SCAN_RANDOM)
            status = update_any_unit(&table, rule, T, work, error);
        else
            ebm_kernel_update_unit(&table, rule, order[k % V], T, work);
    ebm_work_release(work, mark);
    return status;
}
