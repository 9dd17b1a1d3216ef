/* Independence Metropolis-Hastings (Hastings 1970; Tierney 1994; Liu 1996): every proposal is drawn afresh from one law q,
 *
 *   x' = m + L z                     z standard normal                                  (normal)
 *   x' = m + L z sqrt(nu / c)        c ~ chi^2 of nu degrees: a multivariate Student t   (student-t)
 *
 * and accepted with probability min(1, w(x') / w(x)), w = p / q. With y = L^-1 (x - m) and up to a constant
 *   log q = -|y|^2 / 2   and   log q = -(nu + V) / 2 log(1 + |y|^2 / nu).
 * The chain forgets its start at a geometric rate only where w is bounded: q must have the heavier tails (Mengersen &
 * Tweedie 1996), for which student-t is the default.
 *
 * m and L are given, or fitted: then warm-up is a random walk (random_walk.c) with a covariance that it learns, whose last
 * window gives m and L L^T. Without warm-up a fitted q is the standard one, m = 0 and L = 1. */
#include "components.h"
#include "samplers/adaptation.h"
#include "samplers/chain_moments.h"
#include "samplers/real_proposals.h"

#include "ebm/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHAPE_NORMAL, SHAPE_STUDENT };
static const char *const shape_names[] = {"normal", "student-t", NULL};

typedef struct independence_options {
    int proposal;
    double degrees, width;
    ebm_reals mean, deviation;
} independence_options;

#define AT(member) offsetof(independence_options, member)
static const ebm_option independence_table[] = {
    {"proposal", EBM_OPTION_CHOICE, AT(proposal), "student-t", 0, 0, shape_names, 0,
     "the law that proposals are drawn from"},
    {"degrees", EBM_OPTION_REAL, AT(degrees), "5", 0.5, 1e6, NULL, 0, "nu, degrees of freedom of student-t"},
    {"mean", EBM_OPTION_REALS, AT(mean), NULL, -1e30, 1e30, NULL, 0,
     "m, in units of x: one number for all units, or one for each; given together with `deviation`, else both are "
     "fitted "
     "in warm-up"},
    {"deviation", EBM_OPTION_REALS, AT(deviation), NULL, 1e-30, 1e30, NULL, 0,
     "the diagonal of L, in units of x: one number for all units, or one for each"},
    {"width", EBM_OPTION_REAL, AT(width), "1", 1e-3, 1e3, NULL, 0, "L is so many times what was given or fitted"},
    EBM_OPTIONS_END,
};

typedef struct independence_state {
    size_t units;
    double *mean;     /* (V), and */
    ebm_real *factor; /* (V), the diagonal, where they are given; else NULL */
} independence_state;

/* The law of proposals as it stands: one of factor and diagonal is NULL. */
typedef struct proposal {
    const double *mean;
    const ebm_real *factor;   /* (V, V), lower */
    const ebm_real *diagonal; /* (V) */
    double width;
} proposal;

static ebm_status independence_check(const void *options, const ebm_model_type *model, ebm_error *error) {
    const independence_options *o = options;
    (void)model;
    if ((o->mean.count > 0) != (o->deviation.count > 0))
        return ebm_fail(error, EBM_INVALID,
                        "sampler independence: `%s` is given without `%s`: give both, or neither to have them fitted",
                        o->mean.count ? "mean" : "deviation", o->mean.count ? "deviation" : "mean");
    return EBM_OK;
}

static ebm_status fits(const char *name, const ebm_reals *given, size_t units, ebm_error *error) {
    if (given->count == 1 || given->count == units)
        return EBM_OK;
    return ebm_fail(error, EBM_INVALID,
                    "sampler independence: `%s` has %zu numbers, expected 1 or %zu, one for each unit", name,
                    given->count, units);
}

static ebm_status independence_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const independence_options *o = sampler->options;
    const size_t V = model->space.size;
    independence_state *state = sampler->state = ebm_alloc(1, sizeof *state);
    if (!state)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a sampler");
    state->units = V;
    if (o->mean.count == 0)
        return EBM_OK;
    EBM_TRY(fits("mean", &o->mean, V, error));
    EBM_TRY(fits("deviation", &o->deviation, V, error));
    state->mean = ebm_alloc(V, sizeof *state->mean);
    state->factor = ebm_alloc(V, sizeof *state->factor);
    if (!state->mean || !state->factor)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for proposals of %zu units", V);
    for (size_t i = 0; i < V; i++) {
        state->mean[i] = o->mean.values[o->mean.count > 1 ? i : 0];
        state->factor[i] = (ebm_real)o->deviation.values[o->deviation.count > 1 ? i : 0];
    }
    return EBM_OK;
}

static void independence_destroy(ebm_sampler *sampler) {
    independence_state *state = sampler->state;
    if (!state)
        return;
    free(state->mean);
    free(state->factor);
    free(state);
}

static bool is_fitted(const ebm_sampler *sampler) {
    return ((const independence_options *)sampler->options)->mean.count == 0;
}

/* The adaptation, and the moments of a fitted proposal. */
static size_t learnt_bytes(const ebm_sampler *sampler, const ebm_model *model) {
    const size_t V = model->space.size, first = ebm_adaptation_bytes(V);
    const size_t second = is_fitted(sampler) ? ebm_chain_moments_bytes(V) : 0;
    return second > SIZE_MAX - first ? SIZE_MAX : first + second;
}

static size_t independence_auxiliary_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    return ebm_present_after(learnt_bytes(sampler, model), chains, model->space.size, false);
}

static void *moments_of(const void *auxiliary, size_t units) {
    return (char *)auxiliary + ebm_adaptation_bytes(units);
}

static void independence_auxiliary_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    const size_t V = model->space.size;
    ebm_adaptation_start(chains->auxiliary, V, 2.38 / sqrt((double)V));
    ebm_present_forget(ebm_present_of(chains, learnt_bytes(sampler, model)));
    if (is_fitted(sampler))
        ebm_chain_moments_start(moments_of(chains->auxiliary, V), V);
}

static proposal proposal_of(const ebm_sampler *sampler, const ebm_chains *chains) {
    const independence_state *state = sampler->state;
    const double width = ((const independence_options *)sampler->options)->width;
    if (!is_fitted(sampler))
        return (proposal){state->mean, NULL, state->factor, width};
    const void *moments = moments_of(chains->auxiliary, state->units);
    return (proposal){ebm_chain_moments_mean(moments), ebm_chain_moments_factor(moments), NULL, width};
}

/* |L^-1 (x - m)|^2 of one row, by forward substitution; y (V) is scratch. */
static double squared_distance(const proposal *q, size_t V, const ebm_real *x, double *y) {
    double sum = 0;
    for (size_t i = 0; i < V; i++) {
        double rest = (double)x[i] - q->mean[i];
        if (q->factor)
            for (size_t j = 0; j < i; j++)
                rest -= q->width * (double)q->factor[i * V + j] * y[j];
        y[i] = rest / (q->width * (double)(q->factor ? q->factor[i * V + i] : q->diagonal[i]));
        sum += y[i] * y[i];
    }
    return sum;
}

/* side->kept = log q of its states, up to a constant. */
static void keep_density(const ebm_real_walk *w, const ebm_real_side *side) {
    const ebm_sampler *sampler = w->law->own;
    const independence_options *o = sampler->options;
    const size_t V = w->units, mark = ebm_work_mark(w->work);
    const proposal q = proposal_of(sampler, w->chains);
    const double half = 0.5 * (o->degrees + (double)V);
    double *y = ebm_work_take(w->work, w->count * V, sizeof *y);
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) { /* without memory no proposal is accepted */
        const double squared = y ? squared_distance(&q, V, side->batch.x + b * V, y + b * V) : (double)NAN;
        side->kept[b] = o->proposal == SHAPE_NORMAL ? -0.5 * squared : -half * log1p(squared / o->degrees);
    }
    ebm_work_release(w->work, mark);
}

static void independence_start(const ebm_real_walk *w) {
    keep_density(w, &w->here);
}

/* log q(x) - log q(x') */
static void independence_ratio(const ebm_real_walk *w, double *log_ratio) {
    keep_density(w, &w->there);
    for (size_t b = 0; b < w->count; b++)
        log_ratio[b] = w->here.kept[b] - w->there.kept[b];
}

/* Noise becomes that of a t law: by sqrt(nu / c), c = 2 gamma(nu / 2). */
static void spread_tails(const ebm_real_walk *w, double degrees) {
    const size_t V = w->units;
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) {
        const uint32_t chain = w->chains->first_chain + (uint32_t)b;
        const double c = 2 * ebm_random_gamma1(w->chains->stream, chain, w->step + 1, 2, degrees / 2);
        const ebm_real factor = (ebm_real)sqrt(degrees / c);
        for (size_t i = 0; i < V; i++)
            w->noise[b * V + i] *= factor;
    }
}

static void independence_propose(const ebm_real_walk *w) {
    const ebm_sampler *sampler = w->law->own;
    const independence_options *o = sampler->options;
    const size_t B = w->count, V = w->units;
    const proposal q = proposal_of(sampler, w->chains);
    ebm_real *to = w->there.batch.x;
    if (o->proposal == SHAPE_STUDENT)
        spread_tails(w, o->degrees);
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < V; i++) {
            const double across = q.diagonal ? q.width * (double)q.diagonal[i] * (double)w->noise[b * V + i] : 0;
            to[b * V + i] = (ebm_real)(q.mean[i] + across);
        }
    if (q.factor)
        ebm_gemm(false, true, B, V, V, q.width, w->noise, V, q.factor, V, 1, to, V, w->work);
}

/* Warm-up of a fitted law: the random walk x' = x + s L xi. */
static void warmup_propose(const ebm_real_walk *w) {
    const void *auxiliary = w->chains->auxiliary;
    const size_t B = w->count, V = w->units;
    const double scale = ebm_adaptation_step(auxiliary, true);
    memcpy(w->there.batch.x, w->here.batch.x, B * V * sizeof(ebm_real));
    ebm_gemm(false, true, B, V, V, scale, w->noise, V, ebm_chain_moments_factor(moments_of(auxiliary, V)), V, 1,
             w->there.batch.x, V, w->work);
}

static ebm_status warmup_adapt(const ebm_real_walk *w, double acceptance, uint64_t warmup_left, ebm_error *error) {
    void *auxiliary = w->chains->auxiliary, *moments = moments_of(auxiliary, w->units);
    const ebm_window window =
        ebm_adaptation_update(auxiliary, acceptance, 0.234, w->count, w->here.batch.x, warmup_left, true);
    if (window != EBM_WINDOW_OUTSIDE)
        EBM_TRY(ebm_chain_moments_observe(moments, w->count, w->here.batch.x, w->work, error));
    return window == EBM_WINDOW_CLOSED ? ebm_chain_moments_take(moments, error) : EBM_OK;
}

static ebm_status independence_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                    size_t steps, ebm_work *work, ebm_error *error) {
    void *present = ebm_present_of(chains, learnt_bytes(sampler, model));
    const ebm_real_law fresh = {.own = sampler,
                                .adjust = true,
                                .present = present,
                                .start = independence_start,
                                .propose = independence_propose,
                                .ratio = independence_ratio};
    const ebm_real_law warmup = {
        .own = sampler, .adjust = true, .present = present, .propose = warmup_propose, .adapt = warmup_adapt};
    if (!chains->auxiliary)
        return ebm_fail(error, EBM_INVALID, "sampler independence: the chains keep no proposal: attach them first");
    const ebm_real_law *law = chains->adapting && is_fitted(sampler) ? &warmup : &fresh;
    return ebm_real_proposals_walk(law, model, path, chains, steps, work, error);
}

static const ebm_metric independence_metrics[] = {
    {"scale_min", "", true, "the smallest deviation of a unit in the proposals, before `width`"},
    {"scale_max", "", true, "the largest deviation of a unit in the proposals, before `width`"},
    EBM_METRICS_END,
};

static ebm_status independence_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink,
                                      ebm_error *error) {
    const size_t V = ((const independence_state *)sampler->state)->units;
    double least = INFINITY, most = 0;
    if (!chains->adapting && chains->proposed > 0 && !(chains->accepted > 0))
        return ebm_fail(error, EBM_DIVERGED,
                        "sampler independence accepted none of %.0f proposals: they do not reach where the target is: "
                        "give another mean and deviation, or a longer warm-up",
                        chains->proposed);
    if (!chains->auxiliary)
        return EBM_OK;
    const proposal q = proposal_of(sampler, chains);
    for (size_t i = 0; i < V; i++) {
        double variance = q.diagonal ? (double)q.diagonal[i] * (double)q.diagonal[i] : 0;
        for (size_t j = 0; q.factor && j <= i; j++)
            variance += (double)q.factor[i * V + j] * (double)q.factor[i * V + j];
        least = fmin(least, sqrt(variance));
        most = fmax(most, sqrt(variance));
    }
    EBM_TRY(sink->emit(sink, "scale_min", least, NAN, error));
    return sink->emit(sink, "scale_max", most, NAN, error);
}

const ebm_sampler_type ebm_independence = {
    .info = {"independence", "Metropolis-Hastings with proposals from one fixed law, given or fitted in warm-up",
             "Hastings 1970; Tierney 1994", independence_table, sizeof(independence_options)},
    .domains = 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = true,
    .metrics = independence_metrics,
    .check = independence_check,
    .create = independence_create,
    .destroy = independence_destroy,
    .auxiliary_bytes = independence_auxiliary_bytes,
    .auxiliary_start = independence_auxiliary_start,
    .step = independence_step,
    .report = independence_report,
};
