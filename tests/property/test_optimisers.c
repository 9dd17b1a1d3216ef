/* Optimisers against scalar recursions written out in double, parameter by parameter.
 *
 *   SGD       theta += r (g - lambda theta)
 *   momentum  m = mu m + r (g - lambda theta), theta += m                                       (Polyak 1964)
 *   Adam      m = b1 m + (1 - b1) g, s = b2 s + (1 - b2) g^2, with t counted from 1
 *             theta += r (m / (1 - b1^t) / (sqrt(s / (1 - b2^t)) + eps) - lambda theta)           (Kingma and Ba 2015;
 *             decay decoupled: Loshchilov and Hutter 2019)
 * lambda is 0 for views that do not decay; a gradient whose norm exceeds `clip` is scaled down to it. */
#include "rbm_fixture.h"

#include "learners/optimiser.h"

enum { STEPS = 25, TOTAL = 25 };

/* Two machines: one of a few parameters, one of more than any block of a vectorised pass. */
static const struct {
    size_t V;
    const char *H;
} machines[] = {{3, "2"}, {97, "101"}};

typedef struct machine {
    const ebm_model_type *type;
    void *options;
    ebm_model model;
    ebm_work *work;
} machine;

static void machine_open(machine *m, size_t which, int threads) {
    m->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "rbm");
    ck_assert_ptr_nonnull(m->type);
    const char *pairs[] = {"hidden", machines[which].H, NULL};
    m->options = test_options(&m->type->info, pairs);
    ebm_space space = ebm_space_line(EBM_BINARY, machines[which].V);
    CHECK_OK(ebm_work_create(threads, &m->work, error));
    CHECK_OK(ebm_model_create(m->type, m->options, &space, NULL, 1, &m->model, error));
    test_random r = {99};
    for (size_t k = 0; k < m->model.n_theta; k++)
        m->model.theta[k] = (ebm_real)test_random_normal(&r);
    ebm_model_refresh(&m->model, m->work);
}

static void machine_close(machine *m) {
    ebm_model_free(&m->model);
    test_options_free(&m->type->info, m->options);
    ebm_work_free(m->work);
}

static ebm_optimiser_options defaults(int kind) {
    ebm_optimiser_options o = {.kind = kind,
                               .schedule = EBM_CONSTANT,
                               .rate = 0.05,
                               .momentum = 0.9,
                               .beta2 = 0.999,
                               .epsilon = 1e-8,
                               .limit = 1e4,
                               .iterations = 1};
    return o;
}

static double clip_factor(const ebm_real *gradient, size_t n, double clip) {
    double squares = 0;
    for (size_t k = 0; k < n; k++)
        squares += (double)gradient[k] * (double)gradient[k];
    return clip > 0 && sqrt(squares) > clip ? clip / sqrt(squares) : 1;
}

/* One parameter's step of the recursion. */
static void recursion(const ebm_optimiser_options *o, double rate, double lambda, double g, size_t t, double *theta,
                      double *m, double *s) {
    if (o->kind == EBM_SGD) {
        *theta += rate * (g - lambda * *theta);
    } else if (o->kind == EBM_MOMENTUM) {
        *m = o->momentum * *m + rate * (g - lambda * *theta);
        *theta += *m;
    } else {
        *m = o->momentum * *m + (1 - o->momentum) * g;
        *s = o->beta2 * *s + (1 - o->beta2) * g * g;
        double first = *m / (1 - pow(o->momentum, (double)t)), second = *s / (1 - pow(o->beta2, (double)t));
        *theta += rate * (first / (sqrt(second) + o->epsilon) - lambda * *theta);
    }
}

static bool decays(const ebm_model *model, size_t k) {
    for (size_t i = 0; i < model->n_views; i++) {
        const ebm_view *view = &model->views[i];
        if (k >= view->offset && k < view->offset + view->rows * (view->columns ? view->columns : 1))
            return view->decays;
    }
    ck_abort_msg("parameter %zu is in no view", k);
    return false;
}

/* Worst distance between STEPS steps under `options` and the recursion under `reference`, in units of what is allowed.
 *
 * Float: a step rounds theta (|theta| below 8 here) and the step itself; the step is a chain of at most 20 operations
 * on moments that carry at most t steps' roundings of relative size u each, damped by their decay to at most
 * 1 / (1 - momentum) = 10 steps' worth; steps are below 1 in size. In all STEPS (8 + 20 + 10 + STEPS) u. Constants such
 * as 1 - beta2 that are rounded to float are off by u / (1 - beta2) relative, and enter m / sqrt(s) by half of that:
 * 500 u of a step of size `rate`. */
static double worst_step(size_t which, const ebm_optimiser_options *options, const ebm_optimiser_options *reference) {
    machine m;
    machine_open(&m, which, 1);
    ebm_optimiser optimiser;
    CHECK_OK(ebm_optimiser_create(options, &m.model, &optimiser, error));
    size_t n = m.model.n_theta;
    double *theta = oracle_memory(n), *first = oracle_memory(n), *second = oracle_memory(n), worst = 0;
    for (size_t k = 0; k < n; k++)
        theta[k] = m.model.theta[k];
    test_random r = {123};
    double bound = STEPS * ((38 + STEPS) * UNIT_ROUNDOFF + 500 * options->rate * UNIT_ROUNDOFF);
    for (size_t t = 0; t < STEPS; t++) {
        for (size_t k = 0; k < n; k++)
            optimiser.gradient[k] = (ebm_real)(test_random_normal(&r) + 0.1);
        double factor = clip_factor(optimiser.gradient, n, reference->clip);
        double rate = ebm_optimiser_rate(reference, t, TOTAL);
        for (size_t k = 0; k < n; k++)
            recursion(reference, rate, decays(&m.model, k) ? reference->weight_decay : 0,
                      factor * (double)optimiser.gradient[k], t + 1, &theta[k], &first[k], &second[k]);
        CHECK_OK(ebm_optimiser_step(&optimiser, &m.model, t, TOTAL, m.work, error));
        for (size_t k = 0; k < n; k++) {
            if (optimiser.gradient[k] != 0) /* it is cleared for the next update */
                worst = INFINITY;
            worst = fmax(worst, rbm_distance(m.model.theta[k], theta[k], bound));
        }
    }
    free(theta);
    free(first);
    free(second);
    ebm_optimiser_free(&optimiser);
    machine_close(&m);
    return worst;
}

static const int kinds[] = {EBM_SGD, EBM_MOMENTUM, EBM_ADAM};

START_TEST(test_optimisers_recursions) {
    for (size_t which = 0; which < 2; which++)
        for (int variant = 0; variant < 4; variant++) {
            ebm_optimiser_options o = defaults(kinds[_i]);
            o.weight_decay = variant == 1 ? 0.3 : 0;
            o.clip = variant == 2 ? 1.5 : 0;
            if (variant == 3) {
                o.schedule = EBM_LINEAR;
                o.rate_end = 0.001;
                o.weight_decay = 0.1;
                o.clip = 40; /* above the small machine's norms, below the large one's */
            }
            double worst = worst_step(which, &o, &o);
            ck_assert_msg(worst <= 1, "kind %d, variant %d, machine %zu: %g times the allowed error", kinds[_i],
                          variant, which, worst);
        }
}
END_TEST

/* The same check sees each setting changed by a little. */
START_TEST(test_optimisers_check_can_fail) {
    for (int change = 0; change < 6; change++) {
        ebm_optimiser_options o = defaults(kinds[_i]), other;
        o.weight_decay = 0.1;
        o.clip = 1.5;
        other = o;
        switch (change) {
        case 0:
            other.rate *= 1.01;
            break;
        case 1:
            other.weight_decay = 0.11;
            break;
        case 2:
            other.clip = kinds[_i] == EBM_ADAM ? other.clip : 1.51; /* Adam's steps do not feel a common factor */
            other.epsilon = 1e-3;
            other.rate *= kinds[_i] == EBM_ADAM ? 1 : 1.001;
            break;
        case 3:
            other.schedule = EBM_LINEAR;
            break;
        case 4:
            other.momentum = 0.89;
            break;
        default:
            other.beta2 = 0.99;
        }
        bool unused = (change == 4 && kinds[_i] == EBM_SGD) || (change == 5 && kinds[_i] != EBM_ADAM);
        double worst = worst_step(0, &o, &other);
        ck_assert_msg(unused ? worst <= 1 : worst > 1, "kind %d, change %d: %g", kinds[_i], change, worst);
    }
}
END_TEST

/* Clipping leaves a gradient of norm below `clip` alone, and scales others to norm `clip`: with SGD at rate 1 the step
 * itself shows. The norm is a sum of n squares: n u relative at the worst. */
START_TEST(test_optimisers_clipping) {
    machine m;
    machine_open(&m, 0, 1);
    ebm_optimiser_options o = defaults(EBM_SGD);
    o.rate = 1;
    o.clip = 2;
    size_t n = m.model.n_theta;
    ebm_optimiser optimiser;
    CHECK_OK(ebm_optimiser_create(&o, &m.model, &optimiser, error));
    static const double norms[] = {0, 0.5, 1.9, 2.1, 1000};
    for (size_t c = 0; c < 5; c++) {
        for (size_t k = 0; k < n; k++) {
            m.model.theta[k] = 0;
            optimiser.gradient[k] = (ebm_real)((k % 2 ? -norms[c] : norms[c]) / sqrt((double)n));
        }
        CHECK_OK(ebm_optimiser_step(&optimiser, &m.model, 0, 1, m.work, error));
        double squares = 0;
        for (size_t k = 0; k < n; k++) {
            squares += (double)m.model.theta[k] * (double)m.model.theta[k];
            ck_assert(norms[c] == 0 || (m.model.theta[k] < 0) == (k % 2 == 1));
        }
        double want = fmin(norms[c], 2);
        ck_assert_double_le(fabs(sqrt(squares) - want), (double)(n + 8) * UNIT_ROUNDOFF * want);
    }
    ebm_optimiser_free(&optimiser);
    machine_close(&m);
}
END_TEST

/* Every schedule but constant starts at `rate` and ends at `rate_end` in the last update; between them its formula in
 * progress p, which runs from 0 at update decay_from * total to 1 in the last. Tolerance: a few roundings of double. */
START_TEST(test_optimisers_schedules) {
    const double start = 0.4, end = 0.01, pi = 3.141592653589793;
    const uint64_t total = 101;
    for (int schedule = EBM_CONSTANT; schedule <= EBM_INVERSE; schedule++)
        for (int late = 0; late < 2; late++) {
            ebm_optimiser_options o = defaults(EBM_SGD);
            o.schedule = schedule;
            o.rate = start;
            o.rate_end = end;
            o.decay_from = late ? 0.5 : 0;
            double before = INFINITY;
            for (uint64_t t = 0; t < total; t++) {
                double from = o.decay_from * (double)total;
                double p = fmax(0, ((double)t - from) / ((double)(total - 1) - from));
                double formula[] = {start, start + p * (end - start), end + (start - end) * (1 + cos(pi * p)) / 2,
                                    start * pow(end / start, p), start / (1 + (start / end - 1) * p)};
                double rate = ebm_optimiser_rate(&o, t, total);
                ck_assert_msg(fabs(rate - formula[schedule]) <= 1e-13, "schedule %d, update %u: %g, not %g", schedule,
                              (unsigned)t, rate, formula[schedule]);
                ck_assert_double_le(rate, before);
                before = rate;
            }
            /* runs of one update, and updates past the planned end, still have a rate between the two */
            double alone = ebm_optimiser_rate(&o, 0, 1), past = ebm_optimiser_rate(&o, 3 * total, total);
            ck_assert(alone >= end && alone <= start && past >= end && past <= start);
        }
}
END_TEST

START_TEST(test_optimisers_divergence) {
    for (int bad = 0; bad < 5; bad++) {
        machine m;
        machine_open(&m, 1, 1);
        ebm_optimiser_options o = defaults(kinds[_i]);
        o.rate = 1;
        o.limit = 3;
        size_t n = m.model.n_theta;
        ebm_optimiser optimiser;
        CHECK_OK(ebm_optimiser_create(&o, &m.model, &optimiser, error));
        for (size_t k = 0; k < n; k++)
            m.model.theta[k] = (ebm_real)((k % 2 ? -1 : 1) * (bad == 3 ? 2.99 : bad == 4 ? 3.01 : 1));
        optimiser.gradient[n - 1] = (ebm_real)(bad == 1 ? NAN : bad == 2 ? INFINITY : 0);
        ebm_error failure = {0};
        ebm_status status = ebm_optimiser_step(&optimiser, &m.model, 0, 1, m.work, &failure);
        ebm_status want = bad == 0 || bad == 3 ? EBM_OK : EBM_DIVERGED;
        ck_assert_msg(status == want, "kind %d, case %d: %s", kinds[_i], bad, ebm_status_name(status));
        ebm_optimiser_free(&optimiser);
        machine_close(&m);
    }
}
END_TEST

/* The same bytes for any number of threads. */
START_TEST(test_optimisers_threads) {
    machine m[2];
    for (int k = 0; k < 2; k++) {
        machine_open(&m[k], 1, k + 1);
        ebm_optimiser_options o = defaults(kinds[_i]);
        o.weight_decay = 0.1;
        o.clip = 1.5;
        ebm_optimiser optimiser;
        CHECK_OK(ebm_optimiser_create(&o, &m[k].model, &optimiser, error));
        test_random r = {5};
        for (size_t t = 0; t < 5; t++) {
            for (size_t i = 0; i < m[k].model.n_theta; i++)
                optimiser.gradient[i] = (ebm_real)test_random_normal(&r);
            CHECK_OK(ebm_optimiser_step(&optimiser, &m[k].model, t, 5, m[k].work, error));
        }
        ebm_optimiser_free(&optimiser);
    }
    ck_assert_int_eq(memcmp(m[0].model.theta, m[1].model.theta, m[0].model.n_theta * sizeof *m[0].model.theta), 0);
    machine_close(&m[0]);
    machine_close(&m[1]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("optimisers");
    TCase *steps = tcase_create("steps");
    tcase_add_loop_test(steps, test_optimisers_recursions, 0, 3);
    tcase_add_loop_test(steps, test_optimisers_check_can_fail, 0, 3);
    tcase_add_test(steps, test_optimisers_clipping);
    tcase_add_test(steps, test_optimisers_schedules);
    tcase_add_loop_test(steps, test_optimisers_divergence, 0, 3);
    tcase_add_loop_test(steps, test_optimisers_threads, 0, 3);
    tcase_set_timeout(steps, 300);
    suite_add_tcase(suite, steps);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
