/* Minimum cuts: against enumeration where there are few units, by a certificate that is checked on its own where there
 * are many. */
#include "rbm_fixture.h"

#include "ebm/graph_cut.h"
#include "estimators/graph_cut.h"
#include "models/graph.h"

enum { MOST_SMALL = 16 };

/* A graph with numbers of its own. */
typedef struct spins {
    ebm_graph graph;
    ebm_real *coupling, *field, *y;
    ebm_work *work;
} spins;

static void spins_finish(spins *s) {
    const size_t E = s->graph.edges, V = s->graph.units;
    s->coupling = calloc(E + 1, sizeof *s->coupling);
    s->field = calloc(V, sizeof *s->field);
    s->y = calloc(V, sizeof *s->y);
    ck_assert(s->coupling && s->field && s->y);
    s->graph.coupling = s->coupling;
    s->graph.field = s->field;
    CHECK_OK(ebm_work_create(1, &s->work, error));
}

static spins spins_lattice(ebm_lattice lattice, size_t rows, size_t columns) {
    spins s;
    CHECK_OK(ebm_graph_lattice(lattice, rows, columns, &s.graph, error));
    spins_finish(&s);
    return s;
}

/* Every pair with probability p. */
static spins spins_random(size_t units, double p, test_random *r) {
    spins s;
    uint32_t ends[MOST_SMALL * MOST_SMALL];
    size_t edges = 0;
    for (uint32_t i = 0; i < units; i++)
        for (uint32_t j = i + 1; j < units; j++)
            if (test_random_uniform(r) < p) {
                ends[2 * edges] = i;
                ends[2 * edges++ + 1] = j;
            }
    CHECK_OK(ebm_graph_from_edges(units, edges, ends, &s.graph, error));
    spins_finish(&s);
    return s;
}

static void spins_close(spins *s) {
    ebm_graph_free(&s->graph);
    free(s->coupling);
    free(s->field);
    free(s->y);
    ebm_work_free(s->work);
}

static ebm_cut solve(spins *s) {
    ebm_cut cut;
    CHECK_OK(ebm_graph_cut(&s->graph, s->y, &cut, s->work, error));
    if (cut.flow != cut.cut)
        ck_abort_msg("a flow of %lld units, a cut of %lld", (long long)cut.flow, (long long)cut.cut);
    return cut;
}

/* The least energy over all states, each from the one before it by one flip (Gray code), and the union of the units
 * that are up in any state of that energy. Energies are sums of whole numbers below 2^20: exact. */
typedef struct best {
    double energy;
    size_t up;
} best;

static best enumerate(const spins *s) {
    const ebm_graph *g = &s->graph;
    double energy = 0, y[MOST_SMALL];
    for (size_t i = 0; i < g->units; i++) {
        y[i] = -1;
        energy += (double)s->field[i];
    }
    for (size_t e = 0; e < g->edges; e++)
        energy -= (double)s->coupling[e];
    best b = {energy, 0};
    size_t code = 0;
    for (size_t n = 1; n < (size_t)1 << g->units; n++) {
        const size_t i = (size_t)__builtin_ctzll(n);
        double seen = (double)s->field[i];
        for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
            seen += (double)s->coupling[g->neighbour_edge[k]] * y[g->neighbour[k]];
        energy += 2 * y[i] * seen;
        y[i] = -y[i];
        code ^= (size_t)1 << i;
        if (energy < b.energy)
            b = (best){energy, code};
        else if (energy == b.energy)
            b.up |= code;
    }
    return b;
}

static size_t code_of(const spins *s) {
    size_t code = 0;
    for (size_t i = 0; i < s->graph.units; i++)
        code |= (size_t)(s->y[i] > 0) << i;
    return code;
}

/* Whole numbers from low to high. */
static double whole_between(test_random *r, int low, int high) {
    return low + (double)(test_random_word(r) % (uint64_t)(high - low + 1));
}

/* All in whole numbers, so that equal means equal: the energy, and the largest of the best states. */
static void check_whole(spins *s, const char *what, size_t number) {
    const ebm_cut cut = solve(s);
    const best b = enumerate(s);
    if (cut.energy != b.energy || code_of(s) != b.up || cut.slack != 0)
        ck_abort_msg("%s %zu: energy %g of state %zx, expected %g of %zx; slack %g", what, number, cut.energy,
                     code_of(s), b.energy, b.up, cut.slack);
}

START_TEST(test_graph_cut_equals_enumeration_on_pictures) {
    test_random r = {1};
    for (size_t n = 0; n < 3000; n++) {
        spins s = spins_lattice(n % 4 == 3 ? EBM_LATTICE_TORUS : EBM_LATTICE_GRID, 4, 4);
        const int J = 1 + (int)(n % 5), h = (int)(n / 5 % 7);
        for (size_t e = 0; e < s.graph.edges; e++)
            s.coupling[e] = (ebm_real)(n % 2 ? J : whole_between(&r, 0, J));
        for (size_t i = 0; i < s.graph.units; i++) /* a corrupted picture: fields of one size; or fields of any */
            s.field[i] = (ebm_real)(n % 3 ? (test_random_word(&r) >> 63 ? h : -h) : whole_between(&r, -h, h));
        check_whole(&s, "picture", n);
        spins_close(&s);
    }
}
END_TEST

START_TEST(test_graph_cut_equals_enumeration_on_graphs) {
    test_random r = {2};
    for (size_t n = 0; n < 3000; n++) { /* sparse ones fall apart into pieces */
        spins s = spins_random(12, (double)(n % 10) / 9, &r);
        for (size_t e = 0; e < s.graph.edges; e++)
            s.coupling[e] = (ebm_real)whole_between(&r, 0, 6);
        for (size_t i = 0; i < s.graph.units; i++)
            s.field[i] = (ebm_real)whole_between(&r, -20, 20);
        check_whole(&s, "graph", n);
        spins_close(&s);
    }
}
END_TEST

/* With any numbers: the energy found may lie above the least by its slack, and both sums of at most 78 terms by
 * rounding: 4096 changes of an energy below 200, each off by 2^-53 of it, are 1e-10 at most. */
START_TEST(test_graph_cut_equals_enumeration_of_real_numbers) {
    test_random r = {3};
    double worst_slack = 0;
    for (size_t n = 0; n < 1000; n++) {
        spins s = spins_random(12, 0.5, &r);
        for (size_t e = 0; e < s.graph.edges; e++)
            s.coupling[e] = (ebm_real)fabs(test_random_normal(&r));
        for (size_t i = 0; i < s.graph.units; i++)
            s.field[i] = (ebm_real)(3 * test_random_normal(&r));
        const ebm_cut cut = solve(&s);
        const double gap = cut.energy - enumerate(&s).energy;
        worst_slack = fmax(worst_slack, cut.slack);
        if (!(fabs(gap) < 1e-10 + cut.slack))
            ck_abort_msg("graph %zu: %g above the least energy, slack %g", n, gap, cut.slack);
        spins_close(&s);
    }
    ck_assert_double_lt(worst_slack, sizeof(ebm_real) == 4 ? 1e-12 : 1e-10);
}
END_TEST

/* Capacities from 1 to 2^80, which no whole numbers of 63 bits hold: the slack says so, and is kept. */
START_TEST(test_graph_cut_slack_is_kept) {
    test_random r = {4};
    for (size_t n = 0; n < 300; n++) {
        spins s = spins_random(12, 0.4, &r);
        for (size_t e = 0; e < s.graph.edges; e++)
            s.coupling[e] = (ebm_real)ldexp(1 + test_random_uniform(&r), (int)whole_between(&r, 0, 80));
        for (size_t i = 0; i < s.graph.units; i++)
            s.field[i] = (ebm_real)ldexp(1 - 2 * test_random_uniform(&r), (int)whole_between(&r, 0, 80));
        const ebm_cut cut = solve(&s);
        const double least = enumerate(&s).energy;
        ck_assert(cut.slack > 0);
        if (!(cut.energy - least < cut.slack + 1e-10 * fabs(least)))
            ck_abort_msg("graph %zu: %g above the least energy, slack %g", n, cut.energy - least, cut.slack);
        spins_close(&s);
    }
}
END_TEST

START_TEST(test_graph_cut_without_fields_or_couplings) {
    spins s = spins_lattice(EBM_LATTICE_GRID, 4, 4);
    solve(&s); /* nothing but zeros: every state is best, the largest has all units up */
    ck_assert_uint_eq(code_of(&s), 0xffff);
    for (size_t e = 0; e < s.graph.edges; e++)
        s.coupling[e] = 2;
    ck_assert(solve(&s).energy == -48);
    ck_assert_uint_eq(code_of(&s), 0xffff);
    s.field[5] = (ebm_real)-0.25; /* all go along with the only field there is */
    ck_assert(solve(&s).energy == -48.25);
    ck_assert_uint_eq(code_of(&s), 0);
    memset(s.coupling, 0, s.graph.edges * sizeof *s.coupling);
    s.field[7] = 3;
    ck_assert(solve(&s).energy == -3.25); /* each with its own field; up without one */
    ck_assert_uint_eq(code_of(&s), 0xffff ^ 1 << 5);
    spins_close(&s);
}
END_TEST

START_TEST(test_graph_cut_of_pieces_and_single_units) {
    static const uint32_t ends[] = {0, 1, 1, 2, 4, 5, 5, 6}; /* 3 and 7 alone */
    spins s;
    CHECK_OK(ebm_graph_from_edges(8, 4, ends, &s.graph, error));
    spins_finish(&s);
    for (size_t e = 0; e < 4; e++)
        s.coupling[e] = 1;
    s.field[0] = -5;
    s.field[4] = 5;
    s.field[6] = -1;
    s.field[7] = -2;
    check_whole(&s, "pieces", 0);
    ck_assert_uint_eq(code_of(&s), 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6);
    spins_close(&s);
    spins one;
    CHECK_OK(ebm_graph_from_edges(1, 0, NULL, &one.graph, error));
    spins_finish(&one);
    one.field[0] = (ebm_real)-0.5;
    ck_assert(solve(&one).energy == -0.5 && one.y[0] == -1);
    spins_close(&one);
}
END_TEST

/* ---- Many units: the flow itself is the proof ---- */

/* No arc carries more than its capacity, as much flows one way as is lacking the other; what a node has got and not
 * passed on is its excess, not negative; `flow` arrives at the sink; the nodes that reach the sink and those that do not
 * are parted by a cut of that capacity. Then no flow is larger and no cut smaller, whoever found them. */
static void certify(spins *s) {
    const ebm_graph *g = &s->graph;
    const size_t V = g->units;
    ebm_cut_capacities c;
    ebm_network net;
    int64_t flow, arrived = 0, cut = 0;
    CHECK_OK(ebm_cut_capacities_take(g, &c, s->work, error));
    CHECK_OK(ebm_cut_network_take(g, &c, &net, s->work, error));
    uint8_t *reaches = ebm_work_take(s->work, V, 1);
    ck_assert_ptr_nonnull(reaches);
    CHECK_OK(ebm_max_flow(&net, &flow, reaches, s->work, error));
    for (size_t i = 0; i < V; i++) {
        int64_t got = c.unit[i] > 0 ? c.unit[i] : 0;
        const int64_t sink = c.unit[i] < 0 ? -c.unit[i] : 0;
        for (size_t k = g->first[i]; k < g->first[i + 1]; k++) {
            const int64_t capacity = c.edge[g->neighbour_edge[k]], left = net.residual[k];
            if (g->neighbour[net.reverse[k]] != i || left < 0 || left > 2 * capacity ||
                left + net.residual[net.reverse[k]] != 2 * capacity)
                ck_abort_msg("unit %zu, arc %zu: %lld of %lld left, or no way back", i, k, (long long)left,
                             (long long)capacity);
            got += left - capacity;
            cut += !reaches[i] && reaches[g->neighbour[k]] ? capacity : 0;
        }
        if (net.sink[i] < 0 || net.sink[i] > sink || net.excess[i] < 0)
            ck_abort_msg("unit %zu sends %lld of %lld to the sink and keeps %lld", i, (long long)(sink - net.sink[i]),
                         (long long)sink, (long long)net.excess[i]);
        if (got - (sink - net.sink[i]) != net.excess[i])
            ck_abort_msg("unit %zu: what arrives and does not leave is not its excess", i);
        arrived += sink - net.sink[i];
        cut += reaches[i] ? (c.unit[i] > 0 ? c.unit[i] : 0) : sink;
    }
    ck_assert_int_eq(flow, arrived);
    ck_assert_int_eq(flow, cut);
}

static void certify_and_solve(spins *s) {
    certify(s);
    const ebm_cut found = solve(s);
    double sum = 0;
    for (size_t e = 0; e < s->graph.edges; e++)
        sum += (double)s->coupling[e];
    for (size_t i = 0; i < s->graph.units; i++)
        sum += fabs((double)s->field[i]);
    /* E = -sum J - sum |h| + 2 C: two sums of up to 200,000 terms, each term off by 2^-53 of the sum at most. */
    ck_assert_double_lt(fabs(found.energy - (2 * found.unit * (double)found.cut - sum)), 1e-10 * sum + found.slack);
}

START_TEST(test_graph_cut_certificate_on_large_pictures) {
    test_random r = {5};
    spins s = spins_lattice(EBM_LATTICE_GRID, 256, 256);
    for (int kind = 0; kind < 5; kind++) {
        for (size_t e = 0; e < s.graph.edges; e++)
            s.coupling[e] = (ebm_real)(kind < 3 ? 0.7 : fabs(test_random_normal(&r)));
        for (size_t i = 0; i < s.graph.units; i++) {
            const double x = (double)(i % 256) - 128, y = (double)(i / 256) - 128;
            const double truth = x * x + y * y < 90 * 90 ? 1 : -1, flip = test_random_uniform(&r) < 0.2 ? -1 : 1;
            s.field[i] = (ebm_real)(kind == 0   ? 0.693 * truth * flip
                                    : kind == 1 ? (flip < 0 ? 1 : -1)
                                    : kind == 2 ? (i < 256            ? 50
                                                   : i >= 65536 - 256 ? -50
                                                                      : 0) /* from edge to edge */
                                    : kind == 3 ? test_random_normal(&r)
                                                : (i == 0) - (i == 65535)); /* from corner to corner */
        }
        certify_and_solve(&s);
    }
    spins_close(&s);
}
END_TEST

START_TEST(test_graph_cut_certificate_on_other_graphs) {
    test_random r = {6};
    spins graphs[] = {spins_lattice(EBM_LATTICE_TORUS, 101, 99), spins_lattice(EBM_LATTICE_GRID, 1, 20000),
                      spins_lattice(EBM_LATTICE_COMPLETE, 1, 200)};
    for (size_t k = 0; k < sizeof graphs / sizeof graphs[0]; k++) {
        spins *s = &graphs[k];
        for (int again = 0; again < 3; again++) {
            for (size_t e = 0; e < s->graph.edges; e++)
                s->coupling[e] = (ebm_real)(test_random_uniform(&r) * (again + 1) / (k == 2 ? 20 : 1));
            for (size_t i = 0; i < s->graph.units; i++)
                s->field[i] = (ebm_real)test_random_normal(&r);
            certify_and_solve(s);
        }
        spins_close(s);
    }
}
END_TEST

/* ---- Energies, and what is refused ---- */

START_TEST(test_graph_spin_energy_is_the_models) {
    static const char *const pairs[] = {"rows", "9",        "columns", "11",       "lattice",  "grid", "field",
                                        "0.3",  "coupling", "0.8",     "disorder", "gaussian", NULL};
    const ebm_model_type *type = (const ebm_model_type *)ebm_component_find(EBM_KIND_MODEL, "ising");
    ck_assert_ptr_nonnull(type);
    void *options = test_options(&type->info, pairs);
    test_random r = {7};
    ebm_model model;
    ebm_batch batch;
    ebm_work *work;
    double energy[2];
    CHECK_OK(ebm_work_create(1, &work, error));
    CHECK_OK(ebm_model_create(type, options, NULL, NULL, 1, &model, error));
    CHECK_OK(ebm_batch_create(&model, 2, &batch, error));
    for (size_t i = 0; i < 2 * 99; i++)
        batch.x[i] = test_random_word(&r) >> 63 ? 1 : -1;
    ebm_model_field(&model, &batch, work);
    type->energy(&model, ebm_path_end(), &batch, energy, work);
    const ebm_graph *g = type->graph(&model);
    /* The model's fields are sums of 5 terms of size 2 in its own precision: 99 of them. */
    const double bound = 99 * 5 * 8 * UNIT_ROUNDOFF;
    for (size_t b = 0; b < 2; b++)
        ck_assert_double_lt(fabs(energy[b] - ebm_graph_spin_energy(g, batch.x + b * 99)), bound);
    ck_assert_double_lt(fabs(energy[1] - energy[0] - ebm_graph_spin_energy_difference(g, batch.x + 99, batch.x)),
                        2 * bound);
    ck_assert(ebm_graph_spin_energy_difference(g, batch.x, batch.x) == 0);
    ebm_batch_free(&batch);
    ebm_model_free(&model);
    ebm_work_free(work);
    test_options_free(&type->info, options);
}
END_TEST

static void refuse(spins *s, ebm_status expected, const char *text) {
    ebm_cut cut;
    ebm_error error = {0};
    ck_assert_int_eq(ebm_graph_cut(&s->graph, s->y, &cut, s->work, &error), expected);
    ck_assert_msg(strstr(error.message, text) != NULL, "%s", error.message);
}

START_TEST(test_graph_cut_refuses) {
    spins s = spins_lattice(EBM_LATTICE_GRID, 3, 3);
    s.coupling[4] = (ebm_real)-0.5;
    refuse(&s, EBM_UNSUPPORTED, "edge 4, of units 6 and 7, has coupling -0.5");
    s.coupling[4] = NAN;
    refuse(&s, EBM_INVALID, "edge 4, of units 6 and 7, has coupling nan");
    s.coupling[4] = 0;
    s.field[8] = INFINITY;
    refuse(&s, EBM_INVALID, "unit 8 has field inf");
    s.field[8] = 0;
    const ebm_graph whole = s.graph;
    s.graph.units = EBM_CUT_MAX_SIZE + 1; /* seen before anything is read or taken */
    refuse(&s, EBM_INVALID, "cannot be cut");
    s.graph.units = 0;
    refuse(&s, EBM_INVALID, "cannot be cut");
    s.graph.units = whole.units;
    s.graph.edges = EBM_CUT_MAX_SIZE + 1;
    refuse(&s, EBM_INVALID, "cannot be cut");
    s.graph = whole;
    spins_close(&s);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("graph_cut");
    TCase *tests = tcase_create("graph_cut");
    tcase_add_test(tests, test_graph_cut_equals_enumeration_on_pictures);
    tcase_add_test(tests, test_graph_cut_equals_enumeration_on_graphs);
    tcase_add_test(tests, test_graph_cut_equals_enumeration_of_real_numbers);
    tcase_add_test(tests, test_graph_cut_slack_is_kept);
    tcase_add_test(tests, test_graph_cut_without_fields_or_couplings);
    tcase_add_test(tests, test_graph_cut_of_pieces_and_single_units);
    tcase_add_test(tests, test_graph_cut_certificate_on_large_pictures);
    tcase_add_test(tests, test_graph_cut_certificate_on_other_graphs);
    tcase_add_test(tests, test_graph_spin_energy_is_the_models);
    tcase_add_test(tests, test_graph_cut_refuses);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
