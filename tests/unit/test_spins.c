/* Binary data taken as spins: states, fixed states, means and support are 2 x - 1 of what they were, however the values are
 * stored and binarised; other domains are left alone. The Hopfield network's set-up: empty, of the data's or its own
 * size, and the couplings that it refuses to load. */
#include "rbm_fixture.h"

#include "ebm/dataset.h"
#include "ebm/npy.h"

#include <unistd.h>

enum { COUNT = 40, SIZE = 9 };

static ebm_dataset data_of(ebm_binarise binarise, bool reals) {
    ebm_dataset data = {.space = ebm_space_picture(EBM_BINARY, 3, 3), .binarise = binarise};
    ebm_examples *halves[] = {&data.train, &data.test};
    test_random r = {12};
    for (size_t h = 0; h < 2; h++) {
        halves[h]->count = COUNT;
        halves[h]->bytes = reals ? NULL : calloc(COUNT * SIZE, 1);
        halves[h]->reals = reals ? calloc(COUNT * SIZE, sizeof *halves[h]->reals) : NULL;
        for (size_t k = 0; k < COUNT * SIZE; k++) {
            const double u = test_random_uniform(&r), v = binarise == EBM_BINARISE_NONE ? u < 0.3 : u;
            if (reals)
                halves[h]->reals[k] = (ebm_real)v;
            else
                halves[h]->bytes[k] = (uint8_t)(binarise == EBM_BINARISE_NONE ? v : 255 * v);
        }
    }
    data.support_count = 2;
    data.support = calloc(2 * SIZE, sizeof *data.support);
    data.support_log_probability = calloc(2, sizeof *data.support_log_probability);
    for (size_t k = 0; k < 2 * SIZE; k++)
        data.support[k] = k % 3 == 0;
    return data;
}

static void states_of(const ebm_dataset *data, ebm_real *out) {
    ebm_examples_batch(data, &data->train, NULL, 0, COUNT, ebm_stream_of(4, EBM_PURPOSE_BINARISE), 7, out);
    ebm_examples_batch(data, &data->train, (const uint32_t[]){5, 0, 5}, 0, 3, ebm_stream_of(4, EBM_PURPOSE_BINARISE), 7,
                       out + COUNT * SIZE);
    ebm_examples_fixed(data, &data->test, 0, COUNT, out + (COUNT + 3) * SIZE);
    memcpy(out + (2 * COUNT + 3) * SIZE, data->support, 2 * SIZE * sizeof *out);
}

START_TEST(test_spins_are_the_binary_states) {
    static const ebm_binarise kinds[] = {EBM_BINARISE_NONE, EBM_BINARISE_STOCHASTIC, EBM_BINARISE_THRESHOLD};
    enum { ALL = (2 * COUNT + 5) * SIZE };
    ebm_real before[ALL], after[ALL];
    double means[SIZE], turned[SIZE];
    ebm_dataset data = data_of(kinds[_i / 2], _i % 2);
    data.hash = 5;
    states_of(&data, before);
    ebm_dataset_means(&data, means);
    ebm_dataset_to_spins(&data);
    for (int again = 0; again < 2; again++, ebm_dataset_to_spins(&data)) { /* once is enough */
        states_of(&data, after);
        ebm_dataset_means(&data, turned);
        size_t up = 0;
        for (size_t k = 0; k < ALL; k++) {
            ck_assert(after[k] == 2 * before[k] - 1 && (after[k] == 1 || after[k] == -1));
            up += after[k] > 0;
        }
        ck_assert(up > ALL / 10 && up < ALL);
        for (size_t i = 0; i < SIZE; i++) /* sums of 40 numbers in double, in two orders */
            ck_assert_double_eq_tol(turned[i], 2 * means[i] - 1, 1e-14);
        ck_assert(data.space.domain == EBM_SPIN && data.space.rank == 2 && data.hash == 5);
    }
    ebm_dataset_free(&data);
}
END_TEST

START_TEST(test_spins_leaves_other_domains_alone) {
    ebm_dataset data = data_of(EBM_BINARISE_NONE, true);
    ebm_real before[COUNT * SIZE];
    memcpy(before, data.train.reals, sizeof before);
    data.space.domain = EBM_REAL_LINE;
    ebm_dataset_to_spins(&data);
    ck_assert(data.space.domain == EBM_REAL_LINE && memcmp(before, data.train.reals, sizeof before) == 0);
    ebm_dataset_free(&data);
}
END_TEST

static ebm_status open_network(const char *const *pairs, const ebm_space *space, ebm_model *model, ebm_error *error) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "hopfield");
    void *options = test_options(&type->info, pairs);
    const ebm_status status = ebm_model_create(type, options, space, NULL, 1, model, error);
    test_options_free(&type->info, options);
    return status;
}

START_TEST(test_hopfield_starts_empty) {
    static const char *const five[] = {"units", "5", NULL};
    const ebm_space six = ebm_space_line(EBM_SPIN, 6), binary = ebm_space_line(EBM_BINARY, 5);
    ebm_model model;
    ebm_error refusal = {0};
    CHECK_OK(open_network(five, NULL, &model, error));
    ck_assert(model.space.domain == EBM_SPIN && model.space.size == 5 && model.n_theta == 30);
    for (size_t k = 0; k < model.n_theta; k++)
        ck_assert(model.theta[k] == 0);
    ebm_model_free(&model);
    CHECK_OK(open_network(NULL, &six, &model, error));
    ck_assert_uint_eq(model.space.size, 6);
    ebm_model_free(&model);
    ck_assert_int_eq(open_network(five, &six, &model, &refusal), EBM_INVALID);
    ck_assert_int_eq(open_network(five, &binary, &model, &refusal), EBM_UNSUPPORTED);
    ck_assert_int_eq(open_network(NULL, NULL, &model, &refusal), EBM_INVALID);
}
END_TEST

START_TEST(test_hopfield_loads_symmetric_couplings_alone) {
    char folder[] = "/tmp/ebm-hopfield-XXXXXX", file[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    const char *from[] = {"load", folder, NULL};
    static const char *const five[] = {"units", "5", NULL};
    ebm_model model, loaded;
    CHECK_OK(open_network(five, NULL, &model, error));
    ebm_real *W = ebm_model_view(&model, "W");
    W[1 * 5 + 3] = W[3 * 5 + 1] = (ebm_real)0.5;
    ebm_model_view(&model, "bias")[2] = -1;
    CHECK_OK(ebm_model_save(&model, folder, error));
    CHECK_OK(open_network(from, NULL, &loaded, error));
    ck_assert_int_eq(memcmp(loaded.theta, model.theta, model.n_theta * sizeof *model.theta), 0);
    ebm_model_free(&loaded);
    W[4 * 5 + 2] = 7; /* one half of a coupling; then a unit's own */
    for (int self = 0; self < 2; self++) {
        ebm_error refusal = {0};
        CHECK_OK(ebm_model_save(&model, folder, error));
        ck_assert_int_eq(open_network(from, NULL, &loaded, &refusal), EBM_FORMAT);
        ck_assert_msg(strstr(refusal.message, self ? "unit 3 to itself" : "not symmetric") != NULL, "%s",
                      refusal.message);
        W[4 * 5 + 2] = 0;
        W[3 * 5 + 3] = 2;
    }
    ebm_model_free(&model);
    snprintf(file, sizeof file, "%s/W.npy", folder);
    unlink(file);
    snprintf(file, sizeof file, "%s/bias.npy", folder);
    unlink(file);
    rmdir(folder);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("spins");
    TCase *checks = tcase_create("spins");
    tcase_add_loop_test(checks, test_spins_are_the_binary_states, 0, 6);
    tcase_add_test(checks, test_spins_leaves_other_domains_alone);
    tcase_add_test(checks, test_hopfield_starts_empty);
    tcase_add_test(checks, test_hopfield_loads_symmetric_couplings_alone);
    suite_add_tcase(suite, checks);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
