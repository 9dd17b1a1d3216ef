/* Langevin steps on the marginal energy whose size falls along a cosine, over and over (Liao, Kornblith, Ren, Fleet &
 * Hinton 2022, algorithm 1): the sampler that they set beside Gibbs-Langevin. Step t of a period of T:
 *
 *   x <- x - alpha_t dF/dx + sqrt(2 nu_t) xi,   alpha_t = s eta_t / B,   eta_t = eta (1 + cos(pi t / T)) / 2,
 *
 * s the mean conditional variance of the visible units where the model has one, else 1. `correct`: nu_t = alpha_t, at
 * temperature 1. `faithful`: nu_t = B alpha_t, as in the authors' published program (gibbs_langevin.c): the temperature B,
 * at which the adjusted chain accepts, too.
 *
 * t counts the steps since the chains were attached. Adjusted, each step by itself leaves p invariant. */
#include "components.h"
#include "samplers/real_proposals.h"

#include <math.h>

typedef struct annealed_langevin_options {
    double step;
    int64_t batch, period;
    bool adjust;
    int mode;
} annealed_langevin_options;

enum { CORRECT, FAITHFUL };
static const char *const mode_names[] = {"correct", "faithful", NULL};

#define AT(member) offsetof(annealed_langevin_options, member)
static const ebm_option annealed_langevin_table[] = {
    {"step", EBM_OPTION_REAL, AT(step), "20", 1e-9, 1e9, NULL, 0,
     "eta, in units of the mean conditional variance; a step is at most eta / batch of it"},
    {"batch", EBM_OPTION_INT, AT(batch), "512", 0, 1e9, NULL, 0,
     "B that divides the step, a setting and not the number of chains; 0: the number of chains, as the published "
     "program has it"},
    {"period", EBM_OPTION_INT, AT(period), "100", 1, 1e9, NULL, 0,
     "T: steps in which the step size falls to nothing; then it starts anew"},
    {"adjust", EBM_OPTION_BOOL, AT(adjust), "false", 0, 0, NULL, 0, "accept or reject by Metropolis-Hastings"},
    {"mode", EBM_OPTION_CHOICE, AT(mode), "correct", 0, 0, mode_names, 0,
     "correct: temperature 1; faithful: noise that is not divided by batch, as published: temperature `batch`"},
    EBM_OPTIONS_END,
};

static ebm_status annealed_langevin_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const annealed_langevin_options *o = sampler->options;
    (void)model;
    (void)error;
    sampler->exact = o->adjust && o->mode == CORRECT;
    return EBM_OK;
}

/* In chains->auxiliary; behind it, where adjusted, what is known of the present states. */
typedef struct memory {
    uint64_t steps; /* since the chains were attached */
} memory;

enum { MEMORY_BYTES = 64 };

static size_t annealed_langevin_auxiliary_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains) {
    const annealed_langevin_options *o = sampler->options;
    return o->adjust ? ebm_present_after(MEMORY_BYTES, chains, model->space.size, true) : MEMORY_BYTES;
}

static void annealed_langevin_auxiliary_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains) {
    const annealed_langevin_options *o = sampler->options;
    (void)model;
    ((memory *)chains->auxiliary)->steps = 0;
    if (o->adjust)
        ebm_present_forget(ebm_present_of(chains, MEMORY_BYTES));
}

/* The step under way; `propose` is called once for each. */
typedef struct schedule {
    const annealed_langevin_options *o;
    memory *memory;
    double largest, temperature; /* alpha at t = 0 */
    double alpha;                /* of the step under way */
} schedule;

static void annealed_langevin_propose(const ebm_real_walk *w) {
    schedule *s = *(schedule *const *)w->law->own;
    const double t = (double)(s->memory->steps++ % (uint64_t)s->o->period) / (double)s->o->period;
    s->alpha = s->largest * 0.5 * (1 + cos(M_PI * t));
    const ebm_real drift = (ebm_real)s->alpha, spread = (ebm_real)sqrt(2 * s->alpha * s->temperature);
    const size_t V = w->units;
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) {
        const ebm_real *x = w->here.batch.x + b * V, *g = w->here.gradient + b * V, *xi = w->noise + b * V;
        ebm_real *to = w->there.batch.x + b * V;
        for (size_t i = 0; i < V; i++)
            to[i] = x[i] + spread * xi[i] - drift * g[i];
    }
}

/* log q(x | x') - log q(x' | x) = (|x' - x + alpha g(x)|^2 - |x - x' + alpha g(x')|^2) / (4 nu) */
static void annealed_langevin_ratio(const ebm_real_walk *w, double *log_ratio) {
    const schedule *s = *(schedule *const *)w->law->own;
    const double alpha = s->alpha, four_nu = 4 * alpha * s->temperature;
    const size_t V = w->units;
#pragma omp parallel for num_threads(w->threads) schedule(static) if (w->threads > 1)
    for (size_t b = 0; b < w->count; b++) {
        double sum = 0;
        for (size_t i = b * V; i < (b + 1) * V; i++) {
            const double move = (double)w->there.batch.x[i] - (double)w->here.batch.x[i];
            const double there = move + alpha * (double)w->here.gradient[i];
            const double back = alpha * (double)w->there.gradient[i] - move;
            sum += there * there - back * back;
        }
        log_ratio[b] = sum / four_nu;
    }
}

/* The mean conditional variance of the visible units: it does not depend on the state. */
static ebm_status mean_variance(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                                ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    ebm_batch one = *batch;
    *out = 1;
    if (!model->type->gaussian_visible)
        return EBM_OK;
    ebm_real *mean = ebm_work_take(work, V, sizeof *mean), *variance = ebm_work_take(work, V, sizeof *variance);
    one.count = 1;
    one.hidden = ebm_work_take(work, model->n_hidden, sizeof(ebm_real));
    ebm_status status = EBM_OK;
    if (!mean || !variance || !one.hidden)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu units", V);
    for (size_t j = 0; status == EBM_OK && j < model->n_hidden; j++)
        one.hidden[j] = 0;
    if (status == EBM_OK)
        status = model->type->gaussian_visible(model, path, &one, mean, variance, work, error);
    if (status == EBM_OK) {
        *out = 0;
        for (size_t i = 0; i < V; i++)
            *out += (double)variance[i] / (double)V;
    }
    ebm_work_release(work, mark);
    return status;
}

static double batch_of(const annealed_langevin_options *o, size_t chains) {
    return o->batch > 0 ? (double)o->batch : (double)chains;
}

static ebm_status annealed_langevin_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path,
                                         ebm_chains *chains, size_t steps, ebm_work *work, ebm_error *error) {
    const annealed_langevin_options *o = sampler->options;
    const double B = batch_of(o, chains->batch.count);
    double variance;
    if (chains->auxiliary_bytes < annealed_langevin_auxiliary_bytes(sampler, model, chains->batch.count))
        return ebm_fail(error, EBM_INVALID,
                        "sampler annealed-langevin: the chains have no step count: attach them "
                        "first");
    EBM_TRY(mean_variance(model, path, &chains->batch, &variance, work, error));
    schedule s = {.o = o,
                  .memory = chains->auxiliary,
                  .largest = o->step * variance / B,
                  .temperature = o->mode == FAITHFUL ? B : 1};
    schedule *const own = &s;
    const ebm_real_law law = {.own = &own,
                              .gradient = true,
                              .adjust = o->adjust,
                              .present = o->adjust ? ebm_present_of(chains, MEMORY_BYTES) : NULL,
                              .temperature = s.temperature,
                              .propose = annealed_langevin_propose,
                              .ratio = o->adjust ? annealed_langevin_ratio : NULL};
    return ebm_real_proposals_walk(&law, model, path, chains, steps, work, error);
}

static const ebm_metric annealed_langevin_metrics[] = {
    {"temperature", "", false, "of the law that the steps aim at: 1, or batch in mode faithful"},
    EBM_METRICS_END,
};

static ebm_status annealed_langevin_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink,
                                           ebm_error *error) {
    const annealed_langevin_options *o = sampler->options;
    const double B = batch_of(o, chains->batch.count);
    EBM_TRY(ebm_real_proposals_moved("annealed-langevin", chains, o->step / B, error));
    return sink->emit(sink, "temperature", o->mode == FAITHFUL ? B : 1, NAN, error);
}

const ebm_sampler_type ebm_annealed_langevin = {
    .info = {"annealed-langevin", "Langevin steps whose size falls along a cosine, again and again",
             "Liao, Kornblith, Ren, Fleet & Hinton 2022, algorithm 1", annealed_langevin_table,
             sizeof(annealed_langevin_options)},
    .needs = EBM_SLOT_GRAD_X,
    .domains = 1u << EBM_REAL_LINE,
    .exact = true,
    .reversible = false,
    .metrics = annealed_langevin_metrics,
    .create = annealed_langevin_create,
    .auxiliary_bytes = annealed_langevin_auxiliary_bytes,
    .auxiliary_start = annealed_langevin_auxiliary_start,
    .step = annealed_langevin_step,
    .report = annealed_langevin_report,
};
