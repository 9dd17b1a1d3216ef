/* Reading the `checks` list: laws and claims, each a bound on one metric. */
#include "harness/suite_rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A check as it is written. */
typedef struct written {
    char *law, *claim, *at, *why;
    double above, below, errors;
    int size;
} written;

static const char *const size_names[] = {"both", "quick", "full", NULL};

static const ebm_option check_options[] = {
    {"law", EBM_OPTION_STRING, EBM_OFFSET(written, law), NULL, 0, 0, NULL, 0, "metric that must keep the bound"},
    {"claim", EBM_OPTION_STRING, EBM_OFFSET(written, claim), NULL, 0, 0, NULL, 0,
     "metric of which a source says that it keeps the bound"},
    {"above", EBM_OPTION_REAL, EBM_OFFSET(written, above), NULL, -INFINITY, INFINITY, NULL, 0, "smallest value"},
    {"below", EBM_OPTION_REAL, EBM_OFFSET(written, below), NULL, -INFINITY, INFINITY, NULL, 0, "largest value"},
    {"errors", EBM_OPTION_REAL, EBM_OFFSET(written, errors), "0", 0, 1000, NULL, 0,
     "standard errors by which the bound is widened"},
    {"at", EBM_OPTION_STRING, EBM_OFFSET(written, at), NULL, 0, 0, NULL, 0, "last, each or a step"},
    {"size", EBM_OPTION_CHOICE, EBM_OFFSET(written, size), "both", 0, 0, size_names, 0, "where the check applies"},
    {"why", EBM_OPTION_STRING, EBM_OFFSET(written, why), NULL, 0, 0, NULL, 0, "one sentence: where it comes from"},
    {NULL, EBM_OPTION_BOOL, 0, NULL, 0, 0, NULL, 0, NULL}};

static ebm_status check_bounds(const ebm_rule *rule, const written *w) {
    bool above = ebm_rule_has(rule, "above"), below = ebm_rule_has(rule, "below");
    if (!w->law == !w->claim)
        return ebm_node_fail(rule->reader, rule->node, "expected either 'law: METRIC' or 'claim: METRIC'%s",
                             w->law ? ", not both" : "");
    if (!above && !below)
        return ebm_node_fail(rule->reader, rule->node, "this check has no bound: expected 'above', 'below' or both");
    if (above && below && w->above > w->below)
        return ebm_node_fail(rule->reader, ebm_rule_node(rule, "below"), "below is less than above: no value is both");
    return EBM_OK;
}

/* At the sizes where it applies, all that a check names must exist: it could not hold otherwise. */
static ebm_status check_names(const ebm_rule *rule, ebm_check *out) {
    bool applies = (out->at_sizes & (1 << rule->plan->size)) != 0, exists, derived;
    const char *key = out->law ? "law" : "claim";
    EBM_TRY(ebm_rule_metric(rule, ebm_rule_node(rule, key), out->metric, applies, &exists, &derived));
    for (size_t i = 0; i < out->n_where; i++) {
        const ebm_yaml_node *node = ebm_rule_node(rule, out->where[i].column);
        EBM_TRY(ebm_rule_column(rule, node, out->where[i].column, false, applies, &exists));
        EBM_TRY(ebm_rule_value(rule, node, out->where[i].column, out->where[i].value, derived, applies));
    }
    return EBM_OK;
}

static ebm_status read_check(const ebm_rule *rule, ebm_check *out) {
    static const int masks[] = {1 << EBM_SIZE_QUICK | 1 << EBM_SIZE_FULL, 1 << EBM_SIZE_QUICK, 1 << EBM_SIZE_FULL};
    written w = {0};
    ebm_status status = ebm_rule_read(rule, &w, sizeof w, &out->n_where, &out->where);
    if (status == EBM_OK)
        status = check_bounds(rule, &w);
    if (status == EBM_OK)
        status = ebm_rule_at(rule, w.at, EBM_AT_LAST, &out->at);
    if (status == EBM_OK) {
        out->law = w.law != NULL;
        out->above = ebm_rule_has(rule, "above") ? w.above : -INFINITY;
        out->below = ebm_rule_has(rule, "below") ? w.below : INFINITY;
        out->errors = w.errors;
        out->at_sizes = masks[w.size];
        out->position = ebm_yaml_position(&rule->reader->tree, rule->node);
        out->metric = strdup(w.law ? w.law : w.claim);
        out->why = strdup(w.why ? w.why : "");
        status = out->metric && out->why ? EBM_OK : ebm_reader_no_memory(rule->reader);
    }
    ebm_options_clear(check_options, &w);
    return status == EBM_OK ? check_names(rule, out) : status;
}

ebm_status ebm_checks_read(const ebm_rule *rule, ebm_suite *suite) {
    const ebm_yaml_node *list = ebm_yaml_get(rule->plan->root, "checks");
    if (!list)
        return EBM_OK;
    if (list->kind != EBM_YAML_LIST)
        return ebm_node_fail(rule->reader, list, "checks is %s: expected a list of laws and claims",
                             ebm_node_kind(list));
    suite->checks = calloc(list->count + 1, sizeof *suite->checks);
    if (!suite->checks)
        return ebm_reader_no_memory(rule->reader);
    for (const ebm_yaml_node *node = list->first; node; node = node->next) {
        ebm_rule one = *rule;
        one.node = node;
        one.what = "check";
        one.table = check_options;
        EBM_TRY(read_check(&one, &suite->checks[suite->n_checks++]));
    }
    return EBM_OK;
}

void ebm_checks_free(ebm_check *checks, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(checks[i].metric);
        free(checks[i].why);
        ebm_matches_free(checks[i].where, checks[i].n_where);
    }
    free(checks);
}
