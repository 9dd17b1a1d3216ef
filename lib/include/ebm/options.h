/* Option tables: a component declares its options once, as data; the table parses, validates, documents and records
 * them.
 *
 * An options struct is plain memory: each option lives at `offset` in it. Strings and lists inside are owned by the
 * struct and released by ebm_options_clear. Tables end with an entry whose name is NULL. */
#ifndef EBM_OPTIONS_H
#define EBM_OPTIONS_H

#include "ebm/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum ebm_option_type {
    EBM_OPTION_BOOL,   /* bool */
    EBM_OPTION_INT,    /* int64_t */
    EBM_OPTION_REAL,   /* double */
    EBM_OPTION_STRING, /* char *, NULL when absent */
    EBM_OPTION_CHOICE, /* int, an index into `choices` */
    EBM_OPTION_REALS   /* ebm_reals: a list of numbers; a list here is one value, not an axis of the grid */
} ebm_option_type;

typedef struct ebm_reals {
    size_t count;
    double *values;
} ebm_reals;

enum {
    EBM_OPTION_REQUIRED = 1, /* no default */
    EBM_OPTION_PATH = 2      /* a file or folder: relative to the suite's folder, or "results:" and where it lies in the
                                folder of results: results:SUITE/CASE, the case with - for / */
};

typedef struct ebm_option {
    const char *name;
    ebm_option_type type;
    size_t offset;
    const char
        *default_text;       /* as it would be written in a suite: "0.1", "normal", "true"; NULL = absent or required */
    double minimum, maximum; /* inclusive, for INT, REAL and each of REALS; -INFINITY and INFINITY for none */
    const char *const *choices; /* NULL-terminated, for CHOICE */
    unsigned flags;
    const char *help; /* one line: meaning and unit */
} ebm_option;

/* Where an option lives in its struct, and the end of a table. */
#define EBM_OFFSET(type, member) offsetof(type, member)
#define EBM_OPTIONS_END                                                                                                \
    { NULL, EBM_OPTION_BOOL, 0, NULL, 0, 0, NULL, 0, NULL }

/* Set every option to its default; `options` points to table's struct (zeroed by this call, `size` bytes). */
EBM_NODISCARD ebm_status ebm_options_default(const ebm_option *table, void *options, size_t size, ebm_error *error);
/* Set one option from its written scalar form. Errors name the key, what was found, what was expected (type, range or
 * choices), and the nearest valid name for an unknown key. `position` may be NULL. */
EBM_NODISCARD ebm_status ebm_options_set(const ebm_option *table, void *options, const char *name, const char *text,
                                         const ebm_position *position, ebm_error *error);
/* The same for a REALS option given as a list of scalars. */
EBM_NODISCARD ebm_status ebm_options_set_list(const ebm_option *table, void *options, const char *name, size_t count,
                                              const char *const *texts, const ebm_position *position, ebm_error *error);
/* Frees what the struct owns and zeroes nothing else. Safe on a zeroed struct. */
void ebm_options_clear(const ebm_option *table, void *options);
const ebm_option *ebm_options_find(const ebm_option *table, const char *name);
/* The value as it would be written in a suite (reals by %.17g shortest round trip; lists as [a, b]); "" when absent.
 * Returns the number of characters needed, as snprintf does. */
size_t ebm_options_text(const ebm_option *option, const void *options, char *buffer, size_t size);
/* A manual of the table: name, type, default, range or choices, meaning; aligned columns, wrapped to `width`. */
void ebm_options_manual(const ebm_option *table, FILE *out, int width);
/* The candidate with the smallest edit distance to `name` (Damerau-Levenshtein), or NULL if none is near enough to be
 * a likely slip. `candidates` is NULL-terminated. */
const char *ebm_nearest_name(const char *name, const char *const *candidates);

#endif
