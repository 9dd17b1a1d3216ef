/* What the analyses of an exactly known chain share. */
#ifndef EBM_ESTIMATORS_EXACT_CHAIN_H
#define EBM_ESTIMATORS_EXACT_CHAIN_H

#include "ebm/diagnostics.h"

/* EBM_INVALID unless the matrix and pi are stochastic, pi T = pi to 1e-9, and the number of states is 1 ...
 * EBM_MAX_CHAIN_STATES. */
EBM_NODISCARD ebm_status ebm_exact_chain_check_stationary(const ebm_exact_chain *chain, ebm_work *work,
                                                          ebm_error *error);

#endif
