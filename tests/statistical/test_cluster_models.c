/* Swendsen-Wang and Wolff on the library's own models of spins and categories. */
#include "plain_graph.h"

#include "ebm/diagnostics.h"
#include "ebm/observable.h"

typedef struct named_model {
    const char *model;
    const char *pairs[12];
} named_model;

static const named_model small[] = {
    {"ising", {"rows", "2", "columns", "3", "lattice", "grid", "field", "0.25", NULL}},
    {"ising", {"rows", "2", "columns", "3", "lattice", "grid", "disorder", "gaussian", NULL}},
    {"ising", {"rows", "1", "columns", "5", "lattice", "complete", "disorder", "plus-minus", "field", "-0.5", NULL}},
    {"potts", {"categories", "3", "side", "2", "lattice", "grid", NULL}},
    {"potts", {"categories", "4", "rows", "1", "columns", "3", "lattice", "complete", "field", "0.75", NULL}},
};
enum { SMALL = sizeof small / sizeof *small };

/* The kernel and the model agree on p to 1e-12 (as in test_clusters.c); steps follow the kernel, also with a base. */
START_TEST(test_cluster_samplers_on_models) {
    for (int sampler = 0; sampler < SAMPLERS; sampler++) {
        fixture f;
        fixture_open_named(&f, small[_i].model, small[_i].pairs, sampler);
        test_random r = {5};
        for (size_t k = 0; k < f.base.count; k++)
            f.base.parameters[k] = (ebm_real)test_random_normal(&r);
        for (int p = 0; p < PATHS; p++) {
            const size_t S = ebm_states_count(&f.model.space);
            double *T = kernel_of(&f, path_of(&f, p)), *law = oracle_memory(S);
            CHECK_OK(ebm_model_log_probabilities(&f.model, path_of(&f, p), law, NULL, f.work, error));
            for (size_t s = 0; s < S; s++)
                law[s] = exp(law[s]);
            const ebm_exact_chain chain = {T, law, S};
            ebm_chain_residuals residuals;
            CHECK_OK(ebm_exact_chain_residuals(&chain, &residuals, f.work, error));
            const double worst = fmax(residuals.row_sum, fmax(residuals.stationarity, residuals.detailed_balance));
            const double excess = transition_excess(&f, path_of(&f, p), T, 1);
            ck_assert_msg(worst <= 1e-12 && residuals.lowest >= 0 && excess <= 1, "%s, model %d, path %d: %g, %g",
                          f.type->info.name, _i, p, worst, excess);
            free(T);
            free(law);
        }
        fixture_close(&f);
    }
}
END_TEST

/* Antiferromagnetic categories are refused when the sampler is made, spins are not. */
START_TEST(test_cluster_samplers_refuse_antiferromagnetic_categories) {
    const char *const pairs[] = {"categories", "3", "side", "3", "coupling", "-1", NULL};
    const ebm_model_type *potts = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "potts");
    void *options = test_options(&potts->info, pairs);
    ebm_model model;
    CHECK_OK(ebm_model_create(potts, options, NULL, NULL, 1, &model, error));
    for (int sampler = 0; sampler < SAMPLERS; sampler++) {
        const ebm_sampler_type *type =
            (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, sampler_names[sampler]);
        ebm_sampler made;
        ebm_error found = {0};
        ck_assert_int_eq(ebm_sampler_create(type, NULL, &model, &made, &found), EBM_UNSUPPORTED);
        ck_assert_msg(strstr(found.message, "edge 0 (units 0 and 1) is -1") != NULL, "%s", found.message);
        fixture f;
        fixture_open_named(&f, "ising", pairs + 2, sampler);
        fixture_close(&f);
    }
    ebm_model_free(&model);
    test_options_free(&potts->info, options);
}
END_TEST

/* Energy per unit over chains from independent random states, each the mean of `sweeps` sweeps after as many. */
static moments mean_energy(fixture *f, size_t sweeps) {
    enum { CHAINS = 200 };
    const ebm_observable *energy = ebm_observable_find("energy");
    double value[CHAINS], sum[CHAINS] = {0};
    ebm_chains chains;
    moments m = {0, 0, 0};
    CHECK_OK(ebm_chains_create(&f->model, CHAINS, ebm_stream_of(31, EBM_PURPOSE_ESTIMATE), &chains, error));
    ebm_base_sample(&f->base, CHAINS, ebm_stream_of(31, EBM_PURPOSE_CHAIN_START), 0, 0, chains.batch.x, f->work);
    CHECK_OK(f->type->step(&f->sampler, &f->model, ebm_path_end(), &chains, sweeps, f->work, error));
    for (size_t s = 0; s < sweeps; s++) {
        CHECK_OK(f->type->step(&f->sampler, &f->model, ebm_path_end(), &chains, 1, f->work, error));
        ebm_model_field(&f->model, &chains.batch, f->work);
        energy->values(&f->model, &chains.batch, value, f->work);
        for (size_t b = 0; b < CHAINS; b++)
            sum[b] += value[b] / (double)sweeps;
    }
    for (size_t b = 0; b < CHAINS; b++)
        moments_add(&m, sum[b]);
    ebm_chains_free(&chains);
    return m;
}

/* A 16 x 16 torus at the critical temperature of the infinite one, J = log(1 + sqrt 2) / 2: the mean energy is Kaufman's.
 * As two categories of twice the coupling an edge has -2 J [x_i = x_j] = -J - J s_i s_j, and a unit two edges. Bound: 5.5
 * standard errors over 200 chains (Student's t: below 2e-7). 60 sweeps of Swendsen-Wang, and 120 of Wolff's clusters,
 * which have more than half of the units on average, are over ten autocorrelation times. */
START_TEST(test_cluster_samplers_have_the_exact_energy) {
    const double J = 0.44068679350977147;
    const char *const ising[] = {"side", "16", "coupling", "0.44068679350977147", NULL};
    const char *const potts[] = {"categories", "2", "side", "16", "coupling", "0.88137358701954294", NULL};
    for (int sampler = 0; sampler < SAMPLERS; sampler++)
        for (int categories = 0; categories < 2; categories++) {
            fixture f;
            double exact;
            fixture_open_named(&f, "ising", ising, sampler);
            CHECK_OK(ebm_observable_exact_mean(ebm_observable_find("energy"), &f.model, ebm_path_end(), 0, &exact,
                                               f.work, error));
            if (categories) {
                fixture_close(&f);
                fixture_open_named(&f, "potts", potts, sampler);
                exact -= 2 * J;
            }
            const moments m = mean_energy(&f, sampler == WOLFF ? 120 : 60);
            const double se = moments_standard_error(&m);
            ck_assert_msg(fabs(m.mean - exact) <= 5.5 * se && se < 0.01, "%s on %s: %g, not %g, standard error %g",
                          f.type->info.name, f.model.type->info.name, m.mean, exact, se);
            fixture_close(&f);
        }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cluster_models");
    TCase *tcase = tcase_create("models");
    tcase_add_loop_test(tcase, test_cluster_samplers_on_models, 0, SMALL);
    tcase_add_test(tcase, test_cluster_samplers_refuse_antiferromagnetic_categories);
    tcase_add_test(tcase, test_cluster_samplers_have_the_exact_energy);
    tcase_set_timeout(tcase, 300);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
