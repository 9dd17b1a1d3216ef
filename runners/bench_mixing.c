/* The runner `bench-mixing`: effective draws a second.
 *
 * Chains start from the uniform law (real units: N(0, 1)), warm up and are recorded; the clock runs while the sampler
 * steps, and not while observables are worked out. The effective sample size is that of the observable which comes off
 * worst, as in `mix` with `worst`; the seconds are those of the fastest of the repeats, each a run of its own draws. Since
 * seconds differ from machine to machine, effective draws are also given for each second's worth of gemm, a GFLOP at
 * the best rate of one thread measured between the repeats. These rows are times: they compare with nothing. Row step:
 * threads. */
#include "measure.h"
#include "runners.h"
#include "timing.h"
#include "traces.h"

#include "ebm/diagnostics.h"

#include <math.h>
#include <stdlib.h>

typedef struct bench_mixing_options {
    int64_t chains, warmup, draws, repeats, peak_size;
} bench_mixing_options;

#define AT(member) offsetof(bench_mixing_options, member)
static const ebm_option bench_mixing_table[] = {
    {"chains", EBM_OPTION_INT, AT(chains), "32", 1, 1e6, NULL, 0, "chains advanced together"},
    {"warmup", EBM_OPTION_INT, AT(warmup), "1000", 0, 1e9, NULL, 0, "steps before the first draw, not timed"},
    {"draws", EBM_OPTION_INT, AT(draws), "1000", 4, 1e9, NULL, 0, "draws of each chain in a repeat, a step each"},
    {"repeats", EBM_OPTION_INT, AT(repeats), "3", 1, 1000, NULL, 0, "times that the draws are timed; the best counts"},
    {"peak_size", EBM_OPTION_INT, AT(peak_size), "1024", 64, 8192, NULL, 0,
     "side of the square product behind the peak"},
    EBM_OPTIONS_END,
};

typedef struct bench_mixing {
    const bench_mixing_options *options;
    ebm_subject subject;
    ebm_chains chains;
    ebm_recording recording;
    ebm_work *single;
    double peak, seconds, evaluations, ess; /* evaluations of one repeat; ess: mean of the repeats */
} bench_mixing;

static ebm_status prepare(bench_mixing *b, const ebm_case *c, int threads, ebm_error *error) {
    const bench_mixing_options *o = b->options;
    ebm_base uniform = {0};
    EBM_TRY(ebm_subject_create(c, threads, &b->subject, error));
    EBM_TRY(ebm_work_create(1, &b->single, error));
    EBM_TRY(ebm_chains_create(&b->subject.model, (size_t)o->chains, ebm_stream_of(c->seed, EBM_PURPOSE_SAMPLE),
                              &b->chains, error));
    EBM_TRY(ebm_recording_create(&b->subject.model.space, (size_t)o->chains, (size_t)o->draws, &b->recording, error));
    EBM_TRY(ebm_base_fit(&b->subject.model.space, NULL, 0, &uniform, error));
    ebm_base_sample(&uniform, b->chains.batch.count, ebm_stream_of(c->seed, EBM_PURPOSE_CHAIN_START), 0, 0,
                    b->chains.batch.x, b->single);
    ebm_base_free(&uniform);
    return ebm_sampler_attach(&b->subject.sampler, &b->subject.model, &b->chains, error);
}

static ebm_status step(bench_mixing *b, size_t steps, ebm_error *error) {
    ebm_subject *s = &b->subject;
    return s->sampler.type->step(&s->sampler, &s->model, ebm_path_end(), &b->chains, steps, s->work, error);
}

static ebm_status warm_up(bench_mixing *b, ebm_error *error) {
    const uint64_t warmup = (uint64_t)b->options->warmup;
    b->chains.adapting = true;
    b->chains.warmup_left = warmup;
    if (warmup > 0)
        EBM_TRY(step(b, (size_t)warmup, error));
    b->chains.adapting = false;
    b->chains.warmup_left = 0;
    return EBM_OK;
}

/* The least bulk ESS of all observables; 0 where one has none. */
static ebm_status least_ess(bench_mixing *b, double *out, ebm_error *error) {
    const ebm_recording *r = &b->recording;
    const ebm_traces traces = {r->values, r->observables, r->chains, r->draws};
    ebm_trace_summary summary[EBM_OBSERVABLE_COUNT];
    EBM_TRY(ebm_traces_summarise(&traces, summary, b->subject.work, error));
    *out = INFINITY;
    for (size_t o = 0; o < r->observables; o++)
        *out = isnan(summary[o].ess_bulk) ? 0 : fmin(*out, summary[o].ess_bulk);
    return EBM_OK;
}

static ebm_status run_repeat(bench_mixing *b, ebm_error *error) {
    double seconds = 0, ess;
    ebm_chains_reset_counters(&b->subject.sampler, &b->chains);
    for (size_t draw = 0; draw < b->recording.draws; draw++) {
        const double start = ebm_seconds_now();
        EBM_TRY(step(b, 1, error));
        seconds += ebm_seconds_now() - start;
        EBM_TRY(ebm_recording_add(&b->recording, &b->subject.model, &b->chains.batch, draw, b->subject.work, error));
    }
    EBM_TRY(least_ess(b, &ess, error));
    b->ess += ess / (double)b->options->repeats;
    if (seconds < b->seconds) {
        b->seconds = seconds;
        b->evaluations = ebm_walk_cost_of(&b->chains, &b->subject.model.space, false).evaluations;
    }
    return ebm_measure_peak((size_t)b->options->peak_size, b->single, &b->peak, error);
}

static ebm_status report(const bench_mixing *b, ebm_sink *sink, ebm_error *error) {
    const double draws = (double)b->recording.draws;
    EBM_TRY(sink->emit(sink, "peak_gflops", b->peak / 1e9, NAN, error));
    EBM_TRY(sink->emit(sink, "seconds_per_step", b->seconds / draws, NAN, error));
    EBM_TRY(sink->emit(sink, "evaluation_rate", b->evaluations / b->seconds, NAN, error));
    EBM_TRY(sink->emit(sink, "ess_per_second", b->ess / b->seconds, NAN, error));
    return sink->emit(sink, "ess_per_gflop", b->ess / (b->seconds * b->peak / 1e9), NAN, error);
}

static ebm_status bench_mixing_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    bench_mixing b = {.options = c->run, .seconds = INFINITY};
    output->step = (uint64_t)threads;
    ebm_status status = prepare(&b, c, threads, error);
    if (status == EBM_OK)
        status = warm_up(&b, error);
    for (int64_t repeat = 0; repeat < b.options->repeats && status == EBM_OK; repeat++) {
        status = run_repeat(&b, error);
        output->progress(output, (double)(repeat + 1) / (double)b.options->repeats);
    }
    if (status == EBM_OK)
        status = report(&b, &output->sink, error);
    ebm_recording_free(&b.recording);
    ebm_chains_free(&b.chains);
    ebm_work_free(b.single);
    ebm_subject_free(&b.subject);
    return status;
}

static const ebm_metric bench_mixing_metrics[] = {
    {"peak_gflops", "GFLOP/s", true, "best gemm rate of one thread in this process"},
    {"seconds_per_step", "s", true, "one step of all chains"},
    {"evaluation_rate", "evaluations/s", true, "energies + gradients + site updates / V"},
    {"ess_per_second", "draws/s", true, "effective draws of the worst observable"},
    {"ess_per_gflop", "draws/GFLOP", true, "the same for as long as gemm takes for a GFLOP"},
    EBM_METRICS_END,
};

const ebm_runner_type ebm_bench_mixing_runner = {
    .info = {"bench-mixing", "effective draws a second of samplers on models", "Vehtari et al. 2021",
             bench_mixing_table, sizeof(bench_mixing_options)},
    .required_kinds = 1u << EBM_KIND_MODEL | 1u << EBM_KIND_SAMPLER,
    .optional_kinds = 1u << EBM_KIND_DATASET,
    .metrics = bench_mixing_metrics,
    .run = bench_mixing_run,
};
