/* The runner `bench-draws`: nanoseconds for a random number on one thread, each kind beside what one would write first.
 *
 *   words          32 random bits, in rows
 *   normals        standard normals as samplers draw them, in rows; `plain`: one pair at a time by the C library
 *   categories     inverse distribution function and alias table, from the same uniforms, one at a time
 *
 * Best of the repeats, in which the kinds take turns. These rows are times: they compare with nothing. Row step: threads. */
#include "runners.h"
#include "timing.h"

#include "ebm/draws.h"

#include <math.h>
#include <stdlib.h>

typedef struct bench_draws_options {
    int64_t rows, length, categories, repeats;
} bench_draws_options;

#define AT(member) offsetof(bench_draws_options, member)
static const ebm_option bench_draws_table[] = {
    {"rows", EBM_OPTION_INT, AT(rows), "1000", 1, 1e6, NULL, 0, "rows of numbers in a repeat"},
    {"length", EBM_OPTION_INT, AT(length), "1000", 1, 1e6, NULL, 0, "numbers in a row"},
    {"categories", EBM_OPTION_INT, AT(categories), "1000", 1, 1e6, NULL, 0,
     "K of the categories drawn, of any weights"},
    {"repeats", EBM_OPTION_INT, AT(repeats), "5", 1, 1000, NULL, 0, "times that each is run; the best counts"},
    EBM_OPTIONS_END,
};

typedef struct bench_draws {
    const bench_draws_options *o;
    ebm_stream stream;
    ebm_categorical law;
    uint32_t *words; /* (length) */
    ebm_real *reals; /* (length) */
} bench_draws;

static void draw_words(bench_draws *b, uint32_t row, size_t count) {
    ebm_random_words(b->stream, row, 0, count, b->words);
}

static void draw_normals(bench_draws *b, uint32_t row, size_t count) {
    ebm_random_normal(b->stream, row, 0, count, b->reals);
}

static void draw_plain(bench_draws *b, uint32_t row, size_t count) {
    ebm_random_normal_plain(b->stream, row, 0, count, b->reals);
}

static void draw_inverse(bench_draws *b, uint32_t row, size_t count) {
    ebm_random_categorical(&b->law, EBM_CATEGORICAL_INVERSE, b->stream, row, 0, count, b->words);
}

static void draw_alias(bench_draws *b, uint32_t row, size_t count) {
    ebm_random_categorical(&b->law, EBM_CATEGORICAL_ALIAS, b->stream, row, 0, count, b->words);
}

enum { WORDS, NORMALS, PLAIN, INVERSE, ALIAS, KINDS };

static const struct {
    const char *metric;
    void (*draw)(bench_draws *b, uint32_t row, size_t count);
} kinds[KINDS] = {[WORDS] = {"words_ns", draw_words},
                  [NORMALS] = {"normals_ns", draw_normals},
                  [PLAIN] = {"normals_plain_ns", draw_plain},
                  [INVERSE] = {"categories_inverse_ns", draw_inverse},
                  [ALIAS] = {"categories_alias_ns", draw_alias}};

static void run_repeats(bench_draws *b, double best[KINDS], ebm_output *output) {
    const bench_draws_options *o = b->o;
    const double numbers = (double)o->rows * (double)o->length;
    for (int64_t repeat = 0; repeat < o->repeats; repeat++) {
        for (int k = 0; k < KINDS; k++) {
            const double start = ebm_seconds_now();
            for (int64_t row = 0; row < o->rows; row++)
                kinds[k].draw(b, (uint32_t)row, (size_t)o->length);
            best[k] = fmin(best[k], (ebm_seconds_now() - start) / numbers);
        }
        output->progress(output, (double)(repeat + 1) / (double)o->repeats);
    }
}

static ebm_status prepare(bench_draws *b, ebm_error *error) {
    const size_t length = (size_t)b->o->length, K = (size_t)b->o->categories;
    double *weights = calloc(K, sizeof *weights);
    b->words = ebm_alloc(length, sizeof *b->words);
    b->reals = ebm_alloc(length, sizeof *b->reals);
    ebm_status status = EBM_OK;
    if (!weights || !b->words || !b->reals)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for rows of %zu numbers", length);
    for (size_t k = 0; status == EBM_OK && k < K; k++)
        weights[k] = ebm_random_uniform1(ebm_stream_of(b->stream.seed, EBM_PURPOSE_TARGET), 0, 0, (uint32_t)k);
    if (status == EBM_OK)
        status = ebm_categorical_create(weights, K, &b->law, error);
    free(weights);
    return status;
}

static ebm_status bench_draws_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    bench_draws b = {.o = c->run, .stream = ebm_stream_of(c->seed, EBM_PURPOSE_SAMPLE)};
    double best[KINDS];
    output->step = (uint64_t)threads;
    for (int k = 0; k < KINDS; k++)
        best[k] = INFINITY;
    ebm_status status = prepare(&b, error);
    if (status == EBM_OK)
        run_repeats(&b, best, output);
    for (int k = 0; k < KINDS && status == EBM_OK; k++)
        status = output->sink.emit(&output->sink, kinds[k].metric, 1e9 * best[k], NAN, error);
    if (status == EBM_OK)
        status = output->sink.emit(&output->sink, "normals_over_plain", best[PLAIN] / best[NORMALS], NAN, error);
    ebm_categorical_free(&b.law);
    free(b.words);
    free(b.reals);
    return status;
}

static const ebm_metric bench_draws_metrics[] = {
    {"words_ns", "ns", true, "32 random bits"},
    {"normals_ns", "ns", true, "a standard normal, as samplers draw it"},
    {"normals_plain_ns", "ns", true, "the same, one pair at a time by the C library"},
    {"normals_over_plain", "ratio", true, "the rate of normals over that of plain ones"},
    {"categories_inverse_ns", "ns", true, "a category by the inverse distribution function"},
    {"categories_alias_ns", "ns", true, "a category by an alias table"},
    EBM_METRICS_END,
};

const ebm_runner_type ebm_bench_draws_runner = {
    .info = {"bench-draws", "time random draws beside what one would write first", "", bench_draws_table,
             sizeof(bench_draws_options)},
    .metrics = bench_draws_metrics,
    .run = bench_draws_run,
};
