/* Sums over all states of one binary layer.
 *
 * The K units are split into the low L <= 10, whose 2^L states form one block, and the high K - L, which number the
 * blocks. Within a block z = bias + (high part) + s_low M_low: one product with K = L, whatever K is. Block sums are
 * kept in the log domain and added in block order. */
#include "models/enumerate_layer.h"

#include "ebm/matrix.h"
#include "ebm/special.h"

#include <math.h>

enum { LOW_UNITS = 10 };

typedef struct block_scratch {
    size_t low, rows;   /* low units, 2^low */
    ebm_real *states;   /* (rows, low) */
    ebm_real *high;     /* (N): bias + high part */
    ebm_real *z;        /* (rows, N) */
    double *low_linear; /* (rows): linear . s_low */
    double *log_weight; /* (rows) */
} block_scratch;

static ebm_status scratch_take(const ebm_layer_sum *sum, block_scratch *s, ebm_work *work, ebm_error *error) {
    if (sum->K > EBM_ENUMERATE_MAX_UNITS)
        return ebm_fail(
            error, EBM_UNSUPPORTED,
            "exact log Z needs 2^%zu states: at most 2^%d are enumerated (use annealed importance sampling)", sum->K,
            EBM_ENUMERATE_MAX_UNITS);
    s->low = sum->K < LOW_UNITS ? sum->K : LOW_UNITS;
    s->rows = (size_t)1 << s->low;
    s->states = ebm_work_take(work, s->rows * (s->low ? s->low : 1), sizeof(ebm_real));
    s->high = ebm_work_take(work, sum->N, sizeof(ebm_real));
    s->z = ebm_work_take(work, s->rows * sum->N, sizeof(ebm_real));
    s->low_linear = ebm_work_take(work, s->rows, sizeof(double));
    s->log_weight = ebm_work_take(work, s->rows, sizeof(double));
    if (!s->states || !s->high || !s->z || !s->low_linear || !s->log_weight)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to enumerate blocks of %zu states of %zu units", s->rows,
                        sum->N);
    for (size_t r = 0; r < s->rows; r++) {
        s->low_linear[r] = 0;
        for (size_t k = 0; k < s->low; k++) {
            s->states[r * s->low + k] = (ebm_real)(r >> k & 1u);
            s->low_linear[r] += (double)(r >> k & 1u) * (double)sum->linear[k];
        }
    }
    return EBM_OK;
}

/* Fills z and log_weight for block `high_code`. */
static void fill_block(const ebm_layer_sum *sum, block_scratch *s, size_t high_code, ebm_work *work) {
    double high_linear = 0;
    for (size_t n = 0; n < sum->N; n++)
        s->high[n] = sum->bias[n];
    for (size_t k = s->low; k < sum->K; k++) {
        if (!(high_code >> (k - s->low) & 1u))
            continue;
        high_linear += (double)sum->linear[k];
        for (size_t n = 0; n < sum->N; n++)
            s->high[n] += sum->coupling[k * sum->N + n];
    }
    ebm_binary_product(s->rows, sum->N, s->low, s->states, s->low, sum->coupling, sum->N, s->high, s->z, sum->N, work);
    ebm_softplus_rows(s->rows, sum->N, s->z, 1.0, s->log_weight, work);
    for (size_t r = 0; r < s->rows; r++)
        s->log_weight[r] += s->low_linear[r] + high_linear;
}

ebm_status ebm_layer_log_sum(const ebm_layer_sum *sum, double *out, ebm_work *work, ebm_error *error) {
    size_t mark = ebm_work_mark(work);
    block_scratch s;
    ebm_status status = scratch_take(sum, &s, work, error);
    if (status == EBM_OK) {
        double total = -INFINITY;
        for (size_t block = 0; block < (size_t)1 << (sum->K - s.low); block++) {
            fill_block(sum, &s, block, work);
            total = ebm_logaddexp(total, ebm_log_sum_exp(s.log_weight, s.rows));
        }
        *out = total;
        if (!isfinite(total))
            status = ebm_fail(error, EBM_DIVERGED, "log Z is %g: a parameter is not finite or far too large", total);
    }
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_layer_expectations(const ebm_layer_sum *sum, double log_z, double scale, ebm_real *small,
                                  ebm_real *large, ebm_real *pair, ebm_work *work, ebm_error *error) {
    size_t mark = ebm_work_mark(work);
    block_scratch s;
    ebm_status status = scratch_take(sum, &s, work, error);
    size_t N = sum->N;
    ebm_real *column = ebm_work_take(work, N, sizeof *column);
    if (status == EBM_OK && !column)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu sums", N);
    for (size_t block = 0; status == EBM_OK && block < (size_t)1 << (sum->K - s.low); block++) {
        fill_block(sum, &s, block, work);
        ebm_sigmoid_rows(s.rows, N, s.z, 1.0, NULL, s.z, work);
        double block_weight = 0;
        for (size_t r = 0; r < s.rows; r++) {
            double weight = exp(s.log_weight[r] - log_z);
            block_weight += weight;
            for (size_t n = 0; n < N; n++)
                s.z[r * N + n] = (ebm_real)((double)s.z[r * N + n] * weight);
            for (size_t k = 0; k < s.low; k++)
                small[k] += (ebm_real)(scale * weight * (double)s.states[r * s.low + k]);
        }
        for (size_t n = 0; n < N; n++)
            column[n] = 0;
        ebm_column_sums(s.rows, N, scale, s.z, NULL, column, work);
        for (size_t n = 0; n < N; n++)
            large[n] += column[n];
        ebm_binary_outer(s.rows, N, s.low, scale, s.states, s.low, s.z, N, pair, N, work);
        for (size_t k = s.low; k < sum->K; k++) {
            if (!(block >> (k - s.low) & 1u))
                continue;
            small[k] += (ebm_real)(scale * block_weight);
            for (size_t n = 0; n < N; n++)
                pair[k * N + n] += column[n];
        }
    }
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_layer_quantiles(const ebm_layer_sum *sum, double log_z, size_t count, const double *level,
                               uint32_t *states, ebm_work *work, ebm_error *error) {
    size_t mark = ebm_work_mark(work), found = 0;
    block_scratch s;
    ebm_status status = scratch_take(sum, &s, work, error);
    double cumulative = 0;
    for (size_t block = 0; status == EBM_OK && found < count && block < (size_t)1 << (sum->K - s.low); block++) {
        fill_block(sum, &s, block, work);
        for (size_t r = 0; r < s.rows; r++) {
            cumulative += exp(s.log_weight[r] - log_z);
            for (; found < count && level[found] < cumulative; found++)
                states[found] = (uint32_t)(block << s.low | r);
        }
    }
    for (; status == EBM_OK && found < count; found++) /* the sum stopped a rounding error short of 1 */
        states[found] = (uint32_t)(((size_t)1 << sum->K) - 1);
    ebm_work_release(work, mark);
    return status;
}
