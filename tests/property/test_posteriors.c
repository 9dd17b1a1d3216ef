/* Posteriors given examples against their definition, planted errors that the same checks see, draws and threads by bytes,
 * what is refused, and examples of one's own. */
#include "posterior_checks.h"

#include "ebm/npy.h"

#include <unistd.h>

static const struct {
    const char *name;
    double (*worst)(fixture *f);
} checks[] = {{"energy", check_energy},
              {"grad_x", check_grad_x},
              {"minibatch", check_minibatch},
              {"exact values", check_exact},
              {"exact draws", check_draws}};
enum { CHECKS = sizeof checks / sizeof checks[0] };

START_TEST(test_posteriors_by_definition) {
    for (size_t k = 0; k < PROBLEMS; k++) {
        fixture f;
        fixture_open(&f, &problems[k]);
        const double worst = checks[_i].worst(&f);
        ck_assert_msg(worst <= 1, "%s, problem %zu: %g times the allowed error", checks[_i].name, k, worst);
        fixture_close(&f);
    }
}
END_TEST

/* Planted errors of kinds that are easily made. */
static const ebm_model_type *right;
static double planted_scale;
static void wrong_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    right->energy(model, path, batch, out, work);
    for (size_t b = 0; b < batch->count; b++) /* the prior's 1/2 forgotten in one coordinate */
        out[b] += path.beta * (double)batch->x[model->space.size * b] * (double)batch->x[model->space.size * b] / 20;
}
static void wrong_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    path.beta = 1;
    right->grad_x(model, path, batch, out, work);
}
/* The prior scaled up with the examples: 2 * drawn instead of drawn of them make it visible. */
static void wrong_minibatch(const ebm_model *model, const ebm_batch *batch, const uint32_t *examples, size_t drawn,
                            ebm_real *out, ebm_work *work) {
    right->grad_x_minibatch(model, batch, examples, drawn, out, work);
    for (size_t k = 0; k < batch->count * model->space.size; k++)
        out[k] *= (ebm_real)(1 + planted_scale);
}
static ebm_status wrong_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                   ebm_work *work, ebm_error *error) {
    const ebm_status status = right->exact_mean(model, path, observable, out, work, error);
    *out += strcmp(observable, "second") ? 0 : 1e-4;
    return status;
}
/* One half of a mode too many: draws with theta_2's sign turned in one of 20. */
static ebm_status wrong_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                     uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const ebm_status status = right->sample_exact(model, path, batch, stream, first_chain, step, work, error);
    for (size_t b = 0; b < batch->count; b += 20)
        batch->x[2 * b + 1] = -batch->x[2 * b + 1];
    return status;
}

START_TEST(test_posteriors_checks_can_fail) {
    fixture f;
    fixture_open(&f, &problems[2]);
    right = f.type;
    planted_scale = 0.01;
    f.wrong.energy = _i == 0 ? wrong_energy : right->energy;
    f.wrong.grad_x = _i == 1 ? wrong_grad_x : right->grad_x;
    f.wrong.grad_x_minibatch = _i == 2 ? wrong_minibatch : right->grad_x_minibatch;
    f.wrong.exact_mean = _i == 3 ? wrong_exact_mean : right->exact_mean;
    f.wrong.sample_exact = _i == 4 ? wrong_sample_exact : right->sample_exact;
    f.model.type = &f.wrong;
    ck_assert_msg(checks[_i].worst(&f) > 1, "%s passes with a planted error", checks[_i].name);
    f.model.type = right;
    fixture_close(&f);
}
END_TEST

/* Exact draws belong to (chain, step): the same however the rows are cut. */
START_TEST(test_posteriors_draws_by_chain) {
    fixture f;
    fixture_open(&f, &problems[0]);
    ebm_batch whole = points(&f), part = points(&f);
    const ebm_stream stream = ebm_stream_of(9, EBM_PURPOSE_SAMPLE);
    CHECK_OK(f.type->sample_exact(&f.model, ebm_path_end(), &whole, stream, 100, 3, f.work, error));
    ebm_batch tail = part;
    tail.count = POINTS - 11, tail.x = part.x + 2 * 11;
    CHECK_OK(f.type->sample_exact(&f.model, ebm_path_end(), &tail, stream, 111, 3, f.work, error));
    ck_assert_mem_eq(whole.x + 2 * 11, tail.x, tail.count * 2 * sizeof *tail.x);
    ebm_batch_free(&whole);
    ebm_batch_free(&part);
    fixture_close(&f);
}
END_TEST

/* More examples than one product takes, many rows, two threads: the same bytes as with one. */
START_TEST(test_posteriors_on_threads) {
    static const char *const models[] = {"logistic-posterior", "mixture-posterior"};
    static const char *const pairs[][3] = {{"examples", "1300", NULL}, {"count", "1300", NULL}};
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, models[_i]);
    void *options = test_options(&type->info, pairs[_i]);
    ebm_work *work[2];
    ebm_model model;
    ebm_batch batch;
    test_random r = {17};
    enum { B = 200 };
    CHECK_OK(ebm_work_create(1, &work[0], error));
    CHECK_OK(ebm_work_create(2, &work[1], error));
    CHECK_OK(ebm_model_create(type, options, NULL, NULL, 1, &model, error));
    CHECK_OK(ebm_batch_create(&model, B, &batch, error));
    const size_t V = model.space.size;
    for (size_t k = 0; k < B * V; k++)
        batch.x[k] = (ebm_real)test_random_normal(&r);
    double energy[2][B];
    ebm_real *grad = calloc(2 * B * V, sizeof *grad);
    for (size_t k = 0; k < 2; k++)
        type->energy_grad_x(&model, ebm_path_end(), &batch, energy[k], grad + k * B * V, work[k]);
    ck_assert_mem_eq(energy[0], energy[1], sizeof energy[0]);
    ck_assert_mem_eq(grad, grad + B * V, B * V * sizeof *grad);
    free(grad);
    ebm_batch_free(&batch);
    ebm_model_free(&model);
    for (size_t k = 0; k < 2; k++)
        ebm_work_free(work[k]);
    test_options_free(&type->info, options);
}
END_TEST

START_TEST(test_posteriors_refusals) {
    fixture f;
    fixture_open(&f, &problems[0]);
    ebm_error refusal;
    double out;
    const ebm_path hot = {NULL, 0.5};
    ck_assert_int_eq(f.type->log_normaliser(&f.model, hot, &out, f.work, &refusal), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(refusal.message, "temperature 1"));
    ck_assert_int_eq(f.type->exact_mean(&f.model, ebm_path_end(), "magnetisation", &out, f.work, &refusal),
                     EBM_UNSUPPORTED);
    const ebm_space other = ebm_space_line(EBM_REAL_LINE, 3);
    ebm_model none;
    ck_assert_int_eq(ebm_model_create(f.type, f.options, &other, NULL, 1, &none, &refusal), EBM_INVALID);
    fixture_close(&f);
    /* so many examples that a table would take minutes: a model all the same */
    static const char *const many[] = {"count", "100000", NULL};
    void *options = test_options(&f.type->info, many);
    CHECK_OK(ebm_model_create(f.type, options, NULL, NULL, 1, &none, error));
    ck_assert_int_eq(f.type->log_normaliser(&none, ebm_path_end(), &out, NULL, &refusal), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(refusal.message, "too large"));
    ebm_model_free(&none);
    test_options_free(&f.type->info, options);
}
END_TEST

/* ---- Examples of one's own ---- */

static char inputs_path[64], labels_path[64];

static void write_own(const double *inputs, size_t rows, size_t columns, const double *labels, size_t count) {
    const size_t shape[] = {rows, columns};
    snprintf(inputs_path, sizeof inputs_path, "/tmp/posterior-x-%ld.npy", (long)getpid());
    snprintf(labels_path, sizeof labels_path, "/tmp/posterior-y-%ld.npy", (long)getpid());
    CHECK_OK(ebm_npy_write(inputs_path, EBM_NPY_FLOAT64, 2, shape, inputs, error));
    CHECK_OK(ebm_npy_write(labels_path, EBM_NPY_FLOAT64, 1, &count, labels, error));
}

static ebm_status open_own(const char *inputs, const char *labels, ebm_model *model, void **options, ebm_error *error) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "logistic-posterior");
    const char *pairs[5] = {0};
    size_t n = 0;
    if (inputs)
        pairs[n++] = "inputs", pairs[n++] = inputs;
    if (labels)
        pairs[n++] = "labels", pairs[n++] = labels;
    *options = test_options(&type->info, pairs);
    return ebm_model_create(type, *options, NULL, NULL, 1, model, error);
}

START_TEST(test_logistic_posterior_of_own_examples) {
    const double inputs[] = {1, 2, 0.5, 1, -1, 0.25}, labels[] = {1, 0};
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "logistic-posterior");
    ebm_model model;
    ebm_batch batch;
    ebm_work *work;
    void *options;
    double energy;
    CHECK_OK(ebm_work_create(1, &work, error));
    write_own(inputs, 2, 3, labels, 2);
    CHECK_OK(open_own(inputs_path, labels_path, &model, &options, error));
    ck_assert_uint_eq(model.space.size, 3);
    ck_assert_uint_eq(model.examples, 2);
    CHECK_OK(ebm_batch_create(&model, 1, &batch, error));
    batch.x[0] = 1, batch.x[1] = (ebm_real)0.5, batch.x[2] = -2;
    type->energy(&model, ebm_path_end(), &batch, &energy, work);
    /* logits 1 and 0: -log sigmoid(1) - log sigmoid(-0), prior variance 10 */
    const double want = log(1 + exp(-1.0)) + log(2.0) + 5.25 / 20 + 1.5 * log(2 * 3.14159265358979323846 * 10);
    ck_assert_double_le(fabs(energy - want), 100 * UNIT_ROUNDOFF);
    ebm_batch_free(&batch);
    ebm_model_free(&model);
    test_options_free(&type->info, options);
    ebm_work_free(work);
    unlink(inputs_path);
    unlink(labels_path);
}
END_TEST

START_TEST(test_logistic_posterior_refuses_bad_examples) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "logistic-posterior");
    const double inputs[] = {1, 2, 0.5, 1, -1, NAN}, labels[] = {1, 0, 2};
    const struct {
        size_t rows, columns, labels, first_label;
        bool give_inputs, give_labels;
        ebm_status status;
        const char *says;
    } cases[] = {
        {2, 2, 3, 0, true, true, EBM_FORMAT, "3 labels in 1 dimensions: expected 2"},
        {2, 2, 2, 1, true, true, EBM_FORMAT, "label 1 is 2: expected 0 or 1"},
        {3, 2, 3, 0, true, true, EBM_FORMAT, "is nan"},
        {0, 2, 2, 0, true, true, EBM_FORMAT, "empty"},
        {2, 2, 2, 0, true, false, EBM_INVALID, "no `labels`"},
        {2, 2, 2, 0, false, true, EBM_INVALID, "no `inputs`"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        ebm_model model;
        ebm_error error = {0};
        void *options;
        double own[3] = {1, 0, 1};
        if (k != 2)
            memcpy(own, labels + cases[k].first_label, (3 - cases[k].first_label) * sizeof *own);
        write_own(inputs, cases[k].rows, cases[k].columns, own, cases[k].labels);
        const ebm_status status = open_own(cases[k].give_inputs ? inputs_path : NULL,
                                           cases[k].give_labels ? labels_path : NULL, &model, &options, &error);
        ck_assert_msg(status == cases[k].status && strstr(error.message, cases[k].says), "case %zu: %s", k,
                      error.message);
        test_options_free(&type->info, options);
        unlink(inputs_path);
        unlink(labels_path);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("posteriors");
    TCase *cases = tcase_create("property");
    tcase_add_loop_test(cases, test_posteriors_by_definition, 0, CHECKS);
    tcase_add_loop_test(cases, test_posteriors_checks_can_fail, 0, CHECKS);
    tcase_add_test(cases, test_posteriors_draws_by_chain);
    tcase_add_loop_test(cases, test_posteriors_on_threads, 0, 2);
    tcase_add_test(cases, test_posteriors_refusals);
    tcase_add_test(cases, test_logistic_posterior_of_own_examples);
    tcase_add_test(cases, test_logistic_posterior_refuses_bad_examples);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
