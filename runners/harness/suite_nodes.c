/* Errors at a place of a suite file, and values of its nodes. */
#include "harness/paths.h"
#include "harness/suite_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EBM_PRINTF(3, 0) ebm_status
    fail_va(const ebm_reader *reader, ebm_position at, const char *format, va_list arguments) {
    char message[sizeof reader->error->message];
    vsnprintf(message, sizeof message, format, arguments);
    return ebm_fail_at(reader->error, EBM_INVALID, &at, "%s", message);
}

ebm_status ebm_node_fail(const ebm_reader *reader, const ebm_yaml_node *node, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    ebm_status status = fail_va(reader, ebm_yaml_position(&reader->tree, node), format, arguments);
    va_end(arguments);
    return status;
}

ebm_status ebm_key_fail(const ebm_reader *reader, const ebm_yaml_node *node, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    ebm_status status = fail_va(reader, ebm_yaml_key_position(&reader->tree, node), format, arguments);
    va_end(arguments);
    return status;
}

ebm_status ebm_reader_no_memory(const ebm_reader *reader) {
    return ebm_fail(reader->error, EBM_NO_MEMORY, "no memory for the suite %s", reader->tree.name);
}

const char *ebm_node_kind(const ebm_yaml_node *node) {
    switch (node->kind) {
    case EBM_YAML_LIST:
        return "a list";
    case EBM_YAML_MAPPING:
        return "a mapping";
    case EBM_YAML_SCALAR:
        break;
    }
    return *node->text ? "a single value" : "nothing";
}

const char *ebm_suggestion(const char *found, const char *const *names, char *buffer, size_t size) {
    const char *nearest = ebm_nearest_name(found, names);
    size_t used = 0;
    if (nearest)
        used = (size_t)snprintf(buffer, size, ": did you mean '%s'? expected ", nearest);
    else
        used = (size_t)snprintf(buffer, size, ": expected ");
    if (!names[0])
        snprintf(buffer + used, size - used, "none");
    for (size_t i = 0; names[i] && used < size; i++)
        used += (size_t)snprintf(buffer + used, size - used, "%s%s",
                                 i == 0         ? ""
                                 : names[i + 1] ? ", "
                                                : " or ",
                                 names[i]);
    return buffer;
}

ebm_status ebm_unknown_key(const ebm_reader *reader, const ebm_yaml_node *node, const char *where,
                           const char *const *names) {
    char suggestion[400];
    return ebm_key_fail(reader, node, "unknown key '%.60s' in %s%s", node->key, where,
                        ebm_suggestion(node->key, names, suggestion, sizeof suggestion));
}

ebm_status ebm_node_scalar(const ebm_reader *reader, const ebm_yaml_node *node, const char **text) {
    const char *name = node->key ? node->key : "value";
    if (node->kind != EBM_YAML_SCALAR || !*node->text)
        return ebm_node_fail(reader, node, "%.60s is %s: expected a single value", name, ebm_node_kind(node));
    *text = node->text;
    return EBM_OK;
}

/* Relative paths start at the suite's folder; "results:..." at the folder where results go. */
static char *resolve(const ebm_reader *reader, const ebm_option *option, const char *text) {
    static const char results[] = "results:";
    const size_t length = sizeof results - 1;
    if (!(option->flags & EBM_OPTION_PATH) || text[0] == '/' || !*text)
        return strdup(text);
    const bool of_results = strncmp(text, results, length) == 0;
    char *path;
    return asprintf(&path, "%s/%s", of_results ? ebm_path_results() : reader->folder,
                    of_results ? text + length : text) < 0
               ? NULL
               : path;
}

static ebm_status set_list(const ebm_reader *reader, const ebm_yaml_node *node, const ebm_option *table,
                           const char *name, void *options) {
    const char **texts = calloc(node->count ? node->count : 1, sizeof *texts);
    if (!texts)
        return ebm_reader_no_memory(reader);
    ebm_status status = EBM_OK;
    size_t count = 0;
    for (const ebm_yaml_node *item = node->first; item && status == EBM_OK; item = item->next) {
        if (item->kind == EBM_YAML_SCALAR)
            texts[count++] = item->text;
        else
            status = ebm_node_fail(reader, item, "option '%s' holds %s: expected a list of numbers", name,
                                   ebm_node_kind(item));
    }
    if (status == EBM_OK) {
        ebm_position at = ebm_yaml_position(&reader->tree, node);
        status = ebm_options_set_list(table, options, name, count, texts, &at, reader->error);
    }
    free(texts);
    return status;
}

static ebm_status set_option(const ebm_reader *reader, const ebm_yaml_node *node, const ebm_option *table,
                             const char *name, void *options) {
    const ebm_option *option = ebm_options_find(table, name);
    if (node->kind == EBM_YAML_LIST && option && option->type == EBM_OPTION_REALS)
        return set_list(reader, node, table, name, options);
    if (node->kind != EBM_YAML_SCALAR)
        return ebm_node_fail(reader, node, "option '%s' is %s: expected a single value", name, ebm_node_kind(node));
    ebm_position at = ebm_yaml_position(&reader->tree, node);
    if (!*node->text && !(option && option->type == EBM_OPTION_STRING))
        return ebm_node_fail(reader, node, "option '%s' has no value", name);
    char *text = option ? resolve(reader, option, node->text) : strdup(node->text);
    if (!text)
        return ebm_reader_no_memory(reader);
    ebm_status status = ebm_options_set(table, options, name, text, &at, reader->error);
    free(text);
    return status;
}

ebm_status ebm_node_option(const ebm_reader *reader, const ebm_yaml_node *node, const char *where,
                           const ebm_option *table, const char *name, void *options) {
    ebm_status status = set_option(reader, node, table, name, options);
    if (status == EBM_OK || !*where)
        return status;
    char message[sizeof reader->error->message];
    snprintf(message, sizeof message, "%.60s: %.560s", where, reader->error->message);
    memcpy(reader->error->message, message, sizeof message);
    return status;
}
