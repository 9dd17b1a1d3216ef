/* Swendsen-Wang sampling of spins and of categorical units on a graph (Swendsen & Wang, Physical Review Letters 58,
 * 1987; Edwards & Sokal, Physical Review D 38, 1988): draw all bonds given the units, then all units given the bonds.
 * The joint law of units and bonds is in clusters.h.
 *
 * Exact: both halves draw from conditionals of p(x, b), whose marginal is p_beta. Reversible on x:
 *   p(x) T(x, x') = sum_b p(x, b) p(x' | b) = sum_b p(x, b) p(x', b) / p(b),
 * which is symmetric in x and x'.
 *
 * Clusters are found by union-find over the edges: every unit points to one of its cluster with a lower number or to
 * itself, finding halves paths, and of two roots the higher is linked to the lower. So a cluster's root is its lowest
 * unit, and one pass in ascending order brings every unit to its root.
 *
 * A sweep uses two steps of random numbers: word e of the first decides on edge e; the second has for each cluster, in
 * the order of roots, one bit (spins without fields), one word (categories without fields) or two words. */
#include "components.h"

#include "samplers/clusters.h"

#include <math.h>
#include <string.h>

enum { PIECE = 1024 }; /* edges at a time: a multiple of 4 */

static const ebm_option swendsen_wang_table[] = {EBM_OPTIONS_END};

/* One call of step, and one thread's scratch for one chain at a time. */
typedef struct sw_call {
    const ebm_graph *graph;
    const ebm_clusters *bonds;
    const ebm_row_kernels *kernels;
    ebm_cluster_fields fields;
    bool spins;
    size_t categories; /* 2 for spins */
    ebm_stream stream;
} sw_call;

typedef struct sw_scratch {
    uint16_t *value;   /* (units): the state; spins: 0 is -1 */
    uint16_t *outcome; /* (units): of each root: the new category, or 1 to flip */
    uint32_t *root;    /* (units) */
    uint32_t *size;    /* (units): of each root's cluster */
    uint32_t *words;   /* (2 units) */
    double *weight;    /* (units) spins or (units, categories): of each root, sums of the fields. NULL without fields */
} sw_scratch;

static bool take_scratch(const sw_call *c, sw_scratch *s, ebm_work *work) {
    const size_t V = c->graph->units;
    s->value = ebm_work_take(work, V, sizeof *s->value);
    s->outcome = ebm_work_take(work, V, sizeof *s->outcome);
    s->root = ebm_work_take(work, V, sizeof *s->root);
    s->size = ebm_work_take(work, V, sizeof *s->size);
    s->words = ebm_work_take(work, V, 2 * sizeof *s->words);
    s->weight = NULL;
    if (c->fields.any)
        s->weight = ebm_work_take(work, V, (c->spins ? 1 : c->categories) * sizeof *s->weight);
    return s->value && s->outcome && s->root && s->size && s->words && (s->weight || !c->fields.any);
}

static inline uint32_t find(uint32_t *root, uint32_t i) {
    while (root[i] != i) {
        root[i] = root[root[i]];
        i = root[i];
    }
    return i;
}

/* Draw the bonds of edges first ... first + count - 1 and join the clusters that they connect. */
static void join_piece(const sw_call *c, const sw_scratch *s, size_t first, size_t count, const uint32_t *words) {
    const uint32_t *ends = c->graph->ends + 2 * first, *threshold = c->bonds->threshold + first;
    const ebm_real *coupling = c->graph->coupling + first;
    uint16_t bond[PIECE];
    size_t bonds = 0;
    for (size_t e = 0; e < count; e++) { /* without branches, which would go either way */
        const unsigned differ = s->value[ends[2 * e]] ^ s->value[ends[2 * e + 1]];
        const unsigned wanted = c->bonds->negative & (coupling[e] < 0);
        bond[bonds] = (uint16_t)e;
        bonds += (differ == wanted) & (words[e] < threshold[e]);
    }
    for (size_t k = 0; k < bonds; k++) {
        const uint32_t a = find(s->root, ends[2 * bond[k]]), b = find(s->root, ends[2 * bond[k] + 1]);
        s->root[a > b ? a : b] = a < b ? a : b;
    }
}

/* Returns the number of clusters; every unit then names its root. */
static size_t find_clusters(const sw_call *c, const sw_scratch *s, uint32_t chain, uint64_t step) {
    const size_t V = c->graph->units, E = c->graph->edges;
    uint32_t words[PIECE];
    size_t clusters = 0;
    for (size_t i = 0; i < V; i++)
        s->root[i] = (uint32_t)i;
    for (size_t first = 0; first < E; first += PIECE) {
        const size_t count = E - first < PIECE ? E - first : PIECE;
        c->kernels->words(c->stream, chain, step, first / 4, count, words);
        join_piece(c, s, first, count, words);
    }
    for (size_t i = 0; i < V; i++) {
        s->root[i] = s->root[s->root[i]];
        clusters += s->root[i] == i;
    }
    return clusters;
}

/* Sum of squares of the clusters' sizes over V: a uniformly drawn unit's mean cluster. */
static double mean_size(const sw_call *c, const sw_scratch *s) {
    const size_t V = c->graph->units;
    double squares = 0;
    memset(s->size, 0, V * sizeof *s->size);
    for (size_t i = 0; i < V; i++)
        s->size[s->root[i]]++;
    for (size_t i = 0; i < V; i++)
        squares += (double)s->size[i] * (double)s->size[i];
    return squares / (double)V;
}

/* Without fields each outcome is as probable as any other. */
static void draw_freely(const sw_call *c, const sw_scratch *s) {
    const size_t V = c->graph->units;
    const uint64_t q = c->categories;
    size_t k = 0; /* clusters so far */
    if (c->spins)
        for (size_t i = 0; i < V; i++) { /* written at every unit and read at roots */
            s->outcome[i] = s->words[k / 32] >> (k % 32) & 1u;
            s->value[i] ^= s->outcome[s->root[i]];
            k += s->root[i] == i;
        }
    else
        for (size_t i = 0; i < V; i++) {
            s->outcome[i] = (uint16_t)((s->words[k] * q) >> 32);
            s->value[i] = s->outcome[s->root[i]];
            k += s->root[i] == i;
        }
}

/* Drawn with probabilities exp(weight) over their sum. */
static size_t draw_category(const double *weight, size_t q, double u) {
    double highest = weight[0], total = 0, below = 0;
    size_t chosen = 0;
    for (size_t c = 1; c < q; c++)
        highest = weight[c] > highest ? weight[c] : highest;
    for (size_t c = 0; c < q; c++)
        total += exp(weight[c] - highest);
    for (size_t c = 0; c + 1 < q; c++) {
        below += exp(weight[c] - highest) / total;
        chosen += u >= below;
    }
    return chosen;
}

/* weight[root] = sum_i f_i x_i over its cluster: it flips with probability 1 / (1 + exp(2 weight)). */
static void draw_spins(const sw_call *c, const sw_scratch *s) {
    const size_t V = c->graph->units;
    const uint32_t *pair = s->words;
    for (size_t i = 0; i < V; i++) {
        const double f = ebm_cluster_field(&c->fields, i), along = s->value[i] ? f : -f;
        s->weight[s->root[i]] = (s->root[i] == i ? 0 : s->weight[s->root[i]]) + along;
    }
    for (size_t i = 0; i < V; i++) {
        if (s->root[i] == i) {
            s->outcome[i] = ebm_word_uniform(pair) < 1 / (1 + exp(2 * s->weight[i]));
            pair += 2;
        }
        s->value[i] ^= s->outcome[s->root[i]];
    }
}

/* weight[root][c] = sum_i f_i(c) over its cluster. */
static void draw_categories(const sw_call *c, const sw_scratch *s) {
    const size_t V = c->graph->units, q = c->categories;
    const uint32_t *pair = s->words;
    for (size_t i = 0; i < V; i++) {
        double *weight = s->weight + s->root[i] * q;
        if (s->root[i] == i)
            memset(weight, 0, q * sizeof *weight);
        for (size_t k = 0; k < q; k++)
            weight[k] += ebm_cluster_field(&c->fields, i * q + k);
    }
    for (size_t i = 0; i < V; i++) {
        if (s->root[i] == i) {
            s->outcome[i] = (uint16_t)draw_category(s->weight + i * q, q, ebm_word_uniform(pair));
            pair += 2;
        }
        s->value[i] = s->outcome[s->root[i]];
    }
}

/* All sweeps of one chain; returns the sum of mean sizes (0 where they are not wanted). */
static double walk(const sw_call *c, const sw_scratch *s, ebm_real *x, uint32_t chain, uint64_t step, size_t sweeps,
                   bool sizes) {
    const size_t V = c->graph->units;
    double sum = 0;
    for (size_t i = 0; i < V; i++)
        s->value[i] = (uint16_t)(c->spins ? x[i] > 0 : x[i]);
    for (size_t sweep = 0; sweep < sweeps; sweep++, step += 2) {
        const size_t clusters = find_clusters(c, s, chain, step);
        const size_t words = c->fields.any ? 2 * clusters : c->spins ? clusters / 32 + 1 : clusters;
        c->kernels->words(c->stream, chain, step + 1, 0, words, s->words);
        sum += sizes ? mean_size(c, s) : 0;
        if (!c->fields.any)
            draw_freely(c, s);
        else if (c->spins)
            draw_spins(c, s);
        else
            draw_categories(c, s);
    }
    for (size_t i = 0; i < V; i++)
        x[i] = (ebm_real)(c->spins ? 2 * s->value[i] - 1 : s->value[i]);
    return sum;
}

static ebm_status swendsen_wang_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                     size_t sweeps, ebm_work *work, ebm_error *error) {
    const ebm_graph *g = model->type->graph(model);
    const size_t B = chains->batch.count, V = g->units, mark = ebm_work_mark(work);
    ebm_cluster_sizes *sizes = chains->auxiliary;
    sw_call c = {.graph = g,
                 .bonds = sampler->state,
                 .kernels = ebm_row_kernels_get(),
                 .spins = model->space.domain == EBM_SPIN,
                 .categories = model->space.categories,
                 .stream = chains->stream};
    EBM_TRY(ebm_clusters_prepare(sampler, model, path, &c.fields, error));
    const size_t threads = (size_t)ebm_work_threads(work) < B ? (size_t)ebm_work_threads(work) : B;
    sw_scratch *scratch = ebm_work_take(work, threads, sizeof *scratch);
    bool enough = scratch != NULL;
    for (size_t t = 0; enough && t < threads; t++)
        enough = take_scratch(&c, scratch + t, work);
    if (!enough) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the clusters of %zu units", V);
    }
#pragma omp parallel for schedule(static, 1) num_threads((int)threads) if (threads > 1)
    for (size_t t = 0; t < threads; t++)
        for (size_t b = t; b < B; b += threads) {
            const double sum = walk(&c, scratch + t, chains->batch.x + b * V, chains->first_chain + (uint32_t)b,
                                    chains->step, sweeps, sizes != NULL);
            if (sizes)
                sizes->sum[b] += sum;
        }
    ebm_work_release(work, mark);
    if (sizes)
        sizes->sweeps += sweeps;
    chains->step += 2 * (uint64_t)sweeps;
    chains->site_updates += (uint64_t)sweeps * B * V;
    chains->batch.field_ok = chains->batch.hidden_ok = false;
    return EBM_OK;
}

/* p(x' | b) over the states that the clusters can be in: every spin of a cluster flips or none does; every unit of a
 * cluster has one category. */
static void swendsen_wang_visit(const ebm_bonds *bonds, double *row) {
    const ebm_state_table *t = bonds->table;
    const bool spins = t->model->space.domain == EBM_SPIN;
    size_t count = 1;
    bonds->codes[0] = 0;
    for (size_t k = 0; k < bonds->clusters; k++) {
        for (size_t d = t->categories; d-- > 0;) { /* the list becomes q lists, the first of them in place */
            size_t part = 0;
            for (size_t i = 0; i < t->units; i++)
                if (bonds->cluster[i] == k)
                    part += t->weight[i] * (spins ? ebm_state_digit(t, bonds->state, i) ^ d : d);
            for (size_t n = 0; n < count; n++)
                bonds->codes[d * count + n] = bonds->codes[n] + part;
        }
        count *= t->categories;
    }
    double highest = -INFINITY, total = 0;
    for (size_t n = 0; n < count; n++)
        highest = fmax(highest, bonds->log_rest[bonds->codes[n]]);
    for (size_t n = 0; n < count; n++)
        total += exp(bonds->log_rest[bonds->codes[n]] - highest);
    for (size_t n = 0; n < count; n++)
        row[bonds->codes[n]] += bonds->probability * exp(bonds->log_rest[bonds->codes[n]] - highest) / total;
}

static ebm_status swendsen_wang_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S,
                                       double *T, ebm_work *work, ebm_error *error) {
    return ebm_cluster_kernel(sampler, model, path, S, T, swendsen_wang_visit, work, error);
}

const ebm_sampler_type ebm_swendsen_wang = {
    .info = {"swendsen-wang", "all bonds given the units, then all clusters of bonded units afresh",
             "Swendsen & Wang 1987; Edwards & Sokal 1988", swendsen_wang_table, 0},
    .needs = EBM_SLOT_GRAPH,
    .domains = 1u << EBM_SPIN | 1u << EBM_CATEGORICAL,
    .exact = true,
    .reversible = true,
    .metrics = ebm_cluster_metrics,
    .create = ebm_clusters_create,
    .destroy = ebm_clusters_destroy,
    .auxiliary_bytes = ebm_cluster_sizes_bytes,
    .auxiliary_start = ebm_cluster_sizes_start,
    .step = swendsen_wang_step,
    .kernel = swendsen_wang_kernel,
    .report = ebm_cluster_sizes_report,
    .reset_counters = ebm_cluster_sizes_reset,
};
