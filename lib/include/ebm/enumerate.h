/* Every state of a small discrete space, and a model's exact distribution over them.
 *
 * A state's code is a number in base q (2 for binary and spin units, where digit 0 is 0 or -1): unit 0 is the least
 * significant digit. */
#ifndef EBM_ENUMERATE_H
#define EBM_ENUMERATE_H

#include "ebm/model.h"

/* The most states that ebm_model_log_probabilities lists. */
enum { EBM_MAX_STATES = 1 << 22 };

/* Number of states; 0 where the space is continuous or the number exceeds 2^62. */
size_t ebm_states_count(const ebm_space *space);
/* x (count, size) = states first ... first + count - 1. The space is discrete. */
void ebm_states_fill(const ebm_space *space, size_t first, size_t count, ebm_real *x);
/* The code of one state x (size). */
size_t ebm_states_code(const ebm_space *space, const ebm_real *x);

/* log_p (ebm_states_count) = log p_beta of every state, normalised over the list itself; log_z may be NULL. In blocks;
 * where there are few hidden units their states are summed one by one in double, else through the free energy.
 * EBM_UNSUPPORTED with the number for more than EBM_MAX_STATES states, EBM_DIVERGED where an energy is not finite. */
EBM_NODISCARD ebm_status ebm_model_log_probabilities(const ebm_model *model, ebm_path path, double *log_p,
                                                     double *log_z, ebm_work *work, ebm_error *error);
/* out (2^H) = E_beta(x, h) of one visible state with every state of the hidden units (unit j is up where bit j is set; they
 * are 0/1, but -1/+1 where the visible ones are). `batch` has 2^H rows. EBM_DIVERGED as above. */
EBM_NODISCARD ebm_status ebm_model_joint_energies(const ebm_model *model, ebm_path path, size_t state, ebm_batch *batch,
                                                  double *out, ebm_work *work, ebm_error *error);

#endif
