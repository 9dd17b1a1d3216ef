/* Descent in energy: against its definition on machines whose couplings are small whole numbers, so that every field is
 * exact and the states must agree to the last bit, ties included; against the energy, change by change, on machines of
 * real couplings; synchronous cycles; limits on changes. Nothing here is random but by fixed seeds. */
#include "rbm_fixture.h"

#include "core/row_kernels.h"
#include "ebm/enumerate.h"
#include "ebm/sampler.h"

enum { MOST_UNITS = 500 };

/* A dense machine and chains of it. */
typedef struct machine {
    size_t V, B;
    ebm_model_type type; /* a copy, which may lack its fused sweeps */
    void *options;
    ebm_model model;
    ebm_work *work;
    const ebm_sampler_type *descent;
    void *sampler_options;
    ebm_sampler sampler;
    ebm_chains chains;
} machine;

typedef struct setting {
    const char *order, *sweeps, *flips;
    bool spin, fused;
    int threads;
} setting;

static void machine_open(machine *m, size_t V, size_t B, setting s) {
    const ebm_model_type *type =
        (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, s.spin ? "hopfield" : "boltzmann");
    char units[24];
    snprintf(units, sizeof units, "%zu", V);
    const char *of_model[] = {"units", units, s.spin ? NULL : "init", "zero", NULL};
    const char *of_sampler[] = {"order", s.order, "sweeps", s.sweeps, "flips", s.flips, NULL};
    *m = (machine){.V = V, .B = B, .type = *type};
    if (!s.fused)
        m->type.sweep = NULL;
    m->options = test_options(&type->info, of_model);
    CHECK_OK(ebm_work_create(s.threads, &m->work, error));
    CHECK_OK(ebm_model_create(&m->type, m->options, NULL, NULL, 1, &m->model, error));
    m->descent = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "descent");
    m->sampler_options = test_options(&m->descent->info, of_sampler);
    CHECK_OK(ebm_sampler_create(m->descent, m->sampler_options, &m->model, &m->sampler, error));
    CHECK_OK(ebm_chains_create(&m->model, B, ebm_stream_of(8, EBM_PURPOSE_SAMPLE), &m->chains, error));
    m->chains.first_chain = 11;
    m->chains.step = 40;
}

static void machine_close(machine *m) {
    ebm_chains_free(&m->chains);
    ebm_sampler_free(&m->sampler);
    test_options_free(&m->descent->info, m->sampler_options);
    ebm_model_free(&m->model);
    test_options_free(&m->type.info, m->options);
    ebm_work_free(m->work);
}

static ebm_real *couplings(const machine *m) {
    return ebm_model_view(&m->model, "W");
}
static ebm_real *biases(const machine *m) {
    return ebm_model_view(&m->model, "bias");
}

/* Couplings and biases: whole numbers -2 ... 2 (most fields tie somewhere), or normal ones. */
static void draw_machine(machine *m, bool whole, uint64_t seed) {
    test_random r = {seed};
    for (size_t i = 0; i < m->V; i++) {
        for (size_t j = i + 1; j < m->V; j++) {
            const double w = whole ? floor(5 * test_random_uniform(&r)) - 2 : 0.1 * test_random_normal(&r);
            couplings(m)[i * m->V + j] = couplings(m)[j * m->V + i] = (ebm_real)w;
        }
        biases(m)[i] = (ebm_real)(whole ? floor(3 * test_random_uniform(&r)) - 1 : 0.2 * test_random_normal(&r));
    }
    ebm_model_refresh(&m->model, m->work);
}

static ebm_real down_of(const machine *m) {
    return m->model.space.domain == EBM_SPIN ? -1 : 0;
}

static void draw_start(machine *m, uint64_t seed) {
    for (size_t b = 0; b < m->B; b++) {
        test_random r = {seed + b};
        for (size_t i = 0; i < m->V; i++)
            m->chains.batch.x[b * m->V + i] = test_random_uniform(&r) < 0.5 ? 1 : down_of(m);
    }
    m->chains.batch.field_ok = false;
}

static void step(machine *m, size_t steps) {
    CHECK_OK(m->descent->step(&m->sampler, &m->model, ebm_path_end(), &m->chains, steps, m->work, error));
}

static double field_of(const machine *m, const ebm_real *x, size_t i) {
    double f = (double)biases(m)[i];
    for (size_t j = 0; j < m->V; j++)
        f += (double)couplings(m)[i * m->V + j] * (double)x[j];
    return f;
}

/* E and, in *size, the sum of |terms|. */
static double energy_of(const machine *m, const ebm_real *x, double *size) {
    double energy = 0, sum = 0;
    for (size_t i = 0; i < m->V; i++) {
        energy -= 0.5 * (double)x[i] * (field_of(m, x, i) + (double)biases(m)[i]);
        for (size_t j = 0; size && j < m->V; j++)
            sum += fabs((double)couplings(m)[i * m->V + j]);
        sum += fabs((double)biases(m)[i]);
    }
    if (size)
        *size = sum;
    return energy;
}

/* ---- The definition ---- */

static ebm_real plain_value(const machine *m, const ebm_real *x, size_t i) {
    const double f = field_of(m, x, i);
    return f > 0 ? 1 : f < 0 ? down_of(m) : x[i];
}

/* One sweep of row b; returns how many units changed. */
static size_t plain_sweep(const machine *m, const char *order, uint64_t step_number, size_t b, size_t *left,
                          ebm_real *x) {
    uint32_t units[MOST_UNITS];
    ebm_real old[MOST_UNITS];
    size_t changed = 0;
    const bool together = strcmp(order, "synchronous") == 0;
    for (size_t k = 0; k < m->V; k++)
        units[k] = (uint32_t)k;
    if (strcmp(order, "random") == 0)
        ebm_random_order(m->chains.stream, m->chains.first_chain + (uint32_t)b, step_number, m->V, units);
    memcpy(old, x, m->V * sizeof *x);
    for (size_t k = 0; k < m->V; k++) {
        const ebm_real to = plain_value(m, together ? old : x, units[k]);
        if (to == x[units[k]] || *left == 0)
            continue;
        x[units[k]] = to;
        changed++;
        --*left;
    }
    return changed;
}

static const setting settings[] = {
    {"fixed", "1", "0", true, true, 1},        {"fixed", "1", "0", false, true, 1},
    {"random", "1", "0", true, true, 1},       {"random", "1", "0", false, true, 1},
    {"fixed", "3", "0", true, false, 1},       {"random", "3", "0", false, false, 1},
    {"fixed", "2", "5", true, true, 1},        {"fixed", "2", "5", false, false, 1},
    {"random", "2", "5", false, true, 1},      {"random", "3", "1", true, false, 1},
    {"synchronous", "1", "0", true, true, 1},  {"synchronous", "2", "0", false, true, 1},
    {"synchronous", "2", "0", true, false, 1}, {"random", "4", "0", true, true, 3},
    {"fixed", "4", "7", true, true, 2},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

/* Whether `steps` steps are what the definition says, states and counts; 0: no, 1: yes, and in *ties how many units met a
 * field of 0 in the states passed. */
static bool is_defined(setting s, size_t V, size_t steps, size_t calls, size_t *ties) {
    enum { CHAINS = 9 };
    machine m;
    machine_open(&m, V, CHAINS, s);
    draw_machine(&m, true, V);
    draw_start(&m, 77);
    ebm_real *x = calloc(CHAINS * V, sizeof *x);
    const size_t sweeps = (size_t)atoi(s.sweeps), flips = (size_t)atoi(s.flips);
    uint64_t number = m.chains.step;
    size_t changed = 0;
    memcpy(x, m.chains.batch.x, CHAINS * V * sizeof *x);
    for (size_t k = 0; k < steps; k++, number += sweeps)
        for (size_t b = 0; b < CHAINS; b++) {
            size_t left = flips ? flips : SIZE_MAX;
            for (size_t n = 0; n < sweeps; n++)
                changed += plain_sweep(&m, s.order, number + n, b, &left, x + b * V);
            for (size_t i = 0; i < V; i++)
                *ties += field_of(&m, x + b * V, i) == 0;
        }
    for (size_t k = 0; k < calls; k++)
        step(&m, steps / calls);
    const bool same = memcmp(x, m.chains.batch.x, CHAINS * V * sizeof *x) == 0 && m.chains.step == number &&
                      m.chains.accepted == (double)changed &&
                      m.chains.site_updates == (uint64_t)steps * sweeps * CHAINS * V;
    free(x);
    machine_close(&m);
    return same;
}

static const size_t sizes[] = {1, 2, 7, 32, 33, 100, 131};
enum { SIZES = sizeof sizes / sizeof *sizes };

START_TEST(test_descent_is_its_definition) {
    size_t ties = 0;
    for (size_t k = 0; k < SIZES; k++)
        for (size_t calls = 1; calls <= 4; calls += 3)
            ck_assert_msg(is_defined(settings[_i], sizes[k], 4, calls, &ties), "%zu units in %zu calls", sizes[k],
                          calls);
    ck_assert_uint_gt(ties, 50);
}
END_TEST

START_TEST(test_descent_is_its_definition_on_every_instruction_set) {
    static const char *const names[] = {"baseline", "avx2", "avx512"};
    size_t ties = 0;
    for (size_t n = 0; n < 3; n++) {
        const ebm_row_kernels *kernels = ebm_row_kernels_named(names[n]);
        ebm_row_kernels_use(kernels);
        for (size_t k = 0; kernels && k < SIZES; k++)
            ck_assert_msg(is_defined(settings[_i], sizes[k], 4, 1, &ties), "%s, %zu units", names[n], sizes[k]);
    }
    ck_assert_msg(is_defined(settings[_i], 500, 3, 1, &ties), "500 units");
    ebm_row_kernels_use(NULL);
}
END_TEST

/* ---- Energy ---- */

/* One change a step: E falls by what the kept field says, and the sum of what it says is E recomputed. A kept field has
 * been rounded V / 4 + 4 times when it was made and once a change: it is off by (V / 4 + 4 + changes) u sum |terms|, and
 * the change of E by twice that. Returns the largest excess over these bounds, and in double over 1e-9 V. */
static double energy_excess(setting s, size_t V, size_t B, double *changes) {
    machine m;
    machine_open(&m, V, B, s);
    draw_machine(&m, false, 5);
    draw_start(&m, 1);
    double *energy = calloc(B, sizeof *energy), *bound = calloc(B, sizeof *bound), worst = 0, before = -1;
    ebm_real *x = calloc(B * V, sizeof *x), *field = calloc(B * V, sizeof *field);
    double *size = calloc(V, sizeof *size);
    size_t steps = 0;
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < V; j++)
            size[i] += fabs((double)couplings(&m)[i * V + j]) + (j == i ? fabs((double)biases(&m)[i]) : 0);
    for (size_t b = 0; b < B; b++)
        energy[b] = energy_of(&m, m.chains.batch.x + b * V, NULL);
    while (m.chains.accepted != before) {
        before = m.chains.accepted;
        ebm_model_field(&m.model, &m.chains.batch, m.work);
        memcpy(x, m.chains.batch.x, B * V * sizeof *x);
        memcpy(field, m.chains.batch.field, B * V * sizeof *field);
        step(&m, 1);
        steps++;
        for (size_t k = 0; k < B * V; k++) {
            const double change = (double)m.chains.batch.x[k] - (double)x[k];
            if (change == 0)
                continue;
            const double off = 2 * UNIT_ROUNDOFF * ((double)V / 4 + 4 + (double)steps) * size[k % V];
            energy[k / V] -= change * (double)field[k];
            bound[k / V] += off;
            worst = change * (double)field[k] > 0 ? worst : INFINITY; /* E did not fall */
        }
    }
    *changes = m.chains.accepted;
    for (size_t b = 0; b < B; b++) {
        double terms;
        const double off = fabs(energy[b] - energy_of(&m, m.chains.batch.x + b * V, &terms));
        worst = fmax(worst, off / (bound[b] + 0x1p-50 * terms));
        if (sizeof(ebm_real) == sizeof(double))
            worst = fmax(worst, off / (1e-9 * (double)V));
        for (size_t i = 0; i < V; i++) { /* a fixed point: no unit would lower E by more than its field may be off */
            const ebm_real *at = m.chains.batch.x + b * V;
            const double other = at[i] > 0 ? (double)down_of(&m) : 1, f = field_of(&m, at, i);
            const double fall = (other - (double)at[i]) * f;
            worst = fmax(worst, fall / (2 * UNIT_ROUNDOFF * ((double)V / 4 + 4 + (double)steps) * size[i]));
        }
    }
    free(energy), free(bound), free(x), free(field), free(size);
    machine_close(&m);
    return worst;
}

START_TEST(test_descent_lowers_the_energy_with_every_change) {
    static const setting one[] = {{"fixed", "1", "1", true, true, 1},
                                  {"random", "1", "1", true, true, 1},
                                  {"fixed", "1", "1", false, true, 1},
                                  {"fixed", "1", "1", true, false, 1},
                                  {"random", "1", "1", false, false, 1}};
    double changes;
    const double excess = energy_excess(one[_i], 150, 40, &changes);
    ck_assert_msg(excess <= 1 && changes > 40 * 50, "%g changes: %g", changes, excess);
}
END_TEST

/* 10^6 changes. */
START_TEST(test_descent_keeps_the_energy_over_many_changes) {
    const setting s = {"fixed", "1", "1", true, true, 1};
    double changes;
    const double excess = energy_excess(s, 200, 12000, &changes);
    ck_assert_msg(excess <= 1 && changes > 1e6, "%g changes: %g", changes, excess);
}
END_TEST

/* ---- Cycles ---- */

START_TEST(test_descent_synchronous_cycles) {
    for (int sign = -1; sign <= 1; sign += 2) {
        const setting together = {"synchronous", "1", "0", true, true, 1}, in_turn = {"fixed", "1", "0", true, true, 1};
        machine m, n;
        machine_open(&m, 2, 4, together);
        machine_open(&n, 2, 4, in_turn);
        couplings(&m)[1] = couplings(&m)[2] = couplings(&n)[1] = couplings(&n)[2] = (ebm_real)sign;
        for (size_t b = 0; b < 4; b++)
            ebm_states_fill(&m.model.space, b, 1, m.chains.batch.x + 2 * b);
        ebm_real start[8];
        memcpy(start, m.chains.batch.x, sizeof start);
        memcpy(n.chains.batch.x, start, sizeof start);
        step(&m, 1);
        for (size_t b = 0; b < 4; b++) /* satisfied pairs stay, the others turn over together */
            for (size_t i = 0; i < 2; i++)
                ck_assert(m.chains.batch.x[2 * b + i] ==
                          (start[2 * b] * start[2 * b + 1] == sign ? 1 : -1) * start[2 * b + i]);
        ck_assert_double_eq(m.chains.accepted, 4);
        step(&m, 1);
        ck_assert_int_eq(memcmp(m.chains.batch.x, start, sizeof start), 0);
        step(&n, 1);
        for (size_t b = 0; b < 4; b++)
            ck_assert(n.chains.batch.x[2 * b] * n.chains.batch.x[2 * b + 1] == sign);
        ck_assert_double_eq(n.chains.accepted, 2);
        machine_close(&m);
        machine_close(&n);
    }
}
END_TEST

/* With symmetric couplings a synchronous walk ends in a fixed point or a cycle of 2 (Goles, Fogelman & Pellegrin 1985);
 * with whole numbers, fields are exact. Ties that stay do not spoil it: V + 1/2 sum |..| bounds the transient. */
START_TEST(test_descent_synchronous_walks_end_in_cycles_of_two) {
    const setting s = {"synchronous", "1", "0", true, true, 1};
    machine m;
    machine_open(&m, 40, 200, s);
    draw_machine(&m, true, 3);
    for (size_t i = 0; i < 40; i++)
        biases(&m)[i] = (ebm_real)0.5; /* no ties */
    draw_start(&m, 9);
    step(&m, 1000);
    ebm_real *x = calloc(200 * 40, sizeof *x);
    memcpy(x, m.chains.batch.x, 200 * 40 * sizeof *x);
    const double before = m.chains.accepted;
    step(&m, 1);
    ck_assert_double_gt(m.chains.accepted, before); /* some do cycle */
    step(&m, 1);
    ck_assert_int_eq(memcmp(x, m.chains.batch.x, 200 * 40 * sizeof *x), 0);
    free(x);
    machine_close(&m);
}
END_TEST

/* ---- Other models ---- */

/* One sweep over every state of a small model through `site`, against energies of whole states: each unit in turn takes
 * the value of lowest energy, its own where it is among them. Couplings make every energy a multiple of 1/4. */
static void check_every_state(const char *name, const char *const *of_model) {
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, name);
    const ebm_sampler_type *descent = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "descent");
    void *options = test_options(&type->info, of_model), *own = test_options(&descent->info, NULL);
    ebm_work *work;
    ebm_model model;
    ebm_sampler sampler;
    ebm_chains chains;
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_model_create(type, options, NULL, NULL, 1, &model, error));
    CHECK_OK(ebm_sampler_create(descent, own, &model, &sampler, error));
    const size_t S = ebm_states_count(&model.space), V = model.space.size, q = model.space.categories;
    CHECK_OK(ebm_chains_create(&model, S, ebm_stream_of(1, EBM_PURPOSE_SAMPLE), &chains, error));
    double *energy = calloc(S, sizeof *energy);
    ebm_states_fill(&model.space, 0, S, chains.batch.x);
    ebm_model_field(&model, &chains.batch, work);
    type->energy(&model, ebm_path_end(), &chains.batch, energy, work);
    CHECK_OK(descent->step(&sampler, &model, ebm_path_end(), &chains, 1, work, error));
    size_t ties = 0;
    for (size_t s = 0; s < S; s++) {
        size_t at = s, weight = 1;
        for (size_t i = 0; i < V; i++, weight *= q) {
            const size_t rest = at - at / weight % q * weight;
            size_t best = at;
            for (size_t c = 0; c < q; c++) {
                ties += energy[rest + c * weight] == energy[at] && rest + c * weight != at;
                best = energy[rest + c * weight] < energy[best] - 0.1 ? rest + c * weight : best;
            }
            at = best;
        }
        ck_assert_uint_eq(ebm_states_code(&model.space, chains.batch.x + s * V), at);
    }
    ck_assert_uint_gt(ties, S / 8);
    free(energy);
    ebm_chains_free(&chains);
    ebm_sampler_free(&sampler);
    ebm_model_free(&model);
    test_options_free(&type->info, options);
    test_options_free(&descent->info, own);
    ebm_work_free(work);
}

START_TEST(test_descent_of_lattices) {
    static const char *const ising[] = {"side", "3", "coupling", "0.5", "lattice", "grid", NULL};
    static const char *const torus[] = {"side", "4", "coupling", "-0.25", NULL};
    static const char *const potts[] = {"rows",       "2", "columns",  "3",   "lattice", "grid",
                                        "categories", "3", "coupling", "0.5", NULL};
    check_every_state("ising", ising);
    check_every_state("ising", torus);
    check_every_state("potts", potts);
}
END_TEST

START_TEST(test_descent_refuses_limits_of_synchronous_steps) {
    const ebm_sampler_type *descent = (const ebm_sampler_type *)ebm_component_find(EBM_KIND_SAMPLER, "descent");
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "hopfield");
    static const char *const pairs[] = {"order", "synchronous", "flips", "3", NULL};
    void *options = test_options(&descent->info, pairs);
    ebm_error refusal = {0};
    ck_assert_int_eq(ebm_sampler_check(descent, options, type, &refusal), EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(refusal.message, "synchronous"));
    ck_assert(!descent->exact && !descent->kernel);
    test_options_free(&descent->info, options);
}
END_TEST

/* ---- Planted mistakes ---- */

static const ebm_dense_kernels *honest;
static int planted;

static void wrong_rows(size_t count, const ebm_real *const *rows, const ebm_real *factor, size_t n, ebm_real *out) {
    ebm_real wrong[64];
    for (size_t k = 0; k < count; k++)
        wrong[k] = planted == 1 ? 0 : planted == 2 ? -factor[k] : factor[k] / 2;
    honest->add_rows(planted == 4 && count > 1 ? count - 1 : count, rows, planted == 4 ? factor : wrong, n, out);
}

START_TEST(test_descent_checks_see_planted_errors) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    ebm_row_kernels wrong = *kernels;
    ebm_dense_kernels wrong_dense = *kernels->dense;
    honest = kernels->dense;
    wrong_dense.add_rows = wrong_rows;
    wrong.dense = &wrong_dense;
    ebm_row_kernels_use(&wrong);
    for (planted = 1; planted <= 4; planted++) {
        size_t ties = 0;
        ck_assert_msg(!is_defined(settings[0], 100, 4, 1, &ties), "not seen: %d", planted);
        if (planted < 4)
            ck_assert_msg(!is_defined(settings[2], 100, 4, 1, &ties), "not seen in random order: %d", planted);
        const setting one = {"fixed", "1", "1", true, true, 1};
        double changes;
        if (planted == 1) /* the others may go on for ever */
            ck_assert_double_gt(energy_excess(one, 50, 20, &changes), 1);
    }
    ebm_row_kernels_use(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("descent");
    TCase *checks = tcase_create("descent");
    tcase_set_timeout(checks, 600);
    tcase_add_loop_test(checks, test_descent_is_its_definition, 0, SETTINGS);
    tcase_add_loop_test(checks, test_descent_is_its_definition_on_every_instruction_set, 0, SETTINGS);
    tcase_add_loop_test(checks, test_descent_lowers_the_energy_with_every_change, 0, 5);
    tcase_add_test(checks, test_descent_keeps_the_energy_over_many_changes);
    tcase_add_test(checks, test_descent_synchronous_cycles);
    tcase_add_test(checks, test_descent_synchronous_walks_end_in_cycles_of_two);
    tcase_add_test(checks, test_descent_of_lattices);
    tcase_add_test(checks, test_descent_refuses_limits_of_synchronous_steps);
    tcase_add_test(checks, test_descent_checks_see_planted_errors);
    suite_add_tcase(suite, checks);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
