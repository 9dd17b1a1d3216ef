/* Layers and nets: values against their definitions, gradients against central differences, the same bytes for any threads,
 * files, and what is refused. */
#include "rbm_fixture.h"

#include "ebm/nn.h"

#include <unistd.h>

/* Central differences (f(x + h) - f(x - h)) / 2h: double errs by h^2 |f'''| / 6 and 2^-53 |f| / h, both near 1e-10 here, and
 * is held to 1e-7. In float the outputs, of size 10 or less from sums of up to 75 terms, are off by some 75 2^-24, so the
 * quotient by 75 2^-24 2^6 sqrt(outputs) / 2 < 2e-3, and h^2 / 6 is 4e-5. */
#ifdef EBM_DOUBLE
static const double STEP = 1e-5, TOLERANCE = 1e-7, ROUNDING = 1e-13;
#else
static const double STEP = 0x1p-6, TOLERANCE = 2e-3, ROUNDING = 5e-5;
#endif

enum { COUNT = 3 };

static const struct layer_case {
    ebm_layer layer;
    ebm_picture in;
} cases[] = {
    {{&ebm_convolution, 3, 4, false}, {6, 5, 3}},  {{&ebm_convolution, 3, 4, true}, {6, 5, 3}},
    {{&ebm_convolution, 5, 2, true}, {3, 2, 2}}, /* the kernel is larger than the picture */
    {{&ebm_convolution, 3, 4, false}, {6, 5, 1}},  {{&ebm_convolution, 3, 4, true}, {6, 5, 1}},
    {{&ebm_convolution, 7, 2, true}, {3, 2, 1}},   {{&ebm_convolution, 1, 3, true}, {2, 2, 2}},
    {{&ebm_max_pool, 2, 0, false}, {5, 7, 3}}, /* a row and a column are left over */
    {{&ebm_average_pool, 2, 0, false}, {5, 7, 3}}, {{&ebm_max_pool, 3, 0, false}, {6, 3, 2}},
    {{&ebm_dense, 0, 5, false}, {2, 3, 2}},        {{&ebm_relu, 0, 0, false}, {2, 3, 2}},
    {{&ebm_softplus, 0, 0, false}, {2, 3, 2}},     {{&ebm_tanh, 0, 0, false}, {2, 3, 2}},
    {{&ebm_silu, 0, 0, false}, {2, 3, 2}},
};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct bench {
    ebm_net *net;
    ebm_work *work;
    size_t inputs, outputs;
    ebm_real *x, *y, *weights; /* weights (COUNT, outputs): loss = sum weights y */
} bench;

static ebm_real *reals(size_t n) {
    ebm_real *memory = ebm_alloc(n, sizeof *memory);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

/* Values (2 k + 1) / 32, all different and in random order, so that no kink of relu or of a maximum is within a step. */
static void spread(ebm_real *x, size_t n, test_random *r) {
    for (size_t i = 0; i < n; i++)
        x[i] = (ebm_real)((2 * (double)i + 1 - (double)(n / 2 * 2)) / 16);
    for (size_t i = n; i-- > 1;) {
        const size_t j = test_random_word(r) % (i + 1);
        const ebm_real kept = x[i];
        x[i] = x[j];
        x[j] = kept;
    }
}

static void bench_open(bench *b, ebm_picture in, const ebm_layer *layers, size_t n, size_t count, uint64_t seed) {
    test_random r = {seed};
    memset(b, 0, sizeof *b);
    CHECK_OK(ebm_work_create(1, &b->work, error));
    CHECK_OK(ebm_net_create(in, layers, n, &b->net, error));
    b->inputs = ebm_net_inputs(b->net);
    b->outputs = ebm_net_outputs(b->net);
    b->x = reals(count * b->inputs);
    b->y = reals(count * b->outputs);
    b->weights = reals(count * b->outputs);
    for (size_t i = 0; i < count; i++)
        spread(b->x + i * b->inputs, b->inputs, &r);
    for (size_t i = 0; i < count * b->outputs; i++)
        b->weights[i] = (ebm_real)test_random_normal(&r);
    for (size_t i = 0; i < b->net->n_theta; i++)
        b->net->theta[i] = (ebm_real)(0.5 * test_random_normal(&r));
}

static void bench_close(bench *b) {
    ebm_net_free(b->net);
    ebm_work_free(b->work);
    free(b->x);
    free(b->y);
    free(b->weights);
}

static void weighted_slope(void *context, size_t first, size_t count, const ebm_real *outputs, ebm_real *slope) {
    const bench *b = context;
    (void)outputs;
    memcpy(slope, b->weights + first * b->outputs, count * b->outputs * sizeof *slope);
}

static double weighted_loss(bench *b, size_t count) {
    double sum = 0;
    CHECK_OK(ebm_net_forward(b->net, b->net->n_layers, b->x, count, b->y, b->work, error));
    for (size_t i = 0; i < count * b->outputs; i++)
        sum += (double)b->weights[i] * (double)b->y[i];
    return sum;
}

/* d loss / d *at by a central difference. */
static double difference(bench *b, size_t count, ebm_real *at, double (*loss)(bench *b, size_t count)) {
    const ebm_real kept = *at, up = (ebm_real)((double)kept + STEP), down = (ebm_real)((double)kept - STEP);
    *at = up;
    const double above = loss(b, count);
    *at = down;
    const double below = loss(b, count);
    *at = kept;
    return (above - below) / ((double)up - (double)down);
}

static void check_slopes(bench *b, size_t count, ebm_real *at, const ebm_real *slope, size_t n, size_t stride,
                         double (*loss)(bench *b, size_t count), const char *what) {
    for (size_t i = 0; i < n; i += stride) {
        const double want = difference(b, count, at + i, loss), got = (double)slope[i];
        ck_assert_msg(fabs(got - want) <= TOLERANCE * fmax(1, fabs(want)), "%s %zu: %.10g, by differences %.10g", what,
                      i, got, want);
    }
}

START_TEST(test_layer_gradients) {
    const struct layer_case *c = &cases[_i];
    bench b;
    bench_open(&b, c->in, &c->layer, 1, COUNT, 5 + (uint64_t)_i);
    ebm_real *gradient = reals(b.net->n_theta), *x_gradient = reals(COUNT * b.inputs);
    const ebm_net_head head = {weighted_slope, &b};
    CHECK_OK(ebm_net_backward(b.net, b.x, COUNT, head, gradient, x_gradient, b.work, error));
    check_slopes(&b, COUNT, b.net->theta, gradient, b.net->n_theta, 1, weighted_loss, "theta");
    check_slopes(&b, COUNT, b.x, x_gradient, COUNT * b.inputs, 1, weighted_loss, "x");
    free(gradient);
    free(x_gradient);
    bench_close(&b);
}
END_TEST

/* x of picture b at (r, c, k), 0 outside. */
static double pixel(const bench *b, ebm_picture p, size_t picture, long r, long c, size_t k) {
    if (r < 0 || c < 0 || r >= (long)p.rows || c >= (long)p.columns)
        return 0;
    return (double)b->x[((picture * p.rows + (size_t)r) * p.columns + (size_t)c) * p.channels + k];
}

/* Output (r, c, k) of picture b by the definitions of ebm/nn.h. */
static double defined(const bench *b, const struct layer_case *s, size_t picture, size_t r, size_t c, size_t k) {
    const ebm_picture in = s->in;
    const long S = (long)s->layer.size, pad = s->layer.same ? S / 2 : 0;
    const ebm_real *theta = b->net->theta;
    const size_t n = ebm_picture_size(in), N = s->layer.channels;
    const double x = pixel(b, in, picture, (long)r, (long)c, k < in.channels ? k : 0);
    double sum = 0, most = -INFINITY;
    if (s->layer.type == &ebm_convolution) {
        for (long i = 0; i < S; i++)
            for (long j = 0; j < S; j++)
                for (size_t q = 0; q < in.channels; q++)
                    sum += pixel(b, in, picture, (long)r + i - pad, (long)c + j - pad, q) *
                           (double)theta[((size_t)(i * S + j) * in.channels + q) * N + k];
        return sum + (double)theta[(size_t)(S * S) * in.channels * N + k];
    }
    if (s->layer.type == &ebm_dense) {
        for (size_t q = 0; q < n; q++)
            sum += (double)b->x[picture * n + q] * (double)theta[q * N + k];
        return sum + (double)theta[n * N + k];
    }
    if (S > 0) {
        for (long i = 0; i < S; i++)
            for (long j = 0; j < S; j++) {
                const double value = pixel(b, in, picture, (long)r * S + i, (long)c * S + j, k);
                sum += value / (double)(S * S);
                most = fmax(most, value);
            }
        return s->layer.type == &ebm_max_pool ? most : sum;
    }
    return s->layer.type == &ebm_relu       ? fmax(x, 0)
           : s->layer.type == &ebm_softplus ? ebm_log1pexp(x)
           : s->layer.type == &ebm_tanh     ? tanh(x)
                                            : x * ebm_sigmoid(x);
}

START_TEST(test_layer_is_its_definition) {
    const struct layer_case *s = &cases[_i];
    bench b;
    bench_open(&b, s->in, &s->layer, 1, COUNT, 50 + (uint64_t)_i);
    (void)weighted_loss(&b, COUNT);
    const ebm_picture out = b.net->shapes[1];
    for (size_t i = 0; i < COUNT * b.outputs; i++) {
        const size_t at = i % b.outputs, k = at % out.channels, p = at / out.channels;
        const double want = defined(&b, s, i / b.outputs, p / out.columns, p % out.columns, k);
        ck_assert_msg(fabs((double)b.y[i] - want) <= ROUNDING * fmax(1, fabs(want)), "output %zu: %.10g, not %.10g", i,
                      (double)b.y[i], want);
    }
    bench_close(&b);
}
END_TEST

static const ebm_layer deep[] = {
    {&ebm_convolution, 3, 4, false}, {&ebm_max_pool, 2, 0, false}, {&ebm_silu, 0, 0, false},
    {&ebm_convolution, 3, 5, true},  {&ebm_tanh, 0, 0, false},     {&ebm_average_pool, 2, 0, false},
    {&ebm_dense, 0, 6, false},       {&ebm_softplus, 0, 0, false}, {&ebm_dense, 0, 4, false}};
enum { DEEP = sizeof deep / sizeof *deep, CLASSES = 4, MANY = 37 };

static size_t label_of(size_t example) {
    return example * 7 % CLASSES;
}

static void class_slope(void *context, size_t first, size_t count, const ebm_real *outputs, ebm_real *slope) {
    (void)context;
    for (size_t i = 0; i < count; i++)
        (void)ebm_cross_entropy(CLASSES, outputs + i * CLASSES, label_of(first + i), 0.5, slope + i * CLASSES);
}

static double class_loss(bench *b, size_t count) {
    double sum = 0;
    CHECK_OK(ebm_net_forward(b->net, b->net->n_layers, b->x, count, b->y, b->work, error));
    for (size_t i = 0; i < count; i++)
        sum += 0.5 * ebm_cross_entropy(CLASSES, b->y + i * CLASSES, label_of(i), 1, NULL);
    return sum;
}

/* All layers at once, under the cross-entropy, with more examples than a group has. In float the sum over MANY examples is too
 * coarse for differences: there test_net_gradient_is_a_sum and the single layers stand. */
START_TEST(test_net_gradients) {
    bench b;
    bench_open(&b, (ebm_picture){10, 9, 2}, deep, DEEP, MANY, 71);
    for (size_t i = 0; i < MANY * b.inputs; i++)
        b.x[i] /= 8;
    ebm_real *gradient = reals(b.net->n_theta), *x_gradient = reals(MANY * b.inputs);
    const ebm_net_head head = {class_slope, NULL};
    CHECK_OK(ebm_net_backward(b.net, b.x, MANY, head, gradient, x_gradient, b.work, error));
    if (sizeof(ebm_real) == sizeof(double)) {
        check_slopes(&b, MANY, b.net->theta, gradient, b.net->n_theta, 1, class_loss, "theta");
        check_slopes(&b, MANY, b.x, x_gradient, MANY * b.inputs, 29, class_loss, "x");
    }
    free(gradient);
    free(x_gradient);
    bench_close(&b);
}
END_TEST

/* The gradient of a batch is added to what is there, and is the sum over its examples; x_gradient is each one's own. Sums of 37
 * terms of size 1 from sums of up to 100: 1e-3 in float, 1e-11 in double. */
START_TEST(test_net_gradient_is_a_sum) {
    const double bound = sizeof(ebm_real) == sizeof(double) ? 1e-11 : 1e-3;
    bench b;
    bench_open(&b, (ebm_picture){10, 9, 2}, deep, DEEP, MANY, 72);
    const size_t n = b.net->n_theta;
    ebm_real *all = reals(n), *one = reals(n), *x_all = reals(MANY * b.inputs), *x_one = reals(b.inputs);
    const ebm_net_head head = {weighted_slope, &b};
    for (size_t k = 0; k < n; k++)
        all[k] = one[k] = 3;
    CHECK_OK(ebm_net_backward(b.net, b.x, MANY, head, all, x_all, b.work, error));
    for (size_t i = 0; i < MANY; i++) {
        bench single = b;
        single.weights = b.weights + i * b.outputs;
        const ebm_net_head alone = {weighted_slope, &single};
        CHECK_OK(ebm_net_backward(b.net, b.x + i * b.inputs, 1, alone, one, x_one, b.work, error));
        for (size_t k = 0; k < b.inputs; k++)
            ck_assert_double_le(fabs((double)x_all[i * b.inputs + k] - (double)x_one[k]), bound);
    }
    for (size_t k = 0; k < n; k++)
        ck_assert_double_le(fabs((double)all[k] - (double)one[k]), bound * fmax(1, fabs((double)one[k])));
    free(all);
    free(one);
    free(x_all);
    free(x_one);
    bench_close(&b);
}
END_TEST

START_TEST(test_net_bytes_do_not_depend_on_threads) {
    enum { LOTS = 16 * 17 + 5 }; /* more groups than gradients are held at once */
    bench b;
    bench_open(&b, (ebm_picture){10, 9, 2}, deep, DEEP, LOTS, 73);
    const size_t n = b.net->n_theta;
    ebm_real *first[3] = {reals(n), reals(LOTS * b.inputs), reals(LOTS * b.outputs)};
    ebm_real *again[3] = {reals(n), reals(LOTS * b.inputs), reals(LOTS * b.outputs)};
    const ebm_net_head head = {weighted_slope, &b};
    for (int threads = 1; threads <= 4; threads++) {
        ebm_work *work;
        ebm_real **to = threads == 1 ? first : again;
        CHECK_OK(ebm_work_create(threads, &work, error));
        memset(to[0], 0, n * sizeof(ebm_real));
        CHECK_OK(ebm_net_backward(b.net, b.x, LOTS, head, to[0], to[1], work, error));
        CHECK_OK(ebm_net_forward(b.net, DEEP, b.x, LOTS, to[2], work, error));
        if (threads > 1) {
            ck_assert_mem_eq(first[0], again[0], n * sizeof(ebm_real));
            ck_assert_mem_eq(first[1], again[1], LOTS * b.inputs * sizeof(ebm_real));
            ck_assert_mem_eq(first[2], again[2], LOTS * b.outputs * sizeof(ebm_real));
        }
        ebm_work_free(work);
    }
    for (int k = 0; k < 3; k++) {
        free(first[k]);
        free(again[k]);
    }
    bench_close(&b);
}
END_TEST

START_TEST(test_cross_entropy_extremes) {
    const ebm_real far[3] = {1000, -1000, 0};
    ebm_real slope[3];
    ck_assert_double_eq(ebm_cross_entropy(3, far, 0, 1, slope), 0);
    ck_assert_double_eq(ebm_cross_entropy(3, far, 1, 2, slope), 2000);
    ck_assert(slope[0] == 2 && slope[1] == -2 && slope[2] == 0);
}
END_TEST

/* Equal maxima: all of the gradient goes to the first. */
START_TEST(test_max_pool_ties) {
    const ebm_layer pool = {&ebm_max_pool, 2, 0, false};
    bench b;
    bench_open(&b, (ebm_picture){2, 2, 1}, &pool, 1, 1, 1);
    ebm_real x_gradient[4];
    b.x[0] = -1;
    b.x[1] = b.x[2] = b.x[3] = 2;
    b.weights[0] = 5;
    CHECK_OK(ebm_net_backward(b.net, b.x, 1, (ebm_net_head){weighted_slope, &b}, NULL, x_gradient, b.work, error));
    ck_assert(x_gradient[0] == 0 && x_gradient[1] == 5 && x_gradient[2] == 0 && x_gradient[3] == 0);
    bench_close(&b);
}
END_TEST

START_TEST(test_net_files) {
    char folder[] = "/tmp/ebm-nn-XXXXXX", path[64];
    bench b;
    ebm_net *loaded = NULL;
    ebm_error refusal = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    bench_open(&b, (ebm_picture){10, 9, 2}, deep, DEEP, 2, 74);
    b.net->feature_layers = 6;
    CHECK_OK(ebm_net_save(b.net, folder, error));
    CHECK_OK(ebm_net_load(folder, &loaded, error));
    ck_assert(loaded->n_theta == b.net->n_theta && loaded->n_layers == DEEP && loaded->feature_layers == 6);
    ck_assert_mem_eq(loaded->theta, b.net->theta, b.net->n_theta * sizeof(ebm_real));
    ck_assert(ebm_net_hash(loaded) == ebm_net_hash(b.net));
    ck_assert_uint_eq(ebm_net_feature_count(loaded), ebm_picture_size(b.net->shapes[6]));
    loaded->theta[3] += (ebm_real)1e-3;
    ck_assert(ebm_net_hash(loaded) != ebm_net_hash(b.net));
    CHECK_OK(ebm_net_save(loaded, folder, error));
    ebm_net_free(loaded);
    CHECK_OK(ebm_net_save(b.net, folder, error));
    snprintf(path, sizeof path, "%s/dense_1_bias.npy", folder);
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, -2, SEEK_END);
    const int byte = fgetc(file);
    fseek(file, -2, SEEK_END);
    fputc(byte ^ 1, file);
    fclose(file);
    ck_assert_int_eq(ebm_net_load(folder, &loaded, &refusal), EBM_FORMAT);
    ck_assert_ptr_nonnull(strstr(refusal.message, "hash"));
    unlink(path);
    ck_assert_int_eq(ebm_net_load(folder, &loaded, &refusal), EBM_IO);
    ck_assert_ptr_null(loaded);
    bench_close(&b);
    for (size_t v = 0; v < 8; v++) {
        static const char *const names[] = {
            "layers",    "hash",     "convolution_1_W", "convolution_1_bias", "convolution_2_W", "convolution_2_bias",
            "dense_1_W", "dense_2_W"};
        snprintf(path, sizeof path, "%s/%s.npy", folder, names[v]);
        ck_assert_int_eq(unlink(path), 0);
    }
    snprintf(path, sizeof path, "%s/dense_2_bias.npy", folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(test_net_refusals) {
    static const struct {
        ebm_layer layer;
        ebm_picture in;
        const char *message;
    } bad[] = {{{&ebm_convolution, 5, 3, false}, {4, 9, 1}, "kernel of 5 x 5 on a picture of 4 x 9"},
               {{&ebm_convolution, 4, 3, true}, {9, 9, 1}, "even side 4"},
               {{&ebm_convolution, 3, 0, true}, {9, 9, 1}, "0 channels"},
               {{&ebm_max_pool, 5, 0, false}, {4, 9, 1}, "windows of 5 x 5"},
               {{&ebm_average_pool, 0, 0, false}, {4, 9, 1}, "windows of 0 x 0"},
               {{&ebm_dense, 0, 0, false}, {4, 9, 1}, "no outputs"},
               {{&ebm_dense, 0, (size_t)1 << 40, false}, {4, 9, 1}, "too large"},
               {{&ebm_relu, 0, 0, false}, {0, 9, 1}, "0 x 9 x 1"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        ebm_net *net;
        ebm_error error = {0};
        ck_assert_int_eq(ebm_net_create(bad[k].in, &bad[k].layer, 1, &net, &error), EBM_INVALID);
        ck_assert_ptr_null(net);
        ck_assert_msg(strstr(error.message, bad[k].message) != NULL, "'%s' lacks '%s'", error.message, bad[k].message);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("nn");
    TCase *tcase = tcase_create("nn");
    tcase_add_loop_test(tcase, test_layer_is_its_definition, 0, CASES);
    tcase_add_loop_test(tcase, test_layer_gradients, 0, CASES);
    tcase_add_test(tcase, test_net_gradients);
    tcase_add_test(tcase, test_net_gradient_is_a_sum);
    tcase_add_test(tcase, test_net_bytes_do_not_depend_on_threads);
    tcase_add_test(tcase, test_cross_entropy_extremes);
    tcase_add_test(tcase, test_max_pool_ties);
    tcase_add_test(tcase, test_net_files);
    tcase_add_test(tcase, test_net_refusals);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
