/* Copies of the space on their ladder, and the swaps between them (the formulas: tempering.c). Internal to the samplers.
 */
#ifndef EBM_TEMPERING_EXCHANGE_H
#define EBM_TEMPERING_EXCHANGE_H

#include "samplers/tempering_ladder.h"

/* One call of step. Fields of the hot copies live as long as it does: theta may change in between. */
typedef struct ebm_exchange {
    const ebm_model *model;
    ebm_chains *chains;
    ebm_ladder ladder;
    ebm_path path;
    size_t K, B;
    ebm_batch *copy;  /* (K) */
    double *slope;    /* (K, B): D where E_beta is linear in beta */
    double *exponent; /* (2, B) */
    double *rate;     /* (K - 1): mean acceptance of this sweep's swaps */
    ebm_work *work;
} ebm_exchange;

/* Copy r's inverse temperature along the path. */
static inline ebm_path ebm_exchange_path(const ebm_exchange *w, size_t r) {
    return (ebm_path){w->path.base, w->path.beta / w->ladder.temperature[r]};
}

/* Takes what is missing from w->work, with model, chains, ladder, path, K and B set. */
EBM_NODISCARD ebm_status ebm_exchange_open(ebm_exchange *w, ebm_error *error);
/* Swap the pairs (0, 1), (2, 3) ..., then (1, 2), (3, 4) ..., with numbers of the chains' present step; all fields
 * become valid. */
void ebm_exchange_swap(ebm_exchange *w);

#endif
