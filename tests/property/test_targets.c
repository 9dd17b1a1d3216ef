/* Targets on the real line against their definitions, written here as products of densities; planted errors that the same
 * checks see; refusals. */
#include "real_checks.h"

#include "ebm/observable.h"

static const double PI = 3.14159265358979323846;

static double log_normal(double x, double mean, double deviation) {
    const double z = (x - mean) / deviation;
    return -0.5 * log(2 * PI) - log(deviation) - 0.5 * z * z;
}

/* ---- Definitions: -log of the density plus what the models leave out of E ---- */

static double banana_law(const double *x, size_t V, double length, double width, double bend) {
    double log_p = 0;
    for (size_t i = 0; i < V; i += 2)
        log_p += log_normal(x[i], 0, length) + log_normal(x[i + 1], bend * x[i] * x[i] - bend * length * length, width);
    return -log_p - (double)V / 2 * (log(2 * PI) + log(length * width));
}
static double banana_small(const double *x, size_t V) {
    return banana_law(x, V, 1, 0.8, 0.4);
}
static double banana_default(const double *x, size_t V) {
    return banana_law(x, V, 10, 1, 0.03);
}
static double banana_many(const double *x, size_t V) {
    return banana_law(x, V, 2, 0.5, -0.2);
}

static double funnel_law(const double *x, size_t V, double deviation) {
    double log_p = log_normal(x[0], 0, deviation);
    for (size_t i = 1; i < V; i++)
        log_p += log_normal(x[i], 0, exp(x[0] / 2));
    return -log_p - (double)V / 2 * log(2 * PI) - log(deviation);
}
static double funnel_small(const double *x, size_t V) {
    return funnel_law(x, V, 1);
}
static double funnel_default(const double *x, size_t V) {
    return funnel_law(x, V, 3);
}

/* weight, then mean and deviation of each unit */
static double mixture_law(const double *x, size_t V, size_t K, const double *terms) {
    double p = 0;
    for (size_t k = 0; k < K; k++) {
        const double *term = terms + k * (1 + 2 * V);
        double log_p = log(term[0]);
        for (size_t i = 0; i < V; i++)
            log_p += log_normal(x[i], term[1 + 2 * i], term[2 + 2 * i]);
        p += exp(log_p);
    }
    return -log(p) - (double)V / 2 * log(2 * PI);
}
static double mixture_anisotropic(const double *x, size_t V) {
    static const double terms[] = {0.33, -5, 1.25, -5, 0.5, /**/ 0.33, 5, 1.25, -5, 0.5, 0.34, 0, 0.5, /**/ 5, 1.25};
    return mixture_law(x, V, 3, terms);
}
static double mixture_triangle(const double *x, size_t V) {
    static const double terms[] = {0.33, -5, 1, -5, 1, 0.33, 5, 1, -5, 1, 0.34, 0, 1, 5, 1};
    return mixture_law(x, V, 3, terms);
}
static double mixture_line(const double *x, size_t V) {
    static const double terms[] = {0.25, -1, 0.5, 0.75, 2, 1.5};
    return mixture_law(x, V, 2, terms);
}
static double mixture_pair(const double *x, size_t V) {
    static const double terms[] = {0.2, -1.5, 1, 0, 1, 0, 1, 0, 1, 0.8, 1.5, 1, 0, 1, 0, 1, 0, 1};
    return mixture_law(x, V, 2, terms);
}
static double mixture_list(const double *x, size_t V) {
    static const double terms[] = {0.2, 1, 0.5, 2, 0.5, 3, 0.5, 0.3, -1, 2, -2, 2, 3.5, 2, 0.5, 0, 1, 0, 1, 0, 1};
    return mixture_law(x, V, 3, terms);
}

static double student_law(const double *x, size_t V, double nu, double scale) {
    double log_p = 0;
    for (size_t i = 0; i < V; i++)
        log_p += log(pow(1 + x[i] * x[i] / (scale * scale * nu), -(nu + 1) / 2));
    return -log_p;
}
static double student_default(const double *x, size_t V) {
    return student_law(x, V, 5, 1);
}
static double student_many(const double *x, size_t V) {
    return student_law(x, V, 1.5, 0.7);
}

static double wells_law(const double *x, size_t V, double barrier, double tilt) {
    double energy = 0;
    for (size_t i = 0; i < V; i++)
        energy += barrier * pow(x[i] * x[i] - 1, 2) - tilt * x[i];
    return energy;
}
static double wells_small(const double *x, size_t V) {
    return wells_law(x, V, 2, 0.7);
}
static double wells_default(const double *x, size_t V) {
    return wells_law(x, V, 4, 0);
}

/* Likelihood, prior of mu, of tau in log tau, and of the groups' means in theta or in eta. The models leave out all
 * constants. */
static double schools_law(const double *x, size_t V, bool centred, const double *y, const double *sigma,
                          double deviation, double scale) {
    const double tau = exp(x[0]), mu = x[1];
    double log_p = log_normal(mu, 0, deviation) + log(tau / (1 + tau / scale * (tau / scale)));
    double constants = 0.5 * log(2 * PI) + log(deviation);
    for (size_t j = 0; j + 2 < V; j++) {
        const double theta = centred ? x[2 + j] : mu + tau * x[2 + j];
        log_p += log_normal(y[j], theta, sigma[j]);
        log_p += centred ? log_normal(theta, mu, tau) : log_normal(x[2 + j], 0, 1);
        constants += log(2 * PI) + log(sigma[j]);
    }
    return -log_p - constants;
}
static const double rubin_y[] = {28, 8, -3, 7, -1, 1, 18, 12}, rubin_sigma[] = {15, 10, 16, 11, 9, 11, 10, 18};
static const double two_y[] = {4, -1}, two_sigma[] = {3, 2};
static double schools_centred(const double *x, size_t V) {
    return schools_law(x, V, true, rubin_y, rubin_sigma, 5, 5);
}
static double schools_non_centred(const double *x, size_t V) {
    return schools_law(x, V, false, rubin_y, rubin_sigma, 5, 5);
}
static double schools_two_centred(const double *x, size_t V) {
    return schools_law(x, V, true, two_y, two_sigma, 2, 2);
}
static double schools_two_non_centred(const double *x, size_t V) {
    return schools_law(x, V, false, two_y, two_sigma, 2, 2);
}

/* ---- Changes of variables for the grids; return log |dx/du| ---- */

/* Heavy tails: x = sinh u. */
static double sinh_units(const double *u, double *x) {
    x[0] = sinh(u[0]), x[1] = sinh(u[1]);
    return log(cosh(u[0])) + log(cosh(u[1]));
}
static double sinh_second(const double *u, double *x) {
    x[0] = u[0], x[1] = sinh(u[1]);
    return log(cosh(u[1]));
}
/* u = (l, mu, w_1, w_2) with eta = w / sqrt(1 + tau^2 / sigma^2), whose conditional deviation is 1. */
static double schools_etas(const double *u, double *x) {
    const double tau = exp(u[0]);
    double log_jacobian = 0;
    x[0] = u[0], x[1] = u[1];
    for (size_t j = 0; j < 2; j++) {
        const double shrink = 1 / sqrt(1 + tau * tau / (two_sigma[j] * two_sigma[j]));
        x[2 + j] = u[2 + j] * shrink;
        log_jacobian += log(shrink);
    }
    return log_jacobian;
}
static double schools_thetas(const double *u, double *x) {
    const double log_jacobian = schools_etas(u, x) + 2 * x[0];
    for (size_t j = 0; j < 2; j++)
        x[2 + j] = x[1] + exp(x[0]) * x[2 + j];
    return log_jacobian;
}

#define PLANE(low0, high0, steps0, low1, high1, steps1)                                                                \
    {low0, low1}, {high0, high1}, {                                                                                    \
        steps0, steps1                                                                                                 \
    }

static const real_problem problems[] = {
    {"banana",
     {"length", "1", "width", "0.8", "bend", "0.4"},
     2,
     banana_small,
     0.8,
     1.5,
     NULL,
     PLANE(-10, 10, 250, -9, 45, 675),
     {0.5, 0.5}},
    {"banana", {NULL}, 2, banana_default, 0.5, 8, NULL, {0}, {0}, {0}, {0}},
    {"banana",
     {"pairs", "4", "length", "2", "width", "0.5", "bend", "-0.2"},
     8,
     banana_many,
     2,
     2,
     NULL,
     {0},
     {0},
     {0},
     {0}},
    {"funnel",
     {"size", "2", "deviation", "1"},
     2,
     funnel_small,
     0.8,
     1,
     sinh_second,
     PLANE(-9.5, 9.5, 152, -9, 9, 900),
     {0.5, 0.5}},
    {"funnel", {NULL}, 10, funnel_default, 0.9, 1.5, NULL, {0}, {0}, {0}, {0}},
    {"gaussian-mixture",
     {"layout", "anisotropic"},
     2,
     mixture_anisotropic,
     0,
     4,
     NULL,
     PLANE(-14, 14, 700, -14, 14, 700),
     {0.5, 0.5}},
    {"gaussian-mixture", {"layout", "triangle"}, 2, mixture_triangle, 0, 4, NULL, {0}, {0}, {0}, {0}},
    {"gaussian-mixture",
     {"layout", "list", "size", "1", "means", "-1,2", "deviations", "0.5,1.5", "weights", "1,3"},
     1,
     mixture_line,
     0,
     2,
     NULL,
     {-12},
     {15},
     {2700},
     {0.5}},
    {"gaussian-mixture",
     {"size", "4", "separation", "3", "weight", "0.2"},
     4,
     mixture_pair,
     0,
     2,
     NULL,
     {-9.5, -8, -8, -8},
     {9.5, 8, 8, 8},
     {160, 20, 20, 20},
     {1, 1, 1, 1}},
    {"gaussian-mixture",
     {"layout", "list", "size", "3", "means", "1,2,3,-1,-2,3.5,0,0,0", "deviations", "0.5,2,1", "weights", "2,3,5"},
     3,
     mixture_list,
     0,
     2,
     NULL,
     {0},
     {0},
     {0},
     {0}},
    {"student-t", {NULL}, 2, student_default, 0.8, 2, sinh_units, PLANE(-24, 24, 480, -24, 24, 480), {0.5, 0.5}},
    {"student-t", {"size", "5", "degrees", "1.5", "scale", "0.7"}, 5, student_many, 1.5, 2, NULL, {0}, {0}, {0}, {0}},
    {"double-well",
     {"barrier", "2", "tilt", "0.7"},
     2,
     wells_small,
     0.8,
     1.2,
     NULL,
     PLANE(-3, 3, 200, -3, 3, 200),
     {0.2, 0.2}},
    {"double-well", {"size", "5"}, 5, wells_default, 0.3, 1.2, NULL, {0}, {0}, {0}, {0}},
    {"eight-schools",
     {"effects", "4,-1", "errors", "3,2", "mean_deviation", "2", "scale", "2"},
     4,
     schools_two_centred,
     0.8,
     1.5,
     schools_thetas,
     {-36, -16, -13, -13},
     {12, 16, 13, 13},
     {120, 32, 34, 34},
     {1, 2, 4, 4}},
    {"eight-schools",
     {"effects", "4,-1", "errors", "3,2", "mean_deviation", "2", "scale", "2", "parametrisation", "non-centred"},
     4,
     schools_two_non_centred,
     0.8,
     1.5,
     schools_etas,
     {-36, -16, -13, -13},
     {12, 16, 13, 13},
     {120, 32, 34, 34},
     {1, 2, 1.5, 1.5}},
    {"eight-schools", {NULL}, 10, schools_centred, 0.9, 2, NULL, {0}, {0}, {0}, {0}},
    {"eight-schools", {"parametrisation", "non-centred"}, 10, schools_non_centred, 1.2, 2, NULL, {0}, {0}, {0}, {0}},
};
enum { PROBLEMS = sizeof problems / sizeof problems[0] };

START_TEST(test_targets_by_definition) {
    for (size_t k = 0; k < PROBLEMS; k++) {
        real_fixture f;
        real_open(&f, &problems[k]);
        const double worst = real_checks[_i].worst(&f);
        ck_assert_msg(worst <= 1, "%s, problem %zu (%s): %g times the allowed error", real_checks[_i].name, k,
                      problems[k].model, worst);
        real_close(&f);
    }
}
END_TEST

/* ---- Planted errors ---- */

static const ebm_model_type *right;

/* A constant of low precision somewhere: the eighth digit is off. */
static void wrong_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    right->energy(model, path, batch, out, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] *= 1 - 1e-8;
}
/* The base's share forgotten in the last unit. */
static void wrong_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    const size_t V = model->space.size;
    ebm_real *plain = calloc(batch->count * V, sizeof *plain);
    right->grad_x(model, path, batch, out, work);
    path.base = NULL;
    right->grad_x(model, path, batch, plain, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b * V + V - 1] = plain[b * V + V - 1];
    free(plain);
}
/* A row that looks at the one before. */
static void wrong_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy,
                                ebm_real *grad, ebm_work *work) {
    right->energy_grad_x(model, path, batch, energy, grad, work);
    for (size_t b = batch->count; energy && b-- > 1;)
        energy[b] += 1e-12 * energy[b - 1];
}
static ebm_status wrong_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                   ebm_work *work, ebm_error *error) {
    const ebm_status status = right->exact_mean(model, path, observable, out, work, error);
    *out *= strcmp(observable, "square") ? 1 : 1 + 1e-6;
    return status;
}
/* As if beta were 1. */
static ebm_status wrong_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                     uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    path.beta = 1;
    return right->sample_exact(model, path, batch, stream, first_chain, step, work, error);
}
/* Units of one row exchanged between rows: every marginal law is right, the joint one is not. */
static ebm_status torn_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                    uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size;
    const ebm_status status = right->sample_exact(model, path, batch, stream, first_chain, step, work, error);
    for (size_t b = 0; b + 1 < batch->count; b++) {
        const ebm_real last = batch->x[b * V + V - 1];
        batch->x[b * V + V - 1] = batch->x[(b + 1) * V + V - 1];
        batch->x[(b + 1) * V + V - 1] = last;
    }
    return status;
}
static ebm_status wrong_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                            double *out, ebm_work *work, ebm_error *error) {
    const ebm_status status = right->marginal_cdf(model, path, unit, t, count, out, work, error);
    for (size_t k = 0; k < count; k++)
        out[k] *= 1 - 1e-6;
    return status;
}

/* Each planted error with the check that must see it, on the small banana. */
static const size_t sees[] = {0, 1, 2, 3, 3, 4, 4, 5};
enum { PLANTED = sizeof sees / sizeof sees[0] };

static void plant(ebm_model_type *wrong, int which) {
    wrong->energy = which == 0 ? wrong_energy : wrong->energy;
    wrong->grad_x = which == 1 ? wrong_grad_x : wrong->grad_x;
    wrong->energy_grad_x = which == 2 ? wrong_energy_grad_x : wrong->energy_grad_x;
    wrong->exact_mean = which == 3 ? wrong_exact_mean : wrong->exact_mean;
    wrong->marginal_cdf = which == 4 ? wrong_cdf : wrong->marginal_cdf;
    wrong->sample_exact = which == 5 ? wrong_sample_exact : which >= 6 ? torn_sample_exact : wrong->sample_exact;
}

START_TEST(test_targets_checks_can_fail) {
    real_fixture f;
    real_open(&f, &problems[0]);
    right = f.type;
    plant(&f.wrong, _i);
    f.model.type = &f.wrong;
    ck_assert_msg(real_checks[sees[_i]].worst(&f) > 1, "%s passes with planted error %d", real_checks[sees[_i]].name,
                  _i);
    real_close(&f);
}
END_TEST

/* ---- What cannot be ---- */

static ebm_status create(const char *name, const char *const *options, const ebm_space *space, ebm_error *error) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, name);
    void *values = test_options(&type->info, NULL);
    ebm_model model = {0};
    for (size_t k = 0; options && options[k]; k += 2)
        real_set(&type->info, values, options[k], options[k + 1]);
    const ebm_status status = ebm_model_create(type, values, space, NULL, 1, &model, error);
    if (status == EBM_OK)
        ebm_model_free(&model);
    test_options_free(&type->info, values);
    return status;
}

START_TEST(test_targets_refuse_options) {
    static const struct {
        const char *model, *options[12], *says;
    } wrong[] = {
        {"gaussian-mixture", {"layout", "list"}, "`means` has 0 numbers"},
        {"gaussian-mixture", {"layout", "list", "means", "1,2,3"}, "`means` has 3 numbers"},
        {"gaussian-mixture", {"layout", "list", "means", "1,2,3,4", "weights", "1,2,3"}, "`weights` has 3 numbers"},
        {"gaussian-mixture", {"layout", "list", "means", "1,2,3,4", "weights", "0,0"}, "all 0"},
        {"gaussian-mixture", {"layout", "list", "means", "1,2,3,4", "deviations", "1,2,3"}, "1, 2 or 4 are expected"},
        {"eight-schools", {"effects", "1,2,3", "errors", "1,2"}, "`effects` has 3 numbers and `errors` 2"},
        {"eight-schools", {"errors", "1,2"}, "`effects` has 0 numbers"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        ebm_error error = {0};
        ck_assert_int_eq(create(wrong[k].model, wrong[k].options, NULL, &error), EBM_INVALID);
        ck_assert_msg(strstr(error.message, wrong[k].says), "case %zu says: %s", k, error.message);
    }
    for (size_t k = 0; k < PROBLEMS; k++) { /* data of another size */
        const ebm_space space = ebm_space_line(EBM_REAL_LINE, problems[k].units + 1);
        ebm_error error = {0};
        ck_assert_int_eq(create(problems[k].model, problems[k].options, &space, &error), EBM_INVALID);
        ck_assert_ptr_nonnull(strstr(error.message, "needs no data"));
    }
}
END_TEST

/* Every exact value at this path. */
static void check_refused(real_fixture *f, ebm_path path) {
    const ebm_model_type *type = f->type;
    const double t = 0;
    double out;
    ebm_error error = {0};
    ebm_batch batch = real_points(f);
    ck_assert_int_eq(type->log_normaliser(&f->model, path, &out, f->work, &error), EBM_UNSUPPORTED);
    ck_assert_uint_ne(strlen(error.message), 0);
    ck_assert_int_eq(type->exact_mean(&f->model, path, "first", &out, f->work, &error), EBM_UNSUPPORTED);
    ck_assert_int_eq(type->marginal_cdf(&f->model, path, 0, &t, 1, &out, f->work, &error), EBM_UNSUPPORTED);
    ck_assert_int_eq(
        type->sample_exact(&f->model, path, &batch, ebm_stream_of(1, EBM_PURPOSE_SAMPLE), 0, 0, f->work, &error),
        EBM_UNSUPPORTED);
    ebm_batch_free(&batch);
}

START_TEST(test_targets_refuse_paths) {
    for (size_t k = 0; k < PROBLEMS; k++) {
        real_fixture f;
        real_base base;
        double out;
        real_open(&f, &problems[k]);
        real_base_fill(&f, &base);
        check_refused(&f, (ebm_path){&base.base, 0.5});
        check_refused(&f, (ebm_path){NULL, 0});
        ck_assert_int_eq(f.type->exact_mean(&f.model, ebm_path_end(), "magnetisation", &out, f.work, NULL),
                         EBM_UNSUPPORTED);
        CHECK_OK(f.type->exact_mean(&f.model, (ebm_path){&base.base, 1}, "first", &out, f.work, error));
        real_close(&f);
    }
}
END_TEST

/* Laws that cannot be normalised at some beta, moments that do not exist, a bend beyond the quadrature. */
START_TEST(test_targets_refuse_what_does_not_exist) {
    static const real_problem heavy = {.model = "student-t", .options = {"degrees", "2"}, .units = 2, .spread = 1};
    static const real_problem bent = {
        .model = "banana", .options = {"bend", "10", "length", "100", "width", "0.01"}, .units = 2, .spread = 1};
    real_fixture f;
    double out, t = 0;
    real_open(&f, &heavy);
    CHECK_OK(f.type->exact_mean(&f.model, ebm_path_end(), "first", &out, f.work, error));
    ck_assert_int_eq(f.type->exact_mean(&f.model, ebm_path_end(), "square", &out, f.work, NULL), EBM_UNSUPPORTED);
    ck_assert_int_eq(f.type->exact_mean(&f.model, (ebm_path){NULL, 0.5}, "first", &out, f.work, NULL), EBM_UNSUPPORTED);
    check_refused(&f, (ebm_path){NULL, 1. / 3});
    real_close(&f);
    real_open(&f, &problems[PROBLEMS - 2]); /* J / (J - 1) = 8 / 7 */
    check_refused(&f, (ebm_path){NULL, 8. / 7});
    CHECK_OK(f.type->log_normaliser(&f.model, (ebm_path){NULL, 1.1}, &out, f.work, error));
    real_close(&f);
    real_open(&f, &bent);
    ck_assert_int_eq(f.type->marginal_cdf(&f.model, ebm_path_end(), 1, &t, 1, &out, f.work, NULL), EBM_UNSUPPORTED);
    real_close(&f);
}
END_TEST

/* Far out energies are large or infinite, never NaN, and gradients of infinite ones are not NaN. */
START_TEST(test_targets_far_out) {
    static const double far[] = {-1e30, -1e4, -200, 0, 200, 1e4, 1e30};
    enum { FAR = sizeof far / sizeof far[0] };
    for (size_t k = 0; k < PROBLEMS; k++) {
        real_fixture f;
        ebm_batch batch;
        const size_t V = problems[k].units;
        double energy[FAR * FAR];
        ebm_real *grad = calloc(FAR * FAR * V, sizeof *grad);
        real_open(&f, &problems[k]);
        CHECK_OK(ebm_batch_create(&f.model, FAR * FAR, &batch, error));
        for (size_t b = 0; b < FAR * FAR; b++)
            for (size_t i = 0; i < V; i++)
                batch.x[b * V + i] = (ebm_real)far[i == 0 ? b / FAR : b % FAR];
        ebm_model_energy_grad_x(&f.model, ebm_path_end(), &batch, energy, grad, f.work);
        for (size_t b = 0; b < FAR * FAR; b++) {
            ck_assert_msg(!isnan(energy[b]) && energy[b] > -INFINITY, "%s: energy %g", problems[k].model, energy[b]);
            for (size_t i = 0; i < V; i++)
                ck_assert_msg(!isnan((double)grad[b * V + i]), "%s: a gradient that is not a number, energy %g",
                              problems[k].model, energy[b]);
        }
        ebm_batch_free(&batch);
        free(grad);
        real_close(&f);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("targets");
    TCase *cases = tcase_create("definition");
    tcase_add_loop_test(cases, test_targets_by_definition, 0, REAL_CHECKS);
    tcase_add_loop_test(cases, test_targets_checks_can_fail, 0, PLANTED);
    tcase_add_test(cases, test_targets_refuse_options);
    tcase_add_test(cases, test_targets_refuse_paths);
    tcase_add_test(cases, test_targets_refuse_what_does_not_exist);
    tcase_add_test(cases, test_targets_far_out);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
