/* The swaps of replica exchange (see tempering_exchange.h). */
#include "samplers/tempering_exchange.h"

#include <math.h>

/* Of the upper half of the stream's purpose; the copies have 0 ... K - 1. */
enum { SWAP_STREAM = 0xFFFF };

static ebm_status no_memory(const ebm_exchange *w, ebm_error *error) {
    return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu copies of %zu chains", w->K, w->B);
}

ebm_status ebm_exchange_open(ebm_exchange *w, ebm_error *error) {
    const size_t K = w->K, B = w->B, F = w->model->n_field, H = w->model->n_hidden;
    w->copy = ebm_work_take(w->work, K, sizeof *w->copy);
    w->slope = ebm_work_take(w->work, K * B, sizeof *w->slope);
    w->exponent = ebm_work_take(w->work, 2 * B, sizeof *w->exponent);
    w->rate = ebm_work_take(w->work, K - 1, sizeof *w->rate);
    ebm_real *hidden = H ? ebm_work_take(w->work, B * H, sizeof *hidden) : NULL; /* of one copy at a time */
    if (!w->copy || !w->slope || !w->exponent || !w->rate || (H && !hidden))
        return no_memory(w, error);
    w->copy[0] = w->chains->batch;
    for (size_t r = 1; r < K; r++) {
        ebm_real *field = F ? ebm_work_take(w->work, B * F, sizeof *field) : NULL;
        if (F && !field)
            return no_memory(w, error);
        w->copy[r] =
            (ebm_batch){.count = B, .x = ebm_ladder_copy(&w->ladder, w->chains, r), .field = field, .hidden = hidden};
    }
    return EBM_OK;
}

/* slope = D(x) of every copy */
static void evaluate_slopes(ebm_exchange *w) {
    const ebm_model *model = w->model;
    const ebm_path end = {w->path.base, 1}, start = {w->path.base, 0};
    for (size_t r = 0; r < w->K; r++) {
        double *slope = w->slope + r * w->B;
        model->type->energy(model, end, &w->copy[r], slope, w->work);
        if (w->path.base) {
            model->type->energy(model, start, &w->copy[r], w->exponent, w->work);
            for (size_t b = 0; b < w->B; b++)
                slope[b] -= w->exponent[b];
        }
        w->chains->energy_evaluations += (w->path.base ? 2 : 1) * (uint64_t)w->B;
    }
}

/* out (B) = E_a(x) - E_b(x) of the states of one copy */
static void energy_difference(ebm_exchange *w, size_t a, size_t b, const ebm_batch *batch, double *out) {
    const ebm_model *model = w->model;
    const ebm_path to = ebm_exchange_path(w, a), from = ebm_exchange_path(w, b);
    w->chains->energy_evaluations += 2 * (uint64_t)w->B;
    if (model->type->energy_difference) {
        model->type->energy_difference(model, from, to, batch, out, w->work);
        return;
    }
    const size_t mark = ebm_work_mark(w->work);
    double *other = ebm_work_take(w->work, w->B, sizeof *other);
    model->type->energy(model, to, batch, out, w->work);
    model->type->energy(model, from, batch, other, w->work);
    for (size_t i = 0; i < w->B; i++)
        out[i] -= other[i];
    ebm_work_release(w->work, mark);
}

/* exponent (B) = E_a(x_a) + E_b(x_b) - E_a(x_b) - E_b(x_a), b = a + 1 */
static void swap_exponents(ebm_exchange *w, size_t a) {
    const size_t B = w->B;
    if (w->model->n_hidden == 0) {
        const double step = ebm_exchange_path(w, a).beta - ebm_exchange_path(w, a + 1).beta, *slope = w->slope + a * B;
        for (size_t i = 0; i < B; i++)
            w->exponent[i] = step * (slope[i] - slope[B + i]);
        return;
    }
    energy_difference(w, a, a + 1, &w->copy[a], w->exponent);
    energy_difference(w, a, a + 1, &w->copy[a + 1], w->exponent + B);
    for (size_t i = 0; i < B; i++)
        w->exponent[i] -= w->exponent[B + i];
}

static void swap_reals(size_t count, ebm_real *left, ebm_real *right) {
    for (size_t i = 0; i < count; i++) {
        const ebm_real kept = left[i];
        left[i] = right[i];
        right[i] = kept;
    }
}

/* Row i of copies a and a + 1 change places, with all that is known of them. */
static void swap_row(ebm_exchange *w, size_t a, size_t i) {
    const size_t V = w->model->space.size, F = w->model->n_field;
    ebm_batch *left = &w->copy[a], *right = &w->copy[a + 1];
    swap_reals(V, left->x + i * V, right->x + i * V);
    if (F)
        swap_reals(F, left->field + i * F, right->field + i * F);
    double *slope = w->slope + a * w->B + i, kept = slope[0];
    slope[0] = slope[w->B];
    slope[w->B] = kept;
    uint8_t *heading = w->ladder.heading + i * w->K + a, was = heading[0];
    heading[0] = heading[1];
    heading[1] = was;
}

static void swap_pairs(ebm_exchange *w, size_t first) {
    ebm_stream stream = w->chains->stream;
    stream.purpose += (uint32_t)SWAP_STREAM << 16;
    for (size_t a = first; a + 1 < w->K; a += 2) {
        swap_exponents(w, a);
        double sum = 0;
        for (size_t i = 0; i < w->B; i++) {
            const double e = w->exponent[i], p = e < 0 ? exp(e) : e >= 0; /* 0 where an energy is not a number */
            const uint32_t chain = w->chains->first_chain + (uint32_t)i;
            sum += p;
            if (p > 0 && ebm_random_uniform1(stream, chain, w->chains->step, (uint32_t)a) < p) {
                swap_row(w, a, i);
                w->ladder.accepted[i * (w->K - 1) + a]++;
            }
        }
        w->rate[a] = sum / (double)w->B;
    }
}

void ebm_exchange_swap(ebm_exchange *w) {
    for (size_t r = 0; r < w->K; r++)
        ebm_model_field(w->model, &w->copy[r], w->work);
    if (w->model->n_hidden == 0)
        evaluate_slopes(w);
    swap_pairs(w, 0);
    swap_pairs(w, 1);
}
