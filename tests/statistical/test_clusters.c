/* Swendsen-Wang and Wolff: their kernels against the law that they are meant to leave invariant and against closed
 * forms, their real steps against the kernels, and larger systems against exact values. */
#include "plain_graph.h"
#include "statistics.h"

#include "ebm/diagnostics.h"

/* ---- Kernels ---- */

/* Rows sum to 1, p T = p, detailed balance: to 1e-12, sums of at most 2^16 products in double of numbers at most 1. */
START_TEST(test_cluster_kernels_invariant) {
    for (int sampler = 0; sampler < SAMPLERS; sampler++)
        for (int p = 0; p < PATHS; p++) {
            fixture f;
            system_open(&f, &systems[_i], SPOIL_NOTHING, sampler);
            ck_assert(f.type->exact && f.type->reversible);
            double *T = kernel_of(&f, path_of(&f, p)), *law = law_of(&f, path_of(&f, p));
            const ebm_exact_chain chain = {T, law, ebm_states_count(&f.model.space)};
            ebm_chain_residuals r;
            CHECK_OK(ebm_exact_chain_residuals(&chain, &r, f.work, error));
            const double worst = fmax(fmax(r.row_sum, -r.lowest), fmax(r.stationarity, r.detailed_balance));
            ck_assert_msg(worst <= 1e-12, "%s, %s, path %d: %g", f.type->info.name, systems[_i].name, p, worst);
            free(T);
            free(law);
            fixture_close(&f);
        }
}
END_TEST

/* Two units and one coupling, no fields, by hand. With P = 1 - exp(-2 beta |J|) (spins) or 1 - exp(-beta J) (q
 * categories), from a satisfied pair, to a satisfied one / to any other:
 *   Swendsen-Wang   P / q + (1 - P) / q^2        (1 - P) / q^2
 *   Wolff           P / (q - 1)                  (1 - P) / (2 (q - 1)) where one unit changes, else 0
 * and from an unsatisfied pair the same with P = 0. Wolff stays nowhere. */
static double pair_by_hand(int sampler, size_t q, bool antiferromagnet, double P, size_t from, size_t to) {
    const size_t from_units[2] = {from % q, from / q}, to_units[2] = {to % q, to / q};
    const bool from_satisfied = (from_units[0] == from_units[1]) != antiferromagnet;
    const bool to_satisfied = (to_units[0] == to_units[1]) != antiferromagnet;
    const size_t changed = (from_units[0] != to_units[0]) + (from_units[1] != to_units[1]);
    const double Q = (double)q, bond = from_satisfied ? P : 0;
    if (sampler == SWENDSEN_WANG)
        return (to_satisfied ? bond / Q : 0) + (1 - bond) / (Q * Q);
    if (changed == 2)
        return to_satisfied ? bond / (Q - 1) : 0;
    return changed == 1 ? (1 - bond) / (2 * (Q - 1)) : 0;
}

START_TEST(test_cluster_kernels_of_a_pair) {
    static const struct {
        size_t categories;
        double J;
    } pairs[] = {{0, 0.75}, {0, -0.5}, {2, 0.75}, {3, 1.25}, {4, 0}};
    for (int sampler = 0; sampler < SAMPLERS; sampler++)
        for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
            const size_t categories = pairs[k].categories, q = categories ? categories : 2;
            fixture f;
            fixture_open(&f, 2, categories, 1, pair_ends, SPOIL_NOTHING, sampler);
            f.model.theta[0] = (ebm_real)pairs[k].J;
            ebm_model_refresh(&f.model, f.work);
            const double beta = 0.875, P = 1 - exp(-(categories ? 1 : 2) * beta * fabs(pairs[k].J));
            double *T = kernel_of(&f, (ebm_path){NULL, beta}), worst = 0;
            for (size_t i = 0; i < q * q; i++)
                for (size_t j = 0; j < q * q; j++)
                    worst = fmax(worst, fabs(T[i * q * q + j] - pair_by_hand(sampler, q, pairs[k].J < 0, P, i, j)));
            ck_assert_msg(worst <= 1e-15 * 16, "%s, pair %zu: %g", f.type->info.name, k, worst); /* 16 roundings */
            free(T);
            fixture_close(&f);
        }
}
END_TEST

/* ---- Steps ---- */

/* One statistic a system, sampler, path and number of sweeps, each with a false alarm of at most 1e-6. One sampler walks
 * all paths of a system, the first also with other parameters: it must notice. */
START_TEST(test_cluster_steps_follow_kernels) {
    for (int sampler = 0; sampler < SAMPLERS; sampler++) {
        fixture f;
        system_open(&f, &systems[_i], SPOIL_NOTHING, sampler);
        for (int n = 0; n <= PATHS; n++) {
            const int p = n ? n - 1 : 0;
            system_draw(&f, &systems[_i], n == 0 ? 1 : 0);
            double *T = kernel_of(&f, path_of(&f, p));
            const double excess = transition_excess(&f, path_of(&f, p), T, p % 2 ? 3 : 1);
            ck_assert_msg(excess <= 1, "%s, %s, path %d: %g", f.type->info.name, systems[_i].name, p, excess);
            free(T);
        }
        fixture_close(&f);
    }
}
END_TEST

/* Bonds with probability 1 - exp(-beta J) in place of 1 - exp(-2 beta J), sums of fields with the wrong sign, a Wolff
 * cluster that moves whatever the fields say: what a sampler does that is told so. */
START_TEST(test_cluster_checks_see_mistakes) {
    static const size_t which[] = {4, 5, 12, 13}; /* in fields */
    for (int sampler = 0; sampler < SAMPLERS; sampler++)
        for (size_t k = 0; k < sizeof which / sizeof *which; k++)
            for (spoil mistake = SPOIL_HALF_COUPLINGS; mistake <= SPOIL_NO_FIELDS; mistake++) {
                fixture right, wrong;
                system_open(&right, &systems[which[k]], SPOIL_NOTHING, sampler);
                system_open(&wrong, &systems[which[k]], mistake, sampler);
                double *T = kernel_of(&right, ebm_path_end());
                const double excess = transition_excess(&wrong, ebm_path_end(), T, 1);
                ck_assert_msg(excess > 1, "%s, %s: mistake %d passes with %g", right.type->info.name,
                              systems[which[k]].name, (int)mistake, excess);
                free(T);
                fixture_close(&right);
                fixture_close(&wrong);
            }
}
END_TEST

/* ---- Larger systems ---- */

static ebm_graph torus_of(size_t rows, size_t columns) {
    ebm_graph torus;
    CHECK_OK(ebm_graph_lattice(EBM_LATTICE_TORUS, rows, columns, &torus, error));
    return torus;
}

typedef struct caught {
    ebm_sink sink;
    double value, se;
    size_t count;
} caught;

static ebm_status catch_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)error;
    caught *c = (caught *)sink;
    ck_assert_str_eq(metric, "cluster_size");
    c->value = value;
    c->se = se;
    c->count++;
    return EBM_OK;
}

static size_t draw(const double *p, size_t S, test_random *r) {
    double u = test_random_uniform(r);
    size_t s = 0;
    while (s + 1 < S && u >= p[s])
        u -= p[s++];
    return s;
}

/* Without fields and with J >= 0 two units are in one cluster with probability (q P(x_i = x_j) - 1) / (q - 1), for
 * spins their correlation, so that E[cluster_size] = sum_(i j) (q P(x_i = x_j) - 1) / ((q - 1) V). */
static double exact_cluster_size(const fixture *f, const double *law) {
    const size_t S = ebm_states_count(&f->model.space), V = f->model.space.size, q = f->model.space.categories;
    double size = 0;
    for (size_t s = 0; s < S; s++) {
        double counts[4] = {0}, equal = 0;
        for (size_t i = 0, rest = s; i < V; i++, rest /= q)
            counts[rest % q]++;
        for (size_t c = 0; c < q; c++)
            equal += counts[c] * counts[c];
        size += law[s] * ((double)q * equal - (double)(V * V)) / (double)((q - 1) * V);
    }
    return size;
}

/* What the sampler reports after 50 sweeps of 400 chains from exact draws. */
static caught reported_size(fixture *f, const double *law) {
    enum { CHAINS = 400, SWEEPS = 50 };
    const size_t S = ebm_states_count(&f->model.space), V = f->model.space.size;
    caught c = {{catch_emit, NULL}, 0, 0, 0};
    ebm_chains chains;
    test_random r = {99};
    CHECK_OK(ebm_chains_create(&f->model, CHAINS, ebm_stream_of(16, EBM_PURPOSE_ESTIMATE), &chains, error));
    for (size_t b = 0; b < CHAINS; b++)
        ebm_states_fill(&f->model.space, draw(law, S, &r), 1, chains.batch.x + b * V);
    CHECK_OK(ebm_sampler_attach(&f->sampler, &f->model, &chains, error));
    CHECK_OK(f->type->report(&f->sampler, &chains, &c.sink, error));
    ck_assert(isnan(c.value) && c.count == 1); /* nothing measured yet */
    CHECK_OK(f->type->step(&f->sampler, &f->model, ebm_path_end(), &chains, 2, f->work, error));
    ebm_chains_reset_counters(&f->sampler, &chains);
    CHECK_OK(f->type->step(&f->sampler, &f->model, ebm_path_end(), &chains, SWEEPS, f->work, error));
    CHECK_OK(f->type->report(&f->sampler, &chains, &c.sink, error));
    ck_assert_uint_eq(c.count, 2);
    ebm_chains_free(&chains);
    return c;
}

/* Within 5.5 standard errors over 400 chains: a false alarm below 1e-7 for Student's t. */
START_TEST(test_cluster_sizes_are_the_susceptibility) {
    static const struct {
        size_t rows, columns, categories;
        double J;
    } tori[] = {{4, 3, 0, 0.4}, {4, 3, 2, 0.8}, {3, 3, 3, 0.9}};
    for (int sampler = 0; sampler < SAMPLERS; sampler++)
        for (size_t k = 0; k < sizeof tori / sizeof *tori; k++) {
            ebm_graph torus = torus_of(tori[k].rows, tori[k].columns);
            fixture f;
            fixture_open(&f, torus.units, tori[k].categories, torus.edges, torus.ends, SPOIL_NOTHING, sampler);
            for (size_t e = 0; e < torus.edges; e++)
                f.model.theta[e] = (ebm_real)tori[k].J;
            ebm_model_refresh(&f.model, f.work);
            double *law = law_of(&f, ebm_path_end());
            const double exact = exact_cluster_size(&f, law);
            const caught c = reported_size(&f, law);
            ck_assert_msg(fabs(c.value - exact) <= 5.5 * c.se && c.se < 0.05 * exact,
                          "%s, %zu categories: %g, not %g, se %g", f.type->info.name, tori[k].categories, c.value,
                          exact, c.se);
            free(law);
            fixture_close(&f);
            ebm_graph_free(&torus);
        }
}
END_TEST

/* A star of 3000 leaves, all up: more neighbours and edges than are drawn at a time. Leaves differ from the centre
 * afterwards independently, with probability 1 - P where a Wolff cluster has the centre and (1 - P) / 2 under
 * Swendsen-Wang, also at the distances at which words are made. Wolff's seed is a leaf that joins without being asked:
 * 1 in 3000, a fifth of a standard error. Bound: 6 standard errors, 2e-9 each for a normal variable. */
START_TEST(test_clusters_of_a_star) {
    enum { LEAVES = 3000, CHAINS = 300 };
    uint32_t *ends = calloc((size_t)2 * LEAVES, sizeof *ends);
    ck_assert_ptr_nonnull(ends);
    for (uint32_t k = 0; k < LEAVES; k++)
        ends[2 * k + 1] = k + 1;
    for (int sampler = 0; sampler < SAMPLERS; sampler++) {
        fixture f;
        fixture_open(&f, LEAVES + 1, 0, LEAVES, ends, SPOIL_NOTHING, sampler);
        for (size_t e = 0; e < LEAVES; e++)
            f.model.theta[e] = (ebm_real)0.375;
        ebm_model_refresh(&f.model, f.work);
        const double P = 1 - exp(-0.75), apart = sampler == WOLFF ? 1 - P : (1 - P) / 2;
        ebm_chains chains;
        CHECK_OK(ebm_chains_create(&f.model, CHAINS, ebm_stream_of(26, EBM_PURPOSE_ESTIMATE), &chains, error));
        for (size_t k = 0; k < (size_t)CHAINS * (LEAVES + 1); k++)
            chains.batch.x[k] = 1;
        CHECK_OK(f.type->step(&f.sampler, &f.model, ebm_path_end(), &chains, 1, f.work, error));
        for (size_t lag = 0; lag <= 2048; lag = lag ? 2 * lag : 1) {
            double both = 0, pairs = 0;
            const double p = lag ? apart * apart : apart;
            for (size_t b = 0; b < CHAINS; b++) {
                const ebm_real *x = chains.batch.x + b * (LEAVES + 1);
                if (sampler == WOLFF && x[0] == 1)
                    continue;
                for (size_t j = 1; j + lag <= LEAVES; j++, pairs++)
                    both += x[j] != x[0] && x[j + lag] != x[0];
            }
            const double se = sqrt((p + 2 * p * apart - 3 * p * p) / pairs); /* each leaf is in two pairs */
            ck_assert_msg(pairs > 20000 && fabs(both / pairs - p) <= 6 * se, "%s, distance %zu: %g, not %g, se %g",
                          f.type->info.name, lag, both / pairs, p, se);
        }
        ebm_chains_free(&chains);
        fixture_close(&f);
    }
    free(ends);
}
END_TEST

/* ---- Contracts ---- */

/* Rows [first, first + count) of a common start, `sweeps` sweeps, by so many threads. */
static void run_rows(fixture *f, int threads, size_t first, size_t count, size_t sweeps, bool one_by_one,
                     ebm_real *out) {
    const size_t V = f->model.space.size, q = f->model.space.categories;
    ebm_work *work;
    ebm_chains chains;
    CHECK_OK(ebm_work_create(threads, &work, error));
    CHECK_OK(ebm_chains_create(&f->model, count, ebm_stream_of(9, EBM_PURPOSE_ESTIMATE), &chains, error));
    CHECK_OK(ebm_sampler_attach(&f->sampler, &f->model, &chains, error));
    chains.first_chain = (uint32_t)first;
    for (size_t b = 0; b < count; b++)
        for (size_t i = 0; i < V; i++) {
            const size_t value = ((first + b + 1) * (i + 3) * 2654435761u >> 16) % q;
            chains.batch.x[b * V + i] =
                (ebm_real)(f->model.space.domain == EBM_SPIN ? 2 * (double)value - 1 : (double)value);
        }
    for (size_t k = 0; k < (one_by_one ? sweeps : 1); k++)
        CHECK_OK(f->type->step(&f->sampler, &f->model, (ebm_path){&f->base, 0.75}, &chains, one_by_one ? 1 : sweeps,
                               work, error));
    memcpy(out, chains.batch.x, count * V * sizeof *out);
    ebm_chains_free(&chains);
    ebm_work_free(work);
}

/* A chain's walk depends on its number and step alone: not on the rows beside it, on how sweeps are grouped, or on
 * threads. */
START_TEST(test_clusters_are_independent_of_batching) {
    enum { ROWS = 13, SWEEPS = 5, SIDE = 12, UNITS = SIDE * SIDE };
    ebm_graph torus = torus_of(SIDE, SIDE);
    for (int sampler = 0; sampler < SAMPLERS; sampler++)
        for (size_t categories = 0; categories <= 3; categories += 3)
            for (int fields = 0; fields < 2; fields++) {
                static ebm_real whole[ROWS * UNITS], other[ROWS * UNITS];
                fixture f;
                fixture_open(&f, UNITS, categories, torus.edges, torus.ends, SPOIL_NOTHING, sampler);
                test_random r = {5};
                for (size_t k = 0; k < f.model.n_theta; k++)
                    if (k < torus.edges)
                        f.model.theta[k] = draw_strength(&r, categories ? POSITIVE : SIGNED, k, categories != 0);
                    else
                        f.model.theta[k] = (ebm_real)(0.2 * fields * test_random_normal(&r));
                memset(f.base.parameters, 0, f.base.count * sizeof *f.base.parameters);
                ebm_model_refresh(&f.model, f.work);
                run_rows(&f, 1, 0, ROWS, SWEEPS, false, whole);
                run_rows(&f, 3, 0, ROWS, SWEEPS, false, other);
                ck_assert_int_eq(memcmp(whole, other, sizeof whole), 0);
                run_rows(&f, 2, 0, ROWS, SWEEPS, true, other);
                ck_assert_int_eq(memcmp(whole, other, sizeof whole), 0);
                run_rows(&f, 1, 0, 4, SWEEPS, false, other);
                run_rows(&f, 1, 4, ROWS - 4, SWEEPS, false, other + 4 * UNITS);
                ck_assert_int_eq(memcmp(whole, other, sizeof whole), 0);
                run_rows(&f, 1, 1, ROWS, SWEEPS, false, other); /* other chains: the comparison can fail */
                ck_assert_int_ne(memcmp(whole, other, sizeof whole), 0);
                fixture_close(&f);
            }
    ebm_graph_free(&torus);
}
END_TEST

START_TEST(test_cluster_counters) {
    enum { CHAINS = 200, SWEEPS = 7 };
    for (int sampler = 0; sampler < SAMPLERS; sampler++)
        for (int fields = 0; fields < 2; fields++) {
            fixture f;
            system_open(&f, &systems[fields ? 4 : 3], SPOIL_NOTHING, sampler);
            const size_t V = f.model.space.size;
            ebm_chains chains;
            CHECK_OK(ebm_chains_create(&f.model, CHAINS, ebm_stream_of(2, EBM_PURPOSE_ESTIMATE), &chains, error));
            for (size_t k = 0; k < CHAINS * V; k++)
                chains.batch.x[k] = 1;
            chains.batch.field_ok = chains.batch.hidden_ok = true;
            /* no auxiliary is attached: nothing is measured, and nothing else changes */
            CHECK_OK(f.type->step(&f.sampler, &f.model, ebm_path_end(), &chains, SWEEPS, f.work, error));
            ck_assert(!chains.batch.field_ok && !chains.batch.hidden_ok && chains.step > 0);
            ck_assert(chains.energy_evaluations == 0 && chains.gradient_evaluations == 0);
            if (sampler == SWENDSEN_WANG) {
                ck_assert_uint_eq(chains.site_updates, CHAINS * SWEEPS * V);
                ck_assert(chains.proposed == 0 && chains.accepted == 0);
            } else {
                ck_assert_uint_ge(chains.site_updates, CHAINS * SWEEPS);
                ck_assert_uint_le(chains.site_updates, CHAINS * SWEEPS * V);
                ck_assert(chains.proposed == CHAINS * SWEEPS);
                ck_assert(fields ? chains.accepted < chains.proposed : chains.accepted == chains.proposed);
                ck_assert(chains.accepted > 0);
            }
            ebm_chains_reset_counters(&f.sampler, &chains);
            ck_assert(chains.site_updates == 0 && chains.proposed == 0);
            ebm_chains_free(&chains);
            fixture_close(&f);
        }
}
END_TEST

static void refused(ebm_status status, ebm_status expected, const ebm_error *error, const char *part) {
    ck_assert_int_eq(status, expected);
    ck_assert_msg(strstr(error->message, part) != NULL, "\"%s\" does not say %s", error->message, part);
}

START_TEST(test_clusters_refuse) {
    static const uint32_t ends[] = {0, 1, 1, 2};
    for (int sampler = 0; sampler < SAMPLERS; sampler++) {
        ebm_error found = {0};
        fixture f;
        ebm_chains chains;
        fixture_open(&f, 3, 3, 2, ends, SPOIL_NOTHING, sampler);
        CHECK_OK(ebm_chains_create(&f.model, 4, ebm_stream_of(2, EBM_PURPOSE_ESTIMATE), &chains, error));
        const ebm_sampler_type *type = f.type;
        double T[27 * 27];
        static const double betas[] = {-0.5, NAN, INFINITY};
        for (size_t k = 0; k < 3; k++) {
            const ebm_path path = {NULL, betas[k]};
            refused(type->step(&f.sampler, &f.model, path, &chains, 1, f.work, &found), EBM_INVALID, &found, "beta is");
            refused(type->kernel(&f.sampler, &f.model, path, 27, T, f.work, &found), EBM_INVALID, &found, "beta is");
        }
        CHECK_OK(type->step(&f.sampler, &f.model, ebm_path_end(), &chains, 1, f.work, error));
        f.model.theta[1] = (ebm_real)-0.5; /* a learner may do that between two steps */
        ebm_model_refresh(&f.model, f.work);
        const uint64_t step = chains.step;
        for (int again = 0; again < 2; again++)
            refused(type->step(&f.sampler, &f.model, ebm_path_end(), &chains, 1, f.work, &found), EBM_UNSUPPORTED,
                    &found, "edge 1 (units 1 and 2) is -0.5");
        ck_assert_uint_eq(chains.step, step);
        refused(type->kernel(&f.sampler, &f.model, ebm_path_end(), 27, T, f.work, &found), EBM_UNSUPPORTED, &found,
                "edge 1");
        ebm_sampler second;
        refused(ebm_sampler_create(type, NULL, &f.model, &second, &found), EBM_UNSUPPORTED, &found, "edge 1");
        f.model.theta[1] = NAN;
        ebm_model_refresh(&f.model, f.work);
        refused(type->step(&f.sampler, &f.model, ebm_path_end(), &chains, 1, f.work, &found), EBM_DIVERGED, &found,
                "edge 1");
        f.model.theta[1] = 1;
        f.model.theta[2 + 4] = INFINITY;
        ebm_model_refresh(&f.model, f.work);
        refused(type->step(&f.sampler, &f.model, ebm_path_end(), &chains, 1, f.work, &found), EBM_DIVERGED, &found,
                "field of unit 1");
        f.model.theta[2 + 4] = 0;
        ebm_model_refresh(&f.model, f.work);
        CHECK_OK(type->step(&f.sampler, &f.model, ebm_path_end(), &chains, 1, f.work, error));
        ebm_chains_free(&chains);
        fixture_close(&f);
    }
}
END_TEST

/* 18 edges, all satisfied where all spins are equal. */
START_TEST(test_cluster_kernels_refuse_many_bonds) {
    for (int sampler = 0; sampler < SAMPLERS; sampler++) {
        ebm_error found = {0};
        ebm_graph torus = torus_of(3, 3);
        double *T = oracle_memory(512 * 512);
        fixture f;
        fixture_open(&f, 9, 0, torus.edges, torus.ends, SPOIL_NOTHING, sampler);
        for (size_t e = 0; e < torus.edges; e++)
            f.model.theta[e] = 1;
        ebm_model_refresh(&f.model, f.work);
        const size_t mark = ebm_work_mark(f.work);
        refused(f.type->kernel(&f.sampler, &f.model, ebm_path_end(), 512, T, f.work, &found), EBM_UNSUPPORTED, &found,
                "2^18 with 18 satisfied");
        ck_assert_uint_eq(ebm_work_mark(f.work), mark);
        free(T);
        fixture_close(&f);
        ebm_graph_free(&torus);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("clusters");
    TCase *kernels = tcase_create("kernels"), *steps = tcase_create("steps"), *contracts = tcase_create("contracts");
    tcase_add_loop_test(kernels, test_cluster_kernels_invariant, 0, SYSTEMS);
    tcase_add_test(kernels, test_cluster_kernels_of_a_pair);
    tcase_add_loop_test(steps, test_cluster_steps_follow_kernels, 0, SYSTEMS);
    tcase_add_test(steps, test_cluster_checks_see_mistakes);
    tcase_add_test(steps, test_cluster_sizes_are_the_susceptibility);
    tcase_add_test(steps, test_clusters_of_a_star);
    tcase_add_test(contracts, test_clusters_are_independent_of_batching);
    tcase_add_test(contracts, test_cluster_counters);
    tcase_add_test(contracts, test_clusters_refuse);
    tcase_add_test(contracts, test_cluster_kernels_refuse_many_bonds);
    tcase_set_timeout(kernels, 300);
    tcase_set_timeout(steps, 300);
    tcase_set_timeout(contracts, 300);
    suite_add_tcase(suite, kernels);
    suite_add_tcase(suite, steps);
    suite_add_tcase(suite, contracts);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
