/* Dense associative memories against their formulas, in plain loops in double.
 *
 * Patterns are multiples of 1/8 (or +-1), so that overlaps with +-1 states are exact in ebm_real and energies, which are
 * double from there on, are right to 1e-12 of the terms they are summed from; logits are rounded once to ebm_real. */
#include "rbm_fixture.h"

#include "ebm/learner.h"
#include "ebm/sampler.h"

#include <stdlib.h>
#include <string.h>

enum { V = 6, K = 4, S = 1 << V };

static const struct form {
    const char *options[9];
    int power; /* 0: exponential */
    bool rectified;
} forms[] = {
    {{"power", "2", "patterns", "4", NULL}, 2, false},
    {{"power", "3", "patterns", "4", NULL}, 3, false},
    {{"power", "4", "patterns", "4", NULL}, 4, false},
    {{"power", "2", "patterns", "4", "rectified", "true", NULL}, 2, true},
    {{"power", "5", "patterns", "4", "rectified", "true", NULL}, 5, true},
    {{"energy", "exponential", "patterns", "4", NULL}, 0, false},
};
enum { FORMS = sizeof forms / sizeof *forms };

typedef struct memory {
    ebm_model model;
    const ebm_model_type *type;
    void *options;
    ebm_work *work;
} memory;

static void memory_open(memory *m, const char *name, const char *const *pairs, size_t units) {
    const ebm_space space = ebm_space_line(EBM_SPIN, units);
    m->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, name);
    ck_assert_ptr_nonnull(m->type);
    m->options = test_options(&m->type->info, pairs);
    CHECK_OK(ebm_work_create(1, &m->work, error));
    CHECK_OK(ebm_model_create(m->type, m->options, &space, NULL, 1, &m->model, error));
}

static void memory_close(memory *m) {
    ebm_model_free(&m->model);
    test_options_free(&m->type->info, m->options);
    ebm_work_free(m->work);
}

/* Eighths between -12/8 and 12/8, of which some are 0. */
static void open_small(memory *m, const struct form *form, uint64_t seed) {
    test_random r = {seed};
    memory_open(m, "hopfield-modern", form->options, V);
    for (size_t k = 0; k < K * V; k++)
        m->model.theta[k] = (ebm_real)((double)(test_random_word(&r) % 25) / 8 - 1.5);
    ebm_model_refresh(&m->model, m->work);
}

/* E of any real x and patterns, as it is written. */
static double plain_energy(const struct form *form, size_t units, size_t patterns, const double *xi, const double *x) {
    double sum = 0;
    for (size_t k = 0; k < patterns; k++) {
        double z = 0;
        for (size_t i = 0; i < units; i++)
            z += xi[k * units + i] * x[i];
        if (form->power == 0)
            sum += exp(z);
        else if (!form->rectified || z > 0)
            sum += pow(z / (double)units, form->power);
    }
    return form->power == 0 ? -log(sum) : -(double)units / form->power * sum;
}

static void to_doubles(const memory *m, double *xi) {
    for (size_t k = 0; k < m->model.n_theta; k++)
        xi[k] = (double)m->model.theta[k];
}

static void write_spins(size_t code, double *x) {
    for (size_t i = 0; i < V; i++)
        x[i] = code >> i & 1u ? 1 : -1;
}

static ebm_batch all_states(memory *m) {
    ebm_batch batch;
    double x[V];
    CHECK_OK(ebm_batch_create(&m->model, S, &batch, error));
    for (size_t s = 0; s < S; s++) {
        write_spins(s, x);
        for (size_t i = 0; i < V; i++)
            batch.x[s * V + i] = (ebm_real)x[i];
    }
    batch.field_ok = false;
    ebm_model_field(&m->model, &batch, m->work);
    return batch;
}

static const double base_field[V] = {0.5, -0.25, 0.125, 0, -1, 0.75};

/* The base of fields a: E_base = -a . x. */
static void open_base(ebm_base *base) {
    const ebm_space space = ebm_space_line(EBM_SPIN, V);
    CHECK_OK(ebm_base_fit(&space, NULL, 1, base, error));
    for (size_t i = 0; i < V; i++)
        base->parameters[i] = (ebm_real)base_field[i];
}

static double path_energy(const struct form *form, const double *xi, ebm_path path, const double *x) {
    double base = 0;
    for (size_t i = 0; i < V; i++)
        base -= path.base ? base_field[i] * x[i] : 0;
    return (1 - path.beta) * base + path.beta * plain_energy(form, V, K, xi, x);
}

START_TEST(test_modern_energies_and_logits) {
    const struct form *form = &forms[_i];
    memory m;
    ebm_base base;
    double xi[K * V], energy[S], to[S], x[V];
    open_small(&m, form, 31 + (uint64_t)_i);
    open_base(&base);
    to_doubles(&m, xi);
    ebm_batch batch = all_states(&m);
    const ebm_path paths[] = {{NULL, 1}, {NULL, 0.4}, {&base, 0.7}};
    for (size_t p = 0; p < 3; p++) {
        const ebm_path further = {paths[p].base, 0.1};
        m.type->energy(&m.model, paths[p], &batch, energy, m.work);
        m.type->energy_difference(&m.model, paths[p], further, &batch, to, m.work);
        uint32_t units[S];
        ebm_real logit[S];
        for (size_t s = 0; s < S; s++) {
            write_spins(s, x);
            const double want = path_energy(form, xi, paths[p], x);
            ck_assert_double_eq_tol(energy[s], want, 1e-12 * (1 + fabs(want)));
            ck_assert_double_eq_tol(to[s], path_energy(form, xi, further, x) - want, 1e-11);
        }
        for (size_t i = 0; i < V; i++) {
            for (size_t s = 0; s < S; s++)
                units[s] = (uint32_t)i;
            m.type->site(&m.model, paths[p], &batch, units, logit, m.work);
            for (size_t s = 0; s < S; s++) {
                write_spins(s, x);
                x[i] = -1;
                double want = path_energy(form, xi, paths[p], x);
                x[i] = 1;
                want -= path_energy(form, xi, paths[p], x);
                ck_assert_double_eq_tol((double)logit[s], want, 1e-11 + UNIT_ROUNDOFF * fabs(want));
            }
        }
    }
    ebm_base_free(&base);
    ebm_batch_free(&batch);
    memory_close(&m);
}
END_TEST

/* Central differences of the plain energy, h = 2^-13: error h^2 / 6 of a third derivative below 100, so 3e-7; rounding of
 * ebm_real in sums of 64 terms below 10. */
START_TEST(test_modern_gradients) {
    const struct form *form = &forms[_i];
    const double h = 0x1p-13, bound = 1e-6 + 64 * 64 * 10 * UNIT_ROUNDOFF;
    memory m;
    double xi[K * V], x[V];
    ebm_real grad[K * V], weight[S];
    ebm_real *slope = malloc(S * V * sizeof *slope);
    ck_assert_ptr_nonnull(slope);
    test_random r = {7};
    open_small(&m, form, 61 + (uint64_t)_i);
    to_doubles(&m, xi);
    ebm_batch batch = all_states(&m);
    for (size_t s = 0; s < S; s++)
        weight[s] = (ebm_real)(test_random_uniform(&r) - 0.3);
    for (size_t k = 0; k < K * V; k++)
        grad[k] = (ebm_real)0.25;
    m.type->grad_theta(&m.model, &batch, weight, -1.5, grad, m.work);
    m.type->grad_x(&m.model, (ebm_path){NULL, 0.5}, &batch, slope, m.work);
    for (size_t k = 0; k < K * V; k++) {
        double want = 0.25;
        const double kept = xi[k];
        for (size_t s = 0; s < S; s++) {
            write_spins(s, x);
            xi[k] = kept + h;
            const double above = plain_energy(form, V, K, xi, x);
            xi[k] = kept - h;
            want += -1.5 * (double)weight[s] * (above - plain_energy(form, V, K, xi, x)) / (2 * h);
        }
        xi[k] = kept;
        /* a state in which a rectified overlap is exactly 0 has a kink of second order: h of it */
        ck_assert_double_eq_tol((double)grad[k], want, bound + (form->rectified ? 64 * h : 0));
    }
    for (size_t s = 0; s < S; s++)
        for (size_t i = 0; i < V; i++) {
            write_spins(s, x);
            const double at = x[i];
            x[i] = at + h;
            double want = plain_energy(form, V, K, xi, x);
            x[i] = at - h;
            want = 0.5 * (want - plain_energy(form, V, K, xi, x)) / (2 * h);
            ck_assert_double_eq_tol((double)slope[s * V + i], want, bound + (form->rectified ? h : 0));
        }
    free(slope);
    ebm_batch_free(&batch);
    memory_close(&m);
}
END_TEST

START_TEST(test_modern_normaliser) {
    const struct form *form = &forms[_i];
    memory m;
    double xi[K * V], x[V], minus[S], log_z;
    open_small(&m, form, 91 + (uint64_t)_i);
    to_doubles(&m, xi);
    for (int hot = 0; hot < 2; hot++) {
        const ebm_path path = {NULL, hot ? 0.3 : 1};
        for (size_t s = 0; s < S; s++) {
            write_spins(s, x);
            minus[s] = -path_energy(form, xi, path, x);
        }
        CHECK_OK(m.type->log_normaliser(&m.model, path, &log_z, m.work, error));
        ck_assert_double_eq_tol(log_z, ebm_log_sum_exp(minus, S), 1e-11);
    }
    memory_close(&m);
}
END_TEST

/* Overlaps of +-1 patterns are whole numbers: flips bring the field up to date without any error. */
START_TEST(test_modern_field_follows_flips) {
    enum { UNITS = 50, PATTERNS = 70, ROWS = 3 };
    static const char *const pairs[] = {"patterns", "70", NULL};
    memory m;
    ebm_batch batch;
    test_random r = {5};
    memory_open(&m, "hopfield-modern", pairs, UNITS);
    for (size_t k = 0; k < PATTERNS * UNITS; k++)
        m.model.theta[k] = test_random_word(&r) >> 63 ? 1 : -1;
    ebm_model_refresh(&m.model, m.work);
    CHECK_OK(ebm_batch_create(&m.model, ROWS, &batch, error));
    for (size_t k = 0; k < ROWS * UNITS; k++)
        batch.x[k] = test_random_word(&r) >> 63 ? 1 : -1;
    batch.field_ok = false;
    ebm_model_field(&m.model, &batch, m.work);
    for (size_t t = 0; t < 500; t++) {
        uint32_t units[ROWS];
        ebm_real before[ROWS];
        for (size_t b = 0; b < ROWS; b++) {
            units[b] = (uint32_t)(test_random_word(&r) % UNITS);
            before[b] = batch.x[b * UNITS + units[b]];
            batch.x[b * UNITS + units[b]] = test_random_word(&r) >> 63 ? 1 : -1;
        }
        m.type->site_changed(&m.model, &batch, units, before, m.work);
    }
    for (size_t b = 0; b < ROWS; b++)
        for (size_t k = 0; k < PATTERNS; k++) {
            double z = 0;
            for (size_t i = 0; i < UNITS; i++)
                z += (double)m.model.theta[k * UNITS + i] * (double)batch.x[b * UNITS + i];
            ck_assert_double_eq((double)batch.field[b * PATTERNS + k], z);
        }
    ebm_batch_free(&batch);
    memory_close(&m);
}
END_TEST

/* exp(z) of 1000 equal units overflows double; its logarithm does not: one pattern among 3, E = -1000 - log(1 + ...), and a
 * flip of an agreeing unit costs 2. */
START_TEST(test_modern_exponential_is_stable) {
    enum { UNITS = 1000 };
    static const char *const pairs[] = {"energy", "exponential", "patterns", "3", NULL};
    memory m;
    ebm_batch batch;
    double energy, log_z;
    memory_open(&m, "hopfield-modern", pairs, UNITS);
    for (size_t k = 0; k < 3 * UNITS; k++)
        m.model.theta[k] = k < UNITS || k % (k < 2 * UNITS ? 2 : 3) ? 1 : -1;
    ebm_model_refresh(&m.model, m.work);
    CHECK_OK(ebm_batch_create(&m.model, 1, &batch, error));
    for (size_t i = 0; i < UNITS; i++)
        batch.x[i] = 1;
    batch.field_ok = false;
    ebm_model_field(&m.model, &batch, m.work);
    const uint32_t unit = 17;
    ebm_real logit;
    m.type->energy(&m.model, ebm_path_end(), &batch, &energy, m.work);
    m.type->site(&m.model, ebm_path_end(), &batch, &unit, &logit, m.work);
    CHECK_OK(m.type->log_normaliser(&m.model, ebm_path_end(), &log_z, m.work, error));
    ck_assert_double_eq_tol(energy, -1000, 1e-9);
    ck_assert_double_eq_tol((double)logit, 2, 1e-6);
    ck_assert_double_eq_tol(log_z, log(3) + 1000 * log(2 * cosh(1.0)), 1e-9);
    ebm_batch_free(&batch);
    memory_close(&m);
}
END_TEST

static void store(memory *m, const char *const *pairs, const ebm_real *x, size_t count, ebm_status want) {
    const ebm_learner_type *type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, "hebbian");
    void *options = test_options(&type->info, pairs);
    ebm_learner learner;
    ebm_error error = {0};
    ebm_status status = ebm_learner_create(type, options, &m->model, NULL, NULL, 1, count, 1, &learner, &error);
    if (status == EBM_OK)
        status = ebm_learner_update(&learner, x, count, m->work, &error);
    ck_assert_msg(status == want, "%s", error.message);
    ebm_learner_free(&learner);
    test_options_free(&type->info, options);
}

/* From the same states to the same ends, in either order of updates, and energies that differ by K / 2. An odd number of
 * patterns and an even one of units: no field is 0. Couplings are sums of 15 numbers +-1/V, energies of V fields of V of
 * those: V^2 K u / V. */
START_TEST(test_modern_square_is_hebb) {
    enum { UNITS = 40, PATTERNS = 15, ROWS = 50 };
    static const char *const pairs[] = {"power", "2", "patterns", "15", NULL};
    static const char *const orders[] = {"fixed", "synchronous"};
    memory hebb, modern;
    ebm_real patterns[PATTERNS * UNITS];
    test_random r = {_i + 3u};
    memory_open(&hebb, "hopfield", NULL, UNITS);
    memory_open(&modern, "hopfield-modern", pairs, UNITS);
    for (size_t k = 0; k < PATTERNS * UNITS; k++)
        patterns[k] = test_random_word(&r) >> 63 ? 1 : -1;
    store(&hebb, NULL, patterns, PATTERNS, EBM_OK);
    store(&modern, NULL, patterns, PATTERNS, EBM_OK);
    memory *both[] = {&hebb, &modern};
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "descent");
    const char *const order[] = {"order", orders[_i], NULL};
    void *options = test_options(&type->info, order);
    ebm_chains chains[2];
    ebm_sampler sampler[2];
    for (int k = 0; k < 2; k++) {
        CHECK_OK(ebm_chains_create(&both[k]->model, ROWS, ebm_stream_of(1, 1), &chains[k], error));
        CHECK_OK(ebm_sampler_create(type, options, &both[k]->model, &sampler[k], error));
    }
    for (size_t k = 0; k < ROWS * UNITS; k++)
        chains[0].batch.x[k] = chains[1].batch.x[k] = test_random_word(&r) >> 63 ? 1 : -1;
    for (int t = 0; t < 4; t++) {
        double energy[2][ROWS];
        for (int k = 0; k < 2; k++) {
            chains[k].batch.field_ok = false;
            ebm_model_field(&both[k]->model, &chains[k].batch, both[k]->work);
            both[k]->type->energy(&both[k]->model, ebm_path_end(), &chains[k].batch, energy[k], both[k]->work);
            CHECK_OK(type->step(&sampler[k], &both[k]->model, ebm_path_end(), &chains[k], 1, both[k]->work, error));
        }
        for (size_t b = 0; b < ROWS; b++)
            ck_assert_double_eq_tol(energy[1][b], energy[0][b] - PATTERNS / 2.0, UNITS * PATTERNS * UNIT_ROUNDOFF * 4);
        ck_assert_mem_eq(chains[0].batch.x, chains[1].batch.x, ROWS * UNITS * sizeof(ebm_real));
    }
    for (int k = 0; k < 2; k++) {
        ebm_chains_free(&chains[k]);
        ebm_sampler_free(&sampler[k]);
    }
    test_options_free(&type->info, options);
    memory_close(&hebb);
    memory_close(&modern);
}
END_TEST

START_TEST(test_modern_refusals) {
    static const char *const pairs[] = {"patterns", "3", NULL}, *const bias[] = {"bias", "1", NULL};
    const ebm_space space = ebm_space_line(EBM_SPIN, 5);
    ebm_real x[20] = {0};
    memory m;
    memory_open(&m, "hopfield-modern", pairs, 5);
    store(&m, NULL, x, 4, EBM_INVALID);
    store(&m, bias, x, 3, EBM_UNSUPPORTED);
    memory_close(&m);
    void *options = test_options(&m.type->info, NULL);
    ebm_model model;
    ebm_error refusal = {0};
    ck_assert_int_eq(ebm_model_create(m.type, options, &space, NULL, 1, &model, &refusal), EBM_INVALID);
    ebm_dataset data = {.space = space, .train = {.count = 7, .reals = x}};
    CHECK_OK(ebm_model_create(m.type, options, &space, &data, 1, &model, error)); /* as many as examples */
    ck_assert_uint_eq(model.n_theta, 35);
    ebm_model_free(&model);
    test_options_free(&m.type->info, options);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("hopfield-modern");
    TCase *tests = tcase_create("formulas");
    tcase_add_loop_test(tests, test_modern_energies_and_logits, 0, FORMS);
    tcase_add_loop_test(tests, test_modern_gradients, 0, FORMS);
    tcase_add_loop_test(tests, test_modern_normaliser, 0, FORMS);
    tcase_add_test(tests, test_modern_field_follows_flips);
    tcase_add_test(tests, test_modern_exponential_is_stable);
    tcase_add_loop_test(tests, test_modern_square_is_hebb, 0, 2);
    tcase_add_test(tests, test_modern_refusals);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
