/* What an associative memory finds from nowhere: walks from uniformly random states until they stand still, and where they
 * end: at a pattern, at the mirror image of one, or at a minimum that nobody stored (mixtures of patterns and others;
 * Amit, Gutfreund & Sompolinsky 1985). */
#include "estimators/estimators.h"

#include "ebm/likelihood.h"
#include "ebm/matrix.h"
#include "samplers/settle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct valleys_options {
    int64_t starts, limit;
} valleys_options;

static const ebm_option valleys_table[] = {
    {"starts", EBM_OPTION_INT, EBM_OFFSET(valleys_options, starts), "1000", 1, 1e7, NULL, 0,
     "random states to start at"},
    {"limit", EBM_OPTION_INT, EBM_OFFSET(valleys_options, limit), "1000", 1, 1e9, NULL, 0,
     "most steps of the sampler from a start"},
    EBM_OPTIONS_END,
};

static const ebm_metric valleys_metrics[] = {
    {"valleys_stored", "", true, "share of random starts that end at a pattern"},
    {"valleys_mirrored", "", true, "share of random starts that end at a mirrored pattern"},
    {"valleys_spurious", "", true, "share of random starts that end elsewhere"},
    {"minima_spurious", "", true, "different ends found that are neither, a state and its mirror image counted once"},
    EBM_METRICS_END,
};

typedef struct search {
    size_t V, starts, stored, mirrored, spurious;
    uint64_t *hash; /* (starts): of the spurious ends */
} search;

/* FNV-1a, 64 bits, of which units are as the first one: the same for a state and its mirror image. A thousand states
 * have two of one hash with probability below 1e-13. */
static uint64_t hash_of(size_t V, const ebm_real *x) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < V; i++)
        hash = (hash ^ (x[i] == x[0])) * 0x100000001b3u;
    return hash;
}

/* +-1 states: their product with a pattern is +-V, exactly, at it and at its mirror image alone. */
static void sort_ends(search *s, size_t count, size_t K, const ebm_real *ends, const ebm_real *overlap) {
    const ebm_real V = (ebm_real)s->V;
    for (size_t b = 0; b < count; b++) {
        bool stored = false, mirrored = false;
        for (size_t p = 0; p < K; p++) {
            stored = stored || overlap[b * K + p] == V;
            mirrored = mirrored || overlap[b * K + p] == -V;
        }
        s->stored += stored;
        s->mirrored += mirrored && !stored;
        if (!stored && !mirrored)
            s->hash[s->spurious++] = hash_of(s->V, ends + b * s->V);
    }
}

static ebm_status find_ends(const valleys_options *o, const ebm_estimate_inputs *in, search *s, ebm_error *error) {
    const size_t V = s->V, K = in->data->train.count, rows = ebm_block_rows(in->model, s->starts);
    const ebm_stream stream = ebm_stream_of(in->seed, EBM_PURPOSE_RECALL);
    const size_t mark = ebm_work_mark(in->work);
    size_t *used = ebm_work_take(in->work, rows, sizeof *used), steps;
    ebm_real *y = ebm_work_take(in->work, K * V, sizeof *y), *overlap = ebm_work_take(in->work, rows * K, sizeof *y);
    ebm_chains chains = {0};
    ebm_status status = used && y && overlap ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu walks", rows);
    if (status == EBM_OK) {
        ebm_examples_fixed(in->data, &in->data->train, 0, K, y);
        status = ebm_chains_create(in->model, rows, ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE), &chains, error);
    }
    for (size_t first = 0; first < s->starts && status == EBM_OK; first += rows) {
        ebm_batch *batch = &chains.batch;
        batch->count = s->starts - first < rows ? s->starts - first : rows;
        for (size_t b = 0; b < batch->count; b++)
            ebm_random_uniform(stream, (uint32_t)(first + b), ebm_estimate_step(in) + 1, V, batch->x + b * V);
        for (size_t k = 0; k < batch->count * V; k++)
            batch->x[k] = batch->x[k] < (ebm_real)0.5 ? -1 : 1;
        batch->field_ok = batch->hidden_ok = false;
        chains.first_chain = (uint32_t)first;
        chains.step = ebm_estimate_step(in);
        status = ebm_sampler_attach(in->sampler, in->model, &chains, error);
        if (status == EBM_OK)
            status =
                ebm_settle(in->sampler, in->model, in->path, &chains, (size_t)o->limit, used, &steps, in->work, error);
        if (status != EBM_OK)
            break;
        ebm_gemm(false, true, batch->count, K, V, 1.0, batch->x, V, y, V, 0.0, overlap, K, in->work);
        sort_ends(s, batch->count, K, batch->x, overlap);
    }
    ebm_chains_free(&chains);
    ebm_work_release(in->work, mark);
    return status;
}

static int by_value(const void *a, const void *b) {
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static size_t count_different(uint64_t *hash, size_t count) {
    size_t different = 0;
    qsort(hash, count, sizeof *hash, by_value);
    for (size_t k = 0; k < count; k++)
        different += k == 0 || hash[k] != hash[k - 1];
    return different;
}

static ebm_status emit_share(const char *name, size_t of, size_t count, ebm_sink *sink, ebm_error *error) {
    const double n = (double)count, share = (double)of / n;
    return sink->emit(sink, name, share, count > 1 ? sqrt(share * (1 - share) / (n - 1)) : NAN, error);
}

static ebm_status valleys_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                   ebm_error *error) {
    const valleys_options *o = options;
    if (in->model->space.domain != EBM_SPIN || !ebm_space_equal(&in->model->space, &in->data->space))
        return ebm_fail(error, EBM_UNSUPPORTED, "valleys are sought among spins; the model has %s units, the data %s",
                        ebm_domain_name(in->model->space.domain), ebm_domain_name(in->data->space.domain));
    const size_t mark = ebm_work_mark(in->work), n = (size_t)o->starts;
    search s = {in->model->space.size, n, 0, 0, 0, ebm_work_take(in->work, n, sizeof(uint64_t))};
    ebm_status status =
        s.hash ? find_ends(o, in, &s, error) : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu valleys", n);
    const size_t different = status == EBM_OK ? count_different(s.hash, s.spurious) : 0;
    ebm_work_release(in->work, mark);
    EBM_TRY(status);
    EBM_TRY(emit_share("valleys_stored", s.stored, n, sink, error));
    EBM_TRY(emit_share("valleys_mirrored", s.mirrored, n, sink, error));
    EBM_TRY(emit_share("valleys_spurious", s.spurious, n, sink, error));
    return sink->emit(sink, "minima_spurious", (double)different, NAN, error);
}

const ebm_estimator_type ebm_valleys = {
    .info = {"valleys", "where walks from random states end: at patterns, their mirror images, or elsewhere",
             "Amit, Gutfreund & Sompolinsky 1985", valleys_table, sizeof(valleys_options)},
    .needs_data = true,
    .needs_sampler = true,
    .metrics = valleys_metrics,
    .estimate = valleys_estimate,
};
