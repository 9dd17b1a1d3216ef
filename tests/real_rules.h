/* Metropolis-Hastings on real spaces as the books define it, in plain loops: where a step goes with standard normals z, and
 * the acceptance probability. With g = beta grad E:
 *   walk         y = x + s z                           a = min(1, exp(E(x) - E(y)))
 *   independence y = m + s z                           a = min(1, exp(E(x) - E(y)) q(x) / q(y)),  q normal
 *   ula          y = x - eta g(x) + sqrt(2 eta) z      a = 1
 *   mala         the same y                            a = min(1, exp(E(x) - E(y)) q(x | y) / q(y | x)),
 *                                                      log q(y | x) = -|y - x + eta g(x)|^2 / (4 eta)
 *   hmc          (y, p) by L leapfrog steps of eps from (x, z):  p -= eps/2 g, L times (x += eps p, p -= eps g), the last
 *                half                                  a = min(1, exp(E(x) + |z|^2/2 - E(y) - |p|^2/2))
 * (Robert & Casella 2004, chapter 7; Roberts & Tweedie 1996; Neal 2011.)
 *
 * Of it: the law of one step from a given x on one unit, by the midpoint rule over z, against real steps by chi^2; and a
 * sampler that steps so, with or without a mistake, to try the battery on. */
#ifndef TESTS_REAL_RULES_H
#define TESTS_REAL_RULES_H

#include "real_battery.h"

typedef enum rule_kind { RULE_WALK, RULE_INDEPENDENCE, RULE_ULA, RULE_MALA, RULE_HMC } rule_kind;

typedef enum rule_mistake {
    SOUND,
    NO_PROPOSAL_RATIO,      /* mala, independence: a = min(1, exp(E(x) - E(y))) */
    HALF_THE_NOISE,         /* ula, mala: sqrt(eta) z */
    NO_LAST_HALF_KICK,      /* hmc: the momentum stays half a step behind */
    NO_KINETIC_ENERGY,      /* hmc: a = min(1, exp(E(x) - E(y))) */
    ALWAYS_ACCEPTED,        /* any */
    SCALE_OF_STATE,         /* walk: s (1 + |x|) / 2 */
    SAME_NUMBERS_TWICE,     /* any: the acceptance is decided by the numbers that the proposal is made of */
    SAME_NUMBERS_EVERY_STEP /* any: steps of a call share their numbers */
} rule_mistake;

typedef struct rule {
    rule_kind kind;
    double step; /* s, eta or eps */
    size_t leaps;
    double mean; /* of independence */
    rule_mistake mistake;
} rule;

/* beta E(x) and its gradient. */
static inline double rule_energy(const target *t, double beta, const double *x, double *g) {
    const double energy = beta * target_energy(t, x, g);
    for (size_t i = 0; i < t->units; i++)
        g[i] *= beta;
    return energy;
}

static inline double rule_leapfrog(const rule *r, const target *t, double beta, const double *z, double *y) {
    double g[TARGET_UNITS], p[TARGET_UNITS], kinetic = 0, energy = rule_energy(t, beta, y, g);
    for (size_t i = 0; i < t->units; i++) {
        kinetic += z[i] * z[i] / 2;
        p[i] = z[i] - r->step / 2 * g[i];
    }
    const double before = energy + kinetic;
    for (size_t l = 1; l <= r->leaps; l++) {
        for (size_t i = 0; i < t->units; i++)
            y[i] += r->step * p[i];
        energy = rule_energy(t, beta, y, g);
        for (size_t i = 0; i < t->units; i++)
            p[i] -= l < r->leaps ? r->step * g[i] : r->mistake == NO_LAST_HALF_KICK ? 0 : r->step / 2 * g[i];
    }
    if (r->mistake == NO_KINETIC_ENERGY)
        return before - kinetic - energy;
    for (size_t i = 0; i < t->units; i++)
        energy += p[i] * p[i] / 2;
    return before - energy;
}

/* log q(y | x) - log q(x | y) of Langevin proposals, whose drift is -eta g. */
static inline double rule_drift_ratio(const rule *r, size_t V, const double *x, const double *gx, const double *y,
                                      const double *gy) {
    double forth = 0, back = 0;
    for (size_t i = 0; i < V; i++) {
        forth += (y[i] - x[i] + r->step * gx[i]) * (y[i] - x[i] + r->step * gx[i]);
        back += (x[i] - y[i] + r->step * gy[i]) * (x[i] - y[i] + r->step * gy[i]);
    }
    return (back - forth) / (4 * r->step);
}

/* y (units) of x and z; returns the acceptance probability. */
static inline double rule_propose(const rule *r, const target *t, double beta, const double *x, const double *z,
                                  double *y) {
    double gx[TARGET_UNITS], gy[TARGET_UNITS], log_a = 0, squares = 0;
    const double before = rule_energy(t, beta, x, gx);
    const bool langevin = r->kind == RULE_ULA || r->kind == RULE_MALA;
    const double noise = !langevin ? r->step : sqrt((r->mistake == HALF_THE_NOISE ? 1 : 2) * r->step);
    for (size_t i = 0; i < t->units; i++)
        squares += x[i] * x[i];
    for (size_t i = 0; i < t->units; i++)
        if (r->kind == RULE_INDEPENDENCE)
            y[i] = r->mean + noise * z[i];
        else if (r->kind == RULE_HMC)
            y[i] = x[i];
        else
            y[i] = x[i] - (langevin ? r->step * gx[i] : 0) +
                   noise * z[i] * (r->mistake == SCALE_OF_STATE ? (1 + sqrt(squares)) / 2 : 1);
    if (r->kind == RULE_HMC) {
        log_a = rule_leapfrog(r, t, beta, z, y);
    } else {
        log_a = before - rule_energy(t, beta, y, gy);
        if (r->kind == RULE_MALA && r->mistake != NO_PROPOSAL_RATIO)
            log_a -= rule_drift_ratio(r, t->units, x, gx, y, gy);
        for (size_t i = 0; i < t->units && r->kind == RULE_INDEPENDENCE && r->mistake != NO_PROPOSAL_RATIO; i++)
            log_a += (z[i] * z[i] - (x[i] - r->mean) * (x[i] - r->mean) / (r->step * r->step)) / 2;
    }
    if (r->kind == RULE_ULA || r->mistake == ALWAYS_ACCEPTED)
        return 1;
    return isnan(log_a) ? 0 : fmin(1, exp(log_a));
}

/* ---- One step on one unit, by quadrature ---- */

enum { RULE_NODES = 20001, RULE_CELLS = 24 };

/* Edges of cells that proposals fall into about equally often, and the law of one step from x over them; the last cell is
 * staying at x. Rules in `mix` (rules of them) are taken with equal probability. */
typedef struct rule_law {
    double edge[RULE_CELLS - 1], p[RULE_CELLS + 1];
} rule_law;

typedef struct rule_node {
    double y, weight, a;
} rule_node;

static inline int rule_ascending(const void *a, const void *b) {
    const double x = ((const rule_node *)a)->y, y = ((const rule_node *)b)->y;
    return (x > y) - (x < y);
}

static inline rule_law rule_law_from(const rule *mix, size_t rules, const target *t, double beta, double x) {
    const double reach = 8.5, h = 2 * reach / RULE_NODES;
    const size_t n = rules * RULE_NODES;
    rule_node *node = calloc(n, sizeof *node);
    rule_law law = {0};
    double total = 0, below = 0;
    size_t cell = 0;
    ck_assert_ptr_nonnull(node);
    for (size_t k = 0; k < n; k++) {
        const double z = -reach + h * ((double)(k % RULE_NODES) + 0.5);
        node[k].a = rule_propose(&mix[k / RULE_NODES], t, beta, &x, &z, &node[k].y);
        node[k].weight = exp(-z * z / 2);
        total += node[k].weight;
    }
    qsort(node, n, sizeof *node, rule_ascending);
    for (size_t k = 0; k < n; k++) {
        while (cell < RULE_CELLS - 1 && below >= total * (double)(cell + 1) / RULE_CELLS)
            law.edge[cell++] = (node[k - 1].y + node[k].y) / 2;
        below += node[k].weight;
        law.p[cell] += node[k].weight * node[k].a / total;
        law.p[RULE_CELLS] += node[k].weight * (1 - node[k].a) / total;
    }
    free(node);
    return law;
}

static inline size_t rule_cell(const rule_law *law, ebm_real from, ebm_real to) {
    size_t cell = 0;
    if (to == from)
        return RULE_CELLS;
    while (cell < RULE_CELLS - 1 && (double)to > law->edge[cell])
        cell++;
    return cell;
}

/* One real step from each of a few states of the target, against the rule: Pearson's statistic over what it passes with
 * probability c->alarm. */
static inline double rule_excess(const real_case *c, const rule *mix, size_t rules, uint32_t seed) {
    static const double starts[] = {0.03, 0.3, 0.5, 0.8, 0.97};
    target_law law = target_law_open(c->target, c->path.beta);
    chi_square chi = {0, 0};
    ebm_chains chains;
    CHECK_OK(ebm_chains_create(c->model, c->rows, ebm_stream_of(seed, EBM_PURPOSE_ESTIMATE), &chains, error));
    for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
        double counts[RULE_CELLS + 1] = {0};
        const ebm_real x = (ebm_real)(law.cdf ? law_quantile(&law, starts[s]) : 2.5 * (2 * starts[s] - 1));
        const rule_law want = rule_law_from(mix, rules, c->target, c->path.beta, (double)x);
        for (size_t b = 0; b < c->rows; b++)
            chains.batch.x[b] = x;
        chains.batch.field_ok = false;
        CHECK_OK(ebm_sampler_attach(c->sampler, c->model, &chains, error));
        CHECK_OK(real_step(c, &chains, 1, error));
        for (size_t b = 0; b < c->rows; b++)
            counts[rule_cell(&want, x, chains.batch.x[b])]++;
        chi_square_row(&chi, RULE_CELLS + 1, want.p, counts);
    }
    ebm_chains_free(&chains);
    target_law_close(&law);
    return chi.statistic / real_limit(chi.degrees, c->alarm);
}

/* ---- A sampler of the rules ---- */

static ebm_status rule_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                            size_t steps, ebm_work *work, ebm_error *error) {
    const rule *r = sampler->options;
    const target *t = model->state;
    (void)work, (void)error;
    for (size_t s = 0; s < steps; s++)
        for (size_t b = 0; b < chains->batch.count; b++) {
            const uint32_t chain = chains->first_chain + (uint32_t)b;
            const uint64_t step = chains->step + (r->mistake == SAME_NUMBERS_EVERY_STEP ? 0 : s);
            double x[TARGET_UNITS], y[TARGET_UNITS], z[TARGET_UNITS];
            for (size_t i = 0; i < t->units; i++) {
                x[i] = (double)chains->batch.x[b * t->units + i];
                z[i] = ebm_random_normal1(chains->stream, chain, step, 2 * (uint32_t)i);
            }
            const double a = rule_propose(r, t, path.beta, x, z, y);
            const uint32_t index = r->mistake == SAME_NUMBERS_TWICE ? 0 : 2 * TARGET_UNITS;
            if (ebm_random_uniform1(chains->stream, chain, step, index) < a)
                for (size_t i = 0; i < t->units; i++)
                    chains->batch.x[b * t->units + i] = (ebm_real)y[i];
        }
    chains->step += steps;
    chains->batch.field_ok = chains->batch.hidden_ok = false;
    return EBM_OK;
}

static const ebm_sampler_type rule_sampler = {
    .info = {"rule", "a rule of the tests", "", target_options, 0},
    .domains = 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = true,
    .step = rule_step,
};

#endif
