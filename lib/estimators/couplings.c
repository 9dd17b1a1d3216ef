/* The (free) energy of a machine of two-valued units as a sum of products of spins, with couplings of every order:
 *
 *   F(x) = -sum_A J_A s_A(x),   s_A = prod_(i in A) s_i,   J_A = -2^-V sum_x F(x) s_A(x)
 *
 * s = 2 x - 1 for 0/1 units. The products are orthogonal over the 2^V states, so the couplings are a Walsh-Hadamard
 * transform of F, V 2^V additions. With `basis: bits` the products are of bits, x_A = prod_(i in A) x_i, as a lecture writes
 * the marginal energy of an RBM, and the couplings follow by inclusion and exclusion (the Moebius transform):
 *
 *   F(x) = -sum_A K_A x_A,   K_A = -sum_(B in A) (-1)^(|A| - |B|) F(1_B);
 *
 * a coupling of bits mixes all spin couplings of its own and higher orders. J_0 and K_0 are the constant term.
 *
 * Where the data know the law of all states, log p = const + sum_A J*_A s_A gives the true couplings the same way. */
#include "estimators/estimators.h"

#include "ebm/enumerate.h"
#include "ebm/likelihood.h"

#include <math.h>
#include <string.h>

enum { MOST_UNITS = 16, CHECKED = 64, MOST_LISTED = 4 };
enum { BASIS_SPINS, BASIS_BITS };
static const char *const basis_names[] = {"spins", "bits", NULL};

typedef struct couplings_options {
    int64_t listed;
    int basis;
} couplings_options;

static const ebm_option couplings_table[] = {
    {"basis", EBM_OPTION_CHOICE, EBM_OFFSET(couplings_options, basis), "spins", 0, 0, basis_names, 0,
     "products of spins, which are orthogonal, or of bits"},
    {"listed", EBM_OPTION_INT, EBM_OFFSET(couplings_options, listed), "0", 0, MOST_LISTED, NULL, 0,
     "give every coupling of up to this order; the row's step is its set of units as bits, unit 0 the lowest"},
    EBM_OPTIONS_END,
};

static const ebm_metric couplings_metrics[] = {
    {"expansion_error", "", false, "largest |F(x) + sum_A J_A s_A(x)| over (at most 64) states, summed term by term"},
    {"order_rms", "", true, "root mean square of the couplings of an order; row step: the order"},
    {"order_rms_true", "", false, "the same of the data's law"},
    {"order_error", "", true, "root mean square of their difference; row step: the order"},
    {"order_correlation", "", true, "correlation of the couplings of an order with the true ones; row step: the order"},
    {"coupling", "", true, "a coupling; row step: its set of units"},
    {"coupling_true", "", false, "the same of the data's law"},
    EBM_METRICS_END,
};

/* f (2^V): f[A] = sum_x f[x] s_A(x), state x with unit i on where bit i of x is. */
static void walsh_hadamard(double *f, size_t states) {
    for (size_t bit = 1; bit < states; bit *= 2)
        for (size_t x = 0; x < states; x++)
            if (!(x & bit)) {
                const double off = f[x], on = f[x | bit];
                f[x] = on + off;
                f[x | bit] = on - off;
            }
}

/* f[A] = sum_(B in A) (-1)^(|A| - |B|) f[B] */
static void moebius(double *f, size_t states) {
    for (size_t bit = 1; bit < states; bit *= 2)
        for (size_t x = 0; x < states; x++)
            if (x & bit)
                f[x] -= f[x ^ bit];
}

/* Couplings of log p (2^V), in place. */
static void transform(int basis, double *log_p, size_t states) {
    if (basis == BASIS_BITS) {
        moebius(log_p, states);
        return;
    }
    walsh_hadamard(log_p, states);
    for (size_t A = 0; A < states; A++)
        log_p[A] /= (double)states;
}

/* Log p at a state from its couplings, term by term. */
static double sum_of(int basis, const double *J, size_t states, size_t x) {
    double total = 0;
    for (size_t A = 0; A < states; A++)
        if (basis == BASIS_BITS)
            total += (A & ~x) == 0 ? J[A] : 0;
        else
            total += __builtin_parityll(A & ~x) ? -J[A] : J[A];
    return total;
}

/* -F of all states, state x with unit i on where bit i of x is. */
static ebm_status energies(const ebm_model *model, size_t states, double *out, ebm_work *work, ebm_error *error) {
    enum { ROWS = 256 };
    const size_t V = model->space.size;
    const ebm_real down = model->space.domain == EBM_SPIN ? -1 : 0;
    ebm_batch batch;
    EBM_TRY(ebm_batch_create(model, states < ROWS ? states : ROWS, &batch, error));
    for (size_t first = 0; first < states; first += batch.count) {
        for (size_t b = 0; b < batch.count; b++)
            for (size_t i = 0; i < V; i++)
                batch.x[b * V + i] = (first + b) >> i & 1u ? 1 : down;
        batch.field_ok = batch.hidden_ok = false;
        ebm_model_field(model, &batch, work);
        model->type->energy(model, ebm_path_end(), &batch, out + first, work);
    }
    ebm_batch_free(&batch);
    for (size_t x = 0; x < states; x++) {
        out[x] = -out[x];
        if (!isfinite(out[x]))
            return ebm_fail(error, EBM_DIVERGED, "the energy of a state is not finite");
    }
    return EBM_OK;
}

/* log p of the data's law in the same order of states; false where the data do not know it for all of them. */
static bool true_law(const ebm_dataset *data, size_t V, size_t states, double *out) {
    if (!data || data->support_count != states || data->space.size != V)
        return false;
    for (size_t x = 0; x < states; x++)
        out[x] = NAN;
    for (size_t r = 0; r < states; r++) {
        size_t x = 0;
        for (size_t i = 0; i < V; i++)
            x |= (size_t)(data->support[r * V + i] > 0) << i;
        out[x] = data->support_log_probability[r];
    }
    for (size_t x = 0; x < states; x++)
        if (!isfinite(out[x]))
            return false;
    return true;
}

typedef struct order_sums {
    double n, j, t, jj, tt, jt, dd; /* of couplings j, true ones t, differences d */
} order_sums;

static order_sums sums_of(const double *J, const double *truth, size_t states, int order) {
    order_sums s = {0};
    for (size_t A = 1; A < states; A++) {
        const double t = truth ? truth[A] : 0;
        if (__builtin_popcountll(A) != order)
            continue;
        s.n++;
        s.j += J[A];
        s.t += t;
        s.jj += J[A] * J[A];
        s.tt += t * t;
        s.jt += J[A] * t;
        s.dd += (J[A] - t) * (J[A] - t);
    }
    return s;
}

static ebm_status emit_orders(const double *J, const double *truth, size_t V, ebm_sink *sink, ebm_error *error) {
    for (size_t order = 1; order <= V; order++) {
        const order_sums s = sums_of(J, truth, (size_t)1 << V, (int)order);
        sink->at(sink, order);
        EBM_TRY(sink->emit(sink, "order_rms", sqrt(s.jj / s.n), NAN, error));
        if (!truth)
            continue;
        const double vj = s.jj - s.j * s.j / s.n, vt = s.tt - s.t * s.t / s.n;
        EBM_TRY(sink->emit(sink, "order_rms_true", sqrt(s.tt / s.n), NAN, error));
        EBM_TRY(sink->emit(sink, "order_error", sqrt(s.dd / s.n), NAN, error));
        if (s.tt / s.n > 1e-20 && vj > 0 && vt > 0) /* not where the truth is 0 but for rounding */
            EBM_TRY(sink->emit(sink, "order_correlation", (s.jt - s.j * s.t / s.n) / sqrt(vj * vt), NAN, error));
    }
    return EBM_OK;
}

static ebm_status emit_listed(const couplings_options *o, const double *J, const double *truth, size_t states,
                              ebm_sink *sink, ebm_error *error) {
    for (size_t A = 1; A < states; A++) {
        if (__builtin_popcountll(A) > o->listed)
            continue;
        sink->at(sink, A);
        EBM_TRY(sink->emit(sink, "coupling", J[A], NAN, error));
        if (truth)
            EBM_TRY(sink->emit(sink, "coupling_true", truth[A], NAN, error));
    }
    return EBM_OK;
}

static ebm_status emit_error(int basis, const double *minus_F, const double *J, size_t states, ebm_sink *sink,
                             ebm_error *error) {
    const size_t stride = states > CHECKED ? states / CHECKED : 1;
    double largest = 0;
    for (size_t k = 0; k * stride < states; k++) {
        const size_t x = k * stride + k % stride; /* low bits differ too */
        largest = fmax(largest, fabs(minus_F[x] - sum_of(basis, J, states, x)));
    }
    return sink->emit(sink, "expansion_error", largest, NAN, error);
}

static ebm_status couplings_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                     ebm_error *error) {
    const couplings_options *o = options;
    const size_t V = in->model->space.size, mark = ebm_work_mark(in->work);
    if (in->model->space.domain != EBM_BINARY && in->model->space.domain != EBM_SPIN)
        return ebm_fail(error, EBM_UNSUPPORTED, "couplings is for two-valued units");
    if (V > MOST_UNITS)
        return ebm_fail(error, EBM_UNSUPPORTED, "couplings of all orders of %zu units: at most %d are summed", V,
                        MOST_UNITS);
    const size_t states = (size_t)1 << V;
    double *minus_F = ebm_work_take(in->work, states, sizeof *minus_F), *J = ebm_work_take(in->work, states, sizeof *J),
           *truth = ebm_work_take(in->work, states, sizeof *truth);
    ebm_status status = minus_F && J && truth
                            ? energies(in->model, states, minus_F, in->work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for the couplings of %zu units", V);
    if (status == EBM_OK) {
        memcpy(J, minus_F, states * sizeof *J);
        transform(o->basis, J, states);
        if (true_law(in->data, V, states, truth))
            transform(o->basis, truth, states);
        else
            truth = NULL;
        status = emit_error(o->basis, minus_F, J, states, sink, error);
    }
    if (status == EBM_OK)
        status = emit_orders(J, truth, V, sink, error);
    if (status == EBM_OK)
        status = emit_listed(o, J, truth, states, sink, error);
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_couplings_estimator = {
    .info = {"couplings", "the (free) energy of two-valued units as a sum of products: couplings of every order",
             "Decelle, Furtlehner, Navas Gomez & Seoane 2024; Walsh-Hadamard transform", couplings_table,
             sizeof(couplings_options)},
    .metrics = couplings_metrics,
    .estimate = couplings_estimate,
};
