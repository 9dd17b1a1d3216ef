/* Laws on the plane by quadrature: normaliser, moments, marginal distribution functions and exact draws of
 * p(x, y) = exp(-E(x, y)) / Z for a smooth E that is costly but not hopeless to list. Internal to the models. */
#ifndef EBM_PLANE_LAW_H
#define EBM_PLANE_LAW_H

#include "models/real_path.h"

/* E at (x, y), in double. */
typedef double (*ebm_plane_energy)(const void *context, double x, double y);

typedef struct ebm_plane_problem {
    ebm_plane_energy energy;
    const void *context; /* outlives the law */
    double reach;        /* |x|, |y| <= reach wherever E is within EBM_PLANE_DEPTH of its least */
    double curvature;    /* no second derivative of E along any direction is above this anywhere */
    double evaluations;  /* at most so many values of E are to be spent */
} ebm_plane_problem;

enum { EBM_PLANE_DEPTH = 40 }; /* nats: exp(-40) = 4e-18 of the largest density is left out */

typedef struct ebm_plane_law ebm_plane_law;

/* *out = NULL where it would take more values than the problem allows. The caller frees. */
EBM_NODISCARD ebm_status ebm_plane_law_create(const ebm_plane_problem *problem, ebm_plane_law **out, ebm_error *error);
void ebm_plane_law_free(ebm_plane_law *law);

/* What the state of a model begins with whose law at beta = 1 lies on the plane; its slots are those below. */
typedef struct ebm_plane_state {
    ebm_plane_law *law; /* owned by the model; NULL: exact values are EBM_UNSUPPORTED, */
    const char *why;    /* for this reason */
} ebm_plane_state;

EBM_NODISCARD ebm_status ebm_plane_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                                  ebm_error *error);
EBM_NODISCARD ebm_status ebm_plane_exact_mean(const ebm_model *model, ebm_path path, const char *observable,
                                              double *out, ebm_work *work, ebm_error *error);
EBM_NODISCARD ebm_status ebm_plane_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t,
                                                size_t count, double *out, ebm_work *work, ebm_error *error);
/* Draws by rejection: attempt k of a row reads the uniforms 4 k ... 4 k + 3 of its (chain, step). */
EBM_NODISCARD ebm_status ebm_plane_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch,
                                                ebm_stream stream, uint32_t first_chain, uint64_t step, ebm_work *work,
                                                ebm_error *error);

#endif
