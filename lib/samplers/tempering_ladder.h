/* What replica exchange keeps of its chains beside copy 0: the ladder of temperatures, the hot copies, who has been
 * where. One piece of memory without addresses, ebm_chains.auxiliary. Internal to the samplers.
 *
 * K copies at temperatures 1 = T_0 < ... < T_(K-1); pair k is the copies k and k + 1. */
#ifndef EBM_TEMPERING_LADDER_H
#define EBM_TEMPERING_LADDER_H

#include "ebm/sampler.h"

typedef struct ebm_ladder_sizes {
    uint64_t copies, chains, units, inner_bytes; /* K, B, V, what the inner sampler keeps of one copy */
} ebm_ladder_sizes;

/* Where a state has last been of the two ends of the ladder; it travels with the state. */
enum { EBM_HEADING_NONE, EBM_HEADING_UP, EBM_HEADING_DOWN };

/* Views into the memory. */
typedef struct ebm_ladder {
    const ebm_ladder_sizes *sizes;
    uint64_t *rounds;      /* of adaptation so far */
    uint64_t *sweeps;      /* since the counters were reset */
    double *temperature;   /* (K) */
    uint64_t *accepted;    /* (B, K - 1) swaps since then */
    uint64_t *round_trips; /* (B) completed since then, over all copies of a chain */
    uint8_t *heading;      /* (B, K) */
    unsigned char *inner;  /* (K, inner_bytes) */
    ebm_real *states;      /* (K - 1, B, V): copies 1, 2, ... */
} ebm_ladder;

/* SIZE_MAX where the number overflows. */
size_t ebm_ladder_bytes(ebm_ladder_sizes sizes);
/* Begin anew in memory of at least ebm_ladder_bytes; the hot copies' states are left to the caller. View it. */
ebm_ladder ebm_ladder_start(ebm_ladder_sizes sizes, const double *temperature, void *memory);
ebm_ladder ebm_ladder_view(void *memory);

/* The states of copy r, (B, V). */
static inline ebm_real *ebm_ladder_copy(const ebm_ladder *ladder, const ebm_chains *chains, size_t r) {
    return r == 0 ? chains->batch.x : ladder->states + (r - 1) * ladder->sizes->chains * ladder->sizes->units;
}

/* Move the temperatures between the ends towards equal swap rates; rate (K - 1): this round's acceptance by pair. */
void ebm_ladder_adapt(const ebm_ladder *ladder, const double *rate);
/* After a sweep: count the round trips that have ended, and turn the states at the ends around. */
void ebm_ladder_turn(const ebm_ladder *ladder);
void ebm_ladder_reset_counters(const ebm_ladder *ladder);

extern const ebm_metric ebm_ladder_metrics[];
EBM_NODISCARD ebm_status ebm_ladder_report(const ebm_ladder *ladder, ebm_sink *sink, ebm_error *error);

#endif
