/* Fused sweeps of single-site updates for pairwise categorical machines (Geman & Geman 1984; Metropolis et al. 1953).
 *
 * A block of chains goes through the units together, its states as small integers with the chains side by side, so that
 * a unit's couplings are read once for all of them. Each unit's field is summed afresh from its neighbours when its turn
 * comes: no error builds up over sweeps, and the numbers do not depend on how sweeps are cut into calls.
 *
 * Sweep s of chain n draws word i (heat bath) or words 2 i and 2 i + 1 (Metropolis: the proposal, the decision) of
 * (stream, n, step + s) for unit i. A proposal is the word times q - 1 over 2^32: uniform to 2^-32 q. */
#include "models/potts_parts.h"

#include <assert.h>
#include <math.h>

/* What one thread needs for one block. */
typedef struct scratch {
    uint16_t *codes; /* (V, rows) */
    uint32_t *words; /* (rows, V or 2 V) */
    ebm_real *field; /* (rows, q) */
    double *weight;  /* (q) */
} scratch;

static double uniform_of(uint32_t word) {
    return ((double)word + 0.5) * 0x1p-32;
}

/* As accurate as the field that it is taken of: twice as fast in float. */
static double exponential(double x) {
#ifdef EBM_DOUBLE
    return exp(x);
#else
    return (double)expf((float)x);
#endif
}

/* The category that `word` chooses with probabilities proportional to exp(z), z = beta f + offset. */
static uint16_t heat_bath(size_t q, double beta, const ebm_real *field, const double *offset, uint32_t word,
                          double *weight) {
    double highest = -INFINITY, total = 0, sum = 0;
    for (size_t c = 0; c < q; c++) {
        weight[c] = beta * (double)field[c] + (offset ? offset[c] : 0);
        highest = weight[c] > highest ? weight[c] : highest;
    }
    for (size_t c = 0; c < q; c++)
        total += weight[c] = exponential(weight[c] - highest);
    const double level = uniform_of(word) * total;
    for (size_t c = 0; c + 1 < q; c++) {
        sum += weight[c];
        if (level < sum)
            return (uint16_t)c;
    }
    return (uint16_t)(q - 1);
}

/* Another category, each alike, with probability min(1, ratio); else the one that is. */
static uint16_t metropolis(size_t q, double beta, const ebm_real *field, const double *offset, const uint32_t words[2],
                           uint16_t from) {
    size_t to = (size_t)((uint64_t)words[0] * (q - 1) >> 32);
    to += to >= from;
    const double gain = beta * ((double)field[to] - (double)field[from]) + (offset ? offset[to] - offset[from] : 0);
    return gain >= 0 || uniform_of(words[1]) < exp(gain) ? (uint16_t)to : from;
}

typedef struct plan {
    const ebm_model *model;
    ebm_potts_local *local;
    double beta;
    const double *offset;  /* (V, q) = (1 - beta) a, or NULL */
    const uint32_t *order; /* (V): the units as they are visited */
    ebm_sweeps *sweeps;
} plan;

/* All sweeps of the chains `first` ... first + rows - 1; returns the proposals accepted. */
static uint64_t sweep_block(const plan *p, const scratch *s, size_t first, size_t rows, ebm_real *x) {
    const size_t V = p->model->space.size, q = p->model->space.categories;
    const bool bath = p->sweeps->rule == EBM_HEAT_BATH;
    const size_t words = bath ? V : 2 * V;
    uint64_t accepted = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < V; i++)
            s->codes[i * rows + r] = (uint16_t)x[r * V + i];
    for (size_t n = 0; n < p->sweeps->count; n++) {
        for (size_t r = 0; r < rows; r++)
            ebm_random_words(p->sweeps->stream, p->sweeps->first_chain + (uint32_t)(first + r), p->sweeps->step + n,
                             words, s->words + r * words);
        for (size_t k = 0; k < V; k++) {
            const size_t i = p->order[k];
            const double *offset = p->offset ? p->offset + i * q : NULL;
            uint16_t *code = s->codes + i * rows;
            p->local(p->model, i, rows, s->codes, s->field);
            for (size_t r = 0; r < rows; r++) {
                const uint32_t *word = s->words + r * words + (bath ? i : 2 * i);
                const uint16_t next = bath ? heat_bath(q, p->beta, s->field + r * q, offset, *word, s->weight)
                                           : metropolis(q, p->beta, s->field + r * q, offset, word, code[r]);
                accepted += next != code[r];
                code[r] = next;
            }
        }
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < V; i++)
            x[r * V + i] = (ebm_real)s->codes[i * rows + r];
    return accepted;
}

/* Units 0 ... V - 1; or those of colour 0, then those of colour 1. */
static void fill_order(size_t V, const uint8_t *colour, uint32_t *order) {
    size_t k = 0;
    for (unsigned turn = 0; turn < (colour ? 2 : 1); turn++)
        for (size_t i = 0; i < V; i++)
            if (!colour || colour[i] == turn)
                order[k++] = (uint32_t)i;
}

static scratch take_scratch(size_t V, size_t q, size_t words, size_t rows, ebm_work *work) {
    scratch s;
    s.codes = ebm_work_take(work, V * rows, sizeof *s.codes);
    s.words = ebm_work_take(work, words * rows, sizeof *s.words);
    s.field = ebm_work_take(work, q * rows, sizeof *s.field);
    s.weight = ebm_work_take(work, q, sizeof *s.weight);
    assert(s.codes && s.words && s.field && s.weight);
    return s;
}

bool ebm_potts_sweep(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps, const uint8_t *colour,
                     size_t together, ebm_potts_local *local, ebm_work *work) {
    const size_t V = model->space.size, q = model->space.categories, B = batch->count;
    const bool checkerboard = sweeps->scan == EBM_SCAN_CHECKERBOARD;
    if (sweeps->rule == EBM_DESCENT || (sweeps->scan != EBM_SCAN_SYSTEMATIC && !(checkerboard && colour)))
        return false;
    const size_t mark = ebm_work_mark(work), blocks = (B + together - 1) / together;
    uint32_t *order = ebm_work_take(work, V, sizeof *order);
    double *offset = path.base && path.beta != 1 ? ebm_work_take(work, V * q, sizeof *offset) : NULL;
    for (size_t k = 0; offset && k < V * q; k++)
        offset[k] = (1 - path.beta) * (double)path.base->parameters[k];
    fill_order(V, checkerboard ? colour : NULL, order);
    const plan p = {model, local, path.beta, offset, order, sweeps};
    const size_t words = sweeps->rule == EBM_HEAT_BATH ? V : 2 * V;
    const size_t threads = (size_t)ebm_work_threads(work) < blocks ? (size_t)ebm_work_threads(work) : blocks;
    scratch *own = ebm_work_take(work, threads, sizeof *own);
    for (size_t t = 0; t < threads; t++)
        own[t] = take_scratch(V, q, words, together, work);
    uint64_t accepted = 0; /* whole numbers: their sum has no order */
#pragma omp parallel for schedule(static) reduction(+ : accepted) num_threads((int)threads) if (threads > 1)
    for (size_t k = 0; k < blocks; k++) {
        const size_t first = k * together, rows = B - first < together ? B - first : together;
        accepted += sweep_block(&p, &own[ebm_potts_thread()], first, rows, batch->x + first * V);
    }
    sweeps->accepted += sweeps->rule == EBM_METROPOLIS ? (double)accepted : 0;
    batch->field_ok = false;
    ebm_work_release(work, mark);
    return true;
}
