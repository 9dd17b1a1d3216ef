/* What the files of the Ising model share. Internal to the models. */
#ifndef EBM_MODELS_ISING_H
#define EBM_MODELS_ISING_H

#include "models/graph.h"

#include "ebm/model.h"

/* Where the level that decides an update lies, by the first 10 bits of its random word: by rule. */
enum { ISING_GUIDE_BITS = 10, ISING_GUIDE = 1 << ISING_GUIDE_BITS };
typedef struct ising_guide {
    double least[ISING_GUIDE], most[ISING_GUIDE];
} ising_guide;

typedef struct ising_state {
    ebm_graph graph;
    ebm_real *factors; /* (edges) from the file of edges, until theta is filled; or NULL */
    /* Of each neighbour, in the order of graph.neighbour (2 edges): its coupling, and whether that is negative. */
    ebm_real *weight;
    uint8_t *negative;
    uint32_t *checkerboard; /* (units) colour 0 in order, then colour 1; NULL where two colours are not enough */
    size_t most_neighbours; /* of one unit */
    ising_guide *guide;     /* (2): EBM_HEAT_BATH, EBM_METROPOLIS */
    /* What theta has in common, as of the last refresh. */
    bool same_coupling, same_size, same_field, no_field; /* all J, all |J|, all h equal; all h zero */
    double coupling, field;                              /* that J, or its size, and h */
} ising_state;

static inline const ising_state *ising_state_of(const ebm_model *model) {
    return model->state;
}

/* Whether the path's base takes part in E_beta. */
static inline bool ising_path_has_base(ebm_path path) {
    return path.base && path.beta != 1;
}
/* What E_beta adds to the field of unit i beside beta f_i: (1 - beta) a_i. */
static inline double ising_base_field(ebm_path path, size_t i) {
    return path.base ? (1 - path.beta) * (double)path.base->parameters[i] : 0;
}

void ebm_ising_guide_fill(ising_guide guide[2]);

/* The slots of model.h that have files of their own. */
bool ebm_ising_sweep(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_sweeps *sweeps, ebm_work *work);
ebm_status ebm_ising_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                    ebm_error *error);
ebm_status ebm_ising_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                         ebm_work *work, ebm_error *error);
ebm_status ebm_ising_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                  uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error);
ebm_status ebm_ising_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                ebm_work *work, ebm_error *error);

#endif
