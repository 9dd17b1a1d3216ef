/* The ground-state estimator: the landscape by plain sums over all states, and walks whose every step is scripted. */
#include "rbm_fixture.h"

#include "components.h"
#include "ebm/estimator.h"

#include <stdlib.h>
#include <string.h>

enum { V = 7, S = 1 << V, STARTS = 400 };

typedef struct values {
    ebm_sink sink;
    size_t count;
    struct {
        char metric[32];
        double value, se;
    } row[16];
} values;

static ebm_status values_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    values *v = (values *)sink;
    (void)error;
    ck_assert(v->count < 16);
    snprintf(v->row[v->count].metric, sizeof v->row[0].metric, "%s", metric);
    v->row[v->count].value = value;
    v->row[v->count++].se = se;
    return EBM_OK;
}

static size_t find(const values *v, const char *metric) {
    for (size_t k = 0; k < v->count; k++)
        if (strcmp(v->row[k].metric, metric) == 0)
            return k;
    ck_abort_msg("no %s", metric);
}

static ebm_model model;
static void *model_options;
static ebm_work *work;
static double energies[S];

/* Couplings of eighths, so that all energies are exact, and `field` of the first unit. */
static void open_machine(double field) {
    static const char *const pairs[] = {"states", "spin", "init", "zero", NULL};
    const ebm_space space = ebm_space_line(EBM_SPIN, V);
    test_random r = {41};
    model_options = test_options(&ebm_boltzmann.info, pairs);
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_model_create(&ebm_boltzmann, model_options, &space, NULL, 1, &model, error));
    ebm_real *W = ebm_model_view(&model, "W"), *bias = ebm_model_view(&model, "bias");
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < i; j++)
            W[i * V + j] = W[j * V + i] = (ebm_real)((double)(test_random_word(&r) % 17) / 8 - 1);
    bias[0] = (ebm_real)field;
    ebm_model_refresh(&model, work);
    for (size_t s = 0; s < S; s++) {
        energies[s] = s & 1 ? -field : field;
        for (size_t i = 0; i < V; i++)
            for (size_t j = 0; j < i; j++)
                energies[s] -= (double)W[i * V + j] * ((s >> i & 1) == (s >> j & 1) ? 1 : -1);
    }
}

static void close_machine(void) {
    ebm_model_free(&model);
    test_options_free(&ebm_boltzmann.info, model_options);
    ebm_work_free(work);
}

static size_t lowest(void) {
    size_t best = 0;
    for (size_t s = 0; s < S; s++)
        best = energies[s] < energies[best] ? s : best;
    return best;
}

/* Chains below `share` STARTS get state `target` at the step `at`; others stay where they are. */
static struct {
    double share;
    size_t target, at, done;
    double beta;
} script;

static ebm_status scripted_step(ebm_sampler *sampler, const ebm_model *m, ebm_path path, ebm_chains *chains,
                                size_t steps, ebm_work *w, ebm_error *error) {
    (void)sampler, (void)w, (void)error;
    script.beta = path.beta;
    for (size_t t = 0; t < steps; t++)
        if (++script.done == script.at)
            for (size_t b = 0; b < chains->batch.count; b++)
                for (size_t i = 0; (double)b < script.share * STARTS && i < m->space.size; i++)
                    chains->batch.x[b * V + i] = script.target >> i & 1u ? 1 : -1;
    chains->batch.field_ok = false;
    return EBM_OK;
}
static const ebm_sampler_type scripted = {.info = {"scripted", "", "", NULL, 0}, .step = scripted_step};

static void estimate(double share, size_t target, size_t at, values *out) {
    static const char *const pairs[] = {"starts", "400", "sweeps", "10", "temperature", "0.25", NULL};
    void *options = test_options(&ebm_ground_state.info, pairs);
    ebm_sampler sampler = {.type = &scripted};
    const ebm_estimate_inputs in = {
        .model = &model, .sampler = &sampler, .path = ebm_path_end(), .seed = 9, .work = work};
    *out = (values){.sink = {values_emit, NULL}};
    script.share = share;
    script.target = target;
    script.at = at;
    script.done = 0;
    CHECK_OK(ebm_ground_state.estimate(options, &in, &out->sink, error));
    test_options_free(&ebm_ground_state.info, options);
}

/* Energies are exact; their sums in double to 1e-12. Without a field every state has its mirror image. */
START_TEST(test_ground_state_landscape) {
    values v;
    open_machine(_i ? 0.5 : 0);
    const double least = energies[lowest()];
    double next = INFINITY, mean = 0, variance = 0, count = 0;
    for (size_t s = 0; s < S; s++) {
        mean += energies[s] / S;
        count += energies[s] == least;
        next = energies[s] > least ? fmin(next, energies[s]) : next;
    }
    for (size_t s = 0; s < S; s++)
        variance += (energies[s] - mean) * (energies[s] - mean) / S;
    const double scale = sqrt(2 * variance / V);
    estimate(0, 0, 1, &v);
    ck_assert_double_eq_tol(v.row[find(&v, "ground_energy")].value, least / V, 1e-12);
    ck_assert_double_eq(v.row[find(&v, "ground_states")].value, count);
    ck_assert_double_ge(count, _i ? 1 : 2);
    ck_assert_double_eq_tol(v.row[find(&v, "energy_scale")].value, scale, 1e-12);
    ck_assert_double_eq_tol(v.row[find(&v, "ground_gap")].value, (next - least) / scale, 1e-12);
    ck_assert_double_eq_tol(script.beta, 1 / (0.25 * scale), 1e-9); /* T = 0.25 s */
    if (!_i) { /* variance = sum_(i<j) w_ij^2: the root mean square field */
        const ebm_real *W = ebm_model_view(&model, "W");
        double squares = 0;
        for (size_t k = 0; k < V * V; k++)
            squares += (double)W[k] * (double)W[k] / V;
        ck_assert_double_eq_tol(scale, sqrt(squares), 1e-12);
    }
    close_machine();
}
END_TEST

/* Walks that stay end at uniform states: 400 of them within 5 standard errors of the exact share and energy (6e-7 each). */
START_TEST(test_ground_state_starts_are_uniform) {
    values v;
    open_machine(0.5);
    const double least = energies[lowest()];
    double p = 0, above = 0, square = 0;
    for (size_t s = 0; s < S; s++) {
        const double e = (energies[s] - least) / fabs(least);
        p += (energies[s] == least) / (double)S;
        above += e / S;
        square += e * e / S;
    }
    estimate(0, 0, 1, &v);
    ck_assert_double_eq_tol(v.row[find(&v, "energy_above")].value, above, 5 * sqrt((square - above * above) / STARTS));
    /* a binomial count of mean 3: P(more than 20) < 1e-10 */
    ck_assert_double_le(v.row[find(&v, "ground_share")].value, 20.0 / STARTS);
    ck_assert_double_eq(v.row[find(&v, "walk_sweeps")].value, 1);
    ck_assert_double_le(p, 3.5 / STARTS);
    close_machine();
}
END_TEST

/* A share of the walks jumps to the ground state at step 4 and rests: 5 sweeps; the others rest from the start: 1. */
START_TEST(test_ground_state_walks) {
    static const double shares[] = {1, 0.25};
    values v;
    open_machine(0.5);
    estimate(shares[_i], lowest(), 4, &v);
    const double by_chance = v.row[find(&v, "ground_share")].value - shares[_i];
    const double p = shares[_i] + by_chance, c = v.row[find(&v, "walk_sweeps")].value;
    ck_assert(by_chance >= 0 && by_chance <= 20.0 / STARTS);
    /* a walk that starts in the ground state rests too */
    ck_assert(c <= 1 + 4 * shares[_i] && c >= 1 + 4 * shares[_i] - 4 * 20.0 / STARTS);
    ck_assert_double_eq_tol(v.row[find(&v, "ground_share")].se, sqrt(p * (1 - p) / (STARTS - 1)), 1e-12);
    const double walks = p < 0.99 ? log(0.01) / log(1 - p) : 1;
    const size_t at = find(&v, "sweeps_to_solution");
    ck_assert_double_eq_tol(v.row[at].value, c * walks, 1e-9);
    /* the error by central differences in p and c */
    const double h = 1e-6, of_p = p < 0.99 ? c * (log(0.01) / log1p(-p - h) - log(0.01) / log1p(-p + h)) / (2 * h) : 0;
    const double se = hypot(of_p * v.row[find(&v, "ground_share")].se, walks * v.row[find(&v, "walk_sweeps")].se);
    ck_assert_double_eq_tol(v.row[at].se, se, 1e-5 * (1 + se));
    close_machine();
}
END_TEST

/* No walk finds it: no time to solution. The last step changes something: it is the cost. */
START_TEST(test_ground_state_not_found) {
    values v;
    size_t highest = 0;
    open_machine(0.5);
    for (size_t s = 0; s < S; s++)
        highest = energies[s] > energies[highest] ? s : highest;
    estimate(1, highest, 10, &v);
    ck_assert_double_eq(v.row[find(&v, "ground_share")].value, 0);
    ck_assert(isnan(v.row[find(&v, "sweeps_to_solution")].value));
    ck_assert_double_eq_tol(v.row[find(&v, "energy_above")].value,
                            (energies[highest] - energies[lowest()]) / fabs(energies[lowest()]), 1e-12);
    ck_assert_double_ge(v.row[find(&v, "walk_sweeps")].value, 9.5);
    close_machine();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ground-state");
    TCase *tests = tcase_create("estimator");
    tcase_add_loop_test(tests, test_ground_state_landscape, 0, 2);
    tcase_add_test(tests, test_ground_state_starts_are_uniform);
    tcase_add_loop_test(tests, test_ground_state_walks, 0, 2);
    tcase_add_test(tests, test_ground_state_not_found);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
