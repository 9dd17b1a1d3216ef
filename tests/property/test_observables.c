/* Observables against plain sums on every kind of space, and their exact means against sums over all states.
 *
 * Sums of the reference are plain double sums: of integers below 2^53 exact, of V squares of order one off by at most
 * V units of rounding relatively. */
#include "ebm/enumerate.h"
#include "ebm/observable.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ebm_work *work;
static ebm_error error;

/* E(x) = sum_i w_i x_i with w_i = cos(i + 1): rounded to ebm_real nowhere. */
static double weight(size_t i) {
    return cos((double)i + 1);
}

static void linear_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *w) {
    (void)w;
    for (size_t b = 0; b < batch->count; b++) {
        out[b] = 0;
        for (size_t i = 0; i < model->space.size; i++)
            out[b] += path.beta * weight(i) * (double)batch->x[b * model->space.size + i];
    }
}

/* Knows two means by a formula: one of a state's energy that is wrong on purpose, and one that fails. */
static ebm_status formula(const ebm_model *model, ebm_path path, const char *observable, double *out, ebm_work *w,
                          ebm_error *e) {
    (void)model;
    (void)w;
    if (strcmp(observable, "first") == 0)
        return ebm_fail(e, EBM_NO_MEMORY, "planted");
    if (strcmp(observable, "energy") != 0)
        return ebm_fail(e, EBM_UNSUPPORTED, "no formula for %s", observable);
    *out = 1000 + path.beta;
    return EBM_OK;
}

static ebm_model_type plain = {.info = {.name = "plain"}, .domains = EBM_ON_ALL, .energy = linear_energy};

static ebm_model model_on(ebm_domain domain, size_t size, size_t categories) {
    ebm_space space = ebm_space_line(domain, size);
    if (domain == EBM_CATEGORICAL)
        space.categories = categories;
    return (ebm_model){.type = &plain, .space = space};
}

static void setup(void) {
    ck_assert_int_eq(ebm_work_create(1, &work, NULL), EBM_OK);
    plain.exact_mean = NULL;
    error = (ebm_error){0};
}

static void teardown(void) {
    ck_assert_uint_eq(ebm_work_mark(work), 0);
    ebm_work_free(work);
}

static double value_of(const ebm_model *model, const char *name, ebm_batch *batch, size_t row) {
    double *out = calloc(batch->count, sizeof *out);
    const ebm_observable *o = ebm_observable_find(name);
    ck_assert_ptr_nonnull(o);
    ck_assert(ebm_observable_applies(o, &model->space));
    o->values(model, batch, out, work);
    double value = out[row];
    free(out);
    return value;
}

static void check_value(const ebm_model *model, const char *name, ebm_batch *batch, size_t row, double want,
                        double tolerance) {
    double got = value_of(model, name, batch, row);
    ck_assert_msg(fabs(got - want) <= tolerance, "%s of %zu units: %.17g, not %.17g", name, model->space.size, got,
                  want);
}

START_TEST(test_observable_names) {
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++)
        ck_assert_ptr_eq(ebm_observable_find(ebm_observable_at(i)->name), ebm_observable_at(i));
    ck_assert_ptr_null(ebm_observable_at(EBM_OBSERVABLE_COUNT));
    ck_assert_ptr_null(ebm_observable_find("enrgy"));
    ck_assert_ptr_eq(ebm_observable_find("m2"), ebm_observable_at(3));
}
END_TEST

/* Sizes around the lanes and the blocks of the sums. */
static const size_t sizes[] = {1, 2, 15, 16, 17, 33, 1000, 65536, (1 << 20) + 21};
enum { SIZES = sizeof sizes / sizeof sizes[0], ROWS = 3 };

START_TEST(test_observables_of_two_valued_units) {
    for (int spin = 0; spin < 2; spin++)
        for (size_t k = 0; k < SIZES; k++) {
            const size_t V = sizes[k];
            ebm_model model = model_on(spin ? EBM_SPIN : EBM_BINARY, V, 0);
            ebm_batch batch;
            ck_assert_int_eq(ebm_batch_create(&model, ROWS, &batch, &error), EBM_OK);
            for (size_t b = 0; b < ROWS; b++) {
                long sum = 0;
                for (size_t i = 0; i < V; i++) {
                    int up = b == 2 || (i * i + b * i) % 7 < 3;
                    batch.x[b * V + i] = (ebm_real)(spin ? 2 * up - 1 : up);
                    sum += 2 * up - 1;
                }
                const double m = (double)sum / (double)V; /* both sums are exact: the same quotient */
                check_value(&model, "magnetisation", &batch, b, m, 0);
                check_value(&model, "abs_magnetisation", &batch, b, fabs(m), 0);
                check_value(&model, "m2", &batch, b, m * m, 0);
                check_value(&model, "first", &batch, b, (double)batch.x[b * V], 0);
            }
            ebm_batch_free(&batch);
        }
}
END_TEST

/* Shares by counting; q shares, each off by four roundings. */
START_TEST(test_observables_of_categories) {
    for (size_t q = 1; q < 8; q++)
        for (size_t k = 0; k + 1 < SIZES; k++) {
            const size_t V = sizes[k];
            ebm_model model = model_on(EBM_CATEGORICAL, V, q);
            ebm_batch batch;
            ck_assert_int_eq(ebm_batch_create(&model, 2, &batch, &error), EBM_OK);
            for (size_t b = 0; b < 2; b++) {
                double squares = 0, counts[8] = {0};
                for (size_t i = 0; i < V; i++) {
                    size_t c = b == 0 ? q - 1 : (i * i + 3 * i + 1) % q;
                    batch.x[b * V + i] = (ebm_real)c;
                    counts[c] += 1 / (double)V;
                }
                for (size_t c = 0; c < q; c++)
                    squares += counts[c] * counts[c];
                double want = q > 1 ? ((double)q * squares - 1) / (double)(q - 1) : 1;
                check_value(&model, "m2", &batch, b, want, (double)V * 8 * DBL_EPSILON);
                check_value(&model, "first", &batch, b, batch.x[b * V] == 0, 0);
            }
            check_value(&model, "m2", &batch, 0, 1, 32 * DBL_EPSILON); /* all units agree */
            ebm_batch_free(&batch);
        }
    ebm_model model = model_on(EBM_CATEGORICAL, 6, 3);
    ebm_batch batch;
    ck_assert_int_eq(ebm_batch_create(&model, 1, &batch, &error), EBM_OK);
    for (size_t i = 0; i < 6; i++)
        batch.x[i] = (ebm_real)(i % 3);
    check_value(&model, "m2", &batch, 0, 0, 8 * DBL_EPSILON); /* equal shares */
    ebm_batch_free(&batch);
}
END_TEST

START_TEST(test_observables_of_real_units) {
    for (size_t k = 0; k < SIZES; k++) {
        const size_t V = sizes[k];
        ebm_model model = model_on(EBM_REAL_LINE, V, 0);
        ebm_batch batch;
        double squares[2] = {0, 0};
        ck_assert_int_eq(ebm_batch_create(&model, 2, &batch, &error), EBM_OK);
        for (size_t b = 0; b < 2; b++)
            for (size_t i = 0; i < V; i++) {
                batch.x[b * V + i] = (ebm_real)(3 * sin((double)(i + 7 * b)));
                squares[b] += (double)batch.x[b * V + i] * (double)batch.x[b * V + i];
            }
        for (size_t b = 0; b < 2; b++) {
            const ebm_real *x = batch.x + b * V;
            check_value(&model, "first", &batch, b, (double)x[0], 0);
            check_value(&model, "first_square", &batch, b, (double)x[0] * (double)x[0], 0);
            check_value(&model, "square", &batch, b, squares[b] / (double)V, 9 * (double)V * DBL_EPSILON);
            if (V > 1) {
                check_value(&model, "second", &batch, b, (double)x[1], 0);
                check_value(&model, "second_square", &batch, b, (double)x[1] * (double)x[1], 0);
            }
        }
        ebm_batch_free(&batch);
    }
}
END_TEST

START_TEST(test_observable_energy_is_per_unit_at_beta_one) {
    ebm_model model = model_on(EBM_SPIN, 5, 0);
    ebm_batch batch;
    ck_assert_int_eq(ebm_batch_create(&model, 1, &batch, &error), EBM_OK);
    double want = 0;
    for (size_t i = 0; i < 5; i++) {
        batch.x[i] = i % 2 ? 1 : -1;
        want += weight(i) * (i % 2 ? 1 : -1);
    }
    check_value(&model, "energy", &batch, 0, want / 5, 0);
    ebm_batch_free(&batch);
}
END_TEST

START_TEST(test_observables_apply_where_defined) {
    static const char *const lists[] = {"energy magnetisation abs_magnetisation m2 first ",
                                        "energy magnetisation abs_magnetisation m2 first ", "energy m2 first ",
                                        "energy first second first_square second_square square "};
    for (int domain = EBM_BINARY; domain <= EBM_REAL_LINE; domain++)
        for (size_t V = 1; V <= 2; V++) {
            char found[200] = "";
            ebm_space space = ebm_space_line((ebm_domain)domain, V);
            for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++)
                if (ebm_observable_applies(ebm_observable_at(i), &space))
                    snprintf(found + strlen(found), sizeof found - strlen(found), "%s ", ebm_observable_at(i)->name);
            ck_assert_str_eq(found,
                             domain == EBM_REAL_LINE && V == 1 ? "energy first first_square square " : lists[domain]);
        }
}
END_TEST

/* Units are independent: P(x_i = v) = exp(-beta w_i v) / sum. */
START_TEST(test_observable_exact_means_by_enumeration) {
    static const double betas[] = {1, 0.4, 2.5, 0};
    for (size_t k = 0; k < 4; k++) {
        const double beta = betas[k];
        ebm_model model = model_on(EBM_SPIN, 7, 0);
        double energy = 0, m = 0, variance = 0, value;
        for (size_t i = 0; i < 7; i++) {
            const double mean = -tanh(beta * weight(i));
            energy += weight(i) * mean / 7;
            m += mean / 7;
            variance += (1 - mean * mean) / 49;
        }
        const struct {
            const char *name;
            double want;
        } means[] = {
            {"energy", energy}, {"magnetisation", m}, {"m2", m * m + variance}, {"first", -tanh(beta * weight(0))}};
        for (size_t i = 0; i < 4; i++) {
            const ebm_observable *o = ebm_observable_find(means[i].name);
            ck_assert_int_eq(ebm_observable_exact_mean(o, &model, (ebm_path){NULL, beta}, 128, &value, work, &error),
                             EBM_OK);
            ck_assert_msg(fabs(value - means[i].want) < 1e-14, "%s at %g: %g, not %g", means[i].name, beta, value,
                          means[i].want);
        }
        ebm_model three = model_on(EBM_CATEGORICAL, 4, 3);
        double p0 = 1 / (1 + exp(-beta * weight(0)) + exp(-2 * beta * weight(0)));
        ck_assert_int_eq(ebm_observable_exact_mean(ebm_observable_find("first"), &three, (ebm_path){NULL, beta}, 81,
                                                   &value, work, &error),
                         EBM_OK);
        ck_assert(fabs(value - p0) < 1e-14);
    }
}
END_TEST

START_TEST(test_observable_exact_mean_prefers_the_formula) {
    ebm_model model = model_on(EBM_SPIN, 3, 0);
    ebm_path path = {NULL, 0.5};
    double value;
    plain.exact_mean = formula;
    ck_assert_int_eq(ebm_observable_exact_mean(ebm_observable_find("energy"), &model, path, 8, &value, work, &error),
                     EBM_OK);
    ck_assert(value == 1000.5);
    ck_assert_int_eq(ebm_observable_exact_mean(ebm_observable_find("energy"), &model, path, 0, &value, work, &error),
                     EBM_OK);
    /* no formula: by enumeration, if it may */
    ck_assert_int_eq(ebm_observable_exact_mean(ebm_observable_find("m2"), &model, path, 8, &value, work, &error),
                     EBM_OK);
    ck_assert_int_eq(ebm_observable_exact_mean(ebm_observable_find("m2"), &model, path, 7, &value, work, &error),
                     EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error.message, "m2"));
    /* a formula that fails is not passed over */
    ck_assert_int_eq(ebm_observable_exact_mean(ebm_observable_find("first"), &model, path, 8, &value, work, &error),
                     EBM_NO_MEMORY);
    ck_assert_int_eq(ebm_observable_exact_mean(ebm_observable_find("square"), &model, path, 8, &value, work, &error),
                     EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error.message, "not defined"));
    ebm_model line = model_on(EBM_REAL_LINE, 3, 0);
    ck_assert_int_eq(ebm_observable_exact_mean(ebm_observable_find("square"), &line, path, 1000, &value, work, &error),
                     EBM_UNSUPPORTED);
    ck_assert_int_eq(ebm_observable_list(ebm_observable_find("square"), &line, &value, work, &error), EBM_UNSUPPORTED);
}
END_TEST

/* More states than one block of rows. */
START_TEST(test_observable_list_is_by_code) {
    ebm_model model = model_on(EBM_BINARY, 17, 0);
    const size_t states = (size_t)1 << 17;
    double *m = calloc(states, sizeof *m), *x = calloc(states, sizeof *x);
    ck_assert_int_eq(ebm_observable_list(ebm_observable_find("magnetisation"), &model, m, work, &error), EBM_OK);
    ck_assert_int_eq(ebm_observable_list(ebm_observable_find("first"), &model, x, work, &error), EBM_OK);
    bool right = true;
    for (size_t s = 0; s < states; s++)
        right = right && m[s] == (2.0 * __builtin_popcountl(s) - 17) / 17 && x[s] == (double)(s & 1);
    ck_assert(right);
    free(m);
    free(x);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("observables");
    TCase *t = tcase_create("observables");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_observable_names);
    tcase_add_test(t, test_observables_of_two_valued_units);
    tcase_add_test(t, test_observables_of_categories);
    tcase_add_test(t, test_observables_of_real_units);
    tcase_add_test(t, test_observable_energy_is_per_unit_at_beta_one);
    tcase_add_test(t, test_observables_apply_where_defined);
    tcase_add_test(t, test_observable_exact_means_by_enumeration);
    tcase_add_test(t, test_observable_exact_mean_prefers_the_formula);
    tcase_add_test(t, test_observable_list_is_by_code);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
