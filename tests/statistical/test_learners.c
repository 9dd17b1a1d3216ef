/* Learners against their definitions by enumeration. With SGD, (theta' - theta) / rate of one update is
 *   E_negative[dE/dtheta] - mean over the minibatch of dE(x)/dtheta,
 * where the negative phase is the law of a chain: CD-k starts at the minibatch and takes k sweeps, a start from noise
 * takes k sweeps from uniform states, PCD's chains go on from update to update. (property/test_exact.c has `exact`.)
 *
 * Means over seeds are held to 5 standard errors: a false alarm of 5.7e-7 for each component (seeds are fixed, so that
 * a run either always passes or never). */
#include "learner_trial.h"
#include "statistics.h"

enum { SEEDS = 4000 };

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
    size_t first, sweeps, count; /* the states after sweeps first ... sweeps count alike */
    bool noise;
    const char *options[9];
} cd_cases[] = {{1, 1, BATCH, false, {"steps", "1", NULL}},
                {3, 3, BATCH, false, {"steps", "3", NULL}},
                {2, 2, 3, false, {"steps", "2", NULL}},
                {2, 2, BATCH, true, {"steps", "2", "start", "noise", NULL}},
                {1, 1, BATCH, true, {"steps", "1", "start", "noise", "chains", "7", NULL}},
                {1, 3, BATCH, false, {"steps", "3", "collect", "all", NULL}}};
enum { CD_CASES = sizeof cd_cases / sizeof cd_cases[0] };

static double cd_distance(trial *t, size_t first, size_t sweeps, size_t count, bool noise) {
    moments got[ORACLE_THETA];
    double want[ORACLE_THETA], law[1 << 4] = {0}, one[1 << 4];
    oracle o = oracle_open(&t->f.machine, 0, 1);
    for (size_t k = first; k <= sweeps; k++) {
        chain_law(&o, noise ? NULL : t->codes, count, k, one);
        for (size_t v = 0; v < o.S; v++)
            law[v] += one[v] / (double)(sweeps - first + 1);
    }
    definition(&o, law, t->codes, count, want);
    mean_update(t, count, got);
    oracle_close(&o);
    return worst_component(t, got, want);
}

START_TEST(test_learners_cd_mean_update) {
    trial t;
    trial_open(&t, "cd", 0.5, cd_cases[_i].options);
    double worst = cd_distance(&t, cd_cases[_i].first, cd_cases[_i].sweeps, cd_cases[_i].count, cd_cases[_i].noise);
    ck_assert_msg(worst <= 1, "CD with %zu sweeps: %g times 5 standard errors", cd_cases[_i].sweeps, worst);
    trial_close(&t);
}
END_TEST

/* The same check sees one sweep too many, and the other start. */
START_TEST(test_learners_cd_check_sees_another_law) {
    trial t;
    trial_open(&t, "cd", 0.5, cd_cases[0].options);
    ck_assert_double_gt(cd_distance(&t, 2, 2, BATCH, false), 1);
    ck_assert_double_gt(cd_distance(&t, 1, 2, BATCH, false), 1);
    ck_assert_double_gt(cd_distance(&t, 1, 1, BATCH, true), 1);
    trial_close(&t);
}
END_TEST

/* The planted sign error: both phases push the same way. */
static const ebm_model_type *real;

static void one_sign_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                                ebm_real *grad, ebm_work *work) {
    real->grad_theta(model, batch, weight, fabs(scale), grad, work);
}
START_TEST(test_learners_cd_check_sees_a_sign_error) {
    trial t;
    trial_open(&t, "cd", 0.5, cd_cases[0].options);
    real = t.f.type;
    ebm_model_type wrong = *real;
    wrong.grad_theta = one_sign_grad_theta;
    t.f.model.type = &wrong;
    ck_assert_double_gt(cd_distance(&t, 1, 1, BATCH, false), 1);
    t.f.model.type = real;
    trial_close(&t);
}
END_TEST

/* PCD with theta held fixed: after BURN updates the chains have forgotten their start and follow p (the second largest
 * eigenvalue of this machine's kernel to the power of all sweeps is far below the standard error: asserted), so
 * that the mean update is the exact gradient. And the chains do persist: the covariance of successive updates is
 *   Cov(g_t, g_t+1) = (1 / chains) Cov(f(v_0), f(v_k)) with v_0 ~ p, v_k its k-step successor, f = dE/dtheta. */
enum { BURN = 14, PCD_CHAINS = 3, PCD_SEEDS = 8000 };

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
    ck_assert_double_lt(furthest, 1e-4); /* moves a mean by at most 1e-4: five standard errors are about 1e-2 */
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
