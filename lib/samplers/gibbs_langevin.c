/* Gibbs-Langevin sampling of machines whose visible units are Gaussian given the hidden ones (Liao, Kornblith, Ren, Fleet
 * & Hinton 2022, algorithm 2). One step, with v | h ~ N(m(h), diag(sigma^2)) and the mean variance s of all units:
 *
 *   for k = 0 ... K - 1:  v <- v - alpha_k (v - m(h)) / sigma^2 + sqrt(2 nu_k) xi,   xi ~ N(0, I)
 *   h ~ p(h | v)
 *   alpha_k = s eta_k / B,   eta_k = eta (1 + cos(pi k / K)) / 2 where annealed, else eta
 *
 * `correct`: nu_k = alpha_k, the Langevin equation at temperature 1. `faithful`: nu_k = B alpha_k, as the authors' published
 * program has it, which divides the drift by the size B of the batch and not the noise: v is driven to the temperature B,
 * h to 1, and the adjusted chain aims at exp(-E / B). That temperature is reported with every run.
 *
 * At fixed h the K steps are a linear recursion. With a_k = 1 - alpha_k / sigma_i^2, for each unit
 *   v_K ~ N(m + P (v_0 - m), S),   P = prod_k a_k,   S = sum_k 2 nu_k prod_(l > k) a_l^2
 * one draw in place of K (`method: closed`); `steps` takes them one by one, the reference that tests compare with.
 *
 * Adjusted, the pair is accepted together. The proposal's density is N(v'; m(h) + P (v - m(h)), S) p(h' | v'), and for the
 * target exp(-E(v, h) / tau) the log ratio is, since log p(h | v) = F(v) - E(v, h),
 *   (1 / tau - 1) (E(v, h) - E(v', h')) + F(v) - F(v') + log N(v; m(h') + P (v' - m(h')), S) - log N(v'; m(h) + ..., S).
 *
 * Row b draws v from its chain at one step number (K of them one by one), h from the next, and whether to accept from the
 * one after. */
#include "components.h"

#include <math.h>
#include <string.h>

typedef struct gibbs_langevin_options {
    int64_t langevin_steps, batch;
    double step;
    bool anneal, adjust;
    int mode, method;
} gibbs_langevin_options;

enum { CORRECT, FAITHFUL };
enum { CLOSED, STEPS };
static const char *const mode_names[] = {"correct", "faithful", NULL};
static const char *const method_names[] = {"closed", "steps", NULL};

#define AT(member) offsetof(gibbs_langevin_options, member)
static const ebm_option gibbs_langevin_table[] = {
    {"langevin_steps", EBM_OPTION_INT, AT(langevin_steps), "10", 1, 10000, NULL, 0,
     "K: Langevin steps of the visible units between two draws of the hidden ones"},
    {"step", EBM_OPTION_REAL, AT(step), "20", 1e-9, 1e9, NULL, 0,
     "eta, in units of the mean conditional variance; a Langevin step is eta / batch of it"},
    {"batch", EBM_OPTION_INT, AT(batch), "512", 0, 1e9, NULL, 0,
     "B that divides the step, a setting and not the number of chains; 0: the number of chains, as the published "
     "program has it"},
    {"anneal", EBM_OPTION_BOOL, AT(anneal), "true", 0, 0, NULL, 0, "let the step fall along a cosine within the K"},
    {"adjust", EBM_OPTION_BOOL, AT(adjust), "false", 0, 0, NULL, 0,
     "accept or reject visible and hidden units together by Metropolis-Hastings"},
    {"mode", EBM_OPTION_CHOICE, AT(mode), "correct", 0, 0, mode_names, 0,
     "correct: temperature 1; faithful: noise that is not divided by batch, as published: visible units at the "
     "temperature `batch`"},
    {"method", EBM_OPTION_CHOICE, AT(method), "closed", 0, 0, method_names, 0,
     "one draw from the law of K steps, or the steps one by one"},
    EBM_OPTIONS_END,
};

static ebm_status gibbs_langevin_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const gibbs_langevin_options *o = sampler->options;
    (void)model;
    (void)error;
    sampler->exact = o->adjust && o->mode == CORRECT;
    sampler->reversible = false; /* of (v, h) it is, of v alone not */
    return EBM_OK;
}

/* The K steps for each unit: v_K = m + shrink (v_0 - m) + deviation xi. */
typedef struct recursion {
    size_t K;
    double *alpha, *noise;        /* (K): alpha_k, 2 nu_k */
    ebm_real *shrink, *deviation; /* (V): P, sqrt(S) */
    double *precision;            /* (V): 1 / S */
    double temperature;           /* tau */
} recursion;

static double batch_of(const gibbs_langevin_options *o, size_t chains) {
    return o->batch > 0 ? (double)o->batch : (double)chains;
}

static ebm_status open_recursion(const gibbs_langevin_options *o, size_t chains, size_t V, const ebm_real *variance,
                                 recursion *r, ebm_work *work, ebm_error *error) {
    const double B = batch_of(o, chains);
    double mean_variance = 0;
    r->K = (size_t)o->langevin_steps;
    r->temperature = o->mode == FAITHFUL ? B : 1;
    r->alpha = ebm_work_take(work, 2 * r->K, sizeof(double));
    r->shrink = ebm_work_take(work, 2 * V, sizeof(ebm_real));
    r->precision = ebm_work_take(work, V, sizeof(double));
    if (!r->alpha || !r->shrink || !r->precision)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu Langevin steps of %zu units", r->K, V);
    r->noise = r->alpha + r->K;
    r->deviation = r->shrink + V;
    for (size_t i = 0; i < V; i++)
        mean_variance += (double)variance[i] / (double)V;
    if (!isfinite(mean_variance))
        return ebm_fail(error, EBM_DIVERGED, "a conditional variance of the visible units is not finite");
    for (size_t k = 0; k < r->K; k++) {
        const double eta = o->anneal ? o->step * 0.5 * (1 + cos(M_PI * (double)k / (double)r->K)) : o->step;
        r->alpha[k] = eta * mean_variance / B;
        r->noise[k] = 2 * r->alpha[k] * r->temperature;
    }
    for (size_t i = 0; i < V; i++) {
        double product = 1, sum = 0;
        for (size_t k = r->K; k-- > 0;) {
            sum += r->noise[k] * product * product;
            product *= 1 - r->alpha[k] / (double)variance[i];
        }
        r->shrink[i] = (ebm_real)product;
        r->deviation[i] = (ebm_real)sqrt(sum);
        r->precision[i] = 1 / ((double)r->deviation[i] * (double)r->deviation[i]);
    }
    return EBM_OK;
}

/* What a call of `step` works with. */
typedef struct walk {
    const gibbs_langevin_options *o;
    const ebm_model *model;
    ebm_path path;
    ebm_chains *chains;
    size_t B, V, H;
    recursion r;
    ebm_batch there;                  /* adjusted: the proposal */
    ebm_real *mean, *back, *variance; /* (B, V) m(h), (B, V) m(h') where adjusted; (V) */
    double *free_energy[2];           /* (B): F here and there, where adjusted */
    double *joint[2];                 /* (B): E, where adjusted at another temperature than 1 */
    ebm_real *noise;                  /* (B, V) */
    int threads;
    ebm_work *work;
} walk;

static ebm_status open_walk(walk *w, ebm_error *error) {
    const size_t B = w->B, V = w->V, H = w->H, F = w->model->n_field;
    const bool tempered = w->o->mode == FAITHFUL;
    w->mean = ebm_work_take(w->work, B * V, sizeof(ebm_real));
    w->variance = ebm_work_take(w->work, V, sizeof(ebm_real));
    w->noise = ebm_work_take(w->work, B * V, sizeof(ebm_real));
    bool enough = w->mean && w->variance && w->noise;
    if (w->o->adjust) {
        w->there = (ebm_batch){.count = B};
        w->back = ebm_work_take(w->work, B * V, sizeof(ebm_real));
        w->there.x = ebm_work_take(w->work, B * V, sizeof(ebm_real));
        w->there.field = ebm_work_take(w->work, B * F, sizeof(ebm_real));
        w->there.hidden = ebm_work_take(w->work, B * H, sizeof(ebm_real));
        enough = enough && w->back && w->there.x && w->there.field && w->there.hidden;
        for (int side = 0; side < 2; side++) {
            w->free_energy[side] = ebm_work_take(w->work, B, sizeof(double));
            w->joint[side] = tempered ? ebm_work_take(w->work, B, sizeof(double)) : NULL;
            enough = enough && w->free_energy[side] && (w->joint[side] || !tempered);
        }
    }
    if (!enough)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu chains of %zu units", B, V);
    return EBM_OK;
}

/* to = the visible units after K Langevin steps from `from`, given the means (B, V). */
static void move_visible(const walk *w, const ebm_real *from, ebm_real *to) {
    const size_t B = w->B, V = w->V, draws = w->o->method == CLOSED ? 1 : w->r.K;
#pragma omp parallel for schedule(static) num_threads(w->threads) if (w->threads > 1)
    for (size_t b = 0; b < B; b++) {
        const ebm_real *m = w->mean + b * V;
        const ebm_real *v = from + b * V;
        ebm_real *x = to + b * V, *xi = w->noise + b * V;
        for (size_t k = 0; k < draws; k++, v = x) {
            ebm_random_normal(w->chains->stream, w->chains->first_chain + (uint32_t)b, w->chains->step + k, V, xi);
            if (w->o->method == CLOSED) {
                for (size_t i = 0; i < V; i++)
                    x[i] = m[i] + w->r.shrink[i] * (v[i] - m[i]) + w->r.deviation[i] * xi[i];
                continue;
            }
            const ebm_real alpha = (ebm_real)w->r.alpha[k], spread = (ebm_real)sqrt(w->r.noise[k]);
            for (size_t i = 0; i < V; i++)
                x[i] = v[i] - alpha * (v[i] - m[i]) / w->variance[i] + spread * xi[i];
        }
    }
}

/* h ~ p(h | v) of a batch whose x is new; its field becomes valid. */
static void draw_hidden(const walk *w, ebm_batch *batch, uint64_t step) {
    batch->field_ok = false;
    ebm_model_field(w->model, batch, w->work);
    w->model->type->sample_hidden(w->model, w->path, batch, w->chains->stream, w->chains->first_chain, step, w->work);
}

enum { LANES = 8 }; /* sums side by side, so that they are vectors */

/* log N(v; m' + P (v' - m'), S) - log N(v'; m + P (v - m), S) of row b: the way back and the way there. */
static double log_moves(const walk *w, size_t b) {
    const size_t V = w->V, whole = V - V % LANES;
    const ebm_real *restrict v = w->chains->batch.x + b * V, *restrict to = w->there.x + b * V;
    const ebm_real *restrict m = w->mean + b * V, *restrict back = w->back + b * V, *restrict P = w->r.shrink;
    const double *restrict precision = w->r.precision;
    double sums[LANES] = {0}, sum = 0;
#define TERM(i)                                                                                                        \
    const double off = (double)(to)[i] - (double)m[i] - (double)P[i] * ((double)v[i] - (double)m[i]);                  \
    const double off_back = (double)v[i] - (double)back[i] - (double)P[i] * ((double)(to)[i] - (double)back[i])
    for (size_t first = 0; first < whole; first += LANES)
        for (size_t k = 0; k < LANES; k++) {
            TERM(first + k);
            sums[k] += precision[first + k] * (off * off - off_back * off_back);
        }
    for (size_t i = whole; i < V; i++) {
        TERM(i);
        sum += precision[i] * (off * off - off_back * off_back);
    }
#undef TERM
    for (size_t k = 0; k < LANES; k++)
        sum += sums[k];
    return 0.5 * sum;
}

/* At temperature 1 the ratio does without the joint energies. */
static void energies(const walk *w, const ebm_batch *batch, int side) {
    if (w->joint[side])
        w->model->type->joint_energy(w->model, w->path, batch, w->joint[side], w->work);
    w->model->type->energy(w->model, w->path, batch, w->free_energy[side], w->work);
    w->chains->energy_evaluations += w->B;
}

static double log_ratio(const walk *w, size_t b) {
    const double tempered = w->joint[0] ? (1 / w->r.temperature - 1) * (w->joint[0][b] - w->joint[1][b]) : 0;
    return tempered + w->free_energy[0][b] - w->free_energy[1][b] + log_moves(w, b);
}

/* The means at h' are those of the next step where h' is accepted. */
static void accept_row(const walk *w, size_t b) {
    const ebm_batch *here = &w->chains->batch;
    const size_t F = w->model->n_field;
    memcpy(here->x + b * w->V, w->there.x + b * w->V, w->V * sizeof *here->x);
    memcpy(here->hidden + b * w->H, w->there.hidden + b * w->H, w->H * sizeof *here->hidden);
    memcpy(here->field + b * F, w->there.field + b * F, F * sizeof *here->field);
    memcpy(w->mean + b * w->V, w->back + b * w->V, w->V * sizeof *w->mean);
    if (w->joint[0])
        w->joint[0][b] = w->joint[1][b];
    w->free_energy[0][b] = w->free_energy[1][b];
}

static ebm_status adjusted_step(walk *w, uint64_t last, ebm_error *error) {
    int64_t accepted = 0;
    move_visible(w, w->chains->batch.x, w->there.x);
    draw_hidden(w, &w->there, last);
    EBM_TRY(w->model->type->gaussian_visible(w->model, w->path, &w->there, w->back, w->variance, w->work, error));
    energies(w, &w->there, 1);
#pragma omp parallel for schedule(static) num_threads(w->threads) if (w->threads > 1) reduction(+ : accepted)
    for (size_t b = 0; b < w->B; b++) {
        const double u = ebm_random_uniform1(w->chains->stream, w->chains->first_chain + (uint32_t)b, last + 1, 0);
        if (log(u) < log_ratio(w, b)) {
            accept_row(w, b);
            accepted++;
        }
    }
    w->chains->accepted += (double)accepted;
    w->chains->proposed += (double)w->B;
    return EBM_OK;
}

/* The means are there already at the first step, and where steps are adjusted. */
static ebm_status one_step(walk *w, bool first, ebm_error *error) {
    ebm_batch *here = &w->chains->batch;
    const size_t draws = w->o->method == CLOSED ? 1 : w->r.K;
    const uint64_t last = w->chains->step + draws;
    if (w->o->adjust) {
        EBM_TRY(adjusted_step(w, last, error));
    } else {
        if (!first)
            EBM_TRY(w->model->type->gaussian_visible(w->model, w->path, here, w->mean, w->variance, w->work, error));
        move_visible(w, here->x, here->x);
        draw_hidden(w, here, last);
    }
    w->chains->step = last + 2;
    w->chains->gradient_evaluations += w->B;
    w->chains->site_updates += w->B * w->H;
    return EBM_OK;
}

static ebm_status still_finite(const walk *w, ebm_error *error) {
    const ebm_real *x = w->chains->batch.x;
    int wrong = 0;
    for (size_t k = 0; k < w->B * w->V; k++)
        wrong |= !isfinite(x[k]);
    if (!wrong)
        return EBM_OK;
    return ebm_fail(
        error, EBM_DIVERGED,
        "sampler gibbs-langevin: a chain has left the finite numbers: step / batch = %g times the mean variance "
        "is too large for the smallest (it must stay below twice that), or a parameter is not finite",
        w->o->step / batch_of(w->o, w->B));
}

static ebm_status gibbs_langevin_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                      size_t steps, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    walk w = {.o = sampler->options,
              .model = model,
              .path = path,
              .chains = chains,
              .B = chains->batch.count,
              .V = model->space.size,
              .H = model->n_hidden,
              .work = work};
    ebm_batch *here = &chains->batch;
    w.threads = w.B * w.V > 1 << 14 ? ebm_work_threads(work) : 1;
    ebm_status status = open_walk(&w, error);
    if (status == EBM_OK && steps > 0) {
        if (!here->hidden_ok)
            draw_hidden(&w, here, chains->step++);
        ebm_model_field(model, here, work);
        status = model->type->gaussian_visible(model, path, here, w.mean, w.variance, work, error);
        if (status == EBM_OK)
            status = open_recursion(w.o, w.B, w.V, w.variance, &w.r, work, error);
        if (status == EBM_OK && w.o->adjust)
            energies(&w, here, 0);
    }
    for (size_t s = 0; s < steps && status == EBM_OK; s++)
        status = one_step(&w, s == 0, error);
    if (status == EBM_OK)
        status = still_finite(&w, error);
    here->hidden_ok = here->field_ok = status == EBM_OK;
    ebm_work_release(work, mark);
    return status;
}

static const ebm_metric gibbs_langevin_metrics[] = {
    {"temperature", "", false, "of the visible units at fixed hidden ones: 1, or batch in mode faithful"},
    EBM_METRICS_END,
};

static ebm_status gibbs_langevin_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink,
                                        ebm_error *error) {
    const gibbs_langevin_options *o = sampler->options;
    if (chains->proposed > 0 && chains->accepted == 0)
        return ebm_fail(error, EBM_DIVERGED,
                        "sampler gibbs-langevin: none of %.0f proposals was accepted: take a smaller step",
                        chains->proposed);
    return sink->emit(sink, "temperature", o->mode == FAITHFUL ? batch_of(o, chains->batch.count) : 1, NAN, error);
}

const ebm_sampler_type ebm_gibbs_langevin = {
    .info = {"gibbs-langevin", "Langevin steps of Gaussian visible units at fixed hidden ones, then the hidden ones",
             "Liao, Kornblith, Ren, Fleet & Hinton 2022, algorithm 2", gibbs_langevin_table,
             sizeof(gibbs_langevin_options)},
    .needs = EBM_SLOT_GAUSSIAN_VISIBLE | EBM_SLOT_JOINT_ENERGY | EBM_SLOT_BLOCK,
    .domains = 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = false,
    .metrics = gibbs_langevin_metrics,
    .create = gibbs_langevin_create,
    .step = gibbs_langevin_step,
    .report = gibbs_langevin_report,
};
