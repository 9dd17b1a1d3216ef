/* Hamiltonian Monte Carlo on Gaussian targets of dense covariance, what it learns in warm-up, what it counts, and what it
 * refuses. (Its law on small targets, against the definition and with mistakes planted: test_real_rules.c and
 * test_real_kernels.c.) Seeds are fixed; a statistical bound has a false alarm below 1e-6. */
#include "rbm_fixture.h"

#include "ebm/diagnostics.h"
#include "ebm/sampler.h"

typedef struct setting {
    const ebm_model_type *type;
    ebm_model_type wrong; /* a copy to plant mistakes in */
    const ebm_sampler_type *hmc;
    void *model_options, *options;
    ebm_model model;
    ebm_sampler sampler;
    ebm_chains chains;
    ebm_work *work;
} setting;

static const char *const dense[] = {"units", "20", "covariance", "random", "condition", "20", NULL};

static void setting_open(setting *s, const char *const *model, const char *const *options, size_t chains, int threads) {
    memset(s, 0, sizeof *s);
    s->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "gaussian");
    s->hmc = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "hmc");
    ck_assert(s->type && s->hmc);
    s->wrong = *s->type;
    s->model_options = test_options(&s->type->info, model);
    s->options = test_options(&s->hmc->info, options);
    CHECK_OK(ebm_work_create(threads, &s->work, error));
    CHECK_OK(ebm_model_create(s->type, s->model_options, NULL, NULL, 1, &s->model, error));
    CHECK_OK(ebm_sampler_create(s->hmc, s->options, &s->model, &s->sampler, error));
    CHECK_OK(ebm_chains_create(&s->model, chains, ebm_stream_of(7, EBM_PURPOSE_SAMPLE), &s->chains, error));
    CHECK_OK(s->type->sample_exact(&s->model, ebm_path_end(), &s->chains.batch,
                                   ebm_stream_of(7, EBM_PURPOSE_CHAIN_START), 0, 0, s->work, error));
    CHECK_OK(ebm_sampler_attach(&s->sampler, &s->model, &s->chains, error));
}

static void setting_close(setting *s) {
    ebm_chains_free(&s->chains);
    ebm_sampler_free(&s->sampler);
    s->model.type = s->type;
    ebm_model_free(&s->model);
    test_options_free(&s->type->info, s->model_options);
    test_options_free(&s->hmc->info, s->options);
    ebm_work_free(s->work);
}

static ebm_status walk(setting *s, size_t steps, ebm_error *error) {
    return s->hmc->step(&s->sampler, &s->model, ebm_path_end(), &s->chains, steps, s->work, error);
}

static void warm_up(setting *s, uint64_t steps) {
    s->chains.adapting = true;
    s->chains.warmup_left = steps;
    CHECK_OK(walk(s, (size_t)steps, error));
    s->chains.adapting = false;
    s->chains.warmup_left = 0;
    ebm_chains_reset_counters(&s->sampler, &s->chains);
}

typedef struct collector {
    ebm_sink sink;
    const char *name;
    double value;
} collector;

static ebm_status collect(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    collector *c = (collector *)sink;
    (void)se, (void)error;
    if (strcmp(metric, c->name) == 0)
        c->value = value;
    return EBM_OK;
}

static double reported(const setting *s, const char *name) {
    collector c = {{collect, NULL}, name, NAN};
    CHECK_OK(s->hmc->report(&s->sampler, &s->chains, &c.sink, error));
    return c.value;
}

/* From exact draws, 30 transitions of which some are rejected: 2 E stays chi-square of 20 degrees, P(E <= e) = 1 - exp(-e)
 * sum_(k < 10) e^k / k!, and the first unit's marginal stays; each by Kolmogorov-Smirnov at p > 1e-8. */
START_TEST(test_hmc_keeps_its_target) {
    enum { CHAINS = 10000, HALF = 10 };
    static const char *const options[] = {"step", "0.33", "length", "4", "jitter", "0.5", NULL};
    static double energy[CHAINS], u[CHAINS], x[CHAINS];
    setting s;
    ebm_kolmogorov ks;
    setting_open(&s, dense, options, CHAINS, 1);
    CHECK_OK(walk(&s, 30, error));
    const double acceptance = s.chains.accepted / s.chains.proposed;
    ck_assert_double_eq(s.chains.proposed, 30.0 * CHAINS);
    ck_assert_msg(acceptance > 0.4 && acceptance < 0.9, "acceptance %g", acceptance);
    s.type->energy(&s.model, ebm_path_end(), &s.chains.batch, energy, s.work);
    for (size_t b = 0; b < CHAINS; b++) {
        double term = exp(-energy[b]), sum = 0;
        for (int k = 0; k < HALF; k++, term *= energy[b] / k)
            sum += term;
        u[b] = fmin(fmax(1 - sum, 0), 1);
        x[b] = (double)s.chains.batch.x[b * s.model.space.size];
    }
    CHECK_OK(ebm_kolmogorov_test(u, CHAINS, &ks, s.work, error));
    ck_assert_msg(ks.p_value > 1e-8, "energies: D = %g, p = %g", ks.distance, ks.p_value);
    CHECK_OK(s.type->marginal_cdf(&s.model, ebm_path_end(), 0, x, CHAINS, u, s.work, error));
    CHECK_OK(ebm_kolmogorov_test(u, CHAINS, &ks, s.work, error));
    ck_assert_msg(ks.p_value > 1e-8, "first unit: D = %g, p = %g", ks.distance, ks.p_value);
    setting_close(&s);
}
END_TEST

/* Warm-up from a start fifty times too wide: acceptance comes near the target (above it, since a step's acceptance falls the
 * faster the larger it is, so that the average step is accepted more often than the average of those tried), scales come
 * to the marginal deviations, and both stay as they are afterwards. 4000 observations of a deviation, correlated: 1.6 %
 * were they independent. */
START_TEST(test_hmc_warm_up) {
    static const char *const model[] = {"units", "40", "covariance", "diagonal", "condition", "1e4", NULL};
    setting s;
    setting_open(&s, model, NULL, 20, 1);
    for (size_t k = 0; k < 20 * 40; k++)
        s.chains.batch.x[k] *= 50;
    warm_up(&s, 500);
    const double step = reported(&s, "step_size"), least = reported(&s, "scale_min"), most = reported(&s, "scale_max");
    CHECK_OK(walk(&s, 300, error));
    const double acceptance = s.chains.accepted / s.chains.proposed;
    ck_assert_msg(acceptance > 0.6 && acceptance < 0.9, "acceptance %g at the step %g", acceptance, step);
    ck_assert_msg(fabs(most - 1) < 0.15 && fabs(100 * least - 1) < 0.15, "scales from %g to %g", least, most);
    ck_assert_double_eq(reported(&s, "step_size"), step);
    ck_assert_double_eq(reported(&s, "scale_min"), least);
    ck_assert_double_eq(reported(&s, "divergences"), 0);
    setting_close(&s);
}
END_TEST

/* A step that is given stays, masses or no masses. */
START_TEST(test_hmc_fixed_step) {
    for (int identity = 0; identity < 2; identity++) {
        const char *const options[] = {"step", "0.3", "mass", identity ? "identity" : "diagonal", NULL};
        setting s;
        setting_open(&s, dense, options, 20, 1);
        warm_up(&s, 200);
        CHECK_OK(walk(&s, 10, error));
        ck_assert_double_eq(reported(&s, "step_size"), 0.3);
        ck_assert((reported(&s, "scale_min") == 1 && reported(&s, "scale_max") == 1) == identity);
        setting_close(&s);
    }
}
END_TEST

/* A transition costs as many gradients as it has leapfrog steps, and the first call one more; energies one and one. With jitter
 * 0.5 about 10 the numbers 5 ... 15 come up, each about as often: 1100 transitions, 100 expected, within 6 standard
 * deviations of 9.5 (false alarm 11 x 2e-9). */
START_TEST(test_hmc_counts) {
    enum { CHAINS = 3, LENGTH = 7 };
    static const char *const fixed[] = {"step", "0.1", "length", "7", "jitter", "0", NULL};
    static const char *const jittered[] = {"step", "0.1", "length", "10", "jitter", "0.5", NULL};
    setting s;
    setting_open(&s, dense, fixed, CHAINS, 1);
    CHECK_OK(walk(&s, 5, error));
    ck_assert_uint_eq(s.chains.gradient_evaluations, CHAINS * (5 * LENGTH + 1));
    ck_assert_uint_eq(s.chains.energy_evaluations, CHAINS * (5 + 1));
    ck_assert_double_eq(s.chains.proposed, 5 * CHAINS);
    setting_close(&s);
    double seen[16] = {0};
    setting_open(&s, dense, jittered, 1, 1);
    for (int k = 0; k < 1100; k++) {
        const uint64_t before = s.chains.gradient_evaluations;
        CHECK_OK(walk(&s, 1, error));
        const uint64_t length = s.chains.gradient_evaluations - before - (k == 0);
        ck_assert(length >= 5 && length <= 15);
        seen[length]++;
    }
    for (size_t length = 5; length <= 15; length++)
        ck_assert_msg(fabs(seen[length] - 100) < 6 * 9.5, "length %zu: %g times", length, seen[length]);
    setting_close(&s);
}
END_TEST

/* The reported r.m.s. energy error falls as the square of the step at a fixed time: order 2 to terms of higher order. */
START_TEST(test_hmc_energy_error) {
    static const char *const lengths[] = {"8", "16"}, *const steps[] = {"0.1", "0.05"};
    double rms[2];
    for (int k = 0; k < 2; k++) {
        const char *const options[] = {"step", steps[k], "length", lengths[k], "jitter", "0", NULL};
        setting s;
        setting_open(&s, dense, options, 2000, 1);
        CHECK_OK(walk(&s, 5, error));
        rms[k] = reported(&s, "energy_error_rms");
        setting_close(&s);
    }
    const double order = log2(rms[0] / rms[1]);
    ck_assert_msg(fabs(order - 2) < 0.15, "r.m.s. %g and %g: order %g", rms[0], rms[1], order);
}
END_TEST

/* Many units: the energy error is N(m, 2 m) nearly, so that 2 Phi(-sqrt(m / 2)) = erfc(sqrt(m) / 2) is accepted, and its mean
 * square is 2 m + m^2 (Beskos et al. 2013, section 4.2). For unit variances a time T in n steps of e = T / n gives m = V e^4
 * sin^2(T) / 32 and more for larger e; what a gradient is worth, acceptance / n, is largest where acceptance is 0.651 were n
 * real, and so at n = 5. 10^4 units: the normal limit is good to 0.01; acceptance is a share of 1600, s.e. 0.0125 or
 * less, and 0.085 is 6 of them and that. At n = 3 and 8 acceptance / n is 0.067 and 0.027 lower, 20 and 8 s.e. */
START_TEST(test_hmc_optimal_acceptance) {
    enum { CHAINS = 20, STEPS = 80, MOST = 9 };
    static const char *const model[] = {"units", "10000", NULL};
    double acceptance[MOST] = {0};
    for (int n = 3; n < MOST; n++) {
        char step[32], length[8];
        snprintf(step, sizeof step, "%.9g", 1.0 / n);
        snprintf(length, sizeof length, "%d", n);
        const char *const options[] = {"step", step, "length", length, "jitter", "0", NULL};
        setting s;
        setting_open(&s, model, options, CHAINS, 1);
        CHECK_OK(walk(&s, STEPS, error));
        acceptance[n] = s.chains.accepted / s.chains.proposed;
        const double rms = reported(&s, "energy_error_rms"), m = sqrt(1 + rms * rms) - 1;
        ck_assert_msg(fabs(acceptance[n] - erfc(sqrt(m) / 2)) < 0.085, "%d steps: acceptance %g, r.m.s. error %g", n,
                      acceptance[n], rms);
        setting_close(&s);
    }
    ck_assert_double_gt(acceptance[5] / 5, acceptance[3] / 3);
    ck_assert_double_gt(acceptance[5] / 5, acceptance[8] / 8);
    ck_assert_double_le(fabs(acceptance[5] - 0.651), 0.1);
}
END_TEST

/* A step far too large: every trajectory diverges, nothing moves, and there is nothing to report. */
START_TEST(test_hmc_diverges) {
    enum { CHAINS = 6 };
    static const char *const options[] = {"step", "500", NULL};
    setting s;
    ebm_error error = {0};
    ebm_real before[CHAINS * 20];
    collector c = {{collect, NULL}, "", 0};
    setting_open(&s, dense, options, CHAINS, 1);
    memcpy(before, s.chains.batch.x, sizeof before);
    ck_assert_int_eq(walk(&s, 4, &error), EBM_OK);
    ck_assert_mem_eq(before, s.chains.batch.x, sizeof before);
    ck_assert_double_eq(s.chains.accepted, 0);
    ck_assert_int_eq(s.hmc->report(&s.sampler, &s.chains, &c.sink, &error), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(error.message, "500 is too large"));
    setting_close(&s);
}
END_TEST

/* NaN as unit 3 of chain 2's gradient, once it is asked for at the end of a trajectory. */
static int countdown;
static void broken_grad(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy, ebm_real *grad,
                        ebm_work *work) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "gaussian");
    type->energy_grad_x(model, path, batch, energy, grad, work);
    if (countdown-- == 0)
        grad[2 * model->space.size + 3] = (ebm_real)NAN;
}

START_TEST(test_hmc_refuses) {
    static const char *const options[] = {"step", "0.1", NULL};
    setting s;
    ebm_error error = {0};
    for (int when = 0; when < 2; when++) {
        setting_open(&s, dense, options, 5, 1);
        s.wrong.energy_grad_x = broken_grad;
        s.model.type = &s.wrong;
        s.chains.first_chain = 100;
        countdown = when;
        ck_assert_int_eq(walk(&s, 3, &error), EBM_DIVERGED);
        ck_assert_msg(strstr(error.message, "chain 102") && strstr(error.message, "unit 3"), "%s", error.message);
        setting_close(&s);
    }
    setting_open(&s, dense, options, 5, 1);
    s.chains.batch.x[3 * 20] = (ebm_real)INFINITY;
    ck_assert_int_eq(walk(&s, 1, &error), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(error.message, "chain 3"));
    free(s.chains.auxiliary);
    s.chains.auxiliary = NULL;
    s.chains.auxiliary_bytes = 0;
    ck_assert_int_eq(walk(&s, 1, &error), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "attach"));
    setting_close(&s);
}
END_TEST

/* The same bytes on one thread and on three, in one call and in several, at sizes where products and rows are split. */
START_TEST(test_hmc_same_bytes) {
    enum { CHAINS = 1100, UNITS = 100 };
    static const char *const model[] = {"units", "100", "covariance", "autoregressive", "mean", "1", NULL};
    static const char *const options[] = {"length", "3", NULL};
    setting s[2];
    for (int k = 0; k < 2; k++) {
        setting_open(&s[k], model, options, CHAINS, k ? 3 : 1);
        s[k].chains.adapting = true;
        for (uint64_t done = 0, at_once = k ? 2 : 8; done < 24; done += at_once) {
            s[k].chains.warmup_left = 24 - done;
            CHECK_OK(walk(&s[k], (size_t)at_once, error));
        }
        s[k].chains.adapting = false;
        CHECK_OK(walk(&s[k], 4, error));
    }
    ck_assert_mem_eq(s[0].chains.batch.x, s[1].chains.batch.x, CHAINS * UNITS * sizeof(ebm_real));
    ck_assert_mem_eq(s[0].chains.auxiliary, s[1].chains.auxiliary, s[0].chains.auxiliary_bytes);
    setting_close(&s[0]);
    setting_close(&s[1]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("hmc");
    TCase *tcase = tcase_create("hmc");
    tcase_add_test(tcase, test_hmc_keeps_its_target);
    tcase_add_test(tcase, test_hmc_warm_up);
    tcase_add_test(tcase, test_hmc_fixed_step);
    tcase_add_test(tcase, test_hmc_counts);
    tcase_add_test(tcase, test_hmc_energy_error);
    tcase_add_test(tcase, test_hmc_optimal_acceptance);
    tcase_add_test(tcase, test_hmc_diverges);
    tcase_add_test(tcase, test_hmc_refuses);
    tcase_add_test(tcase, test_hmc_same_bytes);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
