/* What is known exactly of a model at a path: probabilities of all states where they can be listed, exact means, and
 * independent draws. */
#ifndef EBM_RUNNERS_EXACT_LAW_H
#define EBM_RUNNERS_EXACT_LAW_H

#include "ebm/observable.h"
#include "ebm/sampler.h"

typedef struct ebm_exact_law {
    const ebm_model *model; /* borrowed */
    ebm_path path;
    size_t states; /* 0 where they are not listed */
    double *log_p; /* (states) */
} ebm_exact_law;

/* Lists the states where there are at most `limit`; 0: never. */
EBM_NODISCARD ebm_status ebm_exact_law_create(const ebm_model *model, ebm_path path, size_t limit, ebm_exact_law *out,
                                              ebm_work *work, ebm_error *error);
void ebm_exact_law_free(ebm_exact_law *law);

/* Emits o_exact of every observable of the space whose mean the model knows by a formula or the list gives,
 * specific_heat_exact likewise (of models without hidden units: beta^2 times Var(E) / V), and the values in the infinite
 * system that the model knows. */
EBM_NODISCARD ebm_status ebm_exact_law_report(const ebm_exact_law *law, ebm_sink *sink, ebm_work *work,
                                              ebm_error *error);

/* batch->x = independent draws, by the model's own slot or from the list; row b draws at chain b, steps step and
 * step + 1. EBM_UNSUPPORTED where there is neither. */
EBM_NODISCARD ebm_status ebm_exact_law_draw(const ebm_exact_law *law, ebm_batch *batch, ebm_stream stream,
                                            uint64_t step, ebm_work *work, ebm_error *error);

/* Emits chi_square_p of independent states x (count, V) where the states are listed and enough cells expect 5 of them
 * (which depends on the probabilities and the count alone). */
EBM_NODISCARD ebm_status ebm_exact_law_chi_square(const ebm_exact_law *law, const ebm_real *x, size_t count,
                                                  ebm_sink *sink, ebm_work *work, ebm_error *error);
/* Emits mmd of the states against as many exact draws; nothing where there are none to be had. The kernel's width is the
 * median distance, or, where that is 0 on a discrete space, that of two states which differ in one unit; empty where
 * real states are all equal or not finite. */
EBM_NODISCARD ebm_status ebm_exact_law_mmd(const ebm_exact_law *law, const ebm_real *x, size_t count, uint32_t seed,
                                           ebm_sink *sink, ebm_work *work, ebm_error *error);
/* Emits ks_distance and ks_p of the first unit of independent real states against its law, where the model knows that;
 * empty where a state is not finite. */
EBM_NODISCARD ebm_status ebm_exact_law_kolmogorov(const ebm_exact_law *law, const ebm_real *x, size_t count,
                                                  ebm_sink *sink, ebm_work *work, ebm_error *error);

#endif
