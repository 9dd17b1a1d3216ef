/* The builder of graphs: neighbour lists, colourings and refusals, each against its definition over all pairs. */
#include "models/lattice.h"
#include "rbm_fixture.h"

#include <unistd.h>

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

/* ---- Options ---- */

static ebm_lattice_options plain_options(int64_t rows, int64_t columns) {
    return (ebm_lattice_options){.rows = rows, .columns = columns, .coupling = 1};
}

static char *written(const char *text) {
    static char path[] = "/tmp/ebm_edges_XXXXXX";
    strcpy(path, "/tmp/ebm_edges_XXXXXX");
    const int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    return path;
}

START_TEST(test_lattice_space) {
    ebm_space space;
    ebm_lattice_options o = plain_options(4, 6);
    CHECK_OK(ebm_lattice_space(&o, EBM_SPIN, &space, error));
    ck_assert(space.rank == 2 && space.shape[0] == 4 && space.shape[1] == 6 && space.domain == EBM_SPIN);
    o = (ebm_lattice_options){.side = 5};
    CHECK_OK(ebm_lattice_space(&o, EBM_SPIN, &space, error));
    ck_assert(space.size == 25 && space.rank == 2);
    o = plain_options(0, 0); /* left to the data */
    CHECK_OK(ebm_lattice_space(&o, EBM_SPIN, &space, error));
    ck_assert_uint_eq(space.size, 0);
    o.edges = written("i,j,J\n0,4,1.5\n2,1,-1\n");
    CHECK_OK(ebm_lattice_space(&o, EBM_SPIN, &space, error));
    ck_assert(space.size == 5 && space.rank == 1);
    unlink(o.edges);
    static const ebm_lattice_options bad[] = {
        {.side = 4, .rows = 4}, {.rows = 4}, {.columns = 4}, {.rows = 1000000000, .columns = 1000000000}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        ck_assert_int_eq(ebm_lattice_space(&bad[k], EBM_SPIN, &space, NULL), EBM_INVALID);
}
END_TEST

START_TEST(test_lattice_build) {
    ebm_graph g;
    ebm_real *factors;
    ebm_lattice_options o = plain_options(0, 0);
    ebm_space picture = ebm_space_picture(EBM_SPIN, 4, 5), line = ebm_space_line(EBM_SPIN, 20);
    CHECK_OK(ebm_lattice_build(&o, &picture, &g, &factors, error)); /* the data's shape */
    ck_assert(g.rows == 4 && g.columns == 5 && !factors);
    ebm_graph_free(&g);
    ck_assert_int_eq(ebm_lattice_build(&o, &line, &g, &factors, NULL), EBM_INVALID);
    o = plain_options(2, 10);
    o.lattice = EBM_LATTICE_GRID;
    CHECK_OK(ebm_lattice_build(&o, &line, &g, &factors, error)); /* the options' shape on a line of data */
    ck_assert(g.units == 20 && g.edges == 28 && g.rows == 0);
    ebm_graph_free(&g);
    ck_assert_int_eq(ebm_lattice_build(&o, &picture, &g, &factors, NULL), EBM_INVALID);
    o = plain_options(0, 0);
    o.lattice = EBM_LATTICE_COMPLETE;
    CHECK_OK(ebm_lattice_build(&o, &line, &g, &factors, error));
    ck_assert_uint_eq(g.edges, 190);
    ebm_graph_free(&g);
}
END_TEST

START_TEST(test_lattice_edges) {
    ebm_graph g;
    ebm_real *factors;
    ebm_lattice_options o = plain_options(0, 0);
    ebm_space line = ebm_space_line(EBM_SPIN, 6);
    o.edges = written("0,4,1.5\n2,1,-1\n");
    CHECK_OK(ebm_lattice_build(&o, &line, &g, &factors, error));
    ck_assert(g.units == 6 && g.edges == 2 && g.ends[0] == 0 && g.ends[1] == 4 && g.ends[2] == 1 && g.ends[3] == 2);
    ck_assert(factors[0] == (ebm_real)1.5 && factors[1] == -1);
    ebm_real J[2];
    o.coupling = 2;
    ebm_lattice_couplings(&o, 2, factors, 1, J);
    ck_assert(J[0] == 3 && J[1] == -2);
    ebm_graph_free(&g);
    free(factors);
    unlink(o.edges);
    static const struct {
        const char *text, *words;
        ebm_status status;
    } bad[] = {{"0,1\n1,2\n", "3 columns", EBM_FORMAT},
               {"0,1,1\n1,2.5,1\n", "edge 1", EBM_FORMAT},
               {"-1,1,1\n", "whole number", EBM_FORMAT},
               {"0,16777216,1\n", "whole number", EBM_FORMAT},
               {"0,1,1\n1,0,2\n", "both join", EBM_INVALID},
               {"1,1,1\n", "to itself", EBM_INVALID},
               {"0,6,1\n", "edge 0 names unit 6", EBM_INVALID},
               {"0,1,nan\n", "nan", EBM_FORMAT},
               {"i,j,J\n", "no rows", EBM_FORMAT}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        ebm_error why = {0};
        o.edges = written(bad[k].text);
        ck_assert_int_eq(ebm_lattice_build(&o, &line, &g, &factors, &why), bad[k].status);
        char text[1200];
        ebm_error_text(&why, text, sizeof text);
        ck_assert_msg(strstr(text, bad[k].words) && strstr(text, o.edges), "'%s' in '%s'?", bad[k].words, text);
        ck_assert(!factors && !g.ends);
        unlink(o.edges);
    }
    o.edges = (char[]){"/nonexistent/edges.csv"};
    ck_assert_int_eq(ebm_lattice_build(&o, &line, &g, &factors, NULL), EBM_IO);
}
END_TEST

/* Means and variances of 4096 factors within 5 standard errors (false alarm 6e-7 each): N(0, 1) has variance of its
 * square 2; the same seed gives the same, another seed others. */
START_TEST(test_lattice_disorder) {
    enum { N = 4096 };
    static ebm_real J[N], again[N];
    ebm_lattice_options o = plain_options(0, 0);
    o.coupling = -0.5;
    for (o.disorder = 1; o.disorder <= 2; o.disorder++) {
        double mean = 0, square = 0;
        ebm_lattice_couplings(&o, N, NULL, 3, J);
        for (size_t e = 0; e < N; e++) {
            mean += (double)J[e] / -0.5 / N;
            square += (double)J[e] * (double)J[e] / 0.25 / N;
            ck_assert(o.disorder == 1 || J[e] == (ebm_real)0.5 || J[e] == (ebm_real)-0.5);
        }
        ck_assert_double_le(fabs(mean), 5 / sqrt(N));
        ck_assert_double_le(fabs(square - 1), o.disorder == 1 ? 5 * sqrt(2.0 / N) : 1e-12);
        ebm_lattice_couplings(&o, N, NULL, 3, again);
        ck_assert_int_eq(memcmp(J, again, sizeof J), 0);
        ebm_lattice_couplings(&o, N, NULL, 4, again);
        ck_assert_int_ne(memcmp(J, again, sizeof J), 0);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("graph");
    TCase *build = tcase_create("build"), *refuse = tcase_create("refuse"), *options = tcase_create("options");
    tcase_add_test(build, test_graph_torus);
    tcase_add_test(build, test_graph_grid);
    tcase_add_test(build, test_graph_complete);
    tcase_add_test(build, test_graph_from_edges);
    tcase_add_test(refuse, test_graph_refusals);
    suite_add_tcase(suite, build);
    tcase_add_test(options, test_lattice_space);
    tcase_add_test(options, test_lattice_build);
    tcase_add_test(options, test_lattice_edges);
    tcase_add_test(options, test_lattice_disorder);
    suite_add_tcase(suite, refuse);
    suite_add_tcase(suite, options);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
