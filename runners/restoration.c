/* Scores of corrupted and restored pictures (see restoration.h). */
#include "restoration.h"

#include "measure.h"

#include "ebm/enumerate.h"
#include "ebm/graph_cut.h"
#include "ebm/likelihood.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is kept of each picture: ENTRY(name, how the pictures are put together, unit, stochastic, meaning). */
#define SCORES(ENTRY)                                                                                                  \
    ENTRY(error, MEAN, "", true, "share of the pixels of the answer that are wrong")                                   \
    ENTRY(corrupted_error, MEAN, "", false, "share of the pixels that were flipped")                                   \
    ENTRY(cut_error, MEAN, "", false, "share of the pixels of the exact mode that are wrong")                          \
    ENTRY(blank_error, MEAN, "", false, "share of the pixels that a picture of the commoner value alone has wrong")    \
    ENTRY(excess_error, MEAN, "", true, "error less cut_error, picture by picture")                                    \
    ENTRY(removed_error, MEAN, "", true, "corrupted_error less error, picture by picture")                             \
    ENTRY(energy, MEAN, "nats", true, "energy per pixel of the answer given the corrupted picture")                    \
    ENTRY(cut_energy, MEAN, "nats", false, "energy per pixel of the exact mode")                                       \
    ENTRY(true_energy, MEAN, "nats", false, "energy per pixel of the true picture")                                    \
    ENTRY(corrupted_energy, MEAN, "nats", false, "energy per pixel of the corrupted picture")                          \
    ENTRY(posterior_energy, MEAN, "nats", true, "energy per pixel of the draws whose mean is the answer")              \
    ENTRY(energy_gap, MEAN, "nats", true, "energy of the answer above that of the exact mode, a picture")              \
    ENTRY(mode_found, MEAN, "", true, "share of the pictures whose answer has the least energy there is")              \
    ENTRY(energy_gap_least, LEAST, "nats", true, "the smallest energy_gap of any picture: not below 0")                \
    ENTRY(true_gap_least, LEAST, "nats", false, "the same of the true pictures")                                       \
    ENTRY(corrupted_gap_least, LEAST, "nats", false, "the same of the corrupted pictures")                             \
    ENTRY(cut_certificate, LARGEST, "", false,                                                                         \
          "capacity of the cut less the flow, in units of which all capacities are whole: 0 proves the mode")          \
    ENTRY(cut_slack, LARGEST, "nats", false, "how far below the mode's energy another might lie for rounding")         \
    ENTRY(enumeration_gap, LARGEST, "nats", false,                                                                     \
          "energy of the exact mode and least energy of all states, how far apart; where they are listed")

typedef enum summary { MEAN, LEAST, LARGEST } summary;

#define SCORE_INDEX(name, how, unit, stochastic, about) SCORE_##name,
enum { SCORES(SCORE_INDEX) SCORE_COUNT };

#define SCORE_METRIC(name, how, unit, stochastic, about) {#name, unit, stochastic, about},
const ebm_metric ebm_restoration_metrics[] = {SCORES(SCORE_METRIC) EBM_METRICS_END};

#define SCORE_SUMMARY(name, how, unit, stochastic, about) how,
static const summary summaries[] = {SCORES(SCORE_SUMMARY)};

enum { SHEETS = 4 };
static const char *const sheet_names[SHEETS] = {"true.csv", "corrupted.csv", "cut.csv", "restored.csv"};

ebm_status ebm_restoration_create(const ebm_dataset *data, size_t count, size_t shown, ebm_restoration *out,
                                  ebm_error *error) {
    const bool test = data->test.count > 0;
    const size_t V = data->space.size;
    *out = (ebm_restoration){.half = test ? &data->test : &data->train, .count = count, .size = V};
    out->shown = shown < count ? shown : count;
    if (count > out->half->count)
        return ebm_fail(error, EBM_INVALID, "%zu pictures are asked for, the %s half of the data has %zu", count,
                        test ? "test" : "training", out->half->count);
    ebm_real **const pictures[] = {&out->truth, &out->corrupted, &out->mode, &out->answer};
    bool enough = true;
    for (size_t k = 0; k < SHEETS; k++) {
        *pictures[k] = ebm_alloc(V, sizeof **pictures[k]);
        enough = enough && *pictures[k];
    }
    size_t shown_pixels;
    enough = enough && !__builtin_mul_overflow(SHEETS * out->shown, V, &shown_pixels);
    out->sheets = enough ? ebm_alloc(shown_pixels, sizeof *out->sheets) : NULL;
    out->scores = ebm_alloc(SCORE_COUNT * count, sizeof *out->scores);
    return out->sheets && out->scores ? EBM_OK
                                      : ebm_fail(error, EBM_NO_MEMORY, "no memory for pictures of %zu pixels", V);
}

void ebm_restoration_free(ebm_restoration *r) {
    free(r->truth);
    free(r->corrupted);
    free(r->mode);
    free(r->answer);
    free(r->sheets);
    free(r->scores);
    *r = (ebm_restoration){0};
}

size_t ebm_restoration_regions(const ebm_restoration *r, ebm_region *out) {
    out[0] = (ebm_region){r->scores, SCORE_COUNT * r->count * sizeof *r->scores};
    out[1] = (ebm_region){r->sheets, SHEETS * r->shown * r->size * sizeof *r->sheets};
    return 2;
}

void ebm_restoration_corrupt(ebm_restoration *r, const ebm_dataset *data, size_t picture, uint32_t seed, double flip) {
    enum { WORDS = 4 }; /* a block of the generator */
    uint32_t words[WORDS];
    const ebm_stream stream = ebm_stream_of(seed, EBM_PURPOSE_CORRUPTION);
    ebm_examples_fixed(data, r->half, picture, 1, r->truth);
    for (size_t i = 0; i < r->size; i++) {
        if (i % WORDS == 0)
            ebm_philox(stream, (const uint32_t[]){(uint32_t)(i / WORDS), (uint32_t)picture, 0, 0}, words);
        r->corrupted[i] = ((double)words[i % WORDS] + 0.5) * 0x1p-32 < flip ? -r->truth[i] : r->truth[i];
    }
}

static double *score(const ebm_restoration *r, size_t which, size_t picture) {
    return &r->scores[which * r->count + picture];
}

/* How far the least energy of all states lies from the mode's. Energies of the model are rounded, so all states that come
 * near the best by them are compared anew in double. */
static ebm_status enumerate(ebm_restoration *r, const ebm_model *model, size_t picture, ebm_work *work,
                            ebm_error *error) {
    enum { NEAR = 1 }; /* nats */
    const ebm_graph *graph = model->type->graph(model);
    const size_t states = ebm_states_count(&model->space), mark = ebm_work_mark(work);
    double *log_p = ebm_work_take(work, states, sizeof *log_p), most = -INFINITY, least = INFINITY;
    ebm_real *y = ebm_work_take(work, r->size, sizeof *y);
    ebm_status status = log_p && y ? ebm_model_log_probabilities(model, ebm_path_end(), log_p, NULL, work, error)
                                   : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", states);
    for (size_t k = 0; k < states && status == EBM_OK; k++)
        most = fmax(most, log_p[k]);
    for (size_t k = 0; k < states && status == EBM_OK; k++)
        if (log_p[k] > most - NEAR) {
            ebm_states_fill(&model->space, k, 1, y);
            least = fmin(least, ebm_graph_spin_energy_difference(graph, y, r->mode));
        }
    *score(r, SCORE_enumeration_gap, picture) = fabs(least);
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_restoration_cut(ebm_restoration *r, const ebm_model *model, size_t picture, size_t limit, ebm_work *work,
                               ebm_error *error) {
    const size_t states = ebm_states_count(&model->space);
    ebm_cut cut;
    EBM_TRY(ebm_graph_cut(model->type->graph(model), r->mode, &cut, work, error));
    *score(r, SCORE_cut_certificate, picture) = (double)(cut.cut - cut.flow);
    *score(r, SCORE_cut_slack, picture) = cut.slack;
    *score(r, SCORE_cut_energy, picture) = cut.energy / (double)r->size;
    *score(r, SCORE_enumeration_gap, picture) = NAN;
    return states > 0 && states <= limit ? enumerate(r, model, picture, work, error) : EBM_OK;
}

/* The share of the rarer value. */
static double share_of_rarer(size_t V, const ebm_real *y) {
    size_t up = 0;
    for (size_t i = 0; i < V; i++)
        up += y[i] > 0;
    return (double)(2 * up < V ? up : V - up) / (double)V;
}

/* The share of pixels in which two pictures differ. */
static double share_of_differences(size_t V, const ebm_real *a, const ebm_real *b) {
    size_t differing = 0;
    for (size_t i = 0; i < V; i++)
        differing += a[i] != b[i];
    return (double)differing / (double)V;
}

void ebm_restoration_score(ebm_restoration *r, const ebm_model *model, size_t picture, double posterior_energy) {
    const ebm_graph *graph = model->type->graph(model);
    const size_t V = r->size;
    const ebm_real *const pictures[SHEETS] = {r->truth, r->corrupted, r->mode, r->answer};
    double wrong[SHEETS], gap[SHEETS];
    const double least = *score(r, SCORE_cut_energy, picture);
    for (size_t k = 0; k < SHEETS; k++) {
        wrong[k] = share_of_differences(V, pictures[k], r->truth);
        gap[k] = ebm_graph_spin_energy_difference(graph, pictures[k], r->mode);
        if (picture < r->shown)
            memcpy(r->sheets + (k * r->shown + picture) * V, pictures[k], V * sizeof *r->sheets);
    }
    *score(r, SCORE_error, picture) = wrong[3];
    *score(r, SCORE_corrupted_error, picture) = wrong[1];
    *score(r, SCORE_cut_error, picture) = wrong[2];
    *score(r, SCORE_blank_error, picture) = share_of_rarer(V, r->truth);
    *score(r, SCORE_excess_error, picture) = wrong[3] - wrong[2];
    *score(r, SCORE_removed_error, picture) = wrong[1] - wrong[3];
    *score(r, SCORE_energy, picture) = least + gap[3] / (double)V;
    *score(r, SCORE_true_energy, picture) = least + gap[0] / (double)V;
    *score(r, SCORE_corrupted_energy, picture) = least + gap[1] / (double)V;
    *score(r, SCORE_posterior_energy, picture) = posterior_energy;
    *score(r, SCORE_energy_gap, picture) = *score(r, SCORE_energy_gap_least, picture) = gap[3];
    *score(r, SCORE_mode_found, picture) = gap[3] <= *score(r, SCORE_cut_slack, picture);
    *score(r, SCORE_true_gap_least, picture) = gap[0];
    *score(r, SCORE_corrupted_gap_least, picture) = gap[1];
}

ebm_status ebm_restoration_report(const ebm_restoration *r, ebm_sink *sink, ebm_error *error) {
    for (size_t k = 0; k < SCORE_COUNT; k++) {
        const double *values = score(r, k, 0);
        ebm_mean_value mean = ebm_mean_of(values, r->count);
        double extreme = values[0];
        if (isnan(extreme)) /* not known of these pictures */
            continue;
        for (size_t i = 1; i < r->count; i++)
            extreme = summaries[k] == LEAST ? fmin(extreme, values[i]) : fmax(extreme, values[i]);
        EBM_TRY(sink->emit(sink, ebm_restoration_metrics[k].name, summaries[k] == MEAN ? mean.mean : extreme,
                           summaries[k] == MEAN ? mean.se : NAN, error));
    }
    return EBM_OK;
}

ebm_status ebm_restoration_sheets(const ebm_restoration *r, const ebm_space *space, ebm_output *output, ebm_work *work,
                                  ebm_error *error) {
    char path[4096];
    for (size_t k = 0; k < SHEETS && r->shown > 0 && space->rank >= 2; k++) {
        EBM_TRY(output->artifact(output, sheet_names[k], path, sizeof path, error));
        EBM_TRY(ebm_states_sheet(space, r->sheets + k * r->shown * r->size, r->shown, 0, path, work, error));
    }
    return EBM_OK;
}
