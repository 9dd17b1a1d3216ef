/* The exponential-family harmonium against its definition: whole machines against sums over all states of two units, the
 * special cases that are other models, and draws against exact laws.
 *
 * Sums and quadrature in double agree to 1e-9. Draws: means of N draws within 6 s.e. (two-sided 2e-9 each, some hundred of
 * them), Kolmogorov's sqrt(N) D below 2.9 (1e-7), chi^2 by the bound of statistics.h (1e-6). */
#include "exponential_nodes.h"

#include <unistd.h>

static const double EPSILON = sizeof(ebm_real) == 8 ? 0x1p-53 : 0x1p-24;
static const double MATCH = 1e-9;

/* Whole machines. */
enum { H = 3, STATES = 1 << H, POINTS = 24, MOST_V = 8, MOST_THETA = MOST_V * H + MOST_V + H + 4 };

typedef struct fixture {
    const ebm_model_type *type;
    void *options;
    ebm_model model;
    ebm_unit_list list;
    ebm_work *work;
    double W[MOST_V * H], a[MOST_V], c[H], variance[4];
} fixture;

static void read_theta(fixture *f) {
    const size_t V = f->model.space.size;
    const ebm_real *log_variance = ebm_model_view(&f->model, "log_variance");
    for (size_t k = 0; k < V * H; k++)
        f->W[k] = (double)ebm_model_view(&f->model, "W")[k];
    for (size_t i = 0; i < V; i++)
        f->a[i] = (double)ebm_model_view(&f->model, "visible_bias")[i];
    for (size_t j = 0; j < H; j++)
        f->c[j] = (double)ebm_model_view(&f->model, "hidden_bias")[j];
    for (size_t g = 0; g < f->list.variances; g++)
        f->variance[g] = exp((double)log_variance[g]);
}

static void fixture_open(fixture *f, const char *units) {
    const char *const pairs[] = {"units", units, "hidden", "3", NULL};
    test_random r = {23};
    memset(f, 0, sizeof *f);
    f->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "harmonium");
    ck_assert_ptr_nonnull(f->type);
    f->options = test_options(&f->type->info, pairs);
    CHECK_OK(ebm_unit_list_parse(units, &f->list, error));
    CHECK_OK(ebm_work_create(1, &f->work, error));
    CHECK_OK(ebm_model_create(f->type, f->options, NULL, NULL, 1, &f->model, error));
    for (size_t k = 0; k < f->model.n_theta; k++)
        f->model.theta[k] = (ebm_real)(0.6 * test_random_normal(&r));
    ebm_model_refresh(&f->model, f->work);
    read_theta(f);
}

static void fixture_close(fixture *f) {
    ebm_model_free(&f->model);
    ebm_unit_list_free(&f->list);
    test_options_free(&f->type->info, f->options);
    ebm_work_free(f->work);
}

static const char *const machines[] = {"poisson + truncated-exponential", "categorical(3) + gaussian",
                                       "binary + poisson", "gaussian + truncated-exponential"};
enum { MACHINES = sizeof machines / sizeof *machines };
static const char *const mixed = "2 poisson + categorical(3) + truncated-exponential + gaussian + binary";

/* E(x, h) of the definition, x a state. */
static double joint(const fixture *f, const double *x, size_t h) {
    double energy = 0;
    for (size_t k = 0; k < f->list.count; k++) {
        const ebm_unit *u = &f->list.units[k];
        if (!strcmp(u->kind->name, "poisson"))
            energy += lgamma(x[u->at] + 1);
        if (!strcmp(u->kind->name, "gaussian"))
            energy += x[u->at] * x[u->at] / (2 * f->variance[u->variance]);
    }
    for (size_t i = 0; i < f->list.size; i++) {
        energy -= f->a[i] * x[i];
        for (size_t j = 0; j < H; j++)
            energy -= x[i] * f->W[i * H + j] * oracle_bit(h, j);
    }
    for (size_t j = 0; j < H; j++)
        energy -= f->c[j] * oracle_bit(h, j);
    return energy;
}

static double free_energy(const fixture *f, const double *x, double beta) {
    double energy[STATES];
    for (size_t h = 0; h < STATES; h++)
        energy[h] = beta * joint(f, x, h);
    return -oracle_log_sum(energy, STATES, 1);
}

/* States of every kind of unit, by the test's own numbers. */
static ebm_batch points(fixture *f) {
    ebm_batch batch;
    test_random r = {5};
    CHECK_OK(ebm_batch_create(&f->model, POINTS, &batch, error));
    for (size_t b = 0; b < POINTS; b++)
        for (size_t k = 0; k < f->list.count; k++) {
            const ebm_unit *u = &f->list.units[k];
            ebm_real *x = batch.x + b * f->list.size + u->at;
            const double t = test_random_uniform(&r);
            if (u->kind->sized)
                x[(size_t)(t * (double)u->width)] = 1;
            else if (!strcmp(u->kind->name, "gaussian"))
                x[0] = (ebm_real)(3 * (t - 0.5));
            else
                x[0] = (ebm_real)(!strcmp(u->kind->name, "binary") ? t < 0.5 : u->kind->continuous ? t : floor(9 * t));
        }
    ebm_model_field(&f->model, &batch, f->work);
    return batch;
}

static void row_of(const fixture *f, const ebm_batch *batch, size_t b, double *x) {
    for (size_t i = 0; i < f->list.size; i++)
        x[i] = (double)batch->x[b * f->list.size + i];
}

/* Some tens of terms below 50: 2^10 roundings. */
START_TEST(test_harmonium_energies) {
    fixture f;
    double energy[POINTS], x[MOST_V];
    fixture_open(&f, mixed);
    ebm_batch batch = points(&f);
    for (int warm = 0; warm < 2; warm++) {
        const ebm_path path = {NULL, warm ? 0.45 : 1};
        f.type->energy(&f.model, path, &batch, energy, f.work);
        for (size_t b = 0; b < POINTS; b++) {
            row_of(&f, &batch, b, x);
            ck_assert_double_le(apart(energy[b], free_energy(&f, x, path.beta), 0x1p10 * EPSILON), 1);
        }
        for (size_t h = 0; h < STATES; h++) {
            for (size_t b = 0; b < POINTS; b++)
                rbm_write_state(h, H, batch.hidden + b * H);
            f.type->joint_energy(&f.model, path, &batch, energy, f.work);
            for (size_t b = 0; b < POINTS; b++) {
                row_of(&f, &batch, b, x);
                ck_assert_double_le(apart(energy[b], path.beta * joint(&f, x, h), 0x1p10 * EPSILON), 1);
            }
        }
    }
    ebm_batch_free(&batch);
    fixture_close(&f);
}
END_TEST

/* E[h | x] by the weights of all hidden states; E[x | h] by sums and quadrature over one unit at a time. */
START_TEST(test_harmonium_conditional_means) {
    fixture f;
    double x[MOST_V], eta[MOST_V], mean[MOST_WIDTH], square[MOST_WIDTH];
    ebm_real got[POINTS * MOST_V];
    fixture_open(&f, mixed);
    ebm_batch batch = points(&f);
    f.type->hidden_means(&f.model, &batch, got, f.work);
    for (size_t b = 0; b < POINTS; b++) {
        row_of(&f, &batch, b, x);
        for (size_t j = 0; j < H; j++) {
            double want = 0;
            for (size_t h = 0; h < STATES; h++)
                want += oracle_bit(h, j) * exp(free_energy(&f, x, 1) - joint(&f, x, h));
            ck_assert_double_le(fabs((double)got[b * H + j] - want), 0x1p10 * EPSILON);
        }
    }
    for (size_t b = 0; b < POINTS; b++)
        rbm_write_state(b % STATES, H, batch.hidden + b * H);
    f.type->visible_means(&f.model, &batch, got, f.work);
    for (size_t b = 0; b < STATES; b++) {
        for (size_t i = 0; i < f.list.size; i++) {
            eta[i] = f.a[i];
            for (size_t j = 0; j < H; j++)
                eta[i] += f.W[i * H + j] * oracle_bit(b, j);
        }
        for (size_t k = 0; k < f.list.count; k++) {
            const ebm_unit *u = &f.list.units[k];
            nodes *n = nodes_of(u->kind->name, u->width, f.variance[u->variance], 200, 2001);
            summed(n, eta + u->at, 1, mean, square);
            for (size_t c = 0; c < u->width; c++)
                ck_assert_double_le(apart((double)got[b * f.list.size + u->at + c], mean[c], MATCH + 0x1p7 * EPSILON),
                                    1);
            free(n);
        }
    }
    ebm_batch_free(&batch);
    fixture_close(&f);
}
END_TEST

/* sum_b weight_b F(x_b) by the definition, at the parameters that the machine now has */
static double weighted_energy(fixture *f, const ebm_batch *batch, const ebm_real *weight) {
    double x[MOST_V], sum = 0;
    read_theta(f);
    for (size_t b = 0; b < POINTS; b++) {
        row_of(f, batch, b, x);
        sum += (weight ? (double)weight[b] : 1) * free_energy(f, x, 1);
    }
    return sum;
}

static double log_z(fixture *f) {
    double out;
    ebm_model_refresh(&f->model, f->work);
    CHECK_OK(f->type->log_normaliser(&f->model, ebm_path_end(), &out, f->work, error));
    return out;
}

/* By theta_k: of the weighted energies (batch given) or of log Z. Richardson's rule from steps of 2^-6 and 2^-7. */
static double slope(fixture *f, size_t k, const ebm_batch *batch, const ebm_real *weight) {
    const ebm_real kept = f->model.theta[k];
    double estimate[2];
    for (int half = 0; half < 2; half++) {
        const double h = half ? 0x1p-7 : 0x1p-6;
        f->model.theta[k] = (ebm_real)((double)kept + h);
        const double at = (double)f->model.theta[k], above = batch ? weighted_energy(f, batch, weight) : log_z(f);
        f->model.theta[k] = (ebm_real)((double)kept - h);
        const double back = (double)f->model.theta[k], below = batch ? weighted_energy(f, batch, weight) : log_z(f);
        estimate[half] = (above - below) / (at - back);
    }
    f->model.theta[k] = kept;
    ebm_model_refresh(&f->model, f->work);
    read_theta(f);
    return (4 * estimate[1] - estimate[0]) / 3;
}

/* Fifth derivatives below 1e4: h^4 / 30 of them, 2e-6. Steps that round to float: 2^-24 / 2^-7 of slopes that change by less
 * than ten times their size over a unit. */
START_TEST(test_harmonium_gradients) {
    fixture f;
    ebm_real grad[MOST_THETA], weight[POINTS];
    test_random r = {3};
    fixture_open(&f, mixed);
    ebm_batch batch = points(&f);
    const size_t n = f.model.n_theta;
    for (size_t b = 0; b < POINTS; b++)
        weight[b] = (ebm_real)test_random_normal(&r);
    for (int used = 0; used < 3; used++) { /* without weights, with, and the model's own expectation */
        double sum;
        for (size_t k = 0; k < n; k++)
            grad[k] = 0.5;
        if (used < 2)
            f.type->grad_theta(&f.model, &batch, used ? weight : NULL, -2.0, grad, f.work);
        else
            CHECK_OK(f.type->expected_grad_theta(&f.model, 2.0, grad, &sum, f.work, error));
        for (size_t k = 0; k < n; k++) {
            const double want = 0.5 - 2.0 * slope(&f, k, used < 2 ? &batch : NULL, used == 1 ? weight : NULL);
            ck_assert_msg(apart((double)grad[k], want, 3e-6 + 0x1p12 * EPSILON) < 1, "theta %zu: %.9g for %.9g", k,
                          (double)grad[k], want);
        }
        if (used == 2)
            ck_assert_double_eq(sum, log_z(&f));
    }
    ebm_batch_free(&batch);
    fixture_close(&f);
}
END_TEST

/* log Z and moments by summing the free energy over both units' states: nothing of the factors given h is used. */
START_TEST(test_harmonium_normaliser) {
    static const char *const names[] = {"first", "second", "first_square", "second_square", "square"};
    for (int warm = 0; warm < 2; warm++) {
        fixture f;
        const ebm_path path = {NULL, warm ? 0.5 : 1};
        fixture_open(&f, machines[_i]);
        const ebm_unit *u = f.list.units;
        nodes *one = nodes_of(u[0].kind->name, u[0].width, f.variance[u[0].variance], 200, 801),
              *two = nodes_of(u[1].kind->name, u[1].width, f.variance[u[1].variance], 200, 801);
        double total = 0, got, mean[MOST_V] = {0}, square[MOST_V] = {0}, x[MOST_V];
        for (size_t p = 0; p < one->count; p++)
            for (size_t q = 0; q < two->count; q++) {
                memcpy(x, one->x[p], u[0].width * sizeof *x);
                memcpy(x + u[0].width, two->x[q], u[1].width * sizeof *x);
                const double w = one->weight[p] * two->weight[q] * exp(-free_energy(&f, x, path.beta));
                total += w;
                for (size_t i = 0; i < f.list.size; i++) {
                    mean[i] += w * x[i];
                    square[i] += w * x[i] * x[i];
                }
            }
        CHECK_OK(f.type->log_normaliser(&f.model, path, &got, f.work, error));
        ck_assert_msg(fabs(got - log(total)) < MATCH, "%s at %g: log Z %.17g for %.17g", machines[_i], path.beta, got,
                      log(total));
        double all = 0;
        for (size_t i = 0; i < f.list.size; i++)
            all += square[i] / (double)f.list.size;
        const double want[] = {mean[0], mean[1], square[0], square[1], all};
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            CHECK_OK(f.type->exact_mean(&f.model, path, names[k], &got, f.work, error));
            ck_assert_msg(apart(got, want[k] / total, MATCH) < 1, "%s at %g: %s %.17g for %.17g", machines[_i],
                          path.beta, names[k], got, want[k] / total);
        }
        free(one);
        free(two);
        fixture_close(&f);
    }
}
END_TEST

/* Binary units alone are the RBM; Gaussian units alone the Gaussian-Bernoulli RBM with W_g = sigma^2 W, mu = sigma^2 a, whose
 * energy is larger by sum_i mu_i^2 / (2 sigma_i^2). */
START_TEST(test_harmonium_special_cases) {
    const bool gaussian = _i == 1;
    fixture f;
    fixture_open(&f, gaussian ? "3 gaussian" : "3 binary");
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, gaussian ? "grbm" : "rbm");
    const char *const pairs[] = {"visible", "3", "hidden", "3", NULL};
    void *options = test_options(&type->info, pairs);
    ebm_model other;
    double mine[POINTS], theirs[POINTS], constant = 0, a, b;
    CHECK_OK(ebm_model_create(type, options, NULL, NULL, 1, &other, error));
    for (size_t i = 0; i < 3; i++) {
        const double s = gaussian ? f.variance[i] : 1;
        for (size_t j = 0; j < H; j++)
            ebm_model_view(&other, "W")[i * H + j] = (ebm_real)(s * f.W[i * H + j]);
        ebm_model_view(&other, "visible_bias")[i] = (ebm_real)(s * f.a[i]);
        ebm_model_view(&other, "hidden_bias")[i] = (ebm_real)f.c[i];
        if (gaussian)
            ebm_model_view(&other, "log_variance")[i] = (ebm_real)log(s);
        constant += gaussian ? s * f.a[i] * f.a[i] / 2 : 0;
    }
    ebm_model_refresh(&other, f.work);
    ebm_batch batch = points(&f);
    f.type->energy(&f.model, ebm_path_end(), &batch, mine, f.work);
    batch.field_ok = false;
    ebm_model_field(&other, &batch, f.work);
    type->energy(&other, ebm_path_end(), &batch, theirs, f.work);
    for (size_t k = 0; k < POINTS; k++)
        ck_assert_double_le(apart(mine[k] + constant, theirs[k], 0x1p10 * EPSILON), 1);
    CHECK_OK(f.type->log_normaliser(&f.model, ebm_path_end(), &a, f.work, error));
    CHECK_OK(type->log_normaliser(&other, ebm_path_end(), &b, f.work, error));
    ck_assert_double_le(fabs(a - constant - b), 0x1p10 * EPSILON);
    ebm_batch_free(&batch);
    ebm_model_free(&other);
    test_options_free(&type->info, options);
    fixture_close(&f);
}
END_TEST

/* Exact mean and mean square of every coordinate, as mixtures over h of sums and quadrature over one unit. */
static void exact_moments(const fixture *f, double beta, double *mean, double *square) {
    double weight[STATES], total = 0, one[MOST_WIDTH], two[MOST_WIDTH], eta[MOST_V], parts[STATES][MOST_V][2];
    for (size_t h = 0; h < STATES; h++) {
        double log_weight = 0;
        for (size_t j = 0; j < H; j++)
            log_weight += beta * f->c[j] * oracle_bit(h, j);
        for (size_t k = 0; k < f->list.count; k++) {
            const ebm_unit *u = &f->list.units[k];
            nodes *n = nodes_of(u->kind->name, u->width, f->variance[u->variance], 400, 2001);
            for (size_t i = u->at; i < u->at + u->width; i++) {
                eta[i] = f->a[i];
                for (size_t j = 0; j < H; j++)
                    eta[i] += f->W[i * H + j] * oracle_bit(h, j);
            }
            log_weight += summed(n, eta + u->at, beta, one, two);
            for (size_t c = 0; c < u->width; c++) {
                parts[h][u->at + c][0] = one[c];
                parts[h][u->at + c][1] = two[c];
            }
            free(n);
        }
        total += weight[h] = exp(log_weight);
    }
    for (size_t i = 0; i < f->list.size; i++) {
        mean[i] = square[i] = 0;
        for (size_t h = 0; h < STATES; h++) {
            mean[i] += weight[h] / total * parts[h][i][0];
            square[i] += weight[h] / total * parts[h][i][1];
        }
    }
}

/* The largest |mean - exact| of any coordinate in 6 s.e.; s.e. from the exact variance. */
static double moments_off(const fixture *f, const ebm_batch *batch, double beta) {
    double mean[MOST_V], square[MOST_V], worst = 0;
    const double N = (double)batch->count;
    exact_moments(f, beta, mean, square);
    for (size_t i = 0; i < f->list.size; i++) {
        double sum = 0;
        for (size_t b = 0; b < batch->count; b++)
            sum += (double)batch->x[b * f->list.size + i];
        ck_assert(isfinite(sum));
        worst = fmax(worst, fabs(sum / N - mean[i]) / (6 * sqrt((square[i] - mean[i] * mean[i]) / N)));
    }
    return worst;
}

/* Independent draws, and where block Gibbs takes them: after 1, 2, 3 sweeps the law is still the model's. */
START_TEST(test_harmonium_sampling) {
    enum { CHAINS = 20000 };
    for (int warm = 0; warm < 2; warm++) {
        fixture f;
        const ebm_path path = {NULL, warm ? 0.6 : 1};
        ebm_batch batch;
        double *p = oracle_memory(CHAINS), *t = oracle_memory(CHAINS);
        fixture_open(&f, mixed);
        CHECK_OK(ebm_batch_create(&f.model, CHAINS, &batch, error));
        CHECK_OK(
            f.type->sample_exact(&f.model, path, &batch, ebm_stream_of(4, EBM_PURPOSE_SAMPLE), 0, 0, f.work, error));
        ck_assert_double_le(moments_off(&f, &batch, path.beta), 1);
        for (uint64_t sweep = 0; sweep < 3; sweep++) {
            ebm_model_field(&f.model, &batch, f.work);
            f.type->sample_hidden(&f.model, path, &batch, ebm_stream_of(9, EBM_PURPOSE_SAMPLE), 0, 2 * sweep, f.work);
            f.type->sample_visible(&f.model, path, &batch, ebm_stream_of(9, EBM_PURPOSE_SAMPLE), 0, 2 * sweep + 1,
                                   f.work);
            ck_assert_msg(moments_off(&f, &batch, path.beta) < 1, "after %d sweeps at %g: %g of the bound",
                          (int)sweep + 1, path.beta, moments_off(&f, &batch, path.beta));
        }
        for (size_t unit = 5; unit < 7; unit++) { /* the interval and the Gaussian */
            for (size_t b = 0; b < CHAINS; b++)
                t[b] = (double)batch.x[b * f.list.size + unit];
            CHECK_OK(f.type->marginal_cdf(&f.model, path, unit, t, CHAINS, p, f.work, error));
            ck_assert_double_le(kolmogorov(p, CHAINS), 1);
        }
        free(p);
        free(t);
        ebm_batch_free(&batch);
        fixture_close(&f);
    }
}
END_TEST

/* Pairs (x, h) that two sweeps of block Gibbs leave: the count (four and more as one) with the hidden state, the binary unit
 * summed out, by chi^2. h was drawn for the x before, and x for it, so both conditionals matter. */
START_TEST(test_harmonium_joint_law) {
    enum { CHAINS = 40000, TOP = 5 };
    fixture f;
    ebm_batch batch;
    double exact[TOP * STATES] = {0}, counts[TOP * STATES] = {0}, total = 0, x[MOST_V] = {0};
    fixture_open(&f, "binary + poisson");
    CHECK_OK(ebm_batch_create(&f.model, CHAINS, &batch, error));
    for (size_t k = 0; k < 60; k++)
        for (size_t up = 0; up < 2; up++)
            for (size_t h = 0; h < STATES; h++) {
                x[0] = (double)up, x[1] = (double)k;
                const double p = exp(-joint(&f, x, h));
                exact[(k < TOP ? k : TOP - 1) * STATES + h] += p;
                total += p;
            }
    for (size_t k = 0; k < TOP * STATES; k++)
        exact[k] /= total;
    CHECK_OK(f.type->sample_exact(&f.model, ebm_path_end(), &batch, ebm_stream_of(6, EBM_PURPOSE_SAMPLE), 0, 0, f.work,
                                  error));
    for (uint64_t sweep = 0; sweep < 2; sweep++) {
        ebm_model_field(&f.model, &batch, f.work);
        f.type->sample_hidden(&f.model, ebm_path_end(), &batch, ebm_stream_of(7, EBM_PURPOSE_SAMPLE), 0, 2 * sweep,
                              f.work);
        f.type->sample_visible(&f.model, ebm_path_end(), &batch, ebm_stream_of(7, EBM_PURPOSE_SAMPLE), 0, 2 * sweep + 1,
                               f.work);
    }
    for (size_t b = 0; b < CHAINS; b++) {
        size_t h = 0;
        for (size_t j = 0; j < H; j++)
            h |= (size_t)(batch.hidden[b * H + j] > 0) << j;
        const size_t k = (size_t)batch.x[2 * b + 1];
        counts[(k < TOP ? k : TOP - 1) * STATES + h]++;
    }
    chi_square chi = {0, 0};
    chi_square_row(&chi, TOP * STATES, exact, counts);
    ck_assert_double_le(chi.statistic, chi_square_limit(chi.degrees));
    ebm_batch_free(&batch);
    fixture_close(&f);
}
END_TEST

/* The same rows however they are cut, on any number of threads. */
START_TEST(test_harmonium_rows) {
    fixture f;
    ebm_batch whole, part;
    ebm_work *two;
    fixture_open(&f, mixed);
    CHECK_OK(ebm_work_create(2, &two, error));
    CHECK_OK(ebm_batch_create(&f.model, 300, &whole, error));
    CHECK_OK(ebm_batch_create(&f.model, 100, &part, error));
    for (size_t k = 0; k < 300 * H; k++)
        whole.hidden[k] = (ebm_real)(k % 7 < 3);
    f.type->sample_visible(&f.model, ebm_path_end(), &whole, ebm_stream_of(2, EBM_PURPOSE_SAMPLE), 10, 5, two);
    for (size_t from = 0; from < 300; from += 100) {
        memcpy(part.hidden, whole.hidden + from * H, 100 * H * sizeof *part.hidden);
        f.type->sample_visible(&f.model, ebm_path_end(), &part, ebm_stream_of(2, EBM_PURPOSE_SAMPLE),
                               10 + (uint32_t)from, 5, f.work);
        ck_assert_mem_eq(part.x, whole.x + from * f.list.size, 100 * f.list.size * sizeof *part.x);
    }
    ebm_batch_free(&whole);
    ebm_batch_free(&part);
    ebm_work_free(two);
    fixture_close(&f);
}
END_TEST

/* What is no state has infinite energy; what cannot be is said with where and why. */
START_TEST(test_harmonium_no_state) {
    static const struct {
        size_t coordinate;
        double value;
    } wrong[] = {{0, -1}, {0, 1.5}, {1, NAN}, {2, 1}, {3, 0.5}, {5, -0.01}, {5, 1.01}, {6, INFINITY}, {7, 0.5}};
    fixture f;
    double energy[POINTS];
    fixture_open(&f, mixed);
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        ebm_batch batch = points(&f);
        for (size_t c = 2; c < 5; c++)
            batch.x[c] = c == 4;
        batch.x[wrong[k].coordinate] = (ebm_real)wrong[k].value;
        batch.field_ok = false;
        ebm_model_field(&f.model, &batch, f.work);
        f.type->energy(&f.model, ebm_path_end(), &batch, energy, f.work);
        ck_assert_msg(energy[0] == INFINITY && isfinite(energy[1]), "coordinate %zu = %g", wrong[k].coordinate,
                      wrong[k].value);
        ebm_batch_free(&batch);
    }
    fixture_close(&f);
}
END_TEST

/* A rate that has run away: no state is drawn, and log Z is refused. */
START_TEST(test_harmonium_runaway) {
    fixture f;
    ebm_batch batch;
    double out;
    ebm_error failure = {0};
    fixture_open(&f, "poisson + gaussian");
    CHECK_OK(ebm_batch_create(&f.model, 2, &batch, error));
    ebm_model_view(&f.model, "visible_bias")[0] = 1000;
    ebm_model_refresh(&f.model, f.work);
    f.type->sample_visible(&f.model, ebm_path_end(), &batch, ebm_stream_of(2, EBM_PURPOSE_SAMPLE), 0, 0, f.work);
    ck_assert(isnan(batch.x[0]) && isfinite(batch.x[1]));
    ck_assert_int_eq(f.type->log_normaliser(&f.model, ebm_path_end(), &out, f.work, &failure), EBM_DIVERGED);
    ck_assert_int_eq(f.type->log_normaliser(&f.model, (ebm_path){NULL, 0.5}, &out, f.work, &failure), EBM_DIVERGED);
    ck_assert_int_eq(f.type->log_normaliser(&f.model, (ebm_path){NULL, 0}, &out, f.work, &failure), EBM_UNSUPPORTED);
    ck_assert_int_eq(f.type->marginal_cdf(&f.model, ebm_path_end(), 0, &out, 1, &out, f.work, &failure),
                     EBM_UNSUPPORTED);
    ebm_batch_free(&batch);
    fixture_close(&f);
}
END_TEST

/* Samplers that propose real numbers would find no count, and would take rounding for a move. */
START_TEST(test_harmonium_samplers) {
    static const char *const names[] = {"block-gibbs", "exact", "random-walk", "independence", "hmc"};
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "harmonium");
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        ebm_error failure = {0};
        const ebm_sampler_type *sampler = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, names[k]);
        ck_assert_int_eq(ebm_sampler_check(sampler, NULL, type, &failure), k < 2 ? EBM_OK : EBM_UNSUPPORTED);
        ck_assert(k < 2 || strstr(failure.message, "harmonium"));
    }
}
END_TEST

/* Parameters survive a save and a load, the variances too. */
START_TEST(test_harmonium_saved) {
    char folder[] = "/tmp/harmonium-XXXXXX", path[96];
    fixture f, g;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    fixture_open(&f, mixed);
    fixture_open(&g, mixed);
    CHECK_OK(ebm_model_save(&f.model, folder, error));
    memset(g.model.theta, 0, g.model.n_theta * sizeof *g.model.theta);
    CHECK_OK(ebm_model_load(&g.model, folder, error));
    ck_assert_mem_eq(f.model.theta, g.model.theta, f.model.n_theta * sizeof *f.model.theta);
    ck_assert_double_eq(log_z(&f), log_z(&g));
    for (size_t k = 0; k < f.model.n_views; k++) {
        snprintf(path, sizeof path, "%s/%s.npy", folder, f.model.views[k].name);
        ck_assert_int_eq(unlink(path), 0);
    }
    rmdir(folder);
    fixture_close(&f);
    fixture_close(&g);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("harmonium");
    TCase *machine = tcase_create("machine"), *edges = tcase_create("edges");
    tcase_add_test(machine, test_harmonium_energies);
    tcase_add_test(machine, test_harmonium_conditional_means);
    tcase_add_test(machine, test_harmonium_gradients);
    tcase_add_loop_test(machine, test_harmonium_normaliser, 0, MACHINES);
    tcase_add_loop_test(machine, test_harmonium_special_cases, 0, 2);
    tcase_add_test(machine, test_harmonium_sampling);
    tcase_add_test(machine, test_harmonium_joint_law);
    tcase_add_test(machine, test_harmonium_rows);
    tcase_add_test(edges, test_harmonium_no_state);
    tcase_add_test(edges, test_harmonium_runaway);
    tcase_add_test(edges, test_harmonium_samplers);
    tcase_add_test(edges, test_harmonium_saved);
    suite_add_tcase(suite, machine);
    suite_add_tcase(suite, edges);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
