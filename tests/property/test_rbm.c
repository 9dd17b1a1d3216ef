/* The RBM against plain enumeration: every slot, along annealing paths, for small shapes, zero, ordinary and extreme
 * weights; planted errors that the same checks see; gradients against central differences; files. */
#include "property/rbm_checks.h"

#include <unistd.h>

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
/* The unit after the one that was asked for. */
static uint32_t *next_units(const ebm_model *model, size_t count, const uint32_t *units, ebm_work *work) {
    uint32_t *next = ebm_work_take(work, count, sizeof *next);
    for (size_t b = 0; b < count; b++)
        next[b] = (units[b] + 1) % (uint32_t)model->space.size;
    return next;
}
static void wrong_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                       ebm_real *logit, ebm_work *work) {
    size_t mark = ebm_work_mark(work);
    real->site(model, path, batch, next_units(model, batch->count, units, work), logit, work);
    ebm_work_release(work, mark);
}
static void wrong_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                               ebm_work *work) {
    size_t mark = ebm_work_mark(work);
    real->site_changed(model, batch, next_units(model, batch->count, units, work), before, work);
    ebm_work_release(work, mark);
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
