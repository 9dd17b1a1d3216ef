/* Exact mixing of a chain on few states: residuals, total variation against steps, the mixing time.
 *
 *   d(t) = max_i 1/2 sum_j |T^t_ij - pi_j| never increases        (Levin, Peres & Wilmer 2009, exercise 4.2)
 * so that t_mix(epsilon) = min {t: d(t) <= epsilon} is found by squaring, T, T^2, T^4 ..., until d falls below, and
 * then from the last power above it by trying the smaller ones in turn: t grows by 2^k whenever d stays above.
 *
 * Products have no cancellation, for no entry is negative, and rows are scaled back to sum 1 after each, so that
 * rounding does not grow with t as it would by (1 + s eps)^t. */
#include "exact_chain.h"

#include "core/matrix_blocks.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

static const double SUM_TOLERANCE = 1e-9, NEGATIVE_TOLERANCE = -1e-12;

enum { BLOCK_ROWS = 256 };

static ebm_status check_size(const ebm_exact_chain *chain, ebm_error *error) {
    if (chain->states < 1 || chain->states > EBM_MAX_CHAIN_STATES)
        return ebm_fail(error, EBM_UNSUPPORTED, "a chain of %zu states: exact analysis takes 1 to %d", chain->states,
                        (int)EBM_MAX_CHAIN_STATES);
    return EBM_OK;
}

/* |sum - 1|, and the least entry; NAN anywhere makes the distance NAN. */
static double sum_defect(const double *p, size_t count, double *lowest) {
    double sum = 0;
    for (size_t j = 0; j < count; j++) {
        sum += p[j];
        *lowest = p[j] < *lowest ? p[j] : *lowest;
    }
    return fabs(sum - 1);
}

/* EBM_INVALID unless `p` is a law; `what` with `row` names it. */
static ebm_status check_law(const double *p, size_t count, const char *what, size_t row, ebm_error *error) {
    double lowest = 0;
    const double defect = sum_defect(p, count, &lowest);
    if (!(defect <= SUM_TOLERANCE))
        return ebm_fail(error, EBM_INVALID, "%s %zu misses the sum 1 by %g", what, row, defect);
    if (lowest < NEGATIVE_TOLERANCE)
        return ebm_fail(error, EBM_INVALID, "%s %zu has the negative probability %g", what, row, lowest);
    return EBM_OK;
}

static ebm_status check_chain(const ebm_exact_chain *chain, ebm_error *error) {
    EBM_TRY(check_size(chain, error));
    for (size_t i = 0; i < chain->states; i++)
        EBM_TRY(check_law(chain->transition + i * chain->states, chain->states, "row", i, error));
    return check_law(chain->stationary, chain->states, "the stationary law of states 0 to", chain->states - 1, error);
}

/* out (states) = law T */
static void advance_law(const ebm_exact_chain *chain, const double *law, double *out) {
    const int S = (int)chain->states;
    cblas_dgemv(CblasRowMajor, CblasTrans, S, S, 1, chain->transition, S, law, 1, 0, out, 1);
}

static double balance_residual(const ebm_exact_chain *chain) {
    enum { TILE = 32 };
    const size_t S = chain->states;
    const double *T = chain->transition, *pi = chain->stationary;
    double most = 0;
    for (size_t top = 0; top < S; top += TILE)
        for (size_t left = top; left < S; left += TILE)
            for (size_t i = top; i < S && i < top + TILE; i++)
                for (size_t j = left; j < S && j < left + TILE; j++) {
                    const double flow = fabs(pi[i] * T[i * S + j] - pi[j] * T[j * S + i]);
                    most = flow <= most ? most : flow; /* NAN is taken */
                }
    return most;
}

ebm_status ebm_exact_chain_residuals(const ebm_exact_chain *chain, ebm_chain_residuals *out, ebm_work *work,
                                     ebm_error *error) {
    EBM_TRY(check_size(chain, error));
    const size_t S = chain->states, mark = ebm_work_mark(work);
    double *next = ebm_work_take(work, S, sizeof *next);
    if (next == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a law of %zu states", S);
    *out = (ebm_chain_residuals){.lowest = INFINITY};
    for (size_t i = 0; i < S; i++) {
        const double defect = sum_defect(chain->transition + i * S, S, &out->lowest);
        out->row_sum = defect <= out->row_sum ? out->row_sum : defect;
    }
    ebm_blas_one_thread();
    advance_law(chain, chain->stationary, next);
    for (size_t j = 0; j < S; j++) {
        const double moved = fabs(next[j] - chain->stationary[j]);
        out->stationarity = moved <= out->stationarity ? out->stationarity : moved;
    }
    out->detailed_balance = balance_residual(chain);
    ebm_work_release(work, mark);
    return EBM_OK;
}

ebm_status ebm_exact_chain_check_stationary(const ebm_exact_chain *chain, ebm_work *work, ebm_error *error) {
    EBM_TRY(check_chain(chain, error));
    ebm_chain_residuals residuals;
    EBM_TRY(ebm_exact_chain_residuals(chain, &residuals, work, error));
    if (residuals.stationarity > SUM_TOLERANCE)
        return ebm_fail(error, EBM_INVALID, "pi is not stationary: one step moves a probability by %g",
                        residuals.stationarity);
    return EBM_OK;
}

/* C = A B for stochastic matrices, rows scaled to sum 1. */
static void multiply(size_t S, const double *A, const double *B, double *C, ebm_work *work) {
    const size_t blocks = (S + BLOCK_ROWS - 1) / BLOCK_ROWS;
    const int n = (int)S;
#pragma omp parallel for schedule(dynamic)                                                                             \
    num_threads(ebm_work_threads(work)) if (ebm_work_threads(work) > 1 && blocks > 1)
    for (size_t block = 0; block < blocks; block++) {
        const size_t first = block * BLOCK_ROWS, rows = S - first < BLOCK_ROWS ? S - first : BLOCK_ROWS;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, n, n, 1, A + first * S, n, B, n, 0,
                    C + first * S, n);
        for (size_t i = first; i < first + rows; i++) {
            double sum = 0;
            for (size_t j = 0; j < S; j++)
                sum += C[i * S + j];
            for (size_t j = 0; j < S; j++)
                C[i * S + j] /= sum;
        }
    }
}

static double variation(size_t S, const double *law, const double *pi) {
    double sum = 0;
    for (size_t j = 0; j < S; j++)
        sum += fabs(law[j] - pi[j]);
    return sum / 2;
}

/* d of a power; the zeroth for NULL. */
static double worst_variation(const ebm_exact_chain *chain, const double *power) {
    const size_t S = chain->states;
    double most = 0;
    for (size_t i = 0; i < S; i++)
        most = fmax(most, power ? variation(S, power + i * S, chain->stationary) : 1 - chain->stationary[i]);
    return most;
}

static ebm_status no_memory(size_t matrices, size_t S, ebm_error *error) {
    return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu matrices of %zu x %zu states", matrices, S, S);
}

static void swap_matrices(double **a, double **b) {
    double *c = *a;
    *a = *b, *b = c;
}

/* From the worst state: power = T^steps[k] by binary powers of T between one step asked for and the next. */
static ebm_status variation_from_worst(const ebm_exact_chain *chain, const size_t *steps, size_t count, double *out,
                                       ebm_work *work, ebm_error *error) {
    const size_t S = chain->states, bytes = S * S * sizeof(double);
    double *power = ebm_work_take(work, S * S, sizeof *power), *square = ebm_work_take(work, S * S, sizeof *square);
    double *spare = ebm_work_take(work, S * S, sizeof *spare);
    if (!power || !square || !spare)
        return no_memory(3, S, error);
    bool moved = false;
    for (size_t k = 0; k < count; k++) {
        size_t left = steps[k] - (k > 0 ? steps[k - 1] : 0);
        for (memcpy(square, chain->transition, bytes); left > 0; left /= 2) {
            if (left % 2 == 1 && moved) {
                multiply(S, power, square, spare, work);
                swap_matrices(&power, &spare);
            } else if (left % 2 == 1) {
                memcpy(power, square, bytes);
                moved = true;
            }
            if (left > 1) {
                multiply(S, square, square, spare, work);
                swap_matrices(&square, &spare);
            }
        }
        out[k] = worst_variation(chain, moved ? power : NULL);
    }
    return EBM_OK;
}

static ebm_status variation_from_law(const ebm_exact_chain *chain, const double *start, const size_t *steps,
                                     size_t count, double *out, ebm_work *work, ebm_error *error) {
    const size_t S = chain->states;
    EBM_TRY(check_law(start, S, "the start over states 0 to", S - 1, error));
    double *law = ebm_work_take(work, S, sizeof *law), *next = ebm_work_take(work, S, sizeof *next);
    if (!law || !next)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for two laws of %zu states", S);
    memcpy(law, start, S * sizeof *law);
    size_t step = 0;
    for (size_t k = 0; k < count; k++) {
        for (; step < steps[k]; step++) {
            advance_law(chain, law, next);
            swap_matrices(&law, &next);
        }
        out[k] = variation(S, law, chain->stationary);
    }
    return EBM_OK;
}

ebm_status ebm_exact_chain_total_variation(const ebm_exact_chain *chain, const double *start, const size_t *steps,
                                           size_t count, double *out, ebm_work *work, ebm_error *error) {
    EBM_TRY(check_chain(chain, error));
    for (size_t k = 1; k < count; k++)
        if (steps[k] < steps[k - 1])
            return ebm_fail(error, EBM_INVALID, "steps must ascend: %zu follows %zu", steps[k], steps[k - 1]);
    ebm_blas_one_thread();
    const size_t mark = ebm_work_mark(work);
    const ebm_status status = start ? variation_from_law(chain, start, steps, count, out, work, error)
                                    : variation_from_worst(chain, steps, count, out, work, error);
    ebm_work_release(work, mark);
    return status;
}

/* t_mix between 1 and limit, given d(0) > epsilon. */
static ebm_status search_mixing(const ebm_exact_chain *chain, double epsilon, size_t limit, size_t *out, ebm_work *work,
                                ebm_error *error) {
    enum { MOST = 63 };
    const size_t S = chain->states;
    const double *powers[MOST] = {chain->transition}; /* T^(2^k) */
    size_t top = 0, steps = 1;
    double distance = worst_variation(chain, powers[0]);
    for (; distance > epsilon && steps <= limit / 2 && top + 1 < MOST; steps *= 2, top++) {
        double *square = ebm_work_take(work, S * S, sizeof *square);
        if (square == NULL)
            return no_memory(top + 1, S, error);
        multiply(S, powers[top], powers[top], square, work);
        powers[top + 1] = square;
        distance = worst_variation(chain, square);
    }
    const bool bracketed = distance <= epsilon;
    if (bracketed && top == 0) {
        *out = 1;
        return EBM_OK;
    }
    /* d(steps) > epsilon with power = T^steps; the largest such steps below the bracket, or up to the limit */
    size_t k = bracketed ? top - 1 : top;
    const double *power = powers[k];
    double *next = ebm_work_take(work, S * S, sizeof *next), *spare = ebm_work_take(work, S * S, sizeof *spare);
    if (!next || !spare)
        return no_memory(top + 2, S, error);
    for (steps = (size_t)1 << k; k > 0; k--) {
        if (steps + ((size_t)1 << (k - 1)) > limit)
            continue;
        multiply(S, power, powers[k - 1], next, work);
        if (worst_variation(chain, next) <= epsilon)
            continue;
        steps += (size_t)1 << (k - 1);
        power = next;
        swap_matrices(&next, &spare);
    }
    if (steps >= limit)
        return ebm_fail(error, EBM_DIVERGED, "the chain has not mixed after %zu steps: its total variation is still %g",
                        steps, worst_variation(chain, power));
    *out = steps + 1;
    return EBM_OK;
}

ebm_status ebm_exact_chain_mixing_time(const ebm_exact_chain *chain, double epsilon, size_t limit, size_t *out,
                                       ebm_work *work, ebm_error *error) {
    EBM_TRY(check_chain(chain, error));
    if (!(epsilon > 0 && epsilon < 1))
        return ebm_fail(error, EBM_INVALID, "epsilon is %g, expected a number between 0 and 1", epsilon);
    if (limit < 1)
        return ebm_fail(error, EBM_INVALID, "the limit of steps is 0, expected at least 1");
    *out = 0;
    if (worst_variation(chain, NULL) <= epsilon)
        return EBM_OK;
    ebm_blas_one_thread();
    const size_t mark = ebm_work_mark(work);
    const ebm_status status = search_mixing(chain, epsilon, limit, out, work, error);
    ebm_work_release(work, mark);
    return status;
}
