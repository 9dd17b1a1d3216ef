/* Chains that walk until they stand still: descents into valleys. Internal. */
#ifndef EBM_SETTLE_H
#define EBM_SETTLE_H

#include "ebm/sampler.h"

/* Steps of the sampler until one leaves every chain as it was, or `limit` steps. used[b] = the last step that changed
 * chain b, counted from 1 (0: none did); used[b] = the steps made: it has not come to rest. Returns the steps made. */
EBM_NODISCARD ebm_status ebm_settle(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                    size_t limit, size_t *used, size_t *steps, ebm_work *work, ebm_error *error);

#endif
