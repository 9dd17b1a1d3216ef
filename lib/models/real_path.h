/* What models on real spaces share: the base of an annealing path, and the shell of a law that has nothing to learn.
 * Internal to the models. */
#ifndef EBM_REAL_PATH_H
#define EBM_REAL_PATH_H

#include "ebm/model.h"

/* Turn energies (count) and gradients (count, V) of E at beta = 1 into those of the path: times beta, plus (1 - beta)
 * times the base's. Either may be NULL. Energies that are infinite stay so for every beta; at the path's end nothing is
 * touched. */
void ebm_real_add_base(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy, ebm_real *grad,
                       ebm_work *work);

/* Slots `energy` and `grad_x` of models whose `energy_grad_x` takes NULL for what is not asked for. */
void ebm_real_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out, ebm_work *work);
void ebm_real_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out, ebm_work *work);

/* EBM_UNSUPPORTED on a path that mixes E with a base, along which the model knows no formula for `what`, and at
 * beta = 0, where it cannot be normalised. */
EBM_NODISCARD ebm_status ebm_real_uniform_base(const ebm_model *model, ebm_path path, const char *what,
                                               ebm_error *error);

/* EBM_INVALID where data have given the model a space of another size than `units`, which its options describe. */
EBM_NODISCARD ebm_status ebm_real_units(const ebm_model *model, size_t units, ebm_error *error);

/* Means of the observables (observable.h) of a model; NAN where one does not exist or is not known. */
typedef struct ebm_real_means {
    double first, second, first_square, second_square, square;
    double energy; /* per unit */
} ebm_real_means;

/* *out = the one that is called `observable`; EBM_UNSUPPORTED where it is NAN or there is none of that name. */
EBM_NODISCARD ebm_status ebm_real_mean_named(const ebm_model *model, const ebm_real_means *means,
                                             const char *observable, double *out, ebm_error *error);

/* Slots of a law without parameters: theta is empty, and the model's expectation of nothing costs its log Z. */
ebm_status ebm_real_initialise_nothing(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                       ebm_error *error);
void ebm_real_no_grad_theta(const ebm_model *model, const ebm_batch *batch, const ebm_real *weight, double scale,
                            ebm_real *grad, ebm_work *work);
ebm_status ebm_real_no_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                           ebm_work *work, ebm_error *error);

#endif
