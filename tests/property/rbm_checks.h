/* Checks of every slot of an RBM against plain enumeration (oracle.h). Each returns its worst distance in units of the
 * allowed error (rbm_fixture.h): at most 1 for a correct model, above 1 for one with a planted error. */
#ifndef TESTS_RBM_CHECKS_H
#define TESTS_RBM_CHECKS_H

#include "rbm_fixture.h"

static const struct {
    int base;
    double beta;
} paths[] = {{0, 0.0}, {0, 0.3}, {0, 1.0}, {1, 0.0}, {1, 0.3}, {1, 1.0}};
enum { PATHS = sizeof paths / sizeof paths[0] };

static const struct {
    size_t V, H;
} shapes[] = {{1, 1}, {1, 8}, {8, 1}, {2, 3}, {3, 2}, {5, 4}, {4, 6}, {7, 3}, {3, 7}, {6, 6}, {8, 8}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static double field_bound(const oracle_rbm *m) {
    return rbm_energy_bound(m); /* a field is one of the sums inside an energy */
}

static double check_field(rbm_fixture *f) {
    const oracle_rbm *m = &f->machine;
    ebm_batch batch = rbm_all_states(f);
    double worst = 0;
    ck_assert_uint_eq(f->model.n_field, m->H);
    for (size_t v = 0; v < batch.count; v++)
        for (size_t j = 0; j < m->H; j++) {
            double want = oracle_c(m, j);
            for (size_t i = 0; i < m->V; i++)
                want += oracle_bit(v, i) * oracle_W(m, i, j);
            worst = fmax(worst, rbm_distance(batch.field[v * m->H + j], want, field_bound(m)));
        }
    ebm_batch_free(&batch);
    return worst;
}

static double check_energy(rbm_fixture *f) {
    ebm_batch batch = rbm_all_states(f);
    double *energy = oracle_memory(batch.count), worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        oracle o = oracle_open(&f->machine, paths[k].base, paths[k].beta);
        f->model.type->energy(&f->model, rbm_path(f, paths[k].base, paths[k].beta), &batch, energy, f->work);
        for (size_t v = 0; v < o.S; v++)
            worst = fmax(worst, rbm_distance(energy[v], o.free_energy[v], rbm_energy_bound(&f->machine)));
        oracle_close(&o);
    }
    free(energy);
    ebm_batch_free(&batch);
    return worst;
}

/* Differences along a path, also between close temperatures, as annealing sums them: the error is in proportion to the
 * difference of beta. With z = beta x, d/dbeta of the sensitivity of log(1 + e^z) to x is s(z) + z s'(z), at most 1.25,
 * so a field's error enters with 1.25 |beta_to - beta_from|. */
static double check_energy_difference(rbm_fixture *f) {
    static const double steps[][2] = {{0, 1}, {0.3, 0.301}, {0.999, 1}, {1, 0.9999}};
    ebm_batch batch = rbm_all_states(f);
    double *got = oracle_memory(batch.count), worst = 0;
    for (size_t k = 0; k < 8; k++) {
        int base = (int)(k / 4);
        double from = steps[k % 4][0], to = steps[k % 4][1], bound = 1.25 * rbm_energy_bound(&f->machine);
        oracle start = oracle_open(&f->machine, base, from), end = oracle_open(&f->machine, base, to);
        f->model.type->energy_difference(&f->model, rbm_path(f, base, from), rbm_path(f, base, to), &batch, got,
                                         f->work);
        for (size_t v = 0; v < batch.count; v++) {
            double want = end.free_energy[v] - start.free_energy[v];
            worst = fmax(worst, rbm_distance(got[v], want, fabs(to - from) * bound));
        }
        oracle_close(&start);
        oracle_close(&end);
    }
    free(got);
    ebm_batch_free(&batch);
    return worst;
}

/* The library's joint energies of one x and every h, into out (R). */
static void joint_energies(rbm_fixture *f, ebm_path path, size_t v, ebm_batch *all_h, double *out) {
    for (size_t h = 0; h < all_h->count; h++) {
        rbm_write_state(v, f->machine.V, all_h->x + h * f->machine.V);
        rbm_write_state(h, f->machine.H, all_h->hidden + h * f->machine.H);
    }
    all_h->field_ok = false;
    ebm_model_field(&f->model, all_h, f->work);
    all_h->hidden_ok = true;
    f->model.type->joint_energy(&f->model, path, all_h, out, f->work);
}

static double check_joint_energy(rbm_fixture *f) {
    ebm_batch batch;
    size_t R = (size_t)1 << f->machine.H;
    CHECK_OK(ebm_batch_create(&f->model, R, &batch, error));
    double *energy = oracle_memory(R), worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        oracle o = oracle_open(&f->machine, paths[k].base, paths[k].beta);
        for (size_t v = 0; v < o.S; v++) {
            joint_energies(f, rbm_path(f, paths[k].base, paths[k].beta), v, &batch, energy);
            for (size_t h = 0; h < R; h++)
                worst = fmax(worst, rbm_distance(energy[h], o.joint[v * R + h], rbm_energy_bound(&f->machine)));
        }
        oracle_close(&o);
    }
    free(energy);
    ebm_batch_free(&batch);
    return worst;
}

/* -log sum_h exp(-E_beta(x, h)) of the library's joint energy is the library's energy: no constant is dropped. */
static double check_marginal(rbm_fixture *f) {
    ebm_batch states = rbm_all_states(f), batch;
    size_t R = (size_t)1 << f->machine.H;
    CHECK_OK(ebm_batch_create(&f->model, R, &batch, error));
    double *joint = oracle_memory(R), *energy = oracle_memory(states.count), worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        ebm_path path = rbm_path(f, paths[k].base, paths[k].beta);
        f->model.type->energy(&f->model, path, &states, energy, f->work);
        for (size_t v = 0; v < states.count; v++) {
            joint_energies(f, path, v, &batch, joint);
            double want = -oracle_log_sum(joint, R, 1);
            worst = fmax(worst, rbm_distance(energy[v], want, 2 * rbm_energy_bound(&f->machine)));
        }
    }
    free(joint);
    free(energy);
    ebm_batch_free(&batch);
    ebm_batch_free(&states);
    return worst;
}

/* log P(up | rest) - log P(down | rest) = F(x, unit down) - F(x, unit up): twice an energy's bound. */
static double check_site(rbm_fixture *f) {
    ebm_batch batch = rbm_all_states(f);
    ebm_real *logit = calloc(batch.count, sizeof *logit);
    uint32_t *units = calloc(batch.count, sizeof *units);
    double worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        oracle o = oracle_open(&f->machine, paths[k].base, paths[k].beta);
        for (size_t i = 0; i < f->machine.V; i++) {
            for (size_t v = 0; v < batch.count; v++)
                units[v] = (uint32_t)i;
            f->model.type->site(&f->model, rbm_path(f, paths[k].base, paths[k].beta), &batch, units, logit, f->work);
            for (size_t v = 0; v < o.S; v++) {
                size_t bit = (size_t)1 << i;
                double want = o.free_energy[v & ~bit] - o.free_energy[v | bit];
                worst = fmax(worst, rbm_distance(logit[v], want, 2 * rbm_energy_bound(&f->machine)));
            }
        }
        oracle_close(&o);
    }
    free(units);
    free(logit);
    ebm_batch_free(&batch);
    return worst;
}

/* Flip one unit in every state, another in each, tell the model, and compare its field with one computed afresh. */
static double check_site_changed(rbm_fixture *f) {
    const oracle_rbm *m = &f->machine;
    ebm_batch batch = rbm_all_states(f);
    ebm_real *before = calloc(batch.count, sizeof *before);
    uint32_t *units = calloc(batch.count, sizeof *units);
    double worst = 0;
    for (size_t i = 0; i < m->V; i++) {
        for (size_t v = 0; v < batch.count; v++) {
            units[v] = (uint32_t)((i + v) % m->V);
            ebm_real *unit = batch.x + v * m->V + units[v];
            before[v] = *unit;
            *unit = 1 - before[v];
        }
        f->model.type->site_changed(&f->model, &batch, units, before, f->work);
        for (size_t v = 0; v < batch.count; v++)
            for (size_t j = 0; j < m->H; j++) {
                double want = oracle_c(m, j);
                for (size_t n = 0; n < m->V; n++)
                    want += batch.x[v * m->V + n] * oracle_W(m, n, j);
                worst = fmax(worst, rbm_distance(batch.field[v * m->H + j], want, 2 * field_bound(m)));
            }
    }
    free(units);
    free(before);
    ebm_batch_free(&batch);
    return worst;
}

/* dE_beta/dx by its formula, an average over p_beta(h | x); the central differences further down need no formula. */
static double check_grad_x(rbm_fixture *f) {
    const oracle_rbm *m = &f->machine;
    ebm_batch batch = rbm_all_states(f);
    ebm_real *grad = calloc(batch.count * m->V, sizeof *grad);
    double worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        oracle o = oracle_open(m, paths[k].base, paths[k].beta);
        f->model.type->grad_x(&f->model, rbm_path(f, paths[k].base, paths[k].beta), &batch, grad, f->work);
        for (size_t v = 0; v < o.S; v++)
            for (size_t i = 0; i < m->V; i++) {
                /* dE_beta(x, h)/dx_i averaged over p_beta(h | x) */
                double want = 0;
                for (size_t j = 0; j < m->H; j++)
                    want -= paths[k].beta * oracle_W(m, i, j) * oracle_hidden_mean(&o, v, j);
                want -= (paths[k].base ? (1 - paths[k].beta) * m->a[i] : 0) + paths[k].beta * oracle_b(m, i);
                /* a sigmoid's error is at most a quarter of its argument's, times |W_ij|, summed over j */
                double bound = rbm_energy_bound(m), weight = 1;
                for (size_t j = 0; j < m->H; j++)
                    weight += fabs(oracle_W(m, i, j)) / 4;
                worst = fmax(worst, rbm_distance(grad[v * m->V + i], want, weight * bound));
            }
        oracle_close(&o);
    }
    free(grad);
    ebm_batch_free(&batch);
    return worst;
}

static double check_hidden_means(rbm_fixture *f) {
    const oracle_rbm *m = &f->machine;
    ebm_batch batch = rbm_all_states(f);
    ebm_real *mean = calloc(batch.count * m->H, sizeof *mean);
    oracle o = oracle_open(m, 0, 1);
    double worst = 0;
    f->model.type->hidden_means(&f->model, &batch, mean, f->work);
    for (size_t v = 0; v < o.S; v++)
        for (size_t j = 0; j < m->H; j++)
            worst = fmax(worst, rbm_distance(mean[v * m->H + j], oracle_hidden_mean(&o, v, j), rbm_energy_bound(m)));
    oracle_close(&o);
    free(mean);
    ebm_batch_free(&batch);
    return worst;
}

static double check_visible_means(rbm_fixture *f) {
    const oracle_rbm *m = &f->machine;
    oracle o = oracle_open(m, 0, 1);
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f->model, o.R, &batch, error));
    for (size_t h = 0; h < o.R; h++)
        rbm_write_state(h, m->H, batch.hidden + h * m->H);
    batch.hidden_ok = true;
    ebm_real *mean = calloc(o.R * m->V, sizeof *mean);
    double worst = 0;
    f->model.type->visible_means(&f->model, &batch, mean, f->work);
    for (size_t h = 0; h < o.R; h++)
        for (size_t i = 0; i < m->V; i++)
            worst = fmax(worst, rbm_distance(mean[h * m->V + i], oracle_visible_mean(&o, h, i), rbm_energy_bound(m)));
    oracle_close(&o);
    free(mean);
    ebm_batch_free(&batch);
    return worst;
}

static double check_log_normaliser(rbm_fixture *f) {
    double worst = 0, log_z;
    for (size_t k = 0; k < PATHS; k++) {
        oracle o = oracle_open(&f->machine, paths[k].base, paths[k].beta);
        CHECK_OK(f->model.type->log_normaliser(&f->model, rbm_path(f, paths[k].base, paths[k].beta), &log_z, f->work,
                                               error));
        worst = fmax(worst, rbm_distance(log_z, o.log_z, rbm_energy_bound(&f->machine)));
        oracle_close(&o);
    }
    return worst;
}

static double check_log_base_normaliser(rbm_fixture *f) {
    double worst = 0;
    for (int base = 0; base < 2; base++) {
        oracle o = oracle_open(&f->machine, base, 0);
        double got = f->model.type->log_base_normaliser(&f->model, base ? &f->base : NULL);
        worst = fmax(worst, rbm_distance(got, o.log_z, rbm_energy_bound(&f->machine)));
        oracle_close(&o);
    }
    return worst;
}

/* grad += scale sum_b weight_b dE(x_b)/dtheta on top of what grad held: hidden means (error as above), a sum over the
 * batch in ebm_real. */
static double check_grad_theta(rbm_fixture *f) {
    ebm_batch batch = rbm_all_states(f);
    size_t n = f->model.n_theta;
    ebm_real *grad = calloc(n, sizeof *grad), *weight = calloc(batch.count, sizeof *weight);
    oracle o = oracle_open(&f->machine, 0, 1);
    double got[ORACLE_THETA], want[ORACLE_THETA], worst = 0;
    test_random r = {7};
    for (int weighted = 0; weighted < 2; weighted++) {
        const double scale = weighted ? -0.375 : 1.0 / (double)batch.count;
        double total = 1;
        for (size_t k = 0; k < n; k++)
            want[k] = 0.25;
        for (size_t k = 0; k < n; k++)
            grad[k] = (ebm_real)0.25;
        for (size_t v = 0; v < o.S; v++) {
            weight[v] = (ebm_real)(weighted ? test_random_uniform(&r) : 1);
            total += fabs(scale * weight[v]);
            oracle_add_grad(&o, v, scale * weight[v], want);
        }
        f->model.type->grad_theta(&f->model, &batch, weighted ? weight : NULL, scale, grad, f->work);
        rbm_to_flat(f, grad, got);
        double bound = total * (rbm_energy_bound(&f->machine) + ((double)o.S + 8) * UNIT_ROUNDOFF);
        for (size_t k = 0; k < n; k++)
            worst = fmax(worst, rbm_distance(got[k], want[k], bound));
    }
    oracle_close(&o);
    free(grad);
    free(weight);
    ebm_batch_free(&batch);
    return worst;
}

/* p is off by a factor exp(+-2 bound), a mean in it by at most a quarter of the bound, and the sum over at most 2^8
 * states by 2^8 unit roundoffs. */
static double check_expected_grad_theta(rbm_fixture *f) {
    size_t n = f->model.n_theta;
    ebm_real *grad = calloc(n, sizeof *grad);
    oracle o = oracle_open(&f->machine, 0, 1);
    double got[ORACLE_THETA], want[ORACLE_THETA], log_z = NAN, worst = 0;
    double error_bound = rbm_energy_bound(&f->machine);
    double bound = expm1(2 * error_bound) + error_bound + (256 + 8) * UNIT_ROUNDOFF;
    oracle_expected_grad(&o, o.p, want);
    for (size_t k = 0; k < n; k++)
        grad[k] = (ebm_real)0.5;
    CHECK_OK(f->model.type->expected_grad_theta(&f->model, -2.0, grad, &log_z, f->work, error));
    rbm_to_flat(f, grad, got);
    for (size_t k = 0; k < n; k++)
        worst = fmax(worst, rbm_distance(got[k], 0.5 - 2.0 * want[k], 2 * bound));
    worst = fmax(worst, rbm_distance(log_z, o.log_z, error_bound));
    oracle_close(&o);
    free(grad);
    return worst;
}

static const struct {
    const char *name;
    double (*worst)(rbm_fixture *f);
} checks[] = {{"field", check_field},
              {"energy", check_energy},
              {"energy_difference", check_energy_difference},
              {"joint_energy", check_joint_energy},
              {"marginal", check_marginal},
              {"site", check_site},
              {"site_changed", check_site_changed},
              {"grad_x", check_grad_x},
              {"hidden_means", check_hidden_means},
              {"visible_means", check_visible_means},
              {"log_normaliser", check_log_normaliser},
              {"log_base_normaliser", check_log_base_normaliser},
              {"grad_theta", check_grad_theta},
              {"expected_grad_theta", check_expected_grad_theta}};
enum { CHECKS = sizeof checks / sizeof checks[0] };

#endif
