/* Graphs as neighbour lists (compressed rows), with a proper colouring by two colours where there is one. */
#include "models/graph.h"

#include "ebm/work.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *const ebm_lattice_names[] = {"torus", "grid", "complete", NULL};

/* The arrays of a graph while they can still be written. */
typedef struct building {
    size_t units, edges;
    uint32_t *ends, *first, *neighbour, *neighbour_edge;
    uint8_t *colour;
} building;

static void building_free(building *g) {
    free(g->ends);
    free(g->first);
    free(g->neighbour);
    free(g->neighbour_edge);
    free(g->colour);
}

void ebm_graph_free(ebm_graph *graph) {
    building g = {0,
                  0,
                  (uint32_t *)graph->ends,
                  (uint32_t *)graph->first,
                  (uint32_t *)graph->neighbour,
                  (uint32_t *)graph->neighbour_edge,
                  (uint8_t *)graph->colour};
    building_free(&g);
    memset(graph, 0, sizeof *graph);
}

static uint32_t *alloc_indices(size_t count) {
    return ebm_alloc(count ? count : 1, sizeof(uint32_t));
}

static ebm_status building_create(size_t units, size_t edges, building *g, ebm_error *error) {
    *g = (building){.units = units, .edges = edges};
    if (units == 0 || units > EBM_GRAPH_MAX_UNITS || edges > EBM_GRAPH_MAX_EDGES)
        return ebm_fail(error, EBM_INVALID, "a graph of %zu units and %zu edges cannot be: at most %zu and %zu", units,
                        edges, EBM_GRAPH_MAX_UNITS, EBM_GRAPH_MAX_EDGES);
    g->ends = alloc_indices(2 * edges);
    g->first = alloc_indices(units + 1);
    g->neighbour = alloc_indices(2 * edges);
    g->neighbour_edge = alloc_indices(2 * edges);
    g->colour = ebm_alloc(units, 1);
    if (g->ends && g->first && g->neighbour && g->neighbour_edge && g->colour)
        return EBM_OK;
    building_free(g);
    return ebm_fail(error, EBM_NO_MEMORY, "no memory for a graph of %zu units and %zu edges", units, edges);
}

/* Place both directions of every edge: those of unit i at first[i] ... first[i + 1] - 1, in the order in which `edge`
 * (2 edges) names directions; direction d leads from end d % 2 of edge d / 2 to the other. place (units) is scratch. */
static void sort_directions(const building *g, const uint32_t *in, uint32_t *out, uint32_t *place) {
    memcpy(place, g->first, g->units * sizeof *place);
    for (size_t k = 0; k < 2 * g->edges; k++) {
        uint32_t d = in ? in[k] : (uint32_t)k;
        out[place[g->ends[d]]++] = d;
    }
}

/* Neighbours in ascending order without comparisons: directions sorted by their source and reversed are sorted by their
 * target; a second stable sort by source keeps that order within each unit. */
static ebm_status fill_neighbours(building *g, ebm_error *error) {
    const size_t directions = 2 * g->edges;
    for (size_t d = 0; d < directions; d++)
        g->first[g->ends[d] + 1]++;
    for (size_t i = 0; i < g->units; i++)
        g->first[i + 1] += g->first[i];
    uint32_t *place = alloc_indices(g->units);
    if (!place)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the neighbours of %zu units", g->units);
    sort_directions(g, NULL, g->neighbour, place);
    for (size_t k = 0; k < directions; k++)
        g->neighbour[k] ^= 1u;
    sort_directions(g, g->neighbour, g->neighbour_edge, place);
    free(place);
    for (size_t k = 0; k < directions; k++) {
        g->neighbour[k] = g->ends[g->neighbour_edge[k] ^ 1u];
        g->neighbour_edge[k] /= 2;
    }
    return EBM_OK;
}

static ebm_status refuse_doubles(const building *g, ebm_error *error) {
    for (size_t i = 0; i < g->units; i++)
        for (size_t k = (size_t)g->first[i] + 1; k < g->first[i + 1]; k++)
            if (g->neighbour[k] == g->neighbour[k - 1]) {
                uint32_t a = g->neighbour_edge[k - 1], b = g->neighbour_edge[k];
                return ebm_fail(error, EBM_INVALID,
                                "edges %u and %u both join units %zu and %u: two units are joined at most once",
                                a < b ? a : b, a < b ? b : a, i, g->neighbour[k]);
            }
    return EBM_OK;
}

/* Colours by breadth-first search from the lowest unit of each component, which gets 0. False (and no colours) where
 * two neighbours come out alike: an odd cycle. */
static ebm_status fill_colours(building *g, ebm_error *error) {
    enum { UNSEEN = 2 };
    uint32_t *queue = alloc_indices(g->units);
    if (!queue)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to colour %zu units", g->units);
    memset(g->colour, UNSEEN, g->units);
    for (size_t root = 0; g->colour && root < g->units; root++) {
        if (g->colour[root] != UNSEEN)
            continue;
        size_t head = 0, tail = 0;
        queue[tail++] = (uint32_t)root;
        g->colour[root] = 0;
        while (g->colour && head < tail) {
            const uint32_t i = queue[head++];
            for (size_t k = g->first[i]; k < g->first[i + 1]; k++) {
                const uint32_t j = g->neighbour[k];
                if (g->colour[j] == UNSEEN) {
                    g->colour[j] = (uint8_t)(1 - g->colour[i]);
                    queue[tail++] = j;
                } else if (g->colour[j] == g->colour[i]) {
                    free(g->colour);
                    g->colour = NULL;
                    break;
                }
            }
        }
    }
    free(queue);
    return EBM_OK;
}

/* From ends to a graph; frees g on failure. */
static ebm_status finish(building *g, size_t rows, size_t columns, ebm_graph *out, ebm_error *error) {
    for (size_t e = 0; e < g->edges; e++)
        if (g->ends[2 * e] > g->ends[2 * e + 1]) {
            uint32_t second = g->ends[2 * e];
            g->ends[2 * e] = g->ends[2 * e + 1];
            g->ends[2 * e + 1] = second;
        }
    ebm_status status = fill_neighbours(g, error);
    if (status == EBM_OK)
        status = refuse_doubles(g, error);
    if (status == EBM_OK)
        status = fill_colours(g, error);
    if (status != EBM_OK) {
        building_free(g);
        return status;
    }
    *out = (ebm_graph){.units = g->units,
                       .edges = g->edges,
                       .ends = g->ends,
                       .first = g->first,
                       .neighbour = g->neighbour,
                       .neighbour_edge = g->neighbour_edge,
                       .colour = g->colour,
                       .rows = rows,
                       .columns = columns};
    return EBM_OK;
}

ebm_status ebm_graph_from_edges(size_t units, size_t edges, const uint32_t *ends, ebm_graph *out, ebm_error *error) {
    building g;
    *out = (ebm_graph){0};
    for (size_t e = 0; e < edges; e++) {
        const uint32_t i = ends[2 * e], j = ends[2 * e + 1];
        if (i >= units || j >= units)
            return ebm_fail(error, EBM_INVALID, "edge %zu names unit %u: units are numbered from 0 to %zu", e,
                            i < units ? j : i, units - 1);
        if (i == j)
            return ebm_fail(error, EBM_INVALID, "edge %zu joins unit %u to itself", e, i);
    }
    EBM_TRY(building_create(units, edges, &g, error));
    if (edges)
        memcpy(g.ends, ends, 2 * edges * sizeof *g.ends);
    return finish(&g, 0, 0, out, error);
}

static void put_edge(building *g, size_t e, size_t i, size_t j) {
    g->ends[2 * e] = (uint32_t)i;
    g->ends[2 * e + 1] = (uint32_t)j;
}

static void torus_edges(building *g, size_t rows, size_t columns) {
    for (size_t r = 0, u = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++, u++) {
            put_edge(g, u, u, r * columns + (c + 1) % columns);
            put_edge(g, g->units + u, u, (r + 1) % rows * columns + c);
        }
}

static void grid_edges(building *g, size_t rows, size_t columns) {
    size_t e = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c + 1 < columns; c++)
            put_edge(g, e++, r * columns + c, r * columns + c + 1);
    for (size_t u = 0; u < (rows - 1) * columns; u++)
        put_edge(g, e++, u, u + columns);
}

static void complete_edges(building *g) {
    size_t e = 0;
    for (size_t i = 0; i < g->units; i++)
        for (size_t j = i + 1; j < g->units; j++)
            put_edge(g, e++, i, j);
}

ebm_status ebm_graph_lattice(ebm_lattice lattice, size_t rows, size_t columns, ebm_graph *out, ebm_error *error) {
    building g;
    size_t units = 0, edges = 0;
    *out = (ebm_graph){0};
    if (rows == 0 || columns == 0 || __builtin_mul_overflow(rows, columns, &units) || units > EBM_GRAPH_MAX_UNITS)
        return ebm_fail(error, EBM_INVALID, "a lattice of %zu x %zu units cannot be: it has from 1 to %zu units", rows,
                        columns, EBM_GRAPH_MAX_UNITS);
    if (lattice == EBM_LATTICE_TORUS && (rows < 3 || columns < 3))
        return ebm_fail(error, EBM_INVALID,
                        "a torus of %zu x %zu units cannot be: with fewer than 3 rows or columns both neighbours of a "
                        "unit along them are the same one, and two units are joined at most once (a grid may be so "
                        "narrow)",
                        rows, columns);
    switch (lattice) { /* at most 2^32 units: nothing here overflows 64 bits */
    case EBM_LATTICE_TORUS:
        edges = 2 * units;
        break;
    case EBM_LATTICE_GRID:
        edges = rows * (columns - 1) + (rows - 1) * columns;
        break;
    case EBM_LATTICE_COMPLETE:
        edges = units % 2 ? (units - 1) / 2 * units : units / 2 * (units - 1);
        break;
    }
    EBM_TRY(building_create(units, edges, &g, error));
    const bool torus = lattice == EBM_LATTICE_TORUS;
    if (torus)
        torus_edges(&g, rows, columns);
    else if (lattice == EBM_LATTICE_GRID)
        grid_edges(&g, rows, columns);
    else
        complete_edges(&g);
    return finish(&g, torus ? rows : 0, torus ? columns : 0, out, error);
}
