/* Sample quality: what a machine generates from a stated start, beside examples, after so many steps of a sampler, in named
 * features (ebm/sample_quality.h has the distances).
 *
 * Judged are the states v themselves and, where units are hidden, E[v | h] at h ~ p(h | v), which Liao, Kornblith, Ren, Fleet
 * & Hinton (2022) show in place of the last v: with it the noise sigma of v is gone from the picture, whatever the machine.
 * Every distance is to the training examples, as many as `examples`. Beside it stands what real examples get: the test half
 * (`_floor`), and one half of those training examples against the other (`_half`, which has fewer and so more bias).
 *
 * Names: distance, features, and `mean` for E[v | h]: frechet_pca_64, frechet_pca_64_mean, frechet_pca_64_floor, ...
 * Rows stand at the step t of generation; floors at the last one. Estimator `frechet` gives the Frechet distances after one
 * number of steps, as training_frechet_..., in rows that stand where the runner is: curves of training. Chains walk in blocks of
 * `block`, because a sampler may take its step from the number of chains it is given, as the published program does. */
#include "estimators/estimators.h"
#include "estimators/features.h"
#include "estimators/generated.h"

#include "ebm/diagnostics.h"
#include "ebm/sample_quality.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct quality_options {
    bool pixels, pca_64, means;
    char *net, *net_hash;
    ebm_reals steps;
    int64_t samples, examples, block, extrapolate, pairs, neighbours;
    int start;
} quality_options;

enum { START_NOISE, START_DATA };
static const char *const start_names[] = {"noise", "data", NULL};

#define AT(member) offsetof(quality_options, member)
enum { OWN_OPTIONS = 2 }; /* the first ones, which estimator frechet has no use for */
static const ebm_option quality_table[] = {
    {"pairs", EBM_OPTION_INT, AT(pairs), "1000", 0, 1e6, NULL, 0,
     "at the last step, distances by pairs (kernel, neighbours, energy, MMD) of so many of each; 0: none"},
    {"neighbours", EBM_OPTION_INT, AT(neighbours), "3", 1, 1000, NULL, 0, "k of precision and recall"},
    {"pixels", EBM_OPTION_BOOL, AT(pixels), "true", 0, 0, NULL, 0, "features pixels: the units as they are"},
    {"pca_64", EBM_OPTION_BOOL, AT(pca_64), "false", 0, 0, NULL, 0,
     "features pca-64: 64 principal components of the training examples"},
    {"net", EBM_OPTION_STRING, AT(net), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "features digits-net: folder of a net that the runner classifier has trained"},
    {"net_hash", EBM_OPTION_STRING, AT(net_hash), NULL, 0, 0, NULL, 0,
     "the hash that this net must have, 16 hexadecimal digits"},
    {"steps", EBM_OPTION_REALS, AT(steps), "[100]", 1, 1e9, NULL, 0,
     "sampler steps from the start at which states are judged, ascending whole numbers"},
    {"start", EBM_OPTION_CHOICE, AT(start), "noise", 0, 0, start_names, 0,
     "of the chains: noise (real units: standard normal), or training examples"},
    {"samples", EBM_OPTION_INT, AT(samples), "1000", 8, 1e7, NULL, 0, "chains"},
    {"block", EBM_OPTION_INT, AT(block), "100", 1, 1e7, NULL, 0, "chains that walk together"},
    {"examples", EBM_OPTION_INT, AT(examples), "0", 0, 1e7, NULL, 0,
     "training examples that they are set beside, the first so many; 0: as many as samples"},
    {"means", EBM_OPTION_BOOL, AT(means), "true", 0, 0, NULL, 0, "judge E[v | h], too, where units are hidden"},
    {"extrapolate", EBM_OPTION_INT, AT(extrapolate), "128", 0, 1e6, NULL, 0,
     "Frechet distances of at most so many features have errors and a limit of endless samples (30 times the work)"},
    EBM_OPTIONS_END,
};

/* ENTRY(name, unit, meaning) */
#define DISTANCES(ENTRY, F)                                                                                            \
    ENTRY(frechet, F, "squared Frechet distance of Gaussian fits to the training examples'; s.e. by the jackknife")    \
    ENTRY(frechet_limit, F, "the same, extrapolated to endless samples")                                               \
    ENTRY(kid, F, "squared kernel distance, cubic kernel, unbiased")                                                   \
    ENTRY(precision, F, "share of the samples within the reach of the training examples")                              \
    ENTRY(recall, F, "share of the training examples within the reach of the samples")                                 \
    ENTRY(energy_distance, F, "energy distance, unbiased")                                                             \
    ENTRY(mmd, F, "squared discrepancy, Gaussian kernel as wide as the examples' median distance, unbiased")
#define METRICS_OF(name, F, about)                                                                                     \
    {#name "_" #F, "", true, about}, {#name "_" #F "_mean", "", true, about " (E[v | h])"},                            \
        {#name "_" #F "_floor", "", true, about " (test examples)"},                                                   \
        {#name "_" #F "_half", "", true, about " (training half against half)"},

static const ebm_metric quality_metrics[] = {
    DISTANCES(METRICS_OF, pixels) DISTANCES(METRICS_OF, pca_64) DISTANCES(METRICS_OF, digits_net){
        "generation_temperature", "", false, "of the law that the sampler aims at, as it says"},
    {"generation_acceptance", "", true, "share of proposals accepted from the start to the last step"},
    {"net_hash_high", "", false, "first 8 of the 16 hexadecimal digits of the net's hash, as a number"},
    {"net_hash_low", "", false, "the last 8"},
    EBM_METRICS_END,
};

#define TRAINING_OF(F)                                                                                                 \
    {"training_frechet_" #F, "", true, "squared Frechet distance after the last step; s.e. by the jackknife"},         \
        {"training_frechet_" #F "_mean", "", true, "the same of E[v | h]"},                                            \
        {"training_frechet_limit_" #F, "", true, "training_frechet, extrapolated to endless samples"},                 \
        {"training_frechet_limit_" #F "_mean", "", true, "the same of E[v | h]"},
static const ebm_metric frechet_metrics[] = {TRAINING_OF(pixels) TRAINING_OF(pca_64) TRAINING_OF(digits_net)
                                                 EBM_METRICS_END};
static const char *const feature_names[] = {"pixels", "pca_64", "digits_net"};

/* Sets of examples or samples, (count, V). */
typedef struct set {
    const char *suffix; /* of its metrics */
    size_t count;
    const ebm_real *x;
} set;

typedef struct quality {
    const quality_options *o;
    const ebm_estimate_inputs *in;
    ebm_sink *sink;
    bool training; /* estimator frechet: one point of a curve of training */
    size_t V, samples;
    set train, test;
    ebm_features features[EBM_FEATURE_KINDS];
    size_t kinds;
    ebm_generated chains;
} quality;

static ebm_status no_memory(const quality *q, ebm_error *error) {
    return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu samples of %zu units", q->samples, q->V);
}

static const char *name_of(const quality *q) {
    return q->training ? "frechet" : "quality";
}

static ebm_status emit(const quality *q, const ebm_features *f, const char *distance, const char *suffix, double value,
                       double se, ebm_error *error) {
    char name[64];
    snprintf(name, sizeof name, "%s%s_%s%s", q->training ? "training_" : "", distance, feature_names[f->kind], suffix);
    return q->sink->emit(q->sink, name, value, se, error);
}

/* ---- Distances ---- */

typedef struct rows {
    size_t count;
    double *x;
} rows;

static ebm_status features_of(const quality *q, const ebm_features *f, const set *s, rows *out, ebm_error *error) {
    out->count = s->count;
    out->x = ebm_work_take(q->in->work, s->count * f->size, sizeof(double));
    if (!out->x)
        return no_memory(q, error);
    return ebm_features_of(f, s->x, s->count, out->x, q->in->work, error);
}

static ebm_status emit_frechet(const quality *q, const ebm_features *f, const rows *a, const rows *b,
                               const char *suffix, ebm_error *error) {
    ebm_frechet plain;
    ebm_frechet_limit limit;
    const size_t least = a->count < b->count ? a->count : b->count;
    if (f->size > (size_t)q->o->extrapolate || least < 8 * EBM_FRECHET_GROUPS) {
        EBM_TRY(ebm_frechet_distance(a->x, a->count, b->x, b->count, f->size, &plain, q->in->work, error));
        return emit(q, f, "frechet", suffix, plain.distance, NAN, error);
    }
    EBM_TRY(ebm_frechet_extrapolate(a->x, a->count, b->x, b->count, f->size, &limit, q->in->work, error));
    EBM_TRY(emit(q, f, "frechet", suffix, limit.distance, limit.se, error));
    return emit(q, f, "frechet_limit", suffix, limit.limit, limit.limit_se, error);
}

/* Of the first `pairs` of each. The bandwidth is that of the training examples, the same for all. */
static ebm_status emit_pairs(const quality *q, const ebm_features *f, const rows *a, const rows *b, double bandwidth,
                             const char *suffix, ebm_error *error) {
    const size_t most = (size_t)q->o->pairs, n = a->count < most ? a->count : most,
                 m = b->count < most ? b->count : most, k = (size_t)q->o->neighbours;
    ebm_kernel_distance kid;
    ebm_precision_recall pr;
    ebm_energy_distance energy;
    ebm_mmd mmd;
    if (n <= k || m <= k || n < 3 || m < 3)
        return EBM_OK;
    /* the polynomial kernel is cheap: all of both */
    EBM_TRY(ebm_kernel_distance_of(a->x, a->count, b->x, b->count, f->size, most, &kid, q->in->work, error));
    EBM_TRY(emit(q, f, "kid", suffix, kid.squared, kid.se, error));
    EBM_TRY(ebm_precision_and_recall(a->x, n, b->x, m, f->size, k, &pr, q->in->work, error));
    EBM_TRY(emit(q, f, "precision", suffix, pr.precision, pr.precision_se, error));
    EBM_TRY(emit(q, f, "recall", suffix, pr.recall, pr.recall_se, error));
    EBM_TRY(ebm_energy_distance_of(a->x, n, b->x, m, f->size, &energy, q->in->work, error));
    EBM_TRY(emit(q, f, "energy_distance", suffix, energy.distance, energy.se, error));
    EBM_TRY(ebm_mmd_squared(a->x, n, b->x, m, f->size, bandwidth, &mmd, q->in->work, error));
    return emit(q, f, "mmd", suffix, mmd.squared, mmd.se, error);
}

/* Half of the training examples against the other half; *bandwidth is their median distance. */
static ebm_status emit_half(const quality *q, const ebm_features *f, const rows *train, double *bandwidth,
                            ebm_error *error) {
    const size_t half = train->count / 2, most = (size_t)q->o->pairs;
    const rows a = {half, train->x}, b = {half, train->x + half * f->size};
    ebm_mmd mmd;
    if (most >= 2)
        EBM_TRY(ebm_mmd_squared(a.x, half < most ? half : most, b.x, half < most ? half : most, f->size, 0, &mmd,
                                q->in->work, error));
    *bandwidth = most >= 2 ? mmd.bandwidth : 0;
    EBM_TRY(emit_frechet(q, f, &a, &b, "_half", error));
    return most > 0 ? emit_pairs(q, f, &a, &b, *bandwidth, "_half", error) : EBM_OK;
}

/* What one kind of features says of the samples, and at the last step of the floors. */
static ebm_status judge(const quality *q, const ebm_features *f, bool last, ebm_error *error) {
    const size_t mark = ebm_work_mark(q->in->work);
    const set judged[] = {
        {"", q->samples, q->chains.v}, {"_mean", q->chains.mean ? q->samples : 0, q->chains.mean}, q->test};
    rows train, sample;
    double bandwidth = 0;
    ebm_status status = features_of(q, f, &q->train, &train, error);
    if (status == EBM_OK && last)
        status = emit_half(q, f, &train, &bandwidth, error);
    for (size_t k = 0; k < (last ? 3u : 2u) && status == EBM_OK; k++) {
        const size_t inner = ebm_work_mark(q->in->work);
        if (judged[k].count == 0)
            continue;
        status = features_of(q, f, &judged[k], &sample, error);
        if (status == EBM_OK)
            status = emit_frechet(q, f, &train, &sample, judged[k].suffix, error);
        if (status == EBM_OK && last && q->o->pairs > 0)
            status = emit_pairs(q, f, &train, &sample, bandwidth, judged[k].suffix, error);
        ebm_work_release(q->in->work, inner);
    }
    ebm_work_release(q->in->work, mark);
    return status;
}

/* ---- Examples and features ---- */

static ebm_status look_at_data(quality *q, ebm_error *error) {
    const ebm_dataset *data = q->in->data;
    const size_t wanted = q->o->examples > 0 ? (size_t)q->o->examples : q->samples;
    const size_t n = wanted < data->train.count ? wanted : data->train.count;
    const size_t m = q->samples < data->test.count ? q->samples : data->test.count;
    ebm_real *train = ebm_work_take(q->in->work, n * q->V, sizeof *train);
    if (!train)
        return no_memory(q, error);
    ebm_examples_fixed(data, &data->train, 0, n, train);
    q->train = (set){"", n, train};
    if (q->training)
        return EBM_OK;
    ebm_real *test = ebm_work_take(q->in->work, m * q->V, sizeof *test);
    if (!test)
        return no_memory(q, error);
    ebm_examples_fixed(data, &data->test, 0, m, test);
    q->test = (set){"_floor", m, test};
    return EBM_OK;
}

/* A fit without full rank would be compared with another: a plausible number, and no distance. */
static ebm_status enough(const quality *q, const ebm_features *f, ebm_error *error) {
    const size_t half = q->training ? q->train.count : q->train.count / 2;
    const size_t counts[] = {q->samples, half, q->test.count > 0 ? q->test.count : half};
    const char *const what[] = {"samples", q->training ? "training examples" : "examples in half of the training set",
                                "test examples"};
    for (size_t k = 0; k < 3; k++)
        if (counts[k] <= f->size)
            return ebm_fail(
                error, EBM_INVALID,
                "%zu %s are not more than the %zu features (%s): no Frechet distance of full rank; take more, "
                "or other features",
                counts[k], what[k], f->size, feature_names[f->kind]);
    return EBM_OK;
}

static ebm_status open_features(quality *q, ebm_error *error) {
    const quality_options *o = q->o;
    if (o->pixels)
        ebm_features_pixels(q->in->data, &q->features[q->kinds++]);
    if (o->pca_64)
        EBM_TRY(ebm_features_pca(q->train.x, q->train.count, q->V, &q->features[q->kinds++], q->in->work, error));
    if (o->net) {
        ebm_features *f = &q->features[q->kinds++];
        EBM_TRY(ebm_features_net(o->net, o->net_hash, q->in->data, f, error));
        if (!q->training) {
            const uint64_t hash = ebm_net_hash(f->net);
            EBM_TRY(q->sink->emit(q->sink, "net_hash_high", (double)(hash >> 32), NAN, error));
            EBM_TRY(q->sink->emit(q->sink, "net_hash_low", (double)(hash & 0xffffffffu), NAN, error));
        }
    }
    if (q->kinds == 0)
        return ebm_fail(error, EBM_INVALID, "estimator %s needs features: pixels, pca_64 or net", name_of(q));
    for (size_t k = 0; k < q->kinds; k++)
        EBM_TRY(enough(q, &q->features[k], error));
    return EBM_OK;
}

/* ---- What the sampler says of itself ---- */

typedef struct listener {
    ebm_sink sink; /* first */
    double temperature;
} listener;

static ebm_status listen(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    listener *l = (listener *)(void *)sink;
    (void)se, (void)error;
    if (strcmp(metric, "temperature") == 0)
        l->temperature = value;
    return EBM_OK;
}

static void ignore_step(ebm_sink *sink, uint64_t step) {
    (void)sink, (void)step;
}

static ebm_status emit_report(const quality *q, ebm_error *error) {
    const ebm_sampler *sampler = q->in->sampler;
    listener l = {{listen, ignore_step}, 1};
    ebm_chains all =
        q->chains.chains[0]; /* counts of all blocks: a sampler refuses a run in which nothing was accepted */
    for (size_t b = 1; b < q->chains.blocks; b++) {
        all.accepted += q->chains.chains[b].accepted;
        all.proposed += q->chains.chains[b].proposed;
    }
    if (sampler->type->report)
        EBM_TRY(sampler->type->report(sampler, &all, &l.sink, error));
    EBM_TRY(q->sink->emit(q->sink, "generation_temperature", l.temperature, NAN, error));
    if (all.proposed == 0)
        return EBM_OK;
    const double share = all.accepted / all.proposed;
    return q->sink->emit(q->sink, "generation_acceptance", share, sqrt(share * (1 - share) / (double)q->samples),
                         error);
}

/* ---- The estimator ---- */

static ebm_status generate(quality *q, ebm_error *error) {
    const ebm_reals *steps = &q->o->steps;
    size_t done = 0;
    const ebm_real *starts = q->o->start == START_DATA ? q->train.x : NULL;
    EBM_TRY(ebm_generated_start(q->in, q->samples, (size_t)q->o->block, q->o->means, starts, q->train.count, &q->chains,
                                error));
    for (size_t k = 0; k < steps->count; k++) {
        const size_t t = (size_t)steps->values[k];
        if (!q->training)
            q->sink->at(q->sink, t);
        EBM_TRY(ebm_generated_walk(&q->chains, t - done, error));
        done = t;
        for (size_t f = 0; f < q->kinds; f++)
            EBM_TRY(judge(q, &q->features[f], !q->training && k + 1 == steps->count, error));
    }
    return q->training ? EBM_OK : emit_report(q, error);
}

static ebm_status check_options(const quality *q, ebm_error *error) {
    const ebm_reals *steps = &q->o->steps;
    if (steps->count == 0)
        return ebm_fail(error, EBM_INVALID, "estimator %s needs at least one number in `steps`", name_of(q));
    for (size_t k = 0; k < steps->count; k++)
        if (steps->values[k] != floor(steps->values[k]) || (k && steps->values[k] <= steps->values[k - 1]))
            return ebm_fail(error, EBM_INVALID, "`steps` of %s must be ascending whole numbers, not %g", name_of(q),
                            steps->values[k]);
    if (q->training && steps->count > 1)
        return ebm_fail(error, EBM_INVALID, "estimator frechet looks once: one number in `steps`");
    if (!ebm_space_equal(&q->in->model->space, &q->in->data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    return EBM_OK;
}

/* Before anything is computed: what an estimate at the end of a long run would be refused for. */
static ebm_status check(const quality_options *o, const ebm_estimate_inputs *in, bool training, ebm_error *error) {
    quality q = {.o = o, .in = in, .training = training};
    ebm_features net;
    EBM_TRY(check_options(&q, error));
    if (!o->net)
        return EBM_OK;
    const ebm_status status = ebm_features_net(o->net, o->net_hash, in->data, &net, error);
    ebm_features_free(&net);
    return status;
}

static ebm_status quality_check(const void *options, const ebm_estimate_inputs *in, ebm_error *error) {
    return check(options, in, false, error);
}

static ebm_status frechet_check(const void *options, const ebm_estimate_inputs *in, ebm_error *error) {
    return check(options, in, true, error);
}

static ebm_status estimate(const quality_options *o, const ebm_estimate_inputs *in, bool training, ebm_sink *sink,
                           ebm_error *error) {
    const size_t mark = ebm_work_mark(in->work), samples = (size_t)o->samples, V = in->model->space.size;
    quality q = {.o = o, .in = in, .sink = sink, .training = training, .V = V, .samples = samples};
    EBM_TRY(check_options(&q, error));
    ebm_status status = look_at_data(&q, error);
    if (status == EBM_OK)
        status = open_features(&q, error);
    if (status == EBM_OK)
        status = generate(&q, error);
    ebm_generated_free(&q.chains);
    for (size_t k = 0; k < EBM_FEATURE_KINDS; k++)
        ebm_features_free(&q.features[k]);
    ebm_work_release(in->work, mark);
    return status;
}

static ebm_status quality_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                   ebm_error *error) {
    return estimate(options, in, false, sink, error);
}

static ebm_status frechet_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                   ebm_error *error) {
    return estimate(options, in, true, sink, error);
}

const ebm_estimator_type ebm_frechet_curve = {
    .info = {"frechet", "Frechet distance of samples after so many steps, to be measured in the course of training",
             "Heusel et al. 2017", quality_table + OWN_OPTIONS, sizeof(quality_options)},
    .needs_data = true,
    .needs_sampler = true,
    .metrics = frechet_metrics,
    .check = frechet_check,
    .estimate = frechet_estimate,
};

const ebm_estimator_type ebm_quality = {
    .info = {"quality", "samples after so many steps from a stated start, set beside examples in named features",
             "Heusel et al. 2017; Binkowski et al. 2018; Kynkaanniemi et al. 2019", quality_table,
             sizeof(quality_options)},
    .needs_data = true,
    .needs_sampler = true,
    .metrics = quality_metrics,
    .check = quality_check,
    .estimate = quality_estimate,
};
