/* One sampler on one small law of the real line at one inverse temperature. What is looked at:
 *   law        rows started from independent exact draws are still independent exact draws after any number of steps,
 *              with what was learnt in warm-up frozen: each unit by chi^2 over 20 cells and by the largest distance of the
 *              distribution functions, neighbours by chi^2 over 8 x 8 cells; every copy, where there are several
 *   balance    of such rows as many go from cell A to cell B in one step as from B to A, where the sampler says so
 *   counters   energies and gradients on the bill are the rows that the model was asked for
 *   bytes      the same from one call as from several, by one thread as by three, with other rows beside or without, and
 *              where a run is taken up by another sampler object from states and auxiliary memory
 * The laws, their draws and distribution functions are real_targets.h's and not the library's. */
#ifndef TESTS_REAL_BATTERY_H
#define TESTS_REAL_BATTERY_H

#include "real_targets.h"
#include "statistics.h"

#include "ebm/sampler.h"

enum { REAL_CELLS = 20, REAL_SIDE = 8, REAL_FLOWS = 8, REAL_COPIES = 8 };

typedef struct real_case {
    const target *target;
    const ebm_model *model; /* what the steps run on: the target, but where a mistake is planted */
    ebm_sampler *sampler;
    ebm_path path;
    size_t rows, warmup, rounds, steps;
    double law_beta; /* of biased laws, which know the path's beta: 1; 0: the path's */
    double alarm;    /* how likely each single comparison may seem wrong by chance */
    ebm_work *work;
} real_case;

/* Everything in units of what is allowed: above 1 is a fault. */
typedef struct real_verdict {
    bool examined;
    double units, pairs, distance, balance, energies, gradients, proposals;
    char why[300]; /* not examined, or what a step said */
} real_verdict;

/* Counts of copies' states by cells of u, and one step's flows of copy 0. */
typedef struct real_tally {
    double unit[REAL_COPIES][TARGET_UNITS][REAL_CELLS], pair[REAL_COPIES][TARGET_UNITS][REAL_SIDE * REAL_SIDE];
    double flow[REAL_FLOWS][REAL_FLOWS];
    double *u; /* (copies, units, draws) */
    size_t draws, counted;
} real_tally;

static inline size_t real_copies(const ebm_sampler *sampler) {
    return sampler->type->copies ? sampler->type->copies(sampler) : 1;
}

static inline ebm_real *real_states(const real_case *c, ebm_chains *chains, size_t copy) {
    return copy > 0 ? c->sampler->type->copy_states(c->sampler, chains, copy) : chains->batch.x;
}

/* A level that a chi-square variable of k degrees passes with probability at most `alarm` (Laurent & Massart 2000, lemma
 * 1). */
static inline double real_limit(double degrees, double alarm) {
    const double x = -log(alarm);
    return degrees + 2 * sqrt(degrees * x) + 2 * x;
}

static inline size_t real_cell(double u, size_t cells) {
    const size_t k = (size_t)(u * (double)cells);
    return k < cells ? k : cells - 1;
}

/* 4 cells of the first unit, halves of the second. */
static inline size_t real_flow_cell(const target *t, const double *u) {
    return real_cell(u[0], 4) + (t->units > 1 ? 4 * real_cell(u[1], 2) : 0);
}

static inline void real_laws_open(const real_case *c, const ebm_chains *chains, target_law *laws) {
    for (size_t r = 0; r < real_copies(c->sampler); r++) {
        const ebm_path path =
            c->sampler->type->copy_path ? c->sampler->type->copy_path(c->sampler, chains, c->path, r) : c->path;
        laws[r] = target_law_open(c->target, c->law_beta > 0 ? c->law_beta : path.beta);
    }
}

static inline void real_laws_close(const real_case *c, target_law *laws) {
    for (size_t r = 0; r < real_copies(c->sampler); r++)
        target_law_close(&laws[r]);
}

/* Every copy of every row at an exact draw. */
static inline void real_start(const real_case *c, const target_law *laws, ebm_chains *chains, test_random *r) {
    for (size_t k = 0; k < real_copies(c->sampler); k++)
        for (size_t b = 0; b < chains->batch.count; b++)
            target_draw(&laws[k], r, real_states(c, chains, k) + b * c->target->units);
    chains->batch.field_ok = chains->batch.hidden_ok = false;
}

static inline void real_count(const real_case *c, const target_law *laws, ebm_chains *chains, real_tally *tally) {
    const size_t V = c->target->units, B = chains->batch.count;
    double u[TARGET_UNITS];
    for (size_t k = 0; k < real_copies(c->sampler); k++)
        for (size_t b = 0; b < B; b++) {
            target_uniforms(&laws[k], real_states(c, chains, k) + b * V, u);
            for (size_t i = 0; i < V; i++) {
                tally->u[(k * V + i) * tally->draws + tally->counted + b] = u[i];
                tally->unit[k][i][real_cell(u[i], REAL_CELLS)]++;
                if (i > 0)
                    tally->pair[k][i][real_cell(u[i - 1], REAL_SIDE) * REAL_SIDE + real_cell(u[i], REAL_SIDE)]++;
            }
        }
    tally->counted += B;
}

static inline int real_ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* sup |F_n - F| over its limit: P(sup > t) <= 2 exp(-2 n t^2) (Massart 1990). Sorts u. */
static inline double real_distance(double *u, size_t n, double alarm) {
    double worst = 0;
    qsort(u, n, sizeof *u, real_ascending);
    for (size_t k = 0; k < n; k++)
        worst = fmax(worst, fmax(u[k] - (double)k / (double)n, (double)(k + 1) / (double)n - u[k]));
    return worst / sqrt(log(2 / alarm) / (2 * (double)n));
}

static inline double real_uniform_excess(size_t cells, const double *counts, double alarm) {
    double p[REAL_SIDE * REAL_SIDE];
    chi_square chi = {0, 0};
    for (size_t k = 0; k < cells; k++)
        p[k] = 1 / (double)cells;
    chi_square_row(&chi, cells, p, counts);
    return chi.statistic / real_limit(chi.degrees, alarm);
}

/* Given n = n_AB + n_BA the first is binomial(n, 1/2) under detailed balance. */
static inline double real_balance_excess(double flow[REAL_FLOWS][REAL_FLOWS], double alarm) {
    double statistic = 0, degrees = 0;
    for (size_t a = 0; a < REAL_FLOWS; a++)
        for (size_t b = 0; b < a; b++) {
            const double n = flow[a][b] + flow[b][a], d = flow[a][b] - flow[b][a];
            statistic += n >= 50 ? d * d / n : 0;
            degrees += n >= 50;
        }
    return degrees > 0 ? statistic / real_limit(degrees, alarm) : 0;
}

static inline void real_judge(const real_case *c, real_tally *tally, real_verdict *v) {
    const size_t V = c->target->units;
    for (size_t k = 0; k < real_copies(c->sampler); k++)
        for (size_t i = 0; i < V; i++) {
            v->units = fmax(v->units, real_uniform_excess(REAL_CELLS, tally->unit[k][i], c->alarm));
            v->distance =
                fmax(v->distance, real_distance(tally->u + (k * V + i) * tally->draws, tally->counted, c->alarm));
            if (i > 0)
                v->pairs = fmax(v->pairs, real_uniform_excess(REAL_SIDE * REAL_SIDE, tally->pair[k][i], c->alarm));
        }
    v->balance = c->sampler->reversible ? real_balance_excess(tally->flow, c->alarm) : 0;
}

static inline ebm_status real_step(const real_case *c, ebm_chains *chains, size_t steps, ebm_error *error) {
    return c->sampler->type->step(c->sampler, c->model, c->path, chains, steps, c->work, error);
}

/* Steps in one call (calls = 1) or one by one. */
static inline ebm_status real_walk(const real_case *c, ebm_chains *chains, size_t steps, size_t calls,
                                   ebm_error *error) {
    const uint64_t before = chains->step;
    for (size_t k = 0; k < calls; k++)
        EBM_TRY(real_step(c, chains, steps / calls, error));
    ck_assert_msg(chains->step > before, "the steps of random numbers did not move on");
    return EBM_OK;
}

static inline ebm_status real_warm_up(const real_case *c, ebm_chains *chains, ebm_error *error) {
    chains->adapting = true;
    chains->warmup_left = c->warmup;
    const ebm_status status = c->warmup > 0 ? real_step(c, chains, c->warmup, error) : EBM_OK;
    chains->adapting = false;
    chains->warmup_left = 0;
    return status;
}

/* One step, whose flows are counted, and in two of three rounds more, in one call or one by one. */
static inline ebm_status real_rounds(const real_case *c, const target_law *laws, ebm_chains *chains, test_random *r,
                                     real_tally *tally, ebm_error *error) {
    const size_t B = chains->batch.count, V = c->target->units, more = c->steps - 1;
    size_t *from = calloc(B, sizeof *from);
    double u[TARGET_UNITS];
    ebm_status status = EBM_OK;
    ck_assert_ptr_nonnull(from);
    for (size_t round = 0; round < c->rounds && status == EBM_OK; round++) {
        real_start(c, laws, chains, r);
        for (size_t b = 0; b < B; b++) {
            target_uniforms(&laws[0], chains->batch.x + b * V, u);
            from[b] = real_flow_cell(c->target, u);
        }
        status = real_walk(c, chains, 1, 1, error);
        for (size_t b = 0; b < B; b++) {
            target_uniforms(&laws[0], chains->batch.x + b * V, u);
            tally->flow[from[b]][real_flow_cell(c->target, u)]++;
        }
        if (status == EBM_OK && round % 3 > 0)
            status = real_walk(c, chains, more, round % 3 == 2 ? more : 1, error);
        real_count(c, laws, chains, tally);
    }
    free(from);
    return status;
}

/* Samplers that propose do so once for each row and step, and accept at most all. */
static inline double real_proposals_excess(const real_case *c, const ebm_chains *chains) {
    double steps = 0;
    for (size_t round = 0; round < c->rounds; round++)
        steps += round % 3 > 0 ? (double)c->steps : 1;
    const bool right = chains->proposed == 0 || (chains->proposed == steps * (double)c->rows && chains->accepted >= 0 &&
                                                 chains->accepted <= chains->proposed * (1 + 1e-12));
    return right ? 0 : INFINITY;
}

/* Not examined where the sampler says EBM_UNSUPPORTED; any other failure is a fault. */
static inline real_verdict real_examine(const real_case *c, uint32_t seed) {
    real_verdict v = {.examined = true};
    real_tally *tally = calloc(1, sizeof *tally);
    target_law laws[REAL_COPIES];
    test_random r = {seed};
    ebm_error failure = {0};
    ebm_chains chains;
    ck_assert_uint_le(real_copies(c->sampler), REAL_COPIES);
    ck_assert_ptr_nonnull(tally);
    tally->draws = c->rounds * c->rows;
    tally->u = calloc(real_copies(c->sampler) * c->target->units * tally->draws, sizeof *tally->u);
    ck_assert_ptr_nonnull(tally->u);
    CHECK_OK(ebm_chains_create(c->model, c->rows, ebm_stream_of(seed, EBM_PURPOSE_ESTIMATE), &chains, error));
    chains.first_chain = 5;
    laws[0] = target_law_open(c->target, c->law_beta > 0 ? c->law_beta : c->path.beta);
    for (size_t b = 0; b < c->rows; b++)
        target_draw(&laws[0], &r, chains.batch.x + b * c->target->units);
    target_law_close(&laws[0]);
    CHECK_OK(ebm_sampler_attach(c->sampler, c->model, &chains, error));
    ebm_status status = real_warm_up(c, &chains, &failure);
    if (status == EBM_OK) {
        real_laws_open(c, &chains, laws);
        ebm_chains_reset_counters(c->sampler, &chains);
        memset(&target_counts, 0, sizeof target_counts);
        status = real_rounds(c, laws, &chains, &r, tally, &failure);
        v.energies = chains.energy_evaluations == target_counts.energies ? 0 : INFINITY;
        v.gradients = chains.gradient_evaluations == target_counts.gradients ? 0 : INFINITY;
        v.proposals = real_proposals_excess(c, &chains);
        real_judge(c, tally, &v);
        real_laws_close(c, laws);
    }
    v.examined = status != EBM_UNSUPPORTED;
    if (status != EBM_OK)
        snprintf(v.why, sizeof v.why, "%.250s", failure.message);
    ebm_chains_free(&chains);
    free(tally->u);
    free(tally);
    return v;
}

/* The first fault, NULL where there is none; *excess tells by what factor. (Not a number is a fault.) */
static inline const char *real_fault(const real_verdict *v, bool exact, double *excess) {
    const struct {
        const char *name;
        double value;
        bool of_exact;
    } parts[] = {{"chains leave the law of a unit", v->units, true},
                 {"chains leave the law of a unit (largest distance)", v->distance, true},
                 {"chains leave the law of two units", v->pairs, true},
                 {"detailed balance fails", v->balance, true},
                 {"energy evaluations are not those made", v->energies, false},
                 {"gradient evaluations are not those made", v->gradients, false},
                 {"proposals are not one for each row and step", v->proposals, false}};
    *excess = 0;
    if (!v->examined)
        return NULL;
    if (v->why[0])
        return v->why;
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
        if ((exact || !parts[k].of_exact) && !(parts[k].value <= 1)) {
            *excess = parts[k].value;
            return parts[k].name;
        }
    return NULL;
}

#endif
