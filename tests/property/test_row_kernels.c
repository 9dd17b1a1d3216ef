/* The row kernels of every instruction set against long double, over the whole range of arguments.
 *
 * u is the unit roundoff of ebm_real. An exponential of the kernels is off by at most 4 u (its polynomial by u / 3, the
 * reduction and the steps of Horner's rule by the rest); further operations add u each. Below e^-87 results are cut
 * off: an absolute 2e-38, which is nothing beside anything. */
#include "core/row_kernels.h"
#include "ebm/matrix.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef EBM_DOUBLE
static const double u = DBL_EPSILON / 2;
#else
static const double u = FLT_EPSILON / 2;
#endif
static const double cut_off = 2e-38;

static const char *const kernel_names[] = {"baseline", "avx2", "avx512"};
enum { KERNELS = 3, COUNT = 4001 };

static const ebm_row_kernels *use_kernels(int index) {
    const ebm_row_kernels *kernels = ebm_row_kernels_named(kernel_names[index]);
    if (kernels != NULL)
        ebm_row_kernels_use(kernels);
    return kernels;
}

static ebm_work *new_work(int threads) {
    ebm_work *work;
    ck_assert_int_eq(ebm_work_create(threads, &work, NULL), EBM_OK);
    return work;
}

/* Arguments from -110 to 110, denser near 0, then extremes. */
static void fill_arguments(ebm_real *x) {
    static const double extremes[] = {0,   -0.0, 1e-30, -1e-30, 87,   -87,  88,    -88,  89,
                                      -89, 90,   -90,   1e4,    -1e4, 1e30, -1e30, 16.6, -16.6};
    const size_t n = sizeof extremes / sizeof extremes[0];
    for (size_t i = 0; i < COUNT; i++) {
        const double t = 2.0 * (double)i / COUNT - 1;
        x[i] = (ebm_real)(i < n ? extremes[i] : 110 * t * t * t);
    }
}

static long double log1pexp_exact(long double x) {
    return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x)));
}

START_TEST(test_row_kernels_sigmoid_accuracy) {
    if (use_kernels(_i) == NULL)
        return;
    ebm_real x[COUNT], p[COUNT];
    fill_arguments(x);
    ebm_work *work = new_work(1);
    ebm_sigmoid_rows(1, COUNT, x, 1, NULL, p, work);
    for (size_t i = 0; i < COUNT; i++) {
        const long double exact = 1 / (1 + expl(-(long double)x[i]));
        ck_assert_msg(fabsl(p[i] - exact) <= 6 * u * exact + cut_off, "sigmoid(%g) = %.9g", (double)x[i], (double)p[i]);
    }
    ebm_work_free(work);
}
END_TEST

START_TEST(test_row_kernels_softplus_accuracy) {
    if (use_kernels(_i) == NULL)
        return;
    ebm_real x[COUNT];
    double value[COUNT];
    fill_arguments(x);
    ebm_work *work = new_work(1);
    ebm_softplus_rows(COUNT, 1, x, 1, value, work);
    for (size_t i = 0; i < COUNT; i++) {
        const long double exact = log1pexp_exact(x[i]);
        ck_assert_msg(fabsl(value[i] - exact) <= 10 * u * exact + cut_off, "softplus(%g) = %.9g", (double)x[i],
                      value[i]);
    }
    ebm_work_free(work);
}
END_TEST

/* With d = t - s: the result grows at most e times faster than d while |d| <= 1, and changes by at most |ds| of itself
 * when s is off by ds, which is 2 u |s| from rounding the scale and the product. Farther apart the parts' own errors
 * remain: u of the larger argument each. */
START_TEST(test_row_kernels_softplus_difference_accuracy) {
    if (use_kernels(_i) == NULL)
        return;
    static const double scales[][2] = {{0, 1e-4}, {0.5, 0.5001}, {0.3, 0.31},  {0.99999, 1}, {1, 1},      {0, 1},
                                       {1, 0},    {0.7, 0.69},   {-0.4, 0.41}, {2, 1.999},   {0.25, 0.75}};
    ebm_real x[COUNT];
    double value[COUNT];
    fill_arguments(x);
    ebm_work *work = new_work(1);
    for (size_t k = 0; k < sizeof scales / sizeof scales[0]; k++) {
        const double from = scales[k][0], to = scales[k][1];
        ebm_softplus_difference_rows(COUNT, 1, x, from, to, value, work);
        for (size_t i = 0; i < COUNT; i++) {
            const long double f = x[i], s = from * f, t = to * f, d = ((long double)to - from) * f;
            const long double exact = log1pexp_exact(t) - log1pexp_exact(s);
            const long double larger = fmaxl(fabsl(s), fabsl(t));
            const long double bound =
                fabsl(d) < 0.999L ? (2 * fabsl(s) + 24) * u * fabsl(exact) : u * (6 * larger + 10);
            /* long double itself cancels in `exact` */
            ck_assert_msg(fabsl(value[i] - exact) <= bound + 2 * cut_off + 4 * LDBL_EPSILON * (larger + 1),
                          "f %.9g, scales %g to %g: %.9g, not %.9Lg", (double)x[i], from, to, value[i], exact);
        }
    }
    ebm_work_free(work);
}
END_TEST

/* Sums in double: the error of a sum is at most the sum of its terms' errors. Ends of rows of every length. */
START_TEST(test_row_kernels_sums_of_rows) {
    if (use_kernels(_i) == NULL)
        return;
    enum { B = 3, MOST = 70 };
    ebm_work *work = new_work(2);
    for (size_t N = 0; N <= MOST; N++) {
        ebm_real f[B * MOST + 1], w[MOST + 1];
        double soft[B], change[B], dot[B];
        ebm_random_normal(ebm_stream_of(1, 1), 0, N, B * N, f);
        ebm_random_normal(ebm_stream_of(1, 1), 1, N, N, w);
        ebm_softplus_rows(B, N, f, 0.75, soft, work);
        ebm_softplus_difference_rows(B, N, f, 0.5, 0.75, change, work);
        ebm_dot_rows(B, N, f, w, dot, work);
        for (size_t b = 0; b < B; b++) {
            long double s = 0, c = 0, d = 0, size = 0;
            for (size_t j = 0; j < N; j++) {
                const long double z = f[b * N + j];
                s += log1pexp_exact(0.75L * z);
                c += log1pexp_exact(0.75L * z) - log1pexp_exact(0.5L * z);
                d += z * w[j];
                size += fabsl(z) + 1;
            }
            ck_assert(fabsl(soft[b] - s) <= 10 * u * s);
            ck_assert(fabsl(change[b] - c) <= 24 * u * size);
            ck_assert(fabsl(dot[b] - d) <= 100 * DBL_EPSILON * 10 * size);
        }
    }
    ebm_work_free(work);
}
END_TEST

/* mean = sigmoid(scale f + offset), state = [uniform < mean] with the published uniforms, for every length. */
START_TEST(test_row_kernels_bernoulli_definition) {
    if (use_kernels(_i) == NULL)
        return;
    enum { B = 2, MOST = 75 };
    const ebm_stream stream = ebm_stream_of(6, 7);
    ebm_work *work = new_work(1);
    for (size_t N = 0; N <= MOST; N++)
        for (int with_offset = 0; with_offset < 2; with_offset++) {
            ebm_real f[B * MOST + 1], offset[MOST + 1], z[B * MOST + 1], mean[B * MOST + 1], expected[B * MOST + 1];
            ebm_real state[B * MOST + 1], again[B * MOST + 1], uniform[MOST + 1];
            ebm_random_normal(ebm_stream_of(1, 1), 0, N, B * N, f);
            ebm_random_normal(ebm_stream_of(1, 1), 1, N, N, offset);
            for (size_t i = 0; i < B * N; i++)
                z[i] = (ebm_real)0.7 * f[i] + (with_offset ? offset[i % N] : 0);
            ebm_sigmoid_rows(B, N, z, 1, NULL, expected, work);
            state[B * N] = mean[B * N] = again[B * N] = 5;
            ebm_bernoulli_rows(B, N, f, 0.7, with_offset ? offset : NULL, stream, 41, 99, mean, state, work);
            ck_assert_mem_eq(mean, expected, B * N * sizeof *mean);
            ebm_bernoulli_means(B, N, mean, stream, 41, 99, again, work);
            ck_assert_mem_eq(again, state, (B * N + 1) * sizeof *mean);
            ebm_bernoulli_rows(B, N, f, 0.7, with_offset ? offset : NULL, stream, 41, 99, NULL, again, work);
            ck_assert_mem_eq(again, state, (B * N + 1) * sizeof *mean);
            for (size_t b = 0; b < B; b++) {
                ebm_random_uniform(stream, 41 + (uint32_t)b, 99, N, uniform);
                for (size_t j = 0; j < N; j++)
                    ck_assert(state[b * N + j] == (uniform[j] < mean[b * N + j] ? 1 : 0));
            }
        }
    ebm_work_free(work);
}
END_TEST

/* Frequencies: each unit's count over n chains is binomial; 40 z scores beyond 6 have probability below 1e-7 in all. */
START_TEST(test_row_kernels_bernoulli_frequencies) {
    if (use_kernels(_i) == NULL)
        return;
    enum { B = 20000, N = 40 };
    ebm_real *f = malloc(sizeof *f * B * N), *state = malloc(sizeof *f * B * N);
    for (size_t i = 0; i < (size_t)B * N; i++)
        f[i] = (ebm_real)((double)(i % N) / 4 - 5);
    ebm_work *work = new_work(2);
    ebm_bernoulli_rows(B, N, f, 1, NULL, ebm_stream_of(2, 7), 0, 3, NULL, state, work);
    ck_assert(ebm_is_binary(B, N, state, N));
    for (size_t j = 0; j < N; j++) {
        double count = 0;
        for (size_t b = 0; b < B; b++)
            count += state[b * N + j];
        const double p = 1 / (1 + exp(-f[j]));
        ck_assert_double_le(fabs(count - B * p) / sqrt(B * p * (1 - p)), 6);
    }
    ebm_work_free(work);
    free(f), free(state);
}
END_TEST

START_TEST(test_row_kernels_certain_units_and_nan) {
    if (use_kernels(_i) == NULL)
        return;
    enum { N = 33 };
    ebm_real f[N], mean[N], state[N];
    ebm_work *work = new_work(1);
    for (uint64_t step = 0; step < 200; step++) {
        for (int j = 0; j < N; j++)
            f[j] = (j + step) % 2 ? (ebm_real)1e4 : (ebm_real)-1e4;
        ebm_bernoulli_rows(1, N, f, 1, NULL, ebm_stream_of(1, 1), 0, step, mean, state, work);
        for (int j = 0; j < N; j++)
            ck_assert(state[j] == ((j + step) % 2 ? 1 : 0));
    }
    /* what is not a number stays visible, instead of passing for a probability */
    double sum;
    f[20] = (ebm_real)NAN;
    ebm_sigmoid_rows(1, N, f, 1, NULL, mean, work);
    ck_assert(isnan(mean[20]) && !isnan(mean[19]));
    ebm_softplus_rows(1, N, f, 1, &sum, work);
    ck_assert(isnan(sum));
    ebm_softplus_difference_rows(1, N, f, 0.5, 0.6, &sum, work);
    ck_assert(isnan(sum));
    ebm_work_free(work);
}
END_TEST

START_TEST(test_row_kernels_same_bytes_for_any_threads) {
    if (use_kernels(_i) == NULL)
        return;
    enum { B = 61, N = 131 };
    ebm_real *f = malloc(sizeof *f * B * N), *w = malloc(sizeof *f * B * N), *x[2][3];
    double sums[2][2][B];
    ebm_random_normal(ebm_stream_of(1, 1), 0, 0, B * N, f);
    ebm_random_normal(ebm_stream_of(1, 1), 1, 0, B * N, w);
    for (int t = 0; t < 2; t++) {
        ebm_work *work = new_work(t + 1);
        for (int i = 0; i < 3; i++)
            x[t][i] = calloc(B * N + N, sizeof *f);
        ebm_bernoulli_rows(B, N, f, 0.9, w, ebm_stream_of(1, 2), 5, 6, x[t][0], x[t][1], work);
        ebm_softplus_rows(B, N, f, 0.9, sums[t][0], work);
        ebm_softplus_difference_rows(B, N, f, 0.9, 0.91, sums[t][1], work);
        ebm_column_sums(B, N, 0.3, f, w, x[t][2], work);
        ebm_transpose(B, N, f, x[t][2] + N, work);
        ebm_axpy(B * N, 0.1, w, x[t][2] + N, work);
        ebm_work_free(work);
    }
    ck_assert_mem_eq(sums[0], sums[1], sizeof sums[0]);
    for (int i = 0; i < 3; i++) {
        ck_assert_mem_eq(x[0][i], x[1][i], sizeof *f * (B * N + N));
        free(x[0][i]), free(x[1][i]);
    }
    free(f), free(w);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("row_kernels");
    TCase *cases = tcase_create("properties");
    tcase_add_loop_test(cases, test_row_kernels_sigmoid_accuracy, 0, KERNELS);
    tcase_add_loop_test(cases, test_row_kernels_softplus_accuracy, 0, KERNELS);
    tcase_add_loop_test(cases, test_row_kernels_softplus_difference_accuracy, 0, KERNELS);
    tcase_add_loop_test(cases, test_row_kernels_sums_of_rows, 0, KERNELS);
    tcase_add_loop_test(cases, test_row_kernels_bernoulli_definition, 0, KERNELS);
    tcase_add_loop_test(cases, test_row_kernels_bernoulli_frequencies, 0, KERNELS);
    tcase_add_loop_test(cases, test_row_kernels_certain_units_and_nan, 0, KERNELS);
    tcase_add_loop_test(cases, test_row_kernels_same_bytes_for_any_threads, 0, KERNELS);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
