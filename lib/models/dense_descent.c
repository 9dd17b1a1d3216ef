/* Descent in a fully connected machine of two-valued units: fields kept up to date change by change.
 *
 * A sweep of a chain asks V times for the sign of a field and changes few units, fewer in each sweep. So the fields of all
 * units are kept, and a change of unit i adds its row of W to them: V additions a change where a fresh field a unit
 * would cost V a visit.
 *
 * Units in turn: in a block of units the changes are found with the fields of the block alone (DESCENT_BLOCK numbers a
 * chain), and then the rows of all changes of the block go into the fields together, one pass over the fields for several
 * rows, the block's rows of W in cache for all chains. In an order of its own a chain shares no rows with others: there a
 * change goes into the fields at once.
 *
 * Each change rounds each field once: after n changes it is off by n u (|f| + sum of the |W| added) at most beside what it
 * started with. n is about V until a chain has come to its end. */
#include "models/dense_sweep.h"

#include "core/row_kernels.h"

#ifdef _OPENMP
#include <omp.h>
#endif

enum {
    DESCENT_BLOCK = 32,
    COLUMNS = 1024,   /* of W that are used by all chains before the next */
    MOST_CHAINS = 128 /* of one task: their fields of COLUMNS units fit into second-level cache */
};

/* The changes of a chain within a block. */
typedef struct changes {
    size_t count;
    const ebm_real *rows[DESCENT_BLOCK];
    ebm_real factor[DESCENT_BLOCK];
} changes;

/* Chains that go through all sweeps together, on one thread. */
typedef struct descent_task {
    const ebm_dense_machine *machine;
    const ebm_dense_kernels *kernels;
    const ebm_sweeps *sweeps;
    size_t chains;
    uint32_t first_chain;
    ebm_real *x, *field; /* (chains, units) */
    uint32_t *left;      /* (chains), or NULL */
    changes *changed;    /* (chains) */
    uint32_t *order;     /* (units) */
} descent_task;

/* What a unit's value changes by. */
static ebm_real change_of(const ebm_dense_machine *m, size_t unit, ebm_real field, ebm_real value) {
    const ebm_real logit = m->gain * field + m->shift[unit];
    if (value > 0)
        return logit < 0 ? (m->spin ? -2 : -1) : 0;
    return logit > 0 ? (m->spin ? 2 : 1) : 0;
}

/* Whether a unit of the block would change as the fields stand. A loop without branches: most blocks are passed over. */
static bool any_change(const ebm_dense_machine *m, size_t first, size_t width, const ebm_real *field,
                       const ebm_real *x) {
    const ebm_real scale = m->spin ? 1 : 2, shift = m->spin ? 0 : 1; /* to -1 and +1 */
    int any = 0;
    for (size_t i = 0; i < width; i++)
        any |= (m->gain * field[i] + m->shift[first + i]) * (scale * x[i] - shift) < 0;
    return any;
}

/* Units first ... first + width - 1 of chain b, one after another, on fields of their own. */
static void change_block(const descent_task *t, size_t b, size_t first, size_t width) {
    const ebm_dense_machine *m = t->machine;
    const size_t V = m->units;
    ebm_real *x = t->x + b * V + first, field[DESCENT_BLOCK];
    changes *c = &t->changed[b];
    c->count = 0;
    if (!any_change(m, first, width, t->field + b * V + first, x))
        return;
    for (size_t i = 0; i < width; i++)
        field[i] = t->field[b * V + first + i];
    for (size_t i = 0; i < width; i++) {
        const ebm_real change = change_of(m, first + i, field[i], x[i]);
        if (change == 0 || (t->left && t->left[b] == 0))
            continue;
        const ebm_real *row = m->W + (first + i) * V;
        x[i] += change;
        for (size_t j = i + 1; j < width; j++)
            field[j] += change * row[first + j];
        c->rows[c->count] = row;
        c->factor[c->count++] = change;
        if (t->left)
            t->left[b]--;
    }
}

static void add_changes(const descent_task *t) {
    const size_t V = t->machine->units;
    for (size_t column = 0; column < V; column += COLUMNS)
        for (size_t b = 0; b < t->chains; b++) {
            const changes *c = &t->changed[b];
            const ebm_real *rows[DESCENT_BLOCK];
            for (size_t k = 0; k < c->count; k++)
                rows[k] = c->rows[k] + column;
            t->kernels->add_rows(c->count, rows, c->factor, V - column < COLUMNS ? V - column : COLUMNS,
                                 t->field + b * V + column);
        }
}

static uint64_t sweep_in_turn(const descent_task *t) {
    const size_t V = t->machine->units;
    uint64_t accepted = 0;
    for (size_t first = 0; first < V; first += DESCENT_BLOCK) {
        uint64_t here = 0;
        for (size_t b = 0; b < t->chains; b++) {
            change_block(t, b, first, V - first < DESCENT_BLOCK ? V - first : DESCENT_BLOCK);
            here += t->changed[b].count;
        }
        if (here > 0)
            add_changes(t);
        accepted += here;
    }
    return accepted;
}

static uint64_t sweep_in_order(const descent_task *t, uint64_t step) {
    const ebm_dense_machine *m = t->machine;
    const size_t V = m->units;
    uint64_t accepted = 0;
    for (size_t b = 0; b < t->chains; b++) {
        ebm_real *x = t->x + b * V, *field = t->field + b * V;
        if ((t->left && t->left[b] == 0) || !any_change(m, 0, V, field, x))
            continue;
        ebm_random_order(t->sweeps->stream, t->first_chain + (uint32_t)b, step, V, t->order);
        for (size_t position = 0; position < V; position++) {
            const size_t i = t->order[position];
            const ebm_real change = change_of(m, i, field[i], x[i]);
            if (change == 0 || (t->left && t->left[b] == 0))
                continue;
            const ebm_real *row = m->W + i * V;
            x[i] += change;
            t->kernels->add_rows(1, &row, &change, V, field);
            accepted++;
            if (t->left)
                t->left[b]--;
        }
    }
    return accepted;
}

static uint64_t run_task(const descent_task *t) {
    const bool in_order = t->sweeps->scan == EBM_SCAN_RANDOM;
    uint64_t accepted = 0;
    for (size_t s = 0; s < t->sweeps->count; s++) {
        const uint64_t here = in_order ? sweep_in_order(t, t->sweeps->step + s) : sweep_in_turn(t);
        accepted += here;
        if (here == 0) /* the end, or all limits reached: later sweeps change nothing */
            break;
    }
    return accepted;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t thread_number(void) {
#ifdef _OPENMP
    return (size_t)omp_get_thread_num();
#else
    return 0;
#endif
}

/* Tasks may be cut to suit the threads: no chain's arithmetic notices. */
static size_t chains_of_task(size_t chains, size_t units, size_t threads) {
    const size_t worth_threads = 1 << 17; /* units of all chains */
    size_t tasks = (chains + MOST_CHAINS - 1) / MOST_CHAINS;
    if (chains * units >= worth_threads && tasks < threads)
        tasks = smaller(threads, chains);
    return tasks ? (chains + tasks - 1) / tasks : 1;
}

bool ebm_dense_descent(const ebm_dense_machine *machine, size_t chains, ebm_real *x, ebm_real *field,
                       ebm_sweeps *sweeps, ebm_work *work) {
    const size_t V = machine->units, mark = ebm_work_mark(work), most = (size_t)ebm_work_threads(work);
    const size_t each = chains_of_task(chains, V, most), tasks = (chains + each - 1) / each;
    const size_t threads = tasks ? smaller(tasks, most) : 1;
    changes *changed = ebm_work_take(work, threads * each, sizeof *changed);
    uint32_t *order = ebm_work_take(work, threads * V, sizeof *order);
    uint64_t accepted = 0; /* whole numbers: their sum has no order */
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) reduction(+ : accepted) if (threads > 1)
    for (size_t task = 0; task < (changed && order ? tasks : 0); task++) {
        const size_t first = task * each, place = thread_number();
        const descent_task t = {.machine = machine,
                                .kernels = ebm_row_kernels_get()->dense,
                                .sweeps = sweeps,
                                .chains = smaller(each, chains - first),
                                .first_chain = sweeps->first_chain + (uint32_t)first,
                                .x = x + first * V,
                                .field = field + first * V,
                                .left = sweeps->left ? sweeps->left + first : NULL,
                                .changed = changed + place * each,
                                .order = order + place * V};
        accepted += run_task(&t);
    }
    sweeps->accepted += (double)accepted;
    ebm_work_release(work, mark);
    return changed && order;
}
