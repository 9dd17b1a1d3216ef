/* Quadrature on the plane (see plane_law.h), by the trapezoid rule on a square grid.
 *
 * Everything follows from one bound L on the curvature of E. With m = min E and D = E - m: |grad E|^2 <= 2 L D, so
 * that sqrt(D) is Lipschitz with sqrt(L / 2), and a point within d of one of depth D has depth at most
 * (sqrt(D) + d sqrt(L / 2))^2.
 *
 * Where. A grid of step h over all of `reach`; each point of depth below 40 has a grid point within h / sqrt(2) of depth
 * below (sqrt(40) + sqrt(L) h / 2)^2, so the box of those, a cell wider, holds all there is. Again on the box, till it
 * hardly shrinks.
 *
 * How fine. p's Fourier transform falls like that of a Gaussian of variance 1 / L or faster, exp(-k^2 / (2 L)); with
 * h = 0.4 / sqrt(L) the sum errs by exp(-2 pi^2 / 0.16), and a marginal is known between grid points by its cardinal series
 * to exp(-pi^2 / 0.32) = 4e-14 (Trefethen & Weideman 2014). Both are exact for Gaussians and a scale for others. The
 * distribution function adds up 16 points of the series a cell by the rule (-f_-1 + 13 f_0 + 13 f_1 - f_2) / 24.
 *
 * Draws. A cell by its weight exp(-(sqrt(D) - d sqrt(L / 2))^2), d = h / sqrt(2) from its middle to a corner, a point
 * uniform in it, accepted with exp(-D) over that weight, which is at most 1. */
#include "models/plane_law.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COARSE = 64, FINE = 16 };
static const double STEP = 0.4; /* in units of 1 / sqrt(L) */

struct ebm_plane_law {
    ebm_plane_problem problem;
    size_t n[2];
    double low[2], step;
    double least;                           /* at most min E */
    double slack;                           /* d sqrt(L / 2) */
    double *p, *energy, *cumulative;        /* (n[0], n[1]): weights that sum to 1, E, sums of the cells' weights */
    double *marginal[2], *fine[2], *cdf[2]; /* (n[a]); (FINE (n[a] - 1) + 1), at steps of step / FINE */
    double log_z, energy_mean, energy_variance;
};

/* Shrink a box, low and high, to where depths can be below EBM_PLANE_DEPTH. False where it hardly has. */
static bool shrink(const ebm_plane_problem *problem, double low[2], double high[2], double *energy) {
    const double step[2] = {(high[0] - low[0]) / COARSE, (high[1] - low[1]) / COARSE};
    const double away = 0.5 * sqrt(step[0] * step[0] + step[1] * step[1]) * sqrt(problem->curvature / 2);
    const size_t side = COARSE + 1;
    double least = INFINITY, bound;
    size_t first[2] = {COARSE, COARSE}, last[2] = {0, 0};
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++) {
            energy[i * side + j] =
                problem->energy(problem->context, low[0] + (double)i * step[0], low[1] + (double)j * step[1]);
            least = fmin(least, energy[i * side + j]);
        }
    bound = least + pow(sqrt(EBM_PLANE_DEPTH) + away, 2); /* min E <= least */
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++)
            if (energy[i * side + j] <= bound) {
                const size_t at[2] = {i, j};
                for (size_t a = 0; a < 2; a++) {
                    first[a] = at[a] < first[a] ? at[a] : first[a];
                    last[a] = at[a] > last[a] ? at[a] : last[a];
                }
            }
    bool shrunk = false;
    for (size_t a = 0; a < 2; a++) {
        const double from = low[a];
        shrunk = shrunk || first[a] > COARSE / 16 || last[a] < COARSE - COARSE / 16;
        low[a] = from + (first[a] > 0 ? (double)first[a] - 1 : 0) * step[a];
        high[a] = from + (last[a] < COARSE ? (double)last[a] + 1 : (double)COARSE) * step[a];
    }
    return shrunk;
}

/* Sets low, step and n; *spent = how many values of E it took. */
static ebm_status place_grid(ebm_plane_law *law, double *spent, ebm_error *error) {
    const ebm_plane_problem *problem = &law->problem;
    double low[2] = {-problem->reach, -problem->reach}, high[2] = {problem->reach, problem->reach};
    double *energy = malloc((COARSE + 1) * (COARSE + 1) * sizeof *energy);
    if (!energy)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a grid of %d points", (COARSE + 1) * (COARSE + 1));
    const double round = (COARSE + 1) * (COARSE + 1);
    bool shrinks = true;
    for (*spent = round; shrinks && *spent <= problem->evaluations; *spent += round)
        shrinks = shrink(problem, low, high, energy);
    free(energy);
    law->step = STEP / sqrt(problem->curvature);
    for (size_t a = 0; a < 2; a++) {
        law->low[a] = low[a];
        law->n[a] = (size_t)fmin(ceil((high[a] - low[a]) / law->step), 1e6) + 1;
    }
    *spent += (double)law->n[0] * (double)law->n[1];
    return EBM_OK;
}

static void tabulate(ebm_plane_law *law) {
    const size_t points = law->n[0] * law->n[1];
    const ebm_plane_problem *problem = &law->problem;
    double least = INFINITY, total = 0, weight = 0;
    for (size_t k = 0; k < points; k++) {
        const double x = law->low[0] + (double)(k / law->n[1]) * law->step;
        law->energy[k] = problem->energy(problem->context, x, law->low[1] + (double)(k % law->n[1]) * law->step);
        least = fmin(least, law->energy[k]);
    }
    law->slack = law->step / sqrt(2) * sqrt(problem->curvature / 2);
    law->least = least - law->slack * law->slack; /* the least point is within d of a grid point */
    for (size_t k = 0; k < points; k++) {
        law->p[k] = exp(least - law->energy[k]);
        total += law->p[k];
        law->cumulative[k] = weight += exp(-pow(fmax(sqrt(law->energy[k] - law->least) - law->slack, 0), 2));
    }
    law->log_z = log(total) + 2 * log(law->step) - least;
    for (size_t k = 0; k < points; k++) {
        law->p[k] /= total;
        law->energy_mean += law->p[k] * (law->energy[k] - least);
    }
    law->energy_mean += least;
    for (size_t k = 0; k < points; k++) {
        law->energy_variance += law->p[k] * pow(law->energy[k] - law->energy_mean, 2);
        law->marginal[0][k / law->n[1]] += law->p[k];
        law->marginal[1][k % law->n[1]] += law->p[k];
    }
}

/* The cardinal series of a marginal at its grid points and 15 between each two, and its integral. */
static void refine(ebm_plane_law *law, size_t a) {
    const size_t n = law->n[a], fine = FINE * (n - 1) + 1;
    double *f = law->fine[a], *F = law->cdf[a];
    for (size_t k = 0; k < fine; k++) {
        const double u = (double)k / FINE;
        f[k] = law->marginal[a][k / FINE];
        if (k % FINE == 0)
            continue;
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (i % 2 ? -1 : 1) * law->marginal[a][i] / (u - (double)i);
        f[k] = sin(M_PI * u) / M_PI * sum;
    }
    F[0] = 0;
    for (size_t k = 0; k + 1 < fine; k++) {
        const double before = k > 0 ? f[k - 1] : f[k], after = k + 2 < fine ? f[k + 2] : f[k + 1];
        F[k + 1] = F[k] + (13 * (f[k] + f[k + 1]) - before - after) / (24 * FINE);
    }
    for (size_t k = 0; k < fine; k++)
        F[k] = fmin(fmax(F[k] / F[fine - 1], 0), 1);
}

ebm_status ebm_plane_law_create(const ebm_plane_problem *problem, ebm_plane_law **out, ebm_error *error) {
    *out = NULL;
    ebm_plane_law *law = calloc(1, sizeof *law);
    if (!law)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a law on the plane");
    law->problem = *problem;
    double spent = 0;
    ebm_status status = place_grid(law, &spent, error);
    if (status != EBM_OK || spent > problem->evaluations) {
        ebm_plane_law_free(law);
        return status;
    }
    const size_t points = law->n[0] * law->n[1];
    law->p = calloc(points, sizeof *law->p);
    law->energy = calloc(points, sizeof *law->energy);
    law->cumulative = calloc(points, sizeof *law->cumulative);
    bool ok = law->p && law->energy && law->cumulative;
    for (size_t a = 0; a < 2; a++) {
        law->marginal[a] = calloc(law->n[a], sizeof(double));
        law->fine[a] = calloc(FINE * law->n[a], sizeof(double));
        law->cdf[a] = calloc(FINE * law->n[a], sizeof(double));
        ok = ok && law->marginal[a] && law->fine[a] && law->cdf[a];
    }
    if (!ok) {
        ebm_plane_law_free(law);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a grid of %zu points", points);
    }
    tabulate(law);
    refine(law, 0);
    refine(law, 1);
    *out = law;
    return EBM_OK;
}

void ebm_plane_law_free(ebm_plane_law *law) {
    if (!law)
        return;
    for (size_t a = 0; a < 2; a++) {
        free(law->marginal[a]);
        free(law->fine[a]);
        free(law->cdf[a]);
    }
    free(law->p);
    free(law->energy);
    free(law->cumulative);
    free(law);
}

/* E[E] / 2 is the mean energy per unit; *energy_variance = Var(E) / 2. */
static ebm_real_means means_of(const ebm_plane_law *law, double *energy_variance) {
    double mean[2] = {0}, square[2] = {0};
    for (size_t a = 0; a < 2; a++)
        for (size_t i = 0; i < law->n[a]; i++) {
            const double x = law->low[a] + (double)i * law->step;
            mean[a] += law->marginal[a][i] * x;
            square[a] += law->marginal[a][i] * x * x;
        }
    if (energy_variance)
        *energy_variance = law->energy_variance / 2;
    return (ebm_real_means){.first = mean[0],
                            .second = mean[1],
                            .first_square = square[0],
                            .second_square = square[1],
                            .square = (square[0] + square[1]) / 2,
                            .energy = law->energy_mean / 2};
}

/* Between fine points by Hermite's cubic, which has the density as its slope. */
static void cdf(const ebm_plane_law *law, size_t axis, const double *t, size_t count, double *out) {
    const size_t last = FINE * (law->n[axis] - 1);
    const double *f = law->fine[axis], *F = law->cdf[axis];
    for (size_t k = 0; k < count; k++) {
        const double at = (t[k] - law->low[axis]) / law->step * FINE;
        if (!(at > 0) || at >= (double)last) {
            out[k] = at > 0 ? 1 : 0;
            continue;
        }
        const size_t i = (size_t)at;
        const double u = at - (double)i, v = 1 - u;
        const double value =
            v * v * (1 + 2 * u) * F[i] + u * u * (1 + 2 * v) * F[i + 1] + u * v * (v * f[i] - u * f[i + 1]) / FINE;
        out[k] = fmin(fmax(value, 0), 1);
    }
}

/* The first cell whose cumulative weight is above `level`. */
static size_t cell_at(const double *cumulative, size_t count, double level) {
    size_t low = 0, high = count - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (cumulative[middle] > level)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void draw(const ebm_plane_law *law, ebm_stream stream, uint32_t chain, uint64_t step, double out[2]) {
    enum { ATTEMPTS = 10000 }; /* about two in three are accepted: all of them fail with probability 1e-4000 */
    const size_t points = law->n[0] * law->n[1];
    for (uint32_t k = 0; k < ATTEMPTS; k++) {
        const double level = ebm_random_uniform1(stream, chain, step, 4 * k) * law->cumulative[points - 1];
        const size_t cell = cell_at(law->cumulative, points, level);
        const size_t at[2] = {cell / law->n[1], cell % law->n[1]};
        for (uint32_t a = 0; a < 2; a++) {
            const double jitter = ebm_random_uniform1(stream, chain, step, 4 * k + 1 + a) - 0.5;
            out[a] = law->low[a] + ((double)at[a] + jitter) * law->step;
        }
        const double depth = law->problem.energy(law->problem.context, out[0], out[1]) - law->least;
        const double above = fmax(sqrt(law->energy[cell] - law->least) - law->slack, 0);
        if (log(ebm_random_uniform1(stream, chain, step, 4 * k + 3)) < above * above - depth)
            return;
    }
}

/* The law behind a model's slot that tells `what`. */
static ebm_status available(const ebm_model *model, ebm_path path, const char *what, const ebm_plane_law **out,
                            ebm_error *error) {
    const ebm_plane_state *state = model->state;
    EBM_TRY(ebm_real_uniform_base(model, path, what, error));
    if (!state->law)
        return ebm_fail(error, EBM_UNSUPPORTED, "model %s knows no %s: %s", model->type->info.name, what, state->why);
    if (path.beta != 1)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "model %s knows its %s at temperature 1 alone, not at inverse temperature %g",
                        model->type->info.name, what, path.beta);
    *out = state->law;
    return EBM_OK;
}

ebm_status ebm_plane_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                    ebm_error *error) {
    const ebm_plane_law *law = NULL;
    (void)work;
    EBM_TRY(available(model, path, "normaliser", &law, error));
    *out = law->log_z;
    return EBM_OK;
}

ebm_status ebm_plane_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                ebm_work *work, ebm_error *error) {
    const ebm_plane_law *law = NULL;
    double energy_variance;
    (void)work;
    EBM_TRY(available(model, path, "means", &law, error));
    const ebm_real_means means = means_of(law, &energy_variance);
    if (strcmp(observable, "energy_variance") == 0) {
        *out = energy_variance;
        return EBM_OK;
    }
    return ebm_real_mean_named(model, &means, observable, out, error);
}

ebm_status ebm_plane_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                                  double *out, ebm_work *work, ebm_error *error) {
    const ebm_plane_law *law = NULL;
    (void)work;
    EBM_TRY(available(model, path, "marginal distribution", &law, error));
    cdf(law, unit, t, count, out);
    return EBM_OK;
}

ebm_status ebm_plane_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                  uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const ebm_plane_law *law = NULL;
    (void)work;
    EBM_TRY(available(model, path, "exact draws", &law, error));
    for (size_t b = 0; b < batch->count; b++) {
        double x[2];
        draw(law, stream, first_chain + (uint32_t)b, step, x);
        batch->x[2 * b] = (ebm_real)x[0];
        batch->x[2 * b + 1] = (ebm_real)x[1];
    }
    batch->field_ok = batch->hidden_ok = false;
    return EBM_OK;
}
