/* The same bytes, however a run on the real line is cut: into calls, among threads, into batches of rows, between two
 * sampler objects. */
#ifndef TESTS_REAL_BYTES_H
#define TESTS_REAL_BYTES_H

#include "real_battery.h"

enum { BYTES_ROWS = 37, BYTES_MANY = 17000, BYTES_WARMUP = 40, BYTES_STEPS = 7 };

/* Chains `first` ... of `rows` rows at exact draws that depend on the row's own number alone, attached. */
static inline void bytes_open(const real_case *c, size_t first, size_t rows, ebm_chains *out) {
    target_law law = target_law_open(c->target, c->path.beta);
    CHECK_OK(ebm_chains_create(c->model, rows, ebm_stream_of(4, EBM_PURPOSE_ESTIMATE), out, error));
    out->first_chain = (uint32_t)first;
    for (size_t b = 0; b < rows; b++) {
        test_random r = {1000003u * (first + b + 1)};
        target_draw(&law, &r, out->batch.x + b * c->target->units);
    }
    target_law_close(&law);
    CHECK_OK(ebm_sampler_attach(c->sampler, c->model, out, error));
}

/* So many steps in calls of the lengths in `cuts`, which end with 0; NULL: in one. */
static inline void bytes_walk(const real_case *c, ebm_chains *chains, bool adapting, size_t steps, const size_t *cuts) {
    size_t left = steps;
    chains->adapting = adapting;
    while (left > 0) {
        const size_t now = cuts && *cuts > 0 && *cuts < left ? *cuts++ : left;
        chains->warmup_left = adapting ? left : 0;
        CHECK_OK(real_step(c, chains, now, error));
        left -= now;
    }
    chains->adapting = false;
    chains->warmup_left = 0;
}

static inline bool bytes_agree(const ebm_chains *a, const ebm_chains *b, size_t units) {
    return a->step == b->step && a->auxiliary_bytes == b->auxiliary_bytes &&
           memcmp(a->batch.x, b->batch.x, a->batch.count * units * sizeof *a->batch.x) == 0 &&
           (a->auxiliary_bytes == 0 || memcmp(a->auxiliary, b->auxiliary, a->auxiliary_bytes) == 0);
}

/* A run in one call each of warm-up and of what follows, and one in several; with `threads` > 1 by as many instead, on
 * rows enough that they are used. */
static inline bool bytes_of_calls(const real_case *c, int threads) {
    static const size_t cuts[] = {1, 22, 0}, later[] = {1, 2, 0};
    const size_t rows = threads > 1 ? BYTES_MANY / c->target->units : BYTES_ROWS;
    const size_t warmup = threads > 1 ? 2 : BYTES_WARMUP, steps = threads > 1 ? 1 : BYTES_STEPS;
    real_case other = *c;
    ebm_chains whole, cut;
    CHECK_OK(ebm_work_create(threads, &other.work, error));
    bytes_open(c, 3, rows, &whole);
    bytes_open(&other, 3, rows, &cut);
    bytes_walk(c, &whole, true, warmup, NULL);
    bytes_walk(&other, &cut, true, warmup, threads > 1 ? NULL : cuts);
    bytes_walk(c, &whole, false, steps, NULL);
    bytes_walk(&other, &cut, false, steps, threads > 1 ? NULL : later);
    const bool agree = bytes_agree(&whole, &cut, c->target->units);
    ebm_chains_free(&whole);
    ebm_chains_free(&cut);
    ebm_work_free(other.work);
    return agree;
}

/* Rows by themselves; without warm-up, in which they learn from one another. */
static inline bool bytes_of_rows(const real_case *c) {
    static const size_t cut[] = {0, 16, 17, BYTES_ROWS};
    const size_t V = c->target->units;
    bool agree = true;
    ebm_chains whole, part;
    bytes_open(c, 3, BYTES_ROWS, &whole);
    bytes_walk(c, &whole, false, BYTES_STEPS, NULL);
    for (size_t k = 0; k + 1 < sizeof cut / sizeof *cut; k++) {
        bytes_open(c, 3 + cut[k], cut[k + 1] - cut[k], &part);
        bytes_walk(c, &part, false, BYTES_STEPS, NULL);
        agree = agree &&
                memcmp(whole.batch.x + cut[k] * V, part.batch.x, (cut[k + 1] - cut[k]) * V * sizeof *part.batch.x) == 0;
        ebm_chains_free(&part);
    }
    ebm_chains_free(&whole);
    return agree;
}

/* A run that is taken up by `fresh`, another object of the same sampler, in the midst of warm-up and again behind it. */
static inline bool bytes_of_taking_up(const real_case *c, ebm_sampler *fresh) {
    const size_t V = c->target->units, stops[] = {BYTES_WARMUP / 2, BYTES_WARMUP};
    bool agree = true;
    for (size_t k = 0; k < 2; k++) {
        real_case second = *c;
        ebm_chains whole, again;
        second.sampler = fresh;
        bytes_open(c, 3, BYTES_ROWS, &whole);
        bytes_open(&second, 3, BYTES_ROWS, &again);
        const size_t cuts[] = {stops[k], 0};
        if (stops[k] < BYTES_WARMUP) { /* one call up to the stop, then copy, then both go on */
            whole.adapting = true;
            whole.warmup_left = BYTES_WARMUP;
            CHECK_OK(real_step(c, &whole, cuts[0], error));
        } else {
            bytes_walk(c, &whole, true, BYTES_WARMUP, NULL);
        }
        memcpy(again.batch.x, whole.batch.x, BYTES_ROWS * V * sizeof *again.batch.x);
        if (whole.auxiliary_bytes > 0)
            memcpy(again.auxiliary, whole.auxiliary, whole.auxiliary_bytes);
        again.batch.field_ok = again.batch.hidden_ok = false;
        again.step = whole.step;
        bytes_walk(c, &whole, true, BYTES_WARMUP - stops[k], NULL);
        bytes_walk(&second, &again, true, BYTES_WARMUP - stops[k], NULL);
        bytes_walk(c, &whole, false, BYTES_STEPS, NULL);
        bytes_walk(&second, &again, false, BYTES_STEPS, NULL);
        agree = agree && bytes_agree(&whole, &again, V);
        ebm_chains_free(&whole);
        ebm_chains_free(&again);
    }
    return agree;
}

/* The first thing that moves the numbers, NULL where nothing does. */
static inline const char *bytes_fault(const real_case *c, ebm_sampler *fresh) {
    if (!bytes_of_calls(c, 1))
        return "other bytes when cut into calls";
    if (!bytes_of_calls(c, 3))
        return "other bytes by three threads";
    if (!bytes_of_rows(c))
        return "other bytes with other rows beside";
    if (!bytes_of_taking_up(c, fresh))
        return "other bytes when another sampler object takes the chains up";
    return NULL;
}

#endif
