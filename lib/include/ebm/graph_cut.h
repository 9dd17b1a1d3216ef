/* The state of least energy of spins with couplings J >= 0, exactly, by a minimum cut (Picard & Ratliff 1975; Greig,
 * Porteous & Seheult 1989).
 *
 *   E(y) = -sum_(edges ij) J_ij y_i y_j - sum_i h_i y_i = -sum J - sum |h| + 2 C(y)
 * with C(y) the couplings of the edges whose ends differ plus the |h_i| of the units that go against their field: the
 * capacity of a cut between the units that are up, with the source, and those that are down, with the sink. */
#ifndef EBM_GRAPH_CUT_H
#define EBM_GRAPH_CUT_H

#include "ebm/graph.h"
#include "ebm/status.h"
#include "ebm/work.h"

/* What is known of the state found. Capacities are whole multiples of `unit`, a power of 2, so that the search is
 * exact: a flow and a cut of equal size prove each other the largest and the smallest (Ford & Fulkerson 1956). */
typedef struct ebm_cut {
    double energy;     /* of the state found */
    int64_t flow, cut; /* largest flow; the cut's capacity, added up anew from the state. Equal; in units */
    double unit;       /* of capacity: one unit more of a cut is 2 unit more of energy */
    double slack;      /* no state's energy lies further below; 0 where all J and h are multiples of the unit, as they
                          are in float where the smallest is at least 2^-37 of the sum of all */
} ebm_cut;

/* The most units, and the most edges. */
#define EBM_CUT_MAX_SIZE ((size_t)1 << 28)

/* y (units) = a state of least energy, -1 or +1; where there are several, the one with most units up (there is one that
 * has all of them). `graph` has couplings and fields of spins. EBM_UNSUPPORTED, with the edge, where a coupling is
 * negative; EBM_INVALID where a number is not finite or the graph too large; EBM_NO_MEMORY. */
EBM_NODISCARD ebm_status ebm_graph_cut(const ebm_graph *graph, ebm_real *y, ebm_cut *out, ebm_work *work,
                                       ebm_error *error);

/* E(y), summed with compensation. */
double ebm_graph_spin_energy(const ebm_graph *graph, const ebm_real *y);
/* E(y) - E(z), from the edges and units in which they differ alone. */
double ebm_graph_spin_energy_difference(const ebm_graph *graph, const ebm_real *y, const ebm_real *z);

#endif
