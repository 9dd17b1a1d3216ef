/* Sweeps of single-spin updates of an Ising model, many chains at once.
 *
 * The n-th visit of sweep s takes word n of (stream, chain, step + s), w uniform on 0 ... 2^32 - 1, and sets
 *   up = [(w + 1/2) 2^-32 < P(+1 | s, z)],   z = beta f + (1 - beta) a
 *   heat bath: P = 1 / (1 + e^(-2z));   Metropolis: from -1, P = min(1, e^(2z)), from +1, P = 1 - min(1, e^(-2z))
 * to 2^-33. Where what a spin sees has few values, P stands in a table as a threshold of w, and both rules are one loop.
 * Elsewhere the level of z that decides, 1/2 log(u / (1 - u)) or -log u, is bracketed by a table over the leading bits of
 * w (a guide table: Chen & Asau 1974), so that the exponential is seldom taken.
 *
 * Ways are tried in turn, the special before the general; each knows what it is for and declines the rest. */
#include "models/ising.h"
#include "models/torus_bits.h"

#include "core/row_kernels.h"
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

/* What the caller asked for. */
typedef struct sweep_job {
    const ising_state *state;
    ebm_path path;
    ebm_batch *batch;
    ebm_sweeps *sweeps;
    ebm_work *work;
    const uint32_t *order; /* (units): the n-th unit to visit; NULL: n */
} sweep_job;

static double probability_up(ebm_site_rule rule, bool up, double z) {
    if (rule == EBM_HEAT_BATH)
        return ebm_sigmoid(2 * z);
    return up ? 1 - fmin(1, exp(-2 * z)) : fmin(1, exp(2 * z));
}

static uint64_t threshold(double p) {
    return (uint64_t)llrint(p * 0x1p32);
}

/* ---- Random words ---- */

enum { WORDS = 1024 }; /* made at a time: a multiple of 4, so that pieces start on a block of the generator */

/* Words of one chain and step, in the order of the visits. */
typedef struct word_source {
    const ebm_row_kernels *kernels;
    ebm_stream stream;
    uint32_t chain;
    uint64_t step;
    size_t total, next, left; /* of the sweep; of the generator; in the buffer */
    const uint32_t *at;
    uint32_t buffer[WORDS];
} word_source;

static void words_start(word_source *source, const sweep_job *job, size_t b, size_t sweep) {
    source->kernels = ebm_row_kernels_get();
    source->stream = job->sweeps->stream;
    source->chain = job->sweeps->first_chain + (uint32_t)b;
    source->step = job->sweeps->step + sweep;
    source->total = job->state->graph.units;
    source->next = source->left = 0;
}

/* At most `most` words and at least 1; *count says how many. */
static const uint32_t *words_take(word_source *source, size_t most, size_t *count) {
    if (source->left == 0) {
        const size_t rest = source->total - source->next;
        source->left = rest < WORDS ? rest : WORDS;
        source->kernels->words(source->stream, source->chain, source->step, source->next / 4, source->left,
                               source->buffer);
        source->next += source->left;
        source->at = source->buffer;
    }
    const uint32_t *words = source->at;
    *count = source->left < most ? source->left : most;
    source->at += *count;
    source->left -= *count;
    return words;
}

/* ---- Chains side by side ---- */

/* Takes chain b through all sweeps with `scratch` of its thread; returns the number of accepted proposals. */
typedef uint64_t chain_walk(const sweep_job *job, const void *table, size_t b, void *scratch, word_source *words);

/* Every chain by `walk`, one a thread at a time. False, and nothing has happened, without memory. */
static bool walk_chains(const sweep_job *job, chain_walk *walk, const void *table, size_t scratch_bytes) {
    const size_t B = job->batch->count, mark = ebm_work_mark(job->work);
    const bool worth = B > 1 && B * job->state->graph.units * job->sweeps->count > 1 << 13;
    const size_t threads = worth ? (size_t)ebm_work_threads(job->work) : 1, each = (scratch_bytes + 63) / 64 * 64;
    char *scratch = ebm_work_take(job->work, threads, each);
    word_source *words = ebm_work_take(job->work, threads, sizeof *words);
    uint64_t *accepted = ebm_work_take(job->work, B, sizeof *accepted), total = 0;
    const bool possible = scratch && words && accepted;
    if (possible) {
#pragma omp parallel for schedule(static) num_threads((int)threads) if (threads > 1)
        for (size_t b = 0; b < B; b++) {
            const size_t thread = (size_t)omp_get_thread_num();
            accepted[b] = walk(job, table, b, scratch + thread * each, words + thread);
        }
        for (size_t b = 0; b < B; b++)
            total += accepted[b];
        if (job->sweeps->rule == EBM_METROPOLIS)
            job->sweeps->accepted += (double)total;
    }
    ebm_work_release(job->work, mark);
    return possible;
}

static void bytes_of_spins(size_t V, const ebm_real *x, uint8_t *bytes) {
    for (size_t i = 0; i < V; i++)
        bytes[i] = x[i] > 0;
}

static void spins_of_bytes(size_t V, const uint8_t *bytes, ebm_real *x) {
    for (size_t i = 0; i < V; i++)
        x[i] = bytes[i] ? 1 : -1;
}

/* ---- A torus whose couplings and fields are all alike ---- */

/* threshold[5 s + n]: of a unit that is s = 0 or 1 with n of its 4 neighbours up. */
typedef struct torus_table {
    uint64_t threshold[10];
} torus_table;

/* Units from ... to - 1 of a row in order, but for the last of the row, whose right neighbour is its first. A left
 * neighbour is known only once it has been updated: both outcomes are worked out before, so that one unit waits for the
 * other for no longer than a selection takes. */
static uint64_t torus_row_piece(const torus_table *table, uint8_t *row, const uint8_t *up, const uint8_t *down,
                                size_t columns, size_t from, size_t to, const uint32_t *words) {
    unsigned left = row[from ? from - 1 : columns - 1];
    uint64_t changes = 0;
    for (size_t c = from; c < to; c++) {
        const unsigned s = row[c], right = row[c + 1 < columns ? c + 1 : 0];
        const uint64_t *t = table->threshold + 5 * s + right + up[c] + down[c], w = words[c - from];
        const unsigned after_down = w < t[0], after_up = w < t[1];
        left = after_down ^ ((after_down ^ after_up) & left);
        row[c] = (uint8_t)left;
        changes += left ^ s;
    }
    return changes;
}

static uint64_t torus_systematic(const torus_table *table, const ebm_graph *g, uint8_t *s, word_source *words) {
    const size_t R = g->rows, C = g->columns;
    uint64_t changes = 0;
    for (size_t r = 0; r < R; r++) {
        const uint8_t *up = s + (r ? r - 1 : R - 1) * C, *down = s + (r + 1 < R ? r + 1 : 0) * C;
        size_t count;
        for (size_t c = 0; c < C; c += count) {
            const uint32_t *w = words_take(words, C - c, &count);
            changes += torus_row_piece(table, s + r * C, up, down, C, c, c + count, w);
        }
    }
    return changes;
}

/* Every other unit of a row from `first` on, with its n-th word. Their neighbours keep still. */
static uint64_t torus_colour_piece(const torus_table *table, uint8_t *row, const uint8_t *up, const uint8_t *down,
                                   size_t columns, size_t first, size_t count, const uint32_t *words) {
    uint64_t changes = 0;
    for (size_t n = 0, c = first; n < count; n++, c += 2) {
        const unsigned s = row[c], side = row[c ? c - 1 : columns - 1] + row[c + 1 < columns ? c + 1 : 0];
        const unsigned now = words[n] < table->threshold[5 * s + side + up[c] + down[c]];
        row[c] = (uint8_t)now;
        changes += now ^ s;
    }
    return changes;
}

/* Both sides are even: unit (r, c) has colour (r + c) mod 2. */
static uint64_t torus_checkerboard(const torus_table *table, const ebm_graph *g, uint8_t *s, word_source *words) {
    const size_t R = g->rows, C = g->columns;
    uint64_t changes = 0;
    for (size_t colour = 0; colour < 2; colour++)
        for (size_t r = 0; r < R; r++) {
            const uint8_t *up = s + (r ? r - 1 : R - 1) * C, *down = s + (r + 1 < R ? r + 1 : 0) * C;
            size_t count;
            for (size_t n = 0; n < C / 2; n += count) {
                const uint32_t *w = words_take(words, C / 2 - n, &count);
                changes += torus_colour_piece(table, s + r * C, up, down, C, 2 * n + ((r + colour) & 1u), count, w);
            }
        }
    return changes;
}

static uint64_t torus_walk(const sweep_job *job, const void *table, size_t b, void *scratch, word_source *words) {
    const ebm_graph *g = &job->state->graph;
    ebm_real *x = job->batch->x + b * g->units;
    uint64_t changes = 0;
    bytes_of_spins(g->units, x, scratch);
    for (size_t sweep = 0; sweep < job->sweeps->count; sweep++) {
        words_start(words, job, b, sweep);
        changes +=
            job->order ? torus_checkerboard(table, g, scratch, words) : torus_systematic(table, g, scratch, words);
    }
    spins_of_bytes(g->units, scratch, x);
    return changes;
}

static bool sweep_torus(const sweep_job *job) {
    const ising_state *state = job->state;
    torus_table table;
    if (!state->graph.rows || !state->same_coupling || !state->same_field || ising_path_has_base(job->path))
        return false;
    for (int s = 0; s < 2; s++)
        for (int n = 0; n < 5; n++) {
            const double z = job->path.beta * (state->coupling * (2 * n - 4) + state->field);
            table.threshold[5 * s + n] = threshold(probability_up(job->sweeps->rule, s, z));
        }
    if (!walk_chains(job, torus_walk, &table, state->graph.units))
        return false;
    job->batch->field_ok = false;
    return true;
}

/* ---- The same torus without fields, 64 chains at once ---- */

static bool sweep_bits(const sweep_job *job) {
    const ising_state *state = job->state;
    const ebm_torus torus = {state->graph.rows, state->graph.columns, job->path.beta * state->coupling};
    if (!state->graph.rows || !state->same_coupling || !state->no_field || ising_path_has_base(job->path) ||
        !ebm_torus_bits_fit(&torus, job->sweeps, job->batch->count))
        return false;
    if (!ebm_torus_bits_sweep(&torus, job->sweeps, job->batch->count, job->batch->x, job->work))
        return false;
    job->batch->field_ok = false;
    return true;
}

/* ---- Any graph whose couplings are J or -J, all fields alike ---- */

enum { MOST_LEVEL_NEIGHBOURS = 16 };

/* threshold[s][d + k]: of a unit that is s = 0 or 1, where k = sum_j sign(J_ij) s_j and d = most neighbours. */
typedef struct level_table {
    uint64_t threshold[2][2 * MOST_LEVEL_NEIGHBOURS + 1];
} level_table;

static uint64_t level_walk(const sweep_job *job, const void *table, size_t b, void *scratch, word_source *words) {
    const ising_state *state = job->state;
    const ebm_graph *g = &state->graph;
    const level_table *levels = table;
    const uint8_t *negative = state->negative;
    uint8_t *s = scratch;
    ebm_real *x = job->batch->x + b * g->units;
    uint64_t changes = 0;
    bytes_of_spins(g->units, x, s);
    for (size_t sweep = 0; sweep < job->sweeps->count; sweep++) {
        words_start(words, job, b, sweep);
        size_t count;
        for (size_t first = 0; first < g->units; first += count) {
            const uint32_t *w = words_take(words, g->units - first, &count);
            for (size_t n = 0; n < count; n++) {
                const size_t i = job->order ? job->order[first + n] : first + n, from = g->first[i],
                             to = g->first[i + 1];
                size_t level = state->most_neighbours + from - to; /* as if all pulled down */
                for (size_t k = from; k < to; k++)
                    level += 2u * (s[g->neighbour[k]] ^ negative[k]);
                const unsigned now = w[n] < levels->threshold[s[i]][level];
                changes += now ^ s[i];
                s[i] = (uint8_t)now;
            }
        }
    }
    spins_of_bytes(g->units, s, x);
    return changes;
}

static bool sweep_levels(const sweep_job *job) {
    const ising_state *state = job->state;
    const int d = (int)state->most_neighbours;
    level_table table;
    if (!state->same_size || !state->same_field || d > MOST_LEVEL_NEIGHBOURS || ising_path_has_base(job->path))
        return false;
    for (int s = 0; s < 2; s++)
        for (int k = -d; k <= d; k++) {
            const double z = job->path.beta * (fabs(state->coupling) * k + state->field);
            table.threshold[s][d + k] = threshold(probability_up(job->sweeps->rule, s, z));
        }
    if (!walk_chains(job, level_walk, &table, state->graph.units))
        return false;
    job->batch->field_ok = false;
    return true;
}

/* ---- Any couplings and fields, any base ---- */

/* Heat bath: up where z > 1/2 log(u / (1 - u)). Metropolis: turned over where cost < -log u (from +1, of 1 - u). */
void ebm_ising_guide_fill(ising_guide guide[2]) {
    for (size_t k = 0; k < ISING_GUIDE; k++) {
        const double from = (double)k / ISING_GUIDE, to = (double)(k + 1) / ISING_GUIDE;
        guide[EBM_HEAT_BATH].least[k] = ebm_logit(from) / 2;
        guide[EBM_HEAT_BATH].most[k] = ebm_logit(to) / 2;
        guide[EBM_METROPOLIS].least[k] = -log(to);
        guide[EBM_METROPOLIS].most[k] = -log(from);
    }
}

/* Whether a spin is up afterwards, given w and z. The only branch is taken once in 2^10 times or so. */
static inline bool up_after(const sweep_job *job, bool up, double z, uint32_t w) {
    const bool heat_bath = job->sweeps->rule == EBM_HEAT_BATH;
    const ising_guide *guide = job->state->guide + job->sweeps->rule;
    w ^= heat_bath ? 0 : -(uint32_t)up; /* 1 - u from above: u < 1 - e^(-2z) where it stays */
    const size_t k = w >> (32 - ISING_GUIDE_BITS);
    const double u = ((double)w + 0.5) * 0x1p-32;
    if (heat_bath) {
        bool now = z > guide->most[k];
        if (__builtin_expect((z >= guide->least[k]) != now, 0))
            now = u * (1 + exp(-2 * z)) < 1;
        return now;
    }
    const double cost = 2 * (2 * (int)up - 1) * z;
    bool turned = cost < guide->least[k];
    if (__builtin_expect((cost <= guide->most[k]) != turned, 0))
        turned = cost <= 0 || u < exp(-cost);
    return up != turned;
}

/* Few neighbours: what a spin sees is summed when it is visited. */
static uint64_t gather_walk(const sweep_job *job, const void *table, size_t b, void *scratch, word_source *words) {
    const ising_state *state = job->state;
    const ebm_graph *g = &state->graph;
    ebm_real *x = job->batch->x + b * g->units;
    uint64_t changes = 0;
    (void)table;
    (void)scratch;
    for (size_t sweep = 0; sweep < job->sweeps->count; sweep++) {
        words_start(words, job, b, sweep);
        size_t count;
        for (size_t first = 0; first < g->units; first += count) {
            const uint32_t *w = words_take(words, g->units - first, &count);
            for (size_t n = 0; n < count; n++) {
                const size_t i = job->order ? job->order[first + n] : first + n;
                double field = (double)g->field[i];
                for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
                    field += (double)state->weight[k] * (double)x[g->neighbour[k]];
                const double z = job->path.beta * field + ising_base_field(job->path, i);
                const bool before = x[i] > 0, now = up_after(job, before, z, w[n]);
                x[i] = (ebm_real)(2 * (int)now - 1); /* not a choice: branches here would be guessed wrong */
                changes += now != before;
            }
        }
    }
    return changes;
}

/* Many neighbours: every spin's field is kept, and renewed where a spin has turned. It starts from x itself and is in
 * double, so that nothing drifts. field (units) is scratch; the batch gets it rounded. */
static uint64_t keep_walk(const sweep_job *job, const void *table, size_t b, void *scratch, word_source *words) {
    const ising_state *state = job->state;
    const ebm_graph *g = &state->graph;
    ebm_real *x = job->batch->x + b * g->units;
    double *field = scratch;
    uint64_t changes = 0;
    (void)table;
    for (size_t i = 0; i < g->units; i++) {
        field[i] = (double)g->field[i];
        for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
            field[i] += (double)state->weight[k] * (double)x[g->neighbour[k]];
    }
    for (size_t sweep = 0; sweep < job->sweeps->count; sweep++) {
        words_start(words, job, b, sweep);
        size_t count;
        for (size_t first = 0; first < g->units; first += count) {
            const uint32_t *w = words_take(words, g->units - first, &count);
            for (size_t n = 0; n < count; n++) {
                const size_t i = job->order ? job->order[first + n] : first + n;
                const double z = job->path.beta * field[i] + ising_base_field(job->path, i);
                if (up_after(job, x[i] > 0, z, w[n]) == (x[i] > 0))
                    continue;
                const double change = -2 * (double)x[i];
                for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
                    field[g->neighbour[k]] += change * (double)state->weight[k];
                x[i] = -x[i];
                changes++;
            }
        }
    }
    for (size_t i = 0; i < g->units; i++)
        job->batch->field[b * g->units + i] = (ebm_real)field[i];
    return changes;
}

static bool sweep_fields(const sweep_job *job) {
    const ebm_graph *g = &job->state->graph;
    const bool few = 2 * g->edges <= 16 * g->units;
    if (!walk_chains(job, few ? gather_walk : keep_walk, NULL, g->units * sizeof(double)))
        return false;
    job->batch->field_ok = !few;
    return true;
}

bool ebm_ising_sweep(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps, ebm_work *work) {
    /* A way returns false for what it is not for, before it has touched anything. */
    static bool (*const ways[])(const sweep_job *) = {sweep_bits, sweep_torus, sweep_levels, sweep_fields};
    const ising_state *state = ising_state_of(model);
    if (sweeps->rule == EBM_DESCENT || sweeps->scan == EBM_SCAN_RANDOM ||
        (sweeps->scan == EBM_SCAN_CHECKERBOARD && !state->checkerboard))
        return false;
    const sweep_job job = {state,  path, batch,
                           sweeps, work, sweeps->scan == EBM_SCAN_CHECKERBOARD ? state->checkerboard : NULL};
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++)
        if (ways[k](&job))
            return true;
    return false;
}
