/* Factorised base distributions for annealing: Bernoulli, spin, categorical and Gaussian units.
 *
 * E_base(x) = -sum_i a_i x_i (binary, spin), -sum_i a_i[x_i] (categorical), sum_i (x_i - m_i)^2 / (2 s_i^2) (real).
 * For binary units fitted to the data's means this is the base-rate machine of Salakhutdinov & Murray (2008),
 * section 4. */
#include "ebm/matrix.h"
#include "ebm/model.h"
#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t parameters_per_unit(const ebm_space *space) {
    switch (space->domain) {
    case EBM_CATEGORICAL:
        return space->categories;
    case EBM_REAL_LINE:
        return 2;
    default:
        return 1;
    }
}

/* Sums over the training half in blocks: of x, of x^2 and of [x = c]. */
static ebm_status moments(const ebm_dataset *data, size_t per_unit, double *sums, double *squares, ebm_error *error) {
    size_t V = data->space.size, block = 1000;
    ebm_real *x = ebm_alloc(block * V, sizeof *x);
    if (!x)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a block of data");
    for (size_t first = 0; first < data->train.count; first += block) {
        size_t n = data->train.count - first < block ? data->train.count - first : block;
        ebm_examples_fixed(data, &data->train, first, n, x);
        for (size_t b = 0; b < n; b++)
            for (size_t i = 0; i < V; i++) {
                double value = (double)x[b * V + i];
                if (data->space.domain == EBM_CATEGORICAL) {
                    sums[i * per_unit + (size_t)value] += 1;
                } else {
                    sums[i] += value;
                    squares[i] += value * value;
                }
            }
    }
    free(x);
    return EBM_OK;
}

static void set_unit(ebm_base *base, size_t i, double n, double c, const double *sums, const double *squares) {
    ebm_real *p = base->parameters;
    size_t V = base->space.size, q = base->space.categories;
    switch (base->space.domain) {
    case EBM_BINARY: {
        double mean = n + c > 0 ? (sums[i] + 0.5 * c) / (n + c) : 0.5;
        p[i] = (ebm_real)ebm_logit(mean);
        base->log_normaliser += ebm_log1pexp((double)p[i]);
        break;
    }
    case EBM_SPIN: {
        double up = n + c > 0 ? (0.5 * (sums[i] + n) + 0.5 * c) / (n + c) : 0.5;
        p[i] = (ebm_real)(0.5 * ebm_logit(up));
        base->log_normaliser += ebm_logaddexp((double)p[i], -(double)p[i]);
        break;
    }
    case EBM_CATEGORICAL: {
        double total = -INFINITY;
        for (size_t k = 0; k < q; k++) {
            double share = n + c > 0 ? (sums[i * q + k] + c / (double)q) / (n + c) : 1.0 / (double)q;
            p[i * q + k] = (ebm_real)log(share);
            total = ebm_logaddexp(total, (double)p[i * q + k]);
        }
        base->log_normaliser += total;
        break;
    }
    case EBM_REAL_LINE: {
        double mean = n > 0 ? sums[i] / n : 0;
        double variance = n + c > 0 ? (squares[i] - n * mean * mean + c) / (n + c) : 1;
        variance = variance > 1e-6 ? variance : 1e-6;
        p[i] = (ebm_real)mean;
        p[V + i] = (ebm_real)log(variance);
        base->log_normaliser += 0.5 * (log(2 * M_PI) + (double)p[V + i]);
        break;
    }
    }
}

ebm_status ebm_base_fit(const ebm_space *space, const ebm_dataset *data, double pseudo_count, ebm_base *out,
                        ebm_error *error) {
    memset(out, 0, sizeof *out);
    size_t per_unit = parameters_per_unit(space);
    if (data && !ebm_space_equal(space, &data->space))
        return ebm_fail(error, EBM_INVALID, "the base distribution and the data are on different spaces");
    if (data && !(pseudo_count > 0))
        return ebm_fail(error, EBM_INVALID,
                        "pseudo_count is %g: it must be positive, or a unit that never changes in the "
                        "data would have an infinite bias",
                        pseudo_count);
    out->space = *space;
    out->count = space->size * per_unit;
    out->parameters = ebm_alloc(out->count, sizeof(ebm_real));
    double *sums = ebm_alloc(out->count, sizeof *sums), *squares = ebm_alloc(out->count, sizeof *squares);
    ebm_status status = EBM_OK;
    if (!out->parameters || !sums || !squares)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for a base distribution of %zu units", space->size);
    if (status == EBM_OK && data)
        status = moments(data, per_unit, sums, squares, error);
    if (status == EBM_OK)
        for (size_t i = 0; i < space->size; i++)
            set_unit(out, i, data ? (double)data->train.count : 0, data ? pseudo_count : 0, sums, squares);
    free(sums);
    free(squares);
    if (status != EBM_OK)
        ebm_base_free(out);
    return status;
}

void ebm_base_free(ebm_base *base) {
    free(base->parameters);
    memset(base, 0, sizeof *base);
}

static size_t draw_category(const ebm_real *logits, size_t q, double u) {
    double highest = (double)logits[0], total = 0, sum = 0;
    for (size_t k = 1; k < q; k++)
        highest = (double)logits[k] > highest ? (double)logits[k] : highest;
    for (size_t k = 0; k < q; k++)
        total += exp((double)logits[k] - highest);
    for (size_t k = 0; k + 1 < q; k++) {
        sum += exp((double)logits[k] - highest) / total;
        if (u < sum)
            return k;
    }
    return q - 1;
}

void ebm_base_sample(const ebm_base *base, size_t count, ebm_stream stream, uint32_t first_chain, uint64_t step,
                     ebm_real *x, ebm_work *work) {
    size_t V = base->space.size, q = base->space.categories;
    (void)work;
    for (size_t b = 0; b < count; b++) {
        ebm_real *row = x + b * V;
        uint32_t chain = first_chain + (uint32_t)b;
        if (base->space.domain == EBM_REAL_LINE) {
            ebm_random_normal_plain(stream, chain, step, V, row);
            for (size_t i = 0; i < V; i++)
                row[i] = (ebm_real)((double)base->parameters[i] +
                                    exp(0.5 * (double)base->parameters[V + i]) * (double)row[i]);
            continue;
        }
        ebm_random_uniform(stream, chain, step, V, row);
        for (size_t i = 0; i < V; i++) {
            double u = (double)row[i];
            if (base->space.domain == EBM_BINARY)
                row[i] = u < ebm_sigmoid((double)base->parameters[i]) ? 1 : 0;
            else if (base->space.domain == EBM_SPIN)
                row[i] = u < ebm_sigmoid(2 * (double)base->parameters[i]) ? 1 : -1;
            else
                row[i] = (ebm_real)draw_category(base->parameters + i * q, q, u);
        }
    }
}

void ebm_base_energy(const ebm_base *base, size_t count, const ebm_real *x, double *out, ebm_work *work) {
    size_t V = base->space.size, q = base->space.categories;
    const ebm_real *p = base->parameters;
    if (base->space.domain == EBM_BINARY || base->space.domain == EBM_SPIN) {
        ebm_dot_rows(count, V, x, p, out, work);
        for (size_t b = 0; b < count; b++)
            out[b] = -out[b];
        return;
    }
    for (size_t b = 0; b < count; b++) {
        double energy = 0;
        for (size_t i = 0; i < V; i++) {
            double value = (double)x[b * V + i];
            if (base->space.domain == EBM_CATEGORICAL)
                energy -= (double)p[i * q + (size_t)value];
            else
                energy += 0.5 * (value - (double)p[i]) * (value - (double)p[i]) * exp(-(double)p[V + i]);
        }
        out[b] = energy;
    }
}
