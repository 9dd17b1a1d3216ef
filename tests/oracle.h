/* A Bernoulli-Bernoulli restricted Boltzmann machine by plain enumeration: the reference of the tests.
 *
 *   E(v, h)      = -v'Wh - b'v - c'h                      v in {0,1}^V, h in {0,1}^H, W (V, H)
 *   E_beta(v, h) = (1 - beta) (-a'v) + beta E(v, h)       a: logits of the base machine over v (none: 0)
 *   F_beta(v)    = -log sum_h exp(-E_beta(v, h))
 *
 * Everything is a plain loop in double over all 2^V visible and all 2^H hidden states; nothing here calls the library.
 * A state is a code: unit i is bit i. Parameters and gradients are flat as [W row-major | b | c]. */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ORACLE_UNITS = 8, ORACLE_THETA = ORACLE_UNITS * ORACLE_UNITS + 2 * ORACLE_UNITS };

typedef struct oracle_rbm {
    size_t V, H;
    double theta[ORACLE_THETA]; /* [W | b | c] */
    double a[ORACLE_UNITS];     /* logits of a base machine */
} oracle_rbm;

static inline size_t oracle_n_theta(const oracle_rbm *m) {
    return m->V * m->H + m->V + m->H;
}
static inline double oracle_W(const oracle_rbm *m, size_t i, size_t j) {
    return m->theta[i * m->H + j];
}
static inline double oracle_b(const oracle_rbm *m, size_t i) {
    return m->theta[m->V * m->H + i];
}
static inline double oracle_c(const oracle_rbm *m, size_t j) {
    return m->theta[m->V * m->H + m->V + j];
}
static inline double oracle_bit(size_t code, size_t i) {
    return (code >> i & 1) ? 1.0 : 0.0;
}

/* E_beta(v, h) with (base) or without the base machine. */
static inline double oracle_joint_energy(const oracle_rbm *m, int base, double beta, size_t v, size_t h) {
    double energy = 0, base_energy = 0;
    for (size_t i = 0; i < m->V; i++)
        for (size_t j = 0; j < m->H; j++)
            energy -= oracle_bit(v, i) * oracle_W(m, i, j) * oracle_bit(h, j);
    for (size_t i = 0; i < m->V; i++) {
        energy -= oracle_b(m, i) * oracle_bit(v, i);
        base_energy -= m->a[i] * oracle_bit(v, i);
    }
    for (size_t j = 0; j < m->H; j++)
        energy -= oracle_c(m, j) * oracle_bit(h, j);
    return (base ? (1 - beta) * base_energy : 0.0) + beta * energy;
}

/* F_beta of real-valued x in closed form, for derivatives with respect to x. */
static inline double oracle_free_energy_real(const oracle_rbm *m, int base, double beta, const double *x) {
    double energy = 0;
    for (size_t i = 0; i < m->V; i++)
        energy -= ((base ? (1 - beta) * m->a[i] : 0.0) + beta * oracle_b(m, i)) * x[i];
    for (size_t j = 0; j < m->H; j++) {
        double field = oracle_c(m, j);
        for (size_t i = 0; i < m->V; i++)
            field += x[i] * oracle_W(m, i, j);
        double z = beta * field;
        energy -= z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
    }
    return energy;
}

/* log sum_k exp(-energy[k * stride]) */
static inline double oracle_log_sum(const double *energy, size_t count, size_t stride) {
    double least = energy[0], sum = 0;
    for (size_t k = 1; k < count; k++)
        least = fmin(least, energy[k * stride]);
    for (size_t k = 0; k < count; k++)
        sum += exp(least - energy[k * stride]);
    return log(sum) - least;
}

/* The enumerated machine at one point of a path. S = 2^V, R = 2^H. */
typedef struct oracle {
    const oracle_rbm *machine;
    size_t S, R;
    double *joint;       /* (S, R): E_beta(v, h) */
    double *free_energy; /* (S): F_beta(v) */
    double *hidden_free; /* (R): -log sum_v exp(-E_beta(v, h)) */
    double *p;           /* (S): p_beta(v) */
    double log_z;
} oracle;

static inline double *oracle_memory(size_t count) {
    double *memory = calloc(count, sizeof *memory);
    if (!memory)
        abort();
    return memory;
}

static inline oracle oracle_open(const oracle_rbm *m, int base, double beta) {
    oracle o = {.machine = m, .S = (size_t)1 << m->V, .R = (size_t)1 << m->H};
    o.joint = oracle_memory(o.S * o.R);
    o.free_energy = oracle_memory(o.S);
    o.hidden_free = oracle_memory(o.R);
    o.p = oracle_memory(o.S);
    for (size_t v = 0; v < o.S; v++)
        for (size_t h = 0; h < o.R; h++)
            o.joint[v * o.R + h] = oracle_joint_energy(m, base, beta, v, h);
    for (size_t v = 0; v < o.S; v++)
        o.free_energy[v] = -oracle_log_sum(o.joint + v * o.R, o.R, 1);
    for (size_t h = 0; h < o.R; h++)
        o.hidden_free[h] = -oracle_log_sum(o.joint + h, o.S, o.R);
    o.log_z = oracle_log_sum(o.free_energy, o.S, 1);
    for (size_t v = 0; v < o.S; v++)
        o.p[v] = exp(-o.free_energy[v] - o.log_z);
    return o;
}

static inline void oracle_close(oracle *o) {
    free(o->joint);
    free(o->free_energy);
    free(o->hidden_free);
    free(o->p);
    memset(o, 0, sizeof *o);
}

static inline double oracle_hidden_given_visible(const oracle *o, size_t h, size_t v) {
    return exp(o->free_energy[v] - o->joint[v * o->R + h]);
}
static inline double oracle_visible_given_hidden(const oracle *o, size_t v, size_t h) {
    return exp(o->hidden_free[h] - o->joint[v * o->R + h]);
}

static inline double oracle_hidden_mean(const oracle *o, size_t v, size_t j) {
    double mean = 0;
    for (size_t h = 0; h < o->R; h++)
        mean += oracle_bit(h, j) * oracle_hidden_given_visible(o, h, v);
    return mean;
}
static inline double oracle_visible_mean(const oracle *o, size_t h, size_t i) {
    double mean = 0;
    for (size_t v = 0; v < o->S; v++)
        mean += oracle_bit(v, i) * oracle_visible_given_hidden(o, v, h);
    return mean;
}

/* g += weight dF(v)/dtheta = weight sum_h p(h | v) dE(v, h)/dtheta, for an oracle opened at beta = 1. */
static inline void oracle_add_grad(const oracle *o, size_t v, double weight, double *g) {
    const oracle_rbm *m = o->machine;
    for (size_t h = 0; h < o->R; h++) {
        double w = weight * oracle_hidden_given_visible(o, h, v);
        for (size_t i = 0; i < m->V; i++)
            for (size_t j = 0; j < m->H; j++)
                g[i * m->H + j] -= w * oracle_bit(v, i) * oracle_bit(h, j);
        for (size_t i = 0; i < m->V; i++)
            g[m->V * m->H + i] -= w * oracle_bit(v, i);
        for (size_t j = 0; j < m->H; j++)
            g[m->V * m->H + m->V + j] -= w * oracle_bit(h, j);
    }
}

/* g = sum_v law(v) dF(v)/dtheta */
static inline void oracle_expected_grad(const oracle *o, const double *law, double *g) {
    memset(g, 0, oracle_n_theta(o->machine) * sizeof *g);
    for (size_t v = 0; v < o->S; v++)
        oracle_add_grad(o, v, law[v], g);
}

/* T (S, S): one sweep of block Gibbs, T[v][w] = sum_h p(h | v) p(w | h). */
static inline void oracle_kernel(const oracle *o, double *T) {
    for (size_t v = 0; v < o->S; v++)
        for (size_t w = 0; w < o->S; w++) {
            double sum = 0;
            for (size_t h = 0; h < o->R; h++)
                sum += oracle_hidden_given_visible(o, h, v) * oracle_visible_given_hidden(o, w, h);
            T[v * o->S + w] = sum;
        }
}

/* law (S) := law T^steps */
static inline void oracle_advance(size_t S, const double *T, size_t steps, double *law) {
    double *next = oracle_memory(S);
    for (size_t t = 0; t < steps; t++) {
        for (size_t w = 0; w < S; w++) {
            next[w] = 0;
            for (size_t v = 0; v < S; v++)
                next[w] += law[v] * T[v * S + w];
        }
        memcpy(law, next, S * sizeof *law);
    }
    free(next);
}

/* Mean of log p(v) over the given states. */
static inline double oracle_log_likelihood(const oracle *o, const size_t *codes, size_t count) {
    double sum = 0;
    for (size_t k = 0; k < count; k++)
        sum += -o->free_energy[codes[k]] - o->log_z;
    return sum / (double)count;
}

#endif
