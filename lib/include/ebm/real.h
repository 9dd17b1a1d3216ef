/* The number type of states, weights and gradients. Energies, log-weights and sums are always double. */
#ifndef EBM_REAL_H
#define EBM_REAL_H

#ifdef EBM_DOUBLE
typedef double ebm_real;
#else
typedef float ebm_real;
#endif

#endif
