/* Which of the compiled wide-vector kernels this process uses. */
#include "core/row_kernels.h"

#include <stdlib.h>
#include <string.h>

extern const ebm_row_kernels ebm_row_kernels_baseline;
#if defined(__x86_64__)
extern const ebm_row_kernels ebm_row_kernels_avx2;
extern const ebm_row_kernels ebm_row_kernels_avx512;
#endif

const ebm_row_kernels *ebm_row_kernels_named(const char *name) {
#if defined(__x86_64__)
    /* Each feature of x86-64-v3 and -v4 that the compiler may use; a CPU that has these has the rest of the level. */
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    if (strcmp(name, "avx512") == 0)
        return v4 ? &ebm_row_kernels_avx512 : NULL;
    if (strcmp(name, "avx2") == 0)
        return v3 ? &ebm_row_kernels_avx2 : NULL;
#endif
    return strcmp(name, "baseline") == 0 ? &ebm_row_kernels_baseline : NULL;
}

static const ebm_row_kernels *choose(void) {
    static const char *const names[] = {"avx512", "avx2", "baseline"};
    const size_t count = sizeof names / sizeof names[0];
    const char *wanted = getenv("EBM_KERNELS");
    size_t first = 0;
    for (size_t i = 0; wanted != NULL && i < count; i++)
        if (strcmp(wanted, names[i]) == 0)
            first = i;
    for (size_t i = first; i < count; i++) {
        const ebm_row_kernels *kernels = ebm_row_kernels_named(names[i]);
        if (kernels != NULL)
            return kernels;
    }
    return &ebm_row_kernels_baseline;
}

/* Every thread that finds the pointer unset computes the same answer. */
static const ebm_row_kernels *chosen;

const ebm_row_kernels *ebm_row_kernels_get(void) {
    const ebm_row_kernels *kernels = __atomic_load_n(&chosen, __ATOMIC_ACQUIRE);
    if (kernels == NULL) {
        kernels = choose();
        __atomic_store_n(&chosen, kernels, __ATOMIC_RELEASE);
    }
    return kernels;
}

void ebm_row_kernels_use(const ebm_row_kernels *kernels) {
    __atomic_store_n(&chosen, kernels, __ATOMIC_RELEASE);
}
