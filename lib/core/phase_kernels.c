/* Kicks and drifts: one source, compiled once for each instruction set, whose vector loops the compiler writes. */
#include "core/phase_kernels.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define KERNELS JOIN(ebm_phase_kernels_, EBM_KERNEL_SUFFIX)

static void kick(size_t rows, size_t V, const ebm_real *restrict scale, const ebm_real *restrict step, ebm_real share,
                 const ebm_real *restrict gradient, ebm_real *restrict momentum) {
    for (size_t b = 0; b < rows; b++) {
        const ebm_real *restrict g = gradient + b * V;
        ebm_real *restrict r = momentum + b * V;
        const ebm_real part = share * step[b];
        for (size_t i = 0; i < V; i++)
            r[i] -= part * (scale[i] * g[i]);
    }
}

static void kick_drift(size_t rows, size_t V, const ebm_real *restrict scale, const ebm_real *restrict step,
                       ebm_real share, const ebm_real *restrict gradient, ebm_real *restrict momentum,
                       ebm_real *restrict x) {
    for (size_t b = 0; b < rows; b++) {
        const ebm_real *restrict g = gradient + b * V;
        ebm_real *restrict r = momentum + b * V, *restrict q = x + b * V;
        const ebm_real whole = step[b], part = share * whole;
        for (size_t i = 0; i < V; i++) {
            const ebm_real moved = r[i] - part * (scale[i] * g[i]);
            r[i] = moved;
            q[i] += whole * (scale[i] * moved);
        }
    }
}

extern const ebm_phase_kernels KERNELS;
const ebm_phase_kernels KERNELS = {.kick = kick, .kick_drift = kick_drift};
