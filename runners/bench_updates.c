/* The runner `bench-updates`: what one update of a learner from all training examples costs, and one estimate of the
 * case's estimator after it, beside gemm. Made for learners that store their patterns at once.
 *
 * The outer rate counts V^2 K operations: the products of V units with K examples of which a symmetric matrix needs one
 * triangle. Learners of machines of two layers are set beside the `products` with their weights instead. Whatever else an
 * update does (solving equations, mirroring, random numbers) is time and not operations. Seconds are the best of the
 * repeats. These rows are times: they compare with nothing. Row step: threads. */
#include "measure.h"
#include "runners.h"
#include "timing.h"

#include <math.h>
#include <stdlib.h>

typedef struct bench_updates_options {
    int64_t repeats, peak_size, products;
} bench_updates_options;

#define AT(member) offsetof(bench_updates_options, member)
static const ebm_option bench_updates_table[] = {
    {"repeats", EBM_OPTION_INT, AT(repeats), "5", 1, 1000, NULL, 0, "times that each is run; the best counts"},
    {"peak_size", EBM_OPTION_INT, AT(peak_size), "1024", 64, 8192, NULL, 0,
     "side of the square product behind the peak"},
    {"products", EBM_OPTION_INT, AT(products), "0", 0, 1e9, NULL, 0,
     "products of all examples with the weights between both layers that an update takes: their time at gemm's peak is "
     "its floor; 0: no floor"},
    EBM_OPTIONS_END,
};

static const ebm_metric bench_updates_metrics[] = {
    {"peak_gflops", "GFLOP/s", true, "best gemm rate of one thread in this process"},
    {"seconds_per_update", "s", true, "one update from all training examples"},
    {"outer_percent_of_peak", "%", true, "V^2 K operations for each update, against one thread's gemm"},
    {"over_floor", "ratio", true,
     "an update's time over that of its `products`, 2 V H K operations each, at one thread's gemm"},
    {"seconds_per_estimate", "s", true, "one estimate of the case's estimator, after the updates"},
    EBM_METRICS_END,
};

/* What an estimate finds is not looked at. */
static ebm_status swallow(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)sink, (void)metric, (void)value, (void)se, (void)error;
    return EBM_OK;
}
static void stay(ebm_sink *sink, uint64_t step) {
    (void)sink, (void)step;
}

typedef struct best_times {
    double peak, update, estimate;
} best_times;

static ebm_status time_estimate(const ebm_case *c, const ebm_subject *s, double *best, ebm_error *error) {
    const ebm_setting *setting = &c->measures[c->n_logged];
    ebm_sink sink = {swallow, stay};
    ebm_estimate_inputs inputs = {.model = &s->model,
                                  .data = &s->data,
                                  .sampler = s->sampler.type ? (ebm_sampler *)&s->sampler : NULL,
                                  .path = s->path,
                                  .thin = s->thin,
                                  .seed = c->seed,
                                  .work = s->work};
    const double start = ebm_seconds_now();
    EBM_TRY(((const ebm_estimator_type *)setting->component)->estimate(setting->options, &inputs, &sink, error));
    *best = fmin(*best, ebm_seconds_now() - start);
    return EBM_OK;
}

static ebm_status run_repeats(const ebm_case *c, const ebm_subject *s, ebm_learner *learner, const ebm_real *x,
                              best_times *best, ebm_output *output, ebm_error *error) {
    const bench_updates_options *o = c->run;
    ebm_work *single;
    EBM_TRY(ebm_work_create(1, &single, error));
    ebm_status status = EBM_OK;
    for (int64_t repeat = 0; status == EBM_OK && repeat <= o->repeats; repeat++) { /* the first warms up */
        const double start = ebm_seconds_now();
        status = ebm_learner_update(learner, x, s->data.train.count, s->work, error);
        if (repeat > 0)
            best->update = fmin(best->update, ebm_seconds_now() - start);
        if (status == EBM_OK && c->n_measures > c->n_logged)
            status = time_estimate(c, s, &best->estimate, error);
        if (status == EBM_OK)
            status = ebm_measure_peak((size_t)o->peak_size, single, &best->peak, error);
        output->progress(output, (double)(repeat + 1) / (double)(o->repeats + 1));
    }
    ebm_work_free(single);
    return status;
}

static ebm_status report(const ebm_case *c, const ebm_subject *s, const best_times *best, ebm_output *output,
                         ebm_error *error) {
    const bench_updates_options *o = c->run;
    ebm_sink *sink = &output->sink;
    const double V = (double)s->model.space.size, operations = V * V * (double)s->data.train.count;
    EBM_TRY(sink->emit(sink, "peak_gflops", best->peak / 1e9, NAN, error));
    EBM_TRY(sink->emit(sink, "seconds_per_update", best->update, NAN, error));
    if (o->products == 0)
        EBM_TRY(sink->emit(sink, "outer_percent_of_peak", 100 * operations / best->update / best->peak, NAN, error));
    const double weights = V * (double)s->model.n_hidden,
                 floor = 2 * weights * (double)s->data.train.count / best->peak;
    if (o->products > 0 && floor > 0)
        EBM_TRY(sink->emit(sink, "over_floor", best->update / ((double)o->products * floor), NAN, error));
    if (c->n_measures > c->n_logged)
        EBM_TRY(sink->emit(sink, "seconds_per_estimate", best->estimate, NAN, error));
    return EBM_OK;
}

static ebm_status bench_updates_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    const bench_updates_options *o = c->run;
    ebm_subject s;
    ebm_learner learner = {0};
    best_times best = {0, INFINITY, INFINITY};
    output->step = (uint64_t)threads;
    EBM_TRY(ebm_subject_create(c, threads, &s, error));
    const size_t count = s.data.train.count;
    ebm_real *x = ebm_alloc(count * s.model.space.size, sizeof *x);
    ebm_status status = x ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu examples", count);
    if (status == EBM_OK) {
        ebm_examples_fixed(&s.data, &s.data.train, 0, count, x);
        status = ebm_learner_create((const ebm_learner_type *)c->learner.component, c->learner.options, &s.model,
                                    s.sampler.type ? &s.sampler : NULL, &s.data, c->seed, count,
                                    (uint64_t)o->repeats + 1, &learner, error);
    }
    if (status == EBM_OK)
        status = run_repeats(c, &s, &learner, x, &best, output, error);
    if (status == EBM_OK)
        status = report(c, &s, &best, output, error);
    ebm_learner_free(&learner);
    free(x);
    ebm_subject_free(&s);
    return status;
}

const ebm_runner_type ebm_bench_updates_runner = {
    .info = {"bench-updates", "time a learner's updates, and an estimator, beside gemm", "", bench_updates_table,
             sizeof(bench_updates_options)},
    .required_kinds = 1u << EBM_KIND_DATASET | 1u << EBM_KIND_MODEL | 1u << EBM_KIND_LEARNER,
    .optional_kinds = 1u << EBM_KIND_SAMPLER | 1u << EBM_KIND_ESTIMATOR,
    .metrics = bench_updates_metrics,
    .run = bench_updates_run,
};
