/* Small discrete spaces as tables, and the single-site updates as matrices. */
#include "samplers/state_table.h"

#include "ebm/enumerate.h"
#include "ebm/matrix.h"

#include <math.h>
#include <string.h>

ebm_status ebm_state_table_create(const ebm_model *model, ebm_path path, size_t states, ebm_state_table *out,
                                  ebm_work *work, ebm_error *error) {
    const ebm_space *space = &model->space;
    const size_t count = ebm_states_count(space);
    if (count == 0 || count > EBM_MAX_CHAIN_STATES)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "a transition matrix over %zu %s units has too many states: at most %d can be had", space->size,
                        ebm_domain_name(space->domain), EBM_MAX_CHAIN_STATES);
    if (count != states)
        return ebm_fail(error, EBM_INVALID, "the matrix is for %zu states, the space has %zu", states, count);
    double *log_p = ebm_work_take(work, count, sizeof *log_p);
    size_t *weight = ebm_work_take(work, space->size, sizeof *weight);
    if (!log_p || !weight)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", count);
    size_t power = 1;
    for (size_t i = 0; i < space->size; i++, power *= space->categories)
        weight[i] = power;
    *out = (ebm_state_table){model, count, space->size, space->categories, log_p, weight};
    return ebm_model_log_probabilities(model, path, log_p, NULL, work, error);
}

/* P(digit -> to | rest) for the states that agree with `code` but for `unit`; out (q, q). */
static void unit_law(const ebm_state_table *t, ebm_site_rule rule, size_t unit, size_t code, double *out) {
    const size_t q = t->categories;
    for (size_t from = 0; from < q; from++) {
        const double here = t->log_p[ebm_state_with(t, code, unit, from)];
        double stay = 1, total = 0;
        for (size_t to = 0; to < q; to++) {
            const double ratio = exp(t->log_p[ebm_state_with(t, code, unit, to)] - here);
            total += ratio;
            double p = rule == EBM_METROPOLIS ? fmin(1, ratio) / (double)(q - 1) : ratio;
            out[from * q + to] = p;
            stay -= to == from ? 0 : p;
        }
        if (rule == EBM_METROPOLIS)
            out[from * q + from] = stay;
        else
            for (size_t to = 0; to < q; to++)
                out[from * q + to] /= total;
    }
}

void ebm_kernel_update_unit(const ebm_state_table *t, ebm_site_rule rule, size_t unit, double *T, ebm_work *work) {
    const size_t S = t->states, q = t->categories, step = t->weight[unit], mark = ebm_work_mark(work);
    double *law = ebm_work_take(work, S * q, sizeof *law), *row = ebm_work_take(work, q, sizeof *row);
    for (size_t code = 0; code < S; code++) /* (q, q) for each setting of the rest: stored at its state of digit 0 */
        if (ebm_state_digit(t, code, unit) == 0)
            unit_law(t, rule, unit, code, law + (code / (step * q) * step + code % step) * q * q);
    for (size_t i = 0; i < S; i++)
        for (size_t code = 0; code < S; code++) {
            if (ebm_state_digit(t, code, unit) != 0)
                continue;
            const double *P = law + (code / (step * q) * step + code % step) * q * q;
            double *mass = T + i * S + code;
            for (size_t to = 0; to < q; to++) {
                row[to] = 0;
                for (size_t from = 0; from < q; from++)
                    row[to] += mass[from * step] * P[from * q + to];
            }
            for (size_t to = 0; to < q; to++)
                mass[to * step] = row[to];
        }
    ebm_work_release(work, mark);
}

void ebm_kernel_identity(size_t states, double *T) {
    memset(T, 0, states * states * sizeof *T);
    for (size_t i = 0; i < states; i++)
        T[i * states + i] = 1;
}

/* C = A B, plain but in the order of memory; matrices here are small. */
static void multiply(size_t S, const double *A, const double *B, double *C) {
    memset(C, 0, S * S * sizeof *C);
    for (size_t i = 0; i < S; i++)
        for (size_t k = 0; k < S; k++) {
            const double a = A[i * S + k];
            for (size_t j = 0; a != 0 && j < S; j++)
                C[i * S + j] += a * B[k * S + j];
        }
}

bool ebm_kernel_power(size_t states, size_t power, double *T, ebm_work *work) {
    const size_t S = states, bytes = S * S * sizeof(double), mark = ebm_work_mark(work);
    double *square = ebm_work_take(work, S * S, sizeof *square), *next = ebm_work_take(work, S * S, sizeof *next);
    if (square && next) {
        memcpy(square, T, bytes);
        ebm_kernel_identity(S, T);
        for (size_t left = power; left; left >>= 1) {
            if (left & 1u) {
                multiply(S, T, square, next);
                memcpy(T, next, bytes);
            }
            if (left > 1) {
                multiply(S, square, square, next);
                memcpy(square, next, bytes);
            }
        }
    }
    ebm_work_release(work, mark);
    return square && next;
}
