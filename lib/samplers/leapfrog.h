/* Hamiltonian dynamics of many chains at once by the leapfrog method (Duane, Kennedy, Pendleton & Roweth 1987; Neal
 * 2011, section 2.3).
 *
 *   H(x, r) = E_beta(x) + |r|^2 / 2,   momentum r_i / s_i with a scale s_i of each unit, that is mass 1 / s_i^2
 *   a step of size e:  r -= e/2 s dE/dx(x);  x += e s r;  r -= e/2 s dE/dx(x)
 *
 * In r the kinetic energy knows no scale: r ~ N(0, 1) at the start of a trajectory, and sums and inner products of the
 * U-turn criterion are plain ones, p^T M^-1 p' = r . r'. A step -e goes back in time. Rows are independent: a row that has
 * run away holds infinities or NaN and disturbs no other. Internal to the samplers. */
#ifndef EBM_LEAPFROG_H
#define EBM_LEAPFROG_H

#include "ebm/sampler.h"

#include <stdbool.h>

/* Points of phase space, one a row. Rows move from one to another by ebm_phase_copy. */
typedef struct ebm_phase {
    ebm_batch batch;    /* x (B, V) and the model's field; batch.count may be lowered to use the first rows alone */
    ebm_real *momentum; /* (B, V): r */
    ebm_real *gradient; /* (B, V): dE_beta/dx at x */
    double *energy;     /* (B): E_beta(x) */
} ebm_phase;

/* Room for `rows` points, nothing in them, taken from `work`; false where there is no memory. */
bool ebm_phase_take(const ebm_model *model, size_t rows, ebm_phase *out, ebm_work *work);
/* Row `source` of `from` becomes row `target` of `to`: x, momentum, gradient, energy. The field of `to` is no longer
 * valid. */
void ebm_phase_copy(const ebm_model *model, const ebm_phase *from, size_t source, ebm_phase *to, size_t target);
/* Gradient and energy at x, of all rows; counted in `chains`. */
void ebm_phase_look(const ebm_model *model, ebm_path path, ebm_phase *phase, ebm_chains *chains, ebm_work *work);
/* r ~ N(0, 1); row b draws at chain first_chain + b. */
void ebm_phase_draw_momentum(const ebm_model *model, ebm_stream stream, uint32_t first_chain, uint64_t step,
                             ebm_phase *phase, ebm_work *work);
/* out (B) = |r|^2 / 2 */
void ebm_phase_kinetic(const ebm_model *model, const ebm_phase *phase, double *out, ebm_work *work);

/* `steps` >= 1 leapfrog steps of all rows from where they are, with gradients valid at x; scale (V) > 0; step (B), each
 * row its own size and sign. On return x, momentum, gradient and energy belong to the end points. Counts in `chains`
 * B gradients a step and B energies in all. */
void ebm_leapfrog(const ebm_model *model, ebm_path path, const ebm_real *scale, const ebm_real *step, size_t steps,
                  ebm_phase *phase, ebm_chains *chains, ebm_work *work);

/* EBM_DIVERGED, naming chain and unit, where the gradient of a row of finite energy holds NaN. Row b is chain
 * first_chain + b. */
EBM_NODISCARD ebm_status ebm_phase_check_gradient(const ebm_model *model, const ebm_phase *phase, uint32_t first_chain,
                                                  ebm_error *error);

#endif
