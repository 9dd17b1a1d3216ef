/* Minimum cut of spins in fields.
 *
 * The source gives h_i to units with h_i > 0 (lost where the unit is down), the sink takes -h_i from those with
 * h_i < 0, and each edge carries J_ij both ways.
 *
 * Capacities are rounded to multiples of 2^-k with the largest k for which their sum stays below 2^61, so that no sum
 * of them, nor a residual capacity (up to 2 J), overflows 63 bits. If all roundings together are r units, then
 * |C(y) - 2^-k K(y)| <= r 2^-k for every y, K being the whole capacity; of a y that is least by K therefore
 * E(y) <= min E + 4 r 2^-k. A float of size c is a multiple of 2^-k as soon as its last digit is: c >= 2^(23 - k). */
#include "estimators/graph_cut.h"

#include <math.h>

/* Neumaier's compensated sum. */
typedef struct careful_sum {
    double sum, rest;
} careful_sum;

static void add(careful_sum *s, double x) {
    const double sum = s->sum + x;
    s->rest += fabs(s->sum) >= fabs(x) ? (s->sum - sum) + x : (x - sum) + s->sum;
    s->sum = sum;
}

double ebm_graph_spin_energy(const ebm_graph *graph, const ebm_real *y) {
    careful_sum energy = {0, 0};
    for (size_t e = 0; e < graph->edges; e++)
        add(&energy, -(double)graph->coupling[e] * (double)y[graph->ends[2 * e]] * (double)y[graph->ends[2 * e + 1]]);
    for (size_t i = 0; i < graph->units; i++)
        add(&energy, -(double)graph->field[i] * (double)y[i]);
    return energy.sum + energy.rest;
}

double ebm_graph_spin_energy_difference(const ebm_graph *graph, const ebm_real *y, const ebm_real *z) {
    careful_sum energy = {0, 0};
    for (size_t e = 0; e < graph->edges; e++) {
        const size_t i = graph->ends[2 * e], j = graph->ends[2 * e + 1];
        const double change = (double)y[i] * (double)y[j] - (double)z[i] * (double)z[j];
        if (change != 0)
            add(&energy, -(double)graph->coupling[e] * change);
    }
    for (size_t i = 0; i < graph->units; i++)
        if (y[i] != z[i])
            add(&energy, -(double)graph->field[i] * ((double)y[i] - (double)z[i]));
    return energy.sum + energy.rest;
}

/* ---- Capacities ---- */

/* The sum of all capacities, with every one of them checked. */
static ebm_status check(const ebm_graph *graph, double *total, ebm_error *error) {
    *total = 0;
    if (graph->units == 0 || graph->units > EBM_CUT_MAX_SIZE || graph->edges > EBM_CUT_MAX_SIZE)
        return ebm_fail(error, EBM_INVALID,
                        "a graph of %zu units and %zu edges cannot be cut: expected 1 to %zu units and at most as many "
                        "edges",
                        graph->units, graph->edges, EBM_CUT_MAX_SIZE);
    for (size_t e = 0; e < graph->edges; e++) {
        const double J = (double)graph->coupling[e];
        const uint32_t i = graph->ends[2 * e], j = graph->ends[2 * e + 1];
        if (!isfinite(J))
            return ebm_fail(error, EBM_INVALID, "edge %zu, of units %u and %u, has coupling %g", e, i, j, J);
        if (J < 0)
            return ebm_fail(error, EBM_UNSUPPORTED,
                            "edge %zu, of units %u and %u, has coupling %g: a minimum cut finds the least energy where "
                            "no coupling is negative",
                            e, i, j, J);
        *total += J;
    }
    for (size_t i = 0; i < graph->units; i++) {
        if (!isfinite((double)graph->field[i]))
            return ebm_fail(error, EBM_INVALID, "unit %zu has field %g", i, (double)graph->field[i]);
        *total += fabs((double)graph->field[i]);
    }
    return isfinite(*total) ? EBM_OK
                            : ebm_fail(error, EBM_INVALID, "the sum of all couplings and fields is not finite");
}

static int64_t whole(double x, ebm_cut_capacities *c) {
    const double scaled = ldexp(x, c->shift);
    const int64_t n = llrint(scaled);
    c->rounded += fabs(scaled - (double)n); /* exact: from 2^53 on `scaled` is whole */
    return n;
}

ebm_status ebm_cut_capacities_take(const ebm_graph *graph, ebm_cut_capacities *out, ebm_work *work, ebm_error *error) {
    enum { BITS = 61, FINEST = 1000 };
    double total;
    int exponent = 0;
    EBM_TRY(check(graph, &total, error));
    frexp(total, &exponent); /* total < 2^exponent */
    *out = (ebm_cut_capacities){.shift = BITS - exponent < FINEST ? BITS - exponent : FINEST};
    out->edge = ebm_work_take(work, graph->edges, sizeof *out->edge);
    out->unit = ebm_work_take(work, graph->units, sizeof *out->unit);
    if (!out->edge || !out->unit)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the capacities of %zu edges", graph->edges);
    for (size_t e = 0; e < graph->edges; e++)
        out->edge[e] = whole((double)graph->coupling[e], out);
    for (size_t i = 0; i < graph->units; i++)
        out->unit[i] = whole((double)graph->field[i], out);
    return EBM_OK;
}

ebm_status ebm_cut_network_take(const ebm_graph *graph, const ebm_cut_capacities *capacities, ebm_network *out,
                                ebm_work *work, ebm_error *error) {
    const size_t V = graph->units, E = graph->edges;
    uint32_t *reverse = ebm_work_take(work, 2 * E, sizeof *reverse);
    *out = (ebm_network){.nodes = V, .arcs = 2 * E, .first = graph->first, .head = graph->neighbour};
    out->reverse = reverse;
    out->residual = ebm_work_take(work, 2 * E, sizeof *out->residual);
    out->excess = ebm_work_take(work, V, sizeof *out->excess);
    out->sink = ebm_work_take(work, V, sizeof *out->sink);
    const size_t mark = ebm_work_mark(work);
    uint32_t *seen = ebm_work_take(work, E, sizeof *seen);
    if (!reverse || !out->residual || !out->excess || !out->sink || !seen)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a network of %zu units and %zu edges", V, E);
    for (size_t e = 0; e < E; e++)
        seen[e] = UINT32_MAX;
    for (uint32_t k = 0; k < 2 * E; k++) {
        const uint32_t e = graph->neighbour_edge[k];
        out->residual[k] = capacities->edge[e];
        if (seen[e] != UINT32_MAX) {
            reverse[k] = seen[e];
            reverse[seen[e]] = k;
        }
        seen[e] = k;
    }
    ebm_work_release(work, mark);
    for (size_t i = 0; i < V; i++) {
        const int64_t h = capacities->unit[i];
        out->excess[i] = h > 0 ? h : 0;
        out->sink[i] = h < 0 ? -h : 0;
    }
    return EBM_OK;
}

/* K(y) */
static int64_t capacity_of(const ebm_graph *graph, const ebm_cut_capacities *capacities, const ebm_real *y) {
    int64_t sum = 0;
    for (size_t e = 0; e < graph->edges; e++)
        sum += y[graph->ends[2 * e]] != y[graph->ends[2 * e + 1]] ? capacities->edge[e] : 0;
    for (size_t i = 0; i < graph->units; i++) {
        const int64_t h = capacities->unit[i];
        sum += h > 0 && y[i] < 0 ? h : h < 0 && y[i] > 0 ? -h : 0;
    }
    return sum;
}

static ebm_status cut(const ebm_graph *graph, ebm_real *y, ebm_cut *out, ebm_work *work, ebm_error *error) {
    ebm_cut_capacities capacities;
    ebm_network network;
    EBM_TRY(ebm_cut_capacities_take(graph, &capacities, work, error));
    EBM_TRY(ebm_cut_network_take(graph, &capacities, &network, work, error));
    uint8_t *reaches = ebm_work_take(work, graph->units, 1);
    if (!reaches)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a cut of %zu units", graph->units);
    EBM_TRY(ebm_max_flow(&network, &out->flow, reaches, work, error));
    for (size_t i = 0; i < graph->units; i++)
        y[i] = reaches[i] ? -1 : 1;
    out->cut = capacity_of(graph, &capacities, y);
    out->unit = ldexp(1, -capacities.shift);
    out->slack = 4 * capacities.rounded * out->unit;
    out->energy = ebm_graph_spin_energy(graph, y);
    return EBM_OK;
}

ebm_status ebm_graph_cut(const ebm_graph *graph, ebm_real *y, ebm_cut *out, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    *out = (ebm_cut){0};
    ebm_status status = cut(graph, y, out, work, error);
    ebm_work_release(work, mark);
    return status;
}
