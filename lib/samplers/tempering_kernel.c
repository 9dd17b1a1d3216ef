/* The transition matrix of replica exchange (see tempering_kernel.h), from its definition:
 *   P = (P_0^n x P_1^n x ... x P_(K-1)^n) S_0 S_2 ... S_1 S_3 ...
 * P_r is the inner sampler's matrix for copy r; S_k moves the tuple t to the t' that has the digits of copies k and
 * k + 1 swapped, with probability min(1, p(t') / p(t)), p the product of the copies' distributions. */
#include "samplers/tempering_kernel.h"

#include "samplers/state_table.h"

#include "ebm/enumerate.h"

#include <math.h>

typedef struct tuples {
    size_t K, states;
    double *inner;  /* (K, states, states) */
    double *log_p;  /* (K, states) */
    double *accept; /* (K - 1, states, states): of the swap where copy k is in the first, k + 1 in the second state */
} tuples;

static ebm_status fill_tuples(const ebm_sampler *inner, const ebm_model *model, const ebm_path *path, size_t sweeps,
                              tuples *t, ebm_work *work, ebm_error *error) {
    const size_t s = t->states;
    for (size_t r = 0; r < t->K; r++) {
        double *P = t->inner + r * s * s;
        EBM_TRY(inner->type->kernel(inner, model, path[r], s, P, work, error));
        if (!ebm_kernel_power(s, sweeps, P, work))
            return ebm_fail(error, EBM_NO_MEMORY, "no memory for the power of a kernel of %zu states", s);
        EBM_TRY(ebm_model_log_probabilities(model, path[r], t->log_p + r * s, NULL, work, error));
    }
    for (size_t k = 0; k + 1 < t->K; k++) {
        const double *cold = t->log_p + k * s, *hot = cold + s;
        for (size_t i = 0; i < s; i++)
            for (size_t j = 0; j < s; j++)
                t->accept[(k * s + i) * s + j] = fmin(1, exp((cold[j] - cold[i]) + (hot[i] - hot[j])));
    }
    return EBM_OK;
}

/* law (S) = the product of the copies' rows from the tuple `code`. */
static void move_copies(const tuples *t, size_t code, double *law) {
    const size_t s = t->states;
    size_t filled = 1;
    law[0] = 1;
    for (size_t r = 0; r < t->K; r++, code /= s, filled *= s) {
        const double *row = t->inner + (r * s + code % s) * s;
        for (size_t j = s; j-- > 0;) /* downwards: the part for digit 0 is the source */
            for (size_t m = 0; m < filled; m++)
                law[j * filled + m] = law[m] * row[j];
    }
}

/* law <- law S_k */
static void swap_pair(const tuples *t, size_t k, size_t S, double *law) {
    const size_t s = t->states;
    size_t low = 1;
    for (size_t r = 0; r < k; r++)
        low *= s;
    for (size_t code = 0; code < S; code++) {
        const size_t i = code / low % s, j = code / (low * s) % s;
        if (i >= j)
            continue;
        const size_t other = code + (j - i) * low - (j - i) * low * s; /* i and j have changed places */
        const double out = t->accept[(k * s + i) * s + j], back = t->accept[(k * s + j) * s + i];
        const double here = law[code], there = law[other];
        law[code] = (1 - out) * here + back * there;
        law[other] = (1 - back) * there + out * here;
    }
}

ebm_status ebm_tempering_kernel(const ebm_sampler *inner, const ebm_model *model, size_t K, const ebm_path *path,
                                size_t sweeps, size_t S, double *T, ebm_work *work, ebm_error *error) {
    const size_t s = ebm_states_count(&model->space), mark = ebm_work_mark(work);
    size_t all = s > 0;
    for (size_t r = 0; r < K && all > 0; r++)
        all = all <= EBM_MAX_CHAIN_STATES / s ? all * s : 0;
    if (all == 0)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "a transition matrix over tuples of %zu states of %zu %s units is too large: at most %d tuples "
                        "can be had",
                        K, model->space.size, ebm_domain_name(model->space.domain), EBM_MAX_CHAIN_STATES);
    if (S != all)
        return ebm_fail(error, EBM_INVALID, "the matrix is for %zu states, there are %zu tuples", S, all);
    if (!inner->type->kernel)
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler %s has no transition matrix", inner->type->info.name);
    tuples t = {.K = K, .states = s};
    t.inner = ebm_work_take(work, K * s * s, sizeof *t.inner);
    t.log_p = ebm_work_take(work, K * s, sizeof *t.log_p);
    t.accept = ebm_work_take(work, (K - 1) * s * s, sizeof *t.accept);
    ebm_status status = t.inner && t.log_p && t.accept
                            ? fill_tuples(inner, model, path, sweeps, &t, work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for a kernel of %zu states", S);
    for (size_t code = 0; code < S && status == EBM_OK; code++) {
        double *law = T + code * S;
        move_copies(&t, code, law);
        for (size_t first = 0; first < 2; first++)
            for (size_t k = first; k + 1 < K; k += 2)
                swap_pair(&t, k, S, law);
    }
    ebm_work_release(work, mark);
    return status;
}
