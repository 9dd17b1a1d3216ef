/* What the inverse problem is measured with: draws of a known machine, the error of couplings, the gap between moments
 * and the proof that a maximum of the likelihood exists. */
#include "machine_rows.h"

static const ebm_dataset_type *draws_type(void) {
    const ebm_dataset_type *type = (const ebm_dataset_type *)ebm_component_find(EBM_KIND_DATASET, "machine-draws");
    ck_assert_ptr_nonnull(type);
    return type;
}

static void load(const char *const *pairs, ebm_dataset *out) {
    void *options = test_options(&draws_type()->info, pairs);
    CHECK_OK(ebm_dataset_load(draws_type(), options, 1, out, error));
    test_options_free(&draws_type()->info, options);
}

/* log p of the machine, from its parameters. */
static double weight_of(const ebm_dataset *d, const ebm_real *x) {
    double total = 0;
    for (size_t i = 0; i < d->space.size; i++) {
        total += d->true_fields[i] * (double)x[i];
        for (size_t j = 0; j < i; j++)
            total += d->true_couplings[i * d->space.size + j] * (double)x[i] * (double)x[j];
    }
    return total;
}

/* 100,000 draws: counts of the 32 states by chi^2 with 31 degrees; P(chi^2 > 105) < 1e-9. */
START_TEST(test_draws_are_of_the_machine) {
    static const char *const pairs[] = {"units", "5", "count", "100000", "temperature", "0.8", "test", "10", NULL};
    ebm_dataset d;
    double counts[32] = {0}, total = 0, chi = 0;
    load(pairs, &d);
    ck_assert_uint_eq(d.support_count, 32);
    for (size_t s = 0; s < 32; s++)
        total += exp(weight_of(&d, d.support + s * 5));
    for (size_t b = 0; b < d.train.count; b++) {
        size_t code = 0;
        for (size_t i = 0; i < 5; i++)
            code |= (size_t)(d.train.reals[b * 5 + i] > 0) << i;
        counts[code]++;
    }
    for (size_t s = 0; s < 32; s++) {
        const double expected = weight_of(&d, d.support + s * 5) - log(total), mean = 1e5 * exp(expected);
        ck_assert_double_le(fabs(d.support_log_probability[s] - expected), 1e-13);
        chi += (counts[s] - mean) * (counts[s] - mean) / mean;
    }
    ck_assert_double_lt(chi, 105);
    ck_assert_double_gt(chi, 4); /* and neither are they better than draws */
    ebm_dataset_free(&d);
}
END_TEST

/* The same machine at another temperature, other draws for another seed or count, another machine for another seed. */
START_TEST(test_draws_seeds) {
    static const char *const cold[] = {"units", "8", "temperature", "1", NULL};
    static const char *const warm[] = {"units", "8", "temperature", "2", NULL};
    static const char *const other[] = {"units", "8", "machine_seed", "2", NULL};
    static const char *const longer[] = {"units", "8", "count", "2000", NULL};
    static const char *const redrawn[] = {"units", "8", "data_seed", "2", NULL};
    ebm_dataset a, b, c, d, e;
    load(cold, &a);
    load(warm, &b);
    load(other, &c);
    load(longer, &d);
    load(redrawn, &e);
    for (size_t k = 0; k < 64; k++) {
        ck_assert_double_le(fabs(a.true_couplings[k] - 2 * b.true_couplings[k]), 1e-15);
        ck_assert(a.true_couplings[k] == d.true_couplings[k] && a.true_couplings[k] == e.true_couplings[k]);
    }
    ck_assert(a.true_couplings[1] != c.true_couplings[1]);
    ck_assert_int_ne(memcmp(a.train.reals, d.train.reals, 1000 * 8 * sizeof(ebm_real)), 0);
    ck_assert_int_ne(memcmp(a.train.reals, e.train.reals, 1000 * 8 * sizeof(ebm_real)), 0);
    ck_assert(a.hash != b.hash && a.hash != c.hash && a.hash != e.hash);
    ebm_dataset *all[] = {&a, &b, &c, &d, &e};
    for (size_t k = 0; k < 5; k++)
        ebm_dataset_free(all[k]);
}
END_TEST

static ebm_estimate_inputs inputs_of(const boltzmann *m, const ebm_dataset *data) {
    return (ebm_estimate_inputs){
        .model = &m->model, .data = data, .path = ebm_path_end(), .thin = 1, .seed = 3, .step = 77, .work = m->work};
}

/* Against the definition, of a machine of spins and of 0/1 units; projections: none or all equal. */
START_TEST(test_coupling_error_is_definition) {
    enum { V = 4 };
    static const char *const pairs[] = {"units", "4", NULL}, *const projections[] = {"projections", "3", NULL};
    ebm_dataset d;
    boltzmann m;
    double apart = 0, size = 0, field_apart = 0, field_size = 0;
    load(pairs, &d);
    boltzmann_open(&m, V, _i, RBM_NORMAL, 0.5, 4);
    for (size_t i = 0; i < V; i++) {
        double h = m.spin ? m.b[i] : m.b[i] / 2;
        for (size_t j = 0; j < V; j++) {
            const double J = m.spin ? m.w[i][j] : m.w[i][j] / 4, right = d.true_couplings[i * V + j];
            h += m.spin || i == j ? 0 : J;
            apart += i < j ? (J - right) * (J - right) : 0;
            size += i < j ? right * right : 0;
        }
        field_apart += (h - d.true_fields[i]) * (h - d.true_fields[i]);
        field_size += d.true_fields[i] * d.true_fields[i];
    }
    ebm_estimate_inputs in = inputs_of(&m, &d);
    CHECK_OK(run_estimator("coupling-error", projections, &in, error));
    ck_assert_double_le(fabs(row_value("coupling_error", 77) - sqrt(apart / size)), 1e-12);
    ck_assert_double_le(fabs(row_value("field_error", 77) - sqrt(field_apart / field_size)), 1e-12);
    const double before[] = {row_value("projection", 0), row_value("projection", 1), row_value("projection", 2)};
    ebm_real *W = ebm_model_view(&m.model, "W");
    W[2 * V + 3] = W[3 * V + 2] += (ebm_real)0.25; /* every projection moves */
    CHECK_OK(run_estimator("coupling-error", projections, &in, error));
    for (uint64_t k = 0; k < 3; k++) { /* a 0/1 coupling moves two fields as well */
        const double moved = fabs(row_value("projection", k) - before[k]), unit = 0.25 / sqrt(10);
        ck_assert(m.spin ? fabs(moved - unit) <= 8 * UNIT_ROUNDOFF : moved > unit / 8);
    }
    ebm_dataset_free(&d);
    boltzmann_close(&m);
}
END_TEST

/* Of the first `count` rows of all states: largest difference of means and mean products, by plain sums. */
START_TEST(test_moment_gap_is_definition) {
    enum { V = 4, COUNT = 11 };
    boltzmann m;
    double p[16], largest = 0;
    boltzmann_open(&m, V, _i, RBM_NORMAL, 0.7, 5);
    boltzmann_law(&m, 0, 1, p);
    ebm_batch all = boltzmann_all_states(&m);
    for (size_t i = 0; i < V; i++)
        for (size_t j = i; j < V; j++) {
            double gap = 0;
            for (size_t s = 0; s < 16; s++) {
                const double f = boltzmann_value(&m, s, i) * (i == j ? 1 : boltzmann_value(&m, s, j));
                gap += f * (p[s] - (s < COUNT ? 1.0 / COUNT : 0));
            }
            largest = fmax(largest, fabs(gap));
        }
    ebm_dataset d = {.type = draws_type(), .space = m.model.space, .train = {.count = COUNT, .reals = all.x}};
    ebm_estimate_inputs in = inputs_of(&m, &d);
    CHECK_OK(run_estimator("moment-gap", NULL, &in, error));
    ck_assert_double_le(fabs(row_value("moment_gap", 77) - largest), 16 * UNIT_ROUNDOFF);
    ebm_batch_free(&all);
    boltzmann_close(&m);
}
END_TEST

/* All states span the moments; without the states in which unit 0 and unit 1 are both up, or all but one of a face, they
 * do not; the 11 states of weight at most 2 do (1 + 4 + 6 moments), and none of them can be missed. */
START_TEST(test_moments_interior) {
    enum { V = 4 };
    boltzmann m;
    boltzmann_open(&m, V, _i, RBM_NORMAL, 0.7, 5);
    ebm_real x[16 * V];
    for (size_t kind = 0; kind < 15; kind++) {
        size_t count = 0, of_weight = 0;
        for (size_t s = 0; s < 16; s++) {
            const size_t weight = (size_t)__builtin_popcountll(s);
            bool in = kind == 0 || (kind == 1 && (s & 3) != 3) || (kind == 2 && (s & 1)) || (kind == 3 && weight <= 2);
            if (kind > 3 && weight <= 2)
                in = of_weight++ != kind - 4;
            if (in)
                boltzmann_write(&m, s, x + count++ * V);
        }
        ebm_dataset d = {.type = draws_type(), .space = m.model.space, .train = {.count = count, .reals = x}};
        ebm_estimate_inputs in = inputs_of(&m, &d);
        CHECK_OK(run_estimator("moment-gap", NULL, &in, error));
        const bool expected = kind == 0 || kind == 3;
        ck_assert_msg(row_value("moments_interior", 77) == (expected ? 1 : 0), "kind %zu", kind);
        ck_assert(isnan(row_value("moment_gap_interior", 77)) == !expected);
    }
    boltzmann_close(&m);
}
END_TEST

START_TEST(test_data_without_truth_refused) {
    boltzmann m;
    boltzmann_open(&m, 4, true, RBM_NORMAL, 0.7, 5);
    ebm_dataset d = {.type = draws_type(), .space = m.model.space};
    ebm_estimate_inputs in = inputs_of(&m, &d);
    ebm_error why = {0};
    ck_assert_int_eq(run_estimator("coupling-error", NULL, &in, &why), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(why.message, "does not know the couplings"));
    ck_assert_int_eq(run_estimator("moment-gap", NULL, &in, &why), EBM_INVALID);
    boltzmann_close(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("inverse estimators");
    TCase *tests = tcase_create("inverse");
    tcase_add_test(tests, test_draws_are_of_the_machine);
    tcase_add_test(tests, test_draws_seeds);
    tcase_add_loop_test(tests, test_coupling_error_is_definition, 0, 2);
    tcase_add_loop_test(tests, test_moment_gap_is_definition, 0, 2);
    tcase_add_loop_test(tests, test_moments_interior, 0, 2);
    tcase_add_test(tests, test_data_without_truth_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
