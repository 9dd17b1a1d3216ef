/* Rows that an estimator emits about a machine, kept to be looked up. */
#ifndef TESTS_MACHINE_ROWS_H
#define TESTS_MACHINE_ROWS_H

#include "boltzmann_fixture.h"

#include "ebm/estimator.h"

enum { MOST_ROWS = 4000 };
static struct {
    ebm_sink sink;
    uint64_t step;
    size_t count;
    struct {
        char metric[40];
        uint64_t step;
        double value, se;
    } rows[MOST_ROWS];
} sunk;

static inline ebm_status sunk_emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    (void)sink;
    (void)error;
    ck_assert_uint_lt(sunk.count, MOST_ROWS);
    snprintf(sunk.rows[sunk.count].metric, sizeof sunk.rows[0].metric, "%s", metric);
    sunk.rows[sunk.count].step = sunk.step;
    sunk.rows[sunk.count].value = value;
    sunk.rows[sunk.count++].se = se;
    return EBM_OK;
}

static inline void sunk_at(ebm_sink *sink, uint64_t step) {
    (void)sink;
    sunk.step = step;
}

/* NAN where there is no such row. */
static inline double row_value(const char *metric, uint64_t step) {
    for (size_t i = 0; i < sunk.count; i++)
        if (strcmp(sunk.rows[i].metric, metric) == 0 && sunk.rows[i].step == step)
            return sunk.rows[i].value;
    return NAN;
}

static inline ebm_status run_estimator(const char *name, const char *const *pairs, const ebm_estimate_inputs *in,
                                       ebm_error *why) {
    const ebm_estimator_type *type = (const ebm_estimator_type *)ebm_component_find(EBM_KIND_ESTIMATOR, name);
    ck_assert_ptr_nonnull(type);
    void *options = test_options(&type->info, pairs);
    sunk.sink = (ebm_sink){sunk_emit, sunk_at};
    sunk.count = 0;
    sunk.step = in->step;
    const ebm_status status = type->estimate(options, in, &sunk.sink, why);
    test_options_free(&type->info, options);
    return status;
}

#endif
