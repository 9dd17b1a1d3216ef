/* Estimators classify and completion on small Boltzmann machines with hidden units, against sums over all states in double.
 * Units 0 ... 2 are what is seen, 3 ... 5 the label. */
#include "hidden_fixture.h"

#include "ebm/estimator.h"

enum { V = 6, H = 2, REST = 3, K = 3, EXAMPLES = 8 };

/* Every setting of the seen units, with a label each. */
static const size_t labels[EXAMPLES] = {0, 1, 2, 0, 1, 2, 0, 0};

typedef struct rows {
    ebm_sink sink;
    size_t count;
    struct {
        const char *metric;
        double value, se;
    } row[16];
} rows;

static ebm_status keep(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    rows *r = (rows *)sink;
    (void)error;
    ck_assert_uint_lt(r->count, 16);
    r->row[r->count].metric = metric;
    r->row[r->count].value = value;
    r->row[r->count++].se = se;
    return EBM_OK;
}

static size_t row_of(const rows *r, const char *metric) {
    for (size_t k = 0; k < r->count; k++)
        if (strcmp(r->row[k].metric, metric) == 0)
            return k;
    ck_abort_msg("no %s", metric);
}
static double value_of(const rows *r, const char *metric) {
    return r->row[row_of(r, metric)].value;
}

static size_t code_of(size_t e) {
    return e | (size_t)1 << (REST + labels[e]);
}

static ebm_status estimate(hidden_machine *m, const char *name, const char *const *pairs, size_t bad, rows *out,
                           ebm_error *error) {
    const ebm_estimator_type *type = (const ebm_estimator_type *)ebm_component_find(EBM_KIND_ESTIMATOR, name);
    void *options = test_options(&type->info, pairs);
    ebm_real x[EXAMPLES * V];
    for (size_t e = 0; e < EXAMPLES; e++)
        for (size_t i = 0; i < V; i++)
            x[e * V + i] = (ebm_real)(hidden_value(m, code_of(e), i) + (e + 1 == bad && i == V - 1));
    const ebm_dataset data = {.space = m->model.space, .classes = K, .test = {.count = EXAMPLES, .reals = x}};
    const ebm_estimate_inputs in = {
        .model = &m->model, .data = &data, .path = ebm_path_end(), .seed = 5, .step = 2, .work = m->work};
    *out = (rows){.sink = {keep}};
    const ebm_status status = type->estimate(options, &in, &out->sink, error);
    test_options_free(&type->info, options);
    return status;
}

/* log sum of exp(-F) over the states whose units outside [first, first + count) are those of `code`; with `proper`, over
 * those alone in which just one of them is up. */
static double log_sum_over(const hidden_machine *m, size_t code, size_t first, size_t count, bool proper) {
    const size_t mask = (((size_t)1 << count) - 1) << first;
    double sum = 0;
    for (size_t s = 0; s < (size_t)1 << count; s++)
        if (!proper || (s && !(s & (s - 1))))
            sum += exp(-hidden_free(m, 0, 1, (code & ~mask) | s << first));
    return log(sum);
}

/* Energies off by a bound each: a log probability by two. */
static double tolerance(const hidden_machine *m) {
#ifdef EBM_DOUBLE
    (void)m;
    return 1e-11;
#else
    return 2 * hidden_bound(m);
#endif
}

START_TEST(test_classify_is_the_conditional_of_the_label) {
    hidden_machine m;
    rows got;
    hidden_open(&m, V, H, false, RBM_NORMAL, 1.5, 12);
    CHECK_OK(estimate(&m, "classify", NULL, 0, &got, error));
    double right = 0, loglik = 0, mass = 0;
    for (size_t e = 0; e < EXAMPLES; e++) {
        const double proper = log_sum_over(&m, code_of(e), REST, K, true);
        size_t best = 0;
        double least = INFINITY;
        for (size_t k = 0; k < K; k++) {
            const double energy = hidden_free(&m, 0, 1, e | (size_t)1 << (REST + k));
            best = energy < least ? k : best;
            least = fmin(least, energy);
        }
        right += best == labels[e];
        loglik += -hidden_free(&m, 0, 1, code_of(e)) - proper;
        mass += exp(proper - log_sum_over(&m, code_of(e), REST, K, false));
    }
    ck_assert(right > 0 && right < EXAMPLES); /* or there would be nothing to see */
    ck_assert_double_eq_tol(value_of(&got, "accuracy"), right / EXAMPLES, 1e-15);
    ck_assert_double_eq_tol(value_of(&got, "chance"), 4.0 / EXAMPLES, 1e-15);
    ck_assert_double_eq_tol(value_of(&got, "margin"), (right - 4) / EXAMPLES, 1e-15);
    ck_assert_double_eq_tol(value_of(&got, "label_loglik"), loglik / EXAMPLES, tolerance(&m));
    ck_assert_double_eq_tol(value_of(&got, "label_mass"), mass / EXAMPLES, tolerance(&m));
    ck_assert_double_le(value_of(&got, "label_sum_error"), 1e-15); /* K roundings */
    /* The comparison sees the units taken in another order. */
    const char *two[] = {"classes", "2", NULL};
    ebm_error said = {0};
    ck_assert_int_eq(estimate(&m, "classify", two, 0, &got, &said), EBM_INVALID); /* label 0 has its unit outside */
    ck_assert_msg(strstr(said.message, "are no label"), "%s", said.message);
    hidden_close(&m);
}
END_TEST

START_TEST(test_classify_refuses_what_is_no_label) {
    hidden_machine m;
    rows got;
    ebm_error said = {0};
    const char *all[] = {"classes", "6", NULL};
    hidden_open(&m, V, H, false, RBM_NORMAL, 1, 12);
    ck_assert_int_eq(estimate(&m, "classify", NULL, 5, &got, &said), EBM_INVALID); /* two units up */
    ck_assert_msg(strstr(said.message, "example 4 are no label"), "%s", said.message);
    ck_assert_int_eq(estimate(&m, "classify", all, 0, &got, &said), EBM_INVALID);
    ck_assert_msg(strstr(said.message, "cannot be the label"), "%s", said.message);
    hidden_close(&m);
}
END_TEST

/* Exactly, and by chains: couplings of order one half forget within 60 sweeps, so that the share is within 5 of its standard
 * errors; what it says with a unit fewer missing is not. */
START_TEST(test_completion_is_the_conditional_of_the_missing_units) {
    static const char *const pairs[] = {"first", "1", "missing", "3", "chains", "2000", "sweeps", "60", NULL};
    hidden_machine m;
    rows got;
    hidden_open(&m, V, H, _i, RBM_NORMAL, 0.5, 13);
    CHECK_OK(estimate(&m, "completion", pairs, 0, &got, error));
    double loglik = 0, p = 0, fewer = 0, right = 0;
    for (size_t e = 0; e < EXAMPLES; e++) {
        const double own = -hidden_free(&m, 0, 1, code_of(e)), total = log_sum_over(&m, code_of(e), 1, 3, false);
        loglik += own - total;
        p += exp(own - total);
        fewer += exp(own - log_sum_over(&m, code_of(e), 1, 2, false));
        bool best = true;
        for (size_t s = 0; s < 8; s++)
            best = best && -hidden_free(&m, 0, 1, (code_of(e) & ~(size_t)14) | s << 1) <= own;
        right += best;
    }
    ck_assert_double_eq_tol(value_of(&got, "completion_accuracy"), right / EXAMPLES, 1e-15);
    ck_assert_double_eq_tol(value_of(&got, "completion_loglik"), loglik / EXAMPLES, tolerance(&m));
    ck_assert_double_eq_tol(value_of(&got, "completion_probability"), p / EXAMPLES, tolerance(&m));
    const size_t k = row_of(&got, "completion_gibbs");
    ck_assert_double_le(fabs(got.row[k].value - p / EXAMPLES), 5 * got.row[k].se);
    ck_assert_double_gt(fabs(got.row[k].value - fewer / EXAMPLES), 5 * got.row[k].se);
    const char *beyond[] = {"first", "5", "missing", "2", NULL};
    ebm_error said = {0};
    ck_assert_int_eq(estimate(&m, "completion", beyond, 0, &got, &said), EBM_INVALID);
    ck_assert_msg(strstr(said.message, "units 5 to 6 cannot be missing of 6"), "%s", said.message);
    hidden_close(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("classify");
    TCase *tests = tcase_create("estimators");
    tcase_add_test(tests, test_classify_is_the_conditional_of_the_label);
    tcase_add_test(tests, test_classify_refuses_what_is_no_label);
    tcase_add_loop_test(tests, test_completion_is_the_conditional_of_the_missing_units, 0, 2);
    tcase_set_timeout(tests, 300);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
