/* What is known exactly of an Ising model: the torus without field by Kaufman's formula, small graphs by enumeration.
 *
 * Enumeration cuts the states into blocks by their high units (a state's code is enumerate.h's) and walks the low units
 * of a block in Gray code order, so that a state costs one flip; each block starts anew, so that nothing drifts. All is
 * in double. Blocks go to threads, sums over them go in their order. */
#include "models/ising.h"
#include "models/ising_torus.h"

#include "ebm/special.h"

#include <math.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#else
static int omp_get_thread_num(void) {
    return 0;
}
#endif

enum { LOW_UNITS = 12, MOST_UNITS = 24, MOST_DRAWN_UNITS = 20 };

/* log p(s) + log Z = sum weight_ij s_i s_j + sum field_i s_i at some place of a path. */
typedef struct enumeration {
    const ebm_graph *graph;
    size_t units, low, rows, blocks; /* rows = 2^low states in each block */
    double beta;
    const double *weight, *field; /* (2 edges) by neighbour, (units): beta J, beta h + (1 - beta) a */
    double *scratch;              /* (threads, rows + 2 units) */
    size_t scratch_each;
    int threads;
} enumeration;

/* Memory is `work`'s. */
static ebm_status enumeration_open(const ebm_model *model, ebm_path path, size_t limit, enumeration *out,
                                   ebm_work *work, ebm_error *error) {
    const ising_state *state = ising_state_of(model);
    const ebm_graph *g = &state->graph;
    const size_t V = g->units;
    if (V > limit)
        return ebm_fail(error, EBM_UNSUPPORTED, "enumerating an Ising model takes at most %zu units, not %zu", limit,
                        V);
    const size_t low = V < LOW_UNITS ? V : LOW_UNITS, rows = (size_t)1 << low, blocks = (size_t)1 << (V - low);
    const int threads = blocks > 1 ? ebm_work_threads(work) : 1;
    double *weight = ebm_work_take(work, 2 * g->edges + 1, sizeof *weight);
    double *field = ebm_work_take(work, V, sizeof *field);
    double *scratch = ebm_work_take(work, (size_t)threads * (rows + 2 * V), sizeof *scratch);
    if (!weight || !field || !scratch)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to enumerate %zu units", V);
    for (size_t k = 0; k < 2 * g->edges; k++)
        weight[k] = path.beta * (double)state->weight[k];
    for (size_t i = 0; i < V; i++)
        field[i] = path.beta * (double)g->field[i] + ising_base_field(path, i);
    *out = (enumeration){g, V, low, rows, blocks, path.beta, weight, field, scratch, rows + 2 * V, threads};
    return EBM_OK;
}

/* log_weight (rows) of the states of a block by their low code; local (2 units) is scratch: what each unit sees, and its
 * spin. */
static void fill_block(const enumeration *e, size_t block, double *log_weight, double *local) {
    const ebm_graph *g = e->graph;
    double *spin = local + e->units, total = 0;
    for (size_t i = 0; i < e->units; i++)
        spin[i] = i >= e->low && (block >> (i - e->low) & 1u) ? 1 : -1;
    for (size_t i = 0; i < e->units; i++) {
        local[i] = e->field[i];
        for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
            local[i] += e->weight[k] * spin[g->neighbour[k]];
        total += spin[i] * (local[i] + e->field[i]) / 2;
    }
    size_t code = 0;
    log_weight[0] = total;
    for (size_t n = 1; n < e->rows; n++) {
        const size_t i = (size_t)__builtin_ctzl(n);
        total -= 2 * spin[i] * local[i];
        spin[i] = -spin[i];
        for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
            local[g->neighbour[k]] += 2 * spin[i] * e->weight[k];
        code ^= (size_t)1 << i;
        log_weight[code] = total;
    }
}

/* Scratch of the calling thread's number: which thread takes a block changes nothing in it. */
static double *scratch_of(const enumeration *e, int thread) {
    return e->scratch + (size_t)thread * e->scratch_each;
}

/* log sum over each block (blocks), and over all of them. */
static ebm_status log_sums(const enumeration *e, double *block_log, double *log_z, ebm_error *error) {
#pragma omp parallel for schedule(static) num_threads(e->threads) if (e->threads > 1)
    for (size_t block = 0; block < e->blocks; block++) {
        double *log_weight = scratch_of(e, omp_get_thread_num());
        fill_block(e, block, log_weight, log_weight + e->rows);
        block_log[block] = ebm_log_sum_exp(log_weight, e->rows);
    }
    *log_z = ebm_log_sum_exp(block_log, e->blocks);
    if (isfinite(*log_z))
        return EBM_OK;
    return ebm_fail(error, EBM_DIVERGED, "log Z is %g: a parameter is not finite or far too large", *log_z);
}

/* The coupling K = beta J >= 0 of a torus that Kaufman's formula is for: all J alike, no field. Where both sides are
 * even, J < 0 is J > 0 with the spins of one colour turned over. */
static bool kaufman(const ebm_model *model, ebm_path path, double *K) {
    const ising_state *state = ising_state_of(model);
    if (!state->graph.rows || !state->same_coupling || !state->no_field || ising_path_has_base(path))
        return false;
    *K = path.beta * fabs(state->coupling);
    return (state->coupling >= 0 || state->graph.colour) && *K >= 0 && isfinite(*K);
}

ebm_status ebm_ising_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                    ebm_error *error) {
    const ebm_graph *g = &ising_state_of(model)->graph;
    const size_t mark = ebm_work_mark(work);
    double K;
    enumeration e;
    if (kaufman(model, path, &K)) {
        *out = ebm_ising_torus_exact(g->rows, g->columns, K).log_z;
        return EBM_OK;
    }
    ebm_status status = enumeration_open(model, path, MOST_UNITS, &e, work, error);
    if (status == EBM_OK) {
        double *block_log = ebm_work_take(work, e.blocks, sizeof *block_log);
        status = block_log ? log_sums(&e, block_log, out, error)
                           : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu blocks", e.blocks);
    }
    ebm_work_release(work, mark);
    return status;
}

/* p (rows) <- its Walsh-Hadamard transform: p[mask] = sum_code p[code] (-1)^(bits of code in mask). With spin -1 for a
 * bit 0, p[mask] = (-1)^|mask| <product of the spins of mask>, over the block. */
static void walsh_hadamard(size_t rows, double *p) {
    for (size_t half = 1; half < rows; half *= 2)
        for (size_t first = 0; first < rows; first += 2 * half)
            for (size_t k = first; k < first + half; k++) {
                const double a = p[k], b = p[k + half];
                p[k] = a + b;
                p[k + half] = a - b;
            }
}

/* sum (n_theta): what a block adds to <s_i s_j> of edges and <s_i> of units. */
static void block_statistics(const enumeration *e, size_t block, double log_z, double *p, double *sum) {
    const ebm_graph *g = e->graph;
    fill_block(e, block, p, p + e->rows);
    for (size_t code = 0; code < e->rows; code++)
        p[code] = exp(p[code] - log_z);
    walsh_hadamard(e->rows, p);
    for (size_t t = 0; t < g->edges + e->units; t++) {
        const size_t ends[2] = {t < g->edges ? g->ends[2 * t] : t - g->edges, t < g->edges ? g->ends[2 * t + 1] : 0};
        size_t mask = 0;
        double sign = 1; /* high units are constant over the block; each low one turns the sign */
        for (size_t k = 0; k < (t < g->edges ? 2 : 1); k++) {
            if (ends[k] < e->low)
                mask |= (size_t)1 << ends[k];
            if (ends[k] < e->low || !(block >> (ends[k] - e->low) & 1u))
                sign = -sign;
        }
        sum[t] = sign * p[mask];
    }
}

ebm_status ebm_ising_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                         ebm_work *work, ebm_error *error) {
    const size_t n = model->n_theta, mark = ebm_work_mark(work);
    double total = 0;
    enumeration e;
    ebm_status status = enumeration_open(model, ebm_path_end(), MOST_UNITS, &e, work, error);
    if (status == EBM_OK) {
        double *block_log = ebm_work_take(work, e.blocks, sizeof *block_log);
        double *sums = ebm_work_take(work, e.blocks * n, sizeof *sums);
        status = block_log && sums ? log_sums(&e, block_log, &total, error)
                                   : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu blocks", e.blocks);
        if (status == EBM_OK) {
#pragma omp parallel for schedule(static) num_threads(e.threads) if (e.threads > 1)
            for (size_t block = 0; block < e.blocks; block++)
                block_statistics(&e, block, total, scratch_of(&e, omp_get_thread_num()), sums + block * n);
            for (size_t t = 0; t < n; t++) {
                double sum = 0;
                for (size_t block = 0; block < e.blocks; block++)
                    sum += sums[block * n + t];
                grad[t] -= (ebm_real)(scale * sum);
            }
        }
    }
    if (log_z)
        *log_z = total;
    ebm_work_release(work, mark);
    return status;
}

/* The first state whose cumulative probability exceeds u. */
static size_t quantile(const double *cumulative, size_t states, double u) {
    size_t low = 0, high = states - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (u < cumulative[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

ebm_status ebm_ising_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                  uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    enumeration e;
    ebm_status status = enumeration_open(model, path, MOST_DRAWN_UNITS, &e, work, error);
    if (status == EBM_OK) {
        const size_t states = e.blocks * e.rows;
        double *block_log = ebm_work_take(work, e.blocks, sizeof *block_log), log_z = 0, sum = 0;
        double *cumulative = ebm_work_take(work, states, sizeof *cumulative);
        status = block_log && cumulative ? log_sums(&e, block_log, &log_z, error)
                                         : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", states);
        for (size_t block = 0; status == EBM_OK && block < e.blocks; block++)
            fill_block(&e, block, cumulative + block * e.rows, e.scratch);
        for (size_t s = 0; status == EBM_OK && s < states; s++)
            cumulative[s] = sum += exp(cumulative[s] - log_z);
        for (size_t b = 0; status == EBM_OK && b < batch->count; b++) {
            const double u = ebm_random_uniform1(stream, first_chain + (uint32_t)b, step, 0);
            const size_t code = quantile(cumulative, states, u);
            for (size_t i = 0; i < V; i++)
                batch->x[b * V + i] = code >> i & 1u ? 1 : -1;
        }
        batch->field_ok = false;
    }
    ebm_work_release(work, mark);
    return status;
}

/* energy and energy_variance: E / V and Var(E) / V of the torus. The same of the infinite lattice: energy_infinite,
 * specific_heat_infinite (a unit, in units of Boltzmann's constant), abs_magnetisation_infinite. Whatever changes sign
 * with all spins is 0 without fields. */
ebm_status ebm_ising_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                ebm_work *work, ebm_error *error) {
    const ising_state *state = ising_state_of(model);
    const double J = fabs(state->coupling), V = (double)state->graph.units;
    const bool even = state->no_field && !ising_path_has_base(path);
    double K = 0;
    (void)work;
    if (even && (strcmp(observable, "magnetisation") == 0 || strcmp(observable, "first") == 0)) {
        *out = 0;
        return EBM_OK;
    }
    if (kaufman(model, path, &K)) {
        const ebm_ising_torus torus = ebm_ising_torus_exact(state->graph.rows, state->graph.columns, K);
        *out = NAN;
        if (strcmp(observable, "energy") == 0)
            *out = -J * torus.mean / V;
        else if (strcmp(observable, "energy_variance") == 0)
            *out = J * J * torus.variance / V;
        else if (strcmp(observable, "energy_infinite") == 0)
            *out = J * ebm_ising_infinite_energy(K);
        else if (strcmp(observable, "specific_heat_infinite") == 0)
            *out = ebm_ising_infinite_specific_heat(K);
        else if (strcmp(observable, "abs_magnetisation_infinite") == 0 && state->coupling > 0)
            *out = ebm_ising_infinite_magnetisation(K);
        if (isfinite(*out))
            return EBM_OK;
    }
    return ebm_fail(error, EBM_UNSUPPORTED, "no formula is known for %s of this Ising model", observable);
}
