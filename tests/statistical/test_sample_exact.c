/* Independent exact draws (the slot sample_exact) against the enumerated distribution: Pearson's statistic over all visible
 * states, with limits of false alarm 1e-6 (statistics.h), at fixed seeds. */
#include "oracle.h"
#include "rbm_fixture.h"
#include "statistics.h"

#include <check.h>
#include <stdlib.h>

enum { DRAWS = 40000 };

/* Counts of the states drawn at the path; `shift` plants an error: the code of each state moves by that much. */
static chi_square draws_against(rbm_fixture *f, int base, double beta, size_t shift) {
    oracle o = oracle_open(&f->machine, base, beta);
    ebm_batch batch;
    chi_square chi = {0};
    double *counts = calloc(o.S, sizeof *counts);
    ck_assert_ptr_nonnull(counts);
    CHECK_OK(ebm_batch_create(&f->model, DRAWS, &batch, error));
    CHECK_OK(f->type->sample_exact(&f->model, rbm_path(f, base, beta), &batch, ebm_stream_of(7, EBM_PURPOSE_ESTIMATE),
                                   0, 5, f->work, error));
    for (size_t b = 0; b < DRAWS; b++)
        counts[(rbm_read_state(f->machine.V, batch.x + b * f->machine.V) + shift) % o.S]++;
    chi_square_row(&chi, o.S, o.p, counts);
    ebm_batch_free(&batch);
    free(counts);
    oracle_close(&o);
    return chi;
}

/* The smaller layer is the hidden one, or the visible one. */
static const struct { size_t V, H; } shapes[] = {{1, 1}, {6, 3}, {3, 6}, {8, 8}};

START_TEST(test_sample_exact_has_the_law_of_the_model) {
    for (int base = 0; base < 2; base++)
        for (int i = 0; i < 3; i++) {
            rbm_fixture f;
            const double beta = 0.5 * i;
            rbm_open(&f, shapes[_i].V, shapes[_i].H, RBM_NORMAL, 1.0, 3);
            chi_square chi = draws_against(&f, base, beta, 0);
            if (!(chi.statistic <= chi_square_limit(chi.degrees)))
                ck_abort_msg("%zu x %zu, base %d, beta %g: chi-square %g with %g degrees of freedom", shapes[_i].V,
                             shapes[_i].H, base, beta, chi.statistic, chi.degrees);
            rbm_close(&f);
        }
}
END_TEST

START_TEST(test_sample_exact_check_finds_a_shifted_state) {
    rbm_fixture f;
    rbm_open(&f, 6, 3, RBM_NORMAL, 1.0, 3);
    chi_square chi = draws_against(&f, 0, 1.0, 1);
    ck_assert(chi.statistic > chi_square_limit(chi.degrees));
    rbm_close(&f);
}
END_TEST

/* A machine of any size, its parameters zero. */
typedef struct machine {
    const ebm_model_type *type;
    void *options;
    ebm_model model;
    ebm_work *work;
} machine;

static machine machine_open(size_t V, const char *hidden) {
    machine m = {.type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "rbm")};
    const char *pairs[] = {"hidden", hidden, "init", "zero", NULL};
    ebm_space space = ebm_space_line(EBM_BINARY, V);
    m.options = test_options(&m.type->info, pairs);
    CHECK_OK(ebm_work_create(1, &m.work, error));
    CHECK_OK(ebm_model_create(m.type, m.options, &space, NULL, 1, &m.model, error));
    return m;
}

static void machine_close(machine *m) {
    ebm_model_free(&m->model);
    test_options_free(&m->type->info, m->options);
    ebm_work_free(m->work);
}

/* More units than one block (2^10 states) of the enumeration holds. Visible unit j shows hidden unit j: W_jj = 40,
 * b_j = -20, so that P(v_j = h_j) = sigmoid(20), 1 to 2e-9, and summing v_j out leaves 20 h_j to the same; c_j takes that
 * back. The v_j are then independent with means sigmoid(t_j). Each frequency within 5.6 binomial standard errors: false
 * alarm 2e-8 each, 12 of them. */
START_TEST(test_sample_exact_crosses_blocks) {
    enum { V = 13, H = 12 };
    machine m = machine_open(V, "12");
    ebm_batch batch;
    for (size_t j = 0; j < H; j++) {
        ebm_model_view(&m.model, "W")[j * H + j] = 40;
        ebm_model_view(&m.model, "visible_bias")[j] = -20;
        ebm_model_view(&m.model, "hidden_bias")[j] = (ebm_real)(0.3 * (double)j - 1.5 - 20);
    }
    ebm_model_refresh(&m.model, m.work);
    CHECK_OK(ebm_batch_create(&m.model, DRAWS, &batch, error));
    CHECK_OK(m.type->sample_exact(&m.model, ebm_path_end(), &batch, ebm_stream_of(7, EBM_PURPOSE_ESTIMATE), 0, 5,
                                  m.work, error));
    for (size_t j = 0; j < H; j++) {
        double mean = 0, p = 1 / (1 + exp(1.5 - 0.3 * (double)j));
        for (size_t b = 0; b < DRAWS; b++)
            mean += (double)batch.x[b * V + j] / DRAWS;
        if (!(fabs(mean - p) <= 5.6 * sqrt(p * (1 - p) / DRAWS)))
            ck_abort_msg("unit %zu: frequency %g, probability %g", j, mean, p);
    }
    ebm_batch_free(&batch);
    machine_close(&m);
}
END_TEST

START_TEST(test_sample_exact_refuses_large_layers) {
    machine m = machine_open(21, "21");
    ebm_batch batch;
    ebm_error said = {0};
    CHECK_OK(ebm_batch_create(&m.model, 2, &batch, error));
    ck_assert_int_eq(m.type->sample_exact(&m.model, ebm_path_end(), &batch, ebm_stream_of(1, 1), 0, 0, m.work, &said),
                     EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(said.message, "20 units"));
    ebm_batch_free(&batch);
    machine_close(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sample_exact");
    TCase *tests = tcase_create("draws");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, test_sample_exact_has_the_law_of_the_model, 0, sizeof shapes / sizeof *shapes);
    tcase_add_test(tests, test_sample_exact_check_finds_a_shifted_state);
    tcase_add_test(tests, test_sample_exact_crosses_blocks);
    tcase_add_test(tests, test_sample_exact_refuses_large_layers);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
