/* What the two cluster samplers share (the law: clusters.h). */
#include "samplers/clusters.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Preparation ---- */

static const ebm_graph *graph_of(const ebm_model *model) {
    return model->type->graph(model);
}

static ebm_status check_couplings(const ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const ebm_graph *g = graph_of(model);
    const bool categorical = model->space.domain == EBM_CATEGORICAL;
    for (size_t e = 0; e < g->edges; e++) {
        const double J = (double)g->coupling[e];
        if (!isfinite(J))
            return ebm_fail(error, EBM_DIVERGED, "sampler %s: the coupling of edge %zu (units %u and %u) is %g",
                            sampler->type->info.name, e, g->ends[2 * e], g->ends[2 * e + 1], J);
        if (categorical && J < 0)
            return ebm_fail(error, EBM_UNSUPPORTED,
                            "sampler %s needs couplings that are not negative on categorical units: that of edge %zu "
                            "(units %u and %u) is %g",
                            sampler->type->info.name, e, g->ends[2 * e], g->ends[2 * e + 1], J);
    }
    return EBM_OK;
}

ebm_status ebm_clusters_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const ebm_graph *g = graph_of(model);
    if (!g)
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s needs a graph, this model %s has none",
                        sampler->type->info.name, model->type->info.name);
    EBM_TRY(check_couplings(sampler, model, error));
    ebm_clusters *state = calloc(1, sizeof *state);
    if (state) {
        *state = (ebm_clusters){.units = g->units,
                                .edges = g->edges,
                                .beta = NAN,
                                .coupling = ebm_alloc(g->edges, sizeof(ebm_real)),
                                .threshold = ebm_alloc(g->edges, sizeof(uint32_t))};
        sampler->state = state;
        if (state->coupling && state->threshold)
            return EBM_OK;
        ebm_clusters_destroy(sampler);
    }
    return ebm_fail(error, EBM_NO_MEMORY, "no memory for the bonds of %zu edges", g->edges);
}

void ebm_clusters_destroy(ebm_sampler *sampler) {
    ebm_clusters *state = sampler->state;
    if (state) {
        free(state->coupling);
        free(state->threshold);
    }
    free(state);
    sampler->state = NULL;
}

/* Equal strengths in a row, as on a lattice, cost one exponential. */
static void renew_thresholds(ebm_clusters *state, const ebm_graph *g, double scale) {
    double last = 0;
    uint32_t threshold = 0;
    state->negative = false;
    state->alike = true;
    for (size_t e = 0; e < g->edges; e++) {
        const double strength = fabs((double)g->coupling[e]);
        state->negative |= g->coupling[e] < 0;
        if (strength != last) {
            last = strength;
            threshold = ebm_word_threshold(-expm1(-scale * strength));
        }
        state->threshold[e] = threshold;
        state->alike &= threshold == state->threshold[0];
    }
    state->alike &= !state->negative;
}

/* Whether the fields tell values apart: `values` numbers a unit, one (which has a sign) for spins. EBM_DIVERGED where
 * one is not finite. */
static ebm_status look_at_fields(const ebm_sampler *sampler, size_t units, size_t values, ebm_cluster_fields *f,
                                 ebm_error *error) {
    f->any = false;
    for (size_t i = 0; (f->own || f->base) && i < units; i++) {
        const double first = values == 1 ? 0 : ebm_cluster_field(f, i * values);
        for (size_t c = 0; c < values; c++) {
            const double value = ebm_cluster_field(f, i * values + c);
            if (!isfinite(value))
                return ebm_fail(error, EBM_DIVERGED, "sampler %s: the field of unit %zu is %g",
                                sampler->type->info.name, i, value);
            f->any |= value != first;
        }
    }
    return EBM_OK;
}

ebm_status ebm_clusters_prepare(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_cluster_fields *fields,
                                ebm_error *error) {
    ebm_clusters *state = sampler->state;
    const ebm_graph *g = graph_of(model);
    const bool spins = model->space.domain == EBM_SPIN;
    if (!(path.beta >= 0 && path.beta <= DBL_MAX))
        return ebm_fail(error, EBM_INVALID, "sampler %s: beta is %g, expected a number that is not negative",
                        sampler->type->info.name, path.beta);
    if (!spins && model->space.categories > UINT16_MAX + 1)
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s: %zu categories, at most 65536 can be had",
                        sampler->type->info.name, model->space.categories);
    if (g->units != state->units || g->edges != state->edges)
        return ebm_fail(error, EBM_INVALID, "sampler %s was created for another graph: %zu edges, not %zu",
                        sampler->type->info.name, state->edges, g->edges);
    const size_t bytes = g->edges * sizeof *g->coupling;
    if (!(state->beta == path.beta && memcmp(state->coupling, g->coupling, bytes) == 0)) {
        state->beta = NAN;
        EBM_TRY(check_couplings(sampler, model, error));
        renew_thresholds(state, g, spins ? 2 * path.beta : path.beta);
        memcpy(state->coupling, g->coupling, bytes);
        state->beta = path.beta;
    }
    *fields =
        (ebm_cluster_fields){.own = g->field, .base = path.base ? path.base->parameters : NULL, .beta = path.beta};
    return look_at_fields(sampler, g->units, spins ? 1 : model->space.categories, fields, error);
}

/* ---- Sizes ---- */

const ebm_metric ebm_cluster_metrics[] = {
    {"cluster_size", "units", true, "mean size of the cluster that a uniformly drawn unit is in"}, EBM_METRICS_END};

size_t ebm_cluster_sizes_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    (void)sampler, (void)model;
    return sizeof(ebm_cluster_sizes) + chains * sizeof(double);
}

void ebm_cluster_sizes_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    (void)model;
    ebm_cluster_sizes_reset(sampler, chains);
}

void ebm_cluster_sizes_reset(const ebm_sampler *sampler, ebm_chains *chains) {
    (void)sampler;
    if (chains->auxiliary)
        memset(chains->auxiliary, 0, chains->auxiliary_bytes);
}

/* Sizes along a chain are correlated; chains are independent: the standard error is that of a mean over chains. */
ebm_status ebm_cluster_sizes_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink,
                                    ebm_error *error) {
    (void)sampler;
    const ebm_cluster_sizes *sizes = chains->auxiliary;
    const size_t B = chains->batch.count;
    double mean = 0, squares = 0;
    if (!sizes || sizes->sweeps == 0)
        return sink->emit(sink, "cluster_size", NAN, NAN, error);
    for (size_t b = 0; b < B; b++)
        mean += sizes->sum[b] / (double)sizes->sweeps / (double)B;
    for (size_t b = 0; b < B; b++) {
        const double d = sizes->sum[b] / (double)sizes->sweeps - mean;
        squares += d * d;
    }
    return sink->emit(sink, "cluster_size", mean, B > 1 ? sqrt(squares / (double)(B - 1) / (double)B) : NAN, error);
}

/* ---- Kernels ---- */

enum { MAX_BOND_EDGES = 16 };

typedef struct enumeration {
    ebm_state_table table;
    const ebm_graph *graph;
    double *strength;    /* (edges): K */
    double *log_rest;    /* (states) */
    uint32_t *satisfied; /* (edges): those of the present state that can be bonds */
    uint32_t *component; /* (units): the lowest unit of its component, then */
    uint32_t *cluster;   /* (units): the component's number */
    size_t *codes;       /* (states): scratch of the visit */
} enumeration;

/* List the satisfied edges with K > 0 of a state; returns how many. */
static size_t satisfied_edges(const enumeration *n, size_t state, uint32_t *out) {
    const ebm_state_table *t = &n->table;
    const bool spins = t->model->space.domain == EBM_SPIN;
    size_t count = 0;
    for (size_t e = 0; e < n->graph->edges; e++) {
        const bool equal =
            ebm_state_digit(t, state, n->graph->ends[2 * e]) == ebm_state_digit(t, state, n->graph->ends[2 * e + 1]);
        const bool satisfied = spins && n->graph->coupling[e] < 0 ? !equal : equal;
        if (satisfied && n->strength[e] > 0)
            out[count++] = (uint32_t)e;
    }
    return count;
}

/* Number the components of the bonds (bit k of `chosen`: satisfied edge k) by relabelling until nothing changes. */
static size_t components(const enumeration *n, size_t count, size_t chosen) {
    const size_t units = n->graph->units;
    size_t clusters = 0;
    for (size_t i = 0; i < units; i++)
        n->component[i] = (uint32_t)i;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t k = 0; k < count; k++) {
            uint32_t *a = n->component + n->graph->ends[2 * (size_t)n->satisfied[k]];
            uint32_t *b = n->component + n->graph->ends[2 * (size_t)n->satisfied[k] + 1];
            if ((chosen >> k & 1u) && *a != *b) {
                *a = *b = *a < *b ? *a : *b;
                changed = true;
            }
        }
    }
    for (size_t i = 0; i < units; i++)
        n->cluster[i] = n->component[i] == i ? (uint32_t)clusters++ : n->cluster[n->component[i]];
    return clusters;
}

static void visit_state(const enumeration *n, size_t state, ebm_bonds_visit *visit, double *row) {
    const size_t count = satisfied_edges(n, state, n->satisfied);
    ebm_bonds bonds = {&n->table, n->log_rest, state, 0, 0, n->cluster, n->codes};
    for (size_t chosen = 0; chosen < (size_t)1 << count; chosen++) {
        bonds.probability = 1;
        for (size_t k = 0; k < count; k++) {
            const double K = n->strength[n->satisfied[k]];
            bonds.probability *= chosen >> k & 1u ? -expm1(-K) : exp(-K);
        }
        bonds.clusters = components(n, count, chosen);
        visit(&bonds, row);
    }
}

/* log_rest of every state; refuses those with too many configurations. */
static ebm_status fill_rest(const enumeration *n, ebm_error *error) {
    for (size_t state = 0; state < n->table.states; state++) {
        const size_t count = satisfied_edges(n, state, n->satisfied);
        if (count > MAX_BOND_EDGES)
            return ebm_fail(error, EBM_UNSUPPORTED,
                            "the kernel of a cluster sampler enumerates the bonds of a state: 2^%zu with %zu satisfied "
                            "edges, at most 2^%d can be had",
                            count, count, MAX_BOND_EDGES);
        n->log_rest[state] = n->table.log_p[state];
        for (size_t k = 0; k < count; k++)
            n->log_rest[state] -= n->strength[n->satisfied[k]];
    }
    return EBM_OK;
}

static ebm_status enumerate(const ebm_model *model, ebm_path path, size_t S, double *T, ebm_bonds_visit *visit,
                            ebm_work *work, ebm_error *error) {
    const ebm_graph *g = graph_of(model);
    enumeration n = {.graph = g};
    EBM_TRY(ebm_state_table_create(model, path, S, &n.table, work, error));
    n.strength = ebm_work_take(work, g->edges, sizeof *n.strength);
    n.log_rest = ebm_work_take(work, S, sizeof *n.log_rest);
    n.satisfied = ebm_work_take(work, g->edges, sizeof *n.satisfied);
    n.component = ebm_work_take(work, g->units, sizeof *n.component);
    n.cluster = ebm_work_take(work, g->units, sizeof *n.cluster);
    n.codes = ebm_work_take(work, S, sizeof *n.codes);
    if (!n.strength || !n.log_rest || !n.satisfied || !n.component || !n.cluster || !n.codes)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a kernel of %zu states", S);
    for (size_t e = 0; e < g->edges; e++)
        n.strength[e] = model->space.domain == EBM_SPIN ? 2 * path.beta * fabs((double)g->coupling[e])
                                                        : path.beta * (double)g->coupling[e];
    EBM_TRY(fill_rest(&n, error));
    memset(T, 0, S * S * sizeof *T);
    for (size_t state = 0; state < S; state++)
        visit_state(&n, state, visit, T + state * S);
    return EBM_OK;
}

ebm_status ebm_cluster_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                              ebm_bonds_visit *visit, ebm_work *work, ebm_error *error) {
    if (!(path.beta >= 0 && path.beta <= DBL_MAX))
        return ebm_fail(error, EBM_INVALID, "sampler %s: beta is %g, expected a number that is not negative",
                        sampler->type->info.name, path.beta);
    EBM_TRY(check_couplings(sampler, model, error));
    const size_t mark = ebm_work_mark(work);
    const ebm_status status = enumerate(model, path, S, T, visit, work, error);
    ebm_work_release(work, mark);
    return status;
}
