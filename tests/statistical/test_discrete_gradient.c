/* gibbs-with-gradients and dmala: their kernels against enumeration and definition. */
#include "discrete_gradient_trial.h"
#include "samplers/state_table.h"
#include "statistics.h"

#include "ebm/diagnostics.h"

static const setting settings[] = {
    {"gibbs-with-gradients", {NULL}, 1, false},
    {"gibbs-with-gradients", {"balance", "barker"}, 1, false},
    {"gibbs-with-gradients", {"proposals", "3"}, 3, false},
    {"dmala", {NULL}, 1, false},
    {"dmala", {"step", "1", "proposals", "2"}, 2, false},
    {"dmala", {"step", "10"}, 1, false},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

/* pi T = pi, detailed balance and rows that sum to 1, to rounding in double whatever ebm_real is: the kernel's gradients
 * are rounded, but the same law proposes and corrects. */
static double invariance_error(const double *T, const double *p, size_t S, ebm_work *work) {
    const ebm_exact_chain chain = {T, p, S};
    ebm_chain_residuals r;
    CHECK_OK(ebm_exact_chain_residuals(&chain, &r, work, error));
    const double worst = fmax(fmax(r.row_sum, r.stationarity), fmax(r.detailed_balance, -r.lowest));
    return isnan(worst) ? INFINITY : worst;
}

START_TEST(test_discrete_gradient_kernels_invariant) {
    static const double scales[] = {0, 1, 12};
    for (size_t k = 0; k < SETTINGS; k++)
        for (size_t s = 0; s < 3; s++)
            for (int base = 0; base <= (strcmp(targets[_i].model, "pairs") != 0); base++) {
                trial t;
                ebm_real parameters[MOST_UNITS * MOST_CATEGORIES];
                trial_open(&t, &targets[_i], scales[s], settings[k].sampler, settings[k].options);
                ck_assert(t.sampler.exact && t.sampler.reversible);
                const ebm_base machine = base_of(&t, parameters);
                for (double beta = 0; beta <= 1; beta += 0.5) {
                    const ebm_path path = {base ? &machine : NULL, beta};
                    double *T = trial_kernel(&t, path), *p = trial_law(&t, path);
                    const double worst = invariance_error(T, p, states_of(&t), t.work);
                    ck_assert_msg(worst <= 1e-12, "%s on %s, scale %g, beta %g, base %d: %g", settings[k].sampler,
                                  targets[_i].model, scales[s], beta, base, worst);
                    free(T);
                    free(p);
                }
                trial_close(&t);
            }
}
END_TEST

/* The Metropolis-Hastings kernel by its definition, or (unadjusted) q. */
static void kernel_by_definition(const trial *t, const double *p, double beta, bool all_units, bool adjust, int balance,
                                 double step, double *T) {
    const size_t S = states_of(t);
    for (size_t i = 0; i < S; i++) {
        double leave = 0;
        for (size_t j = 0; j < S; j++) {
            const double forth = proposal(t, p, beta, all_units, balance, step, i, j);
            const double back = proposal(t, p, beta, all_units, balance, step, j, i);
            T[i * S + j] = !adjust ? forth : forth > 0 ? forth * fmin(1, p[j] * back / (p[i] * forth)) : 0;
            leave += j == i ? 0 : T[i * S + j];
        }
        if (adjust)
            T[i * S + i] = 1 - leave;
    }
}

/* Allowed between the two: 1e-12 in double. In float an energy and each predicted change are off by at most
 * e = (2 V + H + 16) u M, M = sum |theta| + (H + 1) log 2 (rbm_energy_bound), so log q, V differences of a logit and a
 * log-sum of logits, by 2 V e, and log T, two of these and two energies, by (4 V + 2) e; the diagonal, 1 less the others, by
 * that relative to at most 1. */
static double definition_bound(const trial *t) {
#ifdef EBM_DOUBLE
    (void)t;
    return 1e-12;
#else
    const size_t V = t->target->units, H = t->model.n_hidden;
    double M = (double)(H + 1) * 0.6931471805599453;
    for (size_t k = 0; k < t->model.n_theta; k++)
        M += fabs((double)t->model.theta[k]);
    return expm1((double)(4 * V + 2) * (double)(2 * V + H + 16) * UNIT_ROUNDOFF * M);
#endif
}

START_TEST(test_discrete_gradient_kernels_by_definition) {
    for (size_t k = 0; k < DEFINITIONS; k++)
        for (double beta = 0.5; beta <= 1; beta += 0.5) {
            trial t;
            trial_open(&t, &targets[_i], 1, definitions[k].set.sampler, definitions[k].set.options);
            const ebm_path path = {NULL, beta};
            const size_t S = states_of(&t);
            double *T = trial_kernel(&t, path), *p = trial_law(&t, path), *want = oracle_memory(S * S), worst = 0;
            kernel_by_definition(&t, p, beta, definitions[k].all_units, !definitions[k].set.unadjusted,
                                 definitions[k].balance, definitions[k].step, want);
            for (size_t n = 0; n < S * S; n++)
                worst = fmax(worst, isnan(T[n]) ? INFINITY : fabs(T[n] - want[n]));
            ck_assert_msg(worst <= definition_bound(&t), "%s %zu on %s, beta %g: %g", definitions[k].set.sampler, k,
                          targets[_i].model, beta, worst);
            free(T);
            free(p);
            free(want);
            trial_close(&t);
        }
}
END_TEST

/* Total variation between p and the law that q alone (DULA) leaves invariant, by 2^26 steps from a uniform start. */
static double unadjusted_bias(const target *of, double penalty) {
    const double squared = of->domain == EBM_BINARY ? 1 : of->domain == EBM_SPIN ? 4 : 2;
    char step[32];
    snprintf(step, sizeof step, "%.17g", squared / (2 * penalty));
    const char *const options[] = {"adjust", "false", "step", step, NULL};
    trial t;
    trial_open(&t, of, 0.7, "dmala", options);
    const size_t S = states_of(&t);
    double *T = trial_kernel(&t, ebm_path_end()), *p = trial_law(&t, ebm_path_end()), *law = oracle_memory(S);
    ck_assert(!t.sampler.exact && !t.sampler.reversible);
    ck_assert_double_gt(invariance_error(T, p, S, t.work), 1e-12);
    ck_assert(ebm_kernel_power(S, (size_t)1 << 26, T, t.work));
    for (size_t k = 0; k < S * S; k++)
        law[k % S] += T[k] / (double)S;
    const double bias = total_variation(S, law, p);
    free(T);
    free(p);
    free(law);
    trial_close(&t);
    return bias;
}

/* DULA with c = |.|^2 / (2 alpha) flips one unit with a probability of order exp(-c), two with exp(-2 c). Where d is
 * exact, single changes alone balance (their flows sqrt(p p') exp(-c), normalisers 1 + O(exp(-c))), so the bias is of
 * order exp(-c): it falls with the step, and by exp(-2) within a factor of 2 for each 2 that c gains once it is small.
 * On an RBM a single flip is predicted wrongly, and the bias stays. */
START_TEST(test_dula_bias_falls_with_step) {
    double bias[6];
    for (int k = 0; k < 6; k++)
        bias[k] = unadjusted_bias(&targets[_i], 1 + 2.0 * k);
    if (strcmp(targets[_i].model, "rbm") == 0) {
        ck_assert_double_gt(bias[5], 1e-3);
        return;
    }
    for (int k = 1; k < 6; k++)
        ck_assert_msg(bias[k] < bias[k - 1], "%g then %g", bias[k - 1], bias[k]);
    ck_assert_msg(fabs(log(bias[5] / bias[4]) + 2) < 0.6931471805599453, "%g then %g", bias[4], bias[5]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("discrete_gradient");
    TCase *kernel = tcase_create("kernel");
    tcase_add_loop_test(kernel, test_discrete_gradient_kernels_invariant, 0, TARGETS);
    tcase_add_loop_test(kernel, test_discrete_gradient_kernels_by_definition, 0, TARGETS);
    tcase_add_loop_test(kernel, test_dula_bias_falls_with_step, 0, TARGETS);
    tcase_set_timeout(kernel, 300);
    suite_add_tcase(suite, kernel);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
