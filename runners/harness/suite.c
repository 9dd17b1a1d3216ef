/* Reading a suite file. Both sizes are read and checked whichever is asked for: a slip under `quick:` is found by a
 * full run, too. Then the asked size becomes cases and rules. */
#include "harness/suite_reader.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const suite_keys[] = {"suite",   "about",  "source", "runner",  "grid",  "run",
                                         "measure", "derive", "checks", "timeout", "quick", NULL};
static const char *const quick_keys[] = {"grid", "run", "measure", "derive", "checks", "timeout", NULL};

static ebm_status check_keys(const ebm_reader *reader, const ebm_yaml_node *mapping, const char *where,
                             const char *const *keys) {
    for (const ebm_yaml_node *child = mapping->first; child; child = child->next) {
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], child->key) != 0)
            i++;
        if (!keys[i])
            return ebm_unknown_key(reader, child, where, keys);
    }
    return EBM_OK;
}

static ebm_status read_text(const ebm_reader *reader, const char *key, bool required, char **out) {
    const ebm_yaml_node *node = ebm_yaml_get(reader->tree.root, key);
    const char *text = "";
    if (!node && required)
        return ebm_node_fail(reader, reader->tree.root, "the required key '%s' is missing", key);
    if (node)
        EBM_TRY(ebm_node_scalar(reader, node, &text));
    *out = strdup(text);
    return *out ? EBM_OK : ebm_reader_no_memory(reader);
}

static ebm_status read_heading(const ebm_reader *reader, ebm_suite *out) {
    EBM_TRY(check_keys(reader, reader->tree.root, "the suite", suite_keys));
    EBM_TRY(read_text(reader, "suite", true, &out->name));
    EBM_TRY(read_text(reader, "about", false, &out->about));
    EBM_TRY(read_text(reader, "source", false, &out->source));
    bool plain = out->name[0] != '-' && strlen(out->name) <= 100;
    for (const char *c = out->name; *c; c++)
        plain = plain && (islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-');
    if (!plain)
        return ebm_node_fail(reader, ebm_yaml_get(reader->tree.root, "suite"),
                             "suite is '%.110s': expected at most 100 of a-z, 0-9 and -, not beginning with -",
                             out->name);
    const ebm_yaml_node *node = ebm_yaml_get(reader->tree.root, "runner");
    const char *name;
    if (!node)
        return ebm_node_fail(reader, reader->tree.root, "the required key 'runner' is missing");
    EBM_TRY(ebm_node_scalar(reader, node, &name));
    out->runner = ebm_runner_find(name);
    if (out->runner)
        return EBM_OK;
    const char *names[65] = {NULL};
    for (size_t i = 0; i < 64 && ebm_runner_types[i]; i++)
        names[i] = ebm_runner_types[i]->info.name;
    char suggestion[400];
    return ebm_node_fail(reader, node, "unknown runner '%.60s'%s", name,
                         ebm_suggestion(name, names, suggestion, sizeof suggestion));
}

static ebm_status read_timeout(const ebm_reader *reader, ebm_plan *plan) {
    static const ebm_option table[] = {{"timeout", EBM_OPTION_REAL, 0, "0", 0, 1e9, NULL, 0, "seconds a case"},
                                       {NULL, EBM_OPTION_BOOL, 0, NULL, 0, 0, NULL, 0, NULL}};
    const ebm_yaml_node *node = ebm_yaml_get(plan->root, "timeout");
    plan->timeout = 0;
    return node ? ebm_node_option(reader, node, "", table, "timeout", &plan->timeout) : EBM_OK;
}

/* One plan a size; they are the same where there is no `quick:`. */
static ebm_status read_plans(ebm_reader *reader, const ebm_runner_type *runner, ebm_plan plans[2]) {
    ebm_yaml_node *root = reader->tree.root;
    const ebm_yaml_node *quick = ebm_yaml_get(root, "quick");
    for (int size = 0; size < 2; size++)
        plans[size] = (ebm_plan){.size = (ebm_size)size, .root = root, .runner = runner};
    if (quick) {
        if (quick->kind != EBM_YAML_MAPPING)
            return ebm_node_fail(reader, quick, "quick is %s: expected a mapping that is merged over the rest",
                                 ebm_node_kind(quick));
        EBM_TRY(check_keys(reader, quick, "quick", quick_keys));
        ebm_yaml_node *merged = ebm_yaml_merge(&reader->tree, root, quick);
        if (!merged)
            return ebm_reader_no_memory(reader);
        merged->line = root->line;
        merged->column = root->column;
        plans[EBM_SIZE_QUICK].root = merged;
    }
    for (int size = EBM_SIZE_FULL; size >= EBM_SIZE_QUICK; size--) {
        EBM_TRY(read_timeout(reader, &plans[size]));
        EBM_TRY(ebm_plan_read(reader, &plans[size]));
    }
    return EBM_OK;
}

/* The other size's rules are read for their errors alone. */
static ebm_status read_other_rules(const ebm_reader *reader, const ebm_plan *plan, const ebm_plan *const plans[2]) {
    ebm_suite other = {0};
    ebm_status status = ebm_rules_read(reader, plan, plans, &other);
    ebm_derives_free(other.derives, other.n_derives);
    ebm_checks_free(other.checks, other.n_checks);
    return status;
}

static ebm_status fill_suite(const ebm_reader *reader, ebm_plan plans[2], ebm_suite *out) {
    ebm_plan *plan = &plans[out->size];
    const ebm_plan *both[2] = {&plans[0], &plans[1]};
    for (int size = EBM_SIZE_FULL; size >= EBM_SIZE_QUICK; size--)
        EBM_TRY((ebm_size)size == out->size ? ebm_rules_read(reader, plan, both, out)
                                            : read_other_rules(reader, &plans[size], both));
    for (size_t i = 0; i < out->n_derives; i++)
        out->derives[i].position.file = out->path;
    for (size_t i = 0; i < out->n_checks; i++)
        out->checks[i].position.file = out->path;
    out->timeout = plan->timeout;
    EBM_TRY(ebm_plan_cases(reader, plan, out));
    EBM_TRY(ebm_plan_part_names(reader, plan, out));
    out->n_axes = plan->n_axes;
    out->axes = plan->axes;
    plan->n_axes = 0;
    plan->axes = NULL;
    return EBM_OK;
}

/* The folder of the file as an absolute path, so that a case's settings do not depend on where `ebm` was called. */
static char *absolute_folder(const char *path) {
    char *copy = strdup(path);
    if (!copy)
        return NULL;
    const char *folder = dirname(copy);
    char *absolute = realpath(folder, NULL);
    if (!absolute)
        absolute = strdup(folder);
    free(copy);
    return absolute;
}

static ebm_status read_suite(ebm_reader *reader, const char *bytes, size_t length, ebm_suite *out) {
    EBM_TRY(ebm_yaml_parse(out->path, bytes, length, &reader->tree, reader->error));
    EBM_TRY(read_heading(reader, out));
    ebm_plan plans[2] = {{0}, {0}};
    ebm_status status = read_plans(reader, out->runner, plans);
    if (status == EBM_OK)
        status = fill_suite(reader, plans, out);
    ebm_plan_free(&plans[0]);
    ebm_plan_free(&plans[1]);
    return status;
}

ebm_status ebm_suite_parse(const char *name, const char *bytes, size_t length, ebm_size size, ebm_suite *out,
                           ebm_error *error) {
    ebm_error own;
    ebm_reader reader = {.error = error ? error : &own, .folder = absolute_folder(name)};
    *out = (ebm_suite){.path = strdup(name), .size = size, .hash = 14695981039346656037u};
    for (size_t i = 0; i < length; i++)
        out->hash = (out->hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    ebm_status status =
        out->path && reader.folder ? read_suite(&reader, bytes, length, out) : ebm_reader_no_memory(&reader);
    if (status != EBM_OK) {
        /* One line, whatever the file's texts hold. */
        for (char *c = reader.error->message; *c; c++)
            if ((unsigned char)*c < ' ' || *c == 127)
                *c = ' ';
        ebm_suite_free(out);
    }
    ebm_yaml_free(&reader.tree);
    free(reader.folder);
    return status;
}

ebm_status ebm_suite_read(const char *path, ebm_size size, ebm_suite *out, ebm_error *error) {
    *out = (ebm_suite){0};
    FILE *in = fopen(path, "rb");
    if (!in)
        return ebm_fail(error, EBM_IO, "cannot read the suite %s: %s", path, strerror(errno));
    char *bytes = malloc(EBM_YAML_MAX_BYTES + 1);
    errno = 0;
    size_t length = bytes ? fread(bytes, 1, EBM_YAML_MAX_BYTES + 1, in) : 0;
    int reason = errno;
    ebm_status status;
    if (!bytes)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for the suite %s", path);
    else if (ferror(in))
        status = ebm_fail(error, EBM_IO, "cannot read the suite %s: %s", path, strerror(reason));
    else
        status = ebm_suite_parse(path, bytes, length, size, out, error);
    fclose(in);
    free(bytes);
    return status;
}

void ebm_suite_free(ebm_suite *suite) {
    if (suite->cases)
        ebm_cases_free(suite);
    ebm_part_names_free(suite);
    ebm_derives_free(suite->derives, suite->n_derives);
    ebm_checks_free(suite->checks, suite->n_checks);
    for (size_t i = 0; i < suite->n_axes; i++)
        free(suite->axes[i]);
    free(suite->axes);
    free(suite->path);
    free(suite->name);
    free(suite->about);
    free(suite->source);
    *suite = (ebm_suite){0};
}
