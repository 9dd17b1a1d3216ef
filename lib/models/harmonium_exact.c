/* Harmoniums exactly, by their hidden layer: with the visible units summed or integrated out,
 *   log w(h) = beta c^T h + sum_i A_i,beta(a_i + (W h)_i),   log Z = log sum_h w(h)
 * and given h every unit has its closed law, so that moments, draws and distribution functions are mixtures of at most 2^20 of
 * them. Costs 2^H V (H / 2 additions and one A_i). */
#include "models/harmonium.h"
#include "models/real_path.h"

#include "ebm/special.h"

#include <math.h>
#include <string.h>

enum { MOST_HIDDEN = 20 };

typedef struct hidden_law {
    size_t states;
    double beta, log_z;
    double *log_weight;    /* (states) */
    double *eta;           /* (V), of the state last looked at */
    double *mean, *square; /* (V), the same */
} hidden_law;

/* The natural parameters given hidden state s: unit j is up where bit j is. */
static void set_eta(const ebm_model *model, size_t s, double *eta) {
    const size_t V = model->space.size, H = model->n_hidden;
    const ebm_real *W = ebm_harmonium_view(model, EBM_HARMONIUM_W),
                   *a = ebm_harmonium_view(model, EBM_HARMONIUM_VISIBLE);
    for (size_t i = 0; i < V; i++) {
        double sum = (double)a[i];
        for (size_t j = 0; j < H; j++)
            sum += s >> j & 1u ? (double)W[i * H + j] : 0;
        eta[i] = sum;
    }
}

static ebm_status open_law(const ebm_model *model, ebm_path path, hidden_law *law, ebm_work *work, ebm_error *error) {
    const ebm_harmonium_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden;
    const ebm_real *c = ebm_harmonium_view(model, EBM_HARMONIUM_HIDDEN);
    EBM_TRY(ebm_real_uniform_base(model, path, "normaliser", error));
    if (H > MOST_HIDDEN)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "exact log Z needs 2^%zu states of the hidden units: at most 2^%d are enumerated", H,
                        (int)MOST_HIDDEN);
    law->states = (size_t)1 << H;
    law->beta = path.beta;
    law->log_weight = ebm_work_take(work, law->states, sizeof(double));
    law->eta = ebm_work_take(work, 3 * V, sizeof(double));
    if (!law->log_weight || !law->eta)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to enumerate %zu hidden units", H);
    law->mean = law->eta + V;
    law->square = law->mean + V;
    for (size_t s = 0; s < law->states; s++) {
        double sum = 0;
        set_eta(model, s, law->eta);
        for (size_t j = 0; j < H; j++)
            sum += s >> j & 1u ? path.beta * (double)c[j] : 0;
        for (size_t k = 0; k < state->units.count; k++) {
            const ebm_unit_law unit = ebm_harmonium_law(state, k, law->eta, path.beta);
            sum += state->units.units[k].kind->log_normaliser(&unit);
        }
        law->log_weight[s] = sum;
    }
    law->log_z = ebm_log_sum_exp(law->log_weight, law->states);
    if (!isfinite(law->log_z))
        return ebm_fail(error, EBM_DIVERGED,
                        "log Z of the harmonium is not finite at inverse temperature %g: a rate or a "
                        "variance has run away",
                        path.beta);
    return EBM_OK;
}

static double probability(const hidden_law *law, size_t s) {
    return exp(law->log_weight[s] - law->log_z);
}

/* Means and mean squares of all coordinates given hidden state s, in law->mean and law->square. */
static void set_moments(const ebm_model *model, hidden_law *law, size_t s) {
    const ebm_harmonium_state *state = model->state;
    set_eta(model, s, law->eta);
    for (size_t k = 0; k < state->units.count; k++) {
        const ebm_unit *u = &state->units.units[k];
        const ebm_unit_law unit = ebm_harmonium_law(state, k, law->eta, law->beta);
        u->kind->moments(&unit, law->mean + u->at, law->square + u->at);
    }
}

ebm_status ebm_harmonium_log_normaliser(const ebm_model *model, ebm_path path, double *out, ebm_work *work,
                                        ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    hidden_law law;
    ebm_status status = open_law(model, path, &law, work, error);
    if (status == EBM_OK)
        *out = law.log_z;
    ebm_work_release(work, mark);
    return status;
}

/* sum (n_theta) += E[x h^T], E[x], E[h], E[x^2] of Gaussian units: theta's order */
static void add_expectations(const ebm_model *model, hidden_law *law, double *sum) {
    const ebm_harmonium_state *state = model->state;
    const size_t V = model->space.size, H = model->n_hidden;
    for (size_t s = 0; s < law->states; s++) {
        const double p = probability(law, s);
        set_moments(model, law, s);
        for (size_t i = 0; i < V; i++) {
            const double part = p * law->mean[i];
            sum[V * H + i] += part;
            for (size_t j = 0; j < H; j++)
                sum[i * H + j] += s >> j & 1u ? part : 0;
        }
        for (size_t j = 0; j < H; j++)
            sum[V * H + V + j] += s >> j & 1u ? p : 0;
        for (size_t k = 0; k < state->units.count; k++) {
            const ebm_unit *u = &state->units.units[k];
            if (u->kind->dispersed)
                sum[V * H + V + H + u->variance] += p * law->square[u->at];
        }
    }
}

ebm_status ebm_harmonium_expected_grad_theta(const ebm_model *model, double scale, ebm_real *grad, double *log_z,
                                             ebm_work *work, ebm_error *error) {
    const ebm_harmonium_state *state = model->state;
    const size_t plain = model->n_theta - state->units.variances, mark = ebm_work_mark(work);
    hidden_law law;
    double *sum = ebm_work_take(work, model->n_theta, sizeof *sum);
    ebm_status status = sum ? open_law(model, ebm_path_end(), &law, work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu expectations", model->n_theta);
    if (status == EBM_OK) {
        memset(sum, 0, model->n_theta * sizeof *sum);
        add_expectations(model, &law, sum);
        for (size_t k = 0; k < plain; k++)
            grad[k] -= (ebm_real)(scale * sum[k]);
        for (size_t g = 0; !state->fixed_variance && g < state->units.variances; g++)
            grad[plain + g] -= (ebm_real)(scale * sum[plain + g] / (2 * state->variance[g]));
        if (log_z)
            *log_z = law.log_z;
    }
    ebm_work_release(work, mark);
    return status;
}

/* The first state whose cumulative weight passes u, by bisection. */
static size_t state_at(const double *cumulative, size_t states, double u) {
    size_t low = 0, high = states - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (cumulative[middle] > u)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

ebm_status ebm_harmonium_sample_exact(const ebm_model *model, ebm_path path, ebm_batch *batch, ebm_stream stream,
                                      uint32_t first_chain, uint64_t step, ebm_work *work, ebm_error *error) {
    const size_t H = model->n_hidden, mark = ebm_work_mark(work);
    hidden_law law;
    ebm_status status = open_law(model, path, &law, work, error);
    if (status == EBM_OK) {
        double total = 0;
        for (size_t s = 0; s < law.states; s++)
            law.log_weight[s] = total += probability(&law, s); /* cumulative from here on */
        for (size_t b = 0; b < batch->count; b++) {
            const double u = total * ebm_random_uniform1(stream, first_chain + (uint32_t)b, step, 0);
            const size_t s = state_at(law.log_weight, law.states, u);
            for (size_t j = 0; j < H; j++)
                batch->hidden[b * H + j] = (ebm_real)(s >> j & 1u);
        }
    }
    ebm_work_release(work, mark);
    if (status == EBM_OK)
        model->type->sample_visible(model, path, batch, stream, first_chain, step + 1, work);
    batch->field_ok = batch->hidden_ok = false;
    return status;
}

ebm_status ebm_harmonium_exact_mean(const ebm_model *model, ebm_path path, const char *observable, double *out,
                                    ebm_work *work, ebm_error *error) {
    const size_t V = model->space.size, mark = ebm_work_mark(work);
    hidden_law law;
    ebm_real_means means = {0, V > 1 ? 0 : NAN, 0, V > 1 ? 0 : NAN, 0, NAN};
    ebm_status status = open_law(model, path, &law, work, error);
    for (size_t s = 0; status == EBM_OK && s < law.states; s++) {
        const double p = probability(&law, s);
        set_moments(model, &law, s);
        means.first += p * law.mean[0];
        means.first_square += p * law.square[0];
        if (V > 1) {
            means.second += p * law.mean[1];
            means.second_square += p * law.square[1];
        }
        for (size_t i = 0; i < V; i++)
            means.square += p * law.square[i] / (double)V;
    }
    ebm_work_release(work, mark);
    return status == EBM_OK ? ebm_real_mean_named(model, &means, observable, out, error) : status;
}

ebm_status ebm_harmonium_marginal_cdf(const ebm_model *model, ebm_path path, size_t unit, const double *t, size_t count,
                                      double *out, ebm_work *work, ebm_error *error) {
    const ebm_harmonium_state *state = model->state;
    const size_t mark = ebm_work_mark(work);
    hidden_law law;
    size_t k = 0;
    while (state->units.units[k].at + state->units.units[k].width <= unit)
        k++;
    const ebm_unit_kind *kind = state->units.units[k].kind;
    if (!kind->continuous)
        return ebm_fail(error, EBM_UNSUPPORTED, "coordinate %zu is of a %s unit: its distribution function has steps",
                        unit, kind->name);
    ebm_status status = open_law(model, path, &law, work, error);
    for (size_t n = 0; n < count; n++)
        out[n] = 0;
    for (size_t s = 0; status == EBM_OK && s < law.states; s++) {
        const double p = probability(&law, s);
        set_eta(model, s, law.eta);
        const ebm_unit_law conditional = ebm_harmonium_law(state, k, law.eta, path.beta);
        for (size_t n = 0; n < count; n++)
            out[n] += p * kind->cdf(&conditional, t[n]);
    }
    ebm_work_release(work, mark);
    return status;
}
