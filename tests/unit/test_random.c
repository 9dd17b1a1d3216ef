/* Random numbers: published vectors, the vectorised path against the plain definition, and distributions.
 *
 * Statistical bounds: with n numbers a mean's z score beyond 5.5 has probability 4e-8, and Kolmogorov's statistic
 * sqrt(n) D beyond 2.9 has probability 2 exp(-2 2.9^2) = 1e-7. Seeds are fixed, so these are checks of the code. */
#include "core/normal_vectors.h"
#include "core/row_kernels.h"
#include "ebm/diagnostics.h"
#include "ebm/random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const kernel_names[] = {"baseline", "avx2", "avx512"};
enum { KERNELS = 3, DRAWS = 1000003 };

#ifdef EBM_DOUBLE
static const double unit_roundoff = 0x1p-53;
#else
static const double unit_roundoff = 0x1p-24;
#endif

/* Random123 1.14, tests/kat_vectors: philox4x32 with 10 rounds. */
START_TEST(test_random_philox_known_answers) {
    static const struct {
        uint32_t counter[4], key[2], words[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t words[4];
        ebm_philox(ebm_stream_of(cases[i].key[0], cases[i].key[1]), cases[i].counter, words);
        ck_assert_mem_eq(words, cases[i].words, sizeof words);
    }
}
END_TEST

START_TEST(test_random_words_equal_the_plain_definition) {
    enum { MOST = 211 };
    const ebm_row_kernels *kernels = ebm_row_kernels_named(kernel_names[_i]);
    if (kernels == NULL)
        return;
    const ebm_stream stream = ebm_stream_of(0xdeadbeef, 5);
    const uint32_t chain = 0x80000003u;
    const uint64_t step = 0xfffffffe00000007u;
    static const uint32_t first_blocks[] = {0, 1, 0x7ffffffe, 0xfffffff0};
    for (size_t f = 0; f < 4; f++)
        for (size_t count = 0; count <= MOST; count++) {
            uint32_t words[MOST + 1];
            words[count] = 0x12345678;
            kernels->words(stream, chain, step, first_blocks[f], count, words);
            for (size_t i = 0; i < count; i++) {
                const uint32_t block = first_blocks[f] + (uint32_t)(i / 4);
                const uint32_t counter[4] = {block, chain, (uint32_t)step, (uint32_t)(step >> 32)};
                uint32_t plain[4];
                ebm_philox(stream, counter, plain);
                ck_assert_uint_eq(words[i], plain[i % 4]);
            }
            ck_assert_uint_eq(words[count], 0x12345678);
        }
}
END_TEST

START_TEST(test_random_streams_differ) {
    uint32_t words[6];
    ebm_random_words(ebm_stream_of(1, 1), 1, 1, 1, &words[0]);
    ebm_random_words(ebm_stream_of(2, 1), 1, 1, 1, &words[1]);
    ebm_random_words(ebm_stream_of(1, 2), 1, 1, 1, &words[2]);
    ebm_random_words(ebm_stream_of(1, 1), 2, 1, 1, &words[3]);
    ebm_random_words(ebm_stream_of(1, 1), 1, 2, 1, &words[4]);
    ebm_random_words(ebm_stream_of(1, 1), 1, 1 + (1ull << 32), 1, &words[5]);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++)
            ck_assert_uint_ne(words[i], words[j]);
}
END_TEST

static int by_value(const void *a, const void *b) {
    const ebm_real x = *(const ebm_real *)a, y = *(const ebm_real *)b;
    return (x > y) - (x < y);
}

/* sqrt(n) times the largest distance between the empirical distribution of sorted x and `distribution`. */
static double kolmogorov(const ebm_real *x, size_t n, double (*distribution)(double)) {
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        const double p = distribution(x[i]);
        largest = fmax(largest, fmax((double)(i + 1) / (double)n - p, p - (double)i / (double)n));
    }
    return sqrt((double)n) * largest;
}

static double uniform_distribution(double x) {
    return x;
}

static double normal_distribution(double x) {
    return 0.5 * erfc(-x / sqrt(2));
}

/* Mean, variance and fourth moment of x against their values, each by its own standard error. */
static void check_moments(const ebm_real *x, size_t n, double centre, const double moments[4]) {
    double sums[4] = {0};
    for (size_t i = 0; i < n; i++) {
        const double d = x[i] - centre;
        sums[0] += d, sums[1] += d * d, sums[2] += d * d * d, sums[3] += d * d * d * d;
    }
    const double mean = sums[0] / (double)n, variance = sums[1] / (double)n;
    ck_assert_double_le(fabs(mean) / sqrt(moments[1] / (double)n), 5.5);
    const double error = sqrt((moments[3] - moments[1] * moments[1]) / (double)n);
    ck_assert_double_le(fabs(variance - moments[1]) / error, 5.5);
}

START_TEST(test_random_uniform_distribution) {
    ebm_real *x = malloc(DRAWS * sizeof *x);
    ebm_random_uniform(ebm_stream_of(11, 3), 0, 0, DRAWS, x);
    const double moments[4] = {0, 1.0 / 12, 0, 1.0 / 80};
    check_moments(x, DRAWS, 0.5, moments);
    double products = 0; /* of neighbours: mean 0, variance 1/144 */
    for (size_t i = 1; i < DRAWS; i++)
        products += (x[i] - 0.5) * (x[i - 1] - 0.5);
    ck_assert_double_le(fabs(products) * 12 / sqrt(DRAWS - 1.0), 5.5);
    qsort(x, DRAWS, sizeof *x, by_value);
    ck_assert(x[0] > 0 && x[DRAWS - 1] < 1);
    ck_assert_double_le(kolmogorov(x, DRAWS, uniform_distribution), 2.9);
    free(x);
}
END_TEST

/* The map from words is exact, so the ends are where they are said to be: never 0, never 1. */
START_TEST(test_random_uniform_is_exact) {
    enum { COUNT = 1001 };
    uint32_t words[2 * COUNT];
    ebm_real x[COUNT];
    ebm_random_words(ebm_stream_of(4, 4), 9, 8, 2 * COUNT, words);
    ebm_random_uniform(ebm_stream_of(4, 4), 9, 8, COUNT, x);
    for (size_t i = 0; i < COUNT; i++) {
#ifdef EBM_DOUBLE
        const uint64_t bits = ((uint64_t)words[2 * i] << 32 | words[2 * i + 1]) >> 12;
        const uint64_t scaled = (uint64_t)ldexp(x[i], 53);
        ck_assert(ldexp((double)scaled, -53) == x[i]);
#else
        const uint64_t bits = words[i] >> 9;
        const uint64_t scaled = (uint64_t)ldexp(x[i], 24);
        ck_assert(ldexp((double)scaled, -24) == x[i]);
#endif
        ck_assert_uint_eq(scaled, 2 * bits + 1);
        const uint64_t pair = ((uint64_t)words[2 * i] << 32 | words[2 * i + 1]) >> 12;
        ck_assert(ebm_random_uniform1(ebm_stream_of(4, 4), 9, 8, (uint32_t)i) == ldexp(2.0 * (double)pair + 1, -53));
    }
}
END_TEST

START_TEST(test_random_normal_distribution) {
    ebm_real *x = malloc(DRAWS * sizeof *x);
    ebm_random_normal(ebm_stream_of(12, 3), 0, 0, DRAWS, x);
    const double moments[4] = {0, 1, 0, 3};
    check_moments(x, DRAWS, 0, moments);
    double products = 0; /* of the two numbers of a pair */
    for (size_t i = 1; i < DRAWS; i += 2)
        products += (double)x[i] * x[i - 1];
    ck_assert_double_le(fabs(products) / sqrt(DRAWS / 2), 5.5);
    qsort(x, DRAWS, sizeof *x, by_value);
    ck_assert(isfinite(x[0]) && isfinite(x[DRAWS - 1]));
    ck_assert_double_le(kolmogorov(x, DRAWS, normal_distribution), 2.9);
    free(x);
}
END_TEST

/* The four normals of a block (two of them in double), from the definition. */
static size_t normals_of_block(const uint32_t w[4], double out[4]) {
#ifdef EBM_DOUBLE
    const double u = ldexp((double)(((uint64_t)w[0] << 32 | w[1]) >> 12) + 0.5, -52);
    const double v = ldexp((double)(((uint64_t)w[2] << 32 | w[3]) >> 12) + 0.5, -52);
    out[0] = sqrt(-2 * log(u)) * cos(2 * M_PI * v);
    out[1] = sqrt(-2 * log(u)) * sin(2 * M_PI * v);
    return 2;
#else
    for (int k = 0; k < 2; k++) {
        const double t = ((w[k] & 0x7fffffff) + 0.5) * 0x1p-32, angle = (w[k + 2] & 0x3fffffff) + 0.5;
        const double radius = sqrt(-2 * (w[k] >> 31 ? log1p(-t) : log(t)));
        const double turn = M_PI / 2 * (angle - (angle > 0x1p29 ? 0x1p30 : 0)) * 0x1p-30;
        const double cosine = w[k + 2] >> 31 ? -cos(turn) : cos(turn), sine = sin(turn);
        const int swap = w[k + 2] >> 30 & 1;
        out[k] = radius * (swap ? sine : cosine);
        out[k + 2] = radius * (swap ? cosine : sine);
    }
    return 4;
#endif
}

/* Every kernel, every length: relative error of a few roundings (0.5 u of t, 1.5 u of the logarithm halved by the root, 2 u each
 * of root, turn and product), and nothing written behind. In double the C library is called on both sides. */
START_TEST(test_random_normal_equals_the_plain_definition) {
    enum { MOST = 517, LONG = 100000 };
    const ebm_row_kernels *kernels = ebm_row_kernels_named(kernel_names[_i]);
    if (kernels == NULL)
        return;
    const ebm_stream stream = ebm_stream_of(77, EBM_PURPOSE_SAMPLE);
    ebm_real *x = malloc((LONG + 1) * sizeof *x);
    for (size_t count = 0; count <= LONG; count = count < MOST ? count + 1 : count < LONG ? LONG : LONG + 1) {
        x[count] = 1234;
        kernels->normals(stream, 3, 1, count, x);
        ck_assert(x[count] == 1234);
        double expected[4];
        size_t each = 4;
        for (size_t i = 0; i < count; i += each) {
            const uint32_t counter[4] = {(uint32_t)(i / each), 3, 1, 0};
            uint32_t words[4];
            ebm_philox(stream, counter, words);
            each = normals_of_block(words, expected);
            for (size_t k = 0; k < each && i + k < count; k++)
                if (!(fabs(x[i + k] - expected[k]) <= 8 * unit_roundoff * fabs(expected[k])))
                    ck_abort_msg("%zu of %zu: %.9g, not %.9g", i + k, count, (double)x[i + k], expected[k]);
        }
    }
    free(x);
}
END_TEST

/* Cells a quarter wide to +-5.25, and the tails. A false alarm has probability 1e-6. */
START_TEST(test_random_normal_cells_and_tails) {
    enum { CELLS = 44, ROWS = 100, EACH = 100000 };
    const ebm_row_kernels *kernels = ebm_row_kernels_named(kernel_names[_i]);
    if (kernels == NULL)
        return;
    ebm_real *x = malloc(EACH * sizeof *x);
    double counts[CELLS] = {0}, probability[CELLS];
    for (uint32_t row = 0; row < ROWS; row++) {
        kernels->normals(ebm_stream_of(13, 3), row, 2, EACH, x);
        for (size_t i = 0; i < EACH; i++)
            counts[(int)fmin(fmax((x[i] + 5.25) * 4 + 1, 0), CELLS - 1)]++;
    }
    for (int k = 0; k < CELLS; k++) {
        const double low = k == 0 ? -INFINITY : (k - 1) / 4.0 - 5.25, high = k == CELLS - 1 ? INFINITY : k / 4.0 - 5.25;
        const double sign = low < 0 ? -1 : 1; /* from the nearer tail: no cancellation */
        probability[k] = fabs(erfc(sign * low / M_SQRT2) - erfc(sign * high / M_SQRT2)) / 2;
    }
    ebm_chi_square got;
    ck_assert_int_eq(ebm_chi_square_test(counts, probability, CELLS, 5, &got, NULL), EBM_OK);
    ck_assert_msg(got.p_value > 1e-6, "chi^2 %g of %zu cells", got.statistic, got.cells);
    free(x);
}
END_TEST

#ifndef EBM_DOUBLE
/* Words at the ends of their ranges: u = 2^-33, 1/2 from either side, 1 - 2^-33, and where the exponent changes. */
START_TEST(test_random_normal_extreme_words) {
    static const uint32_t extremes[] = {0,          1,          2,          0x3fffffff, 0x40000000,
                                        0x7fffffff, 0x80000000, 0x80000001, 0xca000000, 0xcafb0ccc,
                                        0xcafb0d00, 0xcb000000, 0xffffffff};
    for (size_t i = 0; i < sizeof extremes / sizeof extremes[0]; i++)
        for (size_t j = 0; j < sizeof extremes / sizeof extremes[0]; j++) {
            const uint32_t w[4] = {extremes[i], extremes[j], extremes[j], extremes[i]};
            double expected[4];
            float x[2 * FLOATS];
            blocks run[2];
            run[0] = (blocks){0} + ((uint64_t)w[1] << 32 | w[0]);
            run[1] = (blocks){0} + ((uint64_t)w[3] << 32 | w[2]);
            normals_of_run(run, x);
            normals_of_block(w, expected);
            for (int k = 0; k < 4; k++)
                ck_assert(isfinite(x[k]) && fabs(x[k] - expected[k]) <= 8 * unit_roundoff * fabs(expected[k]));
        }
}
END_TEST
#endif

/* Asking for fewer numbers gives the first of them. */
START_TEST(test_random_prefixes_agree) {
    enum { MOST = 600 };
    ebm_real all_uniform[MOST], all_normal[MOST], x[MOST];
    ebm_random_uniform(ebm_stream_of(5, 5), 1, 2, MOST, all_uniform);
    ebm_random_normal(ebm_stream_of(5, 5), 1, 2, MOST, all_normal);
    for (size_t count = 0; count < MOST; count += 7) {
        ebm_random_uniform(ebm_stream_of(5, 5), 1, 2, count, x);
        ck_assert_mem_eq(x, all_uniform, count * sizeof *x);
        ebm_random_normal(ebm_stream_of(5, 5), 1, 2, count, x);
        ck_assert_mem_eq(x, all_normal, count * sizeof *x);
    }
}
END_TEST

START_TEST(test_random_below_is_uniform) {
    static const uint32_t bounds[] = {1, 2, 3, 10, 4294967295u};
    for (size_t b = 0; b < 5; b++)
        for (uint32_t i = 0; i < 1000; i++)
            ck_assert_uint_lt(ebm_random_below(ebm_stream_of(1, 2), 3, 4, i, bounds[b]), bounds[b]);
    enum { BOUND = 7, COUNT = 70000 };
    int counts[BOUND] = {0};
    for (uint32_t i = 0; i < COUNT; i++)
        counts[ebm_random_below(ebm_stream_of(1, 2), 0, 0, i, BOUND)]++;
    double chi_squared = 0;
    for (int i = 0; i < BOUND; i++)
        chi_squared += pow(counts[i] - COUNT / (double)BOUND, 2) / (COUNT / (double)BOUND);
    ck_assert_double_le(chi_squared, 40); /* 6 degrees of freedom: beyond 40 with probability 5e-7 */
    /* a bound above 2^31: the upper half appears, which modulo of 32 bits would favour the lower for */
    const uint32_t bound = 3000000000u;
    int upper = 0;
    for (uint32_t i = 0; i < COUNT; i++)
        upper += ebm_random_below(ebm_stream_of(1, 2), 1, 0, i, bound) >= bound / 2;
    ck_assert_double_le(fabs(upper - COUNT / 2.0) / sqrt(COUNT / 4.0), 5.5);
}
END_TEST

START_TEST(test_random_permutation_is_uniform) {
    enum { COUNT = 4, ORDERS = 24, DRAWN = 24000 };
    int seen[256] = {0};
    for (uint64_t step = 0; step < DRAWN; step++) {
        uint32_t order[COUNT];
        ebm_random_permutation(ebm_stream_of(3, 3), step, COUNT, order);
        unsigned code = 0, present = 0;
        for (int i = 0; i < COUNT; i++) {
            code = code * 4 + order[i];
            present |= 1u << order[i];
        }
        ck_assert_uint_eq(present, 15);
        seen[code]++;
    }
    double chi_squared = 0;
    int different = 0;
    for (int i = 0; i < 256; i++)
        if (seen[i] > 0) {
            chi_squared += pow(seen[i] - DRAWN / (double)ORDERS, 2) / (DRAWN / (double)ORDERS);
            different++;
        }
    ck_assert_int_eq(different, ORDERS);
    ck_assert_double_le(chi_squared, 75); /* 23 degrees of freedom: beyond 75 with probability 2e-7 */
    uint32_t one[1] = {7};
    ebm_random_permutation(ebm_stream_of(3, 3), 0, 0, one);
    ck_assert_uint_eq(one[0], 7);
    ebm_random_permutation(ebm_stream_of(3, 3), 0, 1, one);
    ck_assert_uint_eq(one[0], 0);
}
END_TEST

/* The distribution function of a gamma law at x = e^at, by the trapezoid rule in log x, which sees no singularity
 * for shapes below 1. `grid` points from `low`, `step` apart; cumulative[k] is the mass below point k. */
static void gamma_distribution(double shape, double low, double step, size_t grid, double *cumulative) {
    double previous = 0;
    for (size_t k = 0; k < grid; k++) {
        const double at = low + (double)k * step, density = exp(shape * at - exp(at) - lgamma(shape));
        const double below = shape < 1 ? exp(shape * at - lgamma(shape + 1)) : 0; /* x^a / Gamma(a + 1) for small x */
        cumulative[k] = k ? cumulative[k - 1] + 0.5 * step * (previous + density) : below;
        previous = density;
    }
}

static int by_double(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const double gamma_shapes[] = {0.2, 0.5, 1, 1.01, 2.5, 40, 1e4};
enum { GAMMA_SHAPES = sizeof gamma_shapes / sizeof gamma_shapes[0], GAMMA_DRAWS = 200000 };

START_TEST(test_random_gamma_distribution) {
    enum { GRID = 20001 };
    const double shape = gamma_shapes[_i], low = shape < 1 ? -120 : log(shape) - 14 / sqrt(shape);
    const double high = log(shape) + fmin(5, 12 / sqrt(shape)) + (shape < 1 ? 4 : 0), step = (high - low) / (GRID - 1);
    double *x = malloc(GAMMA_DRAWS * sizeof *x), *cumulative = malloc(GRID * sizeof *cumulative), sum = 0, largest = 0;
    for (uint32_t i = 0; i < GAMMA_DRAWS; i++) {
        x[i] = ebm_random_gamma1(ebm_stream_of(21, 4), i % 1000, i / 1000, 3, shape);
        ck_assert(x[i] > 0);
        sum += x[i];
    }
    /* mean and variance are both `shape` */
    ck_assert_double_le(fabs(sum / GAMMA_DRAWS - shape) / sqrt(shape / GAMMA_DRAWS), 5.5);
    gamma_distribution(shape, low, step, GRID, cumulative);
    ck_assert_double_le(fabs(cumulative[GRID - 1] - 1), 1e-5); /* the table itself */
    qsort(x, GAMMA_DRAWS, sizeof *x, by_double);
    for (size_t i = 0; i < GAMMA_DRAWS; i++) {
        const double place = fmin(fmax((log(x[i]) - low) / step, 0), GRID - 1.001);
        const size_t k = (size_t)place;
        const double F = cumulative[k] + (place - (double)k) * (cumulative[k + 1] - cumulative[k]), n = GAMMA_DRAWS;
        largest = fmax(largest, fmax((double)(i + 1) / n - F, F - (double)i / n));
    }
    ck_assert_double_le(sqrt(GAMMA_DRAWS) * largest, 2.9);
    free(x);
    free(cumulative);
}
END_TEST

/* A draw is a function of its place and reads nothing before its index. */
START_TEST(test_random_gamma_is_placed) {
    const ebm_stream stream = ebm_stream_of(2, 2);
    for (uint32_t i = 0; i < 100; i++) {
        const double x = ebm_random_gamma1(stream, i, 5, 8, 0.7);
        ck_assert(x == ebm_random_gamma1(stream, i, 5, 8, 0.7));
        ck_assert(x != ebm_random_gamma1(stream, i, 5, 12, 0.7));
        ck_assert(x != ebm_random_gamma1(stream, i, 6, 8, 0.7));
    }
    ck_assert(ebm_random_gamma1(stream, 0, 0, 0, 1e-6) >= 0); /* mostly below the smallest number */
}
END_TEST

START_TEST(test_random_normal1_distribution) {
    double sums[3] = {0};
    for (uint32_t i = 0; i < GAMMA_DRAWS; i++) {
        const double z = ebm_random_normal1(ebm_stream_of(22, 4), i % 1000, i / 1000, 2);
        sums[0] += z, sums[1] += z * z, sums[2] += z * z * z * z;
    }
    /* variances of z, z^2, z^4: 1, 2, 96 */
    ck_assert_double_le(fabs(sums[0]) / sqrt(GAMMA_DRAWS), 5.5);
    ck_assert_double_le(fabs(sums[1] / GAMMA_DRAWS - 1) / sqrt(2.0 / GAMMA_DRAWS), 5.5);
    ck_assert_double_le(fabs(sums[2] / GAMMA_DRAWS - 3) / sqrt(96.0 / GAMMA_DRAWS), 5.5);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("random");
    TCase *cases = tcase_create("unit");
    tcase_add_test(cases, test_random_philox_known_answers);
    tcase_add_loop_test(cases, test_random_words_equal_the_plain_definition, 0, KERNELS);
    tcase_add_test(cases, test_random_streams_differ);
    tcase_add_test(cases, test_random_uniform_distribution);
    tcase_add_test(cases, test_random_uniform_is_exact);
    tcase_add_test(cases, test_random_normal_distribution);
    tcase_add_loop_test(cases, test_random_normal_equals_the_plain_definition, 0, KERNELS);
    tcase_add_loop_test(cases, test_random_normal_cells_and_tails, 0, KERNELS);
#ifndef EBM_DOUBLE
    tcase_add_test(cases, test_random_normal_extreme_words);
#endif
    tcase_add_test(cases, test_random_prefixes_agree);
    tcase_add_test(cases, test_random_below_is_uniform);
    tcase_add_test(cases, test_random_permutation_is_uniform);
    tcase_add_loop_test(cases, test_random_gamma_distribution, 0, GAMMA_SHAPES);
    tcase_add_test(cases, test_random_gamma_is_placed);
    tcase_add_test(cases, test_random_normal1_distribution);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
