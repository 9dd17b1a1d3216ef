/* Checks of every slot of a Boltzmann machine against plain sums (boltzmann_fixture.h). Each returns its worst distance
 * in units of the allowed error: at most 1 for a correct model, above 1 for one with a planted error. */
#ifndef TESTS_BOLTZMANN_CHECKS_H
#define TESTS_BOLTZMANN_CHECKS_H

#include "boltzmann_fixture.h"

static const struct {
    int base;
    double beta;
} paths[] = {{0, 0.0}, {0, 0.3}, {0, 1.0}, {0, 2.5}, {1, 0.0}, {1, 0.3}, {1, 1.0}};
enum { PATHS = sizeof paths / sizeof paths[0] };

/* f_i of a state, plainly. */
static double field_of(const boltzmann *m, const ebm_real *x, size_t i) {
    double f = m->b[i];
    for (size_t j = 0; j < m->V; j++)
        f += m->w[i][j] * (double)x[j];
    return f;
}

static double worst_field(const boltzmann *m, const ebm_batch *batch, double bound) {
    double worst = 0;
    for (size_t s = 0; s < batch->count; s++)
        for (size_t i = 0; i < m->V; i++)
            worst = fmax(worst, rbm_distance(batch->field[s * m->V + i], field_of(m, batch->x + s * m->V, i), bound));
    return worst;
}

static double check_field(boltzmann *m) {
    ebm_batch batch = boltzmann_all_states(m);
    const double worst = worst_field(m, &batch, boltzmann_bound(m));
    ebm_batch_free(&batch);
    return worst;
}

/* Another unit flipped in each state. */
static double check_site_changed(boltzmann *m) {
    ebm_batch batch = boltzmann_all_states(m);
    ebm_real *before = calloc(batch.count, sizeof *before);
    uint32_t *units = calloc(batch.count, sizeof *units);
    double worst = 0;
    for (size_t i = 0; i < m->V; i++) {
        for (size_t s = 0; s < batch.count; s++) {
            units[s] = (uint32_t)((i + s) % m->V);
            ebm_real *unit = batch.x + s * m->V + units[s];
            before[s] = *unit;
            *unit = (m->spin ? 0 : 1) - *unit;
        }
        m->model.type->site_changed(&m->model, &batch, units, before, m->work);
        worst = fmax(worst, worst_field(m, &batch, 2 * boltzmann_bound(m)));
    }
    free(units);
    free(before);
    ebm_batch_free(&batch);
    return worst;
}

static double check_energy(boltzmann *m) {
    ebm_batch batch = boltzmann_all_states(m);
    double *energy = oracle_memory(m->S), worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        m->model.type->energy(&m->model, boltzmann_path(m, paths[k].base, paths[k].beta), &batch, energy, m->work);
        for (size_t s = 0; s < m->S; s++)
            worst = fmax(worst, rbm_distance(energy[s], boltzmann_energy(m, paths[k].base, paths[k].beta, s),
                                             fmax(1, paths[k].beta) * boltzmann_bound(m)));
    }
    free(energy);
    ebm_batch_free(&batch);
    return worst;
}

/* Also between close temperatures: the error is in proportion to the difference of beta. */
static double check_energy_difference(boltzmann *m) {
    static const double steps[][2] = {{0, 1}, {0.3, 0.301}, {0.999, 1}, {1, 0.9999}};
    ebm_batch batch = boltzmann_all_states(m);
    double *got = oracle_memory(m->S), worst = 0;
    for (size_t k = 0; k < 8; k++) {
        const int base = (int)(k / 4);
        const double from = steps[k % 4][0], to = steps[k % 4][1];
        m->model.type->energy_difference(&m->model, boltzmann_path(m, base, from), boltzmann_path(m, base, to), &batch,
                                         got, m->work);
        for (size_t s = 0; s < m->S; s++) {
            const double want = (to - from) * (boltzmann_energy(m, 0, 1, s) - boltzmann_energy(m, base, 0, s));
            worst = fmax(worst, rbm_distance(got[s], want, fabs(to - from) * boltzmann_bound(m)));
        }
    }
    free(got);
    ebm_batch_free(&batch);
    return worst;
}

/* log P(up | rest) - log P(down | rest) = E(unit down) - E(unit up) */
static double check_site(boltzmann *m) {
    ebm_batch batch = boltzmann_all_states(m);
    ebm_real *logit = calloc(m->S, sizeof *logit);
    uint32_t *units = calloc(m->S, sizeof *units);
    double worst = 0;
    for (size_t k = 0; k < PATHS; k++)
        for (size_t i = 0; i < m->V; i++) {
            const int base = paths[k].base;
            const double beta = paths[k].beta;
            const size_t bit = (size_t)1 << i;
            for (size_t s = 0; s < m->S; s++)
                units[s] = (uint32_t)i;
            m->model.type->site(&m->model, boltzmann_path(m, base, beta), &batch, units, logit, m->work);
            for (size_t s = 0; s < m->S; s++) {
                const double want =
                    boltzmann_energy(m, base, beta, s & ~bit) - boltzmann_energy(m, base, beta, s | bit);
                worst = fmax(worst, rbm_distance(logit[s], want, 2 * fmax(1, beta) * boltzmann_bound(m)));
            }
        }
    free(units);
    free(logit);
    ebm_batch_free(&batch);
    return worst;
}

/* E is quadratic, so its central difference at any step is its derivative. */
static double check_grad_x(boltzmann *m) {
    ebm_batch batch = boltzmann_all_states(m);
    ebm_real *grad = calloc(m->S * m->V, sizeof *grad);
    double worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        m->model.type->grad_x(&m->model, boltzmann_path(m, paths[k].base, paths[k].beta), &batch, grad, m->work);
        for (size_t s = 0; s < m->S; s++)
            for (size_t i = 0; i < m->V; i++) {
                double x[BOLTZMANN_UNITS], side[2];
                for (int up = 0; up < 2; up++) {
                    for (size_t j = 0; j < m->V; j++)
                        x[j] = boltzmann_value(m, s, j) + (j == i ? (up ? 0.5 : -0.5) : 0);
                    side[up] = boltzmann_energy_at(m, paths[k].base, paths[k].beta, x);
                }
                worst = fmax(worst, rbm_distance(grad[s * m->V + i], side[1] - side[0],
                                                 fmax(1, paths[k].beta) * boltzmann_bound(m)));
            }
    }
    free(grad);
    ebm_batch_free(&batch);
    return worst;
}

static double check_log_base_normaliser(boltzmann *m) {
    double *p = oracle_memory(m->S), worst = 0;
    for (int base = 0; base < 2; base++) {
        const double got = m->model.type->log_base_normaliser(&m->model, base ? &m->base : NULL);
        worst = fmax(worst, rbm_distance(got, boltzmann_law(m, base, 0, p), boltzmann_bound(m)));
    }
    free(p);
    return worst;
}

/* In double in both builds: V + 16 roundings of energies of at most M in the library and as many here, and of 2^V terms
 * each within its block: 4 (V + 16) 2^-53 M with M as in boltzmann_bound, at least 1. */
static double double_bound(const boltzmann *m) {
    return 4 * (boltzmann_bound(m) / UNIT_ROUNDOFF + (double)m->V + 16) * 0x1p-53;
}

static double check_log_normaliser(boltzmann *m) {
    double *p = oracle_memory(m->S), worst = 0, got;
    for (size_t k = 0; k < PATHS; k++) {
        const double want = boltzmann_law(m, paths[k].base, paths[k].beta, p);
        CHECK_OK(m->model.type->log_normaliser(&m->model, boltzmann_path(m, paths[k].base, paths[k].beta), &got,
                                               m->work, error));
        worst = fmax(worst, fabs(got - want) / (fmax(1, paths[k].beta) * double_bound(m)));
    }
    free(p);
    return isnan(worst) ? INFINITY : worst;
}

/* g += weight dE/dtheta of one state, by E = -x^T W x / 2 - b . x: half of a coupling's derivative in each half of W. */
static void add_grad(const boltzmann *m, size_t code, double weight, double *g) {
    const size_t V = m->V;
    for (size_t i = 0; i < V; i++) {
        for (size_t j = 0; j < V; j++)
            g[i * V + j] -= i == j ? 0 : 0.5 * weight * boltzmann_value(m, code, i) * boltzmann_value(m, code, j);
        g[V * V + i] -= weight * boltzmann_value(m, code, i);
    }
}

/* grad += scale sum_b weight_b dE(x_b)/dtheta, on top of what it held; W's part symmetric to the bit, its diagonal
 * untouched. A sum of S terms in ebm_real: (S + 8) u sum |terms|. */
static double check_grad_theta(boltzmann *m) {
    ebm_batch batch = boltzmann_all_states(m);
    const size_t V = m->V, n = m->model.n_theta;
    ebm_real *grad = calloc(n, sizeof *grad), *weight = calloc(m->S, sizeof *weight);
    double *want = oracle_memory(n), worst = 0;
    test_random r = {7};
    for (int weighted = 0; weighted < 2; weighted++) {
        const double scale = weighted ? -0.375 : 1.0 / (double)m->S;
        double total = 1;
        for (size_t k = 0; k < n; k++) {
            grad[k] = (ebm_real)0.25;
            want[k] = 0.25;
        }
        for (size_t s = 0; s < m->S; s++) {
            weight[s] = (ebm_real)(weighted ? test_random_uniform(&r) : 1);
            total += fabs(scale * (double)weight[s]);
            add_grad(m, s, scale * (double)weight[s], want);
        }
        m->model.type->grad_theta(&m->model, &batch, weighted ? weight : NULL, scale, grad, m->work);
        for (size_t k = 0; k < n; k++)
            worst = fmax(worst, rbm_distance(grad[k], want[k], total * ((double)m->S + 8) * UNIT_ROUNDOFF));
        for (size_t i = 0; i < V; i++)
            for (size_t j = 0; j < V; j++)
                worst = grad[i * V + j] == (i == j ? (ebm_real)0.25 : grad[j * V + i]) ? worst : INFINITY;
    }
    free(want);
    free(grad);
    free(weight);
    ebm_batch_free(&batch);
    return worst;
}

/* Sums in double: probabilities off by a factor exp(+-2 double_bound), and one rounding to ebm_real in the end. */
static double check_expected_grad_theta(boltzmann *m) {
    const size_t V = m->V, n = m->model.n_theta;
    ebm_real *grad = calloc(n, sizeof *grad);
    double *p = oracle_memory(m->S), *want = oracle_memory(n), log_z = NAN, worst = 0;
    const double want_z = boltzmann_law(m, 0, 1, p), bound = 2 * expm1(4 * double_bound(m)) + 4 * UNIT_ROUNDOFF;
    for (size_t k = 0; k < n; k++) {
        grad[k] = (ebm_real)0.5;
        want[k] = 0.5;
    }
    for (size_t s = 0; s < m->S; s++)
        add_grad(m, s, -2 * p[s], want);
    CHECK_OK(m->model.type->expected_grad_theta(&m->model, -2.0, grad, &log_z, m->work, error));
    for (size_t k = 0; k < n; k++)
        worst = fmax(worst, fabs((double)grad[k] - want[k]) / bound);
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < V; j++)
            worst = grad[i * V + j] == (i == j ? (ebm_real)0.5 : grad[j * V + i]) ? worst : INFINITY;
    worst = fmax(worst, fabs(log_z - want_z) / double_bound(m));
    free(p);
    free(want);
    free(grad);
    return isnan(worst) ? INFINITY : worst;
}

static const struct {
    const char *name;
    double (*worst)(boltzmann *m);
} checks[] = {{"field", check_field},
              {"site_changed", check_site_changed},
              {"energy", check_energy},
              {"energy_difference", check_energy_difference},
              {"site", check_site},
              {"grad_x", check_grad_x},
              {"log_base_normaliser", check_log_base_normaliser},
              {"log_normaliser", check_log_normaliser},
              {"grad_theta", check_grad_theta},
              {"expected_grad_theta", check_expected_grad_theta}};
enum { CHECKS = sizeof checks / sizeof checks[0] };

#endif
