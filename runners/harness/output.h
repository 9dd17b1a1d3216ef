/* The ebm_output of one case in its own process: rows in memory, checkpoints, side files, and the final rows.csv.
 *
 * A case's folder holds
 *   rows.csv     its rows, there only when the case is complete
 *   case.yaml    seconds, processor seconds and peak memory, over all the processes that worked on it
 *   checkpoint   while it runs: rows so far, the step, and the memory regions of the learner
 *   artifacts/   side files
 *   log          what the process printed */
#ifndef EBM_OUTPUT_H
#define EBM_OUTPUT_H

#include "harness/paths.h"
#include "harness/suite.h"

typedef struct ebm_spent {
    double seconds, cpu_seconds;
    long peak_kib;
} ebm_spent;

typedef struct ebm_case_output {
    ebm_output output; /* first: the runner's pointer is this */
    char folder[EBM_PATH_MAX];
    char key[2 * EBM_HASH_TEXT]; /* a checkpoint of another key is foreign */
    int pipe;                    /* to the parent; -1: none */
    ebm_table table;
    const char *const *keys; /* borrowed */
    ebm_spent before;        /* of earlier processes, from the checkpoint */
    double started, checkpointed, told, interval;
    bool write_failed; /* the disk, not the case, is to blame */
} ebm_case_output;

/* Makes the folder ready. `keys`: the table's key texts for this case (ebm_case_keys), kept by the caller. The interval
 * between checkpoints is EBM_CHECKPOINT_SECONDS, 20 by default. */
EBM_NODISCARD ebm_status ebm_case_output_open(ebm_case_output *out, const ebm_suite *suite, const char *folder,
                                              const char *key, const char *const *keys, int pipe, ebm_error *error);
/* Write case.yaml, then rows.csv; the checkpoint goes. */
EBM_NODISCARD ebm_status ebm_case_output_complete(ebm_case_output *out, ebm_error *error);
void ebm_case_output_close(ebm_case_output *out);
/* One line to the parent. */
void ebm_case_output_message(ebm_case_output *out, const char *text);
/* What case.yaml says; false if there is none. */
bool ebm_spent_read(const char *folder, ebm_spent *spent);

#endif
