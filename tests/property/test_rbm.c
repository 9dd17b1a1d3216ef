/* The RBM against plain enumeration (oracle.h): every slot, along annealing paths, for small shapes and extreme
 * weights. Each check returns its worst distance in units of the allowed error (rbm_fixture.h), so that the same checks
 * can be run on models with planted errors and must then exceed 1. */
#include "rbm_fixture.h"

#include <unistd.h>

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
    double worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        oracle o = oracle_open(&f->machine, paths[k].base, paths[k].beta);
        for (size_t i = 0; i < f->machine.V; i++) {
            f->model.type->site(&f->model, rbm_path(f, paths[k].base, paths[k].beta), &batch, i, logit, f->work);
            for (size_t v = 0; v < o.S; v++) {
                size_t bit = (size_t)1 << i;
                double want = o.free_energy[v & ~bit] - o.free_energy[v | bit];
                worst = fmax(worst, rbm_distance(logit[v], want, 2 * rbm_energy_bound(&f->machine)));
            }
        }
        oracle_close(&o);
    }
    free(logit);
    ebm_batch_free(&batch);
    return worst;
}

/* Flip unit i in every state, tell the model, and compare its field with one computed afresh. */
static double check_site_changed(rbm_fixture *f) {
    const oracle_rbm *m = &f->machine;
    ebm_batch batch = rbm_all_states(f);
    ebm_real *delta = calloc(batch.count, sizeof *delta);
    double worst = 0;
    for (size_t i = 0; i < m->V; i++) {
        for (size_t v = 0; v < batch.count; v++) {
            ebm_real *unit = batch.x + v * m->V + i;
            delta[v] = 1 - 2 * *unit;
            *unit += delta[v];
        }
        f->model.type->site_changed(&f->model, &batch, i, delta, f->work);
        for (size_t v = 0; v < batch.count; v++)
            for (size_t j = 0; j < m->H; j++) {
                double want = oracle_c(m, j);
                for (size_t n = 0; n < m->V; n++)
                    want += batch.x[v * m->V + n] * oracle_W(m, n, j);
                worst = fmax(worst, rbm_distance(batch.field[v * m->H + j], want, 2 * field_bound(m)));
            }
    }
    free(delta);
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

static void check_machines(size_t check, rbm_weights kind, double scale) {
    for (size_t s = 0; s < SHAPES; s++) {
        rbm_fixture f;
        rbm_open(&f, shapes[s].V, shapes[s].H, kind, scale, 11 + s);
        double worst = checks[check].worst(&f);
        ck_assert_msg(worst <= 1, "%s, V = %zu, H = %zu: %g times the allowed error", checks[check].name, shapes[s].V,
                      shapes[s].H, worst);
        rbm_close(&f);
    }
}

START_TEST(test_rbm_normal_weights) {
    check_machines((size_t)_i, RBM_NORMAL, 1.0);
}
END_TEST

START_TEST(test_rbm_extreme_weights) {
    check_machines((size_t)_i, RBM_EXTREME, 0);
}
END_TEST

START_TEST(test_rbm_zero_weights) {
    check_machines((size_t)_i, RBM_ZERO, 0);
}
END_TEST

/* Planted errors, each in one slot, each of a kind that is easily made. */
static const ebm_model_type *real;

static void wrong_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    real->field(model, batch, work); /* without the first hidden unit's bias */
    for (size_t b = 0; b < batch->count; b++)
        batch->field[b * model->n_field] -= ebm_model_view(model, "hidden_bias")[0];
}
static void wrong_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    path.base = NULL; /* the base forgotten */
    real->energy(model, path, batch, out, work);
}
static void wrong_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                    double *out, ebm_work *work) {
    real->energy_difference(model, to, from, batch, out, work);
}
static void wrong_joint_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                               ebm_work *work) {
    path.beta = 1; /* the path forgotten */
    real->joint_energy(model, path, batch, out, work);
}
static void wrong_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, size_t i, ebm_real *logit,
                       ebm_work *work) {
    real->site(model, path, batch, (i + 1) % model->space.size, logit, work);
}
static void wrong_site_changed(const ebm_model *model, ebm_batch *batch, size_t i, const ebm_real *delta,
                               ebm_work *work) {
    real->site_changed(model, batch, (i + 1) % model->space.size, delta, work);
}
static void wrong_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    real->grad_x(model, path, batch, out, work);
    for (size_t k = 0; k < batch->count * model->space.size; k++)
        out[k] = -out[k];
}
static void wrong_hidden_means(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    real->hidden_means(model, batch, out, work);
    for (size_t k = 0; k < batch->count * model->n_hidden; k++)
        out[k] = 1 - out[k];
}
static void wrong_visible_means(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    real->visible_means(model, batch, out, work);
    for (size_t k = 0; k < batch->count * model->space.size; k++)
        out[k] = 1 - out[k];
}
static ebm_status wrong_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                       ebm_error *error) {
    EBM_TRY(real->log_normaliser(model, path, out, work, error));
    *out -= 0.6931471805599453 * (double)model->n_hidden; /* the hidden units' constant dropped */
    return EBM_OK;
}
static double wrong_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    return real->log_base_normaliser(model, base) - 0.6931471805599453 * (double)model->n_hidden;
}
static void wrong_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                             ebm_real *grad, ebm_work *work) {
    real->grad_theta(model, batch, weight, -scale, grad, work);
}
static ebm_status wrong_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                            ebm_work *work, ebm_error *error) {
    return real->expected_grad_theta(model, -scale, grad, log_z, work, error);
}

START_TEST(test_rbm_checks_can_fail) {
    rbm_fixture f;
    rbm_open(&f, 5, 4, RBM_NORMAL, 1.0, 3);
    real = f.type;
    ebm_model_type wrong = *real;
    const char *name = checks[_i].name;
    wrong.field = strcmp(name, "field") ? wrong.field : wrong_field;
    wrong.energy = strcmp(name, "energy") ? wrong.energy : wrong_energy;
    wrong.energy_difference = strcmp(name, "energy_difference") ? wrong.energy_difference : wrong_energy_difference;
    wrong.joint_energy =
        strcmp(name, "joint_energy") && strcmp(name, "marginal") ? wrong.joint_energy : wrong_joint_energy;
    wrong.site = strcmp(name, "site") ? wrong.site : wrong_site;
    wrong.site_changed = strcmp(name, "site_changed") ? wrong.site_changed : wrong_site_changed;
    wrong.grad_x = strcmp(name, "grad_x") ? wrong.grad_x : wrong_grad_x;
    wrong.hidden_means = strcmp(name, "hidden_means") ? wrong.hidden_means : wrong_hidden_means;
    wrong.visible_means = strcmp(name, "visible_means") ? wrong.visible_means : wrong_visible_means;
    wrong.log_normaliser = strcmp(name, "log_normaliser") ? wrong.log_normaliser : wrong_log_normaliser;
    wrong.log_base_normaliser =
        strcmp(name, "log_base_normaliser") ? wrong.log_base_normaliser : wrong_log_base_normaliser;
    wrong.grad_theta = strcmp(name, "grad_theta") ? wrong.grad_theta : wrong_grad_theta;
    wrong.expected_grad_theta =
        strcmp(name, "expected_grad_theta") ? wrong.expected_grad_theta : wrong_expected_grad_theta;
    ck_assert_msg(checks[_i].worst(&f) <= 1, "%s fails without a planted error", name);
    f.model.type = &wrong;
    ck_assert_msg(checks[_i].worst(&f) > 1, "%s passes with a planted error", name);
    f.model.type = real;
    rbm_close(&f);
}
END_TEST

#ifdef EBM_DOUBLE
/* Central differences with step h = 1e-5 of a function with value F and third derivative F''': error at most
 * h^2 |F'''| / 6 + 2^-53 (V + H + 16) M / h, below 1e-7 for weights of order one (M about 100: 4e-8 of rounding at the
 * worst, 1e-9 as it falls out). */
START_TEST(test_rbm_gradients_central_differences) {
    const double step = 1e-5;
    rbm_fixture f;
    rbm_open(&f, shapes[_i].V, shapes[_i].H, RBM_NORMAL, 1.0, 5);
    const ebm_model_type *type = f.model.type;
    ebm_batch batch = rbm_all_states(&f);
    size_t n = f.model.n_theta;
    double *up = oracle_memory(batch.count), *down = oracle_memory(batch.count), z_up, z_down;
    ebm_real *grad = calloc(n, sizeof *grad), *expected = calloc(n, sizeof *expected);
    type->grad_theta(&f.model, &batch, NULL, 1.0, grad, f.work);
    CHECK_OK(type->expected_grad_theta(&f.model, 1.0, expected, NULL, f.work, error));
    for (size_t k = 0; k < n; k++) {
        double kept = f.model.theta[k];
        for (int side = 0; side < 2; side++) {
            f.model.theta[k] = kept + (side ? -step : step);
            ebm_model_refresh(&f.model, f.work);
            batch.field_ok = false;
            ebm_model_field(&f.model, &batch, f.work);
            type->energy(&f.model, ebm_path_end(), &batch, side ? down : up, f.work);
            CHECK_OK(type->log_normaliser(&f.model, ebm_path_end(), side ? &z_down : &z_up, f.work, error));
        }
        f.model.theta[k] = kept;
        ebm_model_refresh(&f.model, f.work);
        double difference = 0;
        for (size_t v = 0; v < batch.count; v++)
            difference += (up[v] - down[v]) / (2 * step);
        /* a sum over 2^V states */
        ck_assert_double_eq_tol(grad[k], difference, 1e-7 * fmax(1, fabs(difference)));
        ck_assert_double_eq_tol(expected[k], -(z_up - z_down) / (2 * step), 1e-7);
    }
    free(up);
    free(down);
    free(grad);
    free(expected);
    ebm_batch_free(&batch);
    rbm_close(&f);
}
END_TEST

START_TEST(test_rbm_grad_x_central_differences) {
    const double step = 1e-5;
    rbm_fixture f;
    rbm_open(&f, shapes[_i].V, shapes[_i].H, RBM_NORMAL, 1.0, 6);
    const oracle_rbm *m = &f.machine;
    ebm_batch batch = rbm_all_states(&f);
    ebm_real *grad = calloc(batch.count * m->V, sizeof *grad);
    for (size_t k = 0; k < PATHS; k++) {
        f.model.type->grad_x(&f.model, rbm_path(&f, paths[k].base, paths[k].beta), &batch, grad, f.work);
        for (size_t v = 0; v < batch.count; v++)
            for (size_t i = 0; i < m->V; i++) {
                double x[ORACLE_UNITS], side[2];
                for (int s = 0; s < 2; s++) {
                    for (size_t l = 0; l < m->V; l++)
                        x[l] = oracle_bit(v, l) + (l == i ? (s ? -step : step) : 0);
                    side[s] = oracle_free_energy_real(m, paths[k].base, paths[k].beta, x);
                }
                ck_assert_double_eq_tol(grad[v * m->V + i], (side[0] - side[1]) / (2 * step), 1e-7);
            }
    }
    free(grad);
    ebm_batch_free(&batch);
    rbm_close(&f);
}
END_TEST
#endif

/* Parameters survive a round trip to the bit, and shapes of another machine are refused without touching theta. */
START_TEST(test_rbm_save_load) {
    char folder[] = "/tmp/ebm-test-rbm-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    rbm_fixture f, other, same, third;
    rbm_open(&f, 5, 3, RBM_NORMAL, 1.0, 1);
    rbm_open(&same, 5, 3, RBM_NORMAL, 1.0, 2);
    rbm_open(&other, 3, 5, RBM_NORMAL, 1.0, 3);
    rbm_open(&third, 5, 3, RBM_NORMAL, 1.0, 4);
    size_t bytes = f.model.n_theta * sizeof *f.model.theta;
    ebm_real *before = calloc(other.model.n_theta, sizeof *before);
    memcpy(before, other.model.theta, other.model.n_theta * sizeof *before);

    CHECK_OK(ebm_model_save(&f.model, folder, error));
    ck_assert_int_ne(memcmp(same.model.theta, f.model.theta, bytes), 0);
    CHECK_OK(ebm_model_load(&same.model, folder, error));
    ck_assert_int_eq(memcmp(same.model.theta, f.model.theta, bytes), 0);
    /* what load derives from theta is renewed: the other checks see the loaded machine */
    memcpy(same.machine.theta, f.machine.theta, sizeof same.machine.theta);
    ck_assert_double_le(check_energy(&same), 1);
    ck_assert_double_le(check_visible_means(&same), 1);

    ebm_error failure = {0};
    ck_assert_int_ne(ebm_model_load(&other.model, folder, &failure), EBM_OK);
    ck_assert_msg(strstr(failure.message, ".npy") || strstr(failure.file, ".npy"), "the file is not named: %s: %s",
                  failure.file, failure.message);
    ck_assert_int_eq(memcmp(other.model.theta, before, other.model.n_theta * sizeof *before), 0);

    /* the last file of other weights is missing: refused, and nothing half loaded */
    char path[128];
    CHECK_OK(ebm_model_save(&third.model, folder, error));
    for (size_t k = f.model.n_views; k-- > 0;) {
        snprintf(path, sizeof path, "%s/%s.npy", folder, f.model.views[k].name);
        ck_assert_msg(unlink(path) == 0, "%s was not written", path);
        ck_assert_int_ne(ebm_model_load(&same.model, folder, &failure), EBM_OK);
        ck_assert_int_eq(memcmp(same.model.theta, f.model.theta, bytes), 0);
    }
    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_int_ne(ebm_model_save(&f.model, folder, &failure), EBM_OK);
    free(before);
    rbm_close(&f);
    rbm_close(&same);
    rbm_close(&other);
    rbm_close(&third);
}
END_TEST

/* `load` as an option of the model reads the same files. */
START_TEST(test_rbm_load_option) {
    char folder[] = "/tmp/ebm-test-rbm-XXXXXX", path[128];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    rbm_fixture f;
    rbm_open(&f, 4, 3, RBM_NORMAL, 1.0, 1);
    CHECK_OK(ebm_model_save(&f.model, folder, error));
    const char *pairs[] = {"hidden", "3", "load", folder, NULL}, *wrong_pairs[] = {"hidden", "2", "load", folder, NULL};
    void *options = test_options(&f.type->info, pairs), *wrong = test_options(&f.type->info, wrong_pairs);
    ebm_space space = ebm_space_line(EBM_BINARY, 4);
    ebm_model loaded;
    CHECK_OK(ebm_model_create(f.type, options, &space, NULL, 9, &loaded, error));
    ck_assert_int_eq(memcmp(loaded.theta, f.model.theta, loaded.n_theta * sizeof *loaded.theta), 0);
    ebm_model_free(&loaded);
    ebm_error failure = {0};
    ck_assert_int_ne(ebm_model_create(f.type, wrong, &space, NULL, 9, &loaded, &failure), EBM_OK);
    for (size_t k = 0; k < f.model.n_views; k++) {
        snprintf(path, sizeof path, "%s/%s.npy", folder, f.model.views[k].name);
        unlink(path);
    }
    rmdir(folder);
    test_options_free(&f.type->info, options);
    test_options_free(&f.type->info, wrong);
    rbm_close(&f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("rbm");
    TCase *slots = tcase_create("slots");
    tcase_add_loop_test(slots, test_rbm_normal_weights, 0, CHECKS);
    tcase_add_loop_test(slots, test_rbm_extreme_weights, 0, CHECKS);
    tcase_add_loop_test(slots, test_rbm_zero_weights, 0, CHECKS);
    tcase_add_loop_test(slots, test_rbm_checks_can_fail, 0, CHECKS);
#ifdef EBM_DOUBLE
    tcase_add_loop_test(slots, test_rbm_gradients_central_differences, 0, SHAPES);
    tcase_add_loop_test(slots, test_rbm_grad_x_central_differences, 0, SHAPES);
#endif
    TCase *files = tcase_create("files");
    tcase_add_test(files, test_rbm_save_load);
    tcase_add_test(files, test_rbm_load_option);
    tcase_set_timeout(slots, 300);
    suite_add_tcase(suite, slots);
    tcase_set_timeout(files, 300);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
