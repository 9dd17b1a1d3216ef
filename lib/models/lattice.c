/* Graphs and couplings from options: lattices, lists of edges, disorder. */
#include "models/lattice.h"

#include "data/csv_table.h"

#include "ebm/random.h"
#include "ebm/work.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DISORDER_NONE, DISORDER_GAUSSIAN, DISORDER_PLUS_MINUS };
const char *const ebm_disorder_names[] = {"none", "gaussian", "plus-minus", NULL};

/* Whole numbers up to here are exact in float too. */
enum { MOST_LISTED_UNITS = 1 << 24 };

/* Rows and columns as the options say, 0 x 0 where they do not. */
static ebm_status picture(const ebm_lattice_options *o, size_t *rows, size_t *columns, ebm_error *error) {
    if (o->side && (o->rows || o->columns))
        return ebm_fail(error, EBM_INVALID, "give either `side` or `rows` and `columns`, not both");
    if (!o->rows != !o->columns)
        return ebm_fail(error, EBM_INVALID, "`rows` and `columns` go together: one of them is missing");
    *rows = (size_t)(o->side ? o->side : o->rows);
    *columns = (size_t)(o->side ? o->side : o->columns);
    if (*rows && *columns > EBM_GRAPH_MAX_UNITS / *rows)
        return ebm_fail(error, EBM_INVALID, "a picture of %zu x %zu units is too large: at most %zu units", *rows,
                        *columns, EBM_GRAPH_MAX_UNITS);
    return EBM_OK;
}

/* Edges as a file lists them: ends (edges, 2), factors (edges); `units` = the largest index + 1. */
typedef struct edge_list {
    size_t units, edges;
    uint32_t *ends;
    ebm_real *factors;
} edge_list;

static void edge_list_free(edge_list *list) {
    free(list->ends);
    free(list->factors);
}

static ebm_status edge_list_fill(const char *path, const ebm_csv_table *table, edge_list *list, ebm_error *error) {
    for (size_t e = 0; e < table->rows; e++) {
        const ebm_real *row = table->values + 3 * e;
        for (size_t k = 0; k < 2; k++) {
            const double unit = (double)row[k];
            if (!(unit >= 0 && unit < MOST_LISTED_UNITS && unit == floor(unit)))
                return ebm_fail(error, EBM_FORMAT,
                                "%s: edge %zu (from 0) names unit %g: expected a whole number from 0 to %d", path, e,
                                unit, MOST_LISTED_UNITS - 1);
            list->ends[2 * e + k] = (uint32_t)unit;
            list->units = (size_t)unit >= list->units ? (size_t)unit + 1 : list->units;
        }
        list->factors[e] = row[2];
    }
    return EBM_OK;
}

static ebm_status edge_list_read(const char *path, edge_list *list, ebm_error *error) {
    const ebm_csv_format format = {EBM_CSV_HEADER_AUTO, NULL, NULL, NULL};
    ebm_csv_table table;
    *list = (edge_list){0};
    FILE *in = fopen(path, "rbe");
    if (!in)
        return ebm_fail(error, EBM_IO, "%s: cannot be opened: %s", path, strerror(errno));
    ebm_status status = ebm_csv_table_read(path, in, &format, &table, error);
    fclose(in);
    EBM_TRY(status);
    if (table.columns != 3)
        status = ebm_fail(error, EBM_FORMAT, "%s: expected 3 columns, i, j and J for each edge, not %zu", path,
                          table.columns);
    else {
        list->edges = table.rows;
        list->ends = ebm_alloc(2 * table.rows, sizeof *list->ends);
        list->factors = ebm_alloc(table.rows, sizeof *list->factors);
        status = list->ends && list->factors
                     ? edge_list_fill(path, &table, list, error)
                     : ebm_fail(error, EBM_NO_MEMORY, "%s: no memory for %zu edges", path, table.rows);
    }
    ebm_csv_table_free(&table);
    if (status != EBM_OK)
        edge_list_free(list);
    return status;
}

ebm_status ebm_lattice_space(const ebm_lattice_options *options, ebm_domain domain, ebm_space *out, ebm_error *error) {
    size_t rows = 0, columns = 0;
    *out = (ebm_space){0};
    EBM_TRY(picture(options, &rows, &columns, error));
    if (rows)
        *out = ebm_space_picture(domain, rows, columns);
    else if (options->edges) {
        edge_list list;
        EBM_TRY(edge_list_read(options->edges, &list, error));
        *out = ebm_space_line(domain, list.units);
        edge_list_free(&list);
    }
    return EBM_OK;
}

static ebm_status build_from_file(const char *path, const ebm_space *space, ebm_graph *out, ebm_real **factors,
                                  ebm_error *error) {
    edge_list list;
    ebm_error why = {0};
    EBM_TRY(edge_list_read(path, &list, error));
    ebm_status status = ebm_graph_from_edges(space->size, list.edges, list.ends, out, &why);
    if (status == EBM_OK) {
        *factors = list.factors;
        list.factors = NULL;
    } else
        status = ebm_fail(error, status, "%s: %s", path, why.message);
    edge_list_free(&list);
    return status;
}

ebm_status ebm_lattice_build(const ebm_lattice_options *options, const ebm_space *space, ebm_graph *out,
                             ebm_real **factors, ebm_error *error) {
    size_t rows = 0, columns = 0;
    *factors = NULL;
    *out = (ebm_graph){0};
    EBM_TRY(picture(options, &rows, &columns, error));
    if (rows && (rows * columns != space->size ||
                 (space->rank == 2 && (space->shape[0] != rows || space->shape[1] != columns))))
        return ebm_fail(error, EBM_INVALID,
                        "the options say a picture of %zu x %zu units, the data have %zu units of another shape", rows,
                        columns, space->size);
    if (options->edges)
        return build_from_file(options->edges, space, out, factors, error);
    if (!rows && options->lattice == EBM_LATTICE_COMPLETE) {
        rows = 1;
        columns = space->size;
    } else if (!rows && space->rank == 2) {
        rows = space->shape[0];
        columns = space->shape[1];
    } else if (!rows)
        return ebm_fail(error, EBM_INVALID,
                        "a %s needs a picture of units, the data are none: give `rows` and `columns`, or another "
                        "`lattice`",
                        ebm_lattice_names[options->lattice]);
    return ebm_graph_lattice((ebm_lattice)options->lattice, rows, columns, out, error);
}

void ebm_lattice_couplings(const ebm_lattice_options *options, size_t edges, const ebm_real *factors, uint32_t seed,
                           ebm_real *out) {
    const ebm_stream stream = ebm_stream_of(seed, EBM_PURPOSE_INIT);
    if (options->disorder == DISORDER_GAUSSIAN)
        ebm_random_normal_plain(stream, 0, 0, edges, out);
    else if (options->disorder == DISORDER_PLUS_MINUS) {
        ebm_random_uniform(stream, 0, 0, edges, out);
        for (size_t e = 0; e < edges; e++)
            out[e] = out[e] < (ebm_real)0.5 ? -1 : 1;
    } else
        for (size_t e = 0; e < edges; e++)
            out[e] = 1;
    for (size_t e = 0; e < edges; e++)
        out[e] = (ebm_real)(options->coupling * (double)out[e] * (factors ? (double)factors[e] : 1));
}
