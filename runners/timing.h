/* What the runners that measure speed share. */
#ifndef EBM_TIMING_H
#define EBM_TIMING_H

#include "ebm/status.h"
#include "ebm/work.h"

/* Seconds of a clock that never goes back. */
double ebm_seconds_now(void);
/* Rate in FLOP/s of one square product of side n on one thread, best of three; *best grows to it where it is larger. */
EBM_NODISCARD ebm_status ebm_measure_peak(size_t n, ebm_work *single, double *best, ebm_error *error);

#endif
