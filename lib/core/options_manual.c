/* The manual of an option table: one row an option in five columns, each cell wrapped at its column's width. */
#include "ebm/options.h"

#include "core/number.h"

#include <string.h>

enum { COLUMNS = 5, CELL = 1024, GAP = 2, NARROWEST_HELP = 24 };

/* Widest that each column grows before its cells are wrapped; the last takes what is left. */
static const size_t widest[COLUMNS] = {24, 8, 14, 22, CELL};

static const char *type_name(const ebm_option *option) {
    switch (option->type) {
    case EBM_OPTION_BOOL:
        return "boolean";
    case EBM_OPTION_INT:
        return "integer";
    case EBM_OPTION_REAL:
        return "real";
    case EBM_OPTION_STRING:
        return option->flags & EBM_OPTION_PATH ? "path" : "string";
    case EBM_OPTION_CHOICE:
        return "choice";
    case EBM_OPTION_REALS:
        return "reals";
    }
    return "";
}

static void put(char *cell, const char *text) {
    size_t used = strlen(cell);
    snprintf(cell + used, CELL - used, "%s", text);
}

static void values_text(const ebm_option *option, char *cell) {
    char low[40], high[40];
    bool has_low = option->minimum > -__builtin_inf(), has_high = option->maximum < __builtin_inf();
    switch (option->type) {
    case EBM_OPTION_BOOL:
        put(cell, "true, false");
        return;
    case EBM_OPTION_STRING:
        return;
    case EBM_OPTION_CHOICE:
        for (size_t i = 0; option->choices[i]; i++) {
            put(cell, i ? ", " : "");
            put(cell, option->choices[i]);
        }
        return;
    case EBM_OPTION_INT:
    case EBM_OPTION_REAL:
    case EBM_OPTION_REALS:
        ebm_number_text(option->minimum, low, sizeof low);
        ebm_number_text(option->maximum, high, sizeof high);
        if (has_low && has_high)
            snprintf(cell, CELL, "%s to %s", low, high);
        else if (has_low || has_high)
            snprintf(cell, CELL, "%s %s", has_low ? "at least" : "at most", has_low ? low : high);
        return;
    }
}

static void cells_of(const ebm_option *option, char cells[COLUMNS][CELL]) {
    for (int c = 0; c < COLUMNS; c++)
        cells[c][0] = '\0';
    put(cells[0], option->name);
    put(cells[1], type_name(option));
    put(cells[2], option->flags & EBM_OPTION_REQUIRED ? "(required)"
                  : option->default_text              ? option->default_text
                                                      : "(none)");
    values_text(option, cells[3]);
    put(cells[4], option->help ? option->help : "");
}

/* How many characters of `text` go on a line of `width`: up to the last blank that fits, or all of a long word. */
static size_t line_length(const char *text, size_t width) {
    size_t length = strlen(text), cut = 0;
    if (length <= width)
        return length;
    for (size_t i = 0; i <= width; i++)
        if (text[i] == ' ')
            cut = i;
    return cut ? cut : width;
}

/* Prints cells [first, last) side by side, `indent` blanks before the first. */
static void print_row(FILE *out, int first, int last, const char *cells[COLUMNS], const size_t *widths, int indent) {
    bool more = true;
    while (more) {
        more = false;
        size_t owed = (size_t)indent; /* blanks printed only when something follows them */
        bool any = false;
        for (int c = first; c < last; c++) {
            size_t length = line_length(cells[c], widths[c]);
            if (length > 0) {
                fprintf(out, "%*s%.*s", (int)owed, "", (int)length, cells[c]);
                owed = 0;
                any = true;
            }
            owed += widths[c] - length + GAP;
            cells[c] += length;
            cells[c] += strspn(cells[c], " ");
            more = more || *cells[c];
        }
        if (any)
            fputc('\n', out);
    }
}

void ebm_options_manual(const ebm_option *table, FILE *out, int width) {
    static const char *const titles[COLUMNS] = {"option", "type", "default", "values", "meaning"};
    char cells[COLUMNS][CELL];
    size_t widths[COLUMNS];
    if (!table->name) {
        fputs("  (no options)\n", out);
        return;
    }
    for (int c = 0; c < COLUMNS; c++)
        widths[c] = strlen(titles[c]);
    for (const ebm_option *option = table; option->name; option++) {
        cells_of(option, cells);
        for (int c = 0; c < COLUMNS - 1; c++) {
            size_t length = strlen(cells[c]);
            if (length > widths[c])
                widths[c] = length < widest[c] ? length : widest[c];
        }
    }
    size_t used = GAP, total = width > 0 ? (size_t)width : 100;
    for (int c = 0; c < COLUMNS - 1; c++)
        used += widths[c] + GAP;
    bool beside = used + NARROWEST_HELP <= total; /* else the meaning stands below, indented */
    size_t below = total > 3 * GAP + NARROWEST_HELP ? total - 3 * GAP : NARROWEST_HELP;
    widths[COLUMNS - 1] = beside ? total - used : below;
    for (const ebm_option *option = NULL;; option = option ? option + 1 : table) {
        const char *row[COLUMNS];
        if (option && !option->name)
            break;
        if (option)
            cells_of(option, cells);
        for (int c = 0; c < COLUMNS; c++)
            row[c] = option ? cells[c] : titles[c];
        print_row(out, 0, beside ? COLUMNS : COLUMNS - 1, row, widths, GAP);
        if (!beside && option)
            print_row(out, COLUMNS - 1, COLUMNS, row, widths, 3 * GAP);
    }
}
