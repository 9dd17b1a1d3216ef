/* What the diagnostics of traces share. */
#ifndef EBM_ESTIMATORS_TRACES_H
#define EBM_ESTIMATORS_TRACES_H

#include "autocovariance.h"

#include "ebm/diagnostics.h"

/* The number of draws of all chains together; EBM_INVALID for an empty trace or more than 2^31 - 1 of them. */
EBM_NODISCARD ebm_status ebm_traces_check(const ebm_traces *traces, size_t *total, ebm_error *error);
/* Tables for series of a length, from scratch; false where there is no memory. */
bool ebm_transform_take(ebm_transform *transform, size_t length, ebm_work *work);

#endif
