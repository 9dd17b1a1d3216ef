/* For tests of estimators: small restricted Boltzmann machines whose weights the test sets itself, data by hand, sums
 * over all states written from the definition in double, and a sink that remembers. */
#ifndef EBM_TEST_SMALL_RBM_H
#define EBM_TEST_SMALL_RBM_H

#include "ebm/estimator.h"
#include "components.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where calls made through CHECK_OK report. */
static ebm_error failure;

#define CHECK_OK(call) ck_assert_msg((call) == EBM_OK, "%s", failure.message)

/* The unit roundoff of states and weights. */
static const double ROUNDING = sizeof(ebm_real) == sizeof(float) ? 0x1p-24 : 0x1p-53;

/* A generator of the test's own: SplitMix64 (Steele, Lea, Flood 2014). Uniform on [-1, 1). */
static inline double small_uniform(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-52 - 1;
}

static inline void small_rbm_create(size_t V, size_t H, ebm_model *out) {
    char hidden[32];
    void *options = calloc(1, ebm_rbm.info.options_size);
    const ebm_space space = ebm_space_line(EBM_BINARY, V);
    snprintf(hidden, sizeof hidden, "%zu", H);
    CHECK_OK(ebm_options_default(ebm_rbm.info.options, options, ebm_rbm.info.options_size, &failure));
    CHECK_OK(ebm_options_set(ebm_rbm.info.options, options, "hidden", hidden, NULL, &failure));
    CHECK_OK(ebm_model_create(&ebm_rbm, options, &space, NULL, 1, out, &failure));
    ebm_options_clear(ebm_rbm.info.options, options);
    free(options);
}

static inline void small_rbm_refresh(ebm_model *model) {
    ebm_work *work;
    CHECK_OK(ebm_work_create(1, &work, &failure));
    ebm_model_refresh(model, work);
    ebm_work_free(work);
}

/* Weights uniform on (-scale, scale), biases too, plus `shift` on the visible ones. */
static inline void small_rbm_fill(ebm_model *model, double scale, double shift, uint64_t seed) {
    const size_t V = model->space.size, H = model->n_hidden;
    ebm_real *W = ebm_model_view(model, "W"), *b = ebm_model_view(model, "visible_bias");
    ebm_real *c = ebm_model_view(model, "hidden_bias");
    for (size_t k = 0; k < V * H; k++)
        W[k] = (ebm_real)(scale * small_uniform(&seed));
    for (size_t i = 0; i < V; i++)
        b[i] = (ebm_real)(scale * small_uniform(&seed) + shift);
    for (size_t j = 0; j < H; j++)
        c[j] = (ebm_real)(scale * small_uniform(&seed));
    small_rbm_refresh(model);
}

static inline double bit(size_t code, size_t i) {
    return (double)(code >> i & 1u);
}

/* sum_h exp(v W h + b v + c h), every term from its definition */
static inline double brute_weight(const ebm_model *model, size_t v) {
    const size_t V = model->space.size, H = model->n_hidden;
    const ebm_real *W = ebm_model_view(model, "W"), *b = ebm_model_view(model, "visible_bias");
    const ebm_real *c = ebm_model_view(model, "hidden_bias");
    double total = 0;
    for (size_t h = 0; h < (size_t)1 << H; h++) {
        double minus_energy = 0;
        for (size_t i = 0; i < V; i++) {
            minus_energy += bit(v, i) * (double)b[i];
            for (size_t j = 0; j < H; j++)
                minus_energy += bit(v, i) * (double)W[i * H + j] * bit(h, j);
        }
        for (size_t j = 0; j < H; j++)
            minus_energy += bit(h, j) * (double)c[j];
        total += exp(minus_energy);
    }
    return total;
}

static inline double brute_log_z(const ebm_model *model) {
    double total = 0;
    for (size_t v = 0; v < (size_t)1 << model->space.size; v++)
        total += brute_weight(model, v);
    return log(total);
}

/* How far rounding can move an energy or log Z: each field is a sum of V + 1 terms, rounded V + 1 times; the softplus
 * adds at most a few roundings of its own value, and its derivative is below 1. So with S = sum of |parameters|,
 * |error| <= (V + 8) u S + 8 u H log 2, and log Z, a log-sum-exp, moves by no more than the energies. */
static inline double energy_rounding(const ebm_model *model) {
    double sum = 0;
    for (size_t k = 0; k < model->n_theta; k++)
        sum += fabs((double)model->theta[k]);
    return ROUNDING * (((double)model->space.size + 8) * sum + 8 * (double)model->n_hidden * M_LN2);
}

/* Data of 0/1 units given by codes. Freed with ebm_dataset_free. */
static inline void small_half(ebm_examples *half, size_t V, size_t count, const size_t *codes) {
    half->count = count;
    half->bytes = malloc(count * V);
    for (size_t e = 0; e < count; e++)
        for (size_t i = 0; i < V; i++)
            half->bytes[e * V + i] = (uint8_t)(codes[e] >> i & 1u);
}

static inline void small_dataset(ebm_dataset *out, size_t V, size_t n_train, const size_t *train, size_t n_test,
                                 const size_t *test) {
    memset(out, 0, sizeof *out);
    out->space = ebm_space_line(EBM_BINARY, V);
    small_half(&out->train, V, n_train, train);
    small_half(&out->test, V, n_test, test);
}

/* What an estimator has emitted, and at which steps where memory_at is the sink's `at`. */
enum { MEMORY_ROWS = 256 };
typedef struct memory_sink {
    ebm_sink sink;
    size_t count;
    uint64_t step;
    struct {
        char metric[64];
        uint64_t step;
        double value, se;
    } rows[MEMORY_ROWS];
} memory_sink;

static inline ebm_status memory_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    memory_sink *memory = (memory_sink *)sink;
    (void)error;
    ck_assert_uint_lt(memory->count, MEMORY_ROWS);
    snprintf(memory->rows[memory->count].metric, 64, "%s", metric);
    memory->rows[memory->count].step = memory->step;
    memory->rows[memory->count].value = value;
    memory->rows[memory->count++].se = se;
    return EBM_OK;
}

static inline void memory_at(ebm_sink *sink, uint64_t step) {
    ((memory_sink *)sink)->step = step;
}

/* SIZE_MAX where there is none. */
static inline size_t sink_find(const memory_sink *memory, const char *metric, uint64_t step) {
    for (size_t i = 0; i < memory->count; i++)
        if (strcmp(memory->rows[i].metric, metric) == 0 && memory->rows[i].step == step)
            return i;
    return SIZE_MAX;
}

static inline size_t sink_row_at(const memory_sink *memory, const char *metric, uint64_t step) {
    const size_t row = sink_find(memory, metric, step);
    ck_assert_msg(row != SIZE_MAX, "no %s at %llu", metric, (unsigned long long)step);
    return row;
}

static inline double sink_value_at(const memory_sink *memory, const char *metric, uint64_t step) {
    return memory->rows[sink_row_at(memory, metric, step)].value;
}

static inline size_t sink_row(const memory_sink *memory, const char *metric) {
    for (size_t i = 0; i < memory->count; i++)
        if (strcmp(memory->rows[i].metric, metric) == 0)
            return i;
    ck_abort_msg("no metric %s", metric);
    return 0;
}

static inline double sink_value(const memory_sink *memory, const char *metric) {
    return memory->rows[sink_row(memory, metric)].value;
}

static inline double sink_se(const memory_sink *memory, const char *metric) {
    return memory->rows[sink_row(memory, metric)].se;
}

/* Run an estimator with its defaults and the given settings (name, text, name, text, ..., NULL). Every metric that it
 * emits is in its table. */
static inline ebm_status small_estimate(const ebm_estimator_type *type, const char *const *settings,
                                        const ebm_estimate_inputs *inputs, memory_sink *memory) {
    void *options = calloc(1, type->info.options_size + 1);
    *memory = (memory_sink){.sink = {memory_emit}};
    CHECK_OK(ebm_options_default(type->info.options, options, type->info.options_size, &failure));
    for (; settings && *settings; settings += 2)
        CHECK_OK(ebm_options_set(type->info.options, options, settings[0], settings[1], NULL, &failure));
    const ebm_status status = type->estimate(options, inputs, &memory->sink, &failure);
    for (size_t i = 0; i < memory->count; i++) {
        const ebm_metric *metric = type->metrics;
        while (metric->name && strcmp(metric->name, memory->rows[i].metric) != 0)
            metric++;
        ck_assert_msg(metric->name != NULL, "%s is not in the table of %s", memory->rows[i].metric, type->info.name);
    }
    ebm_options_clear(type->info.options, options);
    free(options);
    return status;
}

#endif
