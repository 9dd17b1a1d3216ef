/* From spins in fields to a network (see ebm/graph_cut.h). Internal to the estimators. */
#ifndef EBM_ESTIMATORS_GRAPH_CUT_H
#define EBM_ESTIMATORS_GRAPH_CUT_H

#include "estimators/max_flow.h"

#include "ebm/graph_cut.h"

/* Capacities as whole numbers: those of the edges, and of the units, which are negative where the field is. */
typedef struct ebm_cut_capacities {
    int64_t *edge, *unit; /* (edges), (units) */
    int shift;            /* one unit is 2^-shift */
    double rounded;       /* sum of all roundings, in units */
} ebm_cut_capacities;

/* In scratch of `work`. */
EBM_NODISCARD ebm_status ebm_cut_capacities_take(const ebm_graph *graph, ebm_cut_capacities *out, ebm_work *work,
                                                 ebm_error *error);
EBM_NODISCARD ebm_status ebm_cut_network_take(const ebm_graph *graph, const ebm_cut_capacities *capacities,
                                              ebm_network *out, ebm_work *work, ebm_error *error);

#endif
