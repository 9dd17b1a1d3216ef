/* The estimator minima against its definition, state by state, on machines whose couplings are small whole numbers (ties
 * included) or normal; with patterns of its own; with mistakes planted into a model's energy and into a sampler. */
#include "rbm_fixture.h"

#include "ebm/enumerate.h"
#include "ebm/estimator.h"

enum { MOST_UNITS = 12, MOST_ROWS = 2000 };

typedef struct row {
    char metric[40];
    uint64_t step;
    double value;
} row;
static struct {
    ebm_sink sink;
    uint64_t step;
    size_t count;
    row rows[MOST_ROWS];
} sunk;

static ebm_status sink_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)sink;
    (void)error;
    if (!isnan(se) || sunk.count >= MOST_ROWS)
        ck_abort_msg("row %zu, s.e. %g", sunk.count, se);
    row *r = &sunk.rows[sunk.count++];
    snprintf(r->metric, sizeof r->metric, "%s", metric);
    r->step = sunk.step;
    r->value = value;
    return EBM_OK;
}

static void sink_at(ebm_sink *sink, uint64_t step) {
    (void)sink;
    sunk.step = step;
}

static double value_at(const char *metric, uint64_t step) {
    for (size_t i = 0; i < sunk.count; i++)
        if (strcmp(sunk.rows[i].metric, metric) == 0 && sunk.rows[i].step == step)
            return sunk.rows[i].value;
    return NAN;
}

enum { NOW = 100000 }; /* a step that is no state's code */

/* A dense machine, patterns, and what the definition says of them. */
typedef struct memory {
    size_t V, S;
    ebm_model_type type;
    void *options, *sampler_options;
    ebm_model model;
    ebm_work *work;
    ebm_sampler_type descent;
    ebm_sampler sampler;
    ebm_dataset data;
    uint8_t patterns[4 * MOST_UNITS];
    ebm_estimate_inputs inputs;
    size_t ends[1 << MOST_UNITS], basin[1 << MOST_UNITS];
    int kind[1 << MOST_UNITS];
    double energy[1 << MOST_UNITS];
} memory;

static void define(memory *m, double tie) {
    const bool spin = m->model.space.domain == EBM_SPIN;
    const ebm_real *W = ebm_model_view(&m->model, "W"), *bias = ebm_model_view(&m->model, "bias");
    bool *pattern = calloc(m->S, sizeof *pattern);
    for (size_t k = 0; k < 4; k++) {
        size_t code = 0;
        for (size_t i = 0; i < m->V; i++)
            code |= (size_t)m->patterns[k * m->V + i] << i;
        pattern[code] = true;
    }
    for (size_t s = 0; s < m->S; s++) {
        m->energy[s] = 0;
        for (size_t i = 0; i < m->V; i++) {
            const double x = s >> i & 1 ? 1 : spin ? -1 : 0;
            m->energy[s] -= (double)bias[i] * x;
            for (size_t j = 0; j < i; j++)
                m->energy[s] -= (double)W[i * m->V + j] * x * (s >> j & 1 ? 1 : spin ? -1 : 0);
        }
    }
    memset(m->basin, 0, sizeof m->basin);
    for (size_t s = 0; s < m->S; s++) {
        size_t at = s, before = m->S;
        while (before != at) {
            before = at;
            for (size_t i = 0; i < m->V; i++)
                if (m->energy[at ^ (size_t)1 << i] < m->energy[at] - tie)
                    at ^= (size_t)1 << i;
        }
        m->ends[s] = at;
        m->basin[at]++;
    }
    for (size_t s = 0; s < m->S; s++) {
        m->kind[s] = pattern[s] ? 1 : pattern[s ^ (m->S - 1)] ? 2 : 3;
        for (size_t i = 0; i < m->V; i++)
            if (m->energy[s ^ (size_t)1 << i] < m->energy[s] - tie)
                m->kind[s] = 0;
    }
    free(pattern);
}

/* Whole: Hebb's rule for the patterns, without its 1 / V, on top of a few couplings more. */
static memory *memory_open(size_t V, bool spin, bool whole, uint64_t seed) {
    memory *m = calloc(1, sizeof *m);
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann");
    const ebm_sampler_type *descent = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "descent");
    char units[24];
    snprintf(units, sizeof units, "%zu", V);
    const char *pairs[] = {"units", units, "states", spin ? "spin" : "binary", "init", "zero", NULL};
    m->V = V;
    m->S = (size_t)1 << V;
    m->type = *type;
    m->descent = *descent;
    m->options = test_options(&type->info, pairs);
    m->sampler_options = test_options(&descent->info, NULL);
    CHECK_OK(ebm_work_create(1, &m->work, error));
    CHECK_OK(ebm_model_create(&m->type, m->options, NULL, NULL, 1, &m->model, error));
    CHECK_OK(ebm_sampler_create(&m->descent, m->sampler_options, &m->model, &m->sampler, error));
    test_random r = {seed * 100 + V};
    for (size_t k = 0; k < 4 * V; k++)
        m->patterns[k] = test_random_uniform(&r) < 0.5;
    ebm_real *W = ebm_model_view(&m->model, "W"), *bias = ebm_model_view(&m->model, "bias");
    for (size_t i = 0; i < V; i++) {
        for (size_t j = 0; j < i; j++) {
            double w = whole ? floor(3 * test_random_uniform(&r)) - 1 : test_random_normal(&r);
            for (size_t k = 0; k < 3; k++) /* the fourth is not taught */
                w += m->patterns[k * V + i] == m->patterns[k * V + j] ? 1 : -1;
            W[i * V + j] = W[j * V + i] = (ebm_real)w;
        }
        bias[i] = (ebm_real)(seed % 2 ? 0 : whole ? floor(3 * test_random_uniform(&r)) - 1 : test_random_normal(&r));
    }
    ebm_model_refresh(&m->model, m->work);
    m->data = (ebm_dataset){.space = ebm_space_line(EBM_BINARY, V), .train = {.count = 4, .bytes = m->patterns}};
    if (spin)
        ebm_dataset_to_spins(&m->data);
    m->inputs = (ebm_estimate_inputs){.model = &m->model,
                                      .data = &m->data,
                                      .sampler = &m->sampler,
                                      .path = ebm_path_end(),
                                      .thin = 1,
                                      .seed = 3,
                                      .work = m->work};
    define(m, whole ? 0 : 1e-4);
    return m;
}

static void memory_close(memory *m) {
    ebm_sampler_free(&m->sampler);
    ebm_model_free(&m->model);
    test_options_free(&m->type.info, m->options);
    test_options_free(&m->descent.info, m->sampler_options);
    ebm_work_free(m->work);
    free(m);
}

static void estimate(memory *m, const char *list) {
    const ebm_estimator_type *type = (const ebm_estimator_type *)ebm_component_find(EBM_KIND_ESTIMATOR, "minima");
    const char *pairs[] = {"list", list, NULL};
    void *options = test_options(&type->info, pairs);
    memset(&sunk, 0, sizeof sunk);
    sunk.sink = (ebm_sink){.emit = sink_emit, .at = sink_at};
    sunk.step = NOW;
    CHECK_OK(type->estimate(options, &m->inputs, &sunk.sink, error));
    for (size_t i = 0; i < sunk.count; i++) { /* every row is declared */
        bool found = false;
        for (const ebm_metric *metric = type->metrics; metric->name; metric++)
            found = found || strcmp(metric->name, sunk.rows[i].metric) == 0;
        if (!found)
            ck_abort_msg("metric %s is not declared", sunk.rows[i].metric);
    }
    test_options_free(&type->info, options);
}

/* Whether what was emitted is the definition. */
static bool agrees(const memory *m) {
    static const char *const counts[] = {NULL, "minima_stored", "minima_mirrored", "minima_fake"};
    static const char *const basins[] = {NULL, "basin_stored", "basin_mirrored", "basin_fake"};
    size_t count[4] = {0}, held[4] = {0}, mirror = 0;
    double lowest = INFINITY;
    bool same = true;
    for (size_t s = 0; s < m->S; s++) {
        count[m->kind[s]]++;
        held[m->kind[m->ends[s]]]++;
        mirror += m->kind[s] && !m->kind[s ^ (m->S - 1)];
        lowest = fmin(lowest, m->energy[s]);
        if (m->S > 256)
            continue;
        same = same && value_at("state_kind", s) == m->kind[s] &&
               value_at("state_basin", s) == (double)m->basin[s] / (double)m->S &&
               fabs(value_at("state_energy", s) - m->energy[s]) < 1e-3;
    }
    for (int k = 1; k < 4; k++)
        same = same && value_at(counts[k], NOW) == (double)count[k] &&
               value_at(basins[k], NOW) == (double)held[k] / (double)m->S;
    return same && value_at("minima", NOW) == (double)(m->S - count[0]) &&
           value_at("mirror_breaks", NOW) == (double)mirror &&
           fabs(value_at("minima_lowest", NOW) - lowest / (double)m->V) < 1e-4 &&
           value_at("fixed_point_breaks", NOW) == 0;
}

START_TEST(test_minima_are_the_definition) {
    size_t kinds[4] = {0};
    for (size_t V = 1; V <= MOST_UNITS; V++)
        for (uint64_t seed = 1; seed <= 6; seed++) {
            memory *m = memory_open(V, _i % 2, _i / 2, seed);
            estimate(m, "true");
            ck_assert_msg(agrees(m), "%zu units, seed %d", V, (int)seed);
            for (size_t s = 0; s < m->S; s++)
                kinds[m->kind[s]]++;
            memory_close(m);
        }
    ck_assert(kinds[1] > 20 && kinds[2] > 20 && kinds[3] > 20);
}
END_TEST

START_TEST(test_minima_see_planted_errors) {
    size_t seen = 0, lost = 0, cold = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        memory *m = memory_open(7, true, true, seed);
        ebm_real *bias = ebm_model_view(&m->model, "bias");
        bias[3] += 2; /* the machine is not the one that was defined */
        estimate(m, "true");
        seen += !agrees(m);
        bias[3] -= 2;
        m->data.train.count = 2;
        estimate(m, "true");
        lost += !agrees(m);
        m->data.train.count = 4;
        m->inputs.path.beta = -1; /* a sampler that climbs */
        estimate(m, "true");
        cold += value_at("fixed_point_breaks", NOW) > 0;
        memory_close(m);
    }
    ck_assert_msg(seen == 6 && lost >= 3 && cold == 6, "%zu %zu %zu", seen, lost, cold);
}
END_TEST

/* Hebb's rule on every three different patterns of four units: each minimum is a pattern or a mirror image of one, and of
 * three patterns that are not orthogonal one or two are not stored. */
START_TEST(test_minima_of_three_patterns_in_four_units) {
    memory *m = memory_open(4, true, true, 1);
    ebm_real *W = ebm_model_view(&m->model, "W");
    size_t triples = 0, whole = 0;
    m->data.train.count = 3;
    for (unsigned code = 0; code < 4096; code++) {
        const unsigned of[3] = {code & 15, code >> 4 & 15, code >> 8};
        if (of[0] >= of[1] || of[1] >= of[2])
            continue;
        for (size_t k = 0; k < 12; k++)
            m->patterns[k] = of[k / 4] >> k % 4 & 1;
        for (size_t i = 0; i < 16; i++) {
            W[i] = 0;
            for (size_t k = 0; k < 3 && i / 4 != i % 4; k++)
                W[i] += m->patterns[4 * k + i / 4] == m->patterns[4 * k + i % 4] ? (ebm_real)0.25 : (ebm_real)-0.25;
        }
        estimate(m, "false");
        triples++;
        whole += value_at("minima_stored", NOW) == 3;
        ck_assert(value_at("minima_fake", NOW) == 0 && value_at("mirror_breaks", NOW) == 0 &&
                  value_at("fixed_point_breaks", NOW) == 0 && value_at("patterns_distinct", NOW) == 3);
    }
    ck_assert(triples == 560 && whole == 112);
    memory_close(m);
}
END_TEST

START_TEST(test_minima_refuses_many_units_and_does_without_data) {
    const ebm_estimator_type *type = (const ebm_estimator_type *)ebm_component_find(EBM_KIND_ESTIMATOR, "minima");
    memory *m = memory_open(6, true, true, 2);
    m->inputs.data = NULL;
    m->inputs.sampler = NULL;
    estimate(m, "false");
    ck_assert(value_at("minima", NOW) >= 1 && isnan(value_at("minima_stored", NOW)) &&
              isnan(value_at("fixed_point_breaks", NOW)) && isnan(value_at("state_kind", 0)));
    memory_close(m);
    const ebm_model_type *large = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "hopfield");
    static const char *const pairs[] = {"units", "21", NULL};
    void *options = test_options(&large->info, pairs), *own = test_options(&type->info, NULL);
    ebm_model model;
    ebm_work *work;
    ebm_error refusal = {0};
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_model_create(large, options, NULL, NULL, 1, &model, error));
    const ebm_estimate_inputs in = {.model = &model, .path = ebm_path_end(), .work = work};
    ck_assert_int_eq(type->estimate(own, &in, &sunk.sink, &refusal), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(refusal.message, "21"));
    ebm_model_free(&model);
    ebm_work_free(work);
    test_options_free(&large->info, options);
    test_options_free(&type->info, own);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("minima");
    TCase *checks = tcase_create("minima");
    tcase_set_timeout(checks, 120);
    tcase_add_loop_test(checks, test_minima_are_the_definition, 0, 4);
    tcase_add_test(checks, test_minima_see_planted_errors);
    tcase_add_test(checks, test_minima_of_three_patterns_in_four_units);
    tcase_add_test(checks, test_minima_refuses_many_units_and_does_without_data);
    suite_add_tcase(suite, checks);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
