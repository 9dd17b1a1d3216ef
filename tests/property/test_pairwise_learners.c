/* Learners of dense pairwise machines that need no sampling: objectives and gradients of pseudo-likelihood and ratio
 * matching against the definition and central differences, consistency by enumeration, mean field and TAP by the order
 * in the couplings to which they are right, L-BFGS on the exact likelihood, and what is refused. */
#include "boltzmann_fixture.h"

#include "ebm/learner.h"
#include "ebm/likelihood.h"
#include "learners/conditionals.h"

static const ebm_learner_type *learner_named(const char *name) {
    const ebm_learner_type *type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, name);
    ck_assert_ptr_nonnull(type);
    return type;
}

/* The two losses again, straight from their definitions. */
static void minus_log(double margin, double *loss, double *slope) {
    *loss = -log(1 / (1 + exp(-margin)));
    *slope = -1 / (1 + exp(margin));
}
static void squared(double margin, double *loss, double *slope) {
    const double other = 1 / (1 + exp(margin));
    *loss = other * other;
    *slope = -2 * other * other * (1 - other);
}
static ebm_margin_loss *const losses[] = {minus_log, squared};
static const char *const names[] = {"pseudo-likelihood", "ratio-matching"};
enum { LOSSES = 2, UNITS = 5, THETA = UNITS * UNITS + UNITS };

/* sum_i loss of state s, from two energies for each unit. */
static double loss_of_state(const boltzmann *m, ebm_margin_loss *loss, size_t s) {
    double total = 0, value, slope;
    for (size_t i = 0; i < m->V; i++) {
        loss(boltzmann_energy(m, 0, 1, s ^ (size_t)1 << i) - boltzmann_energy(m, 0, 1, s), &value, &slope);
        total += value;
    }
    return total;
}

static ebm_pairwise machine_of(boltzmann *m) {
    return (ebm_pairwise){m->V, m->spin, ebm_model_view(&m->model, "W"), ebm_model_view(&m->model, "bias")};
}

static double objective(boltzmann *m, ebm_margin_loss *loss, const ebm_real *x, size_t count, double *gradient) {
    const ebm_pairwise machine = machine_of(m);
    double value;
    CHECK_OK(ebm_conditionals_objective(&m->model, &machine, loss, x, count, &value, gradient, m->work, error));
    return value;
}

/* Margins are off by 2 boltzmann_bound, of which the losses' slopes are at most 1. */
START_TEST(test_conditionals_value_is_definition) {
    for (int spin = 0; spin < 2; spin++) {
        boltzmann m;
        double gradient[THETA], expected = 0;
        boltzmann_open(&m, UNITS, spin, RBM_NORMAL, 0.7, 5);
        ebm_batch all = boltzmann_all_states(&m);
        for (size_t s = 0; s < m.S; s++)
            expected += loss_of_state(&m, losses[_i], s) / (double)m.S;
        const double value = objective(&m, losses[_i], all.x, m.S, gradient);
        ck_assert_double_le(fabs(value - expected), 2 * UNITS * boltzmann_bound(&m) + 1e-13);
        ebm_batch_free(&all);
        boltzmann_close(&m);
    }
}
END_TEST

static void nudge(boltzmann *m, size_t i, size_t j, double by) {
    ebm_pairwise p = machine_of(m);
    if (i == j)
        p.bias[i] += (ebm_real)by;
    else
        p.W[i * m->V + j] = p.W[j * m->V + i] += (ebm_real)by;
    ebm_model_refresh(&m->model, m->work);
}

/* Along both halves of a coupling, and a bias. Central differences with step e: truncation e^2 / 6 times a third
 * derivative, at most 2 g^3 here, and rounding of the two values over e. */
START_TEST(test_conditionals_gradient_is_central_difference) {
    const double e = sizeof(ebm_real) == 8 ? 0x1p-13 : 0x1p-6, bound = sizeof(ebm_real) == 8 ? 1e-7 : 2e-3;
    for (int spin = 0; spin < 2; spin++) {
        boltzmann m;
        double gradient[THETA], scratch[THETA];
        boltzmann_open(&m, UNITS, spin, RBM_NORMAL, 0.7, 6);
        ebm_batch all = boltzmann_all_states(&m);
        objective(&m, losses[_i], all.x, 19, gradient); /* some of the states: no symmetry hides an error */
        for (size_t i = 0; i < UNITS; i++)
            for (size_t j = i; j < UNITS; j++) {
                nudge(&m, i, j, e);
                const double up = objective(&m, losses[_i], all.x, 19, scratch);
                nudge(&m, i, j, -2 * e);
                const double down = objective(&m, losses[_i], all.x, 19, scratch);
                nudge(&m, i, j, e);
                const double slope =
                    i == j ? gradient[UNITS * UNITS + i] : gradient[i * UNITS + j] + gradient[j * UNITS + i];
                ck_assert_double_le(fabs(slope - (up - down) / (2 * e)), bound);
                ck_assert(gradient[i * UNITS + j] == gradient[j * UNITS + i]);
            }
        for (size_t i = 0; i < UNITS; i++)
            ck_assert(gradient[i * UNITS + i] == 0);
        ebm_batch_free(&all);
        boltzmann_close(&m);
    }
}
END_TEST

/* sum_s p(s) gradient(s) = 0 at the truth; away from it, it is not. Rounding: one gradient's is below 2 (V + 1)
 * boltzmann_bound, and weights add up to 1. */
START_TEST(test_conditionals_consistent) {
    for (int spin = 0; spin < 2; spin++)
        for (int moved = 0; moved < 2; moved++) {
            boltzmann m;
            double gradient[THETA], mean[THETA] = {0}, p[1 << UNITS], largest = 0;
            boltzmann_open(&m, UNITS, spin, RBM_NORMAL, 0.7, 7);
            boltzmann_law(&m, 0, 1, p);
            if (moved)
                nudge(&m, 0, 1, 0.1);
            ebm_batch all = boltzmann_all_states(&m);
            for (size_t s = 0; s < m.S; s++) {
                objective(&m, losses[_i], all.x + s * UNITS, 1, gradient);
                for (size_t k = 0; k < THETA; k++)
                    mean[k] += p[s] * gradient[k];
            }
            for (size_t k = 0; k < THETA; k++)
                largest = fmax(largest, fabs(mean[k]));
            const double bound = 2 * (UNITS + 1) * boltzmann_bound(&m) + 1e-13;
            ck_assert_msg(moved ? largest > 1e-3 : largest <= bound, "%s, %s: %g (bound %g)", names[_i],
                          moved ? "away" : "at the truth", largest, bound);
            ebm_batch_free(&all);
            boltzmann_close(&m);
        }
}
END_TEST

/* x (sum of counts, V): state s stands round(p_s draws) times. */
static ebm_real *nearly_exact_data(const boltzmann *m, size_t draws, size_t *count) {
    double p[1 << 8];
    boltzmann_law(m, 0, 1, p);
    ebm_real *x = calloc((draws + m->S) * m->V, sizeof *x);
    *count = 0;
    for (size_t s = 0; s < m->S; s++)
        for (size_t k = (size_t)lround(p[s] * (double)draws); k > 0; k--)
            boltzmann_write(m, s, x + (*count)++ * m->V);
    return x;
}

static void learn(boltzmann *m, const char *name, const char *const *pairs, const ebm_real *x, size_t count) {
    const ebm_learner_type *type = learner_named(name);
    void *options = test_options(&type->info, pairs);
    ebm_dataset data = {.space = m->model.space, .train = {.count = count}};
    ebm_learner learner;
    CHECK_OK(ebm_learner_create(type, options, &m->model, NULL, &data, 1, count, 1, &learner, error));
    CHECK_OK(ebm_learner_update(&learner, x, count, m->work, error));
    ck_assert_msg(learner.finished, "%s has not finished", name);
    ebm_learner_free(&learner);
    test_options_free(&type->info, options);
}

/* Largest error of a coupling and of a bias after learning from (nearly) exact moments of a machine whose couplings have
 * the given scale and whose means are well away from 0 and 1. */
static void errors_of(const char *name, bool spin, double scale, double *couplings, double *biases) {
    enum { V = 3, DRAWS = 4000000 };
    boltzmann m;
    size_t count;
    boltzmann_open(&m, V, spin, RBM_NORMAL, 1.0, 11);
    ebm_pairwise p = machine_of(&m);
    for (size_t i = 0; i < V; i++) { /* fields of 0.3, -0.45, 0.6 for spins */
        p.bias[i] = (ebm_real)((i == 1 ? -0.15 : 0.15) * (double)(i + 2) * (spin ? 1 : 2));
        m.b[i] = (double)p.bias[i];
        for (size_t j = 0; j < V; j++) {
            p.W[i * V + j] *= (ebm_real)scale;
            m.w[i][j] = (double)p.W[i * V + j];
        }
    }
    ebm_model_refresh(&m.model, m.work);
    ebm_real *x = nearly_exact_data(&m, DRAWS, &count);
    learn(&m, name, NULL, x, count);
    *couplings = *biases = 0;
    for (size_t i = 0; i < V; i++) {
        for (size_t j = 0; j < V; j++)
            *couplings = fmax(*couplings, fabs((double)p.W[i * V + j] - m.w[i][j]));
        *biases = fmax(*biases, fabs((double)p.bias[i] - m.b[i]));
    }
    free(x);
    boltzmann_close(&m);
}

/* Halving the couplings divides the error by 2^order: 2 for mean field, 3 for TAP (of biases too), up to the next order
 * in a coupling of 1/16, of a machine none of whose leading terms nearly cancels. Counts are rounded to 1 in 4e6: moments
 * to 1e-6, a few hundredths of the smallest error here. */
START_TEST(test_inversion_order) {
    static const char *const learners[] = {"mean-field", "tap"};
    for (int spin = 0; spin < 2; spin++) {
        const double scale = spin ? 0.0625 : 0.25; /* a 0/1 machine's couplings are those of spins times 4 */
        double w1, b1, w2, b2;
        errors_of(learners[_i], spin, scale, &w1, &b1);
        errors_of(learners[_i], spin, scale / 2, &w2, &b2);
        const double order = log2(w1 / w2), of_bias = log2(b1 / b2), expected = 2 + _i;
        ck_assert_msg(fabs(order - expected) < 0.3, "%s: couplings %g, %g: order %g", learners[_i], w1, w2, order);
        ck_assert_msg(of_bias > expected - 0.3, "%s: biases %g, %g: order %g", learners[_i], b1, b2, of_bias);
    }
}
END_TEST

/* From 5e4 examples whose frequencies are a machine's, the objectives' minimum is the machine: to the rounding of counts
 * (1e-4) over the smallest curvature (about 0.02), and to where L-BFGS stops in float. W stays symmetric to the bit. */
START_TEST(test_lbfgs_finds_the_machine) {
    static const char *const learners[] = {"exact", "pseudo-likelihood", "ratio-matching"};
    static const char *const pairs[] = {"optimiser", "lbfgs", "iterations", "500", NULL};
    for (int spin = 0; spin < 2; spin++) {
        boltzmann m;
        size_t count;
        double gap[THETA] = {0}, largest = 0;
        boltzmann_open(&m, UNITS, spin, RBM_NORMAL, 0.5, 8);
        ebm_real *x = nearly_exact_data(&m, 50000, &count), expected[THETA] = {0};
        const ebm_pairwise p = machine_of(&m);
        memset(m.model.theta, 0, THETA * sizeof(ebm_real));
        ebm_model_refresh(&m.model, m.work);
        learn(&m, learners[_i], pairs, x, count);
        for (size_t i = 0; i < UNITS; i++)
            for (size_t j = 0; j < UNITS; j++) {
                ck_assert(p.W[i * UNITS + j] == p.W[j * UNITS + i]);
                ck_assert_msg(fabs((double)p.W[i * UNITS + j] - m.w[i][j]) < 1e-2, "%s: w_%zu%zu is %g, not %g",
                              learners[_i], i, j, (double)p.W[i * UNITS + j], m.w[i][j]);
            }
        /* Moments agree to 5e-7 in float, which leaves 1e-7 of numbers below 1. In double a line search no longer sees the
         * gain of a step, |gradient|^2 / (2 curvature), where it is below the rounding of the objective, 1e-15, curvatures
         * being 1 at most: at 4e-8. */
        if (_i == 0) {
            CHECK_OK(ebm_add_grad_theta(&m.model, x, count, gap, m.work, error));
            CHECK_OK(m.model.type->expected_grad_theta(&m.model, 1, expected, NULL, m.work, error));
            for (size_t k = 0; k < THETA; k++)
                largest = fmax(largest, fabs(gap[k] / (double)count - (double)expected[k]));
            ck_assert_double_lt(largest, sizeof(ebm_real) == 8 ? 1e-7 : 5e-7);
        }
        free(x);
        boltzmann_close(&m);
    }
}
END_TEST

/* theta of a step of SGD less theta before = rate times the objective's descent, in the couplings themselves. */
START_TEST(test_sgd_step_is_gradient) {
    boltzmann m;
    double gradient[THETA], before[THETA];
    boltzmann_open(&m, UNITS, true, RBM_NORMAL, 0.5, 9);
    ebm_batch all = boltzmann_all_states(&m);
    objective(&m, losses[_i], all.x, 11, gradient);
    for (size_t k = 0; k < THETA; k++)
        before[k] = (double)m.model.theta[k];
    const ebm_learner_type *type = learner_named(names[_i]);
    static const char *const pairs[] = {"rate", "0.5", NULL};
    void *options = test_options(&type->info, pairs);
    ebm_learner learner;
    CHECK_OK(ebm_learner_create(type, options, &m.model, NULL, NULL, 1, 11, 1, &learner, error));
    CHECK_OK(ebm_learner_update(&learner, all.x, 11, m.work, error));
    ck_assert(!learner.finished);
    for (size_t k = 0; k < THETA; k++) {
        const double step = -0.5 * gradient[k] * (k < UNITS * UNITS ? 2 : 1);
        ck_assert_double_le(fabs((double)m.model.theta[k] - before[k] - step), 16 * UNIT_ROUNDOFF);
    }
    ebm_learner_free(&learner);
    test_options_free(&type->info, options);
    ebm_batch_free(&all);
    boltzmann_close(&m);
}
END_TEST

/* What must be said, with its number, instead of couplings that mean nothing. */
static void refused(boltzmann *m, const char *name, const ebm_real *x, size_t count, ebm_status expected,
                    const char *text) {
    const ebm_learner_type *type = learner_named(name);
    ebm_learner learner;
    ebm_error message = {0};
    CHECK_OK(ebm_learner_create(type, "", &m->model, NULL, NULL, 1, count, 1, &learner, error));
    ck_assert_int_eq(ebm_learner_update(&learner, x, count, m->work, &message), expected);
    ck_assert_msg(strstr(message.message, text) != NULL, "%s: '%s'", name, message.message);
    ebm_learner_free(&learner);
}

START_TEST(test_inversion_refuses_singular) {
    static const char *const learners[] = {"mean-field", "tap"};
    boltzmann m;
    ebm_real x[64 * UNITS];
    boltzmann_open(&m, UNITS, true, RBM_NORMAL, 0.5, 10);
    ebm_batch all = boltzmann_all_states(&m);
    memcpy(x, all.x, m.S * UNITS * sizeof *x);
    refused(&m, learners[_i], x, 4, EBM_INVALID, "rank is 2 of 5 (3 units never change)");
    for (size_t s = 0; s < m.S; s++)
        x[s * UNITS + 4] = -x[s * UNITS]; /* one unit repeats another */
    refused(&m, learners[_i], x, m.S, EBM_INVALID, "rank is 4 of 5 (0 units never change)");
    ebm_batch_free(&all);
    boltzmann_close(&m);
}
END_TEST

START_TEST(test_other_models_refused) {
    static const char *const learners[] = {"mean-field", "tap", "pseudo-likelihood", "ratio-matching"};
    rbm_fixture f;
    rbm_open(&f, 4, 3, RBM_NORMAL, 1.0, 61);
    const ebm_learner_type *type = learner_named(learners[_i]);
    void *options = test_options(&type->info, NULL);
    ebm_learner learner;
    ebm_error message = {0};
    ck_assert_int_eq(ebm_learner_create(type, options, &f.model, NULL, NULL, 1, 4, 1, &learner, &message),
                     EBM_UNSUPPORTED);
    ck_assert_msg(strstr(message.message, "rbm is not one") != NULL, "%s", message.message);
    test_options_free(&type->info, options);
    rbm_close(&f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pairwise learners");
    TCase *objectives = tcase_create("objectives"), *inversions = tcase_create("inversions");
    tcase_add_loop_test(objectives, test_conditionals_value_is_definition, 0, LOSSES);
    tcase_add_loop_test(objectives, test_conditionals_gradient_is_central_difference, 0, LOSSES);
    tcase_add_loop_test(objectives, test_conditionals_consistent, 0, LOSSES);
    tcase_add_loop_test(objectives, test_sgd_step_is_gradient, 0, LOSSES);
    tcase_add_loop_test(objectives, test_lbfgs_finds_the_machine, 0, 3);
    tcase_add_loop_test(inversions, test_inversion_order, 0, 2);
    tcase_add_loop_test(inversions, test_inversion_refuses_singular, 0, 2);
    tcase_add_loop_test(inversions, test_other_models_refused, 0, 4);
    suite_add_tcase(suite, objectives);
    suite_add_tcase(suite, inversions);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
