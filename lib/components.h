/* The list of all components: adding one is its file and its line here. The order is the order in which they are shown.
 * The list declares each, and lib/registry.c finds them by kind and name. */
#ifndef EBM_COMPONENTS_H
#define EBM_COMPONENTS_H

#include "ebm/registry.h"

#define EBM_DATASETS(ENTRY)                                                                                            \
    ENTRY(ebm_bars_and_stripes)                                                                                        \
    ENTRY(ebm_shifter)                                                                                                 \
    ENTRY(ebm_parity)                                                                                                  \
    ENTRY(ebm_random_patterns)                                                                                         \
    ENTRY(ebm_machine_draws)                                                                                           \
    ENTRY(ebm_random_distribution)                                                                                     \
    ENTRY(ebm_mixed_classes)                                                                                           \
    ENTRY(ebm_many_body)                                                                                               \
    ENTRY(ebm_gaussian_mixture_2d)                                                                                     \
    ENTRY(ebm_glyphs)                                                                                                  \
    ENTRY(ebm_mnist)                                                                                                   \
    ENTRY(ebm_idx_data)                                                                                                \
    ENTRY(ebm_csv_data)                                                                                                \
    ENTRY(ebm_npy_data)

#define EBM_MODELS(ENTRY)                                                                                              \
    ENTRY(ebm_rbm)                                                                                                     \
    ENTRY(ebm_boltzmann)                                                                                               \
    ENTRY(ebm_hopfield)                                                                                                \
    ENTRY(ebm_boltzmann_hidden)                                                                                        \
    ENTRY(ebm_hopfield_modern)                                                                                         \
    ENTRY(ebm_ising)                                                                                                   \
    ENTRY(ebm_potts)                                                                                                   \
    ENTRY(ebm_potts_dense)                                                                                             \
    ENTRY(ebm_normal_posterior)                                                                                        \
    ENTRY(ebm_grbm)                                                                                                    \
    ENTRY(ebm_harmonium)                                                                                               \
    ENTRY(ebm_gaussian)                                                                                                \
    ENTRY(ebm_gaussian_mixture)                                                                                        \
    ENTRY(ebm_banana)                                                                                                  \
    ENTRY(ebm_funnel)                                                                                                  \
    ENTRY(ebm_student_t)                                                                                               \
    ENTRY(ebm_double_well)                                                                                             \
    ENTRY(ebm_mixture_posterior)                                                                                       \
    ENTRY(ebm_logistic_posterior)                                                                                      \
    ENTRY(ebm_eight_schools)

#define EBM_SAMPLERS(ENTRY)                                                                                            \
    ENTRY(ebm_exact_draws)                                                                                             \
    ENTRY(ebm_gibbs)                                                                                                   \
    ENTRY(ebm_metropolis)                                                                                              \
    ENTRY(ebm_random_walk)                                                                                             \
    ENTRY(ebm_independence)                                                                                            \
    ENTRY(ebm_block_gibbs)                                                                                             \
    ENTRY(ebm_joint_gibbs)                                                                                             \
    ENTRY(ebm_gibbs_with_gradients)                                                                                    \
    ENTRY(ebm_dmala)                                                                                                   \
    ENTRY(ebm_nuts)                                                                                                    \
    ENTRY(ebm_ula)                                                                                                     \
    ENTRY(ebm_gibbs_langevin)                                                                                          \
    ENTRY(ebm_annealed_langevin)                                                                                       \
    ENTRY(ebm_mala)                                                                                                    \
    ENTRY(ebm_hmc)                                                                                                     \
    ENTRY(ebm_sgld)                                                                                                    \
    ENTRY(ebm_swendsen_wang)                                                                                           \
    ENTRY(ebm_wolff)                                                                                                   \
    ENTRY(ebm_tempering)                                                                                               \
    ENTRY(ebm_annealed)                                                                                                \
    ENTRY(ebm_descent)                                                                                                 \
    ENTRY(ebm_graded_response)

#define EBM_LEARNERS(ENTRY)                                                                                            \
    ENTRY(ebm_cd)                                                                                                      \
    ENTRY(ebm_pcd)                                                                                                     \
    ENTRY(ebm_exact)                                                                                                   \
    ENTRY(ebm_hebbian)                                                                                                 \
    ENTRY(ebm_storkey)                                                                                                 \
    ENTRY(ebm_pseudo_inverse)                                                                                          \
    ENTRY(ebm_pseudo_likelihood_learner)                                                                               \
    ENTRY(ebm_ratio_matching)                                                                                          \
    ENTRY(ebm_mean_field)                                                                                              \
    ENTRY(ebm_tap_inversion)                                                                                           \
    ENTRY(ebm_perceptron)                                                                                              \
    ENTRY(ebm_hopfield_descent)

#define EBM_ESTIMATORS(ENTRY)                                                                                          \
    ENTRY(ebm_exact_loglik)                                                                                            \
    ENTRY(ebm_quadrature_estimator)                                                                                    \
    ENTRY(ebm_kl)                                                                                                      \
    ENTRY(ebm_ais)                                                                                                     \
    ENTRY(ebm_pseudo_likelihood)                                                                                       \
    ENTRY(ebm_free_energy_gap)                                                                                         \
    ENTRY(ebm_retrieval)                                                                                               \
    ENTRY(ebm_moments)                                                                                                 \
    ENTRY(ebm_ground_state)                                                                                            \
    ENTRY(ebm_reconstruction_error)                                                                                    \
    ENTRY(ebm_classify)                                                                                                \
    ENTRY(ebm_logistic_regression)                                                                                     \
    ENTRY(ebm_completion)                                                                                              \
    ENTRY(ebm_anomaly)                                                                                                 \
    ENTRY(ebm_imputation)                                                                                              \
    ENTRY(ebm_quality)                                                                                                 \
    ENTRY(ebm_frechet_curve)                                                                                           \
    ENTRY(ebm_generation)                                                                                              \
    ENTRY(ebm_autocorrelation_time_estimator)                                                                          \
    ENTRY(ebm_tap)                                                                                                     \
    ENTRY(ebm_transition_matrix)                                                                                       \
    ENTRY(ebm_gibbs_acceptance)                                                                                        \
    ENTRY(ebm_stability)                                                                                               \
    ENTRY(ebm_recall)                                                                                                  \
    ENTRY(ebm_valleys)                                                                                                 \
    ENTRY(ebm_coupling_error)                                                                                          \
    ENTRY(ebm_couplings_estimator)                                                                                     \
    ENTRY(ebm_moment_gap)                                                                                              \
    ENTRY(ebm_moment_distance)                                                                                         \
    ENTRY(ebm_minima)                                                                                                  \
    ENTRY(ebm_descent_trace)                                                                                           \
    ENTRY(ebm_free_energy_descent)                                                                                     \
    ENTRY(ebm_gradient_bias)                                                                                           \
    ENTRY(ebm_importance)                                                                                              \
    ENTRY(ebm_stein_estimator)                                                                                         \
    ENTRY(ebm_normal_draws)                                                                                            \
    ENTRY(ebm_categorical_draws)                                                                                       \
    ENTRY(ebm_gaussian_draws)                                                                                          \
    ENTRY(ebm_harmonium_laws)

#define EBM_DECLARE_DATASET(name) extern const ebm_dataset_type name;
#define EBM_DECLARE_MODEL(name) extern const ebm_model_type name;
#define EBM_DECLARE_SAMPLER(name) extern const ebm_sampler_type name;
#define EBM_DECLARE_LEARNER(name) extern const ebm_learner_type name;
#define EBM_DECLARE_ESTIMATOR(name) extern const ebm_estimator_type name;
EBM_DATASETS(EBM_DECLARE_DATASET)
EBM_MODELS(EBM_DECLARE_MODEL)
EBM_SAMPLERS(EBM_DECLARE_SAMPLER)
EBM_LEARNERS(EBM_DECLARE_LEARNER)
EBM_ESTIMATORS(EBM_DECLARE_ESTIMATOR)

#endif
