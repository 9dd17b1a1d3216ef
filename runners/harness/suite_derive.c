/* Reading the `derive` list: rows that are computed from rows. */
#include "harness/suite_rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A derive rule as it is written. */
typedef struct written {
    char *as, *of, *over, *at, *against;
    int op;
    double level, from;
} written;

static const char *const op_names[] = {
    "mean",    "paired-difference", "ratio",      "slope",        "crossing", "z", "difference", "absolute-difference",
    "maximum", "minimum",           "minimum-at", "largest-rise", NULL};

static const ebm_option derive_options[] = {
    {"as", EBM_OPTION_STRING, EBM_OFFSET(written, as), NULL, 0, 0, NULL, EBM_OPTION_REQUIRED, "name of the new metric"},
    {"of", EBM_OPTION_STRING, EBM_OFFSET(written, of), NULL, 0, 0, NULL, EBM_OPTION_REQUIRED,
     "metric that it is computed from"},
    {"op", EBM_OPTION_CHOICE, EBM_OFFSET(written, op), NULL, 0, 0, op_names, EBM_OPTION_REQUIRED, "operation"},
    {"over", EBM_OPTION_STRING, EBM_OFFSET(written, over), NULL, 0, 0, NULL, 0,
     "column whose rows are taken together, or step"},
    {"at", EBM_OPTION_STRING, EBM_OFFSET(written, at), NULL, 0, 0, NULL, 0, "last, each or a step"},
    {"against", EBM_OPTION_STRING, EBM_OFFSET(written, against), NULL, 0, 0, NULL, 0,
     "z, difference, absolute-difference: the other metric; slope, crossing, minimum-at, largest-rise: the numeric "
     "column, or step"},
    {"level", EBM_OPTION_REAL, EBM_OFFSET(written, level), NULL, -INFINITY, INFINITY, NULL, 0, "crossing: the level"},
    {"from", EBM_OPTION_REAL, EBM_OFFSET(written, from), NULL, -INFINITY, INFINITY, NULL, 0,
     "slope, largest-rise: only rows whose `against` is at least this"},
    {NULL, EBM_OPTION_BOOL, 0, NULL, 0, 0, NULL, 0, NULL}};

/* Which keys an operation needs, and which it takes. */
typedef struct shape {
    bool over_needed, over_taken, between, against, level, from;
} shape;

static const shape shapes[] = {
    [EBM_DERIVE_MEAN] = {true, true, false, false, false, false},
    [EBM_DERIVE_PAIRED_DIFFERENCE] = {true, true, true, false, false, false},
    [EBM_DERIVE_RATIO] = {true, true, true, false, false, false},
    [EBM_DERIVE_SLOPE] = {false, true, false, true, false, true},
    [EBM_DERIVE_CROSSING] = {false, true, false, true, true, false},
    [EBM_DERIVE_Z] = {false, false, false, true, false, false},
    [EBM_DERIVE_DIFFERENCE] = {false, false, false, true, false, false},
    [EBM_DERIVE_ABSOLUTE_DIFFERENCE] = {false, false, false, true, false, false},
    [EBM_DERIVE_MAXIMUM] = {true, true, false, false, false, false},
    [EBM_DERIVE_MINIMUM] = {true, true, false, false, false, false},
    [EBM_DERIVE_MINIMUM_AT] = {false, true, false, true, false, false},
    [EBM_DERIVE_LARGEST_RISE] = {false, true, false, true, false, true},
};

/* Whether `against` names a metric: the operation keeps each row. */
static bool keeps_rows(ebm_derive_op op) {
    return op == EBM_DERIVE_Z || op == EBM_DERIVE_DIFFERENCE || op == EBM_DERIVE_ABSOLUTE_DIFFERENCE;
}

static ebm_status check_shape(const ebm_rule *rule, int op) {
    const shape *s = &shapes[op];
    const struct {
        const char *key;
        bool needed, taken;
    } keys[] = {{"from", false, s->from},
                {"over", s->over_needed, s->over_taken},
                {"between", s->between, s->between},
                {"against", s->against, s->against},
                {"level", s->level, s->level}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].needed && !ebm_rule_has(rule, keys[i].key))
            return ebm_node_fail(rule->reader, rule->node, "op %s needs '%s'", op_names[op], keys[i].key);
        if (!keys[i].taken && ebm_rule_has(rule, keys[i].key))
            return ebm_key_fail(rule->reader, ebm_rule_node(rule, keys[i].key), "op %s takes no '%s'", op_names[op],
                                keys[i].key);
    }
    return EBM_OK;
}

static ebm_status read_between(const ebm_rule *rule, ebm_derive *out, bool *exists) {
    const ebm_yaml_node *node = ebm_yaml_get(rule->node, "between");
    if (!node)
        return EBM_OK;
    const ebm_yaml_node *pair = node->first;
    if (node->kind != EBM_YAML_MAPPING || node->count != 1 || pair->kind != EBM_YAML_LIST || pair->count != 2)
        return ebm_node_fail(rule->reader, node,
                             "between: expected one column and two of its values, {learner: "
                             "[exact, cd-1]}");
    const char *a, *b;
    EBM_TRY(ebm_node_scalar(rule->reader, pair->first, &a));
    EBM_TRY(ebm_node_scalar(rule->reader, pair->last, &b));
    EBM_TRY(ebm_rule_column(rule, pair, pair->key, false, false, exists));
    if (strcmp(a, b) == 0)
        return ebm_node_fail(rule->reader, pair->last, "between: '%.60s' stands twice", b);
    EBM_TRY(ebm_rule_value(rule, pair->first, pair->key, a, true, false));
    EBM_TRY(ebm_rule_value(rule, pair->last, pair->key, b, true, false));
    out->between_column = strdup(pair->key);
    out->between_a = strdup(a);
    out->between_b = strdup(b);
    return out->between_column && out->between_a && out->between_b ? EBM_OK : ebm_reader_no_memory(rule->reader);
}

static ebm_status check_new_name(const ebm_rule *rule, const char *as) {
    const ebm_yaml_node *node = ebm_rule_node(rule, "as");
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    if (!*as || strspn(as, allowed) != strlen(as))
        return ebm_node_fail(rule->reader, node, "as is '%.60s': expected letters, digits, _ . and -", as);
    for (int size = 0; size < 2; size++)
        if (ebm_plan_emits(rule->plans[size], as))
            return ebm_node_fail(rule->reader, node, "as is '%.60s', which is a metric already: expected a new name",
                                 as);
    for (size_t i = 0; i < rule->suite->n_derives; i++)
        if (strcmp(rule->suite->derives[i].as, as) == 0)
            return ebm_node_fail(rule->reader, node, "as is '%.60s', which line %u derives already", as,
                                 rule->suite->derives[i].position.line);
    return EBM_OK;
}

/* Names and columns; out->absent where they exist at the other size only. */
static ebm_status check_names(const ebm_rule *rule, ebm_derive *out) {
    bool exists = true, derived;
    EBM_TRY(check_new_name(rule, out->as));
    EBM_TRY(ebm_rule_metric(rule, ebm_rule_node(rule, "of"), out->of, false, &exists, &derived));
    out->absent = !exists;
    if (out->over) {
        EBM_TRY(ebm_rule_column(rule, ebm_rule_node(rule, "over"), out->over, true, false, &exists));
        out->absent = out->absent || !exists;
    }
    if (out->against) {
        const ebm_yaml_node *node = ebm_rule_node(rule, "against");
        if (keeps_rows(out->op))
            EBM_TRY(ebm_rule_metric(rule, node, out->against, false, &exists, NULL));
        else
            EBM_TRY(ebm_rule_column(rule, node, out->against, true, false, &exists));
        out->absent = out->absent || !exists;
        if (out->over && strcmp(out->over, out->against) == 0)
            return ebm_node_fail(rule->reader, node, "over and against are both '%.60s'", out->over);
    }
    for (size_t i = 0; i < out->n_where; i++) {
        const ebm_yaml_node *node = ebm_rule_node(rule, out->where[i].column);
        EBM_TRY(ebm_rule_column(rule, node, out->where[i].column, false, false, &exists));
        out->absent = out->absent || !exists;
        EBM_TRY(ebm_rule_value(rule, node, out->where[i].column, out->where[i].value, derived, false));
    }
    exists = true;
    EBM_TRY(read_between(rule, out, &exists));
    out->absent = out->absent || !exists;
    return EBM_OK;
}

static ebm_status read_derive(const ebm_rule *rule, ebm_derive *out) {
    written w = {0};
    ebm_status status = ebm_rule_read(rule, &w, sizeof w, &out->n_where, &out->where);
    if (status == EBM_OK) {
        *out = (ebm_derive){.as = w.as,
                            .of = w.of,
                            .over = w.over,
                            .op = (ebm_derive_op)w.op,
                            .against = w.against,
                            .level = w.level,
                            .from = ebm_rule_has(rule, "from") ? w.from : -INFINITY,
                            .n_where = out->n_where,
                            .where = out->where,
                            .position = ebm_yaml_position(&rule->reader->tree, rule->node)};
        w.as = w.of = w.over = w.against = NULL;
        status = check_shape(rule, w.op);
    }
    bool steps = (out->over && strcmp(out->over, "step") == 0) ||
                 (out->against && !keeps_rows(out->op) && strcmp(out->against, "step") == 0);
    int64_t otherwise = steps || keeps_rows(out->op) ? EBM_AT_EACH : EBM_AT_LAST;
    if (status == EBM_OK)
        status = ebm_rule_at(rule, w.at, otherwise, &out->at);
    if (status == EBM_OK && steps && out->at != EBM_AT_EACH)
        status = ebm_node_fail(rule->reader, ebm_rule_node(rule, "at"),
                               "at chooses one step where the rule runs over all: leave it out");
    ebm_options_clear(derive_options, &w);
    return status == EBM_OK ? check_names(rule, out) : status;
}

ebm_status ebm_derives_read(const ebm_rule *rule, ebm_suite *suite) {
    const ebm_yaml_node *list = ebm_yaml_get(rule->plan->root, "derive");
    if (!list)
        return EBM_OK;
    if (list->kind != EBM_YAML_LIST)
        return ebm_node_fail(rule->reader, list, "derive is %s: expected a list of rules", ebm_node_kind(list));
    suite->derives = calloc(list->count + 1, sizeof *suite->derives);
    if (!suite->derives)
        return ebm_reader_no_memory(rule->reader);
    for (const ebm_yaml_node *node = list->first; node; node = node->next) {
        ebm_rule one = *rule;
        one.node = node;
        one.what = "derive";
        one.table = derive_options;
        one.extra = "between";
        ebm_derive *derive = &suite->derives[suite->n_derives];
        ebm_status status = read_derive(&one, derive);
        suite->n_derives++;
        EBM_TRY(status);
    }
    return EBM_OK;
}

void ebm_derives_free(ebm_derive *derives, size_t count) {
    for (size_t i = 0; i < count; i++) {
        ebm_derive *d = &derives[i];
        char *texts[] = {d->as, d->of, d->over, d->against, d->between_column, d->between_a, d->between_b};
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
            free(texts[t]);
        ebm_matches_free(d->where, d->n_where);
    }
    free(derives);
}
