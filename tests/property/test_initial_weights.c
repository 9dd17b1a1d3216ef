/* The weights that models start with: independent normal numbers of the standard deviation asked for, others for another
 * seed.
 *
 * Seeds are fixed. A sum of squares of 40 numbers is chi-square with 40 degrees: below 40 / 6 or above 120 with
 * probability 1.2e-9, with 60 degrees above 180 with less: 310 of them. */
#include "rbm_fixture.h"

enum { ROWS = 60, COLUMNS = 40 };

static const struct start {
    const char *model, *options[10];
    double scale;
} starts[] = {
    {"rbm", {"visible", "60", "hidden", "40", "init", "normal", "init_scale", "0.5"}, 0.5},
    {"grbm", {"visible", "60", "hidden", "40", "init_scale", "0.5"}, 0.5},
    {"grbm", {"visible", "60", "hidden", "40", "init_scale", "0"}, 0.1}, /* 1 / sqrt(visible + hidden) */
    {"harmonium", {"units", "60 poisson", "hidden", "40", "init_scale", "3"}, 3},
    {"hopfield-modern", {"units", "40", "patterns", "60", "init_scale", "2"}, 2},
};
enum { STARTS = sizeof starts / sizeof *starts };

/* Over the standard deviation that they should have. */
static void weights_of(const struct start *s, uint32_t seed, double *W) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, s->model);
    void *options = test_options(&type->info, s->options);
    ebm_model model;
    CHECK_OK(ebm_model_create(type, options, NULL, NULL, seed, &model, error));
    ck_assert_uint_eq(model.views[0].offset, 0);
    for (size_t k = 0; k < ROWS * COLUMNS; k++)
        W[k] = (double)model.theta[k] / s->scale;
    ebm_model_free(&model);
    test_options_free(&type->info, options);
}

/* Sums of squares of rows and columns are right, and so are those of their means: neither are any alike. */
START_TEST(test_initial_weights_are_independent_normals) {
    double W[ROWS * COLUMNS], of_rows = 0, of_columns = 0, all = 0;
    weights_of(&starts[_i], 5, W);
    for (size_t i = 0; i < ROWS; i++) {
        double sum = 0, squares = 0;
        for (size_t j = 0; j < COLUMNS; j++) {
            sum += W[i * COLUMNS + j];
            squares += W[i * COLUMNS + j] * W[i * COLUMNS + j];
        }
        ck_assert_msg(squares > COLUMNS / 6.0 && squares < 3 * COLUMNS, "row %zu: %g", i, squares);
        of_rows += sum * sum / COLUMNS;
        all += squares;
    }
    for (size_t j = 0; j < COLUMNS; j++) {
        double sum = 0;
        for (size_t i = 0; i < ROWS; i++)
            sum += W[i * COLUMNS + j];
        of_columns += sum * sum / ROWS;
    }
    ck_assert_msg(of_rows < 3 * ROWS && of_columns < 3 * COLUMNS, "%g and %g", of_rows, of_columns);
    ck_assert_double_lt(fabs(all / (ROWS * COLUMNS) - 1), 6 * sqrt(2.0 / (ROWS * COLUMNS)));
}
END_TEST

START_TEST(test_initial_weights_are_of_the_seed) {
    double W[ROWS * COLUMNS], same[ROWS * COLUMNS], other[ROWS * COLUMNS], products = 0;
    weights_of(&starts[_i], 5, W);
    weights_of(&starts[_i], 5, same);
    weights_of(&starts[_i], 6, other);
    ck_assert_mem_eq(W, same, sizeof W);
    for (size_t k = 0; k < ROWS * COLUMNS; k++)
        products += W[k] * other[k];
    ck_assert_double_lt(fabs(products), 6 * sqrt(ROWS * COLUMNS));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("initial weights");
    TCase *cases = tcase_create("property");
    tcase_add_loop_test(cases, test_initial_weights_are_independent_normals, 0, STARTS);
    tcase_add_loop_test(cases, test_initial_weights_are_of_the_seed, 0, STARTS);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
