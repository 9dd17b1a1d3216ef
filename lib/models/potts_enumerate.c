/* Exact sums over all states of a pairwise categorical machine, in double.
 *
 * A state's code has unit 0 as its least significant digit in base q. The log-weights of the states of units 0 ... k are
 * q shifted copies of those of units 0 ... k - 1:
 *   w_k(x_k = c, rest) = w_(k-1)(rest) + h_k(c) + sum_(j<k) J_kj(c, x_j)
 * and the last two terms, for one c, are the log-weights of independent units, built up digit by digit in the same way.
 * So a state costs a few additions, whatever V is. */
#include "models/potts_parts.h"

#include "ebm/special.h"

#include <math.h>
#include <string.h>

static const size_t MOST_STATES = (size_t)1 << 20;

/* q^V, or an error where it is more than can be enumerated. */
static ebm_status count_states(const ebm_space *space, size_t *out, ebm_error *error) {
    size_t states = 1;
    for (size_t i = 0; i < space->size; i++) {
        states *= space->categories;
        if (states > MOST_STATES)
            return ebm_fail(error, EBM_UNSUPPORTED, "%zu units of %zu categories have more than %zu states to sum over",
                            space->size, space->categories, MOST_STATES);
    }
    *out = states;
    return EBM_OK;
}

/* out (count) = out + number in each of q copies, copy d shifted by value[d]; q * count numbers on return. The copies
 * go from the last to the first, which is in place. */
static void multiply_out(size_t q, size_t count, const double *value, double *out) {
    for (size_t d = q; d-- > 0;)
        for (size_t k = 0; k < count; k++)
            out[d * count + k] = out[k] + value[d];
}

/* w (q^V) = log-weights -E_beta of all states; independent (q^(V - 1)) and value (q) are scratch. */
static void fill_weights(const ebm_model *model, ebm_path path, const double *pair, double *w, double *independent,
                         double *value) {
    const size_t V = model->space.size, q = model->space.categories;
    const ebm_real *h = ebm_potts_view(model, EBM_POTTS_FIELD), *a = path.base ? path.base->parameters : NULL;
    size_t below = 1; /* q^k */
    w[0] = 0;
    for (size_t k = 0; k < V; k++, below *= q)
        for (size_t c = q; c-- > 0;) {
            const double base = a ? (1 - path.beta) * (double)a[k * q + c] : 0;
            independent[0] = path.beta * (double)h[k * q + c] + base;
            for (size_t j = 0, count = 1; j < k; j++, count *= q) {
                for (size_t d = 0; d < q; d++)
                    value[d] = path.beta * pair[ebm_potts_pair(q, k, j, c, d)];
                multiply_out(q, count, value, independent);
            }
            for (size_t code = 0; code < below; code++) /* c = 0 comes last, in place */
                w[c * below + code] = w[code] + independent[code];
        }
}

/* *out (states) = the log-weights, scratch of `work`, with *log_z their log-sum. */
static ebm_status weights(const ebm_model *model, ebm_path path, ebm_potts_couplings *couplings, size_t *states,
                          double **out, double *log_z, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, q = model->space.categories;
    EBM_TRY(count_states(&model->space, states, error));
    const size_t pairs = V * (V - 1) / 2 * q * q;
    *out = ebm_work_take(work, *states, sizeof **out);
    const size_t mark = ebm_work_mark(work);
    double *pair = ebm_work_take(work, pairs, sizeof *pair), *value = ebm_work_take(work, q, sizeof *value);
    double *independent = ebm_work_take(work, *states / q, sizeof *independent);
    ebm_status status = EBM_OK;
    if (*out && pair && value && independent) {
        memset(pair, 0, pairs * sizeof *pair);
        couplings(model, pair);
        fill_weights(model, path, pair, *out, independent, value);
        *log_z = ebm_log_sum_exp(*out, *states);
        if (!isfinite(*log_z))
            status = ebm_fail(error, EBM_DIVERGED, "log Z is %g: a parameter is not finite or far too large", *log_z);
    } else {
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory to sum over %zu states", *states);
    }
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_potts_log_normaliser(const ebm_model *model, ebm_path path, ebm_potts_couplings *couplings, double *out,
                                    ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    size_t states;
    double *w;
    ebm_status status = weights(model, path, couplings, &states, &w, out, work, error);
    ebm_work_release(work, mark);
    return status;
}

/* From p (q^V): unit (V, q) and the pairs. The highest unit's marginals are read off, then it is summed out. */
static void fill_marginals(size_t V, size_t q, double *p, double *unit, double *pair) {
    size_t below = 1;
    for (size_t i = 1; i < V; i++)
        below *= q;
    for (size_t k = V; k-- > 0; below /= q) { /* p is over units 0 ... k; below = q^k */
        for (size_t c = 0; c < q; c++) {
            const double *slab = p + c * below;
            for (size_t j = 0, step = 1; j < k; j++, step *= q)
                for (size_t code = 0; code < below; code += step) {
                    double sum = 0; /* over the units below j */
                    for (size_t low = 0; low < step; low++)
                        sum += slab[code + low];
                    pair[ebm_potts_pair(q, k, j, c, code / step % q)] += sum;
                }
            for (size_t code = 0; code < below; code++)
                unit[k * q + c] += slab[code];
        }
        for (size_t c = 1; c < q; c++)
            for (size_t code = 0; code < below; code++)
                p[code] += p[c * below + code];
    }
}

ebm_status ebm_potts_expected_grad(const ebm_model *model, ebm_potts_couplings *couplings, ebm_potts_marginals *add,
                                   double scale, ebm_real *grad, double *log_z, ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, q = model->space.categories, mark = ebm_work_mark(work);
    size_t states;
    double *p, total;
    ebm_status status = weights(model, ebm_path_end(), couplings, &states, &p, &total, work, error);
    if (status == EBM_OK) {
        const size_t pairs = V * (V - 1) / 2 * q * q;
        double *unit = ebm_work_take(work, V * q, sizeof *unit), *pair = ebm_work_take(work, pairs, sizeof *pair);
        if (unit && pair) {
            for (size_t s = 0; s < states; s++)
                p[s] = exp(p[s] - total);
            memset(unit, 0, V * q * sizeof *unit);
            memset(pair, 0, pairs * sizeof *pair);
            fill_marginals(V, q, p, unit, pair);
            add(model, unit, pair, scale, grad);
            if (log_z)
                *log_z = total;
        } else {
            status = ebm_fail(error, EBM_NO_MEMORY, "no memory for the marginals of %zu pairs of units", pairs / q / q);
        }
    }
    ebm_work_release(work, mark);
    return status;
}

/* By inverse CDF: the first state whose cumulative probability exceeds a uniform number. */
ebm_status ebm_potts_sample_exact(const ebm_model *model, ebm_path path, ebm_potts_couplings *couplings,
                                  ebm_batch *batch, ebm_stream stream, uint32_t first_chain, uint64_t step,
                                  ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, q = model->space.categories, mark = ebm_work_mark(work);
    size_t states;
    double *p, log_z, sum = 0;
    ebm_status status = weights(model, path, couplings, &states, &p, &log_z, work, error);
    for (size_t s = 0; status == EBM_OK && s < states; s++)
        p[s] = sum += exp(p[s] - log_z);
    for (size_t b = 0; status == EBM_OK && b < batch->count; b++) {
        const double level = sum * ebm_random_uniform1(stream, first_chain + (uint32_t)b, step, 0);
        size_t low = 0, high = states - 1; /* the state is among low ... high */
        while (low < high) {
            const size_t middle = low + (high - low) / 2;
            if (p[middle] > level)
                high = middle;
            else
                low = middle + 1;
        }
        for (size_t i = 0; i < V; i++, low /= q)
            batch->x[b * V + i] = (ebm_real)(low % q);
    }
    batch->field_ok = false;
    ebm_work_release(work, mark);
    return status;
}
