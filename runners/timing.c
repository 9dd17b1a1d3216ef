/* Clock and peak (see timing.h). */
#include "timing.h"

#include "ebm/matrix.h"

#include <time.h>

double ebm_seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

ebm_status ebm_measure_peak(size_t n, ebm_work *single, double *best, ebm_error *error) {
    size_t mark = ebm_work_mark(single);
    ebm_real *a = ebm_work_take(single, 3 * n * n, sizeof *a);
    if (!a)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for products of side %zu", n);
    for (size_t i = 0; i < 3 * n * n; i++)
        a[i] = (ebm_real)(1 + i % 7) / 8;
    for (int repeat = 0; repeat < 3; repeat++) {
        double start = ebm_seconds_now();
        ebm_gemm(false, false, n, n, n, 1.0, a, n, a + n * n, n, 0.0, a + 2 * n * n, n, single);
        double rate = 2.0 * (double)n * (double)n * (double)n / (ebm_seconds_now() - start);
        *best = rate > *best ? rate : *best;
    }
    ebm_work_release(single, mark);
    return EBM_OK;
}
