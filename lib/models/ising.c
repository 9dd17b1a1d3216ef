/* The Ising model: spins -1 and +1 with couplings on a graph (Lenz 1920; Ising 1925; spin glasses: Edwards & Anderson
 * 1975).
 *
 *   E(s) = -sum_(edges ij) J_ij s_i s_j - sum_i h_i s_i,     theta = [J (edges) | h (V)]
 *   f_i  = sum_j J_ij s_j + h_i      (the field)
 *   E    = -1/2 sum_i s_i (f_i + h_i)
 *
 * Along a path with base fields a:  E_beta = beta E - (1 - beta) a . s, so unit i sees z_i = beta f_i + (1 - beta) a_i:
 *   P(s_i = +1 | rest) = sigmoid(2 z_i),   flipping s_i changes E_beta by 2 s_i z_i */
#include "models/ising.h"
#include "models/lattice.h"

#include "components.h"
#include "core/row_kernels.h"

#include "ebm/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct ising_options {
    ebm_lattice_options graph;
    double field;
    char *load;
} ising_options;

static const ebm_option ising_table[] = {
    EBM_LATTICE_OPTIONS(ising_options),
    {"field", EBM_OPTION_REAL, EBM_OFFSET(ising_options, field), "0", -1e6, 1e6, NULL, 0, "h of every unit"},
    {"load", EBM_OPTION_STRING, EBM_OFFSET(ising_options, load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder with coupling.npy (a number for each edge) and field.npy (for each unit) to start from"},
    EBM_OPTIONS_END,
};

static ebm_status ising_space(const void *options, ebm_space *out, ebm_error *error) {
    const ising_options *o = options;
    return ebm_lattice_space(&o->graph, EBM_SPIN, out, error);
}

/* Which units a checkerboard sweep visits, in order. */
static void fill_checkerboard(ising_state *state) {
    const ebm_graph *g = &state->graph;
    size_t n = 0;
    for (unsigned colour = 0; colour < 2; colour++)
        for (size_t i = 0; i < g->units; i++)
            if (g->colour[i] == colour)
                state->checkerboard[n++] = (uint32_t)i;
}

static ebm_status ising_create(ebm_model *model, const void *options, ebm_error *error) {
    const ising_options *o = options;
    ising_state *state = calloc(1, sizeof *state);
    model->state = state;
    if (!state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for an Ising model");
    ebm_graph *g = &state->graph;
    EBM_TRY(ebm_lattice_build(&o->graph, &model->space, g, &state->factors, error));
    const size_t directions = g->edges ? 2 * g->edges : 1;
    state->weight = ebm_alloc(directions, sizeof *state->weight);
    state->negative = ebm_alloc(directions, 1);
    state->checkerboard = g->colour ? ebm_alloc(g->units, sizeof *state->checkerboard) : NULL;
    state->guide = ebm_alloc(2, sizeof *state->guide);
    if (!state->weight || !state->negative || !state->guide || (g->colour && !state->checkerboard))
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu couplings", g->edges);
    ebm_ising_guide_fill(state->guide);
    if (g->colour)
        fill_checkerboard(state);
    for (size_t i = 0; i < g->units; i++) {
        const size_t neighbours = g->first[i + 1] - g->first[i];
        state->most_neighbours = neighbours > state->most_neighbours ? neighbours : state->most_neighbours;
    }
    model->n_field = g->units;
    model->n_theta = g->edges + g->units;
    model->n_views = 2;
    model->views[0] = (ebm_view){"coupling", 0, g->edges, 0, true};
    model->views[1] = (ebm_view){"field", g->edges, g->units, 0, false};
    return EBM_OK;
}

static void ising_destroy(ebm_model *model) {
    ising_state *state = model->state;
    if (!state)
        return;
    ebm_graph_free(&state->graph);
    free(state->factors);
    free(state->weight);
    free(state->negative);
    free(state->checkerboard);
    free(state->guide);
    free(state);
}

static ebm_status ising_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                   ebm_error *error) {
    const ising_options *o = options;
    ising_state *state = model->state;
    const size_t edges = state->graph.edges;
    (void)data;
    ebm_lattice_couplings(&o->graph, edges, state->factors, seed, model->theta);
    for (size_t i = 0; i < state->graph.units; i++)
        model->theta[edges + i] = (ebm_real)o->field;
    free(state->factors);
    state->factors = NULL;
    return o->load ? ebm_model_load(model, o->load, error) : EBM_OK;
}

static void ising_refresh(ebm_model *model, ebm_work *work) {
    ising_state *state = model->state;
    ebm_graph *g = &state->graph;
    const ebm_real *J = model->theta, *h = model->theta + g->edges;
    (void)work;
    g->coupling = J;
    g->field = h;
    for (size_t k = 0; k < 2 * g->edges; k++) {
        state->weight[k] = J[g->neighbour_edge[k]];
        state->negative[k] = state->weight[k] < 0;
    }
    state->same_coupling = state->same_size = state->same_field = true;
    for (size_t e = 1; e < g->edges; e++) {
        state->same_coupling = state->same_coupling && J[e] == J[0];
        state->same_size = state->same_size && fabs((double)J[e]) == fabs((double)J[0]);
    }
    for (size_t i = 1; i < g->units; i++)
        state->same_field = state->same_field && h[i] == h[0];
    state->coupling = g->edges == 0 ? 0 : state->same_coupling ? (double)J[0] : fabs((double)J[0]);
    state->field = (double)h[0];
    state->no_field = state->same_field && h[0] == 0;
}

static const ebm_graph *ising_graph(const ebm_model *model) {
    return &ising_state_of(model)->graph;
}

/* ---- The field ---- */

/* One row of a torus, out (columns); the ends of the row apart, so that the rest is a plain loop. Edge u leads right
 * from unit u, edge units + u down. */
static void torus_field_row(const ising_state *state, const ebm_real *x, size_t r, ebm_real *restrict out) {
    const ebm_graph *g = &state->graph;
    const size_t C = g->columns, last = C - 1, here = r * C;
    const size_t above = (r ? r - 1 : g->rows - 1) * C, below = (r + 1 < g->rows ? r + 1 : 0) * C;
    const ebm_real *row = x + here, *up = x + above, *down = x + below, *h = g->field + here;
    if (state->same_coupling) {
        const ebm_real J = (ebm_real)state->coupling;
        for (size_t c = 1; c < last; c++)
            out[c] = J * (row[c - 1] + row[c + 1] + up[c] + down[c]) + h[c];
        out[0] = J * (row[last] + row[1] + up[0] + down[0]) + h[0];
        out[last] = J * (row[last - 1] + row[0] + up[last] + down[last]) + h[last];
        return;
    }
    const ebm_real *right = g->coupling + here, *over = g->coupling + g->units + above,
                   *under = g->coupling + g->units + here;
    for (size_t c = 1; c < last; c++)
        out[c] = right[c - 1] * row[c - 1] + right[c] * row[c + 1] + over[c] * up[c] + under[c] * down[c] + h[c];
    out[0] = right[last] * row[last] + right[0] * row[1] + over[0] * up[0] + under[0] * down[0] + h[0];
    out[last] = right[last - 1] * row[last - 1] + right[last] * row[0] + over[last] * up[last] +
                under[last] * down[last] + h[last];
}

static void graph_field_rows(const ising_state *state, const ebm_real *x, size_t from, size_t to, ebm_real *out) {
    const ebm_graph *g = &state->graph;
    for (size_t i = from; i < to; i++) {
        double sum = (double)g->field[i];
        for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
            sum += (double)state->weight[k] * (double)x[g->neighbour[k]];
        out[i] = (ebm_real)sum;
    }
}

enum { PIECE = 4096 }; /* units, or parameters, that a thread takes at a time */

static void ising_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    const ising_state *state = ising_state_of(model);
    const ebm_graph *g = &state->graph;
    const size_t V = g->units, pieces = g->rows ? g->rows : (V + PIECE - 1) / PIECE;
    const int threads = batch->count * V > 1 << 14 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t item = 0; item < batch->count * pieces; item++) {
        const size_t b = item / pieces, piece = item % pieces;
        const ebm_real *x = batch->x + b * V;
        ebm_real *out = batch->field + b * V;
        if (g->rows)
            torus_field_row(state, x, piece, out + piece * g->columns);
        else
            graph_field_rows(state, x, piece * PIECE, (piece + 1) * PIECE < V ? (piece + 1) * PIECE : V, out);
    }
}

static void ising_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                               ebm_work *work) {
    const ising_state *state = ising_state_of(model);
    const ebm_graph *g = &state->graph;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const size_t i = units[b];
        const ebm_real change = batch->x[b * g->units + i] - before[b];
        ebm_real *field = batch->field + b * g->units;
        for (size_t k = g->first[i]; change != 0 && k < g->first[i + 1]; k++)
            field[g->neighbour[k]] += change * state->weight[k];
    }
}

static void ising_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                       ebm_real *logit, ebm_work *work) {
    const size_t V = model->space.size;
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const double field = (double)batch->field[b * V + units[b]];
        logit[b] = (ebm_real)(2 * (path.beta * field + ising_base_field(path, units[b])));
    }
}

/* ---- Energies and gradients ---- */

/* out[b] = to E(x_b) + base a . x_b, with a the base's fields. */
static void weighted_energy(const ebm_model *model, const ebm_batch *batch, double to, double base,
                            const ebm_real *parameters, double *out, ebm_work *work) {
    const ising_state *state = ising_state_of(model);
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t V = model->space.size;
    const int threads = batch->count * V > 1 << 14 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * V;
        double twice = kernels->dot(V, x, batch->field + b * V);
        if (!state->no_field)
            twice += kernels->dot(V, x, state->graph.field);
        out[b] = -to * twice / 2;
        if (parameters && base != 0)
            out[b] += base * kernels->dot(V, x, parameters);
    }
}

static void ising_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    weighted_energy(model, batch, path.beta, path.beta - 1, path.base ? path.base->parameters : NULL, out, work);
}

/* (beta' - beta) (E + a . s) */
static void ising_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                    double *out, ebm_work *work) {
    const double step = to.beta - from.beta;
    weighted_energy(model, batch, step, step, to.base ? to.base->parameters : NULL, out, work);
}

/* -dE/dtheta of parameters first ... first + count - 1, summed over the batch: s_i s_j of an edge, s_i of a unit. */
static void sum_statistics(const ebm_graph *g, const ebm_batch *batch, const ebm_real *weight, size_t first,
                           size_t count, double *sum) {
    memset(sum, 0, count * sizeof *sum);
    for (size_t b = 0; b < batch->count; b++) {
        const ebm_real *x = batch->x + b * g->units;
        const double w = weight ? (double)weight[b] : 1;
        for (size_t p = 0; p < count; p++) {
            const size_t e = first + p;
            if (e < g->edges)
                sum[p] += w * (double)(x[g->ends[2 * e]] * x[g->ends[2 * e + 1]]);
            else
                sum[p] += w * (double)x[e - g->edges];
        }
    }
}

static void ising_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                             ebm_real *grad, ebm_work *work) {
    const ebm_graph *g = &ising_state_of(model)->graph;
    const size_t n = model->n_theta, pieces = (n + PIECE - 1) / PIECE;
    const int threads = batch->count * n > 1 << 14 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t piece = 0; piece < pieces; piece++) {
        double sum[PIECE];
        const size_t first = piece * PIECE, count = n - first < PIECE ? n - first : PIECE;
        sum_statistics(g, batch, weight, first, count, sum);
        for (size_t p = 0; p < count; p++)
            grad[first + p] -= (ebm_real)(scale * sum[p]);
    }
}

static void ising_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    const size_t V = model->space.size;
    (void)work;
    for (size_t b = 0; b < batch->count; b++)
        for (size_t i = 0; i < V; i++)
            out[b * V + i] = (ebm_real)(-path.beta * (double)batch->field[b * V + i] - ising_base_field(path, i));
}

static double ising_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    return base ? base->log_normaliser : (double)model->space.size * M_LN2;
}

const ebm_model_type ebm_ising = {
    .info = {"ising", "Ising model: spins -1 and +1 coupled on a lattice or any graph, spin glasses among them",
             "Ising 1925; exact torus: Kaufman 1949; disorder: Edwards & Anderson 1975", ising_table,
             sizeof(ising_options)},
    .domains = 1u << EBM_SPIN,
    .space = ising_space,
    .create = ising_create,
    .initialise = ising_initialise,
    .destroy = ising_destroy,
    .refresh = ising_refresh,
    .field = ising_field,
    .energy = ising_energy,
    .energy_difference = ising_energy_difference,
    .grad_theta = ising_grad_theta,
    .grad_x = ising_grad_x,
    .site = ising_site,
    .site_changed = ising_site_changed,
    .sweep = ebm_ising_sweep,
    .graph = ising_graph,
    .log_base_normaliser = ising_log_base_normaliser,
    .log_normaliser = ebm_ising_log_normaliser,
    .expected_grad_theta = ebm_ising_expected_grad_theta,
    .sample_exact = ebm_ising_sample_exact,
    .exact_mean = ebm_ising_exact_mean,
};
