/* Suite files: reading, checking, and expanding into cases.
 *
 * Every key is checked against the option tables. A mistake is one error with file, line, column, what was found, what
 * was expected and the nearest valid name; nothing is run. */
#ifndef EBM_SUITE_H
#define EBM_SUITE_H

#include "harness/runner.h"
#include "harness/table.h"

typedef enum ebm_size { EBM_SIZE_QUICK, EBM_SIZE_FULL } ebm_size;

/* A column value that a row must have: {"learner", "exact"} or an axis path {"learner.steps", "1"}. */
typedef struct ebm_match {
    char *column, *value;
} ebm_match;

typedef enum ebm_derive_op {
    EBM_DERIVE_MEAN,              /* mean and s.e. over an axis */
    EBM_DERIVE_PAIRED_DIFFERENCE, /* mean and s.e. over an axis of a - b */
    EBM_DERIVE_RATIO,             /* mean of a / b over an axis, s.e. by the paired ratios */
    EBM_DERIVE_SLOPE,             /* log-log slope of `of` against a numeric axis, least squares, with its s.e. */
    EBM_DERIVE_CROSSING,   /* where `of` crosses `level` along an axis, linear interpolation, s.e. by propagation */
    EBM_DERIVE_Z,          /* (of - exact) / s.e., for each row; exact: another metric of the same case and step */
    EBM_DERIVE_DIFFERENCE, /* of - exact, for each row */
    EBM_DERIVE_ABSOLUTE_DIFFERENCE, /* |of - exact|, for each row */
    EBM_DERIVE_MAXIMUM,             /* largest over an axis */
    EBM_DERIVE_MINIMUM,             /* smallest over an axis */
    EBM_DERIVE_MINIMUM_AT,          /* where along a numeric axis `of` is smallest */
    EBM_DERIVE_LARGEST_RISE         /* largest increase of `of` from one place on a numeric axis to the next */
} ebm_derive_op;

enum { EBM_AT_EACH = -1, EBM_AT_LAST = -2 };

/* mean, paired-difference, ratio, maximum and minimum need `over`; slope, crossing, minimum-at and largest-rise need `against` and may
 * take `over` (slope: all points in one fit; crossing and largest-rise: means over it first; minimum-at: the place for each of its
 * values, then their geometric mean); z and the differences need `against`, a metric, and keep each row. `over` and `against` may
 * be "step". `at` is by default the last step of each case, each step for what keeps rows. What cannot be computed (a logarithm of 0,
 * a level never crossed) is a row of status failed. */
typedef struct ebm_derive {
    char *as, *of, *over;
    ebm_derive_op op;
    char *against; /* z: the exact metric; slope, crossing: the numeric axis */
    double level, from; /* from: least `against` that counts */
    int64_t at;                                   /* a step, EBM_AT_EACH or EBM_AT_LAST */
    char *between_column, *between_a, *between_b; /* learner: [exact, cd-1] */
    bool absent;                                  /* its metric or columns exist at the other size only: no rows here */
    size_t n_where;
    ebm_match *where;
    ebm_position position;
} ebm_derive;

typedef struct ebm_check {
    bool law; /* else claim */
    char *metric;
    double above, below; /* both allowed themselves; -INFINITY, INFINITY where absent */
    double errors;       /* the bound is widened by this many standard errors of the value; 0 = none */
    int at_sizes;        /* mask of 1 << ebm_size */
    int64_t at;          /* a step, EBM_AT_EACH or EBM_AT_LAST */
    char *why;
    size_t n_where;
    ebm_match *where;
    ebm_position position;
} ebm_check;

/* How a part's text follows from the axes: "cd-1" in column "learner" is component "cd" and the value of axis
 * "learner.steps". So "cd" is what is left of it when rows are reduced over that axis. */
typedef struct ebm_part_name {
    size_t column; /* an index into a row's keys */
    char *component;
    size_t n_axes;
    size_t *axes; /* indices into a row's keys */
} ebm_part_name;

typedef struct ebm_suite {
    char *path, *name, *about, *source;
    ebm_size size;
    const ebm_runner_type *runner;
    size_t n_axes; /* columns beyond the fixed ones, named by path: "learner.steps" */
    char **axes;
    size_t n_cases;
    ebm_case *cases; /* in suite order: the rightmost axis runs fastest */
    double timeout;  /* seconds a case, 0 = none (suite key `timeout`) */
    size_t n_derives, n_checks;
    ebm_derive *derives;
    ebm_check *checks;
    size_t n_part_names;
    ebm_part_name *part_names;
    uint64_t hash; /* of the file's bytes */
} ebm_suite;

/* Bounds: 1 MiB of YAML, nesting 32, no anchors or aliases, no duplicate keys, at most 100,000 cases (a larger grid is
 * an error that says how many and which axes). Both sizes are checked whichever is asked for. A grid without `seed` has
 * seed 1. An entry may stand without its list; options of `run` may be lists, too (columns "run.updates"). With a grid
 * `estimator` its text is a column "estimator". */
EBM_NODISCARD ebm_status ebm_suite_read(const char *path, ebm_size size, ebm_suite *out, ebm_error *error);
EBM_NODISCARD ebm_status ebm_suite_parse(const char *name, const char *bytes, size_t length, ebm_size size,
                                         ebm_suite *out, ebm_error *error);
void ebm_suite_free(ebm_suite *suite);
/* The fixed columns and axes of a case, as texts: `keys` has EBM_FIXED_COLUMNS + n_axes entries, borrowed. */
void ebm_case_keys(const ebm_suite *suite, const ebm_case *c, const char **keys, char *seed_buffer, size_t size);
/* Canonical text of everything that decides a case's numbers: runner, run options, components with all options by name
 * with defaults written out, seed. Stable under reordering of keys. The caller frees. */
char *ebm_case_settings(const ebm_suite *suite, const ebm_case *c);

/* Rows computed from rows, appended to `table`: derived rows carry the matching keys and empty texts for the columns
 * that were reduced over. */
EBM_NODISCARD ebm_status ebm_derive_rows(const ebm_suite *suite, ebm_table *table, ebm_error *error);

typedef enum ebm_verdict { EBM_HELD, EBM_FELL_SHORT, EBM_DID_NOT_REPRODUCE, EBM_NOT_CHECKED } ebm_verdict;
typedef struct ebm_check_result {
    const ebm_check *check;
    ebm_verdict verdict;
    size_t examined;  /* rows that matched; a law that matches no row at a size where it applies fell short */
    double value, se; /* of the worst row */
    char worst_case[256];
} ebm_check_result;
/* results: n_checks entries. Each also becomes a row of the table, metric "check: <metric> ...". */
EBM_NODISCARD ebm_status ebm_check_rows(const ebm_suite *suite, ebm_table *table, ebm_check_result *results,
                                        ebm_error *error);

/* Compare a fresh table with a reference: exact metrics by relative tolerance, stochastic ones (as their component's
 * metric table says, or where the learner uses a sampler) over seeds, by Student's t, with the false-alarm rate of the
 * whole file held at `alpha`; missing and additional rows are differences. options NULL: the defaults. Writes a
 * readable report; *differences counts. */
typedef struct ebm_compare_options {
    double relative_tolerance; /* default 1e-6 */
    double alpha;              /* default 1e-3 */
} ebm_compare_options;
EBM_NODISCARD ebm_status ebm_compare(const ebm_table *fresh, const ebm_table *reference,
                                     const ebm_compare_options *options, FILE *report, size_t *differences,
                                     ebm_error *error);

#endif
