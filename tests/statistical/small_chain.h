/* Block Gibbs on a small restricted Boltzmann machine as a Markov chain, from its definition: for tests of estimators
 * that walk with a sampler. */
#ifndef TESTS_SMALL_CHAIN_H
#define TESTS_SMALL_CHAIN_H

#include "property/small_rbm.h"

#include "ebm/registry.h"

/* T (S, S), S = 2^V: T[v][w] = sum_h p(h | v) p(w | h), h every hidden state. */
static inline void brute_kernel(const ebm_model *model, double *T) {
    const size_t V = model->space.size, H = model->n_hidden, S = (size_t)1 << V;
    const ebm_real *W = ebm_model_view(model, "W"), *b = ebm_model_view(model, "visible_bias");
    const ebm_real *c = ebm_model_view(model, "hidden_bias");
    for (size_t k = 0; k < S * S; k++)
        T[k] = 0;
    for (size_t h = 0; h < (size_t)1 << H; h++)
        for (size_t v = 0; v < S; v++) {
            double there = 1; /* p(h | v) */
            for (size_t j = 0; j < H; j++) {
                double z = (double)c[j];
                for (size_t i = 0; i < V; i++)
                    z += bit(v, i) * (double)W[i * H + j];
                there /= 1 + exp(bit(h, j) > 0 ? -z : z);
            }
            for (size_t w = 0; w < S; w++) {
                double back = there; /* times p(w | h) */
                for (size_t i = 0; i < V; i++) {
                    double z = (double)b[i];
                    for (size_t j = 0; j < H; j++)
                        z += (double)W[i * H + j] * bit(h, j);
                    back /= 1 + exp(bit(w, i) > 0 ? -z : z);
                }
                T[v * S + w] += back;
            }
        }
}

/* p (S) = the machine's distribution. */
static inline void brute_law(const ebm_model *model, double *p) {
    const double log_z = brute_log_z(model);
    for (size_t v = 0; v < (size_t)1 << model->space.size; v++)
        p[v] = brute_weight(model, v) / exp(log_z);
}

/* The sampler has no options. */
static inline void small_block_gibbs(const ebm_model *model, ebm_sampler *out) {
    const ebm_component *type = ebm_component_find(EBM_KIND_SAMPLER, "block-gibbs");
    ck_assert_ptr_nonnull(type);
    CHECK_OK(ebm_sampler_create((const ebm_sampler_type *)type, NULL, model, out, &failure));
}

#endif
