/* What `derive` and `checks` have in common: keys of their own and columns to match, names of columns, values and
 * metrics that must exist. */
#include "harness/suite_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* " at size quick", where the sizes are told apart at all. */
static const char *at_size(const ebm_rule *rule) {
    if (rule->plans[0]->root == rule->plans[1]->root)
        return "";
    return rule->plan->size == EBM_SIZE_QUICK ? " at size quick" : " at size full";
}

bool ebm_rule_has(const ebm_rule *rule, const char *key) {
    return ebm_yaml_get(rule->node, key) != NULL;
}

const ebm_yaml_node *ebm_rule_node(const ebm_rule *rule, const char *key) {
    const ebm_yaml_node *node = ebm_yaml_get(rule->node, key);
    return node ? node : rule->node;
}

static bool contains(const char *const *names, const char *name) {
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* Whether `name` is a column of the rule's plan, and of any plan; the union of names when it is of none. */
static ebm_status find_column(const ebm_rule *rule, const char *name, bool *here, bool *anywhere) {
    *here = *anywhere = false;
    for (int size = 0; size < 2; size++) {
        const char **columns = ebm_plan_columns(rule->plans[size]);
        if (!columns)
            return ebm_reader_no_memory(rule->reader);
        bool found = contains(columns, name);
        free(columns);
        *anywhere = *anywhere || found;
        *here = *here || (found && rule->plans[size] == rule->plan);
    }
    return EBM_OK;
}

ebm_status ebm_rule_column(const ebm_rule *rule, const ebm_yaml_node *node, const char *column, bool step, bool strict,
                           bool *exists) {
    bool here, anywhere;
    EBM_TRY(find_column(rule, column, &here, &anywhere));
    if (step && strcmp(column, "step") == 0)
        here = anywhere = true;
    *exists = here;
    if (here || (anywhere && !strict))
        return EBM_OK;
    const char **columns = ebm_plan_columns(rule->plan);
    if (!columns)
        return ebm_reader_no_memory(rule->reader);
    size_t count = 0;
    while (columns[count])
        count++;
    if (step)
        columns[count] = "step"; /* there is room for one more */
    char suggestion[400];
    ebm_suggestion(column, columns, suggestion, sizeof suggestion);
    free(columns);
    return ebm_node_fail(rule->reader, node, "the results%s have no column '%.60s'%s", at_size(rule), column,
                         suggestion);
}

ebm_status ebm_rule_value(const ebm_rule *rule, const ebm_yaml_node *node, const char *column, const char *value,
                          bool reduced, bool strict) {
    char values[300];
    bool found;
    if (!strict) {
        for (int size = 0; size < 2; size++) {
            EBM_TRY(
                ebm_plan_value(rule->reader, rule->plans[size], column, value, reduced, &found, values, sizeof values));
            if (found)
                return EBM_OK;
        }
    }
    EBM_TRY(ebm_plan_value(rule->reader, rule->plan, column, value, reduced, &found, values, sizeof values));
    if (found)
        return EBM_OK;
    return ebm_node_fail(rule->reader, node, "no case%s has %s '%.60s': expected one of %s", at_size(rule), column,
                         value, values);
}

ebm_status ebm_rule_metric(const ebm_rule *rule, const ebm_yaml_node *node, const char *metric, bool strict,
                           bool *exists, bool *derived) {
    bool is_derived = false, elsewhere = false;
    *exists = ebm_plan_emits(rule->plan, metric);
    for (size_t i = 0; i < rule->suite->n_derives; i++)
        if (strcmp(rule->suite->derives[i].as, metric) == 0) {
            is_derived = true;
            *exists = !rule->suite->derives[i].absent;
        }
    for (int size = 0; size < 2; size++)
        elsewhere = elsewhere || ebm_plan_emits(rule->plans[size], metric);
    if (derived)
        *derived = is_derived;
    if (*exists || is_derived || (elsewhere && !strict))
        return EBM_OK;
    const char **metrics = ebm_plan_metrics(strict ? &rule->plan : rule->plans, strict ? 1 : 2, rule->suite);
    if (!metrics)
        return ebm_reader_no_memory(rule->reader);
    char suggestion[400];
    ebm_suggestion(metric, metrics, suggestion, sizeof suggestion);
    free(metrics);
    return ebm_node_fail(rule->reader, node, "nothing gives the metric '%.60s'%s%s", metric,
                         elsewhere ? at_size(rule) : "", suggestion);
}

ebm_status ebm_rule_at(const ebm_rule *rule, const char *text, int64_t otherwise, int64_t *at) {
    *at = otherwise;
    if (!text)
        return EBM_OK;
    if (strcmp(text, "last") == 0)
        *at = EBM_AT_LAST;
    else if (strcmp(text, "each") == 0)
        *at = EBM_AT_EACH;
    else if (strspn(text, "0123456789") == strlen(text) && strlen(text) <= 18)
        *at = strtoll(text, NULL, 10);
    else
        return ebm_node_fail(rule->reader, ebm_rule_node(rule, "at"), "at is '%.60s': expected last, each or a step",
                             text);
    return EBM_OK;
}

void ebm_matches_free(ebm_match *where, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(where[i].column);
        free(where[i].value);
    }
    free(where);
}

static ebm_status unknown_key(const ebm_rule *rule, const ebm_yaml_node *child) {
    const char **columns = ebm_plan_columns(rule->plan);
    size_t count = 0, n_options = ebm_option_count(rule->table);
    for (; columns && columns[count]; count++)
        ;
    const char **names = calloc(n_options + count + 2, sizeof *names);
    ebm_status status = EBM_NO_MEMORY;
    if (columns && names) {
        size_t n = 0;
        for (size_t i = 0; i < n_options; i++)
            names[n++] = rule->table[i].name;
        if (rule->extra)
            names[n++] = rule->extra;
        for (size_t i = 0; i < count; i++)
            names[n++] = columns[i];
        char where[80];
        snprintf(where, sizeof where, "a %s rule", rule->what);
        status = ebm_unknown_key(rule->reader, child, where, names);
    }
    free(columns);
    free(names);
    return status == EBM_NO_MEMORY ? ebm_reader_no_memory(rule->reader) : status;
}

static ebm_status read_match(const ebm_rule *rule, const ebm_yaml_node *child, size_t *n_where, ebm_match **where) {
    bool here, anywhere;
    EBM_TRY(find_column(rule, child->key, &here, &anywhere));
    if (!anywhere)
        return unknown_key(rule, child);
    const char *value;
    EBM_TRY(ebm_node_scalar(rule->reader, child, &value));
    ebm_match *grown = reallocarray(*where, *n_where + 1, sizeof *grown);
    if (!grown)
        return ebm_reader_no_memory(rule->reader);
    *where = grown;
    grown[*n_where] = (ebm_match){strdup(child->key), strdup(value)};
    ebm_match *match = &grown[(*n_where)++];
    return match->column && match->value ? EBM_OK : ebm_reader_no_memory(rule->reader);
}

ebm_status ebm_rule_read(const ebm_rule *rule, void *written, size_t size, size_t *n_where, ebm_match **where) {
    const ebm_reader *reader = rule->reader;
    if (rule->node->kind != EBM_YAML_MAPPING)
        return ebm_node_fail(reader, rule->node, "found %s where a %s rule was expected: {key: value, ...}",
                             ebm_node_kind(rule->node), rule->what);
    EBM_TRY(ebm_options_default(rule->table, written, size, reader->error));
    for (const ebm_yaml_node *child = rule->node->first; child; child = child->next) {
        if (rule->extra && strcmp(child->key, rule->extra) == 0)
            continue;
        if (ebm_options_find(rule->table, child->key))
            EBM_TRY(ebm_node_option(reader, child, rule->what, rule->table, child->key, written));
        else
            EBM_TRY(read_match(rule, child, n_where, where));
    }
    for (const ebm_option *option = rule->table; option->name; option++)
        if ((option->flags & EBM_OPTION_REQUIRED) && !ebm_rule_has(rule, option->name))
            return ebm_node_fail(reader, rule->node, "this %s rule has no '%s' (%s)", rule->what, option->name,
                                 option->help);
    return EBM_OK;
}

ebm_status ebm_rules_read(const ebm_reader *reader, const ebm_plan *plan, const ebm_plan *const plans[2],
                          ebm_suite *suite) {
    ebm_rule rule = {.reader = reader, .plan = plan, .plans = plans, .suite = suite};
    EBM_TRY(ebm_derives_read(&rule, suite));
    return ebm_checks_read(&rule, suite);
}
