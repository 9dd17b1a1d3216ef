/* A case as texts: its keys in the table, the canonical text of its settings, and what is left of a part's text when
 * rows are reduced over one of the part's axes. */
#include "harness/suite_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ebm_case_keys(const ebm_suite *suite, const ebm_case *c, const char **keys, char *seed_buffer, size_t size) {
    snprintf(seed_buffer, size, "%u", (unsigned)c->seed);
    keys[EBM_COLUMN_SUITE] = suite->name;
    keys[EBM_COLUMN_CASE] = c->name;
    keys[EBM_COLUMN_MODEL] = c->parts[0];
    keys[EBM_COLUMN_DATASET] = c->parts[1];
    keys[EBM_COLUMN_SAMPLER] = c->parts[2];
    keys[EBM_COLUMN_LEARNER] = c->parts[3];
    keys[EBM_COLUMN_SEED] = seed_buffer;
    for (size_t i = 0; i < suite->n_axes; i++)
        keys[EBM_FIXED_COLUMNS + i] = c->axis_values[i];
}

/* One line for each option, with its control characters written out so that a value cannot look like another line. */
static void print_settings(FILE *out, const char *label, const ebm_component *component, const void *options) {
    fprintf(out, "%s: %s\n", label, component->name);
    for (const ebm_option *option = component->options; option->name; option++) {
        size_t size = ebm_options_text(option, options, NULL, 0) + 1;
        char *text = malloc(size);
        if (text)
            ebm_options_text(option, options, text, size);
        fprintf(out, "%s.%s: ", label, option->name);
        for (const char *c = text ? text : "(no memory)"; *c; c++)
            if ((unsigned char)*c < ' ' || *c == '\\')
                fprintf(out, "\\%03o", (unsigned char)*c);
            else
                fputc(*c, out);
        fputc('\n', out);
        free(text);
    }
}

char *ebm_case_settings(const ebm_suite *suite, const ebm_case *c) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    print_settings(out, "runner", &suite->runner->info, c->run);
    const struct {
        const char *label;
        const ebm_setting *setting;
    } parts[] = {{"dataset", &c->dataset}, {"model", &c->model}, {"sampler", &c->sampler}, {"learner", &c->learner}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].setting->component)
            print_settings(out, parts[i].label, parts[i].setting->component, parts[i].setting->options);
    for (size_t i = 0; i < c->n_measures; i++)
        print_settings(out, i < c->n_logged ? "measure" : "estimator", c->measures[i].component,
                       c->measures[i].options);
    fprintf(out, "seed: %u\n", (unsigned)c->seed);
    bool ok = !ferror(out);
    ok = fclose(out) == 0 && ok;
    if (!ok) {
        free(text);
        return NULL;
    }
    return text;
}

/* The column that holds a part's text, or 0 where it has none. */
static size_t part_column(const ebm_plan *plan, int part) {
    static const size_t columns[EBM_PARTS] = {
        EBM_COLUMN_DATASET, EBM_COLUMN_MODEL, EBM_COLUMN_SAMPLER, EBM_COLUMN_LEARNER, 0, 0};
    for (size_t i = 0; i < plan->n_axes && part == EBM_PART_ESTIMATOR; i++)
        if (strcmp(plan->axes[i], "estimator") == 0)
            return EBM_FIXED_COLUMNS + i;
    return columns[part];
}

static ebm_status add_part_name(const ebm_reader *reader, const ebm_plan *plan, int part, const ebm_family *family,
                                ebm_suite *suite) {
    ebm_part_name *grown = reallocarray(suite->part_names, suite->n_part_names + 1, sizeof *grown);
    if (!grown)
        return ebm_reader_no_memory(reader);
    suite->part_names = grown;
    ebm_part_name *name = &grown[suite->n_part_names++];
    *name = (ebm_part_name){.column = part_column(plan, part)};
    name->component = strdup(family->component->name);
    name->axes = calloc(family->n_options + 1, sizeof *name->axes);
    if (!name->component || !name->axes)
        return ebm_reader_no_memory(reader);
    for (size_t i = 0; i < family->n_options; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s.%s", ebm_part_labels[part], family->component->options[i].name);
        for (size_t axis = 0; axis < plan->n_axes && family->varying[i]; axis++)
            if (strcmp(plan->axes[axis], path) == 0)
                name->axes[name->n_axes++] = EBM_FIXED_COLUMNS + axis;
    }
    return EBM_OK;
}

ebm_status ebm_plan_part_names(const ebm_reader *reader, const ebm_plan *plan, ebm_suite *suite) {
    for (int part = 0; part < EBM_PARTS; part++)
        for (size_t f = 0; f < plan->parts[part].n_families && part != EBM_PART_RUN; f++)
            EBM_TRY(add_part_name(reader, plan, part, &plan->parts[part].families[f], suite));
    return EBM_OK;
}

void ebm_part_names_free(ebm_suite *suite) {
    for (size_t i = 0; i < suite->n_part_names; i++) {
        free(suite->part_names[i].component);
        free(suite->part_names[i].axes);
    }
    free(suite->part_names);
    suite->part_names = NULL;
    suite->n_part_names = 0;
}

/* The component that a text names: "cd" for "cd-1"; the longest name where one begins another. */
static const ebm_part_name *find_part_name(const ebm_suite *suite, size_t column, const char *text) {
    const ebm_part_name *best = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < suite->n_part_names; i++) {
        const ebm_part_name *name = &suite->part_names[i];
        size_t length = strlen(name->component);
        if (name->column == column && strncmp(text, name->component, length) == 0 &&
            (text[length] == '\0' || text[length] == '-') && length > longest) {
            best = name;
            longest = length;
        }
    }
    return best;
}

char *ebm_reduced_text(const ebm_suite *suite, const char *const *keys, size_t column, size_t axis) {
    const ebm_part_name *name = find_part_name(suite, column, keys[column]);
    if (!name)
        return strdup(keys[column]);
    size_t size = strlen(name->component) + 1 + name->n_axes * (EBM_MAX_OPTION_TEXT + 16);
    char *text = calloc(size, 1);
    if (!text)
        return NULL;
    snprintf(text, size, "%s", name->component);
    for (size_t i = 0; i < name->n_axes; i++) {
        const char *value = keys[name->axes[i]];
        if (name->axes[i] == axis || !*value)
            continue;
        size_t used = strlen(text);
        snprintf(text + used, size - used, "-");
        ebm_append_plain(text, size, value);
    }
    return text;
}
