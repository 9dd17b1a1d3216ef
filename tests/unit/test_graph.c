/* The builder of graphs: neighbour lists, colourings and refusals, each against its definition over all pairs. */
#include "models/graph.h"
#include "rbm_fixture.h"

/* joined[i * units + j] = 1 + the edge between i and j, 0 where there is none: from `ends` alone. */
static uint32_t *adjacency(const ebm_graph *g) {
    uint32_t *joined = calloc(g->units * g->units, sizeof *joined);
    ck_assert_ptr_nonnull(joined);
    for (size_t e = 0; e < g->edges; e++) {
        const uint32_t i = g->ends[2 * e], j = g->ends[2 * e + 1];
        if (i >= j || j >= g->units || joined[i * g->units + j])
            ck_abort_msg("edge %zu joins %u and %u", e, i, j);
        joined[i * g->units + j] = joined[j * g->units + i] = (uint32_t)e + 1;
    }
    return joined;
}

static void check_graph(const ebm_graph *g) {
    uint32_t *joined = adjacency(g);
    ck_assert_uint_eq(g->first[0], 0);
    ck_assert_uint_eq(g->first[g->units], 2 * g->edges);
    for (size_t i = 0; i < g->units; i++) {
        size_t k = g->first[i];
        for (size_t j = 0; j < g->units; j++) {
            if (!joined[i * g->units + j])
                continue;
            if (k >= g->first[i + 1] || g->neighbour[k] != j || g->neighbour_edge[k] != joined[i * g->units + j] - 1)
                ck_abort_msg("neighbour %zu of unit %zu should be %zu", k - g->first[i], i, j);
            k++;
        }
        if (k != g->first[i + 1])
            ck_abort_msg("unit %zu has a neighbour too many", i);
    }
    for (size_t e = 0; g->colour && e < g->edges; e++)
        if (g->colour[g->ends[2 * e]] + g->colour[g->ends[2 * e + 1]] != 1)
            ck_abort_msg("edge %zu joins two units of one colour", e);
    ck_assert(!g->coupling && !g->field);
    free(joined);
}

/* Whether two colours are enough, by trying all: at most 12 units. */
static bool two_colourable(const ebm_graph *g) {
    for (size_t code = 0; code < (size_t)1 << g->units; code++) {
        bool proper = true;
        for (size_t e = 0; e < g->edges && proper; e++)
            proper = ((code >> g->ends[2 * e]) & 1) != ((code >> g->ends[2 * e + 1]) & 1);
        if (proper)
            return true;
    }
    return false;
}

START_TEST(test_graph_torus) {
    static const size_t shapes[][2] = {{3, 3}, {3, 4}, {4, 3}, {4, 4}, {3, 5}, {4, 6}, {7, 5}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const size_t rows = shapes[s][0], columns = shapes[s][1], V = rows * columns;
        ebm_graph g;
        CHECK_OK(ebm_graph_lattice(EBM_LATTICE_TORUS, rows, columns, &g, error));
        ck_assert(g.units == V && g.edges == 2 * V && g.rows == rows && g.columns == columns);
        check_graph(&g);
        ck_assert((g.colour != NULL) == (rows % 2 == 0 && columns % 2 == 0));
        uint32_t *joined = adjacency(&g);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++) {
                const size_t u = r * columns + c, right = r * columns + (c + 1) % columns;
                const size_t below = (r + 1) % rows * columns + c;
                ck_assert(joined[u * V + right] == u + 1 && joined[u * V + below] == V + u + 1);
                ck_assert_uint_eq(g.first[u + 1] - g.first[u], 4);
                ck_assert(!g.colour || g.colour[u] == (r + c) % 2);
            }
        free(joined);
        ebm_graph_free(&g);
        ck_assert(!g.ends && g.units == 0);
    }
}
END_TEST

START_TEST(test_graph_grid) {
    static const size_t shapes[][2] = {{1, 1}, {1, 2}, {1, 7}, {6, 1}, {2, 2}, {3, 3}, {2, 5}, {5, 4}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const size_t rows = shapes[s][0], columns = shapes[s][1], V = rows * columns;
        ebm_graph g;
        CHECK_OK(ebm_graph_lattice(EBM_LATTICE_GRID, rows, columns, &g, error));
        ck_assert(g.units == V && g.edges == 2 * V - rows - columns && g.rows == 0 && g.columns == 0);
        check_graph(&g);
        ck_assert_ptr_nonnull(g.colour);
        uint32_t *joined = adjacency(&g);
        for (size_t u = 0; u < V; u++) {
            const size_t r = u / columns, c = u % columns;
            ck_assert(c + 1 == columns || joined[u * V + u + 1] == r * (columns - 1) + c + 1);
            ck_assert(r + 1 == rows || joined[u * V + u + columns] == rows * (columns - 1) + u + 1);
        }
        free(joined);
        ebm_graph_free(&g);
    }
}
END_TEST

START_TEST(test_graph_complete) {
    for (size_t n = 1; n < 9; n++) {
        ebm_graph g;
        CHECK_OK(ebm_graph_lattice(EBM_LATTICE_COMPLETE, n, 1, &g, error));
        ck_assert(g.units == n && g.edges == n * (n - 1) / 2 && g.rows == 0);
        check_graph(&g);
        ck_assert((g.colour != NULL) == (n < 3));
        ebm_graph_free(&g);
    }
}
END_TEST

/* Random lists of edges, ends in random order, isolated units among them; colours where and only where all 2^n
 * colourings have a proper one. */
START_TEST(test_graph_from_edges) {
    test_random r = {77};
    size_t coloured = 0;
    for (size_t round = 0; round < 200; round++) {
        const size_t n = 1 + test_random_word(&r) % 12;
        uint32_t ends[132];
        size_t edges = 0;
        const double density = 0.6 * test_random_uniform(&r);
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t j = i + 1; j < n; j++)
                if (test_random_uniform(&r) < density) {
                    const size_t place = test_random_word(&r) % (edges + 1), flip = test_random_word(&r) % 2;
                    ends[2 * edges] = ends[2 * place];
                    ends[2 * edges + 1] = ends[2 * place + 1];
                    ends[2 * place + flip] = i;
                    ends[2 * place + 1 - flip] = j;
                    edges++;
                }
        ebm_graph g;
        CHECK_OK(ebm_graph_from_edges(n, edges, ends, &g, error));
        ck_assert(g.units == n && g.edges == edges && g.rows == 0);
        for (size_t e = 0; e < edges; e++) { /* they keep their order */
            const uint32_t i = ends[2 * e], j = ends[2 * e + 1];
            ck_assert(g.ends[2 * e] == (i < j ? i : j) && g.ends[2 * e + 1] == (i < j ? j : i));
        }
        check_graph(&g);
        ck_assert((g.colour != NULL) == two_colourable(&g));
        coloured += g.colour != NULL;
        ebm_graph_free(&g);
    }
    ck_assert(coloured > 20 && coloured < 180); /* both kinds occurred */
}
END_TEST

static void refused(ebm_status status, const ebm_error *error, const ebm_graph *g, const char *words) {
    ck_assert_int_eq(status, EBM_INVALID);
    ck_assert_msg(strstr(error->message, words), "'%s' is not in '%s'", words, error->message);
    ck_assert(!g->ends && !g->first && !g->colour && g->units == 0);
}

START_TEST(test_graph_refusals) {
    static const uint32_t good[] = {0, 1, 2, 1}, far[] = {0, 1, 1, 3}, self[] = {0, 1, 2, 2};
    static const uint32_t twice[] = {0, 1, 1, 2, 1, 0};
    ebm_graph g;
    ebm_error why = {0};
    CHECK_OK(ebm_graph_from_edges(3, 2, good, &g, error));
    ebm_graph_free(&g);
    refused(ebm_graph_from_edges(3, 2, far, &g, &why), &why, &g, "edge 1 names unit 3");
    refused(ebm_graph_from_edges(3, 2, self, &g, &why), &why, &g, "edge 1 joins unit 2 to itself");
    refused(ebm_graph_from_edges(3, 3, twice, &g, &why), &why, &g, "edges 0 and 2 both join units 0 and 1");
    refused(ebm_graph_from_edges(0, 0, good, &g, &why), &why, &g, "0 units");
    static const size_t narrow[][2] = {{1, 1}, {1, 5}, {2, 2}, {2, 5}, {5, 2}};
    for (size_t s = 0; s < sizeof narrow / sizeof *narrow; s++)
        refused(ebm_graph_lattice(EBM_LATTICE_TORUS, narrow[s][0], narrow[s][1], &g, &why), &why, &g, "fewer than 3");
    refused(ebm_graph_lattice(EBM_LATTICE_GRID, 0, 5, &g, &why), &why, &g, "lattice of 0 x 5");
    /* Too large, said before anything is allocated. */
    refused(ebm_graph_lattice(EBM_LATTICE_GRID, SIZE_MAX, 2, &g, &why), &why, &g, "cannot be");
    refused(ebm_graph_lattice(EBM_LATTICE_GRID, (size_t)1 << 32, 1, &g, &why), &why, &g, "cannot be");
    refused(ebm_graph_lattice(EBM_LATTICE_TORUS, 1 << 16, 1 << 15, &g, &why), &why, &g, "cannot be");
    refused(ebm_graph_lattice(EBM_LATTICE_COMPLETE, 1 << 16, 2, &g, &why), &why, &g, "cannot be");
    refused(ebm_graph_lattice(EBM_LATTICE_COMPLETE, UINT32_MAX, 1, &g, &why), &why, &g, "cannot be");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("graph");
    TCase *build = tcase_create("build"), *refuse = tcase_create("refuse");
    tcase_add_test(build, test_graph_torus);
    tcase_add_test(build, test_graph_grid);
    tcase_add_test(build, test_graph_complete);
    tcase_add_test(build, test_graph_from_edges);
    tcase_add_test(refuse, test_graph_refusals);
    suite_add_tcase(suite, build);
    suite_add_tcase(suite, refuse);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
