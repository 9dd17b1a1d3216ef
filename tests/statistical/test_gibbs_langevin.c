/* Gibbs-Langevin against its definition: the law of K steps, what the adjusted chain leaves invariant at several steps,
 * the bias of the unadjusted one, the temperature of the published mode, reversibility, and planted mistakes. */
#include "grbm_fixture.h"

#include "components.h"
#include "statistics.h"

enum { CHAINS = 20000 };

/* ---- The law of K Langevin steps ---- */

static const struct {
    const char *mode, *anneal, *method;
} laws[] = {{"correct", "true", "closed"},   {"correct", "true", "steps"},   {"correct", "false", "closed"},
            {"correct", "false", "steps"},   {"faithful", "true", "closed"}, {"faithful", "true", "steps"},
            {"faithful", "false", "closed"}, {"faithful", "false", "steps"}};
enum { LAWS = sizeof laws / sizeof *laws, DRAWS = 1000000, ROWS = 50000 };

/* Mean and variance of unit i after K steps from v at fixed h, step by step as the equation says. */
static void follow(const grbm_fixture *f, size_t i, const double *hidden, double v, bool faithful, bool anneal,
                   double *mean, double *variance) {
    enum { K = 6 };
    const double eta = 1.2, batch = 3;
    const size_t V = f->model.space.size, H = f->model.n_hidden;
    const ebm_real *W = ebm_model_view(&f->model, "W"), *mu = ebm_model_view(&f->model, "visible_bias");
    const ebm_real *log_variance = ebm_model_view(&f->model, "log_variance");
    double average = 0, centre = (double)mu[i];
    for (size_t u = 0; u < V; u++)
        average += exp((double)log_variance[u]) / (double)V;
    for (size_t j = 0; j < H; j++)
        centre += (double)W[i * H + j] * hidden[j];
    *mean = v;
    *variance = 0;
    for (int k = 0; k < K; k++) {
        const double at = anneal ? eta / 2 * (1 + cos(3.14159265358979323846 * k / K)) : eta;
        const double alpha = at * average / batch, keep = 1 - alpha / exp((double)log_variance[i]);
        *mean = centre + keep * (*mean - centre);
        *variance = keep * keep * *variance + 2 * (faithful ? batch : 1) * alpha;
    }
}

/* 10^6 draws: mean and variance of each unit within 5 standard errors (the variance's is variance sqrt(2 / n)), and
 * neighbouring units uncorrelated within 5 / sqrt(n). 72 comparisons: 5e-5. */
START_TEST(test_gibbs_langevin_law_of_steps) {
    enum { V = 3, H = 2 };
    static const double hidden[H] = {1, 0}, start[V] = {0.7, -1.5, 2};
    grbm_fixture f;
    grbm_walk w;
    grbm_open(&f, V, H, 0.7, 21);
    const char *const pairs[] = {"langevin_steps", "6",      "step",          "1.2",    "batch",         "3", "mode",
                                 laws[_i].mode,    "anneal", laws[_i].anneal, "method", laws[_i].method, NULL};
    grbm_walk_open(&w, &f, "gibbs-langevin", pairs, ROWS);
    moments m[V] = {{0}};
    double products[V] = {0};
    for (size_t done = 0; done < DRAWS; done += ROWS) {
        for (size_t b = 0; b < ROWS; b++) {
            for (size_t i = 0; i < V; i++)
                w.chains.batch.x[b * V + i] = (ebm_real)start[i];
            for (size_t j = 0; j < H; j++)
                w.chains.batch.hidden[b * H + j] = (ebm_real)hidden[j];
        }
        w.chains.batch.field_ok = false;
        w.chains.batch.hidden_ok = true;
        grbm_walk_step(&w, &f, 1);
        for (size_t b = 0; b < ROWS; b++)
            for (size_t i = 0; i < V; i++) {
                const ebm_real *x = w.chains.batch.x + b * V;
                moments_add(&m[i], (double)x[i]);
                products[i] += (double)x[i] * (double)x[(i + 1) % V];
            }
    }
    double mean[V], variance[V];
    for (size_t i = 0; i < V; i++)
        follow(&f, i, hidden, start[i], strcmp(laws[_i].mode, "faithful") == 0, strcmp(laws[_i].anneal, "true") == 0,
               &mean[i], &variance[i]);
    for (size_t i = 0; i < V; i++) {
        const double n = DRAWS, got = products[i] / n - m[i].mean * m[(i + 1) % V].mean;
        ck_assert_msg(fabs(m[i].mean - mean[i]) < 5 * sqrt(variance[i] / n), "mean %zu: %g, not %g", i, m[i].mean,
                      mean[i]);
        ck_assert_msg(fabs(moments_variance(&m[i]) / variance[i] - 1) < 5 * sqrt(2 / n), "variance %zu: %g, not %g", i,
                      moments_variance(&m[i]), variance[i]);
        ck_assert_msg(fabs(got) < 5 * sqrt(variance[i] * variance[(i + 1) % V] / n), "covariance %zu: %g", i, got);
    }
    grbm_walk_close(&w);
    grbm_close(&f);
}
END_TEST

/* ---- What stays ---- */

static const char *const sizes[] = {"0.1", "0.5", "1.5"};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* 5 adjusted steps from exact draws: the worse unit of the exact law at the path. */
static double after_steps(grbm_fixture *f, const char *mode, const char *size, const char *batch, ebm_path path) {
    const char *const pairs[] = {"langevin_steps", "4",    "step", size, "batch", batch,
                                 "adjust",         "true", "mode", mode, NULL};
    grbm_walk w;
    grbm_walk_open(&w, f, "gibbs-langevin", pairs, CHAINS);
    grbm_walk_start(&w, f, path);
    if (strcmp(mode, "faithful") == 0) { /* h belongs to the tempered joint law, not to p(h | v) */
        f->type->field(&f->model, &w.chains.batch, f->work);
        f->type->sample_hidden(&f->model, path, &w.chains.batch, ebm_stream_of(2, EBM_PURPOSE_SAMPLE), 0, 0, f->work);
        w.chains.batch.field_ok = w.chains.batch.hidden_ok = true;
    }
    grbm_walk_step(&w, f, 5);
    const double worst = grbm_worst_adjusted(&w, f, path, 0.02);
    grbm_walk_close(&w);
    return worst;
}

START_TEST(test_gibbs_langevin_adjusted_is_exact) {
    grbm_fixture f;
    grbm_open(&f, 2, 3, 0.8, 22);
    const double worst = after_steps(&f, "correct", sizes[_i], "1", ebm_path_end());
    ck_assert_msg(worst <= 1, "step %s: %g times the limit", sizes[_i], worst);
    grbm_close(&f);
}
END_TEST

/* With batch 2 the published program's adjusted chain leaves exp(-E / 2) invariant. */
START_TEST(test_gibbs_langevin_faithful_temperature) {
    grbm_fixture f;
    grbm_open(&f, 2, 3, 0.8, 22);
    const double worst = after_steps(&f, "faithful", "1", "2", (ebm_path){NULL, 0.5});
    ck_assert_msg(worst <= 1, "%g times the limit", worst);
    const double at_one = after_steps(&f, "faithful", "1", "2", ebm_path_end());
    ck_assert_msg(at_one > 3, "the law at temperature 1 passes, too: %g", at_one);
    grbm_close(&f);
}
END_TEST

/* ---- Mistakes that must be seen ---- */

/* Every other call: the proposal's mean and the mean that its density back is taken at no longer agree. (Hidden units
 * drawn from another law would be no mistake for v: any g(h | v) in place of p(h | v) cancels from the ratio.) */
static ebm_status means_that_disagree(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *mean,
                                      ebm_real *variance, ebm_work *work, ebm_error *error) {
    static size_t calls;
    EBM_TRY(ebm_grbm.gaussian_visible(model, path, batch, mean, variance, work, error));
    for (size_t k = 0; calls % 2 == 1 && k < batch->count * model->space.size; k++)
        mean[k] += (ebm_real)0.6;
    calls++;
    return EBM_OK;
}

START_TEST(test_gibbs_langevin_mistakes_are_seen) {
    grbm_fixture f;
    grbm_open(&f, 2, 3, 0.8, 22);
    f.model.type = &f.wrong;
    if (_i == 0)
        f.wrong.energy = grbm_energy_off;
    else
        f.wrong.gaussian_visible = means_that_disagree;
    const double worst = after_steps(&f, "correct", "0.5", "1", ebm_path_end());
    ck_assert_msg(worst > 1.2, "mistake %d passes at %g of the limit", _i, worst);
    grbm_close(&f);
}
END_TEST

/* ---- The unadjusted chain ---- */

/* Without weights v is by itself an autoregression: with K equal steps alpha its stationary variance is
 * sigma^2 / (1 - alpha / (2 sigma^2)), in mode faithful `batch` times that. Units of equal variance, so that alpha is
 * eta / batch sigma^2. Mean squares of CHAINS independent normals: 5 sqrt(2 / n). */
START_TEST(test_gibbs_langevin_bias) {
    enum { V = 2 };
    grbm_fixture f;
    grbm_walk w;
    grbm_open(&f, V, 2, 0, 23);
    const bool faithful = _i % 2 == 1;
    const double batch = 4, eta = 2;
    const char *const pairs[] = {"langevin_steps",
                                 "3",
                                 "step",
                                 "2",
                                 "batch",
                                 "4",
                                 "mode",
                                 faithful ? "faithful" : "correct",
                                 "anneal",
                                 "false",
                                 "method",
                                 _i / 2 ? "steps" : "closed",
                                 NULL};
    grbm_walk_open(&w, &f, "gibbs-langevin", pairs, CHAINS);
    ck_assert(!w.sampler.exact);
    grbm_walk_start(&w, &f, ebm_path_end());
    grbm_walk_step(&w, &f, 40); /* (1 - alpha)^120 = 1e-36 of the start is left */
    double squares = 0;
    for (size_t k = 0; k < CHAINS * V; k++)
        squares += (double)w.chains.batch.x[k] * (double)w.chains.batch.x[k] / (CHAINS * V);
    const double want = (faithful ? batch : 1) / (1 - eta / batch / 2);
    ck_assert_msg(fabs(squares / want - 1) < 5 * sqrt(2.0 / (CHAINS * V)), "%g, not %g", squares, want);
    ck_assert(fabs(squares - 1) > 0.1); /* the exact variance is 1 */
    grbm_walk_close(&w);
    grbm_close(&f);
}
END_TEST

/* ---- Reversible on pairs (v, h) ---- */

/* Cells of v by h, from exact pairs: as many moves from a to b as from b to a. 2 x 5 cells, 45 differences of Poisson
 * counts: 5.2 standard deviations, 1e-5 in all. */
START_TEST(test_gibbs_langevin_reversible) {
    enum { CELLS = 10, PAIRS = 200000 };
    grbm_fixture f;
    grbm_walk w;
    grbm_open(&f, 1, 1, 1, 24);
    static const char *const pairs[] = {"langevin_steps", "2", "step", "1", "batch", "1", "adjust", "true", NULL};
    grbm_walk_open(&w, &f, "gibbs-langevin", pairs, PAIRS);
    grbm_walk_start(&w, &f, ebm_path_end());
    ebm_model_field(&f.model, &w.chains.batch, f.work);
    f.type->sample_hidden(&f.model, ebm_path_end(), &w.chains.batch, ebm_stream_of(2, EBM_PURPOSE_SAMPLE), 0, 0,
                          f.work);
    size_t *from = calloc(PAIRS, sizeof *from);
    double counts[CELLS][CELLS] = {{0}};
    for (int after = 0; after < 2; after++) {
        for (size_t b = 0; b < PAIRS; b++) {
            const double v = (double)w.chains.batch.x[b];
            const size_t cell = (size_t)(v > -1) + (v > 0) + (v > 1) + (v > 2);
            const size_t code = 2 * cell + (w.chains.batch.hidden[b] > 0);
            if (after)
                counts[from[b]][code]++;
            from[b] = code;
        }
        if (!after)
            grbm_walk_step(&w, &f, 1);
    }
    for (size_t a = 0; a < CELLS; a++)
        for (size_t b = 0; b < a; b++) {
            const double sum = counts[a][b] + counts[b][a], difference = counts[a][b] - counts[b][a];
            ck_assert_msg(fabs(difference) <= 5.2 * sqrt(sum), "%zu to %zu: %g, back: %g", a, b, counts[a][b],
                          counts[b][a]);
        }
    free(from);
    grbm_walk_close(&w);
    grbm_close(&f);
}
END_TEST

/* ---- The same bytes ---- */

/* `calls` calls of `steps` steps by so many threads, in setting 0 ... 3: adjusted or not, both modes. */
static void walk_from_exact_draws(grbm_walk *w, grbm_fixture *f, int setting, size_t count, int calls, size_t steps,
                                  int threads) {
    const char *const pairs[] = {"langevin_steps",
                                 "3",
                                 "step",
                                 "1",
                                 "batch",
                                 "2",
                                 "adjust",
                                 setting % 2 ? "true" : "false",
                                 "mode",
                                 setting / 2 ? "faithful" : "correct",
                                 NULL};
    ebm_work *const own = f->work;
    CHECK_OK(ebm_work_create(threads, &f->work, error));
    grbm_walk_open(w, f, "gibbs-langevin", pairs, count);
    grbm_walk_start(w, f, ebm_path_end());
    for (int k = 0; k < calls; k++)
        grbm_walk_step(w, f, steps);
    ebm_work_free(f->work);
    f->work = own;
}

static void check_same_and_close(grbm_walk w[2], const grbm_fixture *f, int setting) {
    const size_t count = w[0].chains.batch.count, V = f->model.space.size, H = f->model.n_hidden;
    ck_assert_mem_eq(w[0].chains.batch.x, w[1].chains.batch.x, count * V * sizeof(ebm_real));
    ck_assert_mem_eq(w[0].chains.batch.hidden, w[1].chains.batch.hidden, count * H * sizeof(ebm_real));
    ck_assert(w[0].chains.accepted == w[1].chains.accepted);
    if (setting % 2) /* accepted and rejected rows were both kept for another step */
        ck_assert(w[0].chains.accepted > 0 && w[0].chains.accepted < w[0].chains.proposed);
    for (int k = 0; k < 2; k++)
        grbm_walk_close(&w[k]);
}

/* What a step keeps for the next (the means at h, energies, the field): one call of six steps and six calls of one. */
START_TEST(test_gibbs_langevin_calls_cut) {
    grbm_fixture f;
    grbm_walk w[2];
    grbm_open(&f, 5, 4, 0.8, 26);
    walk_from_exact_draws(&w[0], &f, _i, 40, 1, 6, 1);
    walk_from_exact_draws(&w[1], &f, _i, 40, 6, 1, 1);
    check_same_and_close(w, &f, _i);
    grbm_close(&f);
}
END_TEST

/* Enough units for a parallel region. */
START_TEST(test_gibbs_langevin_threads) {
    grbm_fixture f;
    grbm_walk w[2];
    grbm_open(&f, 2, 3, 0.8, 27);
    walk_from_exact_draws(&w[0], &f, _i, CHAINS, 1, 3, 1);
    walk_from_exact_draws(&w[1], &f, _i, CHAINS, 1, 3, 3);
    check_same_and_close(w, &f, _i);
    grbm_close(&f);
}
END_TEST

/* A step far beyond stability. */
START_TEST(test_gibbs_langevin_refusals) {
    grbm_fixture f;
    grbm_walk w;
    ebm_error failure;
    grbm_open(&f, 2, 2, 0.5, 25);
    static const char *const pairs[] = {"step",  "50",     "batch", "1", "langevin_steps", "400", "anneal",
                                        "false", "method", "steps", NULL};
    grbm_walk_open(&w, &f, "gibbs-langevin", pairs, 4);
    grbm_walk_start(&w, &f, ebm_path_end());
    ck_assert_int_eq(w.type->step(&w.sampler, &f.model, ebm_path_end(), &w.chains, 1, f.work, &failure), EBM_DIVERGED);
    ck_assert_ptr_nonnull(strstr(failure.message, "too large"));
    grbm_walk_close(&w);
    grbm_close(&f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("gibbs-langevin");
    TCase *cases = tcase_create("statistical");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, test_gibbs_langevin_law_of_steps, 0, LAWS);
    tcase_add_loop_test(cases, test_gibbs_langevin_adjusted_is_exact, 0, SIZES);
    tcase_add_test(cases, test_gibbs_langevin_faithful_temperature);
    tcase_add_loop_test(cases, test_gibbs_langevin_mistakes_are_seen, 0, 2);
    tcase_add_loop_test(cases, test_gibbs_langevin_bias, 0, 4);
    tcase_add_test(cases, test_gibbs_langevin_reversible);
    tcase_add_loop_test(cases, test_gibbs_langevin_calls_cut, 0, 4);
    tcase_add_loop_test(cases, test_gibbs_langevin_threads, 0, 4);
    tcase_add_test(cases, test_gibbs_langevin_refusals);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
