/* The estimators on exact chains: against plain powers of the matrix, on chains that are periodic or fall apart, on
 * products of copies, and with mistakes planted into a sampler's kernel or a model's conditionals.
 *
 * Tolerances: matrices of at most 512 states; residuals lose some S units of rounding (1e-12), sums of many powers and
 * resolvents of gaps above 0.01 some more (1e-9). */
#include "rbm_fixture.h"

#include "ebm/diagnostics.h"
#include "ebm/enumerate.h"
#include "ebm/estimator.h"
#include "ebm/observable.h"

#include <string.h>

/* Rows that an estimator emits. */
typedef struct row {
    char metric[60];
    uint64_t step;
    double value;
} row;
static struct {
    ebm_sink sink;
    uint64_t step;
    size_t count;
    row rows[200];
} sunk;

static ebm_status sink_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)sink;
    (void)error;
    ck_assert(isnan(se));
    ck_assert_uint_lt(sunk.count, 200);
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

static const row *find(const char *metric, size_t n) {
    for (size_t i = 0; i < sunk.count; i++)
        if (strcmp(sunk.rows[i].metric, metric) == 0 && n-- == 0)
            return &sunk.rows[i];
    return NULL;
}

static double value_of(const char *metric) {
    const row *r = find(metric, 0);
    ck_assert_msg(r != NULL, "no row %s", metric);
    ck_assert_uint_eq(r->step, 77);
    return r->value;
}

static ebm_error why;
static ebm_work *work;

/* A model and a sampler by name, at an inverse temperature. */
typedef struct subject {
    const ebm_model_type *model_type;
    ebm_sampler_type type; /* a copy, that tests may spoil */
    void *model_options, *options;
    ebm_model model;
    ebm_sampler sampler;
    ebm_estimate_inputs inputs;
} subject;

static void create_sampler(subject *s, const char *name, const char *const *options) {
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, name);
    ck_assert_ptr_nonnull(type);
    s->type = *type;
    s->options = test_options(&type->info, options);
    CHECK_OK(ebm_sampler_create(&s->type, s->options, &s->model, &s->sampler, error));
    s->inputs = (ebm_estimate_inputs){.model = &s->model,
                                      .sampler = &s->sampler,
                                      .path = {NULL, 0.8},
                                      .thin = 1,
                                      .seed = 1,
                                      .step = 77,
                                      .work = work};
}

static void open_subject(subject *s, const char *model, const char *const *model_options, const char *sampler,
                         const char *const *options) {
    memset(s, 0, sizeof *s);
    s->model_type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, model);
    ck_assert_ptr_nonnull(s->model_type);
    s->model_options = test_options(&s->model_type->info, model_options);
    CHECK_OK(ebm_model_create(s->model_type, s->model_options, NULL, NULL, 3, &s->model, error));
    create_sampler(s, sampler, options);
}

static void close_subject(subject *s) {
    ebm_sampler_free(&s->sampler);
    test_options_free(&s->type.info, s->options);
    ebm_model_free(&s->model);
    test_options_free(&s->model_type->info, s->model_options);
}

static const char *const small_rbm[] = {"visible", "5", "hidden", "3", "init_scale", "1.5", NULL};
static const char *const small_potts[] = {"rows", "2",        "columns",  "2",     "lattice", "grid", "categories",
                                          "3",    "disorder", "gaussian", "field", "0.3",     NULL};

static ebm_status estimate(const char *name, const char *const *options, subject *s) {
    const ebm_estimator_type *type = (const ebm_estimator_type *)ebm_component_find(EBM_KIND_ESTIMATOR, name);
    ck_assert_ptr_nonnull(type);
    void *chosen = test_options(&type->info, NULL);
    for (; options && options[0]; options += 2) {
        ck_assert_ptr_nonnull(ebm_options_find(type->info.options, options[0]));
        const char *list[8];
        char text[80];
        size_t count = 0;
        snprintf(text, sizeof text, "%s", options[1]);
        for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
            list[count++] = word;
        CHECK_OK(ebm_options_find(type->info.options, options[0])->type == EBM_OPTION_REALS
                     ? ebm_options_set_list(type->info.options, chosen, options[0], count, list, NULL, error)
                     : ebm_options_set(type->info.options, chosen, options[0], options[1], NULL, error));
    }
    memset(&sunk, 0, sizeof sunk);
    sunk.sink = (ebm_sink){sink_emit, sink_at};
    sunk.step = s->inputs.step;
    why = (ebm_error){0};
    const ebm_status status = type->estimate(chosen, &s->inputs, &sunk.sink, &why);
    test_options_free(&type->info, chosen);
    ck_assert_uint_eq(ebm_work_mark(work), 0);
    return status;
}

static void analyse(subject *s, const char *const *options) {
    ck_assert_msg(estimate("transition-matrix", options, s) == EBM_OK, "%s", why.message);
}

static void setup(void) {
    ck_assert_int_eq(ebm_work_create(1, &work, NULL), EBM_OK);
}
static void teardown(void) {
    ebm_work_free(work);
}

static double *take(size_t count) {
    double *p = calloc(count, sizeof *p);
    ck_assert_ptr_nonnull(p);
    return p;
}

/* The matrix and the law once more, and f of every state. */
typedef struct plain {
    size_t S;
    double *T, *pi;
} plain;

static plain plain_of(subject *s) {
    plain p = {.S = ebm_states_count(&s->model.space)};
    p.T = take(p.S * p.S);
    p.pi = take(p.S);
    CHECK_OK(s->type.kernel(&s->sampler, &s->model, s->inputs.path, p.S, p.T, work, error));
    CHECK_OK(ebm_model_log_probabilities(&s->model, s->inputs.path, p.pi, NULL, work, error));
    for (size_t i = 0; i < p.S; i++)
        p.pi[i] = exp(p.pi[i]);
    return p;
}

static void free_plain(plain *p) {
    free(p->T);
    free(p->pi);
}

/* g <- T g */
static void advance(const plain *p, double *g, double *scratch) {
    for (size_t i = 0; i < p->S; i++) {
        scratch[i] = 0;
        for (size_t j = 0; j < p->S; j++)
            scratch[i] += p->T[i * p->S + j] * g[j];
    }
    memcpy(g, scratch, p->S * sizeof *g);
}

/* 1 + 2 sum_t rho_(thin t), rho_t = <f, T^t f>_pi / <f, f>_pi of centred f, until the terms are below 1e-16. */
static double plain_tau(const plain *p, const double *f, size_t thin) {
    double *centred = take(p->S), *g = take(p->S), *scratch = take(p->S), mean = 0, variance = 0, tau = 1;
    for (size_t i = 0; i < p->S; i++)
        mean += p->pi[i] * f[i];
    for (size_t i = 0; i < p->S; i++) {
        centred[i] = g[i] = f[i] - mean;
        variance += p->pi[i] * centred[i] * centred[i];
    }
    for (size_t t = 1; t < 4000; t++) {
        double covariance = 0;
        for (size_t k = 0; k < thin; k++)
            advance(p, g, scratch);
        for (size_t i = 0; i < p->S; i++)
            covariance += p->pi[i] * centred[i] * g[i];
        tau += 2 * covariance / variance;
        if (fabs(covariance) < 1e-16 * variance)
            break;
    }
    free(centred);
    free(g);
    free(scratch);
    return tau;
}

static void check_taus(subject *s, const plain *p) {
    double *f = take(p->S);
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++) {
        const ebm_observable *o = ebm_observable_at(i);
        char name[60];
        snprintf(name, sizeof name, "%s_tau_exact", o->name);
        if (!ebm_observable_applies(o, &s->model.space)) {
            ck_assert_ptr_null(find(name, 0));
            continue;
        }
        CHECK_OK(ebm_observable_list(o, &s->model, f, work, error));
        double want = plain_tau(p, f, s->inputs.thin), got = value_of(name);
        ck_assert_msg(fabs(got - want) < 1e-9 * want, "%s of %s, thin %zu: %.15g, not %.15g", name, s->type.info.name,
                      s->inputs.thin, got, want);
    }
    free(f);
}

/* d(t) = max_i TV(T^t_i, pi), and from one state, by plain powers. */
static void check_curve(const plain *p, size_t start) {
    static const size_t steps[] = {0, 1, 3, 10};
    double *law = take(p->S), *next = take(p->S), worst[4] = {0}, from[4] = {0};
    for (size_t i = 0; i < p->S; i++) {
        size_t t = 0;
        memset(law, 0, p->S * sizeof *law);
        law[i] = 1;
        for (size_t k = 0; k < 4; k++) {
            for (; t < steps[k]; t++) {
                memset(next, 0, p->S * sizeof *next);
                for (size_t a = 0; a < p->S; a++)
                    for (size_t b = 0; b < p->S; b++)
                        next[b] += law[a] * p->T[a * p->S + b];
                memcpy(law, next, p->S * sizeof *law);
            }
            double sum = 0;
            for (size_t j = 0; j < p->S; j++)
                sum += fabs(law[j] - p->pi[j]) / 2;
            worst[k] = fmax(worst[k], sum);
            from[k] = i == start ? sum : from[k];
        }
    }
    for (size_t k = 0; k < 4; k++) {
        const row *a = find("total_variation", k), *b = find("total_variation_start", k);
        ck_assert(a && b && a->step == steps[k] && b->step == steps[k]);
        ck_assert_double_eq_tol(a->value, worst[k], 1e-12);
        ck_assert_double_eq_tol(b->value, from[k], 1e-12);
    }
    ck_assert_ptr_null(find("total_variation", 4));
    free(law);
    free(next);
}

/* Samplers of all kinds: deterministic and random scans, reversible and not, block and single sites, clusters. */
static const struct {
    const char *sampler, *option, *value;
} samplers[] = {{"gibbs", "scan", "systematic"}, {"gibbs", "scan", "random"}, {"metropolis", "scan", "systematic"},
                {"block-gibbs", NULL, NULL},     {"exact", NULL, NULL},       {"wolff", NULL, NULL},
                {"swendsen-wang", NULL, NULL}};
enum { SAMPLERS = sizeof samplers / sizeof samplers[0] };

static bool open_pair(subject *s, int i, bool potts) {
    const char *const options[] = {samplers[i].option, samplers[i].value, NULL};
    static const char *const ferromagnet[] = {"rows",       "2", "columns", "2",   "lattice", "grid",
                                              "categories", "3", "field",   "0.3", NULL};
    const bool block = strcmp(samplers[i].sampler, "block-gibbs") == 0, cluster = i >= 5;
    if (potts ? block : cluster)
        return false;
    const char *const *model = cluster ? ferromagnet : potts ? small_potts : small_rbm;
    open_subject(s, potts ? "potts" : "rbm", model, samplers[i].sampler, options);
    return true;
}

START_TEST(test_matrix_equals_plain_powers) {
    static const char *const options[] = {"curve", "0 1 3 10", "start_state", "7", NULL};
    for (int potts = 0; potts < 2; potts++) {
        subject s;
        if (!open_pair(&s, _i, potts))
            continue;
        plain p = plain_of(&s);
        for (s.inputs.thin = 1; s.inputs.thin <= 3; s.inputs.thin++) {
            analyse(&s, options);
            ck_assert_double_lt(value_of("row_sum_error"), 1e-12);
            ck_assert_double_lt(value_of("stationarity"), 1e-12);
            ck_assert_double_ge(value_of("lowest_entry"), 0);
            ck_assert((find("detailed_balance", 0) != NULL) == s.sampler.reversible);
            if (s.sampler.reversible)
                ck_assert_double_lt(value_of("detailed_balance"), 1e-12);
            ck_assert(value_of("ergodic") == 1);
            check_taus(&s, &p);
            check_curve(&p, 7);
        }
        free_plain(&p);
        close_subject(&s);
    }
}
END_TEST

/* At t_mix the total variation has fallen below 1/4, a step before it had not; the gap bounds it from both sides,
 * t_mix (1/4) >= (1 / gap - 1) log 2 for reversible chains (Levin, Peres & Wilmer 2009, theorem 12.5). */
START_TEST(test_matrix_mixing_time_is_the_first) {
    subject s;
    char curve[40];
    const char *options[] = {"curve", curve, NULL};
    open_subject(&s, "potts", small_potts, "gibbs", (const char *const[]){"scan", "random", NULL});
    s.inputs.path.beta = 2;
    analyse(&s, NULL);
    const double mixing = value_of("mixing_time"), gap = value_of("spectral_gap");
    ck_assert(mixing > 2 && gap > 0);
    ck_assert_double_ge(mixing, (1 / gap - 1) * M_LN2);
    snprintf(curve, sizeof curve, "%.0f %.0f", mixing - 1, mixing);
    analyse(&s, options);
    ck_assert_double_gt(find("total_variation", 0)->value, 0.25);
    ck_assert_double_le(find("total_variation", 1)->value, 0.25);
    ck_assert(value_of("mixing_time") == mixing); /* and rows after the curve are back at the step */
    close_subject(&s);
}
END_TEST

/* Kernels that are wrong, or mix nothing. ------------------------------------------------------------------------- */

static ebm_status (*right_kernel)(const ebm_sampler *, const ebm_model *, ebm_path, size_t, double *, ebm_work *,
                                  ebm_error *);

/* A hundredth of the mass of state 1 goes astray to state 0. */
static ebm_status leaking_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                                 ebm_work *w, ebm_error *e) {
    EBM_TRY(right_kernel(sampler, model, path, S, T, w, e));
    T[S] += 0.01 * T[S + 1];
    T[S + 1] *= 0.99;
    return EBM_OK;
}

static ebm_status idle_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                              ebm_work *w, ebm_error *e) {
    (void)sampler, (void)model, (void)path, (void)w, (void)e;
    for (size_t k = 0; k < S * S; k++)
        T[k] = k % (S + 1) == 0;
    return EBM_OK;
}

/* i -> i + 1: stationary for the uniform law of beta = 0, and never mixed. */
static ebm_status cyclic_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                                ebm_work *w, ebm_error *e) {
    (void)sampler, (void)model, (void)path, (void)w, (void)e;
    for (size_t k = 0; k < S * S; k++)
        T[k] = k % S == (k / S + 1) % S;
    return EBM_OK;
}

static ebm_status lossy_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                               ebm_work *w, ebm_error *e) {
    EBM_TRY(right_kernel(sampler, model, path, S, T, w, e));
    T[3] += 0.125;
    return EBM_OK;
}

static void spoil(subject *s, const char *const *model, const char *sampler,
                  ebm_status (*wrong)(const ebm_sampler *, const ebm_model *, ebm_path, size_t, double *, ebm_work *,
                                      ebm_error *)) {
    open_subject(s, model == small_rbm ? "rbm" : "potts", model, sampler, NULL);
    right_kernel = s->type.kernel;
    s->type.kernel = wrong;
}

START_TEST(test_matrix_shows_a_wrong_kernel) {
    static const char *const curve[] = {"curve", "1 100000", NULL};
    subject s;
    spoil(&s, small_rbm, "block-gibbs", leaking_kernel);
    analyse(&s, curve);
    ck_assert_double_lt(value_of("row_sum_error"), 1e-12);
    ck_assert_double_gt(value_of("stationarity"), 1e-9);
    ck_assert_double_gt(value_of("detailed_balance"), 1e-9);
    ck_assert_ptr_null(find("mixing_time", 0)); /* to a law that it does not have */
    ck_assert_ptr_null(find("energy_tau_exact", 0));
    ck_assert_double_gt(find("total_variation", 1)->value, 1e-9); /* how biased it is */
    close_subject(&s);

    spoil(&s, small_rbm, "block-gibbs", lossy_kernel);
    analyse(&s, curve);
    ck_assert_double_eq_tol(value_of("row_sum_error"), 0.125, 1e-12);
    ck_assert_ptr_null(find("total_variation", 0));
    close_subject(&s);
}
END_TEST

START_TEST(test_matrix_shows_chains_that_never_mix) {
    subject s;
    spoil(&s, small_potts, "gibbs", idle_kernel);
    analyse(&s, NULL);
    ck_assert(value_of("ergodic") == 0 && value_of("stationarity") == 0);
    ck_assert_double_lt(value_of("spectral_gap"), 1e-12);
    ck_assert_ptr_null(find("mixing_time", 0));
    ck_assert_ptr_null(find("energy_tau_exact", 0));
    close_subject(&s);

    spoil(&s, small_rbm, "block-gibbs", cyclic_kernel);
    s.inputs.path.beta = 0;
    analyse(&s, NULL);
    ck_assert(value_of("ergodic") == 0);
    ck_assert_double_lt(fabs(value_of("spectral_gap")), 1e-9);
    ck_assert_ptr_null(find("mixing_time", 0));
    ck_assert_ptr_nonnull(find("first_tau_exact", 0));             /* it is irreducible: averages converge */
    ck_assert_double_eq_tol(value_of("first_tau_exact"), 0, 1e-9); /* 0, 1, 0, 1 ...: not a random bit left */
    s.inputs.thin = 2;                                             /* every second state: two cycles */
    analyse(&s, NULL);
    ck_assert_ptr_null(find("first_tau_exact", 0));
    close_subject(&s);
}
END_TEST

/* Copies of the space. -------------------------------------------------------------------------------------------- */

static size_t three_copies(const ebm_sampler *sampler) {
    (void)sampler;
    return 3;
}

static ebm_path colder(const ebm_sampler *sampler, const ebm_chains *chains, ebm_path path, size_t r) {
    (void)sampler;
    ck_assert_uint_eq(chains->batch.count, 1);
    return (ebm_path){NULL, path.beta * (1 + (double)r)};
}

/* Each copy by its own Gibbs sweep: T = T_2 x T_1 x T_0, copy 0 the least significant digit. */
static ebm_status product_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                                 ebm_work *w, ebm_error *e) {
    enum { ONE = 4 };
    double one[3][ONE * ONE];
    ck_assert_uint_eq(S, ONE * ONE * ONE);
    for (size_t r = 0; r < 3; r++)
        EBM_TRY(right_kernel(sampler, model, (ebm_path){NULL, path.beta * (1 + (double)r)}, ONE, one[r], w, e));
    for (size_t i = 0; i < S; i++)
        for (size_t j = 0; j < S; j++) {
            T[i * S + j] = 1;
            for (size_t r = 0, a = i, b = j; r < 3; r++, a /= ONE, b /= ONE)
                T[i * S + j] *= one[r][a % ONE * ONE + b % ONE];
        }
    return EBM_OK;
}

START_TEST(test_matrix_of_copies) {
    static const char *const two_units[] = {"visible", "2", "hidden", "2", "init_scale", "2", NULL};
    subject s;
    open_subject(&s, "rbm", two_units, "gibbs", NULL);
    analyse(&s, NULL);
    const double tau = value_of("energy_tau_exact"), mixing = value_of("mixing_time");
    right_kernel = s.type.kernel;
    s.type.kernel = product_kernel;
    s.type.copies = three_copies;
    s.type.copy_path = colder;
    analyse(&s, NULL);
    ck_assert_double_lt(value_of("stationarity"), 1e-12);
    ck_assert_double_eq_tol(value_of("energy_tau_exact"), tau, 1e-9); /* copy 0 walks alone, as before */
    ck_assert_double_ge(value_of("mixing_time"), mixing);
    ck_assert_int_eq(estimate("transition-matrix", (const char *const[]){"limit", "63", NULL}, &s), EBM_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(why.message, "3 copies"));
    close_subject(&s);
}
END_TEST

START_TEST(test_matrix_refuses_what_cannot_be) {
    static const struct {
        const char *option, *value;
        ebm_status status;
        const char *says;
    } bad[] = {{"limit", "31", EBM_UNSUPPORTED, "5 binary units in 1 copy"},
               {"curve", "1 2 2", EBM_INVALID, "2 cannot be there"},
               {"curve", "1.5", EBM_INVALID, "whole steps"},
               {NULL, NULL, EBM_UNSUPPORTED, "does not know its transition matrix"}};
    for (size_t i = 0; i < 4; i++) {
        const char *const options[] = {bad[i].option, bad[i].value, NULL};
        subject s;
        open_subject(&s, "rbm", small_rbm, "gibbs", NULL);
        if (!bad[i].option)
            s.type.kernel = NULL;
        ck_assert_int_eq(estimate("transition-matrix", options, &s), bad[i].status);
        ck_assert_msg(strstr(why.message, bad[i].says) != NULL, "%s", why.message);
        close_subject(&s);
    }
    subject s;
    open_subject(&s, "rbm", small_rbm, "gibbs", NULL);
    static const char *const far[] = {"curve", "1", "start_state", "32", NULL};
    ck_assert_int_eq(estimate("transition-matrix", far, &s), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(why.message, "there are 32 states"));
    close_subject(&s);
    open_subject(&s, "normal-posterior", NULL, "gibbs", NULL);
    ck_assert_int_eq(estimate("transition-matrix", NULL, &s), EBM_UNSUPPORTED);
    close_subject(&s);
}
END_TEST

/* Gibbs acceptance. ----------------------------------------------------------------------------------------------- */

static const ebm_model_type *right_model;
static ebm_real planted;

static void planted_site(const ebm_model *model, ebm_path path, const ebm_batch *batch, const uint32_t *units,
                         ebm_real *logit, ebm_work *w) {
    right_model->site(model, path, batch, units, logit, w);
    logit[batch->count - 1] += planted;
}

static double conditional_error_with(subject *s, ebm_real wrong) {
    ebm_model_type type = *s->model.type;
    right_model = s->model.type;
    planted = wrong;
    type.site = planted_site;
    s->model.type = &type;
    ck_assert_int_eq(estimate("gibbs-acceptance", NULL, s), EBM_OK);
    s->model.type = right_model;
    return value_of("conditional_error");
}

START_TEST(test_gibbs_never_rejects) {
    for (int potts = 0; potts < 2; potts++) {
        subject s;
        open_subject(&s, potts ? "potts" : "rbm", potts ? small_potts : small_rbm, "gibbs", NULL);
        for (double beta = 0.25; beta < 100; beta *= 7) {
            s.inputs.path.beta = beta;
            ck_assert_int_eq(estimate("gibbs-acceptance", NULL, &s), EBM_OK);
            ck_assert_double_lt(value_of("acceptance_error"), 1e-12);
            /* logits of order 10 beta in ebm_real, their rounding taken to the conditional by a slope of at most 1/4 */
            ck_assert_double_lt(value_of("conditional_error"), 1e3 * (1 + beta) * UNIT_ROUNDOFF);
        }
        s.inputs.path.beta = 1;
        ck_assert_double_gt(conditional_error_with(&s, (ebm_real)0.01), 1e-5); /* one logit of the last row */
        ck_assert_msg(isnan(conditional_error_with(&s, (ebm_real)NAN)), "not a number is no error");
        ck_assert_int_eq(estimate("gibbs-acceptance", (const char *const[]){"limit", "30", NULL}, &s), EBM_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(why.message, "the limit is 30"));
        close_subject(&s);
    }
}
END_TEST

START_TEST(test_real_units_have_no_states_to_list) {
    subject s;
    open_subject(&s, "normal-posterior", (const char *const[]){NULL}, "gibbs", NULL);
    ck_assert_int_eq(estimate("gibbs-acceptance", NULL, &s), EBM_OK);
    ck_assert_uint_eq(sunk.count, 0);
    close_subject(&s);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("transition_matrix");
    TCase *t = tcase_create("matrix");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_matrix_equals_plain_powers, 0, SAMPLERS);
    tcase_add_test(t, test_matrix_mixing_time_is_the_first);
    tcase_add_test(t, test_matrix_shows_a_wrong_kernel);
    tcase_add_test(t, test_matrix_shows_chains_that_never_mix);
    tcase_add_test(t, test_matrix_of_copies);
    tcase_add_test(t, test_matrix_refuses_what_cannot_be);
    tcase_add_test(t, test_gibbs_never_rejects);
    tcase_add_test(t, test_real_units_have_no_states_to_list);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
