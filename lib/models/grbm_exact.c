/* Gaussian-Bernoulli RBMs exactly, by their hidden layer.
 *
 * With the visible units integrated out, the hidden ones are a pairwise machine. At a path with precision A and linear part
 * B (grbm.h), G = beta W / sigma^2 row by row:
 *   log w(h) = h^T (beta b + G^T (B / A)) + 1/2 h^T Q h,   Q = G^T diag(1 / A) G
 *   log Z = log sum_h w(h) + 1/2 sum_i (log(2 pi / A_i) + B_i^2 / A_i) - constant
 * and 1/2 h^T Q h = 1/2 sum_j Q_jj h_j + sum_(j<k) Q_jk h_j h_k, for h_j^2 = h_j. Given h the visible means are
 * (B + G h) / A, so moments of v follow from E[h] and C = E[h h^T]; at beta = 1, m = W E[h]:
 *   E[v_i h_j] = mu_i E[h_j] + (W C)_ij,   E[(v_i - mu_i)^2] = sigma_i^2 + (W C W^T)_ii. */
#include "models/enumerate_pairs.h"
#include "models/grbm.h"

#include <math.h>
#include <string.h>

typedef struct hidden_law {
    ebm_grbm_path path;
    double *gain; /* (V, H) = G */
    double *bias; /* (H), the diagonal of Q / 2 counted in */
    double *pair; /* (H, H) = Q without its diagonal */
    ebm_pair_sum sum;
    double log_sum, log_z;
} hidden_law;

static ebm_status open_law(const ebm_model *model, ebm_path path, hidden_law *law, ebm_work *work, ebm_error *error) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden;
    if (H > EBM_PAIRS_MAX_UNITS)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "exact log Z needs 2^%zu states of the hidden units: at most 2^%d are enumerated (use annealed "
                        "importance sampling)",
                        H, (int)EBM_PAIRS_MAX_UNITS);
    EBM_TRY(ebm_grbm_path_open(model, path, &law->path, work, error));
    law->gain = ebm_work_take(work, V * H, sizeof(double));
    law->bias = ebm_work_take(work, H, sizeof(double));
    law->pair = ebm_work_take(work, H * H, sizeof(double));
    if (!law->gain || !law->bias || !law->pair)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to enumerate %zu hidden units", H);
    const ebm_real *W = ebm_grbm_view(model, EBM_GRBM_W), *b = ebm_grbm_view(model, EBM_GRBM_HIDDEN);
    const double *A = law->path.precision, *B = law->path.linear;
    double gaussian = -law->path.constant;
    memset(law->pair, 0, H * H * sizeof(double));
    for (size_t j = 0; j < H; j++)
        law->bias[j] = path.beta * (double)b[j];
    for (size_t i = 0; i < V; i++) {
        double *g = law->gain + i * H;
        if (!(A[i] > 0))
            return ebm_fail(error, EBM_DIVERGED, "unit %zu has no finite variance at inverse temperature %g", i,
                            path.beta);
        gaussian += 0.5 * (log(2 * M_PI / A[i]) + B[i] * B[i] / A[i]);
        for (size_t j = 0; j < H; j++)
            g[j] = path.beta * (double)state->precision[i] * (double)W[i * H + j];
        for (size_t j = 0; j < H; j++) {
            law->bias[j] += g[j] * (B[i] + 0.5 * g[j]) / A[i];
            for (size_t k = 0; k < H; k++)
                law->pair[j * H + k] += j == k ? 0 : g[j] * g[k] / A[i];
        }
    }
    law->sum = (ebm_pair_sum){H, false, law->bias, law->pair};
    EBM_TRY(ebm_pair_log_sum(&law->sum, &law->log_sum, work, error));
    law->log_z = law->log_sum + gaussian;
    return EBM_OK;
}

ebm_status ebm_grbm_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                   ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    hidden_law law;
    ebm_status status = open_law(model, path, &law, work, error);
    if (status == EBM_OK)
        *out = law.log_z;
    ebm_work_release(work, mark);
    return status;
}

/* mean (H) = E[h], square (H, H) = E[h h^T] with E[h] on the diagonal. */
static ebm_status hidden_moments(const ebm_model *model, const hidden_law *law, double **mean, double **square,
                                 ebm_work *work, ebm_error *error) {
    const size_t H = model->n_hidden;
    *mean = ebm_work_take(work, H, sizeof(double));
    *square = ebm_work_take(work, H * H, sizeof(double));
    if (!*mean || !*square)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for moments of %zu units", H);
    EBM_TRY(ebm_pair_moments(&law->sum, law->log_sum, *mean, *square, work, error));
    for (size_t j = 0; j < H; j++)
        (*square)[j * H + j] = (*mean)[j];
    return EBM_OK;
}

ebm_status ebm_grbm_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                        ebm_work *work, ebm_error *error) {
    const ebm_grbm_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden, mark = ebm_work_mark(work);
    const ebm_real *W = ebm_grbm_view(model, EBM_GRBM_W), *mu = ebm_grbm_view(model, EBM_GRBM_MEAN);
    hidden_law law;
    double *mean = NULL, *square = NULL;
    ebm_status status = open_law(model, ebm_path_end(), &law, work, error);
    if (status == EBM_OK)
        status = hidden_moments(model, &law, &mean, &square, work, error);
    for (size_t i = 0; status == EBM_OK && i < V; i++) {
        const double precision = (double)state->precision[i], variance = 1 / precision;
        double shift = 0, spread = 0, coupled = 0; /* (W E[h])_i, (W C W^T)_i, sum_j W_ij E[v_i h_j] */
        for (size_t j = 0; j < H; j++) {
            double product = 0; /* (W C)_ij */
            for (size_t k = 0; k < H; k++)
                product += (double)W[i * H + k] * square[k * H + j];
            const double joint = (double)mu[i] * mean[j] + product;
            shift += (double)W[i * H + j] * mean[j];
            spread += (double)W[i * H + j] * product;
            coupled += (double)W[i * H + j] * joint;
            grad[i * H + j] -= (ebm_real)(scale * precision * joint);
        }
        grad[V * H + i] -= (ebm_real)(scale * precision * shift);
        if (!state->fixed_variance)
            grad[V * H + V + H + i] += (ebm_real)(scale * precision * (coupled - 0.5 * (variance + spread)));
    }
    for (size_t j = 0; status == EBM_OK && j < H; j++)
        grad[V * H + V + j] -= (ebm_real)(scale * mean[j]);
    if (status == EBM_OK && log_z)
        *log_z = law.log_z;
    ebm_work_release(work, mark);
    return status;
}

ebm_status ebm_grbm_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                 uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t H = model->n_hidden, B = batch->count, mark = ebm_work_mark(work);
    hidden_law law;
    uint32_t *states = ebm_work_take(work, B, sizeof *states);
    ebm_status status = states ? open_law(model, path, &law, work, error)
                               : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu draws", B);
    if (status == EBM_OK)
        status = ebm_pair_draws(&law.sum, law.log_sum, stream, first_chain, step, B, states, work, error);
    for (size_t b = 0; status == EBM_OK && b < B; b++)
        for (size_t j = 0; j < H; j++)
            batch->hidden[b * H + j] = (ebm_real)(states[b] >> j & 1u);
    ebm_work_release(work, mark);
    if (status == EBM_OK)
        model->type->sample_visible(model, path, batch, stream, first_chain, step + 1, work);
    batch->field_ok = batch->hidden_ok = false;
    return status;
}

ebm_status ebm_grbm_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                               ebm_work *work, ebm_error *error) {
    static const struct {
        const char *name;
        size_t unit;
        bool squared, all;
    } known[] = {{"first", 0, false, false},
                 {"second", 1, false, false},
                 {"first_square", 0, true, false},
                 {"second_square", 1, true, false},
                 {"square", 0, true, true}};
    const size_t V = model->space.size, H = model->n_hidden, mark = ebm_work_mark(work);
    size_t which = 0;
    while (which < sizeof known / sizeof *known && strcmp(known[which].name, observable) != 0)
        which++;
    if (which == sizeof known / sizeof *known || known[which].unit >= V)
        return ebm_fail(error, EBM_UNSUPPORTED, "model grbm knows no formula for the mean of %s", observable);
    hidden_law law;
    double *mean = NULL, *square = NULL, total = 0;
    ebm_status status = open_law(model, path, &law, work, error);
    if (status == EBM_OK)
        status = hidden_moments(model, &law, &mean, &square, work, error);
    const size_t from = known[which].unit, to = known[which].all ? V : from + 1;
    for (size_t i = from; status == EBM_OK && i < to; i++) {
        const double *g = law.gain + i * H, A = law.path.precision[i], B = law.path.linear[i];
        double shift = 0, spread = 0;
        for (size_t j = 0; j < H; j++) {
            shift += g[j] * mean[j];
            for (size_t k = 0; k < H; k++)
                spread += g[j] * g[k] * square[j * H + k];
        }
        total += known[which].squared ? 1 / A + (B * B + 2 * B * shift + spread) / (A * A) : (B + shift) / A;
    }
    if (status == EBM_OK)
        *out = total / (double)(to - from);
    ebm_work_release(work, mark);
    return status;
}

/* A mixture of 2^H Gaussians of one variance. */
ebm_status ebm_grbm_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                                 double *out, ebm_work *work, ebm_error *error) {
    enum { MOST = 12 };
    const size_t H = model->n_hidden, mark = ebm_work_mark(work), states = (size_t)1 << (H < MOST ? H : MOST);
    hidden_law law;
    if (H > MOST)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "the marginal law of a unit is a mixture of 2^%zu Gaussians: at most 2^%d", H, (int)MOST);
    ebm_status status = open_law(model, path, &law, work, error);
    for (size_t k = 0; k < count; k++)
        out[k] = 0;
    for (size_t s = 0; status == EBM_OK && s < states; s++) {
        double log_weight = -law.log_sum, shift = law.path.linear[unit];
        for (size_t j = 0; j < H; j++) {
            if (!(s >> j & 1u))
                continue;
            log_weight += law.bias[j];
            shift += law.gain[unit * H + j];
            for (size_t k = 0; k < j; k++)
                log_weight += s >> k & 1u ? law.pair[j * H + k] : 0;
        }
        const double A = law.path.precision[unit], weight = exp(log_weight);
        for (size_t k = 0; k < count; k++)
            out[k] += weight * 0.5 * erfc((shift / A - t[k]) * sqrt(A / 2));
    }
    ebm_work_release(work, mark);
    return status;
}
