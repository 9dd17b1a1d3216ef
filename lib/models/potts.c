/* The Potts model on a graph (Potts 1952; Wu 1982): neighbours gain energy J where they agree.
 *
 *   E(x) = -sum_(edges ij) J_ij [x_i = x_j] - sum_i h_i(x_i),   x_i in 0 ... q - 1,  J (edges), h (V, q)
 *   f_i(c) = h_i(c) + sum_(j next to i) J_ij [x_j = c]          the field
 *   dE/dJ_ij = -[x_i = x_j],   dE/dh_i(c) = -[x_i = c]
 * With q = 2 it is the Ising model of couplings J / 2. On the square lattice with J = 1 and no field it orders at
 * beta = log(1 + sqrt(q)), at once (first order) for q > 4 (Baxter 1973; Wu 1982, section V). */
#include "models/lattice.h"
#include "models/potts_parts.h"
#include "components.h"

#include <stdlib.h>
#include <string.h>

typedef struct potts_options {
    ebm_lattice_options graph;
    int64_t categories;
    double field;
    char *load;
} potts_options;

#define AT(member) offsetof(potts_options, member)
static const ebm_option potts_table[] = {
    {"categories", EBM_OPTION_INT, AT(categories), "0", 0, EBM_POTTS_MAX_CATEGORIES, NULL, 0,
     "q, the number of values of a unit (at least 2); 0: as many as the data have"},
    EBM_LATTICE_OPTIONS(potts_options),
    {"field", EBM_OPTION_REAL, AT(field), "0", -1e6, 1e6, NULL, 0, "h of category 0 at every unit; others have 0"},
    {"load", EBM_OPTION_STRING, AT(load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder with coupling.npy (a number for each edge) and field.npy (units x categories) to start from"},
    EBM_OPTIONS_END,
};

typedef struct potts_state {
    ebm_graph graph;   /* its couplings and fields are theta's */
    ebm_real *factors; /* (edges) from a file of edges, or NULL */
} potts_state;

static const ebm_graph *graph_of(const ebm_model *model) {
    return &((const potts_state *)model->state)->graph;
}

static ebm_status potts_space(const void *options, ebm_space *out, ebm_error *error) {
    const potts_options *o = options;
    EBM_TRY(ebm_lattice_space(&o->graph, EBM_CATEGORICAL, out, error));
    if (out->size && o->categories == 0)
        return ebm_fail(error, EBM_INVALID, "model potts needs `categories`, the number of values of a unit");
    out->categories = (size_t)o->categories;
    return EBM_OK;
}

static ebm_status potts_create(ebm_model *model, const void *options, ebm_error *error) {
    const potts_options *o = options;
    const size_t V = model->space.size, q = model->space.categories;
    if (o->categories && (size_t)o->categories != q)
        return ebm_fail(error, EBM_INVALID, "categories is %zu, but the data have %zu", (size_t)o->categories, q);
    if (q < 2 || q > EBM_POTTS_MAX_CATEGORIES)
        return ebm_fail(error, EBM_INVALID, "a Potts model has from 2 to %d categories, not %zu",
                        EBM_POTTS_MAX_CATEGORIES, q);
    potts_state *state = calloc(1, sizeof *state);
    model->state = state;
    if (!state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a model of %zu units", V);
    EBM_TRY(ebm_lattice_build(&o->graph, &model->space, &state->graph, &state->factors, error));
    const size_t edges = state->graph.edges; /* V and edges below 2^32, q below 2^16: nothing overflows */
    model->n_field = V * q;
    model->n_theta = edges + V * q;
    model->n_views = 2;
    model->views[EBM_POTTS_COUPLING] = (ebm_view){"coupling", 0, edges, 0, true};
    model->views[EBM_POTTS_FIELD] = (ebm_view){"field", edges, V, q, false};
    return EBM_OK;
}

static ebm_status potts_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                   ebm_error *error) {
    const potts_options *o = options;
    const potts_state *state = model->state;
    ebm_real *h = ebm_model_view(model, "field");
    (void)data;
    ebm_lattice_couplings(&o->graph, state->graph.edges, state->factors, seed, model->theta);
    for (size_t i = 0; i < model->space.size; i++)
        h[i * model->space.categories] = (ebm_real)o->field;
    return o->load ? ebm_model_load(model, o->load, error) : EBM_OK;
}

static void potts_destroy(ebm_model *model) {
    potts_state *state = model->state;
    if (!state)
        return;
    ebm_graph_free(&state->graph);
    free(state->factors);
    free(state);
}

static void potts_refresh(ebm_model *model, ebm_work *work) {
    potts_state *state = model->state;
    (void)work;
    state->graph.coupling = ebm_potts_view(model, EBM_POTTS_COUPLING);
    state->graph.field = ebm_potts_view(model, EBM_POTTS_FIELD);
}

static void potts_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    const ebm_graph *g = graph_of(model);
    const size_t V = g->units, q = model->space.categories, B = batch->count;
    const int threads = B * V > 1 << 12 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t b = 0; b < B; b++) {
        const ebm_real *x = batch->x + b * V;
        ebm_real *field = batch->field + b * V * q;
        memcpy(field, g->field, V * q * sizeof *field);
        for (size_t i = 0; i < V; i++)
            for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
                field[i * q + (size_t)x[g->neighbour[k]]] += g->coupling[g->neighbour_edge[k]];
    }
}

static void potts_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                               ebm_work *work) {
    const ebm_graph *g = graph_of(model);
    const size_t V = g->units, q = model->space.categories;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const size_t i = units[b], from = (size_t)before[b], to = (size_t)batch->x[b * V + i];
        ebm_real *field = batch->field + b * V * q;
        for (size_t k = g->first[i]; from != to && k < g->first[i + 1]; k++) {
            const ebm_real J = g->coupling[g->neighbour_edge[k]];
            field[g->neighbour[k] * q + from] -= J;
            field[g->neighbour[k] * q + to] += J;
        }
    }
}

/* Edges whose sums one thread holds at a time. */
enum { PIECE = 512 };

static void potts_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                             ebm_real *grad, ebm_work *work) {
    const ebm_graph *g = graph_of(model);
    const size_t V = g->units, pieces = (g->edges + PIECE - 1) / PIECE;
    const int threads = batch->count * g->edges > 1 << 14 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t piece = 0; piece < pieces; piece++) {
        const size_t first = piece * PIECE, count = g->edges - first < PIECE ? g->edges - first : PIECE;
        double agree[PIECE] = {0};
        for (size_t b = 0; b < batch->count; b++) {
            const ebm_real *x = batch->x + b * V;
            const double w = weight ? (double)weight[b] : 1;
            for (size_t e = 0; e < count; e++)
                agree[e] += x[g->ends[2 * (first + e)]] == x[g->ends[2 * (first + e) + 1]] ? w : 0;
        }
        for (size_t e = 0; e < count; e++)
            grad[first + e] = (ebm_real)((double)grad[first + e] - scale * agree[e]);
    }
    ebm_potts_grad_field(model, batch, weight, scale, grad + g->edges, work);
}

static void potts_local(const ebm_model *model, size_t unit, size_t rows, const uint16_t *codes, ebm_real *field) {
    const ebm_graph *g = graph_of(model);
    const size_t q = model->space.categories;
    for (size_t r = 0; r < rows; r++)
        memcpy(field + r * q, g->field + unit * q, q * sizeof *field);
    for (size_t k = g->first[unit]; k < g->first[unit + 1]; k++) {
        const ebm_real J = g->coupling[g->neighbour_edge[k]];
        const uint16_t *code = codes + g->neighbour[k] * rows;
        for (size_t r = 0; r < rows; r++)
            field[r * q + code[r]] += J;
    }
}

static bool potts_sweep(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps, ebm_work *work) {
    return ebm_potts_sweep(model, path, batch, sweeps, graph_of(model)->colour, 16, potts_local, work);
}

static void couplings(const ebm_model *model, double *pair) {
    const ebm_graph *g = graph_of(model);
    const size_t q = model->space.categories;
    for (size_t e = 0; e < g->edges; e++)
        for (size_t c = 0; c < q; c++)
            pair[ebm_potts_pair(q, g->ends[2 * e + 1], g->ends[2 * e], c, c)] = (double)g->coupling[e];
}

/* E[dE/dJ_ij] = -sum_c p(x_i = x_j = c), E[dE/dh_i(c)] = -p(x_i = c) */
static void add_expected(const ebm_model *model, const double *unit, const double *pair, double scale, ebm_real *grad) {
    const ebm_graph *g = graph_of(model);
    const size_t q = model->space.categories;
    for (size_t e = 0; e < g->edges; e++) {
        double agree = 0;
        for (size_t c = 0; c < q; c++)
            agree += pair[ebm_potts_pair(q, g->ends[2 * e + 1], g->ends[2 * e], c, c)];
        grad[e] = (ebm_real)((double)grad[e] - scale * agree);
    }
    for (size_t k = 0; k < g->units * q; k++)
        grad[g->edges + k] = (ebm_real)((double)grad[g->edges + k] - scale * unit[k]);
}

static ebm_status potts_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                       ebm_error *error) {
    return ebm_potts_log_normaliser(model, path, couplings, out, work, error);
}

static ebm_status potts_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                            ebm_work *work, ebm_error *error) {
    return ebm_potts_expected_grad(model, couplings, add_expected, scale, grad, log_z, work, error);
}

static ebm_status potts_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                     uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    return ebm_potts_sample_exact(model, path, couplings, batch, stream, first_chain, step, work, error);
}

const ebm_model_type ebm_potts = {
    .info = {"potts", "categorical units on a graph: neighbours gain energy where they agree", "Potts 1952; Wu 1982",
             potts_table, sizeof(potts_options)},
    .domains = 1u << EBM_CATEGORICAL,
    .space = potts_space,
    .create = potts_create,
    .initialise = potts_initialise,
    .destroy = potts_destroy,
    .refresh = potts_refresh,
    .field = potts_field,
    .energy = ebm_potts_energy,
    .energy_difference = ebm_potts_energy_difference,
    .grad_theta = potts_grad_theta,
    .grad_x = ebm_potts_grad_x,
    .site = ebm_potts_site,
    .site_changed = potts_site_changed,
    .sweep = potts_sweep,
    .graph = graph_of,
    .log_base_normaliser = ebm_potts_log_base_normaliser,
    .log_normaliser = potts_log_normaliser,
    .expected_grad_theta = potts_expected_grad_theta,
    .sample_exact = potts_sample_exact,
};
