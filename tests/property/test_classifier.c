/* Training a classifier: one update against its definition, moved pictures, checkpoints and threads by bytes, scores by hand,
 * learning, and what is refused. */
#include "rbm_fixture.h"

#include "ebm/nn.h"

enum { SIDE = 16, PIXELS = SIDE * SIDE, CLASSES = 10, EXAMPLES = 300, TESTS = 150 };

static ebm_dataset glyphs(void) {
    static const char *const pairs[] = {"train", "300", "test", "150", "side", "16", "binarise", "none", NULL};
    const ebm_dataset_type *type = (const ebm_dataset_type *)ebm_component_find(EBM_KIND_DATASET, "glyphs");
    ebm_dataset data;
    void *options = test_options(&type->info, pairs);
    CHECK_OK(ebm_dataset_load(type, options, 1, &data, error));
    test_options_free(&type->info, options);
    return data;
}

typedef struct school {
    ebm_dataset data;
    ebm_net *net;
    ebm_classifier *classifier;
    ebm_work *work;
} school;

static void school_open(school *s, ebm_classifier_settings settings, int threads) {
    memset(s, 0, sizeof *s);
    s->data = glyphs();
    CHECK_OK(ebm_work_create(threads, &s->work, error));
    CHECK_OK(ebm_digits_net_create(SIDE, SIDE, CLASSES, 4, 24, &s->net, error));
    ebm_net_initialise(s->net, 3);
    CHECK_OK(ebm_classifier_create(s->net, &s->data, settings, 7, &s->classifier, error));
}

static void school_close(school *s) {
    ebm_classifier_free(s->classifier);
    ebm_net_free(s->net);
    ebm_dataset_free(&s->data);
    ebm_work_free(s->work);
}

static void train(school *s, size_t updates) {
    for (size_t k = 0; k < updates; k++)
        CHECK_OK(ebm_classifier_update(s->classifier, NULL, s->work, error));
}

typedef struct labelled {
    const int32_t *labels;
    const uint32_t *order;
    size_t count;
    double loss;
} labelled;

/* Called for one group at a time: the work has one thread. */
static void slope_of(void *context, size_t first, size_t count, const ebm_real *outputs, ebm_real *slope) {
    labelled *l = context;
    for (size_t i = 0; i < count; i++)
        l->loss += ebm_cross_entropy(CLASSES, outputs + i * CLASSES, (size_t)l->labels[l->order[first + i]],
                                     1 / (double)l->count, slope + i * CLASSES);
}

/* Adam's first update from gradient g is -rate g / (|g| + epsilon), on the first `batch` of the permutation of epoch 0, which
 * has the full rate. The gradient is the same to rounding, and where it is of epsilon's size, its rounding is not small. */
START_TEST(test_classifier_first_update) {
    enum { BATCH = 37 };
    const double rate = 0.01;
    school s;
    uint32_t order[EXAMPLES];
    ebm_real x[BATCH * PIXELS];
    double loss;
    school_open(&s, (ebm_classifier_settings){BATCH, 2, 0, rate}, 1);
    const size_t n = s.net->n_theta;
    ebm_real *before = ebm_alloc(n, sizeof *before), *g = ebm_alloc(n, sizeof *g);
    memcpy(before, s.net->theta, n * sizeof *before);
    ebm_random_permutation(ebm_stream_of(7, EBM_PURPOSE_SHUFFLE), 0, EXAMPLES, order);
    for (size_t i = 0; i < BATCH; i++)
        for (size_t k = 0; k < PIXELS; k++)
            x[i * PIXELS + k] = (ebm_real)(s.data.train.bytes[order[i] * PIXELS + k] / 255.0);
    labelled l = {s.data.train.labels, order, BATCH, 0};
    CHECK_OK(ebm_net_backward(s.net, x, BATCH, (ebm_net_head){slope_of, &l}, g, NULL, s.work, error));
    CHECK_OK(ebm_classifier_update(s.classifier, &loss, s.work, error));
    ck_assert_double_le(fabs(loss - l.loss / BATCH), 1e-5);
    size_t seen = 0;
    for (size_t k = 0; k < n; k++) {
        const double slope = (double)g[k], moved = (double)s.net->theta[k] - (double)before[k];
        if (fabs(slope) > 0 && fabs(slope) < 1e-5)
            continue;
        seen++;
        ck_assert_double_le(fabs(moved + rate * slope / (fabs(slope) + 1e-8)), 2e-3 * rate);
    }
    ck_assert_uint_gt(seen, n / 2);
    train(&s, EXAMPLES /
                  BATCH); /* the rest of the epoch, whose last minibatch is smaller; then the next has its own order */
    ebm_random_permutation(ebm_stream_of(7, EBM_PURPOSE_SHUFFLE), 1, EXAMPLES, order);
    for (size_t i = 0; i < BATCH * PIXELS; i++)
        x[i] = (ebm_real)(s.data.train.bytes[order[i / PIXELS] * PIXELS + i % PIXELS] / 255.0);
    l.loss = 0;
    CHECK_OK(ebm_net_backward(s.net, x, BATCH, (ebm_net_head){slope_of, &l}, g, NULL, s.work, error));
    CHECK_OK(ebm_classifier_update(s.classifier, &loss, s.work, error));
    ck_assert_double_le(fabs(loss - l.loss / BATCH), 1e-5);
    free(before);
    free(g);
    school_close(&s);
}
END_TEST

/* A picture with one bright pixel under a single dense layer: Adam moves a weight only from the first update on in which its
 * pixel was bright. With shift 2 these are the 25 places around it: all of them after 700 updates (25 (24/25)^700 = 1e-11). At
 * a corner, places outside are lost. */
START_TEST(test_classifier_moves_pictures) {
    static const size_t places[2] = {5 * 9 + 4, 0};
    const ebm_layer layer = {&ebm_dense, 0, 2, false};
    ebm_work *work;
    CHECK_OK(ebm_work_create(1, &work, error));
    for (size_t k = 0; k < 2; k++) {
        ebm_real picture[90] = {0};
        int32_t label = 1;
        const ebm_dataset data = {.space = ebm_space_picture(EBM_REAL_LINE, 10, 9),
                                  .classes = 2,
                                  .train = {.count = 1, .reals = picture, .labels = &label}};
        const long row = (long)places[k] / 9, column = (long)places[k] % 9;
        ebm_net *net;
        ebm_classifier *classifier;
        picture[places[k]] = 1;
        CHECK_OK(ebm_net_create((ebm_picture){10, 9, 1}, &layer, 1, &net, error));
        CHECK_OK(ebm_classifier_create(net, &data, (ebm_classifier_settings){1, 800, 2, 0.01}, 3, &classifier, error));
        for (int update = 0; update < 700; update++)
            CHECK_OK(ebm_classifier_update(classifier, NULL, work, error));
        for (long r = 0; r < 10; r++)
            for (long c = 0; c < 9; c++)
                ck_assert_msg((net->theta[(r * 9 + c) * 2] != 0) == (labs(r - row) <= 2 && labs(c - column) <= 2),
                              "pixel (%ld, %ld) from (%ld, %ld)", r, c, row, column);
        ebm_classifier_free(classifier);
        ebm_net_free(net);
    }
    ebm_work_free(work);
}
END_TEST

START_TEST(test_classifier_same_bytes) {
    const ebm_classifier_settings settings = {64, 4, 1, 0.003};
    school a, b, c;
    ebm_region from[EBM_MAX_REGIONS], to[EBM_MAX_REGIONS];
    school_open(&a, settings, 1);
    school_open(&b, settings, 3);
    school_open(&c, settings, 1);
    train(&a, 7);
    const size_t n = ebm_classifier_regions(a.classifier, from);
    ck_assert_uint_eq(ebm_classifier_regions(b.classifier, to), n);
    for (size_t k = 0; k < n; k++) {
        ck_assert_uint_eq(from[k].bytes, to[k].bytes);
        memcpy(to[k].data, from[k].data, from[k].bytes);
    }
    train(&a, 5);
    train(&b, 5); /* goes on from a's memory, in another epoch, with three threads */
    train(&c, 12);
    ck_assert_mem_eq(a.net->theta, b.net->theta, a.net->n_theta * sizeof(ebm_real));
    ck_assert_mem_eq(a.net->theta, c.net->theta, a.net->n_theta * sizeof(ebm_real));
    ck_assert_uint_eq(ebm_classifier_done(b.classifier), 12);
    ck_assert_uint_eq(ebm_classifier_updates(b.classifier), 20);
    school_close(&a);
    school_close(&b);
    school_close(&c);
}
END_TEST

START_TEST(test_classifier_learns_and_is_scored) {
    school s;
    ebm_classifier_score score;
    school_open(&s, (ebm_classifier_settings){30, 40, 0, 0.005}, 1);
    train(&s, (size_t)ebm_classifier_updates(s.classifier));
    CHECK_OK(ebm_classifier_score_half(s.net, &s.data, &s.data.test, &score, s.work, error));
    ck_assert_double_gt(score.accuracy, 0.8); /* chance is 0.1; 150 examples, s.e. 0.03 */
    ebm_real *x = ebm_alloc(TESTS * PIXELS, sizeof *x), y[TESTS * CLASSES];
    double right = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < TESTS * PIXELS; i++)
        x[i] = (ebm_real)(s.data.test.bytes[i] / 255.0);
    CHECK_OK(ebm_net_forward(s.net, s.net->n_layers, x, TESTS, y, s.work, error));
    for (size_t i = 0; i < TESTS; i++) {
        const size_t label = (size_t)s.data.test.labels[i];
        double total = 0;
        bool best = true;
        for (size_t k = 0; k < CLASSES; k++) {
            total += exp((double)y[i * CLASSES + k]);
            best = best && (k == label || y[i * CLASSES + k] < y[i * CLASSES + label]);
        }
        const double loss = log(total) - (double)y[i * CLASSES + label];
        right += best;
        sum += loss;
        squares += loss * loss;
    }
    ck_assert_double_eq(score.accuracy, right / TESTS);
    ck_assert_double_le(fabs(score.loss - sum / TESTS), 1e-12 * TESTS);
    const double variance = (squares / TESTS - sum / TESTS * sum / TESTS) * TESTS / (TESTS - 1);
    ck_assert_double_le(fabs(score.loss_se - sqrt(variance / TESTS)), 1e-9);
    ebm_dataset standard = s.data; /* the same pictures, standardised: seen as they were, to rounding */
    ebm_classifier_score same;
    ebm_classifier *other;
    double loss[2];
    standard.mean = 0.1307;
    standard.deviation = 0.3081;
    CHECK_OK(ebm_classifier_score_half(s.net, &standard, &standard.test, &same, s.work, error));
    ck_assert_double_le(fabs(same.loss - score.loss), 1e-5);
    for (int k = 0; k < 2; k++) {
        ebm_net_initialise(s.net, 3);
        CHECK_OK(ebm_classifier_create(s.net, k ? &standard : &s.data, (ebm_classifier_settings){50, 1, 2, 0.005}, 7,
                                       &other, error));
        CHECK_OK(ebm_classifier_update(other, &loss[k], s.work, error));
        ebm_classifier_free(other);
    }
    ck_assert_double_le(fabs(loss[1] - loss[0]), 1e-5);
    free(x);
    school_close(&s);
}
END_TEST

START_TEST(test_classifier_refusals) {
    const ebm_classifier_settings settings = {16, 1, 0, 0.01}, wild = {16, 4, 0, 1e12};
    school s;
    ebm_classifier *made;
    ebm_net *net;
    ebm_error refusal = {0};
    school_open(&s, wild, 1);
    ebm_status status = EBM_OK;
    for (int k = 0; k < 20 && status == EBM_OK; k++)
        status = ebm_classifier_update(s.classifier, NULL, s.work, &refusal);
    ck_assert_int_eq(status, EBM_DIVERGED);
    CHECK_OK(ebm_digits_net_create(SIDE, SIDE + 1, CLASSES, 4, 24, &net, error));
    ck_assert_int_eq(ebm_classifier_create(net, &s.data, settings, 1, &made, &refusal), EBM_INVALID);
    ck_assert_ptr_null(made);
    ebm_net_free(net);
    CHECK_OK(ebm_digits_net_create(SIDE, SIDE, CLASSES - 1, 4, 24, &net, error));
    ck_assert_int_eq(ebm_classifier_create(net, &s.data, settings, 1, &made, &refusal), EBM_INVALID);
    ebm_net_free(net);
    ebm_dataset unlabelled = s.data;
    unlabelled.train.labels = NULL;
    ck_assert_int_eq(ebm_classifier_create(s.net, &unlabelled, settings, 1, &made, &refusal), EBM_UNSUPPORTED);
    ck_assert_int_eq(ebm_digits_net_create(12, 12, CLASSES, 4, 24, &net, &refusal), EBM_INVALID);
    school_close(&s);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("classifier");
    TCase *tcase = tcase_create("classifier");
    tcase_add_test(tcase, test_classifier_first_update);
    tcase_add_test(tcase, test_classifier_moves_pictures);
    tcase_add_test(tcase, test_classifier_same_bytes);
    tcase_add_test(tcase, test_classifier_learns_and_is_scored);
    tcase_add_test(tcase, test_classifier_refusals);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
