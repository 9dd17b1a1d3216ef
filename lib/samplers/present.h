/* What a sampler on a real space knows of its chains' present states, kept from one call to the next, so that a call of
 * one step looks at one new point and not at two. It lies in plain memory, the last part of what the sampler keeps of
 * its chains (ebm_chains.auxiliary), and is saved and restored with it. Internal to the samplers. */
#ifndef EBM_PRESENT_H
#define EBM_PRESENT_H

#include "ebm/sampler.h"

/* `own` bytes, a multiple of 64, with room behind them for so many chains; SIZE_MAX where that is too much. */
size_t ebm_present_after(size_t own, size_t chains, size_t units, bool gradient);
/* The part behind `own` bytes; NULL where the chains keep nothing. */
void *ebm_present_of(const ebm_chains *chains, size_t own);
/* Nothing is known. */
void ebm_present_forget(void *memory);

/* energy (count) and gradient (count, units; NULL: not asked for) of the batch's states at the path, where the last call
 * left them and nothing has changed since: the same states at the same temperature, by a field that is still right (who
 * changes theta says that it is not). False, and nothing is written, where not. */
bool ebm_present_recall(const void *memory, const ebm_batch *batch, size_t units, ebm_path path, double *energy,
                        ebm_real *gradient);
/* Keep them; memory NULL: nothing. */
void ebm_present_keep(void *memory, const ebm_batch *batch, size_t units, ebm_path path, const double *energy,
                      const ebm_real *gradient);

#endif
