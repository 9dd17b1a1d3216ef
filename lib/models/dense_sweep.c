/* The fused sweep: sequential updates of single units, block by block, in many chains at once.
 *
 * A unit's update needs its field b_i + sum_j W_ij x_j with all earlier units already updated. For a block of
 * neighbouring units the sums over all units are taken as they stand when the block is entered; inside it, unit i adds
 * W_ij times the change of each j of the block before it. That is the plain sequential scan, in another order of
 * summation: V^2 products a chain, all but a V block / 2 of them outside the dependent part.
 *
 * Those sums are not products. Of four two-valued units there are 16 settings: a table holds what each adds to the fields
 * of the block, made from W by one addition an entry, and a chain adds one entry for four units, a quarter of a dense
 * product's additions (the idea of Arlazarov, Dinic, Kronrod & Faradzev 1970, as in lib/core/binary_product.c). A chain's
 * state is kept as the offsets of its entries, and an update changes one bit of one of them, so no lists are made.
 *
 * Fields are summed afresh for each block and never carried from sweep to sweep: there is no rounding error that grows
 * with the length of a run. With u the unit roundoff, a field is off by at most
 * (V / 4 + block + 4) u (|b_i| + sum_j |W_ij| |x_j|): V / 4 entries of two roundings' depth, the start, the changes. */
#include "models/dense_sweep.h"

#include "core/row_kernels.h"

#include <assert.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#include <string.h>

enum {
    GROUP = EBM_DENSE_GROUP,
    COLUMNS = EBM_DENSE_COLUMNS,
    TABLES = 16,       /* groups whose tables are in first-level cache together: 16 KB */
    MOST_CHAINS = 256, /* of one task */
    TOGETHER = 8,      /* chains whose codes are read and written together */
};

/* Chains that go through all sweeps together, on one thread. */
typedef struct sweep_task {
    const ebm_dense_machine *machine;
    const ebm_sweeps *sweeps;
    const ebm_dense_kernels *kernels;
    size_t block, groups;
    size_t chains, ld; /* ld: chains, padded */
    uint32_t first_chain;
    uint16_t *codes;    /* (groups, ld) */
    ebm_real *tables;   /* (TABLES, EBM_DENSE_TABLE) */
    ebm_real *fields;   /* (ld, COLUMNS) */
    ebm_real *uniforms; /* (EBM_DENSE_UNIFORMS, ld) */
} sweep_task;

size_t ebm_dense_widest_block(void) {
    return COLUMNS;
}

static size_t rounded_up(size_t n, size_t multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* The units of group g. */
static size_t group_units(const sweep_task *t, size_t g) {
    return smaller(GROUP, t->machine->units - g * GROUP);
}

static void encode(const sweep_task *t, const ebm_real *x) {
    const size_t V = t->machine->units;
    for (size_t first = 0; first < t->chains; first += TOGETHER)
        for (size_t g = 0; g < t->groups; g++)
            for (size_t b = first; b < smaller(first + TOGETHER, t->chains); b++) {
                const ebm_real *at = x + b * V + g * GROUP;
                unsigned setting = 0;
                if (group_units(t, g) == GROUP)
                    setting = (at[0] > 0) | (at[1] > 0) << 1 | (at[2] > 0) << 2 | (at[3] > 0) << 3;
                else
                    for (size_t i = 0; i < group_units(t, g); i++)
                        setting |= (unsigned)(at[i] > 0) << i;
                t->codes[g * t->ld + b] = (uint16_t)(setting * EBM_DENSE_ENTRY_BYTES);
            }
}

static void decode(const sweep_task *t, ebm_real *x) {
    const size_t V = t->machine->units;
    ebm_real values[16][GROUP];
    for (unsigned setting = 0; setting < 16; setting++)
        for (unsigned i = 0; i < GROUP; i++)
            values[setting][i] = setting >> i & 1u ? 1 : t->machine->spin ? -1 : 0;
    for (size_t first = 0; first < t->chains; first += TOGETHER)
        for (size_t g = 0; g < t->groups; g++)
            for (size_t b = first; b < smaller(first + TOGETHER, t->chains); b++) {
                const ebm_real *from = values[t->codes[g * t->ld + b] / EBM_DENSE_ENTRY_BYTES];
                if (group_units(t, g) == GROUP)
                    memcpy(x + b * V + g * GROUP, from, sizeof *values);
                else
                    memcpy(x + b * V + g * GROUP, from, group_units(t, g) * sizeof *from);
            }
}

/* The fields of units first ... first + width - 1, from all units as they stand. */
static void block_fields(const sweep_task *t, size_t first, size_t width) {
    const ebm_dense_machine *m = t->machine;
    ebm_real start[COLUMNS] = {0};
    memcpy(start, m->bias + first, width * sizeof *start);
    for (size_t g = 0; g < t->groups; g += TABLES) {
        const size_t groups = smaller(TABLES, t->groups - g), row = g * GROUP;
        const size_t rows = smaller(groups * GROUP, m->units - row);
        t->kernels->tables(m->spin, rows, m->W + row * m->units + first, m->units, width, t->tables);
        t->kernels->add_entries(groups, t->tables, t->chains, t->ld, t->codes + g * t->ld, g == 0 ? start : NULL,
                                t->fields);
    }
}

static uint64_t run_sweeps(const sweep_task *t) {
    const ebm_dense_machine *m = t->machine;
    const size_t V = m->units;
    uint64_t accepted = 0;
    ebm_dense_block block = {.chains = t->chains,
                             .ld = t->ld,
                             .W = m->W,
                             .ldw = V,
                             .spin = m->spin,
                             .metropolis = t->sweeps->rule == EBM_METROPOLIS,
                             .gain = m->gain,
                             .shift = m->shift,
                             .fields = t->fields,
                             .codes = t->codes};
    for (size_t s = 0; s < t->sweeps->count; s++)
        for (size_t first = 0; first < V; first += t->block) {
            const size_t at = first % EBM_DENSE_UNIFORMS, left = V - first;
            if (at == 0)
                t->kernels->uniforms(t->sweeps->stream, t->first_chain, t->sweeps->step + s, first,
                                     smaller(left, EBM_DENSE_UNIFORMS), t->chains, t->ld, t->uniforms);
            block.first = first;
            block.width = smaller(left, t->block);
            block.uniforms = t->uniforms + at * t->ld;
            block_fields(t, first, block.width);
            accepted += t->kernels->update(&block);
        }
    return accepted;
}

static bool take_task(sweep_task *t, ebm_work *work) {
    const size_t codes = t->groups * t->ld, fields = t->ld * COLUMNS, uniforms = EBM_DENSE_UNIFORMS * t->ld;
    t->codes = ebm_work_take(work, codes, sizeof *t->codes);
    t->tables = ebm_work_take(work, TABLES * EBM_DENSE_TABLE, sizeof *t->tables);
    t->fields = ebm_work_take(work, fields, sizeof *t->fields);
    t->uniforms = ebm_work_take(work, uniforms, sizeof *t->uniforms);
    if (!t->codes || !t->tables || !t->fields || !t->uniforms)
        return false;
    memset(t->codes, 0, codes * sizeof *t->codes); /* chains of padding take part, and count for nothing */
    memset(t->fields, 0, fields * sizeof *t->fields);
    memset(t->uniforms, 0, uniforms * sizeof *t->uniforms);
    return true;
}

/* Tasks may be cut to suit the threads: no chain's arithmetic notices. */
static size_t chains_of_task(size_t chains, size_t units, int threads) {
    enum { FEWEST = 16 };
    const double worth_threads = 1e6; /* additions of entries */
    size_t tasks = chains > MOST_CHAINS ? (chains + MOST_CHAINS - 1) / MOST_CHAINS : 1;
    if ((double)chains * (double)units * (double)units / 4 > worth_threads && chains >= FEWEST * (size_t)threads)
        tasks = rounded_up(tasks, (size_t)threads);
    return chains ? rounded_up((chains + tasks - 1) / tasks, 8) : 8;
}

static size_t thread_number(void) {
#ifdef _OPENMP
    return (size_t)omp_get_thread_num();
#else
    return 0;
#endif
}

/* Chains cut into tasks, and a place to run one for each thread. */
typedef struct sweep_team {
    size_t chains, each, tasks, threads;
    sweep_task *places; /* (threads) */
} sweep_team;

/* False without memory: then there are no tasks. */
static bool take_team(const ebm_dense_machine *machine, const ebm_sweeps *sweeps, size_t block, size_t chains,
                      sweep_team *team, ebm_work *work) {
    const size_t most_threads = (size_t)ebm_work_threads(work);
    *team = (sweep_team){.chains = chains, .each = chains_of_task(chains, machine->units, (int)most_threads)};
    const size_t tasks = (chains + team->each - 1) / team->each;
    team->threads = tasks ? smaller(tasks, most_threads) : 1;
    team->places = ebm_work_take(work, team->threads, sizeof *team->places);
    bool taken = team->places != NULL;
    for (size_t i = 0; taken && i < team->threads; i++) {
        team->places[i] = (sweep_task){.machine = machine,
                                       .sweeps = sweeps,
                                       .kernels = ebm_row_kernels_get()->dense,
                                       .block = block,
                                       .groups = (machine->units + GROUP - 1) / GROUP,
                                       .ld = rounded_up(team->each, EBM_DENSE_CHAINS)};
        taken = take_task(&team->places[i], work);
    }
    team->tasks = taken ? tasks : 0;
    return taken;
}

/* The place of this thread, made ready for the chains from `first` on. */
static sweep_task *enter(const sweep_team *team, size_t first, const ebm_real *x) {
    sweep_task *t = &team->places[thread_number()];
    t->chains = smaller(team->each, team->chains - first);
    t->first_chain = (t->sweeps ? t->sweeps->first_chain : 0) + (uint32_t)first;
    encode(t, x + first * t->machine->units);
    return t;
}

bool ebm_dense_sweep(const ebm_dense_machine *machine, size_t block, size_t chains, ebm_real *x, ebm_sweeps *sweeps,
                     ebm_work *work) {
    const size_t mark = ebm_work_mark(work);
    uint64_t accepted = 0;
    sweep_team team;
    assert(block >= 1 && block <= COLUMNS && (block & (block - 1)) == 0);
    const bool taken = take_team(machine, sweeps, block, chains, &team, work);
#pragma omp parallel for schedule(static) num_threads((int)team.threads) reduction(+ : accepted) if (team.tasks > 1)
    for (size_t task = 0; task < team.tasks; task++) {
        const sweep_task *t = enter(&team, task * team.each, x);
        accepted += run_sweeps(t);
        decode(t, x + task * team.each * machine->units);
    }
    sweeps->accepted += (double)accepted;
    ebm_work_release(work, mark);
    return taken;
}

bool ebm_dense_field(const ebm_dense_machine *machine, size_t chains, const ebm_real *x, ebm_real *field,
                     ebm_work *work) {
    const size_t V = machine->units, mark = ebm_work_mark(work);
    sweep_team team;
    const bool taken = take_team(machine, NULL, COLUMNS, chains, &team, work);
#pragma omp parallel for schedule(static) num_threads((int)team.threads) if (team.tasks > 1)
    for (size_t task = 0; task < team.tasks; task++) {
        const sweep_task *t = enter(&team, task * team.each, x);
        for (size_t first = 0; first < V; first += COLUMNS) {
            const size_t width = smaller(COLUMNS, V - first);
            block_fields(t, first, width);
            for (size_t b = 0; b < t->chains; b++)
                memcpy(field + (task * team.each + b) * V + first, t->fields + b * COLUMNS, width * sizeof *field);
        }
    }
    ebm_work_release(work, mark);
    return taken;
}
