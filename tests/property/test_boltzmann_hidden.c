/* The Boltzmann machine with hidden units against plain sums over all states: every slot, 0/1 units and spins, along paths;
 * planted errors that the same checks see; gradients against central differences; without hidden units the fully visible
 * machine, without couplings inside a layer the RBM; files and options. */
#include "property/hidden_checks.h"

#include <unistd.h>

static const struct { size_t V, H; } shapes[] = {{1, 0}, {4, 0}, {1, 1}, {3, 2}, {2, 4}, {5, 3}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static void check_machines(size_t check, rbm_weights kind) {
    for (size_t k = 0; k < 2 * SHAPES; k++) {
        hidden_machine m;
        hidden_open(&m, shapes[k / 2].V, shapes[k / 2].H, k % 2, kind, 1.0, 11 + k);
        const double worst = checks[check].worst(&m);
        ck_assert_msg(worst <= 1, "%s, %zu + %zu units, %s: %g times the allowed error", checks[check].name, m.V, m.H,
                      m.spin ? "spin" : "binary", worst);
        hidden_close(&m);
    }
}

START_TEST(test_boltzmann_hidden_normal_weights) {
    check_machines((size_t)_i, RBM_NORMAL);
}
END_TEST

START_TEST(test_boltzmann_hidden_extreme_weights) {
    check_machines((size_t)_i, RBM_EXTREME);
}
END_TEST

START_TEST(test_boltzmann_hidden_zero_weights) {
    check_machines((size_t)_i, RBM_ZERO);
}
END_TEST

/* Planted errors, each in one slot, each of a kind that is easily made. */
static const ebm_model_type *real;

static void wrong_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    real->field(model, batch, work); /* without the bias of the last hidden unit */
    for (size_t b = 1; b <= batch->count; b++)
        batch->field[b * model->n_field - 1] -= model->theta[model->n_theta - 1];
}
static void wrong_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                               ebm_work *work) {
    const size_t V = model->space.size, F = model->n_field; /* the hidden units' fields are forgotten */
    ebm_real *kept = calloc(batch->count * F, sizeof *kept);
    memcpy(kept, batch->field, batch->count * F * sizeof *kept);
    real->site_changed(model, batch, units, before, work);
    for (size_t b = 0; b < batch->count; b++)
        memcpy(batch->field + b * F + V, kept + b * F + V, (F - V) * sizeof *kept);
    free(kept);
}
/* Couplings among hidden units are counted twice: exp(y^T W y) for them, exp(y^T W y / 2) for the rest. */
static void doubled_pairs(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work,
                          void (*energy)(const ebm_model *, ebm_path, const ebm_batch *, double *, ebm_work *)) {
    const size_t V = model->space.size, N = V + model->n_hidden;
    for (int times = 0; times < 2; times++) {
        for (size_t i = V; i < N; i++)
            for (size_t j = V; j < N; j++)
                model->theta[i * N + j] *= times ? (ebm_real)0.5 : 2;
        real->refresh((ebm_model *)model, work);
        if (!times)
            energy(model, path, batch, out, work);
    }
}
static void wrong_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    doubled_pairs(model, path, batch, out, work, real->energy);
}
static void wrong_joint_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                               ebm_work *work) {
    doubled_pairs(model, path, batch, out, work, real->joint_energy);
}
static void wrong_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                    double *out, ebm_work *work) {
    real->energy_difference(model, to, from, batch, out, work);
}
static void wrong_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                       ebm_real *logit, ebm_work *work) {
    const size_t V = model->space.size; /* the unit is taken to be up, whatever it is */
    ebm_real *up = calloc(batch->count * V, sizeof *up);
    ebm_batch flipped = *batch;
    memcpy(up, batch->x, batch->count * V * sizeof *up);
    for (size_t b = 0; b < batch->count; b++)
        up[b * V + units[b]] = 1;
    flipped.x = up;
    real->site(model, path, &flipped, units, logit, work);
    free(up);
}
static void wrong_hidden_means(const ebm_model *model, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    const size_t V = model->space.size, H = model->n_hidden; /* as if hidden units were independent */
    (void)work;
    for (size_t b = 0; b < batch->count; b++)
        for (size_t j = 0; j < H; j++) {
            const double f = (double)batch->field[b * (V + H) + V + j];
            out[b * H + j] = (ebm_real)(model->space.domain == EBM_SPIN ? tanh(f) : ebm_sigmoid(f));
        }
}
static void wrong_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    for (size_t b = 0; b < batch->count; b++) /* the field alone */
        for (size_t i = 0; i < model->space.size; i++)
            out[b * model->space.size + i] = (ebm_real)-path.beta * batch->field[b * model->n_field + i];
    (void)work;
}
static double wrong_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    return real->log_base_normaliser(model, base) - log(2);
}
static ebm_status wrong_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                       ebm_error *error) {
    path.beta *= 1 + 1e-9;
    return real->log_normaliser(model, path, out, work, error);
}
static void wrong_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                             ebm_real *grad, ebm_work *work) {
    /* products of two hidden means for means of their products */
    ebm_batch means = *batch;
    means.hidden = calloc(batch->count * model->n_hidden + 1, sizeof *means.hidden);
    real->hidden_means(model, batch, means.hidden, work);
    real->joint_grad_theta(model, &means, weight, scale, grad, work);
    free(means.hidden);
}
static void wrong_joint_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                                   ebm_real *grad, ebm_work *work) {
    const size_t N = model->space.size + model->n_hidden;
    real->joint_grad_theta(model, batch, weight, scale, grad, work);
    grad[N * N - N] *= 1 + 4 * (ebm_real)UNIT_ROUNDOFF; /* the corner: one half not quite the other */
}
static ebm_status wrong_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                            ebm_work *work, ebm_error *error) {
    return real->expected_grad_theta(model, 2 * scale, grad, log_z, work, error);
}

#define PLANT(slot) wrong.slot = strcmp(name, #slot) ? wrong.slot : wrong_##slot
START_TEST(test_boltzmann_hidden_checks_can_fail) {
    for (int spin = 0; spin < 2; spin++) {
        hidden_machine m;
        hidden_open(&m, 4, 3, spin, RBM_NORMAL, 1.0, 3);
        real = m.model.type;
        ebm_model_type wrong = *real;
        const char *name = checks[_i].name;
        PLANT(field);
        PLANT(site_changed);
        PLANT(energy);
        PLANT(joint_energy);
        PLANT(energy_difference);
        PLANT(site);
        PLANT(hidden_means);
        PLANT(grad_x);
        PLANT(log_base_normaliser);
        PLANT(log_normaliser);
        PLANT(grad_theta);
        PLANT(joint_grad_theta);
        PLANT(expected_grad_theta);
        ck_assert_msg(checks[_i].worst(&m) <= 1, "%s fails without a planted error", name);
        m.model.type = &wrong;
        ck_assert_msg(checks[_i].worst(&m) > 1, "%s passes with a planted error", name);
        m.model.type = real;
        hidden_close(&m);
    }
}
END_TEST

#ifdef EBM_DOUBLE
/* d/dt of sum_x F(x) and of log Z when w_ij and w_ji, or a bias, move by t: g . direction. With h = 1e-5 the central
 * difference is off by h^2 / 6 times a third derivative (some 10^2 for sums over 16 states) and by 2^-53 M S / h: below
 * 1e-8 together. */
START_TEST(test_boltzmann_hidden_gradients_along_symmetric_directions) {
    hidden_machine m;
    hidden_open(&m, 4, 3, _i, RBM_NORMAL, 0.7, 8);
    const ebm_model_type *type = m.model.type;
    const size_t N = m.N, n = m.model.n_theta;
    const double h = 1e-5;
    ebm_batch batch = hidden_states(&m, false);
    ebm_real *grad = calloc(n, sizeof *grad), *expected = calloc(n, sizeof *expected);
    double energy[16];
    type->grad_theta(&m.model, &batch, NULL, 1.0, grad, m.work);
    CHECK_OK(type->expected_grad_theta(&m.model, 1.0, expected, NULL, m.work, error));
    for (size_t k = 0; k < n; k++) {
        const size_t mirror = k < N * N ? k % N * N + k / N : k;
        if (k < N * N && mirror <= k)
            continue; /* each pair once; the diagonal is no direction */
        const double before = m.model.theta[k];
        double sum[2] = {0}, log_z[2];
        for (int up = 0; up < 2; up++) {
            m.model.theta[k] = m.model.theta[mirror] = before + (up ? h : -h);
            ebm_model_refresh(&m.model, m.work);
            batch.field_ok = false;
            ebm_model_field(&m.model, &batch, m.work);
            type->energy(&m.model, ebm_path_end(), &batch, energy, m.work);
            for (size_t s = 0; s < m.S; s++)
                sum[up] += energy[s];
            CHECK_OK(type->log_normaliser(&m.model, ebm_path_end(), &log_z[up], m.work, error));
        }
        m.model.theta[k] = m.model.theta[mirror] = before;
        ebm_model_refresh(&m.model, m.work);
        const double along = mirror == k ? grad[k] : grad[k] + grad[mirror];
        const double expected_along = mirror == k ? expected[k] : expected[k] + expected[mirror];
        ck_assert_double_eq_tol(along, (sum[1] - sum[0]) / (2 * h), 1e-7);
        ck_assert_double_eq_tol(expected_along, -(log_z[1] - log_z[0]) / (2 * h), 1e-7);
    }
    free(grad);
    free(expected);
    ebm_batch_free(&batch);
    hidden_close(&m);
}
END_TEST

/* dF/dx by central differences at the states, h = 1e-5 as above. */
START_TEST(test_boltzmann_hidden_grad_x_is_a_derivative) {
    hidden_machine m;
    hidden_open(&m, 4, 3, _i, RBM_NORMAL, 0.7, 9);
    ebm_batch batch = hidden_states(&m, false);
    double x[HIDDEN_UNITS], side[2], grad[64];
    m.model.type->grad_x(&m.model, hidden_path(&m, 1, 0.6), &batch, grad, m.work);
    for (size_t s = 0; s < m.S; s++)
        for (size_t i = 0; i < m.V; i++) {
            for (int up = 0; up < 2; up++) {
                for (size_t j = 0; j < m.V; j++)
                    x[j] = hidden_value(&m, s, j) + (j == i ? (up ? 1e-5 : -1e-5) : 0);
                side[up] = hidden_free_at(&m, 1, 0.6, x);
            }
            ck_assert_double_eq_tol(grad[s * m.V + i], (side[1] - side[0]) / 2e-5, 1e-7);
        }
    ebm_batch_free(&batch);
    hidden_close(&m);
}
END_TEST
#endif

static ebm_model other_model(const char *name, const char *const *pairs, void **options) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, name);
    ebm_model model;
    *options = test_options(&type->info, pairs);
    CHECK_OK(ebm_model_create(type, *options, NULL, NULL, 1, &model, error));
    return model;
}

/* Energies, their gradients, conditionals, log Z and its gradient of two models on the same states; `places` (n) is where
 * theta of `other` stands in that of m, whose gradients are doubled there where `halves`. Both are off by a bound each. */
static void assert_same_machine(hidden_machine *m, ebm_model *other, const size_t *places, bool halves) {
    const ebm_model_type *mine = m->model.type, *theirs = other->type;
    ebm_batch a = hidden_states(m, false), b;
    double e[2][64], log_z[2];
    ebm_real logit[2][64], *g = calloc(m->model.n_theta, sizeof *g), *h = calloc(other->n_theta, sizeof *h);
    uint32_t units[64];
    CHECK_OK(ebm_batch_create(other, m->S, &b, error));
    memcpy(b.x, a.x, m->S * m->V * sizeof *b.x);
    ebm_model_field(other, &b, m->work);
    const double bound = 4 * hidden_bound(m) + (double)m->S * 2 * probability_bound(m);
    mine->energy(&m->model, hidden_path(m, 1, 0.7), &a, e[0], m->work);
    theirs->energy(other, hidden_path(m, 1, 0.7), &b, e[1], m->work);
    for (size_t s = 0; s < m->S; s++) {
        ck_assert(rbm_distance(e[0][s], e[1][s], bound) <= 1);
        units[s] = (uint32_t)(s % m->V);
    }
    mine->site(&m->model, ebm_path_end(), &a, units, logit[0], m->work);
    theirs->site(other, ebm_path_end(), &b, units, logit[1], m->work);
    for (size_t s = 0; s < m->S; s++)
        ck_assert(rbm_distance(logit[0][s], logit[1][s], bound) <= 1);
    mine->grad_theta(&m->model, &a, NULL, 0.5, g, m->work);
    theirs->grad_theta(other, &b, NULL, 0.5, h, m->work);
    CHECK_OK(mine->expected_grad_theta(&m->model, 2, g, &log_z[0], m->work, error));
    CHECK_OK(theirs->expected_grad_theta(other, 2, h, &log_z[1], m->work, error));
    ck_assert(rbm_distance(log_z[0], log_z[1], bound) <= 1);
    for (size_t k = 0; k < other->n_theta; k++) {
        const double factor = halves && places[k] < m->N * m->N ? 2 : 1;
        ck_assert(rbm_distance(factor * (double)g[places[k]], (double)h[k], bound) <= 1);
    }
    free(g);
    free(h);
    ebm_batch_free(&a);
    ebm_batch_free(&b);
}

START_TEST(test_boltzmann_hidden_without_hidden_units_is_boltzmann) {
    hidden_machine m;
    hidden_open(&m, 5, 0, _i, RBM_NORMAL, 1.0, 4);
    const char *pairs[] = {"units", "5", "states", _i ? "spin" : "binary", NULL};
    void *options;
    ebm_model other = other_model("boltzmann", pairs, &options);
    size_t places[30];
    ck_assert_uint_eq(other.n_theta, m.model.n_theta);
    memcpy(other.theta, m.model.theta, other.n_theta * sizeof *other.theta);
    for (size_t k = 0; k < 30; k++)
        places[k] = k;
    assert_same_machine(&m, &other, places, false);
    test_options_free(&other.type->info, options);
    ebm_model_free(&other);
    hidden_close(&m);
}
END_TEST

/* The RBM holds each coupling once: its derivative is both halves'. */
START_TEST(test_boltzmann_hidden_without_couplings_in_a_layer_is_the_rbm) {
    enum { V = 5, H = 3, N = V + H };
    hidden_machine m;
    hidden_open(&m, V, H, false, RBM_NORMAL, 1.0, 5);
    const char *pairs[] = {"visible", "5", "hidden", "3", NULL};
    void *options;
    ebm_model other = other_model("rbm", pairs, &options);
    ebm_real *W = ebm_model_view(&other, "W"), *b = ebm_model_view(&other, "visible_bias"),
             *c = ebm_model_view(&other, "hidden_bias");
    size_t places[V * H + N];
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            if ((i < V) == (j < V))
                m.model.theta[i * N + j] = 0;
    hidden_read_theta(&m);
    ebm_model_refresh(&m.model, m.work);
    for (size_t i = 0; i < V; i++) {
        b[i] = (ebm_real)m.b[i];
        places[b + i - other.theta] = N * N + i;
        for (size_t j = 0; j < H; j++) {
            W[i * H + j] = (ebm_real)m.w[i][V + j];
            places[W + i * H + j - other.theta] = i * N + V + j;
        }
    }
    for (size_t j = 0; j < H; j++) {
        c[j] = (ebm_real)m.b[V + j];
        places[c + j - other.theta] = N * N + V + j;
    }
    ebm_model_refresh(&other, m.work);
    assert_same_machine(&m, &other, places, true);
    test_options_free(&other.type->info, options);
    ebm_model_free(&other);
    hidden_close(&m);
}
END_TEST

/* 24 units in all, most of them hidden: log Z and gradient against those of the fully visible machine, and the refusals
 * beyond. */
START_TEST(test_boltzmann_hidden_limits) {
    const char *pairs[] = {"visible", "9", "hidden", "16", NULL}, *more[] = {"hidden", "17", NULL};
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann-hidden");
    void *options = test_options(&type->info, pairs);
    ebm_error said = {0};
    ebm_model model;
    ebm_work *work;
    ebm_batch batch;
    double log_z;
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_model_create(type, options, NULL, NULL, 1, &model, error));
    ck_assert_int_eq(type->log_normaliser(&model, ebm_path_end(), &log_z, work, &said), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(said.message, "2^25 states"));
    ck_assert_int_eq(type->expected_grad_theta(&model, 1, model.theta, NULL, work, &said), EBM_UNSUPPORTED);
    CHECK_OK(ebm_batch_create(&model, 1, &batch, error));
    ck_assert_int_eq(type->sample_exact(&model, ebm_path_end(), &batch, ebm_stream_of(1, 1), 0, 0, work, &said),
                     EBM_UNSUPPORTED);
    ebm_model_field(&model, &batch, work);
    type->energy(&model, ebm_path_end(), &batch, &log_z, work); /* 2^16 hidden states are within reach */
    ck_assert(isfinite(log_z));
    ck_assert_int_ne(ebm_options_set(type->info.options, options, more[0], more[1], NULL, &said), EBM_OK);
    ck_assert_ptr_nonnull(strstr(said.message, "16"));
    ebm_batch_free(&batch);
    ebm_model_free(&model);
    test_options_free(&type->info, options);
    ebm_work_free(work);
}
END_TEST

/* What is saved is loaded; the number of visible units follows from the file; what does not fit is refused. */
START_TEST(test_boltzmann_hidden_files_and_options) {
    char folder[] = "/tmp/ebm-hidden-XXXXXX", path[128];
    hidden_machine m;
    ebm_error said = {0};
    void *options;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    hidden_open(&m, 4, 3, _i, RBM_NORMAL, 1.0, 6);
    CHECK_OK(ebm_model_save(&m.model, folder, error));
    const char *pairs[] = {"hidden", "3", "states", _i ? "spin" : "binary", "load", folder, NULL};
    ebm_model again = other_model("boltzmann-hidden", pairs, &options);
    ck_assert_uint_eq(again.space.size, 4);
    ck_assert_int_eq(memcmp(again.theta, m.model.theta, again.n_theta * sizeof *again.theta), 0);
    ebm_batch batch = hidden_states(&m, false);
    double energy[2][16];
    m.model.type->energy(&m.model, ebm_path_end(), &batch, energy[0], m.work);
    again.type->energy(&again, ebm_path_end(), &batch, energy[1], m.work); /* loading has renewed the table of pairs */
    ck_assert_int_eq(memcmp(energy[0], energy[1], sizeof energy[0]), 0);
    ebm_model_free(&again);
    CHECK_OK(ebm_options_set(m.model.type->info.options, options, "hidden", "7", NULL, error));
    ck_assert_int_eq(ebm_model_create(m.model.type, options, NULL, NULL, 1, &again, &said), EBM_INVALID);
    ck_assert_msg(strstr(said.message, "none would be visible"), "%s", said.message);
    const ebm_space other = ebm_space_line(_i ? EBM_BINARY : EBM_SPIN, 4);
    ck_assert_int_eq(ebm_model_create(m.model.type, m.options, &other, NULL, 1, &again, &said), EBM_INVALID);
    ck_assert_msg(strstr(said.message, "but the data are"), "%s", said.message);
    test_options_free(&m.model.type->info, options);
    for (size_t k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s.npy", folder, k ? "bias" : "W");
        ck_assert_int_eq(unlink(path), 0);
    }
    ck_assert_int_eq(rmdir(folder), 0);
    ebm_batch_free(&batch);
    hidden_close(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("boltzmann-hidden");
    TCase *slots = tcase_create("slots"), *machines = tcase_create("machines");
    tcase_add_loop_test(slots, test_boltzmann_hidden_normal_weights, 0, CHECKS);
    tcase_add_loop_test(slots, test_boltzmann_hidden_extreme_weights, 0, CHECKS);
    tcase_add_loop_test(slots, test_boltzmann_hidden_zero_weights, 0, CHECKS);
    tcase_add_loop_test(slots, test_boltzmann_hidden_checks_can_fail, 0, CHECKS);
#ifdef EBM_DOUBLE
    tcase_add_loop_test(slots, test_boltzmann_hidden_gradients_along_symmetric_directions, 0, 2);
    tcase_add_loop_test(slots, test_boltzmann_hidden_grad_x_is_a_derivative, 0, 2);
#endif
    tcase_add_loop_test(machines, test_boltzmann_hidden_without_hidden_units_is_boltzmann, 0, 2);
    tcase_add_test(machines, test_boltzmann_hidden_without_couplings_in_a_layer_is_the_rbm);
    tcase_add_test(machines, test_boltzmann_hidden_limits);
    tcase_add_loop_test(machines, test_boltzmann_hidden_files_and_options, 0, 2);
    tcase_set_timeout(slots, 300);
    tcase_set_timeout(machines, 300);
    suite_add_tcase(suite, slots);
    suite_add_tcase(suite, machines);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
