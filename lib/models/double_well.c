/* Double wells: each unit in a potential with two minima and a barrier between them.
 *
 *   E(x) = sum_i u(x_i),   u(x) = a (x^2 - 1)^2 - b x,   dE/dx_i = 4 a x_i (x_i^2 - 1) - b
 * Without tilt (b = 0) the minima are at -1 and +1 and the barrier is a high: a walk crosses it at the rate
 * sqrt(8 a 4 a) / (2 pi) e^-a of overdamped dynamics (Kramers 1940, "Brownian motion in a field of force"). The units are
 * independent, so that integrals over one of them give everything at every beta: by Gauss-Legendre quadrature. */
#include "components.h"
#include "models/density_table.h"
#include "models/real_path.h"

#include <math.h>
#include <stdlib.h>

typedef struct well_options {
    int64_t size;
    double barrier, tilt;
} well_options;

#define AT(member) offsetof(well_options, member)
static const ebm_option well_table[] = {
    {"size", EBM_OPTION_INT, AT(size), "2", 1, 1e6, NULL, 0, "units, independent of each other"},
    {"barrier", EBM_OPTION_REAL, AT(barrier), "4", 1e-2, 1e4, NULL, 0, "a: height of the barrier at x = 0, in nats"},
    {"tilt", EBM_OPTION_REAL, AT(tilt), "0", -1e4, 1e4, NULL, 0, "b: slope towards positive x, in nats per unit of x"},
    EBM_OPTIONS_END,
};

/* The law of one unit at some beta. */
typedef struct well {
    double barrier, tilt, beta;
    ebm_density_table table;
} well;

static ebm_status well_space(const void *options, ebm_space *out, ebm_error *error) {
    (void)error;
    *out = ebm_space_line(EBM_REAL_LINE, (size_t)((const well_options *)options)->size);
    return EBM_OK;
}

static double potential(double x, const void *context) {
    const well *w = context;
    return w->barrier * (x * x - 1) * (x * x - 1) - w->tilt * x;
}

static double log_density(double x, const void *context) {
    return -((const well *)context)->beta * potential(x, context);
}

/* The half width beyond which beta u is 60 above its minimum: e^-60 of the mass density. On the side to which the
 * potential is tilted u falls to that minimum and then only rises. */
static double reach(const well *w) {
    const double side = w->tilt < 0 ? -1 : 1;
    double lowest = potential(side, w), x = 1;
    for (; x < 1e6 && !(w->beta * (potential(side * x, w) - lowest) > 60); x *= 1.02)
        lowest = fmin(lowest, potential(side * x, w));
    return x;
}

/* Panels of at most a quarter of the shortest length on which the density changes, 1 / sqrt(beta u'') at the ends. */
static size_t panels_of(const well *w, double half) {
    const double curvature = w->barrier * (12 * half * half - 4);
    return (size_t)fmin(1 << 18, 64 + ceil(8 * half * sqrt(w->beta * curvature)));
}

static ebm_status well_create(ebm_model *model, const void *options, ebm_error *error) {
    const well_options *o = options;
    EBM_TRY(ebm_real_units(model, (size_t)o->size, error));
    well *w = calloc(1, sizeof *w);
    model->state = w;
    if (!w)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a potential of two numbers");
    *w = (well){.barrier = o->barrier, .tilt = o->tilt, .beta = 1};
    const double half = reach(w);
    const size_t panels = panels_of(w, half);
    double *cumulative = ebm_alloc(panels + 1, sizeof *cumulative);
    if (!cumulative)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a table of %zu panels", panels);
    ebm_density_tabulate(&w->table, -half, half, panels, log_density, w, cumulative);
    return EBM_OK;
}

static void well_destroy(ebm_model *model) {
    well *w = model->state;
    if (w)
        free(w->table.cumulative);
    free(w);
}

/* The model's own table where beta = 1, else one made in `work`. */
static ebm_status well_at(const ebm_model *model, ebm_path path, const char *what, well *out, ebm_work *work,
                          ebm_error *error) {
    EBM_TRY(ebm_real_uniform_base(model, path, what, error));
    *out = *(const well *)model->state;
    out->table.context = out;
    if (path.beta == 1)
        return EBM_OK;
    out->beta = path.beta;
    const double half = reach(out);
    const size_t panels = panels_of(out, half);
    double *cumulative = ebm_work_take(work, panels + 1, sizeof *cumulative);
    if (!cumulative)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a table of %zu panels", panels);
    ebm_density_tabulate(&out->table, -half, half, panels, log_density, out, cumulative);
    return EBM_OK;
}

static void well_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy,
                               ebm_real *grad, ebm_work *work) {
    const well *w = model->state;
    const size_t V = model->space.size;
    for (size_t b = 0; b < batch->count; b++) {
        double sum = 0;
        for (size_t i = 0; i < V; i++) {
            const double x = (double)batch->x[b * V + i], square = x * x - 1;
            sum += w->barrier * square * square - w->tilt * x;
            if (grad)
                grad[b * V + i] = (ebm_real)(4 * w->barrier * x * square - w->tilt);
        }
        if (energy)
            energy[b] = sum;
    }
    ebm_real_add_base(model, path, batch, energy, grad, work);
}

static ebm_status well_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                      ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    well w;
    EBM_TRY(well_at(model, path, "normaliser", &w, work, error));
    *out = (double)model->space.size * w.table.log_total;
    ebm_work_release(work, mark);
    return EBM_OK;
}

/* By the inverse of the distribution function, unit i from uniform i. */
static ebm_status well_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                    uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    well w;
    EBM_TRY(well_at(model, path, "exact draws", &w, work, error));
    for (size_t b = 0; b < batch->count; b++)
        for (size_t i = 0; i < V; i++) {
            const double u = ebm_random_uniform1(stream, first_chain + (uint32_t)b, step, (uint32_t)i);
            batch->x[b * V + i] = (ebm_real)ebm_density_quantile(&w.table, u);
        }
    ebm_work_release(work, mark);
    batch->field_ok = false;
    return EBM_OK;
}

static double itself(double x, const void *context) {
    (void)context;
    return x;
}

static double squared(double x, const void *context) {
    (void)context;
    return x * x;
}

static ebm_status well_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                  ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    const bool two = model->space.size > 1;
    well w;
    EBM_TRY(well_at(model, path, "means", &w, work, error));
    const double mean = ebm_density_mean(&w.table, itself, NULL), square = ebm_density_mean(&w.table, squared, NULL);
    const ebm_real_means means = {
        mean, two ? mean : NAN, square, two ? square : NAN, square, ebm_density_mean(&w.table, potential, &w)};
    ebm_work_release(work, mark);
    return ebm_real_mean_named(model, &means, observable, out, error);
}

static ebm_status well_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                                    double *out, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    well w;
    (void)unit;
    EBM_TRY(well_at(model, path, "marginal law", &w, work, error));
    for (size_t k = 0; k < count; k++)
        out[k] = ebm_density_cdf(&w.table, t[k]);
    ebm_work_release(work, mark);
    return EBM_OK;
}

const ebm_model_type ebm_double_well = {
    .info = {"double-well", "independent units in a potential with two minima", "Kramers 1940, Physica 7", well_table,
             sizeof(well_options)},
    .domains = 1u << EBM_REAL_LINE,
    .space = well_space,
    .create = well_create,
    .initialise = ebm_real_initialise_nothing,
    .destroy = well_destroy,
    .energy = ebm_real_energy,
    .grad_theta = ebm_real_no_grad_theta,
    .grad_x = ebm_real_grad_x,
    .energy_grad_x = well_energy_grad_x,
    .log_normaliser = well_log_normaliser,
    .expected_grad_theta = ebm_real_no_expected_grad_theta,
    .sample_exact = well_sample_exact,
    .exact_mean = well_exact_mean,
    .marginal_cdf = well_marginal_cdf,
};
