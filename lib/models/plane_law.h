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

double ebm_plane_law_log_normaliser(const ebm_plane_law *law);
/* E[E] / 2 is the mean energy per unit; *energy_variance = Var(E) / 2 where not NULL. */
ebm_real_means ebm_plane_law_means(const ebm_plane_law *law, double *energy_variance);
/* out[k] = P(x <= t[k]) for axis 0, P(y <= t[k]) for axis 1 */
void ebm_plane_law_cdf(const ebm_plane_law *law, size_t axis, const double *t, size_t count, double *out);
/* One draw, by rejection: it reads the uniforms 4 k ... 4 k + 3 of (chain, step) in its attempt k. */
void ebm_plane_law_draw(const ebm_plane_law *law, ebm_stream stream, uint32_t chain, uint64_t step, double out[2]);

/* The slots of a model on two units whose law at beta = 1 is `law`; NULL: EBM_UNSUPPORTED, with `why`. */
EBM_NODISCARD ebm_status ebm_plane_model_log_normaliser(const ebm_model *model, const ebm_plane_law *law,
                                                        const char *why, ebm_path path, double *out, ebm_error *error);
EBM_NODISCARD ebm_status ebm_plane_model_mean(const ebm_model *model, const ebm_plane_law *law, const char *why,
                                              ebm_path path, const char *observable, double *out, ebm_error *error);
EBM_NODISCARD ebm_status ebm_plane_model_cdf(const ebm_model *model, const ebm_plane_law *law, const char *why,
                                             ebm_path path, size_t unit, const double *t, size_t count, double *out,
                                             ebm_error *error);
EBM_NODISCARD ebm_status ebm_plane_model_draw(const ebm_model *model, const ebm_plane_law *law, const char *why,
                                              ebm_path path, ebm_batch *batch, ebm_stream stream, uint32_t first_chain,
                                              uint64_t step, ebm_error *error);

#endif
