/* Moments of a window (see chain_moments.h): sums of squared deviations, joined batch by batch (Chan, Golub & LeVeque
 * 1979), products in ebm_real and sums over batches in double. */
#include "samplers/chain_moments.h"

#include "core/cholesky.h"
#include "ebm/matrix.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { PRIOR = 5, ALIGNMENT = 64 };

typedef struct header {
    uint64_t units;
    double seen; /* states in the window */
} header;

/* Behind the header, in double: mean (V), window mean (V), window squares (V, V); then the factor (V, V). */
static double *mean_of(const void *memory) {
    return (double *)((char *)memory + ALIGNMENT);
}

static double *window_mean(const void *memory) {
    return mean_of(memory) + ((const header *)memory)->units;
}

static double *window_squares(const void *memory) {
    return window_mean(memory) + ((const header *)memory)->units;
}

static ebm_real *factor_of(const void *memory) {
    const size_t V = (size_t)((const header *)memory)->units;
    return (ebm_real *)(window_squares(memory) + V * V);
}

size_t ebm_chain_moments_bytes(size_t units) {
    const size_t each = sizeof(double) + sizeof(ebm_real);
    if (units > 0 && units > (SIZE_MAX / 2 / each - 4096) / units)
        return SIZE_MAX;
    const size_t bytes = ALIGNMENT + 2 * units * sizeof(double) + units * units * each;
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void open_window(void *memory) {
    header *h = memory;
    h->seen = 0;
    memset(window_mean(memory), 0, (size_t)(h->units + h->units * h->units) * sizeof(double));
}

void ebm_chain_moments_start(void *memory, size_t units) {
    header *h = memory;
    memset(memory, 0, ebm_chain_moments_bytes(units));
    h->units = units;
    for (size_t i = 0; i < units; i++)
        factor_of(memory)[i * units + i] = 1;
}

ebm_status ebm_chain_moments_observe(void *memory, size_t count, const ebm_real *x, ebm_work *work, ebm_error *error) {
    header *h = memory;
    const size_t V = (size_t)h->units, mark = ebm_work_mark(work);
    const double n = (double)count, total = h->seen + n;
    double *shift = ebm_work_take(work, V, sizeof *shift), *mean = window_mean(memory),
           *squares = window_squares(memory);
    ebm_real *deviation = ebm_work_take(work, count * V, sizeof *deviation);
    ebm_real *product = ebm_work_take(work, V * V, sizeof *product);
    if (!shift || !deviation || !product) {
        ebm_work_release(work, mark);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the covariance of %zu units", V);
    }
    for (size_t i = 0; i < V; i++) {
        double sum = 0;
        for (size_t b = 0; b < count; b++)
            sum += (double)x[b * V + i];
        for (size_t b = 0; b < count; b++)
            deviation[b * V + i] = (ebm_real)((double)x[b * V + i] - sum / n);
        shift[i] = sum / n - mean[i];
        mean[i] += shift[i] * n / total;
    }
    ebm_gemm(true, false, V, V, count, 1, deviation, V, deviation, V, 0, product, V, work);
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j <= i; j++)
            squares[i * V + j] += (double)product[i * V + j] + shift[i] * shift[j] * h->seen * n / total;
    h->seen = total;
    ebm_work_release(work, mark);
    return EBM_OK;
}

/* squares becomes the covariance with its prior, lower triangle; false where there was no spread. */
static bool shrink(void *memory) {
    const header *h = memory;
    const size_t V = (size_t)h->units;
    double *squares = window_squares(memory), average = 0;
    for (size_t i = 0; i < V; i++)
        average += squares[i * V + i] / (h->seen - 1) / (double)V;
    if (!(h->seen > 1) || !(average > 0) || !isfinite(average))
        return false;
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j <= i; j++)
            squares[i * V + j] =
                (h->seen * squares[i * V + j] / (h->seen - 1) + (i == j ? PRIOR * average : 0)) / (h->seen + PRIOR);
    return true;
}

ebm_status ebm_chain_moments_take(void *memory, ebm_error *error) {
    header *h = memory;
    const size_t V = (size_t)h->units;
    double *squares = window_squares(memory);
    ebm_real *factor = factor_of(memory);
    if (shrink(memory)) {
        EBM_TRY(ebm_cholesky(V, squares, "the covariance of the chains in warm-up", error));
        for (size_t k = 0; k < V * V; k++)
            factor[k] = (ebm_real)squares[k];
        memcpy(mean_of(memory), window_mean(memory), V * sizeof(double));
    }
    open_window(memory);
    return EBM_OK;
}

const double *ebm_chain_moments_mean(const void *memory) {
    return mean_of(memory);
}

const ebm_real *ebm_chain_moments_factor(const void *memory) {
    return factor_of(memory);
}
