/* SGD, momentum (Polyak 1964) and Adam (Kingma & Ba 2015), with schedules, weight decay and clipping.
 *
 * With gradient g, rate r and weight decay l:
 *   SGD       theta += r (g - l theta)
 *   momentum  m = mu m + r (g - l theta);  theta += m
 *   Adam      m = b1 m + (1 - b1) g;  s = b2 s + (1 - b2) g^2;
 *             theta += r (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + eps) - r l theta   (decoupled: Loshchilov & Hutter 2019)
 *
 * One pass over theta a step, in blocks of fixed length, so that the check for divergence adds its block sums in the same
 * order for any number of threads. */
#include "learners/optimiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const ebm_optimiser_names[] = {"sgd", "momentum", "adam", NULL};
const char *const ebm_optimiser_names_exact[] = {"sgd", "momentum", "adam", "lbfgs", NULL};
const char *const ebm_rate_schedule_names[] = {"constant", "linear", "cosine", "exponential", "inverse", NULL};

#ifdef EBM_DOUBLE
#define SQRT sqrt
#else
#define SQRT sqrtf
#endif

enum { BLOCK = 1 << 12 };

ebm_status ebm_optimiser_create(const ebm_optimiser_options *options, const ebm_model *model, ebm_optimiser *out,
                                ebm_error *error) {
    *out = (ebm_optimiser){.options = options, .count = model->n_theta};
    if (options->schedule == EBM_EXPONENTIAL && !(options->rate_end > 0))
        return ebm_fail(error, EBM_INVALID, "schedule exponential needs rate_end above 0");
    out->gradient = ebm_alloc(out->count, sizeof(ebm_real));
    bool moments = options->kind == EBM_MOMENTUM || options->kind == EBM_ADAM;
    out->first = moments ? ebm_alloc(out->count, sizeof(ebm_real)) : NULL;
    out->second = options->kind == EBM_ADAM ? ebm_alloc(out->count, sizeof(ebm_real)) : NULL;
    if (!out->gradient || (moments && !out->first) || (options->kind == EBM_ADAM && !out->second)) {
        ebm_optimiser_free(out);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the gradient of %zu parameters", model->n_theta);
    }
    return EBM_OK;
}

void ebm_optimiser_free(ebm_optimiser *optimiser) {
    free(optimiser->gradient);
    free(optimiser->first);
    free(optimiser->second);
    memset(optimiser, 0, sizeof *optimiser);
}

double ebm_optimiser_rate(const ebm_optimiser_options *options, uint64_t t, uint64_t total) {
    double start = options->rate, end = options->rate_end;
    double from = options->decay_from * (double)total, last = total > 1 ? (double)(total - 1) : 1;
    double progress = (double)t <= from || last <= from ? 0 : ((double)t - from) / (last - from);
    progress = progress < 1 ? progress : 1;
    switch (options->schedule) {
    case EBM_LINEAR:
        return start + (end - start) * progress;
    case EBM_COSINE:
        return end + (start - end) * 0.5 * (1 + cos(M_PI * progress));
    case EBM_EXPONENTIAL:
        return start > 0 ? start * pow(end / start, progress) : 0;
    case EBM_INVERSE: /* start / (1 + k progress), with k such that it ends at rate_end (or start / 100) */
        return start / (1 + (start / (end > 0 ? end : start / 100) - 1) * progress);
    default:
        return start;
    }
}

typedef struct step_constants {
    int kind;
    ebm_real rate, decay, momentum, beta2, epsilon, gain, first_correction, second_correction;
} step_constants;

/* Each step works through its block in lanes of 16 parameters, so that compilers make wide vectors of them, and returns
 * the sum of |theta| over the block: not finite if any parameter is not. */
enum { LANES = 16 };

#define FOR_BLOCK(n, body)                                                                                             \
    ebm_real part[LANES] = {0};                                                                                        \
    size_t first = 0;                                                                                                  \
    for (; first + LANES <= (n); first += LANES)                                                                       \
        for (size_t lane = 0; lane < LANES; lane++) {                                                                  \
            size_t i = first + lane;                                                                                   \
            body;                                                                                                      \
            part[lane] += theta[i] < 0 ? -theta[i] : theta[i];                                                         \
        }                                                                                                              \
    for (size_t i = first; i < (n); i++) {                                                                             \
        body;                                                                                                          \
        part[0] += theta[i] < 0 ? -theta[i] : theta[i];                                                                \
    }                                                                                                                  \
    return sum_of(part)

static double sum_of(const ebm_real part[LANES]) {
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += (double)part[lane];
    return sum;
}

static double step_sgd(size_t n, ebm_real *restrict theta, ebm_real *restrict g, const step_constants *c) {
    ebm_real rate = c->rate * c->gain, keep = 1 - c->rate * c->decay;
    FOR_BLOCK(n, theta[i] = keep * theta[i] + rate * g[i]; g[i] = 0);
}

static double step_momentum(size_t n, ebm_real *restrict theta, ebm_real *restrict g, ebm_real *restrict m,
                            const step_constants *c) {
    ebm_real rate = c->rate * c->gain, decay = c->rate * c->decay, mu = c->momentum;
    FOR_BLOCK(n, m[i] = mu * m[i] + (rate * g[i] - decay * theta[i]); theta[i] += m[i]; g[i] = 0);
}

static double step_adam(size_t n, ebm_real *restrict theta, ebm_real *restrict g, ebm_real *restrict m,
                        ebm_real *restrict s, const step_constants *c) {
    ebm_real b1 = c->momentum, b2 = c->beta2, decay = c->rate * c->decay;
    FOR_BLOCK(n, ebm_real gradient = c->gain * g[i]; m[i] = b1 * m[i] + (1 - b1) * gradient;
              s[i] = b2 * s[i] + (1 - b2) * gradient * gradient; ebm_real root = SQRT(s[i] * c->second_correction);
              theta[i] += c->rate * (m[i] * c->first_correction) / (root + c->epsilon) - decay * theta[i]; g[i] = 0);
}

/* One stretch of parameters that share their weight decay. */
static double step_view(ebm_optimiser *o, ebm_real *theta, size_t offset, size_t count, const step_constants *c,
                        double *sums, ebm_work *work) {
    size_t blocks = (count + BLOCK - 1) / BLOCK;
    int threads = count > BLOCK ? ebm_work_threads(work) : 1;
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t block = 0; block < blocks; block++) {
        size_t at = offset + block * BLOCK, n = count - block * BLOCK < BLOCK ? count - block * BLOCK : BLOCK;
        if (c->kind == EBM_ADAM)
            sums[block] = step_adam(n, theta + at, o->gradient + at, o->first + at, o->second + at, c);
        else if (c->kind == EBM_MOMENTUM)
            sums[block] = step_momentum(n, theta + at, o->gradient + at, o->first + at, c);
        else
            sums[block] = step_sgd(n, theta + at, o->gradient + at, c);
    }
    double total = 0;
    for (size_t block = 0; block < blocks; block++)
        total += sums[block];
    return total;
}

static double gradient_norm(const ebm_optimiser *o) {
    double total = 0;
    for (size_t i = 0; i < o->count; i++)
        total += (double)o->gradient[i] * (double)o->gradient[i];
    return sqrt(total);
}

ebm_status ebm_optimiser_step(ebm_optimiser *o, ebm_model *model, uint64_t t, uint64_t total, ebm_work *work,
                              ebm_error *error) {
    const ebm_optimiser_options *options = o->options;
    step_constants c = {.kind = options->kind,
                        .rate = (ebm_real)ebm_optimiser_rate(options, t, total),
                        .momentum = (ebm_real)options->momentum,
                        .beta2 = (ebm_real)options->beta2,
                        .epsilon = (ebm_real)options->epsilon,
                        .gain = 1,
                        .first_correction = (ebm_real)(1 / (1 - pow(options->momentum, (double)t + 1))),
                        .second_correction = (ebm_real)(1 / (1 - pow(options->beta2, (double)t + 1)))};
    if (options->clip > 0) {
        double norm = gradient_norm(o);
        if (norm > options->clip)
            c.gain = (ebm_real)(options->clip / norm);
    }
    size_t mark = ebm_work_mark(work);
    double *sums = ebm_work_take(work, o->count / BLOCK + 1, sizeof *sums), magnitude = 0;
    for (size_t v = 0; v < model->n_views; v++) {
        const ebm_view *view = &model->views[v];
        c.decay = view->decays ? (ebm_real)options->weight_decay : 0;
        magnitude +=
            step_view(o, model->theta, view->offset, view->rows * (view->columns ? view->columns : 1), &c, sums, work);
    }
    ebm_work_release(work, mark);
    magnitude /= (double)o->count;
    if (!(magnitude <= options->limit))
        return ebm_fail(
            error, EBM_DIVERGED,
            "diverged at update %llu: mean |parameter| is %g (limit %g); lower `rate` (now %g) or set `clip`",
            (unsigned long long)t, magnitude, options->limit, (double)c.rate);
    return EBM_OK;
}
