/* The runner `recall`: patterns are stored, cues are made from them, and the case's sampler walks back.
 *
 * Training is that of the runner learn. Then, for each share of flipped units in `noise`, every pattern y (a training
 * example) is made into a cue x: units under the mask are unknown and start at random (or down), and of the known ones
 * that share is flipped. The sampler walks from x until a step changes nothing; the end is scored by its overlap with
 * y. The expanded network (`extra`) stores each pattern with random units appended, which no cue knows; overlaps are of
 * the units that are not appended. All cases of a seed see the same cues: a unit flipped at one share is flipped at every
 * larger one. Rows stand at step = units flipped. Pictures go into sheets: stored.csv, and cue-SHARE.csv and
 * recalled-SHARE.csv with grey for what is unknown. */
#include "runners.h"
#include "training.h"

#include "ebm/likelihood.h"
#include "ebm/npy.h"
#include "ebm/recall.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum mask { MASK_NONE, MASK_LEFT, MASK_RIGHT, MASK_TOP, MASK_BOTTOM, MASK_RANDOM, MASK_FILE } mask;
static const char *const mask_names[] = {"none", "left", "right", "top", "bottom", "random", "file", NULL};
enum { FILL_RANDOM, FILL_BACKGROUND };
static const char *const fill_names[] = {"random", "background", NULL};

typedef struct recall_options {
    ebm_training training;
    ebm_reals noise;
    int mask, fill;
    double masked, overlap;
    char *mask_file;
    int64_t extra, unknown, patterns, sweeps, shown;
} recall_options;

#define AT(member) offsetof(recall_options, member)
static const ebm_option recall_table[] = {
    EBM_TRAINING_OPTIONS(recall_options, training),
    {"noise", EBM_OPTION_REALS, AT(noise), "0.1", 0, 1, NULL, 0, "shares of the known units that are flipped, rising"},
    {"mask", EBM_OPTION_CHOICE, AT(mask), "none", 0, 0, mask_names, 0,
     "unknown units: none, half of a picture, a share of the units drawn for each pattern, or those of mask_file"},
    {"masked", EBM_OPTION_REAL, AT(masked), "0.5", 0, 1, NULL, 0, "share of the units that mask random hides"},
    {"mask_file", EBM_OPTION_STRING, AT(mask_file), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     ".npy array of the pictures' shape, other than 0 where a unit is unknown"},
    {"fill", EBM_OPTION_CHOICE, AT(fill), "random", 0, 0, fill_names, 0,
     "how unknown units start: up or down at random, or down"},
    {"extra", EBM_OPTION_INT, AT(extra), "0", 0, 1e6, NULL, 0,
     "random units appended to every pattern before it is stored (the expanded network)"},
    {"unknown", EBM_OPTION_INT, AT(unknown), "-1", -1, 1e9, NULL, 0,
     "so many of the last units are unknown and not scored; -1: those of `extra`. Appended units are never scored"},
    {"patterns", EBM_OPTION_INT, AT(patterns), "0", 0, 1e9, NULL, 0, "recall only the first so many; 0: all"},
    {"sweeps", EBM_OPTION_INT, AT(sweeps), "1000", 1, 1e9, NULL, 0, "most steps of the sampler from a cue"},
    {"overlap", EBM_OPTION_REAL, AT(overlap), "0.97", -1, 1, NULL, 0,
     "overlap from which a pattern counts as recalled"},
    {"shown", EBM_OPTION_INT, AT(shown), "0", 0, 10000, NULL, 0,
     "pictures in each sheet: the first patterns, in a row"},
    EBM_OPTIONS_END,
};

static const ebm_metric recall_metrics[] = {
    {"flipped", "", false, "share of the known units that are flipped"},
    {"cue_overlap", "", true, "mean overlap of the cue, as the walk starts, with the pattern; s.e. over patterns"},
    {"overlap", "", true, "mean overlap of the end with the pattern; s.e. over patterns"},
    {"recalled", "", true, "share of patterns whose overlap is at least `overlap`; s.e. over patterns"},
    {"converged", "", true, "share of walks that came to rest; s.e. over patterns"},
    {"sweeps", "steps", true, "mean steps of the sampler that changed something; s.e. over patterns"},
    EBM_METRICS_END,
};

/* A case under way. */
typedef struct recalling {
    const recall_options *options;
    ebm_subject subject;
    size_t count, hidden, scored,
        shown;          /* patterns, last units unknown to all cues, units scored, pictures in sheets */
    size_t known, lost; /* units outside the common mask, and those of them that mask random hides */
    bool *unknown;      /* (V): the common mask */
    ebm_chains chains;
    double *scores;   /* (5, count) */
    ebm_real *sheets; /* (3, shown, V) */
    ebm_recall_ends ends;
} recalling;

/* Each value one of the two that a unit can have. */
static ebm_status check_patterns(const recalling *r, ebm_error *error) {
    const ebm_subject *s = &r->subject;
    const ebm_space *space = &s->data.space;
    if (space->domain != EBM_SPIN && space->domain != EBM_BINARY)
        return ebm_fail(error, EBM_UNSUPPORTED, "recall is of units with two values, the data have %s units",
                        ebm_domain_name(space->domain));
    const ebm_real down = space->domain == EBM_SPIN ? -1 : 0;
    const size_t V = space->size, mark = ebm_work_mark(s->work);
    ebm_status status = EBM_OK;
    ebm_real *y = ebm_work_take(s->work, V, sizeof *y);
    if (!y)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a pattern of %zu units", V);
    for (size_t p = 0; p < r->count && status == EBM_OK; p++) {
        ebm_examples_fixed(&s->data, &s->data.train, p, 1, y);
        for (size_t i = 0; i < V && status == EBM_OK; i++)
            if (y[i] != 1 && y[i] != down)
                status = ebm_fail(error, EBM_INVALID, "unit %zu of pattern %zu is %g, expected %g or 1", i, p,
                                  (double)y[i], (double)down);
    }
    ebm_work_release(s->work, mark);
    return status;
}

static ebm_status check_noise(const recalling *r, ebm_error *error) {
    const ebm_reals *noise = &r->options->noise;
    const double units = (double)(r->known - r->lost);
    if (noise->count == 0)
        return ebm_fail(error, EBM_INVALID, "recall needs at least one share of flipped units in `noise`");
    for (size_t k = 1; k < noise->count; k++)
        if (!(floor(noise->values[k] * units + 0.5) > floor(noise->values[k - 1] * units + 0.5)))
            return ebm_fail(error, EBM_INVALID,
                            "the shares in `noise` must rise by a unit or more: %g stands before %g, and %g units are "
                            "known",
                            noise->values[k - 1], noise->values[k], units);
    return EBM_OK;
}

/* The units of a half are those of the columns or rows from 0, or up to the last, of which there are (n + 1) / 2. */
static ebm_status half_mask(recalling *r, ebm_error *error) {
    const ebm_space *space = &r->subject.visible;
    const int kind = r->options->mask;
    if (space->rank != 2)
        return ebm_fail(error, EBM_INVALID, "mask %s hides half of a picture, but the patterns are %zu units in a line",
                        mask_names[kind], space->size);
    const size_t rows = space->shape[0], columns = space->shape[1];
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < columns; x++)
            r->unknown[y * columns + x] = kind == MASK_LEFT    ? x < (columns + 1) / 2
                                          : kind == MASK_RIGHT ? x >= columns / 2
                                          : kind == MASK_TOP   ? y < (rows + 1) / 2
                                                               : y >= rows / 2;
    return EBM_OK;
}

static ebm_status file_mask(recalling *r, ebm_error *error) {
    const ebm_space *space = &r->subject.visible;
    const char *path = r->options->mask_file;
    ebm_npy file;
    if (!path)
        return ebm_fail(error, EBM_INVALID, "mask file needs its path in mask_file");
    EBM_TRY(ebm_npy_read(path, (size_t)1 << 30, &file, error));
    bool same = file.rank == space->rank;
    for (unsigned d = 0; same && d < file.rank; d++)
        same = file.shape[d] == space->shape[d];
    for (size_t i = 0; same && i < space->size; i++)
        r->unknown[i] = ebm_npy_value(&file, i) != 0;
    ebm_status status = EBM_OK;
    if (!same && file.rank == 2 && space->rank == 2)
        status = ebm_fail(error, EBM_INVALID, "%s is a mask of %zu x %zu, but the pictures are %zu x %zu", path,
                          file.shape[0], file.shape[1], space->shape[0], space->shape[1]);
    else if (!same)
        status = ebm_fail(error, EBM_INVALID, "%s: its %zu values in rank %u do not fit patterns of %zu units, rank %u",
                          path, file.count, file.rank, space->size, space->rank);
    ebm_npy_free(&file);
    return status;
}

/* Which units are unknown, and which are scored. */
static ebm_status set_mask(recalling *r, ebm_error *error) {
    const recall_options *o = r->options;
    const size_t V = r->subject.data.space.size, visible = r->subject.visible.size;
    r->hidden = (size_t)(o->unknown < 0 ? o->extra : o->unknown);
    if (r->hidden >= V)
        return ebm_fail(error, EBM_INVALID, "unknown is %zu, but the patterns have %zu units: some must be known",
                        r->hidden, V);
    r->scored = V - r->hidden < visible ? V - r->hidden : visible;
    r->unknown = ebm_alloc(V, sizeof *r->unknown);
    if (!r->unknown)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a mask of %zu units", V);
    if (o->mask == MASK_FILE)
        EBM_TRY(file_mask(r, error));
    else if (o->mask != MASK_NONE && o->mask != MASK_RANDOM)
        EBM_TRY(half_mask(r, error));
    for (size_t i = 0; i < V; i++) {
        r->unknown[i] = r->unknown[i] || i >= V - r->hidden;
        r->known += !r->unknown[i];
    }
    r->lost = o->mask == MASK_RANDOM ? (size_t)(o->masked * (double)r->known + 0.5) : 0;
    return EBM_OK;
}

static ebm_status make_room(recalling *r, uint32_t seed, ebm_error *error) {
    const size_t V = r->subject.data.space.size, n = r->count;
    size_t pixels;
    r->scores = ebm_alloc(5 * n, sizeof *r->scores);
    if (__builtin_mul_overflow(3 * r->shown, V, &pixels))
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu pictures", r->shown);
    r->sheets = ebm_alloc(pixels, sizeof *r->sheets);
    if (!r->scores || !r->sheets)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu patterns of %zu units", n, V);
    r->ends = (ebm_recall_ends){.before = r->scores,
                                .overlap = r->scores + n,
                                .recalled = r->scores + 2 * n,
                                .settled = r->scores + 3 * n,
                                .steps = r->scores + 4 * n,
                                .shown = r->shown,
                                .stored = r->sheets,
                                .cues = r->sheets + r->shown * V,
                                .answers = r->sheets + 2 * r->shown * V};
    return ebm_chains_create(&r->subject.model, n, ebm_stream_of(seed, EBM_PURPOSE_SAMPLE), &r->chains, error);
}

static ebm_status prepare(recalling *r, const ebm_case *c, int threads, ebm_error *error) {
    const recall_options *o = r->options;
    EBM_TRY(ebm_subject_create_expanded(c, (size_t)o->extra, threads, &r->subject, error));
    const size_t n = r->subject.data.train.count;
    r->count = o->patterns > 0 && (size_t)o->patterns < n ? (size_t)o->patterns : n;
    r->shown = (size_t)o->shown < r->count ? (size_t)o->shown : r->count;
    if (r->count == 0)
        return ebm_fail(error, EBM_INVALID, "the data have no training examples, and so no patterns");
    if (!ebm_space_equal(&r->subject.model.space, &r->subject.data.space))
        return ebm_fail(error, EBM_INVALID, "the model and the patterns are on different spaces");
    EBM_TRY(check_patterns(r, error));
    EBM_TRY(set_mask(r, error));
    EBM_TRY(check_noise(r, error));
    return make_room(r, c->seed, error);
}

static ebm_status emit_point(const recalling *r, double flipped, ebm_sink *sink, ebm_error *error) {
    EBM_TRY(sink->emit(sink, "flipped", flipped, NAN, error));
    for (size_t k = 0; k < 5; k++) {
        const ebm_mean_value value = ebm_mean_of(r->scores + k * r->count, r->count);
        EBM_TRY(sink->emit(sink, recall_metrics[k + 1].name, value.mean, value.se, error));
    }
    const ebm_sampler *sampler = &r->subject.sampler;
    return sampler->type->report ? sampler->type->report(sampler, &r->chains, sink, error) : EBM_OK;
}

/* The visible part of the `shown` pictures as they stand in x. */
static ebm_status write_sheet(const recalling *r, const char *name, const ebm_real *x, ebm_output *output,
                              ebm_error *error) {
    const ebm_space *space = &r->subject.visible;
    const size_t V = r->subject.data.space.size, mark = ebm_work_mark(r->subject.work);
    char path[4096];
    if (r->shown == 0 || space->rank < 2)
        return EBM_OK;
    ebm_real *visible = ebm_work_take(r->subject.work, r->shown * space->size, sizeof *visible);
    if (!visible)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu pictures", r->shown);
    for (size_t p = 0; p < r->shown; p++)
        memcpy(visible + p * space->size, x + p * V, space->size * sizeof *x);
    ebm_status status = output->artifact(output, name, path, sizeof path, error);
    if (status == EBM_OK)
        status = ebm_states_sheet(space, visible, r->shown, r->shown, path, r->subject.work, error);
    ebm_work_release(r->subject.work, mark);
    return status;
}

static ebm_status recall_at(recalling *r, uint32_t seed, double noise, ebm_output *output, ebm_error *error) {
    const recall_options *o = r->options;
    const size_t left = r->known - r->lost, flips = (size_t)(noise * (double)left + 0.5);
    char name[64];
    const ebm_recall_task task = {.model = &r->subject.model,
                                  .sampler = &r->subject.sampler,
                                  .path = r->subject.path,
                                  .data = &r->subject.data,
                                  .cue = {.unknown = r->unknown,
                                          .lost = r->lost,
                                          .flips = flips,
                                          .fill_random = o->fill == FILL_RANDOM,
                                          .stream = ebm_stream_of(seed, EBM_PURPOSE_RECALL)},
                                  .limit = (size_t)o->sweeps,
                                  .scored = r->scored,
                                  .recalled = o->overlap};
    ebm_chains_reset_counters(&r->subject.sampler, &r->chains);
    EBM_TRY(ebm_recall_walk(&task, 0, &r->chains, &r->ends, r->subject.work, error));
    output->step = flips;
    EBM_TRY(emit_point(r, left ? (double)flips / (double)left : 0, &output->sink, error));
    snprintf(name, sizeof name, "cue-%g.csv", noise);
    EBM_TRY(write_sheet(r, name, r->ends.cues, output, error));
    snprintf(name, sizeof name, "recalled-%g.csv", noise);
    return write_sheet(r, name, r->ends.answers, output, error);
}

static ebm_status recall_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    recalling r = {.options = c->run};
    const ebm_reals *noise = &r.options->noise;
    ebm_status status = prepare(&r, c, threads, error);
    if (status == EBM_OK)
        status = ebm_train(c, &r.subject, &r.options->training, output, error);
    if (status == EBM_OK)
        status = ebm_measure(c, &r.subject, c->n_logged, c->n_measures, output, error);
    for (size_t k = 0; k < noise->count && status == EBM_OK; k++) {
        status = recall_at(&r, c->seed, noise->values[k], output, error);
        output->progress(output, (double)(k + 1) / (double)noise->count);
    }
    if (status == EBM_OK)
        status = write_sheet(&r, "stored.csv", r.ends.stored, output, error);
    free(r.unknown);
    free(r.scores);
    free(r.sheets);
    ebm_chains_free(&r.chains);
    ebm_subject_free(&r.subject);
    return status;
}

const ebm_runner_type ebm_recall_runner = {
    .info = {"recall", "store patterns, and recall them from flipped and masked cues", "Hopfield 1982", recall_table,
             sizeof(recall_options)},
    .required_kinds = 1u << EBM_KIND_DATASET | 1u << EBM_KIND_MODEL | 1u << EBM_KIND_SAMPLER | 1u << EBM_KIND_LEARNER,
    .optional_kinds = 1u << EBM_KIND_ESTIMATOR,
    .metrics = recall_metrics,
    .reports_sampler = true,
    .run = recall_run,
};
