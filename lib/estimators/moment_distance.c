/* How far a sampler's means and standard deviations lie from those of the law, along a walk: for samplers that are biased,
 * or slow to arrive.
 *
 * B chains walk side by side. A row stands at each of the steps T, T / 2, T / 4 ...; what it says is of the second half of
 * the walk till then, the first row's of all of it, so that rows share no draws. With M_i, S_i the law's mean and standard deviation of unit i,
 *
 *   mean_distance = sqrt((1 / V) sum_i ((m_i - M_i) / S_i)^2),   sd_distance = sqrt((1 / V) sum_i (s_i / S_i - 1)^2),
 *   sd_ratio = (1 / V) sum_i s_i / S_i.
 *
 * M and S are the model's own where it knows them (one or two units), else those of a long walk of another sampler,
 * which is assumed to be exact and to arrive in its warm-up. Errors are jackknifed over chains, which are
 * independent (Efron & Stein 1981). Noise alone gives the distances mean_noise and sd_noise, the reference's included. */
#include "estimators/estimators.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct distance_options {
    int64_t chains, steps, first, warmup, reference_chains, reference_warmup, reference_steps;
    double dispersion;
    bool verify;
    char *reference;
} distance_options;

#define AT(member) offsetof(distance_options, member)
static const ebm_option distance_table[] = {
    {"chains", EBM_OPTION_INT, AT(chains), "64", 3, 1e6, NULL, 0, "chains that walk side by side"},
    {"steps", EBM_OPTION_INT, AT(steps), "65536", 2, 1e12, NULL, 0, "T, steps of the sampler"},
    {"first", EBM_OPTION_INT, AT(first), "1024", 2, 1e12, NULL, 0, "no rows before this step"},
    {"warmup", EBM_OPTION_INT, AT(warmup), "0", 0, 1e12, NULL, 0,
     "steps before those, in which a sampler may adapt itself"},
    {"dispersion", EBM_OPTION_REAL, AT(dispersion), "1", 0, 1e6, NULL, 0,
     "standard deviation of the starts, N(0, dispersion^2) in every unit; of the reference's, too"},
    {"reference", EBM_OPTION_STRING, AT(reference), "hmc", 0, 0, NULL, 0,
     "sampler, with its default options, whose long walk stands for the law where the model does not know its moments"},
    {"verify", EBM_OPTION_BOOL, AT(verify), "false", 0, 0, NULL, 0,
     "walk the reference also where the model knows its moments, and report how far from them it is"},
    {"reference_chains", EBM_OPTION_INT, AT(reference_chains), "64", 3, 1e6, NULL, 0, "chains of the reference"},
    {"reference_warmup", EBM_OPTION_INT, AT(reference_warmup), "500", 1, 1e9, NULL, 0, "its warm-up, in steps"},
    {"reference_steps", EBM_OPTION_INT, AT(reference_steps), "4000", 1, 1e9, NULL, 0, "steps that are averaged"},
    EBM_OPTIONS_END,
};

static const ebm_metric distance_metrics[] = {
    {"mean_distance", "sd", true, "root mean square over units of (mean - the law's) over the law's deviation"},
    {"sd_distance", "", true, "root mean square over units of standard deviation over the law's - 1"},
    {"sd_ratio", "", true, "mean over units of standard deviation over the law's"},
    {"mean_noise", "sd", true, "mean_distance that sampling error alone gives"},
    {"sd_noise", "", true, "sd_distance that sampling error alone gives"},
    {"reference_z", "s.e.", true, "of means and deviations of a verified reference the one furthest from the law's"},
    {"walk_step_size", "", false, "the sampler's last step, where it reports a step_size"},
    EBM_METRICS_END,
};

/* Sums of d and d^2, d = (x - pivot) / scale, of each chain and unit: (B, V, 2). */
typedef struct sums {
    size_t chains, units;
    const double *pivot, *scale;
    double *sum, *total; /* total (V, 2): over the chains, by add_up */
    double seen;
} sums;

/* Of one unit over all chains, in units of the scale: mean and deviation with their standard errors. */
typedef struct moments {
    double mean, sd, mean_se, sd_se;
} moments;

static void forget(sums *s) {
    memset(s->sum, 0, 2 * s->chains * s->units * sizeof *s->sum);
    s->seen = 0;
}

static void observe(sums *s, const ebm_real *x) {
    for (size_t b = 0; b < s->chains; b++)
        for (size_t i = 0; i < s->units; i++) {
            const double d = ((double)x[b * s->units + i] - s->pivot[i]) / s->scale[i];
            s->sum[2 * (b * s->units + i)] += d;
            s->sum[2 * (b * s->units + i) + 1] += d * d;
        }
    s->seen += 1;
}

static void add_up(sums *s) {
    memset(s->total, 0, 2 * s->units * sizeof *s->total);
    for (size_t b = 0; b < s->chains; b++)
        for (size_t k = 0; k < 2 * s->units; k++)
            s->total[k] += s->sum[2 * b * s->units + k];
}

/* Mean and deviation of unit i over all chains but `left_out` (`chains`: none). */
static void leave_out(const sums *s, size_t i, size_t left_out, double *mean, double *sd) {
    const bool all = left_out == s->chains;
    const double *own = all ? NULL : s->sum + 2 * (left_out * s->units + i);
    const double n = s->seen * (double)(s->chains - (all ? 0 : 1));
    *mean = (s->total[2 * i] - (own ? own[0] : 0)) / n;
    *sd = sqrt(fmax((s->total[2 * i + 1] - (own ? own[1] : 0)) / n - *mean * *mean, 0));
}

static moments moments_of(const sums *s, size_t i) {
    moments out;
    double mean, sd, B = (double)s->chains, mean_sum = 0, sd_sum = 0, mean_squares = 0, sd_squares = 0;
    leave_out(s, i, s->chains, &out.mean, &out.sd);
    for (size_t b = 0; b < s->chains; b++) {
        leave_out(s, i, b, &mean, &sd);
        mean_sum += mean - out.mean, mean_squares += (mean - out.mean) * (mean - out.mean);
        sd_sum += sd - out.sd, sd_squares += (sd - out.sd) * (sd - out.sd);
    }
    out.mean_se = sqrt(fmax((B - 1) / B * (mean_squares - mean_sum * mean_sum / B), 0));
    out.sd_se = sqrt(fmax((B - 1) / B * (sd_squares - sd_sum * sd_sum / B), 0));
    return out;
}

/* What the chains are compared with: M, S, and the standard errors of both over S. */
typedef struct reference {
    double *mean, *sd, *mean_se, *sd_se;
} reference;

enum { STATISTICS = 3 }; /* mean_distance, sd_distance, sd_ratio */

static void distances(const sums *s, size_t left_out, double out[STATISTICS]) {
    double off = 0, wide = 0, ratio = 0;
    for (size_t i = 0; i < s->units; i++) {
        double mean, sd;
        leave_out(s, i, left_out, &mean, &sd);
        off += mean * mean;
        wide += (sd - 1) * (sd - 1);
        ratio += sd;
    }
    out[0] = sqrt(off / (double)s->units);
    out[1] = sqrt(wide / (double)s->units);
    out[2] = ratio / (double)s->units;
}

static ebm_status emit_distances(sums *s, const reference *law, ebm_sink *sink, ebm_error *error) {
    double all[STATISTICS], one[STATISTICS], sum[STATISTICS] = {0}, squares[STATISTICS] = {0};
    double mean_noise = 0, sd_noise = 0;
    const double B = (double)s->chains;
    add_up(s);
    distances(s, s->chains, all);
    for (size_t b = 0; b < s->chains; b++) {
        distances(s, b, one);
        for (size_t k = 0; k < STATISTICS; k++) {
            sum[k] += one[k] - all[k];
            squares[k] += (one[k] - all[k]) * (one[k] - all[k]);
        }
    }
    for (size_t k = 0; k < STATISTICS; k++)
        EBM_TRY(sink->emit(sink, distance_metrics[k].name, all[k],
                           sqrt(fmax((B - 1) / B * (squares[k] - sum[k] * sum[k] / B), 0)), error));
    for (size_t i = 0; i < s->units; i++) {
        const moments m = moments_of(s, i);
        mean_noise += m.mean_se * m.mean_se + law->mean_se[i] * law->mean_se[i];
        sd_noise += m.sd_se * m.sd_se + m.sd * m.sd * law->sd_se[i] * law->sd_se[i];
    }
    EBM_TRY(sink->emit(sink, "mean_noise", sqrt(mean_noise / (double)s->units), NAN, error));
    return sink->emit(sink, "sd_noise", sqrt(sd_noise / (double)s->units), NAN, error);
}

/* The sampler's own step_size, out of what it reports. */
typedef struct listener {
    ebm_sink sink;
    double step_size;
} listener;

static ebm_status listen(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)se, (void)error;
    if (strcmp(metric, "step_size") == 0)
        ((listener *)sink)->step_size = value;
    return EBM_OK;
}

static void listen_at(ebm_sink *sink, uint64_t step) {
    (void)sink, (void)step;
}

static ebm_status emit_step_size(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink,
                                 ebm_error *error) {
    listener own = {{listen, listen_at}, NAN};
    if (!sampler->type->report)
        return EBM_OK;
    EBM_TRY(sampler->type->report(sampler, chains, &own.sink, error));
    return isfinite(own.step_size) ? sink->emit(sink, "walk_step_size", own.step_size, NAN, error) : EBM_OK;
}

/* Chains at N(0, dispersion^2) that have been warmed up. Their numbers are those of chains first_chain and on. */
static ebm_status open_chains(const ebm_estimate_inputs *in, ebm_sampler *sampler, double dispersion, size_t count,
                              uint32_t first_chain, int64_t warmup, ebm_chains *chains, ebm_error *error) {
    const size_t V = in->model->space.size;
    EBM_TRY(ebm_chains_create(in->model, count, ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE), chains, error));
    chains->first_chain = first_chain;
    chains->step = ebm_estimate_step(in);
    for (size_t b = 0; b < count; b++) {
        ebm_real *x = chains->batch.x + b * V;
        ebm_random_normal_plain(chains->stream, first_chain + (uint32_t)b, chains->step, V, x);
        for (size_t i = 0; i < V; i++)
            x[i] *= (ebm_real)dispersion;
    }
    chains->step++;
    EBM_TRY(ebm_sampler_attach(sampler, in->model, chains, error));
    chains->adapting = true;
    chains->warmup_left = (uint64_t)warmup;
    if (warmup > 0)
        EBM_TRY(sampler->type->step(sampler, in->model, in->path, chains, (size_t)warmup, in->work, error));
    chains->adapting = false;
    chains->warmup_left = 0;
    ebm_chains_reset_counters(sampler, chains);
    return EBM_OK;
}

/* By the model's own formulas; *known = false where it has none. */
static ebm_status exact_reference(const ebm_estimate_inputs *in, reference *law, bool *known, ebm_error *error) {
    static const char *const names[][2] = {{"first", "first_square"}, {"second", "second_square"}};
    const size_t V = in->model->space.size;
    *known = V <= 2 && in->model->type->exact_mean;
    for (size_t i = 0; *known && i < V; i++) {
        double value[2] = {0};
        for (size_t k = 0; *known && k < 2; k++) {
            const ebm_status status =
                in->model->type->exact_mean(in->model, in->path, names[i][k], &value[k], in->work, error);
            *known = status == EBM_OK;
            if (status != EBM_UNSUPPORTED)
                EBM_TRY(status);
        }
        law->mean[i] = value[0];
        law->sd[i] = sqrt(value[1] - value[0] * value[0]);
    }
    return EBM_OK;
}

static ebm_status walk_reference(const distance_options *o, const ebm_estimate_inputs *in, ebm_sampler *sampler,
                                 sums *s, reference *law, ebm_error *error) {
    const size_t V = in->model->space.size;
    ebm_chains chains = {0};
    ebm_status status =
        open_chains(in, sampler, o->dispersion, s->chains, (uint32_t)o->chains, o->reference_warmup, &chains, error);
    for (size_t i = 0; i < V; i++) {
        law->mean[i] = status == EBM_OK ? (double)chains.batch.x[i] : 0; /* a point to count from */
        law->sd[i] = 1;
    }
    forget(s);
    for (int64_t t = 0; status == EBM_OK && t < o->reference_steps; t++) {
        status = sampler->type->step(sampler, in->model, in->path, &chains, 1, in->work, error);
        observe(s, chains.batch.x);
    }
    add_up(s);
    for (size_t i = 0; status == EBM_OK && i < V; i++) {
        const moments m = moments_of(s, i);
        if (!(m.sd > 0))
            status = ebm_fail(error, EBM_DIVERGED, "moment-distance: the reference %s never moved unit %zu",
                              sampler->type->info.name, i);
        law->mean[i] += m.mean;
        law->sd[i] = m.sd;
        law->mean_se[i] = m.mean_se / m.sd;
        law->sd_se[i] = m.sd_se / m.sd;
    }
    ebm_chains_free(&chains);
    return status;
}

/* How far the other walk's moments are from the law's that are known: the largest of 2 V z-values, without sign. */
static ebm_status emit_verification(const reference *law, const reference *other, size_t V, ebm_sink *sink,
                                    ebm_error *error) {
    double worst = 0;
    for (size_t i = 0; i < V; i++) {
        const double unit = other->sd[i];
        worst = fmax(worst, fabs(other->mean[i] - law->mean[i]) / (unit * other->mean_se[i]));
        worst = fmax(worst, fabs(other->sd[i] - law->sd[i]) / (unit * other->sd_se[i]));
    }
    return sink->emit(sink, "reference_z", worst, 1, error);
}

static ebm_status reference_sampler(const distance_options *o, const ebm_estimate_inputs *in, sums *s, reference *law,
                                    ebm_error *error) {
    const ebm_sampler_type *type = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, o->reference);
    if (!type)
        return ebm_fail(error, EBM_INVALID, "moment-distance: there is no reference sampler '%.80s'", o->reference);
    if (!type->exact)
        return ebm_fail(error, EBM_INVALID, "moment-distance: %s is biased and can be no reference", o->reference);
    ebm_sampler sampler = {0};
    void *options = calloc(1, type->info.options_size ? type->info.options_size : 1);
    ebm_status status = options ? ebm_options_default(type->info.options, options, type->info.options_size, error)
                                : ebm_fail(error, EBM_NO_MEMORY, "no memory for a sampler's options");
    if (status == EBM_OK)
        status = ebm_sampler_create(type, options, in->model, &sampler, error);
    if (status == EBM_OK)
        status = walk_reference(o, in, &sampler, s, law, error);
    ebm_sampler_free(&sampler);
    if (options)
        ebm_options_clear(type->info.options, options);
    free(options);
    return status;
}

/* Whether a row stands at step t: steps halved again and again, as long as that leaves `first` or more. */
static bool row_at(const distance_options *o, int64_t t) {
    for (int64_t at = o->steps; at >= o->first && at > 1; at /= 2)
        if (at == t)
            return true;
    return false;
}

static ebm_status walk(const distance_options *o, const ebm_estimate_inputs *in, sums *s, const reference *law,
                       ebm_sink *sink, ebm_error *error) {
    ebm_chains chains = {0};
    ebm_status status = open_chains(in, in->sampler, o->dispersion, s->chains, 0, o->warmup, &chains, error);
    forget(s);
    for (int64_t t = 1; status == EBM_OK && t <= o->steps; t++) {
        status = in->sampler->type->step(in->sampler, in->model, in->path, &chains, 1, in->work, error);
        observe(s, chains.batch.x);
        if (status != EBM_OK || !row_at(o, t))
            continue;
        sink->at(sink, (uint64_t)t);
        status = emit_distances(s, law, sink, error);
        if (status == EBM_OK)
            status = emit_step_size(in->sampler, &chains, sink, error);
        forget(s);
    }
    ebm_chains_free(&chains);
    return status;
}

/* M and S into `law`, by formula or by a walk; a walk where there is a formula, too, is set beside it. */
static ebm_status find_law(const distance_options *o, const ebm_estimate_inputs *in, sums *s, reference *law,
                           reference *other, ebm_sink *sink, ebm_error *error) {
    bool known;
    EBM_TRY(exact_reference(in, law, &known, error));
    if (known && !o->verify)
        return EBM_OK;
    reference *walked = known ? other : law;
    s->chains = (size_t)o->reference_chains;
    s->pivot = walked->mean;
    s->scale = walked->sd;
    EBM_TRY(reference_sampler(o, in, s, walked, error));
    return known ? emit_verification(law, other, s->units, sink, error) : EBM_OK;
}

static ebm_status distance_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                    ebm_error *error) {
    const distance_options *o = options;
    const size_t V = in->model->space.size, mark = ebm_work_mark(in->work);
    const size_t most = (size_t)(o->chains > o->reference_chains ? o->chains : o->reference_chains);
    if (in->model->space.domain != EBM_REAL_LINE)
        return ebm_fail(error, EBM_UNSUPPORTED, "moment-distance is for real units, model %s has others",
                        in->model->type->info.name);
    double *room = ebm_work_take(in->work, 10 * V, sizeof *room);
    sums s = {.units = V, .sum = ebm_work_take(in->work, 2 * most * V, sizeof(double)), .total = room};
    if (!room || !s.sum)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the sums of %zu chains", most);
    memset(room, 0, 10 * V * sizeof *room);
    reference law = {room + 2 * V, room + 3 * V, room + 4 * V, room + 5 * V};
    reference other = {room + 6 * V, room + 7 * V, room + 8 * V, room + 9 * V};
    ebm_status status = find_law(o, in, &s, &law, &other, sink, error);
    s.chains = (size_t)o->chains;
    s.pivot = law.mean;
    s.scale = law.sd;
    if (status == EBM_OK)
        status = walk(o, in, &s, &law, sink, error);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_moment_distance = {
    .info = {"moment-distance", "how far a sampler's means and standard deviations are from the law's, along a walk",
             "jackknife: Efron & Stein 1981", distance_table, sizeof(distance_options)},
    .needs_sampler = true,
    .metrics = distance_metrics,
    .estimate = distance_estimate,
};
