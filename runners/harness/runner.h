/* The interface between the harness and a kind of experiment: a case goes in, rows come out. */
#ifndef EBM_RUNNER_H
#define EBM_RUNNER_H

#include "ebm/learner.h"
#include "ebm/registry.h"

/* A component chosen in a suite, with its validated options. component = NULL: absent. */
typedef struct ebm_setting {
    const ebm_component *component;
    void *options; /* component->options_size bytes, owned by the case */
} ebm_setting;

enum { EBM_MAX_MEASURES = 16 };

/* One point of a suite's grid. */
typedef struct ebm_case {
    char *name; /* "rbm/bars-and-stripes/block-gibbs/cd-1/seed-1" */
    ebm_setting dataset, model, sampler, learner;
    size_t n_measures; /* the suite's `measure` list, then the case's `estimator` axis where there is one */
    size_t n_logged;   /* how many of them are the `measure` list: measured at every log point */
    ebm_setting measures[EBM_MAX_MEASURES];
    uint32_t seed;
    void *run;            /* the runner's own options (its info.options) */
    char *parts[4];       /* texts of the columns model, dataset, sampler, learner: "cd-1"; "" where absent */
    char **axis_values;   /* one text for each of the suite's extra axis columns; "" where it does not apply */
    char *not_applicable; /* why the pairing cannot be, or NULL */
} ebm_case;

/* Where a running case puts what it finds. */
typedef struct ebm_output ebm_output;
struct ebm_output {
    ebm_sink sink; /* emit(&output->sink, ...) writes a row at output->step */
    uint64_t step; /* the row's `step` column: updates, sweeps, temperatures ... as the runner documents */
    /* Progress of the case as a fraction; cheap, may be called often. */
    void (*progress)(ebm_output *output, double fraction);
    /* True when the case should save a checkpoint now (time has passed, or a signal asks it to stop). */
    bool (*checkpoint_due)(ebm_output *output);
    bool (*stop_requested)(ebm_output *output);
    /* Save and restore: rows so far, output->step and the regions, by atomic rename. restore answers *found = false
     * when there is no checkpoint that fits (same case key, same sizes). */
    ebm_status (*checkpoint)(ebm_output *output, const ebm_region *regions, size_t count, ebm_error *error);
    ebm_status (*restore)(ebm_output *output, const ebm_region *regions, size_t count, bool *found, ebm_error *error);
    /* Path for a side file of this case ("filters.csv"): it ends up in <out>/<suite>/<case name with / as ->/NAME. */
    ebm_status (*artifact)(ebm_output *output, const char *name, char *path, size_t size, ebm_error *error);
};

typedef struct ebm_runner_type {
    ebm_component info;        /* options: the suite's `run:` mapping */
    unsigned required_kinds;   /* mask of 1u << ebm_kind that every case must have */
    unsigned optional_kinds;   /* further kinds that may stand in the grid */
    const ebm_metric *metrics; /* what it emits itself, beside its estimators; ends with a NULL name */
    bool reports_sampler;      /* it also emits what the sampler's `report` has to say */
    ebm_status (*run)(const ebm_case *c, ebm_output *output, int threads, ebm_error *error);
} ebm_runner_type;

/* runners/runners.c: the only list. NULL-terminated. */
extern const ebm_runner_type *const ebm_runner_types[];
const ebm_runner_type *ebm_runner_find(const char *name);

#endif
