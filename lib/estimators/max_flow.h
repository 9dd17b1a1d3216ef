/* Largest flow through a network with one source and one sink. Internal to the estimators. */
#ifndef EBM_ESTIMATORS_MAX_FLOW_H
#define EBM_ESTIMATORS_MAX_FLOW_H

#include "ebm/status.h"
#include "ebm/work.h"

#include <stdint.h>

/* Nodes between source and sink. Arcs come in pairs, there and back; those that leave node i are first[i] ...
 * first[i + 1] - 1. Capacities are whole and not negative, at most 2^62 with all that can flow back added, and so is the
 * sum of what the source gives. */
typedef struct ebm_network {
    size_t nodes, arcs;      /* below 2^32 - 2 */
    const uint32_t *first;   /* (nodes + 1) */
    const uint32_t *head;    /* (arcs): where it leads */
    const uint32_t *reverse; /* (arcs): its way back */
    int64_t *residual;       /* (arcs) in: capacity; out: what of it is left */
    int64_t *excess; /* (nodes) in: capacity from the source; out: what arrived there and has no way to the sink */
    int64_t *sink;   /* (nodes) in: capacity to the sink; out: what of it is left */
} ebm_network;

/* *flow = the size of a largest flow; reaches[i] (nodes) = whether node i can still reach the sink: the nodes that cannot
 * are the source's side of a minimum cut, of all such sides the largest. */
EBM_NODISCARD ebm_status ebm_max_flow(ebm_network *network, int64_t *flow, uint8_t *reaches, ebm_work *work,
                                      ebm_error *error);

#endif
