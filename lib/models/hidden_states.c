/* Sums over the states of coupled hidden units (see hidden_states.h). */
#include "models/hidden_states.h"

#include "ebm/special.h"

#include <math.h>

/* out (2^count) = start + values . h over the first `count` units. */
static void linear_part(const ebm_hidden_states *t, size_t count, double start, const double *values, double *out) {
    const double down = ebm_hidden_down(t), step = 1 - down;
    for (size_t k = 0; k < count; k++)
        start += down * values[k];
    out[0] = start;
    for (size_t k = 0; k < count; k++) {
        const size_t half = (size_t)1 << k;
        const double up = step * values[k];
        for (size_t s = 0; s < half; s++)
            out[half + s] = out[s] + up;
    }
}

/* Unit k adds h_k sum_(i<k) R_ik h_i to each state of the units before it. */
void ebm_hidden_pairs(ebm_hidden_states *t, const ebm_real *couplings, size_t ld, double *scratch) {
    const double down = ebm_hidden_down(t);
    double row[EBM_HIDDEN_MAX_UNITS] = {0};
    t->pairs[0] = 0;
    for (size_t k = 0; k < t->units; k++) {
        const size_t half = (size_t)1 << k;
        for (size_t i = 0; i < k; i++)
            row[i] = (double)couplings[k * ld + i];
        linear_part(t, k, 0, row, scratch);
        for (size_t s = 0; s < half; s++) {
            t->pairs[half + s] = t->pairs[s] + scratch[s];
            t->pairs[s] += down * scratch[s];
        }
    }
}

void ebm_hidden_weights(const ebm_hidden_states *t, const double *bias, double beta, double *w) {
    linear_part(t, t->units, 0, bias, w);
    for (size_t s = 0; s < t->states; s++)
        w[s] = beta * (w[s] + t->pairs[s]);
}

double ebm_hidden_log_sum(const ebm_hidden_states *t, const double *bias, double beta, double *w) {
    ebm_hidden_weights(t, bias, beta, w);
    return ebm_log_sum_exp(w, t->states);
}

double ebm_hidden_law(const ebm_hidden_states *t, const double *bias, double beta, double *p) {
    const double total = ebm_hidden_log_sum(t, bias, beta, p);
    for (size_t s = 0; s < t->states; s++)
        p[s] = exp(p[s] - total);
    return total;
}

/* Folding p in half after half leaves the sums over the states with unit k up. */
void ebm_hidden_mean(const ebm_hidden_states *t, double *p, double *mean) {
    const double down = ebm_hidden_down(t), step = 1 - down;
    for (size_t k = t->units; k-- > 0;) {
        const size_t half = (size_t)1 << k;
        double up = 0;
        for (size_t s = 0; s < half; s++) {
            up += p[half + s];
            p[s] += p[half + s];
        }
        mean[k] = step * up;
    }
    for (size_t k = 0; k < t->units; k++)
        mean[k] += down * p[0];
}

void ebm_hidden_pair_moments(const ebm_hidden_states *t, const double *p, double *pair) {
    const size_t H = t->units;
    const double down = ebm_hidden_down(t);
    for (size_t k = 0; k < H * H; k++)
        pair[k] = 0;
    for (size_t s = 0; s < t->states; s++)
        for (size_t i = 0; i < H; i++) {
            const double weighted = p[s] * (s >> i & 1u ? 1 : down);
            for (size_t j = i + 1; weighted != 0 && j < H; j++)
                pair[i * H + j] += s >> j & 1u ? weighted : down * weighted;
        }
}
