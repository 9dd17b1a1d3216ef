/* Option tables: defaults, strict parsing with messages that can be acted on, and canonical text. The manual of a table
 * is in options_manual.c, nearest names in nearest_name.c. */
#include "ebm/options.h"

#include "core/number.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Where a value being set comes from, for messages. */
typedef struct source {
    const ebm_option *option;
    const char *text;
    const ebm_position *position;
    ebm_error *error;
} source;

static void *member(const ebm_option *option, void *options) {
    return (char *)options + option->offset;
}

static const void *member_of(const ebm_option *option, const void *options) {
    return (const char *)options + option->offset;
}

const ebm_option *ebm_options_find(const ebm_option *table, const char *name) {
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

/* Append to a bounded buffer, always terminated; what does not fit is cut. */
static void append(char *buffer, size_t size, const char *text) {
    size_t used = strlen(buffer);
    if (used + 1 < size)
        snprintf(buffer + used, size - used, "%s", text);
}

static void join(char *buffer, size_t size, const char *const *names) {
    buffer[0] = '\0';
    for (size_t i = 0; names[i]; i++) {
        append(buffer, size, i ? ", " : "");
        append(buffer, size, names[i]);
    }
}

static ebm_status unknown_option(const ebm_option *table, const char *name, const ebm_position *position,
                                 ebm_error *error) {
    const char *names[129];
    size_t count = 0;
    for (; table[count].name && count < 128; count++)
        names[count] = table[count].name;
    names[count] = NULL;
    if (count == 0)
        return ebm_fail_at(error, EBM_INVALID, position, "unknown option '%.80s': no options are taken here", name);
    const char *nearest = ebm_nearest_name(name, names);
    if (nearest)
        return ebm_fail_at(error, EBM_INVALID, position, "unknown option '%.80s': did you mean '%s'?", name, nearest);
    char all[400];
    join(all, sizeof all, names);
    return ebm_fail_at(error, EBM_INVALID, position, "unknown option '%.80s': expected one of %s", name, all);
}

static void range_text(const ebm_option *option, char *buffer, size_t size) {
    char low[32], high[32];
    ebm_number_text(option->minimum, low, sizeof low);
    ebm_number_text(option->maximum, high, sizeof high);
    bool has_low = option->minimum > -__builtin_inf(), has_high = option->maximum < __builtin_inf();
    if (has_low && has_high)
        snprintf(buffer, size, "from %s to %s", low, high);
    else if (has_low)
        snprintf(buffer, size, "of at least %s", low);
    else if (has_high)
        snprintf(buffer, size, "of at most %s", high);
    else
        buffer[0] = '\0';
}

static ebm_status number_failed(const source *from, const char *kind, const char *found) {
    char range[96];
    range_text(from->option, range, sizeof range);
    return ebm_fail_at(from->error, EBM_INVALID, from->position, "option '%s' is '%.80s': expected %s%s%s",
                       from->option->name, found, kind, *range ? " " : "", range);
}

static const char integer_kind[] = "a whole number in plain decimal digits (1000000, not 1e6 or 1.0)";

static ebm_status parse_real(const source *from, const char *text, double *value) {
    double parsed = 0;
    switch (ebm_number_real(text, &parsed)) {
    case EBM_NUMBER_SYNTAX:
        return number_failed(from, "a finite number", text);
    case EBM_NUMBER_RANGE:
        return ebm_fail_at(from->error, EBM_INVALID, from->position,
                           "option '%s' is '%.80s': outside the range of double precision", from->option->name, text);
    case EBM_NUMBER_OK:
        break;
    }
    if (parsed < from->option->minimum || parsed > from->option->maximum)
        return number_failed(from, "a number", text);
    *value = parsed;
    return EBM_OK;
}

static ebm_status set_bool(const source *from, void *where) {
    bool is_true = strcmp(from->text, "true") == 0;
    if (!is_true && strcmp(from->text, "false") != 0)
        return ebm_fail_at(from->error, EBM_INVALID, from->position, "option '%s' is '%.80s': expected true or false",
                           from->option->name, from->text);
    *(bool *)where = is_true;
    return EBM_OK;
}

static ebm_status set_int(const source *from, void *where) {
    int64_t parsed = 0;
    ebm_number_result result = ebm_number_integer(from->text, &parsed);
    if (result == EBM_NUMBER_SYNTAX)
        return number_failed(from, integer_kind, from->text);
    if (result == EBM_NUMBER_RANGE || (double)parsed < from->option->minimum || (double)parsed > from->option->maximum)
        return number_failed(from, "a whole number", from->text);
    *(int64_t *)where = parsed;
    return EBM_OK;
}

static ebm_status set_string(const source *from, void *where) {
    char *copy = strdup(from->text);
    if (!copy)
        return ebm_fail_at(from->error, EBM_NO_MEMORY, from->position, "option '%s': no memory for its text",
                           from->option->name);
    free(*(char **)where);
    *(char **)where = copy;
    return EBM_OK;
}

static ebm_status set_choice(const source *from, void *where) {
    const char *const *choices = from->option->choices;
    for (int i = 0; choices[i]; i++)
        if (strcmp(choices[i], from->text) == 0) {
            *(int *)where = i;
            return EBM_OK;
        }
    char all[300];
    join(all, sizeof all, choices);
    const char *nearest = ebm_nearest_name(from->text, choices);
    if (nearest)
        return ebm_fail_at(from->error, EBM_INVALID, from->position,
                           "option '%s' is '%.80s': did you mean '%s'? expected one of %s", from->option->name,
                           from->text, nearest, all);
    return ebm_fail_at(from->error, EBM_INVALID, from->position, "option '%s' is '%.80s': expected one of %s",
                       from->option->name, from->text, all);
}

static ebm_status set_reals(const source *from, void *where, size_t count, const char *const *texts) {
    if (count == 0)
        return ebm_fail_at(from->error, EBM_INVALID, from->position,
                           "option '%s' is an empty list: expected at least one number", from->option->name);
    double *values = calloc(count, sizeof *values);
    if (!values)
        return ebm_fail_at(from->error, EBM_NO_MEMORY, from->position, "option '%s': no memory for %zu numbers",
                           from->option->name, count);
    for (size_t i = 0; i < count; i++) {
        ebm_status status = parse_real(from, texts[i], &values[i]);
        if (status != EBM_OK) {
            free(values);
            return status;
        }
    }
    ebm_reals *list = where;
    free(list->values);
    *list = (ebm_reals){count, values};
    return EBM_OK;
}

/* "[a, b]" as ebm_options_text writes it, or a single number. */
static ebm_status set_reals_text(const source *from, void *where) {
    size_t length = strlen(from->text), count = 1;
    if (length < 2 || from->text[0] != '[' || from->text[length - 1] != ']')
        return set_reals(from, where, 1, &from->text);
    for (const char *c = from->text; *c; c++)
        count += *c == ',';
    char *copy = strndup(from->text + 1, length - 2);
    const char **texts = calloc(count, sizeof *texts);
    ebm_status status;
    if (copy && texts) {
        char *rest = copy;
        for (size_t i = 0; i < count; i++) {
            char *item = strsep(&rest, ",");
            item += strspn(item, " ");
            item[strcspn(item, " ")] = '\0';
            texts[i] = item;
        }
        status =
            count == 1 && texts[0][0] == '\0' ? set_reals(from, where, 0, NULL) : set_reals(from, where, count, texts);
    } else {
        status = ebm_fail_at(from->error, EBM_NO_MEMORY, from->position, "option '%s': no memory for its list",
                             from->option->name);
    }
    free(texts);
    free(copy);
    return status;
}

ebm_status ebm_options_set(const ebm_option *table, void *options, const char *name, const char *text,
                           const ebm_position *position, ebm_error *error) {
    if (!table || !options || !name || !text)
        return ebm_fail_at(error, EBM_INVALID, position, "setting an option needs a table, a struct, a name, a value");
    const ebm_option *option = ebm_options_find(table, name);
    if (!option)
        return unknown_option(table, name, position, error);
    source from = {option, text, position, error};
    void *where = member(option, options);
    switch (option->type) {
    case EBM_OPTION_BOOL:
        return set_bool(&from, where);
    case EBM_OPTION_INT:
        return set_int(&from, where);
    case EBM_OPTION_REAL:
        return parse_real(&from, text, where);
    case EBM_OPTION_STRING:
        return set_string(&from, where);
    case EBM_OPTION_CHOICE:
        return set_choice(&from, where);
    case EBM_OPTION_REALS:
        return set_reals_text(&from, where);
    }
    return ebm_fail_at(error, EBM_INVALID, position, "option '%s' has no known type", name);
}

ebm_status ebm_options_set_list(const ebm_option *table, void *options, const char *name, size_t count,
                                const char *const *texts, const ebm_position *position, ebm_error *error) {
    if (!table || !options || !name || (!texts && count > 0))
        return ebm_fail_at(error, EBM_INVALID, position, "setting an option needs a table, a struct, a name, a value");
    const ebm_option *option = ebm_options_find(table, name);
    if (!option)
        return unknown_option(table, name, position, error);
    if (option->type != EBM_OPTION_REALS)
        return ebm_fail_at(error, EBM_INVALID, position, "option '%s' is a list: expected one value", name);
    source from = {option, "", position, error};
    return set_reals(&from, member(option, options), count, texts);
}

ebm_status ebm_options_default(const ebm_option *table, void *options, size_t size, ebm_error *error) {
    if (!table || !options)
        return ebm_fail(error, EBM_INVALID, "the defaults of options need a table and a struct");
    memset(options, 0, size);
    for (const ebm_option *option = table; option->name; option++) {
        if (!option->default_text)
            continue;
        ebm_status status = ebm_options_set(table, options, option->name, option->default_text, NULL, error);
        if (status != EBM_OK) {
            ebm_options_clear(table, options);
            return status;
        }
    }
    return EBM_OK;
}

void ebm_options_clear(const ebm_option *table, void *options) {
    if (!table || !options)
        return;
    for (const ebm_option *option = table; option->name; option++) {
        void *where = member(option, options);
        if (option->type == EBM_OPTION_STRING) {
            free(*(char **)where);
            *(char **)where = NULL;
        } else if (option->type == EBM_OPTION_REALS) {
            free(((ebm_reals *)where)->values);
            *(ebm_reals *)where = (ebm_reals){0, NULL};
        }
    }
}

static size_t reals_text(const ebm_reals *list, char *buffer, size_t size) {
    if (list->count == 0)
        return (size_t)snprintf(buffer, size, "%s", "");
    size_t used = 0;
    for (size_t i = 0; i < list->count; i++) {
        char number[40];
        ebm_number_text(list->values[i], number, sizeof number);
        used += (size_t)snprintf(used < size ? buffer + used : NULL, used < size ? size - used : 0, "%s%s%s",
                                 i ? ", " : "[", number, i + 1 == list->count ? "]" : "");
    }
    return used;
}

size_t ebm_options_text(const ebm_option *option, const void *options, char *buffer, size_t size) {
    const void *where = member_of(option, options);
    const char *text = "";
    switch (option->type) {
    case EBM_OPTION_BOOL:
        text = *(const bool *)where ? "true" : "false";
        break;
    case EBM_OPTION_INT:
        return (size_t)snprintf(buffer, size, "%lld", (long long)*(const int64_t *)where);
    case EBM_OPTION_REAL:
        return ebm_number_text(*(const double *)where, buffer, size);
    case EBM_OPTION_STRING:
        text = *(char *const *)where ? *(char *const *)where : "";
        break;
    case EBM_OPTION_CHOICE:
        text = option->choices[*(const int *)where];
        break;
    case EBM_OPTION_REALS:
        return reals_text(where, buffer, size);
    }
    return (size_t)snprintf(buffer, size, "%s", text);
}
