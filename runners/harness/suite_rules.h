/* What the readers of `derive` and of `checks` share. Internal to the harness. */
#ifndef EBM_SUITE_RULES_H
#define EBM_SUITE_RULES_H

#include "harness/suite_reader.h"

/* One rule being read. */
typedef struct ebm_rule {
    const ebm_reader *reader;
    const ebm_plan *plan;         /* the size being read */
    const ebm_plan *const *plans; /* both */
    const ebm_suite *suite;       /* with the derived rows so far */
    const ebm_yaml_node *node;
    const char *what; /* "derive", "check" */
    const ebm_option *table;
    const char *extra; /* a further key that is no option, or NULL */
} ebm_rule;

bool ebm_rule_has(const ebm_rule *rule, const char *key);
/* Fills `written` (the table's struct) from the rule's own keys; the other keys are columns to match. */
EBM_NODISCARD ebm_status ebm_rule_read(const ebm_rule *rule, void *written, size_t size, size_t *n_where,
                                       ebm_match **where);
/* Whether the column exists at this size; an error when it exists at none (or `strict`: not at this one). */
EBM_NODISCARD ebm_status ebm_rule_column(const ebm_rule *rule, const ebm_yaml_node *node, const char *column, bool step,
                                         bool strict, bool *exists);
EBM_NODISCARD ebm_status ebm_rule_value(const ebm_rule *rule, const ebm_yaml_node *node, const char *column,
                                        const char *value, bool reduced, bool strict);
/* The same for a metric; *derived (may be NULL) tells whether an earlier `derive` makes it. */
EBM_NODISCARD ebm_status ebm_rule_metric(const ebm_rule *rule, const ebm_yaml_node *node, const char *metric,
                                         bool strict, bool *exists, bool *derived);
/* "last", "each" or a step */
EBM_NODISCARD ebm_status ebm_rule_at(const ebm_rule *rule, const char *text, int64_t otherwise, int64_t *at);
void ebm_matches_free(ebm_match *where, size_t count);
/* The value of a key, or the rule's own node where there is none: where an error points. */
const ebm_yaml_node *ebm_rule_node(const ebm_rule *rule, const char *key);

EBM_NODISCARD ebm_status ebm_derives_read(const ebm_rule *rule, ebm_suite *suite);
EBM_NODISCARD ebm_status ebm_checks_read(const ebm_rule *rule, ebm_suite *suite);

#endif
