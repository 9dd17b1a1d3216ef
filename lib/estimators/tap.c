/* The Thouless-Anderson-Palmer free energy of a machine of 0/1 units (Plefka 1982; Gabrie, Tramel & Krzakala 2015, to
 * second order in the weights): with magnetisations m (visible) and n (hidden),
 *
 *   log Z_TAP = sum_i b_i m_i + sum_j c_j n_j + sum_ij W_ij m_i n_j + 1/2 sum_ij W_ij^2 (m_i - m_i^2)(n_j - n_j^2)
 *             + sum_i H(m_i) + sum_j H(n_j),      H the entropy of a 0/1 unit in nats,
 *
 * at its stationary points m_i = sigmoid(b_i + sum_j W_ij n_j + (1/2 - m_i) sum_j W_ij^2 (n_j - n_j^2)), and alike for
 * n. Without the term in W^2 this is the naive mean field, a lower bound of log Z; TAP is none. Fixed points are looked
 * for from examples by damped iteration of one layer after the other; where there are several, each is a state of the
 * machine and log Z is the logarithm of the sum over them. */
#include "estimators/estimators.h"

#include "ebm/special.h"

#include <math.h>
#include <string.h>

typedef struct tap_options {
    int64_t starts, iterations;
    double damping, tolerance;
} tap_options;

#define AT(member) offsetof(tap_options, member)
static const ebm_option tap_table[] = {
    {"starts", EBM_OPTION_INT, AT(starts), "20", 1, 10000, NULL, 0, "training examples that the iteration starts from"},
    {"iterations", EBM_OPTION_INT, AT(iterations), "1000", 1, 1e7, NULL, 0, "at most so many rounds from each"},
    {"damping", EBM_OPTION_REAL, AT(damping), "0.5", 0, 0.99, NULL, 0, "share of the old value that a round keeps"},
    {"tolerance", EBM_OPTION_REAL, AT(tolerance), "1e-8", 1e-14, 1, NULL, 0,
     "a fixed point has been reached where no magnetisation moves by more"},
    EBM_OPTIONS_END,
};

static const ebm_metric tap_metrics[] = {
    {"log_z_tap", "nats", false, "log of the sum of exp(log Z_TAP) over the fixed points found"},
    {"log_z_mean_field", "nats", false, "the same without the second-order term: a lower bound at every fixed point"},
    {"tap_fixed_points", "", false, "different fixed points found, told apart by their magnetisations"},
    {"tap_converged", "", false, "share of the starts from which the iteration converged"},
    EBM_METRICS_END,
};

typedef struct machine {
    size_t V, H;
    const double *W, *b, *c; /* (V, H), (V), (H) */
    double second;           /* 1: TAP; 0: mean field */
} machine;

/* z (to) = bias + W n + second (1/2 - m) W^2 (n - n^2), for one layer given the other. `across`: to is the hidden one. */
static void layer_field(const machine *w, bool across, const double *from, const double *to, double *z) {
    const size_t N = across ? w->H : w->V;
    const double *bias = across ? w->c : w->b;
    for (size_t k = 0; k < N; k++)
        z[k] = bias[k];
    for (size_t i = 0; i < w->V; i++)
        for (size_t j = 0; j < w->H; j++) {
            const double W = w->W[i * w->H + j];
            const size_t k = across ? j : i, l = across ? i : j;
            z[k] += W * from[l] + w->second * (0.5 - to[k]) * W * W * (from[l] - from[l] * from[l]);
        }
}

/* One damped round of a layer; returns the largest change. */
static double update_layer(const machine *w, bool across, double damping, const double *from, double *to, double *z) {
    const size_t N = across ? w->H : w->V;
    double largest = 0;
    layer_field(w, across, from, to, z);
    for (size_t k = 0; k < N; k++) {
        const double next = damping * to[k] + (1 - damping) * ebm_sigmoid(z[k]);
        largest = fmax(largest, fabs(next - to[k]));
        to[k] = next;
    }
    return largest;
}

static double entropy(double m) {
    return m > 0 && m < 1 ? -m * log(m) - (1 - m) * log1p(-m) : 0;
}

static double log_z(const machine *w, const double *m, const double *n) {
    double sum = 0;
    for (size_t i = 0; i < w->V; i++) {
        sum += w->b[i] * m[i] + entropy(m[i]);
        for (size_t j = 0; j < w->H; j++) {
            const double W = w->W[i * w->H + j];
            sum += W * m[i] * n[j] + w->second * 0.5 * W * W * (m[i] - m[i] * m[i]) * (n[j] - n[j] * n[j]);
        }
    }
    for (size_t j = 0; j < w->H; j++)
        sum += w->c[j] * n[j] + entropy(n[j]);
    return sum;
}

typedef struct fixed_points {
    double log_sum; /* of exp(log Z) over the different ones */
    size_t different, converged;
} fixed_points;

/* Fixed points of equal free energy may be mirror images: it is the place that tells them apart. An iteration that
 * stops at steps of `tolerance` and contracts by 1 - 1/1000 a round is still within 1000 of these of its end. */
static bool is_new(const fixed_points *points, size_t V, const double *found, const double *m, double apart) {
    for (size_t k = 0; k < points->different; k++) {
        double largest = 0;
        for (size_t i = 0; i < V; i++)
            largest = fmax(largest, fabs(found[k * V + i] - m[i]));
        if (largest <= apart)
            return false;
    }
    return true;
}

/* From every start; `found` (starts, V), m (V), n (H) and z (the larger of V, H) are scratch. */
static fixed_points look_for(const machine *w, const tap_options *o, size_t starts, const ebm_real *x, double *found,
                             double *m, double *n, double *z) {
    fixed_points out = {-INFINITY, 0, 0};
    for (size_t s = 0; s < starts; s++) {
        double moved = INFINITY;
        for (size_t i = 0; i < w->V; i++)
            m[i] = 0.01 + 0.98 * (double)x[s * w->V + i]; /* off the corners, where nothing moves */
        for (size_t j = 0; j < w->H; j++)
            n[j] = 0.5;
        update_layer(w, true, 0, m, n, z);
        for (int64_t round = 0; round < o->iterations && moved > o->tolerance; round++) {
            moved = update_layer(w, false, o->damping, n, m, z);
            moved = fmax(moved, update_layer(w, true, o->damping, m, n, z));
        }
        if (!(moved <= o->tolerance))
            continue;
        out.converged++;
        if (is_new(&out, w->V, found, m, fmax(1e-4, 1000 * o->tolerance))) {
            memcpy(found + out.different++ * w->V, m, w->V * sizeof *m);
            out.log_sum = ebm_logaddexp(out.log_sum, log_z(w, m, n));
        }
    }
    return out;
}

/* A view of the model in double. */
static double *view_of(const ebm_model *model, const char *name, size_t count, ebm_work *work) {
    const ebm_real *from = ebm_model_view(model, name);
    double *out = from ? ebm_work_take(work, count, sizeof *out) : NULL;
    for (size_t k = 0; out && k < count; k++)
        out[k] = (double)from[k];
    return out;
}

static ebm_status emit_points(const fixed_points *tap, const fixed_points *mean_field, size_t starts, ebm_sink *sink,
                              ebm_error *error) {
    if (tap->different)
        EBM_TRY(sink->emit(sink, "log_z_tap", tap->log_sum, NAN, error));
    if (mean_field->different)
        EBM_TRY(sink->emit(sink, "log_z_mean_field", mean_field->log_sum, NAN, error));
    EBM_TRY(sink->emit(sink, "tap_fixed_points", (double)tap->different, NAN, error));
    return sink->emit(sink, "tap_converged", (double)tap->converged / (double)starts, NAN, error);
}

static ebm_status tap_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink, ebm_error *error) {
    const tap_options *o = options;
    const ebm_model *model = in->model;
    const size_t V = model->space.size, H = model->n_hidden, mark = ebm_work_mark(in->work);
    if (model->space.domain != EBM_BINARY || H == 0 || !ebm_model_view(model, "W") ||
        !ebm_model_view(model, "visible_bias") || !ebm_model_view(model, "hidden_bias"))
        return ebm_fail(error, EBM_UNSUPPORTED, "tap is for restricted Boltzmann machines of 0/1 units, not model %s",
                        model->type->info.name);
    const size_t starts = ebm_limited(in->data->train.count, o->starts);
    if (starts == 0)
        return ebm_fail(error, EBM_INVALID, "tap needs a training example to start from");
    machine w = {.V = V, .H = H, .second = 1};
    w.W = view_of(model, "W", V * H, in->work);
    w.b = view_of(model, "visible_bias", V, in->work);
    w.c = view_of(model, "hidden_bias", H, in->work);
    double *m = ebm_work_take(in->work, V, sizeof *m), *n = ebm_work_take(in->work, H, sizeof *n);
    double *z = ebm_work_take(in->work, V > H ? V : H, sizeof *z);
    double *found = ebm_work_take(in->work, starts * V, sizeof *found);
    ebm_real *x = ebm_work_take(in->work, starts * V, sizeof *x);
    ebm_status status = EBM_OK;
    if (!w.W || !w.b || !w.c || !m || !n || !z || !found || !x)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for a machine of %zu x %zu units", V, H);
    if (status == EBM_OK) {
        ebm_examples_fixed(in->data, &in->data->train, 0, starts, x);
        const fixed_points tap = look_for(&w, o, starts, x, found, m, n, z);
        w.second = 0;
        const fixed_points mean_field = look_for(&w, o, starts, x, found, m, n, z);
        status = emit_points(&tap, &mean_field, starts, sink, error);
    }
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_tap = {
    .info = {"tap", "log Z by the Thouless-Anderson-Palmer free energy, and by naive mean field",
             "Plefka 1982; Gabrie, Tramel & Krzakala 2015", tap_table, sizeof(tap_options)},
    .needs = EBM_SLOT_BLOCK,
    .needs_data = true,
    .metrics = tap_metrics,
    .estimate = tap_estimate,
};
