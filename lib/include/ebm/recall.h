/* Recall from damaged patterns: cues, and where a sampler's walks from them end. The estimator recall and the runner
 * recall are made of these. Units have two values. */
#ifndef EBM_RECALL_H
#define EBM_RECALL_H

#include "ebm/sampler.h"

/* How a pattern is damaged. Of the units that every cue knows, each pattern has a random order of its own: the first
 * `lost` of it are unknown too, the next `flips` are flipped. So with all else the same, more flips add units to those
 * already hit. Pattern number p draws at chain p of the stream: its order at `step`, what fills the unknown units at
 * step + 2^63. */
typedef struct ebm_cue {
    const bool *unknown; /* (V) units that no cue knows; NULL: none */
    size_t lost, flips;  /* at most the rest, together */
    bool fill_random;    /* unknown units start up or down, each with probability 1/2; false: down */
    ebm_stream stream;
    uint64_t step;
} ebm_cue;

/* x (V): the pattern on entry, its cue on return. order (V): scratch. unknown (V): out, the pattern's unknown units. */
void ebm_cue_make(const ebm_cue *cue, const ebm_space *space, uint32_t pattern, ebm_real *x, uint32_t *order,
                  bool *unknown);

/* (1/n) sum_(i < n) y_i x_i with both as spins: 1 for equal states, -1 for opposite ones. */
double ebm_overlap(const ebm_real *y, const ebm_real *x, size_t n);

/* What is recalled from: training examples first ... first + chains->batch.count - 1, each from its own cue. */
typedef struct ebm_recall_task {
    const ebm_model *model;
    ebm_sampler *sampler;
    ebm_path path;
    const ebm_dataset *data;
    ebm_cue cue;
    size_t limit;    /* most steps of the sampler */
    size_t scored;   /* overlaps are of units 0 ... scored - 1 */
    double recalled; /* overlap from which a pattern counts as recalled */
} ebm_recall_task;

/* Of each pattern, at its number. */
typedef struct ebm_recall_ends {
    double *before;                     /* overlap of the cue with the pattern; may be NULL */
    double *overlap;                    /* of the end with the pattern */
    double *recalled, *settled, *steps; /* 0 or 1; whether the walk came to rest; steps that changed something */
    /* The first `shown` patterns, (shown, V) each: stored, cue with its unknown units halfway between the two values, end */
    size_t shown;
    ebm_real *stored, *cues, *answers;
} ebm_recall_ends;

/* Walks until nothing changes, or `limit` steps. The chains come from ebm_chains_create and end where the walks end. */
EBM_NODISCARD ebm_status ebm_recall_walk(const ebm_recall_task *task, size_t first, ebm_chains *chains,
                                         const ebm_recall_ends *out, ebm_work *work, ebm_error *error);

#endif
