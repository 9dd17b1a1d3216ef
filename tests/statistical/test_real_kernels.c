/* Every sampler of the registry that lives on the real line, on every small law of real_targets.h, at two inverse
 * temperatures: the battery of real_battery.h and real_bytes.h. A new sampler is reached by being registered; options
 * other than its default stand in real_cases.h.
 *
 * Seeds are fixed. The level of each comparison is 1e-6 over their number (Bonferroni), so that the whole file gives a
 * false alarm with probability below 1e-6 for a set of seeds. */
#include "real_cases.h"

typedef struct findings {
    size_t cases, faults;
    char text[6000];
} findings;

static void find(findings *f, const real_bench *b, const real_variant *setting, const char *fault, double excess) {
    char words[160];
    const size_t used = strlen(f->text);
    f->faults++;
    if (used + 1 < sizeof f->text)
        snprintf(f->text + used, sizeof f->text - used, "\n  %s%s on %s, beta = %g: %s (%.3g times what is allowed)",
                 b->type->info.name, real_setting_text(setting->options, words, sizeof words), b->c.target->label,
                 b->c.path.beta, fault, excess);
}

/* Samplers of the registry one after the other, with all their settings; of one alone where EBM_ONLY_SAMPLER names it. */
static const real_variant *next_setting(size_t *sampler, size_t *setting, const ebm_sampler_type **type) {
    const char *only = getenv("EBM_ONLY_SAMPLER");
    const ebm_component *component;
    for (; (component = ebm_component_at(EBM_KIND_SAMPLER, *sampler)) != NULL; ++*sampler, *setting = 0) {
        *type = (const ebm_sampler_type *)component;
        const bool real = (*type)->domains >> EBM_REAL_LINE & 1u;
        const real_variant *found =
            real && (!only || strcmp(only, component->name) == 0) ? real_setting(component, (*setting)++) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

/* A misspelt EBM_ONLY_SAMPLER would examine nothing and pass. */
START_TEST(test_real_kernels_name_is_known) {
    const char *only = getenv("EBM_ONLY_SAMPLER");
    ck_assert_msg(!only || ebm_component_find(EBM_KIND_SAMPLER, only), "EBM_ONLY_SAMPLER=%s: there is no such sampler",
                  only);
}
END_TEST

/* Each sampler's first setting at both temperatures, the others at the first. Of biased samplers what is asked of all:
 * costs. */
START_TEST(test_real_kernels_battery) {
    static const double betas[] = {1, 0.5};
    const ebm_sampler_type *type;
    const real_variant *setting;
    findings f = {0};
    for (size_t s = 0, n = 0; (setting = next_setting(&s, &n, &type)) != NULL;)
        for (size_t k = 0; k < (n == 1 ? 2 : 1); k++) {
            real_bench b;
            double excess;
            if (!real_bench_open(&b, &targets[_i], type, setting->options))
                continue;
            b.c.path.beta = betas[k];
            const real_verdict v = real_examine(&b.c, (uint32_t)(1000 * k + 17));
            const char *fault = real_fault(&v, b.sampler.exact || setting->settles, &excess);
            f.cases += v.examined;
            if (fault)
                find(&f, &b, setting, fault, excess);
            real_bench_close(&b);
        }
    ck_assert_msg(f.faults == 0, "%zu of %zu cases:%s", f.faults, f.cases, f.text);
    ck_assert_uint_le(f.cases * (3 * TARGET_UNITS * 3 + 1) * TARGETS, MOST_COMPARISONS);
}
END_TEST

START_TEST(test_real_kernels_bytes) {
    const ebm_sampler_type *type;
    const real_variant *setting;
    findings f = {0};
    for (size_t s = 0, n = 0; (setting = next_setting(&s, &n, &type)) != NULL;) {
        real_bench b, fresh;
        if (!real_bench_open(&b, &targets[_i], type, setting->options))
            continue;
        ck_assert(real_bench_open(&fresh, &targets[_i], type, setting->options));
        const char *fault = bytes_fault(&b.c, &fresh.sampler);
        f.cases++;
        if (fault)
            find(&f, &b, setting, fault, INFINITY);
        real_bench_close(&b);
        real_bench_close(&fresh);
    }
    ck_assert_msg(f.faults == 0, "%zu of %zu cases:%s", f.faults, f.cases, f.text);
}
END_TEST

/* A gradient that is not a number where the energy is finite. */
static void broken_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                          ebm_work *work) {
    target_model_grad_x(model, path, batch, out, work);
    for (size_t k = 0; k < batch->count * model->space.size; k++)
        out[k] = batch->x[k] > 1 ? (ebm_real)NAN : out[k];
}

/* It is an error that names a chain and a unit, by every sampler that looks at gradients; adapting or not. */
START_TEST(test_real_kernels_refuse_a_gradient_that_is_not_a_number) {
    const ebm_sampler_type *type;
    const real_variant *setting;
    for (size_t s = 0, n = 0; (setting = next_setting(&s, &n, &type)) != NULL;)
        for (int adapting = 0; adapting < 2; adapting++) {
            real_bench b;
            ebm_error error = {0};
            ebm_chains chains;
            if (!(type->needs & EBM_SLOT_GRAD_X) || !real_bench_open(&b, &targets[0], type, setting->options))
                continue;
            ebm_model_type broken = *b.model.type;
            ebm_model model = b.model;
            broken.grad_x = broken_grad_x;
            broken.energy_grad_x = NULL;
            model.type = &broken;
            b.c.model = &model;
            bytes_open(&b.c, 0, 200, &chains);
            chains.adapting = adapting;
            chains.warmup_left = adapting ? 50 : 0;
            const ebm_status status = real_step(&b.c, &chains, 50, &error);
            ck_assert_msg(status == EBM_DIVERGED, "%s: status %s", type->info.name, ebm_status_name(status));
            ck_assert_msg(strstr(error.message, "chain") != NULL, "%s: %s", type->info.name, error.message);
            ebm_chains_free(&chains);
            real_bench_close(&b);
        }
}
END_TEST

/* Every sampler that can run on these laws is examined with all its settings. */
START_TEST(test_real_kernels_reaches_every_sampler) {
    const ebm_sampler_type *type;
    const real_variant *setting;
    for (size_t k = 0; k < REAL_VARIANTS; k++)
        real_sampler(real_variants[k].sampler);
    for (size_t s = 0, n = 0; (setting = next_setting(&s, &n, &type)) != NULL;) {
        ebm_error refusal = {0};
        real_bench b;
        char words[160];
        if (ebm_sampler_check(type, NULL, &target_type, &refusal) != EBM_OK)
            continue;
        const bool reached = real_bench_open(&b, &targets[0], type, setting->options);
        if (reached)
            real_bench_close(&b);
        ck_assert_msg(reached || strcmp(type->info.name, "exact") == 0, "sampler %s%s is not examined", type->info.name,
                      real_setting_text(setting->options, words, sizeof words));
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("samplers on real spaces");
    TCase *c = tcase_create("battery");
    tcase_add_test(c, test_real_kernels_name_is_known);
    tcase_add_loop_test(c, test_real_kernels_battery, 0, TARGETS);
    tcase_add_loop_test(c, test_real_kernels_bytes, 0, TARGETS);
    tcase_add_test(c, test_real_kernels_refuse_a_gradient_that_is_not_a_number);
    tcase_add_test(c, test_real_kernels_reaches_every_sampler);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
