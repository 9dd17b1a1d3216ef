/* Every sampler of the registry on every small discrete model that it can run on, along three paths: the battery of
 * kernel_battery.h. A new sampler is reached by being registered; options other than its default stand in `variants`.
 *
 * Seeds are fixed. The level of each count is 1e-6 over the number of counts (Bonferroni), so that the whole file gives
 * a false alarm with probability below 1e-6 for a set of seeds. */
#include "kernel_cases.h"

typedef struct findings {
    size_t cases, faults;
    char text[4000];
} findings;

static void examine(const bench *b, const ebm_sampler_type *type, const variant *setting, findings *f) {
    char words[160];
    void *options = test_options(&type->info, setting->options);
    ebm_sampler sampler;
    ebm_path path;
    if (sampler_open(type, options, b, &sampler)) {
        for (size_t k = 0; k < PATHS; k++) {
            if (!path_at(b, k, &path))
                continue;
            battery_case c = case_of(b, &sampler, path);
            c.settle = setting->settle;
            const battery_verdict v = battery_examine(&c, (uint32_t)(1000 * k + 17));
            double excess = 0;
            const char *fault = battery_fault(&v, &excess);
            const size_t used = strlen(f->text);
            f->cases += v.examined || v.law > 0;
            f->faults += fault != NULL;
            if (fault && used + 1 < sizeof f->text)
                snprintf(f->text + used, sizeof f->text - used,
                         "\n  %s%s on %s, beta = %g%s: %s (%.3g times what is allowed)", type->info.name,
                         setting_text(setting->options, words, sizeof words), b->small->label, path.beta,
                         path.base ? " from a base" : "", fault, excess);
        }
        ebm_sampler_free(&sampler);
    }
    test_options_free(&type->info, options);
}

/* A misspelt EBM_ONLY_SAMPLER would examine nothing and pass. */
START_TEST(test_kernels_name_is_known) {
    const char *only = getenv("EBM_ONLY_SAMPLER");
    ck_assert_msg(!only || ebm_component_find(EBM_KIND_SAMPLER, only), "EBM_ONLY_SAMPLER=%s: there is no such sampler",
                  only);
}
END_TEST

/* With EBM_ONLY_SAMPLER=NAME in the environment, of that sampler alone. */
START_TEST(test_kernels_battery) {
    bench b;
    findings f = {0};
    const ebm_component *sampler;
    const variant *setting;
    const char *only = getenv("EBM_ONLY_SAMPLER");
    bench_open(&b, &small_models[_i]);
    for (size_t s = 0; (sampler = ebm_component_at(EBM_KIND_SAMPLER, s)) != NULL; s++)
        for (size_t n = 0; (!only || strcmp(only, sampler->name) == 0) && (setting = setting_at(sampler, n)) != NULL;
             n++)
            examine(&b, (const ebm_sampler_type *)sampler, setting, &f);
    bench_close(&b);
    ck_assert_msg(f.faults == 0, "%zu of %zu cases:%s", f.faults, f.cases, f.text);
    ck_assert_uint_le(f.cases, MOST_CASES / SMALL_MODELS);
}
END_TEST

/* Whether the sampler with these options is examined on some model. */
static bool is_reached(const ebm_sampler_type *type, const variant *setting) {
    bool reached = false;
    for (size_t m = 0; m < SMALL_MODELS && !reached; m++) {
        bench b;
        ebm_sampler sampler;
        bench_open(&b, &small_models[m]);
        void *options = test_options(&type->info, setting->options);
        if (sampler_open(type, options, &b, &sampler)) {
            const battery_case c = case_of(&b, &sampler, ebm_path_end());
            const size_t S = battery_states(&c);
            double *T = battery_memory(S * S, sizeof *T);
            ebm_error refusal = {0};
            reached =
                S > 0 && type->kernel && type->kernel(&sampler, &b.model, c.path, S, T, b.work, &refusal) == EBM_OK;
            free(T);
            ebm_sampler_free(&sampler);
        }
        test_options_free(&type->info, options);
        bench_close(&b);
    }
    return reached;
}

/* Every discrete sampler of the registry is examined, with its defaults or what stands instead of them, and so is every
 * variant, but for walks on more copies than can be enumerated. */
START_TEST(test_kernels_reaches_every_sampler) {
    const ebm_component *component;
    const variant *setting;
    for (size_t k = 0; k < VARIANTS; k++)
        ck_assert_msg(ebm_component_find(EBM_KIND_SAMPLER, variants[k].sampler) != NULL, "no sampler %s",
                      variants[k].sampler);
    for (size_t s = 0; (component = ebm_component_at(EBM_KIND_SAMPLER, s)) != NULL; s++) {
        const ebm_sampler_type *type = (const ebm_sampler_type *)component;
        size_t reached = 0;
        if (type->domains == 1u << EBM_REAL_LINE || (!type->kernel && !type->exact))
            continue;
        for (size_t n = 0; (setting = setting_at(component, n)) != NULL; n++) {
            const bool here = is_reached(type, setting);
            reached += here;
            ck_assert_msg(here || (type->copies && !setting->options[0]), "no kernel, or no model, for %s%s%s",
                          component->name, setting->options[0] ? " with " : "",
                          setting->options[0] ? setting->options[0] : "");
        }
        ck_assert_msg(reached > 0, "sampler %s is examined on no model", component->name);
    }
}
END_TEST

/* ---- The battery can fail: planted mistakes ---- */

/* A case of one sampler and one model by their names, at beta = 1. */
typedef struct planted {
    bench b;
    const ebm_sampler_type *type;
    void *options;
    ebm_sampler sampler;
    battery_case c;
} planted;

static void planted_open(planted *p, const char *label, const char *sampler, const char *const *options) {
    p->type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, sampler);
    ck_assert_msg(p->type != NULL, "no sampler %s", sampler);
    bench_open(&p->b, small_by_label(label));
    p->options = test_options(&p->type->info, options);
    CHECK_OK(ebm_sampler_create(p->type, p->options, &p->b.model, &p->sampler, error));
    p->c = case_of(&p->b, &p->sampler, ebm_path_end());
}

static void planted_close(planted *p) {
    ebm_sampler_free(&p->sampler);
    test_options_free(&p->type->info, p->options);
    bench_close(&p->b);
}

static battery_verdict sound(const battery_case *c) {
    double excess = 0;
    const battery_verdict v = battery_examine(c, 91);
    const char *fault = battery_fault(&v, &excess);
    ck_assert_msg(v.examined && !fault, "without the mistake: %s (%g times)", fault ? fault : v.why, excess);
    return v;
}

/* Steps that lack what the kernel has. */
static void step_is_caught(const battery_case *c) {
    const battery_verdict v = battery_examine(c, 91);
    ck_assert(v.examined && v.rows <= 1 && v.invariance <= 1 && v.balance <= 1);
    ck_assert_double_gt(v.one_step, 1);
    ck_assert_double_gt(v.three_steps, 1);
}

/* Metropolis-Hastings on one unit drawn at random, which is offered +1 with probability 0.7 whatever it is; q(-1 -> 1) /
 * q(1 -> -1) = 7 / 3 belongs into the acceptance. Binary and spin units. */
static struct { bool step_drops_ratio, kernel_drops_ratio; } lopsided;

static double lopsided_acceptance(double log_ratio, bool to_up, bool drop) {
    return fmin(1, exp(log_ratio) * (drop ? 1 : to_up ? 3.0 / 7 : 7.0 / 3));
}

static ebm_status lopsided_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                size_t sweeps, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, B = chains->batch.count, mark = ebm_work_mark(work);
    uint32_t *units = ebm_work_take(work, B, sizeof *units);
    ebm_real *logit = ebm_work_take(work, B, sizeof *logit), down = model->space.domain == EBM_SPIN ? -1 : 0;
    (void)sampler, (void)error;
    for (size_t s = 0; s < sweeps; s++, chains->step++) {
        for (size_t b = 0; b < B; b++)
            units[b] =
                ebm_random_below(chains->stream, chains->first_chain + (uint32_t)b, chains->step, 0, (uint32_t)V);
        ebm_model_field(model, &chains->batch, work);
        model->type->site(model, path, &chains->batch, units, logit, work);
        for (size_t b = 0; b < B; b++) {
            const uint32_t chain = chains->first_chain + (uint32_t)b;
            const bool up = ebm_random_uniform1(chains->stream, chain, chains->step, 2) < 0.7;
            ebm_real *x = chains->batch.x + b * V + units[b];
            if (up != (*x > 0) &&
                ebm_random_uniform1(chains->stream, chain, chains->step, 3) <
                    lopsided_acceptance(up ? (double)logit[b] : -(double)logit[b], up, lopsided.step_drops_ratio))
                *x = up ? 1 : down;
        }
        chains->batch.field_ok = chains->batch.hidden_ok = false;
    }
    ebm_work_release(work, mark);
    return EBM_OK;
}

static ebm_status lopsided_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S,
                                  double *T, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size;
    double *log_p = battery_memory(S, sizeof *log_p);
    (void)sampler;
    EBM_TRY(ebm_model_log_probabilities(model, path, log_p, NULL, work, error));
    for (size_t s = 0; s < S; s++) {
        memset(T + s * S, 0, S * sizeof *T);
        T[s * S + s] = 1;
        for (size_t i = 0; i < V; i++) {
            const size_t other = s ^ (size_t)1 << i;
            const bool up = other > s;
            const double p = (up ? 0.7 : 0.3) / (double)V *
                             lopsided_acceptance(log_p[other] - log_p[s], up, lopsided.kernel_drops_ratio);
            T[s * S + other] = p;
            T[s * S + s] -= p;
        }
    }
    free(log_p);
    return EBM_OK;
}

static const ebm_option no_options[] = {EBM_OPTIONS_END};
static const ebm_sampler_type lopsided_type = {
    .info = {"lopsided", "proposes up more often than down", "", no_options, 0},
    .needs = EBM_SLOT_SITE,
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN,
    .exact = true,
    .reversible = true,
    .step = lopsided_step,
    .kernel = lopsided_kernel,
};

START_TEST(test_kernels_see_a_dropped_proposal_ratio) {
    bench b;
    ebm_sampler sampler;
    bench_open(&b, small_by_label("rbm 4 x 3"));
    CHECK_OK(ebm_sampler_create(&lopsided_type, NULL, &b.model, &sampler, error));
    const battery_case c = case_of(&b, &sampler, ebm_path_end());
    sound(&c);
    lopsided.step_drops_ratio = true;
    step_is_caught(&c);
    lopsided.kernel_drops_ratio = true; /* now both agree, on another distribution */
    const battery_verdict v = battery_examine(&c, 91);
    ck_assert(v.one_step <= 1 && v.three_steps <= 1 && v.rows <= 1);
    ck_assert_double_gt(v.invariance, 1);
    ck_assert_double_gt(v.balance, 1);
    ebm_sampler_free(&sampler);
    bench_close(&b);
}
END_TEST

static void changes_nothing(const ebm_model *model, ebm_batch *batch, const uint32_t *units, const ebm_real *before,
                            ebm_work *work) {
    (void)model, (void)batch, (void)units, (void)before, (void)work;
}

/* Gibbs goes on with the field that a sweep began with. */
START_TEST(test_kernels_see_a_stale_field) {
    planted p;
    planted_open(&p, "rbm 4 x 3", "gibbs", NULL);
    sound(&p.c);
    ebm_model_type type = *p.b.type;
    ebm_model model = p.b.model;
    type.site_changed = changes_nothing;
    model.type = &type;
    p.c.stepped = &model;
    step_is_caught(&p.c);
    ck_assert_double_gt(battery_examine(&p.c, 91).field, 1);
    planted_close(&p);
}
END_TEST

static const ebm_model_type *true_type;

static void negative_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                            ebm_work *work) {
    true_type->energy(model, path, batch, out, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] = -out[b];
}
static void negative_energy_difference(const ebm_model *model, ebm_path from, ebm_path to, const ebm_batch *batch,
                                       double *out, ebm_work *work) {
    true_type->energy_difference(model, from, to, batch, out, work);
    for (size_t b = 0; b < batch->count; b++)
        out[b] = -out[b];
}

/* The copies move by the conditionals, which are right; swaps look at the energies, whose sign is the rule's. With hidden
 * units (differences of free energies) and without. */
START_TEST(test_kernels_see_a_swap_rule_of_the_wrong_sign) {
    static const char *const labels[] = {"rbm 4 x 3", "potts chain of 3, q = 3"};
    static const char *const options[] = {"temperatures", "2", "hottest", "3", NULL};
    for (size_t k = 0; k < 2; k++) {
        planted p;
        planted_open(&p, labels[k], "tempering", options);
        sound(&p.c);
        ebm_model_type type = *(true_type = p.b.type);
        ebm_model model = p.b.model;
        type.energy = negative_energy;
        type.energy_difference = type.energy_difference ? negative_energy_difference : NULL;
        model.type = &type;
        p.c.stepped = &model;
        step_is_caught(&p.c);
        planted_close(&p);
    }
}
END_TEST

static const ebm_graph *half_graph(const ebm_model *model) {
    static ebm_graph graph;
    static ebm_real coupling[64];
    graph = *true_type->graph(model);
    ck_assert_uint_le(graph.edges, 64);
    for (size_t e = 0; e < graph.edges; e++)
        coupling[e] = graph.coupling[e] / 2;
    graph.coupling = coupling;
    return &graph;
}

/* Bonds by 1 - exp(-beta J) where spins ask for 1 - exp(-2 beta J), and by the half of J where categories ask for J: a
 * graph of half the couplings is exactly that. By transitions, and by the law where there is no kernel. */
START_TEST(test_kernels_see_a_wrong_bond_probability) {
    static const char *const samplers[] = {"swendsen-wang", "wolff"};
    static const char *const labels[] = {"ising grid 2 x 2, no field", "potts chain of 3, q = 3", "ising torus 4 x 4"};
    for (size_t k = 0; k < 6; k++) {
        planted p;
        planted_open(&p, labels[k / 2], samplers[k % 2], NULL);
        const bool has_kernel = battery_states(&p.c) > 0;
        double excess = 0;
        battery_verdict v = battery_examine(&p.c, 91);
        ck_assert(v.examined == has_kernel && !battery_fault(&v, &excess));
        ebm_model_type type = *(true_type = p.b.type);
        ebm_model model = p.b.model;
        type.graph = half_graph;
        model.type = &type;
        p.c.stepped = &model;
        if (has_kernel)
            step_is_caught(&p.c);
        else
            ck_assert_double_gt(battery_examine(&p.c, 91).law, 1);
        planted_close(&p);
    }
}
END_TEST

/* The kernel of another temperature: the steps are right, the matrix is not. */
static const ebm_sampler_type *true_sampler;

static ebm_status cold_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                              ebm_work *work, ebm_error *error) {
    path.beta *= 1.2;
    return true_sampler->kernel(sampler, model, path, S, T, work, error);
}

START_TEST(test_kernels_see_a_wrong_kernel) {
    static const char *const samplers[] = {"exact", "gibbs", "metropolis", "block-gibbs"};
    for (size_t k = 0; k < sizeof samplers / sizeof *samplers; k++) {
        planted p;
        planted_open(&p, "rbm 4 x 3", samplers[k], NULL);
        sound(&p.c);
        ebm_sampler_type type = *(true_sampler = p.type);
        type.kernel = cold_kernel;
        p.sampler.type = &type;
        const battery_verdict v = battery_examine(&p.c, 91);
        ck_assert(v.rows <= 1);
        ck_assert_double_gt(v.invariance, 1);
        ck_assert_double_gt(v.one_step, 1);
        p.sampler.type = true_sampler;
        planted_close(&p);
    }
}
END_TEST

/* A systematic scan that claims detailed balance. */
START_TEST(test_kernels_see_a_false_claim_of_balance) {
    planted p;
    planted_open(&p, "rbm 4 x 3", "gibbs", NULL);
    sound(&p.c);
    ck_assert(!p.sampler.reversible);
    p.sampler.reversible = true;
    ck_assert_double_gt(battery_examine(&p.c, 91).balance, 1);
    planted_close(&p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kernels");
    TCase *battery = tcase_create("battery"), *mistakes = tcase_create("planted mistakes");
    tcase_add_test(battery, test_kernels_name_is_known);
    tcase_add_loop_test(battery, test_kernels_battery, 0, SMALL_MODELS);
    tcase_add_test(battery, test_kernels_reaches_every_sampler);
    tcase_set_timeout(battery, 300);
    suite_add_tcase(suite, battery);
    tcase_add_test(mistakes, test_kernels_see_a_dropped_proposal_ratio);
    tcase_add_test(mistakes, test_kernels_see_a_stale_field);
    tcase_add_test(mistakes, test_kernels_see_a_swap_rule_of_the_wrong_sign);
    tcase_add_test(mistakes, test_kernels_see_a_wrong_bond_probability);
    tcase_add_test(mistakes, test_kernels_see_a_wrong_kernel);
    tcase_add_test(mistakes, test_kernels_see_a_false_claim_of_balance);
    tcase_set_timeout(mistakes, 300);
    suite_add_tcase(suite, mistakes);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
