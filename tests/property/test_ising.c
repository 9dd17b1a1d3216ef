/* The Ising model against plain sums over all states of small systems, and its exact quantities against each other. */
#include "ising_fixture.h"
#include "statistics.h"

#include <unistd.h>

static const struct {
    const char *pairs[9];
    ising_theta theta;
} systems[] = {
    {{"side", "3", NULL}, ISING_AS_OPTIONS},
    {{"rows", "3", "columns", "4", "coupling", "-0.7", "field", "0.3", NULL}, ISING_AS_OPTIONS},
    {{"rows", "4", "columns", "3", NULL}, ISING_NORMAL},
    {{"side", "3", "disorder", "plus-minus", "coupling", "0.8", NULL}, ISING_AS_OPTIONS},
    {{"rows", "2", "columns", "5", "lattice", "grid", "disorder", "gaussian", NULL}, ISING_AS_OPTIONS},
    {{"rows", "1", "columns", "8", "lattice", "grid", NULL}, ISING_NORMAL},
    {{"rows", "2", "columns", "3", "lattice", "complete", NULL}, ISING_NORMAL},
    {{"rows", "1", "columns", "1", "lattice", "grid", "field", "0.5", NULL}, ISING_AS_OPTIONS},
    {{"rows", "1", "columns", "2", "lattice", "grid", NULL}, ISING_NORMAL},
};
enum { SYSTEMS = sizeof systems / sizeof systems[0] };

static const struct {
    int base;
    double beta;
} paths[] = {{0, 1.0}, {0, 0.35}, {0, 1.7}, {1, 0.6}, {1, 1.0}, {0, 0.0}, {1, 0.0}};
enum { PATHS = sizeof paths / sizeof paths[0] };

static void open_system(ising_fixture *f, int system) {
    ising_open(f, systems[system].pairs, systems[system].theta, 100 + (uint64_t)system);
}

/* Which units of a torus are joined, from their places alone, and that the options set every J and h. */
START_TEST(test_ising_options) {
    ising_fixture f;
    const char *pairs[] = {"rows", "3", "columns", "5", "coupling", "-0.75", "field", "0.25", NULL};
    ising_open(&f, pairs, ISING_AS_OPTIONS, 1);
    ck_assert(f.model.space.rank == 2 && f.model.space.shape[0] == 3 && f.model.space.shape[1] == 5);
    for (size_t i = 0; i < 15; i++) {
        ck_assert(f.h[i] == 0.25);
        for (size_t j = 0; j < 15; j++) {
            const size_t dr = (i / 5 + 3 - j / 5) % 3, dc = (i % 5 + 5 - j % 5) % 5;
            const bool joined = (dr == 0 && (dc == 1 || dc == 4)) || (dc == 0 && (dr == 1 || dr == 2));
            ck_assert(f.J[i][j] == (joined ? -0.75 : 0));
        }
    }
    ising_close(&f);
}
END_TEST

START_TEST(test_ising_field) {
    ising_fixture f;
    open_system(&f, _i);
    ebm_batch batch = ising_all_states(&f);
    double worst = 0;
    for (size_t s = 0; s < f.S; s++)
        for (size_t i = 0; i < f.V; i++) {
            double want = f.h[i];
            for (size_t j = 0; j < f.V; j++)
                want += f.J[i][j] * ising_spin(s, j);
            worst = fmax(worst, rbm_distance((double)batch.field[s * f.V + i], want, ising_bound(&f)));
        }
    ck_assert_msg(worst <= 1, "%g times the allowed error", worst);
    ebm_batch_free(&batch);
    ising_close(&f);
}
END_TEST

START_TEST(test_ising_energy) {
    ising_fixture f;
    open_system(&f, _i);
    ebm_batch batch = ising_all_states(&f);
    double *E = oracle_memory(f.S), *difference = oracle_memory(f.S), worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        const ebm_path path = ising_path(&f, paths[k].base, paths[k].beta);
        const ebm_path to = ising_path(&f, paths[k].base, paths[k].beta + 1e-3);
        f.type->energy(&f.model, path, &batch, E, f.work);
        f.type->energy_difference(&f.model, path, to, &batch, difference, f.work);
        for (size_t s = 0; s < f.S; s++) {
            const double at_0 = ising_code_energy(&f, paths[k].base, 0, s);
            const double slope = ising_code_energy(&f, paths[k].base, 1, s) - at_0;
            worst = fmax(worst, rbm_distance(E[s], at_0 + paths[k].beta * slope, ising_bound(&f)));
            /* the increment is as exact as E itself: 1e-3 of its error */
            const double step = to.beta - path.beta;
            worst = fmax(worst, rbm_distance(difference[s] / step, slope, ising_bound(&f)));
        }
    }
    ck_assert_msg(worst <= 1, "%g times the allowed error", worst);
    free(E);
    free(difference);
    ebm_batch_free(&batch);
    ising_close(&f);
}
END_TEST

/* Log odds of a unit given the rest, from the difference of two energies. */
START_TEST(test_ising_site) {
    ising_fixture f;
    open_system(&f, _i);
    ebm_batch batch = ising_all_states(&f);
    uint32_t *units = calloc(f.S, sizeof *units);
    ebm_real *logit = calloc(f.S, sizeof *logit);
    double worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        for (size_t s = 0; s < f.S; s++)
            units[s] = (uint32_t)((s * 5 + k) % f.V); /* another unit in each row */
        f.type->site(&f.model, ising_path(&f, paths[k].base, paths[k].beta), &batch, units, logit, f.work);
        for (size_t s = 0; s < f.S; s++) {
            const size_t bit = (size_t)1 << units[s];
            const double want = ising_code_energy(&f, paths[k].base, paths[k].beta, s & ~bit) -
                                ising_code_energy(&f, paths[k].base, paths[k].beta, s | bit);
            worst = fmax(worst, rbm_distance((double)logit[s], want, ising_bound(&f)));
        }
    }
    ck_assert_msg(worst <= 1, "%g times the allowed error", worst);
    free(units);
    free(logit);
    ebm_batch_free(&batch);
    ising_close(&f);
}
END_TEST

START_TEST(test_ising_site_changed) {
    ising_fixture f;
    open_system(&f, _i);
    ebm_batch batch = ising_all_states(&f);
    uint32_t *units = calloc(f.S, sizeof *units);
    ebm_real *before = calloc(f.S, sizeof *before);
    double worst = 0;
    for (size_t s = 0; s < f.S; s++) {
        units[s] = (uint32_t)((s * 7 + 3) % f.V);
        before[s] = batch.x[s * f.V + units[s]];
        batch.x[s * f.V + units[s]] *= s % 3 ? -1 : 1; /* some stay as they are */
    }
    f.type->site_changed(&f.model, &batch, units, before, f.work);
    for (size_t s = 0; s < f.S; s++)
        for (size_t i = 0; i < f.V; i++) {
            double want = f.h[i];
            for (size_t j = 0; j < f.V; j++)
                want += f.J[i][j] * (double)batch.x[s * f.V + j];
            worst = fmax(worst, rbm_distance((double)batch.field[s * f.V + i], want, ising_bound(&f)));
        }
    ck_assert_msg(worst <= 1, "%g times the allowed error", worst);
    free(units);
    free(before);
    ebm_batch_free(&batch);
    ising_close(&f);
}
END_TEST

/* dE/dJ_ij = -s_i s_j and dE/dh_i = -s_i, weighted, scaled and added to what is there. */
START_TEST(test_ising_grad_theta) {
    ising_fixture f;
    open_system(&f, _i);
    ebm_batch batch = ising_all_states(&f);
    const ebm_graph *g = f.type->graph(&f.model);
    test_random r = {31};
    ebm_real *weight = calloc(f.S, sizeof *weight), *grad = calloc(f.model.n_theta, sizeof *grad);
    double worst = 0, total = 0;
    for (size_t s = 0; s < f.S; s++) {
        weight[s] = (ebm_real)test_random_normal(&r);
        total += fabs((double)weight[s]);
    }
    for (int weighted = 0; weighted < 2; weighted++) {
        for (size_t t = 0; t < f.model.n_theta; t++)
            grad[t] = 2;
        f.type->grad_theta(&f.model, &batch, weighted ? weight : NULL, 0.5, grad, f.work);
        for (size_t t = 0; t < f.model.n_theta; t++) {
            double want = 2;
            for (size_t s = 0; s < f.S; s++) {
                const double statistic = t < g->edges
                                             ? ising_spin(s, g->ends[2 * t]) * ising_spin(s, g->ends[2 * t + 1])
                                             : ising_spin(s, t - g->edges);
                want -= 0.5 * (weighted ? (double)weight[s] : 1) * statistic;
            }
            /* sums are in double; the result and the addition are rounded */
            worst = fmax(worst, rbm_distance((double)grad[t], want, 4 * UNIT_ROUNDOFF * (total + (double)f.S)));
        }
    }
    ck_assert_msg(worst <= 1, "%g times the allowed error", worst);
    free(weight);
    free(grad);
    ebm_batch_free(&batch);
    ising_close(&f);
}
END_TEST

/* E_beta is linear in each coordinate: the central difference is exact but for rounding. */
START_TEST(test_ising_grad_x) {
    ising_fixture f;
    open_system(&f, _i);
    ebm_batch batch = ising_all_states(&f);
    ebm_real *grad = calloc(f.S * f.V, sizeof *grad);
    double worst = 0, x[ISING_UNITS];
    for (size_t k = 0; k < PATHS; k++) {
        f.type->grad_x(&f.model, ising_path(&f, paths[k].base, paths[k].beta), &batch, grad, f.work);
        for (size_t s = 0; s < f.S; s++) {
            for (size_t i = 0; i < f.V; i++)
                x[i] = ising_spin(s, i);
            for (size_t i = 0; i < f.V; i++) {
                x[i] += 0.5;
                double want = ising_path_energy(&f, paths[k].base, paths[k].beta, x);
                x[i] -= 1;
                want -= ising_path_energy(&f, paths[k].base, paths[k].beta, x);
                x[i] += 0.5;
                worst = fmax(worst, rbm_distance((double)grad[s * f.V + i], want, ising_bound(&f)));
            }
        }
    }
    ck_assert_msg(worst <= 1, "%g times the allowed error", worst);
    free(grad);
    ebm_batch_free(&batch);
    ising_close(&f);
}
END_TEST

/* All of it is in double from the same parameters: 1e-11 relative to the numbers that are summed, about V. */
START_TEST(test_ising_log_normaliser) {
    ising_fixture f;
    open_system(&f, _i);
    for (size_t k = 0; k < PATHS; k++) {
        double want, got = 0;
        free(ising_probabilities(&f, paths[k].base, paths[k].beta, &want));
        CHECK_OK(f.type->log_normaliser(&f.model, ising_path(&f, paths[k].base, paths[k].beta), &got, f.work, error));
        ck_assert_msg(fabs(got - want) <= 1e-11 * (double)f.V, "beta %g: %.15g, not %.15g", paths[k].beta, got, want);
    }
    ck_assert_double_eq_tol(f.type->log_base_normaliser(&f.model, NULL), (double)f.V * log(2), 1e-12);
    ck_assert(f.type->log_base_normaliser(&f.model, &f.base) == f.base.log_normaliser);
    ising_close(&f);
}
END_TEST

/* Kaufman's formula and enumeration, which has to be asked for by a field that is not quite nothing (1e-30). Both signs
 * of J where both sides are even; J < 0 is enumerated elsewhere. 13 to 16 units are more than one block. */
static const char *const shapes[][2] = {{"3", "3"}, {"4", "4"}, {"3", "5"}, {"4", "3"}, {"5", "3"}};

START_TEST(test_ising_kaufman_is_enumeration) {
    static const char *const couplings[] = {"1", "-1", "0.5", "0"};
    static const double betas[] = {0.05, 0.3, 0.44068679350977151, 0.6, 2};
    const size_t s = (size_t)_i;
    for (size_t j = 0; j < 4; j++) {
        ising_fixture f;
        const char *pairs[] = {"rows", shapes[s][0], "columns", shapes[s][1], "coupling", couplings[j], NULL};
        ising_open(&f, pairs, ISING_AS_OPTIONS, 5);
        for (size_t k = 0; k < 5; k++) {
            double formula = 0, enumerated = 0, plain;
            const ebm_path path = {NULL, betas[k]};
            CHECK_OK(f.type->log_normaliser(&f.model, path, &formula, f.work, error));
            ebm_model_view(&f.model, "field")[0] = (ebm_real)1e-30;
            ebm_model_refresh(&f.model, f.work);
            CHECK_OK(f.type->log_normaliser(&f.model, path, &enumerated, f.work, error));
            ebm_model_view(&f.model, "field")[0] = 0;
            ebm_model_refresh(&f.model, f.work);
            free(ising_probabilities(&f, 0, betas[k], &plain));
            ck_assert_msg(fabs(formula - plain) <= 1e-11, "%s x %s, J %s, beta %g: %.15g, not %.15g", shapes[s][0],
                          shapes[s][1], couplings[j], betas[k], formula, plain);
            ck_assert_double_eq_tol(enumerated, plain, 1e-11);
        }
        ising_close(&f);
    }
}
END_TEST

START_TEST(test_ising_expected_grad_theta) {
    ising_fixture f;
    open_system(&f, _i);
    const ebm_graph *g = f.type->graph(&f.model);
    double log_z = 0, want_z, worst = 0;
    ebm_real *grad = calloc(f.model.n_theta, sizeof *grad);
    double *p = ising_probabilities(&f, 0, 1, &want_z);
    for (size_t t = 0; t < f.model.n_theta; t++)
        grad[t] = 1;
    CHECK_OK(f.type->expected_grad_theta(&f.model, -2, grad, &log_z, f.work, error));
    ck_assert_double_eq_tol(log_z, want_z, 1e-11 * (double)f.V);
    for (size_t t = 0; t < f.model.n_theta; t++) {
        double want = 1;
        for (size_t s = 0; s < f.S; s++)
            want += 2 * p[s] *
                    (t < g->edges ? ising_spin(s, g->ends[2 * t]) * ising_spin(s, g->ends[2 * t + 1])
                                  : ising_spin(s, t - g->edges));
        worst = fmax(worst, rbm_distance((double)grad[t], want, 4 * UNIT_ROUNDOFF));
    }
    ck_assert_msg(worst <= 1, "%g times the allowed error", worst);
    free(grad);
    free(p);
    ising_close(&f);
}
END_TEST

/* More units than a block has: the statistics of high units and of pairs across, at 14 units with a field. In the double
 * build also d log Z / d theta by central differences: -(z(t + e) - z(t - e)) / 2e is off by e^2 / 6 times a third
 * derivative (at most 8) and by the rounding of log Z, 1e-13 / e: 1e-8 at e = 2e-5. */
START_TEST(test_ising_enumeration_in_blocks) {
    ising_fixture f;
    const char *pairs[] = {"rows", "2", "columns", "7", "lattice", "complete", NULL};
    ising_open(&f, pairs, ISING_NORMAL, 8);
    const ebm_graph *g = f.type->graph(&f.model);
    double log_z = 0, want_z, worst = 0;
    ebm_real *grad = calloc(f.model.n_theta, sizeof *grad);
    double *p = ising_probabilities(&f, 0, 1, &want_z);
    CHECK_OK(f.type->expected_grad_theta(&f.model, 1, grad, &log_z, f.work, error));
    ck_assert_double_eq_tol(log_z, want_z, 1e-11);
    for (size_t t = 0; t < f.model.n_theta; t++) {
        double want = 0;
        for (size_t s = 0; s < f.S; s++)
            want -= p[s] * (t < g->edges ? ising_spin(s, g->ends[2 * t]) * ising_spin(s, g->ends[2 * t + 1])
                                         : ising_spin(s, t - g->edges));
        worst = fmax(worst, rbm_distance((double)grad[t], want, 4 * UNIT_ROUNDOFF));
    }
    ck_assert_msg(worst <= 1, "%g times the allowed error", worst);
#ifdef EBM_DOUBLE
    for (size_t t = 0; t < f.model.n_theta; t += 9) {
        double up = 0, down = 0;
        const double e = 2e-5, theta = f.model.theta[t];
        f.model.theta[t] = theta + e;
        ebm_model_refresh(&f.model, f.work);
        CHECK_OK(f.type->log_normaliser(&f.model, ebm_path_end(), &up, f.work, error));
        f.model.theta[t] = theta - e;
        ebm_model_refresh(&f.model, f.work);
        CHECK_OK(f.type->log_normaliser(&f.model, ebm_path_end(), &down, f.work, error));
        f.model.theta[t] = theta;
        ck_assert_double_eq_tol(-(up - down) / (2 * e), grad[t], 1e-8);
    }
#endif
    free(grad);
    free(p);
    ising_close(&f);
}
END_TEST

/* 20,000 draws against p: chi-square at a false alarm of 1e-6; the same rows in two calls; another chain, others. */
START_TEST(test_ising_sample_exact) {
    enum { ROWS = 20000 };
    ising_fixture f;
    open_system(&f, _i);
    for (size_t k = 0; k < PATHS; k++) {
        const ebm_path path = ising_path(&f, paths[k].base, paths[k].beta);
        const ebm_stream stream = ebm_stream_of(17, EBM_PURPOSE_ESTIMATE);
        double *p = ising_probabilities(&f, paths[k].base, paths[k].beta, NULL), *counts = oracle_memory(f.S);
        ebm_batch batch, part;
        CHECK_OK(ebm_batch_create(&f.model, ROWS, &batch, error));
        CHECK_OK(ebm_batch_create(&f.model, 100, &part, error));
        batch.field_ok = true;
        CHECK_OK(f.type->sample_exact(&f.model, path, &batch, stream, 5, 9, f.work, error));
        ck_assert(!batch.field_ok);
        for (size_t b = 0; b < ROWS; b++)
            counts[ising_read(&f, batch.x + b * f.V)]++;
        chi_square chi = {0, 0};
        chi_square_row(&chi, f.S, p, counts);
        ck_assert_msg(chi.statistic <= chi_square_limit(chi.degrees), "%g at %g degrees", chi.statistic, chi.degrees);
        CHECK_OK(f.type->sample_exact(&f.model, path, &part, stream, 5 + 300, 9, f.work, error));
        ck_assert_int_eq(memcmp(part.x, batch.x + 300 * f.V, 100 * f.V * sizeof *part.x), 0);
        CHECK_OK(f.type->sample_exact(&f.model, path, &part, stream, 5 + 301, 9, f.work, error));
        ck_assert_int_ne(memcmp(part.x, batch.x + 300 * f.V, 100 * f.V * sizeof *part.x), 0);
        free(p);
        free(counts);
        ebm_batch_free(&batch);
        ebm_batch_free(&part);
    }
    ising_close(&f);
}
END_TEST

/* energy and energy_variance of the torus against the sum over its states; what is odd vanishes without fields. */
START_TEST(test_ising_exact_mean) {
    static const char *const couplings[] = {"1", "-0.8"};
    for (size_t j = 0; j < 2; j++) {
        ising_fixture f;
        const char *pairs[] = {"side", "4", "coupling", couplings[j], NULL};
        ising_open(&f, pairs, ISING_AS_OPTIONS, 5);
        for (double beta = 0; beta < 1; beta += 0.3) {
            const ebm_path path = {NULL, beta};
            double *p = ising_probabilities(&f, 0, beta, NULL), mean = 0, square = 0, got = 0;
            for (size_t s = 0; s < f.S; s++) {
                const double E = ising_code_energy(&f, 0, 1, s);
                mean += p[s] * E;
                square += p[s] * E * E;
            }
            /* plain sums of 2^16 numbers of size 2 a unit are off by at most 2^16 2^-53 of that; E^2 by 30 times as much
             */
            CHECK_OK(f.type->exact_mean(&f.model, path, "energy", &got, f.work, error));
            ck_assert_double_eq_tol(got, mean / 16, 1.5e-11);
            CHECK_OK(f.type->exact_mean(&f.model, path, "energy_variance", &got, f.work, error));
            ck_assert_double_eq_tol(got, (square - mean * mean) / 16, 4e-10);
            CHECK_OK(f.type->exact_mean(&f.model, path, "magnetisation", &got, f.work, error));
            ck_assert(got == 0);
            free(p);
        }
        ising_close(&f);
    }
}
END_TEST

/* Names of the infinite lattice, in the model's units; what has no formula is refused. */
START_TEST(test_ising_exact_mean_names) {
    ising_fixture f;
    const char *pairs[] = {"side", "5", "coupling", "2", NULL};
    double got = 0;
    ising_open(&f, pairs, ISING_AS_OPTIONS, 5);
    CHECK_OK(f.type->exact_mean(&f.model, ising_path(&f, 0, 0.25), "abs_magnetisation_infinite", &got, f.work, error));
    ck_assert_double_eq_tol(got, 0.911319377877496, 1e-14); /* beta J = 1/2: T = 2 */
    CHECK_OK(f.type->exact_mean(&f.model, ising_path(&f, 0, 10), "energy_infinite", &got, f.work, error));
    ck_assert_double_eq_tol(got, -4, 1e-12);
    CHECK_OK(f.type->exact_mean(&f.model, ising_path(&f, 0, 0.1), "specific_heat_infinite", &got, f.work, error));
    ck_assert_double_eq_tol(got, 0.0976521775885, 1e-12);
    static const char *const none[] = {"m2", "abs_magnetisation", "energy_", ""};
    for (size_t k = 0; k < 4; k++)
        ck_assert_int_eq(f.type->exact_mean(&f.model, ebm_path_end(), none[k], &got, f.work, NULL), EBM_UNSUPPORTED);
    ck_assert_int_eq(f.type->exact_mean(&f.model, ising_path(&f, 1, 0.5), "energy", &got, f.work, NULL),
                     EBM_UNSUPPORTED); /* a base of fields */
    CHECK_OK(f.type->exact_mean(&f.model, ising_path(&f, 1, 1), "energy", &got, f.work, error));
    ebm_model_view(&f.model, "field")[3] = 1;
    ebm_model_refresh(&f.model, f.work);
    ck_assert_int_eq(f.type->exact_mean(&f.model, ebm_path_end(), "energy", &got, f.work, NULL), EBM_UNSUPPORTED);
    ck_assert_int_eq(f.type->exact_mean(&f.model, ebm_path_end(), "first", &got, f.work, NULL), EBM_UNSUPPORTED);
    ising_close(&f);
    const char *frustrated[] = {"side", "5", "coupling", "-1", NULL}; /* odd sides, J < 0 */
    ising_open(&f, frustrated, ISING_AS_OPTIONS, 5);
    ck_assert_int_eq(f.type->exact_mean(&f.model, ebm_path_end(), "energy", &got, f.work, NULL), EBM_UNSUPPORTED);
    ebm_error why = {0};
    ck_assert_int_eq(f.type->log_normaliser(&f.model, ebm_path_end(), &got, f.work, &why), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(why.message, "24 units, not 25"));
    ising_close(&f);
}
END_TEST

static ebm_status create(const char *const *pairs, const ebm_space *space, ebm_error *why) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "ising");
    void *options = test_options(&type->info, pairs);
    ebm_model model;
    const ebm_status status = ebm_model_create(type, options, space, NULL, 1, &model, why);
    if (status == EBM_OK)
        ebm_model_free(&model);
    test_options_free(&type->info, options);
    return status;
}

START_TEST(test_ising_create) {
    static const char *const none[] = {NULL}, *const narrow[] = {"rows", "2", "columns", "5", NULL};
    static const char *const missing[] = {"side", "3", "load", "/nonexistent", NULL};
    const ebm_space picture = ebm_space_picture(EBM_SPIN, 4, 5), line = ebm_space_line(EBM_SPIN, 20);
    const ebm_space binary = ebm_space_picture(EBM_BINARY, 4, 5);
    ebm_error why = {0};
    CHECK_OK(create(none, &picture, error)); /* the data's picture */
    ck_assert_int_eq(create(none, NULL, &why), EBM_INVALID);
    ck_assert_int_eq(create(none, &line, &why), EBM_INVALID);
    ck_assert_int_eq(create(none, &binary, &why), EBM_UNSUPPORTED);
    ck_assert_int_eq(create(narrow, NULL, &why), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(why.message, "fewer than 3"));
    ck_assert_int_eq(create(narrow, &picture, &why), EBM_INVALID);
    ck_assert_int_eq(create(missing, NULL, &why), EBM_IO);
}
END_TEST

START_TEST(test_ising_save_and_load) {
    char folder[] = "/tmp/ebm_ising_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ising_fixture f, g;
    const char *pairs[] = {"side", "3", NULL}, *again[] = {"side", "3", "load", folder, NULL};
    ising_open(&f, pairs, ISING_NORMAL, 3);
    CHECK_OK(ebm_model_save(&f.model, folder, error));
    ising_open(&g, again, ISING_AS_OPTIONS, 4);
    ck_assert_int_eq(memcmp(f.model.theta, g.model.theta, f.model.n_theta * sizeof *f.model.theta), 0);
    ck_assert_int_eq(memcmp(f.J, g.J, sizeof f.J), 0);
    ising_close(&f);
    ising_close(&g);
    static const char *const names[] = {"coupling", "field"};
    for (size_t k = 0; k < 2; k++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s.npy", folder, names[k]);
        ck_assert_int_eq(unlink(path), 0);
    }
    rmdir(folder);
}
END_TEST

/* The same bytes for any number of threads, where the work is large enough to be shared. */
START_TEST(test_ising_threads) {
    static const char *const pairs[][7] = {{"side", "40", NULL},
                                           {"side", "40", "disorder", "gaussian", NULL},
                                           {"side", "40", "lattice", "grid", "disorder", "gaussian", NULL}};
    for (size_t k = 0; k < 3; k++) {
        ising_fixture f;
        enum { ROWS = 24 };
        ising_open(&f, pairs[k], ISING_AS_OPTIONS, 11);
        ebm_real *field[2], *grad[2];
        double E[2][ROWS];
        ebm_batch batch;
        CHECK_OK(ebm_batch_create(&f.model, ROWS, &batch, error));
        test_random r = {12};
        for (size_t i = 0; i < ROWS * f.V; i++)
            batch.x[i] = test_random_word(&r) >> 63 ? 1 : -1;
        for (int threads = 0; threads < 2; threads++) {
            ebm_work *work;
            CHECK_OK(ebm_work_create(1 + 2 * threads, &work, error));
            batch.field_ok = false;
            ebm_model_field(&f.model, &batch, work);
            field[threads] = calloc(ROWS * f.V, sizeof(ebm_real));
            grad[threads] = calloc(f.model.n_theta, sizeof(ebm_real));
            memcpy(field[threads], batch.field, ROWS * f.V * sizeof(ebm_real));
            f.type->energy(&f.model, ebm_path_end(), &batch, E[threads], work);
            f.type->grad_theta(&f.model, &batch, NULL, 1, grad[threads], work);
            ebm_work_free(work);
        }
        ck_assert_int_eq(memcmp(field[0], field[1], ROWS * f.V * sizeof(ebm_real)), 0);
        ck_assert_int_eq(memcmp(grad[0], grad[1], f.model.n_theta * sizeof(ebm_real)), 0);
        ck_assert_int_eq(memcmp(E[0], E[1], sizeof E[0]), 0);
        for (int threads = 0; threads < 2; threads++) {
            free(field[threads]);
            free(grad[threads]);
        }
        ebm_batch_free(&batch);
        ising_close(&f);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ising");
    TCase *states = tcase_create("states"), *exact = tcase_create("exact"), *model = tcase_create("model");
    tcase_add_test(model, test_ising_options);
    tcase_add_test(model, test_ising_create);
    tcase_add_test(model, test_ising_save_and_load);
    tcase_add_test(model, test_ising_threads);
    tcase_add_loop_test(states, test_ising_field, 0, SYSTEMS);
    tcase_add_loop_test(states, test_ising_energy, 0, SYSTEMS);
    tcase_add_loop_test(states, test_ising_site, 0, SYSTEMS);
    tcase_add_loop_test(states, test_ising_site_changed, 0, SYSTEMS);
    tcase_add_loop_test(states, test_ising_grad_theta, 0, SYSTEMS);
    tcase_add_loop_test(states, test_ising_grad_x, 0, SYSTEMS);
    tcase_add_loop_test(exact, test_ising_log_normaliser, 0, SYSTEMS);
    tcase_add_loop_test(exact, test_ising_kaufman_is_enumeration, 0, sizeof shapes / sizeof *shapes);
    tcase_add_loop_test(exact, test_ising_expected_grad_theta, 0, SYSTEMS);
    tcase_add_test(exact, test_ising_enumeration_in_blocks);
    tcase_add_loop_test(exact, test_ising_sample_exact, 0, SYSTEMS);
    tcase_add_test(exact, test_ising_exact_mean);
    tcase_add_test(exact, test_ising_exact_mean_names);
    suite_add_tcase(suite, model);
    suite_add_tcase(suite, states);
    suite_add_tcase(suite, exact);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
