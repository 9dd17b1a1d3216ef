/* The runner `bench-chains`: what a sampler's steps cost, as rates and as ratios to what is timed beside them.
 *
 *   peak         best rate of gemm on one thread, between the repeats
 *   plain loop   single-site heat bath of one 256 x 256 Ising torus by a checkerboard loop in plain C: bytes for spins,
 *                a table of thresholds, the library's random words; what one would write first
 *   memory       bytes a second of y += a x over 32 MB arrays on one thread, 3 numbers an element
 *   diagnostics  R-hat and effective sample sizes of 4 chains x 10,000 draws x 200 variables
 *
 * A rate counts the sampler's own site updates. The dense rate counts 2 V operations for each: what an update of a fully
 * connected machine's fields takes; the gradient rate 2 V^2 for each gradient, what a dense quadratic energy takes. A
 * sampler that leaves no law invariant (descent) comes to an end: each repeat starts
 * from the same states, and the memory rate of its changes counts what a change takes where fields are kept up to date
 * one change at a time, 3 V numbers: a row of couplings and a chain's fields read, the fields written. Seconds are the
 * best of the repeats. These rows are times: they compare with nothing. Row step: threads. */
#include "measure.h"
#include "runners.h"
#include "timing.h"

#include "ebm/diagnostics.h"
#include "ebm/matrix.h"
#include "ebm/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench_chains_options {
    int64_t chains, steps, repeats, peak_size;
    double temperature;
    bool diagnostics;
} bench_chains_options;

#define AT(member) offsetof(bench_chains_options, member)
static const ebm_option bench_chains_table[] = {
    {"chains", EBM_OPTION_INT, AT(chains), "64", 1, 1e6, NULL, 0, "chains advanced together"},
    {"steps", EBM_OPTION_INT, AT(steps), "100", 1, 1e9, NULL, 0, "steps of the sampler in a repeat"},
    {"repeats", EBM_OPTION_INT, AT(repeats), "5", 1, 1000, NULL, 0, "times that each is run; the best counts"},
    {"temperature", EBM_OPTION_REAL, AT(temperature), "1", 1e-6, 1e6, NULL, 0, "temperature of the chains"},
    {"peak_size", EBM_OPTION_INT, AT(peak_size), "1024", 64, 8192, NULL, 0,
     "side of the square product behind the peak"},
    {"diagnostics", EBM_OPTION_BOOL, AT(diagnostics), "false", 0, 0, NULL, 0, "time the diagnostics of traces, too"},
    EBM_OPTIONS_END,
};

enum { PLAIN_SIDE = 256, PLAIN_SWEEPS = 20 };

/* One sweep: both colours, each spin from its four neighbours. */
static void plain_sweep(signed char *s, const uint32_t threshold[5], const uint32_t *words) {
    for (int colour = 0; colour < 2; colour++)
        for (int r = 0; r < PLAIN_SIDE; r++)
            for (int c = (r + colour) % 2; c < PLAIN_SIDE; c += 2) {
                int up = (r + PLAIN_SIDE - 1) % PLAIN_SIDE, down = (r + 1) % PLAIN_SIDE;
                int left = (c + PLAIN_SIDE - 1) % PLAIN_SIDE, right = (c + 1) % PLAIN_SIDE;
                int sum = s[up * PLAIN_SIDE + c] + s[down * PLAIN_SIDE + c] + s[r * PLAIN_SIDE + left] +
                          s[r * PLAIN_SIDE + right];
                s[r * PLAIN_SIDE + c] = words[r * PLAIN_SIDE + c] < threshold[(sum + 4) / 2] ? 1 : -1;
            }
}

/* Spin updates a second of the plain loop at the critical temperature. */
static ebm_status measure_plain(ebm_work *work, double *best, ebm_error *error) {
    const size_t V = (size_t)PLAIN_SIDE * PLAIN_SIDE, mark = ebm_work_mark(work);
    signed char *s = ebm_work_take(work, V, 1);
    uint32_t *words = ebm_work_take(work, V, sizeof *words), threshold[5];
    if (!s || !words)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a torus of %zu spins", V);
    memset(s, 1, V);
    for (int k = 0; k < 5; k++)
        threshold[k] = (uint32_t)(0x1p32 / (1 + exp(-2 * 0.440686793509772 * (2 * k - 4))));
    double start = ebm_seconds_now();
    for (uint64_t sweep = 0; sweep < PLAIN_SWEEPS; sweep++) {
        ebm_random_words(ebm_stream_of(1, EBM_PURPOSE_SAMPLE), 0, sweep, V, words);
        plain_sweep(s, threshold, words);
    }
    double rate = (double)V * PLAIN_SWEEPS / (ebm_seconds_now() - start);
    *best = rate > *best ? rate : *best;
    ebm_work_release(work, mark);
    return EBM_OK;
}

/* Seconds of the diagnostics on first-order autoregressions, x_t = phi x_(t-1) + noise, phi from 0 to 0.95. */
static ebm_status measure_diagnostics(ebm_work *work, double *best, ebm_error *error) {
    enum { VARIABLES = 200, CHAINS = 4, DRAWS = 10000 };
    const size_t count = (size_t)VARIABLES * CHAINS * DRAWS, mark = ebm_work_mark(work);
    double *values = ebm_work_take(work, count, sizeof *values);
    ebm_real *noise = ebm_work_take(work, DRAWS, sizeof *noise);
    ebm_trace_summary *out = ebm_work_take(work, VARIABLES, sizeof *out);
    if (!values || !noise || !out)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu draws", count);
    for (uint32_t row = 0; row < VARIABLES * CHAINS; row++) {
        double phi = 0.95 * (row / CHAINS) / VARIABLES, x = 0;
        ebm_random_normal(ebm_stream_of(1, EBM_PURPOSE_SAMPLE), row, 0, DRAWS, noise);
        for (size_t t = 0; t < DRAWS; t++)
            values[row * (size_t)DRAWS + t] = x = phi * x + (double)noise[t];
    }
    const ebm_traces traces = {values, VARIABLES, CHAINS, DRAWS};
    double start = ebm_seconds_now();
    ebm_status status = ebm_traces_summarise(&traces, out, work, error);
    double seconds = ebm_seconds_now() - start;
    *best = seconds < *best ? seconds : *best;
    ebm_work_release(work, mark);
    return status;
}

/* Bytes a second of an addition of one array to another, both too large for any cache. */
static ebm_status measure_memory(ebm_work *work, double *best, ebm_error *error) {
    const size_t n = (size_t)32 << 20 >> (sizeof(ebm_real) == 8 ? 3 : 2), mark = ebm_work_mark(work);
    ebm_real *x = ebm_work_take(work, n, sizeof *x), *y = ebm_work_take(work, n, sizeof *y);
    if (!x || !y)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for two arrays of %zu numbers", n);
    for (size_t i = 0; i < n; i++)
        x[i] = y[i] = 1;
    for (int pass = 0; pass < 3; pass++) {
        const double start = ebm_seconds_now();
        ebm_axpy(n, 0.5, x, y, work);
        const double rate = 3 * (double)n * sizeof *x / (ebm_seconds_now() - start);
        *best = rate > *best ? rate : *best;
    }
    ebm_work_release(work, mark);
    return EBM_OK;
}

typedef struct bench_chains {
    const bench_chains_options *options;
    ebm_subject subject;
    ebm_chains chains;
    ebm_work *single;
    ebm_real *start;                                  /* (chains, V), of samplers that come to an end; else NULL */
    double peak, plain, memory, diagnostics, seconds; /* best of the repeats */
    uint64_t updates, gradients;                      /* of one repeat */
    double changes;                                   /* the same */
} bench_chains;

static ebm_status run_repeats(bench_chains *b, ebm_output *output, ebm_error *error) {
    const bench_chains_options *o = b->options;
    ebm_subject *s = &b->subject;
    const ebm_path path = {NULL, 1 / o->temperature};
    for (int64_t repeat = 0; repeat <= o->repeats; repeat++) { /* the first warms up */
        ebm_chains_reset_counters(&s->sampler, &b->chains);
        if (b->start) {
            memcpy(b->chains.batch.x, b->start, b->chains.batch.count * s->model.space.size * sizeof *b->start);
            b->chains.batch.field_ok = false;
        }
        double start = ebm_seconds_now();
        EBM_TRY(s->sampler.type->step(&s->sampler, &s->model, path, &b->chains, (size_t)o->steps, s->work, error));
        double seconds = ebm_seconds_now() - start;
        if (repeat > 0 && seconds < b->seconds) {
            b->seconds = seconds;
            b->updates = b->chains.site_updates;
            b->gradients = b->chains.gradient_evaluations;
            b->changes = b->chains.accepted;
        }
        EBM_TRY(ebm_measure_peak((size_t)o->peak_size, b->single, &b->peak, error));
        EBM_TRY(measure_plain(b->single, &b->plain, error));
        EBM_TRY(measure_memory(b->single, &b->memory, error));
        if (o->diagnostics)
            EBM_TRY(measure_diagnostics(b->single, &b->diagnostics, error));
        output->progress(output, (double)(repeat + 1) / (double)(o->repeats + 1));
    }
    return EBM_OK;
}

static ebm_status report(const bench_chains *b, ebm_output *output, ebm_error *error) {
    ebm_sink *sink = &output->sink;
    double steps = (double)b->options->steps, rate = (double)b->updates / b->seconds;
    double dense = 2 * (double)b->subject.model.space.size * rate;
    EBM_TRY(sink->emit(sink, "peak_gflops", b->peak / 1e9, NAN, error));
    EBM_TRY(sink->emit(sink, "plain_loop_rate", b->plain, NAN, error));
    EBM_TRY(sink->emit(sink, "seconds_per_step", b->seconds / steps, NAN, error));
    if (b->updates > 0) {
        EBM_TRY(sink->emit(sink, "update_rate", rate, NAN, error));
        EBM_TRY(sink->emit(sink, "over_plain_loop", rate / b->plain, NAN, error));
        EBM_TRY(sink->emit(sink, "dense_percent_of_peak", 100 * dense / b->peak, NAN, error));
    }
    if (b->gradients > 0) {
        const double V = (double)b->subject.model.space.size, gradients = (double)b->gradients / b->seconds;
        EBM_TRY(sink->emit(sink, "gradient_rate", gradients, NAN, error));
        EBM_TRY(sink->emit(sink, "gradient_percent_of_peak", 100 * 2 * V * V * gradients / b->peak, NAN, error));
    }
    if (b->start) {
        const double bytes = 3 * (double)b->subject.model.space.size * sizeof(ebm_real) * b->changes / b->seconds;
        EBM_TRY(sink->emit(sink, "memory_rate", b->memory / 1e9, NAN, error));
        EBM_TRY(sink->emit(sink, "change_rate", b->changes / b->seconds, NAN, error));
        EBM_TRY(sink->emit(sink, "changes_percent_of_memory", 100 * bytes / b->memory, NAN, error));
    }
    if (!b->options->diagnostics)
        return EBM_OK;
    return sink->emit(sink, "diagnostics_seconds", b->diagnostics, NAN, error);
}

static ebm_status keep_start(bench_chains *b, ebm_error *error) {
    const size_t count = b->chains.batch.count * b->subject.model.space.size;
    b->start = ebm_alloc(count, sizeof *b->start);
    if (!b->start)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the start of %zu chains", b->chains.batch.count);
    memcpy(b->start, b->chains.batch.x, count * sizeof *b->start);
    return EBM_OK;
}

static ebm_status bench_chains_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    bench_chains b = {.options = c->run, .diagnostics = INFINITY, .seconds = INFINITY};
    ebm_base uniform = {0};
    output->step = (uint64_t)threads;
    ebm_status status = ebm_subject_create(c, threads, &b.subject, error);
    if (status == EBM_OK)
        status = ebm_work_create(1, &b.single, error);
    if (status == EBM_OK)
        status = ebm_chains_create(&b.subject.model, (size_t)b.options->chains,
                                   ebm_stream_of(c->seed, EBM_PURPOSE_SAMPLE), &b.chains, error);
    if (status == EBM_OK)
        status = ebm_base_fit(&b.subject.model.space, NULL, 0, &uniform, error);
    if (status == EBM_OK) {
        ebm_base_sample(&uniform, b.chains.batch.count, ebm_stream_of(c->seed, EBM_PURPOSE_CHAIN_START), 0, 0,
                        b.chains.batch.x, b.single);
        status = ebm_sampler_attach(&b.subject.sampler, &b.subject.model, &b.chains, error);
    }
    if (status == EBM_OK && !b.subject.sampler.type->exact && !b.subject.sampler.type->kernel)
        status = keep_start(&b, error);
    if (status == EBM_OK)
        status = run_repeats(&b, output, error);
    if (status == EBM_OK)
        status = report(&b, output, error);
    ebm_base_free(&uniform);
    ebm_chains_free(&b.chains);
    free(b.start);
    ebm_work_free(b.single);
    ebm_subject_free(&b.subject);
    return status;
}

static const ebm_metric bench_chains_metrics[] = {
    {"peak_gflops", "GFLOP/s", true, "best gemm rate of one thread in this process"},
    {"plain_loop_rate", "updates/s", true, "spin updates of the plain checkerboard loop, one thread"},
    {"seconds_per_step", "s", true, "one step of all chains"},
    {"update_rate", "updates/s", true, "site updates of the sampler"},
    {"over_plain_loop", "ratio", true, "that rate against the plain loop's"},
    {"dense_percent_of_peak", "%", true, "2 V operations for each site update, against one thread's gemm"},
    {"gradient_rate", "gradients/s", true, "gradients of the energy at a state of a chain"},
    {"gradient_percent_of_peak", "%", true,
     "2 V^2 operations for each, all else for nothing, against one thread's gemm"},
    {"memory_rate", "GB/s", true, "y += a x over arrays in main memory, one thread"},
    {"change_rate", "changes/s", true, "units that changed, of samplers that come to an end"},
    {"changes_percent_of_memory", "%", true, "3 V numbers for each change, against that memory rate"},
    {"diagnostics_seconds", "s", true, "R-hat and effective sample sizes, 4 chains x 10,000 draws x 200 variables"},
    EBM_METRICS_END,
};

const ebm_runner_type ebm_bench_chains_runner = {
    .info = {"bench-chains", "time a sampler's steps beside gemm and beside a plain loop", "", bench_chains_table,
             sizeof(bench_chains_options)},
    .required_kinds = 1u << EBM_KIND_MODEL | 1u << EBM_KIND_SAMPLER,
    .optional_kinds = 1u << EBM_KIND_DATASET,
    .metrics = bench_chains_metrics,
    .run = bench_chains_run,
};
