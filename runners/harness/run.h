/* Running a suite: which cases are missing, one process for each, and what becomes of their rows.
 *
 * <out>/<suite>.csv, <suite>.run.yaml, <suite>/CASE/FILE   the results, replaced only by complete ones
 * <out>/<suite>.partial.*            what there is while cases are missing, or cannot read their data
 * <out>/.cases/<settings>.<build>/   one folder a case (harness/output.h)
 * <out>/.cases/<suite>.lock          held while a run works on the suite here */
#ifndef EBM_RUN_H
#define EBM_RUN_H

#include "harness/output.h"
#include "harness/progress.h"

typedef struct ebm_run_options {
    const char *suite_path;
    ebm_size size;
    const char *out;  /* the output folder */
    long jobs;        /* processes at once; 0: cores / threads */
    long threads;     /* in each */
    const char *only; /* glob over case names, or NULL */
    bool fresh;       /* compute again what is there */
    bool trust_build; /* accept results of another build */
} ebm_run_options;

typedef enum ebm_case_state {
    EBM_CASE_MISSING, /* not computed: to do, or left out, or interrupted */
    EBM_CASE_KEPT,    /* complete from an earlier run */
    EBM_CASE_OK,      /* computed now */
    EBM_CASE_FAILED,
    EBM_CASE_TIMEOUT,
    EBM_CASE_NOT_APPLICABLE
} ebm_case_state;

typedef struct ebm_case_plan {
    char *folder;   /* under .cases; its last part is the key */
    char *message;  /* of a failure, or a note; NULL if none */
    size_t same_as; /* the first selected case with the same key: this one itself unless the grid repeats itself */
    bool selected;
    bool blocked; /* failed for want of files: its row must not replace an earlier result */
    ebm_case_state state;
    ebm_spent spent;
} ebm_case_plan;

typedef struct ebm_data_hash {
    char *path;
    ebm_hash hash;
} ebm_data_hash;

typedef struct ebm_run {
    ebm_run_options options;
    ebm_suite suite;
    ebm_case_plan *plans; /* one a case */
    char store[EBM_PATH_MAX], lock_path[EBM_PATH_MAX];
    int lock;
    ebm_hash build;
    size_t n_data; /* files and folders that cases read, hashed once */
    ebm_data_hash *data;
    ebm_pool pool;
    ebm_progress progress;
    int signals_seen;
    double stop_asked; /* ebm_now of the first signal */
    char blocked[640]; /* why the last blocked case was, so that equal reasons are said once */
    bool stopped;      /* results cannot be written: give up */
    ebm_error stop_reason;
} ebm_run;

/* The whole of `ebm run`; returns an exit status. */
int ebm_run_suite(const ebm_run_options *options);
/* Whether --only selects a case of that name. */
bool ebm_case_selected(const ebm_run_options *options, const char *name);
/* Hash of a case's settings alone, by which parent and child know that they speak of the same case. */
EBM_NODISCARD ebm_status ebm_case_settings_hash(const ebm_suite *suite, const ebm_case *c, ebm_hash *out,
                                                ebm_error *error);
const char *ebm_case_state_name(ebm_case_state state);

/* The parts, in the order in which they happen. */
EBM_NODISCARD ebm_status ebm_run_lock(ebm_run *run, ebm_error *error); /* EBM_INTERRUPTED when asked to stop */
void ebm_run_unlock(ebm_run *run);
EBM_NODISCARD ebm_status ebm_run_plan(ebm_run *run, ebm_error *error);
size_t ebm_run_missing(const ebm_run *run); /* selected cases to compute */
/* Write the results; *short_laws counts laws that fell short, *partial says that cases are missing. */
EBM_NODISCARD ebm_status ebm_run_results(ebm_run *run, size_t *short_laws, bool *partial, ebm_error *error);
/* The tables on stdout. `results` is NULL for a partial run. */
void ebm_run_summary(const ebm_run *run, const char *csv, const ebm_check_result *results);

/* Of a case's process, beside EBM_EXIT_OK, EBM_EXIT_FAILED and EBM_EXIT_INTERRUPTED. */
enum {
    EBM_CASE_EXIT_DISK = 10, /* its results could not be written */
    EBM_CASE_EXIT_DATA = 11  /* files that it reads are missing or not what they should be */
};

#endif
