/* gibbs-with-gradients and dmala: their steps against their kernels, what they count, and what they may not depend on. */
#include "discrete_gradient_trial.h"
#include "samplers/state_table.h"
#include "statistics.h"

static void start_from(trial *t, ebm_chains *chains, size_t B, uint32_t purpose) {
    const size_t V = t->model.space.size, S = states_of(t);
    CHECK_OK(ebm_chains_create(&t->model, B, ebm_stream_of(6, purpose), chains, error));
    for (size_t b = 0; b < B; b++)
        ebm_states_fill(&t->model.space, b % S, 1, chains->batch.x + b * V);
}

/* Transition counts of `sweeps` real steps from every state against T^sweeps: the statistic over its limit. */
static double transition_excess(trial *t, ebm_path path, size_t sweeps) {
    enum { ROUNDS = 4 };
    const size_t V = t->model.space.size, S = states_of(t);
    double *T = trial_kernel(t, path), *counts = oracle_memory(S * S);
    ebm_chains chains;
    start_from(t, &chains, CHAINS, EBM_PURPOSE_ESTIMATE);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t b = 0; b < CHAINS; b++)
            ebm_states_fill(&t->model.space, b % S, 1, chains.batch.x + b * V);
        chains.batch.field_ok = chains.batch.hidden_ok = false;
        CHECK_OK(t->type->step(&t->sampler, &t->model, path, &chains, sweeps, t->work, error));
        for (size_t b = 0; b < CHAINS; b++)
            counts[(b % S) * S + ebm_states_code(&t->model.space, chains.batch.x + b * V)]++;
    }
    chi_square chi = {0, 0};
    ck_assert(ebm_kernel_power(S, sweeps, T, t->work));
    for (size_t v = 0; v < S; v++)
        chi_square_row(&chi, S, T + v * S, counts + v * S);
    ebm_chains_free(&chains);
    free(T);
    free(counts);
    return chi.statistic / chi_square_limit(chi.degrees);
}

static const setting walks[] = {
    {"gibbs-with-gradients", {NULL}, 1, false},
    {"gibbs-with-gradients", {"balance", "barker", "proposals", "2"}, 2, false},
    {"dmala", {"step", "0.7"}, 1, false},
    {"dmala", {"step", "6", "proposals", "2"}, 2, false},
    {"dmala", {"step", "0.7", "adjust", "false"}, 1, true},
};
enum { WALKS = sizeof walks / sizeof walks[0] };

START_TEST(test_discrete_gradient_steps_follow_kernel) {
    for (size_t k = 0; k < WALKS; k++)
        for (size_t sweeps = 1; sweeps <= 4; sweeps += 3)
            for (int base = 0; base <= (strcmp(targets[_i].model, "pairs") != 0); base++) {
                trial t;
                ebm_real parameters[MOST_UNITS * MOST_CATEGORIES];
                trial_open(&t, &targets[_i], 1, walks[k].sampler, walks[k].options);
                const ebm_base machine = base_of(&t, parameters);
                const ebm_path path = {base ? &machine : NULL, base ? 0.6 : 1.0};
                const double excess = transition_excess(&t, path, sweeps);
                ck_assert_msg(excess <= 1, "%s %zu on %s, base %d, %zu sweeps: %g", walks[k].sampler, k,
                              targets[_i].model, base, sweeps, excess);
                trial_close(&t);
            }
}
END_TEST

/* The planted mistake: each call of the gradient answers with what the call before it was asked for. */
static const ebm_model_type *real;
static ebm_real stale[CHAINS * MOST_UNITS];

static void stale_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    const size_t size = batch->count * model->space.size;
    real->grad_x(model, path, batch, out, work);
    for (size_t k = 0; k < size; k++) {
        const ebm_real now = out[k];
        out[k] = stale[k];
        stale[k] = now;
    }
}

START_TEST(test_discrete_gradient_checks_see_a_stale_gradient) {
    for (size_t k = 0; k < WALKS; k++) {
        trial t;
        trial_open(&t, &targets[0], 1, walks[k].sampler, walks[k].options);
        real = t.model.type;
        ebm_model_type wrong = *real;
        wrong.grad_x = stale_grad_x;
        t.model.type = &wrong;
        memset(stale, 0, sizeof stale);
        ck_assert_double_gt(transition_excess(&t, ebm_path_end(), 2), 1);
        t.model.type = real;
        trial_close(&t);
    }
}
END_TEST

/* Independent units: E(x) = -sum_i h_i(x_i). Then d is exact and the acceptance has a closed form:
 *   gibbs-with-gradients: min(1, Z(x) / Z(x')), Z(x) = sum over changes of g(p(x') / p(x));
 *   dmala: min(1, prod_i S_i(x_i) / S_i(x'_i)), S_i(a) = sum_c exp((h_i(c) - h_i(a)) / 2 - [c != a] |.|^2 / (2 alpha)),
 * for d_i cancels against p(x') / p(x). The mean of it in equilibrium, by enumeration. */
static double expected_acceptance(const trial *t, const double *p, bool all_units, int balance, double step) {
    const size_t S = states_of(t), V = t->target->units, q = t->target->categories;
    const double squared = t->target->domain == EBM_BINARY ? 1 : t->target->domain == EBM_SPIN ? 4 : 2;
    double *Z = oracle_memory(S), mean = 0;
    for (size_t s = 0; s < S; s++) {
        size_t code = s, weight = 1;
        Z[s] = all_units ? 1 : 0;
        for (size_t i = 0; i < V; i++, code /= q, weight *= q) {
            double sum = 0;
            for (size_t c = 0; c < q; c++) {
                const double ratio = p[s + c * weight - code % q * weight] / p[s];
                if (all_units)
                    sum += sqrt(ratio) * (c == code % q ? 1 : exp(-squared / (2 * step)));
                else if (c != code % q)
                    sum += balance ? ratio / (1 + ratio) : sqrt(ratio);
            }
            Z[s] = all_units ? Z[s] * sum : Z[s] + sum;
        }
    }
    for (size_t i = 0; i < S; i++)
        for (size_t j = 0; j < S; j++)
            mean += p[i] * proposal(t, p, 1, all_units, balance, step, i, j) * fmin(1, Z[i] / Z[j]);
    free(Z);
    return mean;
}

static size_t draw_code(const double *p, size_t S, test_random *r) {
    double u = test_random_uniform(r);
    size_t v = 0;
    while (v + 1 < S && u >= p[v])
        u -= p[v++];
    return v;
}

/* One proposal: as many are accepted as chains have moved, or, where a proposal may be to stay, at least as many. */
static bool counter_is_right(trial *t, ebm_chains *chains, bool may_stay) {
    const size_t V = t->model.space.size, B = chains->batch.count;
    ebm_real *before = malloc(B * V * sizeof *before);
    size_t moved = 0;
    memcpy(before, chains->batch.x, B * V * sizeof *before);
    CHECK_OK(t->type->step(&t->sampler, &t->model, ebm_path_end(), chains, 1, t->work, error));
    for (size_t b = 0; b < B; b++)
        moved += memcmp(before + b * V, chains->batch.x + b * V, V * sizeof *before) != 0;
    free(before);
    return chains->proposed == (double)B &&
           (may_stay ? chains->accepted >= (double)moved : chains->accepted == (double)moved);
}

START_TEST(test_discrete_gradient_acceptance_of_independent_units) {
    if (strcmp(targets[_i].model, "pairs") != 0)
        return;
    enum { PROPOSALS = 5 };
    double least = 2;
    for (size_t k = 0; k < DEFINITIONS; k++) {
        if (definitions[k].set.unadjusted)
            continue;
        trial t;
        trial_open(&t, &targets[_i], 1.5, definitions[k].set.sampler, definitions[k].set.options);
        const size_t V = t.model.space.size, S = states_of(&t), q = pairs_values(&t.model.space);
        memset(t.model.theta + V * q, 0, V * V * q * q * sizeof *t.model.theta);
        double *p = trial_law(&t, ebm_path_end());
        ebm_chains chains;
        test_random r = {4321};
        start_from(&t, &chains, CHAINS, EBM_PURPOSE_SAMPLE);
        for (size_t b = 0; b < CHAINS; b++)
            ebm_states_fill(&t.model.space, draw_code(p, S, &r), 1, chains.batch.x + b * V);
        ck_assert(counter_is_right(&t, &chains, definitions[k].all_units));
        CHECK_OK(t.type->step(&t.sampler, &t.model, ebm_path_end(), &chains, PROPOSALS - 1, t.work, error));
        const double want =
            expected_acceptance(&t, p, definitions[k].all_units, definitions[k].balance, definitions[k].step);
        /* a chain's share is in [0, 1] and the chains are independent (Hoeffding): false alarm 1e-6 */
        const double bound = sqrt(log(2e6) / (2.0 * CHAINS));
        const double got = chains.accepted / chains.proposed;
        ck_assert_msg(fabs(got - want) <= bound, "%s %zu: %g, not %g", definitions[k].set.sampler, k, got, want);
        least = fmin(least, want + 2 * bound);
        ebm_chains_free(&chains);
        free(p);
        trial_close(&t);
    }
    ck_assert_double_lt(least, 1); /* accepting always would be seen */
}
END_TEST

/* A flat energy: every proposal is as likely as its reverse and is accepted. */
START_TEST(test_discrete_gradient_accepts_all_on_a_flat_energy) {
    for (size_t k = 0; k < WALKS; k++) {
        trial t;
        ebm_chains chains;
        trial_open(&t, &targets[_i], 0, walks[k].sampler, walks[k].options);
        const bool adjust = !walks[k].unadjusted;
        const size_t per_step = walks[k].proposals;
        start_from(&t, &chains, 100, EBM_PURPOSE_SAMPLE);
        CHECK_OK(t.type->step(&t.sampler, &t.model, ebm_path_end(), &chains, 10, t.work, error));
        ck_assert_double_eq(chains.proposed, adjust ? 1000.0 * (double)per_step : 0);
        ck_assert_double_eq(chains.accepted, chains.proposed);
        ck_assert_uint_eq(chains.gradient_evaluations, 100 * (10 * per_step + (adjust ? 1 : 0)));
        ck_assert_uint_eq(chains.energy_evaluations, adjust ? chains.gradient_evaluations : 0);
        ck_assert_uint_eq(chains.site_updates, 0);
        ck_assert_uint_eq(chains.step, 20 * per_step);
        ebm_chains_free(&chains);
        trial_close(&t);
    }
}
END_TEST

/* The field that a step leaves is that of the new x. A sum of n stored numbers and at most 64 changes to it since it was
 * computed anew are off by (n + 64) u times the absolute sum of all parameters. */
START_TEST(test_discrete_gradient_field_follows) {
    for (size_t k = 0; k < WALKS; k++) {
        trial t;
        ebm_chains chains;
        trial_open(&t, &targets[_i], 1, walks[k].sampler, walks[k].options);
        const size_t F = t.model.n_field, B = 200;
        double M = 1;
        for (size_t n = 0; n < t.model.n_theta; n++)
            M += fabs((double)t.model.theta[n]);
        start_from(&t, &chains, B, EBM_PURPOSE_SAMPLE);
        for (size_t round = 0; round < 3; round++) {
            CHECK_OK(t.type->step(&t.sampler, &t.model, ebm_path_end(), &chains, 50, t.work, error));
            ck_assert(!chains.batch.hidden_ok);
            if (F == 0 || !chains.batch.field_ok)
                continue;
            ebm_real *field = malloc(B * F * sizeof *field);
            memcpy(field, chains.batch.field, B * F * sizeof *field);
            chains.batch.field_ok = false;
            ebm_model_field(&t.model, &chains.batch, t.work);
            for (size_t n = 0; n < B * F; n++)
                if (!(fabs((double)field[n] - (double)chains.batch.field[n]) <=
                      (double)(t.model.space.size + 65) * UNIT_ROUNDOFF * M))
                    ck_abort_msg("%s: field %zu is %g, not %g", walks[k].sampler, n, (double)field[n],
                                 (double)chains.batch.field[n]);
            memcpy(chains.batch.field, field, B * F * sizeof *field);
            free(field);
        }
        ck_assert(t.model.n_field == 0 || chains.batch.field_ok || strcmp(walks[k].sampler, "dmala") == 0);
        ebm_chains_free(&chains);
        trial_close(&t);
    }
}
END_TEST

/* Chains first ... first + count - 1 of a common start, `sweeps` steps on. */
static ebm_real *run_rows(trial *t, size_t first, size_t count, size_t sweeps, bool one_by_one, int threads) {
    const size_t V = t->model.space.size;
    ebm_real *out = malloc(count * V * sizeof *out);
    ebm_work *work;
    ebm_chains chains;
    CHECK_OK(ebm_work_create(threads, &work, error));
    CHECK_OK(ebm_chains_create(&t->model, count, ebm_stream_of(9, EBM_PURPOSE_ESTIMATE), &chains, error));
    chains.first_chain = (uint32_t)first;
    for (size_t b = 0; b < count; b++)
        for (size_t i = 0; i < V; i++)
            chains.batch.x[b * V + i] = (ebm_real)(((first + b) * 2654435761u + i * 40503u) >> 7 & 1u);
    for (size_t k = 0; k < (one_by_one ? sweeps : 1); k++)
        CHECK_OK(t->type->step(&t->sampler, &t->model, ebm_path_end(), &chains, one_by_one ? 1 : sweeps, work, error));
    memcpy(out, chains.batch.x, count * V * sizeof *out);
    ebm_chains_free(&chains);
    ebm_work_free(work);
    return out;
}

static int same_rows(const trial *t, ebm_real *a, size_t first, ebm_real *b, size_t count) {
    const size_t V = t->model.space.size;
    const int same = memcmp(a + first * V, b, count * V * sizeof *b) == 0;
    free(b);
    return same;
}

/* A chain's walk depends on its number and step alone: not on the rows beside it (these make two blocks), nor on how steps
 * are grouped, nor on threads. The model's loops are plain, so its numbers are the same to the bit. */
START_TEST(test_discrete_gradient_chains_are_independent_of_batching) {
    enum { ROWS = 20000, SWEEPS = 3 };
    static const target wide = {"pairs", EBM_BINARY, 10, 2, {NULL}};
    for (size_t k = 0; k < WALKS; k++) {
        trial t;
        trial_open(&t, &wide, 0.3, walks[k].sampler, walks[k].options);
        ebm_real *whole = run_rows(&t, 0, ROWS, SWEEPS, false, 1);
        ck_assert(same_rows(&t, whole, 0, run_rows(&t, 0, ROWS, SWEEPS, true, 1), ROWS));
        ck_assert(same_rows(&t, whole, 0, run_rows(&t, 0, ROWS, SWEEPS, false, 2), ROWS));
        ck_assert(same_rows(&t, whole, 0, run_rows(&t, 0, 100, SWEEPS, false, 1), 100));
        ck_assert(same_rows(&t, whole, 100, run_rows(&t, 100, ROWS - 100, SWEEPS, false, 1), ROWS - 100));
        ck_assert(!same_rows(&t, whole, 0, run_rows(&t, 1, ROWS - 1, SWEEPS, false, 1), ROWS - 1));
        free(whole);
        trial_close(&t);
    }
}
END_TEST

/* Parameters of 60: predicted changes of hundreds, far beyond float's exponents when taken one by one. States stay states;
 * an energy that is not finite is an error. */
START_TEST(test_discrete_gradient_extremes) {
    for (size_t k = 0; k < WALKS; k++) {
        trial t;
        ebm_chains chains;
        trial_open(&t, &targets[_i], 60, walks[k].sampler, walks[k].options);
        start_from(&t, &chains, 500, EBM_PURPOSE_SAMPLE);
        CHECK_OK(t.type->step(&t.sampler, &t.model, ebm_path_end(), &chains, 20, t.work, error));
        for (size_t b = 0; b < 500; b++) {
            ebm_real x[MOST_UNITS];
            const ebm_real *row = chains.batch.x + b * t.model.space.size;
            const size_t code = ebm_states_code(&t.model.space, row);
            ck_assert_uint_lt(code, states_of(&t));
            ebm_states_fill(&t.model.space, code, 1, x);
            ck_assert_int_eq(memcmp(x, row, t.model.space.size * sizeof *x), 0);
        }
        for (size_t n = 0; n < t.model.n_theta; n++)
            t.model.theta[n] = (ebm_real)NAN;
        chains.batch.field_ok = false;
        ebm_model_refresh(&t.model, t.work);
        ebm_error said = {0};
        const ebm_status status = t.type->step(&t.sampler, &t.model, ebm_path_end(), &chains, 2, t.work, &said);
        ck_assert_int_eq(status, walks[k].unadjusted ? EBM_OK : EBM_DIVERGED);
        ebm_chains_free(&chains);
        trial_close(&t);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("discrete_gradient_steps");
    TCase *steps = tcase_create("steps");
    tcase_add_loop_test(steps, test_discrete_gradient_steps_follow_kernel, 0, TARGETS);
    tcase_add_test(steps, test_discrete_gradient_checks_see_a_stale_gradient);
    tcase_add_loop_test(steps, test_discrete_gradient_acceptance_of_independent_units, 0, TARGETS);
    tcase_add_loop_test(steps, test_discrete_gradient_accepts_all_on_a_flat_energy, 0, TARGETS);
    tcase_add_loop_test(steps, test_discrete_gradient_field_follows, 0, TARGETS);
    tcase_add_test(steps, test_discrete_gradient_chains_are_independent_of_batching);
    tcase_add_loop_test(steps, test_discrete_gradient_extremes, 0, TARGETS);
    tcase_set_timeout(steps, 300);
    suite_add_tcase(suite, steps);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
