/* The four interfaces carry, unchanged, a real-valued model without hidden units and a sampler that needs gradients.
 * Both are defined here, as a user would:
 *
 *   model    E(x) = sum_i (x_i - mu_i)^2 / (2 sigma^2), theta = mu
 *   sampler  unadjusted Langevin, x' = x - eta dE/dx + sqrt(2 eta) xi, xi ~ N(0, 1)
 *
 * On this model the walk is x' - mu = rho (x - mu) + sqrt(2 eta) xi with rho = 1 - eta / sigma^2, so that
 *   mean after k sweeps      mu + rho^k (m_0 - mu)
 *   stationary variance      2 eta / (1 - rho^2) = sigma^2 / (1 - eta / (2 sigma^2)). */
#include "rbm_fixture.h"
#include "statistics.h"

#include "ebm/learner.h"

#include <unistd.h>

enum { V = 3 };

typedef struct gaussian_options {
    double sigma;
} gaussian_options;

static const ebm_option gaussian_table[] = {
    {"sigma", EBM_OPTION_REAL, offsetof(gaussian_options, sigma), "1", 0.001, 1000, NULL, 0, "standard deviation"},
    {.name = NULL}};

static ebm_status gaussian_create(ebm_model *model, const void *options, ebm_error *error) {
    double *variance = malloc(sizeof *variance);
    if (!variance)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a variance");
    *variance = ((const gaussian_options *)options)->sigma * ((const gaussian_options *)options)->sigma;
    model->state = variance;
    model->n_theta = model->space.size;
    model->n_views = 1;
    model->views[0] = (ebm_view){"mean", 0, model->space.size, 0, false};
    return EBM_OK;
}
static ebm_status gaussian_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                      ebm_error *error) {
    (void)model, (void)options, (void)data, (void)seed, (void)error; /* theta is zeroed already */
    return EBM_OK;
}
static void gaussian_destroy(ebm_model *model) {
    free(model->state);
}
static double variance_of(const ebm_model *model) {
    return *(const double *)model->state;
}
static void gaussian_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                            ebm_work *work) {
    (void)work;
    for (size_t b = 0; b < batch->count; b++) {
        out[b] = 0;
        for (size_t i = 0; i < model->space.size; i++) {
            double d = (double)batch->x[b * model->space.size + i] - (double)model->theta[i];
            out[b] += path.beta * d * d / (2 * variance_of(model));
        }
    }
}
static void gaussian_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                            ebm_work *work) {
    (void)work;
    for (size_t k = 0; k < batch->count * model->space.size; k++)
        out[k] = (ebm_real)(path.beta * ((double)batch->x[k] - (double)model->theta[k % model->space.size]) /
                            variance_of(model));
}
static void gaussian_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                                ebm_real *grad, ebm_work *work) {
    (void)work;
    for (size_t i = 0; i < model->space.size; i++) {
        double sum = 0;
        for (size_t b = 0; b < batch->count; b++)
            sum -= (weight ? (double)weight[b] : 1) *
                   ((double)batch->x[b * model->space.size + i] - (double)model->theta[i]) / variance_of(model);
        grad[i] += (ebm_real)(scale * sum);
    }
}
static ebm_status gaussian_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                          ebm_error *error) {
    (void)work, (void)error;
    *out = 0.5 * (double)model->space.size * log(6.283185307179586 * variance_of(model) / path.beta);
    return EBM_OK;
}
static ebm_status gaussian_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                               ebm_work *work, ebm_error *error) {
    (void)scale, (void)grad; /* E[dE/dmu] = 0 */
    double ignored;
    return gaussian_log_normaliser(model, ebm_path_end(), log_z ? log_z : &ignored, work, error);
}

static const ebm_model_type gaussian = {
    .info = {"gaussian-test", "independent normal units", "", gaussian_table, sizeof(gaussian_options)},
    .domains = 1u << EBM_REAL_LINE,
    .create = gaussian_create,
    .initialise = gaussian_initialise,
    .destroy = gaussian_destroy,
    .energy = gaussian_energy,
    .grad_theta = gaussian_grad_theta,
    .grad_x = gaussian_grad_x,
    .log_normaliser = gaussian_log_normaliser,
    .expected_grad_theta = gaussian_expected_grad_theta};

typedef struct langevin_options {
    double step;
} langevin_options;

static const ebm_option langevin_table[] = {
    {"step", EBM_OPTION_REAL, offsetof(langevin_options, step), "0.1", 1e-6, 10, NULL, 0, "eta"}, {.name = NULL}};

static ebm_status langevin_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    (void)sampler, (void)model, (void)error;
    return EBM_OK;
}
static ebm_status langevin_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                size_t sweeps, ebm_work *work, ebm_error *error) {
    const double eta = ((const langevin_options *)sampler->options)->step;
    size_t n = model->space.size, count = chains->batch.count, mark = ebm_work_mark(work);
    ebm_real *grad = ebm_work_take(work, count * n, sizeof *grad), *noise = ebm_work_take(work, n, sizeof *noise);
    if (!grad || !noise)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu gradients", count);
    for (size_t s = 0; s < sweeps; s++) {
        ebm_model_field(model, &chains->batch, work);
        model->type->grad_x(model, path, &chains->batch, grad, work);
        for (size_t b = 0; b < count; b++) {
            ebm_random_normal(chains->stream, chains->first_chain + (uint32_t)b, chains->step, n, noise);
            for (size_t i = 0; i < n; i++)
                chains->batch.x[b * n + i] +=
                    (ebm_real)(sqrt(2 * eta) * (double)noise[i] - eta * (double)grad[b * n + i]);
        }
        chains->batch.field_ok = chains->batch.hidden_ok = false;
        chains->step++;
        chains->gradient_evaluations += count;
    }
    ebm_work_release(work, mark);
    return EBM_OK;
}

static const ebm_sampler_type langevin = {
    .info = {"langevin-test", "unadjusted Langevin", "", langevin_table, sizeof(langevin_options)},
    .needs = EBM_SLOT_GRAD_X,
    .domains = 1u << EBM_REAL_LINE,
    .exact = false,
    .reversible = false,
    .create = langevin_create,
    .step = langevin_step};

static void contains(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" does not say %s", text, part);
}

/* A pairing that cannot be is refused with one line that names both sides and what is missing. */
START_TEST(test_interfaces_pairing) {
    const ebm_model_type *rbm = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "rbm");
    const ebm_sampler_type *gibbs = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "block-gibbs");
    const ebm_learner_type *cd = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, "cd");
    const ebm_learner_type *exact = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, "exact");
    ck_assert(rbm && gibbs && cd && exact);
    CHECK_OK(ebm_pairing_check(&gaussian, &langevin, cd, NULL, 0, true, error));
    CHECK_OK(ebm_pairing_check(&gaussian, NULL, exact, NULL, 0, true, error));
    CHECK_OK(ebm_pairing_check(&gaussian, NULL, NULL, NULL, 0, false, error));

    ebm_error failure = {0};
    ebm_model_type flat = gaussian;
    flat.grad_x = NULL;
    ck_assert_int_eq(ebm_pairing_check(&flat, &langevin, NULL, NULL, 0, true, &failure), EBM_UNSUPPORTED);
    contains(failure.message, "langevin-test");
    contains(failure.message, "grad_x");
    contains(failure.message, "gaussian-test");
    ck_assert_int_eq(ebm_pairing_check(&gaussian, gibbs, cd, NULL, 0, true, &failure), EBM_UNSUPPORTED);
    contains(failure.message, "block-gibbs");
    contains(failure.message, "gaussian-test");
    ck_assert_int_eq(ebm_pairing_check(rbm, &langevin, NULL, NULL, 0, true, &failure), EBM_UNSUPPORTED);
    contains(failure.message, "langevin-test");
    contains(failure.message, "rbm");
    ck_assert_int_eq(ebm_pairing_check(&gaussian, NULL, cd, NULL, 0, true, &failure), EBM_UNSUPPORTED);
    contains(failure.message, "cd");
    contains(failure.message, "sampler");
    flat = gaussian;
    flat.log_normaliser = NULL;
    flat.expected_grad_theta = NULL;
    ck_assert_int_eq(ebm_pairing_check(&flat, NULL, exact, NULL, 0, true, &failure), EBM_UNSUPPORTED);
    contains(failure.message, "exact");
    contains(failure.message, "gaussian-test");
}
END_TEST

static ebm_status small_steps_only(const void *options, const ebm_model_type *model, ebm_error *error) {
    const langevin_options *o = options;
    return o->step <= 1 ? EBM_OK : ebm_fail(error, EBM_UNSUPPORTED, "too large for model %s", model->info.name);
}

/* What a sampler's own options decide is asked with them, before anything is created. */
START_TEST(test_interfaces_sampler_check) {
    ebm_sampler_type careful = langevin;
    careful.check = small_steps_only;
    gaussian_options options = {1};
    langevin_options small = {1}, large = {2};
    ebm_error failure = {0};
    CHECK_OK(ebm_sampler_check(&careful, NULL, &gaussian, error));
    CHECK_OK(ebm_pairing_check(&gaussian, &careful, NULL, NULL, 0, false, error));
    CHECK_OK(ebm_sampler_check(&careful, &small, &gaussian, error));
    ck_assert_int_eq(ebm_sampler_check(&careful, &large, &gaussian, &failure), EBM_UNSUPPORTED);
    contains(failure.message, "too large for model gaussian-test");
    ebm_model model;
    ebm_sampler sampler;
    ebm_space space = ebm_space_line(EBM_REAL_LINE, V);
    CHECK_OK(ebm_model_create(&gaussian, &options, &space, NULL, 1, &model, error));
    CHECK_OK(ebm_sampler_create(&careful, &small, &model, &sampler, error));
    ebm_sampler_free(&sampler);
    ck_assert_int_eq(ebm_sampler_create(&careful, &large, &model, &sampler, &failure), EBM_UNSUPPORTED);
    ebm_sampler_free(&sampler);
    ebm_model_free(&model);
}
END_TEST

static ebm_status claim_balance(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    (void)model, (void)error;
    sampler->exact = sampler->reversible = ((const langevin_options *)sampler->options)->step < 1;
    return EBM_OK;
}

/* One of several slots is enough, and what the type claims of its kernel can depend on the options. */
START_TEST(test_interfaces_sampler_claims) {
    ebm_sampler_type either = langevin;
    ebm_error failure = {0};
    either.needs = 0;
    either.needs_any = EBM_SLOT_SITE | EBM_SLOT_GRAD_X;
    CHECK_OK(ebm_pairing_check(&gaussian, &either, NULL, NULL, 0, false, error));
    either.needs_any = EBM_SLOT_SITE | EBM_SLOT_SAMPLE_SITE;
    ck_assert_int_eq(ebm_pairing_check(&gaussian, &either, NULL, NULL, 0, false, &failure), EBM_UNSUPPORTED);
    contains(failure.message, "one of site, sample_site");
    contains(failure.message, "gaussian-test");

    gaussian_options options = {1};
    langevin_options small = {0.5}, large = {2};
    ebm_sampler_type claims = langevin;
    ebm_model model;
    ebm_sampler sampler;
    ebm_space space = ebm_space_line(EBM_REAL_LINE, V);
    CHECK_OK(ebm_model_create(&gaussian, &options, &space, NULL, 1, &model, error));
    ck_assert_int_eq(ebm_sampler_create(&either, &small, &model, &sampler, &failure), EBM_UNSUPPORTED);
    CHECK_OK(ebm_sampler_create(&claims, &small, &model, &sampler, error));
    ck_assert(!sampler.exact && !sampler.reversible);
    ebm_sampler_free(&sampler);
    claims.create = claim_balance;
    CHECK_OK(ebm_sampler_create(&claims, &small, &model, &sampler, error));
    ck_assert(sampler.exact && sampler.reversible);
    ebm_sampler_free(&sampler);
    CHECK_OK(ebm_sampler_create(&claims, &large, &model, &sampler, error));
    ck_assert(!sampler.exact && !sampler.reversible);
    ebm_sampler_free(&sampler);
    ebm_model_free(&model);
}
END_TEST

START_TEST(test_interfaces_slots) {
    unsigned slots = ebm_model_slots(&gaussian);
    ck_assert_uint_eq(slots, EBM_SLOT_GRAD_X | EBM_SLOT_LOG_NORMALISER);
    char names[128];
    contains(ebm_slot_names(slots, names, sizeof names), "grad_x");
    contains(names, "log_normaliser");
    contains(names, ", ");
    ebm_model model;
    ebm_error failure = {0};
    gaussian_options options = {1};
    ebm_space binary = ebm_space_line(EBM_BINARY, V);
    ck_assert_int_ne(ebm_model_create(&gaussian, &options, &binary, NULL, 1, &model, &failure), EBM_OK);
    contains(failure.message, "gaussian-test");
}
END_TEST

typedef struct setting {
    ebm_model model;
    ebm_sampler sampler;
    gaussian_options *options;
    langevin_options *sampler_options;
    ebm_work *work;
} setting;

static const double mu[V] = {0.5, -1, 2};

static void setting_open(setting *s, const char *sigma, const char *eta) {
    const char *pairs[] = {"sigma", sigma, NULL}, *sampler_pairs[] = {"step", eta, NULL};
    s->options = test_options(&gaussian.info, pairs);
    s->sampler_options = test_options(&langevin.info, sampler_pairs);
    ebm_space space = ebm_space_line(EBM_REAL_LINE, V);
    CHECK_OK(ebm_work_create(2, &s->work, error));
    CHECK_OK(ebm_model_create(&gaussian, s->options, &space, NULL, 1, &s->model, error));
    CHECK_OK(ebm_sampler_create(&langevin, s->sampler_options, &s->model, &s->sampler, error));
    for (size_t i = 0; i < V; i++)
        s->model.theta[i] = (ebm_real)mu[i];
}

static void setting_close(setting *s) {
    ebm_sampler_free(&s->sampler);
    ebm_model_free(&s->model);
    test_options_free(&gaussian.info, s->options);
    test_options_free(&langevin.info, s->sampler_options);
    ebm_work_free(s->work);
}

/* After 60 sweeps with |rho| <= 3/4 the start is forgotten (3e-8). Chains are independent and exactly normal, so that a
 * sample variance of n numbers has standard error sqrt(2 / n) of itself: 5 of them, false alarm 5.7e-7 each. */
START_TEST(test_interfaces_langevin_stationary) {
    enum { CHAINS = 20000 };
    static const struct {
        const char *sigma, *eta;
        double beta;
    } cases[] = {{"1", "0.5", 1}, {"2", "1", 1}, {"1", "0.5", 0.5}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        setting s;
        setting_open(&s, cases[k].sigma, cases[k].eta);
        ebm_chains chains;
        CHECK_OK(ebm_chains_create(&s.model, CHAINS, ebm_stream_of(3, EBM_PURPOSE_SAMPLE), &chains, error));
        ck_assert(chains.batch.field == NULL && chains.batch.hidden == NULL);
        memset(chains.batch.x, 0, CHAINS * V * sizeof *chains.batch.x);
        ebm_path path = {NULL, cases[k].beta};
        CHECK_OK(s.sampler.type->step(&s.sampler, &s.model, path, &chains, 60, s.work, error));
        ck_assert_uint_eq(chains.step, 60);
        ck_assert_uint_eq(chains.gradient_evaluations, (uint64_t)60 * CHAINS);
        double eta = s.sampler_options->step, squares = 0;
        double variance = s.options->sigma * s.options->sigma / cases[k].beta,
               want = variance / (1 - eta / 2 / variance);
        for (size_t b = 0; b < CHAINS * V; b++)
            squares += pow((double)chains.batch.x[b] - mu[b % V], 2);
        double got = squares / (CHAINS * V), se = sqrt(2.0 / (CHAINS * V));
        ck_assert_msg(fabs(got / want - 1) < 5 * se, "variance %g, not %g", got, want);
        ck_assert_double_gt(fabs(got / variance - 1), 5 * se); /* the bias of the walk is seen: the check can fail */
        ebm_chains_free(&chains);
        setting_close(&s);
    }
}
END_TEST

typedef struct lesson {
    setting s;
    const ebm_learner_type *type;
    void *options;
    ebm_dataset data;
    ebm_real x[5 * V];
    double mean[V];
} lesson;

enum { EXAMPLES = 5 };

static void lesson_open(lesson *l, const char *learner, const char *const *pairs) {
    memset(l, 0, sizeof *l);
    setting_open(&l->s, "1.5", "0.45");
    test_random r = {17};
    for (size_t k = 0; k < EXAMPLES * V; k++) {
        l->x[k] = (ebm_real)(1 + test_random_normal(&r));
        l->mean[k % V] += (double)l->x[k] / EXAMPLES;
    }
    l->data.space = l->s.model.space;
    l->data.train.count = EXAMPLES;
    l->data.train.reals = l->x;
    l->type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, learner);
    ck_assert_ptr_nonnull(l->type);
    l->options = test_options(&l->type->info, pairs);
}
static void lesson_close(lesson *l) {
    test_options_free(&l->type->info, l->options);
    setting_close(&l->s);
}

/* Mean of the update (mu' - mu) / rate over SEEDS learners, with rate 1; theta put back. */
static void mean_update(lesson *l, size_t seeds, moments *out) {
    memset(out, 0, V * sizeof *out);
    for (size_t seed = 1; seed <= seeds; seed++) {
        ebm_learner learner;
        CHECK_OK(ebm_learner_create(l->type, l->options, &l->s.model, l->type->uses_sampler ? &l->s.sampler : NULL,
                                    &l->data, (uint32_t)seed, EXAMPLES, 1, &learner, error));
        CHECK_OK(ebm_learner_update(&learner, l->x, EXAMPLES, l->s.work, error));
        ebm_learner_free(&learner);
        for (size_t i = 0; i < V; i++) {
            moments_add(&out[i], (double)l->s.model.theta[i] - mu[i]);
            l->s.model.theta[i] = (ebm_real)mu[i];
        }
    }
}

/* CD-k on the Gaussian: the update is (mean of x - mean of the chains) / sigma^2, the chains' mean is
 * mu + rho^k (m_0 - mu), with m_0 = 0 for standard normal noise and the minibatch's mean for a start from data. Its
 * variance is that of the chains, rho^2k v_0 + 2 eta (1 - rho^2k) / (1 - rho^2), over their number and sigma^4, with
 * v_0 = 1 for noise and 0 for data (fixed). Mean and variance within 5 standard errors. */
START_TEST(test_interfaces_cd_on_a_real_model) {
    enum { SEEDS = 4000 };
    const char *starts[] = {"noise", "data"};
    for (int k = 0; k < 2; k++) {
        const char *pairs[] = {"steps", "3", "start", starts[k], "rate", "1", NULL};
        lesson l;
        moments got[V];
        lesson_open(&l, "cd", pairs);
        mean_update(&l, SEEDS, got);
        double variance = 1.5 * 1.5, eta = 0.45, rho = 1 - eta / variance, decay = pow(rho, 6);
        double spread = (k ? 0 : decay) + 2 * eta * (1 - decay) / (1 - rho * rho);
        for (size_t i = 0; i < V; i++) {
            double chain_mean = mu[i] + pow(rho, 3) * ((k ? l.mean[i] : 0) - mu[i]);
            double want = (l.mean[i] - chain_mean) / variance, want_variance = spread / EXAMPLES / variance / variance;
            double bound = 5 * moments_standard_error(&got[i]) + 64 * UNIT_ROUNDOFF;
            ck_assert_msg(fabs(got[i].mean - want) < bound, "%s: mean update %g, not %g", starts[k], got[i].mean, want);
            ck_assert_double_lt(fabs(moments_variance(&got[i]) / want_variance - 1), 5 * sqrt(2.0 / SEEDS));
            double exact = (l.mean[i] - mu[i]) / variance; /* the likelihood's own gradient is told apart */
            ck_assert(i != 2 || fabs(got[i].mean - exact) > bound);
        }
        lesson_close(&l);
    }
}
END_TEST

/* Exact ascent steps by (mean of x - mu) / sigma^2.
 *
 * PCD-1 is a linear walk. With a = mu - mean of x and d = mean of the C chains - mean of x, one update of rate r is
 *   d' = rho d + (1 - rho) a + e, Var e = 2 eta / C,     a' = a - r d' / sigma^2,
 * from d with mean -mean(x) and variance 1 / C (standard normal noise): mu after 1000 updates is normal with the mean
 * and variance that this recursion gives, and stays within 5 standard deviations (5.7e-7 for each unit). */
START_TEST(test_interfaces_exact_and_pcd_on_a_real_model) {
    const char *exact_pairs[] = {"rate", "1", NULL}, *pcd_pairs[] = {"rate", "0.05", "chains", "400", NULL};
    lesson l;
    moments got[V];
    lesson_open(&l, "exact", exact_pairs);
    mean_update(&l, 1, got);
    for (size_t i = 0; i < V; i++)
        ck_assert_double_le(fabs(got[i].mean - (l.mean[i] - mu[i]) / 2.25), 64 * UNIT_ROUNDOFF);
    lesson_close(&l);

    lesson_open(&l, "pcd", pcd_pairs);
    ebm_learner learner;
    CHECK_OK(
        ebm_learner_create(l.type, l.options, &l.s.model, &l.s.sampler, &l.data, 1, EXAMPLES, 1000, &learner, error));
    for (size_t n = 0; n < 1000; n++)
        CHECK_OK(ebm_learner_update(&learner, l.x, EXAMPLES, l.s.work, error));
    const double eta = 0.45, rho = 1 - 0.45 / 2.25, r = 0.05 / 2.25, C = 400;
    for (size_t i = 0; i < V; i++) {
        double a = mu[i] - l.mean[i], d = -l.mean[i], aa = 0, ad = 0, dd = 1 / C;
        for (size_t n = 0; n < 1000; n++) {
            double ad_next = rho * ad + (1 - rho) * aa;
            dd = rho * rho * dd + 2 * rho * (1 - rho) * ad + (1 - rho) * (1 - rho) * aa + 2 * eta / C;
            d = rho * d + (1 - rho) * a;
            aa += r * r * dd - 2 * r * ad_next;
            ad = ad_next - r * dd;
            a -= r * d;
        }
        double off = (double)l.s.model.theta[i] - l.mean[i];
        ck_assert_msg(fabs(off - a) < 5 * sqrt(aa), "mean %zu is off by %g, expected %g +- %g", i, off, a, sqrt(aa));
        ck_assert_double_gt(fabs(mu[i] - l.mean[i]), 5 * sqrt(aa)); /* a learner that stays where it is fails */
        l.s.model.theta[i] = (ebm_real)mu[i];
    }
    ebm_learner_free(&learner);
    lesson_close(&l);
}
END_TEST

START_TEST(test_interfaces_save_load) {
    char folder[] = "/tmp/ebm-test-gaussian-XXXXXX", path[128];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setting s;
    setting_open(&s, "1", "0.1");
    CHECK_OK(ebm_model_save(&s.model, folder, error));
    memset(s.model.theta, 0, V * sizeof *s.model.theta);
    CHECK_OK(ebm_model_load(&s.model, folder, error));
    for (size_t i = 0; i < V; i++)
        ck_assert(s.model.theta[i] == (ebm_real)mu[i]);
    snprintf(path, sizeof path, "%s/mean.npy", folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    setting_close(&s);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("interfaces");
    TCase *cases = tcase_create("real-valued model, gradient sampler");
    tcase_add_test(cases, test_interfaces_pairing);
    tcase_add_test(cases, test_interfaces_sampler_check);
    tcase_add_test(cases, test_interfaces_sampler_claims);
    tcase_add_test(cases, test_interfaces_slots);
    tcase_add_test(cases, test_interfaces_langevin_stationary);
    tcase_add_test(cases, test_interfaces_cd_on_a_real_model);
    tcase_add_test(cases, test_interfaces_exact_and_pcd_on_a_real_model);
    tcase_add_test(cases, test_interfaces_save_load);
    tcase_set_timeout(cases, 300);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
