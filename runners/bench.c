/* The runner `bench`: what the workloads that decide the waiting cost, as ratios to this machine's BLAS peak.
 *
 * The peak is the best rate of cblas gemm on square matrices, measured in the same process, between the repeats. A
 * workload's floor is the time that its dense products alone would take at the peak of one thread; seconds are the best
 * of the repeats. Row steps are thread counts. These rows are times: they are not reproducible and compare with
 * nothing.
 *
 *   cd1    one epoch of CD-1:                  5 products an update
 *   pcd10  PCD-10:                            23 products an update
 *   ais    annealed importance sampling:       2 products a temperature
 *
 * Each is run on the dense path and on the path that the library chooses (see docs/fast-products.md). */
#include "measure.h"
#include "minibatches.h"
#include "runners.h"
#include "timing.h"

#include "ebm/likelihood.h"
#include "ebm/matrix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench_options {
    int64_t batch, cd_updates, pcd_updates, chains, temperatures, repeats, peak_size;
    ebm_reals threads;
} bench_options;

#define AT(member) offsetof(bench_options, member)
static const ebm_option bench_table[] = {
    {"batch", EBM_OPTION_INT, AT(batch), "100", 1, 1e6, NULL, 0, "examples in a minibatch, and persistent chains"},
    {"cd_updates", EBM_OPTION_INT, AT(cd_updates), "600", 1, 1e9, NULL, 0,
     "updates of CD-1; 600 are an epoch of 60,000"},
    {"pcd_updates", EBM_OPTION_INT, AT(pcd_updates), "100", 1, 1e9, NULL, 0, "updates of PCD-10"},
    {"chains", EBM_OPTION_INT, AT(chains), "100", 1, 1e6, NULL, 0, "chains of annealed importance sampling"},
    {"temperatures", EBM_OPTION_INT, AT(temperatures), "1000", 2, 1e9, NULL, 0, "temperatures of the same"},
    {"repeats", EBM_OPTION_INT, AT(repeats), "3", 1, 1000, NULL, 0, "times that each workload is run; the best counts"},
    {"peak_size", EBM_OPTION_INT, AT(peak_size), "1024", 64, 8192, NULL, 0,
     "side of the square product behind the peak"},
    {"threads", EBM_OPTION_REALS, AT(threads), "[1, 2]", 1, 256, NULL, 0, "thread counts to run with"},
    EBM_OPTIONS_END,
};

typedef struct bench {
    const ebm_case *c;
    const bench_options *options;
    ebm_subject subject;
    ebm_work *single; /* one thread, for the peak */
    double peak;
} bench;

/* One repeat of a learner's workload: seconds of `updates` updates after one that warms up. */
static ebm_status run_learner(bench *b, const ebm_learner_type *type, int64_t steps, int64_t updates, ebm_work *work,
                              double *seconds, ebm_error *error) {
    char text[32];
    void *options = calloc(1, type->info.options_size);
    ebm_sampler sampler = {0};
    ebm_learner learner = {0};
    ebm_minibatches m = {0};
    ebm_subject *s = &b->subject;
    const ebm_component *gibbs = ebm_component_find(EBM_KIND_SAMPLER, "block-gibbs");
    ebm_status status = options ? ebm_options_default(type->info.options, options, type->info.options_size, error)
                                : ebm_fail(error, EBM_NO_MEMORY, "no memory for options");
    snprintf(text, sizeof text, "%lld", (long long)steps);
    if (status == EBM_OK)
        status = ebm_options_set(type->info.options, options, "steps", text, NULL, error);
    if (status == EBM_OK)
        status = ebm_sampler_create((const ebm_sampler_type *)gibbs, NULL, &s->model, &sampler, error);
    if (status == EBM_OK)
        status = ebm_minibatches_create(&s->data, b->c->seed, (size_t)b->options->batch, &m, error);
    if (status == EBM_OK)
        status = ebm_learner_create(type, options, &s->model, &sampler, &s->data, b->c->seed, m.batch,
                                    (uint64_t)updates + 1, &learner, error);
    double start = 0;
    for (int64_t update = 0; status == EBM_OK && update <= updates; update++) {
        if (update == 1)
            start = ebm_seconds_now();
        size_t count = ebm_minibatches_fill(&m, (uint64_t)update, ebm_work_threads(work));
        status = ebm_learner_update(&learner, m.x, count, work, error);
    }
    *seconds = ebm_seconds_now() - start;
    ebm_learner_free(&learner);
    ebm_sampler_free(&sampler);
    ebm_minibatches_free(&m);
    if (options)
        ebm_options_clear(type->info.options, options);
    free(options);
    return status;
}

static ebm_status run_cd1(bench *b, ebm_work *work, double *seconds, ebm_error *error) {
    return run_learner(b, (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, "cd"), 1,
                       b->options->cd_updates, work, seconds, error);
}

static ebm_status run_pcd10(bench *b, ebm_work *work, double *seconds, ebm_error *error) {
    return run_learner(b, (const ebm_learner_type *)ebm_component_find(EBM_KIND_LEARNER, "pcd"), 10,
                       b->options->pcd_updates, work, seconds, error);
}

static ebm_status run_ais(bench *b, ebm_work *work, double *seconds, ebm_error *error) {
    const ebm_subject *s = &b->subject;
    size_t chains = (size_t)b->options->chains;
    ebm_base base;
    EBM_TRY(ebm_base_fit(&s->model.space, &s->data, 1.0, &base, error));
    double *log_weight = calloc(chains, sizeof *log_weight);
    ebm_ais_settings settings = {.schedule = EBM_SCHEDULE_LINEAR,
                                 .temperatures = (size_t)b->options->temperatures,
                                 .chains = chains,
                                 .block = chains,
                                 .stream = ebm_stream_of(b->c->seed, EBM_PURPOSE_AIS)};
    double start = ebm_seconds_now();
    ebm_status status = log_weight ? ebm_ais_forward(&s->model, &base, &settings, log_weight, work, error)
                                   : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu chains", chains);
    *seconds = ebm_seconds_now() - start;
    free(log_weight);
    ebm_base_free(&base);
    return status;
}

static double products_cd1(const bench_options *o) {
    return 5.0 * (double)o->cd_updates * (double)o->batch;
}
static double products_pcd10(const bench_options *o) {
    return 23.0 * (double)o->pcd_updates * (double)o->batch;
}
static double products_ais(const bench_options *o) {
    return 2.0 * (double)o->temperatures * (double)o->chains;
}

static const struct workload {
    const char *name;
    ebm_status (*run)(bench *b, ebm_work *work, double *seconds, ebm_error *error);
    double (*rows)(const bench_options *o); /* rows times products: each is 2 V H FLOP */
} workloads[] = {{"cd1", run_cd1, products_cd1}, {"pcd10", run_pcd10, products_pcd10}, {"ais", run_ais, products_ais}};

static const struct {
    const char *name;
    ebm_product_path path;
} paths[] = {{"dense", EBM_PRODUCT_DENSE}, {"chosen", EBM_PRODUCT_AUTO}};

enum { WORKLOADS = sizeof workloads / sizeof *workloads, PATHS = sizeof paths / sizeof *paths, MAX_THREADS = 8 };

/* Best seconds over the repeats: one of each workload, path and thread count in turn, so that a slow spell of the
 * machine meets them all alike. */
static ebm_status run_all(bench *b, ebm_work **works, size_t n_works, double best[MAX_THREADS][PATHS][WORKLOADS],
                          ebm_output *output, ebm_error *error) {
    const bench_options *o = b->options;
    size_t runs = (size_t)o->repeats * n_works * PATHS * WORKLOADS, done = 0;
    for (int64_t repeat = 0; repeat < o->repeats; repeat++)
        for (size_t w = 0; w < WORKLOADS; w++)
            for (size_t t = 0; t < n_works; t++)
                for (size_t p = 0; p < PATHS; p++) {
                    double seconds;
                    EBM_TRY(ebm_measure_peak((size_t)o->peak_size, b->single, &b->peak, error));
                    ebm_product_path_set(paths[p].path);
                    ebm_status status = workloads[w].run(b, works[t], &seconds, error);
                    ebm_product_path_set(EBM_PRODUCT_AUTO);
                    EBM_TRY(status);
                    best[t][p][w] = seconds < best[t][p][w] ? seconds : best[t][p][w];
                    output->progress(output, (double)++done / (double)runs);
                }
    return EBM_OK;
}

static ebm_status emit(ebm_output *output, const char *workload, const char *path, const char *what, double value,
                       ebm_error *error) {
    char name[64];
    snprintf(name, sizeof name, "%s_%s_%s", workload, path, what);
    return output->sink.emit(&output->sink, name, value, NAN, error);
}

static ebm_status report(const bench *b, size_t n_works, double best[MAX_THREADS][PATHS][WORKLOADS], ebm_output *output,
                         ebm_error *error) {
    double VH = (double)b->subject.model.space.size * (double)b->subject.model.n_hidden;
    for (size_t t = 0; t < n_works; t++) {
        output->step = (uint64_t)b->options->threads.values[t];
        EBM_TRY(output->sink.emit(&output->sink, "peak_gflops", b->peak / 1e9, NAN, error));
        for (size_t w = 0; w < WORKLOADS; w++)
            for (size_t p = 0; p < PATHS; p++) {
                const char *name = workloads[w].name, *path = paths[p].name;
                double flops = 2 * VH * workloads[w].rows(b->options), seconds = best[t][p][w];
                EBM_TRY(emit(output, name, path, "seconds", seconds, error));
                EBM_TRY(emit(output, name, path, "gflops", flops / seconds / 1e9, error));
                EBM_TRY(emit(output, name, path, "percent_of_peak", 100 * flops / seconds / b->peak, error));
                EBM_TRY(emit(output, name, path, "over_floor", seconds * b->peak / flops, error));
                EBM_TRY(emit(output, name, path, "speedup", best[0][p][w] / seconds, error));
            }
    }
    return EBM_OK;
}

static ebm_status bench_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    bench b = {.c = c, .options = c->run};
    ebm_work *works[MAX_THREADS] = {NULL};
    double best[MAX_THREADS][PATHS][WORKLOADS];
    size_t n_works = b.options->threads.count;
    (void)threads;
    for (size_t i = 0; i < MAX_THREADS * PATHS * WORKLOADS; i++)
        (&best[0][0][0])[i] = INFINITY;
    if (n_works == 0 || n_works > MAX_THREADS)
        return ebm_fail(error, EBM_INVALID, "`threads` lists %zu counts; give 1 to %d", n_works, MAX_THREADS);
    ebm_status status = ebm_subject_create(c, 1, &b.subject, error);
    if (status == EBM_OK)
        status = ebm_work_create(1, &b.single, error);
    for (size_t t = 0; status == EBM_OK && t < n_works; t++)
        status = ebm_work_create((int)b.options->threads.values[t], &works[t], error);
    if (status == EBM_OK)
        status = run_all(&b, works, n_works, best, output, error);
    if (status == EBM_OK)
        status = report(&b, n_works, best, output, error);
    for (size_t t = 0; t < n_works; t++)
        ebm_work_free(works[t]);
    ebm_work_free(b.single);
    ebm_subject_free(&b.subject);
    return status;
}

#define PATH_METRICS(w, p)                                                                                             \
    {w "_" p "_seconds", "s", true, "best time of the workload"},                                                      \
        {w "_" p "_gflops", "GFLOP/s", true, "rate, counting dense products only"},                                    \
        {w "_" p "_percent_of_peak", "%", true, "that rate against one thread's gemm"},                                \
        {w "_" p "_over_floor", "ratio", true, "time against the dense products alone at one thread's peak"}, {        \
        w "_" p "_speedup", "ratio", true, "time at the first thread count against this one's"                         \
    }
#define WORKLOAD_METRICS(w) PATH_METRICS(w, "dense"), PATH_METRICS(w, "chosen")
static const ebm_metric bench_metrics[] = {
    {"peak_gflops", "GFLOP/s", true, "best gemm rate of one thread in this process"},
    WORKLOAD_METRICS("cd1"),
    WORKLOAD_METRICS("pcd10"),
    WORKLOAD_METRICS("ais"),
    {NULL, NULL, false, NULL},
};

const ebm_runner_type ebm_bench_runner = {
    .info = {"bench", "time training and annealed importance sampling against this machine's BLAS peak", "",
             bench_table, sizeof(bench_options)},
    .required_kinds = 1u << EBM_KIND_DATASET | 1u << EBM_KIND_MODEL,
    .optional_kinds = 0,
    .metrics = bench_metrics,
    .run = bench_run,
};
