/* What the two cluster samplers share: bond probabilities, the fields along a path, random words in a row, the sizes of
 * clusters, and the enumeration that their kernels are written on. Internal to the samplers.
 *
 * The law. Write K_ij = 2 beta |J_ij| for spins, beta J_ij for categorical units (J >= 0), and call an edge satisfied
 * where J_ij x_i x_j > 0 (spins) or x_i = x_j (categorical). With f_i(c) = beta h_i(c) + (1 - beta) a_i(c), a the base,
 *   p_beta(x) ~ prod_(edges) exp(K_ij [ij satisfied in x]) prod_i exp(f_i(x_i)),
 * since exp(beta J x_i x_j) = exp(-beta |J|) exp(2 beta |J| [satisfied]). Let bonds b_ij in {0, 1} have the joint law
 * (Edwards & Sokal, Physical Review D 38, 1988)
 *   p(x, b) ~ prod_(edges) (exp(-K_ij) [b_ij = 0] + (1 - exp(-K_ij)) [b_ij = 1] [ij satisfied in x]) prod_i exp(f_i(x_i)).
 * Summed over b an edge's factor is 1 where it is satisfied and exp(-K_ij) elsewhere: p_beta(x) is the marginal. Hence
 *   b given x: each satisfied edge is a bond with probability 1 - exp(-K_ij), independently, and no other edge is;
 *   x given b: uniform but for the fields over the states in which every bond is satisfied. The connected components of
 *     b, the clusters, are independent. One of spins has two states, its present one and the flip of all its units (a
 *     flip leaves every J x_i x_j inside as it is, whatever the signs: antiferromagnets and frustrated graphs are exact
 *     too); one of categorical units has q. Each has the weight exp(sum over its units of f_i). */
#ifndef EBM_CLUSTERS_H
#define EBM_CLUSTERS_H

#include "core/row_kernels.h"
#include "ebm/sampler.h"
#include "samplers/state_table.h"

/* sampler->state. The probability of a bond is renewed where beta or a coupling has changed. */
typedef struct ebm_clusters {
    size_t units, edges;
    double beta;         /* that `threshold` is for; NAN: for none */
    ebm_real *coupling;  /* (edges): likewise */
    uint32_t *threshold; /* (edges): an edge, once satisfied, is a bond where a random word is below this */
    bool negative;       /* some coupling is */
    bool alike;          /* none is, and all thresholds are equal */
} ebm_clusters;

/* For the types' create and destroy. EBM_UNSUPPORTED for negative couplings of categorical units. */
EBM_NODISCARD ebm_status ebm_clusters_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error);
void ebm_clusters_destroy(ebm_sampler *sampler);

/* f_i(c) of every unit. */
typedef struct ebm_cluster_fields {
    const ebm_real *own, *base; /* h and a: (units) for spins, (units, categories) otherwise; NULL: 0 */
    double beta;
    bool any; /* they tell some unit's values apart */
} ebm_cluster_fields;

/* `at` is i for spins, where f_i(x) = f_i x, and i q + c for categorical units. */
static inline double ebm_cluster_field(const ebm_cluster_fields *f, size_t at) {
    return (f->own ? f->beta * (double)f->own[at] : 0) + (f->base ? (1 - f->beta) * (double)f->base[at] : 0);
}

/* At the beginning of a step: the path is one that clusters can follow, and the thresholds are right for it. */
EBM_NODISCARD ebm_status ebm_clusters_prepare(ebm_sampler *sampler, const ebm_model *model, ebm_path path,
                                              ebm_cluster_fields *fields, ebm_error *error);

/* A probability as a threshold for words: P(word < threshold) is p to 2^-32. */
static inline uint32_t ebm_word_threshold(double p) {
    const double scaled = p * 0x1p32 + 0.5;
    return scaled >= 0x1p32 ? UINT32_MAX : (uint32_t)scaled;
}
/* An odd multiple of 2^-53 in (0, 1) from two words. */
static inline double ebm_word_uniform(const uint32_t *pair) {
    return ((double)(((uint64_t)pair[0] << 32 | pair[1]) >> 12) + 0.5) * 0x1p-52;
}

/* Sizes of clusters as the report has them: in chains->auxiliary, where there is one. */
typedef struct ebm_cluster_sizes {
    uint64_t sweeps; /* of each chain */
    double sum[];    /* (chains): over sweeps, of the mean size of the cluster that a uniformly drawn unit is in */
} ebm_cluster_sizes;

extern const ebm_metric ebm_cluster_metrics[];
size_t ebm_cluster_sizes_bytes(const ebm_sampler *sampler, const ebm_model *model, size_t chains);
void ebm_cluster_sizes_start(const ebm_sampler *sampler, const ebm_model *model, ebm_chains *chains);
void ebm_cluster_sizes_reset(const ebm_sampler *sampler, ebm_chains *chains);
EBM_NODISCARD ebm_status ebm_cluster_sizes_report(const ebm_sampler *sampler, const ebm_chains *chains, ebm_sink *sink,
                                                  ebm_error *error);

/* ---- Kernels ---- */

/* One configuration of bonds on the satisfied edges of one state. */
typedef struct ebm_bonds {
    const ebm_state_table *table;
    /* (states): log of what is left of p_beta(x) without the couplings, log p_beta(x) - sum of K over satisfied edges;
     * p(x | b) is proportional to its exponential over the states in which all of b is satisfied */
    const double *log_rest;
    size_t state;
    double probability;      /* of these bonds given the state */
    size_t clusters;         /* connected components of the bonds */
    const uint32_t *cluster; /* (units): 0 ... clusters - 1 */
    size_t *codes;           /* (states): scratch */
} ebm_bonds;

/* Add to row (states) = T[state] what these bonds contribute: probability times a law over the states. */
typedef void ebm_bonds_visit(const ebm_bonds *bonds, double *row);

/* T (S, S) by visiting all configurations of bonds of all states. EBM_UNSUPPORTED with the number where a state has more
 * than 2^16 of them. */
EBM_NODISCARD ebm_status ebm_cluster_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S,
                                            double *T, ebm_bonds_visit *visit, ebm_work *work, ebm_error *error);

#endif
