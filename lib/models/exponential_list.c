/* Lists of exponential-family units, as they are written: "2 poisson + categorical(3) + gaussian". */
#include "models/exponential_unit.h"

#include "ebm/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COORDINATES = 1000000, KINDS = 8, TERM = 40 };

static const char *skip_blanks(const char *text) {
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* A whole number at *text, which moves behind it; `otherwise` where there is none, 0 where it is too large. */
static size_t whole_number(const char **text, size_t otherwise) {
    const char *at = *text = skip_blanks(*text);
    size_t value = 0;
    for (; isdigit((unsigned char)*at); at++)
        value = value > MOST_COORDINATES ? value : 10 * value + (size_t)(*at - '0');
    const bool found = at != *text;
    *text = skip_blanks(at);
    return !found ? otherwise : value > MOST_COORDINATES ? 0 : value;
}

static ebm_status unknown_kind(const char *name, ebm_error *error) {
    const char *names[KINDS] = {NULL};
    char all[160] = "";
    for (size_t i = 0; ebm_unit_kind_at(i); i++) {
        names[i] = ebm_unit_kind_at(i)->name;
        strcat(strcat(all, i ? ", " : ""), names[i]);
    }
    const char *nearest = ebm_nearest_name(name, names);
    if (nearest)
        return ebm_fail(error, EBM_INVALID, "units: \"%s\" is no kind of unit; did you mean %s?", name, nearest);
    return ebm_fail(error, EBM_INVALID, "units: \"%s\" is no kind of unit: there are %s", name, all);
}

static ebm_status read_kind(const char **text, const ebm_unit_kind **kind, size_t *width, ebm_error *error) {
    char name[TERM];
    size_t length = 0;
    for (; isalnum((unsigned char)**text) || **text == '-'; ++*text)
        if (length + 1 < sizeof name)
            name[length++] = **text;
    name[length] = '\0';
    size_t i = 0;
    while (ebm_unit_kind_at(i) && strcmp(ebm_unit_kind_at(i)->name, name) != 0)
        i++;
    *kind = ebm_unit_kind_at(i);
    if (!*kind)
        return unknown_kind(name, error);
    *width = 1;
    *text = skip_blanks(*text);
    if ((*kind)->sized && **text != '(')
        return ebm_fail(error, EBM_INVALID, "units: %s needs its number of values in parentheses: %s(3)", name, name);
    if (!(*kind)->sized && **text == '(')
        return ebm_fail(error, EBM_INVALID, "units: %s takes no number in parentheses", name);
    if (!(*kind)->sized)
        return EBM_OK;
    ++*text;
    *width = whole_number(text, 0);
    if (*width < 2 || **text != ')')
        return ebm_fail(error, EBM_INVALID, "units: %s needs a whole number from 2 to %d in parentheses", name,
                        (int)MOST_COORDINATES);
    *text = skip_blanks(*text + 1);
    return EBM_OK;
}

static ebm_status append(ebm_unit_list *list, const ebm_unit_kind *kind, size_t count, size_t width, ebm_error *error) {
    if (count > MOST_COORDINATES || count * width > MOST_COORDINATES - list->size)
        return ebm_fail(error, EBM_INVALID, "units: more than %d coordinates", (int)MOST_COORDINATES);
    ebm_unit *units = realloc(list->units, (list->count + count) * sizeof *units);
    if (!units)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu units", list->count + count);
    list->units = units;
    for (size_t k = 0; k < count; k++) {
        units[list->count++] = (ebm_unit){kind, list->size, width, list->variances};
        list->size += width;
        list->variances += kind->dispersed;
    }
    return EBM_OK;
}

static ebm_status parse(const char *text, ebm_unit_list *out, ebm_error *error) {
    const char *at = text;
    for (;;) {
        const ebm_unit_kind *kind;
        size_t width;
        const size_t count = whole_number(&at, 1);
        if (count == 0)
            return ebm_fail(error, EBM_INVALID, "units: a kind is to be there 1 to %d times", (int)MOST_COORDINATES);
        EBM_TRY(read_kind(&at, &kind, &width, error));
        EBM_TRY(append(out, kind, count, width, error));
        if (*at == '\0')
            return EBM_OK;
        if (*at++ != '+')
            return ebm_fail(error, EBM_INVALID, "units: \"%.20s\" where a + or the end was expected", at - 1);
    }
}

ebm_status ebm_unit_list_parse(const char *text, ebm_unit_list *out, ebm_error *error) {
    memset(out, 0, sizeof *out);
    if (!text || *skip_blanks(text) == '\0')
        return ebm_fail(error, EBM_INVALID,
                        "`units` is to say what the units are, as in \"2 poisson + categorical(3) + gaussian\"");
    const ebm_status status = parse(text, out, error);
    if (status != EBM_OK)
        ebm_unit_list_free(out);
    return status;
}

void ebm_unit_list_free(ebm_unit_list *list) {
    free(list->units);
    memset(list, 0, sizeof *list);
}
