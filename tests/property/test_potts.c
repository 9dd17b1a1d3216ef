/* Both Potts machines against plain enumeration: every slot, along paths from both bases, on lattices and dense
 * couplings; planted errors that the same checks see; starts, files and refusals. */
#include "property/potts_checks.h"

#include <unistd.h>

START_TEST(test_potts_by_enumeration) {
    for (size_t k = 0; k < SHAPES; k++)
        for (int scale = 0; scale < 3; scale++) {
            static const double scales[] = {0, 1, 10};
            potts_fixture f;
            potts_open(&f, shapes[k], scales[scale], 5 + k);
            const double worst = checks[_i].worst(&f);
            ck_assert_msg(worst <= 1, "%s, shape %zu, couplings of %g: %g times the allowed error", checks[_i].name, k,
                          scales[scale], worst);
            potts_close(&f);
        }
}
END_TEST

/* Planted errors, one for each check, of kinds that are easily made. */
static const ebm_model_type *right;
static void wrong_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    right->field(model, batch, work); /* without the field h of one value */
    batch->field[0] -= ebm_model_view(model, "field")[0];
}
static void wrong_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    path.base = NULL;
    right->energy(model, path, batch, out, work);
}
static void wrong_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                    double *out, ebm_work *work) {
    from.base = to.base = NULL;
    right->energy_difference(model, from, to, batch, out, work);
}
static uint32_t *next_units(const ebm_model *model, size_t count, const uint32_t *units, ebm_work *work) {
    uint32_t *next = ebm_work_take(work, count, sizeof *next);
    for (size_t b = 0; b < count; b++)
        next[b] = (units[b] + 1) % (uint32_t)model->space.size;
    return next;
}
static void wrong_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                       ebm_real *logit, ebm_work *work) {
    const size_t mark = ebm_work_mark(work);
    right->site(model, path, batch, next_units(model, batch->count, units, work), logit, work);
    ebm_work_release(work, mark);
}
static void wrong_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                               ebm_work *work) {
    const size_t mark = ebm_work_mark(work);
    right->site_changed(model, batch, next_units(model, batch->count, units, work), before, work);
    ebm_work_release(work, mark);
}
static void wrong_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    path.beta = 1;
    right->grad_x(model, path, batch, out, work);
}
static ebm_status wrong_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                       ebm_error *error) {
    path.base = NULL;
    return right->log_normaliser(model, path, out, work, error);
}
static double wrong_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    return right->log_base_normaliser(model, base) - 1e-6;
}
static void wrong_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                             ebm_real *grad, ebm_work *work) {
    (void)weight;
    right->grad_theta(model, batch, NULL, scale, grad, work);
}
static ebm_status wrong_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                            ebm_work *work, ebm_error *error) {
    return right->expected_grad_theta(model, -scale, grad, log_z, work, error);
}
static ebm_status wrong_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                     uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    path.beta *= 0.9;
    return right->sample_exact(model, path, batch, stream, first_chain, step, work, error);
}
static const ebm_graph *wrong_graph(const ebm_model *model) {
    static ebm_graph graph; /* the fields of another unit */
    graph = *right->graph(model);
    graph.field += model->space.categories;
    graph.edges -= 1;
    return &graph;
}

START_TEST(test_potts_checks_can_fail) {
    for (int dense = 0; dense < 2; dense++) {
        potts_fixture f;
        potts_open(&f, shapes[dense ? 7 : 1], 1, 3);
        right = f.type;
        ebm_model_type wrong = *right;
        const char *name = checks[_i].name;
#define PLANT(slot) wrong.slot = strcmp(name, #slot) ? wrong.slot : wrong_##slot
        PLANT(field), PLANT(energy), PLANT(energy_difference), PLANT(site), PLANT(site_changed), PLANT(grad_x);
        PLANT(log_normaliser), PLANT(log_base_normaliser), PLANT(grad_theta), PLANT(expected_grad_theta);
        PLANT(sample_exact), PLANT(graph);
        f.model.type = &wrong;
        if (right->graph || wrong.graph == NULL)
            ck_assert_msg(checks[_i].worst(&f) > 1, "%s passes with a planted error", name);
        f.model.type = right;
        potts_close(&f);
    }
}
END_TEST

#ifdef EBM_DOUBLE
/* E is linear in theta: central differences with step 1 are exact up to rounding, 1e-10 for energies below 1e3. Every
 * entry of the coupling matrix is moved alone, but for the diagonal blocks, which are not parameters. */
START_TEST(test_potts_grad_theta_central_differences) {
    potts_fixture f;
    potts_open(&f, shapes[_i], 1, 3);
    ebm_batch one, states = potts_states(&f);
    ebm_real *grad = calloc(f.model.n_theta, sizeof *grad);
    CHECK_OK(ebm_batch_create(&f.model, 1, &one, error));
    const size_t coupling = f.model.n_theta - f.F, stride = f.S / 20 + 1;
    for (size_t s = 0; s < f.S; s += stride) {
        potts_write(&f, s, one.x);
        memset(grad, 0, f.model.n_theta * sizeof *grad);
        f.type->grad_theta(&f.model, &one, NULL, 1, grad, f.work);
        for (size_t k = 0; k < f.model.n_theta; k++) {
            if (f.shape.kind == POTTS_DENSE && k < coupling && k / f.F / f.q == k % f.F / f.q) {
                ck_assert(grad[k] == 0);
                continue;
            }
            double energy[2];
            const double at = f.model.theta[k];
            for (int up = 0; up < 2; up++) {
                f.model.theta[k] = up ? at + 1 : at - 1;
                ebm_model_refresh(&f.model, f.work);
                one.field_ok = false;
                ebm_model_field(&f.model, &one, f.work);
                f.type->energy(&f.model, ebm_path_end(), &one, &energy[up], f.work);
            }
            f.model.theta[k] = at;
            ck_assert_double_le(fabs((energy[1] - energy[0]) / 2 - grad[k]), 1e-10);
        }
    }
    free(grad);
    ebm_batch_free(&one);
    ebm_batch_free(&states);
    potts_close(&f);
}
END_TEST
#endif

static ebm_status create(const char *type, const char *const *pairs, const ebm_space *space, ebm_model *out,
                         ebm_error *error) {
    const ebm_model_type *model = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, type);
    void *options = test_options(&model->info, pairs);
    const ebm_status status = ebm_model_create(model, options, space, NULL, 1, out, error);
    test_options_free(&model->info, options);
    return status;
}

/* A chain of n units: Z = q (e^(beta J) + q - 1)^(n - 1) (transfer matrix). 1e-12 relative: sums of at most 2^20. */
START_TEST(test_potts_chain_in_closed_form) {
    static const char *const sizes[][2] = {{"2", "20"}, {"3", "12"}, {"10", "6"}, {"1000", "2"}, {"60000", "1"}};
    ebm_model model;
    ebm_work *work;
    CHECK_OK(ebm_work_create(1, &work, error));
    for (size_t k = 0; k < 5; k++) {
        const char *pairs[] = {"lattice",    "grid",      "rows",     "1",    "columns", sizes[k][1],
                               "categories", sizes[k][0], "coupling", "0.75", NULL};
        CHECK_OK(create("potts", pairs, NULL, &model, error));
        const double q = atof(sizes[k][0]), n = atof(sizes[k][1]), beta = 0.6;
        double log_z;
        CHECK_OK(model.type->log_normaliser(&model, (ebm_path){NULL, beta}, &log_z, work, error));
        const double want = log(q) + (n - 1) * log(exp(beta * 0.75) + q - 1);
        ck_assert_double_le(fabs(log_z - want), 1e-12 * want);
        ebm_model_free(&model);
    }
    ebm_work_free(work);
}
END_TEST

START_TEST(test_potts_options) {
    ebm_model model;
    const char *field[] = {"side", "3", "categories", "4", "field", "0.5", "coupling", "-2", NULL};
    CHECK_OK(create("potts", field, NULL, &model, error));
    ck_assert_uint_eq(model.space.rank, 2);
    for (size_t k = 0; k < 18; k++)
        ck_assert(ebm_model_view(&model, "coupling")[k] == -2);
    for (size_t k = 0; k < 36; k++)
        ck_assert(ebm_model_view(&model, "field")[k] == (ebm_real)(k % 4 ? 0 : 0.5));
    ebm_model_free(&model);
    const char *disorder[] = {"side", "3", "categories", "3", "disorder", "plus-minus", NULL};
    CHECK_OK(create("potts", disorder, NULL, &model, error));
    double sum = 0;
    for (size_t k = 0; k < 18; k++) {
        ck_assert(fabs((double)ebm_model_view(&model, "coupling")[k]) == 1);
        sum += (double)ebm_model_view(&model, "coupling")[k];
    }
    ck_assert(fabs(sum) < 18);
    ebm_model_free(&model);
    const char *dense[] = {"units", "6", "categories", "5", "init_scale", "0.5", NULL};
    CHECK_OK(create("potts-dense", dense, NULL, &model, error));
    const ebm_real *J = ebm_model_view(&model, "coupling");
    moments m = {0, 0, 0};
    for (size_t k = 0; k < 30; k++)
        for (size_t n = 0; n < 30; n++) {
            ck_assert(J[k * 30 + n] == J[n * 30 + k]);
            if (k / 5 == n / 5)
                ck_assert(J[k * 30 + n] == 0);
            else if (k < n)
                moments_add(&m, (double)J[k * 30 + n]);
        }
    ck_assert_double_eq(m.count, 375);
    /* 375 normals: the mean within 5.5 s.e., the variance within 5.5 of its own, 0.25 sqrt(2 / 374) */
    ck_assert_double_le(fabs(m.mean) / (0.5 / sqrt(375)), 5.5);
    ck_assert_double_le(fabs(moments_variance(&m) - 0.25) / (0.25 * sqrt(2.0 / 374)), 5.5);
    ebm_model_free(&model);
}
END_TEST

/* A dense machine's gradient is symmetric to the last bit, with weights of no pattern: optimisers keep it so. */
START_TEST(test_potts_gradient_is_symmetric) {
    potts_fixture f;
    potts_open(&f, (potts_shape){POTTS_DENSE, 1, 4, 4}, 1, 8);
    ebm_batch batch = potts_states(&f);
    ebm_real *weight = calloc(f.S, sizeof *weight), *grad = calloc(f.model.n_theta, sizeof *grad);
    test_random r = {99};
    for (size_t s = 0; s < f.S; s++)
        weight[s] = (ebm_real)test_random_normal(&r);
    f.type->grad_theta(&f.model, &batch, weight, 0.3, grad, f.work);
    CHECK_OK(f.type->expected_grad_theta(&f.model, -0.7, grad, NULL, f.work, error));
    for (size_t k = 0; k < f.F; k++)
        for (size_t m = 0; m < f.F; m++)
            ck_assert(grad[k * f.F + m] == grad[m * f.F + k] && (k / f.q != m / f.q || grad[k * f.F + m] == 0));
    ebm_real *doubled = calloc(f.model.n_theta, sizeof *doubled);
    memcpy(doubled, grad, f.model.n_theta * sizeof *doubled);
    f.type->precondition(&f.model, doubled, f.work);
    for (size_t k = 0; k < f.model.n_theta; k++)
        ck_assert(doubled[k] == (k < f.F * f.F ? 2 : 1) * grad[k]);
    free(doubled);
    free(weight);
    free(grad);
    ebm_batch_free(&batch);
    potts_close(&f);
}
END_TEST

START_TEST(test_potts_refusals) {
    static const struct {
        const char *type, *pairs[9], *says;
        ebm_status status;
    } cases[] = {
        {"potts", {"side", "4", NULL}, "categories", EBM_INVALID},
        {"potts", {"side", "4", "categories", "1", NULL}, "2 to", EBM_INVALID},
        {"potts", {"side", "2", "categories", "3", NULL}, "torus", EBM_INVALID},
        {"potts", {"categories", "3", NULL}, "dataset", EBM_INVALID},
        {"potts-dense", {"units", "4", NULL}, "dataset", EBM_INVALID},
        {"potts-dense", {"units", "4", "categories", "1", NULL}, "2 to", EBM_INVALID},
        {"potts-dense", {"units", "1000000", "categories", "60000", NULL}, "memory", EBM_NO_MEMORY},
        {"potts-dense", {"load", "/nonexistent", NULL}, "field.npy", EBM_IO},
    };
    ebm_model model;
    ebm_error why;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        ck_assert_int_eq(create(cases[k].type, cases[k].pairs, NULL, &model, &why), cases[k].status);
        ck_assert_msg(strstr(why.message, cases[k].says), "%s", why.message);
    }
    ebm_space space = ebm_space_line(EBM_CATEGORICAL, 5);
    space.categories = 3;
    const char *units[] = {"units", "6", NULL}, *categories[] = {"categories", "4", NULL};
    ck_assert_int_eq(create("potts-dense", units, &space, &model, &why), EBM_INVALID);
    ck_assert_int_eq(create("potts-dense", categories, &space, &model, &why), EBM_INVALID);
    ck_assert_int_eq(create("potts", categories, &space, &model, &why), EBM_INVALID);
    /* too many states to enumerate: 2^20 is the most */
    const char *large[] = {"lattice", "grid", "rows", "3", "columns", "7", "categories", "2", NULL};
    CHECK_OK(create("potts", large, NULL, &model, error));
    ebm_work *work;
    ebm_batch batch;
    double log_z;
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_batch_create(&model, 1, &batch, error));
    ck_assert_int_eq(model.type->log_normaliser(&model, ebm_path_end(), &log_z, work, &why), EBM_UNSUPPORTED);
    ck_assert_int_eq(model.type->expected_grad_theta(&model, 1, model.theta, NULL, work, &why), EBM_UNSUPPORTED);
    ck_assert_int_eq(model.type->sample_exact(&model, ebm_path_end(), &batch, ebm_stream_of(1, 1), 0, 0, work, &why),
                     EBM_UNSUPPORTED);
    ebm_batch_free(&batch);
    ebm_model_free(&model);
    ebm_work_free(work);
}
END_TEST

static void remove_files(const char *folder) {
    static const char *const files[] = {"coupling", "field"};
    char path[64];
    for (size_t k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s.npy", folder, files[k]);
        unlink(path);
    }
    rmdir(folder);
}

/* Saved and loaded again, also without naming units and categories; what is not symmetric is refused. */
START_TEST(test_potts_files) {
    char folder[] = "/tmp/ebm-potts-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    potts_fixture f;
    ebm_model model;
    potts_open(&f, (potts_shape){POTTS_GRID, 2, 3, 3}, 1, 8);
    CHECK_OK(ebm_model_save(&f.model, folder, error));
    const char *load[] = {"lattice", "grid", "rows", "2", "columns", "3", "categories", "3", "load", folder, NULL};
    CHECK_OK(create("potts", load, NULL, &model, error));
    ck_assert_mem_eq(model.theta, f.model.theta, model.n_theta * sizeof *model.theta);
    ck_assert(model.type->graph(&model)->coupling == model.theta);
    ebm_model_free(&model);
    remove_files(folder);
    potts_close(&f);
}
END_TEST

START_TEST(test_potts_dense_files) {
    char folder[] = "/tmp/ebm-potts-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    potts_fixture f;
    potts_open(&f, (potts_shape){POTTS_DENSE, 1, 4, 4}, 1, 8);
    CHECK_OK(ebm_model_save(&f.model, folder, error));
    const char *load[] = {"load", folder, NULL};
    ebm_model model;
    ebm_error why;
    CHECK_OK(create("potts-dense", load, NULL, &model, error));
    ck_assert_uint_eq(model.n_theta, f.model.n_theta);
    ck_assert_mem_eq(model.theta, f.model.theta, model.n_theta * sizeof *model.theta);
    ebm_model_free(&model);
    f.model.theta[5] += 1;
    CHECK_OK(ebm_model_save(&f.model, folder, error));
    ck_assert_int_eq(create("potts-dense", load, NULL, &model, &why), EBM_FORMAT);
    ck_assert_msg(strstr(why.message, "not symmetric"), "%s", why.message);
    f.model.theta[5] -= 1;
    f.model.theta[1] = f.model.theta[16] = 1;
    CHECK_OK(ebm_model_save(&f.model, folder, error));
    ck_assert_int_eq(create("potts-dense", load, NULL, &model, &why), EBM_FORMAT);
    ck_assert_msg(strstr(why.message, "diagonal"), "%s", why.message);
    remove_files(folder);
    potts_close(&f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("potts");
    TCase *cases = tcase_create("property");
    tcase_add_loop_test(cases, test_potts_by_enumeration, 0, CHECKS);
    tcase_add_loop_test(cases, test_potts_checks_can_fail, 0, CHECKS);
#ifdef EBM_DOUBLE
    tcase_add_loop_test(cases, test_potts_grad_theta_central_differences, 0, SHAPES);
#endif
    tcase_add_test(cases, test_potts_chain_in_closed_form);
    tcase_add_test(cases, test_potts_options);
    tcase_add_test(cases, test_potts_gradient_is_symmetric);
    tcase_add_test(cases, test_potts_refusals);
    tcase_add_test(cases, test_potts_files);
    tcase_add_test(cases, test_potts_dense_files);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
