/* Pairwise couplings on a graph: what cluster samplers and colourings look at.
 *
 *   E(x) = -sum_(edges ij) J_ij a(x_i, x_j) - sum_i h_i(x_i)
 * with a = x_i x_j for spins and a = [x_i = x_j] for categorical units; h_i(x) = h_i x for spins, a number for each
 * category otherwise. An edge joins two different units, and two units at most once. */
#ifndef EBM_GRAPH_H
#define EBM_GRAPH_H

#include "ebm/real.h"

#include <stddef.h>
#include <stdint.h>

typedef struct ebm_graph {
    size_t units, edges;
    const uint32_t *ends;      /* (edges, 2): first < second */
    const ebm_real *coupling;  /* (edges): J */
    const ebm_real *field;     /* (units) for spins, (units, categories) otherwise */
    const uint32_t *first;     /* (units + 1): neighbours of unit i are first[i] ... first[i + 1] - 1 of the next two */
    const uint32_t *neighbour; /* (2 edges), ascending for each unit */
    const uint32_t *neighbour_edge; /* (2 edges) */
    const uint8_t *colour;          /* (units): 0 or 1, neighbours differ; NULL where two colours are not enough */
    size_t rows, columns;           /* of a torus with unit (r, c) = r columns + c; 0 for other graphs */
} ebm_graph;

#endif
