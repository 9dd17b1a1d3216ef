/* Learning of dense Potts machines: the step of an update, symmetry under every optimiser, and maximum likelihood's
 * moment matching. */
#include "potts_fixture.h"

#include "ebm/learner.h"

enum { STATES = 81, MOST = 6 * STATES }; /* 4 units of 3 categories */

typedef struct trial {
    potts_fixture f;
    ebm_dataset data;
    ebm_real x[MOST * 4];
    double *frequency; /* (n_theta): minus the mean of dE/dtheta over the data, in free couplings */
} trial;

/* Minus dE/dtheta with couplings counted in full: [x_i = c] [x_j = d] and [x_i = c]. */
static void add_frequency(const potts_fixture *f, size_t code, double weight, double *out) {
    double z[POTTS_VALUES];
    potts_one_hot(f, code, z);
    for (size_t k = 0; k < f->F; k++) {
        out[f->F * f->F + k] += weight * z[k];
        for (size_t m = 0; m < f->F; m++)
            out[k * f->F + m] += k / f->q == m / f->q ? 0 : weight * z[k] * z[m];
    }
}

/* Every state stands in the data at least once, so that the likelihood has its maximum at a finite place. */
static void trial_open(trial *t) {
    memset(t, 0, sizeof *t);
    potts_open(&t->f, (potts_shape){POTTS_DENSE, 1, 4, 3}, 0.5, 12);
    ck_assert_uint_eq(t->f.S, STATES);
    test_random r = {4};
    size_t count = 0;
    for (size_t s = 0; s < STATES; s++)
        for (size_t n = 1 + test_random_word(&r) % 6; n > 0; n--)
            potts_write(&t->f, s, t->x + 4 * count++);
    t->data.space = t->f.model.space;
    t->data.train.count = count;
    t->data.train.reals = t->x;
    t->frequency = oracle_memory(t->f.model.n_theta);
    for (size_t b = 0; b < count; b++)
        add_frequency(&t->f, potts_read(&t->f, t->x + 4 * b), 1.0 / (double)count, t->frequency);
}

static void trial_close(trial *t) {
    free(t->frequency);
    potts_close(&t->f);
}

/* out = the same frequencies of the machine as it stands. */
static void model_frequency(trial *t, double *out) {
    potts_fixture *f = &t->f;
    double *log_p = oracle_memory(STATES);
    CHECK_OK(ebm_model_log_probabilities(&f->model, ebm_path_end(), log_p, NULL, f->work, error));
    memset(out, 0, f->model.n_theta * sizeof *out);
    for (size_t s = 0; s < STATES; s++)
        add_frequency(f, s, exp(log_p[s]), out);
    free(log_p);
}

static void learn(trial *t, const char *const *pairs, size_t updates) {
    const ebm_learner_type *type = (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, "exact");
    void *options = test_options(&type->info, pairs);
    ebm_learner learner;
    CHECK_OK(ebm_learner_create(type, options, &t->f.model, NULL, &t->data, 1, MOST, updates, &learner, error));
    for (size_t k = 0; k < updates; k++)
        CHECK_OK(ebm_learner_update(&learner, t->x, t->data.train.count, t->f.work, error));
    ebm_learner_free(&learner);
    test_options_free(&type->info, options);
}

/* One step of SGD moves a free coupling by rate times the difference of the pair frequencies, and a field likewise. */
START_TEST(test_potts_learning_step) {
    trial t;
    trial_open(&t);
    const size_t n = t.f.model.n_theta;
    double *model = oracle_memory(n), *before = oracle_memory(n);
    model_frequency(&t, model);
    for (size_t k = 0; k < n; k++)
        before[k] = (double)t.f.model.theta[k];
    static const char *const pairs[] = {"optimiser", "sgd", "rate", "0.125", NULL};
    learn(&t, pairs, 1);
    for (size_t k = 0; k < n; k++) { /* frequencies to the energies' rounding, one rounding of theta (below 4) */
        const double want = before[k] + 0.125 * (t.frequency[k] - model[k]);
        ck_assert_double_le(fabs((double)t.f.model.theta[k] - want), t.f.bound + 4 * UNIT_ROUNDOFF);
    }
    free(model);
    free(before);
    trial_close(&t);
}
END_TEST

/* At the maximum the machine has the data's one- and two-unit frequencies; on the way J stays symmetric to the bit, with
 * zero diagonal blocks. How near each optimiser comes in its updates is stated; none is as near by chance: the start is
 * more than 0.2 away. */
static const struct {
    const char *pairs[9];
    size_t updates;
    double within;
} runs[] = {
    {{"optimiser", "lbfgs", "iterations", "200", NULL}, 1, 1e-4},
    {{"optimiser", "sgd", "rate", "0.5", NULL}, 400, 1e-3},
    {{"optimiser", "momentum", "rate", "0.1", NULL}, 300, 1e-3},
    {{"optimiser", "adam", "rate", "0.05", "schedule", "linear", NULL}, 400, 1e-3},
};
enum { RUNS = sizeof runs / sizeof runs[0] };

START_TEST(test_potts_learning_matches_moments) {
    trial t;
    trial_open(&t);
    const size_t n = t.f.model.n_theta, F = t.f.F;
    double *model = oracle_memory(n), start = 0, end = 0;
    model_frequency(&t, model);
    for (size_t k = 0; k < n; k++)
        start = fmax(start, fabs(model[k] - t.frequency[k]));
    ck_assert_double_gt(start, 0.2);
    learn(&t, runs[_i].pairs, runs[_i].updates);
    model_frequency(&t, model);
    for (size_t k = 0; k < n; k++)
        end = fmax(end, fabs(model[k] - t.frequency[k]));
    ck_assert_msg(end <= runs[_i].within, "%s: %g from the data's frequencies", runs[_i].pairs[1], end);
    for (size_t k = 0; k < F; k++)
        for (size_t m = 0; m < F; m++) {
            ck_assert(t.f.model.theta[k * F + m] == t.f.model.theta[m * F + k]);
            ck_assert(k / t.f.q != m / t.f.q || t.f.model.theta[k * F + m] == 0);
        }
    free(model);
    trial_close(&t);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("potts-learning");
    TCase *cases = tcase_create("statistical");
    tcase_add_test(cases, test_potts_learning_step);
    tcase_add_loop_test(cases, test_potts_learning_matches_moments, 0, RUNS);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
