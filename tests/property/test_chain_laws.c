/* Estimators that follow the law of a Gibbs sampler over all states: free energy and the bias of chains from noise,
 * against plain sums with a matrix built here from the conditionals. Planted mistakes: a kernel of another temperature. */
#include "machine_rows.h"

enum { V = 4, S = 16 };

typedef struct trial {
    boltzmann m;
    ebm_sampler sampler;
    const ebm_sampler_type *type;
    void *options;
    double law[S], energy[S], p[S], log_z, beta;
} trial;

static void open_trial(trial *t, bool spin, double beta) {
    boltzmann_open(&t->m, V, spin, RBM_NORMAL, 0.7, 12);
    t->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "gibbs");
    ck_assert_ptr_nonnull(t->type);
    t->options = test_options(&t->type->info, NULL);
    t->beta = beta;
    CHECK_OK(ebm_sampler_create(t->type, t->options, &t->m.model, &t->sampler, error));
    t->log_z = boltzmann_law(&t->m, 0, beta, t->p);
    for (size_t s = 0; s < S; s++)
        t->energy[s] = boltzmann_energy(&t->m, 0, 1, s);
}

static void close_trial(trial *t) {
    ebm_sampler_free(&t->sampler);
    test_options_free(&t->type->info, t->options);
    boltzmann_close(&t->m);
}

/* One sweep: unit after unit is drawn from its conditional. */
static void sweep(trial *t) {
    for (size_t i = 0; i < V; i++)
        for (size_t s = 0; s < S; s++) {
            const size_t other = s ^ (size_t)1 << i;
            if (s > other)
                continue;
            const double both = t->law[s] + t->law[other];
            t->law[other] = both / (1 + exp(t->beta * (t->energy[other] - t->energy[s]))); /* unit i up */
            t->law[s] = both - t->law[other];
        }
}

static ebm_estimate_inputs inputs_of(trial *t) {
    return (ebm_estimate_inputs){.model = &t->m.model,
                                 .sampler = &t->sampler,
                                 .path = ebm_path_end(),
                                 .thin = 1,
                                 .seed = 3,
                                 .step = 7777,
                                 .work = t->m.work};
}

/* At T = 2, from the least probable state and from the uniform law. Energies are those of ebm_real: off by
 * boltzmann_bound, which moves F by no more than a few times as much. */
START_TEST(test_free_energy_is_definition) {
    static const char *const uniform[] = {"temperature", "2", "curve", "[0, 1, 2, 7]", "steps", "300", NULL};
    static const char *const point[] = {"temperature", "2",     "curve", "[0, 1, 2, 7]", "steps", "300",
                                        "start",       "point", NULL};
    for (int spin = 0; spin < 2; spin++) {
        trial t;
        open_trial(&t, spin, 0.5);
        size_t least = 0;
        for (size_t s = 0; s < S; s++)
            least = t.p[s] < t.p[least] ? s : least;
        for (size_t s = 0; s < S; s++)
            t.law[s] = _i ? s == least : 1.0 / S;
        ebm_estimate_inputs in = inputs_of(&t);
        CHECK_OK(run_estimator("free-energy-descent", _i ? point : uniform, &in, error));
        const double bound = 8 * boltzmann_bound(&t.m) + 1e-12;
        for (uint64_t step = 0; step <= 7; step++) {
            double energy = 0, entropy = 0;
            for (size_t s = 0; s < S; s++) {
                energy += t.law[s] * t.energy[s];
                entropy -= t.law[s] > 0 ? t.law[s] * log(t.law[s]) : 0;
            }
            if (step <= 2 || step == 7) {
                ck_assert_double_le(fabs(row_value("mean_energy", step) - energy), bound);
                ck_assert_double_le(fabs(row_value("entropy", step) - entropy), bound);
                ck_assert_double_le(fabs(row_value("free_energy", step) - (energy - 2 * entropy)), bound);
                ck_assert_double_le(fabs(row_value("free_energy_above", step) - (energy - 2 * entropy + 2 * t.log_z)),
                                    2 * bound);
            }
            sweep(&t);
        }
        ck_assert_double_le(fabs(row_value("free_energy_limit", 7777) + 2 * t.log_z), bound);
        ck_assert_double_le(row_value("free_energy_rise", 7777), 1e-13);
        ck_assert_double_le(row_value("free_energy_end_error", 7777), 1e-12);
        close_trial(&t);
    }
}
END_TEST

static ebm_status (*true_kernel)(const ebm_sampler *, const ebm_model *, ebm_path, size_t, double *, ebm_work *,
                                 ebm_error *);
static ebm_status cold_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t states,
                              double *T, ebm_work *work, ebm_error *error) {
    path.beta *= 1.5;
    return true_kernel(sampler, model, path, states, T, work, error);
}

/* A chain that is at another temperature ends elsewhere, and on its way there F rises from the model's own law. */
START_TEST(test_free_energy_sees_wrong_kernel) {
    static const char *const pairs[] = {"steps", "300", NULL};
    trial t;
    open_trial(&t, true, 1);
    ebm_sampler_type wrong = *t.sampler.type;
    true_kernel = wrong.kernel;
    wrong.kernel = cold_kernel;
    t.sampler.type = &wrong;
    ebm_estimate_inputs in = inputs_of(&t);
    CHECK_OK(run_estimator("free-energy-descent", pairs, &in, error));
    ck_assert_double_gt(row_value("free_energy_end_error", 7777), 1e-3);
    ck_assert_double_gt(row_value("free_energy_rise", 7777), 1e-6);
    t.sampler.type = t.type;
    close_trial(&t);
}
END_TEST

/* Norm of the bias over means and mean products, each pair once; rounding of the weights in ebm_real. And the sampled
 * means agree, which with the wrong matrix they do not: 20,000 chains. */
START_TEST(test_gradient_bias_is_definition) {
    static const char *const pairs[] = {"steps", "[1, 2, 4]", "chains", "100", "repeats", "200", NULL};
    for (int spin = 0; spin < 2; spin++) {
        trial t;
        open_trial(&t, spin, 1);
        for (size_t s = 0; s < S; s++)
            t.law[s] = 1.0 / S;
        ebm_estimate_inputs in = inputs_of(&t);
        CHECK_OK(run_estimator("gradient-bias", pairs, &in, error));
        for (uint64_t step = 1; step <= 4; step++) {
            double square = 0, tv = 0;
            sweep(&t);
            for (size_t i = 0; i < V; i++)
                for (size_t j = i; j < V; j++) {
                    double off = 0;
                    for (size_t s = 0; s < S; s++)
                        off += (t.law[s] - t.p[s]) * boltzmann_value(&t.m, s, i) *
                               (i == j ? 1 : boltzmann_value(&t.m, s, j));
                    square += off * off * (i == j ? 1 : 2); /* both halves of a coupling */
                }
            for (size_t s = 0; s < S; s++)
                tv += 0.5 * fabs(t.law[s] - t.p[s]);
            if (step == 3)
                continue;
            ck_assert_double_le(fabs(row_value("gradient_bias", step) - sqrt(square)), 64 * UNIT_ROUNDOFF);
            ck_assert_double_le(fabs(row_value("noise_start_tv", step) - tv), 64 * UNIT_ROUNDOFF);
            ck_assert_double_lt(row_value("noise_start_z", step), 6);
        }
        ck_assert_double_lt(row_value("exact_draw_z", 7777), 6);
        ebm_sampler_type wrong = *t.sampler.type;
        true_kernel = wrong.kernel;
        wrong.kernel = cold_kernel;
        t.sampler.type = &wrong;
        CHECK_OK(run_estimator("gradient-bias", pairs, &in, error));
        ck_assert_double_gt(row_value("noise_start_z", 4), 6);
        t.sampler.type = t.type;
        close_trial(&t);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("chain laws");
    TCase *tests = tcase_create("laws");
    tcase_add_loop_test(tests, test_free_energy_is_definition, 0, 2);
    tcase_add_test(tests, test_free_energy_sees_wrong_kernel);
    tcase_add_test(tests, test_gradient_bias_is_definition);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
