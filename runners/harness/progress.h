/* What a person sees while a suite runs, on stderr: one line redrawn on a terminal, plain lines elsewhere. */
#ifndef EBM_PROGRESS_H
#define EBM_PROGRESS_H

#include "harness/process.h"

#include <stdio.h>

typedef struct ebm_progress {
    FILE *out;
    bool terminal, colour;
    bool drawn; /* the redrawn line stands on the terminal now */
    size_t total, done, failed;
    double started, last_drawn;
} ebm_progress;

/* `total` cases are to be computed. Colours follow NO_COLOR and TERM=dumb. */
void ebm_progress_begin(ebm_progress *progress, FILE *out, size_t total);
/* A line that stays. */
void ebm_progress_note(ebm_progress *progress, const char *format, ...) EBM_PRINTF(2, 3);
/* A case has ended: `outcome` is "ok", "failed", "timeout". `name` NULL: counted, not shown. */
void ebm_progress_case(ebm_progress *progress, const char *name, const char *outcome, double seconds,
                       const char *message);
/* Redraw, at most ten times a second; nothing where there is no terminal. */
void ebm_progress_draw(ebm_progress *progress, const ebm_pool *pool);
void ebm_progress_end(ebm_progress *progress);
/* "1h 02m", "3m 20s", "4.2s" */
const char *ebm_duration_text(double seconds, char *buffer, size_t size);

#endif
