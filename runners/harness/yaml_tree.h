/* A YAML document as a small tree that remembers where everything stood.
 *
 * The subset that suites need: one document of mappings, lists and scalars. Anchors, aliases, tags, further documents,
 * duplicate keys and keys that are not scalars are refused, and size, depth and the number of nodes are bounded, so
 * that a hostile file costs no more than an honest one. */
#ifndef EBM_YAML_TREE_H
#define EBM_YAML_TREE_H

#include "ebm/status.h"

#include <stddef.h>

enum {
    EBM_YAML_MAX_BYTES = 1 << 20,
    EBM_YAML_MAX_DEPTH = 32,
    EBM_YAML_MAX_NODES = 1 << 16,
    EBM_YAML_MAX_KEYS = 1000,  /* of one mapping */
    EBM_YAML_MAX_SCALAR = 4096 /* characters of one scalar */
};

typedef enum ebm_yaml_kind { EBM_YAML_SCALAR, EBM_YAML_LIST, EBM_YAML_MAPPING } ebm_yaml_kind;

typedef struct ebm_yaml_node ebm_yaml_node;
struct ebm_yaml_node {
    ebm_yaml_kind kind;
    unsigned line, column; /* from 1 */
    char *text;            /* a scalar's */
    char *key;             /* the key that this node is the value of, or NULL */
    unsigned key_line, key_column;
    size_t count; /* children of a list or a mapping, in the order of the file */
    ebm_yaml_node *first, *last, *next;
    ebm_yaml_node *allocated; /* the tree's own list */
};

typedef struct ebm_yaml_tree {
    char *name; /* for messages */
    ebm_yaml_node *root;
    ebm_yaml_node *nodes;
    size_t n_nodes;
} ebm_yaml_tree;

/* The root is a mapping. The caller frees, also after a failure. */
EBM_NODISCARD ebm_status ebm_yaml_parse(const char *name, const char *bytes, size_t length, ebm_yaml_tree *out,
                                        ebm_error *error);
void ebm_yaml_free(ebm_yaml_tree *tree);

/* The value of a key of a mapping, or NULL. */
ebm_yaml_node *ebm_yaml_get(const ebm_yaml_node *mapping, const char *key);
/* A new tree node that is `base` with `over` merged in: mappings merge key by key, anything else is replaced. Nodes are
 * shared between the arguments and the answer; NULL when there is no memory. */
ebm_yaml_node *ebm_yaml_merge(ebm_yaml_tree *tree, const ebm_yaml_node *base, const ebm_yaml_node *over);
ebm_position ebm_yaml_position(const ebm_yaml_tree *tree, const ebm_yaml_node *node);
ebm_position ebm_yaml_key_position(const ebm_yaml_tree *tree, const ebm_yaml_node *node);

#endif
