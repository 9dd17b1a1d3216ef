/* Building an ebm_graph: from a list of edges, or a lattice. Internal to the models.
 *
 * A model builds its graph in `create`, points `coupling` and `field` into theta in `refresh`, and frees in `destroy`. */
#ifndef EBM_MODELS_GRAPH_H
#define EBM_MODELS_GRAPH_H

#include "ebm/graph.h"
#include "ebm/status.h"

#include <stddef.h>
#include <stdint.h>

/* Indices of units and of the two directions of edges are 32 bits wide. */
#define EBM_GRAPH_MAX_UNITS ((size_t)UINT32_MAX)
#define EBM_GRAPH_MAX_EDGES ((size_t)UINT32_MAX / 2)

/* Unit (r, c) of a picture is r columns + c.
 * Torus: edge u joins unit u and the one to its right, edge units + u unit u and the one below, both around the end; at
 *   least 3 rows and 3 columns (with 2, the left and the right neighbour are one unit).
 * Grid: edge r (columns - 1) + c joins (r, c) and (r, c + 1), edge rows (columns - 1) + u unit u and the one below; no
 *   wrapping; any size, so that 1 row is a chain.
 * Complete: all pairs of rows columns units, (0, 1), (0, 2), ... (1, 2), ... */
typedef enum ebm_lattice { EBM_LATTICE_TORUS, EBM_LATTICE_GRID, EBM_LATTICE_COMPLETE } ebm_lattice;

/* "torus", "grid", "complete", NULL: in the order of the enum, for an option table. */
extern const char *const ebm_lattice_names[];

/* ends (edges, 2): the two units of each edge in any order. out has everything but coupling and field, which stay NULL;
 * edges keep their order. EBM_INVALID, with the edge's number from 0, for a unit that does not exist, an edge from a
 * unit to itself, and two units joined twice; EBM_NO_MEMORY. Nothing to free on failure. */
EBM_NODISCARD ebm_status ebm_graph_from_edges(size_t units, size_t edges, const uint32_t *ends, ebm_graph *out,
                                              ebm_error *error);
/* The same for a lattice; rows, columns >= 1. Sizes are checked before anything is allocated. */
EBM_NODISCARD ebm_status ebm_graph_lattice(ebm_lattice lattice, size_t rows, size_t columns, ebm_graph *out,
                                           ebm_error *error);
/* Frees what the two above allocated (not coupling and field) and zeroes the graph. Safe on a zeroed one. */
void ebm_graph_free(ebm_graph *graph);

#endif
