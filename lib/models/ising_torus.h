/* The square-lattice Ising model without field, exactly: finite tori and the infinite lattice. Internal to the models.
 *
 * p(s) proportional to exp(K sum_(neighbours) s_i s_j), K = beta J >= 0. */
#ifndef EBM_MODELS_ISING_TORUS_H
#define EBM_MODELS_ISING_TORUS_H

#include <stddef.h>

/* sinh 2 K_c = 1: K_c = log(1 + sqrt 2) / 2 */
#define EBM_ISING_CRITICAL 0.44068679350977151

/* log Z of rows x columns units around the ends (both at least 3) with its derivatives by K: the mean of
 * S = sum s_i s_j, and its variance. */
typedef struct ebm_ising_torus {
    double log_z, mean, variance;
} ebm_ising_torus;

/* K >= 0 and finite. Costs O(columns). */
ebm_ising_torus ebm_ising_torus_exact(size_t rows, size_t columns, double K);

/* The infinite lattice, per unit, in units of J and of Boltzmann's constant: energy -<s_i (s_right + s_below)>;
 * specific heat, infinite at K_c; spontaneous magnetisation. K >= 0. */
double ebm_ising_infinite_energy(double K);
double ebm_ising_infinite_specific_heat(double K);
double ebm_ising_infinite_magnetisation(double K);

#endif
