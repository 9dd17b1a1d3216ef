/* Checks of every slot of the Potts machines against plain enumeration (potts_fixture.h). Each returns its worst distance
 * in units of the allowed error: at most 1 for a correct machine, above 1 for one with a planted error. */
#ifndef TESTS_POTTS_CHECKS_H
#define TESTS_POTTS_CHECKS_H

#include "potts_fixture.h"
#include "statistics.h"

static const potts_shape shapes[] = {
    {POTTS_TORUS, 3, 3, 2},    {POTTS_GRID, 2, 3, 3},  {POTTS_GRID, 1, 2, 7},  {POTTS_GRID, 1, 5, 3},
    {POTTS_COMPLETE, 2, 2, 4}, {POTTS_DENSE, 1, 1, 3}, {POTTS_DENSE, 1, 2, 5}, {POTTS_DENSE, 1, 4, 4},
    {POTTS_DENSE, 1, 7, 2},    {POTTS_DENSE, 1, 3, 8},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static const struct {
    int base;
    double beta;
} paths[] = {{0, 0.0}, {0, 0.3}, {0, 1.0}, {1, 0.0}, {1, 0.3}, {1, 1.0}};
enum { PATHS = sizeof paths / sizeof paths[0] };

/* f_i(c) = minus the one-hot derivative of E, which is bilinear: central differences with step 1 are exact. */
static double plain_field(const potts_fixture *f, size_t code, size_t k) {
    double z[POTTS_VALUES];
    potts_one_hot(f, code, z);
    const double at = z[k];
    z[k] = at + 1;
    const double up = potts_extension(f, z);
    z[k] = at - 1;
    return (potts_extension(f, z) - up) / 2;
}

static double check_field(potts_fixture *f) {
    ebm_batch batch = potts_states(f);
    double worst = 0;
    for (size_t s = 0; s < f->S; s++)
        for (size_t k = 0; k < f->F; k++)
            worst = fmax(worst, rbm_distance(batch.field[s * f->F + k], plain_field(f, s, k), f->bound));
    ebm_batch_free(&batch);
    return worst;
}

static double check_energy(potts_fixture *f) {
    ebm_batch batch = potts_states(f);
    double *energy = oracle_memory(f->S), worst = 0;
    for (size_t k = 0; k < PATHS; k++) {
        f->model.type->energy(&f->model, potts_path(f, paths[k].base, paths[k].beta), &batch, energy, f->work);
        for (size_t s = 0; s < f->S; s++)
            worst =
                fmax(worst, rbm_distance(energy[s], potts_path_energy(f, paths[k].base, paths[k].beta, s), f->bound));
    }
    free(energy);
    ebm_batch_free(&batch);
    return worst;
}

/* The error is in proportion to the difference of beta, as annealing needs it. */
static double check_energy_difference(potts_fixture *f) {
    static const double steps[][2] = {{0, 1}, {0.3, 0.301}, {0.999, 1}, {1, 0.9999}};
    ebm_batch batch = potts_states(f);
    double *got = oracle_memory(f->S), worst = 0;
    for (size_t k = 0; k < 8; k++) {
        const int base = (int)(k / 4);
        const double from = steps[k % 4][0], to = steps[k % 4][1];
        f->model.type->energy_difference(&f->model, potts_path(f, base, from), potts_path(f, base, to), &batch, got,
                                         f->work);
        for (size_t s = 0; s < f->S; s++) {
            const double want = (to - from) * (f->energy[s] - (base ? f->base_energy[s] : 0));
            worst = fmax(worst, rbm_distance(got[s], want, fabs(to - from) * f->bound));
        }
    }
    free(got);
    ebm_batch_free(&batch);
    return worst;
}

/* Log conditionals up to a constant: differences from category 0, another unit in each row. */
static double check_site(potts_fixture *f) {
    ebm_batch batch = potts_states(f);
    ebm_real *logit = calloc(f->S * f->q, sizeof *logit);
    uint32_t *units = calloc(f->S, sizeof *units);
    double worst = 0;
    for (size_t k = 0; k < PATHS; k++)
        for (size_t turn = 0; turn < f->V; turn++) {
            for (size_t s = 0; s < f->S; s++)
                units[s] = (uint32_t)((turn + s) % f->V);
            const ebm_path path = potts_path(f, paths[k].base, paths[k].beta);
            f->model.type->site(&f->model, path, &batch, units, logit, f->work);
            for (size_t s = 0; s < f->S; s++)
                for (size_t c = 1; c < f->q; c++) {
                    const size_t other = potts_with(f, s, units[s], c), zero = potts_with(f, s, units[s], 0);
                    const double want = potts_path_energy(f, paths[k].base, paths[k].beta, zero) -
                                        potts_path_energy(f, paths[k].base, paths[k].beta, other);
                    const double got = (double)logit[s * f->q + c] - (double)logit[s * f->q];
                    worst = fmax(worst, rbm_distance(got, want, 2 * f->bound));
                }
        }
    free(units);
    free(logit);
    ebm_batch_free(&batch);
    return worst;
}

/* Change one unit of every state, another in each (some keep their value), and tell the model. */
static double check_site_changed(potts_fixture *f) {
    ebm_batch batch = potts_states(f);
    ebm_real *before = calloc(f->S, sizeof *before);
    uint32_t *units = calloc(f->S, sizeof *units);
    double worst = 0;
    for (size_t turn = 0; turn < f->V; turn++) {
        for (size_t s = 0; s < f->S; s++) {
            units[s] = (uint32_t)((turn + s) % f->V);
            ebm_real *unit = batch.x + s * f->V + units[s];
            before[s] = *unit;
            *unit = (ebm_real)(((size_t)before[s] + s / f->V) % f->q);
        }
        f->model.type->site_changed(&f->model, &batch, units, before, f->work);
        for (size_t s = 0; s < f->S; s++)
            for (size_t k = 0; k < f->F; k++)
                worst = fmax(worst, rbm_distance(batch.field[s * f->F + k],
                                                 plain_field(f, potts_read(f, batch.x + s * f->V), k), f->bound));
    }
    free(units);
    free(before);
    ebm_batch_free(&batch);
    return worst;
}

static double check_grad_x(potts_fixture *f) {
    ebm_batch batch = potts_states(f);
    ebm_real *grad = calloc(f->S * f->F, sizeof *grad);
    double *field = oracle_memory(f->S * f->F), worst = 0;
    for (size_t n = 0; n < f->S * f->F; n++)
        field[n] = plain_field(f, n / f->F, n % f->F);
    for (size_t k = 0; k < PATHS; k++) {
        const double beta = paths[k].beta;
        f->model.type->grad_x(&f->model, potts_path(f, paths[k].base, beta), &batch, grad, f->work);
        for (size_t n = 0; n < f->S * f->F; n++) {
            const double want = -beta * field[n] - (paths[k].base ? (1 - beta) * f->a[n % f->F] : 0);
            worst = fmax(worst, rbm_distance(grad[n], want, f->bound));
        }
    }
    free(field);
    free(grad);
    ebm_batch_free(&batch);
    return worst;
}

/* Summed in double from the stored numbers: 1e-10 in both builds. */
static double check_log_normaliser(potts_fixture *f) {
    double *p = oracle_memory(f->S), worst = 0, got;
    for (size_t k = 0; k < PATHS; k++) {
        const ebm_path path = potts_path(f, paths[k].base, paths[k].beta);
        CHECK_OK(f->model.type->log_normaliser(&f->model, path, &got, f->work, error));
        const double want = potts_law(f, paths[k].base, paths[k].beta, p);
        worst = fmax(worst, fabs(got - want) / (1e-10 * fmax(1, fabs(want))));
    }
    free(p);
    return worst;
}

static double check_log_base_normaliser(potts_fixture *f) {
    double *p = oracle_memory(f->S), worst = 0;
    for (int base = 0; base < 2; base++) {
        const double got = f->model.type->log_base_normaliser(&f->model, base ? &f->base : NULL);
        worst = fmax(worst, fabs(got - potts_law(f, base, 0, p)) / 1e-10);
    }
    free(p);
    return worst;
}

/* want (n_theta) += weight dE(x)/dtheta: an edge's agreement; half of every entry of the coupling matrix. */
static void add_plain_grad(const potts_fixture *f, size_t code, double weight, double *want) {
    const size_t coupling = f->model.n_theta - f->F;
    for (size_t e = 0; e < f->edges; e++)
        want[e] -= potts_digit(f, code, f->ends[e][0]) == potts_digit(f, code, f->ends[e][1]) ? weight : 0;
    for (size_t i = 0; i < f->V; i++) {
        const size_t k = i * f->q + potts_digit(f, code, i);
        want[coupling + k] -= weight;
        for (size_t j = 0; f->shape.kind == POTTS_DENSE && j < f->V; j++)
            want[k * f->F + j * f->q + potts_digit(f, code, j)] -= i == j ? 0 : weight / 2;
    }
}

/* On top of what grad held. Sums in double of exact numbers, one rounding to ebm_real: 4 u of the largest size, the
 * sum of the weights. */
static double check_grad_theta(potts_fixture *f) {
    ebm_batch batch = potts_states(f);
    const size_t n = f->model.n_theta;
    ebm_real *grad = calloc(n, sizeof *grad), *weight = calloc(f->S, sizeof *weight);
    double *want = oracle_memory(n), worst = 0;
    test_random r = {7};
    for (int weighted = 0; weighted < 2; weighted++) {
        const double scale = weighted ? -0.375 : 1.0 / (double)f->S;
        double total = 1;
        for (size_t k = 0; k < n; k++) {
            want[k] = 0.25;
            grad[k] = (ebm_real)0.25;
        }
        for (size_t s = 0; s < f->S; s++) {
            weight[s] = (ebm_real)(weighted ? test_random_uniform(&r) : 1);
            total += fabs(scale * (double)weight[s]);
            add_plain_grad(f, s, scale * (double)weight[s], want);
        }
        f->model.type->grad_theta(&f->model, &batch, weighted ? weight : NULL, scale, grad, f->work);
        for (size_t k = 0; k < n; k++)
            worst = fmax(worst, rbm_distance(grad[k], want[k], 4 * UNIT_ROUNDOFF * total));
    }
    free(want);
    free(grad);
    free(weight);
    ebm_batch_free(&batch);
    return worst;
}

static double check_expected_grad_theta(potts_fixture *f) {
    const size_t n = f->model.n_theta;
    ebm_real *grad = calloc(n, sizeof *grad);
    double *want = oracle_memory(n), *p = oracle_memory(f->S), log_z = NAN, worst = 0;
    const double plain_log_z = potts_law(f, 0, 1, p);
    for (size_t k = 0; k < n; k++) {
        want[k] = 0.5;
        grad[k] = (ebm_real)0.5;
    }
    for (size_t s = 0; s < f->S; s++)
        add_plain_grad(f, s, -2 * p[s], want);
    CHECK_OK(f->model.type->expected_grad_theta(&f->model, -2.0, grad, &log_z, f->work, error));
    for (size_t k = 0; k < n; k++)
        worst = fmax(worst, rbm_distance(grad[k], want[k], 8 * UNIT_ROUNDOFF));
    worst = fmax(worst, fabs(log_z - plain_log_z) / (1e-10 * fmax(1, fabs(plain_log_z))));
    CHECK_OK(f->model.type->expected_grad_theta(&f->model, 1.0, grad, NULL, f->work, error));
    free(want);
    free(p);
    free(grad);
    return worst;
}

/* Independent draws: chi-square against p, in units of its limit (false alarm 1e-6). */
static double check_sample_exact(potts_fixture *f) {
    enum { DRAWS = 20000 };
    double *p = oracle_memory(f->S), *counts = oracle_memory(f->S), worst = 0;
    ebm_batch batch;
    CHECK_OK(ebm_batch_create(&f->model, DRAWS, &batch, error));
    for (size_t k = 0; k < PATHS; k++) {
        const ebm_path path = potts_path(f, paths[k].base, paths[k].beta);
        chi_square chi = {0, 0};
        batch.field_ok = true;
        CHECK_OK(f->model.type->sample_exact(&f->model, path, &batch, ebm_stream_of(3, EBM_PURPOSE_ESTIMATE), 9, 5 * k,
                                             f->work, error));
        ck_assert(!batch.field_ok);
        memset(counts, 0, f->S * sizeof *counts);
        for (size_t b = 0; b < DRAWS; b++)
            counts[potts_read(f, batch.x + b * f->V)]++;
        potts_law(f, paths[k].base, paths[k].beta, p);
        chi_square_row(&chi, f->S, p, counts);
        worst = fmax(worst, chi.statistic / chi_square_limit(chi.degrees));
    }
    ebm_batch_free(&batch);
    free(p);
    free(counts);
    return worst;
}

/* Energies from the graph that cluster samplers see, and its colours. */
static double check_graph(potts_fixture *f) {
    double worst = 0;
    if (!f->model.type->graph)
        return f->shape.kind == POTTS_DENSE ? 0 : INFINITY;
    const ebm_graph *g = f->model.type->graph(&f->model);
    if (g->units != f->V || g->edges != f->edges)
        return INFINITY;
    for (size_t s = 0; s < f->S; s++) {
        double energy = 0;
        for (size_t e = 0; e < g->edges; e++)
            if (potts_digit(f, s, g->ends[2 * e]) == potts_digit(f, s, g->ends[2 * e + 1]))
                energy -= (double)g->coupling[e];
        for (size_t i = 0; i < f->V; i++)
            energy -= (double)g->field[i * f->q + potts_digit(f, s, i)];
        worst = fmax(worst, fabs(energy - f->energy[s]) / 1e-10);
    }
    for (size_t e = 0; g->colour && e < g->edges; e++)
        worst = g->colour[g->ends[2 * e]] != g->colour[g->ends[2 * e + 1]] ? worst : INFINITY;
    return worst;
}

static const struct {
    const char *name;
    double (*worst)(potts_fixture *f);
} checks[] = {{"field", check_field},
              {"energy", check_energy},
              {"energy_difference", check_energy_difference},
              {"site", check_site},
              {"site_changed", check_site_changed},
              {"grad_x", check_grad_x},
              {"log_normaliser", check_log_normaliser},
              {"log_base_normaliser", check_log_base_normaliser},
              {"grad_theta", check_grad_theta},
              {"expected_grad_theta", check_expected_grad_theta},
              {"sample_exact", check_sample_exact},
              {"graph", check_graph}};
enum { CHECKS = sizeof checks / sizeof checks[0] };

#endif
