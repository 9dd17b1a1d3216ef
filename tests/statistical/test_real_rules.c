/* The battery of real_battery.h tried on samplers of the tests' own, sound ones and ones with a mistake; and the rules of
 * real_rules.h themselves: detailed balance, and leapfrog steps that can be run backwards and keep volumes.
 *
 * Seeds are fixed; each comparison has the battery's level. */
#include "real_cases.h"

static const rule sound_rules[] = {
    {RULE_WALK, 1.0, 0, 0, SOUND}, {RULE_INDEPENDENCE, 2.5, 0, 0.3, SOUND},
    {RULE_MALA, 0.3, 0, 0, SOUND}, {RULE_HMC, 0.45, 1, 0, SOUND},
    {RULE_HMC, 0.3, 5, 0, SOUND},
};
enum { SOUND_RULES = sizeof sound_rules / sizeof *sound_rules };

static const char *rule_fault(const target *t, const rule *r, double beta, double *excess) {
    real_bench b;
    real_bench_open_rule(&b, t, r);
    b.c.path.beta = beta;
    const real_verdict v = real_examine(&b.c, 31);
    const char *fault = real_fault(&v, true, excess);
    ck_assert(v.examined && !v.why[0]);
    real_bench_close(&b);
    return fault;
}

/* Right samplers pass: the battery's own draws and distribution functions belong to the energies. */
START_TEST(test_real_battery_passes_the_rules) {
    for (size_t k = 0; k < SOUND_RULES; k++)
        for (double beta = 1; beta > 0.4; beta /= 2) {
            double excess;
            const char *fault = rule_fault(&targets[_i], &sound_rules[k], beta, &excess);
            ck_assert_msg(!fault, "rule %zu on %s at %g: %s (%.3g times)", k, targets[_i].label, beta, fault, excess);
        }
}
END_TEST

/* Each mistake is seen on some target at least; `on` names one where it has to be. */
static const struct {
    rule rule;
    const char *on;
} mistakes[] = {
    {{RULE_MALA, 0.3, 0, 0, NO_PROPOSAL_RATIO}, "normal"},
    {{RULE_MALA, 0.1, 0, 0, NO_PROPOSAL_RATIO}, "two double wells"},
    {{RULE_INDEPENDENCE, 1.5, 0, 0.3, NO_PROPOSAL_RATIO}, "double well"},
    {{RULE_MALA, 0.3, 0, 0, HALF_THE_NOISE}, "normal"},
    {{RULE_MALA, 0.3, 0, 0, HALF_THE_NOISE}, "banana"},
    {{RULE_HMC, 0.45, 1, 0, NO_LAST_HALF_KICK}, "normal"},
    {{RULE_HMC, 0.3, 5, 0, NO_LAST_HALF_KICK}, "correlated normal"},
    {{RULE_HMC, 0.45, 3, 0, NO_KINETIC_ENERGY}, "wall"},
    {{RULE_WALK, 1, 0, 0, ALWAYS_ACCEPTED}, "heavy tails"},
    {{RULE_HMC, 0.7, 3, 0, ALWAYS_ACCEPTED}, "double well"},
    {{RULE_WALK, 1, 0, 0, SCALE_OF_STATE}, "half line"},
    {{RULE_WALK, 2.5, 0, 0, SAME_NUMBERS_TWICE}, "normal"},
    {{RULE_ULA, 0.3, 0, 0, SOUND}, "normal"},
};

START_TEST(test_real_battery_sees_a_mistake) {
    const rule *r = &mistakes[_i].rule;
    double excess;
    const char *fault = rule_fault(target_by_label(mistakes[_i].on), r, 1, &excess);
    ck_assert_msg(fault != NULL, "mistake %d is not seen", r->mistake);
    ck_assert_double_gt(excess, 1);
}
END_TEST

/* Steps of one call that share their numbers: exact draws stay exact draws, but not the same bytes. */
START_TEST(test_real_battery_sees_numbers_used_again) {
    const rule again = {RULE_WALK, 1, 0, 0, SAME_NUMBERS_EVERY_STEP};
    for (size_t k = 0; k < 2; k++) {
        const rule r = k == 0 ? sound_rules[0] : again;
        real_bench b;
        real_bench_open_rule(&b, &targets[1], &r);
        const char *fault = bytes_fault(&b.c, &b.sampler);
        ck_assert((fault != NULL) == (k == 1));
        real_bench_close(&b);
    }
}
END_TEST

/* The same by single steps from fixed states: real steps follow the rule, and no other. */
START_TEST(test_real_rules_single_steps) {
    static const char *const on[] = {"normal", "double well", "wall", "half line"};
    for (size_t k = 0; k < SOUND_RULES; k++)
        for (size_t n = 0; n < 4; n++) {
            real_bench b;
            real_bench_open_rule(&b, target_by_label(on[n]), &sound_rules[k]);
            b.c.rows = 20000;
            const double right = rule_excess(&b.c, &sound_rules[k], 1, 7);
            rule other = sound_rules[k];
            other.step *= 1.1;
            const double wrong = rule_excess(&b.c, &other, 1, 7);
            ck_assert_msg(right <= 1 && wrong > 1, "rule %zu on %s: %g, with a step 1.1 times as long %g", k, on[n],
                          right, wrong);
            real_bench_close(&b);
        }
}
END_TEST

START_TEST(test_real_rules_single_steps_see_a_mistake) {
    const rule *r = &mistakes[_i].rule;
    rule right = *r;
    right.mistake = SOUND;
    if (target_by_label(mistakes[_i].on)->units > 1 || r->mistake == SOUND)
        return;
    real_bench b;
    real_bench_open_rule(&b, target_by_label(mistakes[_i].on), r);
    b.c.rows = 20000;
    ck_assert_double_gt(rule_excess(&b.c, &right, 1, 7), 1);
    real_bench_close(&b);
}
END_TEST

/* ---- The library's samplers ---- */

static const struct {
    const char *sampler;
    const char *options[MOST_OPTIONS];
    rule rules[3];
    size_t count; /* of rules, of which each step takes one with equal probability */
} known[] = {
    {"random-walk", {"scale", "1"}, {{RULE_WALK, 1, 0, 0, SOUND}}, 1},
    {"random-walk", {"scale", "0.2"}, {{RULE_WALK, 0.2, 0, 0, SOUND}}, 1},
    {"independence",
     {"proposal", "normal", "mean", "0.3", "deviation", "2.5"},
     {{RULE_INDEPENDENCE, 2.5, 0, 0.3, SOUND}},
     1},
    {"mala", {"step", "0.3"}, {{RULE_MALA, 0.3, 0, 0, SOUND}}, 1},
    {"mala", {"step", "0.05"}, {{RULE_MALA, 0.05, 0, 0, SOUND}}, 1},
    {"hmc", {"step", "0.45", "length", "1", "jitter", "0", "mass", "identity"}, {{RULE_HMC, 0.45, 1, 0, SOUND}}, 1},
    {"hmc", {"step", "0.3", "length", "5", "jitter", "0", "mass", "identity"}, {{RULE_HMC, 0.3, 5, 0, SOUND}}, 1},
    {"ula", {"step", "0.3"}, {{RULE_ULA, 0.3, 0, 0, SOUND}}, 1},
};
enum { KNOWN = sizeof known / sizeof *known };

/* One step of the library's from fixed states has the law that the definition gives it. */
START_TEST(test_real_rules_are_the_library_s) {
    static const char *const on[] = {"normal", "double well", "wall", "half line"};
    for (size_t n = 0; n < 4; n++)
        for (double beta = 1; beta > 0.4; beta /= 2) {
            real_bench b;
            if (strcmp(on[n], "half line") == 0 && known[_i].rules[0].kind == RULE_ULA)
                continue; /* goes where there is no energy */
            ck_assert(real_bench_open(&b, target_by_label(on[n]), real_sampler(known[_i].sampler), known[_i].options));
            b.c.rows = 20000;
            b.c.path.beta = beta;
            const double excess = rule_excess(&b.c, known[_i].rules, known[_i].count, 7);
            ck_assert_msg(excess <= 1, "%s on %s, beta = %g: a step is not as defined (%.3g times what is allowed)",
                          known[_i].sampler, on[n], beta, excess);
            real_bench_close(&b);
        }
}
END_TEST

/* ---- The rules themselves ---- */

/* log of the density of going from x to y on one unit, up to what x and y share. */
static double log_flow(const rule *r, const target *t, double x, double y) {
    double g, gy, to;
    const double energy = target_energy(t, &x, &g), after = target_energy(t, &y, &gy);
    double z = r->kind == RULE_WALK           ? (y - x) / r->step
               : r->kind == RULE_INDEPENDENCE ? (y - r->mean) / r->step
                                              : (y - x + r->step * g) / sqrt(2 * r->step);
    const double a = rule_propose(r, t, 1, &x, &z, &to);
    ck_assert_double_le(fabs(to - y), 1e-12 * (1 + fabs(y)));
    (void)after;
    return -energy - z * z / 2 + log(a);
}

/* pi(x) P(x -> y) = pi(y) P(y -> x) on a grid: rounding of numbers up to some hundreds. */
START_TEST(test_real_rules_detailed_balance) {
    static const char *const on[] = {"normal", "double well", "wall", "half line"};
    for (size_t k = 0; k < SOUND_RULES && sound_rules[k].kind != RULE_HMC; k++)
        for (size_t n = 0; n < 4; n++)
            for (int i = 0; i < 41; i++)
                for (int j = 0; j < i; j++) {
                    const target *t = target_by_label(on[n]);
                    const double low = strcmp(on[n], "half line") == 0 ? 0.05 : -2, x = low + i * 0.1;
                    const double y = low + j * 0.1, forth = log_flow(&sound_rules[k], t, x, y);
                    if (fabs(forth - log_flow(&sound_rules[k], t, y, x)) > 1e-10)
                        ck_abort_msg("rule %zu on %s between %g and %g", k, on[n], x, y);
                }
}
END_TEST

/* (y, p) of (x, z) by leapfrog steps; p by where a reversed run has to start: p = (y - x_1) / eps with one step fewer is
 * avoided by running the definition once more with the momentum kept. */
static void leapfrog(const rule *r, const target *t, double *x, double *p) {
    double g;
    rule_energy(t, 1, x, &g);
    for (size_t l = 0; l < r->leaps; l++) {
        *p -= r->step / 2 * g;
        *x += r->step * *p;
        rule_energy(t, 1, x, &g);
        *p -= r->step / 2 * g;
    }
}

/* Backwards with the momentum turned round to where it came from, areas kept (central differences of 1e-5: 1e-9), and
 * rule_propose goes to the same place with the same acceptance. */
START_TEST(test_real_rules_leapfrog) {
    const rule r = {RULE_HMC, 0.2, 5, 0, SOUND};
    const target *t = target_by_label("double well");
    for (double x0 = -1.5; x0 < 1.6; x0 += 0.25)
        for (double p0 = -1.4; p0 < 1.5; p0 += 0.35) {
            double x = x0, p = p0, y, g, corner[4][2];
            leapfrog(&r, t, &x, &p);
            const double a = rule_propose(&r, t, 1, &x0, &p0, &y);
            const double change = rule_energy(t, 1, &x0, &g) + p0 * p0 / 2 - rule_energy(t, 1, &x, &g) - p * p / 2;
            ck_assert_double_le(fabs(y - x), 1e-12);
            ck_assert_double_le(fabs(a - fmin(1, exp(change))), 1e-12);
            p = -p;
            leapfrog(&r, t, &x, &p);
            ck_assert_double_le(fabs(x - x0) + fabs(p + p0), 1e-11);
            for (int k = 0; k < 4; k++) {
                corner[k][0] = x0 + (k == 0 ? 1e-5 : k == 1 ? -1e-5 : 0);
                corner[k][1] = p0 + (k == 2 ? 1e-5 : k == 3 ? -1e-5 : 0);
                leapfrog(&r, t, &corner[k][0], &corner[k][1]);
            }
            const double xx = corner[0][0] - corner[1][0], px = corner[0][1] - corner[1][1];
            const double xp = corner[2][0] - corner[3][0], pp = corner[2][1] - corner[3][1];
            ck_assert_double_le(fabs((xx * pp - xp * px) / 4e-10 - 1), 1e-6);
        }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("rules on real spaces");
    TCase *c = tcase_create("rules");
    const int n = sizeof mistakes / sizeof *mistakes;
    tcase_add_loop_test(c, test_real_battery_passes_the_rules, 0, TARGETS);
    tcase_add_loop_test(c, test_real_battery_sees_a_mistake, 0, n);
    tcase_add_test(c, test_real_battery_sees_numbers_used_again);
    tcase_add_test(c, test_real_rules_single_steps);
    tcase_add_loop_test(c, test_real_rules_single_steps_see_a_mistake, 0, n);
    tcase_add_loop_test(c, test_real_rules_are_the_library_s, 0, KNOWN);
    tcase_add_test(c, test_real_rules_detailed_balance);
    tcase_add_test(c, test_real_rules_leapfrog);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
