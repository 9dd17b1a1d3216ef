/* The library's models of the real line by its samplers: exact draws, energies and distribution functions of a model
 * belong together if draws that a sampler has moved by the energies still follow the distribution functions. And large
 * batches give the same bytes by one thread and by three, in one call and in several.
 *
 * Fixed seeds; each comparison at 1e-6 over the number of them. */
#include "real_cases.h"

typedef struct real_model {
    const char *label, *name;
    const char *options[MOST_OPTIONS];
} real_model;

static const real_model models[] = {
    {"gaussian, random", "gaussian", {"units", "5", "covariance", "random", "condition", "20", "mean", "1"}},
    {"gaussian, diagonal", "gaussian", {"units", "3", "covariance", "diagonal", "scale", "2"}},
    {"gaussian, autoregressive", "gaussian", {"units", "4", "covariance", "autoregressive", "correlation", "-0.7"}},
    {"mixture, pair", "gaussian-mixture", {"separation", "3", "weight", "0.3"}},
    {"mixture, triangle", "gaussian-mixture", {"layout", "triangle"}},
    {"mixture, anisotropic", "gaussian-mixture", {"layout", "anisotropic"}},
    {"banana", "banana", {"pairs", "2", "length", "2", "bend", "0.3"}},
    {"funnel", "funnel", {"size", "3", "deviation", "1"}},
    {"student-t", "student-t", {"size", "3", "degrees", "3", "scale", "2"}},
    {"double-well", "double-well", {"size", "2", "barrier", "2", "tilt", "0.3"}},
    {"eight-schools, centred", "eight-schools", {NULL}},
    {"eight-schools, non-centred", "eight-schools", {"parametrisation", "non-centred"}},
    {"mixture-posterior", "mixture-posterior", {"count", "30"}},
    {"logistic-posterior", "logistic-posterior", {"examples", "50", "features", "4"}},
};
enum { MODELS = sizeof models / sizeof *models, COMPARISONS = 4000 };

typedef struct model_bench {
    const ebm_model_type *type;
    void *model_options, *sampler_options;
    ebm_model model;
    const ebm_sampler_type *sampler_type;
    ebm_sampler sampler;
    ebm_work *work;
} model_bench;

static void model_open(model_bench *b, const real_model *m, const char *sampler, const char *const *options) {
    memset(b, 0, sizeof *b);
    b->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, m->name);
    ck_assert_msg(b->type != NULL, "no model %s", m->name);
    b->model_options = test_options(&b->type->info, m->options);
    b->sampler_type = real_sampler(sampler);
    b->sampler_options = test_options(&b->sampler_type->info, options);
    CHECK_OK(ebm_work_create(1, &b->work, error));
    CHECK_OK(ebm_model_create(b->type, b->model_options, NULL, NULL, 3, &b->model, error));
    CHECK_OK(ebm_sampler_create(b->sampler_type, b->sampler_options, &b->model, &b->sampler, error));
}

static void model_close(model_bench *b) {
    ebm_sampler_free(&b->sampler);
    test_options_free(&b->sampler_type->info, b->sampler_options);
    ebm_model_free(&b->model);
    test_options_free(&b->type->info, b->model_options);
    ebm_work_free(b->work);
}

static void model_step(model_bench *b, ebm_work *work, ebm_chains *chains, bool adapting, size_t steps) {
    chains->adapting = adapting;
    chains->warmup_left = adapting ? steps : 0;
    CHECK_OK(b->sampler_type->step(&b->sampler, &b->model, ebm_path_end(), chains, steps, work, error));
    chains->adapting = false;
    chains->warmup_left = 0;
}

/* Exact draws at numbers of `round`; false where the model has none. */
static bool model_draw(model_bench *b, ebm_chains *chains, uint64_t round) {
    ebm_error refusal = {0};
    const ebm_stream stream = ebm_stream_of(12, EBM_PURPOSE_CHAIN_START);
    if (!b->type->sample_exact)
        return false;
    const ebm_status status =
        b->type->sample_exact(&b->model, ebm_path_end(), &chains->batch, stream, 0, 4 * round, b->work, &refusal);
    ck_assert_msg(status == EBM_OK || status == EBM_UNSUPPORTED, "%s", refusal.message);
    chains->batch.field_ok = chains->batch.hidden_ok = false;
    return status == EBM_OK;
}

/* The worst of all units whose distribution function is known; 0 where none is. x (count, units). */
static double model_excess(model_bench *b, const ebm_real *x, size_t count, double alarm) {
    const size_t V = b->model.space.size;
    double *t = calloc(count, sizeof *t), *u = calloc(count, sizeof *u), worst = 0;
    ck_assert(t && u);
    for (size_t i = 0; i < V && b->type->marginal_cdf; i++) {
        ebm_error refusal = {0};
        double cells[REAL_CELLS] = {0};
        for (size_t r = 0; r < count; r++)
            t[r] = (double)x[r * V + i];
        const ebm_status status = b->type->marginal_cdf(&b->model, ebm_path_end(), i, t, count, u, b->work, &refusal);
        ck_assert_msg(status == EBM_OK || status == EBM_UNSUPPORTED, "%s", refusal.message);
        for (size_t r = 0; r < count && status == EBM_OK; r++)
            cells[real_cell(u[r], REAL_CELLS)]++;
        if (status == EBM_OK)
            worst = fmax(worst, fmax(real_uniform_excess(REAL_CELLS, cells, alarm), real_distance(u, count, alarm)));
    }
    free(t);
    free(u);
    return worst;
}

START_TEST(test_real_models_law) {
    static const char *const samplers[] = {"mala", "hmc"};
    enum { ROWS = 1000, ROUNDS = 3, STEPS = 4, WARMUP = 40 };
    for (size_t s = 0; s < 2; s++) {
        model_bench b;
        ebm_chains chains;
        model_open(&b, &models[_i], samplers[s], NULL);
        const size_t V = b.model.space.size;
        ebm_real *all = calloc((size_t)ROWS * ROUNDS * V, sizeof *all);
        ck_assert_ptr_nonnull(all);
        CHECK_OK(ebm_chains_create(&b.model, ROWS, ebm_stream_of(3, EBM_PURPOSE_ESTIMATE), &chains, error));
        const bool known = model_draw(&b, &chains, 0);
        CHECK_OK(ebm_sampler_attach(&b.sampler, &b.model, &chains, error));
        if (known)
            model_step(&b, b.work, &chains, true, WARMUP);
        for (size_t round = 0; known && round < ROUNDS; round++) {
            ck_assert(model_draw(&b, &chains, 1 + round));
            model_step(&b, b.work, &chains, false, STEPS);
            memcpy(all + round * ROWS * V, chains.batch.x, ROWS * V * sizeof *all);
        }
        const double excess = known ? model_excess(&b, all, (size_t)ROWS * ROUNDS, 1e-6 / COMPARISONS) : 0;
        ck_assert_msg(excess <= 1, "%s by %s: draws leave the marginal laws (%.3g times what is allowed)",
                      models[_i].label, samplers[s], excess);
        free(all);
        ebm_chains_free(&chains);
        model_close(&b);
    }
}
END_TEST

/* From N(0, 1): by `threads`, `cut`: in three calls. */
static void model_run(model_bench *b, int threads, bool cut, size_t rows, ebm_chains *out) {
    ebm_work *work;
    CHECK_OK(ebm_work_create(threads, &work, error));
    CHECK_OK(ebm_chains_create(&b->model, rows, ebm_stream_of(3, EBM_PURPOSE_ESTIMATE), out, error));
    for (size_t r = 0; r < rows; r++)
        ebm_random_normal_plain(ebm_stream_of(1, EBM_PURPOSE_CHAIN_START), (uint32_t)r, 0, b->model.space.size,
                                out->batch.x + r * b->model.space.size);
    CHECK_OK(ebm_sampler_attach(&b->sampler, &b->model, out, error));
    for (size_t left = 6; left > 0; left -= cut ? 2 : 6) {
        out->adapting = true;
        out->warmup_left = left;
        CHECK_OK(b->sampler_type->step(&b->sampler, &b->model, ebm_path_end(), out, cut ? 2 : 6, work, error));
    }
    model_step(b, work, out, false, 2);
    ebm_work_free(work);
}

START_TEST(test_real_models_bytes) {
    static const char *const samplers[] = {"random-walk", "hmc"};
    for (size_t s = 0; s < 2; s++) {
        model_bench b;
        ebm_chains whole, other;
        model_open(&b, &models[_i], samplers[s], NULL);
        const size_t rows = 18000 / b.model.space.size;
        model_run(&b, 1, false, rows, &whole);
        for (int k = 0; k < 2; k++) {
            model_run(&b, k == 0 ? 3 : 1, k == 1, rows, &other);
            ck_assert_msg(bytes_agree(&whole, &other, b.model.space.size), "%s by %s: other bytes %s", models[_i].label,
                          samplers[s], k == 0 ? "by three threads" : "when cut into calls");
            ebm_chains_free(&other);
        }
        ebm_chains_free(&whole);
        model_close(&b);
    }
}
END_TEST

/* A state that is not a number, or infinite, in one unit, beside others near 0 or as far out as trajectories that diverge
 * go, has no finite energy: no sampler may accept it. */
START_TEST(test_real_models_energy_of_what_is_not_finite) {
    static const double wrong[] = {NAN, INFINITY, -INFINITY}, beside[] = {0, 0.3, -1e37};
    model_bench b;
    ebm_chains chains;
    model_open(&b, &models[_i], "random-walk", NULL);
    const size_t V = b.model.space.size;
    CHECK_OK(ebm_chains_create(&b.model, 1, ebm_stream_of(3, EBM_PURPOSE_ESTIMATE), &chains, error));
    for (size_t i = 0; i < V; i++)
        for (size_t k = 0; k < 9; k++) {
            double energy = 0;
            for (size_t j = 0; j < V; j++)
                chains.batch.x[j] = (ebm_real)(j == i ? wrong[k / 3] : beside[k % 3]);
            chains.batch.field_ok = false;
            ebm_model_field(&b.model, &chains.batch, b.work);
            b.type->energy(&b.model, ebm_path_end(), &chains.batch, &energy, b.work);
            ck_assert_msg(!isfinite(energy), "%s: unit %zu at %g, the others at %g: energy %g", models[_i].label, i,
                          wrong[k / 3], beside[k % 3], energy);
        }
    ebm_chains_free(&chains);
    model_close(&b);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("models on real spaces");
    TCase *c = tcase_create("models");
    tcase_add_loop_test(c, test_real_models_law, 0, MODELS);
    tcase_add_loop_test(c, test_real_models_bytes, 0, MODELS);
    tcase_add_loop_test(c, test_real_models_energy_of_what_is_not_finite, 0, MODELS);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
