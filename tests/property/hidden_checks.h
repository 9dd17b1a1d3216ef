/* Each slot of the Boltzmann machine with hidden units against plain sums: the worst error in units of what is allowed. */
#ifndef TESTS_HIDDEN_CHECKS_H
#define TESTS_HIDDEN_CHECKS_H

#include "hidden_fixture.h"

static const struct {
    int base;
    double beta;
} paths[] = {{0, 0}, {0, 0.3}, {0, 1}, {0, 1.7}, {1, 0}, {1, 0.3}, {1, 1}};
enum { PATHS = sizeof paths / sizeof *paths };

/* Fields of x against f_i = b_i + sum over visible j of w_ij x_j. */
static double worst_field(const hidden_machine *m, const ebm_batch *batch, double bound) {
    double worst = 0;
    for (size_t s = 0; s < batch->count; s++)
        for (size_t i = 0; i < m->N; i++) {
            double want = m->b[i];
            for (size_t j = 0; j < m->V; j++)
                want += m->w[i][j] * (double)batch->x[s * m->V + j];
            worst = fmax(worst, rbm_distance(batch->field[s * m->N + i], want, bound));
        }
    return worst;
}

static double check_field(hidden_machine *m) {
    ebm_batch batch = hidden_states(m, false);
    const double worst = worst_field(m, &batch, hidden_bound(m));
    ebm_batch_free(&batch);
    return worst;
}

static double check_site_changed(hidden_machine *m) {
    ebm_batch batch = hidden_states(m, false);
    uint32_t *units = calloc(m->S, sizeof *units);
    ebm_real *before = calloc(m->S, sizeof *before);
    double worst = 0;
    for (size_t i = 0; i < m->V; i++) {
        for (size_t s = 0; s < m->S; s++) {
            units[s] = (uint32_t)((i + s) % m->V);
            ebm_real *unit = batch.x + s * m->V + units[s];
            before[s] = *unit;
            *unit = (m->spin ? 0 : 1) - *unit;
        }
        m->model.type->site_changed(&m->model, &batch, units, before, m->work);
        worst = fmax(worst, worst_field(m, &batch, 2 * hidden_bound(m)));
    }
    free(units);
    free(before);
    ebm_batch_free(&batch);
    return worst;
}

static double check_energy(hidden_machine *m) {
    ebm_batch batch = hidden_states(m, false);
    double *energy = oracle_memory(m->S), worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        m->model.type->energy(&m->model, hidden_path(m, paths[k].base, paths[k].beta), &batch, energy, m->work);
        for (size_t s = 0; s < m->S; s++)
            worst = fmax(worst, rbm_distance(energy[s], hidden_free(m, paths[k].base, paths[k].beta, s),
                                             fmax(1, paths[k].beta) * hidden_bound(m)));
    }
    free(energy);
    ebm_batch_free(&batch);
    return worst;
}

static double check_joint_energy(hidden_machine *m) {
    ebm_batch batch = hidden_states(m, true);
    double *energy = oracle_memory(batch.count), worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        m->model.type->joint_energy(&m->model, hidden_path(m, paths[k].base, paths[k].beta), &batch, energy, m->work);
        for (size_t s = 0; s < batch.count; s++)
            worst = fmax(worst, rbm_distance(energy[s], hidden_joint(m, paths[k].base, paths[k].beta, s),
                                             fmax(1, paths[k].beta) * hidden_bound(m)));
    }
    free(energy);
    ebm_batch_free(&batch);
    return worst;
}

/* Also between close temperatures: a field that is off by d moves the difference by (to m_to - from m_from) d, where the
 * means m of h differ by at most |to - from| times the range of w(h), at most 2 M: the error is in proportion to the
 * difference of beta. The two free energies of the reference are each off by some 2^-53 of their size. */
static double check_energy_difference(hidden_machine *m) {
    static const double steps[][2] = {{0, 1}, {0.3, 0.301}, {0.999, 1}, {1, 0.9999}};
    ebm_batch batch = hidden_states(m, false);
    double *got = oracle_memory(m->S), worst = 0;
    const double M = hidden_bound(m) / UNIT_ROUNDOFF / ((double)m->N + 16);
    for (size_t k = 0; k < 8; k++) {
        const int base = (int)(k / 4);
        const double from = steps[k % 4][0], to = steps[k % 4][1];
        m->model.type->energy_difference(&m->model, hidden_path(m, base, from), hidden_path(m, base, to), &batch, got,
                                         m->work);
        for (size_t s = 0; s < m->S; s++) {
            const double want = hidden_free(m, base, to, s) - hidden_free(m, base, from, s);
            const double reference = 0x1p-50 * hidden_bound(m) / UNIT_ROUNDOFF;
            const double share = fmin(fabs(to - from) * (1 + 2 * M), 2);
            worst = fmax(worst, rbm_distance(got[s], want, share * hidden_bound(m) + reference));
        }
    }
    free(got);
    ebm_batch_free(&batch);
    return worst;
}

/* log P(up | rest) - log P(down | rest) = F(unit down) - F(unit up) */
static double check_site(hidden_machine *m) {
    ebm_batch batch = hidden_states(m, false);
    ebm_real *logit = calloc(m->S, sizeof *logit);
    uint32_t *units = calloc(m->S, sizeof *units);
    double worst = 0;
    for (size_t k = 0; k < PATHS; k++)
        for (size_t i = 0; i < m->V; i++) {
            const size_t bit = (size_t)1 << i;
            for (size_t s = 0; s < m->S; s++)
                units[s] = (uint32_t)i;
            m->model.type->site(&m->model, hidden_path(m, paths[k].base, paths[k].beta), &batch, units, logit, m->work);
            for (size_t s = 0; s < m->S; s++) {
                const double want = hidden_free(m, paths[k].base, paths[k].beta, s & ~bit) -
                                    hidden_free(m, paths[k].base, paths[k].beta, s | bit);
                worst = fmax(worst, rbm_distance(logit[s], want, 2 * fmax(1, paths[k].beta) * hidden_bound(m)));
            }
        }
    free(units);
    free(logit);
    ebm_batch_free(&batch);
    return worst;
}

/* mean (H) of h at x and beta; second (H, H), where it is not NULL, of h h^T. */
static void conditional_moments(const hidden_machine *m, double beta, size_t x, double *mean, double *second) {
    const double free_energy = hidden_free(m, 0, beta, x);
    for (size_t j = 0; j < m->H; j++)
        mean[j] = 0;
    for (size_t k = 0; second && k < m->H * m->H; k++)
        second[k] = 0;
    for (size_t h = 0; h < m->R; h++) {
        const double p = exp(free_energy - hidden_joint(m, 0, beta, x | h << m->V));
        for (size_t j = 0; j < m->H; j++) {
            mean[j] += p * hidden_value(m, h, j);
            for (size_t k = 0; second && k < m->H; k++)
                second[j * m->H + k] += p * hidden_value(m, h, j) * hidden_value(m, h, k);
        }
    }
}

/* Of a probability whose energies are off by one bound each, and of its one rounding. */
static double probability_bound(const hidden_machine *m) {
    return 2 * expm1(2 * hidden_bound(m)) + 4 * UNIT_ROUNDOFF;
}

static double check_hidden_means(hidden_machine *m) {
    ebm_batch batch = hidden_states(m, false);
    ebm_real *got = calloc(m->S * m->H + 1, sizeof *got);
    double mean[HIDDEN_UNITS], worst = 0;
    m->model.type->hidden_means(&m->model, &batch, got, m->work);
    for (size_t s = 0; s < m->S; s++) {
        conditional_moments(m, 1, s, mean, NULL);
        for (size_t j = 0; j < m->H; j++)
            worst = fmax(worst, rbm_distance(got[s * m->H + j], mean[j], probability_bound(m)));
    }
    free(got);
    ebm_batch_free(&batch);
    return worst;
}

/* Of E extended to real x: the visible part is quadratic, its derivative linear, and the hidden part's is a conditional
 * mean. dF/dx_i = -(1 - beta) a_i - beta (b_i + sum_j w_ij E[y_j | x]) by plain sums. */
static double check_grad_x(hidden_machine *m) {
    ebm_batch batch = hidden_states(m, false);
    ebm_real *grad = calloc(m->S * m->V, sizeof *grad);
    double mean[HIDDEN_UNITS], worst = 0, largest = 1;
    for (size_t i = 0; i < m->V; i++)
        for (size_t j = m->V; j < m->N; j++)
            largest += fabs(m->w[i][j]);
    for (size_t k = 0; k < PATHS; k++) {
        const double beta = paths[k].beta;
        m->model.type->grad_x(&m->model, hidden_path(m, paths[k].base, beta), &batch, grad, m->work);
        for (size_t s = 0; s < m->S; s++) {
            conditional_moments(m, beta, s, mean, NULL);
            for (size_t i = 0; i < m->V; i++) {
                double want = -beta * m->b[i] - (paths[k].base ? (1 - beta) * m->a[i] : 0);
                for (size_t j = 0; j < m->N; j++)
                    want -= beta * m->w[i][j] * (j < m->V ? hidden_value(m, s, j) : mean[j - m->V]);
                worst = fmax(worst, rbm_distance(grad[s * m->V + i], want,
                                                 fmax(1, beta) * (hidden_bound(m) + largest * probability_bound(m))));
            }
        }
    }
    free(grad);
    ebm_batch_free(&batch);
    return worst;
}

/* In double in both builds: as double_bound of boltzmann_checks.h. */
static double double_bound(const hidden_machine *m) {
    return 4 * (hidden_bound(m) / UNIT_ROUNDOFF + (double)m->N + 16) * 0x1p-53;
}

static double check_log_base_normaliser(hidden_machine *m) {
    double *p = oracle_memory(m->S * m->R), worst = 0;
    for (int base = 0; base < 2; base++) {
        const double got = m->model.type->log_base_normaliser(&m->model, base ? &m->base : NULL);
        worst = fmax(worst, rbm_distance(got, hidden_law(m, base, 0, p), hidden_bound(m)));
    }
    free(p);
    return worst;
}

static double check_log_normaliser(hidden_machine *m) {
    double *p = oracle_memory(m->S * m->R), worst = 0, got;
    for (size_t k = 0; k < PATHS; k++) {
        const double want = hidden_law(m, paths[k].base, paths[k].beta, p);
        CHECK_OK(m->model.type->log_normaliser(&m->model, hidden_path(m, paths[k].base, paths[k].beta), &got, m->work,
                                               error));
        worst = fmax(worst, fabs(got - want) / (fmax(1, paths[k].beta) * double_bound(m)));
    }
    free(p);
    return isnan(worst) ? INFINITY : worst;
}

/* g += weight dE/dtheta of (x, h), half of a coupling's derivative in each half of W. */
static void add_joint_grad(const hidden_machine *m, size_t code, double weight, double *g) {
    const size_t N = m->N;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++)
            g[i * N + j] -= i == j ? 0 : 0.5 * weight * hidden_value(m, code, i) * hidden_value(m, code, j);
        g[N * N + i] -= weight * hidden_value(m, code, i);
    }
}

/* The same in the mean over h given x: the clamped phase by conditional enumeration. */
static void add_free_grad(const hidden_machine *m, size_t x, double weight, double *g) {
    const double free_energy = hidden_free(m, 0, 1, x);
    for (size_t h = 0; h < m->R; h++) {
        const size_t code = x | h << m->V;
        add_joint_grad(m, code, weight * exp(free_energy - hidden_joint(m, 0, 1, code)), g);
    }
}

/* grad += scale sum_b weight_b dF/dtheta (or of E at the hidden states), on top of what it held; W's part symmetric to
 * the bit, its diagonal untouched. A sum of B terms in ebm_real, and the error of the conditional probabilities. */
static double check_gradient(hidden_machine *m, bool joint) {
    ebm_batch batch = hidden_states(m, joint);
    const size_t N = m->N, n = m->model.n_theta, B = batch.count;
    ebm_real *grad = calloc(n, sizeof *grad), *weight = calloc(B, sizeof *weight);
    double *want = oracle_memory(n), worst = 0;
    test_random r = {7};
    for (int weighted = 0; weighted < 2; weighted++) {
        const double scale = weighted ? -0.375 : 1.0 / (double)B;
        double total = 1;
        for (size_t k = 0; k < n; k++) {
            grad[k] = (ebm_real)0.25;
            want[k] = 0.25;
        }
        for (size_t s = 0; s < B; s++) {
            weight[s] = (ebm_real)(weighted ? test_random_uniform(&r) : 1);
            total += fabs(scale * (double)weight[s]);
            (joint ? add_joint_grad : add_free_grad)(m, s, scale * (double)weight[s], want);
        }
        (joint ? m->model.type->joint_grad_theta
               : m->model.type->grad_theta)(&m->model, &batch, weighted ? weight : NULL, scale, grad, m->work);
        const double bound = total * (((double)B + 8) * UNIT_ROUNDOFF + probability_bound(m));
        for (size_t k = 0; k < n; k++)
            worst = fmax(worst, rbm_distance(grad[k], want[k], bound));
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < N; j++)
                worst = grad[i * N + j] == (i == j ? (ebm_real)0.25 : grad[j * N + i]) ? worst : INFINITY;
    }
    free(want);
    free(grad);
    free(weight);
    ebm_batch_free(&batch);
    return worst;
}
static double check_grad_theta(hidden_machine *m) {
    return check_gradient(m, false);
}
static double check_joint_grad_theta(hidden_machine *m) {
    return check_gradient(m, true);
}

static double check_expected_grad_theta(hidden_machine *m) {
    const size_t N = m->N, n = m->model.n_theta;
    ebm_real *grad = calloc(n, sizeof *grad);
    double *p = oracle_memory(m->S * m->R), *want = oracle_memory(n), log_z = NAN, worst = 0;
    const double want_z = hidden_law(m, 0, 1, p), bound = 2 * expm1(4 * double_bound(m)) + 4 * UNIT_ROUNDOFF;
    for (size_t k = 0; k < n; k++) {
        grad[k] = (ebm_real)0.5;
        want[k] = 0.5;
    }
    for (size_t s = 0; s < m->S * m->R; s++)
        add_joint_grad(m, s, -2 * p[s], want);
    CHECK_OK(m->model.type->expected_grad_theta(&m->model, -2.0, grad, &log_z, m->work, error));
    for (size_t k = 0; k < n; k++)
        worst = fmax(worst, fabs((double)grad[k] - want[k]) / bound);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            worst = grad[i * N + j] == (i == j ? (ebm_real)0.5 : grad[j * N + i]) ? worst : INFINITY;
    worst = fmax(worst, fabs(log_z - want_z) / double_bound(m));
    free(p);
    free(want);
    free(grad);
    return isnan(worst) ? INFINITY : worst;
}

static const struct {
    const char *name;
    double (*worst)(hidden_machine *m);
} checks[] = {{"field", check_field},
              {"site_changed", check_site_changed},
              {"energy", check_energy},
              {"joint_energy", check_joint_energy},
              {"energy_difference", check_energy_difference},
              {"site", check_site},
              {"hidden_means", check_hidden_means},
              {"grad_x", check_grad_x},
              {"log_base_normaliser", check_log_base_normaliser},
              {"log_normaliser", check_log_normaliser},
              {"grad_theta", check_grad_theta},
              {"joint_grad_theta", check_joint_grad_theta},
              {"expected_grad_theta", check_expected_grad_theta}};
enum { CHECKS = sizeof checks / sizeof checks[0] };

#endif
