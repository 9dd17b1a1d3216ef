/* Leapfrog steps of many rows: against a plain reference in double, back to the start, volume, order of the energy error,
 * rows that mind their own business. No randomness but fixed seeds. */
#include "rbm_fixture.h"

#include "samplers/leapfrog.h"

typedef struct dynamics {
    const ebm_model_type *type;
    void *options;
    ebm_model model;
    ebm_work *work;
    ebm_chains chains; /* counts alone */
} dynamics;

static const char *const correlated[] = {"units", "6", "covariance", "random", "condition", "30", "mean", "0.5", NULL};
static const char *const bent[] = {"length", "1", "width", "0.7", "bend", "0.5", NULL};
static const char *const plain[] = {NULL};
static const struct {
    const char *model;
    const char *const *options;
} problems[] = {{"gaussian", correlated}, {"banana", bent}, {"double-well", plain}};
enum { PROBLEMS = sizeof problems / sizeof *problems };

static void dynamics_open(dynamics *d, const char *model, const char *const *options) {
    memset(d, 0, sizeof *d);
    d->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, model);
    ck_assert_ptr_nonnull(d->type);
    d->options = test_options(&d->type->info, options);
    CHECK_OK(ebm_work_create(1, &d->work, error));
    CHECK_OK(ebm_model_create(d->type, d->options, NULL, NULL, 1, &d->model, error));
}

static void dynamics_close(dynamics *d) {
    ebm_model_free(&d->model);
    test_options_free(&d->type->info, d->options);
    ebm_work_free(d->work);
}

/* Rows of x ~ N(0, 1/4), r ~ N(0, 1), looked at. */
static ebm_phase start_points(dynamics *d, size_t rows, uint64_t seed) {
    const size_t V = d->model.space.size;
    test_random random = {seed};
    ebm_phase phase;
    ck_assert(ebm_phase_take(&d->model, rows, &phase, d->work));
    for (size_t k = 0; k < rows * V; k++) {
        phase.batch.x[k] = (ebm_real)(0.5 * test_random_normal(&random));
        phase.momentum[k] = (ebm_real)test_random_normal(&random);
    }
    ebm_phase_look(&d->model, ebm_path_end(), &phase, &d->chains, d->work);
    return phase;
}

static ebm_phase copy_of(dynamics *d, const ebm_phase *from) {
    ebm_phase to;
    ck_assert(ebm_phase_take(&d->model, from->batch.count, &to, d->work));
    for (size_t b = 0; b < from->batch.count; b++)
        ebm_phase_copy(&d->model, from, b, &to, b);
    return to;
}

enum { MOST_UNITS = 8 };

/* Scales from 0.6 to 1.3, and steps of either sign. */
static void fill_steps(size_t V, size_t rows, double size, ebm_real *scale, ebm_real *step) {
    for (size_t i = 0; i < V; i++)
        scale[i] = (ebm_real)(0.6 + 0.1 * (double)i);
    for (size_t b = 0; b < rows; b++)
        step[b] = (ebm_real)((b % 2 ? -1 : 1) * size * (1 + 0.1 * (double)b));
}

/* One row by the definition, in double, gradients from the model at x rounded as the model sees it. */
static void plain_trajectory(dynamics *d, const ebm_real *scale, double step, size_t steps, double *x, double *r) {
    const size_t V = d->model.space.size;
    ebm_batch batch;
    ebm_real gradient[MOST_UNITS];
    CHECK_OK(ebm_batch_create(&d->model, 1, &batch, error));
    for (size_t k = 0; k <= steps; k++) {
        for (size_t i = 0; i < V; i++)
            batch.x[i] = (ebm_real)x[i];
        batch.field_ok = false;
        ebm_model_field(&d->model, &batch, d->work);
        d->type->grad_x(&d->model, ebm_path_end(), &batch, gradient, d->work);
        const double share = k == 0 || k == steps ? 0.5 : 1;
        for (size_t i = 0; i < V; i++)
            r[i] -= share * step * (double)scale[i] * (double)gradient[i];
        for (size_t i = 0; k < steps && i < V; i++)
            x[i] += step * (double)scale[i] * r[i];
    }
    ebm_batch_free(&batch);
}

/* What rounding may do along n steps of these problems: an error made at one step is passed on by each later one with a
 * factor that the curvature bounds (condition 30, steps of 0.1 or less: stable, so errors grow linearly; banana and wells
 * are mildly unstable in places). 200 roundings a step, of numbers below 10, cover that with a factor of ten to spare. */
static double rounding(size_t steps) {
    return 200 * 10 * UNIT_ROUNDOFF * (double)steps;
}

START_TEST(test_leapfrog_is_the_definition) {
    enum { ROWS = 7, STEPS = 12 };
    dynamics d;
    ebm_real scale[MOST_UNITS], step[ROWS];
    dynamics_open(&d, problems[_i].model, problems[_i].options);
    const size_t V = d.model.space.size;
    fill_steps(V, ROWS, 0.05, scale, step);
    ebm_phase start = start_points(&d, ROWS, 3), end = copy_of(&d, &start);
    d.chains.gradient_evaluations = d.chains.energy_evaluations = 0;
    ebm_leapfrog(&d.model, ebm_path_end(), scale, step, STEPS, &end, &d.chains, d.work);
    ck_assert_uint_eq(d.chains.gradient_evaluations, (uint64_t)ROWS * STEPS);
    ck_assert_uint_eq(d.chains.energy_evaluations, ROWS);
    double kinetic[ROWS];
    ebm_phase_kinetic(&d.model, &end, kinetic, d.work);
    for (size_t b = 0; b < ROWS; b++) {
        double x[MOST_UNITS], r[MOST_UNITS], half = 0;
        for (size_t i = 0; i < V; i++) {
            x[i] = (double)start.batch.x[b * V + i];
            r[i] = (double)start.momentum[b * V + i];
        }
        plain_trajectory(&d, scale, (double)step[b], STEPS, x, r);
        for (size_t i = 0; i < V; i++) {
            ck_assert_double_le(fabs((double)end.batch.x[b * V + i] - x[i]), rounding(STEPS));
            ck_assert_double_le(fabs((double)end.momentum[b * V + i] - r[i]), rounding(STEPS));
            half += 0.5 * r[i] * r[i];
        }
        ck_assert_double_le(fabs(kinetic[b] - half), 10 * rounding(STEPS));
    }
    /* energy and gradient belong to the end points */
    ebm_phase again = copy_of(&d, &end);
    ebm_phase_look(&d.model, ebm_path_end(), &again, &d.chains, d.work);
    ck_assert_mem_eq(again.energy, end.energy, ROWS * sizeof(double));
    ck_assert_mem_eq(again.gradient, end.gradient, ROWS * V * sizeof(ebm_real));
    dynamics_close(&d);
}
END_TEST

/* Forth and then back: with the opposite step, and with the momentum turned round. */
START_TEST(test_leapfrog_reversible) {
    enum { ROWS = 5, STEPS = 40 };
    dynamics d;
    ebm_real scale[MOST_UNITS], step[ROWS];
    dynamics_open(&d, problems[_i].model, problems[_i].options);
    const size_t V = d.model.space.size;
    for (int turn = 0; turn < 2; turn++) {
        fill_steps(V, ROWS, 0.05, scale, step);
        ebm_phase start = start_points(&d, ROWS, 5), end = copy_of(&d, &start);
        ebm_leapfrog(&d.model, ebm_path_end(), scale, step, STEPS, &end, &d.chains, d.work);
        double moved = 0;
        for (size_t k = 0; k < ROWS * V; k++)
            moved = fmax(moved, fabs((double)end.batch.x[k] - (double)start.batch.x[k]));
        ck_assert_double_gt(moved, 0.3); /* it has gone somewhere */
        for (size_t b = 0; b < ROWS; b++)
            step[b] = turn ? step[b] : -step[b];
        for (size_t k = 0; turn && k < ROWS * V; k++)
            end.momentum[k] = -end.momentum[k];
        ebm_leapfrog(&d.model, ebm_path_end(), scale, step, STEPS, &end, &d.chains, d.work);
        for (size_t k = 0; k < ROWS * V; k++) {
            const double sign = turn ? -1 : 1;
            ck_assert_double_le(fabs((double)end.batch.x[k] - (double)start.batch.x[k]), rounding(2 * STEPS));
            ck_assert_double_le(fabs(sign * (double)end.momentum[k] - (double)start.momentum[k]), rounding(2 * STEPS));
        }
    }
    dynamics_close(&d);
}
END_TEST

static double determinant(size_t n, double *A) {
    double product = 1;
    for (size_t k = 0; k < n; k++) {
        size_t pivot = k;
        for (size_t i = k + 1; i < n; i++)
            pivot = fabs(A[i * n + k]) > fabs(A[pivot * n + k]) ? i : pivot;
        for (size_t j = 0; j < n && pivot != k; j++) {
            const double t = A[k * n + j];
            A[k * n + j] = A[pivot * n + j];
            A[pivot * n + j] = t;
        }
        product *= pivot != k ? -A[k * n + k] : A[k * n + k];
        for (size_t i = k + 1; i < n; i++)
            for (size_t j = n; j-- > k;)
                A[i * n + j] -= A[i * n + k] / A[k * n + k] * A[k * n + j];
    }
    return product;
}

/* The determinant of d(x', r') / d(x, r) by central differences of step h, a row of the batch for each point. Their error
 * is of order h^2 where the gradient is not linear, and rounding / h: h = 1e-4 in double, where both are near 1e-8; in
 * float h = 0.05, the linear problem alone. */
START_TEST(test_leapfrog_keeps_volume) {
    enum { STEPS = 15 };
    dynamics d;
    ebm_real scale[MOST_UNITS], step[4 * MOST_UNITS];
    const double h = sizeof(ebm_real) == 8 ? 1e-4 : 0.05, allowed = sizeof(ebm_real) == 8 ? 1e-5 : 5e-3;
    if (sizeof(ebm_real) == 4 && _i > 0)
        return;
    dynamics_open(&d, problems[_i].model, problems[_i].options);
    const size_t V = d.model.space.size, n = 2 * V;
    fill_steps(V, 1, 0.08, scale, step);
    ebm_phase one = start_points(&d, 1, 8), all;
    ck_assert(ebm_phase_take(&d.model, 2 * n, &all, d.work));
    for (size_t b = 0; b < 2 * n; b++) {
        ebm_phase_copy(&d.model, &one, 0, &all, b);
        ebm_real *to = b / 2 < V ? all.batch.x : all.momentum;
        to[b * V + b / 2 % V] += (ebm_real)(b % 2 ? -h : h);
        step[b] = step[0];
    }
    ebm_phase_look(&d.model, ebm_path_end(), &all, &d.chains, d.work);
    ebm_leapfrog(&d.model, ebm_path_end(), scale, step, STEPS, &all, &d.chains, d.work);
    double J[4 * MOST_UNITS * MOST_UNITS];
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < V; i++) {
            const size_t up = 2 * k * V + i, down = (2 * k + 1) * V + i;
            J[k * n + i] = ((double)all.batch.x[up] - (double)all.batch.x[down]) / (2 * h);
            J[k * n + V + i] = ((double)all.momentum[up] - (double)all.momentum[down]) / (2 * h);
        }
    const double volume = determinant(n, J);
    ck_assert_msg(fabs(volume - 1) < allowed, "%s: volume %.10g", problems[_i].model, volume);
    dynamics_close(&d);
}
END_TEST

/* The root mean square of H(end) - H(start) over rows, for a time of 1.2 in n steps, falls as n^-2 (Neal 2011, section
 * 5.2.3.4): the slope of log against log between n = 10 and 20, and 20 and 40, is 2 but for terms of higher order, a few
 * percent at these steps. In float the coarser pair alone, whose errors are well above rounding. */
START_TEST(test_leapfrog_energy_error_is_second_order) {
    enum { ROWS = 400 };
    dynamics d;
    static ebm_real scale[MOST_UNITS], step[ROWS];
    static double before[ROWS], after[ROWS];
    double rms[3] = {0};
    dynamics_open(&d, problems[_i].model, problems[_i].options);
    const size_t V = d.model.space.size, pairs = sizeof(ebm_real) == 8 ? 2 : 1;
    const ebm_phase start = start_points(&d, ROWS, 13);
    for (size_t k = 0; k <= pairs; k++) {
        const size_t steps = (size_t)16 << k;
        ebm_phase end = copy_of(&d, &start);
        for (size_t i = 0; i < V; i++)
            scale[i] = 1;
        for (size_t b = 0; b < ROWS; b++)
            step[b] = (ebm_real)(1.2 / (double)steps);
        ebm_phase_kinetic(&d.model, &start, before, d.work);
        ebm_leapfrog(&d.model, ebm_path_end(), scale, step, steps, &end, &d.chains, d.work);
        ebm_phase_kinetic(&d.model, &end, after, d.work);
        for (size_t b = 0; b < ROWS; b++)
            rms[k] += pow(end.energy[b] + after[b] - start.energy[b] - before[b], 2) / ROWS;
        rms[k] = sqrt(rms[k]);
    }
    for (size_t k = 0; k < pairs; k++) {
        const double slope = log2(rms[k] / rms[k + 1]);
        ck_assert_msg(fabs(slope - 2) < 0.25, "%s: r.m.s. errors %g and %g, order %g", problems[_i].model, rms[k],
                      rms[k + 1], slope);
    }
    dynamics_close(&d);
}
END_TEST

/* A row that runs away to infinity leaves the others as they are without it, byte for byte. */
START_TEST(test_leapfrog_rows_are_apart) {
    enum { ROWS = 6, STEPS = 10 };
    dynamics d;
    ebm_real scale[MOST_UNITS], step[ROWS];
    dynamics_open(&d, problems[_i].model, problems[_i].options);
    const size_t V = d.model.space.size;
    fill_steps(V, ROWS, 0.05, scale, step);
    ebm_phase calm = start_points(&d, ROWS, 21), wild = copy_of(&d, &calm);
    for (size_t i = 0; i < V; i++)
        wild.momentum[2 * V + i] = (ebm_real)INFINITY;
    ebm_leapfrog(&d.model, ebm_path_end(), scale, step, STEPS, &calm, &d.chains, d.work);
    ebm_leapfrog(&d.model, ebm_path_end(), scale, step, STEPS, &wild, &d.chains, d.work);
    ck_assert(!isfinite(wild.energy[2]));
    for (size_t b = 0; b < ROWS; b++) {
        if (b == 2)
            continue;
        ck_assert_mem_eq(calm.batch.x + b * V, wild.batch.x + b * V, V * sizeof(ebm_real));
        ck_assert_mem_eq(calm.momentum + b * V, wild.momentum + b * V, V * sizeof(ebm_real));
        ck_assert_double_eq(calm.energy[b], wild.energy[b]);
    }
    dynamics_close(&d);
}
END_TEST

/* More rows than one block holds move as they do few at a time. Banana: its gradients are worked out row by row, so the
 * bytes are the same. */
START_TEST(test_leapfrog_blocks_agree) {
    enum { ROWS = 40000, FEW = 100, STEPS = 3 };
    dynamics d;
    ebm_real scale[MOST_UNITS];
    ebm_real *step = calloc(ROWS, sizeof *step);
    dynamics_open(&d, "banana", bent);
    const size_t V = d.model.space.size;
    ck_assert_ptr_nonnull(step);
    fill_steps(V, FEW, 0.03, scale, step);
    for (size_t b = FEW; b < ROWS; b++)
        step[b] = step[b % FEW];
    ebm_phase few = start_points(&d, FEW, 2), many;
    ck_assert(ebm_phase_take(&d.model, ROWS, &many, d.work));
    for (size_t b = 0; b < ROWS; b++)
        ebm_phase_copy(&d.model, &few, b % FEW, &many, b);
    ebm_leapfrog(&d.model, ebm_path_end(), scale, step, STEPS, &few, &d.chains, d.work);
    ebm_leapfrog(&d.model, ebm_path_end(), scale, step, STEPS, &many, &d.chains, d.work);
    for (size_t b = 0; b < ROWS; b += FEW) {
        ck_assert_mem_eq(many.batch.x + b * V, few.batch.x, FEW * V * sizeof(ebm_real));
        ck_assert_mem_eq(many.momentum + b * V, few.momentum, FEW * V * sizeof(ebm_real));
        ck_assert_mem_eq(many.energy + b, few.energy, FEW * sizeof(double));
    }
    free(step);
    dynamics_close(&d);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("leapfrog");
    TCase *tcase = tcase_create("leapfrog");
    tcase_add_loop_test(tcase, test_leapfrog_is_the_definition, 0, PROBLEMS);
    tcase_add_loop_test(tcase, test_leapfrog_reversible, 0, PROBLEMS);
    tcase_add_loop_test(tcase, test_leapfrog_keeps_volume, 0, PROBLEMS);
    tcase_add_loop_test(tcase, test_leapfrog_energy_error_is_second_order, 0, PROBLEMS);
    tcase_add_loop_test(tcase, test_leapfrog_rows_are_apart, 0, PROBLEMS);
    tcase_add_test(tcase, test_leapfrog_blocks_agree);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
