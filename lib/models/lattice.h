/* What models of pairwise couplings share: options that say which graph and which couplings. Internal to the models. */
#ifndef EBM_MODELS_LATTICE_H
#define EBM_MODELS_LATTICE_H

#include "models/graph.h"

#include "ebm/options.h"
#include "ebm/space.h"

typedef struct ebm_lattice_options {
    int64_t side, rows, columns;
    int lattice; /* ebm_lattice */
    char *edges;
    double coupling;
    int disorder;
} ebm_lattice_options;

/* "none", "gaussian", "plus-minus" */
extern const char *const ebm_disorder_names[];

#define EBM_LATTICE_OPTION(type, member) EBM_OFFSET(type, graph.member)
/* Entries of an option table whose struct `type` has a member `ebm_lattice_options graph`. */
#define EBM_LATTICE_OPTIONS(type)                                                                                      \
    {"side",                                                                                                           \
     EBM_OPTION_INT,                                                                                                   \
     EBM_LATTICE_OPTION(type, side),                                                                                   \
     "0",                                                                                                              \
     0,                                                                                                                \
     1e5,                                                                                                              \
     NULL,                                                                                                             \
     0,                                                                                                                \
     "rows and columns of a square picture of units; 0: see rows and columns"},                                        \
        {"rows",                                                                                                       \
         EBM_OPTION_INT,                                                                                               \
         EBM_LATTICE_OPTION(type, rows),                                                                               \
         "0",                                                                                                          \
         0,                                                                                                            \
         1e9,                                                                                                          \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "rows of the picture; 0: as the data or the edges say"},                                                      \
        {"columns",                                                                                                    \
         EBM_OPTION_INT,                                                                                               \
         EBM_LATTICE_OPTION(type, columns),                                                                            \
         "0",                                                                                                          \
         0,                                                                                                            \
         1e9,                                                                                                          \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "columns of the picture; with `rows`"},                                                                       \
        {"lattice",                                                                                                    \
         EBM_OPTION_CHOICE,                                                                                            \
         EBM_LATTICE_OPTION(type, lattice),                                                                            \
         "torus",                                                                                                      \
         0,                                                                                                            \
         0,                                                                                                            \
         ebm_lattice_names,                                                                                            \
         0,                                                                                                            \
         "which units are joined: nearest neighbours around the ends (at least 3 x 3), nearest neighbours, all "       \
         "pairs"},                                                                                                     \
        {"edges",                                                                                                      \
         EBM_OPTION_STRING,                                                                                            \
         EBM_LATTICE_OPTION(type, edges),                                                                              \
         NULL,                                                                                                         \
         0,                                                                                                            \
         0,                                                                                                            \
         NULL,                                                                                                         \
         EBM_OPTION_PATH,                                                                                              \
         "instead of a lattice: CSV with a row i, j, J for each edge, units counted from 0"},                          \
        {"coupling",                                                                                                   \
         EBM_OPTION_REAL,                                                                                              \
         EBM_LATTICE_OPTION(type, coupling),                                                                           \
         "1",                                                                                                          \
         -1e6,                                                                                                         \
         1e6,                                                                                                          \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "J of every edge; multiplies what `edges` and `disorder` give"},                                              \
    {                                                                                                                  \
        "disorder", EBM_OPTION_CHOICE, EBM_LATTICE_OPTION(type, disorder), "none", 0, 0, ebm_disorder_names, 0,        \
            "a random factor of each J: none, standard normal, or -1 and +1 alike"                                     \
    }

/* The picture or line of units that the options alone describe; out->size = 0 where they leave it to the data.
 * Categories are those of a picture or line of `domain`: set them for categorical units. */
EBM_NODISCARD ebm_status ebm_lattice_space(const ebm_lattice_options *options, ebm_domain domain, ebm_space *out,
                                           ebm_error *error);
/* The graph on the units of `space`: EBM_INVALID where the options say other units. *factors (edges), to be freed, are
 * the third column of the file of edges; NULL without a file. */
EBM_NODISCARD ebm_status ebm_lattice_build(const ebm_lattice_options *options, const ebm_space *space, ebm_graph *out,
                                           ebm_real **factors, ebm_error *error);
/* out (edges) = coupling x factor (NULL: 1) x disorder, drawn at (seed, EBM_PURPOSE_INIT), chain 0, step 0. */
void ebm_lattice_couplings(const ebm_lattice_options *options, size_t edges, const ebm_real *factors, uint32_t seed,
                           ebm_real *out);

#endif
