/* Wolff sampling of spins and of categorical units on a graph (Wolff, Physical Review Letters 62, 1989): one cluster a
 * sweep, grown from a uniformly drawn unit by the bonds of clusters.h, moves to another value: spins flip, categories
 * change to another one, uniformly drawn. With fields the move is accepted with probability
 *   min(1, exp(sum over the cluster of f_i(new) - f_i(old))),
 * without them always.
 *
 * Exact and reversible. Growing draws each bond when it is first asked for, so the cluster is that of its seed in a
 * configuration b of bonds from p(b | x). Given b and the seed, the move is a symmetric proposal within the states in
 * which every bond is satisfied, of which p(x | b) ~ exp(sum_i f_i(x_i)), accepted as Metropolis has it: a kernel
 * M_(b, seed) in detailed balance with p(x | b). So
 *   p(x) T(x, x') = (1 / V) sum_(b, seed) p(b) p(x | b) M_(b, seed)(x, x')
 * is symmetric in x and x'.
 *
 * A sweep uses one step of random numbers: of its blocks of four words the first draws the seed, the second the category,
 * the third accepts; from the fifth on there is one word for each neighbour of each unit of the cluster, in the order of
 * growth. */
#include "components.h"

#include "samplers/clusters.h"

#include <math.h>
#include <string.h>

enum {
    SEED_INDEX = 0,     /* a block of ebm_random_below */
    CATEGORY_INDEX = 1, /* likewise */
    ACCEPT_INDEX = 4,   /* of ebm_random_uniform1, two to a block */
    GROWTH_BLOCK = 4,
    FIRST_PIECE = 32, /* words made at a time: small clusters need few */
    LAST_PIECE = 1024,
    AHEAD = 8,             /* members */
    FETCHED = 6,           /* neighbours of each */
    CACHED_UNITS = 1 << 15 /* graphs that need no fetching ahead */
};

static const ebm_option wolff_table[] = {EBM_OPTIONS_END};

/* One call of step. */
typedef struct wolff_call {
    const ebm_graph *graph;
    const ebm_clusters *bonds;
    const ebm_row_kernels *kernels;
    ebm_cluster_fields fields;
    bool spins;
    size_t categories;
    ebm_stream stream;
} wolff_call;

typedef struct wolff_scratch {
    uint32_t *member; /* (units + 1): the cluster in the order of growth, and one place to write to in vain */
    uint8_t *inside;  /* (units): 1 for members, all 0 between clusters */
    uint32_t *words;  /* (LAST_PIECE) */
} wolff_scratch;

static bool take_scratch(const wolff_call *c, wolff_scratch *s, ebm_work *work) {
    const size_t V = c->graph->units;
    s->member = ebm_work_take(work, V + 1, sizeof *s->member);
    s->inside = ebm_work_take(work, V, sizeof *s->inside);
    s->words = ebm_work_take(work, LAST_PIECE, sizeof *s->words);
    if (s->inside)
        memset(s->inside, 0, V);
    return s->member && s->inside && s->words;
}

/* Ask `count` neighbours of a member, from `k` on in the graph's lists; returns the new number of members. Neighbours are
 * taken without branches, which would go either way. `alike`: one threshold and no sign is right for all edges, and
 * nothing about an edge need be read. */
static inline __attribute__((always_inline)) size_t ask(const wolff_call *c, const wolff_scratch *s, const ebm_real *x,
                                                        ebm_real own, size_t k, size_t count, const uint32_t *words,
                                                        size_t members, bool alike) {
    const ebm_graph *g = c->graph;
    const uint32_t *threshold = c->bonds->threshold, *neighbour = g->neighbour + k, *edge = g->neighbour_edge + k;
    for (size_t n = 0; n < count; n++) {
        const uint32_t j = neighbour[n];
        const ebm_real wanted = !alike && g->coupling[edge[n]] < 0 ? -own : own;
        const uint8_t joins = (x[j] == wanted) & !s->inside[j] & (words[n] < threshold[alike ? 0 : edge[n]]);
        s->inside[j] |= joins;
        s->member[members] = j;
        members += joins;
    }
    return members;
}

/* Start to fetch what members soon to be asked are read from, their lists of neighbours first: lattices beyond the caches
 * wait for little else. (Inlined by force: gcc 12 takes a function that only fetches for one without effect.)
 */
static inline __attribute__((always_inline)) void fetch_ahead(const wolff_call *c, const wolff_scratch *s,
                                                              const ebm_real *x, size_t m) {
    const ebm_graph *g = c->graph;
    const uint32_t *first = g->first + s->member[m + AHEAD];
    const size_t end = first[1] - first[0] < FETCHED ? first[1] : first[0] + FETCHED;
    __builtin_prefetch(g->neighbour + g->first[s->member[m + 2 * AHEAD]]);
    for (size_t k = first[0]; k < end; k++) {
        __builtin_prefetch(x + g->neighbour[k]);
        __builtin_prefetch(s->inside + g->neighbour[k], 1);
    }
}

/* Grow the cluster of a seed; returns its size. */
static size_t grow(const wolff_call *c, const wolff_scratch *s, const ebm_real *x, uint32_t seed, uint32_t chain,
                   uint64_t step) {
    const ebm_graph *g = c->graph;
    size_t members = 1, made = FIRST_PIECE / 2, used = made, block = GROWTH_BLOCK; /* of the words: none yet */
    const bool far = g->units > CACHED_UNITS;
    s->member[0] = seed;
    s->inside[seed] = 1;
    for (size_t m = 0; m < members; m++) {
        const ebm_real own = x[s->member[m]];
        const size_t end = g->first[s->member[m] + 1];
        if (far && m + 2 * AHEAD < members)
            fetch_ahead(c, s, x, m);
        for (size_t k = g->first[s->member[m]], count; k < end; k += count, used += count) {
            if (used == made) {
                made = 2 * made < LAST_PIECE ? 2 * made : LAST_PIECE;
                c->kernels->words(c->stream, chain, step, block, made, s->words);
                block += made / 4;
                used = 0;
            }
            count = end - k < made - used ? end - k : made - used;
            members = c->bonds->alike ? ask(c, s, x, own, k, count, s->words + used, members, true)
                                      : ask(c, s, x, own, k, count, s->words + used, members, false);
        }
    }
    return members;
}

/* sum over the cluster of f_i(new) - f_i(old) */
static double field_change(const wolff_call *c, const uint32_t *member, size_t members, const ebm_real *x,
                           size_t category) {
    const size_t q = c->categories;
    double change = 0;
    for (size_t m = 0; m < members; m++) {
        const size_t i = member[m];
        if (c->spins)
            change -= 2 * (double)x[i] * ebm_cluster_field(&c->fields, i);
        else
            change +=
                ebm_cluster_field(&c->fields, i * q + category) - ebm_cluster_field(&c->fields, i * q + (size_t)x[i]);
    }
    return change;
}

/* One cluster; returns its size and whether it moved. */
static size_t update(const wolff_call *c, const wolff_scratch *s, ebm_real *x, uint32_t chain, uint64_t step,
                     bool *moved) {
    const uint32_t seed =
        ebm_random_below(c->stream, chain, step, SEED_INDEX, (uint32_t)c->graph->units); /* units < 2^32 */
    const size_t members = grow(c, s, x, seed, chain, step);
    size_t category = 0;
    if (!c->spins && c->categories > 1) /* any but the present one */
        category = ((size_t)x[seed] + 1 +
                    ebm_random_below(c->stream, chain, step, CATEGORY_INDEX, (uint32_t)c->categories - 1)) %
                   c->categories;
    *moved = true;
    if (c->fields.any) {
        const double change = field_change(c, s->member, members, x, category);
        *moved = change >= 0 || ebm_random_uniform1(c->stream, chain, step, ACCEPT_INDEX) < exp(change);
    }
    for (size_t m = 0; m < members; m++)
        s->inside[s->member[m]] = 0;
    if (*moved && c->spins)
        for (size_t m = 0; m < members; m++)
            x[s->member[m]] = -x[s->member[m]];
    else if (*moved)
        for (size_t m = 0; m < members; m++)
            x[s->member[m]] = (ebm_real)category;
    return members;
}

static ebm_status wolff_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                             size_t sweeps, ebm_work *work, ebm_error *error) {
    const ebm_graph *g = model->type->graph(model);
    const size_t B = chains->batch.count, V = g->units, mark = ebm_work_mark(work);
    ebm_cluster_sizes *sizes = chains->auxiliary;
    wolff_call c = {.graph = g,
                    .bonds = sampler->state,
                    .kernels = ebm_row_kernels_get(),
                    .spins = model->space.domain == EBM_SPIN,
                    .categories = model->space.categories,
                    .stream = chains->stream};
    EBM_TRY(ebm_clusters_prepare(sampler, model, path, &c.fields, error));
    const size_t threads = (size_t)ebm_work_threads(work) < B ? (size_t)ebm_work_threads(work) : B;
    wolff_scratch *scratch = ebm_work_take(work, threads, sizeof *scratch);
    bool enough = scratch != NULL;
    for (size_t t = 0; enough && t < threads; t++)
        enough = take_scratch(&c, scratch + t, work);
    if (!enough) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the clusters of %zu units", V);
    }
    uint64_t units = 0, accepted = 0;
#pragma omp parallel for schedule(static, 1) num_threads((int)threads) if (threads > 1) reduction(+ : units, accepted)
    for (size_t t = 0; t < threads; t++)
        for (size_t b = t; b < B; b += threads) {
            uint64_t own = 0;
            for (size_t sweep = 0; sweep < sweeps; sweep++) {
                bool moved;
                own += update(&c, scratch + t, chains->batch.x + b * V, chains->first_chain + (uint32_t)b,
                              chains->step + sweep, &moved);
                accepted += moved;
            }
            units += own;
            if (sizes)
                sizes->sum[b] += (double)own;
        }
    ebm_work_release(work, mark);
    if (sizes)
        sizes->sweeps += sweeps;
    chains->step += sweeps;
    chains->site_updates += units;
    chains->proposed += (double)sweeps * (double)B;
    chains->accepted += (double)accepted;
    chains->batch.field_ok = chains->batch.hidden_ok = false;
    return EBM_OK;
}

/* Every cluster k is that of size_k / V of the seeds. */
static void wolff_visit(const ebm_bonds *bonds, double *row) {
    const ebm_state_table *t = bonds->table;
    for (size_t k = 0; k < bonds->clusters; k++) {
        size_t size = 0;
        for (size_t i = 0; i < t->units; i++)
            size += bonds->cluster[i] == k;
        double left = bonds->probability * (double)size / (double)t->units;
        const double proposal = left / (double)(t->categories - 1);
        for (size_t d = 1; d < t->categories; d++) { /* spins: the flip; categories: d further, around the end */
            size_t target = bonds->state;
            for (size_t i = 0; i < t->units; i++)
                if (bonds->cluster[i] == k)
                    target = ebm_state_with(t, target, i, (ebm_state_digit(t, target, i) + d) % t->categories);
            const double moves = proposal * fmin(1, exp(bonds->log_rest[target] - bonds->log_rest[bonds->state]));
            row[target] += moves;
            left -= moves;
        }
        row[bonds->state] += fmax(left, 0);
    }
}

static ebm_status wolff_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                               ebm_work *work, ebm_error *error) {
    return ebm_cluster_kernel(sampler, model, path, S, T, wolff_visit, work, error);
}

const ebm_sampler_type ebm_wolff = {
    .info = {"wolff", "one cluster of bonded units a sweep, grown from a random unit, changes its value", "Wolff 1989",
             wolff_table, 0},
    .needs = EBM_SLOT_GRAPH,
    .domains = 1u << EBM_SPIN | 1u << EBM_CATEGORICAL,
    .exact = true,
    .reversible = true,
    .metrics = ebm_cluster_metrics,
    .create = ebm_clusters_create,
    .destroy = ebm_clusters_destroy,
    .auxiliary_bytes = ebm_cluster_sizes_bytes,
    .auxiliary_start = ebm_cluster_sizes_start,
    .step = wolff_step,
    .kernel = wolff_kernel,
    .report = ebm_cluster_sizes_report,
    .reset_counters = ebm_cluster_sizes_reset,
};
