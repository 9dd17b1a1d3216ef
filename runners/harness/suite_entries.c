/* Entries of the grid and their variants: an option written as a list makes one variant for each of its values.
 *
 * A variant's text is its component's name and the text of each option that tells variants of that component apart
 * (those that differ, and those that are written as a list, so that names do not change with a list's length). */
#include "harness/suite_reader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_AXIS_VALUES = 10000 };

size_t ebm_option_count(const ebm_option *table) {
    size_t count = 0;
    while (table[count].name)
        count++;
    return count;
}

static size_t multiply(size_t a, size_t b) {
    size_t product;
    return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

/* Whether a value is an axis: a list where one value is expected, or a list of lists for an option that is a list. */
static bool is_axis(const ebm_option *option, const ebm_yaml_node *value) {
    if (value->kind != EBM_YAML_LIST)
        return false;
    return option->type != EBM_OPTION_REALS || (value->first && value->first->kind == EBM_YAML_LIST);
}

static ebm_family *family_of(ebm_entries *entries, const ebm_component *component) {
    for (size_t i = 0; i < entries->n_families; i++)
        if (entries->families[i].component == component)
            return &entries->families[i];
    ebm_family *family = &entries->families[entries->n_families];
    family->component = component;
    family->n_options = ebm_option_count(component->options);
    family->varying = calloc(family->n_options + 1, sizeof *family->varying);
    if (!family->varying)
        return NULL;
    entries->n_families++;
    return family;
}

static ebm_status option_names(const ebm_reader *reader, const ebm_option *table, const char ***out) {
    size_t count = ebm_option_count(table);
    *out = calloc(count + 1, sizeof **out);
    if (!*out)
        return ebm_reader_no_memory(reader);
    for (size_t i = 0; i < count; i++)
        (*out)[i] = table[i].name;
    return EBM_OK;
}

static ebm_status read_value(const ebm_reader *reader, const ebm_component *component, const ebm_yaml_node *value,
                             ebm_entry *entry, ebm_family *family) {
    const ebm_option *option = ebm_options_find(component->options, value->key);
    if (!option) {
        const char **names;
        char where[80];
        EBM_TRY(option_names(reader, component->options, &names));
        snprintf(where, sizeof where, "%s", component->name);
        ebm_status status = ebm_unknown_key(reader, value, where, names);
        free(names);
        return status;
    }
    size_t i = (size_t)(option - component->options);
    entry->values[i] = value;
    if (value->kind == EBM_YAML_LIST && value->count == 0)
        return ebm_node_fail(reader, value, "%s: option '%s' is an empty list: expected at least one value",
                             component->name, option->name);
    if (is_axis(option, value)) {
        if (value->count > MAX_AXIS_VALUES)
            return ebm_node_fail(reader, value, "%s: option '%s' has %zu values: at most %d", component->name,
                                 option->name, value->count, MAX_AXIS_VALUES);
        family->varying[i] = true;
        entry->count = multiply(entry->count, value->count);
    }
    return EBM_OK;
}

/* `node` is a mapping of options (with or without `name`) or a bare name; `component` is known. */
static ebm_status read_options(const ebm_reader *reader, const ebm_component *component, const ebm_yaml_node *node,
                               bool has_name, ebm_entries *out) {
    ebm_entry *entry = &out->entries[out->n_entries++];
    size_t n_options = ebm_option_count(component->options);
    *entry = (ebm_entry){.component = component, .node = node, .count = 1};
    entry->values = calloc(n_options + 1, sizeof *entry->values);
    ebm_family *family = family_of(out, component);
    if (!entry->values || !family)
        return ebm_reader_no_memory(reader);
    const ebm_yaml_node *value = node && node->kind == EBM_YAML_MAPPING ? node->first : NULL;
    for (; value; value = value->next)
        if (!has_name || strcmp(value->key, "name") != 0)
            EBM_TRY(read_value(reader, component, value, entry, family));
    for (size_t i = 0; i < n_options; i++)
        if ((component->options[i].flags & EBM_OPTION_REQUIRED) && !entry->values[i])
            return ebm_node_fail(reader, node ? node : reader->tree.root,
                                 "%s: the required option '%s' is missing (%s)", component->name,
                                 component->options[i].name, component->options[i].help);
    out->total = out->total > SIZE_MAX - entry->count ? SIZE_MAX : out->total + entry->count;
    return EBM_OK;
}

static ebm_status read_entry(const ebm_reader *reader, ebm_kind kind, const ebm_yaml_node *node, ebm_entries *out) {
    const ebm_yaml_node *name = node;
    if (node->kind == EBM_YAML_MAPPING) {
        name = ebm_yaml_get(node, "name");
        if (!name)
            return ebm_node_fail(reader, node, "this %s has no 'name': expected {name: ..., options}", out->label);
    }
    if (name->kind != EBM_YAML_SCALAR || !*name->text)
        return ebm_node_fail(reader, name, "found %s where the name of a %s was expected", ebm_node_kind(name),
                             out->label);
    const ebm_component *component = ebm_component_find(kind, name->text);
    if (!component) {
        const char *names[EBM_YAML_MAX_KEYS + 1] = {NULL};
        char suggestion[400];
        for (size_t i = 0; i < EBM_YAML_MAX_KEYS && ebm_component_at(kind, i); i++)
            names[i] = ebm_component_at(kind, i)->name;
        ebm_suggestion(name->text, names, suggestion, sizeof suggestion);
        return ebm_node_fail(reader, name, "unknown %s '%.60s'%s", out->label, name->text, suggestion);
    }
    return read_options(reader, component, node, true, out);
}

static ebm_status reserve(const ebm_reader *reader, ebm_entries *out, size_t count) {
    out->entries = calloc(count, sizeof *out->entries);
    out->families = calloc(count, sizeof *out->families);
    return out->entries && out->families ? EBM_OK : ebm_reader_no_memory(reader);
}

ebm_status ebm_entries_read(const ebm_reader *reader, ebm_kind kind, const char *label, const ebm_yaml_node *node,
                            ebm_entries *out) {
    out->label = label;
    if (node->kind != EBM_YAML_LIST) {
        EBM_TRY(reserve(reader, out, 1));
        return read_entry(reader, kind, node, out);
    }
    if (node->count == 0)
        return ebm_node_fail(reader, node, "%s is an empty list: expected at least one entry", node->key);
    EBM_TRY(reserve(reader, out, node->count));
    for (const ebm_yaml_node *item = node->first; item; item = item->next)
        EBM_TRY(read_entry(reader, kind, item, out));
    return EBM_OK;
}

ebm_status ebm_entries_read_run(const ebm_reader *reader, const ebm_component *runner, const ebm_yaml_node *node,
                                ebm_entries *out) {
    out->label = "run";
    if (node && node->kind != EBM_YAML_MAPPING)
        return ebm_node_fail(reader, node, "run is %s: expected a mapping of the runner's options",
                             ebm_node_kind(node));
    EBM_TRY(reserve(reader, out, 1));
    return read_options(reader, runner, node, false, out);
}

/* The k-th combination of an entry's lists; the last option of the table runs fastest. */
static void choose(ebm_variant *variant, size_t k) {
    const ebm_entry *entry = variant->entry;
    for (size_t i = variant->family->n_options; i-- > 0;) {
        const ebm_yaml_node *value = entry->values[i];
        if (value && is_axis(&entry->component->options[i], value)) {
            const ebm_yaml_node *item = value->first;
            for (size_t skip = k % value->count; skip > 0; skip--)
                item = item->next;
            k /= value->count;
            value = item;
        }
        variant->chosen[i] = value;
    }
}

static ebm_status set_variant(const ebm_reader *reader, const char *label, ebm_variant *variant) {
    const ebm_component *component = variant->entry->component;
    char where[80];
    bool is_run = strcmp(label, "run") == 0;
    snprintf(where, sizeof where, "%s%s%s", label, is_run ? "" : " ", is_run ? "" : component->name);
    variant->options = calloc(1, component->options_size ? component->options_size : 1);
    if (!variant->options)
        return ebm_reader_no_memory(reader);
    EBM_TRY(ebm_options_default(component->options, variant->options, component->options_size, reader->error));
    for (size_t i = 0; i < variant->family->n_options; i++)
        if (variant->chosen[i])
            EBM_TRY(ebm_node_option(reader, variant->chosen[i], where, component->options, component->options[i].name,
                                    variant->options));
    return EBM_OK;
}

/* Options that differ between entries of one component tell its variants apart, too. */
static ebm_status find_varying(const ebm_reader *reader, ebm_entries *entries, ebm_family *family) {
    const ebm_variant *first = NULL;
    for (size_t v = 0; v < entries->n_variants; v++) {
        const ebm_variant *variant = &entries->variants[v];
        if (variant->family != family)
            continue;
        if (!first)
            first = variant;
        for (size_t i = 0; i < family->n_options && variant != first; i++) {
            if (family->varying[i] || variant->chosen[i] == first->chosen[i])
                continue;
            char *a = ebm_variant_option_text(first, i), *b = ebm_variant_option_text(variant, i);
            if (a && b)
                family->varying[i] = strcmp(a, b) != 0;
            bool ok = a && b;
            free(a);
            free(b);
            if (!ok)
                return ebm_reader_no_memory(reader);
        }
    }
    return EBM_OK;
}

static int by_text(const void *a, const void *b) {
    const ebm_variant *const *left = a, *const *right = b;
    int order = strcmp((*left)->text, (*right)->text);
    return order ? order : (*left > *right) - (*left < *right);
}

static ebm_status refuse_equal(const ebm_reader *reader, const ebm_entries *entries) {
    const ebm_variant **sorted = calloc(entries->n_variants, sizeof *sorted);
    if (!sorted)
        return ebm_reader_no_memory(reader);
    for (size_t i = 0; i < entries->n_variants; i++)
        sorted[i] = &entries->variants[i];
    qsort(sorted, entries->n_variants, sizeof *sorted, by_text);
    ebm_status status = EBM_OK;
    for (size_t i = 1; i < entries->n_variants && status == EBM_OK; i++)
        if (strcmp(sorted[i - 1]->text, sorted[i]->text) == 0)
            status = ebm_node_fail(reader, sorted[i]->entry->node,
                                   "the %s '%.80s' stands twice: expected different names or options", entries->label,
                                   sorted[i]->text);
    free(sorted);
    return status;
}

ebm_status ebm_entries_expand(const ebm_reader *reader, ebm_entries *entries) {
    entries->variants = calloc(entries->total, sizeof *entries->variants);
    if (!entries->variants)
        return ebm_reader_no_memory(reader);
    for (size_t e = 0; e < entries->n_entries; e++)
        for (size_t k = 0; k < entries->entries[e].count; k++) {
            ebm_variant *variant = &entries->variants[entries->n_variants++];
            variant->entry = &entries->entries[e];
            variant->family = family_of(entries, variant->entry->component);
            variant->chosen = calloc(variant->family->n_options + 1, sizeof *variant->chosen);
            if (!variant->chosen)
                return ebm_reader_no_memory(reader);
            choose(variant, k);
            EBM_TRY(set_variant(reader, entries->label, variant));
        }
    for (size_t i = 0; i < entries->n_families; i++)
        EBM_TRY(find_varying(reader, entries, &entries->families[i]));
    bool is_run = strcmp(entries->label, "run") == 0;
    for (size_t v = 0; v < entries->n_variants; v++)
        if (!(entries->variants[v].text = ebm_variant_text(&entries->variants[v], is_run, NULL)))
            return ebm_reader_no_memory(reader);
    return refuse_equal(reader, entries);
}

void ebm_entries_free(ebm_entries *entries) {
    for (size_t v = 0; v < entries->n_variants; v++) {
        ebm_variant *variant = &entries->variants[v];
        if (variant->options)
            ebm_options_clear(variant->entry->component->options, variant->options);
        free(variant->options);
        free(variant->chosen);
        free(variant->text);
    }
    for (size_t e = 0; e < entries->n_entries; e++)
        free(entries->entries[e].values);
    for (size_t i = 0; i < entries->n_families; i++)
        free(entries->families[i].varying);
    free(entries->variants);
    free(entries->entries);
    free(entries->families);
    *entries = (ebm_entries){0};
}

char *ebm_variant_option_text(const ebm_variant *variant, size_t i) {
    const ebm_option *option = &variant->entry->component->options[i];
    const ebm_yaml_node *chosen = variant->chosen[i];
    if ((option->flags & EBM_OPTION_PATH) && chosen && chosen->kind == EBM_YAML_SCALAR)
        return strdup(chosen->text);
    size_t size = ebm_options_text(option, variant->options, NULL, 0) + 1;
    char *text = malloc(size);
    if (text)
        ebm_options_text(option, variant->options, text, size);
    return text;
}

/* For names of cases, which are also names of folders: letters, digits and . _ + - only, and not too long. */
void ebm_append_plain(char *name, size_t size, const char *text) {
    size_t used = strlen(name), start = used;
    uint64_t hash = 14695981039346656037u;
    for (const char *c = text; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
        if (*c == '[' || *c == ']' || *c == ' ' || used + 1 >= size || used - start > EBM_MAX_OPTION_TEXT)
            continue;
        name[used++] = *c == ',' ? '+' : isalnum((unsigned char)*c) || strchr("._+-", *c) ? *c : '_';
    }
    name[used] = '\0';
    if (used - start > EBM_MAX_OPTION_TEXT)
        snprintf(name + start + EBM_MAX_OPTION_TEXT - 9, size - start - EBM_MAX_OPTION_TEXT + 9, "~%08x",
                 (unsigned)hash);
}

char *ebm_variant_text(const ebm_variant *variant, bool is_run, const char *skipped) {
    const ebm_component *component = variant->entry->component;
    size_t size = strlen(component->name) + 1;
    for (size_t i = 0; i < variant->family->n_options; i++)
        size += strlen(component->options[i].name) + EBM_MAX_OPTION_TEXT + 16;
    char *text = calloc(size, 1);
    if (!text)
        return NULL;
    if (!is_run)
        snprintf(text, size, "%s", component->name);
    for (size_t i = 0; i < variant->family->n_options; i++) {
        const char *name = component->options[i].name;
        if (!variant->family->varying[i] || (skipped && strcmp(skipped, name) == 0))
            continue;
        char *value = ebm_variant_option_text(variant, i);
        if (!value) {
            free(text);
            return NULL;
        }
        if (*value) {
            size_t used = strlen(text);
            snprintf(text + used, size - used, "%s%s%s", used ? "-" : "", is_run ? name : "", is_run ? "-" : "");
            ebm_append_plain(text, size, value);
        }
        free(value);
    }
    return text;
}
