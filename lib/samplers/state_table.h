/* All states of a small discrete space with their probabilities: what the kernels of samplers are written on. Internal
 * to the samplers.
 *
 * A state is its code (enumerate.h): digit i is unit i's value, 0 ... q - 1 (spins: 0 is -1). */
#ifndef EBM_STATE_TABLE_H
#define EBM_STATE_TABLE_H

#include "ebm/diagnostics.h"
#include "ebm/sampler.h"

typedef struct ebm_state_table {
    const ebm_model *model; /* borrowed */
    size_t states, units, categories;
    const double *log_p;  /* (states): log p_beta, normalised */
    const size_t *weight; /* (units): q^i, what a step of digit i adds to a code */
} ebm_state_table;

/* `states` is what the caller's matrix has room for: EBM_INVALID where the space has another number, EBM_UNSUPPORTED
 * with the number where it has more than EBM_MAX_CHAIN_STATES. Memory is `work`'s: release it by a mark taken before. */
EBM_NODISCARD ebm_status ebm_state_table_create(const ebm_model *model, ebm_path path, size_t states,
                                                ebm_state_table *out, ebm_work *work, ebm_error *error);

static inline size_t ebm_state_digit(const ebm_state_table *t, size_t code, size_t unit) {
    return code / t->weight[unit] % t->categories;
}
static inline size_t ebm_state_with(const ebm_state_table *t, size_t code, size_t unit, size_t digit) {
    return code - ebm_state_digit(t, code, unit) * t->weight[unit] + digit * t->weight[unit];
}
/* The number that a digit stands for: 0 ... q - 1, or -1 and +1. */
static inline double ebm_state_value(const ebm_state_table *t, size_t digit) {
    return t->model->space.domain == EBM_SPIN ? 2.0 * (double)digit - 1 : (double)digit;
}

/* Every row of T (S, S) is a law; it becomes the law after one more update of `unit` by `rule`: T <- T P_unit. */
void ebm_kernel_update_unit(const ebm_state_table *t, ebm_site_rule rule, size_t unit, double *T, ebm_work *work);
/* T = the identity. */
void ebm_kernel_identity(size_t states, double *T);
/* T <- T^power (power >= 1), by squaring. False without memory. */
bool ebm_kernel_power(size_t states, size_t power, double *T, ebm_work *work);

#endif
