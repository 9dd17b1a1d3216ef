/* One case of a suite, run in this process: its rows, with checkpoints and stops at chosen moments. */
#ifndef EBM_TESTS_MIX_CASE_H
#define EBM_TESTS_MIX_CASE_H

#include "suite_text.h"

#include "harness/output.h"

#include <unistd.h>

/* A scratch folder of the test. */
static char mix_folder[64];

static inline void mix_setup(void) {
    snprintf(mix_folder, sizeof mix_folder, "/tmp/ebm-mix-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(mix_folder));
    setenv("EBM_CHECKPOINT_SECONDS", "1000000", 1);
}

static inline void mix_teardown(void) {
    ebm_folder_remove(mix_folder);
}

/* A finished case: the suite that it is of, and its rows. */
typedef struct mix_case {
    ebm_suite suite;
    ebm_case_output out;
    const char *keys[EBM_TABLE_MAX_COLUMNS];
    char seed[16];
    ebm_status status;
    ebm_error error;
} mix_case;

/* Stop, with a checkpoint, when asked for the n-th time whether one is due; 0: never. */
static size_t mix_stop_at, mix_asked;

static inline bool mix_due(ebm_output *output) {
    (void)output;
    return mix_stop_at > 0 && ++mix_asked >= mix_stop_at;
}

static inline bool mix_stop(ebm_output *output) {
    (void)output;
    return mix_stop_at > 0;
}

/* Run case `index` in folder `name` of the scratch folder; a checkpoint that lies there is gone on from. */
static inline void mix_run(const char *text, size_t index, const char *name, int threads, size_t stop_at, mix_case *m) {
    char folder[128];
    *m = (mix_case){.status = EBM_OK};
    parse_suite(text, EBM_SIZE_FULL, &m->suite);
    ck_assert_uint_lt(index, m->suite.n_cases);
    ebm_case *c = &m->suite.cases[index];
    ck_assert_msg(c->not_applicable == NULL, "%s", c->not_applicable ? c->not_applicable : "");
    ebm_case_keys(&m->suite, c, m->keys, m->seed, sizeof m->seed);
    snprintf(folder, sizeof folder, "%s/%s", mix_folder, name);
    ck_assert_int_eq(ebm_case_output_open(&m->out, &m->suite, folder, name, m->keys, -1, &m->error), EBM_OK);
    mix_stop_at = stop_at;
    mix_asked = 0;
    m->out.output.checkpoint_due = mix_due;
    m->out.output.stop_requested = mix_stop;
    m->status = m->suite.runner->run(c, &m->out.output, threads, &m->error);
}

/* The same where nothing may go wrong. */
static inline void mix_run_ok(const char *text, size_t index, int threads, mix_case *m) {
    mix_run(text, index, "case", threads, 0, m);
    ck_assert_msg(m->status == EBM_OK, "%s", m->error.message);
}

static inline void mix_close(mix_case *m) {
    ebm_case_output_close(&m->out);
    ebm_suite_free(&m->suite);
}

/* The only row with a metric, or NULL. */
static inline const ebm_row *mix_row(const mix_case *m, const char *metric) {
    const ebm_row *row = nth_row(&m->out.table, metric, 0);
    if (row)
        ck_assert_msg(nth_row(&m->out.table, metric, 1) == NULL, "%s stands twice", metric);
    return row;
}

static inline double mix_value(const mix_case *m, const char *metric) {
    const ebm_row *row = mix_row(m, metric);
    ck_assert_msg(row != NULL, "no row %s", metric);
    return row->value;
}

#endif
