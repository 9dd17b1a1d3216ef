/* What samplers on real spaces know of their chains from call to call: calls of one step cost no more than one call of many and
 * end at the same bytes; whoever moves a chain, changes the temperature or theta, or starts anew, is noticed. */
#include "grbm_fixture.h"

enum { CHAINS = 9, STEPS = 12 };

static const struct {
    const char *name;
    const char *options[7];
} samplers[] = {{"random-walk", {"scale", "0.5", NULL}},
                {"random-walk", {"covariance", "dense", NULL}},
                {"independence", {"mean", "0", "deviation", "1.5", NULL}},
                {"mala", {"step", "0.2", NULL}},
                {"annealed-langevin", {"adjust", "true", "batch", "10", NULL}},
                {"hmc", {"step", "0.3", "length", "3", NULL}},
                {"nuts", {"step", "0.3", NULL}}};
enum { SAMPLERS = sizeof samplers / sizeof *samplers };

static void open_walk(grbm_fixture *f, grbm_walk *w, int which) {
    grbm_open(f, 3, 4, 0.7, 41);
    grbm_walk_open(w, f, samplers[which].name, samplers[which].options, CHAINS);
    grbm_walk_start(w, f, ebm_path_end());
}

static void close_walk(grbm_fixture *f, grbm_walk *w) {
    grbm_walk_close(w);
    grbm_close(f);
}

static uint64_t evaluations(const grbm_walk *w) {
    return w->chains.energy_evaluations + w->chains.gradient_evaluations;
}

/* The caller looks at the states in between, as a recording does: the field is right. */
START_TEST(test_present_calls_cost_nothing) {
    grbm_fixture f, g;
    grbm_walk whole, cut;
    open_walk(&f, &whole, _i);
    open_walk(&g, &cut, _i);
    grbm_walk_step(&whole, &f, STEPS);
    for (int k = 0; k < STEPS; k++) {
        grbm_walk_step(&cut, &g, 1);
        ebm_model_field(&g.model, &cut.chains.batch, g.work);
    }
    ck_assert_uint_eq(evaluations(&whole), evaluations(&cut));
    ck_assert_mem_eq(whole.chains.batch.x, cut.chains.batch.x, CHAINS * 3 * sizeof(ebm_real));
    close_walk(&f, &whole);
    close_walk(&g, &cut);
}
END_TEST

/* One step after something has changed costs what it costs in chains that know nothing, and ends where theirs do. */
enum { MOVED, COOLER, LEARNT, CHANGES };

static void change(grbm_fixture *f, grbm_walk *w, int what, ebm_path *path) {
    ebm_model_field(&f->model, &w->chains.batch, f->work);
    if (what == MOVED) {
        w->chains.batch.x[4] += (ebm_real)0.25;
        w->chains.batch.field_ok = false;
        ebm_model_field(&f->model, &w->chains.batch, f->work);
    } else if (what == COOLER) {
        path->beta = 1.25;
    } else {
        f->model.theta[0] += (ebm_real)0.5;
        ebm_model_refresh(&f->model, f->work);
        w->chains.batch.field_ok = false;
    }
}

START_TEST(test_present_changes_are_noticed) {
    const int which = _i / CHANGES, what = _i % CHANGES;
    grbm_fixture f, g;
    grbm_walk w, fresh;
    ebm_path path = ebm_path_end();
    open_walk(&f, &w, which);
    open_walk(&g, &fresh, which);
    grbm_walk_step(&w, &f, 3);
    grbm_walk_step(&fresh, &g, 3);
    change(&f, &w, what, &path);
    change(&g, &fresh, what, &path);
    CHECK_OK(ebm_sampler_attach(&fresh.sampler, &g.model, &fresh.chains, error));
    const uint64_t before[2] = {evaluations(&w), evaluations(&fresh)};
    CHECK_OK(w.type->step(&w.sampler, &f.model, path, &w.chains, 1, f.work, error));
    CHECK_OK(fresh.type->step(&fresh.sampler, &g.model, path, &fresh.chains, 1, g.work, error));
    ck_assert_uint_eq(evaluations(&w) - before[0], evaluations(&fresh) - before[1]);
    if (strcmp(samplers[which].name, "annealed-langevin") != 0) /* whose schedule starts anew when attached */
        ck_assert_mem_eq(w.chains.batch.x, fresh.chains.batch.x, CHAINS * 3 * sizeof(ebm_real));
    close_walk(&f, &w);
    close_walk(&g, &fresh);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("present states");
    TCase *cases = tcase_create("statistical");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, test_present_calls_cost_nothing, 0, SAMPLERS);
    tcase_add_loop_test(cases, test_present_changes_are_noticed, 0, SAMPLERS * CHANGES);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
