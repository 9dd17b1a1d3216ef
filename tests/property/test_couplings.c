/* Couplings of every order: against the closed formulas of the first three orders of an RBM, against sums over all states,
 * on machines that have pairs alone, and the true ones of data that know their law. */
#include "rbm_fixture.h"

#include "components.h"

enum { MOST_ROWS = 4000 };

typedef struct row {
    char metric[40];
    uint64_t step;
    double value;
} row;
static struct {
    ebm_sink sink;
    uint64_t step;
    size_t count;
    row rows[MOST_ROWS];
} sunk;

static ebm_status sink_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)sink;
    (void)error;
    if (!isnan(se) || sunk.count >= MOST_ROWS)
        ck_abort_msg("row %zu, s.e. %g", sunk.count, se);
    row *r = &sunk.rows[sunk.count++];
    snprintf(r->metric, sizeof r->metric, "%s", metric);
    r->step = sunk.step;
    r->value = value;
    return EBM_OK;
}

static void sink_at(ebm_sink *sink, uint64_t step) {
    (void)sink;
    sunk.step = step;
}

static double value_at(const char *metric, uint64_t step) {
    for (size_t i = 0; i < sunk.count; i++)
        if (strcmp(sunk.rows[i].metric, metric) == 0 && sunk.rows[i].step == step)
            return sunk.rows[i].value;
    return NAN;
}

enum { NOW = 100000 };

static void estimate(const ebm_model *model, const ebm_dataset *data, const char *basis, ebm_work *work) {
    const char *pairs[] = {"basis", basis, "listed", "4", NULL};
    void *options = test_options(&ebm_couplings_estimator.info, pairs);
    const ebm_estimate_inputs in = {.model = model, .data = data, .path = ebm_path_end(), .step = NOW, .work = work};
    sunk.sink = (ebm_sink){.emit = sink_emit, .at = sink_at};
    sunk.step = NOW;
    sunk.count = 0;
    CHECK_OK(ebm_couplings_estimator.estimate(options, &in, &sunk.sink, error));
    test_options_free(&ebm_couplings_estimator.info, options);
}

static double softplus(double z) {
    return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
}

/* sum_a log(1 + exp(c_a + sum_(i in B) w_ia)) + sum_(i in B) b_i = -F(1_B), in double. */
static double minus_free_energy(const oracle_rbm *m, size_t B) {
    const double *W = m->theta, *b = W + m->V * m->H, *c = b + m->V;
    double total = 0;
    for (size_t a = 0; a < m->H; a++) {
        double field = c[a];
        for (size_t i = 0; i < m->V; i++)
            field += B >> i & 1u ? W[i * m->H + a] : 0;
        total += softplus(field);
    }
    for (size_t i = 0; i < m->V; i++)
        total += B >> i & 1u ? b[i] : 0;
    return total;
}

/* The lecture's expansion in products of bits, closed for the first orders: with f_a(B) = log(1 + exp(c_a + sum_B w)),
 *   K_i = b_i + sum_a f(i) - f(0),   K_ij = sum_a f(ij) - f(i) - f(j) + f(0),
 *   K_ijk = sum_a f(ijk) - f(ij) - f(ik) - f(jk) + f(i) + f(j) + f(k) - f(0),
 * where terms b cancel beyond the first order. Each of the 2^|A| energies is off by the fixture's bound. */
START_TEST(test_couplings_of_bits_are_the_closed_formulas) {
    enum { V = 7, H = 5 };
    rbm_fixture f;
    rbm_open(&f, V, H, RBM_NORMAL, 1.0, 40 + (uint64_t)_i);
    estimate(&f.model, NULL, "bits", f.work);
    const double bound = rbm_energy_bound(&f.machine);
#define F(set) minus_free_energy(&f.machine, set)
    for (size_t i = 0; i < V; i++) {
        const size_t I = (size_t)1 << i;
        ck_assert_double_le(fabs(value_at("coupling", I) - (F(I) - F(0))), 2 * bound);
        for (size_t j = i + 1; j < V; j++) {
            const size_t J = (size_t)1 << j;
            ck_assert_double_le(fabs(value_at("coupling", I | J) - (F(I | J) - F(I) - F(J) + F(0))), 4 * bound);
            for (size_t k = j + 1; k < V; k++) {
                const size_t K = (size_t)1 << k;
                const double closed = F(I | J | K) - F(I | J) - F(I | K) - F(J | K) + F(I) + F(J) + F(K) - F(0);
                ck_assert_double_le(fabs(value_at("coupling", I | J | K) - closed), 8 * bound);
            }
        }
    }
#undef F
    ck_assert_double_le(value_at("expansion_error", NOW), 1e-9);
    ck_assert(isnan(value_at("coupling", 31)) && isnan(value_at("order_rms_true", 2)));
    rbm_close(&f);
}
END_TEST

/* J_A = 2^-V sum_x -F(x) s_A(x): a mean of energies, off by no more than one. Root mean squares of every order follow. */
START_TEST(test_couplings_of_spins_are_means_over_all_states) {
    enum { V = 6, H = 3, S = 64 };
    rbm_fixture f;
    rbm_open(&f, V, H, RBM_NORMAL, 1.5, 50 + (uint64_t)_i);
    estimate(&f.model, NULL, "spins", f.work);
    const double bound = rbm_energy_bound(&f.machine);
    double squares[V + 1] = {0}, n[V + 1] = {0};
    for (size_t A = 1; A < S; A++) {
        double J = 0;
        const int order = __builtin_popcountll(A);
        for (size_t x = 0; x < S; x++) {
            double s = 1;
            for (size_t i = 0; i < V; i++)
                s *= A >> i & 1u ? (x >> i & 1u ? 1 : -1) : 1;
            J += s * minus_free_energy(&f.machine, x) / S;
        }
        if (order <= 4)
            ck_assert_double_le(fabs(value_at("coupling", A) - J), bound + 1e-13);
        squares[order] += J * J;
        n[order]++;
    }
    for (size_t order = 1; order <= V; order++)
        ck_assert_double_le(fabs(value_at("order_rms", order) - sqrt(squares[order] / n[order])), bound + 1e-13);
    ck_assert_double_le(value_at("expansion_error", NOW), 1e-9);
    rbm_close(&f);
}
END_TEST

/* A machine of spins with pairs alone has its own couplings and fields, and nothing beyond; energies of 5 whole numbers in
 * eighths are exact in float. */
START_TEST(test_couplings_of_a_pair_machine_are_its_own) {
    enum { V = 5 };
    const char *pairs[] = {"states", "spin", NULL};
    void *options = test_options(&ebm_boltzmann.info, pairs);
    const ebm_space space = ebm_space_line(EBM_SPIN, V);
    ebm_model model;
    ebm_work *work;
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_model_create(&ebm_boltzmann, options, &space, NULL, 1, &model, error));
    ebm_real *W = ebm_model_view(&model, "W"), *b = ebm_model_view(&model, "bias");
    for (size_t i = 0; i < V; i++) {
        b[i] = ((ebm_real)i - 2) / 8;
        W[i * V + i] = 0;
        for (size_t j = i + 1; j < V; j++)
            W[i * V + j] = W[j * V + i] = ((ebm_real)(i * 3 + j * 5) - 12) / 8;
    }
    ebm_model_refresh(&model, work);
    estimate(&model, NULL, "spins", work);
    for (size_t i = 0; i < V; i++) {
        ck_assert_double_le(fabs(value_at("coupling", (size_t)1 << i) - (double)b[i]), 1e-12);
        for (size_t j = i + 1; j < V; j++)
            ck_assert_double_le(fabs(value_at("coupling", (size_t)1 << i | (size_t)1 << j) - (double)W[i * V + j]),
                                1e-12);
    }
    for (size_t order = 3; order <= V; order++)
        ck_assert_double_le(value_at("order_rms", order), 1e-12);
    ebm_model_free(&model);
    ebm_work_free(work);
    test_options_free(&ebm_boltzmann.info, options);
}
END_TEST

/* Data of a law with two and three bodies: the true couplings are of these orders, and as large as the options say (rms of
 * 28 or 56 normal variates: within 6 of its standard errors, 1/sqrt(2 n)); to couplings far off, the correlation is that of
 * the definition. */
START_TEST(test_couplings_of_data_are_of_two_and_three_bodies) {
    enum { V = 8 };
    const char *pairs[] = {"units", "8", "count", "100", "pair", "0.3", "triple", "0.2", "field", "0", NULL};
    void *options = test_options(&ebm_many_body.info, pairs);
    ebm_dataset data;
    rbm_fixture f;
    CHECK_OK(ebm_dataset_load(&ebm_many_body, options, 1, &data, error));
    rbm_open(&f, V, 3, RBM_NORMAL, 1.0, 60);
    estimate(&f.model, &data, "spins", f.work);
    ck_assert_double_le(fabs(value_at("order_rms_true", 2) / 0.3 - 1), 6 / sqrt(2 * 28.0));
    ck_assert_double_le(fabs(value_at("order_rms_true", 3) / 0.2 - 1), 6 / sqrt(2 * 56.0));
    for (size_t order = 1; order <= V; order++) {
        if (order != 2 && order != 3)
            ck_assert_double_le(value_at("order_rms_true", order), 1e-13);
        ck_assert(isnan(value_at("order_correlation", order)) == (order != 2 && order != 3));
    }
    double n = 0, j = 0, t = 0, jj = 0, tt = 0, jt = 0;
    for (size_t A = 1; A < 256; A++)
        if (__builtin_popcountll(A) == 3) {
            const double J = value_at("coupling", A), T = value_at("coupling_true", A);
            n++, j += J, t += T, jj += J * J, tt += T * T, jt += J * T;
        }
    const double r = (jt - j * t / n) / sqrt((jj - j * j / n) * (tt - t * t / n));
    ck_assert_double_le(fabs(value_at("order_correlation", 3) - r), 1e-12);
    ck_assert_double_le(fabs(value_at("order_error", 3) - sqrt((jj + tt - 2 * jt) / n)), 1e-12);
    ebm_dataset_free(&data);
    test_options_free(&ebm_many_body.info, options);
    rbm_close(&f);
}
END_TEST

START_TEST(test_couplings_refuse_what_cannot_be_summed) {
    void *options = test_options(&ebm_boltzmann.info, NULL);
    void *own = test_options(&ebm_couplings_estimator.info, NULL);
    const ebm_space space = ebm_space_line(EBM_SPIN, 17);
    ebm_error why = {0};
    ebm_model model;
    ebm_work *work;
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_model_create(&ebm_boltzmann, options, &space, NULL, 1, &model, error));
    const ebm_estimate_inputs in = {.model = &model, .path = ebm_path_end(), .work = work};
    sunk.sink = (ebm_sink){.emit = sink_emit, .at = sink_at};
    ck_assert_int_eq(ebm_couplings_estimator.estimate(own, &in, &sunk.sink, &why), EBM_UNSUPPORTED);
    ebm_model_free(&model);
    ebm_work_free(work);
    test_options_free(&ebm_boltzmann.info, options);
    test_options_free(&ebm_couplings_estimator.info, own);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("couplings");
    TCase *cases = tcase_create("couplings");
    tcase_add_loop_test(cases, test_couplings_of_bits_are_the_closed_formulas, 0, 3);
    tcase_add_loop_test(cases, test_couplings_of_spins_are_means_over_all_states, 0, 3);
    tcase_add_test(cases, test_couplings_of_a_pair_machine_are_its_own);
    tcase_add_test(cases, test_couplings_of_data_are_of_two_and_three_bodies);
    tcase_add_test(cases, test_couplings_refuse_what_cannot_be_summed);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
