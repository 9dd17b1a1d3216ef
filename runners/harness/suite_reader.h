/* What the files that read a suite share: nodes of the tree, the grid's entries and their variants, and the plan of one
 * size. Internal to the harness.
 *
 * An entry is one item of a list under `grid` (a component and the options written beside it); a variant is an entry
 * with one value chosen for each option that was written as a list; a case takes one variant of every part. */
#ifndef EBM_SUITE_READER_H
#define EBM_SUITE_READER_H

#include "harness/suite.h"
#include "harness/yaml_tree.h"

enum { EBM_MAX_CASES = 100000, EBM_MAX_CASE_NAME = 250 };

typedef struct ebm_reader {
    ebm_yaml_tree tree;
    char *folder; /* the suite file's, absolute: relative paths start there */
    ebm_error *error;
} ebm_reader;

/* The parts of a case, slowest axis first. The seed runs faster still. */
typedef enum ebm_part {
    EBM_PART_DATASET,
    EBM_PART_MODEL,
    EBM_PART_SAMPLER,
    EBM_PART_LEARNER,
    EBM_PART_RUN,
    EBM_PART_ESTIMATOR,
    EBM_PARTS
} ebm_part;

typedef struct ebm_entry {
    const ebm_component *component;
    const ebm_yaml_node *node;
    const ebm_yaml_node **values; /* for each option of the table: the value or list written, or NULL */
    size_t count;                 /* variants; SIZE_MAX where the product overflows */
} ebm_entry;

/* Entries of one component share which options tell its variants apart. */
typedef struct ebm_family {
    const ebm_component *component;
    size_t n_options;
    bool *varying; /* for each option of the table */
} ebm_family;

typedef struct ebm_variant {
    const ebm_entry *entry;
    const ebm_family *family;
    const ebm_yaml_node **chosen; /* for each option of the table: the value, or NULL for the default */
    void *options;
    char *text; /* "cd-1" */
} ebm_variant;

typedef struct ebm_entries {
    const char *label; /* "learner" */
    size_t n_entries, n_families, n_variants;
    size_t total; /* variants that expansion would make; SIZE_MAX where that overflows */
    ebm_entry *entries;
    ebm_family *families;
    ebm_variant *variants;
} ebm_entries;

/* What a suite says for one size. */
typedef struct ebm_plan {
    ebm_size size;
    const ebm_yaml_node *root;
    const ebm_runner_type *runner;
    double timeout;
    ebm_entries parts[EBM_PARTS];
    ebm_entries measures;
    size_t n_seeds;
    uint32_t *seeds;
    size_t n_axes;
    char **axes;
    size_t n_cases;
} ebm_plan;

/* suite_nodes.c: errors at a place of the file, and values of nodes. */
ebm_status ebm_node_fail(const ebm_reader *reader, const ebm_yaml_node *node, const char *format, ...) EBM_PRINTF(3, 4);
ebm_status ebm_key_fail(const ebm_reader *reader, const ebm_yaml_node *node, const char *format, ...) EBM_PRINTF(3, 4);
/* "unknown key 'grdi' in <where>: did you mean 'grid'? expected one of ..." */
ebm_status ebm_unknown_key(const ebm_reader *reader, const ebm_yaml_node *node, const char *where,
                           const char *const *names);
/* ", did you mean 'a'?" or ", expected one of a, b" into buffer; returns buffer. */
const char *ebm_suggestion(const char *found, const char *const *names, char *buffer, size_t size);
EBM_NODISCARD ebm_status ebm_node_scalar(const ebm_reader *reader, const ebm_yaml_node *node, const char **text);
/* Set option `name` of a struct from a node; `where` ("learner cd") begins the message. */
EBM_NODISCARD ebm_status ebm_node_option(const ebm_reader *reader, const ebm_yaml_node *node, const char *where,
                                         const ebm_option *table, const char *name, void *options);
const char *ebm_node_kind(const ebm_yaml_node *node);
ebm_status ebm_reader_no_memory(const ebm_reader *reader);

/* suite_entries.c */
EBM_NODISCARD ebm_status ebm_entries_read(const ebm_reader *reader, ebm_kind kind, const char *label,
                                          const ebm_yaml_node *node, ebm_entries *out);
/* The runner's own options as a part of one entry; node may be NULL. */
EBM_NODISCARD ebm_status ebm_entries_read_run(const ebm_reader *reader, const ebm_component *runner,
                                              const ebm_yaml_node *node, ebm_entries *out);
EBM_NODISCARD ebm_status ebm_entries_expand(const ebm_reader *reader, ebm_entries *entries);
void ebm_entries_free(ebm_entries *entries);
size_t ebm_option_count(const ebm_option *table);
/* The value of option i as names and columns show it: a path as it was written. The caller frees; NULL: no memory. */
char *ebm_variant_option_text(const ebm_variant *variant, size_t i);
/* A variant's name without option `skipped` (NULL: with all that vary). The caller frees; NULL: no memory. */
char *ebm_variant_text(const ebm_variant *variant, bool is_run, const char *skipped);
/* Append to a name as names show it: letters, digits and . _ + - only, and not too long. */
void ebm_append_plain(char *name, size_t size, const char *text);
enum { EBM_MAX_OPTION_TEXT = 60 };

/* suite_grid.c: grid, run, measure and seeds of plan->root, counted and expanded; then
 * (suite_cases.c) cases and (suite_texts.c) part names of the chosen plan. */
EBM_NODISCARD ebm_status ebm_plan_read(const ebm_reader *reader, ebm_plan *plan);
void ebm_plan_free(ebm_plan *plan);
EBM_NODISCARD ebm_status ebm_plan_cases(const ebm_reader *reader, const ebm_plan *plan, ebm_suite *suite);
EBM_NODISCARD ebm_status ebm_plan_part_names(const ebm_reader *reader, const ebm_plan *plan, ebm_suite *suite);
/* The text in `column` of a row when it is reduced over `axis` (indices of keys). The caller frees; NULL: no memory. */
char *ebm_reduced_text(const ebm_suite *suite, const char *const *keys, size_t column, size_t axis);
void ebm_part_names_free(ebm_suite *suite);
void ebm_cases_free(ebm_suite *suite);
extern const char *const ebm_part_labels[EBM_PARTS];

/* suite_columns.c: what derive and checks may refer to. */
/* All columns that may be matched, NULL-terminated, borrowed from the plan; the caller frees the array, which
 * has room for one more. */
const char **ebm_plan_columns(const ebm_plan *plan);
/* Whether some case has this value in a column; `values` (size bytes) receives a list of the column's values.
 * `reduced`: rows of derived metrics are meant, whose texts may lack an axis. */
EBM_NODISCARD ebm_status ebm_plan_value(const ebm_reader *reader, const ebm_plan *plan, const char *column,
                                        const char *value, bool reduced, bool *found, char *values, size_t size);
bool ebm_plan_emits(const ebm_plan *plan, const char *metric);
/* Names of all metrics of the plans (n_plans) and of the suite's derived rows so far; the caller frees the array. */
const char **ebm_plan_metrics(const ebm_plan *const *plans, size_t n_plans, const ebm_suite *suite);

/* suite_rules.c: `derive` and `checks` of one plan; plans: both sizes. */
EBM_NODISCARD ebm_status ebm_rules_read(const ebm_reader *reader, const ebm_plan *plan, const ebm_plan *const plans[2],
                                        ebm_suite *suite);
void ebm_derives_free(ebm_derive *derives, size_t count);
void ebm_checks_free(ebm_check *checks, size_t count);

#endif
