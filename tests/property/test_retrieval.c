/* Retrieval by the mean of the last states, and long-run moments, from their formulas: scripted walks whose every state is
 * known; independent units, whose signs of means are binomial; moments by plain sums over all states. */
#include "rbm_fixture.h"

#include "components.h"
#include "ebm/estimator.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 200 };

typedef struct rows {
    ebm_sink sink;
    uint64_t step;
    size_t count;
    struct {
        char metric[32];
        uint64_t step;
        double value, se;
    } row[MOST_ROWS];
} rows;

static void rows_at(ebm_sink *sink, uint64_t step) {
    ((rows *)sink)->step = step;
}

static ebm_status rows_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    rows *r = (rows *)sink;
    (void)error;
    ck_assert(r->count < MOST_ROWS);
    snprintf(r->row[r->count].metric, sizeof r->row[0].metric, "%s", metric);
    r->row[r->count].step = r->step;
    r->row[r->count].value = value;
    r->row[r->count++].se = se;
    return EBM_OK;
}

static size_t find(const rows *r, const char *metric, uint64_t step) {
    for (size_t k = 0; k < r->count; k++)
        if (strcmp(r->row[k].metric, metric) == 0 && r->row[k].step == step)
            return k;
    ck_abort_msg("no row %s at %llu", metric, (unsigned long long)step);
}

/* A Boltzmann machine of V units with patterns; W is 0 unless it is set. */
typedef struct scene {
    ebm_model model;
    const ebm_model_type *type;
    void *options, *sampler_options;
    ebm_sampler sampler;
    ebm_dataset data;
    ebm_work *work;
} scene;

static void scene_open(scene *s, size_t V, ebm_domain domain, size_t patterns, const char *sampler) {
    const char *pairs[] = {"states", domain == EBM_SPIN ? "spin" : "binary", "init", "zero", NULL};
    const ebm_space space = ebm_space_line(domain, V);
    memset(s, 0, sizeof *s);
    s->type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "boltzmann");
    s->options = test_options(&s->type->info, pairs);
    CHECK_OK(ebm_work_create(1, &s->work, error));
    CHECK_OK(ebm_model_create(s->type, s->options, &space, NULL, 1, &s->model, error));
    if (sampler) {
        const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, sampler);
        s->sampler_options = test_options(&type->info, NULL);
        CHECK_OK(ebm_sampler_create(type, s->sampler_options, &s->model, &s->sampler, error));
    }
    s->data.space = space;
    s->data.train.count = patterns;
    s->data.train.reals = malloc(patterns * V * sizeof(ebm_real));
    ck_assert_ptr_nonnull(s->data.train.reals);
    for (size_t k = 0; k < patterns * V; k++)
        s->data.train.reals[k] = 1;
}

static void scene_close(scene *s) {
    const ebm_sampler_type *type = s->sampler_options ? s->sampler.type : NULL;
    if (type) {
        test_options_free(&type->info, s->sampler_options);
        ebm_sampler_free(&s->sampler);
    }
    free(s->data.train.reals);
    ebm_model_free(&s->model);
    test_options_free(&s->type->info, s->options);
    ebm_work_free(s->work);
}

static ebm_status estimate(scene *s, const ebm_estimator_type *type, const char *const *pairs, rows *out,
                           ebm_error *error) {
    void *options = test_options(&type->info, pairs);
    const ebm_estimate_inputs in = {.model = &s->model,
                                    .data = &s->data,
                                    .sampler = &s->sampler,
                                    .path = ebm_path_end(),
                                    .seed = 5,
                                    .work = s->work};
    *out = (rows){.sink = {rows_emit, rows_at}};
    const ebm_status status = type->estimate(options, &in, &out->sink, error);
    test_options_free(&type->info, options);
    return status;
}

/* ---- Scripted walks ---- */

static const char *script; /* state after each step, '+' or '-' for all units; "" leaves the state as it is */

static ebm_status scripted_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                size_t steps, ebm_work *work, ebm_error *error) {
    (void)sampler, (void)path, (void)work, (void)error;
    static size_t at;
    at = *script ? at : 0;
    for (size_t t = 0; t < steps && *script; t++, at = script[at + 1] ? at + 1 : 0)
        for (size_t k = 0; k < chains->batch.count * model->space.size; k++)
            chains->batch.x[k] = script[at] == '+' ? 1 : model->space.domain == EBM_SPIN ? -1 : 0;
    return EBM_OK;
}

static const ebm_sampler_type scripted = {.info = {"scripted", "", "", NULL, 0}, .step = scripted_step};

/* The pattern is all up, so the overlap is the sign of what the script has more of among its last M; equal numbers: the
 * last one. */
START_TEST(test_retrieval_window) {
    static const char *const pairs[] = {"sweeps", "8", "samples", "[1, 2, 3, 4, 5, 6, 7, 8]", "cues", "3", NULL};
    static const char *const scripts[] = {"++++++++", "-----+--", "+++--+-+", "++-+-+--", "--+-++--"};
    for (int domain = EBM_BINARY; domain <= EBM_SPIN; domain++)
        for (size_t k = 0; k < sizeof scripts / sizeof *scripts; k++) {
            scene s;
            rows r;
            scene_open(&s, 5, (ebm_domain)domain, 2, NULL);
            s.sampler.type = &scripted;
            script = scripts[k];
            CHECK_OK(estimate(&s, &ebm_retrieval, pairs, &r, error));
            for (size_t M = 1; M <= 8; M++) {
                int sum = 0;
                for (size_t t = 8 - M; t < 8; t++)
                    sum += script[t] == '+' ? 1 : -1;
                const double want = sum ? (sum > 0 ? 1 : -1) : script[7] == '+' ? 1 : -1;
                ck_assert_double_eq(r.row[find(&r, "retrieval_overlap", M)].value, want);
                ck_assert_double_eq(r.row[find(&r, "retrieval_share", M)].value, want > 0);
            }
            scene_close(&s);
        }
}
END_TEST

/* A walk that goes nowhere retrieves its cue: overlap 1 - 2 n / V with n = round(noise V) units flipped. */
START_TEST(test_retrieval_cues) {
    static const struct {
        const char *noise;
        double flips;
    } cases[] = {{"0", 0}, {"0.1", 2}, {"0.25", 5}, {"1", 20}};
    for (int domain = EBM_BINARY; domain <= EBM_SPIN; domain++)
        for (size_t k = 0; k < 4; k++) {
            const char *const pairs[] = {"sweeps",       "1",       "samples", "[1]", "noise",
                                         cases[k].noise, "overlap", "0.8",     NULL};
            scene s;
            rows r;
            scene_open(&s, 20, (ebm_domain)domain, 3, NULL);
            s.sampler.type = &scripted;
            script = "";
            for (size_t i = 0; i < 60; i += 3)
                s.data.train.reals[i] = domain == EBM_SPIN ? -1 : 0;
            CHECK_OK(estimate(&s, &ebm_retrieval, pairs, &r, error));
            ck_assert_double_eq(r.row[find(&r, "retrieval_overlap", 1)].value, 1 - 2 * cases[k].flips / 20);
            ck_assert_double_eq(r.row[find(&r, "retrieval_share", 1)].value, cases[k].flips <= 2);
            scene_close(&s);
        }
}
END_TEST

/* E sign(sum of M independent signs, each up with probability p); a tie takes the last one, which is fair then. */
static double expected_sign(size_t M, double p) {
    double sum = 0;
    for (size_t up = 0; up <= M; up++)
        sum += (2 * up > M   ? 1
                : 2 * up < M ? -1
                             : 0) *
               exp(lgamma((double)M + 1) - lgamma((double)up + 1) - lgamma((double)(M - up) + 1) + (double)up * log(p) +
                   (double)(M - up) * log1p(-p));
    return sum;
}

/* Units without couplings forget at once: their states are independent, up with probability sigma(2 b / T). The mean
 * over 2000 x 6 signs against its expectation within 5 of its own exact standard errors (6e-7 each, ten of them). */
START_TEST(test_retrieval_independent_units) {
    enum { V = 6, CUES = 2000 };
    static const char *const pairs[] = {"sweeps",      "12",  "samples", "[1, 4, 11]", "cues", "2000",
                                        "temperature", "2.5", "noise",   "1",          NULL};
    static const size_t counts[] = {1, 4, 11};
    scene s;
    rows r;
    scene_open(&s, V, EBM_SPIN, 1, "gibbs");
    ebm_real *bias = ebm_model_view(&s.model, "bias");
    for (size_t i = 0; i < V; i++)
        bias[i] = (ebm_real)(0.3 * (double)i - 0.4);
    ebm_model_refresh(&s.model, s.work);
    CHECK_OK(estimate(&s, &ebm_retrieval, pairs, &r, error));
    for (size_t k = 0; k < 3; k++) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < V; i++) {
            const double sign = expected_sign(counts[k], ebm_sigmoid(2 * (double)bias[i] / 2.5));
            mean += sign / V;
            variance += (1 - sign * sign) / V / V / CUES;
        }
        const size_t at = find(&r, "retrieval_overlap", counts[k]);
        ck_assert_double_le(fabs(r.row[at].value - mean), 5 * sqrt(variance));
        /* the s.e. is a sample's: 2000 overlaps give it to sqrt(1 / (2 2000)) = 1.6 % of a normal one; 10 % is 6 of it */
        ck_assert_double_le(fabs(r.row[at].se / sqrt(variance) - 1), 0.1);
    }
    scene_close(&s);
}
END_TEST

START_TEST(test_retrieval_refusals) {
    static const char *const wrong[] = {"[2, 1]", "[1.5]", "[3, 3]", "[5]"};
    for (size_t k = 0; k < 4; k++) {
        const char *const pairs[] = {"sweeps", "4", "samples", wrong[k], NULL};
        scene s;
        rows r;
        ebm_error error = {0};
        scene_open(&s, 5, EBM_SPIN, 1, "gibbs");
        ck_assert_int_eq(estimate(&s, &ebm_retrieval, pairs, &r, &error), EBM_INVALID);
        ck_assert_uint_eq(r.count, 0);
        scene_close(&s);
    }
}
END_TEST

/* ---- Moments ---- */

static void couple(scene *s, double scale, uint64_t seed) {
    const size_t V = s->model.space.size;
    ebm_real *W = ebm_model_view(&s->model, "W"), *bias = ebm_model_view(&s->model, "bias");
    test_random r = {seed};
    for (size_t i = 0; i < V; i++) {
        bias[i] = (ebm_real)(0.4 * test_random_normal(&r));
        for (size_t j = 0; j < i; j++)
            W[i * V + j] = W[j * V + i] = (ebm_real)(scale * test_random_normal(&r));
    }
    ebm_model_refresh(&s->model, s->work);
}

/* E[x_i], then E[x_i x_j], by plain sums. */
static void plain_moments(const scene *s, double T, double *out) {
    const size_t V = s->model.space.size;
    const ebm_real *W = ebm_model_view(&s->model, "W"), *bias = ebm_model_view(&s->model, "bias");
    const double down = s->model.space.domain == EBM_SPIN ? -1 : 0;
    double z = 0;
    memset(out, 0, V * (V + 1) / 2 * sizeof *out);
    for (size_t code = 0; code < (size_t)1 << V; code++) {
        double x[16], energy = 0;
        for (size_t i = 0; i < V; i++)
            x[i] = code >> i & 1u ? 1 : down;
        for (size_t i = 0; i < V; i++) {
            energy -= (double)bias[i] * x[i];
            for (size_t j = 0; j < i; j++)
                energy -= (double)W[i * V + j] * x[i] * x[j];
        }
        const double weight = exp(-energy / T);
        double *pair = out + V;
        z += weight;
        for (size_t i = 0; i < V; i++)
            out[i] += weight * x[i];
        for (size_t i = 0; i < V; i++)
            for (size_t j = i + 1; j < V; j++)
                *pair++ += weight * x[i] * x[j];
    }
    for (size_t k = 0; k < V * (V + 1) / 2; k++)
        out[k] /= z;
}

/* Exact values to rounding of float energies: |E| < 12, so weights are right to 1e-5 relatively. */
START_TEST(test_moments_exact) {
    enum { V = 5, MOMENTS = 15 };
    static const char *const pairs[] = {"temperature", "1.7", "draws", "50", "listed", "15", NULL};
    for (int domain = EBM_BINARY; domain <= EBM_SPIN; domain++) {
        scene s;
        rows r;
        double want[MOMENTS];
        scene_open(&s, V, (ebm_domain)domain, 1, "gibbs");
        couple(&s, 0.5, 11);
        plain_moments(&s, 1.7, want);
        CHECK_OK(estimate(&s, &ebm_moments, pairs, &r, error));
        double largest = 0, squares = 0;
        for (size_t k = 0; k < MOMENTS; k++) {
            const size_t at = find(&r, "moment", k);
            const double exact = r.row[find(&r, "moment_exact", k)].value, off = r.row[at].value - exact;
            ck_assert_double_le(fabs(exact - want[k]), 1e-5);
            largest = fmax(largest, fabs(off) / r.row[at].se);
            squares += off * off;
        }
        const double z = r.row[find(&r, "moment_z", MOMENTS)].value;
        /* Student's t of 199 degrees becomes a normal deviate that is a little smaller: by t (t^2 + 1) / (4 199) to
         * first order, less than 5 % up to t = 6 */
        ck_assert(z <= largest && z > 0.95 * largest);
        ck_assert_double_le(fabs(r.row[find(&r, "moment_error", MOMENTS)].value - sqrt(squares / MOMENTS)), 1e-12);
        const double p = r.row[find(&r, "moment_p", MOMENTS)].value;
        ck_assert_double_le(fabs(p - fmin(1, MOMENTS * erfc(z / sqrt(2)))), 1e-12);
        ck_assert_double_ge(p, 1e-6);
        scene_close(&s);
    }
}
END_TEST

/* A rule that is wrong is seen: units are drawn as the lecture's slide has it, sigma((W y + 2 b) / T) (errata). The couplings
 * are then half of what they should be. */
static ebm_status slide_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                             size_t steps, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size;
    const ebm_real *W = ebm_model_view(model, "W"), *bias = ebm_model_view(model, "bias");
    (void)sampler, (void)work, (void)error;
    for (size_t t = 0; t < steps; t++, chains->step++)
        for (size_t b = 0; b < chains->batch.count; b++)
            for (size_t i = 0; i < V; i++) {
                ebm_real *x = chains->batch.x + b * V;
                double z = 2 * (double)bias[i];
                for (size_t j = 0; j < V; j++)
                    z += (double)W[i * V + j] * (double)x[j];
                const double u = ebm_random_uniform1(chains->stream, (uint32_t)b, chains->step, (uint32_t)i);
                x[i] = u < ebm_sigmoid(path.beta * z) ? 1 : -1;
            }
    chains->batch.field_ok = false;
    return EBM_OK;
}
static const ebm_sampler_type slide = {.info = {"slide", "", "", NULL, 0}, .step = slide_step};

START_TEST(test_moments_wrong_rule_is_seen) {
    static const char *const pairs[] = {"draws", "100", "warmup", "100", NULL};
    scene s;
    rows r;
    scene_open(&s, 6, EBM_SPIN, 1, "gibbs");
    couple(&s, 0.4, 12);
    CHECK_OK(estimate(&s, &ebm_moments, pairs, &r, error));
    ck_assert_double_ge(r.row[find(&r, "moment_p", 21)].value, 1e-6);
    const ebm_sampler_type *gibbs = s.sampler.type;
    s.sampler.type = &slide;
    CHECK_OK(estimate(&s, &ebm_moments, pairs, &r, error));
    s.sampler.type = gibbs;
    ck_assert_double_le(r.row[find(&r, "moment_p", 21)].value, 1e-100);
    scene_close(&s);
}
END_TEST

START_TEST(test_moments_too_many_states) {
    static const char *const pairs[] = {"limit", "63", NULL};
    scene s;
    rows r;
    scene_open(&s, 6, EBM_SPIN, 1, "gibbs");
    CHECK_OK(estimate(&s, &ebm_moments, pairs, &r, error));
    ck_assert_uint_eq(r.count, 0);
    scene_close(&s);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("retrieval");
    TCase *tests = tcase_create("retrieval and moments");
    tcase_add_test(tests, test_retrieval_window);
    tcase_add_test(tests, test_retrieval_cues);
    tcase_add_test(tests, test_retrieval_independent_units);
    tcase_add_test(tests, test_retrieval_refusals);
    tcase_add_test(tests, test_moments_exact);
    tcase_add_test(tests, test_moments_wrong_rule_is_seen);
    tcase_add_test(tests, test_moments_too_many_states);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
