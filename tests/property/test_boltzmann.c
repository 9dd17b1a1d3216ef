/* The fully visible Boltzmann machine against plain sums over all states: every slot, 0/1 units and spins, along paths;
 * planted errors that the same checks see; enumeration in several blocks; gradients against central differences; what
 * optimisers keep; files and options. */
#include "property/boltzmann_checks.h"

#include "ebm/npy.h"
#include "learners/optimiser.h"

#include <unistd.h>

static void check_machines(size_t check, rbm_weights kind) {
    static const size_t sizes[] = {1, 2, 3, 5, 8};
    for (size_t k = 0; k < 2 * sizeof sizes / sizeof *sizes; k++) {
        boltzmann m;
        boltzmann_open(&m, sizes[k / 2], k % 2, kind, 1.0, 11 + k);
        const double worst = checks[check].worst(&m);
        ck_assert_msg(worst <= 1, "%s, V = %zu, %s: %g times the allowed error", checks[check].name, m.V,
                      m.spin ? "spin" : "binary", worst);
        boltzmann_close(&m);
    }
}

START_TEST(test_boltzmann_normal_weights) {
    check_machines((size_t)_i, RBM_NORMAL);
}
END_TEST

START_TEST(test_boltzmann_extreme_weights) {
    check_machines((size_t)_i, RBM_EXTREME);
}
END_TEST

START_TEST(test_boltzmann_zero_weights) {
    check_machines((size_t)_i, RBM_ZERO);
}
END_TEST

/* Planted errors, each in one slot, each of a kind that is easily made. */
static const ebm_model_type *real;

static void wrong_field(const ebm_model *model, const ebm_batch *batch, ebm_work *work) {
    real->field(model, batch, work); /* without the bias of unit 0 */
    for (size_t b = 0; b < batch->count; b++)
        batch->field[b * model->n_field] -= ebm_model_view(model, "bias")[0];
}
static void wrong_site_changed(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                               ebm_work *work) {
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    ebm_real *after = ebm_work_take(work, batch->count, sizeof *after);
    for (size_t b = 0; b < batch->count; b++) /* the wrong sign of the change */
        after[b] = 2 * batch->x[b * V + units[b]] - before[b];
    real->site_changed(model, batch, units, after, work);
    ebm_work_release(work, mark);
}
static void wrong_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work) {
    path.base = NULL;
    real->energy(model, path, batch, out, work);
}
static void wrong_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                    double *out, ebm_work *work) {
    real->energy_difference(model, to, from, batch, out, work);
}
static void wrong_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                       ebm_real *logit, ebm_work *work) {
    real->site(model, path, batch, units, logit, work); /* the other domain's factor */
    for (size_t b = 0; b < batch->count; b++)
        logit[b] *= model->space.domain == EBM_SPIN ? (ebm_real)0.5 : 2;
}
static void wrong_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    real->grad_x(model, path, batch, out, work);
    for (size_t k = 0; k < batch->count * model->space.size; k++)
        out[k] = -out[k];
}
static double wrong_log_base_normaliser(const ebm_model *model, const ebm_base *base) {
    return real->log_base_normaliser(model, base) - log(2);
}
static ebm_status wrong_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                       ebm_error *error) {
    path.beta *= 1 + 1e-9;
    return real->log_normaliser(model, path, out, work, error);
}
static void wrong_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                             ebm_real *grad, ebm_work *work) {
    const size_t V = model->space.size;
    real->grad_theta(model, batch, weight, scale, grad, work);
    grad[V * V - V] *= 1 + 4 * (ebm_real)UNIT_ROUNDOFF; /* the corner: one half not quite the other */
}
static ebm_status wrong_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                            ebm_work *work, ebm_error *error) {
    return real->expected_grad_theta(model, 2 * scale, grad, log_z, work, error);
}

START_TEST(test_boltzmann_checks_can_fail) {
    for (int spin = 0; spin < 2; spin++) {
        boltzmann m;
        boltzmann_open(&m, 5, spin, RBM_NORMAL, 1.0, 3);
        real = m.model.type;
        ebm_model_type wrong = *real;
        const char *name = checks[_i].name;
        wrong.field = strcmp(name, "field") ? wrong.field : wrong_field;
        wrong.site_changed = strcmp(name, "site_changed") ? wrong.site_changed : wrong_site_changed;
        wrong.energy = strcmp(name, "energy") ? wrong.energy : wrong_energy;
        wrong.energy_difference = strcmp(name, "energy_difference") ? wrong.energy_difference : wrong_energy_difference;
        wrong.site = strcmp(name, "site") ? wrong.site : wrong_site;
        wrong.grad_x = strcmp(name, "grad_x") ? wrong.grad_x : wrong_grad_x;
        wrong.log_base_normaliser =
            strcmp(name, "log_base_normaliser") ? wrong.log_base_normaliser : wrong_log_base_normaliser;
        wrong.log_normaliser = strcmp(name, "log_normaliser") ? wrong.log_normaliser : wrong_log_normaliser;
        wrong.grad_theta = strcmp(name, "grad_theta") ? wrong.grad_theta : wrong_grad_theta;
        wrong.expected_grad_theta =
            strcmp(name, "expected_grad_theta") ? wrong.expected_grad_theta : wrong_expected_grad_theta;
        ck_assert_msg(checks[_i].worst(&m) <= 1, "%s fails without a planted error", name);
        m.model.type = &wrong;
        ck_assert_msg(checks[_i].worst(&m) > 1, "%s passes with a planted error", name);
        m.model.type = real;
        boltzmann_close(&m);
    }
}
END_TEST

/* More units than one block of the enumeration (2^12 states) holds. */
START_TEST(test_boltzmann_enumeration_crosses_blocks) {
    for (int spin = 0; spin < 2; spin++) {
        boltzmann m;
        boltzmann_open(&m, 14, spin, RBM_NORMAL, 0.5, 5);
        ck_assert_double_le(check_log_normaliser(&m), 1);
        ck_assert_double_le(check_expected_grad_theta(&m), 1);
        boltzmann_close(&m);
    }
}
END_TEST

/* The most units, independent (log Z = sum log 2 cosh b) and with one strong pair across the blocks; and what is beyond
 * the limits. */
START_TEST(test_boltzmann_limits_of_enumeration) {
    boltzmann m;
    double log_z, want = 0;
    boltzmann_open(&m, 24, true, RBM_ZERO, 0, 1);
    ebm_real *bias = ebm_model_view(&m.model, "bias"), *W = ebm_model_view(&m.model, "W");
    for (size_t i = 0; i < 24; i++) {
        bias[i] = (ebm_real)(0.1 * (double)i - 1);
        want += log(2 * cosh((double)bias[i]));
    }
    W[3 * 24 + 20] = W[20 * 24 + 3] = 2;
    bias[3] = bias[20] = 0;
    want += log(4 * cosh(2.0)) - log(4 * cosh((double)(ebm_real)(0.3 - 1)) * cosh((double)(ebm_real)(2.0 - 1)));
    CHECK_OK(m.model.type->log_normaliser(&m.model, ebm_path_end(), &log_z, m.work, error));
    ck_assert_double_eq_tol(log_z, want, 1e-12 * want); /* 2^24 terms in blocks of 2^12, doubles */
    ebm_error said = {0};
    ebm_batch batch;
    ebm_real *grad = calloc(m.model.n_theta, sizeof *grad);
    CHECK_OK(ebm_batch_create(&m.model, 2, &batch, error));
    CHECK_OK(m.model.type->expected_grad_theta(&m.model, 1, grad, &log_z, m.work, error));
    ck_assert_double_eq_tol(log_z, want, 1e-12 * want);
    /* E[x_3] = 0 and E[x_3 x_20] = tanh 2, half of it in each half of W; one rounding to ebm_real */
    ck_assert_double_eq_tol(grad[24 * 24 + 3], 0, 1e-12);
    ck_assert_double_eq_tol(grad[3 * 24 + 20], -0.5 * tanh(2), 1e-12 + UNIT_ROUNDOFF);
    ck_assert_int_eq(
        m.model.type->sample_exact(&m.model, ebm_path_end(), &batch, ebm_stream_of(1, 1), 0, 0, m.work, &said),
        EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(said.message, "2^24 states"));
    W[0] = 0;
    bias[0] = (ebm_real)INFINITY;
    ck_assert_int_eq(m.model.type->log_normaliser(&m.model, ebm_path_end(), &log_z, m.work, &said), EBM_DIVERGED);
    free(grad);
    ebm_batch_free(&batch);
    boltzmann_close(&m);
    const char *pairs[] = {"units", "25", NULL};
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann");
    void *options = test_options(&type->info, pairs);
    ebm_model large;
    ebm_work *work;
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_model_create(type, options, NULL, NULL, 1, &large, error));
    ck_assert_int_eq(type->log_normaliser(&large, ebm_path_end(), &log_z, work, &said), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(said.message, "2^25 states"));
    ck_assert_int_eq(type->expected_grad_theta(&large, 1, large.theta, NULL, work, &said), EBM_UNSUPPORTED);
    ebm_model_free(&large);
    ebm_work_free(work);
    test_options_free(&type->info, options);
}
END_TEST

#ifdef EBM_DOUBLE
/* d/dt of E and log Z when w_ij and w_ji, or a bias, move by t: g . direction. Energies are linear in theta, so step 1/4
 * is as good as any; log Z has a third derivative of order V^3 at most, and h = 1e-4: 1e-8 V^3 / 6, 2^-53 M / h. */
START_TEST(test_boltzmann_gradients_along_symmetric_directions) {
    boltzmann m;
    boltzmann_open(&m, 5, _i, RBM_NORMAL, 0.7, 8);
    const ebm_model_type *type = m.model.type;
    const size_t V = m.V, n = m.model.n_theta;
    ebm_batch batch = boltzmann_all_states(&m);
    ebm_real *grad = calloc(n, sizeof *grad), *expected = calloc(n, sizeof *expected);
    double energy[2][32];
    type->grad_theta(&m.model, &batch, NULL, 1.0, grad, m.work);
    CHECK_OK(type->expected_grad_theta(&m.model, 1.0, expected, NULL, m.work, error));
    for (size_t k = 0; k < n; k++) {
        const size_t mirror = k < V * V ? k % V * V + k / V : k;
        if (k < V * V && mirror <= k)
            continue; /* each pair once; the diagonal is no direction */
        const double before = m.model.theta[k], steps[] = {0.25, 1e-4};
        double slope[2], log_z[2];
        for (int of = 0; of < 2; of++) {
            for (int up = 0; up < 2; up++) {
                m.model.theta[k] = m.model.theta[mirror] = before + (up ? steps[of] : -steps[of]);
                batch.field_ok = false;
                ebm_model_field(&m.model, &batch, m.work);
                type->energy(&m.model, ebm_path_end(), &batch, energy[up], m.work);
                CHECK_OK(type->log_normaliser(&m.model, ebm_path_end(), &log_z[up], m.work, error));
            }
            slope[of] = (log_z[1] - log_z[0]) / (2 * steps[of]);
            for (size_t s = 0; of == 0 && s < m.S; s++)
                slope[0] = (s ? slope[0] : 0) + (energy[1][s] - energy[0][s]) / (2 * steps[0]);
        }
        m.model.theta[k] = m.model.theta[mirror] = before;
        const double along = mirror == k ? grad[k] : grad[k] + grad[mirror];
        const double expected_along = mirror == k ? expected[k] : expected[k] + expected[mirror];
        ck_assert_double_eq_tol(along, slope[0], 1e-11);
        ck_assert_double_eq_tol(expected_along, -slope[1], 1e-6);
    }
    free(grad);
    free(expected);
    ebm_batch_free(&batch);
    boltzmann_close(&m);
}
END_TEST
#endif

/* Learning steps by every optimiser leave W symmetric to the bit with a zero diagonal; a step of plain gradient ascent is
 * the learning rule w_ij += rate (<x_i x_j>_data - <x_i x_j>_model), b_i += rate (<x_i>_data - <x_i>_model). */
START_TEST(test_boltzmann_optimisers_keep_couplings_symmetric) {
    static const struct {
        int kind;
        double decay, clip;
    } ways[] = {{EBM_SGD, 0, 0}, {EBM_SGD, 0.1, 0.5}, {EBM_MOMENTUM, 0.1, 0}, {EBM_ADAM, 0.1, 0}};
    enum { V = 7, DATA = 5 };
    boltzmann m;
    boltzmann_open(&m, V, _i % 2, RBM_NORMAL, 0.5, 9);
    ebm_optimiser_options o = {.kind = ways[_i / 2].kind,
                               .rate = 0.125,
                               .momentum = 0.9,
                               .beta2 = 0.999,
                               .epsilon = 1e-8,
                               .weight_decay = ways[_i / 2].decay,
                               .clip = ways[_i / 2].clip,
                               .limit = 1e4};
    ebm_optimiser optimiser;
    ebm_batch batch;
    CHECK_OK(ebm_optimiser_create(&o, &m.model, &optimiser, error));
    CHECK_OK(ebm_batch_create(&m.model, DATA, &batch, error));
    double *p = oracle_memory(m.S), want[V][V], want_bias[V];
    static const size_t codes[DATA] = {3, 77, 126, 40, 3};
    boltzmann_law(&m, 0, 1, p);
    for (size_t i = 0; i < V; i++) {
        want_bias[i] = m.b[i];
        for (size_t j = 0; j < V; j++)
            want[i][j] = m.w[i][j];
        for (size_t s = 0; s < m.S + DATA; s++) {
            const size_t code = s < m.S ? s : codes[s - m.S];
            const double weight = o.rate * (s < m.S ? -p[s] : 1.0 / DATA), x = boltzmann_value(&m, code, i);
            want_bias[i] += weight * x;
            for (size_t j = 0; j < V; j++)
                want[i][j] += i == j ? 0 : weight * x * boltzmann_value(&m, code, j);
        }
    }
    for (size_t b = 0; b < DATA; b++)
        boltzmann_write(&m, codes[b], batch.x + b * V);
    for (uint64_t t = 0; t < 50; t++) {
        m.model.type->grad_theta(&m.model, &batch, NULL, -1.0 / DATA, optimiser.gradient, m.work);
        CHECK_OK(m.model.type->expected_grad_theta(&m.model, 1.0, optimiser.gradient, NULL, m.work, error));
        m.model.type->precondition(&m.model, optimiser.gradient, m.work);
        CHECK_OK(ebm_optimiser_step(&optimiser, &m.model, t, 50, m.work, error));
        const ebm_real *W = ebm_model_view(&m.model, "W"), *bias = ebm_model_view(&m.model, "bias");
        for (size_t i = 0; i < V; i++)
            for (size_t j = 0; j < V; j++)
                ck_assert(i == j ? W[i * V + i] == 0 : W[i * V + j] == W[j * V + i]);
        for (size_t i = 0; t == 0 && _i / 2 == 0 && i < V; i++) {
            /* couplings and moments of order one, a dozen roundings each */
            ck_assert_double_eq_tol(bias[i], want_bias[i], 16 * UNIT_ROUNDOFF * (1 + fabs(want_bias[i])));
            for (size_t j = 0; j < V; j++)
                ck_assert_double_eq_tol(W[i * V + j], want[i][j], 16 * UNIT_ROUNDOFF * (1 + fabs(want[i][j])));
        }
    }
    free(p);
    ebm_batch_free(&batch);
    ebm_optimiser_free(&optimiser);
    boltzmann_close(&m);
}
END_TEST

/* More units than one block of fields, one band (128) or one tile of the gradient: against plain sums. Fields: V + 8
 * roundings of sums of at most sum |W| + |b|; gradients, of B terms of at most 1: (B + 8) u B. */
START_TEST(test_boltzmann_field_and_gradient_of_many_units) {
    enum { V = 300, B = 40 };
    const bool spin = _i % 2, weighted = _i / 2;
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann");
    const char *pairs[] = {"units", "300", "states", spin ? "spin" : "binary", "bias_scale", "1", NULL};
    void *options = test_options(&type->info, pairs);
    ebm_model model;
    ebm_work *work;
    ebm_batch batch;
    CHECK_OK(ebm_work_create(2, &work, error));
    CHECK_OK(ebm_model_create(type, options, NULL, NULL, 1, &model, error));
    CHECK_OK(ebm_batch_create(&model, B, &batch, error));
    ebm_real *grad = calloc(model.n_theta, sizeof *grad), weight[B];
    test_random r = {3};
    for (size_t k = 0; k < (size_t)B * V; k++)
        batch.x[k] = test_random_uniform(&r) < 0.4 ? 1 : spin ? -1 : 0;
    for (size_t b = 0; b < B; b++)
        weight[b] = (ebm_real)(weighted ? test_random_uniform(&r) : 1);
    ebm_model_field(&model, &batch, work);
    for (size_t k = 0; k < (size_t)B * V; k++) {
        const size_t i = k % V, b = k / V;
        double want = (double)model.theta[V * V + i], size = fabs(want);
        for (size_t j = 0; j < V; j++) {
            want += (double)model.theta[i * V + j] * (double)batch.x[b * V + j];
            size += fabs((double)model.theta[i * V + j]);
        }
        ck_assert_double_le(fabs((double)batch.field[k] - want), (V + 8) * UNIT_ROUNDOFF * size);
    }
    type->grad_theta(&model, &batch, weighted ? weight : NULL, 1, grad, work);
    double worst = 0;
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < V; j++) {
            double want = 0;
            for (size_t b = 0; b < B && i != j; b++)
                want -= 0.5 * (double)weight[b] * (double)batch.x[b * V + i] * (double)batch.x[b * V + j];
            worst = fmax(worst, fabs((double)grad[i * V + j] - want));
            worst = grad[i * V + j] == grad[j * V + i] ? worst : INFINITY;
        }
    ck_assert_double_le(worst, (B + 8) * UNIT_ROUNDOFF * B);
    free(grad);
    ebm_batch_free(&batch);
    ebm_model_free(&model);
    ebm_work_free(work);
    test_options_free(&type->info, options);
}
END_TEST

/* The start: couplings symmetric with the asked for spread, biases of the data's means. */
START_TEST(test_boltzmann_initial_parameters) {
    enum { V = 60 };
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann");
    const char *pairs[] = {"init_scale", "0.5", NULL}, *noisy[] = {"bias_scale", "2", "visible_bias", "zero", NULL};
    const char *zero[] = {"init", "zero", "visible_bias", "zero", NULL};
    const bool spin = _i;
    ebm_space space = ebm_space_picture(spin ? EBM_SPIN : EBM_BINARY, 6, 10);
    ebm_real x[4 * V];
    ebm_dataset data = {.space = space, .train = {.count = 4, .reals = x}};
    ebm_model model;
    for (size_t b = 0; b < 4; b++)
        for (size_t i = 0; i < V; i++)
            x[b * V + i] = b < i % 5 ? 1 : spin ? -1 : 0;
    void *options = test_options(&type->info, pairs);
    CHECK_OK(ebm_model_create(type, options, &space, &data, 3, &model, error));
    test_options_free(&type->info, options);
    ck_assert_uint_eq(model.space.rank, 2);
    const ebm_real *W = ebm_model_view(&model, "W"), *bias = ebm_model_view(&model, "bias");
    double sum = 0, squares = 0;
    for (size_t i = 0; i < V; i++) {
        const double p = ((double)(i % 5) + 0.5) / 5; /* one pseudo-example */
        ck_assert_double_eq_tol(bias[i], (spin ? 0.5 : 1) * log(p / (1 - p)), 8 * UNIT_ROUNDOFF);
        ck_assert(W[i * V + i] == 0);
        for (size_t j = i + 1; j < V; j++) {
            ck_assert(W[i * V + j] == W[j * V + i]);
            sum += (double)W[i * V + j];
            squares += (double)W[i * V + j] * (double)W[i * V + j];
        }
    }
    /* 1770 normals of sd 1/2: mean within 5 standard errors, variance too (false alarm 6e-7 each, at a fixed seed) */
    const double n = V * (V - 1) / 2;
    ck_assert_double_le(fabs(sum / n), 5 * 0.5 / sqrt(n));
    ck_assert_double_le(fabs(squares / n - 0.25), 5 * 0.25 * sqrt(2 / n));
    ebm_model_free(&model);
    for (int k = 0; k < 2; k++) {
        options = test_options(&type->info, k ? zero : noisy);
        CHECK_OK(ebm_model_create(type, options, &space, &data, 3, &model, error));
        double largest = 0, largest_bias = 0;
        for (size_t i = 0; i < V * V; i++)
            largest = fmax(largest, fabs((double)model.theta[i]));
        for (size_t i = 0; i < V; i++)
            largest_bias = fmax(largest_bias, fabs((double)model.theta[V * V + i]));
        ck_assert(k ? largest == 0 && largest_bias == 0 : largest < 0.06 && largest_bias > 2 && largest_bias < 12);
        test_options_free(&type->info, options);
        ebm_model_free(&model);
    }
}
END_TEST

START_TEST(test_boltzmann_options_must_fit_the_data) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann");
    const char *other_size[] = {"units", "5", NULL}, *other_states[] = {"states", "spin", NULL};
    ebm_space space = ebm_space_line(EBM_BINARY, 4);
    const char *const *wrong[] = {other_size, other_states};
    ebm_model model;
    for (size_t k = 0; k < 2; k++) {
        ebm_error said = {0};
        void *options = test_options(&type->info, wrong[k]);
        ck_assert_int_eq(ebm_model_create(type, options, &space, NULL, 1, &model, &said), EBM_INVALID);
        ck_assert_ptr_nonnull(strstr(said.message, k ? "states is spin" : "units is 5"));
        test_options_free(&type->info, options);
    }
    void *none = test_options(&type->info, NULL);
    ebm_error said = {0};
    ck_assert_int_eq(ebm_model_create(type, none, NULL, NULL, 1, &model, &said), EBM_INVALID);
    test_options_free(&type->info, none);
}
END_TEST

/* Writes W (3, 3) and a bias into `folder` and loads them. */
static ebm_status load_couplings(const char *folder, const double *W, ebm_model *out, ebm_error *said) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann");
    static const double bias[3] = {1, 2, 3};
    char path[128];
    const size_t shape[2] = {3, 3};
    snprintf(path, sizeof path, "%s/W.npy", folder);
    CHECK_OK(ebm_npy_write(path, EBM_NPY_FLOAT64, 2, shape, W, error));
    snprintf(path, sizeof path, "%s/bias.npy", folder);
    CHECK_OK(ebm_npy_write(path, EBM_NPY_FLOAT64, 1, shape, bias, error));
    const char *pairs[] = {"load", folder, "states", "spin", NULL};
    void *options = test_options(&type->info, pairs);
    const ebm_status status = ebm_model_create(type, options, NULL, NULL, 1, out, said);
    test_options_free(&type->info, options);
    return status;
}

START_TEST(test_boltzmann_load_refuses_what_is_no_machine) {
    char folder[] = "/tmp/ebm-test-boltzmann-XXXXXX", path[128];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    const double good[9] = {0, 1, -2, 1, 0, 0.5, -2, 0.5, 0};
    double W[9];
    ebm_model model;
    ebm_error said = {0};
    CHECK_OK(load_couplings(folder, good, &model, error));
    ck_assert_uint_eq(model.space.size, 3);
    ck_assert_int_eq(model.space.domain, EBM_SPIN);
    for (size_t k = 0; k < 9; k++)
        ck_assert(model.theta[k] == (ebm_real)good[k]);
    ck_assert(model.theta[11] == 3);
    ebm_model_free(&model);

    memcpy(W, good, sizeof W);
    W[7] = 0.6;
    W[3] = 1.01;
    ck_assert_int_eq(load_couplings(folder, W, &model, &said), EBM_FORMAT);
    ck_assert_msg(strstr(said.message, "W[1][2] is 0.5, but W[2][1] is 0.6"), "%s", said.message);
    memcpy(W, good, sizeof W);
    W[0] = 0.25;
    W[8] = -0.75;
    ck_assert_int_eq(load_couplings(folder, W, &model, &said), EBM_FORMAT);
    ck_assert_msg(strstr(said.message, "unit 2 to itself (-0.75"), "%s", said.message);

    memcpy(W, good, sizeof W); /* what another program's rounding leaves is averaged */
    W[7] = 0.5 * (1 + 3e-7);
    CHECK_OK(load_couplings(folder, W, &model, error));
    ck_assert(model.theta[7] == model.theta[5]);
    ck_assert_double_eq_tol(model.theta[7], 0.5, 1e-6);
    CHECK_OK(ebm_model_save(&model, folder, error));
    ebm_model_free(&model);
    static const char *const names[] = {"W", "bias"};
    for (size_t k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s.npy", folder, names[k]);
        ck_assert_int_eq(unlink(path), 0);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("boltzmann");
    TCase *slots = tcase_create("slots"), *parameters = tcase_create("parameters");
    tcase_add_loop_test(slots, test_boltzmann_normal_weights, 0, CHECKS);
    tcase_add_loop_test(slots, test_boltzmann_extreme_weights, 0, CHECKS);
    tcase_add_loop_test(slots, test_boltzmann_zero_weights, 0, CHECKS);
    tcase_add_loop_test(slots, test_boltzmann_checks_can_fail, 0, CHECKS);
    tcase_add_test(slots, test_boltzmann_enumeration_crosses_blocks);
    tcase_add_test(slots, test_boltzmann_limits_of_enumeration);
#ifdef EBM_DOUBLE
    tcase_add_loop_test(slots, test_boltzmann_gradients_along_symmetric_directions, 0, 2);
#endif
    tcase_add_loop_test(parameters, test_boltzmann_optimisers_keep_couplings_symmetric, 0, 8);
    tcase_add_loop_test(parameters, test_boltzmann_field_and_gradient_of_many_units, 0, 4);
    tcase_add_loop_test(parameters, test_boltzmann_initial_parameters, 0, 2);
    tcase_add_test(parameters, test_boltzmann_options_must_fit_the_data);
    tcase_add_test(parameters, test_boltzmann_load_refuses_what_is_no_machine);
    tcase_set_timeout(slots, 300);
    suite_add_tcase(suite, slots);
    tcase_set_timeout(parameters, 300);
    suite_add_tcase(suite, parameters);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
