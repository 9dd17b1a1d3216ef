/* Recall of stored patterns from damaged ones: each pattern is damaged in n units, the sampler walks from there until it
 * stands still, and the end is compared with the pattern,
 *
 *   overlap m = (1/V) sum_i y_i x_i        (0/1 units: as spins)
 *
 * for a list of damages n / V. A pattern's damages are nested: more of it adds units to those already hit. The basin's
 * radius is the largest damage up to which at least `success` of the patterns are recalled, between two entries of the
 * list by linear interpolation of that share. */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"
#include "ebm/recall.h"

#include <math.h>

typedef struct recall_options {
    ebm_reals noise;
    int cue;
    int64_t patterns, limit;
    double overlap, success;
    bool curve;
} recall_options;

enum { CUE_FLIP, CUE_MASK, CUE_BLANK };
static const char *const cue_names[] = {"flip", "mask", "blank", NULL};

#define AT(member) EBM_OFFSET(recall_options, member)
static const ebm_option recall_table[] = {
    {"noise", EBM_OPTION_REALS, AT(noise), "0.1", 0, 1, NULL, 0, "shares of the units that are damaged, rising"},
    {"cue", EBM_OPTION_CHOICE, AT(cue), "flip", 0, 0, cue_names, 0,
     "damage: random units flipped; the last units (of a picture: the lower part) at random; the last units down"},
    EBM_LIMIT_OPTION("patterns", AT(patterns), "0", "only the first so many training examples; 0: all"),
    {"limit", EBM_OPTION_INT, AT(limit), "1000", 1, 1e9, NULL, 0, "most steps of the sampler from a cue"},
    {"overlap", EBM_OPTION_REAL, AT(overlap), "0.97", -1, 1, NULL, 0,
     "overlap from which a pattern counts as recalled"},
    {"success", EBM_OPTION_REAL, AT(success), "0.9", 0, 1, NULL, 0,
     "share of patterns to be recalled inside the basin's radius"},
    {"curve", EBM_OPTION_BOOL, AT(curve), "true", 0, 0, NULL, 0,
     "rows for each entry of `noise`, at step = units damaged; false: the basin's radius alone"},
    EBM_OPTIONS_END,
};

static const ebm_metric recall_metrics[] = {
    {"recall_overlap", "", true, "mean overlap of the end with the pattern, by units damaged; s.e. over patterns"},
    {"recall_share", "", true, "share of patterns recalled, by units damaged; s.e. over patterns"},
    {"recall_settled", "", true, "share of walks that came to rest, by units damaged; s.e. over patterns"},
    {"recall_steps", "steps", true, "mean steps that changed something, by units damaged; s.e. over patterns"},
    {"basin_radius", "", true, "largest share of damaged units from which patterns are recalled"},
    EBM_METRICS_END,
};

/* Where the walks end: an entry for each pattern. */
typedef ebm_recall_ends ends;

static ebm_status recall_all(const ebm_recall_task *task, uint32_t seed, size_t count, const ends *out, ebm_work *work,
                             ebm_error *error) {
    const size_t rows = ebm_block_rows(task->model, count);
    ebm_chains chains;
    ebm_status status = ebm_chains_create(task->model, rows, ebm_stream_of(seed, EBM_PURPOSE_ESTIMATE), &chains, error);
    for (size_t first = 0; first < count && status == EBM_OK; first += rows) {
        chains.batch.count = count - first < rows ? count - first : rows;
        status = ebm_recall_walk(task, first, &chains, out, work, error);
    }
    ebm_chains_free(&chains);
    return status;
}

static ebm_status emit_point(const ends *e, size_t count, uint64_t step, ebm_sink *sink, ebm_error *error) {
    const struct {
        const char *name;
        const double *values;
    } rows[] = {{"recall_overlap", e->overlap},
                {"recall_share", e->recalled},
                {"recall_settled", e->settled},
                {"recall_steps", e->steps}};
    sink->at(sink, step);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const ebm_mean_value value = ebm_mean_of(rows[k].values, count);
        EBM_TRY(sink->emit(sink, rows[k].name, value.mean, value.se, error));
    }
    return EBM_OK;
}

/* One entry of the list after another; `radius` grows while enough is recalled. */
typedef struct basin {
    double radius, last_noise, last_share;
    bool left;
} basin;

static void extend_basin(basin *b, size_t k, double noise, double share, double success) {
    if (!b->left && share >= success)
        b->radius = noise;
    else if (!b->left) {
        b->left = true;
        if (k > 0)
            b->radius += (noise - b->last_noise) * (b->last_share - success) / (b->last_share - share);
    }
    b->last_noise = noise;
    b->last_share = share;
}

/* `units` of V units are damaged. last (V): scratch. */
static void damage(ebm_cue *cue, int kind, size_t units, size_t V, bool *last) {
    cue->flips = kind == CUE_FLIP ? units : 0;
    cue->fill_random = kind == CUE_MASK;
    cue->unknown = last;
    for (size_t i = 0; i < V; i++)
        last[i] = kind != CUE_FLIP && i >= V - units;
}

static ebm_status recall_list(const recall_options *o, const ebm_estimate_inputs *in, size_t count,
                              ebm_recall_task *task, bool *last, const ends *e, ebm_sink *sink, ebm_error *error) {
    const size_t V = in->model->space.size;
    basin b = {0, 0, 0, false};
    for (size_t k = 0; k < o->noise.count; k++) {
        const size_t units = (size_t)(o->noise.values[k] * (double)V + 0.5);
        damage(&task->cue, o->cue, units, V, last);
        EBM_TRY(recall_all(task, in->seed, count, e, in->work, error));
        extend_basin(&b, k, (double)units / (double)V, ebm_mean_of(e->recalled, count).mean, o->success);
        if (o->curve)
            EBM_TRY(emit_point(e, count, units, sink, error));
    }
    sink->at(sink, in->step);
    return o->noise.count > 1 ? sink->emit(sink, "basin_radius", b.radius, NAN, error) : EBM_OK;
}

static ebm_status recall_check(const recall_options *o, const ebm_estimate_inputs *in, ebm_error *error) {
    const ebm_space *space = &in->model->space;
    if (space->domain != EBM_BINARY && space->domain != EBM_SPIN)
        return ebm_fail(error, EBM_UNSUPPORTED, "recall is of units with two values; model %s has %s units",
                        in->model->type->info.name, ebm_domain_name(space->domain));
    if (!ebm_space_equal(space, &in->data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the patterns are on different spaces");
    if (o->noise.count == 0)
        return ebm_fail(error, EBM_INVALID, "recall needs at least one share of damaged units in `noise`");
    for (size_t k = 1; k < o->noise.count; k++)
        if (!(o->noise.values[k] > o->noise.values[k - 1]))
            return ebm_fail(error, EBM_INVALID, "recall: the shares in `noise` must rise; %g stands before %g",
                            o->noise.values[k - 1], o->noise.values[k]);
    return EBM_OK;
}

static ebm_status recall_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                  ebm_error *error) {
    const recall_options *o = options;
    EBM_TRY(recall_check(o, in, error));
    const size_t count = ebm_limited(in->data->train.count, o->patterns), V = in->model->space.size;
    const size_t mark = ebm_work_mark(in->work);
    if (count == 0)
        return EBM_OK;
    double *values = ebm_work_take(in->work, 4 * count, sizeof *values);
    bool *last = ebm_work_take(in->work, V, sizeof *last);
    ebm_status status = EBM_OK;
    if (!values || !last)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu patterns of %zu units", count, V);
    if (status == EBM_OK) {
        const ends e = {
            .overlap = values, .recalled = values + count, .settled = values + 2 * count, .steps = values + 3 * count};
        ebm_recall_task task = {
            .model = in->model,
            .sampler = in->sampler,
            .path = in->path,
            .data = in->data,
            .cue = {.stream = ebm_stream_of(in->seed, EBM_PURPOSE_RECALL), .step = ebm_estimate_step(in)},
            .limit = (size_t)o->limit,
            .scored = V,
            .recalled = o->overlap};
        status = recall_list(o, in, count, &task, last, &e, sink, error);
    }
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_recall = {
    .info = {"recall", "stored patterns recalled from damaged ones: overlaps, shares, the basin's radius",
             "Hopfield 1982; Amit, Gutfreund & Sompolinsky 1985", recall_table, sizeof(recall_options)},
    .needs_data = true,
    .needs_sampler = true,
    .metrics = recall_metrics,
    .estimate = recall_estimate,
};
