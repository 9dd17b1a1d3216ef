/* A banana in the plane with known conditionals, x_0 ~ N(0, 1), x_1 | x_0 ~ N(b (x_0^2 - 1), s^2), and on it the law of
 * a No-U-Turn transition by recursion (Hoffman & Gelman 2014, algorithm 3; weights and criterion of Betancourt 2017,
 * appendix A, with the checks across pieces), in plain double, with every probability instead of draws. */
#ifndef TESTS_NUTS_REFERENCE_H
#define TESTS_NUTS_REFERENCE_H

#include "rbm_fixture.h"

static const double BEND = 0.7, WIDTH = 0.5;

/* What is wrong with the model. */
typedef enum fault { SOUND, NAN_GRADIENT, INFINITE_START } fault;
static fault planted;

static double banana_value(double x0, double x1) {
    const double d = (x1 - BEND * (x0 * x0 - 1)) / WIDTH;
    return x0 * x0 / 2 + d * d / 2;
}

static void banana_slope(double x0, double x1, double g[2]) {
    const double d = (x1 - BEND * (x0 * x0 - 1)) / (WIDTH * WIDTH);
    g[0] = x0 - 2 * BEND * x0 * d;
    g[1] = d;
}

static ebm_status plane_space(const void *options, ebm_space *out, ebm_error *error) {
    (void)options, (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, 2);
    return EBM_OK;
}

static ebm_status plane_create(ebm_model *model, const void *options, ebm_error *error) {
    (void)model, (void)options, (void)error;
    return EBM_OK;
}

static ebm_status plane_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                   ebm_error *error) {
    (void)model, (void)options, (void)data, (void)seed, (void)error;
    return EBM_OK;
}

static void plane_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    (void)model, (void)work;
    for (size_t b = 0; b < batch->count; b++)
        out[b] = planted == INFINITE_START
                     ? INFINITY
                     : path.beta * banana_value((double)batch->x[2 * b], (double)batch->x[2 * b + 1]);
}

static void plane_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                             ebm_real *grad, ebm_work *work) {
    (void)model, (void)batch, (void)weight, (void)scale, (void)grad, (void)work;
}

static void plane_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    (void)model, (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        double g[2];
        banana_slope((double)batch->x[2 * b], (double)batch->x[2 * b + 1], g);
        out[2 * b] = (ebm_real)(path.beta * g[0]);
        out[2 * b + 1] = planted == NAN_GRADIENT && batch->x[2 * b] > 2 ? (ebm_real)NAN : (ebm_real)(path.beta * g[1]);
    }
}

static const ebm_option no_options[] = {EBM_OPTIONS_END};
static const ebm_model_type plane = {
    .info = {"plane", "a banana for tests", "", no_options, 0},
    .domains = 1u << EBM_REAL_LINE,
    .space = plane_space,
    .create = plane_create,
    .initialise = plane_initialise,
    .energy = plane_energy,
    .grad_theta = plane_grad_theta,
    .grad_x = plane_grad_x,
};

enum { DEPTH = 6, LEAVES = 1 << DEPTH };

typedef struct point {
    double x[2], p[2];
} point;

/* What the reference makes of one trajectory: every state that may be the next one, with its probability. */
typedef struct reference {
    double step, start;
    point states[LEAVES];
    double probability[LEAVES];
    size_t count;      /* states, those of a half that was dropped included */
    size_t leaves;     /* leapfrog steps */
    double acceptance; /* sum of min(1, w) */
    double margin;     /* the least distance from zero of what a decision hung on */
    bool divergent;
    size_t depth;
} reference;

typedef struct tree {
    point first, last; /* in the order in which they were reached */
    double sum[2], weight;
    bool whole;
} tree;

static point leapfrog(point z, double e) {
    double g[2];
    banana_slope(z.x[0], z.x[1], g);
    for (int i = 0; i < 2; i++)
        z.p[i] -= e / 2 * g[i];
    for (int i = 0; i < 2; i++)
        z.x[i] += e * z.p[i];
    banana_slope(z.x[0], z.x[1], g);
    for (int i = 0; i < 2; i++)
        z.p[i] -= e / 2 * g[i];
    return z;
}

static double total_energy(point z) {
    return banana_value(z.x[0], z.x[1]) + (z.p[0] * z.p[0] + z.p[1] * z.p[1]) / 2;
}

/* Whether momentum p points along the way, the sum of momenta. */
static bool along(reference *r, const double p[2], double sum0, double sum1) {
    const double product = p[0] * sum0 + p[1] * sum1;
    r->margin = fmin(r->margin, fabs(product));
    return product > 0;
}

/* a before b in time of travel. */
static bool goes_on(reference *r, const tree *a, const tree *b) {
    const double s0 = a->sum[0] + b->sum[0], s1 = a->sum[1] + b->sum[1];
    bool on = along(r, a->first.p, s0, s1) & along(r, b->last.p, s0, s1);
    const double l0 = a->sum[0] + b->first.p[0], l1 = a->sum[1] + b->first.p[1];
    on &= along(r, a->first.p, l0, l1) & along(r, b->first.p, l0, l1);
    const double r0 = a->last.p[0] + b->sum[0], r1 = a->last.p[1] + b->sum[1];
    return on & along(r, a->last.p, r0, r1) & along(r, b->last.p, r0, r1);
}

static tree join(const tree *a, const tree *b) {
    return (tree){a->first, b->last, {a->sum[0] + b->sum[0], a->sum[1] + b->sum[1]}, a->weight + b->weight, true};
}

/* 2^depth steps on from z, as Hoffman & Gelman's BuildTree: halves by recursion, given up at the first that fails. */
static tree build(reference *r, point z, double e, size_t depth) {
    if (depth == 0) {
        const point to = leapfrog(z, e);
        const double log_w = r->start - total_energy(to);
        r->leaves++;
        r->divergent = r->divergent || log_w < -1000;
        r->acceptance += log_w < -1000 ? 0 : fmin(1, exp(log_w));
        r->states[r->count] = to;
        r->probability[r->count++] = exp(log_w);
        return (tree){to, to, {to.p[0], to.p[1]}, exp(log_w), log_w >= -1000};
    }
    const tree a = build(r, z, e, depth - 1);
    if (!a.whole)
        return a;
    const tree b = build(r, a.last, e, depth - 1);
    tree both = join(&a, &b);
    both.whole = b.whole && goes_on(r, &a, &b);
    return both;
}

static tree reversed(tree t) {
    const point first = t.first;
    t.first = t.last;
    t.last = first;
    return t;
}

/* The doublings of the trajectory through `here` with the coins that chain `chain` throws. */
static void refer(reference *r, point here, double step, ebm_stream stream, uint32_t chain, uint64_t at) {
    *r = (reference){.step = step, .start = total_energy(here), .count = 1, .margin = INFINITY};
    r->states[0] = here;
    r->probability[0] = 1;
    tree whole = {here, here, {here.p[0], here.p[1]}, 1, true}; /* first: its end in the past */
    for (; r->depth < DEPTH; r->depth++) {
        const bool back = ebm_random_uniform1(stream, chain, at + 1, 2 * (uint32_t)r->depth) < 0.5;
        const tree old = back ? reversed(whole) : whole;
        const size_t from = r->count;
        const tree half = build(r, old.last, back ? -step : step, r->depth);
        if (!half.whole) {
            r->count = from;
            return;
        }
        const double replaced = fmin(1, half.weight / whole.weight);
        for (size_t k = 0; k < r->count; k++)
            r->probability[k] *= k < from ? 1 - replaced : replaced / half.weight;
        const bool on = goes_on(r, &old, &half);
        whole = join(&old, &half);
        whole = back ? reversed(whole) : whole;
        if (!on) {
            r->depth++;
            return;
        }
    }
}

#endif
