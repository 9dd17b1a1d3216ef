/* Learners against their definitions by enumeration. With SGD, (theta' - theta) / rate of one update is
 *   E_negative[dE/dtheta] - mean over the minibatch of dE(x)/dtheta,
 * where the negative phase is the law of a chain: CD-k starts at the minibatch and takes k sweeps, a start from noise
 * takes k sweeps from uniform states, PCD's chains go on from update to update, and `exact` is the model itself.
 *
 * Means over seeds are held to 5 standard errors: a false alarm of 5.7e-7 for each component (seeds are fixed, so that
 * a run either always passes or never). */
#include "rbm_fixture.h"
#include "statistics.h"

#include "ebm/learner.h"

enum { BATCH = 4, SEEDS = 4000 };

typedef struct trial {
    rbm_fixture f;
    const ebm_learner_type *type;
    const ebm_sampler_type *sampler_type;
    void *options, *sampler_options;
    ebm_sampler sampler;
    ebm_dataset data;
    size_t codes[BATCH];
    ebm_real x[BATCH * ORACLE_UNITS];
    double rate;
} trial;

/* A machine of 4 + 3 units with weights of order one, four examples (one of them twice), SGD at the given rate. */
static void trial_open(trial *t, const char *learner, double rate, const char *const *pairs) {
    memset(t, 0, sizeof *t);
    rbm_open(&t->f, 4, 3, RBM_NORMAL, 1.0, 61);
    static const size_t codes[BATCH] = {1, 6, 11, 6};
    memcpy(t->codes, codes, sizeof codes);
    for (size_t b = 0; b < BATCH; b++)
        rbm_write_state(codes[b], 4, t->x + b * 4);
    t->data.space = t->f.model.space;
    t->data.train.count = BATCH;
    t->data.train.reals = t->x;
    t->rate = rate;
    t->type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, learner);
    ck_assert_ptr_nonnull(t->type);
    t->options = test_options(&t->type->info, pairs);
    char text[32];
    snprintf(text, sizeof text, "%.17g", rate);
    CHECK_OK(ebm_options_set(t->type->info.options, t->options, "rate", text, NULL, error));
    t->sampler_type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "block-gibbs");
    ck_assert_ptr_nonnull(t->sampler_type);
    t->sampler_options = test_options(&t->sampler_type->info, NULL);
    CHECK_OK(
        ebm_pairing_check(t->f.type, t->type->uses_sampler ? t->sampler_type : NULL, t->type, NULL, 0, true, error));
    CHECK_OK(ebm_sampler_create(t->sampler_type, t->sampler_options, &t->f.model, &t->sampler, error));
}

static void trial_close(trial *t) {
    ebm_sampler_free(&t->sampler);
    test_options_free(&t->sampler_type->info, t->sampler_options);
    test_options_free(&t->type->info, t->options);
    rbm_close(&t->f);
}

static void trial_learner(trial *t, uint32_t seed, uint64_t total, ebm_learner *out) {
    CHECK_OK(ebm_learner_create(t->type, t->options, &t->f.model, t->type->uses_sampler ? &t->sampler : NULL, &t->data,
                                seed, BATCH, total, out, error));
}

/* One update on the first `count` examples; its (theta' - theta) / rate; theta put back. */
static void one_update(trial *t, ebm_learner *learner, size_t count, double *out) {
    double after[ORACLE_THETA];
    CHECK_OK(ebm_learner_update(learner, t->x, count, t->f.work, error));
    rbm_to_flat(&t->f, t->f.model.theta, after);
    for (size_t k = 0; k < t->f.model.n_theta; k++)
        out[k] = (after[k] - t->f.machine.theta[k]) / t->rate;
    rbm_set_theta(&t->f);
}

/* The definition: the mean gradient under the law of the negative phase minus that of the minibatch. */
static void definition(const oracle *o, const double *negative, const size_t *codes, size_t count, double *want) {
    oracle_expected_grad(o, negative, want);
    for (size_t b = 0; b < count; b++)
        oracle_add_grad(o, codes[b], -1.0 / (double)count, want);
}

/* The law of a chain after `sweeps` of block Gibbs from the minibatch (codes) or from uniform states (NULL). */
static void chain_law(const oracle *o, const size_t *codes, size_t count, size_t sweeps, double *law) {
    double *T = oracle_memory(o->S * o->S);
    for (size_t v = 0; v < o->S; v++)
        law[v] = codes ? 0 : 1.0 / (double)o->S;
    for (size_t b = 0; codes && b < count; b++)
        law[codes[b]] += 1.0 / (double)count;
    oracle_kernel(o, T);
    oracle_advance(o->S, T, sweeps, law);
    free(T);
}

/* Rounding of theta' = theta + rate g, divided by the rate, and of g itself. */
static double rounding(const trial *t) {
    double largest = 1;
    for (size_t k = 0; k < t->f.model.n_theta; k++)
        largest = fmax(largest, fabs(t->f.machine.theta[k]));
    return 2 * UNIT_ROUNDOFF * largest / t->rate + rbm_energy_bound(&t->f.machine);
}

/* |mean - want| in units of 5 standard errors (and rounding); the worst component. */
static double worst_component(const trial *t, const moments *got, const double *want) {
    double worst = 0;
    for (size_t k = 0; k < t->f.model.n_theta; k++)
        worst = fmax(worst, fabs(got[k].mean - want[k]) / (5 * moments_standard_error(&got[k]) + rounding(t)));
    return worst;
}

/* Mean first update over SEEDS fresh learners. */
static void mean_update(trial *t, size_t count, moments *out) {
    double g[ORACLE_THETA];
    memset(out, 0, ORACLE_THETA * sizeof *out);
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        ebm_learner learner;
        trial_learner(t, seed, 1, &learner);
        one_update(t, &learner, count, g);
        ebm_learner_free(&learner);
        for (size_t k = 0; k < t->f.model.n_theta; k++)
            moments_add(&out[k], g[k]);
    }
}

static const struct {
    size_t sweeps, count;
    bool noise;
    const char *options[9];
} cd_cases[] = {{1, BATCH, false, {"steps", "1", NULL}},
                {3, BATCH, false, {"steps", "3", NULL}},
                {2, 3, false, {"steps", "2", NULL}},
                {2, BATCH, true, {"steps", "2", "start", "noise", NULL}},
                {1, BATCH, true, {"steps", "1", "start", "noise", "chains", "7", NULL}}};
enum { CD_CASES = sizeof cd_cases / sizeof cd_cases[0] };

static double cd_distance(trial *t, size_t sweeps, size_t count, bool noise) {
    moments got[ORACLE_THETA];
    double want[ORACLE_THETA], law[1 << 4];
    oracle o = oracle_open(&t->f.machine, 0, 1);
    chain_law(&o, noise ? NULL : t->codes, count, sweeps, law);
    definition(&o, law, t->codes, count, want);
    mean_update(t, count, got);
    oracle_close(&o);
    return worst_component(t, got, want);
}

START_TEST(test_learners_cd_mean_update) {
    trial t;
    trial_open(&t, "cd", 0.5, cd_cases[_i].options);
    double worst = cd_distance(&t, cd_cases[_i].sweeps, cd_cases[_i].count, cd_cases[_i].noise);
    ck_assert_msg(worst <= 1, "CD with %zu sweeps: %g times 5 standard errors", cd_cases[_i].sweeps, worst);
    trial_close(&t);
}
END_TEST

/* The same check sees one sweep too many, and the other start. */
START_TEST(test_learners_cd_check_sees_another_law) {
    trial t;
    trial_open(&t, "cd", 0.5, cd_cases[0].options);
    ck_assert_double_gt(cd_distance(&t, 2, BATCH, false), 1);
    ck_assert_double_gt(cd_distance(&t, 1, BATCH, true), 1);
    trial_close(&t);
}
END_TEST

/* The planted sign error: both phases push the same way. */
static const ebm_model_type *real;

static void one_sign_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                                ebm_real *grad, ebm_work *work) {
    real->grad_theta(model, batch, weight, fabs(scale), grad, work);
}
static ebm_status negated_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                              ebm_work *work, ebm_error *error) {
    return real->expected_grad_theta(model, -scale, grad, log_z, work, error);
}

START_TEST(test_learners_cd_check_sees_a_sign_error) {
    trial t;
    trial_open(&t, "cd", 0.5, cd_cases[0].options);
    real = t.f.type;
    ebm_model_type wrong = *real;
    wrong.grad_theta = one_sign_grad_theta;
    t.f.model.type = &wrong;
    ck_assert_double_gt(cd_distance(&t, 1, BATCH, false), 1);
    t.f.model.type = real;
    trial_close(&t);
}
END_TEST

/* PCD with theta held fixed: after BURN updates the chains have forgotten their start and follow p (the second largest
 * eigenvalue of this machine's kernel to the power of all sweeps is far below the standard error, as is asserted), so
 * that the mean update is the exact gradient. And the chains do persist: the covariance of successive updates is
 *   Cov(g_t, g_t+1) = (1 / chains) Cov(f(v_0), f(v_k)) with v_0 ~ p, v_k its k-step successor, f = dE/dtheta. */
enum { BURN = 30, PCD_CHAINS = 3, PCD_SEEDS = 8000 };

typedef struct pcd_results {
    moments update[ORACLE_THETA], product[ORACLE_THETA];
} pcd_results;

static void pcd_run(trial *t, const double *mean, pcd_results *out) {
    double first[ORACLE_THETA], second[ORACLE_THETA];
    memset(out, 0, sizeof *out);
    for (uint32_t seed = 1; seed <= PCD_SEEDS; seed++) {
        ebm_learner learner;
        trial_learner(t, seed, BURN + 2, &learner);
        for (size_t k = 0; k < BURN; k++)
            one_update(t, &learner, BATCH, first);
        one_update(t, &learner, BATCH, first);
        one_update(t, &learner, BATCH, second);
        ebm_learner_free(&learner);
        for (size_t k = 0; k < t->f.model.n_theta; k++) {
            moments_add(&out->update[k], second[k]);
            moments_add(&out->product[k], (first[k] - mean[k]) * (second[k] - mean[k]));
        }
    }
}

/* out[k] = Cov(f_k(v_0), f_k(v_sweeps)) / chains at equilibrium */
static void lagged_covariance(const oracle *o, size_t sweeps, double chains, double *out) {
    size_t n = oracle_n_theta(o->machine), S = o->S;
    double *T = oracle_memory(S * S), *law = oracle_memory(S), *g = oracle_memory(S * n), mean[ORACLE_THETA];
    oracle_kernel(o, T);
    oracle_expected_grad(o, o->p, mean);
    for (size_t v = 0; v < S; v++)
        oracle_add_grad(o, v, 1, g + v * n);
    memset(out, 0, n * sizeof *out);
    for (size_t v = 0; v < S; v++) {
        memset(law, 0, S * sizeof *law);
        law[v] = 1;
        oracle_advance(S, T, sweeps, law);
        for (size_t w = 0; w < S; w++)
            for (size_t k = 0; k < n; k++)
                out[k] += o->p[v] * law[w] * (g[v * n + k] - mean[k]) * (g[w * n + k] - mean[k]) / chains;
    }
    free(T);
    free(law);
    free(g);
}

START_TEST(test_learners_pcd_mean_update_and_persistence) {
    trial t;
    static const char *const texts[][5] = {{"steps", "1", "chains", "3", NULL}, {"steps", "2", "chains", "3", NULL}};
    size_t steps = _i ? 2 : 1;
    trial_open(&t, "pcd", 0.5, texts[_i]);
    oracle o = oracle_open(&t.f.machine, 0, 1);
    double mean[ORACLE_THETA], covariance[ORACLE_THETA], law[1 << 4], furthest = 0, worst = 0;
    for (size_t v = 0; v < o.S; v++) { /* from whatever state the chains started */
        chain_law(&o, &v, 1, BURN * steps, law);
        furthest = fmax(furthest, total_variation(o.S, law, o.p));
    }
    ck_assert_double_lt(furthest, 1e-6);
    definition(&o, o.p, t.codes, BATCH, mean);
    lagged_covariance(&o, steps, PCD_CHAINS, covariance);
    pcd_results got;
    pcd_run(&t, mean, &got);
    ck_assert_double_le(worst_component(&t, got.update, mean), 1);
    for (size_t k = 0; k < t.f.model.n_theta; k++) {
        double se = moments_standard_error(&got.product[k]);
        ck_assert_double_le(fabs(got.product[k].mean - covariance[k]), 5 * se + rounding(&t));
        worst = fmax(worst, covariance[k] / se);
    }
    /* chains that start afresh in every update would have covariance 0: far outside the same bound */
    ck_assert_double_gt(worst, 10);
    /* and CD's law is another one */
    chain_law(&o, t.codes, BATCH, steps, law);
    definition(&o, law, t.codes, BATCH, mean);
    ck_assert_double_gt(worst_component(&t, got.update, mean), 1);
    oracle_close(&o);
    trial_close(&t);
}
END_TEST

/* The first update of PCD: chains that have taken k sweeps from uniform noise. */
START_TEST(test_learners_pcd_first_update) {
    static const char *const pairs[] = {"steps", "1", "chains", "5", NULL};
    trial t;
    moments got[ORACLE_THETA];
    double want[ORACLE_THETA], law[1 << 4];
    trial_open(&t, "pcd", 0.5, pairs);
    oracle o = oracle_open(&t.f.machine, 0, 1);
    chain_law(&o, NULL, 0, 1, law);
    definition(&o, law, t.codes, BATCH, want);
    mean_update(&t, BATCH, got);
    double worst = worst_component(&t, got, want);
    ck_assert_msg(worst <= 1, "%g times 5 standard errors", worst);
    oracle_close(&o);
    trial_close(&t);
}
END_TEST

/* `exact` is deterministic: equal to its definition up to rounding (1e-10 in the double build). In float p is off by
 * exp(+-2 bound) and sums over the 2^3 states of the smaller layer and the minibatch by a few unit roundoffs. */
static double exact_distance(trial *t, size_t count, const double *want) {
    double got[ORACLE_THETA], worst = 0;
    ebm_learner learner;
    trial_learner(t, 1, 1, &learner);
    one_update(t, &learner, count, got);
    ebm_learner_free(&learner);
    double bound = expm1(2 * rbm_energy_bound(&t->f.machine)) + 2 * rounding(t);
    for (size_t k = 0; k < t->f.model.n_theta; k++)
        worst = fmax(worst, rbm_distance(got[k], want[k], bound));
    return worst;
}

START_TEST(test_learners_exact_update) {
    trial t;
    double want[ORACLE_THETA];
    trial_open(&t, "exact", 0.5, NULL);
    oracle o = oracle_open(&t.f.machine, 0, 1);
    for (size_t count = 1; count <= BATCH; count++) {
        definition(&o, o.p, t.codes, count, want);
        ck_assert_double_le(exact_distance(&t, count, want), 1);
    }
    real = t.f.type; /* the planted sign error in the negative phase, and in the positive one */
    ebm_model_type wrong = *real;
    wrong.expected_grad_theta = negated_expected_grad_theta;
    t.f.model.type = &wrong;
    ck_assert_double_gt(exact_distance(&t, BATCH, want), 1);
    wrong = *real;
    wrong.grad_theta = one_sign_grad_theta;
    ck_assert_double_gt(exact_distance(&t, BATCH, want), 1);
    t.f.model.type = real;
    oracle_close(&o);
    trial_close(&t);
}
END_TEST

/* L2 decay acts on weights and not on biases: (theta' - theta) / rate = g - lambda W. */
START_TEST(test_learners_exact_weight_decay) {
    static const char *const pairs[] = {"weight_decay", "0.25", NULL};
    trial t;
    double want[ORACLE_THETA];
    trial_open(&t, "exact", 0.5, pairs);
    oracle o = oracle_open(&t.f.machine, 0, 1);
    definition(&o, o.p, t.codes, BATCH, want);
    ck_assert_double_gt(exact_distance(&t, BATCH, want), 1);
    for (size_t k = 0; k < t.f.machine.V * t.f.machine.H; k++)
        want[k] -= 0.25 * t.f.machine.theta[k];
    ck_assert_double_le(exact_distance(&t, BATCH, want), 1);
    oracle_close(&o);
    trial_close(&t);
}
END_TEST

/* The centred gradient (Montavon and Mueller 2012; Melchior, Fischer and Wiskott 2016) with offsets mu = data means,
 * shrunk by one uniform pseudo-example, and lambda = sigmoid(c + W' mu):
 *   W: g_W - mu g_c' - g_b lambda',  b: g_b - (that W) lambda,  c: g_c - (that W)' mu. */
START_TEST(test_learners_exact_centred) {
    trial t;
    double plain[ORACLE_THETA], want[ORACLE_THETA] = {0}, mu[ORACLE_UNITS] = {0}, lambda[ORACLE_UNITS];
    trial_open(&t, "exact", 0.5, NULL);
    size_t V = t.f.machine.V, H = t.f.machine.H;
    static const char *const pairs[] = {"hidden", "3", "centred", "true", NULL};
    void *options = test_options(&t.f.type->info, pairs);
    ebm_model_free(&t.f.model);
    CHECK_OK(ebm_model_create(t.f.type, options, &t.data.space, &t.data, 1, &t.f.model, error));
    rbm_set_theta(&t.f);
    oracle o = oracle_open(&t.f.machine, 0, 1);
    definition(&o, o.p, t.codes, BATCH, plain);
    const double *b = plain + V * H, *c = b + V;
    for (size_t i = 0; i < V; i++) {
        for (size_t k = 0; k < BATCH; k++)
            mu[i] += oracle_bit(t.codes[k], i);
        mu[i] = (mu[i] + 0.5) / (BATCH + 1);
    }
    for (size_t j = 0; j < H; j++) {
        double z = oracle_c(&t.f.machine, j);
        for (size_t i = 0; i < V; i++)
            z += mu[i] * oracle_W(&t.f.machine, i, j);
        lambda[j] = 1 / (1 + exp(-z));
    }
    memcpy(want, plain, sizeof want);
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < H; j++) {
            want[i * H + j] -= mu[i] * c[j] + b[i] * lambda[j];
            want[V * H + i] -= want[i * H + j] * lambda[j];
            want[V * H + V + j] -= want[i * H + j] * mu[i];
        }
    ck_assert_double_le(exact_distance(&t, BATCH, want), 1);
    ck_assert_double_gt(exact_distance(&t, BATCH, plain), 1);
    oracle_close(&o);
    test_options_free(&t.f.type->info, options);
    trial_close(&t);
}
END_TEST

/* Norm of the gradient of log-likelihood - lambda / 2 |W|^2 at the model's present theta, and the objective. */
static double penalised(trial *t, double lambda, double *objective) {
    double g[ORACLE_THETA], norm = 0;
    rbm_to_flat(&t->f, t->f.model.theta, t->f.machine.theta);
    oracle o = oracle_open(&t->f.machine, 0, 1);
    definition(&o, o.p, t->codes, BATCH, g);
    *objective = oracle_log_likelihood(&o, t->codes, BATCH);
    for (size_t k = 0; k < t->f.model.n_theta; k++) {
        double weight = k < t->f.machine.V * t->f.machine.H ? t->f.machine.theta[k] : 0;
        *objective -= lambda / 2 * weight * weight;
        norm += (g[k] - lambda * weight) * (g[k] - lambda * weight);
    }
    oracle_close(&o);
    return sqrt(norm);
}

/* Every optimiser climbs the penalised likelihood. L-BFGS ends where its gradient is small: line searches compare
 * objectives, which cannot tell points apart whose objectives agree to the energies' rounding, that is, where the
 * gradient is below the square root of it (times the curvature, of order one; a factor 16 is left). */
START_TEST(test_learners_exact_climbs) {
    static const char *const optimisers[] = {"sgd", "momentum", "adam", "lbfgs"};
    for (size_t k = 0; k < 4; k++) {
        const char *pairs[] = {"optimiser", optimisers[k], "weight_decay", "0.05", "iterations", "200", NULL};
        trial t;
        trial_open(&t, "exact", 0.02, pairs);
        double before, after, started = penalised(&t, 0.05, &before);
        ebm_learner learner;
        trial_learner(&t, 1, 300, &learner);
        for (size_t n = 0; n < (k == 3 ? 2 : 300); n++)
            CHECK_OK(ebm_learner_update(&learner, t.x, BATCH, t.f.work, error));
        ebm_learner_free(&learner);
        double ended = penalised(&t, 0.05, &after);
        ck_assert_msg(after > before, "%s went from %g to %g", optimisers[k], before, after);
        ck_assert_msg(ended < started, "%s: gradient from %g to %g", optimisers[k], started, ended);
        if (k == 3)
            ck_assert_msg(ended < 16 * sqrt(rbm_energy_bound(&t.f.machine)), "L-BFGS ends at a gradient of %g", ended);
        trial_close(&t);
    }
}
END_TEST

START_TEST(test_learners_divergence) {
    static const char *const names[] = {"cd", "pcd", "exact"};
    for (size_t k = 0; k < 3; k++)
        for (int sane = 0; sane < 2; sane++) {
            trial t;
            trial_open(&t, names[k], sane ? 0.05 : 1e9, NULL);
            ebm_learner learner;
            trial_learner(&t, 1, 100, &learner);
            ebm_error failure = {0};
            ebm_status status = EBM_OK;
            for (size_t n = 0; n < 100 && status == EBM_OK; n++)
                status = ebm_learner_update(&learner, t.x, BATCH, t.f.work, &failure);
            ck_assert_msg(status == (sane ? EBM_OK : EBM_DIVERGED), "%s: %s", names[k], ebm_status_name(status));
            ck_assert(sane || failure.message[0]);
            ebm_learner_free(&learner);
            trial_close(&t);
        }
}
END_TEST

static void kept(ebm_learner *learner, unsigned char *memory, size_t limit, bool restore) {
    ebm_region regions[EBM_MAX_REGIONS];
    size_t n = ebm_learner_regions(learner, regions), at = 0;
    ck_assert_uint_le(n, EBM_MAX_REGIONS);
    for (size_t k = 0; k < n; at += regions[k++].bytes) {
        ck_assert_uint_le(at + regions[k].bytes, limit);
        if (restore)
            memcpy(regions[k].data, memory + at, regions[k].bytes);
        else
            memcpy(memory + at, regions[k].data, regions[k].bytes);
    }
}

/* A learner whose regions were put back goes on with the same bytes as the one that never stopped. */
START_TEST(test_learners_resume_from_regions) {
    static const struct {
        const char *name, *pairs[7];
    } cases[] = {{"cd", {"optimiser", "momentum", "schedule", "linear", NULL}},
                 {"cd", {"start", "noise", NULL}},
                 {"pcd", {"optimiser", "adam", "chains", "6", "steps", "2", NULL}},
                 {"exact", {"optimiser", "adam", "schedule", "cosine", NULL}}};
    static unsigned char memory[1 << 16];
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        trial t;
        trial_open(&t, cases[k].name, 0.1, cases[k].pairs);
        ebm_learner learner;
        ebm_real straight[ORACLE_THETA];
        size_t bytes = t.f.model.n_theta * sizeof *straight;
        trial_learner(&t, 3, 20, &learner);
        for (size_t n = 0; n < 20; n++) {
            if (n == 10)
                kept(&learner, memory, sizeof memory, false);
            CHECK_OK(ebm_learner_update(&learner, t.x, BATCH, t.f.work, error));
        }
        ebm_learner_free(&learner);
        memcpy(straight, t.f.model.theta, bytes);

        rbm_set_theta(&t.f);
        trial_learner(&t, 3, 20, &learner);
        kept(&learner, memory, sizeof memory, true);
        ebm_learner_restored(&learner, t.f.work);
        ck_assert_uint_eq(learner.update, 10);
        ck_assert_int_ne(memcmp(straight, t.f.model.theta, bytes), 0);
        for (size_t n = 10; n < 20; n++)
            CHECK_OK(ebm_learner_update(&learner, t.x, BATCH, t.f.work, error));
        ebm_learner_free(&learner);
        ck_assert_msg(memcmp(straight, t.f.model.theta, bytes) == 0, "case %zu (%s) went elsewhere", k, cases[k].name);
        trial_close(&t);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("learners");
    TCase *updates = tcase_create("updates"), *runs = tcase_create("runs");
    tcase_add_loop_test(updates, test_learners_cd_mean_update, 0, CD_CASES);
    tcase_add_test(updates, test_learners_cd_check_sees_another_law);
    tcase_add_test(updates, test_learners_cd_check_sees_a_sign_error);
    tcase_add_loop_test(updates, test_learners_pcd_mean_update_and_persistence, 0, 2);
    tcase_add_test(updates, test_learners_pcd_first_update);
    tcase_add_test(updates, test_learners_exact_update);
    tcase_add_test(updates, test_learners_exact_weight_decay);
    tcase_add_test(updates, test_learners_exact_centred);
    tcase_add_test(runs, test_learners_exact_climbs);
    tcase_add_test(runs, test_learners_divergence);
    tcase_add_test(runs, test_learners_resume_from_regions);
    tcase_set_timeout(updates, 300);
    tcase_set_timeout(runs, 300);
    suite_add_tcase(suite, updates);
    suite_add_tcase(suite, runs);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
