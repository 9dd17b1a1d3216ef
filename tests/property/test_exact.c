/* The learner `exact`, maximum likelihood by enumeration, against its definition: one update is
 *   (theta' - theta) / rate = E_model[dE/dtheta] - mean over the minibatch of dE(x)/dtheta. */
#include "learner_trial.h"

/* Planted errors: both phases push the same way; the model's own expectation has the wrong sign. */
static const ebm_model_type *real;

static void one_sign_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                                ebm_real *grad, ebm_work *work) {
    real->grad_theta(model, batch, weight, fabs(scale), grad, work);
}
static ebm_status negated_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                              ebm_work *work, ebm_error *error) {
    return real->expected_grad_theta(model, -scale, grad, log_z, work, error);
}

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

START_TEST(test_exact_update) {
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
START_TEST(test_exact_weight_decay) {
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
START_TEST(test_exact_centred) {
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
START_TEST(test_exact_climbs) {
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

int main(void) {
    Suite *suite = suite_create("exact");
    TCase *cases = tcase_create("exact");
    tcase_add_test(cases, test_exact_update);
    tcase_add_test(cases, test_exact_weight_decay);
    tcase_add_test(cases, test_exact_centred);
    tcase_add_test(cases, test_exact_climbs);
    tcase_set_timeout(cases, 300);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
