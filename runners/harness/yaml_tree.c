/* YAML events to a tree, by libyaml's parser. See yaml_tree.h for the subset and its bounds. */
#include "harness/yaml_tree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct builder {
    ebm_yaml_tree *tree;
    ebm_error *error;
    ebm_yaml_node *open[EBM_YAML_MAX_DEPTH];
    size_t depth;
    unsigned documents;
    char *key; /* a key that waits for its value */
    unsigned key_line, key_column;
} builder;

static ebm_position mark_position(const builder *b, yaml_mark_t mark) {
    ebm_position position = {b->tree->name, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
    return position;
}

static ebm_yaml_node *new_node(ebm_yaml_tree *tree, ebm_yaml_kind kind) {
    ebm_yaml_node *node = calloc(1, sizeof *node);
    if (!node)
        return NULL;
    node->kind = kind;
    node->allocated = tree->nodes;
    tree->nodes = node;
    tree->n_nodes++;
    return node;
}

static void append_child(ebm_yaml_node *parent, ebm_yaml_node *child) {
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

static ebm_status no_memory(const builder *b) {
    return ebm_fail(b->error, EBM_NO_MEMORY, "no memory for the file's tree");
}

/* Where a node may stand, and below what. */
static ebm_status place(builder *b, ebm_yaml_node *node, yaml_mark_t mark) {
    node->line = (unsigned)mark.line + 1;
    node->column = (unsigned)mark.column + 1;
    node->key = b->key;
    node->key_line = b->key_line;
    node->key_column = b->key_column;
    b->key = NULL;
    if (b->depth == 0) {
        ebm_position at = mark_position(b, mark);
        if (node->kind != EBM_YAML_MAPPING)
            return ebm_fail_at(b->error, EBM_FORMAT, &at, "found a %s where a mapping of keys and values was expected",
                               node->kind == EBM_YAML_LIST ? "list" : "single value");
        b->tree->root = node;
        return EBM_OK;
    }
    append_child(b->open[b->depth - 1], node);
    return EBM_OK;
}

static ebm_status count_node(const builder *b, yaml_mark_t mark) {
    ebm_position at = mark_position(b, mark);
    if (b->tree->n_nodes >= EBM_YAML_MAX_NODES)
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "more than %d values: too large for a suite", EBM_YAML_MAX_NODES);
    return EBM_OK;
}

static bool wants_key(const builder *b) {
    return b->depth > 0 && b->open[b->depth - 1]->kind == EBM_YAML_MAPPING && !b->key;
}

static ebm_status take_key(builder *b, const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    const ebm_yaml_node *mapping = b->open[b->depth - 1];
    ebm_position at = mark_position(b, event->start_mark);
    const ebm_yaml_node *earlier = ebm_yaml_get(mapping, text);
    if (earlier)
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "duplicate key '%.60s': it already stands on line %u", text,
                           earlier->key_line);
    if (mapping->count >= EBM_YAML_MAX_KEYS)
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "more than %d keys in one mapping", EBM_YAML_MAX_KEYS);
    b->key = strdup(text);
    b->key_line = at.line;
    b->key_column = at.column;
    return b->key ? EBM_OK : no_memory(b);
}

static ebm_status take_scalar(builder *b, const yaml_event_t *event) {
    ebm_position at = mark_position(b, event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (length > EBM_YAML_MAX_SCALAR)
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "a text of %zu characters: at most %d are allowed", length,
                           EBM_YAML_MAX_SCALAR);
    if (memchr(text, '\0', length))
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "a text contains a NUL character");
    if (wants_key(b))
        return take_key(b, event);
    EBM_TRY(count_node(b, event->start_mark));
    ebm_yaml_node *node = new_node(b->tree, EBM_YAML_SCALAR);
    if (!node || !(node->text = strdup(text)))
        return no_memory(b);
    return place(b, node, event->start_mark);
}

static ebm_status open_node(builder *b, ebm_yaml_kind kind, yaml_mark_t mark) {
    ebm_position at = mark_position(b, mark);
    if (wants_key(b))
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "found a %s where a key was expected: keys are single words",
                           kind == EBM_YAML_LIST ? "list" : "mapping");
    if (b->depth == EBM_YAML_MAX_DEPTH)
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "nested deeper than %d levels", EBM_YAML_MAX_DEPTH);
    EBM_TRY(count_node(b, mark));
    ebm_yaml_node *node = new_node(b->tree, kind);
    if (!node)
        return no_memory(b);
    EBM_TRY(place(b, node, mark));
    b->open[b->depth++] = node;
    return EBM_OK;
}

static ebm_status refuse_extras(const builder *b, const yaml_event_t *event, const yaml_char_t *anchor,
                                const yaml_char_t *tag) {
    ebm_position at = mark_position(b, event->start_mark);
    if (anchor)
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "anchor '&%.60s': anchors are not allowed; write the value out",
                           (const char *)anchor);
    if (tag)
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "tag '%.60s': tags are not allowed; leave it out",
                           (const char *)tag);
    return EBM_OK;
}

static ebm_status handle_event(builder *b, const yaml_event_t *event) {
    ebm_position at = mark_position(b, event->start_mark);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->documents++)
            return ebm_fail_at(b->error, EBM_FORMAT, &at, "a second document begins: expected one to a file");
        return EBM_OK;
    case YAML_ALIAS_EVENT:
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "alias '*%.60s': aliases are not allowed; write the value out",
                           (const char *)event->data.alias.anchor);
    case YAML_SCALAR_EVENT:
        EBM_TRY(refuse_extras(b, event, event->data.scalar.anchor, event->data.scalar.tag));
        return take_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
        EBM_TRY(refuse_extras(b, event, event->data.sequence_start.anchor, event->data.sequence_start.tag));
        return open_node(b, EBM_YAML_LIST, event->start_mark);
    case YAML_MAPPING_START_EVENT:
        EBM_TRY(refuse_extras(b, event, event->data.mapping_start.anchor, event->data.mapping_start.tag));
        return open_node(b, EBM_YAML_MAPPING, event->start_mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        return EBM_OK;
    default:
        return EBM_OK;
    }
}

/* libyaml places a reader's error by byte, a scanner's or parser's by mark. */
static ebm_status parser_error(const builder *b, const yaml_parser_t *parser, const char *bytes, size_t length) {
    if (parser->error == YAML_MEMORY_ERROR)
        return no_memory(b);
    ebm_position at = mark_position(b, parser->problem_mark);
    if (parser->error == YAML_READER_ERROR) {
        size_t end = parser->problem_offset < length ? parser->problem_offset : length;
        at.line = 1;
        at.column = 1;
        for (size_t i = 0; i < end; i++) {
            at.column++;
            if (bytes[i] == '\n') {
                at.line++;
                at.column = 1;
            }
        }
    }
    const char *problem = parser->problem ? parser->problem : "unknown problem";
    if (parser->context)
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "not YAML: %s (%s, which begins on line %zu)", problem,
                           parser->context, parser->context_mark.line + 1);
    return ebm_fail_at(b->error, EBM_FORMAT, &at, "not YAML: %s", problem);
}

static ebm_status read_events(builder *b, yaml_parser_t *parser, const char *bytes, size_t length) {
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return parser_error(b, parser, bytes, length);
        ebm_status status = handle_event(b, &event);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        EBM_TRY(status);
    }
    if (!b->tree->root) {
        ebm_position at = {b->tree->name, 1, 1};
        return ebm_fail_at(b->error, EBM_FORMAT, &at, "the file is empty: expected a mapping of keys and values");
    }
    return EBM_OK;
}

ebm_status ebm_yaml_parse(const char *name, const char *bytes, size_t length, ebm_yaml_tree *out, ebm_error *error) {
    *out = (ebm_yaml_tree){0};
    builder b = {.tree = out, .error = error};
    out->name = strdup(name);
    if (!out->name)
        return no_memory(&b);
    if (length > EBM_YAML_MAX_BYTES) {
        ebm_position at = {name, 1, 1};
        return ebm_fail_at(error, EBM_FORMAT, &at, "%zu bytes: a suite has at most %d", length, EBM_YAML_MAX_BYTES);
    }
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return no_memory(&b);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, length);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    ebm_status status = read_events(&b, &parser, bytes, length);
    yaml_parser_delete(&parser);
    free(b.key);
    return status;
}

void ebm_yaml_free(ebm_yaml_tree *tree) {
    while (tree->nodes) {
        ebm_yaml_node *node = tree->nodes;
        tree->nodes = node->allocated;
        free(node->text);
        free(node->key);
        free(node);
    }
    free(tree->name);
    *tree = (ebm_yaml_tree){0};
}

ebm_yaml_node *ebm_yaml_get(const ebm_yaml_node *mapping, const char *key) {
    if (mapping->kind != EBM_YAML_MAPPING)
        return NULL;
    for (ebm_yaml_node *child = mapping->first; child; child = child->next)
        if (strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

/* A node of its own for another parent's list, with the same children. */
static ebm_yaml_node *share(ebm_yaml_tree *tree, const ebm_yaml_node *node) {
    ebm_yaml_node *copy = new_node(tree, node->kind);
    if (!copy)
        return NULL;
    ebm_yaml_node *allocated = copy->allocated;
    *copy = *node;
    copy->allocated = allocated;
    copy->next = NULL;
    copy->key = node->key ? strdup(node->key) : NULL;
    copy->text = node->text ? strdup(node->text) : NULL;
    return (node->key && !copy->key) || (node->text && !copy->text) ? NULL : copy;
}

ebm_yaml_node *ebm_yaml_merge(ebm_yaml_tree *tree, const ebm_yaml_node *base, const ebm_yaml_node *over) {
    ebm_yaml_node *merged = share(tree, over);
    if (!merged || base->kind != EBM_YAML_MAPPING || over->kind != EBM_YAML_MAPPING)
        return merged;
    merged->first = merged->last = NULL;
    merged->count = 0;
    for (const ebm_yaml_node *child = base->first; child; child = child->next) {
        const ebm_yaml_node *other = ebm_yaml_get(over, child->key);
        ebm_yaml_node *kept = other ? ebm_yaml_merge(tree, child, other) : share(tree, child);
        if (!kept)
            return NULL;
        append_child(merged, kept);
    }
    for (const ebm_yaml_node *child = over->first; child; child = child->next) {
        if (ebm_yaml_get(base, child->key))
            continue;
        ebm_yaml_node *added = share(tree, child);
        if (!added)
            return NULL;
        append_child(merged, added);
    }
    return merged;
}

ebm_position ebm_yaml_position(const ebm_yaml_tree *tree, const ebm_yaml_node *node) {
    ebm_position position = {tree->name, node->line, node->column};
    return position;
}

ebm_position ebm_yaml_key_position(const ebm_yaml_tree *tree, const ebm_yaml_node *node) {
    ebm_position position = {tree->name, node->key ? node->key_line : node->line,
                             node->key ? node->key_column : node->column};
    return position;
}
