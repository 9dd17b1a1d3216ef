/* Langevin steps of falling size: the adjusted chain keeps the exact law at any point of its schedule, the unadjusted one has
 * the bias and the temperature that its equation says, the schedule is the cosine, and planted mistakes are seen. */
#include "grbm_fixture.h"

#include "components.h"

enum { CHAINS = 20000 };

static const char *const sizes[] = {"0.2", "0.8", "2"};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* 6 adjusted steps of a period of 4 from exact draws: the worse unit. */
static double after_steps(grbm_fixture *f, const char *size) {
    const char *const pairs[] = {"step", size, "batch", "1", "period", "4", "adjust", "true", NULL};
    grbm_walk w;
    grbm_walk_open(&w, f, "annealed-langevin", pairs, CHAINS);
    ck_assert(w.sampler.exact);
    grbm_walk_start(&w, f, ebm_path_end());
    grbm_walk_step(&w, f, 4);
    grbm_walk_step(&w, f, 2);
    const double worst = grbm_worst_adjusted(&w, f, ebm_path_end(), 0.1);
    grbm_walk_close(&w);
    return worst;
}

START_TEST(test_annealed_langevin_adjusted_is_exact) {
    grbm_fixture f;
    grbm_open(&f, 2, 3, 0.8, 31);
    const double worst = after_steps(&f, sizes[_i]);
    ck_assert_msg(worst <= 1, "step %s: %g times the limit", sizes[_i], worst);
    grbm_close(&f);
}
END_TEST

static void gradient_off(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work) {
    ebm_grbm.grad_x(model, path, batch, out, work);
    for (size_t k = 0; k < batch->count * model->space.size; k++)
        out[k] *= (ebm_real)1.5; /* another proposal, whose density is right: no mistake */
}

/* A wrong energy is seen; a wrong gradient only makes worse proposals, which are still accounted for. */
START_TEST(test_annealed_langevin_mistakes_are_seen) {
    grbm_fixture f;
    grbm_open(&f, 2, 3, 0.8, 31);
    f.model.type = &f.wrong;
    if (_i == 0)
        f.wrong.energy = grbm_energy_off;
    else
        f.wrong.grad_x = gradient_off;
    const double worst = after_steps(&f, "0.8");
    ck_assert_msg(_i == 0 ? worst > 1.2 : worst <= 1, "%d: %g of the limit", _i, worst);
    grbm_close(&f);
}
END_TEST

/* Without weights and with period 1 the step is alpha = eta / batch sigma^2 all the time: unadjusted, the variance is
 * sigma^2 / (1 - alpha / (2 sigma^2)), in mode faithful `batch` times that; adjusted and faithful it is `batch` sigma^2.
 * Mean squares of 2 CHAINS independent numbers: 5 sqrt(2 / n), twice that where rejections leave some tie. */
static const struct {
    const char *mode, *adjust;
    double want, allowed;
} bias[] = {{"correct", "false", 1 / 0.8, 1}, {"faithful", "false", 4 / 0.8, 1}, {"faithful", "true", 4, 2}};

START_TEST(test_annealed_langevin_bias) {
    grbm_fixture f;
    grbm_walk w;
    const char *const pairs[] = {"step",        "1.6",    "batch",         "4", "period", "1", "mode",
                                 bias[_i].mode, "adjust", bias[_i].adjust, NULL};
    grbm_open(&f, 2, 2, 0, 32);
    grbm_walk_open(&w, &f, "annealed-langevin", pairs, CHAINS);
    ck_assert(!w.sampler.exact);
    grbm_walk_start(&w, &f, ebm_path_end());
    grbm_walk_step(&w, &f, 120);
    double squares = 0;
    for (size_t k = 0; k < 2 * CHAINS; k++)
        squares += (double)w.chains.batch.x[k] * (double)w.chains.batch.x[k] / (2 * CHAINS);
    ck_assert_msg(fabs(squares / bias[_i].want - 1) < bias[_i].allowed * 5 * sqrt(1.0 / CHAINS), "%g, not %g", squares,
                  bias[_i].want);
    grbm_walk_close(&w);
    grbm_close(&f);
}
END_TEST

/* From one state without weights, T = 4 steps: v - mu shrinks by prod_t (1 - eta / (2 batch) (1 + cos(pi t / 4))), and a
 * second call goes on where the first stopped. */
START_TEST(test_annealed_langevin_schedule) {
    static const char *const pairs[] = {"step", "2", "batch", "4", "period", "4", NULL};
    grbm_fixture f;
    grbm_walk w;
    grbm_open(&f, 2, 2, 0, 33);
    grbm_walk_open(&w, &f, "annealed-langevin", pairs, CHAINS);
    for (size_t k = 0; k < 2 * CHAINS; k++)
        w.chains.batch.x[k] = 100;
    CHECK_OK(ebm_sampler_attach(&w.sampler, &f.model, &w.chains, error));
    double want = 100, variance = 0;
    for (int t = 0; t < 6; t++) {
        const double alpha = 0.25 * (1 + cos(3.14159265358979323846 * (t % 4) / 4));
        want *= 1 - alpha;
        variance = variance * (1 - alpha) * (1 - alpha) + 2 * alpha;
    }
    grbm_walk_step(&w, &f, 1);
    grbm_walk_step(&w, &f, 5);
    double mean = 0;
    for (size_t k = 0; k < 2 * CHAINS; k++)
        mean += (double)w.chains.batch.x[k] / (2 * CHAINS);
    ck_assert_msg(fabs(mean - want) < 5 * sqrt(variance / (2 * CHAINS)) + 1e-4, "%g, not %g", mean, want);
    grbm_walk_close(&w);
    grbm_close(&f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("annealed-langevin");
    TCase *cases = tcase_create("statistical");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, test_annealed_langevin_adjusted_is_exact, 0, SIZES);
    tcase_add_loop_test(cases, test_annealed_langevin_mistakes_are_seen, 0, 2);
    tcase_add_loop_test(cases, test_annealed_langevin_bias, 0, 3);
    tcase_add_test(cases, test_annealed_langevin_schedule);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
