/* The Gaussian-Bernoulli RBM against its joint energy as Cho, Ilin & Raiko (2011) write it: sums over all hidden states,
 * quadrature over two visible units, central differences, and draws against exact distribution functions; planted
 * errors that the same checks see.
 *
 * Energies here are sums of some tens of terms of size below 50: EPSILON times 2^10 covers their rounding in the machine's
 * own precision. Kolmogorov's statistic sqrt(n) D of n draws passes 2.9 with probability 2 exp(-2 2.9^2) = 1e-7. */
#include "rbm_fixture.h"

enum { V = 2, H = 3, STATES = 1 << H, POINTS = 25, DRAWS = 20000 };
static const double EPSILON = sizeof(ebm_real) == 8 ? 0x1p-53 : 0x1p-24;
static const struct {
    bool based;
    double beta;
} paths[] = {{false, 1}, {false, 0.6}, {true, 1}, {true, 0.35}, {true, 0}};
enum { PATHS = sizeof paths / sizeof *paths };

typedef struct fixture {
    const ebm_model_type *type;
    ebm_model_type wrong;
    void *options;
    ebm_model model;
    ebm_base base;
    ebm_work *work;
} fixture;

static double *parameter(const fixture *f, const char *name, double *out, size_t count) {
    const ebm_real *view = ebm_model_view(&f->model, name);
    for (size_t k = 0; k < count; k++)
        out[k] = (double)view[k];
    return out;
}

static void fixture_open(fixture *f) {
    static const char *const pairs[] = {"visible", "2", "hidden", "3", NULL};
    static const ebm_real base[] = {0.5, -1, -0.25, 0.75}; /* means, log variances */
    test_random r = {17};
    memset(f, 0, sizeof *f);
    f->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "grbm");
    ck_assert_ptr_nonnull(f->type);
    f->options = test_options(&f->type->info, pairs);
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(f->type, f->options, NULL, NULL, 1, &f->model, error));
    ck_assert_uint_eq(f->model.n_theta, V * H + 2 * V + H);
    for (size_t k = 0; k < f->model.n_theta; k++)
        f->model.theta[k] = (ebm_real)(0.6 * test_random_normal(&r));
    ebm_model_refresh(&f->model, f->work);
    CHECK_OK(ebm_base_fit(&f->model.space, NULL, 0, &f->base, error));
    f->base.log_normaliser = 0;
    for (size_t i = 0; i < V; i++) {
        f->base.parameters[i] = base[i];
        f->base.parameters[V + i] = base[V + i];
        f->base.log_normaliser += 0.5 * (log(2 * M_PI) + (double)base[V + i]);
    }
    f->wrong = *f->type;
}

static void fixture_close(fixture *f) {
    ebm_base_free(&f->base);
    ebm_model_free(&f->model);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
}

static ebm_path path_of(const fixture *f, size_t k) {
    return (ebm_path){paths[k].based ? &f->base : NULL, paths[k].beta};
}

/* E_beta(v, h), every term from the definition. */
static double joint(const fixture *f, ebm_path path, const double *v, size_t h) {
    double W[V * H], mu[V], b[H], log_variance[V], energy = 0, base = 0;
    parameter(f, "W", W, V * H);
    parameter(f, "visible_bias", mu, V);
    parameter(f, "hidden_bias", b, H);
    parameter(f, "log_variance", log_variance, V);
    for (size_t i = 0; i < V; i++) {
        energy += 0.5 * (v[i] - mu[i]) * (v[i] - mu[i]) / exp(log_variance[i]);
        for (size_t j = 0; j < H; j++)
            energy -= v[i] / exp(log_variance[i]) * W[i * H + j] * oracle_bit(h, j);
    }
    for (size_t j = 0; j < H; j++)
        energy -= b[j] * oracle_bit(h, j);
    for (size_t i = 0; path.base && i < V; i++) {
        const double off = v[i] - (double)path.base->parameters[i];
        base += 0.5 * off * off / exp((double)path.base->parameters[V + i]);
    }
    return (1 - path.beta) * base + path.beta * energy;
}

static double free_energy(const fixture *f, ebm_path path, const double *v) {
    double energy[STATES];
    for (size_t h = 0; h < STATES; h++)
        energy[h] = joint(f, path, v, h);
    return -oracle_log_sum(energy, STATES, 1);
}

static ebm_batch points(fixture *f) {
    ebm_batch batch;
    test_random r = {5};
    CHECK_OK(ebm_batch_create(&f->model, POINTS, &batch, error));
    for (size_t k = 0; k < POINTS * V; k++)
        batch.x[k] = (ebm_real)(1.5 * test_random_normal(&r));
    ebm_model_field(&f->model, &batch, f->work);
    return batch;
}

static void row_of(const ebm_batch *batch, size_t b, double *v) {
    for (size_t i = 0; i < V; i++)
        v[i] = (double)batch->x[b * V + i];
}

static double check_energy(fixture *f) {
    ebm_batch batch = points(f);
    double energy[POINTS], v[V], worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        f->model.type->energy(&f->model, path_of(f, k), &batch, energy, f->work);
        for (size_t b = 0; b < POINTS; b++) {
            row_of(&batch, b, v);
            const double want = free_energy(f, path_of(f, k), v);
            worst = fmax(worst, fabs(energy[b] - want) / (0x1p10 * EPSILON * (1 + fabs(want))));
        }
    }
    ebm_batch_free(&batch);
    return worst;
}

static double check_energy_difference(fixture *f) {
    static const double steps[][2] = {{0.2, 0.9}, {0.5, 0.5001}};
    ebm_batch batch = points(f);
    double change[POINTS], v[V], worst = 0;
    for (size_t k = 0; k < 4; k++) {
        const ebm_base *base = k < 2 ? NULL : &f->base;
        const ebm_path from = {base, steps[k % 2][0]}, to = {base, steps[k % 2][1]};
        f->model.type->energy_difference(&f->model, from, to, &batch, change, f->work);
        for (size_t b = 0; b < POINTS; b++) {
            row_of(&batch, b, v);
            const double start = free_energy(f, from, v), want = free_energy(f, to, v) - start;
            const double bound = 0x1p10 * EPSILON * 40 * (to.beta - from.beta) + 0x1p4 * 0x1p-53 * fabs(start);
            worst = fmax(worst, fabs(change[b] - want) / bound);
        }
    }
    ebm_batch_free(&batch);
    return worst;
}

/* The joint energy of every pair, and E[h | v] by its weights. */
static double check_conditionals(fixture *f) {
    ebm_batch batch = points(f);
    double energy[POINTS], v[V], worst = 0;
    for (size_t k = 0; k < PATHS; k++)
        for (size_t h = 0; h < STATES; h++) {
            for (size_t b = 0; b < POINTS; b++)
                rbm_write_state(h, H, batch.hidden + b * H);
            f->model.type->joint_energy(&f->model, path_of(f, k), &batch, energy, f->work);
            for (size_t b = 0; b < POINTS; b++) {
                row_of(&batch, b, v);
                const double want = joint(f, path_of(f, k), v, h);
                worst = fmax(worst, fabs(energy[b] - want) / (0x1p10 * EPSILON * (1 + fabs(want))));
            }
        }
    ebm_real mean[POINTS * H];
    f->model.type->hidden_means(&f->model, &batch, mean, f->work);
    for (size_t b = 0; b < POINTS; b++) {
        row_of(&batch, b, v);
        for (size_t j = 0; j < H; j++) {
            double want = 0;
            for (size_t h = 0; h < STATES; h++)
                want += oracle_bit(h, j) * exp(free_energy(f, ebm_path_end(), v) - joint(f, ebm_path_end(), v, h));
            worst = fmax(worst, fabs((double)mean[b * H + j] - want) / (0x1p10 * EPSILON));
        }
    }
    ebm_batch_free(&batch);
    return worst;
}

/* Central differences of the definition: with steps of 1e-4 the third derivatives (below 100) leave 2e-7, and rounding
 * 50 x 2^-53 / 1e-4. */
static double difference_bound(void) {
    return 3e-7 + 0x1p11 * EPSILON;
}

static double check_grad_x(fixture *f) {
    ebm_batch batch = points(f);
    ebm_real grad[POINTS * V];
    double v[V], worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        f->model.type->grad_x(&f->model, path_of(f, k), &batch, grad, f->work);
        for (size_t b = 0; b < POINTS; b++)
            for (size_t i = 0; i < V; i++) {
                row_of(&batch, b, v);
                v[i] += 1e-4;
                const double above = free_energy(f, path_of(f, k), v);
                v[i] -= 2e-4;
                const double want = (above - free_energy(f, path_of(f, k), v)) / 2e-4;
                worst = fmax(worst, fabs((double)grad[b * V + i] - want) / (difference_bound() * (1 + fabs(want))));
            }
    }
    ebm_batch_free(&batch);
    return worst;
}

/* sum_b weight_b F(v_b) as a function of one parameter; its step is what the machine stores. */
static double weighted_energy(const fixture *f, const ebm_batch *batch, const ebm_real *weight) {
    double v[V], sum = 0;
    for (size_t b = 0; b < POINTS; b++) {
        row_of(batch, b, v);
        sum += (weight ? (double)weight[b] : 1) * free_energy(f, ebm_path_end(), v);
    }
    return sum;
}

typedef double (*of_theta)(fixture *f, const void *what);

/* The central difference of g by theta_k, from a wide step and one of half its width (Richardson). */
static double slope(fixture *f, size_t k, of_theta g, const void *what) {
    const ebm_real kept = f->model.theta[k];
    double estimate[2];
    for (int half = 0; half < 2; half++) {
        const double h = half ? 0x1p-7 : 0x1p-6;
        f->model.theta[k] = (ebm_real)((double)kept + h);
        const double at = (double)f->model.theta[k], above = (ebm_model_refresh(&f->model, f->work), g(f, what));
        f->model.theta[k] = (ebm_real)((double)kept - h);
        const double back = (double)f->model.theta[k], below = (ebm_model_refresh(&f->model, f->work), g(f, what));
        estimate[half] = (above - below) / (at - back);
    }
    f->model.theta[k] = kept;
    ebm_model_refresh(&f->model, f->work);
    return (4 * estimate[1] - estimate[0]) / 3;
}

typedef struct weighted {
    const ebm_batch *batch;
    const ebm_real *weight;
} weighted;

static double energy_of_theta(fixture *f, const void *what) {
    const weighted *w = what;
    return weighted_energy(f, w->batch, w->weight);
}

/* Fifth derivatives of the sums are below 1e4: 2^-28 / 30 of it. Steps that round to float leave 2^-24 / 2^-7 of a slope
 * that changes by less than its own size over the step. */
static double check_grad_theta(fixture *f) {
    ebm_batch batch = points(f);
    ebm_real weight[POINTS], grad[V * H + 2 * V + H];
    const size_t n = f->model.n_theta;
    double worst = 0;
    test_random r = {3};
    for (size_t b = 0; b < POINTS; b++)
        weight[b] = (ebm_real)test_random_normal(&r);
    for (int used = 0; used < 2; used++) {
        const weighted what = {&batch, used ? weight : NULL};
        for (size_t k = 0; k < n; k++)
            grad[k] = 0.5;
        ebm_model_field(&f->model, &batch, f->work);
        f->model.type->grad_theta(&f->model, &batch, what.weight, -2.0, grad, f->work);
        for (size_t k = 0; k < n; k++) {
            const double want = 0.5 - 2.0 * slope(f, k, energy_of_theta, &what);
            const double bound = (2e-6 + 0x1p11 * EPSILON) * (1 + fabs(want));
            worst = fmax(worst, fabs((double)grad[k] - want) / bound);
        }
    }
    ebm_batch_free(&batch);
    return worst;
}

/* Trapezoids on [-20, 20]^2: spectrally exact for sums of Gaussians of variance above 0.1. */
typedef double (*of_v)(const double *v, const void *what);
static double quadrature(const fixture *f, ebm_path path, of_v g, const void *what) {
    enum { SIDE = 161 };
    const double h = 40.0 / (SIDE - 1);
    double sum = 0;
    for (size_t a = 0; a < SIDE; a++)
        for (size_t b = 0; b < SIDE; b++) {
            const double v[V] = {-20 + h * (double)a, -20 + h * (double)b};
            sum += g(v, what) * exp(-free_energy(f, path, v)) * h * h;
        }
    return sum;
}

static double one(const double *v, const void *what) {
    (void)v, (void)what;
    return 1;
}

static double log_z_of_theta(fixture *f, const void *what) {
    (void)what;
    return log(quadrature(f, ebm_path_end(), one, NULL));
}

/* W of size 0.6 and variances from 0.3 to 3 keep the integrand's features wider than three cells. */
static double check_log_normaliser(fixture *f) {
    double got, worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        const double want = log(quadrature(f, path_of(f, k), one, NULL));
        CHECK_OK(f->model.type->log_normaliser(&f->model, path_of(f, k), &got, f->work, error));
        worst = fmax(worst, fabs(got - want) / (1e-9 + 0x1p7 * EPSILON));
    }
    got = f->model.type->log_base_normaliser(&f->model, &f->base);
    const double base = log(quadrature(f, (ebm_path){&f->base, 0}, one, NULL));
    return fmax(worst, fabs(got - base) / (1e-9 + 0x1p7 * EPSILON));
}

/* d log Z / d theta = -E[dE / d theta] */
static double check_expected_grad_theta(fixture *f) {
    ebm_real grad[V * H + 2 * V + H] = {0};
    double log_z, worst = 0;
    CHECK_OK(f->model.type->expected_grad_theta(&f->model, -1.0, grad, &log_z, f->work, error));
    worst = fabs(log_z - log_z_of_theta(f, NULL)) / (1e-9 + 0x1p7 * EPSILON);
    for (size_t k = 0; k < f->model.n_theta; k++) {
        const double want = slope(f, k, log_z_of_theta, NULL);
        worst = fmax(worst, fabs((double)grad[k] - want) / ((2e-7 + 0x1p8 * EPSILON) * (1 + fabs(want))));
    }
    return worst;
}

static double coordinate(const double *v, const void *what) {
    const size_t *which = what; /* unit, power */
    return which[1] == 1 ? v[which[0]] : v[which[0]] * v[which[0]];
}

static double check_exact_mean(fixture *f) {
    static const struct {
        const char *name;
        size_t which[2];
    } means[] = {{"first", {0, 1}}, {"second", {1, 1}}, {"first_square", {0, 2}}, {"second_square", {1, 2}}};
    double worst = 0, got, squares = 0;
    for (size_t k = 0; k < PATHS; k++) {
        const double total = quadrature(f, path_of(f, k), one, NULL);
        squares = 0;
        for (size_t m = 0; m < 4; m++) {
            const double want = quadrature(f, path_of(f, k), coordinate, means[m].which) / total;
            CHECK_OK(f->model.type->exact_mean(&f->model, path_of(f, k), means[m].name, &got, f->work, error));
            worst = fmax(worst, fabs(got - want) / ((1e-9 + 0x1p7 * EPSILON) * (1 + fabs(want))));
            squares += m >= 2 ? want / 2 : 0;
        }
        CHECK_OK(f->model.type->exact_mean(&f->model, path_of(f, k), "square", &got, f->work, error));
        worst = fmax(worst, fabs(got - squares) / ((1e-9 + 0x1p7 * EPSILON) * (1 + fabs(squares))));
    }
    return worst;
}

static double below(const double *v, const void *what) {
    const double *t = what; /* unit, t */
    const size_t unit = (size_t)t[0];
    return v[unit] < t[1] - 1e-9 ? 1 : v[unit] < t[1] + 1e-9 ? 0.5 : 0;
}

/* The trapezoid rule cuts at a node, where it takes half: an error of h^2 / 12 times a density's slope below 0.5, twice. */
static double check_marginal_cdf(fixture *f) {
    static const double at[] = {-3, -1, 0, 0.5, 2};
    double got[5], worst = 0;
    for (size_t k = 0; k < PATHS; k++)
        for (size_t unit = 0; unit < V; unit++) {
            const double total = quadrature(f, path_of(f, k), one, NULL);
            CHECK_OK(f->model.type->marginal_cdf(&f->model, path_of(f, k), unit, at, 5, got, f->work, error));
            for (size_t m = 0; m < 5; m++) {
                const double what[2] = {(double)unit, at[m]};
                const double want = quadrature(f, path_of(f, k), below, what) / total;
                worst = fmax(worst, fabs(got[m] - want) / 5e-3);
            }
        }
    return worst;
}

static int ascending(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* sqrt(n) D over its limit, of unit `unit` of n rows against a mixture's distribution function. */
static double kolmogorov(const ebm_real *x, size_t unit, double (*cdf)(double t, const void *what), const void *what) {
    static double sorted[DRAWS];
    double worst = 0;
    for (size_t b = 0; b < DRAWS; b++)
        sorted[b] = (double)x[b * V + unit];
    qsort(sorted, DRAWS, sizeof *sorted, ascending);
    for (size_t b = 0; b < DRAWS; b++) {
        const double p = cdf(sorted[b], what);
        worst = fmax(worst, fmax(fabs(p - (double)b / DRAWS), fabs(p - ((double)b + 1) / DRAWS)));
    }
    return worst * sqrt(DRAWS) / 2.9;
}

typedef struct law {
    fixture *f;
    ebm_path path;
    size_t unit, h;
} law;

static double exact_cdf(double t, const void *what) {
    const law *l = what;
    double p;
    CHECK_OK(l->f->type->marginal_cdf(&l->f->model, l->path, l->unit, &t, 1, &p, l->f->work, error));
    return p;
}

/* Given h, E_beta is a parabola in v_i: its curvature and slope at 0 from three values of the definition. */
static double conditional_cdf(double t, const void *what) {
    const law *l = what;
    double v[V] = {0}, at[3];
    for (int k = 0; k < 3; k++) {
        v[l->unit] = k - 1;
        at[k] = joint(l->f, l->path, v, l->h);
    }
    const double curvature = at[0] + at[2] - 2 * at[1], tilt = (at[2] - at[0]) / 2;
    return 0.5 * erfc((-tilt / curvature - t) * sqrt(curvature / 2));
}

static double check_draws(fixture *f) {
    ebm_batch batch;
    double worst = 0;
    CHECK_OK(ebm_batch_create(&f->model, DRAWS, &batch, error));
    for (size_t k = 0; k < PATHS; k++)
        for (size_t unit = 0; unit < V; unit++) {
            law l = {f, path_of(f, k), unit, 5};
            CHECK_OK(f->model.type->sample_exact(&f->model, l.path, &batch, ebm_stream_of(4, EBM_PURPOSE_SAMPLE), 0,
                                                 10 * k, f->work, error));
            worst = fmax(worst, kolmogorov(batch.x, unit, exact_cdf, &l));
            for (size_t b = 0; b < DRAWS; b++)
                rbm_write_state(l.h, H, batch.hidden + b * H);
            f->model.type->sample_visible(&f->model, l.path, &batch, ebm_stream_of(4, EBM_PURPOSE_SAMPLE), 0,
                                          10 * k + 5, f->work);
            worst = fmax(worst, kolmogorov(batch.x, unit, conditional_cdf, &l));
        }
    ebm_batch_free(&batch);
    return worst;
}

static const struct {
    const char *name;
    double (*worst)(fixture *f);
} checks[] = {{"energy", check_energy},
              {"energy_difference", check_energy_difference},
              {"conditionals", check_conditionals},
              {"grad_x", check_grad_x},
              {"grad_theta", check_grad_theta},
              {"log_normaliser", check_log_normaliser},
              {"expected_grad_theta", check_expected_grad_theta},
              {"exact_mean", check_exact_mean},
              {"marginal_cdf", check_marginal_cdf},
              {"draws", check_draws}};
enum { CHECKS = sizeof checks / sizeof *checks };

START_TEST(test_grbm_by_definition) {
    fixture f;
    fixture_open(&f);
    const double worst = checks[_i].worst(&f);
    ck_assert_msg(worst <= 1, "%s: %g times the bound", checks[_i].name, worst);
    fixture_close(&f);
}
END_TEST

/* A machine whose precision is a little off what its log_variance says: every slot uses it. */
START_TEST(test_grbm_checks_can_fail) {
    fixture f;
    fixture_open(&f);
    ebm_real *precision = *(ebm_real **)((char *)f.model.state + 2 * sizeof(ebm_real *));
    f.wrong.refresh = NULL;
    f.model.type = &f.wrong;
    for (size_t i = 0; i < V; i++)
        precision[i] *= (ebm_real)1.3;
    const double worst = checks[_i].worst(&f);
    ck_assert_msg(worst > 1, "%s: a wrong precision passes at %g of the bound", checks[_i].name, worst);
    fixture_close(&f);
}
END_TEST

START_TEST(test_grbm_refusals) {
    ebm_error failure;
    ebm_model model;
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "grbm");
    static const char *const none[] = {"visible", "3", NULL};
    void *options = test_options(&type->info, none);
    ck_assert_int_eq(ebm_model_create(type, options, NULL, NULL, 1, &model, &failure), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(failure.message, "hidden"));
    test_options_free(&type->info, options);
    static const char *const many[] = {"visible", "3", "hidden", "40", NULL};
    options = test_options(&type->info, many);
    ebm_work *work;
    double log_z;
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_model_create(type, options, NULL, NULL, 1, &model, error));
    ck_assert_int_eq(type->log_normaliser(&model, ebm_path_end(), &log_z, work, &failure), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(failure.message, "2^40"));
    ebm_model_free(&model);
    ebm_work_free(work);
    test_options_free(&type->info, options);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("grbm");
    TCase *cases = tcase_create("property");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, test_grbm_by_definition, 0, CHECKS);
    tcase_add_loop_test(cases, test_grbm_checks_can_fail, 0, CHECKS);
    tcase_add_test(cases, test_grbm_refusals);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
