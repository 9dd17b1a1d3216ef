/* The Potts machine in which every pair of categorical units is coupled: the pairwise maximum entropy model of aligned
 * protein sequences, "direct coupling analysis" (Weigt, White, Szurmant, Hoch & Hwa 2009; Morcos et al. 2011).
 *
 *   E(x) = -1/2 sum_(i != j) J_ij(x_i, x_j) - sum_i h_i(x_i),   J (V q, V q): row i q + c, column j q + d; h (V, q)
 *   J symmetric, J_ij(c, d) = J_ji(d, c), with zero diagonal blocks, J_ii = 0: half of it is free
 *   f (V q) = h + sum_j J[row j q + x_j]    (the field; the zero block leaves out j = i)
 *
 * The gradient is that of this E by every entry of J but those of the diagonal blocks, which have 0:
 *   dE/dJ_ij(c, d) = -1/2 [x_i = c] [x_j = d],   dE/dh_i(c) = -[x_i = c].
 * It is symmetric to the last bit, so that optimisers, which treat entries alike, keep J symmetric. A free coupling
 * stands in both halves, and E's derivative by it is the sum of theirs: for the learners' gradient steps `precondition`
 * doubles the part of J, which makes them J_ij(c, d) += rate (difference of the pair frequencies). L-BFGS, which needs a
 * true gradient, does without. J and h are not unique: terms of one unit can be moved between them. */
#include "models/potts_parts.h"
#include "components.h"

#include "ebm/npy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct potts_dense_options {
    int64_t units, categories;
    int initialise;
    double init_scale;
    int field;
    char *load;
} potts_dense_options;

enum { INIT_NORMAL, INIT_ZERO };
enum { FIELD_DATA, FIELD_ZERO };
static const char *const init_names[] = {"normal", "zero", NULL};
static const char *const field_names[] = {"data", "zero", NULL};

#define AT(member) offsetof(potts_dense_options, member)
static const ebm_option potts_dense_table[] = {
    {"units", EBM_OPTION_INT, AT(units), "0", 0, 1e6, NULL, 0,
     "number of units; 0: as many as the data have, or as `load` says"},
    {"categories", EBM_OPTION_INT, AT(categories), "0", 0, EBM_POTTS_MAX_CATEGORIES, NULL, 0,
     "number of values of a unit; 0: as many as the data have, or as `load` says"},
    {"init", EBM_OPTION_CHOICE, AT(initialise), "normal", 0, 0, init_names, 0, "how the couplings start"},
    {"init_scale", EBM_OPTION_REAL, AT(init_scale), "0.01", 0, 100, NULL, 0,
     "standard deviation of the initial couplings"},
    {"field", EBM_OPTION_CHOICE, AT(field), "data", 0, 0, field_names, 0,
     "start of the fields: log frequencies of each unit's values in the data (with one pseudo-example), or 0"},
    {"load", EBM_OPTION_STRING, AT(load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder with coupling.npy (units x categories squared, symmetric) and field.npy (units x categories) to start "
     "from"},
    EBM_OPTIONS_END,
};

/* The couplings once more, as single-site updates read them: by_unit (V, F, q), by_unit[i][j q + d][c] = J_ij(c, d), so
 * that what one unit needs is in one piece. */
typedef struct potts_dense_state {
    ebm_real *by_unit;
} potts_dense_state;

/* Units and categories of a folder's field.npy. */
static ebm_status shape_from_file(const char *directory, size_t *units, size_t *categories, ebm_error *error) {
    char path[4096];
    ebm_npy field;
    if (snprintf(path, sizeof path, "%s/field.npy", directory) >= (int)sizeof path)
        return ebm_fail(error, EBM_INVALID, "the path %s is too long", directory);
    EBM_TRY(ebm_npy_read(path, (size_t)1 << 30, &field, error));
    const bool fits = field.rank == 2 && field.shape[0] > 0 && field.shape[1] > 1;
    *units = fits ? field.shape[0] : 0;
    *categories = fits ? field.shape[1] : 0;
    ebm_npy_free(&field);
    return fits ? EBM_OK
                : ebm_fail(error, EBM_FORMAT,
                           "%s: expected an array of shape (units, categories), 2 or more categories", path);
}

static ebm_status potts_dense_space(const void *options, ebm_space *out, ebm_error *error) {
    const potts_dense_options *o = options;
    size_t units = (size_t)o->units, categories = (size_t)o->categories;
    if (o->load && !(units && categories)) {
        size_t found_units, found_categories;
        EBM_TRY(shape_from_file(o->load, &found_units, &found_categories, error));
        units = units ? units : found_units;
        categories = categories ? categories : found_categories;
    }
    *out = ebm_space_line(EBM_CATEGORICAL, categories ? units : 0);
    out->categories = categories;
    return EBM_OK;
}

static ebm_status potts_dense_create(ebm_model *model, const void *options, ebm_error *error) {
    const potts_dense_options *o = options;
    const size_t V = model->space.size, q = model->space.categories;
    if (o->units && (size_t)o->units != V)
        return ebm_fail(error, EBM_INVALID, "units is %zu, but the data have %zu units", (size_t)o->units, V);
    if (o->categories && (size_t)o->categories != q)
        return ebm_fail(error, EBM_INVALID, "categories is %zu, but the data have %zu", (size_t)o->categories, q);
    if (q < 2 || q > EBM_POTTS_MAX_CATEGORIES)
        return ebm_fail(error, EBM_INVALID, "a Potts machine has from 2 to %d categories, not %zu",
                        EBM_POTTS_MAX_CATEGORIES, q);
    const size_t most = (size_t)UINT32_MAX; /* of V q: its square then fits into size_t, with room */
    if (V > most / q || V * q > (size_t)1 << 30)
        return ebm_fail(error, EBM_NO_MEMORY, "the couplings of %zu units of %zu categories do not fit into memory", V,
                        q);
    potts_dense_state *state = calloc(1, sizeof *state);
    model->state = state;
    if (state)
        state->by_unit = ebm_alloc(V * q * V * q, sizeof *state->by_unit);
    if (!state || !state->by_unit)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the couplings of %zu units of %zu categories", V, q);
    model->n_field = V * q;
    model->n_theta = V * q * V * q + V * q;
    model->n_views = 2;
    model->views[EBM_POTTS_COUPLING] = (ebm_view){"coupling", 0, V * q, V * q, true};
    model->views[EBM_POTTS_FIELD] = (ebm_view){"field", V * q * V * q, V, q, false};
    return EBM_OK;
}

static void potts_dense_destroy(ebm_model *model) {
    potts_dense_state *state = model->state;
    if (state)
        free(state->by_unit);
    free(state);
}

static void potts_dense_refresh(ebm_model *model, ebm_work *work) {
    const size_t V = model->space.size, q = model->space.categories, F = V * q;
    const ebm_real *J = ebm_potts_view(model, EBM_POTTS_COUPLING);
    ebm_real *by_unit = ((potts_dense_state *)model->state)->by_unit;
    const int threads = F * F > 1 << 16 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < V; i++)
        for (size_t k = 0; k < F; k++)
            for (size_t c = 0; c < q; c++)
                by_unit[(i * F + k) * q + c] = J[(i * q + c) * F + k];
}

/* Refuse what is not symmetric or has a diagonal block; then remove asymmetry of rounding. */
static ebm_status make_symmetric(size_t V, size_t q, ebm_real *J, const char *directory, ebm_error *error) {
    const size_t F = V * q;
    for (size_t k = 0; k < F; k++)
        for (size_t m = 0; m <= k; m++) {
            const double a = (double)J[k * F + m], b = (double)J[m * F + k];
            if (k / q == m / q && (a != 0 || b != 0))
                return ebm_fail(error, EBM_FORMAT,
                                "%s/coupling.npy: unit %zu is coupled to itself (row %zu, column %zu): the diagonal "
                                "blocks must be 0",
                                directory, k / q, k, m);
            if (fabs(a - b) > 1e-5 * (fabs(a) + fabs(b)))
                return ebm_fail(error, EBM_FORMAT,
                                "%s/coupling.npy is not symmetric: %g in row %zu, column %zu, but %g across", directory,
                                a, k, m, b);
            J[k * F + m] = J[m * F + k] = (ebm_real)(0.5 * (a + b));
        }
    return EBM_OK;
}

/* Row i q + c of the upper triangle of blocks is drawn at chain i q + c, and mirrored. */
static void draw_couplings(size_t V, size_t q, double scale, uint32_t seed, ebm_real *J) {
    const size_t F = V * q;
    for (size_t k = 0; k < F; k++) {
        const size_t first = (k / q + 1) * q;
        ebm_random_normal_plain(ebm_stream_of(seed, EBM_PURPOSE_INIT), (uint32_t)k, 0, F - first, J + k * F + first);
        for (size_t m = first; m < F; m++)
            J[m * F + k] = J[k * F + m] = (ebm_real)(scale * (double)J[k * F + m]);
    }
}

static ebm_status potts_dense_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                         ebm_error *error) {
    const potts_dense_options *o = options;
    const size_t V = model->space.size, q = model->space.categories;
    ebm_real *J = ebm_model_view(model, "coupling"), *h = ebm_model_view(model, "field");
    if (o->load) {
        EBM_TRY(ebm_model_load(model, o->load, error));
        return make_symmetric(V, q, J, o->load, error);
    }
    if (data && o->field == FIELD_DATA) {
        ebm_base base;
        EBM_TRY(ebm_base_fit(&model->space, data, 1.0, &base, error));
        memcpy(h, base.parameters, V * q * sizeof *h);
        ebm_base_free(&base);
    }
    if (o->initialise == INIT_NORMAL)
        draw_couplings(V, q, o->init_scale, seed, J);
    return EBM_OK;
}

/* Columns summed together: the sums stay in the first-level cache, and a block of rows shares the couplings' tile. */
enum { TILE_ROWS = 64, TILE_COLUMNS = 1024 };

/* Tile of f = h + one row of J for each unit. */
static void field_tile(const ebm_model *model, const ebm_batch *batch, size_t first_row, size_t first_column) {
    const size_t V = model->space.size, q = model->space.categories, F = V * q;
    const size_t rows = batch->count - first_row < TILE_ROWS ? batch->count - first_row : TILE_ROWS;
    const size_t columns = F - first_column < TILE_COLUMNS ? F - first_column : TILE_COLUMNS;
    const ebm_real *J = ebm_potts_view(model, EBM_POTTS_COUPLING) + first_column;
    const ebm_real *h = ebm_potts_view(model, EBM_POTTS_FIELD) + first_column;
    for (size_t b = first_row; b < first_row + rows; b++) {
        const ebm_real *x = batch->x + b * V;
        ebm_real *restrict f = batch->field + b * F + first_column;
        memcpy(f, h, columns * sizeof *f);
        for (size_t j = 0; j < V; j++) {
            const ebm_real *restrict row = J + (j * q + (size_t)x[j]) * F;
            for (size_t k = 0; k < columns; k++)
                f[k] += row[k];
        }
    }
}

static void potts_dense_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    const size_t F = model->n_field, across = (F + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const size_t tiles = (batch->count + TILE_ROWS - 1) / TILE_ROWS * across;
    const int threads = batch->count * F > 1 << 12 ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t t = 0; t < tiles; t++)
        field_tile(model, batch, t / across * TILE_ROWS, t % across * TILE_COLUMNS);
}

static void potts_dense_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units,
                                     const ebm_real *before, ebm_work *work) {
    const size_t V = model->space.size, q = model->space.categories, F = V * q;
    const ebm_real *J = ebm_potts_view(model, EBM_POTTS_COUPLING);
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        const size_t from = (size_t)before[b], to = (size_t)batch->x[b * V + units[b]];
        const ebm_real *restrict old = J + (units[b] * q + from) * F, *restrict new = J + (units[b] * q + to) * F;
        ebm_real *restrict f = batch->field + b * F;
        if (from != to)
            for (size_t k = 0; k < F; k++)
                f[k] += new[k] - old[k];
    }
}

/* Unit i's part of each state's field: h and q couplings for each other unit. */
static void potts_dense_local(const ebm_model *model, size_t unit, size_t rows, const uint16_t *codes,
                              ebm_real *restrict field) {
    const size_t V = model->space.size, q = model->space.categories;
    const ebm_real *J = ((const potts_dense_state *)model->state)->by_unit + unit * V * q * q;
    const ebm_real *h = ebm_potts_view(model, EBM_POTTS_FIELD) + unit * q;
    for (size_t r = 0; r < rows; r++)
        memcpy(field + r * q, h, q * sizeof *field);
    for (size_t j = 0; j < V; j++, J += q * q) /* j = unit adds 0 */
        for (size_t r = 0; r < rows; r++) {
            const ebm_real *restrict row = J + codes[j * rows + r] * q;
            ebm_real *restrict f = field + r * q;
            for (size_t c = 0; c < q; c++)
                f[c] += row[c];
        }
}

static bool potts_dense_sweep(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps,
                              ebm_work *work) {
    return ebm_potts_sweep(model, path, batch, sweeps, NULL, 64, potts_dense_local, work);
}

/* count (q, F) = sum_b weight_b [x_i = c] [x_j = d] for one unit i. at (B, V) = j q + x_j. */
static void pair_counts(size_t B, size_t V, size_t q, size_t i, const uint32_t *at, const ebm_real *weight,
                        double *count) {
    const size_t F = V * q;
    memset(count, 0, q * F * sizeof *count);
    for (size_t b = 0; b < B; b++) {
        const uint32_t *place = at + b * V;
        double *row = count + (place[i] - i * q) * F;
        const double w = weight ? (double)weight[b] : 1;
        for (size_t j = 0; j < V; j++)
            row[place[j]] += w;
    }
}

/* A slab of q rows of J at a time. Both halves add the same weights in the same order: they get the same bits. */
static void potts_dense_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                                   ebm_real *grad, ebm_work *work) {
    const size_t V = model->space.size, q = model->space.categories, F = V * q, B = batch->count;
    const size_t mark = ebm_work_mark(work), all = (size_t)ebm_work_threads(work);
    const size_t threads = B * V * V < 1 << 14 ? 1 : all < V ? all : V;
    uint32_t *at = ebm_work_take(work, B * V, sizeof *at);
    double *counts = ebm_work_take(work, threads * q * F, sizeof *counts);
    for (size_t b = 0; b < B; b++)
        for (size_t j = 0; j < V; j++)
            at[b * V + j] = (uint32_t)(j * q + (size_t)batch->x[b * V + j]);
#pragma omp parallel for schedule(static) num_threads((int)threads) if (threads > 1)
    for (size_t i = 0; i < V; i++) {
        double *count = counts + ebm_potts_thread() * q * F;
        pair_counts(B, V, q, i, at, weight, count);
        for (size_t c = 0; c < q; c++) {
            ebm_real *row = grad + (i * q + c) * F;
            memset(count + c * F + i * q, 0, q * sizeof *count); /* not of the diagonal block */
            for (size_t k = 0; k < F; k++)
                row[k] = (ebm_real)((double)row[k] - 0.5 * scale * count[c * F + k]);
        }
    }
    ebm_work_release(work, mark);
    ebm_potts_grad_field(model, batch, weight, scale, grad + F * F, work);
}

static void potts_dense_precondition(ebm_model *model, ebm_real *grad, ebm_work *work) {
    const size_t F = model->n_field;
    (void)work;
    for (size_t k = 0; k < F * F; k++)
        grad[k] *= 2;
}

static void couplings(const ebm_model *model, double *pair) {
    const size_t V = model->space.size, q = model->space.categories, F = V * q;
    const ebm_real *J = ebm_potts_view(model, EBM_POTTS_COUPLING);
    for (size_t i = 1; i < V; i++)
        for (size_t j = 0; j < i; j++)
            for (size_t c = 0; c < q; c++)
                for (size_t d = 0; d < q; d++)
                    pair[ebm_potts_pair(q, i, j, c, d)] = (double)J[(i * q + c) * F + j * q + d];
}

/* E[dE/dJ_ij(c, d)] = -1/2 p(x_i = c, x_j = d), E[dE/dh_i(c)] = -p(x_i = c) */
static void add_expected(const ebm_model *model, const double *unit, const double *pair, double scale, ebm_real *grad) {
    const size_t V = model->space.size, q = model->space.categories, F = V * q;
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < i; j++)
            for (size_t c = 0; c < q; c++)
                for (size_t d = 0; d < q; d++) {
                    ebm_real *one = grad + (i * q + c) * F + j * q + d, *other = grad + (j * q + d) * F + i * q + c;
                    const double change = 0.5 * scale * pair[ebm_potts_pair(q, i, j, c, d)];
                    *one = (ebm_real)((double)*one - change);
                    *other = (ebm_real)((double)*other - change);
                }
    for (size_t k = 0; k < F; k++)
        grad[F * F + k] = (ebm_real)((double)grad[F * F + k] - scale * unit[k]);
}

static ebm_status potts_dense_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                             ebm_error *error) {
    return ebm_potts_log_normaliser(model, path, couplings, out, work, error);
}

static ebm_status potts_dense_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                                  ebm_work *work, ebm_error *error) {
    return ebm_potts_expected_grad(model, couplings, add_expected, scale, grad, log_z, work, error);
}

static ebm_status potts_dense_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                           uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    return ebm_potts_sample_exact(model, path, couplings, batch, stream, first_chain, step, work, error);
}

const ebm_model_type ebm_potts_dense = {
    .info = {"potts-dense", "categorical units, every pair coupled by a matrix: direct coupling analysis",
             "Weigt et al. 2009; Morcos et al. 2011, equation 1", potts_dense_table, sizeof(potts_dense_options)},
    .domains = 1u << EBM_CATEGORICAL,
    .space = potts_dense_space,
    .create = potts_dense_create,
    .initialise = potts_dense_initialise,
    .destroy = potts_dense_destroy,
    .refresh = potts_dense_refresh,
    .field = potts_dense_field,
    .energy = ebm_potts_energy,
    .energy_difference = ebm_potts_energy_difference,
    .grad_theta = potts_dense_grad_theta,
    .grad_x = ebm_potts_grad_x,
    .site = ebm_potts_site,
    .site_changed = potts_dense_site_changed,
    .sweep = potts_dense_sweep,
    .log_base_normaliser = ebm_potts_log_base_normaliser,
    .log_normaliser = potts_dense_log_normaliser,
    .expected_grad_theta = potts_dense_expected_grad_theta,
    .sample_exact = potts_dense_sample_exact,
    .precondition = potts_dense_precondition,
};
